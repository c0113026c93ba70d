//! A fit of its own for every value of a column.

use super::{Asked, stopping};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::screen::Screen;
use crate::tables::{self, Read};
use crate::told::writable;
use crate::told::{Written, head, number};
use secant::core::formula::Formula;
use secant::core::text::cut;
use secant::data::{ColumnKind, Encoded, Table};
use secant::{Bounds, CurveError, FitError, FormulaGroup, ManyFits, fit_many};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Write;

/// Rows of the table that a screen shows.
const SHOWN: usize = 20;
/// Characters of a key that it shows.
const KEY: usize = 20;
/// Groups whose samples are enough to look for a start.
const FOR_START: usize = 20;

/// The samples of each key, in the order in which keys were met.
struct Grouped {
    keys: Vec<String>,
    inputs: Vec<Vec<f64>>,
    targets: Vec<Vec<f64>>,
    sigmas: Vec<Vec<f64>>,
}

pub fn run(asked: &Asked<'_>, key: &str, screen: &Screen) -> Result<Exit, Failure> {
    refuse(asked)?;
    if let Some(path) = &asked.out {
        writable(path)?;
    }
    let table = asked.table.read(asked.data)?;
    let read = Read::of(&table);
    let keys = keys(&table, key)?;
    let mut roles = asked.roles(&table)?;
    roles.features.retain(|name| name != key);
    let names: Vec<String> = roles
        .features
        .iter()
        .filter(|name| asked.parameters.sigma.as_ref() != Some(*name))
        .cloned()
        .collect();
    let encoded = table.into_dataset(&roles)?;
    let formula = Formula::several(&asked.formulas, &names).map_err(CurveError::from);
    let formula = formula.map_err(FitError::from)?;
    let grouped = Grouped::of(asked, &encoded, &keys, names.len());
    let mut sentences = tables::sentences(&read, &encoded);
    sentences.push(format!("{} groups by {key}.", tables::grouped(grouped.keys.len())));
    let (start, found) = start(asked, &formula, &encoded, &grouped)?;
    sentences.extend(found);
    screen.heading("Data");
    screen.sentences(&sentences);

    let mut groups = Vec::with_capacity(grouped.keys.len());
    for (index, (inputs, targets)) in grouped.inputs.iter().zip(&grouped.targets).enumerate() {
        let group = FormulaGroup::new(&formula, inputs, targets)?;
        groups.push(if asked.parameters.sigma.is_some() {
            group.with_sigma(&grouped.sigmas[index])?
        } else {
            group
        });
    }
    let interrupt = interrupt::on_signals()?;
    let mut fits = fit_many(groups)
        .keys(grouped.keys.iter().cloned())
        .start(start)
        .absolute_sigma(asked.parameters.absolute_sigma)
        .interrupt(&interrupt);
    if let Some(bounds) = bounds(asked, &formula)? {
        fits = fits.bounds(bounds);
    }
    if let Some(stopping) = stopping(asked) {
        fits = fits.stopping(stopping);
    }
    let clock = std::time::Instant::now();
    let fits = fits.run()?;
    let seconds = clock.elapsed().as_secs_f64();
    let mut written = Written::default();
    written.put("fits", asked.out.as_deref(), |path| fits.write_csv(path));
    let (done, all) = (fits.successes(), fits.len());
    let exit = if interrupt.is_set() {
        Exit::Interrupted
    } else if done == all {
        Exit::Done
    } else {
        Exit::Failed
    };
    screen.heading("Fits");
    let of = format!("{} of {} groups converged", tables::grouped(done), tables::grouped(all));
    screen.sentences(&[format!("{of}, {}.", crate::told::seconds(seconds))]);
    if asked.out.is_none() {
        screen.say("");
        screen.result(&shown(&fits));
        if all > SHOWN {
            screen.sentences(&["… `--out fits.csv` writes all of them.".to_owned()]);
        }
    }
    written.tell(screen);
    written.end()?;
    let mut object = head("curve", &read, &encoded);
    object.insert(
        "model".into(),
        json!({
            "kind": "formula", "name": asked.formulas.join("; "), "parameters": fits.names().len(),
        }),
    );
    object.insert("by".into(), key.into());
    object.insert("groups".into(), groups_json(&fits));
    object.insert("converged".into(), (done == all).into());
    object.insert("exit".into(), exit.number().into());
    object.insert("seconds".into(), seconds.into());
    object.insert("files".into(), json!({"fits": asked.out}));
    screen.json(object);
    Ok(exit)
}

