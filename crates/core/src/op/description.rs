//! What a description file says of a node's function: the name of its op and its options.

use serde::Serialize;

/// The name of an op and its options, as a description file has them. Made by [`Op::describe`](super::Op::describe).
///
/// ```
/// use secant_core::op::{Dense, Op};
///
/// let description = Dense::new(3).without_bias().describe().expect("dense can be written down");
/// assert_eq!(description.op(), "dense");
/// assert_eq!(description.to_string(), "dense { bias = false, outputs = 3 }");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct OpDescription {
    op: String,
    options: toml::Table,
}

impl OpDescription {
    /// An op without options.
    pub fn plain(op: &str) -> Self {
        Self { op: op.into(), options: toml::Table::new() }
    }

    /// An op whose options are the fields of `options`. `None` where these are no table of numbers, texts, lists and tables (a
    /// whole number beyond `i64` is none: TOML has no such).
    pub fn with_options(op: &str, options: &impl Serialize) -> Option<Self> {
        Some(Self { op: op.into(), options: toml::Table::try_from(options).ok()? })
    }

    pub(crate) fn new(op: String, options: toml::Table) -> Self {
        Self { op, options }
    }

    /// Name of the op.
    pub fn op(&self) -> &str {
        &self.op
    }

    pub(crate) fn options(&self) -> &toml::Table {
        &self.options
    }
}

impl std::fmt::Display for OpDescription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.op)?;
        if self.options.is_empty() {
            return Ok(());
        }
        write!(f, " {}", toml::Value::Table(self.options.clone()))
    }
}
