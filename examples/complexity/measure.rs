//! A step of a method at n parameters: its time without the evaluations, its memory.

use super::law::median;
use super::problem::{Clock, Separable};
use peak_alloc::PeakAlloc;
use secant::argmin::core::observers::{Observe, ObserverMode};
use secant::argmin::core::{Error, Executor, KV, Solver};
use secant::optim::{Factorization, FitState};
use secant::{
    Adam, Bfgs, GradientDescent, Lbfgs, LeastSquares, LevenbergMarquardt, Newton, NewtonCg,
    Stopping,
};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Counts every byte.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What a run of one method at one n shows.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Median time of a step without its evaluations.
    pub seconds: f64,
    /// Most bytes above what was there before the run.
    pub bytes: usize,
    /// Median time per product, of a method that makes some.
    pub per_product: Option<f64>,
}

/// Time so far, the part of it spent in evaluations, products so far: one entry per step.
type Stamps = Arc<Mutex<Vec<(Instant, f64, u64)>>>;

struct Stopwatch {
    clock: Arc<Clock>,
    stamps: Stamps,
}

impl Observe<FitState> for Stopwatch {
    fn observe_iter(&mut self, _: &FitState, _: &KV) -> Result<(), Error> {
        let stamp = (Instant::now(), self.clock.seconds(), self.clock.products());
        self.stamps.lock().map_err(|_| Error::msg("a step panicked"))?.push(stamp);
        Ok(())
    }
}

/// The methods that are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contestant {
    Newton,
    LevenbergMarquardtQr,
    LevenbergMarquardtNormal,
    Bfgs,
    Lbfgs(usize),
    NewtonCg,
    Adam,
    GradientDescent,
}

impl Contestant {
    pub fn name(self) -> String {
        match self {
            Self::Newton => "Newton".into(),
            Self::LevenbergMarquardtQr => "Levenberg-Marquardt, QR".into(),
            Self::LevenbergMarquardtNormal => "Levenberg-Marquardt, normal equations".into(),
            Self::Bfgs => "BFGS".into(),
            Self::Lbfgs(memory) => format!("L-BFGS, m = {memory}"),
            Self::NewtonCg => "Newton-CG".into(),
            Self::Adam => "Adam".into(),
            Self::GradientDescent => "gradient descent".into(),
        }
    }

    /// Steps before the first that counts: a memory of m pairs is full then.
    fn warm_up(self) -> u64 {
        match self {
            Self::Lbfgs(memory) => memory as u64 + 1,
            Self::Bfgs | Self::Adam | Self::GradientDescent => 3,
            _ => 1,
        }
    }

    /// `steps` steps that count, at n parameters.
    pub fn run(self, n: usize, steps: u64) -> Result<Step, Box<dyn std::error::Error>> {
        let problem = Separable::new(n);
        let start = problem.start();
        let total = self.warm_up() + steps;
        let stopping =
            Stopping { gradient_tolerance: 0.0, max_iterations: total, ..Stopping::default() };
        let clock = problem.clock();
        let watch = || Stopwatch { clock: Arc::clone(&clock), stamps: Stamps::default() };
        let rate = 1e-3;
        let lm = |factorization| {
            LevenbergMarquardt::default()
                .with_factorization(factorization)
                .with_stopping(stopping.clone())
        };
        let residuals: &dyn LeastSquares = &problem;
        let (stamps, bytes) = match self {
            Self::Newton => {
                run(&problem, Newton::default().with_stopping(stopping), start, watch())
            }
            Self::LevenbergMarquardtQr => run(&residuals, lm(Factorization::Qr), start, watch()),
            Self::LevenbergMarquardtNormal => {
                run(&residuals, lm(Factorization::NormalEquations), start, watch())
            }
            Self::Bfgs => run(&problem, Bfgs::default().with_stopping(stopping), start, watch()),
            Self::Lbfgs(memory) => {
                let solver = Lbfgs::default().with_memory(memory).with_stopping(stopping);
                run(&problem, solver, start, watch())
            }
            Self::NewtonCg => {
                run(&problem, NewtonCg::default().with_stopping(stopping), start, watch())
            }
            Self::Adam => {
                let solver = Adam::default().with_rate(rate).with_stopping(stopping);
                run(&problem, solver, start, watch())
            }
            Self::GradientDescent => {
                let solver = GradientDescent::fixed(rate).with_stopping(stopping);
                run(&problem, solver, start, watch())
            }
        }?;
        self.summary(&stamps, bytes)
    }

    fn summary(
        self,
        stamps: &[(Instant, f64, u64)],
        bytes: usize,
    ) -> Result<Step, Box<dyn std::error::Error>> {
        let skipped = usize::try_from(self.warm_up())?.saturating_sub(1);
        let counted = stamps.get(skipped..).unwrap_or_default();
        let steps: Vec<(f64, u64)> = counted
            .windows(2)
            .map(|pair| {
                let [(begin, within, products), (end, within_after, products_after)] =
                    [pair[0], pair[1]];
                let step = (end - begin).as_secs_f64() - (within_after - within);
                (step, products_after - products)
            })
            .collect();
        if steps.is_empty() {
            return Err(format!("{}: the run ended in its first steps", self.name()).into());
        }
        let made: Vec<f64> = steps
            .iter()
            .filter(|(_, products)| *products > 0)
            .map(|(seconds, products)| seconds / *products as f64)
            .collect();
        Ok(Step {
            seconds: median(steps.iter().map(|(seconds, _)| *seconds).collect()),
            bytes,
            per_product: (!made.is_empty()).then(|| median(made)),
        })
    }
}

type Stamped = (Vec<(Instant, f64, u64)>, usize);

/// The stamps of a run and its peak memory.
fn run<P, S>(
    problem: &P,
    solver: S,
    start: Vec<f64>,
    watch: Stopwatch,
) -> Result<Stamped, Box<dyn std::error::Error>>
where
    P: ?Sized,
    S: for<'a> Solver<&'a P, FitState> + 'static,
{
    let stamps = Arc::clone(&watch.stamps);
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let executor = Executor::new(problem, solver)
        .ctrlc(false)
        .configure(|state: FitState| state.param(start))
        .add_observer(watch, ObserverMode::Always);
    executor.run().map_err(|error| error.to_string())?;
    let bytes = MEMORY.peak_usage().saturating_sub(before);
    let stamps = std::mem::take(&mut *stamps.lock().map_err(|_| "a step panicked")?);
    Ok((stamps, bytes))
}
