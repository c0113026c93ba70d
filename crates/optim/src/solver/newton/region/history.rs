//! The measure ρ of a trial, against θ and against earlier points.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// f of the points that were left last, each with the decrease promised since.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::solver) struct History {
    points: VecDeque<(f64, f64)>,
}

impl History {
    /// ρ, with the allowance `noise` for rounding on both sides; the larger of that against f(θ) = `value` and that against
    /// the highest point of the history. Not a number where f is not finite.  C, G & T §17.4.2, §10.1.2.
    pub(in crate::solver) fn ratio(
        &self,
        value: f64,
        ahead: f64,
        promised: f64,
        noise: f64,
    ) -> f64 {
        if !ahead.is_finite() {
            return f64::NAN;
        }
        let ratio = |from: f64, promised: f64| (from - ahead + noise) / (promised + noise);
        let current = ratio(value, promised);
        let highest = self.points.iter().max_by(|a, b| a.0.total_cmp(&b.0));
        highest.map_or(current, |(from, since)| current.max(ratio(*from, since + promised)))
    }

    /// Adds the point that is being left, and forgets all but the latest `most`.
    pub(super) fn remember(&mut self, value: f64, promised: f64, most: usize) {
        if most == 0 {
            return;
        }
        self.points.push_back((value, 0.0));
        for (_, since) in &mut self.points {
            *since += promised;
        }
        if self.points.len() > most {
            self.points.pop_front();
        }
    }
}
