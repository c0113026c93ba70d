//! The two files of a run: the newest checkpoint and the one before it.

use super::format::{Contents, HEADER};
use crate::error::{CheckpointError, Damage};
use secant_core::files::write_atomically;
use secant_core::text;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Where the checkpoint before the newest one is kept: `fit.checkpoint.previous` for `fit.checkpoint`.
///
/// ```
/// let path = secant_optim::checkpoint::previous("fits/concrete.checkpoint".as_ref());
/// assert_eq!(path, std::path::Path::new("fits/concrete.checkpoint.previous"));
/// ```
pub fn previous(path: &Path) -> PathBuf {
    beside(path, ".previous")
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Puts `bytes` in place of the newest checkpoint, which becomes the previous one. At every moment a whole checkpoint stands at `path`, once
/// there was one; where the writing fails both are as they were.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let kept = beside(path, ".kept");
    // What is in the way is left over from a process that was killed.
    let _ = fs::remove_file(&kept);
    // Not every file system has links.
    let linked = fs::hard_link(path, &kept).or_else(|error| {
        let there = error.kind() != ErrorKind::NotFound;
        if there { fs::copy(path, &kept).map(|_| ()) } else { Err(error) }
    });
    let written = write_atomically(path, bytes);
    if linked.is_ok() {
        let moved = if written.is_ok() {
            fs::rename(&kept, previous(path))
        } else {
            fs::remove_file(&kept)
        };
        return written.and(moved);
    }
    written
}

/// Reads one file; its header is looked at before the rest is read.
fn read(path: &Path) -> Result<Contents, Damage> {
    let failed = |error: io::Error| Damage::Unreadable(error.to_string());
    let mut file = File::open(path).map_err(failed)?;
    let found = file.metadata().map_err(failed)?.len();
    let mut bytes = Vec::new();
    Read::by_ref(&mut file).take(HEADER as u64).read_to_end(&mut bytes).map_err(failed)?;
    let refused = match Contents::from_bytes(&bytes) {
        // The header alone is too short by what it says follows.
        Err(Damage::Length { expected, .. }) if expected == found => None,
        Err(Damage::Length { expected, .. }) => Some(Damage::Length { expected, found }),
        Err(damage) => Some(damage),
        Ok(_) => None,
    };
    if let Some(damage) = refused {
        return Err(damage);
    }
    file.take(found.saturating_sub(HEADER as u64)).read_to_end(&mut bytes).map_err(failed)?;
    Contents::from_bytes(&bytes)
}

/// The newest checkpoint if it is sound, else the one before it, with a note that says so.
pub(super) fn load(path: &Path) -> Result<(Contents, Option<String>), CheckpointError> {
    let newest = match read(path) {
        Ok(contents) => return Ok((contents, None)),
        Err(damage) => damage,
    };
    let previous_path = previous(path);
    if !path.exists() && !previous_path.exists() {
        return Err(CheckpointError::Missing { path: path.to_owned() });
    }
    match read(&previous_path) {
        Ok(contents) => {
            let note =
                format!("the checkpoint {} {newest}; the one before it taken", text::path(path));
            Ok((contents, Some(note)))
        }
        Err(previous) => {
            let path = path.to_owned();
            Err(CheckpointError::Unusable { path, newest, previous_path, previous })
        }
    }
}
