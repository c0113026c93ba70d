//! Numbers as people write them, and fields without one.

use super::super::hint::number_fields;
use super::digits::number;

/// What stands for a missing number, whatever its case; the empty field too.
const MISSING: [&str; 8] = ["?", "na", "n/a", "nan", "null", "none", ".", "#n/a"];
/// What stands for a missing class: others may be names.
const MISSING_NAMES: [&str; 4] = ["?", "na", "n/a", "nan"];

/// Signs for decimals and groups of thousands that are tried for a message, the likely ones first.
const TRIED: [(char, Option<char>); 10] = [
    ('.', None),
    (',', None),
    ('.', Some(',')),
    (',', Some('.')),
    (',', Some(' ')),
    ('.', Some(' ')),
    ('.', Some('\'')),
    (',', Some('\u{a0}')),
    (',', Some('\u{202f}')),
    ('.', Some('_')),
];

/// How the numbers of a file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) struct Numbers {
    pub(in crate::data) decimal: char,
    pub(in crate::data) thousands: Option<char>,
}

impl Numbers {
    pub(in crate::data) fn new(decimal: char, thousands: Option<char>) -> Self {
        Self { decimal, thousands }
    }

    /// The number, which may be infinite; `None` where the text is none.
    pub(in crate::data) fn read(self, text: &str) -> Option<f64> {
        if let Some(value) = self.read_plain(text.as_bytes()) {
            return Some(value);
        }
        if self.decimal == '.' && self.thousands.is_none() {
            return text.parse().ok();
        }
        let (whole, rest) = match text.find([self.decimal, 'e', 'E']) {
            Some(at) => text.split_at(at),
            None => (text, ""),
        };
        let mut plain = match self.thousands {
            Some(sign) => ungrouped(whole, sign)?,
            None => whole.to_owned(),
        };
        // What is a decimal point elsewhere is none here.
        if self.decimal != '.' && self.thousands != Some('.') && text.contains('.') {
            return None;
        }
        match rest.strip_prefix(self.decimal) {
            Some(fraction) => {
                plain.push('.');
                plain.push_str(fraction);
            }
            None => plain.push_str(rest),
        }
        plain.parse().ok()
    }

    /// The signs for decimals and thousands by which all of `texts` are numbers, which they are not as they are read here.
    pub(in crate::data) fn of_all<'a>(
        texts: &(impl Iterator<Item = &'a str> + Clone),
    ) -> Option<(char, Option<char>)> {
        let reads = |(decimal, thousands): &(char, Option<char>)| {
            let reading = Self { decimal: *decimal, thousands: *thousands };
            texts.clone().all(|text| reading.read(text).is_some_and(f64::is_finite))
        };
        TRIED.into_iter().find(reads)
    }

    /// The number, which is finite, where it is digits with a sign, a fraction and an exponent, and not too many of them.
    pub(super) fn read_plain(self, text: &[u8]) -> Option<f64> {
        let decimal = u8::try_from(self.decimal).ok().filter(u8::is_ascii)?;
        number(text, decimal).filter(|&(_, end)| end == text.len()).map(|(value, _)| value)
    }

    /// What may help where `text` is no number: options by which it is one.
    pub(super) fn hint(self, text: &str) -> String {
        let found = self.other_readings(text);
        if found.is_empty() {
            return String::new();
        }
        let options = |(reading, value): &(Self, f64)| {
            format!("{value}, `CsvOptions {{ {}.. }}`", reading.fields())
        };
        format!(": is it {}?", found.iter().map(options).collect::<Vec<_>>().join(", or "))
    }

    /// Other ways to write numbers by which `text` is one, each with a number of its own.
    pub(in crate::data) fn other_readings(self, text: &str) -> Vec<(Self, f64)> {
        let mut found: Vec<(Self, f64)> = Vec::new();
        for reading in TRIED.map(|(decimal, thousands)| Self { decimal, thousands }) {
            let value = reading.read(text).filter(|value| value.is_finite());
            // The shorter of two ways to the same number comes first.
            if let Some(value) = value
                && reading != self
                && !found.iter().any(|(_, other)| *other == value)
            {
                found.push((reading, value));
            }
        }
        found
    }

