//! How to get the same again.

use maud::{Markup, html};
use secant_core::text::{SENTENCE_CHARS, cut};

/// Characters of a line of a command, at most.
const COMMAND: usize = 20_000;

pub(in crate::html) fn repeat(command: Option<&str>, facts: &[(String, String)]) -> Markup {
    html! {
        @if let Some(command) = command {
            div.command {
                pre { code { @for line in command.lines() { (cut(line, COMMAND)) "\n" } } }
            }
        }
        dl.facts {
            @for (name, value) in facts { div { dt { (name) } dd { (cut(value, SENTENCE_CHARS)) } } }
        }
    }
}
