//! What each method would cost on a problem: memory, flops of an iteration, and how many iterations problems of its form take as a rule.
//!
//! Flops are counted from the problem's structure, never timed: the order of the candidates is the same on every machine. The numbers
//! of iterations are what the runs of `cargo run --release --example auto_table` take, and `small_net_accuracy` for networks of squared error without
//! a ridge, rounded to one digit: an order, no promise.

use super::Method;
use crate::problem::bounds::Bounds;
use crate::problem::l1::L1;
use crate::run::memory::packed;
use crate::run::stopping::Stopping;
use crate::solver::constrained::proximal_newton::{expected_members, set_bytes};
use crate::solver::least_squares::variable_projection::VariableProjection;
use crate::solver::{
    Bfgs, BoundedLevenbergMarquardt, Factorization, Lbfgs, LbfgsB, LevenbergMarquardt, Newton,
    NewtonCg, OwlQn, Preconditioner, ProximalNewton, Scaling, SecondOrder, Subproblem, Tron,
    TrustRegion, Update,
};
use secant_core::problem::{Costs, Curvature, Derivatives, Form, LinearBlock, Structure};

/// What an operation on streamed vectors, or of a factorisation without blocks, costs in operations of a matrix product.
const STREAMED: f64 = 4.0;
/// What an evaluation over samples costs beside its operations: handing work to threads, in operations of a matrix product.
const EVALUATION: f64 = 5e4;
/// What an operation on vectors by the dozen costs, which no near cache holds.
const FAR: f64 = 16.0;
/// What a factorisation with its matrix costs beside n³/3, per entry of the matrix: formed, mirrored, copied, columns of blocks, solved.
const MATRIX: f64 = 200.0;
/// On a convex f a method of second derivatives goes first where it is expected to cost at most this times the cheapest: its number of steps is
/// the surer one.
const SURER: f64 = 1.5;
/// Pairs of products J·v and Jᵀ·u in a step by LSMR.
const PAIRS: f64 = 50.0;
/// Factorisations of the linear columns, and evaluations of f, in a step of variable projection: there is more than one trial to a step, each
/// asks for r, the columns, and r again, and Q is written out once.
const PROJECTIONS: f64 = 3.0;
const PROJECTED_EVALUATIONS: f64 = 4.0;
/// Pairs of L-BFGS on a generalised linear model, at most: more than it takes steps as a rule,
const MOST_PAIRS: usize = 200;
/// enough for nearly as few steps,
const MANY_PAIRS: usize = 100;
/// and no more numbers than this in all of them: 64 MiB.
const PAIR_ENTRIES: usize = 1 << 23;
/// Up to so many parameters a quasi-Newton matrix takes half of the steps on a convex f.
const FEW_PARAMETERS: usize = 1000;
/// Sets that the method for L1 needs on a quadratic.
const WORKING_SETS: f64 = 5.0;
/// Operations per parameter or residual of an evaluation that nobody counted.
const UNCOUNTED: f64 = 100.0;

/// The form of the problem and what is asked beside its minimum.
#[derive(Debug)]
pub(super) struct Setting<'a> {
    pub n: usize,
    /// m, 0 where f is no sum of squares.
    pub m: usize,
    pub structure: Structure,
    pub costs: Costs,
    pub bounds: Option<&'a Bounds>,
    pub l1: Option<&'a L1>,
}

/// A method with its options, and what is to be expected of it.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub method: Method,
    /// Bytes, the problem's own for dense matrices included.
    pub bytes: u64,
    /// Operations of an iteration, the evaluations included.
    pub operations: f64,
    /// Evaluations of f of an iteration.
    pub evaluations: f64,
    /// Iterations to be expected.
    pub iterations: f64,
    pub reason: &'static str,
}

impl Candidate {
    /// Whether it keeps more than methods need that go everywhere: a matrix, or many pairs.
    pub(super) fn is_large(&self) -> bool {
        self.method.is_dense()
            || matches!(&self.method, Method::TrustRegion(_))
            || self.keeps_many_pairs()
    }

    /// Whether it is L-BFGS with more pairs than by default.
    pub(super) fn keeps_many_pairs(&self) -> bool {
        let many = |lbfgs: &Lbfgs| lbfgs.memory > Lbfgs::default().memory;
        matches!(&self.method, Method::Lbfgs(lbfgs) if many(lbfgs))
    }

    /// Of those for an f without bounds and L1.
    pub(super) fn is_second_order(&self) -> bool {
        matches!(self.method, Method::Newton(_) | Method::NewtonCg(_) | Method::TrustRegion(_))
    }

    /// Operations of the whole run.
    pub(super) fn total(&self) -> f64 {
        self.operations * self.iterations
    }
}

