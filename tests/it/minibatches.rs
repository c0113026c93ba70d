//! A risk on some of its samples is the risk of these samples; and a fit on minibatches has the bits that its seed names.

use rayon::ThreadPoolBuilder;
use secant::core::random::Random;
use secant::data::Dataset;
use secant::graph::Graph;
use secant::loss::{Logistic, Loss, Robust, SoftmaxCrossEntropy, SquaredError};
use secant::op::{Dense, Dropout};
use secant::optim::{LastBatch, Sampling, minimize_sampled};
use secant::penalty::{NoPenalty, Ridge};
use secant::problem::{Objective, SampledObjective};
use secant::{
    Activation, AdaGrad, Adadelta, Adam, AdamW, FitError, GradientDescent, Lbfgs, Method,
    Minibatches, Momentum, Nesterov, Network, RateFinder, Reason, Rho, Risk, RmsProp, Schedule,
    check,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

fn normals(count: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..count).map(|_| random.normal()).collect()
}

fn numbers(d: usize, c: usize, samples: usize) -> Dataset {
    Dataset::from_slices(d, &normals(d * samples, 1), c, &normals(c * samples, 2)).unwrap()
}

fn labels(d: usize, classes: usize, samples: usize) -> Dataset {
    let mut random = Random::new(3);
    let draw = |_| u32::try_from(random.below(classes)).unwrap();
    let labels: Vec<u32> = (0..samples).map(draw).collect();
    Dataset::from_labels(d, &normals(d * samples, 4), classes, &labels).unwrap()
}

/// Draws with repetitions.
fn draws(count: usize, samples: usize) -> Vec<usize> {
    let mut random = Random::new(9);
    (0..count).map(|_| random.below(samples)).collect()
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn with_threads<R: Send>(threads: usize, run: impl FnOnce() -> R + Send) -> R {
    ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run)
}

