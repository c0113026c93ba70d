//! The nonlinear regression problems of the collection: two starts, certified parameters, data. The model itself is a formula
//! in the file's text, which the caller writes as code.

use std::path::Path;

use super::super::DataError;
use super::super::source::Source;
use super::MAX_NIST_BYTES;
use super::lines::{Fields, Lines};
use crate::text::quoted_bytes;

/// A problem and its certified solution.
///
/// ```
/// use secant_core::data::NistNonlinear;
/// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
/// let misra = NistNonlinear::read(format!("{root}data/nist/Misra1a.dat"))?;
/// assert_eq!((misra.predictors, misra.samples(), misra.parameters.len()), (1, 14, 2));
/// assert_eq!(misra.starts, [vec![500.0, 0.0001], vec![250.0, 0.0005]]);
/// assert_eq!(misra.parameters[0], 238.94212918);
/// # Ok::<(), secant_core::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct NistNonlinear {
    /// Name of the data set.
    pub name: String,
    /// p, the predictors in the file.
    pub predictors: usize,
    /// The predictors, p × N column-major.
    pub x: Vec<f64>,
    /// The N responses, as they stand in the file.
    pub y: Vec<f64>,
    /// The two starts, the far one first.
    pub starts: [Vec<f64>; 2],
    /// Certified estimates.
    pub parameters: Vec<f64>,
    /// Certified standard deviations of the estimates.
    pub deviations: Vec<f64>,
    /// Certified residual sum of squares.
    pub residual_sum_of_squares: f64,
}

impl NistNonlinear {
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
        let rows = parameter_rows(&file)?;
        file.expect_count("parameters", count, rows.len())?;
        let column = |index: usize, what: &str| -> Result<Vec<f64>, DataError> {
            rows.iter().map(|row| row.number(path, index, what)).collect()
        };
        let squares = file.row("Residual Sum of Squares:", 1)?;
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for row in file.data(predictors + 1)? {
            y.push(row.number(path, 0, "y")?);
            for predictor in 1..=predictors {
                x.push(row.number(path, predictor, "x")?);
            }
        }
        file.expect_count("observations", observations, y.len())?;
        Ok(Self {
            name,
            predictors,
            x,
            y,
            starts: [column(2, "Start 1")?, column(3, "Start 2")?],
            parameters: column(4, "Parameter")?,
            deviations: column(5, "Standard Deviation")?,
            residual_sum_of_squares: squares.number(path, 0, "Residual Sum of Squares")?,
        })
    }

    /// N, the number of observations.
    pub fn samples(&self) -> usize {
        self.y.len()
    }
}

/// The lines `b1 = start start estimate deviation`, `b2 = …`, whose indices count up from 1.
fn parameter_rows<'a>(file: &Lines<'a>) -> Result<Vec<Fields<'a>>, DataError> {
    let mut rows: Vec<Fields<'a>> = Vec::new();
    for row in file.fields() {
        let &[name, "=", _, _, _, _] = row.fields.as_slice() else {
            continue;
        };
        let Some(index) = name.strip_prefix('b').and_then(|index| index.parse::<usize>().ok())
        else {
            continue;
        };
        if index != rows.len() + 1 {
            let expected = format!("parameter b{}", rows.len() + 1);
            let found = quoted_bytes(name.as_bytes());
            return Err(file.malformed(&format!("line {}", row.line), expected, found));
        }
        rows.push(row);
    }
    if rows.is_empty() {
        return Err(file.missing("b1 ="));
    }
    Ok(rows)
}
