//! What becomes of a fault on rank 1.

use crate::data::{SAMPLES, curve_data, own_rows};
use crate::{Failure, curve, line};
use secant_core::data::{Dataset, TargetTile, Targets};
use secant_core::loss::{Loss, LossError, SquaredError};
use secant_core::penalty::Ridge;
use secant_core::problem::Objective;
use secant_mpi::{Distributed, Ranks, Shared};
use secant_optim::checkpoint::Every;
use secant_optim::{Interrupt, Lbfgs, Method, RunOptions, Stopping, Watch, minimize};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Evaluations before the fault.
const BEFORE: u64 = 5;

/// What a rank does after some evaluations.
#[derive(Clone, Copy, Debug)]
enum Act {
    Panic,
    Hang,
    Die,
}

/// Squared error that acts after so many tiles were evaluated with their gradient.
#[derive(Debug)]
struct Faulty {
    act: Option<Act>,
    tiles: AtomicU64,
}

impl Loss for Faulty {
    fn name(&self) -> &'static str {
        "faulty"
    }
    fn check(&self, outputs: usize, targets: &Targets) -> Result<(), LossError> {
        SquaredError.check(outputs, targets)
    }
    fn value(&self, z: &[f64], y: TargetTile<'_>) -> f64 {
        SquaredError.value(z, y)
    }
    fn gradient(&self, scale: f64, z: &[f64], y: TargetTile<'_>, z_bar: &mut [f64]) -> f64 {
        let before =
            self.tiles.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |t| t.checked_sub(1));
        if let (Err(_), Some(act)) = (before, self.act) {
            match act {
                Act::Panic => panic!("the loss does not like tile {:?}", z.len()),
                Act::Hang => std::thread::sleep(Duration::from_secs(3600)),
                Act::Die => die(),
            }
        }
        SquaredError.gradient(scale, z, y, z_bar)
    }
    fn hessian_vector(&self, scale: f64, z: &[f64], y: TargetTile<'_>, v: &[f64], out: &mut [f64]) {
        SquaredError.hessian_vector(scale, z, y, v, out);
    }
}

/// As by the system, where memory ends.
fn die() -> ! {
    let own = std::process::id().to_string();
    let _ = std::process::Command::new("kill").args(["-KILL", &own]).status();
    std::process::abort()
}

fn faulty(ranks: &Ranks, act: Act, tiles: u64) -> Faulty {
    let act = (ranks.rank() == 1).then_some(act);
    Faulty { act, tiles: AtomicU64::new(tiles) }
}

/// Samples of which one has a target beyond what a square can be.
fn with_a_huge_target(samples: std::ops::Range<usize>) -> Result<Dataset, Failure> {
    let data = curve_data(samples.clone())?;
    let mut y = data.targets().values().unwrap_or_default().to_vec();
    if samples.contains(&(SAMPLES - 3)) {
        y[2 * (SAMPLES - 3 - samples.start)] = 1e200;
    }
    Ok(Dataset::from_slices(4, data.inputs(), 2, &y)?)
}

/// The fault `name`, on rank 1.
pub fn fault(name: &str) -> Result<(), Failure> {
    let seconds = if name == "hang" { 3 } else { 60 };
    let ranks = Ranks::initialize()?.with_timeout(Duration::from_secs(seconds));
    ranks.guard(|ranks| {
        let network = curve();
        let (graph, start) = (network.graph()?, network.draw(7)?);
        let rows = match name {
            "file" => ranks.together("reading", || match ranks.rank() {
                1 => Dataset::from_npy("no-such-file.npy", "no-such-file.npy").map(Some),
                _ => Ok(None),
            })?,
            "columns" if ranks.rank() == 1 => {
                Some(Dataset::from_slices(3, &[1.0; 6], 2, &[0.0; 4])?)
            }
            "infinite" => own_rows(ranks, with_a_huge_target)?,
            _ => own_rows(ranks, curve_data)?,
        };
        let shared = Shared::new(ranks, graph, rows)?;
        let act = if name == "hang" { Act::Hang } else { Act::Panic };
        let tiles = if matches!(name, "panic" | "hang") { BEFORE * 4 } else { u64::MAX };
        let all = Distributed::new(ranks, graph, &shared, faulty(ranks, act, tiles), Ridge(1e-4))?;
        match name {
            "stop" | "time" => return stopped(ranks, all, name, &start),
            "apart" => {
                // Another θ than the others have.
                let theta: Vec<f64> = start.iter().map(|x| x + ranks.rank() as f64).collect();
                all.value(&theta);
            }
            _ => {
                let solution = minimize(&all, Lbfgs::default(), &start)?;
                all.verdict_of(&solution)?;
            }
        }
        all.verdict()?;
        Ok(())
    });
    Ok(())
}

/// A run that rank 1 wants to stop after some evaluations, or that has no time.
fn stopped(ranks: &Ranks, all: Distributed<'_>, name: &str, start: &[f64]) -> Result<(), Failure> {
    let wish = Interrupt::new();
    let all = if name == "time" {
        all.with_max_time(Duration::ZERO)
    } else {
        all.with_wish(wish.clone())
    };
    let rank = ranks.rank();
    let mut watch = Watch::new().interrupt(all.interrupt()).observe(|step| {
        if rank == 1 && step.iteration == 6 {
            wish.set();
        }
        std::ops::ControlFlow::Continue(())
    });
    let method = Method::from(Lbfgs::default());
    let solution = method.minimize_watched(&all, start, &mut watch)?;
    println!("rank {rank}: {}", line("stopped", &solution));
    Ok(())
}

/// Fits with a checkpoint after every iteration; rank 1 is killed in its midst, for 0 none is.
pub fn run(file: &str, evaluations: u64) -> Result<(), Failure> {
    kept(file, evaluations, false)
}

/// Goes on from the checkpoint.
pub fn resume(file: &str) -> Result<(), Failure> {
    kept(file, 0, true)
}

fn kept(file: &str, evaluations: u64, resumed: bool) -> Result<(), Failure> {
    let ranks = Ranks::initialize()?;
    ranks.guard(|ranks| {
        let network = curve();
        let shared = Shared::new(ranks, network.graph()?, own_rows(ranks, curve_data)?)?;
        let tiles = if evaluations == 0 { u64::MAX } else { evaluations * 4 };
        let loss = faulty(ranks, Act::Die, tiles);
        let all = Distributed::new(ranks, network.graph()?, &shared, loss, Ridge(1e-4))?;
        let mut options = RunOptions::default();
        if ranks.is_first() {
            options = options.with_checkpoint(file, Every::Iterations(1));
        }
        if resumed {
            options = options.with_resume(file);
        }
        let stopping = Stopping { max_iterations: 40, ..Stopping::default() };
        let method = Method::from(Lbfgs::default().with_stopping(stopping));
        let start = network.draw(7)?;
        let (solution, _) = method.minimize_with(&all, &start, &options, &mut Watch::new())?;
        all.verdict()?;
        if ranks.is_first() {
            println!("{}", line("kept", &solution));
        }
        Ok(())
    });
    Ok(())
}
