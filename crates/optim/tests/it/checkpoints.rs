//! Checkpoints: a run that is taken up is the run that was never left, bit for bit, whatever the method keeps between iterations; and a
//! file that is not of the run, or is damaged, is told.

use crate::common::mgh;
use crate::common::{Draws, Function, logistic, rosenbrock, rosenbrock_start};
use argmin::core::{Executor, State};
use secant_core::problem::{Costs, Curvature, Form, Objective, SampledObjective, Structure};
use secant_optim::checkpoint::{CheckpointFile, Contents, Every, Fingerprint, previous};
use secant_optim::line_search::{Backtracking, HagerZhang, LineSearch};
use secant_optim::{
    AdaGrad, Adadelta, Adam, AdamW, AdaptiveCubic, Auto, Bfgs, BoundedLevenbergMarquardt, Bounds,
    CheckpointError, Factorization, FitState, GaussNewton, GradientDescent, HessianKind, Iterates,
    L1, Lbfgs, LbfgsB, LeastSquaresFn, LevenbergMarquardt, Method, Minibatches, Modification,
    Momentum, Nesterov, Newton, NewtonCg, NonlinearCg, OptimError, OwlQn, Preconditioner,
    ProximalNewton, Reason, RegularizedNewton, Report, RmsProp, RunOptions, Safeguard, Sampling,
    Scaling, Schedule, SecondOrder, Solution, Sr1, Stopping, Subproblem, Tron, TrustRegion, Update,
    VariableProjection, Watch,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("secant-checkpoints-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    fn file(&self) -> PathBuf {
        self.0.join("run")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// All of a report but times and what is said of checkpoints, and θ, as bits.
fn bits(solution: &Solution) -> (Vec<u64>, Report) {
    let mut report = solution.report.clone();
    report.seconds = 0.0;
    report.trace.iter_mut().for_each(|entry| entry.seconds = 0.0);
    report.notes.retain(|note| !note.starts_with("taken up after"));
    (solution.theta.iter().map(|t| t.to_bits()).collect(), report)
}

fn assert_same(name: &str, found: &Solution, expected: &Solution) {
    let ((theta, report), (expected_theta, expected_report)) = (bits(found), bits(expected));
    assert_eq!(theta, expected_theta, "{name}: θ");
    for (entry, expected) in report.trace.iter().zip(&expected_report.trace) {
        assert_eq!(entry, expected, "{name}: trace");
    }
    assert_eq!(report, expected_report, "{name}");
}

fn within(most: u64) -> Stopping {
    Stopping { max_iterations: most, gradient_tolerance: 1e-13, ..Stopping::default() }
}

/// The first `most` iterations, with a checkpoint after every `every`th.
fn begin<P: Curvature>(
    method: &Method,
    problem: &P,
    start: &[f64],
    (most, every): (u64, u64),
    path: &Path,
) {
    let options = RunOptions::default().with_checkpoint(path, Every::Iterations(every));
    limited(method, most).minimize_with(problem, start, &options, &mut Watch::new()).unwrap();
}

fn limited(method: &Method, most: u64) -> Method {
    let mut method = method.clone();
    method.stopping_mut().max_iterations = most;
    method
}

fn resume<P: Curvature>(
    method: &Method,
    problem: &P,
    start: &[f64],
    path: &Path,
) -> Result<Solution, OptimError> {
    let options = RunOptions::default().with_resume(path);
    method
        .clone()
        .minimize_with(problem, start, &options, &mut Watch::new())
        .map(|(solution, _)| solution)
}

/// Stops at several iterations, by the limit and in the middle, and goes on from there. Returns the undisturbed run.
fn check<P: Curvature>(
    name: &str,
    method: impl Into<Method>,
    problem: &P,
    start: &[f64],
) -> Solution {
    let mut method = method.into();
    *method.stopping_mut() = within(60);
    let whole = method.clone().minimize(problem, start).unwrap();
    let steps = whole.report.iterations;
    assert!(steps >= 3, "{name}: {steps} step(s) leave nothing to take up");
    let folder = Folder::new();
    let path = folder.file();
    for stop in [1, 2, 3, steps / 3, steps / 2, steps - 1, steps] {
        if stop == 0 {
            continue;
        }
        // Ended by the limit, and taken up with a higher one.
        begin(&method, problem, start, (stop, stop), &path);
        let resumed = resume(&method, problem, start, &path).unwrap();
        assert_same(&format!("{name}, ended after {stop}"), &resumed, &whole);
        // Left between two iterations.
        if stop > 1 {
            begin(&method, problem, start, (2 * stop - 1, stop), &path);
            let resumed = resume(&method, problem, start, &previous(&path)).unwrap();
            assert_same(&format!("{name}, left after {stop}"), &resumed, &whole);
        }
    }
    whole
}

fn valley() -> (Function, Vec<f64>) {
    (rosenbrock(6), rosenbrock_start(6))
}

fn classes() -> (Function, Vec<f64>) {
    (logistic(40, 5, 1e-3, 30.0, &mut Draws(5)), vec![0.0; 5])
}

fn residuals(id: &str) -> (mgh::Problem, Vec<f64>) {
    let problem = mgh::Problem::named(id).unwrap();
    let start = problem.start();
    (problem, start)
}

#[test]
fn newton_and_its_modifications_go_on_bit_for_bit() {
    let (valley, start) = valley();
    let (wood, at) = residuals("wood");
    for modification in [Modification::Shift, Modification::TurnedSigns] {
        let newton = Newton::default().with_modification(modification);
        check(&format!("Newton {modification:?}"), newton.clone(), &valley, &start);
        check(&format!("Newton {modification:?} on Wood"), newton, &wood, &at);
    }
    check("Newton by G", Newton::default().with_curvature(HessianKind::GaussNewton), &wood, &at);
    check("regularised Newton", RegularizedNewton::default(), &valley, &start);
    let (classes, origin) = classes();
    check("regularised Newton, convex", RegularizedNewton::default(), &classes, &origin);
}

#[test]
fn truncated_newton_with_every_preconditioner_goes_on_bit_for_bit() {
    let (valley, start) = valley();
    let preconditioners = [
        Preconditioner::Nothing,
        Preconditioner::Jacobi,
        Preconditioner::Pairs { memory: 3 },
        Preconditioner::Nystrom { rank: 3, refresh: 2 },
    ];
    for preconditioner in preconditioners {
        let plain = NewtonCg::default().with_preconditioner(preconditioner);
        check(&format!("{preconditioner:?}"), plain.clone(), &valley, &start);
        let full = plain.with_cost_ratio(2.0).with_warm_start(true).with_backtrack(true);
        let full = full.with_progress(true);
        check(&format!("{preconditioner:?} with all options"), full, &valley, &start);
    }
}

#[test]
fn regions_with_every_subproblem_go_on_bit_for_bit() {
    let (valley, start) = valley();
    let (wood, at) = residuals("wood");
    let subproblems = [
        Subproblem::Gltr,
        Subproblem::Steihaug,
        Subproblem::Exact,
        Subproblem::ScaledExact,
        Subproblem::Dogleg,
    ];
    for subproblem in subproblems {
        let solver = TrustRegion::default().with_subproblem(subproblem);
        check(&format!("{subproblem:?}"), solver.clone(), &valley, &start);
        check(&format!("{subproblem:?} looking back"), solver.with_history(4), &wood, &at);
    }
    check("adaptive cubic", AdaptiveCubic::default(), &valley, &start);
    check("adaptive cubic on Wood", AdaptiveCubic::default(), &wood, &at);
}

#[test]
fn quasi_newton_methods_go_on_bit_for_bit() {
    let (valley, start) = valley();
    let (wood, at) = residuals("wood");
    for update in [Update::Bfgs, Update::Dfp, Update::SelfScaledBfgs, Update::SelfScaledBroyden] {
        check(&format!("{update:?}"), Bfgs::default().with_update(update), &valley, &start);
    }
    let searches =
        [LineSearch::from(HagerZhang::default()), LineSearch::from(Backtracking::default())];
    for safeguard in [Safeguard::Curvature, Safeguard::Damped, Safeguard::Cautious] {
        let bfgs = Bfgs::default().with_safeguard(safeguard);
        check(&format!("BFGS {safeguard:?}"), bfgs, &wood, &at);
        let lbfgs = Lbfgs::default().with_safeguard(safeguard).with_memory(4);
        check(&format!("L-BFGS {safeguard:?}"), lbfgs.clone(), &wood, &at);
        for search in searches {
            check(
                &format!("L-BFGS {search:?}"),
                lbfgs.clone().with_search(search),
                &valley,
                &start,
            );
        }
    }
    check("SR1", Sr1::default(), &valley, &start);
    check("SR1 on Wood", Sr1::default(), &wood, &at);
    check("nonlinear CG", NonlinearCg::default(), &valley, &start);
}

#[test]
fn room_for_pairs_is_not_cut_by_a_limit_that_is_raised() {
    let (valley, start) = valley();
    // Ten pairs from the eleventh step on, though the first part of the run has one step.
    check("L-BFGS with 10 pairs", Lbfgs::default().with_memory(10), &valley, &start);
    let l1 = L1::new(1e-3);
    check("OWL-QN with 10 pairs", OwlQn::new(l1).with_memory(10), &valley, &start);
}

#[test]
fn least_squares_methods_in_every_form_go_on_bit_for_bit() {
    let (osborne, start) = residuals("osborne1");
    let (valley, at) = residuals("ext_rosenbrock_10");
    let forms = [
        Factorization::Qr,
        Factorization::NormalEquations,
        Factorization::Dual,
        Factorization::Lsmr,
    ];
    for form in forms {
        let lm = LevenbergMarquardt::default().with_factorization(form);
        check(&format!("LM {form:?}"), lm.clone(), &valley, &at);
        if form != Factorization::Dual {
            check(&format!("LM {form:?} on Osborne 1"), lm, &osborne, &start);
        }
        let gn = GaussNewton { factorization: form, ..GaussNewton::default() };
        check(&format!("GN {form:?}"), gn, &valley, &at);
    }
    for scaling in [Scaling::Marquardt, Scaling::Identity] {
        let lm = LevenbergMarquardt::default().with_scaling(scaling);
        check(&format!("LM {scaling:?}"), lm, &osborne, &start);
    }
    let (large, far) = residuals("brown_dennis");
    for second in [SecondOrder::Structured, SecondOrder::Exact] {
        let lm = LevenbergMarquardt::default().with_second_order(second);
        check(&format!("LM {second:?}"), lm, &large, &far);
    }
}

/// θ₀ + θ₁e^(−θ₃t) + θ₂e^(−θ₄t) through Osborne's 33 points: linear in the first three.
fn osborne() -> LeastSquaresFn<'static> {
    let y = |i: u32| {
        let t = 10.0 * f64::from(i);
        0.375 + 1.936 * (-0.01287 * t).exp() - 1.465 * (-0.02212 * t).exp()
            + 1e-3 * f64::from(i * i % 7)
    };
    LeastSquaresFn::new(5, 33, move |theta, r| {
        for (i, r) in (0..).zip(r) {
            let t = 10.0 * f64::from(i);
            let (a, b) = ((-theta[3] * t).exp(), (-theta[4] * t).exp());
            *r = theta[0] + theta[1] * a + theta[2] * b - y(i);
        }
    })
    .with_linear(0..3)
}

#[test]
fn variable_projection_goes_on_bit_for_bit() {
    let osborne = osborne();
    for ridge in [0.0, 1e-3] {
        let solver = VariableProjection::default().with_ridge(ridge);
        let start = [0.5, 1.5, -1.0, 0.05, 0.06];
        check(&format!("ridge {ridge}"), solver, &osborne, &start);
    }
    // Derivatives of values: they keep nothing between points.
    let start = [0.5, 1.5, -1.0, 0.01, 0.02];
    check("LM by differences", LevenbergMarquardt::default(), &osborne, &start);
}

#[test]
fn methods_for_bounds_and_l1_go_on_bit_for_bit() {
    let (valley, start) = valley();
    let (classes, origin) = classes();
    let (wood, at) = residuals("wood");
    let bounds = Bounds::new(vec![-1.5; 6], vec![0.9; 6]).unwrap();
    check("L-BFGS-B", LbfgsB::new(bounds.clone()), &valley, &start);
    check("L-BFGS-B, one pair", LbfgsB::new(bounds.clone()).with_memory(1), &valley, &start);
    check("TRON", Tron::new(bounds), &valley, &start);
    let bounds = Bounds::new(vec![-4.0; 4], vec![0.9; 4]).unwrap();
    check("bounded LM", BoundedLevenbergMarquardt::new(bounds), &wood, &at);
    check("OWL-QN", OwlQn::new(L1::new(1e-2)), &classes, &origin);
    check("proximal Newton", ProximalNewton::new(L1::new(1e-3)), &classes, &origin);
}

#[test]
fn first_order_methods_go_on_bit_for_bit() {
    let (classes, origin) = classes();
    let schedule = Schedule::inverse_time(0.1);
    check("gradient descent by search", GradientDescent::default(), &classes, &origin);
    check("fixed steps", GradientDescent::fixed(0.01), &classes, &origin);
    check("momentum", Momentum::default().with_rate(0.01), &classes, &origin);
    check("Nesterov", Nesterov::default().with_rate(0.01), &classes, &origin);
    check("AdaGrad", AdaGrad::default(), &classes, &origin);
    check("RMSProp", RmsProp::default(), &classes, &origin);
    check("Adadelta", Adadelta::default(), &classes, &origin);
    check("Adam", Adam::default().with_schedule(schedule), &classes, &origin);
    check("AdamW", AdamW::default(), &classes, &origin);
}

/// A function that says it is a generalised linear model whose Hessians are dear, so that a method of gradients goes first.
struct Dear(Function);

impl Objective for Dear {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn value(&self, theta: &[f64]) -> f64 {
        self.0.value(theta)
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.0.value_gradient(theta, gradient)
    }
}

impl Curvature for Dear {
    type At<'a> = crate::common::At;
    fn linearize(&self, theta: &[f64]) -> Self::At<'_> {
        self.0.linearize(theta)
    }
    fn structure(&self) -> Structure {
        let costs = Costs { hessian: 1.6e10, ..Costs::of_evaluation(1e9, 12) };
        let form = Form::GeneralizedLinear;
        Structure { form, costs: Some(costs), samples: Some(100), ..Structure::default() }
    }
}

