//! How a text file is written, found out from its first lines: what stands between fields, whether the first line names the columns.

use super::super::csv::numbers::{Numbers, is_missing};
use super::super::csv::records::{BLANKS, Record, Records};
use super::TableOptions;

/// Records that are looked at.
const SNIFFED: usize = 100;
/// Delimiters that are tried, those first that hardly stand within a field. Blanks stand within many, and are tried last.
const TRIED: [u8; 4] = *b"\t;|,";
/// Part of the records with one number of fields from which a delimiter is taken without a look at blanks.
const REGULAR: f64 = 0.9;
/// The same where no delimiter is that regular.
const HALF: f64 = 0.5;

/// How a text file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "properties of a file that have nothing to do with each other"
)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) comment: Option<u8>,
    /// Whether the first record names the columns.
    pub(super) header: bool,
    /// Whether the header has one name fewer than there are columns, as R writes it: the first column has none.
    pub(super) index: bool,
    /// Whether records end with a delimiter.
    pub(super) trailing: bool,
    /// Whether the header ends with one.
    pub(super) header_trailing: bool,
}

/// What is looked at of a record.
struct Line {
    fields: Vec<Vec<u8>>,
    quoted: bool,
}

impl Line {
    fn len(&self) -> usize {
        self.fields.len()
    }

    fn ends_empty(&self) -> bool {
        self.len() > 1 && self.fields.last().is_some_and(|last| last.trim_ascii().is_empty())
    }
}

impl Dialect {
    /// Of the first bytes, which are all where `whole`; `None` where more are needed.
    pub(super) fn of(head: &[u8], whole: bool, options: &TableOptions) -> Option<Self> {
        let comment = options.comment.or_else(|| head.starts_with(b"#").then_some(b'#'));
        let delimiter =
            options.delimiter.unwrap_or_else(|| delimiter(head, whole, comment, options.decimal));
        let lines = lines(head, whole, delimiter, comment);
        if lines.len() < 2 && !whole {
            return None;
        }
        let numbers = Numbers::new(options.decimal, options.thousands);
        let header = options.header.unwrap_or_else(|| {
            lines.first().is_none_or(|first| !holds_numbers(&first.fields, numbers))
        });
        let mut found = Self {
            delimiter,
            comment,
            header,
            index: false,
            trailing: false,
            header_trailing: false,
        };
        let (first, rows) = match lines.split_first() {
            Some((first, rows)) if header => (Some(first), rows),
            _ => (None, &lines[..]),
        };
        if rows.is_empty() {
            return Some(found);
        }
        let of_length = |length: usize| rows.iter().filter(|row| row.len() == length).count();
        let all_end_empty = delimiter != BLANKS && rows.iter().all(Line::ends_empty);
        let Some(first) = first else {
            found.trailing = all_end_empty;
            return Some(found);
        };
        let names = first.len();
        found.header_trailing = first.ends_empty()
            && (all_end_empty && of_length(names) > 0 || of_length(names - 1) == rows.len());
        found.trailing =
            all_end_empty && (found.header_trailing || 2 * of_length(names + 1) > rows.len());
        // One name above two fields may be a decimal comma: R quotes what names a row.
        let certain = names > 1 || options.delimiter.is_some() || rows.iter().all(|row| row.quoted);
        found.index = !found.trailing && certain && 2 * of_length(names + 1) > rows.len();
        Some(found)
    }
}

impl Dialect {
    /// What was found out beyond what `options` say, a sentence each.
    pub(super) fn notes(self, options: &TableOptions) -> Vec<String> {
        let mut notes = Vec::new();
        match self.delimiter {
            _ if options.delimiter.is_some() => {}
            b',' => {}
            BLANKS => notes.push("the fields are parted by runs of blanks".to_owned()),
            sign => notes.push(format!("the fields are parted by `{}`", sign.escape_ascii())),
        }
        if let (Some(sign), None) = (self.comment, options.comment) {
            let sign = sign.escape_ascii();
            notes.push(format!("lines that begin with `{sign}` are left out"));
        }
        if !self.header && options.header.is_none() {
            notes.push(
                "the first line is one of numbers: the columns are `column1`, `column2`, …"
                    .to_owned(),
            );
        }
        if self.trailing {
            notes.push("the delimiter at the end of each line begins no column".to_owned());
        }
        notes
    }
}

