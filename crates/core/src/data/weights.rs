//! What stands beside inputs and targets: weights of the samples, and offsets of the outputs.
//!
//! A sample of weight w counts as w samples; a mask is a weight of 0. An offset is added to the model's outputs before the loss sees
//! them: ln(exposure) with a log link.

use super::dataset::Offset;
use super::{DataError, Dataset, TargetTile};
use crate::elementwise::sum;
use std::ops::Range;

/// What a loss is told of a run of B samples beside their outputs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SampleTile<'a> {
    pub(crate) targets: TargetTile<'a>,
    /// B weights; 1 each where there are none.
    pub(crate) weights: Option<&'a [f64]>,
    /// rows × B, rows 1 or c.
    pub(crate) offset: Option<&'a [f64]>,
}

/// Buffers that [`Dataset::gather_tile`] fills.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// Targets that are numbers: c × B.
    numbers: Vec<f64>,
    /// Targets that are classes: B.
    labels: Vec<u32>,
    weights: Vec<f64>,
    offset: Vec<f64>,
}

impl Dataset {
    /// Gives every sample a weight: N numbers, finite, 0 or more, not all 0. A mean over the samples is then Σ wᵢℓᵢ/Σ wᵢ, so that a whole
    /// number counts as as many copies of its sample, and 0 leaves it out. Standardisation counts in the same way.
    ///
    /// ```
    /// use secant_core::data::Dataset;
    /// let data = Dataset::from_slices(1, &[1.0, 2.0, 3.0], 1, &[1.0, 5.0, 9.0])?;
    /// let error = data.clone().with_weights(vec![1.0, -2.0, 0.0]).unwrap_err();
    /// assert_eq!(error.to_string(), "the weight of sample 1 (from 0) is -2, expected a finite number, 0 or more");
    /// assert_eq!(data.with_weights(vec![1.0, 2.0, 0.0])?.total_weight(), 3.0);
    /// # Ok::<(), secant_core::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// Another number of weights than samples; one that is negative or not finite, with its sample; a sum that is 0, or not finite, or whose
    /// inverse is not.
    pub fn with_weights(mut self, weights: Vec<f64>) -> Result<Self, DataError> {
        super::columns::check_count("weights", self.samples(), weights.len())?;
        if let Some(sample) = weights.iter().position(|w| !(*w >= 0.0 && w.is_finite())) {
            return Err(DataError::Weight { sample, found: weights[sample] });
        }
        let total = sum(&weights);
        if !(total > 0.0 && total.is_finite() && total.recip().is_finite()) {
            return Err(DataError::TotalWeight { samples: weights.len(), total });
        }
        self.weights = Some(weights);
        Ok(self)
    }

    /// Gives every sample an offset, added to the model's outputs before the loss: 1 × N (the same for all outputs) or c × N numbers,
    /// column-major, c the outputs of the model. With a log link the logarithm of the exposure.
    ///
    /// A prediction knows inputs only, and is without offset: add that of the new samples to the outputs.
    ///
    /// # Errors
    /// A length that is no multiple of N; NaN or infinity.
    pub fn with_offset(mut self, offset: Vec<f64>) -> Result<Self, DataError> {
        let samples = self.samples();
        let rows = offset.len().div_ceil(samples).max(1);
        super::columns::check_count("offsets", rows * samples, offset.len())?;
        let names: Vec<String> = (1..=rows).map(|row| format!("offset {row}")).collect();
        super::columns::check_finite(rows, offset[..].into(), "offsets", &names)?;
        self.offset = Some(Offset { rows, values: offset });
        Ok(self)
    }

    /// The N weights; `None` where all samples count alike.
    pub fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }

    /// The offsets, column-major, [`offset_rows`](Self::offset_rows) × N; `None` where there are none.
    pub fn offset(&self) -> Option<&[f64]> {
        self.offset.as_ref().map(|offset| &offset.values[..])
    }

    /// Offsets per sample: 0, 1 or the outputs of a model.
    pub fn offset_rows(&self) -> usize {
        self.offset.as_ref().map_or(0, |offset| offset.rows)
    }

    /// `z` += the offsets, for outputs z of all N samples (c × N, column-major). Nothing where there are none.
    ///
    /// # Panics
    /// Where the offsets are neither 1 nor c per sample.
    pub fn add_offset(&self, z: &mut [f64]) {
        let Some(offset) = &self.offset else { return };
        let c = z.len() / self.samples();
        assert!(offset.rows == 1 || offset.rows == c, "{} offsets for {c} outputs", offset.rows);
        for (at, z) in z.iter_mut().enumerate() {
            *z += if offset.rows == 1 { offset.values[at / c] } else { offset.values[at] };
        }
    }

    /// Σ wᵢ, or N.
    pub fn total_weight(&self) -> f64 {
        self.weights.as_ref().map_or(self.samples() as f64, |weights| sum(weights))
    }

    /// What the loss is told of the samples in `range`.
    pub(crate) fn tile(&self, range: Range<usize>) -> SampleTile<'_> {
        let rows = self.offset_rows();
        SampleTile {
            targets: self.targets().tile(range.clone()),
            weights: self.weights().map(|weights| &weights[range.clone()]),
            offset: self.offset().map(|offset| &offset[range.start * rows..range.end * rows]),
        }
    }

    /// The same of the samples that `indices` names, copied into `out`. Allocates nothing where that has room.
    pub(crate) fn gather_tile<'b>(
        &self,
        indices: &[usize],
        out: &'b mut Gathered,
    ) -> SampleTile<'b> {
        let Gathered { numbers, labels, weights, offset } = out;
        let into = super::columns::gather_into::<f64>;
        let rows = self.offset_rows();
        SampleTile {
            targets: self.targets().gather_tile(indices, numbers, labels),
            weights: self.weights().map(|all| {
                into(1, all, indices, weights);
                &weights[..]
            }),
            offset: self.offset().map(|all| {
                into(rows, all, indices, offset);
                &offset[..]
            }),
        }
    }

    /// Weights and offsets of the samples that `indices` names go to `part`, which has those samples.
    pub(super) fn gather_beside(
        &self,
        indices: &[usize],
        mut part: Self,
    ) -> Result<Self, DataError> {
        let gather = super::columns::gather::<f64>;
        if let Some(offset) = &self.offset {
            part = part.with_offset(gather(offset.rows, &offset.values, indices))?;
        }
        match &self.weights {
            Some(weights) => part.with_weights(gather(1, weights, indices)),
            None => Ok(part),
        }
    }
}

impl Gathered {
    /// Room for `samples` samples of `data`.
    pub(crate) fn with_room(data: &Dataset, samples: usize) -> Self {
        let room = |rows: usize| rows * samples;
        let targets = data.targets();
        Self {
            numbers: Vec::with_capacity(room(targets.values().map_or(0, |_| targets.outputs()))),
            labels: Vec::with_capacity(room(targets.labels().map_or(0, |_| 1))),
            weights: Vec::with_capacity(room(data.weights().map_or(0, |_| 1))),
            offset: Vec::with_capacity(room(data.offset_rows())),
        }
    }
}
