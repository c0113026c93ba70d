//! The promise: a link of a document leads somewhere, read as a file and as a page of rustdoc; examples say what they are.

/// Its tests run here too.
#[path = "../../examples/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the checkout lies.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The documents: path from the root, text.
fn documents() -> Vec<(String, String)> {
    let mut paths: Vec<String> =
        ["README.md", "DESIGN.md", "CONTRIBUTING.md", "data/README.md"].map(String::from).into();
    let entries = fs::read_dir(root().join("docs")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let is_page = |name: &String| Path::new(name).extension().is_some_and(|ending| ending == "md");
    paths.extend(names.filter(is_page).map(|name| format!("docs/{name}")));
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), read(&path))).collect()
}

/// A document without its code.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let mut out = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            // Odd parts are between backticks.
            let parts = line.split('`').enumerate();
            out.extend(parts.filter(|(index, _)| index % 2 == 0).map(|(_, part)| part));
            out.push('\n');
        }
    }
    out
}

/// Links of a document.
#[derive(Debug, Default)]
struct Links {
    /// `[…](target)`.
    inline: Vec<String>,
    /// `[…][name]`, `[name]`: those that are defined.
    used: Vec<String>,
    /// `[name]: target`.
    defined: BTreeMap<String, String>,
}

fn links(text: &str) -> Links {
    let mut found = Links::default();
    let prose = prose(text);
    let mut body = String::new();
    for line in prose.lines() {
        let definition = line.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        if let Some((name, target)) = definition {
            found.defined.insert(name.to_owned(), target.trim().to_owned());
        } else {
            body.push_str(line);
            body.push('\n');
        }
    }
    let mut rest = body.as_str();
    while let Some(open) = rest.find('[') {
        rest = &rest[open + 1..];
        let Some(close) = rest.find(']') else { break };
        let (name, after) = (&rest[..close], &rest[close + 1..]);
        rest = after;
        if let Some(target) = after.strip_prefix('(') {
            let target = target.split(')').next().unwrap_or_default();
            found.inline.push(target.to_owned());
        } else if let Some(reference) = after.strip_prefix('[') {
            let (reference, after) = reference.split_once(']').unwrap_or((reference, ""));
            found.used.push(reference.to_owned());
            rest = after;
        } else if found.defined.contains_key(name) {
            found.used.push(name.to_owned());
        }
    }
    found
}

