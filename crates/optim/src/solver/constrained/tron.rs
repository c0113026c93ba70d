//! TRON: minimise f(θ) in a box l ≤ θ ≤ u by a projected trust-region Newton method, with products of second derivatives.
//!
//! Update: the Cauchy point along the projected path of −g, by a search on the quadratic model; from it conjugate gradients on the parameters
//! that are not at a bound, truncated at the region's edge, with a search along the projected path of each result, until the
//! reduced gradient of the model is small or every parameter is at a bound. The trial is taken where
//! ρ = (f(θ) − f(θ + p)) / promised decrease is at least η. Bounds that hold at the minimum are found after finitely many steps, and convergence is then
//! superlinear. Every trial is in the box, to the bit.
//! Stop: [`Stopping`] with the gradient without the entries that the bounds block. A start outside is moved to the box; a saddle is not left.
//! Memory 12n. Cost per step: one linearisation, k products, one value per trial and one gradient.
//! Source: Lin & Moré (1999), SIAM J. Optim. 9; N&W §16.7 for the projected path.

use crate::error::{OptimError, require};
use crate::linalg::vector;
use crate::problem::bounds::Bounds;
use crate::run::eval::{self, Moved};
use crate::run::fit_solver::FitSolver;
use crate::run::limits;
use crate::run::memory::{self, bytes};
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use crate::solver::HessianKind;
use crate::solver::newton::model::Model;
use crate::solver::newton::region::{
    History, MAX_TRIALS, NOISE, exhausted, free_promise, larger, refusal,
};
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::operator::LinearOperator;
use secant_core::problem::{Curvature, Linearization};
use serde::{Deserialize, Serialize};

/// η: a step is taken when ρ ≥ this.  Lin & Moré (1999) §2: η₀ = 1e-3.
pub const ACCEPTANCE: f64 = 1e-3;
/// Δ shrinks below this ρ and stays up to [`GOOD`].  Lin & Moré (1999) §2.
pub const POOR: f64 = 0.25;
/// Δ grows from this ρ on.  Lin & Moré (1999) §2.
pub const GOOD: f64 = 0.75;
/// Δ shrinks to this part of the step.  Lin & Moré (1999) §2: σ₁ = ¼.
pub const SHRINK: f64 = 0.25;
/// Δ grows to at most this.  Lin & Moré (1999) §2: σ₃ = 4.
pub const GROW: f64 = 4.0;
/// The model falls by this part of gᵀp on projected paths.  Lin & Moré (1999) §2: μ₀ = 0.01.
pub const DECREASE: f64 = 0.01;
/// α of projected paths changes by this.  Lin & Moré (1999) §6: ×10 and ÷10 for the Cauchy point, ½ in the subspace.
pub const CAUCHY_FACTOR: f64 = 10.0;
/// The reduced gradient of the model falls to this part, or to the relative gradient where that is less.  Lin & Moré (1999) §6: ξ = 0.1.
pub const FORCING: f64 = 0.1;
/// A step of this part of Δ or more is at the edge.
const EDGE: f64 = 0.99;
/// Most products per step.
pub const MAX_PRODUCTS: usize = 200;
/// Most α of one projected path.
const MAX_CONTRACTIONS: u32 = 40;
const NAME: &str = "TRON";

/// Projected trust-region Newton.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tron {
    /// l and u. Default none.
    pub bounds: Bounds,
    /// Which matrix. Default exact.
    pub curvature: HessianKind,
    /// Most products per step. Range ≥ 1. Default [`MAX_PRODUCTS`].
    pub max_products: usize,
    /// When to stop; gradients are those that the bounds leave.
    pub stopping: Stopping,
    #[doc(hidden)]
    pub work: Option<Workspace>,
}

impl Default for Tron {
    fn default() -> Self {
        Self {
            bounds: Bounds::default(),
            curvature: HessianKind::default(),
            max_products: MAX_PRODUCTS,
            stopping: Stopping::default(),
            work: None,
        }
    }
}

#[doc(hidden)]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Workspace {
    bounds: Bounds,
    /// ∇f(θ), without the bounds.
    smooth: Vec<f64>,
    radius: f64,
    /// α of the Cauchy point before.
    cauchy: f64,
    /// θ + p
    trial: Vec<f64>,
    /// p
    step: Vec<f64>,
    /// Hp
    image: Vec<f64>,
    /// g + Hp, on the free parameters in CG.
    residual: Vec<f64>,
    /// CG's step, direction and product.
    along: Vec<f64>,
    direction: Vec<f64>,
    product: Vec<f64>,
    point: Vec<f64>,
    gradient: Vec<f64>,
    rejected: u32,
}

