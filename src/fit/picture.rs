//! The picture of a fit.

use super::Fitted;
use crate::plot::{Axis, Figure};
use secant_optim::TraceEntry;

impl Fitted {
    /// f against iterations, and beside it the mean loss on the samples held out, where there were some, with the iterate that was kept. Feature
    /// `plot`.
    ///
    /// ```no_run
    /// # use secant::{Activation, Dataset, Network};
    /// # let data = Dataset::from_csv("data/yacht.csv", "target")?;
    /// # let net = Network::mlp([6, 16, 1], Activation::Tanh);
    /// let fit = secant::fit(&net, &data).validation_fraction(0.25).run()?;
    /// fit.figure("A network on the yacht table").save("out/yacht.svg")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn figure(&self, title: impl Into<String>) -> Figure {
        let report = self.report();
        let at = |entry: &TraceEntry, value: f64| (entry.iteration as f64, value);
        let trace = &report.trace;
        let figure = Figure::new(title, Axis::linear("iteration"), Axis::log("loss"));
        let training = trace.iter().map(|entry| at(entry, entry.value));
        let figure = figure.curve("training, with penalty", training);
        let Some(kept) = report.validation else { return figure };
        let held_out =
            trace.iter().filter_map(|entry| entry.validation.map(|score| at(entry, score.loss)));
        figure.curve("held out", held_out).dots("kept", [(kept.iteration as f64, kept.loss)])
    }
}
