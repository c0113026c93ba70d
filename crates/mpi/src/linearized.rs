//! The risk over all ranks at one θ.

use crate::distributed::{Distributed, fingerprint};
use faer::MatMut;
use secant_core::problem::{Linearization, Objective};
use secant_core::risk::{LinearizedPart, Partials, PartialsError, Second};

/// f, ∇f and this rank's tapes at one θ. Every product is one collective.
#[derive(Debug)]
pub struct DistributedAt<'a> {
    whole: &'a Distributed<'a>,
    /// None where a rank was at fault before.
    at: Option<LinearizedPart<'a>>,
    about: u64,
    /// f; NaN where a rank is at fault.
    value: f64,
    gradient: Vec<f64>,
}

impl<'a> DistributedAt<'a> {
    pub(crate) fn new(whole: &'a Distributed<'a>, theta: &[f64]) -> Self {
        let (about, n) = (fingerprint(theta), whole.dim());
        let mut at = None;
        let sums = whole.sum(("linearisation", about), (n, true), || {
            let (own, sums) = whole.part.linearize(theta);
            at = Some(own);
            sums
        });
        let (mut value, mut gradient) = (f64::NAN, vec![f64::NAN; n]);
        if let (Some(at), Some(sums)) = (&mut at, sums)
            && at.finish(&sums).is_ok()
        {
            value = at.value();
            gradient.copy_from_slice(at.gradient());
        }
        Self { whole, at, about, value, gradient }
    }

    /// One sum over all ranks, `width` numbers for each node; whether it was finished.
    fn sum(
        &self,
        (name, about): (&'static str, u64),
        width: usize,
        own: impl FnOnce(&LinearizedPart<'a>) -> Partials,
        finish: impl FnOnce(&LinearizedPart<'a>, &Partials) -> Result<(), PartialsError>,
    ) -> bool {
        let Some(at) = &self.at else { return false };
        let sums = self.whole.sum((name, about), (width, false), || own(at));
        sums.is_some_and(|sums| finish(at, &sums).is_ok())
    }

    fn product(&self, name: &'static str, second: Second, v: &[f64], out: &mut [f64]) {
        let own = |at: &LinearizedPart<'_>| at.product(second, v);
        let topic = (name, self.about ^ fingerprint(v));
        if !self.sum(topic, v.len(), own, |at, sums| at.finish_product(v, sums, out)) {
            out.fill(f64::NAN);
        }
    }

    fn matrix(&self, name: &'static str, second: Second, mut out: MatMut<'_, f64>) {
        let width = self.at.as_ref().map_or(0, |at| at.matrix_width(second));
        let own = |at: &LinearizedPart<'_>| at.matrix(second);
        let finish =
            |at: &LinearizedPart<'_>, sums: &Partials| at.finish_matrix(second, sums, out.as_mut());
        if !self.sum((name, self.about), width, own, finish) {
            out.fill(f64::NAN);
        }
    }
}

impl Linearization for DistributedAt<'_> {
    fn value(&self) -> f64 {
        self.value
    }

    fn gradient(&self) -> &[f64] {
        &self.gradient
    }

    fn hessian_vector(&self, v: &[f64], out: &mut [f64]) {
        self.product("Hessian-vector product", Second::Hessian, v, out);
    }

    fn gauss_newton_vector(&self, v: &[f64], out: &mut [f64]) {
        self.product("Gauss–Newton-vector product", Second::GaussNewton, v, out);
    }

    fn hessian(&self, out: MatMut<'_, f64>) {
        self.matrix("Hessian", Second::Hessian, out);
    }

    fn gauss_newton(&self, out: MatMut<'_, f64>) {
        self.matrix("Gauss–Newton matrix", Second::GaussNewton, out);
    }

    fn gauss_newton_diagonal(&self, out: &mut [f64]) {
        let topic = ("diagonal of the Gauss–Newton matrix", self.about);
        let own = |at: &LinearizedPart<'_>| at.diagonal();
        if !self.sum(topic, out.len(), own, |at, sums| at.finish_diagonal(sums, out)) {
            out.fill(f64::NAN);
        }
    }

    fn gauss_newton_diagonal_while(&self, out: &mut [f64], _: &mut dyn FnMut() -> bool) -> bool {
        self.gauss_newton_diagonal(out);
        true
    }
}
