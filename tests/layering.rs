//! Who may know whom: the import order of DESIGN §3, read from the sources.
//!
//! Looks at every path that starts with `crate`, `super`, `self` or a crate of the workspace, in `use` and elsewhere; comments
//! and `#[cfg(test)]` modules are not looked at. The other tests plant a violation of every rule and see it reported.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Modules of `secant-core` in order: a module imports from rows above its own only.
const CORE: &[&[&str]] = &[
    &["choice", "double_double", "elementwise", "random", "real", "rho", "special", "text"],
    &["problem", "files"],
    &["differences"],
    &["operator", "check"],
    &["data", "shape", "params"],
    &["op", "init"],
    // The checks of single nodes know what a node is; those of objectives do not.
    &["loss", "penalty", "check::node"],
    &["graph"],
    &["formula"],
    &["partition", "tape", "tasks", "description"],
    &["sweep"],
    &["network", "predict"],
    &["risk"],
];

/// Modules of `secant-optim` in order.
const OPTIM: &[&[&str]] = &[
    &["error", "run::nonfinite", "run::evaluations", "inference::distributions"],
    &["run::costs"],
    &["linalg", "run::memory", "problem", "minibatch::batches", "minibatch::schedule"],
    &["krylov", "line_search", "linear"],
    &["subproblem", "quadratic_model"],
    &["run::stopping"],
    &["run::limits"],
    &["run::fit_solver", "run::state"],
    &["run::checkpoint"],
    &["run::eval"],
    &["solver"],
    &["run::report", "run::watch"],
    &["run::minimize"],
    &["minibatch::sampled"],
    &["solver::least_squares::variable_projection"],
    &["method", "many", "run", "minibatch"],
    &["method::robust", "method::lasso_path", "method::rate_finder", "inference"],
];

/// Modules of `secant-optim` that do not know argmin.
const KERNELS: &[&str] =
    &["linalg", "krylov", "line_search", "linear", "subproblem", "quadratic_model"];
/// Wings of `solver/`: a folder of methods each.
const WINGS: &[&str] = &["constrained", "first_order", "least_squares", "newton", "quasi_newton"];
/// Files in `solver/` that hold steps that several solvers share, and no solver.
const SHARED_STEPS: &[&str] = &[
    "line_step",
    "model",
    "residual_model",
    "polish",
    "preconditioning",
    "probe",
    "region",
    "safeguard",
];
/// All that `secant-optim` may know of `secant-core`.
const SEEN_BY_OPTIM: &[&str] = &[
    "problem",
    "differences",
    "operator",
    "random",
    "real",
    "rho",
    "double_double",
    "text",
    "files",
    "error",
];

/// Workspace crates in order, with the folders of their sources: a crate imports from those above it only.
const CRATES: &[(&str, &str, &str)] = &[
    ("secant_core", "crates/core/src", "crates/core/Cargo.toml"),
    ("secant_optim", "crates/optim/src", "crates/optim/Cargo.toml"),
    ("secant", "src", "Cargo.toml"),
    ("secant_cli", "crates/cli/src", "crates/cli/Cargo.toml"),
    ("_core", "python/src", "python/Cargo.toml"),
];

/// Circles between the files of one folder that are known, by crate and folder; the files are those of the circle.
const KNOWN_CIRCLES: &[(&str, &str, &[&str])] = &[
    // The order of `secant_optim` has finer rows than its folders.
    ("secant_optim", "", &["minibatch", "solver"]),
    // The form that solves at a point, and what it is given of the point.
    (
        "secant_optim",
        "solver::least_squares::residual_model",
        &["at", "form", "lsmr", "second_order"],
    ),
    // One error for the facade holds that of its part.
    ("secant", "", &["error", "glm"]),
    // The information at a maximum at infinity is that of the samples which are not separated.
    ("secant", "glm", &["information", "separation"]),
    // A figure draws its legend, which is measured by the figure.
    ("secant", "plot", &["figure", "legend"]),
];

