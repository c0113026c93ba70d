//! The operations on lanes: one sample a lane, a register of lanes for each value.
//!
//! Every kernel stands in a closure with `#[inline(always)]`: what is not inlined is compiled without vectors.

#![expect(clippy::redundant_closure, reason = "a function's name cannot be marked for inlining")]

use super::operations::{Binary, Unary};
use crate::elementwise::{self, scalar};
use crate::special::{digamma, trigamma};

/// One step: `out` ← the operation of registers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) action: Action,
    pub(super) out: u32,
}

/// An operation on registers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Action {
    Unary(Unary, u32),
    Binary(Binary, u32, u32),
    Select(u32, u32, u32),
    /// A product of two and what is made of it, in one pass.
    Product(After, u32, u32),
    /// The same with a third register.
    Product3(After3, u32, u32, u32),
}

/// What is made of a product ab. Both operations round, so that the bits are those of two passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum After {
    /// −ab
    Negate,
    /// e^(ab)
    Exp,
}

/// What is made of a product ab and c.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum After3 {
    /// ab + c
    Add,
    /// ab − c
    Subtract,
    /// c − ab
    SubtractFrom,
    /// ab·c
    Multiply,
    /// ab/c
    Divide,
    /// −(ab·c)
    NegateMultiply,
}

impl Action {
    /// The registers that it reads.
    pub(super) fn operands(self) -> impl Iterator<Item = u32> {
        let operands = match self {
            Self::Unary(_, a) => [Some(a), None, None],
            Self::Binary(_, a, b) | Self::Product(_, a, b) => [Some(a), Some(b), None],
            Self::Select(a, b, c) | Self::Product3(_, a, b, c) => [Some(a), Some(b), Some(c)],
        };
        operands.into_iter().flatten()
    }

    /// The same with other registers.
    pub(super) fn on(self, register: impl Fn(u32) -> u32) -> Self {
        let r = register;
        match self {
            Self::Unary(function, a) => Self::Unary(function, r(a)),
            Self::Binary(function, a, b) => Self::Binary(function, r(a), r(b)),
            Self::Select(a, b, c) => Self::Select(r(a), r(b), r(c)),
            Self::Product(after, a, b) => Self::Product(after, r(a), r(b)),
            Self::Product3(after, a, b, c) => Self::Product3(after, r(a), r(b), r(c)),
        }
    }
}

/// The number of no register.
pub(super) const NOWHERE: u32 = u32::MAX;

/// Registers that lie elsewhere than the others.
#[derive(Debug)]
pub(super) struct Elsewhere<'a> {
    /// One that no step writes, and its lanes.
    pub(super) input: (u32, &'a [f64]),
    pub(super) output: (u32, &'a mut [f64]),
}

impl Default for Elsewhere<'_> {
    fn default() -> Self {
        Self { input: (NOWHERE, &[]), output: (NOWHERE, &mut []) }
    }
}

/// Runs `steps` on registers of `stride` entries each, the first `width` of them. No step's `out` is one of its operands.
///
/// To be called within [`elementwise::vectorize`].
#[inline(always)]
pub(super) fn run(
    steps: &[Step],
    registers: &mut [f64],
    (stride, width): (usize, usize),
    elsewhere: Elsewhere<'_>,
) {
    let Elsewhere { input: (from, x), output: (to, z) } = elsewhere;
    for step in steps {
        let at = step.out as usize * stride;
        let (before, out, after, z): (&[f64], &mut [f64], &[f64], &[f64]) = if step.out == to {
            (registers, &mut *z, &[], &[])
        } else {
            let (before, rest) = registers.split_at_mut(at);
            let (out, after) = rest.split_at_mut(stride);
            (before, out, after, &*z)
        };
        let out = &mut out[..width];
        let operand = |register: u32| {
            let start = register as usize * stride;
            let lanes = if register == from {
                x
            } else if register == to {
                z
            } else if start < before.len() {
                &before[start..]
            } else {
                &after[start - at - stride..]
            };
            &lanes[..width]
        };
        match step.action {
            Action::Unary(function, a) => lanes1(function, operand(a), out),
            Action::Binary(function, a, b) => lanes2(function, operand(a), operand(b), out),
            Action::Select(c, a, b) => select(operand(c), operand(a), operand(b), out),
            Action::Product(after, a, b) => product(after, operand(a), operand(b), out),
            Action::Product3(after, a, b, c) => {
                product3(after, [operand(a), operand(b), operand(c)], out);
            }
        }
    }
}

/// One value alone, by the same code.
pub(super) fn unary(function: Unary, x: f64) -> f64 {
    let mut out = [0.0];
    lanes1(function, &[x], &mut out);
    out[0]
}

/// The same for two.
pub(super) fn binary(function: Binary, x: f64, y: f64) -> f64 {
    let mut out = [0.0];
    lanes2(function, &[x], &[y], &mut out);
    out[0]
}

#[inline(always)]
fn each(a: &[f64], out: &mut [f64], f: impl Fn(f64) -> f64) {
    for (out, &a) in out.iter_mut().zip(a) {
        *out = f(a);
    }
}

