//! Which classes are taken for which, and whether probabilities are what they say.

use super::{Sets, TRAINING};
use crate::html::chart::{Bar, Chart, Mark, Style};
use crate::html::judged::{Bin, Judged};
use crate::html::table::{Cell, Heat, Table};
use crate::html::words::{brief, number, percent};
use crate::model::Confusion;
use crate::picture::axis::Axis;
use maud::{Markup, html};

/// Classes of which every pair is shown; of more, the pairs that are confused most.
const SHOWN: usize = 20;
/// Pairs of many classes.
const PAIRS: usize = 20;
/// The normal quantile of an interval of 95 %.
const QUANTILE: f64 = 1.96;

pub(super) fn classes(sets: Sets<'_>) -> Option<Markup> {
    let confusions = sets
        .each()
        .filter_map(|(name, set)| Some((name, set.classes.as_ref()?.confusion.as_ref()?)));
    let confusions: Vec<_> = confusions.collect();
    let calibrated = sets.each().any(|(_, set)| !bins(set).is_empty());
    if confusions.is_empty() && !calibrated {
        return None;
    }
    Some(html! {
        @for (name, confusion) in &confusions { (table(name, confusion)) }
        @if calibrated {
            div.charts { (calibration(sets).render()) (spread(sets).render()) }
        }
    })
}

fn bins(set: &Judged) -> &[Bin] {
    set.classes.as_ref().map_or(&[], |classes| &classes.calibration)
}

/// A weight of samples: a whole number as such.
fn weight(count: f64) -> String {
    if count.fract() == 0.0 { format!("{count}") } else { number(count) }
}

fn table(set: &str, confusion: &Confusion) -> Markup {
    let c = confusion.names.len();
    let accuracy = percent(confusion.accuracy());
    if c > SHOWN {
        let caption =
            format!("{set}: the classes of {c} that are confused most; accuracy {accuracy}");
        let mut table = Table::new(caption, ["of class", "predicted as", "samples"]).sortable();
        for (a, b) in confusion.mistakes().into_iter().take(PAIRS) {
            let count = confusion.count(a, b);
            let (a, b) = (&confusion.names[a], &confusion.names[b]);
            table.row(vec![Cell::name(a), Cell::name(b), Cell::shown(weight(count), count)]);
        }
        return table.render();
    }
    let caption = format!(
        "Confusion, {set}: how often a class (row) is predicted as which (column). Accuracy {accuracy}."
    );
    let share = |a: usize, b: usize| {
        let row: f64 = (0..c).map(|k| confusion.count(a, k)).sum();
        let share = if row > 0.0 { confusion.count(a, b) / row } else { 0.0 };
        // Right ones in one colour, mistakes in the other.
        if a == b { share } else { -share }
    };
    let recall = |a: usize| confusion.recall(a).map_or_else(|| "–".to_owned(), percent);
    let heat = Heat {
        caption: &caption,
        axes: ["predicted as", "of class"],
        names: &confusion.names,
        text: &|a, b| weight(confusion.count(a, b)),
        shade: &share,
        ending: Some(("recall", (0..c).map(recall).collect())),
    };
    let mut each =
        Table::new(format!("Each class, {set}"), ["class", "samples", "precision", "recall", "F₁"])
            .sortable();
    for (k, name) in confusion.names.iter().enumerate() {
        let share = |value: Option<f64>| {
            value.map_or_else(Cell::none, |value| Cell::shown(percent(value), value))
        };
        let count: f64 = (0..c).map(|b| confusion.count(k, b)).sum();
        table_row(
            &mut each,
            name,
            count,
            [confusion.precision(k), confusion.recall(k), confusion.f1(k)].map(share),
        );
    }
    html! { div.pair { div { (heat.render()) } div { (each.render()) } } }
}

fn table_row(table: &mut Table, name: &str, count: f64, shares: [Cell; 3]) {
    let first = [Cell::name(name), Cell::shown(weight(count), count)];
    table.row(first.into_iter().chain(shares).collect());
}

/// The range of a share of n samples at 95 %: Wilson (1927).
fn wilson(share: f64, n: f64) -> (f64, f64) {
    let z = QUANTILE * QUANTILE / n;
    let middle = (share + 0.5 * z) / (1.0 + z);
    let half = QUANTILE / (1.0 + z) * (share * (1.0 - share) / n + 0.25 * z / n).max(0.0).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

fn probability_of(sets: Sets<'_>) -> String {
    let of = sets.each().find_map(|(_, set)| Some(set.classes.as_ref()?.probability_of.clone()));
    of.unwrap_or_default()
}

fn style(name: &str) -> Style {
    if name == TRAINING { Style::TRAINING } else { Style::HELD_OUT }
}

/// Predicted probabilities against observed shares.
fn calibration(sets: Sets<'_>) -> Chart {
    let mut chart = Chart::new(
        "Calibration",
        format!("Where probabilities of {} are right, the samples lie on the dashed line; strokes are 95 % intervals.", probability_of(sets)),
        Axis::linear("predicted probability").within(-0.03, 1.03),
        Axis::linear("observed share").within(-0.03, 1.03),
    )
    .square()
    .line("as predicted", Style::GUIDE, vec![(0.0, 0.0), (1.0, 1.0)]);
    for (name, set) in sets.each() {
        let bins = bins(set);
        let strokes = bins.iter().map(|bin| {
            let (low, high) = wilson(bin.observed, bin.weight);
            (bin.predicted, low, high)
        });
        let marks = bins.iter().map(|bin| Mark {
            at: (bin.predicted, bin.observed),
            says: format!(
                "{name}: predicted {}, observed {} of {}",
                percent(bin.predicted),
                percent(bin.observed),
                weight(bin.weight)
            ),
        });
        chart = chart.errors("", style(name), strokes.collect()).marks(
            name,
            style(name),
            marks.collect(),
        );
    }
    chart
}

/// How often each probability is predicted.
fn spread(sets: Sets<'_>) -> Chart {
    let mut chart = Chart::new(
        "Predicted probabilities",
        format!(
            "How sure the model is: the shares of samples with each probability of {}.",
            probability_of(sets)
        ),
        Axis::linear("predicted probability").within(-0.03, 1.03),
        Axis::linear("share, %"),
    )
    .square();
    for (index, (name, set)) in sets.each().enumerate() {
        let bins = bins(set);
        let total: f64 = bins.iter().map(|bin| bin.weight).sum();
        if index > 0 {
            let marks = bins.iter().map(|bin| Mark {
                at: (bin.predicted, 100.0 * bin.weight / total),
                says: format!(
                    "{name}: {} of {} about {}",
                    weight(bin.weight),
                    weight(total),
                    brief(bin.predicted)
                ),
            });
            chart = chart.marks(name, style(name), marks.collect());
            continue;
        }
        let bar = |bin: &Bin| {
            let low = (bin.predicted * 10.0).floor().min(9.0) / 10.0;
            Bar {
                low,
                high: low + 0.1,
                height: 100.0 * bin.weight / total,
                says: format!(
                    "{name}: {} of {} from {} to {}",
                    weight(bin.weight),
                    weight(total),
                    brief(low),
                    brief(low + 0.1)
                ),
            }
        };
        chart = chart.bars(name, style(name), bins.iter().map(bar).collect());
    }
    chart
}
