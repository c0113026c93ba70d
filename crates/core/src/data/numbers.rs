//! The numbers of a dense table as they are stored, `f64` or `f32`, and how a reader gets them: as `f64`. To widen loses nothing.

use super::scale::{Scale, Stored};
use crate::elementwise::vectorize;
use rayon::prelude::*;
use std::ops::Range;

/// Numbers of either kind, d × N column-major or a part of these.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Numbers<'a> {
    Double(&'a [f64]),
    Single(&'a [f32]),
}

impl<'a> Numbers<'a> {
    pub(crate) fn len(self) -> usize {
        match self {
            Self::Double(values) => values.len(),
            Self::Single(values) => values.len(),
        }
    }

    pub(super) fn single(self) -> Option<&'a [f32]> {
        match self {
            Self::Double(_) => None,
            Self::Single(values) => Some(values),
        }
    }

    pub(crate) fn range(self, range: Range<usize>) -> Self {
        match self {
            Self::Double(values) => Self::Double(&values[range]),
            Self::Single(values) => Self::Single(&values[range]),
        }
    }

    pub(crate) fn get(self, index: usize) -> f64 {
        match self {
            Self::Double(values) => values[index],
            Self::Single(values) => values[index].into(),
        }
    }

    /// One after the other.
    pub(crate) fn iter(self) -> impl Iterator<Item = f64> + 'a {
        let (double, single) = match self {
            Self::Double(values) => (values, &[][..]),
            Self::Single(values) => (&[][..], values),
        };
        double.iter().copied().chain(single.iter().map(|&value| value.into()))
    }

    /// So many at a time, the last ones perhaps fewer.
    pub(crate) fn chunks(self, size: usize) -> impl Iterator<Item = Self> {
        (0..self.len().div_ceil(size)).map(move |index| self.chunk(size, index))
    }

    /// The same by several threads.
    pub(crate) fn par_chunks(self, size: usize) -> impl IndexedParallelIterator<Item = Self> {
        let chunks = (0..self.len().div_ceil(size)).into_par_iter();
        chunks.map(move |index| self.chunk(size, index))
    }

    fn chunk(self, size: usize, index: usize) -> Self {
        self.range(index * size..((index + 1) * size).min(self.len()))
    }

    /// `out` ← the numbers, as many as there are, whole samples where they are standardised by `scale`.
    pub(crate) fn write(self, scale: Option<&Scale>, out: &mut [f64]) {
        match (self, scale) {
            (Self::Double(values), None) => out.copy_from_slice(values),
            (Self::Single(values), None) => widen(values, out),
            (Self::Double(values), Some(scale)) => scale.write(values, out),
            (Self::Single(values), Some(scale)) => scale.write(values, out),
        }
    }

    /// The numbers as they stand, where they are `f64` and not standardised, else in `out`, which allocates nothing where it has room.
    pub(crate) fn read<'t>(self, scale: Option<&Scale>, out: &'t mut Vec<f64>) -> &'t [f64]
    where
        'a: 't,
    {
        if let (Self::Double(values), None) = (self, scale) {
            return values;
        }
        // What is there is written over.
        out.resize(self.len(), 0.0);
        self.write(scale, out);
        out
    }

    /// A copy, standardised where there is a scale.
    pub(crate) fn copied(self, scale: Option<&Scale>) -> Vec<f64> {
        /// Numbers that are worth a task.
        const TASK: usize = 1 << 16;
        let task = scale.map_or(TASK, Scale::task);
        let mut out = vec![0.0; self.len()];
        if self.len() <= task {
            self.write(scale, &mut out);
        } else {
            let tasks = out.par_chunks_mut(task).zip(self.par_chunks(task));
            tasks.for_each(|(out, numbers)| numbers.write(scale, out));
        }
        out
    }

    /// Without an exit the look goes by vectors.
    pub(crate) fn all_finite(self) -> bool {
        match self {
            Self::Double(values) => all_finite(values),
            Self::Single(values) => all_finite(values),
        }
    }
}

fn all_finite<T: Stored>(values: &[T]) -> bool {
    vectorize(
        #[inline(always)]
        || values.iter().fold(true, |all, &x| all & x.into().is_finite()),
    )
}

fn widen(values: &[f32], out: &mut [f64]) {
    assert_eq!(values.len(), out.len(), "numbers");
    vectorize(
        #[inline(always)]
        || out.iter_mut().zip(values).for_each(|(out, &x)| *out = x.into()),
    );
}

impl<'a> From<&'a [f64]> for Numbers<'a> {
    fn from(values: &'a [f64]) -> Self {
        Self::Double(values)
    }
}
