//! A name with options: what a description says of a loss or a penalty, and what these say of themselves.

use serde::de::{DeserializeOwned, Error};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::{Table, Value};

/// A loss or a penalty as a description names it: `"softmax"`, or `{ ridge = 1e-3 }`, a name with its options.
///
/// ```
/// use secant_core::description::Description;
///
/// let text = "input = 2\nloss = 'softmax'\npenalty = { ridge = 1e-3 }\n[[node]]\nname = 'y'\nop = 'dense'\noutputs = 3";
/// let description = Description::from_toml(text)?;
/// assert_eq!(description.loss.as_ref().map(|loss| loss.name()), Some("softmax"));
/// let penalty = description.penalty.as_ref().expect("it is there");
/// assert_eq!((penalty.name(), penalty.options::<f64>()), ("ridge", Some(1e-3)));
/// # Ok::<(), secant_core::description::DescriptionError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    name: String,
    options: Option<Value>,
}

impl Choice {
    /// A name alone.
    pub fn plain(name: &str) -> Self {
        Self { name: name.into(), options: None }
    }

    /// A name whose options are the fields of `options`. `None` where these are no number, text, list or table (a whole number beyond
    /// `i64` is none: TOML has no such), or one is not finite.
    pub fn with_options(name: &str, options: &impl Serialize) -> Option<Self> {
        let options = Value::try_from(options).ok().filter(is_finite)?;
        Some(Self { name: name.into(), options: Some(options) })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its options; `None` where there are none, or where they are no `T`.
    pub fn options<T: DeserializeOwned>(&self) -> Option<T> {
        self.options.clone()?.try_into().ok()
    }

    /// Its options, no options being an empty table; or why they are no `T`.
    pub(crate) fn read_options<T: DeserializeOwned>(&self) -> Result<T, String> {
        let options = self.options.clone().unwrap_or_else(|| Value::Table(Table::new()));
        options.try_into().map_err(|error: toml::de::Error| error.message().to_owned())
    }

    /// Whether there are options.
    pub(crate) fn has_options(&self) -> bool {
        self.options.is_some()
    }

    /// `None` where `value` is neither a text nor a table of one key.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        match value {
            Value::String(name) => Some(Self { name: name.clone(), options: None }),
            Value::Table(table) if table.len() == 1 => {
                let (name, options) = table.iter().next()?;
                Some(Self { name: name.clone(), options: Some(options.clone()) })
            }
            _ => None,
        }
    }
}

/// Whether no number in it is NaN or infinite.
fn is_finite(value: &Value) -> bool {
    match value {
        Value::Float(number) => number.is_finite(),
        Value::Array(items) => items.iter().all(is_finite),
        Value::Table(table) => table.values().all(is_finite),
        _ => true,
    }
}

impl<'de> Deserialize<'de> for Choice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "a name, or a table of one name and its options";
        Self::read(&Value::deserialize(deserializer)?).ok_or_else(|| D::Error::custom(expected))
    }
}

impl Serialize for Choice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(options) = &self.options else { return serializer.serialize_str(&self.name) };
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(&self.name, options)?;
        map.end()
    }
}
