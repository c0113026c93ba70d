//! Robust least squares: SciPy's minima, the weights of both Gauss–Newton matrices, and an estimated scale.

use secant_core::check;
use secant_core::problem::{Curvature, Linearization};
use secant_core::rho::{Rho, RhoWeight};
use secant_optim::{
    Bfgs, HessianKind, LeastSquaresFn, Method, Newton, OptimError, RobustLeastSquares, Solution,
    Stopping, Subproblem, TrustRegion, minimize_robust, residual_scale, weighted_residual_scale,
};
use serde_json::Value;

struct Line {
    x: Vec<f64>,
    y: Vec<f64>,
}

fn fixture() -> Value {
    serde_json::from_str(include_str!("../fixtures/robust_line.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

impl Line {
    fn shipped() -> Self {
        let fixture = fixture();
        Self { x: numbers(&fixture["x"]), y: numbers(&fixture["y"]) }
    }

    fn problem(&self) -> LeastSquaresFn<'_> {
        let residuals = |theta: &[f64], r: &mut [f64]| {
            for ((r, x), y) in r.iter_mut().zip(&self.x).zip(&self.y) {
                *r = theta[0] + theta[1] * x - y;
            }
        };
        LeastSquaresFn::new(2, self.x.len(), residuals).with_jacobian(|_, mut j| {
            for (i, x) in self.x.iter().enumerate() {
                j[(i, 0)] = 1.0;
                j[(i, 1)] = *x;
            }
        })
    }
}

/// Steps until rounding.
fn to_rounding() -> Stopping {
    Stopping { gradient_tolerance: 0.0, ..Stopping::default() }
}

fn rho_of(name: &str) -> Rho {
    Rho::ALL.into_iter().find(|rho| rho.name() == name).unwrap()
}

fn assert_near(solution: &Solution, theta: &[f64], context: &str) {
    for (found, expected) in solution.theta.iter().zip(theta) {
        let error = (found - expected).abs() / expected.abs();
        assert!(error <= 1e-8, "{context}: {found} {expected} {error:e}\n{}", solution.report);
    }
}

#[test]
fn five_losses_end_where_scipy_ends() {
    let (line, fixture) = (Line::shipped(), fixture());
    let problem = line.problem();
    for fit in fixture["fits"].as_array().unwrap() {
        let rho = rho_of(fit["rho"].as_str().unwrap());
        let scale = fit["scale"].as_f64().unwrap();
        // The losses that are not convex have other minima elsewhere.
        let start = match rho {
            Rho::Cauchy | Rho::Tukey => numbers(&fixture["soft_l1_start"]),
            _ => vec![0.0; 2],
        };
        let methods: [(Method, RhoWeight); 5] = [
            (TrustRegion::default().into(), RhoWeight::Triggs),
            (TrustRegion::default().with_subproblem(Subproblem::Exact).into(), RhoWeight::Triggs),
            (Newton::default().with_curvature(HessianKind::GaussNewton).into(), RhoWeight::Triggs),
            (Newton::default().with_curvature(HessianKind::GaussNewton).into(), RhoWeight::Irls),
            (Bfgs::default().into(), RhoWeight::Triggs),
        ];
        for (method, weight) in methods {
            let context = format!("{rho:?} {} {weight:?}", method.name());
            let robust = RobustLeastSquares::new(&problem, rho, scale).unwrap().with_weight(weight);
            let method = method.with_stopping(to_rounding());
            let solution = method.minimize(&robust, &start).unwrap();
            assert_near(&solution, &numbers(&fit["theta"]), &context);
            let value = fit["value"].as_f64().unwrap();
            assert!((solution.report.value / value - 1.0).abs() <= 1e-12, "{context}");
        }
    }
}

#[test]
fn derivatives_of_a_linear_problem_are_exact_and_weights_are_what_they_say() {
    let line = Line::shipped();
    let problem = line.problem();
    let theta = [1.2, -0.7];
    for rho in Rho::ALL {
        for weight in [RhoWeight::Triggs, RhoWeight::Irls] {
            let robust = RobustLeastSquares::new(&problem, rho, 0.9).unwrap().with_weight(weight);
            let checks = check::curvature(&robust, &theta, 5);
            assert!(checks.passed(), "{rho:?} {weight:?}: {checks:?}");

            // JᵀDJ entry by entry, with D from the second derivative of ½σ²ρ by hand.
            let at = robust.linearize(&theta);
            let mut dense = faer::Mat::zeros(2, 2);
            at.gauss_newton(dense.as_mut());
            let mut expected = [[0.0; 2]; 2];
            for (x, y) in line.x.iter().zip(&line.y) {
                let s = ((theta[0] + theta[1] * x - y) / 0.9_f64).powi(2);
                let (irls, bent) = by_hand(rho, s);
                let d = if weight == RhoWeight::Irls { irls } else { bent.max(0.0) };
                let row = [1.0, *x];
                for i in 0..2 {
                    for j in 0..2 {
                        expected[i][j] += d * row[i] * row[j];
                    }
                }
            }
            for i in 0..2 {
                for j in 0..2 {
                    let error = (dense[(i, j)] - expected[i][j]).abs();
                    assert!(error <= 1e-12 * expected[i][i].max(1.0), "{rho:?} {weight:?} {i} {j}");
                }
            }
            let (mut product, v) = ([0.0; 2], [0.3, 1.0]);
            at.gauss_newton_vector(&v, &mut product);
            for i in 0..2 {
                let by_matrix = dense[(i, 0)] * v[0] + dense[(i, 1)] * v[1];
                assert!((product[i] - by_matrix).abs() <= 1e-12 * by_matrix.abs().max(1.0));
            }
        }
    }
}

/// ψ(r)/r and ψ′(r) of the textbook influence functions at u² = s.
fn by_hand(rho: Rho, s: f64) -> (f64, f64) {
    let u = s.sqrt();
    match rho {
        Rho::Squared => (1.0, 1.0),
        Rho::Huber if u <= 1.0 => (1.0, 1.0),
        Rho::Huber => (1.0 / u, 0.0),
        Rho::SoftL1 => ((1.0 + s).powf(-0.5), (1.0 + s).powf(-1.5)),
        Rho::Cauchy => (1.0 / (1.0 + s), (1.0 - s) / (1.0 + s).powi(2)),
        Rho::Tukey if u > 1.0 => (0.0, 0.0),
        Rho::Tukey => ((1.0 - s).powi(2), (1.0 - s) * (1.0 - 5.0 * s)),
    }
}

/// The line of least absolute deviations: it passes through two of the points.
fn least_absolute(line: &Line) -> (f64, f64) {
    let points: Vec<(f64, f64)> = line.x.iter().copied().zip(line.y.iter().copied()).collect();
    let mut best = (f64::INFINITY, (0.0, 0.0));
    for (i, p) in points.iter().enumerate() {
        for q in &points[i + 1..] {
            let slope = (q.1 - p.1) / (q.0 - p.0);
            let start = p.1 - slope * p.0;
            let sum: f64 = points.iter().map(|(x, y)| (start + slope * x - y).abs()).sum();
            if sum < best.0 {
                best = (sum, (start, slope));
            }
        }
    }
    best.1
}

#[test]
fn the_estimated_scale_is_that_of_the_least_absolute_deviations() {
    let line = Line::shipped();
    let problem = line.problem();
    let method = Method::from(TrustRegion::default()).with_stopping(to_rounding());
    let residuals = |a: f64, b: f64| -> Vec<f64> {
        line.x.iter().zip(&line.y).map(|(x, y)| a + b * x - y).collect()
    };
    let huber = minimize_robust(&problem, Rho::Huber, &method, &[0.0, 0.0]).unwrap();
    let (a, b) = least_absolute(&line);
    let truth = residual_scale(&residuals(a, b));
    assert!((huber.scale / truth - 1.0).abs() <= 0.1, "{} {truth}", huber.scale);
    // Least squares puts it at fifteen times that.
    assert!(truth < 0.5 && huber.rounds < 30, "{truth} {}", huber.rounds);

    // The equations of Huber's estimate at that scale: Σ ψ(r) = Σ ψ(r)·x = 0.
    let theta = &huber.solution.theta;
    let limit = Rho::Huber.tuning() * huber.scale;
    let psi: Vec<f64> =
        residuals(theta[0], theta[1]).iter().map(|r| r.clamp(-limit, limit)).collect();
    let (sum, moment): (f64, f64) =
        (psi.iter().sum(), psi.iter().zip(&line.x).map(|(psi, x)| psi * x).sum());
    assert!(sum.abs() <= 1e-9 * limit && moment.abs() <= 1e-9 * limit, "{sum:e} {moment:e}");

    let tukey = minimize_robust(&problem, Rho::Tukey, &method, &[0.0, 0.0]).unwrap();
    assert_eq!(tukey.scale, huber.scale);
    assert!((tukey.solution.theta[0] - 1.5).abs() < 0.1, "{:?}", tukey.solution.theta);
    let note = tukey.solution.report.notes.last().unwrap();
    assert!(note.contains("scale") && !note.contains("not settle"), "{note}");

    // In other units of y: the same line in those units.
    let scaled = Line { x: line.x.clone(), y: line.y.iter().map(|y| 1e6 * y).collect() };
    let other = minimize_robust(&scaled.problem(), Rho::Tukey, &method, &[0.0, 0.0]).unwrap();
    assert!((other.scale / tukey.scale / 1e6 - 1.0).abs() <= 1e-8);
    assert!((other.solution.theta[0] / tukey.solution.theta[0] / 1e6 - 1.0).abs() <= 1e-8);
}

#[test]
fn data_on_a_line_has_no_scale_and_comes_back_as_fitted() {
    let x: Vec<f64> = (0..8).map(f64::from).collect();
    let line = Line { y: x.iter().map(|x| 2.0 * x - 1.0).collect(), x };
    let method = Method::from(Newton::default().with_curvature(HessianKind::GaussNewton));
    let found = minimize_robust(&line.problem(), Rho::Cauchy, &method, &[-1.0, 2.0]).unwrap();
    assert_eq!((found.scale, found.rounds), (0.0, 1));
    assert_eq!(found.solution.theta, [-1.0, 2.0]);
    assert!(found.solution.report.notes.last().unwrap().contains("did not settle"));
}

#[test]
fn a_scale_out_of_range_is_an_error_with_its_value() {
    let line = Line::shipped();
    for scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = RobustLeastSquares::new(line.problem(), Rho::Huber, scale).unwrap_err();
        assert!(matches!(error, OptimError::OptionOutOfRange { option: "scale", .. }));
        assert!(error.to_string().contains(&scale.to_string()), "{error}");
    }
}

#[test]
fn median_of_an_even_and_an_odd_number_of_residuals() {
    assert!((residual_scale(&[-3.0, 1.0, 2.0]) - 2.0 * 1.482_602_218_505_602).abs() < 1e-15);
    assert!((residual_scale(&[4.0, -1.0, 2.0, 3.0]) - 2.5 * 1.482_602_218_505_602).abs() < 1e-15);
    // A whole weight is as many copies, and 0 none.
    for (residuals, weights) in [
        ([-3.0, 1.0, 2.0, 9.0], [1.0, 2.0, 1.0, 0.0]),
        ([-3.0, 1.0, 2.0, 9.0], [3.0, 2.0, 0.0, 2.0]),
        ([4.0, -1.0, 2.0, 3.0], [1.0; 4]),
        ([0.5, -1.0, 2.0, 3.0], [1.0, 1.0, 1.0, 3.0]),
    ] {
        let copies =
            |(r, w): (&f64, &f64)| (0..4).filter(|k| f64::from(*k) < *w).map(|_| *r).collect();
        let all: Vec<Vec<f64>> = residuals.iter().zip(&weights).map(copies).collect();
        assert_eq!(weighted_residual_scale(&residuals, &weights), residual_scale(&all.concat()));
    }
    assert!(weighted_residual_scale(&[1.0], &[0.0]).is_nan());
    assert!(residual_scale(&[]).is_nan() && residual_scale(&[1.0, f64::NAN]).is_nan());
}
