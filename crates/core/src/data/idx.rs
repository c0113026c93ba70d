//! IDX: a magic number 0 0 type rank, `rank` big-endian 32-bit sizes, the numbers, big-endian and in row-major order.

use std::path::Path;

use super::source::{MAX_BYTES, Source};
use super::task::{MAX_INFERRED_CLASSES, number_classes, whole};
use super::{DataError, Dataset, Place, Row};

/// What becomes of a pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PixelScale {
    /// Unsigned bytes are divided by 255: in [0, 1]. Numbers of other types stay as they are.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdxOptions {
    /// What becomes of a pixel.
    pub scale: PixelScale,
    /// Number of classes; `None` takes the largest label plus one.
    pub classes: Option<usize>,
    /// Memory at most, for each of the unpacked files and its table together.
    pub max_bytes: u64,
}

impl Default for IdxOptions {
    fn default() -> Self {
        Self { scale: PixelScale::Unit, classes: None, max_bytes: MAX_BYTES }
    }
}

impl Dataset {
    /// Reads images and their labels, plain or gzipped: N × rows × columns numbers of any type (bytes, signed bytes, 16 and 32 bit
    /// integers, single and double precision) become d × N with d = rows · columns, a row of pixels after the other.
    ///
    /// # Errors
    /// Not an IDX file; a file shorter or longer than its header says; as many labels as images are expected; a label that is no whole
    /// number from 0, or ≥ `classes`; no images; NaN or infinity; more memory than the limit.
    pub fn from_idx(
        images: impl AsRef<Path>,
        labels: impl AsRef<Path>,
        options: IdxOptions,
    ) -> Result<Self, DataError> {
        let open = |path| Source::open(path, options.max_bytes, "IdxOptions");
        assemble(open(images.as_ref())?, open(labels.as_ref())?, options)
    }

    /// The same of the bytes of two such files.
    ///
    /// # Errors
    /// As [`Dataset::from_idx`].
    pub fn from_idx_bytes(
        images: &[u8],
        labels: &[u8],
        options: IdxOptions,
    ) -> Result<Self, DataError> {
        let open = |bytes| Source::of(bytes, options.max_bytes, "IdxOptions");
        assemble(open(images)?, open(labels)?, options)
    }
}

/// The types of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    UnsignedByte,
    SignedByte,
    Short,
    Int,
    Float,
    Double,
}

impl Kind {
    fn of(code: u8) -> Option<Self> {
        match code {
            0x08 => Some(Self::UnsignedByte),
            0x09 => Some(Self::SignedByte),
            0x0B => Some(Self::Short),
            0x0C => Some(Self::Int),
            0x0D => Some(Self::Float),
            0x0E => Some(Self::Double),
            _ => None,
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::UnsignedByte | Self::SignedByte => 1,
            Self::Short => 2,
            Self::Int | Self::Float => 4,
            Self::Double => 8,
        }
    }

    /// Number `index` of an array.
    fn number(self, array: &[u8], index: usize) -> f64 {
        fn big_endian<const B: usize>(array: &[u8], index: usize) -> [u8; B] {
            std::array::from_fn(|byte| array[index * B + byte])
        }
        match self {
            Self::UnsignedByte => f64::from(array[index]),
            Self::SignedByte => f64::from(array[index].cast_signed()),
            Self::Short => f64::from(i16::from_be_bytes(big_endian(array, index))),
            Self::Int => f64::from(i32::from_be_bytes(big_endian(array, index))),
            Self::Float => f64::from(f32::from_be_bytes(big_endian(array, index))),
            Self::Double => f64::from_be_bytes(big_endian(array, index)),
        }
    }
}

/// An array of numbers, row-major.
struct Array {
    kind: Kind,
    sizes: Vec<u32>,
    /// The numbers, as the file has them.
    bytes: Vec<u8>,
}

impl Array {
    fn len(&self) -> usize {
        self.bytes.len() / self.kind.bytes()
    }

    fn numbers(&self) -> impl Iterator<Item = f64> {
        (0..self.len()).map(|index| self.kind.number(&self.bytes, index))
    }

