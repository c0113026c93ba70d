//! Thousands of small fits of one formula.

use crate::arrays::{Matrix, Vector, matrix, numbers, rows, vector};
use crate::methods::bounds;
use crate::{errors, least_squares, run};
use numpy::PyReadonlyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use secant::formula::Formula;
use secant::{FormulaGroup, Interrupt};

/// The groups of a fit: rows `ends[g − 1]..ends[g]` of X (N × d) and y are those of group g. θ and errors, groups × n, and columns of what
/// came of them, by names.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "the Python side names them")]
pub fn fit_many<'py>(
    py: Python<'py>,
    formula: &str,
    features: Vec<String>,
    x: Matrix<'py>,
    y: Vector<'py>,
    sigma: Option<Vector<'py>>,
    ends: PyReadonlyArray1<'py, u64>,
    keys: Option<Vec<String>>,
    start: Matrix<'py>,
    lower: Option<Vector<'py>>,
    upper: Option<Vector<'py>>,
    absolute_sigma: bool,
    robust: Option<(String, f64)>,
) -> PyResult<Bound<'py, PyDict>> {
    let formula = Formula::new(formula, &features).map_err(errors::wrong)?;
    let (d, n) = (formula.features().len(), formula.parameters().len());
    let (inputs, targets) = (rows(&x, "X")?, numbers(&y, "y")?);
    let sigma = sigma.as_ref().map(|sigma| numbers(sigma, "sigma")).transpose()?;
    if x.as_array().ncols() != d || x.as_array().nrows() != targets.len() {
        let (rows, columns) = x.as_array().dim();
        let words = format!("X is {rows} × {columns}, expected {} × {d}", targets.len());
        return Err(PyValueError::new_err(words));
    }
    let mut groups = Vec::new();
    let mut begin = 0;
    for &end in ends.as_slice().map_err(errors::wrong)? {
        let end = usize::try_from(end).unwrap_or(usize::MAX);
        let range = begin..end;
        let (Some(inputs), Some(targets)) =
            (inputs.get(begin * d..end.saturating_mul(d)), targets.get(range.clone()))
        else {
            let words = format!("a group of rows {begin}..{end}, there are {}", targets.len());
            return Err(PyValueError::new_err(words));
        };
        let mut group = FormulaGroup::new(&formula, inputs, targets).map_err(errors::wrong)?;
        if let Some(sigma) = sigma {
            let sigma = sigma.get(range).ok_or_else(|| {
                PyValueError::new_err(format!("{} σ for {} targets", sigma.len(), end))
            })?;
            group = group.with_sigma(sigma).map_err(errors::wrong)?;
        }
        groups.push(group);
        begin = end;
    }
    let count = groups.len();
    let starts = rows(&start, "p0")?;
    let interrupt = Interrupt::new();
    let mut many = secant::fit_many(groups).absolute_sigma(absolute_sigma).interrupt(&interrupt);
    many = if start.as_array().nrows() == 1 { many.start(starts) } else { many.starts(starts) };
    if let Some(keys) = keys {
        many = many.keys(keys);
    }
    if let Some(bounds) = bounds(lower, upper)? {
        many = many.bounds(bounds);
    }
    if let Some((rho, scale)) = robust {
        many = many.robust(least_squares::rho(&rho)?, scale);
    }
    let fits = run::whole(py, &interrupt, move || many.run())?.map_err(errors::wrong)?;
    let table = PyDict::new(py);
    let flat = |of: fn(&secant::ManyFit<'_>) -> Vec<f64>| {
        fits.iter().flat_map(|fit| of(&fit)).collect::<Vec<_>>()
    };
    table.set_item("names", fits.names())?;
    table.set_item("x", matrix(py, (count, n), flat(|fit| fit.theta.to_vec()))?)?;
    table.set_item("errors", matrix(py, (count, n), flat(|fit| fit.errors.to_vec()))?)?;
    table.set_item("keys", fits.iter().map(|fit| fit.key.to_owned()).collect::<Vec<_>>())?;
    table
        .set_item("success", fits.iter().map(|fit| fit.outcome.is_success()).collect::<Vec<_>>())?;
    table.set_item("message", fits.iter().map(|fit| fit.outcome.sentence()).collect::<Vec<_>>())?;
    table.set_item("nit", vector(py, flat(|fit| vec![fit.iterations as f64])))?;
    table.set_item("nfev", vector(py, flat(|fit| vec![fit.evaluations as f64])))?;
    table.set_item("sum_of_squares", vector(py, flat(|fit| vec![fit.sum_of_squares])))?;
    table.set_item("text", fits.to_string())?;
    Ok(table)
}
