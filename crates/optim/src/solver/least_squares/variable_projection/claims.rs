//! Whether the parameters that are said to be linear are.

use crate::error::OptimError;
use crate::linalg::vector;
use secant_core::problem::LeastSquares;
use std::ops::Range;

/// ‖r(θ + 3d) − 3r(θ + d) + 2r(θ)‖ of a linear r, relative to the terms: rounding, with room for formulas that cancel.
const BENT: f64 = 1e-7;
/// A second and a third point, in steps of d. Not symmetric about θ: an odd function would pass.
const FAR: f64 = 3.0;

/// In order, not empty, apart from each other and within θ.
pub(super) fn check_ranges(
    solver: &'static str,
    ranges: &[Range<usize>],
    n: usize,
) -> Result<Vec<Range<usize>>, OptimError> {
    let mut sorted = ranges.to_vec();
    sorted.sort_by_key(|range| range.start);
    if sorted.is_empty() {
        return Err(OptimError::NoLinearParameters { solver });
    }
    let mut free_from = 0;
    for range in &sorted {
        if range.is_empty() || range.start < free_from || range.end > n {
            let (start, end) = (range.start, range.end);
            return Err(OptimError::LinearRange { solver, start, end, parameters: n });
        }
        free_from = range.end;
    }
    Ok(sorted)
}

/// r along a direction in each range, and in all of them together: a straight line. Nothing is said where r(θ) is not finite.
pub(super) fn check_linear<P: LeastSquares>(
    solver: &'static str,
    problem: &P,
    theta: &[f64],
    ranges: &[Range<usize>],
) -> Result<(), OptimError> {
    let mut here = vec![0.0; problem.residual_len()];
    if !problem.residuals(theta, &mut here).is_finite() {
        return Ok(());
    }
    let each = ranges.iter().map(std::slice::from_ref);
    for block in each.chain((ranges.len() > 1).then_some(ranges)) {
        let bend = bend(problem, theta, &here, block);
        // Written so that NaN is refused: a linear r is finite at every θ_L or at none.
        let straight = bend <= BENT;
        if !straight {
            let names: Vec<String> = block.iter().map(|r| problem.parameters_name(r)).collect();
            return Err(OptimError::NotLinear { solver, parameters: names.join(", "), bend });
        }
    }
    Ok(())
}

/// ‖r(θ + 3d) − 3r(θ + d) + 2r(θ)‖ relative to its terms, with d in `ranges` only.
fn bend<P: LeastSquares>(problem: &P, theta: &[f64], here: &[f64], ranges: &[Range<usize>]) -> f64 {
    let at = |far: f64| {
        let mut theta = theta.to_vec();
        for index in ranges.iter().cloned().flatten() {
            let size = if theta[index] == 0.0 { 1.0 } else { theta[index].abs() };
            theta[index] += far * size * weight(index);
        }
        let mut residuals = vec![0.0; here.len()];
        problem.residuals(&theta, &mut residuals);
        residuals
    };
    let (near, far) = (at(1.0), at(FAR));
    let mut excess = far.clone();
    vector::axpy(-FAR, &near, &mut excess);
    vector::axpy(FAR - 1.0, here, &mut excess);
    let terms = vector::norm(&far) + FAR * vector::norm(&near) + (FAR - 1.0) * vector::norm(here);
    if terms == 0.0 { 0.0 } else { vector::norm(&excess) / terms }
}

/// Numbers of either sign in (½, 1), the same for the same entry: multiples of the golden ratio, which repeat no pattern.
fn weight(index: usize) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_8;
    let part = (GOLDEN * (index + 1) as f64).fract();
    if part < 0.5 { part - 1.0 } else { part }
}
