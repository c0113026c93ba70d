//! Parameters that the output is affine in, found from the structure.

use super::{Graph, Node};
use crate::op::Dependence;
use std::ops::Range;

impl Graph {
    /// Where in θ the blocks lie that the output is affine in, all of them together and whatever the other parameters are: those of
    /// the last dense node of a network, or of several whose outputs are added. In the order of θ. A block that two nodes share is
    /// left out.
    ///
    /// Known from [`Op::dependence`](crate::op::Op::dependence): found blocks are linear; one that is linear by the values of
    /// other parameters is not found.
    pub fn linear_parameters(&self) -> Vec<Range<usize>> {
        let blocks = self.parameters().blocks();
        let mut linear = vec![false; blocks.len()];
        for node in self.nodes.iter().rev().filter(|node| !node.blocks.is_empty()) {
            let own: Vec<usize> = match node.op.linear_blocks() {
                None => node.blocks.clone(),
                Some(own) => own.into_iter().map(|position| node.blocks[position]).collect(),
            };
            let alone = own.iter().all(|&block| self.users(block) == 1);
            let before = linear.clone();
            for &block in &own {
                linear[block] = true;
            }
            if !(alone && self.is_affine_in(&linear)) {
                linear = before;
            }
        }
        let found = blocks.iter().zip(&linear).filter(|(_, linear)| **linear);
        found.map(|(block, _)| block.range.clone()).collect()
    }

    /// Where in θ the biases of the output lie, one for each output, where the output node is W·φ + b with parameters of its own.
    pub fn output_bias(&self) -> Option<Range<usize>> {
        let bias = self.head()?.ranges.get(1)?.clone();
        (bias.len() == self.outputs()).then_some(bias)
    }

    /// The output node, where it is W·φ + b with parameters that no other node has; φ may depend on others.
    pub(crate) fn head(&self) -> Option<&Node> {
        let head = self.nodes.last()?;
        let alone = head.blocks.iter().all(|&block| self.users(block) == 1);
        (alone && head.op.is_linear_map()).then_some(head)
    }

    /// How often nodes take the block.
    fn users(&self, block: usize) -> usize {
        self.nodes.iter().flat_map(|node| &node.blocks).filter(|&&taken| taken == block).count()
    }

    /// Whether the output is affine in the blocks marked, the others held.
    fn is_affine_in(&self, marked: &[bool]) -> bool {
        let mut depends = vec![false; self.shapes.len()];
        for (index, node) in self.nodes.iter().enumerate() {
            let inputs: Vec<bool> = node.inputs.iter().map(|&input| depends[input]).collect();
            let own: Vec<bool> = node.blocks.iter().map(|&block| marked[block]).collect();
            depends[index + 1] = own.contains(&true) || inputs.contains(&true);
            if depends[index + 1] && node.op.dependence_on(&inputs, &own) != Dependence::Affine {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{GraphBuilder, NodeId};
    use crate::op::{Activation, Add, Dense, Multiply};

    /// Names of the linear blocks.
    fn found(build: impl Fn(&mut GraphBuilder) -> NodeId) -> Vec<String> {
        let mut g = Graph::builder(3);
        let output = build(&mut g);
        let graph = g.build(output).unwrap();
        let ranges = graph.linear_parameters();
        let blocks = graph.parameters().blocks().iter();
        let of_range = |range: &Range<usize>| blocks.clone().find(|block| block.range == *range);
        ranges.iter().map(|range| of_range(range).unwrap().name.clone()).collect()
    }

    fn hidden(g: &mut GraphBuilder, name: &str, x: NodeId) -> NodeId {
        let h = g.node(name, Dense::new(3), &[x]).unwrap();
        g.node(&format!("{name} tanh"), Activation::Tanh, &[h]).unwrap()
    }

    #[test]
    fn the_last_dense_nodes_are_linear() {
        let stack = found(|g| {
            let h = hidden(g, "h", g.input());
            g.node("w", Dense::new(2), &[h]).unwrap()
        });
        assert_eq!(stack, ["w.weight", "w.bias"]);
        // Two paths, added, and a gate by the data after that.
        let wide_and_deep = found(|g| {
            let h = hidden(g, "h", g.input());
            let deep = g.node("deep", Dense::new(3), &[h]).unwrap();
            let wide = g.node("wide", Dense::new(3).without_bias(), &[g.input()]).unwrap();
            let sum = g.node("sum", Add, &[deep, wide]).unwrap();
            g.node("gate", Multiply, &[sum, g.input()]).unwrap()
        });
        assert_eq!(wide_and_deep, ["deep.weight", "deep.bias", "wide.weight"]);
    }

    #[test]
    fn what_is_bent_afterwards_or_used_elsewhere_is_not() {
        let bent = found(|g| {
            let h = hidden(g, "h", g.input());
            let w = g.node("w", Dense::new(2), &[h]).unwrap();
            g.node("tanh", Activation::Tanh, &[w]).unwrap()
        });
        assert_eq!(bent, [""; 0]);
        let shared = found(|g| {
            let h = hidden(g, "h", g.input());
            g.node_sharing("w", Dense::new(3), &[h], &["h.weight", "h.bias"]).unwrap()
        });
        assert_eq!(shared, [""; 0]);
        let product = found(|g| {
            let u = g.node("u", Dense::new(3), &[g.input()]).unwrap();
            let v = g.node("v", Dense::new(3), &[g.input()]).unwrap();
            g.node("product", Multiply, &[u, v]).unwrap()
        });
        // Linear in either, not in both: the later one is taken.
        assert_eq!(product, ["v.weight", "v.bias"]);
    }
}
