//! Solves (H + shift)·p = b for a symmetric H that need not be positive definite.
//!
//! With D = diag|hᵢᵢ| the factorised matrix is D^-½ H D^-½ + τI = L·Lᵀ, so that neither a scaling of the loss nor one
//! of the parameters changes τ or the path. τ = 0 where H is safely positive definite; otherwise τ grows from the
//! rounding level until the factorisation succeeds (Nocedal & Wright (2006) algorithm 3.3, with the growth factors of
//! Wächter & Biegler (2006) algorithm IC). Memory 2n²: H is kept, for the next
//! attempt and for one step of iterative refinement, and the factorisation uses both triangles of its matrix. Cost n³/3 per
//! attempt.

use super::{Backend, vector};
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt;
use faer::{MatMut, MatRef, Par, Spec};
use serde::{Deserialize, Serialize};

/// The first shift is this · √n · ε: a hundred rounding errors of a pivot, which a semidefinite H needs and which leaves
/// a Newton step in the other directions exact to some 12 digits.
pub const FIRST_SHIFT: f64 = 100.0;
/// A squared pivot below this · √n · ε is taken for rounding: H is semidefinite to working precision.
pub const PIVOT_FLOOR: f64 = 10.0;
/// Growth of the shift while no earlier shift is known.  W&B: κ̄⁺ = 100.
pub const GROWTH_FIRST: f64 = 100.0;
/// Growth of the shift afterwards.  W&B: κ⁺ = 8.
pub const GROWTH: f64 = 8.0;
/// The first shift tried after an iteration that needed one, relative to that.  W&B: κ⁻ = ⅓.
pub const DECREASE: f64 = 1.0 / 3.0;
/// Growth of the shift where f refuses the step that it led to, from [`LEAST_RAISED`] on: a hundredth of the damping that it had.
pub const RAISE: f64 = 100.0;
/// A raised shift is at least this: far above rounding, far below what the Hessian sees.
pub const LEAST_RAISED: f64 = 1e-6;
/// At this shift the step is −D⁻¹b/τ to three digits: there is nothing left to raise.
pub const MOST_RAISED: f64 = 1e3;
/// Where less than this part of what a shifted step promised was kept, the next shift is larger by the rest.
pub const SHORT: f64 = 0.1;
/// From this n on the factorisation runs on rayon's threads.
pub const PARALLEL_FROM: usize = 256;
/// A diagonal entry below this · maxⱼ |hⱼⱼ| is zero: its scale would overflow a product.
const VANISHING: f64 = 1e-150;
/// Side of the square blocks of a transposed copy: two of them fit a first-level cache.
const BLOCK: usize = 32;

/// Why there is no factorisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotFactored {
    /// H holds NaN or infinity, or its scaled entries overflow.
    NotFinite,
    /// H = 0.
    Zero,
}

/// H, its factor and the shift.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ShiftedCholesky {
    n: usize,
    backend: Backend,
    /// H, column-major n × n; its upper triangle and diagonal are read.
    matrix: Vec<f64>,
    /// L in the lower triangle, column-major n × n.
    factor: Vec<f64>,
    /// 1/√dᵢ
    scale: Vec<f64>,
    /// τ of the latest factorisation.
    shift: f64,
    /// The latest τ that was above the rounding level.
    last_shift: f64,
    /// The latest τ was the first one tried.
    semidefinite: bool,
}

impl ShiftedCholesky {
    pub(crate) fn new(n: usize) -> Self {
        Self::with_backend(n, Backend::default())
    }

    pub(crate) fn with_backend(n: usize, backend: Backend) -> Self {
        Self {
            n,
            backend,
            matrix: vec![0.0; n * n],
            factor: vec![0.0; n * n],
            scale: vec![0.0; n],
            shift: 0.0,
            last_shift: 0.0,
            semidefinite: false,
        }
    }

