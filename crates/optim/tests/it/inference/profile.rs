//! Profile intervals and contours.

use super::{Profiled, Regression, close, fit, fixture, linear, solve};
use secant_optim::inference::distributions::{Distribution, FisherF};
use secant_optim::inference::{End, Inference};
use secant_optim::{Bounds, LeastSquaresFn};

#[test]
fn profile_intervals_are_those_of_lmfit_on_four_sets() {
    for set in fixture::<Vec<Profiled>>("profiles") {
        let problem = set.problem();
        let theta = fit(&problem, &set.start);
        let names: Vec<String> = (1..=theta.len()).map(|j| format!("b{j}")).collect();
        for (k, level) in set.levels.iter().enumerate() {
            let infer = Inference::of(&problem, &theta).names(names.clone()).level(*level);
            for (j, name) in names.iter().enumerate() {
                let found = infer.profile(name).unwrap();
                let [low, high] = set.intervals[name][k];
                // Against the distance from the estimate.
                let ends = [(found.lower, low), (found.upper, high)];
                for (end, expected) in ends {
                    let End::At(at) = end else { panic!("{found}") };
                    close(at - theta[j], expected - theta[j], 1e-4);
                }
                assert!(found.fits < 40, "{} fits", found.fits);
            }
        }
    }
}

#[test]
fn profile_intervals_of_a_linear_model_are_those_by_error() {
    let data: Regression = fixture("ols");
    let (problem, theta) = (linear(&data.design, &data.targets, &data.weights), solve(&data));
    let infer = Inference::of(&problem, &theta).names(["one", "bmi", "bp", "s5"]).level(0.9);
    let found = infer.profile("bp").unwrap();
    close(found.lower.value().unwrap(), data.intervals90[2][0], 1e-7);
    close(found.upper.value().unwrap(), data.intervals90[2][1], 1e-7);
    assert!(found.difference() < 1e-6 && !found.differs());
    assert!(!found.to_string().contains('±'), "{found}");
}

#[test]
fn an_end_is_open_or_at_a_bound_or_at_the_edge_and_said_to_be() {
    // 1 − e^(−k·t): data beside their limit say that k is large, not how large.
    let y = [0.9, 1.1, 0.95, 1.05, 1.0];
    let residuals = move |p: &[f64], r: &mut [f64]| {
        (0..5).for_each(|i| r[i] = 1.0 - f64::exp(-p[0] * (1.0 + i as f64)) - y[i]);
    };
    let problem = LeastSquaresFn::new(1, 5, residuals);
    let theta = fit(&problem, &[2.0]);
    let infer = Inference::of(&problem, &theta).names(["k"]);
    let open = infer.profile("k").unwrap();
    assert_eq!(open.upper, End::Open);
    assert!(matches!(open.lower, End::At(at) if at > 0.0 && at < theta[0]), "{open}");
    assert!(open.to_string().contains("… open at 95 %"), "{open}");
    assert!(open.differs());
    let bounds = Bounds::free(1).with(0..1, 0.0, theta[0] + 1.0).unwrap();
    let bound = infer.bounds(bounds).profile("k").unwrap();
    assert_eq!(bound.upper, End::Bound(theta[0] + 1.0));
    assert!(bound.to_string().contains("(its bound)"), "{bound}");

    // √p is there from 0 on.
    let root = LeastSquaresFn::new(1, 4, |p, r| {
        (0..4).for_each(|i| r[i] = p[0].sqrt() - [0.3, -0.2, 0.4, 0.1][i]);
    })
    .with_jacobian(|p, mut j| (0..4).for_each(|i| j[(i, 0)] = 0.5 / p[0].sqrt()));
    let found = Inference::of(&root, &[0.0225]).names(["p"]).profile("p").unwrap();
    assert!(matches!(found.lower, End::Edge(at) if at.abs() < 1e-9), "{found}");
    assert!(found.to_string().contains("not finite beyond"), "{found}");
}

#[test]
fn a_solution_that_is_none_is_found_out_and_a_misspelt_name_too() {
    let set = &fixture::<Vec<Profiled>>("profiles")[0];
    let problem = set.problem();
    let off: Vec<f64> = set.certified.iter().map(|b| 1.02 * b).collect();
    let infer = Inference::of(&problem, &off).names(["limit", "rate"]);
    let text = infer.profile("rate").unwrap_err().to_string();
    assert!(text.starts_with("not a minimum: the sum of squares is"), "{text}");
    let text = infer.profile("rat").unwrap_err().to_string();
    assert_eq!(text, "no parameter rat: did you mean `rate`?");
}

#[test]
fn the_contour_of_a_linear_model_is_its_ellipse() {
    let data: Regression = fixture("ols");
    let (problem, theta) = (linear(&data.design, &data.targets, &data.weights), solve(&data));
    let infer = Inference::of(&problem, &theta).names(["one", "bmi", "bp", "s5"]).level(0.9);
    let found = infer.contour("bmi", "s5", 12).unwrap();
    let c = |i: usize, j: usize| data.covariance[i][j];
    let determinant = c(1, 1) * c(3, 3) - c(1, 3) * c(1, 3);
    let expected = 2.0 * FisherF::new(2.0, data.degrees).quantile(0.9);
    assert_eq!((found.points.len(), found.cut), (13, 0));
    assert_eq!(found.points[0], found.points[12]);
    for (x, y) in &found.points {
        let (dx, dy) = (x - theta[1], y - theta[3]);
        let form = (c(3, 3) * dx * dx - 2.0 * c(1, 3) * dx * dy + c(1, 1) * dy * dy) / determinant;
        close(form, expected, 1e-6);
    }
}

#[test]
fn a_contour_reaches_as_far_as_the_joint_level_says() {
    let set = &fixture::<Vec<Profiled>>("profiles")[1];
    let problem = set.problem();
    let theta = fit(&problem, &set.start);
    let found =
        Inference::of(&problem, &theta).names(["b1", "b2"]).contour("b1", "b2", 16).unwrap();
    let squares = |p: &[f64]| 2.0 * secant_core::problem::Objective::value(&problem, p);
    let rise = 2.0 * FisherF::new(2.0, 4.0).quantile(0.95) / 4.0;
    for (x, y) in &found.points {
        close(squares(&[*x, *y]) / squares(&theta) - 1.0, rise, 1e-6);
    }
    let few = Inference::of(&problem, &theta).names(["b1", "b2"]).contour("b1", "b2", 2);
    assert_eq!(few.unwrap_err().to_string(), "points of a contour: 2, at least 3 are needed");
}
