//! Elementwise activations z = σ(x), with σ′ and σ″ in closed form.

use super::{At, Bar, Dependence, Dot, Op, OpDescription, one_input};
use crate::elementwise::{scalar, vectorize};
use crate::shape::{Shape, ShapeError};
use serde::{Deserialize, Serialize};
use std::f64::consts::FRAC_1_SQRT_2;

/// 1/√(2π), the height of the normal density.
const NORMAL_DENSITY: f64 = 0.398_942_280_401_432_7;

/// An elementwise function between layers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// x.
    Identity,
    /// tanh x.
    Tanh,
    /// max(x, 0); the derivative at 0 is taken as 0.
    Relu,
    /// x for x > 0, `slope`·x otherwise.
    LeakyRelu {
        /// The slope left of 0.
        slope: f64,
    },
    /// 1/(1 + e⁻ˣ).
    Sigmoid,
    /// ln(1 + eˣ).
    Softplus,
    /// x·sigmoid(x)  (Elfwing, Uchibe & Doya 2018).
    Silu,
    /// x·Φ(x) with the exact normal distribution Φ  (Hendrycks & Gimpel 2016).
    Gelu,
    /// sin x  (Sitzmann et al. 2020).
    Sine,
}

/// The options of [`Activation::LeakyRelu`].
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LeakyRelu {
    pub(crate) slope: f64,
}

/// An activation as its loops see it.
#[derive(Clone, Copy, Debug)]
struct Kernel {
    activation: Activation,
    /// Whether an angle lies beyond the range of the vectorised sine.
    far: bool,
}

impl Kernel {
    /// σ(x).
    #[inline(always)]
    fn at(self, x: f64) -> f64 {
        match self.activation {
            Activation::Identity => x,
            Activation::Tanh => scalar::tanh(x),
            // Written so that NaN passes through.
            Activation::Relu => {
                if x < 0.0 {
                    0.0
                } else {
                    x
                }
            }
            Activation::LeakyRelu { slope } => {
                if x < 0.0 {
                    slope * x
                } else {
                    x
                }
            }
            Activation::Sigmoid => scalar::sigmoid(x),
            Activation::Softplus => scalar::softplus(x),
            Activation::Silu => x * scalar::sigmoid(x),
            Activation::Gelu => x * normal_distribution(x),
            Activation::Sine if self.far => libm::sin(x),
            Activation::Sine => scalar::sin(x),
        }
    }

    /// σ′ from x and z = σ(x), whichever is cheaper.
    #[inline(always)]
    fn slope(self, x: f64, z: f64) -> f64 {
        match self.activation {
            Activation::Identity => 1.0,
            Activation::Tanh => (-z).mul_add(z, 1.0),
            Activation::Relu => {
                if x > 0.0 {
                    1.0
                } else {
                    0.0
                }
            }
            Activation::LeakyRelu { slope } => {
                if x > 0.0 {
                    1.0
                } else {
                    slope
                }
            }
            Activation::Sigmoid => z * (1.0 - z),
            Activation::Softplus => scalar::sigmoid(x),
            Activation::Silu => {
                let s = scalar::sigmoid(x);
                s * x.mul_add(1.0 - s, 1.0)
            }
            Activation::Gelu => x.mul_add(normal_density(x), normal_distribution(x)),
            Activation::Sine if self.far => libm::cos(x),
            Activation::Sine => scalar::cos(x),
        }
    }

    /// (σ′, σ″) from x and z.
    #[inline(always)]
    fn slope_and_bend(self, x: f64, z: f64) -> (f64, f64) {
        match self.activation {
            Activation::Identity => (1.0, 0.0),
            Activation::Relu | Activation::LeakyRelu { .. } => (self.slope(x, z), 0.0),
            Activation::Tanh => {
                let slope = self.slope(x, z);
                (slope, -2.0 * z * slope)
            }
            Activation::Sigmoid => {
                let slope = self.slope(x, z);
                (slope, slope * (-2.0f64).mul_add(z, 1.0))
            }
            Activation::Softplus => {
                let slope = scalar::sigmoid(x);
                (slope, slope * (1.0 - slope))
            }
            Activation::Silu => {
                let s = scalar::sigmoid(x);
                let ds = s * (1.0 - s);
                (x.mul_add(ds, s), ds * x.mul_add((-2.0f64).mul_add(s, 1.0), 2.0))
            }
            Activation::Gelu => {
                let density = normal_density(x);
                let slope = x.mul_add(density, normal_distribution(x));
                (slope, density * (-x).mul_add(x, 2.0))
            }
            Activation::Sine => (self.slope(x, z), -z),
        }
    }
}

impl Activation {
    /// Calls `run` with the variant known at compile time, so that its loop has no branch on it. x: the inputs.
    #[inline(always)]
    fn specialised(self, x: &[f64], run: impl Specialised) {
        macro_rules! near {
            ($activation:expr) => {
                run.call(
                    #[inline(always)]
                    || Kernel { activation: $activation, far: false },
                )
            };
        }
        match self {
            Self::Identity => near!(Self::Identity),
            Self::Tanh => near!(Self::Tanh),
            Self::Relu => near!(Self::Relu),
            Self::LeakyRelu { slope } => near!(Self::LeakyRelu { slope }),
            Self::Sigmoid => near!(Self::Sigmoid),
            Self::Softplus => near!(Self::Softplus),
            Self::Silu => near!(Self::Silu),
            Self::Gelu => near!(Self::Gelu),
            Self::Sine if x.iter().any(|x| x.abs() > scalar::ANGLE_MAX) => {
                run.call(|| Kernel { activation: Self::Sine, far: true });
            }
            Self::Sine => near!(Self::Sine),
        }
    }
}

