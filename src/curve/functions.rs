//! Functions of Rust as curves: exact derivatives by dual numbers, or differences.

use super::evaluate::{CurveEvaluator, CurveModel};
use secant_core::differences::Differences;
use secant_core::faer::MatMut;
use secant_core::problem::{Derivatives, InBox, LeastSquares};
use secant_core::real::{Real, Residuals};
use secant_optim::residuals;
use std::fmt;

/// A function z(x; p) of inputs x (d numbers, the columns of the data in their order) and parameters p, written for every [`Real`], so that its
/// derivatives are exact: see [`Curve::from_function`](super::Curve::from_function).
pub trait CurveFunction: Send + Sync {
    /// z at one sample; outside its domain NaN. The same p give the same bits, whatever `T`.
    fn value<T: Real>(&self, x: &[f64], p: &[T]) -> T;
}

/// J by rows from J by columns.
fn by_rows(columns: &[f64], m: usize, rows: &mut [f64]) {
    let n = rows.len() / m.max(1);
    for (i, row) in rows.chunks_exact_mut(n.max(1)).enumerate() {
        row.iter_mut().zip(columns[i..].iter().step_by(m)).for_each(|(to, from)| *to = *from);
    }
}

/// A function for every `Real`.
pub(super) struct Generic<F> {
    function: F,
    parameters: usize,
}

/// A closure.
pub(super) struct Closure<F> {
    function: F,
    parameters: usize,
}

impl<F> Generic<F> {
    pub(super) fn new(function: F, parameters: usize) -> Self {
        Self { function, parameters }
    }
}

impl<F> Closure<F> {
    pub(super) fn new(function: F, parameters: usize) -> Self {
        Self { function, parameters }
    }
}

macro_rules! debug {
    ($($name:ident),+) => { $(
        impl<F> fmt::Debug for $name<F> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut shown = f.debug_struct(stringify!($name));
                shown.field("parameters", &self.parameters).finish_non_exhaustive()
            }
        }
    )+ };
}
debug!(Generic, Closure);

impl<F: CurveFunction> CurveModel for Generic<F> {
    fn parameters(&self) -> usize {
        self.parameters
    }
    fn outputs(&self) -> usize {
        1
    }
    fn derivatives(&self) -> Derivatives {
        Derivatives::Exact
    }
    fn evaluator(&self) -> Box<dyn CurveEvaluator + '_> {
        Box::new(Exact(&self.function))
    }
}

impl<F: Fn(&[f64], &[f64]) -> f64 + Send + Sync> CurveModel for Closure<F> {
    fn parameters(&self) -> usize {
        self.parameters
    }
    fn outputs(&self) -> usize {
        1
    }
    fn derivatives(&self) -> Derivatives {
        Derivatives::Differences
    }
    fn evaluator(&self) -> Box<dyn CurveEvaluator + '_> {
        Box::new(ByDifferences(&self.function))
    }
}

struct Exact<'a, F>(&'a F);

/// The function at many samples, as residuals.
struct AtSamples<'a, F> {
    function: &'a F,
    inputs: &'a [f64],
    samples: usize,
    parameters: usize,
}

impl<F: CurveFunction> Residuals for AtSamples<'_, F> {
    fn parameters(&self) -> usize {
        self.parameters
    }
    fn residual_len(&self) -> usize {
        self.samples
    }
    fn residuals<T: Real>(&self, theta: &[T], r: &mut [T]) {
        let d = self.inputs.len() / self.samples.max(1);
        for (r, x) in r.iter_mut().zip(self.inputs.chunks_exact(d.max(1))) {
            *r = self.function.value(x, theta);
        }
    }
}

impl<F: CurveFunction> CurveEvaluator for Exact<'_, F> {
    fn values(&mut self, theta: &[f64], inputs: &[f64], values: &mut [f64]) {
        let samples = values.len();
        let at = AtSamples { function: self.0, inputs, samples, parameters: theta.len() };
        at.residuals(theta, values);
    }
    fn values_jacobian(
        &mut self,
        theta: &[f64],
        _: Option<InBox<'_>>,
        inputs: &[f64],
        values: &mut [f64],
        rows: &mut [f64],
    ) {
        let (m, n) = (values.len(), theta.len());
        let at = AtSamples { function: self.0, inputs, samples: m, parameters: n };
        let mut columns = vec![0.0; m * n];
        let matrix = MatMut::from_column_major_slice_mut(&mut columns, m, n);
        residuals(at).jacobian(theta, values, matrix);
        by_rows(&columns, m, rows);
    }
}

struct ByDifferences<'a, F>(&'a F);

impl<F: Fn(&[f64], &[f64]) -> f64 + Sync> ByDifferences<'_, F> {
    fn each(&self, theta: &[f64], inputs: &[f64], values: &mut [f64]) {
        let d = inputs.len() / values.len().max(1);
        for (value, x) in values.iter_mut().zip(inputs.chunks_exact(d.max(1))) {
            *value = (self.0)(x, theta);
        }
    }
}

impl<F: Fn(&[f64], &[f64]) -> f64 + Sync> CurveEvaluator for ByDifferences<'_, F> {
    fn values(&mut self, theta: &[f64], inputs: &[f64], values: &mut [f64]) {
        self.each(theta, inputs, values);
    }
    fn values_jacobian(
        &mut self,
        theta: &[f64],
        within: Option<InBox<'_>>,
        inputs: &[f64],
        values: &mut [f64],
        rows: &mut [f64],
    ) {
        let (m, n) = (values.len(), theta.len());
        self.each(theta, inputs, values);
        let mut columns = vec![0.0; m * n];
        let matrix = MatMut::from_column_major_slice_mut(&mut columns, m, n);
        let function = |theta: &[f64], out: &mut [f64]| self.each(theta, inputs, out);
        Differences { within, ..Differences::default() }.jacobian(&function, theta, values, matrix);
        by_rows(&columns, m, rows);
    }
}
