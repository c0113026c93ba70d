//! From outputs to means.

use crate::elementwise::scalar::{exp, sigmoid};
use crate::elementwise::vectorize;
use serde::{Deserialize, Serialize};

/// How the mean of a target follows from the outputs of a model that was fitted by minus a log-likelihood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Link {
    /// μ = z.
    Identity,
    /// μ = e^z.
    Log,
    /// μ = 1/(1 + e^(−z)), the probability of class 1.
    Logit,
    /// μₖ = e^(zₖ)/Σⱼ e^(zⱼ), the probabilities of the classes.
    Softmax,
}

impl Link {
    /// `z` ← μ for the samples of `z`, c × M column-major; `outputs` is c. Probabilities are right to a few roundings, however large the
    /// outputs are.
    pub fn means(self, z: &mut [f64], outputs: usize) {
        vectorize(
            #[inline(always)]
            || match self {
                Self::Identity => {}
                Self::Log => z.iter_mut().for_each(|z| *z = exp(*z)),
                Self::Logit => z.iter_mut().for_each(|z| *z = sigmoid(*z)),
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
