//! Time or memory against n, both axes logarithmic, with the slopes of n, n² and n³.

use secant::plot::{Axis, Figure};

/// A named line of points (n, y).
pub type Line = (String, Vec<(usize, f64)>);

pub fn figure(lines: &[Line], title: &str, unit: &str) -> Figure {
    let points = || lines.iter().flat_map(|(_, points)| points).filter(|(_, y)| *y > 0.0);
    let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
    let (n, y) =
        (least(&mut points().map(|(n, _)| *n as f64)), least(&mut points().map(|(_, y)| *y)));
    let last = points().map(|(n, _)| *n as f64).fold(n, f64::max);
    let mut figure = Figure::new(title, Axis::log("n, parameters"), Axis::log(unit));
    for (name, points) in lines {
        figure = figure.measured(name, points.iter().map(|(n, y)| (*n as f64, *y)));
    }
    // From one corner, as far as they are seen.
    for (name, power) in [("n", 1), ("n²", 2), ("n³", 3)] {
        figure = figure.guide(name, [(n, y), (last, y * (last / n).powi(power))]);
    }
    figure
}
