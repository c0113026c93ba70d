//! A fitted curve.

use super::model::Resolved;
use super::{Replaced, Said};
use crate::error::FitError;
use crate::fit::Fitted;
use crate::model::Model;
use secant_core::data::Dataset;
use secant_core::faer::{Mat, MatRef};
use secant_core::formula::Formula;
use secant_optim::inference::{BandPoint, Infer, Inference};
use secant_optim::{Bounds, Report};
use std::fmt::Debug;
use std::sync::Arc;

/// A parameter of a fitted curve.
#[derive(Clone, Debug, PartialEq)]
pub struct CurveParameter {
    /// Its name in the formula.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a parameter's value comes from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Origin {
    /// Fitted.
    Free {
        /// Where it started.
        start: f64,
        /// Its lower bound, or −∞.
        lower: f64,
        /// Its upper bound, or ∞.
        upper: f64,
    },
    /// Held at its value.
    Fixed,
    /// Tied to other parameters.
    Tied {
        /// By this formula.
        formula: String,
    },
}

/// The fit that a curve is a part of.
pub(super) trait Joint: Debug + Send + Sync {
    /// All parameters of this curve, by the whole fit.
    fn infer(
        &self,
        options: &mut dyn for<'a> FnMut(Infer<'a>) -> Infer<'a>,
    ) -> Result<Inference, FitError>;
    /// The free parameters in the order in which [`infer`](Self::infer) has them as parameters of its problem.
    fn order(&self) -> Vec<usize>;
}

impl dyn Joint {
    /// The same with options that are given once.
    pub(super) fn infer_once(
        &self,
        options: impl for<'a> FnOnce(Infer<'a>) -> Infer<'a>,
    ) -> Result<Inference, FitError> {
        let mut options = Some(options);
        self.infer(&mut |infer| match options.take() {
            Some(options) => options(infer),
            None => infer,
        })
    }
}

/// The bands at `values`, whose derivatives by the free parameters are `rows`, by what was inferred: of the curve alone, or jointly.
pub(super) fn band_of(
    found: &Inference,
    joint: Option<&dyn Joint>,
    values: &[f64],
    rows: MatRef<'_, f64>,
) -> Result<Vec<BandPoint>, FitError> {
    let sigma = vec![1.0; values.len()];
    let Some(joint) = joint else { return Ok(found.band_with(values, rows, &sigma)?) };
    let order = joint.order();
    let rows = Mat::from_fn(values.len(), order.len(), |i, k| rows[(i, order[k])]);
    Ok(found.band_with(values, rows.as_ref(), &sigma)?)
}

/// A fitted curve: its parameters by name, the model, the report.
#[derive(Clone, Debug)]
pub struct CurveFit {
    parameters: Vec<CurveParameter>,
    resolved: Resolved,
    pub(super) absolute_sigma: bool,
    pub(super) is_robust: bool,
    /// Of the free parameters.
    pub(super) start: Vec<f64>,
    model: Model,
    report: Report,
    pub(super) joint: Option<Arc<dyn Joint>>,
}

impl CurveFit {
    pub(super) fn new(
        curve: &Said,
        resolved: Resolved,
        start: &[f64],
        fitted: Fitted,
        notes: impl IntoIterator<Item = String>,
    ) -> Self {
        let mut report = fitted.report().clone();
        report.notes.extend(notes);
        Self::of_model(curve, resolved, start, fitted.into_model(), report)
    }

    pub(super) fn of_model(
        curve: &Said,
        resolved: Resolved,
        start: &[f64],
        model: Model,
        report: Report,
    ) -> Self {
        let origin = |name: &String| match replaced(curve, name) {
            Some(Replaced::Fixed(_)) => Origin::Fixed,
            Some(Replaced::Tied(text)) => Origin::Tied { formula: text.clone() },
            None => {
                let j = position(&resolved.formula, name).unwrap_or(0);
                let (lower, upper) = (resolved.bounds.lower()[j], resolved.bounds.upper()[j]);
                Origin::Free { start: start[j], lower, upper }
            }
        };
        let values = resolved.all_values(model.theta()).0;
        let each = resolved.all_names().into_iter().zip(values);
        let parameters = each
            .map(|(name, value)| CurveParameter { value, origin: origin(&name), name })
            .collect();
        Self {
            parameters,
            resolved,
            absolute_sigma: curve.absolute_sigma,
            is_robust: curve.robust.is_some(),
            start: start.to_vec(),
            model,
            report,
            joint: None,
        }
    }

    /// The same as a part of a fit.
    pub(super) fn jointly(mut self, joint: Arc<dyn Joint>) -> Self {
        self.joint = Some(joint);
        self
    }

    /// The parameters of the formula as it was written, in order of appearance, and behind them those that ties brought in.
    pub fn parameters(&self) -> &[CurveParameter] {
        &self.parameters
    }

    /// What it was fitted to: the columns that the formula names, weighted by σ.
    pub(crate) fn data(&self) -> &Dataset {
        &self.resolved.data
    }

    /// Of the free parameters.
    pub(super) fn bounds(&self) -> &Bounds {
        &self.resolved.bounds
    }

    /// Whether σ are what they say.
    #[cfg(feature = "html")]
    pub(crate) fn has_absolute_sigma(&self) -> bool {
        self.absolute_sigma
    }

    /// Whether no parameter was replaced.
    pub(super) fn is_as_written(&self) -> bool {
        self.formula().parameters() == self.written().parameters()
    }

    /// What [`parameters`](Self::parameters) are at free parameters `theta`, and their derivatives by these.
    pub(super) fn derived(&self, theta: &[f64]) -> (Vec<f64>, Mat<f64>) {
        self.resolved.all_values(theta)
    }

    /// The value of a parameter, free, fixed or tied; `None` where the formula has none of this name.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.parameters.iter().find(|known| known.name == name).map(|known| known.value)
    }

    /// The formula of inputs and free parameters, which is in the order of θ.
    pub fn formula(&self) -> &Formula {
        &self.resolved.formula
    }

    /// The formula as it was written.
    pub fn written(&self) -> &Formula {
        &self.resolved.written
    }

    /// The curve at inputs (d × M, column-major, the columns that the formula names in the order of the data).
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn predict(&self, inputs: &[f64]) -> Result<Vec<f64>, FitError> {
        self.model.predict(inputs)
    }

    /// The model: predicts, scores, and is saved.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Why the fit ended, what it reached, what it cost; the automatic start is in its notes.
    pub fn report(&self) -> &Report {
        &self.report
    }
}

fn position(formula: &Formula, name: &str) -> Option<usize> {
    formula.parameters().iter().position(|known| known == name)
}

fn replaced<'a>(curve: &'a Said, name: &str) -> Option<&'a Replaced> {
    curve.replaced.iter().rev().find(|(known, _)| known == name).map(|(_, by)| by)
}
