//! What of the residuals is data.

/// Which residuals are of observations, and in what units: what statistics need beside r and J.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observations {
    /// The first so many residuals are of the data; those after them belong to a penalty.
    pub rows: usize,
    /// How many of them count: those of weight 0 do not.
    pub counted: usize,
    /// A residual times this is an error in the units of the targets (times √w, where there are weights).
    pub unit: f64,
    /// Σ ln √wᵢ over the residuals that count, or −Σ ln σᵢ: what makes densities of residuals those of targets.
    pub log_weight: f64,
    /// Σ w(y − ȳ)² with ȳ the weighted mean of each output, and the number of outputs; where the targets are known.
    pub total: Option<(f64, usize)>,
}

impl Observations {
    /// m residuals, all of them data, in their own units.
    pub fn plain(m: usize) -> Self {
        Self { rows: m, counted: m, unit: 1.0, log_weight: 0.0, total: None }
    }
}
