//! Many small fits: the same minima and errors as one by one, whatever the threads and the neighbours; bad groups are rows.

use crate::common::mgh::PROBLEMS;
use crate::duals::Mgh;
use secant_core::random::Random;
use secant_core::real::{Real, Residuals};
use secant_core::rho::Rho;
use secant_optim::{
    BoundedLevenbergMarquardt, Bounds, Interrupt, LevenbergMarquardt, ManyError, ManyFits, Outcome,
    Reason, RobustLeastSquares, Stopping, fit_many, minimize, residuals,
};
use std::sync::atomic::{AtomicUsize, Ordering};

/// r = a·e^(−bx) + c − y.
#[derive(Clone, Copy, Debug)]
struct Decay<'a> {
    x: &'a [f64],
    y: &'a [f64],
}

impl Residuals for Decay<'_> {
    fn parameters(&self) -> usize {
        3
    }
    fn residual_len(&self) -> usize {
        self.x.len()
    }
    fn residuals<T: Real>(&self, p: &[T], r: &mut [T]) {
        for ((r, x), y) in r.iter_mut().zip(self.x).zip(self.y) {
            *r = p[0] * (-p[1] * *x).exp() + p[2] - *y;
        }
    }
    fn parameter_name(&self, j: usize) -> String {
        ["a", "b, the rate", "c"][j].to_owned()
    }
}

const START: [f64; 3] = [1.0, 1.0, 0.0];

struct Points {
    x: Vec<f64>,
    y: Vec<Vec<f64>>,
}

impl Points {
    fn draw(groups: usize) -> Self {
        let mut random = Random::new(5);
        let x: Vec<f64> = (0..40).map(|i| 0.1 * f64::from(i)).collect();
        let y = (0..groups).map(|_| {
            let (a, b, c) =
                (1.0 + 2.0 * random.uniform(), 0.5 + random.uniform(), random.uniform());
            x.iter().map(|x| a * (-b * x).exp() + c + 0.05 * random.normal()).collect()
        });
        Self { y: y.collect(), x: x.clone() }
    }
    fn groups(&self) -> Vec<Decay<'_>> {
        self.y.iter().map(|y| Decay { x: &self.x, y }).collect()
    }
}

fn bits(fits: &ManyFits) -> Vec<u64> {
    let of = |numbers: &[f64]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    fits.iter()
        .flat_map(|fit| [of(fit.theta), of(fit.errors), of(&[fit.sum_of_squares])].concat())
        .collect()
}

#[test]
fn minima_are_those_of_minimize_and_errors_those_of_the_inverse() {
    let points = Points::draw(60);
    let fits = fit_many(points.groups()).start(START).run().unwrap();
    assert_eq!((fits.len(), fits.successes()), (60, 60), "{fits}");
    for (fit, group) in fits.iter().zip(points.groups()) {
        let problem = residuals(group);
        let alone = minimize(&problem, LevenbergMarquardt::default(), &START).unwrap();
        for (many, alone) in fit.theta.iter().zip(&alone.theta) {
            assert!((many - alone).abs() <= 1e-10 * alone.abs(), "{many} {alone}");
        }
        let sum = 2.0 * alone.report.value;
        assert!((fit.sum_of_squares - sum).abs() <= 1e-12 * sum);
        // (JᵀJ)⁻¹ by Cramer's rule.
        let mut normal = faer::Mat::zeros(3, 3);
        secant_core::problem::LeastSquares::normal_equations(
            &problem,
            fit.theta,
            normal.as_mut(),
            &mut [0.0; 3],
        );
        let n = |i: usize, j: usize| normal[(i % 3, j % 3)];
        let minor =
            |i: usize| n(i + 1, i + 1) * n(i + 2, i + 2) - n(i + 1, i + 2) * n(i + 2, i + 1);
        let determinant: f64 =
            (0..3).map(|j| n(0, j) * (n(1, j + 1) * n(2, j + 2) - n(1, j + 2) * n(2, j + 1))).sum();
        for (i, error) in fit.errors.iter().enumerate() {
            let expected = (sum / 37.0 * minor(i) / determinant).sqrt();
            assert!((error - expected).abs() < 1e-8 * expected, "{error} {expected}");
        }
    }
    // In standard deviations the residuals' own size does not count.
    let absolute = fit_many(points.groups()).start(START).absolute_sigma(true).run().unwrap();
    for (absolute, relative) in absolute.iter().zip(fits.iter()) {
        let s = (relative.sum_of_squares / 37.0).sqrt();
        assert!((absolute.errors[1] * s - relative.errors[1]).abs() < 1e-12 * relative.errors[1]);
    }
}