#[test]
fn a_relay_goes_on_in_whatever_stage_it_was_left() {
    let (valley, start) = valley();
    check("Auto", Auto::default(), &valley, &start);
    let (osborne, at) = residuals("osborne1");
    check("Auto on residuals", Auto::default(), &osborne, &at);
    let dear = Dear(logistic(200, 8, 1e-9, 1e6, &mut Draws(11)));
    let whole = check("a relay", Auto::default(), &dear, &[0.0; 8]);
    let hops = whole.report.notes.iter().filter(|note| note.contains("goes on from")).count();
    assert!(hops > 0, "one stage did it all: {:?}", whole.report.notes);
}

#[test]
fn iterates_that_are_kept_are_those_of_the_whole_run() {
    let (valley, start) = valley();
    let folder = Folder::new();
    let recorded = |most, options: RunOptions| {
        let method = limited(&Lbfgs::default().into(), most);
        method
            .minimize_with(&valley, &start, &options.with_recorded(true), &mut Watch::new())
            .unwrap()
            .1
    };
    let whole: Iterates = recorded(40, RunOptions::default());
    let to = RunOptions::default().with_checkpoint(folder.file(), Every::Iterations(100));
    recorded(13, to);
    assert_eq!(recorded(40, RunOptions::default().with_resume(folder.file())), whole);
    assert_eq!(whole.points().len(), 41.min(whole.points().len()));

    // One that kept none has none to give.
    let method = limited(&Lbfgs::default().into(), 13);
    let to = RunOptions::default().with_checkpoint(folder.file(), Every::Iterations(100));
    method.clone().minimize_with(&valley, &start, &to, &mut Watch::new()).unwrap();
    let from = RunOptions::default().with_resume(folder.file()).with_recorded(true);
    let error =
        method.minimize_with(&valley, &start, &from, &mut Watch::new()).unwrap_err().to_string();
    assert!(
        error.ends_with("the checkpoint did not keep the iterates, which are asked for"),
        "{error}"
    );
}

