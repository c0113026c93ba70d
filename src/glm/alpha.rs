//! The α of a negative binomial, by maximum likelihood.
//!
//! Newton's method for the profile of ln L in a = ln α: at every α the coefficients are those of the largest likelihood, and
//! d²/da² = L_aa − L_aβ·L_ββ⁻¹·L_βa, kept in a bracket of the signs of dL/da. With t = α(y − μ)/(1 + αμ) and D(x) = ψ(x) − ln x,
//! ∂ln p/∂α = α⁻²·(t − ln(1 + t) − D(y + 1/α) + D(1/α)), which cancels nothing as α goes to 0: there it is ½((y − μ)² − y).
//! Where the sum of that over the samples is not positive at the Poisson fit, the likelihood falls from α = 0 on: the counts do not vary
//! more than a Poisson's.
//! Source: Lawless (1987), Canadian J. Statistics 15; Cameron & Trivedi (2013), *Regression Analysis of Count Data*, §3.3.

use super::family::{Family, Response};
use super::information::{self, Border};
use super::targets;
use crate::error::FitError;
use secant_core::data::Dataset;
use secant_core::faer::Mat;
use secant_core::graph::Graph;
use secant_core::loss::Link;
use secant_core::predict::outputs_of;
use secant_core::problem::{Curvature, Linearization, Objective};
use secant_core::risk::Risk;
use secant_core::special::{digamma_less_log, less_log1p, trigamma_less_inverse};
use secant_optim::{Reason, Solution};

/// A step of a = ln α below which the next one is rounding.
const LAST_STEP: f64 = 1e-7;
/// Longest step of a.
const LONGEST: f64 = 2.0;
/// α is looked for between e to minus this and e to this.
const RANGE: f64 = 25.0;
/// Most values of α.
const MOST: usize = 60;

/// What was found.
pub(super) enum Found {
    /// No α > 0: a Poisson.
    Boundary,
    /// α, and what its information has beside that of the coefficients.
    Estimate { alpha: f64, border: Border },
}

/// ∂/∂α, ∂²/∂α² and ∂²/∂z∂α of ln p(y) at one sample.
fn derivatives(alpha: f64, y: f64, mean: f64, slope: f64) -> [f64; 3] {
    let r = alpha.recip();
    let whole = 1.0 + alpha * mean;
    let t = alpha * (y - mean) / whole;
    let part = less_log1p(t) - digamma_less_log(r + y) + digamma_less_log(r);
    let change = trigamma_less_inverse(r + y) - trigamma_less_inverse(r);
    let second = t * t / ((1.0 + t) * alpha * whole) + r * r * change;
    let first = r * r * part;
    [first, r * r * second - 2.0 * r * first, -(y - mean) * slope / (whole * whole)]
}

/// dμ/dz.
fn slope(link: Link, z: f64, mean: f64) -> f64 {
    match link {
        Link::Log => mean,
        Link::Sqrt => 2.0 * z,
        _ => 1.0,
    }
}

pub(super) struct Problem<'a> {
    pub link: Link,
    pub graph: &'a Graph,
    /// Standardised.
    pub data: &'a Dataset,
    pub intercept: bool,
}

