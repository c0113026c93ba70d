//! ρ in residuals: what methods of least squares take.

use crate::error::{OptimError, require};
use faer::MatMut;
use secant_core::problem::{
    Arrow, Asked, Derivatives, InBox, LeastSquares, Objective, Observations,
};
use secant_core::rho::Rho;
use std::ops::Range;

const NAME: &str = "robust residuals";

/// The least-squares problem ½‖r̃‖² = ½σ²Σρ(rᵢ²/σ²) of r̃ᵢ = rᵢ·√(ρ(s)/s): methods of least squares minimise with ρ in place of the square,
/// by the groups of an [arrow](LeastSquares::arrow) too. [`RobustLeastSquares`](crate::RobustLeastSquares) is the same f for methods
/// that take curvature.
///
/// ```
/// use secant_core::rho::Rho;
/// use secant_optim::{LeastSquaresFn, LevenbergMarquardt, RobustResiduals, minimize};
///
/// // A line through five points, one of them wrong.
/// let y = [1.0, 3.0, 5.0, 70.0, 9.0];
/// let line = LeastSquaresFn::new(2, 5, |theta, r| {
///     for (i, r) in r.iter_mut().enumerate() {
///         *r = theta[0] + theta[1] * i as f64 - y[i];
///     }
/// });
/// let robust = RobustResiduals::new(&line, Rho::Tukey, 0.5)?;
/// let solution = minimize(&robust, LevenbergMarquardt::default(), &[0.9, 2.1])?;
/// assert!((solution.theta[0] - 1.0).abs() < 1e-8 && (solution.theta[1] - 2.0).abs() < 1e-8);
/// # Ok::<(), secant_optim::OptimError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RobustResiduals<P> {
    problem: P,
    rho: Rho,
    scale: f64,
}

impl<P: LeastSquares> RobustResiduals<P> {
    /// ρ with the scale σ ∈ (0, ∞), in the units of the residuals.
    ///
    /// # Errors
    /// [`OptimError::OptionOutOfRange`].
    pub fn new(problem: P, rho: Rho, scale: f64) -> Result<Self, OptimError> {
        let allowed = (super::LEAST_SCALE..=super::MOST_SCALE).contains(&scale);
        require(allowed, NAME, "scale", scale, "[1e-150, 1e150]")?;
        Ok(Self { problem, rho, scale })
    }

    /// r → r̃, with ∂r̃/∂r of each; ½‖r̃‖².
    fn bend(&self, r: &mut [f64]) -> (f64, Vec<f64>) {
        let slopes = r.iter_mut().map(|r| self.rho.bend(self.scale, r)).collect();
        (0.5 * r.iter().map(|r| r * r).sum::<f64>(), slopes)
    }

    /// ∂r̃/∂r at θ.
    fn slopes(&self, theta: &[f64]) -> Vec<f64> {
        let mut r = vec![0.0; self.residual_len()];
        self.problem.residuals(theta, &mut r);
        self.bend(&mut r).1
    }
}

impl<P: LeastSquares> Objective for RobustResiduals<P> {
    fn dim(&self) -> usize {
        self.problem.dim()
    }
    fn value(&self, theta: &[f64]) -> f64 {
        self.residuals(theta, &mut vec![0.0; self.residual_len()])
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let mut r = vec![0.0; self.residual_len()];
        self.problem.residuals(theta, &mut r);
        let (value, slopes) = self.bend(&mut r);
        r.iter_mut().zip(&slopes).for_each(|(r, slope)| *r *= slope);
        self.problem.jacobian_transpose_vector(theta, &r, gradient);
        value
    }
    fn notes(&self, theta: &[f64], asked: Asked<'_>) -> Vec<String> {
        self.problem.notes(theta, asked)
    }
    fn fault(&self) -> Option<String> {
        self.problem.fault()
    }
}

impl<P: LeastSquares> LeastSquares for RobustResiduals<P> {
    fn residual_len(&self) -> usize {
        self.problem.residual_len()
    }
    fn residuals(&self, theta: &[f64], residuals: &mut [f64]) -> f64 {
        self.problem.residuals(theta, residuals);
        self.bend(residuals).0
    }
    fn jacobian_vector(&self, theta: &[f64], v: &[f64], out: &mut [f64]) {
        self.problem.jacobian_vector(theta, v, out);
        out.iter_mut().zip(self.slopes(theta)).for_each(|(out, slope)| *out *= slope);
    }
    fn jacobian_transpose_vector(&self, theta: &[f64], u: &[f64], out: &mut [f64]) {
        let bent: Vec<f64> = u.iter().zip(self.slopes(theta)).map(|(u, slope)| u * slope).collect();
        self.problem.jacobian_transpose_vector(theta, &bent, out);
    }
    fn jacobian(&self, theta: &[f64], residuals: &mut [f64], mut jacobian: MatMut<'_, f64>) -> f64 {
        self.problem.jacobian(theta, residuals, jacobian.as_mut());
        let (value, slopes) = self.bend(residuals);
        for column in jacobian.col_iter_mut() {
            column.iter_mut().zip(&slopes).for_each(|(entry, slope)| *entry *= slope);
        }
        value
    }
    fn arrow(&self) -> Option<&Arrow> {
        self.problem.arrow()
    }
    fn arrow_jacobian(
        &self,
        theta: &[f64],
        within: Option<InBox<'_>>,
        residuals: &mut [f64],
        entries: &mut [f64],
    ) -> f64 {
        self.problem.arrow_jacobian(theta, within, residuals, entries);
        let (value, slopes) = self.bend(residuals);
        let mut rest = entries;
        for group in self.arrow().map_or(&[][..], |arrow| &arrow.groups) {
            let slopes = &slopes[group.rows.clone()];
            let width = self.arrow().map_or(0, |arrow| arrow.width(group));
            let (block, behind) = rest.split_at_mut(slopes.len() * width);
            rest = behind;
            for column in block.chunks_exact_mut(slopes.len().max(1)) {
                column.iter_mut().zip(slopes).for_each(|(entry, slope)| *entry *= slope);
            }
        }
        value
    }
    fn derivatives(&self) -> Derivatives {
        self.problem.derivatives()
    }
    fn observations(&self) -> Observations {
        self.problem.observations()
    }
    fn parameters_name(&self, range: &Range<usize>) -> String {
        self.problem.parameters_name(range)
    }
}
