//! What the examples share: their command line, their folder, and a `println!` that ends the program quietly when nobody reads on.

#![allow(dead_code, reason = "an example uses its part")]
#![allow(unused_macros, reason = "as above")]

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::exit;
use std::str::FromStr;
use std::time::Duration;

/// As the standard one, but `example | head` is no panic.
macro_rules! println {
    () => { $crate::support::print(format_args!("\n")) };
    ($($words:tt)*) => { $crate::support::print(format_args!("{}\n", format_args!($($words)*))) };
}

/// As the standard one, but `example | head` is no panic.
macro_rules! print {
    ($($words:tt)*) => { $crate::support::print(format_args!($($words)*)) };
}

/// The end of a program whose arguments were wrong.
const WRONG_ARGUMENTS: i32 = 2;
const HELP: &str = "--help";

/// Name, what its value is called (empty: it has none), what it does.
pub type Choice = (&'static str, &'static str, &'static str);

pub const JSON: Choice = ("--json", "", "one JSON object per line instead of a table");
pub const OUT: Choice =
    ("--out", "DIR", "folder of the files that it writes, made when needed; default out/");

/// What an example says of itself.
#[derive(Clone, Copy, Debug)]
pub struct About {
    pub name: &'static str,
    /// The question, and how it is answered.
    pub answers: &'static str,
    /// Arguments by place: name, what it is.
    pub takes: &'static [(&'static str, &'static str)],
    pub options: &'static [Choice],
    /// What it prints and writes.
    pub output: &'static str,
    /// Data that do not ship: which, and where to get them. Empty: none.
    pub data: &'static str,
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |name: &str, value: &str| format!("{name} {value}").trim_end().to_owned();
        writeln!(f, "{}\n", self.answers)?;
        write!(f, "usage: cargo run --release --example {} --", self.name)?;
        for (name, _) in self.takes {
            write!(f, " [{name}]")?;
        }
        for (name, value, _) in self.options {
            write!(f, " [{}]", named(name, value))?;
        }
        writeln!(f)?;
        for (name, meaning) in self.takes {
            writeln!(f, "  {name:<16} {meaning}")?;
        }
        for (name, value, meaning) in self.options {
            writeln!(f, "  {:<16} {meaning}", named(name, value))?;
        }
        writeln!(f, "  {HELP:<16} this text")?;
        write!(f, "\noutput: {}", self.output)?;
        if !self.data.is_empty() {
            write!(f, "\ndata: {}", self.data)?;
        }
        Ok(())
    }
}

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Args {
    about: &'static About,
    options: Vec<(&'static str, String)>,
    free: Vec<String>,
}

/// What a command line comes to.
#[derive(Clone, Debug)]
pub enum Asked {
    Help,
    Run(Args),
}

impl Args {
    /// Of this process. `--help` prints the text and ends it; an argument that is unknown is refused with the text, and ends it too.
    pub fn read(about: &'static About) -> Self {
        match Self::parse(about, std::env::args().skip(1)) {
            Ok(Asked::Run(args)) => args,
            Ok(Asked::Help) => {
                print(format_args!("{about}\n"));
                exit(0)
            }
            Err(words) => refuse(about, &words),
        }
    }

    /// Options as `--name value` or `--name=value`, in any order; after `--` all arguments are free ones.
    ///
    /// # Errors
    /// An argument that the example does not know, one too many, an option without its value.
    pub fn parse(
        about: &'static About,
        args: impl IntoIterator<Item = String>,
    ) -> Result<Asked, String> {
        let mut found = Self { about, options: Vec::new(), free: Vec::new() };
        let mut args = args.into_iter();
        let mut all_free = false;
        while let Some(arg) = args.next() {
            if arg == "--" && !all_free {
                all_free = true;
            } else if all_free || !arg.starts_with('-') || arg == "-" {
                if found.free.len() == about.takes.len() {
                    return Err(format!("`{arg}`: an argument too many"));
                }
                found.free.push(arg);
            } else if arg == HELP || arg == "-h" {
                return Ok(Asked::Help);
            } else {
                let (name, value) = match arg.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (arg.as_str(), None),
                };
                let known = about.options.iter().find(|(known, ..)| *known == name);
                let Some((name, kind, _)) = known else {
                    return Err(format!("`{arg}`: unknown"));
                };
                let value = match (kind.is_empty(), value) {
                    (true, None) => String::new(),
                    (true, Some(_)) => return Err(format!("`{arg}`: {name} has no value")),
                    (false, Some(value)) => value,
                    (false, None) => args.next().ok_or(format!("{name} needs its {kind}"))?,
                };
                found.options.push((name, value));
            }
        }
        Ok(Asked::Run(found))
    }

    /// Whether an option was given.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    pub fn json(&self) -> bool {
        self.has(JSON.0)
    }

    /// The last value given.
    pub fn value(&self, name: &str) -> Option<&str> {
        let given = self.options.iter().rev().find(|(other, _)| *other == name);
        given.map(|(_, value)| value.as_str())
    }

    /// All values of an option that may be repeated.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let of = move |(other, value): &'a (&'static str, String)| {
            (*other == name).then_some(value.as_str())
        };
        self.options.iter().filter_map(of)
    }

    pub fn free(&self) -> &[String] {
        &self.free
    }

    /// A number of at least 1, or `default`; ends the program where it is none.
    pub fn count<T: FromStr + Default + PartialOrd>(&self, name: &str, default: T) -> T {
        let Some(text) = self.value(name) else { return default };
        let number = text.parse().ok().filter(|number| *number > T::default());
        number.unwrap_or_else(|| self.refuse(&format!("{name} {text}: not a positive number")))
    }

    /// A length of time in seconds, or `default`; ends the program where it is none.
    pub fn seconds(&self, name: &str, default: f64) -> Duration {
        let text = self.value(name).map_or_else(|| default.to_string(), str::to_owned);
        let seconds = text.parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok());
        seconds.unwrap_or_else(|| self.refuse(&format!("{name} {text}: no length of time")))
    }

    /// The folder of data that do not ship: the first argument, or the environment's SECANT_DATA. Where there is none, the program ends with
    /// what they are and where to get them.
    pub fn data_folder(&self, argument: Option<&str>) -> PathBuf {
        let folder =
            argument.map(PathBuf::from).or_else(|| std::env::var_os("SECANT_DATA").map(Into::into));
        let Some(folder) = folder else { self.refuse("which folder has the data?") };
        if !folder.exists() {
            self.refuse(&format!("{}: there is no such folder", folder.display()));
        }
        folder
    }

    /// The folder for files, `out` of this checkout unless `--out` names one. It is made.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn out(&self) -> Result<PathBuf, String> {
        let folder = match self.value(OUT.0) {
            Some(folder) => PathBuf::from(folder),
            None => Path::new(env!("CARGO_MANIFEST_DIR")).join("out"),
        };
        let made = std::fs::create_dir_all(&folder);
        made.map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(folder)
    }

    /// Ends the program: what is wrong with its arguments, and the text of `--help`.
    pub fn refuse(&self, words: &str) -> ! {
        refuse(self.about, words)
    }
}

