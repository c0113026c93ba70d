//! `Method::auto()`: what it picks and why, how it goes on where a method fails, what it refuses to allocate.

use crate::common::{Function, linear, quadratic, rosenbrock, rosenbrock_start, spd};
use faer::{Mat, MatMut};
use secant_core::problem::{
    Costs, Curvature, Form, LeastSquares, LinearBlock, Linearization, Objective, Structure,
};
use secant_optim::{
    Auto, Bounds, L1, LeastSquaresFn, LevenbergMarquardt, Method, OptimError, Reason, Solution,
    Stopping,
};
use std::cell::Cell;

/// Any function with a structure of its own; its second derivatives, or those of its residuals, may be broken.
struct Posing<'a, P> {
    inner: &'a P,
    structure: Structure,
    /// NaN in every Hessian.
    broken_hessian: bool,
    residuals: Option<&'a LeastSquaresFn<'a>>,
    dim: Option<usize>,
    evaluations: Cell<u64>,
}

impl<'a, P> Posing<'a, P> {
    fn as_(inner: &'a P, structure: Structure) -> Self {
        let evaluations = Cell::new(0);
        Self { inner, structure, broken_hessian: false, residuals: None, dim: None, evaluations }
    }
    fn with_broken_hessian(mut self) -> Self {
        self.broken_hessian = true;
        self
    }
}

struct PosingAt<L>(L, bool);

impl<P: Objective> Objective for Posing<'_, P> {
    fn dim(&self) -> usize {
        self.dim.unwrap_or(self.inner.dim())
    }
    fn value(&self, theta: &[f64]) -> f64 {
        self.evaluations.set(self.evaluations.get() + 1);
        self.inner.value(theta)
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.evaluations.set(self.evaluations.get() + 1);
        self.inner.value_gradient(theta, gradient)
    }
}

impl<P: Curvature> Curvature for Posing<'_, P> {
    type At<'b>
        = PosingAt<P::At<'b>>
    where
        Self: 'b;
    fn linearize(&self, theta: &[f64]) -> Self::At<'_> {
        self.evaluations.set(self.evaluations.get() + 1);
        PosingAt(self.inner.linearize(theta), self.broken_hessian)
    }
    fn as_least_squares(&self) -> Option<Box<dyn LeastSquares + '_>> {
        self.residuals.map(|residuals| Box::new(residuals) as Box<dyn LeastSquares + '_>)
    }
    fn structure(&self) -> Structure {
        self.structure
    }
}

impl<L: Linearization> Linearization for PosingAt<L> {
    fn value(&self) -> f64 {
        self.0.value()
    }
    fn gradient(&self) -> &[f64] {
        self.0.gradient()
    }
    fn hessian_vector(&self, v: &[f64], out: &mut [f64]) {
        self.0.hessian_vector(v, out);
    }
    fn gauss_newton_vector(&self, v: &[f64], out: &mut [f64]) {
        self.0.gauss_newton_vector(v, out);
    }
    fn hessian(&self, mut out: MatMut<'_, f64>) {
        if self.1 { out.fill(f64::NAN) } else { self.0.hessian(out) }
    }
    fn gauss_newton(&self, out: MatMut<'_, f64>) {
        self.hessian(out);
    }
}

fn bowl(n: usize) -> Function {
    let mut draws = crate::common::Draws(3);
    let matrix = spd(n, 50.0, &mut draws);
    quadratic(matrix, (0..n).map(|k| 1.0 + k as f64).collect(), 0.5)
}

fn structure(form: Form, evaluation: f64, n: usize) -> Structure {
    let costs = Some(Costs::of_evaluation(evaluation, n));
    Structure { form, costs, samples: Some(100), ..Structure::default() }
}

fn auto<P: Curvature>(problem: &P, start: &[f64]) -> Solution {
    Method::auto().minimize(problem, start).unwrap()
}

fn picked(solution: &Solution) -> &str {
    solution.report.solver.strip_prefix("Auto: ").unwrap()
}

