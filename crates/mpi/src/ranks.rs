//! The ranks of the job, and the one way in which they speak: every rank gives some numbers and has those of all.
//!
//! A message begins with a head that says which exchange it is of, what it is about, whether its rank is at fault and whether it wants to
//! stop; so there is no collective beside those that the work needs. The collective does not block: a rank that waits looks at the clock, and
//! asks who is there when the time is over (`roll_call`).

use crate::columns::halves;
use crate::fault::{Fault, MpiError};
use crate::roll_call::{RollCall, others};
use mpi::datatype::PartitionMut;
use mpi::environment::Universe;
use mpi::request::{Request, Scope};
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives, Root};
use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// How long a rank waits for the others in one collective, by default: 10 minutes.
pub const TIMEOUT: Duration = Duration::from_secs(600);

/// How many processes a launcher began, where it says so: `mpirun` of OpenMPI and of MPICH, MVAPICH's, `srun`.
const LAUNCHED: [&str; 4] =
    ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS"];
/// Numbers before the payload of a message.
const HEAD: usize = 5;
/// Bytes of a fault's message, at most.
const MESSAGE: usize = 2048;

/// What was sent and received by this rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Collectives.
    pub collectives: u64,
    /// Bytes that this rank gave.
    pub sent_bytes: u64,
    /// Bytes that it had of all ranks, itself among them.
    pub received_bytes: u64,
}

/// All ranks of the job. There is one of these in a process; when it is dropped, MPI is at its end.
pub struct Ranks {
    world: SimpleCommunicator,
    timeout: Duration,
    exchanges: Cell<u64>,
    traffic: Cell<Traffic>,
    fault: RefCell<Option<Fault>>,
    /// Dropped after the communicator.
    _universe: Universe,
}

impl std::fmt::Debug for Ranks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (rank, size) = (self.rank(), self.size());
        f.debug_struct("Ranks").field("rank", &rank).field("size", &size).finish_non_exhaustive()
    }
}

/// What all ranks said in an exchange.
pub(crate) struct Said {
    numbers: Vec<f64>,
    ends: Vec<usize>,
    /// Whether a rank wants to stop.
    pub(crate) stop: bool,
}

impl Said {
    /// The numbers of one rank.
    pub(crate) fn of(&self, rank: usize) -> &[f64] {
        let end = self.ends[rank];
        let start = if rank == 0 { 0 } else { self.ends[rank - 1] };
        &self.numbers[start + HEAD..end]
    }
}

/// What an exchange is: all ranks must mean the same one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Topic {
    /// In words, for messages.
    pub(crate) name: &'static str,
    /// A number for the arguments, such as θ.
    pub(crate) about: u64,
    /// This rank wants to stop.
    pub(crate) stop: bool,
}

impl Topic {
    pub(crate) fn named(name: &'static str) -> Self {
        Self { name, about: 0, stop: false }
    }

    fn code(self) -> u64 {
        let bytes = self.name.bytes().map(u64::from);
        bytes.fold(self.about, secant_core::random::hashed)
    }
}

impl Ranks {
    /// Whether this process was launched as one of several, by what `mpirun` and `srun` leave in the environment. Nothing of MPI begins, which
    /// takes time and which a process that is no rank of a job may not do.
    pub fn launched() -> bool {
        let count = |name| std::env::var(name).ok()?.trim().parse::<usize>().ok();
        LAUNCHED.into_iter().filter_map(count).any(|count| count > 1)
    }

    /// Begins MPI: before it nothing else may, and it ends when the ranks are dropped. Without `mpirun` there is one rank.
    ///
    /// # Errors
    /// [`MpiError::Initialized`].
    pub fn initialize() -> Result<Self, MpiError> {
        // The pool's threads compute; only the thread that called this speaks with others.
        let begun = mpi::initialize_with_threading(mpi::Threading::Funneled);
        let (universe, _) = begun.ok_or(MpiError::Initialized)?;
        Ok(Self {
            world: universe.world(),
            timeout: TIMEOUT,
            exchanges: Cell::new(0),
            traffic: Cell::default(),
            fault: RefCell::default(),
            _universe: universe,
        })
    }

