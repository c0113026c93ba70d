//! Options of `fit` do what they say: penalties and bounds by any method that takes them, gaps filled by training rows alone.

use crate::support::Folder;
use secant::Model;
use secant::data::{EncodedForm, Table, TableOptions};
use serde_json::Value;
use std::fmt::Write;

/// Two targets, of three features the last of which does nothing.
fn table(folder: &Folder) {
    let mut text = "a,b,c,y,z\n".to_owned();
    for i in 0..60 {
        let (a, b, c) = (f64::from(i % 7) - 3.0, f64::from(i * i % 11) / 2.0, f64::from(i * 7 % 5));
        let noise = f64::from(i * 13 % 17) / 17.0 - 0.5;
        let (y, z) = (3.0 * a - 2.0 * b + noise, 4.0 * b - a - noise);
        writeln!(text, "{a},{b},{c},{y},{z}").unwrap();
    }
    folder.write("two.csv", text);
}

/// θ of the model in `m.safetensors` in units of the features.
fn weights(folder: &Folder) -> Vec<f64> {
    let model = Model::load(folder.path("m.safetensors")).unwrap();
    let (c, scaling) = (model.graph().outputs(), model.input_scaling().unwrap());
    let weights = model.theta()[..3 * c].iter().enumerate();
    weights.map(|(at, w)| w / scaling.deviations()[at / c]).collect()
}

fn fit(folder: &Folder, more: &[&str]) -> Value {
    let fit = ["fit", "two.csv", "--valid", "0", "--json", "--out", "m.safetensors"];
    let ran = folder.run(&[&fit[..], more].concat());
    assert_eq!(ran.status, 0, "{ran:?}");
    ran.object()
}

#[test]
fn an_l1_penalty_goes_with_every_method_that_takes_one() {
    let folder = Folder::new();
    table(&folder);
    let base = ["--target", "y", "--features", "a,b,c", "--l1", "0.5", "--tolerance", "1e-10"];
    let chosen = fit(&folder, &base);
    for method in ["owl-qn", "proximal-newton"] {
        let one = fit(&folder, &[&base[..], &["--method", method]].concat());
        let (here, there) = (one["value"].as_f64().unwrap(), chosen["value"].as_f64().unwrap());
        assert!((here - there).abs() < 1e-9 * there, "{method}: {here} {there}");
        let weights = weights(&folder);
        assert_eq!(weights[2], 0.0, "{weights:?}");
        assert!(weights[0] > 2.0 && weights[1] < -1.0, "{weights:?}");
    }
    let command = ["fit", "two.csv", "--target", "y", "--l1", "1", "--method"];
    let ran = folder.run(&[&command[..], &["newton"]].concat());
    assert_eq!(ran.status, 2);
    assert!(ran.err.starts_with("error: no method with --l1 `newton`"), "{}", ran.err);
    assert!(ran.err.contains("one of auto, owl-qn, proximal-newton"), "{}", ran.err);
    let ran = folder.run(&["fit", "two.csv", "--target", "y", "--l1", "1", "--bounds", "a=0.."]);
    assert!(ran.status == 2 && ran.err.contains("no method takes both"), "{}", ran.err);
}

#[test]
fn bounds_hold_for_all_outputs_or_one() {
    let folder = Folder::new();
    table(&folder);
    let base = ["--target", "y,z", "--features", "a,b,c", "--tolerance", "1e-10"];
    fit(&folder, &base);
    let free = weights(&folder);
    // In the order a: y, z; b: y, z; c: y, z.
    assert!(free[0] > 2.0 && free[1] < -0.5 && free[2] < -1.0 && free[3] > 3.0, "{free:?}");
    let bounded = |bounds: &str, method: &[&str]| {
        fit(&folder, &[&base[..], &["--bounds", bounds], method].concat());
        weights(&folder)
    };
    let all = bounded("a=0..", &[]);
    assert!((all[0] - free[0]).abs() < 1e-6 && all[1] == 0.0, "{all:?}");
    for method in ["tron", "lbfgsb", "bounded-levenberg-marquardt"] {
        let one = bounded("z: a=-0.25..,y: b=-1..1e9", &["--method", method]);
        assert!((one[1] + 0.25).abs() < 1e-12 && (one[2] + 1.0).abs() < 1e-12, "{method} {one:?}");
        // What another output is bounded to moves nothing.
        assert!((one[3] - bounded("z: a=-0.25..", &[])[3]).abs() < 1e-6, "{method} {one:?}");
    }
    let wrong = |bounds| {
        let command = ["fit", "two.csv", "--target", "y,z", "--bounds", bounds];
        let ran = folder.run(&command);
        assert_eq!(ran.status, 2, "{ran:?}");
        ran.err
    };
    assert!(wrong("d=0..").contains("no feature `d`"));
    assert!(wrong("d=0..").contains("`y: a` bounds that of one output"));
    assert!(wrong("x: a=0..").contains("no feature `x: a`"));
    let ran =
        folder.run(&["fit", "two.csv", "--target", "y", "--model", "mlp:2", "--bounds", "a=0.."]);
    assert!(ran.status == 2 && ran.err.contains("--bounds: of parameters of a formula"), "{ran:?}");
}