/// The anchors of a document's headings, as GitHub and rustdoc make them: lower case, letters, digits and hyphens.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter_map(|line| {
        let title = line.trim_start_matches('#');
        (title.len() < line.len()).then(|| title.strip_prefix(' ')).flatten()
    });
    let anchor = |title: &str| -> String {
        let kept = title.to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// What is wrong with a link from a document at `from`, as a file.
fn dead_as_file(from: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let from = Path::new(from);
    let file = if path.is_empty() {
        from.to_path_buf()
    } else {
        from.parent().unwrap_or(Path::new("")).join(path)
    };
    if !root().join(&file).exists() {
        return Some(format!("{}: {target}: there is no such file", from.display()));
    }
    let known = anchor.is_empty() || anchors(&read(&file)).iter().any(|known| known == anchor);
    (!known).then(|| format!("{}: {target}: there is no such heading", from.display()))
}

/// What is wrong with the links of a page of the guide, as rustdoc reads it: `paths` has the names that stand in front of every page.
fn dead_in_rustdoc(page: &str, links: &Links, paths: &BTreeMap<String, String>) -> Vec<String> {
    let relative = |target: &&String| !target.contains("://");
    let mut dead: Vec<String> = links
        .inline
        .iter()
        .filter(relative)
        .map(|target| {
            format!(
                "{page}: ({target}): a link to a file, which rustdoc does not have; define a name"
            )
        })
        .collect();
    for name in &links.used {
        let Some(target) = links.defined.get(name).filter(relative) else { continue };
        let Some(path) = paths.get(name) else {
            dead.push(format!("{page}: [{name}] has no path for rustdoc in src/guide_links.md"));
            continue;
        };
        // A page's file and its module are the same page, at the same heading.
        let module = path.strip_prefix("crate::guide::").map(|rest| match rest.split_once('#') {
            Some((page, anchor)) => format!("{page}.md#{anchor}"),
            None => format!("{rest}.md"),
        });
        if module.is_some_and(|module| module != **target) {
            dead.push(format!("{page}: [{name}] is {target} as a file and {path} in rustdoc"));
        }
    }
    dead
}

#[test]
fn every_link_of_a_document_leads_to_a_file_and_a_heading() {
    let mut dead = Vec::new();
    let mut count = 0;
    for (path, text) in documents() {
        let links = links(&text);
        let undefined = links.used.iter().filter(|name| !links.defined.contains_key(*name));
        dead.extend(undefined.map(|name| format!("{path}: [{name}] is not defined")));
        let targets: Vec<_> = links.inline.iter().chain(links.defined.values()).collect();
        count += targets.len();
        dead.extend(targets.into_iter().filter_map(|target| dead_as_file(&path, target)));
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
    assert!(count > 40, "{count} links: the documents have more");
}

#[test]
fn every_link_of_the_guide_is_a_path_in_rustdoc() {
    let paths = links(&read("src/guide_links.md")).defined;
    let mut dead = Vec::new();
    for (path, text) in documents() {
        let Some(page) = path.strip_prefix("docs/") else { continue };
        dead.extend(dead_in_rustdoc(page, &links(&text), &paths));
    }
    // A path to a page and a heading that are there; rustdoc itself refuses a path that is not.
    for (name, path) in &paths {
        let Some(page) = path.strip_prefix("crate::guide::") else { continue };
        let (page, anchor) = page.split_once('#').unwrap_or((page, ""));
        let anchors = anchors(&read(format!("docs/{page}.md")));
        if !anchor.is_empty() && !anchors.iter().any(|known| known == anchor) {
            dead.push(format!("src/guide_links.md: [{name}]: {path}: there is no such heading"));
        }
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}

#[test]
fn every_page_is_part_of_the_guide_and_of_the_readme() {
    let library = read("src/lib.rs");
    let (_, pages) = library.split_once("pages!(").expect("the guide's pages");
    let pages: Vec<&str> = pages.split(')').next().unwrap().split(',').map(str::trim).collect();
    let readme = links(&read("README.md")).inline;
    for (path, _) in documents() {
        let Some(page) = path.strip_prefix("docs/").and_then(|p| p.strip_suffix(".md")) else {
            continue;
        };
        assert!(pages.contains(&page), "{page} is no page of the guide");
        assert!(readme.iter().any(|link| link.starts_with(&path)), "README has no link to {path}");
    }
}

#[test]
fn every_example_is_in_the_readme_and_says_how_it_is_called() {
    let readme = read("README.md");
    let mut count = 0;
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_some_and(|extension| extension == "ipynb") {
            assert!(
                readme.contains(&format!("`examples/{name}.ipynb`")),
                "README does not name {name}"
            );
            continue;
        }
        let main = if path.is_dir() { path.join("main.rs") } else { path };
        if !main.exists() {
            continue;
        }
        count += 1;
        let source = read(&main);
        assert!(readme.contains(&format!("`{name}`")), "README does not name {name}");
        assert!(source.contains(&format!("name: \"{name}\"")), "{name} says no name of its own");
        assert!(
            source.contains("Args::read(&ABOUT)"),
            "{name} does not read its arguments by `support`"
        );
    }
    assert!(count > 15, "{count} examples");
}

#[test]
fn planted_mistakes_are_found() {
    let page = "# A page\nSee [there](other.md), [b][name], [name] and `[x](y.md)`.\n\n```text\n[z](w.md)\n```\n\n[name]: products.md#x\n";
    let found = links(page);
    assert_eq!(
        (&found.inline[..], &found.used[..]),
        (&["other.md".to_owned()][..], &["name".to_owned(), "name".into()][..])
    );
    assert!(dead_as_file("docs/page.md", "other.md").is_some());
    assert!(dead_as_file("docs/graphs.md", "nodes.md#domains").is_none());
    assert!(dead_as_file("docs/graphs.md", "nodes.md#nothing").unwrap().contains("heading"));
    // The one to a file, and the two by a name that has no path, the path, or another page's.
    assert_eq!(dead_in_rustdoc("page.md", &found, &BTreeMap::new()).len(), 3);
    let paths = |path: &str| BTreeMap::from([("name".to_owned(), path.to_owned())]);
    assert_eq!(dead_in_rustdoc("page.md", &found, &paths("crate::guide::products#x")).len(), 1);
    assert_eq!(dead_in_rustdoc("page.md", &found, &paths("crate::guide::nodes#x")).len(), 3);
    assert_eq!(anchors("## What *is* there, and `why`?"), ["what-is-there-and-why"]);
}
