//! Functions ρ(s) of a squared, scaled residual s = (r/σ)² that grow more slowly than s, so that outliers count less.
//!
//! A residual r contributes ½σ²ρ(s), which is ½r² where ρ(s) = s. Its derivatives in r are σρ′(s)·(r/σ) and ρ′(s) + 2sρ″(s).
//!
//! | | ρ(s) | σ for 95 % efficiency, in standard deviations |
//! |---|---|---|
//! | [`Squared`](Rho::Squared) | s | |
//! | [`Huber`](Rho::Huber) | s for s ≤ 1, 2√s − 1 beyond | 1.3450 |
//! | [`SoftL1`](Rho::SoftL1) | 2(√(1 + s) − 1) | 1.2871 |
//! | [`Cauchy`](Rho::Cauchy) | ln(1 + s) | 2.3849 |
//! | [`Tukey`](Rho::Tukey) | (1 − (1 − s)³)/3 for s ≤ 1, ⅓ beyond | 4.6851 |
//!
//! Source: Huber & Ronchetti (2009); Triggs, McLauchlan, Hartley & Fitzgibbon (2000) §4.3 and appendix; Holland & Welsch (1977)
//! for the constants (that of soft-L1 from the same integral).

use serde::{Deserialize, Serialize};

/// ρ, with ρ(0) = 0 and ρ′(0) = 1. Huber's, soft-L1 and the square are convex in r; Cauchy's and Tukey's are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rho {
    /// s: least squares.
    #[default]
    Squared,
    /// Quadratic near 0, linear in |r| beyond σ.
    Huber,
    /// Smooth between quadratic and linear in |r|; also called pseudo-Huber.
    SoftL1,
    /// Logarithmic: far outliers hardly count.
    Cauchy,
    /// Constant beyond σ: far outliers do not count at all. Also called the biweight.
    Tukey,
}

/// ρ, ρ′ and ρ″ at one s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RhoAt {
    /// ρ(s).
    pub value: f64,
    /// ρ′(s).
    pub slope: f64,
    /// ρ″(s).
    pub second: f64,
}

/// Which curvature a residual brings into the Gauss–Newton matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RhoWeight {
    /// ρ′ + 2sρ″, the second derivative in r, or 0 where that is negative: the corrected Gauss–Newton matrix. Triggs & al. (2000).
    #[default]
    Triggs,
    /// ρ′: iteratively reweighted least squares. Holland & Welsch (1977).
    Irls,
}

impl Rho {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Squared, Self::Huber, Self::SoftL1, Self::Cauchy, Self::Tukey];

    /// A short name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Squared => "squared",
            Self::Huber => "huber",
            Self::SoftL1 => "soft-l1",
            Self::Cauchy => "cauchy",
            Self::Tukey => "tukey",
        }
    }

    /// σ, in standard deviations of normal residuals, where an estimate of location is 95 % efficient; 1 for the square.
    pub fn tuning(self) -> f64 {
        match self {
            Self::Squared => 1.0,
            Self::Huber => 1.344_997_508_512_048,
            Self::SoftL1 => 1.287_099_224_266_19,
            Self::Cauchy => 2.384_947_119_362_147,
            Self::Tukey => 4.685_064_948_543_382,
        }
    }

    /// Whether ½ρ(r²) is convex in r.
    pub fn is_convex(self) -> bool {
        matches!(self, Self::Squared | Self::Huber | Self::SoftL1)
    }

    /// ρ and its derivatives at s ≥ 0. NaN gives NaN.
    #[inline]
    pub fn at(self, s: f64) -> RhoAt {
        let (value, slope, second) = match self {
            Self::Squared => (s, 1.0 + 0.0 * s, 0.0 * s),
            // Written so that NaN takes the second arm.
            Self::Huber if s <= 1.0 => (s, 1.0, 0.0),
            Self::Huber => {
                let root = s.sqrt();
                (2.0 * root - 1.0, 1.0 / root, -0.5 / (s * root))
            }
            Self::SoftL1 => {
                let root = (1.0 + s).sqrt();
                // 2(√(1 + s) − 1) without cancellation.
                (2.0 * s / (root + 1.0), 1.0 / root, -0.5 / ((1.0 + s) * root))
            }
            Self::Cauchy => {
                let inverse = 1.0 / (1.0 + s);
                (libm::log1p(s), inverse, -inverse * inverse)
            }
            Self::Tukey if s > 1.0 => (1.0 / 3.0, 0.0, 0.0),
            Self::Tukey => {
                let left = 1.0 - s;
                // (1 − (1 − s)³)/3 without cancellation.
                (s * (1.0 - s + s * s / 3.0), left * left, -2.0 * left)
            }
        };
        RhoAt { value, slope, second }
    }

    /// `r` ← r̃ = r·√(ρ(s)/s), s = (r/σ)², so that ½r̃² = ½σ²ρ(s): a residual of plain least squares. Returns ∂r̃/∂r = ρ′(s)·√(s/ρ(s)).
    pub fn bend(self, scale: f64, r: &mut f64) -> f64 {
        let s = (*r / scale) * (*r / scale);
        if s == 0.0 {
            return 1.0;
        }
        let at = self.at(s);
        let part = (at.value / s).sqrt();
        *r *= part;
        at.slope / part
    }
}