/// A crate's files by module, without comments and tests.
type Files = BTreeMap<Vec<String>, String>;

/// Every circle of imports between the files (or folders) of one folder: the folder, and which they are. A name that the folder's own file
/// re-exports counts as its file's.
fn circles(files: &Files) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let targets: Vec<(&Vec<String>, Vec<Vec<String>>)> = files
        .iter()
        .map(|(module, text)| {
            (module, references(text).iter().map(|path| resolve(module, path)).collect())
        })
        .collect();
    for folder in files.keys() {
        let child = |module: &[String]| {
            module.strip_prefix(&folder[..]).and_then(|rest| rest.first()).cloned()
        };
        let children: BTreeSet<String> = files.keys().filter_map(|module| child(module)).collect();
        let names = reexported(&files[folder], &children);
        let mut edges: BTreeSet<(String, String)> = BTreeSet::new();
        for (module, targets) in &targets {
            let Some(own) = child(module) else { continue };
            for target in targets.iter().filter_map(|target| child(target)) {
                let target = names.get(&target).filter(|target| **target != own);
                edges.extend(target.map(|target| (own.clone(), target.clone())));
            }
        }
        let reached = |from: &String| {
            let (mut seen, mut rest) = (BTreeSet::new(), vec![from.clone()]);
            while let Some(at) = rest.pop() {
                let next = edges.iter().filter(|(a, _)| *a == at).map(|(_, b)| b.clone());
                rest.extend(next.filter(|b| seen.insert(b.clone())));
            }
            seen
        };
        let reach: BTreeMap<&String, _> =
            children.iter().map(|name| (name, reached(name))).collect();
        let mut seen = BTreeSet::new();
        for name in &children {
            let circle: Vec<String> =
                reach[name].iter().filter(|other| reach[other].contains(name)).cloned().collect();
            if !circle.is_empty() && seen.insert(circle.clone()) {
                found.push((folder.join("::"), circle));
            }
        }
    }
    found
}

/// What the names in a folder's own file mean: its files, and what it re-exports of them.
fn reexported(text: &str, children: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut names: BTreeMap<String, String> =
        children.iter().map(|name| (name.clone(), name.clone())).collect();
    for item in text.split("use ").skip(1) {
        let mut paths = Vec::new();
        spread(item, &mut Vec::new(), &mut paths);
        for path in paths {
            let path: Vec<&String> = path.iter().skip_while(|part| *part == "self").collect();
            if let [first, .., last] = path[..]
                && children.contains(first)
                && !children.contains(last)
            {
                names.insert(last.clone(), first.clone());
            }
        }
    }
    names
}

/// Every violation in `text`, the file `file` (relative to the source folder) of `krate`.
fn violations(krate: &str, file: &str, text: &str) -> Vec<String> {
    let module = module_of(file);
    let mut found = Vec::new();
    for (module, text) in inline_modules(&module, &without_tests(&without_comments(text))) {
        for path in references(&text) {
            if let Some(rule) = broken_rule(krate, &module, &path) {
                found.push(format!("{krate}: {file} refers to {}: {rule}", path.join("::")));
            }
        }
    }
    let unplaced = |order| !module.is_empty() && rank(order, &module).is_none();
    if order_of(krate).is_some_and(unplaced) {
        found.push(format!("{krate}: {file} has no place in the order"));
    }
    found
}

/// The text of `module` without its inline modules, and these with their own texts.
fn inline_modules(module: &[String], text: &str) -> Vec<(Vec<String>, String)> {
    let mut own = String::new();
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("mod ") {
        let (before, item) = rest.split_at(start);
        let name = item["mod ".len()..].trim_start();
        let (name, body) = name.split_at(identifier(name));
        let starts_word = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        own.push_str(before);
        if !(starts_word && body.trim_start().starts_with('{')) {
            own.push_str("mod ");
            rest = &item["mod ".len()..];
            continue;
        }
        let end = end_of_item(body);
        let inner = [module, &[name.to_string()]].concat();
        found.extend(inline_modules(&inner, &body[..end]));
        rest = &body[end..];
    }
    own.push_str(rest);
    found.push((module.to_vec(), own));
    found
}