#[test]
fn gaps_are_filled_without_a_look_at_the_rows_held_out() {
    let folder = Folder::new();
    let mut text = "x,y\n".to_owned();
    for i in 0..40 {
        let x = if i % 5 == 0 { String::new() } else { (i * i).to_string() };
        writeln!(text, "{x},{i}").unwrap();
    }
    folder.write("gaps40.csv", text);
    let options = ["fit", "gaps40.csv", "--target", "y", "--missing", "mean", "--seed", "3"];
    let fill = |more: &[&str]| {
        let ran = folder.run(&[&options[..], &["--out", "m.safetensors"], more].concat());
        assert_eq!(ran.status, 0, "{ran:?}");
        let model = Model::load(folder.path("m.safetensors")).unwrap();
        match model.encoding().features()[0].form {
            EncodedForm::Number { fill: Some(fill) } => fill,
            ref other => panic!("{other:?}"),
        }
    };
    // By hand: the same split of the same rows, which y counts.
    let table = Table::read(folder.path("gaps40.csv"), &TableOptions::default()).unwrap();
    let y: Vec<f64> = table.column(1).collect();
    let rows = secant::Dataset::from_slices(1, &y, 1, &y).unwrap();
    let mean = |ys: &[f64]| {
        let there: Vec<f64> = ys.iter().filter(|y| *y % 5.0 != 0.0).map(|y| y * y).collect();
        there.iter().sum::<f64>() / there.len() as f64
    };
    let close = |a: f64, b: f64| (a - b).abs() < 1e-9 * b;
    for (part, fraction) in [(&[][..], 0.8), (&["--valid", "0.5"], 0.5)] {
        let training = rows.split(fraction, 3).unwrap().0;
        let (found, expected) = (fill(part), mean(training.inputs()));
        assert!(close(found, expected) && !close(found, mean(&y)), "{found} {expected}");
    }
    assert!(close(fill(&["--valid", "0"]), mean(&y)));
}

