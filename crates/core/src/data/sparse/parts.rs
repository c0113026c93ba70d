//! Some of the samples, tiles of them, and the same samples with other numbers.

use super::SparseInputs;
use crate::data::DataError;
use std::ops::Range;

/// A run of B samples: a window on compressed sparse rows.
#[derive(Clone, Copy, Debug)]
pub struct SparseTile<'a> {
    /// B + 1, into all entries.
    offsets: &'a [usize],
    indices: &'a [u32],
    values: &'a [f64],
}

impl<'a> SparseTile<'a> {
    /// B.
    pub fn samples(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The entries of sample `index` of the run: their features, ascending, and their values.
    ///
    /// # Panics
    /// Where `index` ≥ B, as a slice does.
    #[inline]
    pub fn row(&self, index: usize) -> (&'a [u32], &'a [f64]) {
        let row = self.offsets[index]..self.offsets[index + 1];
        (&self.indices[row.clone()], &self.values[row])
    }

    /// The entries of all samples, one after the other.
    #[inline(always)]
    pub fn rows(self) -> impl Iterator<Item = (&'a [u32], &'a [f64])> {
        let Self { offsets, indices, values } = self;
        offsets.windows(2).map(move |ends| {
            let row = ends[0]..ends[1];
            (&indices[row.clone()], &values[row])
        })
    }

    /// Entries that are stored.
    pub fn filled(&self) -> usize {
        self.offsets[self.samples()] - self.offsets[0]
    }

    /// The samples of `range` of the run.
    pub(crate) fn slice(self, range: Range<usize>) -> Self {
        Self { offsets: &self.offsets[range.start..=range.end], ..self }
    }

    /// `out` (d × B) ← the samples with their zeros.
    pub(crate) fn write_dense(self, features: usize, out: &mut [f64]) {
        out.fill(0.0);
        for (out, (indices, values)) in out.chunks_exact_mut(features).zip(self.rows()) {
            for (index, value) in indices.iter().zip(values) {
                out[*index as usize] = *value;
            }
        }
    }
}

/// Rows that are copied together, kept between uses.
#[derive(Debug, Default)]
pub(crate) struct SparseRows {
    offsets: Vec<usize>,
    indices: Vec<u32>,
    values: Vec<f64>,
}

impl SparseRows {
    fn clear(&mut self) {
        self.offsets.clear();
        self.offsets.push(0);
        self.indices.clear();
        self.values.clear();
    }

    /// The samples of `inputs` that `samples` names, in that order, with `number(feature, value)` for their values; entries of none are
    /// left out.
    #[inline(always)]
    pub(crate) fn gather(
        &mut self,
        inputs: &SparseInputs,
        samples: impl Iterator<Item = usize>,
        number: impl Fn(u32, f64) -> Option<f64>,
    ) {
        self.clear();
        for sample in samples {
            let (indices, values) = inputs.row(sample);
            for (index, value) in indices.iter().zip(values) {
                if let Some(value) = number(*index, *value) {
                    self.indices.push(*index);
                    self.values.push(value);
                }
            }
            self.offsets.push(self.indices.len());
        }
    }

    pub(crate) fn tile(&self) -> SparseTile<'_> {
        SparseTile { offsets: &self.offsets, indices: &self.indices, values: &self.values }
    }

    /// The values.
    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }
}

