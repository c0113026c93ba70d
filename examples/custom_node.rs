//! How do I add a node of my own, and how do I know that its derivatives are right?
//!
//! A radial node z_k = exp(−½‖x − c_k‖²·e^{2s}) with centres c_k and a log-width s as parameters, written outside the crate: the
//! four methods of `Op`, checked by `check::op`, then fitted inside a network.
//!
//! `cargo run --release --example custom_node [-- --json]`

#[macro_use]
#[path = "support/mod.rs"]
mod support;

use secant::core::params::{ParamSpec, Role};
use secant::core::random::Random;
use secant::core::shape::{Shape, ShapeError};
use secant::op::{At, Bar, Dense, Dot, Op};
use secant::{Dataset, Graph, Init, Network, Newton, Ridge, SquaredError, check, fit};
use std::error::Error;
use support::{About, Args, JSON};

const ABOUT: About = About {
    name: "custom_node",
    answers: "How do I add a node of my own, and how do I know that its derivatives are right? A radial node, checked and fitted.",
    takes: &[],
    options: &[JSON],
    output: "the checks of the node's derivatives, the graph, the report of a fit",
    data: "",
};

/// Gaussian bumps around `centres` movable points, all of one learned width.
#[derive(Debug)]
struct Radial {
    centres: usize,
}

const CENTRES: usize = 0;
const LOG_WIDTH: usize = 1;

/// Calls `pair(sample, k, x, c_k)` for every sample and centre.
fn pairs<'a>(at: At<'a>, mut pair: impl FnMut(usize, usize, &'a [f64], &'a [f64])) {
    let d = at.x.rows(0);
    for (sample, x) in at.x.get(0).chunks_exact(d).enumerate() {
        for (k, centre) in at.theta.get(CENTRES).chunks_exact(d).enumerate() {
            pair(sample, k, x, centre);
        }
    }
}

/// w = e^{2s}: the inverse square of the width.
fn weight(at: At<'_>) -> f64 {
    (2.0 * at.theta.get(LOG_WIDTH)[0]).exp()
}

impl Op for Radial {
    fn name(&self) -> String {
        "radial".into()
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        match inputs {
            [_] => Ok(Shape::vector(self.centres)),
            _ => Err(ShapeError::InputCount { expected: 1, found: inputs.len() }),
        }
    }

    fn params(&self, inputs: &[Shape]) -> Vec<ParamSpec> {
        // A centre is a column, so that it lies contiguous like a sample.
        let centres = ParamSpec::weight("centres", inputs[0].len(), self.centres);
        vec![centres, ParamSpec { role: Role::Bias, ..ParamSpec::bias("log_width", 1) }]
    }

    /// z_k = exp(−½·w·‖x − c_k‖²).
    fn value(&self, at: At<'_>, z: &mut [f64]) {
        let w = weight(at);
        pairs(at, |sample, k, x, c| {
            let square: f64 = x.iter().zip(c).map(|(x, c)| (x - c) * (x - c)).sum();
            z[sample * self.centres + k] = (-0.5 * w * square).exp();
        });
    }

