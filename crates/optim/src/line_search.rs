//! Line searches over φ(α) = f(θ + αp). They see φ only: no problem, no θ, no argmin.
//!
//! | search | accepts | needs per trial |
//! |---|---|---|
//! | [`StrongWolfe`] | sufficient decrease and a flat enough slope | φ and φ′ |
//! | [`Backtracking`] | sufficient decrease | φ |

mod backtracking;
mod more_thuente;

pub use backtracking::Backtracking;
pub use more_thuente::{CURVATURE, DECREASE, MAX_GROWTH, MAX_TRIALS, NOISE, StrongWolfe};

/// φ and φ′ at one α.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trial {
    /// α
    pub step: f64,
    /// φ(α)
    pub value: f64,
    /// φ′(α) = ∇f(θ + αp)ᵀp
    pub slope: f64,
}

/// What a search found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found {
    /// The conditions hold at this point, the last one evaluated.
    Accepted(Trial),
    /// φ still falls at the longest step allowed, the last point evaluated: decrease holds, the slope is still steep.
    AtMaximum(Trial),
    /// The trials are used up; this is the lowest point with sufficient decrease, and the last one evaluated.
    Decreased(Trial),
    /// No point with sufficient decrease.
    Nothing {
        /// Not one trial was finite.
        all_nonfinite: bool,
    },
}

/// An option of a search outside its range.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("line search: option `{option}` is {value}, allowed is {allowed}")]
pub struct SearchOption {
    /// The field's name.
    pub option: &'static str,
    /// Its value.
    pub value: f64,
    /// What is allowed.
    pub allowed: &'static str,
}

pub(crate) fn require(
    holds: bool,
    option: &'static str,
    value: f64,
    allowed: &'static str,
) -> Result<(), SearchOption> {
    if holds { Ok(()) } else { Err(SearchOption { option, value, allowed }) }
}
