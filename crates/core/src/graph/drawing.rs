//! Where the boxes and arrows of a picture go: layers from top to bottom, branches side by side  (Sugiyama, Tagawa & Toda 1981).
//!
//! 1. A box lies one layer below the lowest of its inputs. An arrow that passes layers bends through a place in each, so that it keeps
//!    clear of the boxes there; arrows from one box share these places.
//! 2. Within a layer, boxes are sorted by the mean position of their neighbours above, then below, and again; the order with the fewest
//!    crossings is kept.
//! 3. Boxes move towards the mean of their neighbours, as near as the others of their layer let them: an isotonic regression.

/// Sweeps over the layers, half of them down, to sort and then to move.
const SWEEPS: usize = 16;
/// Free space between neighbours in a layer.
const GAP: f64 = 24.0;
/// Free space between layers, where arrows bend.
const LAYER_GAP: f64 = 44.0;
/// Width of the place that an arrow takes in a layer.
const LANE: f64 = 6.0;
/// How much a pull counts between two boxes, a box and a lane, two lanes: long arrows should be straight  (Gansner, Koutsofios, North &
/// Vo 1993, §4).
const PULLS: [f64; 3] = [1.0, 2.0, 8.0];
/// Places for arrows in all: beyond that they go straight, behind the boxes. Nobody looks at such a picture arrow by arrow.
const MAX_LANES: usize = 20_000;
/// Distance of the tips of two arrows on a box.
const PORT: f64 = 14.0;

/// Size of a box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A place in the picture: y grows downwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// An arrow: straight down between the points of a pair, bent between pairs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Arrow {
    pub(super) runs: Vec<[Point; 2]>,
}

/// Boxes and arrows with their places.
#[derive(Clone, Debug)]
pub(super) struct Drawing {
    /// Upper left corners.
    pub(super) corners: Vec<Point>,
    pub(super) arrows: Vec<Arrow>,
    pub(super) size: Size,
}

impl Drawing {
    /// Moves everything to the right and down.
    pub(super) fn shift(&mut self, by: Point) {
        let runs = self.arrows.iter_mut().flat_map(|arrow| arrow.runs.as_flattened_mut());
        for point in self.corners.iter_mut().chain(runs) {
            point.x += by.x;
            point.y += by.y;
        }
    }
}

/// A box or the place of an arrow in a layer.
#[derive(Clone, Debug)]
struct Slot {
    width: f64,
    /// 1 for the place of an arrow, 0 for a box.
    lane: usize,
    layer: usize,
    /// Neighbours in the layers next to it.
    above: Vec<usize>,
    below: Vec<usize>,
    /// Of its centre.
    x: f64,
}

/// Draws boxes of the given sizes; `inputs[i]` are boxes before i, from each of which an arrow goes to i.
pub(super) fn draw(sizes: &[Size], inputs: &[Vec<usize>]) -> Drawing {
    let mut slots: Vec<Slot> = Vec::with_capacity(sizes.len());
    for (size, inputs) in sizes.iter().zip(inputs) {
        let layer = inputs.iter().map(|&input| slots[input].layer + 1).max().unwrap_or(0);
        let (above, below) = (Vec::new(), Vec::new());
        slots.push(Slot { width: size.width, lane: 0, layer, above, below, x: 0.0 });
    }
    let chains = connect(&mut slots, inputs);
    let layers = slots.iter().map(|slot| slot.layer + 1).max().unwrap_or(0);
    let mut order = vec![Vec::new(); layers];
    for (index, slot) in slots.iter().enumerate() {
        order[slot.layer].push(index);
    }
    sort(&slots, &mut order);
    place(&mut slots, &order);
    finish(sizes, inputs, &slots, &order, &chains)
}

/// Adds the places of long arrows and joins neighbours. Returns for each box its chain of places: the first is in the layer below it.
fn connect(slots: &mut Vec<Slot>, inputs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let boxes = inputs.len();
    let mut chains = vec![Vec::new(); boxes];
    for (target, inputs) in inputs.iter().enumerate() {
        for &source in inputs {
            let passed = slots[source].layer + 1..slots[target].layer;
            let chain: &mut Vec<usize> = &mut chains[source];
            if slots.len() - boxes + passed.len().saturating_sub(chain.len()) > MAX_LANES {
                continue;
            }
            let mut last = source;
            for (step, layer) in passed.enumerate() {
                if chain.len() == step {
                    let (above, below) = (vec![last], Vec::new());
                    slots.push(Slot { width: LANE, lane: 1, layer, above, below, x: 0.0 });
                    chain.push(slots.len() - 1);
                    let new = slots.len() - 1;
                    slots[last].below.push(new);
                }
                last = chain[step];
            }
            slots[last].below.push(target);
            slots[target].above.push(last);
        }
    }
    chains
}

