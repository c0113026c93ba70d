//! Values of options that have parts: `a=1,b=0.1`, `b=0..`, `60s`.

use std::time::Duration;

/// `name=number`.
pub fn assignment(text: &str) -> Result<(String, f64), String> {
    let (name, value) = pair(text)?;
    let number: f64 = value.parse().map_err(|_| format!("expected a number, found `{value}`"))?;
    if number.is_finite() { Ok((name, number)) } else { Err(format!("`{value}` is not finite")) }
}

/// `name=text`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() && !value.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

/// A parameter with the ends of its range.
pub type Range = (String, f64, f64);

/// `name=low..high`, either end may be left out.
pub fn range(text: &str) -> Result<Range, String> {
    let (name, value) = pair(text)?;
    let Some((low, high)) = value.split_once("..") else {
        return Err("expected NAME=LOW..HIGH, where either end may be left out".to_owned());
    };
    let end = |text: &str, none: f64| match text.trim() {
        "" => Ok(none),
        text => match text.parse::<f64>() {
            Ok(number) if !number.is_nan() => Ok(number),
            _ => Err(format!("expected a number, found `{text}`")),
        },
    };
    let (low, high) = (end(low, f64::NEG_INFINITY)?, end(high, f64::INFINITY)?);
    if low <= high { Ok((name, low, high)) } else { Err(format!("{low} is above {high}")) }
}

/// `90`, `90s`, `1.5m`, `2h`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (number, factor) = match text.trim() {
        text if text.ends_with("ms") => (&text[..text.len() - 2], 1e-3),
        text if text.ends_with('s') => (&text[..text.len() - 1], 1.0),
        text if text.ends_with('m') => (&text[..text.len() - 1], 60.0),
        text if text.ends_with('h') => (&text[..text.len() - 1], 3600.0),
        text => (text, 1.0),
    };
    let wrong = || format!("expected a time such as 90s, 1.5m or 2h, found `{text}`");
    let seconds: f64 = number.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(seconds * factor).map_err(|_| wrong())
}

/// A number ≥ 0.
pub fn strength(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value >= 0.0 && value.is_finite() => Ok(value),
        _ => Err("expected a number, 0 or more".to_owned()),
    }
}

/// A number between 0 and 1.
pub fn level(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value < 1.0 => Ok(value),
        _ => Err("expected a number between 0 and 1".to_owned()),
    }
}

/// One ASCII character, `tab` or `space`.
pub fn sign(text: &str) -> Result<u8, String> {
    match text {
        "tab" | "\\t" | "\t" => Ok(b'\t'),
        "space" | " " => Ok(b' '),
        text => match text.as_bytes() {
            [one] if one.is_ascii() => Ok(*one),
            _ => Err("expected one character, `tab` or `space`".to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_and_what_is_none_is_refused() {
        assert_eq!(range("b=0.."), Ok(("b".to_owned(), 0.0, f64::INFINITY)));
        assert_eq!(range("b=..1e3"), Ok(("b".to_owned(), f64::NEG_INFINITY, 1e3)));
        assert_eq!(range("b=-1..-0.5"), Ok(("b".to_owned(), -1.0, -0.5)));
        for text in ["b", "b=1", "b=2..1", "b=x..", "b=NaN..", "=0..1"] {
            assert!(range(text).is_err(), "{text}");
        }
        assert_eq!(assignment(" a = 1e-3"), Ok(("a".to_owned(), 1e-3)));
        for text in ["a", "a=", "a=x", "a=inf", "=1"] {
            assert!(assignment(text).is_err(), "{text}");
        }
        let seconds = |text| duration(text).map(|time| time.as_secs_f64());
        assert_eq!(seconds("1.5m"), Ok(90.0));
        assert_eq!(seconds("250ms"), Ok(0.25));
        assert_eq!((seconds("3"), seconds("2h")), (Ok(3.0), Ok(7200.0)));
        assert!(["", "s", "-1s", "NaN", "1e400s"].into_iter().all(|text| duration(text).is_err()));
        assert_eq!((sign("tab"), sign(";")), (Ok(b'\t'), Ok(b';')));
        assert!(sign("é").is_err() && sign("ab").is_err() && sign("").is_err());
    }
}
