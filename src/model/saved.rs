//! A model in its file.

use super::{FitSummary, Model};
use crate::model_file::{
    Contents, ModelFileError, ModelFileFault, ModelKind, Stored, Tensor, WITH_ERRORS, WITH_TABLE,
    check_encoding, names,
};
use secant_core::data::{Encoding, Standardizer};
use secant_core::description::{Choice, Description, DescriptionError};
use secant_core::graph::Graph;
use secant_core::loss::Decision;
use secant_core::params::{ParamBlock, ParamSpec, Role};
use secant_core::text::quoted;
use secant_optim::inference::Spread;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::sync::Arc;

const INPUT_MEANS: &str = "input_scaling.means";
const INPUT_DEVIATIONS: &str = "input_scaling.deviations";
const TARGET_MEANS: &str = "target_scaling.means";
const TARGET_DEVIATIONS: &str = "target_scaling.deviations";
const ERRORS_FACTOR: &str = "errors.factor";
const ERRORS_OPEN: &str = "errors.open_directions";
const ERRORS_DEVIATION: &str = "errors.residual_deviation";
const ERRORS_DEGREES: &str = "errors.degrees";

/// All of a model but its numbers.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Content {
    /// With loss and penalty.
    graph: Description,
    decision: Decision,
    features: Vec<String>,
    targets: Vec<String>,
    classes: Vec<String>,
    fit: FitSummary,
    /// From format 3 on: how the columns of a table became the features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    table: Option<Encoding>,
    /// From format 4 on: whether the errors of predictions are kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    errors: bool,
}

impl Stored for Model {
    const KIND: ModelKind = ModelKind::Model;
    type Content = Content;

    fn table(&self) -> Option<&Encoding> {
        self.encoding.as_deref()
    }

    fn format(&self) -> u32 {
        match (&self.spread, &self.encoding) {
            (Some(_), _) => WITH_ERRORS,
            (None, Some(_)) => WITH_TABLE,
            (None, None) => Self::FORMAT,
        }
    }

    fn store(&self) -> Result<(Content, Vec<Tensor<'_>>), ModelFileError> {
        let mut graph = Description::of(&self.graph)?;
        let copy = graph.graph()?;
        let (loss, penalty) = (&self.loss, &self.penalty);
        graph.loss = Some(described("loss", loss.describe(), Choice::loss, loss.name())?);
        let name = penalty.describe().map_or_else(|| type_of(penalty), |one| one.name().to_owned());
        graph.penalty = Some(described("penalty", penalty.describe(), Choice::penalty, &name)?);
        // Nodes that describe themselves as others would come back as these.
        if copy.parameters() != self.graph.parameters() {
            let message = "a node describes itself as one with other parameters";
            return Err(DescriptionError::Unwritable(message.into()).into());
        }
        let content = Content {
            graph,
            decision: self.decision,
            features: self.feature_names.clone(),
            targets: self.target_names.clone(),
            classes: self.class_names.clone(),
            fit: self.summary.clone(),
            table: self.encoding.as_deref().cloned(),
            errors: self.spread.is_some(),
        };
        let blocks = self.graph.parameters().blocks().iter();
        let mut tensors: Vec<Tensor<'_>> = blocks
            .map(|ParamBlock { name, spec, range }| {
                let numbers = &self.theta[range.clone()];
                if is_list(spec) {
                    Tensor::list(name.as_str(), numbers)
                } else {
                    Tensor::matrix(name.as_str(), spec.rows, numbers)
                }
            })
            .collect();
        if let Some(scaling) = &self.input_scaling {
            tensors.push(Tensor::list(INPUT_MEANS, scaling.means()));
            tensors.push(Tensor::list(INPUT_DEVIATIONS, scaling.deviations()));
        }
        if let Some(scaling) = &self.target_scaling {
            tensors.push(Tensor::list(TARGET_MEANS, scaling.means()));
            tensors.push(Tensor::list(TARGET_DEVIATIONS, scaling.deviations()));
        }
        if let Some(spread) = &self.spread {
            let Spread { factor, open, parameters, residual_deviation, degrees } = &**spread;
            tensors.push(Tensor::by_rows(ERRORS_FACTOR, *parameters, factor));
            tensors.push(Tensor::list(ERRORS_OPEN, open));
            tensors.push(Tensor::number(ERRORS_DEVIATION, *residual_deviation));
            tensors.push(Tensor::number(ERRORS_DEGREES, *degrees));
        }
        Ok((content, tensors))
    }

