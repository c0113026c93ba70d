//! Krylov methods: they see products A·x, and Aᵀ·y, only.

pub mod cg;
pub mod forcing;
pub mod lanczos;
pub mod lsmr;
pub mod nystrom;

pub use lanczos::{Extremes, Lanczos, extreme_eigenvalues};
pub use lsmr::Lsmr;
