//! What a task, a shard and a linearisation work in; the pool keeps these between evaluations.

use crate::data::{Gathered, SparseRows};
use crate::tape::{TangentTape, Tape};

/// What one task needs to sweep a tile.
#[derive(Debug)]
pub(super) struct Workspace {
    pub(super) tape: Tape,
    pub(super) sweep: TangentTape,
    /// x of data that are standardised when they are read.
    pub(super) inputs: Vec<f64>,
    /// Outputs with their offsets, see [`Risk::scores`](super::Risk::scores).
    pub(super) shifted: Vec<f64>,
    /// Where a sweep that is repeated for its tape puts its gradient.
    pub(super) discarded: ShardSum,
}

/// What one shard adds up: Σ ℓ (compensated) and θ̄.
#[derive(Debug, Default)]
pub(super) struct ShardSum {
    pub(super) loss: CompensatedSum,
    pub(super) gradient: Vec<f64>,
}

/// A sum with the rounding errors carried along  (Neumaier 1974).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CompensatedSum {
    sum: f64,
    correction: f64,
}

impl CompensatedSum {
    pub(super) fn add(&mut self, term: f64) {
        let sum = self.sum + term;
        self.correction += if self.sum.abs() >= term.abs() {
            (self.sum - sum) + term
        } else {
            (term - sum) + self.sum
        };
        self.sum = sum;
    }
    pub(super) fn merge(&mut self, other: Self) {
        self.add(other.sum);
        if other.sum.is_finite() {
            self.add(other.correction);
        }
    }
    /// Sum and correction.
    pub(super) fn to_parts(self) -> [f64; 2] {
        [self.sum, self.correction]
    }
    pub(super) fn from_parts([sum, correction]: [f64; 2]) -> Self {
        Self { sum, correction }
    }
    pub(super) fn total(self) -> f64 {
        // An infinite sum has a NaN correction (∞ − ∞); the sum itself is the answer then.
        if self.sum.is_finite() { self.sum + self.correction } else { self.sum }
    }
}

/// The buffers of a linearisation.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) theta: Vec<f64>,
    /// θ where the sweeps evaluate, of centred data; empty for others.
    pub(super) moved: Vec<f64>,
    pub(super) gradient: Vec<f64>,
    /// The diagonal of the penalty's Hessian.
    pub(super) diagonal: Vec<f64>,
    /// Per shard the tapes of its first tiles.
    pub(super) tapes: Vec<Vec<Tape>>,
}

/// Scores of all samples, see [`Risk::scores_at`](super::Risk::scores_at).
#[derive(Debug, Default)]
pub(super) struct Scores {
    /// Whether an evaluation is to keep its own.
    pub(super) wanted: bool,
    /// Where they are of, as the sweeps have it; empty before there are any.
    pub(super) theta: Vec<f64>,
    /// z without offsets, c × N.
    pub(super) values: Vec<f64>,
}

/// What one task needs to gather and sweep a tile.
#[derive(Debug)]
pub(super) struct BatchWorkspace {
    pub(super) tape: Tape,
    /// x: d × B, of dense data.
    pub(super) inputs: Vec<f64>,
    /// x of sparse data.
    pub(super) rows: SparseRows,
    /// Their targets, weights and offsets.
    pub(super) gathered: Gathered,
    /// Outputs with their offsets.
    pub(super) shifted: Vec<f64>,
}
