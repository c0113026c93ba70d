//! How a run goes on, shown to a person.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use secant_optim::argmin::core::observers::Observe;
use secant_optim::argmin::core::{Error, KV, State};
use secant_optim::{Progress, Report};
use std::fmt::{self, Write as _};
use std::io::{IsTerminal, Write};
use std::time::Instant;

/// The bar is so many steps long.
const STEPS: u64 = 1000;
/// Lines of a run that is not on a terminal come at iterations that grow by this factor …
const GROWTH: f64 = 1.5;
/// … and no more often than this many seconds apart, but for the first.
const APART: f64 = 1.0;

/// A line about a run on standard error: method, iteration, value, ‖∇f‖, iterations per second, what is left of a limit, and a bar that
/// fills as ‖∇f‖ falls towards its tolerance on a log scale, or as a limit is used up. On a terminal it moves; elsewhere a plain line comes
/// at growing intervals. [`Fit::progress`](crate::Fit::progress) uses it; for other runs it is an observer:
///
/// ```
/// use secant::{Lbfgs, ProgressLine, Watch, minimize_watched};
/// use std::ops::ControlFlow;
/// # use secant::Objective;
/// # struct Bowl;
/// # impl Objective for Bowl {
/// #     fn dim(&self) -> usize { 1 }
/// #     fn value(&self, x: &[f64]) -> f64 { x[0] * x[0] }
/// #     fn value_gradient(&self, x: &[f64], g: &mut [f64]) -> f64 { g[0] = 2.0 * x[0]; x[0] * x[0] }
/// # }
/// let mut line = ProgressLine::new(1);
/// let mut watch = Watch::new().observe(|progress| {
///     line.show(progress);
///     ControlFlow::Continue(())
/// });
/// let solution = minimize_watched(&Bowl, Lbfgs::default(), &[3.0], &mut watch)?;
/// # Ok::<(), secant::optim::OptimError>(())
/// ```
///
/// argmin's `Executor` takes it for any of its solvers, as an `Observe`: `.add_observer(ProgressLine::new(1), ObserverMode::Always)`. Such a
/// state knows no gradient, and the bar is that of the limit of iterations.
pub struct ProgressLine {
    target: Target,
    /// Runs that are shown in turn.
    starts: usize,
    /// How far the bar is, of each run the farthest.
    filled: f64,
    run: usize,
    /// The next plain line, in iterations and seconds.
    next: (f64, f64),
    clock: Instant,
    name: String,
}

enum Target {
    Terminal(ProgressBar),
    Lines(Box<dyn Write + Send>),
}

impl fmt::Debug for ProgressLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terminal = matches!(self.target, Target::Terminal(_));
        f.debug_struct("ProgressLine").field("terminal", &terminal).finish_non_exhaustive()
    }
}

/// What a line says.
struct Shown<'a> {
    solver: &'a str,
    start: usize,
    iteration: u64,
    value: f64,
    gradient_norm: Option<f64>,
    held_out: Option<f64>,
    seconds: f64,
    /// Of the way.
    filled: f64,
    /// Seconds left, where a limit gives them.
    left: Option<f64>,
}

impl ProgressLine {
    /// On standard error, for so many runs (1, or the [`starts`](crate::Fit::starts) of a fit).
    pub fn new(runs: usize) -> Self {
        if std::io::stderr().is_terminal() {
            Self::on(ProgressDrawTarget::stderr(), runs)
        } else {
            Self::lines(Box::new(std::io::stderr()), runs)
        }
    }

    /// A moving line on this target of `indicatif`'s.
    pub fn on(target: ProgressDrawTarget, runs: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(STEPS), target);
        // A fixed text: it is no error.
        if let Ok(style) = ProgressStyle::with_template("{prefix} [{bar:24}] {wide_msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        Self::of(Target::Terminal(bar), runs)
    }

    /// Plain lines into `writer`, whatever that is. What it refuses is lost: a run does not end for its progress.
    pub fn lines(writer: Box<dyn Write + Send>, runs: usize) -> Self {
        Self::of(Target::Lines(writer), runs)
    }

    fn of(target: Target, starts: usize) -> Self {
        let (filled, run, next) = (0.0, 0, (0.0, 0.0));
        Self { target, starts, filled, run, next, clock: Instant::now(), name: String::new() }
    }

    /// Shows where a run stands.
    pub fn show(&mut self, progress: &Progress<'_>) {
        let (goal, first) = (progress.gradient_goal, progress.initial_gradient_norm);
        let fallen = (first / progress.gradient_norm).ln() / (first / goal).ln();
        let iterations = progress.iteration as f64 / progress.max_iterations as f64;
        let time = progress.max_seconds.map_or(0.0, |most| progress.seconds / most);
        let filled = [fallen, iterations, time].into_iter().filter(|part| part.is_finite());
        self.put(&Shown {
            solver: progress.solver,
            start: progress.start,
            iteration: progress.iteration,
            value: progress.value,
            gradient_norm: Some(progress.gradient_norm),
            held_out: progress.validation.map(|held_out| held_out.loss),
            seconds: progress.seconds,
            filled: filled.fold(0.0, f64::max),
            left: left(progress),
        });
    }

