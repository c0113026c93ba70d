//! Derivatives of values as values: adjoints backward, tangents forward. Tangents of adjoints are second derivatives.
//!
//! An adjoint that has passed a branch of an `if` is 0 where the branch was not chosen, and is then multiplied by [`Binary::Chain`]: what
//! the branch does there, infinite or not, does not matter.

use super::operations::{Binary, Unary};
use super::values::{Id, Leaf, Operation, Values};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// 2/√π.
const TWO_BY_ROOT_PI: f64 = std::f64::consts::FRAC_2_SQRT_PI;

/// An adjoint.
#[derive(Clone, Copy, Debug)]
struct Adjoint {
    id: Id,
    /// Whether all of it has passed a branch.
    guarded: bool,
}

/// The adjoints of the leaves that `wanted` names, from those of some values.
pub(super) fn adjoints(
    values: &mut Values,
    seeds: &[(Id, Id)],
    wanted: impl Fn(Leaf) -> bool,
) -> BTreeMap<Leaf, Id> {
    let mut active = vec![false; values.len()];
    for id in 0..values.len() {
        let id = u32::try_from(id).unwrap_or(u32::MAX);
        active[id as usize] = match values.operation(id) {
            Operation::Leaf(leaf) => wanted(leaf),
            _ => values.operands(id).any(|operand| active[operand as usize]),
        };
    }
    let mut backward = Backward { values, active, gradients: FxHashMap::default() };
    let mut pending = BTreeMap::new();
    for &(value, seed) in seeds {
        backward.add(&mut pending, value, Adjoint { id: seed, guarded: false });
    }
    let found = backward.run(pending, false);
    found.into_iter().map(|(leaf, adjoint)| (leaf, adjoint.id)).collect()
}

/// Tangents of the values that `outputs` need, from those of leaves (`None` where zero).
pub(super) fn tangents(
    values: &mut Values,
    outputs: &[Id],
    mut leaf: impl FnMut(&mut Values, Leaf) -> Option<Id>,
) -> Vec<Option<Id>> {
    let needed = values.needed(outputs.iter().copied());
    let last = needed.len();
    let mut dots: Vec<Option<Id>> = vec![None; last];
    for id in (0..last).filter(|id| needed[*id]) {
        let value = u32::try_from(id).unwrap_or(u32::MAX);
        dots[id] = match values.operation(value) {
            Operation::Leaf(of) => leaf(values, of),
            operation => tangent(values, value, operation, |operand| dots[operand as usize]),
        };
    }
    outputs.iter().map(|&id| dots[id as usize]).collect()
}

/// a + b, where `None` is 0.
fn sum(values: &mut Values, a: Option<Id>, b: Option<Id>) -> Option<Id> {
    match (a, b) {
        (Some(a), Some(b)) => Some(values.add(a, b)),
        (one, other) => one.or(other),
    }
}

