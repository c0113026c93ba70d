//! What a formula costs beside a closure written by hand.

use secant::Formula;
use secant::core::elementwise::{scalar, vectorize};
use serde::Serialize;
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

const FORMULA: &str = "a*exp(-b*x) + c";
const ROWS: u32 = 100_000;
const REPEATS: usize = 41;

/// Values and Jacobian of all rows, on one thread.
#[derive(Debug, Serialize)]
pub struct Speed {
    formula: &'static str,
    rows: u32,
    formula_ms: f64,
    closure_ms: f64,
    /// The first over the second.
    ratio: f64,
}

/// Both by turns.
///
/// # Errors
/// None: the formula is one.
pub fn run() -> Result<Speed, Box<dyn Error>> {
    let x: Vec<f64> = (0..ROWS).map(|i| 1e-4 * f64::from(i)).collect();
    let mut evaluator = Formula::new(FORMULA, &["x"])?.evaluator();
    let theta = [3.0, 0.5, 1.0];
    let (mut values, mut jacobian) = (vec![0.0; x.len()], vec![0.0; 3 * x.len()]);
    let (mut by_formula, mut by_hand) = (Vec::new(), Vec::new());
    for _ in 0..REPEATS {
        let began = Instant::now();
        evaluator.values_jacobian(black_box(&theta), &x, &mut values, &mut jacobian);
        by_formula.push(began.elapsed().as_secs_f64());
        black_box((&values, &jacobian));
        let began = Instant::now();
        closure(black_box(&theta), &x, &mut values, &mut jacobian);
        by_hand.push(began.elapsed().as_secs_f64());
        black_box((&values, &jacobian));
    }
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        1e3 * times[REPEATS / 2]
    };
    let (formula_ms, closure_ms) = (median(by_formula), median(by_hand));
    let ratio = formula_ms / closure_ms;
    Ok(Speed { formula: FORMULA, rows: ROWS, formula_ms, closure_ms, ratio })
}

/// The same by hand, with the same exponential function.
fn closure(theta: &[f64; 3], x: &[f64], values: &mut [f64], jacobian: &mut [f64]) {
    let [a, b, c] = *theta;
    vectorize(
        #[inline(always)]
        || {
            for ((value, row), &x) in values.iter_mut().zip(jacobian.chunks_exact_mut(3)).zip(x) {
                let e = scalar::exp(-b * x);
                *value = a * e + c;
                row[0] = e;
                row[1] = -a * x * e;
                row[2] = 1.0;
            }
        },
    );
}

pub fn print(speed: &Speed, json: bool) {
    if json {
        println!("{}", serde_json::to_string(speed).expect("numbers and text"));
        return;
    }
    println!("values and Jacobian of {} at {} rows, one thread:", speed.formula, speed.rows);
    println!("  formula {:8.3} ms", speed.formula_ms);
    println!("  closure {:8.3} ms", speed.closure_ms);
    println!("  ratio   {:8.2}", speed.ratio);
}
