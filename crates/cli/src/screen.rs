//! What a person sees, and what another program reads.

use crate::args::{Color, Output};
use crate::exit::Exit;
use crate::failure::Failure;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::io::{self, ErrorKind, IsTerminal, Write};

/// Columns of the terminal that paragraphs are broken at.
const WIDTH: usize = 100;

/// Standard output and standard error.
#[derive(Debug)]
pub struct Screen {
    json: bool,
    quiet: bool,
    /// Another process talks.
    mute: bool,
    /// Colours on standard output, and on standard error.
    colors: [bool; 2],
    /// Why standard output takes no more.
    lost: RefCell<Option<io::Error>>,
}

impl Screen {
    pub fn new(output: &Output) -> Self {
        let asked = match output.color {
            Color::Always => Some(true),
            Color::Never => Some(false),
            Color::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
                (refused || dumb).then_some(false)
            }
        };
        let terminals = [std::io::stdout().is_terminal(), std::io::stderr().is_terminal()];
        let colors = terminals.map(|terminal| asked.unwrap_or(terminal));
        let (json, quiet, lost) = (output.json, output.quiet, RefCell::default());
        Self { json, quiet, mute: false, colors, lost }
    }

    /// One on which nothing appears, for a process beside the one that talks.
    #[cfg(feature = "mpi")]
    pub fn mute(self) -> Self {
        Self { mute: true, ..self }
    }

    /// Writes to standard output. Where that takes no more, the work goes on without: there may be files to write.
    pub fn print(&self, bytes: &[u8]) {
        let mut lost = self.lost.borrow_mut();
        if lost.is_none() && !self.mute {
            let mut out = io::stdout().lock();
            *lost = out.write_all(bytes).and_then(|()| out.flush()).err();
        }
    }

    /// The status that the process ends with. That a reader has gone is no failure.
    pub fn end(&self, exit: Exit) -> Exit {
        let lost = self.lost.take().filter(|error| error.kind() != ErrorKind::BrokenPipe);
        let Some(error) = lost else { return exit };
        self.failure(&Failure::new(format!("standard output: {error}")));
        Exit::Refused
    }

    /// Whether results are JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether progress is shown.
    pub fn shows_progress(&self) -> bool {
        !self.quiet && !self.mute
    }

    /// Text for a person: nothing where results are JSON.
    pub fn say(&self, text: &str) {
        if !self.json && !self.quiet {
            self.print(format!("{text}\n").as_bytes());
        }
    }

    /// A result in text, shown also when quiet.
    pub fn result(&self, text: &str) {
        if !self.json {
            self.print(format!("{text}\n").as_bytes());
        }
    }

    /// A heading.
    pub fn heading(&self, text: &str) {
        self.say(&self.bold(text));
    }

    /// Indented sentences, one a line, broken where they are long.
    pub fn sentences<S: AsRef<str>>(&self, sentences: &[S]) {
        for sentence in sentences {
            self.say(&wrapped(sentence.as_ref(), "  ", "    "));
        }
    }

    /// The object that another program reads.
    pub fn json(&self, object: Map<String, Value>) {
        if self.json {
            self.print(format!("{}\n", Value::Object(object)).as_bytes());
        }
    }

    /// The refusal, on standard error; with JSON asked for an object on standard output too.
    pub fn failure(&self, failure: &Failure) {
        if self.mute {
            return;
        }
        let error = if self.colors[1] { "\u{1b}[31;1merror:\u{1b}[0m" } else { "error:" };
        let mut text = format!("{error} {}\n", failure.what);
        if let Some(advice) = &failure.advice {
            text.push_str(&wrapped(advice, "  try: ", "       "));
            text.push('\n');
        }
        // A reader that has gone is no one to tell of it.
        let _ = io::stderr().lock().write_all(text.as_bytes());
        if self.json {
            let mut object = Map::new();
            object.insert("error".into(), failure.what.clone().into());
            object.insert("advice".into(), failure.advice.clone().into());
            self.json(object);
        }
    }

    /// Bold on a terminal.
    pub fn bold(&self, text: &str) -> String {
        self.painted("1", text)
    }

    /// Green or red on a terminal.
    pub fn verdict(&self, good: bool, text: &str) -> String {
        self.painted(if good { "32" } else { "31;1" }, text)
    }

    fn painted(&self, code: &str, text: &str) -> String {
        if self.colors[0] { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// A sentence: its first letter large, a full stop behind it.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

/// `text` broken at blanks, the first line behind `first`, the others behind `rest`.
fn wrapped(text: &str, first: &str, rest: &str) -> String {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = (if lines.is_empty() { first } else { rest }).to_owned();
        let mut fresh = true;
        for word in paragraph.split(' ') {
            let longer = line.chars().count() + 1 + word.chars().count() > WIDTH;
            if !fresh && longer {
                lines.push(std::mem::replace(&mut line, rest.to_owned()));
                fresh = true;
            }
            if !fresh {
                line.push(' ');
            }
            line.push_str(word);
            fresh = false;
        }
        lines.push(line);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_sentences_are_broken_and_short_ones_stay() {
        assert_eq!(wrapped("a b", "  ", "    "), "  a b");
        let long = "word ".repeat(40);
        let broken = wrapped(long.trim_end(), "  ", "    ");
        assert!(broken.lines().all(|line| line.chars().count() <= WIDTH));
        assert_eq!(broken.split_whitespace().count(), 40);
        assert!(broken.lines().skip(1).all(|line| line.starts_with("    word")));
    }
}
