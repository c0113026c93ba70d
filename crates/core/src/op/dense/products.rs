//! The products of a dense node, z = W·x and W̄ += z̄·xᵀ, where a general GEMM is at half of its rate: few outputs, or outputs that are no multiple of
//! a vector, or few inputs.
//!
//! Blocks of the result stay in registers while one pass goes over what is summed; nothing of the tile is packed. Three kernels, by what is
//! contiguous and long:
//!
//! | kernel | product | vectors along |
//! |---|---|---|
//! | [`Rows`] | z = b + W·x, W̄ += z̄·xᵀ | outputs; the last vector overlaps the one before, where it would be half empty |
//! | [`Inner`] | z = b + W·x | what is summed: inputs, of W transposed |
//! | [`Outer`] | W̄ += z̄·xᵀ | inputs, of W̄ transposed in registers |
//!
//! Sums run in the order of inputs or samples ([`Inner`]: in as many sums as a vector has lanes), whatever the threads.
//! Method: register blocking of Goto & van de Geijn (2008), *Anatomy of high-performance matrix multiplication*, ACM TOMS 34(3), its inner kernel.

#[cfg(test)]
mod tests;

use crate::op::scratch::with_scratch;
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use pulp::{Arch, Simd, WithSimd};
use std::array::from_fn;

/// The fewest rows that a vector lies along: no vector is longer.
const VECTOR: usize = 8;
/// [`Rows`] takes no more rows than this: beyond, packed panels pay,
const MOST_ROWS: usize = 128;
/// and with few registers much earlier.
const MOST_ROWS_OF_FEW: usize = 32;
/// Up to so many outputs, of so many inputs and more, inner products waste less than vectors along outputs, unless these are full.
const FEW: usize = 11;
const LONG: usize = 64;
/// [`Outer`] takes no more outputs than this, for the same reason,
const MOST_OUTPUTS: usize = 64;
/// and [`Rows`] W̄ of no more inputs.
const SINGLE: usize = 2;
/// So many registers let blocks be larger.
const MANY_REGISTERS: usize = 32;

/// What a product is added to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start<'a> {
    Zero,
    /// A column for every sample.
    Bias(&'a [f64]),
    /// What the result holds.
    Own,
}

/// z (c × B) ← start + W·x; W: c × d, x: d × B.
pub(super) fn apply(weight: &[f64], x: &[f64], start: Start<'_>, z: &mut [f64], batch: usize) {
    let (c, d) = (z.len() / batch, x.len() / batch);
    Arch::new().dispatch(Apply { c, d, batch, weight, x, start, z });
}

/// W̄ (c × d) += z̄·xᵀ; z̄: c × B, x: d × B.
pub(super) fn add_outer(w_bar: &mut [f64], z_bar: &[f64], x: &[f64], batch: usize) {
    let (c, d) = (z_bar.len() / batch, x.len() / batch);
    Arch::new().dispatch(AddOuter { c, d, batch, z_bar, x, w_bar });
}

struct Apply<'a> {
    c: usize,
    d: usize,
    batch: usize,
    weight: &'a [f64],
    x: &'a [f64],
    start: Start<'a>,
    z: &'a mut [f64],
}

impl WithSimd for Apply<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { c, d, batch, weight, x, start, z } = self;
        let most_rows = if many_registers::<S>() { MOST_ROWS } else { MOST_ROWS_OF_FEW };
        if d >= VECTOR && (c < VECTOR || c != VECTOR && c <= FEW && d >= LONG) {
            if c == 1 {
                return Inner { c, d, weight, x, start, z }.run(simd);
            }
            with_scratch(
                weight.len(),
                #[inline(always)]
                |transposed| {
                    for (k, column) in weight.chunks_exact(c).enumerate() {
                        for (i, &entry) in column.iter().enumerate() {
                            transposed[i * d + k] = entry;
                        }
                    }
                    Inner { c, d, weight: transposed, x, start, z }.run(simd);
                },
            );
        } else if c >= VECTOR && c <= most_rows {
            let (a, b) = (weight, Right::Columns(x, d));
            Rows { height: c, width: batch, a, b, start, out: z }.run(simd);
        } else {
            let accum = match start {
                Start::Zero => Accum::Replace,
                Start::Own => Accum::Add,
                Start::Bias(bias) => {
                    z.chunks_exact_mut(c).for_each(|column| column.copy_from_slice(bias));
                    Accum::Add
                }
            };
            let z = MatMut::from_column_major_slice_mut(z, c, batch);
            let weight = MatRef::from_column_major_slice(weight, c, d);
            matmul(z, accum, weight, MatRef::from_column_major_slice(x, d, batch), 1.0, Par::Seq);
        }
    }
}

