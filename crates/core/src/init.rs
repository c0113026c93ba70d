//! Seeded random starts for θ. Weights are drawn, biases are zero and scales one; the same seed gives the same θ on every machine.

use crate::params::{ParamSpec, Parameters, Role};
use crate::random::Random;

/// How weights are drawn. n_in and n_out are the fan-in and fan-out of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Init {
    /// Uniform on ±√(6/(n_in + n_out)): for tanh and linear layers.  Glorot & Bengio (2010), eq. 16.
    #[default]
    Glorot,
    /// Normal with variance 2/n_in: for rectifiers.  He, Zhang, Ren & Sun (2015), eq. 10.
    He,
    /// Normal with variance 1/n_in.  LeCun, Bottou, Orr & Müller (1998), §4.6.
    LeCun,
    /// All weights zero: the usual start of a linear model.
    Zeros,
}

impl Init {
    /// Draws θ for `parameters` from the stream of `seed`.
    pub fn draw(self, parameters: &Parameters, seed: u64) -> Vec<f64> {
        let mut random = Random::new(seed);
        let mut theta = vec![0.0; parameters.dim()];
        for block in parameters.blocks() {
            let entries = &mut theta[block.range.clone()];
            match block.spec.role {
                Role::Weight => {
                    for weight in entries {
                        *weight = self.weight(&block.spec, &mut random);
                    }
                }
                Role::Bias => {}
                Role::Scale => entries.fill(1.0),
            }
        }
        theta
    }

    fn weight(self, spec: &ParamSpec, random: &mut Random) -> f64 {
        let (fan_in, fan_out) = (spec.fan_in as f64, spec.fan_out as f64);
        match self {
            Self::Glorot => (6.0 / (fan_in + fan_out)).sqrt() * (2.0 * random.uniform() - 1.0),
            Self::He => (2.0 / fan_in).sqrt() * random.normal(),
            Self::LeCun => (1.0 / fan_in).sqrt() * random.normal(),
            Self::Zeros => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_weights_have_the_stated_variance_and_biases_are_zero() {
        let mut parameters = Parameters::default();
        parameters.push("a.weight".into(), ParamSpec::weight("weight", 300, 200));
        parameters.push("a.bias".into(), ParamSpec::bias("bias", 300));
        parameters.push("a.scale".into(), ParamSpec::scale("scale", 2));
        for (init, variance) in
            [(Init::Glorot, 2.0 / 500.0), (Init::He, 2.0 / 200.0), (Init::LeCun, 1.0 / 200.0)]
        {
            let theta = init.draw(&parameters, 3);
            let (weights, others) = theta.split_at(60_000);
            let (biases, scales) = others.split_at(300);
            let measured = weights.iter().map(|w| w * w).sum::<f64>() / 60_000.0;
            // The standard error of a variance from 60,000 normal draws is 0.6 %.
            assert!((measured / variance - 1.0).abs() < 0.03, "{init:?}: {measured} {variance}");
            assert!(biases.iter().all(|&b| b == 0.0));
            assert_eq!(scales, [1.0, 1.0]);
            assert_eq!(theta, init.draw(&parameters, 3), "{init:?} is seeded");
            assert_ne!(theta, init.draw(&parameters, 4), "{init:?} depends on the seed");
        }
    }
}
