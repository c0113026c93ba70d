//! Tables: sorted by their columns where the reader asks for it, or coloured by their numbers.

use super::words::number;
use maud::{Markup, html};
use secant_core::text::{LONGEST, cut};

const NONE: &str = "–";

/// What stands in a cell.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    text: String,
    /// What it is sorted by, where that is no text.
    value: Option<f64>,
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), value: None }
    }

    /// A foreign name, cut.
    pub(super) fn name(name: &str) -> Self {
        Self::text(cut(name, LONGEST))
    }

    pub(super) fn number(value: f64) -> Self {
        Self::shown(number(value), value)
    }

    /// A number written in another way.
    pub(super) fn shown(text: impl Into<String>, value: f64) -> Self {
        Self { text: text.into(), value: Some(value) }
    }

    pub(super) fn empty() -> Self {
        Self::text("")
    }

    /// In a column of numbers, where there is none: sorted to the end, whichever way.
    pub(super) fn none() -> Self {
        Self::text(NONE)
    }

    /// What it is sorted by, as scripts read it.
    fn key(&self) -> Option<String> {
        let value = self.value.filter(|value| !value.is_nan())?;
        Some(if value.is_infinite() {
            format!("{}Infinity", if value < 0.0 { "-" } else { "" })
        } else {
            value.to_string()
        })
    }

    fn class(&self, numeric: bool) -> Option<&'static str> {
        /// Characters from which on a text is a sentence, which is given room.
        const SENTENCE: usize = 24;
        let sentence = || (self.text.chars().count() > SENTENCE).then_some("words");
        if numeric { Some("number") } else { sentence() }
    }

    fn is_numeric(&self) -> bool {
        self.value.is_some() || self.text.is_empty() || self.text == NONE
    }
}

/// A table with a caption; the first cell of a row is its header.
#[derive(Clone, Debug)]
pub(super) struct Table {
    caption: String,
    head: Vec<String>,
    rows: Vec<Vec<Cell>>,
    sortable: bool,
}

impl Table {
    pub(super) fn new<S: Into<String>>(
        caption: impl Into<String>,
        head: impl IntoIterator<Item = S>,
    ) -> Self {
        let head = head.into_iter().map(Into::into).collect();
        Self { caption: caption.into(), head, rows: Vec::new(), sortable: false }
    }

    /// Sorted by the column whose head is clicked.
    pub(super) fn sortable(mut self) -> Self {
        self.sortable = true;
        self
    }

    pub(super) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    pub(super) fn render(&self) -> Markup {
        let class = if self.sortable { "sortable" } else { "plain" };
        let numeric = |column: usize| self.rows.iter().all(|row| row[column].is_numeric());
        let numeric: Vec<bool> = (0..self.head.len()).map(numeric).collect();
        let side = |column: usize| numeric[column].then_some("number");
        html! {
            p.caption { (self.caption) }
            div.scroll role="region" tabindex="0" aria-label=(self.caption) {
                table class=(class) aria-label=(self.caption) {
                    thead {
                        tr { @for (column, title) in self.head.iter().enumerate() { th scope="col" class=[side(column)] { (title) } } }
                    }
                    tbody {
                        @for row in &self.rows {
                            tr {
                                @for (column, cell) in row.iter().enumerate() {
                                    @let value = cell.key().filter(|_| self.sortable);
                                    @if column == 0 {
                                        th scope="row" class=[side(column)] data-value=[value] { (cell.text) }
                                    } @else {
                                        td class=[cell.class(numeric[column])] data-value=[value] { (cell.text) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A square of numbers in colours: `shade` of a cell from −1 to 1 is how far it is from the page's own colour towards one of two.
pub(super) struct Heat<'a> {
    pub caption: &'a str,
    /// Above the names of the columns, and above those of the rows.
    pub axes: [&'a str; 2],
    pub names: &'a [String],
    pub text: &'a dyn Fn(usize, usize) -> String,
    pub shade: &'a dyn Fn(usize, usize) -> f64,
    /// One more cell at the end of every row: its head and texts.
    pub ending: Option<(&'a str, Vec<String>)>,
}

impl Heat<'_> {
    pub(super) fn render(&self) -> Markup {
        let names = || self.names.iter().map(|name| cut(name, 24));
        let k = self.names.len();
        let shaded = |i: usize, j: usize| {
            let shade = (self.shade)(i, j);
            let side = if shade < 0.0 { "low" } else { "high" };
            (side, format!("--shade:{:.0}%", 100.0 * shade.abs().min(1.0)))
        };
        let [across, down] = self.axes;
        html! {
            p.caption { (self.caption) }
            div.scroll role="region" tabindex="0" aria-label=(self.caption) {
                table.heat aria-label=(self.caption) {
                    thead {
                        @if !across.is_empty() {
                            tr { td {} th scope="colgroup" colspan=(k) { (across) } }
                        }
                        tr {
                            th scope="col" { (down) }
                            @for name in names() { th scope="col" { (name) } }
                            @if let Some((head, _)) = &self.ending { th scope="col" { (head) } }
                        }
                    }
                    tbody {
                        @for (i, name) in names().enumerate() {
                            tr {
                                th scope="row" { (name) }
                                @for j in 0..k {
                                    @let (side, shade) = shaded(i, j);
                                    td class={ "number " (side) } style=(shade) { ((self.text)(i, j)) }
                                }
                                @if let Some((_, texts)) = &self.ending { td.number { (texts[i]) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
