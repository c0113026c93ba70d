//! Those that minimise any function by its gradient: L-BFGS of four libraries, ten pairs each, with their own line searches.
//!
//! The tolerance is that of ‖∇f‖, an absolute one: the largest entry with `secant`, ganesh and basin, the Euclidean norm with argmin. Other tests are off.

use crate::race::Contestant;
use crate::remembered::Remembered;
use argmin::core::Executor;
use argmin::solver::linesearch::{HagerZhangLineSearch, MoreThuenteLineSearch};
use argmin::solver::newton::NewtonCG;
use argmin::solver::quasinewton::LBFGS;
use ganesh::algorithms::gradient::lbfgsb::{
    LBFGSB, LBFGSBConfig, LBFGSBErrorMode, LBFGSBInfNormGTerminator,
};
use ganesh::traits::Algorithm;
use nalgebra::DVector;
use secant::{Curvature, Lbfgs, Newton, NewtonCg, Objective, Stopping, minimize};

/// Pairs that L-BFGS keeps.
const PAIRS: usize = 10;
/// Steps at most.
const STEPS: u64 = 20_000;

/// ‖∇f‖∞ ≤ `tolerance`, and nothing else.
pub fn stopping(tolerance: f64) -> Stopping {
    Stopping {
        gradient_absolute: tolerance,
        gradient_tolerance: 0.0,
        max_iterations: STEPS,
        ..Stopping::default()
    }
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// L-BFGS on `problem` from `start`.
pub fn by_gradient<'a, P: Objective>(problem: &'a P, start: &'a [f64]) -> Vec<Contestant<'a>> {
    vec![
        Contestant::new("secant, L-BFGS", move |tolerance| {
            let method = Lbfgs { stopping: stopping(tolerance), ..Lbfgs::default() };
            minimize(problem, method, start).map(|solution| solution.theta).map_err(words)
        }),
        Contestant::new("argmin L-BFGS, Moré–Thuente", move |tolerance| {
            let solver = LBFGS::new(MoreThuenteLineSearch::new(), PAIRS);
            let solver = solver.with_tolerance_grad(tolerance).map_err(words)?;
            let solver = solver.with_tolerance_cost(0.0).map_err(words)?;
            let run = Executor::new(Remembered::new(problem), solver)
                .configure(|state| state.param(DVector::from_column_slice(start)).max_iters(STEPS));
            let found = run.run().map_err(words)?.state.best_param;
            found.map(|theta| theta.as_slice().to_vec()).ok_or("no point".to_owned())
        }),
        Contestant::new("argmin L-BFGS, Hager–Zhang", move |tolerance| {
            let solver = LBFGS::new(HagerZhangLineSearch::new(), PAIRS);
            let solver = solver.with_tolerance_grad(tolerance).map_err(words)?;
            let solver = solver.with_tolerance_cost(0.0).map_err(words)?;
            let run = Executor::new(Remembered::new(problem), solver)
                .configure(|state| state.param(DVector::from_column_slice(start)).max_iters(STEPS));
            let found = run.run().map_err(words)?.state.best_param;
            found.map(|theta| theta.as_slice().to_vec()).ok_or("no point".to_owned())
        }),
        Contestant::new("ganesh L-BFGS-B", move |tolerance| {
            let config = LBFGSBConfig::default().with_error_mode(LBFGSBErrorMode::Skip);
            let config = config.with_memory_limit(PAIRS).map_err(words)?;
            let ends = ganesh::core::Callbacks::empty()
                .with_terminator(LBFGSBInfNormGTerminator::new(tolerance).map_err(words)?)
                .with_terminator(ganesh::core::MaxSteps(usize::try_from(STEPS).map_err(words)?));
            let start = ganesh::Vector::from_vec(start.to_vec());
            let problem = Remembered::new(problem);
            let found = <LBFGSB>::default().process(&problem, &(), start, config, ends);
            Ok(found.map_err(words)?.x.to_vec())
        }),
        Contestant::new("basin L-BFGS", move |tolerance| {
            let solver = basin::Lbfgs::new().with_m_capacity(PAIRS).unbounded();
            let solver = solver.with_absolute_gradient_tolerance(tolerance);
            let start = basin::FirstOrderState::new(start.to_vec());
            let run = basin::Executor::new(Remembered::new(problem), solver, start);
            let found = run.max_iter(STEPS).run().map_err(words)?;
            Ok(found.best_param().clone())
        }),
    ]
}

/// Newton's method on `problem` from `start`.
pub fn by_curvature<'a, P: Curvature>(problem: &'a P, start: &'a [f64]) -> Vec<Contestant<'a>> {
    vec![
        Contestant::new("secant, Newton", move |tolerance| {
            let method = Newton::default().with_stopping(stopping(tolerance));
            minimize(problem, method, start).map(|solution| solution.theta).map_err(words)
        }),
        Contestant::new("secant, Newton–CG", move |tolerance| {
            let method = NewtonCg { stopping: stopping(tolerance), ..NewtonCg::default() };
            minimize(problem, method, start).map(|solution| solution.theta).map_err(words)
        }),
        // Its tolerance is that of the change of f.
        Contestant::new("argmin Newton–CG, Moré–Thuente", move |tolerance| {
            let solver = NewtonCG::new(MoreThuenteLineSearch::new());
            let solver = solver.with_tolerance(tolerance).map_err(words)?;
            let run = Executor::new(Remembered::new(problem), solver)
                .configure(|state| state.param(DVector::from_column_slice(start)).max_iters(STEPS));
            let found = run.run().map_err(words)?.state.best_param;
            found.map(|theta| theta.as_slice().to_vec()).ok_or("no point".to_owned())
        }),
    ]
}
