//! Krylov methods: they see products A·x only.

pub mod cg;
pub mod forcing;
pub mod lanczos;
pub mod lsmr;
pub mod nystrom;

pub use lanczos::{Extremes, Lanczos, extreme_eigenvalues};
