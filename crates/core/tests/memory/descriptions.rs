//! Descriptions drawn at random, whole, damaged or no descriptions at all: never a panic, never more memory than a small multiple of
//! the text's.

use crate::{alone, bytes_asked};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use secant_core::data::Dataset;
use secant_core::description::Description;
use secant_core::graph::{Graph, GraphBuilder, NodeId};
use secant_core::loss::SquaredError;
use secant_core::op::{
    Activation, Add, Concat, Dense, Kernel, Multiply, Nystrom, Polynomial, RadialBasis,
    RandomFourier, Softmax,
};
use secant_core::penalty::NoPenalty;
use secant_core::problem::Objective;
use secant_core::random::Random;
use secant_core::risk::Risk;
use secant_core::shape::Shape;

/// What reading a text and asking what it holds may allocate, whatever sizes it names: so much for each of its bytes, and some.
const PER_BYTE: usize = 1 << 10;
const BESIDE: usize = 1 << 20;

/// A graph drawn from `seed`: `steps` nodes, joined so that every one reaches the output.
fn drawn(seed: u64, steps: usize) -> Graph {
    let mut random = Random::new(seed);
    let extents = [1 + random.below(4), 1 + random.below(3)];
    let flat = random.below(2) == 0;
    let input = if flat { Shape::vector(extents[0]) } else { Shape::new(extents) };
    let mut g = Graph::builder(input);
    let mut values = vec![g.input()];
    let mut unused: Vec<NodeId> = Vec::new();
    let mut last_dense: Option<(String, usize, usize)> = None;
    for step in 0..steps {
        let from = values[random.below(values.len())];
        let other = values[random.below(values.len())];
        let name = format!("{}{step}", ["n", "µ.", "a b ", "\"q\\"][random.below(4)]);
        let node = draw_node(&mut g, &mut random, &name, from, other, &mut last_dense);
        unused.retain(|&id| id != from && id != other);
        values.push(node);
        unused.push(node);
    }
    let all = g.node("all", Concat, &[&unused[..], &[g.input()]].concat()).unwrap();
    let y = g.node("y", Dense::new(2), &[all]).unwrap();
    g.build(y).unwrap()
}

fn draw_node(
    g: &mut GraphBuilder,
    random: &mut Random,
    name: &str,
    from: NodeId,
    other: NodeId,
    last_dense: &mut Option<(String, usize, usize)>,
) -> NodeId {
    let activations = [
        Activation::Identity,
        Activation::Tanh,
        Activation::Relu,
        Activation::LeakyRelu { slope: random.normal() },
        Activation::Sigmoid,
        Activation::Softplus,
        Activation::Silu,
        Activation::Gelu,
        Activation::Sine,
    ];
    let inputs = g.shape(from).unwrap().len();
    let alike = g.shape(from) == g.shape(other);
    match random.below(8) {
        // A node uses both of the inputs drawn, so that none is left over.
        0 if alike => g.node(name, Add, &[from, other, from]).unwrap(),
        1 if alike => g.node(name, Multiply, &[from, other]).unwrap(),
        2 => {
            let joined = g.node(&format!("{name} joined"), Concat, &[from, other]).unwrap();
            g.node(name, Softmax, &[joined]).unwrap()
        }
        3 if from == other => {
            let kind = activations[random.below(activations.len())];
            g.node(name, kind, &[from]).unwrap()
        }
        4 if from == other => {
            if let Some((owner, rows, _)) =
                last_dense.clone().filter(|(_, _, cols)| *cols == inputs)
            {
                let blocks = [format!("{owner}.weight"), format!("{owner}.bias")];
                let blocks = blocks.each_ref().map(String::as_str);
                return g.node_sharing(name, Dense::new(rows), &[from], &blocks).unwrap();
            }
            g.node(name, Dense::new(2).without_bias(), &[from]).unwrap()
        }
        7 if from == other && inputs <= 12 => draw_map(g, random, name, from, inputs),
        _ if from == other => {
            let rows = 1 + random.below(3);
            *last_dense = Some((name.into(), rows, inputs));
            g.node(name, Dense::new(rows), &[from]).unwrap()
        }
        _ => g.node(name, Concat, &[from, other]).unwrap(),
    }
}

