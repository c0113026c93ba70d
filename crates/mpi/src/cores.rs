//! The cores that ranks of one machine share.

use crate::columns::halves;
use crate::fault::Fault;
use crate::ranks::{Ranks, Topic};
use secant_core::random::hashed;
use std::num::NonZero;

impl Ranks {
    /// How many threads this rank may have where nobody says it: the cores that it may run on, shared out among the ranks that may run on the
    /// same ones, as Linux tells. All ranks call this.
    ///
    /// # Errors
    /// [`Fault`], on all ranks.
    pub fn threads(&self) -> Result<usize, Fault> {
        let topic = Topic::named("the cores of this rank");
        let said = self.exchange(topic, &vec![2; self.size()], || Ok(halves(place()).to_vec()))?;
        let own = said.of(self.rank());
        let sharers = (0..self.size()).filter(|rank| said.of(*rank) == own).count();
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Ok((cores / sharers).max(1))
    }
}

/// A number for the machine, or the container on it, and the cores that this process may run on.
fn place() -> u64 {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let status = read("/proc/self/status");
    let cores = status.lines().find(|line| line.starts_with("Cpus_allowed:")).unwrap_or_default();
    let machine = read("/proc/sys/kernel/hostname") + &read("/proc/sys/kernel/random/boot_id");
    (machine + cores).bytes().map(u64::from).fold(0, hashed)
}
