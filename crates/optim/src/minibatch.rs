//! First-order methods on minibatches: which samples, which rate, the run.

pub mod batches;
pub(crate) mod sampled;
pub mod schedule;
