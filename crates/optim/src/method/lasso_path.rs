//! The minima of f(θ) + λΣⱼ wⱼ|θⱼ| along λ: from where every penalised parameter is zero, down.
//!
//! λmax is max |∂ⱼf|/wⱼ at the minimum over the free parameters. Each point is the start of the next, for [`ProximalNewton`]. On a quadratic f
//! each start is brought to the next minimum before: by coordinates and Newton's steps on a working set of k parameters, k² a pass and k³/3 a
//! step, so that the method has to confirm it. H is formed once: between the members of the set alone where f gives such entries, whose
//! memory is 4k², and all of it elsewhere.
//! Source: Friedman, Hastie & Tibshirani (2010), J. Stat. Softw. 33, §2.5; Tibshirani et al. (2012), J. R. Stat. Soc. B 74, for what the
//! set takes in.

use crate::error::{OptimError, require};
use crate::problem::l1::L1;
use crate::problem::remembered::Remembered;
use crate::run::fit_solver::FitSolver;
use crate::run::memory;
use crate::run::minimize::{Solution, minimize};
use crate::run::stopping::Stopping;
use crate::solver::ProximalNewton;
use crate::solver::constrained::proximal_newton::{QuadraticL1, expected_members, set_bytes};
use secant_core::problem::{Curvature, Objective};

/// Points of a path.  Friedman, Hastie & Tibshirani (2010) §2.5: 100.
pub const POINTS: usize = 100;
/// The last λ over the first.  Friedman, Hastie & Tibshirani (2010) §2.5: 1e-3.
pub const RATIO: f64 = 1e-3;
/// Most points of a path: what asks for more would not end.
pub const MAX_POINTS: usize = 100_000;
/// ⋄F relative to that at λmax.
const TOLERANCE: f64 = 1e-12;
/// Largest λ.
const MOST: f64 = 1e300;
const NAME: &str = "lasso path";
/// What takes its place where the matrices do not fit.
const ALTERNATIVE: &str = "OWL-QN";

/// The minima of one problem for any weights.
struct Minima<'p, P> {
    /// The last evaluation of a quadratic is the first of what confirms it.
    problem: &'p Remembered<'p, P>,
    /// f with its matrix, where it is a quadratic.
    quadratic: Option<QuadraticL1<'p, Remembered<'p, P>>>,
    stopping: Stopping,
}

impl<P: Curvature> Minima<'_, P> {
    /// That with these weights, from `start`.
    fn find(&mut self, l1: L1, start: &[f64]) -> Result<Solution, OptimError> {
        let mut start = start.to_vec();
        if let Some(quadratic) = &mut self.quadratic {
            let weights = l1.weights(start.len());
            quadratic.minimise(&weights, self.stopping.gradient_absolute, &mut start);
        }
        let solver = ProximalNewton::new(l1).with_stopping(self.stopping.clone());
        minimize(self.problem, solver, &start)
    }
}

/// Which λ, and how exactly.
#[derive(Clone, Debug, PartialEq)]
pub struct LassoPath {
    /// w up to the factor λ; `L1::new(1.0)` without the biases, as a rule. Default 1 for all.
    pub l1: L1,
    /// λ to visit, from the largest down as a rule; none: [`points`](Self::points) from λmax, evenly on a logarithmic scale.
    pub lambdas: Option<Vec<f64>>,
    /// Points, 2 to [`MAX_POINTS`]. Default [`POINTS`].
    pub points: usize,
    /// The last λ over the first, in (0, 1). Default [`RATIO`].
    pub ratio: f64,
}

impl Default for LassoPath {
    fn default() -> Self {
        Self { l1: L1::new(1.0), lambdas: None, points: POINTS, ratio: RATIO }
    }
}

/// One λ and its minimum.
#[derive(Clone, Debug)]
pub struct PathPoint {
    /// λ.
    pub lambda: f64,
    /// θ, F, ⋄F and how they were found. `report.gradient.max`, the largest entry of ⋄F, certifies the minimum of a convex f.
    pub solution: Solution,
    /// Entries of θ that are not zero, the free ones among them.
    pub nonzero: usize,
}

