//! Strong Wolfe: φ(α) ≤ φ(0) + c₁·α·φ′(0) and |φ′(α)| ≤ c₂·|φ′(0)|.
//!
//! Update: safeguarded cubic and quadratic steps that keep a minimiser bracketed.  Moré & Thuente (1994), ACM TOMS 20(3),
//! as in MINPACK-2's `dcsrch` and `dcstep`.
//!
//! Near the rounding floor the difference φ(α) − φ(0) has no digits left while the slopes still do. Where
//! |φ(α) − φ(0)| ≤ noise·|φ(0)|, the difference is therefore taken from the slopes, ½α(φ′(0) + φ′(α)), which is exact on
//! quadratics; with it sufficient decrease reads φ′(α) ≤ (2c₁ − 1)·φ′(0): the approximate Wolfe condition of Hager & Zhang
//! (2005), SIAM J. Optim. 16(1), eq. (4.1). This holds only where the first trial promises no more than some [`NOISE`] itself:
//! a search that contracts down to the noise from a visible promise has a gradient that disagrees with the values.
//!
//! A trial that is NaN or infinite counts as +∞: the step is contracted towards the best point.

use super::{
    Found, MAX_GROWTH, NOISE, SearchOption, Trial, gain, gives_direction, noise, require, settle,
};
use serde::{Deserialize, Serialize};

/// c₁.  N&W p. 33.
pub const DECREASE: f64 = 1e-4;
/// c₂ for Newton and quasi-Newton directions.  N&W p. 34.
pub const CURVATURE: f64 = 0.9;
/// Most trials; growth by 4 reaches the longest step in 17.
pub const MAX_TRIALS: u32 = 30;
/// Largest growth from one trial to the next.  MINPACK-2: `xtrapu` = 4.
const EXTRAPOLATION: f64 = 4.0;
/// Smallest growth.  MINPACK-2: `xtrapl` = 1.1.
const EXTRAPOLATION_LEAST: f64 = 1.1;
/// Share of the bracket that a step may go beyond the best point.  MINPACK-2: 0.66.
const BRACKET_SHARE: f64 = 0.66;
/// Relative width of a bracket that is not worth dividing.
const BRACKET_TOLERANCE: f64 = 1e-15;
/// A trial that is not finite shortens the step from the best point by this factor.
const CONTRACTION: f64 = 0.1;

/// The Moré–Thuente search. Usable by itself:
///
/// ```
/// use secant_optim::line_search::{Found, StrongWolfe};
/// // φ(α) = (α − 3)² from α = 1.
/// let found = StrongWolfe::default().search(9.0, -6.0, 1.0, |a| ((a - 3.0) * (a - 3.0), 2.0 * (a - 3.0)));
/// assert!(matches!(found, Found::Accepted(trial) if trial.slope.abs() <= 0.9 * 6.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StrongWolfe {
    /// c₁ of sufficient decrease, in (0, ½). Default [`DECREASE`].
    pub decrease: f64,
    /// c₂ of the slope, in [c₁, 1). Default [`CURVATURE`]; 0.1 for gradient descent.
    pub curvature: f64,
    /// Most evaluations of φ, ≥ 1. Default [`MAX_TRIALS`].
    pub max_trials: u32,
    /// Longest step relative to the first, ≥ 1. Default [`MAX_GROWTH`].
    pub max_growth: f64,
    /// |φ(α) − φ(0)| < `noise`·|φ(0)| is judged by slopes; 0 switches that off. In \[0, 1). Default [`NOISE`].
    pub noise: f64,
}

impl Default for StrongWolfe {
    fn default() -> Self {
        Self {
            decrease: DECREASE,
            curvature: CURVATURE,
            max_trials: MAX_TRIALS,
            max_growth: MAX_GROWTH,
            noise: NOISE,
        }
    }
}

/// A point of the search: α, φ(α) − φ(0), φ′(α).
#[derive(Clone, Copy, Debug)]
struct Point {
    step: f64,
    gain: f64,
    slope: f64,
}

impl Point {
    /// The same point of ψ(α) = φ(α) − φ(0) − c₁·α·φ′(0).
    fn tilted(self, tilt: f64) -> Self {
        Self { step: self.step, gain: self.gain - self.step * tilt, slope: self.slope - tilt }
    }
}

/// The interval of uncertainty: `best` has the least value so far, `other` the other end once `closed`.
#[derive(Clone, Copy, Debug)]
struct Interval {
    best: Point,
    other: Point,
    closed: bool,
}

impl StrongWolfe {
    /// Checks the options.
    ///
    /// # Errors
    /// The first option outside its range.
    pub fn validate(&self) -> Result<(), SearchOption> {
        let (c1, c2) = (self.decrease, self.curvature);
        require(c1 > 0.0 && c1 < 0.5, "decrease", c1, "(0, ½)")?;
        require(c2 >= c1 && c2 < 1.0, "curvature", c2, "[decrease, 1)")?;
        require(self.max_trials > 0, "max_trials", f64::from(self.max_trials), "≥ 1")?;
        let growth = self.max_growth;
        require(growth >= 1.0 && growth.is_finite(), "max_growth", growth, "[1, ∞)")?;
        require((0.0..1.0).contains(&self.noise), "noise", self.noise, "[0, 1)")
    }

