//! What a fit says of its certainty, beside statsmodels, SciPy, lmfit and NIST (`tests/fixtures/inference.json`, made by
//! `benches/peers/inference.py`).

mod covariance;
mod open;
mod products;
mod profile;
mod resample;

use faer::Mat;
use secant_optim::{LeastSquaresFn, LevenbergMarquardt, LinearLeastSquares, Stopping, minimize};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The part of the fixture of this name.
fn fixture<T: DeserializeOwned>(name: &str) -> T {
    let text = include_str!("../../../../tests/fixtures/inference.json");
    let all: serde_json::Value = serde_json::from_str(text).unwrap();
    serde_json::from_value(all[name].clone()).unwrap()
}

#[derive(Deserialize)]
struct Decay {
    t: Vec<f64>,
    y: Vec<f64>,
    sigma: Vec<f64>,
    parameters: Vec<f64>,
    absolute: Vec<Vec<f64>>,
    relative: Vec<Vec<f64>>,
    chi_squared: f64,
    chi_squared_p: f64,
    lmfit_aic_relative: f64,
    lmfit_bic_relative: f64,
}

impl Decay {
    /// (a·exp(−b·t) + c − y)/σ
    fn problem(&self) -> LeastSquaresFn<'_> {
        let (t, y, sigma) = (&self.t, &self.y, &self.sigma);
        let residuals = move |p: &[f64], r: &mut [f64]| {
            for i in 0..t.len() {
                r[i] = (p[0] * f64::exp(-p[1] * t[i]) + p[2] - y[i]) / sigma[i];
            }
        };
        LeastSquaresFn::new(3, self.t.len(), residuals).with_jacobian(move |p, mut j| {
            for i in 0..t.len() {
                let e = f64::exp(-p[1] * t[i]) / sigma[i];
                (j[(i, 0)], j[(i, 1)], j[(i, 2)]) = (e, -p[0] * t[i] * e, sigma[i].recip());
            }
        })
    }
}

#[derive(Deserialize)]
struct Regression {
    design: Vec<Vec<f64>>,
    targets: Vec<f64>,
    weights: Vec<f64>,
    parameters: Vec<f64>,
    errors: Vec<f64>,
    covariance: Vec<Vec<f64>>,
    t: Vec<f64>,
    p: Vec<f64>,
    intervals90: Vec<[f64; 2]>,
    r_squared: f64,
    adjusted_r_squared: f64,
    log_likelihood: f64,
    aic: f64,
    bic: f64,
    aicc: f64,
    degrees: f64,
    deviation: f64,
    new: Vec<Vec<f64>>,
    mean: Vec<f64>,
    mean_se: Vec<f64>,
    mean_lower: Vec<f64>,
    mean_upper: Vec<f64>,
    obs_lower: Vec<f64>,
    obs_upper: Vec<f64>,
    #[serde(rename = "HC0")]
    hc0: Vec<Vec<f64>>,
    #[serde(rename = "HC1")]
    hc1: Vec<Vec<f64>>,
    #[serde(rename = "HC2")]
    hc2: Vec<Vec<f64>>,
    #[serde(rename = "HC3")]
    hc3: Vec<Vec<f64>>,
}

/// √w(Xβ − y)
fn linear<'a>(design: &'a [Vec<f64>], y: &'a [f64], weights: &'a [f64]) -> LeastSquaresFn<'a> {
    let n = design[0].len();
    let row = move |i: usize, p: &[f64]| design[i].iter().zip(p).map(|(x, p)| x * p).sum::<f64>();
    let residuals = move |p: &[f64], r: &mut [f64]| {
        for i in 0..y.len() {
            r[i] = weights[i].sqrt() * (row(i, p) - y[i]);
        }
    };
    LeastSquaresFn::new(n, y.len(), residuals).with_jacobian(move |_, mut j| {
        for i in 0..y.len() {
            for k in 0..n {
                j[(i, k)] = weights[i].sqrt() * design[i][k];
            }
        }
    })
}

#[derive(Deserialize)]
struct Profiled {
    name: String,
    x: Vec<f64>,
    y: Vec<f64>,
    start: Vec<f64>,
    levels: Vec<f64>,
    certified: Vec<f64>,
    deviations: Vec<f64>,
    intervals: std::collections::BTreeMap<String, Vec<[f64; 2]>>,
}

impl Profiled {
    fn model(&self) -> fn(&[f64], f64, &mut [f64]) -> f64 {
        match self.name.as_str() {
            "Misra1a" => |b, x, g| {
                g[0] = -f64::exp_m1(-b[1] * x);
                g[1] = b[0] * x * f64::exp(-b[1] * x);
                b[0] * g[0]
            },
            "DanWood" => |b, x, g| {
                g[0] = x.powf(b[1]);
                g[1] = b[0] * g[0] * x.ln();
                b[0] * g[0]
            },
            "Eckerle4" => |b, x, g| {
                let u = (x - b[2]) / b[1];
                g[0] = f64::exp(-0.5 * u * u) / b[1];
                let y = b[0] * g[0];
                (g[1], g[2]) = (y * (u * u - 1.0) / b[1], y * u / b[1]);
                y
            },
            "Rat42" => |b, x, g| {
                let e = f64::exp(b[1] - b[2] * x);
                g[0] = 1.0 / (1.0 + e);
                g[1] = -b[0] * g[0] * g[0] * e;
                g[2] = -x * g[1];
                b[0] * g[0]
            },
            name => panic!("{name}"),
        }
    }

    fn problem(&self) -> LeastSquaresFn<'_> {
        let (n, model) = (self.start.len(), self.model());
        let residuals = move |b: &[f64], r: &mut [f64]| {
            let mut g = vec![0.0; n];
            for i in 0..self.x.len() {
                r[i] = model(b, self.x[i], &mut g) - self.y[i];
            }
        };
        LeastSquaresFn::new(n, self.x.len(), residuals).with_jacobian(move |b, mut j| {
            let mut g = vec![0.0; n];
            for i in 0..self.x.len() {
                model(b, self.x[i], &mut g);
                (0..n).for_each(|k| j[(i, k)] = g[k]);
            }
        })
    }
}

fn fit(problem: &LeastSquaresFn<'_>, start: &[f64]) -> Vec<f64> {
    let stopping = Stopping { gradient_tolerance: 0.0, ..Stopping::default() };
    let method = LevenbergMarquardt::default().with_stopping(stopping);
    minimize(problem, method, start).unwrap().theta
}

fn solve(data: &Regression) -> Vec<f64> {
    let design = matrix(&data.design);
    let problem = LinearLeastSquares::new(design.as_ref(), &data.targets);
    problem.with_weights(&data.weights).solve().unwrap().coefficients
}

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64) {
    let off = (found - expected).abs() / expected.abs().max(1e-300);
    assert!(off <= tolerance, "{found:e}, is {expected:e}: {off:.1e}");
}

/// Entries of a covariance, against √(Cᵢᵢ·Cⱼⱼ).
#[track_caller]
fn close_matrix(found: impl Fn(usize, usize) -> f64, expected: &[Vec<f64>], tolerance: f64) {
    for (i, row) in expected.iter().enumerate() {
        for (j, value) in row.iter().enumerate() {
            let size = (row[i].abs() * expected[j][j].abs()).sqrt();
            let off = (found(i, j) - value).abs() / size;
            assert!(off <= tolerance, "({i}, {j}): {:e}, is {value:e}: {off:.1e}", found(i, j));
        }
    }
}

fn matrix(rows: &[Vec<f64>]) -> Mat<f64> {
    Mat::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j])
}
