//! Values → steps on registers. What is the same for all samples is evaluated once a call, the rest on blocks of samples.

use super::machine::{Action, After, After3, Elsewhere, NOWHERE, Step, interleave, run};
use super::operations::{Binary, Unary};
use super::values::{Id, Leaf, Operation, Values};
use crate::elementwise;
use rustc_hash::{FxHashMap, FxHashSet};

/// Most lanes of a block.
const LANES: usize = 256;
/// Fewest.
const FEWEST_LANES: usize = 64;
/// Entries of all registers of lanes that a block should stay below: half of a first-level cache.
const REGISTER_ENTRIES: usize = 3072;
/// Blocks are rounded up to a multiple of it.
const ROUNDED: usize = 16;
/// Numbers of a cache line: registers of lanes begin with one, since the widest vectors across two take twice as long.
const LINE: usize = 8;

/// Where a result lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Output {
    /// Zero, whatever the arguments.
    Zero,
    /// The same for all samples.
    Uniform(u32),
    /// A register of lanes.
    Lanes(u32),
}

/// A program.
#[derive(Clone, Debug)]
pub(super) struct Code {
    /// Registers of one entry: numbers, parameters and their tangents, and what is made of them.
    constants: Vec<(u32, f64)>,
    arguments: Vec<(u32, Leaf)>,
    uniform: Vec<Step>,
    uniform_registers: usize,
    /// From a register of one entry to all lanes of another.
    spread: Vec<(u32, u32)>,
    loads: Vec<(u32, Leaf)>,
    lanes: Vec<Step>,
    lane_registers: usize,
    stride: usize,
    outputs: Vec<Output>,
    /// The same of a program with all of them in lanes.
    results: Vec<u32>,
    /// The register of the one feature that is loaded, and that of the first result, where their lanes can lie where the numbers are.
    input: u32,
    output: u32,
}

/// What a program is run on: d × B, c × B.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arguments<'a> {
    pub(super) x: &'a [f64],
    pub(super) x_dot: Option<&'a [f64]>,
    pub(super) z_bar: &'a [f64],
    pub(super) z_bar_dot: &'a [f64],
    pub(super) features: usize,
    pub(super) outputs: usize,
}

impl Code {
    pub(super) fn new(values: &Values, outputs: &[Option<Id>]) -> Self {
        let mut builder = Builder::new(values, outputs);
        builder.place_uniform();
        builder.place_lanes(outputs);
        builder.finish(outputs)
    }

    /// The same with all results in registers of lanes, for [`Self::interleave`].
    pub(super) fn in_lanes(values: &Values, outputs: &[Id]) -> Self {
        let outputs: Vec<Option<Id>> = outputs.iter().copied().map(Some).collect();
        let mut builder = Builder::new(values, &outputs);
        builder.place_uniform();
        builder.place_lanes(&outputs);
        for id in outputs.iter().flatten() {
            builder.spread(*id);
        }
        builder.finish(&outputs)
    }

    /// Entries of scratch that a run needs.
    pub(super) fn scratch(&self) -> usize {
        self.uniform_registers + LINE + self.lane_registers * self.stride
    }

    pub(super) fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// Evaluates what is the same for all samples of a call of `batch`, with the parameters (and their tangents) that `argument` gives.
    pub(super) fn start(&self, scratch: &mut [f64], batch: usize, argument: impl Fn(Leaf) -> f64) {
        let (uniform, lanes) = scratch.split_at_mut(self.first_lane(scratch));
        for &(register, value) in &self.constants {
            uniform[register as usize] = value;
        }
        for &(register, leaf) in &self.arguments {
            uniform[register as usize] = argument(leaf);
        }
        let width = self.width(batch);
        elementwise::vectorize(
            #[inline(always)]
            || {
                run(&self.uniform, uniform, (1, 1), Elsewhere::default());
                for &(from, to) in &self.spread {
                    let start = to as usize * self.stride;
                    lanes[start..start + width].fill(uniform[from as usize]);
                }
            },
        );
    }

    /// Where in the scratch the first register of lanes is: at the beginning of a cache line.
    fn first_lane(&self, scratch: &[f64]) -> usize {
        let place = scratch.as_ptr().addr() / size_of::<f64>() + self.uniform_registers;
        self.uniform_registers + place.next_multiple_of(LINE) - place
    }

