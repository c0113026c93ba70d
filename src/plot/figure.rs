//! One figure: its axes, its curves, and how they are drawn into a rectangle of the sheet.

use super::canvas::{self, Canvas, Place, Shape};
use super::legend::{Entry, Legend};
use super::{PlotError, SIZE, contour, marks, save, text};
use crate::picture::axis::{Axis, Frame};
use crate::picture::{GUIDE, Ink, Kind, thinned};
use std::path::Path;

pub(super) const AXIS: Ink = Ink(60, 60, 60);
const GRID: Ink = Ink(226, 226, 226);
const FAINT: Ink = Ink(242, 242, 242);
/// Of contour lines, from the lowest level to the highest.
const CONTOUR: [Ink; 2] = [Ink(90, 110, 140), Ink(205, 213, 224)];

pub(super) const TEXT: f64 = 13.0;
pub(super) const TITLE: f64 = 16.0;
/// Margins in points: left, right, top, bottom.
const MARGIN: [f64; 4] = [86.0, 22.0, 46.0, 56.0];
pub(super) const GAP: f64 = 8.0;
const CURVE_WIDTH: f64 = 1.8;
const GUIDE_WIDTH: f64 = 1.2;
/// Points of a path that is marked where it runs with another.
const MOST_POINTS: usize = 50;
/// Radius of the dots at points.
pub(super) const DOT: f64 = 2.6;
/// Of what ends a run, and of marks.
pub(super) const MARK: f64 = 4.2;

/// A figure being described.
#[derive(Clone, Debug)]
#[must_use]
pub struct Figure {
    pub(super) title: String,
    x: Axis,
    y: Axis,
    pub(super) curves: Vec<Curve>,
    contours: Option<contour::Lines>,
}

#[derive(Clone, Debug)]
pub(super) struct Curve {
    pub(super) name: String,
    points: Vec<(f64, f64)>,
    pub(super) kind: Kind,
    /// A dot at every point.
    pub(super) dots: bool,
    /// The run ended in another minimum than the best.
    pub(super) elsewhere: bool,
}

