//! How the columns of a table become the inputs of a model: what a fitted model keeps of the table that it was fitted on.

use serde::{Deserialize, Serialize};

/// What becomes of missing values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// They are an error with their count and first places.
    #[default]
    Refuse,
    /// Rows that have one are left out.
    Drop,
    /// A missing number becomes the mean of its column, a missing text the most frequent one. Rows without a target, a weight or an offset are
    /// left out.
    Mean,
}

/// How the columns of a table become the inputs of a model. Kept in the model, so that a new table is read the same way: columns are found by
/// name, in any order, and levels have the places that they had.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encoding {
    pub(super) features: Vec<EncodedColumn>,
    pub(super) targets: Vec<String>,
    /// Empty where the targets are numbers.
    pub(super) classes: Vec<String>,
    pub(super) weights: Option<String>,
    pub(super) offset: Option<String>,
    pub(super) missing: Missing,
}

/// A column of a table as one input or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncodedColumn {
    /// The name of the column.
    pub name: String,
    /// What it becomes.
    pub form: EncodedForm,
}

/// What a column becomes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
#[non_exhaustive]
pub enum EncodedForm {
    /// The number itself.
    Number {
        /// What takes the place of a missing one.
        fill: Option<f64>,
    },
    /// For each level but the first an input that is 1 where the text is this level and 0 elsewhere.
    Levels {
        /// By alphabet.
        levels: Vec<String>,
        /// The index of what takes the place of a missing one.
        fill: Option<usize>,
    },
}

impl EncodedColumn {
    /// How many inputs it becomes.
    pub fn width(&self) -> usize {
        match &self.form {
            EncodedForm::Number { .. } => 1,
            EncodedForm::Levels { levels, .. } => levels.len().saturating_sub(1),
        }
    }

    fn names(&self) -> Vec<String> {
        match &self.form {
            EncodedForm::Number { .. } => vec![self.name.clone()],
            EncodedForm::Levels { levels, .. } => {
                levels.iter().skip(1).map(|level| format!("{}={level}", self.name)).collect()
            }
        }
    }
}

impl Encoding {
    /// That of a table of numbers under these names.
    pub fn of_numbers(features: &[String], targets: &[String], classes: &[String]) -> Self {
        let column = |name: &String| EncodedColumn {
            name: name.clone(),
            form: EncodedForm::Number { fill: None },
        };
        Self {
            features: features.iter().map(column).collect(),
            targets: targets.to_vec(),
            classes: classes.to_vec(),
            weights: None,
            offset: None,
            missing: Missing::Refuse,
        }
    }

    /// The columns that become inputs, in their order.
    pub fn features(&self) -> &[EncodedColumn] {
        &self.features
    }

    /// The target columns.
    pub fn targets(&self) -> &[String] {
        &self.targets
    }

    /// The column of the weights.
    pub fn weights(&self) -> Option<&str> {
        self.weights.as_deref()
    }

    /// The column of the offsets.
    pub fn offset(&self) -> Option<&str> {
        self.offset.as_deref()
    }

    /// What becomes of missing values.
    pub fn missing(&self) -> Missing {
        self.missing
    }

    /// The same with another fate of missing values.
    pub fn with_missing(mut self, missing: Missing) -> Self {
        self.missing = missing;
        self
    }

    /// d, the number of inputs.
    pub fn width(&self) -> usize {
        self.features.iter().map(EncodedColumn::width).sum()
    }

    /// The names of the d inputs: of a number its column's, of a level `column=level`.
    pub fn input_names(&self) -> Vec<String> {
        self.features.iter().flat_map(EncodedColumn::names).collect()
    }
}