impl RhoAt {
    /// ρ′ + 2sρ″, the second derivative of ½σ²ρ in r.
    #[inline]
    pub fn curvature(self, s: f64) -> f64 {
        let bend = 2.0 * s * self.second;
        // s beyond the range of f64: ρ′ and 2sρ″ vanish, but 0·∞ is no number.
        if s == f64::INFINITY { self.slope } else { self.slope + bend }
    }

    /// The share in the Gauss–Newton matrix: nonnegative.
    #[inline]
    pub fn weight(self, s: f64, kind: RhoWeight) -> f64 {
        match kind {
            // Written so that NaN stays.
            RhoWeight::Triggs => {
                let curvature = self.curvature(s);
                if curvature < 0.0 { 0.0 } else { curvature }
            }
            RhoWeight::Irls => self.slope,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINTS: [f64; 9] = [0.0, 1e-12, 0.01, 0.3, 0.999, 1.001, 2.5, 40.0, 1e6];

    #[test]
    fn derivatives_are_those_of_the_values() {
        for rho in Rho::ALL {
            for s in POINTS.into_iter().filter(|s| *s > 1e-3) {
                let h = 1e-5 * s;
                let (above, below, at) = (rho.at(s + h), rho.at(s - h), rho.at(s));
                let slope = (above.value - below.value) / (2.0 * h);
                let second = (above.slope - below.slope) / (2.0 * h);
                let scale = at.slope.abs().max(1e-12);
                assert!((slope - at.slope).abs() <= 1e-4 * scale, "{rho:?} {s}: {slope} {at:?}");
                let scale = at.second.abs().max(1e-3 * scale);
                assert!((second - at.second).abs() <= 1e-2 * scale, "{rho:?} {s}: {second} {at:?}");
            }
        }
    }

    #[test]
    fn small_residuals_count_as_squares_to_the_last_digit() {
        for rho in Rho::ALL {
            let RhoAt { value, slope, .. } = rho.at(1e-20);
            assert!((value / 1e-20 - 1.0).abs() <= 4.0 * f64::EPSILON, "{rho:?} {value:e}");
            assert_eq!(slope, 1.0, "{rho:?}");
        }
    }

    #[test]
    fn weights_are_never_negative_and_curvature_is_where_rho_is_not_convex() {
        for rho in Rho::ALL {
            for s in POINTS {
                let at = rho.at(s);
                for kind in [RhoWeight::Triggs, RhoWeight::Irls] {
                    assert!(at.weight(s, kind) >= 0.0, "{rho:?} {s}");
                }
                let bent = match rho {
                    Rho::Cauchy => s > 1.0,
                    Rho::Tukey => s > 0.2 && s < 1.0,
                    _ => false,
                };
                // Huber's and soft-L1's curvature vanishes in a difference of equal terms.
                assert_eq!(at.curvature(s) < -1e-12, bent, "{rho:?} {s} {}", at.curvature(s));
            }
        }
    }

    #[test]
    fn nothing_is_made_of_a_residual_that_is_no_number() {
        for rho in Rho::ALL {
            assert!(rho.at(f64::NAN).value.is_nan(), "{rho:?}");
            // The second derivative stays a number where s overflows.
            let far = rho.at(f64::INFINITY);
            assert!(rho == Rho::Squared || far.curvature(f64::INFINITY) == 0.0, "{rho:?} {far:?}");
        }
    }
}
