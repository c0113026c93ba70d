//! `Inference::of(&problem, &theta)…compute()`.

use super::factor::{Combination, Factor, Factored, root};
use super::sandwich::{Sandwich, meat, weights};
use super::{Estimate, Inference, InferenceError, Status};
use crate::linalg::qr::PivotedQr;
use crate::problem::bounds::Bounds;
use crate::run::memory;
use faer::Mat;
use secant_core::problem::{LeastSquares, Observations};
use std::collections::HashSet;

/// Of intervals.
const LEVEL: f64 = 0.95;
/// What to call it in a refusal for memory.
const NAME: &str = "inference";

/// An inference being described; [`compute`](Self::compute) computes it. The calls may stand in any order.
#[derive(Clone)]
#[must_use = "nothing happens before `compute`"]
pub struct Infer<'a> {
    pub(super) problem: &'a dyn LeastSquares,
    pub(super) theta: &'a [f64],
    pub(super) names: Option<Vec<String>>,
    pub(super) start: Option<Vec<f64>>,
    pub(super) bounds: Option<Bounds>,
    pub(super) absolute: bool,
    pub(super) sandwich: Option<Sandwich>,
    pub(super) level: f64,
    targets: Option<(&'a [f64], Option<&'a [f64]>)>,
    unit: f64,
    pub(super) derived: Option<Derived>,
}

/// Quantities p = p(θ) that are reported in place of θ.
#[derive(Clone, Debug)]
pub struct Derived {
    /// Their k values.
    pub values: Vec<f64>,
    /// ∂p/∂θ, k × n.
    pub matrix: Mat<f64>,
    /// Their names.
    pub names: Vec<String>,
}

impl std::fmt::Debug for Infer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Infer")
            .field("theta", &self.theta)
            .field("names", &self.names)
            .field("bounds", &self.bounds)
            .field("absolute_sigma", &self.absolute)
            .field("sandwich", &self.sandwich)
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}

impl<'a> Infer<'a> {
    pub(super) fn new(problem: &'a dyn LeastSquares, theta: &'a [f64]) -> Self {
        Self {
            problem,
            theta,
            names: None,
            start: None,
            bounds: None,
            absolute: false,
            sandwich: None,
            level: LEVEL,
            targets: None,
            unit: 1.0,
            derived: None,
        }
    }

    /// Names of the n parameters. Default what the problem calls them.
    pub fn names<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.names = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Where the fit began, for the table: of the n parameters, or of what is [derived](Self::derived) from them, one each.
    pub fn start(mut self, start: impl Into<Vec<f64>>) -> Self {
        self.start = Some(start.into());
        self
    }

