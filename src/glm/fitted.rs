//! What a fitted generalised linear model says.

use super::family::Family;
use super::information::Units;
use super::separation::{Open, functional};
use super::{GlmError, targets};
use crate::error::FitError;
use secant_core::data::Dataset;
use secant_core::predict::PredictError;
use secant_core::text::{LONGEST, cut};
use secant_optim::{Report, Solution};
use std::fmt;

/// Name of the constant term.
const INTERCEPT: &str = "(intercept)";
/// Scores beyond this are probabilities of 0 or 1 to rounding.
const CERTAIN: f64 = 36.0;

/// What the data say of a coefficient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoefficientStatus {
    /// Its estimate is that of the largest likelihood.
    Estimated,
    /// The likelihood has no maximum: it rises for ever as the coefficient goes to ∞, or to −∞. The estimate is where the run ended, and
    /// its error is infinite.
    RunsAway {
        /// Whether to ∞.
        up: bool,
    },
    /// The likelihood, or its limit, is the same whatever it is: its column does not vary or depends on others, or all samples are
    /// separated along other coefficients. It has no error.
    Undetermined,
}

/// One coefficient, in the data's own units.
#[derive(Clone, Debug, PartialEq)]
pub struct Coefficient {
    /// The feature, or `(intercept)`.
    pub name: String,
    /// The class whose score it belongs to, relative to class 0; none but for the softmax.
    pub class: Option<String>,
    /// The estimate.
    pub estimate: f64,
    /// √(φ·[I⁻¹]). Infinite where the coefficient runs away, NaN where it is not determined; the notes of the fit say which.
    pub standard_error: f64,
    /// Whether the estimate is one.
    pub status: CoefficientStatus,
}

impl Coefficient {
    /// The estimate over its standard error.
    pub fn z(&self) -> f64 {
        self.estimate / self.standard_error
    }

    /// Its name, with its class where it has one; long ones cut.
    fn label(&self) -> String {
        match &self.class {
            Some(class) => format!("{} [{}]", cut(&self.name, LONGEST), cut(class, LONGEST)),
            None => cut(&self.name, LONGEST).into_owned(),
        }
    }
}

/// A fitted generalised linear model. `Display` prints a table, with long names cut.
#[derive(Clone, Debug)]
pub struct GlmFit {
    /// The family.
    pub family: Family,
    /// The coefficients: the intercept, where there is one, then the features; for the softmax so for every class from 1 on.
    pub coefficients: Vec<Coefficient>,
    /// Twice φ times what the log-likelihood lacks to that of a model with a parameter for each sample.
    pub deviance: f64,
    /// Σ w(y − μ)²/V(μ); NaN for the softmax.
    pub pearson: f64,
    /// ln L. The normal's at φ = RSS/Σ w, where it is largest; the gamma's at φ̂.
    pub log_likelihood: f64,
    /// φ: Pearson's over [`residual_degrees`](Self::residual_degrees) for the normal and the gamma, 1 for the others.
    pub dispersion: f64,
    /// Σ w less the coefficients that could be estimated.
    pub residual_degrees: f64,
    /// How Newton's method ended, and what it cost.
    pub report: Report,
    /// What the user should know: constant features, dependent ones, classes that are separated.
    pub notes: Vec<String>,
    pub(super) features: usize,
    pub(super) intercept: bool,
}

/// What a fit is made of when the minimum is found.
pub(super) struct Ingredients<'a> {
    pub family: Family,
    pub data: &'a Dataset,
    /// Scores with their offsets, c × N.
    pub z: &'a [f64],
    pub units: &'a Units<'a>,
    /// What the data leave open, where they do.
    pub open: Option<&'a Open>,
}

