//! A curve fitted to several groups of data.

use super::parts::Parts;
use super::rows::write_rows;
use super::sealed::One;
use super::{Alone, Bounds, Layout, Met, MetFunction, OneSet, Resolved, Said};
use crate::curve::fitted::{CurveFit, CurveParameter, Joint};
use crate::curve::function::FunctionFit;
use crate::curve::model::made_of;
use crate::error::FitError;
use crate::fit::{decision_of, robust_loss};
use crate::model::{FitSummary, Model};
#[cfg(feature = "plot")]
use crate::plot::{Figure, PlotError};
use secant_core::files::write_atomically;
use secant_core::formula::Formula;
use secant_core::loss::{Loss, SquaredError};
use secant_core::network::Network;
use secant_core::penalty::NoPenalty;
use secant_optim::inference::{BandPoint, Infer, Inference, significant};
use secant_optim::{Report, Solution};
use std::path::Path;
use std::sync::Arc;
use std::{fmt, io};

/// Groups that `Display` shows.
const SHOWN: usize = 20;
/// Digits of a parameter there.
const DIGITS: i32 = 6;

/// A curve fitted to several groups of data: the shared parameters, each group's own, the report. [`group`](Self::group) is the curve of
/// one group with all that a [`CurveFit`] or a [`FunctionFit`] has. `Display` is a table of the parameters by group.
#[derive(Debug)]
pub struct GroupedFit<K: OneSet = Alone>(pub(super) Arc<Whole<K::Met>>);

impl<K: OneSet> Clone for GroupedFit<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// All that is known of the fit.
#[derive(Debug)]
pub struct Whole<M> {
    pub said: Said,
    pub met: M,
    pub layout: Layout,
    pub parts: Parts,
    pub theta: Vec<f64>,
    pub start: Vec<f64>,
    /// Of θ.
    pub bounds: Bounds,
    /// ρ's scale, of a robust fit.
    scale: Option<f64>,
    report: Report,
    /// All parameters of the curve: their names, and which depend on a group's own.
    pub names: Vec<String>,
    pub is_own: Vec<bool>,
}

impl<K: OneSet> GroupedFit<K> {
    pub(super) fn new(
        said: &Said,
        met: K::Met,
        layout: Layout,
        parts: Parts,
        (start, bounds): (Vec<f64>, Bounds),
        solution: Solution,
        scale: Option<f64>,
    ) -> Result<Self, FitError> {
        let own: Vec<&String> = layout.own.iter().map(|k| &met.free()[*k]).collect();
        let names = met.names();
        let mut is_own = Vec::with_capacity(names.len());
        for name in &names {
            is_own.push(made_of(said, name)?.iter().any(|part| own.contains(&part)));
        }
        let Solution { theta, report } = solution;
        let whole = Whole {
            said: said.clone(),
            met,
            layout,
            parts,
            theta,
            start,
            bounds,
            scale,
            report,
            names,
            is_own,
        };
        Ok(Self(Arc::new(whole)))
    }

    /// What the groups are called, in order: of a column its numbers, ascending; else in the order of appearance.
    pub fn groups(&self) -> &[String] {
        &self.0.parts.keys
    }

    /// Names of the parameters that all groups share, of those that are fixed or tied too.
    pub fn shared(&self) -> Vec<&str> {
        self.names_of(false)
    }

    /// Names of the parameters that each group has for itself, and of those that are tied to such.
    pub fn own(&self) -> Vec<&str> {
        self.names_of(true)
    }

    fn names_of(&self, own: bool) -> Vec<&str> {
        let each = self.0.names.iter().zip(&self.0.is_own);
        each.filter(|(_, is_own)| **is_own == own).map(|(name, _)| name.as_str()).collect()
    }

    /// The value of a shared parameter, free, fixed or tied; `None` where there is none of this name.
    pub fn value(&self, name: &str) -> Option<f64> {
        let i = self.0.names.iter().position(|known| known == name)?;
        (!self.0.is_own[i]).then(|| self.0.values_of(0)[i])
    }