    /// To be filled with H (n × n, at least the upper triangle) before [`factor`](Self::factor).
    pub(crate) fn matrix_mut(&mut self) -> MatMut<'_, f64> {
        MatMut::from_column_major_slice_mut(&mut self.matrix, self.n, self.n)
    }

    /// To be filled with rows and columns `face` of a symmetric matrix whose upper triangle `entry` has, by row and column; `face` rises.
    pub(crate) fn fill(&mut self, face: &[usize], entry: impl Fn(usize, usize) -> f64) {
        let mut matrix = self.matrix_mut();
        for (b, &j) in face.iter().enumerate() {
            for (a, &i) in face.iter().enumerate().take(b + 1) {
                matrix[(a, b)] = entry(i, j);
            }
        }
    }

    /// Newton's step −H⁻¹·slope on `face` alone, one entry for each; none where it is not finite. `entry` as in [`fill`](Self::fill).
    pub(crate) fn step_on(
        face: &[usize],
        entry: impl Fn(usize, usize) -> f64,
        slope: impl Fn(usize) -> f64,
    ) -> Option<Vec<f64>> {
        let mut factor = Self::new(face.len());
        factor.fill(face, entry);
        factor.factor().ok()?;
        let mut step: Vec<f64> = face.iter().map(|j| -slope(*j)).collect();
        let (mut work, mut residual) = (step.clone(), step.clone());
        factor.solve(&mut step, &mut work, &mut residual);
        vector::all_finite(&step).then_some(step)
    }

    /// τ of the latest factorisation, relative to the diagonal of H.
    pub(crate) fn shift(&self) -> f64 {
        self.shift
    }

    /// The latest factorisation needed more than what rounding asks for.
    pub(crate) fn is_indefinite(&self) -> bool {
        self.last_shift > 0.0
    }

    /// The next factorisation begins with the shift that one of `other` would.
    pub(crate) fn begin_as(&mut self, other: &Self) {
        (self.last_shift, self.semidefinite) = (other.last_shift, other.semidefinite);
    }

    /// What the latest factorisation added to the diagonal of H.
    pub(crate) fn shift_diagonal(&self) -> Vec<f64> {
        self.scale.iter().map(|scale| self.shift / (scale * scale)).collect()
    }

    /// ‖D^-½·g‖∞: the size of a gradient, invariant under scaling of the parameters.
    pub(crate) fn scaled_norm(&self, g: &[f64]) -> f64 {
        scaled_norm(g, &self.scale)
    }

    /// Factorises. Returns the number of attempts.
    pub(crate) fn factor(&mut self) -> Result<u32, NotFactored> {
        if !vector::all_finite(&self.matrix) {
            return Err(NotFactored::NotFinite);
        }
        equilibrate(&self.matrix, &mut self.scale)?;
        let rounding = f64::EPSILON * (self.n as f64).sqrt();
        let enough = self.enough();
        if !enough.is_finite() {
            return Err(NotFactored::NotFinite);
        }
        let growth = if self.last_shift > 0.0 { GROWTH } else { GROWTH_FIRST };
        let first = FIRST_SHIFT * rounding;
        // A Hessian that was semidefinite is so again, as a rule (softmax biases): no attempt is wasted on finding out.
        self.shift = if self.semidefinite { first } else { 0.0 };
        let mut attempts = 1;
        while !self.try_factor(PIVOT_FLOOR * rounding) {
            self.shift = if self.shift < first {
                (DECREASE * self.last_shift).max(first)
            } else {
                // `enough` dominates every row, so this attempt cannot fail: the loop ends.
                (growth * self.shift).min(enough)
            };
            attempts += 1;
        }
        self.semidefinite = self.shift == first;
        self.last_shift = if self.shift > first { self.shift } else { 0.0 };
        Ok(attempts)
    }

    /// Factorises the same H with a larger τ, where f has refused the step of the one before. False where τ is as large as is of use.
    pub(crate) fn raise(&mut self) -> bool {
        if self.shift >= MOST_RAISED {
            return false;
        }
        let rounding = f64::EPSILON * (self.n as f64).sqrt();
        self.shift = (RAISE * self.shift).clamp(LEAST_RAISED, MOST_RAISED);
        // A smaller τ was enough, or H was positive definite: only rounding can ask for more.
        while !self.try_factor(PIVOT_FLOOR * rounding) {
            self.shift *= GROWTH;
        }
        true
    }

    /// Hears that the part `kept` of what a step promised was kept: the next τ, where one is needed, begins at a raised one, and at a larger
    /// one where that was little.
    pub(crate) fn learn(&mut self, kept: f64) {
        let enough = if kept < SHORT { self.shift / kept } else { self.shift };
        if enough > self.last_shift && enough > LEAST_RAISED {
            (self.semidefinite, self.last_shift) = (false, enough.min(MOST_RAISED));
        }
    }

    /// A shift that makes every row diagonally dominant: twice the largest absolute row sum.
    fn enough(&self) -> f64 {
        let n = self.n;
        let mut sums: Vec<f64> = (0..n)
            .map(|i| (self.matrix[i * n + i] * self.scale[i] * self.scale[i]).abs() + f64::EPSILON)
            .collect();
        for j in 0..n {
            for i in 0..j {
                let h = (self.matrix[j * n + i] * self.scale[i] * self.scale[j]).abs();
                sums[i] += h;
                sums[j] += h;
            }
        }
        2.0 * sums.iter().fold(0.0, |most: f64, sum| most.max(*sum))
    }

    /// L·Lᵀ = D^-½ H D^-½ + τI in the lower triangle; true when every pivot is above `pivot_floor`.
    fn try_factor(&mut self, pivot_floor: f64) -> bool {
        self.copy_scaled();
        let (n, par) = (self.n, self.par());
        let factored = match self.backend {
            Backend::Faer => factor_in_place(n, &mut self.factor, par),
            #[cfg(feature = "lapack")]
            Backend::Lapack => super::lapack::cholesky(n, &mut self.factor),
        };
        // The pivot of L is the square root of what elimination left of a unit diagonal.
        factored
            && (0..n).all(|i| {
                let pivot = self.factor[i * n + i];
                pivot * pivot > pivot_floor
            })
    }

    fn par(&self) -> Par {
        if self.n >= PARALLEL_FROM { Par::rayon(0) } else { Par::Seq }
    }

    /// Lower triangle ← D^-½ H D^-½ + τI, read from the upper triangle of H, block by block.
    fn copy_scaled(&mut self) {
        let n = self.n;
        for column in (0..n).step_by(BLOCK) {
            for row in (column..n).step_by(BLOCK) {
                for j in column..(column + BLOCK).min(n) {
                    for i in row.max(j + 1)..(row + BLOCK).min(n) {
                        self.factor[j * n + i] =
                            self.matrix[i * n + j] * self.scale[i] * self.scale[j];
                    }
                }
            }
        }
        for i in 0..n {
            let h = self.matrix[i * n + i];
            self.factor[i * n + i] = h * self.scale[i] * self.scale[i] + self.shift;
        }
    }

    /// `x` ← (H + shift)⁻¹·x; with one step of iterative refinement where nothing was shifted, for which `work`
    /// and `residual` (length n) are scratch.
    pub(crate) fn solve(&self, x: &mut [f64], work: &mut [f64], residual: &mut [f64]) {
        residual.copy_from_slice(x);
        self.back_substitute(x);
        if self.shift == 0.0 {
            self.multiply(x, work);
            vector::axpy(-1.0, work, residual);
            self.back_substitute(residual);
            vector::axpy(1.0, residual, x);
        }
    }

    fn back_substitute(&self, x: &mut [f64]) {
        for (x, scale) in x.iter_mut().zip(&self.scale) {
            *x *= scale;
        }
        let factor = MatRef::from_column_major_slice(&self.factor, self.n, self.n);
        let columns = MatMut::from_column_major_slice_mut(x, self.n, 1);
        llt::solve::solve_in_place(factor, columns, Par::Seq, MemStack::new(&mut []));
        for (x, scale) in x.iter_mut().zip(&self.scale) {
            *x *= scale;
        }
    }

    /// `out` ← (H + shift)·x.
    pub(crate) fn multiply_shifted(&self, x: &[f64], out: &mut [f64]) {
        self.multiply(x, out);
        for i in 0..self.n {
            out[i] += self.shift / (self.scale[i] * self.scale[i]) * x[i];
        }
    }

    /// `out` ← H·x, from the upper triangle and the diagonal.
    pub(crate) fn multiply(&self, x: &[f64], out: &mut [f64]) {
        for i in 0..self.n {
            out[i] = self.matrix[i * self.n + i] * x[i];
        }
        for j in 0..self.n {
            let column = &self.matrix[j * self.n..j * self.n + j];
            out[j] += vector::dot(column, &x[..j]);
            vector::axpy(x[j], column, &mut out[..j]);
        }
    }
}

