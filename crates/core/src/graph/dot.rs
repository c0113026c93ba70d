//! A graph in the language of Graphviz.

use super::Graph;
use super::summary::parameters;
use std::fmt::Write;

impl Graph {
    /// The graph for Graphviz's `dot`: a box for each node with name, op, output shape and parameters, an arrow for each input.
    ///
    /// ```
    /// use secant_core::network::Network;
    ///
    /// assert_eq!(Network::linear(3, 2).graph()?.to_dot(), r#"digraph {
    ///     node [shape=box, style=rounded, fontname="monospace"];
    ///     n0 [label="input\n3"];
    ///     n1 [label="dense1\ndense, 2\n8 parameters", peripheries=2];
    ///     n0 -> n1;
    /// }
    /// "#);
    /// # Ok::<(), secant_core::graph::GraphError>(())
    /// ```
    pub fn to_dot(&self) -> String {
        let mut out = String::from(
            "digraph {\n    node [shape=box, style=rounded, fontname=\"monospace\"];\n",
        );
        let summary = self.summary();
        let last = self.nodes.len();
        for (index, row) in summary.rows.iter().enumerate() {
            let mut label = escaped(&row.name);
            label.push_str("\\n");
            if index > 0 {
                label.push_str(&escaped(&row.op));
                label.push_str(", ");
            }
            label.push_str(&row.shape.to_string());
            if row.parameters + row.shared > 0 {
                let count = parameters(row.parameters, row.shared);
                label.push_str("\\n");
                label.push_str(&count);
                label.push_str(" parameters");
            }
            // The output has a second border.
            let border = if index == last { ", peripheries=2" } else { "" };
            // Writing to a string does not fail.
            _ = writeln!(out, "    n{index} [label=\"{label}\"{border}];");
        }
        for (index, node) in self.nodes.iter().enumerate() {
            for input in &node.inputs {
                _ = writeln!(out, "    n{input} -> n{};", index + 1);
            }
        }
        out.push_str("}\n");
        out
    }
}

/// Quotes and backslashes escaped; control characters, line ends among them, as spaces.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
