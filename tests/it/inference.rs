//! Certainty of fitted models, beside statsmodels (`tests/fixtures/inference.json`, made by `benches/peers/inference.py`).

use secant::inference::{Products, Status};
use secant::risk::Risk;
use secant::{Activation, Dataset, Model, Network, Ridge, SquaredError, Standardize};
use serde::Deserialize;

#[derive(Deserialize)]
struct Regression {
    design: Vec<Vec<f64>>,
    targets: Vec<f64>,
    weights: Vec<f64>,
    parameters: Vec<f64>,
    errors: Vec<f64>,
    r_squared: f64,
    aic: f64,
    deviation: f64,
    new: Vec<Vec<f64>>,
    mean: Vec<f64>,
    mean_se: Vec<f64>,
}

fn fixture(name: &str) -> (Regression, Dataset) {
    let text = include_str!("../fixtures/inference.json");
    let all: serde_json::Value = serde_json::from_str(text).unwrap();
    let found: Regression = serde_json::from_value(all[name].clone()).unwrap();
    let inputs: Vec<f64> = found.design.iter().flat_map(|row| row[1..].to_vec()).collect();
    let mut data = Dataset::from_slices(3, &inputs, 1, &found.targets).unwrap();
    if name == "wls" {
        data = data.with_weights(found.weights.clone()).unwrap();
    }
    (found, data)
}

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64) {
    let off = ((found - expected) / expected).abs();
    assert!(off <= tolerance, "{found:e}, is {expected:e}: {off:.1e}");
}

#[test]
fn a_linear_model_has_errors_and_bands_in_the_units_of_the_data_whatever_was_standardised() {
    for name in ["ols", "wls"] {
        let (expected, data) = fixture(name);
        for standardize in
            [Standardize::Nothing, Standardize::Inputs, Standardize::InputsAndTargets]
        {
            if name == "wls" && standardize == Standardize::Inputs {
                continue;
            }
            let net = Network::linear(3, 1);
            let fit = secant::fit(&net, &data).standardize(standardize).run().unwrap();
            let found = fit.model().inference(&data).unwrap();
            let table = found.table().unwrap();
            for (j, estimate) in table.estimates.iter().enumerate() {
                close(estimate.value, expected.parameters[j], 1e-8);
                close(estimate.standard_error, expected.errors[j], 1e-8);
            }
            assert_eq!(table.estimates[0].name, "(intercept)");
            close(table.measures.r_squared, expected.r_squared, 1e-10);
            close(table.measures.aic, expected.aic, 1e-10);
            close(table.residual_deviation, expected.deviation, 1e-10);
            let new: Vec<f64> = expected.new.iter().flat_map(|row| row[1..].to_vec()).collect();
            for (i, point) in found.band(&new).unwrap().iter().enumerate() {
                close(point.value, expected.mean[i], 1e-9);
                close(point.standard_error, expected.mean_se[i], 1e-8);
                let both = expected.mean_se[i].hypot(expected.deviation);
                close(point.observation_error, both, 1e-8);
            }
        }
    }
}

#[test]
fn bands_of_a_network_are_those_by_products() {
    let (_, data) = fixture("ols");
    let net = Network::mlp([3, 3, 1], Activation::Tanh);
    let fit = secant::fit(&net, &data).penalty(Ridge(1e-3)).seed(2).run().unwrap();
    let model = fit.model();
    let found = model.inference(&data).unwrap();
    let table = found.table().unwrap();
    assert_eq!(table.observations, 120);
    assert!(table.estimated > 3.0 && table.estimated < 16.0, "{}", table.estimated);
    assert_eq!(table.estimates[0].name, "dense1.weight[0, 0]");
    assert!(table.estimates.iter().all(|estimate| estimate.status == Status::Estimated));
    let band = found.band(&data.inputs()[..6]).unwrap();
    let scaled = model.input_scaling().unwrap().transform_inputs(&data).unwrap();
    let targets = model.target_scaling().unwrap();
    let scaled = targets.transform_targets(&scaled).unwrap();
    let risk = Risk::new(model.graph(), &scaled, SquaredError, Ridge(1e-3)).unwrap();
    let problem = risk.least_squares().unwrap();
    let products = Products::of(&problem, model.theta(), false).unwrap();
    // p is an estimate there.
    close(products.estimated, table.estimated, 0.3);
    let ratio = (products.degrees / table.degrees).sqrt();
    for (i, point) in band.iter().enumerate() {
        // ∂z/∂θ by central differences.
        let at = |theta: &[f64]| {
            secant::core::predict::outputs(model.graph(), theta, scaled.sample(i)).unwrap()[0]
        };
        let slope = |j: usize| {
            let (mut up, mut down) = (model.theta().to_vec(), model.theta().to_vec());
            up[j] += 1e-5;
            down[j] -= 1e-5;
            (at(&up) - at(&down)) / 2e-5
        };
        let gradient: Vec<f64> = (0..model.theta().len()).map(slope).collect();
        let error = products.error_along(&gradient).unwrap() * ratio * targets.deviations()[0];
        close(point.standard_error, error, 1e-6);
    }
}

