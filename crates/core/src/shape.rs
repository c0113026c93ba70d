//! The shape of one sample's value at a node, without the sample axis.
//!
//! Images are `[width, height, channels]`: a row of pixels is contiguous, rows follow one another, then channels. That is the
//! C × H × W of other libraries, row-major. Sequences are `[length, channels]`.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Axes that a message shows.
const SHOWN_AXES: usize = 16;

/// Extents of one sample's value, slowest axis last: `[32]` a vector, `[28, 28, 3]` an image (width, height) of three channels.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shape(Vec<usize>);

/// How the entries along one axis lie in a sample: entry k of the axis at i + `inner`·(k + `extent`·o), i < `inner`, o < `outer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Runs {
    /// The product of the faster extents.
    pub(crate) inner: usize,
    /// The axis's extent.
    pub(crate) extent: usize,
    /// The product of the slower extents.
    pub(crate) outer: usize,
}

impl Shape {
    /// A vector of `rows` entries.
    pub fn vector(rows: usize) -> Self {
        Self(vec![rows])
    }
    /// Any number of axes.
    pub fn new(extents: impl Into<Vec<usize>>) -> Self {
        Self(extents.into())
    }
    /// The extents.
    pub fn extents(&self) -> &[usize] {
        &self.0
    }
    /// The number of entries of one sample: the product of the extents (saturating).
    pub fn len(&self) -> usize {
        self.0.iter().fold(1, |product, &extent| product.saturating_mul(extent))
    }
    /// Whether an extent is zero.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// How the entries along `axis` lie.
    pub(crate) fn runs(&self, axis: usize) -> Result<Runs, ShapeError> {
        if axis < self.0.len() {
            return Ok(self.runs_or_all(axis));
        }
        let (option, allowed) = ("axis", "an axis of the input, the fastest being 0");
        Err(ShapeError::Option { option, value: axis as f64, allowed })
    }
    /// The same for an axis that was checked; behind the last one all entries are one entry of it.
    pub(crate) fn runs_or_all(&self, axis: usize) -> Runs {
        // Saturating, as the number of entries is.
        let product = |extents: &[usize]| {
            extents.iter().fold(1, |product: usize, &extent| product.saturating_mul(extent))
        };
        let (faster, rest) = self.0.split_at(axis.min(self.0.len()));
        let (extent, slower) =
            rest.split_first().map_or((1, rest), |(extent, rest)| (*extent, rest));
        Runs { inner: product(faster), extent, outer: product(slower) }
    }
    /// The same with another extent of `axis`.
    pub(crate) fn with_extent(&self, axis: usize, extent: usize) -> Self {
        let mut extents = self.0.clone();
        extents[axis] = extent;
        Self(extents)
    }
    /// The same without `axis`; one entry where it was the only one.
    pub(crate) fn without_axis(&self, axis: usize) -> Self {
        let mut extents = self.0.clone();
        extents.remove(axis);
        if extents.is_empty() { Self::vector(1) } else { Self(extents) }
    }
}

/// A vector of so many entries.
impl From<usize> for Shape {
    fn from(rows: usize) -> Self {
        Self::vector(rows)
    }
}

/// The extents, fastest axis first.
impl<const D: usize> From<[usize; D]> for Shape {
    fn from(extents: [usize; D]) -> Self {
        Self::new(extents)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (axis, extent) in self.0.iter().take(SHOWN_AXES).enumerate() {
            if axis > 0 {
                f.write_str("×")?;
            }
            write!(f, "{extent}")?;
        }
        if self.0.len() > SHOWN_AXES { f.write_str("×…") } else { Ok(()) }
    }
}

/// Why a node refuses its inputs.
#[derive(Clone, PartialEq, thiserror::Error)]
pub enum ShapeError {
    /// Another number of inputs than the node takes.
    #[error("takes {expected} input(s), found {found}")]
    InputCount {
        /// What the node takes.
        expected: usize,
        /// What it was given.
        found: usize,
    },
    /// Two inputs that should be alike are not.
    #[error("inputs should have the same shape: the first is {first}, input {index} is {found}")]
    Mismatch {
        /// Position of the odd input, from 0.
        index: usize,
        /// Shape of input 0.
        first: Shape,
        /// Shape of the odd one.
        found: Shape,
    },
    /// Images that should be alike but for their channels are not.
    #[error(
        "inputs should have the same extents but for the last, the channels: the first is {first}, input {index} is {found}"
    )]
    Unjoinable {
        /// Position of the odd input, from 0.
        index: usize,
        /// Shape of input 0.
        first: Shape,
        /// Shape of the odd one.
        found: Shape,
    },
    /// An input or the output would have no entries.
    #[error("a value would be empty (shape {0})")]
    Empty(Shape),
    /// More entries than a node can be checked on.
    #[error("a value of {entries} entries is too large: at most {limit}")]
    TooLarge {
        /// Entries of a value, or of all inputs and parameters.
        entries: usize,
        /// The limit.
        limit: usize,
    },
    /// A node's constant is out of range.
    #[error("{option} = {value}: must be {allowed}")]
    Option {
        /// Name of the constant.
        option: &'static str,
        /// The value given.
        value: f64,
        /// What is allowed.
        allowed: &'static str,
    },
    /// An input of codes that is computed from parameters.
    #[error("input {index} depends on parameters: must be data, integers")]
    NotData {
        /// Position of the input, from 0.
        index: usize,
    },
    /// A node that cannot be had.
    #[error("{reason}")]
    Refused {
        /// Why, and what to take instead.
        reason: &'static str,
    },
    /// A window that does not fit onto its input.
    #[error(
        "kernel = {kernel} with dilation {dilation} spans {span} of the {axis}: must be at most {padded}, the input with its padding"
    )]
    Window {
        /// `width`, `height` or `length`.
        axis: &'static str,
        /// Taps of the window along the axis.
        kernel: usize,
        /// Inputs from one tap to the next.
        dilation: usize,
        /// Inputs from the first tap to the last, both counted.
        span: usize,
        /// Inputs along the axis with the padding on both sides.
        padded: usize,
    },
    /// Groups that do not divide the channels.
    #[error("groups = {groups}: must divide the {channels} {side} channels")]
    Groups {
        /// The groups asked for.
        groups: usize,
        /// Channels of that side.
        channels: usize,
        /// `input` or `output`.
        side: &'static str,
    },
    /// Any other demand on an input's shape.
    #[error("input {index} has shape {found}, expected {expected}")]
    Unexpected {
        /// Position of the input, from 0.
        index: usize,
        /// What the node needs, in words.
        expected: String,
        /// What it was given.
        found: Shape,
    },
}

impl fmt::Debug for ShapeError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
