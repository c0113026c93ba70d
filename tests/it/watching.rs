//! Fits that are seen while they run, judged by samples held out, and run from several starts.

use secant::argmin::core::observers::ObserverMode;
use secant::argmin::core::{CostFunction, Executor};
use secant::argmin::solver::neldermead::NelderMead;
use secant::{
    Activation, Adam, Dataset, FitError, GradientDescent, Interrupt, Lbfgs, LevenbergMarquardt,
    Minibatches, Network, NoPenalty, ProgressLine, Reason, Ridge, Risk, SquaredError, Standardize,
    Stopping, Targets,
};
use secant_core::problem::Objective;
use secant_core::rho::Rho;
use std::io::Write;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

/// A sine with noise, and a network with far more parameters than that needs.
fn noisy(samples: usize) -> (Dataset, Network) {
    let mut draw = secant_core::random::Random::new(7);
    let x: Vec<f64> = (0..samples).map(|_| 6.0 * draw.uniform() - 3.0).collect();
    let y: Vec<f64> = x.iter().map(|x| x.sin() + 0.5 * (draw.uniform() - 0.5)).collect();
    (Dataset::from_slices(1, &x, 1, &y).unwrap(), Network::mlp([1, 30, 1], Activation::Tanh))
}

#[test]
fn a_network_that_overfits_is_kept_at_its_least_loss_on_the_samples_held_out() {
    let (data, net) = noisy(60);
    for method in [Lbfgs::default().into(), secant::Method::from(LevenbergMarquardt::default())] {
        let fit = secant::fit(&net, &data).method(method).validation_fraction(0.4);
        let fit = fit.patience(15).max_iterations(400).seed(3).run().unwrap();
        let report = fit.report();
        let losses: Vec<f64> =
            report.trace.iter().map(|entry| entry.validation.unwrap().loss).collect();
        let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
        let held_out = report.validation.unwrap();
        assert_eq!(held_out.loss, least, "{report}");
        assert_eq!(report.reason, Reason::ValidationStopped, "{report}");
        assert_eq!(report.iterations, held_out.iteration + 15);
        assert_eq!(losses[usize::try_from(held_out.iteration).unwrap()], least);
        assert_eq!(held_out.evaluations, losses.len() as u64);
        // It did overfit: the last iterate is worse there, and better on the training part.
        let last = report.trace.last().unwrap();
        assert!(last.validation.unwrap().loss > least && last.value < report.value, "{report}");
    }
}

#[test]
fn the_loss_on_the_samples_held_out_is_that_of_the_model_there() {
    let (data, net) = noisy(80);
    let (train, held_out) = data.split(0.7, 5).unwrap();
    let weights: Vec<f64> = (0..held_out.samples()).map(|i| 0.5 + (i % 3) as f64).collect();
    for held_out in [held_out.clone(), held_out.with_weights(weights).unwrap()] {
        for standardize in [Standardize::Nothing, Standardize::InputsAndTargets] {
            let fit = secant::fit(&net, &train).validation(&held_out).standardize(standardize);
            // The penalty has no part in it.
            let fit = fit.penalty(Ridge(1e-3)).max_iterations(12).run().unwrap();
            let model = fit.model();
            let scaled = match (model.input_scaling(), model.target_scaling()) {
                (Some(inputs), Some(targets)) => {
                    targets.transform_targets(&inputs.transform_inputs(&held_out).unwrap()).unwrap()
                }
                _ => held_out.clone(),
            };
            let risk = Risk::new(model.graph(), &scaled, SquaredError, NoPenalty).unwrap();
            let (found, truth) = (fit.report().validation.unwrap().loss, risk.value(model.theta()));
            assert!((found - truth).abs() <= 1e-14 * truth, "{found} {truth}");
        }
    }
}

#[test]
fn samples_held_out_have_no_influence_on_scaling_or_path() {
    let (data, net) = noisy(50);
    let (train, held_out) = data.split(0.8, 1).unwrap();
    let moved: Vec<f64> = held_out.inputs().iter().map(|x| 100.0 * x + 7.0).collect();
    let shifted: Vec<f64> = held_out.targets().values().unwrap().iter().map(|y| y - 50.0).collect();
    let other = Dataset::from_slices(1, &moved, 1, &shifted).unwrap();
    let run = |held_out: &Dataset| {
        let fit = secant::fit(&net, &train).method(Lbfgs::default()).validation(held_out);
        fit.max_iterations(20).run().unwrap()
    };
    let (one, two) = (run(&held_out), run(&other));
    let path = |fit: &secant::Fitted| {
        fit.report().trace.iter().map(|entry| entry.value.to_bits()).collect::<Vec<_>>()
    };
    assert_eq!(path(&one), path(&two));
    for scaling in [secant::Model::input_scaling, secant::Model::target_scaling] {
        let (one, two) = (scaling(one.model()).unwrap(), scaling(two.model()).unwrap());
        assert_eq!((one.means(), one.deviations()), (two.means(), two.deviations()));
    }
    // The same where they are drawn: those of the training part, and not of all.
    let all = secant::fit(&net, &data).validation_fraction(0.2).seed(9).max_iterations(2).run();
    let (train, _) = data.split(0.8, 9).unwrap();
    let means = secant::Standardizer::fit_inputs(&train);
    assert_eq!(all.unwrap().model().input_scaling().unwrap().means(), means.means());
}

