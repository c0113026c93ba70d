//! The other direction: any argmin solver on our problems.

use crate::error::OptimError;
use argmin::core::{CostFunction, Error, Gradient, Hessian};
use faer::Mat;
use secant_core::problem::{Curvature, Linearization, Objective};
use std::marker::PhantomData;

/// A problem in argmin's terms: `CostFunction` and `Gradient` of an [`Objective`], and `Hessian` of a [`Curvature`].
///
/// `V` is the parameter type that the argmin solver works on: `Vec<f64>` (Hessian: `Vec<Vec<f64>>`), or
/// `nalgebra::DVector<f64>` (Hessian: `DMatrix<f64>`) with the feature `nalgebra`. A parameter of another length than the
/// problem's is an [`OptimError::StartLength`].
#[derive(Debug)]
pub struct ArgminProblem<'a, P, V = Vec<f64>> {
    problem: &'a P,
    parameters: PhantomData<fn() -> V>,
}

impl<'a, P, V> ArgminProblem<'a, P, V> {
    /// Wraps a problem.
    pub fn new(problem: &'a P) -> Self {
        Self { problem, parameters: PhantomData }
    }
}

impl<P, V> Clone for ArgminProblem<'_, P, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, V> Copy for ArgminProblem<'_, P, V> {}

/// A parameter of another length than the problem's is the caller's mistake.
fn check_length<P: Objective>(problem: &P, theta: &[f64]) -> Result<(), OptimError> {
    let (expected, found) = (problem.dim(), theta.len());
    if expected == found { Ok(()) } else { Err(OptimError::StartLength { expected, found }) }
}

fn value<P: Objective>(problem: &P, theta: &[f64]) -> Result<f64, Error> {
    check_length(problem, theta)?;
    Ok(problem.value(theta))
}

fn write_gradient<P: Objective>(problem: &P, theta: &[f64], out: &mut [f64]) -> Result<(), Error> {
    check_length(problem, theta)?;
    problem.value_gradient(theta, out);
    Ok(())
}

fn dense_hessian<P: Curvature>(problem: &P, theta: &[f64]) -> Result<Mat<f64>, Error> {
    check_length(problem, theta)?;
    let mut hessian = Mat::zeros(problem.dim(), problem.dim());
    problem.linearize(theta).hessian(hessian.as_mut());
    Ok(hessian)
}

impl<P: Objective> CostFunction for ArgminProblem<'_, P> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, theta: &Vec<f64>) -> Result<f64, Error> {
        value(self.problem, theta)
    }
}

impl<P: Objective> Gradient for ArgminProblem<'_, P> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, theta: &Vec<f64>) -> Result<Vec<f64>, Error> {
        let mut gradient = vec![0.0; self.problem.dim()];
        write_gradient(self.problem, theta, &mut gradient)?;
        Ok(gradient)
    }
}

impl<P: Curvature> Hessian for ArgminProblem<'_, P> {
    type Param = Vec<f64>;
    type Hessian = Vec<Vec<f64>>;

    fn hessian(&self, theta: &Vec<f64>) -> Result<Vec<Vec<f64>>, Error> {
        let hessian = dense_hessian(self.problem, theta)?;
        Ok(hessian.row_iter().map(|row| row.iter().copied().collect()).collect())
    }
}

#[cfg(feature = "nalgebra")]
mod on_nalgebra {
    use super::{
        ArgminProblem, CostFunction, Curvature, Error, Gradient, Hessian, Objective, dense_hessian,
        value, write_gradient,
    };
    use nalgebra::{DMatrix, DVector};

    impl<P: Objective> CostFunction for ArgminProblem<'_, P, DVector<f64>> {
        type Param = DVector<f64>;
        type Output = f64;

        fn cost(&self, theta: &DVector<f64>) -> Result<f64, Error> {
            value(self.problem, theta.as_slice())
        }
    }

    impl<P: Objective> Gradient for ArgminProblem<'_, P, DVector<f64>> {
        type Param = DVector<f64>;
        type Gradient = DVector<f64>;

        fn gradient(&self, theta: &DVector<f64>) -> Result<DVector<f64>, Error> {
            let mut gradient = DVector::zeros(self.problem.dim());
            write_gradient(self.problem, theta.as_slice(), gradient.as_mut_slice())?;
            Ok(gradient)
        }
    }

    impl<P: Curvature> Hessian for ArgminProblem<'_, P, DVector<f64>> {
        type Param = DVector<f64>;
        type Hessian = DMatrix<f64>;

        fn hessian(&self, theta: &DVector<f64>) -> Result<DMatrix<f64>, Error> {
            let hessian = dense_hessian(self.problem, theta.as_slice())?;
            Ok(DMatrix::from_fn(hessian.nrows(), hessian.ncols(), |i, j| hessian[(i, j)]))
        }
    }
}