impl Tron {
    /// In this box.
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, ..Self::default() }
    }

    /// Which matrix.
    pub fn with_curvature(mut self, curvature: HessianKind) -> Self {
        self.curvature = curvature;
        self
    }

    /// Most products per step.
    pub fn with_max_products(mut self, products: usize) -> Self {
        self.max_products = products;
        self
    }

    /// When to stop.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }
}

impl Workspace {
    fn new(bounds: Bounds, smooth: Vec<f64>, state: &FitState) -> Self {
        let n = smooth.len();
        let zeros = || vec![0.0; n];
        Self {
            bounds,
            smooth,
            // Lin & Moré (1999) §6: Δ₀ = ‖g‖, here in units of θ once the first Cauchy point is known.
            radius: f64::INFINITY,
            cauchy: crate::solver::line_step::first_steepest_step(state),
            trial: zeros(),
            step: zeros(),
            image: zeros(),
            residual: zeros(),
            along: zeros(),
            direction: zeros(),
            product: zeros(),
            point: zeros(),
            gradient: zeros(),
            rejected: 0,
        }
    }

    /// `trial`, `step` and `image` for the projected −αg; the model's value there.
    fn along_gradient<L: Linearization>(
        &mut self,
        model: &Model<'_, L>,
        theta: &[f64],
        alpha: f64,
    ) -> f64 {
        vector::scale_into(-1.0, &self.smooth, &mut self.direction);
        self.bounds.step(theta, alpha, &self.direction, &mut self.trial);
        vector::subtract(&self.trial, theta, &mut self.step);
        model.apply(&self.step, &mut self.image);
        vector::dot(&self.smooth, &self.step) + 0.5 * vector::dot(&self.step, &self.image)
    }

    /// p ← the Cauchy point.  Lin & Moré (1999) (2.3), (2.4).
    fn cauchy_point<L: Linearization>(
        &mut self,
        model: &Model<'_, L>,
        theta: &[f64],
    ) -> Option<()> {
        let enough = |work: &Self, value: f64| {
            value <= DECREASE * vector::dot(&work.smooth, &work.step)
                && vector::norm(&work.step) <= work.radius
        };
        let mut value = self.along_gradient(model, theta, self.cauchy);
        if value.is_nan() {
            return None;
        }
        if enough(self, value) {
            // Longer while that holds and changes anything.
            for _ in 0..MAX_CONTRACTIONS {
                let (alpha, before) = (self.cauchy, self.trial.clone());
                let longer = self.along_gradient(model, theta, alpha * CAUCHY_FACTOR);
                if !(enough(self, longer) && longer < value) || self.trial == before {
                    self.along_gradient(model, theta, alpha);
                    break;
                }
                (self.cauchy, value) = (alpha * CAUCHY_FACTOR, longer);
            }
        } else {
            for _ in 0..MAX_CONTRACTIONS {
                self.cauchy /= CAUCHY_FACTOR;
                value = self.along_gradient(model, theta, self.cauchy);
                if enough(self, value) {
                    break;
                }
            }
        }
        vector::all_finite(&self.image).then_some(())
    }

