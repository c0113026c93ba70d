//! Linear least squares: certified digits, rank, weights, ridge, errors.

use secant::core::data::NistLinear;
use secant::core::faer::prelude::SolveLstsq;
use secant::core::faer::{Mat, MatRef};
use secant::core::random::Random;
use secant::optim::{Accuracy, LinearError, LinearLeastSquares, LinearSolution};
use secant::{Dataset, FitError, linear_regression};

fn path(file: &str) -> String {
    format!("{}/data/{file}", env!("CARGO_MANIFEST_DIR"))
}

/// Correct digits of the worst coefficient.
fn digits(found: &[f64], certified: &[f64]) -> f64 {
    let each = found.iter().zip(certified).map(|(found, certified)| {
        let error = ((found - certified) / certified).abs();
        if error < 1.0 { -error.log10() } else { 0.0 }
    });
    each.fold(15.0, f64::min)
}

fn matrix(m: usize, n: usize, seed: u64) -> Mat<f64> {
    let mut random = Random::new(seed);
    Mat::from_fn(m, n, |_, _| 2.0 * random.uniform() - 1.0)
}

fn vector(m: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..m).map(|_| 2.0 * random.uniform() - 1.0).collect()
}

#[test]
fn nist_problems_have_their_certified_digits() {
    for (name, working) in [
        ("Norris", 12.0),
        ("Pontius", 11.0),
        ("NoInt1", 14.0),
        ("Longley", 11.0),
        ("Wampler4", 9.0),
        ("Wampler5", 9.0),
        ("Filip", 7.0),
    ] {
        let set = NistLinear::read(path(&format!("nist/{name}.dat"))).unwrap();
        let (design, rest) = set.design();
        let (m, n) = (set.samples(), set.parameters.len());
        let design = MatRef::from_column_major_slice(&design, m, n);
        let rest = MatRef::from_column_major_slice(&rest, m, n);
        let problem = LinearLeastSquares::new(design, &set.y);
        let plain = problem.solve().unwrap();
        let found = digits(&plain.coefficients, &set.parameters);
        assert!(found >= working, "{name}: {found}");
        let problem = problem.with_rest(rest, &set.y_rest).with_accuracy(Accuracy::Certified);
        let certified = problem.solve().unwrap();
        assert!(certified.is_certified() && certified.rank == n, "{name}: {certified:?}");
        let found = digits(&certified.coefficients, &set.parameters);
        assert!(found >= 13.0, "{name}: {found}");
        let errors = certified.standard_errors.unwrap();
        assert!(digits(&errors, &set.deviations) >= 6.0, "{name}: {errors:?}");
        let sum = certified.residual_sum_of_squares;
        assert!(digits(&[sum], &[set.residual_sum_of_squares]) >= 13.0, "{name}: {sum:e}");
    }
}

#[test]
fn what_the_decimals_are_beyond_their_rounding_is_what_filip_turns_on() {
    let set = NistLinear::read(path("nist/Filip.dat")).unwrap();
    let (design, _) = set.design();
    let design = MatRef::from_column_major_slice(&design, set.samples(), 11);
    let rounded =
        LinearLeastSquares::new(design, &set.y).with_accuracy(Accuracy::Certified).solve().unwrap();
    // Certified for the rounded columns, which are another problem.
    let found = digits(&rounded.coefficients, &set.parameters);
    assert!(rounded.is_certified() && found < 10.0, "{found}");
}

#[test]
fn certified_digits_survive_a_condition_that_leaves_working_precision_few() {
    // A Hilbert-like matrix times 232792560, an integer in every entry: X·(1, −1, 1, …) is exact, and β is known.
    let n = 9;
    let design = Mat::from_fn(12, n, |i, j| 232_792_560.0 / (i + j + 1) as f64);
    let beta: Vec<f64> = (0..n).map(|j| if j % 2 == 0 { 1.0 } else { -1.0 }).collect();
    let targets: Vec<f64> =
        (0..12).map(|i| (0..n).map(|j| design[(i, j)] * beta[j]).sum()).collect();
    let problem = LinearLeastSquares::new(design.as_ref(), &targets);
    let qr = design.qr().solve_lstsq(Mat::from_fn(12, 1, |i, _| targets[i]));
    let qr: Vec<f64> = (0..n).map(|j| qr[(j, 0)]).collect();
    let certified = problem.with_accuracy(Accuracy::Certified).solve().unwrap();
    assert!(digits(&qr, &beta) < 9.0, "{qr:?}");
    assert_eq!(certified.coefficients, beta);
    assert!(certified.condition > 1e8 && certified.is_certified(), "{certified:?}");
}

