//! One problem, Auto and every sensible single method: times and minima, as a row of the table.

use crate::name::{Half, Name};
use crate::summary::{self, Line};
use secant::optim::{OptimError, Preconditioner, Reason, Update};
use secant::problem::{Curvature, Form, Structure};
use secant::{
    AdaptiveCubic, Bfgs, GaussNewton, Lbfgs, LevenbergMarquardt, Method, Newton, NewtonCg,
    NonlinearCg, RegularizedNewton, Report, Sr1, Stopping, Subproblem, TrustRegion,
    VariableProjection,
};
use std::time::{Duration, Instant};

/// ‖∇f‖∞ falls by this for every method, `Auto` too, so that times are those of one accuracy. The methods' own defaults differ.
const GRADIENT_TOLERANCE: f64 = 1e-10;
/// No method gets more time than this,
const MOST_SECONDS: f64 = 20.0;
/// and none beside Auto more than this times Auto's, or the least: it is not the fastest.
const MOST_RATIO: f64 = 2.0;
const LEAST_SECONDS: f64 = 0.5;
/// Runs up to these seconds are repeated this often; a time is the median.
const REPEATS: [(f64, usize); 3] = [(2e-3, 15), (0.1, 5), (1.0, 3)];
/// A run that took longer than the first of these and this times Auto's time is not repeated.
const REPEATED_RATIO: f64 = 2.5;
/// Two minima are one when they differ by less than this, relative to the lower one and to f(θ₀).
const SAME_RELATIVE: f64 = 1e-6;
const SAME_START: f64 = 1e-12;
/// Largest n for methods with matrices, for half a matrix that is updated, and for those with eigenvalues.
const MOST_DENSE: usize = 2_500;
const MOST_UPDATED: usize = 10_000;
const MOST_EIGEN: usize = 300;
/// Pairs of the other L-BFGS, and the least n for it.
const MANY_PAIRS: usize = 200;
const LEAST_MANY: usize = 300;
/// Largest n·n·m for Levenberg–Marquardt and Gauss–Newton.
const MOST_NORMAL: f64 = 3e10;

struct Run {
    name: &'static str,
    report: Report,
    seconds: f64,
}

/// All rows so far.
pub struct Table {
    json: bool,
    only: Option<String>,
    half: Option<Half>,
    lines: Vec<Line>,
}

impl Table {
    pub fn new(json: bool, only: Option<String>, half: Option<Half>) -> Self {
        if !json {
            println!(
                "{:<44} {:<6} {:>6} {:>7} {:<32} {:>23} {:>9} | {:<12} {:>9} {:>6}",
                "set", "half", "n", "m", "Auto", "value", "seconds", "fastest", "seconds", "ratio"
            );
        }
        Self { json, only, half, lines: Vec::new() }
    }

    /// Whether a problem of this name is asked for.
    pub fn wants(&self, name: &Name) -> bool {
        self.half.is_none_or(|half| half == name.half())
            && self.only.as_ref().is_none_or(|only| name.to_string().contains(only.as_str()))
    }

    /// Runs and prints one problem.
    ///
    /// # Errors
    /// A method refuses the start: a mistake here.
    pub fn compare<P: Curvature>(
        &mut self,
        name: Name,
        problem: &P,
        start: &[f64],
    ) -> Result<(), OptimError> {
        let view = problem.as_least_squares();
        let m = view.as_ref().map_or(0, |view| view.residual_len());
        let linear = view.is_some_and(|view| !view.linear_parameters().is_empty());
        let structure = Structure::of(problem);
        // Memory is touched before anybody's clock runs.
        problem.linearize(start);
        let auto = run("auto", &Method::auto(), problem, start, None)?;
        let mut runs = Vec::new();
        for (method_name, method) in methods(start.len(), m, linear, structure.uneven_diagonal) {
            runs.push(run(method_name, &method, problem, start, Some(auto.seconds))?);
        }
        let reached = |run: &Run, value: f64| {
            let scale = SAME_RELATIVE * value.abs() + SAME_START * run.report.initial_value.abs();
            // Written so that NaN has not.
            run.report.value <= value + scale
        };
        let same_level = runs.iter().filter(|run| reached(run, auto.report.value));
        let fastest = same_level.min_by(|a, b| a.seconds.total_cmp(&b.seconds));
        let ended = runs.iter().filter(|run| run.report.reason != Reason::MaxTime);
        let mut values: Vec<f64> = ended.map(|run| run.report.value).collect();
        values.sort_by(f64::total_cmp);
        let lowest = runs.iter().map(|run| run.report.value).fold(f64::INFINITY, f64::min);
        let median = values.get(values.len() / 2).copied().unwrap_or(lowest);
        let above = |value: f64| (!reached(&auto, value)).then_some((auto.report.value, value));
        let ratio = fastest.map(|fastest| auto.seconds / fastest.seconds);
        let (half, kind) = (name.half().word(), name.kind.words());
        if self.json {
            let methods: Vec<_> = runs
                .iter()
                .map(|run| {
                    serde_json::json!({
                        "method": run.name, "value": run.report.value, "seconds": run.seconds,
                        "reason": format!("{:?}", run.report.reason),
                        "evaluations": run.report.evaluations.of_f(),
                        "iterations": run.report.iterations,
                        "products": run.report.evaluations.hessian_vector,
                    })
                })
                .collect();
            let advised: Vec<_> = Method::advise(problem)?
                .into_iter()
                .map(|advice| {
                    serde_json::json!({
                        "method": advice.method.name(), "iterations": advice.iterations,
                        "seconds": advice.iterations * advice.seconds_per_iteration,
                    })
                })
                .collect();
            let line = serde_json::json!({
                "set": name.to_string(), "kind": kind, "half": half, "parameters": start.len(), "residuals": m,
                "auto": auto.report.solver, "value": auto.report.value, "seconds": auto.seconds,
                "evaluations": auto.report.evaluations.of_f(), "iterations": auto.report.iterations,
                "reason": format!("{:?}", auto.report.reason), "fastest": fastest.map(|run| run.name),
                "ratio": ratio, "median_value": median, "lowest_value": lowest, "methods": methods,
                "advised": advised,
            });
            println!("{line}");
        } else {
            let (fastest, seconds) =
                fastest.map_or(("none", f64::NAN), |run| (run.name, run.seconds));
            println!(
                "{name:<44} {half:<6} {:>6} {m:>7} {:<32} {:>23.16e} {:>9.2e} | {fastest:<12} {seconds:>9.2e} {:>6.2}",
                start.len(),
                auto.report.solver.trim_start_matches("Auto: "),
                auto.report.value,
                auto.seconds,
                ratio.unwrap_or(f64::NAN),
            );
        }
        self.lines.push(Line {
            seconds: auto.seconds,
            ratio,
            convex: structure.form != Form::General,
            above_median: above(median),
            above_lowest: above(lowest),
            name,
        });
        Ok(())
    }

