//! Names of any length in tables and pictures.

use std::borrow::Cow;

/// Characters of a name that a table shows. Names come from files and may have any length, widths of columns are counted in `u16`.
pub const LONGEST: usize = 60;

/// `text` for one cell of a table or one line of a picture: at most `longest` characters, the last of them … where there were more;
/// control characters, which would break the line, as �.
///
/// ```
/// use secant_core::text::cut;
///
/// assert_eq!(cut("compressive strength", 12), "compressive…");
/// assert_eq!(cut("age\n(days)", 12), "age\u{fffd}(days)");
/// ```
pub fn cut(text: &str, longest: usize) -> Cow<'_, str> {
    let end = text.char_indices().nth(longest).map(|(end, _)| end);
    // Control characters beyond the cut do not matter.
    let shown = &text[..end.unwrap_or(text.len())];
    if end.is_none() && !shown.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let kept = if end.is_some() { longest.saturating_sub(1) } else { longest };
    let plain = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut short: String = shown.chars().take(kept).map(plain).collect();
    if end.is_some() && longest > 0 {
        short.push('…');
    }
    Cow::Owned(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_and_what_does_not_has_exactly_the_length_asked_for() {
        assert!(matches!(cut("θ₁θ₂", 4), Cow::Borrowed("θ₁θ₂")));
        assert_eq!(cut("θ₁θ₂", 3), "θ₁…");
        assert_eq!(cut("ab", 1), "…");
        assert_eq!(cut("ab", 0), "");
        assert_eq!(cut(&"汉".repeat(70_000), LONGEST).chars().count(), LONGEST);
    }
}
