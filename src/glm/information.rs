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

/// What one more parameter, α, has beside the coefficients: sums over the samples of second derivatives of minus ln L.
pub(super) struct Border {
    /// In α and the parameters of the fit.
    pub mixed: Vec<f64>,
    /// In α.
    pub corner: f64,
}

/// Variances over φ.
pub(super) struct Variances {
    /// Of every coefficient, row by row.
    pub coefficients: Vec<f64>,
    /// Of α, NaN where there is none.
    pub alpha: f64,
}

/// hᵀM⁻¹h, M held up by a shift in the last digits where it is singular; 0 where that is of no use.
pub(super) fn quadratic(matrix: &Mat<f64>, h: &[f64]) -> f64 {
    let n = h.len();
    let roots: Vec<f64> = (0..n).map(|j| matrix[(j, j)].sqrt()).collect();
    let share = |i: usize| if roots[i] > 0.0 { roots[i].recip() } else { 0.0 };
    let entry = |i: usize, j: usize| {
        let own = if i == j { 1.0 + DEPENDENT } else { 0.0 };
        if i == j { own } else { matrix[(i, j)] * share(i) * share(j) }
    };
    let Ok(factor) = Mat::from_fn(n, n, entry).llt(Side::Lower) else { return 0.0 };
    let b = Mat::from_fn(n, 1, |i, _| h[i] * share(i));
    let x = factor.solve(&b);
    (0..n).map(|i| b[(i, 0)] * x[(i, 0)]).sum()
}

/// aᵀM⁻¹a for every coefficient, row by row, with M the information of all samples (their weights sum to `total`) at θ; `None` where M is
/// singular to rounding or not finite.
pub(super) fn inverse(
    risk: &Risk<'_>,
    theta: &[f64],
    units: &Units<'_>,
    total: f64,
    border: Option<&Border>,
) -> Option<Variances> {
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
    let functional = |row: usize, column: usize| {
        let mut a = vec![0.0; n];
        units.combination(row, column).iter().for_each(|(j, share)| a[*j] += share);
        a
    };
    let mixed = border.map(|border| (border.mixed.clone(), border.corner));
    variances(&matrix, functional, mixed, units, total)
}

/// Variances of the functionals aᵀγ, and of α beside γ by the Schur complement of its own information.
fn variances(
    matrix: &Mat<f64>,
    functional: impl Fn(usize, usize) -> Vec<f64>,
    border: Option<(Vec<f64>, f64)>,
    units: &Units<'_>,
    total: f64,
) -> Option<Variances> {
    let n = matrix.nrows();
    let roots: Vec<f64> = (0..n).map(|j| matrix[(j, j)].sqrt()).collect();
    let scaled = Mat::from_fn(n, n, |i, j| matrix[(i, j)] / (roots[i] * roots[j]));
    let factor = scaled.llt(Side::Lower).ok()?;
    // Compared so that a NaN is refused.
    if !(0..n).all(|j| factor.L()[(j, j)].powi(2) > DEPENDENT) {
        return None;
    }
    let column = |of: &[f64]| Mat::from_fn(n, 1, |j, _| of[j] / roots[j]);
    let dot = |a: &Mat<f64>, b: &Mat<f64>| (0..n).map(|j| a[(j, 0)] * b[(j, 0)]).sum::<f64>();
    // M⁻¹h and the complement, of the mean over the samples.
    let border = border.map(|(mixed, corner)| {
        let h = column(&mixed.iter().map(|h| h / total).collect::<Vec<_>>());
        let solved = factor.solve(&h);
        let complement = corner / total - dot(&h, &solved);
        (solved, complement)
    });
    let variance = |row: usize, at: usize| {
        let a = column(&functional(row, at));
        let own = dot(&a, &factor.solve(&a));
        let through = border.as_ref().map_or(0.0, |(solved, rest)| dot(&a, solved).powi(2) / rest);
        (own + through) / total
    };
    let rows = (0..units.rows()).flat_map(|row| (0..units.columns()).map(move |at| (row, at)));
    let coefficients = rows.map(|(row, at)| variance(row, at)).collect();
    let alpha = border.as_ref().map_or(f64::NAN, |(_, rest)| (rest * total).recip());
    Some(Variances { coefficients, alpha })
}

/// [`inverse`] in the directions that the data determine: right for the coefficients that [`Open`] does not leave open.
pub(super) fn inverse_of(
    risk: &Risk<'_>,
    theta: &[f64],
    units: &Units<'_>,
    total: f64,
    border: Option<&Border>,
    open: &Open,
) -> Option<Variances> {
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
    let along = |of: &[f64], j: usize| (0..p).map(|i| rest[(i, j)] * of[i]).sum::<f64>();
    let functional = |row: usize, column: usize| {
        let a = functional(units, row, column);
        (0..k).map(|j| along(&a, j)).collect()
    };
    let border = border.map(|border| {
        let mixed: Vec<f64> = (0..p).map(|i| border.mixed[at(i)]).collect();
        ((0..k).map(|j| along(&mixed, j)).collect(), border.corner)
    });
    variances(&matrix, functional, border, units, total)
}
