//! R(θ) = ½(θ_b − μ)ᵀP(θ_b − μ) for one block: minus the logarithm of a normal prior with mean μ and covariance P⁻¹, per sample.
//!
//! Beside a *mean* loss of N samples that is −ln p, the prior's precision is N·P.

use super::{Penalty, PenaltyError, check_option, named};
use crate::choice::Choice;
use crate::params::Parameters;
use faer::{MatMut, MatRef, Side};
use serde::{Deserialize, Serialize};

const NAME: &str = "gaussian prior";

/// Entries across the diagonal may differ by this, relative to the largest: what is left of a product of matrices. Eigenvalues may lie as
/// far below 0.
const ROUNDING: f64 = 1e-12;

/// A normal prior on one block, by its precision matrix. Costs p² per evaluation for a block of p entries, and p³ once, for the check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaussianPrior {
    block: String,
    /// p × p, column-major.
    precision: Vec<f64>,
    /// p entries; zeros where there are none.
    mean: Option<Vec<f64>>,
}

impl GaussianPrior {
    /// The prior on the block called `name` with precision P (p × p, symmetric, positive semidefinite) and mean 0. All is checked when a
    /// risk is made of it.
    pub fn new(name: impl Into<String>, precision: MatRef<'_, f64>) -> Self {
        let columns = 0..precision.ncols();
        let precision = columns.flat_map(|j| precision.col(j).iter().copied()).collect();
        Self { block: name.into(), precision, mean: None }
    }

    /// The same with independent entries of precision `diagonal`.
    pub fn diagonal(name: impl Into<String>, diagonal: &[f64]) -> Self {
        let p = diagonal.len();
        let entry = |at: usize| if at.is_multiple_of(p + 1) { diagonal[at / (p + 1)] } else { 0.0 };
        Self { block: name.into(), precision: (0..p * p).map(entry).collect(), mean: None }
    }

    /// The mean μ, p numbers in the order of θ.
    pub fn with_mean(mut self, mean: impl Into<Vec<f64>>) -> Self {
        self.mean = Some(mean.into());
        self
    }

    fn mean(&self, index: usize) -> f64 {
        self.mean.as_ref().map_or(0.0, |mean| mean[index])
    }

    /// Calls `each(j, column j of P, θⱼ − μⱼ)` with the block's entries of θ.
    fn columns(&self, block: &[f64], mut each: impl FnMut(usize, &[f64], f64)) {
        for (j, column) in self.precision.chunks_exact(block.len().max(1)).enumerate() {
            each(j, column, block[j] - self.mean(j));
        }
    }

    fn length(
        &self,
        what: &'static str,
        expected: usize,
        found: usize,
    ) -> Result<(), PenaltyError> {
        if expected == found {
            return Ok(());
        }
        let name = self.block.clone();
        Err(PenaltyError::Length { penalty: NAME, what, name, expected, found })
    }
}

impl Penalty for GaussianPrior {
    fn describe(&self) -> Option<Choice> {
        Choice::with_options("gaussian_prior", self)
    }

    fn check(&self) -> Result<(), PenaltyError> {
        let all = self.precision.iter().chain(self.mean.iter().flatten());
        if let Some(value) = all.clone().find(|value| !value.is_finite()) {
            return check_option(NAME, "an entry", *value, false, "finite");
        }
        let p = self.precision.len().isqrt();
        self.length("the precision matrix", p * p, self.precision.len())?;
        if let Some(mean) = &self.mean {
            self.length("the mean", p, mean.len())?;
        }
        let matrix = MatRef::from_column_major_slice(&self.precision, p, p);
        let size = self.precision.iter().fold(0.0_f64, |size, entry| size.max(entry.abs()));
        let name = || self.block.clone();
        for column in 0..p {
            for row in 0..column {
                let (above, below) = (matrix[(row, column)], matrix[(column, row)]);
                if (above - below).abs() > ROUNDING * size {
                    let (penalty, name) = (NAME, name());
                    return Err(PenaltyError::Asymmetric {
                        penalty,
                        name,
                        row,
                        column,
                        above,
                        below,
                    });
                }
            }
        }
        // Nothing else than an eigenvalue says it to the end: a factorisation without pivots may break down at a semidefinite P.
        let eigenvalues = matrix.self_adjoint_eigenvalues(Side::Lower).unwrap_or_default();
        match eigenvalues.first() {
            Some(&eigenvalue) if eigenvalue < -ROUNDING * size * p as f64 => {
                Err(PenaltyError::Indefinite { penalty: NAME, name: name(), eigenvalue })
            }
            _ => Ok(()),
        }
    }

    fn check_against(&self, parameters: &Parameters) -> Result<(), PenaltyError> {
        let range = named(NAME, parameters, &self.block)?;
        let p = range.len();
        self.length("the precision matrix", p * p, self.precision.len())?;
        self.check()
    }

    fn value(&self, parameters: &Parameters, theta: &[f64]) -> f64 {
        let Some(block) = parameters.slice(theta, &self.block) else { return 0.0 };
        let mut value = 0.0;
        self.columns(block, |_, column, delta| {
            let row = column.iter().enumerate();
            value += 0.5 * delta * row.map(|(i, p)| p * (block[i] - self.mean(i))).sum::<f64>();
        });
        value
    }

    fn add_gradient(&self, parameters: &Parameters, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let Some(range) = parameters.range(&self.block) else { return 0.0 };
        let gradient = &mut gradient[range.clone()];
        self.columns(&theta[range], |_, column, delta| {
            for (g, p) in gradient.iter_mut().zip(column) {
                *g += p * delta;
            }
        });
        self.value(parameters, theta)
    }

    fn add_hessian_diagonal(&self, parameters: &Parameters, _: &[f64], diagonal: &mut [f64]) {
        let Some(range) = parameters.range(&self.block) else { return };
        let entries = self.precision.iter().step_by(range.len() + 1);
        for (diagonal, entry) in diagonal[range].iter_mut().zip(entries) {
            *diagonal += entry;
        }
    }

    fn add_off_diagonal_vector(
        &self,
        parameters: &Parameters,
        _: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) {
        let Some(range) = parameters.range(&self.block) else { return };
        let (v, out) = (&v[range.clone()], &mut out[range.clone()]);
        for (j, column) in self.precision.chunks_exact(range.len().max(1)).enumerate() {
            for (i, (out, p)) in out.iter_mut().zip(column).enumerate() {
                *out += if i == j { 0.0 } else { p * v[j] };
            }
        }
    }

    fn add_off_diagonal(&self, parameters: &Parameters, _: &[f64], mut out: MatMut<'_, f64>) {
        let Some(range) = parameters.range(&self.block) else { return };
        for (j, column) in self.precision.chunks_exact(range.len().max(1)).enumerate() {
            for (i, p) in column.iter().enumerate().filter(|(i, _)| *i != j) {
                out[(range.start + i, range.start + j)] += p;
            }
        }
    }

    fn is_quadratic(&self) -> bool {
        true
    }
}
