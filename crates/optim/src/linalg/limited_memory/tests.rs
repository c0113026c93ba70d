//! The pairs against the two-loop recursion.

use super::*;

fn wave(n: usize, frequency: f64) -> Vec<f64> {
    (0..n).map(|i| (frequency * (i as f64 + 0.5)).sin()).collect()
}

/// The two-loop recursion.  N&W algorithm 7.4.
fn two_loop(pairs: &[(Vec<f64>, Vec<f64>)], g: &[f64]) -> Vec<f64> {
    let mut q = g.to_vec();
    let mut alphas = Vec::new();
    for (s, y) in pairs.iter().rev() {
        let alpha = vector::dot(s, &q) / vector::dot(s, y);
        vector::axpy(-alpha, y, &mut q);
        alphas.push(alpha);
    }
    let (s, y) = pairs.last().unwrap();
    vector::scale(vector::dot(s, y) / vector::dot(y, y), &mut q);
    for ((s, y), alpha) in pairs.iter().zip(alphas.iter().rev()) {
        let beta = vector::dot(y, &q) / vector::dot(s, y);
        vector::axpy(alpha - beta, s, &mut q);
    }
    vector::scale(-1.0, &mut q);
    q
}

fn keep_curved(pair: Pair) -> Verdict {
    if pair.sy > 1e-3 * pair.s_norm * pair.y_norm { Verdict::Take } else { Verdict::Skip }
}

/// A walk with gradients of Σ (1 + (k mod 7))·xₖ² / 2, and every fifth step with the sign of y turned, to be skipped.
#[test]
fn compact_form_is_the_two_loop_recursion() {
    for n in [1, 2, 9, 1024, BLOCK, 2 * BLOCK + 500, PARALLEL + 500] {
        for capacity in [1, 2, 5] {
            walk(n, capacity);
        }
    }
}

fn walk(n: usize, capacity: usize) {
    let mut memory = LimitedMemory::new(capacity, n);
    let mut kept = Vec::new();
    let (mut theta, mut gradient) = (wave(n, 0.7), wave(n, 1.1));
    let mut out = vec![0.0; n];
    for step in 0..12 {
        let s = wave(n, 0.31 + f64::from(step));
        let sign = if step % 5 == 3 { -1.0 } else { 1.0 };
        let y: Vec<f64> =
            s.iter().enumerate().map(|(k, s)| sign * (1 + k % 7) as f64 * s).collect();
        let (theta_before, gradient_before) = (theta.clone(), gradient.clone());
        vector::axpy(1.0, &s, &mut theta);
        vector::axpy(1.0, &y, &mut gradient);
        let ends = Ends {
            theta: &theta,
            gradient: &gradient,
            theta_before: &theta_before,
            gradient_before: &gradient_before,
        };
        let verdict = memory.push(ends, keep_curved);
        assert_eq!(verdict == Verdict::Take, sign > 0.0, "n {n} step {step}");
        if sign > 0.0 {
            kept.push((s, y));
        }
        // A pair that is looked at takes the room of the oldest.
        let held = if sign > 0.0 { capacity } else { capacity - 1 };
        let from = kept.len() - held.min(kept.len());
        assert_eq!(memory.len(), kept.len() - from);
        kept.drain(..from);
        if memory.is_empty() {
            continue;
        }
        let mut trial = vec![0.0; n];
        let mut laid = vec![0.0; n];
        let (slope, sizes) = memory.newton_trial(&gradient, &theta, &mut laid, &mut trial);
        assert_eq!(memory.newton_step(&gradient, &mut out), slope);
        let dot = vector::dot(&gradient, &out);
        assert!((slope - dot).abs() <= 1e-12 * vector::norm(&gradient) * vector::norm(&out));
        assert!(trial.iter().zip(theta.iter().zip(&out)).all(|(t, (x, p))| *t == x + p));
        assert!(laid.iter().zip(trial.iter().zip(&theta)).all(|(s, (t, x))| *s == t - x));
        assert_eq!(sizes.step_norm, vector::norm_inf(&laid));
        assert_eq!(sizes.theta_norm, vector::norm_inf(&trial));
        let squares = vector::dot(&laid, &laid);
        assert!((sizes.step_squares - squares).abs() <= 1e-13 * squares);
        let wanted = two_loop(&kept, &gradient);
        let (_, gap) = vector::distance(&out, &wanted);
        assert!(gap <= 1e-11 * vector::norm(&wanted), "n {n} m {capacity} step {step}: {gap:e}");
    }
}

