//! Files that are replaced as a whole: at every moment the old one or the new one stands under the name, whatever ends the process.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the names of unfinished files end with.
const UNFINISHED: &str = ".secant-tmp";
/// How often a file is written before the folder is said to lose it.
const ATTEMPTS: usize = 3;
/// What may fail first.
const CREATE: &str = "cannot create a file beside it";
/// Characters of a file's name that the name of its unfinished file repeats: file systems allow 255 bytes.
const NAME_CHARS: usize = 40;

/// Writes `bytes` to `path`, so that there is the old file or the new one and never a part of one: into a file beside it, which is synced and
/// renamed, and on Unix the folder is synced. Unfinished files that killed processes left beside it are removed. A link is followed; what
/// stands at `path` and is no file is refused, and so is a read-only file.
///
/// # Errors
/// Those of the file system, with what was tried and the path: a missing or read-only folder, a full disk. The old file is as it was, and
/// nothing is left beside it; where only the last sync of the folder fails, the new file is there.
///
/// ```
/// use secant_core::files::write_atomically;
///
/// let path = std::env::temp_dir().join(format!("secant-doc-{}", std::process::id()));
/// write_atomically(&path, b"first")?;
/// write_atomically(&path, b"second")?;
/// assert_eq!(std::fs::read(&path)?, b"second");
/// # std::fs::remove_file(&path)?;
///
/// let error = write_atomically("no/such/folder/file", b"").unwrap_err();
/// assert!(error.to_string().starts_with("no/such/folder/file: cannot create a file beside it: "));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write_atomically(path: impl AsRef<Path>, bytes: &[u8]) -> io::Result<()> {
    replace(path.as_ref(), |file| file.write_all(bytes))
}

/// Whether [`write_atomically`] can begin at `path`: before work whose result is to be written there. Nothing is left beside it.
///
/// # Errors
/// As [`write_atomically`], but for a disk that is full only when bytes come.
pub fn check_writable(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref();
    let (folder, name) = place(&target(path)?, path)?;
    let created = Unfinished::create(&folder, &name);
    created.map(drop).map_err(|error| explained(path, CREATE, &error))
}

/// The folder and the name of the file at `target`, which `path` means.
fn place(target: &Path, path: &Path) -> io::Result<(PathBuf, OsString)> {
    let name = target.file_name().ok_or_else(|| {
        explained(path, "cannot be written", &io::Error::from(ErrorKind::InvalidInput))
    })?;
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    Ok((folder.to_owned(), name.to_owned()))
}

/// [`write_atomically`] by whatever writes.
fn replace(path: &Path, write: impl Fn(&mut File) -> io::Result<()>) -> io::Result<()> {
    let target = &target(path)?;
    let failed = |what: &'static str| move |error: io::Error| explained(path, what, &error);
    let (folder, name) = place(target, path)?;
    let (folder, name) = (&*folder, &*name);
    remove_abandoned(folder, name);
    for attempt in 1.. {
        let mut unfinished = Unfinished::create(folder, name).map_err(failed(CREATE))?;
        write(&mut unfinished.file).map_err(failed("cannot write"))?;
        unfinished.file.sync_all().map_err(failed("cannot sync"))?;
        match fs::rename(&unfinished.path, target) {
            Ok(()) => {
                unfinished.renamed = true;
                break;
            }
            // Another process took it for abandoned before it was locked.
            Err(error) if error.kind() == ErrorKind::NotFound && attempt < ATTEMPTS => {}
            Err(error) => return Err(explained(path, "cannot put the new file in place", &error)),
        }
    }
    sync_folder(folder).map_err(failed("is written, but its folder cannot be synced"))
}

/// Where the file is that `path` means: behind links.
fn target(path: &Path) -> io::Result<PathBuf> {
    let refused =
        |kind, why: &str| Err(io::Error::new(kind, format!("{}: {why}", crate::text::path(path))));
    match fs::metadata(path) {
        // What cannot be looked at is met again by the writing.
        Err(_) => Ok(path.to_owned()),
        Ok(found) if found.is_dir() => refused(ErrorKind::IsADirectory, "is a folder"),
        Ok(found) if !found.is_file() => refused(ErrorKind::InvalidInput, "is no ordinary file"),
        Ok(found) if found.permissions().readonly() => {
            refused(ErrorKind::PermissionDenied, "is read-only")
        }
        Ok(_) => fs::canonicalize(path),
    }
}

fn explained(path: &Path, what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {what}: {error}", crate::text::path(path)))
}

/// A file that is removed unless it was renamed. It is locked while its process lives, where the file system has locks.
struct Unfinished {
    path: PathBuf,
    file: File,
    renamed: bool,
}

impl Unfinished {
    fn create(folder: &Path, name: &OsStr) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let (start, id) = (start_of_names(name), process::id());
            let path = folder.join(format!("{start}{id}-{number}{UNFINISHED}"));
            match File::create_new(&path) {
                // Left by a process of the same id that was killed.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(file) => {
                    let _ = file.try_lock();
                    return Ok(Self { path, file, renamed: false });
                }
            }
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.renamed {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// `.model.safetensors.`: what the names of the unfinished files of `name` start with.
fn start_of_names(name: &OsStr) -> String {
    let name: String = name.to_string_lossy().chars().take(NAME_CHARS).collect();
    format!(".{name}.")
}

/// Removes the unfinished files of `name` whose process is no more: nobody holds their lock.
fn remove_abandoned(folder: &Path, name: &OsStr) {
    let (start, own) = (start_of_names(name), process::id().to_string());
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let found = entry.file_name();
        let ours = found.to_str().and_then(|found| {
            found.strip_prefix(&start)?.strip_suffix(UNFINISHED)?.split_once('-')
        });
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let of_another = |process: &str| digits(process) && process != own;
        if !ours.is_some_and(|(process, number)| of_another(process) && digits(number)) {
            continue;
        }
        let path = entry.path();
        let free =
            File::options().write(true).open(&path).is_ok_and(|file| file.try_lock().is_ok());
        if free {
            let _ = fs::remove_file(&path);
        }
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    // A folder that may be written and not read, and file systems without such a sync, are no failure.
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::PermissionDenied | ErrorKind::InvalidInput | ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        other => other,
    }
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
