//! Learning-rate schedules: the factor by which step t multiplies a method's rate.
//!
//! With s = t − 1 steps done, after a warm-up of W steps (s counts from its end):
//!
//! | schedule | factor |
//! |---|---|
//! | [`Decay::Constant`] | 1 |
//! | [`Decay::Step`] | qᵏ, k = ⌊s/every⌋ |
//! | [`Decay::Cosine`] | floor + (1 − floor)·½(1 + cos(π·s/S)) for s ≤ S, then floor |
//! | [`Decay::InverseTime`] | 1/(1 + d·s) |
//! | warm-up, s < W | start + (1 − start)·s/W |
//!
//! A step is an iteration, on minibatches too: an epoch has [`steps_per_epoch`](crate::BatchStream::steps_per_epoch).
//! Source: Robbins & Monro (1951) for 1/t; Loshchilov & Hutter (2017), arXiv:1608.03983, equation (5), for the cosine;
//! Goyal et al. (2017), arXiv:1706.02677, §2.2, for the warm-up.

use crate::error::{OptimError, require};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// How the factor falls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Decay {
    /// It does not.
    #[default]
    Constant,
    /// Times `factor` after every `every` steps.
    Step {
        /// Steps ≥ 1 between two falls.
        every: u64,
        /// q in (0, 1].
        factor: f64,
    },
    /// Half a cosine from 1 to `floor` in `steps` steps.
    Cosine {
        /// S ≥ 1.
        steps: u64,
        /// In [0, 1].
        floor: f64,
    },
    /// 1/(1 + `decay`·s).
    InverseTime {
        /// d ≥ 0: the factor is ½ after 1/d steps.
        decay: f64,
    },
}

/// A warm-up, if any, and then a [`Decay`]. The default is a constant rate.
///
/// ```
/// use secant_optim::Schedule;
/// let schedule = Schedule::cosine(100, 0.01).with_warm_up(10, 0.1);
/// assert_eq!(schedule.factor(1), 0.1);
/// assert_eq!(schedule.factor(11), 1.0);
/// assert!((schedule.factor(61) - 0.505).abs() < 1e-15);
/// assert!((schedule.factor(1000) - 0.01).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// W, the steps of the warm-up. Default 0.
    pub warm_up: u64,
    /// The factor of the first step of a warm-up, in (0, 1]; not looked at where there is none. Default 0.
    pub start: f64,
    /// What follows.
    pub decay: Decay,
}

impl Schedule {
    /// The same rate in every step.
    pub fn constant() -> Self {
        Self::default()
    }

    /// The rate times `factor` after every `every` steps.
    pub fn step(every: u64, factor: f64) -> Self {
        Decay::Step { every, factor }.into()
    }

    /// From the rate to `floor` times the rate in `steps` steps, along half a cosine.
    pub fn cosine(steps: u64, floor: f64) -> Self {
        Decay::Cosine { steps, floor }.into()
    }

    /// The rate over 1 + `decay`·s.
    pub fn inverse_time(decay: f64) -> Self {
        Decay::InverseTime { decay }.into()
    }

    /// Rises from `start` times the rate to the rate in `steps` steps first.
    pub fn with_warm_up(mut self, steps: u64, start: f64) -> Self {
        (self.warm_up, self.start) = (steps, start);
        self
    }

    /// What the rate of step `t` is multiplied by; `t` = 1 for the first step.
    pub fn factor(&self, t: u64) -> f64 {
        let done = t.saturating_sub(1);
        match done.checked_sub(self.warm_up) {
            None => self.start + (1.0 - self.start) * done as f64 / self.warm_up as f64,
            Some(done) => self.decay.factor(done),
        }
    }

