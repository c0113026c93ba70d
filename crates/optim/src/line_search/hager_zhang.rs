//! Wolfe by slopes: φ(α) ≤ φ(0) + δ·α·φ′(0) and φ′(α) ≥ σ·φ′(0); or, where φ(α) ≤ φ(0) + ε, the approximate conditions
//! (2δ − 1)·φ′(0) ≥ φ′(α) ≥ σ·φ′(0), which ask nothing of differences of φ that rounding has taken.
//!
//! Update: an interval [a, b] with φ′(a) < 0, φ(a) ≤ φ(0) + ε and φ′(b) ≥ 0 is shrunk by two secant steps on φ′ and, where
//! these are slow, by halving.  Hager & Zhang (2005), SIAM J. Optim. 16(1), §4; (2006), ACM TOMS 32(1). The steps of the code
//! carry the papers' names: T1 and T2 accept, B1 to B3 bracket, U0 to U3 update, S1 to S4 are the double secant.
//!
//! No trial lies farther out than [`EXPANSION`] times the farthest before it, and the first one is the caller's.
//! A trial that is NaN or infinite counts as +∞: while there is no interval the step is contracted, and does not return
//! farther than half way.

use super::{Found, MAX_GROWTH, NOISE, SearchOption, Trial, gives_direction, require, settle};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

/// δ.  Hager & Zhang (2005) §5.
pub const DECREASE: f64 = 0.1;
/// σ.  Hager & Zhang (2005) §5.
pub const CURVATURE: f64 = 0.9;
/// ρ: largest growth from one trial to the next while there is no interval.  Hager & Zhang (2005) §5.
pub const EXPANSION: f64 = 5.0;
/// γ: an interval that the secants leave longer than this is halved.  Hager & Zhang (2005) §5.
pub const NARROWING: f64 = 2.0 / 3.0;
/// Most trials: as many halvings reach the last bits of b.
pub const MAX_TRIALS: u32 = 50;
/// A trial that is not finite shortens the step by this factor.
const CONTRACTION: f64 = 0.1;

/// The Hager–Zhang search. Usable by itself:
///
/// ```
/// use secant_optim::line_search::{Found, HagerZhang};
/// // φ(α) = (α − 3)² from α = 0.1: too steep there, flat enough five times as far.
/// let found = HagerZhang::default().search(9.0, -6.0, 0.1, |a| ((a - 3.0) * (a - 3.0), 2.0 * (a - 3.0)));
/// assert!(matches!(found, Found::Accepted(trial) if trial.step == 0.5), "{found:?}");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HagerZhang {
    /// δ of sufficient decrease, in (0, ½). Default [`DECREASE`].
    pub decrease: f64,
    /// σ of the slope, in [δ, 1). Default [`CURVATURE`].
    pub curvature: f64,
    /// ε = `noise`·|φ(0)|: the slopes alone decide up to φ(0) + ε. In \[0, 1). Default [`NOISE`]; the papers take 1e-6, and
    /// let φ rise by as much.
    pub noise: f64,
    /// Most evaluations of φ, ≥ 1. Default [`MAX_TRIALS`].
    pub max_trials: u32,
    /// Longest step relative to the first, ≥ 1. Default [`MAX_GROWTH`].
    pub max_growth: f64,
}

impl Default for HagerZhang {
    fn default() -> Self {
        Self {
            decrease: DECREASE,
            curvature: CURVATURE,
            noise: NOISE,
            max_trials: MAX_TRIALS,
            max_growth: MAX_GROWTH,
        }
    }
}

impl HagerZhang {
    /// Checks the options.
    ///
    /// # Errors
    /// The first option outside its range.
    pub fn validate(&self) -> Result<(), SearchOption> {
        let (delta, sigma) = (self.decrease, self.curvature);
        require(delta > 0.0 && delta < 0.5, "decrease", delta, "(0, ½)")?;
        require(sigma >= delta && sigma < 1.0, "curvature", sigma, "[decrease, 1)")?;
        require((0.0..1.0).contains(&self.noise), "noise", self.noise, "[0, 1)")?;
        require(self.max_trials > 0, "max_trials", f64::from(self.max_trials), "≥ 1")?;
        let growth = self.max_growth;
        require(growth >= 1.0 && growth.is_finite(), "max_growth", growth, "[1, ∞)")
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
        if !gives_direction(slope, initial) {
            return Found::Nothing { all_nonfinite: false };
        }
        let mut line = Line {
            phi,
            options: *self,
            start: Trial { step: 0.0, value, slope },
            limit: value + self.noise * value.abs(),
            left: self.max_trials,
            best: None,
            last: None,
            all_nonfinite: true,
        };
        let Err(end) = line.minimize(initial);
        match end {
            End::Accepted(trial) => Found::Accepted(trial),
            End::AtMaximum(trial) => Found::AtMaximum(trial),
            End::Exhausted => {
                let best = line.best.map(|best| best.step);
                settle(best, line.last, line.all_nonfinite, line.phi)
            }
        }
    }
}

/// Where a search ends.
enum End {
    /// T1 or T2 holds.
    Accepted(Trial),
    /// Decrease holds at the longest step, and φ still falls.
    AtMaximum(Trial),
    /// No trials are left, or no numbers between the ends.
    Exhausted,
}