#[test]
fn classifiers_tell_the_accuracy_on_the_samples_held_out() {
    let data =
        Dataset::from_csv_labels(concat!(env!("CARGO_MANIFEST_DIR"), "/data/iris.csv"), "target")
            .unwrap();
    let (train, held_out) = data.split(0.7, 2).unwrap();
    let net = Network::linear(4, 3);
    let fit = secant::fit(&net, &train).penalty(Ridge(1e-3)).validation(&held_out).run().unwrap();
    let told = fit.report().validation.unwrap().accuracy.unwrap();
    let classes = fit.model().predict_classes(held_out.inputs()).unwrap();
    let labels = held_out.targets().labels().unwrap();
    let hits = classes.iter().zip(labels).filter(|(found, label)| found == label).count();
    assert!((told - hits as f64 / labels.len() as f64).abs() < 1e-15, "{told}");
    assert!(fit.report().to_string().contains(&format!("accuracy {:.2} %", 100.0 * told)));
}

#[test]
fn minibatches_are_judged_by_the_samples_held_out_too() {
    let (data, net) = noisy(90);
    let minibatches = Minibatches::of(10).with_epochs(30).with_seed(4);
    let fit = secant::fit(&net, &data).method(Adam::default().with_rate(0.03));
    let fit = fit.minibatches(minibatches).validation_fraction(0.3).run().unwrap();
    let losses = fit.report().trace.iter().map(|entry| entry.validation.unwrap().loss);
    let least = losses.fold(f64::INFINITY, f64::min);
    assert_eq!(fit.report().validation.unwrap().loss, least);
}

#[test]
fn a_robust_fit_is_judged_by_the_loss_of_its_last_scale() {
    let (data, net) = noisy(60);
    let fit = secant::fit(&net, &data).robust(Rho::Huber).validation_fraction(0.3);
    let fit = fit.max_iterations(30).run().unwrap();
    let report = fit.report();
    let losses = report.trace.iter().map(|entry| entry.validation.unwrap().loss);
    assert_eq!(report.validation.unwrap().loss, losses.fold(f64::INFINITY, f64::min));
}

#[test]
fn sixteen_starts_end_in_the_same_bits_on_any_number_of_threads() {
    let (data, net) = noisy(40);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let fit = secant::fit(&net, &data).penalty(Ridge(1e-4)).max_iterations(25);
            fit.starts(16).seed(5).run().unwrap()
        })
    };
    let one = run(1);
    let starts = one.starts().unwrap();
    assert_eq!(starts.values.len(), 16);
    assert_eq!(starts.values[starts.best], one.report().value);
    for threads in [2, 3] {
        let more = run(threads);
        assert_eq!(more.model().theta(), one.model().theta(), "{threads} threads");
        assert_eq!(more.starts().unwrap().values, starts.values);
    }
    // Each is the fit of its seed, and the best is the least.
    for (seed, value) in starts.seeds.iter().zip(&starts.values) {
        let alone = secant::fit(&net, &data).penalty(Ridge(1e-4)).max_iterations(25);
        assert_eq!(alone.seed(*seed).run().unwrap().report().value, *value);
    }
    let least = starts.values.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(starts.values[starts.best], least);
    let near = starts.values.iter().filter(|value| **value <= least * (1.0 + 1e-6)).count();
    assert_eq!(starts.reached, near);
}

#[test]
fn a_given_start_is_the_first_of_several() {
    let (data, net) = noisy(40);
    let theta = net.draw(11).unwrap();
    let several = secant::fit(&net, &data).start(theta.clone()).starts(3).max_iterations(5);
    let several = several.run().unwrap();
    let alone = secant::fit(&net, &data).start(theta).max_iterations(5).run().unwrap();
    assert_eq!(several.starts().unwrap().values[0], alone.report().value);
}

#[test]
fn one_interrupt_ends_all_starts_and_leaves_the_best_of_them() {
    let (data, net) = noisy(40);
    let interrupt = Interrupt::new();
    let handle = interrupt.clone();
    let fit = secant::fit(&net, &data).interrupt(&interrupt).starts(6).observe(move |step| {
        if step.iteration == 3 {
            handle.set();
        }
        ControlFlow::Continue(())
    });
    let fit = fit.run().unwrap();
    assert_eq!(fit.report().reason, Reason::Interrupted);
    assert_eq!(fit.starts().unwrap().values.len(), 6);
    assert!(fit.report().iterations <= 3);
}

