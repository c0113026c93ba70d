//! What is taken for the costs of functions that nobody counted, and what reports say of them.

/// Operations of a residual: a few elementary functions.
pub(super) const RESIDUAL: f64 = 100.0;
/// Operations per parameter of a value: a few elementary functions.
pub(super) const VALUE: f64 = 100.0;
/// Evaluations that a derivative by differences takes as a rule.
pub(super) const EVALUATIONS: f64 = 4.0;
/// Where a method asks for the Gauss–Newton matrix of a function that is no sum of squares.
pub(super) const NO_GAUSS_NEWTON: &str = "f has no Gauss–Newton matrix: its Hessian in the place";
