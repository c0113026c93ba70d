//! The objectives of `secant` over the ranks of an MPI job: every rank has some of the samples, all take the same steps, and the steps are
//! those of one process, bit for bit.
//!
//! A full-batch objective is a sum over samples. How the samples are cut into blocks, and in which order their sums are added up, depends on
//! the model and N alone ([`Layout`](secant_core::risk::Layout)); a rank has whole blocks, and [`Partials`](secant_core::risk::Partials)
//! carry their sums. One collective for each evaluation brings the sums of all ranks to every rank, and each adds them up in the same order:
//! an all-gather, since a reduction adds in an order of its own choice. [`Distributed`] is then an objective like any other, for every
//! solver, `Auto`, a `Method` and checkpoints.
//!
//! Every rank must call the same methods of [`Distributed`] in the same order, which a solver does by itself as long as nothing but the
//! numbers decides: limits of time and interrupts go through [`Distributed::interrupt`] and [`Distributed::with_max_time`].

mod across;
mod columns;
mod cores;
mod distributed;
mod ending;
mod fault;
mod least_squares;
mod linearized;
mod ranks;
mod roll_call;
mod shared;

pub use across::AcrossRanks;
pub use distributed::{Distributed, NonFinite};
pub use fault::{Fault, MpiError};
pub use least_squares::DistributedResiduals;
pub use linearized::DistributedAt;
pub use ranks::{Ranks, Traffic};
pub use shared::Shared;
