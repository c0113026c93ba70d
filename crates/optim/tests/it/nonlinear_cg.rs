//! Nonlinear conjugate gradients: conjugacy on quadratics, large n, restarts, ends.

use crate::common::{Draws, distance, quadratic, rosenbrock, rosenbrock_start};
use secant_optim::line_search::StrongWolfe;
use secant_optim::{GradientDescent, NonlinearCg, OptimError, Stopping, minimize};

#[test]
fn a_quadratic_takes_about_as_many_steps_as_distinct_eigenvalues() {
    let n = 60;
    let a =
        faer::Mat::from_fn(n, n, |i, j| if i == j { [1.0, 4.0, 20.0, 90.0][i % 4] } else { 0.0 });
    let function = quadratic(a, Draws(5).vector(n), 0.0);
    // Nearly exact steps along the lines; linear CG takes four.
    let search = StrongWolfe { curvature: 1e-9, decrease: 1e-10, ..StrongWolfe::default() };
    let exact = NonlinearCg::default().with_search(search);
    let report = minimize(&function, exact, &vec![1.0; n]).unwrap().report;
    assert!(report.reason.is_success() && report.iterations <= 6, "{report}");
    let report = minimize(&function, NonlinearCg::default(), &vec![1.0; n]).unwrap().report;
    assert!(report.reason.is_success() && report.iterations <= 40, "{report}");
    let descent = minimize(&function, GradientDescent::default(), &vec![1.0; n]).unwrap().report;
    assert!(descent.iterations > 3 * report.iterations, "{descent}");
}

#[test]
fn it_finds_the_minimum_of_rosenbrock_of_any_size() {
    for n in [2, 10, 1000] {
        let stopping = Stopping { gradient_tolerance: 1e-9, ..Stopping::default() };
        let solver = NonlinearCg::default().with_stopping(stopping);
        let solution = minimize(&rosenbrock(n), solver, &rosenbrock_start(n)).unwrap();
        let report = &solution.report;
        assert!(report.reason.is_success(), "{report}");
        assert!(distance(&solution.theta, &vec![1.0; n]) < 1e-5, "{report}");
        assert!(report.evaluations.value_gradient < 3 * report.iterations + 20, "{report}");
    }
}

#[test]
fn options_out_of_range_are_named() {
    let search = StrongWolfe { curvature: 2.0, ..StrongWolfe::default() };
    let solver = NonlinearCg::default().with_search(search);
    let error = minimize(&rosenbrock(2), solver, &[-1.2, 1.0]).unwrap_err();
    let OptimError::OptionOutOfRange { solver, option, .. } = error else { panic!("{error}") };
    assert_eq!((solver, option), ("nonlinear CG", "curvature"));
}
