//! What a page is made of, gathered from a fit.

use super::Judged;
use super::linear::model_of;
use super::sections::{Block, CurvePicture, ESTIMATES, Ending, Estimates, Shape, Story};
use super::words::{capital, count, number, size};
use crate::compare::{Comparison, time};
use crate::curve::{CurveFit, Origin};
use crate::error::FitError;
use crate::fit::Fitted;
use crate::glm::{Coefficient, CoefficientStatus, GlmFit};
use crate::model::Model;
use secant_core::data::Dataset;
use secant_core::graph::Graph;
use secant_core::problem::Curvature;
use secant_core::risk::Risk;
use secant_core::text::{LONGEST, cut, enumerated};
use secant_optim::{Costs, Report};
use std::borrow::Cow;

/// Points at which a curve is drawn.
const POINTS: u32 = 240;
/// Of the bands of a curve.
const LEVEL: f64 = 0.95;

#[derive(Clone, Debug)]
pub(super) struct Contents {
    /// The title where none is given.
    pub title: String,
    pub story: Story,
    /// How to repeat it.
    pub origin: Vec<(String, String)>,
    /// What judges samples held out.
    pub judge: Option<Model>,
    pub report: Option<Report>,
    pub costs: Option<Costs>,
    pub shape: Option<Shape>,
    pub training: Option<Judged>,
    pub held_out: Option<Judged>,
    pub estimates: Option<Estimates>,
    pub curve: Option<CurvePicture>,
    pub comparison: Option<Comparison>,
}

impl Contents {
    pub(super) fn of_fit(fit: &Fitted, data: &Dataset) -> Result<Self, FitError> {
        let model = fit.model();
        let mut contents = Self::of_kind(model, data, kind(model), Some(fit.report()))?;
        contents.estimates = estimates_of(model, data);
        Ok(contents)
    }

    pub(super) fn of_model(model: &Model, data: &Dataset) -> Result<Self, FitError> {
        let mut contents = Self::of_kind(model, data, kind(model), None)?;
        contents.estimates = estimates_of(model, data);
        Ok(contents)
    }

    /// Of a model that is called `kind`, without its parameters.
    fn of_kind(
        model: &Model,
        data: &Dataset,
        kind: &str,
        report: Option<&Report>,
    ) -> Result<Self, FitError> {
        let training = Judged::of(model, data)?;
        let targets = enumerated(model.target_names().iter().map(String::as_str));
        let summary = model.fit_summary();
        let n = size(model.theta().len());
        let lead = format!(
            "{} of {}, fitted to {} of {} by {}.",
            capital(kind),
            count(n, "parameter"),
            count(size(summary.samples), "sample"),
            count(size(model.graph().features()), "feature"),
            chosen(&summary.method),
        );
        let mut facts = vec![
            ("method".to_owned(), chosen(&summary.method)),
            ("loss".to_owned(), model.loss().name().to_owned()),
            ("penalty".to_owned(), cut(&format!("{:?}", model.penalty()), LONGEST).into_owned()),
            ("value at the end".to_owned(), number(summary.value)),
            ("‖∇f‖∞ at the end".to_owned(), number(summary.gradient.max)),
            ("iterations".to_owned(), summary.iterations.to_string()),
        ];
        if model.input_scaling().is_some() {
            let both = model.target_scaling().is_some();
            let what = if both { "inputs and targets" } else { "inputs" };
            facts.push(("standardised".to_owned(), what.to_owned()));
        }
        let mut origin = vec![("secant".to_owned(), format!("version {}", summary.crate_version))];
        if let Some(seed) = summary.seed {
            origin.push(("seed".to_owned(), seed.to_string()));
        }
        let mut notes = Vec::new();
        let (fitted, shown) = (summary.samples, data.samples());
        if report.is_some_and(|report| report.validation.is_some()) && fitted < shown {
            notes.push(format!(
                "{fitted} of the {shown} samples that this page calls training were fitted; the others were held out within the fit and chose the iterate"
            ));
        } else if fitted != shown {
            notes.push(format!(
                "fitted were {fitted} samples; {shown} stand on this page as training"
            ));
        }
        let mut contents = Self {
            title: format!("{targets}: {kind}"),
            story: Story { lead, ending: Some(Ending::of(summary.reason)), facts, notes },
            origin,
            judge: Some(model.clone()),
            report: None,
            costs: None,
            shape: Some(Shape::of(model)),
            training: Some(training),
            held_out: None,
            estimates: None,
            curve: None,
            comparison: None,
        };
        if let Some(report) = report {
            contents.tell(report);
            contents.costs = costs_of(model, data);
        }
        Ok(contents)
    }

