//! Foreign text as messages repeat it and as tables and pictures show it, and the name that a misspelt one may have meant.
//!
//! What a message quotes may come from any file: it is cut, and what a terminal would obey or hide is escaped.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::path::Path;

/// Characters of a name or a field that a message, a table or a picture shows. Names come from files and may have any length, widths of
/// columns are counted in `u16`.
pub const LONGEST: usize = 60;
/// Most characters of a parser's message, or of a path.
pub const SENTENCE_CHARS: usize = 400;
/// Most names of a list.
const LISTED: usize = 20;
/// Most names among which a misspelt one is looked for.
const COMPARED: usize = 10_000;
/// A misspelling changes one letter in so many at most.
const LETTERS_PER_ERROR: usize = 3;

/// A foreign text for a message: see [`quoted`].
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a> {
    text: &'a str,
    limit: usize,
}

/// `text` for a message: its first [`LONGEST`] characters, `…` where there are more, and control characters, line ends and what
/// turns or hides text escaped.
///
/// ```
/// use secant_core::text::quoted;
/// assert_eq!(quoted("cement").to_string(), "cement");
/// assert_eq!(quoted("a\n\u{1b}[31mb").to_string(), "a\\n\\u{1b}[31mb");
/// assert_eq!(quoted(&"é".repeat(1_000_000)).to_string().chars().count(), 61);
/// ```
pub fn quoted(text: &str) -> Quoted<'_> {
    Quoted { text, limit: LONGEST }
}

/// The same for a sentence, as a parser's own message: its first [`SENTENCE_CHARS`] characters.
pub fn sentence(text: &str) -> Quoted<'_> {
    Quoted { text, limit: SENTENCE_CHARS }
}

/// A path, as [`sentence`] has it.
pub fn path(path: &Path) -> String {
    sentence(&path.to_string_lossy()).to_string()
}

/// Bytes that should be text, as [`quoted`] has it; what is not UTF-8 is replaced.
pub fn quoted_bytes(bytes: &[u8]) -> String {
    // Four bytes hold any character: no need to decode a whole line for its first few.
    let head = &bytes[..bytes.len().min(4 * (LONGEST + 1))];
    quoted(&String::from_utf8_lossy(head)).to_string()
}

/// `text` for one cell of a table or one line of a picture: at most `longest` characters, the last of them … where there were more;
/// control characters, which would break the line, as �.
///
/// ```
/// use secant_core::text::cut;
///
/// assert_eq!(cut("compressive strength", 12), "compressive…");
/// assert_eq!(cut("age\n(days)", 12), "age\u{fffd}(days)");
/// ```
pub fn cut(text: &str, longest: usize) -> Cow<'_, str> {
    let end = text.char_indices().nth(longest).map(|(end, _)| end);
    // Control characters beyond the cut do not matter.
    let shown = &text[..end.unwrap_or(text.len())];
    if end.is_none() && !shown.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let kept = if end.is_some() { longest.saturating_sub(1) } else { longest };
    let plain = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut short: String = shown.chars().take(kept).map(plain).collect();
    if end.is_some() && longest > 0 {
        short.push('…');
    }
    Cow::Owned(short)
}

/// A list of names for a message: `["a", "b"]`, and how many more there are behind the first twenty.
///
/// ```
/// use secant_core::text::list;
/// assert_eq!(list(["a", "b\t"]), r#"["a", "b\t"]"#);
/// ```
pub fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    format!("[{}]", joined(names, "\""))
}

/// The same without brackets and quotes: `a, b`.
pub fn enumerated<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    joined(names, "")
}

fn joined<'a>(names: impl IntoIterator<Item = &'a str>, quote: &str) -> String {
    let mut names = names.into_iter();
    let mut parts: Vec<String> =
        names.by_ref().take(LISTED).map(|name| format!("{quote}{}{quote}", quoted(name))).collect();
    match names.count() {
        0 => {}
        more => parts.push(format!("… {more} more")),
    }
    parts.join(", ")
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.text.chars();
        for character in characters.by_ref().take(self.limit) {
            if obeyed_or_hidden(character) {
                write!(f, "{}", character.escape_default())?;
            } else {
                f.write_char(character)?;
            }
        }
        if characters.next().is_some() { f.write_char('…') } else { Ok(()) }
    }
}

