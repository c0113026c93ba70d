//! `Glm::poisson()…fit(&data)`: generalised linear models with coefficients in the data's own units, standard errors and deviance.
//!
//! | family | links, the default first | variance / φ | φ |
//! |---|---|---|---|
//! | [`Glm::gaussian`] | identity, log, inverse | 1 | Pearson's estimate |
//! | [`Glm::poisson`] | log, identity, sqrt | μ | 1 |
//! | [`Glm::logistic`] | logit, probit, complementary log-log, log, identity | μ(1 − μ) | 1 |
//! | [`Glm::gamma`] | log, identity, inverse | μ² | Pearson's estimate |
//! | [`Glm::inverse_gaussian`] | log, identity, inverse, inverse square | μ³ | Pearson's estimate |
//! | [`Glm::negative_binomial`], [`Glm::negative_binomial_estimated`] | log, identity, sqrt | μ + αμ² | 1 |
//! | [`Glm::tweedie`], [`Glm::tweedie_estimated`] | log, identity, sqrt | μᵖ | Pearson's estimate |
//! | [`Glm::softmax`] | softmax of (0, z₁, …): class 0 is the reference | | 1 |
//!
//! The mean μ of y follows from z = β₀ + xᵀβ (+ offset) by the [`Link`], [`Glm::link`]. Identity, inverse, inverse square and sqrt have means
//! for z > 0 only (but for the normal), two classes with the log link for z < 0 and with the identity between 0 and 1: the fit starts at a point
//! where all samples have one, and stays where they have.
//! Minus the log-likelihood is minimised by [`Newton`] on standardised features, which moves no minimum, and the result is put back into
//! the data's units. Standard errors are √(φ·[I⁻¹]ⱼⱼ) with the information matrix I at the end, by a Cholesky factorisation: the
//! expected one by default, as R's `glm` and statsmodels have it, or the observed one ([`Information`]); they differ but for canonical
//! links. With an α that is estimated, errors are by default those of the observed information of α and the coefficients together. φ̂ is Pearson's Σ w(y − μ)²/V(μ) over Σ w − p; a weight counts as copies of its sample, in Σ w too.
//! A likelihood without a maximum (classes that are separated, a group of counts that are all 0) and columns that depend on each other are
//! found by [`separation`]: each coefficient has a [`CoefficientStatus`], and those that are determined keep their errors.
//! Source: McCullagh & Nelder (1989), *Generalized Linear Models*, ch. 2, 5–8.

mod alpha;
mod dependence;
mod family;
mod fitted;
mod information;
mod power;
mod saved;
mod separation;
mod start;
mod table;
mod tweedie;

pub use family::Family;
pub use fitted::{AlphaEstimate, Coefficient, CoefficientStatus, GlmFit};
pub use power::PowerEstimate;

use crate::error::FitError;
use crate::progress::ProgressLine;
use family::Response;
use secant_core::data::{Dataset, Standardizer, Targets};
use secant_core::graph::Graph;
use secant_core::loss::Link;
use secant_core::network::Network;
use secant_core::op::Dense;
use secant_core::penalty::Ridge;
use secant_core::predict::outputs_of;
use secant_core::risk::Risk;
use secant_optim::{
    Interrupt, Iterates, Method, Newton, Reason, RunOptions, Solution, Stopping, Watch,
};
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

/// ‖∇f‖∞ must fall by this factor: coefficients then have about all digits that rounding leaves.
const GRADIENT_TOLERANCE: f64 = 1e-12;
/// Most steps of Newton's method. A dozen is usual; estimates that run off to infinity take a step per unit of z.
const MAX_ITERATIONS: u64 = 200;

/// Which information matrix standard errors rest on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Information {
    /// Its mean over y at the fitted μ, Fisher's.
    #[default]
    Expected,
    /// The Hessian at the data.
    Observed,
}

