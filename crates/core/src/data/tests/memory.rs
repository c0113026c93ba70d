//! Data sets from memory, their parts, and standardisation.

use faer::Mat;
use proptest::prelude::*;
use std::sync::Arc;

use super::super::{
    DataError, Dataset, Numbers, Place, SparseInputs, Standardizer, TargetTile, Targets,
};
use crate::random::Random;

fn numbered(samples: u32) -> Dataset {
    let inputs: Vec<f64> = (0..samples).flat_map(|j| [f64::from(j), -f64::from(j)]).collect();
    let targets: Vec<f64> = (0..samples).map(|j| f64::from(10 * j)).collect();
    Dataset::from_slices(2, &inputs, 1, &targets).unwrap()
}

#[test]
fn every_way_from_memory_gives_the_same_table() {
    let data =
        Dataset::from_slices(2, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 1, &[7.0, 8.0, 9.0]).unwrap();
    let inputs = Mat::from_fn(2, 3, |i, j| (2 * j + i + 1) as f64);
    let targets = Mat::from_fn(1, 3, |_, j| (7 + j) as f64);
    assert_eq!(Dataset::from_faer(inputs.as_ref(), targets.as_ref()).unwrap(), data);
    // A transposed view has other strides.
    let rows = Mat::from_fn(3, 2, |i, j| inputs[(j, i)]);
    assert_eq!(Dataset::from_faer(rows.transpose(), targets.as_ref()).unwrap(), data);
    assert_eq!(data.inputs_mat(), inputs);
    #[cfg(feature = "ndarray")]
    {
        let inputs = ndarray::array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
        let targets = ndarray::array![[7.0], [8.0], [9.0]];
        assert_eq!(Dataset::from_ndarray(inputs.view(), targets.view()).unwrap(), data);
        let reversed = ndarray::array![[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]];
        assert_eq!(Dataset::from_ndarray(reversed.t(), targets.view()).unwrap(), data);
        assert!(Dataset::from_ndarray(reversed.view(), targets.view()).is_err());
    }
    #[cfg(feature = "nalgebra")]
    {
        let inputs = nalgebra::DMatrix::from_column_slice(2, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let targets = nalgebra::DMatrix::from_column_slice(1, 3, &[7.0, 8.0, 9.0]);
        assert_eq!(Dataset::from_nalgebra(&inputs, &targets).unwrap(), data);
    }
}

#[test]
fn numbers_of_somebody_else_are_read_where_they_are() {
    let numbers: Arc<Vec<f64>> = Arc::new((0..12).map(f64::from).collect());
    let targets = Targets::Values { rows: 1, values: vec![1.0, 2.0, 3.0, 4.0] };
    let copied = Dataset::new(3, numbers.to_vec(), targets.clone()).unwrap();
    let shared = Dataset::from_shared(3, numbers.clone(), targets.clone()).unwrap();
    assert_eq!(shared, copied);
    // A long table that is standardised when it is read, too.
    let scaling = Standardizer::fit_inputs(&shared);
    let scaled = scaling.share_inputs_above(0, &shared).unwrap();
    for data in [&shared, &shared.clone(), &shared.with_targets(targets.clone()).unwrap(), &scaled]
    {
        let Numbers::Double(stored) = data.stored_inputs().0 else { panic!("f64") };
        assert_eq!(stored.as_ptr(), numbers.as_ptr());
    }
    assert_eq!(scaled, scaling.transform_inputs(&copied).unwrap());
    drop((shared, scaled));
    assert_eq!(Arc::strong_count(&numbers), 1);

    let error = Dataset::from_shared(5, numbers, targets.clone()).unwrap_err();
    assert_eq!(error.to_string(), "input values: expected 15, found 12");
    let error = Dataset::from_shared(2, Arc::new([0.0, f64::NAN].repeat(4)), targets).unwrap_err();
    let wanted = "sample 0 (from 0), column \"x2\": expected a finite number, found NaN";
    assert_eq!(error.to_string(), wanted);
}

/// A column that is constant but for a NaN, infinities, and sums that overflow: what the moments alone do not tell is looked for.
#[test]
fn moments_that_are_taken_at_once_are_those_of_the_table() {
    let mut random = Random::new(5);
    for (d, samples) in [(1, 3), (3, 5_000), (100, 3_000)] {
        let numbers: Vec<f64> = (0..d * samples).map(|_| random.normal() + 3.0).collect();
        let targets = Targets::Values { rows: 1, values: vec![0.0; samples] };
        let plain = Dataset::new(d, numbers.clone(), targets.clone()).unwrap();
        let taken = |numbers: &[f64]| {
            Dataset::from_shared_with_moments(d, Arc::new(numbers.to_vec()), targets.clone())
        };
        let known = taken(&numbers).unwrap();
        assert_eq!(known, plain);
        assert_eq!(known.feature_names(), plain.feature_names());
        assert!(known.table().moments().is_some());
        let both = [&known, &plain].map(|data| Standardizer::standardized(data, true).unwrap());
        assert_eq!(both[0], both[1]);
        // Those of samples with weights are others.
        let weights: Vec<f64> = (0..samples).map(|i| (i % 3) as f64).collect();
        let weighted = [known, plain].map(|data| data.with_weights(weights.clone()).unwrap());
        let [one, other] = weighted.map(|data| Standardizer::fit_inputs(&data));
        assert_eq!(one, other);

        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut numbers = vec![1.5; d * samples];
            numbers[d * (samples - 1)] = odd;
            let error = Dataset::new(d, numbers.clone(), targets.clone()).unwrap_err();
            assert_eq!(taken(&numbers).unwrap_err().to_string(), error.to_string());
        }
        let large = taken(&vec![1e308; d * samples]).unwrap();
        assert_eq!(Standardizer::fit_inputs(&large).means(), vec![1e308; d]);
    }
    let targets = Targets::Values { rows: 1, values: vec![1.0, 2.0] };
    for (d, numbers) in [(2, vec![1.0; 3]), (0, vec![1.0]), (1, Vec::new())] {
        let error = Dataset::new(d, numbers.clone(), targets.clone()).unwrap_err();
        let taken = Dataset::from_shared_with_moments(d, Arc::new(numbers), targets.clone());
        assert_eq!(taken.unwrap_err().to_string(), error.to_string());
    }
}

