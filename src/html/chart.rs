//! A chart: layers over two axes, drawn as inline SVG in the colours of the page's style sheet.

mod render;

use crate::picture::axis::Axis;
use crate::picture::{Ink, Look, Point};

/// Marks of a picture, at most: with their numbers some hundred bytes each, so that a page of a few pictures stays below half a megabyte.
pub(super) const MOST_MARKS: usize = 1_200;

/// Width and height of a picture, in its own units, in which letters have 13.
const SIZE: (f64, f64) = (520.0, 340.0);
/// Of two axes with the same quantity.
const SQUARE: (f64, f64) = (520.0, 450.0);
const WIDE: (f64, f64) = (640.0, 400.0);

/// How a layer looks: its colour is a variable of the style sheet, or an ink that is mixed with the page's colours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    class: &'static str,
    ink: Option<Ink>,
    dashes: &'static [f64],
}

impl Style {
    /// Of the samples of the fit.
    pub(super) const TRAINING: Self = Self::of("training");
    /// Of samples held out.
    pub(super) const HELD_OUT: Self = Self { class: "heldout", ink: None, dashes: &[7.0, 3.0] };
    /// Of a fitted curve.
    pub(super) const FITTED: Self = Self::of("fitted");
    /// Of what is no measurement.
    pub(super) const GUIDE: Self = Self { class: "guide", ink: None, dashes: &[4.0, 4.0] };
    /// Of the point that was kept.
    pub(super) const KEPT: Self = Self::of("kept");

    const fn of(class: &'static str) -> Self {
        Self { class, ink: None, dashes: &[] }
    }
}

impl From<Look> for Style {
    fn from(look: Look) -> Self {
        Self { class: "inked", ink: Some(look.ink), dashes: look.dashes }
    }
}

/// A point, and what it says when it is pointed at.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub at: Point,
    pub says: String,
}

/// A bar from `low` to `high` on the axis of x, from 0 to `height`.
#[derive(Clone, Debug)]
pub(super) struct Bar {
    pub low: f64,
    pub high: f64,
    pub height: f64,
    pub says: String,
}

/// What is drawn, in order.
#[derive(Clone, Debug)]
enum Content {
    /// A broken line; a point that an axis does not show breaks it.
    Line(Vec<Point>),
    Marks(Vec<Mark>),
    Bars(Vec<Bar>),
    /// x with the low and the high end of what lies there, as an area.
    Band(Vec<(f64, f64, f64)>),
    /// The same as strokes, each with its own.
    Errors(Vec<(f64, f64, f64)>),
}

#[derive(Clone, Debug)]
struct Layer {
    content: Content,
    style: Style,
    /// In the legend, where it has a name.
    name: Option<String>,
}

/// A chart being put together.
#[derive(Clone, Debug)]
#[must_use]
pub(super) struct Chart {
    title: String,
    /// One sentence on what it shows.
    says: String,
    x: Axis,
    y: Axis,
    layers: Vec<Layer>,
    /// Below the picture.
    notes: Vec<String>,
    size: (f64, f64),
}

impl Chart {
    pub(super) fn new(title: impl Into<String>, says: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self {
            title: title.into(),
            says: says.into(),
            x,
            y,
            layers: Vec::new(),
            notes: Vec::new(),
            size: SIZE,
        }
    }

    /// As high as wide: of two axes with the same quantity.
    pub(super) fn square(mut self) -> Self {
        self.size = SQUARE;
        self
    }

    /// Over the whole width of the page.
    pub(super) fn wide(mut self) -> Self {
        self.size = WIDE;
        self
    }

    fn layer(mut self, content: Content, style: Style, name: &str) -> Self {
        let name = (!name.is_empty()).then(|| name.to_owned());
        self.layers.push(Layer { content, style, name });
        self
    }

    /// A line; without a name it is not in the legend.
    pub(super) fn line(self, name: &str, style: Style, points: Vec<Point>) -> Self {
        self.layer(Content::Line(points), style, name)
    }

    pub(super) fn marks(self, name: &str, style: Style, marks: Vec<Mark>) -> Self {
        self.layer(Content::Marks(marks), style, name)
    }

    pub(super) fn bars(self, name: &str, style: Style, bars: Vec<Bar>) -> Self {
        self.layer(Content::Bars(bars), style, name)
    }

    pub(super) fn band(self, name: &str, style: Style, band: Vec<(f64, f64, f64)>) -> Self {
        self.layer(Content::Band(band), style, name)
    }

    pub(super) fn errors(self, name: &str, style: Style, errors: Vec<(f64, f64, f64)>) -> Self {
        self.layer(Content::Errors(errors), style, name)
    }

    /// A sentence below the picture.
    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

/// At most `limit` of 0 … `count` − 1, evenly, the first and the last among them.
pub(super) fn evenly(count: usize, limit: usize) -> Vec<usize> {
    if count <= limit {
        return (0..count).collect();
    }
    let last = limit.saturating_sub(1).max(1);
    (0..limit).map(|k| k * (count - 1) / last).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_is_even_and_keeps_both_ends() {
        assert_eq!(evenly(5, 9), [0, 1, 2, 3, 4]);
        assert_eq!(evenly(9, 3), [0, 4, 8]);
        let kept = evenly(10_000, 150);
        assert_eq!((kept.len(), kept[0], kept[149]), (150, 0, 9_999));
        assert!(kept.windows(2).all(|pair| (66..=68).contains(&(pair[1] - pair[0]))));
    }
}
