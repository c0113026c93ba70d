//! A piece of work without the interpreter's lock, that Ctrl-C ends.

use crate::arrays::{Matrix, matrix, rows};
use crate::{errors, threads};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use secant::{FitError, Graph, Interrupt};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// How often the interpreter is asked whether a signal came.
const LOOK: Duration = Duration::from_millis(20);
/// Work that ends sooner is never asked about.
const FIRST: Duration = Duration::from_millis(5);

/// Operations that are done before anyone could press a key.
const SMALL: usize = 1 << 29;

/// Operations of `graph` on a sample, about: products, and a few for each parameter.
pub fn operations(graph: &Graph) -> usize {
    graph.flops().saturating_add(2 * graph.parameters().dim() + graph.features())
}

/// Runs `work` on the threads of the engine, without the interpreter's lock. The calling thread looks for signals meanwhile: one whose
/// handler raises sets `interrupt`, and when the work has ended its exception is what comes back, with what the work found.
///
/// Work that calls Python back is to run by [`here`] instead.
#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method is not general enough in its lifetime"
)]
pub fn away<T: Send>(
    py: Python<'_>,
    interrupt: &Interrupt,
    work: impl FnOnce() -> T + Send,
) -> PyResult<(T, Option<PyErr>)> {
    let pool = threads::pool()?;
    let mut raised = None;
    let done = py.detach(|| {
        // `install` would hold this thread: it is the one that hears of signals.
        pool.in_place_scope(|scope| {
            let (send, receive) = channel();
            scope.spawn(move |_| _ = send.send(work()));
            let mut wait = FIRST;
            loop {
                match receive.recv_timeout(wait) {
                    Ok(done) => return Some(done),
                    Err(RecvTimeoutError::Disconnected) => return None,
                    Err(RecvTimeoutError::Timeout) => {}
                }
                wait = LOOK;
                if raised.is_none()
                    && let Err(error) = Python::attach(|py| py.check_signals())
                {
                    interrupt.set();
                    raised = Some(error);
                }
            }
        })
    });
    let done =
        done.ok_or_else(|| PyRuntimeError::new_err("the engine failed: please report it"))?;
    Ok((done, raised))
}

/// As [`away`] for work that has nothing to show for itself when it is interrupted.
pub fn whole<T: Send>(
    py: Python<'_>,
    interrupt: &Interrupt,
    work: impl FnOnce() -> T + Send,
) -> PyResult<T> {
    match away(py, interrupt, work)? {
        (done, None) => Ok(done),
        (_, Some(raised)) => Err(raised),
    }
}

/// [`whole`], but small work, of so many operations, by the calling thread, which hears of no signal before it is done: a thread that waits for
/// it and listens would cost a tenth of a millisecond.
pub fn unless_small<T: Send>(
    py: Python<'_>,
    operations: usize,
    work: impl FnOnce() -> T + Send,
) -> PyResult<T> {
    if operations < SMALL { here(py, work) } else { whole(py, &Interrupt::new(), work) }
}

/// What a model makes of samples, in about so many operations for each: `of` their numbers gives a row for each.
pub fn outputs<'py>(
    py: Python<'py>,
    per_sample: usize,
    x: &Matrix<'py>,
    of: impl FnOnce(&[f64]) -> Result<Vec<f64>, FitError> + Send,
) -> PyResult<Bound<'py, PyAny>> {
    let inputs = rows(x, "X")?;
    let samples = x.as_array().nrows();
    let values = unless_small(py, per_sample.saturating_mul(samples), || of(inputs))?;
    let values = values.map_err(errors::of_fit)?;
    let columns = values.len().checked_div(samples).unwrap_or(0);
    Ok(matrix(py, (samples, columns), values)?.into_any())
}

/// Runs `work` on the calling thread without the interpreter's lock, which callbacks take again. A signal is heard by the Python code that
/// they run. In a process that was forked off, or with threads asked for, it is a thread of the pool: rayon's own has none, or others.
pub fn here<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    match threads::needed()? {
        None => Ok(py.detach(work)),
        Some(pool) => Ok(py.detach(|| pool.install(work))),
    }
}
