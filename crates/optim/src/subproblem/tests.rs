//! Every subproblem against the conditions of Moré and Sorensen, against each other and against brute force.

use super::{Bound, Dogleg, Gltr, MoreSorensen, Steihaug, Step, cauchy};
use crate::linalg::vector;
use faer::Mat;
use secant_core::operator::{Dense, LinearOperator};

/// Numbers in (−1, 1).
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
    fn vector(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.next()).collect()
    }
    fn orthogonal(&mut self, n: usize) -> Mat<f64> {
        Mat::from_fn(n, n, |_, _| self.next()).qr().compute_Q()
    }
}

/// A problem with known eigenvalues and eigenvectors.
struct Case {
    name: &'static str,
    h: Mat<f64>,
    q: Mat<f64>,
    eigenvalues: Vec<f64>,
    g: Vec<f64>,
}

impl Case {
    fn new(name: &'static str, eigenvalues: Vec<f64>, rotated: &[f64], draws: &mut Draws) -> Self {
        let n = eigenvalues.len();
        let q = draws.orthogonal(n);
        let h = Mat::from_fn(n, n, |i, j| {
            (0..n).map(|k| q[(i, k)] * eigenvalues[k] * q[(j, k)]).sum::<f64>()
        });
        let h = Mat::from_fn(n, n, |i, j| f64::midpoint(h[(i, j)], h[(j, i)]));
        let g = (0..n).map(|i| (0..n).map(|k| q[(i, k)] * rotated[k]).sum()).collect();
        Self { name, h, q, eigenvalues, g }
    }
    fn smallest(&self) -> f64 {
        self.eigenvalues.iter().fold(f64::INFINITY, |least, e| least.min(*e))
    }
    fn size(&self) -> f64 {
        self.eigenvalues.iter().fold(0.0, |most: f64, e| most.max(e.abs()))
    }
    fn times(&self, p: &[f64]) -> Vec<f64> {
        let mut hp = vec![0.0; p.len()];
        Dense(self.h.as_ref()).apply(p, &mut hp);
        hp
    }
    /// m(p)
    fn model(&self, p: &[f64]) -> f64 {
        vector::dot(&self.g, p) + 0.5 * vector::dot(p, &self.times(p))
    }
    /// min m over ‖p‖ ≤ Δ, by bisection on λ in the eigenbasis; the hard case by the missing length along the leftmost vector.
    fn minimum(&self, radius: f64) -> f64 {
        let n = self.g.len();
        let rotated: Vec<f64> =
            (0..n).map(|k| (0..n).map(|i| self.q[(i, k)] * self.g[i]).sum()).collect();
        let square = |lambda: f64| -> f64 {
            self.eigenvalues.iter().zip(&rotated).map(|(e, g)| (g / (e + lambda)).powi(2)).sum()
        };
        let (mut low, mut high) = ((-self.smallest()).max(0.0), 1e9);
        if self.smallest() > 0.0 && square(0.0) <= radius * radius {
            high = 0.0;
        }
        for _ in 0..300 {
            let middle = f64::midpoint(low, high);
            if square(middle) > radius * radius { low = middle } else { high = middle }
        }
        // With λ to the right of the solution: m = −½Σg²/(e + λ) − ½λ‖p‖² and the rest of the length along the leftmost.
        let lambda = high;
        let dual: f64 =
            self.eigenvalues
                .iter()
                .zip(&rotated)
                .map(|(e, g)| {
                    if (e + lambda).abs() <= 1e-13 * self.size() {
                        0.0
                    } else {
                        g * g / (e + lambda)
                    }
                })
                .sum();
        -0.5 * dual - 0.5 * lambda * radius * radius
    }
}

fn cases() -> Vec<Case> {
    let mut draws = Draws(1);
    let mut cases = Vec::new();
    for n in [1, 2, 5, 20, 60] {
        let spread: Vec<f64> = (0..n).map(|k| 10.0_f64.powf(3.0 * k as f64 / n as f64)).collect();
        let g = draws.vector(n);
        cases.push(Case::new("definite", spread.clone(), &g, &mut draws));
        let mixed = draws.vector(n);
        cases.push(Case::new("indefinite", mixed, &g, &mut draws));
        let negative = spread.iter().map(|e| -e).collect();
        cases.push(Case::new("negative definite", negative, &g, &mut draws));
        if n > 1 {
            let mut singular = spread.clone();
            singular[0] = 0.0;
            cases.push(Case::new("singular", singular.clone(), &g, &mut draws));
            let mut consistent = g.clone();
            consistent[0] = 0.0;
            cases.push(Case::new("singular, consistent", singular, &consistent, &mut draws));
            let mut hard = spread.clone();
            hard[0] = -3.0;
            cases.push(Case::new("hard", hard.clone(), &consistent, &mut draws));
            consistent[0] = 1e-9;
            cases.push(Case::new("nearly hard", hard, &consistent, &mut draws));
        }
    }
    cases
}