impl Ingredients<'_> {
    /// The result; `inverse` has the variances over φ of the coefficients.
    pub(super) fn assemble(&self, solution: Solution, inverse: Option<&[f64]>) -> GlmFit {
        let (family, data, units) = (self.family, self.data, self.units);
        let (rows, columns) = (units.rows(), units.columns());
        let constant: Vec<usize> = (0..columns).filter(|col| units.is_constant(*col)).collect();
        let dependent = self.open.filter(|open| open.direction.is_none());
        let idle = dependent.map_or(rows * constant.len(), |open| open.null.ncols());
        let estimated = rows * columns - idle;
        let residual_degrees = data.total_weight() - estimated as f64;
        let sums = self.sums();
        let dispersion = if family.estimates_dispersion() {
            // Compared so that as many coefficients as samples leave none.
            if residual_degrees > 0.0 { sums.pearson / residual_degrees } else { f64::NAN }
        } else {
            1.0
        };
        let status = |row: usize, column: usize| {
            if constant.contains(&column) {
                return CoefficientStatus::Undetermined;
            }
            match self.open.and_then(|open| open.leaves(&functional(units, row, column))) {
                None => CoefficientStatus::Estimated,
                Some(0.0) => CoefficientStatus::Undetermined,
                Some(sign) => CoefficientStatus::RunsAway { up: sign > 0.0 },
            }
        };
        let error = |row: usize, column: usize| match (status(row, column), inverse) {
            (CoefficientStatus::RunsAway { .. }, _) => f64::INFINITY,
            (CoefficientStatus::Estimated, Some(inverse)) => {
                (dispersion * inverse[row * columns + column]).sqrt()
            }
            _ => f64::NAN,
        };
        let name = |column: usize| match column.checked_sub(usize::from(units.intercept)) {
            None => INTERCEPT.to_owned(),
            Some(feature) => data.feature_names()[feature].clone(),
        };
        let class = |row: usize| {
            let label =
                || data.class_names().get(row + 1).cloned().unwrap_or((row + 1).to_string());
            (family == Family::Softmax).then(label)
        };
        let one = |row: usize, column: usize| Coefficient {
            name: name(column),
            class: class(row),
            estimate: units
                .combination(row, column)
                .iter()
                .map(|(j, a)| a * solution.theta[*j])
                .sum(),
            standard_error: error(row, column),
            status: status(row, column),
        };
        let all = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        let coefficients: Vec<Coefficient> = all.map(|(row, column)| one(row, column)).collect();
        let mut notes = Vec::new();
        if !constant.is_empty() {
            let names: Vec<String> = constant.iter().map(|column| name(*column)).collect();
            notes.push(format!("constant features, not estimated: {}", names.join(", ")));
        }
        let varying = |one: &&Coefficient| !constant.iter().any(|column| name(*column) == one.name);
        match self.open {
            Some(open) if open.direction.is_some() => notes.push(separated(open, &coefficients)),
            _ if inverse.is_none() => {
                let text = "no standard errors: the information matrix is singular, features depend on each other or fitted values are at their limits";
                notes.push(text.to_owned());
            }
            Some(_) => {
                let open = coefficients.iter().filter(varying);
                let names = named(open.filter(|one| one.status == CoefficientStatus::Undetermined));
                if !names.is_empty() {
                    notes.push(format!(
                        "no standard errors for {names}: these columns depend on each other, and only sums of their coefficients are determined"
                    ));
                }
            }
            None if matches!(family, Family::Logistic | Family::Softmax) && self.is_certain() => {
                let text = "fitted probabilities of 0 or 1, though no direction separates the classes: coefficients are large and have few certain digits";
                notes.push(text.to_owned());
            }
            None => {}
        }
        if residual_degrees <= 0.0 && family.estimates_dispersion() {
            notes.push("no degrees of freedom are left to estimate the dispersion".to_owned());
        }
        GlmFit {
            family,
            coefficients,
            deviance: sums.deviance,
            pearson: sums.pearson,
            log_likelihood: self.log_likelihood(dispersion, &sums),
            dispersion,
            residual_degrees,
            report: solution.report,
            notes,
            features: data.features(),
            intercept: units.intercept,
        }
    }

    /// Whether a score, or a difference of scores, is that of a probability of 0 or 1.
    fn is_certain(&self) -> bool {
        let c = self.units.outputs;
        self.z.chunks_exact(c).any(|z| {
            let largest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let smallest = z.iter().copied().fold(f64::INFINITY, f64::min);
            if c == 1 { z[0].abs() > CERTAIN } else { largest - smallest > CERTAIN }
        })
    }

    /// Σ w·`term(y, z, μ)` over the samples that count.
    fn sum(&self, term: impl Fn(f64, f64, f64) -> f64) -> f64 {
        let mut means = self.z.to_vec();
        self.family.mean(&mut means, 1);
        let y = targets(self.data);
        let weight = |i: usize| self.data.weights().map_or(1.0, |weights| weights[i]);
        let counting = (0..y.len()).filter(|i| weight(*i) > 0.0);
        counting.map(|i| weight(i) * term(y[i], self.z[i], means[i])).sum()
    }

    fn sums(&self) -> Sums {
        if self.family == Family::Softmax {
            return Sums { deviance: 2.0 * self.cross_entropy(), pearson: f64::NAN };
        }
        let family = self.family;
        Sums {
            deviance: self.sum(|y, z, mean| family.deviance(y, z, mean)),
            pearson: self.sum(|y, _, mean| (y - mean) * (y - mean) / family.variance(mean)),
        }
    }

    /// Σ w·ℓ of the softmax.
    fn cross_entropy(&self) -> f64 {
        let (loss, c) = (self.family.loss(), self.units.outputs);
        let weight = |i: usize| self.data.weights().map_or(1.0, |weights| weights[i]);
        let each = self.z.chunks_exact(c).enumerate().filter(|(i, _)| weight(*i) > 0.0);
        each.map(|(i, z)| weight(i) * loss.value(z, self.data.targets().tile(i..i + 1))).sum()
    }

    fn log_likelihood(&self, dispersion: f64, sums: &Sums) -> f64 {
        let dispersion = match self.family {
            Family::Softmax => return -0.5 * sums.deviance,
            Family::Gaussian => sums.deviance / self.data.total_weight(),
            _ => dispersion,
        };
        self.sum(|y, z, mean| self.family.log_likelihood(y, z, mean, dispersion))
    }
}

