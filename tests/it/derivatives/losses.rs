//! Losses by themselves: values at points worked out by hand, gradients and Hessians against central differences.

use super::support::normals;
use secant::check::distance;
use secant::core::rho::{Rho, RhoWeight};
use secant::data::{TargetTile, Targets};
use secant::loss::{
    AbsoluteError, Gamma, Hinge, LearnedVariance, LogCosh, Logistic, Loss, LossError, LossHessian,
    MaskedSquaredError, NegativeBinomial, Poisson, Quantile, Robust, SoftmaxCrossEntropy,
    SquaredError,
};

/// Relative error allowed where only the elementwise functions round.
const FEW_ULP: f64 = 1e-14;

fn assert_close(found: f64, expected: f64, context: &str) {
    let error = (found - expected).abs();
    assert!(error <= FEW_ULP * expected.abs(), "{context}: {found:e}, expected {expected:e}");
}

/// Σ ℓ, held equal (to rounding) between `value` and `gradient`, and ∂ℓ/∂z.
fn value_gradient(loss: &dyn Loss, z: &[f64], y: TargetTile<'_>) -> (f64, Vec<f64>) {
    let mut z_bar = vec![f64::NAN; z.len()];
    let with_gradient = loss.gradient(1.0, z, y, &mut z_bar);
    let alone = loss.value(z, y);
    let error = (alone - with_gradient).abs();
    assert!(error <= FEW_ULP * alone.abs(), "{}: {alone:e} {with_gradient:e}", loss.name());
    (alone, z_bar)
}

fn class(classes: usize, label: &u32) -> TargetTile<'_> {
    TargetTile::Labels { classes, labels: std::slice::from_ref(label) }
}

#[test]
fn squared_error_is_half_the_sum_of_squares() {
    let y = TargetTile::Values { rows: 2, values: &[1.0, 2.0, 0.0, -4.0] };
    let (value, gradient) = value_gradient(&SquaredError, &[3.0, 1.0, 0.5, -4.0], y);
    // ½(2² + 1²) + ½(½²)
    assert_eq!(value, 2.625);
    assert_eq!(gradient, [2.0, -1.0, 0.5, 0.0]);
}

#[test]
fn softmax_cross_entropy_at_known_points() {
    // ln(e + e² + e³) = 3.407 605 964 444 380 3…
    for (label, expected) in
        [(0, 2.407_605_964_444_38), (1, 1.407_605_964_444_38), (2, 0.407_605_964_444_380_3)]
    {
        let (value, gradient) =
            value_gradient(&SoftmaxCrossEntropy, &[1.0, 2.0, 3.0], class(3, &label));
        assert_close(value, expected, "scores 1, 2, 3");
        let p = [0.090_030_573_170_380_46, 0.244_728_471_054_797_65, 0.665_240_955_774_821_9];
        for (k, (g, p)) in gradient.iter().zip(p).enumerate() {
            let own = if k == label as usize { 1.0 } else { 0.0 };
            assert!((g - (p - own)).abs() <= 1e-15, "{label} {k}: {g}");
        }
    }
    // All scores alike: ln c.
    let (value, _) = value_gradient(&SoftmaxCrossEntropy, &[-800.0; 5], class(5, &3));
    assert_close(value, 5.0_f64.ln(), "five equal scores");
    // A shift of all scores changes nothing.
    let (shifted, _) = value_gradient(&SoftmaxCrossEntropy, &[801.0, 802.0, 803.0], class(3, &0));
    assert_close(shifted, 2.407_605_964_444_38, "scores 801, 802, 803");
}

#[test]
fn softmax_cross_entropy_at_extreme_scores() {
    let z = [800.0, 0.0, -800.0];
    for (label, expected, gradient) in
        [(0, 0.0, [0.0, 0.0, 0.0]), (1, 800.0, [1.0, -1.0, 0.0]), (2, 1600.0, [1.0, 0.0, -1.0])]
    {
        let (value, found) = value_gradient(&SoftmaxCrossEntropy, &z, class(3, &label));
        assert_eq!(value, expected);
        assert!(found.iter().zip(gradient).all(|(a, b)| (a - b).abs() < 1e-300), "{found:?}");
    }
}

