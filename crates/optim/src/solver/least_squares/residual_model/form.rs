//! Which form of the linear model is held, and what all of them answer.

use super::Place;
use super::arrow::ArrowForm;
use super::dual::DualForm;
use super::lsmr::LsmrForm;
use super::normal::NormalForm;
use super::qr::QrForm;
use super::second_order::SecondOrder;
use crate::linalg::anderson::DEPTH;
use crate::linalg::arrow::ArrowQr;
use crate::linalg::vector;
use crate::run::eval;
use crate::run::memory::{bytes, packed};
use secant_core::problem::{Arrow, LeastSquares};
use serde::{Deserialize, Serialize};

/// JᵀJ is taken for J when a dense J has more bytes than this. Up to here the QR factorisation of J, which does not square
/// its condition, takes a few milliseconds at most.
pub const QR_BYTES: usize = 1 << 20;
/// No matrix is formed where the form's matrices would have more bytes than this: 2 GiB, what a `Risk` keeps of its tapes by default. Four
/// matrices n × n reach it at n = 8,192, where one Cholesky factorisation costs as many operations as a hundred gradients on 10⁵ samples.
pub const DENSE_BYTES: usize = 1 << 31;
/// Matrices of the size of JᵀJ, or of JJᵀ, at two points: each with its factor.
const SQUARES: usize = 4;
/// J at two points.
const JACOBIANS: usize = 2;

/// What is factorised. m residuals, n parameters; memory at both points that are held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Factorization {
    /// [`Dual`](Self::Dual) for m < n, QR up to [`QR_BYTES`], else the normal equations; LSMR where these need more than [`DENSE_BYTES`].
    /// Where the problem says that J is an [arrow](LeastSquares::arrow), QR of its groups and then of what they share: O(m(p + q)²) for p own
    /// and q shared parameters, without the second derivatives.
    #[default]
    Auto,
    /// \[J; √μD\] by QR: accurate to the condition of J. 2mn² flops per Jacobian and n³ per trial; memory 2mn + 4n².
    Qr,
    /// JᵀJ + μD² by Cholesky, J never stored: accurate to the squared condition. n³/3 per trial; memory 4n².
    NormalEquations,
    /// J·D⁻²·Jᵀ + μI by Cholesky, for m ≤ n only: the same steps, accurate to the squared condition. m²n flops per
    /// Jacobian, m³/3 + 2mn per trial; memory 2mn + 4m². An undamped step is the shortest one, in the units of D.
    Dual,
    /// LSMR on J·v and Jᵀ·u, no matrix: each step as exact as it is worth, [`FORCING`](super::FORCING), with at most
    /// [`LSMR_ITERATIONS`](super::LSMR_ITERATIONS) pairs of products. Memory 15m + 22n.
    /// D comes from `LeastSquares::normal_diagonal`: one pass over J by tiles for a network, the price of c gradients; J itself for a `LeastSquaresFn`; a problem
    /// of your own should override its default of n products, or take [`Scaling::Identity`](super::Scaling::Identity), which asks once.
    Lsmr,
}

impl Factorization {
    /// What [`Auto`](Self::Auto) is for m residuals and n parameters; S is n × n.
    pub(crate) fn of(self, m: usize, n: usize, second_order: SecondOrder) -> Self {
        if self != Self::Auto {
            return self;
        }
        let size = |entries: usize| entries.saturating_mul(size_of::<f64>());
        let square = |side: usize| side.saturating_mul(side).saturating_mul(SQUARES);
        let jacobian = m.saturating_mul(n);
        let dual = jacobian.saturating_mul(JACOBIANS).saturating_add(square(m));
        if second_order != SecondOrder::Off {
            return if size(jacobian) <= QR_BYTES { Self::Qr } else { Self::NormalEquations };
        }
        if m < n && size(dual) <= DENSE_BYTES {
            Self::Dual
        } else if size(jacobian) <= QR_BYTES {
            Self::Qr
        } else if size(square(n)) <= DENSE_BYTES {
            Self::NormalEquations
        } else {
            Self::Lsmr
        }
    }
}

/// Vectors of the mixing of undamped steps: changes of θ and p, their norms factorised, the latest.
const MIXED: usize = 3 * DEPTH + 3;

