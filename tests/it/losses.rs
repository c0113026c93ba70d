//! Losses beside JAX, squared-hinge machines beside LIBLINEAR, and which methods take a loss with kinks. The fixtures are made by
//! `benches/peers/losses.py` and `benches/peers/svm.py`.

use secant::core::rho::Rho;
use secant::data::{LibsvmOptions, TargetTile};
use secant::loss::{
    AbsoluteError, Gamma, Hinge, LearnedVariance, LogCosh, Logistic, Loss, NegativeBinomial,
    Poisson, Quantile, Robust, SoftmaxCrossEntropy, SquaredError,
};
use secant::penalty::RidgeAll;
use secant::{
    AdaGrad, Bfgs, Dataset, Lbfgs, Method, Minibatches, Network, Newton, NewtonCg, Objective,
    Ridge, Risk, Schedule, Standardizer, Stopping, TrustRegion,
};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// Largest difference, relative to the largest entry (to 1 where all are below).
fn gap(found: &[f64], wanted: &[f64]) -> f64 {
    assert_eq!(found.len(), wanted.len());
    let size = wanted.iter().fold(1.0_f64, |most, w| most.max(w.abs()));
    assert!(found.iter().all(|f| f.is_finite()), "{found:?}");
    found.iter().zip(wanted).map(|(f, w)| (f - w).abs()).fold(0.0, f64::max) / size
}

/// The loss that a case of the fixture names, with the options that stand there as defaults.
fn loss(name: &str) -> Box<dyn Loss> {
    match name {
        "squared" => Box::new(SquaredError),
        "absolute" => Box::new(AbsoluteError),
        "huber" => Box::new(Robust::huber(0.7).unwrap()),
        "soft-l1" => Box::new(Robust::new(Rho::SoftL1, 0.7).unwrap()),
        "cauchy" => Box::new(Robust::new(Rho::Cauchy, 0.7).unwrap()),
        "tukey" => Box::new(Robust::new(Rho::Tukey, 2.0).unwrap()),
        "log-cosh" => Box::new(LogCosh::new(0.8)),
        "quantile" => Box::new(Quantile::new(0.8, 0.5)),
        "learned-variance" => Box::new(LearnedVariance),
        "poisson" => Box::new(Poisson::full()),
        "negative-binomial" => Box::new(NegativeBinomial::full(0.6)),
        "gamma" => Box::new(Gamma),
        "logistic" => Box::new(Logistic),
        "softmax" => Box::new(SoftmaxCrossEntropy),
        "smoothed-softmax" => Box::new(
            SoftmaxCrossEntropy.with_class_weights([0.5, 2.0, 1.0, 0.0]).with_smoothing(0.1),
        ),
        "hinge" | "hinge-rest" => Box::new(Hinge::plain()),
        "hinge-rival" => Box::new(Hinge::plain().crammer_singer()),
        "squared-hinge" | "squared-hinge-rest" => Box::new(Hinge::squared()),
        "squared-hinge-rival" => Box::new(Hinge::squared().crammer_singer()),
        other => panic!("{other} is no loss of the fixture"),
    }
}

#[test]
fn values_gradients_and_products_are_those_of_jax() {
    let cases: Value = serde_json::from_str(include_str!("../fixtures/losses.json")).unwrap();
    let cases = cases.as_array().unwrap();
    assert!(cases.len() > 20);
    for case in cases {
        let name = case["loss"].as_str().unwrap();
        let (loss, z, v) = (loss(name), numbers(&case["z"]), numbers(&case["v"]));
        let whole = |key: &str| usize::try_from(case[key].as_u64().unwrap()).unwrap();
        let targets = numbers(&case["y"]);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "labels")]
        let labels: Vec<u32> = targets.iter().map(|y| *y as u32).collect();
        let classes = whole("outputs").max(2);
        let y = match name {
            "logistic" | "softmax" | "smoothed-softmax" => {
                TargetTile::Labels { classes, labels: &labels }
            }
            name if name.contains("hinge") => TargetTile::Labels { classes, labels: &labels },
            _ => TargetTile::Values { rows: whole("rows"), values: &targets },
        };
        let (mut gradient, mut product) = (vec![f64::NAN; z.len()], vec![f64::NAN; z.len()]);
        let value = loss.gradient(1.0, &z, y, &mut gradient);
        loss.hessian_vector(1.0, &z, y, &v, &mut product);
        let wanted = case["value"].as_f64().unwrap();
        assert!((value / wanted - 1.0).abs() <= 1e-12, "{name}: {value} {wanted}");
        assert!((loss.value(&z, y) / wanted - 1.0).abs() <= 1e-12, "{name}");
        let error = gap(&gradient, &numbers(&case["gradient"]));
        assert!(error <= 1e-12, "{name}: gradient {error:e}");
        let error = gap(&product, &numbers(&case["product"]));
        assert!(error <= 1e-10, "{name}: product {error:e}");
    }
}

