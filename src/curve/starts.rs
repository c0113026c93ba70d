//! Automatic starts: parameters that enter linearly are solved for, the others are drawn over magnitudes that the data suggest.
//!
//! z = f(x; α, 0) + Φ(x; α)β in the linear parameters β: for every draw of α the β of least squares are found from the normal equations of
//! the scaled Φ (Golub & Pereyra 1973), on at most 256 samples. The draws with the least sums of squares, apart from each other, are
//! fitted for some steps, and the best of these is the start. A draw depends on the seed and its number alone.

use super::evaluate::{CurveEvaluator, CurveModel};
use super::model::Resolved;
use crate::curve_error::CurveError;
use crate::error::FitError;
use rayon::prelude::*;
use secant_core::data::Dataset;
use secant_core::random::{Random, hashed};
use secant_optim::Bounds;

/// Samples at which draws are looked at.
const SEEN: usize = 256;
/// Samples that the best draws are fitted to.
const FITTED: usize = 4_096;
/// Draws that are fitted.
const CANDIDATES: usize = 12;
/// Steps of these fits.
pub(super) const POLISH: u64 = 100;
/// Two draws are one where no parameter differs by more than this share.
const APART: f64 = 0.3;
/// Ends within this share of the least sum of squares are one.
const SAME: f64 = 1e-6;
/// What is added to the diagonal of the scaled ΦᵀΦ: linear parameters that the samples do not tell apart share what they explain.
const HOLD: f64 = 1e-12;

/// What was found.
pub(super) struct Found {
    pub theta: Vec<f64>,
    pub note: String,
}

/// What a start is looked for.
pub(super) struct Sought<'a> {
    pub model: &'a dyn CurveModel,
    pub names: &'a [String],
    /// Parameters that enter linearly, by position.
    pub linear: Vec<usize>,
    pub data: &'a Dataset,
    pub bounds: &'a Bounds,
    pub start: &'a [Option<f64>],
}

impl<'a> Sought<'a> {
    pub(super) fn of(resolved: &'a Resolved) -> Self {
        Self {
            model: &resolved.formula,
            names: resolved.formula.parameters(),
            linear: resolved.formula.linear_parameters(),
            data: &resolved.data,
            bounds: &resolved.bounds,
            start: &resolved.start,
        }
    }
}

pub(super) struct Search<'a> {
    sought: Sought<'a>,
    /// Parameters solved for and drawn, by position.
    linear: Vec<usize>,
    drawn: Vec<usize>,
    draws: usize,
    seed: u64,
    seen: Seen,
}

/// Samples that draws are looked at, and the scales of all.
struct Seen {
    inputs: Vec<f64>,
    targets: Vec<f64>,
    /// √w of each output.
    roots: Vec<f64>,
    /// Least and largest of every input.
    ranges: Vec<(f64, f64)>,
    /// Largest |y|.
    height: f64,
}

impl<'a> Search<'a> {
    pub(super) fn new(sought: Sought<'a>, draws: usize, seed: u64) -> Self {
        let free = |j: &usize| sought.start[*j].is_none();
        let linear: Vec<usize> = sought.linear.iter().copied().filter(free).collect();
        let others = (0..sought.start.len()).filter(free);
        let drawn: Vec<usize> = others.filter(|j| !linear.contains(j)).collect();
        let draws = if drawn.is_empty() { 1 } else { draws.max(1) * drawn.len() };
        Self { linear, drawn, draws, seed, seen: Seen::of(sought.data), sought }
    }

    /// The best start; `fitted` fits from one for some steps and returns where it ended, with the value.
    pub(super) fn best(
        &self,
        fitted: impl Fn(&Dataset, &[f64]) -> Result<(Vec<f64>, f64), FitError>,
    ) -> Result<Found, FitError> {
        let candidates = self.candidates();
        if candidates.is_empty() {
            let names = self.linear.iter().chain(&self.drawn);
            let names = names.map(|&j| self.names()[j].clone()).collect();
            return Err(CurveError::NoStart { draws: self.draws, names }.into());
        }
        let data = thinned(self.sought.data, FITTED)?;
        let mut ends: Vec<(Vec<f64>, f64)> = Vec::new();
        for theta in &candidates {
            // A start that the method refuses is no start; what is wrong with the fit itself is found by the fit that follows.
            ends.extend(fitted(&data, theta).ok().filter(|(_, value)| value.is_finite()));
        }
        let least = ends.iter().map(|(_, value)| *value).min_by(f64::total_cmp);
        let alike = |value: f64| {
            least.is_some_and(|least| value <= least * (1.0 + SAME) + f64::MIN_POSITIVE)
        };
        let reached = ends.iter().filter(|(_, value)| alike(*value)).count();
        let best = ends.into_iter().find(|(_, value)| Some(*value) == least);
        let theta = best.map_or_else(|| candidates[0].clone(), |(theta, _)| theta);
        Ok(Found { note: self.note(candidates.len(), reached), theta })
    }

