//! The table that a person reads.

use super::fitted::{Coefficient, CoefficientStatus, GlmFit};
use std::fmt;

/// Digits of an error; the estimate has as many decimals.
const ERROR_DIGITS: i32 = 3;
/// Powers of ten that are written out.
const WRITTEN_OUT: std::ops::Range<i32> = -5..7;
/// Below this a p-value is said to be.
const LEAST_P: f64 = 1e-4;
/// The level of the intervals.
const LEVEL: f64 = 0.95;
/// Digits of a number without an error.
const DIGITS: i32 = 6;

/// One column, aligned at the decimal points.
struct Column {
    title: &'static str,
    cells: Vec<String>,
}

/// Characters before the decimal point.
fn before(cell: &str) -> usize {
    cell.split(['.', 'e']).next().unwrap_or_default().chars().count()
}

impl Column {
    /// The cells of one width, with the title at the right.
    fn lines(&self) -> (String, Vec<String>) {
        let numbers = || self.cells.iter();
        let left = numbers().map(|cell| before(cell)).max().unwrap_or(0);
        let right = numbers().map(|cell| cell.chars().count() - before(cell)).max().unwrap_or(0);
        let width = (left + right).max(self.title.chars().count());
        let line = |cell: &String| {
            let indent = width - right - before(cell);
            format!("{:<width$}", format!("{}{cell}", " ".repeat(indent)))
        };
        (format!("{:>width$}", self.title), self.cells.iter().map(line).collect())
    }
}

/// ⌊log₁₀|x|⌋ of x as printed with `digits` digits.
fn exponent(x: f64, digits: i32) -> i32 {
    #[expect(clippy::cast_sign_loss, reason = "positive")]
    let text = format!("{x:.*e}", (digits - 1) as usize);
    text.rsplit('e').next().and_then(|power| power.parse().ok()).unwrap_or(0)
}

/// Decimals to which numbers with this error are written; none where they are not written out.
fn places(error: f64, largest: f64) -> Option<usize> {
    if !(error.is_finite() && error > 0.0 && largest.is_finite()) {
        return None;
    }
    let (own, top) = (exponent(error, ERROR_DIGITS), exponent(largest, DIGITS));
    let fits = WRITTEN_OUT.contains(&own) && (largest == 0.0 || top < WRITTEN_OUT.end);
    fits.then(|| usize::try_from(ERROR_DIGITS - 1 - own).unwrap_or(0))
}

/// A number without an error: six digits.
fn plain(x: f64) -> String {
    if !x.is_finite() {
        return x.to_string().replace("NaN", "–").replace("inf", "∞");
    }
    let power = if x == 0.0 { 0 } else { exponent(x, DIGITS) };
    if !WRITTEN_OUT.contains(&power) {
        return format!("{x:.*e}", (DIGITS - 1) as usize);
    }
    let places = usize::try_from(DIGITS - 1 - power).unwrap_or(0);
    format!("{x:.places$}")
}

fn p_value(p: f64) -> String {
    if p.is_nan() {
        "–".to_owned()
    } else if p < LEAST_P {
        format!("<{LEAST_P}")
    } else {
        format!("{p:.4}")
    }
}

/// Estimate, error, ratio, p and both ends of the interval.
fn cells(one: &Coefficient) -> [String; 6] {
    let (estimate, error) = (one.estimate, one.standard_error);
    match one.status {
        CoefficientStatus::RunsAway { up } => {
            let to = if up { "∞" } else { "−∞" };
            let none = || "–".to_owned();
            [plain(estimate), format!("runs away to {to}"), none(), none(), none(), none()]
        }
        CoefficientStatus::Undetermined => {
            let none = || "–".to_owned();
            [plain(estimate), "not determined".to_owned(), none(), none(), none(), none()]
        }
        CoefficientStatus::Estimated => {
            let [low, high] = one.confidence_interval(LEVEL).unwrap_or([f64::NAN; 2]);
            let largest = estimate.abs().max(low.abs()).max(high.abs());
            let write = |x: f64| match places(error, largest) {
                Some(places) => format!("{x:.places$}"),
                None => plain(x),
            };
            let z = one.z();
            let ratio = if z.is_nan() { "–".to_owned() } else { format!("{z:.2}") };
            [write(estimate), write(error), ratio, p_value(one.p_value()), write(low), write(high)]
        }
    }
}

impl fmt::Display for GlmFit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} link", self.family.name(), self.link.name())?;
        if let Some(class) = &self.modelled_class {
            write!(
                f,
                ", probability of {}",
                secant_core::text::cut(class, secant_core::text::LONGEST)
            )?;
        }
        writeln!(f, ": {}", self.report.reason)?;
        let ratio = if self.family.estimates_dispersion() { "t" } else { "z" };
        let titles = ["estimate", "std. error", ratio, "p", "2.5 %", "97.5 %"];
        let rows: Vec<[String; 6]> = self.coefficients.iter().map(cells).collect();
        let columns: Vec<(String, Vec<String>)> = titles
            .into_iter()
            .enumerate()
            .map(|(at, title)| {
                let cells = rows.iter().map(|row| row[at].clone()).collect();
                Column { title, cells }.lines()
            })
            .collect();
        let labels: Vec<String> = self.coefficients.iter().map(Coefficient::label).collect();
        let width = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
        let head: Vec<&str> = columns.iter().map(|(title, _)| title.as_str()).collect();
        writeln!(f, "  {:<width$}  {}", "", head.join("  "))?;
        for (row, label) in labels.iter().enumerate() {
            let cells: Vec<&str> = columns.iter().map(|(_, lines)| lines[row].as_str()).collect();
            writeln!(f, "{}", format!("  {label:<width$}  {}", cells.join("  ")).trim_end())?;
        }
        if let Some(alpha) = &self.alpha {
            match places(alpha.standard_error, alpha.estimate) {
                Some(places) => writeln!(
                    f,
                    "  α {:.places$} ± {:.places$}",
                    alpha.estimate, alpha.standard_error
                )?,
                None => writeln!(f, "  α {}", plain(alpha.estimate))?,
            }
        }
        if let Some(power) = &self.power {
            let words = match places(power.standard_error, power.estimate) {
                Some(places) => {
                    format!("{:.places$} ± {:.places$}", power.estimate, power.standard_error)
                }
                None => plain(power.estimate),
            };
            writeln!(f, "  p {words}, with φ {} by maximum likelihood", plain(power.dispersion))?;
        }
        writeln!(
            f,
            "  N {}, deviance {} on {} degrees of freedom, of the mean alone {}",
            self.total_weight,
            plain(self.deviance),
            self.residual_degrees,
            plain(self.null_deviance)
        )?;
        write!(
            f,
            "  log-likelihood {}, AIC {}, BIC {}, dispersion {}",
            plain(self.log_likelihood),
            plain(self.aic()),
            plain(self.bic()),
            plain(self.dispersion)
        )?;
        self.notes.iter().try_for_each(|note| write!(f, "\n  note: {note}"))
    }
}
