//! Methods side by side.

use crate::compare::{Comparison, GAPS, amount, bytes, time};
use crate::html::chart::{Chart, Mark, Style, evenly};
use crate::html::table::{Cell, Table};
use crate::html::words::{brief, number};
use crate::picture::axis::Axis;
use crate::picture::{Kind, looks};
use maud::{Markup, html};
use secant_core::text::{LONGEST, cut, enumerated};
use secant_optim::TraceEntry;

/// Marks of one method on its line, at most.
const MARKS: usize = 60;

/// What the gap is drawn against.
#[derive(Clone, Copy)]
enum Against {
    Iterations,
    Gradients,
    Seconds,
}

impl Against {
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Iterations => ("iterations", "iterations + 1"),
            Self::Gradients => ("gradients", "gradient-equivalents"),
            Self::Seconds => ("seconds", "seconds"),
        }
    }
}

pub(in crate::html) fn comparison(table: &Comparison) -> Markup {
    let strangers = table.strangers();
    html! {
        (rows(table).render())
        @if !strangers.is_empty() {
            p.note { "Not the same problem, since they start from another value: " (enumerated(strangers)) "." }
        }
        (reached(table).render())
        p.note { "A gap is (f − best)/(f₀ − best), with the lowest value that any method found. A gradient-equivalent is the work of f with ∇f on all samples." }
        div.wide {
            @for against in [Against::Iterations, Against::Gradients, Against::Seconds] {
                (picture(table, against).wide().render())
            }
        }
    }
}

fn rows(table: &Comparison) -> Table {
    let head =
        ["method", "value", "‖∇f‖∞", "iterations", "epochs", "gradients", "time", "memory", "end"];
    let mut all = Table::new("Every method from the same start", head).sortable();
    for row in &table.rows {
        let memory = row
            .memory_bytes
            .map_or_else(Cell::none, |count| Cell::shown(bytes(count), count as f64));
        all.row(vec![
            Cell::name(&row.name),
            Cell::shown(number(row.value), row.value),
            Cell::shown(brief(row.gradient_norm), row.gradient_norm),
            Cell::shown(row.iterations.to_string(), row.iterations as f64),
            Cell::shown(amount(row.epochs), row.epochs),
            Cell::shown(amount(row.gradient_equivalents), row.gradient_equivalents),
            Cell::shown(time(row.seconds), row.seconds),
            memory,
            Cell::text(row.reason.sentence()),
        ]);
    }
    all
}

fn reached(table: &Comparison) -> Table {
    let gaps = GAPS.iter().map(|gap| format!("to a gap of {gap:e}").replace('-', "−"));
    let head = ["method".to_owned()].into_iter().chain(gaps);
    let mut all =
        Table::new("Gradients, and time, until a gap is reached; – where it is not", head)
            .sortable();
    for row in &table.rows {
        let cells = row.reached.iter().map(|reached| {
            match reached.gradient_equivalents.zip(reached.seconds) {
                Some((gradients, seconds)) => {
                    Cell::shown(format!("{}, {}", amount(gradients), time(seconds)), gradients)
                }
                None => Cell::none(),
            }
        });
        all.row([Cell::name(&row.name)].into_iter().chain(cells).collect());
    }
    all
}

fn picture(table: &Comparison, against: Against) -> Chart {
    let (title, label) = against.names();
    let x = |entry: &TraceEntry| match against {
        Against::Iterations => entry.iteration as f64 + 1.0,
        Against::Gradients => table.costs.of(&entry.work),
        Against::Seconds => entry.seconds,
    };
    let floor = table.gap_of_rounding();
    let mut chart = Chart::new(
        format!("Gap against {title}"),
        "How far the best value so far of every method is above the best of all, as a share of where it began; lower and further left is better.",
        Axis::log(format!("{label}, logarithmic")),
        Axis::log("gap, logarithmic"),
    );
    let names = table.runs.iter().map(|run| (run.name.as_str(), Kind::Run));
    for (run, look) in table.runs.iter().zip(looks(names)) {
        let mut lowest = f64::INFINITY;
        // `min` passes over NaN.
        let points: Vec<(f64, f64)> = run
            .report
            .trace
            .iter()
            .map(|entry| {
                lowest = lowest.min(entry.value);
                (x(entry), table.gap(lowest).max(floor))
            })
            .collect();
        let marks = evenly(points.len(), MARKS).into_iter().map(|i| {
            let entry = &run.report.trace[i];
            Mark {
                at: points[i],
                says: format!(
                    "{}, iteration {}: f {}, gap {}, {} gradients, {}",
                    cut(&run.name, LONGEST),
                    entry.iteration,
                    brief(entry.value),
                    brief(points[i].1),
                    amount(table.costs.of(&entry.work)),
                    time(entry.seconds)
                ),
            }
        });
        let marks: Vec<Mark> = marks.collect();
        chart =
            chart.line(&run.name, Style::from(look), points).marks("", Style::from(look), marks);
    }
    chart
}
