//! What a fit as a whole is worth.

use super::distributions::{ChiSquared, Distribution};
use crate::run::nonfinite;
use secant_core::problem::Observations;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// Likelihood and its criteria, R², χ².
///
/// The errors are taken as normal. Where σ is not known the likelihood is that at its largest over σ, RSS/m, and σ is not counted among
/// the parameters: AIC = −2 ln L + 2p and BIC = −2 ln L + p·ln m are those of statsmodels. R counts σ as one more parameter, which adds 2 and
/// ln m; lmfit leaves out what does not depend on the model, m(1 + ln 2π) (and the weights). Differences between fits to the same data are
/// the same in all three, so long as all have σ estimated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Measures {
    /// 1 − RSS/TSS, TSS about the weighted mean of each output. NaN where the targets are not known.
    #[serde(with = "nonfinite")]
    pub r_squared: f64,
    /// 1 − (RSS/(m − p))/(TSS/(m − c)) with c outputs.
    #[serde(with = "nonfinite")]
    pub adjusted_r_squared: f64,
    /// Σ(r/σ)². NaN where σ is not known.
    #[serde(with = "nonfinite")]
    pub chi_squared: f64,
    /// P(χ² with m − p degrees of freedom ≥ that): small where the model does not fit, or σ is too small. NaN where σ is not known.
    #[serde(with = "nonfinite")]
    pub chi_squared_p: f64,
    /// ln L.
    #[serde(with = "nonfinite")]
    pub log_likelihood: f64,
    /// −2 ln L + 2p (Akaike 1974).
    #[serde(with = "nonfinite")]
    pub aic: f64,
    /// AIC + 2p(p + 1)/(m − p − 1) (Hurvich & Tsai 1989); NaN where m ≤ p + 1.
    #[serde(with = "nonfinite")]
    pub aicc: f64,
    /// −2 ln L + p·ln m (Schwarz 1978).
    #[serde(with = "nonfinite")]
    pub bic: f64,
}

impl Measures {
    /// `squares` in the units of the targets, or of σ where `absolute`.
    pub(super) fn of(observations: &Observations, squares: f64, p: f64, absolute: bool) -> Self {
        let m = observations.counted as f64;
        let degrees = m - p;
        let (r_squared, adjusted_r_squared) = match observations.total {
            Some((total, outputs)) => {
                let left = squares / total;
                (1.0 - left, 1.0 - left / degrees * (m - outputs as f64))
            }
            None => (f64::NAN, f64::NAN),
        };
        let log_likelihood = observations.log_weight
            - 0.5
                * if absolute {
                    m * libm::log(2.0 * PI) + squares
                } else {
                    m * (libm::log(2.0 * PI * squares / m) + 1.0)
                };
        let known = |value: f64| if absolute { value } else { f64::NAN };
        let aic = 2.0 * p - 2.0 * log_likelihood;
        let left = degrees - 1.0;
        Self {
            r_squared,
            adjusted_r_squared: if degrees > 0.0 { adjusted_r_squared } else { f64::NAN },
            chi_squared: known(squares),
            chi_squared_p: known(ChiSquared::new(degrees).survival(squares)),
            log_likelihood,
            aic,
            aicc: if left > 0.0 { aic + 2.0 * p * (p + 1.0) / left } else { f64::NAN },
            bic: p * libm::log(m) - 2.0 * log_likelihood,
        }
    }
}
