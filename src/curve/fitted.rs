//! A fitted curve.

use super::model::Resolved;
use super::{Curve, Replaced};
use crate::error::FitError;
use crate::fit::Fitted;
use crate::model::Model;
use secant_core::data::Dataset;
use secant_core::faer::Mat;
use secant_core::formula::Formula;
use secant_optim::{Bounds, Report};

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

/// A fitted curve: its parameters by name, the model, the report.
#[derive(Clone, Debug)]
pub struct CurveFit {
    parameters: Vec<CurveParameter>,
    /// Of the free parameters: in the order of θ.
    formula: Formula,
    written: Formula,
    of_free: Formula,
    pub(super) bounds: Bounds,
    pub(super) data: Dataset,
    pub(super) absolute_sigma: bool,
    pub(super) is_robust: bool,
    /// Of the free parameters.
    pub(super) start: Vec<f64>,
    model: Model,
    report: Report,
}

impl CurveFit {
    pub(super) fn new(
        curve: &Curve,
        resolved: Resolved,
        start: &[f64],
        fitted: Fitted,
        notes: Vec<String>,
    ) -> Self {
        let mut report = fitted.report().clone();
        report.notes.extend(notes);
        let model = fitted.into_model();
        let Resolved { formula, written, parameters: of_free, data, bounds, .. } = resolved;
        let values = derived(&of_free, &formula, model.theta()).0;
        let origin = |name: &String| match (position(&formula, name), replaced(curve, name)) {
            (_, Some(Replaced::Fixed(_))) => Origin::Fixed,
            (_, Some(Replaced::Tied(text))) => Origin::Tied { formula: text.clone() },
            (j, None) => {
                let j = j.unwrap_or(0);
                let (lower, upper) = (bounds.lower()[j], bounds.upper()[j]);
                Origin::Free { start: start[j], lower, upper }
            }
        };
        let written_ones = written.parameters().iter().zip(values);
        let mut parameters: Vec<CurveParameter> = written_ones
            .map(|(name, value)| CurveParameter { name: name.clone(), value, origin: origin(name) })
            .collect();
        // Those that ties brought in.
        for (j, name) in formula.parameters().iter().enumerate() {
            if !written.parameters().contains(name) {
                let value = model.theta()[j];
                parameters.push(CurveParameter { name: name.clone(), value, origin: origin(name) });
            }
        }
        Self {
            parameters,
            formula,
            written,
            of_free,
            bounds,
            data,
            absolute_sigma: curve.absolute_sigma,
            is_robust: curve.robust.is_some(),
            start: start.to_vec(),
            model,
            report,
        }
    }

    /// The parameters of the formula as it was written, in order of appearance, and behind them those that ties brought in.
    pub fn parameters(&self) -> &[CurveParameter] {
        &self.parameters
    }

    /// What it was fitted to: the columns that the formula names, weighted by σ.
    #[cfg(feature = "html")]
    pub(crate) fn data(&self) -> &Dataset {
        &self.data
    }

    /// Whether σ are what they say.
    #[cfg(feature = "html")]
    pub(crate) fn has_absolute_sigma(&self) -> bool {
        self.absolute_sigma
    }

    /// Whether no parameter was replaced.
    pub(super) fn is_as_written(&self) -> bool {
        self.formula.parameters() == self.written.parameters()
    }

    /// What [`parameters`](Self::parameters) are at free parameters `theta`, and their derivatives by these.
    pub(super) fn derived(&self, theta: &[f64]) -> (Vec<f64>, Mat<f64>) {
        let (mut values, rows) = derived(&self.of_free, &self.formula, theta);
        let written = values.len();
        for one in &self.parameters[written..] {
            values.push(position(&self.formula, &one.name).map_or(f64::NAN, |j| theta[j]));
        }
        let matrix = Mat::from_fn(values.len(), theta.len(), |i, j| {
            if i < written {
                rows[(i, j)]
            } else {
                f64::from(position(&self.formula, &self.parameters[i].name) == Some(j))
            }
        });
        (values, matrix)
    }

    /// The value of a parameter, free, fixed or tied; `None` where the formula has none of this name.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.parameters.iter().find(|known| known.name == name).map(|known| known.value)
    }

    /// The formula of inputs and free parameters, which is in the order of θ.
    pub fn formula(&self) -> &Formula {
        &self.formula
    }

    /// The formula as it was written.
    pub fn written(&self) -> &Formula {
        &self.written
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

/// The parameters of the written formula at those that are free, and their derivatives by these.
fn derived(of_free: &Formula, free: &Formula, theta: &[f64]) -> (Vec<f64>, Mat<f64>) {
    let places: Vec<Option<usize>> =
        of_free.parameters().iter().map(|name| position(free, name)).collect();
    let inner: Vec<f64> = places.iter().map(|j| j.map_or(f64::NAN, |j| theta[j])).collect();
    let (k, n) = (of_free.outputs(), inner.len());
    let (mut values, mut rows) = (vec![0.0; k], vec![0.0; k * n]);
    of_free.evaluator().values_jacobian(&inner, &[], &mut values, &mut rows);
    let mut matrix = Mat::zeros(k, theta.len());
    for (i, row) in rows.chunks_exact(n.max(1)).enumerate() {
        for (entry, place) in row.iter().zip(&places) {
            if let Some(j) = place {
                matrix[(i, *j)] = *entry;
            }
        }
    }
    (values, matrix)
}

fn position(formula: &Formula, name: &str) -> Option<usize> {
    formula.parameters().iter().position(|known| known == name)
}

fn replaced<'a>(curve: &'a Curve, name: &str) -> Option<&'a Replaced> {
    curve.replaced.iter().rev().find(|(known, _)| known == name).map(|(_, by)| by)
}
