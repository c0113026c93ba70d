//! `minimize`: functions in Python under every method.

use crate::arrays::{Vector, numbers, optional, vector};
use crate::callbacks::{Raised, number, point, write};
use crate::methods::{Within, method};
use crate::{errors, report, run};
use pyo3::exceptions::PyStopIteration;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use secant::faer::MatMut;
use secant::optim::{OptimError, Progress, Watch};
use secant::{Objective, ObjectiveFn, RunOptions};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

const FUN: usize = 0;
const JAC: usize = 1;
const HESS: usize = 2;

/// The functions of a problem.
struct Functions {
    fun: Py<PyAny>,
    /// Whether `fun` gives the gradient too.
    both: bool,
    jac: Option<Py<PyAny>>,
    hess: Option<Py<PyAny>>,
    hessp: Option<Py<PyAny>>,
    args: Py<PyTuple>,
    /// Calls of `fun`, of `jac`, of `hess` and `hessp`.
    calls: [AtomicU64; 3],
}

impl Functions {
    fn count(&self, kind: usize) {
        self.calls[kind].fetch_add(1, Ordering::Relaxed);
    }

    fn with_args<'py>(
        &self,
        py: Python<'py>,
        function: &Py<PyAny>,
        first: &[Bound<'py, PyAny>],
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut all = first.to_vec();
        all.extend(self.args.bind(py).iter());
        function.bind(py).call1(PyTuple::new(py, all)?)
    }

    fn value(&self, py: Python<'_>, theta: &[f64]) -> PyResult<f64> {
        self.count(FUN);
        let found = self.with_args(py, &self.fun, &[point(py, theta).into_any()])?;
        if self.both {
            return number(&found.get_item(0)?, "fun");
        }
        number(&found, "fun")
    }

    fn value_gradient(&self, py: Python<'_>, theta: &[f64], out: &mut [f64]) -> PyResult<f64> {
        let shape = [theta.len()];
        if self.both {
            self.count(FUN);
            self.count(JAC);
            let found = self.with_args(py, &self.fun, &[point(py, theta).into_any()])?;
            write(&found.get_item(1)?, "the gradient of fun", &shape, out)?;
            return number(&found.get_item(0)?, "fun");
        }
        let value = self.value(py, theta)?;
        if let Some(jac) = &self.jac {
            self.count(JAC);
            let found = self.with_args(py, jac, &[point(py, theta).into_any()])?;
            write(&found, "jac", &shape, out)?;
        }
        Ok(value)
    }

    fn hessian(&self, py: Python<'_>, theta: &[f64], out: &mut [f64]) -> PyResult<()> {
        let Some(hess) = &self.hess else { return Ok(()) };
        self.count(HESS);
        let found = self.with_args(py, hess, &[point(py, theta).into_any()])?;
        write(&found, "hess", &[theta.len(), theta.len()], out)
    }

    fn product(&self, py: Python<'_>, theta: &[f64], v: &[f64], out: &mut [f64]) -> PyResult<()> {
        let Some(hessp) = &self.hessp else { return Ok(()) };
        self.count(HESS);
        let at = [point(py, theta).into_any(), point(py, v).into_any()];
        let found = self.with_args(py, hessp, &at)?;
        write(&found, "hessp", &[theta.len()], out)
    }

    /// The problem, whose functions give NaN from the first exception on.
    fn problem<'a>(&'a self, n: usize, raised: &'a Raised) -> ObjectiveFn<'a> {
        let value =
            move |theta: &[f64]| raised.call(|py| self.value(py, theta)).unwrap_or(f64::NAN);
        let mut problem = if self.both || self.jac.is_some() {
            let value_gradient = move |theta: &[f64], out: &mut [f64]| {
                raised.call(|py| self.value_gradient(py, theta, out)).unwrap_or_else(|| {
                    out.fill(f64::NAN);
                    f64::NAN
                })
            };
            let problem = ObjectiveFn::with_gradient(n, value_gradient);
            if self.both { problem } else { problem.and_value(value) }
        } else {
            ObjectiveFn::new(n, value)
        };
        // Calls of Python take turns, whatever the thread.
        problem = problem.on_one_thread();
        if self.hess.is_some() {
            problem = problem.and_hessian(move |theta: &[f64], mut out: MatMut<'_, f64>| {
                let mut rows = vec![f64::NAN; n * n];
                let _ = raised.call(|py| self.hessian(py, theta, &mut rows));
                for (j, column) in rows.chunks_exact(n).enumerate() {
                    // Symmetric: its rows are its columns.
                    out.as_mut().col_mut(j).iter_mut().zip(column).for_each(|(out, h)| *out = *h);
                }
            });
        }
        if self.hessp.is_some() {
            problem =
                problem.and_hessian_vector(move |theta: &[f64], v: &[f64], out: &mut [f64]| {
                    if raised.call(|py| self.product(py, theta, v, out)).is_none() {
                        out.fill(f64::NAN);
                    }
                });
        }
        problem
    }
}

