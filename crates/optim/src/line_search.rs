//! Line searches over φ(α) = f(θ + αp). They see φ only: no problem, no θ, no argmin.
//!
//! | search | accepts | needs per trial |
//! |---|---|---|
//! | [`StrongWolfe`] (Moré–Thuente) | sufficient decrease and a flat slope | φ and φ′ |
//! | [`HagerZhang`] | sufficient decrease and a slope no longer steep, or the slopes alone | φ and φ′ |
//! | [`Backtracking`] | sufficient decrease | φ |
//!
//! Each has a method `search` from φ(0), φ′(0) and a first α to what it [`Found`]; [`LineSearch`] is one of them, chosen when the
//! program runs. But for rounding the trials of all three are the same for φ and c·φ.

mod backtracking;
pub mod hager_zhang;
mod more_thuente;

pub use backtracking::{Backtracking, Interpolation, LONGEST, SHORTEST};
pub use hager_zhang::HagerZhang;
pub use more_thuente::{CURVATURE, DECREASE, MAX_TRIALS, StrongWolfe};

use serde::{Deserialize, Serialize};

/// Longest step, relative to the first trial (MINPACK-2's `stpmax`).
pub const MAX_GROWTH: f64 = 1e10;
/// Relative change of φ below which its digits are rounding: 4 decades above ε, for sums of many terms.
pub const NOISE: f64 = 1e-12;
/// The slopes decide when the first trial promises at most this many times the noise.
const NOISE_REACH: f64 = 1e3;

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

/// One of the searches, with its options.
///
/// ```
/// use secant_optim::line_search::{Found, HagerZhang, LineSearch};
/// let search = LineSearch::from(HagerZhang::default());
/// let found = search.search(0.5, -1.0, 1.0, |a| (0.5 * (a - 1.0) * (a - 1.0), a - 1.0));
/// assert!(matches!(found, Found::Accepted(trial) if trial.step == 1.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum LineSearch {
    /// Strong Wolfe by Moré and Thuente: the default.
    MoreThuente(StrongWolfe),
    /// Wolfe or approximate Wolfe, by secants.
    HagerZhang(HagerZhang),
    /// Decrease alone.
    Backtracking(Backtracking),
}

impl Default for LineSearch {
    fn default() -> Self {
        Self::MoreThuente(StrongWolfe::default())
    }
}

impl LineSearch {
    /// Checks the options.
    ///
    /// # Errors
    /// The first option outside its range.
    pub fn validate(&self) -> Result<(), SearchOption> {
        match self {
            Self::MoreThuente(search) => search.validate(),
            Self::HagerZhang(search) => search.validate(),
            Self::Backtracking(search) => search.validate(),
        }
    }

    /// `value` = φ(0), `slope` = φ′(0) < 0, `initial` = the first α > 0; `phi` gives (φ, φ′). Whatever is found is the
    /// point that `phi` was last called with. A slope that is not negative finds nothing.
    pub fn search(
        &self,
        value: f64,
        slope: f64,
        initial: f64,
        phi: impl FnMut(f64) -> (f64, f64),
    ) -> Found {
        match self {
            Self::MoreThuente(search) => search.search(value, slope, initial, phi),
            Self::HagerZhang(search) => search.search(value, slope, initial, phi),
            Self::Backtracking(search) => search.search(value, slope, initial, phi),
        }
    }

    /// Longest step relative to the first.
    pub(crate) fn max_growth(&self) -> f64 {
        match self {
            Self::MoreThuente(search) => search.max_growth,
            Self::HagerZhang(search) => search.max_growth,
            Self::Backtracking(_) => 1.0,
        }
    }

    /// |φ(α) − φ(0)| below this part of |φ(0)| is rounding.
    pub(crate) fn noise(&self) -> f64 {
        match self {
            Self::MoreThuente(search) => search.noise,
            Self::HagerZhang(search) => search.noise,
            Self::Backtracking(search) => search.noise,
        }
    }
}

impl From<StrongWolfe> for LineSearch {
    fn from(search: StrongWolfe) -> Self {
        Self::MoreThuente(search)
    }
}

impl From<HagerZhang> for LineSearch {
    fn from(search: HagerZhang) -> Self {
        Self::HagerZhang(search)
    }
}

impl From<Backtracking> for LineSearch {
    fn from(search: Backtracking) -> Self {
        Self::Backtracking(search)
    }
}

/// φ falls from 0, and there is a first trial.
fn gives_direction(slope: f64, initial: f64) -> bool {
    slope < 0.0 && slope.is_finite() && initial > 0.0 && initial.is_finite()
}

/// |φ(α) − φ(0)| below this has no digits; 0 where the first trial promises a visible decrease.
fn noise(relative: f64, value: f64, promise: f64) -> f64 {
    let noise = relative * value.abs();
    if promise <= NOISE_REACH * noise { noise } else { 0.0 }
}

/// φ(α) − φ(0), from the slopes where the values have no digits left.
fn gain(value: f64, slope: f64, at: Trial, noise: f64) -> f64 {
    let difference = at.value - value;
    if difference.abs() < noise { 0.5 * at.step * (slope + at.slope) } else { difference }
}

/// The end of a search that accepted nothing: the `best` α with sufficient decrease, evaluated again unless it was the `last`, since the caller holds the gradient of the last call.
fn settle(
    best: Option<f64>,
    last: Option<Trial>,
    all_nonfinite: bool,
    mut phi: impl FnMut(f64) -> (f64, f64),
) -> Found {
    let Some(step) = best else { return Found::Nothing { all_nonfinite } };
    Found::Decreased(last.filter(|last| last.step == step).unwrap_or_else(|| {
        let (value, slope) = phi(step);
        Trial { step, value, slope }
    }))
}

/// An option of a search outside its range.
#[derive(Clone, Copy, PartialEq, thiserror::Error)]
#[error("line search: option `{option}` is {value}, allowed is {allowed}")]
pub struct SearchOption {
    /// The field's name.
    pub option: &'static str,
    /// Its value.
    pub value: f64,
    /// What is allowed.
    pub allowed: &'static str,
}

impl std::fmt::Debug for SearchOption {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

pub(crate) fn require(
    holds: bool,
    option: &'static str,
    value: f64,
    allowed: &'static str,
) -> Result<(), SearchOption> {
    if holds { Ok(()) } else { Err(SearchOption { option, value, allowed }) }
}
