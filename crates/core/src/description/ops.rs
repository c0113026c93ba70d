//! The ops that a description can name.

use crate::formula::FormulaOptions;
use crate::op::{
    Activation, Add, Along, AvgPool1d, AvgPool2d, BatchNorm, Bilinear, Concat, Conv1d, Conv2d,
    Dense, Dropout, Embedding, Flatten, GlobalAvgPool, LayerNorm, LeakyRelu, MatMul, MaxPool1d,
    MaxPool2d, Multiply, Nystrom, Op, Polynomial, Power, RadialBasis, RandomFourier, Reduce,
    Reduction, Reshape, ScaleShift, Select, Slice, Softmax,
};
use serde::de::DeserializeOwned;
use toml::Table;
use toml::de::Error;

/// An op from its options.
type Make = fn(Table) -> Result<Box<dyn Op>, Error>;

/// One line for each op, in the order in which messages list them: its name and how it is read. An op with options derives
/// `Deserialize` (with `deny_unknown_fields`) and is `read`; one without is `plain`. [`Op::describe`] gives the same name.
const OPS: &[(&str, Make)] = &[
    ("dense", read::<Dense>),
    ("identity", |options| plain(&options, Activation::Identity)),
    ("tanh", |options| plain(&options, Activation::Tanh)),
    ("relu", |options| plain(&options, Activation::Relu)),
    ("leaky_relu", leaky_relu),
    ("sigmoid", |options| plain(&options, Activation::Sigmoid)),
    ("softplus", |options| plain(&options, Activation::Softplus)),
    ("silu", |options| plain(&options, Activation::Silu)),
    ("gelu", |options| plain(&options, Activation::Gelu)),
    ("sine", |options| plain(&options, Activation::Sine)),
    ("exp", |options| plain(&options, Activation::Exp)),
    ("log", |options| plain(&options, Activation::Log)),
    ("sqrt", |options| plain(&options, Activation::Sqrt)),
    ("power", power),
    ("add", |options| plain(&options, Add)),
    ("multiply", |options| plain(&options, Multiply)),
    ("concat", |options| plain(&options, Concat)),
    ("softmax", |options| plain(&options, Softmax)),
    ("matmul", read::<MatMul>),
    ("bilinear", read::<Bilinear>),
    ("embedding", read::<Embedding>),
    ("conv1d", read::<Conv1d>),
    ("conv2d", read::<Conv2d>),
    ("avg_pool1d", read::<AvgPool1d>),
    ("avg_pool2d", read::<AvgPool2d>),
    ("max_pool1d", read::<MaxPool1d>),
    ("max_pool2d", read::<MaxPool2d>),
    ("global_avg_pool", |options| plain(&options, GlobalAvgPool)),
    ("reshape", read::<Reshape>),
    ("flatten", |options| plain(&options, Flatten)),
    ("slice", read::<Slice>),
    ("select", read::<Select>),
    ("sum", |options| reduce(options, Reduction::Sum)),
    ("mean", |options| reduce(options, Reduction::Mean)),
    ("squared_norm", |options| reduce(options, Reduction::SquaredNorm)),
    ("log_sum_exp", |options| reduce(options, Reduction::LogSumExp)),
    ("scale_shift", read::<ScaleShift>),
    ("layer_norm", read::<LayerNorm>),
    ("batch_norm", |options| plain(&options, BatchNorm {})),
    ("dropout", read::<Dropout>),
    ("polynomial", read::<Polynomial>),
    ("radial_basis", read::<RadialBasis>),
    ("random_fourier", read::<RandomFourier>),
    ("nystrom", read::<Nystrom>),
    ("formula", formula),
];

/// The op called `name`, or `None` where there is none.
pub(super) fn make(name: &str, options: Table) -> Option<Result<Box<dyn Op>, Error>> {
    let (_, make) = OPS.iter().find(|(known, _)| *known == name)?;
    Some(make(options))
}

/// All names: `dense, identity, …`.
pub(super) fn names() -> String {
    OPS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

fn read<T: Op + DeserializeOwned + 'static>(options: Table) -> Result<Box<dyn Op>, Error> {
    Ok(Box::new(options.try_into::<T>()?))
}

fn plain(options: &Table, op: impl Op + 'static) -> Result<Box<dyn Op>, Error> {
    match options.keys().next() {
        None => Ok(Box::new(op)),
        Some(key) => {
            let message = format!("unknown field `{key}`, there are no options");
            Err(serde::de::Error::custom(message))
        }
    }
}

fn leaky_relu(options: Table) -> Result<Box<dyn Op>, Error> {
    let LeakyRelu { slope } = options.try_into()?;
    Ok(Box::new(Activation::LeakyRelu { slope }))
}

