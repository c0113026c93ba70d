//! The problem side of `secant`: what a solver may ask ([`problem`]), and the models that answer it.

pub mod check;
pub mod data;
pub mod elementwise;
pub mod graph;
pub mod init;
pub mod loss;
pub mod network;
pub mod op;
pub mod operator;
pub mod params;
pub mod penalty;
pub mod problem;
pub mod random;
pub mod risk;
pub mod shape;
mod sweep;
mod tape;
