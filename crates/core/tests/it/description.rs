//! Graphs as text: what is written is what is read, and what is wrong is named.

use secant_core::data::Dataset;
use secant_core::description::{Description, DescriptionError};
use secant_core::graph::{Graph, GraphError};
use secant_core::loss::SquaredError;
use secant_core::op::{
    Activation, Add, At, Bar, Concat, Dense, Dot, Multiply, Op, OpDescription, Softmax,
};
use secant_core::penalty::NoPenalty;
use secant_core::problem::Objective;
use secant_core::random::Random;
use secant_core::risk::Risk;
use secant_core::shape::{Shape, ShapeError};
use std::collections::BTreeMap;

/// Every kind of wiring: a default input, named ones, one node twice, shared blocks, the data late.
fn wired() -> Graph {
    let mut g = Graph::builder(3);
    let x = g.input();
    let a = g.node("a", Dense::new(3), &[x]).unwrap();
    let t = g.node("t", Activation::Tanh, &[a]).unwrap();
    let b = g.node_sharing("b", Dense::new(3), &[t], &["a.weight", "a.bias"]).unwrap();
    let leak = Activation::LeakyRelu { slope: 0.1 + 0.2 };
    let l = g.node("leak.y", leak, &[b]).unwrap();
    let square = g.node("square", Multiply, &[l, l]).unwrap();
    let s = g.node("s", Softmax, &[x]).unwrap();
    let sum = g.node("sum", Add, &[square, s, b]).unwrap();
    let all = g.node("all \"quoted\"", Concat, &[sum, x]).unwrap();
    let y = g.node("y", Dense::new(2).without_bias(), &[all]).unwrap();
    g.build(y).unwrap()
}

fn bits(graph: &Graph) -> Vec<u64> {
    let (d, c, samples) = (graph.features(), graph.outputs(), 40);
    let mut random = Random::new(1);
    let mut normals = |count: usize| -> Vec<f64> { (0..count).map(|_| random.normal()).collect() };
    let data = Dataset::from_slices(d, &normals(d * samples), c, &normals(c * samples)).unwrap();
    let risk = Risk::new(graph, &data, SquaredError, NoPenalty).unwrap();
    let theta = normals(risk.dim());
    let mut gradient = vec![0.0; risk.dim()];
    let value = risk.value_gradient(&theta, &mut gradient);
    gradient.iter().chain([&value]).map(|number| number.to_bits()).collect()
}

#[test]
fn what_is_written_is_read_as_the_same_graph() {
    let graph = wired();
    for copy in [
        Graph::from_toml(&graph.to_toml().unwrap()).unwrap(),
        Graph::from_json(&graph.to_json().unwrap()).unwrap(),
    ] {
        assert_eq!(copy.to_string(), graph.to_string());
        assert_eq!(copy.parameters(), graph.parameters());
        assert_eq!(copy.to_dot(), graph.to_dot());
        assert_eq!(bits(&copy), bits(&graph));
    }
    let description = Description::of(&graph).unwrap();
    let serde: Description = serde_json::from_str(&description.to_json().unwrap()).unwrap();
    assert_eq!(serde, description);
}

#[test]
fn the_text_is_as_people_would_write_it() {
    let mut g = Graph::builder([4, 2]);
    let a = g.node("a", Dense::new(2).without_bias(), &[g.input()]).unwrap();
    let b = g.node("b", Activation::LeakyRelu { slope: 0.1 }, &[a]).unwrap();
    let c = g.node("c", Add, &[a, b]).unwrap();
    let d = g.node("d", Dense::new(1), &[c]).unwrap();
    let graph = g.build(d).unwrap();
    let expected = r#"input = [4, 2]

[[node]]
name = "a"
op = "dense"
bias = false
outputs = 2

[[node]]
name = "b"
op = "leaky_relu"
slope = 0.1

[[node]]
name = "c"
op = "add"
inputs = ["a", "b"]

[[node]]
name = "d"
op = "dense"
outputs = 1
"#;
    assert_eq!(graph.to_toml().unwrap(), expected);
}

