//! Time per step against n, both axes logarithmic.

use plotters::prelude::*;
use std::error::Error;
use std::path::Path;

const COLOURS: [RGBColor; 11] = [
    RGBColor(214, 39, 40),
    RGBColor(255, 127, 14),
    RGBColor(188, 189, 34),
    RGBColor(31, 119, 180),
    RGBColor(23, 190, 207),
    RGBColor(44, 160, 44),
    RGBColor(0, 100, 60),
    RGBColor(148, 103, 189),
    RGBColor(0, 0, 0),
    RGBColor(127, 127, 127),
    RGBColor(227, 119, 194),
];

/// A named line of points (n, y).
pub type Line = (String, Vec<(usize, f64)>);

/// # Errors
/// The file cannot be written.
pub fn draw(lines: &[Line], title: &str, unit: &str, path: &Path) -> Result<(), Box<dyn Error>> {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let range = |values: Vec<f64>| {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(0.0, f64::max);
        0.7 * low..1.5 * high
    };
    let n = range(points().map(|(n, _)| *n as f64).collect());
    let y = range(points().map(|(_, y)| *y).collect());
    let area = SVGBackend::new(path, (980, 600)).into_drawing_area();
    area.fill(&WHITE)?;
    // The legend has a column of its own, clear of the curves.
    let (left, right) = area.split_horizontally(690);
    let mut chart = ChartBuilder::on(&left)
        .caption(title, ("sans-serif", 20))
        .margin(14)
        .x_label_area_size(44)
        .y_label_area_size(76)
        .build_cartesian_2d(n.log_scale(), y.log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc("n, parameters")
        .y_desc(unit)
        .label_style(("sans-serif", 14))
        .x_label_formatter(&|n| power(*n))
        .y_label_formatter(&|y| power(*y))
        .draw()?;
    for (row, ((name, points), colour)) in (0..).zip(lines.iter().zip(COLOURS)) {
        let style = colour.stroke_width(2);
        let line = points.iter().map(|(n, y)| (*n as f64, *y));
        chart.draw_series(LineSeries::new(line.clone(), style))?;
        chart.draw_series(line.map(|at| Circle::new(at, 3, colour.filled())))?;
        let y = 60 + 26 * row;
        right.draw(&PathElement::new([(4, y), (30, y)], colour.stroke_width(3)))?;
        right.draw(&Text::new(name.as_str(), (38, y - 8), ("sans-serif", 15)))?;
    }
    area.present()?;
    Ok(())
}

/// 10^k where it is one.
fn power(x: f64) -> String {
    let exponent = x.log10();
    if (exponent - exponent.round()).abs() < 1e-9 {
        format!("1e{exponent:.0}")
    } else {
        format!("{x:.0e}")
    }
}
