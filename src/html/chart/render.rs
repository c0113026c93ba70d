//! A chart → SVG in a figure, with its legend and its notes.

use super::{Bar, Chart, Content, Layer, Mark, Style};
use crate::picture::axis::{Axis, Frame, Tick};
use crate::picture::{Ink, Point, thinned};
use maud::{Escaper, Markup, PreEscaped, html};
use secant_core::text::{LONGEST, cut};
use std::fmt::Write;

const MARGIN: f64 = 14.0;
/// A letter of a tick's label, as wide as on narrow screens, where letters are larger.
const LETTER: f64 = 10.4;
/// Below the picture's own area: labels of ticks, and the name of the axis.
const BELOW: f64 = 46.0;
/// Of a line of text.
const LINE: f64 = 20.0;
/// From an axis to its labels.
const GAP: f64 = 7.0;
/// Between the labels of two ticks, in letters.
const APART: f64 = 1.5;

/// Both axes laid out, and the space between them.
struct Area {
    x: Frame,
    y: Frame,
    size: (f64, f64),
}

impl Chart {
    /// The picture with its caption; without a point that its axes show, a sentence that says so.
    pub(in crate::html) fn render(&self) -> Markup {
        let drawing = self.area().map(|area| self.svg(&area));
        let legend = self.layers.iter().filter(|layer| layer.name.is_some());
        let legend: Vec<&Layer> = legend.collect();
        html! {
            figure.chart {
                figcaption { b { (self.title) } " " span.says { (self.says) } }
                @match drawing {
                    Some(drawing) => (drawing),
                    None => p { "There is nothing to draw: no number is finite, or none is positive on a logarithmic axis." },
                }
                @if !legend.is_empty() {
                    ul.legend {
                        @for layer in legend {
                            li { (key(layer)) (cut(layer.name.as_deref().unwrap_or_default(), LONGEST)) }
                        }
                    }
                }
                @for note in &self.notes { p.note { (note) } }
            }
        }
    }

    /// The axes over all that they show; none where one of them shows nothing.
    fn area(&self) -> Option<Area> {
        let points = || self.layers.iter().flat_map(|layer| layer.content.points());
        let shown = || points().filter(|p| self.x.shows(p.0) && self.y.shows(p.1));
        shown().next()?;
        let (width, height) = self.size;
        let y = self.y.frame(shown().map(|p| p.1), height - BELOW, MARGIN);
        let labels = y.ticks();
        let widest = labels.iter().filter_map(|tick| tick.label.as_ref());
        let widest = widest.map(|label| label.chars().count()).max().unwrap_or(0);
        let left = LINE + 2.0 + GAP + LETTER * widest as f64;
        let x = self.x.frame(shown().map(|p| p.0), left, width - MARGIN);
        Some(Area { x, y, size: self.size })
    }

    fn svg(&self, area: &Area) -> Markup {
        let label = format!("{}. {}", self.title, self.says);
        let view = format!("0 0 {} {}", area.size.0, area.size.1);
        html! {
            svg.plot viewBox=(view) role="img" aria-label=(label) tabindex="0" {
                title { (self.title) }
                desc { (self.says) }
                (axes(area, &self.x, &self.y))
                @for layer in &self.layers { (drawn(layer, area)) }
            }
        }
    }
}

impl Content {
    /// Corners of what it covers.
    fn points(&self) -> Vec<Point> {
        match self {
            Self::Line(points) => points.clone(),
            Self::Marks(marks) => marks.iter().map(|mark| mark.at).collect(),
            Self::Bars(bars) => {
                bars.iter().flat_map(|bar| [(bar.low, 0.0), (bar.high, bar.height)]).collect()
            }
            Self::Band(band) | Self::Errors(band) => {
                band.iter().flat_map(|(x, low, high)| [(*x, *low), (*x, *high)]).collect()
            }
        }
    }
}