/// Levenberg–Marquardt's own example: a decay through four points.
fn decay() -> LeastSquaresFn<'static> {
    let (t, y) = ([0.0, 1.0, 2.0, 3.0], [2.0, 1.2, 0.75, 0.42]);
    LeastSquaresFn::new(2, 4, move |theta, r| {
        for i in 0..4 {
            r[i] = theta[0] * f64::exp(-theta[1] * t[i]) - y[i];
        }
    })
    .with_jacobian(move |theta, mut j| {
        for i in 0..4 {
            let e = f64::exp(-theta[1] * t[i]);
            j[(i, 0)] = e;
            j[(i, 1)] = -theta[0] * t[i] * e;
        }
    })
}

#[test]
fn a_quadratic_is_solved_by_one_newton_step() {
    let n = 8;
    let inner = bowl(n);
    let problem = Posing::as_(&inner, structure(Form::Quadratic, 1e4, n));
    let solution = auto(&problem, &vec![5.0; n]);
    assert_eq!(picked(&solution), "Newton");
    assert_eq!(solution.report.iterations, 1);
    let note = &solution.report.notes[0];
    assert!(note.starts_with("Newton chosen") && note.contains("quadratic"), "{note}");
}

#[test]
fn residuals_of_a_formula_are_left_to_levenberg_marquardt() {
    let solution = auto(&decay(), &[1.0, 1.0]);
    assert_eq!(picked(&solution), "Levenberg–Marquardt");
    assert!(solution.report.reason.is_success(), "{}", solution.report);
}

#[test]
fn a_problem_that_says_nothing_is_still_minimised() {
    let solution = auto(&rosenbrock(2), &rosenbrock_start(2));
    assert!(solution.report.reason.is_success(), "{}", solution.report);
    assert!(crate::common::distance(&solution.theta, &[1.0, 1.0]) < 1e-6);
}

/// n large and a Hessian that costs n evaluations: no matrix.
#[test]
fn many_parameters_are_left_to_gradients() {
    let n = 5000;
    let inner = rosenbrock(n);
    let problem = Posing::as_(&inner, structure(Form::General, 1e7, n));
    let solution = auto(&problem, &rosenbrock_start(n));
    assert!(picked(&solution).starts_with("L-BFGS"), "{}", solution.report);
}

#[test]
fn bounds_hold_and_are_left_to_a_method_for_them() {
    let bounds = Bounds::free(2).with(0..1, -2.0, 0.5).unwrap();
    let method = Method::from(Auto::default().with_bounds(bounds.clone()));
    let solution = method.minimize(&rosenbrock(2), &rosenbrock_start(2)).unwrap();
    let name = picked(&solution);
    assert!(["TRON", "L-BFGS-B"].contains(&name), "{name}");
    assert!(bounds.contains(&solution.theta));
    // On the bound x = ½ the minimum of 100(y − ¼)² is y = ¼.
    assert!(crate::common::distance(&solution.theta, &[0.5, 0.25]) < 1e-6, "{:?}", solution.theta);

    let within = Auto::default().with_bounds(Bounds::free(2).with(0..1, 0.0, 1.0).unwrap());
    let solution = Method::from(within).minimize(&decay(), &[0.5, 1.0]).unwrap();
    assert_eq!(picked(&solution), "bounded Levenberg–Marquardt");
}

#[test]
fn bounds_that_bound_nothing_change_nothing() {
    let free = Method::from(Auto::default().with_bounds(Bounds::free(2)));
    let solution = free.minimize(&decay(), &[1.0, 1.0]).unwrap();
    assert_eq!(picked(&solution), "Levenberg–Marquardt");
}

#[test]
fn an_l1_penalty_is_left_to_a_method_for_it() {
    let n = 6;
    let inner = bowl(n);
    let problem = Posing::as_(&inner, structure(Form::Quadratic, 1e4, n));
    let method = Method::from(Auto::default().with_l1(L1::new(100.0)));
    let solution = method.minimize(&problem, &vec![1.0; n]).unwrap();
    assert_eq!(picked(&solution), "proximal Newton");
    assert_eq!(solution.theta, vec![0.0; n], "100 is beyond every |gradient| at zero");
}