    /// Evaluates `batch` samples, a block at a time. The values of a program with all results in lanes are written, one sample after the
    /// other; `take` gets the scratch with the other results, the block's first sample and their number.
    pub(super) fn each_block(
        &self,
        scratch: &mut [f64],
        batch: usize,
        on: Arguments<'_>,
        (of_values, values): (&[u32], &mut [f64]),
        take: &mut dyn FnMut(&[f64], usize, usize),
    ) {
        let first_lane = self.first_lane(scratch);
        let rows = of_values.len();
        let input = if on.features == 1 { self.input } else { NOWHERE };
        let output = if rows == 1 { self.output } else { NOWHERE };
        elementwise::vectorize(
            #[inline(always)]
            || {
                for first in (0..batch).step_by(self.stride) {
                    let count = self.stride.min(batch - first);
                    let values = &mut values[first * rows..(first + count) * rows];
                    let mut elsewhere = Elsewhere::default();
                    // Lanes behind the last sample have no place there.
                    if count == self.width(count) {
                        if input != NOWHERE {
                            elsewhere.input = (input, &on.x[first..first + count]);
                        }
                        if output != NOWHERE {
                            elsewhere.output = (output, &mut *values);
                        }
                    }
                    let is_written = elsewhere.output.0 != NOWHERE;
                    self.block(&mut scratch[first_lane..], first, count, on, elsewhere);
                    if !is_written {
                        self.interleave(scratch, of_values, values);
                    }
                    take(scratch, first, count);
                }
            },
        );
    }

    /// The same with the other results written one sample after the other too.
    pub(super) fn rows(
        &self,
        scratch: &mut [f64],
        batch: usize,
        on: Arguments<'_>,
        values: (&[u32], &mut [f64]),
        (of_rows, rows): (&[u32], &mut [f64]),
    ) {
        let n = of_rows.len();
        self.each_block(scratch, batch, on, values, &mut |scratch, first, count| {
            self.interleave(scratch, of_rows, &mut rows[first * n..(first + count) * n]);
        });
    }

    /// Evaluates samples `first..first + count`, at most a block of them.
    #[inline(always)]
    fn block(
        &self,
        lanes: &mut [f64],
        first: usize,
        count: usize,
        on: Arguments<'_>,
        elsewhere: Elsewhere<'_>,
    ) {
        let width = self.width(count);
        for &(register, leaf) in &self.loads {
            let (source, rows, row) = match leaf {
                _ if register == elsewhere.input.0 => continue,
                Leaf::Feature(i) => (on.x, on.features, i),
                Leaf::FeatureDot(i) => (on.x_dot.unwrap_or_default(), on.features, i),
                Leaf::OutputBar(k) => (on.z_bar, on.outputs, k),
                Leaf::OutputBarDot(k) => (on.z_bar_dot, on.outputs, k),
                Leaf::Constant(_) | Leaf::Parameter(_) | Leaf::ParameterDot(_) => continue,
            };
            let start = register as usize * self.stride;
            let lane = &mut lanes[start..start + width];
            let source = &source[first * rows..(first + count) * rows];
            if rows == 1 {
                lane[..count].copy_from_slice(source);
            } else {
                let entries = source[row as usize..].iter().step_by(rows);
                lane[..count].iter_mut().zip(entries).for_each(|(lane, x)| *lane = *x);
            }
            // Lanes behind the end repeat the last sample: no other value could be slower or raise a trap.
            let last = lane[count - 1];
            lane[count..].fill(last);
        }
        run(&self.lanes, lanes, (self.stride, width), elsewhere);
    }

    /// A result that is the same for all samples.
    pub(super) fn uniform(&self, scratch: &[f64], register: u32) -> f64 {
        let _ = self;
        scratch[register as usize]
    }

    /// The first `count` lanes of a register.
    pub(super) fn lanes<'a>(&self, scratch: &'a [f64], register: u32, count: usize) -> &'a [f64] {
        let start = self.first_lane(scratch) + register as usize * self.stride;
        &scratch[start..start + count]
    }

    /// `target` (as many rows as `results`, at most a block of columns) ← registers of lanes.
    pub(super) fn interleave(&self, scratch: &[f64], results: &[u32], target: &mut [f64]) {
        interleave(&scratch[self.first_lane(scratch)..], self.stride, results, target);
    }

    /// `target` ← every `n`th of the results from the `j`th on, a sample after the other.
    pub(super) fn gather(
        &self,
        scratch: &[f64],
        results: &[u32],
        (j, n): (usize, usize),
        target: &mut [f64],
    ) {
        let outputs = results.len() / n;
        for (k, register) in results.iter().skip(j).step_by(n).enumerate() {
            let lanes = self.lanes(scratch, *register, target.len() / outputs);
            if outputs == 1 {
                target.copy_from_slice(lanes);
            } else {
                let entries = target[k..].iter_mut().step_by(outputs);
                entries.zip(lanes).for_each(|(entry, lane)| *entry = *lane);
            }
        }
    }

    /// The registers of all results, where all are in lanes.
    pub(super) fn results(&self) -> &[u32] {
        &self.results
    }

    /// Steps on lanes, by their action.
    pub(super) fn steps(&self) -> &[Step] {
        &self.lanes
    }

    fn width(&self, count: usize) -> usize {
        count.next_multiple_of(ROUNDED).min(self.stride)
    }
}

