//! Every first-order method beside PyTorch's optimiser of its name, step by step, and every schedule beside PyTorch's scheduler.
//! The fixture is made by `benches/peers/first_order.py`.
//!
//! Where the formulae differ: PyTorch's momentum keeps v/−ε in place of v, which is the same at a constant rate; its `RMSprop` has
//! ε outside of the root, which [`Guard::OutsideRoot`] gives.

use crate::common::Function;
use faer::Mat;
use secant_core::problem::{Objective, SampledObjective};
use secant_optim::{
    AdaGrad, Adadelta, Adam, AdamW, GradientDescent, Guard, Method, Minibatches, Momentum,
    Nesterov, RmsProp, Schedule, Stopping,
};
use serde_json::Value;
use std::cell::RefCell;
use std::rc::Rc;

const STEPS: u64 = 50;
/// Rounding of a step, at some 1e-16 of θ, grown over the steps by at most the curvature of Rosenbrock's function.
const TOLERANCE: f64 = 1e-12;

fn fixture() -> Value {
    serde_json::from_str(include_str!("../fixtures/first_order.json")).unwrap()
}

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// The method with the options of a row of the fixture.
fn method(row: &Value) -> Method {
    let option = |name: &str| row["options"][name].as_f64().unwrap();
    let beta = |index: usize| row["options"]["betas"][index].as_f64().unwrap();
    let rate = option("lr");
    match row["optimiser"].as_str().unwrap() {
        "sgd" => GradientDescent::fixed(rate).into(),
        "momentum" => Momentum::default().with_rate(rate).with_momentum(option("momentum")).into(),
        "nesterov" => Nesterov::default().with_rate(rate).with_momentum(option("momentum")).into(),
        "adagrad" => AdaGrad::default().with_rate(rate).with_delta(option("eps")).into(),
        "rmsprop" => RmsProp::default()
            .with_rate(rate)
            .with_decay(option("alpha"))
            .with_delta(option("eps"))
            .with_guard(Guard::OutsideRoot)
            .into(),
        "adadelta" => Adadelta::default()
            .with_rate(rate)
            .with_decay(option("rho"))
            .with_epsilon(option("eps"))
            .into(),
        "adam" => Adam::default()
            .with_rate(rate)
            .with_decay_mean(beta(0))
            .with_decay_square(beta(1))
            .with_delta(option("eps"))
            .into(),
        "adamw" => AdamW::default()
            .with_rate(rate)
            .with_decay_mean(beta(0))
            .with_decay_square(beta(1))
            .with_delta(option("eps"))
            .with_weight_decay(option("weight_decay"))
            .into(),
        other => panic!("{other}?"),
    }
}

type ValueGradient = dyn Fn(&[f64], &mut [f64]) -> f64;
type Path = Rc<RefCell<Vec<Vec<f64>>>>;

/// The problem of that name, which writes down every θ that it is asked about.
fn problem(name: &str) -> (Function, Path) {
    let path = Path::default();
    let seen = path.clone();
    let rosenbrock = |x: &[f64], g: &mut [f64]| {
        let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
        (g[0], g[1]) = (-2.0 * a - 400.0 * b * x[0], 200.0 * b);
        a * a + 100.0 * b * b
    };
    let quadratic = |x: &[f64], g: &mut [f64]| {
        let (a, b) = ([[3.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.5, 1.0]], [1.0, -2.0, 0.5]);
        let mut value = 0.0;
        for i in 0..3 {
            let ax: f64 = (0..3).map(|j| a[i][j] * x[j]).sum();
            g[i] = ax - b[i];
            value += x[i] * (0.5 * ax - b[i]);
        }
        value
    };
    let (n, f): (usize, Box<ValueGradient>) = match name {
        "rosenbrock" => (2, Box::new(rosenbrock)),
        _ => (3, Box::new(quadratic)),
    };
    let recorded = move |x: &[f64], g: &mut [f64]| {
        seen.borrow_mut().push(x.to_vec());
        f(x, g)
    };
    (Function::new(n, recorded, |_| Mat::zeros(0, 0)), path)
}

/// The function as the mean over one sample.
struct OneSample(Function);

