//! The picture of a curve by groups: a panel for each.

use super::{GroupedFit, Met, OneSet, sealed::One};
use crate::plot::{Panels, PlotError};
use std::path::Path;

/// Panels of a sheet at most, and beside each other.
const MOST: usize = 24;
const BESIDE: usize = 3;

impl<K: OneSet> GroupedFit<K> {
    /// Data, curve and 95 % confidence band of every group, a panel each. Feature `plot`; of one input and one output.
    ///
    /// # Errors
    /// More inputs or outputs than a sheet can show, more than 24 groups: draw one of them, [`group`](Self::group).
    pub fn figure(&self, title: impl Into<String>) -> Result<Panels, PlotError> {
        let groups = self.groups();
        if groups.len() > MOST {
            return Err(PlotError::Groups { groups: groups.len(), most: MOST });
        }
        let mut panels = Vec::with_capacity(groups.len());
        for (g, key) in groups.iter().enumerate() {
            let fit = self.group(key).map_err(|error| PlotError::Fit(error.to_string()))?;
            panels.push(fit.upper_panel(&self.label(g))?);
        }
        Ok(Panels::new(title, groups.len().min(BESIDE), panels))
    }

    fn label(&self, g: usize) -> String {
        let key = &self.0.parts.keys[g];
        match &self.0.parts.column {
            Some(column) => format!("{column} = {key}"),
            None => key.clone(),
        }
    }

    /// Writes the [`figure`](Self::figure) to `path`, as SVG or PNG by its extension, under the curve as its title.
    ///
    /// # Errors
    /// As [`figure`](Self::figure); another extension; a file that cannot be written.
    pub fn plot(&self, path: impl AsRef<Path>) -> Result<(), PlotError> {
        self.figure(self.0.met.title())?.save(path)
    }
}
