//! The promise: every method keeps its row, and the table's numbers are those of the runs.

use secant::compare::CompareError;
use secant::compare::{Against, Comparison, CostRule, GAPS, compare};
use secant::faer::MatMut;
use secant::optim::{Costs, OptimError, TraceEntry};
use secant::plot::{Axis, Figure, PlotError};
use secant::{
    Activation, Adam, Bfgs, Bounds, Curvature, Dataset, FitError, GradientDescent, Lbfgs, LbfgsB,
    LevenbergMarquardt, Linearization, Network, Newton, NewtonCg, NoPenalty, Objective, Reason,
    Rho, Ridge, Risk, SoftmaxCrossEntropy, SquaredError, Stopping, TrustRegion,
};
use std::num::NonZeroU32;

fn concrete() -> Dataset {
    Dataset::from_csv("data/concrete.csv", "target").unwrap()
}

/// Second order, quasi-Newton and first order on ridge regression, by counted costs.
fn table() -> Comparison {
    let data = concrete();
    let net = Network::linear(8, 1);
    let set = compare()
        .method("Newton", Newton::default())
        .method("LM", LevenbergMarquardt::default())
        .method("trust region", TrustRegion::default())
        .method("Newton–CG", NewtonCg::default())
        .method("BFGS", Bfgs::default())
        .method("L-BFGS", Lbfgs::default())
        .method("gradient descent", GradientDescent::fixed(0.3))
        .method("Adam", Adam::default().with_rate(0.5))
        .stopping(Stopping { max_iterations: 300, ..Stopping::default() })
        .costs(CostRule::Counted)
        .repeats(const { NonZeroU32::new(2).unwrap() });
    secant::fit(&net, &data).penalty(Ridge(1e-3)).start(vec![0.0; 9]).compare(&set).unwrap()
}

#[test]
fn the_rows_are_the_runs_in_order() {
    let table = table();
    assert_eq!(table.rows.len(), 8);
    assert_eq!(table.parameters, 9);
    for (row, run) in table.rows.iter().zip(&table.runs) {
        let report = &run.report;
        assert_eq!((&row.name, row.reason), (&run.name, report.reason));
        assert_eq!((row.value, row.iterations), (report.value, report.iterations), "{}", row.name);
        assert_eq!(row.evaluations, report.evaluations, "{}", row.name);
        assert_eq!(row.epochs, report.evaluations.passes() as f64, "{}", row.name);
        let counted = Costs::counted(9).of(&report.evaluations);
        assert_eq!(row.gradient_equivalents, counted, "{}", row.name);
        assert!(row.seconds > 0.0 && row.memory_bytes > Some(0), "{}", row.name);
    }
    let least = table.rows.iter().map(|row| row.value).fold(f64::INFINITY, f64::min);
    assert_eq!(table.best_value, least);
    assert!(table.strangers().is_empty(), "{:?}", table.strangers());
    // A quadratic: one Newton step; each step of a first-order method is one gradient.
    assert_eq!(table.row("Newton").unwrap().iterations, 1);
    let adam = table.row("Adam").unwrap();
    assert_eq!(adam.gradient_equivalents, adam.iterations as f64 + 1.0);
    assert_eq!(adam.epochs, adam.iterations as f64 + 1.0);
}

#[test]
fn finer_gaps_cost_no_less_and_the_best_method_reaches_them_all() {
    let table = table();
    for row in &table.rows {
        assert_eq!(row.reached.iter().map(|r| r.gap).collect::<Vec<_>>(), GAPS);
        for pair in row.reached.windows(2) {
            let (coarse, fine) = (pair[0], pair[1]);
            if fine.iterations.is_some() {
                assert!(coarse.iterations <= fine.iterations, "{}", row.name);
                assert!(coarse.seconds <= fine.seconds, "{}", row.name);
                assert!(coarse.gradient_equivalents <= fine.gradient_equivalents, "{}", row.name);
            }
        }
        for reached in &row.reached {
            assert!(reached.iterations.is_none_or(|k| k <= row.iterations), "{}", row.name);
            assert!(reached.seconds.is_none_or(|s| s <= row.seconds), "{}", row.name);
        }
    }
    let best = table.rows.iter().find(|row| row.value == table.best_value).unwrap();
    assert!(best.reached.iter().all(|reached| reached.iterations.is_some()), "{best:?}");
    assert_eq!(table.row("Newton").unwrap().reached[3].iterations, Some(1));
    // By hand, from the trace.
    let run = table.run("gradient descent").unwrap();
    let gap = |entry: &&TraceEntry| {
        entry.value - table.best_value <= 1e-4 * (table.initial_value - table.best_value)
    };
    let first = run.report.trace.iter().find(gap).unwrap();
    let row = table.row("gradient descent").unwrap();
    assert_eq!(row.reached[1].iterations, Some(first.iteration));
    assert_eq!(row.reached[1].gradient_equivalents, Some(first.iteration as f64 + 1.0));
}

