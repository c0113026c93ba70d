//! The command as a person and as another program meets it.

mod bad_tables;
mod documented;
mod exits;
mod objects;
mod odd;
mod options;
mod predictions;
mod support;
#[cfg(unix)]
mod terminal;
