//! A function of `secant` as its peers see it, the last point remembered.
//!
//! argmin, ganesh and basin ask for f and ∇f one by one. At one θ they are one evaluation, as they are to `secant`: what is compared is the
//! solvers, not what is asked twice.

use argmin::core as argmin;
use ganesh::Vector;
use nalgebra::{DMatrix, DVector};
use secant::faer::Mat;
use secant::{Curvature, Linearization, Objective};
use std::cell::RefCell;
use std::convert::Infallible;

/// f with its last θ, value and gradient.
pub struct Remembered<'a, P> {
    problem: &'a P,
    last: RefCell<Last>,
}

struct Last {
    theta: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

impl<'a, P: Objective> Remembered<'a, P> {
    pub fn new(problem: &'a P) -> Self {
        let n = problem.dim();
        // NaN is no point that anybody asks about.
        let last = Last { theta: vec![f64::NAN; n], value: f64::NAN, gradient: vec![0.0; n] };
        Self { problem, last: RefCell::new(last) }
    }

    /// `take(f(θ), ∇f(θ))`.
    fn at<T>(&self, theta: &[f64], take: impl FnOnce(f64, &[f64]) -> T) -> T {
        let mut last = self.last.borrow_mut();
        let Last { theta: known, value, gradient } = &mut *last;
        if known != theta {
            known.copy_from_slice(theta);
            *value = self.problem.value_gradient(theta, gradient);
        }
        take(*value, gradient)
    }
}

impl<P: Objective> argmin::CostFunction for Remembered<'_, P> {
    type Param = DVector<f64>;
    type Output = f64;

    fn cost(&self, theta: &DVector<f64>) -> Result<f64, argmin::Error> {
        Ok(self.at(theta.as_slice(), |value, _| value))
    }
}

impl<P: Objective> argmin::Gradient for Remembered<'_, P> {
    type Param = DVector<f64>;
    type Gradient = DVector<f64>;

    fn gradient(&self, theta: &DVector<f64>) -> Result<DVector<f64>, argmin::Error> {
        Ok(self.at(theta.as_slice(), |_, gradient| DVector::from_column_slice(gradient)))
    }
}

impl<P: Curvature> argmin::Hessian for Remembered<'_, P> {
    type Param = DVector<f64>;
    type Hessian = DMatrix<f64>;

    fn hessian(&self, theta: &DVector<f64>) -> Result<DMatrix<f64>, argmin::Error> {
        let n = theta.len();
        let mut hessian = Mat::zeros(n, n);
        self.problem.linearize(theta.as_slice()).hessian(hessian.as_mut());
        Ok(DMatrix::from_fn(n, n, |i, j| hessian[(i, j)]))
    }
}

/// The entries of a vector of ganesh.
fn entries(theta: &Vector) -> Vec<f64> {
    theta.as_slice().map_or_else(|| theta.to_vec(), <[f64]>::to_vec)
}

impl<P: Objective> ganesh::traits::CostFunction for Remembered<'_, P> {
    fn evaluate(&self, theta: &Vector, _args: &()) -> Result<f64, Infallible> {
        Ok(self.at(&entries(theta), |value, _| value))
    }
}

impl<P: Objective> ganesh::traits::Gradient for Remembered<'_, P> {
    fn gradient(&self, theta: &Vector, _args: &()) -> Result<Vector, Infallible> {
        Ok(self.at(&entries(theta), |_, gradient| Vector::from_vec(gradient.to_vec())))
    }
}

impl<P: Objective> basin::CostFunction for Remembered<'_, P> {
    type Param = Vec<f64>;
    type Output = f64;
    type Error = Infallible;

    fn cost(&self, theta: &Vec<f64>) -> Result<f64, Infallible> {
        Ok(self.at(theta, |value, _| value))
    }
}

impl<P: Objective> basin::Gradient for Remembered<'_, P> {
    type Gradient = Vec<f64>;

    fn gradient(&self, theta: &Vec<f64>) -> Result<Vec<f64>, Infallible> {
        Ok(self.at(theta, |_, gradient| gradient.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rosenbrock::Rosenbrock;

    #[test]
    fn the_point_that_is_asked_about_is_the_one_that_is_answered() {
        let (problem, there) = (Rosenbrock { n: 3 }, vec![0.3, -0.2, 1.1]);
        let remembered = Remembered::new(&problem);
        for theta in [vec![1.3, 0.7, 0.8], there.clone(), there] {
            let mut gradient = vec![0.0; 3];
            let value = problem.value_gradient(&theta, &mut gradient);
            assert_eq!(basin::CostFunction::cost(&remembered, &theta), Ok(value));
            assert_eq!(basin::Gradient::gradient(&remembered, &theta), Ok(gradient));
        }
    }
}
