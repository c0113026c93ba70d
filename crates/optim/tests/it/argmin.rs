//! Both directions: our solvers under argmin's `Executor` with observers, argmin's solvers on our problems.

use crate::common::{Draws, distance, logistic, rosenbrock, rosenbrock_start};
use secant_optim::argmin::core::observers::{Observe, ObserverMode};
use secant_optim::argmin::core::{
    CostFunction, Error, Executor, Gradient, Hessian, KV, State, TerminationReason,
};
use secant_optim::argmin::solver::linesearch::MoreThuenteLineSearch;
use secant_optim::argmin::solver::newton::NewtonCG;
use secant_optim::argmin::solver::quasinewton::BFGS;
use secant_optim::{
    ArgminProblem, Bfgs, FitState, Lbfgs, Newton, OptimError, Reason, Report, Stopping, minimize,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Default)]
struct Counts {
    init: AtomicU64,
    iterations: AtomicU64,
    last: AtomicU64,
}

struct Watcher(Arc<Counts>);

impl Observe<FitState> for Watcher {
    fn observe_init(&mut self, name: &str, state: &FitState, _: &KV) -> Result<(), Error> {
        assert_eq!((name, state.get_iter()), ("L-BFGS", 0));
        self.0.init.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
    fn observe_iter(&mut self, state: &FitState, _: &KV) -> Result<(), Error> {
        assert!(state.get_best_cost() <= state.trace()[0].value);
        self.0.iterations.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
    fn observe_final(&mut self, state: &FitState) -> Result<(), Error> {
        self.0.last.store(state.steps(), Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn observers_see_the_start_every_step_and_the_end() {
    let counts = Arc::new(Counts::default());
    let result = Executor::new(rosenbrock(4), Lbfgs::default())
        .configure(|state| state.param(rosenbrock_start(4)))
        .add_observer(Watcher(Arc::clone(&counts)), ObserverMode::Always)
        .run()
        .unwrap();
    let report = Report::of(&result.solver, &result.state);
    assert_eq!(report.reason, Reason::GradientConverged);
    assert_eq!(result.state.get_termination_reason(), Some(&TerminationReason::SolverConverged));
    assert_eq!(counts.init.load(Ordering::Relaxed), 1);
    assert_eq!(counts.iterations.load(Ordering::Relaxed), report.iterations);
    assert_eq!(counts.last.load(Ordering::Relaxed), report.iterations);
    assert_eq!(result.state.get_iter(), report.iterations);
    let counted = result.state.get_func_counts()["value_gradient_count"];
    assert_eq!(counted, report.evaluations.value_gradient);
}

#[test]
fn the_executors_own_limits_count_too() {
    let run = |configure: fn(FitState) -> FitState| {
        let result = Executor::new(rosenbrock(2), Bfgs::default())
            .configure(|state| configure(state.param(vec![-1.2, 1.0])))
            .run()
            .unwrap();
        Report::of(&result.solver, &result.state)
    };
    let report = run(|state| state.max_iters(3));
    assert_eq!((report.reason, report.iterations), (Reason::MaxIterations, 3));
    let report = run(|state| state.target_cost(1.0));
    assert_eq!(report.reason, Reason::TargetReached);
    assert!(report.value <= 1.0);
}

#[test]
fn a_timeout_of_the_executor_is_a_reason() {
    let stopping = Stopping { gradient_tolerance: 0.0, ..Stopping::default() };
    let result = Executor::new(rosenbrock(2), Bfgs::default().with_stopping(stopping))
        .configure(|state| state.param(vec![-1.2, 1.0]))
        .timeout(std::time::Duration::ZERO)
        .run()
        .unwrap();
    assert_eq!(result.state.reason(), Some(Reason::MaxTime));
}

#[test]
fn argmins_own_solvers_over_vec_land_on_the_same_minimum() {
    let problem = logistic(80, 4, 1e-2, 0.5, &mut Draws(21));
    let ours = minimize(&problem, Newton::default(), &[0.0; 4]).unwrap();
    assert!(ours.report.reason.is_success());

    let identity: Vec<Vec<f64>> =
        (0..4).map(|i| (0..4).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    let bfgs = BFGS::new(MoreThuenteLineSearch::new());
    let theirs = Executor::new(ArgminProblem::<_>::new(&problem), bfgs)
        .configure(|state| state.param(vec![0.0; 4]).inv_hessian(identity).max_iters(100))
        .run()
        .unwrap();
    assert!(distance(theirs.state.get_best_param().unwrap(), &ours.theta) < 1e-6);

    // argmin's plain Newton inverts, which `Vec<Vec<f64>>` cannot; its Newton-CG multiplies.
    let newton = NewtonCG::new(MoreThuenteLineSearch::new());
    let theirs = Executor::new(ArgminProblem::<_>::new(&problem), newton)
        .configure(|state| state.param(vec![0.0; 4]).max_iters(50))
        .run()
        .unwrap();
    assert!(distance(theirs.state.get_best_param().unwrap(), &ours.theta) < 1e-6);
}

#[cfg(feature = "nalgebra")]
#[test]
fn argmins_own_newton_and_lbfgs_over_nalgebra_land_on_the_same_minimum() {
    use nalgebra::DVector;
    use secant_optim::argmin::solver::quasinewton::LBFGS;
    let problem = logistic(80, 4, 1e-2, 0.5, &mut Draws(21));
    let ours = minimize(&problem, Newton::default(), &[0.0; 4]).unwrap();
    let wrapped = || ArgminProblem::<_, DVector<f64>>::new(&problem);

    let newton = secant_optim::argmin::solver::newton::Newton::<f64>::new();
    let theirs = Executor::new(wrapped(), newton)
        .configure(|state| state.param(DVector::zeros(4)).max_iters(20))
        .run()
        .unwrap();
    // Newton asks for no value, so argmin's latest parameters are its answer.
    assert!(distance(theirs.state.get_param().unwrap().as_slice(), &ours.theta) < 1e-9);

    // argmin's BFGS forms outer products, which its nalgebra vectors cannot; its L-BFGS does not.
    let lbfgs = LBFGS::new(MoreThuenteLineSearch::new(), 7);
    let theirs = Executor::new(wrapped(), lbfgs)
        .configure(|state| state.param(DVector::zeros(4)).max_iters(100))
        .run()
        .unwrap();
    assert!(distance(theirs.state.get_best_param().unwrap().as_slice(), &ours.theta) < 1e-6);
}

#[test]
fn a_parameter_of_the_wrong_length_is_an_error_for_argmins_solvers() {
    let function = rosenbrock(4);
    let problem: ArgminProblem<'_, _, Vec<f64>> = ArgminProblem::new(&function);
    let wrong = vec![1.0; 3];
    let errors = [
        problem.cost(&wrong).unwrap_err(),
        problem.gradient(&wrong).unwrap_err(),
        problem.hessian(&wrong).unwrap_err(),
    ];
    for error in errors {
        let expected = OptimError::StartLength { expected: 4, found: 3 };
        assert_eq!(error.downcast::<OptimError>().unwrap(), expected);
    }
    assert_eq!(function.calls.get(), 0);
}
