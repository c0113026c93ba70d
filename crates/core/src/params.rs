//! Named blocks of θ: the only code that knows where in θ a parameter lies.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::Range;

/// What a parameter is for: decides initialisation and what a penalty leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Multiplies an input: initialised at random, penalised.
    Weight,
    /// Is added: initialised at zero, left out of penalties by default.
    Bias,
    /// Multiplies one entry alone: initialised at one, left out of penalties by default.
    Scale,
}

/// A parameter that a node asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamSpec {
    /// Name within the node: `weight`, `bias` …
    pub name: Cow<'static, str>,
    /// Rows and columns, column-major.
    pub rows: usize,
    /// Columns; 1 for a vector.
    pub cols: usize,
    /// Weight, bias or scale.
    pub role: Role,
    /// Inputs that feed one output (Glorot & Bengio 2010, n_in).
    pub fan_in: usize,
    /// Outputs that one input feeds.
    pub fan_out: usize,
}

impl ParamSpec {
    /// A `rows × cols` weight matrix that maps `cols` inputs to `rows` outputs.
    pub fn weight(name: impl Into<Cow<'static, str>>, rows: usize, cols: usize) -> Self {
        Self { name: name.into(), rows, cols, role: Role::Weight, fan_in: cols, fan_out: rows }
    }
    /// A bias of `rows` entries.
    pub fn bias(name: impl Into<Cow<'static, str>>, rows: usize) -> Self {
        Self { name: name.into(), rows, cols: 1, role: Role::Bias, fan_in: 1, fan_out: rows }
    }
    /// A scale of `rows` entries.
    pub fn scale(name: impl Into<Cow<'static, str>>, rows: usize) -> Self {
        Self { role: Role::Scale, ..Self::bias(name, rows) }
    }
    /// Number of entries (saturating).
    pub fn len(&self) -> usize {
        self.rows.saturating_mul(self.cols)
    }
    /// Whether the block has no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A block of θ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamBlock {
    /// `node.parameter`, unique in a graph.
    pub name: String,
    /// What the first node that owns the block asked for.
    pub spec: ParamSpec,
    /// Where in θ.
    pub range: Range<usize>,
}

/// The layout of θ: blocks one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    blocks: Vec<ParamBlock>,
}

impl Parameters {
    /// Appends a block and returns its position.
    pub(crate) fn push(&mut self, name: String, spec: ParamSpec) -> usize {
        let start = self.dim();
        let range = start..start.saturating_add(spec.len());
        self.blocks.push(ParamBlock { name, spec, range });
        self.blocks.len() - 1
    }
    /// n, the length of θ.
    pub fn dim(&self) -> usize {
        self.blocks.last().map_or(0, |block| block.range.end)
    }
    /// All blocks in the order of θ.
    pub fn blocks(&self) -> &[ParamBlock] {
        &self.blocks
    }
    /// The position of the block called `name`.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.blocks.iter().position(|block| block.name == name)
    }
    /// Where in θ the block called `name` lies.
    pub fn range(&self, name: &str) -> Option<Range<usize>> {
        self.position(name).map(|block| self.blocks[block].range.clone())
    }
    /// The entries of the block called `name`, column-major.
    pub fn slice<'a>(&self, theta: &'a [f64], name: &str) -> Option<&'a [f64]> {
        let block = self.blocks.get(self.position(name)?)?;
        theta.get(block.range.clone())
    }
    /// The name of entry `index` of θ: `dense1.weight[3, 0]` (row, column).
    pub fn entry_name(&self, index: usize) -> Option<String> {
        let block = self.blocks.iter().find(|block| block.range.contains(&index))?;
        let within = index - block.range.start;
        let (row, col) = (within % block.spec.rows, within / block.spec.rows);
        Some(format!("{}[{row}, {col}]", block.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_tile_theta_without_gaps_and_name_their_entries() {
        let mut parameters = Parameters::default();
        parameters.push("a.weight".into(), ParamSpec::weight("weight", 2, 3));
        parameters.push("a.bias".into(), ParamSpec::bias("bias", 2));
        assert_eq!(parameters.dim(), 8);
        let theta: Vec<f64> = (0..8).map(f64::from).collect();
        assert_eq!(parameters.slice(&theta, "a.bias"), Some(&[6.0, 7.0][..]));
        assert_eq!(parameters.entry_name(5).as_deref(), Some("a.weight[1, 2]"));
        assert_eq!(parameters.entry_name(8), None);
        assert_eq!(parameters.slice(&theta, "b"), None);
    }
}
