//! Standard errors from the information matrix, by a Cholesky factorisation, in the data's own units.
//!
//! With M = Σ w·H in the parameters γ of the fit and a coefficient β = aᵀγ, its variance over φ is aᵀM⁻¹a. M is scaled to a diagonal of ones
//! first, so that a pivot says how much of a column is left beside the columns before it.
//! The softmax of c scores has a direction without information for every column, a common shift of all classes; coefficients relative
//! to class 0 are orthogonal to those, so that information added along them changes nothing.

use super::separation::{Open, functional};
use secant_core::data::Standardizer;
use secant_core::faer::linalg::solvers::Solve;
use secant_core::faer::{Mat, Side};
use secant_core::problem::{Curvature, Linearization, Objective};
use secant_core::risk::Risk;

/// A pivot below this, of a diagonal of ones, is rounding: the column depends on others.
const DEPENDENT: f64 = 1e-13;

/// How the parameters of the fit become coefficients in the data's units.
pub(super) struct Units<'a> {
    pub scaling: &'a Standardizer,
    /// c, scores per sample.
    pub outputs: usize,
    pub intercept: bool,
}

impl Units<'_> {
    /// d.
    fn features(&self) -> usize {
        self.scaling.names().len()
    }

    /// Rows of coefficients: one, or one for every class but the first.
    pub(super) fn rows(&self) -> usize {
        (self.outputs - 1).max(1)
    }

    /// Coefficients of a row: the intercept, where there is one, and d slopes.
    pub(super) fn columns(&self) -> usize {
        self.features() + usize::from(self.intercept)
    }

    /// Parameters with their factors in coefficient `column` of `row`: aᵀγ.
    pub(super) fn combination(&self, row: usize, column: usize) -> Vec<(usize, f64)> {
        let (d, c) = (self.features(), self.outputs);
        let of = |k: usize, sign: f64| -> Vec<(usize, f64)> {
            let slope = |j: usize| (j * c + k, sign * self.inverse(j));
            match (self.intercept, column) {
                (true, 0) => {
                    let means = self.scaling.means().iter().enumerate();
                    let shifts = means.map(|(j, mean)| (j * c + k, -sign * mean * self.inverse(j)));
                    shifts.chain([(d * c + k, sign)]).collect()
                }
                (true, column) => vec![slope(column - 1)],
                (false, column) => vec![slope(column)],
            }
        };
        if c == 1 { of(0, 1.0) } else { [of(row + 1, 1.0), of(0, -1.0)].concat() }
    }

    /// 1/deviation of feature j, 0 of a constant one.
    fn inverse(&self, j: usize) -> f64 {
        let deviation = self.scaling.deviations()[j];
        if deviation == 0.0 { 0.0 } else { deviation.recip() }
    }

    /// Whether coefficient `column` is of a feature without information.
    pub(super) fn is_constant(&self, column: usize) -> bool {
        let feature = column.checked_sub(usize::from(self.intercept));
        feature.is_some_and(|j| self.scaling.deviations()[j] == 0.0)
    }
}

/// aᵀM⁻¹a for every coefficient, row by row, with M the information of all samples (their weights sum to `total`) at θ; `None` where M is
/// singular to rounding or not finite.
pub(super) fn inverse(
    risk: &Risk<'_>,
    theta: &[f64],
    units: &Units<'_>,
    total: f64,
) -> Option<Vec<f64>> {
    let (n, c) = (risk.dim(), units.outputs);
    let mut matrix = Mat::zeros(n, n);
    risk.linearize(theta).hessian(matrix.as_mut());
    for block in 0..n / c {
        let mean = (0..c).map(|k| matrix[(block * c + k, block * c + k)]).sum::<f64>() / c as f64;
        // Nothing is known of a constant feature, and nothing else depends on it.
        let shift = if mean == 0.0 { Some(c as f64) } else { (c > 1).then_some(mean) };
        let constant = mean == 0.0;
        for k in 0..c {
            for l in 0..c {
                if let Some(shift) = shift.filter(|_| !constant || k == l) {
                    matrix[(block * c + k, block * c + l)] += shift / c as f64;
                }
            }
        }
    }
    let roots: Vec<f64> = (0..n).map(|j| matrix[(j, j)].sqrt()).collect();
    let scaled = Mat::from_fn(n, n, |i, j| matrix[(i, j)] / (roots[i] * roots[j]));
    let factor = scaled.llt(Side::Lower).ok()?;
    // Compared so that a NaN is refused.
    let sound = |j: usize| factor.L()[(j, j)].powi(2) > DEPENDENT;
    if !(0..n).all(sound) {
        return None;
    }
    let variance = |row: usize, column: usize| {
        let mut a = Mat::zeros(n, 1);
        for (j, share) in units.combination(row, column) {
            a[(j, 0)] += share / roots[j];
        }
        let x = factor.solve(&a);
        (0..n).map(|j| a[(j, 0)] * x[(j, 0)]).sum::<f64>() / total
    };
    let rows = (0..units.rows()).flat_map(|row| (0..units.columns()).map(move |col| (row, col)));
    Some(rows.map(|(row, column)| variance(row, column)).collect())
}

/// [`inverse`] in the directions that the data determine: right for the coefficients that [`Open`] does not leave open.
pub(super) fn inverse_of(
    risk: &Risk<'_>,
    theta: &[f64],
    units: &Units<'_>,
    total: f64,
    open: &Open,
) -> Option<Vec<f64>> {
    let (n, c, columns) = (risk.dim(), units.outputs, units.columns());
    let mut matrix = Mat::zeros(n, n);
    risk.linearize(theta).hessian(matrix.as_mut());
    // Relative to class 0: its own parameters are held.
    let at = |p: usize| p % columns * c + if c == 1 { 0 } else { p / columns + 1 };
    let p = units.rows() * columns;
    let relative = Mat::from_fn(p, p, |i, j| matrix[(at(i), at(j))]);
    let rest = &open.rest;
    let k = rest.ncols();
    let matrix = rest.transpose() * &relative * rest;
    let roots: Vec<f64> = (0..k).map(|j| matrix[(j, j)].sqrt()).collect();
    let scaled = Mat::from_fn(k, k, |i, j| matrix[(i, j)] / (roots[i] * roots[j]));
    let factor = scaled.llt(Side::Lower).ok()?;
    // Compared so that a NaN is refused.
    if !(0..k).all(|j| factor.L()[(j, j)].powi(2) > DEPENDENT) {
        return None;
    }
    let variance = |row: usize, column: usize| {
        let a = functional(units, row, column);
        let share = |j: usize| (0..p).map(|i| rest[(i, j)] * a[i]).sum::<f64>() / roots[j];
        let a = Mat::from_fn(k, 1, |j, _| share(j));
        let x = factor.solve(&a);
        (0..k).map(|j| a[(j, 0)] * x[(j, 0)]).sum::<f64>() / total
    };
    let rows = (0..units.rows()).flat_map(|row| (0..columns).map(move |column| (row, column)));
    Some(rows.map(|(row, column)| variance(row, column)).collect())
}
