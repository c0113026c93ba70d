//! `Curve::from_fn(["a", "b"], |x, p| …)?.fit(&data)?`: a curve from a function of Rust.

use super::evaluate::CurveModel;
use super::fitted::{CurveParameter, Joint, Origin, band_of};
use super::functions::{Closure, CurveFunction, Generic};
use super::prepared::Prepared;
use super::problem::{CurveProblem, Layout};
use super::solve::minimize;
use super::starts::{POLISH, Search, Sought};
use super::{Alone, Curve, Said};
use crate::curve_error::CurveError;
use crate::error::FitError;
use secant_core::data::Dataset;
use secant_core::faer::MatRef;
use secant_core::predict::PredictError;
use secant_core::problem::InBox;
use secant_optim::Report;
use secant_optim::inference::{BandPoint, Derived, Infer, Inference};
use std::fmt;
use std::sync::Arc;

/// The kind of a [`Curve`] that comes from a function.
#[derive(Clone)]
pub struct FromFn {
    names: Vec<String>,
    model: Arc<dyn CurveModel>,
}

impl fmt::Debug for FromFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromFn").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Curve<Alone> {
    /// A curve from a closure z(x; p), p in the order of `names`. Its derivatives come by differences, which the report says: some ten digits
    /// where the closure has sixteen; [`from_function`](Self::from_function) has them exact.
    ///
    /// ```
    /// use secant::{Curve, Dataset};
    ///
    /// let (t, y) = ([0.0, 1.0, 2.0, 3.0, 4.0], [2.02, 1.19, 0.77, 0.42, 0.29]);
    /// let data = Dataset::from_slices(1, &t, 1, &y)?;
    /// let decay = Curve::from_fn(["a", "b"], |x, p| p[0] * f64::exp(-p[1] * x[0]));
    /// let fit = decay.start([("a", 1.0), ("b", 1.0)]).fit(&data)?;
    /// assert!((fit.value("b").unwrap() - 0.5).abs() < 0.02);
    /// println!("{}", fit.inference()?);
    /// # Ok::<(), secant::FitError>(())
    /// ```
    pub fn from_fn<S: Into<String>>(
        names: impl IntoIterator<Item = S>,
        function: impl Fn(&[f64], &[f64]) -> f64 + Send + Sync + 'static,
    ) -> Curve<FromFn> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let model = Arc::new(Closure::new(function, names.len()));
        Curve { kind: FromFn { names, model }, said: Said::new(Vec::new()) }
    }

    /// A curve from a function written for every [`Real`](crate::Real), p in the order of `names`: exact derivatives, by dual numbers.
    ///
    /// ```
    /// use secant::{Curve, CurveFunction, Dataset, Real};
    ///
    /// /// A Gaussian peak on a line.
    /// struct Peak;
    ///
    /// impl CurveFunction for Peak {
    ///     fn value<T: Real>(&self, x: &[f64], p: &[T]) -> T {
    ///         let u = (x[0] - p[1]) / p[2];
    ///         p[0] * (-(u * u)).exp() + p[3] + p[4] * x[0]
    ///     }
    /// }
    ///
    /// let x: Vec<f64> = (0..40).map(|i| 0.25 * f64::from(i)).collect();
    /// let y: Vec<f64> = x.iter().map(|x| 3.0 * f64::exp(-((x - 4.0) / 1.5).powi(2)) + 0.2 + 0.1 * x).collect();
    /// let data = Dataset::from_slices(1, &x, 1, &y)?;
    /// let peak = Curve::from_function(["height", "place", "width", "base", "slope"], Peak);
    /// let start = [("height", 1.0), ("place", 5.0), ("width", 1.0), ("base", 0.0), ("slope", 0.0)];
    /// let fit = peak.start(start).bounds("width", 0.1..).fit(&data)?;
    /// assert!((fit.value("place").unwrap() - 4.0).abs() < 1e-9);
    /// # Ok::<(), secant::FitError>(())
    /// ```
    pub fn from_function<S: Into<String>>(
        names: impl IntoIterator<Item = S>,
        function: impl CurveFunction + 'static,
    ) -> Curve<FromFn> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let model = Arc::new(Generic::new(function, names.len()));
        Curve { kind: FromFn { names, model }, said: Said::new(Vec::new()) }
    }
}