    /// `value` = φ(0), `slope` = φ′(0) < 0, `initial` = the first α > 0; `phi` gives (φ, φ′). Whatever is found is the
    /// point that `phi` was last called with. A slope that is not negative finds nothing.
    pub fn search(
        &self,
        value: f64,
        slope: f64,
        initial: f64,
        mut phi: impl FnMut(f64) -> (f64, f64),
    ) -> Found {
        if !gives_direction(slope, initial) {
            return Found::Nothing { all_nonfinite: false };
        }
        let start = Point { step: 0.0, gain: 0.0, slope };
        let mut interval = Interval { best: start, other: start, closed: false };
        let mut search = Search {
            tilt: self.decrease * slope,
            first_stage: true,
            maximum: initial * self.max_growth,
            bounds: (0.0, initial + EXTRAPOLATION * initial),
            width: initial * self.max_growth,
            width_before: 2.0 * initial * self.max_growth,
        };
        let noise = noise(self.noise, value, -slope * initial);
        let (mut step, mut all_nonfinite, mut last) = (initial, true, None);
        for _ in 0..self.max_trials {
            if step == interval.best.step {
                // Nothing is left between the ends.
                break;
            }
            let (at_value, at_slope) = phi(step);
            if !(at_value.is_finite() && at_slope.is_finite()) {
                last = None;
                step = search.contract(&interval, step);
                continue;
            }
            let trial = Trial { step, value: at_value, slope: at_slope };
            (all_nonfinite, last) = (false, Some(trial));
            let at = Point { step, gain: gain(value, slope, trial, noise), slope: at_slope };
            let decreased = at.gain <= step * search.tilt;
            if decreased && at.slope.abs() <= self.curvature * -slope {
                return Found::Accepted(trial);
            }
            if decreased && step >= search.maximum && at.slope <= search.tilt {
                return Found::AtMaximum(trial);
            }
            step = search.next(&mut interval, at, decreased);
        }
        let (best, enough) = (interval.best, self.decrease * interval.best.step * slope);
        let decreased = best.step > 0.0 && best.gain <= enough;
        settle(decreased.then_some(best.step), last, all_nonfinite, phi)
    }
}

/// The moving parts of one search; names in brackets are MINPACK-2's.
struct Search {
    /// c₁·φ′(0) (`gtest`)
    tilt: f64,
    /// No point with ψ ≤ 0 and φ′ ≥ 0 so far (`stage`).
    first_stage: bool,
    /// Longest step (`stpmax`).
    maximum: f64,
    /// Where the next trial may lie (`stmin`, `stmax`).
    bounds: (f64, f64),
    /// Width of the bracket now and two trials ago (`width`, `width1`).
    width: f64,
    width_before: f64,
}

impl Search {
    /// The bracket is too narrow to divide.
    fn exhausted(&self, interval: &Interval, step: f64) -> bool {
        let (low, high) = self.bounds;
        interval.closed && (step <= low || step >= high || high - low <= BRACKET_TOLERANCE * high)
    }

    /// The step after a trial at `wall` that was not finite. Later steps stay well on this side of it.
    fn contract(&mut self, interval: &Interval, wall: f64) -> f64 {
        let best = interval.best.step;
        let step = best + CONTRACTION * (wall - best);
        if !interval.closed {
            self.maximum = self.maximum.min(f64::midpoint(best, wall));
            self.bounds = (step, self.maximum);
        }
        step
    }

    /// Takes in the trial `at` and proposes the next step.
    fn next(&mut self, interval: &mut Interval, at: Point, decreased: bool) -> f64 {
        if self.first_stage && decreased && at.slope >= 0.0 {
            self.first_stage = false;
        }
        let mut step = if self.first_stage && !decreased && at.gain <= interval.best.gain {
            // The first stage works on ψ, whose minimiser satisfies sufficient decrease.
            let mut tilted = Interval {
                best: interval.best.tilted(self.tilt),
                other: interval.other.tilted(self.tilt),
                closed: interval.closed,
            };
            let step = tilted.update(at.tilted(self.tilt), self.bounds);
            *interval = Interval {
                best: tilted.best.tilted(-self.tilt),
                other: tilted.other.tilted(-self.tilt),
                closed: tilted.closed,
            };
            step
        } else {
            interval.update(at, self.bounds)
        };
        let (best, other) = (interval.best.step, interval.other.step);
        if interval.closed {
            if (other - best).abs() >= BRACKET_SHARE * self.width_before {
                step = f64::midpoint(best, other);
            }
            self.width_before = self.width;
            self.width = (other - best).abs();
            self.bounds = (best.min(other), best.max(other));
        } else {
            self.bounds =
                (step + EXTRAPOLATION_LEAST * (step - best), step + EXTRAPOLATION * (step - best));
        }
        // Not `clamp`: a NaN from 0/0 must become a bound.
        step = step.max(0.0).min(self.maximum);
        if self.exhausted(interval, step) { best } else { step }
    }
}