    /// The start with what enters linearly solved for, where nothing else is free; and its sum of squares.
    pub(super) fn solved(&self) -> (f64, Vec<f64>) {
        self.draw(0, &mut Workspace::new(self.sought.model))
    }

    fn names(&self) -> &[String] {
        self.sought.names
    }

    fn note(&self, fitted: usize, reached: usize) -> String {
        let listed = |these: &[usize]| {
            these.iter().map(|&j| self.names()[j].as_str()).collect::<Vec<_>>().join(", ")
        };
        if self.drawn.is_empty() {
            return format!("automatic start: {} solved for", listed(&self.linear));
        }
        let solved = if self.linear.is_empty() {
            String::new()
        } else {
            format!(", {} solved for", listed(&self.linear))
        };
        format!(
            "automatic start: {} drawn {} times (seed {}){solved}; the best {fitted} were fitted, {reached} reached the least value",
            listed(&self.drawn),
            self.draws,
            self.seed,
        )
    }

    /// The draws with the least sums of squares that are apart from each other.
    fn candidates(&self) -> Vec<Vec<f64>> {
        let draw = |workspace: &mut Workspace<'_>, number| self.draw(number, workspace);
        let mut draws: Vec<(f64, Vec<f64>)> = (0..self.draws)
            .into_par_iter()
            .map_init(|| Workspace::new(self.sought.model), draw)
            .collect();
        draws.retain(|(sum, _)| sum.is_finite());
        draws.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut chosen: Vec<Vec<f64>> = Vec::new();
        for (_, theta) in draws {
            if chosen.len() == CANDIDATES {
                break;
            }
            let differs = |other: &Vec<f64>| {
                self.drawn.iter().any(|&j| {
                    (theta[j] - other[j]).abs() > APART * theta[j].abs().max(other[j].abs())
                })
            };
            if chosen.iter().all(differs) {
                chosen.push(theta);
            }
        }
        chosen
    }

    /// Draw `number`, completed, with its sum of squares.
    fn draw(&self, number: usize, workspace: &mut Workspace<'_>) -> (f64, Vec<f64>) {
        let mut random = Random::new(hashed(self.seed, number as u64));
        let start = self.sought.start;
        let mut theta: Vec<f64> = start.iter().map(|start| start.unwrap_or(0.0)).collect();
        for &j in &self.drawn {
            theta[j] = self.value(j, &mut random);
        }
        self.solve_linear(&mut theta, workspace);
        (self.sum_of_squares(&theta, workspace), theta)
    }

    /// A value of parameter `j`: a rate or a place or a width along an input, a number about 1, or a height, by chance.
    fn value(&self, j: usize, random: &mut Random) -> f64 {
        let bounds = self.sought.bounds;
        let (lower, upper) = (bounds.lower()[j], bounds.upper()[j]);
        if lower.is_finite() && upper.is_finite() && random.uniform() < 0.5 {
            return lower + (upper - lower) * random.uniform();
        }
        let (least, largest) = self.seen.ranges[random.below(self.seen.ranges.len())];
        let (span, size) = (largest - least, least.abs().max(largest.abs()));
        let span = if span > 0.0 { span } else { size.max(1.0) };
        let mut log = |from: f64, to: f64| 10_f64.powf(from + (to - from) * random.uniform());
        let kind = log(0.0, 1.0).log10();
        let magnitude = if kind < 0.35 {
            log(-1.5, 2.0) / span
        } else if kind < 0.5 {
            return (least - 0.1 * span + 1.2 * span * random.uniform()).clamp(lower, upper);
        } else if kind < 0.65 {
            span * log(-2.0, 0.5)
        } else if kind < 0.9 {
            log(-1.5, 1.5)
        } else {
            self.seen.height * log(-1.5, 0.5)
        };
        let value = if random.uniform() < 0.3 { -magnitude } else { magnitude };
        if value < lower && -value <= upper || value > upper && -value >= lower {
            return (-value).clamp(lower, upper);
        }
        value.clamp(lower, upper)
    }

    /// The linear parameters of `theta` ← those of least squares, in the bounds.
    fn solve_linear(&self, theta: &mut [f64], workspace: &mut Workspace<'_>) {
        let (n, q) = (theta.len(), self.linear.len());
        if q == 0 {
            return;
        }
        let Workspace { evaluator, values, jacobian, normal, right } = workspace;
        let seen = &self.seen;
        values.resize(seen.targets.len(), 0.0);
        jacobian.resize(seen.targets.len() * n, 0.0);
        evaluator.values_jacobian(theta, None, &seen.inputs, values, jacobian);
        normal.clear();
        normal.resize(q * q, 0.0);
        right.clear();
        right.resize(q, 0.0);
        let rows = jacobian.chunks_exact(n).zip(values.iter().zip(&seen.targets)).zip(&seen.roots);
        for ((row, (value, target)), root) in rows {
            let weight = root * root;
            for (a, &j) in self.linear.iter().enumerate() {
                right[a] += weight * row[j] * (target - value);
                for (b, &k) in self.linear[..=a].iter().enumerate() {
                    normal[a * q + b] += weight * row[j] * row[k];
                }
            }
        }
        solve_scaled(normal, right);
        for (&j, value) in self.linear.iter().zip(&*right) {
            let (lower, upper) = (self.sought.bounds.lower()[j], self.sought.bounds.upper()[j]);
            theta[j] = if value.is_finite() { value.clamp(lower, upper) } else { f64::NAN };
        }
    }

