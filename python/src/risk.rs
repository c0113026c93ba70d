//! The objective of a fit, for whoever minimises it: value, gradient, curvature, and every method of the engine.

use crate::arrays::{Vector, matrix, numbers, parameters, room, vector};
use crate::callbacks::Raised;
use crate::data::Data;
use crate::methods::{Within, method};
use crate::minimize::observer;
use crate::model::PyNetwork;
use crate::{errors, report, run};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use secant::description::Choice;
use secant::faer::Mat;
use secant::loss::Loss;
use secant::optim::Watch;
use secant::penalty::Penalty;
use secant::risk::Linearized;
use secant::{
    Curvature, Dataset, Graph, Interrupt, Linearization, NoPenalty, Objective, Risk, RunOptions,
    SoftmaxCrossEntropy, SquaredError, Targets,
};
use self_cell::self_cell;
use std::sync::Arc;

pub struct Owner {
    graph: Arc<Graph>,
    data: Dataset,
}

type Borrowed<'a> = Risk<'a>;

self_cell! {
    struct Kept {
        owner: Owner,
        #[covariant]
        dependent: Borrowed,
    }
}

impl Kept {
    /// Operations of a pass over the data.
    fn operations(&self) -> usize {
        let owner = self.borrow_owner();
        owner.graph.flops().saturating_mul(owner.data.samples())
    }
}

/// Mean loss over data plus penalty.
#[pyclass(frozen, name = "Risk", module = "secant._core")]
pub struct PyRisk(Arc<Kept>);

/// A loss from its description: `"squared"`, `{"quantile": {…}}`.
pub fn loss(description: &str) -> PyResult<Arc<dyn Loss>> {
    let choice: Choice = serde_json::from_str(description).map_err(errors::wrong)?;
    Ok(choice.loss().map_err(errors::wrong)?.into())
}

/// The same, or that of the targets.
pub fn loss_of(description: Option<&str>, targets: &Targets) -> PyResult<Arc<dyn Loss>> {
    Ok(match (description, targets) {
        (Some(description), _) => loss(description)?,
        (None, Targets::Values { .. }) => Arc::new(SquaredError),
        (None, Targets::Labels { .. }) => Arc::new(SoftmaxCrossEntropy),
    })
}

/// The same of a penalty.
pub fn penalty(description: Option<&str>) -> PyResult<Arc<dyn Penalty>> {
    let Some(description) = description else { return Ok(Arc::new(NoPenalty)) };
    let choice: Choice = serde_json::from_str(description).map_err(errors::wrong)?;
    Ok(choice.penalty().map_err(errors::wrong)?.into())
}

impl PyRisk {
    pub fn risk(&self) -> &Risk<'_> {
        self.0.borrow_dependent()
    }

    fn theta(&self, theta: &Vector<'_>) -> PyResult<Vec<f64>> {
        parameters(theta, "theta", self.risk().dim())
    }

    /// What the risk does, off the interpreter's lock.
    fn off<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Risk<'_>) -> T + Send,
    ) -> PyResult<T> {
        run::unless_small(py, self.0.operations(), || work(self.risk()))
    }
}

#[pymethods]
impl PyRisk {
    #[new]
    #[pyo3(signature = (network, data, loss_description=None, penalty_description=None))]
    fn new(
        py: Python<'_>,
        network: &PyNetwork,
        data: Data<'_>,
        loss_description: Option<&str>,
        penalty_description: Option<&str>,
    ) -> PyResult<Self> {
        let data = data.dataset(py)?;
        let loss = loss_of(loss_description, data.targets())?;
        let penalty = penalty(penalty_description)?;
        let owner = Owner { graph: network.graph()?, data };
        let kept = py.detach(|| {
            Kept::try_new(owner, |owner| {
                Risk::from_shared(&owner.graph, &owner.data, loss, penalty)
            })
        });
        Ok(Self(Arc::new(kept.map_err(errors::wrong)?)))
    }

    /// n.
    #[getter]
    fn dim(&self) -> usize {
        self.risk().dim()
    }

    fn value(&self, py: Python<'_>, theta: Vector<'_>) -> PyResult<f64> {
        let theta = self.theta(&theta)?;
        self.off(py, |risk| risk.value(&theta))
    }

