//! How fast are thousands of small fits, and what becomes of the bad ones? a·e^(−bx) + c on groups of points, on one thread and on two.
//!
//! Groups of 100 points each, drawn from a seed, from one start. The model is written once as a Rust function (derivatives by dual
//! numbers) and once as a formula; with `--by-hand` its Jacobian by hand too. Printed are microseconds a fit and core, the speed-up on two
//! threads, and whether the bits are those of every group fitted alone; then fifty bad groups stand among the good ones.
//!
//! `cargo run --release --example fit_many [-- --groups 5000 --json]`

#[macro_use]
#[path = "support/mod.rs"]
mod support;

use secant::core::random::Random;
use secant::formula::Formula;
use secant::optim::LevenbergMarquardt;
use secant::{FormulaGroup, ManyFits, Real, Residuals, SmallLeastSquares, fit_many, minimize};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::time::Instant;
use support::{About, Args, JSON};

const ABOUT: About = About {
    name: "fit_many",
    answers: "How fast are thousands of small fits, and what becomes of the bad ones?",
    takes: &[],
    options: &[
        ("--groups", "COUNT", "groups of points (default 5000)"),
        ("--points", "COUNT", "points of each (default 100)"),
        ("--repeats", "COUNT", "runs, of which the fastest counts (default 5)"),
        ("--by-hand", "", "with the Jacobian by hand too"),
        ("--data", "FILE", "writes the groups as CSV (key, x, y) for other programs"),
        ("--table", "FILE", "writes the fits of the good and bad groups as CSV"),
        JSON,
    ],
    output: "a line for each way to write the model, then what the bad groups came to",
    data: "",
};

const START: [f64; 3] = [1.0, 1.0, 0.0];
/// Of each kind.
const BAD: usize = 10;
const SEED: u64 = 18;

/// r = a·e^(−bx) + c − y.
#[derive(Clone, Copy)]
struct Decay<'a> {
    x: &'a [f64],
    y: &'a [f64],
}

impl Residuals for Decay<'_> {
    fn parameters(&self) -> usize {
        3
    }
    fn residual_len(&self) -> usize {
        self.x.len()
    }
    fn residuals<T: Real>(&self, p: &[T], r: &mut [T]) {
        for ((r, x), y) in r.iter_mut().zip(self.x).zip(self.y) {
            *r = p[0] * (-p[1] * *x).exp() + p[2] - *y;
        }
    }
    fn parameter_name(&self, j: usize) -> String {
        ["a", "b", "c"][j].to_owned()
    }
}

/// The same with J by hand.
#[derive(Clone, Copy)]
struct ByHand<'a>(Decay<'a>);

impl SmallLeastSquares for ByHand<'_> {
    type Scratch = ();
    fn shape(&self) -> (usize, usize) {
        (self.0.x.len(), 3)
    }
    fn scratch(&self) {}
    fn write_residuals(&self, p: &[f64], r: &mut [f64], (): &mut ()) {
        self.0.residuals(p, r);
    }
    fn write_jacobian(&self, p: &[f64], r: &mut [f64], jacobian: &mut [f64], (): &mut ()) {
        let (first, rest) = jacobian.split_at_mut(r.len());
        let (second, third) = rest.split_at_mut(r.len());
        for (i, (x, y)) in self.0.x.iter().zip(self.0.y).enumerate() {
            let e = Real::exp(-p[1] * x);
            r[i] = p[0] * e + p[2] - y;
            (first[i], second[i], third[i]) = (e, -p[0] * x * e, 1.0);
        }
    }
}

struct Points {
    x: Vec<f64>,
    /// Of every group.
    y: Vec<Vec<f64>>,
}

impl Points {
    fn draw(groups: usize, points: usize) -> Self {
        let mut random = Random::new(SEED);
        let x: Vec<f64> = (0..points).map(|i| 4.0 * i as f64 / points as f64).collect();
        let mut draw = || {
            let mut within = |low: f64, high: f64| low + (high - low) * random.uniform();
            let (a, b, c) = (within(1.0, 3.0), within(0.5, 2.0), within(0.0, 1.0));
            x.iter().map(|x| a * Real::exp(-b * x) + c + 0.05 * random.normal()).collect()
        };
        let y = (0..groups).map(|_| draw()).collect();
        Self { x, y }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read(&ABOUT);
    let points = Points::draw(args.count("--groups", 5000), args.count("--points", 100));
    if let Some(path) = args.value("--data") {
        fs::write(path, as_csv(&points))?;
    }
    let repeats = args.count("--repeats", 5);
    let decays = || points.y.iter().map(|y| Decay { x: &points.x, y });
    let fits = measure("generic function", &args, repeats, || decays().collect())?;
    let formula = Formula::new("a*exp(-b*x) + c", &["x"])?;
    let group = |y| FormulaGroup::new(&formula, &points.x, y);
    let groups: Vec<_> = points.y.iter().map(|y| group(y)).collect::<Result<_, _>>()?;
    measure("formula", &args, repeats, || groups.clone())?;
    if args.has("--by-hand") {
        measure("by hand", &args, repeats, || decays().map(ByHand).collect())?;
    }
    agreement(&points, &fits, args.json())?;
    planted(&points, &fits, &args)
}

/// Times on one and two threads, and compares the bits.
fn measure<P: SmallLeastSquares + Send + Sync + Clone>(
    model: &str,
    args: &Args,
    repeats: usize,
    groups: impl Fn() -> Vec<P> + Sync,
) -> Result<ManyFits, Box<dyn Error>> {
    let mut seconds = [f64::INFINITY; 2];
    let mut found = Vec::new();
    for _ in 0..repeats {
        for (threads, best) in seconds.iter_mut().enumerate() {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads + 1).build()?;
            let many = fit_many(groups()).start(START);
            let begun = Instant::now();
            let fits = pool.install(|| many.run())?;
            *best = best.min(begun.elapsed().as_secs_f64());
            found.push(fits);
        }
    }
    let fits = found.swap_remove(0);
    let mut same = found.iter().all(|other| *other == fits);
    for (fit, group) in fits.iter().zip(groups()) {
        let alone = fit_many([group]).start(START).run()?;
        let alone = alone.iter().next().ok_or("a group and no fit")?;
        same &= alone.theta == fit.theta && alone.errors == fit.errors;
        same &= alone.sum_of_squares.to_bits() == fit.sum_of_squares.to_bits();
    }
    let micro = 1e6 * seconds[0] / fits.len() as f64;
    let speed_up = seconds[0] / seconds[1];
    let steps: u64 = fits.iter().map(|fit| fit.iterations).sum();
    let evaluations: u64 = fits.iter().map(|fit| fit.evaluations).sum();
    let each = |sum: u64| sum as f64 / fits.len() as f64;
    let (steps, evaluations) = (each(steps), each(evaluations));
    let (groups, minima) = (fits.len(), fits.successes());
    if args.json() {
        println!(
            "{{\"model\":\"{model}\",\"groups\":{groups},\"minima\":{minima},\"microseconds\":{micro:.2},\"speed_up\":{speed_up:.3},\"same_bits\":{same},\"iterations\":{steps:.2},\"evaluations\":{evaluations:.2}}}"
        );
    } else {
        println!("{model}: {groups} groups, {minima} minima");
        println!("  {micro:.2} µs a fit and core, {speed_up:.2} times as fast on two threads");
        println!(
            "  {steps:.1} iterations and {evaluations:.1} evaluations a fit; bits as one by one: {same}"
        );
    }
    Ok(fits)
}