/// f(θ) = mean over i of ½‖θ − yᵢ‖² with a bend.
struct Cloud(Vec<[f64; 3]>);

impl Cloud {
    fn new(samples: usize) -> Self {
        let mut draws = Draws(9);
        Self((0..samples).map(|_| [draws.next(), draws.next(), draws.next()]).collect())
    }
}

impl SampledObjective for Cloud {
    fn parameters(&self) -> usize {
        3
    }
    fn samples(&self) -> usize {
        self.0.len()
    }
    fn value_gradient_on(&self, indices: &[usize], theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.value_gradient_drawn(0, indices, theta, gradient)
    }
    fn value_gradient_drawn(
        &self,
        draw: u64,
        indices: &[usize],
        theta: &[f64],
        gradient: &mut [f64],
    ) -> f64 {
        gradient.fill(0.0);
        let share = 1.0 / indices.len() as f64;
        let mut value = 0.0;
        for &index in indices {
            for k in 0..3 {
                let noise = if draw == 0 { 0.0 } else { 1e-2 * (draw as f64 + k as f64).sin() };
                let error = theta[k] - self.0[index][k] + noise;
                gradient[k] += share * (error + error.powi(3));
                value += share * (0.5 * error * error + 0.25 * error.powi(4));
            }
        }
        value
    }
}

