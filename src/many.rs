//! Formulas as what is fitted to many groups.

use secant_core::formula::{Evaluator, Formula};
use secant_optim::{ManyError, SmallLeastSquares};

/// A formula with the data of one group, for [`fit_many`](crate::fit_many): residuals (z(xᵢ; θ) − yᵢ)/σᵢ.
///
/// ```
/// use secant::{FormulaGroup, fit_many};
/// use secant::formula::Formula;
///
/// let decay = Formula::new("a*exp(-b*x)", &["x"])?;
/// let t = [0.0, 1.0, 2.0, 3.0];
/// let runs = [[2.0, 1.2, 0.75, 0.42], [3.1, 1.0, 0.35, 0.1]];
/// let groups: Result<Vec<_>, _> = runs.iter().map(|y| FormulaGroup::new(&decay, &t, y)).collect();
/// let fits = fit_many(groups?).keys(["first", "second"]).start([1.0, 1.0]).run()?;
/// assert_eq!(fits.names(), ["a", "b"]);
/// let second = fits.find("second").unwrap();
/// assert!((second.theta[1] - 1.12).abs() < 0.01 && second.outcome.is_success());
/// println!("{fits}\n{}", fits.to_csv());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FormulaGroup<'a> {
    formula: &'a Formula,
    inputs: &'a [f64],
    targets: &'a [f64],
    sigma: Option<&'a [f64]>,
}

/// What a [`FormulaGroup`] is evaluated in.
#[derive(Debug)]
pub struct FormulaScratch {
    evaluator: Evaluator,
    /// Where its formula lies: groups of another one need another evaluator.
    of: usize,
}

impl<'a> FormulaGroup<'a> {
    /// `inputs` (d × B, in the order of the formula's features, a sample contiguous) and `targets` (c × B).
    ///
    /// # Errors
    /// Lengths that do not fit.
    pub fn new(
        formula: &'a Formula,
        inputs: &'a [f64],
        targets: &'a [f64],
    ) -> Result<Self, ManyError> {
        let (samples, found) = (targets.len() / formula.outputs(), inputs.len());
        let whole = samples * formula.outputs();
        if whole != targets.len() {
            let found = targets.len();
            return Err(ManyError::Length { what: "the targets", expected: whole, found });
        }
        let expected = samples * formula.features().len();
        if found != expected {
            return Err(ManyError::Length { what: "the inputs", expected, found });
        }
        Ok(Self { formula, inputs, targets, sigma: None })
    }

    /// σ of each target: residuals are divided by them. Known ones: see [`FitMany::absolute_sigma`](secant_optim::FitMany::absolute_sigma).
    /// One that is 0 or NaN makes a row that could not begin.
    ///
    /// # Errors
    /// Another number of them than targets.
    pub fn with_sigma(mut self, sigma: &'a [f64]) -> Result<Self, ManyError> {
        let (expected, found) = (self.targets.len(), sigma.len());
        if expected != found {
            return Err(ManyError::Length { what: "the list of σ", expected, found });
        }
        self.sigma = Some(sigma);
        Ok(self)
    }

    fn place(&self) -> usize {
        std::ptr::from_ref(self.formula).addr()
    }

    fn evaluator<'s>(&self, scratch: &'s mut FormulaScratch) -> &'s mut FormulaScratch {
        if scratch.of != self.place() {
            (scratch.of, scratch.evaluator) = (self.place(), self.formula.evaluator());
        }
        scratch
    }

    /// z → (z − y)/σ.
    fn compare(&self, r: &mut [f64]) {
        r.iter_mut().zip(self.targets).for_each(|(r, y)| *r -= y);
        if let Some(sigma) = self.sigma {
            r.iter_mut().zip(sigma).for_each(|(r, sigma)| *r /= sigma);
        }
    }
}

impl SmallLeastSquares for FormulaGroup<'_> {
    type Scratch = FormulaScratch;

    fn shape(&self) -> (usize, usize) {
        (self.targets.len(), self.formula.parameters().len())
    }

    fn scratch(&self) -> FormulaScratch {
        let (evaluator, of) = (self.formula.evaluator(), self.place());
        FormulaScratch { evaluator, of }
    }

    fn write_residuals(&self, theta: &[f64], r: &mut [f64], scratch: &mut FormulaScratch) {
        self.evaluator(scratch).evaluator.values(theta, self.inputs, r);
        self.compare(r);
    }

    fn write_jacobian(
        &self,
        theta: &[f64],
        r: &mut [f64],
        jacobian: &mut [f64],
        scratch: &mut FormulaScratch,
    ) {
        let FormulaScratch { evaluator, .. } = self.evaluator(scratch);
        evaluator.values_jacobian_by_columns(theta, self.inputs, r, jacobian);
        self.compare(r);
        if let Some(sigma) = self.sigma {
            for column in jacobian.chunks_exact_mut(r.len()) {
                column.iter_mut().zip(sigma).for_each(|(entry, sigma)| *entry /= sigma);
            }
        }
    }

    fn name_of(&self, j: usize) -> String {
        self.formula.parameters()[j].clone()
    }
}