    /// The bounds of the fit. A parameter at one of its bounds, or with both of them equal, is held: it has no error, and those of the
    /// others are as if its value were known.
    pub fn bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = Some(bounds);
        self
    }

    /// Whether the residuals are in units of known standard deviations σ (of a `Risk`: its weights are 1/σ²), so that s² = 1, as SciPy's
    /// `absolute_sigma`. Default false: σ are known up to a factor, which the residuals tell.
    pub fn absolute_sigma(mut self, absolute: bool) -> Self {
        self.absolute = absolute;
        self
    }

    /// A covariance that holds where the errors differ in variance.
    pub fn robust(mut self, sandwich: Sandwich) -> Self {
        self.sandwich = Some(sandwich);
        self
    }

    /// Of the intervals, in (0, 1). Default 0.95.
    pub fn level(mut self, level: f64) -> Self {
        self.level = level;
        self
    }

    /// Targets are in units of this many of the user's, so that residual deviation, sums and likelihood come in the user's. Default 1.
    pub fn unit(mut self, unit: f64) -> Self {
        self.unit = unit;
        self
    }

    /// The targets, one per residual of the data, for R², where the problem does not know them itself.
    pub fn targets(mut self, targets: &'a [f64]) -> Self {
        self.targets = Some((targets, None));
        self
    }

    /// The targets, and the weights w with residuals √w·error (1/σ² for known σ): for R² and the likelihood, where the problem does not
    /// know them itself. A weight of 0 does not count as an observation.
    pub fn weighted_targets(mut self, targets: &'a [f64], weights: &'a [f64]) -> Self {
        self.targets = Some((targets, Some(weights)));
        self
    }

    /// Reports k quantities derived from θ in place of θ: their values, their derivatives ∂p/∂θ (k × n) and names. Their covariance is
    /// ∂p/∂θ·C·(∂p/∂θ)ᵀ. A row with no part in a free parameter is [`Status::AtBound`] or [`Status::Fixed`].
    pub fn derived<S: Into<String>>(
        mut self,
        values: impl Into<Vec<f64>>,
        matrix: Mat<f64>,
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        let (values, names) = (values.into(), names.into_iter().map(Into::into).collect());
        self.derived = Some(Derived { values, matrix, names });
        self
    }

    /// Evaluates J at θ and factorises it.
    ///
    /// # Errors
    /// Lengths that do not fit, names that are the same, a level out of range; residuals or derivatives that are not finite, by place;
    /// HC2 or HC3 with a leverage of 1; a J that takes more than half of the free memory.
    pub fn compute(&self) -> Result<Inference, InferenceError> {
        let names = self.checked()?;
        let (m, n) = (self.problem.residual_len(), self.theta.len());
        let needs = memory::bytes(&[(1, m, n), (2, n, n), (4, m, 1)]);
        memory::preflight(NAME, Some(needs), memory::FEWER_PARAMETERS, None)?;
        let observations = self.observations()?;
        let (residuals, qr, free) = self.linearized(&names)?;
        let Factored { mut factor, qr } = Factor::of(qr, n, free.clone(), self.resolution());
        let leverages = self.leverages(&qr, factor.rank(), observations.rows);
        let estimated = match &leverages {
            Some(leverages) if observations.rows < m => leverages.iter().sum(),
            _ => factor.rank() as f64,
        };
        let whole = self.whole(&residuals, observations, estimated);
        factor.variance = whole.variance;
        if let Some(sandwich) = self.sandwich {
            let data = &residuals[..observations.rows];
            let counted = (observations.counted as f64, whole.degrees);
            let weights = weights(sandwich, data, leverages.as_deref(), counted, qr.resolution())?;
            factor.set_meat(meat(&qr, factor.rank(), &weights));
        }
        Ok(self.assemble(&whole, factor, &names, &free))
    }

    /// Of the parameters themselves, by s².
    pub(super) fn of_parameters(&mut self) {
        (self.derived, self.start, self.sandwich) = (None, None, None);
    }

    /// The names, when everything fits.
    pub(super) fn checked(&self) -> Result<Vec<String>, InferenceError> {
        let n = self.problem.dim();
        if let Some(fault) = self.problem.fault() {
            return Err(InferenceError::Problem(fault));
        }
        length("entries of θ", n, self.theta.len())?;
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(InferenceError::Level(self.level));
        }
        let names = match &self.names {
            Some(names) => names.clone(),
            None => (0..n).map(|j| default_name(self.problem, j)).collect(),
        };
        length("names", n, names.len())?;
        if let Some(bounds) = &self.bounds {
            length("bounds", n, bounds.lower().len())?;
        }
        let mut shown = &names;
        if let Some(derived) = &self.derived {
            Self::check_derived(derived, n, self.start.as_deref())?;
            shown = &derived.names;
        } else if let Some(start) = &self.start {
            length("entries of the start", n, start.len())?;
        }
        // Names that the user did not give may be those of whole blocks.
        if self.names.is_some() || self.derived.is_some() {
            let mut seen = HashSet::new();
            if let Some(twice) = shown.iter().find(|name| !seen.insert(name.as_str())) {
                return Err(InferenceError::Twice(twice.clone()));
            }
        }
        Ok(names)
    }

    /// Whether what is derived from n parameters fits together.
    pub(super) fn check_derived(
        derived: &Derived,
        n: usize,
        start: Option<&[f64]>,
    ) -> Result<(), InferenceError> {
        let Derived { values, matrix, names } = derived;
        length("columns of the derivatives of derived quantities", n, matrix.ncols())?;
        length("names of derived quantities", matrix.nrows(), names.len())?;
        length("values of derived quantities", matrix.nrows(), values.len())?;
        start.map_or(Ok(()), |start| length("entries of the start", names.len(), start.len()))
    }

    /// What of the residuals is data, with the targets that were given, in the user's units.
    pub(super) fn observations(&self) -> Result<Observations, InferenceError> {
        let mut observations = self.observed()?;
        observations.unit *= self.unit;
        observations.total = observations.total.map(|(sum, c)| (sum * self.unit * self.unit, c));
        Ok(observations)
    }

    fn observed(&self) -> Result<Observations, InferenceError> {
        let mut observations = self.problem.observations();
        let Some((targets, weights)) = self.targets else { return Ok(observations) };
        let (expected, found) = (observations.rows, targets.len());
        if expected != found {
            return Err(InferenceError::Length { what: "targets", expected, found });
        }
        if let Some(weights) = weights {
            let found = weights.len();
            if expected != found {
                return Err(InferenceError::Length { what: "weights", expected, found });
            }
        }
        let weight = |i: usize| weights.map_or(1.0, |weights| weights[i]);
        let counted = || (0..expected).filter(|i| weight(*i) > 0.0);
        let sum: f64 = counted().map(weight).sum();
        let mean = counted().map(|i| weight(i) * targets[i]).sum::<f64>() / sum;
        let square = |i: usize| weight(i) * (targets[i] - mean) * (targets[i] - mean);
        observations.total = Some((counted().map(square).sum(), 1));
        if weights.is_some() {
            observations.counted = counted().count();
            observations.log_weight = counted().map(|i| 0.5 * libm::log(weight(i))).sum();
        }
        Ok(observations)
    }

    /// r, the columns of J of the parameters that are free, and which these are.
    fn linearized(
        &self,
        names: &[String],
    ) -> Result<(Vec<f64>, PivotedQr, Vec<usize>), InferenceError> {
        let (m, n) = (self.problem.residual_len(), self.theta.len());
        let free: Vec<usize> = (0..n).filter(|j| !self.held(*j)).collect();
        let mut residuals = vec![0.0; m];
        let mut jacobian = Mat::zeros(m, n);
        match &self.bounds {
            Some(bounds) if bounds.contains(self.theta) => {
                let within = bounds.as_box();
                self.problem.jacobian_within(self.theta, within, &mut residuals, jacobian.as_mut());
            }
            _ => {
                self.problem.jacobian(self.theta, &mut residuals, jacobian.as_mut());
            }
        }
        if let Some(row) = residuals.iter().position(|r| !r.is_finite()) {
            return Err(InferenceError::Residual { row, value: residuals[row] });
        }
        let mut qr = PivotedQr::new(m, free.len());
        for (column, &j) in free.iter().enumerate() {
            for (row, (to, from)) in
                qr.column_mut(column).iter_mut().zip(jacobian.col(j).iter()).enumerate()
            {
                if !from.is_finite() {
                    let (name, value) = (names[j].clone(), *from);
                    return Err(InferenceError::Derivative { row, name, value });
                }
                *to = *from;
            }
        }
        Ok((residuals, qr, free))
    }

    /// Whether θⱼ is at a bound.
    pub(super) fn held(&self, j: usize) -> bool {
        self.bounds
            .as_ref()
            .is_some_and(|b| self.theta[j] <= b.lower()[j] || self.theta[j] >= b.upper()[j])
    }

    /// Whether θⱼ cannot vary.
    fn fixed(&self, j: usize) -> bool {
        self.bounds.as_ref().is_some_and(|b| b.lower()[j] == b.upper()[j])
    }

    /// Squared norms of the rows of the first columns of Q, of the rows of the data; where they are needed.
    fn leverages(&self, qr: &PivotedQr, rank: usize, rows: usize) -> Option<Vec<f64>> {
        let wanted = matches!(self.sandwich, Some(Sandwich::Hc2 | Sandwich::Hc3));
        (wanted || rows < qr.rows()).then(|| {
            let mut all = qr.row_squares(rank);
            all.truncate(rows);
            all
        })
    }

    /// The estimates with their covariance.
    pub(super) fn estimates(
        &self,
        factor: &Factor,
        names: &[String],
        free: &[usize],
    ) -> (Vec<Estimate>, Vec<f64>) {
        let n = self.theta.len();
        let is_free: HashSet<usize> = free.iter().copied().collect();
        let unit = |j: usize| (0..n).map(|i| f64::from(u8::from(i == j))).collect::<Vec<_>>();
        let (values, gradients, names): (&[f64], Vec<Vec<f64>>, &[String]) = match &self.derived {
            None => (self.theta, (0..n).map(unit).collect(), names),
            Some(Derived { values, matrix, names }) => {
                let rows = (0..matrix.nrows()).map(|i| matrix.row(i).iter().copied().collect());
                (values, rows.collect(), names)
            }
        };
        let seen: Vec<Combination> = gradients.iter().map(|g| factor.combination(g)).collect();
        let k = values.len();
        let mut covariance = vec![f64::NAN; k * k];
        for (i, a) in seen.iter().enumerate() {
            for (j, b) in seen.iter().enumerate().take(i + 1) {
                if let (Combination::Seen(a), Combination::Seen(b)) = (a, b) {
                    let value = factor.covariance(a, b);
                    (covariance[i * k + j], covariance[j * k + i]) = (value, value);
                }
            }
        }
        let status = |j: usize| match &seen[j] {
            Combination::Seen(_) => Status::Estimated,
            Combination::Open => Status::Open,
            Combination::Constant => {
                let held =
                    |(i, g): (usize, &f64)| *g != 0.0 && !is_free.contains(&i) && !self.fixed(i);
                let at_bound = gradients[j].iter().enumerate().any(held);
                if at_bound { Status::AtBound } else { Status::Fixed }
            }
        };
        let one = |j: usize| Estimate {
            name: names[j].clone(),
            value: values[j],
            standard_error: root(covariance[j * k + j]),
            status: status(j),
            start: self.start.as_ref().map(|start| start[j]),
        };
        ((0..k).map(one).collect(), covariance)
    }
}

fn length(what: &'static str, expected: usize, found: usize) -> Result<(), InferenceError> {
    if expected == found { Ok(()) } else { Err(InferenceError::Length { what, expected, found }) }
}

/// What the problem calls θⱼ.
pub(super) fn default_name(problem: &dyn LeastSquares, j: usize) -> String {
    let name = problem.parameters_name(&(j..j + 1));
    if name == format!("θ[{j}..{}]", j + 1) { format!("θ[{j}]") } else { name }
}
