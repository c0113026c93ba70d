//! Central differences judged by scale: steps that fit the function are searched for where the usual one does not.
//!
//! (F(θ + hv) − F(θ − hv))/2h has an error of h² from the function's third derivative and of ε|F|/h from rounding. With h = ∛ε relative to
//! θ both are small where the function varies over the size of θ, and not where θ is a time stamp or nearly zero. Where the derivative
//! disagrees at that step, others are tried from ten times it down; every entry takes the step at which two neighbours agree best, and how
//! far they disagree is what the difference itself may be wrong by.

use crate::problem::Objective;

/// Steps that are tried, each a tenth of the one before; the first is ten times the usual one.
const STEPS: i32 = 11;
/// Rounding errors of a value, in ε.
const ROUNDINGS: f64 = 4.0;
/// A difference is never trusted less than to this part of its entry: one that knows nothing must not excuse a wrong derivative.
const LEAST_TRUST: f64 = 0.1;
/// Below this size a parameter has a scale of its own, and so it has above 1.
const ORDINARY: f64 = 1e-3;

/// The size of a parameter by which a direction moves it: its own, 1 in the ordinary range and at 0.
pub(super) fn scale(x: f64) -> f64 {
    let size = x.abs();
    if size == 0.0 || (ORDINARY..=1.0).contains(&size) { 1.0 } else { size }
}

/// Differences, and by how much each may be wrong.
#[derive(Clone, Debug, Default)]
pub(super) struct Differences {
    values: Vec<f64>,
    /// From the rounding of F.
    noise: Vec<f64>,
    /// How far two steps disagree.
    errors: Vec<f64>,
}

impl Differences {
    /// The largest distance of `derivative` from the differences, less their own errors, relative to the largest entry: of the entries
    /// as they are, and of those times `scales`, whichever is worse. NaN where an entry is no number.
    pub(super) fn distance(&self, derivative: &[f64], scales: Option<&[f64]>) -> f64 {
        let plain = self.weighted(derivative, |_| 1.0);
        // A NaN stays.
        match scales.map(|scales| self.weighted(derivative, |i| scales[i])) {
            Some(scaled) if scaled.is_nan() || scaled > plain => scaled,
            _ => plain,
        }
    }

    fn weighted(&self, derivative: &[f64], weight: impl Fn(usize) -> f64) -> f64 {
        let (mut most, mut size) = (0.0_f64, 0.0_f64);
        for (i, (a, b)) in derivative.iter().zip(&self.values).enumerate() {
            if !(a - b).is_finite() {
                return f64::NAN;
            }
            let entry = a.abs().max(b.abs());
            let allowed = self.noise[i] + self.errors[i].min(LEAST_TRUST * entry);
            let error = ((a - b).abs() - allowed).max(0.0);
            most = most.max(weight(i) * error);
            size = size.max(weight(i) * entry);
        }
        if size == 0.0 { 0.0 } else { most / size }
    }
}

/// Differences of F: ℝ → ℝᵐ at 0, `at(h)` = (F(h), F(−h), the distance between the two arguments, the part of it that the rounding of the
/// arguments may have changed), judged against `derivative`: by the step
/// `usual` alone where `fits`, else by the best of several.
fn differences(
    usual: f64,
    fits: impl Fn(&Differences) -> bool,
    mut at: impl FnMut(f64) -> (Vec<f64>, Vec<f64>, f64, f64),
) -> Differences {
    let mut quotients = |h: f64| -> Differences {
        let (above, below, apart, blur) = at(h);
        let values: Vec<f64> = above.iter().zip(&below).map(|(a, b)| (a - b) / apart).collect();
        let blurred = blur * values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        let noise = |(a, b): (&f64, &f64)| {
            ROUNDINGS * f64::EPSILON * a.abs().max(b.abs()) / apart + blurred
        };
        Differences {
            noise: above.iter().zip(&below).map(noise).collect(),
            values,
            errors: vec![0.0; above.len()],
        }
    };
    let mut best = quotients(usual);
    if fits(&best) {
        return best;
    }
    best.errors.fill(f64::INFINITY);
    let mut before = quotients(10.0 * usual);
    for k in 0..STEPS {
        let now = quotients(usual * 0.1_f64.powi(k));
        for i in 0..now.values.len() {
            let error = (now.values[i] - before.values[i]).abs();
            // Compared so that a NaN is no error.
            if error + now.noise[i] < best.errors[i] + best.noise[i] {
                (best.values[i], best.noise[i], best.errors[i]) =
                    (now.values[i], now.noise[i], error);
            }
        }
        before = now;
    }
    best
}

/// The differences of f along every parameter alone, for its gradient.
pub(super) fn of_values(
    problem: &impl Objective,
    theta: &[f64],
    gradient: &[f64],
    tolerance: f64,
) -> Differences {
    let largest = gradient.iter().fold(0.0_f64, |most, g| most.max(g.abs()));
    let mut moved = theta.to_vec();
    let mut all = Differences::default();
    for (index, (x, g)) in theta.iter().zip(gradient).enumerate() {
        // An entry may be as wrong as the largest one lets it, unless its parameter is of another size than usual.
        let share = if scale(*x) == 1.0 { largest } else { g.abs() };
        let fits = |one: &Differences| {
            (g - one.values[0]).abs() <= one.noise[0] + tolerance * share.max(one.values[0].abs())
        };
        let usual = f64::EPSILON.cbrt() * x.abs().max(1.0);
        let one = differences(usual, fits, |h| {
            let mut value = |x: f64| {
                moved[index] = x;
                vec![problem.value(&moved)]
            };
            let (above, below) = (x + h, x - h);
            // The distance that was really moved, rounding included.
            let values = (value(above), value(below), above - below, 0.0);
            moved[index] = *x;
            values
        });
        all.values.extend(one.values);
        all.noise.extend(one.noise);
        all.errors.extend(one.errors);
    }
    all
}

/// The differences along v of a function of θ with as many results as `derivative`; `scales` are those of the results.
pub(super) fn along(
    theta: &[f64],
    v: &[f64],
    derivative: &[f64],
    scales: Option<&[f64]>,
    tolerance: f64,
    mut function: impl FnMut(&[f64], &mut [f64]),
) -> Differences {
    let relative = theta.iter().zip(v).map(|(x, v)| v.abs() / scale(*x));
    let usual = f64::EPSILON.cbrt() / relative.fold(f64::MIN_POSITIVE, f64::max);
    let mut at = |h: f64| {
        let moved: Vec<f64> = theta.iter().zip(v).map(|(x, v)| x + h * v).collect();
        let mut out = vec![0.0; derivative.len()];
        function(&moved, &mut out);
        out
    };
    let fits = |all: &Differences| all.distance(derivative, scales) <= tolerance;
    differences(usual, fits, |h| {
        // θ ± hv is rounded entry by entry: the direction is another one by this part.
        let rounded = theta.iter().zip(v).filter(|(_, v)| **v != 0.0);
        let blur = rounded.map(|(x, v)| f64::EPSILON * x.abs() / (h * v.abs())).fold(0.0, f64::max);
        (at(h), at(-h), 2.0 * h, blur.min(LEAST_TRUST))
    })
}
