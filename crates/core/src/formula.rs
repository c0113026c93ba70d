//! Formulas as text: exactly differentiated models from `a*exp(-b*x) + c`.
//!
//! Names that are features of the data are inputs; all others are scalar parameters, in order of appearance.
//!
//! ```
//! use secant_core::formula::Formula;
//!
//! let formula = Formula::new("a*exp(-b*x) + c", &["x"])?;
//! assert_eq!(formula.parameters(), ["a", "b", "c"]);
//! // A graph as any other: exact gradients, Hessian products and Jacobians.
//! let graph = formula.graph()?;
//! assert_eq!(graph.parameters().range("formula.b"), Some(1..2));
//! // a and c enter linearly.
//! assert_eq!(graph.linear_parameters(), [0..1, 2..3]);
//! // By itself, without a graph.
//! let mut value = [0.0];
//! formula.evaluator().values(&[2.0, 0.5, 1.0], &[0.0], &mut value);
//! assert_eq!(value, [3.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Grammar
//!
//! From what binds most tightly to what binds least:
//!
//! | written | meaning |
//! |---|---|
//! | `2`, `1.5`, `.5`, `1e-3` | numbers |
//! | `x`, `b_1`, `τ`, `σ₀` | names: letters, digits and `_`, no digit first |
//! | `` `time (s)` `` | a name between backquotes, with any other signs |
//! | `pi`, `π`, `e` | constants. A feature cannot be called so; a parameter never is |
//! | `( … )` | parentheses |
//! | `f(a, …)` | functions, see below |
//! | `a^b`, `a**b` | power, to the right: `2^3^2` is 2⁹. `2^-x` is allowed |
//! | `-a`, `+a` | sign: `-x^2` is −(x²) |
//! | `a*b`, `a·b`, `a×b`, `a/b` | product, quotient, to the left |
//! | `a + b`, `a - b` | sum, difference, to the left |
//! | `<`, `<=`, `≤`, `>`, `>=`, `≥`, `==`, `!=`, `≠` | comparisons, in conditions only |
//! | `not`, `and`, `or` | between conditions |
//!
//! | functions | derivative |
//! |---|---|
//! | `exp`, `expm1`, `log` = `ln`, `log10`, `log2`, `log1p`, `sqrt`, `cbrt` | |
//! | `sin`, `cos`, `tan`, `asin`, `acos`, `atan`, `atan2(y, x)`, `sinh`, `cosh`, `tanh` | |
//! | `erf`, `erfc` | |
//! | `lgamma`, `gamma`: ln Γ and Γ for x > 0, NaN elsewhere | (`gamma` without a parenthesis behind it is a name) |
//! | `abs` | 0 at 0 |
//! | `min`, `max` of two arguments or more | that of the first of equal ones |
//! | `if(condition, a, b)` | of the branch chosen; the other one may be infinite or NaN |
//!
//! xⁿ with a whole number n up to 64 in size is multiplications. Any other power is defined for x ≥ 0, and for x < 0 where the exponent is
//! a whole number; its derivative by the exponent is x^p·ln x, which is 0 at x = 0 and NaN for x < 0. A NaN among the inputs of an
//! operation, in a condition too, makes its value NaN.
//!
//! # Errors
//!
//! Every [`FormulaError`] knows the character that it is about, shows it and says what was expected:
//!
//! | text | message |
//! |---|---|
//! | `` | the formula is empty |
//! | `a +` | expected a number, a name or `(`, found the end |
//! | `2x` | expected an operator or the end, found `x` |
//! | `(a + x` | expected an operator or `)`, found the end |
//! | `a + x)` | expected the end: there is no `(` for it, found `)` |
//! | `exq(x)` | there is no function `exq`: did you mean `exp`? |
//! | `a(x + 1)` after an `a` | expected an operator: a product has its `*`, found `(` |
//! | `atan2(x)` | `atan2` takes 2 arguments, y and x, found 1 |
//! | `sin + 1` | `sin` is a function: write sin(…) |
//! | `a*(x > 0)` | `>` gives no number: conditions stand first in if(condition, a, b) only |
//! | `if(0 < x < 1, a, b)` | `<` compares a comparison: write a < b and b < c |
//! | `if(x, 1, 2)` | the first argument of `if` is a condition, as in if(x > 0, a, b), and found a number |
//! | `a $ x` | a formula has no `$` |
//! | `1e999*a` | the number 1e999 is larger than 1.8e308 |
//! | 257 parentheses | more than 256 parentheses, signs and powers are nested here |
//!
//! # How it runs
//!
//! A formula is one node, not one for each function. It is compiled to a list of operations on blocks of samples that stay in registers
//! and the first-level cache, numbers folded and equal terms shared; what depends on parameters alone is evaluated once a call. Its
//! derivatives are such lists as well, made by symbolic reverse and forward differentiation, so that they are exact to second order.
//! Griewank & Walther (2008), *Evaluating Derivatives*, ch. 3 and 5.

mod code;
mod derivative;
mod error;
mod evaluator;
mod lexer;
mod linear;
mod lower;
mod machine;
mod node;
mod operations;
mod parser;
mod print;
mod programs;
mod substitute;
mod syntax;
#[cfg(test)]
mod tests;
mod values;

pub use error::{FormulaError, FormulaErrorKind};
pub use evaluator::Evaluator;
pub use node::FormulaOp;
pub(crate) use node::FormulaOptions;
pub use substitute::Replacement;