    /// The last line.
    pub fn finish(&mut self, report: &Report) {
        self.end(&format!(
            "{}: {}, {} iterations in {:.1} s, value {:.6e}",
            report.solver, report.reason, report.iterations, report.seconds, report.value
        ));
    }

    fn put(&mut self, shown: &Shown<'_>) {
        if shown.start != self.run || shown.iteration == 0 {
            (self.run, self.filled, self.next) = (shown.start, 0.0, (0.0, 0.0));
        }
        self.filled = self.filled.max(shown.filled.clamp(0.0, 1.0));
        let text = shown.text(self.starts);
        match &mut self.target {
            Target::Terminal(bar) => {
                bar.set_prefix(shown.solver.to_owned());
                bar.set_position(part_of(STEPS, self.filled));
                bar.set_message(text);
            }
            Target::Lines(writer) => {
                let (iteration, seconds) = self.next;
                if shown.iteration as f64 >= iteration && shown.seconds >= seconds {
                    let grown = (shown.iteration as f64 * GROWTH).max(shown.iteration as f64 + 1.0);
                    self.next = (grown, shown.seconds + APART);
                    let _ = writeln!(writer, "{}: {text}", shown.solver);
                }
            }
        }
    }

    fn end(&mut self, text: &str) {
        match &mut self.target {
            Target::Terminal(bar) => {
                bar.finish_and_clear();
                bar.println(text);
            }
            Target::Lines(writer) => {
                let _ = writeln!(writer, "{text}");
                let _ = writer.flush();
            }
        }
    }
}

impl Shown<'_> {
    fn text(&self, starts: usize) -> String {
        let mut text = String::new();
        if starts > 1 {
            let _ = write!(text, "start {} of {starts}, ", self.start + 1);
        }
        let _ = write!(text, "iteration {}, value {:.6e}", self.iteration, self.value);
        if let Some(norm) = self.gradient_norm {
            let _ = write!(text, ", |gradient| {norm:.1e}");
        }
        if let Some(loss) = self.held_out {
            let _ = write!(text, ", held out {loss:.4e}");
        }
        if self.seconds > 0.0 && self.iteration > 0 {
            let _ = write!(text, ", {:.3} it/s", self.iteration as f64 / self.seconds);
        }
        if let Some(left) = self.left {
            let _ = write!(text, ", at most {left:.0} s left");
        }
        text
    }
}

/// What the limits leave, in seconds: none where there is none, or no iteration yet to go by.
fn left(progress: &Progress<'_>) -> Option<f64> {
    let by_time = progress.max_seconds.map(|most| (most - progress.seconds).max(0.0));
    let done = progress.iteration as f64;
    let limited = progress.iteration > 0 && progress.max_iterations < DEFAULT_LIMIT;
    let by_iterations =
        limited.then(|| progress.seconds / done * (progress.max_iterations as f64 - done));
    match (by_time, by_iterations) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// A limit of iterations from here on is nobody's wish.
const DEFAULT_LIMIT: u64 = secant_optim::stopping::MAX_ITERATIONS;

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 ≤ part ≤ 1")]
fn part_of(steps: u64, part: f64) -> u64 {
    (steps as f64 * part) as u64
}

impl ProgressLine {
    fn put_state<I: State<Float = f64>>(&mut self, state: &I, iteration: u64) {
        let solver = std::mem::take(&mut self.name);
        self.put(&Shown {
            solver: &solver,
            start: 0,
            iteration,
            value: state.get_cost(),
            gradient_norm: None,
            held_out: None,
            seconds: self.clock.elapsed().as_secs_f64(),
            filled: iteration as f64 / state.get_max_iters() as f64,
            left: None,
        });
        self.name = solver;
    }
}

impl<I: State<Float = f64>> Observe<I> for ProgressLine {
    fn observe_init(&mut self, name: &str, state: &I, _: &KV) -> Result<(), Error> {
        name.clone_into(&mut self.name);
        self.clock = Instant::now();
        self.put_state(state, 0);
        Ok(())
    }

    fn observe_iter(&mut self, state: &I, _: &KV) -> Result<(), Error> {
        // It is counted after it was observed.
        self.put_state(state, state.get_iter() + 1);
        Ok(())
    }

    fn observe_final(&mut self, state: &I) -> Result<(), Error> {
        let text = format!(
            "{}: {} iterations in {:.1} s, value {:.6e}",
            self.name,
            state.get_iter(),
            self.clock.elapsed().as_secs_f64(),
            state.get_best_cost()
        );
        self.end(&text);
        Ok(())
    }
}
