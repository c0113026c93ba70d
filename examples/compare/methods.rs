//! The methods of the comparison; first-order ones at the best of their rates.

use secant::compare::Compare;
use secant::optim::Scaling;
use secant::{
    AdaGrad, Adadelta, Adam, Bfgs, Curvature, GradientDescent, Lbfgs, LevenbergMarquardt, Method,
    Momentum, Nesterov, Newton, NewtonCg, NonlinearCg, RmsProp, Stopping, TrustRegion,
};
use std::error::Error;

/// Rates to choose from: three per decade would be finer, and cost more than they bring.
const RATES: [f64; 9] = [1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0, 10.0];
/// Steps of the short run that chooses.
const SHORT_RUN: u64 = 100;

/// A first-order method of one rate.
type AtRate = fn(f64) -> Method;

/// Named methods.
pub struct Methods(Vec<(String, Method)>);

fn gradient_descent(rate: f64) -> Method {
    GradientDescent::fixed(rate).into()
}

impl Methods {
    /// Second order where the problem has it, quasi-Newton, conjugate gradients, and the first-order methods.
    pub fn all<P: Curvature>(problem: &P, start: &[f64]) -> Result<Self, Box<dyn Error>> {
        let mut methods: Vec<(String, Method)> = vec![
            ("Newton".into(), Newton::default().into()),
            ("trust region".into(), TrustRegion::default().into()),
        ];
        if problem.as_least_squares().is_some() {
            // The parameters of a network share their units: one scale for all.
            let solver = LevenbergMarquardt::default().with_scaling(Scaling::Identity);
            methods.push(("Levenberg–Marquardt".into(), solver.into()));
        }
        methods.push(("Newton–CG".into(), NewtonCg::default().into()));
        methods.push(("BFGS".into(), Bfgs::default().into()));
        methods.push(("L-BFGS".into(), Lbfgs::default().into()));
        methods.push(("nonlinear CG".into(), NonlinearCg::default().into()));
        let families: [(&str, AtRate); 6] = [
            ("gradient descent", gradient_descent),
            ("momentum", |rate| Momentum::default().with_rate(rate).into()),
            ("Nesterov", |rate| Nesterov::default().with_rate(rate).into()),
            ("AdaGrad", |rate| AdaGrad::default().with_rate(rate).into()),
            ("RMSProp", |rate| RmsProp::default().with_rate(rate).into()),
            ("Adam", |rate| Adam::default().with_rate(rate).into()),
        ];
        for (name, at_rate) in families {
            methods.push(best_rate(name, at_rate, problem, start)?);
        }
        methods.push(("Adadelta".into(), Adadelta::default().into()));
        Ok(Self(methods))
    }

    /// Those of the map but Newton.
    pub fn of_map<P: Curvature>(problem: &P, start: &[f64]) -> Result<Self, Box<dyn Error>> {
        let momentum: AtRate = |rate| Momentum::default().with_rate(rate).into();
        Ok(Self(vec![
            best_rate("gradient descent", gradient_descent, problem, start)?,
            best_rate("momentum", momentum, problem, start)?,
            best_rate("Adam", |rate| Adam::default().with_rate(rate).into(), problem, start)?,
            ("L-BFGS".into(), Lbfgs::default().into()),
        ]))
    }

    pub fn compare(self, stopping: Stopping) -> Compare {
        let add = |set: Compare, (name, method): (String, Method)| set.method(name, method);
        self.0.into_iter().fold(secant::compare().stopping(stopping), add)
    }
}

/// The rate with the lowest value after a short run, named.
fn best_rate<P: Curvature>(
    name: &str,
    at_rate: AtRate,
    problem: &P,
    start: &[f64],
) -> Result<(String, Method), Box<dyn Error>> {
    let stopping =
        Stopping { gradient_tolerance: 0.0, max_iterations: SHORT_RUN, ..Stopping::default() };
    let mut best = (f64::INFINITY, RATES[0]);
    for rate in RATES {
        let trial = at_rate(rate).with_stopping(stopping.clone());
        let report = trial.minimize(problem, start)?.report;
        // The last value, not the best: a rate that has begun to climb is too large.
        let last = report.trace[report.trace.len() - 1].value;
        if report.reason.is_success() || last < best.0 {
            best = (last.min(best.0), rate);
        }
    }
    Ok((format!("{name}, rate {}", best.1), at_rate(best.1)))
}
