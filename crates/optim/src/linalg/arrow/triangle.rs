//! What the factors of an arrow say of one group: R of its own columns and the shared ones, and the rows of Q beside it.

use super::{ArrowQr, Block};

/// R of a group's own columns and the shared ones, after an undamped [`ArrowQr::reduce`]: RᵀR is AᵀA with the own columns of all other
/// groups taken out.
pub(crate) struct Triangle {
    /// The columns of the block that are independent, in the order of R.
    pub order: Vec<usize>,
    /// rank × rank, row by row.
    pub r: Vec<f64>,
    /// The other columns that are not held, each with its entries in the rows of R.
    pub dependent: Vec<(usize, Vec<f64>)>,
}

impl ArrowQr {
    pub(crate) fn triangle(&self, g: usize, held: &[bool]) -> Triangle {
        let group = &self.groups[g];
        let (p, height, own) = (group.own.len(), group.right.len(), group.rank);
        let rank = own + self.rank;
        let entry = |i: usize, column: usize| match (i.checked_sub(own), column.checked_sub(p)) {
            (None, None) => group.head.r(i, column),
            (Some(_), None) => 0.0,
            (None, Some(k)) => group.tail[self.stack.order()[k] * height + i],
            (Some(i), Some(k)) => self.stack.r(i, k),
        };
        // Columns as they stand in R: own ones by `head`, shared ones by `stack`.
        let leading: Vec<usize> = (0..own).chain(p..p + self.rank).collect();
        let name = |column: usize| match column.checked_sub(p) {
            None => group.head.order()[column],
            Some(k) => p + self.stack.order()[k],
        };
        let upper = |i: usize, k: usize| if i <= k { entry(i, leading[k]) } else { 0.0 };
        let r = (0..rank * rank).map(|at| upper(at / rank, at % rank)).collect();
        let others = (own..p).chain(p + self.rank..group.place.len());
        let free = others.filter(|column| !held[group.parameter(&self.shared, name(*column))]);
        let of = |column: usize| {
            let seen = if column < p { own } else { rank };
            let entries = (0..rank).map(|i| if i < seen { entry(i, column) } else { 0.0 });
            (name(column), entries.collect())
        };
        Triangle {
            order: leading.iter().map(|column| name(*column)).collect(),
            r,
            dependent: free.map(of).collect(),
        }
    }

    /// The rows of every group of the columns of Q that R stands beside: a group's own, then the shared ones; column-major. In the order of
    /// the groups, after an undamped [`reduce`](Self::reduce).
    pub(crate) fn q_rows(&self) -> Vec<Vec<f64>> {
        let mut shared = vec![vec![0.0; self.stack.rows()]; self.rank];
        for (k, column) in shared.iter_mut().enumerate() {
            self.stack.q_column(k, column);
        }
        let mut at = 0;
        let mut rows = |group: &Block| {
            let (m, left) = (group.rows.len(), group.left());
            let part = at..at + left;
            at += left;
            let mut q = vec![0.0; m * (group.rank + self.rank)];
            for (k, column) in q.chunks_exact_mut(m.max(1)).enumerate() {
                match k.checked_sub(group.rank) {
                    None => column[k] = 1.0,
                    Some(k) => column[group.rank..group.right.len()]
                        .copy_from_slice(&shared[k][part.clone()]),
                }
                if !group.own.is_empty() {
                    group.head.multiply_q(&mut column[..group.right.len()]);
                }
                group.qr.multiply_q(column);
            }
            q
        };
        self.groups.iter().map(&mut rows).collect()
    }

    /// Columns of Q: independent own ones of all groups, and shared ones.
    pub(crate) fn whole_rank(&self) -> usize {
        self.groups.iter().map(|group| group.rank).sum::<usize>() + self.rank
    }

    /// Own columns of group `g` that are independent.
    pub(crate) fn own_rank(&self, g: usize) -> usize {
        self.groups[g].rank
    }
}
