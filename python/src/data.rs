//! Data sets from arrays.

use crate::arrays::{Matrix, SingleMatrix, Vector, numbers, rows, shared, shared_singles};
use crate::errors;
use numpy::PyReadonlyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use secant::data::{SharedNumbers, SharedSingles};
use secant::{Dataset, SparseInputs, Targets};

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
    offsets: PyReadonlyArray1<'py, u64>,
    #[pyo3(attribute("indices"))]
    indices: PyReadonlyArray1<'py, u32>,
    #[pyo3(attribute("values"))]
    values: Vector<'py>,
}

impl Sparse<'_> {
    fn inputs(&self) -> PyResult<SparseInputs> {
        let offsets = self.offsets.as_slice().map_err(errors::wrong)?;
        let offsets: Result<Vec<usize>, _> = offsets.iter().map(|&at| at.try_into()).collect();
        let indices = self.indices.as_slice().map_err(errors::wrong)?.to_vec();
        let values = numbers(&self.values, "X")?.to_vec();
        let inputs =
            SparseInputs::new(self.shape.1, offsets.map_err(errors::wrong)?, indices, values);
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
