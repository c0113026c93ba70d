//! Gradients, Jacobians and Hessians by differences: the lines through θ along its axes, in the box where there is one.

use super::{FIRST, Line, Order, Side, Slope, Stencil, power_of_two};
use crate::problem::InBox;
use faer::MatMut;
use rayon::prelude::*;
use std::ops::RangeInclusive;
use std::time::Instant;

/// Shortest step relative to |θⱼ|: some units in its last place. At 0, relative to its size.
const LEAST: f64 = 8.0 * f64::EPSILON;
const LEAST_AT_ZERO: f64 = f64::EPSILON * f64::EPSILON;
/// Longest step relative to the size of θⱼ or to 1, whichever is more: nobody asked for f further out.
const MOST: f64 = 0.25;

/// Seconds that the axes after the first are worth other threads.
const WORTH: f64 = 1e-4;

type Scalar<'a> = dyn Fn(&[f64]) -> f64 + Sync + 'a;
type Vector<'a> = dyn Fn(&[f64], &mut [f64]) + Sync + 'a;

/// How derivatives by differences are taken. See [the module](super) for the steps.
///
/// ```
/// use secant_core::differences::Differences;
///
/// // A peak far from the origin: 1e9 is where it lies, and says nothing of its width.
/// let peak = |theta: &[f64]| f64::exp(-0.5 * ((1e9 + 10.0 - theta[0]) / 40.0).powi(2));
/// let (theta, mut gradient) = ([1e9], [0.0]);
/// Differences::default().gradient(&peak, &theta, peak(&theta), &mut gradient);
/// let exact = peak(&theta) * 10.0 / 1600.0;
/// assert!((gradient[0] / exact - 1.0).abs() < 1e-8);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Differences<'a> {
    /// The size of each parameter: what a change of it is small against. Length n, positive; empty: |θⱼ|, and 1 where that is 0.
    pub typical: &'a [f64],
    /// No point outside is evaluated.
    pub within: Option<InBox<'a>>,
    /// Nothing is evaluated on other threads. By default axes are taken on all of them where the first has shown that it pays, with the same bits.
    pub on_one_thread: bool,
}

/// Steps for second derivatives at one θ, along each axis.
#[derive(Clone, Debug)]
pub struct Arms(Vec<Arm>);

/// A step along an axis or a direction, and f at its ends.
#[derive(Clone, Copy, Debug)]
struct Arm {
    step: f64,
    side: Side,
    /// f″ along it.
    curvature: f64,
    /// f at `step`.
    near: f64,
    /// f at −`step` with [`Side::Both`], at 2·`step` otherwise.
    far: f64,
}

/// A direction in ℝⁿ.
#[derive(Clone, Copy)]
enum Way<'a> {
    Axis(usize),
    Along(&'a [f64]),
}

impl Way<'_> {
    /// `point` += t·d.
    fn shift(self, point: &mut [f64], t: f64) {
        match self {
            Self::Axis(j) => point[j] += t,
            Self::Along(v) => point.iter_mut().zip(v).for_each(|(x, v)| *x = t.mul_add(*v, *x)),
        }
    }
}