#[test]
fn bits_depend_neither_on_threads_nor_on_neighbours() {
    let points = Points::draw(150);
    let run = |threads: usize, groups: Vec<Decay<'_>>| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit_many(groups).start(START).run().unwrap())
    };
    let one = run(1, points.groups());
    assert_eq!(bits(&one), bits(&run(3, points.groups())));
    let mut backwards = points.groups();
    backwards.reverse();
    // Groups of other sizes before each.
    let shorter: Vec<Decay<'_>> =
        points.groups().iter().map(|g| Decay { x: &g.x[..9], y: &g.y[..9] }).collect();
    let mixed = shorter.iter().zip(&backwards).flat_map(|(a, b)| [*a, *b]).collect();
    let mixed = run(2, mixed);
    for (i, fit) in one.iter().enumerate() {
        let other = mixed.get(2 * (149 - i) + 1).unwrap();
        assert_eq!((fit.theta, fit.errors), (other.theta, other.errors), "{i}");
        let alone = fit_many([points.groups()[i]]).start(START).run().unwrap();
        assert_eq!(fit.theta, alone.get(0).unwrap().theta);
    }
}

#[test]
fn bad_groups_are_rows_with_their_reasons() {
    let points = Points::draw(8);
    let x = &points.x[..];
    let with = |i: usize, value: f64| {
        let mut y = points.y[0].clone();
        y[i] = value;
        y
    };
    let (nan, infinite, constant) = (with(3, f64::NAN), with(0, f64::INFINITY), vec![0.7; 40]);
    let line: Vec<f64> = x.iter().map(|x| 2.0 - 0.3 * x).collect();
    let mut groups = points.groups();
    groups.extend([
        Decay { x, y: &nan },
        Decay { x, y: &infinite },
        Decay { x: &x[..2], y: &points.y[0][..2] },
        Decay { x: &[], y: &[] },
        Decay { x, y: &constant },
        Decay { x, y: &line },
        Decay { x: &[1.0; 4], y: &[1.0, 1.1, 0.9, 1.0] },
    ]);
    groups.extend(points.groups());
    let keys = (0..8).map(|i| format!("g{i}")).chain(
        ["NaN", "∞", "two", "none", "constant", "line, falling", "one place"].map(str::to_owned),
    );
    let keys: Vec<String> = keys.chain((0..8).map(|i| format!("h{i}"))).collect();
    let fits = fit_many(groups).keys(&keys).start(START).run().unwrap();
    let outcome = |key: &str| fits.find(key).unwrap().outcome;
    assert_eq!(outcome("NaN"), Outcome::Ended(Reason::NonFiniteStart));
    assert_eq!(outcome("∞"), Outcome::Ended(Reason::NonFiniteStart));
    assert_eq!((outcome("two"), outcome("none")), (Outcome::TooFew, Outcome::TooFew));
    assert!(matches!(outcome("constant"), Outcome::Undetermined(_)), "{fits}");
    assert!(matches!(outcome("one place"), Outcome::Undetermined(_)), "{fits}");
    assert!(!outcome("line, falling").is_success(), "{fits}");
    assert_eq!(fits.successes(), 16, "{fits}");
    // Those before and behind are the same.
    for i in 0..8 {
        assert_eq!(fits.get(i).unwrap().theta, fits.get(15 + i).unwrap().theta);
    }
    let text = fits.to_string();
    assert!(text.starts_with("23 fits of 3 parameters, 16 with a minimum"), "{text}");
    assert!(text.contains("2  refused: fewer residuals than parameters (two, none)"), "{text}");
    let csv = fits.to_csv();
    let mut lines = csv.lines();
    assert_eq!(
        lines.next().unwrap(),
        "key,a,\"b, the rate\",c,a_error,\"b, the rate_error\",c_error,outcome,iterations,evaluations,residuals,sum_of_squares"
    );
    let first: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!(first[1].parse::<f64>().unwrap().to_bits(), fits.get(0).unwrap().theta[0].to_bits());
    assert!(csv.contains("\n\"line, falling\","), "{csv}");
    assert!(csv.contains("two,1.0,1.0,0.0,NaN,NaN,NaN,too_few_residuals,0,0,2,NaN\n"), "{csv}");
    let text = serde_json::to_string(&fits).unwrap();
    let back: ManyFits = serde_json::from_str(&text).unwrap();
    // A table that was cut is no table.
    let mut cut: serde_json::Value = serde_json::from_str(&text).unwrap();
    cut["theta"].as_array_mut().unwrap().pop();
    let refused = serde_json::from_value::<ManyFits>(cut).unwrap_err().to_string();
    assert!(refused.starts_with("theta: "), "{refused}");
    assert_eq!((bits(&back), back.to_csv()), (bits(&fits), csv));
}

