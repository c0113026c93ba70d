//! Objectives from closures.

use super::arms::KeptArms;
use super::typical;
use super::uncounted::{EVALUATIONS, NO_GAUSS_NEWTON, VALUE};
use faer::{Mat, MatMut};
use secant_core::differences::{Differences, in_words};
use secant_core::problem::{
    Asked, Costs, Curvature, Derivatives, InBox, Linearization, Objective, Structure,
};
use std::fmt;
use std::sync::OnceLock;

type Value<'a> = dyn Fn(&[f64]) -> f64 + Send + Sync + 'a;
type Gradient<'a> = dyn Fn(&[f64], &mut [f64]) -> f64 + Send + Sync + 'a;
type Hessian<'a> = dyn Fn(&[f64], MatMut<'_, f64>) + Send + Sync + 'a;
type Product<'a> = dyn Fn(&[f64], &[f64], &mut [f64]) + Send + Sync + 'a;

/// f(θ) from closures: a value, or value and gradient, and the Hessian or its products where you have them. What is not given comes from
/// what is, or from differences, and the report says so.
///
/// | given | gradient | Hessian | product |
/// |---|---|---|---|
/// | value | 4n values | n² values | 2n values |
/// | value and gradient | yours | 4n gradients | 4 gradients |
/// | with a Hessian | yours or 4n values | yours | from the matrix |
/// | with products | yours or 4n values | n products | yours |
///
/// Steps of differences are chosen anew at every θ from what f shows there ([`secant_core::differences`]), and stay in the box of a method
/// with bounds. A gradient by differences has some ten digits, a Hessian from values some six. f has no Gauss–Newton matrix: methods that
/// ask for one get the Hessian.
///
/// ```
/// use secant_optim::{Lbfgs, Newton, ObjectiveFn, minimize};
///
/// // f(x, y) = (1 − x)² + 100(y − x²)²
/// let value = |p: &[f64]| (1.0 - p[0]).powi(2) + 100.0 * (p[1] - p[0] * p[0]).powi(2);
/// let from_values = ObjectiveFn::new(2, value);
/// let solution = minimize(&from_values, Newton::default(), &[-1.2, 1.0])?;
/// assert!((solution.theta[0] - 1.0).abs() < 1e-6);
/// assert!(solution.report.notes.iter().any(|note| note.contains("gradient by differences")));
///
/// let exact = ObjectiveFn::with_gradient(2, |p, g| {
///     let b = p[1] - p[0] * p[0];
///     g[0] = -2.0 * (1.0 - p[0]) - 400.0 * b * p[0];
///     g[1] = 200.0 * b;
///     (1.0 - p[0]).powi(2) + 100.0 * b * b
/// })
/// .and_hessian(|p, mut h| {
///     h[(0, 0)] = 2.0 - 400.0 * (p[1] - 3.0 * p[0] * p[0]);
///     (h[(0, 1)], h[(1, 0)]) = (-400.0 * p[0], -400.0 * p[0]);
///     h[(1, 1)] = 200.0;
/// });
/// let solution = minimize(&exact, Newton::default(), &[-1.2, 1.0])?;
/// assert!((solution.theta[0] - 1.0).abs() < 1e-12);
/// assert!(!solution.report.notes.iter().any(|note| note.contains("differences")));
/// # Ok::<(), secant_optim::OptimError>(())
/// ```
pub struct ObjectiveFn<'a> {
    parameters: usize,
    value: Option<Box<Value<'a>>>,
    gradient: Option<Box<Gradient<'a>>>,
    hessian: Option<Box<Hessian<'a>>>,
    product: Option<Box<Product<'a>>>,
    typical: Vec<f64>,
    /// What the objective that this is of is refused for.
    fault: Option<String>,
    on_one_thread: bool,
}

impl fmt::Debug for ObjectiveFn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectiveFn")
            .field("parameters", &self.parameters)
            .field("gradient", &self.gradient.is_some())
            .field("hessian", &self.hessian.is_some())
            .field("product", &self.product.is_some())
            .finish_non_exhaustive()
    }
}

