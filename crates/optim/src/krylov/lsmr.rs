//! LSMR: min ‖A·x − b‖² + δ²‖x‖² from products with A (m × n) and Aᵀ, no matrix formed.
//!
//! Golub–Kahan: βu⁺ = A·v − αu, αv⁺ = Aᵀ·u⁺ − βv turns A into a lower bidiagonal matrix; LSMR is MINRES on the normal equations
//! (AᵀA + δ²I)x = Aᵀb in that basis, by three plane rotations an iteration. ‖Aᵀr − δ²x‖ and ‖r‖ both fall monotonically, so that a
//! solution cut short is still a good one. Among all solutions of a singular problem it finds the one with the smallest ‖x‖.
//! Stop: see [`Until`] and [`End`].
//! Memory 2m + 4n. Cost per iteration: one product with A, one with Aᵀ, 3m + 8n operations.
//! Source: Fong & Saunders (2011), SIAM J. Sci. Comput. 33, algorithm LSMR with §§3.1–3.5 and 5; the names of the scalars are theirs.

use crate::linalg::vector;
use faer::{ColMut, ColRef, MatRef};
use serde::{Deserialize, Serialize};

/// Relative error of the entries of A, and of those of b, that the solution may be exact for.  The defaults of SciPy's `lsmr`.
pub const TOLERANCE: f64 = 1e-6;
/// Largest estimate of cond(A).  The default of SciPy's `lsmr`.
pub const CONDITION_LIMIT: f64 = 1e8;
/// Most iterations as a multiple of min(m, n).  Paige & Saunders (1982), LSQR: 4 for systems that are not well-conditioned.
pub const ITERATIONS: usize = 4;

/// A (m × n) by its products. They take `&mut self`, so that an implementation may count them or keep scratch.
pub trait Products {
    /// `out` ← A·v; `v`: length n, `out`: length m.
    fn multiply(&mut self, v: &[f64], out: &mut [f64]);
    /// `out` ← Aᵀ·u; `u`: length m, `out`: length n.
    fn multiply_transposed(&mut self, u: &[f64], out: &mut [f64]);
}

/// A dense matrix. Cost: mn multiply–adds each.
impl Products for MatRef<'_, f64> {
    fn multiply(&mut self, v: &[f64], out: &mut [f64]) {
        ColMut::from_slice_mut(out).copy_from(*self * ColRef::from_slice(v));
    }
    fn multiply_transposed(&mut self, u: &[f64], out: &mut [f64]) {
        ColMut::from_slice_mut(out).copy_from(self.transpose() * ColRef::from_slice(u));
    }
}

/// When LSMR ends; a tolerance of zero switches its test off. r is b − A·x, and with a bar the damped problem is meant: Ā = \[A; δI\],
/// r̄ = \[r; −δx\].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Until {
    /// α in ‖r̄‖ ≤ β‖b‖ + α‖Ā‖‖x‖ (compatible systems) and in ‖Āᵀr̄‖ ≤ α‖Ā‖‖r̄‖ (the others): x is exact for an A off by this part.
    /// Default [`TOLERANCE`].
    pub matrix_tolerance: f64,
    /// β in the same test: x is exact for a b off by this part. Default [`TOLERANCE`].
    pub right_tolerance: f64,
    /// ‖Āᵀr̄‖ ≤ this · ‖Aᵀb‖. Default 0.
    pub normal_reduction: f64,
    /// cond(Ā) ≥ this, as far as it is known. Default [`CONDITION_LIMIT`]; ∞ switches it off.
    pub condition_limit: f64,
    /// Most iterations. Default none: [`ITERATIONS`] · min(m, n).
    pub iterations: Option<usize>,
}

impl Default for Until {
    fn default() -> Self {
        Self {
            matrix_tolerance: TOLERANCE,
            right_tolerance: TOLERANCE,
            normal_reduction: 0.0,
            condition_limit: CONDITION_LIMIT,
            iterations: None,
        }
    }
}

/// Why LSMR ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Aᵀb = 0: x = 0 is the solution.
    Zero,
    /// The test of compatible systems, see [`Until::matrix_tolerance`].
    Compatible,
    /// The test of least-squares problems, see [`Until::matrix_tolerance`].
    LeastSquares,
    /// [`Until::normal_reduction`].
    Reduced,
    /// One of the three, as far as `f64` can tell: nothing is left to gain.
    Rounding,
    /// [`Until::condition_limit`].
    Condition,
    /// [`Until::iterations`].
    Iterations,
    /// The observer has seen enough.
    Observer,
    /// A product, b or δ is not finite; x is the last iterate before that, 0 at first.
    NotFinite,
}

/// Where an iteration stands. All but the number and ‖x‖ are estimates that cost nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// Iterations so far.
    pub iterations: usize,
    /// ‖r̄‖
    pub residual: f64,
    /// ‖Āᵀr̄‖
    pub normal: f64,
    /// ‖Ā‖, Frobenius, of the part that was seen.
    pub matrix: f64,
    /// cond(Ā) of the part that was seen.
    pub condition: f64,
    /// ‖x‖
    pub solution: f64,
}

