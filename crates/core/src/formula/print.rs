//! A tree → text that is read back, LaTeX, Unicode.

use super::Formula;
use super::lexer::{QUOTE, is_plain};
use super::parser::{comparison_sign, meaning};
use super::syntax::{Arithmetic, Comparison, Constant, Function, Id, Junction, Node, Tree};
use std::borrow::Cow;
use std::fmt;

/// How tightly what is printed binds.
mod binding {
    pub(super) const ANY: u8 = 0;
    pub(super) const OR: u8 = 1;
    pub(super) const AND: u8 = 2;
    pub(super) const NOT: u8 = 3;
    pub(super) const COMPARISON: u8 = 4;
    pub(super) const SUM: u8 = 5;
    pub(super) const PRODUCT: u8 = 6;
    pub(super) const SIGN: u8 = 7;
    pub(super) const POWER: u8 = 8;
    pub(super) const ATOM: u8 = 9;
}

/// How formulas are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Latex,
    Unicode,
}

/// What is still to be written, the last first.
enum Item {
    /// A node, in parentheses where it binds less tightly than stated.
    Node(Id, u8),
    Text(Cow<'static, str>),
}

impl fmt::Display for Formula {
    /// The text, several outputs separated by `; `. [`Formula::new`] reads a single one back as the same formula.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.joined(Style::Plain))
    }
}

impl Formula {
    /// The text of output `output`, which [`Formula::new`] reads back.
    ///
    /// # Panics
    /// If there is no such output.
    pub fn output_text(&self, output: usize) -> String {
        written(&self.tree, self.tree.roots[output], Style::Plain)
    }

    /// As LaTeX, for mathematics mode: `a\,e^{-b\,x} + c`.
    ///
    /// ```
    /// use secant_core::formula::Formula;
    ///
    /// let formula = Formula::new("alpha*exp(-x/tau)/sqrt(b_1)", &["x"])?;
    /// assert_eq!(formula.to_latex(), r"\frac{\alpha \, e^{\frac{-x}{\tau}}}{\sqrt{b_{1}}}");
    /// # Ok::<(), secant_core::formula::FormulaError>(())
    /// ```
    pub fn to_latex(&self) -> String {
        self.joined(Style::Latex)
    }

    /// With the signs of print, for terminals and figures; whole exponents are raised.
    ///
    /// ```
    /// use secant_core::formula::Formula;
    ///
    /// let formula = Formula::new("alpha*x^2 - pi*(x <= 0) + 1", &["x"]);
    /// assert!(formula.is_err()); // a condition outside of `if`
    /// let formula = Formula::new("alpha*x^2 - if(x <= 0, pi, sqrt(x + 1))", &["x"])?;
    /// assert_eq!(formula.to_unicode(), "α·x² − if(x ≤ 0, π, √(x + 1))");
    /// # Ok::<(), secant_core::formula::FormulaError>(())
    /// ```
    pub fn to_unicode(&self) -> String {
        self.joined(Style::Unicode)
    }

    fn joined(&self, style: Style) -> String {
        let texts: Vec<String> =
            self.tree.roots.iter().map(|&root| written(&self.tree, root, style)).collect();
        texts.join(if style == Style::Latex { r";\quad " } else { "; " })
    }
}

fn text(text: &'static str) -> Item {
    Item::Text(Cow::Borrowed(text))
}

/// A tree may be deep: what is open waits in a list, not on the stack.
fn written(tree: &Tree, root: Id, style: Style) -> String {
    let (mut out, mut open) = (String::new(), vec![Item::Node(root, binding::ANY)]);
    while let Some(item) = open.pop() {
        match item {
            Item::Text(text) => out.push_str(&text),
            Item::Node(id, least) => {
                let (mut items, binds) = parts(tree, id, style);
                if binds < least {
                    let latex = style == Style::Latex;
                    items.insert(0, text(if latex { r"\left(" } else { "(" }));
                    items.push(text(if latex { r"\right)" } else { ")" }));
                }
                open.extend(items.into_iter().rev());
            }
        }
    }
    out
}

