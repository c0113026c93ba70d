//! Predictions of numbers beside what was observed, and what is left.

use super::{Sets, TRAINING};
use crate::html::chart::{Bar, Chart, MOST_MARKS, Mark, Style, evenly};
use crate::html::judged::{Entry, Judged, Output};
use crate::html::table::{Cell, Table};
use crate::html::words::{brief, grouped, percent, size};
use crate::picture::axis::Axis;
use maud::{Markup, html};
use secant_core::text::{LONGEST, cut};
use secant_optim::inference::distributions::{Distribution as _, StudentT};

/// Rows of the table of the largest residuals.
const LARGEST: usize = 20;
/// Bars of a histogram, at least and at most.
const BARS: (usize, usize) = (8, 40);
/// Marks of a quantile plot between those of both tails.
const QUANTILES: usize = 150;
/// Marks of each tail, all of them shown.
const TAIL: usize = 30;

/// A set of one output's entries and how it is drawn.
struct Set<'a> {
    name: &'static str,
    entries: &'a [Entry],
    style: Style,
}

pub(super) fn values(sets: Sets<'_>) -> Option<Markup> {
    let most = |of: &dyn Fn(&Judged) -> usize| sets.each().map(|(_, set)| of(set)).max();
    let outputs = most(&|set| set.count).filter(|count| *count > 0)?;
    let shown = most(&|set| set.outputs.len())?;
    Some(html! {
        @if shown < outputs {
            p.note { "Pictures of the first " (shown) " of " (outputs) " outputs." }
        }
        @for k in 0..shown { (output(sets, k, outputs > 1, MOST_MARKS / shown)) }
        (largest(sets, shown))
    })
}

