//! The command line.

use crate::failure::Failure;
use crate::lists;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use secant::{Method, Stopping};
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  secant fit concrete.csv --target strength
  secant fit concrete.csv --target strength --model mlp:32 --ridge auto --out concrete.safetensors --report fit.html
  secant predict concrete.safetensors new.csv
  secant curve decay.csv --formula 'a*exp(-b*t) + c' --target y
  secant describe concrete.csv

Exit status: 0 done and converged, 2 command line or data refused, 3 stopped at a limit (the model is written),
4 failed numerically, 130 interrupted (checkpoint and best model are written).";

/// Fits models to tables: full batch, exact curvature, to many digits, without a learning rate.
#[derive(Debug, Parser)]
#[command(name = "secant", version, propagate_version = true, after_help = EXAMPLES, after_long_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub output: Output,
}

/// What is printed, and how.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// One JSON object on standard output in place of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress and no text but results.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Colours.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Threads; the bits of results do not depend on them [default: one per core].
    #[arg(long, global = true, value_name = "COUNT")]
    pub threads: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    Always,
    Never,
}

impl Output {
    /// Sets how many threads work.
    pub fn threads(&self) -> Result<(), Failure> {
        let Some(count) = self.threads else { return Ok(()) };
        if count == 0 {
            return Err(Failure::new("--threads 0: expected 1 or more"));
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build_global();
        pool.map_err(|error| Failure::new(format!("--threads {count}: {error}")))
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Fits a model to a table.
    #[command(after_help = FIT)]
    Fit(Box<FitArgs>),
    /// Applies a saved model to a table: the table with the predictions appended.
    #[command(after_help = PREDICT)]
    Predict(PredictArgs),
    /// Fits a formula, with errors of its parameters; with --by to every group of a table.
    #[command(after_help = CURVE)]
    Curve(Box<CurveArgs>),
    /// Runs several methods on one problem, side by side.
    #[command(after_help = COMPARE)]
    Compare(CompareArgs),
    /// Checks the derivatives of a model on a table against differences.
    #[command(after_help = CHECK)]
    Check(CheckArgs),
    /// Says what a table, a model file or the description of a graph holds.
    #[command(after_help = DESCRIBE)]
    Describe(DescribeArgs),
    /// Newton's method on linear regression: one step, held against QR.
    #[command(after_help = ONE_STEP)]
    OneStep(OneStepArgs),
    /// Writes what a shell needs to complete command lines.
    Completions(CompletionArgs),
    /// Writes the man pages.
    Man(ManArgs),
}

const FIT: &str = "\
Examples:
  secant fit data.csv --target strength
  secant fit data.csv --target strength --model mlp:32,32:tanh --starts 8 --out model.safetensors
  secant fit data.csv --target deaths --model glm:poisson --exposure years
  secant fit data.csv --target species --ridge auto --report fit.html
  secant fit data.csv.gz --target y --delimiter ';' --decimal , --missing drop --ignore 'id,date*'

Models:
  linear                 a linear score; for classes logistic or softmax regression (the default)
  mlp:32,32:tanh         dense layers with an activation between them (tanh, sigmoid, softplus, silu, gelu, relu, sine)
  formula:'a*exp(-b*x)'  a formula of columns and parameters; `secant curve` says more of it
  file:model.toml        the description of a graph
  glm:poisson            gaussian, poisson, logistic, gamma, inverse-gaussian, negative-binomial[:ALPHA], tweedie[:POWER], softmax";
const PREDICT: &str = "\
Examples:
  secant predict model.safetensors new.csv > predicted.csv
  secant predict model.safetensors new.csv --out predicted.csv --interval 0.95
  cat new.csv | secant predict model.safetensors -";
const CURVE: &str = "\
Examples:
  secant curve decay.csv --formula 'a*exp(-b*t) + c' --target y
  secant curve decay.csv --formula 'a*exp(-b*t)' --target y --start a=4,b=0.5 --bounds b=0.. --sigma s --plot decay.svg
  secant curve runs.csv --formula 'a*exp(-b*t)' --target y --by run --out fits.csv
  secant curve runs.csv --formula 'a*exp(-b*t)' --target y --groups run --own a";
const COMPARE: &str = "\
Examples:
  secant compare data.csv --target strength --model mlp:16
  secant compare data.csv --target strength --methods newton,lbfgs,adam --report methods.html";
const CHECK: &str = "\
Examples:
  secant check data.csv --target strength --model mlp:16
  secant check data.csv --target y --model file:net.toml";
const DESCRIBE: &str = "\
Examples:
  secant describe data.csv
  secant describe model.safetensors
  secant describe net.toml";
const ONE_STEP: &str = "\
Examples:
  secant one-step data.csv --target strength";

/// How a table is read.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Table")]
pub struct TableArgs {
    /// Between two fields: a character, `tab` or `space` [default: found out].
    #[arg(long, value_name = "SIGN", value_parser = lists::sign)]
    pub delimiter: Option<u8>,
    /// The first line is data, not names.
    #[arg(long, conflicts_with = "header")]
    pub no_header: bool,
    /// The first line is names, also where all of them are numbers.
    #[arg(long)]
    pub header: bool,
    /// Lines that begin with this are left out [default: # where the file begins with it].
    #[arg(long, value_name = "SIGN", value_parser = lists::sign)]
    pub comment: Option<u8>,
    /// Before the fraction of a number.
    #[arg(long, value_name = "SIGN", default_value = ".")]
    pub decimal: char,
    /// Between groups of three digits.
    #[arg(long, value_name = "SIGN")]
    pub thousands: Option<char>,
    /// What becomes of missing values.
    #[arg(long, value_name = "HOW", default_value = "refuse")]
    pub missing: MissingArg,
    /// Texts that stand for a missing value, beside NA, ?, the empty field and their kin.
    #[arg(long, value_name = "TEXT", action = ArgAction::Append, allow_hyphen_values = true)]
    pub missing_value: Vec<String>,
    /// Columns of texts, also where these are numbers: one input for each level.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub categorical: Vec<String>,
    /// Kind of file [default: found out].
    #[arg(long, value_name = "KIND")]
    pub format: Option<FormatArg>,
    /// Memory that reading may take, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 16_384)]
    pub max_memory: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MissingArg {
    /// They are an error with their count and lines.
    Refuse,
    /// Rows with one are left out.
    Drop,
    /// A number becomes the mean of its column, a text its most frequent one.
    Mean,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    Csv,
    Npy,
    Npz,
    Libsvm,
    Idx,
    Parquet,
}

/// What the columns are for. Columns are named as they are or by patterns with `*` and `?`, apart by commas.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Columns (names or patterns with * and ?, apart by commas)")]
pub struct ColumnArgs {
    /// What is to be predicted: columns of numbers, or one of classes.
    #[arg(long, short, value_name = "COLUMNS", value_delimiter = ',', required = true)]
    pub target: Vec<String>,
    /// The target holds classes, though they are numbers.
    #[arg(long, conflicts_with = "numbers")]
    pub classes: bool,
    /// The target holds numbers; texts are then an error.
    #[arg(long)]
    pub numbers: bool,
    /// The features [default: all other columns].
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub features: Vec<String>,
    /// Columns that are left out.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub ignore: Vec<String>,
    /// The weights of the rows.
    #[arg(long, value_name = "COLUMN")]
    pub weights: Option<String>,
    /// What is added to the output of each row.
    #[arg(long, value_name = "COLUMN")]
    pub offset: Option<String>,
}

/// The model and what is minimised.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Model")]
pub struct ModelArgs {
    /// linear, mlp:32,32:tanh, formula:TEXT, file:PATH, glm:FAMILY.
    #[arg(long, short, value_name = "MODEL", default_value = "linear")]
    pub model: String,
    /// squared, huber, soft-l1, cauchy, tukey, absolute, quantile:LEVEL:WIDTH, poisson, gamma, logistic, softmax, hinge
    /// [default: squared for numbers, logistic or softmax for classes].
    #[arg(long, value_name = "LOSS")]
    pub loss: Option<String>,
    /// λ of λ/2·‖w‖² beside the mean loss, or `auto`: by five-fold cross-validation.
    #[arg(long, value_name = "LAMBDA", allow_negative_numbers = true)]
    pub ridge: Option<String>,
    /// λ of λ·‖w‖₁ beside the mean loss: weights that do not help become 0.
    #[arg(long, value_name = "LAMBDA", value_parser = lists::strength, allow_negative_numbers = true)]
    pub l1: Option<f64>,
    /// Leave the units of the features, or of the targets too, as they are.
    #[arg(long, value_name = "WHAT", default_value = "auto")]
    pub standardize: StandardizeArg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StandardizeArg {
    /// The features, and the targets of a network fitted by squared error.
    Auto,
    Inputs,
    Both,
    Nothing,
}

/// Formulas and generalised linear models.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Formulas")]
pub struct FormulaArgs {
    /// Where parameters start: a=1,b=0.1 [default: looked for].
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',', value_parser = lists::assignment)]
    pub start: Vec<(String, f64)>,
    /// Ranges of parameters, of a linear model of coefficients: b=0..,c=-1..1. `y: b=0..` is that of one of several outputs.
    #[arg(long, value_name = "NAME=LOW..HIGH", value_delimiter = ',', value_parser = lists::range, allow_hyphen_values = true)]
    pub bounds: Vec<lists::Range>,
    /// Parameters held at a value: c=0.
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',', value_parser = lists::assignment)]
    pub fix: Vec<(String, f64)>,
    /// Parameters that follow from others: d=2*a.
    #[arg(long, value_name = "NAME=FORMULA", action = ArgAction::Append, value_parser = lists::pair)]
    pub tie: Vec<(String, String)>,
    /// The standard deviation of each row's target.
    #[arg(long, value_name = "COLUMN")]
    pub sigma: Option<String>,
    /// The deviations are what they say, not only their ratios.
    #[arg(long, requires = "sigma")]
    pub absolute_sigma: bool,
}