#[test]
fn bounds_and_l1_together_are_refused() {
    let bounds = Bounds::nonnegative(2);
    let both = Auto::default().with_bounds(bounds).with_l1(L1::new(1.0));
    let refused = Method::from(both).minimize(&rosenbrock(2), &[0.0, 0.0]);
    assert_eq!(refused.unwrap_err(), OptimError::BoundsAndL1 { solver: "Auto" });
}

#[test]
fn bounds_of_another_length_and_bad_options_are_errors() {
    let auto = Auto::default().with_bounds(Bounds::nonnegative(3));
    let refused = Method::from(auto).minimize(&rosenbrock(2), &[0.0, 0.0]).unwrap_err();
    assert_eq!(refused, OptimError::BoundsLength { expected: 2, found: 3 });
    let auto = Auto::default().with_l1(L1::new(f64::NAN));
    let refused = Method::from(auto).minimize(&rosenbrock(2), &[0.0, 0.0]).unwrap_err();
    assert!(matches!(refused, OptimError::OptionOutOfRange { solver: "Auto", .. }), "{refused}");
    let stopping = Stopping { gradient_tolerance: 2.0, ..Stopping::default() };
    let auto = Auto::default().with_stopping(stopping);
    let refused = Method::from(auto).minimize(&rosenbrock(2), &[0.0, 0.0]).unwrap_err();
    assert!(matches!(refused, OptimError::OptionOutOfRange { solver: "Auto", .. }), "{refused}");
    let refused = Method::auto().minimize(&rosenbrock(2), &[0.0]).unwrap_err();
    assert_eq!(refused, OptimError::StartLength { expected: 2, found: 1 });
}

/// Newton → trust region: every Hessian is NaN, every product is right.
#[test]
fn a_hessian_of_nan_is_followed_by_the_trust_region() {
    let n = 8;
    let inner = bowl(n);
    let problem = Posing::as_(&inner, structure(Form::Quadratic, 1e4, n)).with_broken_hessian();
    let solution = auto(&problem, &vec![5.0; n]);
    assert_eq!(picked(&solution), "Newton, Trust region", "{}", solution.report);
    assert!(solution.report.reason.is_success());
    let hop = solution.report.notes.iter().find(|note| note.contains("goes on")).unwrap();
    assert!(hop.starts_with("Trust region") && hop.contains("the Hessian is not finite"), "{hop}");
    let truth = auto(&inner, &vec![5.0; n]);
    assert!(crate::common::distance(&solution.theta, &truth.theta) < 1e-6);
}

/// Residuals that lie about their Jacobian: Levenberg–Marquardt finds no step, the trust region goes on with f itself.
#[test]
fn residuals_that_mislead_are_followed_by_the_trust_region() {
    let lying = LeastSquaresFn::new(2, 2, |theta, r| {
        (r[0], r[1]) = (10.0 * (theta[1] - theta[0] * theta[0]), 1.0 - theta[0]);
    })
    .with_jacobian(|_, mut j| {
        j[(0, 0)] = -1.0;
        j[(0, 1)] = -1.0;
        j[(1, 0)] = 1.0;
        j[(1, 1)] = 3.0;
    });
    let truth = rosenbrock(2);
    let mut problem = Posing::as_(
        &truth,
        Structure {
            costs: Some(Costs {
                jacobian: 1.0,
                normal_equations: 1.0,
                ..Costs::of_evaluation(1e6, 2)
            }),
            ..Structure::default()
        },
    );
    problem.residuals = Some(&lying);
    let solution = auto(&problem, &rosenbrock_start(2));
    let name = picked(&solution);
    assert!(name.starts_with("Levenberg–Marquardt, Trust region"), "{}", solution.report);
    assert!(crate::common::distance(&solution.theta, &[1.0, 1.0]) < 1e-5, "{}", solution.report);
}

/// All that fails is tried, and the best point comes back with a reason.
#[test]
fn an_unbounded_function_ends_with_its_verdict() {
    let solution = auto(&linear(vec![1.0, -2.0, 3.0]), &[0.0; 3]);
    assert_eq!(solution.report.reason, Reason::Unbounded, "{}", solution.report);
}