#[test]
fn other_losses_and_penalties_are_refused_in_words() {
    let (_, data) = fixture("ols");
    let net = Network::linear(3, 1);
    let fit = secant::fit(&net, &data)
        .loss(secant::LogCosh { scale: 50.0 })
        .max_iterations(3)
        .run()
        .unwrap();
    let text = fit.model().inference(&data).unwrap_err().to_string();
    assert!(text.starts_with("inference needs squared error"), "{text}");
}

#[test]
fn a_model_in_its_file_gives_the_bands_of_its_data() {
    let root = env!("CARGO_MANIFEST_DIR");
    let data = Dataset::from_csv(format!("{root}/data/concrete.csv"), "target").unwrap();
    let targets = data.targets().values().unwrap();
    let twice: Vec<f64> = targets.iter().flat_map(|y| [*y, 300.0 - y * y]).collect();
    let two = Dataset::from_slices(8, data.inputs(), 2, &twice).unwrap();
    let (linear, net) = (Network::linear(8, 1), Network::mlp([8, 3, 1], Activation::Tanh));
    let both = Standardize::InputsAndTargets;
    let of_two = Network::linear(8, 2);
    let cases = [(&linear, &data, Standardize::Inputs), (&net, &data, both), (&of_two, &two, both)];
    for (network, data, standardize) in cases {
        let fit = secant::fit(network, data).standardize(standardize).penalty(Ridge(1e-3));
        let fit = fit.max_iterations(40).run().unwrap();
        assert!(!fit.model().has_errors() && fit.model().band(data.sample(0), 0.9).is_err());
        let kept = fit.model().clone().with_errors(data).unwrap();
        let bytes = kept.to_bytes().unwrap();
        let text = String::from_utf8_lossy(&bytes[..200]).into_owned();
        assert!(text.contains(r#"\"format\":4,"#), "{text}");
        let copy = Model::from_bytes(&bytes).unwrap();
        assert_eq!(copy.to_bytes().unwrap(), bytes);
        let inputs = &data.inputs()[..8 * 100];
        let whole = fit.model().inference(data).unwrap().with_level(0.9).unwrap();
        let (whole, found) = (whole.band(inputs).unwrap(), copy.band(inputs, 0.9).unwrap());
        assert_eq!(found.len(), 100 * network.graph().unwrap().outputs());
        for (whole, found) in whole.iter().zip(&found) {
            assert_eq!(whole.value, found.value);
            close(found.standard_error, whole.standard_error, 1e-9);
            close(found.prediction.0, whole.prediction.0, 1e-9);
            close(found.confidence.1, whole.confidence.1, 1e-9);
        }
        // What is cut or claimed otherwise is refused.
        let damaged = [&bytes[..bytes.len() - 8], &bytes[..bytes.len() / 2]];
        assert!(damaged.iter().all(|bytes| Model::from_bytes(bytes).is_err()));
    }
    // A large one keeps nothing, and its file is of the format of before.
    let net = Network::mlp([8, 30, 1], Activation::Tanh);
    let fit = secant::fit(&net, &data).max_iterations(2).run().unwrap();
    let model = fit.model().clone().with_errors(&data).unwrap();
    assert!(!model.has_errors());
    assert_eq!(model.to_bytes().unwrap(), fit.model().to_bytes().unwrap());
}

#[test]
fn a_fit_says_how_sure_it_is_from_its_own_data_and_refuses_others() {
    let (_, data) = fixture("ols");
    let linear = Network::linear(3, 1);
    let fit = secant::fit(&linear, &data).run().unwrap();
    let (found, wanted) = (fit.inference(&data).unwrap(), fit.model().inference(&data).unwrap());
    let (found, wanted) = (found.table().unwrap(), wanted.table().unwrap());
    assert_eq!(found.estimates, wanted.estimates);
    let network = Network::mlp([3, 2, 1], Activation::Tanh);
    let fit = secant::fit(&network, &data).penalty(Ridge(1e-3)).seed(2).run().unwrap();
    assert_eq!(fit.inference(&data).unwrap().table().unwrap().estimates.len(), 11);
    let part = data.select(&(0..50).collect::<Vec<_>>()).unwrap();
    let words = fit.inference(&part).unwrap_err().to_string();
    assert!(words.starts_with("the fit was to 120 samples, these data have 50: "), "{words}");
    let mut y = data.targets().values().unwrap().to_vec();
    y[7] += 0.5;
    let other = Dataset::from_slices(3, data.inputs(), 1, &y).unwrap();
    let words = fit.inference(&other).unwrap_err().to_string();
    assert!(words.starts_with("the fit ended at the value "), "{words}");
    // An exact fit, whose value is rounding.
    let y: Vec<f64> = data.inputs().chunks_exact(3).map(|x| 2.0 + x[0] - 3.0 * x[2]).collect();
    let exact = Dataset::from_slices(3, data.inputs(), 1, &y).unwrap();
    let fit = secant::fit(&linear, &exact).run().unwrap();
    assert!(fit.inference(&exact).is_ok(), "{:?}", fit.inference(&exact));
    // Other losses have no residuals.
    let absolute = secant::fit(&linear, &data).loss(secant::LogCosh::default()).run().unwrap();
    let words = absolute.inference(&data).unwrap_err().to_string();
    assert!(words.contains("squared error"), "{words}");
}
