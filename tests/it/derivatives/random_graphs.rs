//! Graphs drawn at random, checked whole.

use super::nodes::SMOOTH;
use super::support::{labels, normals, numbers};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use secant::check;
use secant::graph::{Graph, GraphBuilder, NodeId};
use secant::loss::{Logistic, SoftmaxCrossEntropy, SquaredError};
use secant::op::{
    Activation, Add, Bilinear, Concat, Dense, Dropout, Flatten, LayerNorm, MatMul, Multiply, Op,
    Reduce, Reduction, Reshape, ScaleShift, Select, Slice, Softmax,
};
use secant::penalty::{NoPenalty, Ridge};
use secant::risk::Risk;

/// What is appended to the values there are; positions are taken modulo their number.
#[derive(Clone, Debug)]
enum Step {
    Dense {
        from: usize,
        width: usize,
        bias: bool,
    },
    /// The weights of the last dense node of the same shape once more.
    Shared {
        from: usize,
        width: usize,
    },
    Activation {
        from: usize,
        kind: Activation,
    },
    Softmax {
        from: usize,
    },
    Add {
        from: [usize; 2],
        bias: bool,
    },
    Multiply {
        from: [usize; 2],
    },
    Concat {
        from: [usize; 3],
        parts: usize,
    },
    ScaleShift {
        from: usize,
    },
    LayerNorm {
        from: usize,
        affine: bool,
    },
    Dropout {
        from: usize,
        probability: f64,
    },
    Reduce {
        from: usize,
        reduction: Reduction,
    },
    Slice {
        from: usize,
        range: [usize; 2],
    },
    Select {
        from: usize,
        entries: [usize; 3],
    },
    /// An activation on e^tanh x, which is within (1/e, e).
    Positive {
        from: usize,
        kind: Activation,
    },
    /// Of a 2 × 3 and a 3 × 2 matrix, either of them stored transposed.
    MatMul {
        from: [usize; 2],
        transpose: [bool; 2],
    },
    Bilinear {
        from: [usize; 2],
        width: usize,
        bias: bool,
    },
}

/// Beside those of every real number.
const POSITIVE: [Activation; 4] = [
    Activation::Log,
    Activation::Sqrt,
    Activation::Power { exponent: 2.5 },
    Activation::Power { exponent: -1.0 },
];
const REDUCTIONS: [Reduction; 4] =
    [Reduction::Sum, Reduction::Mean, Reduction::SquaredNorm, Reduction::LogSumExp];
/// Large enough that differences of a narrow layer's norm keep their digits.
const EPSILON: f64 = 0.1;

#[derive(Clone, Copy, Debug)]
enum Target {
    Squared { outputs: usize, lambda: f64 },
    Softmax { classes: usize },
    Logistic,
}

#[derive(Clone, Debug)]
struct Recipe {
    features: usize,
    /// One entry per layer, each a few nodes.
    layers: Vec<Vec<Step>>,
    target: Target,
    samples: usize,
    seed: u64,
}

fn step() -> impl Strategy<Value = Step> {
    let from = || 0..64_usize;
    prop_oneof![
        (from(), 1..=6_usize, any::<bool>()).prop_map(|(from, width, bias)| Step::Dense {
            from,
            width,
            bias
        }),
        (from(), 1..=6_usize).prop_map(|(from, width)| Step::Shared { from, width }),
        (from(), prop::sample::select(&SMOOTH[..]))
            .prop_map(|(from, kind)| Step::Activation { from, kind }),
        from().prop_map(|from| Step::Softmax { from }),
        ([from(), from()], any::<bool>()).prop_map(|(from, bias)| Step::Add { from, bias }),
        [from(), from()].prop_map(|from| Step::Multiply { from }),
        ([from(), from(), from()], 1..=3_usize)
            .prop_map(|(from, parts)| Step::Concat { from, parts }),
        from().prop_map(|from| Step::ScaleShift { from }),
        (from(), any::<bool>()).prop_map(|(from, affine)| Step::LayerNorm { from, affine }),
        (from(), 0.0..0.7).prop_map(|(from, probability)| Step::Dropout { from, probability }),
        (from(), prop::sample::select(&REDUCTIONS[..]))
            .prop_map(|(from, reduction)| Step::Reduce { from, reduction }),
        (from(), [from(), from()]).prop_map(|(from, range)| Step::Slice { from, range }),
        (from(), [from(), from(), from()])
            .prop_map(|(from, entries)| Step::Select { from, entries }),
        (from(), prop::sample::select(&POSITIVE[..]))
            .prop_map(|(from, kind)| Step::Positive { from, kind }),
        ([from(), from()], any::<[bool; 2]>())
            .prop_map(|(from, transpose)| Step::MatMul { from, transpose }),
        ([from(), from()], 1..=4_usize, any::<bool>())
            .prop_map(|(from, width, bias)| Step::Bilinear { from, width, bias }),
    ]
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![
        (1..=3_usize, prop_oneof![Just(0.0), Just(0.1)])
            .prop_map(|(outputs, lambda)| Target::Squared { outputs, lambda }),
        (2..=4_usize).prop_map(|classes| Target::Softmax { classes }),
        Just(Target::Logistic),
    ]
}

