//! Fits with large residuals: second derivatives of the residuals in the model of Levenberg–Marquardt.

use crate::common::mgh::Problem;
use faer::MatMut;
use secant_core::check;
use secant_core::problem::{LeastSquares, Linearization, Objective};
use secant_optim::{
    Factorization, LeastSquaresFn, LevenbergMarquardt, OptimError, SecondOrder, Solution, minimize,
};

fn run(problem: &impl LeastSquares, second_order: SecondOrder, start: &[f64]) -> Solution {
    let solver = LevenbergMarquardt::default().with_second_order(second_order);
    minimize(problem, solver, start).unwrap()
}

/// yᵢ ≈ x₁·e^(x₂/(tᵢ + x₃)), tᵢ = 45 + 5i.  Meyer (1970), MGH 10.
fn meyer() -> LeastSquaresFn<'static> {
    const Y: [f64; 16] = [
        34780.0, 28610.0, 23650.0, 19630.0, 16370.0, 13720.0, 11540.0, 9744.0, 8261.0, 7030.0,
        6005.0, 5147.0, 4427.0, 3820.0, 3307.0, 2872.0,
    ];
    let t = |i: usize| 45.0 + 5.0 * (i + 1) as f64;
    LeastSquaresFn::new(3, 16, move |x, r| {
        for (i, (r, y)) in r.iter_mut().zip(Y).enumerate() {
            *r = x[0] * f64::exp(x[1] / (t(i) + x[2])) - y;
        }
    })
    .with_jacobian(move |x, mut j| {
        for i in 0..16 {
            let below = t(i) + x[2];
            let e = f64::exp(x[1] / below);
            j[(i, 0)] = e;
            j[(i, 1)] = x[0] * e / below;
            j[(i, 2)] = -x[0] * e * x[1] / (below * below);
        }
    })
}

/// e^(−a·t)·cos(b·t) through points that are off every such curve, the more the larger `off`; θ = (a, b) in `units`.
fn wave(off: f64, residual_scale: f64, units: [f64; 2]) -> LeastSquaresFn<'static> {
    let points: Vec<(f64, f64)> = (0..40)
        .map(|i| {
            let t = 0.1 * f64::from(i);
            let disturbed = off * f64::from(i % 3 - 1) + 0.5 * off * f64::sin(5.0 * t);
            (t, f64::exp(-0.4 * t) * f64::cos(1.5 * t) + disturbed)
        })
        .collect();
    let again = points.clone();
    LeastSquaresFn::new(2, points.len(), move |x, r| {
        let (a, b) = (x[0] * units[0], x[1] * units[1]);
        for (r, (t, y)) in r.iter_mut().zip(&points) {
            *r = residual_scale * (f64::exp(-a * t) * f64::cos(b * t) - y);
        }
    })
    .with_jacobian(move |x, mut j| {
        let (a, b) = (x[0] * units[0], x[1] * units[1]);
        for (i, (t, _)) in again.iter().enumerate() {
            let slope = -residual_scale * t * f64::exp(-a * t);
            j[(i, 0)] = units[0] * slope * f64::cos(b * t);
            j[(i, 1)] = units[1] * slope * f64::sin(b * t);
        }
    })
}

const WAVE_START: [f64; 2] = [0.4, 1.5];

/// Jacobians of a run that ended well.
fn jacobians(name: &str, solution: &Solution) -> u64 {
    let report = &solution.report;
    println!("{name}: {report}\n");
    assert!(report.reason.is_success(), "{name}: {report}");
    assert!(report.gradient.max <= 1e-8 * report.initial_gradient.max, "{name}: {report}");
    report.evaluations.jacobian + report.evaluations.normal_equations
}

#[test]
fn structured_secants_save_most_jacobians_where_residuals_are_large() {
    for (id, part) in [("brown_dennis", 0.1), ("freudenstein_roth", 0.7), ("jennrich_sampson", 0.7)]
    {
        let problem = Problem::named(id).unwrap();
        let start = problem.start();
        let plain = run(&problem, SecondOrder::Off, &start);
        let most = part * jacobians(id, &plain) as f64;
        for order in [SecondOrder::Structured, SecondOrder::Exact] {
            let solution = run(&problem, order, &start);
            assert!(jacobians(id, &solution) as f64 <= most, "{id} {order:?}");
            // The same minimum: the plain model's in the digits that it has.
            let gap = solution.report.value - plain.report.value;
            assert!(gap.abs() <= 1e-12 * plain.report.value, "{id} {order:?}: {gap:e}");
        }
    }
    let plain = jacobians("wave", &run(&wave(3.0, 1.0, [1.0; 2]), SecondOrder::Off, &WAVE_START));
    let with = run(&wave(3.0, 1.0, [1.0; 2]), SecondOrder::Structured, &WAVE_START);
    // The plain one's last steps are mixed.
    assert!(4 * jacobians("wave", &with) <= 3 * plain);
}

