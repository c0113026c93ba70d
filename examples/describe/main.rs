//! What is in this model file?
//!
//! Reads a graph from TOML or JSON, prints its table of nodes, shapes, parameters, flops and tape bytes, and draws it.
//!
//! `cargo run --example describe -- [FILE.toml | FILE.json] [--svg OUT.svg] [--dot OUT.dot]`
//!
//! Without a file it takes `examples/describe/residual.toml`: residual blocks, tied weights, random Fourier features beside them.

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

use secant::Graph;
use std::error::Error;
use std::fs;
use std::path::Path;
use support::{About, Args};

const ABOUT: About = About {
    name: "describe",
    answers: "What is in this model file? Its nodes with shapes, parameters, flops and tape bytes, and a picture.",
    takes: &[("FILE", "a graph in TOML or JSON; default examples/describe/residual.toml")],
    options: &[
        ("--svg", "FILE", "writes the picture there"),
        ("--dot", "FILE", "writes the graph for Graphviz there"),
    ],
    output: "a table of the nodes",
    data: "",
};

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read(&ABOUT);
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/describe/residual.toml");
    let file = args.free().first().map_or(own, String::as_str);
    let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let json = Path::new(file).extension().is_some_and(|extension| extension == "json");
    let graph = if json { Graph::from_json(&text) } else { Graph::from_toml(&text) };
    let graph = graph.map_err(|error| format!("{file}: {error}"))?;
    println!("{graph}");
    if let Some(path) = args.value("--svg") {
        fs::write(path, graph.to_svg())?;
    }
    if let Some(path) = args.value("--dot") {
        fs::write(path, graph.to_dot())?;
    }
    Ok(())
}
