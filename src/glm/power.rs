//! The p of a Tweedie, by maximum likelihood.
//!
//! The coefficients of the largest likelihood do not depend on φ: at every p they are those of the quasi-likelihood, and φ is then found by
//! Newton's method in ln φ, with ∂ln a/∂ln φ = −(1 − α)·E j and ∂²ln a/∂(ln φ)² = (1 − α)²·Var j over the terms j of the density's series. What is
//! left is a function of p alone, the profile: its largest value on a grid is bracketed by the neighbours and refined by parabolas and golden
//! sections. The standard error is that of its curvature, so that φ and the coefficients are not taken for known.
//! Source: Dunn & Smyth (2005), Statistics and Computing 15, §4; Brent (1973), *Algorithms for Minimization without Derivatives*, ch. 5.

use super::family::{Family, Response};
use super::{GlmError, targets, tweedie};
use crate::error::FitError;
use secant_core::data::Dataset;
use secant_core::graph::Graph;
use secant_core::predict::outputs_of;
use secant_core::risk::Risk;
use secant_optim::{Reason, Solution};

/// p is looked for between these: nearer to 1 and 2 the density has too many terms, or none.
const RANGE: (f64, f64) = (1.02, 1.98);
/// Values of p that the search begins with, ends included.
const GRID: usize = 11;
/// The interval of p that is rounding of the profile.
const NARROW: f64 = 1e-7;
/// Most refinements.
const MOST: usize = 60;
/// 1 − 1/golden ratio.
const GOLDEN: f64 = 0.381_966_011_250_105_1;
/// Half a step of the difference that the curvature of the profile is.
const DIFFERENCE: f64 = 1e-3;
/// Most steps of ln φ, and the last of them.
const MOST_STEPS: usize = 100;
const LAST_STEP: f64 = 1e-10;
/// The longest step of ln φ.
const LONGEST: f64 = 1.5;

/// p of a Tweedie, by maximum likelihood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PowerEstimate {
    /// p.
    pub estimate: f64,
    /// Its standard error by the curvature of the profile likelihood, φ and the coefficients free; NaN at an end of the range.
    pub standard_error: f64,
    /// φ of the largest likelihood at this p; the errors of the coefficients have Pearson's as ever.
    pub dispersion: f64,
    /// ln L there.
    pub log_likelihood: f64,
}

/// A point of the profile.
#[derive(Clone, Copy)]
struct Point {
    power: f64,
    log_dispersion: f64,
    value: f64,
}

pub(super) struct Problem<'a, 'd, F> {
    pub response: Response,
    pub graph: &'a Graph,
    pub data: &'a Dataset,
    pub risk: &'a mut Risk<'d>,
    pub theta: &'a mut Vec<f64>,
    /// Minimises the risk from a θ.
    pub fit: F,
    pub interrupted: bool,
}

