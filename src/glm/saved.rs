//! A fitted generalised linear model in its file.

use super::fitted::AlphaEstimate;
use super::{Coefficient, CoefficientStatus, Family, GlmFit, PowerEstimate};
use crate::model_file::{
    Contents, ModelFile, ModelFileError, ModelFileFault, ModelKind, Stored, Tensor, WITH_POWER,
    WITH_TABLE, check_encoding, names,
};
use secant_core::data::Encoding;
use secant_core::loss::Link;
use secant_optim::Report;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;

const ESTIMATES: &str = "estimates";
const ERRORS: &str = "standard_errors";
const DEVIANCE: &str = "deviance";
const PEARSON: &str = "pearson";
const LOG_LIKELIHOOD: &str = "log_likelihood";
const DISPERSION: &str = "dispersion";
const DEGREES: &str = "residual_degrees";
const NULL_DEVIANCE: &str = "null_deviance";
const TOTAL_WEIGHT: &str = "total_weight";
const ALPHA: &str = "alpha";
const POWER: &str = "power";

/// All of a fit but its numbers.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Content {
    family: Family,
    features: usize,
    intercept: bool,
    /// Of every coefficient.
    names: Vec<String>,
    /// Of every coefficient of a softmax.
    classes: Vec<String>,
    /// A letter for every coefficient.
    statuses: String,
    notes: Vec<String>,
    report: Report,
    /// From format 2 on; before, all had the default link of the family, and what else is new is not known.
    #[serde(default)]
    link: Option<Link>,
    #[serde(default)]
    modelled_class: Option<String>,
    #[serde(default)]
    alpha_estimated: bool,
    /// From format 5 on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    power_estimated: bool,
    /// From format 3 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    table: Option<Encoding>,
}

impl Stored for GlmFit {
    const KIND: ModelKind = ModelKind::Glm;
    const FORMAT: u32 = 2;
    type Content = Content;

    fn table(&self) -> Option<&Encoding> {
        self.encoding.as_deref()
    }

    fn format(&self) -> u32 {
        match (&self.power, self.table()) {
            (Some(_), _) => WITH_POWER,
            (None, Some(_)) => WITH_TABLE,
            (None, None) => Self::FORMAT,
        }
    }

    fn store(&self) -> Result<(Content, Vec<Tensor<'_>>), ModelFileError> {
        let all = || self.coefficients.iter();
        let mut tensors = vec![
            Tensor::owned(ESTIMATES, all().map(|one| one.estimate).collect()),
            Tensor::owned(ERRORS, all().map(|one| one.standard_error).collect()),
            Tensor::number(DEVIANCE, self.deviance),
            Tensor::number(PEARSON, self.pearson),
            Tensor::number(LOG_LIKELIHOOD, self.log_likelihood),
            Tensor::number(DISPERSION, self.dispersion),
            Tensor::number(DEGREES, self.residual_degrees),
            Tensor::number(NULL_DEVIANCE, self.null_deviance),
            Tensor::number(TOTAL_WEIGHT, self.total_weight),
        ];
        if let Some(alpha) = &self.alpha {
            tensors.push(Tensor::owned(ALPHA, vec![alpha.estimate, alpha.standard_error]));
        }
        if let Some(power) = &self.power {
            let PowerEstimate { estimate, standard_error, dispersion, log_likelihood } = *power;
            let all = vec![estimate, standard_error, dispersion, log_likelihood];
            tensors.push(Tensor::owned(POWER, all));
        }
        let content = Content {
            family: self.family,
            features: self.features,
            intercept: self.intercept,
            names: all().map(|one| one.name.clone()).collect(),
            classes: all().filter_map(|one| one.class.clone()).collect(),
            statuses: all().map(|one| letter(one.status)).collect(),
            notes: self.notes.clone(),
            report: self.report.clone(),
            link: Some(self.link),
            modelled_class: self.modelled_class.clone(),
            alpha_estimated: self.alpha.is_some(),
            power_estimated: self.power.is_some(),
            table: self.encoding.as_deref().cloned(),
        };
        Ok((content, tensors))
    }

