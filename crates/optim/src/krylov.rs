//! Krylov methods: they see products A·x only.

pub mod cg;
pub mod lanczos;

pub use lanczos::{Extremes, Lanczos, extreme_eigenvalues};
