//! Writes the valid files of each target to `corpus/`.

// What the flags of fuzzing put into every program is there.
use libfuzzer_sys as _;

#[allow(dead_code, reason = "the target itself is another program")]
#[path = "../src/model_file.rs"]
mod model_file;

fn main() -> std::io::Result<()> {
    let readers = secant_fuzz::seeds().into_iter().map(|(name, _, files)| (name, files));
    for (name, files) in readers.chain([("model_file", model_file::seeds())]) {
        let folder = std::path::Path::new("corpus").join(name);
        std::fs::create_dir_all(&folder)?;
        for (index, file) in files.iter().enumerate() {
            std::fs::write(folder.join(index.to_string()), file)?;
        }
    }
    Ok(())
}
