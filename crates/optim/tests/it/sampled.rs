//! Runs on minibatches: what is counted, when they end, what they refuse; and what schedules do to them.

use secant_core::problem::SampledObjective;
use secant_optim::{
    Adam, AdamW, Bfgs, Decay, GradientDescent, LastBatch, Method, Minibatches, Momentum, Newton,
    OptimError, Reason, Sampling, Schedule, Span, Stopping, minimize_sampled,
};
use std::time::Duration;

/// f(θ) = mean of ½‖θ − yᵢ‖², yᵢ ∈ ℝ²; not finite where θ₁ < `wall`.
struct Cloud {
    points: Vec<[f64; 2]>,
    wall: f64,
}

impl Cloud {
    fn new(samples: u32) -> Self {
        let point = |i| [f64::from(i % 5), f64::from(i % 3) - 1.0];
        Self { points: (0..samples).map(point).collect(), wall: f64::NEG_INFINITY }
    }

    fn mean(&self) -> [f64; 2] {
        let share = 1.0 / self.points.len() as f64;
        [0, 1].map(|k| self.points.iter().map(|point| share * point[k]).sum())
    }
}

impl SampledObjective for Cloud {
    fn parameters(&self) -> usize {
        2
    }
    fn samples(&self) -> usize {
        self.points.len()
    }
    fn value_gradient_on(&self, indices: &[usize], theta: &[f64], gradient: &mut [f64]) -> f64 {
        if theta[0] < self.wall {
            gradient.fill(f64::NAN);
            return f64::NAN;
        }
        gradient.fill(0.0);
        let share = 1.0 / indices.len() as f64;
        let mut value = 0.0;
        for &index in indices {
            for k in 0..2 {
                let error = theta[k] - self.points[index][k];
                gradient[k] += share * error;
                value += 0.5 * share * error * error;
            }
        }
        value
    }
}

const START: [f64; 2] = [10.0, -4.0];

#[test]
fn a_run_counts_its_epochs_steps_and_looks_apart() {
    let cloud = Cloud::new(10);
    // Batches of 4, 4 and 2; looks at the start and after each of 5 epochs.
    let minibatches = Minibatches::of(4).with_epochs(5);
    let solver = Adam::default().with_rate(0.1);
    let report = minimize_sampled(&cloud, solver, &minibatches, &START).unwrap().report;
    assert_eq!(report.reason, Reason::MaxIterations);
    assert_eq!((report.iterations, report.epochs), (15, Some(5.0)));
    assert_eq!(report.evaluations.sampled_gradient, 15);
    assert_eq!((report.evaluations.value_gradient, report.evaluations.value), (6, 0));
    let looks: Vec<_> = report.trace.iter().map(|at| (at.iteration, at.epochs)).collect();
    assert_eq!(looks[..3], [(0, Some(0.0)), (3, Some(1.0)), (6, Some(2.0))]);
    assert_eq!(report.notes, ["minibatches of 4 of 10 samples, shuffled, seed 0"]);
    assert!(report.to_string().contains("epochs       5.00"), "{report}");
}

#[test]
fn looks_come_as_often_as_asked_and_at_the_end() {
    let cloud = Cloud::new(10);
    let run = |evaluate_every, steps| {
        let minibatches = Minibatches { evaluate_every, ..Minibatches::of(4).with_steps(steps) };
        let solver = GradientDescent::fixed(0.1);
        let report = minimize_sampled(&cloud, solver, &minibatches, &START).unwrap().report;
        report.trace.iter().map(|at| at.iteration).collect::<Vec<_>>()
    };
    assert_eq!(run(Span::Steps(2), 5), [0, 2, 4, 5]);
    assert_eq!(run(Span::Epochs(2), 7), [0, 6, 7]);
    assert_eq!(run(Span::Epochs(1000), 4), [0, 4]);
    assert_eq!(run(Span::Epochs(1), 0), [0], "no step returns the evaluated start");
}

