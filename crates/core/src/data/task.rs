//! How a column of a text file becomes targets.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::source::number;
use super::{DataError, Place, Targets};
use crate::text::quoted_bytes;

/// Most classes that are inferred from the labels alone; where there are more, say how many.
pub const MAX_INFERRED_CLASSES: usize = 1 << 16;

/// How the target column is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Task {
    /// Numbers.
    #[default]
    Values,
    /// Whole numbers 0, …, classes − 1. Where their number is not given and none of the labels is a number, they are names as with
    /// [`Task::Names`] of an empty list.
    Labels {
        /// Number of classes; `None` takes the largest label plus one.
        classes: Option<usize>,
    },
    /// Classes by name, in this order; where the list is empty, all names in the file: the numbers by value and then the
    /// texts by alphabet, so that −1, +1 become 0, 1. Texts that write one number (`1`, `+1`, `1.0`) are one name.
    Names(Vec<String>),
}

/// One column of labels, and what its classes are called (empty: they are numbered).
pub(super) struct LabelColumn {
    pub(super) targets: Targets,
    pub(super) class_names: Vec<String>,
}

impl Task {
    /// Labels from the texts of one column; `place(i)` is where text `i` stands. `self` is not `Values`.
    pub(super) fn labels(
        &self,
        texts: &[&str],
        place: impl Fn(usize) -> Place,
    ) -> Result<LabelColumn, DataError> {
        match self {
            Self::Names(names) => by_name(names, texts, place),
            Self::Labels { classes } => by_number(*classes, texts, place),
            Self::Values => by_number(None, texts, place),
        }
    }
}

/// Labels that are whole numbers from 0.
fn by_number(
    classes: Option<usize>,
    texts: &[&str],
    place: impl Fn(usize) -> Place,
) -> Result<LabelColumn, DataError> {
    let bound = classes.unwrap_or(MAX_INFERRED_CLASSES);
    if classes.is_none() && texts.iter().all(|text| is_name(text)) {
        return by_name(&[], texts, place);
    }
    let named = || ": `Task::Names` takes any text, and numbers of any size".to_owned();
    let mut labels = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let value = number(text, || place(index)).map_err(|error| error.hinted(named))?;
        let label = whole(value, bound, || (place(index), quoted_bytes(text.as_bytes())));
        labels.push(
            label.map_err(|error| if classes.is_none() { error.hinted(named) } else { error })?,
        );
    }
    Ok(LabelColumn { targets: number_classes(classes, labels), class_names: Vec::new() })
}

/// Whether the text is a word: no number, however it is written.
fn is_name(text: &str) -> bool {
    text.starts_with(char::is_alphabetic) && text.parse::<f64>().is_err()
}

/// A number as a label below `classes`.
pub(super) fn whole(
    value: f64,
    classes: usize,
    describe: impl FnOnce() -> (Place, String),
) -> Result<u32, DataError> {
    if value.fract() != 0.0 {
        let (place, found) = describe();
        return Err(DataError::LabelNotInteger { place, found, hint: Box::default() });
    }
    // Every u32 is an f64, and classes beyond u32 are no bound on one.
    if !(value >= 0.0 && value < classes as f64 && value <= f64::from(u32::MAX)) {
        let (place, found) = describe();
        return Err(DataError::LabelOutOfRange { place, found, classes, hint: Box::default() });
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number between 0 and u32::MAX"
    )]
    Ok(value as u32)
}

/// Labels with the number of classes, inferred where not given.
pub(super) fn number_classes(classes: Option<usize>, labels: Vec<u32>) -> Targets {
    let largest = labels.iter().max().map_or(0, |&label| label as usize + 1);
    Targets::Labels { classes: classes.unwrap_or(largest), labels }
}

/// Labels that are names.
fn by_name(
    names: &[String],
    texts: &[&str],
    place: impl Fn(usize) -> Place,
) -> Result<LabelColumn, DataError> {
    let order: Vec<Name> = if names.is_empty() {
        let found: BTreeSet<Name> = texts.iter().map(|text| Name::new(text)).collect();
        found.into_iter().collect()
    } else {
        names.iter().map(|name| Name::new(name)).collect()
    };
    let classes: BTreeMap<&Name, u32> = order.iter().zip(0..).collect();
    let mut labels = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let class = classes.get(&Name::new(text)).filter(|_| !text.is_empty());
        let Some(&label) = class else {
            return Err(DataError::UnknownClass {
                place: place(index),
                found: quoted_bytes(text.as_bytes()),
                classes: names.to_vec(),
            });
        };
        labels.push(label);
    }
    let class_names: Vec<String> = order.into_iter().map(|name| name.text).collect();
    Ok(LabelColumn { targets: Targets::Labels { classes: class_names.len(), labels }, class_names })
}

/// A class name; a number has one way to be written. Numbers come before texts.
#[derive(Clone, Debug)]
struct Name {
    value: Option<f64>,
    text: String,
}

impl Name {
    fn new(text: &str) -> Self {
        // Adding 0 turns −0 into 0.
        let value =
            text.parse::<f64>().ok().filter(|value| value.is_finite()).map(|value| value + 0.0);
        let text = value.map_or_else(|| text.to_owned(), |value| value.to_string());
        Self { value, text }
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.value, other.value) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => self.text.cmp(&other.text),
        }
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Name {}
