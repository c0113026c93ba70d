//! α and β of the link between the ranks.

use crate::{Failure, median, regression};
use secant_core::loss::SquaredError;
use secant_core::network::Network;
use secant_core::penalty::NoPenalty;
use secant_core::problem::Objective;
use secant_mpi::{Distributed, Ranks, Shared};

/// Inputs: rank 0 sends a number for each.
const WIDTHS: [usize; 6] = [1, 1_000, 10_000, 30_000, 100_000, 300_000];
/// Evaluations at each width, of which the median counts.
const RUNS: usize = 21;
/// Samples: one block, which rank 0 has.
const SAMPLES: usize = 2;

/// What was measured at a width.
struct Point {
    bytes: f64,
    seconds: f64,
}

/// Prints a line for each width, and the line through all of them.
pub fn measure() -> Result<(), Failure> {
    let ranks = Ranks::initialize()?;
    ranks.guard(|ranks| {
        let mut points = Vec::new();
        for width in WIDTHS {
            points.push(at(ranks, width)?);
        }
        if ranks.is_first() {
            tell(ranks.size(), &points);
        }
        Ok(())
    });
    Ok(())
}

fn at(ranks: &Ranks, width: usize) -> Result<Point, Failure> {
    let network = Network::linear(width, 1);
    let rows = ranks.is_first().then(|| regression(0..SAMPLES, width)).transpose()?;
    let shared = Shared::new(ranks, network.graph()?, rows)?;
    let risk = Distributed::new(ranks, network.graph()?, &shared, SquaredError, NoPenalty)?;
    let (theta, mut gradient) = (vec![0.0; risk.dim()], vec![0.0; risk.dim()]);
    let before = ranks.traffic();
    let seconds = median(RUNS, || {
        risk.value_gradient(&theta, &mut gradient);
    });
    let after = ranks.traffic();
    risk.verdict()?;
    let bytes = (after.received_bytes - before.received_bytes) as f64 / RUNS as f64;
    Ok(Point { bytes, seconds })
}

/// The line α + bytes/β whose relative errors are least in squares.
fn tell(ranks: usize, points: &[Point]) {
    let (mut aa, mut ab, mut bb, mut ac, mut bc) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for Point { bytes, seconds } in points {
        let (a, b) = (1.0 / seconds, bytes / seconds);
        (aa, ab, bb, ac, bc) = (aa + a * a, ab + a * b, bb + b * b, ac + a, bc + b);
    }
    let det = aa * bb - ab * ab;
    let (alpha, per_byte) = ((ac * bb - bc * ab) / det, (aa * bc - ab * ac) / det);
    for Point { bytes, seconds } in points {
        let model = alpha + per_byte * bytes;
        println!(
            "{{\"ranks\":{ranks},\"bytes\":{bytes},\"seconds\":{seconds:.3e},\"model\":{model:.3e}}}"
        );
    }
    println!("{{\"ranks\":{ranks},\"alpha\":{alpha:.3e},\"beta\":{:.3e}}}", 1.0 / per_byte);
}
