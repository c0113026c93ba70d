//! `fit(&network, &data)…run()`: the whole way from data to a fitted model.

mod across;
mod checkpoint;
mod cross_validation;
mod held_out;
#[cfg(feature = "plot")]
mod picture;
mod starts;
mod tuning;
mod units;
mod watching;

pub use across::{Across, AcrossRun};
pub use cross_validation::{CrossValidation, Spread};
pub use starts::Starts;
pub use tuning::{Tuned, TunedStrength};
pub use units::Standardize;

use crate::compare::{Compare, Comparison};
use crate::error::FitError;
use crate::model::{FitSummary, Model, ModelInference};
use crate::progress::ProgressLine;
use checkpoint::Checkpoints;
use held_out::HeldOut;
use secant_core::data::{Dataset, Standardizer, Targets};
use secant_core::graph::Graph;
use secant_core::loss::{Decision, Logistic, Loss, Robust, SoftmaxCrossEntropy, SquaredError};
use secant_core::network::Network;
use secant_core::penalty::{NoPenalty, Penalty};
use secant_core::predict::outputs_of;
use secant_core::rho::Rho;
use secant_core::risk::{Risk, RiskError};
use secant_optim::{
    Method, Minibatches, OptimError, Report, RunOptions, Solution, Span, Stopping, Watch,
    estimate_scale, residual_scale, weighted_residual_scale,
};
use starts::best_of;
use std::sync::{Arc, Mutex, PoisonError};
use units::{Scaled, is_squared};
use watching::Watching;

/// Values of one risk at one θ within this share of each other are one.
const SAME_VALUE: f64 = 1e-9;

/// A fit being described; [`run`](Self::run) runs it.
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `run`"]
pub struct Fit<'a> {
    network: &'a Network,
    data: &'a Dataset,
    loss: Option<Arc<dyn Loss>>,
    penalty: Arc<dyn Penalty>,
    method: Method,
    stopping: Option<Stopping>,
    max_iterations: Option<u64>,
    minibatches: Option<Minibatches>,
    standardize: Standardize,
    start: Start,
    robust: Option<Rho>,
    watching: Watching<'a>,
    /// How many starts.
    count: usize,
    checkpoints: Checkpoints,
}

#[derive(Clone, Debug)]
enum Start {
    Seed(u64),
    Theta(Vec<f64>),
}

/// The scalings that travel with a model.
#[derive(Clone)]
struct Scalings {
    inputs: Option<Standardizer>,
    targets: Option<Standardizer>,
}

/// What a run needs beside its start.
struct Prepared<'a> {
    scaled: &'a Scaled<'a>,
    risk: Risk<'a>,
    held_out: Option<&'a Dataset>,
    decision: Decision,
}

/// The solution, where all starts ended if there were several, and the loss of the end.
type Solved = (Solution, Option<Starts>, Arc<dyn Loss>);

impl Prepared<'_> {
    fn held_out(&self, loss: Arc<dyn Loss>) -> Result<Option<HeldOut<'_>>, FitError> {
        let graph = self.risk.graph();
        let judged = |data| HeldOut::new(graph, data, self.scaled, loss, self.decision);
        self.held_out.map(judged).transpose()
    }
}

/// A fitted model and how it came about.
#[derive(Clone, Debug)]
pub struct Fitted {
    model: Model,
    report: Report,
    starts: Option<Starts>,
}

/// Fits `network` to `data`, full-batch unless [`minibatches`](Fit::minibatches) are asked for.
///
/// Without further calls: inputs standardised, and for a network the targets too ([`Standardize::Auto`]), squared error for numeric targets,
/// softmax or (with one output) logistic cross-entropy for class labels, by the weights and offsets of the data where it has some, no
/// penalty, a method chosen for the model ([`Auto`](secant_optim::Auto)), seed 0. The calls may stand in any order.
pub fn fit<'a>(network: &'a Network, data: &'a Dataset) -> Fit<'a> {
    Fit {
        network,
        data,
        loss: None,
        penalty: Arc::new(NoPenalty),
        method: Method::default(),
        stopping: None,
        max_iterations: None,
        minibatches: None,
        standardize: Standardize::default(),
        start: Start::Seed(0),
        robust: None,
        watching: Watching::default(),
        count: 1,
        checkpoints: Checkpoints::default(),
    }
}

