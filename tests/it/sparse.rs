//! Fits on sparse inputs come to what fits on the dense table come to, from the data to the file of the model.

use secant::core::random::Random;
use secant::data::{LibsvmOptions, SparseInputs};
use secant::op::{Activation, Dense};
use secant::optim::Preconditioner;
use secant::{
    Adam, Auto, Curvature, Dataset, Folds, Glm, Logistic, Method, Minibatches, Model, Network,
    NewtonCg, Objective, Ridge, Risk, Solution, Standardize, Stopping, Targets,
};

/// The same data, dense and sparse: a tenth of the numbers is not 0.
fn both(d: usize, samples: usize, targets: impl Fn(&mut Random, f64) -> f64) -> [Dataset; 2] {
    let mut random = Random::new(7);
    let hidden: Vec<f64> = (0..d).map(|_| random.normal()).collect();
    let (mut rows, mut columns, mut values, mut y) = (vec![], vec![], vec![], vec![]);
    for sample in 0..samples {
        let mut score = 0.2;
        for (feature, hidden) in hidden.iter().enumerate() {
            if random.uniform() < 0.1 {
                let value = 1.0 + random.uniform();
                rows.push(sample);
                columns.push(feature);
                values.push(value);
                score += hidden * value;
            }
        }
        y.push(targets(&mut random, score));
    }
    let inputs = SparseInputs::from_triples(d, samples, &rows, &columns, &values).unwrap();
    let targets = Targets::Values { rows: 1, values: y };
    let dense = Dataset::new(d, inputs.to_dense().unwrap(), targets.clone()).unwrap();
    [dense, Dataset::from_sparse(inputs, targets).unwrap()]
}

fn measured(d: usize, samples: usize) -> [Dataset; 2] {
    both(d, samples, |random, score| score + 0.3 * random.normal())
}

fn classes(d: usize, samples: usize) -> [Dataset; 2] {
    let data =
        both(d, samples, |random, score| f64::from(u8::from(score + 2.0 * random.normal() > 0.0)));
    data.map(|data| {
        let labels = data.targets().values().unwrap().iter().map(|y| u32::from(*y > 0.5)).collect();
        data.with_targets(Targets::Labels { classes: 2, labels }).unwrap()
    })
}

fn assert_near(found: &[f64], wanted: &[f64], tolerance: f64) {
    assert_eq!(found.len(), wanted.len());
    for (found, wanted) in found.iter().zip(wanted) {
        assert!((found - wanted).abs() <= tolerance * (1.0 + wanted.abs()), "{found} {wanted}");
    }
}

#[test]
fn a_fit_its_score_and_its_file() {
    for standardize in [Standardize::Auto, Standardize::ScaleInputs, Standardize::Nothing] {
        let [dense, sparse] = classes(12, 400);
        let net = Network::linear(12, 1);
        let fit = |data: &Dataset| {
            let fit = secant::fit(&net, data).penalty(Ridge(1e-3)).standardize(standardize);
            fit.run().unwrap().into_model()
        };
        let (one, two) = (fit(&dense), fit(&sparse));
        assert_near(two.theta(), one.theta(), 1e-9);
        let (wanted, found) =
            (one.predict(dense.inputs()).unwrap(), two.predict_dataset(&sparse).unwrap());
        assert_near(&found, &wanted, 1e-8);
        let scores = (one.score(&dense).unwrap(), two.score(&sparse).unwrap());
        assert!((scores.0.loss - scores.1.loss).abs() < 1e-12);
        assert_eq!(scores.0.accuracy, scores.1.accuracy);
        let loaded = Model::from_bytes(&two.to_bytes().unwrap()).unwrap();
        assert_eq!(loaded.predict_dataset(&sparse).unwrap(), found);
        assert_near(&loaded.predict(dense.inputs()).unwrap(), &found, 1e-12);
    }
}

#[test]
fn features_are_found_by_name_in_sparse_data_too() {
    let [_, sparse] = measured(6, 80);
    let net = Network::linear(6, 1);
    let model = secant::fit(&net, &sparse).run().unwrap().into_model();
    let order = [3, 0, 5, 1, 4, 2];
    let inputs = sparse.sparse().unwrap().select_features(&order).unwrap();
    let names = order.iter().map(|j| sparse.feature_names()[*j].clone()).collect();
    let other = Dataset::from_sparse(inputs, sparse.targets().clone()).unwrap();
    let other = other.with_feature_names(names).unwrap();
    assert_eq!(model.predict_dataset(&other).unwrap(), model.predict_dataset(&sparse).unwrap());
    let fewer = sparse.sparse().unwrap().select_features(&[0, 1]).unwrap();
    let fewer = Dataset::from_sparse(fewer, sparse.targets().clone()).unwrap();
    let error = model.predict_dataset(&fewer).unwrap_err().to_string();
    assert!(error.contains("4 of 6 features missing"), "{error}");
}

