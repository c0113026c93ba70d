//! Value and gradient on some of the samples.

use super::{Checks, DIFFERENCE_TOLERANCE, EXACT_TOLERANCE, differences, distance, scales};
use crate::problem::{Objective, SampledObjective};

/// The mean over fixed samples, as an objective.
struct On<'a, P> {
    problem: &'a P,
    indices: &'a [usize],
}

impl<P: SampledObjective> Objective for On<'_, P> {
    fn dim(&self) -> usize {
        self.problem.parameters()
    }
    fn value(&self, theta: &[f64]) -> f64 {
        self.value_gradient(theta, &mut vec![0.0; theta.len()])
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.problem.value_gradient_on(self.indices, theta, gradient)
    }
}

/// The mean over the samples `indices` at θ: its gradient against central differences, and both against the mean of the samples
/// one by one. 2n + 1 evaluations on the batch and one on every sample.
///
/// # Panics
/// As the problem does where `indices` is empty or names a sample that is not there.
pub fn sampled(problem: &impl SampledObjective, indices: &[usize], theta: &[f64]) -> Checks {
    let on = On { problem, indices };
    let n = on.dim();
    let (mut gradient, mut one, mut mean) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    let value = on.value_gradient(theta, &mut gradient);
    let mut checks = Checks::default();
    let differences = differences::of_values(&on, theta, &gradient, DIFFERENCE_TOLERANCE);
    let error = differences.distance(&gradient, Some(&scales(theta)));
    checks.push("batch gradient, differences of values", error, DIFFERENCE_TOLERANCE);
    let share = 1.0 / indices.len() as f64;
    let mut mean_value = 0.0;
    for index in indices {
        mean_value += share * problem.value_gradient_on(&[*index], theta, &mut one);
        mean.iter_mut().zip(&one).for_each(|(mean, one)| *mean += share * one);
    }
    checks.push(
        "batch value, mean of its samples",
        distance(&[value], &[mean_value]),
        EXACT_TOLERANCE,
    );
    checks.push("batch gradient, mean of its samples", distance(&gradient, &mean), EXACT_TOLERANCE);
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// f = mean over (1, 2, 4) of a·x²/2, with a sum in place of the mean, or a wrong slope.
    struct Weights {
        sum: bool,
        slope: f64,
    }

    impl SampledObjective for Weights {
        fn parameters(&self) -> usize {
            1
        }
        fn samples(&self) -> usize {
            3
        }
        fn value_gradient_on(&self, indices: &[usize], theta: &[f64], gradient: &mut [f64]) -> f64 {
            let total: f64 = indices.iter().map(|&index| [1.0, 2.0, 4.0][index]).sum();
            let mean = if self.sum { total } else { total / indices.len() as f64 };
            gradient[0] = mean * theta[0] * self.slope;
            0.5 * mean * theta[0] * theta[0]
        }
    }

    #[test]
    fn a_mean_passes_and_a_sum_or_a_wrong_slope_does_not() {
        let check = |sum, slope| sampled(&Weights { sum, slope }, &[2, 0, 2], &[0.7]).passed();
        assert!(check(false, 1.0));
        assert!(!check(true, 1.0));
        assert!(!check(false, 1.0001));
    }
}
