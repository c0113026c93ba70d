//! Sums and products of nodes, entry by entry.

use super::{At, Bar, Dependence, Dot, Op, OpDescription, same_shapes};
use crate::shape::{Shape, ShapeError};

/// z = x₀ + x₁ + …, two inputs or more of one shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Add;

impl Op for Add {
    fn name(&self) -> String {
        "add".into()
    }

    fn describe(&self) -> Option<OpDescription> {
        Some(OpDescription::plain("add"))
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        same_shapes(inputs, 2).cloned()
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        z.copy_from_slice(at.x.get(0));
        for input in 1..at.x.len() {
            add_to(z, at.x.get(input));
        }
    }

    fn tangent(&self, at: At<'_>, _z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        z_dot.fill(0.0);
        for x_dot in (0..at.x.len()).filter_map(|input| dot.x.get(input)) {
            add_to(z_dot, x_dot);
        }
    }

    fn adjoint(&self, at: At<'_>, _z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        for input in 0..at.x.len() {
            if let Some(slot) = bar.x.slot(input) {
                slot.add_slice(z_bar);
            }
        }
    }

    fn adjoint_tangent(
        &self,
        at: At<'_>,
        z: &[f64],
        _z_bar: &[f64],
        _dot: Dot<'_>,
        _z_dot: &[f64],
        z_bar_dot: &[f64],
        bar: &mut Bar<'_>,
    ) {
        self.adjoint(at, z, z_bar_dot, bar);
    }

    fn dependence(&self, _active: &[bool]) -> Dependence {
        Dependence::Affine
    }

    fn flops(&self, inputs: &[Shape], output: &Shape) -> usize {
        (inputs.len() - 1) * output.len()
    }
}

/// z = x₀ ⊙ x₁, two inputs of one shape (the same node twice squares it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Multiply;

impl Op for Multiply {
    fn name(&self) -> String {
        "multiply".into()
    }

    fn describe(&self) -> Option<OpDescription> {
        Some(OpDescription::plain("multiply"))
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        match inputs {
            [_, _] => same_shapes(inputs, 2).cloned(),
            _ => Err(ShapeError::InputCount { expected: 2, found: inputs.len() }),
        }
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        for ((z, a), b) in z.iter_mut().zip(at.x.get(0)).zip(at.x.get(1)) {
            *z = a * b;
        }
    }

    fn tangent(&self, at: At<'_>, _z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        z_dot.fill(0.0);
        for (input, other) in [(0, 1), (1, 0)] {
            if let Some(x_dot) = dot.x.get(input) {
                for ((z_dot, x_dot), x) in z_dot.iter_mut().zip(x_dot).zip(at.x.get(other)) {
                    *z_dot += x_dot * x;
                }
            }
        }
    }

    fn adjoint(&self, at: At<'_>, _z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        for (input, other) in [(0, 1), (1, 0)] {
            if let Some(slot) = bar.x.slot(input) {
                slot.add_map2([z_bar, at.x.get(other)], |z_bar, x| z_bar * x);
            }
        }
    }

    /// x̄₀˙ += z̄˙ ⊙ x₁ + z̄ ⊙ ẋ₁, and with 0 and 1 exchanged.
    fn adjoint_tangent(
        &self,
        at: At<'_>,
        z: &[f64],
        z_bar: &[f64],
        dot: Dot<'_>,
        _z_dot: &[f64],
        z_bar_dot: &[f64],
        bar: &mut Bar<'_>,
    ) {
        self.adjoint(at, z, z_bar_dot, bar);
        for (input, other) in [(0, 1), (1, 0)] {
            if let (Some(x_dot), Some(slot)) = (dot.x.get(other), bar.x.slot(input)) {
                slot.add_map2([z_bar, x_dot], |z_bar, x_dot| z_bar * x_dot);
            }
        }
    }

    fn dependence(&self, active: &[bool]) -> Dependence {
        if active[0] && active[1] { Dependence::Nonlinear } else { Dependence::Affine }
    }

    fn flops(&self, _inputs: &[Shape], output: &Shape) -> usize {
        output.len()
    }
}

fn add_to(sum: &mut [f64], terms: &[f64]) {
    for (sum, term) in sum.iter_mut().zip(terms) {
        *sum += term;
    }
}
