//! The parameters: estimates with their errors, or the blocks of a network.

use crate::glm::{Coefficient, CoefficientStatus, GlmFit};
use crate::html::table::{Cell, Heat, Table};
use crate::html::words::{decimals, minus, number, percent};
use crate::model::Parameter;
use maud::{Markup, html};
use secant_optim::inference::{
    Estimate, Inference, Status, probability, rounded, rounded_interval,
};

/// Estimates in a table, at most.
pub(in crate::html) const SHOWN: usize = 200;
/// Estimates whose correlations are shown, at most.
const CORRELATED: usize = 30;
/// Of the intervals of coefficients.
const LEVEL: f64 = 0.95;

/// A block of the parameters of a network.
#[derive(Clone, Debug)]
pub(in crate::html) struct Block {
    pub name: String,
    pub rows: usize,
    pub cols: usize,
    pub role: String,
    pub values: Vec<f64>,
}

impl Block {
    pub(in crate::html) fn of(block: &Parameter<'_>) -> Self {
        Self {
            name: block.name.to_owned(),
            rows: block.rows,
            cols: block.cols,
            role: format!("{:?}", block.role).to_lowercase(),
            values: block.values.to_vec(),
        }
    }
}

/// What is known of the parameters.
#[derive(Clone, Debug)]
pub(in crate::html) enum Estimates {
    Inference(Box<Inference>),
    Glm(Box<GlmFit>),
    /// Names with values and where these come from, and why there are no errors.
    Values(Vec<(String, f64, String)>, String),
    /// Blocks, and why there are no errors.
    Blocks(Vec<Block>, String),
}

pub(in crate::html) fn estimates(estimates: &Estimates) -> Markup {
    match estimates {
        Estimates::Inference(found) => inference(found),
        Estimates::Glm(fit) => coefficients(fit),
        Estimates::Values(values, why) => html! { (plain(values)) p.note { (why) } },
        Estimates::Blocks(blocks, why) => html! { (of_blocks(blocks)) p.note { (why) } },
    }
}

fn one(found: &Inference, j: usize) -> Vec<Cell> {
    let Estimate { name, value, standard_error, status, start } = &found.estimates[j];
    let start = start.map_or_else(Cell::empty, Cell::number);
    let why = match status {
        Status::AtBound => "at its bound",
        Status::Fixed => "fixed",
        Status::Open => "not determined",
        Status::Estimated if standard_error.is_nan() => "no error",
        Status::Estimated => {
            let interval = found.interval_at(j, found.level);
            return vec![
                Cell::name(name),
                Cell::shown(minus(&rounded(*value, *standard_error)), *value),
                Cell::shown(
                    minus(&rounded_interval(interval, *value, *standard_error)),
                    interval.0,
                ),
                Cell::shown(decimals(found.t(j), 2), found.t(j)),
                Cell::shown(minus(&probability(found.p(j))), found.p(j)),
                start,
            ];
        }
    };
    let bare = Cell::shown(format!("{} ({why})", number(*value)), *value);
    vec![Cell::name(name), bare, Cell::empty(), Cell::empty(), Cell::empty(), start]
}

fn inference(found: &Inference) -> Markup {
    let k = found.estimates.len();
    let interval = format!("{} interval", percent(found.level).replace(".0", ""));
    let ratio = if found.absolute_sigma { "z" } else { "t" };
    let started = found.estimates.iter().any(|estimate| estimate.start.is_some());
    let columns = if started { 6 } else { 5 };
    let head = ["parameter", "value ± standard error", &interval, ratio, "p", "start"];
    let mut table = Table::new(
        "Parameters; p is the probability of an estimate so far from 0 where the parameter is 0",
        head.into_iter().take(columns),
    )
    .sortable();
    for j in 0..k.min(SHOWN) {
        table.row(one(found, j).into_iter().take(columns).collect());
    }
    let measures = &found.measures;
    let facts = [
        ("observations", found.observations as f64),
        ("degrees of freedom", found.degrees),
        ("residual deviation", found.residual_deviation),
        ("R²", measures.r_squared),
        ("adjusted R²", measures.adjusted_r_squared),
        ("χ²", measures.chi_squared),
        ("p of χ²", measures.chi_squared_p),
        ("ln L", measures.log_likelihood),
        ("AIC", measures.aic),
        ("AICc", measures.aicc),
        ("BIC", measures.bic),
    ];
    let names: Vec<String> = found.estimates.iter().map(|estimate| estimate.name.clone()).collect();
    let correlated = (2..=CORRELATED).contains(&k)
        && (0..k).any(|i| (0..i).any(|j| found.correlation(i, j).is_finite()));
    html! {
        (table.render())
        @if k > SHOWN { p.note { "The first " (SHOWN) " of " (k) " parameters." } }
        dl.facts {
            @for (name, value) in facts.iter().filter(|(_, value)| !value.is_nan()) {
                div { dt { (name) } dd { (number(*value)) } }
            }
        }
        @for direction in &found.open_directions { p.note { "Not determined by the data: " (direction) } }
        @for note in &found.notes { p.note { (note) } }
        @if correlated { (correlations(&names, &|i, j| found.correlation(i, j))) }
    }
}

