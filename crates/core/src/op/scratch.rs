//! Memory that a node needs within one call, kept by the thread: from the largest call on nothing is allocated.

use std::cell::Cell;

thread_local! {
    static SCRATCH: Cell<Vec<f64>> = const { Cell::new(Vec::new()) };
}

/// Runs `work` with `len` numbers of any contents. Inlined, so that `work` may be vector code where this is called.
#[inline(always)]
pub(crate) fn with_scratch<R>(len: usize, work: impl FnOnce(&mut [f64]) -> R) -> R {
    // Taken out meanwhile: a call within a call finds none and makes its own.
    let mut scratch = SCRATCH.take();
    if scratch.len() < len {
        scratch.resize(len, 0.0);
    }
    let result = work(&mut scratch[..len]);
    SCRATCH.set(scratch);
    result
}
