//! What a curve is made of, a formula or a function: values and derivatives at samples.

use secant_core::formula::{Evaluator, Formula};
use secant_core::problem::{Derivatives, InBox};
use std::fmt::Debug;

/// z(x; parameters), c outputs of d inputs.
pub trait CurveModel: Debug + Send + Sync {
    /// n.
    fn parameters(&self) -> usize;
    /// c.
    fn outputs(&self) -> usize;
    fn derivatives(&self) -> Derivatives;
    /// With memory of its own, for one thread.
    fn evaluator(&self) -> Box<dyn CurveEvaluator + '_>;
}

/// A curve with what it is evaluated in.
pub trait CurveEvaluator {
    /// `values` (c × B) ← z at `inputs` (d × B), a sample contiguous.
    fn values(&mut self, theta: &[f64], inputs: &[f64], values: &mut [f64]);
    /// The same, and `rows` (n × cB) ← the gradient of each, one after the other; none is taken outside of the box.
    fn values_jacobian(
        &mut self,
        theta: &[f64],
        within: Option<InBox<'_>>,
        inputs: &[f64],
        values: &mut [f64],
        rows: &mut [f64],
    );
}

impl CurveModel for Formula {
    fn parameters(&self) -> usize {
        Self::parameters(self).len()
    }
    fn outputs(&self) -> usize {
        Self::outputs(self)
    }
    fn derivatives(&self) -> Derivatives {
        Derivatives::Exact
    }
    fn evaluator(&self) -> Box<dyn CurveEvaluator + '_> {
        Box::new(Self::evaluator(self))
    }
}

impl CurveEvaluator for Evaluator {
    fn values(&mut self, theta: &[f64], inputs: &[f64], values: &mut [f64]) {
        Self::values(self, theta, inputs, values);
    }
    fn values_jacobian(
        &mut self,
        theta: &[f64],
        _: Option<InBox<'_>>,
        inputs: &[f64],
        values: &mut [f64],
        rows: &mut [f64],
    ) {
        Self::values_jacobian(self, theta, inputs, values, rows);
    }
}