    fn malformed(&self, path: &Path, expected: &str) -> DataError {
        DataError::Malformed {
            path: path.to_path_buf(),
            at: "header".to_owned(),
            expected: expected.to_owned(),
            found: format!("sizes {:?}", self.sizes),
            hint: Box::default(),
        }
    }
}

/// One IDX file.
fn parse(source: &mut Source<'_>) -> Result<Array, DataError> {
    let path = source.path;
    let magic = source.read_up_to(4)?;
    let &[0, 0, code, rank] = magic.as_slice() else {
        return Err(DataError::WrongMagic {
            path: path.to_path_buf(),
            expected: "the bytes 0 0 type rank",
            found: format!("{magic:02x?}"),
        });
    };
    let kind = Kind::of(code).ok_or_else(|| DataError::UnsupportedType {
        path: path.to_path_buf(),
        found: format!("{code:#04x}"),
        supported: "0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E",
    })?;
    let announced = 4 * u64::from(rank);
    let header = source.read_up_to(announced)?;
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
    let length = sizes
        .iter()
        .try_fold(kind.bytes() as u64, |product, &size| product.checked_mul(u64::from(size)));
    let Some(length) = length.filter(|_| rank > 0) else {
        return Err(DataError::TooLarge { path: path.to_path_buf(), found: format!("{sizes:?}") });
    };
    let bytes = source.read_body(header_length, length)?;
    Ok(Array { kind, sizes, bytes })
}

/// Whether a file that begins so is one of this format.
pub(super) fn is_idx(start: &[u8]) -> bool {
    matches!(start, [0, 0, code, rank, ..] if *rank > 0 && Kind::of(*code).is_some())
}

/// Numbers per sample, and the numbers as they stand.
pub(super) fn numbers(source: &mut Source<'_>) -> Result<(usize, Vec<f64>), DataError> {
    let array = parse(source)?;
    let (count, samples) = (array.len(), array.sizes[0] as usize);
    if count == 0 {
        return Err(DataError::NoData { file: Some(source.path.to_path_buf()), what: "samples" });
    }
    let mut values = source.room(count)?;
    values.extend(array.numbers());
    Ok((count / samples, values))
}

/// Images and labels as one data set.
fn assemble(
    mut images: Source<'_>,
    mut labels: Source<'_>,
    options: IdxOptions,
) -> Result<Dataset, DataError> {
    let (images_path, labels_path) = (images.path, labels.path);
    let pixels = parse(&mut images)?;
    if pixels.sizes.len() < 2 {
        return Err(pixels.malformed(images_path, "two sizes or more, samples first"));
    }
    let classes = parse(&mut labels)?;
    if classes.sizes.len() != 1 {
        return Err(classes.malformed(labels_path, "one size, the number of labels"));
    }
    let samples = pixels.sizes[0] as usize;
    if pixels.len() == 0 {
        return Err(DataError::NoData { file: Some(images_path.to_path_buf()), what: "samples" });
    }
    if classes.len() != samples {
        return Err(DataError::WrongLength {
            what: "labels for the images",
            expected: samples,
            found: classes.len(),
        });
    }
    let any = if classes.kind == Kind::UnsignedByte {
        usize::from(u8::MAX) + 1
    } else {
        MAX_INFERRED_CLASSES
    };
    let bound = options.classes.unwrap_or(any);
    let checked = classes.numbers().enumerate().map(|(sample, label)| {
        whole(label, bound, || {
            let (file, row) = (Some(labels_path.to_path_buf()), Row::Sample(sample));
            (Place { file, row, column: "label".to_owned() }, label.to_string())
        })
    });
    labels.take::<u32>(classes.len())?;
    let targets = number_classes(options.classes, checked.collect::<Result<_, _>>()?);
    let divisor = if pixels.kind == Kind::UnsignedByte { options.scale.divisor() } else { 1.0 };
    let mut inputs = images.room(pixels.len())?;
    inputs.extend(pixels.numbers().map(|pixel| pixel / divisor));
    Dataset::new(pixels.len() / samples, inputs, targets)
        .map_err(|error| error.in_file(images_path))
}
