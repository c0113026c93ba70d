//! NIST's nonlinear regressions, one after another: the time of all of them. Functions and Jacobians are those of `examples/problem_sets`, the same for all.
//!
//! A set is solved where every parameter has six of the certified digits. The tolerances are those of the change of f, of the step and of the
//! angle between residuals and columns of J; with `secant` that of the offset alone.

use crate::models::{self, Model};
use crate::race::{Contestant, Judged, Task};
use basin::DenseMatrix;
use levenberg_marquardt::{LeastSquaresProblem, LevenbergMarquardt};
use nalgebra::{DMatrix, DVector, Dyn, Owned};
use secant::core::data::NistNonlinear;
use secant::{LeastSquaresFn, VariableProjection, minimize};
use serde_json::Value;
use std::cell::RefCell;
use std::convert::Infallible;
use std::error::Error;
use std::fs;
use std::path::Path;
use varpro::model::SeparableNonlinearModel;
use varpro::problem::SeparableProblemBuilder;
use varpro::solvers::levmar::LevMarSolver;

/// The relative error of the worst parameter that is asked for.
const ASKED: f64 = 1e-6;
/// Steps at most.
const STEPS: u64 = 2_000;
/// Evaluations at most, for each parameter and one more.
const PATIENCE: usize = 400;

/// Which of the two starts that NIST gives.
#[derive(Clone, Copy)]
pub enum Start {
    Far,
    Near,
}

/// A data set and the function that is fitted to it.
struct Curve {
    set: NistNonlinear,
    model: Model,
    start: Vec<f64>,
    /// Which parameters are linear, and which are not.
    linear: Vec<usize>,
    nonlinear: Vec<usize>,
}

impl Curve {
    /// Where the file is one of the collection and its model is known.
    fn read(file: &Path, start: Start) -> Option<Self> {
        let set = NistNonlinear::read(file).ok()?;
        let model = models::model(&set.name)?;
        let linear: Vec<usize> = models::linear(&set.name).iter().cloned().flatten().collect();
        let nonlinear = (0..set.parameters.len()).filter(|j| !linear.contains(j)).collect();
        let start = set.starts[start as usize].clone();
        Some(Self { set, model, start, linear, nonlinear })
    }

    fn n(&self) -> usize {
        self.start.len()
    }

    /// `take(i, y(xᵢ), ∂y/∂θ)` for every sample.
    fn each(&self, theta: &[f64], mut take: impl FnMut(usize, f64, &[f64])) {
        let mut gradient = vec![0.0; self.n()];
        for (i, x) in self.set.x.chunks_exact(self.set.predictors).enumerate() {
            let y = (self.model)(theta, x, &mut gradient);
            take(i, y, &gradient);
        }
    }

    /// r(θ) = y(θ, x) − y.
    fn residuals(&self, theta: &[f64], r: &mut [f64]) {
        self.each(theta, |i, y, _| r[i] = y - self.set.y[i]);
    }

    /// `set(i, j, Jᵢⱼ)` for every entry.
    fn jacobian(&self, theta: &[f64], mut set: impl FnMut(usize, usize, f64)) {
        self.each(theta, |i, _, gradient| {
            gradient.iter().enumerate().for_each(|(j, entry)| set(i, j, *entry));
        });
    }

    /// As a problem of `secant`.
    fn problem(&self) -> LeastSquaresFn<'_> {
        let residuals = LeastSquaresFn::new(self.n(), self.set.samples(), |theta, r| {
            self.residuals(theta, r);
        });
        let with_jacobian = residuals.with_jacobian(|theta, mut jacobian| {
            self.jacobian(theta, |i, j, entry| jacobian[(i, j)] = entry);
        });
        let linear = models::linear(&self.set.name);
        linear.iter().cloned().fold(with_jacobian, LeastSquaresFn::with_linear)
    }

    /// The relative error of the worst parameter, NaN where there is one.
    fn error(&self, theta: &[f64]) -> f64 {
        let each = theta
            .iter()
            .zip(&self.set.parameters)
            .map(|(found, certified)| ((found - certified) / certified).abs());
        each.fold(0.0, |most, error| if error.is_nan() || error > most { error } else { most })
    }
}

