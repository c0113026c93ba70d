//! Linear models on tables that are drawn: least squares, and logistic regression with a ridge.
//!
//! What a library has for the model takes part with its own function and gradient; general minimisers with those of `secant`'s [`Risk`].
//! Solutions are judged by the gradient of that risk.

use crate::descent;
use crate::race::{Contestant, Task, largest};
use linfa::traits::Fit;
use ndarray::{Array1, Array2};
use secant::core::random::Random;
use secant::{
    Dataset, Logistic, Network, NoPenalty, Objective, Ridge, Risk, SquaredError, Targets,
};
use secant::{Standardize, linear_regression};
use serde_json::Value;
use std::error::Error;

/// d.
const FEATURES: usize = 50;
/// λ of ½λ‖w‖², beside the mean loss.
const STRENGTH: f64 = 1e-4;
/// The part of one feature that is the one before it.
const SHARED: f64 = 0.7;

/// x (a sample is contiguous) with features that hang together, and scores β₀ + xᵀβ.
fn drawn(samples: usize, seed: u64) -> (Vec<f64>, Vec<f64>, Random) {
    let mut random = Random::new(seed);
    let beta: Vec<f64> =
        (0..FEATURES).map(|_| random.normal() / (FEATURES as f64).sqrt()).collect();
    let own = (1.0 - SHARED * SHARED).sqrt();
    let (mut x, mut scores) = (Vec::with_capacity(samples * FEATURES), Vec::new());
    for _ in 0..samples {
        let (mut last, mut score) = (random.normal(), 0.5);
        for beta in &beta {
            last = SHARED * last + own * random.normal();
            x.push(last);
            score += beta * last;
        }
        scores.push(score);
    }
    (x, scores, random)
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// ‖∇f‖∞ at θ over `scale`.
fn gradient_size(risk: &Risk<'_>, theta: &[f64], scale: f64) -> f64 {
    let mut gradient = vec![0.0; risk.dim()];
    risk.value_gradient(theta, &mut gradient);
    largest(&gradient) / scale
}

/// Least squares, 50,000 × 50.
pub fn ols(repeats: usize) -> Result<Vec<Value>, Box<dyn Error>> {
    let samples = 50_000;
    let (x, scores, mut random) = drawn(samples, 11);
    let y: Vec<f64> = scores.iter().map(|score| score + random.normal()).collect();
    let data = Dataset::from_slices(FEATURES, &x, 1, &y)?;
    let network = Network::linear(FEATURES, 1);
    let risk = Risk::new(network.graph()?, &data, SquaredError, NoPenalty)?;
    let peers =
        linfa::Dataset::new(Array2::from_shape_vec((samples, FEATURES), x)?, Array1::from_vec(y));
    let start = vec![0.0; risk.dim()];
    let scale = gradient_size(&risk, &start, 1.0);
    let contestants = vec![
        Contestant::direct("secant, linear_regression", || {
            let found = linear_regression(&data).solve().map_err(words)?.coefficients;
            // The intercept stands first there, last in θ.
            Ok(found[1..].iter().chain(&found[..1]).copied().collect())
        }),
        Contestant::new("secant, fit", |tolerance| {
            let fit = secant::fit(&network, &data).standardize(Standardize::Nothing);
            let fit = fit.loss(SquaredError).stopping(descent::stopping(tolerance * scale));
            fit.run().map(|fitted| fitted.model().theta().to_vec()).map_err(words)
        }),
        Contestant::direct("linfa-linear, LinearRegression", || {
            let found = linfa_linear::LinearRegression::new().fit(&peers).map_err(words)?;
            Ok(found.params().iter().copied().chain([found.intercept()]).collect())
        }),
    ];
    let judge = |theta: &[f64]| gradient_size(&risk, theta, scale).into();
    let title = "least squares, 50,000 × 50".to_owned();
    Ok(Task { title, asked: 1e-10, judge: Box::new(judge), contestants }.race(repeats))
}

/// Logistic regression with a ridge, 20,000 × 50.
pub fn logistic(repeats: usize) -> Result<Vec<Value>, Box<dyn Error>> {
    let samples = 20_000;
    let (x, scores, mut random) = drawn(samples, 12);
    let chance = |score: &f64| (1.0 + (-2.0 * score).exp()).recip();
    let labels: Vec<u32> =
        scores.iter().map(|score| u32::from(random.uniform() < chance(score))).collect();
    let targets = Targets::Labels { classes: 2, labels: labels.clone() };
    let data = Dataset::new(FEATURES, x.clone(), targets)?;
    let network = Network::linear(FEATURES, 1);
    let risk = Risk::new(network.graph()?, &data, Logistic, Ridge(STRENGTH))?;
    let peers = linfa::Dataset::new(
        Array2::from_shape_vec((samples, FEATURES), x)?,
        Array1::from_vec(labels),
    );
    let start = vec![0.0; risk.dim()];
    let mut contestants = vec![
        Contestant::new("secant, fit", |tolerance| {
            let fit = secant::fit(&network, &data).standardize(Standardize::Nothing);
            let fit = fit.loss(Logistic).penalty(Ridge(STRENGTH));
            let fit = fit.stopping(descent::stopping(tolerance));
            fit.run().map(|fitted| fitted.model().theta().to_vec()).map_err(words)
        }),
        // Its f is N times ours, and its tolerance that of ‖∇f‖.
        Contestant::new("linfa-logistic", |tolerance| {
            let count = samples as f64;
            let fit = linfa_logistic::LogisticRegression::default().max_iterations(20_000);
            let fit = fit.alpha(STRENGTH * count).gradient_tolerance(tolerance * count);
            let found = fit.fit(&peers).map_err(words)?;
            // The larger class is its positive one.
            let sign = if found.labels().pos.class == 1 { 1.0 } else { -1.0 };
            let theta = found.params().iter().copied().chain([found.intercept()]);
            Ok(theta.map(|entry| sign * entry).collect())
        }),
    ];
    contestants.extend(descent::by_gradient(&risk, &start));
    contestants.extend(descent::by_curvature(&risk, &start));
    let judge = |theta: &[f64]| gradient_size(&risk, theta, 1.0).into();
    let title = "logistic, 20,000 × 50, ‖∇f‖∞".to_owned();
    Ok(Task { title, asked: 1e-8, judge: Box::new(judge), contestants }.race(repeats))
}