    /// The value of a parameter in a group, its own or shared; `None` without such a group or parameter.
    pub fn value_of(&self, group: &str, name: &str) -> Option<f64> {
        let g = self.groups().iter().position(|key| key == group)?;
        let i = self.0.names.iter().position(|known| known == name)?;
        Some(self.0.values_of(g)[i])
    }

    /// θ: the shared free parameters in their order, then the own ones of every group.
    pub fn theta(&self) -> &[f64] {
        &self.0.theta
    }

    /// Why the fit ended, what it reached, what it cost. f is half the (weighted) mean of the squared residuals of all groups.
    pub fn report(&self) -> &Report {
        &self.0.report
    }

    /// A line for each group with the values of all parameters, under their names.
    pub fn to_csv(&self) -> String {
        let quote = |text: &str| {
            if text.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", text.replace('"', "\"\""))
            } else {
                text.to_owned()
            }
        };
        let first = self.0.parts.column.as_deref().unwrap_or("group");
        let head = std::iter::once(first).chain(self.0.names.iter().map(String::as_str));
        let mut lines = vec![head.map(quote).collect::<Vec<_>>().join(",")];
        for (g, key) in self.groups().iter().enumerate() {
            let values = self.0.values_of(g).into_iter().map(|value| value.to_string());
            lines.push(std::iter::once(quote(key)).chain(values).collect::<Vec<_>>().join(","));
        }
        lines.join("\n") + "\n"
    }

    /// Writes [`to_csv`](Self::to_csv) to a file: the whole of it or nothing.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_csv(&self, path: impl AsRef<Path>) -> io::Result<()> {
        write_atomically(path, self.to_csv().as_bytes())
    }
}

impl<K: OneSet> GroupedFit<K> {
    /// The curve of one group: its parameters, predictions, band, picture; of a formula with a [model](CurveFit::model) that is saved.
    /// Errors are those of the whole fit.
    ///
    /// # Errors
    /// [`CurveError::Unknown`](crate::CurveError::Unknown) without such a group; a group whose weights are all 0.
    pub fn group(&self, name: &str) -> Result<K::Fit, FitError> {
        let g = self.0.parts.group(name, "the curve of group")?;
        K::Fit::of_group(&self.0, g)
    }

    /// All parameters in a group, as of a curve by itself.
    ///
    /// # Errors
    /// As [`group`](Self::group).
    pub fn parameters_of(&self, group: &str) -> Result<Vec<CurveParameter>, FitError> {
        Ok(self.group(group)?.parameters().to_vec())
    }

    /// The curve of a group at inputs (d × M, the columns that the formula names in the order of the data; all that a function has).
    ///
    /// # Errors
    /// As [`group`](Self::group) and [`Model::predict`].
    pub fn predict(&self, group: &str, inputs: &[f64]) -> Result<Vec<f64>, FitError> {
        self.group(group)?.predict(inputs)
    }

    /// The curve of a group with its bands, as [`CurveFit::band`].
    ///
    /// # Errors
    /// As [`group`](Self::group) and [`CurveFit::band`].
    pub fn band(
        &self,
        group: &str,
        inputs: &[f64],
        level: f64,
    ) -> Result<Vec<BandPoint>, FitError> {
        self.group(group)?.band(inputs, level)
    }
}

impl GroupedFit<Alone> {
    /// The formula of inputs and free parameters.
    pub fn formula(&self) -> &Formula {
        &self.0.met.formula
    }

    /// The formula as it was written.
    pub fn written(&self) -> &Formula {
        &self.0.met.written
    }
}

impl<M: Met> Whole<M> {
    /// All parameters of the curve in a group.
    pub(super) fn values_of(&self, g: usize) -> Vec<f64> {
        self.met.values(&self.layout.of_group(g, &self.theta)).0
    }

    /// The curve of one group alone.
    fn part(&self, g: usize) -> Result<M, FitError>
    where
        M: Clone,
    {
        self.met.clone().select(&self.layout.groups[g].clone().collect::<Vec<_>>())
    }

    /// Its parameters where it started and ended.
    fn of_group(&self, g: usize) -> (Vec<f64>, Vec<f64>) {
        (self.layout.of_group(g, &self.start), self.layout.of_group(g, &self.theta))
    }
}