/// A pair recorded in the buffers of the step is the pair pushed, whether its step was laid out before or not.
#[test]
fn recorded_pairs_are_the_pushed_ones() {
    for n in [3, 1030, PARALLEL + 500] {
        let (mut pushed, mut recorded) = (LimitedMemory::new(3, n), LimitedMemory::new(3, n));
        let gradient_at = |theta: &[f64]| -> Vec<f64> {
            theta.iter().enumerate().map(|(k, x)| (1 + k % 5) as f64 * x + x.powi(3)).collect()
        };
        let mut theta = wave(n, 0.7);
        let mut gradient = gradient_at(&theta);
        let (mut step, mut trial, mut sizes) = (vec![0.0; n], wave(n, 0.8), None);
        for iteration in 0..7 {
            let next = gradient_at(&trial);
            let ends = Ends {
                theta: &trial,
                gradient: &next,
                theta_before: &theta,
                gradient_before: &gradient,
            };
            assert_eq!(pushed.push(ends, |_| Verdict::Take), Verdict::Take);
            let mut buffer = gradient.clone();
            let known = recorded.record(Taken {
                theta: &trial,
                gradient: &next,
                theta_before: &theta,
                step: &mut step,
                gradient_before: &mut buffer,
                sizes,
            });
            let expected = Sizes::of(&trial, &theta, &next);
            assert_eq!(known.step_norm, expected.step_norm);
            assert_eq!(known.theta_norm, expected.theta_norm);
            assert_eq!(known.gradient_norm, expected.gradient_norm);
            let verdict = recorded.settle(&next, &known, |pair| {
                let s_norm = expected.step_squares.sqrt();
                assert!((pair.s_norm - s_norm).abs() <= 1e-14 * s_norm);
                Verdict::Take
            });
            assert_eq!(verdict, Verdict::Take);
            assert_eq!((step.len(), buffer.len()), (n, n));
            (theta, gradient) = (trial.clone(), next);
            let mut wanted = vec![0.0; n];
            let slope = pushed.newton_step(&gradient, &mut wanted);
            let (found, laid) = recorded.newton_trial(&gradient, &theta, &mut step, &mut trial);
            assert_eq!(found, slope, "n {n} iteration {iteration}");
            sizes = Some(laid);
            // Every third step is cut short.
            if iteration % 3 == 1 {
                sizes = None;
                vector::step(&theta, 0.5, &step, &mut trial);
            }
        }
    }
}

#[test]
fn bits_do_not_depend_on_the_threads() {
    let n = PARALLEL + 77;
    let run = || {
        let mut memory = LimitedMemory::new(3, n);
        let (mut out, mut seen) = (wave(n, 1.9), Vec::new());
        for step in 0..5 {
            let (before, theta) = (wave(n, 0.2 * f64::from(step)), wave(n, 0.3 + f64::from(step)));
            let gradient: Vec<f64> = theta.iter().map(|x| 3.0 * x).collect();
            let mut gradient_before: Vec<f64> = before.iter().map(|x| 3.0 * x).collect();
            let sizes = memory.record(Taken {
                theta: &theta,
                gradient: &gradient,
                theta_before: &before,
                step: &mut vec![0.0; n],
                gradient_before: &mut gradient_before,
                sizes: None,
            });
            let verdict = memory.settle(&gradient, &sizes, |_| Verdict::Take);
            assert_eq!(verdict, Verdict::Take);
            let slope = memory.newton_step(&gradient, &mut out);
            seen.extend([slope, sizes.step_squares, sizes.gradient_squares]);
        }
        out.extend(seen);
        out
    };
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let one = pool(1).install(run);
    assert!(vector::all_finite(&one) && vector::norm(&one) > 0.0);
    for threads in [2, 3] {
        assert_eq!(pool(threads).install(run), one, "{threads} threads");
    }
}

#[test]
fn a_mixed_pair_is_the_pair_of_the_mixed_gradient() {
    let n = 1300;
    let (before, theta) = (wave(n, 0.7), wave(n, 0.9));
    let (gradient_before, gradient) = (wave(n, 1.1), wave(n, 1.3));
    let ends = Ends {
        theta: &theta,
        gradient: &gradient,
        theta_before: &before,
        gradient_before: &gradient_before,
    };
    let mut s = vec![0.0; n];
    vector::subtract(&theta, &before, &mut s);
    // y ← y/2 + a·∇f with a such that sᵀy is large.
    let a = 10.0 / vector::dot(&s, &gradient_before);
    let mut memory = LimitedMemory::new(3, n);
    let verdict = memory.push(ends, |_| Verdict::Mix { weight: 0.5, gradient: a });
    assert_eq!(verdict, Verdict::Mix { weight: 0.5, gradient: a });
    let mut y = vec![0.0; n];
    vector::subtract(&gradient, &gradient_before, &mut y);
    vector::scale(0.5, &mut y);
    vector::axpy(a, &gradient_before, &mut y);
    let mut out = vec![0.0; n];
    memory.newton_step(&gradient, &mut out);
    let wanted = two_loop(&[(s, y)], &gradient);
    let (_, gap) = vector::distance(&out, &wanted);
    assert!(gap <= 1e-12 * vector::norm(&wanted), "{gap:e}");
}

#[test]
fn applied_to_any_vector_it_is_the_two_loop_recursion() {
    for n in [1, 5, 1030] {
        let mut memory = LimitedMemory::new(4, n);
        let g = wave(n, 2.3);
        let mut out = vec![0.0; n];
        memory.apply(&g, &mut out);
        assert_eq!(out, g, "I before the first pair");
        let mut kept = Vec::new();
        for step in 0..7 {
            let s = wave(n, 0.4 + f64::from(step));
            let sign = if step == 2 { -1.0 } else { 1.0 };
            let y: Vec<f64> =
                s.iter().enumerate().map(|(k, s)| sign * (1 + k % 5) as f64 * s).collect();
            assert_eq!(memory.push_pair(&s, &y), sign > 0.0);
            if sign > 0.0 {
                kept.push((s, y));
            }
            memory.apply(&g, &mut out);
            let mut wanted = two_loop(&kept[kept.len() - memory.len()..], &g);
            vector::scale(-1.0, &mut wanted);
            let (_, gap) = vector::distance(&out, &wanted);
            assert!(gap <= 1e-11 * vector::norm(&wanted), "n {n} step {step}: {gap:e}");
        }
    }
}
