//! ½‖r + J·p‖² in a box: by JᵀJ, or by the groups of an arrow.

use crate::linalg::arrow::{ArrowBlocks, ArrowQr, Asked};
use crate::linalg::box_qp::BoxQp;
use crate::linalg::vector;
use crate::problem::bounds::Bounds;
use crate::run::eval;
use crate::run::memory::bytes;
use argmin::core::Problem;
use faer::MatMut;
use secant_core::problem::{Arrow, LeastSquares};
use serde::{Deserialize, Serialize};

/// J at one point, one of two ways.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Quadratic {
    Dense {
        /// JᵀJ, n × n.
        normal: Vec<f64>,
        /// JᵀJ + μD²
        damped: Vec<f64>,
    },
    Arrow(Box<Groups>),
}

/// J by its groups. A step holds the parameters that the bounds do not let follow −∇f, and those that it takes out of the box at their
/// bounds, and solves for the others again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Groups {
    blocks: ArrowBlocks,
    qr: ArrowQr,
    /// The factors are those of the blocks.
    is_factored: bool,
    /// D⁻¹
    inverse_scale: Vec<f64>,
    held: Vec<bool>,
    /// D·p
    z: Vec<f64>,
    /// Of length m: r, J·p.
    rows: Vec<f64>,
    /// −Qᵀr
    right: Vec<f64>,
}

/// Where a step is asked for: θ with r and ∇f, μ and D².
pub(super) struct From<'a> {
    pub theta: &'a [f64],
    pub residuals: &'a [f64],
    pub gradient: &'a [f64],
    pub damping: f64,
    pub scale: &'a [f64],
    pub bounds: &'a Bounds,
    /// l − θ and u − θ
    pub lower: &'a [f64],
    pub upper: &'a [f64],
}

impl Quadratic {
    pub(super) fn new(arrow: Option<&Arrow>, m: usize, n: usize) -> Self {
        let Some(arrow) = arrow else {
            return Self::Dense { normal: vec![0.0; n * n], damped: vec![0.0; n * n] };
        };
        Self::Arrow(Box::new(Groups {
            blocks: ArrowBlocks::new(arrow.clone()),
            qr: ArrowQr::new(arrow),
            is_factored: false,
            inverse_scale: vec![1.0; n],
            held: vec![false; n],
            z: vec![0.0; n],
            rows: vec![0.0; m],
            right: vec![0.0; ArrowQr::right_len(arrow)],
        }))
    }

    /// Bytes of a run by groups of m residuals and n parameters.
    pub(super) fn bytes(arrow: &Arrow, m: usize, n: usize) -> u64 {
        let blocks = 2 * arrow.entries() + ArrowQr::numbers(arrow) + ArrowQr::right_len(arrow);
        bytes(&[(1, blocks, 1), (3, m, 1), (14, n, 1)])
    }

    /// J at θ, and `gradient` ← Jᵀr. Returns f.
    pub(super) fn evaluate<P: LeastSquares>(
        &mut self,
        problem: &mut Problem<P>,
        theta: &[f64],
        bounds: &Bounds,
        gradient: &mut [f64],
    ) -> f64 {
        match self {
            Self::Dense { normal, .. } => {
                let n = theta.len();
                let matrix = MatMut::from_column_major_slice_mut(normal, n, n);
                eval::normal_equations_within(problem, theta, bounds, matrix, gradient)
            }
            Self::Arrow(groups) => {
                let Groups { blocks, rows, .. } = &mut **groups;
                let entries = &mut blocks.entries;
                let value = eval::arrow_jacobian(problem, theta, Some(bounds), rows, entries);
                blocks.multiply_transposed(rows, gradient);
                groups.is_factored = false;
                value
            }
        }
    }

    /// The numbers that [`evaluate`](Self::evaluate) wrote, to be kept; and put back by [`put_back`](Self::put_back).
    pub(super) fn entries(&self) -> &[f64] {
        match self {
            Self::Dense { normal, .. } => normal,
            Self::Arrow(groups) => &groups.blocks.entries,
        }
    }

