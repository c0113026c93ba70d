//! Samples as plain numbers, to be sent: features, targets or label, weight, offsets.

use secant_core::data::{DataError, Dataset, Targets};
use secant_core::random::hashed;

/// What a sample has. The same on all ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    features: usize,
    /// Numeric targets; where there are none, a label among `classes`.
    targets: usize,
    classes: usize,
    weighted: bool,
    offsets: usize,
}

impl Columns {
    pub(crate) fn of(data: &Dataset) -> Self {
        let (targets, classes) = match data.targets() {
            Targets::Values { rows, .. } => (*rows, 0),
            Targets::Labels { classes, .. } => (0, *classes),
        };
        Self {
            features: data.features(),
            targets,
            classes,
            weighted: data.weights().is_some(),
            offsets: data.offset_rows(),
        }
    }

    /// As five numbers, to be compared.
    pub(crate) fn numbers(self) -> [f64; 5] {
        let Self { features, targets, classes, weighted, offsets } = self;
        let weighted = usize::from(weighted);
        [features, targets, classes, weighted, offsets].map(|count| count as f64)
    }

    pub(crate) fn from_numbers(numbers: &[f64]) -> Self {
        Self {
            features: count(numbers[0]),
            targets: count(numbers[1]),
            classes: count(numbers[2]),
            weighted: count(numbers[3]) > 0,
            offsets: count(numbers[4]),
        }
    }

    /// What differs, in words.
    pub(crate) fn difference(self, other: Self) -> Option<String> {
        let names = ["features", "targets", "classes", "columns of weights", "offsets"];
        let pairs = self.numbers().into_iter().zip(other.numbers());
        let differs = names.iter().zip(pairs).find(|(_, (mine, theirs))| mine != theirs);
        differs.map(|(name, (mine, theirs))| format!("{mine} and {theirs} {name}"))
    }

    pub(crate) fn is_weighted(self) -> bool {
        self.weighted
    }

    /// Numbers of a sample.
    pub(crate) fn width(self) -> usize {
        let label = usize::from(self.classes > 0);
        self.features + self.targets + label + usize::from(self.weighted) + self.offsets
    }

    /// Gives a sample weight 1, where there are weights.
    pub(crate) fn weigh(self, sample: &mut [f64]) {
        if self.weighted {
            sample[self.width() - self.offsets - 1] = 1.0;
        }
    }

    /// Appends a sample.
    pub(crate) fn push(self, data: &Dataset, sample: usize, out: &mut Vec<f64>) {
        out.extend_from_slice(data.sample(sample));
        match data.targets() {
            Targets::Values { rows, values } => {
                out.extend_from_slice(&values[sample * rows..(sample + 1) * rows]);
            }
            Targets::Labels { labels, .. } => out.push(f64::from(labels[sample])),
        }
        out.extend(data.weights().map(|weights| weights[sample]));
        if let Some(offset) = data.offset() {
            out.extend_from_slice(&offset[sample * self.offsets..(sample + 1) * self.offsets]);
        }
    }

    /// A number for the first `own` samples, whose place among all begins at `first`. Those of several ranks, added up, are that of all samples.
    pub(crate) fn code(self, data: &Dataset, own: usize, first: usize) -> u64 {
        let mut row = Vec::with_capacity(self.width());
        (0..own).fold(0_u64, |sum, sample| {
            row.clear();
            self.push(data, sample, &mut row);
            let place = (first + sample) as u64;
            sum.wrapping_add(row.iter().fold(place, |code, number| hashed(code, number.to_bits())))
        })
    }

    /// The data set of samples that [`push`](Self::push) wrote, in the order of `samples`; where weights are there and all 0, one more sample
    /// follows that has weight 1.
    pub(crate) fn dataset<'s>(
        self,
        samples: impl ExactSizeIterator<Item = &'s [f64]>,
    ) -> Result<Dataset, DataError> {
        // Grown by doubling they would take twice their place.
        let room = |rows: usize| Vec::with_capacity(rows * samples.len());
        let (mut inputs, mut values) = (room(self.features), room(self.targets));
        let (mut labels, mut weights) = (Vec::new(), room(usize::from(self.weighted)));
        let mut offset = room(self.offsets);
        for sample in samples {
            let (features, rest) = sample.split_at(self.features);
            inputs.extend_from_slice(features);
            let (targets, mut rest) = rest.split_at(self.targets);
            values.extend_from_slice(targets);
            if self.classes > 0 {
                labels.push(label(rest[0]));
                rest = &rest[1..];
            }
            if self.weighted {
                weights.push(rest[0]);
                rest = &rest[1..];
            }
            offset.extend_from_slice(rest);
        }
        if self.weighted && weights.iter().all(|weight| *weight == 0.0) {
            let last = |from: &mut Vec<f64>, rows: usize| {
                let start = from.len().saturating_sub(rows);
                from.extend_from_within(start..);
            };
            last(&mut inputs, self.features);
            last(&mut values, self.targets);
            last(&mut offset, self.offsets);
            labels.extend(labels.last().copied());
            weights.push(1.0);
        }
        let targets = if self.classes > 0 {
            Targets::Labels { classes: self.classes, labels }
        } else {
            Targets::Values { rows: self.targets, values }
        };
        let mut data = Dataset::new(self.features, inputs, targets)?;
        if self.weighted {
            data = data.with_weights(weights)?;
        }
        if self.offsets > 0 {
            data = data.with_offset(offset)?;
        }
        Ok(data)
    }
}

/// A code as two numbers, of 32 bits each.
#[expect(clippy::cast_possible_truncation, reason = "what is above is the other half")]
pub(crate) fn halves(code: u64) -> [f64; 2] {
    [f64::from((code >> 32) as u32), f64::from(code as u32)]
}

/// The code that [`halves`] wrote.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "they were halves")]
pub(crate) fn whole(halves: &[f64]) -> u64 {
    ((halves[0] as u64) << 32) | halves[1] as u64
}

/// A count that was sent.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was one")]
pub(crate) fn count(number: f64) -> usize {
    number as usize
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a label that was sent"
)]
fn label(number: f64) -> u32 {
    number as u32
}