/// What a likelihood without a maximum means, and what helps.
fn separated(open: &Open, coefficients: &[Coefficient]) -> String {
    let away = |up| {
        let names = named(
            coefficients.iter().filter(|one| one.status == CoefficientStatus::RunsAway { up }),
        );
        let to = if up { "∞" } else { "−∞" };
        (!names.is_empty()).then(|| format!("{names} to {to}"))
    };
    let away: Vec<String> = [true, false].into_iter().filter_map(away).collect();
    let (at_limit, counting) = (open.at_limit, open.counting);
    let kind = if at_limit == counting { "complete" } else { "quasi-complete" };
    let open =
        named(coefficients.iter().filter(|one| one.status == CoefficientStatus::Undetermined));
    let beside =
        if open.is_empty() { String::new() } else { format!("; then {open} may be anything") };
    format!(
        "the likelihood has no maximum, it rises for ever with {}{beside}: {at_limit} of {counting} samples are separated ({kind} separation) and fitted exactly in the limit. Estimates and errors of these coefficients mean nothing; a ridge makes them finite, and so may merging a level with another or leaving the column out",
        away.join(" and ")
    )
}

/// Their labels, the first few.
fn named<'a>(coefficients: impl Iterator<Item = &'a Coefficient>) -> String {
    const SHOWN: usize = 6;
    let labels: Vec<String> = coefficients.map(Coefficient::label).collect();
    let mut text = labels[..labels.len().min(SHOWN)].join(", ");
    if labels.len() > SHOWN {
        text = format!("{text} and {} more", labels.len() - SHOWN);
    }
    text
}

struct Sums {
    deviance: f64,
    pearson: f64,
}

impl GlmFit {
    /// The first coefficient of this name.
    pub fn coefficient(&self, name: &str) -> Option<&Coefficient> {
        self.coefficients.iter().find(|coefficient| coefficient.name == name)
    }