impl SampledObjective for OneSample {
    fn parameters(&self) -> usize {
        self.0.dim()
    }
    fn samples(&self) -> usize {
        1
    }
    fn value_gradient_on(&self, _: &[usize], theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.0.value_gradient(theta, gradient)
    }
}

#[test]
fn trajectories_are_those_of_pytorch() {
    let fixture = fixture();
    let rows = fixture["trajectories"].as_array().unwrap();
    assert_eq!(rows.len(), 16);
    for row in rows {
        let name = row["problem"].as_str().unwrap();
        let expected: Vec<Vec<f64>> = row["path"].as_array().unwrap().iter().map(numbers).collect();
        let (function, path) = problem(name);
        let stopping =
            Stopping { gradient_tolerance: 0.0, max_iterations: STEPS, ..Stopping::default() };
        let method = method(row).with_stopping(stopping);
        method.minimize(&function, &expected[0]).unwrap();
        let path = path.take();
        assert_eq!(path.len(), expected.len());
        for (t, (found, expected)) in path.iter().zip(&expected).enumerate() {
            let size = expected.iter().fold(0.0_f64, |size, x| size.max(x.abs()));
            for (x, y) in found.iter().zip(expected) {
                let error = (x - y).abs() / size;
                let optimiser = &row["optimiser"];
                assert!(error <= TOLERANCE, "{optimiser}, {name}, step {t}: {error:e}");
            }
        }
    }
}

#[test]
fn a_run_on_batches_of_all_samples_is_the_full_batch_run_bit_for_bit() {
    for row in fixture()["trajectories"].as_array().unwrap() {
        let name = row["problem"].as_str().unwrap();
        let start = numbers(&row["path"][0]);
        let schedule = Schedule::cosine(40, 0.1).with_warm_up(5, 0.2);
        let stopping =
            Stopping { gradient_tolerance: 0.0, max_iterations: STEPS, ..Stopping::default() };
        let mut method = method(row).with_stopping(stopping);
        scheduled(&mut method, schedule);
        let (function, full) = problem(name);
        method.clone().minimize(&function, &start).unwrap();
        let (function, sampled) = problem(name);
        let minibatches = Minibatches::of(1).with_steps(STEPS);
        method.minimize_sampled(&OneSample(function), &minibatches, &start).unwrap();
        // The start is asked about, and then by a step and by a look at all samples in turn.
        let steps: Vec<Vec<f64>> = sampled.take().into_iter().step_by(2).collect();
        assert_eq!(full.take()[..], steps[..], "{}", row["optimiser"]);
    }
}

fn scheduled(method: &mut Method, schedule: Schedule) {
    match method {
        Method::GradientDescent(solver) => solver.schedule = schedule,
        Method::Momentum(solver) => solver.schedule = schedule,
        Method::Nesterov(solver) => solver.schedule = schedule,
        Method::AdaGrad(solver) => solver.schedule = schedule,
        Method::RmsProp(solver) => solver.schedule = schedule,
        Method::Adadelta(solver) => solver.schedule = schedule,
        Method::Adam(solver) => solver.schedule = schedule,
        Method::AdamW(solver) => solver.schedule = schedule,
        _ => panic!("no first-order method"),
    }
}

#[test]
fn schedules_are_those_of_pytorch() {
    let fixture = fixture();
    for (name, schedule) in [
        ("step", Schedule::step(7, 0.5)),
        ("cosine", Schedule::cosine(60, 0.05)),
        ("inverse_time", Schedule::inverse_time(0.25)),
        ("warm_up_cosine", Schedule::cosine(60, 0.05).with_warm_up(10, 0.1)),
        ("warm_up_step", Schedule::step(7, 0.5).with_warm_up(4, 0.25)),
    ] {
        let expected = numbers(&fixture["schedules"][name]);
        assert_eq!(expected.len() as u64, STEPS);
        for (t, expected) in (1..).zip(expected) {
            let found = schedule.factor(t);
            // PyTorch goes from one rate to the next, and gathers a rounding in every step.
            assert!((found - expected).abs() <= 1e-14, "{name}, step {t}: {found} {expected}");
        }
    }
}
