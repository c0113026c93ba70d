//! Penalties on θ that are added to the mean loss.
//!
//! | penalty | R(θ) |
//! |---|---|
//! | [`NoPenalty`] | 0 |
//! | [`Ridge`] | λ/2·‖w‖² over the weights |
//! | [`RidgeAll`] | λ/2·‖θ‖² |
//! | [`PerBlock`] | Σ λ_b/2·‖θ_b‖² with a λ for each block, by name or role |
//! | [`GaussianPrior`] | ½(θ_b − μ)ᵀP(θ_b − μ) for one block |
//! | [`SmoothedGroup`] | λ·Σ_g √p_g·(√(‖θ_g‖² + ε²) − ε): a group lasso, smoothed |
//! | [`Penalties`] | a sum of several |
//!
//! A penalty with kinks at zero, L1 or an elastic net, is not one of these but an option of the methods that take it; [`PerBlock::weights`]
//! gives it a λ for each block.

mod gaussian_prior;
mod per_block;
mod smoothed_group;
mod sum;

pub use gaussian_prior::GaussianPrior;
pub use per_block::{Blocks, PerBlock};
pub use smoothed_group::{Groups, SmoothedGroup};
pub use sum::Penalties;

use crate::choice::Choice;
use crate::elementwise::{dot, update};
use crate::params::{ParamBlock, Parameters, Role};
use crate::text::{did_you_mean, list, quoted};
use faer::MatMut;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::ops::Range;

/// Why a penalty refuses its constants or a model's parameters.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PenaltyError {
    /// A constant out of range.
    #[error("{penalty}: {option} = {value} must be {allowed}")]
    Option {
        /// Name of the penalty.
        penalty: &'static str,
        /// Name of its constant.
        option: &'static str,
        /// The value given.
        value: f64,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A block that the model does not have.
    #[error(
        "{penalty}: no block \"{}\" among {}{}",
        quoted(name),
        list(known.iter().map(String::as_str)),
        did_you_mean(name, known.iter().map(String::as_str))
    )]
    UnknownBlock {
        /// Name of the penalty.
        penalty: &'static str,
        /// The name given.
        name: String,
        /// The blocks of the model.
        known: Vec<String>,
    },
    /// Numbers for a block of another length.
    #[error(
        "{penalty}: {what} of block \"{}\" has {found} entries, expected {expected}",
        quoted(name)
    )]
    Length {
        /// Name of the penalty.
        penalty: &'static str,
        /// What was given.
        what: &'static str,
        /// The block.
        name: String,
        /// Entries that fit.
        expected: usize,
        /// Entries given.
        found: usize,
    },
    /// A matrix that is not symmetric.
    #[error(
        "{penalty}: the matrix of block \"{name}\" is not symmetric: {above} in row {row}, column {column}, and {below} across"
    )]
    Asymmetric {
        /// Name of the penalty.
        penalty: &'static str,
        /// The block.
        name: String,
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
        /// The entry.
        above: f64,
        /// The one across the diagonal.
        below: f64,
    },
    /// A matrix with a negative eigenvalue.
    #[error(
        "{penalty}: the matrix of block \"{name}\" has the eigenvalue {eigenvalue}, expected none below 0"
    )]
    Indefinite {
        /// Name of the penalty.
        penalty: &'static str,
        /// The block.
        name: String,
        /// The smallest eigenvalue.
        eigenvalue: f64,
    },
}

