//! What does Newton's method give on linear regression? The answer in one step.
//!
//! For J(θ) = 1/(2N)·‖Xθ − y‖² the gradient is Xᵀ(Xθ − y)/N and the Hessian XᵀX/N, whatever θ. The Newton step
//! p = −H⁻¹∇J from *any* θ lands on θ + p = (XᵀX)⁻¹Xᵀy: it is the normal equations. This program takes that step on real
//! tables from three very different starts, holds the fitted values against a QR solution (and NIST's certified digits), and
//! counts how many iterations the methods without the Hessian need for the same loss.
//!
//! `cargo run --release --example newton_one_step [-- --json]`

#[macro_use]
#[path = "support/mod.rs"]
mod support;

use faer::Mat;
use faer::prelude::SolveLstsq;
use secant::argmin::core::Executor;
use secant::core::data::NistLinear;
use secant::core::predict::outputs;
use secant::core::random::Random;
use secant::optim::FitState;
use secant::plot::{Axis, Figure, Panels};
use secant::{
    Adam, Bfgs, Dataset, GradientDescent, Lbfgs, Linearization, Method, Momentum, Nesterov,
    Network, Newton, NoPenalty, Risk, SquaredError, Standardizer, Stopping,
};
use secant::{Curvature, Objective};
use std::error::Error;
use std::path::Path;
use support::{About, Args, JSON, OUT};

const ABOUT: About = About {
    name: "newton_one_step",
    answers: "What does Newton's method give on linear regression? The answer in one step, from any start; other methods take many.",
    takes: &[],
    options: &[JSON, OUT],
    output: "the step against QR and certified digits, iterations of the other methods; newton_one_step.svg, .png",
    data: "",
};

/// Starts are drawn from ± this.
const SPREAD: f64 = 1e3;
/// The other methods are to come this near, relative to the least loss.
const GAP: f64 = 1e-8;
/// Iterations after which a method counts as not arriving.
const PATIENCE: u64 = 200_000;
/// Learning rates that Adam may choose from.
const ADAM_RATES: [f64; 3] = [0.01, 0.1, 1.0];
/// Gaps above this are not shown.
const HIGHEST_GAP: f64 = 1e6;

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read(&ABOUT);
    let json = args.json();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let mut tables = Vec::new();
    for name in ["Longley", "Norris"] {
        let nist = NistLinear::read(folder.join("nist").join(format!("{name}.dat")))?;
        tables.extend(Table::pair(name, &nist.dataset()?, Some(&nist.parameters))?);
    }
    for name in ["diabetes", "concrete", "power_plant"] {
        let data = Dataset::from_csv(folder.join(format!("{name}.csv")), "target")?;
        tables.extend(Table::pair(name, &data, None)?);
    }

    let mut say = Say { json };
    say.heading("One Newton step on linear regression, J(θ) = 1/(2N)·‖Xθ − y‖²");
    say.normal_equations(&tables[2])?;
    say.step_header();
    for table in &tables {
        for (start, theta) in table.starts() {
            say.step(&table.one_step(start, &theta)?);
        }
    }
    let mut races = Vec::new();
    for table in tables.iter().filter(|table| table.standardised) {
        races.push(Race::run(table)?);
    }
    say.races(&races);
    let (out, sheet) = (args.out()?, picture(&races));
    for extension in ["svg", "png"] {
        let file = out.join(format!("newton_one_step.{extension}"));
        sheet.save(&file)?;
        say.note(&format!("picture: {}", file.display()));
    }
    Ok(())
}

/// A table with a column of ones at its end, as it is or with standardised columns.
struct Table {
    name: String,
    data: Dataset,
    network: Network,
    standardised: bool,
    scaling: Option<Standardizer>,
    /// β₀, β₁ … in the units of the raw table.
    certified: Option<Vec<f64>>,
    /// X·θ of the QR solution.
    fitted: Vec<f64>,
}

/// What one Newton step did.
struct Step {
    table: String,
    start: &'static str,
    /// ‖Xθ_Newton − Xθ_QR‖ / ‖Xθ_QR‖.
    distance: f64,
    /// The same between the first and a second step.
    second: f64,
    /// Correct digits of the worst coefficient.
    digits: Option<f64>,
}