impl Fit<'_> {
    /// The loss, averaged over the samples.
    pub fn loss(mut self, loss: impl Loss + 'static) -> Self {
        self.loss = Some(Arc::new(loss));
        self
    }

    /// The same of a loss that was chosen when the program runs.
    pub fn shared_loss(mut self, loss: Arc<dyn Loss>) -> Self {
        self.loss = Some(loss);
        self
    }

    /// ρ in place of the square, for targets with outliers; its scale is estimated from the residuals, see
    /// [`estimate_scale`]. For a scale of your own: [`loss`](Self::loss) with [`Robust`]. Replaces the loss.
    pub fn robust(mut self, rho: Rho) -> Self {
        self.robust = Some(rho);
        self
    }

    /// The penalty, added to the mean loss.
    pub fn penalty(mut self, penalty: impl Penalty + 'static) -> Self {
        self.penalty = Arc::new(penalty);
        self
    }

    /// The same of a penalty that was chosen when the program runs.
    pub fn shared_penalty(mut self, penalty: Arc<dyn Penalty>) -> Self {
        self.penalty = penalty;
        self
    }

    /// The method, with its options.
    pub fn method(mut self, method: impl Into<Method>) -> Self {
        self.method = method.into();
        self
    }

    /// When to stop: replaces all of the method's own limits and tolerances, those at their defaults here too. For a limit of steps beside the
    /// method's own tolerances: [`max_iterations`](Self::max_iterations).
    pub fn stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = Some(stopping);
        self
    }

    /// The most iterations, or on minibatches the most steps, in place of those of method, [`stopping`](Self::stopping) and
    /// [`minibatches`](Self::minibatches); all else of these stays.
    pub fn max_iterations(mut self, iterations: u64) -> Self {
        self.max_iterations = Some(iterations);
        self
    }

    /// Steps on minibatches, by a first-order method; how long is said by their [`limit`](Minibatches::limit).
    ///
    /// ```
    /// use secant::{Adam, Dataset, Minibatches, Network};
    /// # let root = env!("CARGO_MANIFEST_DIR");
    /// let data = Dataset::from_csv(format!("{root}/data/diabetes.csv"), "target")?;
    /// let net = Network::linear(10, 1);
    /// let minibatches = Minibatches::of(32).with_epochs(20).with_seed(1);
    /// let adam = Adam::default().with_rate(1.0);
    /// let fit = secant::fit(&net, &data).method(adam).minibatches(minibatches).run()?;
    /// assert_eq!(fit.report().epochs, Some(20.0));
    ///
    /// // Methods with curvature, the default among them, need the same function at every evaluation.
    /// let lbfgs = secant::Lbfgs::default();
    /// let error = secant::fit(&net, &data).method(lbfgs).minibatches(minibatches).run().unwrap_err();
    /// assert!(error.to_string().starts_with("L-BFGS does not run on minibatches"));
    /// # Ok::<(), secant::FitError>(())
    /// ```
    pub fn minibatches(mut self, minibatches: Minibatches) -> Self {
        self.minibatches = Some(minibatches);
        self
    }

    /// What is standardised before the fit.
    pub fn standardize(mut self, standardize: Standardize) -> Self {
        self.standardize = standardize;
        self
    }

    /// Starts at θ drawn by the network's [`Init`](secant_core::init::Init) from this seed; where the targets of a network are not standardised,
    /// with the biases of its output at their level ([`Loss::level`]).
    pub fn seed(mut self, seed: u64) -> Self {
        self.start = Start::Seed(seed);
        self
    }

    /// Starts at this θ, in the units of the standardised data.
    pub fn start(mut self, theta: impl Into<Vec<f64>>) -> Self {
        self.start = Start::Theta(theta.into());
        self
    }

    /// Runs the fit.
    ///
    /// # Errors
    /// [`FitError`] when network, data, loss, penalty and options do not fit together. Numerical trouble is a
    /// [`Reason`](crate::Reason) in the report, and the best finite point is the model.
    pub fn run(self) -> Result<Fitted, FitError> {
        let graph = self.network.graph()?;
        self.watching.check()?;
        let loss = match self.robust {
            Some(rho) => robust_loss(rho, 1.0)?.into(),
            None => self.loss_or_default(graph),
        };
        let parts = self.watching.held_out.part(self.data, self.first_seed())?;
        let scaled = self.standardize.apply(&parts.train, graph, is_squared(&*loss))?;
        let decision = decision_of(&*loss, graph.outputs());
        let problem = Prepared {
            scaled: &scaled,
            risk: Risk::from_shared(graph, &scaled.data, loss, self.penalty.clone())?,
            held_out: parts.held_out.as_deref(),
            decision,
        };
        let (mut solution, starts, loss) = self.solve(&problem)?;
        solution.report.notes.extend(scaled.notes());
        if let Some(starts) = &starts {
            solution.report.notes.push(starts.to_string());
        }
        let summary = self.summary(&solution.report, scaled.data.samples(), starts.as_ref());
        let scalings = Scalings { inputs: scaled.inputs.clone(), targets: scaled.targets.clone() };
        Ok(self.fitted(graph, solution, (scalings, loss, decision), summary, starts))
    }

    /// The model that a run came to.
    fn fitted(
        &self,
        graph: &Arc<Graph>,
        solution: Solution,
        (scalings, loss, decision): (Scalings, Arc<dyn Loss>, Decision),
        summary: FitSummary,
        starts: Option<Starts>,
    ) -> Fitted {
        let model = Model {
            graph: graph.clone(),
            theta: solution.theta,
            input_scaling: scalings.inputs,
            target_scaling: scalings.targets,
            loss,
            penalty: self.penalty.clone(),
            decision,
            feature_names: self.data.feature_names().to_vec(),
            target_names: self.data.target_names().to_vec(),
            class_names: self.data.class_names().to_vec(),
            encoding: self.data.encoding().cloned(),
            spread: None,
            summary,
        };
        Fitted { model, report: solution.report, starts }
    }

    /// Runs the starts.
    fn solve(&self, problem: &Prepared<'_>) -> Result<Solved, FitError> {
        let line = self.watching.progress_line(self.count);
        let options = self.run_options(problem.risk.graph(), problem.risk.loss())?;
        let run = |number, theta: Vec<f64>| {
            let watch = || self.watching.watch(number, line.as_ref());
            self.solve_from(problem, &theta, watch, &options.of_start(number, self.count))
        };
        let solved = match self.count {
            0 => return Err(FitError::NoStarts),
            1 => {
                let (solution, loss) = run(
                    0,
                    self.theta0(problem.scaled, problem.risk.loss(), self.first_seed(), true)?,
                )?;
                (solution, None, loss)
            }
            count => {
                let seeds = (0..count as u64).map(|i| self.first_seed().wrapping_add(i)).collect();
                // A run that takes its sums by one task leaves the other threads idle.
                let in_parallel = problem.risk.shards() == 1;
                let (solution, starts, loss) = best_of(seeds, in_parallel, |number, seed| {
                    let first = number == 0;
                    run(number, self.theta0(problem.scaled, problem.risk.loss(), seed, first)?)
                })?;
                (solution, Some(starts), loss)
            }
        };
        end_line(line, &solved.0.report);
        Ok(solved)
    }

    /// The run from one start, and the loss that it ended with.
    fn solve_from<'w>(
        &self,
        problem: &'w Prepared<'_>,
        theta: &[f64],
        watch: impl Fn() -> Watch<'w>,
        options: &RunOptions,
    ) -> Result<(Solution, Arc<dyn Loss>), FitError> {
        let (method, minibatches) = self.resolved();
        let run = |risk: &Risk<'_>, start: &[f64]| {
            let held_out = problem.held_out(risk.shared_loss())?;
            let mut watch = watch();
            if let Some(held_out) = held_out {
                watch = watch.validate(move |theta| held_out.judge(theta));
            }
            let minibatches = minibatches.as_ref();
            Ok::<_, FitError>(minimized(&method, minibatches, risk, start, options, &mut watch)?)
        };
        let Some(rho) = self.robust else {
            return Ok((run(&problem.risk, theta)?, problem.risk.shared_loss()));
        };
        let (graph, data) = (problem.risk.graph(), problem.risk.data());
        let mut risk =
            Risk::from_shared(graph, data, problem.risk.shared_loss(), self.penalty.clone())?;
        // Losses of different scales do not compare: every round keeps its own best on samples held out.
        let found = estimate_scale(rho, theta, |rho, scale, start| {
            risk.set_loss(robust_loss(rho, scale)?)?;
            let solution = run(&risk, start)?;
            let spread = spread_of_residuals(graph, &solution.theta, data)?;
            Ok::<_, FitError>((solution, spread))
        })?;
        Ok((found.solution, risk.shared_loss()))
    }

    /// Runs the methods of `set` on this fit's problem from its start, in place of [`method`](Self::method): the same standardisation,
    /// loss and penalty for all. [`stopping`](Self::stopping) and [`max_iterations`](Self::max_iterations) of this fit hold for every method.
    ///
    /// # Errors
    /// As [`run`](Self::run) and [`Compare::run`]; with [`robust`](Self::robust), whose scale depends on the method, and with
    /// [`minibatches`](Self::minibatches).
    pub fn compare(self, set: &Compare) -> Result<Comparison, FitError> {
        if self.count != 1 {
            return Err(FitError::CompareWatched { what: "`starts`" });
        }
        if !self.watching.held_out.is_nothing() {
            return Err(FitError::CompareWatched { what: "the samples held out" });
        }
        if self.robust.is_some() {
            return Err(FitError::CompareRobust);
        }
        if self.minibatches.is_some() {
            return Err(FitError::CompareMinibatches);
        }
        self.without_checkpoints("a comparison", "it is of several methods in turn")?;
        let graph = self.network.graph()?;
        let loss = self.loss_or_default(graph);
        let scaled = self.standardize.apply(self.data, graph, is_squared(&*loss))?;
        let theta = self.theta0(&scaled, &*loss, self.first_seed(), true)?;
        let risk = Risk::from_shared(graph, &scaled.data, loss, self.penalty.clone())?;
        let mut set = set.clone();
        for method in set.methods_mut() {
            limit(method, self.stopping.as_ref(), self.max_iterations);
        }
        Ok(set.run(&risk, &theta)?)
    }

    fn summary(&self, report: &Report, samples: usize, starts: Option<&Starts>) -> FitSummary {
        let seed = match (&self.start, starts) {
            (Start::Seed(seed), None) => Some(*seed),
            (Start::Theta(_), None | Some(Starts { best: 0, .. })) => None,
            (_, Some(starts)) => starts.seeds.get(starts.best).copied(),
        };
        FitSummary::of(report, samples, seed)
    }

    /// The method and the minibatches with the limits asked for, whatever the order of the calls.
    fn resolved(&self) -> (Method, Option<Minibatches>) {
        let (mut method, mut minibatches) = (self.method.clone(), self.minibatches);
        limit(&mut method, self.stopping.as_ref(), self.max_iterations);
        if let (Some(minibatches), Some(steps)) = (&mut minibatches, self.max_iterations) {
            minibatches.limit = Span::Steps(steps);
        }
        (method, minibatches)
    }

    fn loss_or_default(&self, graph: &Graph) -> Arc<dyn Loss> {
        let default = || default_loss(self.data.targets(), graph.outputs());
        self.loss.clone().unwrap_or_else(default)
    }

    /// θ₀ of the seed, or for the `first` of several starts the one that was given.
    fn theta0(
        &self,
        scaled: &Scaled<'_>,
        loss: &dyn Loss,
        seed: u64,
        first: bool,
    ) -> Result<Vec<f64>, FitError> {
        match &self.start {
            Start::Theta(theta) if first => Ok(theta.clone()),
            _ => Ok(scaled.at_level(self.network.draw(seed)?, self.network.graph()?, loss)),
        }
    }

    /// The seed of the start, and of what is drawn to be held out.
    fn first_seed(&self) -> u64 {
        match self.start {
            Start::Seed(seed) => seed,
            Start::Theta(_) => 0,
        }
    }
}

