//! Axes: which values they show, where, and with which ticks.

/// How an axis maps values to lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// In proportion.
    Linear,
    /// By the logarithm; values that are not positive are not shown.
    Log,
}

/// An axis: its label, its scale, and its range where that is not the curves'.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Axis {
    pub(super) label: String,
    pub(super) scale: Scale,
    pub(super) range: Option<(f64, f64)>,
}

/// Ticks with a label, at most about.
const LABELS: f64 = 9.0;
/// Share of the range that is left free at both ends of a linear axis.
const MARGIN: f64 = 0.03;
/// Powers of ten that are written out.
const WRITTEN_OUT: std::ops::RangeInclusive<i32> = -2..=3;

impl Axis {
    /// A linear axis.
    pub fn linear(label: impl Into<String>) -> Self {
        Self { label: label.into(), scale: Scale::Linear, range: None }
    }

    /// A logarithmic axis.
    pub fn log(label: impl Into<String>) -> Self {
        Self { label: label.into(), scale: Scale::Log, range: None }
    }

    /// Shows this range and not that of the curves. A range that the scale cannot show, or one without extent, is ignored.
    pub fn within(mut self, low: f64, high: f64) -> Self {
        if self.shows(low) && self.shows(high) && low < high {
            self.range = Some((low, high));
        }
        self
    }

    /// Whether the scale has a place for `value`.
    pub(super) fn shows(&self, value: f64) -> bool {
        value.is_finite() && (self.scale == Scale::Linear || value > 0.0)
    }

    /// The axis from `low` to `high` on the canvas, over `values` that it shows.
    pub(super) fn frame(&self, values: impl Iterator<Item = f64>, low: f64, high: f64) -> Frame {
        let (mut first, mut last) = self.range.unwrap_or_else(|| {
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)))
        });
        if self.scale == Scale::Log {
            (first, last) = (first.log10(), last.log10());
        }
        if self.range.is_none() {
            let extent = last - first;
            let margin = if extent > 0.0 { MARGIN * extent } else { 0.5 * first.abs().max(1.0) };
            (first, last) = (first - margin, last + margin);
        }
        Frame { scale: self.scale, first, last, low, high }
    }
}

/// An axis laid out: values (their decimal logarithms on a logarithmic scale) from `first` to `last` lie from `low` to `high`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    scale: Scale,
    first: f64,
    last: f64,
    /// Where `first` lies on the canvas.
    pub(super) low: f64,
    /// Where `last` lies on the canvas.
    pub(super) high: f64,
}

/// A tick; those without a label are grid lines only.
#[derive(Clone, Debug)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: Option<String>,
}

impl Frame {
    /// The place of a value; none where the scale has none.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        let value = match self.scale {
            Scale::Linear => value,
            Scale::Log if value > 0.0 => value.log10(),
            Scale::Log => return None,
        };
        value.is_finite().then(|| self.at(value))
    }

    fn at(&self, value: f64) -> f64 {
        self.low + (value - self.first) / (self.last - self.first) * (self.high - self.low)
    }

    /// Whether a place is on the axis.
    pub(super) fn holds(&self, place: f64) -> bool {
        place >= self.low.min(self.high) && place <= self.low.max(self.high)
    }

    pub(super) fn ticks(&self) -> Vec<Tick> {
        match self.scale {
            Scale::Linear => self.linear_ticks(),
            Scale::Log => self.log_ticks(),
        }
    }

    fn linear_ticks(&self) -> Vec<Tick> {
        let rough = (self.last - self.first) / LABELS;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|k| k * power).into_iter().find(|s| *s >= rough);
        let step = step.unwrap_or(10.0 * power);
        let mut ticks = Vec::new();
        let mut k = (self.first / step).ceil();
        while k * step <= self.last {
            let value = k * step;
            ticks.push(Tick { at: self.at(value), label: Some(number(value, step)) });
            k += 1.0;
        }
        ticks
    }

    /// Decades, each, or every second, fifth … one of them with a label; 2 … 9 between where there is room, with labels at 2 and 5 on a
    /// short axis.
    #[expect(clippy::cast_possible_truncation, reason = "exponents of f64 are small")]
    fn log_ticks(&self) -> Vec<Tick> {
        let decades = self.last - self.first;
        let every = [1, 2, 4, 5, 10, 20, 50, 100].into_iter();
        let every = every.clone().find(|k| decades / f64::from(*k) <= LABELS).unwrap_or(100);
        let mut ticks = Vec::new();
        for exponent in self.first.floor() as i32..=self.last.ceil() as i32 {
            let labelled = exponent % every == 0;
            let label = labelled.then(|| power_of_ten(exponent));
            let mut push = |log: f64, label| {
                if log >= self.first && log <= self.last {
                    ticks.push(Tick { at: self.at(log), label });
                }
            };
            push(f64::from(exponent), label);
            if every > 1 {
                continue;
            }
            for k in 2..=9 {
                let value = f64::from(k) * 10_f64.powi(exponent);
                let short = decades <= 1.5 && (k == 2 || k == 5);
                let label = short.then(|| number(value, 10_f64.powi(exponent)));
                push(value.log10(), label);
            }
        }
        ticks
    }
}

