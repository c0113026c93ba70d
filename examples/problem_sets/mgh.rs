//! The problems of Moré, Garbow & Hillstrom (1981) from x₀, 10·x₀ and 100·x₀, by every method: which minimum, at what cost.
//!
//! Starts and minima come from `mgh.toml`; f(x₀) and ‖∇f(x₀)‖ in it must be those of the functions here. Every run goes on to
//! ‖∇f‖∞ ≤ 1e-12 or the rounding floor. A performance profile (Dolan & Moré 2002) goes to `out/mgh_profile.svg`.

#[path = "../../crates/optim/tests/it/common/mgh.rs"]
pub mod problems;

use plotters::prelude::*;
use problems::Problem;
use secant::optim::{Subproblem, TrustRegion, Update};
use secant::{
    AdaptiveCubic, Bfgs, Lbfgs, LevenbergMarquardt, Method, Newton, NewtonCg, NonlinearCg,
    Objective, Reason, Sr1, Stopping,
};
use std::error::Error;
use std::fs;
use std::path::Path;

const FACTORS: [f64; 3] = [1.0, 10.0, 100.0];
/// A method has solved a problem when f is within this of the lowest value that any found, or of a known minimum.
const SOLVED_RELATIVE: f64 = 1e-6;
const SOLVED_ABSOLUTE: f64 = 1e-10;
/// f(x₀) and ‖∇f(x₀)‖ of the file, relative.
const AGREEMENT: f64 = 1e-12;
const MOST_ITERATIONS: u64 = 5_000;
/// Right end of the profile, in multiples of the best.
const PROFILE_END: f64 = 64.0;
const COLOURS: [RGBColor; 12] = [
    RGBColor(0, 0, 0),
    RGBColor(148, 103, 189),
    RGBColor(140, 86, 75),
    RGBColor(227, 119, 194),
    RGBColor(188, 189, 34),
    RGBColor(31, 119, 180),
    RGBColor(23, 190, 207),
    RGBColor(44, 160, 44),
    RGBColor(214, 39, 40),
    RGBColor(255, 127, 14),
    RGBColor(57, 59, 121),
    RGBColor(127, 127, 127),
];

fn methods() -> Vec<(&'static str, Method)> {
    let region = |subproblem| Method::from(TrustRegion::default().with_subproblem(subproblem));
    let stopping = Stopping {
        gradient_tolerance: 0.0,
        gradient_absolute: 1e-12,
        max_iterations: MOST_ITERATIONS,
        ..Stopping::default()
    };
    let methods = vec![
        ("tr_gltr", region(Subproblem::Gltr)),
        ("tr_exact", region(Subproblem::Exact)),
        ("tr_scaled", region(Subproblem::ScaledExact)),
        ("arc", AdaptiveCubic::default().into()),
        ("newton_cg", NewtonCg::default().into()),
        ("lm", LevenbergMarquardt::default().into()),
        ("newton", Newton::default().into()),
        ("bfgs", Bfgs::default().into()),
        ("ssbroyden", Bfgs::default().with_update(Update::SelfScaledBroyden).into()),
        ("sr1", Sr1::default().into()),
        ("nonlinear_cg", NonlinearCg::default().into()),
        ("lbfgs", Lbfgs::default().into()),
    ];
    let stopped = |(name, method): (_, Method)| (name, method.with_stopping(stopping.clone()));
    methods.into_iter().map(stopped).collect()
}

/// What the file says of one instance.
#[derive(Debug, Default)]
struct Instance {
    id: String,
    /// Empty where the file gives a rule only.
    start: Vec<f64>,
    start_value: f64,
    start_gradient: f64,
    minima: Vec<f64>,
}

struct Run {
    method: &'static str,
    value: f64,
    gradient_norm: f64,
    evaluations: u64,
    reason: Reason,
    seconds: f64,
}

/// All methods from one start.
struct Row {
    set: String,
    factor: f64,
    minima: Vec<f64>,
    runs: Vec<Run>,
}

