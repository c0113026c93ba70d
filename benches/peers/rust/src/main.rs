//! How long do `secant` and its peers in Rust take to one accuracy? One JSON line for each task and contestant, for `benches/peers/run.py`.
//!
//! `cargo run --release -- [--tasks ols,rosenbrock] [--repeats 7] [--data FOLDER]`

mod curves;
mod descent;
mod linear;
#[path = "../../../../examples/problem_sets/models.rs"]
mod models;
mod race;
mod remembered;
mod rosenbrock;

use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "How long do secant and its peers in Rust take to one accuracy?

usage: cargo run --release -- [--tasks NAMES] [--repeats COUNT] [--data FOLDER] [--list]
  --tasks NAMES    with commas; by default all
  --repeats COUNT  rounds in turn; default 7
  --data FOLDER    with nist-strd/nonlinear; by default the environment's SECANT_DATA, else the sets of data/nist
  --list           the names of the tasks
  --help           this text

output: a JSON line for each task and contestant: task, title, contestant, tolerance, seconds (median), rounds, reached, asked, met, cut, note
";

/// What was asked for.
struct Args {
    tasks: Vec<String>,
    repeats: usize,
    data: PathBuf,
}

enum Asked {
    Run(Args),
    Text(String),
}

fn main() -> ExitCode {
    let done = match parse(std::env::args().skip(1)) {
        Ok(Asked::Text(text)) => put(&text).map_err(Into::into),
        Ok(Asked::Run(args)) => run(&args),
        Err(words) => {
            eprint!("peers: {words}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match done {
        // Nobody reads on, which is no failure of ours.
        Err(error) if is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peers: {error}");
            ExitCode::FAILURE
        }
        Ok(()) => ExitCode::SUCCESS,
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

fn put(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// A task: its name, and what runs it, which gives a line for each contestant.
type Entry = (&'static str, fn(&Args) -> Result<Vec<serde_json::Value>, Box<dyn Error>>);

const TASKS: [Entry; 6] = [
    ("ols", |args| linear::ols(args.repeats)),
    ("logistic", |args| linear::logistic(args.repeats)),
    ("curves-near", |args| curves::all(&args.data, curves::Start::Near, args.repeats)),
    ("curves-far", |args| curves::all(&args.data, curves::Start::Far, args.repeats)),
    ("curves-separable", |args| curves::separable(&args.data, args.repeats)),
    ("rosenbrock", |args| Ok(rosenbrock::run(args.repeats))),
];

fn parse(mut args: impl Iterator<Item = String>) -> Result<Asked, String> {
    let names = || TASKS.iter().map(|(name, _)| *name);
    let shared = std::env::var_os("SECANT_DATA").map(PathBuf::from);
    let mut found = Args {
        tasks: names().map(str::to_owned).collect(),
        repeats: 7,
        data: shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../data")),
    };
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} needs its value"));
        match arg.as_str() {
            "--help" | "-h" => return Ok(Asked::Text(HELP.to_owned())),
            "--list" => return Ok(Asked::Text(names().flat_map(|name| [name, "\n"]).collect())),
            "--data" => found.data = value()?.into(),
            "--repeats" => {
                let text = value()?;
                let count = text.parse().ok().filter(|count| *count > 0);
                found.repeats = count.ok_or(format!("--repeats {text}: not a positive number"))?;
            }
            "--tasks" => {
                found.tasks = value()?.split(',').map(str::to_owned).collect();
                if let Some(name) = found.tasks.iter().find(|one| !names().any(|name| name == *one))
                {
                    let known = names().collect::<Vec<_>>().join(", ");
                    return Err(format!("no task `{name}`, only {known}"));
                }
            }
            _ => return Err(format!("`{arg}`: unknown")),
        }
    }
    Ok(Asked::Run(found))
}

fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    for (name, task) in TASKS.iter().filter(|(name, _)| args.tasks.iter().any(|one| one == name)) {
        eprintln!("  {name} ...");
        for mut line in task(args)? {
            line["task"] = (*name).into();
            put(&format!("{line}\n"))?;
        }
    }
    Ok(())
}
