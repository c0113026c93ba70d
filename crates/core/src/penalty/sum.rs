//! A sum of penalties.

use super::{Penalty, PenaltyError};
use crate::choice::Choice;
use crate::params::Parameters;
use faer::MatMut;

/// Σ R(θ) over several penalties.
///
/// ```
/// use secant_core::params::Role;
/// use secant_core::penalty::{GaussianPrior, Penalties, PerBlock};
///
/// let penalty = Penalties::default()
///     .and(PerBlock::default().role(Role::Weight, 1e-3))
///     .and(GaussianPrior::diagonal("dense1.bias", &[4.0]).with_mean([2.5]));
/// assert_eq!(penalty.0.len(), 2);
/// ```
#[derive(Debug, Default)]
pub struct Penalties(
    /// The terms.
    pub Vec<Box<dyn Penalty>>,
);

impl Penalties {
    /// The sum with one term more.
    pub fn and(mut self, penalty: impl Penalty + 'static) -> Self {
        self.0.push(Box::new(penalty));
        self
    }
}

impl Penalty for Penalties {
    /// The descriptions of all terms, where each has one.
    fn describe(&self) -> Option<Choice> {
        let terms: Option<Vec<Choice>> = self.0.iter().map(|term| term.describe()).collect();
        Choice::with_options("sum", &terms?)
    }

    fn check(&self) -> Result<(), PenaltyError> {
        self.0.iter().try_for_each(|term| term.check())
    }

    fn check_against(&self, parameters: &Parameters) -> Result<(), PenaltyError> {
        self.0.iter().try_for_each(|term| term.check_against(parameters))
    }

    fn value(&self, parameters: &Parameters, theta: &[f64]) -> f64 {
        self.0.iter().map(|term| term.value(parameters, theta)).sum()
    }

    fn add_gradient(&self, parameters: &Parameters, theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.0.iter().map(|term| term.add_gradient(parameters, theta, gradient)).sum()
    }

    fn add_hessian_diagonal(&self, parameters: &Parameters, theta: &[f64], diagonal: &mut [f64]) {
        for term in &self.0 {
            term.add_hessian_diagonal(parameters, theta, diagonal);
        }
    }

    fn add_off_diagonal_vector(
        &self,
        parameters: &Parameters,
        theta: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) {
        for term in &self.0 {
            term.add_off_diagonal_vector(parameters, theta, v, out);
        }
    }

    fn add_off_diagonal(&self, parameters: &Parameters, theta: &[f64], mut out: MatMut<'_, f64>) {
        for term in &self.0 {
            term.add_off_diagonal(parameters, theta, out.as_mut());
        }
    }

    fn is_quadratic(&self) -> bool {
        self.0.iter().all(|term| term.is_quadratic())
    }

    fn is_convex(&self) -> bool {
        self.0.iter().all(|term| term.is_convex())
    }
}