fn draw_map(
    g: &mut GraphBuilder,
    random: &mut Random,
    name: &str,
    from: NodeId,
    d: usize,
) -> NodeId {
    let points: Vec<f64> = (0..3 * d).map(|_| random.normal()).collect();
    let width = 1.0 + random.uniform();
    match random.below(5) {
        0 => g.node(name, Polynomial::new(2).interactions_only().with_constant(), &[from]),
        1 => g.node(name, RadialBasis::new(d, &points, width).unwrap(), &[from]),
        2 => g.node(name, RandomFourier::new(d, 2, width, 5).unwrap(), &[from]),
        3 => {
            let kernel = Kernel::Gaussian { width };
            g.node(name, Nystrom::new(d, &points, kernel).unwrap(), &[from])
        }
        _ => {
            let kernel = Kernel::Polynomial { degree: 2, scale: width, offset: 1.0 };
            let map = Nystrom::new(d, &points, kernel).unwrap();
            g.node(name, map.with_cutoff(1e-6).unwrap(), &[from])
        }
    }
    .unwrap()
}

fn bits(graph: &Graph, seed: u64) -> Vec<u64> {
    let (d, c, samples) = (graph.features(), graph.outputs(), 11);
    let mut random = Random::new(seed);
    let mut normals = |count: usize| -> Vec<f64> { (0..count).map(|_| random.normal()).collect() };
    let data = Dataset::from_slices(d, &normals(d * samples), c, &normals(c * samples)).unwrap();
    let risk = Risk::new(graph, &data, SquaredError, NoPenalty).unwrap();
    let theta = normals(risk.dim());
    let mut gradient = vec![0.0; risk.dim()];
    let value = risk.value_gradient(&theta, &mut gradient);
    gradient.iter().chain([&value]).map(|number| number.to_bits()).collect()
}

/// What a graph can be asked once it is there.
fn ask(graph: &Graph) {
    assert!(!graph.to_string().is_empty() && graph.to_dot().contains("->"));
    let copy = Graph::from_toml(&graph.to_toml().unwrap()).unwrap();
    assert_eq!(copy.to_string(), graph.to_string());
}

/// `text` through both readers, within the memory that it may take; whether one of them found a graph.
fn read(text: &str) -> bool {
    let mut found = false;
    let enough = BESIDE + PER_BYTE * text.len();
    let bytes = bytes_asked(enough, || found = read_unseen(text));
    assert!(bytes <= enough, "{bytes} bytes for {} of text:\n{text}", text.len());
    found
}

