//! Generalised Lanczos trust region: m minimised exactly over growing Krylov spaces, p ∈ span{g, Hg, H²g, …}; and the same with a
//! cubic term in place of the region.
//!
//! With the Lanczos basis Q and QᵀHQ = T, p = Qh where h minimises ‖g‖·h₁ + ½hᵀTh over ‖h‖ ≤ Δ: a tridiagonal trust-region
//! problem, solved by Newton's method on the secular equation. With ⅓σ‖h‖³ in the model the multiplier is λ = σ‖h‖. Stop: ‖(H + λI)p + g‖ = β_k|h_k| ≤ tolerance · ‖g‖, or the
//! basis is as long as allowed, or spans an invariant space.
//! The basis stays: at another bound [`solve_again`](Gltr::solve_again) needs no product.
//! Hard case: a direction of negative curvature that g has no part along lies in no Krylov space of g. Then p solves the problem
//! on the space at hand, which is enough to go on; such directions are looked for, from a start of their own, by
//! [`extreme_eigenvalues`](crate::krylov::extreme_eigenvalues), where a solver has come to rest. There is no restart inside.
//! Memory k·n. Cost per step of Lanczos: one product and 8nk operations.
//! Source: Gould, Lucidi, Roma & Toint (1999) SIAM J. Optim. 9, algorithm 5.1; Conn, Gould & Toint (2000) §7.5.4; Cartis, Gould
//! & Toint (2011) §6.1 for the cubic term.

use super::{Bound, NotFinite, Step, secular, to_boundary};
use crate::krylov::Lanczos;
use secant_core::operator::LinearOperator;
use serde::{Deserialize, Serialize};

/// The smallest eigenvalue of T is known to this · ε·‖T‖; where it is smaller in size, T counts as semidefinite.
pub const FLAT: f64 = 16.0;

/// The Lanczos basis and the work space of the small problems.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Gltr {
    lanczos: Lanczos,
    gradient_norm: f64,
    /// h
    small: Vec<f64>,
    /// (T + λI)⁻¹h
    solved: Vec<f64>,
    pivots: Vec<f64>,
    leftmost: Vec<f64>,
}

impl Gltr {
    /// For H of n × n.
    pub fn new(n: usize) -> Self {
        Self {
            lanczos: Lanczos::new(n),
            gradient_norm: 0.0,
            small: Vec::new(),
            solved: Vec::new(),
            pivots: Vec::new(),
            leftmost: Vec::new(),
        }
    }

    /// `step` ← p for a new g ≠ 0 and H, with at most `products` ≥ 1 products.
    ///
    /// # Errors
    /// The first product is not finite. A later one ends the basis.
    pub fn solve(
        &mut self,
        hessian: &impl LinearOperator,
        gradient: &[f64],
        bound: Bound,
        tolerance: f64,
        products: usize,
        step: &mut [f64],
    ) -> Result<Step, NotFinite> {
        self.gradient_norm = self.lanczos.start(gradient);
        loop {
            if !self.lanczos.expand(hessian) {
                if self.lanczos.steps() == 0 {
                    return Err(NotFinite);
                }
                return Ok(self.solve_again(bound, step));
            }
            let (lambda, on_boundary) = self.small_problem(bound);
            let last = self.small[self.small.len() - 1].abs();
            let small_enough = self.lanczos.coupling() * last <= tolerance * self.gradient_norm;
            let ended = self.lanczos.is_exhausted() || self.lanczos.steps() >= products;
            if small_enough || ended {
                return Ok(self.finish(bound, lambda, on_boundary, step));
            }
        }
    }

    /// `step` ← p within another bound, on the basis at hand: no product.
    pub fn solve_again(&mut self, bound: Bound, step: &mut [f64]) -> Step {
        let (lambda, on_boundary) = self.small_problem(bound);
        self.finish(bound, lambda, on_boundary, step)
    }