#[test]
fn entries_of_somebody_else_are_read_where_they_are() {
    let (indices, values) = (Arc::new(vec![0, 2, 1_u32]), Arc::new(vec![1.0, 2.0, 3.0]));
    let shared = |features: usize, indices: &Arc<Vec<u32>>, values: &Arc<Vec<f64>>| {
        SparseInputs::from_shared(features, vec![0, 2, 3], indices.clone(), values.clone())
    };
    let own = SparseInputs::new(3, vec![0, 2, 3], indices.to_vec(), values.to_vec()).unwrap();
    let inputs = shared(3, &indices, &values).unwrap();
    assert_eq!(inputs, own);
    let same = |found: &SparseInputs| found.values().as_ptr() == values.as_ptr();
    assert!(same(&inputs) && same(&inputs.clone()));
    assert_eq!(inputs.indices().as_ptr(), indices.as_ptr());
    let targets = Targets::Values { rows: 1, values: vec![1.0, 2.0] };
    let data = Dataset::from_sparse(inputs.clone(), targets.clone()).unwrap();
    let plain = Dataset::from_sparse(own, targets).unwrap();
    // What changes them changes a copy.
    let twice = |data: &Dataset| data.map_inputs(|x| 2.0 * x).unwrap();
    assert_eq!(twice(&data), twice(&plain));
    let scaled = |data: &Dataset| Standardizer::standardized(data, true).unwrap();
    assert_eq!(scaled(&data), scaled(&plain));
    assert_eq!(*values, [1.0, 2.0, 3.0]);
    // Out of order, and with a zero.
    let (backwards, zero) = (Arc::new(vec![2, 0, 1_u32]), Arc::new(vec![1.0, 2.0, 0.0]));
    let sorted = shared(3, &backwards, &zero).unwrap();
    assert_eq!((sorted.row(0), sorted.filled()), ((&[0, 2][..], &[2.0, 1.0][..]), 2));
    assert_eq!((&**backwards, &**zero), (&[2, 0, 1][..], &[1.0, 2.0, 0.0][..]));
    let error = shared(2, &indices, &values).unwrap_err().to_string();
    let wanted = SparseInputs::new(2, vec![0, 2, 3], indices.to_vec(), values.to_vec());
    assert_eq!(error, wanted.unwrap_err().to_string());
    drop((data, inputs));
    assert_eq!((Arc::strong_count(&indices), Arc::strong_count(&values)), (1, 1));
}