struct AddOuter<'a> {
    c: usize,
    d: usize,
    batch: usize,
    z_bar: &'a [f64],
    x: &'a [f64],
    w_bar: &'a mut [f64],
}

impl WithSimd for AddOuter<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { c, d, batch, z_bar, x, w_bar } = self;
        let most_outputs = if many_registers::<S>() { MOST_OUTPUTS } else { FEW };
        if c >= VECTOR && d <= SINGLE {
            let (a, b, start) = (z_bar, Right::Rows(x, d), Start::Own);
            Rows { height: c, width: d, a, b, start, out: w_bar }.run(simd);
        } else if d >= VECTOR && c <= most_outputs && c % VECTOR != 0 {
            Outer { c, d, z_bar, x, w_bar }.run(simd);
        } else {
            let z_bar = MatRef::from_column_major_slice(z_bar, c, batch);
            let x = MatRef::from_column_major_slice(x, d, batch);
            let w_bar = MatMut::from_column_major_slice_mut(w_bar, c, d);
            matmul(w_bar, Accum::Add, z_bar, x.transpose(), 1.0, Par::Seq);
        }
    }
}

/// Whether blocks may be large.
#[inline(always)]
fn many_registers<S: Simd>() -> bool {
    S::REGISTER_COUNT >= MANY_REGISTERS
}

/// Numbers in a vector.
#[inline(always)]
fn lanes<S: Simd>() -> usize {
    size_of::<S::f64s>() / size_of::<f64>()
}

/// The vector that begins at entry `first`.
#[inline(always)]
fn load<S: Simd>(values: &[f64], first: usize) -> S::f64s {
    S::as_simd_f64s(&values[first..first + lanes::<S>()]).0[0]
}

#[inline(always)]
fn store<S: Simd>(values: &mut [f64], first: usize, vector: S::f64s) {
    S::as_mut_simd_f64s(&mut values[first..first + lanes::<S>()]).0[0] = vector;
}

/// Where vector `index` of `rows` numbers begins: the last ends with them, and overlaps.
#[inline(always)]
fn place<S: Simd>(index: usize, rows: usize) -> usize {
    (index * lanes::<S>()).min(rows - lanes::<S>())
}

/// The right factor, k × width.
#[derive(Clone, Copy, Debug)]
enum Right<'a> {
    /// By columns, each of k.
    Columns(&'a [f64], usize),
    /// By rows, each of so many numbers.
    Rows(&'a [f64], usize),
}

/// out (height × width) ← start + a·b, with a: height × k.
struct Rows<'a> {
    height: usize,
    width: usize,
    a: &'a [f64],
    b: Right<'a>,
    start: Start<'a>,
    out: &'a mut [f64],
}