    /// Scores per sample: 1, or the classes.
    pub fn outputs(&self) -> usize {
        match self.family {
            Family::Softmax => 1 + self.coefficients.len() / self.columns(),
            _ => 1,
        }
    }

    /// μ of M samples, `inputs` d × M column-major: M numbers, or the probabilities of all classes, c × M. Without offset.
    ///
    /// # Errors
    /// When `inputs` is no whole number of samples or not finite.
    pub fn predict(&self, inputs: &[f64]) -> Result<Vec<f64>, FitError> {
        let mut z = self.scores(inputs)?;
        self.family.mean(&mut z, self.outputs());
        Ok(z)
    }

    /// [`predict`](Self::predict) with the offset of every sample, M numbers: the logarithm of its exposure with a log link.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and where there are not M offsets.
    pub fn predict_with_offset(
        &self,
        inputs: &[f64],
        offset: &[f64],
    ) -> Result<Vec<f64>, FitError> {
        let (mut z, c) = (self.scores(inputs)?, self.outputs());
        let (expected, found) = (z.len() / c, offset.len());
        if expected != found {
            return Err(GlmError::Length { what: "offsets", expected, found }.into());
        }
        for (z, offset) in z.chunks_exact_mut(c).zip(offset) {
            for z in z {
                *z += offset;
            }
        }
        self.family.mean(&mut z, c);
        Ok(z)
    }

    /// z of M samples without offset; class 0 of the softmax has 0.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    pub fn scores(&self, inputs: &[f64]) -> Result<Vec<f64>, FitError> {
        let features = self.features;
        if !inputs.len().is_multiple_of(features) {
            return Err(PredictError::Inputs { features, found: inputs.len() }.into());
        }
        if let Some(at) = inputs.iter().position(|x| !x.is_finite()) {
            let (sample, feature) = (at / features, at % features);
            return Err(PredictError::NotFinite { sample, feature, value: inputs[at] }.into());
        }
        let score = |row: &[Coefficient], x: &[f64]| {
            let (constant, slopes) = row.split_at(usize::from(self.intercept));
            let constant: f64 = constant.iter().map(|one| one.estimate).sum();
            constant + slopes.iter().zip(x).map(|(slope, x)| slope.estimate * x).sum::<f64>()
        };
        let first = (self.family == Family::Softmax).then_some(0.0);
        let sample = |x| {
            let rows = self.coefficients.chunks_exact(self.columns());
            first.into_iter().chain(rows.map(move |row| score(row, x)))
        };
        Ok(inputs.chunks_exact(features).flat_map(sample).collect())
    }

    fn columns(&self) -> usize {
        self.features + usize::from(self.intercept)
    }
}

impl fmt::Display for GlmFit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.coefficients.iter().map(|one| one.label().chars().count()).max();
        let width = width.unwrap_or(0).max(INTERCEPT.len());
        writeln!(f, "{}: {}", self.family.name(), self.report.reason)?;
        writeln!(f, "  {:<width$} {:>14} {:>12} {:>9}", "", "estimate", "std. error", "z")?;
        for one in &self.coefficients {
            let (estimate, error, z) = (one.estimate, one.standard_error, one.z());
            let label = one.label();
            match one.status {
                CoefficientStatus::Estimated => {
                    writeln!(f, "  {label:<width$} {estimate:>14.6e} {error:>12.3e} {z:>9.2}")?;
                }
                CoefficientStatus::RunsAway { up } => {
                    let to = if up { "∞" } else { "−∞" };
                    writeln!(f, "  {label:<width$} {estimate:>14.6e} runs away to {to}")?;
                }
                CoefficientStatus::Undetermined => {
                    writeln!(f, "  {label:<width$} {estimate:>14.6e} not determined")?;
                }
            }
        }
        writeln!(
            f,
            "  deviance {:.6e} on {} degrees of freedom",
            self.deviance, self.residual_degrees
        )?;
        write!(
            f,
            "  log-likelihood {:.6e}, dispersion {:.4e}",
            self.log_likelihood, self.dispersion
        )?;
        self.notes.iter().try_for_each(|note| write!(f, "\n  note: {note}"))
    }
}
