//! What quasi-Newton methods do with a pair (s, y) that shows too little curvature.

use crate::run::state::FitState;
use serde::{Deserialize, Serialize};

/// A pair shows curvature when sᵀy > this·‖s‖·‖y‖. On a quadratic the cosine is at least 2√κ / (κ + 1), so that condition
/// numbers up to 1e20 are served and rounding is not.
pub const CURVATURE: f64 = 1e-14;
/// Damping makes sᵀy = this · sᵀBs.  N&W procedure 18.2.
pub const DAMPING: f64 = 0.2;
/// A cautious update asks for sᵀy/sᵀs ≥ this · (‖∇f‖/‖∇f(θ₀)‖)³ of the first pair's.  Li & Fukushima (2001) §5: 1e-6, ‖∇f‖³.
pub const CAUTION: f64 = 1e-6;

/// Which pairs are taken, and how. The strong Wolfe conditions give curvature to every pair; with other searches, or at their limits,
/// a pair may have none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Safeguard {
    /// A pair is taken as it is where sᵀy > [`CURVATURE`]·‖s‖·‖y‖. Elsewhere L-BFGS leaves it, BFGS damps it.
    #[default]
    Curvature,
    /// y is moved towards Bs wherever sᵀy < [`DAMPING`]·sᵀBs: no pair is lost.  Powell (1978), N&W procedure 18.2.
    Damped,
    /// A pair is left where sᵀy/sᵀs < [`CAUTION`]·(‖∇f‖/‖∇f(θ₀)‖)³ of what the first pair showed: with that BFGS converges on
    /// functions that are not convex.  Li & Fukushima (2001), SIAM J. Optim. 11, (2.8), made free of units.
    Cautious,
}

impl Safeguard {
    /// Whether y is damped, from sᵀy, ‖s‖·‖y‖ and sᵀBs: w of y ← wy + (1 − w)Bs.
    pub(crate) fn damping(self, sy: f64, sizes: f64, sbs: f64) -> Option<f64> {
        let damps = match self {
            Self::Damped => true,
            Self::Curvature => !shows_curvature(sy, sizes),
            Self::Cautious => false,
        };
        (damps && sbs > 0.0 && sy < DAMPING * sbs).then(|| (1.0 - DAMPING) * sbs / (sbs - sy))
    }
}

/// Beyond rounding.
pub(crate) fn shows_curvature(sy: f64, sizes: f64) -> bool {
    sy > CURVATURE * sizes
}

/// The measure of [`Safeguard::Cautious`].
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[doc(hidden)]
pub struct Caution {
    /// sᵀy/sᵀs of the first pair with curvature; 0 before it.
    first: f64,
}

impl Caution {
    /// Whether curvature sᵀy/sᵀs = `curvature` is enough at the state.
    pub(crate) fn allows(&mut self, curvature: f64, state: &FitState) -> bool {
        if self.first == 0.0 && curvature > 0.0 {
            self.first = curvature;
        }
        curvature > 0.0 && curvature >= CAUTION * self.first * state.relative_gradient().powi(3)
    }
}