impl Curve<FromFn> {
    /// Fits the function to data with one column of targets. All columns of the data but that of σ are its inputs. Parameters without a
    /// start are drawn, all of them, since nothing is known of how they enter: give starts where there are more than a few.
    ///
    /// # Errors
    /// [`FitError::Curve`] with what does not fit: names, starts, bounds, σ; a function that is not finite at the start; several targets; a
    /// method that is not one of least squares.
    pub fn fit(&self, data: &Dataset) -> Result<FunctionFit, FitError> {
        let said = &self.said;
        let (prepared, model) = self.kind.prepared(said, data)?;
        let layout = Layout::alone(prepared.free.len(), prepared.data.samples());
        let whole: Option<Vec<f64>> = prepared.start.iter().copied().collect();
        let (theta, note) = match whole {
            Some(theta) => (theta, None),
            None => searched(said, &prepared, &*model)?,
        };
        prepared.check_start(&*model, &theta)?;
        let problem = CurveProblem::new(&*model, &layout, &prepared.data);
        let (mut solution, _) = minimize(said, problem, &prepared.bounds, &theta, None)?;
        solution.report.notes.extend(note);
        Ok(FunctionFit::new(said, prepared, model, (theta, solution.theta), solution.report))
    }
}

impl FromFn {
    /// The function met by its data, and the model of the free parameters.
    pub(super) fn prepared(
        &self,
        said: &Said,
        data: &Dataset,
    ) -> Result<(Prepared, Arc<dyn CurveModel>), FitError> {
        let names = &self.names;
        let twice = (0..names.len()).any(|i| names[..i].contains(&names[i]));
        if names.is_empty() || twice {
            return Err(CurveError::FunctionNames { names: names.clone() }.into());
        }
        let prepared = Prepared::new(said, names, data)?;
        let model = prepared.hold(self.model.clone());
        Ok((prepared, model))
    }
}

/// A start that was looked for, and the note on it.
pub(super) fn searched(
    said: &Said,
    prepared: &Prepared,
    model: &dyn CurveModel,
) -> Result<(Vec<f64>, Option<String>), FitError> {
    let sought = Sought {
        model,
        names: &prepared.free,
        linear: Vec::new(),
        data: &prepared.data,
        bounds: &prepared.bounds,
        start: &prepared.start,
    };
    let found = Search::new(sought, said.draws, said.seed).best(|data, theta| {
        let layout = Layout::alone(theta.len(), data.samples());
        let problem = CurveProblem::new(model, &layout, data);
        let end = minimize(said, problem, &prepared.bounds, theta, Some(POLISH))?.0;
        Ok((end.theta, end.report.value))
    })?;
    Ok((found.theta, Some(found.note)))
}

/// A fitted function: its parameters by name, predictions, errors and bands, the report.
#[derive(Clone, Debug)]
pub struct FunctionFit {
    parameters: Vec<CurveParameter>,
    model: Arc<dyn CurveModel>,
    prepared: Prepared,
    layout: Layout,
    theta: Vec<f64>,
    start: Vec<f64>,
    report: Report,
    absolute_sigma: bool,
    is_robust: bool,
    joint: Option<Arc<dyn Joint>>,
}

impl FunctionFit {
    /// With θ where it started and ended.
    pub(super) fn new(
        said: &Said,
        prepared: Prepared,
        model: Arc<dyn CurveModel>,
        (start, theta): (Vec<f64>, Vec<f64>),
        report: Report,
    ) -> Self {
        let values = prepared.all(&theta);
        let one = |(name, value): (&String, f64)| {
            let place = prepared.free.iter().position(|free| free == name);
            let origin = place.map_or(Origin::Fixed, |j| Origin::Free {
                start: start[j],
                lower: prepared.bounds.lower()[j],
                upper: prepared.bounds.upper()[j],
            });
            CurveParameter { name: name.clone(), value, origin }
        };
        Self {
            parameters: prepared.names.iter().zip(values).map(one).collect(),
            model,
            layout: Layout::alone(theta.len(), prepared.data.samples()),
            prepared,
            theta,
            start,
            report,
            absolute_sigma: said.absolute_sigma,
            is_robust: said.robust.is_some(),
            joint: None,
        }
    }

