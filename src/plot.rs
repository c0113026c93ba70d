//! Figures: curves over linear or logarithmic axes, and contour lines with paths over them, as SVG and PNG. Feature `plot`.
//!
//! The drawing is by plotters' two backends, without a system library: PNG's letters come from a subset of DejaVu Sans that is
//! compiled in (origin and licence: `src/plot/font/`), and SVG names it first and falls back to the reader's own. The legend is
//! a column beside the curves and never over them.
//!
//! ```
//! use secant::plot::{Axis, Figure};
//! let figure = Figure::new("Newton's last steps", Axis::linear("iteration"), Axis::log("|x − √2|"))
//!     .curve("from 1", [(0.0, 0.41), (1.0, 0.086), (2.0, 2.5e-3), (3.0, 2.1e-6), (4.0, 1.6e-12)]);
//! assert!(figure.svg()?.contains("from 1"));
//! # Ok::<(), secant::plot::PlotError>(())
//! ```

mod axis;
mod canvas;
mod contour;
mod text;

pub use axis::{Axis, Scale};

use axis::Frame;
use canvas::{Canvas, Ink, Place};
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Width and height of a figure, in points.
pub const SIZE: (f64, f64) = (960.0, 560.0);

/// Colours that stay apart for colour-blind readers: Okabe & Ito (2008) without their yellow, which is faint on white.
const PALETTE: [Ink; 7] = [
    Ink(0, 114, 178),
    Ink(213, 94, 0),
    Ink(0, 158, 115),
    Ink(204, 121, 167),
    Ink(0, 0, 0),
    Ink(230, 159, 0),
    Ink(86, 180, 233),
];
/// Lengths of dash and gap, in points; curve k of the palette's second round has the second.
const DASHES: [&[f64]; 4] = [&[], &[8.0, 4.0], &[2.0, 3.0], &[10.0, 3.0, 2.0, 3.0]];
const AXIS: Ink = Ink(60, 60, 60);
const GRID: Ink = Ink(226, 226, 226);
const FAINT: Ink = Ink(242, 242, 242);
/// Of contour lines, from the lowest level to the highest.
const CONTOUR: [Ink; 2] = [Ink(90, 110, 140), Ink(205, 213, 224)];

const TEXT: f64 = 13.0;
const TITLE: f64 = 16.0;
/// Margins in points: left, right, top, bottom.
const MARGIN: [f64; 4] = [86.0, 22.0, 46.0, 56.0];
/// The sample of a line in the legend, and the gaps around it.
const SAMPLE: f64 = 30.0;
const GAP: f64 = 8.0;
const LINE_HEIGHT: f64 = 20.0;
const CURVE_WIDTH: f64 = 1.8;
const MARKER: f64 = 3.0;

/// What keeps a figure from being drawn.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PlotError {
    /// No curve has a point with two finite coordinates, positive on a logarithmic axis.
    #[error("`{title}`: no point can be drawn on these axes")]
    NothingToDraw {
        /// The figure's title.
        title: String,
    },
    /// A file that is neither `.svg` nor `.png`.
    #[error("{}: a figure is saved as .svg or .png", path.display())]
    Format {
        /// The file asked for.
        path: PathBuf,
    },
    /// The file, or its folder, cannot be written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The drawing library.
    #[error("drawing failed: {0}")]
    Drawing(#[source] io::Error),
    /// A comparison of a problem that is no picture: not two parameters, or without iterates.
    #[error("no map of paths: {parameters} parameters (2 are needed), iterates {}", if *.recorded { "recorded" } else { "not recorded" })]
    NoMap {
        /// n
        parameters: usize,
        /// Whether the iterates were kept.
        recorded: bool,
    },
}

/// A figure being described.
#[derive(Clone, Debug)]
#[must_use]
pub struct Figure {
    title: String,
    x: Axis,
    y: Axis,
    curves: Vec<Curve>,
    contours: Option<contour::Lines>,
}

#[derive(Clone, Debug)]
struct Curve {
    name: String,
    points: Vec<(f64, f64)>,
    markers: bool,
    line: Line,
}

