//! What is fitted: a network, a classifier, a formula, with every method on the kind that it is made for.

use secant::checkpoint::Every;
use secant::core::data::NistNonlinear;
use secant::optim::{RunOptions, Watch};
use secant::{Activation, optim::RmsProp};
use secant::{
    AdaGrad, Adadelta, Adam, AdamW, AdaptiveCubic, Auto, Bfgs, BoundedLevenbergMarquardt, Bounds,
    Dataset, GaussNewton, GradientDescent, L1, Lbfgs, LbfgsB, LeastSquaresFn, LevenbergMarquardt,
    Logistic, Method, Minibatches, Momentum, Nesterov, Network, Newton, NewtonCg, NonlinearCg,
    OwlQn, ProximalNewton, RegularizedNewton, Report, Ridge, Sr1, Stopping, Subproblem, Tron,
    TrustRegion, VariableProjection,
};
use std::error::Error;
use std::path::PathBuf;

/// Iterations of a whole run; it may end by itself before.
pub const ITERATIONS: u64 = 60;
const HIDDEN: usize = 6;
/// Samples of a minibatch.
const BATCH: usize = 64;
const TIGHT: f64 = 1e-14;

/// Where a run writes, and what it takes up.
#[derive(Clone, Debug, Default)]
pub struct Files {
    pub write: Option<(PathBuf, Every)>,
    pub resume: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Problem {
    /// 8 – 6 – 1 on concrete, squared error.
    Concrete,
    /// Softmax on digits, ridge.
    Digits,
    /// The same by minibatches.
    DigitsSampled,
    /// Logistic on breast cancer, ridge.
    Cancer,
    /// NIST's MGH17 from its far start.
    Formula,
}

impl Problem {
    fn name(self) -> &'static str {
        match self {
            Self::Concrete => "network on concrete",
            Self::Digits => "softmax on digits",
            Self::DigitsSampled => "softmax on minibatches of digits",
            Self::Cancer => "logistic on breast cancer",
            Self::Formula => "MGH17",
        }
    }
}

/// A method on a problem.
#[derive(Clone, Debug)]
pub struct Case {
    pub method: &'static str,
    solver: Method,
    problem: Problem,
}

/// θ and the books of a run.
pub struct Outcome {
    pub theta: Vec<f64>,
    pub report: Report,
}

impl Case {
    fn new(method: &'static str, solver: impl Into<Method>, problem: Problem) -> Self {
        let mut solver = solver.into();
        let stopping = Stopping { gradient_tolerance: TIGHT, ..solver.stopping().clone() };
        *solver.stopping_mut() = stopping;
        Self { method, solver, problem }
    }

    pub fn problem(&self) -> &'static str {
        self.problem.name()
    }

    /// `most` iterations, from the start or from a checkpoint.
    pub fn run(&self, most: u64, files: &Files) -> Result<Outcome, Box<dyn Error>> {
        let Problem::Formula = self.problem else { return self.fit(most, files) };
        let set = NistNonlinear::read(crate::support::shipped("nist/MGH17.dat"))?;
        let formula = formula(&set);
        let mut method = self.solver.clone();
        method.stopping_mut().max_iterations = most;
        let options = RunOptions {
            checkpoint: files.write.clone(),
            resume: files.resume.clone(),
            ..RunOptions::default()
        };
        let watch = &mut Watch::new();
        let solution = method.minimize_with(&formula, &set.starts[0], &options, watch)?.0;
        Ok(Outcome { theta: solution.theta, report: solution.report })
    }

    fn fit(&self, most: u64, files: &Files) -> Result<Outcome, Box<dyn Error>> {
        let data = match self.problem {
            Problem::Concrete => {
                Dataset::from_csv(crate::support::shipped("concrete.csv"), "target")?
            }
            Problem::Cancer => {
                Dataset::from_csv_labels(crate::support::shipped("breast_cancer.csv"), "target")?
            }
            _ => Dataset::from_csv_labels(crate::support::shipped("digits.csv"), "target")?,
        };
        let network = match self.problem {
            Problem::Concrete => Network::mlp([8, HIDDEN, 1], Activation::Tanh),
            Problem::Cancer => Network::linear(data.features(), 1),
            _ => Network::linear(data.features(), 10),
        };
        let mut fit = secant::fit(&network, &data).method(self.solver.clone()).max_iterations(most);
        match self.problem {
            Problem::Cancer => fit = fit.loss(Logistic).penalty(Ridge(1e-4)),
            Problem::Digits => fit = fit.penalty(Ridge(1e-4)),
            Problem::DigitsSampled => {
                let minibatches = Minibatches::of(BATCH).with_seed(3);
                fit = fit.penalty(Ridge(1e-4)).minibatches(minibatches);
            }
            _ => {}
        }
        if let Some((path, every)) = &files.write {
            fit = fit.checkpoint(path, *every);
        }
        if let Some(path) = &files.resume {
            fit = fit.resume(path);
        }
        let fitted = fit.run()?;
        let report = fitted.report().clone();
        Ok(Outcome { theta: fitted.model().theta().to_vec(), report })
    }
}

