//! The sums of a block's lanes, eight lanes at a time through some turns: they stay in registers, and no lane is left to a scalar loop.
//!
//! A lane adds up its numbers in their order whatever the width, so that the bits do not depend on it.

use crate::double_double::two_sum;
use crate::elementwise::vectorize;

/// Numbers that stay in the innermost cache while all lanes go through them.
const NEAR: usize = 1 << 11;

/// Σx of every lane with what rounding lost, and the least and the largest.
pub(super) struct Lanes<'a> {
    pub(super) high: &'a mut [f64],
    pub(super) low: &'a mut [f64],
    pub(super) least: &'a mut [f64],
    pub(super) most: &'a mut [f64],
}

/// Σ(x − mean)² of every lane with what rounding lost, and Σ(x − mean).
pub(super) struct CentredLanes<'a> {
    pub(super) mean: &'a [f64],
    pub(super) high: &'a mut [f64],
    pub(super) low: &'a mut [f64],
    pub(super) rest: &'a mut [f64],
}

/// Calls `$group::<WIDTH>(first, turns)` for all lanes and all numbers, a number for each lane a turn.
macro_rules! by_groups {
    ($self:ident, $values:ident, $lanes:expr) => {{
        let lanes = $lanes;
        vectorize(
            #[inline(always)]
            || {
                for near in $values.chunks((NEAR / lanes).max(1) * lanes) {
                    let (whole, part) = near.split_at(near.len() / lanes * lanes);
                    for (turns, lanes_there) in [(whole, lanes), (part, part.len())] {
                        let mut first = 0;
                        while first + 8 <= lanes_there {
                            $self.group::<8>(turns, lanes_there, first);
                            first += 8;
                        }
                        while first + 4 <= lanes_there {
                            $self.group::<4>(turns, lanes_there, first);
                            first += 4;
                        }
                        while first < lanes_there {
                            $self.group::<1>(turns, lanes_there, first);
                            first += 1;
                        }
                    }
                }
            },
        );
    }};
}

impl Lanes<'_> {
    pub(super) fn add_values(mut self, values: &[f64]) {
        by_groups!(self, values, self.high.len());
    }

    /// The lanes from `first` on, through turns of `lanes` numbers.
    #[inline(always)]
    fn group<const WIDTH: usize>(&mut self, turns: &[f64], lanes: usize, first: usize) {
        let range = first..first + WIDTH;
        let (mut high, mut low) =
            (of::<WIDTH>(&self.high[range.clone()]), of::<WIDTH>(&self.low[range.clone()]));
        let (mut least, mut most) =
            (of::<WIDTH>(&self.least[range.clone()]), of::<WIDTH>(&self.most[range.clone()]));
        for turn in turns.chunks_exact(lanes) {
            let turn = of::<WIDTH>(&turn[range.clone()]);
            for lane in 0..WIDTH {
                let x = turn[lane];
                let (sum, error) = two_sum(high[lane], x);
                (high[lane], low[lane]) = (sum, low[lane] + error);
                least[lane] = if x < least[lane] { x } else { least[lane] };
                most[lane] = if x > most[lane] { x } else { most[lane] };
            }
        }
        self.high[range.clone()].copy_from_slice(&high);
        self.low[range.clone()].copy_from_slice(&low);
        self.least[range.clone()].copy_from_slice(&least);
        self.most[range].copy_from_slice(&most);
    }
}

impl CentredLanes<'_> {
    pub(super) fn add_values(mut self, values: &[f64]) {
        by_groups!(self, values, self.high.len());
    }

    #[inline(always)]
    fn group<const WIDTH: usize>(&mut self, turns: &[f64], lanes: usize, first: usize) {
        let range = first..first + WIDTH;
        let mean = of::<WIDTH>(&self.mean[range.clone()]);
        let (mut high, mut low) =
            (of::<WIDTH>(&self.high[range.clone()]), of::<WIDTH>(&self.low[range.clone()]));
        let mut rest = of::<WIDTH>(&self.rest[range.clone()]);
        for turn in turns.chunks_exact(lanes) {
            let turn = of::<WIDTH>(&turn[range.clone()]);
            for lane in 0..WIDTH {
                let centred = turn[lane] - mean[lane];
                let (sum, error) = two_sum(high[lane], centred * centred);
                (high[lane], low[lane]) = (sum, low[lane] + error);
                rest[lane] += centred;
            }
        }
        self.high[range.clone()].copy_from_slice(&high);
        self.low[range.clone()].copy_from_slice(&low);
        self.rest[range].copy_from_slice(&rest);
    }
}

/// So many numbers, in registers.
#[inline(always)]
fn of<const WIDTH: usize>(numbers: &[f64]) -> [f64; WIDTH] {
    std::array::from_fn(|lane| numbers[lane])
}
