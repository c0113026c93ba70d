//! Solves min ‖A·z − b‖² + μ‖z‖² where A is an arrow: groups of rows with columns of their own beside columns that all share.
//!
//! Each block of A, m_g × (p + q), is factorised once by [`PivotedQr`], b projected along. For each μ: the own columns of every group
//! [R_o; √μI] by QR, the shared ones and b rotated along; what is left below, at most p + q rows of a group, is stacked and factorised for
//! the shared entries of z, and the own ones follow by substitution. No AᵀA is formed. With G groups O(N(p + q)²) once, O(G(p + q)³) for
//! each μ, in parallel over the groups; memory that of the blocks and O(G(p + q)²).
//! Source: Björck (1996) §6.3, block-angular least squares.

mod blocks;
#[cfg(test)]
mod tests;
mod triangle;

pub(crate) use blocks::ArrowBlocks;
pub(crate) use triangle::Triangle;

use super::qr::PivotedQr;
use super::vector;
use rayon::prelude::*;
use secant_core::problem::Arrow;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Fewer groups than this are not worth another thread.
const TOGETHER: usize = 16;

/// A with its factors, and the scratch of a damped solve.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ArrowQr {
    shared: Range<usize>,
    groups: Vec<Block>,
    /// What is left of all groups, m × q.
    stack: PivotedQr,
    /// Its right-hand side, then the shared entries of P·z.
    right: Vec<f64>,
    /// Pivots of the stack that are not rounding, by the latest solve.
    rank: usize,
    /// The largest pivot of a block.
    largest: f64,
}

/// One group.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Block {
    rows: Range<usize>,
    own: Range<usize>,
    /// Where its part of a projected right-hand side lies.
    place: Range<usize>,
    /// Of the whole block.
    qr: PivotedQr,
    /// z of its columns.
    z: Vec<f64>,
    /// The own columns of R with the damping below.
    head: PivotedQr,
    /// The shared columns of R, rotated along, column-major.
    tail: Vec<f64>,
    /// The right-hand side, rotated along.
    right: Vec<f64>,
    /// Pivots of `head` that are not rounding.
    rank: usize,
}

/// What a solve is asked for beside the right-hand side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// μ
    pub damping: f64,
    /// Entries of z that stay what they are; none: no one.
    pub held: Option<&'a [bool]>,
    /// Without damping a pivot below this part of the largest, or below rounding, is none.
    pub resolution: f64,
}

impl Asked<'_> {
    pub(crate) fn damped(damping: f64) -> Self {
        Self { damping, held: None, resolution: 0.0 }
    }

    fn holds(&self, j: usize) -> bool {
        self.held.is_some_and(|held| held[j])
    }
}

impl ArrowQr {
    pub(crate) fn new(arrow: &Arrow) -> Self {
        let mut place = 0;
        let q = arrow.shared.len();
        let block = |group: &secant_core::problem::ArrowGroup| {
            let width = arrow.width(group);
            place += width;
            Block {
                rows: group.rows.clone(),
                own: group.own.clone(),
                place: place - width..place,
                qr: PivotedQr::new(group.rows.len(), width),
                z: vec![0.0; width],
                head: PivotedQr::new(0, group.own.len()),
                tail: Vec::new(),
                right: Vec::new(),
                rank: 0,
            }
        };
        let groups = arrow.groups.iter().map(block).collect();
        let (stack, right) = (PivotedQr::new(0, q), vec![0.0; q]);
        Self { shared: arrow.shared.clone(), groups, stack, right, rank: 0, largest: 0.0 }
    }

    /// Numbers that the factors of this arrow take.
    pub(crate) fn numbers(arrow: &Arrow) -> usize {
        let block = |group: &secant_core::problem::ArrowGroup| {
            let (width, own) = (arrow.width(group), group.own.len());
            let height = width + own;
            group.rows.len() * width
                + 2 * width * width
                + height * (width + 1)
                + 2 * own * own
                + 8 * width
        };
        let left: usize = arrow.groups.iter().map(|group| arrow.width(group)).sum();
        arrow.groups.iter().map(block).sum::<usize>() + left * (arrow.shared.len() + 1)
    }

    /// The length of a right-hand side: p + q of every group.
    pub(crate) fn right_len(arrow: &Arrow) -> usize {
        arrow.groups.iter().map(|group| arrow.width(group)).sum()
    }