#[test]
fn singles_of_somebody_else_are_read_where_they_are() {
    let numbers: Arc<Vec<f32>> = Arc::new((0..12_u8).map(f32::from).collect());
    let targets = Targets::Values { rows: 1, values: vec![1.0, 2.0, 3.0, 4.0] };
    let wide = (0..12).map(f64::from).collect();
    let wide = Dataset::new(3, wide, targets.clone()).unwrap();
    let shared = Dataset::from_shared_f32(3, numbers.clone(), targets.clone()).unwrap();
    assert_eq!(shared.feature_names(), ["x1", "x2", "x3"]);
    let scaling = Standardizer::fit_inputs(&shared);
    let scaled = scaling.share_inputs_above(0, &shared).unwrap();
    for data in [&shared, &shared.clone(), &shared.with_targets(targets.clone()).unwrap(), &scaled]
    {
        let Numbers::Single(stored) = data.stored_inputs().0 else { panic!("f32") };
        assert_eq!(stored.as_ptr(), numbers.as_ptr());
    }
    assert_eq!(scaled, scaling.transform_inputs(&wide).unwrap());
    drop((shared, scaled));
    assert_eq!(Arc::strong_count(&numbers), 1);

    let error = Dataset::from_shared_f32(5, numbers, targets.clone()).unwrap_err();
    assert_eq!(error.to_string(), "input values: expected 15, found 12");
    let empty = Dataset::from_shared_f32(2, Arc::new(Vec::new()), targets.clone()).unwrap_err();
    assert_eq!(empty.to_string(), "no samples");
    // The first of several, beyond what one task looks at too.
    for (samples, odd) in [(4, 1), (400_000, 399_998)] {
        let mut numbers = vec![1.5_f32; 2 * samples];
        (numbers[2 * odd + 1], numbers[2 * odd + 2]) = (f32::NEG_INFINITY, f32::NAN);
        let targets = Targets::Values { rows: 1, values: vec![0.0; samples] };
        let error = Dataset::from_shared_f32(2, Arc::new(numbers), targets).unwrap_err();
        let wanted =
            format!("sample {odd} (from 0), column \"x2\": expected a finite number, found -inf");
        assert_eq!(error.to_string(), wanted);
    }
}

#[test]
fn bad_tables_are_refused_with_place_and_values() {
    let wrong = |result: Result<Dataset, DataError>, wanted: &str| {
        assert_eq!(result.unwrap_err().to_string(), wanted);
    };
    let new = Dataset::from_slices;
    wrong(new(0, &[], 1, &[]), "no features");
    wrong(new(2, &[], 1, &[]), "no samples");
    wrong(new(2, &[1.0, 2.0], 0, &[]), "no outputs");
    wrong(new(2, &[1.0, 2.0, 3.0], 1, &[1.0]), "input values: expected 4, found 3");
    wrong(new(1, &[1.0], 2, &[1.0, 2.0, 3.0]), "target values: expected 4, found 3");
    wrong(new(1, &[1.0, 2.0], 1, &[1.0]), "samples in the targets: expected 2, found 1");
    // Refused before a name is made for every column.
    let most = usize::MAX;
    wrong(new(most, &[1.0], 1, &[1.0]), &format!("input values: expected {most}, found 1"));
    wrong(new(1, &[1.0], most, &[1.0]), &format!("target values: expected {most}, found 1"));
    let place = "sample 1 (from 0), column";
    wrong(
        new(1, &[1.0, f64::NEG_INFINITY], 1, &[1.0, 2.0]),
        &format!("{place} \"x1\": expected a finite number, found -inf"),
    );
    wrong(
        new(1, &[1.0, 2.0], 1, &[1.0, f64::NAN]),
        &format!("{place} \"y\": expected a finite number, found NaN"),
    );
    let labels = Dataset::from_labels;
    wrong(
        labels(1, &[1.0, 2.0], 3, &[0, 3]),
        &format!("{place} \"y\": expected a class label from 0 to 2, found 3"),
    );
    wrong(labels(1, &[1.0], 0, &[0]), "no classes");
    let empty = Mat::<f64>::zeros(2, 0);
    wrong(Dataset::from_faer(empty.as_ref(), empty.as_ref()), "no samples");
}

