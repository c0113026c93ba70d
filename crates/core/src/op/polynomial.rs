//! All monomials of the inputs up to a degree.
//!
//! Order: by degree; within a degree by the factors, written in the order of the inputs, lexicographically. For a, b, c and degree 2:
//! a, b, c, a², ab, ac, b², bc, c²; with products of different inputs only: a, b, c, ab, ac, bc; with the constant: a 1 before all.
//! A monomial is the product of its first factor and one of the degree below, and those of one first factor are a run: every run is one
//! multiplication of a slice by a number, so that a sample costs a multiplication per monomial.

use super::kernel::MAX_DEGREE;
use super::{At, Bar, Dependence, Dot, Op, OpDescription, one_input};
use crate::elementwise::vectorize;
use crate::shape::{Shape, ShapeError};
use serde::{Deserialize, Serialize};

/// Factors of a monomial at most, as an array has them.
const FACTORS: usize = MAX_DEGREE as usize;

/// A feature map without parameters: monomials.
///
/// ```
/// use secant_core::op::Polynomial;
///
/// assert_eq!(Polynomial::new(2).outputs(3), 9);
/// assert_eq!(Polynomial::new(2).interactions_only().with_constant().outputs(3), 7);
/// assert_eq!(Polynomial::new(30).outputs(1_000_000), usize::MAX); // more than there are numbers for
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Polynomial {
    degree: u32,
    #[serde(default, skip_serializing_if = "is_false")]
    interactions_only: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    constant: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it by reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Polynomial {
    /// Monomials of degree 1 to `degree`, at most 32.
    pub fn new(degree: u32) -> Self {
        Self { degree, interactions_only: false, constant: false }
    }

    /// Without powers: products of different inputs only.
    pub fn interactions_only(self) -> Self {
        Self { interactions_only: true, ..self }
    }

    /// With the monomial of degree 0, a 1: for a dense node without bias behind it.
    pub fn with_constant(self) -> Self {
        Self { constant: true, ..self }
    }

    /// Number of monomials of so many inputs, saturating: C(d + degree, degree) − 1, or Σ C(d, q) with interactions only; one more with
    /// the constant.
    pub fn outputs(self, features: usize) -> usize {
        let constant = usize::from(self.constant);
        if !self.interactions_only {
            // Those of degree 0 to `degree` together, without the constant.
            let degree = self.degree as usize;
            return match binomial(features.saturating_add(degree), degree) {
                usize::MAX => usize::MAX,
                all => constant + (all - 1),
            };
        }
        // No product has more factors than there are inputs; the sum saturates before it is long.
        let mut total = constant;
        for degree in 1..=self.degree {
            let more = self.run(features, degree);
            if more == 0 || total == usize::MAX {
                break;
            }
            total = total.saturating_add(more);
        }
        total
    }

    /// Monomials of exactly `degree` in `inputs` inputs (saturating).
    fn run(self, inputs: usize, degree: u32) -> usize {
        let degree = degree as usize;
        match (self.interactions_only, inputs) {
            (true, inputs) => binomial(inputs, degree),
            (false, 0) => 0,
            (false, inputs) => binomial(inputs.saturating_add(degree - 1), degree),
        }
    }

    /// Calls `run(first, input, source, length)` for every run above degree 1: z[first..][..length] = x[input]·z[source..][..length].
    fn for_each_run(self, inputs: usize, mut run: impl FnMut(usize, usize, usize, usize)) {
        let mut end = usize::from(self.constant) + inputs;
        for degree in 2..=self.degree {
            let previous_end = end;
            for input in 0..inputs {
                // What may follow this input as a first factor.
                let followers = inputs - input - usize::from(self.interactions_only);
                let length = self.run(followers, degree - 1);
                run(end, input, previous_end - length, length);
                end += length;
            }
        }
    }

    /// Calls `monomial(index, factors)` for every monomial but the constant.
    fn for_each_monomial(self, inputs: usize, mut monomial: impl FnMut(usize, &[usize])) {
        let step = usize::from(self.interactions_only);
        let mut index = usize::from(self.constant);
        for degree in 1..=self.degree as usize {
            // The smallest one: 0, 0, 0 … or 0, 1, 2 …
            if step * (degree - 1) >= inputs {
                return;
            }
            let mut factors = [0; FACTORS];
            let factors = &mut factors[..degree];
            factors.iter_mut().enumerate().for_each(|(place, factor)| *factor = step * place);
            loop {
                monomial(index, factors);
                index += 1;
                // The last factor that can still grow, and what follows it as small as may be.
                let largest = |place: usize| inputs - 1 - step * (degree - 1 - place);
                let Some(place) = (0..degree).rev().find(|&place| factors[place] < largest(place))
                else {
                    break;
                };
                let next = factors[place] + 1;
                for (offset, factor) in factors[place..].iter_mut().enumerate() {
                    *factor = next + step * offset;
                }
            }
        }
    }
}

/// C(n, k), saturating.
fn binomial(n: usize, k: usize) -> usize {
    if k > n {
        return 0;
    }
    let mut value: u128 = 1;
    for step in 0..k.min(n - k) as u128 {
        // Exact: a product of consecutive binomials.
        value = value * (n as u128 - step) / (step + 1);
        if value > usize::MAX as u128 {
            return usize::MAX;
        }
    }
    usize::try_from(value).unwrap_or(usize::MAX)
}

impl Op for Polynomial {
    fn name(&self) -> String {
        "polynomial".into()
    }

    fn describe(&self) -> Option<OpDescription> {
        OpDescription::with_options("polynomial", self)
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = one_input(inputs)?;
        if !(1..=MAX_DEGREE).contains(&self.degree) {
            let (option, value, allowed) = ("degree", f64::from(self.degree), "between 1 and 32");
            return Err(ShapeError::Option { option, value, allowed });
        }
        Ok(Shape::vector(self.outputs(input.len())))
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        let (inputs, rows) = (at.x.rows(0), z.len() / at.batch);
        let first = usize::from(self.constant);
        for (z, x) in z.chunks_exact_mut(rows).zip(at.x.get(0).chunks_exact(inputs)) {
            z[..first].fill(1.0);
            z[first..first + inputs].copy_from_slice(x);
            self.for_each_run(inputs, |first, input, source, length| {
                let (lower, upper) = z.split_at_mut(first);
                let factor = x[input];
                let pairs = upper[..length].iter_mut().zip(&lower[source..source + length]);
                pairs.for_each(|(z, lower)| *z = factor * lower);
            });
        }
    }

    /// ż = ẋ·z_lower + x·ż_lower, run by run.
    fn tangent(&self, at: At<'_>, z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        let Some(x_dot) = dot.x.get(0) else { return z_dot.fill(0.0) };
        let (inputs, rows) = (at.x.rows(0), z.len() / at.batch);
        let first = usize::from(self.constant);
        let samples = at.x.get(0).chunks_exact(inputs).zip(x_dot.chunks_exact(inputs));
        let columns = z_dot.chunks_exact_mut(rows).zip(z.chunks_exact(rows));
        for ((z_dot, z), (x, x_dot)) in columns.zip(samples) {
            z_dot[..first].fill(0.0);
            z_dot[first..first + inputs].copy_from_slice(x_dot);
            self.for_each_run(inputs, |first, input, source, length| {
                let (lower_dot, upper_dot) = z_dot.split_at_mut(first);
                let (factor, factor_dot) = (x[input], x_dot[input]);
                let lower = source..source + length;
                let pairs = z[lower.clone()].iter().zip(&lower_dot[lower]);
                vectorize(
                    #[inline(always)]
                    || {
                        let terms = upper_dot[..length].iter_mut().zip(pairs.clone());
                        for (z_dot, (lower, lower_dot)) in terms {
                            *z_dot = factor_dot * lower + factor * lower_dot;
                        }
                    },
                );
            });
        }
    }

    /// x̄_i += z̄·∂z/∂x_i, with ∂z/∂x_i the product of the other factors, once for every time that i is one.
    fn adjoint(&self, at: At<'_>, _z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        let Some(slot) = bar.x.slot(0) else { return };
        let (inputs, rows) = (at.x.rows(0), z_bar.len() / at.batch);
        let samples = at.x.get(0).chunks_exact(inputs).zip(z_bar.chunks_exact(rows));
        for (x_bar, (x, z_bar)) in slot.zeroed().chunks_exact_mut(inputs).zip(samples) {
            self.for_each_monomial(inputs, |index, factors| {
                // `before[t]`: the product of the first t factors.
                let mut before = [1.0; FACTORS];
                for place in 1..factors.len() {
                    before[place] = before[place - 1] * x[factors[place - 1]];
                }
                let mut after = z_bar[index];
                for (place, &factor) in factors.iter().enumerate().rev() {
                    x_bar[factor] += before[place] * after;
                    after *= x[factor];
                }
            });
        }
    }

    /// The derivative of `adjoint`, product rule on the factors before, those after and z̄.
    fn adjoint_tangent(
        &self,
        at: At<'_>,
        _z: &[f64],
        z_bar: &[f64],
        dot: Dot<'_>,
        _z_dot: &[f64],
        z_bar_dot: &[f64],
        bar: &mut Bar<'_>,
    ) {
        let (Some(slot), Some(x_dot)) = (bar.x.slot(0), dot.x.get(0)) else { return };
        let (inputs, rows) = (at.x.rows(0), z_bar.len() / at.batch);
        let points = at.x.get(0).chunks_exact(inputs).zip(x_dot.chunks_exact(inputs));
        let bars = z_bar.chunks_exact(rows).zip(z_bar_dot.chunks_exact(rows));
        let samples = points.zip(bars);
        for (x_bar_dot, ((x, x_dot), (z_bar, z_bar_dot))) in
            slot.zeroed().chunks_exact_mut(inputs).zip(samples)
        {
            self.for_each_monomial(inputs, |index, factors| {
                let (mut before, mut before_dot) = ([1.0; FACTORS], [0.0; FACTORS]);
                for place in 1..factors.len() {
                    let factor = factors[place - 1];
                    before[place] = before[place - 1] * x[factor];
                    before_dot[place] =
                        before_dot[place - 1] * x[factor] + before[place - 1] * x_dot[factor];
                }
                let (mut after, mut after_dot) = (z_bar[index], z_bar_dot[index]);
                for (place, &factor) in factors.iter().enumerate().rev() {
                    x_bar_dot[factor] += before_dot[place] * after + before[place] * after_dot;
                    after_dot = after_dot * x[factor] + after * x_dot[factor];
                    after *= x[factor];
                }
            });
        }
    }

    fn dependence(&self, active: &[bool]) -> Dependence {
        if active[0] { Dependence::Nonlinear } else { Dependence::Affine }
    }

    fn flops(&self, _inputs: &[Shape], output: &Shape) -> usize {
        output.len()
    }
}
