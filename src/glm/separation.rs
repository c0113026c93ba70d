//! Maxima at infinity, and coefficients that the data do not determine.
//!
//! A sample whose fitted probability is 0 or 1, or whose count is 0 beside a fitted mean of 0, stands at its limit: its likelihood rises for
//! ever one way and so binds a direction d of the coefficients to one sign, s·x̃ᵀd ≥ 0; every other sample binds it to x̃ᵀd = 0. The likelihood
//! has no maximum exactly where such a d exists that moves a sample (Albert & Anderson 1984, Biometrika 71, for classes). The equalities
//! leave the null space of their rows, by a QR of these; in it the last steps of the run are the candidates, and each is held against the
//! signs of all samples at their limits, so that a large coefficient alone is never taken for one that runs away.
//!
//! Cost: 2Np² for N rows (of the softmax, pairs of classes) in p coefficients, and only where a sample stands at its limit or the
//! information matrix is singular; memory: p² and a block of rows.

use super::family::{Family, Response};
use super::information::Units;
use secant_core::data::{Dataset, Targets};
use secant_core::faer::Mat;

/// A probability, or an expected count, of less is at its limit.
const AT_LIMIT: f64 = 1e-6;
/// A direction that changes no score by more than this, in deviations, changes none.
const RANK: f64 = 1e-11;
/// Rounding of a sum of products, relative to the sizes of its terms.
const ROUNDING: f64 = 1e-8;
/// Rows beside the triangle in one step of the QR, at least.
const BLOCK: usize = 256;

/// Data and scores of a fit, in its parameters relative to class 0: `columns` for every row of coefficients.
pub(super) struct Design<'a> {
    pub response: Response,
    pub data: &'a Dataset,
    /// With standardised inputs.
    pub scaled: &'a Dataset,
    /// Scores with their offsets, c × N.
    pub z: &'a [f64],
    pub units: &'a Units<'a>,
    /// Whether a penalty holds the slopes: then only intercepts can run away.
    pub held: bool,
}

/// The coefficients that the data leave open.
pub(super) struct Open {
    /// Orthonormal directions that no sample with a finite optimum feels, and the others: columns.
    pub null: Mat<f64>,
    pub rest: Mat<f64>,
    /// The direction in which the likelihood rises for ever, if there is one.
    pub direction: Option<Vec<f64>>,
    /// Samples at their limit along it, and all that count.
    pub at_limit: usize,
    pub counting: usize,
}

/// What a row asks of a direction.
#[derive(Clone, Copy, PartialEq)]
enum Bound {
    Zero,
    /// The sign, and the sample.
    Sign(f64, usize),
}