impl Problem<'_> {
    /// Means and dμ/dz at θ.
    fn means(&self, theta: &[f64]) -> Result<(Vec<f64>, Vec<f64>), FitError> {
        let mut z = outputs_of(self.graph, theta, self.data, None)?;
        self.data.add_offset(&mut z);
        let mut means = z.clone();
        self.link.means(&mut means, 1);
        let slopes = z.iter().zip(&means).map(|(z, mean)| slope(self.link, *z, *mean)).collect();
        Ok((means, slopes))
    }

    fn weight(&self, i: usize) -> f64 {
        self.data.weights().map_or(1.0, |weights| weights[i])
    }

    /// Σ w·∂ln p/∂α, Σ w·∂²ln p/∂α² and −Σ w·∂²ln p/∂α∂θ.
    fn sums(&self, alpha: f64, theta: &[f64]) -> Result<(f64, Border), FitError> {
        let ((means, slopes), y) = (self.means(theta)?, targets(self.data));
        let d = self.data.features();
        let (mut first, mut second, mut mixed) = (0.0, 0.0, vec![0.0; theta.len()]);
        let mut x = vec![0.0; d];
        for i in (0..y.len()).filter(|i| self.weight(*i) > 0.0) {
            let w = self.weight(i);
            let [one, two, both] = derivatives(alpha, y[i], means[i], slopes[i]);
            first += w * one;
            second += w * two;
            self.data.write_sample(i, &mut x);
            mixed.iter_mut().zip(&x).for_each(|(mixed, x)| *mixed -= w * both * x);
            if self.intercept {
                mixed[d] -= w * both;
            }
        }
        Ok((first, Border { mixed, corner: -second }))
    }

    /// The α of the largest likelihood; `theta` is then that of it. `fit` minimises the risk from a θ.
    pub(super) fn estimate(
        &self,
        risk: &mut Risk<'_>,
        theta: &mut Vec<f64>,
        fit: impl Fn(&Risk<'_>, &[f64]) -> Result<Solution, FitError>,
    ) -> Result<Found, FitError> {
        // Once a fit is interrupted, no other one follows.
        let mut interrupted = false;
        let fit = |risk: &Risk<'_>, from: &[f64], interrupted: &mut bool| {
            fit(risk, from).map(|solution| {
                *interrupted = solution.report.reason == Reason::Interrupted;
                solution.theta
            })
        };
        *theta = fit(risk, theta, &mut interrupted)?;
        let ((means, _), y) = (self.means(theta)?, targets(self.data));
        let sum = |of: &dyn Fn(usize) -> f64| -> f64 {
            (0..y.len()).filter(|i| self.weight(*i) > 0.0).map(|i| self.weight(i) * of(i)).sum()
        };
        let excess = sum(&|i| (y[i] - means[i]) * (y[i] - means[i]) - y[i]);
        if excess <= 0.0 || excess.is_nan() {
            return Ok(Found::Boundary);
        }
        let moment = excess / sum(&|i| means[i] * means[i]);
        let mut at = moment.ln().clamp(1.0 - RANGE, RANGE - 1.0);
        let (mut low, mut high) = (-RANGE, RANGE);
        let mut last = false;
        for _ in 0..MOST {
            let alpha = at.exp();
            let family = Family::NegativeBinomial { alpha };
            risk.set_loss(Response { family, link: self.link }.loss())?;
            if !interrupted {
                *theta = fit(risk, theta, &mut interrupted)?;
            }
            let (first, border) = self.sums(alpha, theta)?;
            if last || interrupted {
                return Ok(Found::Estimate { alpha, border });
            }
            if first > 0.0 {
                low = at;
            } else {
                high = at;
            }
            let slope = alpha * first;
            let own = alpha * first - alpha * alpha * border.corner;
            let through = alpha * alpha * self.through(risk, theta, &border);
            let curvature = own + through;
            let newton = if curvature < 0.0 {
                (-slope / curvature).clamp(-LONGEST, LONGEST)
            } else {
                LONGEST.copysign(slope)
            };
            last = newton.abs() <= LAST_STEP;
            let next = at + newton;
            // Compared so that a NaN is bisected.
            at = if next > low && next < high { next } else { 0.5 * (low + high) };
            last |= high - low <= LAST_STEP;
        }
        let alpha = at.exp();
        let family = Family::NegativeBinomial { alpha };
        risk.set_loss(Response { family, link: self.link }.loss())?;
        *theta = fit(risk, theta, &mut interrupted)?;
        let (_, border) = self.sums(alpha, theta)?;
        Ok(Found::Estimate { alpha, border })
    }

    /// hᵀH⁻¹h of the sums, h the mixed derivatives.
    fn through(&self, risk: &Risk<'_>, theta: &[f64], border: &Border) -> f64 {
        let n = risk.dim();
        let mut matrix = Mat::zeros(n, n);
        risk.linearize(theta).hessian(matrix.as_mut());
        information::quadratic(&matrix, &border.mixed) / self.data.total_weight()
    }
}
