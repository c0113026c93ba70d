//! Buffers of passes, kept between evaluations so that none is allocated after the first.

use secant_core::real::{Dual, Real};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// First derivatives along eight parameters, each with its derivative along one direction.
pub(super) type Tangent = Dual<Dual<f64, 1>, 8>;
/// Second derivatives of four parameters with four.
pub(super) type Block = Dual<Dual<f64, 4>, 4>;

/// The parameters and results of a pass.
#[derive(Debug)]
pub(super) struct Buffers<T> {
    pub theta: Vec<T>,
    pub out: Vec<T>,
}

impl<T> Default for Buffers<T> {
    fn default() -> Self {
        Self { theta: Vec::new(), out: Vec::new() }
    }
}

/// The buffers of dual numbers of every kind of pass; empty until the first of its kind.
#[derive(Debug, Default)]
pub struct Scratch {
    value: Buffers<f64>,
    one: Buffers<Dual<f64, 1>>,
    two: Buffers<Dual<f64, 2>>,
    three: Buffers<Dual<f64, 3>>,
    four: Buffers<Dual<f64, 4>>,
    eight: Buffers<Dual<f64, 8>>,
    tangent: Buffers<Tangent>,
    block: Buffers<Block>,
    /// r and J where they are formed on the way to something else.
    pub(super) residuals: Vec<f64>,
    pub(super) jacobian: Vec<f64>,
}

/// A kind of number that passes are made of.
pub(super) trait Lane: Real {
    fn of(scratch: &mut Scratch) -> &mut Buffers<Self>;
}

macro_rules! lanes {
    ($($field:ident: $number:ty),+) => { $(
        impl Lane for $number {
            fn of(scratch: &mut Scratch) -> &mut Buffers<Self> {
                &mut scratch.$field
            }
        }
    )+ };
}
lanes!(
    value: f64,
    one: Dual<f64, 1>,
    two: Dual<f64, 2>,
    three: Dual<f64, 3>,
    four: Dual<f64, 4>,
    eight: Dual<f64, 8>,
    tangent: Tangent,
    block: Block
);

/// Things that are taken, worked in and given back: as many as there were users at once.
#[derive(Debug)]
pub(crate) struct Pool<T>(Mutex<Vec<T>>);

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<T: Default> Pool<T> {
    pub(crate) fn take(&self) -> T {
        let idle = self.lock().pop();
        idle.unwrap_or_default()
    }

    pub(crate) fn give_back(&self, item: T) {
        self.lock().push(item);
    }

    /// Runs `work` with one of them. No lock is held meanwhile.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        let mut item = self.take();
        let result = work(&mut item);
        self.give_back(item);
        result
    }

    /// A panic in another thread leaves the list whole, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
