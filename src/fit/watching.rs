//! A fit that is seen while it runs: observers, a line of progress, an interrupt; samples held out; several starts.

use super::Fit;
use super::held_out::Choice;
use crate::error::FitError;
use crate::progress::ProgressLine;
use secant_core::data::Dataset;
use secant_optim::{Interrupt, Progress, Watch};
use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

type Observer<'a> = Arc<Mutex<dyn FnMut(&Progress<'_>) -> ControlFlow<()> + Send + 'a>>;

/// Who looks on, and what is held out.
#[derive(Clone, Default)]
pub(super) struct Watching<'a> {
    pub interrupt: Option<Interrupt>,
    observers: Vec<Observer<'a>>,
    pub line: bool,
    pub held_out: Choice<'a>,
    pub patience: Option<u64>,
}

impl fmt::Debug for Watching<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watching")
            .field("interrupt", &self.interrupt)
            .field("observers", &self.observers.len())
            .field("progress", &self.line)
            .field("held_out", &self.held_out)
            .field("patience", &self.patience)
            .finish()
    }
}

impl<'a> Watching<'a> {
    /// Refuses patience where nothing is held out to judge by.
    pub(super) fn check(&self) -> Result<(), FitError> {
        if self.patience.is_some() && self.held_out.is_nothing() {
            return Err(FitError::PatienceWithoutValidation);
        }
        Ok(())
    }

    /// The same for runs that nobody looks at, of which there are several.
    pub(super) fn unseen<'b>(&self) -> Watching<'b>
    where
        'a: 'b,
    {
        Watching {
            interrupt: self.interrupt.clone(),
            observers: Vec::new(),
            line: false,
            held_out: self.held_out,
            patience: self.patience,
        }
    }

    /// The same for a run that others end.
    pub(super) fn uninterrupted(&self) -> Self {
        Self { interrupt: None, ..self.clone() }
    }

    /// The line that shows the runs of so many starts, where one is asked for.
    pub(super) fn progress_line(&self, count: usize) -> Option<Mutex<ProgressLine>> {
        self.line.then(|| Mutex::new(ProgressLine::new(count)))
    }

    /// What goes along with the run from start number `start`; `line` shows it.
    pub(super) fn watch<'w>(
        &'w self,
        start: usize,
        line: Option<&'w Mutex<ProgressLine>>,
    ) -> Watch<'w> {
        let mut watch = Watch::new().start_number(start);
        if let Some(interrupt) = &self.interrupt {
            watch = watch.interrupt(interrupt.clone());
        }
        if let Some(patience) = self.patience {
            watch = watch.patience(patience);
        }
        if let Some(line) = line {
            watch = watch.observe(move |progress| {
                line.lock().unwrap_or_else(PoisonError::into_inner).show(progress);
                ControlFlow::Continue(())
            });
        }
        for observer in &self.observers {
            watch = watch.observe(move |progress| {
                let mut observer = observer.lock().unwrap_or_else(PoisonError::into_inner);
                observer(progress)
            });
        }
        watch
    }
}

