//! The latest Jacobians by differences: the end of a run is asked for its J again, by a second look, for the notes and for errors.

use faer::{Mat, MatMut};
use secant_core::differences::Slope;
use secant_core::problem::InBox;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Most that are kept: that of the end, and those of two trials behind it that were refused.
const MOST: usize = 3;
/// Entries of one that is kept: half a mebibyte.
const ENTRIES: usize = 1 << 16;

/// J at a place, and what came of its columns.
struct Kept {
    theta: Vec<f64>,
    residuals: Vec<f64>,
    within: Option<(Vec<f64>, Vec<f64>)>,
    jacobian: Mat<f64>,
    slopes: Vec<Slope>,
}

impl Kept {
    /// Whether differences would evaluate the same function at the same points from the same r: NaN is never the same.
    fn is_of(&self, theta: &[f64], residuals: &[f64], within: Option<InBox<'_>>) -> bool {
        let same_box = match (&self.within, within) {
            (None, None) => true,
            (Some((lower, upper)), Some(within)) => lower == within.lower && upper == within.upper,
            _ => false,
        };
        same_box && self.theta == theta && self.residuals == residuals
    }
}

#[derive(Default)]
pub(super) struct Remembered(Mutex<VecDeque<Kept>>);

impl Remembered {
    /// `out` ← J as `take(out)` would give it, which is asked where nobody did before.
    pub(super) fn jacobian(
        &self,
        (theta, residuals): (&[f64], &[f64]),
        within: Option<InBox<'_>>,
        mut out: MatMut<'_, f64>,
        take: impl FnOnce(MatMut<'_, f64>) -> Vec<Slope>,
    ) -> Vec<Slope> {
        if out.nrows() * out.ncols() > ENTRIES {
            return take(out);
        }
        {
            let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(kept) = all.iter().find(|kept| kept.is_of(theta, residuals, within)) {
                out.copy_from(&kept.jacobian);
                return kept.slopes.clone();
            }
        }
        let slopes = take(out.as_mut());
        let kept = Kept {
            theta: theta.to_vec(),
            residuals: residuals.to_vec(),
            within: within.map(|within| (within.lower.to_vec(), within.upper.to_vec())),
            jacobian: out.to_owned(),
            slopes: slopes.clone(),
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.truncate(MOST - 1);
        all.push_front(kept);
        slopes
    }
}
