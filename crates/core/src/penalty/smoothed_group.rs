//! R(θ) = λ·Σ_g √p_g·(√(‖θ_g‖² + ε²) − ε): the group lasso, its kink at θ_g = 0 smoothed over a width ε.
//!
//! A group of p_g entries either counts or shrinks towards zero as a whole. With the kink itself a group would end exactly at zero; no
//! method here takes that. Smoothed, any method does, and a group that does not count ends with a norm far below ε, at best; the
//! curvature there is λ√p_g/ε.
//! Source: Yuan & Lin (2006), JRSS B 68, for the penalty and √p_g.

use super::{Penalty, PenaltyError, check_option, named};
use crate::choice::Choice;
use crate::params::{ParamBlock, Parameters};
use faer::MatMut;
use serde::{Deserialize, Serialize};

const NAME: &str = "smoothed group";

/// What the groups of a block are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Groups {
    /// The whole block.
    #[default]
    Block,
    /// Its columns: for weights (outputs × inputs), all that goes out from one input.
    Columns,
    /// Its rows: for weights, all that comes into one output.
    Rows,
}

/// The smoothed group lasso over some blocks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SmoothedGroup {
    /// λ ≥ 0.
    pub lambda: f64,
    /// ε > 0, in units of θ.
    pub width: f64,
    /// The blocks and their groups.
    pub blocks: Vec<(String, Groups)>,
}

impl SmoothedGroup {
    /// λ and ε, no block yet. All is checked when a risk is made of it.
    pub fn new(lambda: f64, width: f64) -> Self {
        Self { lambda, width, blocks: Vec::new() }
    }

    /// Takes the groups of the block called `name` in.
    pub fn block(mut self, name: impl Into<String>, groups: Groups) -> Self {
        self.blocks.push((name.into(), groups));
        self
    }

    /// Calls `each(group)` for all groups.
    fn each(&self, parameters: &Parameters, mut each: impl FnMut(Group)) {
        for (name, groups) in &self.blocks {
            let Some(at) = parameters.position(name) else { continue };
            let block = &parameters.blocks()[at];
            for index in 0..Group::count(block, *groups) {
                each(Group::of(block, *groups, index));
            }
        }
    }

    /// λ√p/√(‖θ_g‖² + ε²), and the root.
    fn slope(&self, group: Group, theta: &[f64]) -> (f64, f64) {
        let squares: f64 = group.indices().map(|j| theta[j] * theta[j]).sum();
        let root = (squares + self.width * self.width).sqrt();
        (self.lambda * (group.len as f64).sqrt() / root, root)
    }
}

/// Entries start, start + step, … of θ.
#[derive(Clone, Copy)]
struct Group {
    start: usize,
    step: usize,
    len: usize,
}

impl Group {
    fn count(block: &ParamBlock, groups: Groups) -> usize {
        match groups {
            Groups::Block => 1,
            Groups::Columns => block.spec.cols,
            Groups::Rows => block.spec.rows,
        }
    }

    fn of(block: &ParamBlock, groups: Groups, index: usize) -> Self {
        let (rows, start) = (block.spec.rows, block.range.start);
        match groups {
            Groups::Block => Self { start, step: 1, len: block.range.len() },
            Groups::Columns => Self { start: start + index * rows, step: 1, len: rows },
            Groups::Rows => Self { start: start + index, step: rows, len: block.spec.cols },
        }
    }

    fn indices(self) -> impl Iterator<Item = usize> + Clone {
        (0..self.len).map(move |k| self.start + k * self.step)
    }
}

impl Penalty for SmoothedGroup {
    fn describe(&self) -> Option<Choice> {
        Choice::with_options("smoothed_group", self)
    }

    fn check(&self) -> Result<(), PenaltyError> {
        let (lambda, width) = (self.lambda, self.width);
        let fits = lambda.is_finite() && lambda >= 0.0;
        check_option(NAME, "lambda", lambda, fits, "finite and ≥ 0")?;
        // ε² must not vanish.
        let fits = width > 0.0 && (width * width).is_normal();
        check_option(NAME, "width", width, fits, "positive and finite, as its square")
    }

    fn check_against(&self, parameters: &Parameters) -> Result<(), PenaltyError> {
        self.check()?;
        self.blocks.iter().try_for_each(|(name, _)| named(NAME, parameters, name).map(|_| ()))
    }

    fn value(&self, parameters: &Parameters, theta: &[f64]) -> f64 {
        let mut value = 0.0;
        self.each(parameters, |group| {
            let (slope, root) = self.slope(group, theta);
            // √(s + ε²) − ε = s/(√(s + ε²) + ε) without cancellation.
            let squares = group.indices().map(|j| theta[j] * theta[j]).sum::<f64>();
            value += slope * root * squares / (root + self.width);
        });
        value
    }

    fn add_gradient(&self, parameters: &Parameters, theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.each(parameters, |group| {
            let (slope, _) = self.slope(group, theta);
            group.indices().for_each(|j| gradient[j] += slope * theta[j]);
        });
        self.value(parameters, theta)
    }

    fn add_hessian_diagonal(&self, parameters: &Parameters, theta: &[f64], diagonal: &mut [f64]) {
        self.each(parameters, |group| {
            let (slope, root) = self.slope(group, theta);
            for j in group.indices() {
                let u = theta[j] / root;
                diagonal[j] += slope * (1.0 - u) * (1.0 + u);
            }
        });
    }

    fn add_off_diagonal_vector(
        &self,
        parameters: &Parameters,
        theta: &[f64],
        v: &[f64],
        out: &mut [f64],
    ) {
        self.each(parameters, |group| {
            let (slope, root) = self.slope(group, theta);
            let along: f64 = group.indices().map(|j| theta[j] / root * v[j]).sum();
            for j in group.indices() {
                let u = theta[j] / root;
                out[j] -= slope * u * (along - u * v[j]);
            }
        });
    }

    fn add_off_diagonal(&self, parameters: &Parameters, theta: &[f64], mut out: MatMut<'_, f64>) {
        self.each(parameters, |group| {
            let (slope, root) = self.slope(group, theta);
            for j in group.indices() {
                for i in group.indices().filter(|i| *i != j) {
                    out[(i, j)] -= slope * (theta[i] / root) * (theta[j] / root);
                }
            }
        });
    }

    fn is_convex(&self) -> bool {
        true
    }
}
