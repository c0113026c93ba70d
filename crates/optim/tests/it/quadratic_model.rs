//! The quadratic model is f to second order, its minimiser is Newton's step, and its radius of trust is that of the remainder.

use crate::common::{Draws, Function, rosenbrock, rosenbrock_start};
use faer::linalg::solvers::Solve;
use faer::{Mat, Side};
use secant_core::problem::Objective;
use secant_optim::{Inertia, Limit, Newton, OptimError, QuadraticModel, Stopping, minimize};

/// ½θᵀAθ + bᵀθ with a symmetric A of the given diagonal added to random entries.
fn quadratic(n: usize, diagonal: f64) -> (Function, Mat<f64>, Vec<f64>) {
    let mut draws = Draws(3);
    let raw = Mat::from_fn(n, n, |_, _| draws.next());
    let a = Mat::from_fn(n, n, |i, j| {
        f64::midpoint(raw[(i, j)], raw[(j, i)]) + if i == j { diagonal } else { 0.0 }
    });
    let b = draws.vector(n);
    let (inner_a, inner_b, h) = (a.clone(), b.clone(), a.clone());
    let f = Function::new(
        n,
        move |x, g| {
            let mut value = 0.0;
            for i in 0..n {
                let ax: f64 = (0..n).map(|j| inner_a[(i, j)] * x[j]).sum();
                g[i] = ax + inner_b[i];
                value += x[i] * (0.5 * ax + inner_b[i]);
            }
            value
        },
        move |_| h.clone(),
    );
    (f, a, b)
}

/// f(x) = −x + ½hx² + cx³ in one variable.
fn cubic(h: f64, c: f64) -> Function {
    Function::new(
        1,
        move |x, g| {
            g[0] = -1.0 + h * x[0] + 3.0 * c * x[0] * x[0];
            -x[0] + 0.5 * h * x[0] * x[0] + c * x[0].powi(3)
        },
        move |x| Mat::from_fn(1, 1, |_, _| h + 6.0 * c * x[0]),
    )
}

#[test]
fn a_quadratic_is_its_own_model_everywhere() {
    let mut draws = Draws(11);
    for (n, diagonal) in [(1, 2.0), (4, 6.0), (9, -2.0)] {
        let (f, ..) = quadratic(n, diagonal);
        let model = QuadraticModel::at(&f, &draws.vector(n)).unwrap();
        for _ in 0..5 {
            let theta: Vec<f64> = draws.vector(n).iter().map(|x| 10.0 * x).collect();
            let (mut exact, mut ours) = (vec![0.0; n], vec![0.0; n]);
            let value = f.value_gradient(&theta, &mut exact);
            model.gradient_at(&theta, &mut ours);
            let size = value.abs().max(100.0);
            assert!((model.evaluate(&theta) - value).abs() <= 1e-13 * size, "n = {n}");
            for (ours, exact) in ours.iter().zip(&exact) {
                assert!((ours - exact).abs() <= 1e-13 * size, "n = {n}: {ours} {exact}");
            }
        }
        let trusted = model.trusted(&f, 6, 0.01).unwrap();
        assert_ne!(trusted.limit, Limit::Remainder, "n = {n}: {trusted:?}");
        assert_eq!((trusted.ratio, trusted.third), (0.0, 0.0), "n = {n}");
    }
}

#[test]
fn the_remainder_is_of_third_order() {
    let n = 6;
    let (f, x0) = (rosenbrock(n), rosenbrock_start(n));
    let model = QuadraticModel::at(&f, &x0).unwrap();
    let u = Draws(5).vector(n);
    let remainder = |t: f64| {
        let theta: Vec<f64> = x0.iter().zip(&u).map(|(x, u)| x + t * u).collect();
        (f.value(&theta) - model.evaluate(&theta)).abs()
    };
    // Above the rounding of values of some hundred (1e-13), below where fourth derivatives show.
    for t in [1e-2, 5e-3, 2.5e-3] {
        let order = (remainder(t) / remainder(t / 2.0)).log2();
        assert!((order - 3.0).abs() < 0.05, "t = {t}: order {order}");
    }
}

#[test]
fn the_minimizer_is_newtons_step_and_solves_the_dense_system() {
    let n = 8;
    let (f, a, b) = quadratic(n, 6.0);
    let start = Draws(2).vector(n);
    let model = QuadraticModel::at(&f, &start).unwrap();
    assert_eq!(model.inertia(), Inertia { positive: n, negative: 0, zero: 0 });
    let minimizer = model.minimizer().unwrap();
    let exact = a.llt(Side::Lower).unwrap().solve(Mat::from_fn(n, 1, |i, _| -b[i]));
    let stopping = Stopping { max_iterations: 1, ..Stopping::default() };
    let newton = minimize(&f, Newton::default().with_stopping(stopping), &start).unwrap();
    for i in 0..n {
        assert!((minimizer[i] - exact[(i, 0)]).abs() <= 1e-13, "entry {i}, dense");
        assert!((minimizer[i] - newton.theta[i]).abs() <= 1e-12, "entry {i}, Newton");
    }
    // Where f is no quadratic too: a minimum of Rosenbrock's valley near (1, 1) takes full steps.
    let (f, start) = (rosenbrock(2), [1.01, 1.02]);
    let minimizer = QuadraticModel::at(&f, &start).unwrap().minimizer().unwrap();
    let stopping = Stopping { max_iterations: 1, ..Stopping::default() };
    let newton = Newton { stopping, ..Newton::default() };
    let newton = minimize(&f, newton, &start).unwrap();
    for (ours, newton) in minimizer.iter().zip(&newton.theta) {
        assert!((ours - newton).abs() <= 1e-12, "{minimizer:?} {newton}");
    }
}

