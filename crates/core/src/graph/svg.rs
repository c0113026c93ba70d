//! A graph as an SVG picture.

use super::Graph;
use super::drawing::{Arrow, Point, Size, draw};
use super::summary::{NodeSummary, grouped, parameters};
use crate::text::cut;
use std::fmt::Write;

/// Letters, in pixels.
const FONT: f64 = 13.0;
/// Width of a letter over its size: that of the widest of the usual monospaced fonts, and a little.
const LETTER: f64 = 0.61;
const LINE: f64 = 17.0;
/// Space around the text of a box.
const PADDING: f64 = 10.0;
/// Space around the picture.
const MARGIN: f64 = 20.0;
/// Letters of a name; what is longer is cut.
const LONGEST: usize = 36;

impl Graph {
    /// The graph as an SVG picture: a box for each node with its name, op, output shape and parameters (blue where it has some, a thick
    /// border for the output), an arrow for each input, the totals below. Long names are cut; the whole stands in the box's title. Its style
    /// reaches no further than itself (class `secant-graph`), so that it may stand inside of an HTML page.
    ///
    /// ```
    /// use secant_core::network::Network;
    /// use secant_core::op::Activation;
    ///
    /// let picture = Network::mlp([8, 32, 1], Activation::Tanh).graph()?.to_svg();
    /// assert!(picture.starts_with("<svg") && picture.contains(">dense1</text>"));
    /// # Ok::<(), secant_core::graph::GraphError>(())
    /// ```
    pub fn to_svg(&self) -> String {
        let summary = self.summary();
        let labels: Vec<Vec<String>> = summary.rows.iter().map(label).collect();
        let sizes: Vec<Size> = labels.iter().map(|lines| size(lines)).collect();
        let inputs: Vec<Vec<usize>> = [Vec::new()]
            .into_iter()
            .chain(self.nodes.iter().map(|node| node.inputs.clone()))
            .collect();
        let mut drawing = draw(&sizes, &inputs);
        let totals = format!(
            "{} parameters, {} flops and {} tape bytes a sample",
            grouped(summary.parameters()),
            grouped(summary.flops()),
            grouped(summary.tape_bytes()),
        );
        let content = drawing.size.width.max(letters(&totals) * LETTER * FONT);
        let size = Size {
            width: content + 2.0 * MARGIN,
            height: drawing.size.height + 2.0 * (MARGIN + LINE),
        };
        let left = MARGIN + 0.5 * (content - drawing.size.width);
        drawing.shift(Point { x: left, y: MARGIN });
        let mut out = String::new();
        // Writing to a string does not fail.
        _ = begin(&mut out, size, &totals, &about(&summary.rows, &totals));
        for arrow in &drawing.arrows {
            _ = write_arrow(&mut out, arrow);
        }
        let last = self.nodes.len();
        for (index, (row, lines)) in summary.rows.iter().zip(&labels).enumerate() {
            let (corner, size) = (drawing.corners[index], sizes[index]);
            let class = match (index, row.parameters + row.shared) {
                (0, _) => "data",
                (_, 0) => "node",
                _ => "node own",
            };
            let class = if index == last { format!("{class} output") } else { class.into() };
            let (Point { x, y }, Size { width, height }) = (corner, size);
            _ = writeln!(out, "<g><title>{}</title>", escaped(&row.name));
            _ = writeln!(
                out,
                r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="6"/>"#
            );
            for (line, text) in lines.iter().enumerate() {
                let class = if line == 0 { "name" } else { "detail" };
                let baseline = y + PADDING + LINE * (line as f64 + 0.7);
                let centre = x + 0.5 * width;
                let text = escaped(text);
                _ = writeln!(
                    out,
                    r#"<text class="{class}" x="{centre:.1}" y="{baseline:.1}">{text}</text>"#
                );
            }
            out.push_str("</g>\n");
        }
        out.push_str("</svg>\n");
        out
    }
}

/// The picture in words.
fn about(rows: &[NodeSummary], totals: &str) -> String {
    /// Nodes that are named.
    const NAMED: usize = 12;
    let name = |row: &NodeSummary| cut(&row.name, LONGEST).into_owned();
    let names: Vec<String> = rows.iter().take(NAMED).map(name).collect();
    let more = rows.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("Boxes for {}{more}, joined by arrows: {totals}", names.join(", "))
}

/// Name; op and shape; parameters, where there are some.
fn label(row: &NodeSummary) -> Vec<String> {
    let about = match row.op.as_str() {
        "" => row.shape.to_string(),
        op => format!("{op} · {}", row.shape),
    };
    let mut lines = vec![cut(&row.name, LONGEST).into_owned(), cut(&about, LONGEST).into_owned()];
    if row.parameters == 0 && row.shared > 0 {
        lines.push(parameters(0, row.shared));
    } else if row.parameters > 0 {
        let count = parameters(row.parameters, row.shared);
        lines.push(if row.parameters == 1 { count + " parameter" } else { count + " parameters" });
    }
    lines
}

