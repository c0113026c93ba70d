use super::*;
use crate::problem::InBox;
use faer::Mat;
use std::sync::atomic::{AtomicU32, Ordering};

/// f′(x), what came of it, and the evaluations.
fn slope(f: impl Fn(f64) -> f64 + Sync, x: f64, settings: Differences<'_>) -> (f64, Slope, u32) {
    let calls = AtomicU32::new(0);
    let counted = |theta: &[f64]| {
        calls.fetch_add(1, Ordering::Relaxed);
        f(theta[0])
    };
    let mut out = [f64::NAN];
    let at = f(x);
    let slopes = settings.gradient(&counted, &[x], at, &mut out);
    (out[0], slopes[0], calls.into_inner())
}

#[test]
fn a_well_scaled_function_takes_four_values_and_gives_ten_digits() {
    for x in [0.3_f64, 1.0, 2.0, -1.7, 5.0] {
        for (f, exact) in [
            ((|x: f64| x.exp()) as fn(f64) -> f64, x.exp()),
            (|x: f64| x.sin(), x.cos()),
            (|x: f64| x.powi(5) - 3.0 * x, 5.0 * x.powi(4) - 3.0),
            (|x: f64| 1.0 / (1.0 + x * x), -2.0 * x / (1.0 + x * x).powi(2)),
        ] {
            let (found, _, calls) = slope(f, x, Differences::default());
            assert!((found - exact).abs() < 1e-10 * exact.abs().max(1.0), "{x}: {found} {exact}");
            assert_eq!(calls, 4, "{x}");
        }
    }
}

#[test]
fn the_step_finds_the_scale_of_variation_whatever_the_size_of_theta() {
    // sin((x − c)/s) near c: 1e-14 … 1e14 in units of the parameter itself.
    for (at, scale) in
        [(1e9, 40.0), (1e9, 1e-2), (1e-12, 1.0), (1e-300, 1.0), (0.0, 1e-9), (0.0, 1e3), (3.0, 1e8)]
    {
        let f = |x: f64| ((x - at) / scale + 0.5).sin();
        let (found, came, calls) = slope(f, at, Differences::default());
        let exact = 0.5_f64.cos() / scale;
        assert!(
            (found / exact - 1.0).abs() < 1e-7,
            "{at:e}, {scale:e}: {found:e} {exact:e} {came:?}"
        );
        assert!(calls <= 28, "{at:e}, {scale:e}: {calls}");
    }
}

#[test]
fn noise_is_seen_and_stepped_over() {
    // Rounded to seven digits: the best that can be had of e^x is noise^⅘.
    let rough = |x: f64| (x.exp() * 1e7).round() / 1e7;
    let (found, _, _) = slope(rough, 1.0, Differences::default());
    assert!((found / 1.0_f64.exp() - 1.0).abs() < 1e-4, "{found}");
    // Cancelled noise: what was 1e6 is gone from f, its rounding is not.
    let cancelled = |x: f64| (1e6 + x * x) - 1e6;
    let (found, _, _) = slope(cancelled, 0.5, Differences::default());
    assert!((found - 1.0).abs() < 1e-7, "{found}");
}

#[test]
fn a_side_that_does_not_exist_is_not_asked_for_the_derivative() {
    // √x and x^1.5 from their edge on; 0 ≤ x ≤ 1 with NaN outside.
    let (found, came, _) = slope(|x| x.powf(1.5) + x, 0.0, Differences::default());
    assert!((found - 1.0).abs() < 0.05, "{found}");
    assert!(matches!(came, Slope::Found { side: Side::Ahead, .. }), "{came:?}");
    let inside = |x: f64| if (0.0..=1.0).contains(&x) { x.exp() } else { f64::NAN };
    for (x, side) in
        [(0.0, Side::Ahead), (1.0, Side::Behind), (0.5, Side::Both), (1e-9, Side::Ahead)]
    {
        let (found, came, _) = slope(inside, x, Differences::default());
        assert!((found - x.exp()).abs() < 1e-9, "{x}: {found}");
        let Slope::Found { side: taken, .. } = came else { panic!("{came:?}") };
        assert_eq!(taken, side, "{x}");
    }
}

