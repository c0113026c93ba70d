//! Bounds: a dense active-set solution of a thousand random problems, published minima, and no evaluation outside the box.

use crate::common::{Draws, Function, logistic, quadratic, rosenbrock, rosenbrock_start, spd};
use faer::linalg::solvers::Solve;
use faer::{Mat, MatMut, Side};
use secant_core::problem::{Curvature, LeastSquares, Objective};
use secant_optim::{
    BoundedLevenbergMarquardt, Bounds, HessianKind, Lbfgs, LbfgsB, LeastSquaresFn, OptimError,
    Reason, Solution, Stopping, Tron, minimize,
};

/// Refuses to be evaluated outside its box.
struct InBox<'a, P> {
    problem: &'a P,
    bounds: &'a Bounds,
}

impl<P> InBox<'_, P> {
    fn look(&self, theta: &[f64]) {
        assert!(self.bounds.contains(theta), "{theta:?} is outside {:?}", self.bounds);
    }
}

impl<P: Objective> Objective for InBox<'_, P> {
    fn dim(&self) -> usize {
        self.problem.dim()
    }
    fn value(&self, theta: &[f64]) -> f64 {
        self.look(theta);
        self.problem.value(theta)
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.look(theta);
        self.problem.value_gradient(theta, gradient)
    }
    fn value_gradient_within(
        &self,
        theta: &[f64],
        within: secant_core::problem::InBox<'_>,
        gradient: &mut [f64],
    ) -> f64 {
        self.look(theta);
        self.problem.value_gradient_within(theta, within, gradient)
    }
}

impl<P: Curvature> Curvature for InBox<'_, P> {
    type At<'a>
        = P::At<'a>
    where
        Self: 'a;
    fn linearize(&self, theta: &[f64]) -> Self::At<'_> {
        self.look(theta);
        self.problem.linearize(theta)
    }
    fn linearize_within(
        &self,
        theta: &[f64],
        within: secant_core::problem::InBox<'_>,
    ) -> Self::At<'_> {
        self.look(theta);
        self.problem.linearize_within(theta, within)
    }
}

impl<P: LeastSquares> LeastSquares for InBox<'_, P> {
    fn residual_len(&self) -> usize {
        self.problem.residual_len()
    }
    fn residuals(&self, theta: &[f64], residuals: &mut [f64]) -> f64 {
        self.look(theta);
        self.problem.residuals(theta, residuals)
    }
    fn jacobian_vector(&self, theta: &[f64], v: &[f64], out: &mut [f64]) {
        self.look(theta);
        self.problem.jacobian_vector(theta, v, out);
    }
    fn jacobian_transpose_vector(&self, theta: &[f64], u: &[f64], out: &mut [f64]) {
        self.look(theta);
        self.problem.jacobian_transpose_vector(theta, u, out);
    }
    fn normal_equations(&self, theta: &[f64], normal: MatMut<'_, f64>, g: &mut [f64]) -> f64 {
        self.look(theta);
        self.problem.normal_equations(theta, normal, g)
    }
    fn normal_equations_within(
        &self,
        theta: &[f64],
        within: secant_core::problem::InBox<'_>,
        normal: MatMut<'_, f64>,
        g: &mut [f64],
    ) -> f64 {
        self.look(theta);
        self.problem.normal_equations_within(theta, within, normal, g)
    }
    fn jacobian(&self, theta: &[f64], r: &mut [f64], jacobian: MatMut<'_, f64>) -> f64 {
        self.look(theta);
        self.problem.jacobian(theta, r, jacobian)
    }
}

fn to_the_end() -> Stopping {
    Stopping { gradient_tolerance: 1e-13, max_iterations: 3000, ..Stopping::default() }
}

/// By both methods of gradients, each watched.
fn both<P: Curvature>(problem: &P, bounds: &Bounds, start: &[f64]) -> [Solution; 2] {
    let watched = InBox { problem, bounds };
    let lbfgsb = LbfgsB::new(bounds.clone()).with_stopping(to_the_end());
    let tron = Tron::new(bounds.clone()).with_stopping(to_the_end());
    [minimize(&watched, lbfgsb, start).unwrap(), minimize(&watched, tron, start).unwrap()]
}