fn tangent(
    values: &mut Values,
    z: Id,
    operation: Operation,
    dot: impl Fn(Id) -> Option<Id>,
) -> Option<Id> {
    match operation {
        Operation::Leaf(_) => None,
        Operation::Unary(function, x) => {
            let x_dot = dot(x)?;
            match function {
                Unary::Negate => Some(values.negate(x_dot)),
                _ => slope(values, function, x, z).map(|slope| values.multiply(slope, x_dot)),
            }
        }
        Operation::Select(c, a, b) => {
            let (a, b) = (dot(a), dot(b));
            if a.is_none() && b.is_none() {
                return None;
            }
            let zero = values.constant(0.0);
            Some(values.select(c, a.unwrap_or(zero), b.unwrap_or(zero)))
        }
        Operation::Binary(function, a, b) => {
            let (a_dot, b_dot) = (dot(a), dot(b));
            if a_dot.is_none() && b_dot.is_none() {
                return None;
            }
            match function {
                Binary::Add => sum(values, a_dot, b_dot),
                Binary::Subtract => match (a_dot, b_dot) {
                    (Some(a), Some(b)) => Some(values.binary(Binary::Subtract, a, b)),
                    (a, None) => a,
                    (None, Some(b)) => Some(values.negate(b)),
                },
                Binary::Multiply | Binary::Chain => {
                    let left = a_dot.map(|a_dot| values.binary(function, a_dot, b));
                    let right = b_dot.map(|b_dot| values.binary(function, a, b_dot));
                    sum(values, left, right)
                }
                // (ȧ − z·ḃ)/b.
                Binary::Divide => {
                    let moved = b_dot.map(|b_dot| values.multiply(z, b_dot));
                    let top = match (a_dot, moved) {
                        (Some(a), Some(moved)) => values.binary(Binary::Subtract, a, moved),
                        (Some(a), None) => a,
                        (None, moved) => values.negate(moved?),
                    };
                    Some(values.divide(top, b))
                }
                Binary::Gate => b_dot.map(|b_dot| values.binary(Binary::Gate, a, b_dot)),
                Binary::Power | Binary::Angle => {
                    let left = a_dot.map(|a_dot| {
                        let slope = slopes(values, function, a, b, z, 0);
                        values.multiply(slope, a_dot)
                    });
                    let right = b_dot.map(|b_dot| {
                        let slope = slopes(values, function, a, b, z, 1);
                        values.multiply(slope, b_dot)
                    });
                    sum(values, left, right)
                }
                Binary::Less | Binary::LessEqual | Binary::Equal | Binary::And | Binary::Or => None,
            }
        }
    }
}

/// f′(x) with z = f(x); `None` where it is 0.
fn slope(values: &mut Values, function: Unary, x: Id, z: Id) -> Option<Id> {
    let one = values.constant(1.0);
    Some(match function {
        Unary::Negate => values.constant(-1.0),
        Unary::Sign | Unary::Not => return None,
        Unary::Abs => values.unary(Unary::Sign, x),
        Unary::Exp => z,
        Unary::Expm1 => values.unary(Unary::Exp, x),
        Unary::Log => values.divide(one, x),
        Unary::Log10 | Unary::Log2 => {
            let ln = match function {
                Unary::Log2 => std::f64::consts::LN_2,
                _ => std::f64::consts::LN_10,
            };
            let ln = values.constant(ln);
            let scaled = values.multiply(ln, x);
            values.divide(one, scaled)
        }
        Unary::Log1p => {
            let shifted = values.add(one, x);
            values.divide(one, shifted)
        }
        Unary::Sqrt => {
            let half = values.constant(0.5);
            values.divide(half, z)
        }
        Unary::Cbrt => {
            let three = values.constant(3.0);
            let square = values.multiply(z, z);
            let scaled = values.multiply(three, square);
            values.divide(one, scaled)
        }
        Unary::Sin => values.unary(Unary::Cos, x),
        Unary::Cos => {
            let sin = values.unary(Unary::Sin, x);
            values.negate(sin)
        }
        Unary::Tan => {
            let square = values.multiply(z, z);
            values.add(one, square)
        }
        Unary::Asin | Unary::Acos => {
            let (left, right) = (values.binary(Binary::Subtract, one, x), values.add(one, x));
            let product = values.multiply(left, right);
            let root = values.unary(Unary::Sqrt, product);
            let slope = values.divide(one, root);
            if function == Unary::Asin { slope } else { values.negate(slope) }
        }
        Unary::Atan => {
            let square = values.multiply(x, x);
            let sum = values.add(one, square);
            values.divide(one, sum)
        }
        Unary::Sinh => values.unary(Unary::Cosh, x),
        Unary::Cosh => values.unary(Unary::Sinh, x),
        // 1 − tanh² would lose its digits for large |x|.
        Unary::Tanh => {
            let cosh = values.unary(Unary::Cosh, x);
            let inverse = values.divide(one, cosh);
            values.multiply(inverse, inverse)
        }
        Unary::Erf | Unary::Erfc => {
            let square = values.multiply(x, x);
            let negative = values.negate(square);
            let bell = values.unary(Unary::Exp, negative);
            let factor = values.constant(TWO_BY_ROOT_PI);
            let slope = values.multiply(factor, bell);
            if function == Unary::Erf { slope } else { values.negate(slope) }
        }
        Unary::LogGamma => values.unary(Unary::Digamma, x),
        Unary::Gamma => {
            let digamma = values.unary(Unary::Digamma, x);
            values.multiply(z, digamma)
        }
        Unary::Digamma => values.unary(Unary::Trigamma, x),
        // A third derivative: nobody asks for it.
        Unary::Trigamma => values.constant(f64::NAN),
        Unary::Integer(n) => {
            let factor = values.constant(f64::from(n));
            let power = values.unary(Unary::Integer(n - 1), x);
            values.multiply(factor, power)
        }
    })
}

