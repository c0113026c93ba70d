//! Contestants at one accuracy, in turn.
//!
//! Each runs at the loosest of its tolerances that meets the accuracy asked for, which the task judges itself. Those that meet it are timed in
//! turn, A B A B …; what never meets it has the time of its closest run, and is marked.

use serde_json::{Value, json};
use std::time::Instant;

/// A run longer than this, in seconds, ends the search for a tolerance.
const PATIENCE: f64 = 60.0;
/// A round repeats a run until it has taken as long, in seconds: the clock and the first touch of memory are no part of it.
const ROUND: f64 = 0.03;
/// Most runs of a round.
const MOST_RUNS: f64 = 1000.0;

/// 10⁻², 10⁻³, …, 10⁻¹⁴.
pub fn tolerances() -> Vec<f64> {
    (2..=14).map(|digits| 10_f64.powi(-digits)).collect()
}

/// θ at a tolerance, or why there is none.
pub type Run<'a> = Box<dyn Fn(f64) -> Result<Vec<f64>, String> + 'a>;

/// A way to solve a task.
pub struct Contestant<'a> {
    name: String,
    tolerances: Vec<f64>,
    run: Run<'a>,
}

impl<'a> Contestant<'a> {
    /// One with a tolerance to be found.
    pub fn new(name: &str, run: impl Fn(f64) -> Result<Vec<f64>, String> + 'a) -> Self {
        Self { name: name.to_owned(), tolerances: tolerances(), run: Box::new(run) }
    }

    /// One without a tolerance: a direct solution, or a method with one end.
    pub fn direct(name: &str, run: impl Fn() -> Result<Vec<f64>, String> + 'a) -> Self {
        Self { name: name.to_owned(), tolerances: vec![0.0], run: Box::new(move |_| run()) }
    }
}

/// What a solution is worth: the error that the task asks about, how many of its parts miss what is asked, and a word on it.
pub struct Judged {
    pub reached: f64,
    pub missed: usize,
    pub note: String,
}

impl From<f64> for Judged {
    fn from(reached: f64) -> Self {
        Self { reached, missed: 0, note: String::new() }
    }
}

/// What θ is worth.
pub type Judge<'a> = Box<dyn Fn(&[f64]) -> Judged + 'a>;

/// An accuracy that is asked for, how it is judged, and who takes part.
pub struct Task<'a> {
    pub title: String,
    /// `judge(θ).reached` at most.
    pub asked: f64,
    pub judge: Judge<'a>,
    pub contestants: Vec<Contestant<'a>>,
}

/// The run that a contestant is known by.
struct Settled {
    tolerance: f64,
    reached: f64,
    missed: usize,
    note: String,
    seconds: f64,
    met: bool,
    /// It took longer than anybody waits, and has not met the accuracy.
    cut: bool,
    rounds: Vec<f64>,
}

impl Task<'_> {
    /// A JSON object for each contestant, after `repeats` rounds.
    pub fn race(&self, repeats: usize) -> Vec<Value> {
        let mut settled: Vec<Settled> =
            self.contestants.iter().map(|contestant| self.settle(contestant)).collect();
        for _ in 0..repeats {
            for (contestant, settled) in self.contestants.iter().zip(&mut settled) {
                if settled.met {
                    settled.rounds.push(contestant.round(settled));
                }
            }
        }
        self.contestants
            .iter()
            .zip(&settled)
            .map(|(one, settled)| self.line(one, settled))
            .collect()
    }

    /// The loosest tolerance that meets the accuracy; without one, what came closest.
    fn settle(&self, contestant: &Contestant) -> Settled {
        let mut best = Settled {
            tolerance: f64::NAN,
            reached: f64::INFINITY,
            missed: usize::MAX,
            note: "no solution".to_owned(),
            seconds: f64::NAN,
            met: false,
            cut: false,
            rounds: Vec::new(),
        };
        for &tolerance in &contestant.tolerances {
            let begun = Instant::now();
            let found = (contestant.run)(tolerance);
            let seconds = begun.elapsed().as_secs_f64();
            match found {
                Ok(theta) => {
                    let Judged { reached, missed, note } = (self.judge)(&theta);
                    // Where parts are missed anyway, their count says more. NaN is not closer.
                    if missed < best.missed || (missed == best.missed && reached < best.reached) {
                        let (met, rounds) = (reached <= self.asked, Vec::new());
                        let cut = false;
                        best =
                            Settled { tolerance, reached, missed, note, seconds, met, cut, rounds };
                    }
                }
                Err(error) => eprintln!("    {} at {tolerance:e}: {error}", contestant.name),
            }
            best.cut = !best.met && seconds > PATIENCE;
            if best.met || best.cut {
                break;
            }
        }
        best
    }

    fn line(&self, contestant: &Contestant, settled: &Settled) -> Value {
        let seconds = if settled.met { median(&settled.rounds) } else { settled.seconds };
        json!({
            "title": self.title, "contestant": contestant.name, "tolerance": settled.tolerance, "seconds": seconds,
            "rounds": settled.rounds, "reached": settled.reached, "asked": self.asked, "met": settled.met, "cut": settled.cut, "note": settled.note,
        })
    }
}

impl Contestant<'_> {
    /// Seconds of a run, the mean of as many as a round has.
    fn round(&self, settled: &Settled) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and MOST_RUNS"
        )]
        let runs = (ROUND / settled.seconds).clamp(1.0, MOST_RUNS) as u32;
        let begun = Instant::now();
        for _ in 0..runs {
            // The same run has just given a solution.
            std::hint::black_box((self.run)(settled.tolerance)).ok();
        }
        begun.elapsed().as_secs_f64() / f64::from(runs)
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { 0.5 * (sorted[middle - 1] + sorted[middle]) }
}

/// ‖v‖∞, NaN where an entry is.
pub fn largest(v: &[f64]) -> f64 {
    v.iter().fold(0.0, |most, x| if x.is_nan() || x.abs() > most { x.abs() } else { most })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// |θ| is to be at most 1e-6.
    fn task(contestants: Vec<Contestant<'_>>) -> Task<'_> {
        let judge = |theta: &[f64]| largest(theta).into();
        Task { title: "zero".to_owned(), asked: 1e-6, judge: Box::new(judge), contestants }
    }

    #[test]
    fn the_loosest_tolerance_that_meets_the_accuracy_is_taken() {
        let lines = task(vec![Contestant::new("own", |tolerance| Ok(vec![10.0 * tolerance]))]);
        let line = &lines.race(3)[0];
        assert_eq!(line["met"], true);
        assert!((line["tolerance"].as_f64().unwrap() / 1e-7 - 1.0).abs() < 1e-12);
        assert_eq!(line["rounds"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn what_stops_short_is_marked_and_has_no_rounds() {
        let short = Contestant::new("short", |tolerance| Ok(vec![tolerance.max(1e-3)]));
        let nothing = Contestant::new("nothing", |_| Err("no step".to_owned()));
        let unknown = Contestant::new("unknown", |_| Ok(vec![0.0, f64::NAN, 0.0]));
        let lines = task(vec![short, nothing, unknown]).race(2);
        assert!(lines.iter().all(|line| line["met"] == false && line["rounds"] == json!([])));
        assert_eq!(lines[0]["reached"], 1e-3);
        assert!(lines[1]["reached"].is_null() && lines[2]["reached"].is_null());
    }
}
