//! Objectives from a [`Function`].

use super::scratch::{Lane, Pool, Scratch};
use super::{
    Evaluate, Visit, blocks, first_order, first_order_cost, hessian_cost, product_cost, products,
};
use crate::problem::uncounted::{NO_GAUSS_NEWTON, VALUE};
use faer::MatMut;
use secant_core::problem::{
    Asked, Costs, Curvature, Derivatives, Linearization, Objective, Structure,
};
use secant_core::real::{Dual, Function};
use std::fmt;

/// f(θ) with exact gradients, Hessian products and Hessians from one generic function: [`function`] makes it.
///
/// A gradient is ⌈n/8⌉ passes of the function with eight partial derivatives, a Hessian product as many with twice the numbers, a dense
/// Hessian n²/32 passes with 25 numbers: for n to some hundreds. f has no Gauss–Newton matrix: methods that ask for one get the Hessian.
/// Nothing is allocated after the first evaluation of a kind.
pub struct DualObjective<F> {
    function: F,
    pool: Pool<Scratch>,
    kept: Pool<Kept>,
}

/// An objective from a [`Function`], for every method.
///
/// ```
/// use secant_core::real::{Function, Real};
/// use secant_optim::{Newton, function, minimize};
///
/// struct Rosenbrock;
///
/// impl Function for Rosenbrock {
///     fn parameters(&self) -> usize { 2 }
///     fn value<T: Real>(&self, x: &[T]) -> T {
///         (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2)
///     }
/// }
///
/// let solution = minimize(&function(Rosenbrock), Newton::default(), &[-1.2, 1.0])?;
/// assert!((solution.theta[0] - 1.0).abs() < 1e-12);
/// # Ok::<(), secant_optim::OptimError>(())
/// ```
pub fn function<F: Function>(function: F) -> DualObjective<F> {
    DualObjective { function, pool: Pool::default(), kept: Pool::default() }
}

/// What a linearisation keeps.
#[derive(Debug, Default)]
struct Kept {
    theta: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

impl<F: Function> fmt::Debug for DualObjective<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters = self.function.parameters();
        f.debug_struct("DualObjective").field("parameters", &parameters).finish_non_exhaustive()
    }
}

/// A function as passes see it: one output.
struct Value<'a, F>(&'a F);

impl<F: Function> Evaluate for Value<'_, F> {
    fn evaluate<T: Lane>(&self, theta: &[T], out: &mut [T]) {
        out[0] = self.0.value(theta);
    }
    fn outputs(&self) -> usize {
        1
    }
}

/// f and ∇f of passes.
struct Gradient<'a> {
    value: f64,
    gradient: &'a mut [f64],
}

impl Visit for Gradient<'_> {
    fn visit<const K: usize>(&mut self, first: usize, found: &[Dual<f64, K>]) {
        self.value = found[0].value;
        self.gradient[first..].iter_mut().zip(found[0].partials).for_each(|(g, d)| *g = d);
    }
}

impl<F: Function> DualObjective<F> {
    /// The function.
    pub fn inner(&self) -> &F {
        &self.function
    }
}

impl<F: Function> Objective for DualObjective<F> {
    fn dim(&self) -> usize {
        self.function.parameters()
    }
    fn value(&self, theta: &[f64]) -> f64 {
        self.function.value(theta)
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        if theta.is_empty() {
            return self.value(theta);
        }
        let mut found = Gradient { value: f64::NAN, gradient };
        self.pool.with(|scratch| {
            first_order(&Value(&self.function), theta, scratch, &mut found);
        });
        found.value
    }
    fn notes(&self, _theta: &[f64], asked: Asked<'_>) -> Vec<String> {
        let none = asked.gauss_newton.then(|| NO_GAUSS_NEWTON.to_owned());
        none.into_iter().collect()
    }
}

impl<F: Function> Curvature for DualObjective<F> {
    type At<'a>
        = DualObjectiveAt<'a, F>
    where
        Self: 'a;

