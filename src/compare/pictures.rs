//! The pictures of a comparison.

use super::table::{Comparison, Run};
use crate::plot::{Axis, Figure, PlotError};
use secant_optim::TraceEntry;
use std::path::{Path, PathBuf};

const GAP_LABEL: &str = "(best so far − best of all) / (f₀ − best of all)";
/// Contour lines of a map.
const LEVELS: usize = 16;
/// Share of the iterates' range that a map shows around them.
const AROUND: f64 = 0.15;
/// A run that ended in success this far above the best of all, as a gap, ended in another minimum.
const ELSEWHERE: f64 = 1e-6;
/// Share of the range of values below which a map's first line lies.
const LOWEST_LEVEL: f64 = 1e-3;

/// What the gap is drawn against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// Steps. The start is drawn at 1, since the axis is logarithmic.
    Iterations,
    /// Gradient-equivalents.
    Gradients,
    /// Wall-clock time.
    Seconds,
}

impl Against {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Iterations, Self::Gradients, Self::Seconds];

    /// Ends the name of a picture's file.
    fn file(self) -> &'static str {
        match self {
            Self::Iterations => "iterations",
            Self::Gradients => "gradients",
            Self::Seconds => "seconds",
        }
    }

    fn axis(self) -> Axis {
        Axis::log(match self {
            Self::Iterations => "iterations + 1",
            Self::Gradients => "gradient-equivalents (evaluations of f with ∇f)",
            Self::Seconds => "seconds",
        })
    }
}

impl Comparison {
    /// The gap (f − f_best)/(f₀ − f_best) of the best value so far of every method, on logarithmic axes. A gap that is rounding is drawn
    /// at the rounding of f_best: the method that found f_best ends there. A run that claims a minimum with a higher value is marked as one that
    /// ended in another minimum.
    pub fn figure(&self, title: impl Into<String>, against: Against) -> Figure {
        let floor = self.gap_of_rounding();
        let x = |entry: &TraceEntry| match against {
            Against::Iterations => entry.iteration as f64 + 1.0,
            Against::Gradients => self.costs.of(&entry.work),
            Against::Seconds => entry.seconds,
        };
        let mut figure = Figure::new(title, against.axis(), Axis::log(GAP_LABEL));
        for run in &self.runs {
            let mut lowest = f64::INFINITY;
            // `min` passes over NaN.
            let points = run.report.trace.iter().map(|entry| {
                lowest = lowest.min(entry.value);
                (x(entry), self.gap(lowest).max(floor))
            });
            figure = figure.run(&run.name, points);
            if self.is_elsewhere(run) {
                figure = figure.ended_elsewhere();
            }
        }
        figure
    }

    /// The paths of all methods over contour lines of f: the picture of gradient descent against Newton's method. For two parameters,
    /// with iterates kept ([`Compare::keep_iterates`](super::Compare::keep_iterates)). The lines lie closer where f is lower.
    /// `window`: the ranges of θ₁ and θ₂, or what the iterates need.
    ///
    /// # Errors
    /// Another number of parameters, or iterates that were not kept.
    pub fn map(
        &self,
        title: impl Into<String>,
        mut f: impl FnMut(&[f64]) -> f64,
        window: Option<[(f64, f64); 2]>,
    ) -> Result<Figure, PlotError> {
        let paths: Vec<Vec<(f64, f64)>> = self
            .runs
            .iter()
            .filter_map(|run| run.iterates.as_ref())
            .map(|iterates| {
                iterates.points().map(|theta| (theta[0], theta[theta.len() - 1])).collect()
            })
            .collect();
        let recorded = paths.len() == self.runs.len();
        if self.parameters != 2 || !recorded {
            return Err(PlotError::NoMap { parameters: self.parameters, recorded });
        }
        let points = || paths.iter().flatten();
        let [x, y] = window
            .unwrap_or_else(|| [around(points().map(|p| p.0)), around(points().map(|p| p.1))]);
        let levels = self.levels();
        let mut figure = Figure::new(
            title,
            Axis::linear("θ₁").within(x.0, x.1),
            Axis::linear("θ₂").within(y.0, y.1),
        )
        .contours(&levels, |x, y| f(&[x, y]));
        for (run, path) in self.runs.iter().zip(paths) {
            figure = figure.path(&run.name, path);
            if self.is_elsewhere(run) {
                figure = figure.ended_elsewhere();
            }
        }
        Ok(figure)
    }

    /// Whether the run ended in a minimum that is not the best one.
    fn is_elsewhere(&self, run: &Run) -> bool {
        run.report.reason.is_success() && self.gap(run.report.value) > ELSEWHERE
    }

    /// Values from just above the best to above the start, evenly spaced by their logarithm above the best.
    fn levels(&self) -> Vec<f64> {
        let range = self.initial_value - self.best_value;
        let step = LOWEST_LEVEL.ln() / (LEVELS - 4) as f64;
        // Four lines above the start.
        (0..LEVELS).map(|k| self.best_value + range * ((k as f64 - 4.0) * step).exp()).collect()
    }

    /// Writes the three pictures of [`figure`](Self::figure), each as SVG and PNG, and the numbers (`table.csv`, `curves.csv`) to
    /// `folder`, every name begun by `name`. Returns the files.
    ///
    /// # Errors
    /// Nothing to draw; a file that cannot be written.
    pub fn save(
        &self,
        folder: impl AsRef<Path>,
        name: &str,
        title: &str,
    ) -> Result<Vec<PathBuf>, PlotError> {
        let folder = folder.as_ref();
        let mut files = Vec::new();
        for against in Against::ALL {
            let figure = self.figure(title, against);
            for extension in ["svg", "png"] {
                let path = folder.join(format!("{name}_{}.{extension}", against.file()));
                figure.save(&path)?;
                files.push(path);
            }
        }
        for (kind, text) in [("table", self.csv()), ("curves", self.curves_csv())] {
            let path = folder.join(format!("{name}_{kind}.csv"));
            std::fs::write(&path, text)
                .map_err(|source| PlotError::File { path: path.clone(), source })?;
            files.push(path);
        }
        Ok(files)
    }
}

/// The range of `values` with a margin.
fn around(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|v| v.is_finite());
    let (low, high) =
        finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    let extent = high - low;
    let margin = if extent > 0.0 { AROUND * extent } else { low.abs().max(1.0) };
    (low - margin, high + margin)
}
