//! A strict reader of pages: every element is closed in order, every attribute quoted and named once, every `&` is of an entity.

use std::collections::BTreeMap;

/// Elements without content.
const VOID: [&str; 2] = ["meta", "br"];
/// Elements whose content is no markup.
const RAW: [&str; 2] = ["script", "style"];

/// An element with what stands in it.
#[derive(Debug, Default)]
pub struct Element {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    pub children: Vec<Element>,
    /// Its own and that of all elements in it, in order.
    pub text: String,
}

impl Element {
    /// Elements of this name in it, at any depth, in order.
    pub fn all(&self, name: &str) -> Vec<&Element> {
        let mut found = Vec::new();
        for child in &self.children {
            if child.name == name {
                found.push(child);
            }
            found.extend(child.all(name));
        }
        found
    }

    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    pub fn has_class(&self, class: &str) -> bool {
        self.attribute("class").split(' ').any(|own| own == class)
    }

    /// The one with this id.
    pub fn by_id(&self, id: &str) -> &Element {
        self.find(id).unwrap_or_else(|| panic!("nothing is called {id}"))
    }

    fn find(&self, id: &str) -> Option<&Element> {
        if self.attribute("id") == id {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.find(id))
    }
}

/// The `html` element of a page.
pub fn read(page: &str) -> Element {
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("a doctype");
    let mut open: Vec<Element> = vec![Element::default()];
    while !rest.is_empty() {
        let (text, tag) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
        let text = unescaped(text);
        for element in &mut open {
            element.text.push_str(&text);
        }
        if tag.is_empty() {
            break;
        }
        if let Some(closing) = tag.strip_prefix("</") {
            let (name, after) = closing.split_once('>').expect("a tag that ends");
            let element = open.pop().unwrap();
            assert_eq!(element.name, name, "closed out of order");
            open.last_mut().unwrap().children.push(element);
            rest = after;
            continue;
        }
        let (element, closed, after) = start(tag);
        rest = after;
        if RAW.contains(&element.name.as_str()) {
            let end = format!("</{}>", element.name);
            rest = rest.split_once(&end).expect("an end of what is no markup").1;
        }
        let whole =
            closed || VOID.contains(&element.name.as_str()) || RAW.contains(&element.name.as_str());
        if whole {
            open.last_mut().unwrap().children.push(element);
        } else {
            open.push(element);
        }
    }
    assert_eq!(open.len(), 1, "{:?} is not closed", open.last().map(|element| &element.name));
    let mut root = open.pop().unwrap();
    assert_eq!(root.children.len(), 1);
    root.children.pop().unwrap()
}

/// A tag with its attributes, whether it closes itself, and what follows it.
fn start(tag: &str) -> (Element, bool, &str) {
    let end = |c: char| c.is_whitespace() || c == '>' || c == '/';
    let length = tag[1..].find(end).expect("a tag that ends") + 1;
    let (name, mut rest) = (&tag[1..length], &tag[length..]);
    assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "a tag called {name:?}");
    let mut element = Element { name: name.to_owned(), ..Element::default() };
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("/>") {
            return (element, true, after);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (element, false, after);
        }
        let length = rest.find(|c: char| end(c) || c == '=').expect("an attribute that ends");
        let name = rest[..length].to_owned();
        assert!(
            !name.is_empty()
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == ':'),
            "{name:?}"
        );
        rest = &rest[length..];
        let mut value = String::new();
        if let Some(after) = rest.strip_prefix("=\"") {
            let (text, after) = after.split_once('"').expect("a quote that ends");
            (value, rest) = (unescaped(text), after);
        }
        assert!(element.attributes.insert(name.clone(), value).is_none(), "{name} twice");
    }
}

fn unescaped(text: &str) -> String {
    assert!(!text.contains(['<', '>']), "{text:?}");
    let mut plain = String::new();
    let mut parts = text.split('&');
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (entity, after) =
            part.split_once(';').unwrap_or_else(|| panic!("a bare & before {part:?}"));
        plain.push(match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            other => panic!("the entity {other:?}"),
        });
        plain.push_str(after);
    }
    plain
}
