//! Penalties on θ that are added to the mean loss.

use crate::elementwise::{dot, update};
use crate::params::{ParamBlock, Parameters, Role};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::ops::Range;

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoPenalty;

/// λ/2·‖w‖² over the weights; biases are left out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ridge(
    /// λ ≥ 0.
    pub f64,
);

/// λ/2·‖θ‖² over weights and biases.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RidgeAll(
    /// λ ≥ 0.
    pub f64,
);

/// λ/2·‖·‖² over the blocks of some roles.
trait SquaredNorm: Debug + Send + Sync {
    fn lambda(&self) -> f64;
    fn covers(&self, role: Role) -> bool;
}

impl SquaredNorm for NoPenalty {
    fn lambda(&self) -> f64 {
        0.0
    }
    fn covers(&self, _: Role) -> bool {
        false
    }
}

impl SquaredNorm for Ridge {
    fn lambda(&self) -> f64 {
        self.0
    }
    fn covers(&self, role: Role) -> bool {
        role == Role::Weight
    }
}

impl SquaredNorm for RidgeAll {
    fn lambda(&self) -> f64 {
        self.0
    }
    fn covers(&self, _: Role) -> bool {
        true
    }
}

impl<P: SquaredNorm> Penalty for P {
    fn check(&self) -> Result<(), PenaltyError> {
        let value = self.lambda();
        if value.is_finite() && value >= 0.0 {
            return Ok(());
        }
        let (penalty, option, allowed) = ("ridge", "lambda", "finite and ≥ 0");
        Err(PenaltyError { penalty, option, value, allowed })
    }

    fn value(&self, parameters: &Parameters, theta: &[f64]) -> f64 {
        let squares = |range: Range<usize>| dot(&theta[range.clone()], &theta[range]);
        0.5 * self.lambda() * covered(self, parameters).map(squares).sum::<f64>()
    }

    fn add_gradient(&self, parameters: &Parameters, theta: &[f64], gradient: &mut [f64]) -> f64 {
        for range in covered(self, parameters) {
            update(&mut gradient[range.clone()], &theta[range], |g, w| self.lambda().mul_add(w, g));
        }
        self.value(parameters, theta)
    }

    fn add_hessian_diagonal(&self, parameters: &Parameters, _: &[f64], diagonal: &mut [f64]) {
        for range in covered(self, parameters) {
            diagonal[range].iter_mut().for_each(|h| *h += self.lambda());
        }
    }

    fn ridge(&self) -> Option<f64> {
        Some(self.lambda())
    }

    fn acts_on(&self, role: Role) -> bool {
        self.covers(role)
    }
}

/// The ranges of θ that `penalty` covers.
fn covered<'a>(
    penalty: &'a impl SquaredNorm,
    parameters: &'a Parameters,
) -> impl Iterator<Item = Range<usize>> + 'a {
    let covers = |block: &&ParamBlock| penalty.covers(block.spec.role);
    parameters.blocks().iter().filter(covers).map(|block| block.range.clone())
}
