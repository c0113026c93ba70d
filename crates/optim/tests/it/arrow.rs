//! Groups with parameters of their own beside shared ones: every method that goes by groups ends where the dense one does.

use faer::MatMut;
use secant_core::problem::{Arrow, ArrowGroup, LeastSquares, Objective};
use secant_core::random::Random;
use secant_core::rho::Rho;
use secant_optim::inference::{Derived, Inference, Sandwich, Status};
use secant_optim::{
    BoundedLevenbergMarquardt, Bounds, Factorization, GaussNewton, LevenbergMarquardt, Reason,
    RobustResiduals, Solution, minimize,
};

/// y = a·e^(−bt) + c in every group, b and c shared: θ = (b, c, a₁, a₂, …).
struct Decays {
    /// Of each sample: group, t, y.
    samples: Vec<(usize, f64, f64)>,
    arrow: Arrow,
}

impl Decays {
    fn new(sizes: &[usize], noise: f64) -> Self {
        let mut random = Random::new(7);
        let (mut samples, mut groups) = (Vec::new(), Vec::new());
        for (g, size) in sizes.iter().enumerate() {
            let rows = samples.len()..samples.len() + size;
            let a = 1.0 + g as f64;
            for i in 0..*size {
                let t = 5.0 * i as f64 / *size as f64;
                let y = a * f64::exp(-0.7 * t) + 0.3 + noise * random.normal();
                samples.push((g, t, y));
            }
            groups.push(ArrowGroup { rows, own: 2 + g..3 + g });
        }
        Self { samples, arrow: Arrow { shared: 0..2, groups } }
    }

    fn start(&self) -> Vec<f64> {
        let mut start = vec![1.0; self.dim()];
        start[1] = 0.0;
        start
    }

    fn rows(&self, theta: &[f64]) -> Vec<[f64; 3]> {
        let row = |(g, t, _): &(usize, f64, f64)| {
            let e = f64::exp(-theta[0] * t);
            // Far out 0 and not ∞·0.
            let slope = if e == 0.0 { 0.0 } else { -theta[2 + g] * t * e };
            [slope, 1.0, e]
        };
        self.samples.iter().map(row).collect()
    }
}

impl Objective for Decays {
    fn dim(&self) -> usize {
        2 + self.arrow.groups.len()
    }
    fn value(&self, theta: &[f64]) -> f64 {
        self.residuals(theta, &mut vec![0.0; self.samples.len()])
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let mut r = vec![0.0; self.samples.len()];
        let value = self.residuals(theta, &mut r);
        self.jacobian_transpose_vector(theta, &r, gradient);
        value
    }
}

impl LeastSquares for Decays {
    fn residual_len(&self) -> usize {
        self.samples.len()
    }
    fn residuals(&self, theta: &[f64], r: &mut [f64]) -> f64 {
        for (r, (g, t, y)) in r.iter_mut().zip(&self.samples) {
            *r = theta[2 + g] * f64::exp(-theta[0] * t) + theta[1] - y;
        }
        0.5 * r.iter().map(|r| r * r).sum::<f64>()
    }
    fn jacobian_vector(&self, theta: &[f64], v: &[f64], out: &mut [f64]) {
        for ((out, row), (g, ..)) in out.iter_mut().zip(self.rows(theta)).zip(&self.samples) {
            *out = row[0] * v[0] + row[1] * v[1] + row[2] * v[2 + g];
        }
    }
    fn jacobian_transpose_vector(&self, theta: &[f64], u: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for ((u, row), (g, ..)) in u.iter().zip(self.rows(theta)).zip(&self.samples) {
            out[0] += u * row[0];
            out[1] += u * row[1];
            out[2 + g] += u * row[2];
        }
    }
    fn normal_equations(&self, _: &[f64], _: MatMut<'_, f64>, _: &mut [f64]) -> f64 {
        unreachable!("an arrow is not squared")
    }
    fn jacobian(&self, theta: &[f64], r: &mut [f64], mut jacobian: MatMut<'_, f64>) -> f64 {
        jacobian.fill(0.0);
        for (i, (row, (g, ..))) in self.rows(theta).iter().zip(&self.samples).enumerate() {
            (jacobian[(i, 0)], jacobian[(i, 1)], jacobian[(i, 2 + g)]) = (row[0], row[1], row[2]);
        }
        self.residuals(theta, r)
    }
    fn arrow(&self) -> Option<&Arrow> {
        Some(&self.arrow)
    }
}

fn assert_near(one: &[f64], other: &[f64], tolerance: f64) {
    for (one, other) in one.iter().zip(other) {
        assert!((one - other).abs() <= tolerance * other.abs().max(1e-3), "{one} {other}");
    }
}

