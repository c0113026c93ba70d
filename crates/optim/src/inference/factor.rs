//! The factors of J at the solution, and variances of combinations from them.

use crate::linalg::qr::PivotedQr;
use crate::linalg::vector;
use crate::run::nonfinite;
use serde::{Deserialize, Serialize};

/// A combination with a part beyond this of its size along an open direction is open too.
const ALONG: f64 = 1e-7;

/// What variances need: R₁₁ of J·S·P = Q·R, the order, the scales, the open directions, and the covariance of Qᵀr.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Factor {
    /// n.
    parameters: usize,
    /// Which of the n parameters the columns of J·S are.
    free: Vec<usize>,
    /// S.
    #[serde(with = "nonfinite::list")]
    scales: Vec<f64>,
    /// Column j of J·S·P is column `order[j]` of J·S.
    order: Vec<usize>,
    /// Independent columns.
    rank: usize,
    /// R₁₁, rank × rank row by row.
    #[serde(with = "nonfinite::list")]
    r: Vec<f64>,
    /// A basis of the null space of J, each of the length of `free`.
    open: Vec<Vec<f64>>,
    /// The variance of Qᵀr is `meat`ᵀ`meat` … of rows of length `rank`; for a sandwich.
    meat: Option<Vec<f64>>,
    /// s² in the units of r; 1 with a sandwich.
    #[serde(with = "nonfinite")]
    pub(super) variance: f64,
}

/// A combination of parameters through the factor.
pub(super) enum Combination {
    /// It depends on no free parameter.
    Constant,
    /// It depends on what the data leave open.
    Open,
    /// h = R₁₁⁻ᵀPᵀS·g.
    Seen(Vec<f64>),
}

/// Everything that is found by factorising J.
pub(super) struct Factored {
    pub factor: Factor,
    pub qr: PivotedQr,
}

impl Factor {
    /// Of the columns of `qr`, which are those of J for the parameters `free` of n, before scaling. A pivot below `resolution` of the
    /// largest is rounding.
    pub(super) fn of(mut qr: PivotedQr, n: usize, free: Vec<usize>, resolution: f64) -> Factored {
        let p = free.len();
        let mut scales = vec![1.0; p];
        for (j, scale) in scales.iter_mut().enumerate() {
            *scale = power_of_two_below(vector::norm(qr.column(j)));
            vector::scale(*scale, qr.column_mut(j));
        }
        let (mut rank, mut r, mut open) = (0, Vec::new(), Vec::new());
        if p > 0 {
            qr.factor();
            let pivots = p.min(qr.rows());
            let floor = qr.r(0, 0).abs() * resolution.max(qr.resolution());
            rank = (0..pivots).take_while(|j| qr.r(*j, *j).abs() > floor).count();
            r = (0..rank * rank)
                .map(|at| (at / rank, at % rank))
                .map(|(i, j)| if i <= j { qr.r(i, j) } else { 0.0 })
                .collect();
            open = (rank..p)
                .map(|dependent| null_vector(&qr, rank, dependent, &scales, resolution))
                .collect();
        }
        let order = qr.order().to_vec();
        let factor =
            Self { parameters: n, free, scales, order, rank, r, open, meat: None, variance: 1.0 };
        Factored { factor, qr }
    }

    /// Of what was factorised elsewhere: R₁₁ (row by row) of J·S·P for the parameters `free` of n, and the null space of J.
    pub(super) fn of_parts(
        (parameters, free): (usize, Vec<usize>),
        scales: Vec<f64>,
        order: Vec<usize>,
        r: Vec<f64>,
        open: Vec<Vec<f64>>,
    ) -> Self {
        let rank = order.len() - open.len();
        Self { parameters, free, scales, order, rank, r, open, meat: None, variance: 1.0 }
    }

    pub(super) fn parameters(&self) -> usize {
        self.parameters
    }

    pub(super) fn rank(&self) -> usize {
        self.rank
    }

    /// The open directions, each of length n.
    pub(super) fn open(&self) -> Vec<Vec<f64>> {
        let wide = |direction: &Vec<f64>| {
            let mut all = vec![0.0; self.parameters];
            for (value, j) in direction.iter().zip(&self.free) {
                all[*j] = *value;
            }
            all
        };
        self.open.iter().map(wide).collect()
    }

    /// The variance of Qᵀr in place of s²: rank × rank.
    pub(super) fn set_meat(&mut self, meat: Vec<f64>) {
        (self.meat, self.variance) = (Some(meat), 1.0);
    }

