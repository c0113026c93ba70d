//! Data that meet a model by the names of their features.

use super::Model;
use crate::error::FitError;
use crate::feature_match::FeatureMatch;
use secant_core::data::{Dataset, SparseInputs};
use secant_core::predict::outputs_of;
use secant_core::risk::RiskError;
use std::borrow::Cow;

impl Model {
    /// How the features of `data` and those of the model meet, by name.
    pub fn match_features(&self, data: &Dataset) -> FeatureMatch {
        FeatureMatch::new(&self.feature_names, data.feature_names())
    }

    /// The inputs of `data` as the model takes them, d × M column-major: its features, found by name, in its order; other columns are left
    /// out. Without a copy where `data` has just these; see [`Dataset::inputs`].
    ///
    /// # Errors
    /// [`FitError::MissingFeatures`], with [`match_features`](Self::match_features); sparse inputs whose dense table is larger than the
    /// readers' limit ([`sparse_inputs_of`](Self::sparse_inputs_of) has them as they are).
    pub fn inputs_of<'a>(&self, data: &'a Dataset) -> Result<Cow<'a, [f64]>, FitError> {
        let found = self.match_features(data);
        if found.is_exact() {
            return Ok(Cow::Borrowed(data.dense_inputs()?));
        }
        let Some(columns) = found.columns.iter().copied().collect::<Option<Vec<usize>>>() else {
            return Err(FitError::MissingFeatures(Box::new(found)));
        };
        let chosen = |x: &[f64], out: &mut Vec<f64>| out.extend(columns.iter().map(|j| x[*j]));
        let mut out = Vec::with_capacity(columns.len() * data.samples());
        if data.sparse().is_some() {
            let samples = data.dense_inputs()?.chunks_exact(data.features());
            samples.for_each(|x| chosen(x, &mut out));
            return Ok(Cow::Owned(out));
        }
        let mut x = vec![0.0; data.features()];
        for sample in 0..data.samples() {
            data.write_sample(sample, &mut x);
            chosen(&x, &mut out);
        }
        Ok(Cow::Owned(out))
    }

    /// The same of sparse inputs; `None` where `data` has a dense table.
    ///
    /// # Errors
    /// [`FitError::MissingFeatures`].
    pub fn sparse_inputs_of<'a>(
        &self,
        data: &'a Dataset,
    ) -> Result<Option<Cow<'a, SparseInputs>>, FitError> {
        let Some(inputs) = data.sparse() else { return Ok(None) };
        let found = self.match_features(data);
        if found.is_exact() {
            return Ok(Some(Cow::Borrowed(inputs)));
        }
        let Some(columns) = found.columns.iter().copied().collect::<Option<Vec<usize>>>() else {
            return Err(FitError::MissingFeatures(Box::new(found)));
        };
        Ok(Some(Cow::Owned(inputs.select_features(&columns)?)))
    }

    /// [`predict`](Self::predict) for the samples of `data`, c × M: features by name, whatever their order and whatever else there is, and
    /// the offsets added where `data` has some. Sparse inputs stay sparse. Targets are not looked at.
    ///
    /// ```
    /// use secant::{Dataset, Network};
    /// let named = |names: [&str; 2], x: &[f64]| {
    ///     let data = Dataset::from_slices(2, x, 1, &[1.0, 2.0, 5.0])?;
    ///     data.with_feature_names(names.map(String::from).to_vec())
    /// };
    /// let data = named(["age", "height"], &[0.0, 1.0, 1.0, 0.0, 2.0, 3.0])?;
    /// let net = Network::linear(2, 1);
    /// let model = secant::fit(&net, &data).run()?.into_model();
    ///
    /// let swapped = named(["height", "age"], &[1.0, 0.0, 0.0, 1.0, 3.0, 2.0])?;
    /// assert_eq!(model.predict_dataset(&swapped)?, model.predict(data.inputs())?);
    /// let other = named(["height", "aeg"], &[1.0, 0.0, 0.0, 1.0, 3.0, 2.0])?;
    /// let error = model.predict_dataset(&other).unwrap_err().to_string();
    /// assert!(error.contains("1 of 2 features missing: [\"age\"]\n  age: did you mean `aeg`?"), "{error}");
    /// # Ok::<(), secant::FitError>(())
    /// ```
    ///
    /// # Errors
    /// As [`inputs_of`](Self::inputs_of) and [`predict`](Self::predict), and where the offsets are neither one for all outputs nor one for
    /// each.
    pub fn predict_dataset(&self, data: &Dataset) -> Result<Vec<f64>, FitError> {
        let (rows, outputs) = (data.offset_rows(), self.graph.outputs());
        if !(rows <= 1 || rows == outputs) {
            return Err(RiskError::Offset { rows, outputs }.into());
        }
        let mut z = match self.sparse_inputs_of(data)? {
            Some(inputs) => self.predict_sparse(&inputs)?,
            None if self.match_features(data).is_exact() => {
                let scaling = self.input_scaling.as_ref();
                self.in_target_units(outputs_of(&self.graph, &self.theta, data, scaling)?)?
            }
            None => self.predict(&self.inputs_of(data)?)?,
        };
        data.add_offset(&mut z);
        Ok(z)
    }
}