impl std::fmt::Debug for PenaltyError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// A smooth penalty. Its Hessian is diagonal, unless it adds more.
pub trait Penalty: Debug + Send + Sync {
    /// Name and options, as a file has them. Default none: a model fitted with the penalty cannot be saved.
    fn describe(&self) -> Option<Choice> {
        None
    }
    /// Whether its constants are in range.
    ///
    /// # Errors
    /// When they are not, with name and value.
    fn check(&self) -> Result<(), PenaltyError>;
    /// Whether its constants are in range, and it fits a model with these parameters: what a risk asks. Default: [`check`](Self::check).
    ///
    /// # Errors
    /// When they are not, or a block is unknown or of another size.
    fn check_against(&self, parameters: &Parameters) -> Result<(), PenaltyError> {
        let _ = parameters;
        self.check()
    }
    /// R(θ).
    fn value(&self, parameters: &Parameters, theta: &[f64]) -> f64;
    /// `gradient` += ∇R(θ); returns R(θ).
    fn add_gradient(&self, parameters: &Parameters, theta: &[f64], gradient: &mut [f64]) -> f64;
    /// `diagonal` += the diagonal of ∇²R(θ).
    fn add_hessian_diagonal(&self, parameters: &Parameters, theta: &[f64], diagonal: &mut [f64]);
    /// `out` += ∇²R(θ)·v without the part of the diagonal. Default: there is no more.
    fn add_off_diagonal_vector(
        &self,
        parameters: &Parameters,
        theta: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) {
        let _ = (parameters, theta, v, out);
    }
    /// `out` (n × n) += ∇²R(θ) without its diagonal, both triangles. Default: there is no more.
    fn add_off_diagonal(&self, parameters: &Parameters, theta: &[f64], out: MatMut<'_, f64>) {
        let _ = (parameters, theta, out);
    }
    /// λ where R = λ/2·‖w‖² over some blocks: such a penalty is a sum of squares.
    fn ridge(&self) -> Option<f64> {
        None
    }
    /// λ > 0 by range of θ, in the order of θ, where R = Σ λ/2·‖·‖² over ranges; `None` where R is something else. Default: by
    /// [`ridge`](Self::ridge) and [`acts_on`](Self::acts_on).
    fn ridges(&self, parameters: &Parameters) -> Option<Vec<(Range<usize>, f64)>> {
        let lambda = self.ridge()?;
        let blocks = parameters.blocks().iter();
        let acted_on = blocks.filter(|block| lambda > 0.0 && self.acts_on(block.spec.role));
        Some(acted_on.map(|block| (block.range.clone(), lambda)).collect())
    }
    /// Whether R is a convex quadratic in θ. Default: where it is a [`ridge`](Self::ridge).
    fn is_quadratic(&self) -> bool {
        self.ridge().is_some()
    }
    /// Whether R is convex. Default: where it [`is_quadratic`](Self::is_quadratic).
    fn is_convex(&self) -> bool {
        self.is_quadratic()
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

/// λ/2·‖w‖² over the weights; biases and scales are left out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ridge(
    /// λ ≥ 0.
    pub f64,
);

/// λ/2·‖θ‖² over weights, biases and scales.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RidgeAll(
    /// λ ≥ 0.
    pub f64,
);

/// λ/2·‖·‖² over the blocks of some roles.
trait SquaredNorm: Debug + Send + Sync {
    fn lambda(&self) -> f64;
    fn covers(&self, role: Role) -> bool;
    /// [`Penalty::describe`].
    fn described(&self) -> Option<Choice>;
}

impl SquaredNorm for NoPenalty {
    fn lambda(&self) -> f64 {
        0.0
    }
    fn covers(&self, _: Role) -> bool {
        false
    }
    fn described(&self) -> Option<Choice> {
        Some(Choice::plain("none"))
    }
}

impl SquaredNorm for Ridge {
    fn lambda(&self) -> f64 {
        self.0
    }
    fn covers(&self, role: Role) -> bool {
        role == Role::Weight
    }
    fn described(&self) -> Option<Choice> {
        Choice::with_options("ridge", self)
    }
}

impl SquaredNorm for RidgeAll {
    fn lambda(&self) -> f64 {
        self.0
    }
    fn covers(&self, _: Role) -> bool {
        true
    }
    fn described(&self) -> Option<Choice> {
        Choice::with_options("ridge_all", self)
    }
}

impl<P: SquaredNorm> Penalty for P {
    fn describe(&self) -> Option<Choice> {
        self.described()
    }

    fn check(&self) -> Result<(), PenaltyError> {
        let value = self.lambda();
        if value.is_finite() && value >= 0.0 {
            return Ok(());
        }
        let (penalty, option, allowed) = ("ridge", "lambda", "finite and ≥ 0");
        Err(PenaltyError::Option { penalty, option, value, allowed })
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

/// The range of the block `name` of `parameters`.
fn named(
    penalty: &'static str,
    parameters: &Parameters,
    name: &str,
) -> Result<Range<usize>, PenaltyError> {
    parameters.range(name).ok_or_else(|| PenaltyError::UnknownBlock {
        penalty,
        name: name.to_owned(),
        known: parameters.blocks().iter().map(|block| block.name.clone()).collect(),
    })
}

/// Refuses a constant unless `fits`.
fn check_option(
    penalty: &'static str,
    option: &'static str,
    value: f64,
    fits: bool,
    allowed: &'static str,
) -> Result<(), PenaltyError> {
    if fits { Ok(()) } else { Err(PenaltyError::Option { penalty, option, value, allowed }) }
}
