//! Inputs of which most are 0: the entries that are not, sample by sample.

mod entries;
mod parts;

pub use parts::SparseTile;
pub(crate) use parts::{SparseRows, standardized_centre};

use super::columns::check_count;
use super::shared::{SharedIndices, SharedNumbers};
use super::source::MAX_BYTES;
use super::{DataError, Place};
use crate::elementwise::vectorize;
use entries::Entries;
use rayon::prelude::*;

/// Samples that are worth a task.
const TASK: usize = 1 << 12;

/// The inputs of N samples as compressed sparse rows: what is not stored is 0.
///
/// A row is a sample, as SciPy's `csr_matrix` of N × d has it. The entries of a row stand in the order of their features, each once, all
/// finite; zeros that are given are left out. Takes 12 bytes an entry and 8 a sample.
///
/// ```
/// use secant_core::data::{Dataset, SparseInputs, Targets};
/// // (0, 0, 2) and (1, 0, 0): four features would be 24 numbers with zeros.
/// let inputs = SparseInputs::new(3, vec![0, 1, 2], vec![2, 0], vec![2.0, 1.0])?;
/// assert_eq!((inputs.samples(), inputs.filled(), inputs.row(0)), (2, 2, (&[2][..], &[2.0][..])));
/// assert_eq!(inputs.to_dense()?, [0.0, 0.0, 2.0, 1.0, 0.0, 0.0]);
/// let data = Dataset::from_sparse(inputs, Targets::Labels { classes: 2, labels: vec![1, 0] })?;
/// assert!(data.sparse().is_some());
/// # Ok::<(), secant_core::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SparseInputs {
    features: usize,
    /// N + 1, from 0.
    offsets: Vec<usize>,
    indices: Entries<u32>,
    values: Entries<f64>,
    centre: Option<Vec<f64>>,
}

impl SparseInputs {
    /// Takes the entries of N samples: those of sample i are `offsets[i]..offsets[i + 1]` of `indices` (features, from 0) and `values`.
    /// Rows that are not in the order of their features are sorted.
    ///
    /// # Errors
    /// No features or samples; offsets that do not begin at 0, decrease or end elsewhere than the entries; a feature out of range or twice
    /// in a sample; NaN or infinity.
    pub fn new(
        features: usize,
        offsets: Vec<usize>,
        indices: Vec<u32>,
        values: Vec<f64>,
    ) -> Result<Self, DataError> {
        Self::of_entries(features, offsets, indices.into(), values.into())
    }

