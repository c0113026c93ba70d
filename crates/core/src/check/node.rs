//! A single node held against finite differences and its own symmetries.

use super::{Checks, DIFFERENCE_TOLERANCE, EXACT_TOLERANCE, asymmetry, difference_along, distance};
use crate::op::{
    Adjoints, At, Bar, Domain, Dot, EachParam, Inputs, Layout, Op, ParamAdjoints, Params, Place,
    Region, Samples, Tangents, TileData, Training,
};
use crate::random::Random;
use crate::shape::{Shape, ShapeError};
use std::ops::Range;

/// Samples in the tile that a node is checked on.
const BATCH: usize = 3;
/// Entries of the inputs, of the output and of the parameters that a node is checked on at most.
const MAX_ENTRIES: usize = 1 << 24;

/// Checks all methods of `op` at random inputs of the given shapes, standard normal numbers drawn from `seed`.
///
/// `tangent` and `adjoint_tangent` against central differences of `value` and `adjoint`; the adjoint identity ⟨z̄, ż⟩ = ⟨x̄, ẋ⟩ +
/// ⟨θ̄, θ̇⟩; second derivatives against their dense matrix and its symmetry; whether adjoints are added and values written
/// everywhere; `adjoint_each` against `adjoint`; inputs without tangent and adjoint. Inputs of codes get codes, and stay.
///
/// # Errors
/// Those of [`Op::output_shape`], an input without entries, and more than 2²⁴ entries.
pub fn op(op: &dyn Op, inputs: &[Shape], seed: u64) -> Result<Checks, ShapeError> {
    op_within(op, inputs, seed, |x| x)
}

/// The same with every entry of the inputs mapped by `domain`: into the domain of a logarithm, away from a kink.
///
/// ```
/// use secant_core::check;
/// use secant_core::op::Activation;
/// use secant_core::shape::Shape;
///
/// let inputs = [Shape::vector(5)];
/// assert!(!check::op(&Activation::Log, &inputs, 1)?.passed());
/// assert!(check::op_within(&Activation::Log, &inputs, 1, |x| 0.5 + x.abs())?.passed());
/// # Ok::<(), secant_core::shape::ShapeError>(())
/// ```
///
/// # Errors
/// As [`op`].
pub fn op_within(
    op: &dyn Op,
    inputs: &[Shape],
    seed: u64,
    domain: impl Fn(f64) -> f64,
) -> Result<Checks, ShapeError> {
    let bench = Bench::new(op, inputs)?;
    let mut random = Random::new(seed);
    let mut draw = |len: usize| -> Vec<f64> { (0..len).map(|_| random.normal()).collect() };
    let (z_bar, z_bar_dot) = (draw(bench.outputs), draw(bench.outputs));
    let (mut point, mut a, mut b) = (draw(bench.point), draw(bench.point), draw(bench.point));
    point[..bench.inputs].iter_mut().for_each(|x| *x = domain(*x));
    bench.draw_codes(&mut random, &mut point);
    bench.hold_codes(&mut a, 0.0);
    bench.hold_codes(&mut b, 0.0);
    let still = vec![0.0; bench.outputs];
    let mut checks = Checks::default();

    let z = bench.value(&point);
    let z_dot = bench.tangent(&point, &z, &a);
    let differences =
        difference_along(&point, &a, z.len(), |p, out| out.copy_from_slice(&bench.value(p)));
    let error = distance(&z_dot, &differences);
    checks.push("tangent, differences of value", error, DIFFERENCE_TOLERANCE);

    let bar = bench.adjoint(&point, &z_bar, 0.0);
    checks.push("⟨z̄, ż⟩, ⟨x̄, ẋ⟩ + ⟨θ̄, θ̇⟩", asymmetry(&z_bar, &z_dot, &a, &bar), EXACT_TOLERANCE);
    let shifted: Vec<f64> =
        bench.adjoint(&point, &z_bar, 1.0).iter().map(|entry| entry - 1.0).collect();
    let error = distance(&bar, &shifted);
    checks.push("adjoints are added, not overwritten", error, EXACT_TOLERANCE);
    let error = distance(&bar, &bench.adjoint_each(&point, &z_bar));
    checks.push("adjoint, sum of adjoint_each", error, EXACT_TOLERANCE);

    // Along (a, z̄˙): the adjoint moves with the point and with z̄.
    let product = bench.adjoint_tangent(&point, &z_bar, &a, &z_bar_dot);
    let joined: Vec<f64> = point.iter().chain(&z_bar).copied().collect();
    let along: Vec<f64> = a.iter().chain(&z_bar_dot).copied().collect();
    let differences = difference_along(&joined, &along, bench.point, |moved, out| {
        let (point, z_bar) = moved.split_at(bench.point);
        out.copy_from_slice(&bench.adjoint(point, z_bar, 0.0));
    });
    let error = distance(&product, &differences);
    checks.push("adjoint tangent, differences of adjoint", error, DIFFERENCE_TOLERANCE);

    // ∂²⟨z̄, f⟩ is a symmetric matrix.
    let along_a = bench.adjoint_tangent(&point, &z_bar, &a, &still);
    let along_b = bench.adjoint_tangent(&point, &z_bar, &b, &still);
    let error = asymmetry(&b, &along_a, &a, &along_b);
    checks.push("second derivatives are symmetric", error, EXACT_TOLERANCE);
    let dense = bench.dense(&point, &z_bar, &a);
    let error = distance(&along_a, &dense);
    checks.push("second derivatives, dense matrix", error, EXACT_TOLERANCE);

    let error = distance(&bar[bench.theta()], &bench.adjoint_without_inputs(&point, &z_bar));
    checks.push("adjoint without active inputs", error, EXACT_TOLERANCE);
    Ok(checks)
}

