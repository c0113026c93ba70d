//! serde for an `f64` that may be NaN or infinite, which JSON cannot write as a number: then it is a word. Formats that are not for
//! people take the bits as they are. For `#[serde(with = "secant_optim::nonfinite")]`.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Word(String),
}

/// A number, or the word for it.
///
/// # Errors
/// The serializer's.
pub fn serialize<S: Serializer>(x: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if x.is_finite() || !serializer.is_human_readable() {
        serializer.serialize_f64(*x)
    } else {
        serializer.collect_str(x)
    }
}

/// The number, or that of the word.
///
/// # Errors
/// The deserializer's, and a word that is no number.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    if !deserializer.is_human_readable() {
        return f64::deserialize(deserializer);
    }
    match Written::deserialize(deserializer)? {
        Written::Number(x) => Ok(x),
        Written::Word(word) => word.parse().map_err(D::Error::custom),
    }
}

/// The same for a list of numbers: `#[serde(with = "secant_optim::nonfinite::list")]`.
pub mod list {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Entry(#[serde(with = "super")] f64);

    /// The numbers, or the words for them.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(list: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(list.iter().copied().map(Entry))
    }

    /// The numbers, or those of the words.
    ///
    /// # Errors
    /// The deserializer's, and a word that is no number.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let entries = Vec::<Entry>::deserialize(deserializer)?;
        Ok(entries.into_iter().map(|entry| entry.0).collect())
    }
}
