//! The model drawn: a formula in print, or the graph of a network.

use crate::html::words::{count, size};
use crate::model::Model;
use maud::{Markup, PreEscaped, html};
use secant_core::formula::Formula;
use secant_core::graph::Graph;
use secant_core::text::{LONGEST, cut};
use std::sync::Arc;

/// Nodes of a graph that is drawn, at most: of more a page would show threads.
const DRAWN: usize = 60;

/// What the model looks like.
#[derive(Clone, Debug)]
pub(in crate::html) enum Shape {
    Formula {
        written: Formula,
        targets: Vec<String>,
    },
    Graph(Arc<Graph>),
    /// A sentence.
    Words(String),
}

impl Shape {
    pub(in crate::html) fn of(model: &Model) -> Self {
        match Formula::of_graph(&model.graph) {
            Some(written) => Self::Formula { written, targets: model.target_names.clone() },
            None => Self::Graph(model.graph.clone()),
        }
    }
}

pub(in crate::html) fn model(shape: &Shape) -> Markup {
    match shape {
        Shape::Formula { written, targets } => {
            let printed = written.to_unicode();
            let each: Vec<(String, &str)> = printed
                .split("; ")
                .enumerate()
                .map(|(k, text)| (targets.get(k).cloned().unwrap_or_else(|| format!("y{k}")), text))
                .collect();
            html! {
                @for (name, text) in each { p.formula { (cut(&name, LONGEST)) " = " (text) } }
                p.note {
                    "Inputs: " (written.features().join(", ")) ". Parameters: " (written.parameters().join(", ")) ". As text: "
                    code { (written.to_string()) }
                }
            }
        }
        Shape::Graph(graph) if graph.nodes().len() <= DRAWN => html! {
            figure.drawing {
                figcaption { b { "The graph of the model" } " " span.says { "Data enter at the top; a box is a node with its function and the shape of what comes out, blue where it has parameters." } }
                div.scroll role="region" tabindex="0" aria-label="The graph of the model" { (PreEscaped(graph.to_svg())) }
            }
        },
        Shape::Graph(graph) => html! {
            p {
                "A graph of " (count(size(graph.nodes().len()), "node")) " with "
                (count(size(graph.parameters().dim()), "parameter")) ", too large to be drawn here: its table is "
                code { "model.graph().summary()" } "."
            }
        },
        Shape::Words(text) => html! { p { (text) } },
    }
}
