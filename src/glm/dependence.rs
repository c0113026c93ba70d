//! Columns that depend on others, by name: `c = a + 2·b`.

use super::information::Units;
use secant_core::faer::Mat;
use secant_core::text::{LONGEST, cut};

/// Parts of a column, in deviations, that are rounding.
const ROUNDING: f64 = 1e-7;
/// Digits of a factor that is no whole number.
const DIGITS: usize = 6;

/// One equation for every column of the null space: the last column that can be had from those before it, by them. `null` has a row for
/// every parameter relative to class 0, in deviations, the intercept last; `names` of the features.
pub(super) fn equations(units: &Units<'_>, null: &Mat<f64>, names: &[String]) -> Vec<String> {
    let (columns, d) = (units.columns(), names.len());
    let mut rows: Vec<Vec<f64>> =
        null.col_iter().map(|of| (0..columns).map(|j| of[j]).collect()).collect();
    let mut found: Vec<(usize, Vec<f64>)> = Vec::new();
    for pivot in (0..d).rev() {
        let size = |row: &Vec<f64>| row[pivot].abs();
        let best = (0..rows.len()).max_by(|a, b| size(&rows[*a]).total_cmp(&size(&rows[*b])));
        let Some(best) = best.filter(|best| size(&rows[*best]) > ROUNDING) else { continue };
        let mut row = rows.swap_remove(best);
        let by = row[pivot];
        for entry in &mut row {
            *entry /= by;
        }
        for other in rows.iter_mut().chain(found.iter_mut().map(|(_, row)| row)) {
            let factor = other[pivot];
            other.iter_mut().zip(&row).for_each(|(other, row)| *other -= factor * row);
        }
        found.push((pivot, row));
    }
    let constant = |j: usize| units.is_constant(j + usize::from(units.intercept));
    found
        .into_iter()
        .filter(|(pivot, _)| !constant(*pivot))
        .map(|(pivot, row)| equation(units, names, pivot, &row))
        .collect()
}

/// Column `pivot`, whose entry of `row` is 1, by the others.
fn equation(units: &Units<'_>, names: &[String], pivot: usize, row: &[f64]) -> String {
    let (means, deviations) = (units.scaling.means(), units.scaling.deviations());
    let own = deviations[pivot];
    let mut level = means[pivot];
    let mut size = level.abs().max(own);
    if units.intercept {
        level -= own * row[names.len()];
    }
    let name = |j: usize| cut(&names[j], LONGEST);
    let mut text = String::new();
    for j in (0..names.len()).filter(|j| *j != pivot && row[*j].abs() > ROUNDING) {
        let factor = -own * row[j] / deviations[j];
        level -= factor * means[j];
        size = size.max((factor * means[j]).abs());
        append(&mut text, factor, &name(j));
    }
    if units.intercept && level.abs() > ROUNDING * size {
        append(&mut text, level, "");
    }
    if text.is_empty() {
        text.push('0');
    }
    format!("{} = {text}", name(pivot))
}

/// ` + factor·name`.
fn append(text: &mut String, factor: f64, name: &str) {
    let sign = match (text.is_empty(), factor < 0.0) {
        (true, false) => "",
        (true, true) => "−",
        (false, false) => " + ",
        (false, true) => " − ",
    };
    let size = factor.abs();
    let whole = size.round();
    let number = if (size - whole).abs() <= ROUNDING * size.max(1.0) && whole > 0.0 {
        format!("{whole}")
    } else {
        short(size)
    };
    let term = match (name.is_empty(), number == "1") {
        (true, _) => number,
        (false, true) => name.to_owned(),
        (false, false) => format!("{number}·{name}"),
    };
    text.push_str(sign);
    text.push_str(&term);
}

/// Six digits without zeros at the end.
fn short(size: f64) -> String {
    let power = size.log10().floor();
    if (-4.0..7.0).contains(&power) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 9")]
        let places = (DIGITS as f64 - 1.0 - power).max(0.0) as usize;
        let text = format!("{size:.places$}");
        if text.contains('.') {
            return text.trim_end_matches('0').trim_end_matches('.').to_owned();
        }
        return text;
    }
    format!("{size:.5e}")
}
