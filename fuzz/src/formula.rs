//! What must hold of any text that may be a formula: it is refused with a place in it, or it can be evaluated with all its derivatives,
//! the same bits by every way, and is printed so that it reads back.

use secant_core::data::Dataset;
use secant_core::formula::Formula;
use secant_core::loss::SquaredError;
use secant_core::penalty::NoPenalty;
use secant_core::problem::{Curvature, Linearization, Objective};
use secant_core::risk::Risk;

/// Bytes of a text: its derivatives grow with its square at most.
const LONGEST: usize = 4096;
/// Samples, more than a vector register has lanes and no multiple of it.
const SAMPLES: usize = 19;

/// A text; the first byte chooses the features, and whether `;` parts it into several outputs.
pub fn formula(bytes: &[u8]) {
    let (&choice, text) = bytes.split_first().unwrap_or((&0, bytes));
    let text = String::from_utf8_lossy(&text[..text.len().min(LONGEST)]);
    let features: &[&str] =
        [&["x"][..], &["x", "y"], &["time (s)", "x"], &[]][usize::from(choice & 3)];
    let texts: Vec<&str> = if choice & 4 == 4 { text.split(';').collect() } else { vec![&text] };
    match Formula::several(&texts, features) {
        Ok(formula) => sound(&formula, features),
        Err(error) => {
            super::message(&error.kind().to_string());
            assert!(error.position().is_some_and(|place| place <= text.chars().count()));
            assert!(error.to_string().len() < super::MESSAGE);
        }
    }
}

/// Numbers between −2 and 2, some of them whole.
fn numbers(count: usize, step: usize) -> Vec<f64> {
    (0..count).map(|i| ((i * step + 5) % 17) as f64 / 4.0 - 2.0).collect()
}

fn bits(numbers: &[f64]) -> Vec<u64> {
    numbers.iter().map(|x| if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }).collect()
}

fn sound(formula: &Formula, features: &[&str]) {
    let (c, d, n) = (formula.outputs(), features.len(), formula.parameters().len());
    let printed: Vec<String> = (0..c).map(|k| formula.output_text(k)).collect();
    let again = Formula::several(&printed, features).expect("as it was printed");
    assert!(again == *formula, "{printed:?}");
    assert!(!formula.to_latex().is_empty() && !formula.to_unicode().is_empty());
    assert!(formula.linear_parameters().iter().chain(&formula.idle_parameters()).all(|j| *j < n));

    let mut evaluator = formula.evaluator();
    let m = c * SAMPLES;
    let (mut z, mut values, mut rows, mut columns) =
        (vec![0.0; m], vec![0.0; m], vec![0.0; n * m], vec![0.0; n * m]);
    let ends = [f64::INFINITY, f64::NAN, -1e300, 5e-324];
    for (theta, mut x) in [
        (numbers(n, 3), numbers(d * SAMPLES, 7)),
        (vec![0.0; n], vec![0.0; d * SAMPLES]),
        (ends.iter().copied().cycle().take(n).collect(), numbers(d * SAMPLES, 7)),
    ] {
        if let Some(last) = x.last_mut() {
            *last = 1e300;
        }
        evaluator.values(&theta, &x, &mut z);
        evaluator.values_jacobian(&theta, &x, &mut values, &mut rows);
        assert_eq!(bits(&z), bits(&values));
        evaluator.values_jacobian_by_columns(&theta, &x, &mut values, &mut columns);
        assert_eq!(bits(&z), bits(&values));
        let turned: Vec<f64> = (0..n * m).map(|at| columns[at % n * m + at / n]).collect();
        assert_eq!(bits(&rows), bits(&turned));
        // A sample alone.
        evaluator.values(&theta, &x[d * (SAMPLES - 1)..], &mut values[..c]);
        assert_eq!(bits(&values[..c]), bits(&z[m - c..]));
    }

    // As a node: the gradient and a product with the Hessian.
    let Ok(graph) = formula.graph() else { return assert!(n == 0 || d == 0) };
    let data = Dataset::from_slices(d, &numbers(d * SAMPLES, 7), c, &vec![1.0; m]);
    let data = data.expect("finite numbers");
    let risk = Risk::new(&graph, &data, SquaredError, NoPenalty).expect("a target for each output");
    let (theta, mut gradient, mut product) = (numbers(n, 3), vec![0.0; n], vec![0.0; n]);
    risk.value_gradient(&theta, &mut gradient);
    risk.linearize(&theta).hessian_vector(&vec![1.0; n], &mut product);
}
