//! A tree → values.

use super::operations::{Binary, Unary};
use super::syntax::{Arithmetic, Comparison, Function, Junction, Node, Tree};
use super::values::{Id, Leaf, Values};

/// The values of `tree` and which of them the outputs are.
pub(super) fn lower(tree: &Tree) -> (Values, Vec<Id>) {
    let mut values = Values::default();
    let mut ids: Vec<Id> = Vec::with_capacity(tree.nodes.len());
    for node in &tree.nodes {
        let id = match node {
            Node::Number(value) => values.constant(*value),
            Node::Constant(constant) => values.constant(constant.value()),
            Node::Feature(i) => values.leaf(Leaf::Feature(index(*i))),
            Node::Parameter(j) => values.leaf(Leaf::Parameter(index(*j))),
            Node::Negate(a) => values.negate(ids[*a]),
            Node::Arithmetic(sign, a, b) => values.binary(arithmetic(*sign), ids[*a], ids[*b]),
            Node::Compare(comparison, a, b) => compare(&mut values, *comparison, ids[*a], ids[*b]),
            Node::Join(Junction::And, a, b) => values.binary(Binary::And, ids[*a], ids[*b]),
            Node::Join(Junction::Or, a, b) => values.binary(Binary::Or, ids[*a], ids[*b]),
            Node::Not(a) => values.unary(Unary::Not, ids[*a]),
            Node::Call(function, range) => {
                let arguments: Vec<Id> =
                    tree.arguments[range.clone()].iter().map(|&argument| ids[argument]).collect();
                call(&mut values, *function, &arguments)
            }
        };
        ids.push(id);
    }
    let outputs = tree.roots.iter().map(|&root| ids[root]).collect();
    (values, outputs)
}

fn index(i: usize) -> u32 {
    u32::try_from(i).unwrap_or(u32::MAX)
}

fn arithmetic(sign: Arithmetic) -> Binary {
    match sign {
        Arithmetic::Add => Binary::Add,
        Arithmetic::Subtract => Binary::Subtract,
        Arithmetic::Multiply => Binary::Multiply,
        Arithmetic::Divide => Binary::Divide,
        Arithmetic::Power => Binary::Power,
    }
}

fn compare(values: &mut Values, comparison: Comparison, a: Id, b: Id) -> Id {
    match comparison {
        Comparison::Less => values.binary(Binary::Less, a, b),
        Comparison::LessEqual => values.binary(Binary::LessEqual, a, b),
        Comparison::Greater => values.binary(Binary::Less, b, a),
        Comparison::GreaterEqual => values.binary(Binary::LessEqual, b, a),
        Comparison::Equal => values.binary(Binary::Equal, a, b),
        Comparison::NotEqual => {
            let equal = values.binary(Binary::Equal, a, b);
            values.unary(Unary::Not, equal)
        }
    }
}

fn call(values: &mut Values, function: Function, arguments: &[Id]) -> Id {
    let unary = match function {
        Function::Exp => Unary::Exp,
        Function::Expm1 => Unary::Expm1,
        Function::Log => Unary::Log,
        Function::Log10 => Unary::Log10,
        Function::Log2 => Unary::Log2,
        Function::Log1p => Unary::Log1p,
        Function::Sqrt => Unary::Sqrt,
        Function::Cbrt => Unary::Cbrt,
        Function::Abs => Unary::Abs,
        Function::Sin => Unary::Sin,
        Function::Cos => Unary::Cos,
        Function::Tan => Unary::Tan,
        Function::Asin => Unary::Asin,
        Function::Acos => Unary::Acos,
        Function::Atan => Unary::Atan,
        Function::Sinh => Unary::Sinh,
        Function::Cosh => Unary::Cosh,
        Function::Tanh => Unary::Tanh,
        Function::Erf => Unary::Erf,
        Function::Erfc => Unary::Erfc,
        Function::LogGamma => Unary::LogGamma,
        Function::Gamma => Unary::Gamma,
        Function::Atan2 => return values.binary(Binary::Angle, arguments[0], arguments[1]),
        Function::If => return values.select(arguments[0], arguments[1], arguments[2]),
        // The first of equal ones; NaN where one is.
        Function::Min | Function::Max => {
            let (first, rest) = (arguments[0], &arguments[1..]);
            return rest.iter().fold(first, |best, &next| {
                let keep = match function {
                    Function::Min => values.binary(Binary::LessEqual, best, next),
                    _ => values.binary(Binary::LessEqual, next, best),
                };
                values.select(keep, best, next)
            });
        }
    };
    values.unary(unary, arguments[0])
}