#[test]
fn runs_on_minibatches_go_on_bit_for_bit() {
    let cloud = Cloud::new(23);
    let start = [3.0, -2.0, 1.0];
    let methods: [Method; 9] = [
        GradientDescent::fixed(0.05).into(),
        GradientDescent::fixed(0.1).with_schedule(Schedule::inverse_time(0.1)).into(),
        Momentum::default().with_rate(0.01).into(),
        Nesterov::default().with_rate(0.01).into(),
        AdaGrad::default().into(),
        RmsProp::default().into(),
        Adadelta::default().into(),
        Adam::default().with_rate(0.05).into(),
        AdamW::default().with_rate(0.05).into(),
    ];
    let folder = Folder::new();
    let path = folder.file();
    let samplings = [Sampling::Shuffled, Sampling::WithReplacement, Sampling::InOrder];
    for (number, method) in methods.iter().enumerate() {
        let sampling = samplings[number % 3];
        let of = |steps| Minibatches { sampling, seed: 4, ..Minibatches::of(5) }.with_steps(steps);
        let run = |steps, options: &RunOptions| {
            method
                .clone()
                .minimize_sampled_with(&cloud, &of(steps), &start, options, &mut Watch::new())
                .unwrap()
        };
        let whole = run(60, &RunOptions::default());
        assert_eq!(whole.report.iterations, 60);
        // In an epoch, at its end, and in the middle of the run.
        for stop in [1, 3, 5, 17, 30, 59, 60] {
            let name = format!("{} {sampling:?} after {stop}", method.name());
            let to = RunOptions::default().with_checkpoint(&path, Every::Iterations(stop));
            run(stop, &to);
            let resumed = run(60, &RunOptions::default().with_resume(&path));
            assert_same(&name, &resumed, &whole);
            if stop > 1 {
                run(2 * stop - 1, &to);
                let resumed = run(60, &RunOptions::default().with_resume(previous(&path)));
                assert_same(&name, &resumed, &whole);
            }
        }
    }
}