fn dense(problem: &impl LeastSquares, start: &[f64]) -> Solution {
    let method = LevenbergMarquardt::default().with_factorization(Factorization::Qr);
    minimize(problem, method, start).unwrap()
}

#[test]
fn a_fit_by_groups_takes_the_steps_of_the_dense_one() {
    let problem = Decays::new(&[12, 7, 20, 3, 9], 0.05);
    let by_groups = minimize(&problem, LevenbergMarquardt::default(), &problem.start()).unwrap();
    let dense = dense(&problem, &problem.start());
    assert!(by_groups.report.reason.is_converged(), "{}", by_groups.report);
    assert_near(&by_groups.theta, &dense.theta, 1e-12);
    assert_eq!(by_groups.report.iterations, dense.report.iterations);
    let gauss_newton = minimize(&problem, GaussNewton::default(), &problem.start()).unwrap();
    assert_near(&gauss_newton.theta, &dense.theta, 1e-9);
}

#[test]
fn exact_data_are_met_to_the_last_digits() {
    let problem = Decays::new(&[12, 7, 20, 3, 9], 0.0);
    let found = minimize(&problem, LevenbergMarquardt::default(), &problem.start()).unwrap();
    assert_near(&found.theta, &[0.7, 0.3, 1.0, 2.0, 3.0, 4.0, 5.0], 1e-13);
}

#[test]
fn errors_by_groups_are_those_of_the_whole_matrix() {
    let problem = Decays::new(&[12, 7, 20, 3, 9], 0.05);
    let theta = dense(&problem, &problem.start()).theta;
    let names = ["b", "c", "a0", "a1", "a2", "a3", "a4"];
    for sandwich in [None, Some(Sandwich::Hc1), Some(Sandwich::Hc3)] {
        for bounded in [false, true] {
            let infer = || {
                let mut infer = Inference::of(&problem, &theta).names(names).level(0.9);
                if let Some(sandwich) = sandwich {
                    infer = infer.robust(sandwich);
                }
                if bounded {
                    // One of the own parameters and one of the shared ones lie at a bound.
                    let mut bounds = Bounds::free(7).with(3..4, theta[3], 10.0).unwrap();
                    bounds = bounds.with(1..2, 0.0, theta[1]).unwrap();
                    infer = infer.bounds(bounds);
                }
                infer
            };
            let whole = infer().compute().unwrap();
            let groups = infer().compute_groups(|_| None).unwrap();
            for (g, group) in groups.iter().enumerate() {
                let local = [names[2 + g], "b", "c"];
                for (i, name) in local.iter().enumerate() {
                    assert_eq!(group.estimates[i].name, *name);
                    assert_eq!(group.estimates[i].status, whole.estimate(name).unwrap().status);
                    for (k, other) in local.iter().enumerate() {
                        let found = group.covariance(i, k);
                        let expected = whole.covariance(
                            whole.position(name).unwrap(),
                            whole.position(other).unwrap(),
                        );
                        let same = found.is_nan() && expected.is_nan();
                        let near = (found - expected).abs() <= 1e-10 * expected.abs();
                        assert!(same || near, "{sandwich:?} {name} {other}: {found} {expected}");
                    }
                }
                assert_eq!((group.degrees, group.level), (whole.degrees, 0.9));
                assert!((group.measures.aic - whole.measures.aic).abs() < 1e-10);
                let mut gradient = vec![0.0; 7];
                (gradient[0], gradient[2 + g]) = (-0.4, 2.0);
                let along = group.error_along(&[2.0, -0.4, 0.0]);
                assert!((along / whole.error_along(&gradient) - 1.0).abs() < 1e-10);
            }
        }
    }
}

#[test]
fn what_is_derived_in_a_group_has_the_errors_of_the_delta_method() {
    let problem = Decays::new(&[12, 7, 20], 0.05);
    let theta = dense(&problem, &problem.start()).theta;
    let plain = Inference::of(&problem, &theta).compute_groups(|_| None).unwrap();
    // The area a/b.
    let derive = |g: usize| {
        let (a, b) = (theta[2 + g], theta[0]);
        let row = [b.recip(), -a / (b * b), 0.0];
        let matrix = faer::Mat::from_fn(1, 3, |_, j| row[j]);
        Some((Derived { values: vec![a / b], matrix, names: vec!["area".into()] }, None))
    };
    let derived = Inference::of(&problem, &theta).compute_groups(derive).unwrap();
    for (g, (plain, derived)) in plain.iter().zip(&derived).enumerate() {
        let (a, b) = (theta[2 + g], theta[0]);
        let expected = plain.error_along(&[b.recip(), -a / (b * b), 0.0]);
        assert!((derived.estimates[0].standard_error / expected - 1.0).abs() < 1e-12);
    }
}