    /// Goes on from the Cauchy point over the free parameters.
    fn subspace<L: Linearization>(
        &mut self,
        model: &Model<'_, L>,
        theta: &[f64],
        (forcing, products): (f64, u64),
    ) {
        let made = |model: &Model<'_, L>| {
            let made = model.made();
            made.hessian_vector + made.gauss_newton_vector
        };
        for _ in 0..theta.len() {
            let (lower, upper) = (self.bounds.lower(), self.bounds.upper());
            let free: Vec<bool> = (0..theta.len())
                .map(|j| lower[j] < self.trial[j] && self.trial[j] < upper[j])
                .collect();
            if !free.contains(&true) || made(model) >= products {
                return;
            }
            for (j, r) in self.residual.iter_mut().enumerate() {
                *r = if free[j] { self.smooth[j] + self.image[j] } else { 0.0 };
            }
            let start = vector::norm(&self.residual);
            let reduced =
                self.smooth.iter().zip(&free).map(|(g, free)| if *free { g * g } else { 0.0 });
            let goal = forcing * reduced.sum::<f64>().sqrt();
            if start <= goal {
                return;
            }
            let edge = self.conjugate_gradients(model, &free, goal, products);
            if self.search_along(model, theta).is_none() || edge {
                return;
            }
        }
    }

    /// `along` ← truncated CG on the free parameters, ‖p + along‖ ≤ Δ. Whether it ended at the edge.
    fn conjugate_gradients<L: Linearization>(
        &mut self,
        model: &Model<'_, L>,
        free: &[bool],
        goal: f64,
        products: u64,
    ) -> bool {
        self.along.fill(0.0);
        vector::scale_into(-1.0, &self.residual, &mut self.direction);
        let mut square = vector::dot(&self.residual, &self.residual);
        for _ in 0..products {
            model.apply(&self.direction, &mut self.product);
            for (product, free) in self.product.iter_mut().zip(free) {
                if !free {
                    *product = 0.0;
                }
            }
            let curvature = vector::dot(&self.direction, &self.product);
            let to_edge = self.to_edge();
            let alpha = square / curvature;
            // Written so that NaN goes no further.
            let inside = curvature > 0.0 && alpha < to_edge;
            if !inside {
                if to_edge.is_finite() && curvature.is_finite() {
                    vector::axpy(to_edge, &self.direction, &mut self.along);
                }
                return true;
            }
            vector::axpy(alpha, &self.direction, &mut self.along);
            vector::axpy(alpha, &self.product, &mut self.residual);
            let next = vector::dot(&self.residual, &self.residual);
            if next.sqrt() <= goal {
                return false;
            }
            vector::scale(next / square, &mut self.direction);
            vector::axpy(-1.0, &self.residual, &mut self.direction);
            square = next;
        }
        false
    }

    /// The α > 0 at which ‖p + along + α·direction‖ = Δ.
    fn to_edge(&self) -> f64 {
        let at = self.step.iter().zip(&self.along).zip(&self.direction);
        let (mut pp, mut pd, mut dd) = (0.0, 0.0, 0.0);
        for ((step, along), d) in at {
            let p = step + along;
            (pp, pd, dd) = (pp + p * p, pd + p * d, dd + d * d);
        }
        let room = (self.radius * self.radius - pp).max(0.0);
        let root = (pd * pd + dd * room).sqrt();
        // The form without cancellation.
        if pd > 0.0 { room / (pd + root) } else { (root - pd) / dd }
    }

    /// Moves the trial along `along` as far as the model falls on the projected path.  Lin & Moré (1999) (2.9).
    fn search_along<L: Linearization>(
        &mut self,
        model: &Model<'_, L>,
        theta: &[f64],
    ) -> Option<()> {
        let slope: f64 =
            (0..theta.len()).map(|j| (self.smooth[j] + self.image[j]) * self.along[j]).sum();
        if slope.is_nan() || slope >= 0.0 {
            return None;
        }
        let mut alpha = 1.0;
        for _ in 0..MAX_CONTRACTIONS {
            self.bounds.step(&self.trial, alpha, &self.along, &mut self.point);
            vector::subtract(&self.point, &self.trial, &mut self.direction);
            model.apply(&self.direction, &mut self.product);
            let linear: f64 = (0..theta.len())
                .map(|j| (self.smooth[j] + self.image[j]) * self.direction[j])
                .sum();
            let value = linear + 0.5 * vector::dot(&self.direction, &self.product);
            if value <= DECREASE * linear {
                std::mem::swap(&mut self.trial, &mut self.point);
                vector::subtract(&self.trial, theta, &mut self.step);
                vector::axpy(1.0, &self.product, &mut self.image);
                return Some(());
            }
            // To the first bound where that is nearer.
            let room = self.bounds.longest(&self.trial, &self.along);
            alpha = if room < alpha && room > 0.1 * alpha { room } else { 0.5 * alpha };
        }
        None
    }

    fn advance<P: Curvature>(
        &mut self,
        (kind, products): (HessianKind, usize),
        stopping: &Stopping,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<Moved, Reason> {
        let (f, mut counts) = eval::split(problem);
        let at = counts.linearize_within(f, &state.theta, &self.bounds);
        let model = Model::new(&at, kind);
        let noise = NOISE * f64::EPSILON * state.value.abs();
        let forcing = FORCING.min(state.relative_gradient());
        let (mut finite_ahead, mut first_promise) = (false, None);
        let mut ended = None;
        for _ in 0..MAX_TRIALS {
            limits::check()?;
            if self.cauchy_point(&model, &state.theta).is_none() {
                ended = Some(Err(Reason::NonFiniteCurvature));
                break;
            }
            let budget = model.made().hessian_vector + model.made().gauss_newton_vector;
            self.subspace(&model, &state.theta, (forcing, budget.saturating_add(products as u64)));
            let predicted = -(vector::dot(&self.smooth, &self.step)
                + 0.5 * vector::dot(&self.step, &self.image));
            if predicted.is_nan() || predicted <= 0.0 || self.trial == state.theta {
                break;
            }
            // A step that the region cuts short says nothing of what lies beyond.
            let cut = vector::norm(&self.step) >= EDGE * self.radius;
            let mut left = if cut { f64::NAN } else { predicted };
            if state.claim().is_some() {
                left = larger(left, model.relative_promise(&state.theta, &state.gradient));
            }
            if eval::confirm(stopping, state, left) {
                counts.products(model.made());
                return Ok(Moved::Ended);
            }
            let promise = *first_promise.get_or_insert(predicted);
            let value = counts.value(f, &self.trial);
            finite_ahead |= value.is_finite();
            let rho = History::default().ratio(state.value, value, predicted, noise);
            let length = vector::norm(&self.step);
            // Written so that a NaN ρ shrinks.
            self.radius = if rho >= GOOD {
                self.radius.max(GROW * length).min(GROW * GROW * length)
            } else if rho >= POOR {
                self.radius.min(GROW * length)
            } else {
                SHRINK * length
            };
            if rho >= ACCEPTANCE {
                let value =
                    counts.value_gradient_within(f, &self.trial, &self.bounds, &mut self.point);
                if !(value.is_finite() && vector::all_finite(&self.point)) {
                    self.radius = SHRINK * length;
                    self.rejected += 1;
                    continue;
                }
                self.bounds.reduced_gradient(&self.trial, &self.point, &mut self.gradient);
                if predicted <= noise && vector::norm_inf(&self.gradient) >= state.gradient_norm {
                    let work = (&mut self.direction[..], &mut self.product[..]);
                    let free = free_promise(&state.gradient, work, |x, y| model.apply(x, y));
                    ended = Some(Err(refusal(state, promise, free)));
                    break;
                }
                std::mem::swap(&mut self.smooth, &mut self.point);
                ended = Some(Ok(value));
                break;
            }
            self.rejected += 1;
        }
        let ended = ended.unwrap_or_else(|| {
            let work = (&mut self.direction[..], &mut self.product[..]);
            let free = free_promise(&state.gradient, work, |x, y| model.apply(x, y));
            Err(exhausted(state, first_promise, free, finite_ahead))
        });
        counts.products(model.made());
        drop(at);
        let value = ended?;
        state.accept(&mut self.trial, value, &mut self.gradient);
        Ok(Moved::Yes)
    }
}

