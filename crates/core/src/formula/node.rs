//! A formula as a node of a graph: one scalar parameter block for each name.

use super::code::{Arguments, Code, Output};
use super::values::Leaf;
use super::{Formula, FormulaError};
use crate::elementwise;
use crate::graph::Graph;
use crate::op::{
    Adjoints, At, Bar, Dependence, Dot, EachParam, Op, OpDescription, Params, one_input,
    with_scratch,
};
use crate::params::ParamSpec;
use crate::shape::{Shape, ShapeError};
use serde::{Deserialize, Serialize};

/// A [`Formula`] as a node: its input has the features in their order, its parameter blocks are scalars with the names of the parameters.
///
/// [`Formula::graph`] makes a graph of one such node. In a larger graph the input may come from other nodes.
///
/// ```
/// use secant_core::formula::{Formula, FormulaOp};
/// use secant_core::graph::Graph;
/// use secant_core::op::Dense;
///
/// let mut g = Graph::builder(5);
/// let h = g.node("mix", Dense::new(1), &[g.input()])?;
/// let formula = Formula::new("top/(1 + exp(-slope*h))", &["h"])?;
/// let y = g.node("curve", FormulaOp::new(formula), &[h])?;
/// assert!(g.build(y)?.parameters().range("curve.slope").is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct FormulaOp(Formula);

/// The options of a formula's node in a description.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FormulaOptions {
    formula: Texts,
    features: Vec<String>,
}

/// One output, or several.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Several(Vec<String>),
}

impl FormulaOptions {
    /// The node that the options are of; a message where the text is no formula.
    pub(crate) fn read(self) -> Result<FormulaOp, String> {
        let texts = match self.formula {
            Texts::One(text) => vec![text],
            Texts::Several(texts) => texts,
        };
        // On one line: the text itself stands in the file.
        let message = |error: FormulaError| match error.position() {
            Some(position) => format!("character {}: {}", position + 1, error.kind()),
            None => error.kind().to_string(),
        };
        let formula = Formula::several(&texts, &self.features).map_err(message)?;
        Ok(FormulaOp(formula))
    }
}

impl Formula {
    /// The formula that `graph` is made of, as [`Formula::graph`] makes it; `None` for any other graph.
    ///
    /// ```
    /// use secant_core::formula::Formula;
    ///
    /// let formula = Formula::new("a*exp(-b*x)", &["x"])?;
    /// let found = Formula::of_graph(&formula.graph().unwrap());
    /// assert_eq!(found.unwrap().to_string(), formula.to_string());
    /// # Ok::<(), secant_core::formula::FormulaError>(())
    /// ```
    pub fn of_graph(graph: &Graph) -> Option<Self> {
        let [node] = graph.nodes() else { return None };
        let description = node.op().describe()?;
        if description.op() != "formula" {
            return None;
        }
        let options: FormulaOptions = description.options().clone().try_into().ok()?;
        options.read().ok().map(|node| node.0)
    }
}

impl FormulaOp {
    /// The node of `formula`.
    pub fn new(formula: Formula) -> Self {
        Self(formula)
    }

    /// The formula.
    pub fn formula(&self) -> &Formula {
        &self.0
    }

    fn arguments<'a>(&self, at: &At<'a>) -> Arguments<'a> {
        let features = self.0.features().len();
        let x = if features > 0 { at.x.get(0) } else { &[] };
        let (z_bar, z_bar_dot) = (&[][..], &[][..]);
        Arguments { x, x_dot: None, z_bar, z_bar_dot, features, outputs: self.0.outputs() }
    }
}

/// θ and θ̇ by leaf.
fn parameter<'a>(theta: Params<'a>, dot: Option<Params<'a>>) -> impl Fn(Leaf) -> f64 + 'a {
    move |leaf| match leaf {
        Leaf::Parameter(j) => theta.get(j as usize)[0],
        Leaf::ParameterDot(j) => dot.map_or(0.0, |dot| dot.get(j as usize)[0]),
        _ => 0.0,
    }
}

