//! The regression problems of the NIST Statistical Reference Datasets, with their certified results.
//!
//! In the linear ones y = β₀ + Σⱼ βⱼ tⱼ(x) + e, where the terms tⱼ are the predictors themselves, or the powers x, x², … of one predictor.
//! β₀ is absent where the file's first parameter is B1. Source: <https://www.itl.nist.gov/div898/strd/>.

use std::path::Path;

use self::lines::Lines;
use super::source::Source;
use super::{DataError, Dataset, Targets};
use crate::double_double::DoubleDouble;
use crate::text::quoted_bytes;

mod lines;
mod nonlinear;

pub use nonlinear::NistNonlinear;

/// Bytes of a file at most, unpacked; the largest of the collection has a tenth of that.
const MAX_NIST_BYTES: u64 = 1 << 20;

/// One column of the model: a power of one predictor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// The predictor, from 0.
    pub predictor: usize,
    /// The power, from 1.
    pub power: u32,
}

/// A problem and its certified solution.
///
/// ```
/// use secant_core::data::NistLinear;
/// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
/// let longley = NistLinear::read(format!("{root}data/nist/Longley.dat"))?;
/// assert_eq!((longley.predictors, longley.terms.len(), longley.intercept), (6, 6, true));
/// assert_eq!(longley.parameters[0], -3482258.63459582);
/// assert_eq!(longley.dataset()?.samples(), 16);
/// # Ok::<(), secant_core::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct NistLinear {
    /// Name of the data set.
    pub name: String,
    /// p, the predictors in the file.
    pub predictors: usize,
    /// The predictors, p × N column-major.
    pub x: Vec<f64>,
    /// The N responses.
    pub y: Vec<f64>,
    /// What the decimals of the file are beyond `x` and `y`: the certified digits are those of the decimals.
    pub x_rest: Vec<f64>,
    /// The same of `y`.
    pub y_rest: Vec<f64>,
    /// Whether the model has a constant term β₀.
    pub intercept: bool,
    /// The d columns of the model beside the constant.
    pub terms: Vec<Term>,
    /// Certified estimates: β₀ where there is an intercept, then one per term.
    pub parameters: Vec<f64>,
    /// Certified standard deviations of the estimates.
    pub deviations: Vec<f64>,
    /// Certified residual sum of squares.
    pub residual_sum_of_squares: f64,
    /// Certified residual standard deviation.
    pub residual_deviation: f64,
    /// Residual degrees of freedom.
    pub residual_degrees: usize,
    /// Certified R².
    pub r_squared: f64,
}

