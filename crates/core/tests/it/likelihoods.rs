//! Losses of generalised linear models beside values of 50 digits (made by `benches/peers/likelihoods.py`), and their derivatives as the
//! objective of a model.

use secant_core::check;
use secant_core::data::{Dataset, TargetTile, Targets};
use secant_core::loss::{
    Binomial, Decision, Distribution, ExponentialFamily, Link, Loss, LossError,
};
use secant_core::network::Network;
use secant_core::penalty::NoPenalty;
use secant_core::random::Random;
use secant_core::risk::Risk;
use serde_json::Value;

/// The loss of a name, a link and a parameter, as a description has them.
fn loss(name: &str, link: &str, parameter: Option<f64>) -> Box<dyn Loss> {
    let link = serde_json::from_value(Value::from(link)).unwrap();
    let distribution = match name {
        "binomial" => return Box::new(Binomial { link }),
        "gaussian" => Distribution::Gaussian,
        "poisson" => Distribution::Poisson,
        "gamma" => Distribution::Gamma,
        "inverse_gaussian" => Distribution::InverseGaussian,
        "negative_binomial" => Distribution::NegativeBinomial { alpha: parameter.unwrap() },
        "tweedie" => Distribution::Tweedie { power: parameter.unwrap() },
        other => panic!("{other}"),
    };
    Box::new(ExponentialFamily { distribution, link })
}

#[test]
fn values_slopes_and_curvatures_have_their_digits_in_the_tails() {
    let cases: Value = serde_json::from_str(include_str!("../fixtures/likelihoods.json")).unwrap();
    let cases = cases.as_array().unwrap();
    assert!(cases.len() > 200);
    for case in cases {
        let number = |at: usize| case[at].as_f64().unwrap();
        let loss = loss(case[0].as_str().unwrap(), case[1].as_str().unwrap(), case[2].as_f64());
        let (z, y) = (number(3), number(4));
        let tile = TargetTile::Values { rows: 1, values: &[y] };
        let (mut slope, mut curvature) = ([f64::NAN], [f64::NAN]);
        let value = loss.gradient(1.0, &[z], tile, &mut slope);
        loss.hessian_vector(1.0, &[z], tile, &[1.0], &mut curvature);
        assert_eq!(loss.value(&[z], tile).to_bits(), value.to_bits(), "{case}");
        let mut before = 0.0_f64;
        for (what, found, wanted) in [
            ("value", value, number(5)),
            ("slope", slope[0], number(6)),
            ("curvature", curvature[0], number(7)),
        ] {
            // A difference of terms is right to their size; the tails of two classes have no difference.
            let terms = if loss.name() == "binomial" { 0.0 } else { before.max(1e-2) };
            let error = (found - wanted).abs() / wanted.abs().max(terms);
            assert!(error <= 1e-13 || found == wanted, "{what}: {found:e} {error:e} {case}");
            before = wanted.abs() / z.abs();
        }
        // Labels are the shares 0 and 1.
        if loss.name() == "binomial" && (y == 0.0 || y == 1.0) {
            let labels = [u32::from(y == 1.0)];
            let tile = TargetTile::Labels { classes: 2, labels: &labels };
            assert_eq!(loss.value(&[z], tile).to_bits(), value.to_bits(), "{case}");
        }
    }
}

/// Every distribution with its links, and targets and a bias that are in the domain.
fn all() -> Vec<(Box<dyn Loss>, Vec<f64>, f64)> {
    let mut random = Random::new(7);
    let mut all: Vec<(Box<dyn Loss>, Vec<f64>, f64)> = Vec::new();
    for link in Binomial::LINKS {
        let shares = (0..40).map(|i| f64::from(i % 5) / 4.0).collect();
        let bias = match link {
            Link::Log => -0.6,
            Link::Identity => 0.5,
            _ => -0.2,
        };
        all.push((Box::new(Binomial { link: *link }), shares, bias));
    }
    for distribution in [
        Distribution::Gaussian,
        Distribution::Poisson,
        Distribution::Gamma,
        Distribution::InverseGaussian,
        Distribution::NegativeBinomial { alpha: 0.7 },
        Distribution::Tweedie { power: 1.6 },
    ] {
        for link in distribution.links() {
            let y = (0..40).map(|_| 0.2 + 3.0 * random.uniform()).collect();
            all.push((Box::new(ExponentialFamily { distribution, link: *link }), y, 2.0));
        }
    }
    all
}

