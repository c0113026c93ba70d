//! How sure a least-squares fit is: covariance, standard errors, intervals and what the data leave open.
//!
//! At the solution θ̂ of min ½‖r(θ)‖² with J = ∂r/∂θ the estimate has the covariance C = s²(JᵀJ)⁻¹, s² = ‖r‖²/(m − p), or (JᵀJ)⁻¹ where
//! residuals come in units of known σ. It is never formed from JᵀJ: J with its columns scaled by powers of two is factorised by
//! Householder QR with column pivoting, J·S·P = Q·R, and a combination gᵀθ has the variance ‖s·R⁻ᵀPᵀS·g‖². Where a pivot is rounding, the
//! data leave a direction open: it is named, and combinations that do not depend on it keep their errors. 2mn² − ⅔n³ flops, memory
//! mn + 2n².
//! Source: Golub & Van Loan (2013) §5.3; Seber & Wild (1989) §5.1; MacKinnon & White (1985) for HC1 to HC3.

mod band;
mod bca;
mod build;
pub mod distributions;
mod error;
mod factor;
mod groups;
mod held;
mod measures;
mod open;
mod products;
mod profile;
mod ray;
mod resample;
mod sandwich;
mod spread;
mod table;
mod whole;

pub use band::BandPoint;
pub use build::{Derived, Infer};
pub use error::InferenceError;
pub use measures::Measures;
pub use open::OpenDirection;
pub use products::{DENSE, Products};
pub use profile::{Contour, End, ProfileInterval};
pub use resample::{Bootstrap, Resample, Resampling};
pub use sandwich::Sandwich;
pub use spread::Spread;
pub use table::{probability, rounded, rounded_interval, significant};

use crate::run::nonfinite;
use distributions::{Distribution, StudentT};
use factor::Factor;
use serde::{Deserialize, Serialize};

/// What the data say of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// It is estimated.
    Estimated,
    /// It is at a bound, and was held there: no error.
    AtBound,
    /// It does not vary: both bounds are equal, or it depends on no parameter.
    Fixed,
    /// The data leave it open, see [`Inference::open_directions`].
    Open,
}

/// A parameter, or a quantity derived from parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Its name.
    pub name: String,
    /// Its value at the solution.
    #[serde(with = "nonfinite")]
    pub value: f64,
    /// √ of its variance; NaN where there is none.
    #[serde(with = "nonfinite")]
    pub standard_error: f64,
    /// Whether there is an error, and why not.
    pub status: Status,
    /// Where the fit began, where that is known.
    pub start: Option<f64>,
}

/// The estimates of a least-squares fit and how sure they are. `Display` is a table.
///
/// ```
/// use secant_optim::inference::Inference;
/// use secant_optim::{LeastSquaresFn, LevenbergMarquardt, minimize};
/// let (t, y) = ([0.0, 1.0, 2.0, 3.0, 4.0], [2.02, 1.19, 0.77, 0.42, 0.29]);
/// let decay = LeastSquaresFn::new(2, 5, |theta, r| {
///     for i in 0..5 {
///         r[i] = theta[0] * f64::exp(-theta[1] * t[i]) - y[i];
///     }
/// });
/// let solution = minimize(&decay, LevenbergMarquardt::default(), &[1.0, 1.0])?;
/// let found = Inference::of(&decay, &solution.theta).names(["a", "b"]).compute()?;
/// println!("{found}");
/// let (low, high) = found.interval("b").unwrap();
/// assert!(low < 0.5 && 0.5 < high && found.degrees == 3.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Inference {
    /// The k parameters, or what was derived from them, in order.
    pub estimates: Vec<Estimate>,
    /// C, k × k row by row; NaN in rows and columns without an error.
    #[serde(with = "nonfinite::list")]
    pub covariance: Vec<f64>,
    /// Of intervals: 0.95.
    pub level: f64,
    /// How many observations count.
    pub observations: usize,
    /// p: how many parameters were estimated. With a penalty the trace of the matrix that makes fitted values of targets, which is less.
    pub estimated: f64,
    /// m − p.
    pub degrees: f64,
    /// Σ of the squared residuals of the data, in the units of the targets (of σ where these are absolute).
    #[serde(with = "nonfinite")]
    pub residual_sum_of_squares: f64,
    /// √(RSS/(m − p)); NaN without degrees of freedom.
    #[serde(with = "nonfinite")]
    pub residual_deviation: f64,
    /// What the fit as a whole is worth.
    pub measures: Measures,
    /// Whether the residuals are in units of known σ.
    pub absolute_sigma: bool,
    /// The estimator of the covariance, where it is a sandwich.
    pub sandwich: Option<Sandwich>,
    /// What the data do not determine: θ may move along these, and the fit is the same.
    pub open_directions: Vec<OpenDirection>,
    /// What else is to be known.
    pub notes: Vec<String>,
    factor: Factor,
}

