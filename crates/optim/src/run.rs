//! What a run is made of, whatever the method: state, counted evaluations, the end, the report, memory.

pub mod checkpoint;
pub(crate) mod costs;
pub(crate) mod eval;
pub(crate) mod evaluations;
pub(crate) mod fit_solver;
pub(crate) mod limits;
pub mod memory;
pub(crate) mod minimize;
pub mod nonfinite;
pub(crate) mod report;
pub(crate) mod state;
pub mod stopping;
pub(crate) mod watch;