/// A name, a model, its data and what makes its loss.
type Case = (&'static str, Network, Dataset, fn() -> Box<dyn Loss>);

/// Every kind of target, several shards, and a model of each kind.
fn cases() -> Vec<Case> {
    vec![
        ("softmax", Network::mlp([6, 30, 20, 3], Activation::Tanh), labels(6, 3, 1_501), || {
            Box::new(SoftmaxCrossEntropy)
        }),
        (
            "squared, two outputs",
            Network::mlp([5, 24, 2], Activation::Gelu),
            numbers(5, 2, 2_003),
            || Box::new(SquaredError),
        ),
        ("logistic", Network::linear(30, 1), labels(30, 2, 900), || Box::new(Logistic)),
        ("Huber", Network::mlp([3, 9, 1], Activation::Silu), numbers(3, 1, 70), || {
            Box::new(Robust::new(Rho::Huber, 0.7).unwrap())
        }),
    ]
}

#[test]
fn all_samples_in_order_have_the_bits_of_the_objective() {
    for (name, net, data, loss) in cases() {
        let graph = net.graph().unwrap();
        let risk = Risk::from_boxed(graph, &data, loss(), Box::new(Ridge(0.01))).unwrap();
        let theta = net.draw(5).unwrap();
        let n = risk.dim();
        assert_eq!((risk.parameters(), SampledObjective::samples(&risk)), (n, data.samples()));
        let (mut full, mut sampled) = (vec![0.0; n], vec![f64::NAN; n]);
        let value = risk.value_gradient(&theta, &mut full);
        let mut all: Vec<usize> = (0..data.samples()).collect();
        let on_all = risk.value_gradient_on(&all, &theta, &mut sampled);
        assert_eq!((value.to_bits(), bits(&full)), (on_all.to_bits(), bits(&sampled)), "{name}");
        // In another order the sums round otherwise.
        Random::new(6).shuffle(&mut all);
        let shuffled = risk.value_gradient_on(&all, &theta, &mut sampled);
        assert!((value - shuffled).abs() <= 1e-14 * value, "{name}");
        assert!(check::distance(&full, &sampled) < 1e-12, "{name}");
    }
}

#[test]
fn a_batch_is_the_risk_of_its_samples() {
    for (name, net, data, loss) in cases() {
        let graph = net.graph().unwrap();
        let risk = Risk::from_boxed(graph, &data, loss(), Box::new(Ridge(0.01))).unwrap();
        let theta = net.draw(5).unwrap();
        let n = risk.dim();
        let (mut alone, mut sampled) = (vec![0.0; n], vec![f64::NAN; n]);
        // More draws than samples, and lengths that end within a tile.
        for count in [1, 2, 33, 64, 700, 2_500] {
            let indices = draws(count, data.samples());
            let value = risk.value_gradient_on(&indices, &theta, &mut sampled);
            let part = data.select(&indices).unwrap();
            let other = Risk::from_boxed(graph, &part, loss(), Box::new(Ridge(0.01))).unwrap();
            let expected = other.value_gradient(&theta, &mut alone);
            assert_eq!(value.to_bits(), expected.to_bits(), "{name}, {count}");
            assert_eq!(bits(&sampled), bits(&alone), "{name}, {count}");
        }
    }
}

#[test]
fn gradients_on_a_batch_agree_with_differences() {
    for (name, net, data, loss) in cases() {
        let graph = net.graph().unwrap();
        let risk = Risk::from_boxed(graph, &data, loss(), Box::new(Ridge(0.01))).unwrap();
        let theta = net.draw(5).unwrap();
        for count in [1, 7, 65] {
            let checks = check::sampled(&risk, &draws(count, data.samples()), &theta);
            assert!(checks.passed(), "{name}, {count}:\n{checks}");
        }
    }
}

#[test]
fn what_is_no_batch_panics_with_the_place() {
    let net = Network::linear(2, 1);
    let data = numbers(2, 1, 5);
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let message = |indices: &[usize], theta: &[f64]| {
        let call = || risk.value_gradient_on(indices, theta, &mut [0.0; 3]);
        let panic = catch_unwind(AssertUnwindSafe(call)).unwrap_err();
        panic.downcast_ref::<String>().cloned().unwrap_or_else(|| {
            panic.downcast_ref::<&str>().map(ToString::to_string).unwrap_or_default()
        })
    };
    let theta = [0.0; 3];
    assert_eq!(message(&[0, 4, 5], &theta), "index 2 of the batch is 5, there are 5 samples");
    assert_eq!(message(&[], &theta), "a batch needs at least one sample");
    assert!(message(&[0], &[0.0]).contains("theta has 1 entries"));
    // The risk is as good as before.
    assert!(risk.value_gradient_on(&[4], &theta, &mut [0.0; 3]).is_finite());
}

fn methods() -> [Method; 8] {
    let schedule = Schedule::cosine(60, 0.01).with_warm_up(5, 0.1);
    [
        GradientDescent::fixed(0.1).with_schedule(schedule).into(),
        Momentum::default().into(),
        Nesterov::default().into(),
        AdaGrad::default().into(),
        RmsProp::default().into(),
        Adadelta::default().into(),
        Adam::default().with_schedule(schedule).into(),
        AdamW::default().into(),
    ]
}

#[test]
fn a_seed_names_the_bits_of_a_fit_at_any_number_of_threads() {
    let net = Network::mlp([6, 30, 20, 3], Activation::Tanh);
    let data = labels(6, 3, 701);
    for method in methods() {
        for sampling in [Sampling::Shuffled, Sampling::WithReplacement] {
            // Batches of several shards.
            let minibatches =
                Minibatches { sampling, ..Minibatches::of(300).with_epochs(4).with_seed(11) };
            let run = |threads: usize, minibatches: Minibatches| {
                let method = method.clone();
                with_threads(threads, || {
                    let fit = secant::fit(&net, &data).method(method);
                    let fit = fit.minibatches(minibatches).seed(2).run().unwrap();
                    let values = fit.report().trace.iter().map(|at| at.value.to_bits());
                    (bits(fit.model().theta()), values.collect::<Vec<_>>())
                })
            };
            let one = run(1, minibatches);
            for threads in [2, 3] {
                assert_eq!(one, run(threads, minibatches), "{}, {threads}", method.name());
            }
            assert_ne!(one.0, run(1, minibatches.with_seed(12)).0, "{}", method.name());
        }
    }
}

#[test]
fn every_method_fits_on_minibatches_and_a_rate_is_found_for_each() {
    let net = Network::mlp([4, 12, 1], Activation::Tanh);
    let inputs = normals(4 * 400, 1);
    let targets: Vec<f64> = inputs.chunks(4).map(|x| (x[0] - x[1]).sin() + 0.3 * x[2]).collect();
    let data = Dataset::from_slices(4, &inputs, 1, &targets).unwrap();
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let start = net.draw(1).unwrap();
    let minibatches = Minibatches { last: LastBatch::Drop, ..Minibatches::of(30).with_epochs(12) };
    for method in methods() {
        let finder = RateFinder { refinements: 1, ..RateFinder::default() };
        let found = finder.sampled(&method, &risk, &minibatches, &start).unwrap();
        let (_, solution) = found.best.as_ref().unwrap();
        let report = &solution.report;
        assert!(report.value < 0.1 * report.initial_value, "{report}");
        assert_eq!(report.iterations, 12 * 13);
        assert!((report.epochs.unwrap() - 12.0 * 390.0 / 400.0).abs() < 1e-12);
        assert_eq!(report.reason, Reason::MaxIterations);
        let again = finder.sampled(&method, &risk, &minibatches, &start).unwrap();
        assert_eq!(found.tried, again.tried, "{}", method.name());
    }
}

#[test]
fn the_facade_says_what_runs_on_minibatches() {
    let net = Network::linear(2, 1);
    let data = numbers(2, 1, 50);
    let fit = || secant::fit(&net, &data).minibatches(Minibatches::of(8));
    let error = fit().method(Lbfgs::default()).run().unwrap_err();
    assert!(matches!(error, FitError::Optim(_)), "{error}");
    let report = |steps| {
        let fit = fit().method(Adam::default()).max_iterations(steps).run().unwrap();
        fit.report().clone()
    };
    assert_eq!(report(5).iterations, 5);
    // Rounds of the scale, each a run of its own.
    let robust = fit().method(Adam::default()).robust(Rho::Huber).max_iterations(20).run();
    let steps = robust.unwrap().report().evaluations.sampled_gradient;
    assert!(steps > 0 && steps.is_multiple_of(20), "{steps}");
}

#[test]
fn dropout_is_drawn_anew_in_every_step_and_reported_on_one_function() {
    let mut g = Graph::builder(3);
    let h = g.node("hidden", Dense::new(8), &[g.input()]).unwrap();
    let h = g.node("tanh", Activation::Tanh, &[h]).unwrap();
    let h = g.node("dropout", Dropout::new(0.5), &[h]).unwrap();
    let y = g.node("y", Dense::new(1), &[h]).unwrap();
    let graph = g.build(y).unwrap();
    let data = numbers(3, 1, 300);
    let theta = normals(graph.parameters().dim(), 5);
    let run = |threads: usize| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let risk = Risk::new(&graph, &data, SquaredError, NoPenalty).unwrap();
            let minibatches = Minibatches::of(32).with_epochs(3).with_seed(1);
            let sgd = GradientDescent::fixed(0.05);
            minimize_sampled(&risk, sgd, &minibatches, &theta).unwrap()
        })
    };
    let solution = run(1);
    assert_eq!(bits(&solution.theta), bits(&run(4).theta));
    // The reported value is the full-batch objective's, whose masks no step has drawn.
    let risk = Risk::new(&graph, &data, SquaredError, NoPenalty).unwrap();
    assert_eq!(solution.report.value, risk.value(&solution.theta));
    // Two steps by hand, with draws 1 and 2.
    let two = Minibatches { sampling: Sampling::InOrder, ..Minibatches::of(300).with_steps(2) };
    let all: Vec<usize> = (0..300).collect();
    let mut by_hand = theta.clone();
    let mut gradients = Vec::new();
    for draw in 1..=2 {
        let mut gradient = vec![0.0; theta.len()];
        risk.value_gradient_drawn(draw, &all, &by_hand, &mut gradient);
        by_hand.iter_mut().zip(&gradient).for_each(|(theta, slope)| *theta -= 1e-3 * slope);
        gradients.push(gradient);
    }
    assert_ne!(gradients[0], gradients[1]);
    // Of so short steps the last one is the best.
    let descent = GradientDescent::fixed(1e-3);
    let solution = minimize_sampled(&risk, descent, &two, &theta).unwrap();
    assert_eq!(bits(&solution.theta), bits(&by_hand));
}
