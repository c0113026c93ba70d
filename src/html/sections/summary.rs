//! What was fitted, how it ended, what it is worth.

use super::Sets;
use crate::html::table::{Cell, Table};
use crate::html::words::{capital, count, number, size};
use maud::{Markup, html};
use secant_core::text::cut;
use secant_optim::Reason;

/// Characters of a note, at most: names in it may have any length.
const NOTE: usize = 2_000;

/// What a summary tells.
#[derive(Clone, Debug)]
pub(in crate::html) struct Story {
    /// One sentence.
    pub lead: String,
    pub ending: Option<Ending>,
    pub facts: Vec<(String, String)>,
    pub notes: Vec<String>,
}

impl Story {
    /// A fact, in place of that of the same name where there is one.
    pub(in crate::html) fn set(&mut self, name: &str, value: String) {
        match self.facts.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => self.facts.push((name.to_owned(), value)),
        }
    }
}

/// How a run ended.
#[derive(Clone, Debug)]
pub(in crate::html) struct Ending {
    /// In a word or two, for the badge.
    word: &'static str,
    /// Its colour.
    class: &'static str,
    /// As the run says it.
    reason: &'static str,
    /// What that means.
    meaning: &'static str,
}

impl Ending {
    pub(in crate::html) fn of(reason: Reason) -> Self {
        let (word, class, meaning) = match reason {
            reason if reason.is_converged() => {
                ("converged", "good", "It reached a minimum to the tolerance asked for.")
            }
            Reason::RoundingFloor => (
                "converged",
                "good",
                "It reached a minimum to all the digits that the arithmetic has: nothing is left to gain.",
            ),
            Reason::ValidationStopped => (
                "stopped early",
                "fair",
                "It was ended on purpose before the minimum, since the samples held out gained nothing more; the parameters are those that were best for them.",
            ),
            Reason::Stalled
            | Reason::MaxIterations
            | Reason::MaxEvaluations
            | Reason::MaxTime
            | Reason::Interrupted => (
                "not converged",
                "fair",
                "It did not reach a minimum: the parameters are the best that it found, and a longer run may change them.",
            ),
            _ => (
                "failed",
                "poor",
                "It could not go on: the parameters are the best point before, and should not be relied on before the cause is known.",
            ),
        };
        Self { word, class, reason: reason.sentence(), meaning }
    }

    /// Of a likelihood that rises for ever, whatever the run says.
    pub(in crate::html) fn without_maximum() -> Self {
        Self {
            word: "no maximum",
            class: "poor",
            reason: "the likelihood has no maximum",
            meaning: "Some coefficients run away to infinity, as the notes say; their estimates are where the run ended and mean nothing.",
        }
    }

    /// The badge beside the title.
    pub(in crate::html) fn badge(&self) -> Markup {
        html! { span class={ "badge " (self.class) } { (self.word) } }
    }
}

pub(in crate::html) fn summary(story: &Story, sets: Sets<'_>) -> Markup {
    html! {
        p.lead { (story.lead) }
        @if let Some(ending) = &story.ending {
            p { (sentence(ending.reason)) " " (ending.meaning) }
        }
        @if let Some(table) = scores(sets) { (table) }
        @if !story.facts.is_empty() {
            dl.facts {
                @for (name, value) in &story.facts { div { dt { (name) } dd { (value) } } }
            }
        }
        @if !story.notes.is_empty() {
            h3 { "Notes of the run" }
            ul { @for note in &story.notes { li { (cut(note, NOTE)) } } }
        }
    }
}

/// With a capital and a full stop.
pub(in crate::html) fn sentence(text: &str) -> String {
    let end = if text.ends_with(['.', '!', '?', ')']) { "" } else { "." };
    capital(text) + end
}

/// A row for each measure, a column for each set.
fn scores(sets: Sets<'_>) -> Option<Markup> {
    let each: Vec<_> = sets.each().collect();
    let (_, first) = each.first()?;
    let heads = each
        .iter()
        .map(|(name, set)| format!("{name} ({})", count(size(set.score.samples), "sample")));
    let head = ["measure".to_owned()].into_iter().chain(heads).chain(["which is".to_owned()]);
    let mut table = Table::new("What the model is worth on the samples", head);
    for (name, _) in first.score.entries() {
        let value = |set: &crate::Score| {
            set.entries().into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
        };
        let cells = each.iter().map(|(_, set)| value(&set.score));
        let cells = cells
            .map(|value| value.map_or_else(Cell::empty, |value| Cell::shown(number(value), value)));
        let cells = [Cell::text(name)].into_iter().chain(cells);
        table.row(cells.chain([Cell::text(meaning(name))]).collect());
    }
    let idle: usize = each.iter().map(|(_, set)| set.idle).sum();
    Some(html! {
        (table.render())
        @if idle > 0 { p.note { (count(size(idle), "sample")) " of weight 0 counted nowhere, in no picture either." } }
    })
}

/// What a measure means.
fn meaning(name: &str) -> &'static str {
    match name {
        "R²" => "the share of the variance that is explained",
        "RMSE" => "root of the mean squared error",
        "MAE" => "mean absolute error",
        "accuracy" => "the share of the classes that are predicted",
        "log loss" => "mean of −ln of the probability of the class",
        "Brier" => "mean squared error of the probabilities",
        "deviance" => "mean deviance",
        "loss" => "what was minimised, without the penalty",
        _ => "",
    }
}
