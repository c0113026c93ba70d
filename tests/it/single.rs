//! Inputs stored as `f32` give the bits of the same numbers widened before, whatever is done with them.

use secant::core::random::Random;
use secant::data::{Dataset, Targets};
use secant::optim::Accuracy;
use secant::{
    Activation, Adam, Every, Folds, Glm, Lbfgs, LevenbergMarquardt, Method, Minibatches, Network,
    Newton, Standardize,
};
use std::sync::Arc;

/// d × N numbers of several sizes, rounded to `f32`.
fn inputs(d: usize, samples: usize) -> Vec<f32> {
    let mut random = Random::new(1);
    let of = |j: usize, x: f64| [1.0, 30.0, 0.01][j % 3] * x + [0.0, 5.0, 1.0][j % 3];
    #[expect(clippy::cast_possible_truncation, reason = "rounded to f32")]
    (0..d * samples).map(|k| of(k % d, random.normal()) as f32).collect()
}

/// As they are, and widened.
fn both(d: usize, samples: usize, target: impl Fn(&[f32], f64) -> f64) -> [Dataset; 2] {
    let (x, mut random) = (inputs(d, samples), Random::new(2));
    let values: Vec<f64> = x.chunks_exact(d).map(|x| target(x, random.normal())).collect();
    let targets = Targets::Values { rows: 1, values };
    let wide = x.iter().map(|&x| x.into()).collect();
    [
        Dataset::from_shared_f32(d, Arc::new(x), targets.clone()).unwrap(),
        Dataset::new(d, wide, targets).unwrap(),
    ]
}

fn curved(x: &[f32], noise: f64) -> f64 {
    f64::from(x[0]).sin() + 0.1 * f64::from(x[1]) + 0.1 * noise
}

#[test]
fn fits_and_what_models_say() {
    let weights: Vec<f64> = (0..700).map(|i| f64::from(i % 3)).collect();
    let data = both(3, 700, curved);
    let methods: [fn() -> Method; 4] = [
        || Newton::default().into(),
        || LevenbergMarquardt::default().into(),
        || Lbfgs::default().into(),
        || Adam::default().into(),
    ];
    for net in [Network::linear(3, 1), Network::mlp([3, 4, 1], Activation::Tanh)] {
        for method in methods {
            for standardize in [Standardize::Inputs, Standardize::Nothing] {
                let [found, wanted] = data.each_ref().map(|data| {
                    let data = data.clone().with_weights(weights.clone()).unwrap();
                    let fit = secant::fit(&net, &data).method(method()).max_iterations(15);
                    let fit = fit.standardize(standardize).validation_fraction(0.2).run().unwrap();
                    let model = fit.model();
                    let outputs = model.predict_dataset(&data).unwrap();
                    let score = format!("{:?}", model.score(&data).unwrap());
                    (model.theta().to_vec(), fit.report().value, outputs, score)
                });
                assert_eq!(found, wanted);
            }
        }
    }
    // Minibatches, folds, errors, features by name.
    let net = Network::linear(3, 1);
    let [found, wanted] = data.each_ref().map(|data| {
        let fit = secant::fit(&net, data).method(Adam::default());
        let fit = fit.minibatches(Minibatches::of(32).with_epochs(3)).run().unwrap();
        fit.model().theta().to_vec()
    });
    assert_eq!(found, wanted);
    let [found, wanted] = data.each_ref().map(|data| {
        let folds = secant::fit(&net, data).cross_validate(&Folds::k(4)).unwrap();
        let fit = secant::fit(&net, data).run().unwrap();
        let table = format!("{:?}", fit.model().inference(data).unwrap().table());
        let names = ["x3", "x1", "x2"].map(String::from).to_vec();
        let turned = data.clone().with_feature_names(names).unwrap();
        (folds.predictions, table, fit.model().predict_dataset(&turned).unwrap())
    });
    assert_eq!(found, wanted);
    assert!(data[0].single_inputs().is_some());
}

#[test]
fn generalised_linear_models() {
    let count = |x: &[f32], noise: f64| (2.0 + f64::from(x[0]) + noise).abs().floor();
    let data = both(3, 900, count);
    let [found, wanted] = data.each_ref().map(|data| {
        let fit = Glm::poisson().fit(data).unwrap();
        let means = fit.predict_dataset(data).unwrap();
        assert_eq!(means, fit.predict(data.clone().inputs()).unwrap());
        let coefficients = fit.coefficients.iter().map(|one| (one.estimate, one.standard_error));
        (coefficients.collect::<Vec<_>>(), means)
    });
    assert_eq!(found, wanted);
}

/// Short tables and those that are read by blocks, by R and, where columns nearly depend on each other, by Q.
#[test]
fn linear_regressions() {
    for samples in [200, 30_011] {
        for accuracy in [Accuracy::Working, Accuracy::Certified] {
            for tilt in [1.0_f32, 1e-4] {
                let mut x = inputs(6, samples);
                x.chunks_exact_mut(6).for_each(|x| x[1] = 7.0 * x[0] + tilt * x[1]);
                let values = x.chunks_exact(6).map(|x| f64::from(x.iter().sum::<f32>()).sin());
                let targets = Targets::Values { rows: 1, values: values.collect() };
                let wide = x.iter().map(|&x| x.into()).collect();
                let all = [
                    Dataset::from_shared_f32(6, Arc::new(x), targets.clone()).unwrap(),
                    Dataset::new(6, wide, targets).unwrap(),
                ];
                let weights: Vec<f64> = (0..samples).map(|i| (i % 3) as f64).collect();
                let [found, wanted] = all.each_ref().map(|data| {
                    let plain = secant::linear_regression(data).accuracy(accuracy);
                    let weighted = plain.clone().weights(&weights).ridge(0.1);
                    [plain.solve().unwrap(), weighted.solve().unwrap()]
                });
                assert_eq!(found, wanted);
                assert!(all[0].single_inputs().is_some());
            }
        }
    }
}

/// A checkpoint of a fit on `f32` is one of the fit on the widened numbers.
#[test]
fn checkpoints_go_on_from_either() {
    let path = std::env::temp_dir().join(format!("secant-single-{}.fit", std::process::id()));
    let net = Network::mlp([3, 4, 1], Activation::Tanh);
    let [single, wide] = both(3, 300, curved);
    let fit = |data| secant::fit(&net, data).method(Lbfgs::default());
    fit(&single).max_iterations(5).checkpoint(&path, Every::Seconds(60.0)).run().unwrap();
    let resumed = fit(&wide).max_iterations(20).resume(&path).run().unwrap();
    let whole = fit(&wide).max_iterations(20).run().unwrap();
    assert_eq!(resumed.model().theta(), whole.model().theta());
    std::fs::remove_file(&path).unwrap();
}