#[test]
fn what_a_group_leaves_open_is_named() {
    // The third group has no samples at which its own parameter shows.
    let mut problem = Decays::new(&[12, 7, 5], 0.05);
    for sample in &mut problem.samples[19..] {
        sample.1 = f64::INFINITY;
    }
    let found = minimize(&problem, LevenbergMarquardt::default(), &problem.start()).unwrap();
    assert!(found.report.reason.is_success(), "{}", found.report);
    let names = ["b", "c", "a0", "a1", "a2"];
    let groups = Inference::of(&problem, &found.theta).names(names);
    let groups = groups.compute_groups(|_| None).unwrap();
    assert_eq!(groups[2].estimates[0].status, Status::Open);
    assert_eq!(groups[2].open_directions[0].to_string(), "nothing depends on a2");
    assert_eq!(groups[2].estimates[1].status, Status::Estimated);
    assert!(groups[0].open_directions.is_empty());
}

#[test]
fn in_a_box_the_minimum_is_that_of_the_face_it_lies_on() {
    let problem = Decays::new(&[12, 7, 20, 3, 9], 0.05);
    let free = dense(&problem, &problem.start()).theta;
    // c is cut from above, the third amplitude from below; the others are free.
    let bounds = Bounds::free(7).with(1..2, 0.0, 0.1).unwrap();
    let bounds = bounds.with(4..5, 3.4, f64::INFINITY).unwrap();
    let method = BoundedLevenbergMarquardt::new(bounds.clone());
    let found = minimize(&problem, method, &problem.start()).unwrap();
    assert!(found.report.reason.is_success(), "{}", found.report);
    assert_eq!((found.theta[1], found.theta[4]), (0.1, 3.4));
    assert!(free[1] > 0.25 && free[4] < 3.3);
    // The conditions of a minimum in the box.
    let mut gradient = vec![0.0; 7];
    problem.value_gradient(&found.theta, &mut gradient);
    assert!(gradient[1] < 0.0 && gradient[4] > 0.0);
    let others = [0, 2, 3, 5, 6].map(|j| gradient[j].abs());
    assert!(others.iter().all(|g| *g < 1e-9), "{others:?}");
    // The same box without walls is the free fit.
    let method = BoundedLevenbergMarquardt::new(Bounds::free(7));
    let open = minimize(&problem, method, &problem.start()).unwrap();
    assert_near(&open.theta, &free, 1e-9);
}

#[test]
fn outliers_count_less_by_groups_too() {
    let mut problem = Decays::new(&[12, 7, 20, 3, 9], 0.0);
    problem.samples[4].2 += 30.0;
    problem.samples[25].2 -= 50.0;
    let robust = RobustResiduals::new(&problem, Rho::Cauchy, 0.1).unwrap();
    let start = [0.6, 0.2, 1.2, 2.2, 2.7, 4.2, 5.5];
    let by_groups = minimize(&robust, LevenbergMarquardt::default(), &start).unwrap();
    let dense = dense(&robust, &start);
    assert_near(&by_groups.theta, &dense.theta, 1e-10);
    assert_near(&by_groups.theta, &[0.7, 0.3, 1.0, 2.0, 3.0, 4.0, 5.0], 0.02);
    let checks = secant_core::check::least_squares(&robust, &start, 1);
    assert!(checks.passed(), "{checks}");
}

#[test]
fn an_arrow_that_does_not_fit_is_refused() {
    let mut problem = Decays::new(&[4, 4], 0.1);
    problem.arrow.groups[1].own = 2..3;
    let start = problem.start();
    let words = minimize(&problem, LevenbergMarquardt::default(), &start).unwrap_err().to_string();
    assert!(words.contains("an arrow that has θ[2] twice"), "{words}");
    problem.arrow.groups[1] = ArrowGroup { rows: 5..8, own: 3..4 };
    let method = BoundedLevenbergMarquardt::new(Bounds::free(4));
    let words = minimize(&problem, method, &start).unwrap_err().to_string();
    assert!(words.contains("an arrow whose groups leave residual 4"), "{words}");
}

#[test]
fn a_fit_can_be_ended_by_its_limit_of_iterations() {
    let problem = Decays::new(&[12, 7, 20], 0.05);
    let mut method = LevenbergMarquardt::default();
    method.stopping.max_iterations = 1;
    let found = minimize(&problem, method, &problem.start()).unwrap();
    assert_eq!(found.report.reason, Reason::MaxIterations);
}
