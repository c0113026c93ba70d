//! Why a text is no formula, with the place in it.

use crate::text::{did_you_mean, enumerated, quoted};
use std::fmt;

/// Characters of the text that a message shows on either side of the place.
const AROUND: usize = 60;

/// Why a text is no formula.
///
/// `Display` gives the sentence, the text and a caret under the character that it is about:
///
/// ```
/// use secant_core::formula::Formula;
///
/// let error = Formula::new("a*exq(-b*x)", &["x"]).unwrap_err();
/// assert_eq!(error.position(), Some(2));
/// assert_eq!(
///     error.to_string(),
///     "character 3: there is no function `exq`: did you mean `exp`?\n  a*exq(-b*x)\n    ^"
/// );
/// ```
#[derive(Clone, PartialEq)]
pub struct FormulaError {
    kind: FormulaErrorKind,
    /// The text and the index of a character in it.
    place: Option<(String, usize)>,
}

/// What is wrong, without the place.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FormulaErrorKind {
    /// A text without anything in it.
    #[error("the formula is empty")]
    Empty,
    /// No outputs were given.
    #[error("there is no formula in the list")]
    NoOutputs,
    /// Something else than what may stand there.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What may stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A character that no formula has.
    #[error("a formula has no `{}`", quoted(&.0.to_string()))]
    Character(char),
    /// A name before a parenthesis that is no function.
    #[error("there is no function `{}`{hint}", quoted(name))]
    UnknownFunction {
        /// The name.
        name: String,
        /// `: did you mean …?`, or nothing.
        hint: String,
    },
    /// Another number of arguments than the function takes.
    #[error("`{function}` takes {expected}, found {found}")]
    Arguments {
        /// The function.
        function: &'static str,
        /// How many it takes, in words.
        expected: &'static str,
        /// How many there are.
        found: usize,
    },
    /// The name of a function without its argument.
    #[error("`{0}` is a function: write {0}(…)")]
    FunctionAlone(&'static str),
    /// A comparison, `and`, `or` or `not` where a number is wanted.
    #[error("`{0}` gives no number: conditions stand first in if(condition, a, b) only")]
    ConditionOutside(&'static str),
    /// A comparison of a comparison.
    #[error("`{0}` compares a comparison: write a < b and b < c")]
    Chained(&'static str),
    /// A number where a condition is wanted.
    #[error("`{0}` wants conditions on its sides, as in `x > 0`, and found a number")]
    NumberAsCondition(&'static str),
    /// The first argument of `if` is a number.
    #[error("the first argument of `if` is a condition, as in if(x > 0, a, b), and found a number")]
    NoCondition,
    /// A number beyond what an `f64` holds.
    #[error("the number {} {}", quoted(text), if *large { "is larger than 1.8e308" } else { "is smaller than 5e-324 and not 0" })]
    NumberRange {
        /// As it was written.
        text: String,
        /// Whether it is too large; otherwise it is too small.
        large: bool,
    },
    /// Digits and signs that make no number.
    #[error("`{}` is no number", quoted(.0))]
    NoNumber(String),
    /// Parentheses, signs and powers within each other.
    #[error("more than {0} parentheses, signs and powers are nested here")]
    TooDeep(usize),
    /// More operations than a formula may have.
    #[error("the formula has more than {0} numbers, names and operations")]
    TooLong(usize),
    /// A backquote without another one, or without a name behind it.
    #[error("a name begins with a backquote and ends with one, as in `time (s)`")]
    OpenName,
    /// A feature whose name is no name.
    #[error("the feature `{}` cannot stand in a formula: a name has a letter or more, and no backquote", quoted(.0))]
    FeatureName(String),
    /// A feature whose name means something else.
    #[error(
        "the feature cannot be called `{}`: in a formula that is {meaning}; call it otherwise",
        quoted(name)
    )]
    ReservedFeature {
        /// The name.
        name: String,
        /// What it means.
        meaning: &'static str,
    },
    /// Two features of one name.
    #[error("there are two features called `{}`", quoted(.0))]
    DuplicateFeature(String),
    /// A replacement for something that is no parameter.
    #[error("there is no parameter `{}` to replace (there are: {known}){hint}", quoted(name))]
    UnknownParameter {
        /// The name.
        name: String,
        /// The parameters.
        known: String,
        /// `: did you mean …?`, or nothing.
        hint: String,
    },
    /// A feature that is to be replaced.
    #[error("`{}` is a feature of the data: only parameters can be replaced", quoted(.0))]
    ReplacedFeature(String),
    /// Two replacements for one parameter.
    #[error("there are two replacements for `{}`", quoted(.0))]
    DuplicateReplacement(String),
    /// Replacements that need each other.
    #[error("the replacements go in a circle: {0}")]
    Circle(String),
    /// A replacement by a number that is NaN or infinite.
    #[error("`{}` cannot be replaced by {value}", quoted(name))]
    NotFinite {
        /// The parameter.
        name: String,
        /// The number.
        value: f64,
    },
}

impl FormulaError {
    pub(super) fn at(text: &str, position: usize, kind: FormulaErrorKind) -> Self {
        Self { kind, place: Some((text.to_owned(), position)) }
    }

    pub(super) fn without_place(kind: FormulaErrorKind) -> Self {
        Self { kind, place: None }
    }

    pub(super) fn unknown_parameter<'a>(
        name: &str,
        known: impl Iterator<Item = &'a str> + Clone,
    ) -> Self {
        Self::without_place(FormulaErrorKind::UnknownParameter {
            name: name.to_owned(),
            known: enumerated(known.clone()),
            hint: did_you_mean(name, known),
        })
    }

    /// What is wrong.
    pub fn kind(&self) -> &FormulaErrorKind {
        &self.kind
    }

    /// The index of the character that the error is about, from 0; the text's length where it ends too early, `None` where the error
    /// is about no place in the text.
    pub fn position(&self) -> Option<usize> {
        self.place.as_ref().map(|(_, position)| *position)
    }
}

impl fmt::Display for FormulaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((text, position)) = &self.place else { return self.kind.fmt(f) };
        let first = position.saturating_sub(AROUND);
        let plain = |c: char| if c.is_control() || c.is_whitespace() { ' ' } else { c };
        let shown: String = text.chars().skip(first).take(2 * AROUND).map(plain).collect();
        let before = if first > 0 { "…" } else { "" };
        let after = if text.chars().count() > first + 2 * AROUND { "…" } else { "" };
        let caret = " ".repeat(position - first + before.chars().count());
        write!(f, "character {}: {}\n  {before}{shown}{after}\n  {caret}^", position + 1, self.kind)
    }
}

impl fmt::Debug for FormulaError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for FormulaError {}