    /// What a report has beside the summary of a model.
    fn tell(&mut self, report: &Report) {
        let best = report.best_iteration;
        let iterations = if best == report.iterations {
            report.iterations.to_string()
        } else {
            format!("{}, the best at {best}", report.iterations)
        };
        self.set("iterations", iterations);
        self.set("time", time(report.seconds));
        self.set("evaluations of f", report.evaluations.of_f().to_string());
        if let Some(epochs) = report.epochs {
            self.set("epochs", number(epochs));
        }
        self.story.notes.extend(report.notes.iter().cloned());
        self.origin.push(("threads here".to_owned(), rayon::current_num_threads().to_string()));
        self.story.ending = Some(Ending::of(report.reason));
        self.report = Some(report.clone());
    }

    fn set(&mut self, name: &str, value: String) {
        self.story.set(name, value);
    }

    pub(super) fn of_curve(fit: &CurveFit) -> Result<Self, FitError> {
        let (model, data) = (fit.model(), fit.data());
        let mut contents = Self::of_kind(model, data, kind(model), Some(fit.report()))?;
        let targets = model.target_names().to_vec();
        contents.shape = Some(Shape::Formula { written: fit.written().clone(), targets });
        contents.estimates = Some(match fit.inference() {
            Ok(found) => Estimates::Inference(Box::new(found)),
            Err(error) => {
                let each = fit.parameters().iter();
                let values = each.map(|one| (one.name.clone(), one.value, origin(&one.origin)));
                let why = format!("No errors of the parameters: {error}.");
                Estimates::Values(values.collect(), why)
            }
        });
        contents.curve = picture(fit)?;
        Ok(contents)
    }

    pub(super) fn of_glm(fit: &GlmFit, data: &Dataset) -> Result<Self, FitError> {
        let model = model_of(fit, data)?;
        let (family, link) = (fit.family.name(), fit.link.name());
        let kind = format!("a generalised linear model ({}, {link} link)", capital(family));
        let mut contents = Self::of_kind(&model, data, &kind, Some(&fit.report))?;
        contents.story.facts.retain(|(name, _)| name != "penalty" && name != "standardised");
        contents.set("family", capital(family));
        contents.set("link", link.to_owned());
        if let Some(class) = &fit.modelled_class {
            contents.set("probability of", cut(class, LONGEST).into_owned());
        }
        contents.story.notes.extend(fit.notes.iter().cloned());
        let away = |one: &Coefficient| matches!(one.status, CoefficientStatus::RunsAway { .. });
        if fit.coefficients.iter().any(away) {
            contents.story.ending = Some(Ending::without_maximum());
        }
        contents.shape = Some(Shape::Words(format!(
            "The {link} of the mean is a weighted sum of the features{}.",
            if fit.has_intercept() { " and a constant" } else { "" }
        )));
        contents.estimates = Some(Estimates::Glm(Box::new(fit.clone())));
        Ok(contents)
    }

    pub(super) fn of_comparison(table: &Comparison) -> Self {
        let methods = count(size(table.rows.len()), "method");
        let parameters = count(size(table.parameters), "parameter");
        let lead = format!(
            "{methods} on one problem of {parameters}, from one start with f = {}; the lowest value found is {}.",
            number(table.initial_value),
            number(table.best_value)
        );
        let version = format!("version {}", env!("CARGO_PKG_VERSION"));
        let threads = rayon::current_num_threads().to_string();
        Self {
            title: format!("{methods} compared"),
            story: Story { lead, ending: None, facts: Vec::new(), notes: Vec::new() },
            origin: vec![("secant".to_owned(), version), ("threads here".to_owned(), threads)],
            judge: None,
            report: None,
            costs: None,
            shape: None,
            training: None,
            held_out: None,
            estimates: None,
            curve: None,
            comparison: Some(table.clone()),
        }
    }

    pub(super) fn hold_out(&mut self, data: &Dataset) -> Result<(), FitError> {
        let model = self.judge.as_ref().ok_or(FitError::HeldOutOfComparison)?;
        let judged = Judged::of(model, data)?;
        if let (Some(curve), Some(output)) = (&mut self.curve, judged.outputs.first()) {
            let x = model.inputs_of(data)?;
            let points = output.entries.iter().map(|entry| (x[entry.row - 1], entry.observed));
            curve.held_out = points.collect();
        }
        self.held_out = Some(judged);
        Ok(())
    }
}

