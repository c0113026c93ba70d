//! Buffers that are kept between evaluations, so that none is allocated after the first.

use super::Risk;
use super::workspace::{BatchWorkspace, Kept, Scores, ShardSum, Workspace};
use crate::problem::Objective;
use crate::tape::{TangentTape, Tape};
use std::sync::{Mutex, PoisonError};

#[derive(Debug, Default)]
pub(crate) struct Pool {
    workspaces: Mutex<Stock<Workspace>>,
    sums: Mutex<Vec<Vec<ShardSum>>>,
    kept: Mutex<Vec<Kept>>,
    pub(super) scores: Mutex<Scores>,
    /// θ and directions for centred data.
    pub(super) moved: Mutex<Vec<Vec<f64>>>,
    /// Workspaces and shard sums of minibatches: their tiles and shards are other ones.
    pub(super) batch_workspaces: Mutex<Stock<BatchWorkspace>>,
    pub(super) batch_sums: Mutex<Vec<Vec<ShardSum>>>,
}

/// Workspaces of one kind, as many as there were tasks at once.
#[derive(Debug)]
pub(super) struct Stock<T> {
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
            inputs: Vec::with_capacity(self.data.tile_numbers(samples)),
            shifted: self.new_shifted(samples),
            discarded,
        }
    }

    /// Makes sure that every thread will find a workspace.
    pub(super) fn stock_workspaces(&self) {
        fill(&self.pool.workspaces, || self.new_workspace());
    }

    /// Runs `work` with a workspace of the pool.
    pub(super) fn with_workspace<R>(&self, work: impl FnOnce(&mut Workspace) -> R) -> R {
        with(&self.pool.workspaces, || self.new_workspace(), work)
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

/// Makes sure that every thread will find a workspace in `stock`.
pub(super) fn fill<T>(stock: &Mutex<Stock<T>>, make: impl Fn() -> T) {
    let mut stock = lock(stock);
    while stock.made < rayon::current_num_threads() {
        stock.made += 1;
        stock.idle.push(make());
    }
}

/// Runs `work` with a workspace of `stock`.
pub(super) fn with<T, R>(
    stock: &Mutex<Stock<T>>,
    make: impl Fn() -> T,
    work: impl FnOnce(&mut T) -> R,
) -> R {
    let idle = lock(stock).idle.pop();
    let mut workspace = idle.unwrap_or_else(|| {
        lock(stock).made += 1;
        make()
    });
    let result = work(&mut workspace);
    lock(stock).idle.push(workspace);
    result
}

/// A panic in another thread leaves the pool's vectors whole, so a poisoned lock is still good.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
