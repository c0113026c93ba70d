//! Convolutions and pools beside PyTorch's: outputs, values, gradients and Hessian products, in float64.
//! The fixture is made by `benches/peers/convolutions.py`.

use secant_core::check::distance;
use secant_core::data::Dataset;
use secant_core::graph::{Graph, GraphBuilder, NodeId};
use secant_core::loss::SquaredError;
use secant_core::op::{
    Activation, AvgPool1d, AvgPool2d, Conv1d, Conv2d, GlobalAvgPool, MaxPool1d, MaxPool2d, Op,
};
use secant_core::penalty::NoPenalty;
use secant_core::predict::outputs;
use secant_core::problem::{Curvature, Linearization, Objective};
use secant_core::risk::Risk;
use secant_core::shape::Shape;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Sums of some hundred products in two orders.
const TOLERANCE: f64 = 1e-12;
/// Two such sums after each other, and cancellation between them.
const PRODUCT_TOLERANCE: f64 = 1e-10;

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// Adds the node that `options` describe.
fn add<T: Op + DeserializeOwned + 'static>(
    g: &mut GraphBuilder,
    options: &Value,
    x: NodeId,
) -> NodeId {
    let op: T = serde_json::from_value(options.clone()).unwrap();
    g.node("op", op, &[x]).unwrap()
}

fn graph(case: &Value) -> Graph {
    let extents: Vec<usize> = serde_json::from_value(case["input"].clone()).unwrap();
    let channels = extents[extents.len() - 1];
    let mut g = Graph::builder(Shape::new(extents.clone()));
    let x = g.input();
    let first = match extents.len() {
        2 => g.node("first", Conv1d::new(channels, [1]), &[x]).unwrap(),
        _ => g.node("first", Conv2d::new(channels, [1, 1]), &[x]).unwrap(),
    };
    let op = case["op"].as_str().unwrap();
    let h = if op.ends_with("ties") {
        first
    } else {
        g.node("tanh", Activation::Tanh, &[first]).unwrap()
    };
    let options = &case["options"];
    let z = match op.split(' ').next().unwrap() {
        "conv1d" => add::<Conv1d>(&mut g, options, h),
        "conv2d" => add::<Conv2d>(&mut g, options, h),
        "avg_pool1d" => add::<AvgPool1d>(&mut g, options, h),
        "avg_pool2d" => add::<AvgPool2d>(&mut g, options, h),
        "max_pool1d" => add::<MaxPool1d>(&mut g, options, h),
        "max_pool2d" => add::<MaxPool2d>(&mut g, options, h),
        "global_avg_pool" => g.node("op", GlobalAvgPool, &[h]).unwrap(),
        other => panic!("{other}?"),
    };
    g.build(z).unwrap()
}

#[test]
fn values_gradients_and_products_are_those_of_pytorch() {
    let fixture: Value =
        serde_json::from_str(include_str!("../fixtures/convolutions.json")).unwrap();
    let cases = fixture["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 19);
    for case in cases {
        let graph = graph(case);
        let (theta, x) = (numbers(&case["theta"]), numbers(&case["x"]));
        let context = format!("{} {} on {}", case["op"], case["options"], case["input"]);
        let close = |what: &str, found: &[f64], name: &str, tolerance: f64| {
            let error = distance(found, &numbers(&case[name]));
            assert!(error <= tolerance, "{context}: {what} {error:e}");
        };
        close("outputs", &outputs(&graph, &theta, &x).unwrap(), "outputs", TOLERANCE);
        let targets = numbers(&case["targets"]);
        let data = Dataset::from_slices(graph.features(), &x, graph.outputs(), &targets).unwrap();
        let risk = Risk::new(&graph, &data, SquaredError, NoPenalty).unwrap();
        let mut gradient = vec![0.0; risk.dim()];
        let value = risk.value_gradient(&theta, &mut gradient);
        let expected = case["value"].as_f64().unwrap();
        assert!((value / expected - 1.0).abs() <= TOLERANCE, "{context}: {value} {expected}");
        close("gradient", &gradient, "gradient", TOLERANCE);
        let mut product = vec![0.0; risk.dim()];
        risk.linearize(&theta).hessian_vector(&numbers(&case["v"]), &mut product);
        close("product", &product, "product", PRODUCT_TOLERANCE);
    }
}
