//! The model functions of NIST's nonlinear problems as people type them.

use secant::Formula;
use secant::formula::FormulaError;

/// Every set of [`MODELS`](crate::models::MODELS), parameters in the order of NIST. Nelson's is that of log y.
pub const FORMULAS: [(&str, &str); 27] = [
    ("Misra1a", "b1*(1 - exp(-b2*x))"),
    ("Chwirut2", "exp(-b1*x)/(b2 + b3*x)"),
    ("Chwirut1", "exp(-b1*x)/(b2 + b3*x)"),
    ("Lanczos3", "b1*exp(-b2*x) + b3*exp(-b4*x) + b5*exp(-b6*x)"),
    ("Gauss1", "b1*exp(-b2*x) + b3*exp(-(x - b4)^2/b5^2) + b6*exp(-(x - b7)^2/b8^2)"),
    ("Gauss2", "b1*exp(-b2*x) + b3*exp(-(x - b4)^2/b5^2) + b6*exp(-(x - b7)^2/b8^2)"),
    ("DanWood", "b1*x^b2"),
    ("Misra1b", "b1*(1 - (1 + b2*x/2)^(-2))"),
    ("Kirby2", "(b1 + b2*x + b3*x^2)/(1 + b4*x + b5*x^2)"),
    ("Hahn1", "(b1 + b2*x + b3*x^2 + b4*x^3)/(1 + b5*x + b6*x^2 + b7*x^3)"),
    ("Nelson", "b1 - b2*x1*exp(-b3*x2)"),
    ("MGH17", "b1 + b2*exp(-x*b4) + b3*exp(-x*b5)"),
    ("Lanczos1", "b1*exp(-b2*x) + b3*exp(-b4*x) + b5*exp(-b6*x)"),
    ("Lanczos2", "b1*exp(-b2*x) + b3*exp(-b4*x) + b5*exp(-b6*x)"),
    ("Gauss3", "b1*exp(-b2*x) + b3*exp(-(x - b4)^2/b5^2) + b6*exp(-(x - b7)^2/b8^2)"),
    ("Misra1c", "b1*(1 - (1 + 2*b2*x)^(-.5))"),
    ("Misra1d", "b1*b2*x*(1 + b2*x)^(-1)"),
    ("Roszman1", "b1 - b2*x - atan(b3/(x - b4))/pi"),
    (
        "ENSO",
        "b1 + b2*cos(2*pi*x/12) + b3*sin(2*pi*x/12) + b5*cos(2*pi*x/b4) + b6*sin(2*pi*x/b4) + b8*cos(2*pi*x/b7) + b9*sin(2*pi*x/b7)",
    ),
    ("MGH09", "b1*(x^2 + x*b2)/(x^2 + x*b3 + b4)"),
    ("Thurber", "(b1 + b2*x + b3*x^2 + b4*x^3)/(1 + b5*x + b6*x^2 + b7*x^3)"),
    ("BoxBOD", "b1*(1 - exp(-b2*x))"),
    ("Rat42", "b1/(1 + exp(b2 - b3*x))"),
    ("MGH10", "b1*exp(b2/(x + b3))"),
    ("Eckerle4", "(b1/b2)*exp(-0.5*((x - b3)/b2)^2)"),
    ("Rat43", "b1/((1 + exp(b2 - b3*x))^(1/b4))"),
    ("Bennett5", "b1*(b2 + x)^(-1/b3)"),
];

/// The model of `name`; `None` where there is none.
pub fn formula(name: &str) -> Option<Result<Formula, FormulaError>> {
    let (_, text) = FORMULAS.iter().find(|(known, _)| *known == name)?;
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
