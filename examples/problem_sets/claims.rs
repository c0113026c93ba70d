//! Does a report say "converged" only where it is? Every method that sees curvature, exact or learned, with default options.
//!
//! From where a run ends Newton's method and trust regions go on in extended care: from the end itself, without tolerances, in
//! several scalings. A claim of success is true when none of them lowers f by 1e-6 of itself, or of what residuals at the rounding of the
//! data would give. Where nothing is claimed, `claim_true` is null.

use crate::mgh::problems::PROBLEMS;
use crate::{models, nist};
use secant::optim::{HessianKind, Modification, OptimError, Scaling, SecondOrder, Update};
use secant::{
    Activation, AdaptiveCubic, Bfgs, BoundedLevenbergMarquardt, Curvature, Dataset, GaussNewton,
    Lbfgs, LbfgsB, LevenbergMarquardt, Method, Network, Newton, NewtonCg, NonlinearCg, Objective,
    Poisson, RegularizedNewton, Ridge, Risk, SoftmaxCrossEntropy, SquaredError, Sr1, Standardizer,
    Stopping, Subproblem, Tron, TrustRegion, VariableProjection,
};
use serde::Serialize;
use std::error::Error;
use std::path::Path;

/// A claim of success is false when f can be lowered by more than this part.
const LEFT: f64 = 1e-6;
/// The floor of a value, in parts of the data's (½‖y‖², or f at the published start): what is less than [`LEFT`] of it is zero, residuals of
/// 1e-9.
const ZERO: f64 = 1e-12;
/// Iterations of the careful methods.
const CARE: u64 = 100;

#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the lines are read by other programs")]
struct Claim {
    set: String,
    start: String,
    method: &'static str,
    reason: String,
    value: f64,
    /// What the careful methods took off the value, relative to it or to the floor.
    decrease_left: f64,
    claim_true: Option<bool>,
    /// Within 1e-6 of the lowest value that any method here reached.
    solved: bool,
    evaluations: u64,
    iterations: u64,
    floor: f64,
}

fn methods() -> Vec<(&'static str, Method)> {
    let region = |subproblem| Method::from(TrustRegion::default().with_subproblem(subproblem));
    let broyden = |update| Method::from(Bfgs::default().with_update(update));
    let marquardt = |scaling| Method::from(LevenbergMarquardt::default().with_scaling(scaling));
    vec![
        ("auto", Method::auto()),
        ("newton", Newton::default().into()),
        ("newton_turned", Newton::default().with_modification(Modification::TurnedSigns).into()),
        ("newton_gn", Newton::default().with_curvature(HessianKind::GaussNewton).into()),
        ("regularized", RegularizedNewton::default().into()),
        ("newton_cg", NewtonCg::default().into()),
        ("tr_gltr", region(Subproblem::Gltr)),
        ("tr_steihaug", region(Subproblem::Steihaug)),
        ("tr_exact", region(Subproblem::Exact)),
        ("tr_scaled", region(Subproblem::ScaledExact)),
        ("tr_dogleg", region(Subproblem::Dogleg)),
        ("arc", AdaptiveCubic::default().into()),
        ("tron", Tron::default().into()),
        ("gauss_newton", GaussNewton::default().into()),
        ("lm", LevenbergMarquardt::default().into()),
        ("lm_marquardt", marquardt(Scaling::Marquardt)),
        ("lm_identity", marquardt(Scaling::Identity)),
        (
            "lm_secant",
            LevenbergMarquardt::default().with_second_order(SecondOrder::Structured).into(),
        ),
        ("bounded_lm", BoundedLevenbergMarquardt::default().into()),
        ("varpro", VariableProjection::default().into()),
        ("bfgs", broyden(Update::Bfgs)),
        ("ss_bfgs", broyden(Update::SelfScaledBfgs)),
        ("ss_broyden", broyden(Update::SelfScaledBroyden)),
        ("sr1", Sr1::default().into()),
        ("lbfgs", Lbfgs::default().into()),
        ("lbfgsb", LbfgsB::default().into()),
        ("nonlinear_cg", NonlinearCg::default().into()),
    ]
}

