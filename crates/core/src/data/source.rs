//! Files as bytes, gzip undone, within a limit of memory; and the fields of text files as numbers and labels.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::{DataError, Place};
use crate::text::quoted_bytes;

/// The default of the option `max_bytes` of every reader, 2 GiB: what a file unpacks to and the table that it becomes, together.
pub const MAX_BYTES: u64 = 2 << 30;

/// Room beyond what the first parts of a file let expect.
const SPARE: f64 = 1.02;
/// Of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// Bytes read at a time.
const CHUNK: usize = 1 << 16;
/// What a gzip stream begins with (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// What other packed files begin with. An `.npz` is a zip archive.
const ARCHIVES: [(&[u8], &str); 5] = [
    (b"PK\x03\x04", "a zip archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
];

/// The bytes of a file, and how much memory is left for them and what they become.
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    reader: Box<dyn Read + Send + 'a>,
    limit: u64,
    left: u64,
    /// Bytes of what is not packed, where they are known.
    pub(super) length: Option<u64>,
    /// Where they are, where that is neither packed nor a stream.
    place: Option<Whereabouts<'a>>,
    /// Whether it is unpacked on the way.
    packed: bool,
    /// The struct whose `max_bytes` is the limit.
    options: &'static str,
}

/// Where the bytes are that may be read in any order.
#[derive(Clone, Copy, Debug)]
enum Whereabouts<'a> {
    File(&'a Path),
    Memory(&'a [u8]),
}

/// Bytes that may be read in any order.
pub(super) trait Seekable: Read + Seek + Send {}
impl<T: Read + Seek + Send> Seekable for T {}

impl<'a> Source<'a> {
    /// A file that will be held as a whole, decompressed where its first bytes are those of gzip.
    pub(super) fn open(
        path: &'a Path,
        limit: u64,
        options: &'static str,
    ) -> Result<Self, DataError> {
        let source = Self::open_any(path, limit, options)?.of_no_archive()?;
        if source.length.is_some_and(|length| length > limit) {
            return Err(source.over_limit());
        }
        Ok(source)
    }

    /// A file of which a part is held at a time; it may be an archive.
    pub(super) fn open_any(
        path: &'a Path,
        limit: u64,
        options: &'static str,
    ) -> Result<Self, DataError> {
        let file = File::open(path).map_err(|error| DataError::io(path, &error))?;
        let length = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|data| data.len());
        let source = Self::unpacked(BufReader::new(file), path, limit, options)?;
        // A pipe has no length and cannot be opened again.
        let place = length.map(|_| Whereabouts::File(path));
        Ok(if source.packed { source } else { Self { length, place, ..source } })
    }

    /// Bytes in memory, decompressed where the first are those of gzip.
    pub(super) fn of(
        bytes: &'a [u8],
        limit: u64,
        options: &'static str,
    ) -> Result<Self, DataError> {
        Self::of_any(bytes, limit, options)?.of_no_archive()
    }

    /// The same, which may be an archive.
    pub(super) fn of_any(
        bytes: &'a [u8],
        limit: u64,
        options: &'static str,
    ) -> Result<Self, DataError> {
        let source = Self::unpacked(bytes, Path::new("bytes"), limit, options)?;
        let (length, place) = (Some(bytes.len() as u64), Some(Whereabouts::Memory(bytes)));
        Ok(if source.packed { source } else { Self { length, place, ..source } })
    }

    /// What a reader gives, decompressed where its first bytes are those of gzip; it may be an archive.
    pub(super) fn of_reader(
        reader: impl Read + Send + 'a,
        name: &'a Path,
        limit: u64,
        options: &'static str,
    ) -> Result<Self, DataError> {
        Self::unpacked(BufReader::new(reader), name, limit, options)
    }

    /// A file in an archive, of `length` bytes, within the memory that is left here.
    pub(super) fn member<'m>(
        &self,
        reader: impl Read + Send + 'm,
        name: &'m Path,
        length: u64,
    ) -> Source<'m> {
        let (limit, left, options) = (self.limit, self.left, self.options);
        let (reader, length) = (Box::new(reader), Some(length));
        Source { path: name, reader, limit, left, length, place: None, packed: false, options }
    }

    fn unpacked(
        mut reader: impl Read + Send + 'a,
        path: &'a Path,
        limit: u64,
        options: &'static str,
    ) -> Result<Self, DataError> {
        let mut start = Vec::with_capacity(GZIP.len());
        let mut first = reader.by_ref().take(GZIP.len() as u64);
        first.read_to_end(&mut start).map_err(|error| DataError::io(path, &error))?;
        let packed = start.starts_with(&GZIP);
        let whole = std::io::Cursor::new(start).chain(reader);
        let reader: Box<dyn Read + Send + 'a> =
            if packed { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) };
        let (length, place) = (None, None);
        Ok(Self { path, reader, limit, left: limit, length, place, packed, options })
    }

    /// Refuses an archive that is no gzip file.
    pub(super) fn of_no_archive(mut self) -> Result<Self, DataError> {
        let longest = ARCHIVES.iter().map(|(start, _)| start.len()).max().unwrap_or(0);
        let start = if self.packed { Vec::new() } else { self.peek(longest)? };
        match ARCHIVES.iter().find(|(magic, _)| start.starts_with(magic)) {
            None => Ok(self),
            Some((_, found)) => Err(DataError::WrongMagic {
                path: self.path.to_path_buf(),
                expected: "a plain file or one packed by gzip",
                found: (*found).to_owned(),
            }),
        }
    }

    /// The next `length` bytes, or all there are, which are read again afterwards.
    pub(super) fn peek(&mut self, length: usize) -> Result<Vec<u8>, DataError> {
        let mut start = Vec::new();
        self.fill(&mut start, length)?;
        let rest = std::mem::replace(&mut self.reader, Box::new(std::io::empty()));
        self.reader = Box::new(std::io::Cursor::new(start.clone()).chain(rest));
        Ok(start)
    }

    /// The file, where it is plain and may be opened again.
    #[cfg(feature = "parquet")]
    pub(super) fn file(&self) -> Option<&'a Path> {
        match self.place {
            Some(Whereabouts::File(path)) => Some(path),
            _ => None,
        }
    }

    /// All of it, to be read in any order: what is packed or comes from a stream is held.
    pub(super) fn seekable(&mut self) -> Result<Box<dyn Seekable + 'a>, DataError> {
        match self.place {
            Some(Whereabouts::File(path)) => match File::open(path) {
                Ok(file) => Ok(Box::new(BufReader::new(file))),
                Err(error) => Err(DataError::io(path, &error)),
            },
            Some(Whereabouts::Memory(bytes)) => Ok(Box::new(std::io::Cursor::new(bytes))),
            None => Ok(Box::new(std::io::Cursor::new(self.read_all()?))),
        }
    }

    fn over_limit(&self) -> DataError {
        let (path, limit) = (self.path.to_path_buf(), self.limit);
        DataError::OverLimit { path, limit, options: self.options }
    }

    /// Takes the memory of `count` items of `T` from what is left: to be called before it is allocated.
    pub(super) fn take<T>(&mut self, count: usize) -> Result<(), DataError> {
        let bytes = (count as u64).saturating_mul(size_of::<T>() as u64);
        self.left = self.left.checked_sub(bytes).ok_or_else(|| self.over_limit())?;
        Ok(())
    }

    /// An empty list with room for `count` items.
    pub(super) fn room<T>(&mut self, count: usize) -> Result<Vec<T>, DataError> {
        self.take::<T>(count)?;
        let mut list = Vec::new();
        list.try_reserve_exact(count).map_err(|_| DataError::TooLarge {
            path: self.path.to_path_buf(),
            found: format!("{count} numbers"),
        })?;
        Ok(list)
    }

    /// Room in `list` for `more` numbers, and for as many as the rest of the file will give if it goes on as its first `read` bytes did.
    pub(super) fn grow(
        &mut self,
        list: &mut Vec<f64>,
        more: usize,
        read: usize,
    ) -> Result<(), DataError> {
        self.take::<f64>(more)?;
        let needed = list.len() + more;
        if needed <= list.capacity() {
            return Ok(());
        }
        let ratio = match self.length {
            Some(length) => length as f64 / read.max(1) as f64,
            None => 2.0,
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a size, at most what is left"
        )]
        let expected = (needed as f64 * ratio.max(1.0) * SPARE) as usize;
        let left = usize::try_from(self.left / size_of::<f64>() as u64).unwrap_or(usize::MAX);
        let capacity = expected.min(needed.saturating_add(left)).max(needed);
        list.try_reserve_exact(capacity - list.len()).map_err(|_| DataError::TooLarge {
            path: self.path.to_path_buf(),
            found: format!("{capacity} numbers"),
        })
    }

    /// As many zeros as that.
    pub(super) fn zeros<T: Clone + Default>(&mut self, count: usize) -> Result<Vec<T>, DataError> {
        // Asked first; then the system gives pages of zeros, each once it is written to.
        drop(self.room::<T>(count)?);
        Ok(vec![T::default(); count])
    }

    /// Reads until `buffer`, which the caller answers for, holds `length` bytes; whether the file ends before.
    pub(super) fn fill(&mut self, buffer: &mut Vec<u8>, length: usize) -> Result<bool, DataError> {
        let start = buffer.len();
        buffer.resize(length.max(start), 0);
        let read = self.read_into(&mut buffer[start..])?;
        buffer.truncate(start + read);
        Ok(start + read < length)
    }

    /// Bytes of a byte order mark, with which this text of the file begins.
    ///
    /// # Errors
    /// The mark of UTF-16.
    pub(super) fn mark(&self, text: &[u8]) -> Result<usize, DataError> {
        if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
            let (path, found) = (self.path.to_path_buf(), "a byte order mark of UTF-16".to_owned());
            return Err(DataError::WrongMagic { path, expected: "UTF-8 text", found });
        }
        Ok(if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 })
    }

    /// Reads until `buffer` is full or the file ends, and says how many bytes that were.
    pub(super) fn read_into(&mut self, buffer: &mut [u8]) -> Result<usize, DataError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.reader.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(DataError::io(self.path, &error)),
            }
        }
        Ok(filled)
    }

    /// All bytes that are left to read.
    pub(super) fn read_all(&mut self) -> Result<Vec<u8>, DataError> {
        self.read_up_to(u64::MAX)
    }

    /// Exactly `length` bytes, or all there are. The buffer grows with what is read, so that a false header cannot ask for more memory
    /// than its file has bytes.
    pub(super) fn read_up_to(&mut self, length: u64) -> Result<Vec<u8>, DataError> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let mut bytes: Vec<u8> = Vec::new();
        let mut chunk = vec![0; CHUNK.min(usize::try_from(length).unwrap_or(CHUNK))];
        loop {
            let wanted = (length - bytes.len() as u64).min(chunk.len() as u64);
            #[expect(clippy::cast_possible_truncation, reason = "at most the length of the chunk")]
            let wanted = &mut chunk[..wanted as usize];
            let read = match self.reader.read(wanted) {
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(DataError::io(self.path, &error)),
            };
            if read == 0 {
                break;
            }
            if read > most - bytes.len() {
                return Err(self.over_limit());
            }
            if bytes.capacity() - bytes.len() < read {
                // Twice as much each time, but not beyond the limit.
                let capacity = (2 * bytes.capacity()).max(CHUNK).max(bytes.len() + read).min(most);
                let too_large = |_| DataError::TooLarge {
                    path: self.path.to_path_buf(),
                    found: format!("{capacity} bytes"),
                };
                bytes.try_reserve_exact(capacity - bytes.len()).map_err(too_large)?;
            }
            bytes.extend_from_slice(&wanted[..read]);
        }
        bytes.shrink_to_fit();
        self.take::<u8>(bytes.len())?;
        Ok(bytes)
    }

    /// The rest of a binary file behind a header of `header` bytes: exactly `length` bytes.
    pub(super) fn read_body(&mut self, header: u64, length: u64) -> Result<Vec<u8>, DataError> {
        let bytes = self.read_up_to(length)?;
        let found = bytes.len() as u64;
        let (path, expected) = (self.path.to_path_buf(), header.saturating_add(length));
        if found < length {
            return Err(DataError::CutShort { path, expected, found: header + found });
        }
        // One byte more is enough to know, also where the limit is reached.
        let mut more = [0];
        match self.reader.read(&mut more) {
            Ok(0) => Ok(bytes),
            Ok(_) => Err(DataError::TrailingBytes { path, expected }),
            Err(error) => Err(DataError::io(self.path, &error)),
        }
    }
}

/// A field as text without the white space around it.
pub(super) fn text<'a>(field: &'a [u8], path: &Path, line: u64) -> Result<&'a str, DataError> {
    match std::str::from_utf8(field) {
        Ok(text) => Ok(text.trim()),
        Err(_) => Err(DataError::NotUtf8 { path: path.to_path_buf(), line }),
    }
}

/// A field as a finite number. `place` is built only for the error.
pub(super) fn number(text: &str, place: impl FnOnce() -> Place) -> Result<f64, DataError> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(DataError::NotFinite { place: place(), found: quoted_bytes(text.as_bytes()) }),
        Err(_) => Err(not_a_number(text, place())),
    }
}

/// A text where a number belongs.
pub(super) fn not_a_number(text: &str, place: Place) -> DataError {
    let hint = Box::default();
    DataError::NotANumber { place, found: quoted_bytes(text.as_bytes()), hint }
}