/// ∂/∂a (`side` 0) or ∂/∂b (`side` 1) of a power or an angle z.
fn slopes(values: &mut Values, function: Binary, a: Id, b: Id, z: Id, side: usize) -> Id {
    match (function, side) {
        (Binary::Power, 0) => {
            let one = values.constant(1.0);
            let less = values.binary(Binary::Subtract, b, one);
            let power = values.binary(Binary::Power, a, less);
            values.multiply(b, power)
        }
        // aᵇ·ln a, 0 at a = 0 for b > 0.
        (Binary::Power, _) => {
            let log = values.unary(Unary::Log, a);
            values.binary(Binary::Chain, z, log)
        }
        // atan2(a, b): (b·ȧ − a·ḃ)/(a² + b²).
        _ => {
            let (aa, bb) = (values.multiply(a, a), values.multiply(b, b));
            let squares = values.add(aa, bb);
            if side == 0 {
                values.divide(b, squares)
            } else {
                let ratio = values.divide(a, squares);
                values.negate(ratio)
            }
        }
    }
}

/// A backward sweep over values.
struct Backward<'a> {
    values: &'a mut Values,
    /// Values that depend on a wanted leaf; those made meanwhile are not asked for.
    active: Vec<bool>,
    /// ∂u/∂θ of values u that are the same for all samples.
    gradients: FxHashMap<Id, BTreeMap<Leaf, Adjoint>>,
}