/// The table as the script has it.
fn classes(name: &str) -> Dataset {
    let path = format!("{}/data/{name}", env!("CARGO_MANIFEST_DIR"));
    if name.ends_with("csv") {
        let data = Dataset::from_csv_labels(path, "target").unwrap();
        Standardizer::fit_inputs(&data).transform_inputs(&data).unwrap()
    } else {
        Dataset::from_libsvm(path, &LibsvmOptions::default()).unwrap()
    }
}

fn to_the_end() -> Stopping {
    Stopping { gradient_tolerance: 1e-13, max_iterations: 5000, ..Stopping::default() }
}

#[test]
fn squared_hinge_machines_are_liblinears() {
    let cases: Value = serde_json::from_str(include_str!("../fixtures/svm.json")).unwrap();
    for case in cases.as_array().unwrap() {
        let name = case["data"].as_str().unwrap();
        let data = classes(name);
        let rows = case["weights"].as_array().unwrap();
        let (c, d) = (rows.len(), data.features());
        // θ is the weights, feature after feature, and then the biases: the reference's column of ones.
        let rows: Vec<Vec<f64>> = rows.iter().map(numbers).collect();
        let wanted: Vec<f64> = (0..=d).flat_map(|j| rows.iter().map(move |row| row[j])).collect();
        let net = Network::linear(d, c);
        let ridge = RidgeAll(case["lambda"].as_f64().unwrap());
        let risk = Risk::new(net.graph().unwrap(), &data, Hinge::squared(), ridge).unwrap();
        let value = case["value"].as_f64().unwrap();
        assert!((risk.value(&wanted) / value - 1.0).abs() <= 1e-12, "{name}: the same function");
        let methods: [Method; 4] = [
            Newton::default().into(),
            TrustRegion::default().into(),
            Lbfgs::default().into(),
            Method::auto(),
        ];
        for method in methods {
            let start = vec![0.0; risk.dim()];
            let solution = method.with_stopping(to_the_end()).minimize(&risk, &start).unwrap();
            let report = &solution.report;
            assert!(report.reason.is_success(), "{name}: {report}");
            let error = gap(&solution.theta, &wanted);
            assert!(error <= 1e-8, "{name}: {error:e}\n{report}");
            assert!((report.value / value - 1.0).abs() <= 1e-12, "{name}: {report}");
        }
        // Class −1 of LIBSVM is class 0 here: all is as well as the value says.
        let fit = secant::fit(&net, &data).loss(Hinge::squared()).penalty(ridge).run().unwrap();
        let found = fit.model().predict_classes(data.inputs()).unwrap();
        let right = found.iter().zip(data.targets().labels().unwrap()).filter(|(a, b)| a == b);
        assert!(right.count() * 10 >= 8 * data.samples(), "{name}");
    }
}

/// y = 1, 2, 3, 4, 100 at x = 0: the median is 3.
fn with_outlier() -> Dataset {
    Dataset::from_slices(1, &[0.0; 5], 1, &[1.0, 2.0, 3.0, 4.0, 100.0]).unwrap()
}

#[test]
fn methods_that_need_a_smooth_function_refuse_kinks() {
    let data = with_outlier();
    let net = Network::linear(1, 1);
    let risk = Risk::new(net.graph().unwrap(), &data, AbsoluteError, Ridge(1e-3)).unwrap();
    let methods: [Method; 5] = [
        Newton::default().into(),
        NewtonCg::default().into(),
        Bfgs::default().into(),
        Lbfgs::default().into(),
        Method::auto(),
    ];
    for method in methods {
        let name = method.name();
        let error = method.clone().minimize(&risk, &[0.0; 2]).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{name} needs a smooth function")), "{error}");
        assert!(method.validate(&risk).is_err());
        let fit = secant::fit(&net, &data).loss(AbsoluteError).method(method);
        assert!(fit.run().unwrap_err().to_string().contains("kinks"));
    }
    assert!(Method::advise(&risk).unwrap_err().to_string().contains("kinks"));
    for rivals in [Hinge::plain(), Hinge::squared().crammer_singer()] {
        let data = classes("iris.csv");
        let net = Network::linear(4, 3);
        let error = secant::fit(&net, &data).loss(rivals).run().unwrap_err();
        assert!(error.to_string().contains("kinks"), "{error}");
    }
}

