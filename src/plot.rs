//! Figures: curves over linear or logarithmic axes, and contour lines with paths over them, as SVG and PNG. Feature `plot`.
//!
//! The drawing is by plotters' two backends, without a system library: PNG's letters come from a subset of DejaVu Sans that is
//! compiled in (origin and licence: `src/plot/font/`), and SVG names it first and falls back to the reader's own. The legend is
//! a column beside the curves and never over them. A method has one colour in every figure ([`method_color`]), whatever else is in it.
//!
//! ```
//! use secant::plot::{Axis, Figure};
//! let figure = Figure::new("Newton's last steps", Axis::linear("iteration"), Axis::log("|x − √2|"))
//!     .curve("from 1", [(0.0, 0.41), (1.0, 0.086), (2.0, 2.5e-3), (3.0, 2.1e-6), (4.0, 1.6e-12)]);
//! assert!(figure.svg()?.contains("from 1"));
//! # Ok::<(), secant::plot::PlotError>(())
//! ```

mod canvas;
mod contour;
mod figure;
mod legend;
mod marks;
mod panels;
mod text;

pub use crate::picture::axis::{Axis, Scale};
pub use crate::picture::method_color;
pub use figure::Figure;
pub use panels::Panels;

use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Width and height of a figure, in points.
pub const SIZE: (f64, f64) = (960.0, 560.0);

/// What keeps a figure from being drawn.
#[derive(Error)]
#[non_exhaustive]
pub enum PlotError {
    /// No curve has a point with two finite coordinates, positive on a logarithmic axis.
    #[error("`{title}`: no point can be drawn on these axes")]
    NothingToDraw {
        /// The figure's title.
        title: String,
    },
    /// A file that is neither `.svg` nor `.png`.
    #[error("{}: a figure is saved as .svg or .png", path.display())]
    Format {
        /// The file asked for.
        path: PathBuf,
    },
    /// The file, or its folder, cannot be written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The drawing library.
    #[error("drawing failed: {0}")]
    Drawing(#[source] io::Error),
    /// A comparison of a problem that is no picture: not two parameters, or without iterates.
    #[error("no map of paths: {parameters} parameters (2 are needed), iterates {}", if *.recorded { "recorded" } else { "not recorded" })]
    NoMap {
        /// n
        parameters: usize,
        /// Whether the iterates were kept.
        recorded: bool,
    },
    /// More groups of data than a sheet has panels.
    #[error("{groups} groups, a sheet has at most {most} panels: draw one group alone")]
    Groups {
        /// Groups.
        groups: usize,
        /// Panels.
        most: usize,
    },
    /// What keeps the fit from being drawn.
    #[error("{0}")]
    Fit(String),
    /// A fitted curve of several inputs or outputs.
    #[error(
        "a curve is drawn of 1 input and 1 output, this one has {inputs} {features} and {outputs}"
    )]
    Curve {
        /// Names of the inputs.
        features: String,
        /// How many there are.
        inputs: usize,
        /// Outputs.
        outputs: usize,
    },
}

impl std::fmt::Debug for PlotError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// Writes `path` as SVG or PNG by its extension, and makes its folder.
fn save(
    path: &Path,
    svg: impl FnOnce() -> Result<String, PlotError>,
    png: impl FnOnce() -> Result<Vec<u8>, PlotError>,
) -> Result<(), PlotError> {
    let bytes = match path.extension().and_then(|extension| extension.to_str()) {
        Some("svg") => svg()?.into_bytes(),
        Some("png") => png()?,
        _ => return Err(PlotError::Format { path: path.to_owned() }),
    };
    let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    folder
        .and_then(|()| std::fs::write(path, bytes))
        .map_err(|source| PlotError::File { path: path.to_owned(), source })
}
