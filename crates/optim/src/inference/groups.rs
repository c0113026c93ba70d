//! Inference where J is an arrow: of every group its own parameters and the shared ones, no matrix of all parameters.
//!
//! R of a group's own columns with the shared R below gives the covariance of its own and the shared parameters, the other groups' own ones
//! estimated beside them: C = s²(RᵀR)⁻¹. O(m(p + q)²) operations, memory that of the blocks.
//! Source: Björck (1996) §6.3.

use super::build::{Derived, Infer};
use super::factor::{Factor, in_units, power_of_two_below};
use super::sandwich::{Sandwich, weights};
use super::whole::Whole;
use super::{Inference, InferenceError};
use crate::linalg::arrow::{ArrowBlocks, ArrowQr, Asked, Triangle};
use crate::linalg::vector;
use crate::problem::bounds::Bounds;
use faer::Mat;
use secant_core::problem::Arrow;

/// A group's own parameters and the shared ones as a problem of their own.
struct Local {
    /// Which of all parameters they are.
    parameters: Vec<usize>,
    /// Those of them that are not held.
    free: Vec<usize>,
}

impl Infer<'_> {
    /// One inference for each group of a problem whose J is an [arrow](secant_core::problem::LeastSquares::arrow), of its own parameters and
    /// the shared ones in this order; the fit as a whole is the same in all. `derive(g)` gives what is reported of group g in place of these,
    /// with the derivatives by them and with the start, where there is one.
    ///
    /// ```
    /// use secant_core::problem::{Arrow, ArrowGroup, InBox, LeastSquares, Objective};
    /// use secant_optim::inference::Inference;
    /// # use faer::MatMut;
    /// # struct Levels(Arrow);
    /// # const Y: [f64; 5] = [1.0, 1.2, 3.1, 2.9, 3.0];
    /// # impl Objective for Levels {
    /// #     fn dim(&self) -> usize { 2 }
    /// #     fn value(&self, p: &[f64]) -> f64 { self.residuals(p, &mut [0.0; 5]) }
    /// #     fn value_gradient(&self, p: &[f64], g: &mut [f64]) -> f64 {
    /// #         let mut r = [0.0; 5];
    /// #         let value = self.residuals(p, &mut r);
    /// #         self.jacobian_transpose_vector(p, &r, g);
    /// #         value
    /// #     }
    /// # }
    /// # impl LeastSquares for Levels {
    /// #     fn residual_len(&self) -> usize { 5 }
    /// #     fn residuals(&self, p: &[f64], r: &mut [f64]) -> f64 {
    /// #         for i in 0..5 { r[i] = p[usize::from(i > 1)] - Y[i]; }
    /// #         0.5 * r.iter().map(|r| r * r).sum::<f64>()
    /// #     }
    /// #     fn jacobian_vector(&self, _: &[f64], v: &[f64], out: &mut [f64]) {
    /// #         for i in 0..5 { out[i] = v[usize::from(i > 1)]; }
    /// #     }
    /// #     fn jacobian_transpose_vector(&self, _: &[f64], u: &[f64], out: &mut [f64]) {
    /// #         (out[0], out[1]) = (u[0] + u[1], u[2] + u[3] + u[4]);
    /// #     }
    /// #     fn normal_equations(&self, _: &[f64], _: MatMut<'_, f64>, _: &mut [f64]) -> f64 { unimplemented!() }
    /// #     fn jacobian(&self, p: &[f64], r: &mut [f64], mut j: MatMut<'_, f64>) -> f64 {
    /// #         for i in 0..5 { (j[(i, 0)], j[(i, 1)]) = (f64::from(u8::from(i < 2)), f64::from(u8::from(i > 1))); }
    /// #         self.residuals(p, r)
    /// #     }
    /// #     fn arrow(&self) -> Option<&Arrow> { Some(&self.0) }
    /// # }
    /// # let groups = vec![ArrowGroup { rows: 0..2, own: 0..1 }, ArrowGroup { rows: 2..5, own: 1..2 }];
    /// # let problem = Levels(Arrow { shared: 0..0, groups });
    /// // Two levels, each of its own readings: two of the first, three of the second.
    /// let found = Inference::of(&problem, &[1.1, 3.0]).names(["low", "high"]).compute_groups(|_| None)?;
    /// let error = |g: usize, name| found[g].estimate(name).unwrap().standard_error;
    /// assert!((error(0, "low") / error(1, "high") - f64::sqrt(3.0 / 2.0)).abs() < 1e-12);
    /// # Ok::<(), secant_optim::inference::InferenceError>(())
    /// ```
    ///
    /// # Errors
    /// As [`compute`](Self::compute); a problem that is no arrow.
    pub fn compute_groups(
        &self,
        derive: impl Fn(usize) -> Option<(Derived, Option<Vec<f64>>)>,
    ) -> Result<Vec<Inference>, InferenceError> {
        let names = self.checked()?;
        let Some(arrow) = self.problem.arrow() else {
            let fault = "its J is no arrow: it has no groups with parameters of their own";
            return Err(InferenceError::Problem(fault.to_owned()));
        };
        let (m, n) = (self.problem.residual_len(), self.theta.len());
        if let Some(fault) = arrow.fault(m, n) {
            return Err(InferenceError::Problem(fault));
        }
        let observations = self.observations()?;
        let mut blocks = ArrowBlocks::new(arrow.clone());
        let residuals = self.blocks(&mut blocks, &names)?;
        let held: Vec<bool> = (0..n).map(|j| self.held(j)).collect();
        let scales = scales(&blocks, n);
        let mut qr = ArrowQr::new(arrow);
        qr.factor(&blocks, &scales);
        let asked = Asked { damping: 0.0, held: Some(&held), resolution: self.resolution() };
        qr.reduce(asked, &vec![0.0; ArrowQr::right_len(arrow)], None);
        let wanted = self.sandwich.is_some() || observations.rows < m;
        let rows = if wanted { qr.q_rows() } else { Vec::new() };
        let leverages = leverages(arrow, &rows, observations.rows);
        let estimated =
            if observations.rows < m { leverages.iter().sum() } else { qr.whole_rank() as f64 };
        let whole = self.whole(&residuals, observations, estimated);
        let meats = match self.sandwich {
            Some(sandwich) => {
                let data = &residuals[..observations.rows];
                Some(meats(sandwich, (arrow, &rows, &qr), (data, &leverages), &whole)?)
            }
            None => None,
        };
        let local = |g: usize| {
            let group = &arrow.groups[g];
            let parameters: Vec<usize> =
                (0..arrow.width(group)).map(|c| arrow.parameter(group, c)).collect();
            let free = (0..parameters.len()).filter(|c| !held[parameters[*c]]).collect();
            Local { parameters, free }
        };
        (0..arrow.groups.len())
            .map(|g| {
                let local = local(g);
                let mut factor = local.factor(&qr.triangle(g, &held), &scales, self.resolution());
                factor.variance = whole.variance;
                if let Some(meats) = &meats {
                    factor.set_meat(meats[g].clone());
                }
                self.of_group(&whole, &local, factor, &names, derive(g))
            })
            .collect()
    }

    /// r, and the blocks of J.
    fn blocks(
        &self,
        blocks: &mut ArrowBlocks,
        names: &[String],
    ) -> Result<Vec<f64>, InferenceError> {
        let mut residuals = vec![0.0; self.problem.residual_len()];
        let within = self.bounds.as_ref().filter(|bounds| bounds.contains(self.theta));
        let within = within.map(Bounds::as_box);
        self.problem.arrow_jacobian(self.theta, within, &mut residuals, &mut blocks.entries);
        if let Some(row) = residuals.iter().position(|r| !r.is_finite()) {
            return Err(InferenceError::Residual { row, value: residuals[row] });
        }
        for (j, rows, entries) in blocks.columns() {
            if let Some(odd) = entries.iter().position(|entry| !entry.is_finite()) {
                let (row, name, value) = (rows.start + odd, names[j].clone(), entries[odd]);
                return Err(InferenceError::Derivative { row, name, value });
            }
        }
        Ok(residuals)
    }

    fn of_group(
        &self,
        whole: &Whole,
        local: &Local,
        factor: Factor,
        names: &[String],
        derived: Option<(Derived, Option<Vec<f64>>)>,
    ) -> Result<Inference, InferenceError> {
        let pick = |all: &[f64]| local.parameters.iter().map(|j| all[*j]).collect::<Vec<_>>();
        let theta = pick(self.theta);
        let names: Vec<String> = local.parameters.iter().map(|j| names[*j].clone()).collect();
        let mut of = Infer::new(self.problem, &theta);
        (of.absolute, of.sandwich, of.level) = (self.absolute, self.sandwich, self.level);
        of.start = self.start.as_ref().map(|start| pick(start));
        if let Some(bounds) = &self.bounds {
            // Bounds of a group are some of those that were checked.
            of.bounds = Bounds::new(pick(bounds.lower()), pick(bounds.upper())).ok();
        }
        if let Some((derived, start)) = derived {
            Self::check_derived(&derived, theta.len(), start.as_deref())?;
            (of.derived, of.start) = (Some(derived), start);
        }
        Ok(of.assemble(whole, factor, &names, &local.free))
    }
}