impl Factorization {
    /// The arrow that J is factorised by: that of the problem, where nothing else was asked for.
    pub(crate) fn by_groups(
        self,
        arrow: Option<&Arrow>,
        second_order: SecondOrder,
    ) -> Option<&Arrow> {
        arrow.filter(|_| self == Self::Auto && second_order == SecondOrder::Off)
    }

    /// Bytes of a run: the form at both points, S with its factor, and the vectors.
    pub(in crate::solver) fn bytes(self, m: usize, n: usize, second_order: SecondOrder) -> u64 {
        let second = if second_order == SecondOrder::Off { 0 } else { 3 };
        let form = match self.of(m, n, second_order) {
            Self::Auto | Self::Qr => [(JACOBIANS, m, n), (SQUARES, n, n)],
            Self::NormalEquations => [(0, m, n), (SQUARES, n, n)],
            Self::Dual => [(JACOBIANS, m, n), (SQUARES, m, m)],
            Self::Lsmr => [(15, m, 1), (4, n, 1)],
        };
        let mixing = matches!(self.of(m, n, second_order), Self::Auto | Self::Qr);
        let mixed = if mixing { MIXED } else { 0 };
        bytes(&[form[0], form[1], (second, n, n), (5, m, 1), (24 + mixed, n, 1)])
    }

    /// The same with what the factorisation packs while it runs, or of the arrow that it goes by.
    pub(in crate::solver) fn needs(
        self,
        (m, n): (usize, usize),
        arrow: Option<&Arrow>,
        second_order: SecondOrder,
    ) -> u64 {
        if let Some(arrow) = self.by_groups(arrow, second_order) {
            return ArrowForm::bytes(arrow, m, n);
        }
        let packed = match self.of(m, n, second_order) {
            Self::Auto | Self::Qr | Self::NormalEquations => packed(n),
            Self::Dual => packed(m),
            Self::Lsmr => 0,
        };
        self.bytes(m, n, second_order).saturating_add(packed)
    }
}

/// A·z for A = J·D⁻¹ and its inverses, one of five ways.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Form {
    Qr(QrForm),
    Arrow(ArrowForm),
    Normal(NormalForm),
    Dual(DualForm),
    Lsmr(LsmrForm),
}

impl Form {
    pub(super) fn new(
        factorization: Factorization,
        arrow: Option<&Arrow>,
        (m, n): (usize, usize),
    ) -> Self {
        if let Some(arrow) = arrow {
            return Self::Arrow(ArrowForm::new(arrow));
        }
        match factorization {
            Factorization::Auto | Factorization::Qr => Self::Qr(QrForm::new(m, n)),
            Factorization::NormalEquations => Self::Normal(NormalForm::new(n)),
            Factorization::Dual => Self::Dual(DualForm::new(m, n)),
            Factorization::Lsmr => Self::Lsmr(LsmrForm::new(m, n)),
        }
    }

    /// The length of a right-hand side: n for Qᵀr (its first entries; of every group of an arrow) and D⁻¹Jᵀr, m for r itself.
    pub(super) fn right_len(
        factorization: Factorization,
        arrow: Option<&Arrow>,
        (m, n): (usize, usize),
    ) -> usize {
        if let Some(arrow) = arrow {
            return ArrowQr::right_len(arrow);
        }
        match factorization {
            Factorization::Dual | Factorization::Lsmr => m,
            _ => n,
        }
    }

    /// An n × n matrix is at hand.
    pub(super) fn is_dense_in_parameters(&self) -> bool {
        matches!(self, Self::Qr(_) | Self::Normal(_))
    }

    /// The residuals must be there before [`evaluate`](Self::evaluate).
    pub(super) fn wants_residuals(&self) -> bool {
        matches!(self, Self::Normal(_) | Self::Lsmr(_))
    }

    /// The norms of the columns are an evaluation of their own.
    pub(super) fn columns_cost_products(&self) -> bool {
        matches!(self, Self::Lsmr(_))
    }

