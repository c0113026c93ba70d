//! Generalised linear models and linear solutions in files.

use super::{Folder, bits, normals};
use secant::core::random::Random;
use secant::optim::{Accuracy, LinearSolution};
use secant::{CoefficientStatus, Dataset, Family, Glm, GlmFit, Link, ModelFile};

fn numbers_of(fit: &GlmFit) -> Vec<u64> {
    let coefficients = fit.coefficients.iter().flat_map(|one| [one.estimate, one.standard_error]);
    let others =
        [fit.deviance, fit.pearson, fit.log_likelihood, fit.dispersion, fit.residual_degrees];
    let alpha = fit.alpha.map_or([0.0; 2], |alpha| [alpha.estimate, alpha.standard_error]);
    let others = others.into_iter().chain([fit.null_deviance, fit.total_weight]).chain(alpha);
    coefficients.chain(others).map(f64::to_bits).collect()
}

fn comes_back(fit: &GlmFit, inputs: &[f64]) {
    let bytes = fit.to_bytes().unwrap();
    let copy = GlmFit::from_bytes(&bytes).unwrap();
    // Every field, the report with its trace among them; and the numbers to the last bit, also of what is no number.
    assert_eq!(format!("{copy:?}"), format!("{fit:?}"));
    assert_eq!(numbers_of(&copy), numbers_of(fit));
    assert_eq!(copy.to_string(), fit.to_string());
    assert_eq!(bits(&copy.predict(inputs).unwrap()), bits(&fit.predict(inputs).unwrap()));
    assert_eq!(copy.to_bytes().unwrap(), bytes);
}

#[test]
fn every_family_comes_back() {
    let mut random = Random::new(2);
    let x = normals(&mut random, 3 * 20);
    let noise = normals(&mut random, 20);
    let numbers = |target: fn(f64) -> f64| {
        let y: Vec<f64> = noise.iter().map(|z| target(*z)).collect();
        Dataset::from_slices(3, &x, 1, &y).unwrap()
    };
    let counts = |z: f64| (3.0 * z.exp()).round();
    let families = [
        (Family::Gaussian, numbers(|z| z)),
        (Family::Poisson, numbers(counts)),
        (Family::Logistic, numbers(|z| f64::from(z > 0.3))),
        (Family::Gamma, numbers(f64::exp)),
        (Family::InverseGaussian, numbers(f64::exp)),
        (Family::NegativeBinomial { alpha: 1.0 / 3.0 }, numbers(counts)),
        (Family::Tweedie { power: 1.1 + 0.2 }, numbers(counts)),
    ];
    for (family, data) in families {
        comes_back(&Glm::new(family).intercept(false).fit(&data).unwrap(), &x);
        for link in family.links() {
            comes_back(&Glm::new(family).link(*link).fit(&data).unwrap(), &x);
        }
    }
    let fit = Glm::negative_binomial_estimated().fit(&numbers(counts)).unwrap();
    assert!(fit.alpha.is_some());
    comes_back(&fit, &x);
    let classes: Vec<u32> = noise.iter().map(|z| u32::from(*z > 0.3)).collect();
    let two = Dataset::from_labels(3, &x, 2, &classes).unwrap();
    let two = two.with_class_names(["no".into(), "yes".into()].to_vec()).unwrap();
    let fit = Glm::logistic().link(Link::ComplementaryLogLog).fit(&two).unwrap();
    assert_eq!(fit.modelled_class.as_deref(), Some("yes"));
    comes_back(&fit, &x);
    let labels: Vec<u32> =
        noise.iter().map(|z| if *z > 0.5 { 2 } else { u32::from(*z > -0.5) }).collect();
    let data = Dataset::from_labels(3, &x, 3, &labels).unwrap();
    let names = ["low", "mid \"dle\"", "high"].map(String::from).to_vec();
    let data = data.with_class_names(names).unwrap();
    let fit = Glm::softmax().ridge(0.1).fit(&data).unwrap();
    assert!(fit.pearson.is_nan() && fit.coefficients.len() == 8);
    comes_back(&fit, &x);
}

