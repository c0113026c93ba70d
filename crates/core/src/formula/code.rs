//! Values → steps on registers. What is the same for all samples is evaluated once a call, the rest on blocks of samples.

use super::machine::{Action, After, After3, Step, interleave, run};
use super::operations::{Binary, Unary};
use super::values::{Id, Leaf, Operation, Values};
use std::collections::{HashMap, HashSet};

/// Most lanes of a block.
const LANES: usize = 256;
/// Fewest.
const FEWEST_LANES: usize = 64;
/// Entries of all registers of lanes that a block should stay below: half of a first-level cache.
const REGISTER_ENTRIES: usize = 3072;
/// Blocks are rounded up to a multiple of it.
const ROUNDED: usize = 16;

/// Results of a call from which on they are further away than the second-level cache, whose lines are then asked for ahead.
const FAR: usize = 1 << 15;
/// Numbers of a cache line.
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
        self.uniform_registers + self.lane_registers * self.stride
    }

    pub(super) fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// Evaluates what is the same for all samples of a call of `batch`, with the parameters (and their tangents) that `argument` gives.
    pub(super) fn start(&self, scratch: &mut [f64], batch: usize, argument: impl Fn(Leaf) -> f64) {
        let (uniform, lanes) = scratch.split_at_mut(self.uniform_registers);
        for &(register, value) in &self.constants {
            uniform[register as usize] = value;
        }
        for &(register, leaf) in &self.arguments {
            uniform[register as usize] = argument(leaf);
        }
        if !self.uniform.is_empty() {
            run(&self.uniform, uniform, 1, 1);
        }
        let width = self.width(batch);
        for &(from, to) in &self.spread {
            let start = to as usize * self.stride;
            lanes[start..start + width].fill(uniform[from as usize]);
        }
    }

    /// Evaluates `batch` samples, a block at a time: `take` gets the scratch with its results, its first sample and their number.
    pub(super) fn each_block(
        &self,
        scratch: &mut [f64],
        batch: usize,
        on: Arguments<'_>,
        mut take: impl FnMut(&[f64], usize, usize),
    ) {
        for (first, count) in self.blocks(batch) {
            self.run(scratch, first, count, on);
            take(scratch, first, count);
        }
    }

    /// First sample and number of every block.
    fn blocks(&self, batch: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let block = self.stride;
        (0..batch).step_by(block).map(move |first| (first, block.min(batch - first)))
    }

    /// The results of `batch` samples, which are all in lanes: those of each of `parts` one sample after the other.
    pub(super) fn write<const PARTS: usize>(
        &self,
        scratch: &mut [f64],
        batch: usize,
        on: Arguments<'_>,
        mut parts: [(&[Output], &mut [f64]); PARTS],
    ) {
        let is_far = parts.iter().map(|(_, target)| target.len()).sum::<usize>() > FAR;
        for (first, count) in self.blocks(batch) {
            let place = |rows: usize| first * rows..(first + count) * rows;
            if is_far {
                // The lines are on their way while the block is evaluated: a write does not wait for what it writes to.
                for (results, target) in &mut parts {
                    let lines = target[place(results.len())].iter_mut().step_by(LINE);
                    lines.for_each(|entry| *entry = 0.0);
                }
            }
            self.run(scratch, first, count, on);
            for (results, target) in &mut parts {
                self.interleave(scratch, results, count, &mut target[place(results.len())]);
            }
        }
    }

    /// Evaluates samples `first..first + count`, at most a block of them.
    pub(super) fn run(&self, scratch: &mut [f64], first: usize, count: usize, on: Arguments<'_>) {
        let lanes = &mut scratch[self.uniform_registers..];
        let width = self.width(count);
        for &(register, leaf) in &self.loads {
            let (source, rows, row) = match leaf {
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
        run(&self.lanes, lanes, self.stride, width);
    }

    /// A result that is the same for all samples.
    pub(super) fn uniform(&self, scratch: &[f64], register: u32) -> f64 {
        let _ = self;
        scratch[register as usize]
    }

    /// The first `count` lanes of a register.
    pub(super) fn lanes<'a>(&self, scratch: &'a [f64], register: u32, count: usize) -> &'a [f64] {
        let start = self.uniform_registers + register as usize * self.stride;
        &scratch[start..start + count]
    }

    /// `target` (as many rows as `results`, `count` columns) ← results that are all in lanes.
    pub(super) fn interleave(
        &self,
        scratch: &[f64],
        results: &[Output],
        count: usize,
        target: &mut [f64],
    ) {
        const FEW: usize = 16;
        let lanes = |result: &Output| match *result {
            Output::Lanes(register) => self.lanes(scratch, register, count),
            Output::Zero | Output::Uniform(_) => &[],
        };
        // Without a list on the heap where there are few.
        if results.len() <= FEW {
            let mut sources = [&[][..]; FEW];
            sources.iter_mut().zip(results).for_each(|(to, result)| *to = lanes(result));
            interleave(&sources[..results.len()], target);
        } else {
            let rows = results.len();
            for (row, result) in results.iter().enumerate() {
                let entries = target[row..].iter_mut().step_by(rows);
                entries.zip(lanes(result)).for_each(|(entry, lane)| *entry = *lane);
            }
        }
    }

    /// `target` ← every `n`th of the results from the `j`th on, which are all in lanes, a sample after the other.
    pub(super) fn gather(
        &self,
        scratch: &[f64],
        results: &[Output],
        (j, n): (usize, usize),
        count: usize,
        target: &mut [f64],
    ) {
        let outputs = results.len() / n;
        for (k, result) in results.iter().skip(j).step_by(n).enumerate() {
            let Output::Lanes(register) = *result else { continue };
            let lanes = self.lanes(scratch, register, count);
            if outputs == 1 {
                target.copy_from_slice(lanes);
            } else {
                let entries = target[k..].iter_mut().step_by(outputs);
                entries.zip(lanes).for_each(|(entry, lane)| *entry = *lane);
            }
        }
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
    single: HashMap<Id, u32>,
    /// Registers of lanes.
    lane: HashMap<Id, u32>,
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
        };
        Self { values, needed, single: HashMap::new(), lane: HashMap::new(), code }
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
        let mut uses: HashMap<Id, usize> = HashMap::new();
        for operand in plan.iter().flat_map(|(_, action)| action.operands()) {
            *uses.entry(operand).or_default() += 1;
            self.spread(operand);
        }
        // Never free: outputs, and what the next block or call finds in its place.
        let pinned: HashSet<Id> =
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

    /// The steps to the values that vary, in order, with values in place of registers. A product that one step alone asks for is a part of it.
    fn plan(&self, varying: &[Id], outputs: &[Option<Id>]) -> Vec<(Id, Action)> {
        let mut uses: HashMap<Id, usize> = HashMap::new();
        let operands = varying.iter().flat_map(|id| self.values.operands(*id));
        for id in operands.chain(outputs.iter().flatten().copied().flat_map(|id| [id; 2])) {
            *uses.entry(id).or_default() += 1;
        }
        let mut absorbed = HashSet::new();
        let mut plan = Vec::new();
        for &id in varying.iter().rev() {
            let operation = self.values.operation(id);
            if matches!(operation, Operation::Leaf(_)) || absorbed.contains(&id) {
                continue;
            }
            let product = |id: Id| match self.values.operation(id) {
                Operation::Binary(Binary::Multiply, a, b) if self.values.varies(id) => {
                    (uses[&id] == 1).then_some((a, b))
                }
                _ => None,
            };
            let (part, action) = with_product(operation, product).unzip();
            absorbed.extend(part);
            plan.push((id, action.unwrap_or_else(|| self::action(operation))));
        }
        plan.reverse();
        plan
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
        while self.code.stride > FEWEST_LANES
            && self.code.stride * self.code.lane_registers > REGISTER_ENTRIES
        {
            self.code.stride /= 2;
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

/// An operation together with one of its operands, where that is a product as `product` finds it.
fn with_product(
    operation: Operation,
    product: impl Fn(Id) -> Option<(Id, Id)>,
) -> Option<(Id, Action)> {
    let alone = |after: After, id: Id| product(id).map(|(a, b)| (id, Action::Product(after, a, b)));
    let beside = |after: After3, id: Id, c: Id| {
        product(id).map(|(a, b)| (id, Action::Product3(after, a, b, c)))
    };
    match operation {
        Operation::Unary(Unary::Negate, a) => alone(After::Negate, a),
        Operation::Unary(Unary::Exp, a) => alone(After::Exp, a),
        Operation::Binary(Binary::Add, a, b) => {
            beside(After3::Add, a, b).or_else(|| beside(After3::Add, b, a))
        }
        Operation::Binary(Binary::Subtract, a, b) => {
            beside(After3::Subtract, a, b).or_else(|| beside(After3::SubtractFrom, b, a))
        }
        Operation::Binary(Binary::Multiply, a, b) => {
            beside(After3::Multiply, a, b).or_else(|| beside(After3::Multiply, b, a))
        }
        Operation::Binary(Binary::Divide, a, b) => beside(After3::Divide, a, b),
        _ => None,
    }
}
