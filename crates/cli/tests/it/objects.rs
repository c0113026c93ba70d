//! What `--json` prints, against its schema.

use crate::support::{Folder, root};
use serde_json::{Value, json};

fn schema() -> jsonschema::Validator {
    let text = std::fs::read_to_string(root().join("crates/cli/schema/output.json")).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

fn checked(schema: &jsonschema::Validator, folder: &Folder, arguments: &[&str]) -> Value {
    let ran = folder.run(&[arguments, &["--json"]].concat());
    let object = ran.object();
    assert_eq!(ran.out.lines().count(), 1, "one object, and nothing else");
    let errors: Vec<String> = schema
        .iter_errors(&object)
        .map(|error| format!("{} at {}", error, error.instance_path))
        .collect();
    assert!(errors.is_empty(), "{arguments:?}: {errors:?}\n{object}");
    let status = object.get("exit").and_then(Value::as_i64).unwrap_or(2);
    assert_eq!(status, i64::from(ran.status), "{object}");
    object
}

#[test]
fn every_command_prints_an_object_by_the_schema() {
    let (schema, folder) = (schema(), Folder::new());
    let run = |arguments: &[&str]| checked(&schema, &folder, arguments);
    let fit = run(&["fit", "data/concrete.csv", "--target", "target", "--out", "m.safetensors"]);
    assert_eq!(
        (&fit["converged"], &fit["data"]["samples"]),
        (&Value::from(true), &Value::from(1030))
    );
    assert_eq!(fit["coefficients"].as_array().unwrap().len(), 9);
    run(&[
        "fit",
        "data/wine.csv",
        "--target",
        "target",
        "--classes",
        "--model",
        "mlp:3",
        "--max-iterations",
        "5",
    ]);
    run(&["fit", "data/concrete.csv", "--target", "target", "--ridge", "auto"]);
    run(&[
        "fit",
        "data/concrete.csv",
        "--target",
        "target",
        "--model",
        "glm:gamma",
        "--out",
        "g.safetensors",
    ]);
    run(&["fit", "decay.csv", "--target", "y", "--model", "formula:a*exp(-b*t)"]);
    let curve = run(&["curve", "decay.csv", "--target", "y", "--formula", "a*exp(-b*t)+c"]);
    assert_eq!(curve["parameters"].as_array().unwrap().len(), 3);
    let groups =
        run(&["curve", "decay.csv", "--target", "y", "--formula", "a*exp(-b*t)+c", "--by", "run"]);
    assert_eq!(groups["groups"][1]["key"], "b");
    let formula = "a*exp(-b*t)+c";
    let shared = ["curve", "decay.csv", "--target", "y", "--formula", formula, "--groups", "run"];
    let shared = run(&[&shared[..], &["--own", "a,c", "--out", "runs.csv"]].concat());
    assert_eq!((&shared["own"], &shared["by"]), (&json!(["a", "c"]), &json!("run")));
    assert_eq!(shared["coefficients"][0]["name"], "b");
    let second = &shared["groups"][1];
    assert!(second["values"]["a"].is_number() && second["standard_errors"]["c"].is_number());
    let robust = ["--groups", "run", "--own", "a", "--robust", "tukey"];
    let robust = run(&[
        &["curve", "decay.csv", "--target", "y", "--formula", formula],
        &robust[..],
    ]
    .concat());
    assert!(robust["coefficients"].is_null() && robust["groups"][0]["standard_errors"].is_null());
    let refused = ["--groups", "run", "--own", "d"];
    let refused =
        run(&[&["curve", "decay.csv", "--target", "y", "--formula", formula], &refused[..]]
            .concat());
    assert!(refused["error"].as_str().unwrap().starts_with("the groups' own d: there is no"));
    run(&["compare", "data/diabetes.csv", "--target", "target", "--methods", "newton,lbfgs"]);
    let check = run(&["check", "data/diabetes.csv", "--target", "target", "--model", "mlp:3"]);
    assert_eq!(check["passed"], true);
    let step = run(&["one-step", "data/diabetes.csv", "--target", "target"]);
    assert_eq!(step["passed"], true);
    assert_eq!(run(&["describe", "data/energy.csv"])["kind"], "table");
    assert_eq!(run(&["describe", "m.safetensors"])["kind"], "model");
    assert_eq!(run(&["describe", "g.safetensors"])["kind"], "glm");
    folder.write("net.toml", "input = 8\n[[node]]\nname = \"y\"\nop = \"dense\"\noutputs = 1\n");
    assert_eq!(run(&["describe", "net.toml"])["kind"], "description");
    assert_eq!(
        run(&["fit", "data/concrete.csv", "--target", "target", "--model", "file:net.toml"])["model"]
            ["kind"],
        "file"
    );
    assert_eq!(
        run(&["predict", "m.safetensors", "data/concrete.csv"])["predictions"]
            .as_array()
            .unwrap()
            .len(),
        1030
    );
    let refused = run(&["fit", "data/concrete.csv", "--target", "nothing"]);
    assert!(refused["error"].as_str().unwrap().contains("no column \"nothing\""));
}

#[test]
fn the_schema_refuses_what_it_should() {
    let (schema, folder) = (schema(), Folder::new());
    let mut object = checked(&schema, &folder, &["fit", "data/diabetes.csv", "--target", "target"]);
    for key in ["converged", "data", "method", "training", "value"] {
        let mut without = object.clone();
        without.as_object_mut().unwrap().remove(key);
        assert!(!schema.is_valid(&without), "{key}");
    }
    object["iterations"] = Value::from("three");
    assert!(!schema.is_valid(&object));
}
