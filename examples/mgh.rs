//! Which methods solve the problems of Moré, Garbow & Hillstrom, from how far away, and at what cost?
//!
//! `cargo run --release --example mgh -- PATH [--json]`, PATH being `mgh.toml` or its folder.

#[path = "problem_sets/mgh.rs"]
mod mgh;

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut path, mut json) = (None, false);
    for arg in std::env::args().skip(1) {
        match arg.as_str() {
            "--json" => json = true,
            _ => path = Some(PathBuf::from(arg)),
        }
    }
    let path = path.ok_or("usage: mgh PATH [--json], PATH being mgh.toml or its folder")?;
    mgh::run(&path, json)
}
