//! The dense Hessian of a linear regression at a fixed number of samples: XᵀDX, which is what Newton assembles before it factorises.

use super::law::median;
use secant::core::faer::Mat;
use secant::{Curvature, Dataset, Linearization, Network, NoPenalty, Risk, SquaredError};
use std::error::Error;
use std::time::Instant;

const SAMPLES: usize = 2048;
const REPEATS: usize = 5;

/// Seconds per Hessian at each n.
pub fn run(sizes: &[usize]) -> Result<Vec<(usize, f64)>, Box<dyn Error>> {
    let mut points = Vec::new();
    for &n in sizes {
        let features = n - 1;
        let wave = |k: usize| (k as f64 * 0.7).sin();
        let x: Vec<f64> = (0..features * SAMPLES).map(wave).collect();
        let y: Vec<f64> = (0..SAMPLES).map(wave).collect();
        let data = Dataset::from_slices(features, &x, 1, &y)?;
        let net = Network::linear(features, 1);
        let risk = Risk::new(net.graph()?, &data, SquaredError, NoPenalty)?;
        let theta = vec![0.0; n];
        let mut hessian = Mat::zeros(n, n);
        let at = risk.linearize(&theta);
        at.hessian(hessian.as_mut());
        let mut times = Vec::new();
        for _ in 0..REPEATS {
            let begin = Instant::now();
            at.hessian(hessian.as_mut());
            times.push(begin.elapsed().as_secs_f64());
        }
        points.push((n, median(times)));
    }
    Ok(points)
}