impl Differences<'_> {
    /// `of` each item with its number, in order: the first here, the others on all threads where its time says that they are worth it.
    fn each<I: Send, T: Send>(
        &self,
        items: impl IntoIterator<Item = I>,
        of: impl Fn((usize, I)) -> T + Sync,
    ) -> Vec<T> {
        let mut left = items.into_iter().enumerate();
        let begun = Instant::now();
        let Some(first) = left.next().map(&of) else { return Vec::new() };
        let seconds = begun.elapsed().as_secs_f64();
        let left: Vec<(usize, I)> = left.collect();
        let alone = self.on_one_thread || seconds * (left.len() as f64) < WORTH;
        if alone || rayon::current_num_threads() == 1 {
            return std::iter::once(first).chain(left.into_iter().map(of)).collect();
        }
        rayon::iter::once(first).chain(left.into_par_iter().map(&of)).collect()
    }

    fn size(&self, theta: &[f64], j: usize) -> f64 {
        match self.typical.get(j) {
            Some(size) => *size,
            None if theta[j] == 0.0 => 1.0,
            None => theta[j].abs(),
        }
    }

    /// The t with θ + t·d in the box, but for rounding.
    fn room(&self, way: Way<'_>, theta: &[f64]) -> RangeInclusive<f64> {
        let (Some(within), Way::Along(v)) = (&self.within, way) else {
            return f64::NEG_INFINITY..=f64::INFINITY;
        };
        let (mut behind, mut ahead) = (f64::NEG_INFINITY, f64::INFINITY);
        for (j, v) in v.iter().enumerate().filter(|(_, v)| **v != 0.0) {
            let (to_lower, to_upper) = (within.lower[j] - theta[j], within.upper[j] - theta[j]);
            let (one, other) = (to_lower / v, to_upper / v);
            behind = behind.max(one.min(other));
            ahead = ahead.min(one.max(other));
        }
        behind..=ahead
    }

    fn allows(&self, point: &[f64]) -> bool {
        self.within.is_none_or(|within| within.contains(point))
    }

    /// The derivative of order `order` along `way`.
    fn along(
        &self,
        (order, way): (Order, Way<'_>),
        stencil: &mut Stencil,
        f: &Vector<'_>,
        (theta, at): (&[f64], &[f64]),
        out: &mut [f64],
    ) -> Slope {
        let reach = |size: f64, theta: f64| MOST * size.max(theta.abs()).max(1.0);
        let (first, least, most) = match way {
            Way::Axis(j) => {
                let size = self.size(theta, j);
                let least =
                    if theta[j] == 0.0 { LEAST_AT_ZERO * size } else { LEAST * theta[j].abs() };
                (FIRST * size, least, reach(size, theta[j]))
            }
            Way::Along(v) => {
                // In units of t; the parameter that is the first to reach its own.
                let (mut first, mut most) = (f64::INFINITY, f64::INFINITY);
                for (j, v) in v.iter().enumerate().filter(|(_, v)| **v != 0.0) {
                    let size = self.size(theta, j);
                    first = first.min(FIRST * size / v.abs());
                    most = most.min(reach(size, theta[j]) / v.abs());
                }
                (first, LEAST_AT_ZERO * first, most)
            }
        };
        // By the room along the line too: a step that rounding takes back would fit anywhere.
        let room = self.room(way, theta);
        let fits = |t: f64| match (way, &self.within) {
            (_, None) => true,
            (Way::Axis(j), Some(within)) => within.allows(j, theta[j] + t),
            (Way::Along(v), Some(within)) => {
                let mut entries = theta.iter().zip(v).enumerate();
                room.contains(&t)
                    && entries.all(|(j, (x, v))| *v == 0.0 || within.allows(j, t.mul_add(*v, *x)))
            }
        };
        let least = power_of_two(least);
        let mut point = theta.to_vec();
        let mut value = |t: f64, out: &mut [f64]| {
            point.copy_from_slice(theta);
            way.shift(&mut point, t);
            f(&point, out);
        };
        // A size below the resolution of θ says less than θ does.
        let line = Line { first: first.max(least), least, most, fits: &fits };
        stencil.derivative(order, &line, at, &mut value, out)
    }

    /// `out` ← ∇f(θ), length n; `at` is f(θ). What came of each entry.
    pub fn gradient(&self, f: &Scalar<'_>, theta: &[f64], at: f64, out: &mut [f64]) -> Vec<Slope> {
        let vector = |point: &[f64], out: &mut [f64]| out[0] = f(point);
        let here = (theta, &[at][..]);
        self.each(out, |(j, out)| {
            let (mut stencil, out) = (Stencil::new(1), std::slice::from_mut(out));
            self.along((Order::First, Way::Axis(j)), &mut stencil, &vector, here, out)
        })
    }

    /// `out` ← J = ∂F/∂θ, m × n; `at` is F(θ). What came of each column.
    pub fn jacobian(
        &self,
        f: &Vector<'_>,
        theta: &[f64],
        at: &[f64],
        out: MatMut<'_, f64>,
    ) -> Vec<Slope> {
        self.each(out.col_iter_mut(), |(j, out)| {
            let (mut stencil, mut column) = (Stencil::new(at.len()), vec![0.0; at.len()]);
            let wanted = (Order::First, Way::Axis(j));
            let slope = self.along(wanted, &mut stencil, f, (theta, at), &mut column);
            out.iter_mut().zip(&column).for_each(|(out, entry)| *out = *entry);
            slope
        })
    }

    /// [`jacobian`](Self::jacobian) of a gradient, a Hessian: the mean of both triangles, which differ by the error of the differences.
    pub fn symmetric_jacobian(
        &self,
        gradient: &Vector<'_>,
        theta: &[f64],
        at: &[f64],
        mut out: MatMut<'_, f64>,
    ) -> Vec<Slope> {
        let slopes = self.jacobian(gradient, theta, at, out.as_mut());
        for j in 0..theta.len() {
            for i in 0..j {
                let mean = 0.5 * (out[(i, j)] + out[(j, i)]);
                (out[(i, j)], out[(j, i)]) = (mean, mean);
            }
        }
        slopes
    }

    /// `out` ← J·v; `at` is F(θ). One derivative along v, or one along each axis where the line leaves the box or the domain.
    pub fn product(&self, f: &Vector<'_>, theta: &[f64], at: &[f64], v: &[f64], out: &mut [f64]) {
        if v.iter().all(|v| *v == 0.0) {
            return out.fill(0.0);
        }
        let mut stencil = Stencil::new(at.len());
        let here = (theta, at);
        let slope = self.along((Order::First, Way::Along(v)), &mut stencil, f, here, out);
        if matches!(slope, Slope::Fixed | Slope::NotFinite { .. }) {
            out.fill(0.0);
            let mut column = vec![0.0; at.len()];
            for (j, v) in v.iter().enumerate().filter(|(_, v)| **v != 0.0) {
                self.along((Order::First, Way::Axis(j)), &mut stencil, f, here, &mut column);
                out.iter_mut().zip(&column).for_each(|(out, entry)| *out += v * entry);
            }
        }
    }

    /// The steps for second derivatives of f at θ, where f is `at`. Six evaluations for each parameter as a rule.
    pub fn arms(&self, f: &Scalar<'_>, theta: &[f64], at: f64) -> Arms {
        Arms(self.each(theta, |(j, _)| self.arm(f, theta, at, Way::Axis(j))))
    }

    fn arm(&self, f: &Scalar<'_>, theta: &[f64], at: f64, way: Way<'_>) -> Arm {
        let vector = |point: &[f64], out: &mut [f64]| out[0] = f(point);
        let mut curvature = [0.0];
        let here = (theta, &[at][..]);
        let wanted = (Order::Second, way);
        let slope = self.along(wanted, &mut Stencil::new(1), &vector, here, &mut curvature);
        let value = |t: f64| {
            let mut point = theta.to_vec();
            way.shift(&mut point, t);
            if self.allows(&point) { f(&point) } else { f64::NAN }
        };
        // Without a change along this axis there may be one along with another.
        let (step, side) = match slope {
            Slope::Found { step, side, .. } => (step, side),
            Slope::NoChange { from, .. } if value(-from).is_nan() => (from, Side::Ahead),
            Slope::NoChange { from, .. } if value(2.0 * from).is_nan() => (from, Side::Behind),
            Slope::NoChange { from, .. } => (from, Side::Both),
            Slope::NotFinite { .. } => (f64::NAN, Side::Both),
            Slope::Fixed => (0.0, Side::Both),
        };
        let step = if side == Side::Behind { -step } else { step };
        let far = if side == Side::Both { -step } else { 2.0 * step };
        Arm { step, side, curvature: curvature[0], near: value(step), far: value(far) }
    }

    /// ∂²f/∂a∂b from f at the ends of two arms and at two points between them.
    fn cross(
        &self,
        f: &Scalar<'_>,
        (theta, at): (&[f64], f64),
        (way_a, a): (Way<'_>, &Arm),
        (way_b, b): (Way<'_>, &Arm),
    ) -> f64 {
        if a.step == 0.0 || b.step == 0.0 {
            return 0.0;
        }
        let corner = |s: f64, t: f64| {
            let mut point = theta.to_vec();
            way_a.shift(&mut point, s * a.step);
            way_b.shift(&mut point, t * b.step);
            if self.allows(&point) { f(&point) } else { f64::NAN }
        };
        let area = a.step * b.step;
        if a.side == Side::Both && b.side == Side::Both {
            // Two opposite corners and the ends of both arms; the other two corners where f is not finite at these.
            let ends = a.near + a.far + b.near + b.far - 2.0 * at;
            let equal = (corner(1.0, 1.0) + corner(-1.0, -1.0) - ends) / (2.0 * area);
            if equal.is_finite() {
                return equal;
            }
            let opposite = (ends - corner(1.0, -1.0) - corner(-1.0, 1.0)) / (2.0 * area);
            if opposite.is_finite() {
                return opposite;
            }
        }
        // One corner, with the error of first order taken away by the corner twice as far.
        let end = |way: Way<'_>, arm: &Arm| {
            if arm.side == Side::Both {
                let mut point = theta.to_vec();
                way.shift(&mut point, 2.0 * arm.step);
                if self.allows(&point) { f(&point) } else { f64::NAN }
            } else {
                arm.far
            }
        };
        let near = (corner(1.0, 1.0) - a.near - b.near + at) / area;
        let far = (corner(2.0, 2.0) - end(way_a, a) - end(way_b, b) + at) / (4.0 * area);
        let both = 2.0 * near - far;
        if both.is_finite() { both } else { near }
    }

    /// `out` ← ∇²f(θ), n × n, symmetric; `at` is f(θ). n(n − 1) evaluations.
    pub fn hessian(
        &self,
        f: &Scalar<'_>,
        (theta, at): (&[f64], f64),
        Arms(arms): &Arms,
        mut out: MatMut<'_, f64>,
    ) {
        let pairs: Vec<(usize, usize)> =
            (0..arms.len()).flat_map(|j| (0..j).map(move |i| (i, j))).collect();
        let entries = self.each(&pairs, |(_, &(i, j))| {
            let (a, b) = ((Way::Axis(j), &arms[j]), (Way::Axis(i), &arms[i]));
            self.cross(f, (theta, at), a, b)
        });
        for (j, a) in arms.iter().enumerate() {
            out[(j, j)] = a.curvature;
        }
        for (&(i, j), entry) in pairs.iter().zip(entries) {
            (out[(i, j)], out[(j, i)]) = (entry, entry);
        }
    }

    /// `out` ← ∇²f(θ)·v; `at` is f(θ). 2n evaluations; n² where the line along v leaves the box or the domain.
    pub fn hessian_vector(
        &self,
        f: &Scalar<'_>,
        (theta, at): (&[f64], f64),
        Arms(arms): &Arms,
        v: &[f64],
        out: &mut [f64],
    ) {
        if v.iter().all(|v| *v == 0.0) {
            return out.fill(0.0);
        }
        let along = self.arm(f, theta, at, Way::Along(v));
        let entries = self.each(arms, |(j, arm)| {
            self.cross(f, (theta, at), (Way::Axis(j), arm), (Way::Along(v), &along))
        });
        out.copy_from_slice(&entries);
        let usable = along.step != 0.0 && out.iter().all(|entry| entry.is_finite());
        if usable {
            return;
        }
        out.fill(0.0);
        for (j, (entry, a)) in v.iter().zip(arms).enumerate().filter(|(_, (v, _))| **v != 0.0) {
            for (i, b) in arms.iter().enumerate() {
                let second = if i == j {
                    a.curvature
                } else {
                    self.cross(f, (theta, at), (Way::Axis(j), a), (Way::Axis(i), b))
                };
                out[i] += entry * second;
            }
        }
    }
}
