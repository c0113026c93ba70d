//! Ctrl-C: the first ends the fit within an evaluation and keeps what it has, the second ends the process.

use crate::exit::Exit;
use crate::failure::Failure;
use secant::Interrupt;
use std::sync::atomic::{AtomicBool, Ordering};

/// An interrupt that Ctrl-C sets, and the signals that ask a process to end.
pub fn on_signals() -> Result<Interrupt, Failure> {
    let interrupt = Interrupt::new();
    let handle = interrupt.clone();
    let asked = AtomicBool::new(false);
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(Exit::Interrupted.number()));
        }
        handle.set();
    })
    .map_err(|error| Failure::new(format!("Ctrl-C cannot be obeyed: {error}")))?;
    Ok(interrupt)
}
