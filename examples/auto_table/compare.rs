//! One problem, Auto and every sensible single method: times and minima, as a row of the table.

use secant::optim::{OptimError, Update};
use secant::{
    AdaptiveCubic, Bfgs, Curvature, GaussNewton, Lbfgs, LevenbergMarquardt, Method, Newton,
    NewtonCg, NonlinearCg, RegularizedNewton, Report, Sr1, Stopping, Subproblem, TrustRegion,
    VariableProjection,
};
use std::time::{Duration, Instant};

/// ‖∇f‖∞ falls by this for every method, `Auto` too, so that times are those of one accuracy. The methods' own defaults differ.
const GRADIENT_TOLERANCE: f64 = 1e-10;
/// No single method gets more time than this.
const MOST_SECONDS: u64 = 20;
/// Runs up to these seconds are repeated this often; a time is the median.
const REPEATS: [(f64, usize); 3] = [(2e-3, 15), (0.1, 5), (1.0, 3)];
/// Two minima are one when they differ by less than this, relative to the lower one and to f(θ₀).
const SAME_RELATIVE: f64 = 1e-6;
const SAME_START: f64 = 1e-12;
/// Largest n for methods with matrices, and for those with eigenvalues.
const MOST_DENSE: usize = 2_500;
const MOST_EIGEN: usize = 300;
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
    ratios: Vec<(String, f64)>,
    above: Vec<String>,
    not_lowest: Vec<String>,
}

impl Table {
    pub fn new(json: bool, only: Option<String>) -> Self {
        if !json {
            println!(
                "{:<34} {:>6} {:>7} {:<32} {:>23} {:>9} | {:<12} {:>9} {:>6}",
                "set", "n", "m", "Auto", "value", "seconds", "fastest", "seconds", "ratio"
            );
        }
        Self { json, only, ratios: Vec::new(), above: Vec::new(), not_lowest: Vec::new() }
    }

    /// Whether a set of this name is asked for.
    pub fn wants(&self, set: &str) -> bool {
        self.only.as_ref().is_none_or(|only| set.contains(only.as_str()))
    }

    /// Runs and prints one problem.
    ///
    /// # Errors
    /// A method refuses the start: a mistake here.
    pub fn compare<P: Curvature>(
        &mut self,
        set: &str,
        problem: &P,
        start: &[f64],
    ) -> Result<(), OptimError> {
        let view = problem.as_least_squares();
        let m = view.as_ref().map_or(0, |view| view.residual_len());
        let linear = view.is_some_and(|view| !view.linear_parameters().is_empty());
        let auto = run("auto", &Method::auto(), problem, start)?;
        let mut runs = Vec::new();
        for (name, method) in methods(start.len(), m, linear) {
            runs.push(run(name, &method, problem, start)?);
        }
        let reached = |run: &Run, value: f64| {
            let scale = SAME_RELATIVE * value.abs() + SAME_START * run.report.initial_value.abs();
            // Written so that NaN has not.
            run.report.value <= value + scale
        };
        let same_level = runs.iter().filter(|run| reached(run, auto.report.value));
        let fastest = same_level.min_by(|a, b| a.seconds.total_cmp(&b.seconds));
        let mut values: Vec<f64> = runs.iter().map(|run| run.report.value).collect();
        values.sort_by(f64::total_cmp);
        let (lowest, median) = (values[0], values[values.len() / 2]);
        if !reached(&auto, median) {
            self.above.push(format!("{set}: {:e}, the median {median:e}", auto.report.value));
        }
        if !reached(&auto, lowest) {
            self.not_lowest.push(format!("{set}: {:e}, the lowest {lowest:e}", auto.report.value));
        }
        let ratio = fastest.map(|fastest| auto.seconds / fastest.seconds);
        if let Some(ratio) = ratio {
            self.ratios.push((set.to_owned(), ratio));
        }
        if self.json {
            let methods: Vec<_> = runs
                .iter()
                .map(|run| {
                    serde_json::json!({
                        "method": run.name, "value": run.report.value, "seconds": run.seconds,
                        "reason": format!("{:?}", run.report.reason),
                        "evaluations": run.report.evaluations.of_f(),
                        "iterations": run.report.iterations,
                    })
                })
                .collect();
            let line = serde_json::json!({
                "set": set, "parameters": start.len(), "residuals": m, "auto": auto.report.solver,
                "value": auto.report.value, "seconds": auto.seconds,
                "reason": format!("{:?}", auto.report.reason), "fastest": fastest.map(|run| run.name),
                "ratio": ratio, "median_value": median, "lowest_value": lowest, "methods": methods,
            });
            println!("{line}");
        } else {
            let (name, seconds) = fastest.map_or(("none", f64::NAN), |run| (run.name, run.seconds));
            println!(
                "{set:<34} {:>6} {m:>7} {:<32} {:>23.16e} {:>9.2e} | {name:<12} {seconds:>9.2e} {:>6.2}",
                start.len(),
                auto.report.solver.trim_start_matches("Auto: "),
                auto.report.value,
                auto.seconds,
                ratio.unwrap_or(f64::NAN),
            );
        }
        Ok(())
    }

