//! The numbers behind the header: read and turned into `f64` or `f32` a part at a time, so that the bytes of a file are never in memory beside them.

use rayon::prelude::*;

use super::super::DataError;
use super::super::source::Source;
use super::kind::{Kept, Kind};

/// Bytes of a part, which holds whole numbers of every type. The next one is read while one is turned into numbers.
const PART: usize = 1 << 20;
/// Numbers that a task turns.
const NUMBERS: usize = 1 << 14;
/// Samples that a task moves to their places: a few cache lines of every column.
const SAMPLES: usize = 64;

/// `count` numbers behind a header of `header` bytes, in the order in which they stand there; there is nothing behind them.
pub(super) fn numbers<T: Kept>(
    source: &mut Source<'_>,
    header: u64,
    count: usize,
    kind: Kind,
) -> Result<Vec<T>, DataError> {
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
    let mut values = if source.length.is_some() {
        source.zeros(count)?
    } else {
        source.take::<T>(count)?;
        Vec::new()
    };
    let size = usize::try_from(length).unwrap_or(PART).min(PART);
    source.take::<[u8; 2]>(size)?;
    let (mut part, mut next) = (vec![0; size], vec![0; size]);
    let mut bytes = source.read_into(&mut part)?;
    let mut done = 0;
    // Within one task, so that no part waits for a thread to take it.
    rayon::scope(|_| {
        while bytes > 0 {
            let end = done + bytes / kind.bytes();
            if values.len() < end {
                let too_large = |_| DataError::TooLarge {
                    path: path.clone(),
                    found: format!("{count} numbers"),
                };
                values.try_reserve(end - values.len()).map_err(too_large)?;
                values.resize(end, T::default());
            }
            let wanted = (count - end).saturating_mul(kind.bytes()).min(size);
            let (read, ()) = rayon::join(
                || source.read_into(&mut next[..wanted]),
                || {
                    let to = values[done..end].par_chunks_mut(NUMBERS);
                    let from = part.par_chunks(NUMBERS * kind.bytes());
                    to.zip(from).for_each(|(to, from)| kind.numbers(from, to));
                },
            );
            done = end;
            if bytes < size {
                // The end, or a part of a number.
                break;
            }
            bytes = read?;
            std::mem::swap(&mut part, &mut next);
        }
        Ok::<_, DataError>(())
    })?;
    if done < count {
        return Err(cut(header + (done * kind.bytes() + bytes % kind.bytes()) as u64));
    }
    // One byte more is enough to know.
    let mut more = Vec::new();
    if source.length.is_none() && !source.fill(&mut more, 1)? {
        return Err(DataError::TrailingBytes { path, expected });
    }
    Ok(values)
}

/// From Fortran's order to samples one after the other: entry e of sample j stands at `offsets[e]` + j.
pub(super) fn by_samples<T: Kept>(
    values: &[T],
    offsets: &[usize],
    source: &mut Source<'_>,
) -> Result<Vec<T>, DataError> {
    let mut samples = source.zeros(values.len())?;
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
