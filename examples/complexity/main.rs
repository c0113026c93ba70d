//! What does a step cost as n grows, and when is that worth it? k² memory and k³ time for Newton, O(n²) for BFGS, O(n) for L-BFGS
//! and Adam: measured.
//!
//! `cargo run --release --example complexity [-- --quick] [--json] [--out DIR]`: the exponents of time and memory with their 95 %
//! intervals, at an evaluation that costs O(n) and is not counted; with `--json` a line
//! `{"method","quantity","exponent","low","high","points"}` each. A law of time is that of the sizes that no cache holds; where smaller
//! ones were measured too, a second line `…, caches too` is fitted to all.
//! `… -- streaming`: a step's time over that of moving its bytes at the machine's bandwidth.
//! `… -- crossover`: wall time to a relative gap of 1e-4 and 1e-8, beside Adam at its best rate.
//! Without `--json` all three are printed, and `complexity_time.svg` and `complexity_memory.svg` drawn into DIR (`out`).

#[macro_use]
#[path = "../support/mod.rs"]
mod support;
mod assembly;
mod crossover;
mod law;
mod measure;
mod picture;
mod problem;
mod streaming;

use measure::Contestant;
use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;
use support::{About, Args, JSON, OUT};

const ABOUT: About = About {
    name: "complexity",
    answers: "What does a step cost as n grows, and when is that worth it? Exponents of time and memory, measured.",
    takes: &[("PART", "streaming or crossover: that part alone")],
    options: &[("--quick", "", "fewer and smaller sizes"), JSON, OUT],
    output: "exponents with their intervals, steps against streaming, where each method overtakes Adam; complexity_*.svg, .png",
    data: "",
};

/// Every size is met in so many rounds over all sizes, and its time is their median: what slows the machine for a while does not bend
/// the law.
const ROUNDS: usize = 3;

/// A method's sizes, and the steps that count at each.
struct Plan {
    method: Contestant,
    sizes: Vec<usize>,
    steps: u64,
}

/// One law.
struct Law {
    method: String,
    quantity: &'static str,
    points: Vec<(usize, f64)>,
    /// How many of the points, the last ones, are of runs that no cache holds; 0 where that does not matter.
    beyond_caches: usize,
}

/// A law, what it is of, and the points that it is fitted to.
type Points<'a> = (&'a Law, String, &'a [(usize, f64)]);

/// A run of more bytes than this is beyond every cache: twice the last one of a common machine.
const BEYOND_CACHES: usize = 64 << 20;
/// Fewer points than this make no law.
const FEWEST: usize = 4;

struct Asked {
    quick: bool,
    json: bool,
    part: Option<String>,
    out: PathBuf,
}

fn main() -> Result<(), Box<dyn Error>> {
    let asked = Asked::from_args()?;
    let part = asked.part.as_deref();
    if part.is_none() {
        let laws = laws(asked.quick)?;
        print_laws(&laws, asked.json);
        if !asked.json {
            draw(&laws, &asked)?;
        }
    }
    if part == Some("streaming") || (part.is_none() && !asked.json) {
        print_streams(asked.json)?;
    }
    if part == Some("crossover") || (part.is_none() && !asked.json) {
        print_races(asked.quick, asked.json)?;
    }
    Ok(())
}

impl Asked {
    fn from_args() -> Result<Self, String> {
        let args = Args::read(&ABOUT);
        let part = args.free().first().cloned();
        if let Some(part) =
            part.as_deref().filter(|part| !["streaming", "crossover"].contains(part))
        {
            args.refuse(&format!("`{part}`: no part of it"));
        }
        Ok(Self { quick: args.has("--quick"), json: args.json(), part, out: args.out()? })
    }
}

/// n from `low` on in so many steps of √`square`.
fn sizes(low: u64, steps: u32, square: u64) -> Vec<usize> {
    // low·√(square^k) by integers: no rounding to reason about.
    let size = |k| (low * low * square.pow(k)).isqrt();
    (0..=steps).filter_map(|k| usize::try_from(size(k)).ok()).collect()
}