#[test]
fn a_network_with_samples_held_out_folds_and_minibatches() {
    let [dense, sparse] = measured(10, 300);
    let net = Network::mlp([10, 4, 1], Activation::Tanh);
    let run = |data: &Dataset| {
        secant::fit(&net, data).validation_fraction(0.25).max_iterations(15).run().unwrap()
    };
    let (one, two) = (run(&dense), run(&sparse));
    let validated = |fit: &secant::Fitted| fit.report().validation.as_ref().unwrap().loss;
    assert!((validated(&one) - validated(&two)).abs() <= 1e-6 * validated(&one));
    let linear = Network::linear(10, 1);
    let folds = |data: &Dataset| {
        let fit = secant::fit(&linear, data).penalty(Ridge(1e-3));
        fit.cross_validate(&Folds::k(5)).unwrap().to_string()
    };
    assert_eq!(folds(&dense), folds(&sparse));
    let adam = |data: &Dataset| {
        let minibatches = Minibatches::of(32).with_epochs(3).with_seed(1);
        let fit = secant::fit(&net, data).method(Adam::default()).minibatches(minibatches);
        fit.run().unwrap().into_model()
    };
    assert_near(adam(&sparse).theta(), adam(&dense).theta(), 1e-9);
}

#[test]
fn generalised_linear_models() {
    let counts = both(8, 500, |random, score| {
        let mean = (0.3 * score).exp();
        (0..12).map(|_| f64::from(u8::from(random.uniform() < mean / 12.0))).sum()
    });
    let [dense, sparse] = counts.map(|data| {
        let weights = (0..500).map(|i| f64::from(1 + i % 3)).collect();
        data.with_weights(weights).unwrap()
    });
    for glm in [Glm::poisson(), Glm::negative_binomial_estimated(), Glm::poisson().intercept(false)]
    {
        let (one, two) = (glm.fit(&dense).unwrap(), glm.fit(&sparse).unwrap());
        assert_eq!(one.coefficients.len(), two.coefficients.len());
        for (one, two) in one.coefficients.iter().zip(&two.coefficients) {
            assert_near(
                &[two.estimate, two.standard_error],
                &[one.estimate, one.standard_error],
                1e-8,
            );
        }
        assert_near(&[two.deviance, two.null_deviance], &[one.deviance, one.null_deviance], 1e-10);
        let means = two.predict_dataset(&sparse).unwrap();
        assert_near(&means, &one.predict(dense.inputs()).unwrap(), 1e-8);
    }
    let [dense, sparse] = classes(6, 300);
    let (one, two) = (Glm::softmax().fit(&dense).unwrap(), Glm::softmax().fit(&sparse).unwrap());
    let probabilities = two.predict_dataset(&sparse).unwrap();
    assert_near(&probabilities, &one.predict(dense.inputs()).unwrap(), 1e-8);
    // A column that is another one twice is found and named.
    let [_, sparse] = measured(5, 100);
    let inputs = sparse.sparse().unwrap();
    let (mut rows, mut columns, mut values) = (vec![], vec![], vec![]);
    for sample in 0..100 {
        let (indices, row) = inputs.row(sample);
        for (index, value) in indices.iter().zip(row).filter(|(index, _)| **index != 4) {
            rows.push(sample);
            columns.push(*index as usize);
            values.push(*value);
            if *index == 1 {
                rows.push(sample);
                columns.push(4);
                values.push(2.0 * value);
            }
        }
    }
    let inputs = SparseInputs::from_triples(5, 100, &rows, &columns, &values).unwrap();
    let data = Dataset::from_sparse(inputs, sparse.targets().clone()).unwrap();
    let notes = Glm::gaussian().fit(&data).unwrap().notes.join("\n");
    assert!(notes.contains("x5 = 2·x2"), "{notes}");
}

#[test]
fn what_needs_dense_inputs_says_so() {
    let [_, sparse] = measured(6, 50);
    let net = Network::sequential(6).node(Dense::new(1).without_bias()).build();
    let error = secant::fit(&net, &sparse).run().unwrap_err().to_string();
    assert!(error.contains("has no bias, which sparse inputs that are centred need"), "{error}");
    let fit = secant::fit(&net, &sparse).standardize(Standardize::ScaleInputs).run().unwrap();
    assert!(fit.report().reason.is_success());
    let net = Network::sequential(6).node(Activation::Tanh).dense(1).build();
    let error = secant::fit(&net, &sparse).run().unwrap_err().to_string();
    assert!(error.contains("needs dense inputs, the data are sparse"), "{error}");
    // A table of 8 GiB is never made.
    let inputs = SparseInputs::new(1 << 20, vec![0; 1025], vec![], vec![]).unwrap();
    let targets = Targets::Values { rows: 1, values: vec![1.0; 1024] };
    let huge = Dataset::from_sparse(inputs, targets).unwrap();
    let error = secant::linear_regression(&huge).solve().unwrap_err().to_string();
    assert!(error.contains("this needs dense inputs"), "{error}");
    let error = secant::curve("a*x1 + b").unwrap().fit(&huge).unwrap_err().to_string();
    assert!(error.contains("this needs dense inputs"), "{error}");
}

