//! Checkpoints of fits: taken up they are the fit that was never left, they know what they are of, and no kill loses them.

use secant::checkpoint::previous;
use secant::{
    Activation, Adam, Auto, Bfgs, Dataset, Every, Fit, Fitted, Interrupt, Lbfgs, LogCosh,
    Minibatches, Network, Reason, Rho, Ridge, Robust, SquaredError, Standardize, fit,
};
use secant_core::random::Random;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("secant-fits-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    fn file(&self) -> PathBuf {
        self.0.join("fit")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn yacht() -> Dataset {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/yacht.csv");
    Dataset::from_csv(path, "target").unwrap()
}

fn net() -> Network {
    Network::mlp([6, 4, 1], Activation::Tanh)
}

fn bits(fitted: &Fitted) -> (Vec<u64>, Vec<String>) {
    let theta = fitted.model().theta().iter().map(|t| t.to_bits()).collect();
    let report = fitted.report();
    let entries = report.trace.iter().map(|entry| {
        let mut entry = *entry;
        entry.seconds = 0.0;
        format!("{entry:?}")
    });
    (theta, entries.chain([format!("{:?} {:?}", report.evaluations, report.validation)]).collect())
}

#[test]
fn fits_of_every_kind_go_on_bit_for_bit() {
    let (net, data, folder) = (net(), yacht(), Folder::new());
    let (path, batches) = (folder.file(), Minibatches::of(20).with_seed(2));
    let kinds: [(&str, Fit<'_>); 6] = [
        ("BFGS", fit(&net, &data).method(Bfgs::default()).penalty(Ridge(1e-3))),
        ("Auto", fit(&net, &data).method(Auto::default())),
        ("minibatches", fit(&net, &data).method(Adam::default()).minibatches(batches)),
        ("held out", fit(&net, &data).method(Lbfgs::default()).validation_fraction(0.2)),
        ("starts", fit(&net, &data).method(Lbfgs::default()).starts(3)),
        ("patience", fit(&net, &data).validation_fraction(0.3).patience(4)),
    ];
    for (kind, fit) in kinds {
        let whole = fit.clone().max_iterations(40).run().unwrap();
        fit.clone().max_iterations(17).checkpoint(&path, Every::Iterations(5)).run().unwrap();
        let resumed = fit.max_iterations(40).resume(&path).run().unwrap();
        assert_eq!(bits(&resumed), bits(&whole), "{kind}");
    }
}

#[test]
fn a_fit_that_was_stopped_by_an_observer_or_an_interrupt_goes_on() {
    let (net, data, folder) = (net(), yacht(), Folder::new());
    let (path, plain) =
        (folder.file(), || fit(&net, &data).method(Bfgs::default()).max_iterations(30));
    let whole = plain().run().unwrap();
    let interrupt = Interrupt::new();
    let flag = interrupt.clone();
    let stopped = [
        plain().observe(|step| {
            if step.iteration == 9 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }),
        plain().interrupt(&interrupt).observe(move |step| {
            if step.iteration == 9 {
                flag.set();
            }
            ControlFlow::Continue(())
        }),
    ];
    for fit in stopped {
        let ended = fit.checkpoint(&path, Every::Seconds(1e6)).run().unwrap();
        assert_eq!((ended.report().reason, ended.report().iterations), (Reason::Interrupted, 9));
        let resumed = plain().resume(&path).run().unwrap();
        assert_eq!(bits(&resumed), bits(&whole));
        let told =
            resumed.report().notes.iter().any(|note| note == "taken up after 9 iteration(s)");
        assert!(told, "{:?}", resumed.report().notes);
    }
}

#[test]
fn each_part_of_the_fingerprint_that_differs_is_named() {
    let (net, data, folder) = (net(), yacht(), Folder::new());
    let path = folder.file();
    let plain = |net, data| fit(net, data).method(Lbfgs::default()).max_iterations(3).seed(1);
    plain(&net, &data).checkpoint(&path, Every::Iterations(1)).run().unwrap();
    let refused = |fit: Fit<'_>| {
        let error = fit.resume(&path).run().unwrap_err().to_string();
        let (_, part) = error.split_once("of another run: ").expect(&error);
        part.strip_suffix(" is not the same").expect(&error).to_owned()
    };
    let fewer = data.first(300).unwrap();
    let weighted = data.clone().with_weights(vec![0.5; data.samples()]).unwrap();
    assert_eq!(refused(plain(&net, &fewer)), "the data");
    assert_eq!(refused(plain(&net, &weighted)), "the data");
    let wider = Network::mlp([6, 4, 1], Activation::Sigmoid);
    assert_eq!(refused(plain(&wider, &data)), "the network");
    let robust = Robust::new(Rho::Huber, 1.0).unwrap();
    // Another loss would change the standardisation of the targets too; the loss comes first by name.
    assert_eq!(refused(plain(&net, &data).loss(LogCosh::default())), "the loss");
    assert_eq!(refused(plain(&net, &data).loss(robust)), "the loss");
    assert_eq!(refused(plain(&net, &data).penalty(Ridge(1e-3))), "the penalty");
    let inputs = Standardize::Inputs;
    assert_eq!(refused(plain(&net, &data).standardize(inputs)), "the standardisation");
    assert_eq!(refused(plain(&net, &data).seed(2)), "the start");
    assert_eq!(refused(plain(&net, &data).validation_fraction(0.2)), "the samples held out");
    let method = "the method or one of its options";
    assert_eq!(refused(plain(&net, &data).method(Lbfgs::default().with_memory(3))), method);
    // What is the default said aloud is the same fit.
    plain(&net, &data).loss(SquaredError).resume(&path).run().unwrap();
}

#[test]
fn what_has_no_checkpoint_says_so() {
    let (net, data, folder) = (net(), yacht(), Folder::new());
    let fit = || fit(&net, &data).max_iterations(3);
    let error = fit().robust(Rho::Huber).checkpoint(folder.file(), Every::Iterations(1)).run();
    let error = error.unwrap_err().to_string();
    assert!(error.starts_with("no checkpoint of a fit with `robust`: its scale"), "{error}");
    let error = fit().resume(folder.file()).run().unwrap_err().to_string();
    assert!(error.ends_with("fit: there is no checkpoint"), "{error}");
    let error = fit().starts(2).resume(folder.file()).run().unwrap_err().to_string();
    assert!(error.ends_with("fit.0: there is no checkpoint"), "{error}");
}

#[test]
fn a_read_only_or_missing_folder_is_a_note_of_the_report() {
    let (net, data, folder) = (net(), yacht(), Folder::new());
    let lost = folder.0.join("nowhere").join("fit");
    let plain = || fit(&net, &data).method(Lbfgs::default()).max_iterations(12);
    let whole = plain().run().unwrap();
    let fitted = plain().checkpoint(&lost, Every::Iterations(4)).run().unwrap();
    assert_eq!(bits(&fitted), bits(&whole));
    // After 4, 8 and 12 iterations; the last is the end.
    let notes = &fitted.report().notes;
    assert!(notes.iter().any(|note| note.starts_with("checkpoint not written 3×: ")), "{notes:?}");
    // A folder in the place of the file.
    fs::create_dir_all(folder.file()).unwrap();
    let fitted = plain().checkpoint(folder.file(), Every::Seconds(1e6)).run().unwrap();
    let notes = &fitted.report().notes;
    assert!(notes.iter().any(|note| note.starts_with("checkpoint not written 1×: ")), "{notes:?}");
}

/// Names the folder of the child below.
const CHILD: &str = "SECANT_TEST_CHECKPOINT_FOLDER";
const ITERATIONS: u64 = 120;

fn lasting<'a>(net: &'a Network, data: &'a Dataset) -> Fit<'a> {
    fit(net, data).method(Bfgs::default()).max_iterations(ITERATIONS)
}

/// Run by [`a_dozen_kills_lose_nothing`] in processes of their own.
#[test]
#[ignore = "the child of another test"]
fn a_child_that_fits_until_it_is_killed() {
    let Some(folder) = env::var_os(CHILD).map(PathBuf::from) else { return };
    let (net, data, path) = (net(), yacht(), folder.join("fit"));
    let mut fit = lasting(&net, &data).checkpoint(&path, Every::Iterations(1));
    if path.exists() {
        fit = fit.resume(&path);
    }
    let fitted = fit.run().unwrap();
    fs::write(folder.join("result"), format!("{:?}", bits(&fitted))).unwrap();
}

fn child(folder: &Path) -> Command {
    let mut child = Command::new(env::current_exe().unwrap());
    let name = "checkpoints::a_child_that_fits_until_it_is_killed";
    child.args([name, "--exact", "--ignored", "--test-threads", "1"]).env(CHILD, folder);
    child.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    child
}

#[test]
fn a_dozen_kills_lose_nothing() {
    let (net, data) = (net(), yacht());
    let whole = format!("{:?}", bits(&lasting(&net, &data).run().unwrap()));
    let mut random = Random::new(8);
    let (mut kills, mut fits) = (0, 0);
    while kills < 12 && fits < 24 {
        let folder = Folder::new();
        loop {
            let there = folder.file().exists();
            let mut process = child(&folder.0).spawn().unwrap();
            let moment = Duration::from_secs_f64(0.25 * random.uniform());
            let start = Instant::now();
            let ended = loop {
                if let Some(status) = process.try_wait().unwrap() {
                    break Some(status);
                }
                if kills < 12 && start.elapsed() >= moment {
                    process.kill().unwrap();
                    process.wait().unwrap();
                    break None;
                }
                thread::sleep(Duration::from_millis(1));
            };
            if let Some(status) = ended {
                assert!(status.success(), "a checkpoint was not taken up");
                break;
            }
            kills += 1;
            assert!(!there || folder.file().exists(), "a checkpoint was lost");
        }
        fits += 1;
        assert_eq!(fs::read_to_string(folder.0.join("result")).unwrap(), whole);
        assert!(previous(&folder.file()).exists());
    }
}