impl Local {
    fn factor(&self, triangle: &Triangle, scales: &[f64], resolution: f64) -> Factor {
        let place = |column: &usize| self.free.iter().position(|free| free == column).unwrap_or(0);
        let scales: Vec<f64> =
            self.free.iter().map(|column| scales[self.parameters[*column]]).collect();
        let dependent = triangle.dependent.iter();
        let order: Vec<usize> =
            triangle.order.iter().chain(dependent.map(|(column, _)| column)).map(place).collect();
        let rank = triangle.order.len();
        let open = triangle.dependent.iter().enumerate().map(|(k, (_, entries))| {
            let mut leading: Vec<f64> = entries.iter().map(|entry| -entry).collect();
            for j in (0..rank).rev() {
                let row = &triangle.r[j * rank..(j + 1) * rank];
                leading[j] = (leading[j] - vector::dot(&row[j + 1..], &leading[j + 1..])) / row[j];
            }
            let mut direction = vec![0.0; scales.len()];
            for (value, j) in leading.iter().zip(&order) {
                direction[*j] = *value;
            }
            direction[order[rank + k]] = 1.0;
            in_units(direction, &scales, resolution)
        });
        let open = open.collect();
        let of = (self.parameters.len(), self.free.clone());
        Factor::of_parts(of, scales, order, triangle.r.clone(), open)
    }
}