/// What a trial says of where a minimum lies.
enum Side {
    /// φ′ ≥ 0: before it.
    Rising,
    /// φ′ < 0, φ ≤ φ(0) + ε: behind it, until φ rises again.
    Falling,
    /// φ′ < 0, φ > φ(0) + ε, or not finite: before it, over a hill.
    High,
}

/// φ along one line, and the books of one search.
struct Line<F> {
    phi: F,
    options: HagerZhang,
    /// α = 0
    start: Trial,
    /// φ(0) + ε
    limit: f64,
    left: u32,
    /// The lowest point with sufficient decrease.
    best: Option<Trial>,
    last: Option<Trial>,
    all_nonfinite: bool,
}

impl<F: FnMut(f64) -> (f64, f64)> Line<F> {
    /// Steps L0 to L3 of the search.
    fn minimize(&mut self, first: f64) -> Result<Infallible, End> {
        let (mut a, mut b) = self.bracket(first)?;
        loop {
            let width = b.step - a.step;
            (a, b) = self.double_secant(a, b)?;
            if b.step - a.step > NARROWING * width {
                let middle = f64::midpoint(a.step, b.step);
                if !(a.step < middle && middle < b.step) {
                    return Err(End::Exhausted);
                }
                (a, b) = self.update(a, b, middle)?;
            }
        }
    }

    /// φ and φ′ at `step`, or the end of the search.
    fn at(&mut self, step: f64) -> Result<Trial, End> {
        self.left = self.left.checked_sub(1).ok_or(End::Exhausted)?;
        let (value, slope) = (self.phi)(step);
        if !(value.is_finite() && slope.is_finite()) {
            self.last = None;
            return Ok(Trial { step, value: f64::INFINITY, slope: f64::NAN });
        }
        let trial = Trial { step, value, slope };
        (self.all_nonfinite, self.last) = (false, Some(trial));
        if self.accepts(trial) {
            return Err(End::Accepted(trial));
        }
        if self.decreases(trial) && self.best.is_none_or(|best| value < best.value) {
            self.best = Some(trial);
        }
        Ok(trial)
    }

    /// As a difference: in the sum the promise can round away.
    fn decreases(&self, trial: Trial) -> bool {
        trial.value - self.start.value <= self.options.decrease * trial.step * self.start.slope
    }

    /// T1 or T2.
    fn accepts(&self, trial: Trial) -> bool {
        let (delta, sigma, slope) =
            (self.options.decrease, self.options.curvature, self.start.slope);
        let approximate = trial.value <= self.limit && trial.slope <= (2.0 * delta - 1.0) * slope;
        trial.slope >= sigma * slope && (self.decreases(trial) || approximate)
    }

    fn side(&self, trial: Trial) -> Side {
        if trial.slope >= 0.0 {
            Side::Rising
        } else if trial.value <= self.limit {
            Side::Falling
        } else {
            Side::High
        }
    }

    /// An interval [a, b], by growing steps from `first`: B1 to B3.
    fn bracket(&mut self, first: f64) -> Result<(Trial, Trial), End> {
        let mut longest = first * self.options.max_growth;
        let (mut a, mut step) = (self.start, first);
        loop {
            let at = self.at(step)?;
            match self.side(at) {
                Side::Rising => return Ok((a, at)),
                Side::High if at.value.is_finite() => return self.behind_hill(self.start, at),
                Side::High => {
                    longest = f64::midpoint(a.step, step);
                    step = a.step + CONTRACTION * (step - a.step);
                }
                Side::Falling if step >= longest => {
                    let lower = self.decreases(at);
                    return Err(if lower { End::AtMaximum(at) } else { End::Exhausted });
                }
                Side::Falling => {
                    a = at;
                    step = (EXPANSION * step).min(longest);
                }
            }
        }
    }

    /// The part of [a, b] that `step` leaves: U0 to U3.
    fn update(&mut self, a: Trial, b: Trial, step: f64) -> Result<(Trial, Trial), End> {
        // Written so that NaN is outside: the secant of two equal slopes.
        if !(a.step < step && step < b.step) {
            return Ok((a, b));
        }
        let at = self.at(step)?;
        match self.side(at) {
            Side::Rising => Ok((a, at)),
            Side::Falling => Ok((at, b)),
            Side::High => self.behind_hill(a, at),
        }
    }

    /// An interval between a and the hill at `high`, by halving: U3.
    fn behind_hill(&mut self, a: Trial, high: Trial) -> Result<(Trial, Trial), End> {
        let (mut a, mut high) = (a, high.step);
        loop {
            let middle = f64::midpoint(a.step, high);
            if !(a.step < middle && middle < high) {
                return Err(End::Exhausted);
            }
            let at = self.at(middle)?;
            match self.side(at) {
                Side::Rising => return Ok((a, at)),
                Side::Falling => a = at,
                Side::High => high = middle,
            }
        }
    }

    /// Two secant steps, one from each side: S1 to S4.
    fn double_secant(&mut self, a: Trial, b: Trial) -> Result<(Trial, Trial), End> {
        let step = secant(a, b);
        let (left, right) = self.update(a, b, step)?;
        let again = if step == right.step {
            secant(b, right)
        } else if step == left.step {
            secant(a, left)
        } else {
            return Ok((left, right));
        };
        self.update(left, right, again)
    }
}

/// Zero of the line through the slopes at a and b.
fn secant(a: Trial, b: Trial) -> f64 {
    (a.step * b.slope - b.step * a.slope) / (b.slope - a.slope)
}
