//! The least squares of a curve by groups: f(θ) = Σ wᵢ(zᵢ − yᵢ)²/(2Σwᵢ), θ = (shared parameters, own ones of every group).
//!
//! J is an arrow. With one group it is the problem of a curve by itself.

use super::evaluate::{CurveEvaluator, CurveModel};
use rayon::prelude::*;
use secant_core::data::Dataset;
use secant_core::faer::MatMut;
use secant_core::problem::{
    Arrow, ArrowGroup, Asked, Derivatives, InBox, LeastSquares, Objective, Observations,
};
use secant_core::rho::Rho;
use std::ops::Range;

/// Fewer groups than this are not worth another thread.
const TOGETHER: usize = 4;

/// Which parameters of a curve are each group's own, and where they lie in θ.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// By position among the parameters of the curve, ascending.
    pub shared: Vec<usize>,
    pub own: Vec<usize>,
    /// The samples of each group, which lie one after the other.
    pub groups: Vec<Range<usize>>,
}

impl Layout {
    /// All parameters of one group, which is all samples.
    pub(super) fn alone(parameters: usize, samples: usize) -> Self {
        let groups = vec![Range { start: 0, end: samples }];
        Self { shared: (0..parameters).collect(), own: Vec::new(), groups }
    }

    /// The length of θ.
    pub(super) fn dim(&self) -> usize {
        self.shared.len() + self.groups.len() * self.own.len()
    }

    /// Where in θ parameter `k` of group `g` lies.
    pub(super) fn place(&self, g: usize, k: usize) -> usize {
        let own = self.own.iter().position(|own| *own == k);
        let first = self.shared.len() + g * self.own.len();
        let shared = || self.shared.iter().position(|shared| *shared == k);
        own.map_or_else(|| shared().unwrap_or(0), |own| first + own)
    }

    /// The parameters of group `g`, in the order of the curve.
    pub(super) fn of_group<T: Copy>(&self, g: usize, theta: &[T]) -> Vec<T> {
        let n = self.shared.len() + self.own.len();
        (0..n).map(|k| theta[self.place(g, k)]).collect()
    }

    /// The parameters of the curve in the order of a group's block: its own, then the shared ones.
    pub(super) fn order(&self) -> Vec<usize> {
        self.own.iter().chain(&self.shared).copied().collect()
    }

    fn arrow(&self, outputs: usize) -> Arrow {
        let (q, p) = (self.shared.len(), self.own.len());
        let group = |(g, samples): (usize, &Range<usize>)| ArrowGroup {
            rows: samples.start * outputs..samples.end * outputs,
            own: q + g * p..q + (g + 1) * p,
        };
        Arrow { shared: 0..q, groups: self.groups.iter().enumerate().map(group).collect() }
    }
}

/// The problem.
#[derive(Debug)]
pub(super) struct CurveProblem<'a> {
    model: &'a dyn CurveModel,
    layout: &'a Layout,
    arrow: Arrow,
    data: &'a Dataset,
    /// y without offsets, c × N.
    targets: Vec<f64>,
    /// √(wᵢ/Σw)
    roots: Vec<f64>,
    /// ρ with its scale in the units of y, in place of the square.
    robust: Option<(Rho, f64)>,
}

impl<'a> CurveProblem<'a> {
    pub(super) fn new(model: &'a dyn CurveModel, layout: &'a Layout, data: &'a Dataset) -> Self {
        let y = data.targets().values().unwrap_or_default();
        let (c, rows) = (model.outputs(), data.offset_rows());
        let offset = |at: usize| {
            let each = data.offset();
            each.map_or(0.0, |offset| offset[at / c * rows + (at % c).min(rows - 1)])
        };
        let targets = y.iter().enumerate().map(|(at, y)| y - offset(at)).collect();
        let weight = |i: usize| data.weights().map_or(1.0, |weights| weights[i]);
        let sum: f64 = (0..data.samples()).map(weight).sum();
        let roots = (0..data.samples()).map(|i| (weight(i) / sum).sqrt()).collect();
        let arrow = layout.arrow(c);
        Self { model, layout, arrow, data, targets, roots, robust: None }
    }

    /// ρ in place of the square, its scale in the units of y.
    pub(super) fn set_robust(&mut self, rho: Rho, scale: f64) {
        self.robust = Some((rho, scale));
    }

