//! What calls allocate, in a program of its own.
//!
//! The counter sees every allocation of the process, so the tests take turns, and what is judged is the bytes that one call asks for,
//! never what the process holds: a thread that multiplies matrices keeps a workspace of its own, twice the processor's third-level
//! cache, and that is no property of the call.

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::sync::{Mutex, MutexGuard, PoisonError};

mod descriptions;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

static ALONE: Mutex<()> = Mutex::new(());

/// Held by every test here while it allocates. A test that failed before does not count.
fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes that `call` asks for, buffers that grow counted by their growth. The least of two calls, and no second one where the first
/// stays within `enough`: the first call of a thread may lay out what the thread keeps.
fn bytes_asked(enough: usize, mut call: impl FnMut()) -> usize {
    let mut once = || {
        let region = Region::new(ALLOCATOR);
        call();
        region.change().bytes_allocated
    };
    let first = once();
    if first <= enough { first } else { first.min(once()) }
}

#[test]
fn the_counter_counts_what_a_call_asks_for_and_no_more() {
    let _alone = alone();
    let bytes = bytes_asked(0, || drop(std::hint::black_box(vec![0_u8; 3 << 20])));
    // The thread of the test harness allocates at times.
    assert!((3 << 20..4 << 20).contains(&bytes), "{bytes}");
    let mut kept = Vec::new();
    let bytes = bytes_asked(1 << 20, || {
        if kept.is_empty() {
            kept = vec![0_u8; 1 << 26];
        }
    });
    assert!(bytes < 1 << 20, "what the first call lays out for good: {bytes}");
}
