//! Every method as one type, for programs that choose when they run.

use crate::error::OptimError;
use crate::minimize::{Solution, minimize};
use crate::solver::{
    AdaGrad, Adadelta, Adam, Bfgs, FitSolver, GradientDescent, Lbfgs, Momentum, Nesterov, Newton,
    RmsProp, TrustRegion,
};
use crate::stopping::Stopping;
use secant_core::problem::Curvature;

/// One of the methods, with its options.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant is named after the type it holds")]
pub enum Method {
    Newton(Newton),
    TrustRegion(TrustRegion),
    Bfgs(Bfgs),
    Lbfgs(Lbfgs),
    GradientDescent(GradientDescent),
    Momentum(Momentum),
    Nesterov(Nesterov),
    AdaGrad(AdaGrad),
    RmsProp(RmsProp),
    Adadelta(Adadelta),
    Adam(Adam),
}

impl Default for Method {
    fn default() -> Self {
        Self::Lbfgs(Lbfgs::default())
    }
}

impl Method {
    /// The method's name.
    pub fn name(&self) -> &'static str {
        fn of<S: FitSolver>(_: &S) -> &'static str {
            S::NAME
        }
        match self {
            Self::Newton(s) => of(s),
            Self::TrustRegion(s) => of(s),
            Self::Bfgs(s) => of(s),
            Self::Lbfgs(s) => of(s),
            Self::GradientDescent(s) => of(s),
            Self::Momentum(s) => of(s),
            Self::Nesterov(s) => of(s),
            Self::AdaGrad(s) => of(s),
            Self::RmsProp(s) => of(s),
            Self::Adadelta(s) => of(s),
            Self::Adam(s) => of(s),
        }
    }

    /// When it stops.
    pub fn stopping(&self) -> &Stopping {
        match self {
            Self::Newton(s) => &s.stopping,
            Self::TrustRegion(s) => &s.stopping,
            Self::Bfgs(s) => &s.stopping,
            Self::Lbfgs(s) => &s.stopping,
            Self::GradientDescent(s) => &s.stopping,
            Self::Momentum(s) => &s.stopping,
            Self::Nesterov(s) => &s.stopping,
            Self::AdaGrad(s) => &s.stopping,
            Self::RmsProp(s) => &s.stopping,
            Self::Adadelta(s) => &s.stopping,
            Self::Adam(s) => &s.stopping,
        }
    }

    /// When it stops, to be changed.
    pub fn stopping_mut(&mut self) -> &mut Stopping {
        match self {
            Self::Newton(s) => &mut s.stopping,
            Self::TrustRegion(s) => &mut s.stopping,
            Self::Bfgs(s) => &mut s.stopping,
            Self::Lbfgs(s) => &mut s.stopping,
            Self::GradientDescent(s) => &mut s.stopping,
            Self::Momentum(s) => &mut s.stopping,
            Self::Nesterov(s) => &mut s.stopping,
            Self::AdaGrad(s) => &mut s.stopping,
            Self::RmsProp(s) => &mut s.stopping,
            Self::Adadelta(s) => &mut s.stopping,
            Self::Adam(s) => &mut s.stopping,
        }
    }

    /// When it stops.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        *self.stopping_mut() = stopping;
        self
    }

    /// Minimises `problem` from `theta0` (length n), as [`minimize`] does.
    ///
    /// # Errors
    /// [`OptimError`]: an option out of range, a start of another length than the problem or with an entry that is not
    /// finite.
    pub fn minimize<P: Curvature>(
        self,
        problem: &P,
        theta0: &[f64],
    ) -> Result<Solution, OptimError> {
        match self {
            Self::Newton(s) => minimize(problem, s, theta0),
            Self::TrustRegion(s) => minimize(problem, s, theta0),
            Self::Bfgs(s) => minimize(problem, s, theta0),
            Self::Lbfgs(s) => minimize(problem, s, theta0),
            Self::GradientDescent(s) => minimize(problem, s, theta0),
            Self::Momentum(s) => minimize(problem, s, theta0),
            Self::Nesterov(s) => minimize(problem, s, theta0),
            Self::AdaGrad(s) => minimize(problem, s, theta0),
            Self::RmsProp(s) => minimize(problem, s, theta0),
            Self::Adadelta(s) => minimize(problem, s, theta0),
            Self::Adam(s) => minimize(problem, s, theta0),
        }
    }
}

impl From<Newton> for Method {
    fn from(solver: Newton) -> Self {
        Self::Newton(solver)
    }
}

impl From<TrustRegion> for Method {
    fn from(solver: TrustRegion) -> Self {
        Self::TrustRegion(solver)
    }
}

impl From<Bfgs> for Method {
    fn from(solver: Bfgs) -> Self {
        Self::Bfgs(solver)
    }
}

impl From<Lbfgs> for Method {
    fn from(solver: Lbfgs) -> Self {
        Self::Lbfgs(solver)
    }
}

impl From<GradientDescent> for Method {
    fn from(solver: GradientDescent) -> Self {
        Self::GradientDescent(solver)
    }
}

impl From<Momentum> for Method {
    fn from(solver: Momentum) -> Self {
        Self::Momentum(solver)
    }
}

impl From<Nesterov> for Method {
    fn from(solver: Nesterov) -> Self {
        Self::Nesterov(solver)
    }
}

impl From<AdaGrad> for Method {
    fn from(solver: AdaGrad) -> Self {
        Self::AdaGrad(solver)
    }
}

impl From<RmsProp> for Method {
    fn from(solver: RmsProp) -> Self {
        Self::RmsProp(solver)
    }
}

impl From<Adadelta> for Method {
    fn from(solver: Adadelta) -> Self {
        Self::Adadelta(solver)
    }
}

impl From<Adam> for Method {
    fn from(solver: Adam) -> Self {
        Self::Adam(solver)
    }
}