#[inline(always)]
fn each2(a: &[f64], b: &[f64], out: &mut [f64], f: impl Fn(f64, f64) -> f64) {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = f(a, b);
    }
}

#[inline(always)]
fn each3([a, b, c]: [&[f64]; 3], out: &mut [f64], f: impl Fn(f64, f64, f64) -> f64) {
    for (((out, &a), &b), &c) in out.iter_mut().zip(a).zip(b).zip(c) {
        *out = f(a, b, c);
    }
}

#[inline(always)]
fn select(c: &[f64], a: &[f64], b: &[f64], out: &mut [f64]) {
    for (((out, &c), &a), &b) in out.iter_mut().zip(c).zip(a).zip(b) {
        let chosen = if c == 0.0 { b } else { a };
        *out = if c.is_nan() { c } else { chosen };
    }
}

#[inline(always)]
fn product(after: After, a: &[f64], b: &[f64], out: &mut [f64]) {
    match after {
        After::Negate => each2(
            a,
            b,
            out,
            #[inline(always)]
            |a, b| -(a * b),
        ),
        After::Exp => each2(
            a,
            b,
            out,
            #[inline(always)]
            |a, b| scalar::exp(a * b),
        ),
    }
}

#[inline(always)]
fn product3(after: After3, abc: [&[f64]; 3], out: &mut [f64]) {
    match after {
        After3::Add => each3(
            abc,
            out,
            #[inline(always)]
            |a, b, c| a * b + c,
        ),
        After3::Subtract => each3(
            abc,
            out,
            #[inline(always)]
            |a, b, c| a * b - c,
        ),
        After3::SubtractFrom => each3(
            abc,
            out,
            #[inline(always)]
            |a, b, c| c - a * b,
        ),
        After3::Multiply => each3(
            abc,
            out,
            #[inline(always)]
            |a, b, c| a * b * c,
        ),
        After3::Divide => each3(
            abc,
            out,
            #[inline(always)]
            |a, b, c| a * b / c,
        ),
        After3::NegateMultiply => each3(
            abc,
            out,
            #[inline(always)]
            |a, b, c| -(a * b * c),
        ),
    }
}

#[inline(always)]
fn lanes1(function: Unary, a: &[f64], out: &mut [f64]) {
    match function {
        Unary::Negate => each(
            a,
            out,
            #[inline(always)]
            |x| -x,
        ),
        Unary::Sign => each(
            a,
            out,
            #[inline(always)]
            |x| sign(x),
        ),
        Unary::Abs => each(
            a,
            out,
            #[inline(always)]
            |x| f64::abs(x),
        ),
        Unary::Not => each(
            a,
            out,
            #[inline(always)]
            |c| 1.0 - c,
        ),
        Unary::Exp => each(
            a,
            out,
            #[inline(always)]
            |x| scalar::exp(x),
        ),
        Unary::Expm1 => each(
            a,
            out,
            #[inline(always)]
            |x| scalar::expm1(x),
        ),
        Unary::Log => each(
            a,
            out,
            #[inline(always)]
            |x| scalar::log(x),
        ),
        Unary::Log1p => each(
            a,
            out,
            #[inline(always)]
            |x| scalar::log1p(x),
        ),
        Unary::Sqrt => each(
            a,
            out,
            #[inline(always)]
            |x| f64::sqrt(x),
        ),
        Unary::Tanh => each(
            a,
            out,
            #[inline(always)]
            |x| scalar::tanh(x),
        ),
        Unary::Erf => each(
            a,
            out,
            #[inline(always)]
            |x| scalar::erf(x),
        ),
        Unary::Sin => elementwise::sin(a, out),
        Unary::Cos => elementwise::cos(a, out),
        Unary::Integer(n) => integer_power(a, n, out),
        Unary::Log10 => far(a, out, libm::log10),
        Unary::Log2 => far(a, out, libm::log2),
        Unary::Cbrt => far(a, out, libm::cbrt),
        Unary::Tan => far(a, out, libm::tan),
        Unary::Asin => far(a, out, libm::asin),
        Unary::Acos => far(a, out, libm::acos),
        Unary::Atan => far(a, out, libm::atan),
        Unary::Sinh => far(a, out, libm::sinh),
        Unary::Cosh => far(a, out, libm::cosh),
        Unary::Erfc => far(a, out, libm::erfc),
        Unary::LogGamma => far(a, out, |x| if x > 0.0 { libm::lgamma(x) } else { f64::NAN }),
        Unary::Gamma => far(a, out, |x| if x > 0.0 { libm::tgamma(x) } else { f64::NAN }),
        Unary::Digamma => far(a, out, digamma),
        Unary::Trigamma => far(a, out, trigamma),
    }
}

