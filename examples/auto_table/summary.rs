//! Below the table: for each half and kind how far Auto is from the fastest.

use crate::name::{Half, Kind, Name};

/// Above this time of Auto a ratio counts one by one: below, runs are of the order of what any run costs beside its steps.
const COUNTS: f64 = 2e-3;
/// What is over this is listed.
const FAR: f64 = 2.0;

/// What a row leaves for the summary.
pub struct Line {
    pub name: Name,
    /// Of Auto.
    pub seconds: f64,
    /// Auto's time over that of the fastest that got as low; none where no other did.
    pub ratio: Option<f64>,
    pub convex: bool,
    /// Auto's value and the median one of the methods that ended, where Auto's is the higher one.
    pub above_median: Option<(f64, f64)>,
    /// And the lowest one.
    pub above_lowest: Option<(f64, f64)>,
}

/// Figures of some of the rows.
struct Figures {
    problems: usize,
    median: f64,
    /// Of those that count one by one, and of all.
    largest: f64,
    largest_of_all: f64,
    over: Vec<String>,
    over_short: Vec<String>,
    convex_above_lowest: Vec<String>,
    above_median: Vec<String>,
    above_lowest: Vec<String>,
}

impl Figures {
    fn of<'a>(lines: &(impl Iterator<Item = &'a Line> + Clone)) -> Self {
        let mut ratios: Vec<(&Line, f64)> =
            lines.clone().filter_map(|line| Some((line, line.ratio?))).collect();
        ratios.sort_by(|a, b| b.1.total_cmp(&a.1));
        let counts = |line: &Line| line.seconds > COUNTS;
        let over = |long: bool| {
            let of = ratios.iter().filter(|(line, ratio)| *ratio > FAR && counts(line) == long);
            of.map(|(line, ratio)| format!("{} {ratio:.2}", line.name)).collect()
        };
        let values = |line: &Line, (value, other): (f64, f64), word: &str| {
            format!("{}: {value:e}, the {word} {other:e}", line.name)
        };
        let above = |of: fn(&Line) -> Option<(f64, f64)>, word, convex_only: bool| {
            let lines = lines.clone().filter(|line| line.convex || !convex_only);
            lines.filter_map(|line| Some(values(line, of(line)?, word))).collect()
        };
        let largest = |mut of: Box<dyn Iterator<Item = &(&Line, f64)> + '_>| {
            of.next().map_or(f64::NAN, |(_, ratio)| *ratio)
        };
        Self {
            problems: lines.clone().count(),
            median: ratios.get(ratios.len() / 2).map_or(f64::NAN, |(_, ratio)| *ratio),
            largest: largest(Box::new(ratios.iter().filter(|(line, _)| counts(line)))),
            largest_of_all: largest(Box::new(ratios.iter())),
            over: over(true),
            over_short: over(false),
            convex_above_lowest: above(|line| line.above_lowest, "lowest", true),
            above_median: above(|line| line.above_median, "median", false),
            above_lowest: above(|line| line.above_lowest, "lowest", false),
        }
    }

    fn json(&self, half: Half, kind: &str) -> serde_json::Value {
        serde_json::json!({
            "half": half.word(), "kind": kind, "problems": self.problems, "median_ratio": self.median,
            "largest_ratio": self.largest, "largest_ratio_of_all": self.largest_of_all, "over_two": self.over,
            "over_two_below_2_ms": self.over_short, "convex_not_lowest": self.convex_above_lowest,
            "above_median": self.above_median, "not_lowest": self.above_lowest,
        })
    }
}

/// Prints the figures of `lines`.
pub fn print(lines: &[Line], json: bool) {
    for half in Half::ALL {
        let mut kinds: Vec<(&str, Figures)> = Vec::new();
        for kind in Kind::ALL {
            let of = lines.iter().filter(|line| line.name.half() == half && line.name.kind == kind);
            kinds.push((kind.words(), Figures::of(&of)));
        }
        let all = Figures::of(&lines.iter().filter(|line| line.name.half() == half));
        kinds.retain(|(_, figures)| figures.problems > 0);
        kinds.push(("all", all));
        if json {
            for (kind, figures) in &kinds {
                println!("{}", figures.json(half, kind));
            }
            continue;
        }
        let word = half.word();
        println!(
            "\n{word:<30} {:>8} {:>7} {:>15} {:>8}",
            "problems", "median", "most above 2 ms", "of all"
        );
        for (kind, Figures { problems, median, largest, largest_of_all, .. }) in &kinds {
            println!(
                "{kind:<30} {problems:>8} {median:>7.2} {largest:>15.2} {largest_of_all:>8.2}"
            );
        }
        let Some((_, all)) = kinds.last() else { continue };
        println!("over 2 × the fastest, above 2 ms: {}", listed(&all.over));
        println!("over 2 × the fastest, below: {}", listed(&all.over_short));
        println!("convex, above the lowest minimum: {}", listed(&all.convex_above_lowest));
        println!("above the median method's minimum: {}", listed(&all.above_median));
        println!("above the lowest minimum of any method: {}", listed(&all.above_lowest));
    }
}

fn listed(lines: &[String]) -> String {
    if lines.is_empty() {
        "none".into()
    } else {
        format!("{}\n  {}", lines.len(), lines.join("\n  "))
    }
}
