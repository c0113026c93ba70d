//! Data sets from arrays.

use crate::arrays::{Matrix, Vector, numbers, rows};
use crate::errors;
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use secant::{Dataset, Targets};

/// What a fit is fitted to, as the Python side hands it over: contiguous and of the right types.
#[derive(FromPyObject)]
pub struct Data<'py> {
    /// N × d.
    #[pyo3(attribute("x"))]
    x: Matrix<'py>,
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

impl Data<'_> {
    /// The data set: the one copy of the numbers.
    pub fn dataset(&self) -> PyResult<Dataset> {
        let features = self.x.as_array().ncols();
        let inputs = rows(&self.x, "X")?.to_vec();
        let targets = match (&self.y, &self.labels) {
            (Some(y), _) => {
                let outputs = y.as_array().ncols();
                Targets::Values { rows: outputs, values: rows(y, "y")?.to_vec() }
            }
            (None, Some(labels)) => {
                let labels = labels.as_slice().map_err(errors::wrong)?.to_vec();
                Targets::Labels { classes: self.classes, labels }
            }
            (None, None) => {
                let samples = self.x.as_array().nrows();
                Targets::Values { rows: 1, values: vec![0.0; samples] }
            }
        };
        let mut data = Dataset::new(features, inputs, targets).map_err(errors::wrong)?;
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