fn reduce(options: Table, reduction: Reduction) -> Result<Box<dyn Op>, Error> {
    let Along { axis } = options.try_into()?;
    Ok(Box::new(Reduce { reduction, axis }))
}

fn power(options: Table) -> Result<Box<dyn Op>, Error> {
    let Power { exponent } = options.try_into()?;
    Ok(Box::new(Activation::Power { exponent }))
}

fn formula(options: Table) -> Result<Box<dyn Op>, Error> {
    let options: FormulaOptions = options.try_into()?;
    Ok(Box::new(options.read().map_err(serde::de::Error::custom)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formula::{Formula, FormulaOp};
    use crate::op::{Kernel, Per};

    fn one_of_each() -> Vec<Box<dyn Op>> {
        let gaussian = Kernel::Gaussian { width: 0.1 + 0.2 };
        let polynomial = Kernel::Polynomial { degree: 3, scale: 0.5, offset: 1.0 };
        vec![
            Box::new(Dense::new(3)),
            Box::new(Dense::new(3).without_bias()),
            Box::new(Activation::Identity),
            Box::new(Activation::Tanh),
            Box::new(Activation::Relu),
            Box::new(Activation::LeakyRelu { slope: -0.1 }),
            Box::new(Activation::Sigmoid),
            Box::new(Activation::Softplus),
            Box::new(Activation::Silu),
            Box::new(Activation::Gelu),
            Box::new(Activation::Sine),
            Box::new(Activation::Exp),
            Box::new(Activation::Log),
            Box::new(Activation::Sqrt),
            Box::new(Activation::Power { exponent: -1.5 }),
            Box::new(MatMul::default()),
            Box::new(MatMul { transpose: [true, false] }),
            Box::new(Bilinear::new(4)),
            Box::new(Embedding::new(3, 8)),
            Box::new(Conv1d::new(4, [3]).with_padding([1])),
            Box::new(Conv2d::new(4, [3, 2]).with_stride([2, 1]).with_groups(2).without_bias()),
            Box::new(AvgPool1d::new([2])),
            Box::new(AvgPool2d::new([3, 3]).with_padding([1, 1]).without_padding_counted()),
            Box::new(MaxPool1d::new([2]).with_stride([1])),
            Box::new(MaxPool2d::new([2, 3])),
            Box::new(GlobalAvgPool),
            Box::new(Reshape::new([2, 3])),
            Box::new(Flatten),
            Box::new(Slice::new(1..3)),
            Box::new(Select::new([2, 0])),
            Box::new(Reduce::all(Reduction::LogSumExp)),
            Box::new(Reduce::all(Reduction::Sum)),
            Box::new(Reduce::all(Reduction::SquaredNorm)),
            Box::new(Reduce::along(Reduction::Mean, 1)),
            Box::new(ScaleShift { per: Per::Channel }),
            Box::new(LayerNorm::default()),
            Box::new(BatchNorm {}),
            Box::new(Dropout::new(0.3)),
            Box::new(Add),
            Box::new(Multiply),
            Box::new(Concat),
            Box::new(Softmax),
            Box::new(Polynomial::new(3)),
            Box::new(Polynomial::new(2).interactions_only().with_constant()),
            Box::new(RadialBasis::new(2, &[0.1, 0.2, 0.3, 1e-17], 0.7).unwrap()),
            Box::new(RandomFourier::new(2, 5, 0.7, 7).unwrap()),
            Box::new(FormulaOp::new(Formula::new("a*x^2 - 1e-17/z", &["x", "z"]).unwrap())),
            Box::new(FormulaOp::new(Formula::several(&["a*x", "b"], &["x"]).unwrap())),
            Box::new(Nystrom::new(2, &[0.1, 0.2, 0.3, 1e-17], gaussian).unwrap()),
            Box::new(Nystrom::new(1, &[0.1, 2.0], polynomial).unwrap().with_cutoff(1e-9).unwrap()),
        ]
    }

    #[test]
    fn every_op_comes_back() {
        let mut missing: Vec<&str> = OPS.iter().map(|(name, _)| *name).collect();
        for op in one_of_each() {
            let description = op.describe().unwrap();
            assert_eq!(description.op(), op.name());
            let text = toml::to_string(description.options()).unwrap();
            let copy = make(description.op(), toml::from_str(&text).unwrap()).unwrap().unwrap();
            assert_eq!(format!("{copy:?}"), format!("{op:?}"));
            missing.retain(|name| *name != description.op());
        }
        assert_eq!(missing, [""; 0], "no example of these");
    }
}
