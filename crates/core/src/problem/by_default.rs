//! A matrix from its products and products from the matrix, where a linearisation writes one of the two.

use faer::{Mat, MatMut};
use std::cell::Cell;

/// Defaults within defaults: as many as linearisations that hold one another, which are few. More are one that calls itself.
const DEEPEST: u32 = 16;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// One more default is at work, until this is dropped.
struct Deeper;

impl Deeper {
    fn new() -> Self {
        let depth = DEPTH.get() + 1;
        assert!(
            depth <= DEEPEST,
            "a Linearization must write `hessian` or `hessian_vector`: by default each is made from the other"
        );
        DEPTH.set(depth);
        Self
    }
}

impl Drop for Deeper {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get().saturating_sub(1));
    }
}

/// `out` ← A·v with A as `matrix` writes it.
pub(super) fn product(matrix: impl FnOnce(MatMut<'_, f64>), v: &[f64], out: &mut [f64]) {
    let _deeper = Deeper::new();
    let mut dense = Mat::zeros(v.len(), v.len());
    matrix(dense.as_mut());
    out.fill(0.0);
    for (column, v) in dense.col_iter().zip(v) {
        out.iter_mut().zip(column.iter()).for_each(|(out, entry)| *out += v * entry);
    }
}

/// `out` ← A from products with it; the mean of both triangles, which differ by rounding.
pub(super) fn matrix(product: impl Fn(&[f64], &mut [f64]), mut out: MatMut<'_, f64>) {
    let _deeper = Deeper::new();
    let n = out.ncols();
    let (mut unit, mut column) = (vec![0.0; n], vec![0.0; n]);
    for j in 0..n {
        unit[j] = 1.0;
        product(&unit, &mut column);
        unit[j] = 0.0;
        out.as_mut().col_mut(j).iter_mut().zip(&column).for_each(|(out, entry)| *out = *entry);
    }
    for j in 0..n {
        for i in 0..j {
            let mean = 0.5 * (out[(i, j)] + out[(j, i)]);
            (out[(i, j)], out[(j, i)]) = (mean, mean);
        }
    }
}

/// `out` ← the entries in `rows` and `columns` of A, n × n, from products with it.
pub(crate) fn block(
    product: impl Fn(&[f64], &mut [f64]),
    n: usize,
    (rows, columns): (&[usize], &[usize]),
    mut out: MatMut<'_, f64>,
) {
    let (mut unit, mut column) = (vec![0.0; n], vec![0.0; n]);
    for (at, &j) in columns.iter().enumerate() {
        unit[j] = 1.0;
        product(&unit, &mut column);
        unit[j] = 0.0;
        out.as_mut().col_mut(at).iter_mut().zip(rows).for_each(|(out, &i)| *out = column[i]);
    }
}

#[cfg(test)]
mod tests {
    use crate::problem::Linearization;
    use faer::{Mat, MatMut};

    const H: [[f64; 2]; 2] = [[2.0, -1.0], [-1.0, 5.0]];

    struct Matrix;
    struct Product;
    struct Neither;

    macro_rules! linearization {
        ($name:ident { $($method:item)* }) => {
            impl Linearization for $name {
                fn value(&self) -> f64 {
                    0.0
                }
                fn gradient(&self) -> &[f64] {
                    &[0.0; 2]
                }
                $($method)*
            }
        };
    }
    linearization!(Matrix {
        fn hessian(&self, mut out: MatMut<'_, f64>) {
            out.copy_from(Mat::from_fn(2, 2, |i, j| H[i][j]));
        }
    });
    linearization!(Product {
        fn hessian_vector(&self, v: &[f64], out: &mut [f64]) {
            out[0] = H[0][0] * v[0] + H[0][1] * v[1];
            out[1] = H[1][0] * v[0] + H[1][1] * v[1];
        }
    });
    linearization!(Neither {});

    #[test]
    fn each_is_made_from_the_other_and_the_gauss_newton_matrix_is_the_hessian() {
        let linearizations: [&dyn Linearization; 2] = [&Matrix, &Product];
        for at in linearizations {
            let (mut h, mut g) = (Mat::zeros(2, 2), Mat::zeros(2, 2));
            at.hessian(h.as_mut());
            at.gauss_newton(g.as_mut());
            let (mut product, mut of_g, mut diagonal) = ([0.0; 2], [0.0; 2], [0.0; 2]);
            at.hessian_vector(&[3.0, 4.0], &mut product);
            at.gauss_newton_vector(&[3.0, 4.0], &mut of_g);
            at.gauss_newton_diagonal(&mut diagonal);
            assert_eq!(h, Mat::from_fn(2, 2, |i, j| H[i][j]));
            assert_eq!(h, g);
            assert_eq!((product, of_g, diagonal), ([2.0, 17.0], [2.0, 17.0], [2.0, 5.0]));
            let mut block = Mat::zeros(1, 2);
            at.hessian_block(&[1], &[1, 0], block.as_mut());
            assert_eq!((block[(0, 0)], block[(0, 1)]), (H[1][1], H[1][0]));
        }
    }

    #[test]
    #[should_panic(expected = "must write `hessian` or `hessian_vector`")]
    fn neither_of_the_two_is_said_and_not_called_for_ever() {
        Neither.hessian_vector(&[1.0, 0.0], &mut [0.0; 2]);
    }
}
