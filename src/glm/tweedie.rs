//! The density of Tweedie's distribution, 1 < p < 2: a sum over the number of gammas that y is the sum of.
//!
//! ln f(y) = (y·μ^(1−p)/(1 − p) − μ^(2−p)/(2 − p))/φ + ln a(y), a = y⁻¹·Σⱼ Wⱼ, ln Wⱼ = j·ln ζ − ln Γ(j + 1) − ln Γ(−αj), α = (2 − p)/(1 − p),
//! ζ = y^(−α)·(p − 1)^α/(φ^(1−α)·(2 − p)). The terms rise to j ≈ y^(2−p)/(φ(2 − p)) and fall: summed from there both ways.
//! Source: Dunn & Smyth (2005), Statistics and Computing 15, eq. (6)–(9).

/// Terms below e to this, beside the largest, are rounding.
const NEGLIGIBLE: f64 = -37.0;
/// Most terms on a side.
const MOST: u32 = 1_000_000;

/// ln a(y); 0 at y = 0, where the probability is e^(−μ^(2−p)/(φ(2−p))) alone.
pub(super) fn log_normaliser(y: f64, dispersion: f64, power: f64) -> f64 {
    if y == 0.0 {
        return 0.0;
    }
    let alpha = (2.0 - power) / (1.0 - power);
    let log_y = y.ln();
    let log_zeta =
        alpha * ((power - 1.0).ln() - log_y) - (1.0 - alpha) * dispersion.ln() - (2.0 - power).ln();
    let term = |j: f64| j * log_zeta - libm::lgamma(j + 1.0) - libm::lgamma(-alpha * j);
    let top = ((2.0 - power) * log_y).exp() / (dispersion * (2.0 - power));
    let top = if top.is_finite() { top.round().max(1.0) } else { return f64::NAN };
    let largest = term(top);
    let side = |step: f64| {
        let mut sum = 0.0;
        for k in 1..MOST {
            let j = top + step * f64::from(k);
            let size = if j < 1.0 { break } else { term(j) - largest };
            sum += size.exp();
            if size < NEGLIGIBLE {
                break;
            }
        }
        sum
    };
    largest + (1.0 + side(1.0) + side(-1.0)).ln() - log_y
}