#[test]
fn a_model_without_a_minimum_has_none_and_says_why() {
    let (f, a, _) = quadratic(9, -0.5);
    let model = QuadraticModel::at(&f, &[0.1; 9]).unwrap();
    assert_eq!(model.minimizer(), None);
    let eigenvalues = a.self_adjoint_eigenvalues(Side::Lower).unwrap();
    let negative = eigenvalues.iter().filter(|e| **e < 0.0).count();
    assert!(negative > 0);
    assert_eq!(model.inertia(), Inertia { positive: 9 - negative, negative, zero: 0 });
    // H = 0: a plane.
    let plane = Function::new(
        2,
        |x, g| {
            g.copy_from_slice(&[1.0, 2.0]);
            x[0] + 2.0 * x[1]
        },
        |_| Mat::zeros(2, 2),
    );
    let model = QuadraticModel::at(&plane, &[3.0, 4.0]).unwrap();
    assert_eq!(model.minimizer(), None);
    assert_eq!(model.inertia(), Inertia { positive: 0, negative: 0, zero: 2 });
    assert_eq!(model.step_direction(), Some(vec![-1.0, -2.0]));
}

#[test]
fn the_radius_of_trust_is_where_the_remainder_takes_its_share() {
    // |f − q| = c r³ and |q − f₀| = r − ½hr² along u = 1: c r² = η(1 − ½hr), up to q's minimum at 1/h.
    let (h, c, share) = (1.0, 2.0, 0.1);
    let f = cubic(h, c);
    let model = QuadraticModel::at(&f, &[0.0]).unwrap();
    let trusted = model.trusted_along(&f, &[7.0], share).unwrap();
    let b = 0.5 * share * h;
    let exact = ((b * b + 4.0 * c * share).sqrt() - b) / (2.0 * c);
    assert_eq!(trusted.limit, Limit::Remainder);
    assert!((trusted.radius / exact - 1.0).abs() < 1e-3, "{trusted:?}, {exact}");
    assert!((trusted.third - 6.0 * c).abs() < 1e-9, "f‴ = {}: {trusted:?}", 6.0 * c);
    assert!(trusted.ratio <= share && trusted.ratio > 0.99 * share);
    // A small third derivative: trusted to q's own minimum.
    let f = cubic(h, 1e-4);
    let model = QuadraticModel::at(&f, &[0.0]).unwrap();
    let trusted = model.trusted_along(&f, &[1.0], share).unwrap();
    assert_eq!((trusted.limit, trusted.radius), (Limit::ModelMinimum, 1.0));
    // The step points that way by itself.
    assert_eq!(model.trusted(&f, 0, share).unwrap(), trusted);
}

#[test]
fn values_that_are_not_finite_are_not_trusted() {
    // −ln(1 − x) − 2x: infinite from 1 on, and the model's minimum is at 1.
    let f = Function::new(
        1,
        |x, g| {
            g[0] = 1.0 / (1.0 - x[0]) - 2.0;
            -(1.0 - x[0]).ln() - 2.0 * x[0]
        },
        |x| Mat::from_fn(1, 1, |_, _| (1.0 - x[0]).powi(-2)),
    );
    let model = QuadraticModel::at(&f, &[0.0]).unwrap();
    let trusted = model.trusted_along(&f, &[1.0], 0.999).unwrap();
    assert_eq!(trusted.limit, Limit::Remainder);
    assert!(trusted.radius < 1.0 && trusted.radius > 0.5, "{trusted:?}");
}

#[test]
fn what_makes_no_model_is_refused_with_values() {
    let f = cubic(1.0, 1.0);
    let error = QuadraticModel::at(&f, &[1.0, 2.0]).unwrap_err();
    assert_eq!(error, OptimError::StartLength { expected: 1, found: 2 });
    assert!(matches!(
        QuadraticModel::at(&f, &[f64::NAN]).unwrap_err(),
        OptimError::StartNotFinite { index: 0, .. }
    ));
    assert_eq!(
        QuadraticModel::at(&f, &[1e200]).unwrap_err(),
        OptimError::NotFiniteThere { what: "the value" }
    );
    let model = QuadraticModel::at(&f, &[0.0]).unwrap();
    for share in [0.0, 1.0, f64::NAN] {
        assert!(matches!(
            model.trusted_along(&f, &[1.0], share).unwrap_err(),
            OptimError::OptionOutOfRange { option: "share", .. }
        ));
    }
    for direction in [&[0.0][..], &[f64::NAN], &[1.0, 1.0]] {
        let found = direction.len();
        assert!(matches!(
            model.trusted_along(&f, direction, 0.1).unwrap_err(),
            OptimError::Direction { expected: 1, found: got, .. } if got == found
        ));
    }
}
