//! Samples by the value of a feature: the runs, subjects or channels of a table, each to be looked at alone.

use super::{DataError, Dataset, Targets};
use std::ops::Range;

/// The samples of a table, apart by a key: made by [`Dataset::group_by`].
#[derive(Clone, Debug, PartialEq)]
pub struct Groups {
    keys: Vec<f64>,
    ranges: Vec<Range<usize>>,
    features: usize,
    outputs: usize,
    feature_names: Vec<String>,
    inputs: Vec<f64>,
    targets: Vec<f64>,
    weights: Option<Vec<f64>>,
}

/// The samples of one key, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Group<'a> {
    /// The key.
    pub key: f64,
    /// d × B without the key, a sample contiguous.
    pub inputs: &'a [f64],
    /// c × B, a sample contiguous.
    pub targets: &'a [f64],
    /// B weights, where the table has some.
    pub weights: Option<&'a [f64]>,
}

impl Dataset {
    /// The samples by the feature `key`, which is a feature no longer; keys in ascending order. Copies the table once.
    ///
    /// ```
    /// use secant_core::data::Dataset;
    ///
    /// let inputs = [1.0, 0.1, 2.0, 0.2, 1.0, 0.3];
    /// let data = Dataset::from_slices(2, &inputs, 1, &[5.0, 6.0, 7.0])?
    ///     .with_feature_names(vec!["run".into(), "t".into()])?;
    /// let groups = data.group_by("run")?;
    /// assert_eq!(groups.keys(), [1.0, 2.0]);
    /// let first = groups.iter().next().unwrap();
    /// assert_eq!((first.inputs, first.targets), (&[0.1, 0.3][..], &[5.0, 7.0][..]));
    /// # Ok::<(), secant_core::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// No feature of that name, no other feature beside it; targets that are labels; sparse inputs whose dense table is too large.
    pub fn group_by(&self, key: &str) -> Result<Groups, DataError> {
        let Some(column) = self.feature_names().iter().position(|name| name == key) else {
            let existing = self.feature_names().to_vec();
            return Err(DataError::NoFeature { name: key.to_owned(), existing });
        };
        let Targets::Values { rows: outputs, values } = self.targets() else {
            return Err(DataError::GroupsOfLabels);
        };
        let (d, outputs) = (self.features(), *outputs);
        if d == 1 {
            return Err(DataError::NoData { file: None, what: "features beside the key" });
        }
        let inputs = self.dense_inputs()?;
        let key_of = |sample: usize| inputs[sample * d + column];
        let mut order: Vec<usize> = (0..self.samples()).collect();
        // Stable: the samples of a key stay in their order. Adding 0 makes one key of ±0.
        order.sort_by(|a, b| (key_of(*a) + 0.0).total_cmp(&(key_of(*b) + 0.0)));
        let mut groups = Groups {
            keys: Vec::new(),
            ranges: Vec::new(),
            features: d - 1,
            outputs,
            feature_names: self.feature_names().to_vec(),
            inputs: Vec::with_capacity(order.len() * (d - 1)),
            targets: Vec::with_capacity(order.len() * outputs),
            weights: self.weights.as_ref().map(|_| Vec::with_capacity(order.len())),
        };
        groups.feature_names.remove(column);
        for (place, &sample) in order.iter().enumerate() {
            let key = key_of(sample);
            if groups.keys.last() != Some(&key) {
                groups.keys.push(key);
                groups.ranges.push(place..place);
            }
            if let Some(range) = groups.ranges.last_mut() {
                range.end = place + 1;
            }
            let row = &inputs[sample * d..(sample + 1) * d];
            groups.inputs.extend_from_slice(&row[..column]);
            groups.inputs.extend_from_slice(&row[column + 1..]);
            groups.targets.extend_from_slice(&values[sample * outputs..(sample + 1) * outputs]);
            if let (Some(kept), Some(weights)) = (&mut groups.weights, &self.weights) {
                kept.push(weights[sample]);
            }
        }
        Ok(groups)
    }
}

impl Groups {
    /// The keys, ascending.
    pub fn keys(&self) -> &[f64] {
        &self.keys
    }

    /// Names of the features but for the key.
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// d, the number of features but for the key.
    pub fn features(&self) -> usize {
        self.features
    }

    /// The groups, in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Group<'_>> {
        self.keys.iter().zip(&self.ranges).map(|(key, range)| Group {
            key: *key,
            inputs: &self.inputs[range.start * self.features..range.end * self.features],
            targets: &self.targets[range.start * self.outputs..range.end * self.outputs],
            weights: self.weights.as_ref().map(|weights| &weights[range.clone()]),
        })
    }
}