#[test]
fn a_run_on_minibatches_that_converged_stays_where_it_is() {
    let cloud = Cloud::new(23);
    let folder = Folder::new();
    let minibatches = Minibatches::of(23).with_steps(4_000);
    let stopping = Stopping { gradient_tolerance: 0.1, ..Stopping::default() };
    let method = Method::from(GradientDescent::fixed(0.2).with_stopping(stopping));
    let run = |options: RunOptions| {
        method
            .clone()
            .minimize_sampled_with(
                &cloud,
                &minibatches,
                &[0.5, -0.5, 0.2],
                &options,
                &mut Watch::new(),
            )
            .unwrap()
    };
    let whole = run(RunOptions::default().with_checkpoint(folder.file(), Every::Iterations(1_000)));
    assert_eq!(whole.report.reason, Reason::GradientConverged);
    assert_same("converged", &run(RunOptions::default().with_resume(folder.file())), &whole);
}

#[test]
fn a_run_that_ended_stays_where_it_is() {
    let (valley, start) = valley();
    let folder = Folder::new();
    let to = RunOptions::default().with_checkpoint(folder.file(), Every::Seconds(1e6));
    for method in [Method::from(Newton::default()), Lbfgs::default().into(), Auto::default().into()]
    {
        let whole =
            method.clone().minimize_with(&valley, &start, &to, &mut Watch::new()).unwrap().0;
        assert!(whole.report.reason.is_converged());
        let again = resume(&method, &valley, &start, &folder.file()).unwrap();
        assert_same(method.name(), &again, &whole);
        // Also one that ended where it began.
        let whole =
            method.clone().minimize_with(&valley, &[1.0; 6], &to, &mut Watch::new()).unwrap().0;
        assert_eq!(whole.report.iterations, 0);
        let again = resume(&method, &valley, &[1.0; 6], &folder.file()).unwrap();
        assert_same(method.name(), &again, &whole);
    }
}

