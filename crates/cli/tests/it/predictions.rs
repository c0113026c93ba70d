//! What `predict` appends is what the library predicts.

use crate::support::Folder;
use secant::data::{Roles, Table, TableOptions};
use secant::{Dataset, Model};
use std::fmt::Write;

/// The last column of a table of text.
fn last_column(text: &str) -> Vec<f64> {
    let fields = text.lines().skip(1).map(|line| line.rsplit(',').next().unwrap());
    fields.map(|field| field.parse().unwrap()).collect()
}

#[test]
fn the_table_comes_back_with_the_predictions_of_the_library() {
    let folder = Folder::new();
    let fit = [
        "fit",
        "data/concrete.csv",
        "--target",
        "target",
        "--model",
        "mlp:4",
        "--max-iterations",
        "20",
        "--out",
        "m.safetensors",
    ];
    folder.run(&fit);
    let model = Model::load(folder.path("m.safetensors")).unwrap();
    let data = Dataset::from_csv(folder.path("data/concrete.csv"), "target").unwrap();
    let expected = model.predict(data.inputs()).unwrap();
    let ran = folder.run(&["predict", "m.safetensors", "data/concrete.csv"]);
    assert_eq!(last_column(&ran.out), expected);
    let original = std::fs::read_to_string(folder.path("data/concrete.csv")).unwrap();
    for (line, before) in ran.out.lines().zip(original.lines()) {
        assert!(line.starts_with(&format!("{before},")), "{line}");
    }
    // By name: other columns, another order, another delimiter.
    let turned: String = original
        .lines()
        .map(|line| line.split(',').rev().chain(["x"]).collect::<Vec<_>>().join(";") + "\n")
        .collect();
    folder.write("turned.csv", turned);
    let ran = folder.run(&["predict", "m.safetensors", "turned.csv", "--only"]);
    assert_eq!(last_column(&ran.out), expected);
    let ran = folder.run(&["predict", "m.safetensors", "data/concrete.csv", "--out", "p.csv"]);
    assert_eq!(ran.status, 0);
    assert_eq!(last_column(&std::fs::read_to_string(folder.path("p.csv")).unwrap()), expected);
}

