//! z = [cos ωⱼᵀx; sin ωⱼᵀx]/√D with D random frequencies ωⱼ: features whose inner products approximate the Gaussian kernel
//! exp(−‖x − y‖²/(2w²)), with an error of 1/√D  (Rahimi & Recht 2007).
//!
//! ωⱼ is normal with standard deviation 1/w in every feature. Of the two forms in the paper this is the one with cosine and sine: its
//! variance is the smaller one for a Gaussian (Sutherland & Schneider 2015), zᵀz = 1 exactly, and z itself holds the derivatives.
//!
//! A sample costs 2·D·d flops and D cosines and sines; every derivative is one GEMM over the tile.

use super::block::{BLOCK, blocks};
use super::radial_basis::features_of;
use super::{At, Bar, Dependence, Dot, FeatureError, Op, OpDescription};
use crate::elementwise::{scalar, vectorize};
use crate::random::Random;
use crate::shape::{Shape, ShapeError};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

const NAME: &str = "random_fourier";
/// Entries of all frequencies at most: 1 GiB.
const MAX_ENTRIES: usize = 1 << 27;

/// A feature map without parameters: random Fourier features of a Gaussian kernel, 2·D outputs, first the cosines and then the sines.
///
/// ```
/// use secant_core::op::{Op, RandomFourier};
/// use secant_core::shape::Shape;
///
/// let map = RandomFourier::new(8, 100, 1.5, 7)?;
/// assert_eq!(map.output_shape(&[Shape::vector(8)]), Ok(Shape::vector(200)));
/// # Ok::<(), secant_core::op::FeatureError>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "Options", into = "Options")]
pub struct RandomFourier {
    options: Options,
    /// Ω: d × D, drawn when first needed.
    drawn: OnceLock<Vec<f64>>,
}

/// As a description has it.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Options {
    features: usize,
    frequencies: usize,
    width: f64,
    seed: u64,
}

impl TryFrom<Options> for RandomFourier {
    type Error = FeatureError;
    fn try_from(options: Options) -> Result<Self, FeatureError> {
        let Options { features, frequencies, width, .. } = options;
        let op = NAME;
        let refuse =
            |option, value, allowed| Err(FeatureError::Option { op, option, value, allowed });
        if !(width > 0.0 && width.is_finite()) {
            return refuse("width", width, "positive and finite");
        }
        if features == 0 {
            return refuse("features", 0.0, "1 or more");
        }
        if frequencies == 0 {
            return refuse("frequencies", 0.0, "1 or more");
        }
        if features.saturating_mul(frequencies) > MAX_ENTRIES {
            let value = frequencies as f64;
            return refuse("frequencies", value, "2^27 or fewer, times the features");
        }
        Ok(Self { options, drawn: OnceLock::new() })
    }
}

impl From<RandomFourier> for Options {
    fn from(op: RandomFourier) -> Self {
        op.options
    }
}

impl RandomFourier {
    /// D = `frequencies` frequencies for inputs of d = `features` entries, drawn from `seed` for a kernel of width w = `width`.
    ///
    /// # Errors
    /// A width that is not positive; no feature or frequency, or more than 2²⁷ entries of all frequencies.
    pub fn new(
        features: usize,
        frequencies: usize,
        width: f64,
        seed: u64,
    ) -> Result<Self, FeatureError> {
        Options { features, frequencies, width, seed }.try_into()
    }

    /// Ω: d × D, a column a frequency, drawn in this order.
    pub fn frequencies(&self) -> MatRef<'_, f64> {
        let Options { features, frequencies, width, seed } = self.options;
        let entries = self.drawn.get_or_init(|| {
            let mut random = Random::new(seed);
            (0..features * frequencies).map(|_| random.normal() / width).collect()
        });
        MatRef::from_column_major_slice(entries, features, frequencies)
    }

    /// The first D rows of `out` (2D × B) ← Ωᵀ·x.
    fn project(&self, x: &[f64], batch: usize, out: &mut [f64]) {
        let Options { features, frequencies, .. } = self.options;
        let out = MatMut::from_column_major_slice_mut(out, 2 * frequencies, batch);
        let x = MatRef::from_column_major_slice(x, features, batch);
        let omega = self.frequencies().transpose();
        matmul(out.subrows_mut(0, frequencies), Accum::Replace, omega, x, 1.0, Par::Seq);
    }

    /// x̄ += Ω·u, with u_j = `term`(index of the cosine, index of the sine in z).
    #[inline(always)]
    fn pull(&self, batch: usize, x_bar: &mut [f64], term: impl Fn(usize, usize) -> f64) {
        let Options { features, frequencies, .. } = self.options;
        let mut u = [0.0; BLOCK];
        for block in blocks(frequencies, batch) {
            let (k, u) = (block.rows.len(), &mut u[..block.len()]);
            for (column, u) in block.columns.clone().zip(u.chunks_exact_mut(k)) {
                let cosine = 2 * frequencies * column + block.rows.start;
                vectorize(
                    #[inline(always)]
                    || {
                        for (offset, u) in u.iter_mut().enumerate() {
                            *u = term(cosine + offset, cosine + offset + frequencies);
                        }
                    },
                );
            }
            let u = MatRef::from_column_major_slice(u, k, block.columns.len());
            let omega = self.frequencies().subcols(block.rows.start, k);
            matmul(block.take_mut(x_bar, features), Accum::Add, omega, u, 1.0, Par::Seq);
        }
    }
}