impl FitSolver for Tron {
    const NAME: &'static str = NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn bounds(&self) -> Option<&Bounds> {
        Some(&self.bounds)
    }
    fn memory(&self, n: usize, _: usize) -> Option<u64> {
        Some(bytes(&[(15, n, 1)]))
    }
    fn validate(&self) -> Result<(), OptimError> {
        let products = self.max_products as f64;
        require(self.max_products >= 1, NAME, "max_products", products, "at least 1")?;
        self.stopping.validate(NAME)
    }
    fn notes(&self) -> Vec<String> {
        let rejected = self.work.as_ref().map_or(0, |work| work.rejected);
        if rejected > 0 { vec![format!("{rejected} trial(s) rejected")] } else { Vec::new() }
    }
}

impl<P: Curvature> Solver<P, FitState> for Tron {
    fn name(&self) -> &'static str {
        NAME
    }

    fn init(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        self.validate()?;
        let n = eval::dim(problem);
        memory::preflight(NAME, self.memory(n, 0), memory::FEWER_PARAMETERS, state.limit())?;
        let bounds = self.bounds.of(n)?;
        bounds.project(&mut state.theta);
        let mut smooth = vec![0.0; n];
        eval::start_with(NAME, &self.stopping, problem, &mut state, |problem, theta, gradient| {
            let value = eval::value_gradient_within(problem, theta, &bounds, &mut smooth);
            bounds.reduced_gradient(theta, &smooth, gradient);
            value
        })?;
        self.work = Some(Workspace::new(bounds, smooth, &state));
        state.with_foresight();
        Ok((state, None))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        let options = (self.curvature, self.max_products);
        match work.advance(options, &self.stopping, problem, &mut state) {
            Ok(Moved::Ended) => {}
            Ok(Moved::Yes) => eval::finish(&self.stopping, problem, &mut state),
            Err(reason) => state.stop(reason),
        }
        Ok((state, None))
    }
}
