//! Backtracking: a shorter α until φ(α) ≤ φ(0) + c₁·α·φ′(0).  Nocedal & Wright (2006) algorithm 3.1.
//!
//! Update: α⁺ minimises the parabola through φ(0), φ′(0), φ(α), and from the second refusal on the cubic that goes through the last
//! trial but one as well, held within [0.1, 0.5]·α.  Nocedal & Wright (2006) §3.5, (3.58); Dennis & Schnabel (1983) A6.3.1.
//! The slope at a trial is not asked for, and not bounded: a quasi-Newton method may find no curvature between the two ends.
//!
//! A trial that is NaN or infinite is shortened by the fixed factor.

use super::{Found, NOISE, SearchOption, Trial, gain, gives_direction, require};
use serde::{Deserialize, Serialize};

/// The next step is at least this part of the last.  Dennis & Schnabel (1983) A6.3.1.
pub const SHORTEST: f64 = 0.1;
/// The next step is at most this part of the last.  Dennis & Schnabel (1983) A6.3.1.
pub const LONGEST: f64 = 0.5;

/// What the next step is the minimum of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Interpolation {
    /// Nothing: the step is shortened by [`Backtracking::contraction`].
    None,
    /// A parabola.
    Quadratic,
    /// A parabola, then cubics.
    #[default]
    Cubic,
}

/// Armijo's condition, by contraction of a first step.
///
/// ```
/// use secant_optim::line_search::{Backtracking, Found};
/// // φ(α) = (α − 1)² from α = 4: the parabola is φ itself.
/// let found = Backtracking::default().search(1.0, -2.0, 4.0, |a| ((a - 1.0) * (a - 1.0), 2.0 * (a - 1.0)));
/// assert!(matches!(found, Found::Accepted(trial) if trial.step == 1.0), "{found:?}");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Backtracking {
    /// c₁ of sufficient decrease, in (0, ½). Default 1e-4.  N&W p. 33.
    pub decrease: f64,
    /// How the next step is found. Default cubic.
    pub interpolation: Interpolation,
    /// ρ in (0, 1), the factor where nothing is interpolated. Default ½.
    pub contraction: f64,
    /// Most evaluations of φ, ≥ 1. Default 40: ρ⁴⁰ ≈ 1e-12.
    pub max_trials: u32,
    /// |φ(α) − φ(0)| < `noise`·|φ(0)| is judged by slopes, where there are any; 0 switches that off. In \[0, 1). Default [`NOISE`].
    pub noise: f64,
}

impl Default for Backtracking {
    fn default() -> Self {
        Self {
            decrease: super::DECREASE,
            interpolation: Interpolation::Cubic,
            contraction: 0.5,
            max_trials: 40,
            noise: NOISE,
        }
    }
}

/// α and φ(α) − φ(0) of a refused trial.
#[derive(Clone, Copy)]
struct Refused {
    step: f64,
    gain: f64,
}

impl Backtracking {
    /// Checks the options.
    ///
    /// # Errors
    /// The first option outside its range.
    pub fn validate(&self) -> Result<(), SearchOption> {
        let (c1, rho) = (self.decrease, self.contraction);
        require(c1 > 0.0 && c1 < 0.5, "decrease", c1, "(0, ½)")?;
        require(rho > 0.0 && rho < 1.0, "contraction", rho, "(0, 1)")?;
        require(self.max_trials > 0, "max_trials", f64::from(self.max_trials), "≥ 1")?;
        require((0.0..1.0).contains(&self.noise), "noise", self.noise, "[0, 1)")
    }

    /// `value` = φ(0), `slope` = φ′(0) < 0, `initial` = the first α > 0; `phi` gives (φ, φ′). What is accepted is the
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
        let noise = super::noise(self.noise, value, -slope * initial);
        let mut all_nonfinite = true;
        let accepted = self.contract(slope, initial, |step| {
            let (at_value, at_slope) = phi(step);
            if !(at_value.is_finite() && at_slope.is_finite()) {
                return None;
            }
            all_nonfinite = false;
            let trial = Trial { step, value: at_value, slope: at_slope };
            Some((gain(value, slope, trial, noise), trial))
        });
        accepted.map_or(Found::Nothing { all_nonfinite }, Found::Accepted)
    }

    /// The same with φ alone: (α, φ(α)), the last point evaluated, or none when the trials are used up.
    ///
    /// ```
    /// use secant_optim::line_search::Backtracking;
    /// let found = Backtracking::default().search_values(1.0, -2.0, 4.0, |a| (a - 1.0) * (a - 1.0));
    /// assert_eq!(found, Some((1.0, 0.0)));
    /// ```
    pub fn search_values(
        &self,
        value: f64,
        slope: f64,
        initial: f64,
        mut phi: impl FnMut(f64) -> f64,
    ) -> Option<(f64, f64)> {
        self.contract(slope, initial, |step| {
            let trial = phi(step);
            trial.is_finite().then_some((trial - value, (step, trial)))
        })
    }

    /// The first trial of sufficient decrease; `trial` gives φ(α) − φ(0) and what to return, or nothing where φ is not finite.
    fn contract<T>(
        &self,
        slope: f64,
        initial: f64,
        mut trial: impl FnMut(f64) -> Option<(f64, T)>,
    ) -> Option<T> {
        let mut step = initial;
        let mut before = None;
        for _ in 0..self.max_trials {
            let Some((gain, found)) = trial(step) else {
                (step, before) = (step * self.contraction, None);
                continue;
            };
            if gain <= self.decrease * step * slope {
                return Some(found);
            }
            let refused = Refused { step, gain };
            step = self.next(slope, refused, before);
            before = Some(refused);
        }
        None
    }

    fn next(&self, slope: f64, last: Refused, before: Option<Refused>) -> f64 {
        let step = match (self.interpolation, before) {
            (Interpolation::None, _) => return last.step * self.contraction,
            (Interpolation::Cubic, Some(before)) => cubic_minimum(slope, before, last),
            _ => quadratic_minimum(slope, last),
        };
        // In this order NaN, from 0/0, becomes the longest.
        step.min(LONGEST * last.step).max(SHORTEST * last.step)
    }
}

