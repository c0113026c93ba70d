//! What ends a run from outside while an iteration is under way: an [`Interrupt`], and the limit of time.
//!
//! Both are looked at before every evaluation, also inside of line searches, Krylov iterations and trials: from then on evaluations are
//! refused, NaN at no cost, so that any method ends its iteration at once and the run ends with the best point so far. The cost is a flag
//! and a clock per evaluation; nothing where neither is asked for. The limits in force are the thread's that runs the solver, from an
//! iteration's begin to its end: the evaluations ask for them there.

use super::stopping::Reason;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Ends runs from outside, from any thread: its clones share one flag. A run that it ends has [`Reason::Interrupted`] and the best point
/// so far, within the time of one evaluation.
///
/// ```
/// use secant_optim::{Interrupt, Lbfgs, Reason, Watch, minimize_watched};
/// # use secant_core::problem::Objective;
/// # struct Slow;
/// # impl Objective for Slow {
/// #     fn dim(&self) -> usize { 1 }
/// #     fn value(&self, x: &[f64]) -> f64 { x[0] * x[0] }
/// #     fn value_gradient(&self, x: &[f64], g: &mut [f64]) -> f64 { g[0] = 2.0 * x[0]; x[0] * x[0] }
/// # }
/// let interrupt = Interrupt::new();
/// let handle = interrupt.clone();
/// std::thread::spawn(move || handle.set()).join().unwrap();
/// let mut watch = Watch::new().interrupt(interrupt);
/// let solution = minimize_watched(&Slow, Lbfgs::default(), &[3.0], &mut watch)?;
/// assert_eq!(solution.report.reason, Reason::Interrupted);
/// # Ok::<(), secant_optim::OptimError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl PartialEq for Interrupt {
    /// Whether both are of one flag.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Interrupt {}

impl Interrupt {
    /// Not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends every run that watches it. May be called in a signal handler.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Takes it back, for the next run.
    pub fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Limits>> = const { RefCell::new(None) };
}

/// What ends the iteration that this thread is in.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    deadline: Option<Instant>,
    interrupt: Option<Interrupt>,
    /// An evaluation was refused, for this reason.
    refused: Option<Reason>,
}

impl Limits {
    /// None where nothing ends a run from outside; `left` of the time.
    pub(crate) fn new(interrupt: Option<Interrupt>, left: Option<Duration>) -> Option<Self> {
        // A limit beyond the clock's range is none.
        let deadline = left.and_then(|left| Instant::now().checked_add(left));
        (deadline.is_some() || interrupt.is_some()).then_some(Self {
            deadline,
            interrupt,
            refused: None,
        })
    }

    fn look(&mut self) -> Option<Reason> {
        if self.refused.is_none() {
            if self.interrupt.as_ref().is_some_and(Interrupt::is_set) {
                self.refused = Some(Reason::Interrupted);
            } else if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                self.refused = Some(Reason::MaxTime);
            }
        }
        self.refused
    }
}

/// The limits in force on this thread until it is dropped; then those before are.
pub(crate) struct Scope(Option<Limits>);

impl Scope {
    pub(crate) fn enter(limits: Limits) -> Self {
        Self(CURRENT.with(|current| current.replace(Some(limits))))
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        CURRENT.with(|current| current.replace(self.0.take()));
    }
}

/// `evaluate`, whatever limits are in force: the start, without which nothing comes back.
pub(crate) fn exempt<T>(evaluate: impl FnOnce() -> T) -> T {
    let _scope = Scope(CURRENT.with(RefCell::take));
    evaluate()
}

/// Why this thread's run is to end from outside, if it is: no evaluation is made from then on.
pub(crate) fn over() -> Option<Reason> {
    CURRENT.with(|current| current.borrow_mut().as_mut().and_then(Limits::look))
}

/// Whether this thread's run is interrupted; unlike [`over`] it refuses nothing.
pub(crate) fn interrupted() -> bool {
    let is_set = |limits: &Limits| limits.interrupt.as_ref().is_some_and(Interrupt::is_set);
    CURRENT.with(|current| current.borrow().as_ref().is_some_and(is_set))
}

/// [`over`] as an error, for the head of a loop of trials.
pub(crate) fn check() -> Result<(), Reason> {
    over().map_or(Ok(()), Err)
}

/// Why an evaluation of this iteration was refused.
pub(crate) fn refused() -> Option<Reason> {
    CURRENT.with(|current| current.borrow().as_ref().and_then(|limits| limits.refused))
}