    /// The weight of every residual.
    pub(super) fn row_weights(&self) -> Vec<f64> {
        let c = self.model.outputs();
        self.roots.iter().flat_map(|root| std::iter::repeat_n(root * root, c)).collect()
    }

    /// z − y of every output, not weighted.
    pub(super) fn plain_residuals(&self, theta: &[f64]) -> Vec<f64> {
        let mut z = vec![0.0; self.targets.len()];
        self.each(theta, &mut z, |evaluator, theta, g, z| {
            evaluator.values(theta, self.inputs(g), z);
        });
        z.iter_mut().zip(&self.targets).for_each(|(z, y)| *z -= y);
        z
    }

    fn inputs(&self, g: usize) -> &[f64] {
        let (samples, d) = (&self.layout.groups[g], self.data.features());
        &self.data.inputs()[samples.start * d..samples.end * d]
    }

    /// `work(evaluator, parameters, group, its part of out)` for every group.
    fn each(
        &self,
        theta: &[f64],
        out: &mut [f64],
        work: impl Fn(&mut dyn CurveEvaluator, &[f64], usize, &mut [f64]) + Sync,
    ) {
        let mut rest = out;
        let mut parts = Vec::with_capacity(self.arrow.groups.len());
        for group in &self.arrow.groups {
            let (part, behind) = rest.split_at_mut(group.rows.len());
            rest = behind;
            parts.push(part);
        }
        let each = parts.into_par_iter().with_min_len(TOGETHER).enumerate();
        each.for_each_init(
            || self.model.evaluator(),
            |evaluator, (g, part)| {
                work(&mut **evaluator, &self.layout.of_group(g, theta), g, part);
            },
        );
    }

    /// z − y of row `row` → its residual; the factor that its derivatives take.
    fn compare(&self, row: usize, z: &mut f64) -> f64 {
        let root = self.roots[row / self.model.outputs()];
        *z -= self.targets[row];
        let slope = self.robust.map_or(1.0, |(rho, scale)| rho.bend(scale, z));
        *z *= root;
        root * slope
    }

    /// Runs `work` on r and the blocks of J.
    fn with_blocks<T>(&self, theta: &[f64], work: impl FnOnce(f64, &[f64], &[f64]) -> T) -> T {
        let (mut r, mut entries) =
            (vec![0.0; self.residual_len()], vec![0.0; self.arrow.entries()]);
        let value = self.arrow_jacobian(theta, None, &mut r, &mut entries);
        work(value, &r, &entries)
    }

    /// `visit(parameter, rows, entries)` of every column of every block.
    fn columns(&self, entries: &[f64], mut visit: impl FnMut(usize, Range<usize>, &[f64])) {
        let mut rest = entries;
        for group in &self.arrow.groups {
            for column in 0..self.arrow.width(group) {
                let (these, behind) = rest.split_at(group.rows.len());
                rest = behind;
                visit(self.arrow.parameter(group, column), group.rows.clone(), these);
            }
        }
    }
}

fn half_square(r: &[f64]) -> f64 {
    0.5 * r.iter().map(|r| r * r).sum::<f64>()
}

impl Objective for CurveProblem<'_> {
    fn dim(&self) -> usize {
        self.layout.dim()
    }
    fn value(&self, theta: &[f64]) -> f64 {
        self.residuals(theta, &mut vec![0.0; self.targets.len()])
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.fill(0.0);
        self.with_blocks(theta, |value, r, entries| {
            self.columns(entries, |j, rows, entries| {
                gradient[j] +=
                    entries.iter().zip(&r[rows]).map(|(entry, r)| entry * r).sum::<f64>();
            });
            value
        })
    }
    fn notes(&self, _: &[f64], asked: Asked<'_>) -> Vec<String> {
        let differences = self.model.derivatives() == Derivatives::Differences;
        let said = "derivatives by differences of the function: expect about 1e-10 relative";
        if asked.first && differences { vec![said.to_owned()] } else { Vec::new() }
    }
}

