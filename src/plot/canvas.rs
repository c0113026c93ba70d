//! A sheet in points, drawn by plotters' SVG or bitmap backend.
//!
//! Both take whole pixels. The sheet is drawn at [`FINE`] times its size: SVG scales it back by its view box, and the bitmap is
//! averaged down, which is what smooths its edges.

use super::PlotError;
use super::text;
use crate::picture::Ink;
use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::prelude::{FontTransform, IntoFont, RGBColor, ShapeStyle, TextStyle};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::io;

/// Backend pixels per point.
const FINE: f64 = 6.0;
/// Backend pixels per pixel of the PNG, each way: two pixels per point.
const AVERAGED: usize = 3;
/// Font size of plotters' text styles per em that SVG is given.
const SVG_FONT_SIZE: f64 = 1.24;
const FAMILY: &str = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif";
/// Height of a capital letter of DejaVu Sans in ems.
const CAPITAL: f64 = 0.73;

impl Ink {
    fn color(self) -> RGBColor {
        RGBColor(self.0, self.1, self.2)
    }

    /// From `self` at 0 to `other` at 1.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between two u8")]
    pub(super) fn towards(self, other: Self, share: f64) -> Self {
        let mix = |a: u8, b: u8| (f64::from(a) + share * (f64::from(b) - f64::from(a))) as u8;
        Self(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }
}

/// Where a text lies from its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Centred, its base line there.
    Above,
    /// Centred, its top there.
    Below,
    /// Ends there, at middle height.
    Left,
    /// Starts there, at middle height.
    Right,
    /// Reads upwards, centred, its middle there.
    Upright,
}

/// A mark on a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Circle,
    Square,
    Triangle,
    Diamond,
    /// A triangle on its tip.
    Tip,
    Pentagon,
    /// Two strokes; says more than which curve it is.
    Cross,
}

impl Shape {
    /// Those that tell curves apart.
    pub(super) const ALL: [Self; 6] =
        [Self::Circle, Self::Square, Self::Triangle, Self::Diamond, Self::Tip, Self::Pentagon];

    /// Corners of a regular polygon, the turn of its first one from above in parts of a full turn, and its radius for a circle's of 1 of
    /// about the same area.
    fn polygon(self) -> Option<(u32, f64, f64)> {
        match self {
            Self::Circle | Self::Cross => None,
            Self::Square => Some((4, 0.125, 1.25)),
            Self::Triangle => Some((3, 0.0, 1.45)),
            Self::Diamond => Some((4, 0.0, 1.35)),
            Self::Tip => Some((3, 0.5, 1.45)),
            Self::Pentagon => Some((5, 0.0, 1.2)),
        }
    }
}

/// The sheet.
pub(super) struct Canvas<'a>(Sheet<'a>);

