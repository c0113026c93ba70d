//! The model functions of NIST's nonlinear problems, each with its gradient with respect to θ.

use std::f64::consts::PI;
use std::ops::Range;
use std::slice::from_ref;

/// `model(θ, x, gradient)` returns y and writes ∂y/∂θ.
pub type Model = fn(&[f64], &[f64], &mut [f64]) -> f64;

/// Every set that NIST publishes, with its model.
pub const MODELS: [(&str, usize, Model); 27] = [
    ("Misra1a", 2, saturation),
    ("Chwirut2", 3, chwirut),
    ("Chwirut1", 3, chwirut),
    ("Lanczos3", 6, lanczos),
    ("Gauss1", 8, gauss),
    ("Gauss2", 8, gauss),
    ("DanWood", 2, dan_wood),
    ("Misra1b", 2, misra_1b),
    ("Kirby2", 5, quadratic_over_quadratic),
    ("Hahn1", 7, cubic_over_cubic),
    ("Nelson", 3, nelson),
    ("MGH17", 5, mgh_17),
    ("Lanczos1", 6, lanczos),
    ("Lanczos2", 6, lanczos),
    ("Gauss3", 8, gauss),
    ("Misra1c", 2, misra_1c),
    ("Misra1d", 2, misra_1d),
    ("Roszman1", 4, roszman),
    ("ENSO", 9, enso),
    ("MGH09", 4, mgh_09),
    ("Thurber", 7, cubic_over_cubic),
    ("BoxBOD", 2, saturation),
    ("Rat42", 3, logistic),
    ("MGH10", 3, mgh_10),
    ("Eckerle4", 3, eckerle),
    ("Rat43", 4, richards),
    ("Bennett5", 3, bennett),
];

pub fn model(name: &str) -> Option<Model> {
    MODELS.iter().find(|(known, ..)| *known == name).map(|(.., model)| *model)
}

/// Where in θ the parameters lie that the model of this name is linear in, all of them together.
pub fn linear(name: &str) -> &'static [Range<usize>] {
    match name {
        "Chwirut1" | "Chwirut2" => &[],
        "Nelson" | "Roszman1" => from_ref(&(0..2)),
        "Kirby2" | "MGH17" => from_ref(&(0..3)),
        "Hahn1" | "Thurber" => from_ref(&(0..4)),
        "Lanczos1" | "Lanczos2" | "Lanczos3" => &[0..1, 2..3, 4..5],
        "Gauss1" | "Gauss2" | "Gauss3" => &[0..1, 2..3, 5..6],
        "ENSO" => &[0..3, 4..6, 7..9],
        _ => from_ref(&(0..1)),
    }
}

/// b₁(1 − e^(−b₂x))
fn saturation(b: &[f64], x: &[f64], g: &mut [f64]) -> f64 {
    let grown = -f64::exp_m1(-b[1] * x[0]);
    g[0] = grown;
    g[1] = b[0] * x[0] * f64::exp(-b[1] * x[0]);
    b[0] * grown
}

/// b₁(1 − (1 + b₂x/2)⁻²)
fn misra_1b(b: &[f64], x: &[f64], g: &mut [f64]) -> f64 {
    let base = 1.0 + 0.5 * b[1] * x[0];
    g[0] = 1.0 - base.powi(-2);
    g[1] = b[0] * x[0] * base.powi(-3);
    b[0] * g[0]
}

/// b₁(1 − (1 + 2b₂x)^(−½))
fn misra_1c(b: &[f64], x: &[f64], g: &mut [f64]) -> f64 {
    let base = 1.0 + 2.0 * b[1] * x[0];
    g[0] = 1.0 - base.powf(-0.5);
    g[1] = b[0] * x[0] * base.powf(-1.5);
    b[0] * g[0]
}

/// b₁b₂x/(1 + b₂x)
fn misra_1d(b: &[f64], x: &[f64], g: &mut [f64]) -> f64 {
    let base = 1.0 + b[1] * x[0];
    g[0] = b[1] * x[0] / base;
    g[1] = b[0] * x[0] / (base * base);
    b[0] * g[0]
}

/// e^(−b₁x)/(b₂ + b₃x)
fn chwirut(b: &[f64], x: &[f64], g: &mut [f64]) -> f64 {
    let below = b[1] + b[2] * x[0];
    let y = f64::exp(-b[0] * x[0]) / below;
    g[0] = -x[0] * y;
    g[1] = -y / below;
    g[2] = -x[0] * y / below;
    y
}