/// What a callback is told of an iteration.
pub fn progress<'py>(py: Python<'py>, at: &Progress<'_>) -> PyResult<Bound<'py, PyDict>> {
    let told = PyDict::new(py);
    told.set_item("x", point(py, at.theta))?;
    told.set_item("fun", at.value)?;
    told.set_item("nit", at.iteration)?;
    told.set_item("gradient", at.gradient_norm)?;
    told.set_item("step", at.step_length)?;
    told.set_item("nfev", at.evaluations.of_f())?;
    told.set_item("seconds", at.seconds)?;
    told.set_item("start", at.start)?;
    if let Some(validation) = at.validation {
        told.set_item("validation", validation.loss)?;
    }
    Ok(told)
}

/// Shows iterations to `callback`, which ends the run by `StopIteration` or by returning `True`.
pub fn observer<'w>(
    callback: &'w Py<PyAny>,
    raised: &'w Raised,
) -> impl FnMut(&Progress<'_>) -> ControlFlow<()> + Send + 'w {
    move |at| {
        let told = Python::attach(|py| -> PyResult<bool> {
            match callback.bind(py).call1((progress(py, at)?,)) {
                Ok(answer) => Ok(answer.extract::<bool>().unwrap_or(false)),
                Err(error) if error.is_instance_of::<PyStopIteration>(py) => Ok(true),
                Err(error) => Err(error),
            }
        });
        match told {
            Ok(false) => ControlFlow::Continue(()),
            Ok(true) => ControlFlow::Break(()),
            Err(error) => {
                raised.keep(error);
                ControlFlow::Break(())
            }
        }
    }
}

/// What [`minimize`] gives.
type Minimized<'py> =
    (Bound<'py, PyAny>, Bound<'py, PyDict>, Option<Bound<'py, PyAny>>, Bound<'py, PyAny>, [u64; 3]);

/// θ and the report of the minimum of `fun` from `x0`, with `recorded` the iterates, one a row, the gradient there, and how often `fun`, `jac`
/// and `hess` (with `hessp`) were called until then.
#[pyfunction]
#[pyo3(signature = (fun, both, x0, args, jac, hess, hessp, lower, upper, l1, method_name, options, callback, recorded, typical))]
#[expect(clippy::too_many_arguments, reason = "the Python side names them")]
pub fn minimize<'py>(
    py: Python<'py>,
    fun: Py<PyAny>,
    both: bool,
    x0: Vector<'py>,
    args: Py<PyTuple>,
    jac: Option<Py<PyAny>>,
    hess: Option<Py<PyAny>>,
    hessp: Option<Py<PyAny>>,
    lower: Option<Vector<'py>>,
    upper: Option<Vector<'py>>,
    l1: Option<Vector<'py>>,
    method_name: &str,
    options: &str,
    callback: Option<Py<PyAny>>,
    recorded: bool,
    typical: Option<Vector<'py>>,
) -> PyResult<Minimized<'py>> {
    let theta0 = numbers(&x0, "x0")?.to_vec();
    let n = theta0.len();
    let method = method(method_name, Within::of(lower, upper, l1)?, options)?;
    let calls = [const { AtomicU64::new(0) }; 3];
    let functions = Functions { fun, both, jac, hess, hessp, args, calls };
    let raised = Raised::default();
    let typical = optional(typical, "typical")?;
    let done = run::here(py, || {
        let mut problem = functions.problem(n, &raised);
        if let Some(typical) = typical {
            problem = problem.with_typical(typical);
        }
        let mut watch = Watch::new().interrupt(raised.interrupt.clone());
        if let Some(callback) = &callback {
            watch = watch.observe(observer(callback, &raised));
        }
        let options = RunOptions::default().with_recorded(recorded);
        let (solution, iterates) = method.minimize_with(&problem, &theta0, &options, &mut watch)?;
        let counts = functions.calls.each_ref().map(|calls| calls.load(Ordering::Relaxed));
        let mut gradient = vec![f64::NAN; n];
        problem.value_gradient(&solution.theta, &mut gradient);
        Ok::<_, OptimError>((solution, iterates, gradient, counts))
    })?;
    if let Some(error) = raised.take() {
        return Err(error);
    }
    let (solution, iterates, gradient, counts) = done.map_err(|error| errors::of_optim(&error))?;
    let path = recorded.then(|| {
        let all: Vec<f64> = iterates.points().flatten().copied().collect();
        crate::arrays::matrix(py, (all.len() / n.max(1), n), all).map(Bound::into_any)
    });
    let report = report::dictionary(py, &solution.report)?;
    let gradient = vector(py, gradient).into_any();
    Ok((vector(py, solution.theta).into_any(), report, path.transpose()?, gradient, counts))
}