impl Inference {
    /// Of a least-squares problem at its solution. Nothing is evaluated before [`compute`](Infer::compute).
    pub fn of<'a>(
        problem: &'a dyn secant_core::problem::LeastSquares,
        theta: &'a [f64],
    ) -> Infer<'a> {
        Infer::new(problem, theta)
    }

    /// Where an estimate of this name stands.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.estimates.iter().position(|estimate| estimate.name == name)
    }

    /// The estimate of this name.
    pub fn estimate(&self, name: &str) -> Option<&Estimate> {
        self.position(name).map(|j| &self.estimates[j])
    }

    /// Estimate ± quantile · error at [`level`](Self::level), by name; NaN where there is no error. `None` without such a name.
    pub fn interval(&self, name: &str) -> Option<(f64, f64)> {
        self.position(name).map(|j| self.interval_at(j, self.level))
    }

    /// The same of the jth estimate at any level in (0, 1).
    ///
    /// # Panics
    /// Without a jth estimate.
    pub fn interval_at(&self, j: usize, level: f64) -> (f64, f64) {
        let Estimate { value, standard_error, .. } = self.estimates[j];
        let half = self.quantile(level) * standard_error;
        (value - half, value + half)
    }

    /// What an error is multiplied by for a two-sided interval: the quantile of t with m − p degrees of freedom, or of the normal where
    /// σ is known.
    pub fn quantile(&self, level: f64) -> f64 {
        self.reference().survival_quantile(0.5 * (1.0 - level))
    }

    /// The jth estimate over its error.
    ///
    /// # Panics
    /// Without a jth estimate.
    pub fn t(&self, j: usize) -> f64 {
        self.estimates[j].value / self.estimates[j].standard_error
    }

    /// The probability of a t as far from 0 were the parameter 0, two-sided.
    ///
    /// # Panics
    /// Without a jth estimate.
    pub fn p(&self, j: usize) -> f64 {
        self.reference().two_sided(self.t(j))
    }

    /// Covariance of the ith and the jth estimate; NaN where one has no error.
    ///
    /// # Panics
    /// Without such estimates.
    pub fn covariance(&self, i: usize, j: usize) -> f64 {
        assert!(i.max(j) < self.estimates.len(), "no estimate {}", i.max(j));
        self.covariance[i * self.estimates.len() + j]
    }

    /// Their correlation; NaN where one has no error.
    ///
    /// # Panics
    /// Without such estimates.
    pub fn correlation(&self, i: usize, j: usize) -> f64 {
        if i == j && self.covariance(i, i) > 0.0 {
            return 1.0;
        }
        let errors = self.estimates[i].standard_error * self.estimates[j].standard_error;
        (self.covariance(i, j) / errors).clamp(-1.0, 1.0)
    }

    /// The standard error of a quantity with this gradient ∂z/∂θ in the parameters of the problem (all n of them, whatever was derived):
    /// √(gᵀCg), by one triangular solve, n²/2. NaN where it depends on a direction that the data leave open.
    ///
    /// # Panics
    /// When `gradient` is not of length n.
    pub fn error_along(&self, gradient: &[f64]) -> f64 {
        self.factor.error_along(gradient)
    }

    /// n, the length of a gradient.
    pub fn parameters(&self) -> usize {
        self.factor.parameters()
    }

    /// Of t statistics.
    fn reference(&self) -> StudentT {
        StudentT::new(if self.absolute_sigma { f64::INFINITY } else { self.degrees })
    }
}
