//! A formula as a list of values, each an operation on values before it: constants folded, equal ones shared.

use super::machine;
use super::operations::{Binary, Unary};
use rustc_hash::FxHashMap;

/// Position of a value.
pub(super) type Id = u32;

/// Integer exponents up to this size are multiplications.
pub(super) const LARGEST_INTEGER_POWER: i32 = 64;

/// What a value is when it is no result of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Leaf {
    /// The bits of a number.
    Constant(u64),
    /// θⱼ.
    Parameter(u32),
    /// θ̇ⱼ.
    ParameterDot(u32),
    /// xᵢ of a sample.
    Feature(u32),
    /// ẋᵢ.
    FeatureDot(u32),
    /// z̄ₖ.
    OutputBar(u32),
    /// z̄˙ₖ.
    OutputBarDot(u32),
}

impl Leaf {
    /// Whether it differs between samples.
    fn varies(self) -> bool {
        !matches!(self, Self::Constant(_) | Self::Parameter(_) | Self::ParameterDot(_))
    }
}

/// How a value comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    Leaf(Leaf),
    Unary(Unary, Id),
    Binary(Binary, Id, Id),
    /// b where the condition a holds, else c.
    Select(Id, Id, Id),
}

/// A value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Value {
    pub(super) operation: Operation,
    /// Whether it differs between samples; otherwise it is evaluated once.
    pub(super) varies: bool,
}

/// Values in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    list: Vec<Value>,
    known: FxHashMap<Operation, Id>,
}

impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}

impl Values {
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn get(&self, id: Id) -> Value {
        self.list[id as usize]
    }

    pub(super) fn operation(&self, id: Id) -> Operation {
        self.get(id).operation
    }

    pub(super) fn varies(&self, id: Id) -> bool {
        self.get(id).varies
    }

    /// The number that the value is, whatever parameters and data are.
    pub(super) fn constant_of(&self, id: Id) -> Option<f64> {
        match self.operation(id) {
            Operation::Leaf(Leaf::Constant(bits)) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// Which values are 0 for all finite numbers.
    pub(super) fn zeros(&self) -> Vec<bool> {
        let mut zero = Vec::with_capacity(self.list.len());
        for value in &self.list {
            let is = |id: Id| -> bool { zero[id as usize] };
            zero.push(match value.operation {
                Operation::Leaf(Leaf::Constant(bits)) => f64::from_bits(bits) == 0.0,
                Operation::Unary(Unary::Negate | Unary::Abs | Unary::Sign, a)
                | Operation::Binary(Binary::Divide, a, _) => is(a),
                Operation::Binary(Binary::Multiply | Binary::Chain | Binary::Gate, a, b) => {
                    is(a) || is(b)
                }
                Operation::Binary(Binary::Add | Binary::Subtract, a, b)
                | Operation::Select(_, a, b) => is(a) && is(b),
                _ => false,
            });
        }
        zero
    }

    fn insert(&mut self, operation: Operation) -> Id {
        if let Some(&known) = self.known.get(&operation) {
            return known;
        }
        let varies = match operation {
            Operation::Leaf(leaf) => leaf.varies(),
            Operation::Unary(_, a) => self.varies(a),
            Operation::Binary(_, a, b) => self.varies(a) || self.varies(b),
            Operation::Select(a, b, c) => self.varies(a) || self.varies(b) || self.varies(c),
        };
        let id = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(Value { operation, varies });
        self.known.insert(operation, id);
        id
    }

    pub(super) fn leaf(&mut self, leaf: Leaf) -> Id {
        self.insert(Operation::Leaf(leaf))
    }

    pub(super) fn constant(&mut self, value: f64) -> Id {
        self.leaf(Leaf::Constant(value.to_bits()))
    }

    pub(super) fn unary(&mut self, function: Unary, a: Id) -> Id {
        if let Some(x) = self.constant_of(a) {
            return self.constant(machine::unary(function, x));
        }
        match (function, self.operation(a)) {
            (Unary::Negate, Operation::Unary(Unary::Negate, inner)) => inner,
            (Unary::Negate, Operation::Binary(Binary::Subtract, left, right)) => {
                self.binary(Binary::Subtract, right, left)
            }
            (Unary::Integer(1), _) => a,
            (Unary::Integer(2), _) => self.binary(Binary::Multiply, a, a),
            (Unary::Integer(-1), _) => {
                let one = self.constant(1.0);
                self.binary(Binary::Divide, one, a)
            }
            (Unary::Integer(0), _) => self.constant(1.0),
            _ => self.insert(Operation::Unary(function, a)),
        }
    }

    pub(super) fn negate(&mut self, a: Id) -> Id {
        self.unary(Unary::Negate, a)
    }

    pub(super) fn add(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Add, a, b)
    }

    pub(super) fn multiply(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Multiply, a, b)
    }