const RADII: [f64; 5] = [1e-6, 0.01, 1.0, 30.0, 1e4];

/// (H + λI)p = −g, λ ≥ 0, λ(Δ − ‖p‖) = 0, H + λI ⪰ 0, and the books of the step.
fn check_exact(case: &Case, radius: f64, p: &[f64], step: Step) {
    let name = format!("{} n = {} Δ = {radius}: {step:?}", case.name, p.len());
    let lambda = step.multiplier.unwrap();
    let norm = vector::norm(p);
    let mut residual = case.times(p);
    vector::axpy(lambda, p, &mut residual);
    vector::axpy(1.0, &case.g, &mut residual);
    let size = (case.size() + lambda) * norm + vector::norm(&case.g);
    assert!(vector::norm(&residual) <= 1e-11 * size, "{name}: {}", vector::norm(&residual) / size);
    assert!(lambda >= 0.0 && lambda + case.smallest() >= -1e-12 * case.size(), "{name}");
    assert!(norm <= radius * (1.0 + 1e-8), "{name}");
    assert_eq!(step.on_boundary, lambda > 0.0, "{name}");
    if lambda > 0.0 {
        assert!((norm - radius).abs() <= 1e-8 * radius, "{name}: {norm}");
    }
    check_books(case, radius, p, step);
}

/// The promise is the model's, and at least that of the Cauchy point.
fn check_books(case: &Case, radius: f64, p: &[f64], step: Step) {
    let name = format!("{} n = {} Δ = {radius}: {step:?}", case.name, p.len());
    let decrease = -case.model(p);
    let rounding = 1e-15 * p.len() as f64 * case.size() * vector::dot(p, p);
    let allowed = 1e-9 * decrease.abs() + rounding;
    assert!((step.predicted - decrease).abs() <= allowed, "{name}: {decrease}");
    assert!((step.norm - vector::norm(p)).abs() <= 1e-10 * step.norm, "{name}");
    let curvature = vector::dot(&case.g, &case.times(&case.g));
    let (_, best) = cauchy::cauchy(vector::norm(&case.g), curvature, radius);
    assert!(step.predicted >= best.predicted * (1.0 - 1e-10), "{name}: {best:?}");
}

#[test]
fn exact_steps_satisfy_the_optimality_conditions_and_reach_the_minimum() {
    for case in cases() {
        let n = case.g.len();
        let mut exact = MoreSorensen::new(n);
        exact.matrix_mut().copy_from(&case.h);
        exact.factor().unwrap();
        exact.set_gradient(&case.g);
        for radius in RADII {
            let mut p = vec![f64::NAN; n];
            let step = exact.solve(radius, &mut p);
            check_exact(&case, radius, &p, step);
            let minimum = case.minimum(radius);
            if case.name != "singular" || step.on_boundary {
                let rounding = 1e-15 * n as f64 * case.size() * vector::dot(&p, &p);
                let allowed = 1e-8 * minimum.abs() + rounding;
                assert!((case.model(&p) - minimum).abs() <= allowed, "{} {minimum}", case.name);
            }
        }
    }
}

#[test]
fn gltr_on_the_whole_space_equals_the_exact_step() {
    for case in cases().into_iter().filter(|case| !case.name.contains("hard")) {
        let n = case.g.len();
        let mut gltr = Gltr::new(n);
        for radius in RADII {
            let mut p = vec![f64::NAN; n];
            let step = gltr
                .solve(&Dense(case.h.as_ref()), &case.g, Bound::Radius(radius), 0.0, 10 * n, &mut p)
                .unwrap();
            check_exact(&case, radius, &p, step);
        }
    }
}

#[test]
fn gltr_in_the_hard_case_is_exact_on_its_krylov_space() {
    for case in cases().into_iter().filter(|case| case.name == "hard") {
        let n = case.g.len();
        let mut gltr = Gltr::new(n);
        for radius in RADII {
            let mut p = vec![f64::NAN; n];
            let step = gltr
                .solve(&Dense(case.h.as_ref()), &case.g, Bound::Radius(radius), 1e-9, n - 1, &mut p)
                .unwrap();
            check_books(&case, radius, &p, step);
            assert!(vector::norm(&p) <= radius * (1.0 + 1e-8));
        }
    }
}

/// Counts products.
struct Counted<'a>(Dense<'a>, std::cell::Cell<u32>);

impl LinearOperator for Counted<'_> {
    fn rows(&self) -> usize {
        self.0.rows()
    }
    fn cols(&self) -> usize {
        self.0.cols()
    }
    fn apply(&self, x: &[f64], y: &mut [f64]) {
        self.1.set(self.1.get() + 1);
        self.0.apply(x, y);
    }
}

