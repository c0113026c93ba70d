//! Why a feature map cannot be made from its constants.

/// A constant of a feature map is out of range.
#[derive(Clone, PartialEq, thiserror::Error)]
pub enum FeatureError {
    /// An option out of range.
    #[error("{op}: {option} = {value} must be {allowed}")]
    Option {
        /// Name of the feature map.
        op: &'static str,
        /// Name of the option.
        option: &'static str,
        /// The value given.
        value: f64,
        /// What is allowed.
        allowed: &'static str,
    },
    /// Points that are no whole number of samples, or none.
    #[error("{op}: {entries} entries are no points of {features} feature(s)")]
    Points {
        /// Name of the feature map.
        op: &'static str,
        /// Features of a point.
        features: usize,
        /// Entries given.
        entries: usize,
    },
    /// Points of different lengths.
    #[error("{op}: point {point} has {found} feature(s), the first has {expected}")]
    Ragged {
        /// Name of the feature map.
        op: &'static str,
        /// Position of the point, from 0.
        point: usize,
        /// Features of the first point.
        expected: usize,
        /// Features of this one.
        found: usize,
    },
    /// A point that is NaN or infinite.
    #[error("{op}: feature {feature} of point {point} is {value}")]
    NotFinite {
        /// Name of the feature map.
        op: &'static str,
        /// Position of the point, from 0.
        point: usize,
        /// Feature, from 0.
        feature: usize,
        /// The value.
        value: f64,
    },
    /// A kernel matrix of the landmarks that overflows, or that has no positive eigenvalue.
    #[error(
        "{op}: the kernel matrix of the {points} points has no inverse square root (its largest eigenvalue is {largest})"
    )]
    KernelMatrix {
        /// Name of the feature map.
        op: &'static str,
        /// m.
        points: usize,
        /// Largest eigenvalue; NaN where there is none.
        largest: f64,
    },
}

impl std::fmt::Debug for FeatureError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}
