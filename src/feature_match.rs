//! How the features of data and those of a model meet, by name.

use secant_core::text::{did_you_mean, list, quoted};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};
use std::fmt;

/// How the features of some data and those of a model meet, by name. `Display` says it in a line or a few.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FeatureMatch {
    /// Names that the model was fitted on and the data lack, in the model's order.
    pub missing: Vec<String>,
    /// Names of the data that the model does not know, in the order of the data; predictions leave these columns out.
    pub extra: Vec<String>,
    /// Whether the features that both have come in another order. No fault: they are taken by name.
    pub reordered: bool,
    /// For every feature of the model its column in the data, where it is there.
    pub columns: Vec<Option<usize>>,
}

impl FeatureMatch {
    /// Meets the names of a model with those of data. Where a name stands several times, the first meets the first, and so on.
    pub(crate) fn new(model: &[String], data: &[String]) -> Self {
        let mut places: HashMap<&str, VecDeque<usize>> = HashMap::new();
        for (column, name) in data.iter().enumerate() {
            places.entry(name).or_default().push_back(column);
        }
        let mut take = |name: &String| places.get_mut(name.as_str())?.pop_front();
        let columns: Vec<Option<usize>> = model.iter().map(&mut take).collect();
        let missing = model.iter().zip(&columns).filter(|(_, column)| column.is_none());
        let missing = missing.map(|(name, _)| name.clone()).collect();
        let mut known = vec![false; data.len()];
        columns.iter().flatten().for_each(|column| known[*column] = true);
        let extra = data.iter().zip(&known).filter(|(_, known)| !**known);
        let extra = extra.map(|(name, _)| name.clone()).collect();
        let reordered = !columns.iter().flatten().is_sorted();
        Self { missing, extra, reordered, columns }
    }

    /// Whether every feature of the model is there.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }

    /// Whether the data have the model's features, no others, in its order.
    pub fn is_exact(&self) -> bool {
        self.is_complete() && self.extra.is_empty() && !self.reordered
    }
}

impl fmt::Display for FeatureMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (all, lacking) = (self.columns.len(), self.missing.len());
        if lacking == 0 {
            write!(f, "all {all} features are there")?;
        } else {
            let names = list(self.missing.iter().map(String::as_str));
            write!(f, "{lacking} of {all} features missing: {names}")?;
            let extra = || self.extra.iter().map(String::as_str);
            let hint = |name: &String| {
                let hint = did_you_mean(name, extra());
                (!hint.is_empty()).then(|| format!("\n  {}{hint}", quoted(name)))
            };
            self.missing.iter().take(5).filter_map(hint).try_for_each(|hint| f.write_str(&hint))?;
        }
        if self.reordered {
            f.write_str("\nin another order (they are taken by name)")?;
        }
        if !self.extra.is_empty() {
            let names = list(self.extra.iter().map(String::as_str));
            write!(f, "\nnot of the model, left out: {names}")?;
        }
        Ok(())
    }
}
