//! Which method reaches which accuracy, at what cost? All of them on the same problems, from the same start.
//!
//! - `concrete_linear`: ridge regression on the concrete table, 9 parameters: a quadratic;
//! - `concrete_net`: an 8-16-1 tanh network on the same, squared error, 161 parameters: not convex;
//! - `digits_softmax`: softmax regression on the digits, 650 parameters: convex, no residuals;
//! - `concrete_map`: strength on cement alone, two parameters, for the map of the paths.
//!
//! Inputs are standardised (but for the map). A first-order method has the best of nine rates, by the value after a short run; its name
//! says which. Every run ends when the gradient is gone, or its time is up. A table on the terminal; pictures of the gap against iterations,
//! gradient-equivalents and seconds, and the numbers as CSV, in the folder.
//!
//! `cargo run --release --example compare [-- --json] [--out DIR] [--seconds S]`

#[macro_use]
#[path = "../support/mod.rs"]
mod support;
mod methods;

use methods::Methods;
use secant::compare::{Comparison, Row};
use secant::{
    Activation, Dataset, Network, Newton, NoPenalty, Objective, Ridge, Risk, SoftmaxCrossEntropy,
    SquaredError, Standardizer, Stopping,
};
use std::error::Error;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;
use support::{About, Args, JSON, OUT};

const ABOUT: About = About {
    name: "compare",
    answers: "Which method reaches which accuracy, at what cost? All of them on four problems, from the same start.",
    takes: &[],
    options: &[JSON, OUT, ("--seconds", "S", "most time of a run; default 4")],
    output: "tables; pictures of the gap against iterations, gradients and seconds, a map of paths, the numbers as CSV",
    data: "",
};

/// ‖∇f‖ at the end, of that at the start: a gap of about its square, far below what is drawn.
const GRADIENT: f64 = 1e-11;
/// Most time of one run.
const SECONDS: f64 = 4.0;
/// Runs of the small problems, which take microseconds: the fastest counts.
const REPEATS: NonZeroU32 = NonZeroU32::new(3).unwrap();
const SEED: u64 = 7;
/// Steps of the map's methods.
const MAP_STEPS: u64 = 60;
/// Where the map begins: far from the minimum, across the valley. MPa per 100 kg/m³, and MPa.
const MAP_START: [f64; 2] = [-4.0, 60.0];

/// What the command line asks for.
struct Asked {
    json: bool,
    out: PathBuf,
    limit: Duration,
}

fn main() -> Result<(), Box<dyn Error>> {
    let asked = Asked::from_args()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let concrete = Dataset::from_csv(root.join("data/concrete.csv"), "target")?;
    let scaled = Standardizer::fit_inputs(&concrete).transform_inputs(&concrete)?;
    let digits = Dataset::from_csv_labels(root.join("data/digits.csv"), "target")?;
    let digits = Standardizer::fit_inputs(&digits).transform_inputs(&digits)?;

    let linear = Network::linear(8, 1);
    let risk = Risk::new(linear.graph()?, &scaled, SquaredError, Ridge(1e-3))?;
    let set = Methods::all(&risk, &[0.0; 9])?.compare(asked.stopping());
    let table = set.repeats(REPEATS).run(&risk, &[0.0; 9])?;
    asked.show(&table, "concrete_linear", "Ridge regression, concrete, n = 9")?;

    let net = Network::mlp([8, 16, 1], Activation::Tanh);
    let risk = Risk::new(net.graph()?, &scaled, SquaredError, Ridge(1e-4))?;
    let start = net.draw(SEED)?;
    let table = Methods::all(&risk, &start)?.compare(asked.stopping()).run(&risk, &start)?;
    asked.show(&table, "concrete_net", "8-16-1 tanh network, concrete, n = 161")?;

    let softmax = Network::linear(64, 10);
    let risk = Risk::new(softmax.graph()?, &digits, SoftmaxCrossEntropy, Ridge(1e-4))?;
    let start = vec![0.0; risk.dim()];
    let table = Methods::all(&risk, &start)?.compare(asked.stopping()).run(&risk, &start)?;
    asked.show(&table, "digits_softmax", "Softmax regression, digits, n = 650")?;

    asked.map(&concrete)
}

impl Asked {
    fn from_args() -> Result<Self, String> {
        let args = Args::read(&ABOUT);
        let limit = args.seconds("--seconds", SECONDS);
        Ok(Self { json: args.json(), out: args.out()?, limit })
    }

    /// No gradient left, or the time.
    fn stopping(&self) -> Stopping {
        Stopping {
            gradient_tolerance: GRADIENT,
            max_iterations: u64::MAX,
            max_time: Some(self.limit),
            ..Stopping::default()
        }
    }

    fn show(&self, table: &Comparison, name: &str, title: &str) -> Result<(), Box<dyn Error>> {
        let files = table.save(&self.out, name, title)?;
        if self.json {
            for row in &table.rows {
                println!("{}", json_line(name, table, row)?);
            }
        } else {
            println!("== {title}\n\n{table}\n");
            for file in files {
                println!("{}", file.display());
            }
            println!();
        }
        Ok(())
    }

    /// Strength ≈ θ₁·cement/100 + θ₂: the paths of gradient descent, momentum, L-BFGS and Newton over the contour lines.
    fn map(&self, concrete: &Dataset) -> Result<(), Box<dyn Error>> {
        // Cement in 100 kg/m³, the first of eight features.
        let cement: Vec<f64> = concrete.inputs().iter().step_by(8).map(|x| x / 100.0).collect();
        let strength = concrete.targets().values().ok_or("numeric targets")?;
        let data = Dataset::from_slices(1, &cement, 1, strength)?;
        let line = Network::linear(1, 1);
        let risk = Risk::new(line.graph()?, &data, SquaredError, NoPenalty)?;
        let stopping = Stopping { max_iterations: MAP_STEPS, ..Stopping::default() };
        let table = Methods::of_map(&risk, &MAP_START)?
            .compare(stopping)
            .method("Newton", Newton::default())
            .keep_iterates()
            .repeats(REPEATS)
            .run(&risk, &MAP_START)?;
        let title = format!("strength ≈ θ₁·cement + θ₂: {MAP_STEPS} steps at most");
        let map = table.map(title, |theta| risk.value(theta), None)?;
        for extension in ["svg", "png"] {
            map.save(self.out.join(format!("concrete_map.{extension}")))?;
        }
        self.show(&table, "concrete_map", "Strength on cement, concrete, n = 2")
    }
}

/// The row with the problem's name, and what its gaps are to.
fn json_line(problem: &str, table: &Comparison, row: &Row) -> Result<String, serde_json::Error> {
    let mut line = serde_json::json!({
        "problem": problem,
        "parameters": table.parameters,
        "initial_value": table.initial_value,
        "best_value": table.best_value,
    });
    if let (Some(line), serde_json::Value::Object(fields)) =
        (line.as_object_mut(), serde_json::to_value(row)?)
    {
        line.extend(fields);
    }
    serde_json::to_string(&line)
}
