//! A session on a terminal: progress that moves, Ctrl-C that is obeyed and loses nothing.

use crate::support::{Folder, SECANT};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long a test waits before it fails: many times what is usual.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn ctrl_c_ends_a_fit_within_an_evaluation_and_it_goes_on_with_the_same_bits() {
    let folder = Folder::new();
    let long = [
        "fit",
        "data/concrete.csv",
        "--target",
        "target",
        "--model",
        "mlp:200,200",
        "--method",
        "lbfgs",
        "--tolerance",
        "1e-15",
    ];
    let size = PtySize { rows: 30, cols: 120, pixel_width: 0, pixel_height: 0 };
    let terminal = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(SECANT);
    command.args(long);
    command.args([
        "--max-iterations",
        "1000000",
        "--checkpoint",
        "c.fit",
        // After every iteration.
        "--every",
        "0s",
        "--out",
        "best.safetensors",
    ]);
    command.cwd(folder.path(""));
    command.env("TERM", "xterm");
    command.env_remove("NO_COLOR");
    let mut child = terminal.slave.spawn_command(command).unwrap();
    drop(terminal.slave);
    let (seen, mut reader) =
        (Arc::new(Mutex::new(Vec::new())), terminal.master.try_clone_reader().unwrap());
    let kept = Arc::clone(&seen);
    let reading = std::thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = reader.read(&mut chunk) {
            kept.lock().unwrap().extend_from_slice(&chunk[..count]);
        }
    });
    let text = || String::from_utf8_lossy(&seen.lock().unwrap()).into_owned();
    let begin = Instant::now();
    // The line moves: it is written again and again in its place.
    while text().matches("L-BFGS [").count() < 5 || !folder.path("c.fit").exists() {
        assert!(begin.elapsed() < PATIENCE, "no progress: {}", text());
        std::thread::sleep(Duration::from_millis(20));
    }
    // Ctrl-C comes while the process stands still, with the last checkpoint at hand: what it does after that is counted, by no clock.
    let signal = |name: &str| {
        let process = child.process_id().unwrap().to_string();
        assert!(Command::new("kill").args([name, &process]).status().unwrap().success());
    };
    signal("-STOP");
    std::fs::copy(folder.path("c.fit"), folder.path("seen.fit")).unwrap();
    let mut keyboard = terminal.master.take_writer().unwrap();
    keyboard.write_all(b"\x03").unwrap();
    keyboard.flush().unwrap();
    signal("-CONT");
    let status = child.wait().unwrap();
    drop(keyboard);
    drop(terminal.master);
    reading.join().unwrap();
    let text = text();
    assert_eq!(status.exit_code(), 130, "{text}");
    assert!(
        text.contains("Stopped: interrupted from outside")
            && text.contains("\u{1b}[1mFit\u{1b}[0m"),
        "{text}"
    );
    assert!(text.contains("--resume c.fit"), "{text}");
    assert!(folder.path("best.safetensors").exists() && folder.path("c.fit").exists());

    // Where it was left and where it goes on to, in iterations.
    let left = iterations(&folder.run(&["describe", "best.safetensors", "--json"]).object());
    let seen = ["--resume", "seen.fit", "--max-time", "0ms", "--json", "--quiet"];
    let seen = folder.run(&[&long[..], &seen].concat()).object();
    let seen = seen["iterations"].as_u64().unwrap();
    // The iteration that was under way or done but not written yet, and one that began before the process took the signal.
    assert!(left >= seen && left <= seen + 2, "{seen} iterations before the signal, {left} in all");
    let on = (left + 5).to_string();
    let run = |more: &[&str]| {
        let ran = folder.run(&[&long[..], &["--max-iterations", &on, "--quiet"], more].concat());
        assert_eq!(ran.status, 3, "{ran:?}");
        assert!(
            !ran.err.contains('\u{1b}') && !ran.out.contains('\u{1b}'),
            "control characters in a pipe"
        );
    };
    run(&["--resume", "c.fit", "--out", "resumed.safetensors"]);
    run(&["--out", "straight.safetensors"]);
    let numbers = |name| {
        let bytes = std::fs::read(folder.path(name)).unwrap();
        bytes[bytes.len() - 8 * (8 * 200 + 200 + 200 * 200 + 200 + 200 + 1)..].to_vec()
    };
    assert_eq!(numbers("resumed.safetensors"), numbers("straight.safetensors"));
}

fn iterations(model: &serde_json::Value) -> u64 {
    model["fit"]["iterations"].as_u64().unwrap()
}
