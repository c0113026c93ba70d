//! The view through residuals.

use crate::distributed::{Distributed, fingerprint, or_nan};
use faer::{Mat, MatMut};
use secant_core::problem::{LeastSquares, LinearPart, Linearization, Objective, Observations};
use secant_core::risk::{Partials, ResidualsPart};
use std::ops::Range;

/// [`Distributed`] as half a sum of squares, where it is one.
///
/// JᵀJ with Jᵀr is one collective of n²/2 numbers for each node. Residuals are rows, not sums: every rank has those of all samples, N·c
/// numbers, after one collective of as many; what takes a dense J likewise.
#[derive(Debug)]
pub struct DistributedResiduals<'a> {
    whole: &'a Distributed<'a>,
    view: ResidualsPart<'a>,
}

impl<'a> DistributedResiduals<'a> {
    pub(crate) fn new(whole: &'a Distributed<'a>) -> Option<Self> {
        whole.part.residuals().map(|view| Self { whole, view })
    }

    /// `out` ← the rows of all ranks, `width` numbers each, and those of the penalty. `own` gives the rows of this rank with the penalty's.
    /// `per_sample` rows for each sample.
    fn rows(
        &self,
        (name, about): (&'static str, u64),
        (width, per_sample): (usize, usize),
        out: &mut [f64],
        own: impl FnOnce() -> Vec<f64>,
    ) -> bool {
        let shared = self.whole.shared;
        let rows = |rank: usize| shared.samples_of(rank).len() * per_sample * width;
        let lens: Vec<usize> = (0..self.whole.ranks.size()).map(rows).collect();
        let mine = lens[self.whole.ranks.rank()];
        let data = shared.samples() * per_sample * width;
        let mut penalty = Vec::new();
        let said = self.whole.exchange(name, about, &lens, || {
            let mut own = own();
            penalty = own.split_off(mine);
            own
        });
        let Some(said) = said else {
            out.fill(f64::NAN);
            return false;
        };
        let mut first = 0;
        for (rank, len) in lens.iter().enumerate() {
            out[first..first + len].copy_from_slice(said.of(rank));
            first += len;
        }
        out[data..].copy_from_slice(&penalty);
        true
    }

    /// c
    fn outputs(&self) -> usize {
        self.view.penalty_rows().start / self.whole.shared.samples()
    }

    /// Rows of this rank and of the penalty.
    fn own_len(&self) -> usize {
        self.view.rows().len() + self.view.penalty_rows().len()
    }

    /// r and a matrix with `per_sample` rows for each sample, whose rows `own` gives for this rank and the penalty, `own_rows` of them; returns
    /// ½‖r‖².
    fn residuals_and_rows(
        &self,
        topic: (&'static str, u64),
        (own_rows, per_sample): (usize, usize),
        (residuals, mut matrix): (&mut [f64], MatMut<'_, f64>),
        own: impl FnOnce(&mut [f64], MatMut<'_, f64>),
    ) -> f64 {
        let width = matrix.ncols();
        // A sample's residuals, and then its rows.
        let (c, own_samples) = (self.outputs(), self.view.rows().len() / self.outputs());
        let sample = c + per_sample * width;
        let (of_penalty, rows_of_penalty) =
            (self.view.penalty_rows().len(), own_rows - own_samples * per_sample);
        let samples = self.whole.shared.samples();
        let after = of_penalty + rows_of_penalty * width;
        let mut all = vec![0.0; samples * sample + after];
        let there = self.rows(topic, (sample, 1), &mut all, || {
            let (mut r, mut local) = (vec![0.0; self.own_len()], Mat::zeros(own_rows, width));
            own(&mut r, local.as_mut());
            let mut said = Vec::with_capacity(own_samples * sample + after);
            let mut push = |residuals: Range<usize>, rows: Range<usize>| {
                said.extend_from_slice(&r[residuals]);
                for i in rows {
                    said.extend((0..width).map(|j| local[(i, j)]));
                }
            };
            for i in 0..own_samples {
                push(i * c..(i + 1) * c, i * per_sample..(i + 1) * per_sample);
            }
            push(own_samples * c..r.len(), own_samples * per_sample..own_rows);
            said
        });
        let mut take = |said: &[f64], first: (usize, usize), counts: (usize, usize)| {
            let (r, rows) = said.split_at(counts.0);
            residuals[first.0..first.0 + counts.0].copy_from_slice(r);
            for (i, row) in rows.chunks_exact(width).enumerate() {
                row.iter().enumerate().for_each(|(j, entry)| matrix[(first.1 + i, j)] = *entry);
            }
        };
        let (of_samples, of_penalties) = all.split_at(samples * sample);
        for (i, said) in of_samples.chunks_exact(sample).enumerate() {
            take(said, (i * c, i * per_sample), (c, per_sample));
        }
        take(of_penalties, (samples * c, samples * per_sample), (of_penalty, rows_of_penalty));
        if there { self.view.value_of(residuals) } else { f64::NAN }
    }
}

impl Objective for DistributedResiduals<'_> {
    fn dim(&self) -> usize {
        self.whole.dim()
    }
    fn value(&self, theta: &[f64]) -> f64 {
        self.whole.value(theta)
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.whole.value_gradient(theta, gradient)
    }
}

impl LeastSquares for DistributedResiduals<'_> {
    fn residual_len(&self) -> usize {
        self.view.len()
    }

    fn residuals(&self, theta: &[f64], residuals: &mut [f64]) -> f64 {
        let topic = ("residuals", fingerprint(theta));
        let there = self.rows(topic, (1, self.outputs()), residuals, || {
            let mut own = vec![0.0; self.own_len()];
            self.view.residuals(theta, &mut own);
            own
        });
        if there { self.view.value_of(residuals) } else { f64::NAN }
    }

    fn jacobian_vector(&self, theta: &[f64], v: &[f64], out: &mut [f64]) {
        let topic = ("J·v", fingerprint(theta) ^ fingerprint(v));
        self.rows(topic, (1, self.outputs()), out, || {
            let mut own = vec![0.0; self.own_len()];
            self.view.jacobian_vector(theta, v, &mut own);
            own
        });
    }

    fn jacobian_transpose_vector(&self, theta: &[f64], u: &[f64], out: &mut [f64]) {
        let topic = ("Jᵀ·u", fingerprint(theta) ^ fingerprint(u));
        let own = || self.view.transpose_vector(theta, &u[self.view.rows()]);
        let sums = self.whole.sum(topic, (self.dim(), false), own);
        let penalty = &u[self.view.penalty_rows()];
        let finish = |sums| self.view.finish_transpose(penalty, &sums, out).is_ok();
        let finished = sums.is_some_and(finish);
        if !finished {
            out.fill(f64::NAN);
        }
    }

    fn normal_equations(
        &self,
        theta: &[f64],
        mut normal: MatMut<'_, f64>,
        gradient: &mut [f64],
    ) -> f64 {
        let topic = ("normal equations", fingerprint(theta));
        let width = self.view.normal_width();
        let sums = self.whole.sum(topic, (width, true), || self.view.normal_equations(theta));
        let finish =
            |sums: Partials| self.view.finish_normal(theta, &sums, normal.as_mut(), gradient).ok();
        let value = sums.and_then(finish);
        if value.is_none() {
            normal.fill(f64::NAN);
        }
        or_nan(value, gradient)
    }

    fn jacobian(&self, theta: &[f64], residuals: &mut [f64], jacobian: MatMut<'_, f64>) -> f64 {
        let (topic, rows) = (("Jacobian", fingerprint(theta)), (self.own_len(), self.outputs()));
        self.residuals_and_rows(topic, rows, (residuals, jacobian), |residuals, jacobian| {
            self.view.jacobian(theta, residuals, jacobian);
        })
    }

    fn normal_diagonal(&self, theta: &[f64], out: &mut [f64]) {
        let topic = ("diagonal of JᵀJ", fingerprint(theta));
        let sums = self.whole.sum(topic, (out.len(), false), || self.view.normal_diagonal(theta));
        let finished = sums.is_some_and(|sums| self.view.finish_diagonal(&sums, out).is_ok());
        if !finished {
            out.fill(f64::NAN);
        }
    }

    fn linearization(&self, theta: &[f64]) -> Option<Box<dyn Linearization + '_>> {
        Some(Box::new(crate::linearized::DistributedAt::new(self.whole, theta)))
    }

    fn linear_parameters(&self) -> Vec<Range<usize>> {
        self.view.linear_parameters()
    }

    fn linear_part(&self, ranges: &[Range<usize>]) -> LinearPart {
        self.view.linear_part(ranges)
    }

    fn linear_design(
        &self,
        theta: &[f64],
        part: &LinearPart,
        residuals: &mut [f64],
        design: MatMut<'_, f64>,
    ) -> f64 {
        let own = self.view.design_shape(&part.ranges).0;
        let (topic, rows) = (("design", fingerprint(theta)), (own, self.outputs() / part.copies));
        self.residuals_and_rows(topic, rows, (residuals, design), |residuals, design| {
            self.view.linear_design(theta, &part.ranges, residuals, design);
        })
    }

    fn observations(&self) -> Observations {
        let data = &self.whole.shared.data;
        let (own, c) = (self.view.rows().len() / self.outputs(), self.outputs());
        let mut targets = vec![0.0; self.view.penalty_rows().start];
        let y = data.targets().values().unwrap_or_default();
        self.rows(("targets", 0), (1, c), &mut targets, || y[..own * c].to_vec());
        let weights = data.weights().map(|weights| {
            let mut every = vec![0.0; self.whole.shared.samples()];
            self.rows(("weights", 0), (1, 1), &mut every, || weights[..own].to_vec());
            every
        });
        self.view.observations(&targets, weights.as_deref())
    }

    fn parameters_name(&self, range: &Range<usize>) -> String {
        self.view.parameters_name(range)
    }
}
