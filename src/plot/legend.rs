//! The column beside the curves that names them.

use super::PlotError;
use super::canvas::{Canvas, Place, Shape};
use super::figure::{AXIS, DOT, Figure, GAP, MARK, TEXT};
use super::text;
use crate::picture::{Kind, Look, looks};
use secant_core::text::cut;

/// The sample of a line.
const SAMPLE: f64 = 38.0;
const LINE_HEIGHT: f64 = 20.0;
/// Characters of a name; what is longer is cut.
const LONGEST: usize = 44;
const ELSEWHERE: &str = "ended in another minimum";

/// One curve, or several of one name in several figures.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) look: Look,
    pub(super) shape: Shape,
    kind: Kind,
    dots: bool,
    marked: bool,
}

/// All names, each once, in the order in which they come.
pub(super) struct Legend {
    entries: Vec<(String, Entry)>,
    /// A run that ended in another minimum is among them.
    elsewhere: bool,
}

impl Legend {
    pub(super) fn of(figures: &[&Figure]) -> Self {
        let mut names: Vec<(&str, Kind, bool)> = Vec::new();
        let mut elsewhere = false;
        for curve in figures.iter().flat_map(|figure| &figure.curves) {
            elsewhere |= curve.elsewhere;
            if !names.iter().any(|(name, ..)| *name == curve.name) {
                names.push((&curve.name, curve.kind, curve.dots));
            }
        }
        let looks = looks(names.iter().map(|(name, kind, _)| (*name, *kind)));
        let mut shapes = Shape::ALL.into_iter().cycle();
        let entries = names.iter().zip(looks).map(|(&(name, kind, dots), look)| {
            let shape = if kind == Kind::Run { shapes.next() } else { None };
            let shape = shape.unwrap_or(Shape::Circle);
            (name.to_owned(), Entry { look, shape, kind, dots, marked: false })
        });
        Self { entries: entries.collect(), elsewhere }
    }

    /// Of a curve that it was made of.
    pub(super) fn entry(&self, name: &str) -> &Entry {
        let found = self.entries.iter().find(|(other, _)| other == name);
        &found.expect("the legend was made of these curves").1
    }

    /// The curve has marks of its shape.
    pub(super) fn mark(&mut self, name: &str) {
        if let Some((_, entry)) = self.entries.iter_mut().find(|(other, _)| other == name) {
            entry.marked = true;
        }
    }

    fn shown(&self) -> impl Iterator<Item = (&str, &Entry)> {
        // Guides have their names beside them.
        let shown = self.entries.iter().filter(|(_, entry)| entry.kind != Kind::Guide);
        shown.map(|(name, entry)| (name.as_str(), entry))
    }

    fn lines(&self) -> usize {
        self.shown().count() + usize::from(self.elsewhere)
    }

    /// Of the column with its gaps; 0 where there is nothing to name.
    pub(super) fn width(&self) -> f64 {
        let elsewhere = self.elsewhere.then_some(ELSEWHERE);
        let names = self.shown().map(|(name, _)| name).chain(elsewhere);
        let widest = names.map(|name| text::width(&cut(name, LONGEST), TEXT)).fold(0.0, f64::max);
        if widest > 0.0 { SAMPLE + 3.0 * GAP + widest } else { 0.0 }
    }

    /// From the corner on, in a column of this height at most.
    pub(super) fn draw(
        &self,
        canvas: &mut Canvas<'_>,
        (left, top): (f64, f64),
        height: f64,
    ) -> Result<(), PlotError> {
        let height = LINE_HEIGHT.min((height - GAP) / self.lines().max(1) as f64);
        let size = TEXT.min(height);
        let mut row = 0;
        let mut next = || {
            row += 1;
            top + (f64::from(row) - 0.5) * height
        };
        let words = |canvas: &mut Canvas<'_>, name: &str, y: f64| {
            let at = (left + SAMPLE + GAP, y);
            canvas.text(&cut(name, LONGEST), at, size, Place::Right, AXIS)
        };
        for (name, entry) in self.shown() {
            let y = next();
            let Look { ink, dashes } = entry.look;
            let middle = (left + SAMPLE / 2.0, y);
            if entry.kind != Kind::Dots {
                canvas.line(&[(left, y), (left + SAMPLE, y)], 1.8, ink, dashes)?;
            }
            if entry.marked {
                // At its end, so that the dashes are seen.
                canvas.mark((left + SAMPLE - MARK, y), MARK, entry.shape, ink)?;
            } else if entry.dots {
                canvas.dot(middle, if entry.kind == Kind::Dots { MARK } else { DOT }, ink)?;
            }
            words(canvas, name, y)?;
        }
        if self.elsewhere {
            let y = next();
            canvas.mark((left + SAMPLE / 2.0, y), MARK + 1.0, Shape::Cross, AXIS)?;
            words(canvas, ELSEWHERE, y)?;
        }
        Ok(())
    }
}
