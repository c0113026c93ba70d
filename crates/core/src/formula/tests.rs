//! Derivatives against 50-digit values and against themselves, reading, printing, replacing.

use super::*;
use crate::check;
use crate::random::Random;
use crate::shape::Shape;
use serde::Deserialize;

const FIXTURE: &str = include_str!("../../tests/fixtures/formulas.json");

#[derive(Deserialize)]
struct Fixture {
    formulas: Vec<Known>,
    powers: Vec<[f64; 3]>,
}

#[derive(Deserialize)]
struct Known {
    formula: String,
    parameters: Vec<String>,
    theta: Vec<f64>,
    x: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
    hessian: Vec<f64>,
}

fn fixture() -> Fixture {
    serde_json::from_str(FIXTURE).unwrap()
}

fn read(text: &str) -> Formula {
    Formula::new(text, &["x", "y"]).unwrap_or_else(|error| panic!("{error}"))
}

fn message(text: &str) -> String {
    Formula::new(text, &["x", "y"]).unwrap_err().kind().to_string()
}

/// f, ∂f/∂(θ, x) and ∂²f/∂(θ, x)² by the programs of a node whose inputs are active, at one sample.
fn derivatives(formula: &Formula, theta: &[f64], x: &[f64]) -> (f64, Vec<f64>, Vec<f64>) {
    use code::{Arguments, Output};
    let (n, d) = (theta.len(), x.len());
    let run = |code: &code::Code, direction: &[f64]| -> Vec<f64> {
        let mut scratch = vec![f64::NAN; code.scratch()];
        code.start(&mut scratch, 1, |leaf| match leaf {
            Leaf::Parameter(j) => theta[j as usize],
            Leaf::ParameterDot(j) => direction[j as usize],
            _ => f64::NAN,
        });
        let x_dot = direction.get(n..);
        let (z_bar, z_bar_dot) = (&[1.0][..], &[0.0][..]);
        let on = Arguments { x, x_dot, z_bar, z_bar_dot, features: d, outputs: 1 };
        let mut found = Vec::new();
        code.each_block(&mut scratch, 1, on, (&[], &mut []), &mut |scratch, _, _| {
            let entry = |output: &Output| match *output {
                Output::Zero => 0.0,
                Output::Uniform(register) => code.uniform(scratch, register),
                Output::Lanes(register) => code.lanes(scratch, register, 1)[0],
            };
            found = code.outputs().iter().map(entry).collect();
        });
        found
    };
    let programs = formula.programs();
    let value = run(programs.value(), &[])[0];
    let gradient = run(programs.adjoint(true), &[]);
    let mut hessian = Vec::new();
    for j in 0..n + d {
        let mut unit = vec![0.0; n + d];
        unit[j] = 1.0;
        hessian.extend(run(programs.adjoint_tangent(true), &unit));
    }
    (value, gradient, hessian)
}

#[test]
fn values_and_both_derivatives_equal_those_of_fifty_digits() {
    for known in fixture().formulas {
        let text = &known.formula;
        let formula = read(text);
        assert_eq!(formula.parameters(), known.parameters, "{text}");
        let (value, gradient, hessian) = derivatives(&formula, &known.theta, &known.x);
        let near = |found: &[f64], exact: &[f64], what: &str| {
            let size = exact.iter().fold(0.0_f64, |most, entry| most.max(entry.abs()));
            for (found, exact) in found.iter().zip(exact) {
                // Differences leave 1e-35 of an exact 0.
                let allowed = 4e-14 * (exact.abs() + 0.1 * size) + 1e-30;
                assert!((found - exact).abs() <= allowed, "{text}: {what} {found:e}, {exact:e}");
            }
        };
        near(&[value], &[known.value], "value");
        near(&gradient, &known.gradient, "gradient");
        near(&hessian, &known.hessian, "Hessian");
    }
}

