//! A curve met by the data of all groups, a formula or a function.

use super::{Layout, starts};
use crate::curve::Said;
use crate::curve::evaluate::CurveModel;
use crate::curve::function::searched;
use crate::curve::model::{Resolved, check_finite, free, last_of_each};
use crate::curve::prepared::Prepared;
use crate::curve_error::CurveError;
use crate::error::FitError;
use secant_core::data::Dataset;
use secant_core::faer::Mat;
use secant_optim::Bounds;
use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

/// What is fitted to the groups.
pub trait Met: Debug + Send + Sync + Sized {
    /// The curve of the free parameters.
    fn model(&self) -> &dyn CurveModel;
    /// The names of the free parameters.
    fn free(&self) -> &[String];
    /// The inputs and targets, with the weights 1/σ².
    fn data(&self) -> &Dataset;
    /// The same with other data.
    fn with_data(self, data: Dataset) -> Self;
    /// Of the free parameters.
    fn bounds(&self) -> &Bounds;
    /// Of the free parameters, where given.
    fn start(&self) -> &[Option<f64>];
    /// The names of all parameters, of those that are fixed or tied too.
    fn names(&self) -> Vec<String>;
    /// What these are at free parameters `theta`, and their derivatives by these.
    fn values(&self, theta: &[f64]) -> (Vec<f64>, Mat<f64>);
    /// The curve as a line of text.
    fn title(&self) -> String;
    /// θ with what is not known of `start` looked for, and a note on it.
    fn find(
        &self,
        said: &Said,
        layout: &Layout,
        start: &[Option<f64>],
    ) -> Result<starts::Found, FitError>;

    /// Some of the samples.
    fn select(self, samples: &[usize]) -> Result<Self, FitError> {
        let data = self.data().select(samples)?;
        Ok(self.with_data(data))
    }

    /// Where among the free parameters `name` stands; `what` was said of it.
    fn position(&self, said: &Said, name: &str, what: &'static str) -> Result<usize, CurveError> {
        free(self.free(), &last_of_each(&said.replaced), name, what)
    }

    /// Whether the curve is finite at `theta` on some samples, which are called as `named` says.
    fn check_start(
        &self,
        theta: &[f64],
        samples: Range<usize>,
        named: impl Fn(usize) -> usize,
    ) -> Result<(), CurveError> {
        check_finite(self.model(), (self.free(), theta), self.data(), samples, named)
    }
}

impl Met for Resolved {
    fn model(&self) -> &dyn CurveModel {
        &self.formula
    }
    fn free(&self) -> &[String] {
        self.formula.parameters()
    }
    fn data(&self) -> &Dataset {
        &self.data
    }
    fn with_data(self, data: Dataset) -> Self {
        Self { data, ..self }
    }
    fn bounds(&self) -> &Bounds {
        &self.bounds
    }
    fn start(&self) -> &[Option<f64>] {
        &self.start
    }
    fn names(&self) -> Vec<String> {
        self.all_names()
    }
    fn values(&self, theta: &[f64]) -> (Vec<f64>, Mat<f64>) {
        self.all_values(theta)
    }
    fn title(&self) -> String {
        self.written.to_unicode()
    }
    fn find(
        &self,
        said: &Said,
        layout: &Layout,
        start: &[Option<f64>],
    ) -> Result<starts::Found, FitError> {
        starts::find(said, (self, layout), start)
    }
}

/// A function with its data.
#[derive(Clone, Debug)]
pub struct MetFunction {
    pub prepared: Prepared,
    /// Of the free parameters.
    pub model: Arc<dyn CurveModel>,
}

impl Met for MetFunction {
    fn model(&self) -> &dyn CurveModel {
        &*self.model
    }
    fn free(&self) -> &[String] {
        &self.prepared.free
    }
    fn data(&self) -> &Dataset {
        &self.prepared.data
    }
    fn with_data(self, data: Dataset) -> Self {
        Self { prepared: Prepared { data, ..self.prepared }, ..self }
    }
    fn bounds(&self) -> &Bounds {
        &self.prepared.bounds
    }
    fn start(&self) -> &[Option<f64>] {
        &self.prepared.start
    }
    fn names(&self) -> Vec<String> {
        self.prepared.names.clone()
    }
    fn values(&self, theta: &[f64]) -> (Vec<f64>, Mat<f64>) {
        (self.prepared.all(theta), self.prepared.by_free())
    }
    /// `f(t; a, b)`
    fn title(&self) -> String {
        let inputs = self.prepared.data.feature_names().join(", ");
        format!("f({inputs}; {})", self.prepared.names.join(", "))
    }
    /// That of a fit to all groups as one.
    fn find(
        &self,
        said: &Said,
        layout: &Layout,
        start: &[Option<f64>],
    ) -> Result<starts::Found, FitError> {
        let (common, note) = searched(said, &self.prepared, &*self.model)?;
        let common = super::spread_over(layout, &common);
        let theta = start.iter().zip(common).map(|(known, found)| known.unwrap_or(found));
        Ok((theta.collect(), note.map(|note| format!("{note}, of all groups as one"))))
    }
}
