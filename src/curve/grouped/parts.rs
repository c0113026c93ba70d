//! Which samples belong to which group.

use crate::curve::Said;
use crate::curve_error::CurveError;
use crate::error::FitError;
use secant_core::data::{Dataset, Targets};
use std::collections::HashMap;
use std::ops::Range;

/// What groups are told apart by.
#[derive(Clone, Debug)]
pub(super) enum By {
    Column(String),
    Keys(Vec<String>),
}

/// The data with their groups.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Without the column of the groups, in the order of the table.
    pub data: Dataset,
    /// What the keys are of: the column.
    pub column: Option<String>,
    pub keys: Vec<String>,
    /// The samples, group by group, in their order within each.
    pub order: Vec<usize>,
    /// Where in `order` each group lies.
    pub ranges: Vec<Range<usize>>,
}

impl Parts {
    pub(super) fn of(by: &By, said: &Said, data: &Dataset) -> Result<Self, FitError> {
        match by {
            By::Column(column) => Self::of_column(column, said, data),
            By::Keys(keys) => {
                let (samples, found) = (data.samples(), keys.len());
                if samples != found {
                    return Err(CurveError::GroupCount { samples, found }.into());
                }
                let is_none = |key: &String| key.is_empty() || key == "NaN";
                if let Some(sample) = keys.iter().position(is_none) {
                    return Err(CurveError::GroupKey { sample, key: keys[sample].clone() }.into());
                }
                Ok(Self::by_keys(data.clone(), keys))
            }
        }
    }

    fn of_column(column: &str, said: &Said, data: &Dataset) -> Result<Self, FitError> {
        let (names, d) = (data.feature_names(), data.features());
        let Some(at) = names.iter().position(|name| name == column) else {
            let (what, known) = ("the group column", names.to_vec());
            let unknown = CurveError::Unknown { what, name: column.into(), kind: "column", known };
            return Err(unknown.into());
        };
        if said.names()?.iter().any(|name| name == column) {
            return Err(CurveError::GroupInFormula { column: column.into() }.into());
        }
        let others: Vec<usize> = (0..d).filter(|i| *i != at).collect();
        let features: Vec<String> = others.iter().map(|i| names[*i].clone()).collect();
        if others.is_empty() {
            return Err(CurveError::GroupsAlone { column: column.into() }.into());
        }
        let rows = data.inputs().chunks_exact(d);
        // Adding 0 makes one key of ±0.
        let keys: Vec<f64> = rows.clone().map(|row| row[at] + 0.0).collect();
        let inputs = rows.flat_map(|row| others.iter().map(|i| row[*i])).collect();
        let part = Dataset::new(others.len(), inputs, Targets::clone(data.targets()))?;
        let part = part.with_feature_names(features)?;
        let part = with_the_rest(part, data)?;
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by(|a, b| keys[*a].total_cmp(&keys[*b]));
        let mut parts = Self {
            data: part,
            column: Some(column.into()),
            keys: Vec::new(),
            order,
            ranges: Vec::new(),
        };
        let mut start = 0;
        for end in 1..=parts.order.len() {
            let key = keys[parts.order[start]];
            let ends = parts.order.get(end).is_none_or(|next| keys[*next] != key);
            if ends {
                parts.keys.push(key.to_string());
                parts.ranges.push(start..end);
                start = end;
            }
        }
        Ok(parts)
    }

    /// Groups in the order in which their keys appear.
    fn by_keys(data: Dataset, each: &[String]) -> Self {
        let mut members: Vec<Vec<usize>> = Vec::new();
        let mut places: HashMap<&String, usize> = HashMap::new();
        let mut keys = Vec::new();
        for (sample, key) in each.iter().enumerate() {
            let place = *places.entry(key).or_insert_with(|| {
                keys.push(key.clone());
                members.push(Vec::new());
                members.len() - 1
            });
            members[place].push(sample);
        }
        let mut start = 0;
        let range = |group: &Vec<usize>| {
            start += group.len();
            start - group.len()..start
        };
        let ranges = members.iter().map(range).collect();
        Self { data, column: None, keys, order: members.concat(), ranges }
    }

