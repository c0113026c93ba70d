//! The time that a run has taken, whatever processes it ran in.

use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// Time used before this process took the run up, and since. Saved as the sum; a clock that ran goes on when it is read.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Option<Duration>", into = "Option<Duration>")]
pub(crate) struct Clock {
    before: Duration,
    since: Option<Instant>,
}

impl Clock {
    /// From zero, now.
    pub(crate) fn start() -> Self {
        Self::start_from(Duration::ZERO)
    }

    /// From what was used before, now.
    pub(crate) fn start_from(before: Duration) -> Self {
        Self { before, since: Some(Instant::now()) }
    }

    pub(crate) fn has_started(&self) -> bool {
        self.since.is_some()
    }

    /// Zero before the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.since.map_or(Duration::ZERO, |since| self.before.saturating_add(since.elapsed()))
    }
}

impl From<Option<Duration>> for Clock {
    fn from(used: Option<Duration>) -> Self {
        used.map_or_else(Self::default, Self::start_from)
    }
}

impl From<Clock> for Option<Duration> {
    fn from(clock: Clock) -> Self {
        clock.has_started().then(|| clock.elapsed())
    }
}
