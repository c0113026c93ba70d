//! The programs of a formula: its values, derivatives by row, and the methods of a node. Each is made when it is first asked for.

use super::code::Code;
use super::derivative::{adjoints, tangents};
use super::lower::lower;
use super::machine::{Action, After};
use super::operations::{Binary, Unary};
use super::syntax::Tree;
use super::values::{Id, Leaf, Values};
use std::sync::OnceLock;

/// Flops that a function on lanes counts for, and one without lanes.
const FUNCTION_FLOPS: usize = 8;
const SCALAR_FUNCTION_FLOPS: usize = 50;

/// All programs; those with an index are made for inputs that do not depend on θ (0) and that do (1).
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) values: Values,
    pub(super) outputs: Vec<Id>,
    features: usize,
    parameters: usize,
    value: OnceLock<Code>,
    rows: OnceLock<Code>,
    tangent: [OnceLock<Code>; 2],
    adjoint: [OnceLock<Code>; 2],
    adjoint_tangent: [OnceLock<Code>; 2],
}

impl Programs {
    pub(super) fn new(tree: &Tree) -> Self {
        let (values, outputs) = lower(tree);
        Self {
            values,
            outputs,
            features: tree.features.len(),
            parameters: tree.parameters.len(),
            value: OnceLock::new(),
            rows: OnceLock::new(),
            tangent: Default::default(),
            adjoint: Default::default(),
            adjoint_tangent: Default::default(),
        }
    }

    /// z: c results.
    pub(super) fn value(&self) -> &Code {
        self.value.get_or_init(|| Code::in_lanes(&self.values, &self.outputs))
    }

    /// z, and then the gradient of one output after another: c + c·n results.
    pub(super) fn rows(&self) -> &Code {
        self.rows.get_or_init(|| {
            let mut values = self.values.clone();
            let mut results = self.outputs.clone();
            let (zero, one) = (values.constant(0.0), values.constant(1.0));
            for &output in &self.outputs {
                let wanted = |leaf| matches!(leaf, Leaf::Parameter(_));
                let row = adjoints(&mut values, &[(output, one)], wanted);
                let entry = |j: usize| row.get(&Leaf::Parameter(index(j))).copied();
                results.extend((0..self.parameters).map(|j| entry(j).unwrap_or(zero)));
            }
            Code::in_lanes(&values, &results)
        })
    }

    /// Parameters whose derivatives are zero for all numbers, such as that of 0·b: nothing depends on them.
    pub(super) fn idle(&self) -> Vec<bool> {
        let mut values = self.values.clone();
        let one = values.constant(1.0);
        let wanted = |leaf| matches!(leaf, Leaf::Parameter(_));
        let rows: Vec<_> = self
            .outputs
            .iter()
            .map(|&output| adjoints(&mut values, &[(output, one)], wanted))
            .collect();
        let zero = values.zeros();
        let is_zero = |j: usize| {
            let mut entries = rows.iter().filter_map(|row| row.get(&Leaf::Parameter(index(j))));
            entries.all(|id| zero[*id as usize])
        };
        (0..self.parameters).map(is_zero).collect()
    }

    /// ż: c results.
    pub(super) fn tangent(&self, active: bool) -> &Code {
        self.tangent[usize::from(active)].get_or_init(|| {
            let mut values = self.values.clone();
            let results = tangents(&mut values, &self.outputs, |values, leaf| {
                dot(leaf, active).map(|dot| values.leaf(dot))
            });
            Code::new(&values, &results)
        })
    }

    /// θ̄, and x̄ where the inputs are active: n + d results.
    pub(super) fn adjoint(&self, active: bool) -> &Code {
        self.adjoint[usize::from(active)].get_or_init(|| {
            let mut values = self.values.clone();
            let results = self.adjoint_values(&mut values, active);
            Code::new(&values, &results)
        })
    }

    /// θ̄˙, and x̄˙ where the inputs are active.
    pub(super) fn adjoint_tangent(&self, active: bool) -> &Code {
        self.adjoint_tangent[usize::from(active)].get_or_init(|| {
            let mut values = self.values.clone();
            let bars = self.adjoint_values(&mut values, active);
            let found: Vec<Id> = bars.iter().flatten().copied().collect();
            let dots = tangents(&mut values, &found, |values, leaf| {
                dot(leaf, active).map(|dot| values.leaf(dot))
            });
            let mut dots = dots.into_iter();
            let results: Vec<Option<Id>> =
                bars.iter().map(|bar| bar.and_then(|_| dots.next().flatten())).collect();
            Code::new(&values, &results)
        })
    }

    fn adjoint_values(&self, values: &mut Values, active: bool) -> Vec<Option<Id>> {
        let seeds: Vec<(Id, Id)> = (0..self.outputs.len())
            .map(|k| (self.outputs[k], values.leaf(Leaf::OutputBar(index(k)))))
            .collect();
        let bars = adjoints(values, &seeds, |leaf| match leaf {
            Leaf::Parameter(_) => true,
            Leaf::Feature(_) => active,
            _ => false,
        });
        let inputs = if active { self.features } else { 0 };
        let parameters = (0..self.parameters).map(|j| Leaf::Parameter(index(j)));
        let leaves = parameters.chain((0..inputs).map(|i| Leaf::Feature(index(i))));
        leaves.map(|leaf| bars.get(&leaf).copied()).collect()
    }

    /// Operations of one sample.
    pub(super) fn flops(&self) -> usize {
        let of_step = |action: &Action| match action {
            Action::Unary(function, _) => match function {
                Unary::Negate | Unary::Sign | Unary::Abs | Unary::Not => 1,
                Unary::Integer(_) => 2,
                Unary::Sqrt
                | Unary::Exp
                | Unary::Expm1
                | Unary::Log
                | Unary::Log1p
                | Unary::Tanh
                | Unary::Erf
                | Unary::Sin
                | Unary::Cos => FUNCTION_FLOPS,
                _ => SCALAR_FUNCTION_FLOPS,
            },
            Action::Binary(Binary::Power, ..) => 2 * FUNCTION_FLOPS,
            Action::Binary(Binary::Angle, ..) => SCALAR_FUNCTION_FLOPS,
            Action::Binary(..) | Action::Select(..) => 1,
            Action::Product(After::Exp, ..) => 1 + FUNCTION_FLOPS,
            Action::Product(After::Negate, ..) | Action::Product3(..) => 2,
        };
        self.value().steps().iter().map(|step| of_step(&step.action)).sum::<usize>().max(1)
    }
}

/// The tangent of a leaf.
fn dot(leaf: Leaf, active: bool) -> Option<Leaf> {
    match leaf {
        Leaf::Parameter(j) => Some(Leaf::ParameterDot(j)),
        Leaf::Feature(i) => active.then_some(Leaf::FeatureDot(i)),
        Leaf::OutputBar(k) => Some(Leaf::OutputBarDot(k)),
        _ => None,
    }
}

fn index(i: usize) -> u32 {
    u32::try_from(i).unwrap_or(u32::MAX)
}
