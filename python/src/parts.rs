//! A risk whose samples lie in several processes: each has a part of it, and what the parts say is folded.

use crate::arrays::{Vector, numbers, parameters, vector};
use crate::data::Data;
use crate::model::PyNetwork;
use crate::risk::{loss_of, penalty};
use crate::{errors, run};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use secant::risk::{Layout, Partials, PartialsError, RiskPart, Second};
use secant::{Dataset, Graph, Interrupt};
use self_cell::self_cell;
use std::ops::Range;
use std::sync::Arc;

/// How samples are cut into blocks.
#[pyclass(frozen, name = "Layout", module = "secant._core")]
pub struct PyLayout(Layout);

impl PyLayout {
    fn blocks_of(&self, (start, end): (usize, usize)) -> PyResult<Range<usize>> {
        let all = self.0.blocks();
        if start <= end && end <= all {
            return Ok(start..end);
        }
        let words = format!("blocks {start} to {end}: there are {all}");
        Err(PyValueError::new_err(words))
    }
}

#[pymethods]
impl PyLayout {
    #[new]
    #[pyo3(signature = (network, samples, weights=None))]
    fn new(network: &PyNetwork, samples: usize, weights: Option<Vector<'_>>) -> PyResult<Self> {
        let weights =
            weights.as_ref().map(|weights| numbers(weights, "sample_weight")).transpose()?;
        let graph = network.graph()?;
        Ok(Self(Layout::new(&graph, samples, weights).map_err(errors::wrong)?))
    }

    #[getter]
    fn blocks(&self) -> usize {
        self.0.blocks()
    }

    #[getter]
    fn samples(&self) -> usize {
        self.0.samples()
    }

    fn split(&self, parts: usize) -> Vec<(usize, usize)> {
        self.0.split(parts).into_iter().map(|blocks| (blocks.start, blocks.end)).collect()
    }

    fn samples_of(&self, blocks: (usize, usize)) -> PyResult<(usize, usize)> {
        let samples = self.0.samples_of(&self.blocks_of(blocks)?);
        Ok((samples.start, samples.end))
    }
}

/// What a run of blocks adds to a sum.
#[pyclass(frozen, name = "Partials", module = "secant._core")]
pub struct PyPartials(Partials);

#[pymethods]
impl PyPartials {
    #[new]
    fn new(
        blocks: (usize, usize),
        all_blocks: usize,
        width: u32,
        nodes: Vector<'_>,
        losses: Vector<'_>,
    ) -> PyResult<Self> {
        let (nodes, losses) = (numbers(&nodes, "nodes")?, numbers(&losses, "losses")?);
        let (nodes, losses) = (nodes.to_vec(), losses.to_vec());
        Partials::new(blocks.0..blocks.1, all_blocks, width as usize, nodes, losses)
            .map(Self)
            .map_err(errors::wrong)
    }

    #[getter]
    fn blocks(&self) -> (usize, usize) {
        (self.0.blocks().start, self.0.blocks().end)
    }

    #[getter]
    fn all_blocks(&self) -> usize {
        self.0.all_blocks()
    }

    #[getter]
    fn width(&self) -> usize {
        self.0.width()
    }

    #[getter]
    fn nodes<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        vector(py, self.0.nodes().to_vec()).into_any()
    }

    #[getter]
    fn losses<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        vector(py, self.0.losses().to_vec()).into_any()
    }

    fn join(&self, next: &Self) -> PyResult<Self> {
        self.0.clone().join(next.0.clone()).map(Self).map_err(errors::wrong)
    }

    #[staticmethod]
    fn fold(parts: Vec<PyRef<'_, Self>>) -> PyResult<Self> {
        let parts = parts.iter().map(|part| part.0.clone());
        Partials::fold(parts).map(Self).map_err(errors::wrong)
    }
}

struct Owner {
    graph: Arc<Graph>,
    data: Dataset,
}

type Borrowed<'a> = RiskPart<'a>;

self_cell! {
    struct Kept {
        owner: Owner,
        #[covariant]
        dependent: Borrowed,
    }
}

