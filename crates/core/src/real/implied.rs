//! Bounds on `f64` that a bound on a number implies.

/// `X` under another name, see [`Implies`].
pub trait Implied<X: ?Sized> {
    /// X.
    type Is: ?Sized;
}

impl<T: ?Sized, X: ?Sized> Implied<X> for T {
    type Is = X;
}

/// What lets `T: Real` say something of `f64` too: a supertrait `Implies<f64, Is: Mul<Self>>` gives `f64: Mul<Self>` wherever the trait is a
/// bound, where a `where` clause of the trait would have to be written again by every user. Every type has it.
pub trait Implies<X: ?Sized>: Implied<X, Is = X> {}

impl<T: ?Sized, X: ?Sized> Implies<X> for T {}
