//! Data sets from arrays.

use crate::arrays::{
    Matrix, SingleMatrix, Vector, numbers, rows, shared, shared_indices, shared_singles,
    shared_vector,
};
use crate::{errors, run};
use numpy::PyReadonlyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rayon::prelude::*;
use secant::data::{SharedIndices, SharedNumbers, SharedSingles};
use secant::{Dataset, SparseInputs, Targets};
use std::sync::Arc;

/// Numbers that are worth a task.
const TASK: usize = 1 << 15;

/// What a fit is fitted to, as the Python side hands it over: contiguous and of the right types.
#[derive(FromPyObject)]
pub struct Data<'py> {
    /// N × d.
    #[pyo3(attribute("x"))]
    x: Option<Table<'py>>,
    /// In place of these.
    #[pyo3(attribute("sparse"))]
    sparse: Option<Sparse<'py>>,
    /// N × c numbers.
    #[pyo3(attribute("y"))]
    y: Option<Matrix<'py>>,
    /// N labels from 0.
    #[pyo3(attribute("labels"))]
    labels: Option<PyReadonlyArray1<'py, u32>>,
    #[pyo3(attribute("classes"))]
    classes: usize,
    #[pyo3(attribute("weights"))]
    weights: Option<Vector<'py>>,
    /// N, or N × c row by row.
    #[pyo3(attribute("offset"))]
    offset: Option<Vector<'py>>,
    #[pyo3(attribute("feature_names"))]
    feature_names: Option<Vec<String>>,
    #[pyo3(attribute("target_names"))]
    target_names: Option<Vec<String>>,
    #[pyo3(attribute("class_names"))]
    class_names: Option<Vec<String>>,
}

/// Inputs in double or in single precision.
#[derive(FromPyObject)]
enum Table<'py> {
    Double(Matrix<'py>),
    Single(SingleMatrix<'py>),
}

/// Inputs as compressed rows.
#[derive(FromPyObject)]
struct Sparse<'py> {
    /// (N, d).
    #[pyo3(attribute("shape"))]
    shape: (usize, usize),
    #[pyo3(attribute("offsets"))]
    offsets: Whole<'py>,
    #[pyo3(attribute("indices"))]
    indices: Whole<'py>,
    #[pyo3(attribute("values"))]
    values: Vector<'py>,
}

/// Whole numbers of the types that SciPy has for them.
#[derive(FromPyObject)]
enum Whole<'py> {
    Short(PyReadonlyArray1<'py, i32>),
    Long(PyReadonlyArray1<'py, i64>),
}

impl Whole<'_> {
    /// Copies of them as numbers of another type, made on all threads.
    fn to<T: Default + Send + TryFrom<i64>>(&self, py: Python<'_>, what: &str) -> PyResult<Vec<T>> {
        match self {
            Self::Short(numbers) => converted(py, numbers.as_slice().map_err(errors::wrong)?, what),
            Self::Long(numbers) => converted(py, numbers.as_slice().map_err(errors::wrong)?, what),
        }
    }

    /// The columns of entries: where they are, if they fit there.
    fn columns(&self, py: Python<'_>) -> PyResult<SharedIndices> {
        if let Self::Short(numbers) = self {
            let all = numbers.as_slice().map_err(errors::wrong)?;
            // Without an exit the look goes by vectors: the sign of one stays in the whole.
            if !all.is_empty() && all.iter().fold(0, |whole, number| whole | number) >= 0 {
                return shared_indices(numbers);
            }
        }
        Ok(Arc::new(self.to::<u32>(py, "columns")?))
    }
}