fn refuse(asked: &Asked<'_>) -> Result<(), Failure> {
    let parameters = asked.parameters;
    let given = [
        ("--fix", !parameters.fix.is_empty()),
        ("--tie", !parameters.tie.is_empty()),
        ("--robust", asked.robust.is_some()),
        ("--weights", asked.weights.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((option @ ("--fix" | "--tie"), _)) => Err(Failure::advised(
            format!("{option} is not for groups"),
            "put the number or the formula into the formula itself",
        )),
        Some((option, _)) => Err(Failure::new(format!("{option} is not for groups"))),
    }
}

/// What stands in the column of the key, for every row.
pub(super) fn keys(table: &Table, key: &str) -> Result<Vec<String>, Failure> {
    let Some(column) = table.names().iter().position(|name| name == key) else {
        let nearest =
            secant::core::text::did_you_mean(key, table.names().iter().map(String::as_str));
        let key = secant::core::text::quoted(key);
        return Err(Failure::new(format!("no column \"{key}\" to group by{nearest}")));
    };
    let mut keys = Vec::with_capacity(table.rows());
    for (row, cell) in table.column(column).enumerate() {
        let text = match &table.kinds()[column] {
            ColumnKind::Number if cell.is_nan() => None,
            ColumnKind::Number => Some(cell.to_string()),
            ColumnKind::Text { levels } =>
            {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "the index of a level, or NaN"
                )]
                levels.get(cell as usize).filter(|_| !cell.is_nan()).cloned()
            }
            _ => {
                let advice = format!(
                    "`--categorical {}` reads the column as texts",
                    crate::failure::quoted(key)
                );
                return Err(Failure::advised(
                    format!("column \"{key}\" is neither of numbers nor of texts"),
                    advice,
                ));
            }
        };
        keys.push(text.ok_or_else(|| {
            Failure::new(format!("{}: the key \"{key}\" is missing", table.row_name(row)))
        })?);
    }
    Ok(keys)
}

impl Grouped {
    fn of(asked: &Asked<'_>, encoded: &Encoded, keys: &[String], features: usize) -> Self {
        let data = &encoded.data;
        let mut grouped =
            Self { keys: Vec::new(), inputs: Vec::new(), targets: Vec::new(), sigmas: Vec::new() };
        let mut places: HashMap<&str, usize> = HashMap::new();
        let sigma = asked.parameters.sigma.is_some();
        let outputs = data.outputs();
        let values = data.targets().values().unwrap_or_default();
        for (sample, &row) in encoded.rows.iter().enumerate() {
            let key = keys[row].as_str();
            let place = *places.entry(key).or_insert_with(|| {
                grouped.keys.push(key.to_owned());
                grouped.inputs.push(Vec::new());
                grouped.targets.push(Vec::new());
                grouped.sigmas.push(Vec::new());
                grouped.keys.len() - 1
            });
            let inputs = data.sample(sample);
            grouped.inputs[place].extend_from_slice(&inputs[..features]);
            grouped.targets[place]
                .extend_from_slice(&values[sample * outputs..(sample + 1) * outputs]);
            if sigma {
                let own = inputs.last().copied().unwrap_or(f64::NAN);
                grouped.sigmas[place].extend(std::iter::repeat_n(own, outputs));
            }
        }
        grouped
    }
}

