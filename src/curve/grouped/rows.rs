//! Tables of texts.

use std::fmt;

fn width(text: &str) -> usize {
    text.chars().count()
}

/// Columns of one width each, the first to the left and the others to the right.
pub(super) fn write_rows(f: &mut fmt::Formatter<'_>, rows: &[Vec<String>]) -> fmt::Result {
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> =
        (0..columns).map(|k| rows.iter().map(|row| width(&row[k])).max().unwrap_or(0)).collect();
    for row in rows {
        let mut line = String::new();
        for (k, (cell, most)) in row.iter().zip(&widths).enumerate() {
            let space = " ".repeat(most - width(cell));
            match k {
                0 => line.extend([cell, space.as_str()]),
                _ => line.extend(["  ", space.as_str(), cell]),
            }
        }
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}