#[test]
fn a_start_that_is_not_finite_is_no_reason_to_try_others() {
    let nan = Function::new(2, |_, _| f64::NAN, |_| Mat::zeros(2, 2));
    let solution = auto(&nan, &[0.0, 0.0]);
    assert_eq!(solution.report.reason, Reason::NonFiniteStart);
    assert!(!picked(&solution).contains(','), "{}", solution.report);
}

/// Gradients go first where Newton is dear, and has as many evaluations as Newton would cost.
#[test]
fn a_share_of_evaluations_is_kept_and_newton_goes_on() {
    let n = 60;
    let mut draws = crate::common::Draws(5);
    let inner = quadratic(spd(n, 1e10, &mut draws), vec![1.0; n], 0.0);
    let costs = Costs { hessian: 2e7, ..Costs::of_evaluation(1e6, n) };
    let known = Structure { costs: Some(costs), ..structure(Form::GeneralizedLinear, 1e6, n) };
    let solution = auto(&Posing::as_(&inner, known), &vec![1.0; n]);
    assert_eq!(picked(&solution), "self-scaled Broyden, Newton", "{}", solution.report);
    let note = &solution.report.notes[0];
    assert!(note.contains("evaluations, then the next"), "{note}");
    assert!(solution.report.reason.is_success());
}

/// A quarter of what Newton would cost: enough where f is well-conditioned, and Newton goes on from there where it is not.
#[test]
fn gradients_have_a_head_start_where_newton_is_dear() {
    let n = 60;
    let costs = Costs { hessian: 1.7e7, ..Costs::of_evaluation(1e6, n) };
    let picks = |form, condition: f64, costs| {
        let mut draws = crate::common::Draws(5);
        let inner = quadratic(spd(n, condition, &mut draws), vec![1.0; n], 0.0);
        let known = Structure { costs: Some(costs), ..structure(form, 1e6, n) };
        let solution = auto(&Posing::as_(&inner, known), &vec![1.0; n]);
        assert!(solution.report.reason.is_success(), "{}", solution.report);
        picked(&solution).to_owned()
    };
    let linear = Form::GeneralizedLinear;
    assert_eq!(picks(linear, 10.0, costs), "self-scaled Broyden");
    assert_eq!(picks(linear, 1e7, costs), "self-scaled Broyden, Newton");
    // One step is the solution of a quadratic; and a cheap Newton needs no help.
    assert_eq!(picks(Form::Quadratic, 10.0, Costs { hessian: 1e6, ..costs }), "Newton");
    assert_eq!(picks(linear, 10.0, Costs { hessian: 1e6, ..costs }), "Newton");
}

/// ½ Σ dₖxₖ² − Σ xₖ, in products alone.
struct Diagonal(Vec<f64>);

struct DiagonalAt<'a>(&'a [f64], f64, Vec<f64>);

impl Objective for Diagonal {
    fn dim(&self) -> usize {
        self.0.len()
    }
    fn value(&self, x: &[f64]) -> f64 {
        x.iter().zip(&self.0).map(|(x, d)| 0.5 * d * x * x - x).sum()
    }
    fn value_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        for ((g, x), d) in gradient.iter_mut().zip(x).zip(&self.0) {
            *g = d * x - 1.0;
        }
        self.value(x)
    }
}

impl Curvature for Diagonal {
    type At<'a> = DiagonalAt<'a>;
    fn linearize(&self, x: &[f64]) -> DiagonalAt<'_> {
        let mut gradient = vec![0.0; x.len()];
        let value = self.value_gradient(x, &mut gradient);
        DiagonalAt(&self.0, value, gradient)
    }
    fn structure(&self) -> Structure {
        let n = self.dim();
        // A trust region is expected to be the cheapest, L-BFGS, with 200 pairs, the cheapest of gradients.
        let costs = Costs { hessian_vector: 3.5e7, ..Costs::of_evaluation(1e8, n) };
        Structure { costs: Some(costs), ..structure(Form::GeneralizedLinear, 1e8, n) }
    }
}

impl Linearization for DiagonalAt<'_> {
    fn value(&self) -> f64 {
        self.1
    }
    fn gradient(&self) -> &[f64] {
        &self.2
    }
    fn hessian_vector(&self, v: &[f64], out: &mut [f64]) {
        for ((out, v), d) in out.iter_mut().zip(v).zip(self.0) {
            *out = d * v;
        }
    }
    fn gauss_newton_vector(&self, v: &[f64], out: &mut [f64]) {
        self.hessian_vector(v, out);
    }
}