use crate::graph::{Graph, GraphError};
use crate::op::Dependence;
use programs::Programs;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use syntax::Tree;
use values::Leaf;

/// A formula, or several that share their parameters: c outputs of d features and n parameters. See the [module](self).
///
/// Cheap to clone. Two are equal where their operations are, however they are written.
#[derive(Clone)]
pub struct Formula {
    tree: Arc<Tree>,
    programs: Arc<Programs>,
}

impl Formula {
    /// The formula in `text`, of inputs called `features`.
    ///
    /// # Errors
    /// When the text is no formula, or a feature's name no name of a formula.
    pub fn new<S: AsRef<str>>(text: &str, features: &[S]) -> Result<Self, FormulaError> {
        Self::several(&[text], features)
    }

    /// Several outputs, one for each of `texts`, which share parameters of one name.
    ///
    /// # Errors
    /// As [`new`](Self::new), and when there are no texts.
    pub fn several<T: AsRef<str>, S: AsRef<str>>(
        texts: &[T],
        features: &[S],
    ) -> Result<Self, FormulaError> {
        let features: Vec<String> = features.iter().map(|name| name.as_ref().to_owned()).collect();
        parser::check_features(&features)?;
        if texts.is_empty() {
            return Err(FormulaError::without_place(FormulaErrorKind::NoOutputs));
        }
        let mut tree = Tree::new(&features);
        for text in texts {
            let root = parser::parse(text.as_ref(), &mut tree)?;
            tree.roots.push(root);
        }
        Ok(Self::of_tree(tree))
    }

    fn of_tree(tree: Tree) -> Self {
        let programs = Arc::new(Programs::new(&tree));
        Self { tree: Arc::new(tree), programs }
    }

    fn programs(&self) -> &Programs {
        &self.programs
    }

    /// Names of the parameters, in order of appearance: the order of θ.
    pub fn parameters(&self) -> &[String] {
        &self.tree.parameters
    }

    /// Names of the inputs, in the order in which they were given; a formula need not have all of them.
    pub fn features(&self) -> &[String] {
        &self.tree.features
    }

    /// c, the number of outputs.
    pub fn outputs(&self) -> usize {
        self.tree.roots.len()
    }

    /// Whether the formula's values depend on feature `index`.
    pub fn uses_feature(&self, index: usize) -> bool {
        self.tree.nodes.contains(&syntax::Node::Feature(index))
    }

    /// A graph of one node, called `formula`, with a block `formula.NAME` for each parameter.
    ///
    /// # Errors
    /// [`GraphError::NoParameters`] for a formula without parameters, and [`GraphError::Shape`] without features.
    pub fn graph(&self) -> Result<Graph, GraphError> {
        let mut g = Graph::builder(self.features().len());
        let y = g.node("formula", FormulaOp::new(self.clone()), &[g.input()])?;
        g.build(y)
    }

    /// An evaluator with memory of its own.
    pub fn evaluator(&self) -> Evaluator {
        Evaluator::new(self.clone())
    }

    /// Parameters that the outputs are affine in, all together and whatever the others are, by position: as many as are found to go
    /// together, the earlier ones where that is a choice.
    pub fn linear_parameters(&self) -> Vec<usize> {
        let parameter = |leaf| match leaf {
            Leaf::Parameter(j) => Some(j),
            _ => None,
        };
        let conflicts = linear::conflicts(&self.programs.values, &self.programs.outputs, parameter);
        let all = 0..u32::try_from(self.parameters().len()).unwrap_or(u32::MAX);
        conflicts.joint(all).into_iter().map(|j| j as usize).collect()
    }

    /// Parameters that the formula has and no output depends on, by position: b in `a*x + 0*b`.
    pub fn idle_parameters(&self) -> Vec<usize> {
        let idle = self.programs.idle();
        (0..idle.len()).filter(|&j| idle[j]).collect()
    }

    /// How z depends on the parameters marked (all of them by default) and, where `inputs` says so, on the inputs.
    fn dependence(&self, inputs: bool, marked: Option<&[bool]>) -> Dependence {
        let n = u32::try_from(self.parameters().len()).unwrap_or(u32::MAX);
        let number = |leaf| match leaf {
            Leaf::Parameter(j) => Some(j),
            Leaf::Feature(i) if inputs => Some(n.saturating_add(i)),
            _ => None,
        };
        let conflicts = linear::conflicts(&self.programs.values, &self.programs.outputs, number);
        let counts = |j: &u32| marked.is_none_or(|marked| marked[*j as usize]);
        let d = u32::try_from(self.features().len()).unwrap_or(u32::MAX);
        let features = if inputs { n..n.saturating_add(d) } else { 0..0 };
        let leaves: BTreeSet<u32> = (0..n).filter(counts).chain(features).collect();
        if conflicts.allow(&leaves) { Dependence::Affine } else { Dependence::Nonlinear }
    }
}

impl PartialEq for Formula {
    fn eq(&self, other: &Self) -> bool {
        self.tree.features == other.tree.features
            && self.tree.parameters == other.tree.parameters
            && self.programs.outputs == other.programs.outputs
            && self.programs.values == other.programs.values
    }
}

impl fmt::Debug for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Formula({:?} of {:?})", self.to_string(), self.features())
    }
}
