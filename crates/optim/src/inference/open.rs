//! Directions that the data leave open, in words.

use crate::run::nonfinite;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Coefficients within this of an integer are that integer: an open direction is known to about √ε.
const INTEGER: f64 = 1e-6;

/// A direction along which the fit does not change to first order: θ + t·v fits as well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenDirection {
    /// v, one coefficient per parameter of the problem; those without a part in it are 0, the least of the others is ±1.
    #[serde(with = "nonfinite::list")]
    pub coefficients: Vec<f64>,
    words: String,
}

impl OpenDirection {
    pub(super) fn new(direction: &[f64], names: &[String]) -> Self {
        let sizes = direction.iter().filter(|value| **value != 0.0).map(|value| value.abs());
        let least = sizes.fold(f64::INFINITY, f64::min);
        let first = direction.iter().find(|value| **value != 0.0).map_or(1.0, |v| v.signum());
        let scaled: Vec<f64> = direction.iter().map(|value| value / least * first).collect();
        let whole = |value: &f64| (value - value.round()).abs() <= INTEGER;
        let coefficients: Vec<f64> = scaled
            .iter()
            .map(|value| if whole(value) { value.round() + 0.0 } else { *value })
            .collect();
        Self { words: words(&coefficients, names), coefficients }
    }
}

impl fmt::Display for OpenDirection {
    /// `only a − 2·c is determined of a and c`, `nothing depends on b`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

fn words(direction: &[f64], names: &[String]) -> String {
    let part: Vec<usize> = (0..direction.len()).filter(|j| direction[*j] != 0.0).collect();
    match part[..] {
        [] => String::new(),
        [one] => format!("nothing depends on {}", names[one]),
        [a, b] => {
            // Orthogonal to the direction, with a coefficient of 1.
            let (x, y) = (direction[a], direction[b]);
            let (x, y) = if x.abs() >= y.abs() { (1.0, -x / y) } else { (-y / x, 1.0) };
            let (x, y) = if x < 0.0 { (-x, -y) } else { (x, y) };
            let combination = sum([(x, &names[a]), (y, &names[b])]);
            format!("only {combination} is determined of {} and {}", names[a], names[b])
        }
        _ => {
            let moved = part.iter().map(|j| {
                let sign = if direction[*j] < 0.0 { '−' } else { '+' };
                format!("{} {sign} {}t", names[*j], factor(direction[*j]))
            });
            format!("{} fits as well, whatever t", moved.collect::<Vec<_>>().join(", "))
        }
    }
}

/// 2·a − b
fn sum<'a>(terms: impl IntoIterator<Item = (f64, &'a String)>) -> String {
    let mut text = String::new();
    for (coefficient, name) in terms {
        let sign = match (text.is_empty(), coefficient < 0.0) {
            (true, false) => "",
            (true, true) => "−",
            (false, false) => " + ",
            (false, true) => " − ",
        };
        text = [&text, sign, &factor(coefficient), name].concat();
    }
    text
}

/// `2·`, or nothing for 1; six digits.
fn factor(coefficient: f64) -> String {
    let size = coefficient.abs();
    if size == 1.0 {
        return String::new();
    }
    let short: f64 = format!("{size:.5e}").parse().unwrap_or(size);
    if (1e-4..1e6).contains(&short) { format!("{short}·") } else { format!("{short:e}·") }
}