#[test]
fn a_tile_is_a_run_of_columns() {
    let values = Targets::Values { rows: 2, values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] };
    assert_eq!((values.samples(), values.outputs()), (3, 2));
    assert_eq!(values.tile(1..3), TargetTile::Values { rows: 2, values: &[3.0, 4.0, 5.0, 6.0] });
    let labels = Targets::Labels { classes: 4, labels: vec![3, 0, 1] };
    assert_eq!((labels.samples(), labels.outputs()), (3, 4));
    assert_eq!(labels.tile(0..2), TargetTile::Labels { classes: 4, labels: &[3, 0] });
}

#[test]
fn names_travel_with_the_parts() {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let data = Dataset::from_labels(1, &[1.0, 2.0, 3.0], 2, &[0, 1, 1]).unwrap();
    let data = data.with_feature_names(names(&["height"])).unwrap();
    let data = data.with_class_names(names(&["no", "yes"])).unwrap();
    let part = data.select(&[2, 0, 2]).unwrap();
    assert_eq!(part.inputs(), [3.0, 1.0, 3.0]);
    assert_eq!(part.targets().labels(), Some(&[1, 0, 1][..]));
    assert_eq!(
        (part.feature_names(), part.class_names()),
        (data.feature_names(), data.class_names())
    );
    assert!(data.clone().with_target_names(names(&["a", "b"])).is_err());
    assert_eq!(data.select(&[3]).unwrap_err(), DataError::NoSuchSample { index: 3, samples: 3 });
    assert!(data.select(&[]).is_err() && data.first(0).is_err() && data.first(4).is_err());
    assert_eq!(data.first(2).unwrap().inputs(), [1.0, 2.0]);
}

/// The numbers that `numbered` gave the samples, sorted.
fn members(parts: &[&Dataset]) -> Vec<f64> {
    let mut all: Vec<f64> =
        parts.iter().flat_map(|part| part.inputs().iter().step_by(2).copied()).collect();
    all.sort_by(f64::total_cmp);
    all
}

#[test]
fn a_split_shares_out_all_samples_and_follows_its_seed() {
    let data = numbered(103);
    let (train, test) = data.split(0.8, 5).unwrap();
    assert_eq!((train.samples(), test.samples()), (82, 21));
    assert_eq!(members(&[&train, &test]), members(&[&data]));
    for sample in 0..82 {
        // Inputs and targets stay together.
        assert_eq!(train.targets().values().unwrap()[sample], 10.0 * train.sample(sample)[0]);
    }
    assert_eq!(data.split(0.8, 5).unwrap(), (train.clone(), test));
    assert_ne!(data.split(0.8, 6).unwrap().0, train);
    for fraction in [0.0, 1.0, -1.0, 0.001, 0.999, f64::NAN, f64::INFINITY] {
        assert!(
            matches!(data.split(fraction, 0), Err(DataError::EmptySplit { samples: 103, .. })),
            "{fraction}"
        );
    }
}

#[test]
fn every_sample_is_in_one_fold() {
    let data = numbered(11);
    let folds = data.k_folds(3, 1).unwrap();
    let tests: Vec<&Dataset> = folds.iter().map(|(_, test)| test).collect();
    assert_eq!(tests.iter().map(|test| test.samples()).collect::<Vec<_>>(), [4, 4, 3]);
    assert_eq!(members(&tests), members(&[&data]));
    for (rest, test) in &folds {
        assert_eq!(members(&[rest, test]), members(&[&data]));
    }
    assert_eq!(data.k_folds(12, 1).unwrap_err(), DataError::Folds { folds: 12, samples: 11 });
    assert!(data.k_folds(1, 1).is_err());
}

fn column(values: &[f64]) -> (f64, f64) {
    let data = Dataset::from_slices(1, values, 1, values).unwrap();
    let scaling = Standardizer::fit_inputs(&data);
    assert_eq!(Standardizer::fit_targets(&data).unwrap().means(), scaling.means());
    (scaling.means()[0], scaling.deviations()[0])
}

