//! Advice: the methods for a problem, best first, with what each is expected to take.

use super::Method;
use super::candidates::{Candidate, Setting};
use crate::error::readable;
use secant_core::problem::Curvature;
use std::fmt;
use std::ops::Deref;
use std::time::Instant;

/// Timings that a second is the median of.
const TIMINGS: usize = 3;

/// One method, and what is to be expected of it.
#[derive(Clone, Debug)]
pub struct Advice {
    /// The method with the options that it would run with.
    pub method: Method,
    /// Bytes that a run takes, the problem's own for dense matrices included.
    pub memory: u64,
    /// Whether that is allowed.
    pub fits: bool,
    /// Time of an iteration: operations counted, in units of one evaluation that was timed.
    pub seconds_per_iteration: f64,
    /// Iterations that problems of this form take as a rule: an order, no promise.
    pub iterations: f64,
    /// Why it is here, in words.
    pub reason: String,
}

/// The methods for a problem, best first: those that fit into memory before those that do not, by expected time. `Display` is a table.
#[derive(Clone, Debug)]
pub struct Ranking {
    methods: Vec<Advice>,
    parameters: usize,
    residuals: usize,
}

impl Ranking {
    pub(super) fn new<P: Curvature>(
        problem: &P,
        setting: &Setting<'_>,
        allowed: Option<u64>,
    ) -> Self {
        let second = seconds(problem) / setting.evaluation();
        let advice = |candidate: Candidate| Advice {
            fits: allowed.is_none_or(|allowed| candidate.bytes <= allowed),
            memory: candidate.bytes,
            seconds_per_iteration: candidate.operations * second,
            iterations: candidate.iterations,
            reason: candidate.reason.to_owned(),
            method: candidate.method,
        };
        let mut methods: Vec<Advice> = setting.candidates().into_iter().map(advice).collect();
        // Stable: the order of the candidates stays within both groups.
        methods.sort_by_key(|advice| !advice.fits);
        Self { methods, parameters: setting.n, residuals: setting.m }
    }
}

impl Deref for Ranking {
    type Target = [Advice];
    fn deref(&self) -> &[Advice] {
        &self.methods
    }
}

impl IntoIterator for Ranking {
    type Item = Advice;
    type IntoIter = std::vec::IntoIter<Advice>;
    fn into_iter(self) -> Self::IntoIter {
        self.methods.into_iter()
    }
}

impl<'a> IntoIterator for &'a Ranking {
    type Item = &'a Advice;
    type IntoIter = std::slice::Iter<'a, Advice>;
    fn into_iter(self) -> Self::IntoIter {
        self.methods.iter()
    }
}

/// The time of one evaluation at the origin, the first one, which allocates, left out.
fn seconds<P: Curvature>(problem: &P) -> f64 {
    let n = problem.dim();
    let (theta, mut gradient) = (vec![0.0; n], vec![0.0; n]);
    problem.value_gradient(&theta, &mut gradient);
    let mut times = [0.0; TIMINGS];
    for time in &mut times {
        let start = Instant::now();
        problem.value_gradient(&theta, &mut gradient);
        *time = start.elapsed().as_secs_f64();
    }
    times.sort_by(f64::total_cmp);
    times[TIMINGS / 2]
}

/// `3.2 ms`
fn duration(seconds: f64) -> String {
    const UNITS: [(f64, &str); 3] = [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs")];
    let fits = UNITS.iter().find(|(size, _)| seconds >= *size);
    let (size, unit) = fits.unwrap_or(&UNITS[UNITS.len() - 1]);
    format!("{:.3} {unit}", seconds / size)
}

impl fmt::Display for Ranking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} parameters", self.parameters)?;
        if self.residuals > 0 {
            write!(f, ", {} residuals", self.residuals)?;
        }
        write!(
            f,
            "\n{:<28} {:>10} {:>12} {:>10} {:>12}  reason",
            "method", "memory", "iteration", "iterations", "time"
        )?;
        for advice in self {
            let Advice { memory, seconds_per_iteration, iterations, reason, .. } = advice;
            let refused = if advice.fits { "" } else { " (does not fit into memory)" };
            write!(
                f,
                "\n{:<28} {:>10} {:>12} {iterations:>10} {:>12}  {reason}{refused}",
                advice.method.name(),
                readable(*memory),
                duration(*seconds_per_iteration),
                duration(seconds_per_iteration * iterations),
            )?;
        }
        Ok(())
    }
}