impl Design<'_> {
    /// Columns of a row of coefficients.
    fn columns(&self) -> usize {
        self.units.columns()
    }

    /// p.
    pub(super) fn len(&self) -> usize {
        self.units.rows() * self.columns()
    }

    /// Calls `visit` with every row and what it asks for.
    fn each(&self, mut visit: impl FnMut(&[f64], Bound)) {
        let (d, c, columns) = (self.data.features(), self.units.outputs, self.columns());
        let mut row = vec![0.0; self.len()];
        let mut x = vec![1.0; columns];
        for i in 0..self.data.samples() {
            if self.data.weights().is_some_and(|weights| weights[i] == 0.0) {
                continue;
            }
            self.scaled.write_sample(i, &mut x[..d]);
            if self.held {
                x[..d].fill(0.0);
            }
            let z = &self.z[i * c..(i + 1) * c];
            if self.response.family == Family::Softmax {
                let own = label(self.data, i);
                for k in (0..c).filter(|k| *k != own) {
                    row.fill(0.0);
                    for (class, sign) in [(k, 1.0), (own, -1.0)] {
                        if let Some(block) = class.checked_sub(1) {
                            let block = &mut row[block * columns..(block + 1) * columns];
                            block.iter_mut().zip(&x).for_each(|(row, x)| *row = sign * x);
                        }
                    }
                    let limit = (z[k] - z[own]).exp() <= AT_LIMIT;
                    visit(&row, if limit { Bound::Sign(-1.0, i) } else { Bound::Zero });
                }
            } else {
                visit(&x, self.bound(i, z[0]));
            }
        }
    }

    fn bound(&self, i: usize, z: f64) -> Bound {
        let y = match self.data.targets() {
            Targets::Values { values, .. } => values[i],
            Targets::Labels { labels, .. } => f64::from(labels[i]),
        };
        let (left, sign) = match self.response.family {
            Family::Logistic if (y == 0.0 || y == 1.0) && self.response.has_limit_at(y == 1.0) => {
                let [zero, one] = self.response.surprises(z);
                if y == 0.0 { ((-one).exp(), -1.0) } else { ((-zero).exp(), 1.0) }
            }
            Family::Logistic => return Bound::Zero,
            _ if y == 0.0 && self.response.has_limit_at_zero() => (z.exp(), -1.0),
            _ => return Bound::Zero,
        };
        if left <= AT_LIMIT { Bound::Sign(sign, i) } else { Bound::Zero }
    }

    /// What is open where maxima at infinity are looked for, in one of the directions `candidates` (each p numbers); none where the maximum is
    /// finite.
    pub(super) fn separation(&self, candidates: impl Iterator<Item = Vec<f64>>) -> Option<Open> {
        let mut any = false;
        self.each(|_, bound| any |= bound != Bound::Zero);
        if !any {
            return None;
        }
        let mut open = self.open(|bound| bound == Bound::Zero)?;
        for candidate in candidates {
            let direction = project(&open.null, &candidate);
            if let Some(at_limit) = self.moved(&direction) {
                (open.direction, open.at_limit) = (Some(direction), at_limit);
                return Some(open);
            }
        }
        None
    }

    /// What is open because columns depend on each other or do not vary; none where nothing is.
    pub(super) fn dependence(&self) -> Option<Open> {
        self.open(|_| true)
    }

    /// The null space of the rows chosen; none where there is nothing in it.
    fn open(&self, chosen: impl Fn(Bound) -> bool) -> Option<Open> {
        let p = self.len();
        let height = p + p.max(BLOCK);
        let (mut stack, mut filled, mut samples) = (Mat::zeros(height, p), p, 0_usize);
        let compress = |stack: &mut Mat<f64>| {
            let triangle = stack.as_ref().qr().thin_R().to_owned();
            stack.fill(0.0);
            stack.as_mut().submatrix_mut(0, 0, p, p).copy_from(&triangle);
        };
        self.each(|row, bound| {
            samples += 1;
            if !chosen(bound) {
                return;
            }
            if filled == height {
                compress(&mut stack);
                filled = p;
            }
            row.iter().enumerate().for_each(|(j, x)| stack[(filled, j)] = *x);
            filled += 1;
        });
        compress(&mut stack);
        if self.held {
            // A held slope is as good as seen.
            let size = (samples as f64).sqrt();
            for j in (0..p).filter(|j| !self.is_intercept(*j)) {
                stack[(j, j)] = size;
            }
        }
        let svd = stack.as_ref().submatrix(0, 0, p, p).svd().ok()?;
        let floor = RANK * (samples as f64).sqrt();
        let values = svd.S().column_vector();
        let rank = (0..p).take_while(|j| values[*j] > floor).count();
        let v = svd.V();
        (rank < p).then(|| Open {
            null: v.subcols(rank, p - rank).to_owned(),
            rest: v.subcols(0, rank).to_owned(),
            direction: None,
            at_limit: 0,
            counting: self.counting(),
        })
    }

    fn is_intercept(&self, j: usize) -> bool {
        self.units.intercept && j % self.columns() == self.columns() - 1
    }

    fn counting(&self) -> usize {
        let weights = self.data.weights();
        let counts = |weights: &[f64]| weights.iter().filter(|w| **w > 0.0).count();
        weights.map_or(self.data.samples(), counts)
    }

    /// How many samples the direction takes to their limits; none where it moves nothing, or any sample the wrong way.
    fn moved(&self, direction: &[f64]) -> Option<usize> {
        let (mut fits, mut count, mut last) = (true, 0, None);
        self.each(|row, bound| {
            let terms = row.iter().zip(direction).map(|(x, d)| x * d);
            let (sum, size) = terms.fold((0.0, 0.0), |(sum, size), t| (sum + t, size + t.abs()));
            let rounding = ROUNDING * size;
            match bound {
                // Compared so that a NaN does not fit.
                Bound::Zero => fits &= sum.abs() <= rounding.max(ROUNDING * norm(direction)),
                Bound::Sign(sign, sample) => {
                    fits &= sign * sum >= -rounding;
                    if sign * sum > rounding && last != Some(sample) {
                        (count, last) = (count + 1, Some(sample));
                    }
                }
            }
        });
        (fits && count > 0 && norm(direction) > 0.0).then_some(count)
    }

    /// The parameters of the fit, relative to class 0, in the order of the rows.
    pub(super) fn relative(&self, theta: &[f64]) -> Vec<f64> {
        let (c, columns) = (self.units.outputs, self.columns());
        let of = |row: usize, j: usize| match c {
            1 => theta[j],
            _ => theta[j * c + row + 1] - theta[j * c],
        };
        (0..self.units.rows()).flat_map(|row| (0..columns).map(move |j| of(row, j))).collect()
    }
}

/// a of the coefficient `column` of `row` in the data's units: aᵀκ for the parameters κ relative to class 0.
pub(super) fn functional(units: &Units<'_>, row: usize, column: usize) -> Vec<f64> {
    let (c, columns) = (units.outputs, units.columns());
    let mut a = vec![0.0; units.rows() * columns];
    for (index, factor) in units.combination(row, column) {
        let (j, class) = (index / c, index % c);
        // The share of class 0 is minus that of the own class.
        if c == 1 {
            a[j] = factor;
        } else if class == row + 1 {
            a[row * columns + j] = factor;
        }
    }
    a
}

impl Open {
    /// Whether aᵀκ is left open, and the sign with which it runs away, 0 where it only is not determined.
    pub(super) fn leaves(&self, a: &[f64]) -> Option<f64> {
        let along = project(&self.null, a);
        if norm(&along) <= ROUNDING * norm(a) {
            return None;
        }
        let Some(direction) = &self.direction else { return Some(0.0) };
        let sum: f64 = a.iter().zip(direction).map(|(a, d)| a * d).sum();
        let size: f64 = a.iter().zip(direction).map(|(a, d)| (a * d).abs()).sum();
        Some(if sum.abs() > ROUNDING * size.max(norm(a) * norm(direction)) {
            sum.signum()
        } else {
            0.0
        })
    }
}

/// N·Nᵀ·x.
fn project(null: &Mat<f64>, x: &[f64]) -> Vec<f64> {
    let shares: Vec<f64> =
        (0..null.ncols()).map(|k| (0..x.len()).map(|i| null[(i, k)] * x[i]).sum()).collect();
    (0..x.len()).map(|i| shares.iter().enumerate().map(|(k, s)| null[(i, k)] * s).sum()).collect()
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn label(data: &Dataset, sample: usize) -> usize {
    match data.targets() {
        Targets::Labels { labels, .. } => labels[sample] as usize,
        Targets::Values { .. } => 0,
    }
}