#[test]
fn the_same_limit_ends_a_run_again_and_time_counts_on() {
    let (valley, start) = valley();
    let folder = Folder::new();
    let method: Method = Lbfgs::default().into();
    begin(&method, &valley, &start, (5, 1), &folder.file());
    let again = resume(&limited(&method, 5), &valley, &start, &folder.file()).unwrap();
    assert_eq!((again.report.reason, again.report.iterations), (Reason::MaxIterations, 5));
    let mut evaluations = limited(&method, 1_000);
    evaluations.stopping_mut().max_evaluations = Some(again.report.evaluations.of_f() + 2);
    let more = resume(&evaluations, &valley, &start, &folder.file()).unwrap();
    assert_eq!(more.report.reason, Reason::MaxEvaluations);
    assert!(more.report.evaluations.of_f() >= again.report.evaluations.of_f() + 2);

    // A slow function: what the first process used is used.
    let slow = Function::new(
        2,
        |x, g| {
            std::thread::sleep(Duration::from_millis(5));
            g.copy_from_slice(&[x[0].powi(3), 1e-3 * x[1].powi(3)]);
            0.25 * x[0].powi(4) + 2.5e-4 * x[1].powi(4)
        },
        |_| faer::Mat::zeros(2, 2),
    );
    let at = [2.0, 9.0];
    begin(&method, &slow, &at, (5, 100), &folder.file());
    let mut timed = limited(&method, 1_000);
    timed.stopping_mut().max_time = Some(Duration::from_millis(25));
    let ended = resume(&timed, &slow, &at, &folder.file()).unwrap();
    assert_eq!((ended.report.reason, ended.report.iterations), (Reason::MaxTime, 5));
    assert!(ended.report.seconds >= 0.025, "{}", ended.report.seconds);
}

#[test]
fn what_a_checkpoint_is_not_of_is_named() {
    let (valley, start) = valley();
    let folder = Folder::new();
    let path = folder.file();
    let own = || Fingerprint::new().with("the data", &[1.0, 2.0]).with("the graph", "dense 3");
    let run = |method: &Method, start: &[f64], options: RunOptions| {
        method.clone().minimize_with(&valley, start, &options, &mut Watch::new())
    };
    let method = limited(&Lbfgs::default().into(), 4);
    let to = RunOptions::default().with_checkpoint(&path, Every::Iterations(1));
    run(&method, &start, to.with_fingerprint(own())).unwrap();
    let refused = |method: &Method, start: &[f64], fingerprint: Fingerprint| {
        let from = RunOptions::default().with_resume(&path).with_fingerprint(fingerprint);
        let Err(OptimError::Checkpoint(error)) = run(method, start, from) else { panic!("taken") };
        let CheckpointError::Differs { part, .. } = *error else { panic!("{error}") };
        part
    };
    assert_eq!(refused(&method, &start, own().with("the data", &[1.0, 3.0])), "the data");
    assert_eq!(refused(&method, &start, own().with("the graph", "dense 4")), "the graph");
    assert_eq!(refused(&method, &start, own().with("the loss", "absolute")), "the loss");
    assert_eq!(refused(&method, &start, Fingerprint::new()), "the data");
    let option = "the method or one of its options";
    assert_eq!(refused(&Newton::default().into(), &start, own()), option);
    let other = limited(&Lbfgs::default().with_memory(3).into(), 4);
    assert_eq!(refused(&other, &start, own()), option);
    let mut tolerance = method.clone();
    tolerance.stopping_mut().gradient_tolerance = 1e-3;
    assert_eq!(refused(&tolerance, &start, own()), option);
    let mut elsewhere = start.clone();
    elsewhere[2] = -1.3;
    assert_eq!(refused(&method, &elsewhere, own()), "the start");
    // The right one is taken, with any limits.
    let from = RunOptions::default().with_resume(&path).with_fingerprint(own());
    run(&limited(&method, 7), &start, from).unwrap();

    let message = CheckpointError::Differs { path, part: "the data".to_owned() }.to_string();
    assert!(
        message.ends_with("run: the checkpoint is of another run: the data is not the same"),
        "{message}"
    );
}