    fn sum_of_squares(&self, theta: &[f64], workspace: &mut Workspace<'_>) -> f64 {
        let Workspace { evaluator, values, .. } = workspace;
        let seen = &self.seen;
        values.resize(seen.targets.len(), 0.0);
        evaluator.values(theta, &seen.inputs, values);
        let each = values.iter().zip(&seen.targets).zip(&seen.roots);
        each.map(|((value, target), root)| (root * (value - target)).powi(2)).sum()
    }
}

/// Memory of a task.
struct Workspace<'a> {
    evaluator: Box<dyn CurveEvaluator + 'a>,
    values: Vec<f64>,
    jacobian: Vec<f64>,
    normal: Vec<f64>,
    right: Vec<f64>,
}

impl<'a> Workspace<'a> {
    fn new(model: &'a dyn CurveModel) -> Self {
        let evaluator = model.evaluator();
        let (values, jacobian) = (Vec::new(), Vec::new());
        Self { evaluator, values, jacobian, normal: Vec::new(), right: Vec::new() }
    }
}

impl Seen {
    fn of(data: &Dataset) -> Self {
        let d = data.features();
        let ranges = (0..d).map(|i| {
            let column = data.inputs()[i..].iter().step_by(d).copied();
            (column.clone().fold(f64::INFINITY, f64::min), column.fold(f64::NEG_INFINITY, f64::max))
        });
        let targets = data.targets().values().unwrap_or_default();
        let c = targets.len() / data.samples().max(1);
        let (mut inputs, mut seen, mut roots) = (Vec::new(), Vec::new(), Vec::new());
        for i in stride(data.samples(), SEEN) {
            inputs.extend_from_slice(data.sample(i));
            let y = &targets[i * c..(i + 1) * c];
            let offset = data.offset().map_or(&[][..], |offset| {
                let rows = data.offset_rows();
                &offset[i * rows..(i + 1) * rows]
            });
            let moved = y
                .iter()
                .enumerate()
                .map(|(k, y)| y - offset.get(k.min(offset.len().max(1) - 1)).unwrap_or(&0.0));
            seen.extend(moved);
            let root = data.weights().map_or(1.0, |weights| weights[i]).sqrt();
            roots.extend(std::iter::repeat_n(root, c));
        }
        let height = seen.iter().fold(0.0, |most: f64, y| most.max(y.abs()));
        Self { inputs, targets: seen, roots, ranges: ranges.collect(), height }
    }
}

/// At most `most` of the numbers below `count`, at equal distances.
fn stride(count: usize, most: usize) -> impl Iterator<Item = usize> {
    (0..count.min(most)).map(move |i| if count <= most { i } else { i * (count - 1) / (most - 1) })
}

fn thinned(data: &Dataset, most: usize) -> Result<Dataset, FitError> {
    if data.samples() <= most {
        return Ok(data.clone());
    }
    Ok(data.select(&stride(data.samples(), most).collect::<Vec<_>>())?)
}

/// `right` ← A⁻¹·`right` with the lower triangle of A in rows of `normal`, by Cholesky's factorisation of A scaled to ones on the diagonal,
/// with [`HOLD`] added. What no sample depends on is 0.
fn solve_scaled(normal: &mut [f64], right: &mut [f64]) {
    let q = right.len();
    let scales: Vec<f64> = (0..q)
        .map(|j| {
            let diagonal = normal[j * q + j];
            if diagonal > 0.0 { 1.0 / diagonal.sqrt() } else { 0.0 }
        })
        .collect();
    for a in 0..q {
        for b in 0..a {
            normal[a * q + b] *= scales[a] * scales[b];
        }
        normal[a * q + a] = 1.0 + HOLD;
        right[a] *= scales[a];
    }
    for a in 0..q {
        for b in 0..=a {
            let known: f64 = (0..b).map(|k| normal[a * q + k] * normal[b * q + k]).sum();
            let entry = normal[a * q + b] - known;
            normal[a * q + b] =
                if a == b { entry.max(HOLD).sqrt() } else { entry / normal[b * q + b] };
        }
        let known: f64 = (0..a).map(|k| normal[a * q + k] * right[k]).sum();
        right[a] = (right[a] - known) / normal[a * q + a];
    }
    for a in (0..q).rev() {
        let known: f64 = (a + 1..q).map(|k| normal[k * q + a] * right[k]).sum();
        right[a] = (right[a] - known) / normal[a * q + a];
    }
    right.iter_mut().zip(scales).for_each(|(value, scale)| *value *= scale);
}
