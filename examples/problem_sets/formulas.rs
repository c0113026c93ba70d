//! The model functions of NIST's nonlinear problems as people type them.

#[path = "../formulas/models.rs"]
mod texts;

use secant::Formula;
use secant::formula::FormulaError;

/// The model of `name`, those of the example `formulas`; `None` where there is none. Nelson's is that of log y.
pub fn formula(name: &str) -> Option<Result<Formula, FormulaError>> {
    let text = texts::formula(name)?;
    let features: &[&str] = if name == "Nelson" { &["x1", "x2"] } else { &["x"] };
    Some(Formula::new(text, features))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{MODELS, linear};
    use crate::nist;
    use std::path::Path;

    /// Where parameters b₁ … bₙ stand among those of the formula.
    fn order(formula: &Formula) -> Vec<usize> {
        let number = |name: &String| name[1..].parse::<usize>().map(|number| number - 1);
        formula.parameters().iter().map(number).collect::<Result<_, _>>().unwrap()
    }

    /// At even points, θ near 1: no set's file is needed.
    #[test]
    fn derivatives_of_formulas_are_those_by_hand() {
        for (name, n, model) in MODELS {
            let formula = formula(name).unwrap().unwrap();
            let order = order(&formula);
            let d = formula.features().len();
            let b: Vec<f64> = (0..n).map(|j| 0.9 + 0.13 * j as f64).collect();
            let theta: Vec<f64> = order.iter().map(|&j| b[j]).collect();
            let x: Vec<f64> = (0..20 * d).map(|i| 0.2 + 0.37 * i as f64 / d as f64).collect();
            agree(name, &formula, &order, (&b, &theta), &x, model);
        }
    }

    fn agree(
        name: &str,
        formula: &Formula,
        order: &[usize],
        (b, theta): (&[f64], &[f64]),
        x: &[f64],
        model: crate::models::Model,
    ) {
        let (n, d) = (b.len(), formula.features().len());
        let samples = x.len() / d;
        let (mut values, mut rows) = (vec![0.0; samples], vec![0.0; n * samples]);
        formula.evaluator().values_jacobian(theta, x, &mut values, &mut rows);
        let mut by_hand = vec![0.0; n];
        for (i, x) in x.chunks_exact(d).enumerate() {
            let value = model(b, x, &mut by_hand);
            let size =
                by_hand.iter().zip(b).fold(value.abs(), |most, (g, b)| most.max((g * b).abs()));
            assert!((values[i] - value).abs() <= 1e-13 * size, "{name}: {} {value}", values[i]);
            for (entry, &j) in rows[i * n..].iter().zip(order) {
                let error = (entry - by_hand[j]).abs();
                assert!(
                    error <= 1e-13 * by_hand[j].abs().max(size / b[j].abs()),
                    "{name}, b{}: {entry} {}",
                    j + 1,
                    by_hand[j]
                );
            }
        }
    }

    /// The linear parameters that are found are at least as many as those by hand.
    #[test]
    fn linear_parameters_of_formulas_are_those_by_hand() {
        for (name, ..) in MODELS {
            let formula = formula(name).unwrap().unwrap();
            let order = order(&formula);
            let mut found: Vec<usize> =
                formula.linear_parameters().into_iter().map(|j| order[j]).collect();
            found.sort_unstable();
            let wanted: Vec<usize> = linear(name).iter().cloned().flatten().collect();
            assert_eq!(found, wanted, "{name}");
        }
    }

    /// At NIST's starts, where the sets are at hand.
    #[test]
    fn derivatives_of_formulas_are_those_by_hand_at_the_starts() {
        let folder = Path::new("../shared/data/nist-strd");
        if !folder.is_dir() {
            return;
        }
        for set in nist::sets(folder).unwrap() {
            let formula = formula(&set.name).unwrap().unwrap();
            let order = order(&formula);
            let model = crate::models::model(&set.name).unwrap();
            for b in &set.starts {
                let theta: Vec<f64> = order.iter().map(|&j| b[j]).collect();
                agree(&set.name, &formula, &order, (b, &theta), &set.x, model);
            }
        }
    }
}
