//! θ and directions as the sweeps over centred sparse data take them, and what comes back (see `graph/sparse.rs`). Without a centre nothing
//! of this costs anything.

use super::Risk;
use super::pool::lock;
use faer::MatMut;
use std::ops::Deref;

/// T·θ, or θ itself; gives its buffer back to the pool.
#[derive(Debug)]
pub(super) enum Moved<'a> {
    Same(&'a [f64]),
    Other { risk: &'a Risk<'a>, moved: Vec<f64> },
}

impl Deref for Moved<'_> {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        match self {
            Self::Same(theta) => theta,
            Self::Other { moved, .. } => moved,
        }
    }
}

impl Drop for Moved<'_> {
    fn drop(&mut self) {
        if let Self::Other { risk, moved } = self {
            lock(&risk.pool.moved).push(std::mem::take(moved));
        }
    }
}

impl Risk<'_> {
    /// θ (or a direction) where the sweeps evaluate.
    pub(super) fn moved<'a>(&'a self, theta: &'a [f64]) -> Moved<'a> {
        let Some(centring) = &self.centring else { return Moved::Same(theta) };
        let mut moved = lock(&self.pool.moved).pop().unwrap_or_default();
        moved.clear();
        moved.extend_from_slice(theta);
        centring.apply(&mut moved);
        Moved::Other { risk: self, moved }
    }

    /// The gradient that the sweeps gave as that by θ.
    pub(super) fn move_back(&self, gradient: &mut [f64]) {
        if let Some(centring) = &self.centring {
            centring.apply_transposed(gradient);
        }
    }

    /// The same of a symmetric matrix of second derivatives.
    pub(super) fn move_matrix_back(&self, matrix: MatMut<'_, f64>) {
        if let Some(centring) = &self.centring {
            centring.apply_both(matrix);
        }
    }
}
