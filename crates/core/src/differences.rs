//! Derivatives by differences, where there is no formula: with steps chosen from what the function shows.
//!
//! Problem: F′(0) or F″(0) of F: ℝ → ℝᵐ along a line, from values alone. Five values with spacing h, on both sides of 0 as far as F
//! exists there; the derivative is that of the quartic through them. Its error is h⁴F⁽⁵⁾/30 of truncation and about ν/h of noise ν.
//! The fourth difference δ⁴ bounds both: it is h⁴F⁗ where h is long, and about 8ν where h is short. A step is good where δ⁴ is small
//! against the first difference, or against the second where the first vanishes; else h grows where δ⁴ is noise and shrinks where
//! it is truncation, and what came out best stays. Nothing is kept from one point to the next: the same θ gives the same bits.
//! Cost: 4 values where the first step is good; of several axes on all threads, where they are worth it.
//! Source: Hamming (1973) ch. 10 and Moré & Wild (2011), SIAM J. Sci. Comput. 33, for noise from a table of differences; Gill,
//! Murray, Saunders & Wright (1983), SIAM J. Sci. Stat. Comput. 4, for the balance of noise and truncation.

mod axes;
mod notes;
mod search;
#[cfg(test)]
mod tests;

pub use axes::{Arms, Differences};
pub use notes::in_words;

use search::{Search, Trial};

/// The first step relative to the size of a parameter: h⁴ is then ε^⅘, as the noise ε/h is.
pub const FIRST: f64 = 1.0 / 1024.0;
/// δ⁴ ≤ this · the first difference: noise takes the tenth digit at most.
pub const TIGHT: f64 = 1e-9;
/// δ⁴ ≤ this · the second difference: h is a hundredth of the scale of variation at most, of which h⁴/30 is 3e-10.
pub const LOOSE: f64 = 1e-4;
/// Steps that are tried for one derivative.
pub const ROUNDS: usize = 12;
/// δ⁴ below this part of the largest value is noise: that of values rounded once is at most 16 · ½ε; a few operations more.
const ROUNDING: f64 = 64.0 * f64::EPSILON;
/// No value is better than this part of itself, even where all five agree by chance.
const FLOOR: f64 = 4.0 * f64::EPSILON;
/// Rounding that cancelled before F was formed shows in δ⁴ ≈ 1.9 δ³; up to this part of F, above it a step is too long.
const HIDDEN: f64 = 1e-6;
const NOISE_RATIO: f64 = 1.2;
/// First value of five, and the weights of twelve times F′ and F″ at 0; those on both sides come first.
const STENCILS: [(i32, [f64; 5], [f64; 5]); 5] = [
    (-2, [1.0, -8.0, 0.0, 8.0, -1.0], [-1.0, 16.0, -30.0, 16.0, -1.0]),
    (-1, [-3.0, -10.0, 18.0, -6.0, 1.0], [11.0, -20.0, 6.0, 4.0, -1.0]),
    (-3, [-1.0, 6.0, -18.0, 10.0, 3.0], [-1.0, 4.0, 6.0, -20.0, 11.0]),
    (0, [-25.0, 48.0, -36.0, 16.0, -3.0], [35.0, -104.0, 114.0, -56.0, 11.0]),
    (-4, [3.0, -16.0, 36.0, -48.0, 25.0], [11.0, -56.0, 114.0, -104.0, 35.0]),
];
/// Places for the values at −4h … 4h.
const PLACES: usize = 9;

/// The derivative that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// F′
    First,
    /// F″
    Second,
}

/// Where F was evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// On both sides.
    Both,
    /// At t ≥ 0 only.
    Ahead,
    /// At t ≤ 0 only.
    Behind,
}

/// What came of a derivative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slope {
    /// It was found.
    Found {
        /// h, the distance of neighbouring values.
        step: f64,
        /// Where they lie.
        side: Side,
        /// The relative error to be feared, from δ⁴.
        doubt: f64,
    },
    /// F is the same at all points, with steps between these two: the derivative is given as 0.
    NoChange {
        /// The shortest step tried.
        from: f64,
        /// The longest.
        to: f64,
    },
    /// F is not finite at 0, or beside it with steps between these two: the derivative is given as NaN.
    NotFinite {
        /// The shortest step tried.
        from: f64,
        /// The longest.
        to: f64,
    },
    /// No other point is allowed: the derivative is given as 0.
    Fixed,
}