/// Length of an item up to its `;` or the brace that closes it.
fn end_of_item(text: &str) -> usize {
    let open = text.find(['{', ';']).unwrap_or(text.len());
    let mut depth = 0_usize;
    for (index, c) in text.char_indices().skip_while(|(index, _)| *index < open) {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    text.len()
}

/// The rule that a reference from `module` of `krate` to `path` breaks.
fn broken_rule(krate: &str, module: &[String], path: &[String]) -> Option<String> {
    let head = path[0].as_str();
    let position = |name: &str| CRATES.iter().position(|(other, ..)| *other == name);
    if let Some(other) = position(head) {
        if position(krate)? <= other {
            return Some(format!("{krate} comes before {head}"));
        }
        if (krate, head) == ("secant_optim", "secant_core") {
            let seen = path.get(1).is_some_and(|name| SEEN_BY_OPTIM.contains(&name.as_str()));
            return (!seen).then(|| format!("solvers see only {SEEN_BY_OPTIM:?} of secant_core"));
        }
        return None;
    }
    if head == "argmin" {
        let kernel = krate == "secant_optim"
            && module.first().is_some_and(|name| KERNELS.contains(&name.as_str()));
        let rule = || format!("{krate}::{} does not know argmin", module.join("::"));
        return (kernel || krate == "secant_core").then(rule);
    }
    let target = resolve(module, path);
    let (order, false) = (order_of(krate)?, module.is_empty() || target.is_empty()) else {
        return None;
    };
    if krate == "secant_optim" && [module, target.as_slice()].iter().all(|m| m[0] == "solver") {
        return solver_rule(module, &target);
    }
    let (Some(own), Some(other)) = (rank(order, module), rank(order, &target)) else {
        return Some(format!("{} has no place in the order", target.join("::")));
    };
    let same = key(order, module) == key(order, &target);
    // A folder's own items, seen from a file in it that has a row of its own.
    let parent = module[0] == target[0] && target.len() <= module.len() && other < own;
    (!same && !parent && other >= own)
        .then(|| format!("{} does not come before {}", target[0], module.join("::")))
}

/// No solver file imports another one, in its wing or another; the shared steps import none.
fn solver_rule(module: &[String], target: &[String]) -> Option<String> {
    let file_of = |path: &[String]| {
        let in_wing = path.get(1).is_some_and(|name| WINGS.contains(&name.as_str()));
        let file = path.get(..if in_wing { 3 } else { 2 })?.join("/");
        // A wing's own functions are nobody's file.
        root().join("crates/optim/src").join(file.clone() + ".rs").exists().then_some(file)
    };
    let (Some(own), Some(other)) = (file_of(module), file_of(target)) else { return None };
    let name = other.rsplit('/').next().unwrap_or_default().to_string();
    let wing = WINGS.contains(&name.as_str()) && other.matches('/').count() == 1;
    let shared = SHARED_STEPS.contains(&name.as_str());
    (own != other && !shared && !wing)
        .then(|| "no solver file imports another solver file".to_string())
}

fn order_of(krate: &str) -> Option<&'static [&'static [&'static str]]> {
    match krate {
        "secant_core" => Some(CORE),
        "secant_optim" => Some(OPTIM),
        _ => None,
    }
}

/// The entry of the order that `module` belongs to: the longest that it begins with.
fn key<'a>(order: &'a [&[&'a str]], module: &[String]) -> Option<&'a str> {
    let entry = |length: usize| {
        let path = module[..length].join("::");
        order.iter().flat_map(|row| row.iter().copied()).find(|entry| *entry == path)
    };
    (1..=module.len()).rev().find_map(entry)
}

fn rank(order: &[&[&str]], module: &[String]) -> Option<usize> {
    let key = key(order, module)?;
    order.iter().position(|row| row.contains(&key))
}

/// `solver/newton.rs` → solver, newton; `lib.rs` → nothing.
fn module_of(file: &str) -> Vec<String> {
    let parts = file.trim_end_matches(".rs").split('/').filter(|part| *part != "mod");
    let module: Vec<String> = parts.map(str::to_string).collect();
    if module == ["lib"] { Vec::new() } else { module }
}

/// A path from the crate's root.
fn resolve(module: &[String], path: &[String]) -> Vec<String> {
    let mut base = module.to_vec();
    let mut rest = path;
    if rest.first().is_some_and(|head| head == "crate") {
        base.clear();
        rest = &rest[1..];
    } else {
        while let Some((head, after)) = rest.split_first() {
            match head.as_str() {
                "self" => {}
                "super" => _ = base.pop(),
                _ => break,
            }
            rest = after;
        }
    }
    base.extend_from_slice(rest);
    base
}

/// Every path in `text` that starts with a name of interest, groups `{…}` spread out.
fn references(text: &str) -> Vec<Vec<String>> {
    let crates = CRATES.iter().map(|(name, ..)| *name);
    let heads: Vec<&str> = crates.chain(["crate", "super", "self", "argmin"]).collect();
    let mut found = Vec::new();
    let mut previous = ' ';
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let name: &str = &rest[..identifier(rest)];
        if name.is_empty() {
            previous = c;
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let after = &rest[name.len()..];
        let starts_path = previous != ':' && after.trim_start().starts_with("::");
        if starts_path && heads.contains(&name) {
            spread(rest, &mut Vec::new(), &mut found);
        }
        // The whole crate under another name: `use secant_core as core`.
        if previous != ':' && !starts_path && name.starts_with("secant_") && heads.contains(&name) {
            found.push(vec![name.to_string()]);
        }
        previous = 'a';
        rest = after;
    }
    found
}

/// Length of the identifier that `text` starts with.
fn identifier(text: &str) -> usize {
    text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len())
}

/// Reads a path or a group at the start of `text`, appends every path in it, returns what follows.
fn spread<'t>(text: &'t str, prefix: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> &'t str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix('}') {
                return after;
            }
            let before = rest.len();
            rest = spread(rest, prefix, found).trim_start();
            // ` as name` and the comma.
            let end = rest.find([',', '}']).unwrap_or(rest.len());
            rest = rest[end..].strip_prefix(',').unwrap_or(&rest[end..]);
            if rest.len() == before {
                return rest;
            }
        }
    }
    let length = identifier(text);
    if length == 0 {
        // `*`, or `<` of generics: the path ends at what came before.
        found.push(prefix.clone());
        return text;
    }
    prefix.push(text[..length].to_string());
    let rest = &text[length..];
    let end = if let Some(after) = rest.trim_start().strip_prefix("::") {
        spread(after, prefix, found)
    } else {
        found.push(prefix.clone());
        rest
    };
    prefix.pop();
    end
}

