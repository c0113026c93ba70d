//! Elementwise functions z = σ(x), with σ′ and σ″ in closed form: activations, powers, exp, log, sqrt.
//!
//! Outside of its domain a function is NaN or infinite. Solvers take a point with such a value for a failed trial and shorten their
//! step; a start there is refused.

mod kernel;

use super::{At, Bar, Dependence, Dot, Op, OpDescription, one_input};
use crate::elementwise::{scalar, vectorize};
use crate::shape::{Shape, ShapeError};
use crate::text::{UnknownName, by_name};
use kernel::Kernel;
use serde::{Deserialize, Serialize};

/// An elementwise function.
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
    /// eˣ, infinite above 709.78.
    Exp,
    /// ln x for x > 0; −∞ at 0, NaN below.
    Log,
    /// √x for x ≥ 0, with an infinite derivative at 0; NaN below.
    Sqrt,
    /// x^p. For an integer p all x, but 0 where p < 0 (infinite), by multiplications within |p| ulp; for any other p x ≥ 0, NaN
    /// below, as e^(p·ln x) within 2 + 2|p·ln x| ulp, with an infinite derivative at 0 where p < 1 and σ″ infinite where p < 2.
    Power {
        /// p, at most [`MAX_EXPONENT`] in size.
        exponent: f64,
    },
}

/// The largest |p| of [`Activation::Power`]: 2¹⁰²⁴ overflows.
pub const MAX_EXPONENT: f64 = 1023.0;

/// The options of [`Activation::LeakyRelu`].
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LeakyRelu {
    pub(crate) slope: f64,
}

/// The options of [`Activation::Power`].
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Power {
    pub(crate) exponent: f64,
}

/// Those without options that stand between layers, by the names of command lines.
const NAMED: [(&str, Activation); 7] = [
    ("tanh", Activation::Tanh),
    ("sigmoid", Activation::Sigmoid),
    ("softplus", Activation::Softplus),
    ("silu", Activation::Silu),
    ("gelu", Activation::Gelu),
    ("relu", Activation::Relu),
    ("sine", Activation::Sine),
];

impl Activation {
    /// The activation between layers by name: `tanh`, `sigmoid`, `softplus`, `silu`, `gelu`, `relu`, `sine`.
    ///
    /// ```
    /// use secant_core::op::Activation;
    /// assert_eq!(Activation::by_name("ReLU"), Ok(Activation::Relu));
    /// let error = Activation::by_name("thanh").unwrap_err().to_string();
    /// assert!(error.starts_with("no activation `thanh`: did you mean `tanh`? there are tanh, "));
    /// ```
    ///
    /// # Errors
    /// [`UnknownName`] with the names that there are.
    pub fn by_name(name: &str) -> Result<Self, UnknownName> {
        by_name("activation", name, &NAMED)
    }

    /// Calls `run` with the variant known at compile time, so that its loop has no branch on it. x: the inputs.
    #[inline(always)]
    fn specialised(self, x: &[f64], run: impl Specialised) {
        macro_rules! plain {
            ($activation:expr) => {
                run.call(
                    #[inline(always)]
                    move || Kernel { activation: $activation, general: false },
                )
            };
        }
        match self {
            Self::Identity => plain!(Self::Identity),
            Self::Tanh => plain!(Self::Tanh),
            Self::Relu => plain!(Self::Relu),
            Self::LeakyRelu { slope } => plain!(Self::LeakyRelu { slope }),
            Self::Sigmoid => plain!(Self::Sigmoid),
            Self::Softplus => plain!(Self::Softplus),
            Self::Silu => plain!(Self::Silu),
            Self::Gelu => plain!(Self::Gelu),
            Self::Sine if x.iter().any(|x| x.abs() > scalar::ANGLE_MAX) => {
                run.call(|| Kernel { activation: Self::Sine, general: true });
            }
            Self::Sine => plain!(Self::Sine),
            Self::Exp => plain!(Self::Exp),
            Self::Log => plain!(Self::Log),
            Self::Sqrt => plain!(Self::Sqrt),
            Self::Power { exponent } if exponent.fract() == 0.0 => {
                plain!(Self::Power { exponent });
            }
            Self::Power { exponent } => run.call(
                #[inline(always)]
                move || Kernel { activation: Self::Power { exponent }, general: true },
            ),
        }
    }
}

/// A loop body generic over the activation it runs. The kernel is copied into the loop: a constant of the activation that stays
/// behind a reference is loaded again for every entry, and nothing is vectorised.
trait Specialised {
    fn call(self, kernel: impl Fn() -> Kernel + Copy);
}

struct Value<'a> {
    x: &'a [f64],
    z: &'a mut [f64],
}

impl Specialised for Value<'_> {
    #[inline(always)]
    fn call(self, kernel: impl Fn() -> Kernel + Copy) {
        let Self { x, z } = self;
        vectorize(
            #[inline(always)]
            || {
                let copied = kernel;
                for (z, &x) in z.iter_mut().zip(x) {
                    *z = copied().at(x);
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
    fn call(self, kernel: impl Fn() -> Kernel + Copy) {
        let Self { x, z, x_dot, z_dot } = self;
        vectorize(
            #[inline(always)]
            || {
                let copied = kernel;
                for (((z_dot, &x_dot), &x), &z) in z_dot.iter_mut().zip(x_dot).zip(x).zip(z) {
                    *z_dot = copied().slope(x, z) * x_dot;
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
    fn call(self, kernel: impl Fn() -> Kernel + Copy) {
        let Self { x, z, z_bar, slot } = self;
        slot.add_map3(
            [z_bar, x, z],
            #[inline(always)]
            move |z_bar, x, z| kernel().slope(x, z) * z_bar,
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
    fn call(self, kernel: impl Fn() -> Kernel + Copy) {
        let Self { x, z, z_bar, x_dot, z_bar_dot, slot } = self;
        slot.add_map5(
            [z_bar_dot, z_bar, x_dot, x, z],
            #[inline(always)]
            move |z_bar_dot, z_bar, x_dot, x, z| {
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
            Self::Exp => "exp",
            Self::Log => "log",
            Self::Sqrt => "sqrt",
            Self::Power { .. } => "power",
        }
        .into()
    }

    fn describe(&self) -> Option<OpDescription> {
        match *self {
            Self::LeakyRelu { slope } => {
                OpDescription::with_options("leaky_relu", &LeakyRelu { slope })
            }
            Self::Power { exponent } => OpDescription::with_options("power", &Power { exponent }),
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
        if let Self::Power { exponent } = *self
            && (exponent.is_nan() || exponent.abs() > MAX_EXPONENT)
        {
            let (option, allowed) = ("exponent", "at most 1023 in size");
            return Err(ShapeError::Option { option, value: exponent, allowed });
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

    fn origin(&self, _inputs: &[Shape], entry: usize) -> Option<(usize, usize)> {
        matches!(self, Self::Identity).then_some((0, entry))
    }

    fn dependence(&self, active: &[bool]) -> Dependence {
        if matches!(self, Self::Identity) || !active[0] {
            Dependence::Affine
        } else {
            Dependence::Nonlinear
        }
    }
}