#[test]
fn a_damaged_file_gives_way_to_the_one_before_it_and_both_damaged_are_told() {
    let (valley, start) = valley();
    let folder = Folder::new();
    let path = folder.file();
    let method: Method = Lbfgs::default().with_stopping(within(30)).into();
    let whole = method.clone().minimize(&valley, &start).unwrap();
    begin(&method, &valley, &start, (9, 4), &path);
    let sound = fs::read(&path).unwrap();
    let mut damaged = sound.clone();
    damaged[sound.len() / 2] ^= 4;
    fs::write(&path, &damaged).unwrap();
    let resumed = resume(&method, &valley, &start, &path).unwrap();
    let notes = &resumed.report.notes;
    let told =
        notes.iter().any(|note| note.contains("is damaged") && note.contains("the one before"));
    assert!(told, "{notes:?}");
    let mut quiet = resumed.clone();
    quiet.report.notes.retain(|note| !note.contains("damaged"));
    assert_same("from the one before", &quiet, &whole);
    // Nothing where the newest should be.
    fs::remove_file(&path).unwrap();
    let resumed = resume(&method, &valley, &start, &path).unwrap();
    assert_eq!(bits(&resumed).0, bits(&whole).0);
    // Both.
    fs::write(&path, &sound[..sound.len() - 1]).unwrap();
    fs::write(previous(&path), b"of something else").unwrap();
    let error = resume(&method, &valley, &start, &path).unwrap_err().to_string();
    let short = format!("run: has {} bytes in place of {}; ", sound.len() - 1, sound.len());
    assert!(error.contains(&short) && error.ends_with("run.previous: is no checkpoint"), "{error}");
    // None.
    fs::remove_file(&path).unwrap();
    fs::remove_file(previous(&path)).unwrap();
    let error = resume(&method, &valley, &start, &path).unwrap_err().to_string();
    assert!(error.ends_with("run: there is no checkpoint"), "{error}");
}

#[test]
fn no_file_that_was_cut_or_changed_panics() {
    let (classes, origin) = classes();
    let folder = Folder::new();
    let path = folder.file();
    let method: Method = Newton::default().into();
    begin(&method, &classes, &origin, (2, 100), &path);
    let sound = fs::read(&path).unwrap();
    assert!(Contents::from_bytes(&sound).is_ok());
    for end in (0..sound.len()).step_by(7) {
        assert!(Contents::from_bytes(&sound[..end]).is_err(), "{end} bytes");
        if end % 211 == 0 {
            fs::write(&path, &sound[..end]).unwrap();
            assert!(resume(&method, &classes, &origin, &path).is_err(), "{end} bytes");
        }
    }
    let mut changed = sound.clone();
    for byte in 0..sound.len() {
        let bit = 1 << (byte % 8);
        changed[byte] ^= bit;
        assert!(Contents::from_bytes(&changed).is_err(), "byte {byte}");
        changed[byte] ^= bit;
    }
}