    fn linearize(&self, theta: &[f64]) -> DualObjectiveAt<'_, F> {
        let mut kept = self.kept.take();
        kept.theta.clear();
        kept.theta.extend_from_slice(theta);
        kept.gradient.resize(theta.len(), 0.0);
        kept.value = self.value_gradient(theta, &mut kept.gradient);
        DualObjectiveAt { problem: self, kept: Some(kept) }
    }

    fn structure(&self) -> Structure {
        let n = self.dim();
        let value = VALUE * n as f64;
        let evaluation = value * first_order_cost(n);
        let (hessian, product) = (value * hessian_cost(n), value * product_cost(n));
        let costs = Costs {
            hessian,
            hessian_vector: product,
            gauss_newton: hessian,
            gauss_newton_vector: product,
            ..Costs::of_evaluation(evaluation, n)
        };
        let second_derivatives = Derivatives::Exact;
        Structure { second_derivatives, costs: Some(costs), ..Structure::default() }
    }
}

/// A [`DualObjective`] at one θ.
#[derive(Debug)]
pub struct DualObjectiveAt<'a, F: Function> {
    problem: &'a DualObjective<F>,
    /// Until it is dropped.
    kept: Option<Kept>,
}

impl<F: Function> DualObjectiveAt<'_, F> {
    fn kept(&self) -> &Kept {
        self.kept.as_ref().expect("kept until it is dropped")
    }
}

impl<F: Function> Drop for DualObjectiveAt<'_, F> {
    fn drop(&mut self) {
        self.kept.take().into_iter().for_each(|kept| self.problem.kept.give_back(kept));
    }
}

impl<F: Function> Linearization for DualObjectiveAt<'_, F> {
    fn value(&self) -> f64 {
        self.kept().value
    }

    fn gradient(&self) -> &[f64] {
        &self.kept().gradient
    }

    fn hessian_vector(&self, v: &[f64], out: &mut [f64]) {
        let (value, theta) = (Value(&self.problem.function), &self.kept().theta);
        self.problem.pool.with(|scratch| {
            products(&value, theta, v, scratch, |first, found| {
                let entries = found[0].partials.iter().map(|along| along.partials[0]);
                out[first..].iter_mut().zip(entries).for_each(|(out, entry)| *out = entry);
            });
        });
    }

    fn hessian(&self, mut out: MatMut<'_, f64>) {
        let (value, theta) = (Value(&self.problem.function), &self.kept().theta);
        let n = theta.len();
        self.problem.pool.with(|scratch| {
            blocks(&value, theta, scratch, |row, column, found| {
                for (i, along) in (row..n).zip(&found[0].partials) {
                    for (j, entry) in (column..n.min(i + 1)).zip(along.partials) {
                        (out[(i, j)], out[(j, i)]) = (entry, entry);
                    }
                }
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secant_core::real::Real;

    /// xᵀx·sin x₀.
    struct Wave(usize);

    impl Function for Wave {
        fn parameters(&self) -> usize {
            self.0
        }
        fn value<T: Real>(&self, x: &[T]) -> T {
            x.iter().map(|x| *x * *x).sum::<T>() * x[0].sin()
        }
    }

    /// Every remainder of n by the widths of passes and blocks.
    #[test]
    fn every_parameter_has_its_derivatives_whatever_their_number() {
        for n in 1..=18 {
            let (x, problem) =
                ((1..=n).map(|j| 0.1 * j as f64).collect::<Vec<_>>(), function(Wave(n)));
            let (s, c, square) = (x[0].sin(), x[0].cos(), x.iter().map(|x| x * x).sum::<f64>());
            let at = problem.linearize(&x);
            let first = |j: usize| if j == 0 { 1.0 } else { 0.0 };
            let gradient = |j: usize| 2.0 * x[j] * s + square * c * first(j);
            let second = |i: usize, j: usize| {
                let own = if i == j { 2.0 * s } else { 0.0 };
                let mixed = 2.0 * c * (x[i] * first(j) + x[j] * first(i));
                own + mixed - square * s * first(i) * first(j)
            };
            let mut h = faer::Mat::zeros(n, n);
            at.hessian(h.as_mut());
            let v: Vec<f64> = (0..n).map(|j| 1.0 - 0.3 * j as f64).collect();
            let mut product = vec![0.0; n];
            at.hessian_vector(&v, &mut product);
            for i in 0..n {
                assert!((at.gradient()[i] - gradient(i)).abs() < 1e-13);
                let expected: f64 = (0..n).map(|j| second(i, j) * v[j]).sum();
                assert!((product[i] - expected).abs() < 1e-13);
                for j in 0..n {
                    assert!((h[(i, j)] - second(i, j)).abs() < 1e-13, "n = {n}, {i} {j}");
                }
            }
        }
    }
}
