//! The secular equation 1/‖p(λ)‖ = 1/Δ with p(λ) = −(H + λI)⁻¹g, by Newton's method.
//!
//! λ⁺ = λ + (‖p‖ − Δ)/Δ · ‖p‖² / pᵀ(H + λI)⁻¹p. 1/‖p‖ is concave and rises in λ: from the left of the solution Newton's
//! method climbs monotonically and never passes it, quadratically in the end.
//! With a cubic term the equation is λ/‖p(λ)‖ = σ, whose left side rises in λ.
//! Source: Conn, Gould & Toint (2000) §7.3.3; Moré & Sorensen (1983) §3; Cartis, Gould & Toint (2011) §6.1.

/// ‖p‖ = Δ(1 ± this) is on the boundary.
pub(super) const BOUNDARY: f64 = 1e-12;
/// Most iterations; a handful is usual.
const ITERATIONS: u32 = 60;

/// ‖p(λ)‖² and p(λ)ᵀ(H + λI)⁻¹p(λ).
pub(super) struct At {
    pub square: f64,
    pub slope: f64,
}

/// λ in (`lower`, `upper`] with ‖p(λ)‖ = Δ, where ‖p(`lower`)‖ ≥ Δ ≥ ‖p(`upper`)‖. The last evaluation is at the λ returned.
pub(super) fn solve(lower: f64, upper: f64, radius: f64, evaluate: impl FnMut(f64) -> At) -> f64 {
    bracketed(lower, upper, evaluate, |lambda, norm, at| {
        let newton = lambda + (norm - radius) / radius * at.square / at.slope;
        (radius, newton)
    })
}

/// λ in (`lower`, `upper`] with σ‖p(λ)‖ = λ, where σ‖p(`lower`)‖ ≥ `lower` and σ‖p(`upper`)‖ ≤ `upper`. The last evaluation is at the λ
/// returned.
pub(super) fn solve_cubic(
    lower: f64,
    upper: f64,
    weight: f64,
    evaluate: impl FnMut(f64) -> At,
) -> f64 {
    bracketed(lower, upper, evaluate, |lambda, norm, at| {
        // Of λ/‖p‖ − σ, whose slope is 1/‖p‖ + λ·pᵀ(H + λI)⁻¹p/‖p‖³, times ‖p‖.
        let rise = 1.0 + lambda * at.slope / at.square;
        (lambda / weight, lambda + (weight * norm - lambda) / rise)
    })
}

/// Newton's method in a bracket; `step(λ, ‖p‖, at)` gives the length that ‖p‖ should have, and Newton's next λ.
fn bracketed(
    lower: f64,
    upper: f64,
    mut evaluate: impl FnMut(f64) -> At,
    step: impl Fn(f64, f64, &At) -> (f64, f64),
) -> f64 {
    let (mut low, mut high) = (lower, upper.max(lower));
    let mut lambda = lower;
    for _ in 0..ITERATIONS {
        let at = evaluate(lambda);
        let norm = at.square.sqrt();
        let (length, newton) = step(lambda, norm, &at);
        if (norm - length).abs() <= BOUNDARY * length {
            return lambda;
        }
        if norm > length {
            low = lambda;
        } else {
            high = lambda;
        }
        // Rounding, or a norm beyond the range, can throw Newton's step out of the bracket; NaN is out of it too.
        let inside = newton > low && newton < high;
        let next = if inside { newton } else { f64::midpoint(low, high) };
        if next == lambda || next == low || next == high {
            break;
        }
        lambda = next;
    }
    evaluate(lambda);
    lambda
}
