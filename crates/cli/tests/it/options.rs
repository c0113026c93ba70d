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
        let (y, z) = (3.0 * a - 2.0 * b + noise, -1.0 * a + 4.0 * b - noise);
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