#[inline(always)]
fn lanes2(function: Binary, a: &[f64], b: &[f64], out: &mut [f64]) {
    match function {
        Binary::Add => each2(
            a,
            b,
            out,
            #[inline(always)]
            |a, b| a + b,
        ),
        Binary::Subtract => each2(
            a,
            b,
            out,
            #[inline(always)]
            |a, b| a - b,
        ),
        Binary::Multiply => each2(
            a,
            b,
            out,
            #[inline(always)]
            |a, b| a * b,
        ),
        Binary::Divide => each2(
            a,
            b,
            out,
            #[inline(always)]
            |a, b| a / b,
        ),
        Binary::Power => each2(
            a,
            b,
            out,
            #[inline(always)]
            |x, p| scalar::pow(x, p),
        ),
        Binary::Angle => far2(a, b, out, libm::atan2),
        Binary::Less => each2(
            a,
            b,
            out,
            #[inline(always)]
            |a, b| condition(a, b, a < b),
        ),
        Binary::LessEqual => each2(
            a,
            b,
            out,
            #[inline(always)]
            |a, b| condition(a, b, a <= b),
        ),
        Binary::Equal => each2(
            a,
            b,
            out,
            #[inline(always)]
            |a, b| condition(a, b, a == b),
        ),
        Binary::And => each2(
            a,
            b,
            out,
            #[inline(always)]
            |a, b| a * b,
        ),
        Binary::Or => each2(
            a,
            b,
            out,
            #[inline(always)]
            |a, b| condition(a, b, a + b != 0.0),
        ),
        Binary::Chain => each2(
            a,
            b,
            out,
            #[inline(always)]
            |a, b| if a == 0.0 { a } else { a * b },
        ),
        Binary::Gate => each2(
            a,
            b,
            out,
            #[inline(always)]
            |c, x| gate(c, x),
        ),
    }
}

/// 1 or 0; NaN where a side is.
#[inline(always)]
fn condition(a: f64, b: f64, holds: bool) -> f64 {
    let value = if holds { 1.0 } else { 0.0 };
    if a.is_nan() || b.is_nan() { f64::NAN } else { value }
}

#[inline(always)]
fn gate(condition: f64, x: f64) -> f64 {
    let open = if condition == 0.0 { 0.0 } else { x };
    let value = if condition.is_nan() { condition } else { open };
    if x == 0.0 { 0.0 } else { value }
}

#[inline(always)]
fn sign(x: f64) -> f64 {
    let right = if x > 0.0 { 1.0 } else { x };
    if x < 0.0 { -1.0 } else { right }
}

/// xⁿ by repeated squaring; negative powers are inverses of positive ones.
#[inline(always)]
fn integer_power(a: &[f64], n: i32, out: &mut [f64]) {
    match n {
        3 => each(
            a,
            out,
            #[inline(always)]
            |x| x * x * x,
        ),
        4 => each(
            a,
            out,
            #[inline(always)]
            |x| (x * x) * (x * x),
        ),
        -2 => each(
            a,
            out,
            #[inline(always)]
            |x| 1.0 / (x * x),
        ),
        _ => each(
            a,
            out,
            #[inline(always)]
            |x| {
                let (mut power, mut square, mut rest) = (1.0, x, n.unsigned_abs());
                while rest > 0 {
                    if rest & 1 == 1 {
                        power *= square;
                    }
                    square *= square;
                    rest >>= 1;
                }
                if n < 0 { 1.0 / power } else { power }
            },
        ),
    }
}

/// What has no kernel on lanes.
#[inline(never)]
fn far(a: &[f64], out: &mut [f64], f: fn(f64) -> f64) {
    each(a, out, f);
}

#[inline(never)]
fn far2(a: &[f64], b: &[f64], out: &mut [f64], f: fn(f64, f64) -> f64) {
    each2(a, b, out, f);
}

/// `target` (as many rows as `sources`, at most `stride` columns) ← a register a row.
pub(super) fn interleave(registers: &[f64], stride: usize, sources: &[u32], target: &mut [f64]) {
    let lanes = |source: u32| &registers[source as usize * stride..][..stride];
    match *sources {
        [] => {}
        [a] => target.copy_from_slice(&lanes(a)[..target.len()]),
        [a, b] => columns([a, b].map(lanes), target),
        [a, b, c] => columns([a, b, c].map(lanes), target),
        [a, b, c, d] => columns([a, b, c, d].map(lanes), target),
        [a, b, c, d, e] => columns([a, b, c, d, e].map(lanes), target),
        [a, b, c, d, e, f] => columns([a, b, c, d, e, f].map(lanes), target),
        _ => {
            for (row, source) in sources.iter().enumerate() {
                let entries = target[row..].iter_mut().step_by(sources.len());
                entries.zip(lanes(*source)).for_each(|(entry, lane)| *entry = *lane);
            }
        }
    }
}

/// Few rows, as many as the compiler knows, and sources of one length, so that no entry is asked for its place: shuffles of vectors.
fn columns<const ROWS: usize>(sources: [&[f64]; ROWS], target: &mut [f64]) {
    elementwise::vectorize(
        #[inline(always)]
        || {
            let (columns, _) = target.as_chunks_mut::<ROWS>();
            let sources = sources.map(
                #[inline(always)]
                |source| &source[..columns.len()],
            );
            for (i, column) in columns.iter_mut().enumerate() {
                for row in 0..ROWS {
                    column[row] = sources[row][i];
                }
            }
        },
    );
}
