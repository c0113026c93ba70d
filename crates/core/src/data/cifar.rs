//! The binary form of CIFAR-10: records of one label byte and 3 · 32 · 32 pixel bytes (red, green, blue plane).

use std::path::Path;

use super::source::{MAX_BYTES, Source};
use super::task::whole;
use super::{DataError, Dataset, PixelScale, Place, Row, Targets};

/// Pixels of one image.
const PIXELS: usize = 3 * 32 * 32;
/// Bytes of one record.
const RECORD: usize = 1 + PIXELS;
/// Classes of the data set.
const CLASSES: usize = 10;

/// How a batch of CIFAR-10 is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CifarOptions {
    /// What becomes of a pixel.
    pub scale: PixelScale,
    /// Memory at most, for the unpacked file and the table together.
    pub max_bytes: u64,
}

impl Default for CifarOptions {
    fn default() -> Self {
        Self { scale: PixelScale::Unit, max_bytes: MAX_BYTES }
    }
}

impl Dataset {
    /// Reads a batch of CIFAR-10 in its binary form, plain or gzipped: d = 3072, ten classes.
    ///
    /// # Errors
    /// A file that is empty or no whole number of records; a label above 9; more memory than the limit.
    pub fn from_cifar10(path: impl AsRef<Path>, scale: PixelScale) -> Result<Self, DataError> {
        Self::from_cifar10_with(path, CifarOptions { scale, ..CifarOptions::default() })
    }

    /// Reads a batch as `options` say.
    ///
    /// # Errors
    /// As [`Dataset::from_cifar10`].
    pub fn from_cifar10_with(
        path: impl AsRef<Path>,
        options: CifarOptions,
    ) -> Result<Self, DataError> {
        parse(Source::open(path.as_ref(), options.max_bytes, "CifarOptions")?, options)
    }

    /// The same of the bytes of such a file.
    ///
    /// # Errors
    /// As [`Dataset::from_cifar10`].
    pub fn from_cifar10_bytes(bytes: &[u8], options: CifarOptions) -> Result<Self, DataError> {
        parse(Source::of(bytes, options.max_bytes, "CifarOptions")?, options)
    }
}

fn parse(mut source: Source<'_>, options: CifarOptions) -> Result<Dataset, DataError> {
    let path = source.path;
    let bytes = source.read_all()?;
    if bytes.is_empty() {
        return Err(DataError::NoData { file: Some(path.to_path_buf()), what: "samples" });
    }
    if bytes.len() % RECORD != 0 {
        let (found, whole) = (bytes.len() as u64, bytes.len().next_multiple_of(RECORD) as u64);
        return Err(DataError::CutShort { path: path.to_path_buf(), expected: whole, found });
    }
    let label = |(sample, record): (usize, &[u8])| {
        whole(f64::from(record[0]), CLASSES, || {
            let (file, row) = (Some(path.to_path_buf()), Row::Sample(sample));
            (Place { file, row, column: "label".to_owned() }, record[0].to_string())
        })
    };
    let labels = bytes.chunks_exact(RECORD).enumerate().map(label).collect::<Result<_, _>>()?;
    let divisor = options.scale.divisor();
    let mut inputs = source.room(bytes.len() / RECORD * PIXELS)?;
    let pixels = bytes.chunks_exact(RECORD).flat_map(|record| &record[1..]);
    inputs.extend(pixels.map(|&pixel| f64::from(pixel) / divisor));
    Dataset::new(PIXELS, inputs, Targets::Labels { classes: CLASSES, labels })
        .map_err(|error| error.in_file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_become_columns_and_damaged_files_are_refused() {
        let read = |bytes: &[u8], scale| {
            Dataset::from_cifar10_bytes(bytes, CifarOptions { scale, ..CifarOptions::default() })
        };
        let mut bytes = vec![0; 2 * RECORD];
        (bytes[0], bytes[1], bytes[RECORD], bytes[2 * RECORD - 1]) = (3, 255, 9, 51);
        let data = read(&bytes, PixelScale::Unit).unwrap();
        assert_eq!((data.features(), data.samples()), (PIXELS, 2));
        assert_eq!((data.sample(0)[0], data.sample(1)[PIXELS - 1]), (1.0, 0.2));
        assert_eq!(data.targets().labels(), Some(&[3, 9][..]));

        let error = read(&bytes[..2 * RECORD - 1], PixelScale::Raw).unwrap_err();
        assert!(matches!(error, DataError::CutShort { found: 6145, expected: 6146, .. }));
        bytes[RECORD] = 10;
        let error = read(&bytes, PixelScale::Raw).unwrap_err();
        assert!(matches!(error, DataError::LabelOutOfRange { classes: 10, .. }), "{error}");
        assert!(read(&[], PixelScale::Raw).is_err());
    }
}
