//! What a chooser of methods may know of a problem before it runs: the form of f and what its evaluations cost.
//!
//! Everything is counted, never timed, so that a choice made from it is the same on every machine and any number of threads.

use super::{Curvature, Derivatives, LeastSquares};

/// The form of f as a function of θ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A quadratic: one Newton step is the solution. An affine model with squared error and a quadratic penalty.
    Quadratic,
    /// A convex loss of an affine model with a convex penalty: a generalised linear model.
    GeneralizedLinear,
    /// Anything else, or unknown.
    #[default]
    General,
}

/// Floating-point operations of each kind of evaluation over all samples, in those of a wide matrix product: what runs at a lower rate
/// counts for more. Zero where nobody counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Costs {
    /// f with ∇f.
    pub evaluation: f64,
    /// A product with the Hessian at a linearised point.
    pub hessian_vector: f64,
    /// A product with the Gauss–Newton matrix at a linearised point.
    pub gauss_newton_vector: f64,
    /// A dense Hessian.
    pub hessian: f64,
    /// A dense Gauss–Newton matrix.
    pub gauss_newton: f64,
    /// A dense J.
    pub jacobian: f64,
    /// JᵀJ with Jᵀr.
    pub normal_equations: f64,
}

impl Costs {
    /// What follows from the cost of one evaluation (flops) alone, for n parameters: the matrix products of a dense layer. An evaluation
    /// is three equal ones, H·v six (and two gradients are what it takes by differences), G·v four; a dense matrix is n products, of J
    /// n evaluations.
    pub fn of_evaluation(evaluation: f64, n: usize) -> Self {
        let (hessian_vector, gauss_newton_vector) = (2.0 * evaluation, 4.0 / 3.0 * evaluation);
        let n = n as f64;
        Self {
            evaluation,
            hessian_vector,
            gauss_newton_vector,
            hessian: n * hessian_vector,
            gauss_newton: n * gauss_newton_vector,
            jacobian: n * evaluation,
            normal_equations: n * gauss_newton_vector,
        }
    }
}

/// The parameters that the residuals are affine in, all of them together: how many, and the design that gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinearBlock {
    /// Their number, c times [`columns`](Self::columns) where they enter by Φ ⊗ I_c.
    pub parameters: usize,
    /// Rows of Φ.
    pub rows: usize,
    /// Columns of Φ.
    pub columns: usize,
}

impl LinearBlock {
    /// What `problem` says of its [`linear_parameters`](LeastSquares::linear_parameters); none where there are none.
    pub fn of<P: LeastSquares + ?Sized>(problem: &P) -> Option<Self> {
        let ranges = problem.linear_parameters();
        let parameters = ranges.iter().map(ExactSizeIterator::len).sum();
        let (rows, columns) = problem.linear_part(&ranges).design_shape();
        (parameters > 0).then_some(Self { parameters, rows, columns })
    }
}

/// What is known of a problem. The default knows nothing.
///
/// ```
/// use secant_core::problem::{Form, Structure};
/// assert_eq!(Structure::default().form, Form::General);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Structure {
    /// The form of f.
    pub form: Form,
    /// Whether f has kinks, as with a hinge or an absolute value: its gradient jumps, and second derivatives say nothing of that.
    pub kinks: bool,
    /// λ > 0 with ∇²f ⪰ λI on the parameters that a ridge penalty acts on; 0 where none is known.
    pub ridge: f64,
    /// N, where f is a mean over samples.
    pub samples: Option<usize>,
    /// m, where f is half a sum of squares: N·c, and a residual per penalised parameter.
    pub residuals: Option<usize>,
    /// The parameters that enter linearly, where f is half a sum of squares and some of them do.
    pub linear: Option<LinearBlock>,
    /// Where second derivatives come from: by differences they have too few digits for a method that rests on them.
    pub second_derivatives: Derivatives,
    /// What evaluations cost, where they were counted.
    pub costs: Option<Costs>,
    /// Whether the diagonal of the Gauss–Newton matrix costs less than a product and its entries may be of very different sizes, as with
    /// features of which some are in every sample and others in few, and more samples than features: what a preconditioner is for.
    pub uneven_diagonal: bool,
    /// Whether [`Curvature::hessian_block_at`] costs as much as the rows and columns that are asked for, not as a product for each column.
    pub hessian_blocks: bool,
    /// Bytes that the problem takes, beside the caller's matrix, to form a dense Hessian, Gauss–Newton matrix or JᵀJ.
    pub dense_bytes: u64,
}

impl Structure {
    /// The structure of `problem`; the number of residuals and the linear parameters are asked of its residuals where it does not say
    /// how many there are.
    pub fn of<P: Curvature + ?Sized>(problem: &P) -> Self {
        let mut structure = problem.structure();
        if structure.residuals.is_none() {
            let view = problem.as_least_squares();
            structure.residuals = view.as_ref().map(|view| view.residual_len());
            structure.linear = view.and_then(|view| LinearBlock::of(&*view));
        }
        structure
    }

    /// A least-squares problem of which nothing else is known.
    pub fn of_residuals<P: LeastSquares + ?Sized>(problem: &P) -> Self {
        let (residuals, linear) = (Some(problem.residual_len()), LinearBlock::of(problem));
        Self { residuals, linear, ..Self::default() }
    }
}