/// Every known set of `folder`, of its folder `nist-strd/nonlinear` or `nist`.
fn curves(folder: &Path, start: Start) -> Result<Vec<Curve>, Box<dyn Error>> {
    let places = [folder.join("nist-strd/nonlinear"), folder.join("nist"), folder.to_owned()];
    let folder = places.iter().find(|place| place.is_dir()).unwrap_or(&places[2]);
    let mut files: Vec<_> =
        fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.sort();
    let curves: Vec<_> = files.iter().filter_map(|file| Curve::read(file, start)).collect();
    if curves.is_empty() {
        return Err(format!("{}: no nonlinear problem of NIST", folder.display()).into());
    }
    Ok(curves)
}

/// θ of all curves, one after another; of one that failed NaN.
fn joined(curves: &[Curve], mut one: impl FnMut(&Curve) -> Option<Vec<f64>>) -> Vec<f64> {
    let each = curves.iter().map(|curve| one(curve).unwrap_or_else(|| vec![f64::NAN; curve.n()]));
    each.flatten().collect()
}

fn by_secant(curves: &[Curve]) -> Contestant<'_> {
    Contestant::new("secant, Levenberg–Marquardt", |tolerance| {
        Ok(joined(curves, |curve| {
            let method = secant::LevenbergMarquardt {
                offset_tolerance: tolerance,
                ..secant::LevenbergMarquardt::default()
            };
            minimize(&curve.problem(), method, &curve.start).ok().map(|solution| solution.theta)
        }))
    })
}

fn by_levenberg_marquardt(curves: &[Curve]) -> Contestant<'_> {
    Contestant::new("levenberg-marquardt", |tolerance| {
        Ok(joined(curves, |curve| {
            let theta = DVector::from_column_slice(&curve.start);
            let (found, _) = minpack(tolerance).minimize(Fitted { curve, theta });
            Some(found.theta.as_slice().to_vec())
        }))
    })
}

fn by_basin(curves: &[Curve]) -> Contestant<'_> {
    Contestant::new("basin Levenberg–Marquardt, QR", |tolerance| {
        Ok(joined(curves, |curve| {
            let solver = basin::LevenbergMarquardt::new()
                .with_absolute_gradient_tolerance(None)
                .with_gradient_orthogonality_tolerance(tolerance)
                .with_relative_model_reduction_tolerance(tolerance)
                .with_relative_step_tolerance(tolerance)
                .with_pivoted_qr();
            let start = basin::PointState::new(curve.start.clone());
            let run = basin::Executor::new(Free(curve), solver, start).max_iter(STEPS).run();
            run.ok().map(|found| found.best_param().clone())
        }))
    })
}

fn by_variable_projection(curves: &[Curve]) -> Contestant<'_> {
    Contestant::new("secant, variable projection", |tolerance| {
        Ok(joined(curves, |curve| {
            let inner = secant::LevenbergMarquardt {
                offset_tolerance: tolerance,
                ..secant::LevenbergMarquardt::default()
            };
            let method = VariableProjection::default().with_levenberg_marquardt(inner);
            minimize(&curve.problem(), method, &curve.start).ok().map(|solution| solution.theta)
        }))
    })
}

fn by_varpro(curves: &[Curve]) -> Contestant<'_> {
    Contestant::new("varpro", |tolerance| {
        Ok(joined(curves, |curve| {
            let y = DVector::from_column_slice(&curve.set.y);
            let problem = SeparableProblemBuilder::new(Separable::new(curve)).observations(y);
            let solver = LevMarSolver::with_solver(minpack(tolerance));
            // What it calls no success is judged as well.
            let (Ok(found) | Err(found)) = solver.solve(problem.build().ok()?);
            let mut theta = vec![0.0; curve.n()];
            let linear = found.linear_coefficients()?;
            curve.linear.iter().zip(linear.iter()).for_each(|(j, value)| theta[*j] = *value);
            let nonlinear = found.nonlinear_parameters();
            curve.nonlinear.iter().zip(&nonlinear).for_each(|(j, value)| theta[*j] = *value);
            Some(theta)
        }))
    })
}

/// The sets from one start.
pub fn all(folder: &Path, start: Start, repeats: usize) -> Result<Vec<Value>, Box<dyn Error>> {
    let curves = curves(folder, start)?;
    let from = match start {
        Start::Near => "near",
        Start::Far => "far",
    };
    let title = format!("NIST's curves, {} sets from the {from} start", curves.len());
    let contestants = vec![by_secant(&curves), by_levenberg_marquardt(&curves), by_basin(&curves)];
    Ok(task(title, &curves, contestants).race(repeats))
}