#[test]
fn a_smaller_radius_costs_gltr_no_product_and_meets_the_same_tolerance() {
    for case in cases() {
        let n = case.g.len();
        let operator = Counted(Dense(case.h.as_ref()), std::cell::Cell::new(0));
        let mut gltr = Gltr::new(n);
        let mut p = vec![f64::NAN; n];
        gltr.solve(&operator, &case.g, Bound::Radius(1.0), 1e-6, n, &mut p).unwrap();
        let products = operator.1.get();
        assert!(products as usize <= n);
        for radius in [0.3, 0.01, 1e-5] {
            let step = gltr.solve_again(Bound::Radius(radius), &mut p);
            check_books(&case, radius, &p, step);
            let mut residual = case.times(&p);
            vector::axpy(step.multiplier.unwrap(), &p, &mut residual);
            vector::axpy(1.0, &case.g, &mut residual);
            assert!(vector::norm(&residual) <= 1.1e-6 * vector::norm(&case.g), "{}", case.name);
        }
        assert_eq!(operator.1.get(), products);
    }
}

#[test]
fn truncated_cg_and_dogleg_stay_inside_and_promise_what_they_find() {
    for case in cases() {
        let n = case.g.len();
        for radius in RADII {
            let mut p = vec![f64::NAN; n];
            let mut cg = Steihaug::new(n);
            let step =
                cg.solve(&Dense(case.h.as_ref()), &case.g, radius, 1e-10, 5 * n, &mut p).unwrap();
            assert!(vector::norm(&p) <= radius * (1.0 + 1e-8));
            check_books(&case, radius, &p, step);
            if case.name == "definite" {
                assert!(step.predicted >= 0.5 * -case.minimum(radius) * (1.0 - 1e-9));
                let mut dogleg = Dogleg::new(n);
                dogleg.matrix_mut().copy_from(&case.h);
                dogleg.factor(&case.g).unwrap();
                let step = dogleg.solve(radius, &mut p);
                assert!(vector::norm(&p) <= radius * (1.0 + 1e-8));
                check_books(&case, radius, &p, step);
            }
        }
    }
}

#[test]
fn dogleg_on_an_indefinite_matrix_promises_no_more_than_it_gives() {
    for case in cases().into_iter().filter(|case| case.name != "definite") {
        let n = case.g.len();
        let mut dogleg = Dogleg::new(n);
        dogleg.matrix_mut().copy_from(&case.h);
        dogleg.factor(&case.g).unwrap();
        for radius in RADII {
            let mut p = vec![f64::NAN; n];
            let step = dogleg.solve(radius, &mut p);
            assert!(vector::norm(&p) <= radius * (1.0 + 1e-8));
            let given = -case.model(&p);
            assert!(
                step.predicted > 0.0 && step.predicted <= given * (1.0 + 1e-9),
                "{}",
                case.name
            );
        }
    }
}

