//! Penalties on θ that are added to the mean loss.

use crate::params::{Parameters, Role};
use std::fmt::Debug;

/// A penalty is out of range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{penalty}: {option} = {value} must be {allowed}")]
pub struct PenaltyError {
    /// Name of the penalty.
    pub penalty: &'static str,
    /// Name of its constant.
    pub option: &'static str,
    /// The value given.
    pub value: f64,
    /// What is allowed.
    pub allowed: &'static str,
}

/// A smooth penalty that is a sum over the entries of θ: its Hessian is diagonal.
pub trait Penalty: Debug + Send + Sync {
    /// Whether its constants are in range.
    ///
    /// # Errors
    /// When they are not, with name and value.
    fn check(&self) -> Result<(), PenaltyError>;
    /// R(θ).
    fn value(&self, parameters: &Parameters, theta: &[f64]) -> f64;
    /// `gradient` += ∇R(θ); returns R(θ).
    fn add_gradient(&self, parameters: &Parameters, theta: &[f64], gradient: &mut [f64]) -> f64;
    /// `diagonal` += the diagonal of ∇²R(θ).
    fn add_hessian_diagonal(&self, parameters: &Parameters, theta: &[f64], diagonal: &mut [f64]);
    /// λ where R = λ/2·‖w‖² over some blocks: such a penalty is a sum of squares.
    fn ridge(&self) -> Option<f64> {
        None
    }
    /// Whether the penalty acts on blocks of this role.
    fn acts_on(&self, role: Role) -> bool {
        let _ = role;
        true
    }
}

/// No penalty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoPenalty;

impl Penalty for NoPenalty {
    fn check(&self) -> Result<(), PenaltyError> {
        Ok(())
    }
    fn value(&self, _: &Parameters, _: &[f64]) -> f64 {
        0.0
    }
    fn add_gradient(&self, _: &Parameters, _: &[f64], _: &mut [f64]) -> f64 {
        0.0
    }
    fn add_hessian_diagonal(&self, _: &Parameters, _: &[f64], _: &mut [f64]) {}
    fn ridge(&self) -> Option<f64> {
        Some(0.0)
    }
    fn acts_on(&self, _: Role) -> bool {
        false
    }
}

/// λ/2·‖w‖² over the weights; biases are left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ridge(
    /// λ ≥ 0.
    pub f64,
);

/// λ/2·‖θ‖² over weights and biases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RidgeAll(
    /// λ ≥ 0.
    pub f64,
);

impl Penalty for Ridge {
    fn check(&self) -> Result<(), PenaltyError> {
        check_lambda("ridge", self.0)
    }
    fn value(&self, parameters: &Parameters, theta: &[f64]) -> f64 {
        half_sum_squares(self, self.0, parameters, theta)
    }
    fn add_gradient(&self, parameters: &Parameters, theta: &[f64], gradient: &mut [f64]) -> f64 {
        add_scaled(self, self.0, parameters, theta, gradient);
        self.value(parameters, theta)
    }
    fn add_hessian_diagonal(&self, parameters: &Parameters, _: &[f64], diagonal: &mut [f64]) {
        add_constant(self, self.0, parameters, diagonal);
    }
    fn ridge(&self) -> Option<f64> {
        Some(self.0)
    }
    fn acts_on(&self, role: Role) -> bool {
        role == Role::Weight
    }
}

impl Penalty for RidgeAll {
    fn check(&self) -> Result<(), PenaltyError> {
        check_lambda("ridge", self.0)
    }
    fn value(&self, parameters: &Parameters, theta: &[f64]) -> f64 {
        half_sum_squares(self, self.0, parameters, theta)
    }
    fn add_gradient(&self, parameters: &Parameters, theta: &[f64], gradient: &mut [f64]) -> f64 {
        add_scaled(self, self.0, parameters, theta, gradient);
        self.value(parameters, theta)
    }
    fn add_hessian_diagonal(&self, parameters: &Parameters, _: &[f64], diagonal: &mut [f64]) {
        add_constant(self, self.0, parameters, diagonal);
    }
    fn ridge(&self) -> Option<f64> {
        Some(self.0)
    }
}

fn check_lambda(penalty: &'static str, value: f64) -> Result<(), PenaltyError> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    let (option, allowed) = ("lambda", "finite and ≥ 0");
    Err(PenaltyError { penalty, option, value, allowed })
}

/// The ranges of θ that `penalty` acts on.
fn penalised<'a>(
    penalty: &'a dyn Penalty,
    parameters: &'a Parameters,
) -> impl Iterator<Item = std::ops::Range<usize>> + 'a {
    let acted_on = |block: &&crate::params::ParamBlock| penalty.acts_on(block.spec.role);
    parameters.blocks().iter().filter(acted_on).map(|block| block.range.clone())
}

fn half_sum_squares(
    penalty: &dyn Penalty,
    lambda: f64,
    parameters: &Parameters,
    theta: &[f64],
) -> f64 {
    let squares = |range: std::ops::Range<usize>| {
        crate::elementwise::dot(&theta[range.clone()], &theta[range])
    };
    0.5 * lambda * penalised(penalty, parameters).map(squares).sum::<f64>()
}

fn add_scaled(
    penalty: &dyn Penalty,
    lambda: f64,
    parameters: &Parameters,
    theta: &[f64],
    gradient: &mut [f64],
) {
    for range in penalised(penalty, parameters) {
        for (g, w) in gradient[range.clone()].iter_mut().zip(&theta[range]) {
            *g += lambda * w;
        }
    }
}

fn add_constant(penalty: &dyn Penalty, lambda: f64, parameters: &Parameters, diagonal: &mut [f64]) {
    for range in penalised(penalty, parameters) {
        diagonal[range].iter_mut().for_each(|h| *h += lambda);
    }
}
