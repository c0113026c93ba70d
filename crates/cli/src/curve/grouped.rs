//! One curve of several groups, some parameters each group's own.

use super::many::keys;
use super::{Asked, measures_json};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::screen::Screen;
use crate::tables::{self, Read};
use crate::told::{Written, ended, estimates_where, head, indented, number, run_json, writable};
use secant::{CurveError, FitError, GroupedFit, GroupedInference};
use serde_json::{Map, Value, json};

pub fn run(asked: &Asked<'_>, key: &str, own: &[String], screen: &Screen) -> Result<Exit, Failure> {
    for path in [&asked.out, &asked.plot].into_iter().flatten() {
        writable(path)?;
    }
    if asked.formula_names()?.iter().any(|name| name == key) {
        return Err(FitError::from(CurveError::GroupInFormula { column: key.to_owned() }).into());
    }
    let curve = asked.curve()?;
    let table = asked.table.read(asked.data)?;
    let read = Read::of(&table);
    let keys = keys(&table, key)?;
    let encoded = table.clone().into_dataset(&asked.roles(&table)?)?;
    drop(table);
    let mut sentences = tables::sentences(&read, &encoded);
    screen.heading("Data");

    let interrupt = interrupt::on_signals()?;
    let of_rows = encoded.rows.iter().map(|row| &keys[*row]);
    let curve = curve.interrupt(&interrupt).groups_of(of_rows).own(own);
    let fit = curve.fit(&encoded.data)?;
    let exit = Exit::of(fit.report().reason);
    sentences.push(format!("{} groups by {key}.", tables::grouped(fit.groups().len())));
    screen.sentences(&sentences);
    screen.heading("Fit");
    screen.sentences(&[format!(
        "{} = {}; own of each group: {}.",
        encoded.data.target_names().join(", "),
        fit.written().to_unicode(),
        if fit.own().is_empty() { "nothing".to_owned() } else { fit.own().join(", ") }
    )]);
    screen.sentences(&ended(fit.report()));
    let level = asked.level;
    let inference = match asked.robust {
        Some(_) => None,
        None => Some(fit.inference_with(|infer| infer.level(level))?),
    };
    screen.say("");
    screen.result(&indented(&match &inference {
        Some(table) => table.to_string(),
        None => fit.to_string(),
    }));
    let mut written = Written::default();
    written.put("parameters", asked.out.as_deref(), |path| fit.write_csv(path));
    written.put("picture", asked.plot.as_deref(), |path| fit.plot(path));
    written.tell(screen);
    written.end()?;
    let mut object = head("curve", &read, &encoded);
    object.insert(
        "model".into(),
        json!({
            "kind": "formula",
            "name": asked.formulas.join("; "),
            "parameters": fit.report().parameters,
        }),
    );
    run_json(&mut object, fit.report(), exit);
    object.insert("by".into(), key.into());
    let names = fit.shared();
    let is_shared = |name: &str| names.contains(&name);
    object.insert("shared".into(), named(names.iter().map(|name| (*name, fit.value(name)))));
    object.insert("own".into(), json!(fit.own()));
    object.insert("groups".into(), groups_json(&fit, inference.as_ref()));
    let whole = inference.as_ref().map(GroupedInference::whole);
    object.insert(
        "coefficients".into(),
        whole.map_or(Value::Null, |whole| estimates_where(whole, is_shared)),
    );
    object.insert("measures".into(), whole.map_or(Value::Null, measures_json));
    object.insert("files".into(), json!({"parameters": asked.out, "picture": asked.plot}));
    screen.json(object);
    Ok(exit)
}

fn named<'a>(each: impl Iterator<Item = (&'a str, Option<f64>)>) -> Value {
    let each = each.map(|(name, value)| (name.to_owned(), number(value.unwrap_or(f64::NAN))));
    Value::Object(each.collect::<Map<_, _>>())
}

/// The own parameters of each group, with their errors where there are some.
fn groups_json(fit: &GroupedFit, inference: Option<&GroupedInference>) -> Value {
    let own = fit.own();
    let of = |key: &String| {
        let values = own.iter().map(|name| (*name, fit.value_of(key, name)));
        // Estimates are in the order of the parameters, as `own` is.
        let errors = inference.and_then(|found| found.of(key)).map(|found| {
            let is_own = |name: &str| own.iter().any(|own| name.starts_with(&format!("{own}[")));
            let errors = found.estimates.iter().filter(|estimate| is_own(&estimate.name));
            named(own.iter().copied().zip(errors.map(|estimate| Some(estimate.standard_error))))
        });
        json!({"key": key, "values": named(values), "standard_errors": errors})
    };
    fit.groups().iter().map(of).collect()
}
