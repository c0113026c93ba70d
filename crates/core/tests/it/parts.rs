//! A risk in parts: whoever has which blocks, what the joined sums give has the bits of the risk in one piece.

use faer::Mat;
use rayon::ThreadPoolBuilder;
use secant_core::data::Dataset;
use secant_core::graph::Graph;
use secant_core::loss::{Loss, SoftmaxCrossEntropy, SquaredError};
use secant_core::op::{Activation, Dense, Dropout};
use secant_core::penalty::{Penalty, Ridge};
use secant_core::problem::{
    Curvature, LeastSquares, Linearization, Objective, SampledObjective, Structure,
};
use secant_core::random::Random;
use secant_core::risk::{Layout, Partials, Risk, RiskPart, Second};
use std::ops::Range;
use std::sync::Arc;

/// A model with its data: enough of them for eight blocks, and not a multiple of anything.
struct Problem {
    graph: Graph,
    data: Dataset,
    loss: Arc<dyn Loss>,
    penalty: Arc<dyn Penalty>,
}

const SAMPLES: usize = 18_111;

fn normals(count: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..count).map(|_| random.normal()).collect()
}

fn labels(d: usize, classes: usize) -> Dataset {
    let mut random = Random::new(3);
    let draw = |_| u32::try_from(random.below(classes)).unwrap();
    let labels: Vec<u32> = (0..SAMPLES).map(draw).collect();
    let data = Dataset::from_labels(d, &normals(d * SAMPLES, 4), classes, &labels).unwrap();
    let weight = |i: usize| [0.0, 1.0, 2.5, 0.3][i % 4];
    data.with_weights((0..SAMPLES).map(weight).collect()).unwrap()
}

fn numbers(d: usize, c: usize) -> Dataset {
    let (x, y) = (normals(d * SAMPLES, 1), normals(c * SAMPLES, 2));
    Dataset::from_slices(d, &x, c, &y).unwrap().with_offset(normals(SAMPLES, 7)).unwrap()
}

/// Three generalised linear outputs with weights: XᵀDX.
fn linear() -> Problem {
    let mut g = Graph::builder(15);
    let y = g.node("y", Dense::new(3), &[g.input()]).unwrap();
    let (loss, penalty) = (Arc::new(SoftmaxCrossEntropy), Arc::new(Ridge(0.01)));
    Problem { graph: g.build(y).unwrap(), data: labels(15, 3), loss, penalty }
}

/// Squared error of a network with two outputs and dropout: JᵀJ, and H by products.
fn network(hidden: usize) -> Problem {
    let mut g = Graph::builder(4);
    let h = g.node("hidden", Dense::new(hidden), &[g.input()]).unwrap();
    let h = g.node("tanh", Activation::Tanh, &[h]).unwrap();
    let h = g.node("dropout", Dropout::new(0.1).with_seed(5), &[h]).unwrap();
    let y = g.node("y", Dense::new(2), &[h]).unwrap();
    let (loss, penalty) = (Arc::new(SquaredError), Arc::new(Ridge(0.01)));
    Problem { graph: g.build(y).unwrap(), data: numbers(4, 2), loss, penalty }
}

/// Runs of blocks at random places, some of them empty.
fn splits(blocks: usize) -> Vec<Vec<Range<usize>>> {
    let mut random = Random::new(11);
    let mut split = |parts: usize| {
        let mut cuts: Vec<usize> = (1..parts).map(|_| random.below(blocks + 1)).collect();
        cuts.sort_unstable();
        let (starts, ends) = ([&[0], &cuts[..]].concat(), [&cuts[..], &[blocks]].concat());
        starts.into_iter().zip(ends).map(|(start, end)| start..end).collect::<Vec<_>>()
    };
    let mut splits: Vec<_> = (1..=7).map(&mut split).collect();
    splits.extend((2..=7).map(split));
    splits
}