fn recipe() -> impl Strategy<Value = Recipe> {
    let layers = prop::collection::vec(prop::collection::vec(step(), 1..=3), 1..=4);
    // One tile, a few samples of it or two tiles.
    let samples = prop_oneof![2 => 1..=70_usize, 1 => 500..=600_usize];
    (1..=6_usize, layers, target(), samples, 0..1_000_000_u64).prop_map(
        |(features, layers, target, samples, seed)| Recipe {
            features,
            layers,
            target,
            samples,
            seed,
        },
    )
}

/// A graph being written: every value with its width and whether it is used.
struct Draft {
    builder: GraphBuilder,
    values: Vec<(NodeId, usize)>,
    used: Vec<bool>,
    /// Dense nodes with bias: inputs, outputs, name.
    dense: Vec<(usize, usize, String)>,
    count: usize,
}

impl Draft {
    fn new(features: usize) -> Self {
        let builder = Graph::builder(features);
        let values = vec![(builder.input(), features)];
        Self { builder, values, used: vec![true], dense: Vec::new(), count: 0 }
    }

    /// The value at `from`, from now on used. Later ones are likelier: half the positions count from the end.
    fn take(&mut self, from: usize) -> (NodeId, usize) {
        let count = self.values.len();
        let index =
            if from.is_multiple_of(2) { count - 1 - from / 2 % count } else { from / 2 % count };
        self.used[index] = true;
        self.values[index]
    }

    fn name(&mut self) -> String {
        self.count += 1;
        format!("n{}", self.count)
    }

    fn push(&mut self, node: NodeId) {
        let width = self.builder.shape(node).unwrap().len();
        self.values.push((node, width));
        self.used.push(false);
    }

    fn dense(&mut self, (input, d): (NodeId, usize), width: usize, bias: bool) -> NodeId {
        let name = self.name();
        let op = if bias { Dense::new(width) } else { Dense::new(width).without_bias() };
        if bias {
            self.dense.push((d, width, name.clone()));
        }
        self.builder.node(&name, op, &[input]).unwrap()
    }

    /// The value, or a dense node on it, with `width` entries.
    fn fitted(&mut self, value: (NodeId, usize), width: usize) -> NodeId {
        if value.1 == width { value.0 } else { self.dense(value, width, false) }
    }

    fn node(&mut self, op: impl Op + 'static, inputs: &[NodeId]) -> NodeId {
        let name = self.name();
        self.builder.node(&name, op, inputs).unwrap()
    }

