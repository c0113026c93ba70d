//! How far the least sum of squares over the other parameters stays below a threshold, along a ray.

use super::held::Held;
use crate::problem::bounds::Bounds;
use crate::run::minimize::minimize;
use crate::solver::{BoundedLevenbergMarquardt, LevenbergMarquardt};
use secant_core::problem::{LeastSquares, Objective};

/// Most doublings before an end is called open: 10⁹ times the guess.
const DOUBLINGS: u32 = 30;
/// Most steps within a bracket.
const STEPS: u32 = 80;
/// A root is found where √excess is this near to it, relative.
const NEAR: f64 = 1e-9;
/// A bracket that is this narrow, relative, without a root near is a jump.
const NARROW: f64 = 1e-12;
/// The part of the threshold that the square root may miss at a jump.
const JUMP: f64 = 1e-3;
/// An excess below this is a lower minimum, in units of s².
const LOWER: f64 = -1e-4;

/// Where a ray ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reach {
    /// At the threshold.
    Threshold(f64),
    /// Where the residuals stop being finite, before the threshold.
    Edge(f64),
    /// At the longest that was allowed, before the threshold.
    Limit,
    /// Nowhere.
    Open,
    /// ‖r‖² falls below that of the solution: where, and to what.
    Lower(f64, f64),
}

/// The least ‖r‖² with some parameters held, over that at the solution, in units of s².
pub(super) struct Excess<'a> {
    pub problem: &'a dyn LeastSquares,
    pub bounds: Option<&'a Bounds>,
    /// The parameters that are held.
    pub held: Vec<usize>,
    /// ‖r‖² at the solution.
    pub least: f64,
    /// s².
    pub variance: f64,
    /// The best θ at the last point, where the next begins.
    pub warm: Vec<f64>,
    /// How many fits it took.
    pub fits: u64,
}

impl Excess<'_> {
    /// At these values of the parameters held; infinite where the residuals are not finite.
    fn at(&mut self, values: &[f64]) -> f64 {
        let mut theta = self.warm.clone();
        for (j, value) in self.held.iter().zip(values) {
            theta[*j] = *value;
        }
        // Parameters at a bound may leave it here.
        let fixed = |j: usize| self.bounds.is_some_and(|b| b.lower()[j] == b.upper()[j]);
        let free: Vec<usize> =
            (0..theta.len()).filter(|j| !self.held.contains(j) && !fixed(*j)).collect();
        self.fits += 1;
        let within = self.bounds.map(Bounds::as_box);
        let part = |list: &[f64]| free.iter().map(|j| list[*j]).collect::<Vec<_>>();
        let bounds = self.bounds.map(|b| (part(b.lower()), part(b.upper())));
        let bounds = bounds.and_then(|(l, u)| Bounds::new(l, u).ok()).filter(|b| !b.is_free());
        let problem = Held::new(self.problem, free, theta.clone(), within);
        let start = problem.part(&theta);
        let solution = match bounds {
            _ if start.is_empty() => None,
            Some(bounds) => minimize(&problem, BoundedLevenbergMarquardt::new(bounds), &start).ok(),
            None => minimize(&problem, LevenbergMarquardt::default(), &start).ok(),
        };
        let best = solution.map_or(start, |solution| solution.theta);
        let squares = 2.0 * problem.value(&best);
        if !squares.is_finite() {
            return f64::INFINITY;
        }
        self.warm = problem.whole(&best);
        (squares - self.least) / self.variance
    }

    /// The ρ > 0 at which the excess along `point(ρ)` reaches `threshold`, about `guess`, at most `longest`: doubled until it is between two,
    /// then regula falsi (Illinois) for √excess, which is nearly straight.
    pub(super) fn reach(
        &mut self,
        point: impl Fn(f64) -> Vec<f64>,
        threshold: f64,
        guess: f64,
        longest: f64,
    ) -> Reach {
        let goal = threshold.sqrt();
        let (mut low, mut below) = (0.0, -goal);
        let mut high = guess.min(longest);
        let mut above = f64::NAN;
        for doubling in 0..=DOUBLINGS {
            let excess = self.at(&point(high));
            if excess < LOWER {
                return Reach::Lower(high, self.least + excess * self.variance);
            }
            let over = excess.max(0.0).sqrt() - goal;
            if over >= 0.0 {
                above = over;
                break;
            }
            if high >= longest {
                return Reach::Limit;
            }
            if doubling == DOUBLINGS {
                return Reach::Open;
            }
            (low, below) = (high, over);
            high = (2.0 * high).min(longest);
        }
        if above == 0.0 {
            return Reach::Threshold(high);
        }
        let (mut left, mut right) = (below, above);
        let mut side = 0;
        for _ in 0..STEPS {
            if below.abs() <= NEAR * goal {
                return Reach::Threshold(low);
            }
            if above.abs() <= NEAR * goal {
                return Reach::Threshold(high);
            }
            if high - low <= NARROW * high {
                break;
            }
            let secant = (low * right - high * left) / (right - left);
            let at = if secant > low && secant < high { secant } else { 0.5 * (low + high) };
            let excess = self.at(&point(at));
            if excess < LOWER {
                return Reach::Lower(at, self.least + excess * self.variance);
            }
            let over = excess.max(0.0).sqrt() - goal;
            if over < 0.0 {
                (low, below, left) = (at, over, over);
                right = if side == -1 { 0.5 * right } else { above };
                side = -1;
            } else {
                (high, above, right) = (at, over, over);
                left = if side == 1 { 0.5 * left } else { below };
                side = 1;
            }
        }
        // A bracket around a point where it jumps.
        if below < -JUMP * goal { Reach::Edge(low) } else { Reach::Threshold(low) }
    }
}