#[test]
fn softmax_cross_entropy_keeps_its_digits_when_the_model_is_nearly_sure() {
    for margin in [1.0, 5.0, 27.631, 36.9, 60.0, 200.0, 700.0_f64] {
        for offset in [0.0, 800.0, -800.0] {
            // Two other classes at the margin: ℓ = ln(1 + 2e⁻ᵐ). The scores may round, so the margin is taken from them.
            let z = [offset - margin, offset, offset - margin];
            let rest = 2.0 * (-(z[1] - z[0])).exp();
            let (value, gradient) = value_gradient(&SoftmaxCrossEntropy, &z, class(3, &1));
            let relative = (value / rest.ln_1p() - 1.0).abs();
            assert!(relative <= 1e-12, "margin {margin}: {relative:e}");
            let relative = (gradient[1] / (-rest / (1.0 + rest)) - 1.0).abs();
            assert!(relative <= 1e-12, "gradient at margin {margin}: {relative:e}");
            let relative = (gradient[0] / (0.5 * rest / (1.0 + rest)) - 1.0).abs();
            assert!(relative <= 1e-12, "gradient at margin {margin}: {relative:e}");
            // The Hessian's diagonal p(1 − p) of the sure class.
            let mut h = [f64::NAN; 9];
            SoftmaxCrossEntropy.hessian(&z, class(3, &1), &mut h);
            let relative = (h[4] * (1.0 + rest) * (1.0 + rest) / rest - 1.0).abs();
            assert!(relative <= 1e-12, "Hessian at margin {margin}: {relative:e}");
            // A product keeps the digits that the matrix has.
            let (v, mut product) = ([3.0, 1.0, -7.0], [f64::NAN; 3]);
            SoftmaxCrossEntropy.hessian_vector(1.0, &z, class(3, &1), &v, &mut product);
            for (k, product) in product.iter().enumerate() {
                let dense: f64 = (0..3).map(|l| h[3 * l + k] * v[l]).sum();
                let relative = (product / dense - 1.0).abs();
                assert!(relative <= 1e-12, "product {k} at margin {margin}: {relative:e}");
            }
        }
    }
}

#[test]
fn logistic_at_known_and_extreme_scores() {
    // ln(1 + 1/e) = 0.313 261 687 518 222 83
    let (value, gradient) = value_gradient(&Logistic, &[1.0], class(2, &1));
    assert_close(value, 0.313_261_687_518_222_8, "z = 1");
    assert_close(gradient[0], -1.0 / (1.0 + 1.0_f64.exp()), "slope at z = 1");
    let sure = [(1000.0, 1, 0.0, 0.0), (-1000.0, 0, 0.0, 0.0)];
    let wrong = [(-1000.0, 1, 1000.0, -1.0), (1000.0, 0, 1000.0, 1.0)];
    for (z, label, expected, slope) in sure.into_iter().chain(wrong) {
        let (value, gradient) = value_gradient(&Logistic, &[z], class(2, &label));
        assert_eq!((value, gradient[0]), (expected, slope), "z = {z}, label {label}");
        let y = [f64::from(label)];
        let numbers = TargetTile::Values { rows: 1, values: &y };
        let (value, gradient) = value_gradient(&Logistic, &[z], numbers);
        assert_eq!((value, gradient[0]), (expected, slope), "z = {z}, y = {label}");
    }
    for margin in [5.0, 27.631, 60.0, 700.0_f64] {
        let small = (-margin).exp();
        for (z, label) in [(margin, 1), (-margin, 0)] {
            let (value, gradient) = value_gradient(&Logistic, &[z], class(2, &label));
            assert!((value / small.ln_1p() - 1.0).abs() <= 1e-12, "value at {z}");
            let slope = -z.signum() * small / (1.0 + small);
            assert!((gradient[0] / slope - 1.0).abs() <= 1e-12, "slope at {z}");
        }
    }
}

