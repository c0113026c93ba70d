//! The command in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The command.
pub const SECANT: &str = env!("CARGO_BIN_EXE_secant");

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A folder with the data that ship, which goes when it is dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("secant-cli-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(folder.join("data")).unwrap();
        let copy = |from: PathBuf, to: PathBuf| {
            for entry in std::fs::read_dir(from).unwrap().flatten() {
                if entry.path().is_file() {
                    std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
                }
            }
        };
        copy(root().join("data"), folder.join("data"));
        copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files"), folder.clone());
        Self(folder)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Runs the command with these arguments.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(SECANT);
        self.run_it(command.args(arguments))
    }

    /// Runs a line of a shell in which `secant` is the command.
    pub fn shell(&self, line: &str) -> Ran {
        let folder = Path::new(SECANT).parent().unwrap().display();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        self.run_it(command.args(["-c", line]).env("PATH", format!("{folder}:{path}")))
    }

    fn run_it(&self, command: &mut Command) -> Ran {
        let ran = command.current_dir(&self.0).stdin(Stdio::null()).env_remove("NO_COLOR");
        Ran::of(&ran.output().unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let status = output.status.code().unwrap_or(-1);
        Self { status, out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// The object on standard output.
    pub fn object(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
