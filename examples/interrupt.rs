//! How do I watch a fit, and stop it? A line of progress, Ctrl-C that keeps the best point, and how soon a run obeys.
//!
//! A network on the concrete table runs until it is done or Ctrl-C is pressed; the model is the best one on the samples held out. With
//! `--measure` a second thread sets the interrupt at moments spread over runs of Newton (inside of Hessians of some 2,000 parameters),
//! Newton–CG (inside of CG) and L-BFGS (inside of line searches), and the time until they return is held against one evaluation.
//!
//! `cargo run --release --example interrupt [-- --measure --json]`

#[macro_use]
#[path = "support/mod.rs"]
mod support;

use secant::optim::Watch;
use secant::{
    Activation, Dataset, Interrupt, Lbfgs, Linearization, Method, Network, Newton, NewtonCg,
    Reason, Ridge, Risk, SquaredError,
};
use secant::{Curvature, Objective};
use std::error::Error;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use support::{About, Args, JSON, shipped};

const ABOUT: About = About {
    name: "interrupt",
    answers: "How do I watch a fit, and stop it? Press Ctrl-C: the best model so far comes back.",
    takes: &[],
    options: &[
        ("--measure", "", "how soon runs obey, in evaluations"),
        ("--moments", "COUNT", "with --measure: interrupts of every method (default 20)"),
        JSON,
    ],
    output: "progress on standard error, then the report; with --measure a line for every method",
    data: "",
};

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read(&ABOUT);
    if args.has("--measure") {
        return measure(args.count("--moments", 20), args.json());
    }
    let interrupt = Interrupt::new();
    let handle = interrupt.clone();
    ctrlc::set_handler(move || handle.set())?;

    let data = Dataset::from_csv(shipped("concrete.csv"), "target")?;
    let net = Network::mlp([8, 24, 24, 1], Activation::Tanh);
    let fit = secant::fit(&net, &data)
        .method(Lbfgs::default())
        .penalty(Ridge(1e-5))
        .validation_fraction(0.2)
        .max_iterations(5_000)
        .interrupt(&interrupt)
        .progress()
        .run()?;
    if args.json() {
        let report = fit.report();
        let held_out = report.validation.map(|held_out| held_out.loss);
        println!(
            "{}",
            serde_json::json!({
                "reason": format!("{:?}", report.reason),
                "iterations": report.iterations,
                "value": report.value,
                "held_out": held_out,
            })
        );
    } else {
        println!("{}", fit.report());
    }
    Ok(())
}

/// Where the interrupt comes, the method that spends its time there, the seconds of one such evaluation.
struct Case {
    place: &'static str,
    method: Method,
    evaluation: f64,
}

/// Sets the interrupt at `moments` spread over the time of 3 evaluations and measures how long the run goes on.
fn measure(moments: usize, json: bool) -> Result<(), Box<dyn Error>> {
    let data = Dataset::from_csv(shipped("concrete.csv"), "target")?;
    let net = Network::mlp([8, 40, 40, 1], Activation::Tanh);
    let inputs = secant::Standardizer::fit_inputs(&data);
    let targets = secant::Standardizer::fit_targets(&data)?;
    let data = targets.transform_targets(&inputs.transform_inputs(&data)?)?;
    let risk = Risk::new(net.graph()?, &data, SquaredError, Ridge(1e-6))?;
    let theta = net.draw(1)?;
    let n = risk.dim();
    let mut gradient = vec![0.0; n];
    let gradient_seconds = seconds(|| {
        risk.value_gradient(&theta, &mut gradient);
    });
    let mut hessian = secant::faer::Mat::zeros(n, n);
    let hessian_seconds = seconds(|| risk.linearize(&theta).hessian(hessian.as_mut()));
    let cases = [
        Case { place: "Hessian", method: Newton::default().into(), evaluation: hessian_seconds },
        Case { place: "CG", method: NewtonCg::default().into(), evaluation: gradient_seconds },
        Case {
            place: "line search",
            method: Lbfgs::default().into(),
            evaluation: gradient_seconds,
        },
    ];
    if !json {
        println!(
            "{:<12} {:>6} {:>14} {:>14} {:>8} {:>8}",
            "inside", "n", "evaluation, s", "returned, s", "median", "worst"
        );
    }
    for case in cases {
        let mut ratios = Vec::new();
        for moment in 0..moments {
            let wait = case.evaluation * (1.0 + 3.0 * moment as f64 / moments as f64);
            let after = returned_after(&risk, &case.method, &theta, wait)?;
            ratios.push(after / case.evaluation);
        }
        ratios.sort_by(f64::total_cmp);
        let (median, worst) = (ratios[moments / 2], ratios[moments - 1]);
        let evaluation = case.evaluation;
        if json {
            println!(
                "{}",
                serde_json::json!({
                    "inside": case.place, "n": n, "evaluation_seconds": evaluation,
                    "median_ratio": median, "worst_ratio": worst, "moments": moments,
                })
            );
        } else {
            let returned = median * evaluation;
            println!(
                "{:<12} {n:>6} {evaluation:>14.6} {returned:>14.6} {median:>8.3} {worst:>8.3}",
                case.place
            );
        }
    }
    Ok(())
}

/// Seconds between the interrupt, `wait` seconds after the begin, and the end of the run.
fn returned_after(
    risk: &Risk<'_>,
    method: &Method,
    theta: &[f64],
    wait: f64,
) -> Result<f64, Box<dyn Error>> {
    let interrupt = Interrupt::new();
    let handle = interrupt.clone();
    let (told, set) = mpsc::channel();
    let setter = thread::spawn(move || {
        thread::sleep(Duration::from_secs_f64(wait));
        let at = Instant::now();
        handle.set();
        // Nobody hears it where the run ended in an error.
        let _ = told.send(at);
    });
    let mut watch = Watch::new().interrupt(interrupt);
    let solution = method.clone().minimize_watched(risk, theta, &mut watch)?;
    let end = Instant::now();
    let at = set.recv()?;
    setter.join().map_err(|_| "the thread that interrupts has panicked")?;
    if solution.report.reason != Reason::Interrupted {
        return Err(format!("ended before the interrupt: {}", solution.report).into());
    }
    Ok(end.duration_since(at).as_secs_f64())
}

/// The median of seven.
fn seconds(mut work: impl FnMut()) -> f64 {
    let mut each = [0.0; 7];
    for time in &mut each {
        let clock = Instant::now();
        work();
        *time = clock.elapsed().as_secs_f64();
    }
    each.sort_by(f64::total_cmp);
    each[3]
}