impl<'a> Fit<'a> {
    /// Shows the run to `observer`: after the start and after every iteration, on minibatches at every evaluation of all samples.
    /// `Break` ends it, with [`Reason::Interrupted`](crate::Reason::Interrupted) and the best point so far for the model. Costs nothing beside
    /// what `observer` does. With [`starts`](Self::starts) it sees all of them, [`Progress::start`] says which.
    ///
    /// ```
    /// use secant::{Activation, Dataset, Network};
    /// use std::ops::ControlFlow;
    /// # let root = env!("CARGO_MANIFEST_DIR");
    /// let data = Dataset::from_csv(format!("{root}/data/concrete.csv"), "target")?;
    /// let net = Network::mlp([8, 4, 1], Activation::Tanh);
    /// let mut values = Vec::new();
    /// let fit = secant::fit(&net, &data)
    ///     .observe(|step| {
    ///         values.push(step.value);
    ///         if step.iteration < 10 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    ///     })
    ///     .run()?;
    /// assert_eq!(fit.report().reason, secant::Reason::Interrupted);
    /// assert_eq!(values.len(), 11);
    /// # Ok::<(), secant::FitError>(())
    /// ```
    pub fn observe(
        mut self,
        observer: impl FnMut(&Progress<'_>) -> ControlFlow<()> + Send + 'a,
    ) -> Self {
        self.watching.observers.push(Arc::new(Mutex::new(observer)));
        self
    }

    /// Shows how the run goes on standard error: a line that moves on a terminal, lines at growing intervals elsewhere.
    /// [`ProgressLine`] says what stands there. Default: nothing.
    pub fn progress(mut self) -> Self {
        self.watching.line = true;
        self
    }

    /// Ends the run when `interrupt` is set, from another thread or a signal handler: within the time of one evaluation, with
    /// [`Reason::Interrupted`](crate::Reason::Interrupted) and the best point so far for the model.
    ///
    /// ```
    /// use secant::{Activation, Dataset, Interrupt, Network};
    /// # let root = env!("CARGO_MANIFEST_DIR");
    /// let data = Dataset::from_csv(format!("{root}/data/concrete.csv"), "target")?;
    /// let net = Network::mlp([8, 4, 1], Activation::Tanh);
    /// let interrupt = Interrupt::new();
    /// let handle = interrupt.clone();
    /// # let hour = std::time::Duration::from_millis(5);
    /// std::thread::spawn(move || {
    ///     std::thread::sleep(hour);
    ///     handle.set();
    /// });
    /// let fit = secant::fit(&net, &data).interrupt(&interrupt).run()?;
    /// println!("{}", fit.report().reason);
    /// # Ok::<(), secant::FitError>(())
    /// ```
    pub fn interrupt(mut self, interrupt: &Interrupt) -> Self {
        self.watching.interrupt = Some(interrupt.clone());
        self
    }

    /// Judges every iterate by these samples, which have no part in the fit: their mean loss, without penalty, and the accuracy of a
    /// classifier stand in trace and report, and the model is the iterate with the least loss there. They are scaled as the
    /// training samples are. Costs one forward sweep over them per iteration, on minibatches per evaluation of all samples.
    pub fn validation(mut self, data: &'a Dataset) -> Self {
        self.watching.held_out = Choice::Data(data);
        self
    }

    /// [`validation`](Self::validation) by this part of the data, in (0, 1), drawn by the [`seed`](Self::seed) of the fit, 0 without one.
    /// The rest is fitted, and the scalings are taken from the rest alone.
    ///
    /// ```
    /// use secant::{Activation, Dataset, Network};
    /// # let root = env!("CARGO_MANIFEST_DIR");
    /// let data = Dataset::from_csv(format!("{root}/data/concrete.csv"), "target")?;
    /// let net = Network::mlp([8, 8, 1], Activation::Tanh);
    /// let fit = secant::fit(&net, &data).validation_fraction(0.2).patience(20).max_iterations(100).run()?;
    /// let held_out = fit.report().validation.unwrap();
    /// assert!(held_out.loss < 0.1, "of the variance of the training targets, halved");
    /// # Ok::<(), secant::FitError>(())
    /// ```
    pub fn validation_fraction(mut self, fraction: f64) -> Self {
        self.watching.held_out = Choice::Fraction(fraction);
        self
    }

    /// Ends the run, with [`Reason::ValidationStopped`](crate::Reason::ValidationStopped), after so many iterations in a row (on minibatches
    /// steps) without a lower loss on the samples held out. Needs [`validation`](Self::validation) or
    /// [`validation_fraction`](Self::validation_fraction).
    pub fn patience(mut self, iterations: u64) -> Self {
        self.watching.patience = Some(iterations);
        self
    }
}