    pub(super) fn of_sets<'d, S: AsRef<str>>(
        sets: impl IntoIterator<Item = (S, &'d Dataset)>,
    ) -> Result<Self, FitError> {
        let sets: Vec<(String, &Dataset)> =
            sets.into_iter().map(|(name, data)| (name.as_ref().to_owned(), data)).collect();
        let Some((_, first)) = sets.first() else { return Err(CurveError::NoSets.into()) };
        let (mut inputs, mut targets) = (Vec::new(), Vec::new());
        let (mut weights, mut offsets) = (Vec::new(), Vec::new());
        let mut outputs = 1;
        let mut keys: Vec<String> = Vec::new();
        let has = |what: fn(&Dataset) -> bool| sets.iter().any(|(_, data)| what(data));
        let (weighted, shifted) =
            (has(|data| data.weights().is_some()), has(|data| data.offset().is_some()));
        for (place, (name, data)) in sets.iter().enumerate() {
            if sets[..place].iter().any(|(known, _)| known == name) {
                return Err(CurveError::SetTwice { name: name.clone() }.into());
            }
            differs(name, "features", data.feature_names(), first.feature_names())?;
            differs(name, "targets", data.target_names(), first.target_names())?;
            let Targets::Values { rows, values } = data.targets() else {
                return Err(CurveError::Labels.into());
            };
            outputs = *rows;
            inputs.extend_from_slice(data.inputs());
            targets.extend_from_slice(values);
            let samples = data.samples();
            match data.weights() {
                Some(own) => weights.extend_from_slice(own),
                None => weights.extend(std::iter::repeat_n(1.0, samples)),
            }
            for at in 0..samples * outputs {
                let rows = data.offset_rows();
                let own = data.offset();
                offsets.push(
                    own.map_or(0.0, |own| own[at / outputs * rows + (at % outputs).min(rows - 1)]),
                );
            }
            keys.extend(std::iter::repeat_n(name.clone(), samples));
        }
        let targets = Targets::Values { rows: outputs, values: targets };
        let mut data = Dataset::new(first.features(), inputs, targets)?
            .with_feature_names(first.feature_names().to_vec())?
            .with_target_names(first.target_names().to_vec())?;
        if weighted {
            data = data.with_weights(weights)?;
        }
        if shifted {
            data = data.with_offset(offsets)?;
        }
        Ok(Self::by_keys(data, &keys))
    }

    /// Which group is called `name`; `what` was said of it.
    pub(super) fn group(&self, name: &str, what: &'static str) -> Result<usize, CurveError> {
        group(&self.keys, name, what)
    }

    /// `a[run=1]`, `a[first]`
    pub(super) fn label(&self, name: &str, g: usize) -> String {
        match &self.column {
            Some(column) => format!("{name}[{column}={}]", self.keys[g]),
            None => format!("{name}[{}]", self.keys[g]),
        }
    }
}

/// `part` with the names of targets, weights and offsets of `data`.
fn with_the_rest(part: Dataset, data: &Dataset) -> Result<Dataset, FitError> {
    let mut part = part.with_target_names(data.target_names().to_vec())?;
    if let Some(weights) = data.weights() {
        part = part.with_weights(weights.to_vec())?;
    }
    if let Some(offset) = data.offset() {
        part = part.with_offset(offset.to_vec())?;
    }
    Ok(part)
}

fn differs(
    name: &str,
    what: &'static str,
    found: &[String],
    expected: &[String],
) -> Result<(), CurveError> {
    if found == expected {
        return Ok(());
    }
    let (found, expected) = (found.to_vec(), expected.to_vec());
    Err(CurveError::SetDiffers { name: name.to_owned(), what, found, expected })
}

/// The number of the group of this name; `what` was said of it.
pub(super) fn group(keys: &[String], name: &str, what: &'static str) -> Result<usize, CurveError> {
    keys.iter().position(|key| key == name).ok_or_else(|| CurveError::Unknown {
        what,
        name: name.to_owned(),
        kind: "group",
        known: keys.to_vec(),
    })
}