impl LassoPath {
    /// The path, λ by λ, from `theta0`.
    ///
    /// # Errors
    /// Options out of range; a start that the problem does not take.
    pub fn run<P: Curvature>(
        &self,
        problem: &P,
        theta0: &[f64],
    ) -> Result<Vec<PathPoint>, OptimError> {
        let inside = (2..=MAX_POINTS).contains(&self.points);
        require(inside, NAME, "points", self.points as f64, "2 … 100000")?;
        require(self.ratio > 0.0 && self.ratio < 1.0, NAME, "ratio", self.ratio, "(0, 1)")?;
        for lambda in self.lambdas.iter().flatten() {
            require((0.0..=MOST).contains(lambda), NAME, "lambdas", *lambda, "[0, 1e300]")?;
        }
        self.l1.validate(NAME, Some(problem.dim()))?;
        let problem = &Remembered::new(problem);
        let (largest, start, mut minima) = self.largest(problem, theta0)?;
        let lambdas = self.lambdas.clone().unwrap_or_else(|| {
            let part = |k: usize| self.ratio.powf(k as f64 / (self.points - 1) as f64);
            (0..self.points).map(|k| largest * part(k)).collect()
        });
        let mut theta = start;
        let mut path = Vec::with_capacity(lambdas.len());
        for lambda in lambdas {
            let solution = minima.find(self.l1.scaled(lambda), &theta)?;
            theta.copy_from_slice(&solution.theta);
            let nonzero = theta.iter().filter(|t| **t != 0.0).count();
            path.push(PathPoint { lambda, solution, nonzero });
        }
        Ok(path)
    }

    /// λmax, the minimum there, and what finds the others.
    fn largest<'p, P: Curvature>(
        &self,
        problem: &'p Remembered<'p, P>,
        theta0: &[f64],
    ) -> Result<(f64, Vec<f64>, Minima<'p, P>), OptimError> {
        let n = problem.dim();
        if theta0.len() != n {
            return Err(OptimError::StartLength { expected: n, found: theta0.len() });
        }
        let weights = self.l1.weights(n);
        let mut start = theta0.to_vec();
        for (t, w) in start.iter_mut().zip(&weights) {
            if *w > 0.0 {
                *t = 0.0;
            }
        }
        let mut gradient = vec![0.0; n];
        problem.value_gradient(&start, &mut gradient);
        let reference = crate::linalg::vector::norm_inf(&gradient);
        // Weights so large that nothing penalised moves.
        let least = weights.iter().copied().filter(|w| *w > 0.0).fold(f64::INFINITY, f64::min);
        let mut lambda = if least.is_finite() { 2.0 * reference / least } else { 0.0 };
        let allowed = "weights of at least 1e-300 times the gradient";
        require(lambda <= MOST, NAME, "l1", least, allowed)?;
        let stopping = Stopping {
            gradient_tolerance: 0.0,
            gradient_absolute: TOLERANCE * reference,
            ..Stopping::default()
        };
        let solver = ProximalNewton::new(self.l1.scaled(lambda));
        let structure = problem.structure();
        let needs = match expected_members(&structure, n) {
            Some(_) => Some(set_bytes(n, 0)),
            None => solver.memory(n, 0).map(|own| own.saturating_add(structure.dense_bytes)),
        };
        memory::preflight(NAME, needs, ALTERNATIVE, None)?;
        let mut minima = Minima { problem, quadratic: QuadraticL1::of(problem, &start), stopping };
        loop {
            let solution = minima.find(self.l1.scaled(lambda), &start)?;
            problem.value_gradient(&solution.theta, &mut gradient);
            let ratios = gradient.iter().zip(&weights).filter(|(_, w)| **w > 0.0);
            let largest = ratios.map(|(g, w)| (g / w).abs()).fold(0.0, f64::max);
            let moved = solution.theta.iter().zip(&weights).any(|(t, w)| *w > 0.0 && *t != 0.0);
            // Else the gradient grew on the way: f is no quadratic.
            lambda *= 4.0;
            if !moved || !largest.is_finite() || !lambda.is_finite() {
                return Ok((largest, solution.theta, minima));
            }
        }
    }
}
