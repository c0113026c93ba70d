//! Letters: how wide a text is, and its pixels.

use ab_glyph::{Font, FontRef, ScaleFont, point};
use std::sync::LazyLock;

/// A subset of DejaVu Sans; see the folder's README.
static FONT: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(include_bytes!("font/DejaVuSans-subset.ttf"))
        .expect("the compiled-in font is a font")
});

/// Width of `text` in points at `size` points per em.
pub(super) fn width(text: &str, size: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, reason = "sizes of letters")]
    let font = FONT.as_scaled(per_em(size as f32));
    text.chars().map(|c| f64::from(font.h_advance(font.glyph_id(c)))).sum()
}

/// Calls `pixel(x, y, coverage)` for the pixels of `text` at `size` pixels per em, relative to the start of its base line; y downwards.
#[expect(clippy::cast_possible_truncation, reason = "pixels of a figure")]
pub(super) fn pixels(text: &str, size: f64, mut pixel: impl FnMut(i32, i32, f32)) {
    let scale = per_em(size as f32);
    let font = FONT.as_scaled(scale);
    let mut at = 0.0;
    for c in text.chars() {
        let id = font.glyph_id(c);
        if let Some(outline) = font.outline_glyph(id.with_scale_and_position(scale, point(at, 0.0)))
        {
            let corner = outline.px_bounds().min;
            let (left, top) = (corner.x as i32, corner.y as i32);
            outline.draw(|x, y, coverage| {
                pixel(left + x.cast_signed(), top + y.cast_signed(), coverage);
            });
        }
        at += font.h_advance(id);
    }
}

/// ab_glyph's scale is the height from descender to ascender, not the em.
fn per_em(size: f32) -> f32 {
    let units = FONT.units_per_em().unwrap_or(1.0);
    size * FONT.height_unscaled() / units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_of_a_figure_has_an_outline() {
        for c in "0123456789⁻⁰¹²³⁴⁵⁶⁷⁸⁹−–·×≤≥∞‖∂∇√½αβγδηθλρσφ₀₁₂ₖ".chars()
        {
            let mut covered = 0.0;
            pixels(&c.to_string(), 40.0, |_, _, coverage| covered += coverage);
            assert!(covered > 1.0, "`{c}` is missing in the subset");
            assert_ne!(FONT.glyph_id(c).0, 0, "`{c}` is missing in the subset");
        }
    }

    #[test]
    fn width_grows_with_text_and_size() {
        assert!((width("nn", 20.0) - 2.0 * width("n", 20.0)).abs() < 1e-4);
        assert!((width("n", 40.0) - 2.0 * width("n", 20.0)).abs() < 1e-4);
        // DejaVu Sans: an n of 0.634 em.
        assert!((width("n", 1000.0) - 634.0).abs() < 1.0);
    }
}
