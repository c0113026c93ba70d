//! What each observation would be predicted as without it, from one factorisation.
//!
//! With A = Q·R, qᵢ the row of Q that belongs to observation i and hᵢ = ‖qᵢ‖² its leverage, the residual of i under the fit without i is
//! rᵢ/(1 − hᵢ): exact, with weights and with ridges that stay as they are. Where hᵢ > ½ the digits of 1 − hᵢ and rᵢ go, and both are taken
//! from the other rows of Qᵀeᵢ: with pᵢ the part of it beyond the rank and u that of Qᵀb the residual is pᵢᵀu/‖pᵢ‖²: what is
//! lost are the digits of √(1 − hᵢ). There are no more than 2n such observations. Where pᵢ is rounding, nothing else says what i does: hᵢ = 1.
//! 2mn² flops for the leverages, as many as the factorisation has, and 4mn for each high one; AᵀA is not formed, nothing is inverted.
//! Source: Allen (1974), Technometrics 16, for PRESS; Golub, Heath & Wahba (1979), Technometrics 21, with a ridge.

use super::{LinearError, LinearLeastSquares, LinearSolution};
use crate::linalg::vector;
use std::fmt;

/// From here on a leverage is high: 1 − h has lost its first bit.
const HIGH: f64 = 0.5;
/// ‖pᵢ‖ below this many rounding errors of Q is rounding.
const ROUNDINGS: f64 = 4.0;
/// Most observations that `Display` names.
const SHOWN: usize = 10;

/// The fit to all observations, and what those without each one say of it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LeaveOneOut {
    /// The fit to all.
    pub solution: LinearSolution,
    /// hᵢ ∈ [0, 1]: how much of its own fitted value an observation makes. They sum up to the rank, or less with a ridge.
    pub leverages: Vec<f64>,
    /// yᵢ − xᵢᵀβ₋ᵢ with β₋ᵢ the fit to the others, without weights. None where the others do not determine it: leverage 1.
    pub residuals: Vec<Option<f64>>,
    /// Σ wᵢ(yᵢ − xᵢᵀβ₋ᵢ)²: the predicted residual sum of squares, PRESS. None where a residual is.
    pub press: Option<f64>,
    /// √(PRESS/Σ wᵢ). None where a residual is.
    pub rmse: Option<f64>,
}

impl LeaveOneOut {
    /// The observations, from 0, that the others do not determine: each has a direction in β to itself, as a dummy variable of one
    /// observation has it.
    pub fn undetermined(&self) -> Vec<usize> {
        (0..self.residuals.len()).filter(|i| self.residuals[*i].is_none()).collect()
    }
}

impl fmt::Display for LeaveOneOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "leave one out of {} observations", self.residuals.len())?;
        let top = self.leverages.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        if let Some((row, leverage)) = top {
            write!(f, ", largest leverage {leverage:.4} (row {row})")?;
        }
        if let (Some(press), Some(rmse)) = (self.press, self.rmse) {
            return write!(f, "\n  PRESS {press:.6e}, RMSE {rmse:.6e}");
        }
        let rows = self.undetermined();
        let names: Vec<String> = rows.iter().take(SHOWN).map(ToString::to_string).collect();
        let more = rows.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        write!(
            f,
            "\n  no PRESS: leverage 1 in row {}{more}, without which a direction of the coefficients is not determined",
            names.join(", ")
        )
    }
}

impl LinearLeastSquares<'_> {
    /// Solves it, and every problem without one of the rows. Ridges stay as they are; a row of weight 0 counts in neither.
    ///
    /// ```
    /// use secant_core::faer::mat;
    /// use secant_optim::LinearLeastSquares;
    /// // The mean of three numbers, and of the two others.
    /// let design = mat![[1.0], [1.0], [1.0]];
    /// let loo = LinearLeastSquares::new(design.as_ref(), &[1.0, 2.0, 6.0]).leave_one_out()?;
    /// let expected = [1.0 - 4.0, 2.0 - 3.5, 6.0 - 1.5];
    /// for (found, expected) in loo.residuals.iter().zip(expected) {
    ///     assert!((found.unwrap() - expected).abs() < 1e-14);
    /// }
    /// # Ok::<(), secant_optim::LinearError>(())
    /// ```
    ///
    /// # Errors
    /// As [`solve`](Self::solve).
    pub fn leave_one_out(&self) -> Result<LeaveOneOut, LinearError> {
        let (solution, qr, right) = self.factored()?;
        let (m, rank) = (self.design.nrows(), solution.rank);
        let mut leverages = qr.row_squares(rank);
        let resolution = ROUNDINGS * qr.resolution();
        let (mut image, mut row) = (right, vec![0.0; qr.rows()]);
        qr.transpose_q(&mut image);
        let mut residuals = Vec::with_capacity(m);
        for i in 0..m {
            if self.weight(i) == 0.0 {
                leverages[i] = 0.0;
            }
            if leverages[i] <= HIGH {
                residuals.push(Some(solution.residuals[i] / (1.0 - leverages[i])));
                continue;
            }
            row.fill(0.0);
            row[i] = 1.0;
            qr.transpose_q(&mut row);
            let beyond = vector::norm(&row[rank..]);
            if beyond <= resolution {
                leverages[i] = 1.0;
                residuals.push(None);
                continue;
            }
            leverages[i] = 1.0 - beyond * beyond;
            let weighted = vector::dot(&row[rank..], &image[rank..]) / beyond / beyond;
            residuals.push(Some(weighted / self.weight(i).sqrt()));
        }
        leverages.truncate(m);
        let square = |(i, r): (usize, &Option<f64>)| r.map(|r| self.weight(i) * r * r);
        let press: Option<f64> = residuals.iter().enumerate().map(square).sum();
        let total: f64 = (0..m).map(|i| self.weight(i)).sum();
        let rmse = press.map(|press| (press / total).sqrt()).filter(|_| total > 0.0);
        Ok(LeaveOneOut { solution, leverages, residuals, press, rmse })
    }
}
