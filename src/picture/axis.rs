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
    pub(crate) label: String,
    pub(crate) scale: Scale,
    pub(crate) range: Option<(f64, f64)>,
    /// Ticks at whole numbers only.
    whole: bool,
}

/// Ticks with a label, at most about.
const LABELS: f64 = 9.0;
/// Ticks of a linear axis, at most: twice as many as its steps are chosen for.
const MOST_TICKS: u32 = 18;
/// Values beyond this are not shown: a range with its margins stays finite.
const LARGEST: f64 = f64::MAX / 8.0;
/// A range has room for so many neighbouring numbers at least; a narrower one is widened.
const NARROWEST: f64 = 64.0 * f64::EPSILON;
/// Where values are this many steps away from 0, what they have in common is taken off the labels and added to the axis's.
const COMMON: f64 = 1e5;
/// Share of the range that is left free at both ends of a linear axis.
const MARGIN: f64 = 0.03;
/// Powers of ten that are written out.
const WRITTEN_OUT: std::ops::RangeInclusive<i32> = -2..=3;

impl Axis {
    /// A linear axis.
    pub fn linear(label: impl Into<String>) -> Self {
        Self { label: label.into(), scale: Scale::Linear, range: None, whole: false }
    }

    /// A logarithmic axis.
    pub fn log(label: impl Into<String>) -> Self {
        Self { label: label.into(), scale: Scale::Log, range: None, whole: false }
    }

    /// Shows this range and not that of the curves. A range that the scale cannot show, or one without extent, is ignored.
    pub fn within(mut self, low: f64, high: f64) -> Self {
        if self.shows(low) && self.shows(high) && low < high {
            self.range = Some((low, high));
        }
        self
    }

    /// Ticks of a linear axis at whole numbers only: of what is counted.
    #[cfg(feature = "html")]
    pub(crate) fn whole(mut self) -> Self {
        self.whole = true;
        self
    }

    /// Whether the scale has a place for `value`.
    pub(crate) fn shows(&self, value: f64) -> bool {
        // A NaN is not.
        value.abs() <= LARGEST && (self.scale == Scale::Linear || value > 0.0)
    }

    /// The axis from `low` to `high` on the canvas, over `values` that it shows.
    pub(crate) fn frame(&self, values: impl Iterator<Item = f64>, low: f64, high: f64) -> Frame {
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
        // An exponent of 0 has no neighbours of its own size: on a logarithmic scale the value 1 counts.
        let size = first.abs().max(last.abs());
        let size = if self.scale == Scale::Log { size.max(1.0) } else { size };
        let short = (NARROWEST * size).max(f64::MIN_POSITIVE / NARROWEST) - (last - first);
        if short > 0.0 {
            (first, last) = (first - 0.5 * short, last + 0.5 * short);
        }
        Frame { scale: self.scale, whole: self.whole, first, last, low, high }
    }
}

/// An axis laid out: values (their decimal logarithms on a logarithmic scale) from `first` to `last` lie from `low` to `high`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    scale: Scale,
    whole: bool,
    first: f64,
    last: f64,
    /// Where `first` lies on the canvas.
    pub(crate) low: f64,
    /// Where `last` lies on the canvas.
    pub(crate) high: f64,
}

/// A tick; those without a label are grid lines only.
#[derive(Clone, Debug)]
pub(crate) struct Tick {
    pub(crate) at: f64,
    pub(crate) label: Option<String>,
}