fn refuse(about: &About, words: &str) -> ! {
    // Nobody to tell is no reason to panic.
    _ = writeln!(io::stderr(), "{}: {words}\n\n{about}", about.name);
    exit(WRONG_ARGUMENTS)
}

/// A file that ships, by its path in `data/`.
pub fn shipped(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(file)
}

/// Prints; ends the program where that cannot be done.
pub fn print(words: fmt::Arguments<'_>) {
    if let Err(code) = put(&mut io::stdout().lock(), words) {
        exit(code);
    }
}

/// Writes, and flushes at line ends as the writer does.
///
/// # Errors
/// The exit code to end with: 0 where the reader has closed the pipe, which is no failure of ours.
pub fn put(out: &mut impl Write, words: fmt::Arguments<'_>) -> Result<(), i32> {
    out.write_fmt(words).map_err(|error| {
        if error.kind() == ErrorKind::BrokenPipe {
            return 0;
        }
        _ = writeln!(io::stderr(), "the output cannot be written: {error}");
        1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABOUT: About = About {
        name: "trial",
        answers: "How long is a trial?",
        takes: &[("FOLDER", "of the data")],
        options: &[JSON, OUT, ("--only", "NAME", "part of a name; may be repeated")],
        output: "a table",
        data: "elsewhere",
    };

    fn parse(args: &[&str]) -> Result<Asked, String> {
        Args::parse(&ABOUT, args.iter().map(ToString::to_string))
    }

    fn run(args: &[&str]) -> Args {
        match parse(args) {
            Ok(Asked::Run(args)) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_come_in_any_order_with_their_values_beside_or_after() {
        let args = run(&["--only", "a", "there", "--out=x=y", "--json", "--only=b"]);
        assert!(args.json() && args.free() == ["there"]);
        assert_eq!(args.value("--out"), Some("x=y"));
        assert_eq!(args.values("--only").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(run(&["--", "--json"]).free(), ["--json"]);
        assert!(!run(&[]).json());
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        let refused = |args: &[&str]| parse(args).expect_err("refused");
        assert_eq!(refused(&["--jsno"]), "`--jsno`: unknown");
        assert_eq!(refused(&["-j"]), "`-j`: unknown");
        assert_eq!(refused(&["a", "b"]), "`b`: an argument too many");
        assert_eq!(refused(&["--out"]), "--out needs its DIR");
        assert_eq!(refused(&["--json=yes"]), "`--json=yes`: --json has no value");
    }

    #[test]
    fn help_comes_before_everything_but_a_mistake_in_front_of_it() {
        assert!(matches!(parse(&["--json", "--help"]), Ok(Asked::Help)));
        assert!(matches!(parse(&["-h", "--jsno"]), Ok(Asked::Help)));
        let text = ABOUT.to_string();
        for part in
            ["How long", "FOLDER", "--out DIR", "--only NAME", "output: a table", "data: elsewhere"]
        {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }

    /// A pipe that takes so many bytes.
    struct Pipe(usize, ErrorKind);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(self.1.into());
            }
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            Ok(taken)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_has_gone_ends_the_program_quietly_and_a_full_disk_does_not() {
        let line = |pipe: &mut Pipe| put(pipe, format_args!("{:>10}\n", 1));
        let mut pipe = Pipe(15, ErrorKind::BrokenPipe);
        assert_eq!(line(&mut pipe), Ok(()));
        assert_eq!(line(&mut pipe), Err(0));
        assert_eq!(line(&mut Pipe(3, ErrorKind::StorageFull)), Err(1));
    }
}