#[test]
fn a_method_that_fails_keeps_its_row_with_its_reason() {
    let data = concrete();
    let net = Network::linear(8, 1);
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let table = compare()
        .method("far too long steps", GradientDescent::fixed(1e300))
        .method("Newton", Newton::default())
        .run(&risk, &[0.0; 9])
        .unwrap();
    let row = table.row("far too long steps").unwrap();
    assert_eq!(row.reason, Reason::NonFiniteValue);
    assert_eq!(row.value, table.initial_value);
    assert!(row.reached.iter().all(|reached| reached.iterations.is_none()));
    assert_eq!(table.row("Newton").unwrap().reached[0].iterations, Some(1));
    assert!(table.to_string().contains("NonFiniteValue"));
}

/// f = ln θ: not a number at a negative start.
struct Logarithm;
struct At(f64, [f64; 1]);

impl Objective for Logarithm {
    fn dim(&self) -> usize {
        1
    }
    fn value(&self, theta: &[f64]) -> f64 {
        theta[0].ln()
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        gradient[0] = 1.0 / theta[0];
        theta[0].ln()
    }
}

impl Curvature for Logarithm {
    type At<'a> = At;
    fn linearize(&self, theta: &[f64]) -> At {
        At(theta[0], [1.0 / theta[0]])
    }
}

impl Linearization for At {
    fn value(&self) -> f64 {
        self.0.ln()
    }
    fn gradient(&self) -> &[f64] {
        &self.1
    }
    fn hessian_vector(&self, v: &[f64], out: &mut [f64]) {
        out[0] = -v[0] / (self.0 * self.0);
    }
    fn gauss_newton_vector(&self, v: &[f64], out: &mut [f64]) {
        self.hessian_vector(v, out);
    }
    fn hessian(&self, mut out: MatMut<'_, f64>) {
        out[(0, 0)] = -1.0 / (self.0 * self.0);
    }
    fn gauss_newton(&self, out: MatMut<'_, f64>) {
        self.hessian(out);
    }
}

#[test]
fn a_start_without_a_value_is_every_rows_reason_and_no_gap_is_reached() {
    let table = compare()
        .method("Newton", Newton::default())
        .method("L-BFGS", Lbfgs::default())
        .run(&Logarithm, &[-1.0])
        .unwrap();
    for row in &table.rows {
        assert_eq!(row.reason, Reason::NonFiniteStart, "{}", row.name);
        assert!(row.reached.iter().all(|reached| reached.iterations.is_none()));
    }
    let copy: Comparison = serde_json::from_str(&serde_json::to_string(&table).unwrap()).unwrap();
    assert!(copy.initial_value.is_nan() && copy.rows[0].value.is_nan());
    assert!(matches!(
        table.figure("nothing", Against::Seconds).svg(),
        Err(PlotError::NothingToDraw { .. })
    ));
}

#[test]
fn what_cannot_run_is_refused_before_the_first_run() {
    let none = compare().run(&Logarithm, &[1.0]).unwrap_err();
    assert_eq!(none, CompareError::NoMethods);
    let twice = compare().method("a", Newton::default()).method("a", Lbfgs::default());
    let error = twice.run(&Logarithm, &[1.0]).unwrap_err();
    assert_eq!(error, CompareError::DuplicateName { name: "a".into() });
    let set = compare().method("LM", LevenbergMarquardt::default());
    let error = set.run(&Logarithm, &[1.0]).unwrap_err();
    assert!(
        matches!(&error, CompareError::Method { name, source: OptimError::NoResiduals { .. } } if name == "LM"),
        "{error}"
    );
    let set = compare().method("fast", Adam::default().with_rate(-1.0));
    let error = set.run(&Logarithm, &[1.0]).unwrap_err();
    assert!(
        matches!(
            &error,
            CompareError::Method {
                source: OptimError::OptionOutOfRange { option: "rate", .. },
                ..
            }
        ),
        "{error}"
    );
    let set = compare().method("Newton", Newton::default());
    let error = set.run(&Logarithm, &[f64::NAN]).unwrap_err();
    assert!(matches!(error, CompareError::Start(OptimError::StartNotFinite { index: 0, .. })));
    let error = set.run(&Logarithm, &[1.0, 2.0]).unwrap_err();
    assert_eq!(error, CompareError::Start(OptimError::StartLength { expected: 1, found: 2 }));
    let error = set.known_minimum(f64::NAN).run(&Logarithm, &[1.0]).unwrap_err();
    assert!(matches!(error, CompareError::KnownMinimum { .. }));
    let (data, net) = (concrete(), Network::linear(8, 1));
    let set = compare().method("Newton", Newton::default());
    let error = secant::fit(&net, &data).robust(Rho::Huber).compare(&set).unwrap_err();
    assert!(matches!(error, FitError::CompareRobust));
}

