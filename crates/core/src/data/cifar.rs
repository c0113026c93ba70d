//! The binary form of CIFAR-10: records of one label byte and 3 · 32 · 32 pixel bytes (red, green, blue plane).

use std::path::Path;

use super::source::read_all;
use super::task::whole;
use super::{DataError, Dataset, PixelScale, Place, Row, Targets};

/// Pixels of one image.
const PIXELS: usize = 3 * 32 * 32;
/// Bytes of one record.
const RECORD: usize = 1 + PIXELS;
/// Classes of the data set.
const CLASSES: usize = 10;

impl Dataset {
    /// Reads a batch of CIFAR-10 in its binary form (gzip where the path ends in `.gz`): d = 3072, ten classes.
    ///
    /// # Errors
    /// A file that is empty or no whole number of records; a label above 9.
    pub fn from_cifar10(path: impl AsRef<Path>, scale: PixelScale) -> Result<Self, DataError> {
        let path = path.as_ref();
        let bytes = read_all(path)?;
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
        let divisor = scale.divisor();
        let pixels = bytes.chunks_exact(RECORD).flat_map(|record| &record[1..]);
        let inputs = pixels.map(|&pixel| f64::from(pixel) / divisor).collect();
        Self::new(PIXELS, inputs, Targets::Labels { classes: CLASSES, labels })
            .map_err(|error| error.in_file(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `bytes` as a file.
    fn read(name: &str, bytes: &[u8], scale: PixelScale) -> Result<Dataset, DataError> {
        let path = std::env::temp_dir().join(format!("secant-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        let data = Dataset::from_cifar10(&path, scale);
        std::fs::remove_file(&path).unwrap();
        data
    }

    #[test]
    fn records_become_columns_and_damaged_files_are_refused() {
        let mut bytes = vec![0; 2 * RECORD];
        (bytes[0], bytes[1], bytes[RECORD], bytes[2 * RECORD - 1]) = (3, 255, 9, 51);
        let data = read("whole", &bytes, PixelScale::Unit).unwrap();
        assert_eq!((data.features(), data.samples()), (PIXELS, 2));
        assert_eq!((data.sample(0)[0], data.sample(1)[PIXELS - 1]), (1.0, 0.2));
        assert_eq!(data.targets().labels(), Some(&[3, 9][..]));

        let error = read("short", &bytes[..2 * RECORD - 1], PixelScale::Raw).unwrap_err();
        assert!(matches!(error, DataError::CutShort { found: 6145, expected: 6146, .. }));
        bytes[RECORD] = 10;
        let error = read("label", &bytes, PixelScale::Raw).unwrap_err();
        assert!(matches!(error, DataError::LabelOutOfRange { classes: 10, .. }), "{error}");
        assert!(read("empty", &[], PixelScale::Raw).is_err());
    }
}
