//! What a run did: why it ended, what it reached, what it cost.

use super::evaluations::Evaluations;
use super::fit_solver::FitSolver;
use super::state::{FitState, TraceEntry};
use super::stopping::Reason;
use argmin::core::State;
use serde::{Deserialize, Serialize};
use std::fmt;

/// ‖∇f‖ in two norms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GradientNorms {
    /// ‖∇f‖∞
    #[serde(with = "super::nonfinite")]
    pub max: f64,
    /// ‖∇f‖₂
    #[serde(with = "super::nonfinite")]
    pub euclidean: f64,
}

/// The best iterate on the samples held out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    /// The mean loss there, without penalty.
    #[serde(with = "super::nonfinite")]
    pub loss: f64,
    /// The part of them whose class is right, of a classifier.
    pub accuracy: Option<f64>,
    /// The iteration that led to it.
    pub iteration: u64,
    /// Forward sweeps over the samples held out: one per entry of the trace, counted apart from the evaluations of f.
    pub evaluations: u64,
}

/// Answers every question about a run. `Display` is a readable block; serde keeps everything, the trace included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The method.
    pub solver: String,
    /// Why it ended.
    pub reason: Reason,
    /// n
    pub parameters: usize,
    /// f(θ₀)
    #[serde(with = "super::nonfinite")]
    pub initial_value: f64,
    /// f at the best point.
    #[serde(with = "super::nonfinite")]
    pub value: f64,
    /// ∇f at the start.
    pub initial_gradient: GradientNorms,
    /// ∇f at the best point.
    pub gradient: GradientNorms,
    /// Steps taken.
    pub iterations: u64,
    /// The step that led to the best point.
    pub best_iteration: u64,
    /// What the solution is worth on the samples held out, where there are some: it is the point with the least loss there.
    #[serde(default)]
    pub validation: Option<Validation>,
    /// Passes over the data by minibatches; none in a full-batch run.
    pub epochs: Option<f64>,
    /// Evaluations by kind.
    pub evaluations: Evaluations,
    /// Wall-clock time.
    pub seconds: f64,
    /// What happened on the way, such as "history dropped 1×".
    pub notes: Vec<String>,
    /// One entry per step, and one for the start.
    pub trace: Vec<TraceEntry>,
}

impl Report {
    /// The books of a run that has ended, with the solver that made it.
    ///
    /// [`minimize`](crate::minimize) does this for you; it is here for runs under an `Executor` of your own.
    pub fn of<S: FitSolver>(solver: &S, state: &FitState) -> Self {
        let held_out = state.held_out_best();
        let start = state.start_summary();
        let best = held_out.map_or_else(|| state.best_summary(), |best| best.at);
        let norms = |at: super::state::Summary| GradientNorms {
            max: at.gradient_norm,
            euclidean: at.gradient_norm_2,
        };
        let counts = state.get_func_counts();
        Self {
            solver: solver.title().to_owned(),
            reason: state.reason().unwrap_or(Reason::Interrupted),
            parameters: state.theta().len(),
            initial_value: start.value,
            value: best.value,
            initial_gradient: norms(start),
            gradient: norms(best),
            iterations: state.steps(),
            best_iteration: held_out
                .map_or_else(|| state.get_last_best_iter(), |best| best.iteration),
            validation: held_out.map(|best| Validation {
                loss: best.score.loss,
                accuracy: best.score.accuracy,
                iteration: best.iteration,
                evaluations: best.evaluations,
            }),
            epochs: state.epochs(),
            evaluations: Evaluations::from_lookup(|key| counts.get(key).copied()),
            seconds: state.elapsed().as_secs_f64(),
            notes: solver.notes(),
            trace: state.trace().to_vec(),
        }
    }
}

impl Report {
    /// Goes on with the books of a run that began at the best point of this one. Whether its best point is the best of both.
    pub(crate) fn follow(&mut self, later: Self) -> bool {
        let (steps, before) = (self.iterations, self.evaluations);
        let seconds = self.seconds;
        // Its start is the best point here.
        self.trace.extend(later.trace.into_iter().skip(1).map(|entry| {
            let mut work = before;
            work += entry.work;
            TraceEntry {
                iteration: entry.iteration + steps,
                evaluations: work.of_f(),
                seconds: entry.seconds + seconds,
                work,
                ..entry
            }
        }));
        self.reason = later.reason;
        self.iterations += later.iterations;
        self.evaluations += later.evaluations;
        self.seconds += later.seconds;
        for note in later.notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
        if later.validation.is_some() {
            // Its best is that of both, whose iterations count on.
            (self.value, self.gradient) = (later.value, later.gradient);
            (self.validation, self.best_iteration) = (later.validation, later.best_iteration);
            return true;
        }
        let better = later.value <= self.value;
        if better {
            (self.value, self.gradient) = (later.value, later.gradient);
            if later.best_iteration > 0 {
                self.best_iteration = steps + later.best_iteration;
            }
        }
        better
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, {} parameters: {}", self.solver, self.parameters, self.reason)?;
        writeln!(f, "  value        {:<22.15e} from {:.6e}", self.value, self.initial_value)?;
        writeln!(
            f,
            "  gradient     {:<22.3e} from {:.3e}   (max norm; euclidean {:.3e})",
            self.gradient.max, self.initial_gradient.max, self.gradient.euclidean
        )?;
        writeln!(
            f,
            "  iterations   {} in {:.3} s, best at {}",
            self.iterations, self.seconds, self.best_iteration
        )?;
        if let Some(validation) = &self.validation {
            let Validation { loss, accuracy, iteration, evaluations } = validation;
            write!(f, "  held out     loss {loss:.6e}")?;
            if let Some(accuracy) = accuracy {
                write!(f, ", accuracy {:.2} %", 100.0 * accuracy)?;
            }
            writeln!(f, ", least at iteration {iteration} of {evaluations} looks")?;
        }
        if let Some(epochs) = self.epochs {
            writeln!(f, "  epochs       {epochs:.2}")?;
        }
        write!(f, "  evaluations ")?;
        let e = &self.evaluations;
        for (count, kind) in [
            (e.value, "value"),
            (e.value_gradient, "value+gradient"),
            (e.sampled_gradient, "value+gradient on a minibatch"),
            (e.linearize, "linearisation"),
            (e.hessian, "Hessian"),
            (e.gauss_newton, "Gauss–Newton"),
            (e.hessian_vector, "Hessian product"),
            (e.gauss_newton_vector, "Gauss–Newton product"),
            (e.residuals, "residuals"),
            (e.jacobian, "Jacobian"),
            (e.normal_equations, "JᵀJ"),
            (e.normal_diagonal, "diagonal of JᵀJ"),
            (e.jacobian_vector, "Jacobian product"),
            (e.jacobian_transpose_vector, "transposed product"),
        ] {
            if count > 0 {
                write!(f, " {count} {kind}")?;
            }
        }
        for note in &self.notes {
            write!(f, "\n  note         {note}")?;
        }
        Ok(())
    }
}