    /// [`new`](Self::new) of entries that are read where they are, for as long as these inputs or a copy of them live: those of another language, or
    /// of several data sets. They are looked at once, here, and must not change. Rows that are not in the order of their features, and zeros
    /// among the values, are sorted and left out in a copy.
    ///
    /// ```
    /// use secant_core::data::SparseInputs;
    /// use std::sync::Arc;
    /// let (indices, values) = (Arc::new(vec![2, 0]), Arc::new(vec![2.0, 1.0]));
    /// let inputs = SparseInputs::from_shared(3, vec![0, 1, 2], indices, values.clone())?;
    /// assert_eq!(inputs.values().as_ptr(), values.as_ptr());
    /// # Ok::<(), secant_core::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_shared(
        features: usize,
        offsets: Vec<usize>,
        indices: SharedIndices,
        values: SharedNumbers,
    ) -> Result<Self, DataError> {
        Self::of_entries(features, offsets, Entries::Shared(indices), Entries::Shared(values))
    }

    fn of_entries(
        features: usize,
        offsets: Vec<usize>,
        indices: Entries<u32>,
        values: Entries<f64>,
    ) -> Result<Self, DataError> {
        let mut inputs = Self { features, offsets, indices, values, centre: None };
        inputs.check_shape()?;
        if inputs.is_canonical() {
            return Ok(inputs);
        }
        inputs.check_entries()?;
        inputs.sort_rows();
        for sample in 0..inputs.samples() {
            let row = inputs.offsets[sample]..inputs.offsets[sample + 1];
            if let Some(pair) = inputs.indices[row].windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(DataError::SparseTwice { sample, feature: pair[0] as usize });
            }
        }
        inputs.drop_zeros();
        Ok(inputs)
    }

    /// Takes entries in any order: `values[k]` is feature `columns[k]` of sample `rows[k]`, all from 0. Entries of one place are added up,
    /// as SciPy's `coo_matrix` does.
    ///
    /// # Errors
    /// No features or samples; lists of different lengths; a sample or feature out of range; NaN or infinity, in a sum too.
    pub fn from_triples(
        features: usize,
        samples: usize,
        rows: &[usize],
        columns: &[usize],
        values: &[f64],
    ) -> Result<Self, DataError> {
        check_count("columns of the entries", rows.len(), columns.len())?;
        check_count("values of the entries", rows.len(), values.len())?;
        let mut offsets = vec![
            0;
            samples.checked_add(1).ok_or(DataError::NoData {
                file: None,
                what: "memory for so many samples"
            })?
        ];
        for (entry, (&sample, &feature)) in rows.iter().zip(columns).enumerate() {
            if sample >= samples {
                return Err(DataError::NoSuchSample { index: sample, samples });
            }
            if feature >= features || u32::try_from(feature).is_err() {
                return Err(DataError::SparseIndex { sample, entry, found: feature, features });
            }
            offsets[sample + 1] += 1;
        }
        for sample in 0..samples {
            offsets[sample + 1] += offsets[sample];
        }
        let mut next = offsets.clone();
        let (mut indices, mut sorted) = (vec![0_u32; rows.len()], vec![0.0; rows.len()]);
        for ((&sample, &feature), &value) in rows.iter().zip(columns).zip(values) {
            let place = next[sample];
            next[sample] += 1;
            indices[place] = u32::try_from(feature).unwrap_or(u32::MAX);
            sorted[place] = value;
        }
        let (indices, values) = (indices.into(), sorted.into());
        let mut inputs = Self { features, offsets, indices, values, centre: None };
        inputs.check_shape()?;
        inputs.check_entries()?;
        inputs.sort_rows();
        inputs.compact(|last, entry| (last.0 == entry.0).then_some((last.0, last.1 + entry.1)));
        inputs.check_entries()?;
        inputs.drop_zeros();
        Ok(inputs)
    }

    /// d.
    pub fn features(&self) -> usize {
        self.features
    }

    /// N.
    pub fn samples(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Where the entries of the samples begin and end: N + 1 numbers, from 0.
    pub fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// The features of all entries, sample after sample.
    pub fn indices(&self) -> &[u32] {
        &self.indices
    }

    /// The values of all entries, sample after sample.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The entries of a sample: their features, ascending, and their values (before the [`centre`](Self::centre) is taken off).
    ///
    /// # Panics
    /// Where `sample` ≥ N, as a slice does.
    pub fn row(&self, sample: usize) -> (&[u32], &[f64]) {
        let row = self.offsets[sample]..self.offsets[sample + 1];
        (&self.indices[row.clone()], &self.values[row])
    }

    /// Entries that are stored.
    pub fn filled(&self) -> usize {
        self.values.len()
    }

    /// The part of the d × N numbers that is stored.
    pub fn density(&self) -> f64 {
        self.filled() as f64 / (self.features as f64 * self.samples() as f64)
    }

    /// d numbers that are taken off every sample, stored entries and zeros alike: the inputs are x − centre. Made by
    /// [`Standardizer::transform_inputs`](super::Standardizer::transform_inputs), so that standardised inputs keep their zeros.
    pub fn centre(&self) -> Option<&[f64]> {
        self.centre.as_deref()
    }

    /// Bytes of the arrays.
    pub fn bytes(&self) -> u64 {
        let [offsets, indices, values] =
            [8 * self.offsets.len(), 4 * self.indices.len(), 8 * self.values.len()];
        (offsets + indices + values) as u64
    }

    /// The dense table, d × N column-major, the [`centre`](Self::centre) taken off.
    ///
    /// # Errors
    /// Where it takes more than the readers' limit, [`MAX_BYTES`].
    pub fn to_dense(&self) -> Result<Vec<f64>, DataError> {
        self.to_dense_within(MAX_BYTES)
    }

    /// The same with a limit in bytes.
    ///
    /// # Errors
    /// Where it takes more.
    pub fn to_dense_within(&self, limit: u64) -> Result<Vec<f64>, DataError> {
        self.check_dense(limit)?;
        Ok(self.dense())
    }

    /// Whether the dense table takes no more than `limit` bytes.
    pub(super) fn check_dense(&self, limit: u64) -> Result<(), DataError> {
        let (features, samples) = (self.features, self.samples());
        if 8 * features as u128 * samples as u128 > u128::from(limit) {
            return Err(DataError::NeedsDense { features, samples, limit });
        }
        Ok(())
    }

    /// Offsets and lengths.
    fn check_shape(&self) -> Result<(), DataError> {
        let empty = |what| Err(DataError::NoData { file: None, what });
        if self.features == 0 {
            return empty("features");
        }
        if self.offsets.len() < 2 {
            return empty("samples");
        }
        check_count("first of the offsets", 0, self.offsets[0])?;
        if let Some(sample) = self.offsets.windows(2).position(|pair| pair[0] > pair[1]) {
            let (from, to) = (self.offsets[sample], self.offsets[sample + 1]);
            return Err(DataError::SparseOffsets { sample, from, to });
        }
        let last = self.offsets[self.samples()];
        check_count("indices of the entries", last, self.indices.len())?;
        check_count("values of the entries", last, self.values.len())
    }

    /// Whether all entries stand in order, each once, in range, finite and not 0.
    #[expect(clippy::needless_bitwise_bool, reason = "without an exit the look goes by vectors")]
    fn is_canonical(&self) -> bool {
        let (indices, values): (&[u32], &[f64]) = (&self.indices, &self.values);
        let features = u32::try_from(self.features).unwrap_or(u32::MAX);
        // Of some samples at once: their entries have no steps back but from one sample to the next, which are counted where samples begin.
        let samples = |offsets: &[usize]| {
            let (first, last) = (offsets[0], offsets[offsets.len() - 1]);
            let (indices, values) = (&indices[first..last], &values[first..last]);
            let steps_back = vectorize(
                #[inline(always)]
                || {
                    let next = indices.get(1..).unwrap_or_default();
                    let steps = indices.iter().zip(next);
                    steps.map(|(one, next)| usize::from(one >= next)).sum::<usize>()
                },
            );
            let in_order = vectorize(
                #[inline(always)]
                || {
                    let here = indices.iter().fold(true, |all, index| all & (*index < features));
                    let number = |value: f64| value.is_finite() & (value != 0.0);
                    here & values.iter().fold(true, |all, value| all & number(*value))
                },
            );
            let back_at = |at: usize| first < at && indices[at - first - 1] >= indices[at - first];
            // Samples without entries begin where the next one does.
            let filled = offsets.windows(2).filter(|ends| ends[0] < ends[1]);
            in_order && steps_back == filled.filter(|ends| back_at(ends[0])).count()
        };
        let tasks = self.samples().div_ceil(TASK);
        let task = |task: usize| {
            let end = ((task + 1) * TASK).min(self.samples());
            samples(&self.offsets[task * TASK..=end])
        };
        (0..tasks).into_par_iter().all(task)
    }

    /// Features in range, values finite.
    fn check_entries(&self) -> Result<(), DataError> {
        let sample_of = |entry: usize| self.offsets.partition_point(|offset| *offset <= entry) - 1;
        let features = self.features;
        if let Some(entry) = self.indices.iter().position(|index| *index as usize >= features) {
            let (sample, found) = (sample_of(entry), self.indices[entry] as usize);
            let entry = entry - self.offsets[sample];
            return Err(DataError::SparseIndex { sample, entry, found, features });
        }
        self.check_finite()
    }

    /// Refuses a NaN or an infinity.
    pub(super) fn check_finite(&self) -> Result<(), DataError> {
        let Some(entry) = self.values.iter().position(|value| !value.is_finite()) else {
            return Ok(());
        };
        let sample = self.offsets.partition_point(|offset| *offset <= entry) - 1;
        let place = Place::sample(sample, format!("x{}", self.indices[entry] as usize + 1));
        Err(DataError::NotFinite { place, found: self.values[entry].to_string() })
    }

    /// Each row by features, stable.
    fn sort_rows(&mut self) {
        let (indices, values) = (self.indices.own(), self.values.own());
        let mut order = Vec::new();
        for ends in self.offsets.windows(2) {
            let row = ends[0]..ends[1];
            sort_row(&mut indices[row.clone()], &mut values[row], &mut order);
        }
    }

    fn drop_zeros(&mut self) {
        if self.values.contains(&0.0) {
            let kept: Vec<bool> = self.values.iter().map(|value| *value != 0.0).collect();
            self.retain(&kept);
        }
    }

    /// Keeps the entries marked.
    fn retain(&mut self, kept: &[bool]) {
        let (indices, values) = (self.indices.own(), self.values.own());
        let mut place = 0;
        let mut start = 0;
        for offset in &mut self.offsets[1..] {
            let row = start..*offset;
            start = row.end;
            for entry in row.filter(|entry| kept[*entry]) {
                indices[place] = indices[entry];
                values[place] = values[entry];
                place += 1;
            }
            *offset = place;
        }
        indices.truncate(place);
        values.truncate(place);
    }

    /// Puts an entry into the one before it in its row, where `merge` says what both are.
    fn compact(&mut self, merge: impl Fn((u32, f64), (u32, f64)) -> Option<(u32, f64)>) {
        let (indices, values) = (self.indices.own(), self.values.own());
        let mut place = 0;
        let mut start = 0;
        for offset in &mut self.offsets[1..] {
            let row = start..*offset;
            start = row.end;
            let first = place;
            for entry in row {
                let new = (indices[entry], values[entry]);
                let last = (place > first).then(|| (indices[place - 1], values[place - 1]));
                if let Some((_, value)) = last.and_then(|last| merge(last, new)) {
                    values[place - 1] = value;
                } else {
                    (indices[place], values[place]) = new;
                    place += 1;
                }
            }
            *offset = place;
        }
        indices.truncate(place);
        values.truncate(place);
    }
}

/// Sorts a row by features, stable.
fn sort_row(indices: &mut [u32], values: &mut [f64], order: &mut Vec<(u32, f64)>) {
    if indices.is_sorted() {
        return;
    }
    order.clear();
    order.extend(indices.iter().copied().zip(values.iter().copied()));
    order.sort_by_key(|(feature, _)| *feature);
    for ((index, value), (feature, number)) in indices.iter_mut().zip(values).zip(order) {
        (*index, *value) = (*feature, *number);
    }
}
