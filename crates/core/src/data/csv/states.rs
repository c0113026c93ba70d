//! Where in a record a byte stands, for a reader that begins in the midst of a file: the grammar of [`records`](super::records) as an
//! automaton. Of a piece of text it says at which place each place before it leads to, so that pieces are looked at apart and then joined
//! (Ladner & Fischer 1980; Mytkowicz, Musuvathi & Schulte 2014).

use super::ends::{last_line_end, position};
use super::records::BLANKS;

/// What the next byte is met as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The first one of a record.
    Record,
    /// The first one of a field that is not the first.
    Field,
    /// One of a field behind its first, or behind its closing quote.
    Text,
    /// One between quotes.
    Quoted,
    /// One behind a quote between quotes: a second one, or the field's rest.
    Closing,
    /// One of a line that is left out.
    Comment,
}

/// How many there are.
pub(super) const PLACES: usize = 6;

impl Place {
    const ALL: [Self; PLACES] =
        [Self::Record, Self::Field, Self::Text, Self::Quoted, Self::Closing, Self::Comment];

    pub(super) fn of(index: usize) -> Option<Self> {
        Self::ALL.get(index).copied()
    }
}

/// Where each place leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leads(pub(super) [Place; PLACES]);

impl Leads {
    /// Of no text.
    pub(super) const NOWHERE: Self = Self(Place::ALL);

    pub(super) fn from(self, place: Place) -> Place {
        self.0[place as usize]
    }
}

/// The place behind every byte.
pub(super) struct Grammar {
    steps: Box<[[Place; 256]; PLACES]>,
}

impl Grammar {
    pub(super) fn new(delimiter: u8, comment: Option<u8>) -> Self {
        let parts = |byte: u8| byte == delimiter || delimiter == BLANKS && byte == b'\t';
        let step = |place: Place, byte: u8| match place {
            Place::Quoted if byte == b'"' => Place::Closing,
            Place::Quoted => Place::Quoted,
            Place::Closing if byte == b'"' => Place::Quoted,
            _ if matches!(byte, b'\n' | b'\r') => Place::Record,
            Place::Comment => Place::Comment,
            Place::Record if Some(byte) == comment => Place::Comment,
            Place::Record | Place::Field if byte == b'"' => Place::Quoted,
            _ if parts(byte) => Place::Field,
            _ => Place::Text,
        };
        let mut steps = Box::new([[Place::Record; 256]; PLACES]);
        for (row, place) in steps.iter_mut().zip(Place::ALL) {
            (0..=u8::MAX).for_each(|byte| row[usize::from(byte)] = step(place, byte));
        }
        Self { steps }
    }

    fn step(&self, place: Place, byte: u8) -> Place {
        self.steps[place as usize][usize::from(byte)]
    }

    /// The place behind `text`.
    fn behind(&self, place: Place, text: &[u8]) -> Place {
        text.iter().fold(place, |place, &byte| self.step(place, byte))
    }

    /// What `leads` becomes by `text`.
    pub(super) fn follow(&self, leads: &mut Leads, text: &[u8]) {
        // Most texts have no quote: a line end leads from everywhere but from between quotes to the same place.
        if let (None, Some(last)) = (position(text, b'"'), last_line_end(text, false)) {
            let behind = self.behind(Place::Record, &text[last..]);
            for place in leads.0.iter_mut().filter(|place| **place != Place::Quoted) {
                *place = behind;
            }
            return;
        }
        // Soon there are two of them, one of which is between quotes.
        let mut known = [None; PLACES];
        for place in &mut leads.0 {
            let behind = || self.behind(*place, text);
            *place = *known[*place as usize].get_or_insert_with(behind);
        }
    }

    /// How many bytes of `text` lead from `place` to the beginning of a record, if it has so many; and the place that is come to.
    pub(super) fn record(&self, place: Place, text: &[u8]) -> (Option<usize>, Place) {
        let mut place = place;
        for (index, &byte) in text.iter().enumerate() {
            place = self.step(place, byte);
            if place == Place::Record {
                return (Some(index + 1), place);
            }
        }
        (None, place)
    }
}