#[test]
fn parameters_of_a_curve_are_held_tied_and_weighed_as_said() {
    let folder = Folder::new();
    let curve = |more: &[&str]| {
        let base = ["curve", "decay.csv", "--target", "y", "--formula", "a*exp(-b*t) + c"];
        let ran = folder.run(&[&base[..], &["--json"], more].concat());
        assert_eq!(ran.status, 0, "{ran:?}");
        ran.object()
    };
    let value = |fit: &Value, name: &str| {
        let all = fit["parameters"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap()["value"].as_f64().unwrap()
    };
    let error = |fit: &Value| fit["coefficients"][0]["standard_error"].as_f64().unwrap();
    assert_eq!(value(&curve(&["--fix", "c=0.25"]), "c"), 0.25);
    let tied = curve(&["--tie", "c=a/4"]);
    assert_eq!(value(&tied, "c"), value(&tied, "a") / 4.0);
    let bounded = curve(&["--bounds", "c=-1..0.5"]);
    assert_eq!(value(&bounded, "c"), 0.5);
    // With absolute deviations twice as large the errors are, and the estimates stay.
    let text = std::fs::read_to_string(folder.path("decay.csv")).unwrap();
    let with = |s: &str| -> String {
        let lines = text.lines().enumerate();
        let cells =
            lines.map(|(at, line)| [line, ",", if at == 0 { "s" } else { s }, "\n"].concat());
        cells.collect()
    };
    let mut errors = Vec::new();
    for s in ["0.5", "1"] {
        let text: String = with(s);
        folder.write("decay.csv", text);
        let fit = curve(&["--sigma", "s", "--absolute-sigma"]);
        errors.push((error(&fit), value(&fit, "a")));
    }
    assert!((errors[1].0 / errors[0].0 - 2.0).abs() < 1e-6, "{errors:?}");
    assert!((errors[1].1 / errors[0].1 - 1.0).abs() < 1e-8, "{errors:?}");
}

#[test]
fn offsets_are_added_in_the_fit_and_in_predictions() {
    let folder = Folder::new();
    let mut text = "x,o,y\n".to_owned();
    for i in 0..20 {
        let (x, o) = (f64::from(i % 6), f64::from(i * i % 7));
        writeln!(text, "{x},{o},{}", 2.0 * x + o - 1.0).unwrap();
    }
    folder.write("offset.csv", text);
    let command = ["fit", "offset.csv", "--target", "y", "--offset", "o", "--valid", "0", "--json"];
    let fit = folder.run(&[&command[..], &["--out", "m.safetensors"]].concat()).object();
    let slope = &fit["coefficients"][1];
    assert_eq!((&slope["name"], fit["coefficients"].as_array().unwrap().len()), (&"x".into(), 2));
    assert!((slope["value"].as_f64().unwrap() - 2.0).abs() < 1e-10, "{slope}");
    folder.write("new.csv", "o,x\n10,3\n");
    let ran = folder.run(&["predict", "m.safetensors", "new.csv", "--only"]);
    let found: f64 = ran.out.lines().nth(1).unwrap().parse().unwrap();
    assert!((found - 15.0).abs() < 1e-9, "{found}");
    folder.write("new.csv", "x\n3\n");
    let ran = folder.run(&["predict", "m.safetensors", "new.csv"]);
    assert!(ran.status == 2 && ran.err.contains("no column \"o\" for the offset"), "{ran:?}");
}

#[test]
fn the_best_of_several_starts_counts() {
    let folder = Folder::new();
    let value = |seed: &str, starts: &str| {
        let fit =
            ["fit", "data/yacht.csv", "--target", "target", "--valid", "0", "--model", "mlp:2"];
        let more = ["--seed", seed, "--starts", starts, "--max-iterations", "6", "--json"];
        folder.run(&[&fit[..], &more].concat()).object()["value"].as_f64().unwrap()
    };
    let alone = [value("4", "1"), value("5", "1"), value("6", "1")];
    let best = alone.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(alone[0] > best, "a case in which the first start is not the best: {alone:?}");
    assert_eq!(value("4", "3"), best);
}

#[test]
fn two_classes_have_one_score_and_separated_ones_are_told() {
    let folder = Folder::new();
    let mut rows = String::new();
    (0..40).for_each(|i| writeln!(rows, "{i},{}", if i < 20 { "no" } else { "yes" }).unwrap());
    folder.write("two_classes.csv", format!("x,k\n{rows}"));
    let fit = ["fit", "two_classes.csv", "--target", "k"];
    let object = folder.run(&[&fit[..], &["--json", "--ridge", "1e-2"]].concat()).object();
    assert_eq!(object["model"]["parameters"], 2);
    let softmax = ["--json", "--ridge", "1e-2", "--loss", "softmax"];
    assert_eq!(folder.run(&[&fit[..], &softmax].concat()).object()["model"]["parameters"], 4);
    let ran = folder.run(&fit);
    assert!(ran.out.contains("separated without an error"), "{}", ran.out);
    // Limits hold for each of the methods compared.
    let compare = ["compare", "data/diabetes.csv", "--target", "target", "--methods", "bfgs,lbfgs"];
    let object =
        folder.run(&[&compare[..], &["--max-iterations", "3", "--json"]].concat()).object();
    for row in object["methods"].as_array().unwrap() {
        assert_eq!(
            row["report"]["iterations"].as_u64().or(row["iterations"].as_u64()),
            Some(3),
            "{row}"
        );
    }
}
