//! The state as argmin's Executor sees it.

use super::{Best, Clock, Ending, FitState, FloorWatch, NOWHERE};
use crate::run::evaluations::Counters;
use crate::run::stopping::Reason;
use ::argmin::core::{Problem, State, TerminationReason, TerminationStatus};
use std::collections::HashMap;
use std::time::Duration;

impl State for FitState {
    type Param = Vec<f64>;
    type Float = f64;

    fn new() -> Self {
        Self {
            theta: Vec::new(),
            value: f64::INFINITY,
            gradient: Vec::new(),
            gradient_norm: f64::INFINITY,
            gradient_norm_2: f64::INFINITY,
            reason: None,
            claim: None,
            ending: Ending::default(),
            foresees: false,
            best: Best { theta: Vec::new(), is_current: false, at: NOWHERE, iteration: 0 },
            preferred: false,
            promising: false,
            start: NOWHERE,
            gradient_reference: f64::INFINITY,
            step: None,
            step_length: 0.0,
            floor: FloorWatch { gradient_floor: f64::INFINITY, stalled: 0, blind: false },
            iteration: 0,
            steps: 0,
            epochs: None,
            max_iterations: u64::MAX,
            target: f64::NEG_INFINITY,
            memory_limit: None,
            counts: Counters::default(),
            time: None,
            clock: Clock::default(),
            status: TerminationStatus::NotTerminated,
            trace: Vec::new(),
            iterates: None,
            held_out: None,
        }
    }

    fn update(&mut self) {
        if std::mem::take(&mut self.preferred) || self.is_better() {
            self.make_best();
        }
        self.end_by_limit();
    }

    fn get_param(&self) -> Option<&Vec<f64>> {
        (!self.theta.is_empty()).then_some(&self.theta)
    }

    fn get_best_param(&self) -> Option<&Vec<f64>> {
        let best = if self.best.is_current { &self.theta } else { &self.best.theta };
        (!best.is_empty()).then_some(best)
    }

    fn get_max_iters(&self) -> u64 {
        self.max_iterations
    }

    fn increment_iter(&mut self) {
        self.iteration += 1;
    }

    fn get_iter(&self) -> u64 {
        self.iteration
    }

    fn get_cost(&self) -> f64 {
        self.value
    }

    fn get_best_cost(&self) -> f64 {
        self.best.at.value
    }

    fn get_target_cost(&self) -> f64 {
        self.target
    }

    fn func_counts<O>(&mut self, problem: &Problem<O>) {
        self.counts.update(&problem.counts);
        // What confirmed the end came after the last entry was written.
        if let (Some(_), Some(last)) = (self.reason, self.trace.last_mut()) {
            last.work = self.counts.work(&problem.counts);
            last.evaluations = last.work.of_f();
        }
    }

    fn get_func_counts(&self) -> &HashMap<String, u64> {
        self.counts.sums()
    }

    fn time(&mut self, time: Option<Duration>) -> &mut Self {
        self.time = time;
        self
    }

    fn get_time(&self) -> Option<Duration> {
        self.time.or_else(|| self.clock.has_started().then(|| self.clock.elapsed()))
    }

    fn get_last_best_iter(&self) -> u64 {
        self.best.iteration
    }

    fn is_best(&self) -> bool {
        self.best.iteration == self.steps
    }

    fn terminate_with(mut self, reason: TerminationReason) -> Self {
        self.stop(Reason::from_argmin(&reason));
        self
    }

    fn get_termination_status(&self) -> &TerminationStatus {
        &self.status
    }

    fn get_termination_reason(&self) -> Option<&TerminationReason> {
        match &self.status {
            TerminationStatus::Terminated(reason) => Some(reason),
            TerminationStatus::NotTerminated => None,
        }
    }
}
