//! Automatic starts of a curve by groups.
//!
//! The curve is fitted to all groups as if they were one, and to some of the groups by themselves, from starts that are looked for as those
//! of any curve. Each of these ends gives values of the shared parameters; every group then takes the own values of the end that suits it
//! best, those that enter linearly solved for. The best of these starts are fitted for some steps, and the best of that is the start. With many
//! groups all this is done with some of them, and the others take the own values that suit them of those that were found.

use super::{CurveProblem, Layout, Resolved, Said, minimize, spread};
use crate::curve::starts::{Search, Sought};
use crate::error::FitError;
use rayon::prelude::*;
use secant_core::data::Dataset;
use secant_core::network::Network;
use secant_core::problem::Objective;

/// Groups that starts are looked for in; the others take what was found.
const SEEN: usize = 32;
/// Groups of these that are fitted by themselves.
const ALONE: usize = 4;
/// Starts that are fitted to all of these, and the steps of these fits.
const FITTED: usize = 3;
const STEPS: u64 = 30;

/// θ and a note on it.
pub type Found = (Vec<f64>, Option<String>);

/// θ with what is not known of `start` looked for, and a note on it.
pub(super) fn find(
    said: &Said,
    (resolved, layout): (&Resolved, &Layout),
    start: &[Option<f64>],
) -> Result<Found, FitError> {
    let groups = layout.groups.len();
    let chosen: Vec<usize> = spaced(groups, SEEN).collect();
    let (some, theta) = if chosen.len() == groups {
        let theta = of_some(said, (resolved, layout), start)?;
        (layout.clone(), theta)
    } else {
        let (few, some, start) = part_of(resolved, layout, start, &chosen)?;
        let theta = of_some(said, (&few, &some), &start)?;
        (some, theta)
    };
    let note = Some(format!(
        "automatic start: from fits to {} groups as one and to {} of them alone (seed {})",
        chosen.len(),
        chosen.len().min(ALONE),
        said.seed
    ));
    if chosen.len() == groups {
        return Ok((theta, note));
    }
    let ends: Vec<Vec<f64>> =
        spaced(chosen.len(), ALONE + 1).map(|g| some.of_group(g, &theta)).collect();
    Ok((assembled(said, (resolved, layout), start, (&ends[0], &ends))?, note))
}

/// At most `most` of the numbers below `count`, at equal distances.
fn spaced(count: usize, most: usize) -> impl Iterator<Item = usize> {
    let some = count.min(most);
    (0..some).map(move |i| if some == count { i } else { i * (count - 1) / (some - 1).max(1) })
}

/// θ of groups that are all looked at.
fn of_some(
    said: &Said,
    (resolved, layout): (&Resolved, &Layout),
    start: &[Option<f64>],
) -> Result<Vec<f64>, FitError> {
    let network = Network::from(resolved.formula.graph()?);
    let groups = layout.groups.len();
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
        spaced(groups, ALONE).for_each(|g| take(part(resolved, layout, start, g)));
    }
    if let (true, Some(refusal)) = (ends.is_empty(), refusal) {
        return Err(refusal);
    }
    let bounds = spread(layout, &resolved.bounds)?;
    let mut candidates = Vec::new();
    for shared in &ends {
        let theta = assembled(said, (resolved, layout), start, (shared, &ends))?;
        let problem = CurveProblem::new(&resolved.formula, layout, &resolved.data);
        candidates.push((problem.value(&theta), theta));
    }
    // NaN comes last.
    candidates.sort_by(|one, other| one.0.total_cmp(&other.0));
    let plain = Said { robust: None, ..said.clone() };
    let fitted = candidates.iter().take(FITTED).filter_map(|(_, theta)| {
        let problem = CurveProblem::new(&resolved.formula, layout, &resolved.data);
        let (solution, _) = minimize(&plain, problem, &bounds, theta, Some(STEPS)).ok()?;
        Some((solution.report.value, solution.theta))
    });
    let finite = fitted.filter(|(value, _)| value.is_finite());
    let best = finite.min_by(|one, other| one.0.total_cmp(&other.0));
    Ok(best.unwrap_or_else(|| candidates.swap_remove(0)).1)
}

/// Some of the groups, with their starts.
fn part_of(
    resolved: &Resolved,
    layout: &Layout,
    start: &[Option<f64>],
    chosen: &[usize],
) -> Result<(Resolved, Layout, Vec<Option<f64>>), FitError> {
    let (mut samples, mut groups) = (Vec::new(), Vec::new());
    for g in chosen {
        let first = samples.len();
        samples.extend(layout.groups[*g].clone());
        groups.push(first..samples.len());
    }
    let some = Layout { groups, ..layout.clone() };
    let mut of_some = vec![None; some.dim()];
    for (i, g) in chosen.iter().enumerate() {
        for (k, value) in layout.of_group(*g, start).into_iter().enumerate() {
            of_some[some.place(i, k)] = value;
        }
    }
    let few = Resolved { data: resolved.data.select(&samples)?, ..resolved.clone() };
    Ok((few, some, of_some))
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