impl Op for RandomFourier {
    fn name(&self) -> String {
        NAME.into()
    }

    fn describe(&self) -> Option<OpDescription> {
        OpDescription::with_options(NAME, self)
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        features_of(inputs, self.options.features, "frequencies")?;
        Ok(Shape::vector(2 * self.options.frequencies))
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        let frequencies = self.options.frequencies;
        let height = 1.0 / (frequencies as f64).sqrt();
        self.project(at.x.get(0), at.batch, z);
        for column in z.chunks_exact_mut(2 * frequencies) {
            let (cosines, sines) = column.split_at_mut(frequencies);
            if cosines.iter().any(|angle| angle.abs() > scalar::ANGLE_MAX) {
                for (cosine, sine) in cosines.iter_mut().zip(sines) {
                    let angle = *cosine;
                    (*cosine, *sine) = (height * libm::cos(angle), height * libm::sin(angle));
                }
                continue;
            }
            vectorize(
                #[inline(always)]
                || {
                    for (cosine, sine) in cosines.iter_mut().zip(sines.iter_mut()) {
                        let angle = *cosine;
                        *cosine = height * scalar::cos(angle);
                        *sine = height * scalar::sin(angle);
                    }
                },
            );
        }
    }

    /// With ṗ = Ωᵀẋ: ż = [−sine ⊙ ṗ; cosine ⊙ ṗ].
    fn tangent(&self, at: At<'_>, z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        let Some(x_dot) = dot.x.get(0) else { return z_dot.fill(0.0) };
        let frequencies = self.options.frequencies;
        self.project(x_dot, at.batch, z_dot);
        let columns = z.chunks_exact(2 * frequencies);
        for (z_dot, z) in z_dot.chunks_exact_mut(2 * frequencies).zip(columns) {
            let (upper, lower) = z_dot.split_at_mut(frequencies);
            let (cosines, sines) = z.split_at(frequencies);
            let pairs = upper.iter_mut().zip(lower).zip(cosines.iter().zip(sines));
            for ((upper, lower), (cosine, sine)) in pairs {
                let p_dot = *upper;
                (*upper, *lower) = (-sine * p_dot, cosine * p_dot);
            }
        }
    }

    /// x̄ += Ω·(z̄_sine ⊙ cosine − z̄_cosine ⊙ sine).
    fn adjoint(&self, at: At<'_>, z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        let Some(slot) = bar.x.slot(0) else { return };
        self.pull(
            at.batch,
            slot.zeroed(),
            #[inline(always)]
            |cosine, sine| z_bar[sine] * z[cosine] - z_bar[cosine] * z[sine],
        );
    }

    /// The derivative of the bracket of `adjoint`.
    fn adjoint_tangent(
        &self,
        at: At<'_>,
        z: &[f64],
        z_bar: &[f64],
        _dot: Dot<'_>,
        z_dot: &[f64],
        z_bar_dot: &[f64],
        bar: &mut Bar<'_>,
    ) {
        let Some(slot) = bar.x.slot(0) else { return };
        self.pull(
            at.batch,
            slot.zeroed(),
            #[inline(always)]
            |cosine, sine| {
                z_bar_dot[sine] * z[cosine] - z_bar_dot[cosine] * z[sine]
                    + z_bar[sine] * z_dot[cosine]
                    - z_bar[cosine] * z_dot[sine]
            },
        );
    }

    fn dependence(&self, active: &[bool]) -> Dependence {
        if active[0] { Dependence::Nonlinear } else { Dependence::Affine }
    }

    fn flops(&self, inputs: &[Shape], output: &Shape) -> usize {
        // The rows of Ωᵀ·x are half of the output's.
        (inputs[0].len() + 2) * output.len()
    }
}
