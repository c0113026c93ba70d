//! What runs allocate, in a program of its own.
//!
//! The counter sees every allocation of the process, so the tests take turns, and what is judged is what a call asks for, never what the
//! process holds: a thread that multiplies matrices keeps a workspace of its own, twice the processor's third-level cache, and that is
//! no property of a run.

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, Stats, StatsAlloc};
use std::alloc::System;
use std::sync::{Mutex, MutexGuard, PoisonError};

mod allocations;
#[path = "../it/common/mod.rs"]
mod common;
mod grows;
mod stated;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Calls that are counted. The first may lay out what a thread keeps for good, and the thread of the test harness allocates at times:
/// the least is the call's own.
const REPEATS: usize = 3;

static ALONE: Mutex<()> = Mutex::new(());

/// Held by every test here while it allocates. A test that failed before does not count.
fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn least(mut call: impl FnMut(), of: fn(&Stats) -> usize) -> usize {
    let once = |_| {
        let region = Region::new(ALLOCATOR);
        call();
        of(&region.change())
    };
    (0..REPEATS).map(once).min().unwrap_or(0)
}

/// Bytes that `call` asks for, buffers that grow counted by their growth.
fn bytes_asked(call: impl FnMut()) -> usize {
    least(call, |change| change.bytes_allocated)
}

/// How often `call` allocates or grows a buffer.
fn allocations(call: impl FnMut()) -> usize {
    least(call, |change| change.allocations + change.reallocations)
}

/// Whether a product of matrices allocates nothing from a thread's second on. faer's kernels for x86-64 do not; those that it has for
/// every other processor list their packed rows, a few bytes per product.
fn products_allocate_nothing() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::arch::is_x86_feature_detected!("avx512f")
            || std::arch::is_x86_feature_detected!("avx2")
                && std::arch::is_x86_feature_detected!("fma")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

#[test]
fn the_counter_counts_what_a_call_asks_for_and_no_more() {
    let _alone = alone();
    let bytes = bytes_asked(|| drop(std::hint::black_box(vec![0_u8; 3 << 20])));
    assert_eq!(bytes, 3 << 20);
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![0_u8; 3]))), 1);
    let mut kept = Vec::new();
    let bytes = bytes_asked(|| {
        if kept.is_empty() {
            kept = vec![0_u8; 1 << 26];
        }
    });
    assert_eq!(bytes, 0, "what the first call lays out for good");
}
