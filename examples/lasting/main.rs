//! Does a run outlast its process? A checkpoint is taken up in a fresh one, and ends with the same bits as the run that was never left.
//!
//! For every method, a run of 60 iterations (or to its own end) is left at a random one and taken up by a new process: θ, value, counts and
//! trace must have the bits of the undisturbed run, seconds excepted. With `--kill N` processes that fit and write a checkpoint after every
//! iteration are killed (SIGKILL) at random moments, N times in all, and taken up until they finish.
//!
//! `cargo run --release --example lasting [-- --json] [--kill N] [--seed S]`

#[macro_use]
#[path = "../support/mod.rs"]
mod support;
mod cases;

use cases::{Case, Files, ITERATIONS, Outcome, cases};
use secant::checkpoint::{Every, previous};
use secant::core::random::Random;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use support::{About, Args, JSON};

const ABOUT: About = About {
    name: "lasting",
    answers: "Does a run outlast its process? Every method is left at a random iteration and taken up by a fresh process.",
    takes: &[],
    options: &[
        JSON,
        ("--kill", "N", "instead, kill processes that fit at N random moments, and take them up"),
        ("--seed", "S", "of the random iterations and moments; default 1"),
    ],
    output: "a line for a method and problem: iterations, the one it was left at, whether all bits are equal",
    data: "",
};

/// Says to this program, started by itself, what to run: an [`Errand`].
const ERRAND: &str = "SECANT_LASTING_ERRAND";
/// Iterations of the runs that are killed: each takes about a second.
const LONG: u64 = 400;
/// No process is killed later than this, in seconds.
const LATEST: f64 = 0.4;
/// A fit is killed so often at most, so that many kinds of fits are.
const KILLS_OF_A_FIT: u64 = 10;
/// The longest that a process may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// What a process that was started by this program does.
#[derive(Debug, Serialize, Deserialize)]
struct Errand {
    case: usize,
    most: u64,
    write: Option<(PathBuf, Every)>,
    resume: Option<PathBuf>,
    result: PathBuf,
}

/// All of a run that must be equal.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Bits {
    theta: Vec<u64>,
    value: u64,
    reason: String,
    iterations: u64,
    counts: String,
    trace: Vec<(u64, [u64; 3], String)>,
}

