//! The bootstrap.

use super::{Decay, close, fit, fixture, linear};
use rayon::ThreadPoolBuilder;
use secant_core::random::Random;
use secant_optim::inference::{Bootstrap, Inference, InferenceError, Resampling, Sandwich};
use secant_optim::{Bounds, LeastSquaresFn};

#[test]
fn errors_of_drawn_residuals_are_those_of_the_covariance() {
    let data: Decay = fixture("decay");
    let problem = data.problem();
    let theta = fit(&problem, &[2.0, 1.0, 0.0]);
    let expected = Inference::of(&problem, &theta).compute().unwrap();
    let found = Bootstrap::of(&problem, &theta).names(["a", "b", "c"]).seed(1).run(1500).unwrap();
    assert_eq!((found.failures, found.replicates.len()), (0, 4500));
    for j in 0..3 {
        // 1/√(2·1500) is 1.8 %, and the model bends.
        close(found.standard_error(j), expected.estimates[j].standard_error, 0.08);
        let ((low, high), (l, h)) = (found.interval(j), expected.interval_at(j, 0.95));
        close(high - low, h - l, 0.15);
        let basic = found.basic_interval(j);
        close(basic.0 + high, 2.0 * theta[j], 1e-14);
    }
}

#[test]
fn errors_of_drawn_cases_are_robust_ones() {
    // Errors that grow with x: the sandwich sees it, the covariance of equal errors does not.
    let mut random = Random::new(11);
    let design: Vec<Vec<f64>> = (0..60).map(|i| vec![1.0, f64::from(i) / 10.0]).collect();
    let y: Vec<f64> =
        design.iter().map(|x| 1.0 + x[1] + 0.1 * x[1].powi(3) * random.normal()).collect();
    let weights = vec![1.0; 60];
    let problem = linear(&design, &y, &weights);
    let theta = fit(&problem, &[0.0, 0.0]);
    let plain = Inference::of(&problem, &theta).compute().unwrap();
    let robust = Inference::of(&problem, &theta).robust(Sandwich::Hc3).compute().unwrap();
    let found =
        Bootstrap::of(&problem, &theta).resampling(Resampling::Cases(1)).seed(3).run(800).unwrap();
    let error = |found: &Inference| found.estimates[0].standard_error;
    let (plain, robust) = (error(&plain), error(&robust));
    assert!(plain > 1.2 * robust, "{plain}, {robust}");
    close(found.standard_error(0), robust, 0.12);
}

#[test]
fn bits_do_not_depend_on_threads_and_a_seed_names_them() {
    let data: Decay = fixture("decay");
    let problem = data.problem();
    let theta = fit(&problem, &[2.0, 1.0, 0.0]);
    let run = |threads: usize, seed: u64, resampling: Resampling| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let bootstrap = Bootstrap::of(&problem, &theta).seed(seed).resampling(resampling);
        pool.install(|| bootstrap.run(20)).unwrap()
    };
    for resampling in [Resampling::Residuals, Resampling::Cases(1), Resampling::Cases(5)] {
        assert_eq!(run(1, 4, resampling), run(3, 4, resampling));
        assert_ne!(run(1, 4, resampling).replicates, run(1, 5, resampling).replicates);
    }
}

#[test]
fn fits_that_fail_are_counted_and_left_out() {
    // Defined at its solution only.
    let problem = LeastSquaresFn::new(1, 4, |p, r| {
        (0..4).for_each(|i| r[i] = if p[0] == 1.0 { [0.3, -0.1, -0.4, 0.2][i] } else { f64::NAN });
    })
    .with_jacobian(|_, mut j| (0..4).for_each(|i| j[(i, 0)] = 1.0));
    // Draws that leave the minimum where it is succeed.
    let found = Bootstrap::of(&problem, &[1.0]).run(10).unwrap();
    assert!(found.failures >= 5 && found.failures + found.replicates.len() == 10, "{found:?}");
    assert!(found.replicates.iter().all(|x| *x == 1.0));
    assert!(found.to_string().contains(&format!("10 rounds, {} failed", found.failures)));
    let none = Bootstrap::of(&problem, &[1.0]).run(2).unwrap();
    assert_eq!((none.failures, none.replicates.len()), (2, 0));
    assert!(none.interval(0).0.is_nan() && none.standard_error(0).is_nan());
}

#[test]
fn estimates_stay_within_bounds_and_what_does_not_fit_is_refused() {
    let design: Vec<Vec<f64>> = (0..6).map(|_| vec![1.0]).collect();
    let (y, ones) = ([0.1, -0.2, 0.3, 0.0, 0.2, -0.1], [1.0; 6]);
    let problem = linear(&design, &y, &ones);
    let theta = [0.05];
    let of = || Bootstrap::of(&problem, &theta);
    let found = of().bounds(Bounds::nonnegative(1)).run(100).unwrap();
    assert!(found.replicates.iter().all(|x| *x >= 0.0) && found.replicates.contains(&0.0));
    let refused = |run: Result<Bootstrap, InferenceError>| run.unwrap_err().to_string();
    assert_eq!(refused(of().run(1)), "rounds of a bootstrap: 1, at least 2 are needed");
    let cases = refused(of().resampling(Resampling::Cases(4)).run(10));
    assert_eq!(cases, "residuals of a case: 4, the problem asks for 6");
    assert_eq!(refused(of().level(0.0).run(10)), "the level is 0, allowed is (0, 1)");
    assert_eq!(refused(of().names(["a", "b"]).run(10)), "names: 2, the problem asks for 1");
}