/// What a curve of one group has of its own.
macro_rules! own_methods {
    () => {
        fn parameters(&self) -> &[CurveParameter] {
            self.parameters()
        }
        fn predict(&self, inputs: &[f64]) -> Result<Vec<f64>, FitError> {
            self.predict(inputs)
        }
        fn band(&self, inputs: &[f64], level: f64) -> Result<Vec<BandPoint>, FitError> {
            self.band(inputs, level)
        }
        #[cfg(feature = "plot")]
        fn upper_panel(&self, title: &str) -> Result<Figure, PlotError> {
            self.upper_panel(title)
        }
    };
}

impl One<Resolved> for CurveFit {
    fn of_group(whole: &Arc<Whole<Resolved>>, g: usize) -> Result<Self, FitError> {
        let resolved = whole.part(g)?;
        let (start, theta) = whole.of_group(g);
        let graph = Network::from(resolved.formula.graph()?).graph()?.clone();
        let loss: Arc<dyn Loss> = match (whole.said.robust, whole.scale) {
            (Some(rho), Some(scale)) => robust_loss(rho, scale)?.into(),
            _ => Arc::new(SquaredError),
        };
        let model = Model {
            theta,
            input_scaling: None,
            target_scaling: None,
            decision: decision_of(&*loss, graph.outputs()),
            graph,
            loss,
            penalty: Arc::new(NoPenalty),
            feature_names: resolved.data.feature_names().to_vec(),
            target_names: resolved.data.target_names().to_vec(),
            class_names: Vec::new(),
            encoding: None,
            spread: None,
            summary: FitSummary::of(&whole.report, resolved.data.samples(), None),
        };
        let fit = Self::of_model(&whole.said, resolved, &start, model, whole.report.clone());
        Ok(fit.jointly(Arc::new(OfGroup { whole: Arc::clone(whole), g })))
    }
    own_methods!();
}

impl One<MetFunction> for FunctionFit {
    fn of_group(whole: &Arc<Whole<MetFunction>>, g: usize) -> Result<Self, FitError> {
        let MetFunction { prepared, model } = whole.part(g)?;
        let fit = Self::new(&whole.said, prepared, model, whole.of_group(g), whole.report.clone());
        Ok(fit.jointly(Arc::new(OfGroup { whole: Arc::clone(whole), g })))
    }
    own_methods!();
}

/// A group of a fit, for the curve of it.
#[derive(Debug)]
struct OfGroup<M> {
    whole: Arc<Whole<M>>,
    g: usize,
}

impl<M: Met> Joint for OfGroup<M> {
    fn infer(
        &self,
        options: &mut dyn for<'a> FnMut(Infer<'a>) -> Infer<'a>,
    ) -> Result<Inference, FitError> {
        let mut found = self.whole.infer(options, false)?;
        Ok(found.swap_remove(self.g))
    }
    fn order(&self) -> Vec<usize> {
        self.whole.layout.order()
    }
}

impl<K: OneSet> fmt::Display for GroupedFit<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = &self.0;
        writeln!(f, "{}", whole.met.title())?;
        let values = whole.values_of(0);
        for (i, name) in whole.names.iter().enumerate().filter(|(i, _)| !whole.is_own[*i]) {
            writeln!(f, "{name} = {}", significant(values[i], DIGITS))?;
        }
        let own: Vec<usize> = (0..whole.names.len()).filter(|i| whole.is_own[*i]).collect();
        let first = whole.parts.column.as_deref().unwrap_or("group");
        let mut rows = vec![vec![first.to_owned()]];
        rows[0].extend(own.iter().map(|i| whole.names[*i].clone()));
        for (g, key) in self.groups().iter().enumerate().take(SHOWN) {
            let values = whole.values_of(g);
            let mut row = vec![key.clone()];
            row.extend(own.iter().map(|i| significant(values[*i], DIGITS)));
            rows.push(row);
        }
        write_rows(f, &rows)?;
        let left = self.groups().len().saturating_sub(SHOWN);
        if left > 0 {
            writeln!(f, "… and {left} groups more")?;
        }
        Ok(())
    }
}
