//! z_j = exp(−‖x − c_j‖²/(2w²)), Gaussian bumps at given centres  (Broomhead & Lowe 1988).
//!
//! A sample costs 2·m·d flops and m exponentials, its adjoint as much again; both are GEMMs over the tile.

use super::block::{BLOCK, blocks};
use super::landmarks::{Landmarks, joined, split};
use super::{At, Bar, Dependence, Dot, FeatureError, Kernel, Op, OpDescription, one_input};
use crate::elementwise::vectorize;
use crate::shape::{Shape, ShapeError};
use serde::{Deserialize, Serialize};

const NAME: &str = "radial_basis";

/// A feature map without parameters: m Gaussians of one width.
///
/// ```
/// use secant_core::graph::Graph;
/// use secant_core::op::{Dense, RadialBasis};
///
/// // Centres 0, 1, 2 of one feature.
/// let mut g = Graph::builder(1);
/// let phi = g.node("phi", RadialBasis::new(1, &[0.0, 1.0, 2.0], 0.5)?, &[g.input()])?;
/// let y = g.node("y", Dense::new(1), &[phi])?;
/// assert!(g.build(y)?.is_affine());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "Options", into = "Options")]
pub struct RadialBasis {
    landmarks: Landmarks,
}

/// As a description has it.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Options {
    width: f64,
    centres: Vec<Vec<f64>>,
}

impl TryFrom<Options> for RadialBasis {
    type Error = FeatureError;
    fn try_from(Options { width, centres }: Options) -> Result<Self, FeatureError> {
        let (features, centres) = joined(NAME, &centres)?;
        Self::new(features, &centres, width)
    }
}

impl From<RadialBasis> for Options {
    fn from(op: RadialBasis) -> Self {
        let centres = split(op.landmarks.features(), op.landmarks.points());
        // It is made with a Gaussian.
        let Kernel::Gaussian { width } = op.landmarks.kernel() else {
            return Self { width: f64::NAN, centres };
        };
        Self { width, centres }
    }
}

impl RadialBasis {
    /// Gaussians of standard deviation `width` at the columns of `centres` (d × m, column-major) in d = `features` dimensions.
    ///
    /// # Errors
    /// No centre, centres that are not finite or no whole number of points, a width that is not positive.
    pub fn new(features: usize, centres: &[f64], width: f64) -> Result<Self, FeatureError> {
        let kernel = Kernel::Gaussian { width };
        Ok(Self { landmarks: Landmarks::new(NAME, features, centres.to_vec(), kernel)? })
    }
}

impl Op for RadialBasis {
    fn name(&self) -> String {
        NAME.into()
    }

    fn describe(&self) -> Option<OpDescription> {
        OpDescription::with_options(NAME, self)
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        features_of(inputs, self.landmarks.features(), "centres")?;
        Ok(Shape::vector(self.landmarks.count()))
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        self.landmarks.arguments(at.x.get(0), &self.landmarks.whole(at.batch), z);
        self.landmarks.values(z);
    }

    /// ż = −z ⊙ ṡ.
    fn tangent(&self, at: At<'_>, z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        let Some(x_dot) = dot.x.get(0) else { return z_dot.fill(0.0) };
        let whole = self.landmarks.whole(at.batch);
        self.landmarks.argument_tangents(at.x.get(0), x_dot, &whole, z_dot);
        vectorize(
            #[inline(always)]
            || z_dot.iter_mut().zip(z).for_each(|(z_dot, z)| *z_dot *= -z),
        );
    }

    /// x̄ += Σ_j h_j·∂s_j/∂x with h = −z̄ ⊙ z.
    fn adjoint(&self, at: At<'_>, z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        let Some(slot) = bar.x.slot(0) else { return };
        let (rows, x, x_bar) = (self.landmarks.count(), at.x.get(0), slot.zeroed());
        let mut h = [0.0; BLOCK];
        for block in blocks(rows, at.batch) {
            let h = &mut h[..block.len()];
            block.fill(
                h,
                rows,
                #[inline(always)]
                |i| -z_bar[i] * z[i],
            );
            self.landmarks.pull(h, x, &block, x_bar);
        }
    }

    /// With ḣ = −z̄˙ ⊙ z − z̄ ⊙ ż: x̄˙ += Σ_j ḣ_j·∂s_j/∂x + Σ_j h_j·∂²s_j/∂x²·ẋ.
    fn adjoint_tangent(
        &self,
        at: At<'_>,
        z: &[f64],
        z_bar: &[f64],
        dot: Dot<'_>,
        z_dot: &[f64],
        z_bar_dot: &[f64],
        bar: &mut Bar<'_>,
    ) {
        let (Some(slot), Some(x_dot)) = (bar.x.slot(0), dot.x.get(0)) else { return };
        let (rows, x, x_bar_dot) = (self.landmarks.count(), at.x.get(0), slot.zeroed());
        let mut h = [0.0; BLOCK];
        for block in blocks(rows, at.batch) {
            let h = &mut h[..block.len()];
            block.fill(
                h,
                rows,
                #[inline(always)]
                |i| -z_bar[i] * z[i],
            );
            self.landmarks.pull_curved(h, x_dot, &block, x_bar_dot);
            block.fill(
                h,
                rows,
                #[inline(always)]
                |i| -z_bar_dot[i] * z[i] - z_bar[i] * z_dot[i],
            );
            self.landmarks.pull(h, x, &block, x_bar_dot);
        }
    }

    fn dependence(&self, active: &[bool]) -> Dependence {
        if active[0] { Dependence::Nonlinear } else { Dependence::Affine }
    }

    fn flops(&self, inputs: &[Shape], output: &Shape) -> usize {
        2 * (inputs[0].len() + 1) * output.len()
    }
}

/// The single input must have as many features as the constants of the map.
pub(super) fn features_of(
    inputs: &[Shape],
    features: usize,
    constants: &str,
) -> Result<(), ShapeError> {
    let input = one_input(inputs)?;
    if input.len() == features {
        return Ok(());
    }
    let expected = format!("{features} features, as the {constants} have");
    Err(ShapeError::Unexpected { index: 0, expected, found: input.clone() })
}
