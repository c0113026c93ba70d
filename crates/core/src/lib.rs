//! The problem side of `secant`: what a solver may ask ([`problem`]), and the models that answer it.

pub mod elementwise;
pub mod operator;
pub mod problem;