#[test]
fn hard_problems_end_at_the_minima_of_levenberg_marquardt() {
    for problem in PROBLEMS.iter().filter(|problem| problem.n <= 12) {
        let fits = fit_many([Mgh(*problem)]).start(problem.start()).run().unwrap();
        let alone =
            minimize(&residuals(Mgh(*problem)), LevenbergMarquardt::default(), &problem.start());
        let (fit, value) = (fits.get(0).unwrap(), alone.unwrap().report.value);
        let gap = (0.5 * fit.sum_of_squares - value).abs();
        assert!(gap <= 1e-10 * value.max(1e-10), "{}: {fit:?} {value}", problem.id);
    }
}

#[test]
fn bounds_hold_and_their_minima_are_those_of_the_bounded_method() {
    let points = Points::draw(40);
    let infinite = f64::INFINITY;
    let boxes = [
        Bounds::new(vec![0.0, 0.0, 0.4], vec![1.8, 0.9, infinite]).unwrap(),
        Bounds::new(vec![-infinite, 0.7, 0.2], vec![infinite, 0.7, 0.5]).unwrap(),
        Bounds::new(vec![5.0, -infinite, -infinite], vec![infinite; 3]).unwrap(),
    ];
    for bounds in boxes {
        let fits = fit_many(points.groups()).start(START).bounds(bounds.clone()).run().unwrap();
        let mut at_bounds = 0;
        for (fit, group) in fits.iter().zip(points.groups()) {
            assert!(bounds.contains(fit.theta) && fit.outcome.is_success(), "{fit:?}");
            let solver = BoundedLevenbergMarquardt::new(bounds.clone());
            let alone = minimize(&residuals(group), solver, &START).unwrap();
            for j in 0..3 {
                let (many, alone) = (fit.theta[j], alone.theta[j]);
                assert!((many - alone).abs() <= 1e-7 * alone.abs().max(1.0), "{fit:?} {alone}");
                let at = many == bounds.lower()[j] || many == bounds.upper()[j];
                at_bounds += usize::from(at);
                assert_eq!(fit.errors[j].is_nan(), at, "{fit:?}");
            }
            assert!(fit.sum_of_squares <= 2.0 * alone.report.value * (1.0 + 1e-12));
        }
        assert!(at_bounds > 20, "{at_bounds}");
    }
}

#[test]
fn outliers_do_not_count_under_a_rho() {
    let mut points = Points::draw(10);
    points.y.iter_mut().for_each(|y| y[7] += 40.0);
    for rho in [Rho::Huber, Rho::SoftL1, Rho::Cauchy] {
        let fits = fit_many(points.groups()).start(START).robust(rho, 0.1).run().unwrap();
        for (fit, group) in fits.iter().zip(points.groups()) {
            let problem = residuals(group);
            let robust = RobustLeastSquares::new(&problem, rho, 0.1).unwrap();
            let alone = minimize(&robust, secant_optim::TrustRegion::default(), &START).unwrap();
            let sum = 2.0 * alone.report.value;
            assert!((fit.sum_of_squares - sum).abs() < 1e-8 * sum, "{rho:?} {fit:?} {sum}");
            assert!(fit.outcome.is_success(), "{rho:?} {fit:?}");
        }
    }
}