/// A file of format 1, of before links: the link is the family's default, and what such a file does not say is NaN.
#[test]
fn a_fit_of_the_first_format_is_read() {
    let bytes = include_bytes!("../../fixtures/glm_format_1.safetensors");
    let fit = GlmFit::from_bytes(bytes).unwrap();
    assert_eq!((fit.family, fit.link), (Family::NegativeBinomial { alpha: 0.25 }, Link::Log));
    assert_eq!(fit.coefficient("dose").unwrap().estimate.to_string()[..9], *"0.1866661");
    assert!((fit.predict(&[1.0, 2.0]).unwrap()[0] - 2.410_487_456_375_316_5).abs() < 1e-14);
    assert!(fit.alpha.is_none() && fit.null_deviance.is_nan() && fit.aic().is_nan());
    assert!((fit.coefficient("dose").unwrap().p_value() - 0.1118).abs() < 1e-3, "{fit}");
    // Written again it is of the format of today.
    comes_back(&fit, &[1.0, 2.0]);
}

#[test]
fn coefficients_without_an_estimate_come_back_as_such() {
    // Separated along x1; x2 is constant; and one number for a sample, so that nothing is left for the dispersion.
    let x = [-2.0, 1.0, -1.0, 1.0, 1.0, 1.0, 2.0, 1.0];
    let data = Dataset::from_labels(2, &x, 2, &[0, 0, 1, 1]).unwrap();
    let fit = Glm::logistic().fit(&data).unwrap();
    let statuses: Vec<_> = fit.coefficients.iter().map(|one| one.status).collect();
    assert!(statuses.contains(&CoefficientStatus::RunsAway { up: true }), "{statuses:?}");
    assert!(statuses.contains(&CoefficientStatus::Undetermined), "{statuses:?}");
    comes_back(&fit, &x);
    let turned = Dataset::from_labels(2, &x, 2, &[1, 1, 0, 0]).unwrap();
    comes_back(&Glm::logistic().fit(&turned).unwrap(), &x);
    let few = Dataset::from_slices(1, &[0.0, 1.0], 1, &[1.0, 2.0]).unwrap();
    let fit = Glm::gaussian().fit(&few).unwrap();
    assert!(fit.dispersion.is_nan());
    comes_back(&fit, &[0.5]);
}

#[test]
fn linear_solutions_come_back() {
    let folder = Folder::new("linear");
    let path = folder.0.join("line");
    let root = env!("CARGO_MANIFEST_DIR");
    let dependent = Dataset::from_csv(format!("{root}/data/energy.csv"), "target").unwrap();
    let plain = Dataset::from_csv(format!("{root}/data/diabetes.csv"), "target").unwrap();
    let mut seen = [0; 3];
    for data in [&dependent, &plain] {
        for accuracy in [Accuracy::Working, Accuracy::Certified] {
            for ridge in [0.0, 0.1] {
                let problem = secant::linear_regression(data).accuracy(accuracy).ridge(ridge);
                let solution = problem.solve().unwrap();
                solution.save(&path).unwrap();
                let copy = LinearSolution::load(&path).unwrap();
                assert_eq!(copy, solution);
                for (found, wanted) in [
                    (&copy.coefficients, &solution.coefficients),
                    (&copy.residuals, &solution.residuals),
                ] {
                    assert_eq!(bits(found), bits(wanted));
                }
                assert_eq!(copy.is_certified(), solution.is_certified());
                seen[0] += usize::from(solution.is_certified());
                seen[1] += usize::from(solution.standard_errors.is_some());
                seen[2] += usize::from(!solution.null_directions.is_empty());
            }
        }
    }
    assert!(seen.iter().all(|&count| (1..8).contains(&count)), "{seen:?}");
}
