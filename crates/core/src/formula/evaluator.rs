//! A formula evaluated by itself, in memory that is kept.

use super::Formula;
use super::code::{Arguments, Code};
use super::values::Leaf;

/// Evaluates a formula and its Jacobian at samples, without a graph: for thousands of small fits, one evaluator a thread.
///
/// Nothing is allocated after the first call of a kind. A sample's results do not depend on the other samples, their number or its place,
/// to the bit. Made by [`Formula::evaluator`].
///
/// ```
/// use secant_core::formula::Formula;
///
/// let mut decay = Formula::new("a*exp(-b*x)", &["x"])?.evaluator();
/// let (mut values, mut jacobian) = ([0.0; 2], [0.0; 4]);
/// decay.values_jacobian(&[3.0, 0.5], &[0.0, 2.0], &mut values, &mut jacobian);
/// assert_eq!(values[0], 3.0);
/// // ∂/∂a and ∂/∂b at x = 0, and then at x = 2.
/// assert_eq!(jacobian[..2], [1.0, 0.0]);
/// # Ok::<(), secant_core::formula::FormulaError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Evaluator {
    formula: Formula,
    scratch: Vec<f64>,
}

impl Evaluator {
    pub(super) fn new(formula: Formula) -> Self {
        Self { formula, scratch: Vec::new() }
    }

    /// The formula.
    pub fn formula(&self) -> &Formula {
        &self.formula
    }

    /// `values` (c × B, a sample contiguous) ← z at θ (in the order of [`Formula::parameters`]) and `inputs` (d × B, in the order of
    /// [`Formula::features`]).
    ///
    /// # Panics
    /// If lengths do not fit; B is the length of `values` over c.
    pub fn values(&mut self, theta: &[f64], inputs: &[f64], values: &mut [f64]) {
        let Self { formula, scratch } = self;
        let code = formula.programs().value();
        let batch = start(formula, code, scratch, theta, inputs, values);
        let on = arguments(formula, inputs);
        code.each_block(scratch, batch, on, (code.results(), values), &mut |_, _, _| {});
    }

    /// The same, and `jacobian` (n × cB) ← ∂z/∂θ transposed: column i·c + k is the gradient of output k of sample i.
    ///
    /// # Panics
    /// If lengths do not fit.
    pub fn values_jacobian(
        &mut self,
        theta: &[f64],
        inputs: &[f64],
        values: &mut [f64],
        jacobian: &mut [f64],
    ) {
        let Self { formula, scratch } = self;
        let code = formula.programs().rows();
        let batch = start(formula, code, scratch, theta, inputs, values);
        let (of_values, of_rows) = split(formula, code, theta, values, jacobian);
        let on = arguments(formula, inputs);
        code.rows(scratch, batch, on, (of_values, values), (of_rows, jacobian));
    }

    /// The same with `jacobian` (cB × n) ← ∂z/∂θ by columns: that of a parameter has output k of sample i at i·c + k.
    ///
    /// ```
    /// use secant_core::formula::Formula;
    ///
    /// let mut line = Formula::new("a + b*x", &["x"])?.evaluator();
    /// let (mut values, mut jacobian) = ([0.0; 3], [0.0; 6]);
    /// line.values_jacobian_by_columns(&[1.0, 2.0], &[0.0, 1.0, 5.0], &mut values, &mut jacobian);
    /// assert_eq!((values, jacobian), ([1.0, 3.0, 11.0], [1.0, 1.0, 1.0, 0.0, 1.0, 5.0]));
    /// # Ok::<(), secant_core::formula::FormulaError>(())
    /// ```
    ///
    /// # Panics
    /// If lengths do not fit.
    pub fn values_jacobian_by_columns(
        &mut self,
        theta: &[f64],
        inputs: &[f64],
        values: &mut [f64],
        jacobian: &mut [f64],
    ) {
        let Self { formula, scratch } = self;
        let code = formula.programs().rows();
        let batch = start(formula, code, scratch, theta, inputs, values);
        let (of_values, of_rows) = split(formula, code, theta, values, jacobian);
        let (on, c, n, m) =
            (arguments(formula, inputs), formula.outputs(), theta.len(), values.len());
        let of_values = (of_values, values);
        code.each_block(scratch, batch, on, of_values, &mut |scratch, first, count| {
            for (j, column) in jacobian.chunks_exact_mut(m.max(1)).enumerate() {
                code.gather(scratch, of_rows, (j, n), &mut column[first * c..(first + count) * c]);
            }
        });
    }
}

/// The results of values and of derivatives, n of each output, after a look at the lengths.
fn split<'a>(
    formula: &Formula,
    code: &'a Code,
    theta: &[f64],
    values: &[f64],
    jacobian: &[f64],
) -> (&'a [u32], &'a [u32]) {
    let (expected, found) = (theta.len() * values.len(), jacobian.len());
    assert!(expected == found, "the Jacobian has {found} entries, n·c·B are {expected}");
    code.results().split_at(formula.outputs())
}

/// Checks lengths, makes the memory and evaluates what is the same for all samples. B.
fn start(
    formula: &Formula,
    code: &Code,
    scratch: &mut Vec<f64>,
    theta: &[f64],
    inputs: &[f64],
    values: &[f64],
) -> usize {
    let (n, found) = (formula.parameters().len(), theta.len());
    assert!(n == found, "theta has {found} entries, the formula {n} parameters");
    let (c, d) = (formula.outputs(), formula.features().len());
    let batch = values.len() / c;
    assert!(batch * c == values.len(), "values has {} entries for {c} outputs", values.len());
    let found = inputs.len();
    assert!(batch * d == found, "inputs has {found} entries, {batch} samples of {d} features");
    if scratch.len() < code.scratch() {
        scratch.resize(code.scratch(), 0.0);
    }
    code.start(scratch, batch, |leaf| match leaf {
        Leaf::Parameter(j) => theta[j as usize],
        _ => 0.0,
    });
    batch
}

fn arguments<'a>(formula: &Formula, x: &'a [f64]) -> Arguments<'a> {
    let (features, outputs) = (formula.features().len(), formula.outputs());
    Arguments { x, x_dot: None, z_bar: &[], z_bar_dot: &[], features, outputs }
}