    fn restore(content: Content, arrays: &mut Contents<'_>) -> Result<Self, ModelFileFault> {
        let Content {
            family,
            features,
            intercept,
            names,
            classes,
            statuses,
            notes,
            report,
            link,
            modelled_class,
            alpha_estimated,
            power_estimated,
            table,
        } = content;
        check_encoding(table.as_ref(), features)?;
        // A file of format 1 has neither the link nor what came with it.
        let is_old = link.is_none();
        let link = link.unwrap_or(family.links()[0]);
        if !family.links().contains(&link) {
            return Err(ModelFileFault::Header(format!(
                "{}: there is no {} link",
                family.name(),
                link.name()
            )));
        }
        let (count, columns) = (names.len(), features.saturating_add(usize::from(intercept)));
        let count_of = |what, expected| ModelFileFault::Count { what, expected, found: count };
        let one_row = family != Family::Softmax;
        if features == 0 || count == 0 || !count.is_multiple_of(columns) {
            return Err(count_of("coefficients", columns));
        }
        if one_row && count != columns {
            return Err(count_of("coefficients", columns));
        }
        self::names("classes of coefficients", &classes, if one_row { 0 } else { count })?;
        let statuses: Vec<CoefficientStatus> = statuses.chars().filter_map(status).collect();
        if statuses.len() != count {
            let found = statuses.len();
            let what = "statuses of coefficients";
            return Err(ModelFileFault::Count { what, expected: count, found });
        }
        let all = [ESTIMATES, ERRORS, DEVIANCE, PEARSON, LOG_LIKELIHOOD, DISPERSION, DEGREES];
        let new: &[&'static str] = if is_old { &[] } else { &[NULL_DEVIANCE, TOTAL_WEIGHT] };
        let alpha: &[&'static str] = if alpha_estimated { &[ALPHA] } else { &[] };
        let power: &[&'static str] = if power_estimated { &[POWER] } else { &[] };
        arrays.require_no_other(all.iter().chain(new).chain(alpha).chain(power).copied())?;
        let residual_degrees = arrays.number(DEGREES)?;
        let degrees = if family.estimates_dispersion() { residual_degrees } else { f64::INFINITY };
        let mut number = |name| if is_old { Ok(f64::NAN) } else { arrays.number(name) };
        let (null_deviance, total_weight) = (number(NULL_DEVIANCE)?, number(TOTAL_WEIGHT)?);
        let alpha = if alpha_estimated { Some(arrays.list(ALPHA, 2)?) } else { None };
        let alpha = alpha.map(|of| AlphaEstimate { estimate: of[0], standard_error: of[1] });
        let power = if power_estimated { Some(arrays.list(POWER, 4)?) } else { None };
        let power = power.map(|of| PowerEstimate {
            estimate: of[0],
            standard_error: of[1],
            dispersion: of[2],
            log_likelihood: of[3],
        });
        let estimates = arrays.list(ESTIMATES, count)?;
        let errors = arrays.list(ERRORS, count)?;
        let mut classes = classes.into_iter();
        let parts = names.into_iter().zip(statuses).zip(estimates.into_iter().zip(errors));
        let coefficients = parts
            .map(|((name, status), (estimate, standard_error))| {
                let class = classes.next();
                Coefficient { name, class, estimate, standard_error, status, degrees }
            })
            .collect();
        Ok(Self {
            family,
            link,
            alpha,
            power,
            modelled_class,
            total_weight,
            null_deviance,
            coefficients,
            deviance: arrays.number(DEVIANCE)?,
            pearson: arrays.number(PEARSON)?,
            log_likelihood: arrays.number(LOG_LIKELIHOOD)?,
            dispersion: arrays.number(DISPERSION)?,
            residual_degrees,
            report,
            notes,
            features,
            intercept,
            encoding: table.map(Arc::new),
        })
    }
}

fn letter(status: CoefficientStatus) -> char {
    match status {
        CoefficientStatus::Estimated => 'e',
        CoefficientStatus::RunsAway { up: true } => '+',
        CoefficientStatus::RunsAway { up: false } => '-',
        CoefficientStatus::Undetermined => 'u',
    }
}

fn status(letter: char) -> Option<CoefficientStatus> {
    match letter {
        'e' => Some(CoefficientStatus::Estimated),
        '+' => Some(CoefficientStatus::RunsAway { up: true }),
        '-' => Some(CoefficientStatus::RunsAway { up: false }),
        'u' => Some(CoefficientStatus::Undetermined),
        _ => None,
    }
}

impl GlmFit {
    /// Writes it to `path` as a `safetensors` file, from which [`load`](Self::load) makes one with the same bits; the
    /// [page on model files](crate::guide::model_files) says what stands in it. At every moment the old file or the new one is there.
    ///
    /// # Errors
    /// Those of the file system, with the path.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), ModelFileError> {
        ModelFile::save(self, path)
    }

    /// Reads it from `path`. Holds twice the file plus 1 MiB at most.
    ///
    /// # Errors
    /// A file that is not there, damaged, of something else or of a later version, with the path and the place.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ModelFileError> {
        ModelFile::load(path)
    }

    /// The bytes of its file.
    ///
    /// # Errors
    /// More names than a file's header may hold.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelFileError> {
        ModelFile::to_bytes(self)
    }

    /// Reads it from the bytes of its file.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelFileError> {
        ModelFile::from_bytes(bytes)
    }
}
