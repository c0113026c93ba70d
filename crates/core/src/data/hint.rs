//! What may help against an error: options of a reader, as data and as words.

use std::fmt;

/// A way out of an error, as an option of a reader. A program with a command line of its own says it in the words of that.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Remedy {
    /// This stands between two fields.
    Delimiter(u8),
    /// Lines that begin with this are comments.
    Comment(u8),
    /// Numbers are written like this.
    Numbers {
        /// Before the fraction.
        decimal: char,
        /// Between groups of three digits.
        thousands: Option<char>,
        /// The number that the text in the error is then.
        value: f64,
    },
    /// This column holds texts.
    Categorical(String),
}

/// The end of an error's sentence: nothing, or what may help after a colon.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hint {
    words: String,
    remedies: Vec<Remedy>,
}

impl Hint {
    /// The ways out that are options.
    pub fn remedies(&self) -> &[Remedy] {
        &self.remedies
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

impl From<Vec<Remedy>> for Box<Hint> {
    /// One way out or several, each in the words of `TableOptions`.
    fn from(remedies: Vec<Remedy>) -> Self {
        let words = match &remedies[..] {
            [] => String::new(),
            [delimiter @ Remedy::Delimiter(sign)] => {
                format!(": is the delimiter `{}`? {delimiter}", sign.escape_ascii())
            }
            [comment @ Remedy::Comment(_)] => {
                format!(": a comment? {comment} leaves such lines out")
            }
            several => {
                let each = |remedy: &Remedy| match remedy {
                    Remedy::Numbers { value, .. } => format!("is it {value}, {remedy}"),
                    Remedy::Categorical(_) => format!("a text, {remedy}"),
                    other => other.to_string(),
                };
                format!(": {}?", several.iter().map(each).collect::<Vec<_>>().join(", or "))
            }
        };
        Box::new(Hint { words, remedies })
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl fmt::Display for Remedy {
    /// As code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`TableOptions { ")?;
        match self {
            Self::Delimiter(sign) => write!(f, "delimiter: Some(b'{}'), ", sign.escape_ascii())?,
            Self::Comment(sign) => write!(f, "comment: Some(b'{}'), ", sign.escape_ascii())?,
            Self::Numbers { decimal, thousands, .. } => {
                f.write_str(&number_fields(*decimal, *thousands))?;
            }
            Self::Categorical(column) => {
                write!(
                    f,
                    "categorical: vec![{:?}.into()], ",
                    crate::text::quoted(column).to_string()
                )?;
            }
        }
        f.write_str(".. }`")
    }
}

/// How numbers are written, as fields of options in code.
pub(super) fn number_fields(decimal: char, thousands: Option<char>) -> String {
    let decimal = match (decimal, thousands) {
        ('.', Some(_)) => String::new(),
        (sign, _) => format!("decimal: {sign:?}, "),
    };
    decimal + &thousands.map_or(String::new(), |sign| format!("thousands: Some({sign:?}), "))
}

impl From<String> for Box<Hint> {
    fn from(words: String) -> Self {
        Box::new(Hint { words, remedies: Vec::new() })
    }
}

impl From<&str> for Box<Hint> {
    fn from(words: &str) -> Self {
        words.to_owned().into()
    }
}