impl Rows<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let height = self.height;
        let vectors = height.div_ceil(lanes::<S>());
        let place = |index| place::<S>(index, height);
        let mut first = 0;
        while first < vectors {
            first += match vectors - first {
                1 => {
                    self.strip::<S, 1>(simd, [place(first)]);
                    1
                }
                2 | 4 => {
                    self.strip::<S, 2>(simd, from_fn(|v| place(first + v)));
                    2
                }
                _ => {
                    self.strip::<S, 3>(simd, from_fn(|v| place(first + v)));
                    3
                }
            };
        }
    }

    /// Some vectors of rows, all columns.
    #[inline(always)]
    fn strip<S: Simd, const V: usize>(&mut self, simd: S, rows: [usize; V]) {
        let mut column = 0;
        if many_registers::<S>() {
            while self.width - column >= 8 {
                self.block::<S, V, 8>(simd, rows, column);
                column += 8;
            }
        }
        while self.width - column >= 4 {
            self.block::<S, V, 4>(simd, rows, column);
            column += 4;
        }
        match self.width - column {
            0 => {}
            1 => self.block::<S, V, 1>(simd, rows, column),
            2 => self.block::<S, V, 2>(simd, rows, column),
            _ => self.block::<S, V, 3>(simd, rows, column),
        }
    }

    #[inline(always)]
    fn block<S: Simd, const V: usize, const N: usize>(
        &mut self,
        simd: S,
        rows: [usize; V],
        column: usize,
    ) {
        let height = self.height;
        let mut sums = [[simd.splat_f64s(0.0); V]; N];
        match self.start {
            Start::Zero => {}
            Start::Own => {
                for n in 0..N {
                    for v in 0..V {
                        sums[n][v] = load::<S>(self.out, (column + n) * height + rows[v]);
                    }
                }
            }
            Start::Bias(bias) => {
                for v in 0..V {
                    let bias = load::<S>(bias, rows[v]);
                    for n in 0..N {
                        sums[n][v] = bias;
                    }
                }
            }
        }
        match self.b {
            Right::Columns(b, k) => {
                let b: [&[f64]; N] = from_fn(|n| &b[(column + n) * k..(column + n + 1) * k]);
                for (p, a) in self.a.chunks_exact(height).enumerate().take(k) {
                    add::<S, V, N>(simd, &mut sums, a, rows, from_fn(|n| b[n][p]));
                }
            }
            Right::Rows(b, width) => {
                for (a, b) in self.a.chunks_exact(height).zip(b.chunks_exact(width)) {
                    let b = &b[column..column + N];
                    add::<S, V, N>(simd, &mut sums, a, rows, from_fn(|n| b[n]));
                }
            }
        }
        for n in 0..N {
            for v in 0..V {
                store::<S>(self.out, (column + n) * height + rows[v], sums[n][v]);
            }
        }
    }
}

/// sums[n] += a·b[n], with the vectors of a that begin at `rows`.
#[inline(always)]
fn add<S: Simd, const V: usize, const N: usize>(
    simd: S,
    sums: &mut [[S::f64s; V]; N],
    a: &[f64],
    rows: [usize; V],
    b: [f64; N],
) {
    let a: [S::f64s; V] = from_fn(|v| load::<S>(a, rows[v]));
    for n in 0..N {
        let b = simd.splat_f64s(b[n]);
        for v in 0..V {
            sums[n][v] = simd.mul_add_e_f64s(a[v], b, sums[n][v]);
        }
    }
}

/// z (c × B) ← start + W·x, with W transposed (d × c).
struct Inner<'a> {
    c: usize,
    d: usize,
    weight: &'a [f64],
    x: &'a [f64],
    start: Start<'a>,
    z: &'a mut [f64],
}

impl Inner<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let mut output = 0;
        if many_registers::<S>() {
            while self.c - output >= 5 {
                self.outputs::<S, 5>(simd, output);
                output += 5;
            }
            if self.c - output == 4 {
                return self.outputs::<S, 4>(simd, output);
            }
        }
        while self.c - output >= 2 {
            self.outputs::<S, 2>(simd, output);
            output += 2;
        }
        if self.c > output {
            self.outputs::<S, 1>(simd, output);
        }
    }

    /// Some outputs of all samples.
    #[inline(always)]
    fn outputs<S: Simd, const C: usize>(&mut self, simd: S, output: usize) {
        let batch = self.x.len() / self.d;
        let mut sample = 0;
        while batch - sample >= 4 {
            self.block::<S, C, 4>(simd, output, sample);
            sample += 4;
        }
        for sample in sample..batch {
            self.block::<S, C, 1>(simd, output, sample);
        }
    }

    #[inline(always)]
    fn block<S: Simd, const C: usize, const N: usize>(
        &mut self,
        simd: S,
        output: usize,
        sample: usize,
    ) {
        let (c, d) = (self.c, self.d);
        let w: [_; C] =
            from_fn(|i| S::as_simd_f64s(&self.weight[(output + i) * d..(output + i + 1) * d]));
        let x: [_; N] =
            from_fn(|n| S::as_simd_f64s(&self.x[(sample + n) * d..(sample + n + 1) * d]));
        let mut sums = [[simd.splat_f64s(0.0); N]; C];
        for p in 0..x[0].0.len() {
            let x: [S::f64s; N] = from_fn(|n| x[n].0[p]);
            for i in 0..C {
                for n in 0..N {
                    sums[i][n] = simd.mul_add_e_f64s(w[i].0[p], x[n], sums[i][n]);
                }
            }
        }
        if !x[0].1.is_empty() {
            let x: [S::f64s; N] = from_fn(|n| simd.partial_load_f64s(x[n].1));
            for i in 0..C {
                let w = simd.partial_load_f64s(w[i].1);
                for n in 0..N {
                    sums[i][n] = simd.mul_add_e_f64s(w, x[n], sums[i][n]);
                }
            }
        }
        // All of them first, at places known to the compiler: they would not stay in registers above.
        let mut block = [[[0.0; VECTOR]; N]; C];
        for i in 0..C {
            for n in 0..N {
                store::<S>(&mut block[i][n], 0, sums[i][n]);
            }
        }
        for n in 0..N {
            let first = (sample + n) * c + output;
            let z = &mut self.z[first..first + C];
            match self.start {
                Start::Zero => z.fill(0.0),
                Start::Bias(bias) => z.copy_from_slice(&bias[output..output + C]),
                Start::Own => {}
            }
            for (z, block) in z.iter_mut().zip(&block) {
                *z += simd.reduce_sum_f64s(load::<S>(&block[n], 0));
            }
        }
    }
}