/// b₁e^(−b₂x) + b₃e^(−b₄x) + b₅e^(−b₆x)
fn lanczos(b: &[f64], x: &[f64], g: &mut [f64]) -> f64 {
    let mut y = 0.0;
    for (b, g) in b.chunks_exact(2).zip(g.chunks_exact_mut(2)) {
        g[0] = f64::exp(-b[1] * x[0]);
        g[1] = -b[0] * x[0] * g[0];
        y += b[0] * g[0];
    }
    y
}

/// b₁e^(−b₂x) + b₃e^(−(x−b₄)²/b₅²) + b₆e^(−(x−b₇)²/b₈²)
fn gauss(b: &[f64], x: &[f64], g: &mut [f64]) -> f64 {
    g[0] = f64::exp(-b[1] * x[0]);
    g[1] = -b[0] * x[0] * g[0];
    let mut y = b[0] * g[0];
    for (b, g) in b[2..].chunks_exact(3).zip(g[2..].chunks_exact_mut(3)) {
        let u = (x[0] - b[1]) / b[2];
        g[0] = f64::exp(-u * u);
        g[1] = b[0] * g[0] * 2.0 * u / b[2];
        g[2] = g[1] * u;
        y += b[0] * g[0];
    }
    y
}

/// b₁x^b₂
fn dan_wood(b: &[f64], x: &[f64], g: &mut [f64]) -> f64 {
    g[0] = x[0].powf(b[1]);
    g[1] = b[0] * g[0] * x[0].ln();
    b[0] * g[0]
}

/// (b₁ + … + b₍ₖ₊₁₎xᵏ)/(1 + b₍ₖ₊₂₎x + … + b₍₂ₖ₊₁₎xᵏ)
fn rational(k: usize, b: &[f64], x: f64, g: &mut [f64]) -> f64 {
    let above = b[..=k].iter().rev().fold(0.0, |sum, b| sum * x + b);
    let below = 1.0 + x * b[k + 1..].iter().rev().fold(0.0, |sum, b| sum * x + b);
    let y = above / below;
    let mut power = 1.0;
    for i in 0..=k {
        g[i] = power / below;
        if i > 0 {
            g[k + i] = -y * power / below;
        }
        power *= x;
    }
    y
}

fn quadratic_over_quadratic(b: &[f64], x: &[f64], g: &mut [f64]) -> f64 {
    rational(2, b, x[0], g)
}

fn cubic_over_cubic(b: &[f64], x: &[f64], g: &mut [f64]) -> f64 {
    rational(3, b, x[0], g)
}

/// log y = b₁ − b₂x₁e^(−b₃x₂)
fn nelson(b: &[f64], x: &[f64], g: &mut [f64]) -> f64 {
    let decay = x[0] * f64::exp(-b[2] * x[1]);
    g[0] = 1.0;
    g[1] = -decay;
    g[2] = b[1] * x[1] * decay;
    b[0] - b[1] * decay
}

/// b₁ + b₂e^(−b₄x) + b₃e^(−b₅x)
fn mgh_17(b: &[f64], x: &[f64], g: &mut [f64]) -> f64 {
    g[0] = 1.0;
    g[1] = f64::exp(-b[3] * x[0]);
    g[2] = f64::exp(-b[4] * x[0]);
    g[3] = -b[1] * x[0] * g[1];
    g[4] = -b[2] * x[0] * g[2];
    b[0] + b[1] * g[1] + b[2] * g[2]
}

/// b₁ − b₂x − arctan(b₃/(x − b₄))/π
fn roszman(b: &[f64], x: &[f64], g: &mut [f64]) -> f64 {
    let from = x[0] - b[3];
    let size = PI * (from * from + b[2] * b[2]);
    g[0] = 1.0;
    g[1] = -x[0];
    g[2] = -from / size;
    g[3] = -b[2] / size;
    b[0] - b[1] * x[0] - f64::atan(b[2] / from) / PI
}

/// b₁ plus three waves, of period 12, b₄ and b₇
fn enso(b: &[f64], x: &[f64], g: &mut [f64]) -> f64 {
    let wave = |period: f64| f64::sin_cos(2.0 * PI * x[0] / period);
    let ((s, c), (s4, c4), (s7, c7)) = (wave(12.0), wave(b[3]), wave(b[6]));
    let slope = |period: f64| 2.0 * PI * x[0] / (period * period);
    g.copy_from_slice(&[
        1.0,
        c,
        s,
        slope(b[3]) * (b[4] * s4 - b[5] * c4),
        c4,
        s4,
        slope(b[6]) * (b[7] * s7 - b[8] * c7),
        c7,
        s7,
    ]);
    b[0] + b[1] * c + b[2] * s + b[4] * c4 + b[5] * s4 + b[7] * c7 + b[8] * s7
}