impl<'a> ObjectiveFn<'a> {
    /// n parameters, and `value(θ)`. Outside its domain it returns NaN.
    pub fn new(parameters: usize, value: impl Fn(&[f64]) -> f64 + Send + Sync + 'a) -> Self {
        Self { value: Some(Box::new(value)), ..Self::empty(parameters) }
    }

    /// n parameters, and `value_gradient(θ, g)`, which writes every entry of ∇f(θ) and returns f(θ).
    pub fn with_gradient(
        parameters: usize,
        value_gradient: impl Fn(&[f64], &mut [f64]) -> f64 + Send + Sync + 'a,
    ) -> Self {
        Self { gradient: Some(Box::new(value_gradient)), ..Self::empty(parameters) }
    }

    fn empty(parameters: usize) -> Self {
        let (value, gradient, hessian, product) = (None, None, None, None);
        let (typical, fault, on_one_thread) = (Vec::new(), None, false);
        Self { parameters, value, gradient, hessian, product, typical, fault, on_one_thread }
    }

    /// Value and gradient of `objective`, which has no second derivatives: they come from differences of its gradient, so that
    /// [`Method`](crate::Method), [`Auto`](crate::Auto) and comparisons run on it, and are counted as such: methods of gradients go first.
    ///
    /// ```
    /// use secant_core::problem::Objective;
    /// use secant_optim::{Method, ObjectiveFn};
    ///
    /// /// f(x, y) = (x − 1)² + cosh(y)
    /// struct Bowl;
    /// impl Objective for Bowl {
    ///     fn dim(&self) -> usize { 2 }
    ///     fn value(&self, p: &[f64]) -> f64 { self.value_gradient(p, &mut [0.0; 2]) }
    ///     fn value_gradient(&self, p: &[f64], g: &mut [f64]) -> f64 {
    ///         (g[0], g[1]) = (2.0 * (p[0] - 1.0), p[1].sinh());
    ///         (p[0] - 1.0).powi(2) + p[1].cosh()
    ///     }
    /// }
    /// let solution = Method::auto().minimize(&ObjectiveFn::of(&Bowl), &[0.0, 2.0])?;
    /// assert!(solution.report.reason.is_success());
    /// assert!((solution.theta[0] - 1.0).abs() < 1e-8 && solution.theta[1].abs() < 1e-8);
    /// # Ok::<(), secant_optim::OptimError>(())
    /// ```
    pub fn of(objective: &'a (impl Objective + Send + Sync)) -> Self {
        let fault = objective.fault();
        let both = |theta: &[f64], gradient: &mut [f64]| objective.value_gradient(theta, gradient);
        let ours = Self::with_gradient(objective.dim(), both);
        Self { fault, ..ours.and_value(|theta| objective.value(theta)) }
    }

    /// A value alone where it is cheaper than with its gradient: line searches and trust regions ask for it.
    pub fn and_value(mut self, value: impl Fn(&[f64]) -> f64 + Send + Sync + 'a) -> Self {
        self.value = Some(Box::new(value));
        self
    }

