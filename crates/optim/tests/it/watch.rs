//! Runs that are seen while they go on and ended from outside.

use crate::common::mgh::{At, PROBLEMS, Problem};
use faer::MatMut;
use secant_core::problem::{Curvature, LeastSquares, Linearization, Objective};
use secant_optim::{
    AdaGrad, Adam, AdaptiveCubic, Auto, Bfgs, BoundedLevenbergMarquardt, Bounds, Factorization,
    GaussNewton, GradientDescent, HessianKind, Interrupt, L1, Lbfgs, LbfgsB, LevenbergMarquardt,
    Method, Modification, Momentum, Newton, NewtonCg, NonlinearCg, OwlQn, Preconditioner,
    ProximalNewton, Reason, RegularizedNewton, SecondOrder, Sr1, Stopping, Subproblem, Tron,
    TrustRegion, Update, Validated, Watch,
};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What happens in the middle of an evaluation.
enum Event {
    Interrupt(Interrupt),
    /// The evaluation lasts until then.
    Until(Instant),
}

/// A problem in whose evaluation number `at` something happens; it counts those that begin later.
struct Eventful {
    problem: Problem,
    at: u64,
    event: Event,
    begun: AtomicU64,
}

impl Eventful {
    fn new(problem: Problem, at: u64, event: Event) -> Self {
        Self { problem, at, event, begun: AtomicU64::new(0) }
    }

    fn begin(&self) {
        if self.begun.fetch_add(1, Ordering::Relaxed) + 1 == self.at {
            match &self.event {
                Event::Interrupt(interrupt) => interrupt.set(),
                Event::Until(end) => {
                    while Instant::now() < *end {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                }
            }
        }
    }

    fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }
}

struct EventfulAt<'a>(&'a Eventful, At);

impl Objective for Eventful {
    fn dim(&self) -> usize {
        self.problem.dim()
    }
    fn value(&self, x: &[f64]) -> f64 {
        self.begin();
        self.problem.value(x)
    }
    fn value_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.begin();
        self.problem.value_gradient(x, gradient)
    }
}

impl Curvature for Eventful {
    type At<'a> = EventfulAt<'a>;
    fn linearize(&self, x: &[f64]) -> EventfulAt<'_> {
        self.begin();
        EventfulAt(self, self.problem.linearize(x))
    }
    fn as_least_squares(&self) -> Option<Box<dyn LeastSquares + '_>> {
        Some(Box::new(Residuals(self)))
    }
}

impl Linearization for EventfulAt<'_> {
    fn value(&self) -> f64 {
        self.1.value()
    }
    fn gradient(&self) -> &[f64] {
        self.1.gradient()
    }
    fn hessian_vector(&self, v: &[f64], out: &mut [f64]) {
        self.0.begin();
        self.1.hessian_vector(v, out);
    }
    fn gauss_newton_vector(&self, v: &[f64], out: &mut [f64]) {
        self.0.begin();
        self.1.gauss_newton_vector(v, out);
    }
    // The linearisation that it is of has begun already.
    fn hessian(&self, out: MatMut<'_, f64>) {
        self.1.hessian(out);
    }
    fn gauss_newton(&self, out: MatMut<'_, f64>) {
        self.1.gauss_newton(out);
    }
}

struct Residuals<'a>(&'a Eventful);

impl Objective for Residuals<'_> {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn value(&self, x: &[f64]) -> f64 {
        self.0.value(x)
    }
    fn value_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.0.value_gradient(x, gradient)
    }
}

impl LeastSquares for Residuals<'_> {
    fn residual_len(&self) -> usize {
        self.0.problem.residual_len()
    }
    fn residuals(&self, x: &[f64], residuals: &mut [f64]) -> f64 {
        self.0.begin();
        self.0.problem.residuals(x, residuals)
    }
    fn jacobian_vector(&self, x: &[f64], v: &[f64], out: &mut [f64]) {
        self.0.begin();
        self.0.problem.jacobian_vector(x, v, out);
    }
    fn jacobian_transpose_vector(&self, x: &[f64], u: &[f64], out: &mut [f64]) {
        self.0.begin();
        self.0.problem.jacobian_transpose_vector(x, u, out);
    }
    fn normal_equations(&self, x: &[f64], normal: MatMut<'_, f64>, gradient: &mut [f64]) -> f64 {
        self.0.begin();
        self.0.problem.normal_equations(x, normal, gradient)
    }
    fn jacobian(&self, x: &[f64], residuals: &mut [f64], jacobian: MatMut<'_, f64>) -> f64 {
        self.0.begin();
        self.0.problem.jacobian(x, residuals, jacobian)
    }
    fn normal_diagonal(&self, x: &[f64], out: &mut [f64]) {
        self.0.begin();
        self.0.problem.normal_diagonal(x, out);
    }
    fn linearization(&self, x: &[f64]) -> Option<Box<dyn Linearization + '_>> {
        self.0.begin();
        self.0.problem.linearization(x)
    }
}

