//! What is fitted to a group.

use crate::problem::duals::residuals::dense;
use crate::problem::duals::scratch::Scratch;
use secant_core::real::Residuals;

/// A small least-squares problem: the residuals of one group, with their Jacobian.
///
/// All [`Residuals`] are such, by dual numbers. Write it yourself where you have the Jacobian in another way.
pub trait SmallLeastSquares {
    /// What an evaluation works in: one for each thread, kept from group to group.
    type Scratch: Send;
    /// (m, n): residuals and parameters.
    fn shape(&self) -> (usize, usize);
    /// A scratch for this group and those like it.
    fn scratch(&self) -> Self::Scratch;
    /// `r` ← r(θ), length m.
    fn write_residuals(&self, theta: &[f64], r: &mut [f64], scratch: &mut Self::Scratch);
    /// `r` ← r(θ) and `jacobian` ← ∂r/∂θ, m × n column-major.
    fn write_jacobian(
        &self,
        theta: &[f64],
        r: &mut [f64],
        jacobian: &mut [f64],
        scratch: &mut Self::Scratch,
    );
    /// The name of parameter `j`. Default `θ[j]`.
    fn name_of(&self, j: usize) -> String {
        format!("θ[{j}]")
    }
}

impl<R: Residuals> SmallLeastSquares for R {
    type Scratch = Scratch;

    fn shape(&self) -> (usize, usize) {
        (self.residual_len(), self.parameters())
    }
    fn scratch(&self) -> Scratch {
        Scratch::default()
    }
    fn write_residuals(&self, theta: &[f64], r: &mut [f64], _: &mut Scratch) {
        self.residuals(theta, r);
    }
    fn write_jacobian(
        &self,
        theta: &[f64],
        r: &mut [f64],
        jacobian: &mut [f64],
        scratch: &mut Scratch,
    ) {
        dense(self, theta, scratch, r, jacobian);
    }
    fn name_of(&self, j: usize) -> String {
        self.parameter_name(j)
    }
}
