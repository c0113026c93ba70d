//! The whole file.

use super::Page;
use super::sections::{
    Sets, comparison, costs, course, curve, estimates, model, predictions, repeat, summary,
};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use secant_core::text::{SENTENCE_CHARS, cut};

/// Nothing is asked for from anywhere, whatever stands in the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
/// Characters of a sentence that is given, at most.
const PARAGRAPH: usize = 4_000;
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// A part: its anchor, its heading, what stands in it.
struct Part {
    id: &'static str,
    heading: &'static str,
    content: Markup,
}

pub(super) fn document(page: &Page) -> String {
    let contents = &page.contents;
    let title = cut(page.title.as_deref().unwrap_or(&contents.title), SENTENCE_CHARS);
    let parts = parts(page);
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "secant " (env!("CARGO_PKG_VERSION")) };
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (title) @if let Some(ending) = &contents.story.ending { " " (ending.badge()) } }
                    @if parts.len() > 2 {
                        nav aria-label="Contents" {
                            ul { @for part in &parts { li { a href={ "#" (part.id) } { (part.heading) } } } }
                        }
                    }
                }
                main {
                    @for Part { id, heading, content } in &parts {
                        section id=(id) aria-labelledby={ (id) "-heading" } {
                            h2 id={ (id) "-heading" } { (heading) }
                            (content)
                        }
                    }
                }
                footer { p { "Written by secant " (env!("CARGO_PKG_VERSION")) ". The file is whole in itself and asks for nothing from the network." } }
                div #tip role="status" aria-live="polite" hidden {}
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    markup.into_string()
}

fn list(sentences: &[String]) -> Option<Markup> {
    (!sentences.is_empty())
        .then(|| html! { ul { @for sentence in sentences { li { (cut(sentence, PARAGRAPH)) } } } })
}

/// What there is something to say in, in order.
fn parts(page: &Page) -> Vec<Part> {
    let contents = &page.contents;
    let sets = Sets { training: contents.training.as_ref(), held_out: contents.held_out.as_ref() };
    let report = contents.report.as_ref();
    let costs = report.zip(contents.costs.as_ref()).and_then(|(report, each)| costs(report, each));
    let all = [
        ("summary", "Summary", Some(summary(&contents.story, sets))),
        ("advice", "What to do next", list(&page.advice)),
        ("read", "What was read", list(&page.read)),
        ("comparison", "The methods", contents.comparison.as_ref().map(comparison)),
        ("model", "The model", contents.shape.as_ref().map(model)),
        ("curve", "The curve", contents.curve.as_ref().map(curve)),
        ("parameters", "Parameters", contents.estimates.as_ref().map(estimates)),
        ("predictions", "Predictions", predictions(sets)),
        ("course", "The course of the fit", report.and_then(course)),
        ("costs", "Costs", costs),
        ("repeat", "To repeat it", Some(repeat(page.command.as_deref(), &contents.origin))),
    ];
    let part = |(id, heading, content): (_, _, Option<Markup>)| {
        Some(Part { id, heading, content: content? })
    };
    all.into_iter().filter_map(part).collect()
}
