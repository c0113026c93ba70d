//! The BFGS matrix H of the last m pairs (s, y) on γI, in compact form.
//!
//! H·g = γq + S(α − β) with q = g − Yα and α, β from triangular recursions on SᵀY, YᵀY, Sᵀg and Yᵀg: the two-loop recursion
//! (Nocedal & Wright 2006, algorithm 7.4) with its inner products expanded, so that vectors of length n are met in two passes
//! over [S Y] only. The first, Sᵀ[y g] and Yᵀ[y g], is also the one that a new pair needs; it makes y of the gradient before, in
//! place. The second gives the slope gᵀp, the first trial θ⁺ = θ + p and s = θ⁺ − θ on the way.
//! Memory 2mn + 2m². Traffic per step: (4m + 8)·8n bytes, half of what the two loops move: the other pairs, s, ∇f⁺ and ∇f read and
//! y written by the first pass; all pairs, ∇f and θ read, s and θ⁺ fetched and written by the second. Both go block by block, in
//! parallel for long vectors, with the same bits for any number of threads.
//! Source: Byrd, Nocedal & Schnabel (1994), Math. Prog. 63, theorem 2.2 and §3.2.

use super::blocks::{BLOCK, tree};
use super::vector::{self, Sizes, subtract_inline, vectorize};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// s and y of one step.
type Columns = (Vec<f64>, Vec<f64>);

/// From this length on the blocks of a pass run in parallel.
const PARALLEL: usize = 4 * BLOCK;
/// Partial sums of one inner product: four products at a time fill the registers.
const LANES: usize = 8;

/// The last m pairs and their inner products.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LimitedMemory {
    n: usize,
    capacity: usize,
    /// (sᵢ, yᵢ), written round and round.
    pairs: Vec<Columns>,
    /// sᵢᵀyⱼ at i·m + j, of slots; right where pair i is no younger than pair j.
    sy: Vec<f64>,
    /// yᵢᵀyⱼ
    yy: Vec<f64>,
    /// [sᵢᵀy, yᵢᵀy, sᵢᵀg, yᵢᵀg] of the latest push, of slots.
    products: Vec<[f64; 4]>,
    /// The parts of `products` that one block of the vectors gives, block after block.
    partial: Vec<[f64; 4]>,
    /// The sizes of the latest step in every block.
    sizes: Vec<Sizes>,
    alpha: Vec<f64>,
    /// α − β
    along_s: Vec<f64>,
    len: usize,
    /// Where the next pair goes.
    next: usize,
    /// sᵀy / yᵀy of the latest pair.  N&W (7.20).
    gamma: f64,
}

/// θ and ∇f at both ends of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends<'a> {
    pub theta: &'a [f64],
    pub gradient: &'a [f64],
    pub theta_before: &'a [f64],
    pub gradient_before: &'a [f64],
}

/// A step just taken, in buffers that the memory may keep.
#[derive(Debug)]
pub(crate) struct Taken<'a> {
    /// θ⁺
    pub theta: &'a [f64],
    /// ∇f⁺
    pub gradient: &'a [f64],
    /// θ
    pub theta_before: &'a [f64],
    /// Where `sizes` are given θ⁺ − θ; room for it where not.
    pub step: &'a mut Vec<f64>,
    /// ∇f
    pub gradient_before: &'a mut Vec<f64>,
    /// Those of the step, where [`newton_trial`](LimitedMemory::newton_trial) laid it out.
    pub sizes: Option<Sizes>,
}

/// The sizes of a pair.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    /// sᵀy
    pub sy: f64,
    /// ‖s‖
    pub s_norm: f64,
    /// ‖y‖
    pub y_norm: f64,
}

/// What becomes of a pair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// It is taken.
    Take,
    /// y ← w·y + a·∇f of the point before, which is ∇f⁺ − y; then it is taken.
    Mix {
        /// w
        weight: f64,
        /// a
        gradient: f64,
    },
    /// It is left.
    Skip,
}

