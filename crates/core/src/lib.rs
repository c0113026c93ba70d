//! The problem side of `secant`: what a solver may ask ([`problem`]), and the models that answer it.

pub mod data;
pub mod elementwise;
pub mod graph;
pub mod loss;
pub mod op;
pub mod operator;
pub mod params;
pub mod penalty;
pub mod problem;
pub mod random;
pub mod shape;
mod sweep;
mod tape;
