//! A graph as a table: what each node gives, has and costs.

use super::Graph;
use crate::shape::Shape;
use crate::text::{LONGEST, cut};
use std::collections::HashSet;
use std::fmt;

/// One row of a [`Summary`]: a node, or the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSummary {
    /// Name of the node; `input` for the data.
    pub name: String,
    /// Name of its op; empty for the data.
    pub op: String,
    /// Shape of one sample's output.
    pub shape: Shape,
    /// Entries of θ in the blocks that the node is the first to take.
    pub parameters: usize,
    /// Entries of θ in the blocks that it shares with an earlier node.
    pub shared: usize,
    /// Flops of one sample's value: [`Op::flops`](crate::op::Op::flops).
    pub flops: usize,
    /// Bytes that a sample takes on the tape: its value and, where it depends on θ, its adjoint. The data are not copied.
    pub tape_bytes: usize,
}

/// A graph's nodes in the order of evaluation, the data first. Prints as a table with totals; names are cut to
/// [`LONGEST`] characters there.
///
/// ```
/// use secant_core::network::Network;
/// use secant_core::op::Activation;
///
/// let graph = Network::mlp([8, 32, 1], Activation::Tanh);
/// assert_eq!(graph.graph()?.summary().to_string(), "\
/// node    op     shape  parameters  flops/sample  tape bytes/sample
/// input              8           0             0                  0
/// dense1  dense     32         288           512                512
/// tanh1   tanh      32           0            64                512
/// dense2  dense      1          33            64                 16
/// total                        321           640              1,040");
/// # Ok::<(), secant_core::graph::GraphError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The data, then the nodes.
    pub rows: Vec<NodeSummary>,
}

impl Summary {
    /// n, the length of θ.
    pub fn parameters(&self) -> usize {
        self.total(|row| row.parameters)
    }
    /// Flops of one sample's forward sweep.
    pub fn flops(&self) -> usize {
        self.total(|row| row.flops)
    }
    /// Bytes of values and adjoints that a linearisation keeps for a sample.
    pub fn tape_bytes(&self) -> usize {
        self.total(|row| row.tape_bytes)
    }
    fn total(&self, column: impl Fn(&NodeSummary) -> usize) -> usize {
        self.rows.iter().map(column).fold(0, usize::saturating_add)
    }
}

impl Graph {
    /// What each node gives, has and costs.
    pub fn summary(&self) -> Summary {
        let mut taken = HashSet::new();
        let data = NodeSummary {
            name: "input".into(),
            op: String::new(),
            shape: self.shapes[0].clone(),
            parameters: 0,
            shared: 0,
            flops: 0,
            tape_bytes: 0,
        };
        let mut rows = vec![data];
        for (index, node) in self.nodes.iter().enumerate() {
            let (mut parameters, mut shared) = (0, 0);
            for (&block, range) in node.blocks.iter().zip(&node.ranges) {
                *(if taken.insert(block) { &mut parameters } else { &mut shared }) += range.len();
            }
            let place = &self.layout.places[index + 1];
            let kept = 1 + usize::from(place.active.is_some());
            rows.push(NodeSummary {
                name: node.name.clone(),
                op: node.op.name(),
                shape: self.shapes[index + 1].clone(),
                parameters,
                shared,
                flops: self.node_flops(index),
                tape_bytes: kept * place.rows * size_of::<f64>(),
            });
        }
        Summary { rows }
    }
}

impl fmt::Display for Graph {
    /// Its [`Summary`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.summary().fmt(f)
    }
}

const HEADER: [&str; 6] =
    ["node", "op", "shape", "parameters", "flops/sample", "tape bytes/sample"];
/// Columns from here on are numbers, to the right.
const FIRST_NUMBER: usize = 2;

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = vec![HEADER.map(str::to_owned)];
        table.extend(self.rows.iter().map(|row| {
            [
                cut(&row.name, LONGEST).into_owned(),
                cut(&row.op, LONGEST).into_owned(),
                cut(&row.shape.to_string(), LONGEST).into_owned(),
                parameters(row.parameters, row.shared),
                grouped(row.flops),
                grouped(row.tape_bytes),
            ]
        }));
        let (n, flops, bytes) = (self.parameters(), self.flops(), self.tape_bytes());
        let empty = String::new;
        table.push(["total".into(), empty(), empty(), grouped(n), grouped(flops), grouped(bytes)]);
        let width =
            |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..HEADER.len()).map(width).collect();
        for (index, row) in table.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                let gap = if column == 0 { "" } else { "  " };
                if column < FIRST_NUMBER {
                    write!(f, "{gap}{cell:<width$}")?;
                } else {
                    write!(f, "{gap}{cell:>width$}")?;
                }
            }
        }
        Ok(())
    }
}

/// `288`, or `(288 shared)` where all belong to an earlier node, or both.
pub(super) fn parameters(own: usize, shared: usize) -> String {
    match (own, shared) {
        (own, 0) => grouped(own),
        (0, shared) => format!("({} shared)", grouped(shared)),
        (own, shared) => format!("{} (+{} shared)", grouped(own), grouped(shared)),
    }
}

/// Digits in groups of three: `1,234,567`.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::graph::Graph;
    use crate::op::{Activation, Add, Dense};
    use crate::tape::Tape;

    fn tied() -> Graph {
        let mut g = Graph::builder([20, 30]);
        let x = g.input();
        let phi = g.node("feature map", Activation::Sine, &[x]).unwrap();
        let a = g.node("a", Dense::new(600), &[phi]).unwrap();
        let b = g.node_sharing("b", Dense::new(600), &[a], &["a.weight", "a.bias"]).unwrap();
        let sum = g.node("sum", Add, &[a, b]).unwrap();
        let y = g.node("y", Dense::new(10).without_bias(), &[sum]).unwrap();
        g.build(y).unwrap()
    }

    #[test]
    fn a_name_of_any_length_prints_as_a_row_of_the_table() {
        let mut g = Graph::builder(2);
        let name = "w".repeat(1 << 16) + "\n";
        let y = g.node(&name, Dense::new(1), &[g.input()]).unwrap();
        let table = g.build(y).unwrap().to_string();
        let rows: Vec<&str> = table.lines().collect();
        assert_eq!(rows.len(), 4, "header, data, node, total");
        let letters = |row: &str| row.chars().count();
        assert!(rows.iter().all(|row| letters(row) == letters(rows[0]) && letters(row) < 200));
        assert!(rows[2].starts_with(&("w".repeat(59) + "…  dense")), "{}", rows[2]);
    }

    #[test]
    fn a_shared_block_is_counted_once_and_a_feature_map_has_no_adjoint() {
        let expected = "\
node         op     shape        parameters  flops/sample  tape bytes/sample
input               20×30                 0             0                  0
feature map  sine   20×30                 0         1,200              4,800
a            dense    600           360,600       720,000              9,600
b            dense    600  (360,600 shared)       720,000              9,600
sum          add      600                 0           600              9,600
y            dense     10             6,000        12,000                160
total                               366,600     1,453,800             33,760";
        assert_eq!(tied().to_string(), expected);
    }

    #[test]
    fn the_totals_are_those_of_theta_the_sweep_and_the_tape() {
        let graph = tied();
        let summary = graph.summary();
        assert_eq!(summary.parameters(), graph.parameters().dim());
        assert_eq!(summary.flops(), graph.flops());
        let tape = Tape::new(&graph, 7);
        let kept = size_of_val(&tape.values[..]) + size_of_val(&tape.adjoints[..]);
        assert_eq!(7 * summary.tape_bytes(), kept);
    }
}