/// L of L·Lᵀ in the lower triangle of the n × n `matrix`; false where it is not positive definite.
fn factor_in_place(n: usize, matrix: &mut [f64], par: Par) -> bool {
    let mut memory =
        MemBuffer::new(llt::factor::cholesky_in_place_scratch::<f64>(n, par, Spec::default()));
    let factored = llt::factor::cholesky_in_place(
        MatMut::from_column_major_slice_mut(matrix, n, n),
        llt::factor::LltRegularization::default(),
        par,
        MemStack::new(&mut memory),
        Spec::default(),
    );
    factored.is_ok()
}

/// `scale` ← 1/√dᵢ with dᵢ = |hᵢᵢ| of the n × n `matrix`, whose upper triangle is read.
pub(super) fn equilibrate(matrix: &[f64], scale: &mut [f64]) -> Result<(), NotFactored> {
    let n = scale.len();
    let diagonal = (0..n).map(|i| matrix[i * n + i].abs());
    let mut largest = diagonal.fold(0.0, f64::max);
    if largest == 0.0 {
        let columns = (1..n).map(|j| vector::norm_inf(&matrix[j * n..j * n + j]));
        largest = columns.fold(0.0, f64::max);
    }
    if largest == 0.0 {
        return Err(NotFactored::Zero);
    }
    for (i, scale) in scale.iter_mut().enumerate() {
        let h = matrix[i * n + i].abs();
        // A vanishing diagonal entry has no scale of its own; it borrows the largest.
        let d = if h > VANISHING * largest { h } else { largest };
        *scale = d.sqrt().recip();
    }
    Ok(())
}

