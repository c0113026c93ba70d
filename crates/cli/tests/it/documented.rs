//! Every command line of README and docs does what is printed there.
//!
//! `SECANT_DOCS=write` puts what is printed now into the pages.

use crate::support::{Folder, root};
use std::fmt::Write;
use std::path::PathBuf;

/// A block of commands, each with what it prints.
struct Block {
    /// Byte range of what stands between the fences.
    range: std::ops::Range<usize>,
    steps: Vec<(String, String)>,
}

const FENCE: &str = "```console\n";

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut from = 0;
    while let Some(start) = page[from..].find(FENCE).map(|at| from + at + FENCE.len()) {
        let end = start + page[start..].find("```").expect("a block ends");
        let mut steps: Vec<(String, String)> = Vec::new();
        for line in page[start..end].lines() {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push((command.to_owned(), String::new())),
                (None, Some((_, printed))) => writeln!(printed, "{line}").unwrap(),
                (None, None) => panic!("a block begins with a command: {line}"),
            }
        }
        blocks.push(Block { range: start..end, steps });
        from = end;
    }
    blocks
}

/// Words that do not depend on processor and clock: numbers that may are left open.
fn words(text: &str, command: &str) -> Vec<String> {
    // Roundings of one processor lead a network elsewhere than those of another.
    let open = command.contains("mlp")
        || command.contains("concrete.safetensors")
        || command.contains("secant compare");
    let text = if open { text.split("\nNext\n").next().unwrap_or(text) } else { text };
    let all: Vec<&str> = text.split_whitespace().collect();
    let mut words = Vec::new();
    for (at, word) in all.iter().enumerate() {
        let plain = word.trim_matches(|c| matches!(c, ',' | ';' | '.' | '(' | ')' | ':'));
        let timed = matches!(
            all.get(at + 1).map(|next| next.trim_end_matches([';', '.', ','])),
            Some("µs" | "ms" | "s")
        );
        let unit = matches!(plain, "µs" | "ms" | "s");
        let number = plain.parse::<f64>().ok();
        let after_gradient = at > 0 && (all[at - 1] == "gradient" || all[at - 1] == "start");
        words.push(match number {
            _ if unit => "TIME".to_owned(),
            Some(_) if timed || after_gradient || open => "NUMBER".to_owned(),
            Some(value) if value.abs() < 1e-6 && value != 0.0 => "TINY".to_owned(),
            _ if open && word.chars().any(|c| c.is_ascii_digit()) => "NUMBER".to_owned(),
            _ => (*word).to_owned(),
        });
    }
    words
}

fn pages() -> Vec<PathBuf> {
    let docs = std::fs::read_dir(root().join("docs")).unwrap().flatten().map(|entry| entry.path());
    let pages = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let mut pages: Vec<PathBuf> = pages.chain([root().join("README.md")]).collect();
    pages.sort();
    pages
}

#[test]
fn commands_of_the_pages_print_what_stands_there() {
    let write = std::env::var("SECANT_DOCS").is_ok_and(|value| value == "write");
    let mut count = 0;
    for path in pages() {
        let page = std::fs::read_to_string(&path).unwrap();
        let (folder, mut renewed, mut from) = (Folder::new(), String::new(), 0);
        for block in blocks(&page) {
            renewed.push_str(&page[from..block.range.start]);
            for (command, printed) in &block.steps {
                let ran = folder.shell(command);
                let wanted =
                    command.split("# exit status ").nth(1).map_or(0, |n| n.trim().parse().unwrap());
                let place = path.file_name().unwrap().to_string_lossy();
                assert_eq!(ran.status, wanted, "{place}: {command}\n{}{}", ran.out, ran.err);
                let found =
                    if ran.status == 2 { format!("{}{}", ran.out, ran.err) } else { ran.out };
                write!(renewed, "$ {command}\n{found}").unwrap();
                if !write {
                    assert_eq!(
                        words(&found, command),
                        words(printed, command),
                        "{place}: {command}\n{found}"
                    );
                }
                count += 1;
            }
            from = block.range.end;
        }
        renewed.push_str(&page[from..]);
        if write {
            std::fs::write(&path, renewed).unwrap();
        }
    }
    assert!(count >= 15, "{count} commands");
}

#[test]
fn every_command_has_help_with_an_example_and_completions() {
    let folder = Folder::new();
    for command in ["fit", "predict", "curve", "compare", "check", "describe", "one-step"] {
        let help = folder.run(&[command, "--help"]);
        assert_eq!(help.status, 0, "{help:?}");
        assert!(
            help.out.contains("Examples:\n  secant ")
                && help.out.contains(&format!("secant {command}")),
            "{}",
            help.out
        );
        assert!(folder.run(&[command, "-h"]).out.lines().count() < help.out.lines().count());
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.run(&["completions", shell]);
        assert!(script.status == 0 && script.out.contains("one-step"), "{shell}");
    }
    assert!(folder.run(&["man"]).out.starts_with(".ie"));
    assert_eq!(folder.run(&["man", "pages"]).status, 0);
    let page = std::fs::read_to_string(folder.path("pages/secant-fit.1")).unwrap();
    assert!(page.contains("\\-\\-target"), "{page}");
}