#[test]
fn powers_equal_those_of_fifty_digits() {
    use crate::elementwise::scalar::pow;
    let mut most = 0.0_f64;
    for [x, p, exact] in fixture().powers {
        let bound = 1.5 + (p * x.ln()).abs() / 16.0;
        let error = (pow(x, p) - exact).abs() / (exact.next_up() - exact);
        assert!(error <= bound, "{x:e}^{p}: {error} ulp, {bound} allowed");
        most = most.max(error / bound);
    }
    assert!(most > 0.2, "the bound is loose: {most}");
    for (x, p) in [(-2.0, 3.0), (-2.0, 4.0), (-2.0, -3.0), (-1.5, 1e9), (0.0, 2.5), (0.0, -1.5)]
        .into_iter()
        .chain([(-8.0, 1.0 / 3.0), (1.0, f64::INFINITY), (0.5, f64::INFINITY), (2.0, -800.5)])
        .chain([(f64::INFINITY, 0.5), (f64::INFINITY, -0.5), (3.0, 0.0), (1e200, 1.9), (-0.0, 0.5)])
    {
        let (found, wanted) = (pow(x, p), x.powf(p));
        let near = (found - wanted).abs() <= 1e-15 * wanted.abs();
        assert!(near || found == wanted || (found.is_nan() && wanted.is_nan()), "{x}^{p}: {found}");
    }
    assert!(pow(f64::NAN, 0.0).is_nan() && pow(1.0, f64::NAN).is_nan());
}

/// A formula drawn at random, with a margin to the edges of domains for most arguments.
fn drawn(random: &mut Random, depth: usize) -> String {
    let leaf = ["a", "b", "c", "x", "y", "2", "0.5", "pi"];
    if depth == 0 || random.below(9) == 0 {
        return leaf[random.below(leaf.len())].into();
    }
    let mut inner = || drawn(random, depth - 1);
    let (p, q) = (inner(), inner());
    match random.below(16) {
        0 => format!("exp(tanh({p}))"),
        1 => format!("log(1.5 + ({p})^2)"),
        2 => format!("sin({p})*cos({q})"),
        3 => format!("({p})/(1.5 + ({q})^2)"),
        4 => format!("sqrt(1 + abs({p}))"),
        5 => format!("if({p} < {q} or not x > 0.3, {p}, sin({q}))"),
        6 => format!("max({p}, min({q}, 1.5))"),
        7 => format!("(1.2 + sin({p}))^(cos({q}))"),
        8 => format!("atan2({p}, 2 + sin({q}))"),
        9 => format!("-({p})^3"),
        10 => format!("erf({p}) - erfc({q})"),
        11 => format!("2^-tanh({p})"),
        12 => format!("({p}) - (({q}) - x)"),
        13 => format!("{p} + {q}"),
        14 => format!("({p})*({q})"),
        _ => format!("cbrt(2 + sin({p}))/cosh(tanh({q}))"),
    }
}

#[test]
fn all_methods_of_a_node_agree_for_every_function_and_for_random_formulas() {
    let mut texts: Vec<String> = Vec::new();
    for (name, function) in syntax::FUNCTIONS {
        // Into the domain of each: u is between 0.2 and 0.8 for the inputs below.
        let u = "(0.5 + 0.3*sin(a*x + b*y))";
        texts.push(match function {
            Function::If => format!("if({u} < 0.5, a*x, {u}*b)"),
            Function::Min | Function::Max | Function::Atan2 => format!("{name}({u}, x + c)"),
            _ => format!("c*{name}({u}) + {name}(b^2/(0.1 + 1.2*b^2))"),
        });
    }
    texts.extend(
        ["a^b", "x^2*a", "a*x^-3", "(a*x)^5", "a*2^x", "(x^2)^(a/2)", "a*x^0.5"]
            .map(|power| power.replace('x', "(1.1 + sin(x))").replace("a^b", "(1.1 + a^2)^b")),
    );
    let mut random = Random::new(5);
    texts.extend((0..60).map(|_| format!("{} + a*x", drawn(&mut random, 4))));
    for text in texts {
        let op = FormulaOp::new(read(&text));
        let checks = check::op(&op, &[Shape::vector(2)], 3).unwrap();
        // A kink or a jump between two points of a difference is no error: another point has none.
        let again =
            || (4..8).any(|seed| check::op(&op, &[Shape::vector(2)], seed).unwrap().passed());
        assert!(checks.passed() || again(), "{text}\n{checks}");
    }
    let several =
        FormulaOp::new(Formula::several(&["a*x^2", "b", "a*b*sin(y)"], &["x", "y"]).unwrap());
    let checks = check::op(&several, &[Shape::vector(2)], 3).unwrap();
    assert!(checks.passed(), "{checks}");
}
use syntax::Function;