fn size(lines: &[String]) -> Size {
    let width = lines.iter().map(|line| letters(line)).fold(0.0, f64::max);
    Size {
        width: width * LETTER * FONT + 2.0 * PADDING,
        height: lines.len() as f64 * LINE + 2.0 * PADDING,
    }
}

/// Columns of a text: letters of East Asian scripts and symbols beyond them take two.
fn letters(text: &str) -> f64 {
    text.chars().map(|c| if c < '\u{1100}' || c == '…' || c == '×' { 1.0 } else { 2.0 }).sum()
}

fn begin(
    out: &mut String,
    Size { width, height }: Size,
    totals: &str,
    about: &str,
) -> std::fmt::Result {
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" class="secant-graph" role="img" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.0} {height:.0}" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="{FONT}">
<title>The graph of a model</title>
<desc>{}</desc>"#,
        escaped(about)
    )?;
    out.push_str(
        r#"<style>
.secant-graph text { text-anchor: middle; fill: #1a1a1a }
.secant-graph .name { font-weight: bold }
.secant-graph .detail { fill: #444444 }
.secant-graph .totals { text-anchor: start; fill: #444444 }
.secant-graph rect { stroke: #7a8794; fill: #ffffff }
.secant-graph .sheet { stroke: none }
.secant-graph .own { fill: #dcebf9 }
.secant-graph .data { fill: #ececec }
.secant-graph .output { stroke: #1a1a1a; stroke-width: 2 }
.secant-graph path { fill: none; stroke: #55606b }
.secant-graph marker path { fill: #55606b; stroke: none }
</style>
<defs><marker id="secant-graph-tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0.5 L8 4 L0 7.5 z"/></marker></defs>
<rect class="sheet" width="100%" height="100%"/>
"#,
    );
    let (x, y) = (MARGIN, height - MARGIN);
    writeln!(out, r#"<text class="totals" x="{x:.1}" y="{y:.1}">{totals}</text>"#)
}

/// Straight down in layers, an S between them.
fn write_arrow(out: &mut String, arrow: &Arrow) -> std::fmt::Result {
    out.push_str("<path marker-end=\"url(#secant-graph-tip)\" d=\"");
    let mut from = None;
    for [top, bottom] in &arrow.runs {
        let Point { x, y } = *top;
        match from {
            None => write!(out, "M{x:.1} {y:.1}")?,
            Some((before, start)) => {
                let middle = 0.5 * (start + y);
                write!(out, " C{before:.1} {middle:.1} {x:.1} {middle:.1} {x:.1} {y:.1}")?;
            }
        }
        if bottom.y > top.y {
            write!(out, " V{:.1}", bottom.y)?;
        }
        from = Some((x, bottom.y));
    }
    out.push_str("\"/>\n");
    Ok(())
}

/// Text for XML, without the characters that it has no way to write.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::graph::Graph;
    use crate::op::{Activation, Add, Dense};

    #[test]
    fn the_picture_of_a_residual_block() {
        let mut g = Graph::builder(3);
        let a = g.node("a", Dense::new(3), &[g.input()]).unwrap();
        let t = g.node("t", Activation::Tanh, &[a]).unwrap();
        let sum = g.node("sum", Add, &[a, t]).unwrap();
        let picture = g.build(sum).unwrap().to_svg();
        let (_, body) = picture.split_once("</style>").unwrap();
        assert!(
            body.contains(">12 parameters, 27 flops and 144 tape bytes a sample</text>"),
            "{body}"
        );
        // The sheet, the data, three boxes; four arrows, one of them past `t`.
        assert_eq!(body.matches("<rect class=").count(), 5);
        assert_eq!(body.matches("<path marker-end").count(), 4);
        let bends: Vec<usize> = body
            .lines()
            .filter(|line| line.starts_with("<path"))
            .map(|line| line.matches(" C").count())
            .collect();
        assert_eq!(bends, [1, 1, 1, 2]);
        let texts: Vec<&str> = body
            .lines()
            .filter(|line| line.starts_with("<text"))
            .filter_map(|line| line.split_once('>')?.1.strip_suffix("</text>"))
            .collect();
        let boxes =
            ["input", "3", "a", "dense · 3", "12 parameters", "t", "tanh · 3", "sum", "add · 3"];
        assert_eq!(texts[1..], boxes);
    }

    #[test]
    fn names_that_no_one_should_give_are_still_xml() {
        let mut g = Graph::builder(2);
        let name = "</text>&\"'<g>\u{1}\n\u{ffff}\u{10ffff}汉字".repeat(20);
        let a = g.node(&name, Dense::new(2), &[g.input()]).unwrap();
        let picture = g.build(a).unwrap().to_svg();
        assert_eq!(picture.matches("<g>").count(), picture.matches("</g>").count());
        assert_eq!(picture.matches("<text").count(), picture.matches("</text>").count());
        let strange = |c: char| (c.is_control() && c != '\n') || c == '\u{ffff}';
        assert!(!picture.contains(strange));
        let entities = ["&amp;", "&lt;", "&gt;"].map(|entity| picture.matches(entity).count());
        assert_eq!(entities.iter().sum::<usize>(), picture.matches('&').count());
    }
}