/// Whether a terminal obeys the character instead of showing it, shows nothing, or turns what follows.
fn obeyed_or_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// The one of `known` that `name` most likely stands for: the same but for case and the signs `_`, `-`, `.` and blank, or with the fewest
/// letters changed, left out, put in or swapped, at most one in three. The first of several; `None` where none is near.
///
/// ```
/// use secant_core::text::nearest;
/// assert_eq!(nearest("targte", ["a", "target"]), Some("target"));
/// assert_eq!(nearest("Fly Ash", ["fly_ash", "flash"]), Some("fly_ash"));
/// assert_eq!(nearest("y", ["x", "z"]), None);
/// ```
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = plain(name)?;
    let mut best: Option<(usize, &str)> = None;
    for candidate in known.into_iter().take(COMPARED) {
        let Some(letters) = plain(candidate) else { continue };
        let longer = name.len().max(letters.len());
        let allowed = (longer / LETTERS_PER_ERROR)
            .min(best.map_or(usize::MAX, |(distance, _)| distance.saturating_sub(1)));
        if best.is_some_and(|(distance, _)| distance == 0)
            || longer - name.len().min(letters.len()) > allowed
        {
            continue;
        }
        let distance = edits(&name, &letters);
        if distance <= allowed {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The end of a message about an unknown name: ``: did you mean `target`?``, or nothing where no name is near.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, known)
        .map_or(String::new(), |known| format!(": did you mean `{}`?", quoted(known)))
}

/// A name that nothing has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// What was named: activation, link, ….
    pub what: &'static str,
    /// The name.
    pub name: String,
    /// The end of a sentence about the name that was meant, as [`did_you_mean`] has it.
    pub nearest: String,
    /// The names that there are.
    pub known: Vec<&'static str>,
}

impl std::error::Error for UnknownName {}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, name, nearest, known } = self;
        let colon = if nearest.is_empty() { ":" } else { "" };
        let (name, known) = (quoted(name), known.join(", "));
        write!(f, "no {what} `{name}`{nearest}{colon} there are {known}")
    }
}

/// What has this name in `list`, in upper or lower case, with `-` or `_` between words.
///
/// # Errors
/// [`UnknownName`] with the names that there are.
pub fn by_name<T: Copy>(
    what: &'static str,
    name: &str,
    list: &[(&'static str, T)],
) -> Result<T, UnknownName> {
    let spelt = name.replace('_', "-");
    let found = list.iter().find(|(known, _)| known.eq_ignore_ascii_case(&spelt));
    found.map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<&'static str> = list.iter().map(|(known, _)| *known).collect();
        let nearest = did_you_mean(name, known.iter().copied());
        UnknownName { what, name: name.to_owned(), nearest, known }
    })
}

/// Whether `pattern` is `name`, or fits all of it: `*` stands for any text, `?` for one character, all else for itself.
///
/// ```
/// use secant_core::text::matches;
/// assert!(matches("x*", "x12") && matches("*_mean", "age_mean") && matches("x?", "x1"));
/// assert!(!matches("x?", "x12") && !matches("x*", "y1"));
/// ```
pub fn matches(pattern: &str, name: &str) -> bool {
    if pattern == name {
        return true;
    }
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut of) = (0, 0);
    // The last star, and where in the name what it stands for ends so far.
    let mut star: Option<(usize, usize)> = None;
    while of < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, of));
                at += 1;
            }
            Some(&sign) if sign == '?' || sign == name[of] => (at, of) = (at + 1, of + 1),
            _ => {
                let Some((place, end)) = star else { return false };
                (at, of, star) = (place + 1, end + 1, Some((place, end + 1)));
            }
        }
    }
    pattern[at..].iter().all(|sign| *sign == '*')
}

/// The letters that two spellings of one name share; `None` for none, or for more than a name has.
fn plain(name: &str) -> Option<Vec<char>> {
    let letters = name.chars().take(LONGEST + 1).flat_map(char::to_lowercase);
    let letters: Vec<char> =
        letters.filter(|letter| !matches!(letter, '_' | '-' | '.' | ' ')).collect();
    (1..=LONGEST).contains(&letters.len()).then_some(letters)
}

