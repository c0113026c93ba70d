//! Parameters replaced: by numbers, which fixes them, or by expressions, which ties them to others.

use super::Formula;
use super::error::{FormulaError, FormulaErrorKind};
use super::parser::parse;
use super::syntax::{DEEPEST, Id, LONGEST, Node, Tree};
use crate::text::quoted;

/// What a parameter is replaced by.
#[derive(Clone, Debug, PartialEq)]
pub enum Replacement {
    /// A number: the parameter is fixed.
    Number(f64),
    /// A formula of other parameters, or of features: the parameter is tied to them.
    Text(String),
}

impl From<f64> for Replacement {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for Replacement {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Replacement {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// A parameter's replacement, as a tree of its own.
struct Tie {
    name: String,
    tree: Tree,
}

impl Formula {
    /// The formula with parameters replaced by numbers or by expressions. These may have other replaced parameters in them, and new names,
    /// which are parameters of the result. What vanishes drops out of [`parameters`](Self::parameters).
    ///
    /// ```
    /// use secant_core::formula::Formula;
    ///
    /// let peaks = Formula::new("a*exp(-((x - m)/s)^2) + d*exp(-((x - n)/s)^2)", &["x"])?;
    /// let tied = peaks.substitute([("d", "2*a"), ("n", "m + 1.5")])?.substitute([("s", 0.25)])?;
    /// assert_eq!(tied.parameters(), ["a", "m"]);
    /// let circle = peaks.substitute([("a", "2*d"), ("d", "a/2")]).unwrap_err();
    /// assert_eq!(circle.to_string(), "the replacements go in a circle: a → d → a");
    /// # Ok::<(), secant_core::formula::FormulaError>(())
    /// ```
    ///
    /// # Errors
    /// When a name is no parameter or stands twice, a replacement is no formula or no finite number, or replacements go in a circle.
    pub fn substitute<N: AsRef<str>, R: Into<Replacement>>(
        &self,
        replacements: impl IntoIterator<Item = (N, R)>,
    ) -> Result<Self, FormulaError> {
        let mut ties: Vec<Tie> = Vec::new();
        for (name, replacement) in replacements {
            let name = name.as_ref();
            self.check_replaced(name, &ties)?;
            ties.push(Tie {
                name: name.to_owned(),
                tree: self.replacement(name, replacement.into())?,
            });
        }
        if ties.is_empty() {
            return Ok(self.clone());
        }
        for tie in &ties {
            // A replacement may be that of a name which another replacement brings in.
            let known =
                self.parameters().iter().chain(ties.iter().flat_map(|tie| &tie.tree.parameters));
            if !known.clone().any(|known| *known == tie.name) {
                let known = self.parameters().iter().map(String::as_str);
                return Err(FormulaError::unknown_parameter(&tie.name, known));
            }
        }
        check_circles(&ties)?;
        let mut into = Tree::new(self.features());
        let mut budget = LONGEST;
        for &root in &self.tree.roots {
            let root = copied(&self.tree, root, &ties, &mut into, (&mut budget, 0))?;
            into.roots.push(root);
        }
        let result = Self::of_tree(into);
        // What is written must be readable.
        for output in 0..result.outputs() {
            let mut again = Tree::new(self.features());
            parse(&result.output_text(output), &mut again)?;
        }
        Ok(result)
    }

    fn check_replaced(&self, name: &str, before: &[Tie]) -> Result<(), FormulaError> {
        if self.features().iter().any(|feature| feature == name) {
            let kind = FormulaErrorKind::ReplacedFeature(name.to_owned());
            return Err(FormulaError::without_place(kind));
        }
        if before.iter().any(|tie| tie.name == name) {
            let kind = FormulaErrorKind::DuplicateReplacement(name.to_owned());
            return Err(FormulaError::without_place(kind));
        }
        Ok(())
    }