/// The minimum of ½xᵀAx − bᵀx in the box: projected relaxation finds what is active, a dense solve the rest; the optimality conditions
/// are checked, which for a convex function prove it.
fn active_set(a: &Mat<f64>, b: &[f64], bounds: &Bounds) -> (Vec<f64>, Vec<bool>) {
    let n = b.len();
    let mut x = vec![0.0; n];
    bounds.project(&mut x);
    for _ in 0..20_000 {
        let mut most = 0.0_f64;
        for j in 0..n {
            let g = (0..n).map(|k| a[(j, k)] * x[k]).sum::<f64>() - b[j];
            let to = (x[j] - g / a[(j, j)]).max(bounds.lower()[j]).min(bounds.upper()[j]);
            most = most.max((to - x[j]).abs());
            x[j] = to;
        }
        if most <= 1e-15 {
            break;
        }
    }
    let at_bound: Vec<bool> =
        (0..n).map(|j| x[j] <= bounds.lower()[j] || x[j] >= bounds.upper()[j]).collect();
    let free: Vec<usize> = (0..n).filter(|j| !at_bound[*j]).collect();
    if !free.is_empty() {
        let block = Mat::from_fn(free.len(), free.len(), |i, j| a[(free[i], free[j])]);
        let right = Mat::from_fn(free.len(), 1, |i, _| {
            let j = free[i];
            b[j] - (0..n).filter(|k| at_bound[*k]).map(|k| a[(j, k)] * x[k]).sum::<f64>()
        });
        let solved = block.llt(Side::Lower).unwrap().solve(right);
        for (i, j) in free.iter().enumerate() {
            x[*j] = solved[(i, 0)];
        }
    }
    assert!(bounds.contains(&x));
    for j in 0..n {
        let g = (0..n).map(|k| a[(j, k)] * x[k]).sum::<f64>() - b[j];
        let (low, high) = (x[j] <= bounds.lower()[j], x[j] >= bounds.upper()[j]);
        assert!((low && g >= -1e-9) || (high && g <= 1e-9) || g.abs() < 1e-9, "{j}: {g:e}");
    }
    (x, at_bound)
}

/// Bounds of every kind around zero.
fn random_box(n: usize, draws: &mut Draws) -> Bounds {
    let (mut lower, mut upper) = (Vec::new(), Vec::new());
    for _ in 0..n {
        let (centre, width) = (draws.next(), draws.next().abs());
        let (l, u) = match (draws.next() * 4.0).abs() {
            kind if kind < 0.5 => (f64::NEG_INFINITY, f64::INFINITY),
            kind if kind < 1.2 => (centre, f64::INFINITY),
            kind if kind < 1.9 => (f64::NEG_INFINITY, centre),
            kind if kind < 2.2 => (centre, centre),
            _ => (centre, centre + width),
        };
        lower.push(l);
        upper.push(u);
    }
    Bounds::new(lower, upper).unwrap()
}

#[test]
fn a_thousand_random_problems_end_at_the_active_set_solution_and_never_leave_the_box() {
    for seed in 0..1000 {
        let mut draws = Draws(seed);
        let n = 2 + usize::try_from(seed % 8).unwrap();
        let condition = 10.0_f64.powf(3.0 * draws.next().abs());
        let a = spd(n, condition, &mut draws);
        let b = draws.vector(n).iter().map(|b| 2.0 * b).collect::<Vec<_>>();
        let bounds = random_box(n, &mut draws);
        let (wanted, active) = active_set(&a, &b, &bounds);
        let function = quadratic(a.clone(), b.clone(), 0.0);
        let start: Vec<f64> = draws.vector(n).iter().map(|x| 3.0 * x).collect();
        let value = function.value(&wanted);
        let size = wanted.iter().fold(1.0_f64, |most, x| most.max(x.abs()));
        let mut found = both(&function, &bounds, &start).to_vec();
        // The same through residuals: A = LLᵀ, r = Lᵀ(x − A⁻¹b).
        let l = a.llt(Side::Lower).unwrap().L().to_owned();
        let centre = a.llt(Side::Lower).unwrap().solve(Mat::from_fn(n, 1, |i, _| b[i]));
        let residuals = |x: &[f64], r: &mut [f64]| {
            for (i, r) in r.iter_mut().enumerate() {
                *r = (i..n).map(|j| l[(j, i)] * (x[j] - centre[(j, 0)])).sum();
            }
        };
        let problem = LeastSquaresFn::new(n, n, residuals)
            .with_jacobian(|_, mut j| j.copy_from(l.transpose()));
        let watched = InBox { problem: &problem, bounds: &bounds };
        let lm = BoundedLevenbergMarquardt::new(bounds.clone());
        found.push(minimize(&watched, lm, &start).unwrap());
        for solution in &found {
            let report = &solution.report;
            assert!(report.reason.is_success(), "{seed}: {report}");
            let most = if report.solver == "L-BFGS-B" { 100 } else { 10 };
            assert!(report.iterations <= most, "{seed}: {report}");
            let gap = crate::common::distance(&solution.theta, &wanted);
            assert!(gap <= 1e-7 * size, "{seed}: {gap:e} {report}");
            for (j, active) in active.iter().enumerate() {
                let t = solution.theta[j];
                let at = t == bounds.lower()[j] || t == bounds.upper()[j];
                // A bound that holds with a gradient of zero may be missed by rounding.
                assert!(at == *active || (t - wanted[j]).abs() < 1e-10, "{seed} {j}: {report}");
            }
        }
        for solution in &found[..2] {
            let excess = (solution.report.value - value).abs();
            assert!(
                excess <= 1e-12 * (1.0 + value.abs()),
                "{seed}: {excess:e} {}",
                solution.report
            );
        }
    }
}