/// Whether a first line is one of numbers, gaps allowed, and so no header.
fn holds_numbers(fields: &[Vec<u8>], numbers: Numbers) -> bool {
    let mut any = false;
    let number_or_gap = |field: &Vec<u8>| {
        let text = String::from_utf8_lossy(field);
        let number = numbers.read(text.trim()).is_some_and(|value| !value.is_nan());
        any |= number;
        number || is_missing(text.trim())
    };
    fields.iter().all(number_or_gap) && any
}

/// The first records, without one that may go on beyond `head`.
fn lines(head: &[u8], whole: bool, delimiter: u8, comment: Option<u8>) -> Vec<Line> {
    let mut records = Records::new(head, delimiter, comment);
    let (mut record, mut found) = (Record::default(), Vec::new());
    while found.len() < SNIFFED && matches!(records.read(&mut record), Ok(true)) {
        if records.at() == head.len() && !whole {
            break;
        }
        let fields = record.fields().map(<[u8]>::to_vec).collect();
        found.push(Line { fields, quoted: head[record.start] == b'"' });
    }
    found
}

/// A delimiter that parts all lines, where `said` leaves one column.
pub(super) fn other_delimiter(head: &[u8], whole: bool, said: u8, dialect: Dialect) -> Option<u8> {
    let mut others = TRIED.into_iter().filter(|&tried| tried != said);
    others.find(|&tried| {
        let fit = Fit::of(&lines(head, whole, tried, dialect.comment));
        fit.headed && fit.part == 1.0
    })
}

/// By how many records have the same number of fields.
fn delimiter(head: &[u8], whole: bool, comment: Option<u8>, decimal: char) -> u8 {
    let fit = |delimiter: u8| {
        let lines = lines(head, whole, delimiter, comment);
        (delimiter, Fit::of(&lines))
    };
    let fits = TRIED.into_iter().filter(|&tried| char::from(tried) != decimal).map(fit);
    let fits: Vec<(u8, Fit)> = fits.collect();
    // The first of the best.
    let best = |fits: &[(u8, Fit)], least: f64, headed: bool| {
        let good = fits.iter().filter(|(_, fit)| fit.part >= least && (fit.headed || !headed));
        let rank = |fit: &Fit| (fit.part == 1.0 && !fit.index, fit.part);
        good.rev()
            .max_by(|(_, a), (_, b)| {
                rank(a).partial_cmp(&rank(b)).unwrap_or(std::cmp::Ordering::Equal)
            })
            .map(|(delimiter, _)| *delimiter)
    };
    if let Some(delimiter) = best(&fits, REGULAR, true) {
        return delimiter;
    }
    let mut all = fits;
    all.push(fit(BLANKS));
    best(&all[all.len() - 1..], REGULAR, true)
        .or_else(|| best(&all, HALF, true))
        .or_else(|| best(&all, HALF, false))
        .unwrap_or(b',')
}

/// How well a delimiter parts the lines.
struct Fit {
    /// Part of the rows with the number of fields that most have; 0 where that is one.
    part: f64,
    /// Whether the first line has that number of fields too, or one fewer as in R.
    headed: bool,
    /// Whether it has one fewer.
    index: bool,
}

impl Fit {
    fn of(lines: &[Line]) -> Self {
        let kept = |line: &Line, strip: bool| line.len() - usize::from(strip && line.ends_empty());
        let by = |strip: bool| {
            let Some((first, rows)) = lines.split_first() else {
                return Self { part: 0.0, headed: false, index: false };
            };
            let rows = if rows.is_empty() { std::slice::from_ref(first) } else { rows };
            let mut counts: Vec<usize> = rows.iter().map(|row| kept(row, strip)).collect();
            counts.sort_unstable();
            let runs = counts.chunk_by(|a, b| a == b).map(|run| (run.len(), run[0]));
            let (times, fields) = runs.max().unwrap_or((0, 0));
            let part = if fields < 2 { 0.0 } else { times as f64 / rows.len() as f64 };
            let names = kept(first, strip);
            let index = names + 1 == fields && (names > 1 || rows.iter().all(|row| row.quoted));
            Self { part, headed: names == fields || index, index }
        };
        let (plain, stripped) = (by(false), by(true));
        if (stripped.headed, stripped.part) > (plain.headed, plain.part) { stripped } else { plain }
    }
}