    /// The figures of both halves.
    pub fn summary(&self) {
        summary::print(&self.lines, self.json);
    }
}

/// Every method that makes sense for n parameters and m residuals, with a part of the parameters `linear` or not; with the diagonal of
/// the Hessian where it is `uneven`.
fn methods(n: usize, m: usize, linear: bool, uneven: bool) -> Vec<(&'static str, Method)> {
    let region = |subproblem| Method::from(TrustRegion::default().with_subproblem(subproblem));
    let mut methods: Vec<(&'static str, Method)> = vec![
        ("lbfgs", Lbfgs::default().into()),
        ("newton_cg", NewtonCg::default().into()),
        ("tr_gltr", region(Subproblem::Gltr)),
        ("arc", AdaptiveCubic::default().into()),
        ("cg", NonlinearCg::default().into()),
    ];
    if n >= LEAST_MANY {
        methods.push(("lbfgs_200", Lbfgs::default().with_memory(MANY_PAIRS).into()));
    }
    if uneven {
        let solver = NewtonCg::default().with_preconditioner(Preconditioner::Jacobi);
        methods.push(("newton_cg_jacobi", solver.into()));
    }
    if n <= MOST_UPDATED {
        methods.push(("ss_broyden", Bfgs::default().with_update(Update::SelfScaledBroyden).into()));
    }
    if n <= MOST_DENSE {
        methods.push(("newton", Newton::default().into()));
        methods.push(("reg_newton", RegularizedNewton::default().into()));
        methods.push(("bfgs", Bfgs::default().into()));
        methods.push(("sr1", Sr1::default().into()));
    }
    if n <= MOST_EIGEN {
        methods.push(("tr_exact", region(Subproblem::Exact)));
        methods.push(("tr_scaled", region(Subproblem::ScaledExact)));
    }
    if m > 0 && (n as f64).powi(2) * m as f64 <= MOST_NORMAL {
        methods.push(("lm", LevenbergMarquardt::default().into()));
        methods.push(("gauss_newton", GaussNewton::default().into()));
        if linear {
            methods.push(("varpro", VariableProjection::default().into()));
        }
    }
    methods
}

/// `beside`: Auto's time, for the others.
fn run<P: Curvature>(
    name: &'static str,
    method: &Method,
    problem: &P,
    start: &[f64],
    beside: Option<f64>,
) -> Result<Run, OptimError> {
    let most =
        beside.map_or(MOST_SECONDS, |auto| (MOST_RATIO * auto).clamp(LEAST_SECONDS, MOST_SECONDS));
    let max_time = Some(Duration::from_secs_f64(most));
    let gradient_tolerance = GRADIENT_TOLERANCE;
    let stopping = Stopping { max_time, gradient_tolerance, ..method.stopping().clone() };
    let once = || {
        let clock = Instant::now();
        let solution = method.clone().with_stopping(stopping.clone()).minimize(problem, start)?;
        Ok((solution.report, clock.elapsed().as_secs_f64()))
    };
    let (report, first) = once()?;
    let near = first <= REPEATED_RATIO * beside.unwrap_or(first).max(REPEATS[0].0);
    let repeats = REPEATS.iter().find(|(most, _)| near && first <= *most);
    let mut seconds = Vec::new();
    for _ in 0..repeats.map_or(0, |(_, times)| *times) {
        seconds.push(once()?.1);
    }
    seconds.sort_by(f64::total_cmp);
    let seconds = seconds.get(seconds.len() / 2).copied().unwrap_or(first);
    Ok(Run { name, report, seconds })
}
