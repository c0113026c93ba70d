//! A fit whose samples lie in several processes, brought together by an engine such as `secant-mpi`.

use super::units::{Scaled, is_squared};
use super::{Fit, Fitted, Scalings, Standardize, Start, decision_of};
use crate::error::FitError;
use crate::fit::held_out::{Choice, HeldOut};
use secant_core::data::{Dataset, Standardizer, Targets};
use secant_core::graph::Graph;
use secant_core::loss::Loss;
use secant_core::penalty::Penalty;
use secant_optim::{Interrupt, Method, Minibatches, RunOptions, Solution, Watch};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// All samples of a fit, of which this process has some. Every process calls the same methods in the same order, and has the same answers.
pub trait Across {
    /// Whether this process writes and talks for all.
    fn is_first(&self) -> bool;

    /// N, of all processes.
    fn samples(&self) -> usize;

    /// A number that other samples would hardly have, and these have wherever they lie: for checkpoints.
    ///
    /// # Errors
    /// Those of the engine.
    fn fingerprint(&self) -> Result<u64, FitError>;

    /// [`Standardizer::fit_inputs`] of all samples.
    ///
    /// # Errors
    /// Those of the engine.
    fn input_scaling(&self) -> Result<Standardizer, FitError>;

    /// [`Standardizer::fit_targets`] of all samples, whose targets are numbers.
    ///
    /// # Errors
    /// Those of the engine.
    fn target_scaling(&self) -> Result<Standardizer, FitError>;

    /// Minimises the mean loss over all samples plus the penalty.
    ///
    /// # Errors
    /// Those of the engine and of the run.
    fn minimize(&self, run: AcrossRun<'_>) -> Result<Solution, FitError>;
}

/// A run over the samples of several processes.
#[derive(Debug)]
pub struct AcrossRun<'a> {
    /// The model.
    pub graph: &'a Graph,
    /// The samples of this process, in the units of the fit.
    pub data: Dataset,
    /// The loss.
    pub loss: Arc<dyn Loss>,
    /// The penalty.
    pub penalty: Arc<dyn Penalty>,
    /// The method, without a limit of time: clocks differ.
    pub method: Method,
    /// Steps on minibatches.
    pub minibatches: Option<Minibatches>,
    /// θ₀.
    pub start: &'a [f64],
    /// Checkpoints, written by the first process alone.
    pub options: RunOptions,
    /// Who looks on; the interrupt is the engine's to give.
    pub watch: Watch<'a>,
    /// Set in this process where it wants all of them to stop.
    pub wish: Option<Interrupt>,
    /// The limit of time.
    pub max_time: Option<Duration>,
}

impl Fit<'_> {
    /// Runs the fit over the samples of several processes, of which its data are those of this one: what [`run`](Self::run) of all samples in
    /// one process gives, in every process. Progress is shown and checkpoints are written by the first process; a checkpoint of this is
    /// none of [`run`](Self::run). Observers see the run in each process, and must end it in all of them or in none. The samples of
    /// [`validation`](Self::validation) are all of them, the same in every process, and each judges by itself.
    ///
    /// # Errors
    /// As [`run`](Self::run); what goes wrong in another process. [`starts`](Self::starts), [`robust`](Self::robust),
    /// [`validation_fraction`](Self::validation_fraction), offsets and sparse data are refused.
    pub fn run_across(self, all: &dyn Across) -> Result<Fitted, FitError> {
        self.refuse_across()?;
        let graph = self.network.graph()?;
        let loss = self.loss_or_default(graph);
        let scaled = self.scaled_across(graph, &*loss, all)?;
        let start = self.start_across(&scaled, graph, &*loss, all)?;
        let mut options = self.run_options_of(graph, &*loss, || {
            Ok((self.data.features(), all.samples(), all.fingerprint()?))
        })?;
        let mut watching = self.watching.uninterrupted();
        if !all.is_first() {
            (options.checkpoint, watching.line) = (None, false);
        }
        let line = watching.progress_line(1);
        let (mut method, minibatches) = self.resolved();
        let max_time = method.stopping_mut().max_time.take();
        let decision = decision_of(&*loss, graph.outputs());
        let mut watch = watching.watch(0, line.as_ref());
        if let Choice::Data(held_out) = self.watching.held_out {
            let held_out = HeldOut::new(graph, held_out, &scaled, loss.clone(), decision)?;
            watch = watch.validate(move |theta| held_out.judge(theta));
        }
        let run = AcrossRun {
            graph,
            data: scaled.like(self.data)?,
            loss: loss.clone(),
            penalty: self.penalty.clone(),
            method,
            minibatches,
            start: &start,
            options,
            watch,
            wish: self.watching.interrupt.clone(),
            max_time,
        };
        let mut solution = all.minimize(run)?;
        super::end_line(line, &solution.report);
        solution.report.notes.extend(scaled.notes());
        let summary = self.summary(&solution.report, all.samples(), None);
        let Scaled { inputs, targets, .. } = scaled;
        let scalings = Scalings { inputs, targets };
        Ok(self.fitted(graph, solution, (scalings, loss, decision), summary, None))
    }

    /// What needs all samples in one process, and what no fit takes.
    fn refuse_across(&self) -> Result<(), FitError> {
        let drawn = matches!(self.watching.held_out, Choice::Fraction(_));
        let asked = [
            ("`starts`", self.count != 1),
            ("`robust`", self.robust.is_some()),
            ("`validation_fraction` (`validation` takes samples)", drawn),
            ("data with offsets", self.data.offset().is_some()),
            ("sparse data", self.data.sparse().is_some()),
        ];
        match asked.into_iter().find(|(_, asked)| *asked) {
            None => self.watching.check(),
            Some((what, _)) => Err(FitError::NotAcross { what }),
        }
    }

    /// The units that [`Standardize::apply`] chooses, by all samples; the data as they are.
    fn scaled_across(
        &self,
        graph: &Graph,
        loss: &dyn Loss,
        all: &dyn Across,
    ) -> Result<Scaled<'_>, FitError> {
        let data = Cow::Borrowed(self.data);
        if self.standardize == Standardize::Nothing {
            return Ok(Scaled { data, inputs: None, targets: None });
        }
        let mut inputs = all.input_scaling()?;
        if self.standardize == Standardize::ScaleInputs {
            inputs = inputs.scale_only();
        }
        let (squared, fit) = (is_squared(loss), || all.target_scaling());
        let targets = self.standardize.targets_of(self.data, graph, squared, fit)?;
        Ok(Scaled { data, inputs: Some(inputs), targets })
    }

    /// θ₀, with the biases of the output at the level of all targets.
    fn start_across(
        &self,
        scaled: &Scaled<'_>,
        graph: &Graph,
        loss: &dyn Loss,
        all: &dyn Across,
    ) -> Result<Vec<f64>, FitError> {
        let theta = match &self.start {
            Start::Theta(theta) => return Ok(theta.clone()),
            Start::Seed(seed) => self.network.draw(*seed)?,
        };
        let numbers = matches!(self.data.targets(), Targets::Values { .. });
        let moments = || numbers.then(|| all.target_scaling()).transpose();
        scaled.at_level_by(theta, graph, loss, moments)
    }
}