/// When a run ends.
#[derive(Clone, Copy, Debug, Default, Args)]
#[command(next_help_heading = "Fit")]
pub struct LimitArgs {
    /// Most time: 60s, 5m.
    #[arg(long, value_name = "TIME", value_parser = lists::duration)]
    pub max_time: Option<Duration>,
    /// Most iterations.
    #[arg(long, value_name = "COUNT")]
    pub max_iterations: Option<u64>,
    /// Part to which the gradient must fall.
    #[arg(long, value_name = "PART", value_parser = lists::level)]
    pub tolerance: Option<f64>,
}

impl LimitArgs {
    /// Whether one is given.
    pub fn any(self) -> bool {
        self.max_time.is_some() || self.max_iterations.is_some() || self.tolerance.is_some()
    }

    /// Puts those that are given in the place of the method's own.
    pub fn set(self, stopping: &mut Stopping) {
        if let Some(tolerance) = self.tolerance {
            stopping.gradient_tolerance = tolerance;
        }
        if let Some(time) = self.max_time {
            stopping.max_time = Some(time);
        }
        if let Some(iterations) = self.max_iterations {
            stopping.max_iterations = iterations;
        }
    }

    /// The method with these limits.
    pub fn on(self, mut method: Method) -> Method {
        self.set(method.stopping_mut());
        method
    }
}