/// Gives a method the end asked for: all of it, and then the number of iterations alone.
pub(crate) fn limit(method: &mut Method, stopping: Option<&Stopping>, max_iterations: Option<u64>) {
    if let Some(stopping) = stopping {
        *method.stopping_mut() = stopping.clone();
    }
    if let Some(iterations) = max_iterations {
        method.stopping_mut().max_iterations = iterations;
    }
}

impl Fitted {
    /// The fitted model.
    pub fn model(&self) -> &Model {
        &self.model
    }
    /// Why the run ended, what it reached, what it cost.
    pub fn report(&self) -> &Report {
        &self.report
    }
    /// How sure its parameters and predictions are, as [`Model::inference`], with a look whether `data` are what it was fitted to.
    ///
    /// ```
    /// use secant::{Dataset, Network};
    /// # let root = env!("CARGO_MANIFEST_DIR");
    /// let data = Dataset::from_csv(format!("{root}/data/diabetes.csv"), "target")?;
    /// let fit = secant::fit(&Network::linear(10, 1), &data).run()?;
    /// println!("{}", fit.inference(&data)?);
    /// let other = data.select(&(0..100).collect::<Vec<_>>())?;
    /// let error = fit.inference(&other).unwrap_err();
    /// assert_eq!(error.to_string(), "the fit was to 442 samples, these data have 100: errors come from the data of the fit");
    /// # Ok::<(), secant::FitError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::inference`]; another number of samples, or another value of what was minimised, than in the fit. Of a fit with samples
    /// held out `data` are those that were not.
    pub fn inference(&self, data: &Dataset) -> Result<ModelInference<'_>, FitError> {
        let (expected, found) = (self.model.fit_summary().samples, data.samples());
        if expected != found {
            return Err(FitError::OtherSamples { expected, found });
        }
        let inference = self.model.inference(data)?;
        let (expected, (found, rounding)) = (self.report.value, inference.value()?);
        // Compared so that NaN is refused.
        let same = (found - expected).abs() <= SAME_VALUE * expected.abs() + rounding;
        if !same {
            return Err(FitError::OtherValue { expected, found });
        }
        Ok(inference)
    }
    /// Where the runs ended, of a fit with several [`starts`](Fit::starts).
    pub fn starts(&self) -> Option<&Starts> {
        self.starts.as_ref()
    }
    /// The model by value.
    pub fn into_model(self) -> Model {
        self.model
    }
}