/// A node alone with its inputs: a point is (x, θ), all inputs of a tile after one another, then the parameters.
struct Bench<'a> {
    op: &'a dyn Op,
    shapes: Vec<Shape>,
    nodes: Vec<usize>,
    layout: Layout,
    /// The same with inputs that do not depend on θ.
    passive: Layout,
    blocks: Vec<Range<usize>>,
    /// Entries of x.
    inputs: usize,
    /// Entries of x and θ.
    point: usize,
    /// Entries of z.
    outputs: usize,
}

impl<'a> Bench<'a> {
    fn new(op: &'a dyn Op, inputs: &[Shape]) -> Result<Self, ShapeError> {
        if let Some(empty) = inputs.iter().find(|shape| shape.is_empty()) {
            return Err(ShapeError::Empty(empty.clone()));
        }
        let total = |entries: &mut dyn Iterator<Item = usize>| {
            let entries = entries.fold(0, usize::saturating_add);
            let large = entries > MAX_ENTRIES;
            let error = ShapeError::TooLarge { entries, limit: MAX_ENTRIES };
            if large { Err(error) } else { Ok(()) }
        };
        total(&mut inputs.iter().map(Shape::len))?;
        let output = op.output_shape(inputs)?;
        total(&mut [output.len()].into_iter())?;
        total(&mut op.params(inputs).iter().map(crate::params::ParamSpec::len))?;
        let mut layout = Layout::default();
        for (index, shape) in inputs.iter().enumerate() {
            let (rows, start) = (shape.len(), layout.value_rows);
            let active = (op.domain(index) == Domain::Numbers).then_some(start);
            layout.places.push(Place { rows, value: Region::Arena(start), active });
            layout.value_rows += rows;
        }
        let mut passive = layout.clone();
        passive.places.iter_mut().for_each(|place| place.active = None);
        let mut dim = 0;
        let block = |spec: &crate::params::ParamSpec| {
            dim += spec.len();
            dim - spec.len()..dim
        };
        let blocks = op.params(inputs).iter().map(block).collect();
        let entries = layout.value_rows * BATCH;
        Ok(Self {
            op,
            shapes: inputs.to_vec(),
            nodes: (0..inputs.len()).collect(),
            layout,
            passive,
            blocks,
            inputs: entries,
            point: entries + dim,
            outputs: output.len() * BATCH,
        })
    }

    /// Inputs that hold codes, and where these lie in a point.
    fn codes(&self) -> impl Iterator<Item = (Domain, Range<usize>)> {
        let places = self.layout.places.iter().enumerate();
        places.filter(|(_, place)| place.active.is_none()).map(|(index, place)| {
            let Region::Arena(start) = place.value else { return (Domain::Numbers, 0..0) };
            (self.op.domain(index), start * BATCH..(start + place.rows) * BATCH)
        })
    }

    /// Random codes in their places.
    fn draw_codes(&self, random: &mut Random, point: &mut [f64]) {
        for (domain, range) in self.codes() {
            let Domain::Codes { count } = domain else { continue };
            point[range].iter_mut().for_each(|x| *x = random.below(count) as f64);
        }
    }

    /// `value` in the places of codes: they do not move, and nobody asks for their adjoint.
    fn hold_codes(&self, point: &mut [f64], value: f64) {
        self.codes().for_each(|(_, range)| point[range].fill(value));
    }

    /// Where θ lies in a point.
    fn theta(&self) -> Range<usize> {
        self.inputs..self.point
    }

    fn at<'t>(&'t self, point: &'t [f64]) -> At<'t> {
        let (x, theta) = point.split_at(self.inputs);
        let x =
            Inputs::new(&self.nodes, &self.shapes, &self.layout, TileData::Dense(&[]), x, BATCH);
        // Not from 0, so that a node that takes a column for a sample is found out.
        let samples = Samples::Run { first: 1, len: BATCH };
        let training = Some(Training { draw: 0, node: 0, samples });
        At { batch: BATCH, x, theta: Params::new(&self.blocks, theta), training }
    }

