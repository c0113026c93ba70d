//! A table less the means of its columns, in C order whatever its own, on all threads.

use crate::arrays::{Matrix, Vector, numbers, vector};
use crate::{errors, run};
use numpy::ndarray::{ArrayView2, Axis};
use numpy::{PyArray1, PyReadwriteArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rayon::prelude::*;
use secant::core::double_double::two_sum;
use std::ops::Range;

/// Rows of a sum without its rounding carried along.
const RUN: usize = 256;
/// Rows and columns of a task that adds up.
const ROWS: usize = 1 << 14;
const COLUMNS: usize = 64;
/// Rows of a task that writes.
const WRITTEN: usize = 64;
/// Numbers of a cache line: a tile of so many rows and columns is read and written by whole lines.
const LINE: usize = 8;

/// `out` (N × d, C order) ← `x` less its means, which come back: Σwᵢxᵢ/Σwᵢ with `weights`, one of them above 0. A constant column is 0.
///
/// Each mean is added up about the first number that counts, so that large means cost no digits.
#[pyfunction]
#[pyo3(signature = (x, out, weights=None))]
pub fn centre<'py>(
    py: Python<'py>,
    x: Matrix<'py>,
    mut out: PyReadwriteArray2<'py, f64>,
    weights: Option<Vector<'py>>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let x = x.as_array();
    let (samples, features) = x.dim();
    let weights = weights.as_ref().map(|weights| numbers(weights, "sample_weight")).transpose()?;
    if out.as_array().dim() != x.dim() || weights.is_some_and(|w| w.len() != samples) {
        return Err(PyValueError::new_err("out and sample_weight must be as long as X"));
    }
    let first = weights.map_or(Some(0), |weights| weights.iter().position(|w| *w > 0.0));
    let (Some(first), true) = (first.filter(|first| *first < samples), features > 0) else {
        return Err(PyValueError::new_err("X has no samples that count, or no features"));
    };
    let out = out.as_slice_mut().map_err(errors::wrong)?;
    let means = run::here(py, || {
        let means = means(x, weights, first);
        out.par_chunks_mut(WRITTEN * features).enumerate().for_each(|(task, out)| {
            let rows = task * WRITTEN..task * WRITTEN + out.len() / features;
            write(part(x, rows, 0..features), &means, out);
        });
        means
    })?;
    Ok(vector(py, means))
}

fn part(x: ArrayView2<'_, f64>, rows: Range<usize>, columns: Range<usize>) -> ArrayView2<'_, f64> {
    let (_, from) = x.split_at(Axis(0), rows.start);
    let (rows, _) = from.split_at(Axis(0), rows.len());
    let (_, from) = rows.split_at(Axis(1), columns.start);
    from.split_at(Axis(1), columns.len()).0
}

fn means(x: ArrayView2<'_, f64>, weights: Option<&[f64]>, first: usize) -> Vec<f64> {
    let (samples, features) = x.dim();
    let blocks = features.div_ceil(COLUMNS);
    let runs = samples.div_ceil(ROWS);
    let sum = |task: usize| {
        let (rows, columns) = (task / blocks * ROWS, task % blocks * COLUMNS);
        let rows = rows..(rows + ROWS).min(samples);
        let columns = columns..(columns + COLUMNS).min(features);
        let about: Vec<f64> = columns.clone().map(|column| x[[first, column]]).collect();
        sums(part(x, rows.clone(), columns), weights.map(|weights| &weights[rows]), &about)
    };
    let parts: Vec<Vec<[f64; 2]>> = (0..runs * blocks).into_par_iter().map(sum).collect();
    let total = weights.map_or(samples as f64, |weights| weights.iter().sum());
    let mean = |column: usize| {
        let mut sum = [0.0; 2];
        for run in 0..runs {
            let part = parts[run * blocks + column / COLUMNS][column % COLUMNS];
            add(&mut sum, part[0]);
            sum[1] += part[1];
        }
        x[[first, column]] + (sum[0] + sum[1]) / total
    };
    (0..features).map(mean).collect()
}

/// Σ wᵢ(xᵢ − `about`) of every column, in two parts.
fn sums(x: ArrayView2<'_, f64>, weights: Option<&[f64]>, about: &[f64]) -> Vec<[f64; 2]> {
    let mut sums = vec![[0.0; 2]; about.len()];
    let mut of_run = vec![0.0; about.len()];
    for start in (0..x.nrows()).step_by(RUN) {
        let rows = start..(start + RUN).min(x.nrows());
        let (run, weights) = (part(x, rows.clone(), 0..x.ncols()), weights.map(|w| &w[rows]));
        of_run.fill(0.0);
        if run.strides()[0] == 1 {
            for ((sum, column), about) in of_run.iter_mut().zip(run.columns()).zip(about) {
                *sum = if let (Some(column), None) = (column.as_slice(), weights) {
                    column_sum(column, *about)
                } else {
                    let each = column.iter().enumerate();
                    each.map(|(i, x)| weights.map_or(1.0, |w| w[i]) * (x - about)).sum()
                };
            }
        } else {
            for (i, row) in run.rows().into_iter().enumerate() {
                let weight = weights.map_or(1.0, |weights| weights[i]);
                for ((sum, x), about) in of_run.iter_mut().zip(row).zip(about) {
                    *sum += weight * (x - about);
                }
            }
        }
        sums.iter_mut().zip(&of_run).for_each(|(sum, part)| add(sum, *part));
    }
    sums
}

fn column_sum(column: &[f64], about: f64) -> f64 {
    let (lines, rest) = column.as_chunks::<LINE>();
    let mut lanes = [0.0; LINE];
    for line in lines {
        lanes.iter_mut().zip(line).for_each(|(lane, x)| *lane += x - about);
    }
    let rest: f64 = rest.iter().map(|x| x - about).sum();
    lanes.iter().sum::<f64>() + rest
}

fn add(sum: &mut [f64; 2], term: f64) {
    let (high, error) = two_sum(sum[0], term);
    *sum = [high, sum[1] + error];
}

/// `out` ← some rows less the means.
fn write(x: ArrayView2<'_, f64>, means: &[f64], out: &mut [f64]) {
    let (rows, features) = x.dim();
    if x.strides()[0] != 1 || x.strides()[1] == 1 {
        for (row, out) in x.rows().into_iter().zip(out.chunks_exact_mut(features)) {
            for ((x, mean), out) in row.iter().zip(means).zip(out) {
                *out = x - mean;
            }
        }
        return;
    }
    for first in (0..features).step_by(LINE) {
        let columns = first..(first + LINE).min(features);
        let means = &means[columns.clone()];
        for start in (0..rows).step_by(LINE) {
            let tile = part(x, start..(start + LINE).min(rows), columns.clone());
            let mut lines = [[0.0; LINE]; LINE];
            for (j, (column, mean)) in tile.columns().into_iter().zip(means).enumerate() {
                for (line, x) in lines.iter_mut().zip(column) {
                    line[j] = x - mean;
                }
            }
            for (i, line) in lines.iter().take(tile.nrows()).enumerate() {
                let at = (start + i) * features + first;
                out[at..at + columns.len()].copy_from_slice(&line[..columns.len()]);
            }
        }
    }
}