    fn finish(&self, bound: Bound, lambda: f64, on_boundary: bool, step: &mut [f64]) -> Step {
        self.lanczos.combine(&self.small, step);
        let t = self.lanczos.tridiagonal();
        let norm = self.small.iter().map(|h| h * h).sum::<f64>().sqrt();
        let cubic = match bound {
            Bound::Radius(_) => 0.0,
            Bound::Weight(weight) => weight * norm * norm * norm / 3.0,
        };
        let model =
            self.gradient_norm * self.small[0] + 0.5 * t.quadratic_form(&self.small) + cubic;
        Step { predicted: (-model).max(0.0), norm, on_boundary, multiplier: Some(lambda) }
    }

    /// λ and whether the bound holds h, which is in `self.small`.
    fn small_problem(&mut self, bound: Bound) -> (f64, bool) {
        let t = self.lanczos.tridiagonal();
        let rounding = FLAT * f64::EPSILON * t.norm() + f64::MIN_POSITIVE;
        let mut lower = 0.0;
        let mut negative = None;
        if !t.factor(0.0, &mut self.pivots) {
            let smallest = t.smallest();
            // Rounding around a semidefinite T is no negative curvature.
            negative = (smallest < -rounding).then_some(smallest);
            lower = rounding - smallest.min(0.0);
            // Doubled, so that no size of T, nor an eigenvalue that bisection missed, makes it long; at infinity h vanishes.
            let mut more = rounding;
            while !t.factor(lower, &mut self.pivots) && lower.is_finite() {
                lower += more;
                more *= 2.0;
            }
            if !lower.is_finite() {
                // Squares of T overflow: no step, and a promise of nothing.
                self.small.clear();
                self.small.resize(self.lanczos.steps(), 0.0);
                return (0.0, true);
            }
        }
        let square = self.evaluate(lower).square;
        let radius = match bound {
            Bound::Radius(radius) => radius,
            Bound::Weight(weight) => lower / weight,
        };
        if square.sqrt() <= radius {
            let Some(smallest) = negative else { return (0.0, false) };
            // The hard case, up to rounding: h is too short at the pole.
            let t = self.lanczos.tridiagonal();
            t.leftmost(smallest, &mut self.pivots, &mut self.leftmost);
            let along: f64 = self.small.iter().zip(&self.leftmost).map(|(h, u)| h * u).sum();
            let sign = if along < 0.0 { -1.0 } else { 1.0 };
            let tau = sign * to_boundary(square, sign * along, 1.0, radius);
            for (h, u) in self.small.iter_mut().zip(&self.leftmost) {
                *h += tau * u;
            }
            return (lower, true);
        }
        let lambda = match bound {
            Bound::Radius(radius) => {
                let upper = lower + self.gradient_norm / radius;
                secular::solve(lower, upper, radius, |lambda| self.evaluate(lambda))
            }
            Bound::Weight(weight) => {
                // λ(λ − lower) ≥ σ‖g‖ there, and ‖h(λ)‖ ≤ ‖g‖/(λ − lower).
                let root = (0.25 * lower * lower + weight * self.gradient_norm).sqrt();
                let upper = 0.5 * lower + root;
                secular::solve_cubic(lower, upper, weight, |lambda| self.evaluate(lambda))
            }
        };
        (lambda, true)
    }

    /// h(λ) into `self.small`.
    fn evaluate(&mut self, lambda: f64) -> secular::At {
        let t = self.lanczos.tridiagonal();
        t.factor(lambda, &mut self.pivots);
        self.small.clear();
        self.small.resize(self.lanczos.steps(), 0.0);
        self.small[0] = -self.gradient_norm;
        t.solve(&self.pivots, &mut self.small);
        self.solved.clone_from(&self.small);
        t.solve(&self.pivots, &mut self.solved);
        let both = self.small.iter().zip(&self.solved);
        let (square, slope) =
            both.fold((0.0, 0.0), |(square, slope), (h, w)| (square + h * h, slope + h * w));
        secular::At { square, slope }
    }
}
