//! A formula as it was written: nodes after their operands.

use std::collections::HashMap;
use std::ops::Range;

/// Parentheses, signs and powers within each other.
pub(super) const DEEPEST: usize = 256;
/// Numbers, names and operations of a formula, after replacements.
pub(super) const LONGEST: usize = 100_000;

/// Position of a node.
pub(super) type Id = usize;

/// A named number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Constant {
    Pi,
    E,
}

impl Constant {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "pi" | "π" => Some(Self::Pi),
            "e" => Some(Self::E),
            _ => None,
        }
    }
    pub(super) fn value(self) -> f64 {
        match self {
            Self::Pi => std::f64::consts::PI,
            Self::E => std::f64::consts::E,
        }
    }
}

/// + − · / ^.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

/// < ≤ > ≥ = ≠.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
}

/// Joins two conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Junction {
    And,
    Or,
}

/// What can be called by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Exp,
    Expm1,
    Log,
    Log10,
    Log2,
    Log1p,
    Sqrt,
    Cbrt,
    Abs,
    Min,
    Max,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Atan2,
    Sinh,
    Cosh,
    Tanh,
    Erf,
    Erfc,
    LogGamma,
    Gamma,
    If,
}

/// Names, the first that prints a function before other spellings of it.
pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("exp", Function::Exp),
    ("expm1", Function::Expm1),
    ("log", Function::Log),
    ("ln", Function::Log),
    ("log10", Function::Log10),
    ("log2", Function::Log2),
    ("log1p", Function::Log1p),
    ("sqrt", Function::Sqrt),
    ("cbrt", Function::Cbrt),
    ("abs", Function::Abs),
    ("min", Function::Min),
    ("max", Function::Max),
    ("sin", Function::Sin),
    ("cos", Function::Cos),
    ("tan", Function::Tan),
    ("asin", Function::Asin),
    ("acos", Function::Acos),
    ("atan", Function::Atan),
    ("atan2", Function::Atan2),
    ("sinh", Function::Sinh),
    ("cosh", Function::Cosh),
    ("tanh", Function::Tanh),
    ("erf", Function::Erf),
    ("erfc", Function::Erfc),
    ("lgamma", Function::LogGamma),
    ("gamma", Function::Gamma),
    ("if", Function::If),
];

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        FUNCTIONS.iter().find(|(known, _)| *known == name).map(|(_, function)| *function)
    }
    pub(super) fn name(self) -> &'static str {
        FUNCTIONS.iter().find(|(_, function)| *function == self).map_or("", |(name, _)| name)
    }
    /// How many arguments it takes, and the same in words.
    pub(super) fn arguments(self) -> (std::ops::RangeInclusive<usize>, &'static str) {
        match self {
            Self::Min | Self::Max => (2..=usize::MAX, "2 arguments or more"),
            Self::Atan2 => (2..=2, "2 arguments, y and x"),
            Self::If => (3..=3, "3 arguments, a condition and two numbers"),
            _ => (1..=1, "1 argument"),
        }
    }
}

/// A node of the tree; operands come before it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Number(f64),
    Constant(Constant),
    /// Input i.
    Feature(usize),
    /// Parameter j.
    Parameter(usize),
    Negate(Id),
    Arithmetic(Arithmetic, Id, Id),
    Compare(Comparison, Id, Id),
    Join(Junction, Id, Id),
    Not(Id),
    /// The arguments are `Tree::arguments[range]`.
    Call(Function, Range<usize>),
}

/// A tree for each output, all in one list; the names that it has.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) arguments: Vec<Id>,
    /// Outputs.
    pub(super) roots: Vec<Id>,
    pub(super) features: Vec<String>,
    /// In order of appearance.
    pub(super) parameters: Vec<String>,
    /// Their positions.
    known: HashMap<String, usize>,
}

impl Tree {
    pub(super) fn new(features: &[String]) -> Self {
        Self { features: features.to_vec(), ..Self::default() }
    }

    pub(super) fn push(&mut self, node: Node) -> Id {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Parameter `name`, new where it did not appear yet.
    pub(super) fn parameter(&mut self, name: &str) -> Node {
        let known = self.known.get(name).copied();
        Node::Parameter(known.unwrap_or_else(|| {
            self.parameters.push(name.to_owned());
            self.known.insert(name.to_owned(), self.known.len());
            self.known.len() - 1
        }))
    }

    /// Whether the node is a condition.
    pub(super) fn is_condition(&self, id: Id) -> bool {
        matches!(self.nodes[id], Node::Compare(..) | Node::Join(..) | Node::Not(_))
    }
}
