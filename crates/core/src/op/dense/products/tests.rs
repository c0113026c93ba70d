use super::*;
use crate::random::Random;

/// Vectors of one lane, of four where the machine has them, and its widest.
fn everywhere(mut each: impl FnMut(&str, &dyn Fn(Product<'_>))) {
    each("one lane", &|product| product.on(pulp::Scalar));
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        each("four lanes", &move |product| product.on(simd));
    }
    each("widest", &|product| match product {
        Product::Apply(apply) => Arch::new().dispatch(apply),
        Product::AddOuter(outer) => Arch::new().dispatch(outer),
    });
}

enum Product<'a> {
    Apply(Apply<'a>),
    AddOuter(AddOuter<'a>),
}

impl Product<'_> {
    fn on<S: Simd>(self, simd: S) {
        match self {
            Self::Apply(apply) => simd.vectorize(apply),
            Self::AddOuter(outer) => simd.vectorize(outer),
        }
    }
}

/// Outputs, inputs and samples on both sides of all thresholds.
fn shapes() -> impl Iterator<Item = (usize, usize, usize)> {
    let outputs = [1, 2, 3, 5, 7, 8, 9, 10, 11, 12, 15, 16, 20, 26, 32, 33, 40, 65, 129];
    let inputs = [1, 2, 3, 7, 8, 9, 12, 15, 16, 17, 20, 31, 63, 64, 65, 100];
    let samples = [1, 2, 3, 4, 5, 8, 13, 33];
    outputs.into_iter().flat_map(move |c| {
        inputs.into_iter().flat_map(move |d| samples.into_iter().map(move |b| (c, d, b)))
    })
}

fn normal(random: &mut Random, len: usize) -> Vec<f64> {
    (0..len).map(|_| random.normal()).collect()
}

/// The largest difference of sums of `terms` products.
fn assert_near(found: &[f64], exact: &[f64], terms: usize, what: &str) {
    for (i, (found, exact)) in found.iter().zip(exact).enumerate() {
        let near = 1e-15 * (terms as f64 + 4.0) * 4.0;
        assert!((found - exact).abs() <= near, "{what}, entry {i}: {found} for {exact}");
    }
}

#[test]
fn values_are_the_sums_of_products_for_all_shapes_and_vectors() {
    let mut random = Random::new(1);
    for (c, d, batch) in shapes() {
        let (weight, x) = (normal(&mut random, c * d), normal(&mut random, d * batch));
        let (bias, own) = (normal(&mut random, c), normal(&mut random, c * batch));
        for start in [Start::Zero, Start::Bias(&bias), Start::Own] {
            let mut exact = vec![0.0; c * batch];
            for (b, column) in exact.chunks_exact_mut(c).enumerate() {
                for (i, z) in column.iter_mut().enumerate() {
                    let first = match start {
                        Start::Zero => 0.0,
                        Start::Bias(bias) => bias[i],
                        Start::Own => own[b * c + i],
                    };
                    *z = first + (0..d).map(|k| weight[k * c + i] * x[b * d + k]).sum::<f64>();
                }
            }
            everywhere(|name, run| {
                let mut z = own.clone();
                let (weight, x, z_all) = (&weight[..], &x[..], &mut z[..]);
                run(Product::Apply(Apply { c, d, batch, weight, x, start, z: z_all }));
                assert_near(
                    &z,
                    &exact,
                    d,
                    &format!("{c} × {d}, {batch} samples, {name}, {start:?}"),
                );
            });
        }
    }
}

#[test]
fn outer_products_are_added_for_all_shapes_and_vectors() {
    let mut random = Random::new(2);
    for (c, d, batch) in shapes() {
        let (z_bar, x) = (normal(&mut random, c * batch), normal(&mut random, d * batch));
        let own = normal(&mut random, c * d);
        let mut exact = own.clone();
        for (k, column) in exact.chunks_exact_mut(c).enumerate() {
            for (i, w_bar) in column.iter_mut().enumerate() {
                *w_bar += (0..batch).map(|b| z_bar[b * c + i] * x[b * d + k]).sum::<f64>();
            }
        }
        everywhere(|name, run| {
            let mut w_bar = own.clone();
            let (z_bar, x, all) = (&z_bar[..], &x[..], &mut w_bar[..]);
            run(Product::AddOuter(AddOuter { c, d, batch, z_bar, x, w_bar: all }));
            assert_near(&w_bar, &exact, batch, &format!("{c} × {d}, {batch} samples, {name}"));
        });
    }
}
