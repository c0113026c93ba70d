//! A Jacobian that is an arrow: groups of residuals with parameters of their own, and parameters that all of them share.

use faer::MatRef;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Where J is not zero: residuals of a group depend on the group's own parameters and on the shared ones only, so that JᵀJ is
/// block-diagonal with a border, an arrow.
///
/// ```
/// use secant_core::problem::{Arrow, ArrowGroup};
/// // θ = (shared, own of the first, own of the second), five residuals.
/// let first = ArrowGroup { rows: 0..3, own: 1..2 };
/// let arrow = Arrow { shared: 0..1, groups: vec![first, ArrowGroup { rows: 3..5, own: 2..3 }] };
/// assert_eq!(arrow.fault(5, 3), None);
/// // Of 15 entries of J these may be other than zero.
/// assert_eq!(arrow.entries(), 10);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrow {
    /// Where in θ the parameters lie that all groups share; may be empty.
    pub shared: Range<usize>,
    /// The groups, in the order of their residuals.
    pub groups: Vec<ArrowGroup>,
}

/// The residuals of a group and where in θ its own parameters lie.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrowGroup {
    /// Its residuals: one after the other, behind those of the group before.
    pub rows: Range<usize>,
    /// Its own parameters; may be empty.
    pub own: Range<usize>,
}

impl Arrow {
    /// Columns of a group's block: its own parameters, then the shared ones.
    pub fn width(&self, group: &ArrowGroup) -> usize {
        group.own.len() + self.shared.len()
    }

    /// Entries of all blocks.
    pub fn entries(&self) -> usize {
        self.groups.iter().map(|group| group.rows.len() * self.width(group)).sum()
    }

    /// The parameter of column `column` of a group's block.
    pub fn parameter(&self, group: &ArrowGroup, column: usize) -> usize {
        match column.checked_sub(group.own.len()) {
            None => group.own.start + column,
            Some(shared) => self.shared.start + shared,
        }
    }

    /// Why this is no arrow of m residuals and n parameters; none where it is one.
    pub fn fault(&self, m: usize, n: usize) -> Option<String> {
        let mut rows = 0;
        let mut seen = vec![false; n];
        let owns = self.groups.iter().map(|group| &group.own);
        for range in owns.chain([&self.shared]) {
            for j in range.clone() {
                match seen.get_mut(j) {
                    Some(seen) if !*seen => *seen = true,
                    Some(_) => return Some(format!("an arrow that has θ[{j}] twice")),
                    None => return Some(format!("an arrow with θ[{j}] of {n} parameters")),
                }
            }
        }
        for group in &self.groups {
            if group.rows.start != rows || group.rows.end < rows {
                return Some(format!("an arrow whose groups leave residual {rows}"));
            }
            rows = group.rows.end;
        }
        if rows != m {
            return Some(format!("an arrow of {rows} residuals, there are {m}"));
        }
        seen.iter().position(|seen| !seen).map(|j| format!("an arrow without θ[{j}]"))
    }

    /// `entries` ← the blocks of a dense J, in the layout of
    /// [`LeastSquares::arrow_jacobian`](super::LeastSquares::arrow_jacobian).
    pub fn gather(&self, jacobian: MatRef<'_, f64>, entries: &mut [f64]) {
        let mut entries = entries.iter_mut();
        for group in &self.groups {
            for column in 0..self.width(group) {
                let column = jacobian.col(self.parameter(group, column));
                for row in group.rows.clone() {
                    if let Some(entry) = entries.next() {
                        *entry = column[row];
                    }
                }
            }
        }
    }
}
