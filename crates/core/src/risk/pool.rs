//! Buffers that are kept between evaluations, so that none is allocated after the first.

use super::Risk;
use super::linearized::Kept;
use crate::problem::Objective;
use crate::tape::{TangentTape, Tape};
use std::sync::{Mutex, PoisonError};

/// What one task needs to sweep a tile.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) tape: Tape,
    pub(crate) sweep: TangentTape,
    /// Where a sweep that is repeated for its tape puts its gradient.
    pub(crate) discarded: ShardSum,
}

/// What one shard adds up: Σ ℓ (compensated) and θ̄.
#[derive(Debug, Default)]
pub(crate) struct ShardSum {
    pub(crate) loss: CompensatedSum,
    pub(crate) gradient: Vec<f64>,
}

/// A sum with the rounding errors carried along  (Neumaier 1974).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CompensatedSum {
    sum: f64,
    correction: f64,
}

impl CompensatedSum {
    pub(crate) fn add(&mut self, term: f64) {
        let sum = self.sum + term;
        self.correction += if self.sum.abs() >= term.abs() {
            (self.sum - sum) + term
        } else {
            (term - sum) + self.sum
        };
        self.sum = sum;
    }
    pub(crate) fn merge(&mut self, other: Self) {
        self.add(other.sum);
        if other.sum.is_finite() {
            self.add(other.correction);
        }
    }
    pub(crate) fn total(self) -> f64 {
        // An infinite sum has a NaN correction (∞ − ∞); the sum itself is the answer then.
        if self.sum.is_finite() { self.sum + self.correction } else { self.sum }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Pool {
    workspaces: Mutex<Stock<Workspace>>,
    sums: Mutex<Vec<Vec<ShardSum>>>,
    kept: Mutex<Vec<Kept>>,
}

#[derive(Debug)]
struct Stock<T> {
    made: usize,
    idle: Vec<T>,
}

impl<T> Default for Stock<T> {
    fn default() -> Self {
        Self { made: 0, idle: Vec::new() }
    }
}

impl Risk<'_> {
    fn new_workspace(&self) -> Workspace {
        let samples = self.partition.tile_samples();
        let discarded = if self.keeps_all_tapes() { 0 } else { self.dim() };
        let discarded = ShardSum { gradient: vec![0.0; discarded], ..ShardSum::default() };
        Workspace {
            tape: Tape::new(self.graph, samples),
            sweep: TangentTape::new(self.graph, samples),
            discarded,
        }
    }

    /// Makes sure that every thread will find a workspace.
    pub(super) fn stock_workspaces(&self) {
        let mut stock = lock(&self.pool.workspaces);
        while stock.made < rayon::current_num_threads() {
            stock.made += 1;
            let workspace = self.new_workspace();
            stock.idle.push(workspace);
        }
    }

    /// Runs `work` with a workspace of the pool.
    pub(super) fn with_workspace<R>(&self, work: impl FnOnce(&mut Workspace) -> R) -> R {
        let idle = lock(&self.pool.workspaces).idle.pop();
        let mut workspace = idle.unwrap_or_else(|| {
            lock(&self.pool.workspaces).made += 1;
            self.new_workspace()
        });
        let result = work(&mut workspace);
        lock(&self.pool.workspaces).idle.push(workspace);
        result
    }

    /// One [`ShardSum`] per shard; give them back to [`return_sums`](Self::return_sums).
    pub(super) fn take_sums(&self) -> Vec<ShardSum> {
        let idle = lock(&self.pool.sums).pop();
        idle.unwrap_or_else(|| {
            let n = self.dim();
            let sum = || ShardSum { gradient: vec![0.0; n], ..ShardSum::default() };
            (0..self.partition.shards()).map(|_| sum()).collect()
        })
    }

    pub(super) fn return_sums(&self, sums: Vec<ShardSum>) {
        lock(&self.pool.sums).push(sums);
    }

    pub(super) fn take_kept(&self) -> Option<Kept> {
        lock(&self.pool.kept).pop()
    }

    pub(super) fn return_kept(&self, kept: Kept) {
        lock(&self.pool.kept).push(kept);
    }
}

/// A panic in another thread leaves the pool's vectors whole, so a poisoned lock is still good.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
