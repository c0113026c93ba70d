//! The units of a fit: what is standardised beforehand, and where the biases of the output start.

use crate::error::FitError;
use secant_core::data::{Dataset, Standardizer, Targets};
use secant_core::graph::Graph;
use secant_core::loss::{Loss, LossHessian};
use secant_core::text::enumerated;
use std::borrow::Cow;
use std::convert::Infallible;

/// What is standardised (mean 0, population deviation 1) before a fit. The scaling travels with the model.
///
/// A long table of inputs is not copied: its samples are standardised whenever they are read
/// ([`Standardizer::share_inputs`]), with the bits of a copy.
///
/// Loss, penalty and θ are in the units of the standardised data. With standardised targets the loss is in units of their variance: half
/// the mean of squares is then half the share of the variance that is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standardize {
    /// The inputs; and the targets too where a network that is not linear in θ is fitted by squared error, with one output for each target
    /// and no offset. The weights of such a network start at the scale of its activations: targets far from 0, or far from 1 in size,
    /// would first of all drive these into saturation. Linear models, whose minimum moves with the targets, other losses, whose
    /// options are in the target's units, counts and classes keep their units.
    #[default]
    Auto,
    /// Nothing.
    Nothing,
    /// The inputs. The loss and the penalty stay in the target's units.
    Inputs,
    /// The inputs divided by their deviations, without taking their means off: for sparse inputs before a node without a bias, which cannot take
    /// the means up.
    ScaleInputs,
    /// Inputs and targets: the loss is then in units of the target's variance. Numeric targets only.
    InputsAndTargets,
}

/// The data in the units of a fit, and the way back.
pub(super) struct Scaled<'a> {
    pub data: Cow<'a, Dataset>,
    pub inputs: Option<Standardizer>,
    pub targets: Option<Standardizer>,
}

impl Standardize {
    /// The data in the units of a fit of `graph`, by squared error or not.
    pub(super) fn apply<'a>(
        self,
        data: &'a Dataset,
        graph: &Graph,
        squared: bool,
    ) -> Result<Scaled<'a>, FitError> {
        if self == Self::Nothing {
            return Ok(Scaled { data: Cow::Borrowed(data), inputs: None, targets: None });
        }
        let (inputs, scaled) = Standardizer::standardized(data, self != Self::ScaleInputs)?;
        let fit = || Ok(Standardizer::fit_targets(data)?);
        let targets = self.targets_of(data, graph, squared, fit)?;
        let in_units = targets.as_ref().map(|scaling| scaling.transform_targets(&scaled));
        let data = Cow::Owned(in_units.transpose()?.unwrap_or(scaled));
        Ok(Scaled { data, inputs: Some(inputs), targets })
    }

    /// The scaling of the targets that `fit` finds, where they are standardised.
    pub(super) fn targets_of(
        self,
        data: &Dataset,
        graph: &Graph,
        squared: bool,
        fit: impl FnOnce() -> Result<Standardizer, FitError>,
    ) -> Result<Option<Standardizer>, FitError> {
        let wanted = match self {
            Self::InputsAndTargets => true,
            Self::Auto => squared && fits_standardized(data, graph),
            _ => false,
        };
        if !wanted {
            return Ok(None);
        }
        let targets = fit()?;
        let (outputs, found) = (graph.outputs(), data.outputs());
        if outputs != found {
            // Not outputs in the targets' units, so that predictions could not be scaled back.
            return Err(FitError::ScaledTargets { outputs, targets: found });
        }
        Ok(Some(targets))
    }
}

/// Whether the default standardises the targets, if the loss is squared error.
fn fits_standardized(data: &Dataset, graph: &Graph) -> bool {
    let numeric =
        matches!(data.targets(), Targets::Values { rows, .. } if *rows == graph.outputs());
    numeric && data.offset().is_none() && !graph.is_affine()
}

impl Scaled<'_> {
    /// Another data set in the same units.
    pub(super) fn like(&self, data: &Dataset) -> Result<Dataset, FitError> {
        let inputs = self.inputs.as_ref().map(|scaling| scaling.share_inputs(data));
        let data = inputs.transpose()?.map_or(Cow::Borrowed(data), Cow::Owned);
        let targets = self.targets.as_ref().map(|scaling| scaling.transform_targets(&data));
        Ok(targets.transpose()?.unwrap_or_else(|| data.into_owned()))
    }

    /// What the user should know of the scalings.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let constant = self.inputs.as_ref().map(Standardizer::constant_names).unwrap_or_default();
        if !constant.is_empty() {
            notes.push(format!("constant columns standardised to zero: {}", enumerated(constant)));
        }
        if let Some(targets) = &self.targets {
            let each = targets.names().iter().zip(targets.means().iter().zip(targets.deviations()));
            let each = each.map(|(name, (mean, deviation))| {
                format!("{name} (mean {mean:.6e}, deviation {deviation:.6e})")
            });
            let text = "loss and penalty in units of the standardised targets";
            notes.push(format!("{text}: {}", each.collect::<Vec<_>>().join(", ")));
        }
        notes
    }

    /// `theta`, as the network draws it, with the biases of the output at the level of the targets: else the gradient at the start would
    /// be their mean, and the first steps would spend the hidden layers on it. For a network with such biases and a loss that has a
    /// level, [`Loss::level`]; a linear model, whose minimum does not depend on the start, starts as it is drawn.
    pub(super) fn at_level(&self, theta: Vec<f64>, graph: &Graph, loss: &dyn Loss) -> Vec<f64> {
        let moments = || Ok::<_, Infallible>(Standardizer::fit_targets(&self.data).ok());
        let Ok(theta) = self.at_level_by(theta, graph, loss, moments);
        theta
    }

    /// The same by the moments of the targets that `moments` finds, where they are numbers.
    pub(super) fn at_level_by<E>(
        &self,
        mut theta: Vec<f64>,
        graph: &Graph,
        loss: &dyn Loss,
        moments: impl FnOnce() -> Result<Option<Standardizer>, E>,
    ) -> Result<Vec<f64>, E> {
        let bias = graph.output_bias().filter(|_| self.targets.is_none() && !graph.is_affine());
        if let Some(bias) = bias
            && let Some(moments) = moments()?
            && let Some(level) = level(&self.data, loss, &moments)
            && level.len() == bias.len()
        {
            theta[bias].copy_from_slice(&level);
        }
        Ok(theta)
    }
}

/// Whether the loss is ½ a sum of squares.
pub(super) fn is_squared(loss: &dyn Loss) -> bool {
    loss.hessian_kind() == LossHessian::Identity
}

/// The outputs of the best constant model, less the mean of the offsets; only where all of that is finite.
fn level(data: &Dataset, loss: &dyn Loss, moments: &Standardizer) -> Option<Vec<f64>> {
    let mut level = loss.level(moments.means(), moments.deviations())?;
    if let Some(offset) = data.offset() {
        let (rows, total) = (data.offset_rows(), data.total_weight());
        let weight = |i: usize| data.weights().map_or(1.0, |weights| weights[i]);
        for (k, level) in level.iter_mut().enumerate() {
            let row = if rows == 1 { 0 } else { k };
            let each = offset.iter().skip(row).step_by(rows).enumerate();
            *level -= each.map(|(i, offset)| weight(i) / total * offset).sum::<f64>();
        }
    }
    level.iter().all(|level| level.is_finite()).then_some(level)
}
