//! Problems from functions that are written for every [`Real`](secant_core::real::Real): derivatives by dual numbers.
//!
//! A pass evaluates the function once on numbers with as many partial derivatives as the pass has directions. First derivatives take
//! ⌈n/8⌉ passes of eight or fewer directions, a product with the Hessian as many with one inner direction more, a dense Hessian one for
//! each pair of blocks of four parameters.

pub(crate) mod function;
pub(crate) mod residuals;
pub(crate) mod scratch;

use scratch::{Block, Lane, Scratch, Tangent};
use secant_core::real::Dual;

/// Directions of the widest pass.
const WIDE: usize = 8;
/// Parameters of a block of the Hessian.
const SQUARE: usize = 4;

/// A function, whatever it gives: evaluates `theta` of a scratch into `out` of it.
trait Evaluate {
    fn evaluate<T: Lane>(&self, theta: &[T], out: &mut [T]);
    /// The length of `out`.
    fn outputs(&self) -> usize;
}

/// One pass at the parameters that `seed` gives.
fn pass<'s, T: Lane, E: Evaluate>(
    function: &E,
    n: usize,
    scratch: &'s mut Scratch,
    seed: impl Fn(usize) -> T,
) -> &'s [T] {
    let buffers = T::of(scratch);
    buffers.theta.clear();
    buffers.theta.extend((0..n).map(seed));
    buffers.out.resize(function.outputs(), T::default());
    function.evaluate(&buffers.theta, &mut buffers.out);
    &buffers.out
}

/// What is done with a pass of K directions from parameter `first` on.
trait Visit {
    fn visit<const K: usize>(&mut self, first: usize, found: &[Dual<f64, K>]);
}

/// The first derivatives along all n parameters.
fn first_order<E: Evaluate>(
    function: &E,
    theta: &[f64],
    scratch: &mut Scratch,
    to: &mut impl Visit,
) {
    let n = theta.len();
    let mut first = 0;
    while first < n {
        first += match n - first {
            1 => columns::<1, E>(function, theta, first, scratch, to),
            2 => columns::<2, E>(function, theta, first, scratch, to),
            3 => columns::<3, E>(function, theta, first, scratch, to),
            4 => columns::<4, E>(function, theta, first, scratch, to),
            _ => columns::<WIDE, E>(function, theta, first, scratch, to),
        };
    }
}

/// K of them, from `first` on; K.
fn columns<const K: usize, E: Evaluate>(
    function: &E,
    theta: &[f64],
    first: usize,
    scratch: &mut Scratch,
    to: &mut impl Visit,
) -> usize
where
    Dual<f64, K>: Lane,
{
    let seed = |j: usize| seeded(theta[j], j.wrapping_sub(first));
    to.visit(first, pass(function, theta.len(), scratch, seed));
    K
}

/// A variable of direction k where there is such a direction.
fn seeded<const K: usize>(x: f64, k: usize) -> Dual<f64, K> {
    if k < K { Dual::variable(x, k) } else { Dual::constant(x) }
}

/// Along `v`: the numbers with one direction.
fn along<'s, E: Evaluate>(
    function: &E,
    theta: &[f64],
    v: &[f64],
    scratch: &'s mut Scratch,
) -> &'s [Dual<f64, 1>] {
    pass(function, theta.len(), scratch, |j| Dual { value: theta[j], partials: [v[j]] })
}

/// The products of second derivatives with `v`, eight entries a pass: `visit` has the first of them, and the pass.
fn products<E: Evaluate>(
    function: &E,
    theta: &[f64],
    v: &[f64],
    scratch: &mut Scratch,
    mut visit: impl FnMut(usize, &[Tangent]),
) {
    for first in (0..theta.len()).step_by(WIDE) {
        let seed = |j: usize| {
            let inner = Dual { value: theta[j], partials: [v[j]] };
            outer(inner, j.wrapping_sub(first))
        };
        visit(first, pass(function, theta.len(), scratch, seed));
    }
}

/// All second derivatives, a pair of blocks a pass: `visit` has the first row and column, no row before the column, and the pass with rows
/// outside and columns within.
fn blocks<E: Evaluate>(
    function: &E,
    theta: &[f64],
    scratch: &mut Scratch,
    mut visit: impl FnMut(usize, usize, &[Block]),
) {
    for column in (0..theta.len()).step_by(SQUARE) {
        for row in (column..theta.len()).step_by(SQUARE) {
            let seed = |j: usize| {
                let inner = seeded(theta[j], j.wrapping_sub(column));
                outer(inner, j.wrapping_sub(row))
            };
            visit(row, column, pass(function, theta.len(), scratch, seed));
        }
    }
}

fn outer<const I: usize, const K: usize>(inner: Dual<f64, I>, k: usize) -> Dual<Dual<f64, I>, K> {
    let mut nested = Dual::constant(inner);
    if k < K {
        nested.partials[k].value = 1.0;
    }
    nested
}

/// Operations of first derivatives, where those of a value are one: a pass of K directions is taken for K/2 evaluations more.
fn first_order_cost(n: usize) -> f64 {
    n.div_ceil(WIDE) as f64 + 0.5 * n as f64
}

/// The same of a product with the Hessian: twice the numbers.
fn product_cost(n: usize) -> f64 {
    2.0 * first_order_cost(n) + 1.0
}

/// The same of a dense Hessian.
fn hessian_cost(n: usize) -> f64 {
    /// A number of a block has 25 parts.
    const BLOCK: f64 = 12.0;
    let blocks = n.div_ceil(SQUARE) as f64;
    0.5 * BLOCK * blocks * (blocks + 1.0)
}