/// How the minimum is looked for.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Fit")]
pub struct RunArgs {
    /// The method; `secant compare` runs several [default: auto, chosen for the problem].
    #[arg(long, value_name = "NAME")]
    pub method: Option<String>,
    /// Starts drawn from as many seeds; the best end counts.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub starts: u16,
    /// Of the start, and of the rows held out.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub seed: u64,
    /// Part of the rows that is held out, or a file with such rows; 0: none [default: 0.2; none for formulas and glm].
    #[arg(long, value_name = "PART|FILE", allow_negative_numbers = true)]
    pub valid: Option<String>,
    /// Ends after so many iterations without a lower loss on the rows held out.
    #[arg(long, value_name = "COUNT")]
    pub patience: Option<u64>,
    #[command(flatten)]
    pub limits: LimitArgs,
}

#[derive(Debug, Args)]
pub struct FitArgs {
    /// The table; - is standard input.
    pub data: PathBuf,
    #[command(flatten)]
    pub columns: ColumnArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub formula: FormulaArgs,
    /// The link of a glm: log, logit, probit, cloglog, identity, inverse, inverse-square, sqrt.
    #[arg(long, value_name = "LINK", help_heading = "Generalised linear models")]
    pub link: Option<String>,
    /// The exposure of each row, with a log link.
    #[arg(long, value_name = "COLUMN", help_heading = "Generalised linear models")]
    pub exposure: Option<String>,
    #[command(flatten)]
    pub run: RunArgs,
    /// Writes the model here.
    #[arg(long, short, value_name = "FILE", help_heading = "Files")]
    pub out: Option<PathBuf>,
    /// Writes a report with pictures here, one HTML file.
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub report: Option<PathBuf>,
    /// Writes all that the fit needs to go on here, at the end and now and then.
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub checkpoint: Option<PathBuf>,
    /// How often.
    #[arg(long, value_name = "TIME", value_parser = lists::duration, default_value = "30s", requires = "checkpoint", help_heading = "Files")]
    pub every: Duration,
    /// Goes on from this checkpoint, to the same bits as if it had never stopped.
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub resume: Option<PathBuf>,
    #[command(flatten)]
    pub table: TableArgs,
}

