//! A curve met by its data: which names are inputs, which are free, and whether all that was said of them can be so.

use super::evaluate::CurveModel;
use super::{Replaced, Said};
use crate::curve_error::CurveError;
use crate::error::FitError;
use secant_core::data::{Dataset, Targets};
use secant_core::faer::Mat;
use secant_core::formula::{Formula, Replacement};
use secant_optim::Bounds;
use std::ops::Range;

/// All that a fit needs.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Of the inputs that it names and the free parameters.
    pub formula: Formula,
    /// The same with the parameters that were replaced.
    pub written: Formula,
    /// The parameters of the written formula as formulas of the free ones.
    pub parameters: Formula,
    /// The columns that the formula names, with the weights 1/σ².
    pub data: Dataset,
    /// Of the free parameters.
    pub bounds: Bounds,
    /// Of the free parameters, where given.
    pub start: Vec<Option<f64>>,
}

impl Resolved {
    pub(super) fn new(curve: &Said, data: &Dataset) -> Result<Self, FitError> {
        let targets = data.targets().values().ok_or(CurveError::Labels)?;
        let (formulas, columns) = (curve.texts.len(), targets.len() / data.samples().max(1));
        if formulas != columns {
            return Err(CurveError::Outputs { formulas, targets: columns }.into());
        }
        let (used, written) = written(curve, data)?;
        let replaced = last_of_each(&curve.replaced);
        check_ties(&replaced, data)?;
        let formula = written.substitute(replacements(&replaced)).map_err(CurveError::from)?;
        if formula.parameters().is_empty() {
            return Err(CurveError::NoParameter.into());
        }
        // In quotes each is a name, whatever it would mean without.
        let names = written.parameters().iter().map(|name| format!("`{name}`"));
        let names: Vec<String> = names.collect();
        let parameters = Formula::several::<_, &str>(&names, &[]);
        let parameters = parameters.and_then(|each| each.substitute(replacements(&replaced)));
        let data = selected(curve, data, &used)?;
        let start = starts(curve, formula.parameters(), &replaced)?;
        let bounds = bounds(curve, formula.parameters(), &replaced)?;
        let resolved = Self {
            formula,
            written,
            parameters: parameters.map_err(CurveError::from)?,
            data,
            bounds,
            start,
        };
        check_bounds(resolved.formula.parameters(), &resolved.start, &resolved.bounds)?;
        resolved.check_idle()?;
        Ok(resolved)
    }

    /// The start, where every free parameter has one.
    pub(super) fn whole_start(&self) -> Option<Vec<f64>> {
        self.start.iter().copied().collect()
    }

    /// Whether the formula is finite at `theta` on all samples.
    pub(super) fn check_start(&self, theta: &[f64]) -> Result<(), CurveError> {
        let (named, samples) = ((self.formula.parameters(), theta), 0..self.data.samples());
        check_finite(&self.formula, named, &self.data, samples, |at| at)
    }

    /// The names of all parameters: those of the written formula in order of appearance, and behind them those that ties brought in.
    pub(super) fn all_names(&self) -> Vec<String> {
        let written = self.written.parameters();
        let brought = self.formula.parameters().iter().filter(|name| !written.contains(name));
        written.iter().chain(brought).cloned().collect()
    }

    /// What these are at free parameters `theta`, and their derivatives by these.
    pub(super) fn all_values(&self, theta: &[f64]) -> (Vec<f64>, Mat<f64>) {
        let free = self.formula.parameters();
        let place = |name: &String| free.iter().position(|known| known == name);
        let of = self.parameters.parameters();
        let places: Vec<Option<usize>> = of.iter().map(place).collect();
        let inner: Vec<f64> = places.iter().map(|j| j.map_or(f64::NAN, |j| theta[j])).collect();
        let (k, n) = (self.parameters.outputs(), inner.len());
        let (mut values, mut rows) = (vec![0.0; k], vec![0.0; k * n]);
        self.parameters.evaluator().values_jacobian(&inner, &[], &mut values, &mut rows);
        let names = self.all_names();
        let mut matrix = Mat::zeros(names.len(), theta.len());
        for (i, row) in rows.chunks_exact(n.max(1)).enumerate() {
            for (entry, place) in row.iter().zip(&places) {
                if let Some(j) = place {
                    matrix[(i, *j)] = *entry;
                }
            }
        }
        for (i, name) in names.iter().enumerate().skip(k) {
            let j = place(name);
            values.push(j.map_or(f64::NAN, |j| theta[j]));
            if let Some(j) = j {
                matrix[(i, j)] = 1.0;
            }
        }
        (values, matrix)
    }

