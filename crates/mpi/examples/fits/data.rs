//! The samples, whichever of them are asked for.

use crate::Failure;
use secant_core::data::Dataset;
use secant_core::random::{Random, hashed};
use secant_mpi::Ranks;
use std::ops::Range;

/// Samples: four blocks, and not a multiple of anything.
pub const SAMPLES: usize = 9_001;

/// Rank r has r + 1 shares of the samples, but for the last of several, which has none: what the blocks are like is another matter.
pub fn own_rows(
    ranks: &Ranks,
    data: fn(Range<usize>) -> Result<Dataset, Failure>,
) -> Result<Option<Dataset>, Failure> {
    let (rank, size) = (ranks.rank(), ranks.size());
    let with_rows = if size > 1 { size - 1 } else { 1 };
    let shares = |ranks: usize| ranks * (ranks + 1) / 2;
    let end = |rank: usize| SAMPLES * shares(rank.min(with_rows)) / shares(with_rows);
    let own = end(rank)..end(rank + 1);
    if own.is_empty() { Ok(None) } else { data(own).map(Some) }
}

/// d numbers for each of the samples.
fn numbers(samples: Range<usize>, d: usize, seed: u64) -> Vec<f64> {
    let each = samples.flat_map(|sample| {
        let mut random = Random::new(hashed(seed, sample as u64));
        (0..d).map(move |_| random.normal())
    });
    each.collect()
}

pub fn curve_data(samples: Range<usize>) -> Result<Dataset, Failure> {
    let x = numbers(samples.clone(), 4, 1);
    let noise = numbers(samples, 2, 2);
    let y = x.chunks_exact(4).zip(noise.chunks_exact(2)).flat_map(|(x, noise)| {
        let (sum, product) = (x[0] + 0.5 * x[1], x[2] * x[3]);
        [sum.abs().sqrt() + 0.1 * noise[0], product + 0.1 * noise[1]]
    });
    Ok(Dataset::from_slices(4, &x, 2, &y.collect::<Vec<f64>>())?)
}

pub fn class_data(samples: Range<usize>) -> Result<Dataset, Failure> {
    let x = numbers(samples.clone(), 15, 3);
    let noise = numbers(samples.clone(), 3, 4);
    let labels = x.chunks_exact(15).zip(noise.chunks_exact(3)).map(|(x, noise)| {
        let scores: Vec<f64> = (0..3).map(|k| x[k] - 0.5 * x[k + 3] + noise[k]).collect();
        (0..3_u32).max_by(|a, b| scores[*a as usize].total_cmp(&scores[*b as usize])).unwrap_or(0)
    });
    let labels: Vec<u32> = labels.collect();
    let data = Dataset::from_labels(15, &x, 3, &labels)?;
    Ok(data.with_weights(samples.map(|sample| [0.0, 1.0, 2.5][sample % 3]).collect())?)
}

/// As NumPy writes an array of `width` columns.
pub fn write_npy(path: &str, width: usize, values: &[f64]) -> Result<(), Failure> {
    let rows = values.len() / width;
    let header =
        format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({rows}, {width}), }}");
    // With its line end the header ends at a multiple of 64 bytes.
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(length)?.to_le_bytes());
    bytes.extend(format!("{header:<0$}\n", length - 1).bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    Ok(std::fs::write(path, bytes)?)
}