#[test]
fn moments_are_exact_where_they_can_be() {
    assert_eq!(column(&[1.0, 2.0, 3.0, 4.0, 5.0]), (3.0, 2.0_f64.sqrt()));
    // A large offset costs nothing: the deviation of 0, 1, 2, 3 about 1.5.
    assert_eq!(column(&[1e15, 1e15 + 1.0, 1e15 + 2.0, 1e15 + 3.0]), (1e15 + 1.5, 1.25_f64.sqrt()));
    assert_eq!(column(&[1e300, 3e300]), (2e300, 1e300));
    assert_eq!(column(&[1.7e308, -1.7e308]), (0.0, 1.7e308));
    let tiny = 2.0_f64.powi(-1000);
    assert_eq!(column(&[tiny, 3.0 * tiny]), (2.0 * tiny, tiny));
    assert_eq!(column(&[0.1, 0.1, 0.1]), (0.1, 0.0));
    assert_eq!(column(&[5e-324, 15e-324]), (10e-324, 5e-324));
    assert_eq!(column(&[7.0]), (7.0, 0.0));
}

#[test]
fn a_constant_column_goes_to_zero_is_reported_and_comes_back() {
    let data =
        Dataset::from_slices(2, &[0.1, 1.0, 0.1, 3.0, 0.1, 8.0], 1, &[1.0, 2.0, 3.0]).unwrap();
    let scaling = Standardizer::fit_inputs(&data);
    assert_eq!((scaling.constant(), scaling.constant_names()), (vec![0], vec!["x1"]));
    let standardised = scaling.transform_inputs(&data).unwrap();
    assert!(standardised.inputs().iter().step_by(2).all(|&z| z == 0.0));
    let mut back = standardised.inputs().to_vec();
    scaling.undo(&mut back).unwrap();
    for (x, again) in data.inputs().iter().zip(&back) {
        assert!((x - again).abs() <= 4.0 * f64::EPSILON * 8.0);
    }
    // Another value in the column that was constant in training carries no information either.
    let mut other = [0.7, 4.0];
    scaling.apply(&mut other).unwrap();
    assert_eq!(other, [0.0, 0.0]);
}

#[test]
fn a_scaling_of_the_wrong_shape_is_refused() {
    let scaling = Standardizer::fit_inputs(&numbered(4));
    assert!(matches!(
        scaling.clone().apply(&mut [1.0; 3]),
        Err(DataError::WrongLength { expected: 4, found: 3, .. })
    ));
    let narrow = Dataset::from_slices(1, &[1.0], 1, &[1.0]).unwrap();
    assert!(scaling.transform_inputs(&narrow).is_err());
    assert!(scaling.transform_targets(&narrow).is_err());
    let labelled = Dataset::from_labels(1, &[1.0], 2, &[1]).unwrap();
    assert!(matches!(
        Standardizer::fit_targets(&labelled),
        Err(DataError::LabelsNotValues { classes: 2, .. })
    ));
    let names = || vec!["a".to_owned()];
    assert!(Standardizer::new(names(), vec![0.0], vec![16.0]).is_ok());
    assert!(Standardizer::new(names(), vec![0.0, 1.0], vec![16.0]).is_err());
    assert!(Standardizer::new(names(), vec![f64::NAN], vec![16.0]).is_err());
    assert!(Standardizer::new(names(), vec![0.0], vec![-1.0]).is_err());
    assert!(Standardizer::new(Vec::new(), Vec::new(), Vec::new()).is_err());
}

#[test]
fn a_scaling_survives_serde_and_a_damaged_one_is_refused() {
    let data =
        Dataset::from_slices(2, &[0.1, 1.0, 0.3, 1.0, 0.7, 1.0], 1, &[1.0, 2.0, 3.0]).unwrap();
    let scaling = Standardizer::fit_inputs(&data);
    let text = serde_json::to_string(&scaling).unwrap();
    assert_eq!(serde_json::from_str::<Standardizer>(&text).unwrap(), scaling);
    let damaged = r#"{"names":["a"],"means":[1.0],"deviations":[]}"#;
    let error = serde_json::from_str::<Standardizer>(damaged).unwrap_err().to_string();
    assert!(error.contains("deviations: expected 1, found 0"), "{error}");
}

