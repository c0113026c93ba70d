//! Long vectors as a tree of blocks, whose shape depends on their length alone: the same bits for any number of threads.

use std::ops::Range;

/// Numbers of one vector that are worked on at a time: those of four vectors stay in the second-level cache, and a run of memory is long
/// enough for the prefetcher to get going.
pub(crate) const BLOCK: usize = 8192;

/// Vectors of one length, or the positions in them, that a pass goes over together.
pub(crate) trait Parts: Send + Sized {
    /// The first `middle` entries of each, and the rest.
    fn split(self, middle: usize) -> (Self, Self);
}

impl Parts for Range<usize> {
    fn split(self, middle: usize) -> (Self, Self) {
        let middle = self.start + middle;
        (self.start..middle, middle..self.end)
    }
}

impl Parts for &[f64] {
    fn split(self, middle: usize) -> (Self, Self) {
        self.split_at(middle)
    }
}

impl Parts for &mut [f64] {
    fn split(self, middle: usize) -> (Self, Self) {
        self.split_at_mut(middle)
    }
}

impl<A: Parts, B: Parts> Parts for (A, B) {
    fn split(self, middle: usize) -> (Self, Self) {
        let ((a, a_rest), (b, b_rest)) = (self.0.split(middle), self.1.split(middle));
        ((a, b), (a_rest, b_rest))
    }
}

impl<A: Parts> Parts for Option<A> {
    fn split(self, middle: usize) -> (Self, Self) {
        self.map(|parts| parts.split(middle)).unzip()
    }
}

/// `join` over `of` every block of `parts`, each of `len` entries; from `parallel` entries on the halves run in parallel.
pub(crate) fn tree<P: Parts, R: Send>(
    len: usize,
    parallel: usize,
    parts: P,
    of: &(impl Fn(P) -> R + Sync),
    join: &(impl Fn(R, R) -> R + Sync),
) -> R {
    if len <= BLOCK {
        return of(parts);
    }
    let middle = (len / 2).next_multiple_of(BLOCK);
    let (head, tail) = parts.split(middle);
    let head = || tree(middle, parallel, head, of, join);
    let tail = || tree(len - middle, parallel, tail, of, join);
    let (a, b) = if len >= parallel { rayon::join(head, tail) } else { (head(), tail()) };
    join(a, b)
}
