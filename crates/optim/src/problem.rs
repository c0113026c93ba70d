//! Problems from closures and generic functions, their bounds and L1 terms, and ours behind argmin's traits.

pub(crate) mod adapter;
mod arms;
pub(crate) mod bounds;
pub(crate) mod duals;
pub(crate) mod functions;
pub(crate) mod l1;
pub(crate) mod objective_fn;
pub(crate) mod remembered;
mod typical;
mod uncounted;
