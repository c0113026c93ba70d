//! What the model should answer: numbers, or one class of several.

use std::ops::Range;

use super::{DataError, Place};

/// The targets of N samples.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// Numbers, `rows` for every sample.
    Values {
        /// c, the numbers per sample.
        rows: usize,
        /// c × N, column-major.
        values: Vec<f64>,
    },
    /// One class for every sample.
    Labels {
        /// Number of classes.
        classes: usize,
        /// N labels, each in 0, …, classes − 1.
        labels: Vec<u32>,
    },
}

/// The targets of a run of B samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TargetTile<'a> {
    /// Numbers.
    Values {
        /// c, the numbers per sample.
        rows: usize,
        /// c × B, column-major.
        values: &'a [f64],
    },
    /// Classes.
    Labels {
        /// Number of classes.
        classes: usize,
        /// B labels, each in 0, …, classes − 1.
        labels: &'a [u32],
    },
}

impl<'a> TargetTile<'a> {
    /// The targets of the samples in `range` of the run.
    ///
    /// # Panics
    /// Where `range` reaches beyond the run, as a slice does.
    pub fn tile(self, range: Range<usize>) -> TargetTile<'a> {
        match self {
            Self::Values { rows, values } => {
                Self::Values { rows, values: &values[range.start * rows..range.end * rows] }
            }
            Self::Labels { classes, labels } => Self::Labels { classes, labels: &labels[range] },
        }
    }
}

impl Targets {
    /// N, the number of samples.
    pub fn samples(&self) -> usize {
        match self {
            Self::Values { rows, values } => values.len() / (*rows).max(1),
            Self::Labels { labels, .. } => labels.len(),
        }
    }

    /// c for values; the number of classes for labels.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Values { rows, .. } => *rows,
            Self::Labels { classes, .. } => *classes,
        }
    }

    /// The targets of the samples in `range`.
    ///
    /// # Panics
    /// Where `range` reaches beyond [`samples`](Self::samples), as a slice does.
    pub fn tile(&self, range: Range<usize>) -> TargetTile<'_> {
        match self {
            Self::Values { rows, values } => TargetTile::Values {
                rows: *rows,
                values: &values[range.start * rows..range.end * rows],
            },
            Self::Labels { classes, labels } => {
                TargetTile::Labels { classes: *classes, labels: &labels[range] }
            }
        }
    }

    /// The numbers, c × N column-major; `None` where the targets are labels.
    pub fn values(&self) -> Option<&[f64]> {
        match self {
            Self::Values { values, .. } => Some(values),
            Self::Labels { .. } => None,
        }
    }

    /// The N labels; `None` where the targets are numbers.
    pub fn labels(&self) -> Option<&[u32]> {
        match self {
            Self::Values { .. } => None,
            Self::Labels { labels, .. } => Some(labels),
        }
    }

    /// The targets of the samples that `indices` names, in that order. The indices are in range.
    pub(super) fn gather(&self, indices: &[usize]) -> Self {
        match self {
            Self::Values { rows, values } => {
                Self::Values { rows: *rows, values: super::columns::gather(*rows, values, indices) }
            }
            Self::Labels { classes, labels } => Self::Labels {
                classes: *classes,
                labels: super::columns::gather(1, labels, indices),
            },
        }
    }

    /// The targets of the samples that `indices` names, in that order, copied into the buffer of their kind. Allocates nothing
    /// where the buffer has room.
    pub(crate) fn gather_tile<'b>(
        &self,
        indices: &[usize],
        numbers: &'b mut Vec<f64>,
        classes_of: &'b mut Vec<u32>,
    ) -> TargetTile<'b> {
        match self {
            Self::Values { rows, values } => {
                super::columns::gather_into(*rows, values, indices, numbers);
                TargetTile::Values { rows: *rows, values: numbers }
            }
            Self::Labels { classes, labels } => {
                super::columns::gather_into(1, labels, indices, classes_of);
                TargetTile::Labels { classes: *classes, labels: classes_of }
            }
        }
    }

    /// Refuses no outputs, a length that `rows` does not divide, NaN and infinity, labels out of range.
    pub(super) fn check(&self, names: &[String]) -> Result<(), DataError> {
        let empty = |what| Err(DataError::NoData { file: None, what });
        match self {
            Self::Values { rows: 0, .. } => empty("outputs"),
            Self::Labels { classes: 0, .. } => empty("classes"),
            Self::Values { rows, values } => {
                super::columns::check_finite(*rows, values[..].into(), "target values", names)
            }
            Self::Labels { classes, labels } => {
                match labels.iter().position(|&label| label as usize >= *classes) {
                    None => Ok(()),
                    Some(sample) => Err(DataError::LabelOutOfRange {
                        place: Place::sample(sample, names[0].clone()),
                        found: labels[sample].to_string(),
                        classes: *classes,
                        hint: Box::default(),
                    }),
                }
            }
        }
    }

    /// Number of target names: one per output, one for labels.
    pub(super) fn columns(&self) -> usize {
        match self {
            Self::Values { rows, .. } => *rows,
            Self::Labels { .. } => 1,
        }
    }
}