    /// Factorises the blocks with their columns times `scale`.
    pub(crate) fn factor(&mut self, blocks: &ArrowBlocks, scale: &[f64]) {
        let mut rest = &blocks.entries[..];
        let each = self.groups.iter_mut().map(|group| {
            let (block, behind) = rest.split_at(group.rows.len() * group.place.len());
            rest = behind;
            (group, block)
        });
        let mut each: Vec<(&mut Block, &[f64])> = each.collect();
        let shared = &self.shared;
        each.par_iter_mut().with_min_len(TOGETHER).for_each(|(group, block)| {
            group.qr.entries_mut().copy_from_slice(block);
            for k in 0..group.place.len() {
                vector::scale(scale[group.parameter(shared, k)], group.qr.column_mut(k));
            }
            group.qr.factor();
        });
        let pivot = |group: &Block| {
            if group.place.is_empty() { 0.0 } else { group.qr.r(0, 0).abs() }
        };
        self.largest = self.groups.iter().map(pivot).fold(0.0, f64::max);
    }

    /// `out` ← Qᵀb of every block, its first p + q entries; `b` is overwritten.
    pub(crate) fn project(&self, b: &mut [f64], out: &mut [f64]) {
        for group in &self.groups {
            let b = &mut b[group.rows.clone()];
            group.qr.transpose_q(b);
            let out = &mut out[group.place.clone()];
            let seen = b.len().min(out.len());
            out[seen..].fill(0.0);
            out[..seen].copy_from_slice(&b[..seen]);
        }
    }

    /// `out` ← Qᵀ·A·z, as [`project`](Self::project) lays it out.
    pub(crate) fn multiply(&mut self, z: &[f64], out: &mut [f64]) {
        let shared = self.shared.clone();
        for group in &mut self.groups {
            group.gather(&shared, z);
            group.qr.multiply(&group.z, &mut out[group.place.clone()]);
        }
    }

    /// `z` ← argmin ‖A·z − b‖² + μ‖z‖² over the entries that are not held, from `right`, which is b as [`project`](Self::project) lays it
    /// out. Without damping a direction that A does not see stays out: its entry is zero.
    pub(crate) fn solve(&mut self, asked: Asked<'_>, right: &[f64], z: &mut [f64]) {
        self.reduce(asked, right, Some(&*z));
        let q = self.shared.len();
        if asked.damping > 0.0 && q > 0 {
            let mut c = std::mem::take(&mut self.right);
            let mut solution = vec![0.0; q];
            self.stack.solve(asked.damping, &mut c, &mut solution);
            self.right = c;
            self.take_shared(&solution, asked, z);
        } else if q > 0 {
            let mut solution = vec![0.0; q];
            self.stack.solve_leading(&mut self.right[..self.rank]);
            for (c, &column) in self.right[..self.rank].iter().zip(self.stack.order()) {
                solution[column] = *c;
            }
            self.take_shared(&solution, asked, z);
        } else {
            self.take_shared(&[], asked, z);
        }
    }

    /// Writes the shared entries, and the own ones that follow from them.
    fn take_shared(&mut self, solution: &[f64], asked: Asked<'_>, z: &mut [f64]) {
        self.groups.par_iter_mut().with_min_len(TOGETHER).for_each(|group| {
            group.substitute(solution);
        });
        for (j, value) in self.shared.clone().zip(solution) {
            if !asked.holds(j) {
                z[j] = *value;
            }
        }
        for group in &self.groups {
            for (j, value) in group.own.clone().zip(&group.z) {
                if !asked.holds(j) {
                    z[j] = *value;
                }
            }
        }
    }

    /// ‖A·z‖ of the undamped solution z for b, whose projection is `right`.
    pub(crate) fn tangent_part(&mut self, right: &[f64]) -> f64 {
        self.reduce(Asked::damped(0.0), right, None);
        let own = self.groups.iter().map(|group| {
            let seen = &group.right[..group.rank];
            vector::dot(seen, seen)
        });
        let shared = &self.right[..self.rank];
        (own.sum::<f64>() + vector::dot(shared, shared)).sqrt()
    }

