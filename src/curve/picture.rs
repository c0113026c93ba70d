//! The picture of a fitted curve.

use super::{CurveFit, FunctionFit};
use crate::plot::{Axis, Figure, Panels, PlotError};
use secant_core::data::Dataset;
use secant_core::text::list;
use secant_optim::inference::BandPoint;
use std::path::Path;

/// Points at which the curve is drawn.
const POINTS: u32 = 400;
/// Of the band.
const LEVEL: f64 = 0.95;

/// A curve to be drawn.
struct Drawn<'a> {
    data: &'a Dataset,
    outputs: usize,
    has_absolute_sigma: bool,
    predict: &'a dyn Fn(&[f64]) -> Vec<f64>,
    band: &'a dyn Fn(&[f64]) -> Option<Vec<BandPoint>>,
}

impl Drawn<'_> {
    /// Data with curve and band under `title`, and the residuals.
    fn panels(&self, title: &str) -> Result<[Figure; 2], PlotError> {
        let features = self.data.feature_names();
        if features.len() != 1 || self.outputs != 1 {
            let (inputs, outputs) = (features.len(), self.outputs);
            let features = list(features.iter().map(String::as_str));
            return Err(PlotError::Curve { features, inputs, outputs });
        }
        let x = self.data.inputs();
        let offset = |i: usize| self.data.offset().map_or(0.0, |offset| offset[i]);
        let y = self.data.targets().values().unwrap_or_default().iter().enumerate();
        let y: Vec<f64> = y.map(|(i, y)| y - offset(i)).collect();
        let least = x.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let place = |k: u32| least + (largest - least) * f64::from(k) / f64::from(POINTS);
        let along: Vec<f64> = (0..=POINTS).map(place).collect();
        let fitted = (self.predict)(x);
        let curve = (self.predict)(&along);
        let target = self.data.target_names().first().map_or("y", String::as_str);
        let mut top = Figure::new(title, Axis::linear(features[0].as_str()), Axis::linear(target))
            .dots("data", x.iter().copied().zip(y.iter().copied()))
            .curve("curve", along.iter().copied().zip(curve));
        if let Some(band) = (self.band)(&along) {
            let ends = |end: fn(&(f64, f64)) -> f64| {
                along.iter().copied().zip(band.iter().map(move |point| end(&point.confidence)))
            };
            let (low, high) = (ends(|band| band.0), ends(|band| band.1));
            let both = low.chain([(f64::NAN, f64::NAN)]).chain(high);
            top = top.guide("95 % band", both);
        }
        let mut below =
            Figure::new("", Axis::linear(features[0].as_str()), Axis::linear("residual"));
        below = below.guide("", [(least, 0.0), (largest, 0.0)]);
        let residuals: Vec<f64> = y.iter().zip(&fitted).map(|(y, z)| y - z).collect();
        if let Some(weights) = self.data.weights().filter(|_| self.has_absolute_sigma) {
            let bars = |middles: &[f64]| -> Vec<(f64, f64)> {
                let each = x.iter().zip(middles).zip(weights);
                each.flat_map(|((&x, &y), weight)| {
                    let sigma = weight.sqrt().recip();
                    [(x, y - sigma), (x, y + sigma), (f64::NAN, f64::NAN)]
                })
                .collect()
            };
            top = top.curve("±σ", bars(&y));
            below = below.curve("±σ", bars(&residuals));
        }
        below = below.dots("data", x.iter().copied().zip(residuals));
        Ok([top, below])
    }
}

impl CurveFit {
    /// Data with error bars (where σ are absolute), curve and 95 % confidence band, and below them the residuals. Feature `plot`; of one
    /// input and one output.
    ///
    /// # Errors
    /// More inputs or outputs than a sheet can show.
    pub fn figure(&self, title: impl Into<String>) -> Result<Panels, PlotError> {
        Ok(Panels::new(title, 1, self.panels("")?))
    }

    /// Data, curve and band alone, under `title`.
    pub(super) fn upper_panel(&self, title: &str) -> Result<Figure, PlotError> {
        let [top, _] = self.panels(title)?;
        Ok(top)
    }

    fn panels(&self, title: &str) -> Result<[Figure; 2], PlotError> {
        let drawn = Drawn {
            data: self.data(),
            outputs: self.written().outputs(),
            has_absolute_sigma: self.absolute_sigma,
            predict: &|x| self.predict(x).unwrap_or_default(),
            band: &|x| self.band(x, LEVEL).ok(),
        };
        drawn.panels(title)
    }

    /// Writes the [`figure`](Self::figure) to `path`, as SVG or PNG by its extension, under the formula as its title.
    ///
    /// # Errors
    /// As [`figure`](Self::figure); another extension; a file that cannot be written.
    pub fn plot(&self, path: impl AsRef<Path>) -> Result<(), PlotError> {
        self.figure(self.written().to_unicode())?.save(path)
    }
}

impl FunctionFit {
    /// Data, curve and band above the residuals, as [`CurveFit::figure`]. Feature `plot`; of one input.
    ///
    /// # Errors
    /// More inputs than a sheet can show.
    pub fn figure(&self, title: impl Into<String>) -> Result<Panels, PlotError> {
        Ok(Panels::new(title, 1, self.panels("")?))
    }

    /// Data, curve and band alone, under `title`.
    pub(super) fn upper_panel(&self, title: &str) -> Result<Figure, PlotError> {
        let [top, _] = self.panels(title)?;
        Ok(top)
    }

    fn panels(&self, title: &str) -> Result<[Figure; 2], PlotError> {
        let drawn = Drawn {
            data: self.data(),
            outputs: 1,
            has_absolute_sigma: self.has_absolute_sigma(),
            predict: &|x| self.predict(x).unwrap_or_default(),
            band: &|x| self.band(x, LEVEL).ok(),
        };
        drawn.panels(title)
    }

    /// Writes the [`figure`](Self::figure) to `path`, as SVG or PNG by its extension.
    ///
    /// # Errors
    /// As [`figure`](Self::figure); another extension; a file that cannot be written.
    pub fn plot(&self, path: impl AsRef<Path>) -> Result<(), PlotError> {
        self.figure("")?.save(path)
    }
}
