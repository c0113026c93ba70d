//! The numbers behind the header: read and turned into `f64` a part at a time, so that the bytes of a file are never in memory beside them.

use rayon::prelude::*;

use super::super::DataError;
use super::super::source::Source;
use super::kind::Kind;

/// Bytes of a part, which holds whole numbers of every type. The next one is read while one is turned into numbers.
const PART: usize = 1 << 20;
/// Samples that a task moves to their places: a few cache lines of every column.
const SAMPLES: usize = 64;

/// `count` numbers behind a header of `header` bytes, in the order in which they stand there; there is nothing behind them.
pub(super) fn numbers(
    source: &mut Source<'_>,
    header: u64,
    count: usize,
    kind: Kind,
) -> Result<Vec<f64>, DataError> {
    let length = (count as u64).saturating_mul(kind.bytes() as u64);
    let expected = header.saturating_add(length);
    let path = source.path.to_path_buf();
    let cut = |found| DataError::CutShort { path: path.clone(), expected, found };
    // Before a false header can ask for memory.
    match source.length {
        Some(found) if found < expected => return Err(cut(found)),
        Some(found) if found > expected => return Err(DataError::TrailingBytes { path, expected }),
        _ => {}
    }
    let mut values: Vec<f64> = if source.length.is_some() {
        source.room(count)?
    } else {
        source.take::<f64>(count)?;
        Vec::new()
    };
    let mut left = length;
    let mut next = |source: &mut Source<'_>| {
        let mut part = Vec::new();
        let wanted = usize::try_from(left).unwrap_or(PART).min(PART);
        source.fill(&mut part, wanted)?;
        left -= part.len() as u64;
        Ok::<_, DataError>((part.len() == wanted, part))
    };
    let too_large =
        |_| DataError::TooLarge { path: path.clone(), found: format!("{count} numbers") };
    let (mut whole, mut part) = next(source)?;
    // Within one task, so that no part waits for a thread to take it.
    rayon::scope(|_| {
        while whole && !part.is_empty() {
            values.try_reserve(part.len() / kind.bytes()).map_err(too_large)?;
            let (read, ()) = rayon::join(|| next(source), || kind.numbers(&part, &mut values));
            (whole, part) = read?;
        }
        Ok(())
    })?;
    if !whole {
        return Err(cut(header + (values.len() * kind.bytes() + part.len()) as u64));
    }
    // One byte more is enough to know.
    let mut more = Vec::new();
    if source.length.is_none() && !source.fill(&mut more, 1)? {
        return Err(DataError::TrailingBytes { path, expected });
    }
    Ok(values)
}

/// From Fortran's order to samples one after the other: entry e of sample j stands at `offsets[e]` + j.
pub(super) fn by_samples(
    values: &[f64],
    offsets: &[usize],
    source: &mut Source<'_>,
) -> Result<Vec<f64>, DataError> {
    let mut samples = source.room(values.len())?;
    samples.resize(values.len(), 0.0);
    let width = offsets.len();
    samples.par_chunks_mut(width * SAMPLES).enumerate().for_each(|(run, samples)| {
        for (entry, offset) in offsets.iter().enumerate() {
            let column = &values[offset + run * SAMPLES..];
            let places = samples.iter_mut().skip(entry).step_by(width);
            places.zip(column).for_each(|(place, value)| *place = *value);
        }
    });
    Ok(samples)
}
