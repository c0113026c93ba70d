//! What a report says of derivatives by differences.

use super::Slope;
use std::fmt::Write as _;

/// A relative error from here on is worth a word: the reader counts on more than three digits.
const DOUBTFUL: f64 = 1e-3;
/// Parameters that are named; of the others, how many.
const NAMED: usize = 5;

/// A sentence for each kind of trouble that the derivatives with respect to the parameters met; none where all are well.
pub fn in_words(slopes: &[Slope]) -> Vec<String> {
    let mut found = Vec::new();
    let unchanged = range(slopes, |slope| match slope {
        Slope::NoChange { from, to } => Some((*from, *to)),
        _ => None,
    });
    if let Some((names, from, to)) = unchanged {
        found.push(format!("{names}: differences show no change between {from:.0e} and {to:.0e}"));
    }
    let broken = range(slopes, |slope| match slope {
        Slope::NotFinite { from, to } => Some((*from, *to)),
        _ => None,
    });
    if let Some((names, from, to)) = broken {
        found.push(if to > 0.0 {
            format!("{names}: not finite on either side, between {from:.0e} and {to:.0e}")
        } else {
            "no differences: the function is not finite at the point itself".to_owned()
        });
    }
    let doubtful = range(slopes, |slope| match slope {
        Slope::Found { doubt, .. } if *doubt > DOUBTFUL => Some((*doubt, *doubt)),
        _ => None,
    });
    if let Some((names, _, doubt)) = doubtful {
        let percent = 100.0 * doubt.min(1.0);
        found.push(format!(
            "{names}: differences of several steps disagree, by up to {percent:.1} %: noise, a jump or a kink"
        ));
    }
    found
}

/// The parameters for which `pick` gives two numbers, and the least and largest of these.
fn range(
    slopes: &[Slope],
    pick: impl Fn(&Slope) -> Option<(f64, f64)>,
) -> Option<(String, f64, f64)> {
    let (mut names, mut count) = (String::new(), 0);
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    for (j, slope) in slopes.iter().enumerate() {
        let Some((from, to)) = pick(slope) else { continue };
        count += 1;
        (least, most) = (least.min(from), most.max(to));
        if count <= NAMED {
            let comma = if count > 1 { ", " } else { "" };
            let _ = write!(names, "{comma}θ[{j}]");
        }
    }
    if count > NAMED {
        let _ = write!(names, " and {} more", count - NAMED);
    }
    (count > 0).then_some((names, least, most))
}