/// b₀ + b₁e^(−b₃x) + b₂e^(−b₄x)
fn formula(set: &NistNonlinear) -> LeastSquaresFn<'_> {
    LeastSquaresFn::new(5, set.samples(), |b, r| {
        for ((r, x), y) in r.iter_mut().zip(&set.x).zip(&set.y) {
            *r = b[0] + b[1] * f64::exp(-b[3] * x) + b[2] * f64::exp(-b[4] * x) - y;
        }
    })
    .with_jacobian(|b, mut jacobian| {
        for (i, x) in set.x.iter().enumerate() {
            let (first, second) = (f64::exp(-b[3] * x), f64::exp(-b[4] * x));
            let row = [1.0, first, second, -b[1] * x * first, -b[2] * x * second];
            for (j, entry) in row.into_iter().enumerate() {
                jacobian[(i, j)] = entry;
            }
        }
    })
    .with_linear(0..3)
}

/// Every method; those that are worth it on more than one problem.
pub fn cases() -> Vec<Case> {
    use Problem::{Cancer, Concrete, Digits, DigitsSampled, Formula};
    let n = 8 * HIDDEN + HIDDEN + HIDDEN + 1;
    let narrow = || Bounds::new(vec![-0.8; n], vec![0.8; n]).unwrap_or_default();
    let around = || {
        let (lower, upper) =
            (vec![-10.0, -200.0, -200.0, 0.0, 0.0], vec![60.0, 200.0, 200.0, 2.0, 3.0]);
        Bounds::new(lower, upper).unwrap_or_default()
    };
    let exact = TrustRegion::default().with_subproblem(Subproblem::Exact);
    vec![
        Case::new("Newton", Newton::default(), Concrete),
        Case::new("regularised Newton", RegularizedNewton::default(), Concrete),
        Case::new("Newton-CG", NewtonCg::default(), Concrete),
        Case::new("trust region", TrustRegion::default(), Concrete),
        Case::new("trust region, exact", exact, Concrete),
        Case::new("adaptive cubic", AdaptiveCubic::default(), Concrete),
        Case::new("BFGS", Bfgs::default(), Concrete),
        Case::new("SR1", Sr1::default(), Concrete),
        Case::new("L-BFGS", Lbfgs::default(), Concrete),
        Case::new("nonlinear CG", NonlinearCg::default(), Concrete),
        Case::new("gradient descent", GradientDescent::default(), Concrete),
        Case::new("Gauss–Newton", GaussNewton::default(), Concrete),
        Case::new("Levenberg–Marquardt", LevenbergMarquardt::default(), Concrete),
        Case::new("variable projection", VariableProjection::default(), Concrete),
        Case::new("Auto", Auto::default(), Concrete),
        Case::new("L-BFGS-B", LbfgsB::new(narrow()), Concrete),
        Case::new("TRON", Tron::new(narrow()), Concrete),
        Case::new("bounded LM", BoundedLevenbergMarquardt::new(narrow()), Concrete),
        Case::new("L-BFGS", Lbfgs::default(), Digits),
        Case::new("Newton-CG", NewtonCg::default(), Digits),
        Case::new("Auto, a relay", Auto::default(), Digits),
        Case::new("SGD", GradientDescent::fixed(0.1), DigitsSampled),
        Case::new("momentum", Momentum::default().with_rate(0.05), DigitsSampled),
        Case::new("Nesterov", Nesterov::default().with_rate(0.05), DigitsSampled),
        Case::new("AdaGrad", AdaGrad::default(), DigitsSampled),
        Case::new("RMSProp", RmsProp::default(), DigitsSampled),
        Case::new("Adadelta", Adadelta::default(), DigitsSampled),
        Case::new("Adam", Adam::default(), DigitsSampled),
        Case::new("AdamW", AdamW::default(), DigitsSampled),
        Case::new("OWL-QN", OwlQn::new(L1::new(1e-3)), Digits),
        Case::new("OWL-QN", OwlQn::new(L1::new(1e-3)), Cancer),
        Case::new("proximal Newton", ProximalNewton::new(L1::new(1e-3)), Cancer),
        Case::new("Newton", Newton::default(), Cancer),
        Case::new("Levenberg–Marquardt", LevenbergMarquardt::default(), Formula),
        Case::new("Gauss–Newton", GaussNewton::default(), Formula),
        Case::new("variable projection", VariableProjection::default(), Formula),
        Case::new("bounded LM", BoundedLevenbergMarquardt::new(around()), Formula),
        Case::new("BFGS", Bfgs::default(), Formula),
    ]
}