impl Table {
    /// The raw and the standardised table.
    fn pair(
        name: &str,
        data: &Dataset,
        certified: Option<&[f64]>,
    ) -> Result<[Self; 2], Box<dyn Error>> {
        let certified = certified.map(<[f64]>::to_vec);
        let scaling = Standardizer::fit_inputs(data);
        let scaled = scaling.transform_inputs(data)?;
        let raw = Self::new(name.into(), data.clone(), None, certified.clone())?;
        let name = format!("{name}, standardised");
        Ok([raw, Self::new(name, scaled, Some(scaling), certified)?])
    }

    fn new(
        name: String,
        data: Dataset,
        scaling: Option<Standardizer>,
        certified: Option<Vec<f64>>,
    ) -> Result<Self, Box<dyn Error>> {
        let network = Network::linear(data.features(), 1);
        let fitted = outputs(network.graph()?, &qr_solution(&data), data.inputs())?;
        let standardised = scaling.is_some();
        Ok(Self { name, data, network, standardised, scaling, certified, fitted })
    }

    fn risk(&self) -> Result<Risk<'_>, Box<dyn Error>> {
        Ok(Risk::new(self.network.graph()?, &self.data, SquaredError, NoPenalty)?)
    }

    /// Three starts as different as can be: on one side, alternating, random.
    fn starts(&self) -> [(&'static str, Vec<f64>); 3] {
        let n = self.data.features() + 1;
        let mut random = Random::new(1);
        [
            ("all +1e3", vec![SPREAD; n]),
            ("±1e3 in turn", (0..n).map(|j| if j % 2 == 0 { SPREAD } else { -SPREAD }).collect()),
            ("random", (0..n).map(|_| SPREAD * (2.0 * random.uniform() - 1.0)).collect()),
        ]
    }

    fn one_step(&self, start: &'static str, theta: &[f64]) -> Result<Step, Box<dyn Error>> {
        let risk = self.risk()?;
        let one = newton_step(&risk, theta)?;
        let two = newton_step(&risk, &one)?;
        let graph = self.network.graph()?;
        let fitted = outputs(graph, &one, self.data.inputs())?;
        let again = outputs(graph, &two, self.data.inputs())?;
        Ok(Step {
            table: self.name.clone(),
            start,
            distance: relative_distance(&fitted, &self.fitted),
            second: relative_distance(&again, &fitted),
            digits: self.certified.as_ref().map(|certified| self.digits(&one, certified)),
        })
    }

    /// −log₁₀ of the largest relative error of a coefficient, in the units of the raw table.
    fn digits(&self, theta: &[f64], certified: &[f64]) -> f64 {
        let (weights, bias) = theta.split_at(theta.len() - 1);
        let mut intercept = bias[0];
        let mut slopes = weights.to_vec();
        if let Some(scaling) = &self.scaling {
            let columns = scaling.means().iter().zip(scaling.deviations());
            for (slope, (mean, deviation)) in slopes.iter_mut().zip(columns) {
                *slope /= deviation;
                intercept -= *slope * mean;
            }
        }
        let found = std::iter::once(intercept).chain(slopes);
        let errors = found.zip(certified).map(|(b, certified)| ((b - certified) / certified).abs());
        // A NaN stays, so that it is not taken for a coefficient without error.
        let worst =
            errors.fold(
                f64::EPSILON,
                |most, error| {
                    if most.is_nan() || error <= most { most } else { error }
                },
            );
        -worst.log10()
    }
}

/// θ after exactly one iteration of [`Newton`], under argmin's Executor.
fn newton_step(risk: &Risk<'_>, theta: &[f64]) -> Result<Vec<f64>, Box<dyn Error>> {
    let one = Stopping { max_iterations: 1, gradient_tolerance: 0.0, ..Stopping::default() };
    let run = Executor::new(risk, Newton::default().with_stopping(one))
        .configure(|state: FitState| state.param(theta.to_vec()))
        .run()?;
    Ok(run.state.theta().to_vec())
}

