//! Full-batch fitting of small and medium models with exact curvature.

pub use secant_core as core;
pub use secant_core::{check, data, graph, init, loss, network, op, penalty, problem, risk};
pub use secant_optim as optim;
