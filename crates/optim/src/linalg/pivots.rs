//! The blocks of B in L·B·Lᵀ, one or two rows each, and those of |B|.

use serde::{Deserialize, Serialize};

/// A block of B.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pivot {
    /// One number.
    One(f64),
    /// \[a coupling; coupling d].
    Two { a: f64, coupling: f64, d: f64 },
}

/// An eigenpair basis of a block of |B|, and the sizes of its eigenvalues.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Block {
    One(f64),
    /// Eigenvector (c, s) of the first eigenvalue, (−s, c) of the second.
    Two {
        c: f64,
        s: f64,
        sizes: [f64; 2],
    },
}

impl Block {
    /// Rows of the block.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Two { .. } => 2,
        }
    }

    /// `x` ← |B|⁻¹·x, of the block's length.
    pub(crate) fn divide(&self, x: &mut [f64]) {
        match *self {
            Self::One(size) => x[0] /= size,
            Self::Two { c, s, sizes } => {
                let along = [(c * x[0] + s * x[1]) / sizes[0], (c * x[1] - s * x[0]) / sizes[1]];
                x[0] = c * along[0] - s * along[1];
                x[1] = s * along[0] + c * along[1];
            }
        }
    }
}
