//! Linear least squares: min Σᵢ wᵢ(yᵢ − aᵢᵀβ)² + Σⱼ λⱼβⱼ², with the rank, the directions that the data do not determine, and digits that
//! are certain.
//!
//! A = [√W·X; √Λ], its columns scaled by powers of two, is factorised by Householder QR with column pivoting: 2mn² − ⅔n³ flops,
//! memory 2mn + 2n². Where a pivot is rounding the columns after it depend on those before it: the solution is then the one of
//! least ‖β‖₂, and each dependency is named.
//! The solution is refined with the same factors: residuals and gradient of the augmented system [I A; Aᵀ 0]·[r; β] = [b; 0] are
//! computed with twice the digits, the correction is solved for and added to r and β, which are kept with twice the digits too. Some
//! 40mn flops per refinement: one for [`Accuracy::Working`], as many as it takes for [`Accuracy::Certified`]. Each multiplies the error by about the condition of the scaled A times ε, so that the coefficients are right to the
//! last bit as long as that is below 1; the size of the last correction is reported.
//! Designs with many more rows than columns are read by blocks, and R alone is kept (`tall`); what is said above then holds of those that
//! are too ill conditioned for it.
//! Source: Golub (1965) for QR; Björck (1967), BIT 7, for the refinement; Demmel, Hida, Riedy & Li (2009), ACM TOMS 35, for the digits kept.

mod blocks;
mod design;
mod leave_one_out;
mod null;
mod refine;
mod tall;

use crate::linalg::qr::PivotedQr;
use crate::linalg::vector;
use crate::run::nonfinite;
use design::Design;
use faer::MatRef;
use refine::{MAX_REFINEMENTS, Outcome, Twofold};
use secant_core::double_double::DoubleDouble;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use leave_one_out::LeaveOneOut;
pub use null::NullDirection;

/// Name of the constant column.
const INTERCEPT: &str = "(intercept)";
/// Refinements of [`Accuracy::Working`]. Without one, large residuals cost digits by the square of the condition.
const WORKING_REFINEMENTS: u32 = 1;

/// How many digits are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accuracy {
    /// QR and one refinement: about 16 digits less those of the condition, whatever the residuals.
    #[default]
    Working,
    /// Refined until the coefficients no longer change: all digits, for conditions up to some 1e15.
    Certified,
}

/// What is wrong with the problem, with place and values.
#[derive(Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum LinearError {
    /// No observations or no columns.
    #[error("the design has {rows} rows and {columns} columns: nothing to fit")]
    Empty {
        /// m.
        rows: usize,
        /// n.
        columns: usize,
    },
    /// Something has another length than the design asks for.
    #[error("{what}: {found} entries, the design asks for {expected}")]
    Length {
        /// What.
        what: &'static str,
        /// As the design has it.
        expected: usize,
        /// As given.
        found: usize,
    },
    /// A number that is NaN or infinite.
    #[error("{what}, row {row}: {value}")]
    NotFinite {
        /// The column's name, or "targets".
        what: String,
        /// From 0.
        row: usize,
        /// Its value.
        value: f64,
    },
    /// A weight or a ridge that is negative, NaN or infinite.
    #[error("{what} {index} is {value}, allowed is [0, ∞)")]
    Negative {
        /// "weight" or "ridge".
        what: &'static str,
        /// From 0.
        index: usize,
        /// Its value.
        value: f64,
    },
}

impl std::fmt::Debug for LinearError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// A problem of linear least squares and its options.
///
/// ```
/// use secant_core::faer::mat;
/// use secant_optim::{Accuracy, LinearLeastSquares};
/// // y = 2 + 3x, seen at three points.
/// let design = mat![[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]];
/// let fit = LinearLeastSquares::new(design.as_ref(), &[2.0, 5.0, 8.0])
///     .with_names(["intercept", "x"])
///     .with_accuracy(Accuracy::Certified)
///     .solve()?;
/// assert_eq!(fit.coefficients, [2.0, 3.0]);
/// assert!(fit.is_certified() && fit.null_directions.is_empty());
/// # Ok::<(), secant_optim::LinearError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `solve`"]
pub struct LinearLeastSquares<'a> {
    design: Design<'a>,
    /// Whether a column of ones comes before those of the design.
    constant: bool,
    design_rest: Option<MatRef<'a, f64>>,
    targets: &'a [f64],
    targets_rest: Option<&'a [f64]>,
    weights: Option<&'a [f64]>,
    ridge: Vec<f64>,
    names: Vec<String>,
    accuracy: Accuracy,
}

