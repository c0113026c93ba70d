//! Vectors and matrices: kernels that know neither argmin nor the solvers.

pub(crate) mod cholesky;
pub(crate) mod packed;
pub(crate) mod tridiagonal;
pub(crate) mod vector;
