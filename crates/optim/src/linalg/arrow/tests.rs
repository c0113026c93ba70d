//! Solutions by groups beside those of the dense matrix.

use super::*;
use secant_core::problem::ArrowGroup;
use secant_core::random::Random;

/// Groups of these sizes, with p own and q shared parameters.
fn arrow(sizes: &[usize], p: usize, q: usize) -> Arrow {
    let mut row = 0;
    let group = |(g, size): (usize, &usize)| {
        row += size;
        ArrowGroup { rows: row - size..row, own: q + g * p..q + (g + 1) * p }
    };
    Arrow { shared: 0..q, groups: sizes.iter().enumerate().map(group).collect() }
}

fn random_blocks(arrow: &Arrow, seed: u64) -> (ArrowBlocks, Vec<f64>) {
    let mut random = Random::new(seed);
    let mut blocks = ArrowBlocks::new(arrow.clone());
    blocks.entries.fill_with(|| random.normal());
    let m = arrow.groups.last().unwrap().rows.end;
    (blocks, (0..m).map(|_| random.normal()).collect())
}

/// The same matrix with all its zeros; columns that are left out are zero.
fn dense(blocks: &ArrowBlocks, m: usize, n: usize, out: &[bool]) -> PivotedQr {
    let mut qr = PivotedQr::new(m, n);
    for (j, rows, entries) in blocks.columns() {
        if !out[j] {
            qr.column_mut(j)[rows].copy_from_slice(entries);
        }
    }
    qr
}

fn dense_solution(qr: &mut PivotedQr, mu: f64, b: &[f64], n: usize) -> Vec<f64> {
    let mut b = b.to_vec();
    qr.factor();
    qr.transpose_q(&mut b);
    b.resize(b.len().max(n), 0.0);
    let mut z = vec![0.0; n];
    qr.solve(mu, &mut b[..n], &mut z);
    z
}

fn solve(blocks: &ArrowBlocks, b: &[f64], asked: Asked<'_>, z: &mut [f64]) -> (ArrowQr, Vec<f64>) {
    let mut qr = ArrowQr::new(&blocks.arrow);
    qr.factor(blocks, &vec![1.0; z.len()]);
    let mut right = vec![0.0; ArrowQr::right_len(&blocks.arrow)];
    qr.project(&mut b.to_vec(), &mut right);
    qr.solve(asked, &right, z);
    (qr, right)
}

fn assert_near(found: &[f64], expected: &[f64], what: &str) {
    let size = vector::norm(expected);
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-12 * size, "{what}: {found} {expected}");
    }
}

#[test]
fn damped_and_undamped_solutions_are_those_of_the_dense_matrix() {
    let shapes = [
        (&[7, 5, 9][..], 2, 2),
        (&[30][..], 2, 3),
        (&[8, 8][..], 3, 0),
        (&[8, 8][..], 0, 3),
        // A group that does not determine its own parameters and the shared ones by itself.
        (&[2, 9, 1, 12][..], 1, 2),
    ];
    for (seed, (sizes, p, q)) in shapes.into_iter().enumerate() {
        let arrow = arrow(sizes, p, q);
        let (blocks, b) = random_blocks(&arrow, seed as u64);
        let n = q + p * sizes.len();
        assert_eq!(arrow.fault(b.len(), n), None);
        for mu in [0.0, 1e-6, 1.0, 1e4] {
            let mut full = dense(&blocks, b.len(), n, &vec![false; n]);
            let expected = dense_solution(&mut full, mu, &b, n);
            let mut z = vec![0.0; n];
            let (mut qr, right) = solve(&blocks, &b, Asked::damped(mu), &mut z);
            assert_near(&z, &expected, &format!("{sizes:?} {p} {q}, μ = {mu}"));
            let mut image = vec![0.0; right.len()];
            qr.multiply(&z, &mut image);
            let mut product = vec![0.0; b.len()];
            blocks.multiply(&z, &mut product);
            let (one, other) = (vector::norm(&image), vector::norm(&product));
            assert!((one / other - 1.0).abs() < 1e-13);
            if mu == 0.0 {
                assert!((qr.tangent_part(&right) / other - 1.0).abs() < 1e-12);
            }
        }
    }
}

#[test]
fn entries_that_are_held_stay_and_the_others_are_those_of_the_rest() {
    let arrow = arrow(&[6, 9, 7], 2, 2);
    let (blocks, b) = random_blocks(&arrow, 5);
    // A shared one and one of the second group's own.
    let held: Vec<bool> = (0..8).map(|j| j == 1 || j == 4).collect();
    for mu in [0.0, 0.3] {
        let mut z = vec![0.0; 8];
        (z[1], z[4]) = (0.7, -1.5);
        let mut known = vec![0.0; b.len()];
        blocks.multiply(&z, &mut known);
        let left: Vec<f64> = b.iter().zip(&known).map(|(b, known)| b - known).collect();
        let mut expected = dense_solution(&mut dense(&blocks, b.len(), 8, &held), mu, &left, 8);
        (expected[1], expected[4]) = (0.7, -1.5);
        let asked = Asked { held: Some(&held), ..Asked::damped(mu) };
        solve(&blocks, &b, asked, &mut z);
        assert_near(&z, &expected, &format!("μ = {mu}"));
    }
}

#[test]
fn directions_that_nothing_depends_on_are_left_out() {
    let arrow = arrow(&[6, 9, 7], 2, 2);
    let (mut blocks, b) = random_blocks(&arrow, 6);
    // The second own column of the first group is twice the first; the second shared column is that of the first own ones everywhere.
    let mut at = 0;
    for (g, size) in [6, 9, 7].into_iter().enumerate() {
        let block = &mut blocks.entries[at..at + 4 * size];
        at += 4 * size;
        block.copy_within(0..size, 3 * size);
        if g == 0 {
            (0..size).for_each(|i| block[size + i] = 2.0 * block[i]);
        }
    }
    let mut z = vec![0.0; 8];
    let (mut qr, right) = solve(&blocks, &b, Asked::damped(0.0), &mut z);
    assert_eq!(z.iter().filter(|z| **z == 0.0).count(), 2);
    let mut full = dense(&blocks, b.len(), 8, &[false; 8]);
    let expected = dense_solution(&mut full, 0.0, &b, 8);
    let (mut one, mut other) = (vec![0.0; b.len()], vec![0.0; b.len()]);
    blocks.multiply(&z, &mut one);
    blocks.multiply(&expected, &mut other);
    assert_near(&one, &other, "the image");
    assert!((qr.tangent_part(&right) / vector::norm(&other) - 1.0).abs() < 1e-12);
}
