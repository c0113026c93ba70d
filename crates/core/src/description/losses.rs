//! The losses and penalties that a description can name.

use super::DescriptionError;
use crate::choice::Choice;
use crate::loss::{
    AbsoluteError, Binomial, ExponentialFamily, Gamma, Hinge, LearnedVariance, LogCosh, Logistic,
    Loss, MaskedSquaredError, NegativeBinomial, Poisson, Quantile, Robust, SmoothedSoftmax,
    SoftmaxCrossEntropy, SquaredError,
};
use crate::penalty::{
    GaussianPrior, NoPenalty, Penalties, Penalty, PerBlock, Ridge, RidgeAll, SmoothedGroup,
};
use serde::de::DeserializeOwned;

/// A loss from its options, or why they are none of its.
type MakeLoss = fn(&Choice) -> Result<Box<dyn Loss>, String>;
/// The same of a penalty.
type MakePenalty = fn(&Choice) -> Result<Box<dyn Penalty>, String>;

/// One line for each loss, by the name that [`Loss::describe`] gives.
const LOSSES: &[(&str, MakeLoss)] = &[
    ("squared", |choice| plain_loss(choice, SquaredError)),
    ("masked-squared", |choice| plain_loss(choice, MaskedSquaredError)),
    ("absolute", |choice| plain_loss(choice, AbsoluteError)),
    ("robust", read_loss::<Robust>),
    ("log-cosh", read_loss::<LogCosh>),
    ("quantile", read_loss::<Quantile>),
    ("learned-variance", |choice| plain_loss(choice, LearnedVariance)),
    ("poisson", read_loss::<Poisson>),
    ("negative-binomial", read_loss::<NegativeBinomial>),
    ("gamma", |choice| plain_loss(choice, Gamma)),
    ("logistic", |choice| plain_loss(choice, Logistic)),
    ("binomial", read_loss::<Binomial>),
    ("exponential-family", read_loss::<ExponentialFamily>),
    ("softmax", |choice| plain_loss(choice, SoftmaxCrossEntropy)),
    ("smoothed-softmax", read_loss::<SmoothedSoftmax>),
    ("hinge", read_loss::<Hinge>),
];

/// One line for each penalty, by the name that [`Penalty::describe`] gives.
const PENALTIES: &[(&str, MakePenalty)] = &[
    ("none", |choice| plain(choice).map(|()| Box::new(NoPenalty) as _)),
    ("ridge", read_penalty::<Ridge>),
    ("ridge_all", read_penalty::<RidgeAll>),
    ("per_block", read_penalty::<PerBlock>),
    ("gaussian_prior", read_penalty::<GaussianPrior>),
    ("smoothed_group", read_penalty::<SmoothedGroup>),
    ("sum", sum),
];

impl Choice {
    /// The loss of this name with these options, which are checked when a risk is made of it.
    ///
    /// ```
    /// use secant_core::description::Choice;
    /// use secant_core::loss::{Loss, Quantile};
    ///
    /// let choice = Quantile::new(0.9, 0.1).describe().expect("losses of the crate are described");
    /// assert_eq!(choice.loss()?.describe(), Some(choice));
    /// assert!(Choice::plain("squarred").loss().unwrap_err().to_string().ends_with("did you mean `squared`?"));
    /// # Ok::<(), secant_core::description::DescriptionError>(())
    /// ```
    ///
    /// # Errors
    /// A name that no loss of this crate has, options that are not its.
    pub fn loss(&self) -> Result<Box<dyn Loss>, DescriptionError> {
        self.make("loss", LOSSES.iter().map(|(name, make)| (*name, *make)))
    }

    /// The penalty of this name with these options, which are checked when a risk is made of it.
    ///
    /// # Errors
    /// A name that no penalty of this crate has, options that are not its.
    pub fn penalty(&self) -> Result<Box<dyn Penalty>, DescriptionError> {
        self.make("penalty", PENALTIES.iter().map(|(name, make)| (*name, *make)))
    }

