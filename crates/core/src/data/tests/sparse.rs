//! Sparse inputs: what is refused, and every way to change them against the dense table.

use super::super::{DataError, Dataset, LibsvmOptions, SparseInputs, Standardizer, Targets, Task};
use crate::check::distance;
use crate::random::Random;
use proptest::prelude::*;

/// A dense table of which so many numbers are not 0, d × N.
fn table(d: usize, samples: usize, density: f64, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    let mut entry = |_| {
        let filled = random.uniform() < density;
        let number = random.normal() + 0.5;
        if filled { number } else { 0.0 }
    };
    (0..d * samples).map(&mut entry).collect()
}

fn sparse(d: usize, dense: &[f64]) -> SparseInputs {
    let (mut offsets, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    for sample in dense.chunks_exact(d) {
        for (feature, value) in sample.iter().enumerate().filter(|(_, value)| **value != 0.0) {
            indices.push(u32::try_from(feature).unwrap());
            values.push(*value);
        }
        offsets.push(indices.len());
    }
    SparseInputs::new(d, offsets, indices, values).unwrap()
}

/// The same data, dense and sparse.
fn both(d: usize, dense: &[f64]) -> (Dataset, Dataset) {
    let samples = dense.len() / d;
    let values: Vec<f64> = (0..samples).map(|i| i as f64).collect();
    let targets = Targets::Values { rows: 1, values };
    let data = Dataset::new(d, dense.to_vec(), targets.clone()).unwrap();
    (data, Dataset::from_sparse(sparse(d, dense), targets).unwrap())
}

fn message(result: Result<SparseInputs, DataError>) -> String {
    result.unwrap_err().to_string()
}

/// Where one sample ends and the next begins is no step within a sample, with samples between that have no entry.
#[test]
fn order_is_asked_of_each_sample_alone() {
    let rows: [&[u32]; 8] = [&[], &[2, 4], &[], &[4], &[0, 1, 3], &[], &[3, 1], &[]];
    for skipped in [6, 8] {
        let kept = rows.iter().enumerate().filter(|(sample, _)| *sample != skipped);
        let (mut offsets, mut indices) = (vec![0], Vec::new());
        for (_, row) in kept {
            indices.extend_from_slice(row);
            offsets.push(indices.len());
        }
        let values: Vec<f64> = (1..=indices.len()).map(|value| value as f64).collect();
        let inputs =
            SparseInputs::new(5, offsets.clone(), indices.clone(), values.clone()).unwrap();
        for sample in 0..inputs.samples() {
            let range = offsets[sample]..offsets[sample + 1];
            let entries = indices[range.clone()].iter().copied().zip(values[range].iter().copied());
            let mut entries: Vec<(u32, f64)> = entries.collect();
            entries.sort_by_key(|(feature, _)| *feature);
            let (features, numbers) = inputs.row(sample);
            let found: Vec<_> = features.iter().copied().zip(numbers.iter().copied()).collect();
            assert_eq!(found, entries, "{sample}");
        }
    }
}

#[test]
fn rows_are_sorted_and_zeros_are_left_out() {
    let inputs =
        SparseInputs::new(5, vec![0, 3, 3, 5], vec![4, 0, 2, 1, 3], vec![4.0, 1.0, 0.0, 2.0, -0.0])
            .unwrap();
    assert_eq!(inputs.offsets(), [0, 2, 2, 3]);
    assert_eq!(inputs.row(0), (&[0, 4][..], &[1.0, 4.0][..]));
    assert_eq!((inputs.row(1).0.len(), inputs.row(2)), (0, (&[1][..], &[2.0][..])));
    assert_eq!((inputs.filled(), inputs.density(), inputs.bytes()), (3, 0.2, 32 + 36));
    let dense = [1.0, 0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0];
    assert_eq!(inputs.to_dense().unwrap(), dense);
}

#[test]
fn bad_entries_are_refused_by_place() {
    let new = |d, offsets: &[usize], indices: &[u32], values: &[f64]| {
        message(SparseInputs::new(d, offsets.to_vec(), indices.to_vec(), values.to_vec()))
    };
    assert_eq!(new(0, &[0, 0], &[], &[]), "no features");
    assert_eq!(new(2, &[0], &[], &[]), "no samples");
    assert_eq!(new(2, &[], &[], &[]), "no samples");
    assert_eq!(new(2, &[1, 1], &[0], &[1.0]), "first of the offsets: expected 0, found 1");
    assert_eq!(
        new(2, &[0, 2, 1], &[0, 1], &[1.0, 1.0]),
        "offsets of sparse inputs: sample 1 (from 0) begins at entry 2 and ends at 1, expected offsets that do not decrease"
    );
    assert_eq!(new(2, &[0, 2], &[0], &[1.0]), "indices of the entries: expected 2, found 1");
    assert_eq!(new(2, &[0, 1], &[0], &[]), "values of the entries: expected 1, found 0");
    assert_eq!(
        new(3, &[0, 1, 3], &[0, 1, 3], &[1.0; 3]),
        "sample 1 (from 0), entry 1 (from 0): feature 3, expected one below 3"
    );
    assert_eq!(
        new(3, &[0, 0, 3], &[2, 0, 2], &[1.0; 3]),
        "sample 1 (from 0): feature 2 (from 0) has two entries; `SparseInputs::from_triples` adds them up"
    );
    assert_eq!(
        new(3, &[0, 0, 2], &[0, 2], &[1.0, f64::INFINITY]),
        "sample 1 (from 0), column \"x3\": expected a finite number, found inf"
    );
}

#[test]
fn triples_in_one_place_are_added_up() {
    let from = |rows: &[usize], columns: &[usize], values: &[f64]| {
        SparseInputs::from_triples(3, 2, rows, columns, values)
    };
    let inputs = from(&[1, 0, 1, 1, 0], &[2, 1, 0, 2, 1], &[1.0, 5.0, 3.0, 0.5, -5.0]).unwrap();
    assert_eq!(inputs.to_dense().unwrap(), [0.0, 0.0, 0.0, 3.0, 0.0, 1.5]);
    assert_eq!(inputs.filled(), 2);
    assert_eq!(message(from(&[0], &[0, 1], &[1.0])), "columns of the entries: expected 1, found 2");
    assert_eq!(message(from(&[2], &[0], &[1.0])), "sample 2 of a data set with 2 samples (from 0)");
    assert_eq!(
        message(from(&[0, 1], &[0, 3], &[1.0, 1.0])),
        "sample 1 (from 0), entry 1 (from 0): feature 3, expected one below 3"
    );
    let overflow = from(&[0, 0], &[1, 1], &[f64::MAX, f64::MAX]);
    assert_eq!(
        message(overflow),
        "sample 0 (from 0), column \"x2\": expected a finite number, found inf"
    );
}

#[test]
fn the_dense_table_has_a_limit() {
    let inputs = SparseInputs::new(1 << 20, vec![0; 1 << 12], vec![], vec![]).unwrap();
    let refused = "1048576 features × 4095 samples are 32.0 GiB, more than the limit of 2 GiB: this needs dense inputs, and these are sparse";
    assert_eq!(inputs.to_dense().unwrap_err().to_string(), refused);
    let targets = Targets::Labels { classes: 2, labels: vec![0; (1 << 12) - 1] };
    let data = Dataset::from_sparse(inputs, targets).unwrap();
    assert_eq!(data.dense_inputs().unwrap_err().to_string(), refused);
    let (dense, sparse) = both(3, &table(3, 5, 0.4, 1));
    assert_eq!(sparse.dense_inputs().unwrap(), dense.inputs());
    assert_eq!((sparse.inputs_mat(), sparse.sample(4)), (dense.inputs_mat(), dense.sample(4)));
    assert!(sparse.sparse().unwrap().to_dense_within(8 * 15 - 1).is_err());
}

#[test]
fn samples_are_chosen_as_from_the_table() {
    let (dense, sparse) = both(4, &table(4, 37, 0.3, 2));
    let weights: Vec<f64> = (0..37).map(|i| f64::from(i % 3)).collect();
    let with = |data: Dataset| {
        let data = data.with_weights(weights.clone()).unwrap();
        data.with_offset((0..37).map(f64::from).collect()).unwrap()
    };
    let (dense, sparse) = (with(dense), with(sparse));
    let same = |dense: &Dataset, sparse: &Dataset| {
        assert!(sparse.sparse().is_some());
        assert_eq!(sparse.inputs(), dense.inputs());
        assert_eq!((sparse.targets(), sparse.weights()), (dense.targets(), dense.weights()));
        assert_eq!((sparse.offset(), sparse.samples()), (dense.offset(), dense.samples()));
        assert_eq!(sparse.feature_names(), dense.feature_names());
    };
    same(&dense, &sparse);
    same(&dense.select(&[3, 3, 36, 1]).unwrap(), &sparse.select(&[3, 3, 36, 1]).unwrap());
    same(&dense.first(5).unwrap(), &sparse.first(5).unwrap());
    let (one, two) = (dense.split(0.6, 4).unwrap(), sparse.split(0.6, 4).unwrap());
    same(&one.0, &two.0);
    same(&one.1, &two.1);
    for (one, two) in dense.k_folds(5, 1).unwrap().iter().zip(sparse.k_folds(5, 1).unwrap()) {
        same(&one.0, &two.0);
        same(&one.1, &two.1);
    }
    assert_eq!(sparse.group_by("x2").unwrap(), dense.group_by("x2").unwrap());
    let squared = |data: &Dataset| data.map_inputs(|x| x * x).unwrap();
    same(&squared(&dense), &squared(&sparse));
    let scaled = |data: &Dataset| {
        let data = data.clone().with_offset(vec![]).unwrap_or_else(|_| data.clone());
        data.with_targets(Targets::Values { rows: 2, values: vec![1.0; 74] }).unwrap()
    };
    same(&scaled(&dense), &scaled(&sparse));
    assert_eq!(
        sparse.map_inputs(|x| x + 1.0).unwrap_err().to_string(),
        "the formula gives 1 for 0: sparse inputs would no longer be sparse; make them dense with `SparseInputs::to_dense` first"
    );
    let overflown = sparse.map_inputs(|x| x * 1e308 * 100.0).unwrap_err().to_string();
    assert!(overflown.ends_with("expected a finite number, found inf"), "{overflown}");
    let gone = sparse.map_inputs(|x| x * 1e-200 * 1e-200).unwrap();
    assert_eq!(gone.sparse().unwrap().filled(), 0);
}

#[test]
fn a_centre_is_taken_off_and_keeps_the_entries() {
    // A feature that is constant, one that is 0 everywhere, one of a single entry, and others.
    let d = 6;
    let mut dense = table(d, 50, 0.4, 3);
    for (i, sample) in dense.chunks_exact_mut(d).enumerate() {
        (sample[1], sample[2]) = (2.5, 0.0);
        sample[3] = if i == 7 { 1e6 } else { 0.0 };
        sample[4] += 300.0;
    }
    let (dense, sparse) = both(d, &dense);
    let weights: Vec<f64> = (0..50).map(|i| f64::from(i % 4)).collect();
    for weighted in [false, true] {
        let with = |data: &Dataset| {
            let data = data.clone();
            if weighted { data.with_weights(weights.clone()).unwrap() } else { data }
        };
        let (dense, sparse) = (with(&dense), with(&sparse));
        let (one, two) = (Standardizer::fit_inputs(&dense), Standardizer::fit_inputs(&sparse));
        assert!(distance(two.means(), one.means()) <= 1e-15);
        for (found, true_one) in two.deviations().iter().zip(one.deviations()) {
            assert!((found - true_one).abs() <= 1e-13 * true_one, "{found} {true_one}");
        }
        assert_eq!((two.names(), two.constant()), (one.names(), one.constant()));
        let scaled = two.transform_inputs(&sparse).unwrap();
        let kept = scaled.sparse().unwrap();
        assert!(kept.filled() < sparse.sparse().unwrap().filled() && kept.centre().is_some());
        let wanted = one.transform_inputs(&dense).unwrap();
        assert!(distance(scaled.inputs(), wanted.inputs()) <= 1e-14);
        // Once more: all is standardised already.
        let again = Standardizer::fit_inputs(&scaled);
        for (feature, (mean, deviation)) in again.means().iter().zip(again.deviations()).enumerate()
        {
            let constant = two.deviations()[feature] == 0.0;
            assert!(mean.abs() <= 1e-12, "{mean}");
            assert!((deviation - if constant { 0.0 } else { 1.0 }).abs() <= 1e-12);
        }
        let only = two.clone().scale_only();
        let scaled = only.transform_inputs(&sparse).unwrap();
        assert_eq!(scaled.sparse().unwrap().centre(), None);
        assert_eq!(scaled.inputs(), only.transform_inputs(&dense).unwrap().inputs());
        let targets = Standardizer::fit_targets(&sparse).unwrap();
        let scaled = targets.transform_targets(&scaled).unwrap();
        assert!(scaled.sparse().is_some());
        assert_eq!(scaled.targets(), targets.transform_targets(&dense).unwrap().targets());
        let centred = two.transform_inputs(&sparse).unwrap();
        assert_eq!(
            centred.map_inputs(|x| 2.0 * x).unwrap_err().to_string(),
            "the sparse inputs are standardised: apply the formula before"
        );
        // Parts of a centred set have its centre.
        let part = centred.select(&[4, 9]).unwrap();
        let wanted = wanted.select(&[4, 9]).unwrap();
        assert!(distance(part.inputs(), wanted.inputs()) <= 3e-13);
    }
}

#[test]
fn libsvm_text_stays_sparse() {
    let text = "+1 3:0.5 1:-2 # a comment\n\n-1 2:4\r\n1\n# nothing\n";
    let options = LibsvmOptions { sparse: true, ..LibsvmOptions::default() };
    let read = |options: &LibsvmOptions| Dataset::from_libsvm_bytes(text.as_bytes(), options);
    let (sparse, dense) = (read(&options).unwrap(), read(&LibsvmOptions::default()).unwrap());
    assert_eq!(sparse.sparse().unwrap().filled(), 3);
    assert_eq!((sparse.inputs(), sparse.targets()), (dense.inputs(), dense.targets()));
    assert_eq!(sparse.class_names(), dense.class_names());
    // The table of all zeros would be beyond the limit, the entries are not.
    let wide = LibsvmOptions {
        features: Some(1 << 30),
        task: Task::Values,
        max_bytes: 1 << 12,
        ..options
    };
    // Names of so many features are memory too: the reader counts entries, so it is asked for few features here.
    let wide = LibsvmOptions { features: Some(1 << 14), ..wide };
    assert_eq!(read(&wide).unwrap().features(), 1 << 14);
    let dense = LibsvmOptions { sparse: false, ..wide.clone() };
    assert!(read(&dense).unwrap_err().to_string().contains("more memory than the limit"));
    let none = LibsvmOptions { max_bytes: 100, ..wide };
    assert!(read(&none).unwrap_err().to_string().contains("more memory than the limit"));
}

proptest! {
    #[test]
    fn any_pattern_comes_back(d in 1_usize..9, samples in 1_usize..12, density in 0.0..1.0_f64, seed in 0_u64..1000) {
        let dense = table(d, samples, density, seed);
        let inputs = sparse(d, &dense);
        prop_assert_eq!(inputs.to_dense().unwrap(), dense.clone());
        // The same from triples in any order, cut in two.
        let mut entries: Vec<(usize, usize, f64)> = dense
            .iter()
            .enumerate()
            .filter(|(_, value)| **value != 0.0)
            .flat_map(|(at, value)| [(at / d, at % d, 0.5 * value); 2])
            .collect();
        Random::new(seed).shuffle(&mut entries);
        let rows: Vec<usize> = entries.iter().map(|entry| entry.0).collect();
        let columns: Vec<usize> = entries.iter().map(|entry| entry.1).collect();
        let values: Vec<f64> = entries.iter().map(|entry| entry.2).collect();
        let again = SparseInputs::from_triples(d, samples, &rows, &columns, &values).unwrap();
        prop_assert_eq!(&again, &inputs);
        let (one, two) = both(d, &dense);
        let (one, two) = (Standardizer::fit_inputs(&one), Standardizer::fit_inputs(&two));
        // Numbers may cancel in a mean: its digits are those of what is added up.
        let sizes = one.means().iter().zip(one.deviations()).map(|(mean, deviation)| mean.abs() + deviation);
        for ((a, b), size) in one.means().iter().zip(two.means()).zip(sizes) {
            prop_assert!((a - b).abs() <= 1e-14 * size, "{} {}", a, b);
        }
        prop_assert!(distance(two.deviations(), one.deviations()) <= 1e-13);
        prop_assert_eq!(one.constant(), two.constant());
    }
}