/// argmin ‖[X 1]θ − y‖ by Householder QR.
fn qr_solution(data: &Dataset) -> Vec<f64> {
    let (d, n) = (data.features(), data.samples());
    let x = data.inputs_mat();
    let design = Mat::from_fn(n, d + 1, |i, j| if j < d { x[(j, i)] } else { 1.0 });
    let y = data.targets().values().unwrap_or_default();
    let theta = design.qr().solve_lstsq(Mat::from_fn(n, 1, |i, _| y[i]));
    (0..=d).map(|j| theta[(j, 0)]).collect()
}

fn relative_distance(a: &[f64], b: &[f64]) -> f64 {
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    square(&mut a.iter().zip(b).map(|(a, b)| a - b)) / square(&mut b.iter().copied())
}

/// How the methods without the Hessian come down to the loss that one Newton step reaches.
struct Race {
    table: String,
    /// Condition number of the Hessian.
    condition: f64,
    runners: Vec<Runner>,
}

struct Runner {
    method: &'static str,
    /// `None` where the patience ended first.
    iterations: Option<u64>,
    /// (iteration, J − J*) relative to J*.
    curve: Vec<(f64, f64)>,
}

impl Race {
    fn run(table: &Table) -> Result<Self, Box<dyn Error>> {
        let risk = table.risk()?;
        let n = risk.dim();
        let start = vec![0.0; n];
        let least = risk.value(&qr_solution(&table.data));
        let mut hessian = Mat::zeros(n, n);
        risk.linearize(&start).hessian(hessian.as_mut());
        let eigenvalues = hessian.self_adjoint_eigenvalues(faer::Side::Lower);
        let eigenvalues = eigenvalues.map_err(|_| "the eigenvalues did not converge")?;
        let (least_eigenvalue, largest) = (eigenvalues[0], eigenvalues[n - 1]);
        // Best fixed rates for a quadratic: Polyak (1964) for momentum, Nesterov (2004) §2.2.1 for Nesterov's.
        let (slow, fast) = (least_eigenvalue.sqrt(), largest.sqrt());
        let heavy_ball = Momentum::default()
            .with_rate((2.0 / (fast + slow)).powi(2))
            .with_momentum(((fast - slow) / (fast + slow)).powi(2));
        let nesterov = Nesterov::default()
            .with_rate(1.0 / largest)
            .with_momentum((fast - slow) / (fast + slow));
        let adam = |rate| ("Adam, best of 3 rates", Adam::default().with_rate(rate).into());
        let mut entries: Vec<(&'static str, Method)> = vec![
            ("Newton", Newton::default().into()),
            ("BFGS", Bfgs::default().into()),
            ("L-BFGS", Lbfgs::default().into()),
            ("momentum", heavy_ball.into()),
            ("Nesterov", nesterov.into()),
            ("gradient descent", GradientDescent::fixed(2.0 / (least_eigenvalue + largest)).into()),
        ];
        entries.extend(ADAM_RATES.map(adam));
        let mut runners: Vec<Runner> = Vec::new();
        for (name, method) in entries {
            let runner = Runner::run(name, method, &risk, &start, least)?;
            match runners.iter_mut().find(|other| other.method == name) {
                None => runners.push(runner),
                Some(other) if runner.rank() < other.rank() => *other = runner,
                Some(_) => {}
            }
        }
        let table = table.name.trim_end_matches(", standardised").to_string();
        Ok(Self { table, condition: largest / least_eigenvalue, runners })
    }
}

impl Runner {
    fn run(
        method: &'static str,
        solver: Method,
        risk: &Risk<'_>,
        start: &[f64],
        least: f64,
    ) -> Result<Self, Box<dyn Error>> {
        let stopping = Stopping {
            gradient_tolerance: 0.0,
            target: Some(least * (1.0 + GAP)),
            max_iterations: PATIENCE,
            ..Stopping::default()
        };
        let solution = solver.with_stopping(stopping).minimize(risk, start)?;
        let report = solution.report;
        let arrived = report.value <= least * (1.0 + GAP);
        // The rounding floor of a loss lies at about ε; the picture shows it there.
        let gap = |value: f64| ((value - least) / least).max(f64::EPSILON);
        let mut curve = vec![(0.0, gap(report.initial_value))];
        curve.extend(report.trace.iter().map(|at| (at.iteration as f64, gap(at.value))));
        Ok(Self { method, iterations: arrived.then_some(report.iterations), curve })
    }

