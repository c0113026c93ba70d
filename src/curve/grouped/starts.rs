//! Automatic starts of a curve by groups.
//!
//! The curve is fitted to all groups as if they were one, and to some of the groups by themselves, from starts that are looked for as those
//! of any curve. Each of these ends gives values of the shared parameters; every group then takes the own values of the end that suits it
//! best, those that enter linearly solved for. The best of these starts are fitted to all groups for some steps, and the best of that is the
//! start.

use super::{Bounds, CurveProblem, Layout, Resolved, Said, minimize};
use crate::curve::starts::{Search, Sought};
use crate::error::FitError;
use rayon::prelude::*;
use secant_core::data::Dataset;
use secant_core::network::Network;
use secant_core::problem::Objective;

/// Groups that are fitted by themselves.
const ALONE: usize = 4;
/// Starts that are fitted to all groups, and the steps of these fits.
const FITTED: usize = 3;
const STEPS: u64 = 30;

type Found = (Vec<f64>, Option<String>);

/// θ with what is not known of `start` looked for, and a note on it.
pub(super) fn find(
    said: &Said,
    (resolved, layout): (&Resolved, &Layout),
    start: &[Option<f64>],
    bounds: &Bounds,
    problem: &CurveProblem<'_>,
) -> Result<Found, FitError> {
    let network = Network::from(resolved.formula.graph()?);
    let groups = layout.groups.len();
    let part = |g: usize| part(resolved, layout, start, g);
    let (mut ends, mut refusal) = (Vec::new(), None);
    let mut take = |one: Result<Resolved, FitError>| {
        let end = one.and_then(|one| {
            let theta = match one.whole_start() {
                Some(theta) => theta,
                None => said.search(&one, &network)?.0,
            };
            Ok(said.run(&one, &network, &one.data, &theta, true)?.into_model())
        });
        match end {
            Ok(model) => ends.push(model.theta().to_vec()),
            Err(error) => refusal = refusal.take().or(Some(error)),
        }
    };
    take(Ok(resolved.clone()));
    if groups > 1 {
        let seen = groups.min(ALONE);
        (0..seen).for_each(|i| take(part(i * (groups - 1) / (seen - 1).max(1))));
    }
    if let (true, Some(refusal)) = (ends.is_empty(), refusal) {
        return Err(refusal);
    }
    let mut candidates = Vec::new();
    for shared in &ends {
        let theta = assembled(said, (resolved, layout), start, (shared, &ends))?;
        let value = problem.value(&theta);
        if value.is_finite() {
            candidates.push((value, theta));
        }
    }
    candidates.sort_by(|one, other| one.0.total_cmp(&other.0));
    candidates.truncate(FITTED);
    let fitted = candidates.iter().filter_map(|(_, theta)| {
        let problem = CurveProblem::new(&resolved.formula, layout, &resolved.data);
        let plain = Said { robust: None, ..said.clone() };
        let (solution, _) = minimize(&plain, problem, bounds, theta, Some(STEPS)).ok()?;
        Some((solution.report.value, solution.theta))
    });
    let best = fitted
        .filter(|(value, _)| value.is_finite())
        .min_by(|one, other| one.0.total_cmp(&other.0));
    let theta = match best.or_else(|| candidates.into_iter().next()) {
        Some((_, theta)) => theta,
        None => assembled(said, (resolved, layout), start, (&ends[0], &ends))?,
    };
    let note = format!(
        "automatic start: from fits to all groups as one and to {} of them alone (seed {})",
        if groups > 1 { groups.min(ALONE) } else { 0 },
        said.seed
    );
    Ok((theta, Some(note)))
}

/// The curve of one group alone, its start as far as it is known.
fn part(
    resolved: &Resolved,
    layout: &Layout,
    start: &[Option<f64>],
    g: usize,
) -> Result<Resolved, FitError> {
    let data = samples_of(&resolved.data, layout, g)?;
    Ok(Resolved { data, start: layout.of_group(g, start), ..resolved.clone() })
}

fn samples_of(data: &Dataset, layout: &Layout, g: usize) -> Result<Dataset, FitError> {
    Ok(data.select(&layout.groups[g].clone().collect::<Vec<_>>())?)
}

/// θ with the shared parameters of one end, and the own ones of the end that suits each group best.
fn assembled(
    said: &Said,
    (resolved, layout): (&Resolved, &Layout),
    start: &[Option<f64>],
    (shared, ends): (&[f64], &[Vec<f64>]),
) -> Result<Vec<f64>, FitError> {
    let linear = resolved.formula.linear_parameters();
    let choose = |g: usize| -> Result<Vec<f64>, FitError> {
        let mut one = part(resolved, layout, start, g)?;
        let known = one.start.clone();
        let mut best: Option<(f64, Vec<f64>)> = None;
        for end in ends {
            for (k, start) in one.start.iter_mut().enumerate() {
                let own = layout.own.contains(&k);
                let solved = own && linear.contains(&k);
                let value = if own { end[k] } else { shared[k] };
                *start = known[k].or((!solved).then_some(value));
            }
            let (sum, theta) = Search::new(Sought::of(&one), said.draws, said.seed).solved();
            if best.as_ref().is_none_or(|(least, _)| sum < *least || least.is_nan()) {
                best = Some((sum, theta));
            }
        }
        Ok(best.map_or_else(|| shared.to_vec(), |(_, theta)| theta))
    };
    let each: Result<Vec<Vec<f64>>, FitError> =
        (0..layout.groups.len()).into_par_iter().map(choose).collect();
    let mut theta = vec![0.0; layout.dim()];
    for (g, parameters) in each?.iter().enumerate() {
        for (k, value) in parameters.iter().enumerate() {
            theta[layout.place(g, k)] = *value;
        }
    }
    Ok(theta)
}
