//! What a fitted generalised linear model says.

use super::dependence;
use super::family::{Family, Response};
use super::information::{Units, Variances};
use super::separation::{Open, functional};
use super::{GlmError, PowerEstimate, targets};
use crate::error::FitError;
use secant_core::data::{Dataset, Encoding, SparseInputs, Targets};
use secant_core::loss::Link;
use secant_core::predict::PredictError;
use secant_core::risk::RiskError;
use secant_core::text::{LONGEST, cut};
use secant_optim::inference::distributions::{Distribution as _, StudentT};
use secant_optim::{Reason, Report, Solution};
use std::borrow::Cow;
use std::sync::Arc;

/// Name of the constant term.
const INTERCEPT: &str = "(intercept)";
/// −ln of a probability that is 0 to rounding beside 1; scores of a softmax that far apart.
const CERTAIN: f64 = 36.0;
/// A score so small beside the largest is at the end of its range.
const AT_END: f64 = 1e-7;

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
    /// Degrees of freedom of the t distribution that its ratio to its error has; ∞, the normal, where the dispersion is not estimated.
    pub degrees: f64,
}

impl Coefficient {
    /// The estimate over its standard error.
    pub fn z(&self) -> f64 {
        self.estimate / self.standard_error
    }

    /// The two-sided p-value of a coefficient of 0, by the t distribution or the normal ([`degrees`](Self::degrees)); NaN without an error.
    pub fn p_value(&self) -> f64 {
        if self.standard_error.is_finite() {
            StudentT::new(self.degrees).two_sided(self.z())
        } else {
            f64::NAN
        }
    }

    /// The interval that has it with probability `level` (Wald's), by the t distribution or the normal: the line where it runs away, NaN
    /// where it is not determined.
    ///
    /// # Errors
    /// A level that is not between 0 and 1.
    pub fn confidence_interval(&self, level: f64) -> Result<[f64; 2], GlmError> {
        // Compared so that a NaN is refused.
        if !(level > 0.0 && level < 1.0) {
            return Err(GlmError::Level { level });
        }
        let half = StudentT::new(self.degrees).survival_quantile(0.5 * (1.0 - level));
        let half = half * self.standard_error;
        Ok([self.estimate - half, self.estimate + half])
    }

    /// Its name, with its class where it has one; long ones cut.
    pub(crate) fn label(&self) -> String {
        match &self.class {
            Some(class) => format!("{} [{}]", cut(&self.name, LONGEST), cut(class, LONGEST)),
            None => cut(&self.name, LONGEST).into_owned(),
        }
    }
}

/// α of a negative binomial, by maximum likelihood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlphaEstimate {
    /// α; 0 where the counts do not vary more than those of a Poisson, which is then the family of the fit.
    pub estimate: f64,
    /// Its standard error by the observed information of α and the coefficients; NaN at 0.
    pub standard_error: f64,
}

/// A fitted generalised linear model. `Display` prints a table, with long names cut.
#[derive(Clone, Debug)]
pub struct GlmFit {
    /// The family; an α that was estimated stands in it.
    pub family: Family,
    /// The link.
    pub link: Link,
    /// α with its error, where it was estimated.
    pub alpha: Option<AlphaEstimate>,
    /// p of a Tweedie with its error, where it was estimated.
    pub power: Option<PowerEstimate>,
    /// The class whose probability is the mean, where the targets are labels of two.
    pub modelled_class: Option<String>,
    /// Σ w: N, where there are no weights.
    pub total_weight: f64,
    /// The deviance of a constant (beside the offset) in place of the scores; at the α of the fit.
    pub null_deviance: f64,
    /// The coefficients: the intercept, where there is one, then the features; for the softmax so for every class from 1 on.
    pub coefficients: Vec<Coefficient>,
    /// Twice φ times what the log-likelihood lacks to that of a model with a parameter for each sample.
    pub deviance: f64,
    /// Σ w(y − μ)²/V(μ); NaN for the softmax.
    pub pearson: f64,
    /// ln L. The normal's at φ = RSS/Σ w, where it is largest; that of gamma, inverse Gaussian and Tweedie at φ̂.
    pub log_likelihood: f64,
    /// φ: Pearson's over [`residual_degrees`](Self::residual_degrees) where it is estimated, 1 for the others.
    pub dispersion: f64,
    /// Σ w less the coefficients that could be estimated.
    pub residual_degrees: f64,
    /// How Newton's method ended, and what it cost.
    pub report: Report,
    /// What the user should know: constant features, dependent ones, classes that are separated.
    pub notes: Vec<String>,
    pub(super) features: usize,
    pub(super) intercept: bool,
    /// How the columns of a table became the features.
    pub(super) encoding: Option<Arc<Encoding>>,
}