#[test]
fn the_best_point_is_the_best_of_all_samples_and_not_the_last() {
    let cloud = Cloud::new(31);
    // A rate of 1 on single samples jumps from sample to sample for ever; none of them is the mean.
    let minibatches = Minibatches::of(1).with_epochs(20).with_seed(4);
    let solution =
        minimize_sampled(&cloud, GradientDescent::fixed(1.0), &minibatches, &START).unwrap();
    let trace = &solution.report.trace;
    let least = trace.iter().map(|at| at.value).fold(f64::INFINITY, f64::min);
    assert_eq!(solution.report.value, least);
    assert!(trace.last().unwrap().value > least);
    let all: Vec<usize> = (0..31).collect();
    assert_eq!(cloud.value_gradient_on(&all, &solution.theta, &mut [0.0; 2]), least);
}

#[test]
fn target_gradient_and_time_end_a_run() {
    let cloud = Cloud::new(10);
    let run = |stopping: Stopping| {
        let solver = GradientDescent::fixed(0.2).with_stopping(stopping);
        minimize_sampled(&cloud, solver, &Minibatches::of(10), &START).unwrap().report
    };
    let least = cloud.value_gradient_on(&(0..10).collect::<Vec<_>>(), &cloud.mean(), &mut [0.0; 2]);
    let target = Some(least + 1e-3);
    assert_eq!(run(Stopping { target, ..Stopping::default() }).reason, Reason::TargetReached);
    let tight = Stopping { gradient_tolerance: 1e-6, ..Stopping::default() };
    let report = run(tight);
    assert_eq!(report.reason, Reason::GradientConverged);
    // The full gradient shrinks by 0.8 in every step: 0.8^62 < 1e-6.
    assert_eq!(report.iterations, 62);
    let report = run(Stopping { max_time: Some(Duration::ZERO), ..Stopping::default() });
    assert_eq!((report.reason, report.trace.len()), (Reason::MaxTime, 1));
    let few = Stopping { max_evaluations: Some(4), ..Stopping::default() };
    assert_eq!(run(few).evaluations.value_gradient, 4);
}

#[test]
fn the_limit_of_the_minibatches_stands_in_for_that_of_the_iterations() {
    let stopping = Stopping { max_iterations: 1, ..Stopping::default() };
    let solver = GradientDescent::fixed(0.01).with_stopping(stopping);
    let minibatches = Minibatches::of(2).with_epochs(3);
    let report = minimize_sampled(&Cloud::new(10), solver, &minibatches, &START).unwrap().report;
    assert_eq!(report.iterations, 15);
}

#[test]
fn what_is_not_finite_ends_a_run_with_the_best_point() {
    let walled = Cloud { wall: 2.5, ..Cloud::new(10) };
    let minibatches = Minibatches::of(2).with_epochs(50);
    let solver = GradientDescent::fixed(0.05);
    let solution = minimize_sampled(&walled, solver, &minibatches, &START).unwrap();
    assert_eq!(solution.report.reason, Reason::NonFiniteValue);
    assert!(solution.theta[0] >= 2.5 && solution.report.value.is_finite());
    let behind = minimize_sampled(&walled, Adam::default(), &minibatches, &[0.0, 0.0]).unwrap();
    assert_eq!((behind.report.reason, behind.report.iterations), (Reason::NonFiniteStart, 0));
    // Above 2/λmax = 2 the errors double and double; the numbers end before the run does.
    let minibatches = Minibatches::of(10).with_steps(5000);
    let solver = GradientDescent::fixed(3.0);
    let solution = minimize_sampled(&Cloud::new(10), solver, &minibatches, &START).unwrap();
    assert_eq!(solution.report.reason, Reason::NonFiniteValue);
    assert_eq!(solution.theta, START, "the best point is the start");
}