fn correlations(names: &[String], of: &dyn Fn(usize, usize) -> f64) -> Markup {
    let shade = |i: usize, j: usize| if i == j || of(i, j).is_nan() { 0.0 } else { of(i, j) };
    let text = |i: usize, j: usize| decimals(of(i, j), 2);
    let heat = Heat {
        caption: "Correlations of the estimates: near ±1 two parameters can stand in for each other, and only a combination of them is well known",
        axes: ["", ""],
        names,
        text: &text,
        shade: &shade,
        ending: None,
    };
    heat.render()
}

fn coefficients(fit: &GlmFit) -> Markup {
    let ratio = if fit.family.estimates_dispersion() { "t" } else { "z" };
    let head = ["coefficient", "estimate ± standard error", "95 % interval", ratio, "p"];
    let caption = "Coefficients, in the units of the data; p is the probability of an estimate so far from 0 where the coefficient is 0";
    let mut table = Table::new(caption, head).sortable();
    let cells = |one: &Coefficient| {
        let why = match one.status {
            CoefficientStatus::RunsAway { up: true } => "runs away to ∞",
            CoefficientStatus::RunsAway { up: false } => "runs away to −∞",
            CoefficientStatus::Undetermined => "not determined",
            CoefficientStatus::Estimated if one.standard_error.is_nan() => "no error",
            CoefficientStatus::Estimated => {
                let [low, high] = one.confidence_interval(LEVEL).unwrap_or([f64::NAN; 2]);
                let (estimate, error) = (one.estimate, one.standard_error);
                return vec![
                    Cell::text(one.label()),
                    Cell::shown(minus(&rounded(estimate, error)), estimate),
                    Cell::shown(minus(&rounded_interval((low, high), estimate, error)), low),
                    Cell::shown(decimals(one.z(), 2), one.z()),
                    Cell::shown(minus(&probability(one.p_value())), one.p_value()),
                ];
            }
        };
        let bare = Cell::shown(format!("{} ({why})", number(one.estimate)), one.estimate);
        vec![Cell::text(one.label()), bare, Cell::empty(), Cell::empty(), Cell::empty()]
    };
    for one in fit.coefficients.iter().take(SHOWN) {
        table.row(cells(one));
    }
    let facts = [
        ("deviance", fit.deviance),
        ("deviance of the mean alone", fit.null_deviance),
        ("degrees of freedom", fit.residual_degrees),
        ("dispersion", fit.dispersion),
        ("log-likelihood", fit.log_likelihood),
        ("AIC", fit.aic()),
        ("BIC", fit.bic()),
    ];
    html! {
        (table.render())
        @if fit.coefficients.len() > SHOWN { p.note { "The first " (SHOWN) " of " (fit.coefficients.len()) " coefficients." } }
        dl.facts {
            @if let Some(alpha) = fit.alpha {
                div { dt { "α" } dd { (minus(&rounded(alpha.estimate, alpha.standard_error))) } }
            }
            @for (name, value) in facts.iter().filter(|(_, value)| !value.is_nan()) {
                div { dt { (name) } dd { (number(*value)) } }
            }
        }
    }
}

fn plain(values: &[(String, f64, String)]) -> Markup {
    let mut table = Table::new("Parameters", ["parameter", "value", "from"]).sortable();
    for (name, value, origin) in values.iter().take(SHOWN) {
        table.row(vec![Cell::name(name), Cell::number(*value), Cell::name(origin)]);
    }
    table.render()
}

fn of_blocks(blocks: &[Block]) -> Markup {
    let head = ["block", "shape", "parameters", "kind", "smallest", "largest", "root mean square"];
    let mut table =
        Table::new("Blocks of parameters, in the units of the fit: standardised ones, where the summary says so", head).sortable();
    for Block { name, rows, cols, role, values } in blocks.iter().take(SHOWN) {
        let n = values.len() as f64;
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let square: f64 = values.iter().map(|v| v * v).sum::<f64>() / n;
        table.row(vec![
            Cell::name(name),
            Cell::text(format!("{rows} × {cols}")),
            Cell::shown(values.len().to_string(), n),
            Cell::text(role.clone()),
            Cell::number(least),
            Cell::number(largest),
            Cell::number(square.sqrt()),
        ]);
    }
    table.render()
}