/// Grid, frame, ticks and labels.
fn axes(area: &Area, x: &Axis, y: &Axis) -> Markup {
    let Area { x: fx, y: fy, .. } = area;
    let (left, right, bottom, top) = (fx.low, fx.high, fy.low, fy.high);
    let middle = f64::midpoint(left, right);
    let upright =
        format!("translate({:.1} {:.1}) rotate(-90)", LINE - 6.0, f64::midpoint(top, bottom));
    let (along, up) = (labelled(fx.ticks(), true), labelled(fy.ticks(), false));
    html! {
        g.grid {
            @for tick in &along { path d=(format!("M{:.1} {bottom:.1}V{top:.1}", tick.at)) {} }
            @for tick in &up { path d=(format!("M{left:.1} {:.1}H{right:.1}", tick.at)) {} }
        }
        path.frame d=(format!("M{left:.1} {top:.1}V{bottom:.1}H{right:.1}")) {}
        g.ticks {
            @for tick in &along {
                @if let Some(label) = &tick.label {
                    text x=(format!("{:.1}", tick.at)) y=(format!("{:.1}", bottom + GAP + 10.0)) { (label) }
                }
            }
            @for tick in &up {
                @if let Some(label) = &tick.label {
                    text.side x=(format!("{:.1}", left - GAP)) y=(format!("{:.1}", tick.at + 4.5)) { (label) }
                }
            }
        }
        text.name x=(format!("{middle:.1}")) y=(format!("{:.1}", area.size.1 - 5.0)) {
            (cut(&x.label, LONGEST)) (fx.common())
        }
        text.name transform=(upright) { (cut(&y.label, LONGEST)) (fy.common()) }
    }
}

/// Ticks, of whose labels every second, third … is kept where they would touch.
fn labelled(mut ticks: Vec<Tick>, along: bool) -> Vec<Tick> {
    let shown: Vec<usize> = (0..ticks.len()).filter(|i| ticks[*i].label.is_some()).collect();
    let letters =
        |i: &usize| ticks[*i].label.as_ref().map_or(0, |label| label.chars().count()) as f64;
    let touch = |step: usize| {
        let kept: Vec<usize> = shown.iter().step_by(step).copied().collect();
        kept.windows(2).any(|pair| {
            let needed = if along {
                LETTER * (0.5 * (letters(&pair[0]) + letters(&pair[1])) + APART)
            } else {
                LINE
            };
            (ticks[pair[1]].at - ticks[pair[0]].at).abs() < needed
        })
    };
    let step = (1..=shown.len()).find(|step| !touch(*step)).unwrap_or(1);
    for (k, i) in shown.iter().enumerate() {
        if k % step != 0 {
            ticks[*i].label = None;
        }
    }
    ticks
}

/// The colour of an ink, for a `style` attribute.
fn inked(style: &Style) -> Option<String> {
    style.ink.map(|Ink(red, green, blue)| format!("--paint:#{red:02x}{green:02x}{blue:02x}"))
}

fn dashes(style: &Style) -> Option<String> {
    let lengths: Vec<String> = style.dashes.iter().map(ToString::to_string).collect();
    (!lengths.is_empty()).then(|| lengths.join(" "))
}

fn drawn(layer: &Layer, area: &Area) -> Markup {
    let Layer { content, style, .. } = layer;
    let (class, ink) = (style.class, inked(style));
    match content {
        Content::Line(points) => html! {
            path class={ "line " (class) } style=[ink] stroke-dasharray=[dashes(style)] d=(line(points, area)) {}
        },
        Content::Marks(marks) => html! {
            g class={ "marks " (class) } style=[ink] { (PreEscaped(all_marks(marks, area))) }
        },
        Content::Bars(bars) => html! {
            g class={ "bars " (class) } style=[ink] { @for bar in bars { (one_bar(bar, area)) } }
        },
        Content::Band(band) => html! {
            path class={ "band " (class) } style=[ink] d=(outline(band, area)) {}
        },
        Content::Errors(errors) => html! {
            path class={ "errors " (class) } style=[ink] d=(strokes(errors, area)) {}
        },
    }
}

