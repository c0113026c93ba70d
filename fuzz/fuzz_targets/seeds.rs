//! Writes the valid files of each target to `corpus/`.

fn main() -> std::io::Result<()> {
    for (name, _, files) in secant_fuzz::seeds() {
        let folder = std::path::Path::new("corpus").join(name);
        std::fs::create_dir_all(&folder)?;
        for (index, file) in files.iter().enumerate() {
            std::fs::write(folder.join(index.to_string()), file)?;
        }
    }
    Ok(())
}