    fn make<T>(
        &self,
        key: &'static str,
        all: impl Iterator<Item = (&'static str, fn(&Self) -> Result<T, String>)> + Clone,
    ) -> Result<T, DescriptionError> {
        let name = self.name().to_owned();
        match all.clone().find(|(known, _)| *known == name) {
            None => {
                let known = all.map(|(name, _)| name).collect::<Vec<_>>().join(", ");
                Err(DescriptionError::UnknownChoice { key, name, known })
            }
            Some((_, make)) => {
                make(self).map_err(|message| DescriptionError::ChoiceOptions { key, name, message })
            }
        }
    }
}

fn plain(choice: &Choice) -> Result<(), String> {
    if choice.has_options() { Err("there are no options".into()) } else { Ok(()) }
}

fn plain_loss(choice: &Choice, loss: impl Loss + 'static) -> Result<Box<dyn Loss>, String> {
    plain(choice).map(|()| Box::new(loss) as _)
}

fn read_loss<T: Loss + DeserializeOwned + 'static>(
    choice: &Choice,
) -> Result<Box<dyn Loss>, String> {
    Ok(Box::new(choice.read_options::<T>()?))
}

fn read_penalty<T: Penalty + DeserializeOwned + 'static>(
    choice: &Choice,
) -> Result<Box<dyn Penalty>, String> {
    Ok(Box::new(choice.read_options::<T>()?))
}