#[test]
fn scaled_exact_step_does_not_depend_on_units() {
    let units: Vec<f64> = (0..20).map(|i| 2.0_f64.powi(3 * i - 30)).collect();
    for case in cases().into_iter().filter(|case| case.g.len() == 20) {
        let mut steps = Vec::new();
        for unit in [vec![1.0; 20], units.clone()] {
            let mut exact = MoreSorensen::scaled(20);
            let h = Mat::from_fn(20, 20, |i, j| case.h[(i, j)] * unit[i] * unit[j]);
            exact.matrix_mut().copy_from(&h);
            exact.factor().unwrap();
            let g: Vec<f64> = case.g.iter().zip(&unit).map(|(g, u)| g * u).collect();
            exact.set_gradient(&g);
            let mut p = vec![0.0; 20];
            let step = exact.solve(0.5, &mut p);
            assert!((exact.norm(&p) - step.norm).abs() <= 1e-10 * step.norm);
            steps.push(p.iter().zip(&unit).map(|(p, u)| p * u).collect::<Vec<f64>>());
        }
        if case.name == "hard" {
            continue;
        }
        let size = vector::norm(&steps[0]);
        let gap = steps[0].iter().zip(&steps[1]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        // The floor of D joins in where parameters differ by more than 1e8 in √curvature.
        assert!(gap <= 1e-6 * size || units[0] < 1e-8, "{}: {gap} {size}", case.name);
    }
}

#[test]
fn nonfinite_curvature_is_an_error_and_zero_curvature_a_step_to_the_boundary() {
    let zero = Mat::<f64>::zeros(3, 3);
    let nan = Mat::from_fn(3, 3, |_, _| f64::NAN);
    let g = [3.0, 0.0, 4.0];
    let mut p = vec![0.0; 3];
    let expected = [-1.2, 0.0, -1.6];
    let mut exact = MoreSorensen::new(3);
    let mut dogleg = Dogleg::new(3);
    exact.matrix_mut().copy_from(&nan);
    assert!(exact.factor().is_err());
    dogleg.matrix_mut().copy_from(&nan);
    assert!(dogleg.factor(&g).is_err());
    assert!(
        Gltr::new(3).solve(&Dense(nan.as_ref()), &g, Bound::Radius(2.0), 0.1, 3, &mut p).is_err()
    );
    assert!(Steihaug::new(3).solve(&Dense(nan.as_ref()), &g, 2.0, 0.1, 3, &mut p).is_err());
    let near = |p: &[f64], step: Step| {
        assert!(p.iter().zip(&expected).all(|(p, e)| (p - e).abs() < 1e-11), "{p:?}");
        assert!(step.on_boundary && (step.predicted - 10.0).abs() < 1e-11);
    };
    exact.matrix_mut().copy_from(&zero);
    exact.factor().unwrap();
    exact.set_gradient(&g);
    let step = exact.solve(2.0, &mut p);
    near(&p, step);
    dogleg.matrix_mut().copy_from(&zero);
    dogleg.factor(&g).unwrap();
    let step = dogleg.solve(2.0, &mut p);
    near(&p, step);
    let step =
        Gltr::new(3).solve(&Dense(zero.as_ref()), &g, Bound::Radius(2.0), 0.1, 3, &mut p).unwrap();
    near(&p, step);
    let step = Steihaug::new(3).solve(&Dense(zero.as_ref()), &g, 2.0, 0.1, 3, &mut p).unwrap();
    near(&p, step);
}

#[test]
fn the_cubic_step_meets_the_conditions_of_a_global_minimum() {
    for case in cases() {
        let n = case.g.len();
        let mut gltr = Gltr::new(n);
        let operator = Dense(case.h.as_ref());
        let mut p = vec![0.0; n];
        for (first, weight) in [1e-6, 1e-2, 1.0, 50.0, 1e4].into_iter().enumerate() {
            let bound = Bound::weight(weight);
            let step = if first == 0 {
                gltr.solve(&operator, &case.g, bound, 0.0, 10 * n, &mut p).unwrap()
            } else {
                gltr.solve_again(bound, &mut p)
            };
            let context = format!("{} σ = {weight}: {step:?}", case.name);
            let lambda = step.multiplier.unwrap();
            let norm = vector::norm(&p);
            assert!((norm - step.norm).abs() <= 1e-10 * norm, "{context}");
            let full = case.model(&p) + weight * norm.powi(3) / 3.0;
            assert!((full + step.predicted).abs() <= 1e-9 * step.predicted, "{context} {full}");
            // λ = σ‖p‖ and (H + λI)p = −g: a stationary point; H + λI ⪰ 0: a global minimum (Cartis, Gould & Toint 2011, theorem 3.1).
            let mut rest = case.times(&p);
            vector::axpy(lambda, &p, &mut rest);
            vector::axpy(1.0, &case.g, &mut rest);
            let size = (case.size() + lambda) * norm + vector::norm(&case.g);
            assert!(vector::norm(&rest) <= 1e-9 * size, "{context} {:e}", vector::norm(&rest));
            // Next to the pole −λ₁ the last bit of λ moves ‖p‖ by λ/(λ + λ₁) bits.
            let pole =
                64.0 * f64::EPSILON * lambda * lambda / (lambda + case.smallest()).max(1e-300);
            let allowed = 1e-9 * (lambda + case.size()) + pole;
            assert!((lambda - weight * norm).abs() <= allowed, "{context}");
            // In the hard case the space of g knows the leftmost direction only where g has a part along it.
            if !case.name.contains("hard") {
                assert!(lambda >= -case.smallest() - 1e-7 * case.size(), "{context}");
            }
        }
    }
}

/// Squares of such entries overflow: the step must be found all the same, and looking for it must end.
#[test]
fn a_matrix_whose_squares_overflow_has_its_step_and_ends() {
    let h = Mat::from_fn(2, 2, |i, j| if i == j { 1e200 } else { 3e200 });
    let mut step = [f64::NAN; 2];
    let bound = Bound::Radius(1.0);
    let found = Gltr::new(2).solve(&Dense(h.as_ref()), &[1.0, 0.0], bound, 1e-8, 2, &mut step);
    let promised = found.map_or(0.0, |found| found.predicted);
    // Along (1, −1), where the curvature is −2e200.
    assert!((promised / 1e200 - 1.0).abs() < 1e-12, "{promised:e}");
    assert!((step[0] + step[1]).abs() < 1e-12 && step[0] < 0.0, "{step:?}");
}
