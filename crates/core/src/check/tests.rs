//! Right derivatives pass and wrong ones fail, at parameters of any size.

use super::*;

/// f = Σ xᵢ⁴/4 with a wrong gradient entry or a wrong product where asked.
struct Quartic {
    gradient_error: f64,
    product_error: f64,
}

struct At<'a>(&'a Quartic, f64, Vec<f64>, Vec<f64>);

impl Objective for Quartic {
    fn dim(&self) -> usize {
        3
    }
    fn value(&self, theta: &[f64]) -> f64 {
        theta.iter().map(|x| x.powi(4) / 4.0).sum()
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.iter_mut().zip(theta).for_each(|(g, x)| *g = x.powi(3));
        gradient[1] += self.gradient_error;
        self.value(theta)
    }
}

impl Curvature for Quartic {
    type At<'a> = At<'a>;
    fn linearize(&self, theta: &[f64]) -> At<'_> {
        let mut gradient = vec![0.0; 3];
        let value = self.value_gradient(theta, &mut gradient);
        At(self, value, gradient, theta.to_vec())
    }
}

impl Linearization for At<'_> {
    fn value(&self) -> f64 {
        self.1
    }
    fn gradient(&self) -> &[f64] {
        &self.2
    }
    fn hessian_vector(&self, v: &[f64], out: &mut [f64]) {
        for ((out, v), x) in out.iter_mut().zip(v).zip(&self.3) {
            *out = 3.0 * x * x * v * (1.0 + self.0.product_error);
        }
    }
    fn gauss_newton_vector(&self, v: &[f64], out: &mut [f64]) {
        self.hessian_vector(v, out);
    }
    fn hessian(&self, mut out: faer::MatMut<'_, f64>) {
        out.fill(0.0);
        for (index, x) in self.3.iter().enumerate() {
            out[(index, index)] = 3.0 * x * x;
        }
    }
    fn gauss_newton(&self, out: faer::MatMut<'_, f64>) {
        self.hessian(out);
    }
}

const THETA: [f64; 3] = [0.7, -1.3, 2.1];

#[test]
fn right_derivatives_pass() {
    let right = Quartic { gradient_error: 0.0, product_error: 0.0 };
    let checks = curvature(&right, &THETA, 5);
    assert!(checks.passed(), "{checks}");
}

#[test]
fn a_gradient_wrong_in_the_sixth_digit_is_found() {
    let wrong = Quartic { gradient_error: 3e-5, product_error: 0.0 };
    assert!(!objective(&wrong, &THETA).passed());
}

#[test]
fn a_product_wrong_in_the_fourth_digit_fails_differences_dense_matrix_and_taylor_order() {
    let wrong = Quartic { gradient_error: 0.0, product_error: 1e-4 };
    let checks = curvature(&wrong, &THETA, 5);
    let failed: Vec<&str> =
        checks.0.iter().filter(|check| !check.passed()).map(|check| check.what).collect();
    assert!(failed.contains(&"Hessian product, differences of gradients"), "{checks}");
    assert!(failed.contains(&"Hessian product, dense Hessian"), "{checks}");
    assert!(failed.contains(&"Taylor order, 3 −"), "{checks}");
}

/// f = Σ aᵢ·((θᵢ − cᵢ)/wᵢ)⁴/4 about places of any size: it varies over w, not over θ.
#[derive(Clone, Copy)]
struct Wells {
    places: [f64; 3],
    widths: [f64; 3],
    heights: [f64; 3],
    offset: f64,
    /// What the gradient's entries and the products are multiplied by.
    wrong: [f64; 3],
}

struct Well<'a>(&'a Wells, f64, Vec<f64>, Vec<f64>);

impl Objective for Wells {
    fn dim(&self) -> usize {
        3
    }
    fn value(&self, theta: &[f64]) -> f64 {
        self.value_gradient(theta, &mut [0.0; 3])
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let mut value = self.offset;
        for i in 0..3 {
            let u = (theta[i] - self.places[i]) / self.widths[i];
            value += self.heights[i] * u.powi(4) / 4.0;
            gradient[i] = self.wrong[i] * self.heights[i] * u.powi(3) / self.widths[i];
        }
        value
    }
}

impl Curvature for Wells {
    type At<'a> = Well<'a>;
    fn linearize(&self, theta: &[f64]) -> Well<'_> {
        let mut gradient = vec![0.0; 3];
        let value = self.value_gradient(theta, &mut gradient);
        Well(self, value, gradient, theta.to_vec())
    }
}