    /// `hessian(θ, out)` writes every entry of ∇²f(θ), n × n, both triangles.
    pub fn and_hessian(
        mut self,
        hessian: impl Fn(&[f64], MatMut<'_, f64>) + Send + Sync + 'a,
    ) -> Self {
        self.hessian = Some(Box::new(hessian));
        self
    }

    /// `product(θ, v, out)` writes ∇²f(θ)·v.
    pub fn and_hessian_vector(
        mut self,
        product: impl Fn(&[f64], &[f64], &mut [f64]) + Send + Sync + 'a,
    ) -> Self {
        self.product = Some(Box::new(product));
        self
    }

    /// The size of each parameter, against which a change is small: where differences begin. Length n, positive. By default |θⱼ|, or 1
    /// where that is 0. A run is refused where they do not fit.
    pub fn with_typical(mut self, typical: impl Into<Vec<f64>>) -> Self {
        self.typical = typical.into();
        self
    }

    /// Differences evaluate f on the thread that asks for them alone. By default several axes are taken at once where f takes long, with the
    /// same bits.
    pub fn on_one_thread(mut self) -> Self {
        self.on_one_thread = true;
        self
    }

    fn differences<'b>(&'b self, within: Option<InBox<'b>>) -> Differences<'b> {
        Differences { typical: &self.typical, within, on_one_thread: self.on_one_thread }
    }

    fn gradient_within(
        &self,
        theta: &[f64],
        within: Option<InBox<'_>>,
        gradient: &mut [f64],
    ) -> f64 {
        if let Some(value_gradient) = &self.gradient {
            return value_gradient(theta, gradient);
        }
        let value = self.value(theta);
        self.differences(within).gradient(&|point| self.value(point), theta, value, gradient);
        value
    }

    fn has_second(&self) -> bool {
        self.hessian.is_some() || self.product.is_some()
    }
}

impl Objective for ObjectiveFn<'_> {
    fn dim(&self) -> usize {
        self.parameters
    }
    fn value(&self, theta: &[f64]) -> f64 {
        match (&self.value, &self.gradient) {
            (Some(value), _) => value(theta),
            (None, Some(gradient)) => gradient(theta, &mut vec![0.0; self.parameters]),
            (None, None) => f64::NAN,
        }
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.gradient_within(theta, None, gradient)
    }
    fn value_gradient_within(&self, theta: &[f64], within: InBox<'_>, gradient: &mut [f64]) -> f64 {
        self.gradient_within(theta, Some(within), gradient)
    }
    fn notes(&self, theta: &[f64], asked: Asked<'_>) -> Vec<String> {
        let (mut notes, n) = (Vec::new(), self.parameters);
        let asked_second = asked.second || asked.gauss_newton;
        if self.gradient.is_none() && (asked.first || asked_second) {
            notes.push(format!(
                "gradient by differences of f, {} evaluations each: expect about 1e-10 relative",
                4 * n
            ));
            let (value, mut gradient) = (self.value(theta), vec![0.0; n]);
            let differences = self.differences(asked.within);
            let f = |point: &[f64]| self.value(point);
            notes.extend(in_words(&differences.gradient(&f, theta, value, &mut gradient)));
        }
        if asked_second && !self.has_second() {
            notes.push(match self.gradient {
                Some(_) => "second derivatives by differences of the gradient".to_owned(),
                None => format!(
                    "second derivatives by differences of f, {} evaluations for each Hessian",
                    n * (n + 5)
                ),
            });
        }
        if asked.gauss_newton {
            notes.push(NO_GAUSS_NEWTON.to_owned());
        }
        notes
    }
    fn fault(&self) -> Option<String> {
        self.fault.clone().or_else(|| typical::fault(&self.typical, self.parameters))
    }
}

impl Curvature for ObjectiveFn<'_> {
    type At<'a>
        = ObjectiveAt<'a>
    where
        Self: 'a;

    fn linearize(&self, theta: &[f64]) -> ObjectiveAt<'_> {
        ObjectiveAt::new(self, theta, None)
    }

    fn linearize_within(&self, theta: &[f64], within: InBox<'_>) -> ObjectiveAt<'_> {
        ObjectiveAt::new(self, theta, Some(within))
    }

    fn structure(&self) -> Structure {
        let n = self.parameters as f64;
        let value = VALUE * n;
        let evaluation =
            if self.gradient.is_some() { 2.0 * value } else { (1.0 + EVALUATIONS * n) * value };
        let (hessian, hessian_vector) = match (&self.hessian, &self.product, &self.gradient) {
            (Some(_), Some(_), _) => (n * value, evaluation),
            (Some(_), None, _) => (n * value, n * n),
            (None, Some(_), _) => (n * evaluation, evaluation),
            (None, None, Some(_)) => (EVALUATIONS * n * evaluation, EVALUATIONS * evaluation),
            (None, None, None) => ((n + 5.0) * n * value, 2.0 * n * value),
        };
        let (gauss_newton, gauss_newton_vector) = (hessian, hessian_vector);
        let of_evaluation = Costs::of_evaluation(evaluation, self.parameters);
        let costs =
            Costs { hessian, hessian_vector, gauss_newton, gauss_newton_vector, ..of_evaluation };
        let second_derivatives =
            if self.has_second() { Derivatives::Exact } else { Derivatives::Differences };
        Structure { second_derivatives, costs: Some(costs), ..Structure::default() }
    }
}

