//! How often each kind of evaluation was asked for, and the names of argmin's counters.

use secant_core::problem::Asked;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::ops::AddAssign;

pub(crate) const VALUE: &str = "value_count";
pub(crate) const VALUE_GRADIENT: &str = "value_gradient_count";
pub(crate) const SAMPLED_GRADIENT: &str = "sampled_gradient_count";
pub(crate) const LINEARIZE: &str = "linearize_count";
pub(crate) const HESSIAN: &str = "hessian_count";
pub(crate) const GAUSS_NEWTON: &str = "gauss_newton_count";
pub(crate) const HESSIAN_VECTOR: &str = "hessian_vector_count";
pub(crate) const GAUSS_NEWTON_VECTOR: &str = "gauss_newton_vector_count";
pub(crate) const RESIDUALS: &str = "residuals_count";
pub(crate) const JACOBIAN: &str = "jacobian_count";
pub(crate) const NORMAL_EQUATIONS: &str = "normal_equations_count";
pub(crate) const NORMAL_DIAGONAL: &str = "normal_diagonal_count";
pub(crate) const JACOBIAN_VECTOR: &str = "jacobian_vector_count";
pub(crate) const JACOBIAN_TRANSPOSE_VECTOR: &str = "jacobian_transpose_vector_count";

/// Kinds of evaluations.
pub(crate) const KINDS: usize = 13;

/// How often each kind of evaluation was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluations {
    /// f alone.
    pub value: u64,
    /// f with ∇f.
    pub value_gradient: u64,
    /// The same on a minibatch: one per step of a run on minibatches, whose f and ∇f on all samples are counted above.
    #[serde(default)]
    pub sampled_gradient: u64,
    /// Linearisations (each holds f and ∇f).
    pub linearize: u64,
    /// Dense Hessians.
    pub hessian: u64,
    /// Dense Gauss–Newton matrices.
    pub gauss_newton: u64,
    /// Products with the Hessian.
    pub hessian_vector: u64,
    /// Products with the Gauss–Newton matrix.
    pub gauss_newton_vector: u64,
    /// Residuals alone.
    pub residuals: u64,
    /// Dense Jacobians (each with the residuals).
    pub jacobian: u64,
    /// JᵀJ with Jᵀr (each with f).
    pub normal_equations: u64,
    /// Diagonals of JᵀJ.
    #[serde(default)]
    pub normal_diagonal: u64,
    /// Products with the Jacobian.
    pub jacobian_vector: u64,
    /// Products with its transpose.
    pub jacobian_transpose_vector: u64,
}

impl Evaluations {
    pub(crate) fn from_lookup(count: impl Fn(&str) -> Option<u64>) -> Self {
        let count = |key| count(key).unwrap_or(0);
        Self {
            value: count(VALUE),
            value_gradient: count(VALUE_GRADIENT),
            sampled_gradient: count(SAMPLED_GRADIENT),
            linearize: count(LINEARIZE),
            hessian: count(HESSIAN),
            gauss_newton: count(GAUSS_NEWTON),
            hessian_vector: count(HESSIAN_VECTOR),
            gauss_newton_vector: count(GAUSS_NEWTON_VECTOR),
            residuals: count(RESIDUALS),
            jacobian: count(JACOBIAN),
            normal_equations: count(NORMAL_EQUATIONS),
            normal_diagonal: count(NORMAL_DIAGONAL),
            jacobian_vector: count(JACOBIAN_VECTOR),
            jacobian_transpose_vector: count(JACOBIAN_TRANSPOSE_VECTOR),
        }
    }

    /// Complete passes over the data, the epochs of a full-batch run: each evaluation, product and dense matrix goes once
    /// through all samples, whatever it does with them. What a pass costs is for [`Costs`](crate::Costs) to say.
    pub fn passes(&self) -> u64 {
        self.each().iter().sum()
    }

