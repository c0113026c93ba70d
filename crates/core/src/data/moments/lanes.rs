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

/// Calls `$self.group::<WIDTH>(turns, lanes, first)` for all lanes and all numbers, a number for each lane a turn.
macro_rules! by_groups {
    ($self:ident, $values:ident, $lanes:expr) => {{
        let lanes = $lanes;
        vectorize(
            #[inline(always)]
            || {
                // Memory is read in a row, which the lanes in turn would not do.
                let mut near = Vec::with_capacity((NEAR / lanes).max(1) * lanes);
                for values in $values.chunks((NEAR / lanes).max(1) * lanes) {
                    near.clear();
                    near.extend_from_slice(values);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// Whatever the width and where the values end, a lane has the bits of a loop over its numbers.
    #[test]
    fn lanes_add_up_as_one_by_one() {
        let mut random = Random::new(1);
        for (lanes, count) in [(1, 5), (64, 64 * 9), (100, 16_300), (127, 3_001), (3_000, 7_777)] {
            let values: Vec<f64> = (0..count).map(|_| 1e3 * random.normal() + 7.0).collect();
            let mean: Vec<f64> = (0..lanes).map(|_| random.normal()).collect();
            let none = || vec![0.0; lanes];
            let (mut high, mut low, mut rest) = (none(), none(), none());
            let (mut least, mut most) =
                (vec![f64::INFINITY; lanes], vec![f64::NEG_INFINITY; lanes]);
            let all = Lanes { high: &mut high, low: &mut low, least: &mut least, most: &mut most };
            all.add_values(&values);
            let (mut square, mut lost) = (none(), none());
            let centred =
                CentredLanes { mean: &mean, high: &mut square, low: &mut lost, rest: &mut rest };
            centred.add_values(&values);
            for lane in 0..lanes {
                let own = || values.iter().copied().skip(lane).step_by(lanes);
                let add = |sums: (f64, f64), x: f64| {
                    let (sum, error) = two_sum(sums.0, x);
                    (sum, sums.1 + error)
                };
                assert_eq!((high[lane], low[lane]), own().fold((0.0, 0.0), add), "{lanes}");
                assert_eq!(least[lane], own().fold(f64::INFINITY, f64::min));
                assert_eq!(most[lane], own().fold(f64::NEG_INFINITY, f64::max));
                let centred = || own().map(|x| x - mean[lane]);
                let squares = centred().map(|x| x * x).fold((0.0, 0.0), add);
                assert_eq!((square[lane], lost[lane]), squares, "{lanes}");
                assert_eq!(rest[lane], centred().fold(0.0, |sum, x| sum + x));
            }
        }
    }
}
