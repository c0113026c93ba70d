//! The parts of a page; each gives its content, or nothing where there is nothing to say.

mod classes;
mod comparison;
mod costs;
mod course;
mod curve;
mod estimates;
mod model;
mod repeat;
mod summary;
mod values;

pub(super) use comparison::comparison;
pub(super) use costs::costs;
pub(super) use course::course;
pub(super) use curve::{CurvePicture, curve};
pub(super) use estimates::{Block, Estimates, SHOWN as ESTIMATES, estimates};
pub(super) use model::{Shape, model};
pub(super) use repeat::repeat;
pub(super) use summary::{Ending, Story, summary};

use super::judged::Judged;
use maud::Markup;

/// Both sets of samples, as far as there are such, with what they are called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sets<'a> {
    pub training: Option<&'a Judged>,
    pub held_out: Option<&'a Judged>,
}

/// What the samples of the fit are called.
const TRAINING: &str = "training";
const HELD_OUT: &str = "held out";

impl<'a> Sets<'a> {
    fn each(self) -> impl Iterator<Item = (&'static str, &'a Judged)> {
        let both = [(TRAINING, self.training), (HELD_OUT, self.held_out)];
        both.into_iter().filter_map(|(name, set)| Some((name, set?)))
    }
}

/// Predictions beside observations: of numbers, or of classes.
pub(super) fn predictions(sets: Sets<'_>) -> Option<Markup> {
    let one = sets.training.or(sets.held_out)?;
    match one.classes {
        Some(_) => classes::classes(sets),
        None => values::values(sets),
    }
}
