//! What people do by chance: files that cannot be written, readers that go, odd names, tables of a few rows.

use crate::support::{Folder, Ran};

const CONCRETE: [&str; 4] = ["fit", "data/concrete.csv", "--target", "target"];

fn refused(ran: &Ran, words: &str, advice: &str) {
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.err.starts_with(&format!("error: {words}")), "{}", ran.err);
    assert!(ran.err.contains(advice), "{}", ran.err);
}

#[test]
fn a_reader_that_goes_loses_no_file() {
    let folder = Folder::new();
    let fit = "secant fit data/concrete.csv --target target --out m.safetensors --report r.html";
    let ran = folder.shell(&format!("{fit} | head -1"));
    assert_eq!((ran.status, ran.out.as_str()), (0, "Data\n"), "{ran:?}");
    assert!(folder.path("m.safetensors").exists() && folder.path("r.html").exists());
    // Nor does one of standard error: a refusal is still the status.
    let ran = folder.shell("(secant fit nothing.csv --target y; echo $? >status) 2>&1 | true");
    assert_eq!(ran.status, 0);
    assert_eq!(std::fs::read_to_string(folder.path("status")).unwrap(), "2\n");
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_a_status_and_loses_nothing_else() {
    let folder = Folder::new();
    let fit = "secant fit data/concrete.csv --target target --quiet --json";
    let ran = folder.shell(&format!("{fit} --out m.safetensors >/dev/full"));
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.err.starts_with("error: standard output: No space left on device"), "{}", ran.err);
    assert!(folder.path("m.safetensors").exists());
    // Neither root nor anyone else may make a file there: told before the fit.
    for option in ["--out", "--report", "--checkpoint"] {
        let ran = folder.run(&[&CONCRETE[..], &[option, "/proc/m"]].concat());
        refused(&ran, "/proc/m: cannot create a file beside it: ", "");
        assert!(ran.out.is_empty(), "{}", ran.out);
    }
}

#[test]
fn names_that_mean_something_else_can_be_said() {
    let folder = Folder::new();
    folder.write("blank.csv", "time (s),y\n0,4.0\n1,2.6\n2,1.9\n3,1.4\n4,1.2\n5,1.05\n");
    let curve = ["curve", "blank.csv", "--target", "y", "--json", "--formula"];
    let fit = folder.run(&[&curve[..], &["a*exp(-b*`time (s)`) + c"]].concat()).object();
    assert_eq!(fit["converged"], true);
    // The same under a plain name.
    let text = std::fs::read_to_string(folder.path("blank.csv")).unwrap();
    folder.write("plain.csv", text.replace("time (s)", "t"));
    let curve = ["curve", "plain.csv", "--target", "y", "--json", "--formula"];
    let plain = folder.run(&[&curve[..], &["a*exp(-b*t) + c"]].concat()).object();
    assert_eq!(fit["coefficients"], plain["coefficients"]);
    let ran = folder.run(&["curve", "blank.csv", "--target", "y", "--formula", "a*exp(-b*t)"]);
    refused(&ran, "blank.csv: the formula names no column", "between backquotes: `time (s)`");

    folder.write("years.csv", "1990,1991,1992\n1,2,3.5\n2,3,5\n3,5,8.5\n4,4,8\n");
    let ran = folder.run(&["fit", "years.csv", "--target", "1992"]);
    refused(&ran, "years.csv: no column \"1992\"", "`--header` takes it for names");
    let object = folder.run(&["fit", "years.csv", "--target", "1992", "--header", "--json"]);
    assert_eq!(object.object()["data"]["features"], serde_json::json!(["1990", "1991"]));
}