impl Frame {
    /// The place of a value; none where the scale has none.
    pub(crate) fn place(&self, value: f64) -> Option<f64> {
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
    #[cfg(feature = "plot")]
    pub(crate) fn holds(&self, place: f64) -> bool {
        place >= self.low.min(self.high) && place <= self.low.max(self.high)
    }

    pub(crate) fn ticks(&self) -> Vec<Tick> {
        self.evenly().map_or_else(
            || self.log_ticks(),
            |steps| {
                let place = |value: f64| match self.scale {
                    Scale::Linear => self.at(value),
                    Scale::Log => self.at(value.log10()),
                };
                steps.multiples().map(|(value, label)| Tick { at: place(value), label }).collect()
            },
        )
    }

    /// What the labels lack, as the end of the axis's own: ` − 1709023500`. Empty as a rule.
    pub(crate) fn common(&self) -> String {
        self.evenly().map_or_else(String::new, Steps::common)
    }

    /// The even steps of a linear axis, and of a logarithmic one that has no two decades to name.
    fn evenly(&self) -> Option<Steps> {
        match self.scale {
            Scale::Linear => {
                let mut steps = Steps::of(self.first, self.last);
                if self.whole {
                    steps.step = steps.step.max(1.0);
                }
                Some(steps)
            }
            Scale::Log => {
                let labelled = self.log_ticks().iter().filter(|tick| tick.label.is_some()).count();
                let ten = |exponent: f64| 10_f64.powf(exponent);
                (labelled < 2).then(|| Steps::of(ten(self.first), ten(self.last)))
            }
        }
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

/// Multiples of 1, 2 or 5 times a power of ten over a range.
#[derive(Clone, Copy, Debug)]
struct Steps {
    first: f64,
    last: f64,
    step: f64,
    /// Labels are relative to this.
    origin: f64,
}

impl Steps {
    fn of(first: f64, last: f64) -> Self {
        /// Zeros at the end of an origin, at most.
        const ROUNDEST: i32 = 16;
        let rough = (last - first) / LABELS;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|k| k * power).into_iter().find(|s| *s >= rough);
        let step = step.unwrap_or(10.0 * power);
        let far = first.abs().max(last.abs()) >= COMMON * step;
        let unit = Self::unit(first, last);
        // The roundest number of the range.
        let multiple = |unit: f64| (last / unit).floor() * unit;
        let mut round = (0..=ROUNDEST).rev().map(|k| multiple(unit * 10_f64.powi(k)));
        let round = round.find(|origin| *origin >= first && *origin != 0.0);
        let origin = if far { round.unwrap_or_else(|| multiple(unit)) } else { 0.0 };
        Self { first, last, step, origin }
    }

    /// The power of ten above the range's extent: the last digit of the origin.
    fn unit(first: f64, last: f64) -> f64 {
        10_f64.powf((last - first).log10().ceil())
    }

    /// Values with their labels.
    fn multiples(self) -> impl Iterator<Item = (f64, Option<String>)> {
        let Self { first, last, step, origin } = self;
        let begin = ((first - origin) / step).ceil();
        (0..MOST_TICKS)
            .map(move |k| (begin + f64::from(k)) * step)
            .take_while(move |offset| origin + offset <= last)
            .map(move |offset| (origin + offset, Some(number(offset, step))))
    }

    fn common(self) -> String {
        /// Numbers that are written without an exponent.
        const PLAIN: std::ops::Range<f64> = 1e-4..1e15;
        if self.origin == 0.0 {
            return String::new();
        }
        let size = self.origin.abs();
        let digits = (size / Self::unit(self.first, self.last)).log10().ceil().clamp(0.0, 16.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 16")]
        let digits = digits as usize;
        // Without the digits that the product of the origin got wrong.
        let short: f64 = format!("{size:.digits$e}").parse().unwrap_or(size);
        let text = if PLAIN.contains(&short) { short.to_string() } else { format!("{short:e}") };
        let sign = if self.origin > 0.0 { '−' } else { '+' };
        format!(" {sign} {}", text.replace('-', "−"))
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
        if value == 0.0 {
            return "0".into();
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 16")]
        let digits = (value.abs().log10().floor() - exponent).clamp(0.0, 16.0) as usize;
        let text = format!("{value:.digits$e}");
        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
        let digits = if digits.contains('.') { digits.trim_end_matches('0') } else { digits };
        return format!("{}e{power}", digits.trim_end_matches('.')).replace('-', "−");
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

    #[cfg(feature = "html")]
    #[test]
    fn what_is_counted_has_ticks_at_whole_numbers() {
        assert_eq!(labels(&Axis::linear("").whole(), &[0.0, 2.0]), ["0", "1", "2"]);
        assert_eq!(labels(&Axis::linear("").whole(), &[0.0, 70.0]).len(), 8);
    }

    #[test]
    fn a_range_of_any_width_has_few_ticks_in_order_and_says_what_they_lack() {
        let next = 1.0 + f64::EPSILON;
        let far = 1_709_023_500.0;
        let cases: [(f64, f64, &str); 10] = [
            (1.0, next, " − 1"),
            (-next, -1.0, " + 1"),
            (0.0, 5e-324, ""),
            (-1e308, 1e308, ""),
            (1e300, 1e300, ""),
            (far + 37.0, far + 641.0, " − 1709024000"),
            (0.1, 0.1 + 1e-9, " − 0.1"),
            (3e-200, 3.000_000_1e-200, " − 3e−200"),
            (0.0, 7.0, ""),
            (12_000.0, 12_070.0, ""),
        ];
        for scale in [Axis::linear as fn(&'static str) -> Axis, Axis::log] {
            for (low, high, common) in cases {
                for axis in [scale(""), scale("").within(low, high)] {
                    let shown = [low, high].into_iter().filter(|v| axis.shows(*v));
                    let values: Vec<f64> = shown.collect();
                    if values.is_empty() && axis.range.is_none() {
                        continue;
                    }
                    let frame = axis.frame(values.into_iter(), 0.0, 100.0);
                    let ticks = frame.ticks();
                    let case = format!("{axis:?} {low:e} {high:e}: {ticks:?}");
                    let named = ticks.iter().filter(|tick| tick.label.is_some()).count();
                    assert!((2..=12).contains(&named), "{case}");
                    assert!(
                        ticks.iter().all(|tick| (-1e-6..=100.0 + 1e-6).contains(&tick.at)),
                        "{case}"
                    );
                    let mut labels: Vec<_> = ticks.iter().filter_map(|t| t.label.clone()).collect();
                    labels.dedup();
                    assert_eq!(labels.len(), named, "{case}");
                    assert!(labels.iter().all(|label| label.chars().count() < 9), "{case}");
                    if axis.scale == Scale::Linear && axis.range.is_some() {
                        assert_eq!(frame.common(), common, "{case}");
                    }
                }
            }
        }
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
