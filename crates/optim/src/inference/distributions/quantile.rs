//! Quantiles of distributions on x > 0.

use super::incomplete::Tails;

/// Most steps: each halves the bracket at least, on the scale of ln x.
const STEPS: u32 = 200;
/// A step below this part of x is rounding.
const SETTLED: f64 = 2.0 * f64::EPSILON;
/// ln x at both ends of what `f64` holds.
const ENDS: [f64; 2] = [-745.0, 709.7];

/// The x > 0 with the tails of `goal`, near `start`: Newton's method for ln(lesser tail) against ln x, on which scale tails are concave and
/// far out straight. `tails` gives the tails and x times the density.
pub(super) fn positive_quantile(
    goal: Tails,
    start: f64,
    tails: impl Fn(f64) -> (Tails, f64),
) -> f64 {
    // Written so that NaN is refused.
    if !(goal.lower >= 0.0 && goal.upper >= 0.0) {
        return f64::NAN;
    }
    if goal.lower == 0.0 || goal.upper == 0.0 {
        return if goal.lower == 0.0 { 0.0 } else { f64::INFINITY };
    }
    let falling = goal.upper < goal.lower;
    let wanted = if falling { goal.upper } else { goal.lower };
    let inside = |s: f64| if s > ENDS[0] && s < ENDS[1] { s } else { 0.5 * (ENDS[0] + ENDS[1]) };
    let (mut low, mut high) = (ENDS[0], ENDS[1]);
    let mut x = libm::exp(inside(libm::log(start)));
    for _ in 0..STEPS {
        let (here, density) = tails(x);
        let here = if falling { here.upper } else { here.lower };
        // ln(here/wanted), exact where they are close.
        let off =
            if here == 0.0 { f64::NEG_INFINITY } else { libm::log1p((here - wanted) / wanted) };
        let at = libm::log(x);
        if (off > 0.0) == falling {
            low = low.max(at);
        } else {
            high = high.min(at);
        }
        let slope = density / here;
        let step = if falling { off / slope } else { -off / slope };
        let close = step.abs() < 0.5 * (high - low).max(1e-3) && step.is_finite();
        let next = at + step;
        if close && next >= low - 1e-12 && next <= high + 1e-12 {
            x *= 1.0 + libm::expm1(step);
            if step.abs() <= SETTLED {
                break;
            }
        } else {
            if high - low <= SETTLED {
                break;
            }
            x = libm::exp(0.5 * (low + high));
        }
    }
    x
}