/// The sets that have linear parameters, from the near start: beside those of [`all`] the methods that eliminate them.
pub fn separable(folder: &Path, repeats: usize) -> Result<Vec<Value>, Box<dyn Error>> {
    let mut curves = curves(folder, Start::Near)?;
    curves.retain(|curve| !curve.linear.is_empty());
    let title = format!("NIST's curves, {} sets with linear parameters", curves.len());
    let contestants = vec![
        by_secant(&curves),
        by_variable_projection(&curves),
        by_varpro(&curves),
        by_levenberg_marquardt(&curves),
        by_basin(&curves),
    ];
    Ok(task(title, &curves, contestants).race(repeats))
}

fn task<'a>(title: String, curves: &'a [Curve], contestants: Vec<Contestant<'a>>) -> Task<'a> {
    let judge = move |theta: &[f64]| {
        let (mut at, mut reached, mut solved) = (0, 0.0_f64, 0);
        let mut missed = Vec::new();
        for curve in curves {
            let error = curve.error(&theta[at..at + curve.n()]);
            at += curve.n();
            // Written so that NaN is not solved.
            if error <= ASKED {
                solved += 1;
            } else {
                missed.push(curve.set.name.as_str());
            }
            reached = reached.max(if error.is_nan() { f64::MAX } else { error });
        }
        let but =
            if missed.is_empty() { String::new() } else { format!(", not {}", missed.join(", ")) };
        let note = format!("{solved} of {} sets{but}", curves.len());
        Judged { reached, missed: missed.len(), note }
    };
    Task { title, asked: ASKED, judge: Box::new(judge), contestants }
}

/// As MINPACK's options.
fn minpack(tolerance: f64) -> LevenbergMarquardt<f64> {
    let solver = LevenbergMarquardt::new().with_patience(PATIENCE);
    solver.with_ftol(tolerance).with_xtol(tolerance).with_gtol(tolerance)
}

/// A curve at a θ, for levenberg-marquardt.
struct Fitted<'a> {
    curve: &'a Curve,
    theta: DVector<f64>,
}

impl LeastSquaresProblem<f64, Dyn, Dyn> for Fitted<'_> {
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, Dyn>;
    type ParameterStorage = Owned<f64, Dyn>;

    fn set_params(&mut self, theta: &DVector<f64>) {
        self.theta.copy_from(theta);
    }

    fn params(&self) -> DVector<f64> {
        self.theta.clone()
    }

    fn residuals(&self) -> Option<DVector<f64>> {
        let mut r = DVector::zeros(self.curve.set.samples());
        self.curve.residuals(self.theta.as_slice(), r.as_mut_slice());
        Some(r)
    }

    fn jacobian(&self) -> Option<DMatrix<f64>> {
        let mut jacobian = DMatrix::zeros(self.curve.set.samples(), self.curve.n());
        self.curve.jacobian(self.theta.as_slice(), |i, j, entry| jacobian[(i, j)] = entry);
        Some(jacobian)
    }
}

/// A curve for basin.
struct Free<'a>(&'a Curve);

impl basin::Residual for Free<'_> {
    type Param = Vec<f64>;
    type Output = Vec<f64>;
    type Error = Infallible;

    fn residual(&self, theta: &Vec<f64>) -> Result<Vec<f64>, Infallible> {
        let mut r = vec![0.0; self.0.set.samples()];
        self.0.residuals(theta, &mut r);
        Ok(r)
    }
}

impl basin::Jacobian for Free<'_> {
    type Jacobian = DenseMatrix;

    fn jacobian(&self, theta: &Vec<f64>) -> Result<DenseMatrix, Infallible> {
        let (m, n) = (self.0.set.samples(), self.0.n());
        let mut rows = vec![0.0; m * n];
        self.0.jacobian(theta, |i, j, entry| rows[i * n + j] = entry);
        Ok(DenseMatrix::from_row_slice(m, n, &rows))
    }
}

/// A curve y = Σ cⱼφⱼ(α) for varpro. φⱼ = ∂y/∂cⱼ, and ∂φⱼ/∂α is ∂y/∂α where c is the unit vector eⱼ: one call of the model for each linear
/// parameter, kept for all of α.
struct Separable<'a> {
    curve: &'a Curve,
    alpha: DVector<f64>,
    functions: DMatrix<f64>,
    /// ∂φ/∂αₖ for each k, once somebody asked.
    derivatives: RefCell<Vec<DMatrix<f64>>>,
}

impl<'a> Separable<'a> {
    fn new(curve: &'a Curve) -> Self {
        let alpha = curve.nonlinear.iter().map(|j| curve.start[*j]);
        let functions = DMatrix::zeros(curve.set.samples(), curve.linear.len());
        let alpha = DVector::from_iterator(curve.nonlinear.len(), alpha);
        let mut made = Self { curve, alpha, functions, derivatives: RefCell::default() };
        made.renew();
        made
    }

