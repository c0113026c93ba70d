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
