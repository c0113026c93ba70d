//! `Glm::poisson()…fit(&data)`: generalised linear models with coefficients in the data's own units, standard errors and deviance.
//!
//! | family | mean μ of y at z = β₀ + xᵀβ (+ offset) | variance / φ | φ |
//! |---|---|---|---|
//! | [`Glm::gaussian`] | z | 1 | Pearson's estimate |
//! | [`Glm::poisson`] | e^z | μ | 1 |
//! | [`Glm::logistic`] | 1/(1 + e^(−z)) | μ(1 − μ) | 1 |
//! | [`Glm::gamma`] | e^z | μ² | Pearson's estimate |
//! | [`Glm::negative_binomial`] | e^z | μ + αμ² | 1 |
//! | [`Glm::softmax`] | softmax of (0, z₁, …): class 0 is the reference | | 1 |
//!
//! Minus the log-likelihood is minimised by [`Newton`] on standardised features, which moves no minimum, and the result is put back into
//! the data's units. Standard errors are √(φ·[I⁻¹]ⱼⱼ) with the information matrix I at the end, by a Cholesky factorisation: the
//! expected one by default, as R's `glm` and statsmodels have it, or the observed one ([`Information`]); they differ for the gamma and
//! the negative binomial. φ̂ is Pearson's Σ w(y − μ)²/V(μ) over Σ w − p; a weight counts as copies of its sample, in Σ w too.
//! A likelihood without a maximum (classes that are separated, a group of counts that are all 0) and columns that depend on each other are
//! found by [`separation`]: each coefficient has a [`CoefficientStatus`], and those that are determined keep their errors.
//! Source: McCullagh & Nelder (1989), *Generalized Linear Models*, ch. 2, 5–8.

mod family;
mod fitted;
mod information;
mod saved;
mod separation;

pub use family::Family;
pub use fitted::{Coefficient, CoefficientStatus, GlmFit};

use crate::error::FitError;
use secant_core::data::{Dataset, Standardizer, Targets};
use secant_core::network::Network;
use secant_core::op::Dense;
use secant_core::penalty::Ridge;
use secant_core::predict::outputs;
use secant_core::problem::Objective;
use secant_core::risk::Risk;
use secant_optim::{Method, Newton, Stopping};

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
    intercept: bool,
    ridge: f64,
    offset: Option<Vec<f64>>,
    exposure: Option<Vec<f64>>,
    weights: Option<Vec<f64>>,
    information: Information,
    stopping: Stopping,
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
            intercept: true,
            ridge: 0.0,
            offset: None,
            exposure: None,
            weights: None,
            information: Information::default(),
            stopping,
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

    /// Class labels; coefficients are relative to class 0.
    pub fn softmax() -> Self {
        Self::new(Family::Softmax)
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

    /// What standard errors rest on. Default the expected information.
    pub fn information(mut self, information: Information) -> Self {
        self.information = information;
        self
    }

    /// When Newton's method stops. Default: ‖∇f‖∞ fallen by 1e-12, or 200 steps.
    pub fn stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
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
        let scaling = scaling(&data, self.intercept)?;
        let scaled = scaling.transform_inputs(&data)?;
        let (d, c) = (data.features(), self.family.outputs(&data));
        let network = if self.intercept {
            Network::linear(d, c)
        } else {
            Network::sequential(d).node(Dense::new(c).without_bias()).build()
        };
        let graph = network.graph()?;
        let loss = self.family.loss();
        let mut risk = Risk::from_boxed(graph, &scaled, loss, Box::new(Ridge(self.ridge)))?;
        let mut start = vec![0.0; risk.dim()];
        if self.intercept {
            start[d * c..].copy_from_slice(&self.family.start(&data, c));
        }
        let newton = Method::from(Newton::default()).with_stopping(self.stopping.clone());
        let (solution, iterates) = newton.minimize_recorded(&risk, &start)?;

        let mut z = outputs(graph, &solution.theta, scaled.inputs())?;
        data.add_offset(&mut z);
        if self.information == Information::Expected {
            risk.set_loss(self.family.expected_information())?;
        }
        let units = information::Units { scaling: &scaling, outputs: c, intercept: self.intercept };
        let held = self.ridge > 0.0;
        let design = separation::Design {
            family: self.family,
            data: &data,
            inputs: scaled.inputs(),
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
        let mut open = design.separation(steps.map(step));
        let (theta, total) = (&solution.theta, data.total_weight());
        let mut inverse = match &open {
            Some(open) if !held => information::inverse_of(&risk, theta, &units, total, open),
            _ => information::inverse(&risk, theta, &units, total),
        };
        if inverse.is_none() && open.is_none() && !held {
            open = design.dependence();
            inverse = open
                .as_ref()
                .and_then(|open| information::inverse_of(&risk, theta, &units, total, open));
        }
        let model = fitted::Ingredients {
            family: self.family,
            data: &data,
            z: &z,
            units: &units,
            open: open.as_ref(),
        };
        Ok(model.assemble(solution, inverse.as_deref()))
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
            if !self.family.has_log_link() {
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