impl Well<'_> {
    fn diagonal(&self, i: usize) -> f64 {
        let u = (self.3[i] - self.0.places[i]) / self.0.widths[i];
        self.0.wrong[i] * 3.0 * self.0.heights[i] * (u / self.0.widths[i]).powi(2)
    }
}

impl Linearization for Well<'_> {
    fn value(&self) -> f64 {
        self.1
    }
    fn gradient(&self) -> &[f64] {
        &self.2
    }
    fn hessian_vector(&self, v: &[f64], out: &mut [f64]) {
        (0..3).for_each(|i| out[i] = self.diagonal(i) * v[i]);
    }
    fn gauss_newton_vector(&self, v: &[f64], out: &mut [f64]) {
        self.hessian_vector(v, out);
    }
    fn hessian(&self, mut out: faer::MatMut<'_, f64>) {
        out.fill(0.0);
        (0..3).for_each(|i| out[(i, i)] = self.diagonal(i));
    }
    fn gauss_newton(&self, out: faer::MatMut<'_, f64>) {
        self.hessian(out);
    }
}

/// Time stamps, numbers near 0, both at once, a large constant beside f.
fn wells() -> [(Wells, [f64; 3]); 5] {
    let well = |places, widths, heights, offset| Wells {
        places,
        widths,
        heights,
        offset,
        wrong: [1.0; 3],
    };
    [
        (
            well([1.7e9; 3], [40.0, 30.0, 50.0], [1.0, 2.0, 0.5], 0.0),
            [1.7e9 + 31.0, 1.7e9 - 55.0, 1.7e9 + 12.0],
        ),
        (well([0.0; 3], [1e-9, 1e-8, 2e-9], [1.0; 3], 0.0), [2e-9, -7e-9, 1e-9]),
        (well([0.0; 3], [1e7, 1e-7, 1.0], [1.0; 3], 0.0), [2e7, 1.3e-7, -0.6]),
        (well([1e8, 0.0, 0.5], [3.0, 1e-6, 1.0], [1.0; 3], 0.0), [1e8 + 5.0, 2e-6, 1.7]),
        (well([1.0; 3], [1.0; 3], [1.0; 3], 1e7), [3.0, -2.0, 0.5]),
    ]
}

#[test]
fn right_derivatives_pass_whatever_the_size_of_the_parameters() {
    for (index, (well, theta)) in wells().iter().enumerate() {
        for seed in 1..4 {
            let checks = curvature(well, theta, seed);
            assert!(checks.passed(), "{index}: {checks}");
        }
    }
}

#[test]
fn an_entry_wrong_in_the_fifth_digit_is_found_whatever_the_size_of_its_parameter() {
    for (index, (well, theta)) in wells().into_iter().enumerate() {
        // The constant of the last one hides what is beyond its rounding.
        let by = if index == 4 { 1e-3 } else { 3e-5 };
        for entry in 0..3 {
            let mut wrong = [1.0; 3];
            wrong[entry] += by;
            // In units of their parameters the entries are alike, but for the third well's.
            let well = Wells { wrong, ..well };
            let checks = objective(&well, &theta);
            let share = share(&well, &theta, entry);
            assert!(!checks.passed() || share < 0.1, "{index}, {entry}: {checks}");
        }
    }
}

/// |θᵢ·gᵢ| over the largest.
fn share(well: &Wells, theta: &[f64], entry: usize) -> f64 {
    let mut gradient = [0.0; 3];
    well.value_gradient(theta, &mut gradient);
    let sizes: Vec<f64> =
        gradient.iter().zip(theta).map(|(g, x)| (g * differences::scale(*x)).abs()).collect();
    sizes[entry] / sizes.iter().fold(0.0, |most: f64, size| most.max(*size))
}

#[test]
fn a_gradient_that_vanishes_passes_and_one_that_does_not_fails() {
    let well = |wrong| Wells {
        places: [1.0, 2.0, -3.0],
        widths: [1.0; 3],
        heights: [1.0; 3],
        offset: 5.0,
        wrong,
    };
    let checks = objective(&well([1.0; 3]), &[1.0, 2.0, -3.0]);
    assert!(checks.passed(), "{checks}");
    let checks = objective(&well([1.0, 0.0, 1.0]), &[1.0, 2.5, -3.0]);
    assert!(!checks.passed(), "{checks}");
}

#[test]
fn a_nan_is_never_a_pass() {
    assert!(distance(&[f64::NAN], &[1.0]).is_nan());
    assert!(!Check { what: "", error: f64::NAN, tolerance: 1.0 }.passed());
}
