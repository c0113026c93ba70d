//! Some rows and columns of the Hessian against all of it, for every kind of data and model that has a way of its own, and for one that has none.

use crate::sparse::{normals, sparse, table};
use faer::Mat;
use secant_core::data::{Dataset, Standardizer, Targets};
use secant_core::loss::{Logistic, Loss, SoftmaxCrossEntropy, SquaredError};
use secant_core::network::Network;
use secant_core::op::{Activation, Dense, Polynomial};
use secant_core::penalty::{GaussianPrior, NoPenalty, Penalty, Ridge};
use secant_core::problem::{Curvature, Linearization, Objective};
use secant_core::random::Random;
use secant_core::risk::Risk;

/// More than one run, and what tasks are for.
const N: usize = 600;
const D: usize = 40;
/// Sums of the same terms in another order, relative to the largest entry.
const SAME: f64 = 1e-13;

/// Inputs of which so many are not 0, with weights, some of them 0, and offsets.
fn weighted(density: f64, targets: Targets, outputs: usize) -> Dataset {
    let mut random = Random::new(5);
    let mut weights: Vec<f64> = (0..N).map(|_| random.uniform() + 0.1).collect();
    weights[3] = 0.0;
    let data = Dataset::new(D, table(D, N, density, 1), targets).unwrap();
    let data = data.with_weights(weights).unwrap();
    data.with_offset(normals(N * outputs, 6)).unwrap()
}

fn numbers(outputs: usize) -> Targets {
    Targets::Values { rows: outputs, values: normals(N * outputs, 2) }
}

fn classes(count: u32) -> Targets {
    let labels = (0..u32::try_from(N).unwrap()).map(|i| (i * i + i / 7) % count).collect();
    Targets::Labels { classes: count as usize, labels }
}

fn compare(
    what: &str,
    net: &Network,
    data: &Dataset,
    loss: impl Loss + 'static,
    penalty: impl Penalty + 'static,
) {
    let risk = Risk::new(net.graph().unwrap(), data, loss, penalty).unwrap();
    let n = risk.dim();
    let theta = normals(n, 3);
    let mut all = Mat::zeros(n, n);
    risk.hessian_at(&theta, all.as_mut());
    let largest = (0..n).map(|j| all[(j, j)].abs()).fold(0.0, f64::max);
    // In no order, one of them twice, the last parameter (a bias, as a rule) among both.
    let many: Vec<usize> = (0..n).rev().filter(|j| j % 5 != 2).collect();
    let few = [n - 1, 0, 2, 0];
    let none: [usize; 0] = [];
    let pairs: [(&[usize], &[usize]); 5] =
        [(&many, &many), (&many, &few), (&few, &many), (&few[1..2], &few[1..2]), (&many, &none)];
    let at = risk.linearize(&theta);
    for (rows, columns) in pairs {
        let fresh = || Mat::from_fn(rows.len(), columns.len(), |_, _| f64::NAN);
        let (mut alone, mut linearized) = (fresh(), fresh());
        risk.hessian_block_at(&theta, rows, columns, alone.as_mut());
        at.hessian_block(rows, columns, linearized.as_mut());
        for (way, block) in [("alone", alone), ("linearized", linearized)] {
            for (a, &i) in rows.iter().enumerate() {
                for (b, &j) in columns.iter().enumerate() {
                    let off = (block[(a, b)] - all[(i, j)]).abs();
                    assert!(off <= SAME * largest, "{what} {way} ({i}, {j}): {off:e}");
                }
            }
        }
    }
}

#[test]
fn blocks_of_linear_models_are_those_of_the_whole_hessian() {
    let plain = Dataset::new(D, table(D, N, 1.0, 1), numbers(1)).unwrap();
    compare("plain", &Network::linear(D, 1), &plain, SquaredError, NoPenalty);
    let without = Network::sequential(D).node(Dense::new(2).without_bias()).build();
    compare("no bias", &without, &weighted(1.0, numbers(2), 1), SquaredError, Ridge(0.1));
    compare(
        "three",
        &Network::linear(D, 3),
        &weighted(1.0, numbers(3), 3),
        SquaredError,
        Ridge(0.1),
    );
    let two = weighted(1.0, classes(2), 1);
    compare("logistic", &Network::linear(D, 1), &two, Logistic, Ridge(0.1));
    let three = weighted(1.0, classes(3), 3);
    compare("softmax", &Network::linear(D, 3), &three, SoftmaxCrossEntropy, Ridge(0.1));
    let polynomial = Network::sequential(D).node(Polynomial::new(2)).dense(1).build();
    let short = weighted(1.0, numbers(1), 1);
    compare("features", &polynomial, &short, SquaredError, NoPenalty);
}

#[test]
fn blocks_of_data_that_are_standardised_when_read_and_of_sparse_ones_too() {
    let table = weighted(1.0, numbers(1), 1);
    let shared = Standardizer::fit_inputs(&table).share_inputs_above(0, &table).unwrap();
    compare("shared", &Network::linear(D, 1), &shared, SquaredError, NoPenalty);
    for density in [0.1, 0.9] {
        let entries = sparse(&weighted(density, numbers(3), 3));
        compare("sparse", &Network::linear(D, 3), &entries, SquaredError, Ridge(0.1));
        let entries = sparse(&weighted(density, classes(3), 3));
        let centred = Standardizer::fit_inputs(&entries).transform_inputs(&entries).unwrap();
        let net = Network::linear(D, 3);
        compare("centred", &net, &centred, SoftmaxCrossEntropy, NoPenalty);
        let entries = sparse(&weighted(density, numbers(1), 1));
        let centred = Standardizer::fit_inputs(&entries).transform_inputs(&entries).unwrap();
        compare("centred", &Network::linear(D, 1), &centred, SquaredError, NoPenalty);
    }
}

#[test]
fn blocks_have_what_a_penalty_has_beside_the_diagonal() {
    let net = Network::linear(D, 1);
    let a = Mat::from_fn(D, D, |i, j| ((i * 7 + j * 3) % 11) as f64 / 11.0);
    let name = net.graph().unwrap().parameters().blocks()[0].name.clone();
    let prior = GaussianPrior::new(name, (&a * a.transpose()).as_ref());
    compare("prior", &net, &weighted(1.0, numbers(1), 1), SquaredError, prior);
}

#[test]
fn blocks_of_a_network_are_made_from_products() {
    let net = Network::mlp([D, 2, 1], Activation::Tanh);
    compare("network", &net, &weighted(1.0, numbers(1), 1), SquaredError, Ridge(0.1));
}

#[test]
fn blocks_have_the_same_bits_whatever_the_threads() {
    let (net, data) = (Network::linear(D, 1), weighted(1.0, numbers(1), 1));
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let (theta, all) = (vec![0.0; risk.dim()], (0..risk.dim()).collect::<Vec<_>>());
    let block = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut block = Mat::zeros(all.len(), all.len());
        pool.install(|| risk.hessian_block_at(&theta, &all, &all, block.as_mut()));
        block
    };
    assert_eq!(block(1), block(3));
}