enum Sheet<'a> {
    Svg(SVGBackend<'a>),
    Pixels(BitMapBackend<'a>),
}

type Point = (f64, f64);

/// Draws on a sheet of `size` points; the SVG document.
pub(super) fn svg(
    size: Point,
    draw: impl FnOnce(&mut Canvas<'_>) -> Result<(), PlotError>,
) -> Result<String, PlotError> {
    let mut document = String::new();
    let (w, h) = fine_size(size);
    {
        let mut canvas = Canvas(Sheet::Svg(SVGBackend::with_string(&mut document, (w, h))));
        canvas.blank(size)?;
        draw(&mut canvas)?;
        canvas.finish()?;
    }
    let fine = format!("width=\"{w}\" height=\"{h}\"");
    let shown = format!("width=\"{}\" height=\"{}\"", size.0, size.1);
    Ok(document.replacen(&fine, &shown, 1))
}

/// Draws on a sheet of `size` points; the PNG file.
pub(super) fn png(
    size: Point,
    draw: impl FnOnce(&mut Canvas<'_>) -> Result<(), PlotError>,
) -> Result<Vec<u8>, PlotError> {
    let (w, h) = fine_size(size);
    let (width, height) = (w as usize, h as usize);
    let mut fine = vec![u8::MAX; width * height * CHANNELS];
    {
        let mut canvas = Canvas(Sheet::Pixels(BitMapBackend::with_buffer(&mut fine, (w, h))));
        draw(&mut canvas)?;
        canvas.finish()?;
    }
    encode(&averaged(&fine, width, height), width / AVERAGED, height / AVERAGED)
}

/// Red, green, blue.
const CHANNELS: usize = 3;

/// Means over squares of pixels.
#[expect(clippy::cast_possible_truncation, reason = "a mean of u8")]
fn averaged(fine: &[u8], width: usize, height: usize) -> Vec<u8> {
    let (w, h) = (width / AVERAGED, height / AVERAGED);
    let mut out = Vec::with_capacity(w * h * CHANNELS);
    for y in 0..h {
        for x in 0..w {
            for channel in 0..CHANNELS {
                let mut sum = 0_usize;
                for row in y * AVERAGED..(y + 1) * AVERAGED {
                    for column in x * AVERAGED..(x + 1) * AVERAGED {
                        sum += usize::from(fine[(row * width + column) * CHANNELS + channel]);
                    }
                }
                out.push((sum / (AVERAGED * AVERAGED)) as u8);
            }
        }
    }
    out
}

#[expect(clippy::cast_possible_truncation, reason = "thousands of pixels")]
fn encode(pixels: &[u8], width: usize, height: usize) -> Result<Vec<u8>, PlotError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(pixels));
    written.map_err(drawing)?;
    Ok(file)
}

impl Canvas<'_> {
    /// A broken line, of `width` points, in dashes of the given lengths (drawn, left out …; none: whole).
    pub(super) fn line(
        &mut self,
        points: &[Point],
        width: f64,
        ink: Ink,
        dashes: &[f64],
    ) -> Result<(), PlotError> {
        if dashes.is_empty() {
            return self.whole_line(points, width, ink);
        }
        for dash in dashed(points, dashes) {
            self.whole_line(&dash, width, ink)?;
        }
        Ok(())
    }

    fn whole_line(&mut self, points: &[Point], width: f64, ink: Ink) -> Result<(), PlotError> {
        let style = ShapeStyle::from(&ink.color()).stroke_width(length(width));
        let joint = ShapeStyle::from(&ink.color()).filled();
        match &mut self.0 {
            Sheet::Svg(backend) => {
                backend.draw_path(points.iter().map(|p| fine(*p)), &style).map_err(drawing)
            }
            Sheet::Pixels(backend) => {
                // Piece by piece with round joints: the backend's polygon of a whole path has spikes at sharp turns.
                for pair in points.windows(2) {
                    backend.draw_line(fine(pair[0]), fine(pair[1]), &style).map_err(drawing)?;
                    backend
                        .draw_circle(fine(pair[1]), length(width / 2.0), &joint, true)
                        .map_err(drawing)?;
                }
                Ok(())
            }
        }
    }

    /// A filled circle.
    pub(super) fn dot(&mut self, at: Point, radius: f64, ink: Ink) -> Result<(), PlotError> {
        let style = ShapeStyle::from(&ink.color()).filled();
        match &mut self.0 {
            Sheet::Svg(backend) => {
                backend.draw_circle(fine(at), length(radius), &style, true).map_err(drawing)
            }
            Sheet::Pixels(backend) => {
                backend.draw_circle(fine(at), length(radius), &style, true).map_err(drawing)
            }
        }
    }

    /// A mark with a white rim, by which it stands out from the curves under it.
    pub(super) fn mark(
        &mut self,
        at: Point,
        radius: f64,
        shape: Shape,
        ink: Ink,
    ) -> Result<(), PlotError> {
        /// Width of the rim, in points.
        const RIM: f64 = 1.2;
        const WHITE: Ink = Ink(u8::MAX, u8::MAX, u8::MAX);
        if shape == Shape::Cross {
            for (width, ink) in [(2.2 + 2.0 * RIM, WHITE), (2.2, ink)] {
                for turn in [-1.0, 1.0] {
                    let half = (0.8 * radius, turn * 0.8 * radius);
                    let ends = [(at.0 - half.0, at.1 - half.1), (at.0 + half.0, at.1 + half.1)];
                    self.whole_line(&ends, width, ink)?;
                }
            }
            return Ok(());
        }
        for (radius, ink) in [(radius + RIM, WHITE), (radius, ink)] {
            match shape.polygon() {
                Some((corners, turn, share)) => {
                    let corner = |k: u32| {
                        let part = turn + f64::from(k) / f64::from(corners);
                        let (sin, cos) = (2.0 * std::f64::consts::PI * part).sin_cos();
                        (at.0 + share * radius * sin, at.1 - share * radius * cos)
                    };
                    self.polygon((0..corners).map(corner), ink)?;
                }
                None => self.dot(at, radius, ink)?,
            }
        }
        Ok(())
    }

    fn polygon(&mut self, corners: impl Iterator<Item = Point>, ink: Ink) -> Result<(), PlotError> {
        let style = ShapeStyle::from(&ink.color()).filled();
        let corners = corners.map(fine);
        match &mut self.0 {
            Sheet::Svg(backend) => backend.fill_polygon(corners, &style).map_err(drawing),
            Sheet::Pixels(backend) => backend.fill_polygon(corners, &style).map_err(drawing),
        }
    }

    /// The outline of a rectangle.
    pub(super) fn outline(&mut self, from: Point, to: Point, ink: Ink) -> Result<(), PlotError> {
        let corners = [from, (to.0, from.1), to, (from.0, to.1), from];
        self.whole_line(&corners, 1.0, ink)
    }

    /// A text of `size` points per em.
    pub(super) fn text(
        &mut self,
        words: &str,
        at: Point,
        size: f64,
        place: Place,
        ink: Ink,
    ) -> Result<(), PlotError> {
        // From the point to the start of the base line, in reading direction and across it.
        let width = text::width(words, size);
        let along = match place {
            Place::Left => -width,
            Place::Right => 0.0,
            Place::Above | Place::Below | Place::Upright => -width / 2.0,
        };
        let across = match place {
            Place::Above => 0.0,
            Place::Below => CAPITAL * size,
            Place::Left | Place::Right | Place::Upright => CAPITAL * size / 2.0,
        };
        let upright = place == Place::Upright;
        match &mut self.0 {
            Sheet::Svg(backend) => {
                // Anchored as the place says, so that another font than ours stays in its place; the base line is ours.
                let horizontal = match place {
                    Place::Left => HPos::Right,
                    Place::Right => HPos::Left,
                    Place::Above | Place::Below | Place::Upright => HPos::Center,
                };
                let turn = if upright { FontTransform::Rotate270 } else { FontTransform::None };
                let color = ink.color();
                // Bottom is the one anchor that is near the base line: ½ ex above the point, ex ≈ 0.55 em.
                let lowered = across + EX_HALF * size;
                let at = if upright { (at.0 + lowered, at.1) } else { (at.0, at.1 + lowered) };
                let style = TextStyle::from((FAMILY, size * FINE * SVG_FONT_SIZE).into_font())
                    .color(&color)
                    .transform(turn)
                    .pos(Pos::new(horizontal, VPos::Bottom));
                backend.draw_text(words, &style, fine(at)).map_err(drawing)
            }
            Sheet::Pixels(backend) => {
                let base = if upright {
                    (at.0 + across, at.1 - along)
                } else {
                    (at.0 + along, at.1 + across)
                };
                let (left, top) = fine(base);
                let mut failed = None;
                text::pixels(words, size * FINE, |x, y, coverage| {
                    let (x, y) = if upright { (y, -x) } else { (x, y) };
                    let color = plotters::prelude::Color::mix(&ink.color(), f64::from(coverage));
                    let style = plotters::prelude::Color::to_backend_color(&color);
                    if let Err(error) = backend.draw_pixel((left + x, top + y), style) {
                        failed = Some(drawing(error));
                    }
                });
                failed.map_or(Ok(()), Err)
            }
        }
    }

    /// White paper.
    fn blank(&mut self, size: Point) -> Result<(), PlotError> {
        let style = ShapeStyle::from(&RGBColor(u8::MAX, u8::MAX, u8::MAX)).filled();
        match &mut self.0 {
            Sheet::Svg(backend) => {
                backend.draw_rect((0, 0), fine(size), &style, true).map_err(drawing)
            }
            Sheet::Pixels(_) => Ok(()),
        }
    }

    fn finish(&mut self) -> Result<(), PlotError> {
        match &mut self.0 {
            Sheet::Svg(backend) => backend.present().map_err(drawing),
            Sheet::Pixels(backend) => backend.present().map_err(drawing),
        }
    }
}