/// What a fit is made of when the minimum is found.
pub(super) struct Ingredients<'a> {
    pub response: Response,
    /// The estimate of α, without its error.
    pub alpha: Option<f64>,
    pub power: Option<PowerEstimate>,
    pub null_deviance: f64,
    pub data: &'a Dataset,
    /// Scores with their offsets, c × N.
    pub z: &'a [f64],
    pub units: &'a Units<'a>,
    /// What the data leave open, where they do.
    pub open: Option<&'a Open>,
}

impl Ingredients<'_> {
    /// The result; `inverse` has the variances over φ of the coefficients.
    pub(super) fn assemble(&self, solution: Solution, inverse: Option<&Variances>) -> GlmFit {
        let (family, data, units) = (self.response.family, self.data, self.units);
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
                (dispersion * inverse.coefficients[row * columns + column]).sqrt()
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
        let degrees = if family.estimates_dispersion() { residual_degrees } else { f64::INFINITY };
        let one = |row: usize, column: usize| Coefficient {
            degrees,
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
                    let equations = self
                        .open
                        .map(|open| dependence::equations(units, &open.null, data.feature_names()));
                    let equations = equations.unwrap_or_default().join(", ");
                    notes.push(format!(
                        "no standard errors for {names}: {equations}, so that only sums of their coefficients are determined; leave the first of each equation out"
                    ));
                }
            }
            None if matches!(family, Family::Logistic | Family::Softmax) && self.is_certain() => {
                let text = "fitted probabilities of 0 or 1, though no direction separates the classes: coefficients are large and have few certain digits";
                notes.push(text.to_owned());
            }
            None => {}
        }
        self.note_limits(&mut notes);
        let reason = solution.report.reason;
        let ended = reason.is_success() || reason == Reason::Interrupted;
        if self.response.is_limited() && !ended && notes.is_empty() {
            notes.push(format!(
                "{}: the fit did not come to a maximum among the scores that the {} link allows",
                family.name(),
                self.response.link.name()
            ));
        }
        if residual_degrees <= 0.0 && family.estimates_dispersion() {
            notes.push("no degrees of freedom are left to estimate the dispersion".to_owned());
        }
        let error = inverse.map_or(f64::NAN, |inverse| inverse.alpha.sqrt());
        let alpha = self.alpha.map(|estimate| AlphaEstimate { estimate, standard_error: error });
        let class = match (family, data.targets()) {
            (Family::Logistic, Targets::Labels { .. }) => {
                Some(data.class_names().get(1).cloned().unwrap_or_else(|| "1".to_owned()))
            }
            _ => None,
        };
        GlmFit {
            family,
            link: self.response.link,
            alpha,
            power: self.power,
            modelled_class: class,
            total_weight: data.total_weight(),
            null_deviance: self.null_deviance,
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
            encoding: data.encoding().cloned(),
        }
    }

    /// Whether a score, or a difference of scores, is that of a probability of 0 or 1.
    fn is_certain(&self) -> bool {
        let c = self.units.outputs;
        self.z.chunks_exact(c).any(|z| {
            let largest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let smallest = z.iter().copied().fold(f64::INFINITY, f64::min);
            if c == 1 {
                self.response.surprises(z[0]).iter().any(|surprise| *surprise > CERTAIN)
            } else {
                largest - smallest > CERTAIN
            }
        })
    }

    /// Says where α is at 0, p at an end of its range, and where a mean is at the end of what its link has.
    fn note_limits(&self, notes: &mut Vec<String>) {
        if let Some(power) = self.power.filter(|power| power.standard_error.is_nan()) {
            notes.push(format!(
                "the likelihood is largest at p = {:.3}, the end of the range that is looked through, or has no curvature there: p has no error; counts are p = 1, positive numbers without zeros p = 2",
                power.estimate
            ));
        }
        if self.alpha == Some(0.0) {
            let text = "the counts do not vary more than those of a Poisson: α is 0, the end of its range, and this is the Poisson fit";
            notes.push(text.to_owned());
        }
        if !self.response.is_limited() {
            return;
        }
        let weight = |i: usize| self.data.weights().map_or(1.0, |weights| weights[i]);
        let counting = || (0..self.z.len()).filter(|i| weight(*i) > 0.0);
        let room = |i: usize| self.response.room(self.z[i]);
        let largest = counting().map(|i| self.z[i].abs()).fold(0.0, f64::max);
        let least = counting().min_by(|a, b| room(*a).total_cmp(&room(*b)));
        if let Some(sample) = least.filter(|i| room(*i) < AT_END * largest) {
            let (family, link) = (self.response.family.name(), self.response.link.name());
            let other = if self.response.family == Family::Logistic { "logit" } else { "log" };
            notes.push(format!(
                "{family}: the score of sample {sample} (from 0) is {:e}, at the end of what the {link} link allows: the likelihood may rise beyond, and standard errors mean little; a {other} link has no such end",
                self.z[sample]
            ));
        }
    }

    fn sums(&self) -> Sums {
        let (response, data, z) = (self.response, self.data, self.z);
        let pearson = if response.family == Family::Softmax {
            f64::NAN
        } else {
            sum(response, data, z, |y, _, mean| (y - mean) * (y - mean) / response.variance(mean))
        };
        Sums { deviance: deviance(response, data, z), pearson }
    }

    fn log_likelihood(&self, dispersion: f64, sums: &Sums) -> f64 {
        let dispersion = match self.response.family {
            Family::Softmax => return -0.5 * sums.deviance,
            Family::Gaussian => sums.deviance / self.data.total_weight(),
            _ => dispersion,
        };
        sum(self.response, self.data, self.z, |y, z, mean| {
            self.response.log_likelihood(y, z, mean, dispersion)
        })
    }
}