    fn check_idle(&self) -> Result<(), CurveError> {
        match self.formula.idle_parameters().first() {
            Some(&j) => Err(CurveError::Idle { name: self.formula.parameters()[j].clone() }),
            None => Ok(()),
        }
    }
}

/// Whether a curve is finite at `theta`, which is of `names`, on some samples of `data`, which are called as `named` says.
pub(super) fn check_finite(
    model: &dyn CurveModel,
    (names, theta): (&[String], &[f64]),
    data: &Dataset,
    samples: Range<usize>,
    named: impl Fn(usize) -> usize,
) -> Result<(), CurveError> {
    let (c, d) = (model.outputs(), data.features());
    let mut values = vec![0.0; c * samples.len()];
    let inputs = &data.inputs()[samples.start * d..samples.end * d];
    model.evaluator().values(theta, inputs, &mut values);
    let Some(odd) = values.iter().position(|value| !value.is_finite()) else { return Ok(()) };
    let at = samples.start + odd / c;
    Err(CurveError::NotFinite {
        start: said(names, theta),
        value: values[odd],
        sample: named(at),
        inputs: said(data.feature_names(), data.sample(at)),
    })
}

/// `a = 1, b = 2`
fn said(names: &[String], values: &[f64]) -> String {
    let each = names.iter().zip(values).map(|(name, value)| format!("{name} = {value}"));
    each.collect::<Vec<_>>().join(", ")
}

/// The names of the free parameters that a parameter is made of; ties do not go in a circle.
pub(super) fn made_of(curve: &Said, name: &str) -> Result<Vec<String>, CurveError> {
    let by = curve.replaced.iter().rev().find(|(known, _)| known == name).map(|(_, by)| by);
    Ok(match by {
        None => vec![name.to_owned()],
        Some(Replaced::Fixed(_)) => Vec::new(),
        Some(Replaced::Tied(text)) => {
            let mut parts = Vec::new();
            for part in Formula::new::<&str>(text, &[])?.parameters() {
                parts.extend(made_of(curve, part)?);
            }
            parts
        }
    })
}

fn replacements(
    replaced: &[(String, Replaced)],
) -> impl Iterator<Item = (&str, Replacement)> + Clone {
    replaced.iter().map(|(name, by)| {
        let by = match by {
            Replaced::Fixed(value) => Replacement::Number(*value),
            Replaced::Tied(text) => Replacement::Text(text.clone()),
        };
        (name.as_str(), by)
    })
}

/// Whether starts lie in their bounds.
pub(super) fn check_bounds(
    names: &[String],
    start: &[Option<f64>],
    bounds: &Bounds,
) -> Result<(), CurveError> {
    let each = bounds.lower().iter().zip(bounds.upper());
    for ((name, start), (&lower, &upper)) in names.iter().zip(start).zip(each) {
        let name = name.clone();
        if let Some(value) = start.filter(|start| !(lower..=upper).contains(start)) {
            return Err(CurveError::StartOutside { name, value, lower, upper });
        }
    }
    Ok(())
}

/// Whether σ are given once, by a column that there is.
pub(super) fn check_sigma_column(curve: &Said, names: &[String]) -> Result<(), CurveError> {
    let Some(column) = &curve.sigma_column else { return Ok(()) };
    if curve.sigma.is_some() {
        return Err(CurveError::TwoSigmas);
    }
    if !names.contains(column) {
        let (what, name, known) = ("the sigma column", column.clone(), names.to_vec());
        return Err(CurveError::Unknown { what, name, kind: "column", known });
    }
    Ok(())
}

/// The features that the formula names, by position, and the formula of them.
fn written(curve: &Said, data: &Dataset) -> Result<(Vec<usize>, Formula), FitError> {
    let all = Formula::several::<_, &str>(&curve.texts, &[]).map_err(CurveError::from)?;
    let names = data.feature_names();
    check_sigma_column(curve, names)?;
    let is_input = |name: &String| {
        all.parameters().contains(name) && curve.sigma_column.as_ref() != Some(name)
    };
    let used: Vec<usize> = (0..names.len()).filter(|&i| is_input(&names[i])).collect();
    if used.is_empty() {
        let (features, names) = (names.to_vec(), all.parameters().to_vec());
        return Err(CurveError::NoFeature { features, names }.into());
    }
    let inputs: Vec<&str> = used.iter().map(|&i| names[i].as_str()).collect();
    let written = Formula::several(&curve.texts, &inputs).map_err(CurveError::from)?;
    Ok((used, written))
}

/// The last of what was said of each name.
pub(super) fn last_of_each<T: Clone>(said: &[(String, T)]) -> Vec<(String, T)> {
    let mut last: Vec<(String, T)> = Vec::new();
    for (name, what) in said {
        match last.iter_mut().find(|(known, _)| known == name) {
            Some(known) => known.1 = what.clone(),
            None => last.push((name.clone(), what.clone())),
        }
    }
    last
}