#[test]
fn logistic_on_probabilities_is_the_cross_entropy() {
    for (z, y) in [(0.7_f64, 0.3_f64), (-2.0, 0.9), (0.0, 0.5), (3.0, 0.0), (3.0, 1.0)] {
        let p = 1.0 / (1.0 + (-z).exp());
        let target = [y];
        let numbers = TargetTile::Values { rows: 1, values: &target };
        let (value, gradient) = value_gradient(&Logistic, &[z], numbers);
        let expected = -(y * p.ln() + (1.0 - y) * (1.0 - p).ln());
        assert!((value - expected).abs() <= 1e-14, "{z} {y}: {value} {expected}");
        assert!((gradient[0] - (p - y)).abs() <= 1e-15, "{z} {y}");
    }
}

#[test]
fn gradients_and_hessians_agree_with_differences() {
    let labels: Vec<u32> = (0..20).map(|index| index * 7 % 2).collect();
    let classes: Vec<u32> = (0..20).map(|index| index * 7 % 5).collect();
    let values = normals(60, 31);
    let between: Vec<f64> = values.iter().map(|v| v.abs().fract()).collect();
    let counts: Vec<f64> = values.iter().map(|v| (3.0 * v.abs()).floor()).collect();
    let positive: Vec<f64> = values.iter().map(|v| 0.1 + v.abs()).collect();
    let beside: Vec<f64> =
        values.chunks(3).zip(positive.chunks(3)).flat_map(|(y, w)| [y, w].concat()).collect();
    let weighted = SoftmaxCrossEntropy.with_class_weights([0.5, 2.0, 0.0, 1.0, 3.0]);
    let smoothed = weighted.clone().with_smoothing(0.2);
    let labelled = TargetTile::Labels { classes: 5, labels: &classes };
    let cases: [(&dyn Loss, usize, TargetTile<'_>); 19] = [
        (&MaskedSquaredError, 3, TargetTile::Values { rows: 6, values: &beside }),
        (&LogCosh::new(0.7), 3, TargetTile::Values { rows: 3, values: &values }),
        (&Quantile::new(0.2, 0.4), 3, TargetTile::Values { rows: 3, values: &values }),
        (&LearnedVariance, 2, TargetTile::Values { rows: 1, values: &values[..20] }),
        (&LearnedVariance, 6, TargetTile::Values { rows: 3, values: &values }),
        (&Poisson::default(), 3, TargetTile::Values { rows: 3, values: &counts }),
        (&Poisson::full(), 1, TargetTile::Values { rows: 1, values: &counts[..20] }),
        (&NegativeBinomial::new(0.3), 3, TargetTile::Values { rows: 3, values: &counts }),
        (&NegativeBinomial::full(2.0), 1, TargetTile::Values { rows: 1, values: &counts[..20] }),
        (&Gamma, 3, TargetTile::Values { rows: 3, values: &positive }),
        (&weighted, 5, labelled),
        (&smoothed, 5, labelled),
        (&SoftmaxCrossEntropy.with_smoothing(0.5), 5, labelled),
        (&SquaredError, 1, TargetTile::Values { rows: 1, values: &values[..20] }),
        (&SquaredError, 3, TargetTile::Values { rows: 3, values: &values }),
        (&SoftmaxCrossEntropy, 2, TargetTile::Labels { classes: 2, labels: &labels }),
        (&SoftmaxCrossEntropy, 5, TargetTile::Labels { classes: 5, labels: &classes }),
        (&Logistic, 1, TargetTile::Labels { classes: 2, labels: &labels }),
        (&Logistic, 1, TargetTile::Values { rows: 1, values: &between[..20] }),
    ];
    for (loss, c, y) in cases {
        // Scores from tame to saturated.
        for size in [0.3, 1.0, 6.0] {
            let z: Vec<f64> = normals(20 * c, 17).iter().map(|z| size * z).collect();
            differences(loss, c, &z, y);
        }
    }
}

/// Gradient and products of 20 samples of c outputs.
fn differences(loss: &dyn Loss, c: usize, z: &[f64], y: TargetTile<'_>) {
    let context = format!("{} with {c} outputs", loss.name());
    let (_, gradient) = value_gradient(loss, z, y);
    let h = f64::EPSILON.cbrt();
    let moved = |index: usize, step: f64| {
        let mut z = z.to_vec();
        z[index] += step;
        z
    };
    let slope =
        |index| (loss.value(&moved(index, h), y) - loss.value(&moved(index, -h), y)) / (2.0 * h);
    let slopes: Vec<f64> = (0..z.len()).map(slope).collect();
    assert!(distance(&gradient, &slopes) <= 1e-6, "{context}: gradient");

    let mut scaled = vec![f64::NAN; z.len()];
    loss.gradient(0.125, z, y, &mut scaled);
    let expected: Vec<f64> = gradient.iter().map(|g| 0.125 * g).collect();
    assert!(distance(&scaled, &expected) <= FEW_ULP, "{context}: scale of the gradient");

    let direction = normals(z.len(), 41);
    let mut product = vec![f64::NAN; z.len()];
    loss.hessian_vector(1.0, z, y, &direction, &mut product);
    let along = |step: f64| {
        let z: Vec<f64> = z.iter().zip(&direction).map(|(z, v)| z + step * v).collect();
        value_gradient(loss, &z, y).1
    };
    let (above, below) = (along(h), along(-h));
    let slopes: Vec<f64> =
        above.iter().zip(&below).map(|(above, below)| (above - below) / (2.0 * h)).collect();
    assert!(distance(&product, &slopes) <= 1e-6, "{context}: product");
    loss.hessian_vector(0.125, z, y, &direction, &mut scaled);
    let expected: Vec<f64> = product.iter().map(|p| 0.125 * p).collect();
    assert!(distance(&scaled, &expected) <= FEW_ULP, "{context}: scale of the product");

    for sample in 0..z.len() / c {
        let range = sample * c..(sample + 1) * c;
        let own = sample_of(y, sample);
        let mut block = vec![f64::NAN; c * c];
        loss.hessian(&z[range.clone()], own, &mut block);
        let times = |row: usize| -> f64 {
            direction[range.clone()].iter().enumerate().map(|(k, v)| block[k * c + row] * v).sum()
        };
        let dense: Vec<f64> = (0..c).map(times).collect();
        // Cancellation in p ⊙ (v − ⟨p, v⟩) is relative to p·v, at most the largest entry of v.
        for (dense, product) in dense.iter().zip(&product[range.clone()]) {
            let size = block.iter().fold(1.0_f64, |size, h| size.max(h.abs()));
            assert!((dense - product).abs() <= 1e-14 * size, "{context}: block of sample {sample}");
        }
        for k in 0..c {
            for l in 0..c {
                let (above, below) = (block[k * c + l], block[l * c + k]);
                let asymmetry = (above - below).abs();
                assert!(asymmetry <= 1e-16 * above.abs().max(1.0), "{context}: symmetry");
                let identity = if k == l { 1.0 } else { 0.0 };
                let is_identity = loss.hessian_kind() == LossHessian::Identity;
                assert!(!is_identity || block[k * c + l] == identity, "{context}: identity");
            }
        }
    }
}

fn sample_of(y: TargetTile<'_>, sample: usize) -> TargetTile<'_> {
    match y {
        TargetTile::Values { rows, values } => {
            TargetTile::Values { rows, values: &values[sample * rows..(sample + 1) * rows] }
        }
        TargetTile::Labels { classes, labels } => {
            TargetTile::Labels { classes, labels: &labels[sample..=sample] }
        }
    }
}

#[test]
fn robust_losses_have_exact_derivatives_and_square_small_residuals() {
    let (z, targets) = (normals(40, 1), normals(40, 2));
    let y = TargetTile::Values { rows: 2, values: &targets };
    for rho in Rho::ALL {
        let loss = Robust::new(rho, 1.7).unwrap();
        differences(&loss, 2, &z, y);
        // Within rounding of the square where σ is far beyond the residuals.
        let wide = Robust::new(rho, 1e9).unwrap();
        let squares = SquaredError.value(&z, y);
        assert!((wide.value(&z, y) / squares - 1.0).abs() <= FEW_ULP, "{rho:?}");
    }
}

#[test]
fn the_gauss_newton_block_of_a_robust_loss_is_its_weight() {
    let (z, y) = ([0.2, 5.0], TargetTile::Values { rows: 2, values: &[0.0, 0.0] });
    for (rho, weight, expected) in [
        // s = 0.01 and 6.25 with σ = 2.
        (Rho::Huber, RhoWeight::Triggs, [1.0, 0.0]),
        (Rho::Huber, RhoWeight::Irls, [1.0, 0.4]),
        (Rho::Cauchy, RhoWeight::Triggs, [0.99 / 1.0201, 0.0]),
        (Rho::Cauchy, RhoWeight::Irls, [1.0 / 1.01, 1.0 / 7.25]),
        (Rho::Tukey, RhoWeight::Irls, [0.9801, 0.0]),
    ] {
        let loss = Robust::new(rho, 2.0).unwrap().with_weight(weight);
        let (mut block, mut product) = ([f64::NAN; 4], [f64::NAN; 2]);
        loss.gauss_newton(&z, y, &mut block);
        loss.gauss_newton_vector(3.0, &z, y, &[1.0, -1.0], &mut product);
        assert_eq!([block[1], block[2]], [0.0; 2], "{rho:?}");
        for k in 0..2 {
            assert!((block[3 * k] - expected[k]).abs() <= 1e-15, "{rho:?} {weight:?} {block:?}");
            let sign = if k == 0 { 3.0 } else { -3.0 };
            assert!((product[k] - sign * expected[k]).abs() <= 1e-14, "{rho:?} {product:?}");
        }
    }
    let mut bent = [f64::NAN; 4];
    Robust::new(Rho::Cauchy, 2.0).unwrap().hessian(&z, y, &mut bent);
    assert!((bent[3] + 5.25 / 7.25 / 7.25).abs() <= 1e-15, "the Hessian itself is negative there");
}

#[test]
fn a_robust_loss_refuses_a_scale_out_of_range() {
    for scale in [0.0, -2.5, f64::NAN, f64::INFINITY] {
        let error = Robust::new(Rho::Huber, scale).unwrap_err();
        assert!(matches!(error, LossError::Scale { loss: "huber", .. }));
        assert!(error.to_string().contains(&scale.to_string()), "{error}");
    }
}

fn numbers(values: &[f64]) -> TargetTile<'_> {
    TargetTile::Values { rows: 1, values }
}

/// ℓ and ∂ℓ/∂z at one z.
fn at(loss: &dyn Loss, z: f64, y: f64) -> (f64, f64) {
    let y = [y];
    let (value, slope) = value_gradient(loss, &[z], numbers(&y));
    (value, slope[0])
}

#[test]
fn regression_losses_at_known_points() {
    assert_eq!(at(&AbsoluteError, 1.5, 4.0), (2.5, -1.0));
    assert_eq!(at(&AbsoluteError, 4.0, 4.0), (0.0, 0.0));
    assert!(at_is_nan(&AbsoluteError) && at_is_nan(&LogCosh::default()) && at_is_nan(&Gamma));
    // Weights 2 and 0: the second output does not count.
    let y = TargetTile::Values { rows: 4, values: &[1.0, 1e300, 2.0, 0.0] };
    assert_eq!(value_gradient(&MaskedSquaredError, &[3.0, 7.0], y), (4.0, vec![4.0, 0.0]));
    // Huber: ½r² up to σ, σ|r| − ½σ² beyond.
    let huber = Robust::huber(2.0).unwrap();
    assert_eq!(at(&huber, 1.5, 0.0), (1.125, 1.5));
    assert_eq!(at(&huber, 5.0, 0.0), (8.0, 2.0));
    // ln cosh 1 = 0.433 780 830 483 027 2, tanh 1 = 0.761 594 155 955 764 9.
    let (value, slope) = at(&LogCosh::default(), 3.0, 2.0);
    assert_close(value, 0.433_780_830_483_027_2, "ln cosh 1");
    assert_close(slope, 0.761_594_155_955_764_9, "tanh 1");
    // ½u² − u⁴/12 + u⁶/45 near 0, |u| − ln 2 far out, both to the last digits.
    for u in [1e-9, 1e-4, 1e-3] {
        let (value, _) = at(&LogCosh::default(), u, 0.0);
        let series = 0.5 * u * u - u.powi(4) / 12.0 + u.powi(6) / 45.0;
        assert_close(value, series, "ln cosh near 0");
    }
    let (value, slope) = at(&LogCosh::new(2.0), -2000.0, 0.0);
    assert_close(value, 4.0 * (1000.0 - 2.0_f64.ln()), "ln cosh far out");
    assert_eq!(slope, -2.0);
    // τ = 0.9 and e = y − z: τ·e and (τ − 1)·e, and h·ln 2 more at 0.
    let quantile = Quantile::new(0.9, 1e-3);
    assert_close(at(&quantile, 0.0, 2.0).0, 1.8, "above");
    assert_close(at(&quantile, 2.0, 0.0).0, 0.2, "below");
    assert_close(at(&quantile, 1.0, 1.0).0, 1e-3 * 2.0_f64.ln(), "at 0");
    assert!((at(&quantile, 2.0, 0.0).1 - 0.1).abs() <= 1e-15);
}

fn at_is_nan(loss: &dyn Loss) -> bool {
    let (y, mut slope) = ([1.0], [0.0]);
    let value = loss.gradient(1.0, &[f64::NAN], numbers(&y), &mut slope);
    value.is_nan() && slope[0].is_nan() && loss.value(&[f64::NAN], numbers(&y)).is_nan()
}

#[test]
fn losses_of_counts_and_durations_at_known_points() {
    // μ = 2, y = 3: −ln P = 2 − 3·ln 2 + ln 6.
    let z = 2.0_f64.ln();
    let (value, slope) = at(&Poisson::full(), z, 3.0);
    assert_close(value, 2.0 - 3.0 * z + 6.0_f64.ln(), "−ln P of Poisson");
    assert!((slope + 1.0).abs() <= 1e-15);
    // α = ½, μ = 2, y = 3: P = Γ(5)/(Γ(2)·3!)·(½)²·(½)³ = 4/32.
    let (value, _) = at(&NegativeBinomial::full(0.5), z, 3.0);
    assert_close(value, 8.0_f64.ln(), "−ln P of the negative binomial");
    // α → 0 is Poisson.
    let (value, slope) = at(&NegativeBinomial::new(1e-7), z, 3.0);
    assert!((value - (2.0 - 3.0 * z)).abs() <= 1e-5 && (slope + 1.0).abs() <= 1e-5, "{value}");
    assert_close(at(&Gamma, z, 3.0).0, z + 1.5, "gamma");
    assert!((at(&Gamma, z, 3.0).1 + 0.5).abs() <= 1e-15);
    // Far from the data: infinite, never NaN.
    assert_eq!(at_unchecked(&Poisson::default(), 800.0, 1.0), f64::INFINITY);
    assert_eq!(at_unchecked(&Gamma, -800.0, 1.0), f64::INFINITY);
    assert!(at_unchecked(&NegativeBinomial::new(2.0), 1e300, 1.0).is_finite());
    // Mean and log variance.
    let y = [1.0];
    let (value, slopes) = value_gradient(&LearnedVariance, &[3.0, 4.0_f64.ln()], numbers(&y));
    assert_close(value, 0.5 * (4.0_f64.ln() + 1.0), "normal");
    assert!(distance(&slopes, &[0.5, 0.0]) <= 1e-15, "{slopes:?}");
    let (mut fisher, mut exact) = ([f64::NAN; 4], [f64::NAN; 4]);
    LearnedVariance.gauss_newton(&[3.0, 4.0_f64.ln()], numbers(&y), &mut fisher);
    LearnedVariance.hessian(&[3.0, 4.0_f64.ln()], numbers(&y), &mut exact);
    assert!(distance(&fisher, &[0.25, 0.0, 0.0, 0.5]) <= 1e-15, "{fisher:?}");
    assert!(distance(&exact, &[0.25, -0.5, -0.5, 0.5]) <= 1e-15, "{exact:?}");
}

fn at_unchecked(loss: &dyn Loss, z: f64, y: f64) -> f64 {
    loss.value(&[z], numbers(&[y]))
}

#[test]
fn hinges_at_known_points() {
    let (plain, squared) = (Hinge::plain(), Hinge::squared());
    for (z, label, expected, slope) in
        [(0.25, 1, 0.75, -1.0), (0.25, 0, 1.25, 1.0), (1.0, 1, 0.0, 0.0), (3.0, 1, 0.0, 0.0)]
    {
        let (value, gradient) = value_gradient(&plain, &[z], class(2, &label));
        assert_eq!((value, gradient[0]), (expected, slope));
        let (value, gradient) = value_gradient(&squared, &[z], class(2, &label));
        assert_eq!((value, gradient[0]), (expected * expected, 2.0 * expected * slope));
        let t = [if label == 1 { 1.0 } else { -1.0 }];
        assert_eq!(value_gradient(&squared, &[z], numbers(&t)), (value, gradient));
    }
    // Scores ½, 2 and −3, class 0: margins ½, −2 and 3 against the rest; the rival is class 1, 1.5 above.
    let z = [0.5, 2.0, -3.0];
    let rest = |loss: &Hinge| value_gradient(loss, &z, class(3, &0));
    assert_eq!(rest(&plain), (3.5, vec![-1.0, 1.0, 0.0]));
    assert_eq!(rest(&squared), (9.25, vec![-1.0, 6.0, 0.0]));
    assert_eq!(rest(&plain.crammer_singer()), (2.5, vec![-1.0, 1.0, 0.0]));
    assert_eq!(rest(&squared.crammer_singer()), (6.25, vec![-5.0, 5.0, 0.0]));
    let mut block = [f64::NAN; 9];
    squared.crammer_singer().hessian(&z, class(3, &0), &mut block);
    assert_eq!(block, [2.0, -2.0, 0.0, -2.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
    squared.hessian(&z, class(3, &0), &mut block);
    assert_eq!(block, [2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
    for loss in [plain, squared, plain.crammer_singer(), squared.crammer_singer()] {
        assert!(loss.value(&[0.1, f64::NAN, 0.2], class(3, &0)).is_nan(), "{loss:?}");
    }
    assert!(squared.is_smooth() && !plain.is_smooth() && !squared.crammer_singer().is_smooth());
}

#[test]
fn hinges_agree_with_differences_away_from_kinks() {
    let labels: Vec<u32> = (0..20).map(|index| index * 7 % 4).collect();
    let binary: Vec<u32> = labels.iter().map(|label| label % 2).collect();
    let signs: Vec<f64> = binary.iter().map(|label| 2.0 * f64::from(*label) - 1.0).collect();
    for loss in [Hinge::plain(), Hinge::squared()] {
        let z = normals(20, 17);
        differences(&loss, 1, &z, TargetTile::Labels { classes: 2, labels: &binary });
        differences(&loss, 1, &z, TargetTile::Values { rows: 1, values: &signs });
        for loss in [loss, loss.crammer_singer()] {
            let y = TargetTile::Labels { classes: 4, labels: &labels };
            differences(&loss, 4, &normals(80, 18), y);
        }
    }
}

#[test]
fn losses_refuse_what_they_cannot_judge_with_the_numbers() {
    let values = |rows: usize, values: &[f64]| Targets::Values { rows, values: values.to_vec() };
    let labels = |classes: usize| Targets::Labels { classes, labels: vec![0, 1, 1] };
    let cases: [(&dyn Loss, usize, Targets, &str); 20] = [
        (
            &MaskedSquaredError,
            1,
            values(2, &[1.0, 1.0, -2.0, -0.5]),
            "masked-squared: target -0.5 of sample 1 must be a weight",
        ),
        (
            &MaskedSquaredError,
            2,
            values(2, &[1.0, 1.0]),
            "masked-squared: the model has 2 output(s), the targets need 1",
        ),
        (
            &Poisson::default(),
            1,
            values(1, &[1.0, -0.5]),
            "poisson: target -0.5 of sample 1 must be 0 or more",
        ),
        (
            &Poisson::default(),
            2,
            values(2, &[1.0, 2.0, 0.0, -3.0]),
            "poisson: target -3 of sample 1 must be",
        ),
        (
            &NegativeBinomial::new(1.0),
            1,
            values(1, &[-1.0]),
            "negative-binomial: target -1 of sample 0",
        ),
        (&Gamma, 1, values(1, &[1.0, 0.0]), "gamma: target 0 of sample 1 must be positive"),
        (&Gamma, 2, values(1, &[1.0]), "gamma: the model has 2 output(s), the targets need 1"),
        (&Poisson::default(), 1, labels(2), "poisson: needs numbers, the data has class labels"),
        (
            &LogCosh::new(-1.0),
            1,
            values(1, &[1.0]),
            "log-cosh: scale = -1 must be positive and finite",
        ),
        (&Quantile::new(1.0, 0.1), 1, values(1, &[1.0]), "quantile: tau = 1 must be in (0, 1)"),
        (
            &Quantile::new(0.5, f64::NAN),
            1,
            values(1, &[1.0]),
            "quantile: width = NaN must be positive",
        ),
        (&NegativeBinomial::new(0.0), 1, values(1, &[1.0]), "negative-binomial: alpha = 0 must be"),
        (
            &LearnedVariance,
            3,
            values(2, &[1.0, 2.0]),
            "learned-variance: the model has 3 output(s), the targets need 4",
        ),
        (&LearnedVariance, 2, labels(2), "learned-variance: needs numbers"),
        (&Hinge::plain(), 1, values(1, &[1.0, 0.0]), "hinge: target 0 of sample 1 must be −1 or 1"),
        (
            &Hinge::squared(),
            2,
            labels(3),
            "squared-hinge: the model has 2 output(s), the targets need 3",
        ),
        (
            &SoftmaxCrossEntropy.with_smoothing(1.0),
            2,
            labels(2),
            "smoothed-softmax: smoothing = 1 must be in [0, 1)",
        ),
        (
            &SoftmaxCrossEntropy.with_class_weights([1.0]),
            2,
            labels(2),
            "smoothed-softmax: the model has 2 output(s), the targets need 1",
        ),
        (
            &SoftmaxCrossEntropy.with_class_weights([1.0, -2.0]),
            2,
            labels(2),
            "smoothed-softmax: class_weights = -2 must be",
        ),
        (
            &SoftmaxCrossEntropy.with_class_weights([0.0, 0.0]),
            2,
            labels(2),
            "smoothed-softmax: class_weights = 0 must be",
        ),
    ];
    for (loss, outputs, targets, text) in cases {
        let error = loss.check(outputs, &targets).unwrap_err().to_string();
        assert!(error.starts_with(text), "{error}");
    }
}

#[test]
fn without_smoothing_class_weights_are_weights_of_the_samples() {
    let (z, label) = ([1.0, 2.0, 3.0], 1);
    let loss = SoftmaxCrossEntropy.with_class_weights([5.0, 0.25, 3.0]);
    let (plain, slopes) = value_gradient(&SoftmaxCrossEntropy, &z, class(3, &label));
    let (value, weighted) = value_gradient(&loss, &z, class(3, &label));
    assert_close(value, 0.25 * plain, "value");
    let slopes: Vec<f64> = slopes.iter().map(|slope| 0.25 * slope).collect();
    assert!(distance(&weighted, &slopes) <= FEW_ULP);
}