/// The start of every group: as given, or the fit to the first groups together.
fn start(
    asked: &Asked<'_>,
    formula: &Formula,
    encoded: &Encoded,
    grouped: &Grouped,
) -> Result<(Vec<f64>, Option<String>), Failure> {
    let names = formula.parameters();
    let given = &asked.parameters.start;
    if let Some((name, _)) = given.iter().find(|(name, _)| !names.contains(name)) {
        let nearest = secant::core::text::did_you_mean(name, names.iter().map(String::as_str));
        return Err(Failure::new(format!("--start: no parameter `{name}`{nearest}")));
    }
    let value = |name: &String| {
        given.iter().rev().find(|(known, _)| known == name).map(|(_, value)| *value)
    };
    if let Some(all) = names.iter().map(value).collect::<Option<Vec<f64>>>() {
        return Ok((all, None));
    }
    let first = grouped.keys.len().min(FOR_START);
    let size: usize =
        grouped.targets[..first].iter().map(|targets| targets.len() / formula.outputs()).sum();
    // Groups are met in the order of the rows, so that these are most of the first rows.
    let part = encoded.data.first(size.min(encoded.data.samples()))?;
    let fit = asked.curve()?.fit(&part)?;
    let found: Vec<f64> = names.iter().map(|name| fit.value(name).unwrap_or(1.0)).collect();
    let words: Vec<String> =
        names.iter().zip(&found).map(|(name, value)| format!("{name} = {value:.4e}")).collect();
    let note =
        format!("All groups start at {}: the fit to the first {size} rows.", words.join(", "));
    Ok((found, Some(note)))
}

fn bounds(asked: &Asked<'_>, formula: &Formula) -> Result<Option<Bounds>, Failure> {
    if asked.parameters.bounds.is_empty() {
        return Ok(None);
    }
    let names = formula.parameters();
    let mut bounds = Bounds::free(names.len());
    for (name, low, high) in &asked.parameters.bounds {
        let Some(j) = names.iter().position(|known| known == name) else {
            let nearest = secant::core::text::did_you_mean(name, names.iter().map(String::as_str));
            return Err(Failure::new(format!("--bounds: no parameter `{name}`{nearest}")));
        };
        bounds = bounds.with(j..j + 1, *low, *high)?;
    }
    Ok(Some(bounds))
}

/// The first fits, a line each.
fn shown(fits: &ManyFits) -> String {
    let keys = fits.iter().take(SHOWN).map(|fit| fit.key.chars().count());
    let width = keys.max().unwrap_or(0).clamp(3, KEY);
    let mut heading = format!("  {:<width$}", "key");
    for name in fits.names() {
        let _ = write!(heading, " {:>12} {:>10}", cut(name, 12), "± error");
    }
    let mut lines = vec![format!("{heading}  end")];
    for fit in fits.iter().take(SHOWN) {
        let mut line = format!("  {:<width$}", cut(fit.key, KEY));
        for (value, error) in fit.theta.iter().zip(fit.errors) {
            let _ = write!(line, " {value:>12.5e} {error:>10.1e}");
        }
        lines.push(format!("{line}  {}", fit.outcome.word()));
    }
    lines.join("\n")
}

fn groups_json(fits: &ManyFits) -> Value {
    let names = fits.names();
    let named = |values: &[f64]| {
        names
            .iter()
            .zip(values)
            .map(|(name, value)| (name.clone(), number(*value)))
            .collect::<serde_json::Map<_, _>>()
    };
    fits.iter()
        .map(|fit| {
            json!({
                "key": fit.key,
                "outcome": fit.outcome.word(),
                "values": named(fit.theta),
                "standard_errors": named(fit.errors),
                "iterations": fit.iterations,
                "residual_sum_of_squares": number(fit.sum_of_squares),
            })
        })
        .collect()
}
