//! Preconditioners of truncated conjugate gradients: what each learns from the linearisation or from the products made, and M⁻¹r.

use super::model::Model;
use crate::error::{OptimError, require};
use crate::krylov::nystrom::Nystrom;
use crate::linalg::limited_memory::LimitedMemory;
use crate::linalg::vector;
use crate::run::evaluations::Evaluations;
use crate::solver::HessianKind;
use secant_core::problem::Linearization;
use serde::{Deserialize, Serialize};

/// Entries of the diagonal below this part of the largest are raised to it: a preconditioner must not divide by rounding.
pub const DIAGONAL_FLOOR: f64 = 1e-10;

/// M in the preconditioned iteration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Preconditioner {
    /// The identity.
    #[default]
    Nothing,
    /// The diagonal of the Gauss–Newton matrix, exact: for parameters of very different sizes. Costs a Jacobian by tiles per step.
    Jacobi,
    /// The L-BFGS matrix of `memory` pairs (d, Hd), spread evenly over the products of the step before: no further product. Memory
    /// 4·`memory`·n.  Morales & Nocedal (2000), SIAM J. Optim. 10, algorithm SAMPLE.
    Pairs {
        /// Pairs, at least 1.
        memory: usize,
    },
    /// A randomised sketch of the Gauss–Newton matrix, by `rank` products every `refresh` steps: for spectra that fall off. Memory
    /// `rank`·n.  Frangella, Tropp & Udell (2023).
    Nystrom {
        /// Eigenvalues that are seen, at least 1.
        rank: usize,
        /// Steps with one sketch, at least 1.
        refresh: u32,
    },
}

impl Preconditioner {
    /// Checks the options, in the solver's name.
    pub(crate) fn validate(self, solver: &'static str) -> Result<(), OptimError> {
        let least =
            |value: usize, option| require(value >= 1, solver, option, value as f64, "at least 1");
        match self {
            Self::Nothing | Self::Jacobi => Ok(()),
            Self::Pairs { memory } => least(memory, "memory"),
            Self::Nystrom { rank, refresh } => {
                least(rank, "rank")?;
                least(refresh as usize, "refresh")
            }
        }
    }
}

/// A preconditioner with what it has learnt.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Preconditioning {
    Nothing,
    Diagonal(Vec<f64>),
    Pairs { memory: LimitedMemory, sample: Sample },
    Nystrom { sketch: Nystrom, refresh: u32, age: u32 },
}

impl Preconditioning {
    pub(crate) fn new(kind: Preconditioner, n: usize) -> Self {
        match kind {
            Preconditioner::Nothing => Self::Nothing,
            Preconditioner::Jacobi => Self::Diagonal(vec![0.0; n]),
            Preconditioner::Pairs { memory } => {
                Self::Pairs { memory: LimitedMemory::new(memory, n), sample: Sample::new(memory) }
            }
            Preconditioner::Nystrom { rank, refresh } => {
                Self::Nystrom { sketch: Nystrom::new(n, rank), refresh, age: 0 }
            }
        }
    }

    /// Before the products of one linearisation; returns what it cost, none where it was given up because `go_on` said so.
    pub(crate) fn prepare(
        &mut self,
        at: &impl Linearization,
        mut go_on: impl FnMut() -> bool,
    ) -> Option<Evaluations> {
        match self {
            Self::Nothing | Self::Pairs { .. } => {}
            Self::Diagonal(diagonal) => {
                if !at.gauss_newton_diagonal_while(diagonal, &mut go_on) {
                    return None;
                }
                raise(diagonal);
            }
            Self::Nystrom { sketch, refresh, age } => {
                let due = age.is_multiple_of(*refresh);
                *age += 1;
                if due {
                    let model = Model::new(at, HessianKind::GaussNewton);
                    sketch.refresh(&model);
                    return Some(model.made());
                }
            }
        }
        Some(Evaluations::default())
    }

    /// M = I until the next [`prepare`](Self::prepare): there is nothing to apply.
    pub(crate) fn is_identity(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Pairs { memory, .. } => memory.is_empty(),
            Self::Diagonal(_) | Self::Nystrom { .. } => false,
        }
    }

    /// z ← M⁻¹r
    pub(crate) fn apply(&mut self, r: &[f64], z: &mut [f64]) {
        match self {
            Self::Nothing => z.copy_from_slice(r),
            Self::Diagonal(diagonal) => vector::divide(r, diagonal, z),
            Self::Pairs { memory, .. } => memory.apply(r, z),
            Self::Nystrom { sketch, .. } => sketch.apply(r, z),
        }
    }

    /// Looks at a direction and its product, before the next [`apply`](Self::apply) of the same iteration.
    pub(crate) fn see(&mut self, direction: &[f64], product: &[f64]) {
        if let Self::Pairs { sample, .. } = self {
            sample.see(direction, product);
        }
    }

    /// After the last product of one linearisation.
    pub(crate) fn learn(&mut self) {
        if let Self::Pairs { memory, sample } = self {
            sample.hand_over(memory);
        }
    }
}