fn plans(quick: bool) -> Vec<Plan> {
    let plan = |method, sizes, steps| Plan { method, sizes, steps };
    let pick = |short: u32, long: u32| if quick { short } else { long };
    // From 10⁴ on; as far as leaves several sizes beyond the caches.
    let linear = |short: u32, long: u32| {
        if quick { sizes(10_000, short, 4) } else { sizes(10_000, long, 2) }
    };
    let mut plans = vec![
        plan(Contestant::Newton, sizes(500, pick(6, 8), 2), 3),
        plan(Contestant::LevenbergMarquardtQr, sizes(125, pick(3, 5), 2), 3),
        plan(Contestant::LevenbergMarquardtNormal, sizes(500, pick(3, 6), 2), 3),
        plan(Contestant::Bfgs, sizes(1000, 8, 2), 20),
    ];
    let pairs = [(5, 10), (10, 9), (20, 8)];
    plans.extend(pairs.map(|(m, short)| plan(Contestant::Lbfgs(m), linear(short, 16), 9)));
    plans.extend([
        plan(Contestant::NewtonCg, linear(9, 18), 4),
        plan(Contestant::Adam, linear(10, 19), 20),
        plan(Contestant::GradientDescent, linear(10, 19), 20),
    ]);
    plans
}

/// Every law that is measured.
fn laws(quick: bool) -> Result<Vec<Law>, Box<dyn Error>> {
    let mut laws = vec![Law {
        method: "Newton".into(),
        quantity: "assembly time",
        points: assembly::run(&sizes(250, if quick { 5 } else { 7 }, 2))?,
        beyond_caches: 0,
    }];
    for plan in plans(quick) {
        let (mut time, mut bytes, mut product) = (Vec::new(), Vec::new(), Vec::new());
        // Buffers that the matrix products keep for good are there before the first point.
        plan.method.run(plan.sizes[0], plan.steps)?;
        // What a run takes at any n, its trace above all.
        let constant = plan.method.run(2, plan.steps).map_or(0, |step| step.bytes);
        let mut rounds = Vec::new();
        for _ in 0..if quick { 1 } else { ROUNDS } {
            let steps: Result<Vec<_>, _> =
                plan.sizes.iter().map(|&n| plan.method.run(n, plan.steps)).collect();
            rounds.push(steps?);
        }
        for (at, &n) in plan.sizes.iter().enumerate() {
            let of_rounds = || rounds.iter().map(|steps| steps[at]);
            time.push((n, law::median(of_rounds().map(|step| step.seconds).collect())));
            bytes.push((n, rounds[0][at].bytes.saturating_sub(constant) as f64));
            let products: Vec<f64> = of_rounds().filter_map(|step| step.per_product).collect();
            product.extend((!products.is_empty()).then(|| (n, law::median(products))));
        }
        let method = plan.method.name();
        let beyond = bytes.iter().filter(|(_, bytes)| *bytes > BEYOND_CACHES as f64).count();
        let law = |quantity, points, beyond_caches| {
            let method = method.clone();
            Law { method, quantity, points, beyond_caches }
        };
        if product.is_empty() {
            let dense = matches!(
                plan.method,
                Contestant::Newton
                    | Contestant::LevenbergMarquardtQr
                    | Contestant::LevenbergMarquardtNormal
            );
            let quantity = if dense { "factorisation time" } else { "step time" };
            laws.push(law(quantity, time, beyond));
        } else {
            laws.push(law("time per product", product, beyond));
        }
        laws.push(law("memory", bytes, 0));
    }
    Ok(laws)
}

impl Law {
    /// The law beyond the caches, where there are enough points, and the law of all points.
    fn fits(&self) -> Vec<Points<'_>> {
        let quantity = self.quantity.to_owned();
        let first = self.points.len() - self.beyond_caches.min(self.points.len());
        if first == 0 || self.points.len() - first < FEWEST {
            return vec![(self, quantity, &self.points[..])];
        }
        let all = format!("{quantity}, caches too");
        vec![(self, quantity, &self.points[first..]), (self, all, &self.points)]
    }
}

