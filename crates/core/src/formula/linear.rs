//! Parameters that a formula is affine in, found from its operations.

use super::operations::{Binary, Unary};
use super::values::{Id, Leaf, Operation, Values};
use std::collections::BTreeSet;

/// Pairs of one product that are looked at.
const MOST_PAIRS: usize = 1 << 16;

/// What a value depends on, among the leaves that are looked at.
type Set = BTreeSet<u32>;

/// What stands in the way of being affine in several leaves at once.
#[derive(Debug)]
pub(super) struct Conflicts {
    /// Leaves that enter otherwise, alone.
    pub(super) nonlinear: Set,
    /// Pairs that are multiplied.
    pub(super) pairs: BTreeSet<(u32, u32)>,
}

/// Looks at the leaves that `number` gives a number to, which must be different ones.
pub(super) fn conflicts(
    values: &Values,
    outputs: &[Id],
    number: impl Fn(Leaf) -> Option<u32>,
) -> Conflicts {
    let needed = values.needed(outputs.iter().copied());
    let last = needed.len();
    // A set is taken on by what uses its value last, so that a sum of many terms has one set and not one for each.
    let mut uses = vec![0_usize; last];
    for id in (0..last).filter(|id| needed[*id]) {
        let id = u32::try_from(id).unwrap_or(u32::MAX);
        values.operands(id).for_each(|operand| uses[operand as usize] += 1);
    }
    let mut found = Conflicts { nonlinear: Set::new(), pairs: BTreeSet::new() };
    let mut sets: Vec<Set> = vec![Set::new(); last];
    for id in (0..last).filter(|id| needed[*id]) {
        let value = u32::try_from(id).unwrap_or(u32::MAX);
        let operation = values.operation(value);
        let of = |id: Id| &sets[id as usize];
        match operation {
            Operation::Leaf(_)
            | Operation::Unary(Unary::Negate, _)
            | Operation::Binary(Binary::Add | Binary::Subtract, ..) => {}
            Operation::Unary(_, a) => found.nonlinear.extend(of(a)),
            Operation::Binary(Binary::Multiply, a, b) => found.multiply(of(a), of(b)),
            Operation::Binary(Binary::Divide, _, b) => found.nonlinear.extend(of(b)),
            Operation::Binary(_, a, b) => found.nonlinear.extend(of(a).union(of(b))),
            Operation::Select(c, ..) => found.nonlinear.extend(of(c)),
        }
        let mut set: Set = match operation {
            Operation::Leaf(leaf) => number(leaf).into_iter().collect(),
            _ => Set::new(),
        };
        for operand in values.operands(value) {
            let operand = operand as usize;
            uses[operand] -= 1;
            let mut part = if uses[operand] == 0 {
                std::mem::take(&mut sets[operand])
            } else {
                sets[operand].clone()
            };
            if part.len() > set.len() {
                std::mem::swap(&mut part, &mut set);
            }
            set.extend(part);
        }
        sets[id] = set;
    }
    found
}

impl Conflicts {
    fn multiply(&mut self, a: &Set, b: &Set) {
        // Not worth finding.
        if a.len().saturating_mul(b.len()) > MOST_PAIRS {
            self.nonlinear.extend(a.union(b));
            return;
        }
        for &left in a {
            for &right in b {
                if left == right {
                    self.nonlinear.insert(left);
                } else {
                    self.pairs.insert((left.min(right), left.max(right)));
                }
            }
        }
    }

    /// Leaves among `candidates` that are linear all together: those with the fewest conflicts first, the earlier of equal ones.
    pub(super) fn joint(&self, candidates: impl Iterator<Item = u32>) -> Vec<u32> {
        let mut open: Set = candidates.filter(|leaf| !self.nonlinear.contains(leaf)).collect();
        let clash = |a: u32, b: u32| self.pairs.contains(&(a.min(b), a.max(b)));
        let mut chosen = Vec::new();
        loop {
            let clashes = |leaf: u32| open.iter().filter(|other| clash(leaf, **other)).count();
            let Some(best) = open.iter().copied().min_by_key(|leaf| (clashes(*leaf), *leaf)) else {
                chosen.sort_unstable();
                return chosen;
            };
            chosen.push(best);
            open.retain(|other| *other != best && !clash(best, *other));
        }
    }

    /// Whether all of `leaves` are linear together.
    pub(super) fn allow(&self, leaves: &Set) -> bool {
        self.nonlinear.is_disjoint(leaves)
            && !self.pairs.iter().any(|(a, b)| leaves.contains(a) && leaves.contains(b))
    }
}
