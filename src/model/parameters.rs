//! θ by the names of its blocks.

use super::Model;
use secant_core::params::{ParamBlock, Role};

/// A named block of a model's θ.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Parameter<'a> {
    /// `node.parameter`, such as `dense1.weight`.
    pub name: &'a str,
    /// Rows: outputs of the node, for a weight of a dense one.
    pub rows: usize,
    /// Columns: its inputs; 1 for a vector.
    pub cols: usize,
    /// Weight, bias or scale.
    pub role: Role,
    /// The entries, column-major, in the standardised units of the fit.
    pub values: &'a [f64],
}

impl Model {
    /// The blocks of [`theta`](Self::theta) with names and shapes, in its order.
    ///
    /// ```
    /// use secant::{Activation, Dataset, Network};
    /// # let root = env!("CARGO_MANIFEST_DIR");
    /// let data = Dataset::from_csv(format!("{root}/data/diabetes.csv"), "target")?;
    /// let net = Network::mlp([10, 3, 1], Activation::Tanh);
    /// let model = secant::fit(&net, &data).max_iterations(3).run()?.into_model();
    /// let blocks: Vec<_> = model.parameters().map(|p| (p.name, p.rows, p.cols)).collect();
    /// assert_eq!(blocks[0], ("dense1.weight", 3, 10));
    /// assert_eq!(model.parameter("dense2.bias").unwrap().values.len(), 1);
    /// # Ok::<(), secant::FitError>(())
    /// ```
    pub fn parameters(&self) -> impl ExactSizeIterator<Item = Parameter<'_>> {
        self.graph.parameters().blocks().iter().map(|block| self.block(block))
    }

    /// The block of this name.
    pub fn parameter(&self, name: &str) -> Option<Parameter<'_>> {
        let blocks = self.graph.parameters();
        Some(self.block(&blocks.blocks()[blocks.position(name)?]))
    }

    fn block<'a>(&'a self, block: &'a ParamBlock) -> Parameter<'a> {
        let spec = &block.spec;
        Parameter {
            name: &block.name,
            rows: spec.rows,
            cols: spec.cols,
            role: spec.role,
            values: &self.theta[block.range.clone()],
        }
    }
}