    pub(super) fn put_back(&mut self, entries: Vec<f64>) {
        match self {
            Self::Dense { normal, .. } => *normal = entries,
            Self::Arrow(groups) => {
                groups.blocks.entries = entries;
                groups.is_factored = false;
            }
        }
    }

    /// `scale` ← the larger of it and ‖Jⱼ‖².
    pub(super) fn grow(&mut self, scale: &mut [f64]) {
        match self {
            Self::Dense { normal, .. } => {
                let n = scale.len();
                for (j, scale) in scale.iter_mut().enumerate() {
                    *scale = scale.max(normal[j * n + j]);
                }
            }
            Self::Arrow(groups) => {
                groups.blocks.column_norms(&mut groups.z);
                for (scale, norm) in scale.iter_mut().zip(&groups.z) {
                    *scale = scale.max(norm * norm);
                }
            }
        }
    }

    /// `y` ← JᵀJ·x.
    pub(super) fn multiply(&mut self, x: &[f64], y: &mut [f64]) {
        match self {
            Self::Dense { normal, .. } => {
                let columns = normal.chunks_exact(x.len().max(1));
                y.iter_mut().zip(columns).for_each(|(y, column)| *y = vector::dot(column, x));
            }
            Self::Arrow(groups) => {
                groups.blocks.multiply(x, &mut groups.rows);
                groups.blocks.multiply_transposed(&groups.rows, y);
            }
        }
    }

    /// ‖J·p‖²
    pub(super) fn square(&mut self, p: &[f64]) -> f64 {
        match self {
            Self::Dense { normal, .. } => {
                let columns = normal.chunks_exact(p.len().max(1)).zip(p);
                columns.map(|(column, entry)| entry * vector::dot(column, p)).sum()
            }
            Self::Arrow(groups) => {
                groups.blocks.multiply(p, &mut groups.rows);
                vector::dot(&groups.rows, &groups.rows)
            }
        }
    }

    /// `step` ← the damped step in the box; `spare` is of length n.
    pub(super) fn step(&mut self, from: &From<'_>, step: &mut [f64], spare: &mut [f64]) {
        match self {
            Self::Dense { normal, damped } => {
                let n = step.len();
                damped.copy_from_slice(normal);
                for (j, scale) in from.scale.iter().enumerate() {
                    let scale = if *scale > 0.0 { *scale } else { 1.0 };
                    damped[j * n + j] += from.damping * scale;
                }
                let qp = BoxQp { b: damped, lower: from.lower, upper: from.upper };
                qp.solve(from.gradient, step, spare);
            }
            Self::Arrow(groups) => groups.step(from, step),
        }
    }
}

impl Groups {
    fn step(&mut self, from: &From<'_>, step: &mut [f64]) {
        if !self.is_factored {
            for (inverse, scale) in self.inverse_scale.iter_mut().zip(from.scale) {
                *inverse = if *scale > 0.0 { scale.sqrt().recip() } else { 1.0 };
            }
            self.qr.factor(&self.blocks, &self.inverse_scale);
            self.is_factored = true;
        }
        vector::scale_into(-1.0, from.residuals, &mut self.rows);
        self.qr.project(&mut self.rows, &mut self.right);
        let n = step.len();
        for j in 0..n {
            self.held[j] = from.bounds.blocks(j, from.theta[j], from.gradient[j]);
        }
        self.z.fill(0.0);
        for _ in 0..=n {
            let held = Some(&self.held[..]);
            let asked = Asked { damping: from.damping, held, resolution: 0.0 };
            self.qr.solve(asked, &self.right, &mut self.z);
            let mut left_box = false;
            for j in 0..n {
                step[j] = self.z[j] * self.inverse_scale[j];
                let bound = step[j].clamp(from.lower[j], from.upper[j]);
                // A NaN stays one, and is seen by who asked.
                if self.held[j] || step[j].is_nan() || bound == step[j] {
                    continue;
                }
                (self.held[j], left_box) = (true, true);
                (step[j], self.z[j]) = (bound, bound / self.inverse_scale[j]);
            }
            if !left_box {
                return;
            }
        }
    }
}