#[test]
fn every_way_to_give_starts_leads_to_the_minima() {
    let points = Points::draw(30);
    let fits = fit_many(points.groups()).start(START).run().unwrap();
    let calls = AtomicUsize::new(0);
    let each = fit_many(points.groups()).starts(START.repeat(30)).run().unwrap();
    assert_eq!(bits(&each), bits(&fits));
    let by = fit_many(points.groups())
        .start_by(|group, theta| {
            calls.fetch_add(1, Ordering::Relaxed);
            theta.copy_from_slice(&[group.y[0] - group.y[39], 1.0, group.y[39]]);
        })
        .run()
        .unwrap();
    let previous = fit_many(points.groups()).start_from_previous(START, 10).run().unwrap();
    assert_eq!(calls.into_inner(), 30);
    for (i, fit) in fits.iter().enumerate() {
        for other in [by.get(i).unwrap(), previous.get(i).unwrap()] {
            for (a, b) in fit.theta.iter().zip(other.theta) {
                assert!((a - b).abs() < 1e-10 * a.abs(), "{fit:?} {other:?}");
            }
        }
        // The first of a series has no neighbour.
        assert!(i % 10 > 0 || previous.get(i).unwrap().theta == fit.theta);
    }
    assert!(previous.iter().any(|fit| fit.theta != fits.find(fit.key).unwrap().theta));
}

#[test]
fn what_is_wrong_is_said_before_the_first_fit() {
    let points = Points::draw(3);
    let many = || fit_many(points.groups());
    let length = |what, expected, found| Err(ManyError::Length { what, expected, found });
    assert_eq!(many().run(), Err(ManyError::NoStart));
    assert_eq!(many().start([1.0]).run(), length("the start", 3, 1));
    assert_eq!(many().starts([1.0; 8]).run(), length("the list of starts", 9, 8));
    assert_eq!(many().start(START).keys(["a"]).run(), length("the list of keys", 3, 1));
    assert_eq!(many().start(START).robust(Rho::Huber, 0.0).run(), Err(ManyError::Scale(0.0)));
    let bounds = many().start(START).bounds(Bounds::nonnegative(2)).run().unwrap_err();
    assert_eq!(bounds.to_string(), "bounds for 2 parameters, there are 3");
    let stopping = Stopping { gradient_tolerance: 2.0, ..Stopping::default() };
    assert!(
        many().start(START).stopping(stopping).run().unwrap_err().to_string().contains("[0, 1)")
    );
    let none = fit_many(Vec::<Decay<'_>>::new()).start(START).run().unwrap();
    assert!(none.is_empty() && none.iter().len() == 0);
    let start = many().start_by(|_, theta| theta.fill(f64::NAN)).run().unwrap();
    assert!(start.iter().all(|fit| fit.outcome == Outcome::NoStart));
    // Two models are not one table.
    let two = [Mgh(PROBLEMS[0]), Mgh(PROBLEMS[6])];
    let error = fit_many(two).start([0.0; 2]).run().unwrap_err();
    assert_eq!(error.to_string(), "group 1 has 3 parameters, the first one has 2");
}

#[test]
fn progress_counts_to_the_end_and_an_interrupt_leaves_the_rest() {
    let points = Points::draw(200);
    let (most, calls) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let counted = fit_many(points.groups()).start(START).progress(|progress| {
        assert_eq!(progress.groups, 200);
        most.fetch_max(progress.done, Ordering::Relaxed);
        calls.fetch_add(1, Ordering::Relaxed);
    });
    counted.run().unwrap();
    assert_eq!((most.load(Ordering::Relaxed), calls.load(Ordering::Relaxed)), (200, 7));
    let (interrupt, begun) = (Interrupt::new(), AtomicUsize::new(0));
    let fits = fit_many(points.groups())
        .start_by(|_, theta| {
            theta.copy_from_slice(&START);
            if begun.fetch_add(1, Ordering::Relaxed) == 20 {
                interrupt.set();
            }
        })
        .interrupt(&interrupt)
        .run()
        .unwrap();
    let not_run = fits.iter().filter(|fit| fit.outcome == Outcome::NotRun).count();
    assert_eq!(fits.successes() + not_run, 200, "{fits}");
    assert!((21..60).contains(&fits.successes()), "{fits}");
}
