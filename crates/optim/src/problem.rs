//! Problems from closures, their bounds and L1 terms, and ours behind argmin's traits.

pub(crate) mod adapter;
pub(crate) mod bounds;
pub(crate) mod functions;
pub(crate) mod l1;