impl<'a> Setting<'a> {
    pub(super) fn of<P: Curvature>(
        problem: &P,
        bounds: Option<&'a Bounds>,
        l1: Option<&'a L1>,
    ) -> Self {
        let (n, structure) = (problem.dim(), Structure::of(problem));
        let m = structure.residuals.unwrap_or(0);
        let costs = structure.costs.unwrap_or_else(|| {
            let entries = n.max(m) as f64;
            Costs::of_evaluation(UNCOUNTED * entries, n)
        });
        Self { n, m, structure, costs, bounds, l1 }
    }

    /// The methods that can do what is asked, the one with the least expected cost first; on a convex f the first of second derivatives
    /// before one that is little cheaper.
    pub(super) fn candidates(&self) -> Vec<Candidate> {
        let mut found = match (self.bounds, self.l1) {
            (Some(bounds), _) => self.bounded(bounds),
            (None, Some(l1)) => self.sparse(l1),
            (None, None) => self.free(),
        };
        found.sort_by(|a, b| a.total().total_cmp(&b.total()));
        let most = SURER * found.first().map_or(0.0, Candidate::total);
        let surer = found.iter().position(Candidate::is_second_order);
        if let Some(at) = surer.filter(|&at| self.is_convex() && found[at].total() <= most) {
            found[..=at].rotate_right(1);
        }
        found
    }

    fn free(&self) -> Vec<Candidate> {
        let mut found = vec![self.lbfgs()];
        if self.structure.form != Form::Quadratic {
            found.push(self.quasi_newton());
        }
        if self.m > 0 && !self.is_convex() {
            found.push(self.levenberg_marquardt());
            let linear = self.structure.linear.filter(|linear| linear.parameters < self.n);
            found.extend(linear.map(|linear| self.variable_projection(linear)));
        }
        if self.structure.second_derivatives == Derivatives::Exact {
            found.extend([self.newton_cg(), self.newton(), self.trust_region()]);
            if !self.is_convex() {
                found.push(self.trust_region_exact());
            }
        }
        found
    }

    fn dim(&self) -> f64 {
        self.n as f64
    }

    /// A model of samples that is no generalised linear one: with few samples as with many, second derivatives are indefinite for most of the way.
    fn is_network(&self) -> bool {
        !self.is_convex() && self.structure.samples.is_some()
    }

    fn is_convex(&self) -> bool {
        self.structure.form != Form::General
    }

    /// Operations of one evaluation of f with ∇f.
    pub(super) fn evaluation(&self) -> f64 {
        self.costs.evaluation + self.overhead()
    }

    /// What any evaluation over samples costs beside its operations.
    fn overhead(&self) -> f64 {
        if self.structure.samples.is_some() { EVALUATION } else { 0.0 }
    }

    fn candidate(
        &self,
        method: impl Into<Method>,
        (operations, evaluations): (f64, f64),
        iterations: f64,
        reason: &'static str,
    ) -> Candidate {
        let method = method.into();
        let own = method.memory(self.n, self.m).unwrap_or(0);
        let beside = || self.structure.dense_bytes.saturating_add(packed(self.n));
        let bytes = own.saturating_add(if method.is_dense() { beside() } else { 0 });
        let operations = operations + evaluations * self.evaluation();
        Candidate { method, bytes, operations, evaluations, iterations, reason }
    }

    fn newton(&self) -> Candidate {
        let factor = self.dim().powi(3) / 3.0 + MATRIX * self.dim().powi(2);
        let (iterations, reason) = match self.structure.form {
            Form::Quadratic => (1.0, "f is quadratic: one step is the solution"),
            Form::GeneralizedLinear => {
                (9.0, "a generalised linear model: few steps, quadratic at the end")
            }
            Form::General => {
                let iterations = if self.is_network() { 120.0 } else { 20.0 };
                (iterations, "exact second derivatives, few parameters")
            }
        };
        self.candidate(Newton::default(), (self.costs.hessian + factor, 3.0), iterations, reason)
    }

    fn newton_cg(&self) -> Candidate {
        let (iterations, products) = match (self.structure.form, self.structure.uneven_diagonal) {
            (Form::General, _) => (100.0, 20.0),
            (_, true) => (10.0, 20.0),
            (Form::Quadratic, false) => (20.0, 20.0),
            (Form::GeneralizedLinear, false) => (20.0, 40.0),
        };
        let products = self.dim().min(products);
        let product = self.costs.hessian_vector + self.overhead() + 10.0 * STREAMED * self.dim();
        let reason = "products with the Hessian only, no matrix";
        let mut solver = NewtonCg::default();
        if self.structure.uneven_diagonal {
            solver = solver.with_preconditioner(Preconditioner::Jacobi);
        }
        self.candidate(solver, (products * product, 3.0), iterations, reason)
    }