    /// Fewer iterations first, those that do not arrive last.
    fn rank(&self) -> u64 {
        self.iterations.unwrap_or(u64::MAX)
    }
}

/// The terminal: tables for people, or one JSON object per line.
struct Say {
    json: bool,
}

impl Say {
    fn heading(&mut self, text: &str) {
        if !self.json {
            println!("{text}\n");
        }
    }

    fn note(&mut self, text: &str) {
        if self.json {
            eprintln!("{text}");
        } else {
            println!("{text}");
        }
    }

    /// The step of the smallest table, written out.
    fn normal_equations(&mut self, table: &Table) -> Result<(), Box<dyn Error>> {
        if self.json {
            return Ok(());
        }
        let risk = table.risk()?;
        let at = risk.linearize(&[0.0, 0.0]);
        let mut h = Mat::zeros(2, 2);
        at.hessian(h.as_mut());
        let g = at.gradient();
        let theta = newton_step(&risk, &[0.0, 0.0])?;
        println!(
            "The step H·p = −∇J is the normal equations (XᵀX/N)·θ = Xᵀy/N. {}, from θ = 0:",
            table.name
        );
        for row in 0..2 {
            println!(
                "  [{:>16.6} {:>16.6}] [{:>18.14}] = {:>18.8}",
                h[(row, 0)],
                h[(row, 1)],
                theta[row],
                -g[row],
            );
        }
        println!();
        Ok(())
    }

    fn step_header(&mut self) {
        if !self.json {
            println!(
                "{:<26} {:<14} {:>20} {:>20} {:>16}",
                "table", "start", "distance to QR", "a second step moves", "certified digits"
            );
        }
    }

    fn step(&mut self, step: &Step) {
        let Step { table, start, distance, second, digits } = step;
        if self.json {
            let line = serde_json::json!({
                "table": table, "start": start, "relative_distance": distance,
                "second_step_change": second, "certified_digits": digits,
            });
            println!("{line}");
        } else {
            let digits = digits.map_or("–".into(), |digits| format!("{digits:.1}"));
            println!("{table:<26} {start:<14} {distance:>20.1e} {second:>20.1e} {digits:>16}");
        }
    }

    fn races(&mut self, races: &[Race]) {
        if self.json {
            return;
        }
        println!("\nIterations from θ = 0 until J ≤ (1 + {GAP:.0e})·J*, standardised columns");
        print!("{:<22}", "");
        for race in races {
            print!(" {:>12}", race.table);
        }
        print!("\n{:<22}", "condition of H");
        for race in races {
            print!(" {:>12.1e}", race.condition);
        }
        println!();
        for (index, runner) in races[0].runners.iter().enumerate() {
            print!("{:<22}", runner.method);
            for race in races {
                let iterations = race.runners[index].iterations;
                let text = iterations.map_or(format!("> {PATIENCE}"), |count| count.to_string());
                print!(" {text:>12}");
            }
            println!();
        }
        println!();
    }
}

/// Loss gap against iterations, both axes logarithmic: one panel for every table.
fn picture(races: &[Race]) -> Panels {
    let panel = |race: &Race| {
        let title = format!("{} (condition {:.1e})", race.table, race.condition);
        let gaps = race.runners.iter().flat_map(|runner| &runner.curve);
        let highest = gaps.fold(1.0_f64, |most, point| most.max(point.1)).min(HIGHEST_GAP);
        let y = Axis::log("(J − J*)/J*").within(0.3 * f64::EPSILON, 3.0 * highest);
        race.runners.iter().fold(
            Figure::new(title, Axis::log("iteration + 1"), y),
            |figure, runner| {
                figure.run(runner.method, runner.curve.iter().map(|(at, gap)| (at + 1.0, *gap)))
            },
        )
    };
    let title = format!("Until J ≤ (1 + {GAP:.0e})·J* on linear regression").replace('-', "−");
    Panels::new(title, 3, races.iter().map(panel))
}
