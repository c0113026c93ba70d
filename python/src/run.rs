//! A piece of work without the interpreter's lock, that Ctrl-C ends.

use crate::arrays::{Matrix, matrix, rows};
use crate::{errors, threads};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use secant::{FitError, Interrupt};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// How often the interpreter is asked whether a signal came.
const LOOK: Duration = Duration::from_millis(20);
/// Work that ends sooner is never asked about.
const FIRST: Duration = Duration::from_millis(5);

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

/// What a model makes of samples: `of` their numbers gives a row for each.
pub fn outputs<'py>(
    py: Python<'py>,
    x: &Matrix<'py>,
    of: impl FnOnce(&[f64]) -> Result<Vec<f64>, FitError> + Send,
) -> PyResult<Bound<'py, PyAny>> {
    let inputs = rows(x, "X")?;
    let values = whole(py, &Interrupt::new(), || of(inputs))?.map_err(errors::of_fit)?;
    let samples = x.as_array().nrows();
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
