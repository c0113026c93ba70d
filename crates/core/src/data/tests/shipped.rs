//! The data sets that ship in `data/`.

use super::super::{
    ColumnKind, Dataset, LibsvmOptions, Standardizer, Table, TableOptions, Targets,
};
use super::shipped_file;

#[test]
fn regression_tables_have_their_published_shapes() {
    for (name, features, samples) in [
        ("diabetes", 10, 442),
        ("concrete", 8, 1030),
        ("power_plant", 4, 9568),
        ("energy", 8, 768),
        ("yacht", 6, 308),
    ] {
        let data = Dataset::from_csv(shipped_file(&format!("{name}.csv")), "target").unwrap();
        assert_eq!(
            (data.features(), data.samples(), data.outputs()),
            (features, samples, 1),
            "{name}"
        );
    }
}

#[test]
fn classification_tables_have_their_published_counts() {
    for (name, features, counts) in [
        ("iris", 4, &[50, 50, 50][..]),
        ("wine", 13, &[59, 71, 48]),
        ("breast_cancer", 30, &[212, 357]),
        ("digits", 64, &[178, 182, 177, 183, 181, 182, 181, 179, 174, 180]),
    ] {
        let data =
            Dataset::from_csv_labels(shipped_file(&format!("{name}.csv")), "target").unwrap();
        assert_eq!((data.features(), class_counts(&data)), (features, counts.to_vec()), "{name}");
    }
    let heart = Dataset::from_libsvm(shipped_file("heart_scale.libsvm"), &LibsvmOptions::default())
        .unwrap();
    assert_eq!((heart.features(), class_counts(&heart)), (13, vec![150, 120]));
    assert_eq!(heart.class_names(), ["-1", "1"]);
    assert_eq!(heart.sample(0)[..2], [0.708333, 1.0]);
}

fn class_counts(data: &Dataset) -> Vec<usize> {
    let Targets::Labels { classes, labels } = data.targets() else { panic!("labels expected") };
    let mut counts = vec![0; *classes];
    for &label in labels {
        counts[label as usize] += 1;
    }
    counts
}

#[test]
fn means_and_deviations_equal_rational_arithmetic_to_the_last_bits() {
    // Of the columns as doubles, in rational arithmetic, rounded once.
    for (table, name, mean, deviation) in [
        ("concrete", "age", 45.662135922330094, 63.13923912883281),
        ("concrete", "cement", 281.1678640776699, 104.45562093052496),
        ("power_plant", "pressure", 1013.2590781772575, 5.93847335156375),
        ("diabetes", "s5", 4.641410859728507, 0.5217992869003063),
        ("diabetes", "bmi", 26.37579185520362, 4.413120855492464),
    ] {
        let data = Dataset::from_csv(shipped_file(&format!("{table}.csv")), "target").unwrap();
        let row = data.feature_names().iter().position(|known| known == name).unwrap();
        let scaling = Standardizer::fit_inputs(&data);
        let (found_mean, found_deviation) = (scaling.means()[row], scaling.deviations()[row]);
        assert!((found_mean - mean).abs() <= f64::EPSILON * mean, "{name}: {found_mean}");
        assert!(
            (found_deviation - deviation).abs() <= 2.0 * f64::EPSILON * deviation,
            "{name}: {found_deviation}"
        );
    }
}

#[test]
fn the_blank_pixels_of_digits_are_reported() {
    let digits = Dataset::from_csv_labels(shipped_file("digits.csv"), "target").unwrap();
    assert_eq!(Standardizer::fit_inputs(&digits).constant_names(), ["p0", "p32", "p39"]);
    let unit = digits.map_inputs(|pixel| pixel / 16.0).unwrap();
    assert!(unit.inputs().iter().all(|&pixel| (0.0..=1.0).contains(&pixel)));
}

#[test]
fn a_table_has_the_numbers_of_the_data_set() {
    let read = |name: &str| Table::read(shipped_file(name), &TableOptions::default()).unwrap();
    let inputs = |table: &Table, first: usize, last: usize| -> Vec<f64> {
        let row = |row: &[f64]| row[first..last].to_vec();
        table.cells.chunks(table.names().len()).flat_map(row).collect()
    };
    for name in [
        "diabetes",
        "concrete",
        "power_plant",
        "energy",
        "yacht",
        "iris",
        "wine",
        "breast_cancer",
        "digits",
    ] {
        let file = format!("{name}.csv");
        let (table, data) =
            (read(&file), Dataset::from_csv(shipped_file(&file), "target").unwrap());
        let columns = data.features();
        assert_eq!(inputs(&table, 0, columns), data.inputs(), "{name}");
        assert_eq!(
            inputs(&table, columns, columns + 1),
            data.targets().values().unwrap(),
            "{name}"
        );
        assert!(table.kinds().iter().all(|kind| *kind == ColumnKind::Number), "{name}");
        assert_eq!((table.notes(), &table.unnamed[..]), (&[][..], &[][..]), "{name}");
    }
    let heart = Dataset::from_libsvm(shipped_file("heart_scale.libsvm"), &LibsvmOptions::default());
    assert_eq!(inputs(&read("heart_scale.libsvm"), 1, 14), heart.unwrap().inputs());
}
