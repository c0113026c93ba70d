//! The table that a person reads.

use super::{Estimate, Inference, Status};
use std::fmt;

/// Correlations from here on are named.
const HIGH: f64 = 0.9;
/// Most of them.
const SHOWN: usize = 12;
/// Digits of an error, and of a number without one.
const ERROR_DIGITS: i32 = 2;
const PLAIN_DIGITS: i32 = 6;
/// Powers of ten that are written out.
const WRITTEN_OUT: std::ops::Range<i32> = -4..7;
/// Most digits of a number that is written out.
const LONGEST: i32 = 15;

/// `value ± error` with the two digits of the error that count and the value to the same place, with a common power of ten where the
/// numbers are far from 1.
///
/// ```
/// use secant_optim::inference::rounded;
/// assert_eq!(rounded(2.413_82, 0.001_74), "2.4138 ± 0.0017");
/// assert_eq!(rounded(5.501_564_3e-7, 7.266_868e-9), "(5.502 ± 0.073)e-7");
/// assert_eq!(rounded(238.942_129, 2.7070), "238.9 ± 2.7");
/// ```
pub fn rounded(value: f64, error: f64) -> String {
    match shared_digits(value, error) {
        None => format!("{} ± {}", plain(value), plain(error)),
        Some((0, places)) => format!("{value:.places$} ± {error:.places$}"),
        Some((power, places)) => {
            let scale = 10_f64.powi(power);
            let (value, error) = (value / scale, error / scale);
            format!("({value:.places$} ± {error:.places$})e{power}")
        }
    }
}

/// Both ends of an interval to the digits of the error of `value`: `2.4098 … 2.4178`.
pub fn rounded_interval((low, high): (f64, f64), value: f64, error: f64) -> String {
    match shared_digits(value, error) {
        None => format!("{} … {}", plain(low), plain(high)),
        Some((0, places)) => format!("{low:.places$} … {high:.places$}"),
        Some((power, places)) => {
            let scale = 10_f64.powi(power);
            format!("({:.places$} … {:.places$})e{power}", low / scale, high / scale)
        }
    }
}

/// The power of ten to take out (0: none) and the decimals that are left; `None` where the error says nothing of the digits.
fn shared_digits(value: f64, error: f64) -> Option<(i32, usize)> {
    if !(value.is_finite() && error.is_finite() && error > 0.0) {
        return None;
    }
    // As printed: 0.0996 is 0.10 to two digits.
    let last = exponent(error, ERROR_DIGITS) - (ERROR_DIGITS - 1);
    let top = if value == 0.0 { last } else { exponent(value, PLAIN_DIGITS) };
    let top = top.max(exponent(error, ERROR_DIGITS));
    let written_out = WRITTEN_OUT.contains(&top) && last <= 0 && last > -LONGEST;
    let power = if written_out { 0 } else { top };
    let places = usize::try_from(power - last).unwrap_or(0);
    // More digits than a number has: the error is rounding.
    (top - last < LONGEST + 2).then_some((power, places))
}

/// The power of ten of the first of so many digits.
fn exponent(x: f64, digits: i32) -> i32 {
    let places = usize::try_from(digits - 1).unwrap_or(0);
    let text = format!("{x:.places$e}");
    text.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or(0)
}

/// Six digits, without zeros at the end.
fn plain(x: f64) -> String {
    significant(x, PLAIN_DIGITS)
}

/// `x` to so many digits, without zeros at the end; with a power of ten where it is far from 1.
///
/// ```
/// use secant_optim::inference::significant;
/// assert_eq!(significant(238.942_129, 4), "238.9");
/// assert_eq!(significant(5.5e-7, 4), "5.5e-7");
/// ```
pub fn significant(x: f64, digits: i32) -> String {
    if !x.is_finite() || x == 0.0 {
        return format!("{x}");
    }
    let places = usize::try_from(digits - 1).unwrap_or(0);
    let short: f64 = format!("{x:.places$e}").parse().unwrap_or(x);
    if WRITTEN_OUT.contains(&exponent(x, digits)) {
        format!("{short}")
    } else {
        format!("{short:e}")
    }
}

/// A probability to four decimals, a small one to two digits; nothing where it is NaN.
pub fn probability(p: f64) -> String {
    if p.is_nan() {
        String::new()
    } else if p < 1e-16 {
        "< 1e-16".to_owned()
    } else if p < 1e-4 {
        format!("{p:.1e}")
    } else {
        format!("{p:.4}")
    }
}

fn around(value: f64, half: f64) -> (f64, f64) {
    (value - half, value + half)
}

