//! How far a step is from moving its own numbers once: its time over that of streaming as many bytes.
//!
//! The bandwidth is the best of a copy, a triad and an inner product over arrays far beyond the caches, on one thread and on
//! all, before and after the steps; a method is held against the mean of both of all threads, since at these n they all run on all.

use super::law::median;
use super::measure::Contestant;
use super::problem::keep;
use rayon::prelude::*;
use std::error::Error;
use std::time::Instant;

/// Numbers per array: 128 MiB.
const LENGTH: usize = 1 << 24;
const REPEATS: usize = 5;
/// Partial sums of an inner product: enough to hide the latency of an addition.
const LANES: usize = 32;
const WORD: f64 = size_of::<f64>() as f64;

/// Bytes per second.
#[derive(Clone, Copy, Debug)]
pub struct Bandwidth {
    pub one_thread: f64,
    pub all_threads: f64,
}

/// One method at one n.
#[derive(Clone, Debug)]
pub struct Stream {
    pub method: String,
    pub n: usize,
    /// Bytes that a step must move, in units of 8n (of 8n² for BFGS).
    pub bytes: f64,
    pub seconds: f64,
    /// `seconds` over the time that the bytes take at the bandwidth of all threads.
    pub ratio: f64,
    /// Around the steps.
    pub bandwidth: Bandwidth,
}

impl Bandwidth {
    fn mean(self, other: Self) -> Self {
        Self {
            one_thread: 0.5 * (self.one_thread + other.one_thread),
            all_threads: 0.5 * (self.all_threads + other.all_threads),
        }
    }

    fn measured() -> Self {
        let (x, y) = (vec![1.0_f64; LENGTH], vec![2.0_f64; LENGTH]);
        let mut z = vec![0.0_f64; LENGTH];
        let threads = rayon::current_num_threads();
        let mut best = |parts: usize| {
            let part = LENGTH.div_ceil(parts);
            let mut rates = [const { Vec::new() }; 3];
            for _ in 0..REPEATS {
                let begin = Instant::now();
                z.par_chunks_mut(part)
                    .zip(x.par_chunks(part))
                    .for_each(|(z, x)| z.copy_from_slice(x));
                rates[0].push(2.0 * WORD * LENGTH as f64 / begin.elapsed().as_secs_f64());
                let begin = Instant::now();
                z.par_chunks_mut(part).zip(x.par_chunks(part)).zip(y.par_chunks(part)).for_each(
                    |((z, x), y)| {
                        for ((z, x), y) in z.iter_mut().zip(x).zip(y) {
                            *z = x + 0.5 * y;
                        }
                    },
                );
                rates[1].push(3.0 * WORD * LENGTH as f64 / begin.elapsed().as_secs_f64());
                let begin = Instant::now();
                let sum: f64 =
                    x.par_chunks(part).zip(y.par_chunks(part)).map(|(x, y)| product(x, y)).sum();
                rates[2].push(2.0 * WORD * LENGTH as f64 / begin.elapsed().as_secs_f64());
                keep(sum + z[LENGTH - 1]);
            }
            rates.map(median).into_iter().fold(0.0, f64::max)
        };
        Self { one_thread: best(1), all_threads: best(threads) }
    }
}

fn product(x: &[f64], y: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    for (x, y) in x.as_chunks::<LANES>().0.iter().zip(y.as_chunks::<LANES>().0) {
        for k in 0..LANES {
            lanes[k] += x[k] * y[k];
        }
    }
    lanes.iter().sum()
}

/// Bytes per step in units of 8n (of 8n² for BFGS).
fn traffic(method: Contestant) -> f64 {
    match method {
        // Two passes over [S Y], and θ, ∇f, p, θ⁺.
        Contestant::Lbfgs(memory) => 4.0 * memory as f64 + 4.0,
        // The triangle is read and written once; half as much again for what is not overlapped.
        Contestant::Bfgs => 1.5,
        Contestant::Adam => ADAM,
        _ => unreachable!("only these are streamed"),
    }
}

/// Vectors that a step of Adam reads or writes beside the evaluation: s, r, θ, ∇f → s, r, θ⁺; then θ⁺, θ and ∇f⁺ for the stopping tests.
const ADAM: f64 = 7.0 + 3.0;

/// The methods that are held against the bandwidth, and n.
pub const CASES: [(Contestant, usize); 3] =
    [(Contestant::Lbfgs(10), 1_000_000), (Contestant::Bfgs, 4000), (Contestant::Adam, 1_000_000)];
const STEPS: u64 = 12;

/// One method at n.
pub fn run(method: Contestant, n: usize) -> Result<Stream, Box<dyn Error>> {
    let size = n as f64;
    let bytes =
        traffic(method) * WORD * if method == Contestant::Bfgs { size * size } else { size };
    let before = Bandwidth::measured();
    let seconds = method.run(n, STEPS)?.seconds;
    let bandwidth = before.mean(Bandwidth::measured());
    let ratio = seconds * bandwidth.all_threads / bytes;
    Ok(Stream { method: method.name(), n, bytes, seconds, ratio, bandwidth })
}