/// The runs of points that the axes show, thinned to what can be seen apart.
fn line(points: &[Point], area: &Area) -> String {
    let placed: Vec<Option<Point>> =
        points.iter().map(|(x, y)| area.x.place(*x).zip(area.y.place(*y))).collect();
    let mut d = String::new();
    for run in placed.split(Option::is_none) {
        let run: Vec<Point> = run.iter().flatten().copied().collect();
        for (k, (x, y)) in thinned(&run).into_iter().enumerate() {
            // Writing to a string does not fail.
            _ = write!(d, "{}{x:.1} {y:.1}", if k == 0 { 'M' } else { 'L' });
        }
        if run.len() == 1 {
            d.push_str("h.01");
        }
    }
    d
}

/// Dots: paths of next to no length, of which the ends are seen. Printers leave out square ends of none at all. Written by hand, since
/// there are many.
fn all_marks(marks: &[Mark], area: &Area) -> String {
    let mut text = String::new();
    for mark in marks {
        let Some((x, y)) = area.x.place(mark.at.0).zip(area.y.place(mark.at.1)) else { continue };
        _ = write!(text, "<path d=\"M{x:.1} {y:.1}h.01\"><title>");
        _ = Escaper::new(&mut text).write_str(&mark.says);
        text.push_str("</title></path>");
    }
    text
}

fn one_bar(bar: &Bar, area: &Area) -> Markup {
    let place = |value: f64| area.y.place(value).unwrap_or(area.y.low);
    let low = area.x.place(bar.low).unwrap_or(area.x.low);
    let high = area.x.place(bar.high).unwrap_or(area.x.high);
    let (top, bottom) = (place(bar.height), place(0.0));
    html! {
        rect x=(format!("{low:.1}")) y=(format!("{top:.1}")) width=(format!("{:.1}", (high - low - 1.0).max(0.5)))
            height=(format!("{:.1}", (bottom - top).max(0.0))) { title { (bar.says) } }
    }
}

/// There along the low ends and back along the high ones.
fn outline(band: &[(f64, f64, f64)], area: &Area) -> String {
    let place = |(x, low, high): &(f64, f64, f64)| {
        let (x, ends) = (area.x.place(*x), area.y.place(*low).zip(area.y.place(*high)));
        x.zip(ends).map(|(x, (low, high))| (x, low, high))
    };
    let placed: Vec<_> = band.iter().map(place).collect();
    let mut d = String::new();
    for run in placed.split(Option::is_none) {
        let there = run.iter().flatten().map(|(x, low, _)| (x, low));
        let back = run.iter().rev().flatten().map(|(x, _, high)| (x, high));
        for (k, (x, y)) in there.chain(back).enumerate() {
            _ = write!(d, "{}{x:.1} {y:.1}", if k == 0 { 'M' } else { 'L' });
        }
        if !run.is_empty() {
            d.push('Z');
        }
    }
    d
}

fn strokes(errors: &[(f64, f64, f64)], area: &Area) -> String {
    let mut d = String::new();
    for (x, low, high) in errors {
        let ends = area.y.place(*low).zip(area.y.place(*high));
        if let Some((x, (low, high))) = area.x.place(*x).zip(ends) {
            _ = write!(d, "M{x:.1} {low:.1}V{high:.1}");
        }
    }
    d
}

/// The sign of a layer in the legend.
fn key(layer: &Layer) -> Markup {
    let Layer { content, style, .. } = layer;
    let (class, ink) = (style.class, inked(style));
    html! {
        svg.key viewBox="0 0 28 12" width="28" height="12" aria-hidden="true" {
            @match content {
                Content::Line(_) => path class={ "line " (class) } style=[ink] stroke-dasharray=[dashes(style)] d="M1 6H27" {},
                Content::Marks(_) => g class={ "marks " (class) } style=[ink] { path d="M14 6h.01" {} },
                Content::Bars(_) => g class={ "bars " (class) } style=[ink] { rect x="6" y="1" width="16" height="10" {} },
                Content::Band(_) => path class={ "band " (class) } style=[ink] d="M2 1H26V11H2Z" {},
                Content::Errors(_) => path class={ "errors " (class) } style=[ink] d="M14 0V12" {},
            }
        }
    }
}