impl LeastSquares for CurveProblem<'_> {
    fn residual_len(&self) -> usize {
        self.targets.len()
    }
    fn residuals(&self, theta: &[f64], residuals: &mut [f64]) -> f64 {
        self.each(theta, residuals, |evaluator, theta, g, r| {
            evaluator.values(theta, self.inputs(g), r);
            let first = self.arrow.groups[g].rows.start;
            for (i, r) in r.iter_mut().enumerate() {
                self.compare(first + i, r);
            }
        });
        half_square(residuals)
    }
    fn jacobian_vector(&self, theta: &[f64], v: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        self.with_blocks(theta, |_, _, entries| {
            self.columns(entries, |j, rows, entries| {
                out[rows].iter_mut().zip(entries).for_each(|(out, entry)| *out += entry * v[j]);
            });
        });
    }
    fn jacobian_transpose_vector(&self, theta: &[f64], u: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        self.with_blocks(theta, |_, _, entries| {
            self.columns(entries, |j, rows, entries| {
                out[j] += entries.iter().zip(&u[rows]).map(|(entry, u)| entry * u).sum::<f64>();
            });
        });
    }
    fn jacobian(&self, theta: &[f64], residuals: &mut [f64], mut jacobian: MatMut<'_, f64>) -> f64 {
        jacobian.fill(0.0);
        self.with_blocks(theta, |value, r, entries| {
            residuals.copy_from_slice(r);
            self.columns(entries, |j, rows, entries| {
                for (row, entry) in rows.zip(entries) {
                    jacobian[(row, j)] = *entry;
                }
            });
            value
        })
    }
    fn arrow(&self) -> Option<&Arrow> {
        Some(&self.arrow)
    }
    fn arrow_jacobian(
        &self,
        theta: &[f64],
        within: Option<InBox<'_>>,
        residuals: &mut [f64],
        entries: &mut [f64],
    ) -> f64 {
        let (order, n) = (self.layout.order(), self.model.parameters());
        let mut rest = entries;
        let mut parts = Vec::with_capacity(self.arrow.groups.len());
        let mut left = &mut *residuals;
        for group in &self.arrow.groups {
            let (block, behind) = rest.split_at_mut(group.rows.len() * n);
            rest = behind;
            let (r, behind) = left.split_at_mut(group.rows.len());
            left = behind;
            parts.push((block, r));
        }
        let each = parts.into_par_iter().with_min_len(TOGETHER).enumerate();
        each.for_each_init(
            || (self.model.evaluator(), Vec::new()),
            |(evaluator, rows), (g, (block, r))| {
                let theta = self.layout.of_group(g, theta);
                let ends = within.map(|within| {
                    let of = |ends| self.layout.of_group(g, ends);
                    (of(within.lower), of(within.upper))
                });
                let within = ends.as_ref().map(|(lower, upper)| InBox { lower, upper });
                rows.resize(block.len(), 0.0);
                evaluator.values_jacobian(&theta, within, self.inputs(g), r, rows);
                let (m, first) = (r.len(), self.arrow.groups[g].rows.start);
                for (i, r) in r.iter_mut().enumerate() {
                    let factor = self.compare(first + i, r);
                    for (column, k) in order.iter().enumerate() {
                        block[column * m + i] = factor * rows[i * n + k];
                    }
                }
            },
        );
        half_square(residuals)
    }
    fn derivatives(&self) -> Derivatives {
        self.model.derivatives()
    }
    fn observations(&self) -> Observations {
        let (c, samples) = (self.model.outputs(), self.data.samples());
        let y = self.data.targets().values().unwrap_or_default();
        let weight = |i: usize| self.data.weights().map_or(1.0, |weights| weights[i]);
        let counted: Vec<usize> = (0..samples).filter(|i| weight(*i) > 0.0).collect();
        let sum: f64 = counted.iter().map(|i| weight(*i)).sum();
        let total = |k: usize| {
            let each = || counted.iter().map(|i| (weight(*i), y[i * c + k]));
            let mean = each().map(|(w, y)| w * y).sum::<f64>() / sum;
            each().map(|(w, y)| w * (y - mean) * (y - mean)).sum::<f64>()
        };
        let log_weight = counted.iter().map(|i| 0.5 * weight(*i).ln()).sum::<f64>();
        Observations {
            rows: samples * c,
            counted: counted.len() * c,
            unit: sum.sqrt(),
            log_weight: log_weight * c as f64,
            total: Some(((0..c).map(total).sum(), c)),
        }
    }
}
