//! Tokens → a tree, by operator precedence (Pratt 1973).

use super::error::{FormulaError, FormulaErrorKind};
use super::lexer::{Placed, QUOTE, Token, tokens};
use super::syntax::{
    Arithmetic, Comparison, Constant, DEEPEST, FUNCTIONS, Function, Id, Junction, LONGEST, Node,
    Tree,
};
use crate::text::did_you_mean;

/// How tightly operators bind, loosest first; a left side binds as stated, a right side one more where they group to the left.
mod binding {
    pub(super) const OR: u8 = 1;
    pub(super) const AND: u8 = 3;
    pub(super) const NOT: u8 = 5;
    pub(super) const COMPARISON: u8 = 7;
    pub(super) const SUM: u8 = 9;
    pub(super) const PRODUCT: u8 = 11;
    pub(super) const SIGN: u8 = 13;
    pub(super) const POWER: u8 = 15;
}

/// What an operator between two operands is.
#[derive(Clone, Copy)]
enum Infix {
    Arithmetic(Arithmetic),
    Comparison(Comparison),
    Junction(Junction),
}

/// An operand that is expected.
const OPERAND: &str = "a number, a name or `(`";

/// Adds the formula in `text` to `tree` and returns its root.
pub(super) fn parse(text: &str, tree: &mut Tree) -> Result<Id, FormulaError> {
    let tokens = tokens(text)?;
    if tokens.len() == 1 {
        return Err(FormulaError::at(text, 0, FormulaErrorKind::Empty));
    }
    let mut parser = Parser { text, tokens, next: 0, depth: 0, tree, signs: Vec::new() };
    let root = parser.expression(0)?;
    match parser.peek() {
        Token::End => {}
        Token::Close => return Err(parser.unexpected("the end: there is no `(` for it")),
        _ => return Err(parser.unexpected("an operator or the end")),
    }
    parser.number(root)?;
    Ok(root)
}

/// Checks the names of features.
pub(super) fn check_features(features: &[String]) -> Result<(), FormulaError> {
    for (index, name) in features.iter().enumerate() {
        let kind = |kind| Err(FormulaError::without_place(kind));
        if name.is_empty() || name.contains(QUOTE) {
            return kind(FormulaErrorKind::FeatureName(name.clone()));
        }
        if let Some(meaning) = meaning(name) {
            return kind(FormulaErrorKind::ReservedFeature { name: name.clone(), meaning });
        }
        if features[..index].contains(name) {
            return kind(FormulaErrorKind::DuplicateFeature(name.clone()));
        }
    }
    Ok(())
}

/// What a name means that can be no feature.
pub(super) fn meaning(name: &str) -> Option<&'static str> {
    match name {
        "e" => Some("2.718…"),
        "pi" | "π" => Some("3.141…"),
        "and" | "or" | "not" => Some("a word between conditions"),
        _ => function_alone(name).map(|_| "a function"),
    }
}