#[test]
fn the_file_of_the_heart_data_by_both_ways() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/heart_scale.libsvm");
    let dense = Dataset::from_libsvm(path, &LibsvmOptions::default()).unwrap();
    let options = LibsvmOptions { sparse: true, ..LibsvmOptions::default() };
    let sparse = Dataset::from_libsvm(path, &options).unwrap();
    let net = Network::linear(13, 1);
    let fit = |data: &Dataset| secant::fit(&net, data).penalty(Ridge(1e-2)).run().unwrap();
    let (one, two) = (fit(&dense), fit(&sparse));
    assert!((one.report().value - two.report().value).abs() < 1e-14);
    assert_near(two.model().theta(), one.model().theta(), 1e-9);
}

/// Logistic regression of 20 entries a sample, of features of which the first are in most samples and the last in few: the more so, the more
/// `draws` there are for each.
fn unevenly_filled(d: usize, samples: usize, draws: usize) -> Dataset {
    let entries = 20;
    let mut random = Random::new(5);
    let (mut rows, mut columns, mut values, mut labels) = (vec![], vec![], vec![], vec![]);
    for sample in 0..samples {
        let mut score = 0.3 * random.normal();
        let mut row: Vec<usize> = Vec::new();
        while row.len() < entries {
            let column = (0..draws).map(|_| random.below(d)).min().unwrap();
            if row.contains(&column) {
                continue;
            }
            row.push(column);
            let value = random.normal();
            score += value * f64::sin(column as f64);
            rows.push(sample);
            columns.push(column);
            values.push(value);
        }
        labels.push(u32::from(score > 0.0));
    }
    let inputs = SparseInputs::from_triples(d, samples, &rows, &columns, &values).unwrap();
    Dataset::from_sparse(inputs, Targets::Labels { classes: 2, labels }).unwrap()
}

fn to_many_digits(risk: &Risk<'_>, method: impl Into<Method>) -> Solution {
    let stopping = Stopping { gradient_tolerance: 1e-9, ..Stopping::default() };
    method.into().with_stopping(stopping).minimize(risk, &vec![0.0; risk.dim()]).unwrap()
}

fn products(of: &Solution) -> u64 {
    of.report.evaluations.hessian_vector
}

/// The diagonal of the Hessian tells the features apart.
#[test]
fn products_are_preconditioned_where_columns_are_filled_unevenly() {
    let (samples, d) = (3_000, 800);
    let data = unevenly_filled(d, samples, 10);
    let net = Network::linear(d, 1);
    let risk = Risk::new(net.graph().unwrap(), &data, Logistic, Ridge(1.0 / 3_000.0)).unwrap();
    assert!(risk.structure().uneven_diagonal);
    let plain = to_many_digits(&risk, NewtonCg::default());
    // A mebibyte holds no matrix: `Auto` takes products, with the diagonal.
    let found = to_many_digits(&risk, Auto::default().with_memory_limit(1 << 20));
    assert_eq!(found.report.solver, "Auto: Newton–CG", "{}", found.report);
    assert_near(&found.theta, &plain.theta, 1e-6);
    assert!(2 * products(&found) < products(&plain), "{} {}", found.report, plain.report);
}

/// With fewer samples than features the Hessian is λI but for a few directions, which plain products find sooner.
#[test]
fn products_are_not_preconditioned_with_fewer_samples_than_features() {
    let (samples, d) = (400, 800);
    let data = unevenly_filled(d, samples, 2);
    let net = Network::linear(d, 1);
    let risk = Risk::new(net.graph().unwrap(), &data, Logistic, Ridge(1e-5)).unwrap();
    assert!(!risk.structure().uneven_diagonal);
    let plain = to_many_digits(&risk, NewtonCg::default());
    let scaled =
        to_many_digits(&risk, NewtonCg::default().with_preconditioner(Preconditioner::Jacobi));
    assert_near(&scaled.theta, &plain.theta, 1e-6);
    assert!(5 * products(&plain) < 4 * products(&scaled), "{} {}", plain.report, scaled.report);
}
