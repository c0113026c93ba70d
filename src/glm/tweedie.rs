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
    normaliser(y, dispersion, power)[0]
}

/// The same with its first two derivatives by ln φ.
pub(super) fn normaliser(y: f64, dispersion: f64, power: f64) -> [f64; 3] {
    if y == 0.0 {
        return [0.0; 3];
    }
    let alpha = (2.0 - power) / (1.0 - power);
    let log_y = y.ln();
    let log_zeta =
        alpha * ((power - 1.0).ln() - log_y) - (1.0 - alpha) * dispersion.ln() - (2.0 - power).ln();
    let term = |j: f64| j * log_zeta - libm::lgamma(j + 1.0) - libm::lgamma(-alpha * j);
    let top = ((2.0 - power) * log_y).exp() / (dispersion * (2.0 - power));
    let top = if top.is_finite() { top.round().max(1.0) } else { return [f64::NAN; 3] };
    let largest = term(top);
    // Σ W, Σ W·k and Σ W·k², k the distance from the top: no digits cancel in the variance.
    let side = |step: f64| {
        let mut sums = [0.0; 3];
        for k in 1..MOST {
            let distance = step * f64::from(k);
            let j = top + distance;
            let size = if j < 1.0 { break } else { term(j) - largest };
            let share = size.exp();
            sums[0] += share;
            sums[1] += share * distance;
            sums[2] += share * distance * distance;
            if size < NEGLIGIBLE {
                break;
            }
        }
        sums
    };
    let (above, below) = (side(1.0), side(-1.0));
    let [sum, first, second] = std::array::from_fn(|k| above[k] + below[k]);
    let whole = 1.0 + sum;
    let mean = first / whole;
    let slope = -(1.0 - alpha);
    let variance = second / whole - mean * mean;
    [largest + whole.ln() - log_y, slope * (top + mean), slope * slope * variance]
}