/// ‖s ⊙ g‖∞, NaN where an entry is.
pub(super) fn scaled_norm(g: &[f64], scale: &[f64]) -> f64 {
    let scaled = g.iter().zip(scale).map(|(g, scale)| (g * scale).abs());
    // A NaN entry makes the norm NaN: nothing is larger than it.
    scaled.fold(0.0, |most, g| if g.is_nan() || g > most { g } else { most })
}

#[cfg(test)]
mod tests {
    use super::*;
    use faer::Mat;

    /// A symmetric matrix with entries in ±1 and `diagonal` added.
    fn symmetric(n: usize, diagonal: f64) -> Mat<f64> {
        let mut seed = 42_u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
        };
        let a = Mat::from_fn(n, n, |_, _| next());
        Mat::from_fn(n, n, |i, j| {
            f64::midpoint(a[(i, j)], a[(j, i)]) + if i == j { diagonal } else { 0.0 }
        })
    }

    fn factored(h: &Mat<f64>) -> (ShiftedCholesky, u32) {
        factored_by(h, Backend::default())
    }

    fn factored_by(h: &Mat<f64>, backend: Backend) -> (ShiftedCholesky, u32) {
        let mut cholesky = ShiftedCholesky::with_backend(h.nrows(), backend);
        cholesky.matrix_mut().copy_from(h);
        let attempts = cholesky.factor().unwrap();
        (cholesky, attempts)
    }

    fn solve(cholesky: &ShiftedCholesky, b: &[f64]) -> Vec<f64> {
        let mut x = b.to_vec();
        let (mut work, mut residual) = (vec![0.0; b.len()], vec![0.0; b.len()]);
        cholesky.solve(&mut x, &mut work, &mut residual);
        x
    }

    fn residual(h: &Mat<f64>, x: &[f64], b: &[f64]) -> f64 {
        (0..b.len())
            .map(|i| ((0..b.len()).map(|j| h[(i, j)] * x[j]).sum::<f64>() - b[i]).abs())
            .fold(0.0, f64::max)
    }

    #[test]
    fn definite_matrix_is_solved_unshifted() {
        for n in [1, 2, 7, 33, 64, 130, 300] {
            let h = symmetric(n, 2.0 * n as f64);
            let (cholesky, attempts) = factored(&h);
            assert_eq!((attempts, cholesky.shift()), (1, 0.0));
            let b: Vec<f64> = (0..n).map(|i| (i as f64).cos()).collect();
            assert!(residual(&h, &solve(&cholesky, &b), &b) < 1e-14);
        }
    }

    #[cfg(feature = "lapack")]
    #[test]
    fn lapack_gives_the_factor_and_the_shifts_of_faer() {
        for n in [1, 2, 7, 33, 130, 300] {
            for diagonal in [2.0 * n as f64, 0.0, -0.5] {
                let h = symmetric(n, diagonal);
                let (ours, theirs) = (factored(&h), factored_by(&h, Backend::Lapack));
                assert_eq!(
                    (ours.1, ours.0.shift()),
                    (theirs.1, theirs.0.shift()),
                    "{n} {diagonal}"
                );
                let pivots: Vec<f64> = (0..n).map(|i| ours.0.factor[i * n + i]).collect();
                let smallest = pivots.iter().copied().fold(f64::INFINITY, f64::min);
                let largest = vector::norm_inf(&pivots);
                // The factor is determined up to rounding times the condition, of which the pivots give a lower bound.
                let tolerance = 1e-14 * n as f64 * largest * (largest / smallest).powi(2);
                for j in 0..n {
                    for i in j..n {
                        let [a, b] = [&ours.0, &theirs.0].map(|l| l.factor[j * n + i]);
                        assert!((a - b).abs() <= tolerance, "{n} {diagonal} {i} {j}: {a} {b}");
                    }
                }
            }
        }
    }

    #[test]
    fn badly_scaled_parameters_change_nothing() {
        let n = 20;
        let h = symmetric(n, 2.0 * n as f64);
        let b: Vec<f64> = (0..n).map(|i| (i as f64).cos()).collect();
        let plain = solve(&factored(&h).0, &b);
        let size = |i: usize| 2.0_f64.powi(i32::try_from(3 * i).unwrap() - 30);
        let scaled = Mat::from_fn(n, n, |i, j| h[(i, j)] * size(i) * size(j));
        let scaled_b: Vec<f64> = (0..n).map(|i| b[i] * size(i)).collect();
        let (cholesky, attempts) = factored(&scaled);
        assert_eq!(attempts, 1);
        for (i, x) in solve(&cholesky, &scaled_b).iter().enumerate() {
            assert!((x * size(i) - plain[i]).abs() <= 1e-14 * plain[i].abs());
        }
    }

    #[test]
    fn indefinite_matrix_is_shifted_until_the_direction_descends() {
        for n in [2, 5, 40] {
            let h = symmetric(n, 0.0);
            let (cholesky, attempts) = factored(&h);
            assert!(attempts > 1 && cholesky.shift() > 0.0);
            let b: Vec<f64> = (0..n).map(|i| (i as f64 + 1.0).sin()).collect();
            let x = solve(&cholesky, &b);
            assert!(x.iter().zip(&b).map(|(x, b)| x * b).sum::<f64>() > 0.0);
        }
    }

    #[test]
    fn a_raised_shift_shortens_the_step_to_a_scaled_gradient_and_the_next_begins_near_it() {
        // Rank one: the step along the null space is as long as the shift is small.
        let h = Mat::from_fn(3, 3, |_, _| 4.0);
        let (mut cholesky, _) = factored(&h);
        let b = [1.0, 0.0, -2.0];
        let mut before = vector::norm(&solve(&cholesky, &b));
        let mut raised = 0;
        while cholesky.raise() {
            let now = vector::norm(&solve(&cholesky, &b));
            assert!(now < 0.11 * before, "{now} {before}");
            (before, raised) = (now, raised + 1);
        }
        assert!(raised <= 6 && cholesky.shift() == MOST_RAISED);
        for (x, b) in solve(&cholesky, &b).iter().zip(&b) {
            assert!((x - b / 4.0 / MOST_RAISED).abs() < 1e-2 / MOST_RAISED, "{x} {b}");
        }
        // The next one begins near a shift that was needed, and higher where little was kept of the promise.
        let (mut cholesky, _) = factored(&h);
        assert!(cholesky.raise());
        cholesky.learn(1e-3);
        cholesky.factor().unwrap();
        assert!(cholesky.shift() > 100.0 * LEAST_RAISED, "{}", cholesky.shift());
    }

    #[test]
    fn semidefinite_consistent_system_is_solved_with_a_shift_at_rounding_level() {
        // H = J·Jᵀ of rank 2 in four dimensions, b in its range.
        let j = [[1.0, 2.0], [0.5, -1.0], [1.5, 1.0], [3.0, 0.0]];
        let h = Mat::from_fn(4, 4, |a, b| j[a][0] * j[b][0] + j[a][1] * j[b][1]);
        let b: Vec<f64> = (0..4).map(|i| j[i][0] - 2.0 * j[i][1]).collect();
        let (cholesky, _) = factored(&h);
        assert!(cholesky.shift() > 0.0 && cholesky.shift() < 1e-12);
        assert!(residual(&h, &solve(&cholesky, &b), &b) < 1e-11);
    }

    #[test]
    fn zero_and_nonfinite_matrices_are_named() {
        let mut cholesky = ShiftedCholesky::new(3);
        assert_eq!(cholesky.factor(), Err(NotFactored::Zero));
        cholesky.matrix_mut()[(0, 1)] = f64::NAN;
        assert_eq!(cholesky.factor(), Err(NotFactored::NotFinite));
    }

    #[test]
    fn scaled_entries_that_overflow_are_named_and_not_shifted_for_ever() {
        let h = Mat::from_fn(2, 2, |i, j| if i == j { 1e-300 } else { 1e300 });
        let mut cholesky = ShiftedCholesky::new(2);
        cholesky.matrix_mut().copy_from(&h);
        assert_eq!(cholesky.factor(), Err(NotFactored::NotFinite));
    }

    #[test]
    fn a_nan_makes_the_scaled_norm_nan_wherever_it_stands() {
        let (cholesky, _) = factored(&symmetric(3, 6.0));
        for g in [[f64::NAN, 1.0, 2.0], [1.0, f64::NAN, 2.0], [1.0, 2.0, f64::NAN]] {
            assert!(cholesky.scaled_norm(&g).is_nan(), "{g:?}");
        }
    }

    #[test]
    fn zero_diagonal_with_coupling_is_shifted() {
        let h = Mat::from_fn(2, 2, |i, j| if i == j { 0.0 } else { 3.0 });
        let (cholesky, _) = factored(&h);
        assert!(cholesky.shift() >= 1.0);
    }
}