    pub(super) fn divide(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Divide, a, b)
    }

    pub(super) fn binary(&mut self, function: Binary, a: Id, b: Id) -> Id {
        use Binary::{Add, And, Chain, Divide, Equal, Gate, Multiply, Or, Power, Subtract};
        let (x, y) = (self.constant_of(a), self.constant_of(b));
        if let (Some(x), Some(y)) = (x, y) {
            return self.constant(machine::binary(function, x, y));
        }
        let negated = |id: Id| match self.operation(id) {
            Operation::Unary(Unary::Negate, inner) => Some(inner),
            _ => None,
        };
        match (function, x, y) {
            (Add, Some(0.0), _) | (Multiply | Gate, Some(1.0), _) | (Gate, _, Some(0.0)) => {
                return b;
            }
            (Add | Subtract, _, Some(0.0))
            | (Multiply | Divide | Power | Chain, _, Some(1.0))
            | (Chain, Some(0.0), _) => return a,
            (Subtract, Some(0.0), _) | (Multiply, Some(-1.0), _) => return self.negate(b),
            (Multiply | Divide, _, Some(-1.0)) => return self.negate(a),
            // A power of two has an exact inverse.
            (Divide, _, Some(y)) if exact_inverse(y) => {
                let inverse = self.constant(1.0 / y);
                return self.multiply(a, inverse);
            }
            (Chain, Some(_), _) => return self.multiply(a, b),
            (Gate, Some(0.0), _) => return self.constant(0.0),
            (Power, _, Some(y)) => {
                if let Some(id) = self.constant_power(a, y) {
                    return id;
                }
            }
            (Power, Some(x), _) if x == std::f64::consts::E => return self.unary(Unary::Exp, b),
            (Add, ..) => match (negated(a), negated(b)) {
                (_, Some(b)) => return self.binary(Subtract, a, b),
                (Some(a), _) => return self.binary(Subtract, b, a),
                _ => {}
            },
            (Subtract, ..) => {
                if let Some(b) = negated(b) {
                    return self.add(a, b);
                }
            }
            // A sign is moved outwards from what differs between samples: what is left is shared more often.
            (Multiply | Divide | Chain, ..) => {
                if let Some(inner) = negated(a).filter(|inner| self.varies(*inner)) {
                    let product = self.binary(function, inner, b);
                    return self.negate(product);
                }
                if let Some(inner) = negated(b).filter(|inner| self.varies(*inner)) {
                    let product = self.binary(function, a, inner);
                    return self.negate(product);
                }
            }
            _ => {}
        }
        let commutes = matches!(function, Add | Multiply | Equal | And | Or);
        let (a, b) = if commutes && b < a { (b, a) } else { (a, b) };
        self.insert(Operation::Binary(function, a, b))
    }

    /// a^y where it is something simpler than a power.
    fn constant_power(&mut self, a: Id, y: f64) -> Option<Id> {
        let largest = f64::from(LARGEST_INTEGER_POWER);
        if y.fract() == 0.0 && y.abs() <= largest {
            #[expect(clippy::cast_possible_truncation, reason = "a small integer")]
            return Some(self.unary(Unary::Integer(y as i32), a));
        }
        if y.abs() != 0.5 {
            return None;
        }
        let root = self.unary(Unary::Sqrt, a);
        if y > 0.0 {
            return Some(root);
        }
        let one = self.constant(1.0);
        Some(self.divide(one, root))
    }

    pub(super) fn select(&mut self, condition: Id, a: Id, b: Id) -> Id {
        match self.constant_of(condition) {
            Some(1.0) => a,
            Some(0.0) => b,
            _ => self.insert(Operation::Select(condition, a, b)),
        }
    }

    /// Which values `outputs` are made of, themselves too; up to the last of them.
    pub(super) fn needed(&self, outputs: impl Iterator<Item = Id> + Clone) -> Vec<bool> {
        let last = outputs.clone().max().map_or(0, |id| id as usize + 1);
        let mut needed = vec![false; last];
        for output in outputs {
            needed[output as usize] = true;
        }
        for id in (0..last).rev() {
            if needed[id] {
                for operand in self.operands(u32::try_from(id).unwrap_or(u32::MAX)) {
                    needed[operand as usize] = true;
                }
            }
        }
        needed
    }

    /// The operands of a value.
    pub(super) fn operands(&self, id: Id) -> impl Iterator<Item = Id> + use<> {
        let operands = match self.operation(id) {
            Operation::Leaf(_) => [None; 3],
            Operation::Unary(_, a) => [Some(a), None, None],
            Operation::Binary(_, a, b) => [Some(a), Some(b), None],
            Operation::Select(a, b, c) => [Some(a), Some(b), Some(c)],
        };
        operands.into_iter().flatten()
    }
}

/// Whether 1/y is exact and normal.
fn exact_inverse(y: f64) -> bool {
    const FRACTION: u64 = (1 << 52) - 1;
    y.is_normal() && y.to_bits() & FRACTION == 0 && (1.0 / y).is_normal()
}