fn output(sets: Sets<'_>, k: usize, several: bool, marks: usize) -> Markup {
    let outputs: Vec<(&'static str, &Output)> =
        sets.each().filter_map(|(name, set)| Some((name, set.outputs.get(k)?))).collect();
    let Some((_, first)) = outputs.first() else { return html! {} };
    let name = cut(&first.name, LONGEST);
    let total: usize = outputs.iter().map(|(_, output)| output.entries.len()).sum();
    let each: Vec<Set<'_>> = outputs
        .iter()
        .map(|(name, output)| {
            let style = if *name == TRAINING { Style::TRAINING } else { Style::HELD_OUT };
            Set { name, entries: &output.entries, style }
        })
        .collect();
    let residual = if first.of_deviance { "deviance residual" } else { "residual" };
    html! {
        @if several { h3 { (name) } }
        div.charts {
            (observed(&each, &name, marks, total).render())
            (against_predicted(&each, &name, residual, marks, total).render())
            (histogram(&each, residual).render())
            (quantiles(&each, residual).render())
        }
        @if first.of_deviance {
            p.note { "A deviance residual is the root of what a sample adds to the deviance, with the sign of observed − predicted: near the normal distribution where the family is right." }
        }
    }
}

fn says(set: &Set<'_>, entry: &Entry, residual: bool) -> String {
    let Entry { row, observed, predicted, residual: left } = entry;
    let left = if residual { format!(", residual {}", brief(*left)) } else { String::new() };
    let set = if set.name == TRAINING { "" } else { " held out" };
    format!("row {row}{set}: observed {}, predicted {}{left}", brief(*observed), brief(*predicted))
}

/// The share of `limit` that `own` of `total` has.
fn share(limit: usize, own: usize, total: usize) -> usize {
    (limit * own).div_ceil(total.max(1)).max(1)
}

/// Marks of all sets, thinned alike.
fn scattered(
    mut chart: Chart,
    sets: &[Set<'_>],
    limit: usize,
    total: usize,
    at: impl Fn(&Entry) -> (f64, f64),
    residual: bool,
) -> Chart {
    let mut drawn = 0;
    for set in sets {
        let chosen = evenly(set.entries.len(), share(limit, set.entries.len(), total));
        drawn += chosen.len();
        let marks = chosen.into_iter().map(|i| &set.entries[i]);
        let marks = marks.map(|entry| Mark { at: at(entry), says: says(set, entry, residual) });
        let name = if sets.len() > 1 { set.name } else { "" };
        chart = chart.marks(name, set.style, marks.collect());
    }
    if drawn < total {
        let (drawn, total) = (grouped(size(drawn)), grouped(size(total)));
        chart = chart.note(format!("{drawn} of {total} samples are drawn, evenly chosen."));
    }
    chart
}

fn observed(sets: &[Set<'_>], name: &str, limit: usize, total: usize) -> Chart {
    let all = || sets.iter().flat_map(|set| set.entries);
    let low = all().map(|e| e.observed.min(e.predicted)).fold(f64::INFINITY, f64::min);
    let high = all().map(|e| e.observed.max(e.predicted)).fold(f64::NEG_INFINITY, f64::max);
    let chart = Chart::new(
        "Predicted against observed",
        "A perfect model has all samples on the dashed line.",
        Axis::linear(format!("observed {name}")),
        Axis::linear(format!("predicted {name}")),
    )
    .square()
    .line("predicted = observed", Style::GUIDE, vec![(low, low), (high, high)]);
    scattered(chart, sets, limit, total, |e| (e.observed, e.predicted), false)
}

fn against_predicted(
    sets: &[Set<'_>],
    name: &str,
    residual: &str,
    limit: usize,
    total: usize,
) -> Chart {
    let all = || sets.iter().flat_map(|set| set.entries).map(|entry| entry.predicted);
    let low = all().fold(f64::INFINITY, f64::min);
    let high = all().fold(f64::NEG_INFINITY, f64::max);
    let chart = Chart::new(
        "Residuals against predicted",
        "What is left, observed − predicted, should lie about 0 without a pattern and spread alike everywhere.",
        Axis::linear(format!("predicted {name}")),
        Axis::linear(residual),
    )
    .square()
    .line("", Style::GUIDE, vec![(low, 0.0), (high, 0.0)]);
    scattered(chart, sets, limit, total, |e| (e.predicted, e.residual), true)
}

/// Shares of the samples by their residuals, of both sets over the same bars.
fn histogram(sets: &[Set<'_>], residual: &str) -> Chart {
    let all: Vec<f64> = sets.iter().flat_map(|set| set.entries).map(|e| e.residual).collect();
    let finite = || all.iter().copied().filter(|r| r.is_finite());
    let low = finite().fold(f64::INFINITY, f64::min);
    let high = finite().fold(f64::NEG_INFINITY, f64::max);
    let x = Axis::linear(residual);
    let y = Axis::linear("share of the samples, %");
    let title = "Histogram of the residuals";
    let says = "How often residuals of each size occur; a normal error has one hump about 0.";
    let mut chart = Chart::new(title, says, x, y);
    if low > high {
        // None is finite.
        return chart;
    }
    // Of one value alone: a bar about it.
    let around = if low == high { 0.5 * low.abs().max(1.0) } else { 0.0 };
    let (low, high) = (low - around, high + around);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "8 to 40")]
    let bars = (all.len() as f64).sqrt().ceil().clamp(BARS.0 as f64, BARS.1 as f64) as usize;
    let width = (high - low) / bars as f64;
    let edge = |k: usize| low + width * k as f64;
    for (first, set) in sets.iter().enumerate() {
        let mut counts = vec![0_usize; bars];
        for residual in set.entries.iter().map(|e| e.residual).filter(|r| r.is_finite()) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 40")]
            let bar = (((residual - low) / width) as usize).min(bars - 1);
            counts[bar] += 1;
        }
        let part = |k: usize| counts[k] as f64 / set.entries.len() as f64;
        let name = if sets.len() > 1 { set.name } else { "" };
        if first > 0 {
            let steps = (0..bars)
                .flat_map(|k| [(edge(k), 100.0 * part(k)), (edge(k + 1), 100.0 * part(k))]);
            chart = chart.line(name, set.style, steps.collect());
            continue;
        }
        let bar = |k: usize| Bar {
            low: edge(k),
            high: edge(k + 1),
            height: 100.0 * part(k),
            says: format!(
                "{} to {}: {} samples, {}",
                brief(edge(k)),
                brief(edge(k + 1)),
                counts[k],
                percent(part(k))
            ),
        };
        chart = chart.bars(name, set.style, (0..bars).map(bar).collect());
    }
    chart
}

/// Residuals in order against those that a normal distribution would have.
fn quantiles(sets: &[Set<'_>], residual: &str) -> Chart {
    let mut chart = Chart::new(
        "Residuals against the normal distribution",
        "Normal errors follow the dashed line; ends that bend away from it are heavier or lighter tails.",
        Axis::linear("quantile of the normal distribution"),
        Axis::linear(residual),
    );
    let normal = StudentT::new(f64::INFINITY);
    for (first, set) in sets.iter().enumerate() {
        let mut sorted: Vec<&Entry> =
            set.entries.iter().filter(|e| e.residual.is_finite()).collect();
        sorted.sort_by(|a, b| a.residual.total_cmp(&b.residual));
        let n = sorted.len();
        if n < 4 {
            continue;
        }
        // Blom (1958).
        let expected = |i: usize| normal.quantile((i as f64 + 0.625) / (n as f64 + 0.25));
        if first == 0 {
            // Through both quartiles.
            let (a, b) = (n / 4, n - 1 - n / 4);
            let slope = (sorted[b].residual - sorted[a].residual) / (expected(b) - expected(a));
            let middle = f64::midpoint(sorted[a].residual, sorted[b].residual);
            let ends = [expected(0), expected(n - 1)].map(|q| (q, middle + slope * q));
            chart = chart.line("normal with these quartiles", Style::GUIDE, ends.to_vec());
        }
        let middle = evenly(n.saturating_sub(2 * TAIL), QUANTILES).into_iter().map(|i| i + TAIL);
        let mut chosen: Vec<usize> =
            (0..n.min(TAIL)).chain(middle).chain(n.saturating_sub(TAIL)..n).collect();
        chosen.sort_unstable();
        chosen.dedup();
        let marks = chosen.into_iter().filter(|i| *i < n).map(|i| Mark {
            at: (expected(i), sorted[i].residual),
            says: says(set, sorted[i], true),
        });
        let name = if sets.len() > 1 { set.name } else { "" };
        chart = chart.marks(name, set.style, marks.collect());
    }
    chart
}

/// The samples that are predicted worst.
fn largest(sets: Sets<'_>, shown: usize) -> Markup {
    let mut all: Vec<(&'static str, &str, &Entry)> = Vec::new();
    let mut of_deviance = false;
    for (set, judged) in sets.each() {
        for output in &judged.outputs[..shown.min(judged.outputs.len())] {
            of_deviance |= output.of_deviance;
            all.extend(output.entries.iter().map(|entry| (set, output.name.as_str(), entry)));
        }
    }
    let (several, outputs) = (sets.each().count() > 1, shown > 1);
    let count = all.len().min(LARGEST);
    all.sort_by(|a, b| b.2.residual.abs().total_cmp(&a.2.residual.abs()));
    let head = [
        "row",
        "set",
        "output",
        "observed",
        "predicted",
        "observed − predicted",
        "deviance residual",
    ];
    let kept = [true, several, outputs, true, true, true, of_deviance];
    let head = head.iter().zip(kept).filter(|(_, kept)| *kept).map(|(head, _)| *head);
    let caption =
        format!("The {count} samples that are predicted worst; rows count from 1 within their set");
    let mut table = Table::new(caption, head).sortable();
    for (set, output, entry) in all.into_iter().take(LARGEST) {
        let cells = [
            Cell::shown(entry.row.to_string(), entry.row as f64),
            Cell::text(set.replace(' ', "\u{a0}")),
            Cell::name(output),
            Cell::number(entry.observed),
            Cell::number(entry.predicted),
            Cell::number(entry.observed - entry.predicted),
            Cell::number(entry.residual),
        ];
        table.row(
            cells.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(cell, _)| cell).collect(),
        );
    }
    html! { h3 { "The largest residuals" } (table.render()) }
}
