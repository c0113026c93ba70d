//! The ops that a description can name.

use crate::op::{
    Activation, Add, Concat, Dense, LeakyRelu, Multiply, Nystrom, Op, Polynomial, RadialBasis,
    RandomFourier, Softmax,
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
    ("add", |options| plain(&options, Add)),
    ("multiply", |options| plain(&options, Multiply)),
    ("concat", |options| plain(&options, Concat)),
    ("softmax", |options| plain(&options, Softmax)),
    ("polynomial", read::<Polynomial>),
    ("radial_basis", read::<RadialBasis>),
    ("random_fourier", read::<RandomFourier>),
    ("nystrom", read::<Nystrom>),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Kernel;

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
            Box::new(Add),
            Box::new(Multiply),
            Box::new(Concat),
            Box::new(Softmax),
            Box::new(Polynomial::new(3)),
            Box::new(Polynomial::new(2).interactions_only().with_constant()),
            Box::new(RadialBasis::new(2, &[0.1, 0.2, 0.3, 1e-17], 0.7).unwrap()),
            Box::new(RandomFourier::new(2, 5, 0.7, 7).unwrap()),
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