proptest! {
    #[test]
    fn standardised_columns_have_mean_0_and_deviation_1(
        values in proptest::collection::vec(-1e3..1e3_f64, 2..60),
        offset in -1e6..1e6_f64,
    ) {
        let values: Vec<f64> = values.iter().map(|value| value + offset).collect();
        let data = Dataset::from_slices(1, &values, 1, &values).unwrap();
        let scaling = Standardizer::fit_inputs(&data);
        prop_assume!(scaling.deviations()[0] > 1e-3);
        let z = scaling.transform_inputs(&data).unwrap();
        let n = values.len() as f64;
        let mean = z.inputs().iter().sum::<f64>() / n;
        let square = z.inputs().iter().map(|z| z * z).sum::<f64>() / n;
        // The rounding of a mean near `offset`, in units of the deviation.
        let floor = f64::EPSILON * (8.0 + offset.abs() / scaling.deviations()[0]);
        prop_assert!(mean.abs() <= floor, "{mean}");
        prop_assert!((square - 1.0).abs() <= 32.0 * f64::EPSILON + floor * floor, "{square}");
    }

    #[test]
    fn moments_scale_with_powers_of_two(values in proptest::collection::vec(-1.0..1.0_f64, 1..40), power in -900..900_i32) {
        let scale = 2.0_f64.powi(power);
        let scaled: Vec<f64> = values.iter().map(|value| value * scale).collect();
        let ((mean, deviation), (scaled_mean, scaled_deviation)) = (column(&values), column(&scaled));
        prop_assert_eq!((mean * scale, deviation * scale), (scaled_mean, scaled_deviation));
    }
}

/// Mean and deviation with twice the digits, a number after the other.
fn slow_moments(values: &[f64], weights: Option<&[f64]>) -> (f64, f64) {
    use crate::double_double::DoubleDouble as Dd;
    let weight = |i: usize| Dd::from(weights.map_or(1.0, |weights| weights[i]));
    let total = (0..values.len()).fold(Dd::ZERO, |sum, i| sum + weight(i));
    let sum = |term: &dyn Fn(Dd) -> Dd| {
        let terms = values.iter().enumerate().map(|(i, x)| weight(i) * term(Dd::from(*x)));
        terms.fold(Dd::ZERO, |sum, term| sum + term) / total
    };
    let mean = sum(&|x| x);
    let variance = sum(&|x| (x - mean) * (x - mean));
    (f64::from(mean), f64::from(variance.sqrt()))
}

#[test]
fn moments_of_long_tables_are_those_of_twice_the_digits_and_do_not_depend_on_threads() {
    let close = |found: f64, exact: f64| (found - exact).abs() <= f64::EPSILON * exact.abs();
    for (rows, samples) in [(1, 70_001), (3, 50_000), (7, 9_999), (100, 3_001), (20_000, 3)] {
        let mut random = crate::random::Random::new(5);
        let mut next = || random.uniform();
        // Rows of all sizes, some far from 0.
        let values: Vec<f64> = (0..samples * rows)
            .map(|i| (next() + (i % rows % 5) as f64 * 1e4) * 10_f64.powf((i % rows % 7) as f64))
            .collect();
        let drawn: Vec<f64> = (0..samples).map(|i| if i % 3 == 0 { 0.0 } else { next() }).collect();
        let targets = vec![0.0; samples];
        let plain = Dataset::from_slices(rows, &values, 1, &targets).unwrap();
        for weights in [None, Some(&drawn[..])] {
            let data = match weights {
                None => plain.clone(),
                Some(weights) => plain.clone().with_weights(weights.to_vec()).unwrap(),
            };
            let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
            let scaling = Standardizer::fit_inputs(&data);
            assert_eq!(alone.install(|| Standardizer::fit_inputs(&data)), scaling);
            for row in (0..rows).step_by(rows.div_ceil(11)) {
                let column: Vec<f64> = values.iter().skip(row).step_by(rows).copied().collect();
                let (mean, deviation) = slow_moments(&column, weights);
                let found = (scaling.means()[row], scaling.deviations()[row]);
                assert!(close(found.0, mean), "{rows} rows, {row}: {found:?}, {mean:e}");
                assert!(close(found.1, deviation), "{rows} rows, {row}: {found:?}, {deviation:e}");
            }
        }
    }
}

#[test]
fn the_first_odd_number_of_a_long_table_is_named() {
    let (rows, samples) = (3, 100_000);
    for odd in [vec![0], vec![299_999], vec![70_001, 70_000, 299_999], vec![65_536]] {
        let mut values = vec![1.0; rows * samples];
        for &at in &odd {
            values[at] = f64::INFINITY;
        }
        let first = odd.iter().min().unwrap();
        let error =
            Dataset::new(rows, values, Targets::Values { rows: 1, values: vec![0.0; samples] });
        let place = Place::sample(first / rows, format!("x{}", first % rows + 1));
        assert_eq!(error.unwrap_err(), DataError::NotFinite { place, found: "inf".into() });
    }
}