/// Ends the line of progress, where there is one.
fn end_line(line: Option<Mutex<ProgressLine>>, report: &Report) {
    if let Some(line) = line {
        line.into_inner().unwrap_or_else(PoisonError::into_inner).finish(report);
    }
}

fn minimized(
    method: &Method,
    minibatches: Option<&Minibatches>,
    risk: &Risk<'_>,
    start: &[f64],
    options: &RunOptions,
    watch: &mut Watch<'_>,
) -> Result<Solution, OptimError> {
    let method = method.clone();
    match minibatches {
        None => method.minimize_with(risk, start, options, watch).map(|(solution, _)| solution),
        Some(batches) => method.minimize_sampled_with(risk, batches, start, options, watch),
    }
}

/// What the outputs mean; one score alone decides by its sign.
pub(crate) fn decision_of(loss: &dyn Loss, outputs: usize) -> Decision {
    match loss.decision() {
        Decision::LargestScore if outputs == 1 => Decision::Sign,
        decision => decision,
    }
}

/// [`residual_scale`] of z + o − y, each sample by its weight.
fn spread_of_residuals(graph: &Graph, theta: &[f64], data: &Dataset) -> Result<f64, FitError> {
    let (mut z, c) = (outputs_of(graph, theta, data, None)?, graph.outputs());
    data.add_offset(&mut z);
    let y = data.targets().values().unwrap_or_default();
    let residuals: Vec<f64> = z.iter().zip(y).map(|(z, y)| z - y).collect();
    Ok(match data.weights() {
        None => residual_scale(&residuals),
        Some(weights) => {
            let each: Vec<f64> = weights.iter().flat_map(|w| std::iter::repeat_n(*w, c)).collect();
            weighted_residual_scale(&residuals, &each)
        }
    })
}

/// ρ with the scale σ.
pub(crate) fn robust_loss(rho: Rho, scale: f64) -> Result<Box<dyn Loss>, FitError> {
    Ok(Box::new(Robust::new(rho, scale).map_err(RiskError::from)?))
}

fn default_loss(targets: &Targets, outputs: usize) -> Arc<dyn Loss> {
    match targets {
        Targets::Values { .. } => Arc::new(SquaredError),
        Targets::Labels { .. } if outputs == 1 => Arc::new(Logistic),
        Targets::Labels { .. } => Arc::new(SoftmaxCrossEntropy),
    }
}
