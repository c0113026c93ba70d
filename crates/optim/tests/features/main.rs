//! What optional features add, with the tests beside it: a program of its own, so that all others need no second build.

#[path = "../it/argmin.rs"]
mod argmin;
#[path = "../it/common/mod.rs"]
#[allow(dead_code, reason = "a part of what the large program uses")]
mod common;
#[path = "../it/mgh.rs"]
mod mgh;