    /// As fields of options, in code.
    fn fields(self) -> String {
        number_fields(self.decimal, self.thousands)
    }
}

/// `text` without the sign between groups of three digits; `None` where other groups stand there.
fn ungrouped(text: &str, sign: char) -> Option<String> {
    if !text.contains(sign) {
        return Some(text.to_owned());
    }
    let digits = text.trim_start_matches(['+', '-']);
    let mut groups = digits.split(sign).enumerate();
    let good = |(index, group): (usize, &str)| {
        let length = if index == 0 { (1..=3).contains(&group.len()) } else { group.len() == 3 };
        length && group.bytes().all(|byte| byte.is_ascii_digit())
    };
    groups.all(good).then(|| text.replace(sign, ""))
}

/// Whether the field says that there is no number.
pub(in crate::data) fn is_missing(text: &str) -> bool {
    text.is_empty() || MISSING.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Whether the field says that there is no class, where `names` are those expected.
pub(in crate::data) fn is_missing_name(text: &str, names: &[String]) -> bool {
    let word = || MISSING_NAMES.iter().any(|word| text.eq_ignore_ascii_case(word));
    text.is_empty() || (word() && !names.iter().any(|name| name == text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_and_thousands_are_read_as_written_and_nothing_else_is() {
        let german = Numbers { decimal: ',', thousands: Some('.') };
        let french = Numbers { decimal: ',', thousands: Some('\u{202f}') };
        let english = Numbers { decimal: '.', thousands: Some(',') };
        let comma = Numbers { decimal: ',', thousands: None };
        for (numbers, text, value) in [
            (german, "1.234.567,25", Some(1_234_567.25)),
            (german, "-1.234", Some(-1234.0)),
            (german, "0,5e-3", Some(0.5e-3)),
            (german, "1.23", None),
            (german, "1.2345", None),
            (german, "1234.567", None),
            (german, "1,234.5", None),
            (german, "1,2,3", None),
            (french, "12\u{202f}345,5", Some(12345.5)),
            (french, "1.5", None),
            (english, "1,234.5", Some(1234.5)),
            (english, "1234.5", Some(1234.5)),
            (english, "12,34", None),
            (english, ",123", None),
            (english, "1,234e2", Some(123_400.0)),
            (comma, "1,5", Some(1.5)),
            (comma, "1.5", None),
            (comma, "1.000", None),
            (comma, "-,5", Some(-0.5)),
            (comma, "+7", Some(7.0)),
            (comma, "1,5e3,2", None),
        ] {
            assert_eq!(numbers.read(text), value, "{numbers:?} {text}");
        }
    }

    #[test]
    fn a_hint_names_the_options_by_which_the_text_is_a_number() {
        let plain = Numbers { decimal: '.', thousands: None };
        for (text, wanted) in [
            ("1,5", ": is it 1.5, `CsvOptions { decimal: ',', .. }`?"),
            (
                "1,234",
                ": is it 1.234, `CsvOptions { decimal: ',', .. }`, or 1234, `CsvOptions { thousands: Some(','), .. }`?",
            ),
            ("1.234,5", ": is it 1234.5, `CsvOptions { decimal: ',', thousands: Some('.'), .. }`?"),
            ("1 234.5", ": is it 1234.5, `CsvOptions { thousands: Some(' '), .. }`?"),
            ("12'345", ": is it 12345, `CsvOptions { thousands: Some('\\''), .. }`?"),
            ("1.2.3", ""),
            ("red", ""),
            ("1 2", ""),
        ] {
            assert_eq!(plain.hint(text), wanted, "{text}");
        }
    }
}
