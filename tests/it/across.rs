//! A fit whose samples an engine brings together is the fit of one process: here an engine of one process that has all of them.

use secant::risk::Risk;
use secant::{
    Across, AcrossRun, Activation, Adam, Dataset, Every, Fit, FitError, Interrupt, Lbfgs,
    Minibatches, Network, Poisson, Reason, Rho, Ridge, Solution, Standardize, Standardizer,
    Stopping, fit,
};
use std::cell::Cell;
use std::time::Duration;

/// What was asked of it.
struct Here<'a> {
    data: &'a Dataset,
    first: bool,
    wished: Cell<bool>,
    max_time: Cell<Option<Duration>>,
    writes: Cell<bool>,
}

impl<'a> Here<'a> {
    fn new(data: &'a Dataset) -> Self {
        let (wished, max_time, writes) = Default::default();
        Self { data, first: true, wished, max_time, writes }
    }
}

impl Across for Here<'_> {
    fn is_first(&self) -> bool {
        self.first
    }
    fn samples(&self) -> usize {
        self.data.samples()
    }
    fn fingerprint(&self) -> Result<u64, FitError> {
        Ok(7)
    }
    fn input_scaling(&self) -> Result<Standardizer, FitError> {
        Ok(Standardizer::fit_inputs(self.data))
    }
    fn target_scaling(&self) -> Result<Standardizer, FitError> {
        Ok(Standardizer::fit_targets(self.data)?)
    }
    fn minimize(&self, run: AcrossRun<'_>) -> Result<Solution, FitError> {
        self.wished.set(run.wish.is_some());
        self.max_time.set(run.max_time);
        self.writes.set(run.options.checkpoint.is_some());
        let AcrossRun { data, mut watch, method, start, options, .. } = run;
        let risk = Risk::from_shared(run.graph, &data, run.loss, run.penalty)?;
        Ok(match &run.minibatches {
            None => method.minimize_with(&risk, start, &options, &mut watch)?.0,
            Some(batches) => {
                method.minimize_sampled_with(&risk, batches, start, &options, &mut watch)?
            }
        })
    }
}

fn data(name: &str) -> Dataset {
    let path = format!("{}/data/{name}.csv", env!("CARGO_MANIFEST_DIR"));
    Dataset::from_csv(path, "target").unwrap()
}

fn labels() -> Dataset {
    let x: Vec<f64> = (0..120).map(|i| (0.7 * f64::from(i)).sin()).collect();
    let labels: Vec<u32> = x.chunks_exact(2).map(|x| u32::from(x[0] > x[1] * x[1])).collect();
    Dataset::from_labels(2, &x, 2, &labels).unwrap()
}

/// Counts that rise with the inputs.
fn counts() -> Dataset {
    let x: Vec<f64> = (0..100).map(|i| f64::from(i % 13) / 13.0).collect();
    let y: Vec<f64> = x.chunks_exact(2).map(|x| (3.0 * x[0] + 2.0 * x[1]).exp().round()).collect();
    Dataset::from_slices(2, &x, 1, &y).unwrap()
}

