//! IDX: a magic number 0 0 type rank, `rank` big-endian 32-bit sizes, the bytes in row-major order.

use std::io::Read;
use std::path::Path;

use super::source::{open, read_body, read_up_to};
use super::task::{number_classes, whole};
use super::{DataError, Dataset, Place, Row};

/// The type code of unsigned bytes, the one that the published image sets use.
const UNSIGNED_BYTE: u8 = 0x08;

/// What becomes of a pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PixelScale {
    /// Divided by 255: in [0, 1].
    #[default]
    Unit,
    /// As it stands: 0, …, 255.
    Raw,
}

impl PixelScale {
    /// What a byte is divided by.
    pub(super) fn divisor(self) -> f64 {
        match self {
            Self::Unit => f64::from(u8::MAX),
            Self::Raw => 1.0,
        }
    }
}

/// How a pair of IDX files is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdxOptions {
    /// What becomes of a pixel.
    pub scale: PixelScale,
    /// Number of classes; `None` takes the largest label plus one.
    pub classes: Option<usize>,
}

impl Dataset {
    /// Reads images and their labels (gzip where a path ends in `.gz`): N × rows × columns bytes become d × N with
    /// d = rows · columns, a row of pixels after the other.
    ///
    /// # Errors
    /// Not an IDX file of unsigned bytes; a file shorter or longer than its header says; as many labels as images are
    /// expected; a label ≥ `classes`; no images.
    pub fn from_idx(
        images: impl AsRef<Path>,
        labels: impl AsRef<Path>,
        options: IdxOptions,
    ) -> Result<Self, DataError> {
        let (images, labels) = (images.as_ref(), labels.as_ref());
        let pixels = parse(&mut open(images)?, images)?;
        assemble(&pixels, images, &parse(&mut open(labels)?, labels)?, labels, options)
    }
}

/// An array of bytes, row-major.
pub(super) struct Bytes {
    sizes: Vec<u32>,
    values: Vec<u8>,
}

impl Bytes {
    fn malformed(&self, path: &Path, expected: &str) -> DataError {
        DataError::Malformed {
            path: path.to_path_buf(),
            at: "header".to_owned(),
            expected: expected.to_owned(),
            found: format!("sizes {:?}", self.sizes),
        }
    }
}

/// One IDX file.
pub(super) fn parse(reader: &mut impl Read, path: &Path) -> Result<Bytes, DataError> {
    let magic = read_up_to(reader, 4, path)?;
    let &[0, 0, kind, rank] = magic.as_slice() else {
        return Err(DataError::WrongMagic {
            path: path.to_path_buf(),
            expected: "the bytes 0 0 type rank",
            found: format!("{magic:02x?}"),
        });
    };
    if kind != UNSIGNED_BYTE {
        return Err(DataError::UnsupportedType {
            path: path.to_path_buf(),
            found: format!("{kind:#04x}"),
            supported: "0x08, unsigned bytes",
        });
    }
    let announced = 4 * u64::from(rank);
    let header = read_up_to(reader, announced, path)?;
    let header_length = 4 + announced;
    if (header.len() as u64) < announced {
        return Err(DataError::CutShort {
            path: path.to_path_buf(),
            expected: header_length,
            found: 4 + header.len() as u64,
        });
    }
    let sizes: Vec<u32> = header
        .chunks_exact(4)
        .map(|size| u32::from_be_bytes([size[0], size[1], size[2], size[3]]))
        .collect();
    let length =
        sizes.iter().try_fold(1_u64, |product, &size| product.checked_mul(u64::from(size)));
    let Some(length) = length.filter(|_| rank > 0) else {
        return Err(DataError::TooLarge { path: path.to_path_buf(), found: format!("{sizes:?}") });
    };
    let values = read_body(reader, header_length, length, path)?;
    Ok(Bytes { sizes, values })
}

/// Images and labels as one data set.
pub(super) fn assemble(
    images: &Bytes,
    images_path: &Path,
    labels: &Bytes,
    labels_path: &Path,
    options: IdxOptions,
) -> Result<Dataset, DataError> {
    if images.sizes.len() < 2 {
        return Err(images.malformed(images_path, "two sizes or more, samples first"));
    }
    if labels.sizes.len() != 1 {
        return Err(labels.malformed(labels_path, "one size, the number of labels"));
    }
    let samples = images.sizes[0] as usize;
    if images.values.is_empty() {
        return Err(DataError::NoData { file: Some(images_path.to_path_buf()), what: "samples" });
    }
    if labels.values.len() != samples {
        return Err(DataError::WrongLength {
            what: "labels for the images",
            expected: samples,
            found: labels.values.len(),
        });
    }
    let bound = options.classes.unwrap_or(usize::from(u8::MAX) + 1);
    let describe = |sample: usize, label: u8| {
        let (file, row) = (Some(labels_path.to_path_buf()), Row::Sample(sample));
        (Place { file, row, column: "label".to_owned() }, label.to_string())
    };
    let checked = labels.values.iter().enumerate();
    let checked =
        checked.map(|(sample, &label)| whole(f64::from(label), bound, || describe(sample, label)));
    let targets = number_classes(options.classes, checked.collect::<Result<_, _>>()?);
    let divisor = options.scale.divisor();
    let inputs = images.values.iter().map(|&pixel| f64::from(pixel) / divisor).collect();
    Dataset::new(images.values.len() / samples, inputs, targets)
        .map_err(|error| error.in_file(images_path))
}