    pub(super) fn combination(&self, gradient: &[f64]) -> Combination {
        let (n, found) = (self.parameters, gradient.len());
        assert!(n == found, "a gradient of {found} entries, there are {n} parameters");
        let g: Vec<f64> = self.free.iter().map(|j| gradient[*j]).collect();
        if g.iter().all(|g| *g == 0.0) {
            return Combination::Constant;
        }
        if self.open.iter().any(|direction| is_open(&g, direction)) {
            return Combination::Open;
        }
        Combination::Seen(self.through(&g))
    }

    /// h = R₁₁⁻ᵀPᵀS·g of the free parameters.
    fn through(&self, g: &[f64]) -> Vec<f64> {
        let mut h: Vec<f64> =
            self.order[..self.rank].iter().map(|j| g[*j] * self.scales[*j]).collect();
        for j in 0..self.rank {
            let row = &self.r[j * self.rank..(j + 1) * self.rank];
            h[j] /= row[j];
            let (done, left) = h.split_at_mut(j + 1);
            vector::axpy(-done[j], &row[j + 1..], left);
        }
        h
    }

    /// √variance·h of each of the n parameters alone, row by row; none with a sandwich.
    pub(super) fn rows(&self) -> Option<Vec<f64>> {
        if self.meat.is_some() {
            return None;
        }
        let mut rows = vec![0.0; self.parameters * self.rank];
        let mut alone = vec![0.0; self.free.len()];
        for (at, j) in self.free.iter().enumerate() {
            alone[at] = 1.0;
            let row = &mut rows[j * self.rank..(j + 1) * self.rank];
            vector::axpy(self.variance.sqrt(), &self.through(&alone), row);
            alone[at] = 0.0;
        }
        Some(rows)
    }

    /// h₁ᵀ·V·h₂ with V the variance of Qᵀr.
    pub(super) fn covariance(&self, a: &[f64], b: &[f64]) -> f64 {
        match &self.meat {
            None => self.variance * vector::dot(a, b),
            Some(meat) => {
                let rows = meat.chunks_exact(self.rank.max(1)).zip(a);
                rows.map(|(row, a)| a * vector::dot(row, b)).sum()
            }
        }
    }

    pub(super) fn error_along(&self, gradient: &[f64]) -> f64 {
        match self.combination(gradient) {
            Combination::Constant => 0.0,
            Combination::Open => f64::NAN,
            Combination::Seen(h) => root(self.covariance(&h, &h)),
        }
    }
}

/// Whether a combination depends on what moves along an open direction.
pub(super) fn is_open(gradient: &[f64], direction: &[f64]) -> bool {
    let parts = || gradient.iter().zip(direction).map(|(g, v)| g * v);
    let (along, size) = (parts().sum::<f64>(), parts().map(f64::abs).sum::<f64>());
    // Compared so that a NaN is open.
    let seen = along.abs() <= ALONG * size;
    !seen
}

/// The scale of a column of this norm: a power of two, so that nothing is rounded; 1 for a column of zeros.
pub(super) fn power_of_two_below(norm: f64) -> f64 {
    if norm > 0.0 { libm::exp2(-f64::from(libm::ilogb(norm))) } else { 1.0 }
}

/// √ of a variance; 0 of one that rounding made negative, NaN of none.
pub(super) fn root(variance: f64) -> f64 {
    if variance < 0.0 { 0.0 } else { variance.sqrt() }
}

/// A direction that moves column `dependent` of J·S·P against the independent ones, in the units of θ.
fn null_vector(
    qr: &PivotedQr,
    rank: usize,
    dependent: usize,
    scales: &[f64],
    resolution: f64,
) -> Vec<f64> {
    let mut leading: Vec<f64> = (0..rank).map(|i| -qr.r(i, dependent)).collect();
    qr.solve_leading(&mut leading);
    let mut direction = vec![0.0; scales.len()];
    for (value, &j) in leading.iter().zip(qr.order()) {
        direction[j] = *value;
    }
    direction[qr.order()[dependent]] = 1.0;
    in_units(direction, scales, resolution)
}

/// A direction of scaled columns in the units of θ, without what is rounding.
pub(super) fn in_units(mut direction: Vec<f64>, scales: &[f64], resolution: f64) -> Vec<f64> {
    // The columns are of one length: a small entry is rounding.
    let negligible = resolution.sqrt() * vector::norm_inf(&direction);
    for (entry, scale) in direction.iter_mut().zip(scales) {
        *entry = if entry.abs() <= negligible { 0.0 } else { *entry * scale };
    }
    direction
}
