//! Covariances that hold where the errors differ in variance.

use super::InferenceError;
use crate::linalg::qr::PivotedQr;
use faer::Mat;
use serde::{Deserialize, Serialize};

/// 1 − h below this many roundings of Q is rounding.
const ROUNDINGS: f64 = 16.0;

/// How the covariance is estimated where the errors are not all of one variance: (JᵀJ)⁻¹·Jᵀ·diag(ωᵢrᵢ²)·J·(JᵀJ)⁻¹.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sandwich {
    /// ω = 1. White (1980).
    Hc0,
    /// ω = m/(m − p). Hinkley (1977).
    Hc1,
    /// ω = 1/(1 − h), h the leverage. MacKinnon & White (1985).
    Hc2,
    /// ω = 1/(1 − h)², nearly the jackknife. MacKinnon & White (1985).
    Hc3,
}

impl Sandwich {
    /// HC0 to HC3.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hc0 => "HC0",
            Self::Hc1 => "HC1",
            Self::Hc2 => "HC2",
            Self::Hc3 => "HC3",
        }
    }
}

/// √ωᵢ·|rᵢ| for the rows of the data; `resolution` is the rounding of Q.
pub(super) fn weights(
    sandwich: Sandwich,
    residuals: &[f64],
    leverages: Option<&[f64]>,
    (counted, degrees): (f64, f64),
    resolution: f64,
) -> Result<Vec<f64>, InferenceError> {
    let mut weights: Vec<f64> = residuals.iter().map(|r| r.abs()).collect();
    if sandwich == Sandwich::Hc1 {
        let factor = if degrees > 0.0 { (counted / degrees).sqrt() } else { f64::NAN };
        for weight in &mut weights {
            *weight *= factor;
        }
    }
    if let Some(leverages) = leverages.filter(|_| matches!(sandwich, Sandwich::Hc2 | Sandwich::Hc3))
    {
        for (row, (weight, h)) in weights.iter_mut().zip(leverages).enumerate() {
            let left = 1.0 - h;
            if left <= ROUNDINGS * resolution {
                return Err(InferenceError::Leverage { estimator: sandwich.name(), row });
            }
            *weight /= if sandwich == Sandwich::Hc2 { left.sqrt() } else { left };
        }
    }
    Ok(weights)
}

/// Qᵀ·diag(weights²)·Q over the rows of the data, rank × rank. 2·rows·rank² flops.
pub(super) fn meat(qr: &PivotedQr, rank: usize, weights: &[f64]) -> Vec<f64> {
    let (rows, m) = (weights.len(), qr.rows());
    let mut columns = Mat::zeros(rows, rank);
    let mut column = vec![0.0; m];
    for k in 0..rank {
        qr.q_column(k, &mut column);
        for (i, weight) in weights.iter().enumerate() {
            columns[(i, k)] = weight * column[i];
        }
    }
    let product = columns.transpose() * &columns;
    (0..rank * rank).map(|at| product[(at / rank, at % rank)]).collect()
}