/// What a model is, in a few words.
fn kind(model: &Model) -> &'static str {
    let nodes = model.graph().nodes();
    match nodes {
        [one] if one.op().is_linear_map() => "a linear model",
        [one] if one.op().describe().is_some_and(|op| op.op() == "formula") => "a formula",
        _ if model.graph().is_affine() => "a model linear in its parameters",
        _ => "a network",
    }
}

/// The name of a method, and whether it was chosen for the problem.
fn chosen(method: &str) -> String {
    match method.strip_prefix("Auto: ") {
        Some(method) => format!("{method}, chosen automatically"),
        None => method.to_owned(),
    }
}

/// The data with the columns of the model in its order.
fn matched<'a>(model: &Model, data: &'a Dataset) -> Result<Cow<'a, Dataset>, FitError> {
    if model.match_features(data).is_exact() {
        return Ok(Cow::Borrowed(data));
    }
    let inputs = model.inputs_of(data)?.into_owned();
    let mut own = Dataset::new(model.graph().features(), inputs, data.targets().clone())?;
    if let Some(weights) = data.weights() {
        own = own.with_weights(weights.to_vec())?;
    }
    if let Some(offset) = data.offset() {
        own = own.with_offset(offset.to_vec())?;
    }
    Ok(Cow::Owned(own))
}

/// What evaluations cost on these data, counted node by node.
fn costs_of(model: &Model, data: &Dataset) -> Option<Costs> {
    let own = matched(model, data).ok()?;
    let graph: &Graph = &model.graph;
    let risk = Risk::from_shared(graph, &own, model.loss.clone(), model.penalty.clone()).ok()?;
    let counted = risk.structure().costs;
    Some(counted.map_or_else(|| Costs::counted(model.theta.len()), |flops| Costs::of_flops(&flops)))
}

/// Errors where parameters have a meaning of their own: of linear models and formulas. Else the blocks.
fn estimates_of(model: &Model, data: &Dataset) -> Option<Estimates> {
    let named = matches!(model.graph().nodes(), [_]) && model.theta().len() <= ESTIMATES;
    let why = if named {
        let found = matched(model, data).and_then(|own| {
            let found = model.inference(&own)?;
            Ok(found.table().cloned())
        });
        match found {
            Ok(Some(table)) => return Some(Estimates::Inference(Box::new(table))),
            Ok(None) => "No errors of the parameters: there are too many.".to_owned(),
            Err(error) => format!("No errors of the parameters: {error}."),
        }
    } else {
        "Single parameters of a network mean little, and have no errors here.".to_owned()
    };
    let blocks: Vec<Block> = model.parameters().map(|block| Block::of(&block)).collect();
    (!blocks.is_empty()).then_some(Estimates::Blocks(blocks, why))
}

/// Where the value of a parameter comes from.
fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Free { start, .. } => format!("fitted, started at {}", number(*start)),
        Origin::Fixed => "fixed".to_owned(),
        Origin::Tied { formula } => format!("tied: {formula}"),
    }
}

/// The picture of a curve with one input and one output.
fn picture(fit: &CurveFit) -> Result<Option<CurvePicture>, FitError> {
    let data = fit.data();
    if data.features() != 1 || fit.written().outputs() != 1 || data.offset().is_some() {
        return Ok(None);
    }
    let x = data.inputs();
    let y = data.targets().values().unwrap_or_default();
    let least = x.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let place = |k: u32| least + (largest - least) * f64::from(k) / f64::from(POINTS);
    let along: Vec<f64> = (0..=POINTS).map(place).collect();
    let weights = data.weights().filter(|_| fit.has_absolute_sigma());
    let sigma = weights.map(|weights| weights.iter().map(|w| w.sqrt().recip()).collect());
    Ok(Some(CurvePicture {
        x: cut(&data.feature_names()[0], LONGEST).into_owned(),
        y: cut(data.target_names().first().map_or("y", String::as_str), LONGEST).into_owned(),
        data: x.iter().copied().zip(y.iter().copied()).collect(),
        sigma,
        held_out: Vec::new(),
        curve: fit.predict(&along)?,
        // Without errors there is no band, as the section on parameters says.
        band: fit.band(&along, LEVEL).unwrap_or_default(),
        along,
        level: LEVEL,
        predicts: data.weights().is_none(),
    }))
}