#[test]
fn a_known_minimum_is_what_gaps_are_to() {
    let (data, net) = (concrete(), Network::linear(8, 1));
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let table = compare()
        .method("L-BFGS", Lbfgs::default())
        .known_minimum(-1.0)
        .run(&risk, &[0.0; 9])
        .unwrap();
    assert_eq!(table.best_value, -1.0);
    assert!(table.rows[0].reached[2].iterations.is_none());
    assert_eq!(table.gap(table.initial_value), 1.0);
    assert_eq!(table.gap(-1.0), 0.0);
}

#[test]
fn a_row_that_starts_elsewhere_is_named() {
    let (data, net) = (concrete(), Network::linear(8, 1));
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let bounds = Bounds::free(9).with(0..9, 1.0, 2.0).unwrap();
    let stopping = Stopping { max_iterations: 3, ..Stopping::default() };
    let table = compare()
        .method("free", Lbfgs::default())
        .method("bounded", LbfgsB::new(bounds))
        .stopping(stopping)
        .run(&risk, &[0.0; 9])
        .unwrap();
    assert_eq!(table.strangers(), ["bounded"]);
    assert!(table.to_string().contains("not the same problem"));
}

#[test]
fn text_and_json_hold_every_number() {
    let table = table();
    let copy: Comparison = serde_json::from_str(&serde_json::to_string(&table).unwrap()).unwrap();
    assert_eq!(copy.rows.len(), table.rows.len());
    for (copy, row) in copy.rows.iter().zip(&table.rows) {
        assert_eq!((&copy.name, copy.value), (&row.name, row.value));
        assert_eq!(copy.reached.len(), GAPS.len());
    }
    let csv = table.csv();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 1 + table.rows.len());
    let columns = lines[0].split(',').count();
    assert_eq!(columns, 10 + 3 * GAPS.len());
    for line in &lines {
        assert_eq!(line.split(',').count(), columns, "{line}");
    }
    let curves = table.curves_csv();
    let steps: usize = table.runs.iter().map(|run| run.report.trace.len()).sum();
    assert_eq!(curves.lines().count(), 1 + steps);
    let shown = table.to_string();
    for row in &table.rows {
        assert!(shown.contains(&row.name) && shown.contains(&format!("{:?}", row.reason)));
    }
    // A name that CSV must quote.
    let quoted = compare()
        .method("Adam, \"fast\"", Adam::default())
        .stopping(Stopping { max_iterations: 1, ..Stopping::default() })
        .run(&Logarithm, &[1.0])
        .unwrap();
    assert!(quoted.csv().contains("\"Adam, \"\"fast\"\"\",Adam,"), "{}", quoted.csv());
}

#[test]
fn counted_comparisons_repeat_but_for_their_seconds() {
    let (one, two) = (table(), table());
    for (one, two) in one.runs.iter().zip(&two.runs) {
        assert_eq!(one.theta, two.theta, "{}", one.name);
        assert_eq!(one.report.evaluations, two.report.evaluations, "{}", one.name);
    }
    for (one, two) in one.rows.iter().zip(&two.rows) {
        assert_eq!(one.gradient_equivalents, two.gradient_equivalents, "{}", one.name);
        let steps = |row: &secant::compare::Row| {
            row.reached.iter().map(|r| r.iterations).collect::<Vec<_>>()
        };
        assert_eq!(steps(one), steps(two), "{}", one.name);
    }
}