#[test]
fn no_point_outside_the_box_is_evaluated() {
    for (lower, upper) in [(1.0, 1.5), (0.999, 1.0), (1.0 - 1e-12, 1.0 + 1e-9), (1.0, 1.0)] {
        let within = InBox { lower: &[lower], upper: &[upper] };
        let settings = Differences { within: Some(within), ..Differences::default() };
        let guarded = |x: f64| {
            assert!((lower..=upper).contains(&x), "{x} outside [{lower}, {upper}]");
            x.exp()
        };
        let (found, came, _) = slope(guarded, 1.0, settings);
        if lower == upper {
            assert_eq!((found, came), (0.0, Slope::Fixed));
        } else {
            assert!((found / 1.0_f64.exp() - 1.0).abs() < 1e-5, "[{lower}, {upper}]: {found}");
        }
    }
}

#[test]
fn what_cannot_be_had_is_said() {
    let (found, came, _) = slope(|_| 3.0, 1e-15, Differences::default());
    assert_eq!(found, 0.0);
    let words = in_words(&[Slope::Fixed, came]);
    assert_eq!(words, ["θ[1]: differences show no change between 9e-19 and 2e-1"]);
    let (found, came, calls) =
        slope(|x| if x == 2.0 { 1.0 } else { f64::INFINITY }, 2.0, Differences::default());
    assert!(found.is_nan() && matches!(came, Slope::NotFinite { .. }), "{came:?}");
    assert!(calls < 60, "{calls}");
    let (found, came, calls) = slope(|_| f64::NAN, 2.0, Differences::default());
    assert!(found.is_nan() && matches!(came, Slope::NotFinite { .. }) && calls == 0, "{came:?}");
    // A jump: the steps disagree, and the report says so.
    let (_, came, _) = slope(|x| if x >= 1.0 { x + 5.0 } else { x }, 1.0, Differences::default());
    assert!(in_words(&[came])[0].contains("disagree"), "{came:?}");
    let many = vec![Slope::NotFinite { from: 1e-9, to: 1e-3 }; 8];
    assert!(in_words(&many)[0].starts_with("θ[0], θ[1], θ[2], θ[3], θ[4] and 3 more: not finite"));
}

/// Second derivatives of e^x·sin y + xy² from values, at a point inside, at corners of a box and along directions that leave it.
#[test]
fn second_derivatives_come_from_values_on_every_side_of_a_box() {
    let f = |p: &[f64]| p[0].exp() * p[1].sin() + p[0] * p[1] * p[1];
    let (lower, upper) = ([0.5, 1.0], [1.0, 1.3]);
    let within = InBox { lower: &lower, upper: &upper };
    let guarded = |p: &[f64]| {
        assert!(within.contains(p), "{p:?}");
        f(p)
    };
    for theta in [[0.7, 1.1], [0.5, 1.0], [1.0, 1.0], [0.5, 1.3], [1.0, 1.3], [0.7, 1.0]] {
        let [x, y]: [f64; 2] = theta;
        let cross = x.exp() * y.cos() + 2.0 * y;
        let exact = [[x.exp() * y.sin(), cross], [cross, 2.0 * x - x.exp() * y.sin()]];
        let settings = Differences { within: Some(within), ..Differences::default() };
        let here = (&theta[..], f(&theta));
        let arms = settings.arms(&guarded, here.0, here.1);
        let mut hessian = faer::Mat::zeros(2, 2);
        settings.hessian(&guarded, here, &arms, hessian.as_mut());
        for i in 0..2 {
            for j in 0..2 {
                let error = (hessian[(i, j)] - exact[i][j]).abs();
                assert!(error < 1e-4, "{theta:?}, {i}, {j}: {error:e}");
            }
        }
        for v in [[1.0, 0.3], [1.0, -2.0], [-0.1, 1.0], [-1.0, -1.0], [0.0, 1.0]] {
            let mut product = [0.0; 2];
            settings.hessian_vector(&guarded, here, &arms, &v, &mut product);
            for i in 0..2 {
                let row = exact[i][0] * v[0] + exact[i][1] * v[1];
                assert!((product[i] - row).abs() < 1e-3, "{theta:?} {v:?}: {product:?} {row}");
            }
        }
    }
}