    fn apply(&mut self, step: &Step) {
        let node = match *step {
            Step::ScaleShift { from } => {
                let input = self.take(from).0;
                self.node(ScaleShift::per_entry(), &[input])
            }
            Step::LayerNorm { from, affine } => {
                let input = self.take(from).0;
                let op = LayerNorm::default().with_epsilon(EPSILON);
                self.node(if affine { op } else { op.without_affine() }, &[input])
            }
            Step::Dropout { from, probability } => {
                let input = self.take(from).0;
                self.node(Dropout::new(probability), &[input])
            }
            Step::Reduce { from, reduction } => {
                let input = self.take(from).0;
                self.node(Reduce::all(reduction), &[input])
            }
            Step::Slice { from, range } => {
                let (input, width) = self.take(from);
                let (a, b) = (range[0] % width, range[1] % width);
                self.node(Slice::new(a.min(b)..a.max(b) + 1), &[input])
            }
            Step::Select { from, entries } => {
                let (input, width) = self.take(from);
                self.node(Select::new(entries.map(|entry| entry % width)), &[input])
            }
            Step::Positive { from, kind } => {
                let input = self.take(from).0;
                let bounded = self.node(Activation::Tanh, &[input]);
                let positive = self.node(Activation::Exp, &[bounded]);
                self.node(kind, &[positive])
            }
            Step::MatMul { from, transpose } => {
                let mut factors = Vec::new();
                for (index, extents) in [[2, 3], [3, 2]].into_iter().enumerate() {
                    let value = self.take(from[index]);
                    let fitted = self.fitted(value, 6);
                    let [rows, cols] = extents;
                    let stored = if transpose[index] { [cols, rows] } else { extents };
                    factors.push(self.node(Reshape::new(stored), &[fitted]));
                }
                let product = self.node(MatMul { transpose }, &factors);
                self.node(Flatten, &[product])
            }
            Step::Bilinear { from, width, bias } => {
                let (a, b) = (self.take(from[0]).0, self.take(from[1]).0);
                let op = Bilinear::new(width);
                self.node(if bias { op } else { op.without_bias() }, &[a, b])
            }
            Step::Dense { from, width, bias } => {
                let value = self.take(from);
                self.dense(value, width, bias)
            }
            Step::Shared { from, width } => {
                let value = self.take(from);
                let alike = |&&(d, c, _): &&(usize, usize, String)| (d, c) == (value.1, width);
                match self.dense.iter().rfind(alike).cloned() {
                    None => self.dense(value, width, true),
                    Some((_, _, owner)) => {
                        let name = self.name();
                        let blocks = [format!("{owner}.weight"), format!("{owner}.bias")];
                        let blocks = [blocks[0].as_str(), blocks[1].as_str()];
                        let op = Dense::new(width);
                        self.builder.node_sharing(&name, op, &[value.0], &blocks).unwrap()
                    }
                }
            }
            Step::Activation { from, kind } => {
                let (input, name) = (self.take(from).0, self.name());
                self.builder.node(&name, kind, &[input]).unwrap()
            }
            Step::Softmax { from } => {
                let (input, name) = (self.take(from).0, self.name());
                self.builder.node(&name, Softmax, &[input]).unwrap()
            }
            Step::Add { from, bias } => {
                let (a, b) = (self.take(from[0]), self.take(from[1]));
                let fitted = self.fitted(b, a.1);
                let mut inputs = vec![a.0, fitted];
                if bias {
                    inputs.push(self.dense(a, a.1, true));
                }
                let name = self.name();
                self.builder.node(&name, Add, &inputs).unwrap()
            }
            Step::Multiply { from } => {
                let (a, b) = (self.take(from[0]), self.take(from[1]));
                let fitted = self.fitted(b, a.1);
                let name = self.name();
                self.builder.node(&name, Multiply, &[a.0, fitted]).unwrap()
            }
            Step::Concat { from, parts } => {
                let inputs: Vec<NodeId> =
                    from[..parts].iter().map(|&from| self.take(from).0).collect();
                let name = self.name();
                self.builder.node(&name, Concat, &inputs).unwrap()
            }
        };
        self.push(node);
    }

    /// Joins whatever nobody uses and ends in a dense node with `outputs` outputs.
    fn finish(mut self, outputs: usize) -> Graph {
        let loose = self.values.iter().zip(&self.used).filter(|(_, used)| !**used);
        let loose: Vec<NodeId> = loose.map(|((node, _), _)| *node).collect();
        let last = match loose.as_slice() {
            [] => self.values[self.values.len() - 1].0,
            [only] => *only,
            _ => self.builder.node("join", Concat, &loose).unwrap(),
        };
        let output = self.builder.node("output", Dense::new(outputs), &[last]).unwrap();
        self.builder.build(output).unwrap()
    }
}

fn graph(recipe: &Recipe, outputs: usize) -> Graph {
    let mut draft = Draft::new(recipe.features);
    for step in recipe.layers.iter().flatten() {
        draft.apply(step);
    }
    draft.finish(outputs)
}

fn check_whole(recipe: &Recipe) -> Result<(), TestCaseError> {
    let &Recipe { features, samples, seed, .. } = recipe;
    let run = |risk: &Risk<'_>| -> Result<(), TestCaseError> {
        let graph = risk.graph();
        let draw = normals(graph.parameters().dim(), seed);
        let theta: Vec<f64> = draw.iter().map(|x| 0.5 * x).collect();
        let checks = check::curvature(risk, &theta, seed);
        prop_assert!(checks.passed(), "{graph}\n{checks}");
        if let Some(problem) = risk.least_squares() {
            let checks = check::least_squares(&problem, &theta, seed);
            prop_assert!(checks.passed(), "{graph}\n{checks}");
        }
        Ok(())
    };
    match recipe.target {
        Target::Squared { outputs, lambda } => {
            let graph = graph(recipe, outputs);
            let data = numbers(features, outputs, samples, seed);
            run(&Risk::new(&graph, &data, SquaredError, Ridge(lambda)).unwrap())
        }
        Target::Softmax { classes } => {
            let graph = graph(recipe, classes);
            let data = labels(features, classes, samples, seed);
            run(&Risk::new(&graph, &data, SoftmaxCrossEntropy, Ridge(0.01)).unwrap())
        }
        Target::Logistic => {
            let graph = graph(recipe, 1);
            let data = labels(features, 2, samples, seed);
            run(&Risk::new(&graph, &data, Logistic, NoPenalty).unwrap())
        }
    }
}

proptest! {
    // The seed is fixed so that a run can be repeated; PROPTEST_CASES draws more.
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(20),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_graphs_pass_every_check(recipe in recipe()) {
        check_whole(&recipe)?;
    }
}