#[test]
fn a_checkpoint_that_cannot_be_written_is_a_note_and_the_run_goes_on() {
    let (valley, start) = valley();
    let folder = Folder::new();
    let method: Method = Lbfgs::default().with_stopping(within(30)).into();
    let whole = method.clone().minimize(&valley, &start).unwrap();
    let lost = folder.0.join("no such folder").join("run");
    let to = RunOptions::default().with_checkpoint(&lost, Every::Iterations(10));
    let mut solution =
        method.clone().minimize_with(&valley, &start, &to, &mut Watch::new()).unwrap().0;
    let notes = solution.report.notes.clone();
    let told = |note: &String| {
        note.starts_with("checkpoint not written ") && note.contains("no such folder")
    };
    assert!(notes.iter().any(told), "{notes:?}");
    solution.report.notes.retain(|note| !told(note));
    assert_same("without a file", &solution, &whole);
}

#[test]
fn intervals_that_are_none_are_refused() {
    let (valley, start) = valley();
    let run = |every| {
        let to = RunOptions::default().with_checkpoint("never written", every);
        let method = Method::from(Lbfgs::default());
        method.minimize_with(&valley, &start, &to, &mut Watch::new()).unwrap_err().to_string()
    };
    assert_eq!(
        run(Every::Iterations(0)),
        "checkpoint: option `iterations` is 0, allowed is at least 1"
    );
    for seconds in [-1.0, f64::NAN, f64::INFINITY] {
        let error = run(Every::Seconds(seconds));
        assert!(error.starts_with("checkpoint: option `seconds` is "), "{error}");
    }
}

#[test]
fn an_executor_of_ones_own_goes_on_from_the_file() {
    let (valley, start) = valley();
    let folder = Folder::new();
    let run = |most, path: Option<PathBuf>| {
        let begin = |state: FitState| state.param(start.clone()).max_iters(most);
        let executor = Executor::new(&valley, Lbfgs::default().with_memory(3)).configure(begin);
        let executor = match path {
            None => executor,
            Some(path) => {
                executor.checkpointing(CheckpointFile::new(path, Every::Iterations(7)).unwrap())
            }
        };
        executor.ctrlc(false).run().unwrap().state
    };
    let whole = run(25, None);
    let first = run(25, Some(folder.file()));
    assert_eq!(first.theta(), whole.theta());
    fs::rename(previous(&folder.file()), folder.file()).unwrap();
    let again = run(25, Some(folder.file()));
    assert_eq!(again.theta(), whole.theta());
    assert_eq!(again.get_func_counts(), whole.get_func_counts());
    // Another solver's file is none of its own.
    let file = CheckpointFile::new(folder.file(), Every::Iterations(7)).unwrap();
    let newton = Executor::new(&valley, Newton::default()).ctrlc(false).checkpointing(file);
    let error = newton.run().err().unwrap().to_string();
    assert!(error.ends_with("the checkpoint is of L-BFGS, not of Newton"), "{error}");
}

#[test]
fn an_end_within_an_iteration_leaves_the_latest_whole_one() {
    // Newton-CG by the diagonal gives up within an iteration when the time is over.
    struct Slow(mgh::Problem);
    impl Objective for Slow {
        fn dim(&self) -> usize {
            self.0.dim()
        }
        fn value(&self, theta: &[f64]) -> f64 {
            self.0.value(theta)
        }
        fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
            self.0.value_gradient(theta, gradient)
        }
    }
    impl Curvature for Slow {
        type At<'a> = mgh::At;
        fn linearize(&self, theta: &[f64]) -> mgh::At {
            std::thread::sleep(Duration::from_millis(20));
            self.0.linearize(theta)
        }
    }
    let (wood, start) = residuals("wood");
    let slow = Slow(wood);
    let folder = Folder::new();
    let solver = NewtonCg::default().with_preconditioner(Preconditioner::Jacobi);
    let mut method = Method::from(solver.with_stopping(within(60)));
    let whole = method.clone().minimize(&wood, &start).unwrap();
    method.stopping_mut().max_time = Some(Duration::from_millis(90));
    let to = RunOptions::default().with_checkpoint(folder.file(), Every::Seconds(1e6));
    let ended = method.clone().minimize_with(&slow, &start, &to, &mut Watch::new()).unwrap().0;
    assert_eq!(ended.report.reason, Reason::MaxTime);
    method.stopping_mut().max_time = None;
    let resumed = resume(&method, &wood, &start, &folder.file()).unwrap();
    assert_same("after a run out of time", &resumed, &whole);
}