/// The risk over the samples of some blocks.
#[pyclass(frozen, name = "RiskPart", module = "secant._core")]
pub struct PyRiskPart(Kept);

impl PyRiskPart {
    fn part(&self) -> &RiskPart<'_> {
        self.0.borrow_dependent()
    }

    /// n numbers.
    fn sized(&self, given: &Vector<'_>, name: &str) -> PyResult<Vec<f64>> {
        parameters(given, name, self.part().dim())
    }

    /// What the part does, off the interpreter's lock.
    fn off<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&RiskPart<'_>) -> T + Send,
    ) -> PyResult<T> {
        run::whole(py, &Interrupt::new(), || work(self.part()))
    }
}

/// H or G.
fn second(of_gauss_newton: bool) -> Second {
    if of_gauss_newton { Second::GaussNewton } else { Second::Hessian }
}

#[pymethods]
impl PyRiskPart {
    #[new]
    #[pyo3(signature = (network, data, layout, blocks, loss_description=None, penalty_description=None))]
    fn new(
        py: Python<'_>,
        network: &PyNetwork,
        data: Data<'_>,
        layout: &PyLayout,
        blocks: (usize, usize),
        loss_description: Option<&str>,
        penalty_description: Option<&str>,
    ) -> PyResult<Self> {
        let data = data.dataset(py)?;
        let how = (loss_of(loss_description, data.targets())?, penalty(penalty_description)?);
        let (blocks, layout) = (layout.blocks_of(blocks)?, &layout.0);
        let owner = Owner { graph: network.graph()?, data };
        let kept = py.detach(|| {
            Kept::try_new(owner, |owner| {
                RiskPart::new(&owner.graph, &owner.data, how, layout, &blocks)
            })
        });
        Ok(Self(kept.map_err(errors::wrong)?))
    }

    /// n.
    #[getter]
    fn dim(&self) -> usize {
        self.part().dim()
    }

    fn value(&self, py: Python<'_>, theta: Vector<'_>) -> PyResult<PyPartials> {
        let theta = self.sized(&theta, "theta")?;
        self.off(py, |part| PyPartials(part.value(&theta)))
    }

    fn value_and_grad(&self, py: Python<'_>, theta: Vector<'_>) -> PyResult<PyPartials> {
        let theta = self.sized(&theta, "theta")?;
        self.off(py, |part| PyPartials(part.value_gradient(&theta)))
    }

    fn product(
        &self,
        py: Python<'_>,
        theta: Vector<'_>,
        v: Vector<'_>,
        gauss_newton: bool,
    ) -> PyResult<PyPartials> {
        let (theta, v) = (self.sized(&theta, "theta")?, self.sized(&v, "v")?);
        self.off(py, |part| PyPartials(part.linearize(&theta).0.product(second(gauss_newton), &v)))
    }

    fn finish_value(&self, theta: Vector<'_>, sums: &PyPartials) -> PyResult<f64> {
        let theta = self.sized(&theta, "theta")?;
        self.part().finish_value(&theta, &sums.0).map_err(errors::wrong)
    }

    fn finish_value_and_grad<'py>(
        &self,
        py: Python<'py>,
        theta: Vector<'py>,
        sums: &PyPartials,
    ) -> PyResult<(f64, Bound<'py, PyAny>)> {
        let theta = self.sized(&theta, "theta")?;
        let mut gradient = vec![0.0; theta.len()];
        let value = self.part().finish_value_gradient(&theta, &sums.0, &mut gradient);
        Ok((value.map_err(errors::wrong)?, vector(py, gradient).into_any()))
    }

    fn finish_product<'py>(
        &self,
        py: Python<'py>,
        theta: Vector<'py>,
        v: Vector<'py>,
        sums: &PyPartials,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (theta, v) = (self.sized(&theta, "theta")?, self.sized(&v, "v")?);
        let done = self.off(py, |part| {
            let mut out = vec![0.0; v.len()];
            part.linearize(&theta).0.finish_product(&v, &sums.0, &mut out)?;
            Ok::<_, PartialsError>(out)
        })?;
        Ok(vector(py, done.map_err(errors::wrong)?).into_any())
    }
}
