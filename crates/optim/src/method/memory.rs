//! The memory of a method's own state, counted from its buffers.

use super::Method;
use crate::solver::region::MAX_PRODUCTS;
use crate::solver::residual_model::QR_BYTES;
use crate::solver::{Factorization, Modification, Preconditioner, Subproblem};

/// θ, ∇f and the best θ, which every run keeps.
const STATE: usize = 3;
/// θ and ∇f of a trial.
const TRIAL: usize = 2;

impl Method {
    /// Bytes of the solver's own state for n parameters and m residuals (0 where the problem has none): θ, ∇f and the best θ, the
    /// method's vectors and matrices. A basis that grows with the run (Lanczos) counts in full.
    ///
    /// An estimate from the buffers' lengths, no measurement: what the *problem* keeps (tapes, shards), the scratch of a factorisation
    /// and the trace are not in it. It says how a method grows with n, not what a process takes.
    pub fn memory(&self, n: usize, m: usize) -> u64 {
        let square = n.saturating_mul(n);
        let basis = n.saturating_mul(n.min(MAX_PRODUCTS));
        let times = |k: usize| k.saturating_mul(n);
        let own = match self {
            Self::Momentum(_) | Self::Nesterov(_) | Self::AdaGrad(_) | Self::RmsProp(_) => {
                times(1 + TRIAL + 1)
            }
            Self::Adam(_) | Self::Adadelta(_) => times(1 + TRIAL + 2),
            Self::GradientDescent(_) => times(1 + TRIAL + TRIAL + 1),
            Self::NonlinearCg(_) => times(2 + TRIAL),
            Self::Lbfgs(s) => pairs(n, s.memory).saturating_add(times(1 + TRIAL)),
            Self::LbfgsB(s) => pairs(n, s.memory).saturating_add(times(10)),
            Self::OwlQn(s) => pairs(n, s.memory).saturating_add(times(5)),
            Self::Bfgs(_) => triangle(n).saturating_add(times(4 + TRIAL)),
            Self::Sr1(_) => triangle(n).saturating_add(basis).saturating_add(times(4 + TRIAL)),
            Self::Newton(s) => {
                let matrices = match s.modification {
                    Modification::Shift => 2,
                    Modification::TurnedSigns => 3,
                };
                square.saturating_mul(matrices).saturating_add(times(2 + TRIAL))
            }
            Self::RegularizedNewton(_) => square.saturating_mul(2).saturating_add(times(4 + TRIAL)),
            Self::ProximalNewton(_) => square.saturating_mul(5).saturating_add(times(5 + TRIAL)),
            Self::TrustRegion(s) => match s.subproblem {
                Subproblem::Gltr => basis.saturating_add(times(2 + TRIAL)),
                Subproblem::Steihaug => times(3 + 1 + TRIAL),
                Subproblem::Exact | Subproblem::ScaledExact | Subproblem::Dogleg => {
                    square.saturating_mul(2).saturating_add(times(2 + TRIAL))
                }
            },
            Self::AdaptiveCubic(_) => basis.saturating_add(times(2 + TRIAL)),
            Self::Tron(_) => times(12),
            Self::NewtonCg(s) => times(7).saturating_add(match s.preconditioner {
                Preconditioner::Nothing => 0,
                Preconditioner::Jacobi => n,
                Preconditioner::Pairs { memory } => times(memory).saturating_mul(4),
                Preconditioner::Nystrom { rank, .. } => times(rank),
            }),
            Self::GaussNewton(s) => residual_model(n, m, s.factorization),
            Self::LevenbergMarquardt(s) => residual_model(n, m, s.factorization),
            Self::BoundedLevenbergMarquardt(_) => square
                .saturating_mul(4)
                .saturating_add(m.saturating_mul(2))
                .saturating_add(times(8)),
        };
        own.saturating_add(times(STATE)).saturating_mul(size_of::<f64>()) as u64
    }
}

/// `memory` pairs (s, y) and the products among them.
fn pairs(n: usize, memory: usize) -> usize {
    let products = memory.saturating_mul(memory).saturating_mul(2);
    n.saturating_mul(memory).saturating_mul(2).saturating_add(products)
}

fn triangle(n: usize) -> usize {
    n.saturating_mul(n.saturating_add(1)) / 2
}

/// J with its factors at θ and at the trial, or JᵀJ with its factor at each.
fn residual_model(n: usize, m: usize, factorization: Factorization) -> usize {
    let jacobian = m.saturating_mul(n);
    let qr = match factorization {
        Factorization::Auto => jacobian.saturating_mul(size_of::<f64>()) <= QR_BYTES,
        Factorization::Qr => true,
        Factorization::NormalEquations => false,
    };
    let square = n.saturating_mul(n).saturating_mul(4);
    let jacobians = if qr { jacobian.saturating_mul(2) } else { 0 };
    square.saturating_add(jacobians).saturating_add(m.saturating_mul(3)).saturating_add(14 * n)
}
