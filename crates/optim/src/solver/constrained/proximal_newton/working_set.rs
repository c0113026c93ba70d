//! Minima of a quadratic f with L1 where few parameters are not zero: coordinates of a working set alone, and the entries of H between them.
//!
//! The set takes in the parameters that are not zero or free, and of those whose slope is beyond their weight the furthest, up to as many
//! as it has, so that it at most doubles. The minimum over the set is that of all once no other slope is beyond its weight, which the gradient
//! of f says, an evaluation each time. What H has between members is kept: a larger set asks for the new columns only.
//! Source: Tibshirani et al. (2012), J. R. Stat. Soc. B 74, for sets that grow by violations; Massias, Gramfort & Salmon (2018), ICML, and
//! Bertrand et al. (2022), NeurIPS, for doubling.

use super::l1_model::L1Model;
use faer::MatMut;
use serde::{Deserialize, Serialize};

/// Parameters that the first set has room for.  Massias, Gramfort & Salmon (2018) §3: 100.
const ROOM: usize = 100;

/// Some of the parameters, and the quadratic in them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct WorkingSet {
    /// As they came.
    members: Vec<usize>,
    is_member: Vec<bool>,
    /// In the members alone.
    model: L1Model,
    /// Most members.
    most: usize,
}

impl WorkingSet {
    /// Nobody yet, of n parameters, and no more than `most` ever.
    pub(super) fn new(n: usize, most: usize) -> Self {
        let (members, is_member) = (Vec::new(), vec![false; n]);
        Self { members, is_member, model: L1Model::new(Vec::new()), most: most.min(n) }
    }

    /// Forgets its members.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.is_member.len(), self.most);
    }

    /// All n parameters; `write` writes both triangles of H.
    pub(super) fn whole(n: usize, write: impl FnOnce(MatMut<'_, f64>)) -> Self {
        let (members, is_member) = ((0..n).collect(), vec![true; n]);
        Self { members, is_member, model: L1Model::of_quadratic(n, write), most: n }
    }

    /// Takes in parameters that `must` be members, and those of the largest `excess` above 0 for which there is room; `write` writes the entries of H
    /// in rows (all members, the new ones last) and columns (the new ones). How many came, and how many were left out.
    pub(super) fn grow(
        &mut self,
        must: impl Fn(usize) -> bool,
        excess: impl Fn(usize) -> f64,
        write: impl FnOnce(&[usize], &[usize], MatMut<'_, f64>),
    ) -> (usize, usize) {
        let others = || (0..self.is_member.len()).filter(|j| !self.is_member[*j]);
        let mut new: Vec<usize> = others().filter(|j| must(*j)).collect();
        let mut beyond: Vec<(f64, usize)> = others()
            .filter(|j| !must(*j))
            .map(|j| (excess(j), j))
            .filter(|(excess, _)| *excess > 0.0)
            .collect();
        let asked = new.len() + beyond.len();
        let room = (self.members.len() + new.len()).max(ROOM);
        if beyond.len() > room {
            // The furthest first, and of equals the first.
            beyond.select_nth_unstable_by(room, |a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            beyond.truncate(room);
        }
        new.extend(beyond.iter().map(|(_, j)| j));
        new.truncate(self.most - self.members.len());
        new.sort_unstable();
        if !new.is_empty() {
            self.members.extend_from_slice(&new);
            for j in &new {
                self.is_member[*j] = true;
            }
            self.model.grow(self.members.len(), |out| write(&self.members, &new, out));
        }
        (new.len(), asked - new.len())
    }

    /// Entries of `theta` that are members ← the minimum over them, its |⋄ⱼ| at most `goal` but for rounding, from `theta` with ∇f = `smooth`.
    /// False where it is not finite; `theta` is as it was then.
    pub(super) fn minimise(
        &mut self,
        weights: &[f64],
        goal: f64,
        theta: &mut [f64],
        smooth: &[f64],
    ) -> bool {
        let of = |all: &[f64]| -> Vec<f64> { self.members.iter().map(|j| all[*j]).collect() };
        let (own, start, slopes) = (of(weights), of(theta), of(smooth));
        self.model.weights.copy_from_slice(&own);
        self.model.minimise_to(goal, &start, &slopes);
        let finite = self.model.point.iter().all(|t| t.is_finite());
        if finite {
            self.members.iter().zip(&self.model.point).for_each(|(j, t)| theta[*j] = *t);
        }
        finite
    }

    /// Whether the largest entry of ⋄F = `gradient` is no member's.
    pub(super) fn is_behind(&self, gradient: &[f64]) -> bool {
        let (mut own, mut others) = (0.0_f64, 0.0_f64);
        for (slope, is_member) in gradient.iter().zip(&self.is_member) {
            let largest = if *is_member { &mut own } else { &mut others };
            *largest = largest.max(slope.abs());
        }
        own <= others
    }

    /// The decrease of F that its best single member is promised, at θ with ⋄F = `gradient`.
    pub(super) fn promise(&self, weights: &[f64], theta: &[f64], gradient: &[f64]) -> f64 {
        let each = self
            .members
            .iter()
            .zip(self.model.diagonal())
            .map(|(&j, h)| super::promise_along(weights[j], theta[j], gradient[j], h));
        each.fold(0.0, f64::max)
    }
}