    fn replacement(&self, name: &str, replacement: Replacement) -> Result<Tree, FormulaError> {
        let mut tree = Tree::new(self.features());
        match replacement {
            Replacement::Number(value) if !value.is_finite() => {
                let kind = FormulaErrorKind::NotFinite { name: name.to_owned(), value };
                return Err(FormulaError::without_place(kind));
            }
            Replacement::Number(value) => {
                let number = tree.push(Node::Number(value.abs()));
                if value.is_sign_negative() {
                    tree.push(Node::Negate(number));
                }
            }
            Replacement::Text(text) => {
                parse(&text, &mut tree)?;
            }
        }
        let root = tree.nodes.len() - 1;
        tree.roots.push(root);
        Ok(tree)
    }
}

/// Follows replacements from each parameter: one met again is part of a circle.
fn check_circles(ties: &[Tie]) -> Result<(), FormulaError> {
    let needs = |index: usize| -> Vec<usize> {
        let names = ties[index].tree.parameters.iter();
        names.filter_map(|name| ties.iter().position(|tie| tie.name == *name)).collect()
    };
    let mut done = vec![false; ties.len()];
    for start in 0..ties.len() {
        // The path so far, each with those that it still has to follow.
        let mut path: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut next = Some(start);
        loop {
            if let Some(index) = next.take().filter(|index| !done[*index]) {
                if let Some(first) = path.iter().position(|(on, _)| *on == index) {
                    let names = path[first..].iter().map(|(on, _)| *on).chain([index]);
                    let names: Vec<String> =
                        names.map(|on| quoted(&ties[on].name).to_string()).collect();
                    let kind = FormulaErrorKind::Circle(names.join(" → "));
                    return Err(FormulaError::without_place(kind));
                }
                path.push((index, needs(index)));
            }
            let Some((on, open)) = path.last_mut() else { break };
            next = open.pop();
            if next.is_none() {
                done[*on] = true;
                path.pop();
            }
        }
    }
    Ok(())
}

/// Copies what is under `root`, parameters replaced, and returns the copy.
fn copied(
    from: &Tree,
    root: Id,
    ties: &[Tie],
    into: &mut Tree,
    (budget, depth): (&mut usize, usize),
) -> Result<Id, FormulaError> {
    if depth > DEEPEST {
        return Err(FormulaError::without_place(FormulaErrorKind::TooDeep(DEEPEST)));
    }
    // Nodes under the root in order: operands come before what they are of.
    let mut under = vec![false; root + 1];
    under[root] = true;
    for id in (0..=root).rev() {
        if under[id] {
            for operand in operands(from, id) {
                under[operand] = true;
            }
        }
    }
    let mut copies = vec![0; root + 1];
    for id in (0..=root).filter(|id| under[*id]) {
        if *budget == 0 {
            return Err(FormulaError::without_place(FormulaErrorKind::TooLong(LONGEST)));
        }
        *budget -= 1;
        let node = match &from.nodes[id] {
            Node::Parameter(j) => {
                let name = &from.parameters[*j];
                if let Some(tie) = ties.iter().find(|tie| tie.name == *name) {
                    // No circle: this ends.
                    copies[id] =
                        copied(&tie.tree, tie.tree.roots[0], ties, into, (budget, depth + 1))?;
                    continue;
                }
                into.parameter(name)
            }
            Node::Negate(a) => Node::Negate(copies[*a]),
            Node::Not(a) => Node::Not(copies[*a]),
            Node::Arithmetic(sign, a, b) => Node::Arithmetic(*sign, copies[*a], copies[*b]),
            Node::Compare(sign, a, b) => Node::Compare(*sign, copies[*a], copies[*b]),
            Node::Join(word, a, b) => Node::Join(*word, copies[*a], copies[*b]),
            Node::Call(function, range) => {
                let first = into.arguments.len();
                let arguments = &from.arguments[range.clone()];
                into.arguments.extend(arguments.iter().map(|&argument| copies[argument]));
                Node::Call(*function, first..into.arguments.len())
            }
            leaf @ (Node::Number(_) | Node::Constant(_) | Node::Feature(_)) => leaf.clone(),
        };
        copies[id] = into.push(node);
    }
    Ok(copies[root])
}

fn operands(tree: &Tree, id: Id) -> Vec<Id> {
    match &tree.nodes[id] {
        Node::Number(_) | Node::Constant(_) | Node::Feature(_) | Node::Parameter(_) => Vec::new(),
        Node::Negate(a) | Node::Not(a) => vec![*a],
        Node::Arithmetic(_, a, b) | Node::Compare(_, a, b) | Node::Join(_, a, b) => vec![*a, *b],
        Node::Call(_, range) => tree.arguments[range.clone()].to_vec(),
    }
}