/// Powers of two that make the columns of one length.
fn scales(blocks: &ArrowBlocks, n: usize) -> Vec<f64> {
    let mut scales = vec![0.0; n];
    blocks.column_norms(&mut scales);
    for scale in &mut scales {
        *scale = power_of_two_below(*scale);
    }
    scales
}

/// ‖·‖² of the rows of Q, of those of the data; empty where Q is not at hand.
fn leverages(arrow: &Arrow, q: &[Vec<f64>], rows: usize) -> Vec<f64> {
    let mut all = Vec::new();
    for (group, q) in arrow.groups.iter().zip(q) {
        let m = group.rows.len();
        all.extend((0..m).map(|i| q[i..].iter().step_by(m).map(|q| q * q).sum::<f64>()));
    }
    all.truncate(rows);
    all
}

/// Qᵀ·diag(ωᵢrᵢ²)·Q in the rows and columns of each group's triangle.
fn meats(
    sandwich: Sandwich,
    (arrow, q, qr): (&Arrow, &[Vec<f64>], &ArrowQr),
    (residuals, leverages): (&[f64], &[f64]),
    whole: &Whole,
) -> Result<Vec<Vec<f64>>, InferenceError> {
    let counted = (whole.observations.counted as f64, whole.degrees);
    let resolution = f64::EPSILON * residuals.len() as f64;
    let weights = weights(sandwich, residuals, Some(leverages), counted, resolution)?;
    let product = |(group, q): (&secant_core::problem::ArrowGroup, &Vec<f64>)| {
        let m = group.rows.len();
        let columns = q.len() / m.max(1);
        let weight = |i: usize| weights.get(group.rows.start + i).copied().unwrap_or(0.0);
        let weighted = Mat::from_fn(m, columns, |i, k| weight(i) * q[k * m + i]);
        weighted.transpose() * &weighted
    };
    let each: Vec<Mat<f64>> = arrow.groups.iter().zip(q).map(product).collect();
    // Of the shared columns every group has a part.
    let shared = each.first().map_or(0, |first| first.ncols() - qr.own_rank(0));
    let sum = Mat::from_fn(shared, shared, |a, b| {
        let parts = each.iter().enumerate();
        parts.map(|(g, meat)| meat[(qr.own_rank(g) + a, qr.own_rank(g) + b)]).sum::<f64>()
    });
    let whole = |(g, meat): (usize, &Mat<f64>)| {
        let (own, rank) = (qr.own_rank(g), meat.ncols());
        let entry = |i: usize, k: usize| match (i.checked_sub(own), k.checked_sub(own)) {
            (Some(i), Some(k)) => sum[(i, k)],
            _ => meat[(i, k)],
        };
        (0..rank * rank).map(|at| entry(at / rank, at % rank)).collect()
    };
    Ok(each.iter().enumerate().map(whole).collect())
}