fn sum(choice: &Choice) -> Result<Box<dyn Penalty>, String> {
    let terms: Vec<Choice> = choice.read_options()?;
    let terms = terms.iter().map(|term| term.penalty().map_err(|error| error.to_string()));
    Ok(Box::new(Penalties(terms.collect::<Result<_, _>>()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::{Distribution, HingePower, MultiClass};
    use crate::params::Role;
    use crate::penalty::Groups;
    use crate::rho::{Rho, RhoWeight};
    use faer::mat;

    fn losses() -> Vec<Box<dyn Loss>> {
        let mut all: Vec<Box<dyn Loss>> = vec![
            Box::new(SquaredError),
            Box::new(MaskedSquaredError),
            Box::new(AbsoluteError),
            Box::new(LogCosh::new(0.1 + 0.2)),
            Box::new(Quantile::new(0.3, 1e-17)),
            Box::new(LearnedVariance),
            Box::new(Poisson::default()),
            Box::new(Poisson::full()),
            Box::new(NegativeBinomial::new(1.0)),
            Box::new(NegativeBinomial::full(0.7)),
            Box::new(Gamma),
            Box::new(Logistic),
            Box::new(Binomial::probit()),
            Box::new(Binomial::complementary_log_log()),
            Box::new(SoftmaxCrossEntropy),
            Box::new(SoftmaxCrossEntropy.with_smoothing(0.1)),
            Box::new(SoftmaxCrossEntropy.with_class_weights([1.0, 0.0, 1.0 / 3.0])),
        ];
        for distribution in [
            Distribution::Gaussian,
            Distribution::Poisson,
            Distribution::Gamma,
            Distribution::InverseGaussian,
            Distribution::NegativeBinomial { alpha: 1.0 / 3.0 },
            Distribution::Tweedie { power: 1.1 + 0.2 },
        ] {
            let links = distribution.links().iter();
            all.extend(
                links.map(|link| Box::new(ExponentialFamily { distribution, link: *link }) as _),
            );
        }
        for rho in Rho::ALL {
            all.push(Box::new(Robust::new(rho, 1.0 / 3.0).unwrap()));
            all.push(Box::new(Robust::new(rho, 2.0).unwrap().with_weight(RhoWeight::Irls)));
        }
        for power in [HingePower::Plain, HingePower::Squared] {
            for multi_class in [MultiClass::OneVsRest, MultiClass::CrammerSinger] {
                all.push(Box::new(Hinge { power, multi_class }));
            }
        }
        all
    }

    fn penalties() -> Vec<Box<dyn Penalty>> {
        let rules = || PerBlock::default().role(Role::Bias, 0.1 + 0.2).block("a.b", 2.0).all(0.0);
        let prior = || GaussianPrior::new("y.weight", mat![[1.0, 0.1], [0.1, 2.0]].as_ref());
        vec![
            Box::new(NoPenalty),
            Box::new(Ridge(1.0 / 3.0)),
            Box::new(RidgeAll(0.0)),
            Box::new(rules()),
            Box::new(prior()),
            Box::new(prior().with_mean([0.5, -0.1])),
            Box::new(SmoothedGroup::new(0.1, 1e-6).block("x.weight", Groups::Columns)),
            Box::new(Penalties::default()),
            Box::new(Penalties::default().and(rules()).and(Penalties::default().and(prior()))),
        ]
    }

    #[test]
    fn every_loss_comes_back_through_toml_and_json() {
        let mut missing: Vec<&str> = LOSSES.iter().map(|(name, _)| *name).collect();
        for loss in losses() {
            let choice = loss.describe().unwrap();
            for copy in copies(&choice) {
                assert_eq!(format!("{:?}", copy.loss().unwrap()), format!("{loss:?}"));
            }
            missing.retain(|name| *name != choice.name());
        }
        assert_eq!(missing, [""; 0], "no example of these");
    }

    #[test]
    fn every_penalty_comes_back_through_toml_and_json() {
        let mut missing: Vec<&str> = PENALTIES.iter().map(|(name, _)| *name).collect();
        for penalty in penalties() {
            let choice = penalty.describe().unwrap();
            for copy in copies(&choice) {
                assert_eq!(format!("{:?}", copy.penalty().unwrap()), format!("{penalty:?}"));
            }
            missing.retain(|name| *name != choice.name());
        }
        assert_eq!(missing, [""; 0], "no example of these");
    }

    /// The choice as a description of a graph has it, read again.
    fn copies(choice: &Choice) -> [Choice; 2] {
        let graph = "input = 1\n[[node]]\nname = 'y'\nop = 'dense'\noutputs = 1";
        let mut description = super::super::Description::from_toml(graph).unwrap();
        description.penalty = Some(choice.clone());
        let toml = super::super::Description::from_toml(&description.to_toml().unwrap()).unwrap();
        let json = super::super::Description::from_json(&description.to_json().unwrap()).unwrap();
        [toml.penalty.unwrap(), json.penalty.unwrap()]
    }

    #[test]
    fn unknown_names_and_options_are_refused_by_name() {
        let refused = |choice: &Choice| choice.loss().unwrap_err().to_string();
        let quantile = Choice::with_options("quantile", &[("tau", 1.0)]).unwrap();
        assert!(refused(&quantile).starts_with("the loss `quantile`: "), "{}", refused(&quantile));
        let gamma = Choice::with_options("gamma", &1.0).unwrap();
        assert_eq!(refused(&gamma), "the loss `gamma`: there are no options");
        assert!(refused(&Choice::plain("mine")).starts_with("there is no loss `mine`, only "));
        // Options with a default may be left out.
        for (plain, said) in [("poisson", "Poisson { full: false }"), ("logistic", "Logistic")] {
            assert_eq!(format!("{:?}", Choice::plain(plain).loss().unwrap()), said);
        }
        assert_eq!(Choice::with_options("ridge", &f64::NAN), None);
        let own = Penalties::default().and(Own);
        assert_eq!(own.describe(), None);
    }

    #[derive(Debug)]
    struct Own;

    impl Penalty for Own {
        fn check(&self) -> Result<(), crate::penalty::PenaltyError> {
            Ok(())
        }
        fn value(&self, _: &crate::params::Parameters, _: &[f64]) -> f64 {
            0.0
        }
        fn add_gradient(&self, _: &crate::params::Parameters, _: &[f64], _: &mut [f64]) -> f64 {
            0.0
        }
        fn add_hessian_diagonal(&self, _: &crate::params::Parameters, _: &[f64], _: &mut [f64]) {}
    }
}
