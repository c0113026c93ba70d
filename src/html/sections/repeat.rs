//! How to get the same again.

use maud::{Markup, html};
use secant_core::text::{SENTENCE_CHARS, cut};

pub(in crate::html) fn repeat(command: Option<&str>, facts: &[(String, String)]) -> Markup {
    html! {
        @if let Some(command) = command {
            div.command {
                pre { code { (command) } }
            }
        }
        dl.facts {
            @for (name, value) in facts { div { dt { (name) } dd { (cut(value, SENTENCE_CHARS)) } } }
        }
    }
}
