//! Where curves run over each other: places of marks by which each of them can still be seen.

use std::collections::HashMap;

type Point = (f64, f64);

/// Curves nearer than this, in points, hide each other.
const NEAR: f64 = 2.0;
/// Only where they do so over this length; a crossing is no secret.
const LEAST: f64 = 18.0;
/// From one mark of a curve to its next.
const SPACING: f64 = 84.0;
/// Where more curves than this run together, as at a common start, marks would hide them all.
const TOGETHER: u32 = 5;
/// Curves that can be told apart here; more are drawn without marks.
const MOST: usize = 64;

/// For each curve (its visible parts), places of marks along the stretches that it shares with others. Those of the curves that share a
/// stretch take turns.
pub(super) fn shared(curves: &[Vec<Vec<Point>>]) -> Vec<Vec<Point>> {
    let cell = |p: Point| ((p.0 / NEAR).floor(), (p.1 / NEAR).floor());
    #[expect(clippy::cast_possible_truncation, reason = "points of a sheet")]
    let key = |(x, y): (f64, f64)| (x as i64, y as i64);
    let mut over: HashMap<(i64, i64), u64> = HashMap::new();
    for (index, parts) in curves.iter().enumerate().take(MOST) {
        for part in parts {
            for (point, _) in steps(part) {
                *over.entry(key(cell(point))).or_default() |= 1 << index;
            }
        }
    }
    let near = |point: Point| {
        let (x, y) = key(cell(point));
        let around = (x - 1..=x + 1).flat_map(|x| (y - 1..=y + 1).map(move |y| (x, y)));
        around.filter_map(|cell| over.get(&cell)).fold(0, |all, some| all | some)
    };
    let mut marks = vec![Vec::new(); curves.len()];
    for (index, parts) in curves.iter().enumerate().take(MOST) {
        let own = 1_u64 << index;
        let hidden = |all: u64| (2..=TOGETHER).contains(&(all | own).count_ones());
        for part in parts {
            let along: Vec<(Point, f64, u64)> =
                steps(part).map(|(point, length)| (point, length, near(point))).collect();
            for stretch in along.chunk_by(|a, b| hidden(a.2) == hidden(b.2)) {
                let all = stretch.iter().fold(0, |all, step| all | step.2);
                let (begin, end) = (stretch[0].1, stretch[stretch.len() - 1].1);
                if !hidden(stretch[0].2) || end - begin < LEAST {
                    continue;
                }
                let (rank, count) = ((all & (own - 1)).count_ones(), all.count_ones());
                let spacing = SPACING.min(end - begin);
                let mut next = begin + spacing * (f64::from(rank) + 0.5) / f64::from(count);
                for (point, length, _) in stretch {
                    if *length >= next {
                        marks[index].push(*point);
                        next += spacing;
                    }
                }
            }
        }
    }
    marks
}

/// Points along a line, half of [`NEAR`] apart, with the length up to them.
fn steps(line: &[Point]) -> impl Iterator<Item = (Point, f64)> {
    let mut length = 0.0;
    line.windows(2).flat_map(move |pair| {
        let (from, to) = (pair[0], pair[1]);
        let distance = (to.0 - from.0).hypot(to.1 - from.1);
        let begin = length;
        length += distance;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "points of a sheet"
        )]
        let count = (distance / (0.5 * NEAR)).ceil().max(1.0) as u32;
        (0..count).map(move |k| {
            let share = f64::from(k) / f64::from(count);
            let at = (from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1));
            (at, begin + share * distance)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_that_cover_each_other_have_marks_in_turn_and_crossings_have_none() {
        let along = vec![vec![(0.0, 50.0), (400.0, 50.0)]];
        let same = vec![vec![(100.0, 50.5), (300.0, 50.5), (300.0, 200.0)]];
        let across = vec![vec![(50.0, 0.0), (50.0, 100.0)]];
        let marks = shared(&[along, same, across]);
        assert!(marks[2].is_empty(), "{marks:?}");
        // Over 200 points: two or three each, on the common stretch only, none over another's.
        for own in &marks[..2] {
            assert!((2..=3).contains(&own.len()), "{marks:?}");
            assert!(own.iter().all(|p| p.0 > 95.0 && p.0 < 305.0 && (p.1 - 50.0).abs() < 1.0));
        }
        let least = marks[0].iter().flat_map(|a| marks[1].iter().map(move |b| (a.0 - b.0).abs()));
        assert!(least.fold(f64::INFINITY, f64::min) > 20.0, "{marks:?}");
        assert_eq!(shared(&[vec![vec![(0.0, 0.0), (500.0, 0.0)]]]), [vec![]], "alone");
    }
}