#[test]
fn what_is_printed_reads_back_as_the_same_formula() {
    let mut random = Random::new(11);
    let drawn = (0..300).map(|_| drawn(&mut random, 5));
    let texts = [
        "-x^2",
        "(-x)^2",
        "2^-x^y",
        "(2^x)^y",
        "a - (b - (c - x))",
        "a/(b/c)/(x*y)",
        "-(a + b)*-x",
        "--a",
        "1e-300*a + 123456789012345680000000",
        "if(not (x < 1 and y < 2) or a == 3, 1, 2)",
        "if(x < 1 or (y > 2 and a != 3), -a^-2, +b)",
        "a**2·b×x−y",
        "if(x≤1 and y≥2 or x≠3, π, e)",
        "e^x + e^a",
    ];
    for text in drawn.chain(texts.map(str::to_owned)) {
        let formula = read(&text);
        let printed = formula.to_string();
        assert!(read(&printed) == formula, "{text}: {printed}");
        assert_eq!(read(&printed).to_string(), printed);
    }
    let one = read("a-b-(c/x)^2");
    assert_eq!(one.to_string(), "a - b - (c/x)^2");
    assert!(read("a - b") != read("b - a"));
}

#[test]
fn what_is_no_formula_is_refused_with_its_place() {
    for (text, position, wanted) in [
        ("", 0, "the formula is empty"),
        ("  ", 0, "the formula is empty"),
        ("a +", 3, "expected a number, a name or `(`, found the end"),
        ("2x", 1, "expected an operator or the end, found `x`"),
        ("a*(b + x", 8, "expected an operator or `)`, found the end"),
        ("a + x)", 5, "expected the end: there is no `(` for it, found `)`"),
        ("a*exq(x)", 2, "there is no function `exq`: did you mean `exp`?"),
        ("a + a(x + 1)", 5, "expected an operator: a product has its `*`, found `(`"),
        ("x(1)", 1, "expected an operator: a product has its `*`, found `(`"),
        ("exp(a, x)", 0, "`exp` takes 1 argument, found 2"),
        ("1 + atan2(x)", 4, "`atan2` takes 2 arguments, y and x, found 1"),
        ("max(a)", 0, "`max` takes 2 arguments or more, found 1"),
        ("exp()", 0, "`exp` takes 1 argument, found 0"),
        ("a + sin", 4, "`sin` is a function: write sin(…)"),
        ("a*(x > 0)", 5, "`>` gives no number: conditions stand first in if(condition, a, b) only"),
        (
            "if(x > 0, a, x and y > 1)",
            15,
            "`and` wants conditions on its sides, as in `x > 0`, and found a number",
        ),
        ("if(0 < x < 1, a, 2)", 9, "`<` compares a comparison: write a < b and b < c"),
        (
            "if(x, 1, a)",
            3,
            "the first argument of `if` is a condition, as in if(x > 0, a, b), and found a number",
        ),
        (
            "if(x > 0, a > 1, 2)",
            12,
            "`>` gives no number: conditions stand first in if(condition, a, b) only",
        ),
        ("a $ x", 2, "a formula has no `$`"),
        ("a = x", 2, "a formula has no `=`"),
        ("a + 1e999", 4, "the number 1e999 is larger than 1.8e308"),
        ("a + 1e-999", 4, "the number 1e-999 is smaller than 5e-324 and not 0"),
        ("a*.", 2, "`.` is no number"),
        ("1.2.3", 3, "expected an operator or the end, found `.3`"),
        ("a*(b,c)", 4, "expected an operator or `)`, found `,`"),
        ("and", 0, "expected a number, a name or `(`, found `and`"),
        ("a*`x", 2, "a name begins with a backquote and ends with one, as in `time (s)`"),
        ("a*``", 2, "a name begins with a backquote and ends with one, as in `time (s)`"),
        ("`x y` 2", 6, "expected an operator or the end, found `2`"),
    ] {
        let error = Formula::new(text, &["x", "y"]).unwrap_err();
        assert_eq!(
            (error.kind().to_string().as_str(), error.position()),
            (wanted, Some(position)),
            "{text}"
        );
    }
    let error = Formula::new("τ + 2·é §", &["x"]).unwrap_err();
    assert_eq!(error.to_string(), "character 9: a formula has no `§`\n  τ + 2·é §\n          ^");
    let features = |names: &[&str]| Formula::new("a", names).unwrap_err().to_string();
    assert!(features(&["e"]).contains("`e`: in a formula that is 2.718…"));
    assert!(features(&["log"]).contains("a function"));
    assert!(features(&["fly`ash"]).contains("`fly`ash` cannot stand in a formula"));
    assert!(features(&[""]).contains("`` cannot stand in a formula"));
    assert!(features(&["x", "x"]).contains("two features called `x`"));
    let none: [&str; 0] = [];
    assert!(Formula::several(&none, &["x"]).is_err());
    assert!(matches!(read("2*x").graph(), Err(GraphError::NoParameters)));
}