#[test]
fn a_broken_robust_fit_makes_no_further_round() {
    let (data, net) = noisy(60);
    let mut begun = 0;
    let fit = secant::fit(&net, &data).robust(Rho::Tukey).observe(|step| {
        begun += u32::from(step.iteration == 0);
        if step.iteration == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let report = fit.run().unwrap().report().clone();
    assert_eq!((report.reason, begun), (Reason::Interrupted, 1), "{report}");
}

#[test]
fn what_cannot_be_is_an_error_that_names_it() {
    let (data, net) = noisy(20);
    let fit = || secant::fit(&net, &data);
    let sentence = |result: Result<secant::Fitted, FitError>| result.unwrap_err().to_string();
    for fraction in [0.0, 1.0, -0.5, f64::NAN, f64::INFINITY] {
        let error = sentence(fit().validation_fraction(fraction).run());
        assert!(error.contains(&format!("{fraction}")), "{error}");
    }
    assert!(sentence(fit().validation_fraction(1e-9).run()).contains("20"));
    assert!(sentence(fit().patience(3).run()).contains("validation_fraction"));
    assert!(sentence(fit().starts(0).run()).contains("starts(0)"));
    let wide = Dataset::from_slices(2, &[1.0, 2.0], 1, &[1.0]).unwrap();
    assert!(sentence(fit().validation(&wide).run()).contains("2 features"));
    let labels = Targets::Labels { classes: 2, labels: vec![0, 1] };
    let labels = Dataset::new(1, vec![1.0, 2.0], labels).unwrap();
    assert!(sentence(fit().validation(&labels).run()).contains("label"));
    let error = fit().starts(2).compare(&secant::compare()).unwrap_err();
    assert!(error.to_string().contains("`starts`"), "{error}");
}

/// What is written, to be read.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[test]
fn progress_that_is_not_on_a_terminal_is_plain_lines_at_growing_intervals() {
    let (data, net) = noisy(40);
    let page = Page::default();
    let mut line = ProgressLine::lines(Box::new(page.clone()), 1);
    let fit = secant::fit(&net, &data).method(GradientDescent::fixed(0.01)).max_iterations(500);
    let fit = fit.observe(|progress| {
        line.show(progress);
        ControlFlow::Continue(())
    });
    let fit = fit.run().unwrap();
    line.finish(fit.report());
    let text = page.text();
    assert!(text.chars().all(|c| !c.is_control() || c == '\n'), "{text:?}");
    let first = format!("gradient descent: iteration 0, value {:.6e}", fit.report().initial_value);
    let first = first.to_lowercase();
    assert!(text.lines().next().unwrap().to_lowercase().starts_with(&first), "{text}");
    assert!(text.lines().count() < 12, "{text}");
    let last = text.lines().last().unwrap();
    assert!(last.contains("500 iterations") && last.contains("iterations are used up"), "{text}");
}

#[test]
fn a_writer_that_fails_does_not_end_a_run() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("full"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Err(std::io::Error::other("full"))
        }
    }
    let (data, net) = noisy(30);
    let mut line = ProgressLine::lines(Box::new(Full), 1);
    let fit = secant::fit(&net, &data).max_iterations(5).observe(|progress| {
        line.show(progress);
        ControlFlow::Continue(())
    });
    assert_eq!(fit.run().unwrap().report().reason, Reason::MaxIterations);
}

#[test]
fn the_line_serves_a_solver_of_argmins_own() {
    struct Bowl;
    impl CostFunction for Bowl {
        type Param = Vec<f64>;
        type Output = f64;
        fn cost(&self, x: &Vec<f64>) -> Result<f64, secant::argmin::core::Error> {
            Ok(x.iter().map(|x| x * x).sum())
        }
    }
    let page = Page::default();
    let line = ProgressLine::lines(Box::new(page.clone()), 1);
    let simplex = vec![vec![1.0, 1.0], vec![2.0, 1.0], vec![1.0, 2.0]];
    Executor::new(Bowl, NelderMead::new(simplex))
        .configure(|state| state.max_iters(30))
        .add_observer(line, ObserverMode::Always)
        .run()
        .unwrap();
    let text = page.text();
    assert!(text.starts_with("Nelder-Mead method: iteration 0, value 2.0"), "{text}");
    assert!(text.lines().last().unwrap().contains(" iterations in "), "{text}");
}

#[test]
fn a_limit_of_time_that_is_used_up_keeps_the_start() {
    let (data, net) = noisy(30);
    let none = Stopping { max_time: Some(std::time::Duration::ZERO), ..Stopping::default() };
    let fit = secant::fit(&net, &data).method(Lbfgs::default()).stopping(none).run().unwrap();
    assert_eq!((fit.report().reason, fit.report().iterations), (Reason::MaxTime, 0));
}

#[test]
fn the_picture_of_a_fit_shows_both_losses_and_what_was_kept() {
    let (data, net) = noisy(60);
    let fit = || secant::fit(&net, &data).method(Lbfgs::default()).max_iterations(20);
    let alone = fit().run().unwrap().figure("alone").svg().unwrap();
    assert!(alone.contains("training") && !alone.contains("held out"));
    let judged = fit().validation_fraction(0.4).run().unwrap().figure("judged").svg().unwrap();
    assert!(["training", "held out", "kept"].iter().all(|name| judged.contains(name)));
}