    fn restore(content: Content, arrays: &mut Contents<'_>) -> Result<Self, ModelFileFault> {
        let Content {
            graph: description,
            decision,
            features,
            targets,
            classes,
            fit,
            table,
            errors,
        } = content;
        let graph = description.graph()?;
        let lacks = |key| DescriptionError::MissingKey(key);
        let loss = description.loss.as_ref().ok_or_else(|| lacks("loss"))?.loss()?;
        let penalty = description.penalty.as_ref().ok_or_else(|| lacks("penalty"))?.penalty()?;
        drop(description);
        let (d, c) = (graph.features(), graph.outputs());
        names("names of features", &features, d)?;
        if !classes.is_empty() {
            names("names of classes", &classes, c.max(2))?;
        }
        check_encoding(table.as_ref(), d)?;
        let theta = theta(&graph, arrays, errors)?;
        let spread = errors.then(|| spread(theta.len(), arrays)).transpose()?;
        let mut scaling = |what, names: &[String], means, deviations| {
            if !arrays.has(means) {
                return Ok(None);
            }
            self::names(what, names, if means == INPUT_MEANS { d } else { c })?;
            let means = arrays.list(means, names.len())?;
            let deviations = arrays.list(deviations, names.len())?;
            Ok::<_, ModelFileFault>(Some(Standardizer::new(names.to_vec(), means, deviations)?))
        };
        let input_scaling = scaling("names of features", &features, INPUT_MEANS, INPUT_DEVIATIONS)?;
        let target_scaling =
            scaling("names of scaled targets", &targets, TARGET_MEANS, TARGET_DEVIATIONS)?;
        Ok(Self {
            graph: Arc::new(graph),
            theta,
            input_scaling,
            target_scaling,
            loss: loss.into(),
            penalty: penalty.into(),
            decision,
            feature_names: features,
            target_names: targets,
            class_names: classes,
            encoding: table.map(Arc::new),
            spread: spread.map(Arc::new),
            summary: fit,
        })
    }
}

/// θ from its blocks. What the graph claims is held against the tensors before anything is allocated.
fn theta(
    graph: &Graph,
    arrays: &mut Contents<'_>,
    errors: bool,
) -> Result<Vec<f64>, ModelFileFault> {
    let blocks = graph.parameters().blocks();
    for ParamBlock { name, spec, .. } in blocks {
        if is_list(spec) {
            arrays.require(name, &[spec.rows])?;
        } else {
            arrays.require(name, &[spec.rows, spec.cols])?;
        }
    }
    let scalings = [INPUT_MEANS, INPUT_DEVIATIONS, TARGET_MEANS, TARGET_DEVIATIONS];
    let mut beside: Vec<&str> = scalings.into_iter().filter(|name| arrays.has(name)).collect();
    if errors {
        beside.extend([ERRORS_FACTOR, ERRORS_OPEN, ERRORS_DEVIATION, ERRORS_DEGREES]);
    }
    let names = blocks.iter().map(|block| block.name.as_str());
    arrays.require_no_other(names.chain(beside.iter().copied()))?;
    let mut theta = vec![0.0; graph.parameters().dim()];
    for ParamBlock { name, spec, range } in blocks {
        let block = &mut theta[range.clone()];
        if is_list(spec) {
            arrays.list_into(name, block)?;
        } else {
            arrays.matrix_into(name, spec.rows, block)?;
        }
    }
    Ok(theta)
}

/// What intervals need.
fn spread(n: usize, arrays: &mut Contents<'_>) -> Result<Spread, ModelFileFault> {
    let columns = |name: &str, shape: Option<&[usize]>| match shape {
        Some([rows, columns]) if *rows == n => Ok(*columns),
        _ => Err(ModelFileFault::Missing(name.into())),
    };
    let rank = columns(ERRORS_FACTOR, arrays.shape(ERRORS_FACTOR))?;
    let open = match arrays.shape(ERRORS_OPEN) {
        Some([length]) if n > 0 && length % n == 0 => *length,
        _ => return Err(ModelFileFault::Missing(ERRORS_OPEN.into())),
    };
    Ok(Spread {
        factor: arrays.rows(ERRORS_FACTOR, n, rank)?,
        open: arrays.list(ERRORS_OPEN, open)?,
        parameters: n,
        residual_deviation: arrays.number(ERRORS_DEVIATION)?,
        degrees: arrays.number(ERRORS_DEGREES)?,
    })
}

/// Weights are matrices, also those with one column.
fn is_list(spec: &ParamSpec) -> bool {
    spec.cols == 1 && spec.role != Role::Weight
}

/// The description, where it is read back.
fn described<T>(
    what: &'static str,
    choice: Option<Choice>,
    read: impl Fn(&Choice) -> Result<T, DescriptionError>,
    name: &str,
) -> Result<Choice, ModelFileError> {
    choice
        .filter(|choice| read(choice).is_ok())
        .ok_or_else(|| ModelFileError::Undescribed { what, name: name.to_owned() })
}

/// What a type calls itself: the first word of its `Debug`.
fn type_of(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    quoted(&text[..end]).to_string()
}