fn close_pair(found: (f64, f64), expected: &[f64]) {
    close(found.0, expected[0], 1e-10);
    close(found.1, expected[1], 1e-10);
}

/// On the resamples of SciPy (cases), and of NumPy (residuals): `benches/peers/bootstrap.py`.
#[test]
fn bca_intervals_are_those_of_scipy_on_the_same_resamples() {
    let text = include_str!("../../../../../tests/fixtures/bootstrap.json");
    let all: serde_json::Value = serde_json::from_str(text).unwrap();
    let level = all["level"].as_f64().unwrap();
    let list = |part: &str, name: &str| -> Vec<f64> {
        serde_json::from_value(all[part][name].clone()).unwrap()
    };
    let (x, y) = (list("cases", "x"), list("cases", "y"));
    let design: Vec<Vec<f64>> = x.iter().map(|x| vec![*x]).collect();
    let ones = vec![1.0; x.len()];
    let problem = linear(&design, &y, &ones);
    let theta = fit(&problem, &[0.0]);
    close(theta[0], all["cases"]["estimate"].as_f64().unwrap(), 1e-12);
    let ask = Bootstrap::of(&problem, &theta).resampling(Resampling::Cases(1)).level(level);
    let mut found = ask.accelerated(true).run(2).unwrap();
    close(found.accelerations[0], all["cases"]["acceleration"].as_f64().unwrap(), 1e-8);
    found.replicates = list("cases", "replicates");
    close_pair(found.bca_interval(0).unwrap(), &list("cases", "bca"));
    close_pair(found.interval(0), &list("cases", "percentile"));

    let (t, z) = (list("residuals", "t"), list("residuals", "z"));
    let design: Vec<Vec<f64>> = t.iter().map(|t| vec![1.0, *t]).collect();
    let ones = vec![1.0; t.len()];
    let problem = linear(&design, &z, &ones);
    let theta = fit(&problem, &[0.0, 0.0]);
    let mut found = Bootstrap::of(&problem, &theta).level(level).accelerated(true).run(2).unwrap();
    found.replicates = list("residuals", "replicates");
    for (j, acceleration) in list("residuals", "accelerations").iter().enumerate() {
        close(found.accelerations[j], *acceleration, 1e-9);
        let ends: Vec<f64> = serde_json::from_value(all["residuals"]["bca"][j].clone()).unwrap();
        close_pair(found.bca_interval(j).unwrap(), &ends);
    }
    let back: Bootstrap = serde_json::from_str(&serde_json::to_string(&found).unwrap()).unwrap();
    assert_eq!(back, found);
}

#[test]
fn a_bca_interval_that_is_none_is_not_given() {
    let design: Vec<Vec<f64>> = (0..6).map(|_| vec![1.0]).collect();
    let (y, ones) = ([0.1, -0.2, 0.3, 0.0, 0.2, -0.1], [1.0; 6]);
    let problem = linear(&design, &y, &ones);
    let theta = fit(&problem, &[0.0]);
    let of = || Bootstrap::of(&problem, &theta).resampling(Resampling::Cases(1));
    assert_eq!(of().run(50).unwrap().bca_interval(0), None);
    let mut found = of().accelerated(true).run(50).unwrap();
    assert!(found.bca_interval(0).is_some() && found.to_string().contains("BCa"), "{found}");
    // All on one side of the estimate.
    found.replicates.iter_mut().for_each(|x| *x = x.abs() + 1.0);
    assert_eq!(found.bca_interval(0), None);
    // At its bound it does not move.
    let bounds = Bounds::new(vec![1.0], vec![2.0]).unwrap();
    for resampling in [Resampling::Cases(1), Resampling::Residuals] {
        let held = Bootstrap::of(&problem, &[1.0]).resampling(resampling).bounds(bounds.clone());
        let held = held.accelerated(true).run(10).unwrap();
        assert!(held.accelerations[0].is_nan() && held.bca_interval(0).is_none(), "{held}");
    }
    // A jackknife that fails is said.
    let odd = LeastSquaresFn::new(1, 3, |p, r| {
        (0..3).for_each(|i| r[i] = if p[0] == 1.0 { [0.3, -0.1, -0.2][i] } else { f64::NAN });
    })
    .with_jacobian(|_, mut j| (0..3).for_each(|i| j[(i, 0)] = 1.0));
    let refused = Bootstrap::of(&odd, &[1.0]).resampling(Resampling::Cases(1)).accelerated(true);
    let error = refused.run(2).unwrap_err();
    assert_eq!(error, InferenceError::LeftOut { case: 0 });
}
