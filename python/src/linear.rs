//! Linear least squares by QR, and ridge regression on a kernel matrix.

use crate::arrays::{Matrix, Vector, matrix, numbers, rows, vector};
use crate::{errors, run};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use secant::Interrupt;
use secant::faer::linalg::solvers::{Llt, Solve};
use secant::faer::{Mat, MatRef, Side};
use secant::optim::{Accuracy, LinearLeastSquares, LinearSolution};

/// A problem of x (row by row) and y, with a column of ones before those of x where there is an intercept.
fn problem<'a>(
    x: &'a [f64],
    columns: usize,
    y: &'a [f64],
    intercept: bool,
) -> LinearLeastSquares<'a> {
    let x = MatRef::from_row_major_slice(x, x.len() / columns.max(1), columns);
    let problem = LinearLeastSquares::new(x, y);
    if intercept { problem.with_constant() } else { problem }
}

/// λ of every column, none for the intercept.
fn ridges(ridges: &[f64], intercept: bool) -> Vec<f64> {
    let constant = intercept.then_some(0.0);
    constant.into_iter().chain(ridges.iter().copied()).collect()
}

/// What was found, by names; several targets one after the other.
fn found<'py>(
    py: Python<'py>,
    solutions: &[LinearSolution],
    columns: usize,
) -> PyResult<Bound<'py, PyDict>> {
    let entries = PyDict::new(py);
    let all: Vec<f64> = solutions.iter().flat_map(|one| one.coefficients.clone()).collect();
    entries.set_item("coefficients", matrix(py, (solutions.len(), columns), all)?)?;
    if let Some(first) = solutions.first() {
        entries.set_item("rank", first.rank)?;
        entries.set_item("condition", first.condition)?;
        let open: Vec<String> = first.null_directions.iter().map(ToString::to_string).collect();
        entries.set_item("null_directions", open)?;
        entries.set_item("certified", solutions.iter().all(LinearSolution::is_certified))?;
    }
    let squares: Vec<f64> = solutions.iter().map(|one| one.residual_sum_of_squares).collect();
    entries.set_item("residual_sum_of_squares", squares)?;
    Ok(entries)
}

/// min Σ wᵢ(yᵢ − β₀ − xᵢᵀβ)² + Σ λⱼβⱼ² for every column of y (N × t).
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "the Python side names them")]
pub fn linear_least_squares<'py>(
    py: Python<'py>,
    x: Matrix<'py>,
    y: Matrix<'py>,
    weights: Option<Vector<'py>>,
    strengths: Vector<'py>,
    intercept: bool,
    certified: bool,
    names: Vec<String>,
) -> PyResult<Bound<'py, PyDict>> {
    let columns = x.as_array().ncols();
    let (inputs, targets) = (rows(&x, "X")?, rows(&y, "y")?);
    let outputs = y.as_array().ncols();
    let weights = weights.as_ref().map(|weights| numbers(weights, "sample_weight")).transpose()?;
    let strengths = ridges(numbers(&strengths, "alpha")?, intercept);
    let accuracy = if certified { Accuracy::Certified } else { Accuracy::Working };
    let names: Vec<String> =
        intercept.then(|| "(intercept)".to_owned()).into_iter().chain(names).collect();
    let solved = run::whole(py, &Interrupt::new(), || {
        (0..outputs)
            .map(|output| {
                let y: Vec<f64> = targets.iter().skip(output).step_by(outputs).copied().collect();
                let problem = problem(inputs, columns, &y, intercept)
                    .with_ridges(strengths.clone())
                    .with_names(names.iter().cloned())
                    .with_accuracy(accuracy);
                match weights {
                    Some(weights) => problem.with_weights(weights).solve(),
                    None => problem.solve(),
                }
            })
            .collect::<Result<Vec<_>, _>>()
    })?;
    let solutions = solved.map_err(errors::wrong)?;
    found(py, &solutions, columns + usize::from(intercept))
}

/// Residuals of every sample by the fit to the others (NaN where it has none), and the fit.
#[pyfunction]
pub fn leave_one_out<'py>(
    py: Python<'py>,
    x: Matrix<'py>,
    y: Vector<'py>,
    weights: Option<Vector<'py>>,
    strengths: Vector<'py>,
    intercept: bool,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyDict>)> {
    let columns = x.as_array().ncols();
    let (inputs, targets) = (rows(&x, "X")?, numbers(&y, "y")?);
    let weights = weights.as_ref().map(|weights| numbers(weights, "sample_weight")).transpose()?;
    let strengths = ridges(numbers(&strengths, "alpha")?, intercept);
    let solved = run::whole(py, &Interrupt::new(), || {
        let problem = problem(inputs, columns, targets, intercept).with_ridges(strengths);
        match weights {
            Some(weights) => problem.with_weights(weights).leave_one_out(),
            None => problem.leave_one_out(),
        }
    })?;
    let solved = solved.map_err(errors::wrong)?;
    let residuals = solved.residuals.iter().map(|one| one.unwrap_or(f64::NAN)).collect();
    let fit = found(py, &[solved.solution], columns + usize::from(intercept))?;
    Ok((vector(py, residuals).into_any(), fit))
}

/// (K + αI)·c = y for every column of y: c, N × t. `alphas` is one, or one for each column.
#[pyfunction]
pub fn kernel_ridge<'py>(
    py: Python<'py>,
    kernel: Matrix<'py>,
    y: Matrix<'py>,
    alphas: Vector<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let n = kernel.as_array().nrows();
    let outputs = y.as_array().ncols();
    if kernel.as_array().ncols() != n || y.as_array().nrows() != n {
        return Err(PyValueError::new_err("the kernel matrix and y do not fit together"));
    }
    let (k, targets) = (rows(&kernel, "K")?, rows(&y, "y")?);
    let alphas = numbers(&alphas, "alpha")?;
    let solved = run::whole(py, &Interrupt::new(), || {
        let k = MatRef::from_row_major_slice(k, n, n);
        let targets = MatRef::from_row_major_slice(targets, n, outputs);
        let factor = |alpha: f64| {
            let shifted =
                Mat::from_fn(n, n, |i, j| if i == j { k[(i, j)] + alpha } else { k[(i, j)] });
            Llt::new(shifted.as_ref(), Side::Lower).ok()
        };
        let mut out = targets.to_owned();
        if let [alpha] = alphas {
            factor(*alpha)?.solve_in_place(out.as_mut());
        } else {
            for (column, alpha) in alphas.iter().enumerate() {
                factor(*alpha)?.solve_in_place(out.as_mut().subcols_mut(column, 1));
            }
        }
        let all: Vec<f64> =
            (0..n).flat_map(|i| (0..outputs).map(move |j| (i, j))).map(|at| out[at]).collect();
        Some(all)
    })?;
    let solved = solved.ok_or_else(|| {
        PyValueError::new_err(
            "the kernel matrix with alpha on its diagonal is not positive definite: take a larger alpha",
        )
    })?;
    Ok(matrix(py, (n, outputs), solved)?.into_any())
}
