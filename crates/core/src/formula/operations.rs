//! What a formula can do with one value and with two.

/// A function of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Unary {
    Negate,
    /// −1, 0 or 1.
    Sign,
    Abs,
    /// 1 − c for a condition c.
    Not,
    Exp,
    Expm1,
    Log,
    Log10,
    Log2,
    Log1p,
    Sqrt,
    Cbrt,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Erf,
    Erfc,
    /// ln Γ for x > 0, NaN elsewhere; so for the next three.
    LogGamma,
    Gamma,
    /// (ln Γ)′.
    Digamma,
    /// (ln Γ)″.
    Trigamma,
    /// xⁿ by multiplications.
    Integer(i32),
}

/// A function of two values. Conditions are 1 or 0, and NaN where a side is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    /// atan2(y, x).
    Angle,
    Less,
    LessEqual,
    Equal,
    And,
    Or,
    /// a·b, but 0 where a is 0, whatever b: how an adjoint passes a branch that was not chosen.
    Chain,
    /// b where the condition a holds, else 0; 0 where b is 0.
    Gate,
}
