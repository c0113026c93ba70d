//! Methods by the names that command lines and other languages call them by.

use super::Method;
use super::auto::Auto;
use crate::error::OptimError;
use crate::problem::bounds::Bounds;
use crate::problem::l1::L1;
use crate::solver::{
    AdaGrad, Adadelta, Adam, AdamW, AdaptiveCubic, Bfgs, BoundedLevenbergMarquardt, GaussNewton,
    GradientDescent, Lbfgs, LbfgsB, LevenbergMarquardt, Momentum, Nesterov, Newton, NewtonCg,
    NonlinearCg, OwlQn, ProximalNewton, RegularizedNewton, RmsProp, Sr1, Tron, TrustRegion, Update,
};
use secant_core::text::did_you_mean;

/// A name and its method with default options.
type Named = (&'static str, fn() -> Method);

/// Every method that takes neither bounds nor an L1 penalty.
const FREE: &[Named] = &[
    ("auto", Method::auto),
    ("newton", || Newton::default().into()),
    ("regularized-newton", || RegularizedNewton::default().into()),
    ("newton-cg", || NewtonCg::default().into()),
    ("trust-region", || TrustRegion::default().into()),
    ("adaptive-cubic", || AdaptiveCubic::default().into()),
    ("bfgs", || Bfgs::default().into()),
    ("self-scaled-broyden", || Bfgs::default().with_update(Update::SelfScaledBroyden).into()),
    ("lbfgs", || Lbfgs::default().into()),
    ("sr1", || Sr1::default().into()),
    ("nonlinear-cg", || NonlinearCg::default().into()),
    ("gauss-newton", || GaussNewton::default().into()),
    ("levenberg-marquardt", || LevenbergMarquardt::default().into()),
    ("gradient-descent", || GradientDescent::default().into()),
    ("momentum", || Momentum::default().into()),
    ("nesterov", || Nesterov::default().into()),
    ("adagrad", || AdaGrad::default().into()),
    ("rmsprop", || RmsProp::default().into()),
    ("adadelta", || Adadelta::default().into()),
    ("adam", || Adam::default().into()),
    ("adamw", || AdamW::default().into()),
];

/// A name and its method for these bounds.
type Bounded = (&'static str, fn(Bounds) -> Method);

const BOUNDED: &[Bounded] = &[
    ("auto", |bounds| Auto::default().with_bounds(bounds).into()),
    ("lbfgsb", |bounds| LbfgsB::new(bounds).into()),
    ("tron", |bounds| Tron::new(bounds).into()),
    ("bounded-levenberg-marquardt", |bounds| BoundedLevenbergMarquardt::new(bounds).into()),
];

/// A name and its method for these weights of |θ|.
type Sparse = (&'static str, fn(L1) -> Method);

const SPARSE: &[Sparse] = &[
    ("auto", |l1| Auto::default().with_l1(l1).into()),
    ("owl-qn", |l1| OwlQn::new(l1).into()),
    ("proximal-newton", |l1| ProximalNewton::new(l1).into()),
];

impl Method {
    /// The method of this name, upper or lower case, with its default options: `"newton"`, `"lbfgs"`, `"auto"`, …
    ///
    /// ```
    /// use secant_optim::Method;
    /// assert_eq!(Method::by_name("Newton-CG")?.name(), "Newton–CG");
    /// let error = Method::by_name("newtn").unwrap_err().to_string();
    /// assert!(error.starts_with("no method `newtn`: did you mean `newton`? there are auto, newton, "));
    /// # Ok::<(), secant_optim::OptimError>(())
    /// ```
    ///
    /// # Errors
    /// [`OptimError::UnknownMethod`] with the names there are.
    pub fn by_name(name: &str) -> Result<Self, OptimError> {
        find(FREE, name).map(|make| make())
    }

    /// The names that [`by_name`](Self::by_name) knows.
    pub fn names() -> impl ExactSizeIterator<Item = &'static str> {
        FREE.iter().map(|(name, _)| *name)
    }

    /// The method of this name for θ within bounds: `"lbfgsb"`, `"tron"`, `"bounded-levenberg-marquardt"`, `"auto"`.
    ///
    /// # Errors
    /// [`OptimError::UnknownMethod`] with the names of those that take bounds.
    pub fn by_name_bounded(name: &str, bounds: Bounds) -> Result<Self, OptimError> {
        find(BOUNDED, name).map(|make| make(bounds))
    }

    /// The method of this name for f + Σⱼ wⱼ|θⱼ|: `"owl-qn"`, `"proximal-newton"`, `"auto"`.
    ///
    /// # Errors
    /// [`OptimError::UnknownMethod`] with the names of those that take such weights.
    pub fn by_name_l1(name: &str, l1: L1) -> Result<Self, OptimError> {
        find(SPARSE, name).map(|make| make(l1))
    }
}

fn find<T: Copy>(methods: &[(&'static str, T)], name: &str) -> Result<T, OptimError> {
    let found = methods.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, make)| *make).ok_or_else(|| {
        let names = || methods.iter().map(|(name, _)| *name);
        let nearest = did_you_mean(name, names());
        let known = names().collect::<Vec<_>>().join(", ");
        OptimError::UnknownMethod { name: name.to_owned(), nearest, known }
    })
}