    /// ż = z·q̇ with the exponent q = −½·w·‖x − c‖² and q̇ = −w·⟨x − c, ẋ − ċ⟩ + 2ṡ·q.
    fn tangent(&self, at: At<'_>, z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        pairs(at, |sample, k, x, c| {
            let e = Exponent::new(at, dot, sample, k, x, c);
            let entry = sample * self.centres + k;
            z_dot[entry] = z[entry] * e.dot;
        });
    }

    /// With a = z̄·z: x̄ −= a·w·(x − c), c̄ += a·w·(x − c), s̄ += 2·a·q.
    fn adjoint(&self, at: At<'_>, z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        let (w, d) = (weight(at), at.x.rows(0));
        let mut x_bar = bar.x.slot(0).map(secant::op::AdjointSlot::zeroed);
        pairs(at, |sample, k, x, c| {
            let a = z_bar[sample * self.centres + k] * z[sample * self.centres + k];
            let mut square = 0.0;
            for j in 0..d {
                let pull = a * w * (x[j] - c[j]);
                square += (x[j] - c[j]) * (x[j] - c[j]);
                bar.theta.get(CENTRES)[k * d + j] += pull;
                if let Some(x_bar) = &mut x_bar {
                    x_bar[sample * d + j] -= pull;
                }
            }
            bar.theta.get(LOG_WIDTH)[0] -= a * w * square;
        });
    }

    /// The derivative of `adjoint`: ȧ = z̄˙·z + z̄·ż, ẇ = 2w·ṡ, and (x − c)˙ = ẋ − ċ.
    fn adjoint_tangent(
        &self,
        at: At<'_>,
        z: &[f64],
        z_bar: &[f64],
        dot: Dot<'_>,
        z_dot: &[f64],
        z_bar_dot: &[f64],
        bar: &mut Bar<'_>,
    ) {
        let (w, d) = (weight(at), at.x.rows(0));
        let w_dot = 2.0 * w * dot.theta.get(LOG_WIDTH)[0];
        let mut x_bar_dot = bar.x.slot(0).map(secant::op::AdjointSlot::zeroed);
        pairs(at, |sample, k, x, c| {
            let e = Exponent::new(at, dot, sample, k, x, c);
            let entry = sample * self.centres + k;
            let a = z_bar[entry] * z[entry];
            let a_dot = z_bar_dot[entry] * z[entry] + z_bar[entry] * z_dot[entry];
            for j in 0..d {
                let (apart, apart_dot) = (x[j] - c[j], e.apart_dot(j));
                let pull_dot = (a_dot * w + a * w_dot) * apart + a * w * apart_dot;
                bar.theta.get(CENTRES)[k * d + j] += pull_dot;
                if let Some(x_bar_dot) = &mut x_bar_dot {
                    x_bar_dot[sample * d + j] -= pull_dot;
                }
            }
            let square_dot = 2.0 * e.inner;
            bar.theta.get(LOG_WIDTH)[0] -=
                a_dot * w * e.square + a * w_dot * e.square + a * w * square_dot;
        });
    }
}

/// The exponent of one pair and its tangent.
struct Exponent<'a> {
    x_dot: Option<&'a [f64]>,
    c_dot: &'a [f64],
    /// ‖x − c‖².
    square: f64,
    /// ⟨x − c, ẋ − ċ⟩.
    inner: f64,
    /// q̇.
    dot: f64,
}

impl<'a> Exponent<'a> {
    fn new(at: At<'_>, dot: Dot<'a>, sample: usize, k: usize, x: &[f64], c: &[f64]) -> Self {
        let d = x.len();
        let x_dot = dot.x.get(0).map(|x_dot| &x_dot[sample * d..(sample + 1) * d]);
        let c_dot = &dot.theta.get(CENTRES)[k * d..(k + 1) * d];
        let mut e = Self { x_dot, c_dot, square: 0.0, inner: 0.0, dot: 0.0 };
        for j in 0..d {
            e.square += (x[j] - c[j]) * (x[j] - c[j]);
            e.inner += (x[j] - c[j]) * e.apart_dot(j);
        }
        e.dot = -weight(at) * (e.inner + dot.theta.get(LOG_WIDTH)[0] * e.square);
        e
    }

    /// Entry j of ẋ − ċ.
    fn apart_dot(&self, j: usize) -> f64 {
        self.x_dot.map_or(0.0, |x_dot| x_dot[j]) - self.c_dot[j]
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let json = Args::read(&ABOUT).json();
    let checks = check::op(&Radial { centres: 4 }, &[Shape::vector(2)], 1)?;
    if !json {
        println!("check::op of the radial node: relative errors and what is allowed\n{checks}");
    }
    if !checks.passed() {
        return Err("the node's derivatives are wrong".into());
    }

    // 400 points of a surface with a ridge.
    let mut random = Random::new(3);
    let inputs: Vec<f64> = (0..800).map(|_| 4.0 * random.uniform() - 2.0).collect();
    let surface = |x: &[f64]| (3.0 * x[0]).sin() * (-x[1] * x[1]).exp();
    let targets: Vec<f64> = inputs.chunks_exact(2).map(surface).collect();
    let data = Dataset::from_slices(2, &inputs, 1, &targets)?;

    let mut g = Graph::builder(2);
    let bumps = g.node("bumps", Radial { centres: 12 }, &[g.input()])?;
    let y = g.node("y", Dense::new(1), &[bumps])?;
    let network = Network::from(g.build(y)?).with_init(Init::LeCun);
    let fitted = fit(&network, &data)
        .loss(SquaredError)
        .penalty(Ridge(1e-8))
        .method(Newton::default())
        .max_iterations(200)
        .seed(5)
        .run()?;
    let report = fitted.report();
    if json {
        let line = serde_json::json!({
            "node": "radial", "checks_passed": checks.passed(), "value": report.value,
            "gradient_norm": report.gradient.max, "iterations": report.iterations,
            "reason": format!("{:?}", report.reason),
        });
        println!("{line}");
    } else {
        println!("{}\n\n{report}", network.graph()?);
    }
    Ok(())
}
