//! The models of NIST's nonlinear problems, written once for every number; those by hand are the example's.

#[allow(dead_code, reason = "the example uses the rest")]
#[path = "../../../../../examples/problem_sets/models.rs"]
pub mod by_hand;

use secant_core::real::{Real, Residuals};
use std::f64::consts::PI;

/// The model's values at points of `predictors` numbers each.
#[derive(Clone, Copy)]
pub struct Nist<'a> {
    pub name: &'a str,
    pub x: &'a [f64],
    pub predictors: usize,
}

impl Residuals for Nist<'_> {
    fn parameters(&self) -> usize {
        let known = by_hand::MODELS.iter().find(|(name, ..)| *name == self.name);
        known.map(|(_, n, _)| *n).unwrap()
    }
    fn residual_len(&self) -> usize {
        self.x.len() / self.predictors
    }
    fn residuals<T: Real>(&self, b: &[T], r: &mut [T]) {
        for (r, x) in r.iter_mut().zip(self.x.chunks_exact(self.predictors)) {
            *r = model(self.name, b, x);
        }
    }
}

fn model<T: Real>(name: &str, b: &[T], at: &[f64]) -> T {
    let x = at[0];
    match name {
        "Misra1a" | "BoxBOD" => -b[0] * (-b[1] * x).exp_m1(),
        "Misra1b" => b[0] * (1.0 - (1.0 + 0.5 * b[1] * x).powi(-2)),
        "Misra1c" => b[0] * (1.0 - (1.0 + 2.0 * b[1] * x).powf(-0.5)),
        "Misra1d" => b[0] * b[1] * x / (1.0 + b[1] * x),
        "Chwirut1" | "Chwirut2" => (-b[0] * x).exp() / (b[1] + b[2] * x),
        "Lanczos1" | "Lanczos2" | "Lanczos3" => {
            b.chunks_exact(2).map(|b| b[0] * (-b[1] * x).exp()).sum()
        }
        "Gauss1" | "Gauss2" | "Gauss3" => {
            let peak = |b: &[T]| b[0] * (-((x - b[1]) / b[2]).powi(2)).exp();
            b[0] * (-b[1] * x).exp() + peak(&b[2..5]) + peak(&b[5..])
        }
        "DanWood" => b[0] * T::from_f64(x).powr(b[1]),
        "Kirby2" => rational(2, b, x),
        "Hahn1" | "Thurber" => rational(3, b, x),
        "Nelson" => b[0] - b[1] * x * (-b[2] * at[1]).exp(),
        "MGH17" => b[0] + b[1] * (-b[3] * x).exp() + b[2] * (-b[4] * x).exp(),
        "Roszman1" => b[0] - b[1] * x - (b[2] / (x - b[3])).atan() / PI,
        "ENSO" => {
            let wave = |period: T| (2.0 * PI * x / period).sin_cos();
            let (s, c) = wave(T::from_f64(12.0));
            let ((s4, c4), (s7, c7)) = (wave(b[3]), wave(b[6]));
            b[0] + b[1] * c + b[2] * s + b[4] * c4 + b[5] * s4 + b[7] * c7 + b[8] * s7
        }
        "MGH09" => b[0] * (x * x + b[1] * x) / (x * x + b[2] * x + b[3]),
        "MGH10" => b[0] * (b[1] / (x + b[2])).exp(),
        "Rat42" => b[0] / (1.0 + (b[1] - b[2] * x).exp()),
        "Rat43" => b[0] / (1.0 + (b[1] - b[2] * x).exp()).powr(1.0 / b[3]),
        "Eckerle4" => b[0] / b[1] * (-0.5 * ((x - b[2]) / b[1]).powi(2)).exp(),
        "Bennett5" => b[0] * (b[1] + x).powr(-1.0 / b[2]),
        _ => panic!("{name}"),
    }
}

fn rational<T: Real>(k: usize, b: &[T], x: f64) -> T {
    let polynomial = |b: &[T]| b.iter().rev().fold(T::from_f64(0.0), |sum, b| sum * x + *b);
    polynomial(&b[..=k]) / (1.0 + x * polynomial(&b[k + 1..]))
}