#[test]
fn products_by_differences_agree_with_the_matrix_in_and_out_of_a_box() {
    let f = |p: &[f64], out: &mut [f64]| {
        out[0] = p[0].exp() * p[1];
        out[1] = p[0] * p[1].sin();
        out[2] = p[0] + p[1] * p[1];
    };
    let theta = [1.0, 2.0];
    let mut at = [0.0; 3];
    f(&theta, &mut at);
    let (e, s, c) = (1.0_f64.exp(), 2.0_f64.sin(), 2.0_f64.cos());
    let exact = [[2.0 * e, e], [s, c], [1.0, 4.0]];
    let (lower, upper) = ([1.0, 0.0], [5.0, 2.0]);
    let corner = Some(InBox { lower: &lower, upper: &upper });
    for within in [None, corner] {
        let settings = Differences { within, ..Differences::default() };
        for v in [[1.0, -1.0], [1.0, 1.0], [-1.0, 0.5], [0.0, 0.0], [1e-8, 1e8]] {
            let mut out = [f64::NAN; 3];
            settings.product(&f, &theta, &at, &v, &mut out);
            for (out, row) in out.iter().zip(exact) {
                let wanted = row[0] * v[0] + row[1] * v[1];
                let size = v.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
                assert!((out - wanted).abs() <= 1e-8 * size, "{v:?}: {out} {wanted}");
            }
        }
    }
}

#[test]
fn other_threads_help_where_it_pays_and_change_no_bit() {
    use std::collections::HashSet;
    use std::sync::Mutex;
    use std::thread::{ThreadId, current, sleep};
    use std::time::Duration;

    const N: usize = 12;
    let seen: Mutex<HashSet<ThreadId>> = Mutex::default();
    let values = |theta: &[f64], out: &mut [f64]| {
        seen.lock().unwrap().insert(current().id());
        sleep(Duration::from_micros(50));
        for (i, out) in out.iter_mut().enumerate() {
            *out = theta.iter().enumerate().map(|(j, x)| ((i + j) as f64 + x).sin() * x).sum();
        }
    };
    let value = |theta: &[f64]| {
        let mut out = [0.0];
        values(theta, &mut out);
        out[0]
    };
    let theta: Vec<f64> = (0..N).map(|j| 0.3 + j as f64).collect();
    let derivatives = |on_one_thread: bool| {
        let settings = Differences { on_one_thread, ..Differences::default() };
        let (mut gradient, mut product) = (vec![0.0; N], vec![0.0; N]);
        let (mut jacobian, mut hessian) = (Mat::zeros(3, N), Mat::zeros(N, N));
        let (mut at, here) = ([0.0; 3], value(&theta));
        values(&theta, &mut at);
        let slopes = settings.gradient(&value, &theta, here, &mut gradient);
        let columns = settings.jacobian(&values, &theta, &at, jacobian.as_mut());
        let arms = settings.arms(&value, &theta, here);
        settings.hessian(&value, (&theta, here), &arms, hessian.as_mut());
        settings.hessian_vector(&value, (&theta, here), &arms, &theta, &mut product);
        (slopes, columns, gradient, product, jacobian, hessian)
    };
    let alone = derivatives(true);
    assert_eq!(std::mem::take(&mut *seen.lock().unwrap()).len(), 1);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    let together = pool.install(|| derivatives(false));
    assert!(seen.lock().unwrap().len() > 1);
    assert!(alone == together);
}