impl LimitedMemory {
    /// Room for `capacity` pairs of length n.
    pub(crate) fn new(capacity: usize, n: usize) -> Self {
        Self {
            n,
            capacity,
            pairs: vec![(vec![0.0; n], vec![0.0; n]); capacity],
            sy: vec![0.0; capacity * capacity],
            yy: vec![0.0; capacity * capacity],
            products: vec![[0.0; 4]; capacity],
            partial: vec![[0.0; 4]; capacity * n.div_ceil(BLOCK)],
            sizes: vec![Sizes::default(); n.div_ceil(BLOCK)],
            alpha: vec![0.0; capacity],
            along_s: vec![0.0; capacity],
            ..Self::default()
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// H ← −H, as rounding can make it.
    #[cfg(test)]
    pub(crate) fn point_uphill(&mut self) {
        self.products.fill([0.0; 4]);
        self.gamma = -1.0;
    }

    /// γ: H on what no pair has seen; 1 before the first pair.
    pub(crate) fn scale(&self) -> f64 {
        if self.is_empty() { 1.0 } else { self.gamma }
    }

    pub(crate) fn clear(&mut self) {
        (self.len, self.next) = (0, 0);
    }

    /// The slot of the pair that is `age` steps old; 0 is the latest.
    fn slot(&self, age: usize) -> usize {
        (self.next + self.capacity - 1 - age) % self.capacity
    }

    /// Looks at s = θ⁺ − θ and y = ∇f⁺ − ∇f and does with them what `judge` says; after that [`newton_step`](Self::newton_step)
    /// is that of ∇f⁺.
    pub(crate) fn push(&mut self, ends: Ends<'_>, judge: impl FnOnce(Pair) -> Verdict) -> Verdict {
        let Ends { theta, gradient, theta_before, gradient_before } = ends;
        let sizes = self.pass(
            gradient,
            self.next,
            #[inline(always)]
            |range, s, y| {
                let (theta, before) = (&theta[range.clone()], &theta_before[range.clone()]);
                subtract_inline(theta, before, s);
                let gradient = &gradient[range.clone()];
                subtract_inline(gradient, &gradient_before[range], y);
                Sizes::of_block(theta, before, gradient)
            },
        );
        self.make_room();
        self.settle(gradient, &sizes, judge)
    }

    /// The first half of [`push`](Self::push), without a copy: the buffers of the step and of the gradient before become the pair, and
    /// those of the oldest pair are left in their place. Gives the sizes of the step.
    pub(crate) fn record(&mut self, taken: Taken<'_>) -> Sizes {
        let Taken { theta, gradient, theta_before, step, gradient_before, sizes } = taken;
        let slot = self.next;
        std::mem::swap(&mut self.pairs[slot].0, step);
        std::mem::swap(&mut self.pairs[slot].1, gradient_before);
        let measured = self.pass(
            gradient,
            slot,
            #[inline(always)]
            |range, s, y| {
                let gradient = &gradient[range.clone()];
                for (y, g) in y.iter_mut().zip(gradient) {
                    *y = g - *y;
                }
                let slope = Sizes::of_gradient(gradient);
                if sizes.is_some() {
                    return slope;
                }
                let (theta, before) = (&theta[range.clone()], &theta_before[range]);
                subtract_inline(theta, before, s);
                Sizes::of_step(theta, before).join(slope)
            },
        );
        self.make_room();
        measured.join(sizes.unwrap_or_default())
    }

    /// The oldest pair makes room, whether or not the new one is taken.
    fn make_room(&mut self) {
        self.len = self.len.min(self.capacity - 1);
    }

    /// The second half of [`push`](Self::push), with ∇f⁺ and the sizes that the first half gave.
    pub(crate) fn settle(
        &mut self,
        gradient: &[f64],
        sizes: &Sizes,
        judge: impl FnOnce(Pair) -> Verdict,
    ) -> Verdict {
        let slot = self.next;
        let [sy, yy, ..] = self.products[slot];
        let (s, y) = &mut self.pairs[slot];
        let s_norm = vector::norm_of_squares(sizes.step_squares, s);
        let mut verdict = judge(Pair { sy, s_norm, y_norm: vector::norm_of_squares(yy, y) });
        if let Verdict::Mix { weight, gradient: before } = verdict {
            vector::scale(weight - before, y);
            vector::axpy(before, gradient, y);
            self.multiply(gradient, slot);
        }
        if verdict != Verdict::Skip && !self.admit(slot) {
            verdict = Verdict::Skip;
        }
        verdict
    }

    /// Takes a pair as it is; false where it has no positive curvature and is left. H is then for [`apply`](Self::apply).
    pub(crate) fn push_pair(&mut self, s: &[f64], y: &[f64]) -> bool {
        let slot = self.next;
        self.pass(
            y,
            slot,
            #[inline(always)]
            |range, own_s, own_y| {
                own_s.copy_from_slice(&s[range.clone()]);
                own_y.copy_from_slice(&y[range]);
                Sizes::default()
            },
        );
        self.make_room();
        self.admit(slot)
    }

    /// `out` ← H·g, for any g. H = I before the first pair.
    pub(crate) fn apply(&mut self, g: &[f64], out: &mut [f64]) {
        if self.is_empty() {
            out.copy_from_slice(g);
            return;
        }
        self.multiply(g, self.slot(0));
        self.newton_step(g, out);
        vector::scale(-1.0, out);
    }

    /// Counts the pair in `slot`, whose products are there, as the latest.
    fn admit(&mut self, slot: usize) -> bool {
        let [sy, yy, ..] = self.products[slot];
        if !(sy > 0.0 && sy.is_finite() && yy > 0.0 && yy.is_finite()) {
            return false;
        }
        self.next = (slot + 1) % self.capacity;
        self.len += 1;
        self.gamma = sy / yy;
        for age in 0..self.len {
            let other = self.slot(age);
            let [s_y, y_y, ..] = self.products[other];
            self.sy[other * self.capacity + slot] = s_y;
            self.yy[other * self.capacity + slot] = y_y;
            self.yy[slot * self.capacity + other] = y_y;
        }
        true
    }

    /// `out` ← −H·g for the ∇f⁺ = `gradient` of the latest push; returns gᵀ`out`.
    pub(crate) fn newton_step(&mut self, gradient: &[f64], out: &mut [f64]) -> f64 {
        self.coefficients();
        self.add_blocks(gradient, out, None).0
    }

    /// The first trial of a search along p = −H·∇f: `trial` ← θ + p and `step` ← `trial` − θ, which is p as far as θ resolves it.
    /// Returns gᵀp and the sizes of the step.
    pub(crate) fn newton_trial(
        &mut self,
        gradient: &[f64],
        theta: &[f64],
        step: &mut [f64],
        trial: &mut [f64],
    ) -> (f64, Sizes) {
        self.coefficients();
        self.add_blocks(gradient, step, Some((theta, trial)))
    }

    /// −H·g block by block, all slices of length n; returns gᵀ`out`. With a trial `out` becomes the step to it, and its sizes are
    /// returned as well.
    fn add_blocks(
        &self,
        g: &[f64],
        out: &mut [f64],
        trial: Option<(&[f64], &mut [f64])>,
    ) -> (f64, Sizes) {
        let parts = ((0..self.n, g), (out, trial));
        let block =
            |((range, g), (out, trial)): (_, (&mut [f64], _))| self.add_block(range, g, out, trial);
        tree(self.n, PARALLEL, parts, &block, &|(a, sizes): (f64, Sizes), (b, rest)| {
            (a + b, sizes.join(rest))
        })
    }

    /// [`add_blocks`](Self::add_blocks) of one block, the entries `range`.
    fn add_block(
        &self,
        range: Range<usize>,
        g: &[f64],
        out: &mut [f64],
        mut trial: Option<(&[f64], &mut [f64])>,
    ) -> (f64, Sizes) {
        let gamma = self.gamma;
        vectorize(
            #[inline(always)]
            || {
                for (out, g) in out.iter_mut().zip(g) {
                    *out = -gamma * g;
                }
                for age in 0..self.len {
                    let slot = self.slot(age);
                    let (s, y) = &self.pairs[slot];
                    let (a, b) = (gamma * self.alpha[slot], self.along_s[slot]);
                    let columns = s[range.clone()].iter().zip(&y[range.clone()]);
                    for (out, (s, y)) in out.iter_mut().zip(columns) {
                        *out = a.mul_add(*y, (-b).mul_add(*s, *out));
                    }
                }
                let slope = vector::dot_inline(g, out);
                let Some((theta, trial)) = &mut trial else { return (slope, Sizes::default()) };
                for ((trial, theta), out) in trial.iter_mut().zip(*theta).zip(&mut *out) {
                    *trial = theta + *out;
                    *out = *trial - theta;
                }
                (slope, Sizes::of_step(trial, theta))
            },
        )
    }

    /// α and α − β of the two loops.
    fn coefficients(&mut self) {
        let m = self.capacity;
        for age in 0..self.len {
            let i = self.slot(age);
            let [.., s_g, _] = self.products[i];
            let later = (0..age).map(|age| self.slot(age));
            let subtracted: f64 = later.map(|j| self.sy[i * m + j] * self.alpha[j]).sum();
            self.alpha[i] = (s_g - subtracted) / self.sy[i * m + i];
        }
        for age in (0..self.len).rev() {
            let i = self.slot(age);
            let [.., y_g] = self.products[i];
            let all = (0..self.len).map(|age| self.slot(age));
            let y_q = y_g - all.map(|j| self.yy[i * m + j] * self.alpha[j]).sum::<f64>();
            let earlier = (age + 1..self.len).map(|age| self.slot(age));
            let added: f64 = earlier.map(|j| self.sy[j * m + i] * self.along_s[j]).sum();
            let beta = (self.gamma * y_q + added) / self.sy[i * m + i];
            self.along_s[i] = self.alpha[i] - beta;
        }
    }

    /// The products of the pair in `slot` and of g with all pairs.
    fn multiply(&mut self, gradient: &[f64], slot: usize) {
        self.pass(gradient, slot, |_, _, _| Sizes::default());
    }

    /// `products` ← Sᵀ[y g] and Yᵀ[y g] with the y in `slot`, after `fill` has written that pair, block by block; returns the sizes
    /// that `fill` gave, joined.
    #[inline(always)]
    fn pass(
        &mut self,
        gradient: &[f64],
        slot: usize,
        fill: impl Fn(Range<usize>, &mut [f64], &mut [f64]) -> Sizes + Sync,
    ) -> Sizes {
        let (n, capacity) = (self.n, self.capacity);
        // The pair in `slot`, and all that stay.
        let others = self.len.min(capacity - 1);
        let (before, rest) = self.pairs.split_at_mut(slot);
        let ((own_s, own_y), after) = rest.split_first_mut().expect("a slot of the ring");
        let kept = |other: usize| {
            if other < slot { &before[other] } else { &after[other - slot - 1] }
        };
        let block = |block: usize,
                     s: &mut [f64],
                     y: &mut [f64],
                     sums: &mut [[f64; 4]],
                     sizes: &mut Sizes| {
            let range = block * BLOCK..block * BLOCK + s.len();
            vectorize(
                #[inline(always)]
                || {
                    *sizes = fill(range.clone(), s, y);
                    let g = &gradient[range.clone()];
                    sums[slot] = four_products(s, y, y, g);
                    for back in 1..=others {
                        let other = (slot + capacity - back) % capacity;
                        let (s, other_y) = kept(other);
                        let (s, other_y) = (&s[range.clone()], &other_y[range.clone()]);
                        sums[other] = four_products(s, other_y, y, g);
                    }
                },
            );
        };
        if n >= PARALLEL {
            let own = own_s.par_chunks_mut(BLOCK).zip(own_y.par_chunks_mut(BLOCK));
            let sums = self.partial.par_chunks_mut(capacity).zip(&mut self.sizes);
            own.zip(sums)
                .enumerate()
                .for_each(|(index, ((s, y), (sums, sizes)))| block(index, s, y, sums, sizes));
        } else {
            let own = own_s.chunks_mut(BLOCK).zip(own_y.chunks_mut(BLOCK));
            let sums = self.partial.chunks_mut(capacity).zip(&mut self.sizes);
            for (index, ((s, y), (sums, sizes))) in own.zip(sums).enumerate() {
                block(index, s, y, sums, sizes);
            }
        }
        self.products.fill([0.0; 4]);
        for back in 0..=others {
            let other = (slot + capacity - back) % capacity;
            for sums in self.partial.chunks(capacity) {
                for (product, part) in self.products[other].iter_mut().zip(&sums[other]) {
                    *product += part;
                }
            }
        }
        self.sizes.iter().copied().fold(Sizes::default(), Sizes::join)
    }
}

/// [sᵀa, yᵀa, sᵀb, yᵀb].
#[inline(always)]
fn four_products(s: &[f64], y: &[f64], a: &[f64], b: &[f64]) -> [f64; 4] {
    let mut lanes = [[0.0; LANES]; 4];
    let (s_blocks, s_tail) = s.as_chunks::<LANES>();
    let (y_blocks, y_tail) = y.as_chunks::<LANES>();
    let (a_blocks, a_tail) = a.as_chunks::<LANES>();
    let (b_blocks, b_tail) = b.as_chunks::<LANES>();
    for ((s, y), (a, b)) in s_blocks.iter().zip(y_blocks).zip(a_blocks.iter().zip(b_blocks)) {
        for k in 0..LANES {
            lanes[0][k] = s[k].mul_add(a[k], lanes[0][k]);
            lanes[1][k] = y[k].mul_add(a[k], lanes[1][k]);
            lanes[2][k] = s[k].mul_add(b[k], lanes[2][k]);
            lanes[3][k] = y[k].mul_add(b[k], lanes[3][k]);
        }
    }
    let tail = s_tail.iter().zip(y_tail).zip(a_tail.iter().zip(b_tail));
    for (k, ((s, y), (a, b))) in tail.enumerate() {
        lanes[0][k] = s.mul_add(*a, lanes[0][k]);
        lanes[1][k] = y.mul_add(*a, lanes[1][k]);
        lanes[2][k] = s.mul_add(*b, lanes[2][k]);
        lanes[3][k] = y.mul_add(*b, lanes[3][k]);
    }
    lanes.map(|lanes| lanes.iter().sum())
}

#[cfg(test)]
mod tests;