/// `text` without comments; strings stay, since attributes name paths in them.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else {
            0
        };
        let kept = match c {
            _ if skipped > 0 => 0,
            '"' => string(rest),
            '\'' if rest.starts_with("'\"'") => 3,
            _ => c.len_utf8(),
        };
        out.push_str(&rest[..kept]);
        rest = &rest[kept.max(skipped)..];
    }
    out
}

/// Length of the string literal that `text` starts with.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return index + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// `text` without the items that are compiled for tests only.
fn without_tests(text: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(MARK) {
        out.push_str(&rest[..start]);
        let item = &rest[start + MARK.len()..];
        rest = &item[end_of_item(item)..];
    }
    out.push_str(rest);
    out
}

/// Crates of the workspace that a manifest depends on and should not.
fn manifest_violations(krate: &str, manifest: &str) -> Vec<String> {
    let mut section = "";
    let mut found = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
        }
        let depends = section.ends_with("dependencies]") && !section.starts_with("[workspace");
        let name = line.split(['.', ' ', '=']).next().unwrap_or("").replace('-', "_");
        let position = |name: &str| CRATES.iter().position(|(other, ..)| *other == name);
        let (Some(own), true) = (position(krate), depends) else { continue };
        // A package may name itself, to switch features on for its tests and examples.
        let itself = section == "[dev-dependencies]" && name == krate;
        if !itself && position(&name).is_some_and(|other| other >= own) {
            found.push(format!("{krate} depends on {name}"));
        }
        if (krate, name.as_str()) == ("secant_core", "argmin") {
            found.push("secant_core depends on argmin".into());
        }
    }
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All source files below `folder` but those of tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for path in entries.map(|entry| entry.unwrap().path()) {
        let stem = path.file_stem().unwrap_or_default();
        if stem == "tests" {
            continue;
        }
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn sources_keep_the_order() {
    let mut found = Vec::new();
    let mut files = 0;
    for (krate, folder, manifest) in CRATES {
        let folder = root().join(folder);
        for path in sources(&folder) {
            let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().replace('\\', "/");
            found.extend(violations(krate, &name, &fs::read_to_string(&path).unwrap()));
            files += 1;
        }
        if let Ok(manifest) = fs::read_to_string(root().join(manifest)) {
            found.extend(manifest_violations(krate, &manifest));
        }
    }
    assert!(files > 50, "only {files} files found");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_files_of_a_folder_import_each_other_in_no_circle() {
    for (krate, folder, _) in CRATES {
        let folder = root().join(folder);
        let files: Files = sources(&folder)
            .iter()
            .map(|path| {
                let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().replace('\\', "/");
                let text = fs::read_to_string(path).unwrap();
                (module_of(&name), without_tests(&without_comments(&text)))
            })
            .collect();
        let known = |(folder, circle): &(String, Vec<String>)| {
            let entry = (*krate, folder.as_str(), circle.iter().map(String::as_str).collect());
            KNOWN_CIRCLES
                .iter()
                .any(|&(krate, folder, files)| entry == (krate, folder, files.to_vec()))
        };
        let found: Vec<_> = circles(&files).into_iter().filter(|circle| !known(circle)).collect();
        assert!(found.is_empty(), "{krate}: {found:?}");
    }
}

#[test]
fn planted_circles_are_reported() {
    let file = |name: &str, text: &str| (module_of(name), text.to_string());
    let circle = |names: &[&str]| names.iter().map(|name| (*name).to_string()).collect::<Vec<_>>();
    // By the file's name and by a name that the folder re-exports; through a third file; from a folder in it.
    let files = Files::from([
        file("data.rs", "mod table;\nmod weights;\npub use self::{table::Table, weights::sum};"),
        file("data/table.rs", "use super::weights::Offset;"),
        file("data/weights.rs", "use super::Table;"),
        file("linalg.rs", "pub mod a;"),
        file("linalg/a.rs", "use super::b::f;"),
        file("linalg/b/deep.rs", "fn f() { crate::linalg::c::g() }"),
        file("linalg/c.rs", "use crate::linalg::a;"),
        file("linalg/leaf.rs", "use super::a;"),
    ]);
    let expected = [
        ("data".into(), circle(&["table", "weights"])),
        ("linalg".into(), circle(&["a", "b", "c"])),
    ];
    assert_eq!(circles(&files), expected);
}

#[test]
fn planted_violations_are_reported() {
    let planted = [
        // Core: against the order, in every way of writing it.
        ("secant_core", "problem.rs", "use crate::graph::Graph;"),
        ("secant_core", "check.rs", "use crate::op::Op;"),
        ("secant_core", "data/csv.rs", "fn f() { crate::op::g(); }"),
        ("secant_core", "shape.rs", "use crate::params::ParamSpec;"),
        ("secant_core", "op/softmax.rs", "use crate::loss::Loss;"),
        ("secant_core", "op/dense.rs", "use super::super::graph::Graph;"),
        ("secant_core", "op.rs", "use crate::{shape::Shape, sweep::{self}};"),
        ("secant_core", "op.rs", "use super::risk;"),
        ("secant_core", "loss/logistic.rs", "use crate::penalty::Ridge;"),
        ("secant_core", "loss.rs", "use crate::graph::Graph;"),
        ("secant_core", "penalty.rs", "use crate :: network :: Network;"),
        ("secant_core", "check/node.rs", "use crate::graph::Graph;"),
        ("secant_core", "check/node.rs", "use crate::loss::Loss;"),
        ("secant_core", "graph.rs", "use crate::tape::Tape;"),
        ("secant_core", "graph/summary.rs", "use crate::description::Description;"),
        ("secant_core", "description/read.rs", "use crate::network::Network;"),
        ("secant_core", "description/choice.rs", "use crate::tape::Tape;"),
        ("secant_core", "tape.rs", "use crate::sweep::Tile;"),
        ("secant_core", "sweep/forward.rs", "use crate::network::Network;"),
        ("secant_core", "network.rs", "use crate::risk::Risk;"),
        ("secant_core", "init.rs", "use crate::graph::Graph;"),
        ("secant_core", "init.rs", "#[serde(with = \"crate::risk::format\")] struct S;"),
        // The leaves import nothing, not even each other.
        ("secant_core", "elementwise.rs", "use crate::shape::Shape;"),
        ("secant_core", "elementwise/scalar.rs", "use crate::random::Random;"),
        ("secant_core", "random.rs", "use crate::elementwise::dot;"),
        // A module that nobody has placed.
        ("secant_core", "utils.rs", ""),
        ("secant_core", "risk.rs", "use crate::utils::helper;"),
        ("secant_core", "graph.rs", "mod inner { use super::super::risk::Risk; }"),
        // Crates.
        ("secant_core", "risk.rs", "use secant_optim::Newton;"),
        ("secant_core", "risk.rs", "use secant_optim as solvers;"),
        ("secant_core", "risk.rs", "use argmin::core::State;"),
        ("secant_core", "problem.rs", "use secant::fit;"),
        ("secant_optim", "run/eval.rs", "use secant::fit;"),
        ("secant_optim", "solver/newton/newton.rs", "use secant_core::network::Network;"),
        ("secant_optim", "method.rs", "use secant_core::{problem::Objective, risk::Risk};"),
        ("secant_optim", "method.rs", "use secant_core as core;"),
        ("secant", "fit.rs", "use secant_cli::run;"),
        // Solvers.
        (
            "secant_optim",
            "solver/quasi_newton/bfgs.rs",
            "use super::super::newton::newton::Newton;",
        ),
        ("secant_optim", "solver/quasi_newton/bfgs.rs", "use super::{Update, lbfgs};"),
        ("secant_optim", "solver/quasi_newton/bfgs.rs", "use crate::solver::newton::newton_cg;"),
        ("secant_optim", "solver/line_step.rs", "use super::newton::newton::DIRECTION;"),
        ("secant_optim", "solver/quasi_newton/bfgs.rs", "use crate::run::report::Report;"),
        ("secant_optim", "solver/least_squares/polish.rs", "use super::gauss_newton::GaussNewton;"),
        ("secant_optim", "problem/functions.rs", "use crate::solver::LevenbergMarquardt;"),
        // The kernels below them.
        ("secant_optim", "linalg/cholesky.rs", "use argmin::core::Error;"),
        ("secant_optim", "line_search/backtracking.rs", "use argmin::core::Problem;"),
        ("secant_optim", "krylov/cg.rs", "fn f() { argmin::core::g(); }"),
        ("secant_optim", "subproblem/dogleg.rs", "use argmin::core::Error;"),
        ("secant_optim", "linalg.rs", "use crate::solver::FitSolver;"),
        ("secant_optim", "line_search.rs", "use crate::run::state::FitState;"),
        ("secant_optim", "krylov/cg.rs", "use crate::line_search::Trial;"),
        ("secant_optim", "krylov/cg.rs", "use crate::subproblem::dogleg;"),
        ("secant_optim", "subproblem/dogleg.rs", "use crate::solver::newton::Newton;"),
        ("secant_optim", "run/state.rs", "use crate::run::report::Report;"),
        ("secant_optim", "run/evaluations.rs", "use super::costs::Costs;"),
        ("secant_optim", "run/costs.rs", "use crate::run::eval::split;"),
        ("secant_optim", "quadratic_model.rs", "use crate::solver::newton::Newton;"),
        ("secant_optim", "quadratic_model.rs", "use argmin::core::State;"),
    ];
    for (krate, file, text) in planted {
        assert_eq!(violations(krate, file, text).len(), 1, "{krate}, {file}: {text}");
    }
    let manifest = "[package]\nname = \"x\"\n[dependencies]\nsecant-optim.workspace = true\n";
    assert_eq!(manifest_violations("secant_core", manifest).len(), 1);
    let manifest = "[dev-dependencies]\nsecant = { path = \"../..\" }\n";
    assert_eq!(manifest_violations("secant_optim", manifest).len(), 1);
    assert_eq!(manifest_violations("secant_core", "[dependencies]\nargmin = \"0.11\"").len(), 1);
}

#[test]
fn allowed_imports_comments_and_tests_are_not_reported() {
    let allowed = [
        (
            "secant_core",
            "risk/pool.rs",
            "use super::{Risk, linearized::Kept};\nuse crate::tape::Tape;",
        ),
        ("secant_core", "op/dense.rs", "//! See [`crate::loss::Loss`].\nuse super::{At, Bar};"),
        ("secant_core", "op/dense.rs", "/* crate::risk */ use crate::shape::{Shape, ShapeError};"),
        ("secant_core", "graph.rs", "#[cfg(test)]\nmod tests { use crate::risk::Risk; fn f() {} }"),
        (
            "secant_core",
            "check/node.rs",
            "use super::{Checks, distance};\nuse crate::op::{At, Op};",
        ),
        ("secant_core", "lib.rs", "pub mod risk;"),
        ("secant_core", "data/nist/lines.rs", "use super::super::source::text;"),
        ("secant_core", "loss.rs", "fn f() { let s = \"// \\\" '\"; crate::data::g::<u8>() }"),
        (
            "secant_optim",
            "solver/quasi_newton/bfgs.rs",
            "use super::safeguard::Safeguard;\nuse crate::solver::line_step::{self, LineStep};",
        ),
        (
            "secant_optim",
            "solver/quasi_newton/bfgs.rs",
            "use secant_core::problem::Objective;\nuse argmin::core::KV;",
        ),
        (
            "secant_optim",
            "subproblem/gltr.rs",
            "use crate::krylov::lanczos;\nuse crate::linalg::vector;",
        ),
        ("secant_optim", "krylov/cg.rs", "use secant_core::operator::LinearOperator;"),
        ("secant_core", "graph.rs", "struct Item; mod inner { use super::Item; }"),
        ("secant", "fit.rs", "use crate::error::FitError;\nuse secant_core::risk::Risk;"),
    ];
    for (krate, file, text) in allowed {
        assert_eq!(violations(krate, file, text), [""; 0], "{krate}, {file}: {text}");
    }
}

#[test]
fn what_follows_a_test_module_is_looked_at() {
    let text = "#[cfg(test)]\nmod tests;\n#[cfg(test)]\nmod more { fn f() { {} } }\nuse crate::risk::Risk;";
    assert_eq!(violations("secant_core", "graph.rs", text).len(), 1);
}
