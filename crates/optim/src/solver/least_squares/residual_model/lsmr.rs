//! Steps by LSMR on J·D⁻¹: no matrix, and no more exact than they are worth.
//!
//! A step ends at ‖D⁻¹Jᵀr̄‖ ≤ η·‖D⁻¹Jᵀr‖ with η = min([`FORCING`], √(‖D⁻¹∇f‖/‖D⁻¹∇f(θ₀)‖)), which makes convergence superlinear where that
//! of exact steps is.  Nocedal & Wright (2006) §7.1. At the start an undamped step is as exact as [`TIGHT`]: there the model's own
//! quality is asked for, and a linear problem takes one step.

use super::{NEAR, Place};
use crate::krylov::lsmr::{End, Lsmr, Products, Standing, Until};
use crate::linalg::vector;
use crate::run::eval;
use secant_core::problem::LeastSquares;
use serde::{Deserialize, Serialize};

/// Largest η. A damped step lives in directions whose curvature lies some decades below the largest, down to μ, and a product saved there
/// costs steps. Per digit of f this took the fewest products of all decades from 1e-1 to 1e-7 on the whole: for a network of 61 parameters
/// 1e-4 did better, for one of 8,522 parameters 1e-2 (`tests/it/least_squares.rs`).
pub const FORCING: f64 = 1e-3;
/// η of the undamped step at the start, and the least η.
pub const TIGHT: f64 = 1e-10;
/// Most iterations of LSMR for a step, each a product with J and one with Jᵀ: the length of the other methods' Krylov bases.
pub const LSMR_ITERATIONS: usize = 200;
/// Iterations of the rough step that tells whether an undamped one may be worth it.
const ROUGH_ITERATIONS: usize = 5;
/// The offset is given up where the residuals have fallen to √(1 − (this · [`NEAR`])²): it is larger than that.
const CLEARLY: f64 = 2.0;

/// LSMR with its vectors, and the latest step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::solver) struct LsmrForm {
    lsmr: Lsmr,
    /// η of damped and of undamped steps.
    forcing: f64,
    undamped_forcing: f64,
    /// J·p of the latest step.
    image: Vec<f64>,
    /// The undamped step z with its image, where it is known.
    has_undamped: bool,
    undamped_step: Vec<f64>,
    undamped_image: Vec<f64>,
    /// D⁻¹v
    scaled: Vec<f64>,
}

/// J·D⁻¹ at θ, its products counted.
struct Scaled<'a, 'p, P> {
    place: &'a mut Place<'p, P>,
    inverse_scale: &'a [f64],
    step: &'a mut [f64],
}

impl<P: LeastSquares> Products for Scaled<'_, '_, P> {
    fn multiply(&mut self, v: &[f64], out: &mut [f64]) {
        self.step.copy_from_slice(v);
        vector::multiply(self.inverse_scale, self.step);
        eval::jacobian_vector(self.place.problem, self.place.theta, self.step, out);
    }
    fn multiply_transposed(&mut self, u: &[f64], out: &mut [f64]) {
        eval::jacobian_transpose_vector(self.place.problem, self.place.theta, u, out);
        vector::multiply(self.inverse_scale, out);
    }
}

impl LsmrForm {
    pub(super) fn new(m: usize, n: usize) -> Self {
        let zeros = |length| vec![0.0; length];
        Self {
            lsmr: Lsmr::new(m, n),
            forcing: FORCING,
            undamped_forcing: TIGHT,
            image: zeros(m),
            has_undamped: false,
            undamped_step: zeros(n),
            undamped_image: zeros(m),
            scaled: zeros(n),
        }
    }

    /// `progress`: ‖D⁻¹∇f‖ relative to the start; none there.
    pub(super) fn prepare(&mut self, progress: Option<f64>) {
        self.has_undamped = false;
        self.forcing = progress.map_or(FORCING, |progress| progress.sqrt().clamp(TIGHT, FORCING));
        self.undamped_forcing = progress.map_or(TIGHT, |_| self.forcing);
    }

    /// ‖J·p‖ of the undamped step, which is kept; none where it is far from [`NEAR`] · ‖r‖, or LSMR did not get there.
    pub(super) fn tangent_part<P: LeastSquares>(
        &mut self,
        place: &mut Place<'_, P>,
        residuals: &[f64],
        inverse_scale: &[f64],
    ) -> Option<f64> {
        let far = CLEARLY * NEAR * CLEARLY * NEAR;
        let size = vector::norm(residuals);
        let mut step = std::mem::take(&mut self.undamped_step);
        vector::scale_into(-1.0, residuals, &mut self.undamped_image);
        let right = std::mem::take(&mut self.undamped_image);
        let end = self.run(
            place,
            inverse_scale,
            (0.0, self.undamped_forcing),
            &right,
            &mut step,
            |at: &Standing| {
                let left = at.residual / size;
                1.0 - left * left <= far
            },
        );
        (self.undamped_step, self.undamped_image) = (step, right);
        let there = matches!(end, End::Reduced | End::Zero | End::Rounding);
        if !there {
            return None;
        }
        self.undamped_image.copy_from_slice(&self.image);
        self.has_undamped = true;
        Some(vector::norm(&self.undamped_image))
    }

    /// None where a product was not finite.
    pub(super) fn solve<P: LeastSquares>(
        &mut self,
        place: &mut Place<'_, P>,
        inverse_scale: &[f64],
        mu: f64,
        right: &[f64],
        z: &mut [f64],
    ) -> Option<()> {
        if mu == 0.0 && self.has_undamped {
            z.copy_from_slice(&self.undamped_step);
            self.image.copy_from_slice(&self.undamped_image);
            return Some(());
        }
        let forcing = if mu == 0.0 { self.undamped_forcing } else { self.forcing };
        let end = self.run(place, inverse_scale, (mu.sqrt(), forcing), right, z, |_| true);
        (end != End::NotFinite).then_some(())
    }

    /// A few iterations towards the undamped step.
    pub(super) fn solve_roughly<P: LeastSquares>(
        &mut self,
        place: &mut Place<'_, P>,
        inverse_scale: &[f64],
        right: &[f64],
        z: &mut [f64],
    ) {
        let few = |at: &Standing| at.iterations < ROUGH_ITERATIONS;
        self.run(place, inverse_scale, (0.0, self.undamped_forcing), right, z, few);
    }

    /// Solves and takes the image of the solution.
    fn run<P: LeastSquares>(
        &mut self,
        place: &mut Place<'_, P>,
        inverse_scale: &[f64],
        (damping, normal_reduction): (f64, f64),
        right: &[f64],
        z: &mut [f64],
        go_on: impl Fn(&Standing) -> bool,
    ) -> End {
        let until = Until {
            matrix_tolerance: 0.0,
            right_tolerance: 0.0,
            normal_reduction,
            condition_limit: f64::INFINITY,
            iterations: Some(LSMR_ITERATIONS),
        };
        let mut products = Scaled { place, inverse_scale, step: &mut self.scaled };
        let (end, _) = self.lsmr.solve(&mut products, right, damping, &until, go_on, z);
        products.multiply(z, &mut self.image);
        end
    }

    /// J·p of the latest step.
    pub(super) fn image(&self) -> &[f64] {
        &self.image
    }
}