    /// The largest ratio, and where Auto ended too high.
    pub fn summary(&mut self) {
        self.ratios.sort_by(|a, b| b.1.total_cmp(&a.1));
        let over: Vec<String> = self
            .ratios
            .iter()
            .filter(|(_, ratio)| *ratio > 2.0)
            .map(|(set, ratio)| format!("{set} {ratio:.2}"))
            .collect();
        let largest = self.ratios.first().map_or(f64::NAN, |(_, ratio)| *ratio);
        let middle = self.ratios.get(self.ratios.len() / 2).map_or(f64::NAN, |(_, ratio)| *ratio);
        if self.json {
            let line = serde_json::json!({
                "sets": self.ratios.len(), "largest_ratio": largest, "median_ratio": middle,
                "over_two": over, "above_median": self.above, "not_lowest": self.not_lowest,
            });
            return println!("{line}");
        }
        println!(
            "\n{} problems; ratio: largest {largest:.2}, median {middle:.2}",
            self.ratios.len()
        );
        println!("over 2 × the fastest: {}", listed(&over));
        println!("above the median method's minimum: {}", listed(&self.above));
        println!("above the lowest minimum of any method: {}", listed(&self.not_lowest));
    }
}

fn listed(lines: &[String]) -> String {
    if lines.is_empty() {
        "none".into()
    } else {
        format!("{}\n  {}", lines.len(), lines.join("\n  "))
    }
}

/// Every method that makes sense for n parameters and m residuals, with a part of the parameters `linear` or not.
fn methods(n: usize, m: usize, linear: bool) -> Vec<(&'static str, Method)> {
    let region = |subproblem| Method::from(TrustRegion::default().with_subproblem(subproblem));
    let mut methods: Vec<(&'static str, Method)> = vec![
        ("lbfgs", Lbfgs::default().into()),
        ("newton_cg", NewtonCg::default().into()),
        ("tr_gltr", region(Subproblem::Gltr)),
        ("arc", AdaptiveCubic::default().into()),
        ("cg", NonlinearCg::default().into()),
    ];
    if n <= MOST_DENSE {
        methods.push(("newton", Newton::default().into()));
        methods.push(("reg_newton", RegularizedNewton::default().into()));
        methods.push(("bfgs", Bfgs::default().into()));
        methods.push(("ss_broyden", Bfgs::default().with_update(Update::SelfScaledBroyden).into()));
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

fn run<P: Curvature>(
    name: &'static str,
    method: &Method,
    problem: &P,
    start: &[f64],
) -> Result<Run, OptimError> {
    let max_time = Some(Duration::from_secs(MOST_SECONDS));
    let gradient_tolerance = GRADIENT_TOLERANCE;
    let stopping = Stopping { max_time, gradient_tolerance, ..method.stopping().clone() };
    let once = || {
        let clock = Instant::now();
        let solution = method.clone().with_stopping(stopping.clone()).minimize(problem, start)?;
        Ok((solution.report, clock.elapsed().as_secs_f64()))
    };
    let (report, first) = once()?;
    let repeats = REPEATS.iter().find(|(most, _)| first <= *most).map_or(0, |(_, times)| *times);
    let mut seconds = Vec::new();
    for _ in 0..repeats {
        seconds.push(once()?.1);
    }
    seconds.sort_by(f64::total_cmp);
    let seconds = seconds.get(seconds.len() / 2).copied().unwrap_or(first);
    Ok(Run { name, report, seconds })
}
