//! What does Newton's method see? The quadratic that agrees with f, ∇f and ∇²f at one point; its minimiser is Newton's step.
//!
//! In one variable, f(x) = x − ln(1 + x²) + 0.1·x⁴ with its quadratic at four points: where f curves upwards the step goes to the
//! quadratic's minimum, where it curves downwards there is none. In two, Rosenbrock's valley and the contour lines of its quadratic at
//! (−0.6, 0.2). For each: f, gradient, inertia, minimiser, and how far the model is trusted, |f − q| ≤ ¼|q − f₀|.
//!
//! `cargo run --release --example local_model [-- --json] [--out DIR]`

#[macro_use]
#[path = "support/mod.rs"]
mod support;

use secant::core::faer::MatMut;
use secant::optim::{Limit, Trusted};
use secant::plot::{Axis, Figure};
use secant::{Curvature, Linearization, Objective, QuadraticModel};
use std::error::Error;
use support::{About, Args, JSON, OUT};

const ABOUT: About = About {
    name: "local_model",
    answers: "What does Newton's method see? The quadratic that agrees with f, its gradient and its Hessian at one point.",
    takes: &[],
    options: &[JSON, OUT],
    output: "the quadratics' minimisers and how far they are trusted; local_model_*.svg, .png",
    data: "",
};

/// Share of the predicted change that the error may be.
const SHARE: f64 = 0.25;
/// Pseudorandom directions beside the model's own.
const DIRECTIONS: usize = 16;
/// Where the function of one variable is expanded.
const POINTS: [f64; 4] = [-2.0, -0.4, 1.0, 2.0];
const VALLEY_POINT: [f64; 2] = [-0.6, 0.2];
const SAMPLES: u32 = 400;

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read(&ABOUT);
    let (json, out) = (args.json(), args.out()?);
    if !json {
        println!(
            "{:24} {:>9} {:>10} {:>22} {:>22} {:>9}  ends by",
            "point", "f", "inertia", "minimiser", "Newton's decrease", "trusted"
        );
    }
    let wave = Closed { n: 1, f: wave };
    let x_axis = || Axis::linear("x").within(-3.0, 3.0);
    let curve = |g: &dyn Fn(f64) -> f64| {
        let at = |i: u32| -3.0 + 6.0 * f64::from(i) / f64::from(SAMPLES);
        (0..=SAMPLES).map(|i| (at(i), g(at(i)))).collect::<Vec<_>>()
    };
    let mut figure = Figure::new(
        "f and its quadratic at four points",
        x_axis(),
        Axis::linear("f, q").within(-6.0, 8.0),
    )
    .curve("f", curve(&|x| wave.value(&[x])));
    for x in POINTS {
        let model = QuadraticModel::at(&wave, &[x])?;
        say("x − ln(1 + x²) + 0.1x⁴", &wave, &model, json)?;
        figure =
            figure.curve(format!("q at {x}").replace('-', "−"), curve(&|x| model.evaluate(&[x])));
    }
    figure = figure.dots("expansion points", POINTS.map(|x| (x, wave.value(&[x]))));
    for extension in ["svg", "png"] {
        figure.save(out.join(format!("local_model_1d.{extension}")))?;
    }

    let valley = Closed { n: 2, f: rosenbrock };
    let model = QuadraticModel::at(&valley, &VALLEY_POINT)?;
    let trusted = say("Rosenbrock", &valley, &model, json)?;
    let newton = model.minimizer().ok_or("the Hessian is positive definite there")?;
    let pair = |theta: &[f64]| (theta[0], theta[1]);
    let end: Vec<f64> =
        VALLEY_POINT.iter().zip(&trusted.direction).map(|(x, u)| x + trusted.radius * u).collect();
    let levels: Vec<f64> = (0..11).map(|k| 0.4 * 2.0_f64.powi(k)).collect();
    let lowest = model.evaluate(&newton);
    let above: Vec<f64> = levels.iter().map(|level| lowest + level).collect();
    let axes = || (Axis::linear("x").within(-1.5, 1.5), Axis::linear("y").within(-0.8, 1.6));
    for (name, title, levels, of) in [
        ("f", "Rosenbrock's valley, and Newton's step from (−0.6, 0.2)", &levels, None),
        ("q", "Its quadratic at (−0.6, 0.2), and the same step", &above, Some(&model)),
    ] {
        let value =
            |x: f64, y: f64| of.map_or_else(|| valley.value(&[x, y]), |q| q.evaluate(&[x, y]));
        let figure = Figure::new(title, axes().0, axes().1)
            .contours(levels, value)
            .path("Newton's step", [pair(&VALLEY_POINT), pair(&newton)])
            .path("shortest trusted stretch", [pair(&VALLEY_POINT), pair(&end)])
            .dots("minimum of f", [(1.0, 1.0)]);
        for extension in ["svg", "png"] {
            figure.save(out.join(format!("local_model_2d_{name}.{extension}")))?;
        }
    }
    if !json {
        println!("\npictures: {}/local_model_*.svg, .png", out.display());
    }
    Ok(())
}

