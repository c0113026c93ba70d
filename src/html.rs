//! The report of a fit as one HTML file, to be mailed, printed and read years later: words, tables and pictures, without a request to
//! anywhere. Feature `html`.
//!
//! ```
//! use secant::{Activation, Dataset, Network};
//!
//! # let root = env!("CARGO_MANIFEST_DIR");
//! let data = Dataset::from_csv(format!("{root}/data/yacht.csv"), "target")?;
//! let (train, test) = data.split(0.8, 1)?;
//! let net = Network::mlp([6, 8, 1], Activation::Tanh);
//! let fit = secant::fit(&net, &train).max_iterations(50).run()?;
//! let page = fit.html(&train)?.title("Resistance of yachts").held_out(&test)?;
//! # let path = std::env::temp_dir().join(format!("yachts-{}.html", std::process::id()));
//! page.save(&path)?;
//! assert!(page.to_string().starts_with("<!DOCTYPE html>"));
//! # std::fs::remove_file(&path)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is in it, as far as there is something to say: what was fitted and how it ended, scores, the model drawn, loss and gradient on the way,
//! predictions and residuals (or confusion and calibration), parameters with errors and correlations, data with curve and band, costs, and how to
//! repeat it. The [page on reports](crate::guide::reports) says more.

mod chart;
mod contents;
mod document;
mod judged;
mod linear;
mod sections;
mod table;
mod words;

use crate::compare::Comparison;
use crate::curve::CurveFit;
use crate::error::FitError;
use crate::fit::Fitted;
use crate::glm::GlmFit;
use crate::model::Model;
use contents::Contents;
use judged::Judged;
use secant_core::data::Dataset;
use secant_core::files::write_atomically;
use std::fmt;
use std::io;
use std::path::Path;

/// A report being put together; `Display` is the whole file.
#[derive(Clone, Debug)]
#[must_use = "nothing is written before `save`"]
pub struct Page {
    title: Option<String>,
    command: Option<String>,
    read: Vec<String>,
    advice: Vec<String>,
    contents: Box<Contents>,
}

impl Page {
    fn of(contents: Contents) -> Self {
        let contents = Box::new(contents);
        Self { title: None, command: None, read: Vec::new(), advice: Vec::new(), contents }
    }

    /// The heading of the page and the title of its window. Default: the model and what it predicts.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// The command that makes the same fit again, in a block to be copied.
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }

    /// What was read, a sentence each. May be called again.
    pub fn read(mut self, sentences: impl IntoIterator<Item = String>) -> Self {
        self.read.extend(sentences);
        self
    }

    /// What to do next, a sentence each. May be called again.
    pub fn advice(mut self, sentences: impl IntoIterator<Item = String>) -> Self {
        self.advice.extend(sentences);
        self
    }

    /// Samples that the fit did not see: scores and pictures of them beside those of the fit. Replaces what was given before.
    ///
    /// # Errors
    /// As [`Model::score`]; [`FitError::HeldOutOfComparison`] on the page of a comparison, which has no model of its own.
    pub fn held_out(mut self, data: &Dataset) -> Result<Self, FitError> {
        self.contents.hold_out(data)?;
        Ok(self)
    }

    /// Writes the page to `path`: at every moment the old file or the new one is there.
    ///
    /// # Errors
    /// Those of the file system, with the path.
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        write_atomically(path, self.to_string().as_bytes())
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&document::document(self))
    }
}

impl Fitted {
    /// The report of the fit as a page; `data` are those of the fit. Feature `html`.
    ///
    /// # Errors
    /// As [`Model::score`]. What else fails, as errors of parameters do where J is too large, is a sentence of the page.
    pub fn html(&self, data: &Dataset) -> Result<Page, FitError> {
        Ok(Page::of(Contents::of_fit(self, data)?))
    }
}

impl Model {
    /// The report of a model, of one that was loaded too: what it is worth on `data`, which should be those of its fit (for others see
    /// [`Page::held_out`]). The course of the fit is not kept with a model. Feature `html`.
    ///
    /// # Errors
    /// As [`Fitted::html`].
    pub fn html(&self, data: &Dataset) -> Result<Page, FitError> {
        Ok(Page::of(Contents::of_model(self, data)?))
    }
}

impl CurveFit {
    /// The report of the fit as a page: formula, parameters with errors and correlations, data with curve and band. Feature `html`.
    ///
    /// # Errors
    /// As [`Model::score`]. Where the data determine no errors, the page says why.
    pub fn html(&self) -> Result<Page, FitError> {
        Ok(Page::of(Contents::of_curve(self)?))
    }
}

impl GlmFit {
    /// The report of the fit as a page; `data` are those of the fit. Feature `html`.
    ///
    /// # Errors
    /// Other data than it was fitted on: another number of features, targets outside of the family.
    pub fn html(&self, data: &Dataset) -> Result<Page, FitError> {
        Ok(Page::of(Contents::of_glm(self, data)?))
    }
}

impl Comparison {
    /// The comparison as a page: its tables and pictures. Feature `html`.
    pub fn html(&self) -> Page {
        Page::of(Contents::of_comparison(self))
    }
}
