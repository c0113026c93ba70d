//! ℓ = Σₖ qₖ·(ln Σⱼ e^{zⱼ} − zₖ): softmax cross-entropy with weights of the classes and smoothed labels.
//!
//! qₖ = (1 − ε)·w_y·[k = y] + ε·wₖ/c. With q = Σₖ qₖ and p = softmax(z): ∂ℓ/∂z = q·p − (qₖ), H = q·(diag p − p·pᵀ).
//! Source: Szegedy & al. (2016), CVPR, for the smoothing. PyTorch's `CrossEntropyLoss(weight, label_smoothing)` has the same ℓ, and
//! divides the sum over samples by Σᵢ w_{yᵢ} where a risk divides by the samples (or the sum of their own weights).

use super::pointwise::check_option;
use super::{Decision, Link, Loss, LossError, SoftmaxCrossEntropy};
use crate::choice::Choice;
use crate::data::{TargetTile, Targets};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// [`SoftmaxCrossEntropy`] with weights of the classes and smoothed labels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SmoothedSoftmax {
    /// ε ∈ [0, 1): the share of a label that is spread over all classes. Default 0.
    pub smoothing: f64,
    /// wₖ ≥ 0, c of them and not all 0; 1 each where there are none. Default none.
    pub class_weights: Option<Vec<f64>>,
}

impl SoftmaxCrossEntropy {
    /// The same with weights wₖ ≥ 0 of the c classes.
    pub fn with_class_weights(self, weights: impl Into<Vec<f64>>) -> SmoothedSoftmax {
        SmoothedSoftmax { class_weights: Some(weights.into()), ..SmoothedSoftmax::default() }
    }

    /// The same with the share ε ∈ [0, 1) of each label spread over all classes.
    pub fn with_smoothing(self, smoothing: f64) -> SmoothedSoftmax {
        SmoothedSoftmax { smoothing, ..SmoothedSoftmax::default() }
    }
}

impl SmoothedSoftmax {
    /// With the share ε ∈ [0, 1) of each label spread over all classes.
    pub fn with_smoothing(mut self, smoothing: f64) -> Self {
        self.smoothing = smoothing;
        self
    }

    fn weight(&self, class: usize) -> f64 {
        self.class_weights.as_ref().map_or(1.0, |weights| weights[class])
    }

    /// ε·wₖ/c.
    fn spread(&self, class: usize, c: usize) -> f64 {
        self.smoothing * self.weight(class) / c as f64
    }

    /// Σₖ qₖ of a sample of class `own`, and that of the other classes.
    fn masses(&self, own: usize, c: usize) -> (f64, f64) {
        let others: f64 = (0..c).filter(|k| *k != own).map(|k| self.spread(k, c)).sum();
        ((1.0 - self.smoothing) * self.weight(own) + self.spread(own, c) + others, others)
    }

    /// Σ_{k ≠ y} qₖ·(z_y − zₖ): what ℓ is above q times the cross-entropy of the label.
    fn excess(&self, z: &[f64], own: usize) -> f64 {
        if self.smoothing == 0.0 {
            return 0.0;
        }
        let others = z.iter().enumerate().filter(|(k, _)| *k != own);
        others.map(|(k, score)| self.spread(k, z.len()) * (z[own] - score)).sum()
    }
}

impl Loss for SmoothedSoftmax {
    fn name(&self) -> &'static str {
        "smoothed-softmax"
    }

    fn describe(&self) -> Option<Choice> {
        Choice::with_options(self.name(), self)
    }

    fn decision(&self) -> Decision {
        Decision::LargestScore
    }

    fn check(&self, outputs: usize, targets: &Targets) -> Result<(), LossError> {
        let (loss, share) = (self.name(), self.smoothing);
        check_option(loss, "smoothing", share, (0.0..1.0).contains(&share), "in [0, 1)")?;
        if let Some(weights) = &self.class_weights {
            if weights.len() != outputs {
                return Err(LossError::Outputs { loss, outputs, needed: weights.len() });
            }
            let wrong = weights.iter().find(|w| !(**w >= 0.0 && w.is_finite()));
            let largest = weights.iter().copied().fold(0.0, f64::max);
            let (value, fits) = wrong.map_or((largest, largest > 0.0), |w| (*w, false));
            let allowed = "finite, 0 or more, and not 0 for all classes";
            check_option(loss, "class_weights", value, fits, allowed)?;
        }
        SoftmaxCrossEntropy.check(outputs, targets)
    }

    fn link(&self) -> Option<Link> {
        Some(Link::Softmax)
    }

    fn value(&self, z: &[f64], y: TargetTile<'_>) -> f64 {
        let mut total = 0.0;
        each_sample(y, |range, label, own| {
            let z = &z[range];
            let (mass, _) = self.masses(own, z.len());
            total += mass * SoftmaxCrossEntropy.value(z, label) + self.excess(z, own);
        });
        total
    }

    /// q·(p − e_y) and what the spread label adds: −qₖ for the others, and their sum for the own class. For ε = 0 nothing cancels.
    fn gradient(&self, scale: f64, z: &[f64], y: TargetTile<'_>, z_bar: &mut [f64]) -> f64 {
        let mut total = 0.0;
        each_sample(y, |range, label, own| {
            let (z, z_bar) = (&z[range.clone()], &mut z_bar[range]);
            let c = z.len();
            let (mass, others) = self.masses(own, c);
            let value = SoftmaxCrossEntropy.gradient(scale * mass, z, label, z_bar);
            total += mass * value + self.excess(z, own);
            if self.smoothing > 0.0 {
                for (k, z_bar) in z_bar.iter_mut().enumerate() {
                    *z_bar += scale * if k == own { others } else { -self.spread(k, c) };
                }
            }
        });
        total
    }

    fn hessian_vector(
        &self,
        scale: f64,
        z: &[f64],
        y: TargetTile<'_>,
        z_dot: &[f64],
        out: &mut [f64],
    ) {
        each_sample(y, |range, label, own| {
            let (mass, _) = self.masses(own, range.len());
            let (z, z_dot, out) = (&z[range.clone()], &z_dot[range.clone()], &mut out[range]);
            SoftmaxCrossEntropy.hessian_vector(scale * mass, z, label, z_dot, out);
        });
    }

    fn hessian(&self, z: &[f64], y: TargetTile<'_>, out: &mut [f64]) {
        each_sample(y, |_, label, own| {
            let (mass, _) = self.masses(own, z.len());
            SoftmaxCrossEntropy.hessian(z, label, out);
            for h in &mut *out {
                *h *= mass;
            }
        });
    }

    /// The Hessian: ℓ is convex.
    fn gauss_newton(&self, z: &[f64], y: TargetTile<'_>, out: &mut [f64]) {
        self.hessian(z, y, out);
    }
}

/// Calls `each(its entries of z, the tile of its label, the label)` for every sample.
fn each_sample<'t>(y: TargetTile<'t>, mut each: impl FnMut(Range<usize>, TargetTile<'t>, usize)) {
    let TargetTile::Labels { classes, labels } = y else { return };
    for (sample, own) in labels.chunks_exact(1).enumerate() {
        let range = sample * classes..(sample + 1) * classes;
        each(range, TargetTile::Labels { classes, labels: own }, own[0] as usize);
    }
}
