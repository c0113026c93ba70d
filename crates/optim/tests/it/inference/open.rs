//! What the data do not determine, what is refused, and what the table says.

use super::{Decay, fixture, linear};
use secant_core::problem::{LeastSquares, Observations};
use secant_optim::inference::{Inference, Sandwich, Status};
use secant_optim::{Bounds, LeastSquaresFn};

/// y = a·c²·t + b, of which only a·c² and b are determined; d enters nowhere.
fn product() -> LeastSquaresFn<'static> {
    LeastSquaresFn::new(4, 6, |p, r| {
        for i in 0..6 {
            let t = i as f64;
            r[i] =
                p[0] * p[2] * p[2] * t + p[1] - 3.0 * t - 1.0 - if i % 2 == 0 { 0.1 } else { -0.1 };
        }
    })
    .with_jacobian(|p, mut j| {
        for i in 0..6 {
            let t = i as f64;
            j[(i, 0)] = p[2] * p[2] * t;
            j[(i, 1)] = 1.0;
            j[(i, 2)] = 2.0 * p[0] * p[2] * t;
            j[(i, 3)] = 0.0;
        }
    })
}

#[test]
fn open_directions_are_named_and_what_the_data_determine_keeps_its_error() {
    let theta = [3.0, 1.0, 1.0, 5.0];
    let problem = product();
    let found = Inference::of(&problem, &theta).names(["a", "b", "c", "d"]).compute().unwrap();
    let words: Vec<String> = found.open_directions.iter().map(ToString::to_string).collect();
    // Along (6, 0, −1, 0)·t, scaled: ∂(ac²) = c²·da + 2ac·dc.
    assert!(words.contains(&"only a + 6·c is determined of a and c".to_owned()), "{words:?}");
    assert!(words.contains(&"nothing depends on d".to_owned()), "{words:?}");
    let status: Vec<Status> = found.estimates.iter().map(|e| e.status).collect();
    assert_eq!(status, [Status::Open, Status::Estimated, Status::Open, Status::Open]);
    assert_eq!((found.estimated, found.degrees), (2.0, 4.0));
    // As of the line y = k·t + b.
    let design: Vec<Vec<f64>> = (0..6).map(|i| vec![f64::from(i), 1.0]).collect();
    let y: Vec<f64> = (0..6).map(|i| 3.0 * f64::from(i) + 1.0 + 0.1 * (-1.0_f64).powi(i)).collect();
    let (ones, at) = ([1.0; 6], [3.0, 1.0]);
    let line = linear(&design, &y, &ones);
    let expected = Inference::of(&line, &at).compute().unwrap();
    super::close(found.estimates[1].standard_error, expected.estimates[1].standard_error, 1e-13);
    super::close(
        found.error_along(&[1.0, 0.0, 6.0, 0.0]),
        expected.estimates[0].standard_error,
        1e-13,
    );
    assert!(found.error_along(&[1.0, 0.0, 0.0, 0.0]).is_nan());
    let text = found.to_string();
    assert!(text.contains("3 (not determined)") && text.contains("nothing depends on d"), "{text}");
}

#[test]
fn the_same_directions_are_seen_by_differences() {
    let theta = [3.0, 1.0, 1.0, 5.0];
    let problem = LeastSquaresFn::new(4, 6, |p, r| {
        (0..6).for_each(|i| r[i] = p[0] * p[2] * p[2] * i as f64 + p[1] - 3.1 * i as f64);
    });
    let found = Inference::of(&problem, &theta).names(["a", "b", "c", "d"]).compute().unwrap();
    let words: Vec<String> = found.open_directions.iter().map(ToString::to_string).collect();
    assert!(words.contains(&"only a + 6·c is determined of a and c".to_owned()), "{words:?}");
    assert!(words.contains(&"nothing depends on d".to_owned()), "{words:?}");
    assert!(found.notes.iter().any(|note| note.contains("differences")));
}

#[test]
fn three_columns_that_depend_on_each_other_are_one_direction() {
    let design: Vec<Vec<f64>> = (0..7)
        .map(|i| {
            let (x, z) = (f64::from(i), f64::from(i * i));
            vec![x, z, x - 2.0 * z]
        })
        .collect();
    let (y, ones) = ([1.0, 2.0, 0.0, 1.0, 3.0, 1.0, 2.0], [1.0; 7]);
    let problem = linear(&design, &y, &ones);
    let found = Inference::of(&problem, &[1.0, 1.0, 1.0]).names(["a", "b", "c"]).compute().unwrap();
    assert_eq!(found.open_directions.len(), 1);
    assert_eq!(found.open_directions[0].coefficients, [1.0, -2.0, -1.0]);
    let words = found.open_directions[0].to_string();
    assert_eq!(words, "a + t, b − 2·t, c − t fits as well, whatever t");
}

#[test]
fn without_degrees_of_freedom_there_are_no_errors_unless_sigma_is_known() {
    let design = vec![vec![1.0, 0.0], vec![1.0, 1.0]];
    let problem = linear(&design, &[1.0, 3.0], &[1.0; 2]);
    let theta = [1.0, 2.0];
    let found = Inference::of(&problem, &theta).compute().unwrap();
    assert!(found.estimates.iter().all(|e| e.standard_error.is_nan()));
    assert!(
        found.to_string().contains("2 observations leave no degrees of freedom to 2 parameters")
    );
    let known = Inference::of(&problem, &theta).absolute_sigma(true).compute().unwrap();
    super::close(known.estimates[0].standard_error, 1.0, 1e-15);
    super::close(known.estimates[1].standard_error, f64::sqrt(2.0), 1e-15);
}