/// A line about the model of `f` there; the shortest trusted stretch.
fn say<F: Curvature>(
    name: &str,
    f: &F,
    model: &QuadraticModel,
    json: bool,
) -> Result<Trusted, Box<dyn Error>> {
    let trusted = model.trusted(f, DIRECTIONS, SHARE)?;
    let inertia = model.inertia();
    let minimizer = model.minimizer();
    let promised = minimizer.as_ref().map(|theta| model.value() - model.evaluate(theta));
    let kept = minimizer.as_ref().map(|theta| model.value() - f.value(theta));
    if json {
        let line = serde_json::json!({
            "function": name, "point": model.center(), "value": model.value(), "gradient": model.gradient(),
            "inertia": [inertia.positive, inertia.negative, inertia.zero], "minimizer": minimizer,
            "predicted_decrease": promised, "decrease": kept,
            "share": SHARE, "trusted_radius": trusted.radius, "trusted_direction": trusted.direction,
            "limit": format!("{:?}", trusted.limit), "third_derivative": trusted.third,
        });
        println!("{line}");
    } else {
        let point = numbers(model.center());
        let inertia = format!("{}+ {}− {}·0", inertia.positive, inertia.negative, inertia.zero);
        let decrease = promised.zip(kept).map(|(p, k)| format!("{p:.3}, true {k:.3}"));
        let ends = match trusted.limit {
            Limit::Remainder => "the remainder",
            Limit::ModelMinimum => "q's minimum",
            Limit::Search => "the search",
        };
        println!(
            "{point:24} {:9.4} {inertia:>10} {:>22} {:>22} {:9.4}  {ends}",
            model.value(),
            minimizer.map_or("none".into(), |theta| numbers(&theta)),
            decrease.unwrap_or("none".into()),
            trusted.radius
        );
    }
    Ok(trusted)
}

fn numbers(theta: &[f64]) -> String {
    let entries: Vec<String> = theta.iter().map(|x| format!("{x:.3}")).collect();
    format!("({})", entries.join(", "))
}

/// f, ∇f and ∇²f (row by row) in closed form.
type Derivatives = (f64, Vec<f64>, Vec<f64>);

/// A function of n variables in closed form.
struct Closed {
    n: usize,
    f: fn(&[f64]) -> Derivatives,
}

/// f(x) = x − ln(1 + x²) + 0.1x⁴.
fn wave(x: &[f64]) -> Derivatives {
    let x = x[0];
    let d = 1.0 + x * x;
    let f = x - d.ln() + 0.1 * x.powi(4);
    let slope = 1.0 - 2.0 * x / d + 0.4 * x.powi(3);
    let curvature = -2.0 / d + 4.0 * x * x / (d * d) + 1.2 * x * x;
    (f, vec![slope], vec![curvature])
}

/// f(x, y) = (1 − x)² + 100(y − x²)².
fn rosenbrock(p: &[f64]) -> Derivatives {
    let (x, y) = (p[0], p[1]);
    let (a, b) = (1.0 - x, y - x * x);
    let gradient = vec![-2.0 * a - 400.0 * b * x, 200.0 * b];
    let hessian = vec![2.0 - 400.0 * b + 800.0 * x * x, -400.0 * x, -400.0 * x, 200.0];
    (a * a + 100.0 * b * b, gradient, hessian)
}

impl Objective for Closed {
    fn dim(&self) -> usize {
        self.n
    }
    fn value(&self, theta: &[f64]) -> f64 {
        (self.f)(theta).0
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let (value, found, _) = (self.f)(theta);
        gradient.copy_from_slice(&found);
        value
    }
}

impl Curvature for Closed {
    type At<'a> = At;
    fn linearize(&self, theta: &[f64]) -> At {
        At((self.f)(theta))
    }
}

struct At(Derivatives);

impl Linearization for At {
    fn value(&self) -> f64 {
        self.0.0
    }
    fn gradient(&self) -> &[f64] {
        &self.0.1
    }
    fn hessian_vector(&self, v: &[f64], out: &mut [f64]) {
        for (out, row) in out.iter_mut().zip(self.0.2.chunks_exact(v.len())) {
            *out = row.iter().zip(v).map(|(h, v)| h * v).sum();
        }
    }
    fn gauss_newton_vector(&self, v: &[f64], out: &mut [f64]) {
        self.hessian_vector(v, out);
    }
    fn hessian(&self, mut out: MatMut<'_, f64>) {
        let n = out.ncols();
        for (index, h) in self.0.2.iter().enumerate() {
            out[(index / n, index % n)] = *h;
        }
    }
    fn gauss_newton(&self, out: MatMut<'_, f64>) {
        self.hessian(out);
    }
}