/// W̄ (c × d) += z̄·xᵀ.
struct Outer<'a> {
    c: usize,
    d: usize,
    z_bar: &'a [f64],
    x: &'a [f64],
    w_bar: &'a mut [f64],
}

impl Outer<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let d = self.d;
        let vectors = d.div_ceil(lanes::<S>());
        let place = |index| place::<S>(index, d);
        let mut first = 0;
        if many_registers::<S>() {
            while vectors - first >= 4 {
                self.strip::<S, 4>(simd, from_fn(|v| place(first + v)), first);
                first += 4;
            }
        }
        while vectors > first {
            first += match vectors - first {
                1 => {
                    self.strip::<S, 1>(simd, [place(first)], first);
                    1
                }
                3 if many_registers::<S>() => {
                    self.strip::<S, 3>(simd, from_fn(|v| place(first + v)), first);
                    3
                }
                _ => {
                    self.strip::<S, 2>(simd, from_fn(|v| place(first + v)), first);
                    2
                }
            };
        }
    }

    /// Some vectors of inputs, the first of them number `first`; all outputs.
    #[inline(always)]
    fn strip<S: Simd, const V: usize>(&mut self, simd: S, inputs: [usize; V], first: usize) {
        let mut output = 0;
        while self.c - output > 6 {
            self.block::<S, V, 5>(simd, inputs, first, output);
            output += 5;
        }
        match self.c - output {
            1 => self.block::<S, V, 1>(simd, inputs, first, output),
            2 => self.block::<S, V, 2>(simd, inputs, first, output),
            3 => self.block::<S, V, 3>(simd, inputs, first, output),
            4 => self.block::<S, V, 4>(simd, inputs, first, output),
            5 => self.block::<S, V, 5>(simd, inputs, first, output),
            _ => self.block::<S, V, 6>(simd, inputs, first, output),
        }
    }

    #[inline(always)]
    fn block<S: Simd, const V: usize, const N: usize>(
        &mut self,
        simd: S,
        inputs: [usize; V],
        first: usize,
        output: usize,
    ) {
        let (c, lanes) = (self.c, lanes::<S>());
        let mut sums = [[simd.splat_f64s(0.0); V]; N];
        for (x, z_bar) in self.x.chunks_exact(self.d).zip(self.z_bar.chunks_exact(c)) {
            let z_bar = &z_bar[output..output + N];
            add::<S, V, N>(simd, &mut sums, x, inputs, from_fn(|n| z_bar[n]));
        }
        // All of them first, at places known to the compiler: they would not stay in registers above.
        let mut block = [[[0.0; VECTOR]; V]; N];
        for n in 0..N {
            for v in 0..V {
                store::<S>(&mut block[n][v], 0, sums[n][v]);
            }
        }
        for v in 0..V {
            // Not again what the vector before had.
            let overlap = (first + v) * lanes - inputs[v];
            for lane in overlap..lanes {
                let entry = (inputs[v] + lane) * c + output;
                for (n, w_bar) in self.w_bar[entry..entry + N].iter_mut().enumerate() {
                    *w_bar += block[n][v][lane];
                }
            }
        }
    }
}
