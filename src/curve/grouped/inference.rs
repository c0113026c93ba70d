//! How sure a curve by groups is.

use super::fitted::{GroupedFit, Whole};
use super::rows::write_rows;
use super::{Met, OneSet};
use crate::curve::problem::CurveProblem;
use crate::curve_error::CurveError;
use crate::error::FitError;
use secant_core::faer::Mat;
use secant_optim::inference::{Derived, Estimate, Infer, Inference, Status, rounded};
use secant_optim::inference::{rounded_interval, significant};
use std::fmt;

/// Groups that `Display` shows.
const SHOWN: usize = 20;

/// Standard errors, intervals and correlations of a curve by groups: of the shared parameters, and of every group's own with these. Names of
/// own ones have their group, `a[run=1]`. `Display` is a table.
#[derive(Clone, Debug)]
pub struct GroupedInference {
    keys: Vec<String>,
    /// Of each group all parameters of the curve.
    groups: Vec<Inference>,
    /// Which of them are the group's own.
    is_own: Vec<bool>,
}

impl<K: OneSet> GroupedFit<K> {
    /// Standard errors, intervals and correlations, what the data leave open, R² and AIC of the fit as a whole. No matrix of all parameters
    /// is formed: errors of a group's parameters are correlated with each other and with the shared ones here.
    ///
    /// # Errors
    /// After a [robust](crate::Curve::robust) fit; as [`Infer::compute`].
    pub fn inference(&self) -> Result<GroupedInference, FitError> {
        self.inference_with(|infer| infer)
    }

    /// The same with options: `fit.inference_with(|infer| infer.level(0.99))?`.
    ///
    /// # Errors
    /// As [`inference`](Self::inference).
    pub fn inference_with(
        &self,
        options: impl for<'a> FnOnce(Infer<'a>) -> Infer<'a>,
    ) -> Result<GroupedInference, FitError> {
        let mut options = Some(options);
        let groups = self.0.infer(
            &mut |infer| match options.take() {
                Some(options) => options(infer),
                None => infer,
            },
            true,
        )?;
        Ok(GroupedInference { keys: self.groups().to_vec(), groups, is_own: self.0.is_own.clone() })
    }
}

impl<M: Met> Whole<M> {
    /// One inference for each group, of all parameters of the curve; the own ones `labelled` with the group.
    pub(super) fn infer(
        &self,
        options: &mut dyn for<'a> FnMut(Infer<'a>) -> Infer<'a>,
        labelled: bool,
    ) -> Result<Vec<Inference>, FitError> {
        if self.said.robust.is_some() {
            return Err(CurveError::RobustInference.into());
        }
        let met = &self.met;
        let problem = CurveProblem::new(met.model(), &self.layout, met.data());
        let names = self.theta_names();
        let infer = Inference::of(&problem, &self.theta)
            .names(names)
            .bounds(self.bounds.clone())
            .absolute_sigma(self.said.absolute_sigma);
        let order = self.layout.order();
        let derive = |g: usize| {
            let (values, by_curve) = met.values(&self.layout.of_group(g, &self.theta));
            let matrix = Mat::from_fn(values.len(), order.len(), |i, k| by_curve[(i, order[k])]);
            let start = met.values(&self.layout.of_group(g, &self.start)).0;
            let label = |(name, own): (&String, &bool)| {
                if *own && labelled { self.parts.label(name, g) } else { name.clone() }
            };
            let names = self.names.iter().zip(&self.is_own).map(label).collect();
            Some((Derived { values, matrix, names }, Some(start)))
        };
        Ok(options(infer).compute_groups(derive)?)
    }

    fn theta_names(&self) -> Vec<String> {
        let names = self.met.free();
        let mut all: Vec<String> = self.layout.shared.iter().map(|k| names[*k].clone()).collect();
        for g in 0..self.layout.groups.len() {
            all.extend(self.layout.own.iter().map(|k| self.parts.label(&names[*k], g)));
        }
        all
    }
}

impl GroupedInference {
    /// What the groups are called.
    pub fn groups(&self) -> &[String] {
        &self.keys
    }

    /// Of one group: all parameters of the curve there, with their covariance; degrees of freedom, R² and AIC are those of the whole fit.
    pub fn of(&self, group: &str) -> Option<&Inference> {
        let g = self.keys.iter().position(|key| key == group)?;
        Some(&self.groups[g])
    }

    /// The fit as a whole with the shared parameters: the inference of the first group, whose own ones it has too.
    pub fn whole(&self) -> &Inference {
        &self.groups[0]
    }

    /// The shared parameters, then the own ones of every group.
    pub fn estimates(&self) -> impl Iterator<Item = &Estimate> {
        let own = self.groups.iter().flat_map(|group| self.some(group, true));
        self.some(&self.groups[0], false).chain(own)
    }

    fn some<'s>(&'s self, of: &'s Inference, own: bool) -> impl Iterator<Item = &'s Estimate> {
        let each = of.estimates.iter().zip(&self.is_own);
        each.filter(move |(_, is_own)| **is_own == own).map(|(estimate, _)| estimate)
    }

    /// The estimate of this name: `b`, or `a[run=1]`.
    pub fn estimate(&self, name: &str) -> Option<&Estimate> {
        self.estimates().find(|estimate| estimate.name == name)
    }

    /// Its interval at the level asked for.
    pub fn interval(&self, name: &str) -> Option<(f64, f64)> {
        self.groups.iter().find_map(|group| group.interval(name))
    }
}

impl fmt::Display for GroupedInference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.whole();
        let level = significant(100.0 * whole.level, 6);
        let mut rows = vec![vec![
            "parameter".to_owned(),
            "estimate".to_owned(),
            format!("{level} % interval"),
        ]];
        let mut row = |of: &Inference, estimate: &Estimate| {
            let Estimate { name, value, standard_error, status, .. } = estimate;
            let bare = |why: &str| {
                vec![name.clone(), format!("{} ({why})", significant(*value, 6)), String::new()]
            };
            rows.push(match status {
                Status::AtBound => bare("at its bound"),
                Status::Fixed => bare("fixed"),
                Status::Open => bare("not determined"),
                Status::Estimated if standard_error.is_nan() => bare("no error"),
                Status::Estimated => {
                    let ends = of.interval(name).unwrap_or((f64::NAN, f64::NAN));
                    let interval = rounded_interval(ends, *value, *standard_error);
                    vec![name.clone(), rounded(*value, *standard_error), interval]
                }
            });
        };
        self.some(whole, false).for_each(|estimate| row(whole, estimate));
        for group in self.groups.iter().take(SHOWN) {
            self.some(group, true).for_each(|estimate| row(group, estimate));
        }
        write_rows(f, &rows)?;
        let left = self.groups.len().saturating_sub(SHOWN);
        if left > 0 {
            writeln!(f, "… and {left} groups more")?;
        }
        let deviation = significant(whole.residual_deviation, 4);
        write!(
            f,
            "{} observations, {} groups, {} parameters, residual deviation {deviation}, R² = {}",
            whole.observations,
            self.groups.len(),
            whole.estimated,
            significant(whole.measures.r_squared, 6)
        )?;
        for note in &whole.notes {
            write!(f, "\n{note}")?;
        }
        let mut said: Vec<String> = Vec::new();
        for direction in self.groups.iter().flat_map(|group| &group.open_directions) {
            let words = direction.to_string();
            if !said.contains(&words) && said.len() < SHOWN {
                write!(f, "\n{words}")?;
                said.push(words);
            }
        }
        Ok(())
    }
}
