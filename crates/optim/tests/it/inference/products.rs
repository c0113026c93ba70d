//! Errors by products, beside those by the factors of J.

use super::open::Ridged;
use super::{Decay, close, fit, fixture, linear};
use secant_optim::LeastSquaresFn;
use secant_optim::inference::{Inference, Products};

#[test]
fn errors_by_products_are_those_by_factors() {
    let data: Decay = fixture("decay");
    let problem = data.problem();
    let theta = fit(&problem, &[2.0, 1.0, 0.0]);
    for absolute in [false, true] {
        let dense = Inference::of(&problem, &theta).absolute_sigma(absolute).compute().unwrap();
        let products = Products::of(&problem, &theta, absolute).unwrap();
        for gradient in [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.3, -2.0, 1.0]] {
            let expected = dense.error_along(&gradient);
            close(products.error_along(&gradient).unwrap(), expected, 1e-8);
        }
        close(products.quantile(0.9), dense.quantile(0.9), 1e-15);
        close(products.residual_deviation, dense.residual_deviation, 1e-13);
    }
}

#[test]
fn parameters_that_a_penalty_takes_are_estimated() {
    let y = [1.0, 2.0, 3.0, 2.0, 1.5];
    let problem = Ridged(LeastSquaresFn::new(1, 6, move |p, r| {
        (0..5).for_each(|i| r[i] = p[0] - y[i]);
        r[5] = 5.0_f64.sqrt() * p[0];
    }));
    // ½, by the squares of sums of five signs over 10: a mean of 16 with deviation 0.16.
    let products = Products::of(&problem, &[0.95], false).unwrap();
    assert!((products.estimated - 0.5).abs() < 0.4, "{}", products.estimated);
    let rss: f64 = y.iter().map(|y| (0.95 - y) * (0.95 - y)).sum();
    let deviation = (rss / (5.0 - products.estimated)).sqrt();
    close(products.error_along(&[1.0]).unwrap(), deviation / 10.0_f64.sqrt(), 1e-8);
}

#[test]
fn an_open_combination_is_refused_and_no_degrees_too() {
    let design: Vec<Vec<f64>> = (0..5).map(|i| vec![f64::from(i), 2.0 * f64::from(i)]).collect();
    let (y, ones) = ([1.0, 2.0, 2.5, 4.0, 5.0], [1.0; 5]);
    let problem = linear(&design, &y, &ones);
    let products = Products::of(&problem, &[1.0, 0.1], false).unwrap();
    let text = products.error_along(&[1.0, 0.0]).unwrap_err().to_string();
    assert!(text.starts_with("no error found in"), "{text}");
    // x₁ + 2x₂ is what the data see.
    assert!(products.error_along(&[1.0, 2.0]).is_ok());
    let short = linear(&design[..2], &y[..2], &ones[..2]);
    let text = Products::of(&short, &[1.0, 0.1], false).unwrap_err().to_string();
    assert!(text.starts_with("no degrees of freedom: 2 observations, 2 parameters"), "{text}");
}