struct Builder<'a> {
    values: &'a Values,
    needed: Vec<bool>,
    /// Registers of one entry.
    single: FxHashMap<Id, u32>,
    /// Registers of lanes.
    lane: FxHashMap<Id, u32>,
    code: Code,
}

impl<'a> Builder<'a> {
    fn new(values: &'a Values, outputs: &[Option<Id>]) -> Self {
        let needed = values.needed(outputs.iter().flatten().copied());
        let code = Code {
            constants: Vec::new(),
            arguments: Vec::new(),
            uniform: Vec::new(),
            uniform_registers: 0,
            spread: Vec::new(),
            loads: Vec::new(),
            lanes: Vec::new(),
            lane_registers: 0,
            stride: LANES,
            outputs: Vec::new(),
            results: Vec::new(),
            input: NOWHERE,
            output: NOWHERE,
        };
        Self { values, needed, single: FxHashMap::default(), lane: FxHashMap::default(), code }
    }

    fn ids(&self, varies: bool) -> Vec<Id> {
        let all = (0..self.needed.len()).filter(|id| self.needed[*id]).map(index);
        all.filter(|id| self.values.varies(*id) == varies).collect()
    }

    /// One register for each.
    fn place_uniform(&mut self) {
        for id in self.ids(false) {
            let register = index(self.single.len());
            match self.values.operation(id) {
                Operation::Leaf(Leaf::Constant(bits)) => {
                    self.code.constants.push((register, f64::from_bits(bits)));
                }
                Operation::Leaf(leaf) => self.code.arguments.push((register, leaf)),
                operation => {
                    let action = action(operation).on(|id| self.single[&id]);
                    self.code.uniform.push(Step { action, out: register });
                }
            }
            self.single.insert(id, register);
        }
        self.code.uniform_registers = self.single.len();
    }

    /// A register is free again after its last use; what is loaded or spread keeps its own.
    fn place_lanes(&mut self, outputs: &[Option<Id>]) {
        let varying = self.ids(true);
        for &id in &varying {
            if let Operation::Leaf(leaf) = self.values.operation(id) {
                let register = self.fresh();
                self.lane.insert(id, register);
                self.code.loads.push((register, leaf));
            }
        }
        let plan = self.plan(&varying, outputs);
        let mut uses: FxHashMap<Id, usize> = FxHashMap::default();
        for operand in plan.iter().flat_map(|(_, action)| action.operands()) {
            *uses.entry(operand).or_default() += 1;
            self.spread(operand);
        }
        // Never free: outputs, and what the next block or call finds in its place.
        let pinned: FxHashSet<Id> =
            outputs.iter().flatten().chain(self.lane.keys()).copied().collect();
        let mut free: Vec<u32> = Vec::new();
        for (id, planned) in plan {
            let out = free.pop().unwrap_or_else(|| self.fresh());
            let action = planned.on(|id| self.lane[&id]);
            self.code.lanes.push(Step { action, out });
            self.lane.insert(id, out);
            for operand in planned.operands() {
                let Some(left) = uses.get_mut(&operand) else { continue };
                *left -= 1;
                if *left == 0 && !pinned.contains(&operand) {
                    free.push(self.lane[&operand]);
                }
            }
        }
    }

    /// The steps to the values that vary, in order, with values in place of registers. A product of which all that ask for it can make
    /// a part is no step: to multiply twice costs less than a pass over registers.
    fn plan(&self, varying: &[Id], outputs: &[Option<Id>]) -> Vec<(Id, Action)> {
        let is_product = |id: &Id| {
            matches!(self.values.operation(*id), Operation::Binary(Binary::Multiply, ..))
                && !outputs.contains(&Some(*id))
        };
        let mut parts: FxHashSet<Id> = varying.iter().copied().filter(is_product).collect();
        loop {
            let (plan, asked) = self.plan_with(varying, outputs, &parts);
            let before = parts.len();
            parts.retain(|product| !asked.contains(product));
            if parts.len() == before {
                return plan;
            }
        }
    }