/// Prints the table, or with `json` one line per run; draws the profile.
///
/// # Errors
/// The file cannot be read, names an unknown instance, or disagrees with the functions here; a picture cannot be written.
pub fn run(path: &Path, json: bool) -> Result<(), Box<dyn Error>> {
    let file = if path.is_dir() { path.join("mgh.toml") } else { path.to_path_buf() };
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut rows = Vec::new();
    if !json {
        print!("{:<24}{:>5}", "problem", "start");
        for (name, _) in methods() {
            print!(" | {name:<30}");
        }
        println!("\n{:<29}{}", "", " | value   digits evaluations".repeat(methods().len()));
    }
    for instance in instances(&text)? {
        let problem = checked(&instance)?;
        for factor in FACTORS {
            let start = problem.start();
            let start = if instance.start.is_empty() { start } else { instance.start.clone() };
            let start: Vec<f64> = start.iter().map(|x| factor * x).collect();
            let repeated = factor > 1.0 && start.iter().all(|x| *x == 0.0);
            if repeated || !problem.value(&start).is_finite() {
                continue;
            }
            let row = row(&instance, &problem, factor, &start)?;
            row.print(json);
            rows.push(row);
        }
    }
    fs::create_dir_all("out")?;
    draw(&rows, Path::new("out/mgh_profile.svg"))?;
    if !json {
        summary(&rows);
        println!("\nout/mgh_profile.svg");
    }
    Ok(())
}

fn row(
    instance: &Instance,
    problem: &Problem,
    factor: f64,
    start: &[f64],
) -> Result<Row, Box<dyn Error>> {
    let mut runs = Vec::new();
    for (name, method) in methods() {
        let report = method.minimize(problem, start)?.report;
        runs.push(Run {
            method: name,
            value: report.value,
            gradient_norm: report.gradient.max,
            evaluations: report.evaluations.of_f(),
            reason: report.reason,
            seconds: report.seconds,
        });
    }
    let minima = instance.minima.iter().chain(problem.others).copied().collect();
    Ok(Row { set: instance.id.clone(), factor, minima, runs })
}

impl Row {
    /// Digits of f that agree with the nearest known minimum; of f itself where that is zero.
    fn digits(&self, run: &Run) -> f64 {
        let digits = |known: f64| {
            let size = if known == 0.0 { 1.0 } else { known.abs() };
            (-((run.value - known).abs() / size).log10()).clamp(0.0, 16.0)
        };
        self.minima.iter().map(|known| digits(*known)).fold(0.0, f64::max)
    }

    fn solved(&self, run: &Run) -> bool {
        let lowest = self.runs.iter().map(|run| run.value).fold(f64::INFINITY, f64::min);
        self.minima
            .iter()
            .chain(&[lowest])
            .any(|f| (run.value - f).abs() <= SOLVED_RELATIVE * f.abs() + SOLVED_ABSOLUTE)
    }

    fn print(&self, json: bool) {
        if !json {
            print!("{:<24}{:>5}", self.set, self.factor);
        }
        for run in &self.runs {
            let digits = self.digits(run);
            if json {
                let line = serde_json::json!({
                    "set": self.set, "start": format!("{} x0", self.factor), "method": run.method,
                    "value": run.value, "gradient_norm": run.gradient_norm, "digits": digits,
                    "evaluations": run.evaluations, "reason": format!("{:?}", run.reason),
                    "seconds": run.seconds,
                });
                println!("{line}");
            } else {
                let mark = if self.solved(run) { ' ' } else { '!' };
                print!(" | {:>13.6e}{mark} {digits:>5.1} {:>9}", run.value, run.evaluations);
            }
        }
        if !json {
            println!();
        }
    }
}

/// Per method: starts solved, and how often with the fewest evaluations.
fn summary(rows: &[Row]) {
    println!("\n{:<10} {:>8} {:>8} {:>8} {:>14}", "solved", "x0", "10 x0", "100 x0", "evaluations");
    for (k, (name, _)) in methods().iter().enumerate() {
        print!("{name:<10}");
        for factor in FACTORS {
            let of: Vec<&Row> = rows.iter().filter(|row| row.factor == factor).collect();
            let solved = of.iter().filter(|row| row.solved(&row.runs[k])).count();
            print!(" {:>8}", format!("{solved}/{}", of.len()));
        }
        println!(" {:>14}", rows.iter().map(|row| row.runs[k].evaluations).sum::<u64>());
    }
    for row in rows {
        let failed = row.runs.iter().filter(|run| !row.solved(run));
        let failed: Vec<String> =
            failed.map(|run| format!("{} ({:?})", run.method, run.reason)).collect();
        if !failed.is_empty() {
            println!("not solved: {} from {} x0: {}", row.set, row.factor, failed.join(", "));
        }
    }
}

