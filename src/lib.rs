//! Full-batch fitting of small and medium models with exact curvature: give data and a model, get the minimum to many
//! digits, without tuning a learning rate.
//!
//! ```
//! use secant::{Activation, Dataset, Lbfgs, Network, Ridge, SquaredError};
//!
//! let data = Dataset::from_csv("data/concrete.csv", "target")?;
//! let net = Network::mlp([8, 8, 1], Activation::Tanh);
//! let fit = secant::fit(&net, &data)
//!     .loss(SquaredError)
//!     .penalty(Ridge(1e-4))
//!     .method(Lbfgs::default())
//!     .max_iterations(50)
//!     .seed(7)
//!     .run()?;
//! println!("{}", fit.report());
//! let y = fit.model().predict(data.inputs())?;
//! assert_eq!(y.len(), 1030);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Parts
//!
//! | part | what |
//! |---|---|
//! | [`fit`] | data + network → [`Fitted`]: a [`Model`] and a [`Report`] |
//! | [`ModelFile`] | a fitted model in a file and back, to the last bit |
//! | [`Glm`] | generalised linear models in one line: coefficients, standard errors, p-values, deviance |
//! | [`Model`] | predictions, probabilities, [`Score`], [`Confusion`]; [`Fit::cross_validate`] and [`Fit::tune`] for what a fit is worth |
//! | [`compare`](compare()) | methods side by side on one problem: a [`Comparison`](compare::Comparison), its table and pictures |
//! | `html` | the report of a fit, a curve or a comparison as one HTML file, with the feature of that name |
//! | [`core`] | problem traits, data, graph of nodes, losses, penalties, [`Risk`], derivative checks |
//! | [`Residuals`], [`Function`] | a function of your own, written once for every [`Real`]: [`residuals`], [`function`] with exact derivatives |
//! | [`fit_many`] | thousands of small fits at once: one model, many groups of data, a table |
//! | [`optim`] | Newton, trust regions, BFGS, L-BFGS and the first-order baselines as argmin solvers |
//! | [`guide`] | a tutorial, what to call for what, conventions, files, nodes, methods, comparing them, validating, graphs and feature maps, how the products work, performance |
//!
//! # Features
//!
//! None is on by default, and the default needs no system library.
//!
//! - `nalgebra`: data from nalgebra matrices; argmin's own solvers over `DVector` on our problems.
//! - `ndarray`: data from ndarray arrays.
//! - `lapack`: LAPACK's factorisations for [`Newton`], through an OpenBLAS of the system.
//! - `tracing`: a span for every run, an event for every iteration.
//! - `plot`: figures as SVG and PNG, those of a comparison among them.
//! - `html`: the report of a fit as one HTML file: [`guide::reports`].

pub mod compare;
mod curve;
mod curve_error;
mod error;
mod feature_match;
mod fit;
mod folds;
mod glm;
#[cfg(feature = "html")]
pub mod html;
mod linear;
mod many;
mod model;
mod model_file;
#[cfg(any(feature = "html", feature = "plot"))]
mod picture;
#[cfg(feature = "plot")]
pub mod plot;
mod progress;
mod tune;

pub use compare::compare;
pub use curve::{
    Alone, Curve, CurveFit, CurveFunction, CurveParameter, FromFn, FunctionFit, Grouped,
    GroupedFit, GroupedInference, OfFormula, OneSet, Origin, curve,
};
pub use curve_error::CurveError;
pub use error::FitError;
pub use feature_match::FeatureMatch;
pub use fit::{
    Across, AcrossRun, CrossValidation, Fit, Fitted, Spread, Standardize, Starts, Tuned,
    TunedStrength, fit,
};
pub use folds::{FoldError, Folds};
pub use glm::{
    AlphaEstimate, Coefficient, CoefficientStatus, Family, Glm, GlmError, GlmFit, Information,
    PowerEstimate,
};
pub use linear::{LinearRegression, linear_regression};
pub use many::{FormulaGroup, FormulaScratch};
pub use model::{Confusion, FitSummary, Model, ModelInference, Parameter, Score};
pub use model_file::{ModelFile, ModelFileError, ModelFileFault, ModelKind};
pub use progress::ProgressLine;
pub use tune::{Tune, TuneError};