impl Backward<'_> {
    fn add(&mut self, pending: &mut BTreeMap<Id, Adjoint>, to: Id, term: Adjoint) {
        if self.active[to as usize] {
            self.join(pending, to, term);
        }
    }

    fn join<K: Ord>(&mut self, sums: &mut BTreeMap<K, Adjoint>, to: K, term: Adjoint) {
        let values = &mut *self.values;
        sums.entry(to)
            .and_modify(|sum| {
                sum.id = values.add(sum.id, term.id);
                sum.guarded &= term.guarded;
            })
            .or_insert(term);
    }

    fn times(&mut self, adjoint: Adjoint, factor: Id) -> Adjoint {
        let id = if adjoint.guarded {
            self.values.binary(Binary::Chain, adjoint.id, factor)
        } else {
            self.values.multiply(adjoint.id, factor)
        };
        Adjoint { id, ..adjoint }
    }

    fn negate(&mut self, adjoint: Adjoint) -> Adjoint {
        Adjoint { id: self.values.negate(adjoint.id), ..adjoint }
    }

    /// Leaves' adjoints. At a value that is the same for all samples it stops, but with `through`, and goes on by the value's gradient,
    /// which is evaluated once.
    fn run(
        &mut self,
        mut pending: BTreeMap<Id, Adjoint>,
        through: bool,
    ) -> BTreeMap<Leaf, Adjoint> {
        let mut leaves = BTreeMap::new();
        while let Some((id, adjoint)) = pending.pop_last() {
            match self.values.operation(id) {
                Operation::Leaf(leaf) => self.join(&mut leaves, leaf, adjoint),
                _ if !through && !self.values.varies(id) => {
                    for (leaf, slope) in self.gradient(id) {
                        let term = if slope.guarded && !adjoint.guarded {
                            let id = self.values.binary(Binary::Chain, slope.id, adjoint.id);
                            Adjoint { id, guarded: true }
                        } else {
                            self.times(adjoint, slope.id)
                        };
                        self.join(&mut leaves, leaf, term);
                    }
                }
                operation => self.pass(id, operation, adjoint, &mut pending),
            }
        }
        leaves
    }

    fn gradient(&mut self, id: Id) -> BTreeMap<Leaf, Adjoint> {
        if let Some(known) = self.gradients.get(&id) {
            return known.clone();
        }
        let one = Adjoint { id: self.values.constant(1.0), guarded: false };
        let gradient = self.run(BTreeMap::from([(id, one)]), true);
        self.gradients.insert(id, gradient.clone());
        gradient
    }

    /// Adds to the adjoints of the operands.
    fn pass(
        &mut self,
        z: Id,
        operation: Operation,
        adjoint: Adjoint,
        pending: &mut BTreeMap<Id, Adjoint>,
    ) {
        match operation {
            Operation::Leaf(_) => {}
            Operation::Unary(Unary::Negate, x) => {
                let term = self.negate(adjoint);
                self.add(pending, x, term);
            }
            Operation::Unary(function, x) => {
                if let Some(slope) = slope(self.values, function, x, z) {
                    let term = self.times(adjoint, slope);
                    self.add(pending, x, term);
                }
            }
            Operation::Select(c, a, b) => {
                let other = self.values.unary(Unary::Not, c);
                for (condition, branch) in [(c, a), (other, b)] {
                    if self.active[branch as usize] {
                        let id = self.values.binary(Binary::Gate, condition, adjoint.id);
                        self.add(pending, branch, Adjoint { id, guarded: true });
                    }
                }
            }
            Operation::Binary(function, a, b) => {
                let active = [a, b].map(|operand| self.active[operand as usize]);
                match function {
                    Binary::Add | Binary::Subtract => {
                        self.add(pending, a, adjoint);
                        if active[1] {
                            let negative = function == Binary::Subtract;
                            let term = if negative { self.negate(adjoint) } else { adjoint };
                            self.add(pending, b, term);
                        }
                    }
                    Binary::Multiply | Binary::Chain => {
                        for (operand, factor, active) in [(a, b, active[0]), (b, a, active[1])] {
                            if active {
                                let term = self.times(adjoint, factor);
                                self.add(pending, operand, term);
                            }
                        }
                    }
                    Binary::Divide => {
                        let quotient = if adjoint.guarded {
                            let one = self.values.constant(1.0);
                            let inverse = self.values.divide(one, b);
                            self.times(adjoint, inverse)
                        } else {
                            Adjoint { id: self.values.divide(adjoint.id, b), ..adjoint }
                        };
                        self.add(pending, a, quotient);
                        if active[1] {
                            let term = self.times(quotient, z);
                            let term = self.negate(term);
                            self.add(pending, b, term);
                        }
                    }
                    Binary::Power | Binary::Angle => {
                        for (side, operand) in [a, b].into_iter().enumerate() {
                            if active[side] {
                                let slope = slopes(self.values, function, a, b, z, side);
                                let term = self.times(adjoint, slope);
                                self.add(pending, operand, term);
                            }
                        }
                    }
                    Binary::Gate => {
                        if active[1] {
                            let id = self.values.binary(Binary::Gate, a, adjoint.id);
                            self.add(pending, b, Adjoint { id, guarded: true });
                        }
                    }
                    Binary::Less | Binary::LessEqual | Binary::Equal | Binary::And | Binary::Or => {
                    }
                }
            }
        }
    }
}