/// The vectors of LSMR.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lsmr {
    u: Vec<f64>,
    v: Vec<f64>,
    h: Vec<f64>,
    h_bar: Vec<f64>,
    /// Products, before they are taken in.
    image: Vec<f64>,
    pulled: Vec<f64>,
}

/// The rotations of §3, and those of §5 for the norms.
struct Rotations {
    alpha: f64,
    alpha_bar: f64,
    zeta: f64,
    zeta_bar: f64,
    rho: f64,
    rho_bar: f64,
    c_bar: f64,
    s_bar: f64,
    beta_dd: f64,
    beta_d: f64,
    rho_d: f64,
    tau_tilde: f64,
    theta_tilde: f64,
    /// Σ β̌²
    damped: f64,
    /// ‖r̄‖
    residual: f64,
    /// ‖A‖², with the latest α and without it
    matrix_square: f64,
    seen_square: f64,
    /// The extremes of ρ̄ before the latest, and c̄ρ, which stands for the latest.
    largest: f64,
    smallest: f64,
    latest: f64,
}

/// What the new iterate is made of: h̄ ← h − `h_bar`·h̄, x ← x + `x`·h̄, h ← v − `h`·h.
struct Coefficients {
    h_bar: f64,
    x: f64,
    h: f64,
}

impl Lsmr {
    /// For A of m × n.
    pub fn new(m: usize, n: usize) -> Self {
        let zeros = |length| vec![0.0; length];
        Self {
            u: zeros(m),
            v: zeros(n),
            h: zeros(n),
            h_bar: zeros(n),
            image: zeros(m),
            pulled: zeros(n),
        }
    }

    /// `x` (length n) ← argmin ‖A·x − b‖² + `damping`²·‖x‖², from x = 0; `b`: length m. `observe` sees every iteration and ends the run by
    /// `false`. Allocates nothing of its own.
    pub fn solve(
        &mut self,
        a: &mut impl Products,
        b: &[f64],
        damping: f64,
        until: &Until,
        mut observe: impl FnMut(&Standing) -> bool,
        x: &mut [f64],
    ) -> (End, Standing) {
        x.fill(0.0);
        let size = vector::norm(b);
        let mut at = Standing {
            iterations: 0,
            residual: size,
            normal: 0.0,
            matrix: 0.0,
            condition: 1.0,
            solution: 0.0,
        };
        if size == 0.0 {
            return (End::Zero, at);
        }
        vector::scale_into(size.recip(), b, &mut self.u);
        a.multiply_transposed(&self.u, &mut self.v);
        let alpha = vector::norm(&self.v);
        at.normal = alpha * size;
        if !(at.normal.is_finite() && damping.is_finite()) {
            return (End::NotFinite, at);
        }
        if at.normal == 0.0 {
            return (End::Zero, at);
        }
        vector::scale(alpha.recip(), &mut self.v);
        self.h.copy_from_slice(&self.v);
        self.h_bar.fill(0.0);
        let start = at.normal;
        let mut rotations = Rotations::new(alpha, size);
        let most = until.iterations.unwrap_or(ITERATIONS * b.len().min(x.len()));
        while at.iterations < most {
            let first = at.iterations == 0;
            let Some(beta) = self.bidiagonalize(a, &mut rotations.alpha) else {
                return (End::NotFinite, at);
            };
            let step = rotations.turn(beta, damping, first);
            vector::scale(-step.h_bar, &mut self.h_bar);
            vector::axpy(1.0, &self.h, &mut self.h_bar);
            vector::axpy(step.x, &self.h_bar, x);
            vector::scale(-step.h, &mut self.h);
            vector::axpy(1.0, &self.v, &mut self.h);
            at = rotations.standing(at.iterations + 1, vector::norm(x));
            if let Some(end) = until.judge(&at, size, start) {
                return (end, at);
            }
            if !observe(&at) {
                return (End::Observer, at);
            }
        }
        (End::Iterations, at)
    }

    /// The next u, β, v and α; none where a product is not finite.
    fn bidiagonalize(&mut self, a: &mut impl Products, alpha: &mut f64) -> Option<f64> {
        a.multiply(&self.v, &mut self.image);
        vector::axpy(-*alpha, &self.u, &mut self.image);
        let beta = vector::norm(&self.image);
        if !beta.is_finite() {
            return None;
        }
        if beta > 0.0 {
            vector::scale_into(beta.recip(), &self.image, &mut self.u);
            a.multiply_transposed(&self.u, &mut self.pulled);
            vector::axpy(-beta, &self.v, &mut self.pulled);
            let next = vector::norm(&self.pulled);
            if !next.is_finite() {
                return None;
            }
            if next > 0.0 {
                vector::scale_into(next.recip(), &self.pulled, &mut self.v);
            }
            *alpha = next;
        } else {
            // b lies in the space that was searched: x is exact, and there is nowhere to go.
            *alpha = 0.0;
        }
        Some(beta)
    }
}

