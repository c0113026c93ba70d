//! Paths over contour lines, and curves against iterations.

use plotters::coord::Shift;
use plotters::prelude::*;
use std::error::Error;
use std::ops::Range;

/// Cells of the grid on which contour lines are found, in each direction.
const CELLS: usize = 160;
const FONT: &str = "sans-serif";

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A path with its name.
pub struct Path {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// What a picture of paths shows.
pub struct Map<'a> {
    pub caption: String,
    pub x: (&'static str, Range<f64>),
    pub y: (&'static str, Range<f64>),
    pub levels: Vec<f64>,
    pub f: &'a dyn Fn(f64, f64) -> f64,
    pub paths: Vec<Path>,
    pub legend: SeriesLabelPosition,
}

/// What a picture of curves shows.
pub struct Curves {
    pub caption: String,
    pub x: &'static str,
    pub y: (&'static str, Range<f64>),
    pub lines: Vec<Path>,
    pub legend: SeriesLabelPosition,
}

fn colour(index: usize) -> RGBColor {
    /// Told apart in print and by most who see colours differently.  Okabe & Ito (2008).
    const COLOURS: [(u8, u8, u8); 7] = [
        (0, 114, 178),
        (213, 94, 0),
        (0, 158, 115),
        (204, 121, 167),
        (86, 180, 233),
        (230, 159, 0),
        (0, 0, 0),
    ];
    let (r, g, b) = COLOURS[index % COLOURS.len()];
    RGBColor(r, g, b)
}

/// Paths over contour lines.
pub fn map(area: &Area<'_>, map: &Map<'_>) -> Result<(), Box<dyn Error>> {
    let (x, y) = (&map.x.1, &map.y.1);
    let mut chart = ChartBuilder::on(area)
        .caption(&map.caption, (FONT, 20))
        .margin(14)
        .margin_right(28)
        .x_label_area_size(44)
        .y_label_area_size(58)
        .build_cartesian_2d(x.clone(), y.clone())?;
    chart
        .configure_mesh()
        .disable_mesh()
        .x_desc(map.x.0)
        .y_desc(map.y.0)
        .label_style((FONT, 15))
        .draw()?;
    for level in &map.levels {
        let lines = contour(map.f, x, y, *level);
        chart.draw_series(
            lines.into_iter().map(|line| PathElement::new(line, RGBColor(170, 170, 170))),
        )?;
    }
    let inside = |(px, py): &(f64, f64)| x.contains(px) && y.contains(py);
    for (index, path) in map.paths.iter().enumerate() {
        let colour = colour(index);
        chart
            .draw_series(LineSeries::new(path.points.iter().copied(), colour.stroke_width(2)))?
            .label(&path.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], colour.stroke_width(3)));
        let dots = path.points.iter().copied().filter(inside);
        chart.draw_series(dots.map(|point| Circle::new(point, 2, colour.filled())))?;
        if let Some(last) = path.points.last().copied().filter(inside) {
            chart.draw_series([Circle::new(last, 6, BLACK.stroke_width(2))])?;
        }
    }
    chart
        .configure_series_labels()
        .position(map.legend.clone())
        .background_style(WHITE.mix(0.9))
        .border_style(BLACK.mix(0.3))
        .label_font((FONT, 15))
        .draw()?;
    Ok(())
}

/// Curves on a logarithmic vertical axis.
pub fn curves(area: &Area<'_>, picture: &Curves) -> Result<(), Box<dyn Error>> {
    let longest = picture.lines.iter().map(|curve| curve.points.len()).max().unwrap_or(1);
    let mut chart = ChartBuilder::on(area)
        .caption(&picture.caption, (FONT, 20))
        .margin(14)
        .margin_right(28)
        .x_label_area_size(44)
        .y_label_area_size(70)
        .build_cartesian_2d(0.0..longest as f64, picture.y.1.clone().log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc(picture.x)
        .x_label_formatter(&|iteration| format!("{iteration:.0}"))
        .y_desc(picture.y.0)
        .y_label_formatter(&|gap| format!("{gap:.0e}"))
        .label_style((FONT, 15))
        .draw()?;
    for (index, curve) in picture.lines.iter().enumerate() {
        let style = colour(index).stroke_width(2);
        let points = curve.points.iter().copied();
        let shown = points.take_while(|(_, y)| picture.y.1.contains(y));
        chart
            .draw_series(LineSeries::new(shown, style))?
            .label(&curve.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], style));
    }
    chart
        .configure_series_labels()
        .position(picture.legend.clone())
        .background_style(WHITE.mix(0.9))
        .border_style(BLACK.mix(0.3))
        .label_font((FONT, 15))
        .draw()?;
    Ok(())
}

/// The line f = `level`, as pieces within the cells of a grid (marching squares).
fn contour(
    f: &dyn Fn(f64, f64) -> f64,
    x: &Range<f64>,
    y: &Range<f64>,
    level: f64,
) -> Vec<Vec<(f64, f64)>> {
    let place = |range: &Range<f64>, i: usize| {
        range.start + (range.end - range.start) * i as f64 / CELLS as f64
    };
    let corner = |i: usize, j: usize| {
        let (x, y) = (place(x, i), place(y, j));
        (x, y, f(x, y) - level)
    };
    let mut lines = Vec::new();
    for i in 0..CELLS {
        for j in 0..CELLS {
            let around = [corner(i, j), corner(i + 1, j), corner(i + 1, j + 1), corner(i, j + 1)];
            let edges = (0..4).map(|k| (around[k], around[(k + 1) % 4]));
            let crossed = edges.filter(|(a, b)| (a.2 < 0.0) != (b.2 < 0.0));
            let points: Vec<(f64, f64)> = crossed
                .map(|(a, b)| {
                    let part = a.2 / (a.2 - b.2);
                    (a.0 + part * (b.0 - a.0), a.1 + part * (b.1 - a.1))
                })
                .collect();
            lines.extend(points.chunks(2).map(<[(f64, f64)]>::to_vec));
        }
    }
    lines
}
