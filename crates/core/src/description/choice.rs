//! A name with options, of something that this module does not know: a loss, a penalty.

use serde::de::DeserializeOwned;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use toml::Value;

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

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its options; `None` where there are none, or where they are no `T`.
    pub fn options<T: DeserializeOwned>(&self) -> Option<T> {
        self.options.clone()?.try_into().ok()
    }

    /// `None` where `value` is neither a text nor a table of one key.
    pub(super) fn read(value: &Value) -> Option<Self> {
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

impl Serialize for Choice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(options) = &self.options else { return serializer.serialize_str(&self.name) };
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(&self.name, options)?;
        map.end()
    }
}