/// What is wrong with a generalised linear model before it is fitted.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GlmError {
    /// An exposure that has no logarithm.
    #[error(
        "the exposure of sample {sample} (from 0) is {value}, expected a positive finite number"
    )]
    Exposure {
        /// The sample, from 0.
        sample: usize,
        /// Its exposure.
        value: f64,
    },
    /// An exposure without a log link: there its logarithm is not what the mean is multiplied by.
    #[error("{family}: an exposure needs a log link; take an offset")]
    ExposureLink {
        /// The family.
        family: &'static str,
    },
    /// A level of an interval that is no probability.
    #[error("the level of an interval is {level}, expected a number between 0 and 1")]
    Level {
        /// The level.
        level: f64,
    },
    /// A link that the family does not go with.
    #[error("{family}: there is no {link} link, only {allowed}")]
    Link {
        /// The family.
        family: &'static str,
        /// The link.
        link: &'static str,
        /// Those that there are.
        allowed: String,
    },
    /// No coefficients give every sample a mean.
    #[error(
        "{family}: no coefficients were found with which the {link} link has a mean for every sample: none for sample {sample} (from 0); take an intercept, or a log link"
    )]
    NoStart {
        /// The family.
        family: &'static str,
        /// The link.
        link: &'static str,
        /// The first sample without a mean.
        sample: usize,
    },
    /// A power to be estimated from targets that are all 0.
    #[error("tweedie: no target is positive, so that its power cannot be estimated")]
    NoPower,
    /// Offsets, exposures or predictions of another length than the samples.
    #[error("{what}: expected {expected}, found {found}")]
    Length {
        /// What was counted.
        what: &'static str,
        /// Numbers that fit.
        expected: usize,
        /// Numbers given.
        found: usize,
    },
}

impl std::fmt::Debug for GlmError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// A generalised linear model being described; [`fit`](Self::fit) fits it.
///
/// Deaths of British male doctors by age group and smoking, with the person-years as exposure (Breslow & Day 1987, a table of ten rows):
///
/// ```
/// use secant::{Dataset, Glm};
/// let smokers = [32.0, 104.0, 206.0, 186.0, 102.0];
/// let others = [2.0, 12.0, 28.0, 28.0, 31.0];
/// let years = [52407.0, 43248.0, 28612.0, 12663.0, 5317.0, 18790.0, 10673.0, 5710.0, 2585.0, 1462.0];
/// // Smoking, and the age group with its square.
/// let rows = (0..10).flat_map(|i| [f64::from(i < 5), f64::from(i % 5), f64::from((i % 5) * (i % 5))]);
/// let x: Vec<f64> = rows.collect();
/// let data = Dataset::from_slices(3, &x, 1, &[smokers, others].concat())?
///     .with_feature_names(vec!["smokes".into(), "age".into(), "age²".into()])?;
///
/// let fit = Glm::poisson().exposure(&years).fit(&data)?;
/// let smokes = fit.coefficient("smokes").unwrap();
/// assert!((smokes.estimate - 0.355).abs() < 5e-3 && (smokes.standard_error - 0.107).abs() < 5e-3);
/// println!("{fit}");
/// // Deaths in 1,000 years of a smoker in the middle group.
/// let deaths = fit.predict_with_offset(&[1.0, 2.0, 4.0], &[1000.0_f64.ln()])?;
/// assert!((deaths[0] - 7.0).abs() < 0.5);
/// # Ok::<(), secant::FitError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "nothing happens before `fit`"]
pub struct Glm {
    family: Family,
    link: Option<Link>,
    /// Whether α or p is estimated, in place of the one in the family.
    estimates: bool,
    intercept: bool,
    ridge: f64,
    offset: Option<Vec<f64>>,
    exposure: Option<Vec<f64>>,
    weights: Option<Vec<f64>>,
    information: Option<Information>,
    stopping: Stopping,
    interrupt: Option<Interrupt>,
    progress: bool,
}

