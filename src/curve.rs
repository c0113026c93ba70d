//! `curve("a*exp(-b*x) + c")?…fit(&data)?`: a formula fitted to measurements, with exact derivatives, errors and bands.

mod evaluate;
mod fitted;
mod function;
mod functions;
mod grouped;
mod inference;
mod many;
mod model;
#[cfg(feature = "plot")]
mod picture;
mod prepared;
mod problem;
mod solve;
mod starts;

pub use fitted::{CurveFit, CurveParameter, Origin};
pub use function::{FromFn, FunctionFit};
pub use functions::CurveFunction;
pub use grouped::{Grouped, GroupedFit, GroupedInference};

use crate::curve_error::CurveError;
use crate::error::FitError;
use crate::fit::{Standardize, fit};
use model::Resolved;
use secant_core::data::Dataset;
use secant_core::formula::Formula;
use secant_core::network::Network;
use secant_core::rho::Rho;
use secant_optim::{
    BoundedLevenbergMarquardt, Interrupt, LevenbergMarquardt, Method, Stopping, Tron,
};
use starts::{Search, Sought};
use std::ops::{Bound, RangeBounds};

/// Draws of an automatic start, for each parameter that enters nonlinearly.
const DRAWS: usize = 2_000;

/// A curve being described; [`fit`](Self::fit) fits it to data.
///
/// Least squares Σ wᵢ(yᵢ − f(xᵢ; θ))², wᵢ = 1/σᵢ² where [`sigma`](Self::sigma) is given, times the weights of the data where they have some,
/// by [`LevenbergMarquardt`] ([`BoundedLevenbergMarquardt`] in bounds), with exact derivatives of the formula. Nothing is standardised:
/// parameters are those of the formula, in the units of the data.
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `fit`"]
pub struct Curve<K = Alone> {
    kind: K,
    said: Said,
}

/// A curve of one set of data, all of its parameters one number: the kind of a [`Curve`] that nothing else was said of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

/// The kinds of a [`Curve`] that come from a formula, so that parameters can be [tied](Curve::tie).
pub trait OfFormula: sealed::Sealed {}
impl OfFormula for Alone {}
impl OfFormula for Grouped {}

/// The kinds of a [`Curve`] before anything was said of [groups](Curve::groups): a formula or a function.
pub trait OneSet: sealed::Meets {
    /// What the curve of one group is.
    type Fit: sealed::One<Self::Met>;
}

mod sealed {
    use super::grouped::{Met, Whole};
    use super::{CurveParameter, FitError, Said};
    use secant_core::data::Dataset;
    use secant_optim::inference::BandPoint;
    use std::sync::Arc;

    pub trait Sealed {}
    impl Sealed for super::Alone {}
    impl Sealed for super::Grouped {}

    /// What a curve is with its data.
    pub trait Meets {
        type Met: Met;
        fn meet(&self, said: &Said, data: &Dataset) -> Result<Self::Met, FitError>;
    }

    /// The curve of one group of a fit.
    pub trait One<M: Met>: Sized {
        fn of_group(whole: &Arc<Whole<M>>, g: usize) -> Result<Self, FitError>;
        fn parameters(&self) -> &[CurveParameter];
        fn predict(&self, inputs: &[f64]) -> Result<Vec<f64>, FitError>;
        fn band(&self, inputs: &[f64], level: f64) -> Result<Vec<BandPoint>, FitError>;
        #[cfg(feature = "plot")]
        fn upper_panel(&self, title: &str) -> Result<crate::plot::Figure, crate::plot::PlotError>;
    }
}

/// What was said of a curve, whatever it is fitted to.
#[derive(Clone, Debug)]
pub struct Said {
    texts: Vec<String>,
    start: Vec<(String, f64)>,
    bounds: Vec<(String, f64, f64)>,
    replaced: Vec<(String, Replaced)>,
    sigma: Option<Vec<f64>>,
    sigma_column: Option<String>,
    absolute_sigma: bool,
    robust: Option<Rho>,
    method: Option<Method>,
    stopping: Option<Stopping>,
    max_iterations: Option<u64>,
    interrupt: Option<Interrupt>,
    draws: usize,
    seed: u64,
}

/// What stands in place of a parameter.
#[derive(Clone, Debug, PartialEq)]
enum Replaced {
    Fixed(f64),
    Tied(String),
}

