//! What entries are: numbers of one's own, or somebody else's that are read where they are.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A slice, and a vector as soon as it is to change.
#[derive(Clone)]
pub(super) enum Entries<T> {
    Own(Vec<T>),
    Shared(Arc<dyn AsRef<[T]> + Send + Sync>),
}

impl<T: Clone> Entries<T> {
    /// A copy of shared ones, which then takes their place.
    pub(super) fn own(&mut self) -> &mut Vec<T> {
        if let Self::Shared(shared) = self {
            *self = Self::Own((**shared).as_ref().to_vec());
        }
        match self {
            Self::Own(own) => own,
            Self::Shared(_) => unreachable!("replaced"),
        }
    }
}

impl<T> Deref for Entries<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Own(own) => own,
            Self::Shared(shared) => (**shared).as_ref(),
        }
    }
}

impl<T: PartialEq> PartialEq for Entries<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: fmt::Debug> fmt::Debug for Entries<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T> From<Vec<T>> for Entries<T> {
    fn from(own: Vec<T>) -> Self {
        Self::Own(own)
    }
}