#[test]
fn small_residuals_cost_little_more_with_them() {
    // Half the certified sum of squares of MGH 10 with these data.
    let value = 0.5 * 87.945_855_171;
    let start = [0.02, 4000.0, 250.0];
    let plain = run(&meyer(), SecondOrder::Off, &start);
    let with = run(&meyer(), SecondOrder::Structured, &start);
    for solution in [&plain, &with] {
        assert!((solution.report.value - value).abs() <= 1e-10 * value, "{}", solution.report);
    }
    assert!(jacobians("Meyer", &with) <= 2 * jacobians("Meyer", &plain));
    let (plain, with) = [SecondOrder::Off, SecondOrder::Structured]
        .map(|order| jacobians("wave", &run(&wave(0.0, 1.0, [1.0; 2]), order, &[0.7, 1.0])))
        .into();
    assert!(with <= plain + 1, "{with} {plain}");
}

#[test]
fn the_path_does_not_depend_on_the_units_of_residuals_and_parameters() {
    for factorization in [Factorization::Qr, Factorization::NormalEquations] {
        let by = |scale, units: [f64; 2]| {
            let solver = LevenbergMarquardt::default()
                .with_second_order(SecondOrder::Structured)
                .with_factorization(factorization);
            let start = [WAVE_START[0] / units[0], WAVE_START[1] / units[1]];
            minimize(&wave(3.0, scale, units), solver, &start).unwrap().report
        };
        let plain = by(1.0, [1.0; 2]);
        assert!(plain.iterations > 3, "{plain}");
        for (scale, units) in [(1e4, [1.0; 2]), (1e-4, [1.0; 2]), (1.0, [1e4, 1e-3])] {
            let other = by(scale, units);
            assert_eq!((other.iterations, other.reason), (plain.iterations, plain.reason));
            for (a, b) in plain.trace.iter().zip(&other.trace) {
                let gap = (scale * scale * a.value - b.value).abs();
                assert!(gap <= 1e-9 * b.value, "{a:?}\n{b:?}");
            }
        }
    }
}

#[test]
fn without_a_stored_jacobian_a_step_costs_one_product_more() {
    let by = |order| {
        let solver = LevenbergMarquardt::default()
            .with_second_order(order)
            .with_acceleration(None)
            .with_factorization(Factorization::NormalEquations);
        minimize(&wave(3.0, 1.0, [1.0; 2]), solver, &WAVE_START).unwrap().report.evaluations
    };
    let e = by(SecondOrder::Structured);
    // Not for a step so short that it would teach nothing.
    let accepted = e.normal_equations - 1;
    let products = e.jacobian_transpose_vector;
    assert!(products <= accepted && accepted <= products + 3, "{e:?}");
    assert_eq!(by(SecondOrder::Off).jacobian_transpose_vector, 0);
}

#[test]
fn a_linear_problem_takes_one_accepted_step() {
    let problem = Problem::named("linear_full_rank").unwrap();
    for order in [SecondOrder::Structured, SecondOrder::Exact] {
        let report = run(&problem, order, &problem.start()).report;
        assert_eq!(report.iterations, 1, "{report}");
        assert!(report.reason.is_success(), "{report}");
        assert_eq!(report.evaluations.hessian, 0, "{report}");
    }
}

#[test]
fn what_does_not_go_together_is_named_before_the_run() {
    let solver = |order, factorization| {
        LevenbergMarquardt::default().with_second_order(order).with_factorization(factorization)
    };
    let exact = solver(SecondOrder::Exact, Factorization::Auto);
    let error = minimize(&meyer(), exact, &[1.0; 3]).unwrap_err();
    assert!(matches!(error, OptimError::NoSecondDerivatives { .. }), "{error}");
    for factorization in [Factorization::Dual, Factorization::Lsmr] {
        let solver = solver(SecondOrder::Structured, factorization);
        let error = minimize(&meyer(), solver, &[1.0; 3]).unwrap_err();
        assert!(matches!(error, OptimError::NoSecondOrder { .. }), "{error}");
    }
    let dual = solver(SecondOrder::Off, Factorization::Dual);
    let error = minimize(&meyer(), dual, &[1.0; 3]).unwrap_err();
    let shape =
        OptimError::DualShape { solver: "Levenberg–Marquardt", residuals: 16, parameters: 3 };
    assert_eq!(error, shape);
}

