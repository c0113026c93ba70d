//! What stands in the file of a fitted model, and do other programs predict the same from it?
//!
//! Fits a network on the concrete table and a classifier of irises, saves both, loads them again, and writes inputs and predictions
//! beside them: `benches/peers/read_model.py` repeats these in NumPy from the files alone.
//!
//! `cargo run --release --example model_files [-- --out DIR]`

#[macro_use]
#[path = "support/mod.rs"]
mod support;

use secant::{Activation, Dataset, Model, Network, Ridge, fit};
use std::error::Error;
use std::fs;
use std::path::Path;
use support::{About, Args, OUT, shipped};

const ABOUT: About = About {
    name: "model_files",
    answers: "What stands in the file of a fitted model, and do other programs predict the same from it? Two models, saved and loaded.",
    takes: &[],
    options: &[OUT],
    output: "bytes and summary of each; NAME.safetensors, NAME.inputs.csv, NAME.outputs.csv",
    data: "",
};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Args::read(&ABOUT).out()?;
    let concrete = Dataset::from_csv(shipped("concrete.csv"), "target")?;
    save(&folder, "concrete", &Network::mlp([8, 8, 4, 1], Activation::Tanh), &concrete)?;
    let iris = Dataset::from_csv_labels(shipped("iris.csv"), "target")?;
    save(&folder, "iris", &Network::mlp([4, 5, 3], Activation::Sigmoid), &iris)
}

fn save(
    folder: &Path,
    name: &str,
    network: &Network,
    data: &Dataset,
) -> Result<(), Box<dyn Error>> {
    let fitted = fit(network, data).penalty(Ridge(1e-3)).max_iterations(60).seed(1).run()?;
    let path = folder.join(format!("{name}.safetensors"));
    fitted.model().save(&path)?;
    let model = Model::load(&path)?;
    let outputs = model.predict(data.inputs())?;
    assert_eq!(outputs, fitted.model().predict(data.inputs())?, "the same bits");
    write(&folder.join(format!("{name}.inputs.csv")), data.inputs(), data.features())?;
    write(&folder.join(format!("{name}.outputs.csv")), &outputs, model.graph().outputs())?;
    let (bytes, summary) = (fs::metadata(&path)?.len(), model.fit_summary());
    println!(
        "{}: {bytes} bytes, {} numbers; {}, {} steps on {} samples: f = {:.6e}",
        path.display(),
        model.theta().len(),
        summary.method,
        summary.iterations,
        summary.samples,
        summary.value
    );
    Ok(())
}

/// A sample a line, with all digits.
fn write(path: &Path, numbers: &[f64], columns: usize) -> Result<(), Box<dyn Error>> {
    let row = |row: &[f64]| row.iter().map(f64::to_string).collect::<Vec<_>>().join(",") + "\n";
    fs::write(path, numbers.chunks_exact(columns).map(row).collect::<String>())?;
    Ok(())
}
