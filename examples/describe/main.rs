//! What is in this model file?
//!
//! Reads a graph from TOML or JSON, prints its table of nodes, shapes, parameters, flops and tape bytes, and draws it.
//!
//! `cargo run --example describe -- [FILE.toml | FILE.json] [--svg OUT.svg] [--dot OUT.dot]`
//!
//! Without a file it takes `examples/describe/residual.toml`: residual blocks, tied weights, random Fourier features beside them.

use secant::Graph;
use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let mut file =
        concat!(env!("CARGO_MANIFEST_DIR"), "/examples/describe/residual.toml").to_owned();
    let (mut svg, mut dot) = (None, None);
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--svg" => svg = Some(arguments.next().ok_or("--svg needs a file")?),
            "--dot" => dot = Some(arguments.next().ok_or("--dot needs a file")?),
            option if option.starts_with('-') => {
                return Err(format!("unknown option {option}").into());
            }
            path => path.clone_into(&mut file),
        }
    }
    let text = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
    let json = Path::new(&file).extension().is_some_and(|extension| extension == "json");
    let graph = if json { Graph::from_json(&text) } else { Graph::from_toml(&text) };
    let graph = graph.map_err(|error| format!("{file}: {error}"))?;
    println!("{graph}");
    if let Some(path) = svg {
        fs::write(path, graph.to_svg())?;
    }
    if let Some(path) = dot {
        fs::write(path, graph.to_dot())?;
    }
    Ok(())
}