impl Glm {
    /// The model of a family.
    pub fn new(family: Family) -> Self {
        let stopping = Stopping {
            gradient_tolerance: GRADIENT_TOLERANCE,
            max_iterations: MAX_ITERATIONS,
            ..Stopping::default()
        };
        Self {
            family,
            link: None,
            estimates: false,
            intercept: true,
            ridge: 0.0,
            offset: None,
            exposure: None,
            weights: None,
            information: None,
            stopping,
            interrupt: None,
            progress: false,
        }
    }

    /// Normal y with mean z: linear regression. [`linear_regression`](crate::linear_regression()) has more digits.
    pub fn gaussian() -> Self {
        Self::new(Family::Gaussian)
    }

    /// Counts with the log link. Targets ≥ 0.
    pub fn poisson() -> Self {
        Self::new(Family::Poisson)
    }

    /// Two classes (class 1 positive), or shares in [0, 1] (weights: how many there were), with the logit link.
    pub fn logistic() -> Self {
        Self::new(Family::Logistic)
    }

    /// Positive numbers with a variance in proportion to μ², and the log link.
    pub fn gamma() -> Self {
        Self::new(Family::Gamma)
    }

    /// Counts with variance μ + αμ², α given, and the log link.
    pub fn negative_binomial(alpha: f64) -> Self {
        Self::new(Family::NegativeBinomial { alpha })
    }

    /// Counts with variance μ + αμ², α estimated by maximum likelihood ([`GlmFit::alpha`]), and the log link. Where they vary no more than those of a
    /// Poisson, the fit is a Poisson's, with a note.
    ///
    /// ```
    /// use secant::{Dataset, Family, Glm};
    /// let x: Vec<f64> = (0..40).map(|i| f64::from(i % 8)).collect();
    /// let y: Vec<f64> = (0..40).map(|i| f64::from(i * i * 7 % 23 % (2 + i % 8 * 3))).collect();
    /// let fit = Glm::negative_binomial_estimated().fit(&Dataset::from_slices(1, &x, 1, &y)?)?;
    /// let alpha = fit.alpha.expect("it was estimated");
    /// assert!(alpha.estimate > 2.0 * alpha.standard_error);
    /// assert_eq!(fit.family, Family::NegativeBinomial { alpha: alpha.estimate });
    /// # Ok::<(), secant::FitError>(())
    /// ```
    pub fn negative_binomial_estimated() -> Self {
        Self { estimates: true, ..Self::negative_binomial(1.0) }
    }

    /// Positive numbers with a variance in proportion to μ³, and the log link.
    pub fn inverse_gaussian() -> Self {
        Self::new(Family::InverseGaussian)
    }

    /// Positive numbers and zeros with a variance in proportion to μᵖ, p between 1 and 2 given, and the log link.
    pub fn tweedie(power: f64) -> Self {
        Self::new(Family::Tweedie { power })
    }

    /// The same with p estimated by maximum likelihood ([`GlmFit::power`]), φ and the coefficients free.
    ///
    /// A fit for each of some 25 values of p, and about 10,000 terms of the density's series for each sample.
    ///
    /// ```
    /// use secant::{Dataset, Family, Glm};
    /// // Rain of forty days: none on some.
    /// let x: Vec<f64> = (0..40).map(|i| f64::from(i % 8)).collect();
    /// let y: Vec<f64> = (0..40).map(|i| f64::from((i * i * 7 % 23 - 8).max(0) * (1 + i % 8)) / 9.0).collect();
    /// let fit = Glm::tweedie_estimated().fit(&Dataset::from_slices(1, &x, 1, &y)?)?;
    /// let power = fit.power.expect("it was estimated");
    /// assert!(1.1 < power.estimate && power.estimate < 1.9 && power.standard_error < 0.2);
    /// assert_eq!(fit.family, Family::Tweedie { power: power.estimate });
    /// # Ok::<(), secant::FitError>(())
    /// ```
    pub fn tweedie_estimated() -> Self {
        Self { estimates: true, ..Self::tweedie(1.5) }
    }