impl Rotations {
    fn new(alpha: f64, beta: f64) -> Self {
        Self {
            alpha,
            alpha_bar: alpha,
            zeta: 0.0,
            zeta_bar: alpha * beta,
            rho: 1.0,
            rho_bar: 1.0,
            c_bar: 1.0,
            s_bar: 0.0,
            beta_dd: beta,
            beta_d: 0.0,
            rho_d: 1.0,
            tau_tilde: 0.0,
            theta_tilde: 0.0,
            damped: 0.0,
            residual: beta,
            matrix_square: alpha * alpha,
            seen_square: 0.0,
            largest: 0.0,
            smallest: f64::INFINITY,
            latest: 0.0,
        }
    }

    /// One iteration of §3.4 with the damping of §3.5.
    fn turn(&mut self, beta: f64, damping: f64, first: bool) -> Coefficients {
        if !first {
            self.largest = self.largest.max(self.rho_bar);
            self.smallest = self.smallest.min(self.rho_bar);
        }
        self.seen_square = self.matrix_square + beta * beta;
        self.matrix_square = self.seen_square + self.alpha * self.alpha;
        let damping_turn = rotation(self.alpha_bar, damping);
        let (rho_before, rho_bar_before, zeta_before) = (self.rho, self.rho_bar, self.zeta);
        let (c, s, rho) = rotation(damping_turn.2, beta);
        let theta_next = s * self.alpha;
        self.alpha_bar = c * self.alpha;
        self.rho = rho;
        let theta_bar = self.s_bar * rho;
        self.latest = self.c_bar * rho;
        (self.c_bar, self.s_bar, self.rho_bar) = rotation(self.latest, theta_next);
        self.zeta = self.c_bar * self.zeta_bar;
        self.zeta_bar *= -self.s_bar;
        self.follow_residual((damping_turn.0, damping_turn.1), (c, s), theta_bar, zeta_before);
        Coefficients {
            h_bar: theta_bar * rho / (rho_before * rho_bar_before),
            x: self.zeta / (rho * self.rho_bar),
            h: theta_next / rho,
        }
    }

    /// ‖r̄‖ by one more rotation, from the left.  §5.1.
    fn follow_residual(
        &mut self,
        (c_hat, s_hat): (f64, f64),
        (c, s): (f64, f64),
        theta_bar: f64,
        zeta_before: f64,
    ) {
        let acute = c_hat * self.beta_dd;
        let check = -s_hat * self.beta_dd;
        let hat = c * acute;
        self.beta_dd = -s * acute;
        let theta_before = self.theta_tilde;
        let (c_tilde, s_tilde, rho_tilde) = rotation(self.rho_d, theta_bar);
        self.theta_tilde = s_tilde * self.rho_bar;
        self.rho_d = c_tilde * self.rho_bar;
        self.beta_d = c_tilde * hat - s_tilde * self.beta_d;
        self.tau_tilde = (zeta_before - theta_before * self.tau_tilde) / rho_tilde;
        let tau_d = (self.zeta - self.theta_tilde * self.tau_tilde) / self.rho_d;
        self.damped += check * check;
        let left = self.beta_d - tau_d;
        self.residual = (self.damped + left * left + self.beta_dd * self.beta_dd).sqrt();
    }

    fn standing(&self, iterations: usize, solution: f64) -> Standing {
        Standing {
            iterations,
            residual: self.residual,
            normal: self.zeta_bar.abs(),
            matrix: self.seen_square.sqrt(),
            condition: self.largest.max(self.latest) / self.smallest.min(self.latest),
            solution,
        }
    }
}

impl Until {
    /// The tests in the order of their worth; ‖b‖ = `size`, ‖Aᵀb‖ = `start`.
    fn judge(&self, at: &Standing, size: f64, start: f64) -> Option<End> {
        let reach = at.matrix * at.solution / size;
        let compatible = at.residual / size;
        let optimal = at.normal / (at.matrix * at.residual);
        if compatible <= self.right_tolerance + self.matrix_tolerance * reach {
            return Some(End::Compatible);
        }
        if optimal <= self.matrix_tolerance {
            return Some(End::LeastSquares);
        }
        if at.normal <= self.normal_reduction * start {
            return Some(End::Reduced);
        }
        if compatible <= f64::EPSILON * (1.0 + reach) || optimal <= f64::EPSILON {
            return Some(End::Rounding);
        }
        (at.condition >= self.condition_limit).then_some(End::Condition)
    }
}

/// (c, s, r) with \[c s; s −c\]·\[a; b\] = \[r; 0\], r ≥ 0.
fn rotation(a: f64, b: f64) -> (f64, f64, f64) {
    let r = a.hypot(b);
    if r == 0.0 { (1.0, 0.0, 0.0) } else { (a / r, b / r, r) }
}