#[test]
fn texts_keep_their_levels_and_strange_ones_are_refused() {
    let folder = Folder::new();
    let fit = [
        "fit",
        "gaps.csv",
        "--target",
        "y",
        "--missing",
        "mean",
        "--valid",
        "0",
        "--out",
        "m.safetensors",
    ];
    let ran = folder.run(&fit);
    assert_eq!(ran.status, 0, "{ran:?}");
    folder.write("new.csv", "kind,x\nred,3\nblue,3\n,3\nred,\n");
    let ran = folder.run(&["predict", "m.safetensors", "new.csv"]);
    let table = Table::read(folder.path("gaps.csv"), &TableOptions::default()).unwrap();
    let roles = Roles {
        targets: vec!["y".into()],
        missing: secant::data::Missing::Mean,
        ..Roles::default()
    };
    let data = table.into_dataset(&roles).unwrap().data;
    let model = Model::load(folder.path("m.safetensors")).unwrap();
    // `red` is the most frequent text, and the mean of the x that are there is 75/11.
    let inputs = [3.0, 1.0, 3.0, 0.0, 3.0, 1.0, 75.0 / 11.0, 1.0];
    let found = last_column(&ran.out);
    for (found, expected) in found.iter().zip(model.predict(&inputs).unwrap()) {
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
    assert_eq!(data.feature_names(), ["x", "kind=red"]);
    folder.write("strange.csv", "kind,x\nred,3\ngreen,3\n");
    let ran = folder.run(&["predict", "m.safetensors", "strange.csv"]);
    assert_eq!(ran.status, 2);
    let words = "error: strange.csv: line 3, column \"kind\": \"green\" was not there when the model was fitted";
    assert!(ran.err.starts_with(words), "{}", ran.err);
}

#[test]
fn rows_that_cannot_be_predicted_stay_with_empty_fields() {
    let folder = Folder::new();
    folder.run(&[
        "fit",
        "gaps.csv",
        "--target",
        "y",
        "--missing",
        "drop",
        "--valid",
        "0",
        "--out",
        "m.safetensors",
    ]);
    folder.write("new.csv", "kind,x\nred,3\nred,NA\nblue,4\n");
    let ran = folder.run(&["predict", "m.safetensors", "new.csv"]);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!((lines.len(), lines[0], lines[2]), (4, "kind,x,y_predicted", "red,NA,"));
    let ran = folder.run(&["predict", "m.safetensors", "new.csv", "--json"]);
    assert!(ran.object()["predictions"][1].is_null());
}

#[test]
fn classes_have_probabilities_and_regressions_intervals() {
    let folder = Folder::new();
    let fit = [
        "fit",
        "data/iris.csv",
        "--target",
        "target",
        "--classes",
        "--ridge",
        "1e-2",
        "--out",
        "iris.safetensors",
    ];
    assert_eq!(folder.run(&fit).status, 0);
    let ran = folder.run(&["predict", "iris.safetensors", "data/iris.csv", "--only"]);
    let mut lines = ran.out.lines();
    assert_eq!(lines.next(), Some("target_predicted,p_0,p_1,p_2"));
    for line in lines {
        let fields: Vec<f64> = line.split(',').map(|field| field.parse().unwrap()).collect();
        let best = (1..4).max_by(|a, b| fields[*a].total_cmp(&fields[*b])).unwrap();
        assert_eq!(fields[0], (best - 1) as f64, "{line}");
        assert!((fields[1] + fields[2] + fields[3] - 1.0).abs() < 1e-14, "{line}");
    }
    let fit = [
        "fit",
        "data/diabetes.csv",
        "--target",
        "target",
        "--valid",
        "0",
        "--out",
        "d.safetensors",
    ];
    assert_eq!(folder.run(&fit).status, 0);
    let predict = ["predict", "d.safetensors", "data/diabetes.csv", "--only", "--interval", "0.9"];
    let ran = folder.run(&predict);
    // By the table of the fit, as by what its file keeps.
    let by_table = folder.run(&[&predict[..], &["--training", "data/diabetes.csv"]].concat());
    let numbers =
        |line: &str| -> Vec<f64> { line.split(',').map(|field| field.parse().unwrap()).collect() };
    assert_eq!(ran.out.lines().count(), by_table.out.lines().count());
    for (kept, found) in ran.out.lines().zip(by_table.out.lines()).skip(1) {
        for (kept, found) in numbers(kept).iter().zip(numbers(found)) {
            assert!((kept - found).abs() < 1e-9 * found.abs(), "{kept} {found}");
        }
    }
    let data = Dataset::from_csv(folder.path("data/diabetes.csv"), "target").unwrap();
    let y = data.targets().values().unwrap();
    let within = ran.out.lines().skip(1).zip(y).filter(|(line, y)| {
        let fields: Vec<f64> = line.split(',').map(|field| field.parse().unwrap()).collect();
        fields[1] <= **y && **y <= fields[2]
    });
    let share = within.count() as f64 / y.len() as f64;
    assert!((0.86..0.94).contains(&share), "{share}");
}

#[test]
fn intervals_come_from_the_file_where_it_keeps_them() {
    let folder = Folder::new();
    let predict = ["predict", "m.safetensors", "decay.csv", "--only", "--interval", "0.8"];
    let curve = ["curve", "decay.csv", "--target", "y", "--formula", "a*exp(-b*t) + c"];
    let keep = ["--out", "m.safetensors"];
    assert_eq!(folder.run(&[&curve[..], &keep].concat()).status, 0);
    let ran = folder.run(&predict);
    assert_eq!(ran.out.lines().next(), Some("y_predicted,y_low,y_high"), "{ran:?}");
    // Of a fit with bounds, and of a large network, nothing is kept: said, with what would do.
    assert_eq!(folder.run(&[&curve[..], &keep, &["--bounds", "b=0.."]].concat()).status, 0);
    let ran = folder.run(&predict);
    assert!(ran.status == 2 && ran.err.contains("keeps no errors"), "{ran:?}");
    assert!(ran.err.contains("`--training FILE`"), "{ran:?}");
    let ran = folder.run(&[&predict[..], &["--training", "decay.csv"]].concat());
    assert_eq!(ran.status, 0, "{ran:?}");
    let fit = ["fit", "data/diabetes.csv", "--target", "target", "--max-iterations", "3"];
    let large = ["--model", "mlp:30", "--quiet"];
    assert_eq!(folder.run(&[&fit[..], &large, &keep].concat()).status, 3);
    let ran = folder.run(&["predict", "m.safetensors", "data/diabetes.csv", "--interval", "0.8"]);
    assert!(ran.status == 2 && ran.err.contains("keeps no errors"), "{ran:?}");
}

#[test]
fn generalised_linear_models_predict_means_with_exposures() {
    let folder = Folder::new();
    let rows = [
        (32, 52407, 1, 0),
        (104, 43248, 1, 1),
        (206, 28612, 1, 2),
        (186, 12663, 1, 3),
        (102, 5317, 1, 4),
        (2, 18790, 0, 0),
        (12, 10673, 0, 1),
        (28, 5710, 0, 2),
        (28, 2585, 0, 3),
        (31, 1462, 0, 4),
    ];
    let mut text = "deaths,years,smokes,age,age2\n".to_owned();
    for (deaths, years, smokes, age) in rows {
        writeln!(text, "{deaths},{years},{smokes},{age},{}", age * age).unwrap();
    }
    folder.write("deaths.csv", text);
    let fit = [
        "fit",
        "deaths.csv",
        "--target",
        "deaths",
        "--model",
        "glm:poisson",
        "--exposure",
        "years",
        "--out",
        "g.safetensors",
        "--json",
    ];
    let object = folder.run(&fit).object();
    let smokes = object["coefficients"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "smokes")
        .unwrap();
    // Breslow & Day (1987), as statsmodels has it.
    assert!((smokes["value"].as_f64().unwrap() - 0.3545).abs() < 1e-3, "{smokes}");
    let ran = folder.run(&["predict", "g.safetensors", "deaths.csv", "--exposure", "years"]);
    let found = last_column(&ran.out);
    // With an intercept the means sum up to the counts.
    assert!((found.iter().sum::<f64>() - 731.0).abs() < 1e-6, "{found:?}");
}
