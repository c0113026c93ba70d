//! The bias-corrected and accelerated interval of a bootstrap.
//!
//! The quantiles Φ(z₀ + (z₀ + z)/(1 − a(z₀ + z))) of the replicates, z = Φ⁻¹((1 ∓ level)/2). z₀ = Φ⁻¹ of the share of replicates below the
//! estimate, one that is equal counted by half. The acceleration a is a sixth of the skewness of the estimate to first order, Σl³/(Σl²)^(3/2)/6
//! for independent parts l: of cases, lᵢ is what the estimate without case i lacks to the mean of all such (the jackknife, a fit each); of
//! residuals, whose errors e are of one distribution and enter by the row w of (JᵀJ)⁻¹Jᵀ, Σl³ = Σw³·mean e³ and Σl² = Σw²·mean e².
//! Sources: Efron (1987), J. Amer. Stat. Assoc. 82; Davison & Hinkley (1997) §5.3.2.

use super::distributions::{Distribution as _, Normal};
use super::factor::{Combination, Factor};
use crate::linalg::qr::PivotedQr;
use crate::linalg::vector;
use crate::problem::bounds::Bounds;
use secant_core::problem::LeastSquares;

/// Of numbers in order, as NumPy's and R's default (type 7).
pub(super) fn quantile(sorted: &[f64], p: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = p * last as f64;
    let below = (0..=last).take_while(|i| *i as f64 <= at).last().unwrap_or(0);
    let above = (below + 1).min(last);
    sorted[below] + (at - below as f64) * (sorted[above] - sorted[below])
}

/// The ends of the interval; none where all replicates lie on one side of the estimate, or there are none, or the acceleration is none.
pub(super) fn interval(
    estimate: f64,
    mut replicates: Vec<f64>,
    acceleration: f64,
    level: f64,
) -> Option<(f64, f64)> {
    let below = replicates.iter().filter(|x| **x < estimate).count();
    let equal = replicates.iter().filter(|x| **x == estimate).count();
    let share = (below as f64 + 0.5 * equal as f64) / replicates.len() as f64;
    let bias = Normal.quantile(share);
    replicates.sort_by(f64::total_cmp);
    let end = |tail: f64| {
        let moved = bias + Normal.quantile(tail);
        let at = 1.0 - acceleration * moved;
        // Beyond the pole the formula turns round. Written so that NaN is none.
        let sound = at > 0.0;
        sound.then(|| quantile(&replicates, Normal.cdf(bias + moved / at)))
    };
    let tail = 0.5 * (1.0 - level);
    let (low, high) = (end(tail)?, end(1.0 - tail)?);
    (bias.is_finite() && low.is_finite() && high.is_finite()).then_some((low, high))
}

/// Of each of n parameters, from their estimates without one case after the other (n numbers of each). NaN where they do not move.
pub(super) fn of_cases(left_out: &[f64], n: usize) -> Vec<f64> {
    let count = (left_out.len() / n) as f64;
    let of = |j: usize| {
        let all = || left_out.iter().skip(j).step_by(n);
        let mean = all().sum::<f64>() / count;
        let sum = |power: i32| all().map(|x| (mean - x).powi(power)).sum::<f64>();
        sum(3) / sum(2).powf(1.5) / 6.0
    };
    (0..n).map(of).collect()
}

/// Of each parameter where residuals are drawn, from J at the solution and the errors that are drawn. NaN for parameters at a bound and for
/// those that the data do not determine.
pub(super) fn of_residuals(
    problem: &dyn LeastSquares,
    theta: &[f64],
    bounds: Option<&Bounds>,
    gradient: &[f64],
    errors: &[f64],
) -> Vec<f64> {
    let (m, n) = (problem.residual_len(), theta.len());
    let mut whole = PivotedQr::new(m, n);
    problem.jacobian(theta, &mut vec![0.0; m], whole.matrix_mut());
    let blocked = |j: usize| bounds.is_some_and(|of| of.blocks(j, theta[j], gradient[j]));
    let free: Vec<usize> = (0..n).filter(|j| !blocked(*j)).collect();
    let mut qr = PivotedQr::new(m, free.len());
    for (k, j) in free.iter().enumerate() {
        qr.column_mut(k).copy_from_slice(whole.column(*j));
    }
    let found = Factor::of(qr, n, free, 0.0);
    let moment =
        |power: i32| errors.iter().map(|e| e.powi(power)).sum::<f64>() / errors.len() as f64;
    let skewness = moment(3) / moment(2).powf(1.5);
    let (mut alone, mut weights) = (vec![0.0; n], vec![0.0; m]);
    let mut column = vec![0.0; m];
    let mut of = |j: usize| {
        alone[j] = 1.0;
        let seen = found.factor.combination(&alone);
        alone[j] = 0.0;
        let Combination::Seen(shares) = seen else { return f64::NAN };
        weights.fill(0.0);
        for (k, share) in shares.iter().enumerate() {
            found.qr.q_column(k, &mut column);
            vector::axpy(*share, &column, &mut weights);
        }
        let data = &weights[..errors.len()];
        let sum = |power: i32| data.iter().map(|w| w.powi(power)).sum::<f64>();
        // Residuals are model − data: an error of the data moves an estimate by −w·e of the residual's.
        -skewness * sum(3) / sum(2).powf(1.5) / 6.0
    };
    (0..n).map(&mut of).collect()
}