fn power_of_ten(exponent: i32) -> String {
    if WRITTEN_OUT.contains(&exponent) {
        let value = 10_f64.powi(exponent);
        return number(value, value);
    }
    format!("10{}", superscript(exponent))
}

fn superscript(exponent: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let raised = |c: char| c.to_digit(10).map_or('⁻', |digit| DIGITS[digit as usize]);
    exponent.to_string().chars().map(raised).collect()
}

/// `value`, a multiple of `step`, with the digits that the step needs and a true minus sign.
fn number(value: f64, step: f64) -> String {
    // Powers of ten from which on a plain number is too long to read.
    const LONG: f64 = 5.0;
    let exponent = step.log10().floor();
    let size = value.abs().max(step).log10();
    if size >= LONG || exponent < -LONG {
        return format!("{value:.1e}").replace(".0e", "e").replace('-', "−");
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 5")]
    let decimals = (-exponent).max(0.0) as usize;
    // −0.0 is what a sum of steps may be.
    let value = if value.abs() < 0.5 * step { 0.0 } else { value };
    format!("{value:.decimals$}").replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, values: &[f64]) -> Vec<String> {
        let frame = axis.frame(values.iter().copied(), 0.0, 100.0);
        frame.ticks().into_iter().filter_map(|tick| tick.label).collect()
    }

    #[test]
    fn a_logarithmic_axis_names_decades() {
        assert_eq!(labels(&Axis::log(""), &[1.0, 1e4]), ["1", "10", "100", "1000", "10⁴"]);
        let wide = labels(&Axis::log(""), &[1e-16, 1.0]);
        assert_eq!(wide.first().unwrap(), "10⁻¹⁶");
        assert_eq!(wide.last().unwrap(), "1");
        assert!(wide.len() <= 9, "{wide:?}");
        assert_eq!(labels(&Axis::log(""), &[0.1, 0.6]), ["0.1", "0.2", "0.5"]);
    }

    #[test]
    fn a_linear_axis_counts_in_ones_twos_and_fives() {
        assert_eq!(labels(&Axis::linear(""), &[-1.0, 1.0]).first().unwrap(), "−1.0");
        let labels = labels(&Axis::linear(""), &[0.0, 70.0]);
        assert_eq!(labels, ["0", "10", "20", "30", "40", "50", "60", "70"]);
    }

    #[test]
    fn places_grow_with_values_and_what_has_none_is_left_out() {
        let frame = Axis::log("").within(1e-3, 1e3).frame([].into_iter(), 300.0, 0.0);
        assert_eq!(frame.place(1.0), Some(150.0));
        assert_eq!(frame.place(1e3), Some(0.0));
        assert_eq!(frame.place(0.0), None);
        assert_eq!(frame.place(f64::NAN), None);
    }
}