#[test]
fn mistakes_are_errors_before_the_first_step() {
    let cloud = Cloud::new(10);
    let all = Minibatches::default();
    let run = |method: Method, minibatches: &Minibatches, start: &[f64]| {
        method.minimize_sampled(&cloud, minibatches, start).unwrap_err()
    };
    let error = run(GradientDescent::new().into(), &all, &START);
    assert_eq!(
        error,
        OptimError::FullBatchOnly { solver: "gradient descent", what: "a line search" }
    );
    for method in [Method::from(Newton::default()), Bfgs::default().into(), Method::default()] {
        let error = run(method, &all, &START);
        assert!(error.to_string().contains("does not run on minibatches"), "{error}");
    }
    let adam = || Method::from(Adam::default());
    let none = Minibatches { size: 0, ..all };
    assert!(matches!(run(adam(), &none, &START), OptimError::OptionOutOfRange { .. }));
    let large = Minibatches { size: 11, last: LastBatch::Drop, ..all };
    assert!(matches!(run(adam(), &large, &START), OptimError::OptionOutOfRange { .. }));
    assert!(matches!(run(adam(), &all, &[1.0]), OptimError::StartLength { expected: 2, found: 1 }));
    let start = [1.0, f64::NAN];
    assert!(matches!(run(adam(), &all, &start), OptimError::StartNotFinite { index: 1, .. }));
    let rate = |rate| run(Adam::default().with_rate(rate).into(), &all, &START);
    assert!(matches!(rate(f64::NAN), OptimError::OptionOutOfRange { option: "rate", .. }));
    let decay = AdamW::default().with_weight_decay(-0.1);
    let error = run(decay.into(), &all, &START);
    assert!(matches!(error, OptimError::OptionOutOfRange { option: "weight_decay", .. }));
}

#[test]
fn schedules_out_of_range_are_errors() {
    let refused = |schedule: Schedule| {
        let solver = Momentum::default().with_schedule(schedule);
        let error = minimize_sampled(&Cloud::new(3), solver, &Minibatches::default(), &START);
        assert!(matches!(error, Err(OptimError::OptionOutOfRange { .. })), "{schedule:?}");
    };
    for factor in [0.0, -0.5, 1.5, f64::NAN] {
        refused(Schedule::step(1, factor));
        refused(Schedule::constant().with_warm_up(1, factor));
    }
    refused(Schedule::step(0, 0.5));
    refused(Schedule::cosine(0, 0.5));
    refused(Schedule::cosine(1, -0.1));
    refused(Schedule::inverse_time(-1.0));
    refused(Decay::InverseTime { decay: f64::INFINITY }.into());
}

#[test]
fn sgd_with_the_rate_one_over_t_is_the_running_mean() {
    // θₜ = mean of the first t points drawn, whatever the order and the start: exact after every epoch.
    let cloud = Cloud::new(30);
    for sampling in [Sampling::Shuffled, Sampling::InOrder] {
        let solver = GradientDescent::fixed(1.0).with_schedule(Schedule::inverse_time(1.0));
        let minibatches = Minibatches { sampling, ..Minibatches::of(1).with_epochs(1) };
        let solution = minimize_sampled(&cloud, solver, &minibatches, &START).unwrap();
        for (found, mean) in solution.theta.iter().zip(cloud.mean()) {
            assert!((found - mean).abs() < 1e-13, "{sampling:?}");
        }
    }
}

#[test]
fn a_falling_rate_comes_nearer_than_a_constant_one() {
    let cloud = Cloud::new(30);
    let minibatches = Minibatches::of(3).with_epochs(60).with_seed(5);
    let least = cloud.value_gradient_on(&(0..30).collect::<Vec<_>>(), &cloud.mean(), &mut [0.0; 2]);
    let gap = |schedule| {
        let solver = GradientDescent::fixed(0.3).with_schedule(schedule);
        let report = minimize_sampled(&cloud, solver, &minibatches, &START).unwrap().report;
        report.trace.last().unwrap().value - least
    };
    let constant = gap(Schedule::constant());
    for schedule in
        [Schedule::cosine(600, 0.0), Schedule::step(150, 0.1), Schedule::inverse_time(0.1)]
    {
        let falling = gap(schedule);
        assert!(falling < 0.1 * constant, "{schedule:?}: {falling:e} {constant:e}");
    }
}

#[test]
fn adamw_rests_where_its_step_and_its_decay_balance() {
    // One sample at y: f = ½(θ − y)². At rest the gradient is constant, ŝ = g, √r̂ = |g|, so that g/|g| = −λθ: |θ| = 1/λ < |y|.
    let far = Cloud { points: vec![[100.0, -100.0]], wall: f64::NEG_INFINITY };
    let solver = AdamW::default().with_rate(0.01).with_weight_decay(0.5);
    let minibatches = Minibatches::of(1).with_steps(4000);
    let solution = minimize_sampled(&far, solver, &minibatches, &[0.0, 0.0]).unwrap();
    assert!((solution.theta[0] - 2.0).abs() < 0.05, "{:?}", solution.theta);
    assert!((solution.theta[1] + 2.0).abs() < 0.05, "{:?}", solution.theta);
}
