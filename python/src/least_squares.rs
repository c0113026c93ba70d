//! `least_squares`: residuals in Python.

use crate::arrays::{Vector, matrix, numbers, optional, vector};
use crate::callbacks::{Raised, point, write};
use crate::methods::{Within, method};
use crate::minimize::observer;
use crate::{errors, report, run};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use secant::faer::{Mat, MatMut};
use secant::optim::{OptimError, Solution, Watch};
use secant::{LeastSquares, LeastSquaresFn, Rho, RobustLeastSquares, RunOptions};
use std::sync::atomic::{AtomicU64, Ordering};

struct Functions {
    fun: Py<PyAny>,
    jac: Option<Py<PyAny>>,
    args: Py<PyTuple>,
    kwargs: Py<PyDict>,
    /// Calls of `fun` and of `jac`.
    calls: [AtomicU64; 2],
}

impl Functions {
    fn call<'py>(
        &self,
        py: Python<'py>,
        function: &Py<PyAny>,
        theta: &[f64],
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut all = vec![point(py, theta).into_any()];
        all.extend(self.args.bind(py).iter());
        function.bind(py).call(PyTuple::new(py, all)?, Some(self.kwargs.bind(py)))
    }

    fn problem<'a>(&'a self, n: usize, m: usize, raised: &'a Raised) -> LeastSquaresFn<'a> {
        let problem = LeastSquaresFn::new(n, m, move |theta: &[f64], out: &mut [f64]| {
            self.calls[0].fetch_add(1, Ordering::Relaxed);
            let written =
                raised.call(|py| write(&self.call(py, &self.fun, theta)?, "fun", &[m], out));
            if written.is_none() {
                out.fill(f64::NAN);
            }
        });
        // Calls of Python take turns, whatever the thread.
        let problem = problem.on_one_thread();
        let Some(jac) = &self.jac else { return problem };
        problem.with_jacobian(move |theta: &[f64], mut out: MatMut<'_, f64>| {
            self.calls[1].fetch_add(1, Ordering::Relaxed);
            let mut rows = vec![f64::NAN; m * n];
            let _ = raised.call(|py| write(&self.call(py, jac, theta)?, "jac", &[m, n], &mut rows));
            for (i, row) in rows.chunks_exact(n).enumerate() {
                for (j, entry) in row.iter().enumerate() {
                    out[(i, j)] = *entry;
                }
            }
        })
    }
}

/// ρ by SciPy's names and ours.
pub fn rho(name: &str) -> PyResult<Rho> {
    let ours = if name == "linear" { "squared".to_owned() } else { name.replace('_', "-") };
    Rho::ALL.into_iter().find(|rho| rho.name() == ours).ok_or_else(|| {
        let name = report::quoted(name);
        PyValueError::new_err(format!(
            "no loss `{name}`: expected one of linear, huber, soft_l1, cauchy, tukey"
        ))
    })
}

/// What [`least_squares`] gives.
type Solved<'py> =
    (Bound<'py, PyAny>, Bound<'py, PyDict>, Bound<'py, PyAny>, Bound<'py, PyAny>, [u64; 2]);

/// θ, the report, the residuals, J there, and how often `fun` and `jac` were called until then, of the minimum of ½Σ f²ρ(rᵢ²/f²) from `x0`, where f is `scale`.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "the Python side names them")]
pub fn least_squares<'py>(
    py: Python<'py>,
    fun: Py<PyAny>,
    residuals: usize,
    x0: Vector<'py>,
    args: Py<PyTuple>,
    kwargs: Py<PyDict>,
    jac: Option<Py<PyAny>>,
    lower: Option<Vector<'py>>,
    upper: Option<Vector<'py>>,
    loss: &str,
    scale: f64,
    method_name: &str,
    options: &str,
    callback: Option<Py<PyAny>>,
    typical: Option<Vector<'py>>,
) -> PyResult<Solved<'py>> {
    let theta0 = numbers(&x0, "x0")?.to_vec();
    let (m, n) = (residuals, theta0.len());
    let rho = rho(loss)?;
    let method = method(method_name, Within::of(lower, upper, None)?, options)?;
    let calls = [const { AtomicU64::new(0) }; 2];
    let functions = Functions { fun, jac, args, kwargs, calls };
    let raised = Raised::default();
    let typical = optional(typical, "x_scale")?;
    let done = run::here(py, || {
        let mut problem = functions.problem(n, m, &raised);
        if let Some(typical) = typical {
            problem = problem.with_typical(typical);
        }
        let mut watch = Watch::new().interrupt(raised.interrupt.clone());
        if let Some(callback) = &callback {
            watch = watch.observe(observer(callback, &raised));
        }
        let options = RunOptions::default();
        let solution: Result<Solution, OptimError> = if rho == Rho::Squared {
            method.minimize_with(&problem, &theta0, &options, &mut watch).map(|(found, _)| found)
        } else {
            RobustLeastSquares::new(&problem, rho, scale).and_then(|robust| {
                method.minimize_with(&robust, &theta0, &options, &mut watch).map(|(found, _)| found)
            })
        };
        let solution = solution?;
        let counts = functions.calls.each_ref().map(|calls| calls.load(Ordering::Relaxed));
        let (mut r, mut jacobian) = (vec![0.0; m], Mat::zeros(m, n));
        LeastSquares::jacobian(&problem, &solution.theta, &mut r, jacobian.as_mut());
        Ok::<_, OptimError>((solution, r, jacobian, counts))
    })?;
    if let Some(error) = raised.take() {
        return Err(error);
    }
    let (solution, r, jacobian, counts) = done.map_err(|error| errors::of_optim(&error))?;
    let rows = (0..m).flat_map(|i| (0..n).map(move |j| (i, j))).map(|at| jacobian[at]).collect();
    Ok((
        vector(py, solution.theta).into_any(),
        report::dictionary(py, &solution.report)?,
        vector(py, r).into_any(),
        matrix(py, (m, n), rows)?.into_any(),
        counts,
    ))
}
