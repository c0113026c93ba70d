//! The search for a step: what one showed, and which to try next.

use super::{FIRST, LOOSE, Line, Order, ROUNDS, Side, Slope, TIGHT, power_of_two};

/// A step changes by at most these factors at once.
const LONGEST_GROWTH: f64 = 1_073_741_824.0;
const LONGEST_FALL: f64 = 1.0 / 8192.0;
/// Beyond what the balance asks for, so that the next step need not be followed by another.
const MARGIN: f64 = 4.0;
/// Steps in turn that show nothing better: a jump or a kink has no better one.
const STALE: u32 = 4;
/// Steps nearer to one that was tried show what that did.
const NEAR: f64 = 1.5;

/// What one step showed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial {
    pub h: f64,
    pub low: i32,
    /// Largest entries of h·F′, δ² and δ⁴; all are 0 where F is the same at all points.
    pub first: f64,
    pub second: f64,
    pub fourth: f64,
    /// δ⁴ is noise.
    pub noisy: bool,
}

impl Trial {
    pub(super) fn nothing(&self) -> bool {
        self.fourth == 0.0
    }

    /// δ⁴ against what it may be beside the first and the second difference.
    fn parts(&self) -> (f64, f64) {
        let part = |size: f64, allowed: f64| {
            if size > 0.0 { self.fourth / (allowed * size) } else { f64::INFINITY }
        };
        (part(self.first, TIGHT), part(self.second, LOOSE))
    }

    /// At most 1 where the step is good.
    pub(super) fn defect(&self, order: Order) -> f64 {
        let (linear, curved) = self.parts();
        if order == Order::First { linear.min(curved) } else { curved }
    }

    /// Noise falls as 1/h against the first difference, and as 1/h² against the second.
    fn longer(&self, order: Order) -> f64 {
        let (linear, curved) = self.parts();
        let seen = self.second > 2.0 * self.fourth;
        let factor = match order {
            Order::First if seen => linear.min(curved.sqrt()),
            Order::First => linear,
            Order::Second => curved.sqrt(),
        };
        self.h * (MARGIN * factor).clamp(MARGIN, LONGEST_GROWTH)
    }

    /// Truncation grows as h³ against the first difference, and as h² against the second.
    fn shorter(&self, order: Order) -> f64 {
        let (linear, curved) = self.parts();
        let (linear, curved) = (linear.cbrt().recip(), curved.sqrt().recip());
        let factor = match order {
            // Not even the second difference is more than the fourth: far too long.
            _ if self.fourth >= self.second => 0.0,
            Order::First => linear.max(curved),
            Order::Second => curved,
        };
        self.h * (factor / MARGIN).clamp(LONGEST_FALL, MARGIN.recip())
    }

    pub(super) fn found(&self, order: Order) -> Slope {
        let side = match self.low {
            0 => Side::Ahead,
            -4 => Side::Behind,
            _ => Side::Both,
        };
        let size = if order == Order::First { self.first.max(self.second) } else { self.second };
        let doubt = if size > 0.0 { self.fourth / size } else { f64::INFINITY };
        Slope::Found { step: self.h, side, doubt }
    }
}

/// The steps tried, and between which two the good ones lie.
#[derive(Debug)]
pub(super) struct Search {
    order: Order,
    pub most: f64,
    pub least: f64,
    /// The longest step whose δ⁴ was noise, and the shortest whose δ⁴ was truncation.
    noisy: f64,
    truncated: f64,
    pub best: Option<Trial>,
    stale: u32,
    pub tried: [f64; ROUNDS],
    pub from: f64,
    pub to: f64,
}

impl Search {
    pub(super) fn new(order: Order, line: &Line<'_>) -> Self {
        let (best, stale, tried) = (None, 0, [0.0; ROUNDS]);
        let (least, most) = (line.least, line.most.max(line.least));
        let (noisy, truncated) = (0.0, f64::INFINITY);
        let (from, to) = (f64::INFINITY, 0.0);
        Self { order, most, least, noisy, truncated, best, stale, tried, from, to }
    }

    pub(super) fn was_tried(&self, h: f64) -> bool {
        self.tried.iter().any(|other| *other <= NEAR * h && h <= NEAR * other)
    }

    pub(super) fn widen(&mut self, from: f64, to: f64) {
        (self.from, self.to) = (self.from.min(from), self.to.max(to));
    }

    /// Takes in a trial; whether it is the best so far.
    pub(super) fn take(&mut self, trial: &Trial) -> bool {
        if trial.nothing() {
            return false;
        }
        let defect = trial.defect(self.order);
        let before = self.best.map_or(f64::INFINITY, |best| best.defect(self.order));
        let first = self.best.is_none();
        if first || defect < before {
            self.stale = if first || defect < 0.5 * before { 0 } else { self.stale };
            self.best = Some(*trial);
            return true;
        }
        self.stale += 1;
        false
    }

    /// The next step; none where no other can be better.
    pub(super) fn next(&mut self, trial: &Trial) -> Option<f64> {
        let h = trial.h;
        let middle = |other: f64| h.sqrt() * other.sqrt();
        let wanted = if trial.nothing() {
            self.noisy = self.noisy.max(h);
            let top = self.truncated.min(self.most);
            let far = if self.truncated < f64::INFINITY { 0.0 } else { h / FIRST };
            power_of_two(middle(top).max(far).min(top))
        } else if trial.defect(self.order) <= 1.0 || self.stale > STALE {
            return None;
        } else if trial.noisy {
            self.noisy = self.noisy.max(h);
            let longer = trial.longer(self.order).min(self.most);
            let between = self.truncated < f64::INFINITY;
            power_of_two(if between { longer.min(middle(self.truncated)) } else { longer })
        } else {
            self.truncated = self.truncated.min(h);
            let shorter = trial.shorter(self.order).max(self.least);
            power_of_two(shorter.max(middle(self.noisy)))
        };
        let new = wanted >= self.least && wanted <= self.most && !self.was_tried(wanted);
        new.then_some(wanted)
    }
}