/// The same before products, where L-BFGS can afford a pair of every step.
#[test]
fn pairs_of_every_step_have_a_head_start_before_products() {
    let n = 4000;
    let picks = |condition: f64| {
        let spread = |k: usize| condition.powf(k as f64 / (n - 1) as f64);
        let problem = Diagonal((0..n).map(spread).collect());
        let solution = auto(&problem, &vec![0.0; n]);
        assert!(solution.report.reason.is_success(), "{}", solution.report);
        for (x, d) in solution.theta.iter().zip(&problem.0) {
            assert!((x * d - 1.0).abs() < 1e-5, "{x} {d}");
        }
        picked(&solution).to_owned()
    };
    assert_eq!(picks(10.0), "L-BFGS");
    assert_eq!(picks(1e3), "L-BFGS, Trust region");
}

/// Iterations and evaluations are those of the whole, whoever used them.
#[test]
fn limits_are_shared_by_all_methods_that_run() {
    let n = 60;
    let mut draws = crate::common::Draws(5);
    let inner = quadratic(spd(n, 1e10, &mut draws), vec![1.0; n], 0.0);
    let costs = Costs { hessian: 2e7, ..Costs::of_evaluation(1e6, n) };
    let known = Structure { costs: Some(costs), ..structure(Form::GeneralizedLinear, 1e6, n) };
    let problem = Posing::as_(&inner, known).with_broken_hessian();
    let whole = auto(&problem, &vec![1.0; n]);
    assert!(
        picked(&whole).starts_with("self-scaled Broyden, Newton, Trust region"),
        "{}",
        whole.report
    );
    let report = &whole.report;
    assert_eq!(report.evaluations.of_f(), problem.evaluations.get(), "every evaluation is counted");
    let in_order = |pair: &[secant_optim::TraceEntry]| {
        pair[0].iteration < pair[1].iteration && pair[0].evaluations <= pair[1].evaluations
    };
    assert!(report.trace.windows(2).all(in_order), "one trace");
    assert_eq!(report.trace.last().unwrap().iteration, report.iterations);
    assert_eq!(report.trace.len() as u64, report.iterations + 1);

    for most in [1, 25, 80] {
        let stopping = Stopping { max_evaluations: Some(most), ..Stopping::default() };
        let problem = Posing::as_(&inner, known).with_broken_hessian();
        let auto = Method::auto().with_stopping(stopping);
        let report = auto.minimize(&problem, &vec![1.0; n]).unwrap().report;
        assert_eq!(report.reason, Reason::MaxEvaluations, "{report}");
        // The limit is tested after each iteration, which may take several.
        assert!(report.evaluations.of_f() <= most + 30, "{report}");
    }
    for most in [0, 3, report.iterations - 1] {
        let stopping = Stopping { max_iterations: most, ..Stopping::default() };
        let problem = Posing::as_(&inner, known).with_broken_hessian();
        let auto = Method::auto().with_stopping(stopping);
        let report = auto.minimize(&problem, &vec![1.0; n]).unwrap().report;
        assert_eq!((report.reason, report.iterations), (Reason::MaxIterations, most), "{report}");
    }
}

