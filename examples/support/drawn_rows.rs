//! Sparse rows that are drawn, with a score of each.

use secant::SparseInputs;
use secant::core::random::Random;
use std::error::Error;

/// `samples` rows of `entries` entries each, features of small index more often, as in text; and a hidden linear score of each row, with noise.
pub fn drawn(
    samples: usize,
    features: usize,
    entries: usize,
) -> Result<(SparseInputs, Vec<f64>), Box<dyn Error + Send + Sync>> {
    let mut random = Random::new(1);
    let hidden: Vec<f64> = (0..features).map(|_| random.normal()).collect();
    let entries = entries.min(features);
    let (mut offsets, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    let mut scores = Vec::with_capacity(samples);
    let mut row: Vec<usize> = Vec::with_capacity(entries);
    for _ in 0..samples {
        row.clear();
        while row.len() < entries {
            // The smaller of two.
            let feature = random.below(features).min(random.below(features));
            if !row.contains(&feature) {
                row.push(feature);
            }
        }
        row.sort_unstable();
        let mut score = 0.5 * random.normal();
        for &feature in &row {
            let value = random.uniform() + 0.5;
            score += value * hidden[feature] / (entries as f64).sqrt();
            indices.push(u32::try_from(feature)?);
            values.push(value);
        }
        scores.push(score);
        offsets.push(indices.len());
    }
    Ok((SparseInputs::new(features, offsets, indices, values)?, scores))
}