pub use secant_core as core;
pub use secant_core::faer;
pub use secant_core::formula::Formula;
pub use secant_core::{
    check, data, description, differences, formula, graph, init, loss, network, op, penalty,
    problem, risk,
};
pub use secant_optim as optim;
pub use secant_optim::argmin;

pub use secant_core::data::{Dataset, SparseInputs, Standardizer, Targets};
pub use secant_core::graph::Graph;
pub use secant_core::init::Init;
pub use secant_core::loss::{
    AbsoluteError, Binomial, ExponentialFamily, Gamma, Hinge, LearnedVariance, Link, LogCosh,
    Logistic, MaskedSquaredError, NegativeBinomial, Poisson, Quantile, Robust, SmoothedSoftmax,
    SoftmaxCrossEntropy, SquaredError,
};
pub use secant_core::network::Network;
pub use secant_core::op::Activation;
pub use secant_core::penalty::{
    GaussianPrior, NoPenalty, Penalties, PerBlock, Ridge, RidgeAll, SmoothedGroup,
};
pub use secant_core::problem::{
    Curvature, LeastSquares, Linearization, Objective, SampledObjective,
};
pub use secant_core::real::{Dual, Function, Real, Residuals};
pub use secant_core::rho::{Rho, RhoWeight};
pub use secant_core::risk::Risk;
pub use secant_optim::checkpoint::{self, Every};
pub use secant_optim::inference::{self, Inference};
pub use secant_optim::{
    AdaGrad, Adadelta, Adam, AdamW, AdaptiveCubic, Advice, ArgminProblem, Auto, Backend, Bfgs,
    BoundedLevenbergMarquardt, Bounds, FitMany, GaussNewton, GradientDescent, HessianKind,
    Interrupt, L1, LassoPath, Lbfgs, LbfgsB, LeastSquaresFn, LevenbergMarquardt, ManyError,
    ManyFit, ManyFits, Method, Minibatches, Momentum, Nesterov, Newton, NewtonCg, NonlinearCg,
    ObjectiveFn, Optimality, Outcome, OwlQn, Progress, ProximalNewton, QuadraticModel, Ranking,
    RateFinder, Reason, ReducedLeastSquares, RegularizedNewton, Report, RmsProp,
    RobustLeastSquares, RobustResiduals, RobustSolution, RunOptions, Safeguard, Schedule,
    SmallLeastSquares, Solution, Sr1, Stopping, Subproblem, Tron, TrustRegion, Validated,
    VariableProjection, Watch, fit_many, function, minimize, minimize_robust, minimize_sampled,
    minimize_watched, residuals,
};

/// Pages of `docs/` as modules. Their links are to each other's files, by names defined at a page's end; here the same names are defined
/// in front of the page, as paths, and the first definition holds.
macro_rules! pages {
    ($($page:ident),+) => { $(
        #[doc = include_str!("guide_links.md")]
        #[doc = include_str!(concat!("../docs/", stringify!($page), ".md"))]
        pub mod $page {}
    )+ };
}

/// The guide: a tutorial, what to call for what, conventions, files, nodes, methods, comparing them, curves, validating, graphs and feature maps, how
/// the products work, performance, Python, reports, several machines. Its snippets are tests.
pub mod guide {
    pages!(
        tutorial,
        howto,
        conventions,
        files,
        formulas,
        model_files,
        nodes,
        choosing,
        methods,
        command,
        comparing,
        curves,
        validating,
        graphs,
        products,
        performance,
        python,
        watching,
        lasting,
        inference,
        reports,
        distributed
    );
}

/// The README's program runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