    /// φ at α.
    fn renew(&mut self) {
        let theta = self.theta(None);
        let (curve, functions) = (self.curve, &mut self.functions);
        curve.each(&theta, |i, _, gradient| {
            curve.linear.iter().enumerate().for_each(|(l, j)| functions[(i, l)] = gradient[*j]);
        });
        self.derivatives.get_mut().clear();
    }

    /// α with c = 0, or the unit vector that begins at `unit`.
    fn theta(&self, unit: Option<usize>) -> Vec<f64> {
        let mut theta = vec![0.0; self.curve.n()];
        self.curve.nonlinear.iter().zip(&self.alpha).for_each(|(j, value)| theta[*j] = *value);
        if let Some(j) = unit {
            theta[j] = 1.0;
        }
        theta
    }

    fn differentiate(&self) -> Vec<DMatrix<f64>> {
        let (curve, m) = (self.curve, self.curve.set.samples());
        let mut all = vec![DMatrix::zeros(m, curve.linear.len()); curve.nonlinear.len()];
        for (l, unit) in curve.linear.iter().enumerate() {
            curve.each(&self.theta(Some(*unit)), |i, _, gradient| {
                curve
                    .nonlinear
                    .iter()
                    .zip(&mut all)
                    .for_each(|(j, one)| one[(i, l)] = gradient[*j]);
            });
        }
        all
    }
}

impl SeparableNonlinearModel for Separable<'_> {
    type ScalarType = f64;
    type Error = Infallible;

    fn parameter_count(&self) -> usize {
        self.alpha.len()
    }

    fn base_function_count(&self) -> usize {
        self.curve.linear.len()
    }

    fn output_len(&self) -> usize {
        self.curve.set.samples()
    }

    fn set_params(&mut self, alpha: DVector<f64>) -> Result<(), Infallible> {
        self.alpha = alpha;
        self.renew();
        Ok(())
    }

    fn params(&self) -> DVector<f64> {
        self.alpha.clone()
    }

    fn eval(&self) -> Result<DMatrix<f64>, Infallible> {
        Ok(self.functions.clone())
    }

    fn eval_partial_deriv(&self, k: usize) -> Result<DMatrix<f64>, Infallible> {
        let mut kept = self.derivatives.borrow_mut();
        if kept.is_empty() {
            *kept = self.differentiate();
        }
        Ok(kept[k].clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> Vec<Curve> {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../data");
        curves(&data, Start::Near).unwrap()
    }

    #[test]
    fn the_certified_parameters_are_solved() {
        let curves = shipped();
        let certified: Vec<f64> =
            curves.iter().flat_map(|curve| curve.set.parameters.clone()).collect();
        let judged = (task(String::new(), &curves, Vec::new()).judge)(&certified);
        assert!(judged.reached == 0.0 && judged.note.ends_with("sets"), "{}", judged.note);
    }

    /// y = Σ cⱼφⱼ(α), and the derivatives of φ are differences of φ.
    #[test]
    fn a_curve_with_linear_parameters_is_the_sum_that_varpro_takes_it_for() {
        for curve in shipped().iter().filter(|curve| !curve.linear.is_empty()) {
            let (name, mut model) = (&curve.set.name, Separable::new(curve));
            let c = DVector::from_iterator(
                curve.linear.len(),
                curve.linear.iter().map(|j| curve.start[*j]),
            );
            let y = model.eval().unwrap() * c;
            curve.each(&curve.start, |i, expected, _| {
                assert!((y[i] - expected).abs() <= 1e-12 * y.amax(), "{name}");
            });
            let alpha = model.params();
            for k in 0..alpha.len() {
                let step = 1e-6 * alpha[k];
                let exact = model.eval_partial_deriv(k).unwrap();
                let mut moved = |sign: f64| {
                    let mut there = alpha.clone();
                    there[k] += sign * step;
                    model.set_params(there).unwrap();
                    model.eval().unwrap()
                };
                let difference = (moved(1.0) - moved(-1.0)) / (2.0 * step);
                model.set_params(alpha.clone()).unwrap();
                // Of the difference: third derivatives times step², and rounding over the step.
                let worst = (difference - &exact).amax();
                assert!(worst <= 1e-6 * exact.amax().max(1e-3), "{name}, α{k}: {worst:e}");
            }
        }
    }
}