/// A line through θ.
pub struct Line<'a> {
    /// The step to begin with.
    pub first: f64,
    /// No shorter step is more than rounding of θ.
    pub least: f64,
    /// No longer step is tried.
    pub most: f64,
    /// Whether the point at t is allowed.
    pub fits: &'a dyn Fn(f64) -> bool,
}

/// Values on a line, kept between the derivatives of one point.
#[derive(Clone, Debug)]
pub struct Stencil {
    m: usize,
    /// F at −4h … 4h, m numbers each.
    values: Vec<f64>,
    known: [bool; PLACES],
    best: Vec<f64>,
}

/// Where F has not been finite: at this distance and beyond.
struct Edges {
    ahead: f64,
    behind: f64,
}

impl Stencil {
    /// For functions of m values.
    pub fn new(m: usize) -> Self {
        Self { m, values: vec![0.0; PLACES * m], known: [false; PLACES], best: vec![0.0; m] }
    }

    /// `out` ← the derivative of order `order` of F at 0, length m; `at_zero` is F(0), and `f(t, out)` writes F(t).
    pub fn derivative(
        &mut self,
        order: Order,
        line: &Line<'_>,
        at_zero: &[f64],
        f: &mut dyn FnMut(f64, &mut [f64]),
        out: &mut [f64],
    ) -> Slope {
        let centre = PLACES / 2;
        self.values[centre * self.m..][..self.m].copy_from_slice(at_zero);
        if !at_zero.iter().all(|value| value.is_finite()) {
            out.fill(f64::NAN);
            return Slope::NotFinite { from: 0.0, to: 0.0 };
        }
        let usable = line.first > 0.0 && line.least > 0.0 && line.most < f64::INFINITY;
        if !usable {
            out.fill(f64::NAN);
            return Slope::NotFinite { from: line.first, to: line.first };
        }
        let mut edges = Edges { ahead: f64::INFINITY, behind: f64::INFINITY };
        let mut search = Search::new(order, line);
        let mut next = power_of_two(line.first).clamp(search.least, search.most);
        for round in 0..ROUNDS {
            let asked = next;
            let Some((h, low)) = self.fill(asked, line, &mut edges, f) else {
                search.widen(line.least, asked);
                break;
            };
            if h < asked {
                // No room for more.
                search.most = h;
            }
            if search.was_tried(h) {
                break;
            }
            search.widen(h, h);
            search.tried[round] = h;
            let trial = self.measure(h, low);
            if search.take(&trial) {
                self.weigh(order, &trial);
            }
            let Some(wanted) = search.next(&trial) else { break };
            next = wanted;
        }
        let (from, to) = (search.from, search.to);
        match search.best {
            Some(best) => {
                out.copy_from_slice(&self.best);
                best.found(order)
            }
            None if edges.ahead.is_finite() || edges.behind.is_finite() => {
                out.fill(f64::NAN);
                Slope::NotFinite { from, to }
            }
            None => {
                out.fill(0.0);
                let tried = search.tried[0] > 0.0;
                if tried { Slope::NoChange { from, to } } else { Slope::Fixed }
            }
        }
    }

