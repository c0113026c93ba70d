//! The shape of one sample's value at a node, without the sample axis.

use std::fmt;

/// Extents of one sample's value, slowest axis last: `[32]` a vector, `[28, 28, 3]` an image of three channels.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape(Vec<usize>);

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
}

impl From<usize> for Shape {
    /// A vector of so many entries.
    fn from(rows: usize) -> Self {
        Self::vector(rows)
    }
}

impl<const AXES: usize> From<[usize; AXES]> for Shape {
    fn from(extents: [usize; AXES]) -> Self {
        Self::new(extents)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (axis, extent) in self.0.iter().enumerate() {
            if axis > 0 {
                f.write_str("×")?;
            }
            write!(f, "{extent}")?;
        }
        Ok(())
    }
}

/// Why a node refuses its inputs.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
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
    /// An input or the output would have no entries.
    #[error("a value would be empty (shape {0})")]
    Empty(Shape),
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