#[test]
fn the_fit_is_that_of_one_process() {
    let (yacht, labels, counts) = (data("yacht"), labels(), counts());
    let weighted =
        yacht.clone().with_weights((0..308).map(|i| f64::from(i % 3)).collect()).unwrap();
    let tanh = |d| Network::mlp([d, 4, 1], Activation::Tanh);
    let (net, small, linear) = (tanh(6), tanh(2), Network::linear(6, 1));
    let classes = Network::mlp([2, 3, 2], Activation::Tanh);
    let batches = Minibatches::of(32).with_epochs(5);
    let (train, held_out) = yacht.split(0.5, 2).unwrap();
    let fits: Vec<(&Dataset, Fit<'_>)> = vec![
        (&yacht, fit(&net, &yacht).seed(4)),
        (&yacht, fit(&linear, &yacht)),
        (&weighted, fit(&net, &weighted)),
        (&yacht, fit(&net, &yacht).standardize(Standardize::Nothing)),
        // Its output begins at the level of the targets.
        (&yacht, fit(&net, &yacht).standardize(Standardize::Inputs)),
        (&yacht, fit(&linear, &yacht).standardize(Standardize::InputsAndTargets)),
        (&yacht, fit(&net, &yacht).standardize(Standardize::ScaleInputs)),
        (&counts, fit(&small, &counts).loss(Poisson::default())),
        (&labels, fit(&classes, &labels)),
        (&yacht, fit(&net, &yacht).method(Adam::default()).minibatches(batches)),
        (&yacht, fit(&net, &yacht).start(vec![0.1; 33])),
        // Judged in the units of the samples that are fitted; by patience and by accuracy too.
        (&train, fit(&net, &train).validation(&held_out)),
        (&train, fit(&net, &train).validation(&held_out).patience(1)),
        (&labels, fit(&classes, &labels).validation(&labels)),
    ];
    let mut stopped = 0;
    for (index, (data, fit)) in fits.into_iter().enumerate() {
        let fit = fit.penalty(Ridge(1e-3)).max_iterations(30);
        let here = fit.clone().run().unwrap();
        let across = fit.run_across(&Here::new(data)).unwrap();
        let (model, expected) = (across.model(), here.model());
        assert_eq!(model.theta(), expected.theta(), "fit {index}");
        let predicted = |model: &secant::Model| model.predict(data.inputs()).unwrap();
        assert_eq!(predicted(model), predicted(expected), "fit {index}");
        assert_eq!(across.report().notes, here.report().notes, "fit {index}");
        assert_eq!(model.feature_names(), expected.feature_names());
        let summary = |model: &secant::Model| {
            let summary = model.fit_summary();
            (summary.samples, summary.seed, summary.value)
        };
        assert_eq!(summary(model), summary(expected), "fit {index}");
        let (report, expected) = (across.report(), here.report());
        assert_eq!((report.reason, report.validation), (expected.reason, expected.validation));
        let judged = |report: &secant::Report| {
            report.trace.iter().map(|step| step.validation).collect::<Vec<_>>()
        };
        assert_eq!(judged(report), judged(expected), "fit {index}");
        stopped += usize::from(report.reason == Reason::ValidationStopped);
    }
    assert_eq!(stopped, 1);
}

#[test]
fn what_needs_all_samples_in_one_process_is_refused_by_name() {
    let data = data("yacht");
    let offset = data.clone().with_offset(vec![0.5; 308]).unwrap();
    let net = Network::mlp([6, 3, 1], Activation::Tanh);
    let of = |data| fit(&net, data);
    for (asked, words) in [
        (of(&data).starts(2), "`starts`"),
        (of(&data).robust(Rho::Huber), "`robust`"),
        (of(&data).validation_fraction(0.2), "`validation_fraction` (`validation` takes samples)"),
        (of(&offset), "data with offsets"),
    ] {
        let error = asked.run_across(&Here::new(&data)).unwrap_err().to_string();
        assert_eq!(error, format!("{words}: not in a fit whose samples lie in several processes"));
    }
    let error = of(&data).patience(3).run_across(&Here::new(&data)).unwrap_err();
    assert!(matches!(error, FitError::PatienceWithoutValidation), "{error}");
}

#[test]
fn the_engine_ends_the_run_and_the_first_process_writes() {
    let data = data("yacht");
    let net = Network::mlp([6, 3, 1], Activation::Tanh);
    let folder = std::env::temp_dir().join(format!("secant-across-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("fit");
    let interrupt = Interrupt::new();
    interrupt.set();
    let stopping = Stopping { max_time: Some(Duration::from_secs(9)), ..Stopping::default() };
    let described = || {
        let fit = fit(&net, &data).method(Lbfgs::default()).stopping(stopping.clone());
        fit.max_iterations(5).interrupt(&interrupt).checkpoint(&file, Every::Iterations(1))
    };
    // The wish is the engine's to follow: by itself it ends nothing.
    let second = Here { first: false, ..Here::new(&data) };
    let fitted = described().run_across(&second).unwrap();
    assert_eq!(fitted.report().reason, Reason::MaxIterations);
    assert!(second.wished.get() && second.max_time.get() == Some(Duration::from_secs(9)));
    assert!(!second.writes.get() && !file.exists());
    let first = Here::new(&data);
    described().run_across(&first).unwrap();
    assert!(first.writes.get() && file.exists());
    // What it wrote is gone on with, across processes alone.
    let longer = || described().max_iterations(9).resume(&file);
    let error = longer().run().unwrap_err().to_string();
    assert!(error.ends_with("the data is not the same"), "{error}");
    let resumed = longer().run_across(&first).unwrap();
    let whole = fit(&net, &data).method(Lbfgs::default()).max_iterations(9).run().unwrap();
    assert_eq!(resumed.model().theta(), whole.model().theta());
    std::fs::remove_dir_all(&folder).unwrap();
}
