//! An order in which every node comes after what it needs  (Kahn 1962).

use super::{Description, DescriptionError, INPUT};
use crate::text::{did_you_mean, enumerated, quoted};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// Positions of the nodes, each after its inputs and after the owners of the blocks that it shares; otherwise as in the file.
pub(super) fn topological(description: &Description) -> Result<Vec<usize>, DescriptionError> {
    let needs = needs(description)?;
    let count = needs.len();
    let mut users = vec![Vec::new(); count];
    let mut open = vec![0_usize; count];
    for (node, needed) in needs.iter().enumerate() {
        open[node] = needed.len();
        for &other in needed {
            users[other].push(node);
        }
    }
    let ready = (0..count).filter(|&node| open[node] == 0).map(Reverse);
    let mut ready: BinaryHeap<Reverse<usize>> = ready.collect();
    let mut order = Vec::with_capacity(count);
    while let Some(Reverse(node)) = ready.pop() {
        order.push(node);
        for &user in &users[node] {
            open[user] -= 1;
            if open[user] == 0 {
                ready.push(Reverse(user));
            }
        }
    }
    if order.len() == count { Ok(order) } else { Err(cycle(description, &needs, &open)) }
}

/// For each node the nodes that must come before it.
fn needs(description: &Description) -> Result<Vec<Vec<usize>>, DescriptionError> {
    let nodes = &description.nodes;
    let mut positions: HashMap<&str, usize> = HashMap::new();
    for (index, node) in nodes.iter().enumerate() {
        if node.name == INPUT {
            let (place, name) = (description.place(index), node.name.clone());
            return Err(DescriptionError::ReservedName { place, name });
        }
        if let Some(first) = positions.insert(&node.name, index) {
            let place = description.place(index);
            return Err(DescriptionError::DuplicateName { place, first: first + 1 });
        }
    }
    let mut needs = Vec::with_capacity(nodes.len());
    for (index, node) in nodes.iter().enumerate() {
        let mut needed = Vec::new();
        for input in description.inputs(index) {
            if input == INPUT {
                continue;
            }
            let Some(&position) = positions.get(input) else {
                let place = description.place(index);
                let (known, hint) =
                    (enumerated(description.names()), did_you_mean(input, description.names()));
                let input = input.to_owned();
                return Err(DescriptionError::UnknownInput { place, input, known, hint });
            };
            needed.push(position);
        }
        // `hidden.weight` belongs to `hidden`. The builder refuses a block that nobody owns.
        let owner = |block: &String| {
            let (owner, _) = block.rsplit_once('.')?;
            positions.get(owner).copied()
        };
        needed.extend(node.share.iter().flatten().filter_map(owner));
        needs.push(needed);
    }
    Ok(needs)
}

/// The names along one cycle among the nodes that are still open.
fn cycle(description: &Description, needs: &[Vec<usize>], open: &[usize]) -> DescriptionError {
    // Every open node needs another open one: going on to it repeats a node sooner or later.
    let next = |node: usize| needs[node].iter().copied().find(|&other| open[other] > 0);
    let mut seen = vec![false; needs.len()];
    let mut at = (0..open.len()).find(|&node| open[node] > 0);
    while let Some(node) = at.filter(|&node| !seen[node]) {
        seen[node] = true;
        at = next(node);
    }
    let mut names = Vec::new();
    let first = at;
    while let Some(node) = at {
        names.push(description.nodes[node].name.as_str());
        at = next(node).filter(|_| names.len() == 1 || at != first);
    }
    // From a node to the one that takes it.
    names.reverse();
    let names: Vec<String> = names.into_iter().map(|name| quoted(name).to_string()).collect();
    DescriptionError::Cycle(names.join(" → "))
}