/// An [`ObjectiveFn`] at one θ.
#[derive(Clone, Debug)]
pub struct ObjectiveAt<'a> {
    problem: &'a ObjectiveFn<'a>,
    theta: Vec<f64>,
    /// l and u.
    within: Option<(Vec<f64>, Vec<f64>)>,
    value: f64,
    gradient: Vec<f64>,
    /// The Hessian that products are taken from where no closure gives them.
    matrix: OnceLock<Mat<f64>>,
    arms: KeptArms,
}

impl<'a> ObjectiveAt<'a> {
    fn new(problem: &'a ObjectiveFn<'a>, theta: &[f64], within: Option<InBox<'_>>) -> Self {
        let mut gradient = vec![0.0; problem.parameters];
        let value = problem.gradient_within(theta, within, &mut gradient);
        let within = within.map(|within| (within.lower.to_vec(), within.upper.to_vec()));
        let (theta, matrix, arms) = (theta.to_vec(), OnceLock::new(), KeptArms::default());
        Self { problem, theta, within, value, gradient, matrix, arms }
    }

    fn differences(&self) -> Differences<'_> {
        let within = self.within.as_ref().map(|(lower, upper)| InBox { lower, upper });
        self.problem.differences(within)
    }
}

impl Linearization for ObjectiveAt<'_> {
    fn value(&self) -> f64 {
        self.value
    }

    fn gradient(&self) -> &[f64] {
        &self.gradient
    }

    fn hessian_vector(&self, v: &[f64], out: &mut [f64]) {
        if let Some(product) = &self.problem.product {
            return product(&self.theta, v, out);
        }
        if let Some(hessian) = &self.problem.hessian {
            if self.matrix.get().is_none() {
                // No lock is held while the closure runs.
                let mut matrix = Mat::zeros(v.len(), v.len());
                hessian(&self.theta, matrix.as_mut());
                let _ = self.matrix.set(matrix);
            }
            out.fill(0.0);
            for (column, v) in self.matrix.get().iter().flat_map(|m| m.col_iter()).zip(v) {
                out.iter_mut().zip(column.iter()).for_each(|(out, entry)| *out += v * entry);
            }
            return;
        }
        let differences = self.differences();
        if let Some(value_gradient) = &self.problem.gradient {
            let gradient = |point: &[f64], out: &mut [f64]| _ = value_gradient(point, out);
            return differences.product(&gradient, &self.theta, &self.gradient, v, out);
        }
        let (f, here) = (|point: &[f64]| self.problem.value(point), (&self.theta[..], self.value));
        let arms = self.arms.get(|| differences.arms(&f, &self.theta, self.value));
        differences.hessian_vector(&f, here, arms, v, out);
    }

    fn hessian(&self, mut out: MatMut<'_, f64>) {
        if let Some(hessian) = &self.problem.hessian {
            return hessian(&self.theta, out);
        }
        let differences = self.differences();
        if let Some(product) = &self.problem.product {
            let n = self.theta.len();
            let (mut unit, mut column) = (vec![0.0; n], vec![0.0; n]);
            for j in 0..n {
                unit[j] = 1.0;
                product(&self.theta, &unit, &mut column);
                unit[j] = 0.0;
                let entries = out.as_mut().col_mut(j).iter_mut().zip(&column);
                entries.for_each(|(out, entry)| *out = *entry);
            }
        } else if let Some(value_gradient) = &self.problem.gradient {
            let gradient = |point: &[f64], out: &mut [f64]| _ = value_gradient(point, out);
            differences.symmetric_jacobian(&gradient, &self.theta, &self.gradient, out);
        } else {
            let f = |point: &[f64]| self.problem.value(point);
            let arms = self.arms.get(|| differences.arms(&f, &self.theta, self.value));
            differences.hessian(&f, (&self.theta, self.value), arms, out);
        }
    }
}
