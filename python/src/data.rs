//! Data sets from arrays.

use crate::arrays::{Matrix, SingleMatrix, Vector, numbers, rows, shared, shared_singles};
use crate::{errors, run};
use numpy::PyReadonlyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rayon::prelude::*;
use secant::data::{SharedNumbers, SharedSingles};
use secant::{Dataset, SparseInputs, Targets};

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
}

fn converted<S, T>(py: Python<'_>, numbers: &[S], what: &str) -> PyResult<Vec<T>>
where
    S: Copy + Into<i64> + Sync,
    T: Default + Send + TryFrom<i64>,
{
    let to = |number: &S| T::try_from((*number).into());
    run::here(py, || {
        let each = || numbers.par_iter().with_min_len(TASK);
        match each().find_first(|number| to(number).is_err()) {
            // None is left that would be the default.
            None => Ok(each().map(|number| to(number).unwrap_or_default()).collect()),
            Some(number) => Err((*number).into()),
        }
    })?
    .map_err(|number: i64| {
        PyValueError::new_err(format!("X: the {what} of its entries have {number}"))
    })
}

impl Sparse<'_> {
    fn inputs(&self) -> PyResult<SparseInputs> {
        let (py, values) = (self.values.py(), numbers(&self.values, "X")?);
        let (offsets, indices) = (self.offsets.to(py, "offsets")?, self.indices.to(py, "columns")?);
        let features = self.shape.1;
        let inputs = run::here(py, || {
            let values = values.par_iter().with_min_len(TASK).copied().collect();
            SparseInputs::new(features, offsets, indices, values)
        })?;
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
    /// The data set, which reads dense inputs where they are.
    pub fn dataset(&self) -> PyResult<Dataset> {
        let (inputs, samples) = match (&self.x, &self.sparse) {
            (Some(Table::Double(x)), _) => {
                let (samples, features) = x.as_array().dim();
                (Inputs::Dense(features, shared(x, "X")?), samples)
            }
            (Some(Table::Single(x)), _) => {
                let (samples, features) = x.as_array().dim();
                (Inputs::Single(features, shared_singles(x, "X")?), samples)
            }
            (None, Some(sparse)) => (Inputs::Sparse(sparse.inputs()?), sparse.shape.0),
            (None, None) => return Err(PyValueError::new_err("X is missing")),
        };
        let targets = match (&self.y, &self.labels) {
            (Some(y), _) => {
                let outputs = y.as_array().ncols();
                Targets::Values { rows: outputs, values: rows(y, "y")?.to_vec() }
            }
            (None, Some(labels)) => {
                let labels = labels.as_slice().map_err(errors::wrong)?.to_vec();
                Targets::Labels { classes: self.classes, labels }
            }
            (None, None) => Targets::Values { rows: 1, values: vec![0.0; samples] },
        };
        let data = match inputs {
            Inputs::Dense(features, inputs) => Dataset::from_shared(features, inputs, targets),
            Inputs::Single(features, inputs) => Dataset::from_shared_f32(features, inputs, targets),
            Inputs::Sparse(inputs) => Dataset::from_sparse(inputs, targets),
        };
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