/// A curve y = `formula`(x; parameters). Names that are features of the data are inputs, the others are parameters; the grammar is that of
/// [`formula`](secant_core::formula).
///
/// ```
/// use secant::Dataset;
///
/// // Loads of a beam and its deflections: y = a·(1 − e^(−b·x)).
/// let x = [1.0, 2.0, 4.0, 7.0, 11.0, 16.0];
/// let y = [2.21, 3.61, 5.95, 7.86, 9.08, 9.73];
/// let data = Dataset::from_slices(1, &x, 1, &y)?.with_feature_names(vec!["x".into()])?;
/// let fit = secant::curve("a*(1 - exp(-b*x))")?.start([("a", 10.0), ("b", 0.1)]).fit(&data)?;
/// assert!(fit.report().reason.is_converged());
/// assert!((fit.value("a").unwrap() - 10.0).abs() < 0.2 && (fit.value("b").unwrap() - 0.23).abs() < 0.02);
/// // Without starts they are looked for.
/// let found = secant::curve("a*(1 - exp(-b*x))")?.fit(&data)?;
/// assert!((found.value("a").unwrap() - fit.value("a").unwrap()).abs() < 1e-8);
/// # Ok::<(), secant::FitError>(())
/// ```
///
/// # Errors
/// A text that is no formula, with the place.
pub fn curve(formula: &str) -> Result<Curve, FitError> {
    Curve::several(&[formula])
}

impl Said {
    fn new(texts: Vec<String>) -> Self {
        Self {
            texts,
            start: Vec::new(),
            bounds: Vec::new(),
            replaced: Vec::new(),
            sigma: None,
            sigma_column: None,
            absolute_sigma: false,
            robust: None,
            method: None,
            stopping: None,
            max_iterations: None,
            interrupt: None,
            draws: DRAWS,
            seed: 0,
        }
    }
}

impl Said {
    /// The names in the formulas, of inputs and parameters; none of a function.
    fn names(&self) -> Result<Vec<String>, CurveError> {
        if self.texts.is_empty() {
            return Ok(Vec::new());
        }
        Ok(Formula::several::<_, &str>(&self.texts, &[])?.parameters().to_vec())
    }
}

impl Curve {
    /// Several outputs, one formula for each column of the targets; names that several formulas have are one parameter.
    ///
    /// # Errors
    /// As [`curve`].
    pub fn several<S: AsRef<str>>(formulas: &[S]) -> Result<Self, FitError> {
        // Whether it is a formula does not depend on which names are features.
        Formula::several::<S, &str>(formulas, &[]).map_err(CurveError::from)?;
        let texts = formulas.iter().map(|text| text.as_ref().to_owned()).collect();
        Ok(Self { kind: Alone, said: Said::new(texts) })
    }
}

impl<K> Curve<K> {
    /// Where the parameters start, by name. Those that are not named are looked for: see [`draws`](Self::draws). May be called again; of
    /// one name the last value holds.
    pub fn start<S: AsRef<str>>(mut self, values: impl IntoIterator<Item = (S, f64)>) -> Self {
        self.said
            .start
            .extend(values.into_iter().map(|(name, value)| (name.as_ref().into(), value)));
        self
    }

    /// The range of a parameter: `0.0..`, `..=1.0`, `0.0..1.0`. Ends belong to it.
    pub fn bounds(mut self, name: &str, range: impl RangeBounds<f64>) -> Self {
        let end = |bound: Bound<&f64>, none| match bound {
            Bound::Included(end) | Bound::Excluded(end) => *end,
            Bound::Unbounded => none,
        };
        let lower = end(range.start_bound(), f64::NEG_INFINITY);
        let upper = end(range.end_bound(), f64::INFINITY);
        self.said.bounds.push((name.into(), lower, upper));
        self
    }

    /// Holds a parameter at a value.
    pub fn fix(mut self, name: &str, value: f64) -> Self {
        self.said.replaced.push((name.into(), Replaced::Fixed(value)));
        self
    }

    /// The standard deviation of every sample's y, N positive numbers: by what it differs is divided by it.
    pub fn sigma(mut self, sigma: &[f64]) -> Self {
        self.said.sigma = Some(sigma.to_vec());
        self
    }

    /// The same from a column of the data, which is then no input.
    pub fn sigma_column(mut self, name: &str) -> Self {
        self.said.sigma_column = Some(name.into());
        self
    }

    /// Whether the σ are what they say, as SciPy's `absolute_sigma`: errors then come from them alone and not from the residuals. Default
    /// false: only their ratios count.
    pub fn absolute_sigma(mut self, absolute: bool) -> Self {
        self.said.absolute_sigma = absolute;
        self
    }