/// Every method, and every option that makes evaluations of its own.
fn methods() -> Vec<Method> {
    let region = |kind| TrustRegion::default().with_subproblem(kind).into();
    let within = || Bounds::new(vec![-50.0; 4], vec![50.0; 4]).unwrap();
    let lm = LevenbergMarquardt::default;
    let cg = |preconditioner| NewtonCg::default().with_preconditioner(preconditioner);
    vec![
        Newton::default().into(),
        Newton::default().with_modification(Modification::TurnedSigns).into(),
        RegularizedNewton::default().into(),
        NewtonCg::default().into(),
        cg(Preconditioner::Jacobi).into(),
        cg(Preconditioner::Nystrom { rank: 2, refresh: 3 }).into(),
        cg(Preconditioner::Pairs { memory: 3 }).with_backtrack(true).with_warm_start(true).into(),
        region(Subproblem::Gltr),
        region(Subproblem::Steihaug),
        region(Subproblem::Exact),
        region(Subproblem::ScaledExact),
        region(Subproblem::Dogleg),
        TrustRegion::default().with_curvature(HessianKind::GaussNewton).into(),
        AdaptiveCubic::default().into(),
        Tron::new(within()).into(),
        Bfgs::default().into(),
        Bfgs::default().with_update(Update::SelfScaledBroyden).into(),
        Sr1::default().into(),
        Lbfgs::default().into(),
        LbfgsB::new(within()).into(),
        OwlQn::new(L1::new(1e-3)).into(),
        ProximalNewton::new(L1::new(1e-3)).into(),
        NonlinearCg::default().into(),
        GaussNewton::default().into(),
        lm().into(),
        lm().with_factorization(Factorization::Lsmr).into(),
        lm().with_factorization(Factorization::NormalEquations).into(),
        lm().with_second_order(SecondOrder::Exact).into(),
        BoundedLevenbergMarquardt::new(within()).into(),
        GradientDescent::default().into(),
        GradientDescent::fixed(1e-9).into(),
        Momentum::default().with_rate(1e-9).into(),
        AdaGrad::default().into(),
        Adam::default().into(),
        Auto::default().into(),
        Auto::default().with_bounds(within()).into(),
    ]
}

fn brown_dennis() -> Problem {
    *PROBLEMS.iter().find(|problem| problem.id == "brown_dennis").unwrap()
}

fn few(method: Method) -> Method {
    let stopping = Stopping { max_iterations: 25, ..method.stopping().clone() };
    method.with_stopping(stopping)
}

/// The evaluations at which to disturb a run of `all`: each of the first ones, then fewer.
fn moments(all: u64) -> impl Iterator<Item = u64> {
    (2..=all).filter(|at| *at <= 40 || at % 7 == 0)
}

#[test]
fn no_evaluation_begins_after_one_in_which_the_interrupt_was_set() {
    let problem = brown_dennis();
    for method in methods().into_iter().map(few) {
        let name = format!("{method:?}");
        let name = &name[..name.len().min(120)];
        let calm = Eventful::new(problem, 0, Event::Interrupt(Interrupt::new()));
        method.clone().minimize(&calm, &problem.start()).unwrap();
        // The start is always evaluated: something must come back.
        let begin = Eventful::new(problem, 0, Event::Interrupt(Interrupt::new()));
        let none = Stopping { max_iterations: 0, ..method.stopping().clone() };
        method.clone().with_stopping(none).minimize(&begin, &problem.start()).unwrap();
        let start = begin.begun();
        for at in moments(calm.begun()) {
            let interrupt = Interrupt::new();
            let disturbed = Eventful::new(problem, at, Event::Interrupt(interrupt.clone()));
            let mut watch = Watch::new().interrupt(interrupt);
            let run = method.clone().minimize_watched(&disturbed, &problem.start(), &mut watch);
            let solution = run.unwrap();
            let report = &solution.report;
            // In the last one: the run has ended anyway.
            let ended = at + 1 >= calm.begun();
            assert!(ended || report.reason == Reason::Interrupted, "{name}, {at}: {report}");
            assert_eq!(disturbed.begun(), at.max(start), "{name}: evaluations begun, set in {at}");
            let least = report.trace.iter().map(|entry| entry.value).fold(f64::INFINITY, f64::min);
            assert!(report.value <= least, "{name}, {at}: {} after {least}", report.value);
            if !matches!(method, Method::OwlQn(_) | Method::ProximalNewton(_)) {
                let f = problem.value(&solution.theta);
                assert!((f - report.value).abs() <= 1e-12 * f, "{name}, {at}: {f}");
            }
        }
    }
}