fn normal_gap(
    design: &Mat<f64>,
    weights: &[f64],
    ridge: &[f64],
    y: &[f64],
    fit: &LinearSolution,
) -> f64 {
    let beta = &fit.coefficients;
    let gradient = (0..design.ncols()).map(|j| {
        let rows = (0..design.nrows()).map(|i| {
            let predicted: f64 = (0..design.ncols()).map(|k| design[(i, k)] * beta[k]).sum();
            weights[i] * design[(i, j)] * (predicted - y[i])
        });
        (rows.sum::<f64>() + ridge[j] * beta[j]).abs()
    });
    gradient.fold(0.0, f64::max)
}

#[test]
fn weights_and_ridges_solve_their_normal_equations() {
    for accuracy in [Accuracy::Working, Accuracy::Certified] {
        let (design, y) = (matrix(30, 6, 1), vector(30, 2));
        let weights: Vec<f64> = vector(30, 3).iter().map(|w| w * w).collect();
        let ridge = [0.0, 0.1, 2.0, 0.0, 30.0, 1e-3];
        let problem = LinearLeastSquares::new(design.as_ref(), &y).with_accuracy(accuracy);
        let fit = problem.clone().with_weights(&weights).with_ridges(ridge).solve().unwrap();
        assert!(normal_gap(&design, &weights, &ridge, &y, &fit) < 1e-13, "{fit:?}");
        assert_eq!(fit.standard_errors, None);
        let fit = problem.clone().with_ridge(0.5).solve().unwrap();
        assert!(normal_gap(&design, &[1.0; 30], &[0.5; 6], &y, &fit) < 1e-13, "{fit:?}");
        // A weight of 4 is the row and the target doubled; one of 0 is no row.
        let mut weights = vec![1.0; 30];
        (weights[3], weights[7]) = (4.0, 0.0);
        let kept: Vec<usize> = (0..30).filter(|i| *i != 7).collect();
        let factor = |i: usize| if i == 3 { 2.0 } else { 1.0 };
        let scaled = Mat::from_fn(29, 6, |i, j| factor(kept[i]) * design[(kept[i], j)]);
        let scaled_y: Vec<f64> = kept.iter().map(|i| factor(*i) * y[*i]).collect();
        let weighted = problem.with_weights(&weights).solve().unwrap();
        let rows = LinearLeastSquares::new(scaled.as_ref(), &scaled_y).with_accuracy(accuracy);
        let rows = rows.solve().unwrap();
        let close =
            |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-13 * b.abs());
        assert!(close(&weighted.coefficients, &rows.coefficients));
        assert!(close(&weighted.standard_errors.unwrap(), &rows.standard_errors.unwrap()));
        assert!(
            (weighted.residual_sum_of_squares / rows.residual_sum_of_squares - 1.0).abs() < 1e-13
        );
    }
}

#[test]
fn dependent_columns_give_the_shortest_solution_and_their_names() {
    // Columns 1 and 4 depend on the others: x₁ = 2x₀ − x₃, x₄ = x₀ + x₂.
    let base = matrix(20, 3, 5);
    let design = Mat::from_fn(20, 5, |i, j| match j {
        0 => base[(i, 0)],
        1 => 2.0 * base[(i, 0)] - base[(i, 2)],
        2 => base[(i, 1)],
        3 => base[(i, 2)],
        _ => base[(i, 0)] + base[(i, 1)],
    });
    let y = vector(20, 6);
    let svd = design.thin_svd().unwrap();
    let mut shortest = [0.0; 5];
    for k in 0..3 {
        let along: f64 = (0..20).map(|i| svd.U()[(i, k)] * y[i]).sum::<f64>() / svd.S()[k];
        for (j, shortest) in shortest.iter_mut().enumerate() {
            *shortest += along * svd.V()[(j, k)];
        }
    }
    for accuracy in [Accuracy::Working, Accuracy::Certified] {
        let problem =
            LinearLeastSquares::new(design.as_ref(), &y).with_names(["a", "b", "c", "d", "e"]);
        let fit = problem.with_accuracy(accuracy).solve().unwrap();
        assert_eq!((fit.rank, fit.null_directions.len()), (3, 2));
        assert!(!fit.is_certified() && fit.standard_errors.is_none());
        for (found, wanted) in fit.coefficients.iter().zip(shortest) {
            assert!((found - wanted).abs() < 1e-13, "{:?} {shortest:?}", fit.coefficients);
        }
        for null in &fit.null_directions {
            for i in 0..20 {
                let row: f64 = (0..5).map(|j| design[(i, j)] * null.coefficients[j]).sum();
                assert!(row.abs() < 1e-13, "{null}");
            }
            assert!(null.to_string().contains(" = "), "{null}");
        }
    }
    let zero = Mat::zeros(4, 2);
    let fit = LinearLeastSquares::new(zero.as_ref(), &[1.0; 4]).solve().unwrap();
    assert_eq!((fit.rank, fit.coefficients, fit.null_directions.len()), (0, vec![0.0; 2], 2));
    assert_eq!(fit.null_directions[0].to_string(), "column 0 = 0");
}