    fn value_and_grad<'py>(
        &self,
        py: Python<'py>,
        theta: Vector<'py>,
    ) -> PyResult<(f64, Bound<'py, PyAny>)> {
        let theta = self.theta(&theta)?;
        let (value, gradient) = self.off(py, |risk| {
            let mut gradient = vec![0.0; theta.len()];
            (risk.value_gradient(&theta, &mut gradient), gradient)
        })?;
        Ok((value, vector(py, gradient).into_any()))
    }

    fn linearize(&self, py: Python<'_>, theta: Vector<'_>) -> PyResult<PyLinearized> {
        let theta = self.theta(&theta)?;
        let kept = self.0.clone();
        run::whole(py, &Interrupt::new(), move || {
            PyLinearized(At::new(kept, |kept| kept.borrow_dependent().linearize(&theta)))
        })
    }

    /// r and J (m × n) of a sum of squares; `None` where it is none.
    fn residuals<'py>(
        &self,
        py: Python<'py>,
        theta: Vector<'py>,
    ) -> PyResult<Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)>> {
        let theta = self.theta(&theta)?;
        let n = theta.len();
        let m = self.risk().as_least_squares().map_or(0, |squares| squares.residual_len());
        room(m, n)?;
        let found = self.off(py, |risk| {
            let squares = risk.as_least_squares()?;
            let m = squares.residual_len();
            let (mut r, mut jacobian) = (vec![0.0; m], Mat::zeros(m, n));
            squares.jacobian(&theta, &mut r, jacobian.as_mut());
            Some((r, rows_of(&jacobian)))
        })?;
        let Some((r, jacobian)) = found else { return Ok(None) };
        let shape = (r.len(), n);
        Ok(Some((vector(py, r).into_any(), matrix(py, shape, jacobian)?.into_any())))
    }

    /// θ and the report of a minimum from `theta0`.
    #[pyo3(signature = (theta0, method_name="auto", options="{}", lower=None, upper=None, l1=None, callback=None))]
    #[expect(clippy::too_many_arguments, reason = "the Python side names them")]
    fn minimize<'py>(
        &self,
        py: Python<'py>,
        theta0: Vector<'py>,
        method_name: &str,
        options: &str,
        lower: Option<Vector<'py>>,
        upper: Option<Vector<'py>>,
        l1: Option<Vector<'py>>,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyDict>)> {
        let theta0 = numbers(&theta0, "theta0")?.to_vec();
        let method = method(method_name, Within::of(lower, upper, l1)?, options)?;
        let raised = Raised::default();
        let (done, signal) = run::away(py, &raised.interrupt, || {
            let mut watch = Watch::new().interrupt(raised.interrupt.clone());
            if let Some(callback) = &callback {
                watch = watch.observe(observer(callback, &raised));
            }
            method.minimize_with(self.risk(), &theta0, &RunOptions::default(), &mut watch)
        })?;
        if let Some(error) = raised.take().or(signal) {
            return Err(error);
        }
        let (solution, _) = done.map_err(|error| errors::of_optim(&error))?;
        let report = report::dictionary(py, &solution.report)?;
        Ok((vector(py, solution.theta).into_any(), report))
    }
}

type LinearizedAt<'a> = Linearized<'a>;

self_cell! {
    struct At {
        owner: Arc<Kept>,
        #[not_covariant]
        dependent: LinearizedAt,
    }
}

/// A risk at one θ.
#[pyclass(frozen, name = "Linearized", module = "secant._core")]
pub struct PyLinearized(At);

impl PyLinearized {
    fn product<'py>(
        &self,
        py: Python<'py>,
        v: &Vector<'py>,
        of: impl Fn(&LinearizedAt<'_>, &[f64], &mut [f64]) + Sync,
    ) -> PyResult<Bound<'py, PyAny>> {
        let n = self.0.borrow_owner().borrow_dependent().dim();
        let v = parameters(v, "v", n)?;
        let out = run::unless_small(py, self.0.borrow_owner().operations(), || {
            let mut out = vec![0.0; n];
            self.0.with_dependent(|_, at| of(at, &v, &mut out));
            out
        })?;
        Ok(vector(py, out).into_any())
    }

    fn matrix<'py>(
        &self,
        py: Python<'py>,
        of: impl Fn(&LinearizedAt<'_>, &mut Mat<f64>) + Sync,
    ) -> PyResult<Bound<'py, PyAny>> {
        let n = self.0.borrow_owner().borrow_dependent().dim();
        room(n, n)?;
        let out = run::whole(py, &Interrupt::new(), || {
            let mut out = Mat::zeros(n, n);
            self.0.with_dependent(|_, at| of(at, &mut out));
            rows_of(&out)
        })?;
        Ok(matrix(py, (n, n), out)?.into_any())
    }
}

fn rows_of(matrix: &Mat<f64>) -> Vec<f64> {
    let columns = matrix.ncols();
    (0..matrix.nrows()).flat_map(|i| (0..columns).map(move |j| matrix[(i, j)])).collect()
}

#[pymethods]
impl PyLinearized {
    #[getter]
    fn value(&self) -> f64 {
        self.0.with_dependent(|_, at| at.value())
    }

    #[getter]
    fn gradient<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        vector(py, self.0.with_dependent(|_, at| at.gradient().to_vec())).into_any()
    }

    fn hvp<'py>(&self, py: Python<'py>, v: Vector<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.product(py, &v, |at, v, out| at.hessian_vector(v, out))
    }

    fn ggnvp<'py>(&self, py: Python<'py>, v: Vector<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.product(py, &v, |at, v, out| at.gauss_newton_vector(v, out))
    }

    fn hessian<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.matrix(py, |at, out| at.hessian(out.as_mut()))
    }

    fn gauss_newton<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.matrix(py, |at, out| at.gauss_newton(out.as_mut()))
    }
}
