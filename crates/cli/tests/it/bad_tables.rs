//! Tables that cannot be fitted as they stand: each is refused in words that say what, where, and what would do.

use crate::support::SECANT;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn every_bad_table_is_refused_in_words() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables");
    let names = std::fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.file_name());
    let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    assert!(names.len() >= 60, "{}", names.len());
    let mut all = String::new();
    for name in names {
        let mut command = Command::new(SECANT);
        command.args(["fit", &name, "--target", "y"]).current_dir(&folder).stdin(Stdio::null());
        let ran = command.output().unwrap();
        let error = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(
            ran.status.code(),
            Some(2),
            "{name} is fitted: {}\n{error}",
            String::from_utf8_lossy(&ran.stdout)
        );
        assert!(error.starts_with("error: ") && !error.contains("panicked"), "{name}: {error}");
        assert!(error.contains(&name), "{name} is not named: {error}");
        assert!(!error.contains(|c: char| c.is_control() && c != '\n'), "{name}: {error:?}");
        assert!(!error.contains("Options {"), "{name} speaks Rust: {error}");
        writeln!(all, "{error}").unwrap();
    }
    insta::assert_snapshot!(all);
}