impl SparseInputs {
    /// The samples in `range`.
    pub(crate) fn tile(&self, range: &Range<usize>) -> SparseTile<'_> {
        SparseTile {
            offsets: &self.offsets[range.start..=range.end],
            indices: &self.indices,
            values: &self.values,
        }
    }

    /// The samples that `samples` names, in that order.
    pub(in crate::data) fn select(&self, samples: &[usize]) -> Self {
        let mut rows = SparseRows::default();
        let filled = samples.iter().map(|i| self.offsets[i + 1] - self.offsets[*i]).sum();
        rows.offsets.reserve_exact(samples.len() + 1);
        rows.indices.reserve_exact(filled);
        rows.values.reserve_exact(filled);
        rows.gather(self, samples.iter().copied(), |_, value| Some(value));
        let SparseRows { offsets, indices, values } = rows;
        let (indices, values) = (indices.into(), values.into());
        Self { offsets, indices, values, features: self.features, centre: self.centre.clone() }
    }

    /// The same entries with `formula(value)`; those that become 0 are left out.
    pub(in crate::data) fn map(&self, formula: impl Fn(f64) -> f64) -> Result<Self, DataError> {
        let at_zero = formula(0.0);
        if at_zero != 0.0 {
            return Err(DataError::FormulaOfZero { found: at_zero });
        }
        if self.centre.is_some() {
            return Err(DataError::FormulaOfCentred);
        }
        let mut mapped = self.clone();
        mapped.values.own().iter_mut().for_each(|value| *value = formula(*value));
        mapped.check_finite()?;
        mapped.drop_zeros();
        Ok(mapped)
    }

    /// (x − `means`)/`deviations`, 0 for features of deviation 0: entries are divided, the means go to the centre.
    pub(in crate::data) fn standardized(
        &self,
        means: &[f64],
        deviations: &[f64],
    ) -> Result<Self, DataError> {
        let mut scaled = self.clone();
        if deviations.contains(&0.0) {
            let kept: Vec<bool> =
                self.indices.iter().map(|index| deviations[*index as usize] != 0.0).collect();
            scaled.retain(&kept);
        }
        for (value, index) in scaled.values.own().iter_mut().zip(&*scaled.indices) {
            *value /= deviations[*index as usize];
        }
        scaled.check_finite()?;
        let own = self.centre.as_deref();
        scaled.centre = standardized_centre(own, means, deviations);
        let numbers = scaled.centre.as_deref().unwrap_or_default();
        if let Some(feature) = numbers.iter().position(|number| !number.is_finite()) {
            let place = crate::data::Place::sample(0, format!("x{}", feature + 1));
            return Err(DataError::NotFinite { place, found: numbers[feature].to_string() });
        }
        Ok(scaled)
    }

    /// The dense table, however large.
    pub(in crate::data) fn dense(&self) -> Vec<f64> {
        let mut out = vec![0.0; self.features * self.samples()];
        for (sample, out) in out.chunks_exact_mut(self.features).enumerate() {
            self.write_sample(sample, out);
        }
        out
    }

    /// `out` (d numbers) ← sample `sample` with its zeros, the centre taken off.
    ///
    /// # Panics
    /// Where `sample` ≥ N or `out` has another length, as slices do.
    pub fn write_sample(&self, sample: usize, out: &mut [f64]) {
        assert!(out.len() == self.features, "{} numbers of {}", out.len(), self.features);
        self.tile(&(sample..sample + 1)).write_dense(self.features, out);
        if let Some(centre) = &self.centre {
            out.iter_mut().zip(centre).for_each(|(x, centre)| *x -= centre);
        }
    }

    /// The features that `columns` names, each once at most, in that order; the others are left out.
    ///
    /// # Errors
    /// A feature that there is not, none, or one that comes twice.
    pub fn select_features(&self, columns: &[usize]) -> Result<Self, DataError> {
        let mut place = vec![None; self.features];
        for (new, &old) in columns.iter().enumerate() {
            let taken = place.get_mut(old).ok_or(DataError::WrongLength {
                what: "features to choose from",
                expected: old.saturating_add(1),
                found: self.features,
            })?;
            if taken.replace(new).is_some() {
                return Err(DataError::SparseTwice { sample: 0, feature: old });
            }
        }
        let mut rows = SparseRows::default();
        rows.gather(self, 0..self.samples(), |index, value| place[index as usize].map(|_| value));
        let SparseRows { offsets, mut indices, values } = rows;
        for index in &mut indices {
            let new = place[*index as usize].unwrap_or_default();
            *index = u32::try_from(new).unwrap_or(u32::MAX);
        }
        let centre = |centre: &Vec<f64>| columns.iter().map(|old| centre[*old]).collect();
        let centre = self.centre.as_ref().map(centre);
        Ok(Self { centre, ..Self::new(columns.len(), offsets, indices, values)? })
    }
}

/// The centre of (x − centre − mean)/deviation with zeros kept; none where it is 0.
pub(crate) fn standardized_centre(
    centre: Option<&[f64]>,
    means: &[f64],
    deviations: &[f64],
) -> Option<Vec<f64>> {
    let own = |feature: usize| centre.map_or(0.0, |centre| centre[feature]);
    let each = means.iter().zip(deviations).enumerate();
    let centre: Vec<f64> = each
        .map(
            |(feature, (mean, deviation))| {
                if *deviation == 0.0 { 0.0 } else { (own(feature) + mean) / deviation }
            },
        )
        .collect();
    centre.iter().any(|number| *number != 0.0).then_some(centre)
}