/// How the points of a curve are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// Not at all.
    Nothing,
    /// As the curve's turn in the palette says.
    Own,
    /// In dashes.
    Dashed,
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
        self.with(name, points, Line::Own, false)
    }

    /// As [`curve`](Self::curve), with a dot at every point: the path of a method.
    pub fn path(
        self,
        name: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        self.with(name, points, Line::Own, true)
    }

    /// As [`curve`](Self::curve), in dashes: what theory says.
    pub fn guide(
        self,
        name: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        self.with(name, points, Line::Dashed, false)
    }

    /// Dots without a line.
    pub fn dots(
        self,
        name: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        self.with(name, points, Line::Nothing, true)
    }

    fn with(
        mut self,
        name: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64)>,
        line: Line,
        markers: bool,
    ) -> Self {
        let points = points.into_iter().collect();
        self.curves.push(Curve { name: name.into(), points, markers, line });
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
        let path = path.as_ref();
        let bytes = match path.extension().and_then(|extension| extension.to_str()) {
            Some("svg") => self.svg()?.into_bytes(),
            Some("png") => self.png()?,
            _ => return Err(PlotError::Format { path: path.to_owned() }),
        };
        let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        folder
            .and_then(|()| std::fs::write(path, bytes))
            .map_err(|source| PlotError::File { path: path.to_owned(), source })
    }

    fn draw(&self, canvas: &mut Canvas<'_>) -> Result<(), PlotError> {
        let nothing = || PlotError::NothingToDraw { title: self.title.clone() };
        let points = || self.curves.iter().flat_map(|curve| curve.points.iter().copied());
        let visible = || points().filter(|(x, y)| self.x.shows(*x) && self.y.shows(*y));
        if visible().next().is_none() && self.contours.is_none() {
            return Err(nothing());
        }
        let names = self.curves.iter().map(|curve| text::width(&curve.name, TEXT));
        let widest = names.fold(0.0, f64::max);
        let legend = if widest > 0.0 { SAMPLE + 3.0 * GAP + widest } else { 0.0 };
        let [left, right, top, bottom] = MARGIN;
        let x = self.x.frame(visible().map(|p| p.0), left, SIZE.0 - right - legend);
        let y = self.y.frame(visible().map(|p| p.1), SIZE.1 - bottom, top);
        self.draw_axes(canvas, &x, &y)?;
        if let Some(contours) = &self.contours {
            contours.draw(canvas, &x, &y, CONTOUR)?;
        }
        for (index, curve) in self.curves.iter().enumerate() {
            Self::draw_curve(canvas, curve, index, &x, &y)?;
        }
        canvas.outline((x.low, y.high), (x.high, y.low), AXIS)?;
        if legend > 0.0 {
            self.draw_legend(canvas, SIZE.0 - right - legend + 2.0 * GAP, top)?;
        }
        let middle = f64::midpoint(x.low, x.high);
        canvas.text(&self.title, (middle, top - 1.5 * GAP), TITLE, Place::Above, AXIS)?;
        canvas.text(&self.x.label, (middle, SIZE.1 - GAP), TEXT, Place::Above, AXIS)?;
        let y_middle = f64::midpoint(y.low, y.high);
        canvas.text(&self.y.label, (2.0 * GAP + 4.0, y_middle), TEXT, Place::Upright, AXIS)
    }

    #[expect(clippy::unused_self, reason = "a step of `draw`")]
    fn draw_axes(&self, canvas: &mut Canvas<'_>, x: &Frame, y: &Frame) -> Result<(), PlotError> {
        for tick in x.ticks() {
            let ink = if tick.label.is_some() { GRID } else { FAINT };
            canvas.line(&[(tick.at, y.low), (tick.at, y.high)], 1.0, ink, &[])?;
            if let Some(label) = &tick.label {
                canvas.text(label, (tick.at, y.low + 6.0), TEXT, Place::Below, AXIS)?;
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

    fn draw_curve(
        canvas: &mut Canvas<'_>,
        curve: &Curve,
        index: usize,
        x: &Frame,
        y: &Frame,
    ) -> Result<(), PlotError> {
        let (ink, dashes) = style(index, curve.line);
        let place = |(px, py): &(f64, f64)| Some((x.place(*px)?, y.place(*py)?));
        let placed: Vec<_> = curve.points.iter().map(place).collect();
        for run in placed.split(Option::is_none) {
            let run: Vec<_> = run.iter().flatten().copied().collect();
            if curve.line != Line::Nothing {
                for part in canvas::inside(&canvas::thinned(&run), (x.low, y.high), (x.high, y.low))
                {
                    canvas.line(&part, CURVE_WIDTH, ink, dashes)?;
                }
            }
            if curve.markers {
                let shown = run.iter().filter(|p| x.holds(p.0) && y.holds(p.1));
                for point in canvas::apart(shown.copied(), MARKER / 2.0) {
                    canvas.dot(point, MARKER, ink)?;
                }
            }
        }
        Ok(())
    }

    fn draw_legend(&self, canvas: &mut Canvas<'_>, left: f64, top: f64) -> Result<(), PlotError> {
        let room = (SIZE.1 - top - GAP) / self.curves.len() as f64;
        let height = LINE_HEIGHT.min(room);
        for (index, curve) in self.curves.iter().enumerate() {
            let y = top + (index as f64 + 0.5) * height;
            let (ink, dashes) = style(index, curve.line);
            if curve.line != Line::Nothing {
                canvas.line(&[(left, y), (left + SAMPLE, y)], CURVE_WIDTH, ink, dashes)?;
            }
            if curve.markers {
                canvas.dot((left + SAMPLE / 2.0, y), MARKER, ink)?;
            }
            let at = (left + SAMPLE + GAP, y);
            canvas.text(&curve.name, at, TEXT.min(height), Place::Right, AXIS)?;
        }
        Ok(())
    }
}

/// Colour and dashes of curve `index`.
fn style(index: usize, line: Line) -> (Ink, &'static [f64]) {
    let round = if line == Line::Dashed { 1 } else { index / PALETTE.len() };
    (PALETTE[index % PALETTE.len()], DASHES[round % DASHES.len()])
}