/// The function that the name stands for without parentheses too. Γ does not: many models have a parameter of that name.
fn function_alone(name: &str) -> Option<Function> {
    Function::named(name).filter(|function| *function != Function::Gamma)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Placed>,
    next: usize,
    depth: usize,
    tree: &'a mut Tree,
    /// Conditions, and where their operators stand.
    signs: Vec<(Id, usize)>,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.next].token
    }

    fn position(&self) -> usize {
        self.tokens[self.next].position
    }

    /// The next token; the end stays.
    fn take(&mut self) -> Token {
        let token = self.tokens[self.next].token.clone();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    fn error(&self, position: usize, kind: FormulaErrorKind) -> FormulaError {
        FormulaError::at(self.text, position, kind)
    }

    fn unexpected(&self, expected: &'static str) -> FormulaError {
        let placed = &self.tokens[self.next];
        let shown = self.text.chars().skip(placed.position).take(placed.length);
        let found = match placed.token {
            Token::End => "the end".to_owned(),
            _ => format!("`{}`", crate::text::quoted(&shown.collect::<String>())),
        };
        self.error(placed.position, FormulaErrorKind::Unexpected { expected, found })
    }

    fn push(&mut self, position: usize, node: Node) -> Result<Id, FormulaError> {
        if self.tree.nodes.len() >= LONGEST {
            return Err(self.error(position, FormulaErrorKind::TooLong(LONGEST)));
        }
        if matches!(node, Node::Compare(..) | Node::Join(..) | Node::Not(_)) {
            self.signs.push((self.tree.nodes.len(), position));
        }
        Ok(self.tree.push(node))
    }

    /// Refuses a condition.
    fn number(&self, id: Id) -> Result<Id, FormulaError> {
        let sign = match &self.tree.nodes[id] {
            Node::Compare(comparison, ..) => comparison_sign(*comparison),
            Node::Join(Junction::And, ..) => "and",
            Node::Join(Junction::Or, ..) => "or",
            Node::Not(_) => "not",
            _ => return Ok(id),
        };
        let position = self.signs.iter().find(|(of, _)| *of == id).map_or(0, |(_, at)| *at);
        Err(self.error(position, FormulaErrorKind::ConditionOutside(sign)))
    }

    /// Refuses a number.
    fn condition(&self, id: Id, word: &'static str, position: usize) -> Result<Id, FormulaError> {
        if self.tree.is_condition(id) {
            return Ok(id);
        }
        Err(self.error(position, FormulaErrorKind::NumberAsCondition(word)))
    }

    /// The operator that comes next, how tightly its left side binds and its right side.
    fn infix(&self) -> Option<(Infix, u8, u8)> {
        let (infix, left) = match self.peek() {
            Token::Operator(Arithmetic::Power) => {
                // To the right: 2^3^2 = 2^9.
                let power = Infix::Arithmetic(Arithmetic::Power);
                return Some((power, binding::POWER, binding::POWER));
            }
            Token::Operator(sign @ (Arithmetic::Add | Arithmetic::Subtract)) => {
                (Infix::Arithmetic(*sign), binding::SUM)
            }
            Token::Operator(sign) => (Infix::Arithmetic(*sign), binding::PRODUCT),
            Token::Comparison(sign) => (Infix::Comparison(*sign), binding::COMPARISON),
            Token::Name(word) if word == "and" => (Infix::Junction(Junction::And), binding::AND),
            Token::Name(word) if word == "or" => (Infix::Junction(Junction::Or), binding::OR),
            _ => return None,
        };
        Some((infix, left, left + 1))
    }

    /// Operands and the operators between them that bind at least as tightly as `least`.
    fn expression(&mut self, least: u8) -> Result<Id, FormulaError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error(self.position(), FormulaErrorKind::TooDeep(DEEPEST)));
        }
        let mut left = self.operand()?;
        while let Some((infix, binds, right_binds)) = self.infix() {
            if binds < least {
                break;
            }
            let position = self.position();
            self.take();
            let right = self.expression(right_binds)?;
            let node = match infix {
                Infix::Arithmetic(sign) => {
                    Node::Arithmetic(sign, self.number(left)?, self.number(right)?)
                }
                Infix::Comparison(sign) if self.tree.is_condition(left) => {
                    let kind = FormulaErrorKind::Chained(comparison_sign(sign));
                    return Err(self.error(position, kind));
                }
                Infix::Comparison(sign) => {
                    Node::Compare(sign, self.number(left)?, self.number(right)?)
                }
                Infix::Junction(junction) => {
                    let word = if junction == Junction::And { "and" } else { "or" };
                    let left = self.condition(left, word, position)?;
                    Node::Join(junction, left, self.condition(right, word, position)?)
                }
            };
            left = self.push(position, node)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operand(&mut self) -> Result<Id, FormulaError> {
        let position = self.position();
        match self.peek().clone() {
            Token::Number(value) => {
                self.take();
                self.push(position, Node::Number(value))
            }
            Token::Operator(sign @ (Arithmetic::Add | Arithmetic::Subtract)) => {
                self.take();
                let operand = self.expression(binding::SIGN)?;
                let operand = self.number(operand)?;
                if sign == Arithmetic::Add {
                    return Ok(operand);
                }
                self.push(position, Node::Negate(operand))
            }
            Token::Open => {
                self.take();
                let inside = self.expression(0)?;
                self.close()?;
                Ok(inside)
            }
            Token::Quoted(name) => {
                self.take();
                let known = self.tree.features.iter().position(|known| *known == name);
                let node = known.map_or_else(|| self.tree.parameter(&name), Node::Feature);
                self.push(position, node)
            }
            Token::Name(name) => {
                if matches!(name.as_str(), "and" | "or") {
                    return Err(self.unexpected(OPERAND));
                }
                self.take();
                if name == "not" {
                    let operand = self.expression(binding::NOT)?;
                    let operand = self.condition(operand, "not", position)?;
                    return self.push(position, Node::Not(operand));
                }
                if *self.peek() == Token::Open {
                    return self.call(&name, position);
                }
                let node = self.name(&name, position)?;
                self.push(position, node)
            }
            _ => Err(self.unexpected(OPERAND)),
        }
    }

    fn close(&mut self) -> Result<(), FormulaError> {
        match self.peek() {
            Token::Close => {
                self.take();
                Ok(())
            }
            _ => Err(self.unexpected("an operator or `)`")),
        }
    }

    fn name(&mut self, name: &str, position: usize) -> Result<Node, FormulaError> {
        if let Some(feature) = self.tree.features.iter().position(|known| known == name) {
            return Ok(Node::Feature(feature));
        }
        if let Some(constant) = Constant::named(name) {
            return Ok(Node::Constant(constant));
        }
        match function_alone(name) {
            Some(function) => {
                Err(self.error(position, FormulaErrorKind::FunctionAlone(function.name())))
            }
            None => Ok(self.tree.parameter(name)),
        }
    }

    fn call(&mut self, name: &str, position: usize) -> Result<Id, FormulaError> {
        let Some(function) = Function::named(name) else {
            let known = FUNCTIONS.iter().map(|(known, _)| *known);
            // A name of the data or of a parameter before a parenthesis: a product is meant.
            let data = self.tree.features.iter().any(|known| known == name);
            let parameter = self.tree.parameters.iter().any(|known| known == name);
            if data || parameter || Constant::named(name).is_some() {
                return Err(self.unexpected("an operator: a product has its `*`"));
            }
            let hint = did_you_mean(name, known);
            let name = name.to_owned();
            return Err(self.error(position, FormulaErrorKind::UnknownFunction { name, hint }));
        };
        self.take();
        let mut arguments = Vec::new();
        if *self.peek() != Token::Close {
            loop {
                let start = self.position();
                let argument = self.expression(0)?;
                if function == Function::If && arguments.is_empty() {
                    if !self.tree.is_condition(argument) {
                        return Err(self.error(start, FormulaErrorKind::NoCondition));
                    }
                } else {
                    self.number(argument)?;
                }
                arguments.push(argument);
                match self.peek() {
                    Token::Comma => {
                        self.take();
                    }
                    Token::Close => break,
                    _ => return Err(self.unexpected("an operator, `,` or `)`")),
                }
            }
        }
        self.take();
        let (takes, expected) = function.arguments();
        let found = arguments.len();
        if !takes.contains(&found) {
            let function = function.name();
            let kind = FormulaErrorKind::Arguments { function, expected, found };
            return Err(self.error(position, kind));
        }
        let first = self.tree.arguments.len();
        self.tree.arguments.extend(arguments);
        self.push(position, Node::Call(function, first..first + found))
    }
}

/// As it is written.
pub(super) fn comparison_sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Less => "<",
        Comparison::LessEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterEqual => ">=",
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
    }
}
