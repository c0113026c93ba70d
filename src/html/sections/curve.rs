//! A fitted curve of one input with its data and bands.

use crate::html::chart::{Chart, MOST_MARKS, Mark, Style, evenly};
use crate::html::words::{brief, grouped, size};
use crate::picture::axis::Axis;
use maud::{Markup, html};
use secant_optim::inference::BandPoint;

/// All that the picture shows.
#[derive(Clone, Debug)]
pub(in crate::html) struct CurvePicture {
    pub x: String,
    pub y: String,
    pub data: Vec<(f64, f64)>,
    /// Standard deviations of the data, where they are known.
    pub sigma: Option<Vec<f64>>,
    pub held_out: Vec<(f64, f64)>,
    pub along: Vec<f64>,
    pub curve: Vec<f64>,
    /// Empty where there is none.
    pub band: Vec<BandPoint>,
    /// Of the bands.
    pub level: f64,
    /// Whether the band of new observations is one: not where σ belong to single points.
    pub predicts: bool,
}

pub(in crate::html) fn curve(picture: &CurvePicture) -> Markup {
    let CurvePicture { x, y, data, sigma, held_out, along, curve, band, level, predicts } = picture;
    let percent = format!("{:.0} %", 100.0 * level);
    let says = format!(
        "Measurements of {y} at {x} and the fitted curve{}.",
        if band.is_empty() {
            ""
        } else {
            ", with the band in which the curve lies and, fainter, that of new measurements"
        }
    );
    let mut chart =
        Chart::new("Data and curve", says, Axis::linear(x.as_str()), Axis::linear(y.as_str()));
    let ends = |of: fn(&BandPoint) -> (f64, f64)| -> Vec<(f64, f64, f64)> {
        along.iter().zip(band).map(|(x, point)| (*x, of(point).0, of(point).1)).collect()
    };
    if !band.is_empty() {
        if *predicts {
            let name = format!("{percent} band of a new measurement");
            chart = chart.band(&name, Style::GUIDE, ends(|point| point.prediction));
        }
        chart = chart.band(
            &format!("{percent} band of the curve"),
            Style::FITTED,
            ends(|point| point.confidence),
        );
    }
    if let Some(sigma) = sigma {
        let bars = data.iter().zip(sigma).map(|((x, y), sigma)| (*x, y - sigma, y + sigma));
        chart = chart.errors("± σ", Style::TRAINING, bars.collect());
    }
    let line = along.iter().copied().zip(curve.iter().copied()).collect();
    let marks = |points: &[(f64, f64)], set: &str| -> Vec<Mark> {
        let chosen = evenly(points.len(), MOST_MARKS);
        let mark = |i: usize| Mark {
            at: points[i],
            says: format!(
                "row {}{set}: {x} {}, {y} {}",
                i + 1,
                brief(points[i].0),
                brief(points[i].1)
            ),
        };
        chosen.into_iter().map(mark).collect()
    };
    chart = chart.line("fitted curve", Style::FITTED, line).marks(
        "data",
        Style::TRAINING,
        marks(data, ""),
    );
    if !held_out.is_empty() {
        chart = chart.marks("held out", Style::HELD_OUT, marks(held_out, " held out"));
    }
    if data.len() > MOST_MARKS {
        let (drawn, all) = (grouped(size(MOST_MARKS)), grouped(size(data.len())));
        chart = chart.note(format!("{drawn} of {all} samples are drawn, evenly chosen."));
    }
    html! { div.wide { (chart.wide().render()) } }
}