#[test]
fn odd_values_are_refused_where_they_stand() {
    let folder = Folder::new();
    folder.write("weights.csv", "x,y,w\n1,2,1\n2,3,1\n3,4.5,-2\n4,5,1\n");
    let ran = folder.run(&["fit", "weights.csv", "--target", "y", "--weights", "w"]);
    refused(
        &ran,
        "weights.csv: line 4, column \"w\": expected a weight of 0 or more, found -2",
        "",
    );
    folder.write("zero.csv", "x,y,w\n1,2,0\n2,3,0\n3,4.5,0\n");
    for model in ["linear", "glm:poisson"] {
        let fit = ["fit", "zero.csv", "--target", "y", "--weights", "w", "--model", model];
        refused(&folder.run(&fit), "zero.csv: the weights of 3 samples sum to 0", "");
    }
    folder.write("four.csv", "x,y\n1,2\n2,3\n3,4.5\n4,5.5\n");
    let valid = |part| folder.run(&["fit", "four.csv", "--target", "y", "--valid", part]);
    refused(&valid("0.99"), "--valid 0.99: no row of 4 would be left on one side", "`--valid 0`");
    refused(&valid("1.5"), "--valid 1.5: expected a part of the rows between 0 and 1", "");
    refused(&valid("-1"), "--valid -1: expected a part of the rows between 0 and 1", "");
    refused(&valid("no.csv"), "no.csv: ", "");
    // A text of any length is not proposed as a word for a gap.
    let long = "z".repeat(3000);
    folder.write("long.csv", format!("x,y\n1,2\n2,3\n{long},4\n"));
    let ran = folder.run(&["fit", "long.csv", "--target", "y"]);
    refused(&ran, "long.csv: column \"x\" has 2 numbers and 1 text: line 4", "`--categorical x`");
    assert!(ran.err.len() < 500, "{}", ran.err);
    // Numbers for gaps, as the guide has them.
    folder.write("gap.csv", "x,y\n1,2\n-99,3\n3,4\n4,5.5\n");
    let ran = folder.run(&["fit", "gap.csv", "--target", "y", "--missing-value", "-99"]);
    refused(&ran, "gap.csv: 1 missing value in 1 row (\"x\" 1): line 3", "`--missing drop`");
}

#[test]
fn tables_of_a_row_or_a_constant_target_are_fitted_and_said() {
    let folder = Folder::new();
    folder.write("row.csv", "x,y\n1,2\n");
    let fit = folder.run(&["fit", "row.csv", "--target", "y", "--json"]).object();
    assert_eq!((&fit["converged"], &fit["held_out"]), (&true.into(), &serde_json::Value::Null));
    folder.write("constant.csv", format!("x,y\n{}", "1,7\n2,7\n3,7\n".repeat(10)));
    let ran = folder.run(&["fit", "constant.csv", "--target", "y"]);
    assert!(ran.out.contains("The target is 7 in all rows"), "{}", ran.out);
    assert!(!ran.out.contains("--classes"), "{}", ran.out);
    // The first line names the columns, the classes are one.
    let ran = folder.run(&["fit", "constant.csv", "--target", "y", "--classes"]);
    refused(&ran, "constant.csv: the target \"y\" has one class only, \"7\"", "");
}

#[test]
fn predictions_meet_any_table() {
    let folder = Folder::new();
    let fit = ["fit", "gaps.csv", "--target", "y", "--missing", "drop", "--valid", "0"];
    assert_eq!(folder.run(&[&fit[..], &["--out", "m.safetensors"]].concat()).status, 0);
    let predict = |text: &str| {
        folder.write("new.csv", text);
        folder.run(&["predict", "m.safetensors", "new.csv", "--only"])
    };
    let plain = predict("x,kind\n3,red\n4,blue\n");
    assert_eq!(plain.status, 0, "{plain:?}");
    let other = predict("more,kind,y,x\n1,red,0,3\n2,blue,0,4\n");
    assert_eq!((other.status, other.out), (0, plain.out));
    refused(&predict("kind\nred\n"), "new.csv: no column \"x\" for the feature", "");
    let strange = "new.csv: the feature \"x\" needs numbers, found \"three\" (line 3)";
    refused(&predict("x,kind\n,red\nthree,red\n"), strange, "");
    std::fs::create_dir(folder.path("folder")).unwrap();
    let ran = folder.run(&["predict", "folder", "new.csv"]);
    refused(&ran, "folder: cannot be read: is a directory", "");
    let ran = folder.run(&["predict", "new.csv", "new.csv"]);
    refused(&ran, "new.csv: it is no model file of secant", "");
}