#[test]
fn every_number_comes_back_bit_for_bit() {
    let mut random = Random::new(5);
    let wild = |_| {
        let exponent = i32::try_from(random.below(600)).unwrap() - 300;
        random.normal() * 10.0_f64.powi(exponent)
    };
    let mut slopes: Vec<f64> = (0..200).map(wild).collect();
    slopes.extend([
        5e-324,
        f64::MIN_POSITIVE,
        f64::MAX,
        -0.0,
        0.0,
        1.0,
        1e15,
        1e16,
        1e23,
        0.1 + 0.2,
    ]);
    for slope in slopes {
        let mut g = Graph::builder(1);
        let a = g.node("a", Dense::new(1), &[g.input()]).unwrap();
        let leak = g.node("leak", Activation::LeakyRelu { slope }, &[a]).unwrap();
        let graph = g.build(leak).unwrap();
        let copies = [
            Graph::from_toml(&graph.to_toml().unwrap()).unwrap(),
            Graph::from_json(&graph.to_json().unwrap()).unwrap(),
        ];
        for copy in copies {
            // Debug writes the shortest text that only this number has.
            let found = format!("{:?}", copy.nodes()[1].op());
            assert_eq!(found, format!("LeakyRelu {{ slope: {slope:?} }}"));
        }
    }
}

#[test]
fn nodes_may_stand_in_any_order() {
    let shuffled = r#"
        input = 2
        output = "y"
        [[node]]
        name = "y"
        op = "add"
        inputs = ["twice", "once"]
        [[node]]
        name = "twice"
        op = "dense"
        outputs = 2
        inputs = ["tanh"]
        share = ["once.weight", "once.bias"]
        [[node]]
        name = "once"
        op = "dense"
        outputs = 2
        inputs = ["input"]
        [[node]]
        name = "tanh"
        op = "tanh"
    "#;
    let graph = Graph::from_toml(shuffled).unwrap();
    let names: Vec<&str> = graph.nodes().iter().map(secant_core::graph::Node::name).collect();
    assert_eq!(names, ["once", "tanh", "twice", "y"]);
    assert_eq!(graph.parameters().dim(), 6);
}

