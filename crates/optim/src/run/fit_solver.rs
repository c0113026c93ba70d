//! What every solver has beside argmin's `Solver`.

use super::stopping::Stopping;
use crate::error::OptimError;
use crate::problem::bounds::Bounds;

/// What every solver of this crate has beside argmin's `Solver`; what [`minimize`](crate::minimize) needs.
pub trait FitSolver {
    /// The method's name.
    const NAME: &'static str;
    /// The name with what the options make of it: `self-scaled BFGS`. Default: [`NAME`](Self::NAME).
    fn title(&self) -> &'static str {
        Self::NAME
    }
    /// When it stops.
    fn stopping(&self) -> &Stopping;
    /// When it stops, to be changed.
    fn stopping_mut(&mut self) -> &mut Stopping;
    /// Checks every option.
    ///
    /// # Errors
    /// The first option outside its range.
    fn validate(&self) -> Result<(), OptimError>;
    /// Bytes that a run takes for n parameters and m residuals (0 for a method that asks for none), beside the problem's own buffers;
    /// none where the solver does not say. [`memory`](crate::memory) tells what is refused.
    fn memory(&self, n: usize, m: usize) -> Option<u64> {
        let _ = (n, m);
        None
    }
    /// The box that it stays in, where it has one; without entries, none was set.
    fn bounds(&self) -> Option<&Bounds> {
        None
    }
    /// What happened on the way that the counters do not say.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}