    /// Takes the own columns out of every group and factorises what is left of the shared ones; `right` of the stack is Qᵀb. `z` has the
    /// entries that are held.
    pub(crate) fn reduce(&mut self, asked: Asked<'_>, right: &[f64], z: Option<&[f64]>) {
        let (shared, largest) = (self.shared.clone(), self.largest);
        self.groups.par_iter_mut().with_min_len(TOGETHER).for_each(|group| {
            group.reduce(&shared, asked, largest, &right[group.place.clone()], z);
        });
        let q = shared.len();
        let left: usize = self.groups.iter().map(Block::left).sum();
        self.rank = 0;
        self.right.clear();
        self.right.resize(left.max(q), 0.0);
        if q == 0 {
            return;
        }
        self.stack.resize(left, q);
        for k in 0..q {
            let column = self.stack.column_mut(k);
            let mut at = 0;
            for group in &self.groups {
                let height = group.right.len();
                let part = &group.tail[k * height + group.rank..(k + 1) * height];
                column[at..at + part.len()].copy_from_slice(part);
                at += part.len();
            }
        }
        let mut at = 0;
        for group in &self.groups {
            let part = &group.right[group.rank..];
            self.right[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        self.stack.factor();
        self.stack.transpose_q(&mut self.right[..left]);
        self.right.truncate(q);
        let pivots = left.min(q);
        self.right[pivots..].fill(0.0);
        let largest = largest.max(self.stack.r(0, 0).abs());
        let floor = largest * asked.resolution.max(self.stack.resolution());
        self.rank = (0..pivots).take_while(|k| self.stack.r(*k, *k).abs() > floor).count();
    }
}

impl Block {
    fn parameter(&self, shared: &Range<usize>, column: usize) -> usize {
        match column.checked_sub(self.own.len()) {
            None => self.own.start + column,
            Some(k) => shared.start + k,
        }
    }

    /// Rows that the own columns leave.
    fn left(&self) -> usize {
        self.right.len() - self.rank
    }

    fn gather(&mut self, shared: &Range<usize>, z: &[f64]) {
        let p = self.own.len();
        self.z[..p].copy_from_slice(&z[self.own.clone()]);
        self.z[p..].copy_from_slice(&z[shared.clone()]);
    }

    fn reduce(
        &mut self,
        shared: &Range<usize>,
        asked: Asked<'_>,
        largest: f64,
        right: &[f64],
        z: Option<&[f64]>,
    ) {
        let (p, width) = (self.own.len(), self.place.len());
        let damped = asked.damping > 0.0;
        let seen = self.rows.len().min(width);
        let height = if damped { seen + p } else { seen };
        self.head.resize(height, p);
        self.head.entries_mut().fill(0.0);
        self.tail.clear();
        self.tail.resize(height * (width - p), 0.0);
        self.right.clear();
        self.right.resize(height, 0.0);
        self.right[..seen].copy_from_slice(&right[..seen]);
        for k in 0..width {
            let column = self.qr.order()[k];
            let j = self.parameter(shared, column);
            let top = seen.min(k + 1);
            if asked.holds(j) {
                let z = z.map_or(0.0, |z| z[j]);
                for i in 0..top {
                    self.right[i] -= self.qr.r(i, k) * z;
                }
                continue;
            }
            let out = match column.checked_sub(p) {
                None => self.head.column_mut(column),
                Some(k) => &mut self.tail[k * height..(k + 1) * height],
            };
            for (i, out) in out[..top].iter_mut().enumerate() {
                *out = self.qr.r(i, k);
            }
        }
        if damped {
            for k in 0..p {
                self.head.column_mut(k)[seen + k] = asked.damping.sqrt();
            }
        }
        self.rank = 0;
        if p == 0 || height == 0 {
            return;
        }
        self.head.factor();
        for column in self.tail.chunks_exact_mut(height) {
            self.head.transpose_q(column);
        }
        self.head.transpose_q(&mut self.right);
        let resolution = asked.resolution.max(self.qr.resolution());
        let floor = if damped { 0.0 } else { largest * resolution };
        let pivots = height.min(p);
        self.rank = (0..pivots).take_while(|k| self.head.r(*k, *k).abs() > floor).count();
    }

    /// The own entries of `z`, from the shared ones.
    fn substitute(&mut self, shared: &[f64]) {
        let height = self.right.len();
        let mut c = self.right[..self.rank].to_vec();
        for (column, value) in self.tail.chunks_exact(height.max(1)).zip(shared) {
            vector::axpy(-value, &column[..self.rank], &mut c);
        }
        self.head.solve_leading(&mut c);
        self.z[..self.own.len()].fill(0.0);
        for (c, &column) in c.iter().zip(self.head.order()) {
            self.z[column] = *c;
        }
    }
}
