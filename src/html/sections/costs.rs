//! What the run cost.

use crate::compare::{amount, time};
use crate::html::table::{Cell, Table};
use crate::html::words::{grouped, percent};
use maud::{Markup, html};
use secant_optim::{Costs, Evaluations, Report};

/// The kinds of evaluations that were made, with how many there were and what one costs in gradients.
fn kinds(e: &Evaluations, c: &Costs) -> Vec<(&'static str, u64, f64)> {
    let all = [
        ("f", e.value, c.value),
        ("f with ∇f", e.value_gradient, c.value_gradient),
        ("f with ∇f on a minibatch", e.sampled_gradient, f64::NAN),
        ("linearisation", e.linearize, c.linearize),
        ("dense Hessian", e.hessian, c.hessian),
        ("dense Gauss–Newton matrix", e.gauss_newton, c.gauss_newton),
        ("Hessian · vector", e.hessian_vector, c.hessian_vector),
        ("Gauss–Newton · vector", e.gauss_newton_vector, c.gauss_newton_vector),
        ("residuals", e.residuals, c.residuals),
        ("Jacobian", e.jacobian, c.jacobian),
        ("JᵀJ with Jᵀr", e.normal_equations, c.normal_equations),
        ("diagonal of JᵀJ", e.normal_diagonal, c.normal_diagonal),
        ("J · vector", e.jacobian_vector, c.jacobian_vector),
        ("Jᵀ · vector", e.jacobian_transpose_vector, c.jacobian_transpose_vector),
    ];
    all.into_iter().filter(|(_, count, _)| *count > 0).collect()
}

pub(in crate::html) fn costs(report: &Report, costs: &Costs) -> Option<Markup> {
    let kinds = kinds(&report.evaluations, costs);
    if kinds.is_empty() {
        return None;
    }
    let known = kinds.iter().filter(|(.., cost)| !cost.is_nan());
    let total: f64 = known.map(|(_, count, cost)| *count as f64 * cost).sum();
    let mut table = Table::new(
        "Evaluations by kind; a gradient-equivalent is the work of f with ∇f on all samples, by a count of operations",
        ["evaluation", "how many", "gradient-equivalents each", "together", "share"],
    )
    .sortable();
    for (kind, count, cost) in &kinds {
        let all = *count as f64 * cost;
        let numbers = if cost.is_nan() {
            [Cell::empty(), Cell::empty(), Cell::empty()]
        } else {
            [
                Cell::shown(amount(*cost), *cost),
                Cell::shown(amount(all), all),
                Cell::shown(percent(all / total), all),
            ]
        };
        let first = [Cell::text(*kind), Cell::shown(grouped(*count), *count as f64)];
        table.row(first.into_iter().chain(numbers).collect());
    }
    Some(html! {
        (table.render())
        p.note { "The run took " (time(report.seconds)) " of wall-clock time, evaluations and the linear algebra of the method together." }
    })
}