fn check_ties(replaced: &[(String, Replaced)], data: &Dataset) -> Result<(), CurveError> {
    for (name, by) in replaced {
        let Replaced::Tied(text) = by else { continue };
        let names = Formula::new::<&str>(text, &[])?;
        let feature = names.parameters().iter().find(|name| data.feature_names().contains(name));
        if let Some(feature) = feature {
            let (name, feature) = (name.clone(), feature.clone());
            return Err(CurveError::TiedToFeature { name, feature });
        }
    }
    Ok(())
}

/// Where in the free parameters `name` stands; `what` was said of it.
pub(super) fn free(
    names: &[String],
    replaced: &[(String, Replaced)],
    name: &str,
    what: &'static str,
) -> Result<usize, CurveError> {
    if let Some(j) = names.iter().position(|known| known == name) {
        return Ok(j);
    }
    let name = name.to_owned();
    Err(match replaced.iter().find(|(known, _)| *known == name) {
        Some((_, Replaced::Fixed(value))) => {
            CurveError::Replaced { what, name, how: format!("fixed at {value}") }
        }
        Some((_, Replaced::Tied(text))) => {
            CurveError::Replaced { what, name, how: format!("tied to {text}") }
        }
        None => {
            let known = names.to_vec();
            CurveError::Unknown { what, name, kind: "parameter", known }
        }
    })
}

pub(super) fn starts(
    curve: &Said,
    names: &[String],
    replaced: &[(String, Replaced)],
) -> Result<Vec<Option<f64>>, CurveError> {
    let mut start = vec![None; names.len()];
    for (name, value) in &curve.start {
        let j = free(names, replaced, name, "the start of")?;
        if !value.is_finite() {
            return Err(CurveError::Start { name: name.clone(), value: *value });
        }
        start[j] = Some(*value);
    }
    Ok(start)
}

pub(super) fn bounds(
    curve: &Said,
    names: &[String],
    replaced: &[(String, Replaced)],
) -> Result<Bounds, FitError> {
    let mut bounds = Bounds::free(names.len());
    for (name, lower, upper) in &curve.bounds {
        let j = free(names, replaced, name, "the bounds of")?;
        let (lower, upper) = (*lower, *upper);
        let possible = lower <= upper && lower < f64::INFINITY && upper > f64::NEG_INFINITY;
        if !possible {
            return Err(CurveError::Bounds { name: name.clone(), lower, upper }.into());
        }
        bounds = bounds.with(j..j + 1, lower, upper)?;
    }
    if let Some(method) = curve.method.as_ref().filter(|_| !bounds.is_free()) {
        return Err(CurveError::BoundsAndMethod { method: method.name() }.into());
    }
    Ok(bounds)
}

/// The columns that the formula names, with weights by σ.
pub(super) fn selected(curve: &Said, data: &Dataset, used: &[usize]) -> Result<Dataset, FitError> {
    let d = data.features();
    let rows = data.dense_inputs()?.chunks_exact(d);
    let inputs: Vec<f64> = rows.clone().flat_map(|row| used.iter().map(|&i| row[i])).collect();
    let column = curve.sigma_column.as_ref().map(|name| {
        let i = data.feature_names().iter().position(|known| known == name);
        rows.map(|row| i.map_or(f64::NAN, |i| row[i])).collect::<Vec<_>>()
    });
    let names = used.iter().map(|&i| data.feature_names()[i].clone()).collect();
    let mut part = Dataset::new(used.len(), inputs, Targets::clone(data.targets()))?
        .with_feature_names(names)?
        .with_target_names(data.target_names().to_vec())?;
    if let Some(offset) = data.offset() {
        part = part.with_offset(offset.to_vec())?;
    }
    let own = data.weights();
    let Some(sigma) = curve.sigma.as_ref().or(column.as_ref()) else {
        return Ok(match own {
            Some(weights) => part.with_weights(weights.to_vec())?,
            None => part,
        });
    };
    let (samples, found) = (data.samples(), sigma.len());
    if samples != found {
        return Err(CurveError::SigmaCount { samples, found }.into());
    }
    let is_deviation = |sigma: &f64| {
        *sigma > 0.0 && (1.0 / sigma / sigma).is_finite() && 1.0 / sigma / sigma > 0.0
    };
    if let Some(sample) = sigma.iter().position(|sigma| !is_deviation(sigma)) {
        return Err(CurveError::Sigma { sample, value: sigma[sample] }.into());
    }
    let weight = |i: usize| own.map_or(1.0, |own| own[i]) / sigma[i] / sigma[i];
    Ok(part.with_weights((0..samples).map(weight).collect())?)
}
