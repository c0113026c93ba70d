//! Contour lines of a function of two variables, by marching squares.

use super::PlotError;
use super::canvas::Canvas;
use crate::picture::Ink;
use crate::picture::axis::Frame;
use std::collections::{HashMap, VecDeque};

/// Cells each way.
const CELLS: usize = 200;
const WIDTH: f64 = 0.9;

type Point = (f64, f64);

/// Lines of equal value, in the function's coordinates.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    /// For every level, from the lowest: its lines.
    levels: Vec<Vec<Vec<Point>>>,
}

impl Lines {
    /// f over the rectangle `x` × `y`; a value that is not finite breaks the lines around it.
    pub(super) fn of(
        x: (f64, f64),
        y: (f64, f64),
        levels: &[f64],
        f: &mut impl FnMut(f64, f64) -> f64,
    ) -> Self {
        let along = |(a, b): (f64, f64), i: usize| a + (b - a) * i as f64 / CELLS as f64;
        let mut values = Vec::with_capacity((CELLS + 1) * (CELLS + 1));
        for j in 0..=CELLS {
            for i in 0..=CELLS {
                values.push(f(along(x, i), along(y, j)));
            }
        }
        let corner = |i: usize, j: usize| ((along(x, i), along(y, j)), values[j * (CELLS + 1) + i]);
        let mut levels: Vec<f64> = levels.iter().copied().filter(|l| l.is_finite()).collect();
        levels.sort_by(f64::total_cmp);
        let segments = |level: f64| {
            let mut found = Vec::new();
            for j in 0..CELLS {
                for i in 0..CELLS {
                    let around =
                        [corner(i, j), corner(i + 1, j), corner(i + 1, j + 1), corner(i, j + 1)];
                    cell(around, level, &mut found);
                }
            }
            joined(&found)
        };
        Self { levels: levels.into_iter().map(segments).collect() }
    }

    pub(super) fn draw(
        &self,
        canvas: &mut Canvas<'_>,
        x: &Frame,
        y: &Frame,
        [lowest, highest]: [Ink; 2],
    ) -> Result<(), PlotError> {
        let last = (self.levels.len().max(2) - 1) as f64;
        for (index, lines) in self.levels.iter().enumerate() {
            let ink = lowest.towards(highest, index as f64 / last);
            for line in lines {
                let place = |p: &Point| Some((x.place(p.0)?, y.place(p.1)?));
                let placed: Vec<Point> = line.iter().filter_map(place).collect();
                canvas.line(&placed, WIDTH, ink, &[])?;
            }
        }
        Ok(())
    }
}

/// The segments of one cell; `corners` in turn. At a saddle the mean of the corners decides which two are joined.
fn cell(corners: [(Point, f64); 4], level: f64, found: &mut Vec<[Point; 2]>) {
    if corners.iter().any(|(_, value)| !value.is_finite()) {
        return;
    }
    let mut crossings: Vec<Point> = Vec::with_capacity(corners.len());
    for k in 0..corners.len() {
        let ((a, fa), (b, fb)) = (corners[k], corners[(k + 1) % corners.len()]);
        if (fa < level) != (fb < level) {
            // From the same end in both cells of an edge: the same bits, by which segments are joined.
            let ((a, fa), (b, fb)) = if a <= b { ((a, fa), (b, fb)) } else { ((b, fb), (a, fa)) };
            let t = (level - fa) / (fb - fa);
            crossings.push((a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1)));
        }
    }
    match crossings[..] {
        [a, b] => found.push([a, b]),
        [a, b, c, d] => {
            let mean = corners.iter().map(|(_, value)| value).sum::<f64>() / corners.len() as f64;
            // Edges 0 and 1 meet in corner 1: it is cut off where it lies on the other side than the middle.
            let cuts_corner_1 = (mean < level) != (corners[1].1 < level);
            found.extend(if cuts_corner_1 { [[a, b], [c, d]] } else { [[a, d], [b, c]] });
        }
        _ => {}
    }
}

/// Segments that share ends, made lines.
fn joined(segments: &[[Point; 2]]) -> Vec<Vec<Point>> {
    let key = |p: Point| (p.0.to_bits(), p.1.to_bits());
    let mut at: HashMap<_, Vec<usize>> = HashMap::new();
    for (index, ends) in segments.iter().enumerate() {
        for end in ends {
            at.entry(key(*end)).or_default().push(index);
        }
    }
    let mut used = vec![false; segments.len()];
    let mut lines = Vec::new();
    for index in 0..segments.len() {
        if std::mem::replace(&mut used[index], true) {
            continue;
        }
        let mut line = VecDeque::from(segments[index]);
        for forwards in [true, false] {
            loop {
                let end = if forwards { line[line.len() - 1] } else { line[0] };
                let next = at[&key(end)].iter().copied().find(|next| !used[*next]);
                let Some(next) = next else { break };
                used[next] = true;
                let [a, b] = segments[next];
                let other = if key(a) == key(end) { b } else { a };
                if forwards { line.push_back(other) } else { line.push_front(other) }
            }
        }
        lines.push(line.into());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_cone_are_circles() {
        let cone = |x: f64, y: f64| x.hypot(y);
        // Levels that no node of the grid has.
        let lines = Lines::of((-2.0, 2.0), (-2.0, 2.0), &[1.493, 0.517], &mut { cone });
        for (level, lines) in [0.517, 1.493].into_iter().zip(&lines.levels) {
            assert_eq!(lines.len(), 1, "one closed line");
            let circle = &lines[0];
            assert_eq!(circle.first(), circle.last());
            let mut length = 0.0;
            for pair in circle.windows(2) {
                let (a, b) = (pair[0], pair[1]);
                // Linear interpolation over a cell of 0.02: off by h²/8r at most.
                let off = 1.1 * 0.02_f64.powi(2) / (8.0 * level) + 1e-12;
                assert!((cone(a.0, a.1) - level).abs() < off, "{a:?}");
                length += (a.0 - b.0).hypot(a.1 - b.1);
            }
            let circumference = 2.0 * std::f64::consts::PI * level;
            assert!((length / circumference - 1.0).abs() < 1e-3, "{length} {circumference}");
        }
    }

    #[test]
    fn a_saddle_is_crossed_by_two_lines_and_values_that_are_not_finite_by_none() {
        let mut found = Vec::new();
        let at = |k: usize| [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)][k];
        let corners = |values: [f64; 4]| [0, 1, 2, 3].map(|k| (at(k), values[k]));
        cell(corners([0.0, 1.0, 0.0, 1.0]), 0.4, &mut found);
        assert_eq!(found.len(), 2);
        found.clear();
        cell(corners([0.0, 1.0, f64::NAN, 1.0]), 0.4, &mut found);
        assert!(found.is_empty());
    }
}