#[test]
fn no_evaluation_begins_after_the_time_is_used_up() {
    let problem = brown_dennis();
    let limit = Duration::from_millis(30);
    for method in methods() {
        let name = format!("{method:?}");
        let name = &name[..name.len().min(120)];
        let mut method = few(method);
        // Late enough for the start, early enough for every method.
        let at = 4;
        method.stopping_mut().max_time = Some(limit);
        let slow = Eventful::new(problem, at, Event::Until(Instant::now() + 2 * limit));
        let report = method.minimize(&slow, &problem.start()).unwrap().report;
        assert_eq!(report.reason, Reason::MaxTime, "{name}: {report}");
        assert!(slow.begun() <= at, "{name}: {} evaluations", slow.begun());
    }
}

#[test]
fn an_interrupt_that_is_set_already_costs_one_look_at_the_start() {
    let problem = brown_dennis();
    let interrupt = Interrupt::new();
    interrupt.set();
    for method in methods() {
        let mut watch = Watch::new().interrupt(interrupt.clone());
        let solution = method.minimize_watched(&problem, &problem.start(), &mut watch).unwrap();
        assert_eq!(solution.report.reason, Reason::Interrupted, "{}", solution.report);
        assert_eq!(solution.theta, problem.start());
    }
    interrupt.clear();
    let mut watch = Watch::new().interrupt(interrupt);
    let lm = Method::from(LevenbergMarquardt::default());
    let report = lm.minimize_watched(&problem, &problem.start(), &mut watch).unwrap().report;
    assert!(report.reason.is_success(), "{report}");
}

#[test]
fn an_observer_sees_the_trace_and_changes_nothing() {
    let problem = brown_dennis();
    for method in methods().into_iter().map(few) {
        let alone = method.clone().minimize(&problem, &problem.start()).unwrap();
        let mut seen = Vec::new();
        let mut watch = Watch::new().observe(|step| {
            seen.push((step.iteration, step.value, step.gradient_norm, step.evaluations));
            assert_eq!(step.theta.len(), problem.n);
            ControlFlow::Continue(())
        });
        let watched = method.minimize_watched(&problem, &problem.start(), &mut watch).unwrap();
        drop(watch);
        assert_eq!(watched.theta, alone.theta);
        let trace = &watched.report.trace;
        let entries = |at: &secant_optim::TraceEntry| (at.iteration, at.value, at.gradient_norm);
        let told: Vec<_> = trace.iter().map(entries).collect();
        let looked: Vec<_> = seen.iter().map(|at| (at.0, at.1, at.2)).collect();
        // A relay's stages begin where the one before ended: that point is seen twice.
        let repeated = |at: &(usize, &(u64, f64, f64))| at.0 > 0 && looked[at.0 - 1].0 == at.1.0;
        let once = looked.iter().enumerate().filter(|at| !repeated(at));
        let once: Vec<_> = once.map(|(_, at)| *at).collect();
        assert_eq!(once, told, "{}", watched.report);
    }
}

#[test]
fn a_break_ends_the_run_at_that_iteration() {
    let problem = brown_dennis();
    for method in methods().into_iter().map(few) {
        let until_three = |step: &secant_optim::Progress<'_>| {
            if step.iteration == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let mut watch = Watch::new().observe(until_three);
        let run = method.minimize_watched(&problem, &problem.start(), &mut watch);
        let report = run.unwrap().report;
        assert_eq!((report.reason, report.iterations), (Reason::Interrupted, 3), "{report}");
    }
}

#[test]
fn the_solution_is_the_best_on_the_samples_held_out_and_patience_ends_the_run() {
    let problem = brown_dennis();
    for method in methods().into_iter().map(few) {
        // The distance to the third iterate: falls up to there and rises from there.
        let mut third = Vec::new();
        let mut watch = Watch::new().observe(|step| {
            if step.iteration == 3 {
                third = step.theta.to_vec();
            }
            ControlFlow::Continue(())
        });
        let free = method.clone().minimize_watched(&problem, &problem.start(), &mut watch);
        let free = free.unwrap().report;
        drop(watch);
        if free.iterations < 6 {
            continue;
        }
        let mut looks = 0_u64;
        let mut watch = Watch::new().patience(2).validate(|theta| {
            looks += 1;
            let squares = theta.iter().zip(&third).map(|(t, s)| (t - s) * (t - s));
            Validated { loss: squares.sum(), accuracy: None }
        });
        let run = method.minimize_watched(&problem, &problem.start(), &mut watch).unwrap();
        drop(watch);
        let report = &run.report;
        assert_eq!(run.theta, third, "{report}");
        assert_eq!((report.reason, report.iterations), (Reason::ValidationStopped, 5), "{report}");
        let kept = report.validation.unwrap();
        assert_eq!((kept.loss, kept.iteration, kept.evaluations), (0.0, 3, looks));
        assert_eq!(report.best_iteration, 3);
        // The books are those of the point that is returned.
        let entry = report.trace.iter().find(|entry| entry.iteration == 3).unwrap();
        assert_eq!((report.value, report.gradient.max), (entry.value, entry.gradient_norm));
        assert_eq!(entry.validation.unwrap().loss, 0.0);
        assert!(!report.reason.is_success());
    }
}
