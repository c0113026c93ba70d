//! The run of a curve by groups, or of a function: by its residuals, with ρ where that was asked for.

use super::Said;
use super::problem::CurveProblem;
use crate::curve_error::CurveError;
use crate::error::FitError;
use crate::fit::limit;
use secant_optim::{
    BoundedLevenbergMarquardt, Bounds, LevenbergMarquardt, Method, RobustSolution, Solution, Watch,
    estimate_scale, minimize_watched, weighted_residual_scale,
};

/// Minimises from `theta`; of a robust fit with the scale that was found. `steps` limits the iterations further.
pub(super) fn minimize(
    said: &Said,
    problem: CurveProblem<'_>,
    bounds: &Bounds,
    theta: &[f64],
    steps: Option<u64>,
) -> Result<(Solution, Option<f64>), FitError> {
    let method = method(said, bounds, steps);
    let run = |problem: &CurveProblem<'_>, theta: &[f64]| {
        let mut watch = Watch::new();
        if let Some(interrupt) = &said.interrupt {
            watch = watch.interrupt(interrupt.clone());
        }
        run_method(&method, problem, theta, &mut watch)
    };
    let Some(rho) = said.robust else { return Ok((run(&problem, theta)?, None)) };
    let mut problem = problem;
    let found = estimate_scale(rho, theta, |rho, scale, start| {
        problem.set_robust(rho, scale);
        let solution = run(&problem, start)?;
        let residuals = problem.plain_residuals(&solution.theta);
        let weights = problem.row_weights();
        Ok::<_, FitError>((solution, weighted_residual_scale(&residuals, &weights)))
    })?;
    let RobustSolution { solution, scale, .. } = found;
    Ok((solution, Some(rho.tuning() * scale)))
}

fn method(said: &Said, bounds: &Bounds, steps: Option<u64>) -> Method {
    let mut method = match &said.method {
        Some(method) => method.clone(),
        None if bounds.is_free() => LevenbergMarquardt::new().into(),
        None => BoundedLevenbergMarquardt::new(bounds.clone()).into(),
    };
    limit(&mut method, said.stopping.as_ref(), said.max_iterations);
    if let Some(steps) = steps {
        let stopping = method.stopping_mut();
        stopping.max_iterations = stopping.max_iterations.min(steps);
    }
    method
}

fn run_method(
    method: &Method,
    problem: &CurveProblem<'_>,
    theta: &[f64],
    watch: &mut Watch<'_>,
) -> Result<Solution, FitError> {
    Ok(match method.clone() {
        Method::LevenbergMarquardt(solver) => minimize_watched(problem, solver, theta, watch)?,
        Method::BoundedLevenbergMarquardt(solver) => {
            minimize_watched(problem, solver, theta, watch)?
        }
        Method::GaussNewton(solver) => minimize_watched(problem, solver, theta, watch)?,
        other => return Err(CurveError::GroupedMethod { method: other.name() }.into()),
    })
}