/// The minimum, and what is to be known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LinearSolution {
    /// β, in the order of the columns.
    pub coefficients: Vec<f64>,
    /// y − Xβ, without weights.
    pub residuals: Vec<f64>,
    /// Σ wᵢ(yᵢ − aᵢᵀβ)².
    #[serde(with = "nonfinite")]
    pub residual_sum_of_squares: f64,
    /// Standard errors of β under independent errors of variance σ²/wᵢ, with σ² from the residuals. None with a ridge, with
    /// dependent columns, or without degrees of freedom.
    pub standard_errors: Option<Vec<f64>>,
    /// Columns that are independent to working precision.
    pub rank: usize,
    /// The largest pivot of the scaled columns over the least that counts: a lower bound of their condition, as a rule within a
    /// factor of √n.
    #[serde(with = "nonfinite")]
    pub condition: f64,
    /// What the data do not determine: β plus any multiple of these fits as well. Empty at full rank.
    pub null_directions: Vec<NullDirection>,
    /// Refinements made; 1 for [`Accuracy::Working`].
    pub refinements: u32,
    /// The largest relative change of a coefficient in the last refinement: an estimate of the relative error of all, as far as
    /// the refinement converges.
    #[serde(with = "nonfinite")]
    pub last_correction: f64,
    certified: bool,
}

impl LinearSolution {
    /// Whether the refinement converged: the coefficients are those of the data as given, to the last bit or the one before it.
    /// Not where columns depend on others: the least of all solutions is found in working precision.
    pub fn is_certified(&self) -> bool {
        self.certified
    }
}

impl<'a> LinearLeastSquares<'a> {
    /// `design` m × n, one row per observation; `targets` of length m. Columns are named `column 0`, ….
    pub fn new(design: MatRef<'a, f64>, targets: &'a [f64]) -> Self {
        Self::of(Design::Double(design), targets)
    }

    /// The same of a design in single precision, with the bits of one that was widened before. It is read a block of rows at a time: where rows
    /// are many no widened copy is made.
    pub fn new_f32(design: MatRef<'a, f32>, targets: &'a [f64]) -> Self {
        Self::of(Design::Single(design), targets)
    }

    fn of(design: Design<'a>, targets: &'a [f64]) -> Self {
        let n = design.ncols();
        Self {
            design,
            constant: false,
            design_rest: None,
            targets,
            targets_rest: None,
            weights: None,
            ridge: vec![0.0; n],
            names: (0..n).map(|j| format!("column {j}")).collect(),
            accuracy: Accuracy::default(),
        }
    }

    /// A column of ones before those of the design, which is not copied for it: β₀, named `(intercept)`, without ridge. Names and ridges that
    /// are given have one entry more then, and come after this call.
    ///
    /// ```
    /// use secant_core::faer::mat;
    /// use secant_optim::LinearLeastSquares;
    /// let x = mat![[0.0], [1.0], [2.0]];
    /// let fit = LinearLeastSquares::new(x.as_ref(), &[2.0, 5.0, 8.0]).with_constant().solve()?;
    /// assert!((fit.coefficients[0] - 2.0).abs() < 1e-14 && (fit.coefficients[1] - 3.0).abs() < 1e-14);
    /// # Ok::<(), secant_optim::LinearError>(())
    /// ```
    pub fn with_constant(mut self) -> Self {
        if !self.constant {
            self.constant = true;
            self.names.insert(0, INTERCEPT.to_owned());
            self.ridge.insert(0, 0.0);
        }
        self
    }

    /// n, with the constant where there is one.
    fn columns(&self) -> usize {
        self.design.ncols() + usize::from(self.constant)
    }

    /// What entries and targets are beyond their rounding to `f64`, for [`Accuracy::Certified`]: without it a power such as x¹⁰
    /// has lost the digits that are to be certified before anything is solved.
    pub fn with_rest(mut self, design: MatRef<'a, f64>, targets: &'a [f64]) -> Self {
        (self.design_rest, self.targets_rest) = (Some(design), Some(targets));
        self
    }

    /// wᵢ ≥ 0, one per row; an observation of weight 0 does not count. Default 1.
    pub fn with_weights(mut self, weights: &'a [f64]) -> Self {
        self.weights = Some(weights);
        self
    }

