//! Text → tables → a description, with a message for whatever does not fit.

use super::{Choice, Description, DescriptionError, MAX_NODES, NodeDescription, Place};
use crate::op::OpDescription;
use crate::shape::Shape;
use crate::text::{did_you_mean, quoted};
use serde::Deserialize;
use toml::de::{DeTable, Deserializer};
use toml::{Table, Value};

/// Top-level keys.
const KEYS: &str = "input, node, output, loss, penalty";

/// The table in `text`, and the line of each node.
pub(super) fn toml(text: &str) -> Result<(Table, Vec<usize>), DescriptionError> {
    let syntax = |error: &toml::de::Error| {
        let (line, column) = position(text, error.span().map_or(text.len(), |span| span.start));
        DescriptionError::Syntax { line, column, message: error.message().trim().into() }
    };
    let parsed = DeTable::parse(text).map_err(|error| syntax(&error))?;
    let nodes = parsed.get_ref().get("node").and_then(|nodes| nodes.get_ref().as_array());
    let starts = nodes.into_iter().flat_map(|nodes| nodes.iter().map(|node| node.span().start));
    let lines = lines(text, starts);
    let table = Table::deserialize(Deserializer::from(parsed)).map_err(|error| syntax(&error))?;
    Ok((table, lines))
}

/// The table in `text`.
pub(super) fn json(text: &str) -> Result<Table, DescriptionError> {
    serde_json::from_str(text).map_err(|error| {
        // The message repeats the position at its end.
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default().to_owned();
        DescriptionError::Syntax { line: error.line(), column: error.column(), message }
    })
}

/// Line and column, from 1, of a byte offset.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    let line = before.split(|&byte| byte == b'\n').count();
    (line, String::from_utf8_lossy(&before[start..]).chars().count() + 1)
}

/// Lines, from 1, of offsets that mostly rise.
fn lines(text: &str, starts: impl Iterator<Item = usize>) -> Vec<usize> {
    let ends: Vec<usize> = text.match_indices('\n').map(|(end, _)| end).collect();
    starts.map(|start| ends.partition_point(|&end| end < start) + 1).collect()
}

/// What `table` says; `lines` holds the line of each node where they are known.
pub(super) fn description(
    mut table: Table,
    lines: &[usize],
) -> Result<Description, DescriptionError> {
    let input = table.remove("input").ok_or(DescriptionError::MissingKey("input"))?;
    let input = shape(&input).ok_or_else(|| {
        let (key, expected) = ("input", "a number of features ≥ 1 or a list of extents ≥ 1");
        DescriptionError::Kind { key, expected, found: shown(&input) }
    })?;
    let nodes = match table.remove("node") {
        None => return Err(DescriptionError::Empty),
        Some(Value::Array(nodes)) => nodes,
        Some(other) => {
            let (key, expected) = ("node", "a list of nodes");
            return Err(DescriptionError::Kind { key, expected, found: shown(&other) });
        }
    };
    let (found, limit) = (nodes.len(), MAX_NODES);
    if found > limit {
        return Err(DescriptionError::TooManyNodes { found, limit });
    }
    let output = match table.remove("output") {
        None => None,
        Some(Value::String(name)) => Some(name),
        Some(other) => {
            let (key, expected) = ("output", "the name of a node");
            return Err(DescriptionError::Kind { key, expected, found: shown(&other) });
        }
    };
    let (loss, penalty) = (choice(&mut table, "loss")?, choice(&mut table, "penalty")?);
    if let Some(key) = table.keys().next() {
        return Err(DescriptionError::UnknownKey { key: key.clone(), known: KEYS });
    }
    let nodes = nodes.into_iter().enumerate();
    let nodes = nodes.map(|(index, value)| node(index, value, lines.get(index).copied()));
    let nodes = nodes.collect::<Result<Vec<_>, _>>()?;
    if nodes.is_empty() {
        return Err(DescriptionError::Empty);
    }
    Ok(Description { input, nodes, output, loss, penalty })
}

