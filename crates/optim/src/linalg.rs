//! Vectors and matrices: kernels that know neither argmin nor the solvers.

use serde::{Deserialize, Serialize};

pub(crate) mod anderson;
pub(crate) mod arrow;
pub(crate) mod blocks;
pub(crate) mod box_qp;
pub(crate) mod cholesky;
pub(crate) mod dense;
pub(crate) mod direct_memory;
#[cfg(feature = "lapack")]
pub(crate) mod lapack;
pub(crate) mod ldlt;
pub(crate) mod limited_memory;
pub(crate) mod normal;
pub(crate) mod operator;
pub(crate) mod packed;
pub(crate) mod pivots;
pub(crate) mod qr;
pub(crate) mod sweep;
pub(crate) mod tridiagonal;
pub(crate) mod vector;

/// Whose routines factorise a dense Hessian. The interface, the modifications and the refinement around them are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Backend {
    /// faer's: pure Rust, the same bits on every machine with the same vector width.
    #[default]
    Faer,
    /// LAPACK's, through the system's OpenBLAS (feature `lapack`).
    #[cfg(feature = "lapack")]
    Lapack,
}