/// How far below f(θ) Newton's method and trust regions get from θ.
fn lowest_below<P: Curvature>(problem: &P, theta: &[f64]) -> f64 {
    let stopping =
        Stopping { gradient_tolerance: 0.0, max_iterations: CARE, ..Stopping::default() };
    let region = |subproblem| Method::from(TrustRegion::default().with_subproblem(subproblem));
    let mut careful = vec![
        region(Subproblem::ScaledExact),
        region(Subproblem::Exact),
        Newton::default().into(),
        Newton::default().with_modification(Modification::TurnedSigns).into(),
    ];
    if problem.as_least_squares().is_some() {
        careful.push(LevenbergMarquardt::default().into());
        careful.push(LevenbergMarquardt::default().with_scaling(Scaling::Marquardt).into());
    }
    careful
        .into_iter()
        .filter_map(|method| method.with_stopping(stopping.clone()).minimize(problem, theta).ok())
        .map(|solution| solution.report.value)
        .fold(f64::INFINITY, f64::min)
}

/// Every method on one problem from one start; `zero` is the size below which f is zero.
fn claims<P: Curvature>(
    (set, start): (&str, &str),
    problem: &P,
    theta: &[f64],
    zero: f64,
) -> Vec<Claim> {
    let view = problem.as_least_squares();
    let linear = view.as_ref().is_some_and(|view| !view.linear_parameters().is_empty());
    let mut claims: Vec<Claim> = Vec::new();
    for (name, method) in methods() {
        let residuals = matches!(
            method,
            Method::LevenbergMarquardt(_)
                | Method::GaussNewton(_)
                | Method::VariableProjection(_)
                | Method::BoundedLevenbergMarquardt(_)
        );
        let projected = matches!(method, Method::VariableProjection(_));
        if (residuals && view.is_none()) || (projected && !linear) {
            continue;
        }
        let solution = match method.minimize(problem, theta) {
            Ok(solution) => solution,
            Err(OptimError::NoSecondOrder { .. }) => continue,
            Err(error) => {
                eprintln!("{set}, {start}, {name}: {error}");
                continue;
            }
        };
        let report = solution.report;
        let value = report.value;
        let below = (value - lowest_below(problem, &solution.theta)).max(0.0);
        let decrease_left = below / value.abs().max(zero);
        claims.push(Claim {
            set: set.to_owned(),
            start: start.to_owned(),
            method: name,
            reason: format!("{:?}", report.reason),
            value,
            decrease_left,
            // Written so that NaN is no truth.
            claim_true: report.reason.is_success().then_some(decrease_left < LEFT),
            solved: false,
            evaluations: report.evaluations.of_f(),
            iterations: report.iterations,
            floor: zero,
        });
    }
    let lowest = claims.iter().map(|claim| claim.value).fold(f64::INFINITY, f64::min);
    for claim in &mut claims {
        claim.solved = claim.value - lowest <= LEFT * lowest.abs().max(zero);
    }
    claims
}

/// NIST from both starts, Moré–Garbow–Hillstrom from x₀, 10·x₀ and 100·x₀, and the shipped tables.
///
/// # Errors
/// A file cannot be read.
pub fn run(folder: &Path, json: bool, only: Option<&str>) -> Result<(), Box<dyn Error>> {
    let mut all = Vec::new();
    let mut show = |claims: Vec<Claim>| -> Result<(), Box<dyn Error>> {
        for claim in &claims {
            let is_false = claim.claim_true == Some(false);
            if json {
                println!("{}", serde_json::to_string(claim)?);
            } else if is_false {
                println!(
                    "{:<22} {:<8} {:<14} {:<18} {:>14.7e} {:>9.1e}",
                    claim.set,
                    claim.start,
                    claim.method,
                    claim.reason,
                    claim.value,
                    claim.decrease_left
                );
            }
        }
        all.extend(claims);
        Ok(())
    };
    if !json {
        println!(
            "{:<22} {:<8} {:<14} {:<18} {:>14} {:>9}",
            "false claims", "start", "method", "reason", "value", "left"
        );
    }
    let wants = |name: &str| only.is_none_or(|only| name.contains(only));
    for set in nist::sets(&folder.join("nist-strd"))? {
        let Some(model) = models::model(&set.name) else { continue };
        if !wants(&set.name) {
            continue;
        }
        let problem = nist::problem(&set, model);
        let data = 0.5 * set.y.iter().map(|y| y * y).sum::<f64>();
        for (start, theta) in ["1", "2"].into_iter().zip(&set.starts) {
            show(claims((&set.name, start), &problem, theta, ZERO * data))?;
        }
    }
    for problem in PROBLEMS {
        if !wants(problem.id) {
            continue;
        }
        let start = problem.start();
        let data = problem.value(&start);
        for (name, factor) in [("x0", 1.0), ("10 x0", 10.0), ("100 x0", 100.0)] {
            let theta: Vec<f64> = start.iter().map(|x| factor * x).collect();
            let repeated = factor > 1.0 && theta.iter().all(|x| *x == 0.0);
            if repeated || !problem.value(&theta).is_finite() {
                continue;
            }
            show(claims((problem.id, name), problem, &theta, ZERO * data))?;
        }
    }
    for claims in shipped(&wants)? {
        show(claims)?;
    }
    if !json {
        summary(&all);
    }
    Ok(())
}