fn shape(value: &Value) -> Option<Shape> {
    let extent =
        |value: &Value| usize::try_from(value.as_integer()?).ok().filter(|&extent| extent > 0);
    match value {
        Value::Array(extents) if !extents.is_empty() => {
            Some(Shape::new(extents.iter().map(extent).collect::<Option<Vec<_>>>()?))
        }
        value => extent(value).map(Shape::vector),
    }
}

fn choice(table: &mut Table, key: &'static str) -> Result<Option<Choice>, DescriptionError> {
    let Some(value) = table.remove(key) else { return Ok(None) };
    let choice = Choice::read(&value).ok_or_else(|| {
        let expected = "a name, or a table of one name and its options";
        DescriptionError::Kind { key, expected, found: shown(&value) }
    })?;
    match value.as_table().and_then(not_finite) {
        Some((option, value)) => Err(DescriptionError::ChoiceNotFinite { key, option, value }),
        None => Ok(Some(choice)),
    }
}

fn node(
    index: usize,
    value: Value,
    line: Option<usize>,
) -> Result<NodeDescription, DescriptionError> {
    let mut place = Place { node: String::new(), position: index + 1, line };
    let Value::Table(mut table) = value else {
        let (key, expected) = ("node", "a table");
        return Err(DescriptionError::NodeKind { place, key, expected, found: shown(&value) });
    };
    let name = text(&mut table, "name", &place)?;
    place.node.clone_from(&name);
    let op = text(&mut table, "op", &place)?;
    let inputs = names(&mut table, "inputs", &place)?;
    let share = names(&mut table, "share", &place)?;
    if let Some((option, value)) = not_finite(&table) {
        return Err(DescriptionError::NotFinite { place, op, option, value });
    }
    Ok(NodeDescription { name, op: OpDescription::new(op, table), inputs, share, line })
}

/// A text that must be there.
fn text(table: &mut Table, key: &'static str, place: &Place) -> Result<String, DescriptionError> {
    let place = || place.clone();
    match table.remove(key) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(other) => {
            let expected = "a text";
            Err(DescriptionError::NodeKind { place: place(), key, expected, found: shown(&other) })
        }
        None => Err(DescriptionError::MissingNodeKey { place: place(), key }),
    }
}

/// A list of names, if it is there.
fn names(
    table: &mut Table,
    key: &'static str,
    place: &Place,
) -> Result<Option<Vec<String>>, DescriptionError> {
    let Some(value) = table.remove(key) else { return Ok(None) };
    let names = value.as_array().and_then(|names| {
        names.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
    });
    match names {
        Some(names) => Ok(Some(names)),
        None => Err(DescriptionError::NodeKind {
            place: place.clone(),
            key,
            expected: "a list of names",
            found: shown(&value),
        }),
    }
}

/// The first number in `options` that is NaN or infinite, with the option that it belongs to.
pub(super) fn not_finite(options: &Table) -> Option<(String, f64)> {
    fn find(value: &Value) -> Option<f64> {
        match value {
            Value::Float(number) => Some(*number).filter(|number| !number.is_finite()),
            Value::Array(items) => items.iter().find_map(find),
            Value::Table(table) => table.values().find_map(find),
            _ => None,
        }
    }
    options.iter().find_map(|(key, value)| Some((key.clone(), find(value)?)))
}

/// A value for a message, cut where it is long.
fn shown(value: &Value) -> String {
    quoted(&value.to_string().replace('\n', " ")).to_string()
}

/// A parser's message about an unknown field, ``unknown field `a`, expected one of `b`, `c` ``, with the nearest of those known.
pub(super) fn with_nearest(message: &str) -> String {
    let mut names = message.split('`').skip(1).step_by(2);
    let hint = match names.next() {
        Some(unknown) if message.starts_with("unknown") => did_you_mean(unknown, names),
        _ => String::new(),
    };
    format!("{}{hint}", message.replace('\n', " "))
}
