//! Anderson's mixing of the steps p(θ) of a fixed-point iteration θ⁺ = θ + p(θ): where p falls slowly and linearly, the points before tell where it ends.
//!
//! θ⁺ = θ + p − Σⱼ γⱼ(Δθⱼ + Δpⱼ), γ = argmin ‖p − Σⱼ γⱼΔpⱼ‖ over the latest changes Δθ and Δp, in a norm of the caller's. Of a linear p it
//! is GMRES: with as many changes as p has directions that it is slow in, p vanishes.
//! Memory 2n·[`DEPTH`]; cost of a step n·[`DEPTH`]², and the norm's of [`DEPTH`] + 1 vectors.
//! Source: Anderson (1965), J. ACM 12; Walker & Ni (2011), SIAM J. Numer. Anal. 49, algorithm AA and §2 for GMRES.

use super::qr::PivotedQr;
use super::vector;
use serde::{Deserialize, Serialize};

/// Most changes that are kept. Walker & Ni (2011) §4: 2 to 10.
pub(crate) const DEPTH: usize = 10;
/// A change that is so nearly a combination of the others has nothing but rounding of its own; √ε.
const OWN: f64 = 1.5e-8;

/// The latest changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Anderson {
    n: usize,
    /// θ and p of the latest point; known from the first on.
    theta: Vec<f64>,
    step: Vec<f64>,
    begun: bool,
    /// Δθ and Δp, n numbers each, those of change i at place i modulo [`depth`](Self::depth).
    moves: Vec<f64>,
    turns: Vec<f64>,
    /// Changes so far.
    changes: usize,
    /// The Δp in the caller's norm, columns of length 1.
    qr: PivotedQr,
    lengths: Vec<f64>,
    /// p in the caller's norm, then γ.
    image: Vec<f64>,
}

impl Anderson {
    pub(crate) fn new(n: usize) -> Self {
        let depth = n.min(DEPTH);
        let zeros = |length: usize| vec![0.0; length];
        Self {
            n,
            theta: zeros(n),
            step: zeros(n),
            begun: false,
            moves: zeros(n * depth),
            turns: zeros(n * depth),
            changes: 0,
            qr: PivotedQr::new(n, depth),
            lengths: zeros(depth),
            image: zeros(n),
        }
    }

    fn depth(&self) -> usize {
        self.lengths.len()
    }

    /// Forgets all points.
    pub(crate) fn clear(&mut self) {
        (self.begun, self.changes) = (false, 0);
    }

    /// Takes in θ and p(θ).
    pub(crate) fn learn(&mut self, theta: &[f64], step: &[f64]) {
        if std::mem::replace(&mut self.begun, true) {
            let at = self.changes % self.depth() * self.n;
            vector::subtract(theta, &self.theta, &mut self.moves[at..at + self.n]);
            vector::subtract(step, &self.step, &mut self.turns[at..at + self.n]);
            self.changes += 1;
        }
        self.theta.copy_from_slice(theta);
        self.step.copy_from_slice(step);
    }

    /// `step`, which is p of the latest point, ← the mixed step; false, and the step as it was, where there is none. `image(v, out)` writes n
    /// numbers whose norm is the caller's norm of v.
    pub(crate) fn mix(
        &mut self,
        step: &mut [f64],
        mut image: impl FnMut(&[f64], &mut [f64]),
    ) -> bool {
        let (n, known) = (self.n, self.changes.min(self.depth()));
        if known == 0 {
            return false;
        }
        self.qr.resize(n, known);
        for (j, turn) in self.turns.chunks_exact(n).take(known).enumerate() {
            let column = self.qr.column_mut(j);
            image(turn, column);
            let length = vector::norm(column);
            if !(length > 0.0 && length.is_finite()) {
                return false;
            }
            vector::scale(length.recip(), column);
            self.lengths[j] = length;
        }
        self.qr.factor();
        image(step, &mut self.image);
        self.qr.transpose_q(&mut self.image);
        let least = OWN * self.qr.r(0, 0).abs();
        let rank = (0..known).take_while(|j| self.qr.r(*j, *j).abs() > least).count();
        let weights = &mut self.image[..rank];
        self.qr.solve_leading(weights);
        for (weight, &j) in weights.iter().zip(self.qr.order()) {
            let (gamma, at) = (weight / self.lengths[j], j * n..(j + 1) * n);
            vector::axpy(-gamma, &self.moves[at.clone()], step);
            vector::axpy(-gamma, &self.turns[at], step);
        }
        if vector::all_finite(step) {
            return true;
        }
        step.copy_from_slice(&self.step);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// p(θ) = M·(θ − θ*) of a matrix that is not symmetric: with n changes GMRES is at its end.
    #[test]
    fn steps_of_a_linear_iteration_end_after_as_many_changes_as_parameters() {
        let matrix = [[-0.5, 0.3, 0.0], [0.1, -1.4, 0.2], [0.0, 0.1, -0.2]];
        let end = [3.0, -1.0, 20.0];
        let p = |theta: &[f64]| -> Vec<f64> {
            let entry = |row: &[f64; 3]| {
                row.iter().zip(theta).zip(end).map(|((m, t), e)| m * (t - e)).sum()
            };
            matrix.iter().map(entry).collect()
        };
        let mut theta = vec![0.0; 3];
        let mut mixing = Anderson::new(3);
        for round in 0..5 {
            let mut step = p(&theta);
            mixing.learn(&theta, &step);
            assert_eq!(mixing.mix(&mut step, |v, out| out.copy_from_slice(v)), round > 0);
            theta.iter_mut().zip(&step).for_each(|(theta, step)| *theta += step);
        }
        assert!(vector::norm(&p(&theta)) <= 1e-12, "{theta:?}");
        // Without it the slowest direction is left with 0.8⁵ of its way.
        mixing.clear();
        let mut step = p(&[0.0; 3]);
        mixing.learn(&[0.0; 3], &step);
        assert!(!mixing.mix(&mut step, |v, out| out.copy_from_slice(v)) && step == p(&[0.0; 3]));
    }

    #[test]
    fn changes_that_are_no_numbers_leave_the_step_alone() {
        let mut mixing = Anderson::new(2);
        mixing.learn(&[0.0, 0.0], &[1.0, 1.0]);
        mixing.learn(&[1.0, 1.0], &[1.0, 1.0]);
        let mut step = [1.0, 1.0];
        assert!(!mixing.mix(&mut step, |v, out| out.copy_from_slice(v)) && step == [1.0, 1.0]);
        mixing.learn(&[2.0, 2.0], &[f64::NAN, 1.0]);
        assert!(!mixing.mix(&mut step, |v, out| out.copy_from_slice(v)) && step == [1.0, 1.0]);
    }
}
