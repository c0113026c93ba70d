//! Fits with large residuals: second derivatives of the residuals in the model of Levenberg–Marquardt.

#[path = "common/mgh.rs"]
mod mgh;

use faer::{Mat, MatMut};
use mgh::Problem;
use secant_core::check;
use secant_core::problem::{LeastSquares, Linearization, Objective};
use secant_optim::{
    Factorization, LeastSquaresFn, LevenbergMarquardt, OptimError, SecondOrder, Solution, minimize,
};

fn run(problem: &impl LeastSquares, second_order: SecondOrder, start: &[f64]) -> Solution {
    let solver = LevenbergMarquardt::default().with_second_order(second_order);
    minimize(problem, solver, start).unwrap()
}

/// yᵢ ≈ x₁·e^(x₂/(tᵢ + x₃)), tᵢ = 45 + 5i.  Meyer (1970), MGH 10.
fn meyer() -> LeastSquaresFn<'static> {
    const Y: [f64; 16] = [
        34780.0, 28610.0, 23650.0, 19630.0, 16370.0, 13720.0, 11540.0, 9744.0, 8261.0, 7030.0,
        6005.0, 5147.0, 4427.0, 3820.0, 3307.0, 2872.0,
    ];
    let t = |i: usize| 45.0 + 5.0 * (i + 1) as f64;
    LeastSquaresFn::new(3, 16, move |x, r| {
        for (i, (r, y)) in r.iter_mut().zip(Y).enumerate() {
            *r = x[0] * f64::exp(x[1] / (t(i) + x[2])) - y;
        }
    })
    .with_jacobian(move |x, mut j| {
        for i in 0..16 {
            let below = t(i) + x[2];
            let e = f64::exp(x[1] / below);
            j[(i, 0)] = e;
            j[(i, 1)] = x[0] * e / below;
            j[(i, 2)] = -x[0] * e * x[1] / (below * below);
        }
    })
}

/// yᵢ = e^(−a·tᵢ)·cos(b·tᵢ) through points far off every such curve: κ, the ratio of S to JᵀJ, is set by `off`.
fn wave(off: f64) -> LeastSquaresFn<'static> {
    let points: Vec<(f64, f64)> = (0..40)
        .map(|i| {
            let t = 0.1 * f64::from(i);
            let disturbed = off * f64::from(i % 3 - 1) + 0.5 * off * f64::sin(5.0 * t);
            (t, f64::exp(-0.4 * t) * f64::cos(1.5 * t) + disturbed)
        })
        .collect();
    let again = points.clone();
    LeastSquaresFn::new(2, points.len(), move |x, r| {
        for (r, (t, y)) in r.iter_mut().zip(&points) {
            *r = f64::exp(-x[0] * t) * f64::cos(x[1] * t) - y;
        }
    })
    .with_jacobian(move |x, mut j| {
        for (i, (t, _)) in again.iter().enumerate() {
            let e = f64::exp(-x[0] * t);
            j[(i, 0)] = -t * e * f64::cos(x[1] * t);
            j[(i, 1)] = -t * e * f64::sin(x[1] * t);
        }
    })
}

#[test]
fn table() {
    for (name, start) in [("brown_dennis", None), ("freudenstein_roth", None), ("jennrich_sampson", None), ("kowalik_osborne",None),("osborne1",None),("bard",None),("watson_6", None),("trigonometric_10",None)] {
        let problem = Problem::named(name).unwrap();
        let start: Vec<f64> = start.unwrap_or_else(|| problem.start());
        for order in [SecondOrder::Off, SecondOrder::Structured, SecondOrder::Exact] {
            let r = run(&problem, order, &start).report;
            println!("{name} {order:?} {r}");
        }
    }
    for (name, p, start) in [("meyer", meyer(), vec![0.02, 4000.0, 250.0]), ("wave .3", wave(0.3), vec![0.4, 1.5]), ("wave 1", wave(1.0), vec![0.4, 1.5]), ("wave 3", wave(3.0), vec![0.4, 1.5])] {
        for order in [SecondOrder::Off, SecondOrder::Structured] {
            let r = run(&p, order, &start).report;
            println!("{name} {order:?} {r}");
        }
    }
}