fn print_laws(laws: &[Law], json: bool) {
    if !json {
        println!(
            "{:38} {:31} {:>9} {:>16} {:>7}",
            "method", "quantity", "exponent", "95 % interval", "points"
        );
    }
    for (law, quantity, points) in laws.iter().flat_map(Law::fits) {
        let Some(fit) = law::exponent(points) else { continue };
        let points = points.len();
        if json {
            let line = serde_json::json!({
                "method": law.method, "quantity": quantity, "exponent": fit.power,
                "low": fit.low, "high": fit.high, "points": points,
            });
            println!("{line}");
        } else {
            let method = &law.method;
            let interval = format!("{:.2} … {:.2}", fit.low, fit.high);
            println!("{method:38} {quantity:31} {:9.2} {interval:>16} {points:7}", fit.power);
        }
    }
}

fn draw(laws: &[Law], asked: &Asked) -> Result<(), Box<dyn Error>> {
    let lines = |memory: bool| -> Vec<picture::Line> {
        let of = laws.iter().filter(|law| (law.quantity == "memory") == memory);
        of.map(|law| {
            let assembly = law.quantity == "assembly time";
            let name = if assembly { "Newton, assembly".into() } else { law.method.clone() };
            (name.replace("Levenberg-Marquardt", "LM"), law.points.clone())
        })
        .collect()
    };
    // The first of a method has its own line, its relatives have dashes.
    let lines = |memory: bool| {
        let mut lines = lines(memory);
        lines.sort_by_key(|(name, _)| name.contains("assembly"));
        lines
    };
    for (memory, name, title, unit) in [
        (false, "complexity_time", "Time of a step without the evaluation of f", "seconds"),
        (true, "complexity_memory", "Memory of a run", "bytes"),
    ] {
        let figure = picture::figure(&lines(memory), title, unit);
        for extension in ["svg", "png"] {
            let path = asked.out.join(format!("{name}.{extension}"));
            figure.save(&path)?;
            println!("{}", path.display());
        }
    }
    Ok(())
}

fn print_streams(json: bool) -> Result<(), Box<dyn Error>> {
    if !json {
        println!(
            "\n{:20} {:>9} {:>10} {:>12} {:>22} {:>13} {:>12}",
            "method",
            "n",
            "MB",
            "ms a step",
            "of its streaming time",
            "GB/s, thread",
            "all threads"
        );
    }
    for (method, n) in streaming::CASES {
        let streaming::Stream { method, n, bytes, seconds, ratio, bandwidth } =
            streaming::run(method, n)?;
        let streaming::Bandwidth { one_thread, all_threads } = bandwidth;
        if json {
            let line = serde_json::json!({
                "method": method, "n": n, "bytes": bytes, "seconds": seconds, "ratio": ratio,
                "one_thread": one_thread, "all_threads": all_threads,
            });
            println!("{line}");
        } else {
            let (megabytes, milliseconds) = (bytes * 1e-6, seconds * 1e3);
            let (one, all) = (one_thread * 1e-9, all_threads * 1e-9);
            println!(
                "{method:20} {n:9} {megabytes:10.1} {milliseconds:12.2} {ratio:22.2} {one:13.1} {all:12.1}"
            );
        }
    }
    Ok(())
}

fn print_races(quick: bool, json: bool) -> Result<(), Box<dyn Error>> {
    let sizes: &[usize] = if quick { &[10, 100, 400] } else { &[10, 30, 100, 300, 1000, 2000] };
    let limit = Duration::from_secs_f64(if quick { 1.0 } else { 20.0 });
    let races = crossover::run(sizes, limit)?;
    if !json {
        println!(
            "\n{:22} {:>6} {:20} {:>12} {:>12}   seconds to the gap",
            "problem", "n", "method", "1e-4", "1e-8"
        );
    }
    for race in &races {
        let (problem, n, method) = (&race.problem, race.n, &race.method);
        if json {
            let line = serde_json::json!({
                "problem": problem, "n": n, "method": method,
                "seconds_to_1e-4": race.seconds[0], "seconds_to_1e-8": race.seconds[1],
            });
            println!("{line}");
        } else {
            let [low, high] = race.seconds.map(|s| s.map_or("-".into(), |s| format!("{s:.2e}")));
            println!("{problem:22} {n:6} {method:20} {low:>12} {high:>12}");
        }
    }
    if !json {
        for sentence in crossover::verdicts(&races) {
            println!("{sentence}");
        }
    }
    Ok(())
}