#[test]
fn derivatives_of_a_model_with_every_distribution_and_link_pass_the_check() {
    let mut random = Random::new(3);
    let x: Vec<f64> = (0..80).map(|_| random.uniform() - 0.5).collect();
    for (loss, y, bias) in all() {
        let data = Dataset::from_slices(2, &x, 1, &y).unwrap();
        let net = Network::linear(2, 1);
        let context = format!("{loss:?}");
        let risk =
            Risk::from_boxed(net.graph().unwrap(), &data, loss, Box::new(NoPenalty)).unwrap();
        let checks = check::curvature(&risk, &[0.4, -0.3, bias], 5);
        assert!(checks.passed(), "{context}\n{checks}");
    }
}

/// Where a loss says that it is convex, no curvature is negative; where it says that it is not, one is, and what stands in for it is not.
#[test]
fn convexity_is_what_the_curvature_says() {
    for (loss, y, _) in all() {
        let mut least = f64::INFINITY;
        for y in y.iter().chain(&[30.0]).filter(|y| loss.name() != "binomial" || **y <= 1.0) {
            let tile = TargetTile::Values { rows: 1, values: &[*y] };
            let scores = [1e-3, 0.05, 0.3, 1.0, 2.5, 20.0].map(|z| match loss.decision() {
                Decision::LogProbability => -z,
                Decision::Probability => z / (1.0 + z),
                _ => z,
            });
            for z in scores {
                let (mut h, mut g) = ([0.0], [0.0]);
                loss.hessian_vector(1.0, &[z], tile, &[1.0], &mut h);
                loss.gauss_newton_vector(1.0, &[z], tile, &[1.0], &mut g);
                least = least.min(h[0]);
                assert!(g[0] >= 0.0, "{loss:?} {z} {y}: {}", g[0]);
            }
        }
        assert_eq!(loss.is_convex(), least >= 0.0, "{loss:?}: {least}");
    }
}

#[test]
fn what_does_not_fit_a_distribution_is_named() {
    let numbers = |y: f64| Targets::Values { rows: 1, values: vec![1.0, y] };
    let refused = |loss: &dyn Loss, y: f64| loss.check(1, &numbers(y)).unwrap_err().to_string();
    let gamma = Distribution::Gamma;
    let text = refused(&ExponentialFamily { distribution: gamma, link: Link::Probit }, 1.0);
    assert_eq!(text, "gamma: there is no probit link, only log, identity, inverse");
    let text = refused(&Binomial { link: Link::Sqrt }, 1.0);
    assert_eq!(
        text,
        "binomial: there is no sqrt link, only logit, probit, complementary log-log, log, identity"
    );
    let text = refused(&ExponentialFamily::tweedie(2.5), 1.0);
    assert_eq!(text, "tweedie: power = 2.5 must be between 1 and 2");
    let text = refused(&ExponentialFamily::inverse_gaussian(), 0.0);
    assert_eq!(text, "inverse gaussian: target 0 of sample 1 must be positive");
    let text = refused(&Binomial::probit(), 2.0);
    assert_eq!(text, "binomial: target 2 of sample 1 must be in [0, 1]");
    let labels = Targets::Labels { classes: 3, labels: vec![0, 2] };
    let error = Binomial::probit().check(1, &labels).unwrap_err();
    assert!(matches!(error, LossError::Kind { loss: "binomial", .. }), "{error}");
}

/// A score that has no probability is infinitely unlikely, with no slope to follow, whatever the target.
#[test]
fn scores_without_a_probability_are_infinitely_unlikely() {
    for (link, scores) in [
        (Link::Log, [0.0, 1e-300, 2.0, f64::INFINITY, f64::NAN]),
        (Link::Identity, [0.0, -1e-300, 1.0, 7.0, f64::NAN]),
    ] {
        let loss = Binomial { link };
        for (z, y) in scores.iter().flat_map(|z| [0.0, 0.3, 1.0].map(|y| (*z, y))) {
            let (tile, mut slope) = (TargetTile::Values { rows: 1, values: &[y] }, [0.0]);
            assert!(loss.value(&[z], tile) == f64::INFINITY, "{link:?} {z} {y}");
            loss.gradient(1.0, &[z], tile, &mut slope);
            assert!(slope[0].is_nan() && loss.expected_curvature(z).is_nan(), "{link:?} {z} {y}");
        }
    }
}

#[test]
fn a_score_decides_for_the_class_whose_probability_is_more_than_a_half() {
    for link in Binomial::LINKS {
        let decision = Binomial { link: *link }.decision();
        for z in [-3.0, -0.37, -0.36, -1e-9, 1e-9, 2.0] {
            let mut p = [z];
            link.means(&mut p, 1);
            assert_eq!(decision.class(&[z]), u32::from(p[0] > 0.5), "{link:?} {z}");
        }
    }
    assert_ne!(Binomial::complementary_log_log().decision(), Decision::Sign);
}
