//! Methods by name.

use crate::failure::Failure;
use secant::optim::Update;
use secant::{
    AdaGrad, Adadelta, Adam, AdamW, AdaptiveCubic, Bfgs, GaussNewton, GradientDescent, Lbfgs,
    LevenbergMarquardt, Method, Momentum, Nesterov, Newton, NewtonCg, NonlinearCg,
    RegularizedNewton, RmsProp, Sr1, TrustRegion,
};

/// A name and its method with default options.
type Named = (&'static str, fn() -> Method);

/// Every method that a fit can be told to take.
pub const METHODS: &[Named] = &[
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

/// The method of this name.
pub fn by_name(name: &str) -> Result<Method, Failure> {
    let same = |known: &str| known.eq_ignore_ascii_case(name);
    if let Some((_, make)) = METHODS.iter().find(|(known, _)| same(known)) {
        return Ok(make());
    }
    let names = || METHODS.iter().map(|(name, _)| *name);
    let nearest = secant::core::text::did_you_mean(name, names());
    let known = names().collect::<Vec<_>>().join(", ");
    let name = secant::core::text::quoted(name);
    Err(Failure::advised(format!("no method `{name}`{nearest}"), format!("one of {known}")))
}