#[test]
fn names_with_any_signs_stand_between_backquotes() {
    let formula = Formula::new("`my a`*exp(-b*`time (s)`) + `exp` + `x`", &["time (s)", "x"]);
    let formula = formula.unwrap();
    assert_eq!(formula.parameters(), ["my a", "b", "exp"]);
    assert!(formula.uses_feature(0) && formula.uses_feature(1));
    // Where a name needs none, none are written.
    let printed = formula.to_string();
    assert_eq!(printed, "`my a`*exp(-b*`time (s)`) + `exp` + x");
    assert!(Formula::new(&printed, &["time (s)", "x"]).unwrap() == formula);
    assert_eq!(formula.to_unicode(), "`my a`·exp(−b·`time (s)`) + `exp` + x");
    let latex = Formula::new("a*`5 %_{x}`", &["x"]).unwrap().to_latex();
    assert_eq!(latex, r"a \, \text{5 \%\_\{x\}}");
}

#[test]
fn no_text_makes_it_panic() {
    let pieces: Vec<&str> = "a b x ` `x` 1 2.5 1e3 . e pi + - * / ^ ** ( ) , < <= > == != and or not if( exp( max( sin( ² § 1e999"
        .split(' ')
        .collect();
    let mut random = Random::new(3);
    let (mut read, mut features) = (0, 0);
    for _ in 0..100_000 {
        let text: String =
            (0..=random.below(12)).map(|_| pieces[random.below(pieces.len())]).collect();
        match Formula::new(&text, &["x"]) {
            Ok(formula) => {
                read += 1;
                features += usize::from(formula.uses_feature(0));
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    assert!(read > 1_000 && features > 100, "{read} of the strings are formulas: too few");
    let deep = 100_000;
    for text in [
        "(".repeat(deep),
        "-".repeat(deep),
        "2^".repeat(deep),
        "exp(".repeat(deep),
        "not ".repeat(deep),
    ] {
        assert!(matches!(
            Formula::new(&text, &["x"]).unwrap_err().kind(),
            FormulaErrorKind::TooDeep(_)
        ));
    }
    let nested = format!("{}x{}", "(".repeat(deep), ")".repeat(deep));
    assert!(message(&nested).contains("nested"));
    // What is long and not deep is read, and printed without a stack; what is longer is refused.
    let long = format!("a{}", " + a*x".repeat(20_000));
    assert_eq!(super::Formula::new(&long, &["x"]).unwrap().to_string(), long);
    assert!(message(&format!("a{}", " + a*x".repeat(60_000))).contains("more than 100000"));
}

#[test]
fn the_branch_that_is_not_chosen_does_not_matter() {
    for (text, theta, x, value) in [
        // Infinite slopes at 0, logarithms of negative numbers, quotients by 0, in the other branch.
        ("if(x > 0, sqrt(a*x), b*x)", [2.0, 3.0], 0.0, 0.0),
        ("if(x > 0, a*log(x), b*x)", [2.0, 3.0], -1.0, -3.0),
        ("if(x != 0, b*sin(a*x)/(a*x), b)", [2.0, 3.0], 0.0, 3.0),
        ("if(x > 0, if(a*log(x) > 1, a, x), b*x)", [2.0, 3.0], -1.0, -3.0),
        ("if(x >= 0, b*x, (a*x)^0.3)", [2.0, 3.0], 0.0, 0.0),
        ("if(b > 5, sqrt(a - 2), b*x)", [2.0, 3.0], 1.0, 3.0),
        ("if(a > 5, log(a - 3), b*x)", [2.0, 3.0], 1.0, 3.0),
        ("if(x > 0, (a*x)^b, b*x)", [2.0, 0.5], 0.0, 0.0),
    ] {
        let formula = Formula::new(text, &["x"]).unwrap();
        let order: Vec<f64> =
            formula.parameters().iter().map(|name| theta[usize::from(name == "b")]).collect();
        let (found, gradient, hessian) = derivatives(&formula, &order, &[x]);
        assert_eq!(found, value, "{text}");
        let b = formula.parameters().iter().position(|name| name == "b").unwrap();
        for (j, entry) in gradient.iter().enumerate() {
            let wanted = if j == b { if text.contains("b*x") { x } else { 1.0 } } else { 0.0 };
            let feature = j == formula.parameters().len();
            assert!(
                if feature { entry.is_finite() } else { *entry == wanted },
                "{text}: {gradient:?}"
            );
        }
        assert!(hessian.iter().all(|entry| entry.is_finite()), "{text}: {hessian:?}");
    }
}

#[test]
fn a_nan_among_the_inputs_makes_the_value_nan() {
    for text in [
        "a*x",
        "if(x > 0, a, 2)",
        "max(a, x)",
        "min(x, a)",
        "a + 0*x",
        "abs(x) + a",
        "x^2 + a",
        "x^a",
        "if(x > 0 and a > 0, 1, 2)",
        "if(a > 0 or x == 1, 1, 2)",
        "if(not x != 1, a, 1)",
        "atan2(x, a)",
        "erf(x) + a",
    ] {
        let mut values = [0.0; 2];
        let formula = Formula::new(text, &["x"]).unwrap();
        formula.evaluator().values(&[1.5], &[f64::NAN, 0.5], &mut values);
        assert!(values[0].is_nan() && values[1].is_finite(), "{text}: {values:?}");
    }
}

#[test]
fn slopes_at_kinks_and_edges_are_as_documented() {
    let slope =
        |text: &str, a: f64| derivatives(&Formula::new(text, &["x"]).unwrap(), &[a], &[1.0]).1[0];
    assert_eq!(slope("abs(a)", 0.0), 0.0);
    assert_eq!(slope("max(a, 2*a)", 0.0), 1.0);
    assert_eq!(slope("min(2*a, a)", 0.0), 2.0);
    assert_eq!(slope("a^2", 0.0), 0.0);
    assert_eq!(slope("a^1.5", 0.0), 0.0);
    assert_eq!(slope("sqrt(a)", 0.0), f64::INFINITY);
    assert_eq!(slope("a^3", -2.0), 12.0);
    assert_eq!(slope("0^a + a", 2.0), 1.0);
    assert!(slope("(-2*x)^a", 2.0).is_nan());
    assert_eq!(slope("(-2*x)^3*a", 2.0), -8.0);
    // sech² far out has all its digits.
    assert!((slope("tanh(a)", 18.0) / (4.0 * (-36.0_f64).exp()) - 1.0).abs() < 1e-14);
}

#[test]
fn the_bits_of_a_sample_do_not_depend_on_the_others() {
    let text = "a*exp(-b*x)*sin(y + a^2) + c^x/(1 + y^2) + erf(x)*log(1 + b) + cbrt(x*a)";
    let formula = read(text);
    let theta = [1.3, 0.4, 2.2];
    let mut random = Random::new(4);
    let samples = 700;
    let x: Vec<f64> = (0..2 * samples).map(|_| 2.0 * random.uniform()).collect();
    let mut evaluator = formula.evaluator();
    let (mut values, mut jacobian) = (vec![0.0; samples], vec![0.0; 3 * samples]);
    evaluator.values_jacobian(&theta, &x, &mut values, &mut jacobian);
    let mut alone = vec![0.0; samples];
    evaluator.values(&theta, &x, &mut alone);
    assert_eq!(values, alone);
    let mut first = 0;
    for batch in [1, 2, 5, 17, 64, 100, 256, 255].into_iter().cycle() {
        let batch = batch.min(samples - first);
        if batch == 0 {
            break;
        }
        let (mut z, mut j) = (vec![0.0; batch], vec![0.0; 3 * batch]);
        evaluator.values_jacobian(&theta, &x[2 * first..2 * (first + batch)], &mut z, &mut j);
        assert_eq!(z, values[first..first + batch]);
        assert_eq!(j, jacobian[3 * first..3 * (first + batch)]);
        first += batch;
    }
}

/// With one input and one output a block's numbers are read and written where they are.
#[test]
fn whole_blocks_have_the_bits_of_samples_alone() {
    let texts = [
        "exp(-b*x)",
        "a*exp(-b*x) + c",
        "x",
        "a",
        "a*x",
        "exp(a)*x",
        "x^2*a + exp(x*a)*(x*b)",
        "-(a*x*b*x) - a*x",
        "if(x < 1, a*x, b)",
    ];
    for text in texts {
        let formula = Formula::new(text, &["x"]).unwrap();
        let n = formula.parameters().len();
        let theta = &[1.3, 0.4, 2.2][..n];
        let samples = 1024;
        let x: Vec<f64> = (0..samples).map(|i| f64::from(i) / 300.0).collect();
        let mut evaluator = formula.evaluator();
        let (mut alone, mut rows) = (vec![], vec![]);
        for x in &x {
            let (mut value, mut row) = ([f64::NAN], vec![f64::NAN; n]);
            evaluator.values_jacobian(theta, &[*x], &mut value, &mut row);
            alone.extend(value);
            rows.extend(row);
        }
        for batch in [1, 16, 48, 64, 100, 112, 128, 256, 272, 1024] {
            let (mut values, mut jacobian) = (vec![f64::NAN; batch], vec![f64::NAN; n * batch]);
            evaluator.values_jacobian(theta, &x[..batch], &mut values, &mut jacobian);
            assert_eq!(
                (&values[..], &jacobian[..]),
                (&alone[..batch], &rows[..n * batch]),
                "{text}"
            );
            evaluator.values_jacobian_by_columns(theta, &x[..batch], &mut values, &mut jacobian);
            for (j, column) in jacobian.chunks(batch).enumerate() {
                let entries = rows[j..].iter().step_by(n);
                assert!(column.iter().eq(entries.take(batch)), "{text}, column {j} of {batch}");
            }
            values.fill(f64::NAN);
            evaluator.values(theta, &x[..batch], &mut values);
            assert_eq!(values, alone[..batch], "{text}");
        }
    }
}

#[test]
fn replaced_parameters_are_those_typed_in_their_place() {
    let sum = read("a*x + b*y + c");
    for (replacements, typed) in [
        (vec![("c", "2*a")], "a*x + b*y + 2*a"),
        (
            vec![("a", "b + d"), ("b", "c^2"), ("c", "-3.5")],
            "((-3.5)^2 + d)*x + (-3.5)^2*y + (-3.5)",
        ),
        (vec![("a", "x/k")], "x/k*x + b*y + c"),
        (vec![("b", "if(c > 0, a, 1)")], "a*x + if(c > 0, a, 1)*y + c"),
        (vec![("a", "d"), ("d", "b")], "b*x + b*y + c"),
    ] {
        assert!(sum.substitute(replacements.clone()).unwrap() == read(typed), "{replacements:?}");
    }
    let fixed = sum.substitute([("a", 2.0), ("c", -1e-3)]).unwrap();
    assert_eq!(fixed.parameters(), ["b"]);
    assert!(fixed == read("2*x + b*y + -1e-3"));
    let refused = |replacements: &[(&str, &str)]| {
        sum.substitute(replacements.iter().copied()).unwrap_err().to_string()
    };
    assert_eq!(refused(&[("d", "1")]), "there is no parameter `d` to replace (there are: a, b, c)");
    assert_eq!(
        refused(&[("x", "1")]),
        "`x` is a feature of the data: only parameters can be replaced"
    );
    assert_eq!(refused(&[("a", "1"), ("a", "2")]), "there are two replacements for `a`");
    assert_eq!(refused(&[("a", "a + 1")]), "the replacements go in a circle: a → a");
    assert_eq!(
        refused(&[("c", "a"), ("a", "2*b"), ("b", "x + a")]),
        "the replacements go in a circle: a → b → a"
    );
    assert!(refused(&[("a", "2*")]).contains("found the end"));
    assert!(sum.substitute([("a", f64::NAN)]).unwrap_err().to_string().contains("NaN"));
    assert!(
        Formula::new("amplitude*x", &["x"])
            .unwrap()
            .substitute([("amplitud", 1.0)])
            .unwrap_err()
            .to_string()
            .ends_with("did you mean `amplitude`?")
    );
    // Doubling forty times over would be 2⁴⁰ terms.
    let chain: Vec<(String, String)> =
        (0..40).map(|i| (format!("p{i}"), format!("p{}*p{}", i + 1, i + 1))).collect();
    let error = Formula::new("p0", &["x"]).unwrap().substitute(chain).unwrap_err();
    assert!(matches!(error.kind(), FormulaErrorKind::TooLong(_)));
}

#[test]
fn parameters_that_enter_linearly_are_found() {
    for (text, wanted) in [
        ("a*exp(-b*x) + c", &["a", "c"][..]),
        ("a + b*x + c*x^2", &["a", "b", "c"]),
        ("(a + b*x + c*x^2)/(1 + d*x + f*x^2)", &["a", "b", "c"]),
        // Linear in either factor: the larger set is taken.
        ("a*(b*x + c*y + d)", &["b", "c", "d"]),
        ("a*b*x", &["a"]),
        ("if(x > 0, a*x, b)", &["a", "b"]),
        ("if(a > 0, a*x, b)", &["b"]),
        ("(a*x + b)/c - d*(x - y)", &["a", "b", "d"]),
        ("exp(a*x)", &[]),
        ("a^2*x", &[]),
        ("a*x - a*exp(-b)", &["a"]),
    ] {
        let formula = read(text);
        let names: Vec<&str> =
            formula.linear_parameters().iter().map(|&j| formula.parameters()[j].as_str()).collect();
        assert_eq!(names, wanted, "{text}");
        let graph = formula.graph().unwrap();
        let ranges: Vec<usize> =
            graph.linear_parameters().iter().map(|range| range.start).collect();
        assert_eq!(ranges, formula.linear_parameters(), "{text}");
        assert_eq!(graph.is_affine(), wanted.len() == formula.parameters().len(), "{text}");
    }
}

#[test]
fn a_formula_in_a_description_comes_back() {
    use crate::description::Description;
    let formula = Formula::several(&["a*exp(-b*x) + 0.1*y", "a/3"], &["x", "y"]).unwrap();
    let graph = formula.graph().unwrap();
    let text = Description::of(&graph).unwrap().to_toml().unwrap();
    assert!(text.contains(r#"formula = ["a*exp(-b*x) + 0.1*y", "a/3"]"#), "{text}");
    let again = Description::from_toml(&text).unwrap().graph().unwrap();
    assert_eq!(format!("{:?}", again.nodes()[0].op()), format!("{:?}", graph.nodes()[0].op()));
    let broken = text.replace("exp(", "exq(");
    let error = Description::from_toml(&broken).unwrap().graph().unwrap_err().to_string();
    assert!(error.contains("did you mean `exp`"), "{error}");
}

#[test]
fn parameters_that_nothing_depends_on_are_found() {
    let idle = |text: &str| Formula::new(text, &["x"]).unwrap().idle_parameters();
    assert_eq!(idle("a*x + 0*b*x"), [1]);
    assert_eq!(idle("a*x + c - (c - 0/b)"), [1, 2]);
    assert_eq!(idle("if(a > 1, x*b, 2*x)"), [0]);
    assert_eq!(idle("a*x^0 + b*exp(-c*x)"), [0; 0]);
}
