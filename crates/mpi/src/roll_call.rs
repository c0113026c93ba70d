//! Who is there: a rank that has waited too long in a collective asks the others, and those that wait as well answer.
//!
//! Questions and answers are messages of one number between two ranks, beside the collective. A rank answers while it waits; one that
//! computes, hangs or was stopped does not, and is what the others wait for.

use mpi::point_to_point::{Destination, Source};
use mpi::topology::{Communicator, SimpleCommunicator};
use std::time::{Duration, Instant};

const ASKED: i32 = 7001;
const HERE: i32 = 7002;
/// How long answers are waited for.
const ANSWERS: Duration = Duration::from_secs(2);
/// Looks at a collective before the rank gives its core to others, and those before it sleeps.
const SPINS: u32 = 200;
const YIELDS: u32 = 2_000;
const SLEEP: Duration = Duration::from_micros(50);
/// Looks from one question to the next at who asks.
const LISTEN: u32 = 1_000;

/// The ranks beside this one.
pub(crate) fn others(world: &SimpleCommunicator) -> impl Iterator<Item = i32> + use<> {
    let own = world.rank();
    (0..world.size()).filter(move |rank| *rank != own)
}

/// The watch over one collective.
pub(crate) struct RollCall<'w> {
    world: &'w SimpleCommunicator,
    begun: Instant,
    timeout: Duration,
    exchange: u64,
    name: &'w str,
    looks: u32,
    /// Since when answers are waited for, and who gave one.
    asked: Option<(Instant, Vec<bool>)>,
}

impl<'w> RollCall<'w> {
    pub(crate) fn new(
        world: &'w SimpleCommunicator,
        timeout: Duration,
        exchange: u64,
        name: &'w str,
    ) -> Self {
        let begun = Instant::now();
        Self { world, begun, timeout, exchange, name, looks: 0, asked: None }
    }

    /// A moment, between two looks at the collective. Ends the job when the time is over and the others have had theirs to answer.
    pub(crate) fn wait(&mut self) {
        self.looks = self.looks.saturating_add(1);
        match self.looks {
            0..SPINS => std::hint::spin_loop(),
            SPINS..YIELDS => std::thread::yield_now(),
            _ => std::thread::sleep(SLEEP),
        }
        if self.looks < YIELDS || !self.looks.is_multiple_of(LISTEN) && self.asked.is_none() {
            return;
        }
        self.listen();
        match &self.asked {
            None if self.begun.elapsed() >= self.timeout => self.ask(),
            Some((since, here)) if since.elapsed() >= ANSWERS => self.end(here),
            _ => {}
        }
    }

    fn ask(&mut self) {
        for rank in others(self.world) {
            self.world.process_at_rank(rank).send_with_tag(&self.exchange, ASKED);
        }
        let size = usize::try_from(self.world.size()).unwrap_or(1);
        let mut here = vec![false; size];
        here[usize::try_from(self.world.rank()).unwrap_or(0)] = true;
        self.asked = Some((Instant::now(), here));
    }

    /// Answers questions, and counts answers.
    fn listen(&mut self) {
        for rank in others(self.world) {
            let process = self.world.process_at_rank(rank);
            while process.immediate_probe_with_tag(ASKED).is_some() {
                let (exchange, _) = process.receive_with_tag::<u64>(ASKED);
                if exchange == self.exchange {
                    process.send_with_tag(&self.exchange, HERE);
                }
            }
            while process.immediate_probe_with_tag(HERE).is_some() {
                let (exchange, _) = process.receive_with_tag::<u64>(HERE);
                if let (Some((_, here)), true) = (&mut self.asked, exchange == self.exchange) {
                    here[usize::try_from(rank).unwrap_or(0)] = true;
                }
            }
        }
    }

    /// The first of those that are there says who is not, and the job ends.
    fn end(&self, here: &[bool]) -> ! {
        let own = usize::try_from(self.world.rank()).unwrap_or(0);
        if here.iter().position(|here| *here) == Some(own) {
            let missing = here.iter().enumerate().filter(|(_, here)| !**here);
            let missing: Vec<String> = missing.map(|(rank, _)| rank.to_string()).collect();
            let who = match missing.as_slice() {
                [] => "all ranks are there, but the collective does not end".to_owned(),
                [one] => format!("rank {one} is missing"),
                several => format!("ranks {} are missing", several.join(", ")),
            };
            eprintln!(
                "secant: {} (exchange {}) has waited {:.0} s: {who}",
                self.name,
                self.exchange,
                self.begun.elapsed().as_secs_f64()
            );
        } else {
            // The first one has time to speak.
            std::thread::sleep(ANSWERS);
        }
        self.world.abort(1)
    }
}
