//! Characters → tokens.

use super::error::{FormulaError, FormulaErrorKind};
use super::syntax::{Arithmetic, Comparison};

/// A token of a formula.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Name(String),
    /// A name between backquotes: of a feature or a parameter, whatever signs it has.
    Quoted(String),
    Operator(Arithmetic),
    Comparison(Comparison),
    Open,
    Close,
    Comma,
    End,
}

/// A token and the index of its first character.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) position: usize,
    /// How many characters it has.
    pub(super) length: usize,
}

/// Around a name with signs that mean something else.
pub(super) const QUOTE: char = '`';

/// Whether a name needs no quotes but for what it may mean.
pub(super) fn is_plain(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(starts_name) && characters.all(continues_name)
}

/// Whether a name may begin so.
pub(super) fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

/// Whether a name may go on so.
pub(super) fn continues_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The tokens of `text`, [`Token::End`] last.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, FormulaError> {
    let characters: Vec<char> = text.chars().collect();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while let Some(&c) = characters.get(at) {
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        let rest = &characters[at..];
        let (token, length) = if c.is_ascii_digit() || c == '.' {
            number(rest).map_err(|kind| FormulaError::at(text, at, kind))?
        } else if c == QUOTE {
            quoted(rest).ok_or_else(|| FormulaError::at(text, at, FormulaErrorKind::OpenName))?
        } else if starts_name(c) {
            let length = rest.iter().take_while(|c| continues_name(**c)).count();
            (Token::Name(rest[..length].iter().collect()), length)
        } else {
            let unknown = || FormulaError::at(text, at, FormulaErrorKind::Character(c));
            sign(c, rest.get(1).copied()).ok_or_else(unknown)?
        };
        tokens.push(Placed { token, position: at, length });
        at += length;
    }
    tokens.push(Placed { token: Token::End, position: characters.len(), length: 0 });
    Ok(tokens)
}

/// `` `time (s)` ``; `None` where nothing stands between the quotes, or the second is missing.
fn quoted(text: &[char]) -> Option<(Token, usize)> {
    let length = text[1..].iter().position(|c| *c == QUOTE).filter(|length| *length > 0)?;
    Some((Token::Quoted(text[1..=length].iter().collect()), length + 2))
}

fn sign(first: char, second: Option<char>) -> Option<(Token, usize)> {
    let one = match first {
        '+' => Token::Operator(Arithmetic::Add),
        '-' | '−' => Token::Operator(Arithmetic::Subtract),
        '*' if second == Some('*') => return Some((Token::Operator(Arithmetic::Power), 2)),
        '*' | '·' | '×' => Token::Operator(Arithmetic::Multiply),
        '/' => Token::Operator(Arithmetic::Divide),
        '^' => Token::Operator(Arithmetic::Power),
        '<' if second == Some('=') => return Some((Token::Comparison(Comparison::LessEqual), 2)),
        '>' if second == Some('=') => {
            return Some((Token::Comparison(Comparison::GreaterEqual), 2));
        }
        '=' if second == Some('=') => return Some((Token::Comparison(Comparison::Equal), 2)),
        '!' if second == Some('=') => return Some((Token::Comparison(Comparison::NotEqual), 2)),
        '<' => Token::Comparison(Comparison::Less),
        '>' => Token::Comparison(Comparison::Greater),
        '≤' => Token::Comparison(Comparison::LessEqual),
        '≥' => Token::Comparison(Comparison::GreaterEqual),
        '≠' => Token::Comparison(Comparison::NotEqual),
        '(' => Token::Open,
        ')' => Token::Close,
        ',' => Token::Comma,
        _ => return None,
    };
    Some((one, 1))
}

/// `12`, `1.5`, `.5`, `2.`, `1e-3`.
fn number(text: &[char]) -> Result<(Token, usize), FormulaErrorKind> {
    let digits = |from: usize| text[from..].iter().take_while(|c| c.is_ascii_digit()).count();
    let whole = digits(0);
    let mut length = whole;
    let mut fraction = 0;
    if text.get(length) == Some(&'.') {
        fraction = digits(length + 1);
        length += 1 + fraction;
    }
    // `2e` and `2e+` are a number and a name: that is an error of its own later.
    if let Some('e' | 'E') = text.get(length) {
        let sign = usize::from(matches!(text.get(length + 1), Some('+' | '-')));
        let exponent = digits((length + 1 + sign).min(text.len()));
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    let shown: String = text[..length].iter().collect();
    if whole + fraction == 0 {
        return Err(FormulaErrorKind::NoNumber(shown));
    }
    let Ok(value) = shown.parse::<f64>() else { return Err(FormulaErrorKind::NoNumber(shown)) };
    let mantissa = shown.split(['e', 'E']).next().unwrap_or_default();
    if !value.is_finite() {
        return Err(FormulaErrorKind::NumberRange { text: shown, large: true });
    }
    if value == 0.0 && mantissa.contains(|c| matches!(c, '1'..='9')) {
        return Err(FormulaErrorKind::NumberRange { text: shown, large: false });
    }
    Ok((Token::Number(value), length))
}