impl NistLinear {
    /// Reads a file of the collection.
    ///
    /// # Errors
    /// A part of the file that is missing or malformed, by line; a number that is none; more or fewer observations or
    /// parameters than the file announces.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, DataError> {
        Self::parse(Source::open(path.as_ref(), MAX_NIST_BYTES, "")?)
    }

    /// The same of the bytes of such a file.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DataError> {
        Self::parse(Source::of(bytes, MAX_NIST_BYTES, "")?)
    }

    fn parse(mut source: Source<'_>) -> Result<Self, DataError> {
        let path = source.path;
        let bytes = source.read_all()?;
        let file = Lines::new(&bytes, path)?;
        let name =
            file.after("Dataset Name:")?.split_whitespace().next().unwrap_or_default().to_owned();
        let predictors = file.announced("Predictor")?;
        let observations = file.announced("Observations")?;
        let count = file.announced("Parameter")?;
        let estimates = file.estimates()?;
        file.expect_count("parameters", count, estimates.len())?;
        let intercept = estimates[0].index == 0;
        let slopes = count - usize::from(intercept);
        let terms = terms(predictors, slopes).ok_or_else(|| {
            let expected = "one term per predictor, or powers of one predictor".to_owned();
            file.malformed("model", expected, format!("{predictors} predictors, {slopes} terms"))
        })?;
        let residual = file.row("Residual", 3)?;
        let degrees = residual.fields[0].parse().map_err(|_| {
            let expected = "the residual degrees of freedom".to_owned();
            file.malformed(
                &format!("line {}", residual.line),
                expected,
                quoted_bytes(residual.fields[0].as_bytes()),
            )
        })?;
        let (mut x, mut y) = (Vec::new(), Vec::new());
        let (mut x_rest, mut y_rest) = (Vec::new(), Vec::new());
        for row in file.data(predictors + 1)? {
            y.push(row.number(path, 0, "y")?);
            y_rest.push(row.rest(0));
            for predictor in 1..=predictors {
                x_rest.push(row.rest(predictor));
                x.push(row.number(path, predictor, &predictor_name(predictors, predictor - 1))?);
            }
        }
        file.expect_count("observations", observations, y.len())?;
        Ok(Self {
            name,
            predictors,
            x,
            y,
            x_rest,
            y_rest,
            intercept,
            terms,
            parameters: estimates.iter().map(|estimate| estimate.value).collect(),
            deviations: estimates.iter().map(|estimate| estimate.deviation).collect(),
            residual_sum_of_squares: residual.number(path, 1, "Sums of Squares")?,
            residual_deviation: file.row("Standard Deviation", 1)?.number(
                path,
                0,
                "Standard Deviation",
            )?,
            residual_degrees: degrees,
            r_squared: file.row("R-Squared", 1)?.number(path, 0, "R-Squared")?,
        })
    }

    /// N, the number of observations.
    pub fn samples(&self) -> usize {
        self.y.len()
    }

    /// The terms as inputs, d × N, and the response as target. The constant term is the model's bias, not a column;
    /// use a model without bias where [`intercept`](Self::intercept) is false.
    ///
    /// # Errors
    /// None for a problem that [`read`](Self::read) gave and whose powers do not overflow.
    pub fn dataset(&self) -> Result<Dataset, DataError> {
        let column =
            |sample: usize| self.terms.iter().map(move |term| self.entry(sample, *term).high);
        let inputs: Vec<f64> = (0..self.samples()).flat_map(column).collect();
        let feature_names = self.terms.iter().map(|term| {
            let name = predictor_name(self.predictors, term.predictor);
            if term.power == 1 { name } else { format!("{name}^{}", term.power) }
        });
        let targets = Targets::Values { rows: 1, values: self.y.clone() };
        Dataset::named(
            self.terms.len(),
            inputs,
            targets,
            feature_names.collect(),
            vec!["y".to_owned()],
        )
    }
}

impl NistLinear {
    /// The columns of the model, N × n column-major, as the decimals of the file have them: rounded to `f64`, and what that left.
    /// The constant comes first where there is one.
    pub fn design(&self) -> (Vec<f64>, Vec<f64>) {
        let ones = self.intercept.then_some(DoubleDouble::from(1.0));
        let constant = ones.into_iter().flat_map(|one| (0..self.samples()).map(move |_| one));
        let columns = self
            .terms
            .iter()
            .flat_map(|term| (0..self.samples()).map(|sample| self.entry(sample, *term)));
        constant.chain(columns).map(|entry| (entry.high, entry.low)).unzip()
    }

    /// A term at a sample. Powers are taken of the decimal: the certified digits of the polynomial problems are lost to the
    /// rounding of plain powers before any solver has begun.
    fn entry(&self, sample: usize, term: Term) -> DoubleDouble {
        let at = sample * self.predictors + term.predictor;
        DoubleDouble { high: self.x[at], low: self.x_rest[at] }.powi(term.power)
    }
}

fn predictor_name(predictors: usize, index: usize) -> String {
    if predictors == 1 { "x".to_owned() } else { format!("x{}", index + 1) }
}

/// The columns of a model with `slopes` parameters beside the constant.
fn terms(predictors: usize, slopes: usize) -> Option<Vec<Term>> {
    if slopes == predictors {
        return Some((0..predictors).map(|predictor| Term { predictor, power: 1 }).collect());
    }
    let powers = (1..).take(slopes);
    (predictors == 1 && slopes > 0)
        .then(|| powers.map(|power| Term { predictor: 0, power }).collect())
}
