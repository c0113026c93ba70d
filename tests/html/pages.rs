//! The pages that are read and looked at.

use secant::compare::Comparison;
use secant::html::Page;
use secant::{
    Activation, Adam, Bfgs, CurveFit, Dataset, Fitted, Glm, GlmFit, Lbfgs, Network, Newton, Ridge,
};

/// Names that are no names.
pub const HOSTILE: [&str; 3] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(2)> & 'q'",
    "</title></svg>\u{7}&lt;",
];

fn table(name: &str) -> Dataset {
    let root = env!("CARGO_MANIFEST_DIR");
    Dataset::from_csv(format!("{root}/data/{name}.csv"), "target").unwrap()
}

/// A network with its training and its test samples; a quarter of the first chose the iterate.
pub fn network() -> (Fitted, Dataset, Dataset) {
    let (train, test) = table("concrete").split(0.8, 1).unwrap();
    let net = Network::mlp([8, 16, 1], Activation::Tanh);
    let fit = secant::fit(&net, &train).validation_fraction(0.25).max_iterations(150);
    (fit.run().unwrap(), train, test)
}

pub fn of_network() -> Page {
    let (fit, train, test) = network();
    let page = fit.html(&train).unwrap().held_out(&test).unwrap();
    page.title("concrete.csv: compressive strength")
        .command("secant fit concrete.csv --hidden 16 --validation 0.25 # a & b <c>")
        .read(["1030 rows of 9 columns, all numbers.".to_owned()])
        .advice(["Try more starts: `--starts 8`.".to_owned()])
}

/// A linear model with errors of its parameters.
pub fn linear() -> (Fitted, Dataset) {
    let data = table("diabetes");
    (secant::fit(&Network::linear(10, 1), &data).run().unwrap(), data)
}

/// A classifier whose names are hostile everywhere.
pub fn classifier() -> (Fitted, Dataset) {
    let root = env!("CARGO_MANIFEST_DIR");
    let iris = Dataset::from_csv_labels(format!("{root}/data/iris.csv"), "target").unwrap();
    let features = [HOSTILE[0], HOSTILE[1], HOSTILE[2], "width"].map(String::from).to_vec();
    let data = iris
        .with_feature_names(features)
        .and_then(|data| data.with_target_names(vec![HOSTILE[1].to_owned()]))
        .and_then(|data| data.with_class_names(HOSTILE.map(String::from).to_vec()))
        .unwrap();
    let fit = secant::fit(&Network::linear(4, 3), &data).penalty(Ridge(1e-3)).run().unwrap();
    (fit, data)
}

pub fn of_classifier() -> Page {
    let (fit, data) = classifier();
    let page = fit.html(&data).unwrap().title(HOSTILE[0]).command(HOSTILE[1]);
    page.read(HOSTILE.map(String::from)).advice(HOSTILE.map(String::from))
}

/// Draws without a stream: −½ … ½.
fn noise(i: usize) -> f64 {
    (i * 7919 % 101) as f64 / 101.0 - 0.5
}

fn places() -> Vec<f64> {
    (0..60).map(|i| 0.2 * f64::from(i)).collect()
}

pub fn curve() -> CurveFit {
    let t = places();
    let y: Vec<f64> =
        t.iter().enumerate().map(|(i, t)| 4.0 * (-0.5 * t).exp() + 1.0 + 0.3 * noise(i)).collect();
    let data = Dataset::from_slices(1, &t, 1, &y).unwrap();
    let data = data.with_feature_names(vec!["t".into()]).unwrap();
    secant::curve("a*exp(-b*t) + c")
        .unwrap()
        .start([("a", 1.0), ("b", 1.0), ("c", 0.0)])
        .fit(&data)
        .unwrap()
}

pub fn poisson() -> (GlmFit, Dataset) {
    let x = places();
    let counts: Vec<f64> =
        x.iter().enumerate().map(|(i, x)| (0.5 + 0.2 * x + noise(i)).exp().round()).collect();
    let data = Dataset::from_slices(1, &x, 1, &counts).unwrap();
    let data = data.with_feature_names(vec!["dose".into()]).unwrap();
    (Glm::poisson().fit(&data).unwrap(), data)
}

pub fn comparison() -> Comparison {
    let set = secant::compare()
        .method("Newton", Newton::default())
        .method("L-BFGS", Lbfgs::default())
        .method("BFGS", Bfgs::default())
        .method("Adam", Adam::default());
    let net = Network::mlp([8, 4, 1], Activation::Tanh);
    secant::fit(&net, &table("concrete")).max_iterations(60).compare(&set).unwrap()
}
