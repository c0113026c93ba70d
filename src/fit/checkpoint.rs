//! Checkpoints of a fit, and going on from one.

use super::Fit;
use super::held_out::Choice;
use crate::error::FitError;
use secant_core::data::{Dataset, Targets};
use secant_core::graph::Graph;
use secant_core::loss::Loss;
use secant_optim::checkpoint::{self, CheckpointError, Every, Fingerprint};
use secant_optim::{OptimError, RunOptions};
use serde::{Serialize, Serializer};
use std::path::{Path, PathBuf};

/// Where checkpoints of a fit go and come from.
#[derive(Clone, Debug, Default)]
pub(super) struct Checkpoints {
    write: Option<(PathBuf, Every)>,
    resume: Option<PathBuf>,
}

impl Fit<'_> {
    /// Writes a checkpoint to `path` this often and at the end: all that the rest of the fit needs, so that [`resume`](Self::resume) goes
    /// on from it in another process, after a crash or where a limit or an interrupt ended the fit, and comes to the same bits as the fit
    /// that was never left. It is put in place as a whole; the one before it stays as `path.previous`. Where it cannot be written the
    /// fit goes on, and a note of the report says so. Of several [`starts`](Self::starts) each has files of its own, `path.0` and so on. A fit with
    /// [`robust`](Self::robust) has no checkpoints.
    ///
    /// ```
    /// use secant::{Activation, Bfgs, Dataset, Every, Network};
    /// # let root = env!("CARGO_MANIFEST_DIR");
    /// # let path = std::env::temp_dir().join(format!("secant-doc-{}.fit", std::process::id()));
    /// let data = Dataset::from_csv(format!("{root}/data/yacht.csv"), "target")?;
    /// let net = Network::mlp([6, 5, 1], Activation::Tanh);
    /// let fit = || secant::fit(&net, &data).method(Bfgs::default());
    /// // Ended by a limit, and gone on with, in what may be another process, under another limit.
    /// fit().max_iterations(20).checkpoint(&path, Every::Seconds(30.0)).run()?;
    /// let resumed = fit().max_iterations(50).resume(&path).run()?;
    /// let undisturbed = fit().max_iterations(50).run()?;
    /// assert_eq!(resumed.model().theta(), undisturbed.model().theta());
    ///
    /// // The checkpoint knows what it is of.
    /// let error = fit().seed(1).resume(&path).run().unwrap_err().to_string();
    /// assert!(error.ends_with("the checkpoint is of another run: the start is not the same"));
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn checkpoint(mut self, path: impl Into<PathBuf>, every: Every) -> Self {
        self.checkpoints.write = Some((path.into(), every));
        self
    }

    /// Goes on from the checkpoint at `path`; where that is damaged or missing, from the one before it, and a note of the report says so.
    /// Data, network, loss, penalty, standardisation, start, method and its options must be those of the fit that wrote it, by the same
    /// version of the crate; the limits of iterations, evaluations and time are those of now.
    pub fn resume(mut self, path: impl Into<PathBuf>) -> Self {
        self.checkpoints.resume = Some(path.into());
        self
    }

    /// What the runs of this fit on `graph` by `loss` write and take up.
    pub(super) fn run_options(&self, graph: &Graph, loss: &dyn Loss) -> Result<Options, FitError> {
        let options = Options(self.run_options_of(graph, loss, || Ok(parts_of(self.data)))?);
        let several = options.0.resume.as_ref().filter(|_| self.count > 1);
        if let Some(path) = several
            && !(0..self.count).any(|number| exists(&numbered(path, number)))
        {
            let error = CheckpointError::Missing { path: numbered(path, 0) };
            return Err(OptimError::Checkpoint(Box::new(error)).into());
        }
        Ok(options)
    }

    /// Those of one run, whose checkpoint says `data` of the data.
    pub(super) fn run_options_of<T: Serialize>(
        &self,
        graph: &Graph,
        loss: &dyn Loss,
        data: impl FnOnce() -> Result<T, FitError>,
    ) -> Result<RunOptions, FitError> {
        let Checkpoints { write, resume } = self.checkpoints.clone();
        let mut options = RunOptions::default();
        if write.is_some() || resume.is_some() {
            if self.robust.is_some() {
                let why = "its scale is found by several fits in turn; give `loss(Robust::new(rho, scale))` a scale";
                self.without_checkpoints("a fit with `robust`", why)?;
            }
            options.fingerprint = Fingerprint::new()
                .with("the data", &data()?)
                .with("the network", &format!("{graph:?}"))
                .with("the loss", &format!("{loss:?}"))
                .with("the penalty", &format!("{:?}", self.penalty))
                .with("the standardisation", &format!("{:?}", self.standardize))
                .with("the patience", &self.watching.patience);
            options.fingerprint = match self.watching.held_out {
                Choice::Nothing => options.fingerprint,
                Choice::Data(data) => {
                    options.fingerprint.with("the validation data", &parts_of(data))
                }
                Choice::Fraction(fraction) => {
                    let drawn = (fraction, self.first_seed());
                    options.fingerprint.with("the samples held out", &drawn)
                }
            };
            (options.checkpoint, options.resume) = (write, resume);
        }
        Ok(options)
    }

    /// Refuses checkpoints of `what`.
    pub(super) fn without_checkpoints(
        &self,
        what: &'static str,
        why: &'static str,
    ) -> Result<(), FitError> {
        let Checkpoints { write: None, resume: None } = &self.checkpoints else {
            let error = CheckpointError::Unsupported { what, why };
            return Err(OptimError::Checkpoint(Box::new(error)).into());
        };
        Ok(())
    }
}

/// [`RunOptions`] of all starts.
pub(super) struct Options(RunOptions);

impl Options {
    /// Those of start `number` of `count`: of several each has files of its own, and begins where it has not come to one.
    pub(super) fn of_start(&self, number: usize, count: usize) -> RunOptions {
        let mut options = self.0.clone();
        if count > 1 {
            options.checkpoint =
                options.checkpoint.map(|(path, every)| (numbered(&path, number), every));
            options.resume =
                options.resume.map(|path| numbered(&path, number)).filter(|path| exists(path));
        }
        options
    }
}

/// `fit.checkpoint.3`
fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

fn exists(path: &Path) -> bool {
    path.exists() || checkpoint::previous(path).exists()
}

/// All that a fit takes from the data.
fn parts_of(data: &Dataset) -> impl Serialize + '_ {
    let (values, labels) = match data.targets() {
        Targets::Values { values, rows } => (Some((values, rows)), None),
        Targets::Labels { labels, classes } => (None, Some((labels, classes))),
    };
    let offset = (data.offset(), data.offset_rows());
    let sizes = (data.features(), data.samples());
    let entries = data
        .sparse()
        .map(|inputs| (inputs.offsets(), inputs.indices(), inputs.values(), inputs.centre()));
    let inputs = entries.is_none().then_some(Inputs(data));
    (sizes, (inputs, entries), values, labels, data.weights(), offset)
}

/// Dense inputs, in single precision as if they were widened.
struct Inputs<'a>(&'a Dataset);

impl Serialize for Inputs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.single_inputs() {
            None => self.0.inputs().serialize(serializer),
            Some(values) => serializer.collect_seq(values.iter().map(|&value| f64::from(value))),
        }
    }
}