/// For each method the part of the starts that it solves within τ times the fewest evaluations that any method needs.
fn draw(rows: &[Row], path: &Path) -> Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(path, (900, 600)).into_drawing_area();
    area.fill(&WHITE)?;
    let title = "Moré–Garbow–Hillstrom: starts solved within τ × the fewest evaluations of f";
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(50)
        .build_cartesian_2d((1.0..PROFILE_END).log_scale(), 0.0..1.0)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc("τ")
        .y_desc("part of the starts")
        .x_label_formatter(&|tau| format!("{tau:.0}"))
        .draw()?;
    for (k, ((name, _), colour)) in methods().iter().zip(COLOURS).enumerate() {
        let mut ratios: Vec<f64> = rows.iter().filter_map(|row| row.ratio(k)).collect();
        ratios.sort_by(f64::total_cmp);
        let all = rows.len() as f64;
        let mut steps = vec![(1.0, 0.0)];
        for (solved, ratio) in ratios.iter().enumerate().filter(|(_, r)| **r <= PROFILE_END) {
            steps.push((*ratio, solved as f64 / all));
            steps.push((*ratio, (solved + 1) as f64 / all));
        }
        let last = steps[steps.len() - 1].1;
        steps.push((PROFILE_END, last));
        chart
            .draw_series(LineSeries::new(steps, colour.stroke_width(2)))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.8))
        .draw()?;
    area.present()?;
    Ok(())
}

impl Row {
    /// Evaluations of method k relative to the fewest of those that solved the problem.
    fn ratio(&self, k: usize) -> Option<f64> {
        let solved = self.runs.iter().filter(|run| self.solved(run));
        let fewest = solved.map(|run| run.evaluations).min()? as f64;
        self.solved(&self.runs[k]).then(|| self.runs[k].evaluations as f64 / fewest)
    }
}

/// The function that the file means, when it agrees with the file.
fn checked(instance: &Instance) -> Result<Problem, Box<dyn Error>> {
    let id = &instance.id;
    let problem = Problem::named(id).ok_or_else(|| format!("{id}: no such problem here"))?;
    let start = problem.start();
    if !instance.start.is_empty() && instance.start != start {
        return Err(
            format!("{id}: the start is {start:?}, the file has {:?}", instance.start).into()
        );
    }
    let mut gradient = vec![0.0; start.len()];
    let value = problem.value_gradient(&start, &mut gradient);
    let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
    let agree = |a: f64, b: f64| (a - b).abs() <= AGREEMENT * b.abs();
    if !(agree(value, instance.start_value) && agree(norm, instance.start_gradient)) {
        return Err(format!("{id}: f(x0) = {value:e}, |grad| = {norm:e}; the file differs").into());
    }
    Ok(problem)
}

/// The `[[problem.instance]]` tables of the file: `key = number`, `key = "text"` and `key = [numbers]` on one line each.
fn instances(text: &str) -> Result<Vec<Instance>, Box<dyn Error>> {
    let mut found: Vec<Instance> = Vec::new();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("[[") {
            inside = line == "[[problem.instance]]";
            if inside {
                found.push(Instance::default());
            }
            continue;
        }
        let (Some((key, value)), Some(instance), true) =
            (line.split_once('='), found.last_mut(), inside)
        else {
            continue;
        };
        let (key, value) = (key.trim(), value.trim());
        match key {
            "id" => instance.id = value.trim_matches('"').to_string(),
            "x0" => instance.start = numbers(value)?,
            "f0" => instance.start_value = value.parse()?,
            "grad0_norm2" => instance.start_gradient = value.parse()?,
            "f_star" | "other_minima" => instance.minima.extend(numbers(value)?),
            _ => {}
        }
    }
    Ok(found)
}

fn numbers(list: &str) -> Result<Vec<f64>, Box<dyn Error>> {
    let inner = list.trim_start_matches('[').trim_end_matches(']');
    Ok(inner.split(',').map(|number| number.trim().parse()).collect::<Result<_, _>>()?)
}