/// Runs `code` on all samples, a block at a time: `take(scratch, first, count)` finds the results.
fn each_block(
    code: &Code,
    batch: usize,
    argument: impl Fn(Leaf) -> f64,
    on: Arguments<'_>,
    mut take: impl FnMut(&[f64], usize, usize),
) {
    with_scratch(code.scratch(), |scratch| {
        code.start(scratch, batch, argument);
        code.each_block(scratch, batch, on, (&[], &mut []), &mut take);
    });
}

/// Entries `row` of samples `first..first + count` of a `rows × B` matrix ← or += a result.
fn write(
    code: &Code,
    scratch: &[f64],
    output: Output,
    (first, count): (usize, usize),
    (row, rows): (usize, usize),
    target: &mut [f64],
    add: bool,
) {
    let target = &mut target[first * rows..(first + count) * rows];
    let entries = target[row..].iter_mut().step_by(rows);
    match output {
        Output::Zero if add => {}
        Output::Zero => entries.for_each(|entry| *entry = 0.0),
        Output::Uniform(register) => {
            let value = code.uniform(scratch, register);
            entries.for_each(|entry| *entry = if add { *entry + value } else { value });
        }
        Output::Lanes(register) => {
            let lanes = code.lanes(scratch, register, count);
            let pairs = entries.zip(lanes);
            if add {
                pairs.for_each(|(entry, lane)| *entry += lane);
            } else {
                pairs.for_each(|(entry, lane)| *entry = *lane);
            }
        }
    }
}

/// Adds what `code` finds to x̄, one row for each of `outputs`.
fn add_inputs(
    code: &Code,
    scratch: &[f64],
    outputs: &[Output],
    place: (usize, usize),
    x_bar: &mut [f64],
) {
    for (row, &output) in outputs.iter().enumerate() {
        write(code, scratch, output, place, (row, outputs.len()), x_bar, true);
    }
}

/// Adds the sums over the samples of a block to the adjoints of scalar blocks.
fn add_sums(
    code: &Code,
    scratch: &[f64],
    count: usize,
    outputs: &[Output],
    mut to: impl FnMut(usize, f64),
) {
    for (j, &output) in outputs.iter().enumerate() {
        match output {
            Output::Zero => {}
            Output::Uniform(register) => to(j, count as f64 * code.uniform(scratch, register)),
            Output::Lanes(register) => {
                to(j, elementwise::sum(code.lanes(scratch, register, count)));
            }
        }
    }
}

impl Op for FormulaOp {
    fn name(&self) -> String {
        "formula".into()
    }

    fn describe(&self) -> Option<OpDescription> {
        let texts: Vec<String> = (0..self.0.outputs()).map(|k| self.0.output_text(k)).collect();
        let formula = match &texts[..] {
            [one] => Texts::One(one.clone()),
            _ => Texts::Several(texts),
        };
        let options = FormulaOptions { formula, features: self.0.features().to_vec() };
        OpDescription::with_options("formula", &options)
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let (expected, found) = (self.0.features().len(), one_input(inputs)?);
        if found.len() != expected {
            let first = Shape::vector(expected);
            return Err(ShapeError::Mismatch { index: 0, first, found: found.clone() });
        }
        Ok(Shape::vector(self.0.outputs()))
    }

    fn params(&self, _inputs: &[Shape]) -> Vec<ParamSpec> {
        self.0.parameters().iter().map(|name| ParamSpec::scale(name.clone(), 1)).collect()
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        let code = self.0.programs().value();
        with_scratch(code.scratch(), |scratch| {
            code.start(scratch, at.batch, parameter(at.theta, None));
            let values = (code.results(), z);
            code.each_block(scratch, at.batch, self.arguments(&at), values, &mut |_, _, _| {});
        });
    }

    fn value_rows(&self, at: At<'_>, z: &mut [f64], rows: &mut [f64]) -> bool {
        let code = self.0.programs().rows();
        let (of_values, of_rows) = code.results().split_at(self.0.outputs());
        with_scratch(code.scratch(), |scratch| {
            code.start(scratch, at.batch, parameter(at.theta, None));
            code.rows(scratch, at.batch, self.arguments(&at), (of_values, z), (of_rows, rows));
        });
        true
    }