/// What a node is written as, and how tightly that binds.
fn parts(tree: &Tree, id: Id, style: Style) -> (Vec<Item>, u8) {
    let latex = style == Style::Latex;
    match &tree.nodes[id] {
        Node::Number(value) => number(*value, style),
        Node::Constant(constant) => (vec![text(constant_text(*constant, style))], binding::ATOM),
        Node::Feature(i) => (vec![name(&tree.features[*i], style)], binding::ATOM),
        Node::Parameter(j) => (vec![name(&tree.parameters[*j], style)], binding::ATOM),
        Node::Negate(a) => {
            let sign = if style == Style::Unicode { "−" } else { "-" };
            (vec![text(sign), Item::Node(*a, binding::SIGN)], binding::SIGN)
        }
        Node::Arithmetic(sign, a, b) => arithmetic(tree, *sign, (*a, *b), style),
        Node::Compare(comparison, a, b) => {
            let sign = match style {
                Style::Plain => comparison_sign(*comparison),
                Style::Latex => latex_comparison(*comparison),
                Style::Unicode => unicode_comparison(*comparison),
            };
            let sign = Item::Text(format!(" {sign} ").into());
            // One comparison is not an operand of another, so either side is a sum at least.
            let sides = [Item::Node(*a, binding::SUM), sign, Item::Node(*b, binding::SUM)];
            (sides.into(), binding::COMPARISON)
        }
        Node::Join(junction, a, b) => {
            let (word, binds) = match junction {
                Junction::And if latex => (r" \land ", binding::AND),
                Junction::Or if latex => (r" \lor ", binding::OR),
                Junction::And => (" and ", binding::AND),
                Junction::Or => (" or ", binding::OR),
            };
            (vec![Item::Node(*a, binds), text(word), Item::Node(*b, binds + 1)], binds)
        }
        Node::Not(a) => {
            let word = if latex { r"\lnot " } else { "not " };
            (vec![text(word), Item::Node(*a, binding::NOT)], binding::NOT)
        }
        Node::Call(function, range) => call(*function, &tree.arguments[range.clone()], style),
    }
}

/// The shortest digits that are read back.
fn number(value: f64, style: Style) -> (Vec<Item>, u8) {
    let plain = format!("{value}");
    let short = format!("{value:e}");
    let digits = if short.len() + 2 < plain.len() { short } else { plain };
    let negative = value.is_sign_negative();
    let item = match (style, digits.split_once('e')) {
        (Style::Plain, _) | (_, None) => digits,
        (Style::Latex, Some((mantissa, exponent))) => {
            format!(r"{mantissa} \cdot 10^{{{exponent}}}")
        }
        (Style::Unicode, Some((mantissa, exponent))) => {
            format!("{mantissa}·10{}", raised(exponent))
        }
    };
    let split = style != Style::Plain && (item.contains("cdot") || item.contains('·'));
    let binds = match (negative, split) {
        (true, _) => binding::SIGN,
        (false, true) => binding::PRODUCT,
        (false, false) => binding::ATOM,
    };
    (vec![Item::Text(item.into())], binds)
}

fn raised(digits: &str) -> String {
    let up = |c: char| match c {
        '-' => '⁻',
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        '9' => '⁹',
        other => other,
    };
    digits.chars().map(up).collect()
}

fn constant_text(constant: Constant, style: Style) -> &'static str {
    match (constant, style) {
        (Constant::E, _) => "e",
        (Constant::Pi, Style::Plain) => "pi",
        (Constant::Pi, Style::Latex) => r"\pi",
        (Constant::Pi, Style::Unicode) => "π",
    }
}

/// Letters that have a name.
const GREEK: &[(&str, &str)] = &[
    ("alpha", "α"),
    ("beta", "β"),
    ("gamma", "γ"),
    ("delta", "δ"),
    ("epsilon", "ε"),
    ("zeta", "ζ"),
    ("eta", "η"),
    ("theta", "θ"),
    ("kappa", "κ"),
    ("lambda", "λ"),
    ("mu", "μ"),
    ("nu", "ν"),
    ("xi", "ξ"),
    ("rho", "ρ"),
    ("sigma", "σ"),
    ("tau", "τ"),
    ("phi", "φ"),
    ("chi", "χ"),
    ("psi", "ψ"),
    ("omega", "ω"),
    ("Gamma", "Γ"),
    ("Delta", "Δ"),
    ("Theta", "Θ"),
    ("Lambda", "Λ"),
    ("Sigma", "Σ"),
    ("Phi", "Φ"),
    ("Psi", "Ψ"),
    ("Omega", "Ω"),
];

