//! What the data do not determine: the null space of dependent columns, by name.

use crate::linalg::qr::PivotedQr;
use faer::Mat;
use faer::prelude::SolveLstsq;
use secant_core::double_double::DoubleDouble;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Entries of a null direction below this part of the largest are rounding: √ε.
const NEGLIGIBLE: f64 = 1.5e-8;
/// Coefficients within this of an integer are that integer.
const INTEGER: f64 = 1e-6;

/// A combination of the columns that is zero in every row: β plus any multiple of it fits as well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NullDirection {
    /// One coefficient per column, those without a part in it exactly 0; the least of the others is ±1.
    pub coefficients: Vec<f64>,
    equation: String,
}

impl fmt::Display for NullDirection {
    /// One column as a combination of the others: `surface_area = wall_area + 2·roof_area`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.equation)
    }
}

/// A basis of the null space of A, n × (n − rank): each dependent column by the independent ones.
pub(super) fn basis(qr: &PivotedQr, rank: usize, scales: &[f64]) -> Mat<f64> {
    let n = scales.len();
    let mut basis = Mat::zeros(n, n - rank);
    for dependent in rank..n {
        let mut column: Vec<f64> = (0..rank).map(|i| -qr.r(i, dependent)).collect();
        qr.solve_leading(&mut column);
        let mut direction = basis.col_mut(dependent - rank);
        for (value, &j) in column.iter().zip(qr.order()) {
            direction[j] = value * scales[j];
        }
        let j = qr.order()[dependent];
        direction[j] = scales[j];
        let largest = direction.norm_max();
        for j in 0..n {
            if direction[j].abs() <= NEGLIGIBLE * largest {
                direction[j] = 0.0;
            }
        }
    }
    basis
}

/// β ← the solution of least norm, β without its part in the null space.
pub(super) fn shorten(null: &Mat<f64>, beta: &mut [DoubleDouble]) {
    if null.ncols() == 0 {
        return;
    }
    let right = Mat::from_fn(beta.len(), 1, |j, _| beta[j].high);
    let along = null.qr().solve_lstsq(&right);
    let part = null * &along;
    for (j, beta) in beta.iter_mut().enumerate() {
        *beta = *beta - DoubleDouble::from(part[(j, 0)]);
    }
}

/// The columns of the basis in words.
pub(super) fn directions(null: &Mat<f64>, names: &[String]) -> Vec<NullDirection> {
    null.col_iter()
        .map(|column| {
            let sizes = column.iter().filter(|value| **value != 0.0).map(|value| value.abs());
            let least = sizes.fold(f64::INFINITY, f64::min);
            let scaled: Vec<f64> = column.iter().map(|value| value / least).collect();
            let rounded = scaled.iter().map(|value| value.round());
            let whole = scaled.iter().all(|value| (value - value.round()).abs() <= INTEGER);
            let coefficients = if whole { rounded.collect() } else { scaled };
            NullDirection { equation: equation(&coefficients, names), coefficients }
        })
        .collect()
}

/// One column by the others: the only one with its sign where there is such a one, with a coefficient of ±1 if possible.
fn equation(coefficients: &[f64], names: &[String]) -> String {
    let part: Vec<usize> = (0..names.len()).filter(|j| coefficients[*j] != 0.0).collect();
    let alike =
        |j: usize| part.iter().filter(|k| coefficients[**k] * coefficients[j] > 0.0).count();
    let simple = |j: usize| usize::from(coefficients[j].abs() != 1.0);
    let Some(&left) = part.iter().min_by_key(|j| (simple(**j), alike(**j))) else {
        return String::new();
    };
    let mut right = String::new();
    for &j in part.iter().filter(|j| **j != left) {
        let factor = -coefficients[j] / coefficients[left];
        let sign = match (right.is_empty(), factor < 0.0) {
            (true, false) => "",
            (true, true) => "−",
            (false, false) => " + ",
            (false, true) => " − ",
        };
        let size = factor.abs();
        let size = if size == 1.0 { String::new() } else { format!("{size}·") };
        right = [&right, sign, &size, &names[j]].concat();
    }
    if right.is_empty() {
        right.push('0');
    }
    format!("{} = {right}", names[left])
}