impl<F: Fn(&Risk<'_>, &[f64]) -> Result<Solution, FitError>> Problem<'_, '_, F> {
    /// The p of the largest likelihood, with θ at it.
    pub(super) fn estimate(mut self) -> Result<PowerEstimate, FitError> {
        let counts = |i: usize| self.data.weights().is_none_or(|weights| weights[i] > 0.0);
        let y = targets(self.data);
        if !y.iter().enumerate().any(|(i, y)| counts(i) && *y > 0.0) {
            return Err(GlmError::NoPower.into());
        }
        let (low, high) = RANGE;
        let step = (high - low) / (GRID - 1) as f64;
        let mut grid: Vec<Point> = Vec::new();
        for k in 0..GRID {
            let from = grid.last().map_or(f64::NAN, |point| point.log_dispersion);
            grid.push(self.at(low + step * k as f64, from)?);
        }
        // A NaN is never the largest.
        let best = (0..GRID).fold(0, |a, b| {
            let larger = grid[b].value > grid[a].value || grid[a].value.is_nan();
            if larger { b } else { a }
        });
        let around = (grid[best.saturating_sub(1)].power, grid[(best + 1).min(GRID - 1)].power);
        let top = if self.interrupted { grid[best] } else { self.refine(grid[best], around)? };
        let mut curvature = f64::NAN;
        if !self.interrupted && top.power - low > DIFFERENCE && high - top.power > DIFFERENCE {
            let below = self.at(top.power - DIFFERENCE, top.log_dispersion)?.value;
            let above = self.at(top.power + DIFFERENCE, top.log_dispersion)?.value;
            curvature = (2.0 * top.value - below - above) / (DIFFERENCE * DIFFERENCE);
        }
        let end = self.at(top.power, top.log_dispersion)?;
        Ok(PowerEstimate {
            estimate: end.power,
            standard_error: curvature.recip().sqrt(),
            dispersion: end.log_dispersion.exp(),
            log_likelihood: end.value,
        })
    }

    /// Brent's search for the largest value between two p around `best`.
    fn refine(&mut self, best: Point, (mut low, mut high): (f64, f64)) -> Result<Point, FitError> {
        let (mut x, mut second, mut third) = (best, best, best);
        let (mut step, mut before) = (0.0_f64, 0.0_f64);
        for _ in 0..MOST {
            let middle = 0.5 * (low + high);
            if (x.power - middle).abs() + 0.5 * (high - low) <= 2.0 * NARROW {
                break;
            }
            let parabola = vertex(x, second, third)
                .filter(|to| *to > low && *to < high && (to - x.power).abs() < 0.5 * before.abs());
            before = step;
            step = if let Some(to) = parabola {
                to - x.power
            } else {
                before = if x.power < middle { high - x.power } else { low - x.power };
                GOLDEN * before
            };
            if step.abs() < NARROW {
                step = NARROW.copysign(step);
            }
            let found = self.at(x.power + step, x.log_dispersion)?;
            if found.value >= x.value {
                let end = if found.power < x.power { &mut high } else { &mut low };
                *end = x.power;
                (third, second, x) = (second, x, found);
            } else {
                let end = if found.power < x.power { &mut low } else { &mut high };
                *end = found.power;
                if found.value >= second.value || second.power == x.power {
                    (third, second) = (second, found);
                } else {
                    third = found;
                }
            }
            if self.interrupted {
                break;
            }
        }
        Ok(x)
    }

    /// The profile at p; ln φ is looked for from `log_dispersion`, or from Pearson's where that is NaN.
    fn at(&mut self, power: f64, log_dispersion: f64) -> Result<Point, FitError> {
        let response = Response { family: Family::Tweedie { power }, ..self.response };
        self.risk.set_loss(response.loss())?;
        if !self.interrupted {
            let solution = (self.fit)(self.risk, self.theta)?;
            self.interrupted = solution.report.reason == Reason::Interrupted;
            *self.theta = solution.theta;
        }
        let mut z = outputs_of(self.graph, self.theta, self.data, None)?;
        self.data.add_offset(&mut z);
        let mut means = z.clone();
        response.link.means(&mut means, 1);
        let (y, weights) = (targets(self.data), self.data.weights());
        let counting: Vec<usize> =
            (0..y.len()).filter(|i| weights.is_none_or(|weights| weights[*i] > 0.0)).collect();
        let weight = |i: usize| weights.map_or(1.0, |weights| weights[i]);
        let kernel: f64 = counting.iter().map(|&i| weight(i) * response.kernel(y[i], z[i])).sum();
        let mut at = log_dispersion;
        if at.is_nan() {
            let square = |i: usize| (y[i] - means[i]).powi(2) / response.variance(means[i]);
            let pearson: f64 = counting.iter().map(|&i| weight(i) * square(i)).sum();
            at = (pearson / self.data.total_weight()).ln();
        }
        let sums = |at: f64| {
            let mut sums = [0.0; 3];
            for &i in &counting {
                let terms = tweedie::normaliser(y[i], at.exp(), power);
                sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += weight(i) * term);
            }
            let scaled = kernel * (-at).exp();
            [scaled + sums[0], sums[1] - scaled, sums[2] + scaled]
        };
        let mut found = sums(at);
        for _ in 0..MOST_STEPS {
            let [value, slope, curvature] = found;
            let newton = if curvature < 0.0 { -slope / curvature } else { LONGEST.copysign(slope) };
            let mut step = newton.clamp(-LONGEST, LONGEST);
            let mut next = sums(at + step);
            // Halved until it rises, down to rounding; a NaN is halved too.
            while (next[0] < value || next[0].is_nan()) && step.abs() > LAST_STEP {
                step *= 0.5;
                next = sums(at + step);
            }
            if step.abs() <= LAST_STEP || step.is_nan() {
                break;
            }
            (at, found) = (at + step, next);
        }
        Ok(Point { power, log_dispersion: at, value: found[0] })
    }
}

/// Where the parabola through three points has its largest value; none where it has none.
fn vertex(a: Point, b: Point, c: Point) -> Option<f64> {
    let (p, q) = (b.power - a.power, c.power - a.power);
    let (f, g) = (b.value - a.value, c.value - a.value);
    let bottom = p * g - q * f;
    let top = p * p * g - q * q * f;
    let to = a.power + 0.5 * top / bottom;
    // A top, not a bottom.
    let bends_down = (f / p - g / q) / (p - q) < 0.0;
    (to.is_finite() && bends_down).then_some(to)
}
