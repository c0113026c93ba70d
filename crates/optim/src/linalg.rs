//! Vectors and matrices: kernels that know neither argmin nor the solvers.

pub(crate) mod box_qp;
pub(crate) mod cholesky;
pub(crate) mod direct_memory;
pub(crate) mod ldlt;
pub(crate) mod limited_memory;
pub(crate) mod normal;
pub(crate) mod packed;
pub(crate) mod qr;
pub(crate) mod tridiagonal;
pub(crate) mod vector;