    /// Class labels; coefficients are relative to class 0.
    pub fn softmax() -> Self {
        Self::new(Family::Softmax)
    }

    /// From scores to means; [`fit`](Self::fit) refuses one that the family does not go with. Default as in the [table](Family::links).
    ///
    /// ```
    /// use secant::{Dataset, Glm, Link};
    /// let x: Vec<f64> = (0..30).map(|i| f64::from(i % 10)).collect();
    /// let labels: Vec<u32> = (0..30).map(|i| u32::from(i * 7 % 10 + i % 10 > 9)).collect();
    /// let data = Dataset::from_labels(1, &x, 2, &labels)?;
    /// let fit = Glm::logistic().link(Link::Probit).fit(&data)?;
    /// assert!(fit.coefficients[1].p_value() < 0.05);
    /// let refused = Glm::logistic().link(Link::Sqrt).fit(&data).unwrap_err();
    /// assert_eq!(refused.to_string(), "logistic: there is no sqrt link, only logit, probit, complementary log-log, log, identity");
    /// # Ok::<(), secant::FitError>(())
    /// ```
    pub fn link(mut self, link: Link) -> Self {
        self.link = Some(link);
        self
    }

    /// Whether there is an intercept. Default true.
    pub fn intercept(mut self, intercept: bool) -> Self {
        self.intercept = intercept;
        self
    }

    /// λ/2·‖β‖² beside the *mean* of −ln p, over the coefficients of the *standardised* features and without the intercept, as
    /// [`fit`](crate::fit()) has it. Standard errors are then those of the penalised information. Default 0.
    pub fn ridge(mut self, lambda: f64) -> Self {
        self.ridge = lambda;
        self
    }

    /// What is added to z: N numbers, in place of the data's own ([`Dataset::with_offset`]).
    pub fn offset(mut self, offset: &[f64]) -> Self {
        self.offset = Some(offset.to_vec());
        self
    }

    /// The exposure of each sample, N positive numbers, with a log link: its logarithm is added to z, beside any offset.
    pub fn exposure(mut self, exposure: &[f64]) -> Self {
        self.exposure = Some(exposure.to_vec());
        self
    }

    /// The weight of each sample, N numbers ≥ 0, in place of the data's own ([`Dataset::with_weights`]): how often it counts.
    pub fn weights(mut self, weights: &[f64]) -> Self {
        self.weights = Some(weights.to_vec());
        self
    }

    /// What standard errors rest on. Default the expected information; with an α that is estimated, the observed one of α and the
    /// coefficients together. The expected one has no part of α in the errors of the coefficients.
    pub fn information(mut self, information: Information) -> Self {
        self.information = Some(information);
        self
    }