/// A loop body generic over the activation it runs.
trait Specialised {
    fn call(self, kernel: impl Fn() -> Kernel);
}

struct Value<'a> {
    x: &'a [f64],
    z: &'a mut [f64],
}

impl Specialised for Value<'_> {
    #[inline(always)]
    fn call(self, kernel: impl Fn() -> Kernel) {
        let Self { x, z } = self;
        vectorize(
            #[inline(always)]
            || {
                for (z, &x) in z.iter_mut().zip(x) {
                    *z = kernel().at(x);
                }
            },
        );
    }
}

struct Tangent<'a> {
    x: &'a [f64],
    z: &'a [f64],
    x_dot: &'a [f64],
    z_dot: &'a mut [f64],
}

impl Specialised for Tangent<'_> {
    #[inline(always)]
    fn call(self, kernel: impl Fn() -> Kernel) {
        let Self { x, z, x_dot, z_dot } = self;
        vectorize(
            #[inline(always)]
            || {
                for (((z_dot, &x_dot), &x), &z) in z_dot.iter_mut().zip(x_dot).zip(x).zip(z) {
                    *z_dot = kernel().slope(x, z) * x_dot;
                }
            },
        );
    }
}

struct Adjoint<'a> {
    x: &'a [f64],
    z: &'a [f64],
    z_bar: &'a [f64],
    slot: super::AdjointSlot<'a>,
}

impl Specialised for Adjoint<'_> {
    #[inline(always)]
    fn call(self, kernel: impl Fn() -> Kernel) {
        let Self { x, z, z_bar, slot } = self;
        slot.add_map3(
            [z_bar, x, z],
            #[inline(always)]
            |z_bar, x, z| kernel().slope(x, z) * z_bar,
        );
    }
}

struct AdjointTangent<'a> {
    x: &'a [f64],
    z: &'a [f64],
    z_bar: &'a [f64],
    x_dot: &'a [f64],
    z_bar_dot: &'a [f64],
    slot: super::AdjointSlot<'a>,
}

impl Specialised for AdjointTangent<'_> {
    /// x̄˙ += σ′·z̄˙ + σ″·ẋ·z̄.
    #[inline(always)]
    fn call(self, kernel: impl Fn() -> Kernel) {
        let Self { x, z, z_bar, x_dot, z_bar_dot, slot } = self;
        slot.add_map5(
            [z_bar_dot, z_bar, x_dot, x, z],
            #[inline(always)]
            |z_bar_dot, z_bar, x_dot, x, z| {
                let (slope, bend) = kernel().slope_and_bend(x, z);
                slope.mul_add(z_bar_dot, bend * x_dot * z_bar)
            },
        );
    }
}

impl Op for Activation {
    fn name(&self) -> String {
        match self {
            Self::Identity => "identity",
            Self::Tanh => "tanh",
            Self::Relu => "relu",
            Self::LeakyRelu { .. } => "leaky_relu",
            Self::Sigmoid => "sigmoid",
            Self::Softplus => "softplus",
            Self::Silu => "silu",
            Self::Gelu => "gelu",
            Self::Sine => "sine",
        }
        .into()
    }

    fn describe(&self) -> Option<OpDescription> {
        match *self {
            Self::LeakyRelu { slope } => {
                OpDescription::with_options("leaky_relu", &LeakyRelu { slope })
            }
            _ => Some(OpDescription::plain(&self.name())),
        }
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        if let Self::LeakyRelu { slope } = *self
            && !slope.is_finite()
        {
            let (option, allowed) = ("slope", "finite");
            return Err(ShapeError::Option { option, value: slope, allowed });
        }
        one_input(inputs).cloned()
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        let x = at.x.get(0);
        self.specialised(x, Value { x, z });
    }

    fn tangent(&self, at: At<'_>, z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        match dot.x.get(0) {
            Some(x_dot) => {
                let x = at.x.get(0);
                self.specialised(x, Tangent { x, z, x_dot, z_dot });
            }
            None => z_dot.fill(0.0),
        }
    }

    fn adjoint(&self, at: At<'_>, z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        if let Some(slot) = bar.x.slot(0) {
            let x = at.x.get(0);
            self.specialised(x, Adjoint { x, z, z_bar, slot });
        }
    }

    fn adjoint_tangent(
        &self,
        at: At<'_>,
        z: &[f64],
        z_bar: &[f64],
        dot: Dot<'_>,
        _z_dot: &[f64],
        z_bar_dot: &[f64],
        bar: &mut Bar<'_>,
    ) {
        if let (Some(slot), Some(x_dot)) = (bar.x.slot(0), dot.x.get(0)) {
            let x = at.x.get(0);
            self.specialised(x, AdjointTangent { x, z, z_bar, x_dot, z_bar_dot, slot });
        }
    }

    fn dependence(&self, active: &[bool]) -> Dependence {
        if matches!(self, Self::Identity) || !active[0] {
            Dependence::Affine
        } else {
            Dependence::Nonlinear
        }
    }
}

/// Φ(x) = ½·erfc(−x/√2).
#[inline(always)]
fn normal_distribution(x: f64) -> f64 {
    0.5 * (1.0 + scalar::erf(x * FRAC_1_SQRT_2))
}

/// φ(x).
#[inline(always)]
fn normal_density(x: f64) -> f64 {
    NORMAL_DENSITY * scalar::exp(-0.5 * x * x)
}