    fn dot<'t>(&'t self, direction: &'t [f64]) -> Dot<'t> {
        let (x, theta) = direction.split_at(self.inputs);
        let x = Tangents::new(&self.nodes, &self.layout, x, BATCH);
        Dot { x, theta: Params::new(&self.blocks, theta) }
    }

    fn value(&self, point: &[f64]) -> Vec<f64> {
        // An entry that the node forgets stays NaN.
        let mut z = vec![f64::NAN; self.outputs];
        self.op.value(self.at(point), &mut z);
        z
    }

    fn tangent(&self, point: &[f64], z: &[f64], direction: &[f64]) -> Vec<f64> {
        let mut z_dot = vec![f64::NAN; self.outputs];
        self.op.tangent(self.at(point), z, self.dot(direction), &mut z_dot);
        z_dot
    }

    /// (x̄, θ̄), added to `initial` everywhere.
    fn adjoint(&self, point: &[f64], z_bar: &[f64], initial: f64) -> Vec<f64> {
        let mut bar = vec![initial; self.point];
        // With initial = 0 the inputs' adjoints are written for the first time, over stale contents.
        let fresh = vec![initial == 0.0; self.nodes.len()];
        let (x, theta) = bar.split_at_mut(self.inputs);
        if initial == 0.0 {
            x.fill(f64::NAN);
        }
        let x = Adjoints::new(&self.nodes, &self.layout, x, BATCH, &fresh);
        let mut target = Bar { x, theta: ParamAdjoints::new(&self.blocks, theta) };
        self.op.adjoint(self.at(point), &self.value(point), z_bar, &mut target);
        target.x.zero_untouched();
        self.hold_codes(&mut bar, initial);
        bar
    }

    fn adjoint_each(&self, point: &[f64], z_bar: &[f64]) -> Vec<f64> {
        let mut bar = vec![f64::NAN; self.point];
        let fresh = vec![true; self.nodes.len()];
        let (x, theta) = bar.split_at_mut(self.inputs);
        let dim = theta.len();
        let mut columns = vec![0.0; dim * BATCH];
        let mut x = Adjoints::new(&self.nodes, &self.layout, x, BATCH, &fresh);
        let mut each = EachParam { blocks: &self.blocks, dim, columns: &mut columns };
        let z = self.value(point);
        self.op.adjoint_each(self.at(point), &z, z_bar, &mut x, &mut each);
        x.zero_untouched();
        for (index, sum) in theta.iter_mut().enumerate() {
            *sum = (0..BATCH).map(|sample| columns[sample * dim + index]).sum();
        }
        self.hold_codes(&mut bar, 0.0);
        bar
    }

    /// (x̄˙, θ̄˙) along `direction` and z̄˙.
    fn adjoint_tangent(
        &self,
        point: &[f64],
        z_bar: &[f64],
        direction: &[f64],
        z_bar_dot: &[f64],
    ) -> Vec<f64> {
        let z = self.value(point);
        let z_dot = self.tangent(point, &z, direction);
        let mut bar = vec![0.0; self.point];
        let fresh = vec![true; self.nodes.len()];
        let (x, theta) = bar.split_at_mut(self.inputs);
        x.fill(f64::NAN);
        let x = Adjoints::new(&self.nodes, &self.layout, x, BATCH, &fresh);
        let mut target = Bar { x, theta: ParamAdjoints::new(&self.blocks, theta) };
        let (at, dot) = (self.at(point), self.dot(direction));
        self.op.adjoint_tangent(at, &z, z_bar, dot, &z_dot, z_bar_dot, &mut target);
        target.x.zero_untouched();
        self.hold_codes(&mut bar, 0.0);
        bar
    }

    /// The matrix ∂²⟨z̄, f⟩, column by column, times `direction`.
    fn dense(&self, point: &[f64], z_bar: &[f64], direction: &[f64]) -> Vec<f64> {
        let still = vec![0.0; self.outputs];
        let mut product = vec![0.0; self.point];
        let mut unit = vec![0.0; self.point];
        for (index, weight) in direction.iter().enumerate() {
            unit[index] = 1.0;
            let column = self.adjoint_tangent(point, z_bar, &unit, &still);
            unit[index] = 0.0;
            product.iter_mut().zip(column).for_each(|(sum, entry)| *sum += weight * entry);
        }
        product
    }

    /// θ̄ when no input depends on θ.
    fn adjoint_without_inputs(&self, point: &[f64], z_bar: &[f64]) -> Vec<f64> {
        let mut theta = vec![0.0; self.point - self.inputs];
        let fresh = vec![true; self.nodes.len()];
        let x = Adjoints::new(&self.nodes, &self.passive, &mut [], BATCH, &fresh);
        let mut target = Bar { x, theta: ParamAdjoints::new(&self.blocks, &mut theta) };
        self.op.adjoint(self.at(point), &self.value(point), z_bar, &mut target);
        theta
    }
}
