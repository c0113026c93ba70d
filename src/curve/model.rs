//! A curve met by its data: which names are inputs, which are free, and whether all that was said of them can be so.

use super::{Curve, Replaced};
use crate::curve_error::CurveError;
use crate::error::FitError;
use secant_core::data::{Dataset, Targets};
use secant_core::formula::{Formula, Replacement};
use secant_optim::Bounds;

/// All that a fit needs.
pub(super) struct Resolved {
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
    pub(super) fn new(curve: &Curve, data: &Dataset) -> Result<Self, FitError> {
        let targets = data.targets().values().ok_or(CurveError::Labels)?;
        let (formulas, columns) = (curve.texts.len(), targets.len() / data.samples().max(1));
        if formulas != columns {
            return Err(CurveError::Outputs { formulas, targets: columns }.into());
        }
        let (used, written) = written(curve, data)?;
        let replaced = last_of_each(&curve.replaced);
        check_ties(&replaced, data)?;
        let replacements = || {
            let replacement = |replaced: &Replaced| match replaced {
                Replaced::Fixed(value) => Replacement::Number(*value),
                Replaced::Tied(text) => Replacement::Text(text.clone()),
            };
            replaced.iter().map(move |(name, by)| (name.as_str(), replacement(by)))
        };
        let formula = written.substitute(replacements()).map_err(CurveError::from)?;
        if formula.parameters().is_empty() {
            return Err(CurveError::NoParameter.into());
        }
        let names: Vec<&str> = written.parameters().iter().map(String::as_str).collect();
        let parameters = Formula::several::<_, &str>(&names, &[]);
        let parameters = parameters.and_then(|each| each.substitute(replacements()));
        let data = selected(curve, data, &used)?;
        let start = starts(curve, &formula, &replaced)?;
        let bounds = bounds(curve, &formula, &replaced)?;
        let resolved = Self {
            formula,
            written,
            parameters: parameters.map_err(CurveError::from)?,
            data,
            bounds,
            start,
        };
        resolved.check_bounds()?;
        resolved.check_idle()?;
        Ok(resolved)
    }

    /// The start, where every free parameter has one.
    pub(super) fn whole_start(&self) -> Option<Vec<f64>> {
        self.start.iter().copied().collect()
    }

    /// Whether the formula is finite at `theta` on all samples.
    pub(super) fn check_start(&self, theta: &[f64]) -> Result<(), CurveError> {
        let c = self.formula.outputs();
        let mut values = vec![0.0; c * self.data.samples()];
        self.formula.evaluator().values(theta, self.data.inputs(), &mut values);
        let Some(odd) = values.iter().position(|value| !value.is_finite()) else { return Ok(()) };
        let sample = odd / c;
        let said = |names: &[String], values: &[f64]| {
            let each = names.iter().zip(values).map(|(name, value)| format!("{name} = {value}"));
            each.collect::<Vec<_>>().join(", ")
        };
        Err(CurveError::NotFinite {
            start: said(self.formula.parameters(), theta),
            value: values[odd],
            sample,
            inputs: said(self.formula.features(), self.data.sample(sample)),
        })
    }

    fn check_bounds(&self) -> Result<(), CurveError> {
        let each = self.bounds.lower().iter().zip(self.bounds.upper());
        for ((name, start), (&lower, &upper)) in
            self.formula.parameters().iter().zip(&self.start).zip(each)
        {
            let name = name.clone();
            if let Some(value) = start.filter(|start| !(lower..=upper).contains(start)) {
                return Err(CurveError::StartOutside { name, value, lower, upper });
            }
        }
        Ok(())
    }

    fn check_idle(&self) -> Result<(), CurveError> {
        match self.formula.idle_parameters().first() {
            Some(&j) => Err(CurveError::Idle { name: self.formula.parameters()[j].clone() }),
            None => Ok(()),
        }
    }
}

/// The features that the formula names, by position, and the formula of them.
fn written(curve: &Curve, data: &Dataset) -> Result<(Vec<usize>, Formula), FitError> {
    let all = Formula::several::<_, &str>(&curve.texts, &[]).map_err(CurveError::from)?;
    let names = data.feature_names();
    if let Some(column) = &curve.sigma_column {
        if curve.sigma.is_some() {
            return Err(CurveError::TwoSigmas.into());
        }
        if !names.contains(column) {
            let (name, known) = (column.clone(), names.to_vec());
            return Err(CurveError::Unknown {
                what: "the sigma column",
                name,
                kind: "column",
                known,
            }
            .into());
        }
    }
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
fn last_of_each<T: Clone>(said: &[(String, T)]) -> Vec<(String, T)> {
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
fn free(
    formula: &Formula,
    replaced: &[(String, Replaced)],
    name: &str,
    what: &'static str,
) -> Result<usize, CurveError> {
    if let Some(j) = formula.parameters().iter().position(|known| known == name) {
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
            let known = formula.parameters().to_vec();
            CurveError::Unknown { what, name, kind: "parameter", known }
        }
    })
}

fn starts(
    curve: &Curve,
    formula: &Formula,
    replaced: &[(String, Replaced)],
) -> Result<Vec<Option<f64>>, CurveError> {
    let mut start = vec![None; formula.parameters().len()];
    for (name, value) in &curve.start {
        let j = free(formula, replaced, name, "the start of")?;
        if !value.is_finite() {
            return Err(CurveError::Start { name: name.clone(), value: *value });
        }
        start[j] = Some(*value);
    }
    Ok(start)
}

fn bounds(
    curve: &Curve,
    formula: &Formula,
    replaced: &[(String, Replaced)],
) -> Result<Bounds, FitError> {
    let mut bounds = Bounds::free(formula.parameters().len());
    for (name, lower, upper) in &curve.bounds {
        let j = free(formula, replaced, name, "the bounds of")?;
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
fn selected(curve: &Curve, data: &Dataset, used: &[usize]) -> Result<Dataset, FitError> {
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