#[test]
fn a_classifier_on_network_and_data_is_compared_by_measured_costs() {
    let data = Dataset::from_csv_labels("data/iris.csv", "target").unwrap();
    let net = Network::mlp([4, 3, 3], Activation::Tanh);
    let set = compare()
        .method("trust region", TrustRegion::default())
        .method("L-BFGS", Lbfgs::default())
        .stopping(Stopping { max_iterations: 20, ..Stopping::default() });
    let table = secant::fit(&net, &data)
        .loss(SoftmaxCrossEntropy)
        .penalty(Ridge(1e-3))
        .seed(3)
        .compare(&set)
        .unwrap();
    let row = table.row("trust region").unwrap();
    assert!(row.evaluations.hessian_vector > 0);
    assert_eq!(row.gradient_equivalents, table.costs.of(&row.evaluations));
    assert!(table.costs.hessian_vector > 0.0);
    assert!((table.initial_value - table.runs[1].report.initial_value).abs() < 1e-12);
}

#[test]
fn pictures_are_drawn_as_svg_and_png() {
    let table = table();
    for against in Against::ALL {
        let figure = table.figure("ridge regression", against);
        let svg = figure.svg().unwrap();
        assert!(svg.starts_with("<svg width=\"960\" height=\"560\""), "{}", &svg[..80]);
        for row in &table.rows {
            assert!(svg.contains(&row.name), "{}", row.name);
        }
        let png = figure.png().unwrap();
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        // IHDR: width and height, big-endian.
        assert_eq!(&png[16..24], [0, 0, 7, 128, 0, 0, 4, 96]);
        assert!(png.len() > 10_000, "an empty sheet compresses to less");
    }
    let folder = std::env::temp_dir().join(format!("secant-compare-{}", std::process::id()));
    let files = table.save(&folder, "ridge", "ridge regression").unwrap();
    assert_eq!(files.len(), 8);
    assert!(files.iter().all(|file| file.is_file()));
    let figure = table.figure("x", Against::Seconds);
    assert!(matches!(figure.save(folder.join("x.gif")), Err(PlotError::Format { .. })));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_map_needs_two_parameters_and_their_iterates() {
    assert!(matches!(
        table().map("", |_| 0.0, None),
        Err(PlotError::NoMap { parameters: 9, recorded: false })
    ));
    let data = Dataset::from_slices(1, &[1.0, 2.0, 4.0], 1, &[3.0, 5.0, 8.5]).unwrap();
    let net = Network::linear(1, 1);
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let start = [-1.0, 4.0];
    let set = compare()
        .method("gradient descent", GradientDescent::fixed(0.1))
        .method("Newton", Newton::default())
        .stopping(Stopping { max_iterations: 20, ..Stopping::default() });
    let table = set.clone().keep_iterates().run(&risk, &start).unwrap();
    let iterates = table.run("Newton").unwrap().iterates.as_ref().unwrap();
    assert_eq!(iterates.points().next().unwrap(), start);
    let svg = table.map("paths", |theta| risk.value(theta), None).unwrap().svg().unwrap();
    assert!(svg.contains("θ₁") && svg.contains("gradient descent"));
    assert!(set.run(&risk, &start).unwrap().map("", |_| 0.0, None).is_err());
}

#[test]
fn a_figure_without_a_visible_point_is_refused() {
    let figure = Figure::new("empty", Axis::log("x"), Axis::linear("y")).curve("a", [(-1.0, 1.0)]);
    assert!(matches!(figure.png(), Err(PlotError::NothingToDraw { title }) if title == "empty"));
    let one = Figure::new("one", Axis::linear("x"), Axis::log("y")).dots("a", [(1.0, 2.0)]);
    assert!(one.svg().is_ok());
}

#[test]
fn a_name_of_any_length_is_one_row_of_the_table() {
    let name = "m".repeat(1 << 16) + "\n";
    let net = Network::linear(8, 1);
    let set = compare().method(&name, Newton::default()).costs(CostRule::Counted);
    let table = secant::fit(&net, &concrete()).compare(&set).unwrap();
    let printed = table.to_string();
    let cut = "m".repeat(59) + "… ";
    assert_eq!(printed.lines().filter(|line| line.starts_with(&cut)).count(), 2, "two tables");
    assert!(printed.lines().all(|line| line.chars().count() < 200));
    // The whole name stays in the text for other programs, and finds its row.
    assert!(table.row(&name).is_some() && table.csv().contains(&name));
}