/// `b_1` and `b1` have an index in print.
fn name(name: &str, style: Style) -> Item {
    if !is_plain(name) || meaning(name).is_some() {
        return Item::Text(match style {
            Style::Latex => format!(r"\text{{{}}}", latex_text(name)).into(),
            _ => format!("{QUOTE}{name}{QUOTE}").into(),
        });
    }
    let greek = |part: &str| GREEK.iter().find(|(latin, letter)| *latin == part || *letter == part);
    let spelt = match style {
        Style::Plain => return Item::Text(name.to_owned().into()),
        Style::Unicode => {
            let (letter, index) = split_index(name);
            let Some((_, letter)) = greek(letter) else {
                return Item::Text(name.to_owned().into());
            };
            if index.is_empty() {
                (*letter).to_owned()
            } else {
                format!(
                    "{letter}{}",
                    &name[name.len() - index.len() - usize::from(name.contains('_'))..]
                )
            }
        }
        Style::Latex => {
            let (letter, index) = split_index(name);
            let upright = |text: &str| text.replace('_', r"\_");
            let letter = match greek(letter) {
                Some((latin, _)) => format!(r"\{latin}"),
                None if letter.chars().count() == 1 => letter.to_owned(),
                None => format!(r"\mathrm{{{}}}", upright(letter)),
            };
            let index = index.trim_matches('_');
            if index.is_empty() {
                letter
            } else if index.chars().all(char::is_numeric) || index.chars().count() == 1 {
                format!("{letter}_{{{index}}}")
            } else {
                format!(r"{letter}_{{\mathrm{{{}}}}}", upright(index))
            }
        }
    };
    Item::Text(spelt.into())
}