/// b₁(x² + b₂x)/(x² + b₃x + b₄)
fn mgh_09(b: &[f64], x: &[f64], g: &mut [f64]) -> f64 {
    let x = x[0];
    let below = x * x + b[2] * x + b[3];
    g[0] = (x * x + b[1] * x) / below;
    g[1] = b[0] * x / below;
    g[2] = -b[0] * g[0] * x / below;
    g[3] = -b[0] * g[0] / below;
    b[0] * g[0]
}

/// b₁e^(b₂/(x + b₃))
fn mgh_10(b: &[f64], x: &[f64], g: &mut [f64]) -> f64 {
    let below = x[0] + b[2];
    g[0] = f64::exp(b[1] / below);
    g[1] = b[0] * g[0] / below;
    g[2] = -g[1] * b[1] / below;
    b[0] * g[0]
}

/// b₁/(1 + e^(b₂ − b₃x))
fn logistic(b: &[f64], x: &[f64], g: &mut [f64]) -> f64 {
    let e = f64::exp(b[1] - b[2] * x[0]);
    g[0] = 1.0 / (1.0 + e);
    g[1] = -b[0] * g[0] * g[0] * e;
    g[2] = -x[0] * g[1];
    b[0] * g[0]
}

/// b₁/(1 + e^(b₂ − b₃x))^(1/b₄)
fn richards(b: &[f64], x: &[f64], g: &mut [f64]) -> f64 {
    let e = f64::exp(b[1] - b[2] * x[0]);
    let power = b[3].recip();
    g[0] = (1.0 + e).powf(-power);
    g[1] = -b[0] * g[0] * power * e / (1.0 + e);
    g[2] = -x[0] * g[1];
    g[3] = b[0] * g[0] * e.ln_1p() * power * power;
    b[0] * g[0]
}

/// (b₁/b₂)e^(−½((x − b₃)/b₂)²)
fn eckerle(b: &[f64], x: &[f64], g: &mut [f64]) -> f64 {
    let u = (x[0] - b[2]) / b[1];
    g[0] = f64::exp(-0.5 * u * u) / b[1];
    let y = b[0] * g[0];
    g[1] = y * (u * u - 1.0) / b[1];
    g[2] = y * u / b[1];
    y
}

/// b₁(b₂ + x)^(−1/b₃)
fn bennett(b: &[f64], x: &[f64], g: &mut [f64]) -> f64 {
    let base = b[1] + x[0];
    let power = b[2].recip();
    g[0] = base.powf(-power);
    g[1] = -b[0] * g[0] * power / base;
    g[2] = b[0] * g[0] * base.ln() * power * power;
    b[0] * g[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Differences over this part of a parameter.
    const STEP: f64 = 6e-6;

    /// Columns of J that do not change with the parameters they belong to.
    #[test]
    fn the_models_are_linear_in_what_they_say() {
        for (name, n, model) in MODELS {
            let b: Vec<f64> = (0..n).map(|j| 0.9 + 0.13 * j as f64).collect();
            let (x, mut moved) = ([2.3, 0.7], b.clone());
            let linear = || linear(name).iter().cloned().flatten();
            linear().for_each(|j| moved[j] *= -1.7);
            let (mut here, mut there) = (vec![0.0; n], vec![0.0; n]);
            model(&b, &x, &mut here);
            model(&moved, &x, &mut there);
            for j in linear() {
                assert!((here[j] - there[j]).abs() < 1e-14 * here[j].abs(), "{name}, b{}", j + 1);
            }
            // With any other parameter among them they no longer are.
            for other in (0..n).filter(|j| !linear().any(|linear| linear == *j)) {
                let mut further = moved.clone();
                further[other] *= 1.3;
                model(&further, &x, &mut there);
                let mut columns = linear().chain([other]);
                let bent = columns.any(|j| (here[j] - there[j]).abs() > 1e-6 * here[j].abs());
                assert!(bent, "{name}: b{} is linear too", other + 1);
            }
        }
    }

    #[test]
    fn gradients_equal_central_differences() {
        for (name, n, model) in MODELS {
            let b: Vec<f64> = (0..n).map(|j| 0.9 + 0.13 * j as f64).collect();
            let x = [2.3, 0.7];
            let (mut gradient, mut unused) = (vec![0.0; n], vec![0.0; n]);
            model(&b, &x, &mut gradient);
            let size = gradient.iter().fold(0.0, |most: f64, g| most.max(g.abs()));
            for j in 0..n {
                let mut moved = |step: f64| {
                    let mut b = b.clone();
                    b[j] += step;
                    model(&b, &x, &mut unused)
                };
                let difference = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
                assert!((gradient[j] - difference).abs() < 1e-8 * size, "{name}, b{}", j + 1);
            }
        }
    }
}