    /// When Newton's method stops. Default: ‖∇f‖∞ fallen by 1e-12, or 200 steps.
    pub fn stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }

    /// Ends the fit within an evaluation once it is set, with the best coefficients so far: the report says
    /// [`Interrupted`](secant_optim::Reason::Interrupted), and a note that they are no estimates.
    ///
    /// ```
    /// use secant::{Dataset, Glm, Interrupt, Reason};
    /// let x: Vec<f64> = (0..30).map(f64::from).collect();
    /// let data = Dataset::from_slices(1, &x, 1, &x)?;
    /// let interrupt = Interrupt::new();
    /// interrupt.set();
    /// let fit = Glm::poisson().interrupt(&interrupt).fit(&data)?;
    /// assert_eq!(fit.report.reason, Reason::Interrupted);
    /// # Ok::<(), secant::FitError>(())
    /// ```
    pub fn interrupt(mut self, interrupt: &Interrupt) -> Self {
        self.interrupt = Some(interrupt.clone());
        self
    }

    /// Shows a line on standard error while it runs, as [`Fit::progress`](crate::Fit::progress) does.
    pub fn progress(mut self) -> Self {
        self.progress = true;
        self
    }

    /// Fits the model.
    ///
    /// # Errors
    /// [`FitError`]: targets outside the family's domain, with the sample; offsets, exposures, weights or a ridge that do not fit; more
    /// features than a matrix of their number squared has memory for. Numerical trouble is a [`Reason`](crate::Reason) in the report,
    /// and what could not be estimated is said in the notes and by the [status](CoefficientStatus) of each coefficient.
    pub fn fit(&self, data: &Dataset) -> Result<GlmFit, FitError> {
        let data = self.beside(data)?;
        let mut response = Response::new(self.family, self.link)?;
        let scaling = scaling(&data, self.intercept)?;
        let scaled = scaling.share_inputs(&data)?;
        let (d, c) = (data.features(), response.outputs(&data));
        let network = network(d, c, self.intercept);
        let graph = network.graph()?;
        let mut risk =
            Risk::from_boxed(graph, &scaled, response.loss(), Box::new(Ridge(self.ridge)))?;
        let mut begin = start::point(response, graph, &scaled, self.intercept)?;
        let line = self.progress.then(|| Mutex::new(ProgressLine::new(1)));
        let (line, mut alpha, mut border) = (line.as_ref(), None, None);
        let is_count = matches!(self.family, Family::NegativeBinomial { .. });
        if self.estimates && is_count {
            (response, border) =
                self.estimate_alpha(response, graph, &scaled, &mut risk, &mut begin, line)?;
            alpha = Some(match response.family {
                Family::NegativeBinomial { alpha } => alpha,
                _ => 0.0,
            });
        }
        let mut power = None;
        if self.estimates && !is_count {
            let found = power::Problem {
                response,
                graph,
                data: &scaled,
                risk: &mut risk,
                theta: &mut begin,
                fit: |risk: &Risk<'_>, from: &[f64]| Ok(self.minimize(risk, from, line)?.0),
                interrupted: false,
            };
            let found = found.estimate()?;
            response.family = Family::Tweedie { power: found.estimate };
            power = Some(found);
        }
        let (solution, iterates) = self.minimize(&risk, &begin, line)?;
        if let Some(line) = line {
            line.lock().unwrap_or_else(PoisonError::into_inner).finish(&solution.report);
        }

        let mut z = outputs_of(graph, &solution.theta, &scaled, None)?;
        data.add_offset(&mut z);
        let information = match (self.information, alpha) {
            (None, Some(_)) => Information::Observed,
            (information, _) => information.unwrap_or_default(),
        };
        if information == Information::Expected {
            risk.set_loss(response.expected_information())?;
            // Of α and the coefficients nothing is shared.
            if let Some(border) = &mut border {
                border.mixed.fill(0.0);
            }
        }
        let units = information::Units { scaling: &scaling, outputs: c, intercept: self.intercept };
        let held = self.ridge > 0.0;
        let design = separation::Design {
            response,
            data: &data,
            scaled: &scaled,
            z: &z,
            units: &units,
            held,
        };
        // Steps towards the end, the last one and ever longer ones.
        let end = design.relative(&solution.theta);
        let last = iterates.points().len().saturating_sub(1);
        let lags =
            std::iter::successors(Some(1), |lag| Some(2 * lag)).take_while(|lag| *lag < last);
        let points: Vec<&[f64]> = iterates.points().collect();
        let steps = lags.chain([last]).filter_map(|lag| points.get(last.checked_sub(lag)?));
        let step = |from: &&[f64]| -> Vec<f64> {
            end.iter().zip(design.relative(from)).map(|(end, from)| end - from).collect()
        };
        let interrupted = solution.report.reason == Reason::Interrupted;
        // Of a point on the way nothing is asked.
        let mut open = if interrupted { None } else { design.separation(steps.map(step)) };
        let (theta, total, border) = (&solution.theta, data.total_weight(), border.as_ref());
        let mut inverse = match &open {
            Some(open) if !held => {
                information::inverse_of(&risk, theta, &units, total, border, open)
            }
            _ => information::inverse(&risk, theta, &units, total, border),
        };
        if inverse.is_none() && open.is_none() && !held && !interrupted {
            open = design.dependence();
            inverse = open.as_ref().and_then(|open| {
                information::inverse_of(&risk, theta, &units, total, border, open)
            });
        }
        let model = fitted::Ingredients {
            response,
            alpha,
            power,
            null_deviance: self.null_deviance(response, &data)?,
            data: &data,
            z: &z,
            units: &units,
            open: open.as_ref(),
        };
        let mut fit = model.assemble(solution, inverse.as_ref());
        if interrupted {
            let text = "interrupted: the coefficients are those of a point on the way, and their errors mean little";
            fit.notes.push(text.to_owned());
        }
        Ok(fit)
    }

    /// Newton's method from `start`.
    fn minimize(
        &self,
        risk: &Risk<'_>,
        start: &[f64],
        line: Option<&Mutex<ProgressLine>>,
    ) -> Result<(Solution, Iterates), FitError> {
        let newton = Method::from(Newton::default()).with_stopping(self.stopping.clone());
        let mut watch = Watch::new();
        if let Some(interrupt) = &self.interrupt {
            watch = watch.interrupt(interrupt.clone());
        }
        if let Some(line) = line {
            watch = watch.observe(|progress| {
                line.lock().unwrap_or_else(PoisonError::into_inner).show(progress);
                ControlFlow::Continue(())
            });
        }
        let options = RunOptions { recorded: true, ..RunOptions::default() };
        Ok(newton.minimize_with(risk, start, &options, &mut watch)?)
    }

    /// The family with the α of the largest likelihood, or the Poisson where there is none; `theta` is then that of it.
    fn estimate_alpha(
        &self,
        response: Response,
        graph: &Graph,
        scaled: &Dataset,
        risk: &mut Risk<'_>,
        theta: &mut Vec<f64>,
        line: Option<&Mutex<ProgressLine>>,
    ) -> Result<(Response, Option<information::Border>), FitError> {
        let poisson = Response { family: Family::Poisson, ..response };
        risk.set_loss(poisson.loss())?;
        let problem =
            alpha::Problem { link: response.link, graph, data: scaled, intercept: self.intercept };
        let fit = |risk: &Risk<'_>, from: &[f64]| Ok(self.minimize(risk, from, line)?.0);
        Ok(match problem.estimate(risk, theta, fit)? {
            alpha::Found::Boundary => (poisson, None),
            alpha::Found::Estimate { alpha, border } => {
                let family = Family::NegativeBinomial { alpha };
                (Response { family, ..response }, Some(border))
            }
        })
    }

    /// The deviance of a constant in place of the scores, beside the offset.
    fn null_deviance(&self, response: Response, data: &Dataset) -> Result<f64, FitError> {
        let weight = |i: usize| data.weights().map_or(1.0, |weights| weights[i]);
        let (samples, total) = (data.samples(), data.total_weight());
        if data.offset().is_some() {
            let ones = vec![1.0; samples];
            let mut alone = match data.targets() {
                Targets::Values { values, .. } => Dataset::from_slices(1, &ones, 1, values)?,
                Targets::Labels { labels, classes } => {
                    Dataset::from_labels(1, &ones, *classes, labels)?
                }
            };
            if let Some(weights) = data.weights() {
                alone = alone.with_weights(weights.to_vec())?;
            }
            if let Some(offset) = data.offset() {
                alone = alone.with_offset(offset.to_vec())?;
            }
            let network = network(1, response.outputs(data), false);
            let (graph, none) = (network.graph()?, Box::new(Ridge(0.0)));
            let risk = Risk::from_boxed(graph, &alone, response.loss(), none)?;
            let begin = start::intercepts(response, &alone, graph.outputs());
            let (solution, _) = self.minimize(&risk, &begin, None)?;
            if solution.report.reason == Reason::Interrupted {
                return Ok(f64::NAN);
            }
            let mut z = outputs_of(graph, &solution.theta, &alone, None)?;
            alone.add_offset(&mut z);
            return Ok(fitted::deviance(response, &alone, &z));
        }
        if let (Family::Softmax, Targets::Labels { labels, classes }) =
            (response.family, data.targets())
        {
            let mut counts = vec![0.0; *classes];
            labels.iter().enumerate().for_each(|(i, label)| counts[*label as usize] += weight(i));
            let seen = counts.iter().filter(|count| **count > 0.0);
            return Ok(-2.0 * seen.map(|count| count * (count / total).ln()).sum::<f64>());
        }
        let y = targets(data);
        let mean = (0..samples).map(|i| weight(i) / total * y[i]).sum::<f64>();
        let counting = (0..samples).filter(|i| weight(*i) > 0.0);
        Ok(counting.map(|i| weight(i) * response.deviance_of_mean(y[i], mean)).sum())
    }

    /// The data with this model's offsets and weights.
    fn beside(&self, data: &Dataset) -> Result<Dataset, FitError> {
        let samples = data.samples();
        let length = |what, found| {
            let expected = samples;
            if found == expected { Ok(()) } else { Err(GlmError::Length { what, expected, found }) }
        };
        let mut data = data.clone();
        if let Some(offset) = &self.offset {
            length("offsets", offset.len())?;
            data = data.with_offset(offset.clone())?;
        }
        if let Some(exposure) = &self.exposure {
            let link = Response::new(self.family, self.link)?.link;
            if link != Link::Log {
                return Err(GlmError::ExposureLink { family: self.family.name() }.into());
            }
            length("exposures", exposure.len())?;
            if let Some(sample) = exposure.iter().position(|e| !(*e > 0.0 && e.is_finite())) {
                return Err(GlmError::Exposure { sample, value: exposure[sample] }.into());
            }
            let mut offset: Vec<f64> = exposure.iter().map(|e| e.ln()).collect();
            let rows = data.offset_rows().max(1);
            if let Some(own) = data.offset() {
                let each = own.iter().enumerate().map(|(at, own)| own + offset[at / rows]);
                offset = each.collect();
            }
            data = data.with_offset(offset)?;
        }
        if let Some(weights) = &self.weights {
            data = data.with_weights(weights.clone())?;
        }
        Ok(data)
    }
}

/// z = Wᵀx, with a bias where there is an intercept.
fn network(features: usize, outputs: usize, intercept: bool) -> Network {
    if intercept {
        Network::linear(features, outputs)
    } else {
        Network::sequential(features).node(Dense::new(outputs).without_bias()).build()
    }
}

/// Features to mean 0 and deviation 1; without an intercept, which would take the means up, to a mean square of 1.
fn scaling(data: &Dataset, intercept: bool) -> Result<Standardizer, FitError> {
    let centred = Standardizer::fit_inputs(data);
    if intercept {
        return Ok(centred);
    }
    let moments = centred.means().iter().zip(centred.deviations());
    let roots = moments.map(|(mean, deviation)| f64::hypot(*mean, *deviation)).collect();
    let names = centred.names().to_vec();
    Ok(Standardizer::new(names, vec![0.0; data.features()], roots)?)
}

/// y as numbers; a label is 0 or 1.
fn targets(data: &Dataset) -> Vec<f64> {
    match data.targets() {
        Targets::Values { values, .. } => values.clone(),
        Targets::Labels { labels, .. } => labels.iter().map(|label| f64::from(*label)).collect(),
    }
}