impl Inference {
    /// The cells of estimate j; `quantile` is that of the intervals.
    fn row(&self, j: usize, quantile: f64) -> Vec<String> {
        let estimate = &self.estimates[j];
        let Estimate { name, value, standard_error, status, start } = estimate;
        let start = start.map_or(String::new(), plain);
        let bare = |why: &str| {
            vec![
                name.clone(),
                format!("{} ({why})", plain(*value)),
                String::new(),
                String::new(),
                String::new(),
                start.clone(),
            ]
        };
        match status {
            Status::AtBound => bare("at its bound"),
            Status::Fixed => bare("fixed"),
            Status::Open => bare("not determined"),
            Status::Estimated if standard_error.is_nan() => bare("no error"),
            Status::Estimated => vec![
                name.clone(),
                rounded(*value, *standard_error),
                rounded_interval(
                    around(*value, quantile * standard_error),
                    *value,
                    *standard_error,
                ),
                format!("{:.2}", self.t(j)),
                probability(self.p(j)),
                start,
            ],
        }
    }

    /// Pairs of estimates whose correlation is beyond ±0.9, the strongest first.
    pub fn high_correlations(&self) -> Vec<(usize, usize, f64)> {
        let k = self.estimates.len();
        let pairs = (0..k).flat_map(|i| (i + 1..k).map(move |j| (i, j)));
        let all = pairs.map(|(i, j)| (i, j, self.correlation(i, j)));
        let mut high: Vec<_> = all.filter(|(.., r)| r.abs() > HIGH).collect();
        high.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()));
        high
    }
}

impl fmt::Display for Inference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = plain(100.0 * self.level);
        let head = [
            "parameter",
            "value ± error",
            &format!("{percent} % interval"),
            if self.absolute_sigma { "z" } else { "t" },
            "p",
            "start",
        ];
        // One for all: it is found by iteration.
        let quantile = self.quantile(self.level);
        let rows: Vec<Vec<String>> =
            (0..self.estimates.len()).map(|j| self.row(j, quantile)).collect();
        let shown: Vec<usize> = (0..head.len())
            .filter(|c| *c < 2 || rows.iter().any(|row| !row[*c].is_empty()))
            .collect();
        let length = |text: &str| text.chars().count();
        let widths: Vec<usize> = (0..head.len())
            .map(|c| {
                rows.iter().map(|row| length(&row[c])).chain([length(head[c])]).max().unwrap_or(0)
            })
            .collect();
        let line = |cells: &[&str]| {
            let cell = |c: &usize| format!("{:<1$}", cells[*c], widths[*c]);
            let text = shown.iter().map(cell).collect::<Vec<_>>().join("  ");
            text.trim_end().to_owned()
        };
        writeln!(f, "{}", line(&head))?;
        for row in &rows {
            writeln!(f, "{}", line(&row.iter().map(String::as_str).collect::<Vec<_>>()))?;
        }
        write!(
            f,
            "{} observations, {} degrees of freedom, residual deviation {}",
            self.observations,
            plain(self.degrees),
            plain(self.residual_deviation)
        )?;
        let measures = &self.measures;
        if !measures.r_squared.is_nan() {
            write!(
                f,
                "\nR² {:.6}, adjusted {:.6}",
                measures.r_squared, measures.adjusted_r_squared
            )?;
        }
        if !measures.chi_squared.is_nan() {
            write!(
                f,
                "\nχ² {}, p {}",
                plain(measures.chi_squared),
                probability(measures.chi_squared_p)
            )?;
        }
        write!(
            f,
            "\nln L {}, AIC {}, AICc {}, BIC {}",
            plain(measures.log_likelihood),
            plain(measures.aic),
            plain(measures.aicc),
            plain(measures.bic)
        )?;
        if let Some(sandwich) = self.sandwich {
            write!(f, "\nerrors by {}", sandwich.name())?;
        }
        let high = self.high_correlations();
        if !high.is_empty() {
            let name = |j: usize| &self.estimates[j].name;
            let one =
                |(i, j, r): &(usize, usize, f64)| format!("{} and {} {r:.4}", name(*i), name(*j));
            let all: Vec<String> = high.iter().take(SHOWN).map(one).collect();
            let more = high.len().saturating_sub(SHOWN);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            write!(f, "\ncorrelations beyond 0.9: {}{more}", all.join(", "))?;
        }
        for direction in &self.open_directions {
            write!(f, "\nnot determined: {direction}")?;
        }
        for note in &self.notes {
            write!(f, "\n{note}")?;
        }
        Ok(())
    }
}
