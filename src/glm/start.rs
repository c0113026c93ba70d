//! Where a fit starts: a point at which every sample has a mean.
//!
//! With an intercept, the link of the mean target and slopes of 0. Where a link leaves some scores without a mean (1/z, √μ, an identity of
//! counts) and there is no intercept, a point with z ≥ a level for all samples, by the squared hinge of z: its least value is 0 just where
//! there is such a point. Of two classes with the log link it is z ≤ a level below 0, with the identity all scores are then brought below 1.

use super::family::{Family, Response};
use super::{GlmError, targets};
use crate::error::FitError;
use secant_core::data::{Dataset, Targets};
use secant_core::graph::Graph;
use secant_core::loss::{Hinge, Link};
use secant_core::penalty::Ridge;
use secant_core::predict::outputs_of;
use secant_core::risk::Risk;
use secant_optim::inference::distributions::{Distribution as _, Normal};
use secant_optim::{Method, Newton};

/// Keeps the point of the hinge at a finite place.
const RIDGE: f64 = 1e-10;
/// The least score at a start, in parts of that of the mean target.
const LEAST: f64 = 0.1;
/// How far the probability at a start is from 0 and 1, at least.
const MARGIN: f64 = 0.01;
/// A mean for targets that are all 0.
const LOW: f64 = 0.1;

/// θ of a start on `data` (standardised), c outputs.
pub(super) fn point(
    response: Response,
    graph: &Graph,
    data: &Dataset,
    intercept: bool,
) -> Result<Vec<f64>, FitError> {
    let (d, c) = (data.features(), graph.outputs());
    let mut theta = vec![0.0; d * c + if intercept { c } else { 0 }];
    if intercept {
        theta[d * c..].copy_from_slice(&intercepts(response, data, c));
    } else if response.is_limited() {
        theta = above_a_level(response, graph, data, &theta)?;
    }
    if response.is_limited() {
        let mut z = outputs_of(graph, &theta, data, None)?;
        data.add_offset(&mut z);
        let counts = |i: usize| data.weights().is_none_or(|weights| weights[i] > 0.0);
        if let Some(sample) = (0..z.len()).find(|i| counts(*i) && !response.allows(z[*i])) {
            let (family, link) = (response.family.name(), response.link.name());
            return Err(GlmError::NoStart { family, link, sample }.into());
        }
    }
    Ok(theta)
}

/// Intercepts of the model without features: the link of the mean. 0 where that has none.
pub(super) fn intercepts(response: Response, data: &Dataset, outputs: usize) -> Vec<f64> {
    let weight = |i: usize| data.weights().map_or(1.0, |weights| weights[i]);
    let total = data.total_weight();
    if response.family == Family::Softmax {
        let mut counts = vec![0.0; outputs];
        for (i, label) in data.targets().labels().unwrap_or_default().iter().enumerate() {
            counts[*label as usize] += weight(i);
        }
        return counts.iter().map(|count| finite((count / total).ln())).collect();
    }
    let (y, mut offset) = (targets(data), vec![0.0; data.samples()]);
    data.add_offset(&mut offset);
    let mean = |of: &dyn Fn(usize) -> f64| {
        (0..data.samples()).map(|i| weight(i) / total * of(i)).sum::<f64>()
    };
    let level = mean(&|i| y[i]);
    let score = match response.link {
        _ if response.is_limited() && response.family == Family::Logistic => {
            let shifted = level_score(response, level) - mean(&|i| offset[i]);
            let least = offset.iter().copied().fold(f64::INFINITY, f64::min);
            let largest = offset.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let (low, high) = match response.link {
                Link::Log => (f64::NEG_INFINITY, LEAST * level_score(response, level) - largest),
                _ => (MARGIN - least, 1.0 - MARGIN - largest),
            };
            // Where offsets leave no room no start is one, which is said.
            if low <= high { shifted.clamp(low, high) } else { shifted }
        }
        Link::Identity if !response.is_limited() => mean(&|i| y[i] - offset[i]),
        Link::Log => level.ln() - mean(&|i| offset[i].exp()).ln(),
        Link::Logit | Link::Softmax => (level / (1.0 - level)).ln(),
        Link::Probit => Normal.quantile(level),
        Link::ComplementaryLogLog => (-(-level).ln_1p()).ln(),
        _ => {
            let z = level_score(response, level);
            let least = offset.iter().copied().fold(f64::INFINITY, f64::min);
            let shifted = z - mean(&|i| offset[i]);
            if response.family == Family::Gaussian {
                shifted
            } else {
                shifted.max(LEAST * z - least)
            }
        }
    };
    vec![finite(score)]
}

/// The score of a mean by a link that has not all.
fn level_score(response: Response, level: f64) -> f64 {
    if response.family == Family::Logistic {
        let level = level.clamp(MARGIN, 1.0 - MARGIN);
        return if response.link == Link::Log { level.ln() } else { level };
    }
    let level = if level > 0.0 || (level != 0.0 && response.family == Family::Gaussian) {
        level
    } else {
        LOW
    };
    match response.link {
        Link::Inverse => level.recip(),
        Link::InverseSquare => (level * level).recip(),
        Link::Sqrt => level.sqrt(),
        _ => level,
    }
}

/// Slopes with a score above a level for every sample, as far as there are such.
fn above_a_level(
    response: Response,
    graph: &Graph,
    data: &Dataset,
    start: &[f64],
) -> Result<Vec<f64>, FitError> {
    let y = targets(data);
    let weight = |i: usize| data.weights().map_or(1.0, |weights| weights[i]);
    let sum: f64 = y.iter().enumerate().map(|(i, y)| weight(i) * y).sum();
    // Negative for the log link of two classes: then all scores are below it.
    let level = level_score(response, sum / data.total_weight());
    let ones = Targets::Values { rows: 1, values: vec![1.0; data.samples()] };
    let mut above = data.with_targets(ones)?;
    if let Some(weights) = data.weights() {
        above = above.with_weights(weights.to_vec())?;
    }
    if let Some(offset) = data.offset() {
        above = above.with_offset(offset.iter().map(|offset| offset / level).collect())?;
    }
    let risk = Risk::from_boxed(graph, &above, Box::new(Hinge::squared()), Box::new(Ridge(RIDGE)))?;
    let found = Method::from(Newton::default()).minimize(&risk, start)?;
    let mut theta: Vec<f64> = found.theta.iter().map(|theta| level * theta).collect();
    let from_zero = data.offset().is_none();
    if response.family == Family::Logistic && response.link == Link::Identity && from_zero {
        let z = outputs_of(graph, &theta, data, None)?;
        let largest = z.iter().copied().fold(0.0, f64::max);
        let factor = ((1.0 - MARGIN) / largest).min(1.0);
        for theta in &mut theta {
            *theta *= factor;
        }
    }
    Ok(theta)
}

/// The number, or 0 where it is none.
fn finite(x: f64) -> f64 {
    if x.is_finite() { x } else { 0.0 }
}
