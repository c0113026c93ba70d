//! From outputs to means.

use crate::elementwise::scalar::{exp, expm1, sigmoid};
use crate::elementwise::vectorize;
use crate::special::normal_cdf;
use crate::text::{UnknownName, by_name};
use serde::{Deserialize, Serialize};

/// How the mean of a target follows from the outputs of a model that was fitted by minus a log-likelihood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// μ = z.
    Identity,
    /// μ = e^z.
    Log,
    /// μ = 1/(1 + e^(−z)), the probability of class 1.
    Logit,
    /// μ = Φ(z), the probability of class 1.
    Probit,
    /// μ = 1 − e^(−e^z), the probability of class 1.
    ComplementaryLogLog,
    /// μ = 1/z.
    Inverse,
    /// μ = 1/√z.
    InverseSquare,
    /// μ = z², z > 0.
    Sqrt,
    /// μₖ = e^(zₖ)/Σⱼ e^(zⱼ), the probabilities of the classes.
    Softmax,
}

/// The links of one output by the names of command lines.
const NAMED: [(&str, Link); 8] = [
    ("identity", Link::Identity),
    ("log", Link::Log),
    ("logit", Link::Logit),
    ("probit", Link::Probit),
    ("cloglog", Link::ComplementaryLogLog),
    ("inverse", Link::Inverse),
    ("inverse-square", Link::InverseSquare),
    ("sqrt", Link::Sqrt),
];

impl Link {
    /// The link of one output by name: `identity`, `log`, `logit`, `probit`, `cloglog`, `inverse`, `inverse-square`, `sqrt`.
    ///
    /// ```
    /// use secant_core::loss::Link;
    /// assert_eq!(Link::by_name("inverse_square"), Ok(Link::InverseSquare));
    /// let error = Link::by_name("lgo").unwrap_err().to_string();
    /// assert!(error.starts_with("no link `lgo`: did you mean `log`? there are identity, log, "));
    /// ```
    ///
    /// # Errors
    /// [`UnknownName`] with the names that there are.
    pub fn by_name(name: &str) -> Result<Self, UnknownName> {
        by_name("link", name, &NAMED)
    }

    /// A short name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Log => "log",
            Self::Logit => "logit",
            Self::Probit => "probit",
            Self::ComplementaryLogLog => "complementary log-log",
            Self::Inverse => "inverse",
            Self::InverseSquare => "inverse square",
            Self::Sqrt => "sqrt",
            Self::Softmax => "softmax",
        }
    }

    /// `z` ← μ for the samples of `z`, c × M column-major; `outputs` is c. Probabilities are right to a few roundings, however large the
    /// outputs are; where a link has no mean (1/√z of a negative z) it is NaN or infinite.
    pub fn means(self, z: &mut [f64], outputs: usize) {
        vectorize(
            #[inline(always)]
            || match self {
                Self::Identity => {}
                Self::Log => z.iter_mut().for_each(|z| *z = exp(*z)),
                Self::Logit => z.iter_mut().for_each(|z| *z = sigmoid(*z)),
                Self::Probit => z.iter_mut().for_each(|z| *z = normal_cdf(*z)),
                Self::ComplementaryLogLog => z.iter_mut().for_each(|z| *z = -expm1(-exp(*z))),
                Self::Inverse => z.iter_mut().for_each(|z| *z = z.recip()),
                Self::InverseSquare => z.iter_mut().for_each(|z| *z = z.recip().sqrt()),
                Self::Sqrt => z.iter_mut().for_each(|z| *z *= *z),
                Self::Softmax => {
                    for z in z.chunks_exact_mut(outputs) {
                        let top = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                        for z in &mut *z {
                            *z = exp(*z - top);
                        }
                        let total: f64 = z.iter().sum();
                        for z in z {
                            *z /= total;
                        }
                    }
                }
            },
        );
    }
}