/// Largest entry of the gradient that the bounds leave, written out.
fn violation<P: Objective>(problem: &P, bounds: &Bounds, theta: &[f64]) -> f64 {
    let mut g = vec![0.0; theta.len()];
    problem.value_gradient(theta, &mut g);
    let each = (0..theta.len()).map(|j| {
        if bounds.lower()[j] == bounds.upper()[j] {
            0.0
        } else if theta[j] <= bounds.lower()[j] {
            (-g[j]).max(0.0)
        } else if theta[j] >= bounds.upper()[j] {
            g[j].max(0.0)
        } else {
            g[j].abs()
        }
    });
    each.fold(0.0, f64::max)
}

#[test]
fn convex_functions_that_are_no_quadratics_satisfy_their_conditions() {
    for seed in 0..100 {
        let mut draws = Draws(seed);
        let n = 5;
        let function = logistic(64, n, 1e-3, 0.5, &mut draws);
        let bounds = random_box(n, &mut draws);
        let [a, b] = both(&function, &bounds, &[0.0; 5]);
        for solution in [&a, &b] {
            assert!(solution.report.reason.is_success(), "{seed}: {}", solution.report);
            let off = violation(&function, &bounds, &solution.theta);
            assert!(off < 1e-9, "{seed}: {off:e} {}", solution.report);
        }
        assert!(crate::common::distance(&a.theta, &b.theta) < 1e-6, "{seed}");
    }
}

type Hs = (Function, Bounds, Vec<f64>, Vec<f64>);

fn of(lower: &[f64], upper: &[f64]) -> Bounds {
    Bounds::new(lower.to_vec(), upper.to_vec()).unwrap()
}

/// Problems of Hock & Schittkowski (1981) with bounds only: function, bounds, start, values of the known minima.
fn hock_schittkowski() -> Vec<(&'static str, Hs)> {
    const FREE: f64 = f64::INFINITY;
    let hs3 = Function::new(
        2,
        |x, g| {
            let d = x[1] - x[0];
            (g[0], g[1]) = (-2e-5 * d, 1.0 + 2e-5 * d);
            x[1] + 1e-5 * d * d
        },
        |_| faer::mat![[2e-5, -2e-5], [-2e-5, 2e-5]],
    );
    let hs4 = Function::new(
        2,
        |x, g| {
            (g[0], g[1]) = ((x[0] + 1.0).powi(2), 1.0);
            (x[0] + 1.0).powi(3) / 3.0 + x[1]
        },
        |x| faer::mat![[2.0 * (x[0] + 1.0), 0.0], [0.0, 0.0]],
    );
    let hs5 = Function::new(
        2,
        |x, g| {
            let (c, d) = ((x[0] + x[1]).cos(), x[0] - x[1]);
            (g[0], g[1]) = (c + 2.0 * d - 1.5, c - 2.0 * d + 2.5);
            (x[0] + x[1]).sin() + d * d - 1.5 * x[0] + 2.5 * x[1] + 1.0
        },
        |x| {
            let s = -(x[0] + x[1]).sin();
            faer::mat![[s + 2.0, s - 2.0], [s - 2.0, s + 2.0]]
        },
    );
    let product = |x: &[f64], left: &[usize]| -> f64 {
        (0..5).filter(|k| !left.contains(k)).map(|k| x[k]).product()
    };
    let hs45 = Function::new(
        5,
        move |x, g| {
            for (k, g) in g.iter_mut().enumerate() {
                *g = -product(x, &[k]) / 120.0;
            }
            2.0 - product(x, &[]) / 120.0
        },
        move |x| Mat::from_fn(5, 5, |i, j| if i == j { 0.0 } else { -product(x, &[i, j]) / 120.0 }),
    );
    vec![
        ("HS1", (rosenbrock(2), of(&[-FREE, -1.5], &[FREE; 2]), vec![-2.0, 1.0], vec![0.0])),
        // The second is a local minimum, at x₁ = −1.2210.
        (
            "HS2",
            (
                rosenbrock(2),
                of(&[-FREE, 1.5], &[FREE; 2]),
                vec![-2.0, 1.0],
                vec![0.050_426_187_9, 4.941_229],
            ),
        ),
        ("HS3", (hs3, of(&[-FREE, 0.0], &[FREE; 2]), vec![10.0, 1.0], vec![0.0])),
        ("HS4", (hs4, of(&[1.0, 0.0], &[FREE; 2]), vec![1.125, 0.125], vec![8.0 / 3.0])),
        (
            "HS5",
            (
                hs5,
                of(&[-1.5, -3.0], &[4.0, 3.0]),
                vec![0.0, 0.0],
                vec![-(0.75_f64.sqrt() + std::f64::consts::FRAC_PI_3)],
            ),
        ),
        ("HS45", (hs45, of(&[0.0; 5], &[1.0, 2.0, 3.0, 4.0, 5.0]), vec![2.0; 5], vec![1.0])),
    ]
}

