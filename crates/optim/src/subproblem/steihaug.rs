//! Steihaug–Toint: conjugate gradients on Hp = −g, stopped where they leave the region or meet negative curvature.
//!
//! Every iterate lowers m and lengthens p; the path ends on the boundary, at residual ≤ tolerance · ‖g‖, or after as many
//! products as allowed. The first iterate is the Cauchy point, so that the decrease suffices for convergence; on the boundary it
//! is at least half of the best one where H is positive definite (Yuan 2000).
//! A smaller radius needs the path again, with its products; [`Gltr`](super::Gltr) does not.
//! Memory 3n. Cost per iteration: one product and 16n operations in three passes that move 12 vectors, in parallel for long ones.
//! Source: Steihaug (1983); Toint (1981); Nocedal & Wright (2006) algorithm 7.2.

use super::{NotFinite, Step, to_boundary};
use crate::linalg::operator::Scaled;
use crate::linalg::{sweep, vector};
use secant_core::operator::LinearOperator;
use serde::{Deserialize, Serialize};

/// The vectors of CG.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Steihaug {
    /// Hp + g
    residual: Vec<f64>,
    direction: Vec<f64>,
    /// H·direction
    product: Vec<f64>,
}

impl Steihaug {
    /// For H of n × n.
    pub fn new(n: usize) -> Self {
        Self { residual: vec![0.0; n], direction: vec![0.0; n], product: vec![0.0; n] }
    }

    /// `step` ← p, with at most `products` ≥ 1 products, g ≠ 0.
    ///
    /// # Errors
    /// A product is not finite before the first iterate. A later one ends the path.
    pub fn solve(
        &mut self,
        hessian: &impl LinearOperator,
        gradient: &[f64],
        radius: f64,
        tolerance: f64,
        products: usize,
        step: &mut [f64],
    ) -> Result<Step, NotFinite> {
        let Some(scale) = vector::extreme_scale(gradient) else {
            return self.run(hessian, gradient, radius, tolerance, products, step);
        };
        // H and g in other units: p is the same.
        let mut unit = vec![0.0; gradient.len()];
        vector::scale_into(scale, gradient, &mut unit);
        let hessian = Scaled(hessian, scale);
        let found = self.run(&hessian, &unit, radius, tolerance, products, step)?;
        Ok(Step { predicted: found.predicted / scale, ..found })
    }

    /// [`solve`](Self::solve) for a g of ordinary size.
    fn run(
        &mut self,
        hessian: &impl LinearOperator,
        gradient: &[f64],
        radius: f64,
        tolerance: f64,
        products: usize,
        step: &mut [f64],
    ) -> Result<Step, NotFinite> {
        sweep::begin(gradient, step, &mut self.residual, &mut self.direction);
        let mut rr = vector::dot(gradient, gradient);
        let goal = tolerance * rr.sqrt();
        // pᵀp and pᵀd
        let (mut pp, mut pd) = (0.0, 0.0);
        let mut predicted = 0.0;
        for iteration in 0..products {
            hessian.apply(&self.direction, &mut self.product);
            let [curvature, dd, _] = sweep::products(&self.direction, &self.product);
            if !curvature.is_finite() {
                if iteration == 0 {
                    return Err(NotFinite);
                }
                break;
            }
            let alpha = rr / curvature;
            let leaves = pp + alpha * (2.0 * pd + alpha * dd) >= radius * radius;
            let convex = curvature > 0.0;
            if !convex || leaves {
                let tau = to_boundary(pp, pd, dd, radius);
                // The slope of m along the direction is rᵀd = −rᵀr.
                predicted += tau * (rr - 0.5 * tau * curvature);
                vector::axpy(tau, &self.direction, step);
                let norm = vector::norm(step);
                return Ok(Step { predicted, norm, on_boundary: true, multiplier: None });
            }
            predicted += 0.5 * alpha * rr;
            let Self { residual, direction, product } = self;
            let [squares, next] = sweep::advance(alpha, direction, product, step, residual);
            pp = squares;
            if next.sqrt() <= goal {
                break;
            }
            pd = sweep::turn_beside(next / rr, residual, step, direction);
            rr = next;
        }
        let norm = vector::norm_of_squares(pp, step);
        Ok(Step { predicted, norm, on_boundary: false, multiplier: None })
    }
}