    /// # Errors
    /// A number outside its range.
    pub(crate) fn validate(&self, solver: &'static str) -> Result<(), OptimError> {
        let positive = |value: f64| value > 0.0 && value <= 1.0;
        if self.warm_up > 0 {
            require(positive(self.start), solver, "schedule.start", self.start, "(0, 1]")?;
        }
        match self.decay {
            Decay::Constant => Ok(()),
            Decay::Step { every, factor } => {
                require(every > 0, solver, "schedule.every", every as f64, "≥ 1")?;
                require(positive(factor), solver, "schedule.factor", factor, "(0, 1]")
            }
            Decay::Cosine { steps, floor } => {
                require(steps > 0, solver, "schedule.steps", steps as f64, "≥ 1")?;
                let inside = (0.0..=1.0).contains(&floor);
                require(inside, solver, "schedule.floor", floor, "[0, 1]")
            }
            Decay::InverseTime { decay } => {
                let inside = decay >= 0.0 && decay.is_finite();
                require(inside, solver, "schedule.decay", decay, "[0, ∞)")
            }
        }
    }
}

impl From<Decay> for Schedule {
    fn from(decay: Decay) -> Self {
        Self { decay, ..Self::default() }
    }
}

impl Decay {
    /// After `done` steps.
    fn factor(self, done: u64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Step { every, factor } => factor.powf((done / every) as f64),
            Self::Cosine { steps, floor } => {
                let part = done.min(steps) as f64 / steps as f64;
                floor + (1.0 - floor) * 0.5 * (1.0 + (PI * part).cos())
            }
            Self::InverseTime { decay } => 1.0 / (1.0 + decay * done as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secant_core::random::Random;

    /// The products and sums that define the factors, step by step.
    fn by_recursion(schedule: &Schedule, steps: u64) -> Vec<f64> {
        let mut factors = Vec::new();
        for t in 0..steps {
            if t < schedule.warm_up {
                let part = t as f64 / schedule.warm_up as f64;
                factors.push((1.0 - part) * schedule.start + part);
                continue;
            }
            let done = t - schedule.warm_up;
            factors.push(match schedule.decay {
                Decay::Constant => 1.0,
                Decay::Step { every, factor } => {
                    (1..=done).filter(|s| s % every == 0).fold(1.0, |q, _| q * factor)
                }
                Decay::Cosine { steps, .. } if done >= steps => {
                    let Decay::Cosine { floor, .. } = schedule.decay else { unreachable!() };
                    floor
                }
                Decay::Cosine { steps, floor } => {
                    // cos²(x/2) for ½(1 + cos x).
                    let half = 0.5 * PI * done as f64 / steps as f64;
                    floor + (1.0 - floor) * half.cos().powi(2)
                }
                Decay::InverseTime { decay } => (1.0 + decay * done as f64).recip(),
            });
        }
        factors
    }

    #[test]
    fn factors_equal_their_closed_forms_and_never_rise_after_the_warm_up() {
        let mut random = Random::new(1);
        for _ in 0..200 {
            let steps = 1 + random.below(60) as u64;
            let decays = [
                Decay::Constant,
                Decay::Step { every: steps, factor: 1.0 - random.uniform() },
                Decay::Cosine { steps, floor: random.uniform() },
                Decay::InverseTime { decay: 3.0 * random.uniform() },
            ];
            for decay in decays {
                let warm_up = random.below(20) as u64;
                let start = 1.0 - random.uniform();
                let schedule = Schedule::from(decay).with_warm_up(warm_up, start);
                schedule.validate("").unwrap();
                let expected = by_recursion(&schedule, 150);
                let found: Vec<f64> = (1..=150).map(|t| schedule.factor(t)).collect();
                for (found, expected) in found.iter().zip(&expected) {
                    assert!((found - expected).abs() < 1e-13, "{schedule:?}");
                }
                let after = &found[usize::try_from(warm_up).unwrap()..];
                assert_eq!(after[0], 1.0, "the whole rate at the end of the warm-up");
                assert!(after.is_sorted_by(|a, b| a >= b), "{schedule:?}");
                assert!(found.iter().all(|factor| (0.0..=1.0).contains(factor)));
            }
        }
    }
}
