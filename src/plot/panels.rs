//! Several figures on one sheet, with one legend.

use super::canvas::{self, Canvas, Place};
use super::figure::{AXIS, Area, Figure, GAP, TITLE};
use super::legend::Legend;
use super::{PlotError, save};
use std::path::Path;

/// Width and height of a panel, in points.
const PANEL: (f64, f64) = (470.0, 360.0);
/// Height of the common title.
const HEAD: f64 = 34.0;
/// Where the legend begins below the title.
const LEGEND_TOP: f64 = 46.0;

/// Figures side by side, row by row, on one sheet: curves of one name have one look in all of them, and stand in the legend once.
///
/// ```
/// use secant::plot::{Axis, Figure, Panels};
/// let panel = |power: i32| {
///     let points = (0..9).map(move |k| (f64::from(k), f64::from(k).powi(power)));
///     Figure::new(format!("power {power}"), Axis::linear("x"), Axis::linear("y")).curve("xᵖ", points)
/// };
/// let sheet = Panels::new("Powers", 2, [1, 2, 3].map(panel));
/// assert_eq!(sheet.svg()?.matches("xᵖ").count(), 1);
/// # Ok::<(), secant::plot::PlotError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Panels {
    title: String,
    columns: usize,
    figures: Vec<Figure>,
}

impl Panels {
    /// `figures`, so many in a row (at least one).
    pub fn new(
        title: impl Into<String>,
        columns: usize,
        figures: impl IntoIterator<Item = Figure>,
    ) -> Self {
        let figures: Vec<Figure> = figures.into_iter().collect();
        let columns = columns.clamp(1, figures.len().max(1));
        Self { title: title.into(), columns, figures }
    }

    /// The sheet as SVG.
    ///
    /// # Errors
    /// A panel with nothing to draw, or no panel.
    pub fn svg(&self) -> Result<String, PlotError> {
        let (size, mut legend) = self.layout()?;
        canvas::svg(size, |canvas| self.draw(canvas, size, &mut legend))
    }

    /// The sheet as PNG, two pixels per point.
    ///
    /// # Errors
    /// A panel with nothing to draw, or no panel.
    pub fn png(&self) -> Result<Vec<u8>, PlotError> {
        let (size, mut legend) = self.layout()?;
        canvas::png(size, |canvas| self.draw(canvas, size, &mut legend))
    }

    /// Writes `path`, as SVG or PNG by its extension; makes its folder.
    ///
    /// # Errors
    /// As of [`svg`](Self::svg); another extension; a file that cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), PlotError> {
        save(path.as_ref(), || self.svg(), || self.png())
    }

    /// The size of the sheet in whole points.
    fn layout(&self) -> Result<((f64, f64), Legend), PlotError> {
        if self.figures.is_empty() {
            return Err(PlotError::NothingToDraw { title: self.title.clone() });
        }
        let legend = Legend::of(&self.figures.iter().collect::<Vec<_>>());
        let rows = self.figures.len().div_ceil(self.columns);
        let width = self.columns as f64 * PANEL.0 + legend.width();
        Ok(((width.ceil(), HEAD + rows as f64 * PANEL.1), legend))
    }

    fn draw(
        &self,
        canvas: &mut Canvas<'_>,
        size: (f64, f64),
        legend: &mut Legend,
    ) -> Result<(), PlotError> {
        for (index, figure) in self.figures.iter().enumerate() {
            let (row, column) = (index / self.columns, index % self.columns);
            let (left, top) = (column as f64 * PANEL.0, HEAD + row as f64 * PANEL.1);
            let area = Area { left, top, width: PANEL.0, height: PANEL.1 };
            figure.draw_into(canvas, area, legend)?;
        }
        let middle = self.columns as f64 * PANEL.0 / 2.0;
        canvas.text(&self.title, (middle, HEAD - GAP), TITLE, Place::Above, AXIS)?;
        let top = HEAD + LEGEND_TOP;
        legend.draw(canvas, (self.columns as f64 * PANEL.0, top), size.1 - top)
    }
}