    /// λⱼ = `lambda` ≥ 0 for every column but a [constant](Self::with_constant). Default 0.
    pub fn with_ridge(mut self, lambda: f64) -> Self {
        self.ridge = vec![lambda; self.columns()];
        self.ridge[..usize::from(self.constant)].fill(0.0);
        self
    }

    /// λⱼ ≥ 0, one per column: 0 leaves a column, the intercept as a rule, without a penalty.
    pub fn with_ridges(mut self, lambda: impl Into<Vec<f64>>) -> Self {
        self.ridge = lambda.into();
        self
    }

    /// Names of the columns, for messages and null directions.
    pub fn with_names<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.names = names.into_iter().map(Into::into).collect();
        self
    }

    /// How many digits are asked for. Default [`Accuracy::Working`].
    pub fn with_accuracy(mut self, accuracy: Accuracy) -> Self {
        self.accuracy = accuracy;
        self
    }

    /// Solves it.
    ///
    /// # Errors
    /// No rows or columns; lengths that do not fit the design; an entry that is not finite, a negative weight or ridge, each with its place.
    pub fn solve(&self) -> Result<LinearSolution, LinearError> {
        self.check_shapes()?;
        match self.solve_tall() {
            Some(solution) => Ok(solution),
            None => self.factored().map(|(solution, ..)| solution),
        }
    }

    /// The solution, the factors of A with its columns scaled, and b.
    fn factored(&self) -> Result<(LinearSolution, PivotedQr, Vec<f64>), LinearError> {
        self.check_shapes()?;
        self.check_finite()?;
        let (m, n) = (self.design.nrows(), self.columns());
        let system = self.system();
        let mut qr = PivotedQr::new(system.rows(), n);
        for j in 0..n {
            qr.column_mut(j).copy_from_slice(system.column(j));
        }
        qr.factor();
        let rank = qr.rank();
        let outcome = match self.accuracy {
            Accuracy::Working => system.refine(&qr, rank, WORKING_REFINEMENTS),
            Accuracy::Certified => system.refine(&qr, rank, MAX_REFINEMENTS),
        };
        let Outcome { mut coefficients, refinements, last_correction, converged } = outcome;
        let null = null::basis(&qr, rank, system.scales());
        null::shorten(&null, &mut coefficients);
        let residuals = self.residuals(&coefficients);
        let sum = self.weighted_sum(&residuals);
        let standard_errors = self.standard_errors(&qr, rank, system.scales(), sum);
        let condition = qr.condition(rank);
        let solution = LinearSolution {
            coefficients: coefficients.into_iter().map(f64::from).collect(),
            residuals: residuals[..m].iter().map(|r| f64::from(*r)).collect(),
            residual_sum_of_squares: sum,
            standard_errors,
            rank,
            condition,
            null_directions: null::directions(&null, &self.names),
            refinements,
            last_correction,
            certified: self.accuracy == Accuracy::Certified && converged && rank == n,
        };
        Ok((solution, qr, system.into_right()))
    }

    fn check_shapes(&self) -> Result<(), LinearError> {
        let (rows, columns) = (self.design.nrows(), self.columns());
        if rows == 0 || columns == 0 {
            return Err(LinearError::Empty { rows, columns });
        }
        let length = |what, expected, found| {
            if expected == found {
                Ok(())
            } else {
                Err(LinearError::Length { what, expected, found })
            }
        };
        length("targets", rows, self.targets.len())?;
        length("names", columns, self.names.len())?;
        length("ridge", columns, self.ridge.len())?;
        if let Some(weights) = self.weights {
            length("weights", rows, weights.len())?;
        }
        if let (Some(design), Some(targets)) = (self.design_rest, self.targets_rest) {
            length("rest of the design, rows", rows, design.nrows())?;
            length("rest of the design, columns", self.design.ncols(), design.ncols())?;
            length("rest of the targets", rows, targets.len())?;
        }
        let not_negative = |what, numbers: &[f64]| {
            let allowed = |value: &f64| *value >= 0.0 && value.is_finite();
            match numbers.iter().position(|value| !allowed(value)) {
                None => Ok(()),
                Some(index) => Err(LinearError::Negative { what, index, value: numbers[index] }),
            }
        };
        not_negative("weight", self.weights.unwrap_or_default())?;
        not_negative("ridge", &self.ridge)
    }

    fn check_finite(&self) -> Result<(), LinearError> {
        let rows = self.design.nrows();
        for (j, name) in self.names.iter().skip(usize::from(self.constant)).enumerate() {
            for row in 0..rows {
                let rest = self.design_rest.map_or(0.0, |rest| rest[(row, j)]);
                let value = self.design.at(row, j) + rest;
                if !value.is_finite() {
                    return Err(LinearError::NotFinite { what: name.clone(), row, value });
                }
            }
        }
        for row in 0..rows {
            let value = self.targets[row] + self.targets_rest.map_or(0.0, |rest| rest[row]);
            if !value.is_finite() {
                return Err(LinearError::NotFinite { what: "targets".to_owned(), row, value });
            }
        }
        Ok(())
    }

    fn entry(&self, i: usize, j: usize) -> DoubleDouble {
        let Some(j) = j.checked_sub(usize::from(self.constant)) else {
            return DoubleDouble::from(1.0);
        };
        let low = self.design_rest.map_or(0.0, |rest| rest[(i, j)]);
        DoubleDouble::from(self.design.at(i, j)) + DoubleDouble::from(low)
    }

    fn target(&self, i: usize) -> DoubleDouble {
        let low = self.targets_rest.map_or(0.0, |rest| rest[i]);
        DoubleDouble::from(self.targets[i]) + DoubleDouble::from(low)
    }

    fn weight(&self, i: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[i])
    }

    /// A and b, with twice the digits.
    fn system(&self) -> Twofold {
        let (m, n) = (self.design.nrows(), self.columns());
        let roots: Option<Vec<DoubleDouble>> =
            self.weights.map(|w| w.iter().map(|w| DoubleDouble::from(*w).sqrt()).collect());
        let weighted = |i: usize, value: DoubleDouble| match &roots {
            None => value,
            Some(roots) => roots[i] * value,
        };
        let penalised: Vec<usize> = (0..n).filter(|j| self.ridge[*j] > 0.0).collect();
        let rows = m + penalised.len();
        let mut system = Twofold::new(rows, n);
        for j in 0..n {
            let column = (0..m).map(|i| weighted(i, self.entry(i, j)));
            let root = DoubleDouble::from(self.ridge[j]).sqrt();
            let below = penalised.iter().map(|k| if *k == j { root } else { DoubleDouble::ZERO });
            system.set_column(j, column.chain(below));
        }
        system.set_right((0..m).map(|i| weighted(i, self.target(i))));
        system
    }

    /// y − Xβ
    fn residuals(&self, beta: &[DoubleDouble]) -> Vec<DoubleDouble> {
        (0..self.design.nrows())
            .map(|i| {
                let terms = beta.iter().enumerate().map(|(j, beta)| self.entry(i, j) * *beta);
                terms.fold(self.target(i), |rest, term| rest - term)
            })
            .collect()
    }

    fn weighted_sum(&self, residuals: &[DoubleDouble]) -> f64 {
        let squares = residuals.iter().enumerate();
        let squares = squares.map(|(i, r)| DoubleDouble::from(self.weight(i)) * (*r * *r));
        squares.fold(DoubleDouble::ZERO, |sum, square| sum + square).into()
    }

    /// σ·√diag((AᵀA)⁻¹): the norms of the rows of R⁻¹, unscaled.
    fn standard_errors(
        &self,
        qr: &PivotedQr,
        rank: usize,
        scales: &[f64],
        sum: f64,
    ) -> Option<Vec<f64>> {
        let n = self.columns();
        let counted = (0..self.design.nrows()).filter(|i| self.weight(*i) > 0.0).count();
        let free = counted.checked_sub(n).filter(|free| *free > 0)?;
        if rank < n || self.ridge.iter().any(|lambda| *lambda > 0.0) {
            return None;
        }
        let deviation = (sum / free as f64).sqrt();
        let mut squares = vec![0.0; n];
        for k in 0..n {
            let mut column = vec![0.0; n];
            column[k] = 1.0;
            qr.solve_leading(&mut column);
            for (square, entry) in squares.iter_mut().zip(&column) {
                *square += entry * entry;
            }
        }
        let mut errors = vec![0.0; n];
        for (square, &j) in squares.iter().zip(qr.order()) {
            errors[j] = deviation * square.sqrt() * scales[j];
        }
        vector::all_finite(&errors).then_some(errors)
    }
}
