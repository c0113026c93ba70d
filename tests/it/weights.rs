//! Weights and offsets through the facade: a fit with whole-number weights is the fit of as many copies, by every kind of method.

use secant::core::random::Random;
use secant::{
    Activation, Dataset, Lbfgs, LevenbergMarquardt, Method, Network, Newton, Rho, Ridge,
    Standardize, VariableProjection,
};

/// y = 2x₁ − x₂ + ½ with noise and an outlier, with weights 0 … 3, and its copies.
fn twins() -> (Dataset, Dataset) {
    let mut random = Random::new(5);
    let x: Vec<f64> = (0..120).map(|_| random.normal()).collect();
    let mut y: Vec<f64> =
        x.chunks_exact(2).map(|x| 2.0 * x[0] - x[1] + 0.5 + 0.3 * random.normal()).collect();
    y[7] = 40.0;
    let data = Dataset::from_slices(2, &x, 1, &y).unwrap();
    let weights: Vec<f64> = (0..60).map(|i| f64::from(i * 5 % 4)).collect();
    let indices: Vec<usize> = (0..60).flat_map(|i| std::iter::repeat_n(i, i * 5 % 4)).collect();
    let copies = data.select(&indices).unwrap();
    (data.with_weights(weights).unwrap(), copies)
}

fn gap(a: &[f64], b: &[f64]) -> f64 {
    assert!(a.len() == b.len() && a.iter().chain(b).all(|x| x.is_finite()), "{a:?} {b:?}");
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn a_fit_with_weights_is_that_of_the_copies() {
    let (data, copies) = twins();
    let net = Network::linear(2, 1);
    let methods: [Method; 4] = [
        Method::auto(),
        Newton::default().into(),
        Lbfgs::default().into(),
        LevenbergMarquardt::default().into(),
    ];
    for method in methods {
        for standardize in
            [Standardize::Nothing, Standardize::Inputs, Standardize::InputsAndTargets]
        {
            let fit = |data| {
                let fit = secant::fit(&net, data).method(method.clone()).penalty(Ridge(0.01));
                fit.standardize(standardize).run().unwrap()
            };
            let (one, other) = (fit(&data), fit(&copies));
            let probe = [1.0, 2.0, -0.5, 0.25];
            let (a, b) = (one.model().predict(&probe), other.model().predict(&probe));
            let error = gap(&a.unwrap(), &b.unwrap());
            assert!(error < 1e-6, "{} {standardize:?}: {error:e}", method.name());
        }
    }
}

#[test]
fn a_robust_fit_estimates_its_scale_by_the_weights() {
    let (data, copies) = twins();
    let net = Network::linear(2, 1);
    let shift = |data: &Dataset| {
        // An offset of 3 moves the bias by −3 and nothing else.
        data.clone().with_offset(vec![3.0; data.samples()]).unwrap()
    };
    let fit = |data: &Dataset| {
        let fit = secant::fit(&net, data).robust(Rho::Tukey).run().unwrap();
        fit.model().predict(&[1.0, 2.0, 0.0, 0.0]).unwrap()
    };
    let (a, b, c) = (fit(&data), fit(&copies), fit(&shift(&data)));
    assert!(gap(&a, &b) < 1e-8, "{a:?} {b:?}");
    assert!(gap(&a, &[c[0] + 3.0, c[1] + 3.0]) < 1e-6, "{a:?} {c:?}");
    assert!((a[1] - 0.5).abs() < 0.2, "{a:?}");
}

#[test]
fn linear_regression_takes_the_weights_and_offsets_of_its_data() {
    let (data, copies) = twins();
    let (a, b) =
        (secant::linear_regression(&data).solve(), secant::linear_regression(&copies).solve());
    assert!(gap(&a.unwrap().coefficients, &b.unwrap().coefficients) < 1e-12);
    let shifted =
        copies.clone().with_offset(copies.inputs().chunks_exact(2).map(|x| x[0]).collect());
    let shifted = shifted.unwrap();
    let (a, b) =
        (secant::linear_regression(&shifted).solve(), secant::linear_regression(&copies).solve());
    let (a, b) = (a.unwrap().coefficients, b.unwrap().coefficients);
    assert!(gap(&a, &[b[0], b[1] - 1.0, b[2]]) < 1e-12, "{a:?} {b:?}");
    let two = copies.clone().with_offset(vec![0.0; 2 * copies.samples()]).unwrap();
    let error = secant::linear_regression(&two).solve().unwrap_err();
    assert!(error.to_string().contains("2 offsets per sample"), "{error}");
}

#[test]
fn variable_projection_takes_weights_and_offsets() {
    let x: Vec<f64> = (0..80).map(|i| -2.0 + f64::from(i) / 20.0).collect();
    let y: Vec<f64> = x.iter().map(|x| f64::sin(2.0 * x)).collect();
    let data = Dataset::from_slices(1, &x, 1, &y).unwrap();
    let weights: Vec<f64> = (0..80).map(|i| f64::from(1 + i % 3)).collect();
    let copies = |i: usize| (0..=i % 3).map(move |_| i);
    let indices: Vec<usize> = (0..80).flat_map(copies).collect();
    let offset = x.iter().map(|x| 0.5 * x).collect();
    let data = data.with_offset(offset).unwrap();
    let copies = data.select(&indices).unwrap();
    let data = data.with_weights(weights).unwrap();
    let net = Network::mlp([1, 4, 1], Activation::Tanh);
    let fit = |data| {
        let method = VariableProjection::default();
        secant::fit(&net, data).method(method).penalty(Ridge(1e-3)).max_iterations(5).run().unwrap()
    };
    let (a, b) = (fit(&data), fit(&copies));
    assert!(
        (a.report().value / b.report().value - 1.0).abs() < 1e-8,
        "{}{}",
        a.report(),
        b.report()
    );
}

#[test]
fn standardised_targets_need_an_output_each() {
    let (data, _) = twins();
    let net = Network::linear(2, 2);
    let fit = secant::fit(&net, &data).loss(secant::LearnedVariance);
    let error = fit.standardize(Standardize::InputsAndTargets).run().unwrap_err();
    assert!(error.to_string().contains("2 outputs for 1 targets"), "{error}");
    let data = data.with_offset(vec![1.0; 60]).unwrap();
    let net = Network::linear(2, 1);
    let fit = secant::fit(&net, &data).standardize(Standardize::InputsAndTargets);
    assert!(fit.run().unwrap_err().to_string().contains("offset"));
}
