//! Work shared among threads, of which a caller outside of the pool is one: it would sleep until the last piece is done, and to be woken takes
//! as long as a small tile.

use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

/// Runs `work(index, a, b)` on each of `a` with its `b`.
pub(crate) fn for_each_pair<A: Send, B: Send>(
    a: &mut [A],
    b: &mut [B],
    work: impl Fn(usize, &mut A, &mut B) + Sync,
) {
    let run = |(index, (a, b)): (usize, (&mut A, &mut B))| work(index, a, b);
    match helpers(a.len()) {
        0 => a.iter_mut().zip(b).enumerate().for_each(run),
        _ if in_pool() => a.par_iter_mut().zip(b).enumerate().with_max_len(1).for_each(run),
        helpers => with_helpers(helpers, a.iter_mut().zip(b).enumerate(), run),
    }
}

/// Runs `work(index, piece)` on each piece of `length` numbers of `data`.
pub(crate) fn for_each_chunk(
    data: &mut [f64],
    length: usize,
    work: impl Fn(usize, &mut [f64]) + Sync,
) {
    let run = |(index, piece): (usize, &mut [f64])| work(index, piece);
    match helpers(data.len().div_ceil(length)) {
        0 => data.chunks_mut(length).enumerate().for_each(run),
        _ if in_pool() => data.par_chunks_mut(length).enumerate().for_each(run),
        helpers => with_helpers(helpers, data.chunks_mut(length).enumerate(), run),
    }
}

/// How many threads beside this one have something to do.
fn helpers(pieces: usize) -> usize {
    (rayon::current_num_threads() - 1).min(pieces.saturating_sub(1))
}

fn in_pool() -> bool {
    rayon::current_thread_index().is_some()
}

/// Runs `work` on every item, here and on `helpers` threads of the pool; each takes the next one.
fn with_helpers<T: Send>(
    helpers: usize,
    items: impl Iterator<Item = T> + Send,
    work: impl Fn(T) + Sync,
) {
    let rest = Mutex::new(items);
    // A function of its own, so that the lock is not held while there is work.
    let next = || rest.lock().unwrap_or_else(PoisonError::into_inner).next();
    let take = || {
        while let Some(item) = next() {
            work(item);
        }
    };
    rayon::in_place_scope(|scope| {
        for _ in 0..helpers {
            scope.spawn(|_| take());
        }
        take();
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// What both functions leave on 0 to 40 pieces.
    fn results() -> Vec<(Vec<usize>, Vec<f64>)> {
        let of = |pieces: usize| {
            let (mut a, mut b) = (vec![1; pieces], (0..pieces).collect::<Vec<_>>());
            for_each_pair(&mut a, &mut b, |index, a, b| *a += 10 * *b + index);
            let mut data = vec![1.0; (3 * pieces).saturating_sub(1)];
            for_each_chunk(&mut data, 3, |index, piece| {
                for (place, value) in piece.iter_mut().enumerate() {
                    *value += (10 * index + place) as f64;
                }
            });
            (a, data)
        };
        (0..40).map(of).collect()
    }

    #[test]
    fn every_piece_is_met_once_inside_of_the_pool_and_outside() {
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let expected: Vec<_> = (0..40_usize)
            .map(|pieces| {
                let data =
                    (0..(3 * pieces).saturating_sub(1)).map(|i| (1 + 10 * (i / 3) + i % 3) as f64);
                ((0..pieces).map(|index| 1 + 11 * index).collect(), data.collect())
            })
            .collect();
        assert!(rayon::current_thread_index().is_none());
        assert_eq!(results(), expected);
        for threads in [1, 2, 5] {
            assert_eq!(pool(threads).install(results), expected);
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_rest_is_done() {
        let done = AtomicUsize::new(0);
        let (mut a, mut b) = (vec![0; 20], vec![0; 20]);
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for_each_pair(&mut a, &mut b, |index, _, _| {
                assert!(index != 7, "piece {index}");
                done.fetch_add(1, Ordering::Relaxed);
            });
        }));
        let message = found.unwrap_err();
        assert_eq!(message.downcast_ref::<String>().map(String::as_str), Some("piece 7"));
        if rayon::current_num_threads() > 1 {
            assert_eq!(done.into_inner(), 19);
        }
    }
}