    /// ρ in place of the square, for outliers; its scale is estimated from the residuals.
    pub fn robust(mut self, rho: Rho) -> Self {
        self.said.robust = Some(rho);
        self
    }

    /// The method, with its options. It does not know of [`bounds`](Self::bounds) of the curve: with bounds leave it out.
    pub fn method(mut self, method: impl Into<Method>) -> Self {
        self.said.method = Some(method.into());
        self
    }

    /// When to stop, in place of the method's own.
    pub fn stopping(mut self, stopping: Stopping) -> Self {
        self.said.stopping = Some(stopping);
        self
    }

    /// The most iterations.
    pub fn max_iterations(mut self, iterations: u64) -> Self {
        self.said.max_iterations = Some(iterations);
        self
    }

    /// What ends the fit from outside.
    pub fn interrupt(mut self, interrupt: &Interrupt) -> Self {
        self.said.interrupt = Some(interrupt.clone());
        self
    }

    /// Automatic starts: how many values are drawn for each parameter that enters nonlinearly and has no start. Default 2,000.
    ///
    /// Parameters that enter linearly are solved for; the others are drawn over magnitudes that the ranges of the data suggest, the best
    /// few draws are fitted, and the best of these is the start. The report says so.
    pub fn draws(mut self, draws: usize) -> Self {
        self.said.draws = draws;
        self
    }

    /// The seed of automatic starts. Default 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.said.seed = seed;
        self
    }
}

impl<K: OfFormula> Curve<K> {
    /// Puts a formula of other parameters in place of a parameter: `tie("d", "2*a")`. Names that it brings in are parameters.
    pub fn tie(mut self, name: &str, formula: &str) -> Self {
        self.said.replaced.push((name.into(), Replaced::Tied(formula.into())));
        self
    }
}

impl Curve {
    /// Fits the curve.
    ///
    /// # Errors
    /// [`FitError::Curve`] with what does not fit: names, starts, bounds, ties, σ, a formula that is not finite at the start; what
    /// [`fit`](crate::fit()) refuses. Numerical trouble is a [`Reason`](crate::Reason) in the report.
    pub fn fit(&self, data: &Dataset) -> Result<CurveFit, FitError> {
        let said = &self.said;
        let resolved = Resolved::new(said, data)?;
        let network = Network::from(resolved.formula.graph()?);
        let (theta, notes) = match resolved.whole_start() {
            Some(theta) => {
                resolved.check_start(&theta)?;
                (theta, None)
            }
            None => said.search(&resolved, &network)?,
        };
        let fitted = said.run(&resolved, &network, &resolved.data, &theta, false)?;
        Ok(CurveFit::new(said, resolved, &theta, fitted, notes))
    }
}

impl Said {
    /// A start that was looked for, and the note on it.
    fn search(
        &self,
        resolved: &Resolved,
        network: &Network,
    ) -> Result<(Vec<f64>, Option<String>), FitError> {
        let found =
            Search::new(Sought::of(resolved), self.draws, self.seed).best(|data, theta| {
                let polished = self.run(resolved, network, data, theta, true)?;
                Ok((polished.model().theta().to_vec(), polished.report().value))
            })?;
        Ok((found.theta, Some(found.note)))
    }

    fn run(
        &self,
        resolved: &Resolved,
        network: &Network,
        data: &Dataset,
        theta: &[f64],
        briefly: bool,
    ) -> Result<crate::fit::Fitted, FitError> {
        let mut run = fit(network, data).standardize(Standardize::Nothing).start(theta);
        run = run.method(self.method_in(resolved));
        if let Some(rho) = self.robust {
            run = run.robust(rho);
        }
        if let Some(stopping) = &self.stopping {
            run = run.stopping(stopping.clone());
        }
        if let Some(iterations) = self.max_iterations {
            run = run.max_iterations(iterations);
        }
        if briefly {
            run = run.max_iterations(starts::POLISH);
        }
        if let Some(interrupt) = &self.interrupt {
            run = run.interrupt(interrupt);
        }
        run.run()
    }

    fn method_in(&self, resolved: &Resolved) -> Method {
        let bounds = &resolved.bounds;
        match (&self.method, self.robust) {
            (Some(method), _) => method.clone(),
            (None, None) if bounds.is_free() => LevenbergMarquardt::new().into(),
            (None, None) => BoundedLevenbergMarquardt::new(bounds.clone()).into(),
            (None, Some(_)) if bounds.is_free() => Method::auto(),
            (None, Some(_)) => Tron::new(bounds.clone()).into(),
        }
    }
}