    /// J and `gradient` ← ∇f; `residuals` holds r already where they are wanted, and does afterwards in any case. Returns f where it was
    /// evaluated.
    pub(super) fn evaluate<P: LeastSquares>(
        &mut self,
        place: &mut Place<'_, P>,
        residuals: &mut [f64],
        gradient: &mut [f64],
    ) -> Option<f64> {
        let (problem, theta) = (&mut *place.problem, place.theta);
        match self {
            Self::Qr(form) => {
                let value = eval::jacobian(problem, theta, residuals, form.jacobian_mut());
                for (j, g) in gradient.iter_mut().enumerate() {
                    *g = vector::dot(form.column(j), residuals);
                }
                Some(value)
            }
            Self::Arrow(form) => {
                let entries = &mut form.blocks.entries;
                let value = eval::arrow_jacobian(problem, theta, None, residuals, entries);
                form.blocks.multiply_transposed(residuals, gradient);
                Some(value)
            }
            Self::Normal(form) => {
                Some(eval::normal_equations(problem, theta, form.normal_mut(), gradient))
            }
            Self::Dual(form) => {
                let value = eval::jacobian(problem, theta, residuals, form.jacobian_mut());
                for (j, g) in gradient.iter_mut().enumerate() {
                    *g = vector::dot(form.column(j), residuals);
                }
                Some(value)
            }
            Self::Lsmr(_) => {
                eval::jacobian_transpose_vector(problem, theta, residuals, gradient);
                None
            }
        }
    }

    /// `norms` ← ‖Jⱼ‖, before the columns are scaled.
    pub(super) fn column_norms<P: LeastSquares>(
        &self,
        place: &mut Place<'_, P>,
        norms: &mut [f64],
    ) {
        if let Self::Lsmr(_) = self {
            eval::normal_diagonal(place.problem, place.theta, norms);
        }
        if let Self::Arrow(form) = self {
            form.blocks.column_norms(norms);
            return;
        }
        for (j, norm) in norms.iter_mut().enumerate() {
            *norm = match self {
                Self::Arrow(_) => *norm,
                Self::Qr(form) => vector::norm(form.column(j)),
                Self::Normal(form) => form.column_norm(j),
                Self::Dual(form) => vector::norm(form.column(j)),
                Self::Lsmr(_) => norm.sqrt(),
            };
        }
    }

    pub(super) fn all_finite(&self) -> bool {
        match self {
            Self::Normal(form) => form.all_finite(),
            // The norms of the columns are.
            _ => true,
        }
    }

    /// The decrease of f that the model promises for the latest step z of damping μ along r.
    pub(super) fn promise(&mut self, residuals: &[f64], mu: f64, z: &[f64]) -> f64 {
        let image = match self {
            Self::Qr(form) => form.image_square(z),
            Self::Arrow(form) => form.image_square(z),
            Self::Normal(form) => form.image_square(z),
            Self::Dual(form) => vector::dot(form.image(), form.image()),
            // The step is not exact, so that its equation does not hold.
            Self::Lsmr(form) => {
                let image = form.image();
                return -vector::dot(residuals, image) - 0.5 * vector::dot(image, image);
            }
        };
        0.5 * image + mu * vector::dot(z, z)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_goes_by_shape_and_memory() {
        let auto = |m, n| Factorization::Auto.of(m, n, SecondOrder::Off);
        assert_eq!(auto(1000, 20), Factorization::Qr);
        assert_eq!(auto(30, 30), Factorization::Qr);
        assert_eq!(auto(30, 31), Factorization::Dual);
        assert_eq!(auto(2_000, 50_000), Factorization::Dual);
        assert_eq!(auto(100_000, 500), Factorization::NormalEquations);
        // 4n² doubles are just 2 GiB.
        assert_eq!(auto(10_000, 8_192), Factorization::NormalEquations);
        assert_eq!(auto(10_000, 8_193), Factorization::Lsmr);
        // J itself is too large.
        assert_eq!(auto(10_000, 100_000), Factorization::Lsmr);
        assert_eq!(auto(usize::MAX, usize::MAX), Factorization::Lsmr);
        // S is n × n and goes with forms that are.
        let with_s = |m, n| Factorization::Auto.of(m, n, SecondOrder::Structured);
        assert_eq!(with_s(30, 31), Factorization::Qr);
        assert_eq!(with_s(10_000, 8_193), Factorization::NormalEquations);
        assert_eq!(Factorization::Lsmr.of(3, 3, SecondOrder::Off), Factorization::Lsmr);
    }
}