/// Half an ex of DejaVu Sans in ems.
const EX_HALF: f64 = 0.27;

fn drawing(error: impl std::error::Error + Send + Sync + 'static) -> PlotError {
    PlotError::Drawing(io::Error::other(error.to_string()))
}

#[expect(clippy::cast_possible_truncation, reason = "thousands of pixels")]
fn fine(at: Point) -> (i32, i32) {
    ((at.0 * FINE).round() as i32, (at.1 * FINE).round() as i32)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "thousands of pixels")]
fn length(points: f64) -> u32 {
    (points * FINE).round().max(1.0) as u32
}

fn fine_size(size: Point) -> (u32, u32) {
    (length(size.0), length(size.1))
}

/// The pieces of a line that are drawn.
fn dashed(points: &[Point], dashes: &[f64]) -> Vec<Vec<Point>> {
    let mut pieces = Vec::new();
    let Some(&first) = points.first() else { return pieces };
    let (mut turn, mut left, mut piece) = (0_usize, dashes[0], vec![first]);
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        loop {
            let distance = (to.0 - from.0).hypot(to.1 - from.1);
            if distance < left {
                left -= distance;
                piece.push(to);
                break;
            }
            let share = left / distance;
            from = (from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1));
            piece.push(from);
            if turn.is_multiple_of(2) {
                pieces.push(std::mem::take(&mut piece));
            }
            piece = vec![from];
            turn += 1;
            left = dashes[turn % dashes.len()];
        }
    }
    if turn.is_multiple_of(2) && piece.len() > 1 {
        pieces.push(piece);
    }
    pieces
}

