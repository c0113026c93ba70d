//! The promise: a fit without a method named is a method chosen for the model, and the choice is always the same.

use secant::problem::{Curvature, Form, Structure};
use secant::{
    Activation, Auto, Bounds, Dataset, L1, Logistic, Method, Network, NoPenalty, Rho, Ridge, Risk,
    Robust, SoftmaxCrossEntropy, SquaredError, fit,
};

fn table(name: &str) -> Dataset {
    Dataset::from_csv(format!("data/{name}.csv"), "target").unwrap()
}

fn labelled(name: &str) -> Dataset {
    Dataset::from_csv_labels(format!("data/{name}.csv"), "target").unwrap()
}

#[test]
fn the_form_of_a_risk_follows_model_loss_and_penalty() {
    let (numbers, labels) = (table("diabetes"), labelled("iris"));
    let (line, scores) = (Network::linear(10, 1), Network::linear(4, 3));
    let net = Network::mlp([10, 4, 1], Activation::Tanh);
    let of = |risk: Result<Risk<'_>, _>| risk.unwrap().structure();
    let line = line.graph().unwrap();

    let ridge = of(Risk::new(line, &numbers, SquaredError, Ridge(1e-3)));
    assert_eq!((ridge.form, ridge.ridge), (Form::Quadratic, 1e-3));
    // A residual per sample and per weight; the bias costs nothing.
    assert_eq!((ridge.samples, ridge.residuals), (Some(442), Some(442 + 10)));

    let softmax = of(Risk::new(scores.graph().unwrap(), &labels, SoftmaxCrossEntropy, NoPenalty));
    assert_eq!((softmax.form, softmax.residuals), (Form::GeneralizedLinear, None));

    let robust = |rho| Robust::new(rho, 1.0).unwrap();
    let huber = of(Risk::new(line, &numbers, robust(Rho::Huber), NoPenalty));
    assert_eq!(huber.form, Form::GeneralizedLinear);
    let cauchy = of(Risk::new(line, &numbers, robust(Rho::Cauchy), NoPenalty));
    assert_eq!(cauchy.form, Form::General, "Cauchy's loss is not convex");

    let net = of(Risk::new(net.graph().unwrap(), &numbers, SquaredError, NoPenalty));
    assert_eq!((net.form, net.residuals), (Form::General, Some(442)));
}

/// Operations counted by hand: products of a 10-4-1 net for 442 samples. One of width w counts (1 + 3/w) times its flops.
#[test]
fn costs_are_counted_node_by_node() {
    let data = table("diabetes");
    let net = Network::mlp([10, 4, 1], Activation::Tanh);
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let costs = risk.structure().costs.unwrap();
    // z = W·x: 2·10·4, tanh 2·4, 2·4·1. Backward: W̄ of the first layer, x̄ of tanh, W̄ and x̄ of the last.
    let (first, tanh, last) = (80.0 * 1.75, 8.0 * 1.75, 8.0 * 4.0);
    let sweep = first + tanh + 2.0 * last;
    assert_eq!(costs.evaluation, 442.0 * (first + tanh + last + sweep));
    assert_eq!(costs.gauss_newton_vector, 442.0 * 2.0 * sweep);
    assert_eq!(costs.hessian_vector, 442.0 * (sweep + first + tanh + 4.0 * last));
    // Columns of the first layer's 44 parameters by whole products, of the last one's 5 by Ẇ·x and W̄˙ += z̄˙·xᵀ of their own node.
    assert_eq!(costs.hessian, 44.0 * costs.hessian_vector + 442.0 * 5.0 * 2.0 * last);
    let view = risk.as_least_squares().unwrap();
    assert_eq!(Structure::of(&risk).residuals, Some(view.residual_len()));

    // Two hidden layers, 10-4-3-1: the columns of the middle one's 15 parameters begin there, with no x̄ and no ẋ of its own.
    let net = Network::mlp([10, 4, 3, 1], Activation::Tanh);
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let costs = risk.structure().costs.unwrap();
    let (middle, tanh, last) = (24.0 * 2.0, 6.0 * 2.0, 6.0 * 4.0);
    let from_middle = (middle + tanh + 2.0 * last) + (middle + tanh + 4.0 * last);
    let from_last = 2.0 * last;
    let columns = 15.0 * from_middle + 4.0 * from_last;
    assert_eq!(costs.hessian, 44.0 * costs.hessian_vector + 442.0 * columns);

    // A linear model's Hessian is XᵀX: N·d² flops.
    let line = Network::linear(10, 1);
    let risk = Risk::new(line.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    assert_eq!(risk.structure().costs.unwrap().hessian, 442.0 * 100.0);
}

#[test]
fn a_linear_regression_is_one_newton_step() {
    let data = table("diabetes");
    let fitted = fit(&Network::linear(10, 1), &data).method(Method::auto()).run().unwrap();
    let report = fitted.report();
    assert_eq!((report.solver.as_str(), report.iterations), ("Auto: Newton", 1), "{report}");
}

#[test]
fn a_classifier_and_a_network_reach_their_minima() {
    let iris = labelled("iris");
    let fitted = fit(&Network::linear(4, 3), &iris)
        .penalty(Ridge(1e-3))
        .method(Method::auto())
        .run()
        .unwrap();
    assert!((fitted.report().value - 0.102_368_078_430_078).abs() < 1e-12, "{}", fitted.report());

    let data = table("yacht");
    let net = Network::mlp([6, 6, 1], Activation::Tanh);
    let fitted = fit(&net, &data)
        .penalty(Ridge(1e-3))
        .standardize(secant::Standardize::InputsAndTargets)
        .method(Method::auto())
        .run()
        .unwrap();
    assert!(fitted.report().reason.is_success(), "{}", fitted.report());
    assert!(fitted.report().notes[0].contains("chosen"));
}

#[test]
fn bounds_and_l1_go_through_a_fit() {
    let data = table("diabetes");
    let net = Network::linear(10, 1);
    let bounds = Bounds::nonnegative(11);
    let fitted =
        fit(&net, &data).method(Auto::default().with_bounds(bounds.clone())).run().unwrap();
    assert!(bounds.contains(fitted.model().theta()), "{}", fitted.report());
    assert!(fitted.report().reason.is_success(), "{}", fitted.report());
    let l1 = L1::new(10.0).without(10..11);
    let fitted = fit(&net, &data).method(Auto::default().with_l1(l1)).run().unwrap();
    let zeros = fitted.model().theta().iter().filter(|t| **t == 0.0).count();
    assert!(zeros > 0 && fitted.report().reason.is_success(), "{}", fitted.report());
}

#[test]
fn the_choice_and_its_bits_do_not_depend_on_the_threads() {
    let (data, cancer) = (table("concrete"), labelled("breast_cancer"));
    let net = Network::mlp([8, 6, 1], Activation::Tanh);
    let score = Network::linear(30, 1);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let fitted = fit(&net, &data).seed(3).method(Method::auto());
            let fitted = fitted.max_iterations(40).run().unwrap();
            let scores = fit(&score, &cancer).loss(Logistic).penalty(Ridge(1e-3));
            let scores = scores.method(Method::auto()).run().unwrap();
            let of = |fitted: &secant::Fitted| {
                (fitted.model().theta().to_vec(), fitted.report().solver.clone())
            };
            (of(&fitted), of(&scores))
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(5));
}
