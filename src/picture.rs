//! What every picture shares, whatever draws it: axes with their ticks, how curves look, what can be seen of many points.

pub mod axis;
mod style;

#[cfg(feature = "plot")]
pub(crate) use style::GUIDE;
#[cfg(feature = "plot")]
pub use style::method_color;
pub(crate) use style::{Ink, Kind, Look, looks};

/// A place on a sheet.
pub(crate) type Point = (f64, f64);

/// The points that can be seen apart: of those in one column of half a point, the first, the lowest, the highest and the last.
pub(crate) fn thinned(points: &[Point]) -> Vec<Point> {
    let column = |point: &Point| (2.0 * point.0).floor();
    let mut kept = Vec::new();
    for group in points.chunk_by(|a, b| column(a) == column(b)) {
        let ends = [0, group.len() - 1];
        let by_height = |a: &usize, b: &usize| group[*a].1.total_cmp(&group[*b].1);
        let extremes = [(0..group.len()).min_by(by_height), (0..group.len()).max_by(by_height)];
        let mut indices: Vec<usize> =
            ends.into_iter().chain(extremes.into_iter().flatten()).collect();
        indices.sort_unstable();
        indices.dedup();
        kept.extend(indices.into_iter().map(|index| group[index]));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_the_envelope() {
        let noisy: Vec<Point> =
            (0..10_000).map(|i| (f64::from(i) * 1e-3, f64::from(i % 7))).collect();
        let kept = thinned(&noisy);
        assert!(kept.len() < 100, "{}", kept.len());
        let of = |points: &[Point]| {
            points.iter().map(|p| p.1).fold((9.0_f64, 0.0_f64), |a, y| (a.0.min(y), a.1.max(y)))
        };
        assert_eq!(of(&kept), of(&noisy));
        assert_eq!((kept[0], kept[kept.len() - 1]), (noisy[0], noisy[noisy.len() - 1]));
    }
}
