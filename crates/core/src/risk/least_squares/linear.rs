//! The linear parameters of the residuals, with the design of a dense output node in one forward sweep.

use super::LeastSquaresRisk;
use crate::graph::Node;
use crate::op::Region;
use crate::problem::{LeastSquares, LinearPart, Objective};
use crate::sweep::forward;
use faer::{Mat, MatMut};
use std::ops::Range;

impl LeastSquaresRisk<'_> {
    /// The output node, where all of `ranges` are blocks of it: A is then Φ ⊗ I_c with the node's inputs in Φ.
    fn head(&self, ranges: &[Range<usize>]) -> Option<&Node> {
        let head = self.risk.graph.head()?;
        ranges.iter().all(|range| head.ranges.contains(range)).then_some(head)
    }

    pub(super) fn part(&self, ranges: &[Range<usize>]) -> LinearPart {
        let data = 0..self.data_residuals();
        if self.head(ranges).is_none() {
            let rows = vec![Range { start: 0, end: self.residual_len() }];
            return LinearPart { ranges: ranges.to_vec(), rows, copies: 1 };
        }
        let below = |bound: usize| self.penalised.partition_point(|index| *index < bound);
        let penalty = ranges.iter().map(|range| below(range.start)..below(range.end));
        let shifted = penalty.map(|rows| rows.start + data.end..rows.end + data.end);
        let rows = std::iter::once(data.clone()).chain(shifted.filter(|rows| !rows.is_empty()));
        let rows = rows.collect();
        LinearPart { ranges: ranges.to_vec(), rows, copies: self.risk.graph.outputs() }
    }

    pub(super) fn design(
        &self,
        theta: &[f64],
        part: &LinearPart,
        residuals: &mut [f64],
        mut design: MatMut<'_, f64>,
    ) -> f64 {
        let Some(head) = self.head(&part.ranges) else {
            return self.dense_design(theta, part, residuals, design);
        };
        self.risk.assert_dim("theta", theta);
        self.assert_residuals("residuals", residuals);
        assert_eq!((design.nrows(), design.ncols()), part.design_shape(), "shape of the design");
        let (data, penalty) = residuals.split_at_mut(self.data_residuals());
        let place = &self.risk.graph.layout.places[head.inputs[0]];
        let d = place.rows;
        let moved = self.risk.moved(theta);
        let mut dense = Vec::new();
        self.risk.with_workspace(|workspace| {
            let partition = self.risk.partition;
            let (values, read) = (&mut workspace.tape.values, &mut workspace.inputs);
            for range in (0..partition.tiles()).map(|tile| partition.range(tile)) {
                let tile = self.risk.tile(&moved, &range, read);
                forward(tile, values);
                let z = &values[tile.output_value()];
                self.data_residual(&range, z, &mut data[self.rows(&range)]);
                let inputs = match place.value {
                    Region::Data => self.risk.dense_tile(tile.data, &mut dense),
                    Region::Arena(start) => &values[start * tile.batch..(start + d) * tile.batch],
                };
                let mut first = 0;
                for block in &part.ranges {
                    // Not the weights, so the bias: its input is 1.
                    let weight = *block == head.ranges[0];
                    let columns = if weight { d } else { 1 };
                    for (sample, input) in range.clone().zip(inputs.chunks_exact(d)) {
                        let scale = self.root_scale(sample);
                        for j in 0..columns {
                            design[(sample, first + j)] =
                                if weight { scale * input[j] } else { scale };
                        }
                    }
                    first += columns;
                }
            }
        });
        self.penalty_residual(theta, penalty);
        self.penalty_design(part, design);
        super::half_square(residuals)
    }

    /// √λ in the row of each penalised column.
    fn penalty_design(&self, part: &LinearPart, mut design: MatMut<'_, f64>) {
        let samples = self.risk.partition.samples();
        design.as_mut().subrows_mut(samples, part.design_shape().0 - samples).fill(0.0);
        let columns = part.ranges.iter().cloned().flatten().step_by(part.copies);
        let place = |(j, at)| self.penalised.binary_search(&at).ok().map(|place| (j, place));
        for (row, (j, place)) in columns.enumerate().filter_map(place).enumerate() {
            design[(samples + row, j)] = self.lambdas[place].sqrt();
        }
    }

    /// From the columns of the dense J.
    fn dense_design(
        &self,
        theta: &[f64],
        part: &LinearPart,
        residuals: &mut [f64],
        mut design: MatMut<'_, f64>,
    ) -> f64 {
        let mut jacobian = Mat::zeros(self.residual_len(), self.dim());
        let value = self.jacobian(theta, residuals, jacobian.as_mut());
        for (j, column) in part.ranges.iter().cloned().flatten().enumerate() {
            design.as_mut().col_mut(j).copy_from(jacobian.col(column));
        }
        value
    }

    /// The names of the blocks in `range`.
    pub(super) fn name(&self, range: &Range<usize>) -> String {
        let blocks = self.risk.graph.parameters().blocks().iter();
        let within = blocks.filter(|b| b.range.start < range.end && range.start < b.range.end);
        let part = |b: &crate::params::ParamBlock| {
            let (from, to) = (range.start.max(b.range.start), range.end.min(b.range.end));
            if (from..to) == b.range { b.name.clone() } else { format!("part of {}", b.name) }
        };
        within.map(part).collect::<Vec<_>>().join(", ")
    }
}