impl Bits {
    fn of(outcome: &Outcome) -> Self {
        let report = &outcome.report;
        let trace = report.trace.iter().map(|entry| {
            let numbers = [entry.value, entry.gradient_norm, entry.step_length].map(f64::to_bits);
            (entry.iteration, numbers, format!("{:?} {:?}", entry.work, entry.epochs))
        });
        Self {
            theta: outcome.theta.iter().map(|t| t.to_bits()).collect(),
            value: report.value.to_bits(),
            reason: format!("{:?}", report.reason),
            iterations: report.iterations,
            counts: format!("{:?}", report.evaluations),
            trace: trace.collect(),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    if let Ok(errand) = std::env::var(ERRAND) {
        return run_errand(&serde_json::from_str(&errand)?);
    }
    let args = Args::read(&ABOUT);
    let random = Random::new(args.count("--seed", 1_u64));
    let folder = Folder::new()?;
    if args.has("--kill") {
        return kills(args.count("--kill", 1), args.json(), random, &folder.0);
    }
    all_methods(args.json(), random, &folder.0)
}

fn run_errand(errand: &Errand) -> Result<(), Box<dyn Error>> {
    let cases = cases();
    let case = cases.get(errand.case).ok_or("no such case")?;
    let files = Files { write: errand.write.clone(), resume: errand.resume.clone() };
    let outcome = case.run(errand.most, &files)?;
    fs::write(&errand.result, serde_json::to_vec(&Bits::of(&outcome))?)?;
    Ok(())
}

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("secant-lasting-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn start(errand: &Errand) -> Result<Child, Box<dyn Error>> {
    let mut program = Command::new(std::env::current_exe()?);
    program.env(ERRAND, serde_json::to_string(errand)?).stdin(Stdio::null());
    Ok(program.stdout(Stdio::null()).spawn()?)
}

/// The bits of a process that ran to its end; none where it failed.
fn finish(errand: &Errand) -> Result<Option<Bits>, Box<dyn Error>> {
    let ended = start(errand)?.wait()?;
    if !ended.success() {
        return Ok(None);
    }
    Ok(Some(serde_json::from_slice(&fs::read(&errand.result)?)?))
}

/// Each method left at a random iteration, by a process that went on from there, and taken up by another.
fn all_methods(json: bool, mut random: Random, folder: &Path) -> Result<(), Box<dyn Error>> {
    if !json {
        let (method, problem) = ("method", "problem");
        println!("{method:<22} {problem:<34} iterations  left at  bits equal");
    }
    let mut all = true;
    for (index, case) in cases().iter().enumerate() {
        let whole = case.run(ITERATIONS, &Files::default())?;
        let iterations = whole.report.iterations;
        let path = folder.join(format!("case-{index}"));
        let count = usize::try_from(iterations.saturating_sub(1))?;
        let left = 1 + random.below(count) as u64;
        // It is left by the checkpoint before the last: the run itself went on to its end at most.
        let write = Some((path.clone(), Every::Iterations(left)));
        let most = ITERATIONS.min(2 * left - 1);
        let result = folder.join("result");
        let first = Errand { case: index, most, write, resume: None, result: result.clone() };
        let from = if left == 1 { path.clone() } else { previous(&path) };
        let resume =
            Errand { case: index, most: ITERATIONS, write: None, resume: Some(from), result };
        let found = if finish(&first)?.is_some() { finish(&resume)? } else { None };
        let equal = found.as_ref() == Some(&Bits::of(&whole));
        all &= equal;
        let Case { method, .. } = case;
        let problem = case.problem();
        if json {
            let line = serde_json::json!({
                "method": method, "problem": problem, "iterations": iterations, "left_at": left,
                "bits_equal": equal,
            });
            println!("{line}");
        } else {
            println!("{method:<22} {problem:<34} {iterations:>10} {left:>8}  {equal}");
        }
    }
    if all { Ok(()) } else { Err("a run that was taken up differs".into()) }
}

/// The cases whose processes are killed: dense and limited memory, products, residuals, minibatches, a relay.
fn killed() -> Vec<(usize, Case)> {
    let chosen = |case: &Case| {
        let names = ["BFGS", "L-BFGS", "Newton-CG", "Levenberg–Marquardt", "Adam", "Auto"];
        names.contains(&case.method) && case.problem() != "softmax on digits"
    };
    cases().into_iter().enumerate().filter(|(_, case)| chosen(case)).collect()
}

fn kills(count: u64, json: bool, mut random: Random, folder: &Path) -> Result<(), Box<dyn Error>> {
    let (mut kills, mut resumed, mut lost, mut equal, mut fits) = (0, 0, 0, true, 0);
    let cases = killed();
    let mut number = 0;
    while kills < count {
        let (index, case) = &cases[number % cases.len()];
        let path = folder.join(format!("killed-{number}"));
        number += 1;
        let whole = Bits::of(&case.run(LONG, &Files::default())?);
        let most = count.min(kills + KILLS_OF_A_FIT);
        loop {
            let there = path.exists();
            let errand = Errand {
                case: *index,
                most: LONG,
                write: Some((path.clone(), Every::Iterations(1))),
                resume: there.then(|| path.clone()),
                result: folder.join("result"),
            };
            resumed += u64::from(there);
            let mut child = start(&errand)?;
            let moment = Duration::from_secs_f64(LATEST * random.uniform());
            let ended = wait(&mut child, if kills < most { moment } else { PATIENCE })?;
            match ended {
                None => {
                    kills += 1;
                    // What was there once is there for good.
                    lost += u64::from(there && !path.exists());
                }
                Some(true) => {
                    let found: Bits = serde_json::from_slice(&fs::read(&errand.result)?)?;
                    equal &= found == whole;
                    fits += 1;
                    break;
                }
                Some(false) => {
                    lost += 1;
                    break;
                }
            }
        }
    }
    if json {
        let line = serde_json::json!({
            "kills": kills, "resumed": resumed, "lost": lost, "bits_equal": equal, "fits": fits,
        });
        println!("{line}");
    } else {
        println!(
            "{kills} kills in {fits} fits, {resumed} times taken up, {lost} lost; all bits equal: {equal}"
        );
    }
    if lost == 0 && equal { Ok(()) } else { Err("a run was lost or differs".into()) }
}

/// Whether the process ended well; none where it had to be killed after this long.
fn wait(child: &mut Child, moment: Duration) -> Result<Option<bool>, Box<dyn Error>> {
    let start = Instant::now();
    loop {
        if let Some(ended) = child.try_wait()? {
            return Ok(Some(ended.success()));
        }
        if start.elapsed() >= moment {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        sleep(Duration::from_millis(1));
    }
}