/// Where an evaluation costs more than a pass over 200 pairs, L-BFGS keeps a pair of every step; where these do not fit, it is left out.
#[test]
fn costly_evaluations_buy_pairs_of_every_step() {
    let n = 4000;
    let inner = rosenbrock(n);
    let problem = |evaluation: f64| {
        let structure = structure(Form::GeneralizedLinear, evaluation, n);
        Posing::as_(&inner, structure)
    };
    let pairs = |auto: &Auto, evaluation: f64| {
        let advice = auto.advise(&problem(evaluation)).unwrap();
        let pairs = advice.iter().find_map(|advice| match &advice.method {
            Method::Lbfgs(lbfgs) => Some(lbfgs.memory),
            _ => None,
        });
        (advice[0].method.name(), pairs.unwrap())
    };
    let auto = Auto::default();
    let few = secant_optim::solver::Lbfgs::default().memory;
    assert_eq!(pairs(&auto, 1e8), ("L-BFGS", 200));
    assert_eq!(pairs(&auto, 1e5).1, few);
    let between = pairs(&auto, 3e6).1;
    assert!(few < between && between < 200, "{between}");
    // 200 pairs take 13 MB.
    let stopping = Stopping { max_iterations: 3, ..Stopping::default() };
    let run = |limit: u64| {
        let auto = Auto::default().with_memory_limit(limit).with_stopping(stopping.clone());
        Method::from(auto).minimize(&problem(1e8), &rosenbrock_start(n)).unwrap().report
    };
    assert!(run(20 << 20).notes.iter().any(|note| note.starts_with("L-BFGS chosen")));
    let tight = run(10 << 20);
    assert!(tight.notes.iter().any(|note| note.starts_with("L-BFGS left out")), "{tight}");
}

/// What does not fit is left out, with its bytes in the notes; the minimum is the same.
#[test]
fn what_does_not_fit_into_memory_is_left_out() {
    let n = 40;
    let inner = bowl(n);
    let problem = Posing::as_(&inner, structure(Form::Quadratic, 1e4, n));
    let auto = Auto::default().with_memory_limit(20_000);
    let solution = Method::from(auto).minimize(&problem, &vec![1.0; n]).unwrap();
    assert!(!picked(&solution).contains("Newton,") && picked(&solution) != "Newton");
    let note = solution.report.notes.iter().find(|note| note.contains("left out")).unwrap();
    assert!(note.starts_with("Newton left out: it needs") && note.contains("19.5 KiB"), "{note}");
    assert!(solution.report.reason.is_success());
}

#[test]
fn the_first_advice_is_what_auto_runs() {
    let n = 6;
    let inner = bowl(n);
    for form in [Form::Quadratic, Form::GeneralizedLinear, Form::General] {
        for evaluation in [1e3, 1e6, 1e9] {
            let problem = Posing::as_(&inner, structure(form, evaluation, n));
            let advice = Method::advise(&problem).unwrap();
            let solution = auto(&problem, &vec![3.0; n]);
            let first = advice[0].method.name();
            let note = &solution.report.notes[0];
            assert!(note.starts_with(&format!("{first} chosen")), "{note}; advised {first}");
            assert!(advice.iter().all(|a| a.memory > 0 && a.seconds_per_iteration > 0.0));
            let table = advice.to_string();
            assert!(table.contains(first) && table.lines().count() == advice.len() + 2, "{table}");
        }
    }
}

#[test]
fn advice_knows_bounds_l1_and_memory() {
    let problem = rosenbrock(2);
    let names = |auto: Auto| -> Vec<&'static str> {
        auto.advise(&problem).unwrap().iter().map(|advice| advice.method.name()).collect()
    };
    let mut bounded = names(Auto::default().with_bounds(Bounds::nonnegative(2)));
    bounded.sort_unstable();
    assert_eq!(bounded, ["L-BFGS-B", "TRON"]);
    let mut sparse = names(Auto::default().with_l1(L1::new(0.1)));
    sparse.sort_unstable();
    assert_eq!(sparse, ["OWL-QN", "proximal Newton"]);
    let ranking = Auto::default().with_memory_limit(1).advise(&problem).unwrap();
    assert!(ranking.iter().all(|advice| !advice.fits));
    assert!(ranking.to_string().contains("does not fit"), "{ranking}");
}

