//! Steps of second differences, found once for all products at a point.

use secant_core::differences::Arms;
use std::sync::OnceLock;

/// Found at the first call for them.
#[derive(Clone, Debug, Default)]
pub(super) struct KeptArms(OnceLock<Arms>);

impl KeptArms {
    /// No lock is held while `find` evaluates f: two threads may both find them, and find the same.
    pub(super) fn get(&self, find: impl FnOnce() -> Arms) -> &Arms {
        if let Some(arms) = self.0.get() {
            return arms;
        }
        let arms = find();
        self.0.get_or_init(|| arms)
    }
}