/// Neighbours joined in any order, through plain numbers.
fn folded(mut parts: Vec<Partials>, random: &mut Random) -> Partials {
    let sent = |part: &Partials| {
        let (nodes, losses) = (part.nodes().to_vec(), part.losses().to_vec());
        Partials::new(part.blocks(), part.all_blocks(), part.width(), nodes, losses).unwrap()
    };
    parts = parts.iter().map(sent).collect();
    while parts.len() > 1 {
        let left = random.below(parts.len() - 1);
        let right = parts.remove(left + 1);
        parts[left] = parts[left].clone().join(right).unwrap();
    }
    Partials::fold(parts).unwrap()
}

type Bits = Vec<(&'static str, Vec<u64>)>;

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn matrix_bits(matrix: &Mat<f64>) -> Vec<u64> {
    (0..matrix.ncols()).flat_map(|j| bits(matrix.col_as_slice(j))).collect()
}

fn directions(n: usize) -> (Vec<f64>, Vec<f64>) {
    (normals(n, 5).iter().map(|x| 0.3 * x).collect(), normals(n, 6))
}

fn batch() -> Vec<usize> {
    (0..777).map(|i| i * 7919 % SAMPLES).collect()
}

/// Everything that a solver asks, of the risk in one piece.
fn plain(problem: &Problem, budget: usize) -> (Bits, Structure) {
    let Problem { graph, data, loss, penalty } = problem;
    let risk = Risk::from_shared(graph, data, loss.clone(), penalty.clone()).unwrap();
    let risk = risk.with_tape_budget(budget);
    let n = risk.dim();
    let ((theta, v), mut out, mut matrix) = (directions(n), vec![0.0; n], Mat::zeros(n, n));
    let mut all = vec![("value", bits(&[risk.value(&theta)]))];
    let value = risk.value_gradient(&theta, &mut out);
    all.push(("value and gradient", bits(&[&[value], &out[..]].concat())));
    let value = risk.value_gradient_drawn(3, &batch(), &theta, &mut out);
    all.push(("on a batch", bits(&[&[value], &out[..]].concat())));
    let every: Vec<usize> = (0..data.samples()).collect();
    let value = risk.value_gradient_on(&every, &theta, &mut out);
    all.push(("on a batch of all", bits(&[&[value], &out[..]].concat())));
    let at = risk.linearize(&theta);
    all.push(("linearised", bits(&[&[at.value()], at.gradient()].concat())));
    at.hessian_vector(&v, &mut out);
    all.push(("Hv", bits(&out)));
    at.gauss_newton_vector(&v, &mut out);
    all.push(("Gv", bits(&out)));
    at.hessian(matrix.as_mut());
    all.push(("H", matrix_bits(&matrix)));
    at.gauss_newton(matrix.as_mut());
    all.push(("G", matrix_bits(&matrix)));
    at.gauss_newton_diagonal(&mut out);
    all.push(("diagonal of G", bits(&out)));
    if let Some(view) = risk.least_squares() {
        let m = view.residual_len();
        let (mut rows, mut jacobian) = (vec![0.0; m], Mat::zeros(m, n));
        let value = view.residuals(&theta, &mut rows);
        all.push(("r", bits(&[&[value], &rows[..]].concat())));
        view.jacobian_transpose_vector(&theta, &rows, &mut out);
        all.push(("Jᵀr", bits(&out)));
        view.jacobian_vector(&theta, &v, &mut rows);
        all.push(("Jv", bits(&rows)));
        view.jacobian(&theta, &mut rows, jacobian.as_mut());
        all.push(("J", matrix_bits(&jacobian)));
        let value = view.normal_equations(&theta, matrix.as_mut(), &mut out);
        all.push(("JᵀJ", [matrix_bits(&matrix), bits(&out), bits(&[value])].concat()));
        view.normal_diagonal(&theta, &mut out);
        all.push(("diagonal of JᵀJ", bits(&out)));
    }
    (all, risk.structure())
}

/// Rows of the parts one after the other, and then those of the penalty.
fn rows_of(parts: &[RiskPart<'_>], own: impl Fn(&RiskPart<'_>, &mut [f64])) -> Vec<f64> {
    let mut all = Vec::new();
    let mut penalty = Vec::new();
    for part in parts {
        let view = part.residuals().unwrap();
        let (rows, after) = (view.rows(), view.penalty_rows());
        assert_eq!(rows.start, all.len());
        let mut mine = vec![0.0; rows.len() + after.len()];
        own(part, &mut mine);
        all.extend_from_slice(&mine[..rows.len()]);
        penalty = mine[rows.len()..].to_vec();
    }
    all.extend(penalty);
    all
}

/// The same of the risk in parts.
fn in_parts(problem: &Problem, split: &[Range<usize>], budget: usize) -> (Bits, Structure) {
    let Problem { graph, data, loss, penalty } = problem;
    let layout = Layout::new(graph, data.samples(), data.weights()).unwrap();
    let own = |blocks: &Range<usize>| {
        let samples = layout.samples_of(blocks);
        // Of weight 1: a data set of weight 0 is refused.
        let named: Vec<usize> = if samples.is_empty() { vec![1] } else { samples.collect() };
        data.select(&named).unwrap()
    };
    let datas: Vec<Dataset> = split.iter().map(own).collect();
    let part = |(blocks, data)| {
        let how = (loss.clone(), penalty.clone());
        RiskPart::new(graph, data, how, &layout, blocks).unwrap().with_tape_budget(budget)
    };
    let parts: Vec<RiskPart<'_>> = split.iter().zip(&datas).map(part).collect();
    let mut random = Random::new(17);
    let mut fold = |each: &dyn Fn(usize) -> Partials| {
        folded((0..parts.len()).map(each).collect(), &mut random)
    };
    // Any part finishes.
    let last = parts.last().unwrap();
    let n = last.dim();
    let ((theta, v), mut out, mut matrix) = (directions(n), vec![0.0; n], Mat::zeros(n, n));
    let sums = fold(&|i| parts[i].value(&theta));
    let mut all = vec![("value", bits(&[last.finish_value(&theta, &sums).unwrap()]))];
    let sums = fold(&|i| parts[i].value_gradient(&theta));
    let value = last.finish_value_gradient(&theta, &sums, &mut out).unwrap();
    all.push(("value and gradient", bits(&[&[value], &out[..]].concat())));
    let gathered = data.select(&batch()).unwrap();
    let value = last.value_gradient_of(3, (&batch(), &gathered), &theta, &mut out);
    all.push(("on a batch", bits(&[&[value], &out[..]].concat())));
    let sums = fold(&|i| parts[i].value_gradient_of_all(&theta));
    let value = last.finish_value_gradient_of_all(&theta, &sums, &mut out).unwrap();
    all.push(("on a batch of all", bits(&[&[value], &out[..]].concat())));

    let (mut at, sums): (Vec<_>, Vec<_>) = parts.iter().map(|part| part.linearize(&theta)).unzip();
    let sums = fold(&|i| sums[i].clone());
    for at in &mut at {
        at.finish(&sums).unwrap();
    }
    let finisher = at.last().unwrap();
    all.push(("linearised", bits(&[&[finisher.value()], finisher.gradient()].concat())));
    for (name, second) in [("Hv", Second::Hessian), ("Gv", Second::GaussNewton)] {
        let sums = fold(&|i| at[i].product(second, &v));
        finisher.finish_product(&v, &sums, &mut out).unwrap();
        all.push((name, bits(&out)));
    }
    for (name, second) in [("H", Second::Hessian), ("G", Second::GaussNewton)] {
        let sums = fold(&|i| at[i].matrix(second));
        finisher.finish_matrix(second, &sums, matrix.as_mut()).unwrap();
        all.push((name, matrix_bits(&matrix)));
    }
    let sums = fold(&|i| at[i].diagonal());
    finisher.finish_diagonal(&sums, &mut out).unwrap();
    all.push(("diagonal of G", bits(&out)));

    if let Some(view) = last.residuals() {
        let of = |i: usize| parts[i].residuals().unwrap();
        let r = rows_of(&parts, |part, own| part.residuals().unwrap().residuals(&theta, own));
        all.push(("r", bits(&[&[view.value_of(&r)], &r[..]].concat())));
        let sums = fold(&|i| of(i).transpose_vector(&theta, &r[of(i).rows()]));
        view.finish_transpose(&r[view.penalty_rows()], &sums, &mut out).unwrap();
        all.push(("Jᵀr", bits(&out)));
        let rows = rows_of(&parts, |part, own| {
            part.residuals().unwrap().jacobian_vector(&theta, &v, own);
        });
        all.push(("Jv", bits(&rows)));
        let jacobian: Vec<u64> = (0..n)
            .flat_map(|j| {
                bits(&rows_of(&parts, |part, own| {
                    let (mut r, mut jacobian) = (own.to_vec(), Mat::zeros(own.len(), n));
                    part.residuals().unwrap().jacobian(&theta, &mut r, jacobian.as_mut());
                    own.copy_from_slice(jacobian.col_as_slice(j));
                }))
            })
            .take(if split.len() == 3 { usize::MAX } else { 0 })
            .collect();
        all.push(("J", jacobian));
        let sums = fold(&|i| of(i).normal_equations(&theta));
        let value = view.finish_normal(&theta, &sums, matrix.as_mut(), &mut out).unwrap();
        all.push(("JᵀJ", [matrix_bits(&matrix), bits(&out), bits(&[value])].concat()));
        let sums = fold(&|i| of(i).normal_diagonal(&theta));
        view.finish_diagonal(&sums, &mut out).unwrap();
        all.push(("diagonal of JᵀJ", bits(&out)));
    }
    (all, last.structure())
}

fn assert_the_bits_of_one_piece(problem: &Problem) {
    let layout = Layout::new(&problem.graph, SAMPLES, problem.data.weights()).unwrap();
    assert_eq!(layout.blocks(), 8);
    let (whole, structure) = plain(problem, usize::MAX);
    for (index, split) in splits(layout.blocks()).iter().enumerate() {
        let threads = [1, 2, 3][index % 3];
        let budget = [usize::MAX, 0, 1 << 20][index % 3];
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (parts, of_parts) = pool.install(|| in_parts(problem, split, budget));
        // Blocks of H are of whole problems alone.
        assert_eq!(Structure { hessian_blocks: false, ..structure }, of_parts);
        for ((name, whole), (_, parts)) in whole.iter().zip(&parts) {
            let skipped = *name == "J" && parts.is_empty();
            assert!(skipped || whole == parts, "{name} of {split:?}, {threads} thread(s)");
        }
    }
}

#[test]
fn a_linear_model_in_parts_has_the_bits_of_one_piece() {
    assert_the_bits_of_one_piece(&linear());
}

#[test]
fn a_network_in_parts_has_the_bits_of_one_piece() {
    assert_the_bits_of_one_piece(&network(7));
}

/// J of more than 64 MiB is formed in several runs, which do not end where parts do.
#[test]
fn runs_of_the_jacobian_are_those_of_one_piece() {
    let problem = network(35);
    let Problem { graph, data, loss, penalty } = &problem;
    let risk = Risk::from_shared(graph, data, loss.clone(), penalty.clone()).unwrap();
    let n = risk.dim();
    assert!(2 * n * SAMPLES > 1 << 23);
    let ((theta, _), mut out, mut normal) = (directions(n), vec![0.0; n], Mat::zeros(n, n));
    let value = risk.least_squares().unwrap().normal_equations(&theta, normal.as_mut(), &mut out);
    let layout = Layout::new(graph, SAMPLES, None).unwrap();
    let mut sums = Vec::new();
    for blocks in [0..3, 3..4, 4..8] {
        let samples: Vec<usize> = layout.samples_of(&blocks).collect();
        let own = data.select(&samples).unwrap();
        let how = (loss.clone(), penalty.clone());
        let part = RiskPart::new(graph, &own, how, &layout, &blocks).unwrap();
        sums.push(part.residuals().unwrap().normal_equations(&theta));
    }
    let sums = Partials::fold(sums).unwrap();
    let whole = layout.samples_of(&(0..8));
    let how = (loss.clone(), penalty.clone());
    let part = RiskPart::new(graph, data, how, &layout, &(0..8)).unwrap();
    assert_eq!(whole, 0..SAMPLES);
    let (mut gradient, mut matrix) = (vec![0.0; n], Mat::zeros(n, n));
    let view = part.residuals().unwrap();
    let found = view.finish_normal(&theta, &sums, matrix.as_mut(), &mut gradient).unwrap();
    assert_eq!(matrix_bits(&normal), matrix_bits(&matrix));
    assert_eq!(bits(&[&[value], &out[..]].concat()), bits(&[&[found], &gradient[..]].concat()));
}

#[test]
fn what_does_not_fit_is_refused_in_words() {
    let one = |blocks, all, nodes| Partials::new(blocks, all, 1, nodes, vec![]);
    let error = one(0..3, 4, vec![1.0]).unwrap_err();
    assert_eq!(error.to_string(), "the sums of the nodes: 1 numbers, 2 expected");
    let error = one(0..3, 6, vec![1.0]).unwrap_err();
    assert_eq!(error.to_string(), "the sums are over blocks 0 to 3 of 6");
    let (left, right) = (one(0..1, 4, vec![1.0]).unwrap(), one(2..4, 4, vec![1.0]).unwrap());
    let error = left.clone().join(right).unwrap_err();
    assert_eq!(error.to_string(), "blocks 2 to 4 do not follow on blocks 0 to 1");
    let error = left.clone().join(one(1..2, 8, vec![1.0]).unwrap()).unwrap_err();
    assert!(error.to_string().starts_with("sums of (1, 4) numbers"), "{error}");
    let error = Partials::fold([left.clone()]).unwrap_err();
    assert_eq!(error.to_string(), "the sums are over blocks 0 to 1 of 4");

    let problem = network(7);
    let layout = Layout::new(&problem.graph, SAMPLES, None).unwrap();
    let how = (problem.loss.clone(), problem.penalty.clone());
    let part = RiskPart::new(&problem.graph, &problem.data, how.clone(), &layout, &(0..8)).unwrap();
    let error = part.finish_value(&[], &left).unwrap_err();
    assert!(error.to_string().contains("(0, 8)"), "{error}");
    let error = RiskPart::new(&problem.graph, &problem.data, how, &layout, &(0..1)).unwrap_err();
    assert!(error.to_string().ends_with("the data has 18111"), "{error}");
    let error = Layout::new(&problem.graph, 3, Some(&[1.0])).unwrap_err();
    assert_eq!(error.to_string(), "samples and their weights: 1 numbers, 3 expected");
}

/// The row that makes a loss infinite is named.
#[test]
fn the_first_sample_that_is_not_finite_is_found() {
    let Problem { graph, data, loss, penalty } = network(7);
    let mut y = data.targets().values().unwrap().to_vec();
    y[2 * 11_000] = 1e200;
    let data = Dataset::from_slices(4, data.inputs(), 2, &y).unwrap();
    let layout = Layout::new(&graph, SAMPLES, None).unwrap();
    let samples: Vec<usize> = layout.samples_of(&(3..8)).collect();
    let own = data.select(&samples).unwrap();
    let part = RiskPart::new(&graph, &own, (loss, penalty), &layout, &(3..8)).unwrap();
    let theta = directions(part.dim()).0;
    assert_eq!(part.first_nonfinite(&theta), Some(11_000));
}