#[test]
fn published_problems_end_at_published_minima() {
    for (name, (function, bounds, start, minima)) in hock_schittkowski() {
        for solution in both(&function, &bounds, &start) {
            let report = &solution.report;
            assert!(report.reason.is_success(), "{name}: {report}");
            let near =
                |minimum: &f64| (report.value - minimum).abs() <= 1e-6 * minimum.abs() + 1e-8;
            assert!(minima.iter().any(near), "{name}: {report}");
            let off = violation(&function, &bounds, &solution.theta);
            assert!(off < 1e-7, "{name}: {off:e} {report}");
        }
    }
}

#[test]
fn degenerate_boxes_are_served() {
    let bowl = || quadratic(spd(3, 10.0, &mut Draws(4)), vec![0.0; 3], 0.0);
    // The unbounded minimum on three bounds at once, a box of one point, a start at a vertex and one outside.
    let corner = Bounds::nonnegative(3);
    let point = of(&[0.5, -1.0, 2.0], &[0.5, -1.0, 2.0]);
    for solution in both(&bowl(), &corner, &[1.0, 2.0, 3.0]) {
        assert!(crate::common::distance(&solution.theta, &[0.0; 3]) < 1e-8, "{}", solution.report);
    }
    for solution in both(&bowl(), &point, &[9.0; 3]) {
        assert_eq!(solution.theta, [0.5, -1.0, 2.0]);
        assert_eq!(solution.report.reason, Reason::GradientConverged);
        assert_eq!(solution.report.iterations, 0);
    }
    let shifted = of(&[1.0; 3], &[2.0; 3]);
    for start in [[1.0; 3], [2.0; 3], [-7.0, 9.0, 1.5]] {
        let (wanted, _) = active_set(&spd(3, 10.0, &mut Draws(4)), &[0.0; 3], &shifted);
        for solution in both(&bowl(), &shifted, &start) {
            assert!(
                crate::common::distance(&solution.theta, &wanted) < 1e-8,
                "{}",
                solution.report
            );
        }
    }
}

#[test]
fn without_bounds_they_are_methods_for_free_parameters() {
    let start = rosenbrock_start(10);
    let stopping = Stopping { gradient_tolerance: 1e-10, ..Stopping::default() };
    let lbfgsb = LbfgsB::default().with_stopping(stopping.clone());
    let tron = Tron::default().with_stopping(stopping.clone());
    let lbfgs =
        minimize(&rosenbrock(10), Lbfgs::default().with_stopping(stopping), &start).unwrap();
    let bounded = minimize(&rosenbrock(10), lbfgsb, &start).unwrap();
    assert!(crate::common::distance(&bounded.theta, &[1.0; 10]) < 1e-6, "{}", bounded.report);
    assert!(bounded.report.iterations <= 2 * lbfgs.report.iterations, "{}", bounded.report);
    let solution = minimize(&rosenbrock(10), tron, &start).unwrap();
    assert!(crate::common::distance(&solution.theta, &[1.0; 10]) < 1e-6, "{}", solution.report);
    let gauss_newton = Tron::default().with_curvature(HessianKind::GaussNewton);
    let solution = minimize(&rosenbrock(10), gauss_newton, &start).unwrap();
    assert!(solution.report.evaluations.gauss_newton_vector > 0, "{}", solution.report);
}