/// Pairs spread evenly over a sequence whose length is not known.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// (number in the sequence, d, Hd)
    pairs: Vec<(usize, Vec<f64>, Vec<f64>)>,
    /// Most pairs.
    room: usize,
    /// Of `pairs`, those of this sequence.
    held: usize,
    seen: usize,
    /// Every so manyth is kept.
    stride: usize,
}

impl Sample {
    fn new(room: usize) -> Self {
        Self { pairs: Vec::new(), room, held: 0, seen: 0, stride: 1 }
    }

    fn see(&mut self, direction: &[f64], product: &[f64]) {
        let number = self.seen;
        self.seen += 1;
        if !number.is_multiple_of(self.stride) {
            return;
        }
        while self.held == self.room {
            self.stride *= 2;
            self.thin();
        }
        if !number.is_multiple_of(self.stride) {
            return;
        }
        if self.held == self.pairs.len() {
            self.pairs.push((0, Vec::new(), Vec::new()));
        }
        let (at, d, hd) = &mut self.pairs[self.held];
        *at = number;
        d.clear();
        d.extend_from_slice(direction);
        hd.clear();
        hd.extend_from_slice(product);
        self.held += 1;
    }

    /// Gives up the pairs between two strides; where that leaves all, the latest.
    fn thin(&mut self) {
        let before = self.held;
        let mut kept = 0;
        for i in 0..before {
            if self.pairs[i].0.is_multiple_of(self.stride) {
                self.pairs.swap(kept, i);
                kept += 1;
            }
        }
        // The one pair of room for one is the first, of every stride.
        self.held = if kept == before && self.room == 1 { 0 } else { kept };
    }

    /// The pairs go into an empty `memory`, unless there is none.
    fn hand_over(&mut self, memory: &mut LimitedMemory) {
        if self.held > 0 {
            memory.clear();
            for (_, d, hd) in &self.pairs[..self.held] {
                memory.push_pair(d, hd);
            }
        }
        (self.held, self.seen, self.stride) = (0, 0, 1);
    }
}

/// Raises small and negative entries, so that every one is positive.
fn raise(diagonal: &mut [f64]) {
    // What is no number is raised too, and is no size.
    let largest = diagonal.iter().fold(0.0_f64, |most, entry| most.max(entry.abs()));
    let floor = if largest > 0.0 { DIAGONAL_FLOOR * largest } else { 1.0 };
    for entry in diagonal {
        // `max` raises NaN too.
        *entry = entry.max(floor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_over_all_that_was_seen() {
        for room in 1..6 {
            let mut sample = Sample::new(room);
            for k in 0..23_u8 {
                sample.see(&[f64::from(k)], &[2.0 * f64::from(k)]);
                assert!(sample.held <= room);
            }
            let kept: Vec<f64> = sample.pairs[..sample.held].iter().map(|pair| pair.1[0]).collect();
            let stride = sample.stride as f64;
            assert!(kept.is_sorted() && kept.len() >= room.div_ceil(2), "{room}: {kept:?}");
            assert!(kept.iter().all(|k| k % stride == 0.0), "{room}: {kept:?}");
            assert!(room == 1 || kept.windows(2).all(|k| k[1] - k[0] == stride), "{kept:?}");
            assert!(kept.last().unwrap() + 2.0 * stride >= 23.0, "{room}: {kept:?}");
            let mut memory = LimitedMemory::new(room, 1);
            sample.hand_over(&mut memory);
            assert_eq!(memory.len(), kept.iter().filter(|k| **k > 0.0).count());
        }
    }

    #[test]
    fn small_negative_and_undefined_entries_are_raised() {
        let mut diagonal = [4.0, 0.0, -1.0, f64::NAN];
        raise(&mut diagonal);
        assert_eq!(diagonal, [4.0, 4e-10, 4e-10, 4e-10]);
        let mut zeros = [0.0; 2];
        raise(&mut zeros);
        assert_eq!(zeros, [1.0; 2]);
    }
}