    /// The same where the products in `parts` may be parts; and all values that are outputs or that a step reads.
    fn plan_with(
        &self,
        varying: &[Id],
        outputs: &[Option<Id>],
        parts: &FxHashSet<Id>,
    ) -> (Vec<(Id, Action)>, FxHashSet<Id>) {
        let product = |id: Id| match self.values.operation(id) {
            Operation::Binary(Binary::Multiply, a, b) if parts.contains(&id) => Some((a, b)),
            _ => None,
        };
        let mut asked: FxHashSet<Id> = outputs.iter().flatten().copied().collect();
        let mut plan = Vec::new();
        for &id in varying.iter().rev() {
            let operation = self.values.operation(id);
            if matches!(operation, Operation::Leaf(_)) || !asked.contains(&id) {
                continue;
            }
            let action = with_product(operation, product).unwrap_or_else(|| action(operation));
            asked.extend(action.operands());
            plan.push((id, action));
        }
        plan.reverse();
        (plan, asked)
    }

    /// Gives a value that is the same for all samples a register of lanes.
    fn spread(&mut self, id: Id) {
        if !self.values.varies(id) && !self.lane.contains_key(&id) {
            let register = self.fresh();
            self.lane.insert(id, register);
            self.code.spread.push((self.single[&id], register));
        }
    }

    fn fresh(&mut self) -> u32 {
        self.code.lane_registers += 1;
        index(self.code.lane_registers - 1)
    }

    fn finish(mut self, outputs: &[Option<Id>]) -> Code {
        let place = |output: &Option<Id>| match output {
            None => Output::Zero,
            Some(id) => match self.lane.get(id) {
                Some(register) => Output::Lanes(*register),
                None => Output::Uniform(self.single[id]),
            },
        };
        self.code.outputs = outputs.iter().map(place).collect();
        let register = |output: &Output| match *output {
            Output::Lanes(register) => Some(register),
            Output::Zero | Output::Uniform(_) => None,
        };
        while self.code.stride > FEWEST_LANES
            && self.code.stride * self.code.lane_registers > REGISTER_ENTRIES
        {
            self.code.stride /= 2;
        }
        self.code.results = self.code.outputs.iter().map_while(register).collect();
        // A register that is written out from the scratch as well has to be there.
        let written = |register| self.code.results.iter().filter(|one| **one == register).count();
        if let [(register, Leaf::Feature(0))] = self.code.loads[..]
            && !self.code.outputs.contains(&Output::Lanes(register))
        {
            self.code.input = register;
        }
        if let Some(&register) = self.code.results.first()
            && written(register) == 1
            && self.code.lanes.iter().any(|step| step.out == register)
        {
            self.code.output = register;
        }
        self.code
    }
}

fn index(i: usize) -> u32 {
    u32::try_from(i).unwrap_or(u32::MAX)
}

/// On values in place of registers.
fn action(operation: Operation) -> Action {
    match operation {
        Operation::Unary(function, a) => Action::Unary(function, a),
        Operation::Binary(function, a, b) => Action::Binary(function, a, b),
        Operation::Select(c, a, b) => Action::Select(c, a, b),
        // Leaves are loaded: they have no step.
        Operation::Leaf(_) => Action::Select(0, 0, 0),
    }
}

/// An operation together with one of its operands (of a negated product with one of its factors), where that is a product as `product` finds it.
fn with_product(operation: Operation, product: impl Fn(Id) -> Option<(Id, Id)>) -> Option<Action> {
    let beside =
        |after: After3, id: Id, c: Id| product(id).map(|(a, b)| Action::Product3(after, a, b, c));
    let either = |after: After3, a: Id, b: Id| beside(after, a, b).or_else(|| beside(after, b, a));
    match operation {
        Operation::Unary(Unary::Negate, id) => product(id).map(|(a, b)| {
            let of_three = either(After3::NegateMultiply, a, b);
            of_three.unwrap_or(Action::Product(After::Negate, a, b))
        }),
        Operation::Unary(Unary::Exp, id) => {
            product(id).map(|(a, b)| Action::Product(After::Exp, a, b))
        }
        Operation::Binary(Binary::Add, a, b) => either(After3::Add, a, b),
        Operation::Binary(Binary::Subtract, a, b) => {
            beside(After3::Subtract, a, b).or_else(|| beside(After3::SubtractFrom, b, a))
        }
        Operation::Binary(Binary::Multiply, a, b) => either(After3::Multiply, a, b),
        Operation::Binary(Binary::Divide, a, b) => beside(After3::Divide, a, b),
        _ => None,
    }
}
