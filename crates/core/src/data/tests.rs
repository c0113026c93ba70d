//! Tests of the data side: every reader on files written here and on the files that ship. Damaged bytes: the smoke of the fuzz targets.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

mod arrays;
mod csv;
#[expect(clippy::unreadable_literal, reason = "digits as their source writes them")]
mod formats;
mod libsvm;
mod limits;
mod memory;
#[expect(clippy::unreadable_literal, reason = "digits as their source writes them")]
mod shipped;
mod sparse;
mod table;

/// A file of the repository's `data/`.
fn shipped_file(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../data")).join(name)
}

/// A file that is gone when the test ends.
pub(super) struct Temporary(PathBuf);

impl Temporary {
    pub(super) fn new(name: &str, bytes: &[u8]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("secant-{}-{count}-{name}", std::process::id()));
        fs::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl AsRef<Path> for Temporary {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An `.npy` file, version 1.0.
fn npy(descr: &str, fortran: bool, shape: &str, body: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), body].concat()
}

/// An IDX file of unsigned bytes.
fn idx(sizes: &[u32], body: &[u8]) -> Vec<u8> {
    idx_of(8, sizes, body)
}

/// An IDX file.
fn idx_of(kind: u8, sizes: &[u32], body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, kind, u8::try_from(sizes.len()).unwrap()];
    bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend_from_slice(body);
    bytes
}