#[test]
fn a_coefficient_that_is_zero_does_not_keep_the_others_from_being_certified() {
    let x = vector(12, 4);
    let design = Mat::from_fn(12, 3, |i, j| [1.0, x[i], x[i] * x[i]][j]);
    let y: Vec<f64> = (0..12).map(|i| 4.0 * design[(i, 2)]).collect();
    let fit = LinearLeastSquares::new(design.as_ref(), &y).with_accuracy(Accuracy::Certified);
    let fit = fit.solve().unwrap();
    assert!(fit.is_certified(), "{fit:?}");
    assert_eq!(fit.coefficients[2], 4.0);
    assert!(fit.coefficients[..2].iter().all(|beta| beta.abs() < 1e-30), "{fit:?}");
    // Numbers that overflow on the way are no certified solution.
    let design = Mat::from_fn(12, 2, |i, j| 1e300 * [1.0, x[i]][j]);
    let y = vec![1e300; 12];
    let fit = LinearLeastSquares::new(design.as_ref(), &y).with_accuracy(Accuracy::Certified);
    let fit = fit.solve().unwrap();
    assert!(!fit.is_certified() || (fit.coefficients[0] - 1.0).abs() < 1e-15, "{fit:?}");
}

#[test]
fn more_columns_than_rows_give_the_shortest_of_the_exact_fits() {
    let (design, y) = (matrix(4, 9, 8), vector(4, 9));
    let fit = LinearLeastSquares::new(design.as_ref(), &y).solve().unwrap();
    assert_eq!((fit.rank, fit.null_directions.len()), (4, 5));
    assert!(fit.residuals.iter().all(|r| r.abs() < 1e-14), "{:?}", fit.residuals);
    // Xᵀ(XXᵀ)⁻¹y
    let gram = &design * design.transpose();
    let u = gram.qr().solve_lstsq(Mat::from_fn(4, 1, |i, _| y[i]));
    for (j, found) in fit.coefficients.iter().enumerate() {
        let wanted: f64 = (0..4).map(|i| design[(i, j)] * u[(i, 0)]).sum();
        assert!((found - wanted).abs() < 1e-13);
    }
}

#[test]
fn a_table_with_a_dependent_column_names_it() {
    let data = Dataset::from_csv(path("energy.csv"), "target").unwrap();
    let fit = linear_regression(&data).accuracy(Accuracy::Certified).solve().unwrap();
    let names: Vec<String> = fit.null_directions.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["surface_area = wall_area + 2·roof_area"]);
    let ridge = linear_regression(&data).ridge(1e-3).solve().unwrap();
    assert!(ridge.null_directions.is_empty() && ridge.rank == ridge.coefficients.len());
}

#[test]
fn mistakes_are_named_with_their_place() {
    let (design, y) = (matrix(5, 2, 1), vector(5, 2));
    let problem = || LinearLeastSquares::new(design.as_ref(), &y);
    let short = [1.0; 3];
    let said = |problem: LinearLeastSquares<'_>| problem.solve().unwrap_err().to_string();
    assert_eq!(said(problem().with_weights(&short)), "weights: 3 entries, the design asks for 5");
    assert_eq!(said(problem().with_names(["a"])), "names: 1 entries, the design asks for 2");
    let negative = [1.0, 1.0, -2.0, 1.0, 1.0];
    assert_eq!(said(problem().with_weights(&negative)), "weight 2 is -2, allowed is [0, ∞)");
    assert_eq!(said(problem().with_ridge(f64::NAN)), "ridge 0 is NaN, allowed is [0, ∞)");
    assert_eq!(
        said(LinearLeastSquares::new(design.as_ref(), &short)),
        "targets: 3 entries, the design asks for 5"
    );
    let mut bad = design.clone();
    bad[(3, 1)] = f64::INFINITY;
    let names = LinearLeastSquares::new(bad.as_ref(), &y).with_names(["u", "v"]);
    assert_eq!(said(names), "v, row 3: inf");
    let empty = Mat::<f64>::zeros(0, 2);
    let error = LinearLeastSquares::new(empty.as_ref(), &[]).solve().unwrap_err();
    assert_eq!(error, LinearError::Empty { rows: 0, columns: 2 });
    let labels = Dataset::from_labels(1, &[0.0, 1.0], 2, &[0, 1]).unwrap();
    let error = linear_regression(&labels).solve().unwrap_err();
    assert!(matches!(error, FitError::Regression { .. }), "{error}");
}