fn read_unseen(text: &str) -> bool {
    let mut found = false;
    for read in [Graph::from_toml, Graph::from_json] {
        match read(text) {
            Ok(graph) => {
                ask(&graph);
                found = true;
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    found
}

/// Texts that a mutation puts in place of others.
const PIECES: &[&str] = &[
    "",
    "0",
    "-1",
    "nan",
    "inf",
    "1e308",
    "9223372036854775807",
    "99999999999999999999999",
    "4294967297",
    "1000000000000",
    "\"\"",
    "[]",
    "{}",
    "[[]]",
    "null",
    "true",
    "input",
    "'input'",
    "\"n0\"",
    "\n[[node]]\n",
    "[node]",
    "inputs = ['y']\n",
    "op = 'dense'\n",
    "op = 'leaky_relu'\n",
    "name = 'y'\n",
    "share = ['y.weight']\n",
    "output = 'all'\n",
    "outputs",
    "1979-05-27",
    "\\u0000",
    "é",
    "=",
    ",",
    "\"",
    "'''",
    "#",
    "{ a = 1 }",
    "a.b.c = 1\n",
];

/// `text` with a few of its parts cut out, repeated or replaced, at boundaries of characters.
fn damaged(text: &str, seed: u64) -> String {
    let mut random = Random::new(seed);
    let mut text = text.to_owned();
    for _ in 0..=random.below(4) / 2 {
        let mut boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        boundaries.push(text.len());
        // Words and values as often as single characters.
        let starts: Vec<usize> =
            text.match_indices(['=', '\n', '"', '[', ':', ',']).map(|(at, _)| at + 1).collect();
        let pick = |random: &mut Random| {
            if random.below(2) == 0 || starts.is_empty() {
                boundaries[random.below(boundaries.len())]
            } else {
                starts[random.below(starts.len())]
            }
        };
        let from = pick(&mut random);
        let end = boundaries.iter().copied().filter(|&at| at >= from).nth(random.below(12));
        let to = end.unwrap_or(text.len());
        match random.below(16) {
            0 => text.replace_range(from..to, ""),
            1 => text.truncate(from),
            2 => {
                let again = text[from..to].to_owned();
                let place = pick(&mut random);
                text.insert_str(place, &again);
            }
            // Another number, another name.
            3..9 => {
                let letters: Vec<usize> = text
                    .match_indices(|c: char| c.is_ascii_alphanumeric())
                    .map(|(at, _)| at)
                    .collect();
                if !letters.is_empty() {
                    let (at, to) = (
                        letters[random.below(letters.len())],
                        letters[random.below(letters.len())],
                    );
                    let letter = text[to..=to].to_owned();
                    let digit = random.below(10).to_string();
                    let number = text[at..=at].parse::<u8>().is_ok();
                    text.replace_range(at..=at, if number { &digit } else { &letter });
                }
            }
            9 => text.push_str("\n[[node]]\nname = 'more'\nop = 'tanh'\n"),
            _ => text.replace_range(from..to, PIECES[random.below(PIECES.len())]),
        }
    }
    text
}

proptest! {
    // The seed is fixed so that a run can be repeated; PROPTEST_CASES draws more.
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(21),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_drawn_graph_comes_back_to_the_last_bit(seed in any::<u64>(), steps in 1..14_usize) {
        let _alone = alone();
        let graph = drawn(seed, steps);
        for copy in [
            Graph::from_toml(&graph.to_toml().unwrap()).unwrap(),
            Graph::from_json(&graph.to_json().unwrap()).unwrap(),
        ] {
            prop_assert_eq!(copy.to_string(), graph.to_string());
            prop_assert_eq!(copy.parameters(), graph.parameters());
            prop_assert_eq!(bits(&copy, seed), bits(&graph, seed));
        }
    }

    #[test]
    fn damaged_descriptions_are_graphs_or_errors(seed in any::<u64>(), steps in 1..6_usize) {
        let _alone = alone();
        let graph = drawn(seed, steps);
        for again in 0..8 {
            read(&damaged(&graph.to_toml().unwrap(), seed ^ again));
            read(&damaged(&graph.to_json().unwrap(), seed ^ again));
        }
    }

    #[test]
    fn any_text_is_a_graph_or_an_error(text in any::<String>(), bytes in any::<Vec<u8>>()) {
        let _alone = alone();
        read(&text);
        read(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_order_of_the_nodes_is_the_same_function(seed in any::<u64>(), steps in 1..10_usize) {
        let _alone = alone();
        // With every input named, the order in the file says nothing.
        let graph = drawn(seed, steps);
        let text = Description::of(&graph).unwrap().to_json().unwrap();
        let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
        json["output"] = "y".into();
        let nodes = json["node"].as_array_mut().unwrap();
        let mut previous = "input".to_owned();
        for node in nodes.iter_mut() {
            if node.get("inputs").is_none() {
                node["inputs"] = vec![previous].into();
            }
            previous = node["name"].as_str().unwrap().to_owned();
        }
        Random::new(seed).shuffle(nodes);
        let copy = Graph::from_json(&json.to_string()).unwrap();
        let sorted = |graph: &Graph| {
            let mut names: Vec<String> = graph.to_string().lines().map(squeezed).collect();
            names.sort();
            names
        };
        prop_assert_eq!(sorted(&copy), sorted(&graph));
    }
}

#[test]
fn damage_leaves_some_graphs_and_breaks_others() {
    let _alone = alone();
    let whole = drawn(3, 5).to_toml().unwrap();
    let left = (0..400).filter(|&seed| read(&damaged(&whole, seed))).count();
    assert!((20..380).contains(&left), "{left} of 400");
}

/// A line with single blanks, since the widths of columns are those of the widest cell.
fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