    fn tangent(&self, at: At<'_>, _z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        let x_dot = dot.x.get(0);
        let code = self.0.programs().tangent(x_dot.is_some());
        let on = Arguments { x_dot, ..self.arguments(&at) };
        let argument = parameter(at.theta, Some(dot.theta));
        each_block(code, at.batch, argument, on, |scratch, first, count| {
            for (k, &output) in code.outputs().iter().enumerate() {
                write(code, scratch, output, (first, count), (k, on.outputs), z_dot, false);
            }
        });
    }

    fn adjoint(&self, at: At<'_>, _z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        let Bar { x, theta } = bar;
        let mut x_bar = x.slot(0).map(crate::op::AdjointSlot::zeroed);
        let code = self.0.programs().adjoint(x_bar.is_some());
        let on = Arguments { z_bar, ..self.arguments(&at) };
        let (of_theta, of_x) = code.outputs().split_at(self.0.parameters().len());
        each_block(code, at.batch, parameter(at.theta, None), on, |scratch, first, count| {
            add_sums(code, scratch, count, of_theta, |j, sum| theta.get(j)[0] += sum);
            if let Some(x_bar) = &mut x_bar {
                add_inputs(code, scratch, of_x, (first, count), x_bar);
            }
        });
    }

    fn adjoint_tangent(
        &self,
        at: At<'_>,
        _z: &[f64],
        z_bar: &[f64],
        dot: Dot<'_>,
        _z_dot: &[f64],
        z_bar_dot: &[f64],
        bar: &mut Bar<'_>,
    ) {
        let Bar { x, theta } = bar;
        let mut x_bar = x.slot(0).map(crate::op::AdjointSlot::zeroed);
        let code = self.0.programs().adjoint_tangent(x_bar.is_some());
        let on = Arguments { x_dot: dot.x.get(0), z_bar, z_bar_dot, ..self.arguments(&at) };
        let (of_theta, of_x) = code.outputs().split_at(self.0.parameters().len());
        let argument = parameter(at.theta, Some(dot.theta));
        each_block(code, at.batch, argument, on, |scratch, first, count| {
            add_sums(code, scratch, count, of_theta, |j, sum| theta.get(j)[0] += sum);
            if let Some(x_bar) = &mut x_bar {
                add_inputs(code, scratch, of_x, (first, count), x_bar);
            }
        });
    }

    fn adjoint_each(
        &self,
        at: At<'_>,
        _z: &[f64],
        z_bar: &[f64],
        x_bar: &mut Adjoints<'_>,
        each: &mut EachParam<'_>,
    ) {
        let mut x_bar = x_bar.slot(0).map(crate::op::AdjointSlot::zeroed);
        let code = self.0.programs().adjoint(x_bar.is_some());
        let on = Arguments { z_bar, ..self.arguments(&at) };
        let (of_theta, of_x) = code.outputs().split_at(self.0.parameters().len());
        each_block(code, at.batch, parameter(at.theta, None), on, |scratch, first, count| {
            let EachParam { blocks, dim, columns } = each;
            for (block, &output) in blocks.iter().zip(of_theta) {
                let row = (block.start, *dim);
                write(code, scratch, output, (first, count), row, columns, true);
            }
            if let Some(x_bar) = &mut x_bar {
                add_inputs(code, scratch, of_x, (first, count), x_bar);
            }
        });
    }

    fn dependence(&self, active: &[bool]) -> Dependence {
        self.0.dependence(active.contains(&true), None)
    }

    fn dependence_on(&self, active: &[bool], blocks: &[bool]) -> Dependence {
        self.0.dependence(active.contains(&true), Some(blocks))
    }

    fn linear_blocks(&self) -> Option<Vec<usize>> {
        Some(self.0.linear_parameters())
    }

    fn flops(&self, _inputs: &[Shape], _output: &Shape) -> usize {
        self.0.programs().flops()
    }
}