/// Name, op and options of a node, as in the file.
type Written = (&'static str, &'static str, &'static str);

/// A description in TOML.
fn toml(nodes: &[Written]) -> String {
    let node = |(name, op, options): &Written| {
        format!("[[node]]\nname = \"{name}\"\nop = \"{op}\"\n{options}\n")
    };
    format!("input = 3\n{}", nodes.iter().map(node).collect::<String>())
}

fn error(text: &str) -> DescriptionError {
    Graph::from_toml(text).unwrap_err()
}

#[test]
fn malformed_descriptions_are_refused_by_node_value_and_line() {
    let dense = ("a", "dense", "outputs = 2");
    let cases: &[(&[Written], &[&str])] = &[
        (
            &[("a", "tanh", "inputs = ['c']"), ("b", "tanh", ""), ("c", "sine", "inputs = ['b']")],
            &["cycle: a → b → c → a"],
        ),
        (&[dense, ("b", "add", "inputs = ['a', 'b']")], &["cycle: b → b"]),
        (
            &[dense, ("b", "dense", "outputs = 2\nshare = ['b.weight', 'b.bias']")],
            &["cycle: b → b"],
        ),
        (
            &[dense, ("b", "tanh", "inputs = ['nowhere']")],
            &["node `b` (line 6): there is no input `nowhere`", "input, a, b"],
        ),
        (&[dense, ("b", "add", "inputs = ['a', 'input']")], &["line 6", "`b`", "is 2", "is 3"]),
        (&[dense, dense], &["node `a` (line 6)", "two nodes of this name, the first is node 1"]),
        (&[("a", "desne", "")], &["`a` (line 2)", "unknown op `desne`", "dense, identity, tanh"]),
        (&[("a", "dense", "output = 2")], &["`a` (line 2), dense", "`output`", "`outputs`"]),
        (&[("a", "dense", "")], &["`a` (line 2), dense", "missing", "`outputs`"]),
        (&[("a", "dense", "outputs = 'two'")], &["`a` (line 2), dense", "outputs", "\"two\""]),
        (&[("a", "dense", "outputs = -2")], &["`a` (line 2), dense", "outputs", "-2"]),
        (&[("a", "dense", "outputs = 2.5")], &["`a` (line 2), dense", "outputs", "2.5"]),
        (&[("a", "dense", "outputs = 0")], &["line 2", "`a`", "empty"]),
        (&[("a", "tanh", "slope = 2")], &["`a` (line 2), tanh", "`slope`"]),
        (&[dense, ("b", "leaky_relu", "slope = nan")], &["`b` (line 6)", "`slope` is NaN"]),
        (&[dense, ("b", "leaky_relu", "slope = -inf")], &["`b` (line 6)", "`slope` is -inf"]),
        (
            &[("a", "dense", "outputs = 9223372036854775807")],
            &["line 2", "`a`", "9223372036854775807", "4294967296"],
        ),
        (
            &[dense, ("b", "dense", "outputs = 2\nshare = ['a.weigth', 'a.bias']")],
            &["line 6", "`b`", "`a.weigth`", "a.weight, a.bias"],
        ),
        (
            &[dense, ("b", "dense", "outputs = 2\nshare = ['a.weight', 'a.bias']")],
            &["line 6", "`b`", "2×2", "`a.weight` is 2×3"],
        ),
        (
            &[dense, ("b", "dense", "outputs = 2\nshare = ['a.weight']")],
            &["line 6", "`b`", "2 parameter block(s)", "found 1"],
        ),
        (&[dense, ("b", "tanh", "inputs = 'a'")], &["`b` (line 6)", "`inputs`", "list of names"]),
        (&[dense, ("b", "tanh", "inputs = [1]")], &["`b` (line 6)", "`inputs`", "[1]"]),
        (&[dense, ("b", "tanh", "inputs = []")], &["line 6", "`b`", "takes 1", "found 0"]),
        (&[dense, ("b", "tanh", "share = 3")], &["`b` (line 6)", "`share` is 3"]),
        (&[("input", "dense", "outputs = 2")], &["(line 2)", "called `input`"]),
        (&[dense, ("b", "tanh", "inputs = ['input']")], &["line 2", "`a`", "reach the output"]),
        (&[("a", "tanh", "")], &["does not depend on any parameter"]),
        (&[("a", "dense", "outputs = 2\nwhen = 1979-05-27")], &["`a` (line 2)", "`when`"]),
    ];
    for (nodes, parts) in cases {
        let text = toml(nodes);
        let message = error(&text).to_string();
        for part in *parts {
            assert!(message.contains(part), "{text}\n{message}\nhas no {part}");
        }
    }
    let whole = [
        ("", "no `input`"),
        ("input = 3", "no nodes"),
        ("input = 3\nnode = []", "no nodes"),
        ("input = 3\nnode = 4", "`node` is 4"),
        ("input = 3\nnode = [1]", "node 1 (line 2): `node` is 1"),
        ("input = 0\nnode = []", "`input` is 0"),
        ("input = []\nnode = []", "`input` is []"),
        ("input = [3, -1]\nnode = []", "[3, -1]"),
        ("input = 'x'\nnode = []", "\"x\""),
        ("input = 3\n[[node]]\nop = 'tanh'", "node 1 (line 2) has no `name`"),
        ("input = 3\n[[node]]\nname = 'a'", "node `a` (line 2) has no `op`"),
        ("input = 3\n[[node]]\nname = ''\nop = 'tanh'", "node 1 (line 2): `name`"),
        ("input = 3\n[[node]]\nname = 7\nop = 'tanh'", "`name` is 7"),
        ("input = 3\n[[nodes]]\nname = 'a'", "no nodes"),
        ("input = 3\nouptut = 'a'\nnode = []", "unknown key `ouptut`"),
        ("input = 3\noutput = 'c'\n[[node]]\nname = 'a'\nop = 'tanh'", "output `c` is no node"),
        ("input = 3\noutput = 'input'\n[[node]]\nname = 'a'\nop = 'tanh'", "output `input`"),
        ("input = 3\nloss = 3\nnode = []", "`loss` is 3"),
        ("input = 3\n[[node]]\nname = \"a", "line 3, column"),
        ("input = 3\ninput = 4", "line 2, column 1: duplicate key"),
        ("input = 3\n[[node]]\nname = 'a'\nname = 'b'", "line 4, column 1: duplicate key"),
    ];
    for (text, part) in whole {
        let message = error(text).to_string();
        assert!(message.contains(part), "{text}\n{message}\nhas no {part}");
    }
}

#[test]
fn json_has_the_same_errors_with_the_position_of_a_syntax_error() {
    let whole = [
        ("", "line 1, column 0: EOF"),
        ("{\"input\": 3,\n \"node\": [}", "line 2, column 11: "),
        ("[1, 2]", "line 1, column"),
        ("{\"input\": null}", "line 1, column"),
        ("{\"input\": 3, \"node\": [{\"name\": \"a\", \"op\": \"dense\"}]}", "`a`, dense: missing"),
        ("{\"input\": 3, \"input\": 4, \"node\": []}", "duplicate key: `input`"),
        ("{\"input\": 3, \"node\": [{\"name\": \"a\", \"name\": \"b\"}]}", "duplicate key: `name`"),
        ("{\"input\": 99999999999999999999, \"node\": []}", "`input` is 100000000000000000000.0"),
    ];
    for (text, part) in whole {
        let message = Graph::from_json(text).unwrap_err().to_string();
        assert!(message.contains(part), "{text}\n{message}\nhas no {part}");
    }
}

#[test]
fn the_file_of_the_example_is_a_graph() {
    let text = include_str!("../../../../examples/describe/residual.toml");
    let description = Description::from_toml(text).unwrap();
    let penalty = description.penalty.as_ref().unwrap();
    assert_eq!((penalty.name(), penalty.options::<f64>()), ("ridge", Some(1e-4)));
    let again = Description::from_toml(&description.to_toml().unwrap()).unwrap();
    assert_eq!((&again.loss, &again.penalty), (&description.loss, &description.penalty));
    assert_eq!(again.graph().unwrap().to_string(), description.graph().unwrap().to_string());
    assert_eq!(again.graph().unwrap().parameters().dim(), 633);
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow_of_the_stack() {
    for depth in [100, 10_000, 1_000_000] {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        let text =
            format!("input = 3\n[[node]]\nname = 'a'\nop = 'dense'\noutputs = {open}{close}");
        assert!(matches!(error(&text), DescriptionError::Syntax { line: 5, .. }), "{depth}");
        let (open, close) = ("{ a = ".repeat(depth), " }".repeat(depth));
        assert!(matches!(error(&format!("x = {open}1{close}")), DescriptionError::Syntax { .. }));
        let dotted = "a.".repeat(depth);
        assert!(matches!(error(&format!("{dotted}b = 1")), DescriptionError::Syntax { .. }));
    }
    let json = format!("{{\"input\": {}", "[".repeat(1_000_000));
    assert!(matches!(Graph::from_json(&json).unwrap_err(), DescriptionError::Syntax { .. }));
}

#[test]
fn more_nodes_than_anyone_writes_are_refused() {
    let text = format!("input = 1\n{}", "[[node]]\n".repeat(20_000));
    let (found, limit) = (20_000, 16_384);
    assert_eq!(error(&text), DescriptionError::TooManyNodes { found, limit });
}

/// A user's own op.
#[derive(Debug)]
struct Own;

impl Op for Own {
    fn name(&self) -> String {
        "own".into()
    }
    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        Ok(inputs[0].clone())
    }
    fn value(&self, _: At<'_>, _: &mut [f64]) {}
    fn tangent(&self, _: At<'_>, _: &[f64], _: Dot<'_>, _: &mut [f64]) {}
    fn adjoint(&self, _: At<'_>, _: &[f64], _: &[f64], _: &mut Bar<'_>) {}
    fn adjoint_tangent(
        &self,
        _: At<'_>,
        _: &[f64],
        _: &[f64],
        _: Dot<'_>,
        _: &[f64],
        _: &[f64],
        _: &mut Bar<'_>,
    ) {
    }
}

#[test]
fn a_graph_that_cannot_be_written_says_which_node_is_to_blame() {
    let mut g = Graph::builder(2);
    let a = g.node("a", Dense::new(2), &[g.input()]).unwrap();
    let mine = g.node("mine", Own, &[a]).unwrap();
    let message = g.build(mine).unwrap().to_toml().unwrap_err().to_string();
    assert_eq!(message, "node `mine`: the op own has no description");

    let mut g = Graph::builder(2);
    let a = g.node("input", Dense::new(2), &[g.input()]).unwrap();
    let message = g.build(a).unwrap().to_json().unwrap_err().to_string();
    assert!(message.contains("`input`"), "{message}");
}

#[test]
fn a_graph_error_keeps_its_numbers() {
    let wrong = toml(&[("a", "dense", "outputs = 2"), ("b", "add", "inputs = ['a', 'input']")]);
    let DescriptionError::Graph { line: Some(6), source } = error(&wrong) else {
        panic!("{:?}", error(&wrong))
    };
    let (index, first, found) = (1, Shape::vector(2), Shape::vector(3));
    let source_of = ShapeError::Mismatch { index, first, found };
    let (node, op) = ("b".into(), "add".into());
    assert_eq!(*source, GraphError::Shape { node, op, source: source_of });
}

#[test]
fn numbers_that_are_not_finite_are_refused_wherever_they_stand() {
    let node = "[[node]]\nname = 'y'\nop = 'dense'\noutputs = 1\n";
    for (line, part) in [
        ("loss = { huber = inf }", "`loss`: `huber` is inf, it must be finite"),
        ("penalty = { ridge = nan }", "`penalty`: `ridge` is NaN, it must be finite"),
        ("penalty = { sum = [{ ridge = 1.0 }, { l1 = -inf }] }", "`penalty`: `sum` is -inf"),
    ] {
        let message = error(&format!("input = 3\n{line}\n{node}")).to_string();
        assert!(message.contains(part), "{message} has no {part}");
    }
    // The same where nothing is built: a description alone.
    let text = "input = 3\n[[node]]\nname = 'y'\nop = 'leaky_relu'\nslope = nan";
    let found = Description::from_toml(text).unwrap_err();
    assert!(matches!(found, DescriptionError::NotFinite { .. }), "{found}");
    // JSON has no way to write them: serde would write `null`.
    let mut g = Graph::builder(2);
    let own = g.node("own", Unbounded, &[g.input()]).unwrap();
    let y = g.node("y", Dense::new(1), &[own]).unwrap();
    let graph = g.build(y).unwrap();
    for found in [graph.to_json().unwrap_err(), graph.to_toml().unwrap_err()] {
        assert_eq!(found.to_string(), "node `own`, unbounded: `bound` is inf, it must be finite");
    }
    for number in ["1e999", "-1e999", "NaN", "Infinity"] {
        let json = format!(
            "{{\"input\": 2, \"penalty\": {{\"ridge\": {number}}}, \"node\": [{{\"name\": \"y\", \"op\": \"dense\", \"outputs\": 1}}]}}"
        );
        assert!(Description::from_json(&json).is_err(), "{number}");
    }
}

/// An op with an infinite option.
#[derive(Debug)]
struct Unbounded;

impl Op for Unbounded {
    fn name(&self) -> String {
        "unbounded".into()
    }
    fn describe(&self) -> Option<OpDescription> {
        OpDescription::with_options("unbounded", &BTreeMap::from([("bound", f64::INFINITY)]))
    }
    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        Own.output_shape(inputs)
    }
    fn value(&self, _: At<'_>, _: &mut [f64]) {}
    fn tangent(&self, _: At<'_>, _: &[f64], _: Dot<'_>, _: &mut [f64]) {}
    fn adjoint(&self, _: At<'_>, _: &[f64], _: &[f64], _: &mut Bar<'_>) {}
    fn adjoint_tangent(
        &self,
        _: At<'_>,
        _: &[f64],
        _: &[f64],
        _: Dot<'_>,
        _: &[f64],
        _: &[f64],
        _: &mut Bar<'_>,
    ) {
    }
}

#[test]
fn a_misspelt_name_is_answered_by_the_nearest_one() {
    let dense = ("hidden", "dense", "outputs = 2");
    let shared = "outputs = 2\nshare = ['hidden.weigth', 'hidden.bias']";
    for (text, part) in [
        (toml(&[("a", "desne", "")]), "did you mean `dense`?"),
        (toml(&[dense, ("b", "tanh", "inputs = ['hiden']")]), "did you mean `hidden`?"),
        (toml(&[dense, ("b", "dense", shared)]), "did you mean `hidden.weight`?"),
        (toml(&[("a", "dense", "output = 2")]), "did you mean `outputs`?"),
    ] {
        let message = error(&text).to_string();
        assert!(message.ends_with(part), "{message} does not end with {part}");
    }
    let message = error(&format!("output = 'hiden'\n{}", toml(&[dense]))).to_string();
    assert!(message.ends_with("did you mean `hidden`?"), "{message}");
    let message = error(&format!("ouptut = 'hidden'\n{}", toml(&[dense]))).to_string();
    assert!(message.ends_with("did you mean `output`?"), "{message}");
}

#[test]
fn foreign_text_in_a_message_is_cut_and_cannot_act() {
    let acting = format!("\\u001b[2J{}", "x".repeat(1_000_000));
    for text in [
        format!("input = 3\n[[node]]\nname = \"{acting}\"\nop = 'desne'"),
        format!("input = 3\n[[node]]\nname = 'a'\nop = \"{acting}\""),
        format!("input = 3\n[[node]]\nname = 'a'\nop = 'tanh'\ninputs = [\"{acting}\"]"),
        format!("input = 3\noutput = \"{acting}\"\n[[node]]\nname = 'a'\nop = 'tanh'"),
        format!("input = 3\n\"{acting}\" = 1\n[[node]]\nname = 'a'\nop = 'tanh'"),
        format!("input = 3\n[[node]]\nname = 'a'\nop = 'dense'\n\"{acting}\" = 1"),
        format!("input = \"{acting}\""),
        format!(
            "input = 3\n[[node]]\nname = \"{acting}\"\nop = 'tanh'\n[[node]]\nname = 'y'\nop = 'dense'\noutputs = 1\ninputs = ['input']"
        ),
        format!(
            "input = 3\n[[node]]\nname = \"{acting}\"\nop = 'tanh'\ninputs = ['y']\n[[node]]\nname = 'y'\nop = 'tanh'"
        ),
        format!(
            "input = [{}]\n[[node]]\nname = 'y'\nop = 'dense'\noutputs = 1\n[[node]]\nname = 'z'\nop = 'multiply'\ninputs = ['input', 'y']",
            "2, 1, ".repeat(10_000)
        ),
    ] {
        let message = error(&text).to_string();
        assert!(message.len() < 2000, "{} bytes: {}", message.len(), &message[..200]);
        assert!(!message.contains(char::is_control), "{message:?}");
    }
}