/// `points` without those that lie within `distance` of the one kept before.
pub(super) fn apart(points: impl Iterator<Item = Point>, distance: f64) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::new();
    for point in points {
        let far = |last: &Point| (point.0 - last.0).hypot(point.1 - last.1) >= distance;
        if kept.last().is_none_or(far) {
            kept.push(point);
        }
    }
    kept
}

/// The parts of a line inside the rectangle from `low` to `high`.  Liang & Barsky (1984).
pub(super) fn inside(points: &[Point], low: Point, high: Point) -> Vec<Vec<Point>> {
    let mut parts: Vec<Vec<Point>> = Vec::new();
    for pair in points.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
        let mut seen = true;
        for (p, q) in [
            (-dx, from.0 - low.0),
            (dx, high.0 - from.0),
            (-dy, from.1 - low.1),
            (dy, high.1 - from.1),
        ] {
            if p == 0.0 {
                seen &= q >= 0.0;
            } else if p < 0.0 {
                enter = enter.max(q / p);
            } else {
                leave = leave.min(q / p);
            }
        }
        if !seen || enter > leave {
            continue;
        }
        let at = |t: f64| (from.0 + t * dx, from.1 + t * dy);
        match parts.last_mut() {
            Some(part) if enter == 0.0 && part.last() == Some(&from) => part.push(at(leave)),
            _ => parts.push(vec![at(enter), at(leave)]),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_have_their_lengths_around_corners() {
        let pieces = dashed(&[(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)], &[8.0, 4.0]);
        assert_eq!(pieces[0], [(0.0, 0.0), (8.0, 0.0)]);
        assert_eq!(pieces[1], [(10.0, 2.0), (10.0, 10.0)]);
        assert_eq!(pieces.len(), 2);
        let around = dashed(&[(0.0, 0.0), (3.0, 0.0), (3.0, 9.0)], &[5.0, 1.0]);
        assert_eq!(around[0], [(0.0, 0.0), (3.0, 0.0), (3.0, 2.0)]);
    }

    #[test]
    fn a_line_is_clipped_to_its_rectangle() {
        let line = [(-5.0, 5.0), (5.0, 5.0), (5.0, 20.0), (8.0, 5.0)];
        let parts = inside(&line, (0.0, 0.0), (10.0, 10.0));
        assert_eq!(parts[0], [(0.0, 5.0), (5.0, 5.0), (5.0, 10.0)]);
        assert_eq!(parts[1].last(), Some(&(8.0, 5.0)));
        assert_eq!(parts.len(), 2);
        assert!(inside(&[(-1.0, 0.0), (-1.0, 9.0)], (0.0, 0.0), (10.0, 10.0)).is_empty());
    }
}
