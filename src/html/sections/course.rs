//! f and ‖∇f‖ on the way.

use crate::compare::time;
use crate::html::chart::{Chart, Mark, Style, evenly};
use crate::html::words::{brief, grouped, size};
use crate::picture::Point;
use crate::picture::axis::Axis;
use maud::{Markup, html};
use secant_optim::{Report, TraceEntry};

/// Marks on a line, at most; the line itself shows all.
const MARKS: usize = 150;
/// A ratio of values from which on an axis is logarithmic.
const WIDE: f64 = 3.0;

/// What the pictures are drawn against.
#[derive(Clone, Copy)]
enum Against {
    Iterations,
    /// Time, with the name of a unit and how many of it a second has.
    Time(&'static str, f64),
}

impl Against {
    fn of(self, entry: &TraceEntry) -> f64 {
        match self {
            Self::Iterations => entry.iteration as f64,
            Self::Time(_, unit) => unit * entry.seconds,
        }
    }

    fn axis(self) -> Axis {
        match self {
            Self::Iterations => Axis::linear(self.name()).whole(),
            Self::Time(unit, _) => Axis::linear(unit),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Iterations => "iterations",
            Self::Time(..) => "time",
        }
    }
}

/// Pictures against iterations and seconds; nothing of a run without steps.
pub(in crate::html) fn course(report: &Report) -> Option<Markup> {
    let trace = &report.trace;
    if trace.len() < 2 {
        return None;
    }
    let unit = match report.seconds {
        seconds if seconds < 1e-3 => ("microseconds", 1e6),
        seconds if seconds < 1.0 => ("milliseconds", 1e3),
        _ => ("seconds", 1.0),
    };
    let both = [Against::Iterations, Against::Time(unit.0, unit.1)];
    let marked = evenly(trace.len(), MARKS);
    let thinned = marked.len() < trace.len();
    Some(html! {
        div.charts {
            @for against in both { (values(report, &marked, against).render()) }
            @for against in both { (gradients(report, &marked, against).render()) }
        }
        @if thinned {
            p.note {
                "The lines go through all " (grouped(size(trace.len()))) " entries of the trace; "
                (marked.len()) " of them, evenly chosen, are marked and can be pointed at."
            }
        }
    })
}

/// Logarithmic where all is positive and differs by much.
pub(in crate::html) fn axis(label: &str, values: impl Iterator<Item = f64>) -> Axis {
    let finite = values.filter(|v| v.is_finite());
    let (low, high) =
        finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    if low > 0.0 && high > WIDE * low {
        Axis::log(format!("{label}, logarithmic"))
    } else {
        Axis::linear(label)
    }
}

/// What an iterate says.
fn says(entry: &TraceEntry) -> String {
    let validation =
        entry.validation.map(|held_out| format!(", held out {}", brief(held_out.loss)));
    format!(
        "iteration {}: f {}{}, ‖∇f‖∞ {}, after {}",
        entry.iteration,
        brief(entry.value),
        validation.unwrap_or_default(),
        brief(entry.gradient_norm),
        time(entry.seconds)
    )
}

fn values(report: &Report, marked: &[usize], against: Against) -> Chart {
    let trace = &report.trace;
    let held_out = |entry: &TraceEntry| entry.validation.map_or(f64::NAN, |score| score.loss);
    let validated = trace.iter().any(|entry| entry.validation.is_some());
    let all = trace.iter().map(|entry| entry.value).chain(trace.iter().map(held_out));
    let y = axis(if validated { "loss" } else { "f" }, all);
    let title = format!("Loss against {}", against.name());
    let text = format!(
        "f, the mean loss with the penalty, went from {} to {}{}.",
        brief(report.initial_value),
        brief(report.value),
        report.validation.map_or_else(String::new, |kept| format!(
            "; on the samples held out it was least at iteration {}, {}",
            kept.iteration,
            brief(kept.loss)
        ))
    );
    let along = |of: &dyn Fn(&TraceEntry) -> f64| -> Vec<Point> {
        trace.iter().map(|entry| (against.of(entry), of(entry))).collect()
    };
    let chosen = |of: &dyn Fn(&TraceEntry) -> f64| -> Vec<Mark> {
        let marks = marked.iter().map(|i| &trace[*i]);
        marks.map(|entry| Mark { at: (against.of(entry), of(entry)), says: says(entry) }).collect()
    };
    let name = if validated { "training, with the penalty" } else { "" };
    let value = |entry: &TraceEntry| entry.value;
    let mut chart = Chart::new(title, text, against.axis(), y)
        .line(name, Style::TRAINING, along(&value))
        .marks("", Style::TRAINING, chosen(&value));
    if validated {
        chart = chart.line("held out", Style::HELD_OUT, along(&held_out)).marks(
            "",
            Style::HELD_OUT,
            chosen(&held_out),
        );
    }
    let kept = report.validation.and_then(|kept| {
        let entry = trace.iter().find(|entry| entry.iteration == kept.iteration)?;
        Some(Mark { at: (against.of(entry), kept.loss), says: format!("kept: {}", says(entry)) })
    });
    match kept {
        Some(kept) => chart.marks("the iterate that was kept", Style::KEPT, vec![kept]),
        None => chart,
    }
}

fn gradients(report: &Report, marked: &[usize], against: Against) -> Chart {
    let trace = &report.trace;
    let at = |entry: &TraceEntry| (against.of(entry), entry.gradient_norm);
    let text = format!(
        "‖∇f‖∞, the largest entry of the gradient, which is 0 in a minimum, went from {} to {}.",
        brief(report.initial_gradient.max),
        brief(report.gradient.max)
    );
    let y = axis("‖∇f‖∞", trace.iter().map(|entry| entry.gradient_norm));
    let marks = marked.iter().map(|i| Mark { at: at(&trace[*i]), says: says(&trace[*i]) });
    let title = format!("Gradient against {}", against.name());
    Chart::new(title, text, against.axis(), y)
        .line("", Style::TRAINING, trace.iter().map(at).collect())
        .marks("", Style::TRAINING, marks.collect())
}