#[test]
fn nan_ahead_is_avoided_and_a_hessian_of_nan_is_a_reason() {
    // log θ + 3 and 5: the undamped step from 9 leaves the domain, and the residuals are large.
    let problem = LeastSquaresFn::new(1, 2, |x, r| {
        r[0] = x[0].ln();
        r[1] = 5.0 + 0.1 * x[0];
    });
    let solution = run(&problem, SecondOrder::Structured, &[9.0]);
    assert!(solution.report.reason.is_success(), "{}", solution.report);
    // log θ/θ + 0.1·(5 + 0.1·θ) = 0
    let theta = solution.theta[0];
    assert!((theta.ln() / theta + 0.5 + 0.01 * theta).abs() < 1e-9, "{}", solution.report);
    let solution = run(&NanHessian, SecondOrder::Exact, &[3.0]);
    assert!(solution.report.reason.is_success(), "{}", solution.report);
    assert!(solution.report.evaluations.hessian > 0, "{}", solution.report);
}

/// r = (θ² + 4, 1) with a Hessian that is never finite: the plain model goes on alone.
struct NanHessian;

struct NanAt([f64; 1]);

impl Objective for NanHessian {
    fn dim(&self) -> usize {
        1
    }
    fn value(&self, theta: &[f64]) -> f64 {
        self.residuals(theta, &mut [0.0; 2])
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        gradient[0] = 2.0 * theta[0] * (theta[0] * theta[0] + 4.0);
        self.value(theta)
    }
}

impl LeastSquares for NanHessian {
    fn residual_len(&self) -> usize {
        2
    }
    fn residuals(&self, theta: &[f64], residuals: &mut [f64]) -> f64 {
        residuals[0] = theta[0] * theta[0] + 4.0;
        residuals[1] = 1.0;
        0.5 * (residuals[0] * residuals[0] + 1.0)
    }
    fn jacobian_vector(&self, theta: &[f64], v: &[f64], out: &mut [f64]) {
        (out[0], out[1]) = (2.0 * theta[0] * v[0], 0.0);
    }
    fn jacobian_transpose_vector(&self, theta: &[f64], u: &[f64], out: &mut [f64]) {
        out[0] = 2.0 * theta[0] * u[0];
    }
    fn normal_equations(&self, theta: &[f64], mut normal: MatMut<'_, f64>, g: &mut [f64]) -> f64 {
        normal[(0, 0)] = 4.0 * theta[0] * theta[0];
        self.value_gradient(theta, g)
    }
    fn jacobian(&self, theta: &[f64], residuals: &mut [f64], mut out: MatMut<'_, f64>) -> f64 {
        (out[(0, 0)], out[(1, 0)]) = (2.0 * theta[0], 0.0);
        self.residuals(theta, residuals)
    }
    fn linearization(&self, theta: &[f64]) -> Option<Box<dyn Linearization + '_>> {
        let mut gradient = [0.0];
        self.value_gradient(theta, &mut gradient);
        Some(Box::new(NanAt(gradient)))
    }
}

impl Linearization for NanAt {
    fn value(&self) -> f64 {
        f64::NAN
    }
    fn gradient(&self) -> &[f64] {
        &self.0
    }
    fn hessian_vector(&self, _v: &[f64], out: &mut [f64]) {
        out.fill(f64::NAN);
    }
    fn gauss_newton_vector(&self, _v: &[f64], out: &mut [f64]) {
        out.fill(f64::NAN);
    }
    fn hessian(&self, mut out: MatMut<'_, f64>) {
        out.fill(f64::NAN);
    }
    fn gauss_newton(&self, mut out: MatMut<'_, f64>) {
        out.fill(f64::NAN);
    }
}

#[test]
fn closures_pass_the_checks_of_derivatives() {
    for (problem, theta) in
        [(meyer(), vec![0.01, 5000.0, 300.0]), (wave(3.0, 2.0, [1.0, 3.0]), vec![0.5, 0.6])]
    {
        let checks = check::least_squares(&problem, &theta, 3);
        assert!(checks.passed(), "{checks}");
    }
}

#[test]
fn slow_steps_near_the_minimum_are_mixed() {
    // Undamped steps alone take 47 Jacobians, with the second derivatives in the model it is 13.
    let problem = Problem::named("kowalik_osborne").unwrap();
    let [plain, exact] =
        [SecondOrder::Off, SecondOrder::Exact].map(|order| run(&problem, order, &problem.start()));
    let count = jacobians("Kowalik–Osborne", &plain);
    assert!(count <= 15, "{count} Jacobians");
    // 44 of them.
    let count = jacobians("wave", &run(&wave(3.0, 1.0, [1.0; 2]), SecondOrder::Off, &WAVE_START));
    assert!(count <= 20, "{count} Jacobians");
    for (theta, other) in plain.theta.iter().zip(&exact.theta) {
        assert!((theta - other).abs() <= 1e-10 * other.abs(), "{plain:?} {exact:?}");
    }
}