fn converted<S, T>(py: Python<'_>, numbers: &[S], what: &str) -> PyResult<Vec<T>>
where
    S: Copy + Into<i64> + Sync,
    T: Default + Send + TryFrom<i64>,
{
    let to = |number: &S| T::try_from((*number).into());
    // Without an exit the look goes by vectors.
    let fit =
        |some: &[S]| some.iter().map(|number| usize::from(to(number).is_err())).sum::<usize>() == 0;
    run::here(py, || {
        if numbers.par_chunks(TASK).all(fit) {
            // None is left that would be the default.
            let each = numbers.par_iter().with_min_len(TASK);
            return Ok(each.map(|number| to(number).unwrap_or_default()).collect());
        }
        let wrong = numbers.iter().find(|number| to(number).is_err());
        Err(wrong.map_or(0, |number| (*number).into()))
    })?
    .map_err(|number: i64| {
        PyValueError::new_err(format!("X: the {what} of its entries have {number}"))
    })
}

/// A copy, made on all threads where it is long.
fn copied(py: Python<'_>, numbers: &[f64]) -> PyResult<Vec<f64>> {
    if numbers.len() <= TASK {
        return Ok(numbers.to_vec());
    }
    run::here(py, || numbers.par_iter().with_min_len(TASK).copied().collect())
}

impl Sparse<'_> {
    fn inputs(&self, py: Python<'_>) -> PyResult<SparseInputs> {
        let values = shared_vector(&self.values, "X")?;
        let (offsets, indices) = (self.offsets.to(py, "offsets")?, self.indices.columns(py)?);
        let features = self.shape.1;
        let inputs =
            run::here(py, || SparseInputs::from_shared(features, offsets, indices, values))?;
        inputs.map_err(errors::wrong)
    }
}

/// Inputs of any kind.
enum Inputs {
    Dense(usize, SharedNumbers),
    Single(usize, SharedSingles),
    Sparse(SparseInputs),
}

impl Data<'_> {
    /// The data set, which reads inputs where they are.
    pub fn dataset(&self, py: Python<'_>) -> PyResult<Dataset> {
        self.dataset_to(py, false)
    }

    /// The same, for somebody who standardises all of the inputs, or not.
    pub fn dataset_to(&self, py: Python<'_>, standardize: bool) -> PyResult<Dataset> {
        let (inputs, samples) = match (&self.x, &self.sparse) {
            (Some(Table::Double(x)), _) => {
                let (samples, features) = x.as_array().dim();
                (Inputs::Dense(features, shared(x, "X")?), samples)
            }
            (Some(Table::Single(x)), _) => {
                let (samples, features) = x.as_array().dim();
                (Inputs::Single(features, shared_singles(x, "X")?), samples)
            }
            (None, Some(sparse)) => (Inputs::Sparse(sparse.inputs(py)?), sparse.shape.0),
            (None, None) => return Err(PyValueError::new_err("X is missing")),
        };
        let targets = match (&self.y, &self.labels) {
            (Some(y), _) => {
                let outputs = y.as_array().ncols();
                Targets::Values { rows: outputs, values: copied(py, rows(y, "y")?)? }
            }
            (None, Some(labels)) => {
                let labels = labels.as_slice().map_err(errors::wrong)?.to_vec();
                Targets::Labels { classes: self.classes, labels }
            }
            (None, None) => Targets::Values { rows: 1, values: vec![0.0; samples] },
        };
        let moments = standardize && self.weights.is_none();
        let data = run::here(py, || match inputs {
            Inputs::Dense(features, inputs) if moments => {
                Dataset::from_shared_with_moments(features, inputs, targets)
            }
            Inputs::Dense(features, inputs) => Dataset::from_shared(features, inputs, targets),
            Inputs::Single(features, inputs) => Dataset::from_shared_f32(features, inputs, targets),
            Inputs::Sparse(inputs) => Dataset::from_sparse(inputs, targets),
        })?;
        let mut data = data.map_err(errors::wrong)?;
        if let Some(names) = &self.feature_names {
            data = data.with_feature_names(names.clone()).map_err(errors::wrong)?;
        }
        if let Some(names) = &self.target_names {
            data = data.with_target_names(names.clone()).map_err(errors::wrong)?;
        }
        if let Some(names) = &self.class_names {
            data = data.with_class_names(names.clone()).map_err(errors::wrong)?;
        }
        if let Some(weights) = &self.weights {
            let weights = numbers(weights, "sample_weight")?.to_vec();
            data = data.with_weights(weights).map_err(errors::wrong)?;
        }
        if let Some(offset) = &self.offset {
            let offset = numbers(offset, "offset")?.to_vec();
            data = data.with_offset(offset).map_err(errors::wrong)?;
        }
        Ok(data)
    }
}