/// Generalised linear models and small networks on the tables of this repository, from zeros and from seed 7.
fn shipped(wants: &impl Fn(&str) -> bool) -> Result<Vec<Vec<Claim>>, Box<dyn Error>> {
    let path = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name);
    let mut found = Vec::new();
    let mut add = |name: &str, risk: &Risk<'_>, start: &[f64]| {
        let zero = ZERO * risk.value(start);
        found.push(claims((name, "seed 7"), risk, start, zero));
    };
    for (name, ridge) in [("diabetes", 0.0), ("concrete", 1e-3), ("energy", 1e-6), ("yacht", 0.0)] {
        let label = format!("linear {name}");
        if wants(&label) {
            let raw = Dataset::from_csv(path(&format!("{name}.csv")), "target")?;
            let data = Standardizer::fit_inputs(&raw).transform_inputs(&raw)?;
            let network = Network::linear(data.features(), 1);
            let risk = Risk::new(network.graph()?, &data, SquaredError, Ridge(ridge))?;
            add(&label, &risk, &vec![0.0; risk.dim()]);
        }
    }
    for (name, ridge) in [("iris", 1e-3), ("wine", 1e-6), ("breast_cancer", 1e-3)] {
        let label = format!("softmax {name}");
        if wants(&label) {
            let raw = Dataset::from_csv_labels(path(&format!("{name}.csv")), "target")?;
            let data = Standardizer::fit_inputs(&raw).transform_inputs(&raw)?;
            let network = Network::linear(data.features(), data.targets().outputs());
            let risk = Risk::new(network.graph()?, &data, SoftmaxCrossEntropy, Ridge(ridge))?;
            add(&label, &risk, &vec![0.0; risk.dim()]);
        }
    }
    if wants("poisson diabetes") {
        let raw = Dataset::from_csv(path("diabetes.csv"), "target")?;
        let data = Standardizer::fit_inputs(&raw).transform_inputs(&raw)?;
        let network = Network::linear(data.features(), 1);
        let risk = Risk::new(network.graph()?, &data, Poisson::default(), Ridge(0.0))?;
        add("poisson diabetes", &risk, &vec![0.0; risk.dim()]);
    }
    for (name, hidden, ridge) in
        [("yacht", 4, 1e-3), ("diabetes", 3, 1e-2), ("energy", 4, 1e-3), ("concrete", 4, 1e-3)]
    {
        let label = format!("network {name}");
        if wants(&label) {
            let raw = Dataset::from_csv(path(&format!("{name}.csv")), "target")?;
            let raw = Standardizer::fit_targets(&raw)?.transform_targets(&raw)?;
            let data = Standardizer::fit_inputs(&raw).transform_inputs(&raw)?;
            let network = Network::mlp([data.features(), hidden, 1], Activation::Tanh);
            let risk = Risk::new(network.graph()?, &data, SquaredError, Ridge(ridge))?;
            add(&label, &risk, &network.draw(7)?);
        }
    }
    Ok(found)
}

/// Per method and family: claims, false ones, solved, evaluations.
fn summary(all: &[Claim]) {
    println!(
        "\n{:<14} {:>6} {:>7} {:>6} {:>7} {:>12}",
        "method", "runs", "claims", "false", "solved", "evaluations"
    );
    for (name, _) in methods() {
        let of: Vec<&Claim> = all.iter().filter(|claim| claim.method == name).collect();
        let claimed = of.iter().filter(|claim| claim.claim_true.is_some()).count();
        let wrong = of.iter().filter(|claim| claim.claim_true == Some(false)).count();
        let solved = of.iter().filter(|claim| claim.solved).count();
        let work: u64 = of.iter().map(|claim| claim.evaluations).sum();
        println!("{name:<14} {:>6} {claimed:>7} {wrong:>6} {solved:>7} {work:>12}", of.len());
    }
}