    /// The same as a part of a fit.
    pub(super) fn jointly(mut self, joint: Arc<dyn Joint>) -> Self {
        self.joint = Some(joint);
        self
    }

    /// The parameters in their order.
    pub fn parameters(&self) -> &[CurveParameter] {
        &self.parameters
    }

    /// The value of a parameter, free or fixed; `None` where there is none of this name.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.parameters.iter().find(|known| known.name == name).map(|known| known.value)
    }

    /// Why the fit ended, what it reached, what it cost; how derivatives were had, and the automatic start.
    pub fn report(&self) -> &Report {
        &self.report
    }

    #[cfg(feature = "plot")]
    pub(super) fn data(&self) -> &Dataset {
        &self.prepared.data
    }

    #[cfg(feature = "plot")]
    pub(super) fn has_absolute_sigma(&self) -> bool {
        self.absolute_sigma
    }

    /// The function at inputs (d × M, column-major).
    ///
    /// # Errors
    /// Inputs that are no whole number of samples, or not finite.
    pub fn predict(&self, inputs: &[f64]) -> Result<Vec<f64>, FitError> {
        let mut values = vec![0.0; self.samples(inputs)?];
        self.model.evaluator().values(&self.theta, inputs, &mut values);
        Ok(values)
    }

    fn samples(&self, inputs: &[f64]) -> Result<usize, FitError> {
        let d = self.prepared.data.features();
        if !inputs.len().is_multiple_of(d) {
            return Err(PredictError::Inputs { features: d, found: inputs.len() }.into());
        }
        if let Some(at) = inputs.iter().position(|x| !x.is_finite()) {
            let (sample, feature, value) = (at / d, at % d, inputs[at]);
            return Err(PredictError::NotFinite { sample, feature, value }.into());
        }
        Ok(inputs.len() / d)
    }

    /// Standard errors, intervals, correlations and what the data leave open, as [`CurveFit::inference`](super::CurveFit::inference).
    ///
    /// # Errors
    /// After a [robust](Curve::robust) fit; as [`Infer::compute`].
    pub fn inference(&self) -> Result<Inference, FitError> {
        self.inference_with(|infer| infer)
    }

    /// The same with options: `fit.inference_with(|infer| infer.level(0.99))?`.
    ///
    /// # Errors
    /// As [`inference`](Self::inference).
    pub fn inference_with(
        &self,
        options: impl for<'a> FnOnce(Infer<'a>) -> Infer<'a>,
    ) -> Result<Inference, FitError> {
        if self.is_robust {
            return Err(CurveError::RobustInference.into());
        }
        if let Some(joint) = &self.joint {
            return joint.infer_once(options);
        }
        let Prepared { names, free, bounds, .. } = &self.prepared;
        let problem = CurveProblem::new(&*self.model, &self.layout, &self.prepared.data);
        let derived = Derived {
            values: self.prepared.all(&self.theta),
            matrix: self.prepared.by_free(),
            names: names.clone(),
        };
        let infer = Inference::of(&problem, &self.theta)
            .names(free.clone())
            .bounds(bounds.clone())
            .absolute_sigma(self.absolute_sigma)
            .derived(derived.values, derived.matrix, derived.names)
            .start(self.prepared.all(&self.start));
        Ok(options(infer).compute()?)
    }

    /// The function with its confidence and prediction bands at inputs (d × M), as [`CurveFit::band`](super::CurveFit::band).
    ///
    /// # Errors
    /// As [`inference`](Self::inference) and [`predict`](Self::predict).
    pub fn band(&self, inputs: &[f64], level: f64) -> Result<Vec<BandPoint>, FitError> {
        let (m, n) = (self.samples(inputs)?, self.theta.len());
        let (mut values, mut rows) = (vec![0.0; m], vec![0.0; m * n]);
        let (lower, upper) = (self.prepared.bounds.lower(), self.prepared.bounds.upper());
        let within = Some(InBox { lower, upper }).filter(|within| within.contains(&self.theta));
        let mut evaluator = self.model.evaluator();
        evaluator.values_jacobian(&self.theta, within, inputs, &mut values, &mut rows);
        let found = self.inference_with(|infer| infer.level(level))?;
        let rows = MatRef::from_row_major_slice(&rows, m, n);
        band_of(&found, self.joint.as_deref(), &values, rows)
    }
}
