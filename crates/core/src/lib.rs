//! The problem side of `secant`: what a solver may ask ([`problem`]), and the models that answer it.
//!
//! A [`network::Network`] (or any [`graph::Graph`] of [`op`] nodes), a [`data::Dataset`], a [`loss`] and a [`penalty`] make a
//! [`risk::Risk`]: a function of the parameters θ with exact gradients, Hessian and Gauss–Newton products.
//!
//! ```
//! use secant_core::data::Dataset;
//! use secant_core::loss::SquaredError;
//! use secant_core::network::Network;
//! use secant_core::op::Activation;
//! use secant_core::penalty::Ridge;
//! use secant_core::problem::{Curvature, Linearization, Objective};
//! use secant_core::risk::Risk;
//!
//! // Three samples of two features (a column is a sample), one target each.
//! let data = Dataset::from_slices(2, &[0.0, 1.0, 1.0, 0.5, -1.0, 2.0], 1, &[1.0, 2.0, 3.0])?;
//! let network = Network::mlp([2, 4, 1], Activation::Tanh);
//! let risk = Risk::new(network.graph()?, &data, SquaredError, Ridge(1e-3))?;
//!
//! let theta = network.draw(7)?;
//! let at = risk.linearize(&theta);
//! let mut curvature = vec![0.0; risk.dim()];
//! at.hessian_vector(at.gradient(), &mut curvature); // ∇²f·∇f, without forming ∇²f
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use faer;

pub mod check;
mod choice;
pub mod data;
pub mod description;
pub mod differences;
pub mod double_double;
pub mod elementwise;
pub mod files;
pub mod formula;
pub mod graph;
pub mod init;
pub mod loss;
pub mod network;
pub mod op;
pub mod operator;
pub mod params;
mod partition;
pub mod penalty;
pub mod predict;
pub mod problem;
pub mod random;
pub mod real;
pub mod rho;
pub mod risk;
pub mod shape;
pub mod special;
mod sweep;
mod tape;
mod tasks;
pub mod text;