#[test]
fn scaling_the_loss_keeps_the_path() {
    let bounds = random_box(6, &mut Draws(8));
    for c in [2.0_f64.powi(-28), 2.0_f64.powi(28)] {
        let plain = both(&rosenbrock(6), &bounds, &rosenbrock_start(6));
        let scaled = both(&rosenbrock(6).scaled(c, vec![1.0; 6]), &bounds, &rosenbrock_start(6));
        for (plain, scaled) in plain.iter().zip(&scaled) {
            assert_eq!(plain.theta, scaled.theta, "{}", plain.report);
            assert_eq!(plain.report.reason, scaled.report.reason);
            assert_eq!(plain.report.iterations, scaled.report.iterations);
        }
    }
}

#[test]
fn nonlinear_least_squares_keeps_to_its_box() {
    // a·exp(−bt) through data of a = 2, b = 1.5, with b ≤ 1: the bound holds, and a is what is left to fit.
    let t: Vec<f64> = (0..12).map(|i| 0.25 * f64::from(i)).collect();
    let y: Vec<f64> = t.iter().map(|t| 2.0 * (-1.5 * t).exp()).collect();
    let problem = LeastSquaresFn::new(2, 12, |p, r| {
        for i in 0..12 {
            r[i] = p[0] * (-p[1] * t[i]).exp() - y[i];
        }
    });
    let bounds = of(&[0.0, 0.0], &[10.0, 1.0]);
    let watched = InBox { problem: &problem, bounds: &bounds };
    let solver = BoundedLevenbergMarquardt::new(bounds.clone());
    let solution = minimize(&watched, solver, &[1.0, 0.5]).unwrap();
    assert!(solution.report.reason.is_success(), "{}", solution.report);
    let e: Vec<f64> = t.iter().map(|t| (-t).exp()).collect();
    let best =
        e.iter().zip(&y).map(|(e, y)| e * y).sum::<f64>() / e.iter().map(|e| e * e).sum::<f64>();
    assert_eq!(solution.theta[1], 1.0);
    assert!((solution.theta[0] - best).abs() < 1e-6, "{} {best}", solution.report);
    // Wide bounds change nothing.
    let wide = BoundedLevenbergMarquardt::new(of(&[0.0; 2], &[10.0; 2]));
    let solution = minimize(&problem, wide, &[1.0, 0.5]).unwrap();
    assert!(crate::common::distance(&solution.theta, &[2.0, 1.5]) < 1e-6, "{}", solution.report);
}

#[test]
fn mistakes_are_named() {
    let error = Bounds::new(vec![0.0, 2.0], vec![1.0, 1.0]).unwrap_err();
    assert_eq!(error, OptimError::Bounds { index: 1, lower: 2.0, upper: 1.0 });
    assert_eq!(error.to_string(), "the bounds of parameter 1 are 2 and 1: no number lies between");
    assert!(Bounds::new(vec![f64::NAN], vec![1.0]).is_err());
    assert!(Bounds::new(vec![f64::INFINITY], vec![f64::INFINITY]).is_err());
    assert!(Bounds::free(2).with(1..3, 0.0, 1.0).is_err());
    let error = Bounds::new(vec![0.0; 2], vec![1.0]).unwrap_err();
    assert_eq!(error, OptimError::BoundsLength { expected: 2, found: 1 });
    let bounds = Bounds::nonnegative(3);
    let expected = OptimError::BoundsLength { expected: 2, found: 3 };
    let start = [1.0; 2];
    assert_eq!(
        minimize(&rosenbrock(2), LbfgsB::new(bounds.clone()), &start).unwrap_err(),
        expected
    );
    assert_eq!(minimize(&rosenbrock(2), Tron::new(bounds), &start).unwrap_err(), expected);
    let start = [1.0; 3];
    let error = minimize(&rosenbrock(2), LbfgsB::default(), &start).unwrap_err();
    assert_eq!(error, OptimError::StartLength { expected: 2, found: 3 });
}
