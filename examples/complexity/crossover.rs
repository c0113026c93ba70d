//! Where each method overtakes Adam: wall time to a relative gap of 1e-4 and of 1e-8 on linear regression of growing n, and on a
//! small network; Adam at the best of several rates.

use secant::compare::{CostRule, compare};
use secant::{
    Activation, Adam, Bfgs, Dataset, Lbfgs, LevenbergMarquardt, Method, Network, Newton, NewtonCg,
    NoPenalty, Ridge, Risk, SquaredError, Stopping,
};
use std::error::Error;
use std::time::Duration;

pub const GAPS: [f64; 2] = [1e-4, 1e-8];
const ADAM: &str = "Adam";
const RATES: [f64; 4] = [1e-3, 1e-2, 1e-1, 1.0];
/// Samples per feature of the regressions.
const SAMPLES: usize = 4;
/// The inputs' spectrum falls off to this, so that the condition of H is about its inverse squared.
const SMALLEST: f64 = 0.1;
const LAMBDA: f64 = 1e-6;

/// Seconds of one method to the gaps on one problem.
#[derive(Clone, Debug)]
pub struct Race {
    pub problem: String,
    pub n: usize,
    pub method: String,
    /// None where it was not reached.
    pub seconds: [Option<f64>; 2],
}

/// All races, a method at most `limit` each.
pub fn run(sizes: &[usize], limit: Duration) -> Result<Vec<Race>, Box<dyn Error>> {
    let mut races = Vec::new();
    for &features in sizes {
        let data = regression(features)?;
        let net = Network::linear(features, 1);
        let risk = Risk::new(net.graph()?, &data, SquaredError, Ridge(LAMBDA))?;
        race("linear regression", &risk, &vec![0.0; features + 1], limit, &mut races)?;
    }
    let data = curve()?;
    let net = Network::mlp([1, 10, 1], Activation::Tanh);
    let risk = Risk::new(net.graph()?, &data, SquaredError, NoPenalty)?;
    race("1-10-1 tanh network", &risk, &net.draw(3)?, limit, &mut races)?;
    Ok(races)
}

fn race(
    problem: &str,
    risk: &Risk,
    start: &[f64],
    limit: Duration,
    races: &mut Vec<Race>,
) -> Result<(), Box<dyn Error>> {
    let methods: [Method; 5] = [
        Newton::default().into(),
        LevenbergMarquardt::default().into(),
        Bfgs::default().into(),
        Lbfgs::default().into(),
        NewtonCg::default().into(),
    ];
    let stopping = Stopping {
        gradient_tolerance: 1e-12,
        max_iterations: u64::MAX,
        max_time: Some(limit),
        ..Stopping::default()
    };
    let mut contest = compare().stopping(stopping).costs(CostRule::Counted);
    for method in methods {
        contest = contest.method(method.name(), method);
    }
    for rate in RATES {
        contest = contest.method(format!("{ADAM}, rate {rate}"), Adam::default().with_rate(rate));
    }
    let table = contest.run(risk, start)?;
    let mut found: Vec<Race> = Vec::new();
    for row in &table.rows {
        let method = row.name.split(',').next().unwrap_or_default().to_owned();
        let seconds = GAPS.map(|gap| row.reached.iter().find(|r| r.gap == gap)?.seconds);
        // Of the runs at several rates the fastest counts, gap by gap.
        if let Some(before) = found.iter_mut().find(|race| race.method == method) {
            for (best, seconds) in before.seconds.iter_mut().zip(seconds) {
                *best = [*best, seconds].into_iter().flatten().reduce(f64::min);
            }
        } else {
            let (problem, n) = (problem.to_owned(), table.parameters);
            found.push(Race { problem, n, method, seconds });
        }
    }
    races.extend(found);
    Ok(())
}

/// y = Σ x_j + noise; the columns' sizes fall from 1 to [`SMALLEST`], so that no rate suits all of them.
fn regression(features: usize) -> Result<Dataset, Box<dyn Error>> {
    let samples = (SAMPLES * features).max(200);
    let mut noise = noise();
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for _ in 0..samples {
        let mut sum = 0.1 * noise();
        for j in 0..features {
            let size = SMALLEST.powf(j as f64 / features as f64);
            let value = size * noise();
            sum += value;
            x.push(value);
        }
        y.push(sum);
    }
    Ok(Dataset::from_slices(features, &x, 1, &y)?)
}

fn curve() -> Result<Dataset, Box<dyn Error>> {
    let x: Vec<f64> = (0..400).map(|i| -2.0 + f64::from(i) / 100.0).collect();
    let y: Vec<f64> = x.iter().map(|x| (3.0 * x).sin() * (-0.5 * x * x).exp()).collect();
    Ok(Dataset::from_slices(1, &x, 1, &y)?)
}

/// Numbers in ±√3, of variance 1, by a linear congruence: the same on every machine.
fn noise() -> impl FnMut() -> f64 {
    let mut state = 1_u64;
    move || {
        // Knuth's MMIX constants.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        3_f64.sqrt() * ((state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0)
    }
}

/// From which n on, problem by problem and gap by gap, each method is behind Adam; in words.
pub fn verdicts(races: &[Race]) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut methods: Vec<&str> = races.iter().map(|race| race.method.as_str()).collect();
    methods.retain(|method| *method != ADAM);
    methods.sort_unstable();
    methods.dedup();
    let mut problems: Vec<&str> = races.iter().map(|race| race.problem.as_str()).collect();
    problems.dedup();
    for problem in problems {
        for method in &methods {
            let parts = GAPS.iter().enumerate().map(|(k, gap)| {
                let behind: Vec<usize> = sizes_behind(races, problem, method, k);
                match behind.as_slice() {
                    [] => format!("to {gap:e} at every n here"),
                    [first, ..] => format!("to {gap:e} not at n = {first}"),
                }
            });
            let parts: Vec<String> = parts.collect();
            sentences.push(format!("{problem}: {method} beats Adam {}", parts.join(", ")));
        }
    }
    sentences
}

/// The n at which Adam gets to gap k sooner.
fn sizes_behind(races: &[Race], problem: &str, method: &str, k: usize) -> Vec<usize> {
    let of = |name: &str, n: usize| {
        let race = races.iter().find(|r| r.problem == problem && r.method == name && r.n == n);
        race.and_then(|race| race.seconds[k]).unwrap_or(f64::INFINITY)
    };
    let mine = races.iter().filter(|race| race.problem == problem && race.method == method);
    mine.map(|race| race.n).filter(|&n| of(ADAM, n) < of(method, n)).collect()
}
