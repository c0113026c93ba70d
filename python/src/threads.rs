//! The threads that the engine works on.
//!
//! A pool belongs to the process that made it: after a fork its threads are not there, and what waits for them waits for ever. So the pool
//! is made when it is first needed, and again in a process that is not the one that made it.

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What is set before the first fit, how many threads there are to be.
const VARIABLE: &str = "SECANT_NUM_THREADS";

struct Pool {
    process: u32,
    /// As asked for; none is as many as the machine has.
    threads: Option<usize>,
    pool: Option<Arc<ThreadPool>>,
}

/// The process that loaded the module.
static FIRST: OnceLock<u32> = OnceLock::new();
static POOL: Mutex<Pool> = Mutex::new(Pool { process: 0, threads: None, pool: None });

/// The pool of this process.
pub fn pool() -> PyResult<Arc<ThreadPool>> {
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    if pool.process != process {
        // Its threads lived in another process: there is nothing to join.
        std::mem::forget(pool.pool.take());
        pool.process = process;
    }
    if let Some(pool) = &pool.pool {
        return Ok(pool.clone());
    }
    let threads = match pool.threads {
        Some(threads) => threads,
        None => of_environment()?,
    };
    let built = ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("secant-{index}"))
        .build()
        .map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    let built = Arc::new(built);
    pool.pool = Some(built.clone());
    Ok(built)
}

/// The pool, where it is not the same as rayon's own.
pub fn needed() -> PyResult<Option<Arc<ThreadPool>>> {
    let first = *FIRST.get_or_init(std::process::id);
    let asked = {
        let pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        pool.threads.is_some()
    };
    let own = asked || first != std::process::id() || std::env::var_os(VARIABLE).is_some();
    own.then(pool).transpose()
}

/// To be called when the module is loaded, so that a process forked off later is known for one.
pub fn loaded() {
    FIRST.get_or_init(std::process::id);
}

/// 0, which leaves it to the machine, where the variable is not set.
fn of_environment() -> PyResult<usize> {
    let Ok(text) = std::env::var(VARIABLE) else { return Ok(0) };
    text.trim().parse().ok().filter(|threads| *threads > 0).ok_or_else(|| {
        PyValueError::new_err(format!("{VARIABLE}={text}: expected a whole number from 1 on"))
    })
}

/// How many threads fits take from now on; `None`: `SECANT_NUM_THREADS`, or as many as the machine has. Says how many there are.
#[pyfunction]
#[pyo3(signature = (threads=None))]
pub fn set_threads(threads: Option<usize>) -> PyResult<usize> {
    if threads == Some(0) {
        return Err(PyValueError::new_err("threads must be 1 or more, or None; got 0"));
    }
    {
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        pool.threads = threads;
        if pool.process == std::process::id() {
            // Fits that run keep the pool that they began on.
            pool.pool = None;
        }
    }
    Ok(self::pool()?.current_num_threads())
}