impl Interval {
    /// `dcstep`: shrinks or moves the interval with the trial `at` and returns the next step. The four cases are those of
    /// Moré & Thuente §4.
    fn update(&mut self, at: Point, bounds: (f64, f64)) -> f64 {
        let best = self.best;
        let opposite = at.slope * best.slope.signum() < 0.0;
        let toward = at.step > best.step;
        let next = if at.gain > best.gain {
            // Case 1: a higher value; the minimum is bracketed.
            let cubic = cubic_minimum(best, at);
            let quadratic = best.step
                + 0.5
                    * (at.step - best.step)
                    * (best.slope / ((best.gain - at.gain) / (at.step - best.step) + best.slope));
            self.closed = true;
            if (cubic - best.step).abs() < (quadratic - best.step).abs() {
                cubic
            } else {
                f64::midpoint(cubic, quadratic)
            }
        } else if opposite {
            // Case 2: a lower value and a slope of the other sign; the minimum is bracketed.
            let cubic = cubic_minimum(at, best);
            let secant = secant(best, at);
            self.closed = true;
            if (cubic - at.step).abs() > (secant - at.step).abs() { cubic } else { secant }
        } else if at.slope.abs() < best.slope.abs() {
            // Case 3: a lower value, the same sign, a flatter slope: the minimum lies farther on.
            let secant = secant(best, at);
            let cubic = cubic_beyond(best, at, bounds);
            if self.closed {
                let nearer =
                    if (cubic - at.step).abs() < (secant - at.step).abs() { cubic } else { secant };
                let limit = at.step + BRACKET_SHARE * (self.other.step - at.step);
                if toward { nearer.min(limit) } else { nearer.max(limit) }
            } else {
                let farther =
                    if (cubic - at.step).abs() > (secant - at.step).abs() { cubic } else { secant };
                farther.max(bounds.0).min(bounds.1)
            }
        } else if self.closed {
            // Case 4: a lower value, the same sign, a steeper slope.
            cubic_minimum(at, self.other)
        } else if toward {
            bounds.1
        } else {
            bounds.0
        };
        if at.gain > best.gain {
            self.other = at;
        } else {
            if opposite {
                self.other = best;
            }
            self.best = at;
        }
        next
    }
}

/// Minimiser of the cubic through the values and slopes of two points, seen from `a`.  N&W eq. (3.59).
fn cubic_minimum(a: Point, b: Point) -> f64 {
    let theta = 3.0 * (a.gain - b.gain) / (b.step - a.step) + a.slope + b.slope;
    let size = theta.abs().max(a.slope.abs()).max(b.slope.abs());
    // Clamp: roundoff can make the discriminant slightly negative.
    let inside = ((theta / size).powi(2) - (a.slope / size) * (b.slope / size)).max(0.0);
    let gamma = size * inside.sqrt() * if b.step < a.step { -1.0 } else { 1.0 };
    let r = ((gamma - a.slope) + theta) / (((gamma - a.slope) + gamma) + b.slope);
    a.step + r * (b.step - a.step)
}

/// Case 3: the cubic's minimiser beyond `b`, or the bound when the cubic does not turn up there.
fn cubic_beyond(a: Point, b: Point, bounds: (f64, f64)) -> f64 {
    let theta = 3.0 * (a.gain - b.gain) / (b.step - a.step) + a.slope + b.slope;
    let size = theta.abs().max(a.slope.abs()).max(b.slope.abs());
    // Clamp: γ = 0 only if the cubic does not tend to infinity along the step.
    let inside = ((theta / size).powi(2) - (a.slope / size) * (b.slope / size)).max(0.0);
    let gamma = size * inside.sqrt() * if b.step > a.step { -1.0 } else { 1.0 };
    let p = (gamma - b.slope) + theta;
    let q = (gamma + (a.slope - b.slope)) + gamma;
    let r = p / q;
    if r < 0.0 && gamma != 0.0 {
        b.step + r * (a.step - b.step)
    } else if b.step > a.step {
        bounds.1
    } else {
        bounds.0
    }
}

/// Zero of the line through the two slopes, seen from `b`.
fn secant(a: Point, b: Point) -> f64 {
    b.step + (b.slope / (b.slope - a.slope)) * (a.step - b.step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_decide_where_the_promise_is_visible() {
        // φ ≡ 1 with slopes that promise what values of this size would show: nothing is found.
        let steep = |a: f64| (1.0, 2e-3 * (a - 1.0));
        let search = StrongWolfe { curvature: 0.01, ..StrongWolfe::default() };
        assert_eq!(search.search(1.0, -2e-3, 0.1, steep), Found::Nothing { all_nonfinite: false });
    }
}