    /// How long a rank waits for the others in one collective. When it is over the job ends, with a message of who is missing.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(crate) fn world(&self) -> &SimpleCommunicator {
        &self.world
    }

    /// The ranks beside this one, as MPI counts them.
    pub(crate) fn others(&self) -> impl Iterator<Item = i32> + use<> {
        others(&self.world)
    }

    /// This rank, from 0.
    pub fn rank(&self) -> usize {
        usize::try_from(self.world.rank()).unwrap_or(0)
    }

    /// How many there are.
    pub fn size(&self) -> usize {
        usize::try_from(self.world.size()).unwrap_or(1)
    }

    /// Whether this is rank 0, which talks for all.
    pub fn is_first(&self) -> bool {
        self.rank() == 0
    }

    /// What this rank sent and received so far.
    pub fn traffic(&self) -> Traffic {
        self.traffic.get()
    }

    /// What ended the work of all ranks, if something did.
    pub fn fault(&self) -> Option<Fault> {
        self.fault.borrow().clone()
    }

    /// Runs `work` and gives what it gives. An error, or a panic, ends the job on all ranks: a rank that leaves alone would let the others
    /// wait. Where all ranks have the same [`Fault`], rank 0 says it; else the rank itself.
    pub fn guard<T>(&self, work: impl FnOnce(&Self) -> Result<T, Box<dyn std::error::Error>>) -> T {
        let (rank, fault) = match catch_unwind(AssertUnwindSafe(|| work(self))) {
            Ok(Ok(done)) => return done,
            Ok(Err(error)) => (self.rank(), error.to_string()),
            Err(panic) => (self.rank(), panicked(&*panic)),
        };
        match self.fault() {
            // All ranks are here, or on their way.
            Some(agreed) => {
                if self.is_first() {
                    eprintln!("secant: {agreed}");
                }
                // The first one has time to speak.
                std::thread::sleep(Duration::from_millis(if self.is_first() { 0 } else { 500 }));
            }
            None => eprintln!("secant: rank {rank}: {fault}"),
        }
        self.world.abort(1)
    }

    /// Does `work` on every rank, such as reading its samples: where it fails on one of them, all have that rank's fault. All ranks call this.
    ///
    /// # Errors
    /// The fault of the first rank that has one, the same on all ranks.
    pub fn together<T, E: std::fmt::Display>(
        &self,
        name: &'static str,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, Fault> {
        let mut done = None;
        self.exchange(Topic::named(name), &vec![0; self.size()], || {
            done = Some(work().map_err(|error| error.to_string())?);
            Ok(Vec::new())
        })?;
        // An exchange without a fault has done its work.
        done.ok_or_else(|| Fault { rank: self.rank(), message: format!("{name}: not done") })
    }

    /// Of N things those of this rank: as even as it goes, in the order of the ranks.
    pub fn share_of(&self, all: usize) -> Range<usize> {
        let end = |rank: usize| all / self.size() * rank + all % self.size() * rank / self.size();
        end(self.rank())..end(self.rank() + 1)
    }

    /// Every rank's `lens[rank]` numbers to all. `say` gives those of this rank; what it cannot say, by an error or a panic, ends the work of
    /// all ranks.
    pub(crate) fn exchange(
        &self,
        topic: Topic,
        lens: &[usize],
        say: impl FnOnce() -> Result<Vec<f64>, String>,
    ) -> Result<Said, Fault> {
        if let Some(fault) = self.fault() {
            return Err(fault);
        }
        let expected = lens[self.rank()];
        let said = match catch_unwind(AssertUnwindSafe(say)) {
            Ok(Ok(numbers)) if numbers.len() != expected => {
                Err(format!("{}: {} numbers where {expected} were due", topic.name, numbers.len()))
            }
            Ok(said) => said,
            Err(panic) => Err(panicked(&*panic)),
        };
        let exchange = self.exchanges.get() + 1;
        self.exchanges.set(exchange);
        let code = topic.code();
        let flag = |set: bool| f64::from(u8::from(set));
        let mut message = Vec::with_capacity(HEAD + expected);
        message.push(exchange as f64);
        message.extend(halves(code));
        message.extend([flag(said.is_err()), flag(topic.stop)]);
        match &said {
            Ok(numbers) => message.extend_from_slice(numbers),
            Err(_) => message.resize(HEAD + expected, 0.0),
        }
        let (numbers, ends) = self.all_gather(&message, lens, (exchange, topic.name))?;
        let stop = (0..self.size()).any(|rank| head(&numbers, &ends, rank)[4] != 0.0);
        let said_all = Said { numbers, ends, stop };
        let heads = (0..self.size()).map(|rank| head(&said_all.numbers, &said_all.ends, rank));
        if let Some(rank) = heads.clone().position(|head| head[3] != 0.0) {
            return Err(self.tell(rank, &said.err().unwrap_or_default(), exchange));
        }
        if let Some(rank) = heads.clone().position(|head| head[..3] != message[..3]) {
            let message = format!(
                "{} (exchange {exchange}): ranks {} and {rank} are not at the same place, or not at the same point",
                topic.name,
                self.rank()
            );
            return Err(self.fail(Fault { rank: self.rank(), message }));
        }
        Ok(said_all)
    }

    /// The message of the rank at fault, to all.
    fn tell(&self, rank: usize, message: &str, exchange: u64) -> Fault {
        let mut bytes = [0_u8; MESSAGE];
        for (byte, sent) in bytes.iter_mut().zip(message.bytes()) {
            *byte = sent;
        }
        let root = self.world.process_at_rank(i32::try_from(rank).unwrap_or(0));
        mpi::request::scope(|scope| {
            let request = root.immediate_broadcast_into(scope, &mut bytes[..]);
            self.wait(request, (exchange, "a fault"));
        });
        let text = String::from_utf8_lossy(&bytes);
        let message = text.trim_end_matches('\0').to_owned();
        self.fail(Fault { rank, message })
    }

    /// Keeps the fault: nothing is exchanged any more.
    pub(crate) fn fail(&self, fault: Fault) -> Fault {
        *self.fault.borrow_mut() = Some(fault.clone());
        fault
    }

    fn all_gather(
        &self,
        message: &[f64],
        lens: &[usize],
        (exchange, name): (u64, &str),
    ) -> Result<(Vec<f64>, Vec<usize>), Fault> {
        let mut end = 0;
        let ends: Vec<usize> = lens
            .iter()
            .map(|len| {
                end += HEAD + len;
                end
            })
            .collect();
        // MPI counts in 32 bits. All ranks find the same.
        let count = |numbers: usize| i32::try_from(numbers).ok();
        let counts: Option<Vec<i32>> = lens.iter().map(|len| count(HEAD + len)).collect();
        let starts: Option<Vec<i32>> =
            ends.iter().zip(lens).map(|(end, len)| count(end - HEAD - len)).collect();
        let (Some(counts), Some(starts)) = (counts, starts) else {
            let message =
                format!("{name}: {end} numbers are more than one collective of MPI takes");
            return Err(self.fail(Fault { rank: 0, message }));
        };
        let mut numbers = vec![0.0; end];
        {
            let mut parts = PartitionMut::new(&mut numbers[..], counts, starts);
            mpi::request::scope(|scope| {
                let begun =
                    self.world.immediate_all_gather_varcount_into(scope, message, &mut parts);
                self.wait(begun, (exchange, name));
            });
        }
        let mut traffic = self.traffic.get();
        traffic.collectives += 1;
        traffic.sent_bytes += bytes(message.len());
        traffic.received_bytes += bytes(end);
        self.traffic.set(traffic);
        Ok((numbers, ends))
    }

    /// Waits for the end of a collective, with an eye on the clock.
    fn wait<'a, D: ?Sized, S: Scope<'a>>(
        &self,
        mut request: Request<'a, D, S>,
        (exchange, name): (u64, &str),
    ) {
        let mut call = RollCall::new(&self.world, self.timeout, exchange, name);
        loop {
            match request.test() {
                Ok(_) => return,
                Err(pending) => request = pending,
            }
            call.wait();
        }
    }
}

fn head<'m>(numbers: &'m [f64], ends: &[usize], rank: usize) -> &'m [f64] {
    let start = if rank == 0 { 0 } else { ends[rank - 1] };
    &numbers[start..start + HEAD]
}

fn bytes(numbers: usize) -> u64 {
    (numbers * size_of::<f64>()) as u64
}

/// What a panic said.
fn panicked(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("panicked: {}", text.unwrap_or("without words"))
}
