//! A function met by its data: which parameters are free, and whether all that was said of them can be so.

use super::evaluate::{CurveEvaluator, CurveModel};
use super::model::{
    bounds, check_bounds, check_finite, check_sigma_column, free, last_of_each, selected, starts,
};
use super::{Replaced, Said};
use crate::curve_error::CurveError;
use crate::error::FitError;
use secant_core::data::Dataset;
use secant_core::faer::Mat;
use secant_core::problem::{Derivatives, InBox};
use secant_optim::Bounds;
use std::sync::Arc;

/// All that a fit of a function needs beside it.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub names: Vec<String>,
    /// Values of those that are fixed.
    pub(super) fixed: Vec<Option<f64>>,
    /// Names of the others.
    pub free: Vec<String>,
    /// All columns but that of σ, with the weights 1/σ².
    pub data: Dataset,
    /// Of the free parameters.
    pub bounds: Bounds,
    /// Of the free parameters, where given.
    pub start: Vec<Option<f64>>,
}

impl Prepared {
    pub(super) fn new(curve: &Said, names: &[String], data: &Dataset) -> Result<Self, FitError> {
        let targets = data.targets().values().ok_or(CurveError::Labels)?;
        let columns = targets.len() / data.samples().max(1);
        if columns != 1 {
            return Err(CurveError::FunctionTargets { targets: columns }.into());
        }
        check_sigma_column(curve, data.feature_names())?;
        let is_input = |i: &usize| curve.sigma_column.as_ref() != Some(&data.feature_names()[*i]);
        let used: Vec<usize> = (0..data.features()).filter(is_input).collect();
        let replaced = last_of_each(&curve.replaced);
        let mut fixed = vec![None; names.len()];
        for (name, by) in &replaced {
            let j = free(names, &[], name, "the fixed value of")?;
            if let Replaced::Fixed(value) = by {
                fixed[j] = Some(*value);
            }
        }
        let each = names.iter().zip(&fixed);
        let free: Vec<String> =
            each.filter(|(_, fixed)| fixed.is_none()).map(|(name, _)| name.clone()).collect();
        if free.is_empty() {
            return Err(CurveError::NoParameter.into());
        }
        let start = starts(curve, &free, &replaced)?;
        let bounds = bounds(curve, &free, &replaced)?;
        check_bounds(&free, &start, &bounds)?;
        let data = selected(curve, data, &used)?;
        Ok(Self { names: names.to_vec(), fixed, free, data, bounds, start })
    }

    /// All parameters, with those that are fixed.
    pub(super) fn all(&self, free: &[f64]) -> Vec<f64> {
        filled(&self.fixed, free)
    }

    /// The derivatives of these by the free ones: 1 where it is one of them.
    pub(super) fn by_free(&self) -> Mat<f64> {
        let same = |i: usize, j: usize| self.names[i] == self.free[j];
        Mat::from_fn(self.names.len(), self.free.len(), |i, j| f64::from(u8::from(same(i, j))))
    }

    /// The model of the free parameters alone.
    pub(super) fn hold(&self, model: Arc<dyn CurveModel>) -> Arc<dyn CurveModel> {
        if self.fixed.iter().all(Option::is_none) {
            return model;
        }
        Arc::new(Held { model, fixed: self.fixed.clone() })
    }

    /// Whether the function is finite at `theta` on all samples.
    pub(super) fn check_start(
        &self,
        model: &dyn CurveModel,
        theta: &[f64],
    ) -> Result<(), CurveError> {
        let samples = 0..self.data.samples();
        check_finite(model, (&self.free, theta), &self.data, samples, |at| at)
    }
}

/// The fixed values with the free ones between them.
fn filled(fixed: &[Option<f64>], free: &[f64]) -> Vec<f64> {
    let mut free = free.iter().copied();
    let each = fixed.iter().map(|fixed| fixed.or_else(|| free.next()));
    each.map(|value| value.unwrap_or(f64::NAN)).collect()
}

/// A model with some parameters fixed.
#[derive(Debug)]
struct Held {
    model: Arc<dyn CurveModel>,
    fixed: Vec<Option<f64>>,
}

struct HeldEvaluator<'a> {
    inner: Box<dyn CurveEvaluator + 'a>,
    fixed: &'a [Option<f64>],
}

impl CurveModel for Held {
    fn parameters(&self) -> usize {
        self.fixed.iter().filter(|fixed| fixed.is_none()).count()
    }
    fn outputs(&self) -> usize {
        self.model.outputs()
    }
    fn derivatives(&self) -> Derivatives {
        self.model.derivatives()
    }
    fn evaluator(&self) -> Box<dyn CurveEvaluator + '_> {
        Box::new(HeldEvaluator { inner: self.model.evaluator(), fixed: &self.fixed })
    }
}

impl CurveEvaluator for HeldEvaluator<'_> {
    fn values(&mut self, theta: &[f64], inputs: &[f64], values: &mut [f64]) {
        self.inner.values(&filled(self.fixed, theta), inputs, values);
    }
    fn values_jacobian(
        &mut self,
        theta: &[f64],
        within: Option<InBox<'_>>,
        inputs: &[f64],
        values: &mut [f64],
        rows: &mut [f64],
    ) {
        let (n, most) = (theta.len(), self.fixed.len());
        let ends = within
            .map(|within| (filled(self.fixed, within.lower), filled(self.fixed, within.upper)));
        let within = ends.as_ref().map(|(lower, upper)| InBox { lower, upper });
        let mut all = vec![0.0; values.len() * most];
        let theta = filled(self.fixed, theta);
        self.inner.values_jacobian(&theta, within, inputs, values, &mut all);
        for (row, all) in rows.chunks_exact_mut(n).zip(all.chunks_exact(most)) {
            let free = all.iter().zip(self.fixed).filter(|(_, fixed)| fixed.is_none());
            row.iter_mut().zip(free).for_each(|(to, (from, _))| *to = *from);
        }
    }
}