/// Σ w·`term(y, z, μ)` over the samples that count, of one score each.
fn sum(response: Response, data: &Dataset, z: &[f64], term: impl Fn(f64, f64, f64) -> f64) -> f64 {
    let mut means = z.to_vec();
    response.mean(&mut means, 1);
    let y = targets(data);
    let weight = |i: usize| data.weights().map_or(1.0, |weights| weights[i]);
    let counting = (0..y.len()).filter(|i| weight(*i) > 0.0);
    counting.map(|i| weight(i) * term(y[i], z[i], means[i])).sum()
}

/// The deviance of scores with their offsets.
pub(super) fn deviance(response: Response, data: &Dataset, z: &[f64]) -> f64 {
    if response.family != Family::Softmax {
        return sum(response, data, z, |y, z, mean| response.deviance(y, z, mean));
    }
    let (loss, c) = (response.loss(), response.outputs(data));
    let weight = |i: usize| data.weights().map_or(1.0, |weights| weights[i]);
    let each = z.chunks_exact(c).enumerate().filter(|(i, _)| weight(*i) > 0.0);
    let of = |(i, z): (usize, &[f64])| weight(i) * loss.value(z, data.targets().tile(i..i + 1));
    2.0 * each.map(of).sum::<f64>()
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
    /// The names of the d features.
    pub fn feature_names(&self) -> Vec<String> {
        let columns = self.features + usize::from(self.intercept);
        let first = self.coefficients.iter().take(columns).skip(usize::from(self.intercept));
        first.map(|one| one.name.clone()).collect()
    }

    /// How the columns of a table become the features: that of the [`Table`](secant_core::data::Table) it was fitted on, else every feature a
    /// column of numbers.
    pub fn encoding(&self) -> Cow<'_, Encoding> {
        match &self.encoding {
            Some(encoding) => Cow::Borrowed(encoding),
            None => Cow::Owned(Encoding::of_numbers(&self.feature_names(), &[], &[])),
        }
    }

    /// The first coefficient of this name.
    pub fn coefficient(&self, name: &str) -> Option<&Coefficient> {
        self.coefficients.iter().find(|coefficient| coefficient.name == name)
    }

    /// Akaike's criterion, −2 ln L + 2k with the k coefficients that could be estimated, and α or p where it was; φ is not counted, as in
    /// statsmodels (R counts it). NaN where ln L is.
    pub fn aic(&self) -> f64 {
        2.0 * (self.parameters() - self.log_likelihood)
    }

    /// The Bayesian criterion, −2 ln L + k·ln Σ w, k as in [`aic`](Self::aic).
    pub fn bic(&self) -> f64 {
        self.parameters() * self.total_weight.ln() - 2.0 * self.log_likelihood
    }

    fn parameters(&self) -> f64 {
        let alpha = self.alpha.is_some_and(|alpha| alpha.estimate > 0.0);
        let beside = u8::from(alpha) + u8::from(self.power.is_some());
        self.total_weight - self.residual_degrees + f64::from(beside)
    }

    /// [`Coefficient::confidence_interval`] of every coefficient.
    ///
    /// # Errors
    /// A level that is not between 0 and 1.
    pub fn confidence_intervals(&self, level: f64) -> Result<Vec<[f64; 2]>, GlmError> {
        self.coefficients.iter().map(|one| one.confidence_interval(level)).collect()
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
        self.link.means(&mut z, self.outputs());
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
        self.link.means(&mut z, c);
        Ok(z)
    }

    /// [`predict`](Self::predict) for the samples of `data`, dense or sparse, with its offsets; features in the order of the fit.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and where the offsets are neither one for all scores nor one for each.
    pub fn predict_dataset(&self, data: &Dataset) -> Result<Vec<f64>, FitError> {
        let (rows, outputs) = (data.offset_rows(), self.outputs());
        if !(rows <= 1 || rows == outputs) {
            return Err(RiskError::Offset { rows, outputs }.into());
        }
        let (features, found) = (self.features, data.features());
        if features != found {
            return Err(PredictError::Features { features, found }.into());
        }
        let mut z = match data.sparse() {
            None => self.dense_scores(data),
            Some(inputs) => self.sparse_scores(inputs),
        };
        data.add_offset(&mut z);
        self.link.means(&mut z, outputs);
        Ok(z)
    }

    fn sparse_scores(&self, inputs: &SparseInputs) -> Vec<f64> {
        let slopes = |row: &[Coefficient]| -> Vec<f64> {
            row[usize::from(self.intercept)..].iter().map(|one| one.estimate).collect()
        };
        // The score of no entries, and the slopes.
        let of = |row: &[Coefficient]| {
            let slopes = slopes(row);
            let constant = if self.intercept { row[0].estimate } else { 0.0 };
            let centre = inputs.centre().unwrap_or_default();
            let shift: f64 = slopes.iter().zip(centre).map(|(slope, centre)| slope * centre).sum();
            (constant - shift, slopes)
        };
        let rows: Vec<_> = self.coefficients.chunks_exact(self.columns()).map(of).collect();
        let first = (self.family == Family::Softmax).then_some(0.0);
        let score = |(constant, slopes): &(f64, Vec<f64>), sample: usize| {
            let (indices, values) = inputs.row(sample);
            let terms = indices.iter().zip(values).map(|(index, x)| slopes[*index as usize] * x);
            constant + terms.sum::<f64>()
        };
        let of_sample =
            |sample| first.into_iter().chain(rows.iter().map(move |row| score(row, sample)));
        (0..inputs.samples()).flat_map(of_sample).collect()
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
        Ok(inputs.chunks_exact(features).flat_map(|x| self.scores_of(x)).collect())
    }

    /// The same of finite inputs, which are widened or standardised a sample at a time.
    fn dense_scores(&self, data: &Dataset) -> Vec<f64> {
        let mut x = vec![0.0; self.features];
        let mut z = Vec::with_capacity(data.samples() * self.outputs());
        for sample in 0..data.samples() {
            data.write_sample(sample, &mut x);
            z.extend(self.scores_of(&x));
        }
        z
    }

    /// z of one sample.
    fn scores_of<'a>(&'a self, x: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        let score = move |row: &[Coefficient]| {
            let (constant, slopes) = row.split_at(usize::from(self.intercept));
            let constant: f64 = constant.iter().map(|one| one.estimate).sum();
            constant + slopes.iter().zip(x).map(|(slope, x)| slope.estimate * x).sum::<f64>()
        };
        let first = (self.family == Family::Softmax).then_some(0.0);
        first.into_iter().chain(self.coefficients.chunks_exact(self.columns()).map(score))
    }

    fn columns(&self) -> usize {
        self.features + usize::from(self.intercept)
    }

    /// d.
    #[cfg(feature = "html")]
    pub(crate) fn features(&self) -> usize {
        self.features
    }

    /// Whether there is a constant term.
    #[cfg(feature = "html")]
    pub(crate) fn has_intercept(&self) -> bool {
        self.intercept
    }

    /// The loss that was minimised.
    #[cfg(feature = "html")]
    pub(crate) fn loss(&self) -> Result<Box<dyn secant_core::loss::Loss>, GlmError> {
        Ok(Response::new(self.family, Some(self.link))?.loss())
    }
}
