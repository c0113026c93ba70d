//! What optional features add, with the tests beside it: a program of its own, so that all others need no second build.

#[path = "../it/argmin.rs"]
mod argmin;
#[path = "../it/common/mod.rs"]
mod common;
#[path = "../it/mgh.rs"]
mod mgh;
