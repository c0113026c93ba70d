//! Profile-likelihood intervals and contours.
//!
//! With θⱼ held at a value and the sum of squares S minimised over the others, the interval is where S − S(θ̂) ≤ s²·F₁,ₘ₋ₚ(level), or
//! ≤ χ²₁(level) where σ is absolute; for two parameters held, 2·F₂,ₘ₋ₚ or χ²₂. It follows the curvature of the model, which ± does not.
//! A fit for each trial, begun where the last one ended; some 5 to 10 for an end.
//! Source: Bates & Watts (1988) §6.1; lmfit's `conf_interval`.

use super::distributions::{ChiSquared, Distribution, FisherF};
use super::ray::{Excess, Reach};
use super::{Infer, Inference, InferenceError, Status};
use secant_core::text::did_you_mean;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;
use std::fmt;

/// From here on the ends are said to differ from ±.
const DIFFERENT: f64 = 0.05;
/// Least points of a contour.
const LEAST_POINTS: usize = 3;

/// One end of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum End {
    /// There.
    At(f64),
    /// The bound comes first.
    Bound(f64),
    /// The residuals are not finite beyond it.
    Edge(f64),
    /// There is none: the fit stays as good as that however far the parameter goes.
    Open,
}

impl End {
    /// Where it is; `None` where it is open.
    pub fn value(self) -> Option<f64> {
        match self {
            Self::At(value) | Self::Bound(value) | Self::Edge(value) => Some(value),
            Self::Open => None,
        }
    }
}

/// The values of a parameter with which the data agree, at a level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProfileInterval {
    /// The parameter.
    pub name: String,
    /// Its estimate.
    pub estimate: f64,
    /// The level.
    pub level: f64,
    /// The lower end.
    pub lower: End,
    /// The upper end.
    pub upper: End,
    /// Estimate ± quantile · error.
    pub symmetric: (f64, f64),
    /// How many fits it took.
    pub fits: u64,
}

impl ProfileInterval {
    /// The larger relative difference of the two distances from the estimate from that of ±; infinite for an end that is open.
    pub fn difference(&self) -> f64 {
        let half = self.symmetric.1 - self.estimate;
        let of = |end: End| {
            end.value().map_or(f64::INFINITY, |at| ((at - self.estimate).abs() / half - 1.0).abs())
        };
        of(self.lower).max(of(self.upper))
    }

    /// Whether it differs from ± by 5 % or more: then ± is not to be trusted.
    pub fn differs(&self) -> bool {
        let difference = self.difference();
        difference >= DIFFERENT || difference.is_nan()
    }
}

impl fmt::Display for ProfileInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |end: End| match end {
            End::At(at) => format!("{}", Short(at)),
            End::Bound(at) => format!("{} (its bound)", Short(at)),
            End::Edge(at) => format!("{} (residuals not finite beyond)", Short(at)),
            End::Open => "open".to_owned(),
        };
        let percent = Short(100.0 * self.level);
        write!(
            f,
            "{}: {} … {} at {percent} % by profile",
            self.name,
            end(self.lower),
            end(self.upper)
        )?;
        if self.differs() {
            let (low, high) = (Short(self.symmetric.0), Short(self.symmetric.1));
            write!(f, "; ± says {low} … {high}")?;
            if self.difference().is_finite() {
                write!(f, ", off by {:.0} %", 100.0 * self.difference())?;
            }
        }
        Ok(())
    }
}

/// Six digits.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short: f64 = format!("{:.5e}", self.0).parse().unwrap_or(self.0);
        let size = short.abs();
        if size == 0.0 || (1e-4..1e7).contains(&size) {
            write!(f, "{short}")
        } else {
            write!(f, "{short:e}")
        }
    }
}

/// The pairs of values of two parameters with which the data agree, at a level: the line around them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Contour {
    /// The parameters.
    pub names: (String, String),
    /// The level.
    pub level: f64,
    /// The points in order around the estimate, the first again at the end.
    pub points: Vec<(f64, f64)>,
    /// How many directions have no end, or end at a bound or where the residuals are not finite: the points of the latter two stand at
    /// that place, the others are left out.
    pub cut: usize,
    /// How many fits it took.
    pub fits: u64,
}

