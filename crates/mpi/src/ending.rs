//! One end for all ranks of a program, whichever of them comes to it in fault.
//!
//! Ranks that have nothing more to say to each other come here, where a collective would let those wait that are elsewhere. Messages are of one
//! number between rank 0 and another, as those of the roll call.

use crate::ranks::Ranks;
use mpi::point_to_point::{Destination, Source};
use mpi::topology::Communicator;
use std::time::{Duration, Instant};

const ARRIVED: i32 = 7003;
const STATUS: i32 = 7004;
/// Between two looks at who has come.
const LOOK: Duration = Duration::from_millis(2);
/// How long a rank in fault waits for those that may not know of it, and how much longer than the rank before it.
const PATIENCE: Duration = Duration::from_secs(3);
const STAGGER: Duration = Duration::from_millis(100);
/// Ranks from this one on wait no longer than it.
const MOST_STAGGERED: u32 = 20;

impl Ranks {
    /// Ends the program: every rank waits for rank 0, however long that has work of its own, and has its `status`, with which the process is to
    /// end. All ranks call this last, and rank 0 when it has said all.
    ///
    /// `fault` is why this rank is here, where it is for a reason that the others may not have. It waits for them 3 to 5 seconds; where
    /// they do not come, which means that the fault is its own, it says the fault (rank 0 has done so) and ends the job.
    pub fn end(&self, status: u8, fault: Option<&str>) -> u8 {
        // What all ranks know of brings them here.
        let alone = fault.filter(|_| self.fault().is_none());
        let stagger = STAGGER * u32::try_from(self.rank()).unwrap_or(0).min(MOST_STAGGERED);
        let deadline = alone.map(|_| Instant::now() + PATIENCE + stagger);
        let found = if self.is_first() {
            let deadline = deadline.unwrap_or_else(|| Instant::now() + self.timeout());
            self.gather_at(deadline).map(|()| status)
        } else {
            self.world().process_at_rank(0).send_with_tag(&self.rank(), ARRIVED);
            self.status_by(deadline)
        };
        if let Some(status) = found {
            if self.is_first() {
                for rank in self.others() {
                    self.world().process_at_rank(rank).send_with_tag(&status, STATUS);
                }
            }
            return status;
        }
        match alone {
            Some(words) if !self.is_first() => eprintln!("secant: rank {}: {words}", self.rank()),
            // Rank 0 has said its own.
            Some(_) => {}
            None => eprintln!("secant: rank {}: the others do not come to the end", self.rank()),
        }
        self.world().abort(i32::from(status.max(1)))
    }

    /// Rank 0 waits for the others.
    fn gather_at(&self, deadline: Instant) -> Option<()> {
        let mut missing: Vec<i32> = self.others().collect();
        loop {
            missing.retain(|rank| {
                let process = self.world().process_at_rank(*rank);
                let there = process.immediate_probe_with_tag(ARRIVED).is_some();
                if there {
                    process.receive_with_tag::<usize>(ARRIVED);
                }
                !there
            });
            if missing.is_empty() {
                return Some(());
            }
            if Instant::now() >= deadline {
                return None;
            }
            std::thread::sleep(LOOK);
        }
    }

    /// The others wait for rank 0.
    fn status_by(&self, deadline: Option<Instant>) -> Option<u8> {
        let first = self.world().process_at_rank(0);
        while first.immediate_probe_with_tag(STATUS).is_none() {
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return None;
            }
            std::thread::sleep(LOOK);
        }
        Some(first.receive_with_tag::<u8>(STATUS).0)
    }
}