/// H = JᵀJ + Σ rᵢ∇²rᵢ written out for the decay; differences of the gradient agree to their ten digits.
#[test]
fn second_derivatives_of_a_formula_agree_with_those_written_out() {
    let (t, y, theta) = ([0.0, 1.0, 2.0, 3.0], [2.0, 1.2, 0.75, 0.42], [1.3, 0.7]);
    let (mut exact, mut normal) = ([[0.0; 2]; 2], [[0.0; 2]; 2]);
    for (t, y) in t.iter().zip(y) {
        let e = f64::exp(-theta[1] * t);
        let (r, j) = (theta[0] * e - y, [e, -theta[0] * t * e]);
        let second = [[0.0, -t * e], [-t * e, theta[0] * t * t * e]];
        for a in 0..2 {
            for b in 0..2 {
                normal[a][b] += j[a] * j[b];
                exact[a][b] += j[a] * j[b] + r * second[a][b];
            }
        }
    }
    let problem = decay();
    let at = problem.linearize(&theta);
    let (mut h, mut g) = (Mat::zeros(2, 2), Mat::zeros(2, 2));
    at.hessian(h.as_mut());
    at.gauss_newton(g.as_mut());
    let v = [0.3, -2.0];
    let (mut hv, mut gv) = ([0.0; 2], [0.0; 2]);
    at.hessian_vector(&v, &mut hv);
    at.gauss_newton_vector(&v, &mut gv);
    for a in 0..2 {
        for b in 0..2 {
            assert!((h[(a, b)] - exact[a][b]).abs() < 1e-8, "{} {}", h[(a, b)], exact[a][b]);
            assert!((g[(a, b)] - normal[a][b]).abs() < 1e-14);
        }
        assert!((hv[a] - exact[a][0] * v[0] - exact[a][1] * v[1]).abs() < 1e-8);
        assert!((gv[a] - normal[a][0] * v[0] - normal[a][1] * v[1]).abs() < 1e-13);
    }
    at.hessian_vector(&[0.0, 0.0], &mut hv);
    assert_eq!(hv, [0.0, 0.0]);
}

/// A spectrum of lines with one width and one shift, θ = (width, shift, heights), linear in the heights: m points with noise.
/// The derivatives by width and shift are multiplied by `sign`.
fn spectrum(peaks: usize, m: u32, sign: f64) -> LeastSquaresFn<'static> {
    let line = |t: f64, k: usize, width: f64, shift: f64| {
        let u = (t - k as f64 - shift) / width;
        (f64::exp(-0.5 * u * u), u)
    };
    let mut draws = crate::common::Draws(11);
    let times: Vec<f64> =
        (0..m).map(|i| -2.0 + (peaks as f64 + 3.0) / f64::from(m) * f64::from(i)).collect();
    let seen = |t: &f64| {
        let lines = (0..peaks).map(|k| (1.0 + (k * 7 % 5) as f64) * line(*t, k, 0.6, 0.2).0);
        lines.sum::<f64>() + 0.05 * draws.next()
    };
    let y: Vec<f64> = times.iter().map(seen).collect();
    let t = times.clone();
    LeastSquaresFn::new(2 + peaks, times.len(), move |b, r| {
        for ((r, t), y) in r.iter_mut().zip(&t).zip(&y) {
            *r = (0..peaks).map(|k| b[2 + k] * line(*t, k, b[0], b[1]).0).sum::<f64>() - y;
        }
    })
    .with_jacobian(move |b, mut j| {
        for (i, t) in times.iter().enumerate() {
            (j[(i, 0)], j[(i, 1)]) = (0.0, 0.0);
            for k in 0..peaks {
                let (e, u) = line(*t, k, b[0], b[1]);
                j[(i, 2 + k)] = e;
                j[(i, 0)] += sign * b[2 + k] * e * u * u / b[0];
                j[(i, 1)] += sign * b[2 + k] * e * u / b[0];
            }
        }
    })
    .with_linear(2..2 + peaks)
}

const PEAKS: usize = 12;
const POINTS: u32 = 300;
const PROJECTION: &str = "variable projection";

fn spectrum_start() -> Vec<f64> {
    let mut start = vec![0.0; 2 + PEAKS];
    start[0] = 0.5;
    start
}

/// What Levenberg–Marquardt finds.
fn spectrum_minimum() -> Vec<f64> {
    let mut start = spectrum_start();
    start[2..].fill(1.0);
    let plain = Method::from(LevenbergMarquardt::default());
    let solution = plain.minimize(&spectrum(PEAKS, POINTS, 1.0), &start).unwrap();
    assert!(solution.report.reason.is_success(), "{}", solution.report);
    solution.theta
}

fn advised<P: Curvature>(auto: &Auto, problem: &P) -> Vec<&'static str> {
    auto.advise(problem).unwrap().iter().map(|advice| advice.method.name()).collect()
}