/// Letters changed, left out, put in, or swapped with their neighbour (optimal string alignment).
fn edits(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for (i, &from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &to) in b.iter().enumerate() {
            let changed = previous[j] + usize::from(from != to);
            let mut least = changed.min(previous[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && from == b[j - 1] && a[i - 1] == to {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut previous, row);
    }
    previous[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_quoted_is_short_and_shows_every_character_that_acts() {
        let acting = "\u{0}\u{7}\u{1b}\u{7f}\u{9b}\u{202e}\u{2066}\u{200b}\u{feff}\r\n\t";
        for text in [acting.to_owned(), "\u{1b}".repeat(10_000), "é\u{202e}".repeat(10_000)] {
            for shown in [quoted(&text).to_string(), quoted_bytes(text.as_bytes()), list([&*text])]
            {
                assert!(!shown.chars().any(obeyed_or_hidden), "{shown}");
                assert!(shown.len() < 12 * LONGEST, "{}", shown.len());
            }
        }
        assert_eq!(quoted("plain é ≤ 漢").to_string(), "plain é ≤ 漢");
        assert_eq!(quoted_bytes(b"a\xffb"), "a\u{fffd}b");
        let exactly = "x".repeat(LONGEST);
        assert_eq!(quoted(&exactly).to_string(), exactly);
        assert_eq!(quoted_bytes(exactly.as_bytes()), exactly);
        let many = vec!["n"; 1000];
        assert!(list(many.iter().copied()).ends_with("\"n\", … 980 more]"));
    }

    #[test]
    fn a_misspelt_name_is_found_and_a_strange_one_is_not() {
        let known = ["target", "cement", "fly_ash", "x1", "x2", "Age"];
        for (name, wanted) in [
            ("traget", Some("target")),
            ("Target", Some("target")),
            ("targets", Some("target")),
            ("taget", Some("target")),
            ("ement", Some("cement")),
            ("flyash", Some("fly_ash")),
            ("fly-Ash ", Some("fly_ash")),
            ("age", Some("Age")),
            ("X2", Some("x2")),
            ("x3", None),
            ("price", None),
            ("", None),
            ("_", None),
        ] {
            assert_eq!(nearest(name, known), wanted, "{name}");
        }
        // The exact but for case comes before one that is merely near.
        assert_eq!(nearest("abc", ["abd", "ABC"]), Some("ABC"));
        assert_eq!(nearest(&"t".repeat(1_000_000), known), None);
        assert_eq!(did_you_mean("tarjet", known), ": did you mean `target`?");
        assert_eq!(did_you_mean("price", known), "");
    }

    #[test]
    fn edits_equal_the_distances_of_the_textbook() {
        let between = |a: &str, b: &str| {
            edits(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>())
        };
        for (a, b, distance) in [
            ("kitten", "sitting", 3),
            ("saturday", "sunday", 3),
            ("ca", "abc", 3),
            ("ab", "ba", 1),
            ("", "abc", 3),
            ("same", "same", 0),
        ] {
            assert_eq!((between(a, b), between(b, a)), (distance, distance), "{a} {b}");
        }
    }

    #[test]
    fn a_pattern_fits_as_in_a_shell() {
        for (pattern, name, fits) in [
            ("zip", "zip", true),
            ("zip", "zip2", false),
            ("zip*", "zip2", true),
            ("*_code", "area_code", true),
            ("*_code", "code", false),
            ("q?", "q1", true),
            ("q?", "q10", false),
            ("*a*b", "xaybzb", true),
            ("*a*b", "xaybz", false),
            ("*", "", true),
            ("?", "é", true),
            ("a*?", "a", false),
            ("what?*", "what?*", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn what_fits_stays_and_what_does_not_has_exactly_the_length_asked_for() {
        assert!(matches!(cut("θ₁θ₂", 4), Cow::Borrowed("θ₁θ₂")));
        assert_eq!(cut("θ₁θ₂", 3), "θ₁…");
        assert_eq!(cut("ab", 1), "…");
        assert_eq!(cut("ab", 0), "");
        assert_eq!(cut(&"汉".repeat(70_000), LONGEST).chars().count(), LONGEST);
    }
}