/// Any text in LaTeX.
fn latex_text(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' => out.push_str(r"\textbackslash{}"),
            '^' => out.push_str(r"\textasciicircum{}"),
            '~' => out.push_str(r"\textasciitilde{}"),
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// A name's first part, and what stands behind `_` or what digits it ends with.
fn split_index(name: &str) -> (&str, &str) {
    if let Some((letter, index)) = name.split_once('_')
        && !letter.is_empty()
        && !index.is_empty()
    {
        return (letter, index);
    }
    let letter = name.trim_end_matches(|c: char| c.is_numeric());
    if letter.is_empty() { (name, "") } else { name.split_at(letter.len()) }
}

fn arithmetic(tree: &Tree, sign: Arithmetic, (a, b): (Id, Id), style: Style) -> (Vec<Item>, u8) {
    use Style::{Latex, Plain, Unicode};
    let (word, binds) = match (sign, style) {
        (Arithmetic::Add, _) => (" + ", binding::SUM),
        (Arithmetic::Subtract, Unicode) => (" − ", binding::SUM),
        (Arithmetic::Subtract, _) => (" - ", binding::SUM),
        (Arithmetic::Multiply, Plain) => ("*", binding::PRODUCT),
        (Arithmetic::Multiply, Latex) => (r" \, ", binding::PRODUCT),
        (Arithmetic::Multiply, Unicode) => ("·", binding::PRODUCT),
        (Arithmetic::Divide, Latex) => {
            let (top, bottom) = (Item::Node(a, binding::ANY), Item::Node(b, binding::ANY));
            let items = vec![text(r"\frac{"), top, text("}{"), bottom, text("}")];
            return (items, binding::PRODUCT);
        }
        (Arithmetic::Divide, _) => ("/", binding::PRODUCT),
        (Arithmetic::Power, Latex) => {
            let (base, exponent) = (Item::Node(a, binding::ATOM), Item::Node(b, binding::ANY));
            return (vec![base, text("^{"), exponent, text("}")], binding::POWER);
        }
        (Arithmetic::Power, Unicode) => {
            if let Node::Number(n) = tree.nodes[b]
                && n.fract() == 0.0
                && n.abs() < 1e6
            {
                let exponent = Item::Text(raised(&n.to_string()).into());
                return (vec![Item::Node(a, binding::ATOM), exponent], binding::POWER);
            }
            ("^", binding::POWER)
        }
        (Arithmetic::Power, Plain) => ("^", binding::POWER),
    };
    if binds == binding::POWER {
        // 2^-x needs no parentheses, (2^3)^2 does.
        let items = vec![Item::Node(a, binding::ATOM), text(word), Item::Node(b, binding::SIGN)];
        return (items, binds);
    }
    (vec![Item::Node(a, binds), text(word), Item::Node(b, binds + 1)], binds)
}

fn call(function: Function, arguments: &[Id], style: Style) -> (Vec<Item>, u8) {
    let first = |least| arguments.first().map_or(text(""), |&id| Item::Node(id, least));
    if style == Style::Latex {
        match function {
            Function::Exp => {
                return (vec![text("e^{"), first(binding::ANY), text("}")], binding::POWER);
            }
            Function::Sqrt => {
                return (vec![text(r"\sqrt{"), first(binding::ANY), text("}")], binding::ATOM);
            }
            Function::Cbrt => {
                return (vec![text(r"\sqrt[3]{"), first(binding::ANY), text("}")], binding::ATOM);
            }
            Function::Abs => {
                let items = vec![text(r"\left|"), first(binding::ANY), text(r"\right|")];
                return (items, binding::ATOM);
            }
            Function::If => {
                let [c, a, b] = [0, 1, 2]
                    .map(|i| arguments.get(i).map_or(text(""), |&id| Item::Node(id, binding::ANY)));
                let (open, close) =
                    (text(r"\begin{cases} "), text(r" & \text{otherwise} \end{cases}"));
                let items = vec![open, a, text(r" & \text{if } "), c, text(r" \\ "), b, close];
                return (items, binding::ATOM);
            }
            _ => {}
        }
    }
    let (open, close) = match style {
        Style::Latex => (format!(r"{}\left(", latex_function(function)).into(), r"\right)"),
        Style::Unicode => match function {
            Function::Sqrt => ("√(".into(), ")"),
            Function::Cbrt => ("∛(".into(), ")"),
            Function::Abs => ("|".into(), "|"),
            Function::Log => ("ln(".into(), ")"),
            Function::Gamma => ("Γ(".into(), ")"),
            Function::LogGamma => ("ln Γ(".into(), ")"),
            _ => (format!("{}(", function.name()).into(), ")"),
        },
        Style::Plain => (Cow::from(format!("{}(", function.name())), ")"),
    };
    let mut items = vec![Item::Text(open)];
    for (index, &argument) in arguments.iter().enumerate() {
        if index > 0 {
            items.push(text(", "));
        }
        items.push(Item::Node(argument, binding::ANY));
    }
    items.push(text(close));
    (items, binding::ATOM)
}

fn latex_function(function: Function) -> String {
    match function {
        Function::Log => r"\ln".into(),
        Function::Log10 => r"\log_{10}".into(),
        Function::Log2 => r"\log_{2}".into(),
        Function::Min
        | Function::Max
        | Function::Sin
        | Function::Cos
        | Function::Tan
        | Function::Sinh
        | Function::Cosh
        | Function::Tanh => format!(r"\{}", function.name()),
        Function::Asin => r"\arcsin".into(),
        Function::Acos => r"\arccos".into(),
        Function::Atan => r"\arctan".into(),
        Function::LogGamma => r"\ln\Gamma".into(),
        Function::Gamma => r"\Gamma".into(),
        _ => format!(r"\operatorname{{{}}}", function.name()),
    }
}

fn latex_comparison(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Less => "<",
        Comparison::LessEqual => r"\le",
        Comparison::Greater => ">",
        Comparison::GreaterEqual => r"\ge",
        Comparison::Equal => "=",
        Comparison::NotEqual => r"\ne",
    }
}

fn unicode_comparison(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::LessEqual => "≤",
        Comparison::GreaterEqual => "≥",
        Comparison::NotEqual => "≠",
        other => comparison_sign(other),
    }
}
