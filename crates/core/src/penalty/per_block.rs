//! R(θ) = Σ_b λ_b/2·‖θ_b‖²: a ridge with a λ for each block.

use super::{Penalty, PenaltyError, check_option, named};
use crate::choice::Choice;
use crate::elementwise::{dot, update};
use crate::params::{ParamBlock, Parameters, Role};
use serde::{Deserialize, Serialize};
use std::ops::Range;

const NAME: &str = "ridge per block";

/// Which blocks are meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Blocks {
    /// All.
    All,
    /// Those of a role.
    Role(Role),
    /// The one of this name, `node.parameter`.
    Named(String),
}

impl Blocks {
    fn holds(&self, block: &ParamBlock) -> bool {
        match self {
            Self::All => true,
            Self::Role(role) => block.spec.role == *role,
            Self::Named(name) => block.name == *name,
        }
    }
}

/// λ for each block, by name or role; where several rules name a block the last one counts, and where none does λ is 0.
///
/// ```
/// use secant_core::data::Dataset;
/// use secant_core::loss::SquaredError;
/// use secant_core::network::Network;
/// use secant_core::op::Activation;
/// use secant_core::params::Role;
/// use secant_core::penalty::PerBlock;
/// use secant_core::risk::Risk;
///
/// let data = Dataset::from_slices(1, &[0.0, 1.0, 2.0], 1, &[1.0, 2.0, 5.0])?;
/// let net = Network::mlp([1, 3, 1], Activation::Tanh);
/// // 1e-3 on the weights, but for the last layer.
/// let penalty = PerBlock::default().role(Role::Weight, 1e-3).block("dense2.weight", 0.0);
/// Risk::new(net.graph()?, &data, SquaredError, penalty)?;
///
/// let penalty = PerBlock::default().block("dense3.weight", 1e-3);
/// let error = Risk::new(net.graph()?, &data, SquaredError, penalty).unwrap_err();
/// assert!(error.to_string().contains(r#"no block "dense3.weight" among ["dense1.weight", "#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PerBlock {
    /// Which blocks, and their λ ≥ 0.
    pub rules: Vec<(Blocks, f64)>,
}

impl PerBlock {
    /// λ for the block called `name`.
    pub fn block(self, name: impl Into<String>, lambda: f64) -> Self {
        self.rule(Blocks::Named(name.into()), lambda)
    }

    /// λ for the blocks of a role.
    pub fn role(self, role: Role, lambda: f64) -> Self {
        self.rule(Blocks::Role(role), lambda)
    }

    /// λ for all blocks.
    pub fn all(self, lambda: f64) -> Self {
        self.rule(Blocks::All, lambda)
    }

    fn rule(mut self, blocks: Blocks, lambda: f64) -> Self {
        self.rules.push((blocks, lambda));
        self
    }

    /// λ of every entry of θ: the weights of an L1 penalty with a λ for each block, `L1::per_parameter`.
    ///
    /// # Errors
    /// As [`check_against`](Penalty::check_against).
    pub fn weights(&self, parameters: &Parameters) -> Result<Vec<f64>, PenaltyError> {
        self.check_against(parameters)?;
        let mut weights = vec![0.0; parameters.dim()];
        for (range, lambda) in self.penalised(parameters) {
            weights[range].fill(lambda);
        }
        Ok(weights)
    }

    fn lambda(&self, block: &ParamBlock) -> f64 {
        let last = self.rules.iter().rev().find(|(blocks, _)| blocks.holds(block));
        last.map_or(0.0, |(_, lambda)| *lambda)
    }

    /// The ranges with a λ that is not 0.
    fn penalised<'a>(
        &'a self,
        parameters: &'a Parameters,
    ) -> impl Iterator<Item = (Range<usize>, f64)> + 'a {
        let each = |block: &ParamBlock| (block.range.clone(), self.lambda(block));
        parameters.blocks().iter().map(each).filter(|(_, lambda)| *lambda != 0.0)
    }
}

impl Penalty for PerBlock {
    fn describe(&self) -> Option<Choice> {
        Choice::with_options("per_block", self)
    }

    fn check(&self) -> Result<(), PenaltyError> {
        let fits = |lambda: f64| lambda.is_finite() && lambda >= 0.0;
        self.rules.iter().try_for_each(|(_, lambda)| {
            check_option(NAME, "lambda", *lambda, fits(*lambda), "finite and ≥ 0")
        })
    }

    fn check_against(&self, parameters: &Parameters) -> Result<(), PenaltyError> {
        self.check()?;
        self.rules.iter().try_for_each(|(blocks, _)| match blocks {
            Blocks::Named(name) => named(NAME, parameters, name).map(|_| ()),
            Blocks::All | Blocks::Role(_) => Ok(()),
        })
    }

    fn value(&self, parameters: &Parameters, theta: &[f64]) -> f64 {
        let term = |(range, lambda): (Range<usize>, f64)| {
            0.5 * lambda * dot(&theta[range.clone()], &theta[range])
        };
        self.penalised(parameters).map(term).sum()
    }

    fn add_gradient(&self, parameters: &Parameters, theta: &[f64], gradient: &mut [f64]) -> f64 {
        for (range, lambda) in self.penalised(parameters) {
            update(&mut gradient[range.clone()], &theta[range], |g, w| lambda.mul_add(w, g));
        }
        self.value(parameters, theta)
    }

    fn add_hessian_diagonal(&self, parameters: &Parameters, _: &[f64], diagonal: &mut [f64]) {
        for (range, lambda) in self.penalised(parameters) {
            for entry in &mut diagonal[range] {
                *entry += lambda;
            }
        }
    }

    fn ridges(&self, parameters: &Parameters) -> Option<Vec<(Range<usize>, f64)>> {
        Some(self.penalised(parameters).collect())
    }

    fn is_quadratic(&self) -> bool {
        true
    }
}
