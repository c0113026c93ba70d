//! A problem that has its last evaluation at hand for whoever asks for it again.

use faer::MatMut;
use secant_core::problem::{Asked, Curvature, InBox, LeastSquares, Objective, Structure};
use std::cell::RefCell;

#[derive(Debug)]
struct Evaluation {
    theta: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

/// The problem, and its last f with ∇f.
#[derive(Debug)]
pub(crate) struct Remembered<'p, P> {
    problem: &'p P,
    last: RefCell<Option<Evaluation>>,
}

impl<'p, P> Remembered<'p, P> {
    pub(crate) fn new(problem: &'p P) -> Self {
        Self { problem, last: RefCell::new(None) }
    }
}

/// Whether two points have the same bits: −0 is not 0, and NaN is itself.
fn is_same(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

impl<P: Objective> Objective for Remembered<'_, P> {
    fn dim(&self) -> usize {
        self.problem.dim()
    }
    fn value(&self, theta: &[f64]) -> f64 {
        self.problem.value(theta)
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let mut last = self.last.borrow_mut();
        if let Some(last) = last.as_ref().filter(|last| is_same(&last.theta, theta)) {
            gradient.copy_from_slice(&last.gradient);
            return last.value;
        }
        let value = self.problem.value_gradient(theta, gradient);
        let (theta, gradient) = (theta.to_vec(), gradient.to_vec());
        *last = Some(Evaluation { theta, value, gradient });
        value
    }
    fn value_gradient_within(&self, theta: &[f64], within: InBox<'_>, gradient: &mut [f64]) -> f64 {
        self.problem.value_gradient_within(theta, within, gradient)
    }
    fn notes(&self, theta: &[f64], asked: Asked<'_>) -> Vec<String> {
        self.problem.notes(theta, asked)
    }
    fn fault(&self) -> Option<String> {
        self.problem.fault()
    }
}

impl<P: Curvature> Curvature for Remembered<'_, P> {
    type At<'a>
        = P::At<'a>
    where
        Self: 'a;
    fn linearize(&self, theta: &[f64]) -> Self::At<'_> {
        self.problem.linearize(theta)
    }
    fn linearize_within(&self, theta: &[f64], within: InBox<'_>) -> Self::At<'_> {
        self.problem.linearize_within(theta, within)
    }
    fn hessian_at(&self, theta: &[f64], out: MatMut<'_, f64>) {
        self.problem.hessian_at(theta, out);
    }
    fn gauss_newton_at(&self, theta: &[f64], out: MatMut<'_, f64>) {
        self.problem.gauss_newton_at(theta, out);
    }
    fn hessian_block_at(
        &self,
        theta: &[f64],
        rows: &[usize],
        columns: &[usize],
        out: MatMut<'_, f64>,
    ) {
        self.problem.hessian_block_at(theta, rows, columns, out);
    }
    fn as_least_squares(&self) -> Option<Box<dyn LeastSquares + '_>> {
        self.problem.as_least_squares()
    }
    fn structure(&self) -> Structure {
        self.problem.structure()
    }
}
