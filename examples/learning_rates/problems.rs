//! The problems, and the path of a run on them.

use faer::{Mat, MatMut};
use secant::core::operator::Hessian;
use secant::graph::Graph;
use secant::op::Dense;
use secant::optim::LeastSquaresFn;
use secant::optim::krylov::extreme_eigenvalues;
use secant::{
    Curvature, Dataset, FitError, Linearization, Method, Objective, Report, Standardizer, Stopping,
};
use std::cell::RefCell;
use std::error::Error;

/// Samples of the sine.
const TIMES: usize = 31;
/// Its frequency; the amplitude is 1.
const FREQUENCY: f64 = 3.0;

/// Any problem, with every θ at which a method asked for its gradient.
pub struct Recorded<'a, P> {
    problem: &'a P,
    path: RefCell<Vec<Vec<f64>>>,
}

impl<P: Objective> Objective for Recorded<'_, P> {
    fn dim(&self) -> usize {
        self.problem.dim()
    }
    fn value(&self, theta: &[f64]) -> f64 {
        self.problem.value(theta)
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.path.borrow_mut().push(theta.to_vec());
        self.problem.value_gradient(theta, gradient)
    }
}

impl<P: Curvature> Curvature for Recorded<'_, P> {
    type At<'b>
        = P::At<'b>
    where
        Self: 'b;
    fn linearize(&self, theta: &[f64]) -> P::At<'_> {
        self.problem.linearize(theta)
    }
}

/// `problem`, nothing recorded yet.
pub fn recorded<P>(problem: &P) -> Recorded<'_, P> {
    Recorded { problem, path: RefCell::default() }
}

impl<P> Recorded<'_, P> {
    /// The θ in the order in which they were asked about.
    pub fn into_path(self) -> Vec<Vec<f64>> {
        self.path.into_inner()
    }
}

/// The iterates of a run, and its report.
pub type Run = (Vec<Vec<f64>>, Report);

/// The iterates of a first-order `method` from `start`, and its report.
pub fn path<P: Curvature>(
    problem: &P,
    method: Method,
    stopping: Stopping,
    start: &[f64],
) -> Result<Run, Box<dyn Error>> {
    let recorded = recorded(problem);
    let solution = method.with_stopping(stopping).minimize(&recorded, start)?;
    Ok((recorded.into_path(), solution.report))
}

/// λmin and λmax of the Hessian at θ, by Lanczos.
pub fn spectrum(problem: &impl Curvature, theta: &[f64]) -> Result<(f64, f64), Box<dyn Error>> {
    let at = problem.linearize(theta);
    let ends = extreme_eigenvalues(&Hessian(&at), theta.len()).ok_or("no finite spectrum")?;
    Ok((ends.smallest, ends.largest))
}

/// The concrete table in units of the deviations of its columns, the target's too.
pub fn concrete() -> Result<Dataset, FitError> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/concrete.csv");
    let data = Dataset::from_csv(path, "target")?;
    let data = Standardizer::fit_inputs(&data).transform_inputs(&data)?;
    Ok(Standardizer::fit_targets(&data)?.transform_targets(&data)?)
}

/// Two of its columns.
pub fn two_columns(data: &Dataset, columns: [usize; 2]) -> Result<Dataset, FitError> {
    let pair = |sample| columns.map(|column| data.sample(sample)[column]);
    let inputs: Vec<f64> = (0..data.samples()).flat_map(pair).collect();
    Ok(Dataset::from_slices(2, &inputs, 1, data.targets().values().unwrap_or_default())?)
}

/// y = w₁x₁ + w₂x₂.
pub fn plane() -> Result<Graph, Box<dyn Error>> {
    let mut g = Graph::builder(2);
    let y = g.node("y", Dense::new(1).without_bias(), &[g.input()])?;
    Ok(g.build(y)?)
}

/// ½Σ(a·sin(ω·t) − sin 3t)² over t = 0, 0.1, … 3; θ = (ω, a).
pub fn sine() -> LeastSquaresFn<'static> {
    let time = |i: usize| 0.1 * i as f64;
    let residuals = move |theta: &[f64], r: &mut [f64]| {
        for (i, r) in r.iter_mut().enumerate() {
            *r = theta[1] * (theta[0] * time(i)).sin() - (FREQUENCY * time(i)).sin();
        }
    };
    let jacobian = move |theta: &[f64], mut j: MatMut<'_, f64>| {
        for i in 0..TIMES {
            let (sin, cos) = (theta[0] * time(i)).sin_cos();
            (j[(i, 0)], j[(i, 1)]) = (theta[1] * time(i) * cos, sin);
        }
    };
    LeastSquaresFn::new(2, TIMES, residuals).with_jacobian(jacobian)
}

/// ½(x² + κy²).
pub struct Ravine(pub f64);

/// Its linearisation at one θ.
pub struct RavineAt {
    condition: f64,
    value: f64,
    gradient: [f64; 2],
}

impl Objective for Ravine {
    fn dim(&self) -> usize {
        2
    }
    fn value(&self, theta: &[f64]) -> f64 {
        0.5 * (theta[0] * theta[0] + self.0 * theta[1] * theta[1])
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        (gradient[0], gradient[1]) = (theta[0], self.0 * theta[1]);
        self.value(theta)
    }
}

impl Curvature for Ravine {
    type At<'a> = RavineAt;
    fn linearize(&self, theta: &[f64]) -> RavineAt {
        let mut gradient = [0.0; 2];
        let value = self.value_gradient(theta, &mut gradient);
        RavineAt { condition: self.0, value, gradient }
    }
}

impl Linearization for RavineAt {
    fn value(&self) -> f64 {
        self.value
    }
    fn gradient(&self) -> &[f64] {
        &self.gradient
    }
    fn hessian_vector(&self, v: &[f64], out: &mut [f64]) {
        (out[0], out[1]) = (v[0], self.condition * v[1]);
    }
    fn gauss_newton_vector(&self, v: &[f64], out: &mut [f64]) {
        self.hessian_vector(v, out);
    }
    fn hessian(&self, mut out: MatMut<'_, f64>) {
        let diagonal = [1.0, self.condition];
        out.copy_from(Mat::from_fn(2, 2, |i, j| if i == j { diagonal[i] } else { 0.0 }));
    }
    fn gauss_newton(&self, out: MatMut<'_, f64>) {
        self.hessian(out);
    }
}