#[derive(Debug, Args)]
pub struct PredictArgs {
    /// The model, as `secant fit --out` or the library wrote it.
    pub model: PathBuf,
    /// The table; - is standard input. Columns are found by name.
    pub data: PathBuf,
    /// Writes the table here [default: standard output].
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Only the new columns.
    #[arg(long)]
    pub only: bool,
    /// Intervals that hold a new observation with this probability.
    #[arg(long, value_name = "LEVEL", value_parser = lists::level)]
    pub interval: Option<f64>,
    /// For --interval: the table that the model was fitted to, read by the same options, where its file keeps no errors.
    #[arg(long, value_name = "FILE", requires = "interval")]
    pub training: Option<PathBuf>,
    /// The offset of each row [default: the column of the fit, where the table has it].
    #[arg(long, value_name = "COLUMN")]
    pub offset: Option<String>,
    /// The exposure of each row, of a model with a log link.
    #[arg(long, value_name = "COLUMN", conflicts_with = "offset")]
    pub exposure: Option<String>,
    #[command(flatten)]
    pub table: TableArgs,
}

#[derive(Debug, Args)]
pub struct CurveArgs {
    /// The table; - is standard input.
    pub data: PathBuf,
    /// The formula: names of columns are inputs, the others parameters. Again for each further target.
    #[arg(long, short, value_name = "TEXT", required = true, action = ArgAction::Append, allow_hyphen_values = true)]
    pub formula: Vec<String>,
    /// What the formula is to equal.
    #[arg(long, short, value_name = "COLUMNS", value_delimiter = ',', required = true)]
    pub target: Vec<String>,
    #[command(flatten)]
    pub parameters: FormulaArgs,
    /// ρ in place of the square, for outliers: huber, soft-l1, cauchy, tukey.
    #[arg(long, value_name = "RHO")]
    pub robust: Option<String>,
    /// The weights of the rows.
    #[arg(long, value_name = "COLUMN")]
    pub weights: Option<String>,
    /// Of intervals.
    #[arg(long, value_name = "LEVEL", value_parser = lists::level, default_value_t = 0.95)]
    pub level: f64,
    /// A fit of its own for every value of this column.
    #[arg(long, value_name = "COLUMN", conflicts_with_all = ["report", "plot"])]
    pub by: Option<String>,
    /// One fit to all groups that this column tells apart, with the parameters of --own for each group and the others shared.
    #[arg(long, value_name = "COLUMN", conflicts_with_all = ["by", "report"])]
    pub groups: Option<String>,
    /// With --groups: the parameters that each group has for itself.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "groups")]
    pub own: Vec<String>,
    #[command(flatten)]
    pub run: CurveRunArgs,
    /// Writes the model here; with --by the table of all fits, with --groups that of the parameters, as CSV.
    #[arg(long, short, value_name = "FILE", help_heading = "Files")]
    pub out: Option<PathBuf>,
    /// Writes a report with pictures here, one HTML file.
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub report: Option<PathBuf>,
    /// Draws data, curve, band and residuals here, as .svg or .png.
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub plot: Option<PathBuf>,
    #[command(flatten)]
    pub table: TableArgs,
}

/// How the minimum of a curve is looked for.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Fit")]
pub struct CurveRunArgs {
    /// Of starts that are looked for.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub seed: u64,
    #[command(flatten)]
    pub limits: LimitArgs,
}

#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The table; - is standard input.
    pub data: PathBuf,
    #[command(flatten)]
    pub columns: ColumnArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    /// Methods by name, apart by commas [default: those that suit the size of the problem].
    #[arg(long, value_name = "NAMES", value_delimiter = ',', help_heading = "Fit")]
    pub methods: Vec<String>,
    /// Of the start.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, help_heading = "Fit")]
    pub seed: u64,
    #[command(flatten)]
    pub limits: LimitArgs,
    /// Writes table and pictures here, one HTML file.
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub report: Option<PathBuf>,
    /// Writes the table here, as CSV.
    #[arg(long, short, value_name = "FILE", help_heading = "Files")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub table: TableArgs,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The table; - is standard input.
    pub data: PathBuf,
    #[command(flatten)]
    pub columns: ColumnArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    /// Of the point, and of the directions.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, help_heading = "Fit")]
    pub seed: u64,
    #[command(flatten)]
    pub table: TableArgs,
}

#[derive(Debug, Args)]
pub struct DescribeArgs {
    /// A table, a model file, or a description (.toml, .json); - is a table on standard input.
    pub file: PathBuf,
    #[command(flatten)]
    pub table: TableArgs,
}

#[derive(Debug, Args)]
pub struct OneStepArgs {
    /// The table; - is standard input.
    pub data: PathBuf,
    #[command(flatten)]
    pub columns: ColumnArgs,
    /// Of the random start.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, help_heading = "Fit")]
    pub seed: u64,
    #[command(flatten)]
    pub table: TableArgs,
}

#[derive(Debug, Args)]
pub struct CompletionArgs {
    /// The shell.
    pub shell: Shell,
}

#[derive(Debug, Args)]
pub struct ManArgs {
    /// Folder for one page for each command [default: the main page on standard output].
    pub folder: Option<PathBuf>,
}