/// f and its gradients are dear, the linear columns cheap: twelve right-hand sides of one design of one column.
fn known_to_be_linear() -> Structure {
    let (n, m) = (2 + PEAKS, POINTS as usize);
    let costs = Costs { jacobian: 1.0, normal_equations: 1.0, ..Costs::of_evaluation(3e5, n) };
    let linear = LinearBlock { parameters: PEAKS, rows: m / PEAKS, columns: 1 };
    let costs = Some(costs);
    Structure { costs, residuals: Some(m), linear: Some(linear), ..Structure::default() }
}

#[test]
fn linear_parameters_make_variable_projection_a_candidate() {
    let problem = spectrum(PEAKS, POINTS, 1.0);
    let advice = Method::advise(&problem).unwrap();
    let found = advice.iter().find(|advice| advice.method.name() == PROJECTION).unwrap();
    assert!(found.reason.contains("some parameters linear"), "{}", found.reason);
    assert!(found.memory >= 8 * 4 * 300 * 14 && found.iterations > 1.0, "{found:?}");
    let solution = found.method.clone().minimize(&problem, &spectrum_start()).unwrap();
    let apart = crate::common::distance(&solution.theta, &spectrum_minimum());
    assert!(apart < 1e-7, "{apart:e} {}", solution.report);
    let limited = Auto::default().with_memory_limit(1).advise(&problem).unwrap();
    assert!(limited.iter().all(|advice| !advice.fits));
}

#[test]
fn variable_projection_is_not_offered_where_it_would_solve_another_problem() {
    let problem = spectrum(PEAKS, POINTS, 1.0);
    let n = problem.dim();
    assert!(advised(&Auto::default(), &problem).contains(&PROJECTION));
    let bounded = Auto::default().with_bounds(Bounds::nonnegative(n));
    assert!(!advised(&bounded, &problem).contains(&PROJECTION));
    let sparse = Auto::default().with_l1(L1::new(0.1));
    assert!(!advised(&sparse, &problem).contains(&PROJECTION));
    // Nothing is known to be linear, or all of it is said to be.
    assert!(!advised(&Auto::default(), &decay()).contains(&PROJECTION));
    let all = decay().with_linear(0..2);
    assert!(!advised(&Auto::default(), &all).contains(&PROJECTION));
}

#[test]
fn a_cheap_linear_block_is_left_to_variable_projection() {
    let inner = spectrum(PEAKS, POINTS, 1.0);
    let mut problem = Posing::as_(&inner, known_to_be_linear());
    problem.residuals = Some(&inner);
    let solution = auto(&problem, &spectrum_start());
    assert_eq!(picked(&solution), PROJECTION, "{}", solution.report);
    let note = &solution.report.notes[0];
    assert!(note.starts_with("variable projection chosen: a sum of squares, some"), "{note}");
    let apart = crate::common::distance(&solution.theta, &spectrum_minimum());
    assert!(apart < 1e-7, "{apart:e} {}", solution.report);
}

/// Variable projection → trust region: the derivatives by the other parameters have the wrong sign, the linear ones are solved for.
#[test]
fn variable_projection_that_fails_is_followed_from_all_of_its_parameters() {
    let (inner, lying) = (spectrum(PEAKS, POINTS, 1.0), spectrum(PEAKS, POINTS, -1.0));
    let mut problem = Posing::as_(&inner, known_to_be_linear());
    problem.residuals = Some(&lying);
    let solution = auto(&problem, &spectrum_start());
    let report = &solution.report;
    assert!(picked(&solution).starts_with("variable projection, Trust region"), "{report}");
    assert!(report.reason.is_success(), "{report}");
    // The heights were solved for before the hop: f falls from there only.
    let hop = report.notes.iter().find(|note| note.contains("goes on from f = ")).unwrap();
    let from = hop.split("f = ").nth(1).unwrap().split(' ').next().unwrap();
    let from: f64 = from.parse().unwrap();
    let without = inner.value(&spectrum_start());
    assert!(report.value <= from && from < 0.2 * without, "{hop}, {without}");
    let apart = crate::common::distance(&solution.theta, &spectrum_minimum());
    assert!(apart < 1e-5, "{apart:e} {report}");
}
