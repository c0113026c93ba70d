//! Scores of all samples, kept by an evaluation with a gradient for the Hessian of a generalised linear model: Newton's method asks for
//! both at one θ. They are kept from the first Hessian on, so that methods without one pay nothing.

use super::Risk;
use super::pool::lock;
use super::workspace::Scores;
use std::mem::take;

/// Numbers that are kept at most: 32 MiB.
const MOST: usize = 1 << 22;

impl Risk<'_> {
    /// Room for the scores of an evaluation, which are to be [kept](Self::keep_scores); none where nobody wants them.
    pub(super) fn scores_to_write(&self) -> Option<Scores> {
        let mut kept = lock(&self.pool.scores);
        if !kept.wanted {
            return None;
        }
        let mut scores = take(&mut *kept);
        scores.theta.clear();
        scores.values.resize(self.graph.outputs() * self.data.samples(), 0.0);
        Some(scores)
    }

    /// Keeps what was written at this θ of the sweeps.
    pub(super) fn keep_scores(&self, mut scores: Scores, theta: &[f64]) {
        scores.theta.extend_from_slice(theta);
        self.return_scores(scores);
    }

    /// The scores at this θ of the sweeps, to be [returned](Self::return_scores); where there are none, the next evaluation is to keep its own.
    pub(super) fn scores_at(&self, theta: &[f64]) -> Option<Scores> {
        let mut kept = lock(&self.pool.scores);
        if kept.theta == theta {
            return Some(take(&mut *kept));
        }
        kept.wanted = self.graph.outputs().saturating_mul(self.data.samples()) <= MOST;
        None
    }

    pub(super) fn return_scores(&self, scores: Scores) {
        *lock(&self.pool.scores) = scores;
    }
}