    /// The counts, in the order of the fields, but for the gradients of minibatches.
    pub(crate) fn each(&self) -> [u64; KINDS] {
        [
            self.value,
            self.value_gradient,
            self.linearize,
            self.hessian,
            self.gauss_newton,
            self.hessian_vector,
            self.gauss_newton_vector,
            self.residuals,
            self.jacobian,
            self.normal_equations,
            self.normal_diagonal,
            self.jacobian_vector,
            self.jacobian_transpose_vector,
        ]
    }

    /// The derivatives that these are.
    pub(crate) fn asked(&self) -> Asked<'static> {
        let of_residuals = self.jacobian + self.normal_equations + self.normal_diagonal;
        let products = self.jacobian_vector + self.jacobian_transpose_vector;
        Asked {
            first: self.value_gradient + self.linearize + of_residuals + products > 0,
            second: self.hessian + self.hessian_vector > 0,
            gauss_newton: self.gauss_newton + self.gauss_newton_vector > 0,
            within: None,
        }
    }

    /// Those that need no residuals.
    pub(crate) fn without_residuals(&self) -> Self {
        Self {
            residuals: 0,
            jacobian: 0,
            normal_equations: 0,
            normal_diagonal: 0,
            jacobian_vector: 0,
            jacobian_transpose_vector: 0,
            ..*self
        }
    }

    /// Evaluations of f on all samples, of any kind: what `max_evaluations` limits.
    pub fn of_f(&self) -> u64 {
        let of_residuals = self.residuals + self.jacobian + self.normal_equations;
        self.value + self.value_gradient + self.linearize + of_residuals
    }
}

/// argmin's counters under their names: those of its `Problem`, which begin at zero in every process, on top of what was counted before
/// the run was taken up. Saved as the sums.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, u64>", into = "BTreeMap<String, u64>")]
pub(crate) struct Counters {
    before: HashMap<String, u64>,
    sums: HashMap<String, u64>,
}

impl Counters {
    /// All that was made when the `Problem` has counted `here`.
    pub(crate) fn work(&self, here: &HashMap<&'static str, u64>) -> Evaluations {
        Evaluations::from_lookup(|key| Some(self.before(key) + here.get(key).unwrap_or(&0)))
    }

    /// Takes over what the `Problem` has counted.
    pub(crate) fn update(&mut self, here: &HashMap<&'static str, u64>) {
        for (&key, &count) in here {
            let sum = self.before(key) + count;
            // `entry` would allocate a key in every iteration.
            if let Some(known) = self.sums.get_mut(key) {
                *known = sum;
            } else {
                self.sums.insert(key.to_owned(), sum);
            }
        }
    }

    /// As of the latest [`update`](Self::update).
    pub(crate) fn sums(&self) -> &HashMap<String, u64> {
        &self.sums
    }

    fn before(&self, key: &str) -> u64 {
        self.before.get(key).copied().unwrap_or(0)
    }
}

impl From<BTreeMap<String, u64>> for Counters {
    fn from(saved: BTreeMap<String, u64>) -> Self {
        let sums: HashMap<_, _> = saved.into_iter().collect();
        Self { before: sums.clone(), sums }
    }
}

impl From<Counters> for BTreeMap<String, u64> {
    fn from(counters: Counters) -> Self {
        counters.sums.into_iter().collect()
    }
}

impl AddAssign for Evaluations {
    fn add_assign(&mut self, other: Self) {
        self.value += other.value;
        self.value_gradient += other.value_gradient;
        self.sampled_gradient += other.sampled_gradient;
        self.linearize += other.linearize;
        self.hessian += other.hessian;
        self.gauss_newton += other.gauss_newton;
        self.hessian_vector += other.hessian_vector;
        self.gauss_newton_vector += other.gauss_newton_vector;
        self.residuals += other.residuals;
        self.jacobian += other.jacobian;
        self.normal_equations += other.normal_equations;
        self.normal_diagonal += other.normal_diagonal;
        self.jacobian_vector += other.jacobian_vector;
        self.jacobian_transpose_vector += other.jacobian_transpose_vector;
    }
}