    fn lbfgs(&self) -> Candidate {
        let pairs = self.pairs();
        let many = pairs >= MANY_PAIRS;
        let iterations = match self.structure.form {
            Form::General => 1000.0,
            _ if many || self.structure.uneven_diagonal => 300.0,
            _ => 1000.0,
        };
        let reason = if many {
            "a gradient per step and a pair of vectors of each step, not a matrix"
        } else {
            "a gradient per step and twenty vectors: the least memory"
        };
        let streamed = if many { FAR } else { STREAMED };
        let own = 4.0 * pairs as f64 * streamed * self.dim();
        self.candidate(Lbfgs::default().with_memory(pairs), (own, 1.1), iterations, reason)
    }

    /// Pairs of L-BFGS: on a generalised linear model as many as cost less than an evaluation, up to one for every step. With all of them it takes as
    /// few steps as a quasi-Newton matrix, at O(n) each. Where the diagonal tells most, products with it are few, and pairs come late.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive number, and the conversion saturates"
    )]
    fn pairs(&self) -> usize {
        let few = Lbfgs::default().memory;
        if self.structure.form != Form::GeneralizedLinear || self.structure.uneven_diagonal {
            return few;
        }
        let by_work = (self.costs.evaluation / (4.0 * FAR * self.dim())) as usize;
        let by_memory = PAIR_ENTRIES / (2 * self.n);
        by_work.min(by_memory).clamp(few, MOST_PAIRS)
    }

    fn quasi_newton(&self) -> Candidate {
        let own = 2.0 * STREAMED * self.dim().powi(2);
        let solver = Bfgs::default().with_update(Update::SelfScaledBroyden);
        let reason = "a gradient per step and half a matrix, to many digits";
        let (iterations, evaluations) = match self.structure.form {
            Form::General => (400.0, 1.1),
            _ if self.n <= FEW_PARAMETERS => (100.0, 1.3),
            _ => (200.0, 1.3),
        };
        self.candidate(solver, (own, evaluations), iterations, reason)
    }

    fn trust_region(&self) -> Candidate {
        let (iterations, products) = match self.structure.form {
            Form::Quadratic => (10.0, 30.0),
            Form::GeneralizedLinear => (10.0, 60.0),
            Form::General if self.is_network() => (120.0, 30.0),
            Form::General => (80.0, 30.0),
        };
        let products = self.dim().min(products);
        let product = self.costs.hessian_vector + self.overhead();
        // All earlier vectors of the basis, half of the last number of them as a rule.
        let basis = 4.0 * FAR * self.dim() * products / 2.0;
        let reason = if self.is_convex() {
            "products with the Hessian only, in a basis that keeps its digits"
        } else {
            "products with the Hessian only; leaves saddles"
        };
        let own = products * (product + basis);
        self.candidate(TrustRegion::default(), (own, 3.0), iterations, reason)
    }

    fn trust_region_exact(&self) -> Candidate {
        let eigen = 9.0 * self.dim().powi(3);
        let solver = TrustRegion::default().with_subproblem(Subproblem::ScaledExact);
        let reason = "the sturdiest steps for few parameters; leaves saddles";
        let iterations = if self.is_network() { 120.0 } else { 40.0 };
        self.candidate(solver, (self.costs.hessian + eigen, 3.0), iterations, reason)
    }

    fn levenberg_marquardt(&self) -> Candidate {
        let (m, n) = (self.m as f64, self.dim());
        let own = match Factorization::Auto.of(self.m, self.n, SecondOrder::Off) {
            Factorization::Auto | Factorization::Qr => {
                self.costs.jacobian + STREAMED * (2.0 * m * n * n + n * n * n)
            }
            Factorization::NormalEquations => self.costs.normal_equations + n * n * n,
            Factorization::Dual => self.costs.jacobian + m * m * n + m * m * m,
            Factorization::Lsmr => PAIRS * (self.costs.gauss_newton_vector + STREAMED * (m + n)),
        };
        let reason = "a sum of squares: curvature from first derivatives, the most digits";
        let iterations = self.by_kind(60.0, 300.0, 100.0);
        self.candidate(self.residual_steps(), (own, 2.0), iterations, reason)
    }

    fn variable_projection(&self, linear: LinearBlock) -> Candidate {
        let (m, p) = (self.m as f64, linear.columns as f64);
        let (q, rows) = ((self.n - linear.parameters) as f64, linear.rows as f64);
        let copies = linear.parameters as f64 / p;
        let factor = PROJECTIONS * STREAMED * 2.0 * rows * p * p;
        let project = 4.0 * rows * p * q * copies;
        let step = STREAMED * (2.0 * m * q * q + q * q * q);
        let own = self.costs.jacobian + factor + project + step;
        let steps = self.residual_steps();
        let stopping = steps.stopping.clone();
        let solver =
            VariableProjection::default().with_levenberg_marquardt(steps).with_stopping(stopping);
        let reason = "a sum of squares, some parameters linear: solved for at every step, whatever their start";
        let iterations = self.by_kind(40.0, 300.0, 50.0);
        self.candidate(solver, (own, PROJECTED_EVALUATIONS), iterations, reason)
    }

    /// Levenberg–Marquardt with the options for this kind of problem.
    fn residual_steps(&self) -> LevenbergMarquardt {
        let solver = LevenbergMarquardt::default();
        if self.structure.samples.is_some() {
            // The parameters of a network share their units, and are no constants of nature: the usual end is enough.
            solver.with_scaling(Scaling::Identity).with_stopping(Stopping::default())
        } else {
            // Few observations with residuals that stay: what JᵀJ leaves out of the Hessian decides how many steps are needed.
            solver.with_second_order(SecondOrder::Structured)
        }
    }

    /// A number for a formula, for a model of samples with a ridge, which keeps residuals, and for one without, whose residuals may vanish.
    fn by_kind(&self, formula: f64, with_ridge: f64, without: f64) -> f64 {
        match self.structure.samples {
            None => formula,
            Some(_) if self.structure.ridge > 0.0 => with_ridge,
            Some(_) => without,
        }
    }

    fn bounded(&self, bounds: &Bounds) -> Vec<Candidate> {
        let n = self.dim();
        let products = n.min(20.0);
        let product = self.costs.hessian_vector + self.overhead() + 10.0 * STREAMED * n;
        let pairs = 10.0;
        let reason = "bounds, a gradient per step";
        let own = (4.0 * pairs + 4.0 * pairs * pairs) * STREAMED * n;
        let iterations = if self.is_convex() { 80.0 } else { 600.0 };
        let lbfgsb = self.candidate(LbfgsB::new(bounds.clone()), (own, 1.2), iterations, reason);
        let reason = "bounds, products with the Hessian, to the last digits";
        let own = products * product;
        let tron = self.candidate(Tron::new(bounds.clone()), (own, 3.0), 20.0, reason);
        let mut found = vec![lbfgsb, tron];
        if self.m > 0 {
            let own = self.costs.normal_equations + n * n * n;
            let solver = BoundedLevenbergMarquardt::new(bounds.clone());
            let reason = "bounds and a sum of squares";
            found.push(self.candidate(solver, (own, 2.0), 30.0, reason));
        }
        found
    }

    fn sparse(&self, l1: &L1) -> Vec<Candidate> {
        let n = self.dim();
        let pairs = 10.0;
        let reason = "L1, a gradient per step";
        let own = 4.0 * pairs * STREAMED * n;
        let owl_qn = self.candidate(OwlQn::new(l1.clone()), (own, 1.2), 150.0, reason);
        if let Some(k) = expected_members(&self.structure, self.n) {
            return vec![owl_qn, self.working_set(l1, k)];
        }
        let (iterations, reason) = match self.structure.form {
            Form::Quadratic => (2.0, "L1 and f quadratic: one step is the solution"),
            Form::GeneralizedLinear => (8.0, "L1 and few parameters: few steps"),
            Form::General => (60.0, "L1 and few parameters"),
        };
        // Passes of coordinate descent over the columns of H.
        let passes = 20.0 * STREAMED * n * n;
        let own = self.costs.hessian + n.powi(3) / 3.0 + passes;
        let newton =
            self.candidate(ProximalNewton::new(l1.clone()), (own, 2.0), iterations, reason);
        vec![owl_qn, newton]
    }

    /// Proximal Newton on a working set that is expected to have k members.
    fn working_set(&self, l1: &L1, k: usize) -> Candidate {
        let reason = "L1 and f quadratic: minima over a few parameters at a time";
        let (n, part) = (self.dim(), k as f64);
        let block = 2.0 * self.costs.hessian * (part / n).powi(2);
        // The set doubles up to its size, and each has a few factorisations.
        let own = (block + 4.0 * part.powi(3) / 3.0) / WORKING_SETS + 20.0 * STREAMED * part * part;
        let solver = ProximalNewton::new(l1.clone());
        let candidate = self.candidate(solver, (own, 1.0), WORKING_SETS, reason);
        Candidate { bytes: set_bytes(self.n, k), ..candidate }
    }
}