/// Sorts the layers for few crossings.
fn sort(slots: &[Slot], order: &mut [Vec<usize>]) {
    let mut best = order.to_vec();
    let mut fewest = crossings(slots, order);
    let mut position = vec![0.0; slots.len()];
    let note = |layer: &[usize], position: &mut [f64]| {
        layer.iter().enumerate().for_each(|(index, &slot)| position[slot] = index as f64);
    };
    for layer in order.iter() {
        note(layer, &mut position);
    }
    for sweep in 0..SWEEPS {
        if fewest == 0 {
            break;
        }
        let down = sweep % 2 == 0;
        for step in 1..order.len() {
            let layer = if down { step } else { order.len() - 1 - step };
            let centre = |&slot: &usize| {
                let near = if down { &slots[slot].above } else { &slots[slot].below };
                // What has no neighbours there stays.
                mean(near.iter().map(|&near| position[near])).unwrap_or(position[slot])
            };
            let mut keyed: Vec<(f64, usize)> =
                order[layer].iter().map(|slot| (centre(slot), *slot)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            order[layer] = keyed.into_iter().map(|(_, slot)| slot).collect();
            note(&order[layer], &mut position);
        }
        let found = crossings(slots, order);
        if found < fewest {
            fewest = found;
            best = order.to_vec();
        }
    }
    order.clone_from_slice(&best);
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// Pairs of arrows that cross between neighbouring layers, counted by a Fenwick tree.
fn crossings(slots: &[Slot], order: &[Vec<usize>]) -> usize {
    let mut position = vec![0; slots.len()];
    for layer in order {
        layer.iter().enumerate().for_each(|(index, &slot)| position[slot] = index);
    }
    let mut count = 0;
    for layer in order {
        let mut ends: Vec<(usize, usize)> = Vec::new();
        for &slot in layer {
            let below = slots[slot].below.iter();
            ends.extend(below.map(|&below| (position[slot], position[below])));
        }
        ends.sort_unstable();
        let width = ends.iter().map(|&(_, end)| end + 1).max().unwrap_or(0);
        let mut tree = vec![0; width + 1];
        for (seen, &(_, end)) in ends.iter().enumerate() {
            // Arrows before this one that end at or left of it do not cross it.
            let mut node = end + 1;
            let mut clear = 0;
            while node > 0 {
                clear += tree[node];
                node &= node - 1;
            }
            count += seen - clear;
            let mut node = end + 1;
            while node <= width {
                tree[node] += 1;
                node += node & node.wrapping_neg();
            }
        }
    }
    count
}

/// Sets every x.
fn place(slots: &mut [Slot], order: &[Vec<usize>]) {
    for layer in order {
        let targets = vec![0.0; layer.len()];
        settle(slots, layer, &targets);
    }
    // Down and up in turn, first by the neighbours that have moved just before, then by all.
    for sweep in 0..=2 * SWEEPS {
        for step in 0..order.len() {
            let down = sweep % 2 == 0;
            let layer = &order[if down { step } else { order.len() - 1 - step }];
            let target = |&slot: &usize| {
                let Slot { above, below, lane, x, .. } = &slots[slot];
                let near = match (sweep > SWEEPS, down) {
                    (true, _) => [&above[..], &below[..]],
                    (false, true) => [&above[..], &[]],
                    (false, false) => [&below[..], &[]],
                };
                let (mut sum, mut pulls) = (0.0, 0.0);
                for &near in near.into_iter().flatten() {
                    let pull = PULLS[lane + slots[near].lane];
                    sum += pull * slots[near].x;
                    pulls += pull;
                }
                if pulls > 0.0 { sum / pulls } else { *x }
            };
            let targets: Vec<f64> = layer.iter().map(target).collect();
            settle(slots, layer, &targets);
        }
    }
}

/// Puts the slots of a layer as near to their targets as their order and widths allow: min Σ (x − target)² subject to the distances, by
/// pooling adjacent violators.
fn settle(slots: &mut [Slot], layer: &[usize], targets: &[f64]) {
    // Distance from the first slot when all stand close.
    let mut close = Vec::with_capacity(layer.len());
    let mut sum = 0.0;
    for (index, &slot) in layer.iter().enumerate() {
        if index > 0 {
            sum += 0.5 * (slots[layer[index - 1]].width + slots[slot].width) + GAP;
        }
        close.push(sum);
    }
    // Pools of slots that stand close: mean of target − close, and their number.
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for (target, close) in targets.iter().zip(&close) {
        let mut pool = (target - close, 1);
        while let Some(&(before, count)) = pools.last().filter(|(before, _)| *before >= pool.0) {
            let all = count + pool.1;
            pool = ((before * count as f64 + pool.0 * pool.1 as f64) / all as f64, all);
            pools.pop();
        }
        pools.push(pool);
    }
    let places = pools.iter().flat_map(|&(place, count)| std::iter::repeat_n(place, count));
    for ((&slot, close), place) in layer.iter().zip(&close).zip(places) {
        slots[slot].x = place + close;
    }
}

/// Corners and arrows from the places of the slots.
fn finish(
    sizes: &[Size],
    inputs: &[Vec<usize>],
    slots: &[Slot],
    order: &[Vec<usize>],
    chains: &[Vec<usize>],
) -> Drawing {
    let left = |slot: &Slot| slot.x - 0.5 * slot.width;
    let first = slots.iter().map(left).fold(f64::INFINITY, f64::min);
    let last = slots.iter().map(|slot| left(slot) + slot.width).fold(first, f64::max);
    // Top and bottom of each layer.
    let mut bands = Vec::with_capacity(order.len());
    let mut top = 0.0;
    for layer in order {
        let heights = layer.iter().filter_map(|&slot| sizes.get(slot)).map(|size| size.height);
        let bottom = top + heights.fold(0.0, f64::max);
        bands.push((top, bottom));
        top = bottom + LAYER_GAP;
    }
    let corner = |(index, size): (usize, &Size)| {
        let (top, bottom) = bands[slots[index].layer];
        let y = 0.5 * (top + bottom - size.height);
        Point { x: left(&slots[index]) - first, y }
    };
    let corners: Vec<Point> = sizes.iter().enumerate().map(corner).collect();
    let mut arrows = Vec::new();
    for (target, inputs) in inputs.iter().enumerate() {
        // Arrows come from left to right in the order in which they arrive.
        let passed = |source: usize| {
            let count = slots[target].layer - slots[source].layer - 1;
            &chains[source][..count.min(chains[source].len())]
        };
        let before = |source: usize| passed(source).last().copied().unwrap_or(source);
        let mut sources = inputs.clone();
        sources.sort_by(|&a, &b| slots[before(a)].x.total_cmp(&slots[before(b)].x));
        let room = (sizes[target].width - PORT) / sources.len().max(1) as f64;
        let spread = PORT.min(room);
        for (port, &source) in sources.iter().enumerate() {
            let from = slots[source].x - first;
            let start = corners[source].y + sizes[source].height;
            let mut runs = vec![[
                Point { x: from, y: start },
                Point { x: from, y: bands[slots[source].layer].1 },
            ]];
            for &slot in passed(source) {
                let (top, bottom) = bands[slots[slot].layer];
                let x = slots[slot].x - first;
                runs.push([Point { x, y: top }, Point { x, y: bottom }]);
            }
            let offset = spread * (port as f64 - 0.5 * (sources.len() - 1) as f64);
            let x = slots[target].x - first + offset;
            let (top, end) = (bands[slots[target].layer].0, corners[target].y);
            runs.push([Point { x, y: top }, Point { x, y: end }]);
            arrows.push(Arrow { runs });
        }
    }
    let height = bands.last().map_or(0.0, |&(_, bottom)| bottom);
    Drawing { corners, arrows, size: Size { width: last - first, height } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn drawn(random: &mut Random, boxes: usize) -> (Vec<Size>, Vec<Vec<usize>>) {
        let size = |random: &mut Random| Size {
            width: 60.0 + 100.0 * random.uniform(),
            height: 30.0 + 20.0 * random.uniform(),
        };
        let sizes = (0..boxes).map(|_| size(random)).collect();
        let inputs = |index: usize, random: &mut Random| {
            if index == 0 {
                return Vec::new();
            }
            (0..=random.below(3)).map(|_| random.below(index)).collect()
        };
        let inputs = (0..boxes).map(|index| inputs(index, random)).collect();
        (sizes, inputs)
    }

    #[test]
    fn boxes_never_overlap_and_arrows_keep_clear_of_them() {
        let mut random = Random::new(1);
        for boxes in 1..60 {
            let (sizes, inputs) = drawn(&mut random, boxes);
            let drawing = draw(&sizes, &inputs);
            let rectangle = |index: usize| {
                let (corner, size) = (drawing.corners[index], sizes[index]);
                (corner.x, corner.x + size.width, corner.y, corner.y + size.height)
            };
            for a in 0..boxes {
                let (left, right, top, bottom) = rectangle(a);
                assert!(left > -1e-6 && right < drawing.size.width + 1e-6);
                assert!(top >= 0.0 && bottom < drawing.size.height + 1e-6);
                for b in 0..a {
                    let (other_left, other_right, other_top, other_bottom) = rectangle(b);
                    let beside = right + 0.9 * GAP < other_left || other_right + 0.9 * GAP < left;
                    let apart = bottom + 0.9 * LAYER_GAP < other_top
                        || other_bottom + 0.9 * LAYER_GAP < top;
                    assert!(beside || apart, "{a} and {b} of {boxes}");
                }
            }
            // The straight runs cross no box but end on their own.
            for run in drawing.arrows.iter().flat_map(|arrow| &arrow.runs) {
                for index in 0..boxes {
                    let (left, right, top, bottom) = rectangle(index);
                    let inside = (left + 1e-6..right - 1e-6).contains(&run[0].x)
                        && run[1].y > top + 1e-6
                        && run[0].y < bottom - 1e-6;
                    assert!(!inside, "an arrow through {index} of {boxes}");
                }
            }
            assert_eq!(drawing.arrows.len(), inputs.iter().map(Vec::len).sum::<usize>());
        }
    }

    #[test]
    fn more_arrows_than_anyone_follows_are_still_drawn() {
        // Every box takes all before it: 45,000 places in layers, were they all made.
        let boxes = 300;
        let size = Size { width: 50.0, height: 30.0 };
        let inputs: Vec<Vec<usize>> = (0..boxes).map(|index| (0..index).collect()).collect();
        let drawing = draw(&vec![size; boxes], &inputs);
        assert_eq!(drawing.arrows.len(), boxes * (boxes - 1) / 2);
        let runs = drawing.arrows.iter().flat_map(|arrow| arrow.runs.as_flattened());
        assert!(runs.clone().all(|point| point.x.is_finite() && point.y.is_finite()));
        assert!(runs.count() < 6 * drawing.arrows.len() * boxes);
    }

    #[test]
    fn a_chain_is_a_straight_line_and_equal_branches_are_symmetric() {
        let size = Size { width: 100.0, height: 40.0 };
        let chain = draw(&[size; 4], &[vec![], vec![0], vec![1], vec![2]]);
        assert!(chain.corners.iter().all(|corner| corner.x.abs() < 1e-9));
        // 0 → 1, 2, 3 → 4.
        let inputs = [vec![], vec![0], vec![0], vec![0], vec![1, 2, 3]];
        let fan = draw(&[size; 5], &inputs);
        let x: Vec<f64> = fan.corners.iter().map(|corner| corner.x).collect();
        assert!((x[0] - x[2]).abs() < 1e-6 && (x[4] - x[2]).abs() < 1e-6);
        assert!((x[1] + x[3] - 2.0 * x[2]).abs() < 1e-6 && x[1] < x[2] && x[2] < x[3]);
    }

    #[test]
    fn crossings_are_counted_and_removed() {
        // 1 and 2 below 0; 3 takes 2 and 4 takes 1: crossed as they come.
        let inputs = [vec![], vec![0], vec![0], vec![2], vec![1], vec![3, 4]];
        let size = Size { width: 10.0, height: 10.0 };
        let mut slots: Vec<Slot> = [0, 1, 1, 2, 2, 3]
            .map(|layer| Slot { width: 10.0, lane: 0, layer, above: vec![], below: vec![], x: 0.0 })
            .into();
        connect(&mut slots, &inputs);
        let mut order = [vec![0], vec![1, 2], vec![3, 4], vec![5]];
        assert_eq!(crossings(&slots, &order), 1);
        sort(&slots, &mut order);
        assert_eq!(crossings(&slots, &order), 0);
        assert_eq!(draw(&[size; 6], &inputs).corners.len(), 6);
    }
}