/// The largest distance of parameters to those of `minimize`, in standard errors and relative.
fn agreement(points: &Points, fits: &ManyFits, json: bool) -> Result<(), Box<dyn Error>> {
    let (mut relative, mut count) = (0.0_f64, 0);
    for (fit, y) in fits.iter().zip(&points.y).step_by(25) {
        let problem = secant::residuals(Decay { x: &points.x, y });
        let alone = minimize(&problem, LevenbergMarquardt::default(), &START)?;
        for (many, alone) in fit.theta.iter().zip(&alone.theta) {
            relative = relative.max(((many - alone) / alone).abs());
        }
        count += 1;
    }
    if json {
        println!("{{\"compared_with_minimize\":{count},\"relative_distance\":{relative:e}}}");
    } else {
        println!(
            "{count} of them by `minimize`: parameters differ by at most {relative:.1e} of themselves"
        );
    }
    Ok(())
}

/// Bad groups among the good ones.
fn planted(points: &Points, good: &ManyFits, args: &Args) -> Result<(), Box<dyn Error>> {
    let x = &points.x;
    let nan: Vec<f64> =
        points.y[0].iter().enumerate().map(|(i, y)| if i == 3 { f64::NAN } else { *y }).collect();
    let constant = vec![0.7; x.len()];
    // Every line is a limit of the model, for b → 0 and a → ∞, and is reached nowhere.
    let line: Vec<f64> = x.iter().map(|x| 2.0 - 0.3 * x).collect();
    let infinite: Vec<f64> =
        x.iter().map(|x| if *x == 0.0 { f64::INFINITY } else { 1.0 }).collect();
    let bad = [
        ("NaN", Decay { x, y: &nan }),
        ("infinite", Decay { x, y: &infinite }),
        ("constant", Decay { x, y: &constant }),
        ("two points", Decay { x: &x[..2], y: &points.y[0][..2] }),
        ("no minimum", Decay { x, y: &line }),
    ];
    let (mut groups, mut keys) = (Vec::new(), Vec::new());
    let apart = (points.y.len() / (BAD * bad.len())).max(1);
    let mut planted = (0..BAD * bad.len()).map(|i| (bad[i % bad.len()], i));
    for (i, y) in points.y.iter().enumerate() {
        if i % apart == 0
            && let Some(((kind, decay), number)) = planted.next()
        {
            groups.push(decay);
            keys.push(format!("{kind} {number}"));
        }
        groups.push(Decay { x, y });
        keys.push(i.to_string());
    }
    let fits = fit_many(groups).keys(keys).start(START).run()?;
    let others = fits.iter().filter(|fit| fit.key.parse::<usize>().is_ok());
    let same = others.zip(good.iter()).all(|(a, b)| a.theta == b.theta && a.errors == b.errors);
    let mut ends: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for fit in fits.iter().filter(|fit| fit.key.parse::<usize>().is_err()) {
        let kind = fit.key.rsplit_once(' ').map_or(fit.key, |(kind, _)| kind);
        *ends.entry((kind, fit.outcome.word())).or_default() += 1;
    }
    if args.json() {
        let rows: usize = ends.values().sum();
        println!("{{\"bad_groups\":{rows},\"others_have_the_same_bits\":{same}}}");
        for ((kind, outcome), count) in ends {
            println!("{{\"bad\":\"{kind}\",\"outcome\":\"{outcome}\",\"count\":{count}}}");
        }
    } else {
        print!("{fits}");
        println!("the good ones beside them have the same bits: {same}");
    }
    if let Some(path) = args.value("--table") {
        fits.write_csv(path)?;
    }
    Ok(())
}

fn as_csv(points: &Points) -> String {
    let mut csv = "key,x,y\n".to_owned();
    for (key, y) in points.y.iter().enumerate() {
        for (x, y) in points.x.iter().zip(y) {
            let _ = writeln!(csv, "{key},{x:?},{y:?}");
        }
    }
    csv
}