#[test]
fn methods_of_first_order_take_kinks_with_a_rate_that_falls() {
    let data = with_outlier();
    let net = Network::linear(1, 1);
    let adagrad = || AdaGrad::default().with_rate(1.0);
    let fit = secant::fit(&net, &data).loss(AbsoluteError).method(adagrad()).max_iterations(2000);
    let bias = fit.run().unwrap().model().predict(&[0.0]).unwrap()[0];
    assert!((bias - 3.0).abs() < 0.05, "the median is 3, found {bias}");
    // Hinges on minibatches.
    let data = classes("heart_scale.libsvm");
    let net = Network::linear(13, 1);
    let pegasos = secant::GradientDescent::fixed(0.5).with_schedule(Schedule::cosine(2000, 0.01));
    let run = secant::fit(&net, &data)
        .loss(Hinge::plain())
        .penalty(Ridge(1e-2))
        .method(pegasos)
        .minibatches(Minibatches::of(16).with_steps(2000).with_seed(1))
        .run()
        .unwrap();
    assert!(run.report().value < 0.40, "{}", run.report());
}

#[test]
fn a_quantile_has_its_share_of_the_targets_below() {
    let y: Vec<f64> = (0..1000).map(|i| f64::from(i * 389 % 1000)).collect();
    let data = Dataset::from_slices(1, &vec![0.0; 1000], 1, &y).unwrap();
    let net = Network::linear(1, 1);
    for tau in [0.1, 0.5, 0.9] {
        let fit = secant::fit(&net, &data).loss(Quantile::new(tau, 2.0)).run().unwrap();
        let level = fit.model().predict(&[0.0]).unwrap()[0];
        assert!((level - (1000.0 * tau - 0.5)).abs() < 2.0, "{tau}: {level}");
    }
}

#[test]
fn a_learned_variance_is_that_of_the_residuals() {
    // Two groups of one mean and deviations 1 and 3.
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for (group, deviation) in [(-1.0, 1.0), (1.0, 3.0)] {
        for sign in [-1.0, 1.0] {
            x.push(group);
            y.push(5.0 + sign * deviation);
        }
    }
    let data = Dataset::from_slices(1, &x, 1, &y).unwrap();
    let net = Network::linear(1, 2);
    let methods: [Method; 3] = [
        TrustRegion::default().into(),
        Newton::default().with_curvature(secant::HessianKind::GaussNewton).into(),
        Method::auto(),
    ];
    for method in methods {
        let fit = secant::fit(&net, &data).loss(LearnedVariance).method(method).run().unwrap();
        assert!(fit.report().reason.is_success(), "{}", fit.report());
        let z = fit.model().predict(&[-1.0, 1.0]).unwrap();
        assert!(gap(&z, &[5.0, 0.0, 5.0, 9.0_f64.ln()]) < 1e-5, "{z:?}");
    }
}

#[test]
fn losses_and_penalties_come_back_from_a_file() {
    use secant::penalty::{GaussianPrior, Groups, PerBlock, SmoothedGroup};
    fn back<T>(value: &T)
    where
        T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
    {
        let text = serde_json::to_string(value).unwrap();
        assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
    }
    back(&SquaredError);
    back(&AbsoluteError);
    back(&Robust::huber(0.7).unwrap());
    back(&LogCosh::new(0.3));
    back(&Quantile::new(0.1, 0.2));
    back(&LearnedVariance);
    back(&Poisson::full());
    back(&NegativeBinomial::new(0.5));
    back(&Gamma);
    back(&Logistic);
    back(&SoftmaxCrossEntropy);
    back(&SoftmaxCrossEntropy.with_class_weights([1.0, 2.0]).with_smoothing(0.1));
    back(&Hinge::squared().crammer_singer());
    back(&Ridge(0.1));
    back(&PerBlock::default().all(0.1).block("dense1.bias", 0.0));
    back(&GaussianPrior::diagonal("dense1.bias", &[1.0, 2.0]).with_mean([0.5, 0.25]));
    back(&SmoothedGroup::new(0.1, 1e-3).block("dense1.weight", Groups::Columns));
    // What a file says is checked when a risk is made of it.
    let wrong: Robust =
        serde_json::from_str(r#"{"rho":"Huber","scale":-1.0,"weight":"Irls"}"#).unwrap();
    let data = with_outlier();
    let net = Network::linear(1, 1);
    let error = Risk::new(net.graph().unwrap(), &data, wrong, Ridge(0.0)).unwrap_err();
    assert!(error.to_string().contains("the scale is -1"), "{error}");
}