/// Minimiser of the parabola through φ(0), φ′(0) and one trial.  N&W (3.57).
fn quadratic_minimum(slope: f64, at: Refused) -> f64 {
    -slope * at.step * at.step / (2.0 * (at.gain - slope * at.step))
}

/// Minimiser of the cubic a·α³ + b·α² + φ′(0)·α through two trials.  N&W (3.58).
fn cubic_minimum(slope: f64, before: Refused, last: Refused) -> f64 {
    // What each trial says of a·α + b.
    let bend = |at: Refused| (at.gain / at.step - slope) / at.step;
    let a = (bend(last) - bend(before)) / (last.step - before.step);
    let b = bend(last) - a * last.step;
    if a == 0.0 {
        return -slope / (2.0 * b);
    }
    // A cubic without a minimum gives NaN here, and the longest step.
    ((b * b - 3.0 * a * slope).sqrt() - b) / (3.0 * a)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trials(search: Backtracking, slope: f64, phi: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut steps = Vec::new();
        let found = search.search_values(0.0, slope, 8.0, |a| {
            steps.push(a);
            phi(a)
        });
        assert_eq!(found.map(|(step, _)| step), steps.last().copied());
        steps
    }

    #[test]
    fn nonfinite_trials_are_contracted_by_the_fixed_factor_and_counted() {
        for interpolation in [Interpolation::None, Interpolation::Quadratic, Interpolation::Cubic] {
            let search = Backtracking { interpolation, ..Backtracking::default() };
            let steps = trials(search, -1.0, |a| if a > 1.5 { f64::NAN } else { -a });
            assert_eq!(steps, [8.0, 4.0, 2.0, 1.0]);
        }
    }

    #[test]
    fn a_parabola_takes_one_interpolation() {
        assert_eq!(trials(Backtracking::default(), -2.0, |a| a * a - 2.0 * a), [8.0, 1.0]);
    }

    #[test]
    fn a_cubic_through_two_trials_has_its_minimum_found() {
        let cubic = |a: f64| 2.0 * a * a * a - 0.5 * a * a - 3.0 * a;
        let at = |step| Refused { step, gain: cubic(step) };
        let minimum = cubic_minimum(-3.0, at(4.0), at(2.0));
        assert!((6.0 * minimum * minimum - minimum - 3.0).abs() < 1e-14, "{minimum}");
        // Without the cubic term it is the parabola's.
        let parabola = |step| Refused { step, gain: step * step - 2.0 * step };
        assert_eq!(cubic_minimum(-2.0, parabola(4.0), parabola(2.0)), 1.0);
        assert_eq!(quadratic_minimum(-2.0, parabola(4.0)), 1.0);
    }

    #[test]
    fn no_step_is_below_a_tenth_or_above_half_of_the_one_before() {
        // Behind a high wall the parabola would go to zero, behind one that just refuses the cubic would stay.
        for height in [1e9, 1e-9] {
            let steps =
                trials(Backtracking::default(), -1.0, |a| if a > 0.01 { height } else { -a });
            for pair in steps.windows(2) {
                let ratio = pair[1] / pair[0];
                assert!((SHORTEST..=LONGEST).contains(&ratio), "{steps:?}");
            }
            assert!(steps.len() > 3);
        }
    }

    #[test]
    fn a_rising_function_uses_up_the_trials_and_no_more() {
        let mut calls = 0;
        let search = Backtracking { max_trials: 7, ..Backtracking::default() };
        let found = search.search_values(0.0, -1.0, 1.0, |a| {
            calls += 1;
            a
        });
        assert_eq!((found, calls), (None, 7));
    }
}
