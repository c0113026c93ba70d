//! Numbers as text.

use secant_optim::inference::significant;

/// Digits of a number in a table.
const DIGITS: i32 = 6;
/// Digits of a number that is shown beside its mark.
const FEW: i32 = 4;

/// Six digits with a true minus sign; a dash for what is no number.
pub(super) fn number(x: f64) -> String {
    digits(x, DIGITS)
}

/// Four digits of it.
pub(super) fn brief(x: f64) -> String {
    digits(x, FEW)
}

fn digits(x: f64, digits: i32) -> String {
    if x.is_nan() {
        return "–".to_owned();
    }
    minus(&significant(x, digits)).replace("inf", "∞")
}

/// So many decimals; no −0.
pub(super) fn decimals(x: f64, places: usize) -> String {
    let text = format!("{x:.places$}");
    if x.is_nan() {
        "–".to_owned()
    } else if text.trim_start_matches(['-', '0', '.']).is_empty() {
        text.trim_start_matches('-').to_owned()
    } else {
        minus(&text)
    }
}

/// With a capital.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    first + letters.as_str()
}

/// A text of numbers with true minus signs.
pub(super) fn minus(text: &str) -> String {
    text.replace('-', "−")
}

/// A share as a percentage.
pub(super) fn percent(share: f64) -> String {
    if share.is_nan() { "–".to_owned() } else { format!("{:.1}\u{a0}%", 100.0 * share) }
}

/// A count with its noun.
pub(super) fn count(n: u64, noun: &str) -> String {
    let ending = if n == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", grouped(n))
}

/// Groups of three digits, by narrow spaces that do not break.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (k, digit) in digits.chars().enumerate() {
        // Four digits read well without.
        if k > 0 && digits.len() > 4 && (digits.len() - k).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// `usize` as a count.
pub(super) fn size(n: usize) -> u64 {
    n as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_print() {
        assert_eq!(number(-1_234.567_89), "−1234.57");
        assert_eq!(number(-1.5e-9), "−1.5e−9");
        assert_eq!(number(f64::NAN), "–");
        assert_eq!(number(f64::NEG_INFINITY), "−∞");
        assert_eq!(percent(0.981_5), "98.2\u{a0}%");
        assert_eq!(decimals(-0.004, 2), "0.00");
        assert_eq!(decimals(-0.14, 1), "−0.1");
        assert_eq!(count(1, "step"), "1 step");
        assert_eq!(count(12_345, "step"), "12\u{202f}345 steps");
        assert_eq!(grouped(1030), "1030");
    }
}