/// A rectangle of the sheet, in points.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Figure {
    /// An empty figure.
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self { title: title.into(), x, y, curves: Vec::new(), contours: None }
    }

    /// A line through `points`, named in the legend. Points that the axes cannot show (not finite, or not positive on a logarithmic axis)
    /// interrupt it.
    pub fn curve(
        self,
        name: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        self.with(name, points, Kind::Curve, false)
    }

    /// As [`curve`](Self::curve), with a dot at every point: measurements.
    pub fn measured(
        self,
        name: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        self.with(name, points, Kind::Curve, true)
    }

    /// The course of a method: as [`curve`](Self::curve), with a mark where it ends, and others where it runs over another run.
    pub fn run(
        self,
        name: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        self.with(name, points, Kind::Run, false)
    }

    /// The path of a method on a map: as [`run`](Self::run), with a dot at every point.
    pub fn path(
        self,
        name: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        self.with(name, points, Kind::Run, true)
    }

    /// The run or path that was added last ended in another minimum than the best one: its end is a cross, which the legend explains.
    pub fn ended_elsewhere(mut self) -> Self {
        if let Some(curve) = self.curves.last_mut() {
            curve.elsewhere = true;
        }
        self
    }

    /// What theory says: thin grey dashes, with the name at the last point that is seen, not in the legend.
    pub fn guide(
        self,
        name: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        self.with(name, points, Kind::Guide, false)
    }

    /// Black dots without a line.
    pub fn dots(
        self,
        name: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        self.with(name, points, Kind::Dots, true)
    }

    fn with(
        mut self,
        name: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64)>,
        kind: Kind,
        dots: bool,
    ) -> Self {
        let points = points.into_iter().collect();
        self.curves.push(Curve { name: name.into(), points, kind, dots, elsewhere: false });
        self
    }

    /// Contour lines of f(x, y) behind the curves, at the given levels, over the ranges of the axes, which must be given
    /// ([`Axis::within`]). Cost: 201² values.
    pub fn contours(mut self, levels: &[f64], mut f: impl FnMut(f64, f64) -> f64) -> Self {
        if let (Some(x), Some(y)) = (self.x.range, self.y.range) {
            self.contours = Some(contour::Lines::of(x, y, levels, &mut f));
        }
        self
    }

    /// The figure as SVG.
    ///
    /// # Errors
    /// Nothing to draw.
    pub fn svg(&self) -> Result<String, PlotError> {
        canvas::svg(SIZE, |canvas| self.draw(canvas))
    }

    /// The figure as PNG, two pixels per point.
    ///
    /// # Errors
    /// Nothing to draw.
    pub fn png(&self) -> Result<Vec<u8>, PlotError> {
        canvas::png(SIZE, |canvas| self.draw(canvas))
    }

    /// Writes `path`, as SVG or PNG by its extension; makes its folder.
    ///
    /// # Errors
    /// Nothing to draw; another extension; a file that cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), PlotError> {
        save(path.as_ref(), || self.svg(), || self.png())
    }

    fn draw(&self, canvas: &mut Canvas<'_>) -> Result<(), PlotError> {
        let mut legend = Legend::of(&[self]);
        let width = SIZE.0 - legend.width();
        let area = Area { left: 0.0, top: 0.0, width, height: SIZE.1 };
        self.draw_into(canvas, area, &mut legend)?;
        legend.draw(canvas, (width, MARGIN[2]), SIZE.1 - MARGIN[2])
    }

    /// Draws all but the legend, and tells it which marks were needed.
    pub(super) fn draw_into(
        &self,
        canvas: &mut Canvas<'_>,
        area: Area,
        legend: &mut Legend,
    ) -> Result<(), PlotError> {
        let nothing = || PlotError::NothingToDraw { title: self.title.clone() };
        // Theory goes as far as what is measured.
        let shown = || self.curves.iter().filter(|curve| curve.kind != Kind::Guide);
        let points = || shown().flat_map(|curve| curve.points.iter().copied());
        let visible = || points().filter(|(x, y)| self.x.shows(*x) && self.y.shows(*y));
        if visible().next().is_none() && self.contours.is_none() {
            return Err(nothing());
        }
        let [left, right, top, bottom] = MARGIN;
        let (low, high) = (area.left + left, area.left + area.width - right);
        let x = self.x.frame(visible().map(|p| p.0), low, high);
        let (low, high) = (area.top + area.height - bottom, area.top + top);
        let y = self.y.frame(visible().map(|p| p.1), low, high);
        Self::draw_axes(canvas, &x, &y)?;
        if let Some(contours) = &self.contours {
            contours.draw(canvas, &x, &y, CONTOUR)?;
        }
        self.draw_curves(canvas, &x, &y, legend)?;
        canvas.outline((x.low, y.high), (x.high, y.low), AXIS)?;
        let middle = f64::midpoint(x.low, x.high);
        let room = area.width - 2.0 * GAP;
        let mut write = |words: &str, at: (f64, f64), size: f64, place: Place, room: f64| {
            // What is too long is written smaller.
            let size = size * (room / text::width(words, size)).min(1.0);
            canvas.text(words, at, size, place, AXIS)
        };
        write(&self.title, (middle, y.high - 1.5 * GAP), TITLE, Place::Above, room)?;
        let label = self.x.label.clone() + &x.common();
        write(&label, (middle, area.top + area.height - GAP), TEXT, Place::Above, room)?;
        let label = self.y.label.clone() + &y.common();
        let at = (area.left + 2.0 * GAP + 4.0, f64::midpoint(y.low, y.high));
        write(&label, at, TEXT, Place::Upright, area.height - 2.0 * GAP)
    }

    fn draw_axes(canvas: &mut Canvas<'_>, x: &Frame, y: &Frame) -> Result<(), PlotError> {
        let mut free = f64::NEG_INFINITY;
        for tick in x.ticks() {
            let ink = if tick.label.is_some() { GRID } else { FAINT };
            canvas.line(&[(tick.at, y.low), (tick.at, y.high)], 1.0, ink, &[])?;
            if let Some(label) = &tick.label {
                // A label that would touch the one before is left out.
                let half = 0.5 * text::width(label, TEXT);
                if tick.at - half >= free {
                    canvas.text(label, (tick.at, y.low + 6.0), TEXT, Place::Below, AXIS)?;
                    free = tick.at + half + GAP;
                }
            }
        }
        for tick in y.ticks() {
            let ink = if tick.label.is_some() { GRID } else { FAINT };
            canvas.line(&[(x.low, tick.at), (x.high, tick.at)], 1.0, ink, &[])?;
            if let Some(label) = &tick.label {
                canvas.text(label, (x.low - 6.0, tick.at), TEXT, Place::Left, AXIS)?;
            }
        }
        Ok(())
    }

    fn draw_curves(
        &self,
        canvas: &mut Canvas<'_>,
        x: &Frame,
        y: &Frame,
        legend: &mut Legend,
    ) -> Result<(), PlotError> {
        let place = |(px, py): &(f64, f64)| Some((x.place(*px)?, y.place(*py)?));
        let (low, high) = ((x.low, y.high), (x.high, y.low));
        let inside = |p: &(f64, f64)| x.holds(p.0) && y.holds(p.1);
        let mut runs = vec![Vec::new(); self.curves.len()];
        let mut dots: Vec<Vec<(f64, f64)>> = vec![Vec::new(); self.curves.len()];
        for (index, curve) in self.curves.iter().enumerate() {
            let Entry { look, .. } = legend.entry(&curve.name);
            let placed: Vec<_> = curve.points.iter().map(place).collect();
            let width = if curve.kind == Kind::Guide { GUIDE_WIDTH } else { CURVE_WIDTH };
            for run in placed.split(Option::is_none) {
                let run: Vec<_> = run.iter().flatten().copied().collect();
                if curve.kind != Kind::Dots {
                    // A map's paths go to and fro: thinning is for graphs.
                    let drawn = if self.contours.is_some() { run.clone() } else { thinned(&run) };
                    let parts = canvas::inside(&drawn, low, high);
                    for part in &parts {
                        canvas.line(part, width, look.ink, look.dashes)?;
                    }
                    runs[index].extend(parts);
                }
                if curve.dots {
                    dots[index].extend(run.into_iter().filter(inside));
                }
            }
        }
        for (index, curve) in self.curves.iter().enumerate() {
            let ink = legend.entry(&curve.name).look.ink;
            let radius = if curve.kind == Kind::Dots { MARK } else { DOT };
            for point in canvas::apart(dots[index].iter().copied(), DOT / 2.0) {
                canvas.dot(point, radius, ink)?;
            }
        }
        self.draw_guides(canvas, &runs, x, y)?;
        // Runs only: a function's graph has its place. A path of many points on a map fills it by going to and fro.
        let winding = |curve: &Curve| curve.dots && curve.points.len() > MOST_POINTS;
        let marked = |curve: &Curve| curve.kind == Kind::Run && !winding(curve);
        let of_runs = self.curves.iter().zip(runs);
        let of_runs: Vec<_> =
            of_runs.map(|(curve, parts)| if marked(curve) { parts } else { Vec::new() }).collect();
        let shared = marks::shared(&of_runs);
        for (curve, marks) in self.curves.iter().zip(shared) {
            if curve.kind != Kind::Run {
                continue;
            }
            let Entry { look, shape, .. } = *legend.entry(&curve.name);
            for at in &marks {
                canvas.mark(*at, MARK, shape, look.ink)?;
            }
            let end = curve.points.iter().rev().find_map(place).filter(inside);
            if let Some(end) = end {
                let shape = if curve.elsewhere { Shape::Cross } else { shape };
                canvas.mark(end, MARK + 1.0, shape, look.ink)?;
            }
            if !marks.is_empty() || (end.is_some() && !curve.elsewhere) {
                legend.mark(&curve.name);
            }
        }
        Ok(())
    }

    /// The names of the guides, at their ends.
    fn draw_guides(
        &self,
        canvas: &mut Canvas<'_>,
        runs: &[Vec<Vec<(f64, f64)>>],
        x: &Frame,
        y: &Frame,
    ) -> Result<(), PlotError> {
        /// Of a line: as far to the side as this many times up or down.
        const STEEP: f64 = 1.5;
        for (curve, parts) in self.curves.iter().zip(runs) {
            let (Kind::Guide, Some([.., from, end])) =
                (curve.kind, parts.last().map(Vec::as_slice))
            else {
                continue;
            };
            // Inside; beside a steep line from the left, above another.
            let height = (end.1 - TEXT).clamp(y.high + TEXT, y.low - TEXT);
            let steep = end.0 > from.0 && end.0 - from.0 < STEEP * (end.1 - from.1).abs();
            let width = text::width(&curve.name, TEXT);
            let left = if steep { end.0 + GAP } else { end.0 - width - GAP };
            let left = left.min(x.high - width - GAP).max(x.low + GAP);
            canvas.text(&curve.name, (left, height), TEXT, Place::Right, GUIDE)?;
        }
        Ok(())
    }
}