/// Two residuals of data and a ridge.
pub(super) struct Ridged(pub(super) LeastSquaresFn<'static>);

impl secant_core::problem::Objective for Ridged {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn value(&self, theta: &[f64]) -> f64 {
        self.0.value(theta)
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.0.value_gradient(theta, gradient)
    }
}

impl LeastSquares for Ridged {
    fn residual_len(&self) -> usize {
        self.0.residual_len()
    }
    fn residuals(&self, theta: &[f64], residuals: &mut [f64]) -> f64 {
        self.0.residuals(theta, residuals)
    }
    fn jacobian_vector(&self, theta: &[f64], v: &[f64], out: &mut [f64]) {
        self.0.jacobian_vector(theta, v, out);
    }
    fn jacobian_transpose_vector(&self, theta: &[f64], u: &[f64], out: &mut [f64]) {
        self.0.jacobian_transpose_vector(theta, u, out);
    }
    fn normal_equations(&self, t: &[f64], normal: faer::MatMut<'_, f64>, g: &mut [f64]) -> f64 {
        self.0.normal_equations(t, normal, g)
    }
    fn jacobian(&self, theta: &[f64], r: &mut [f64], j: faer::MatMut<'_, f64>) -> f64 {
        self.0.jacobian(theta, r, j)
    }
    fn observations(&self) -> Observations {
        Observations { rows: 5, counted: 5, ..Observations::plain(6) }
    }
}

#[test]
fn rows_of_a_penalty_are_no_observations_and_take_from_the_parameters() {
    // The mean of five numbers with a ridge λ = 5: half a parameter.
    let y = [1.0, 2.0, 3.0, 2.0, 1.5];
    let sum = LeastSquaresFn::new(1, 6, move |p, r| {
        (0..5).for_each(|i| r[i] = p[0] - y[i]);
        r[5] = 5.0_f64.sqrt() * p[0];
    });
    let problem = Ridged(sum);
    let theta = [0.95];
    let found = Inference::of(&problem, &theta).compute().unwrap();
    super::close(found.estimated, 0.5, 1e-9);
    assert_eq!(found.observations, 5);
    let rss: f64 = y.iter().map(|y| (0.95 - y) * (0.95 - y)).sum();
    super::close(found.residual_deviation, (rss / 4.5).sqrt(), 1e-9);
    super::close(found.estimates[0].standard_error, (rss / 4.5 / 10.0).sqrt(), 1e-9);
}

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    let data: Decay = fixture("decay");
    let problem = data.problem();
    let theta = [2.0, 1.0, 0.0];
    let refused =
        |infer: secant_optim::inference::Infer<'_>| infer.compute().unwrap_err().to_string();
    let of = || Inference::of(&problem, &theta);
    assert_eq!(
        refused(Inference::of(&problem, &theta[..2])),
        "entries of θ: 2, the problem asks for 3"
    );
    assert_eq!(refused(of().names(["a", "b"])), "names: 2, the problem asks for 3");
    assert_eq!(refused(of().names(["a", "b", "a"])), "two parameters are named a");
    assert_eq!(refused(of().level(1.0)), "the level is 1, allowed is (0, 1)");
    assert_eq!(refused(of().bounds(Bounds::free(2))), "bounds: 2, the problem asks for 3");
    assert_eq!(refused(of().targets(&[1.0])), "targets: 1, the problem asks for 25");
    let nan = [2.0, f64::NAN, 0.0];
    let text = refused(Inference::of(&problem, &nan));
    assert!(text.starts_with("residual 0 is NaN at the solution"), "{text}");
    let pole = LeastSquaresFn::new(1, 2, |p, r| (r[0], r[1]) = (p[0].sqrt(), p[0] - 1.0))
        .with_jacobian(|p, mut j| (j[(0, 0)], j[(1, 0)]) = (0.5 / p[0].sqrt(), 1.0));
    let text = refused(Inference::of(&pole, &[0.0]).names(["k"]));
    assert_eq!(text, "the derivative of residual 0 by k is inf at the solution");
    // The third parameter has an observation of its own.
    let design = vec![vec![1.0, 0.0], vec![1.0, 0.0], vec![1.0, 0.0], vec![1.0, 1.0]];
    let own = linear(&design, &[1.0, 2.0, 3.0, 4.0], &[1.0; 4]);
    let text = refused(Inference::of(&own, &[2.0, 2.0]).robust(Sandwich::Hc3));
    assert!(
        text.starts_with("HC3 divides by 1 − leverage, and residual 3 has leverage 1"),
        "{text}"
    );
}

#[test]
fn a_table_has_the_digits_that_the_errors_leave_and_comes_back_from_json() {
    let data: Decay = fixture("decay");
    let problem = data.problem();
    let infer = Inference::of(&problem, &data.parameters).names(["a", "b", "c"]);
    let found = infer.start([2.0, 1.0, 0.0]).targets(&data.y).compute().unwrap();
    let text = found.to_string();
    println!("{text}");
    let line = text.lines().nth(1).unwrap();
    assert!(line.starts_with("a          2.4"), "{line}");
    assert!(line.contains("± 0.016") && line.ends_with(" 2"), "{line}");
    assert!(text.lines().next().unwrap().contains("95 % interval"));
    let json = serde_json::to_string(&found).unwrap();
    let back: Inference = serde_json::from_str(&json).unwrap();
    assert_eq!(back.estimates, found.estimates);
    assert_eq!(back.error_along(&[1.0, 2.0, 3.0]), found.error_along(&[1.0, 2.0, 3.0]));
}