    /// Five finite values with spacing `h`, or less where no five points fit; none where that is below the least step.
    fn fill(
        &mut self,
        mut h: f64,
        line: &Line<'_>,
        edges: &mut Edges,
        f: &mut dyn FnMut(f64, &mut [f64]),
    ) -> Option<(f64, i32)> {
        self.forget();
        loop {
            let fits = |k: i32| {
                let t = f64::from(k) * h;
                k == 0 || (t < edges.ahead && -t < edges.behind && (line.fits)(t))
            };
            let five = STENCILS.iter().find(|(low, ..)| (*low..low + 5).all(fits));
            let Some((low, ..)) = five else {
                h *= 0.5;
                // Written so that NaN ends it.
                let long_enough = h >= line.least;
                if !long_enough {
                    return None;
                }
                self.forget();
                continue;
            };
            let mut points: Vec<i32> = (*low..low + 5).collect();
            points.sort_by_key(|k| k.abs());
            let mut all = true;
            for k in points {
                let place = place(k);
                if std::mem::replace(&mut self.known[place], true) {
                    continue;
                }
                let t = f64::from(k) * h;
                let value = &mut self.values[place * self.m..][..self.m];
                f(t, value);
                if !value.iter().all(|value| value.is_finite()) {
                    self.known[place] = false;
                    let edge = if k > 0 { &mut edges.ahead } else { &mut edges.behind };
                    *edge = edge.min(t.abs());
                    all = false;
                    break;
                }
            }
            if all {
                return Some((h, *low));
            }
        }
    }

    fn forget(&mut self) {
        self.known = [false; PLACES];
        self.known[PLACES / 2] = true;
    }

    fn at(&self, k: i32) -> &[f64] {
        &self.values[place(k) * self.m..][..self.m]
    }

    fn measure(&self, h: f64, low: i32) -> Trial {
        let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|k| self.at(low + k));
        let weights = weights(low).1;
        // The second difference about the nearest value that has two neighbours.
        let about = (-1 - low).clamp(0, 2);
        let [left, middle, right] = [0, 1, 2].map(|k| self.at(low + about + k));
        let (mut first, mut second, mut third, mut fourth) = (0.0_f64, 0.0_f64, 0.0_f64, 0.0_f64);
        let mut visible = 0.0_f64;
        let mut size = 0.0_f64;
        for i in 0..self.m {
            let five = [a[i], b[i], c[i], d[i], e[i]];
            if five.iter().all(|value| *value == five[0]) {
                continue;
            }
            let slope: f64 = five.iter().zip(weights).map(|(value, weight)| weight * value).sum();
            let (early, late) =
                (d[i] - a[i] - 3.0 * (c[i] - b[i]), e[i] - b[i] - 3.0 * (d[i] - c[i]));
            let largest = five.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
            let bend = (late - early).abs().max(FLOOR * largest);
            first = first.max(slope.abs() / 12.0);
            second = second.max((left[i] + right[i] - 2.0 * middle[i]).abs());
            third = third.max(early.abs()).max(late.abs());
            fourth = fourth.max(bend);
            size = size.max(largest);
            if bend > ROUNDING * largest {
                visible = visible.max(bend);
            }
        }
        let hidden = fourth <= HIDDEN * size && fourth >= NOISE_RATIO * third;
        Trial { h, low, first, second, fourth, noisy: visible <= 0.5 * fourth || hidden }
    }

    /// `best` ← the derivative.
    fn weigh(&mut self, order: Order, trial: &Trial) {
        let (_, first, second) = weights_of(trial.low);
        let (weights, below) = match order {
            Order::First => (first, 12.0 * trial.h),
            Order::Second => (second, 12.0 * trial.h * trial.h),
        };
        for i in 0..self.m {
            let entry =
                |(k, weight): (i32, &f64)| weight * self.values[place(trial.low + k) * self.m + i];
            let sum: f64 = (0..).zip(weights).map(entry).sum();
            self.best[i] = sum / below;
        }
    }
}

fn weights_of(low: i32) -> (i32, &'static [f64; 5], &'static [f64; 5]) {
    let (low, first, second) =
        STENCILS.iter().find(|(other, ..)| *other == low).unwrap_or(&STENCILS[0]);
    (*low, first, second)
}

fn weights(low: i32) -> (i32, &'static [f64; 5]) {
    let (low, first, _) = weights_of(low);
    (low, first)
}

/// Where the value at k·h lies.
fn place(k: i32) -> usize {
    usize::try_from(k + 4).unwrap_or(0)
}

/// The power of two at or below x > 0: a step that is added to θ without rounding. Normal numbers only; others as they are.
fn power_of_two(x: f64) -> f64 {
    if x.is_normal() { f64::from_bits(x.to_bits() & !((1 << 52) - 1)) } else { x }
}