impl Infer<'_> {
    /// The profile interval of the parameter of this name, at the [`level`](Infer::level).
    ///
    /// ```
    /// # use secant_optim::inference::Inference;
    /// # use secant_optim::{LeastSquaresFn, LevenbergMarquardt, minimize};
    /// let (t, y) = ([0.0, 1.0, 2.0, 3.0, 4.0], [2.1, 1.1, 0.8, 0.4, 0.3]);
    /// let decay = LeastSquaresFn::new(2, 5, |p, r| {
    ///     (0..5).for_each(|i| r[i] = p[0] * f64::exp(-p[1] * t[i]) - y[i]);
    /// });
    /// let solution = minimize(&decay, LevenbergMarquardt::default(), &[1.0, 1.0])?;
    /// let profile = Inference::of(&decay, &solution.theta).names(["a", "b"]).profile("b")?;
    /// println!("{profile}"); // b: 0.367… … 0.799… at 95 % by profile; ± says …
    /// assert!(profile.differs());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`compute`](Infer::compute); an unknown name; no degrees of freedom; a sum of squares that falls below that of the solution, with
    /// the place.
    pub fn profile(&self, name: &str) -> Result<ProfileInterval, InferenceError> {
        let (found, names) = self.measured()?;
        let j = index(&names, name)?;
        let estimate = self.theta[j];
        let symmetric = found.interval_at(j, self.level);
        let interval = |lower, upper, fits| ProfileInterval {
            name: name.to_owned(),
            estimate,
            level: self.level,
            lower,
            upper,
            symmetric,
            fits,
        };
        let one = &found.estimates[j];
        let none = one.standard_error == 0.0 || one.status == Status::Fixed;
        if none {
            return Ok(interval(End::At(estimate), End::At(estimate), 0));
        }
        if one.status == Status::Open {
            return Ok(interval(End::Open, End::Open, 0));
        }
        let threshold = if self.absolute {
            ChiSquared::new(1.0).quantile(self.level)
        } else {
            FisherF::new(1.0, found.degrees).quantile(self.level)
        };
        // At a bound there is no error to begin with.
        let guess = if one.standard_error.is_nan() {
            if estimate == 0.0 { 1.0 } else { 0.1 * estimate.abs() }
        } else {
            one.standard_error * threshold.sqrt()
        };
        let mut excess = self.excess(&found, vec![j]);
        let mut end = |sign: f64| {
            let bound = self.bounds.as_ref().map_or(sign * f64::INFINITY, |b| {
                if sign < 0.0 { b.lower()[j] } else { b.upper()[j] }
            });
            let longest = (bound - estimate).abs();
            if longest == 0.0 {
                return Ok(End::Bound(bound));
            }
            excess.warm = self.theta.to_vec();
            // At the longest, the bound itself.
            let at = |rho: f64| if rho >= longest { bound } else { estimate + sign * rho };
            match excess.reach(|rho| vec![at(rho)], threshold, guess, longest) {
                Reach::Threshold(rho) => Ok(End::At(at(rho))),
                Reach::Edge(rho) => Ok(End::Edge(at(rho))),
                Reach::Limit => Ok(End::Bound(bound)),
                Reach::Open => Ok(End::Open),
                Reach::Lower(rho, there) => Err(InferenceError::Lower {
                    name: name.to_owned(),
                    at: at(rho),
                    here: excess.least,
                    there,
                }),
            }
        };
        let (lower, upper) = (end(-1.0)?, end(1.0)?);
        Ok(interval(lower, upper, excess.fits))
    }

    /// The contour of two parameters at the [`level`](Infer::level), by as many rays from the estimate as there shall be `points`; their
    /// directions are even on the ellipse of the covariance.
    ///
    /// # Errors
    /// As [`profile`](Self::profile); parameters without an error; fewer than 3 points.
    pub fn contour(
        &self,
        first: &str,
        second: &str,
        points: usize,
    ) -> Result<Contour, InferenceError> {
        if points < LEAST_POINTS {
            let (what, least) = ("points of a contour", LEAST_POINTS);
            return Err(InferenceError::TooFew { what, found: points, least });
        }
        let (found, names) = self.measured()?;
        let (i, j) = (index(&names, first)?, index(&names, second)?);
        if i == j {
            return Err(InferenceError::Twice(first.to_owned()));
        }
        for k in [i, j] {
            // Compared so that NaN has none.
            let has_error = found.estimates[k].standard_error > 0.0;
            if !has_error {
                return Err(InferenceError::NoError(names[k].clone()));
            }
        }
        let threshold = if self.absolute {
            ChiSquared::new(2.0).quantile(self.level)
        } else {
            2.0 * FisherF::new(2.0, found.degrees).quantile(self.level)
        };
        let (a, b) = (found.estimates[i].standard_error, found.estimates[j].standard_error);
        let r = found.correlation(i, j);
        let across = (1.0 - r * r).max(0.0).sqrt();
        let (x, y) = (self.theta[i], self.theta[j]);
        let mut excess = self.excess(&found, vec![i, j]);
        let (mut line, mut cut) = (Vec::with_capacity(points + 1), 0);
        for k in 0..points {
            let angle = 2.0 * PI * k as f64 / points as f64;
            let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
            let (dx, dy) = (a * cosine, b * (r * cosine + across * sine));
            let longest = self.room(i, dx).min(self.room(j, dy));
            let at = |rho: f64| vec![x + rho * dx, y + rho * dy];
            if longest == 0.0 {
                cut += 1;
                line.push((x, y));
                continue;
            }
            excess.warm = self.theta.to_vec();
            let reach = excess.reach(at, threshold, threshold.sqrt(), longest);
            let rho = match reach {
                Reach::Threshold(rho) | Reach::Edge(rho) => rho,
                Reach::Limit => longest,
                Reach::Open => {
                    cut += 1;
                    continue;
                }
                Reach::Lower(rho, there) => {
                    let (name, here) = (first.to_owned(), excess.least);
                    return Err(InferenceError::Lower { name, at: x + rho * dx, here, there });
                }
            };
            cut += usize::from(!matches!(reach, Reach::Threshold(_)));
            line.push((x + rho * dx, y + rho * dy));
        }
        line.extend(line.first().copied());
        Ok(Contour {
            names: (first.to_owned(), second.to_owned()),
            level: self.level,
            points: line,
            cut,
            fits: excess.fits,
        })
    }

    /// The inference of the parameters themselves, with s², and their names.
    fn measured(&self) -> Result<(Inference, Vec<String>), InferenceError> {
        let mut plain = self.clone();
        plain.of_parameters();
        let names = plain.checked()?;
        let found = plain.compute()?;
        if !(self.absolute || found.degrees > 0.0) {
            let (observations, parameters) = (found.observations, found.estimated);
            return Err(InferenceError::NoDegrees { observations, parameters });
        }
        Ok((found, names))
    }

    fn excess(&self, found: &Inference, held: Vec<usize>) -> Excess<'_> {
        let least = 2.0 * self.problem.value(self.theta);
        Excess {
            problem: self.problem,
            bounds: self.bounds.as_ref(),
            held,
            least,
            variance: found.factor.variance,
            warm: self.theta.to_vec(),
            fits: 0,
        }
    }

    /// How far θⱼ may go along d.
    fn room(&self, j: usize, d: f64) -> f64 {
        let Some(bounds) = &self.bounds else { return f64::INFINITY };
        let bound = if d < 0.0 { bounds.lower()[j] } else { bounds.upper()[j] };
        if d == 0.0 { f64::INFINITY } else { ((bound - self.theta[j]) / d).max(0.0) }
    }
}

fn index(names: &[String], name: &str) -> Result<usize, InferenceError> {
    names.iter().position(|known| known == name).ok_or_else(|| InferenceError::Unknown {
        name: name.to_owned(),
        hint: did_you_mean(name, names.iter().map(String::as_str)),
    })
}
