//! Models, losses and penalties by name.

use crate::args::{FormulaArgs, ModelArgs, StandardizeArg};
use crate::failure::Failure;
use secant::core::params::Role;
use secant::core::text::{by_name, did_you_mean, quoted};
use secant::description::Description;
use secant::loss::Loss;
use secant::penalty::Penalty;
use secant::{
    AbsoluteError, Activation, Bounds, Dataset, Family, Gamma, Glm, Graph, Hinge, L1, Link,
    Logistic, Network, NoPenalty, Poisson, Quantile, Rho, Ridge, SoftmaxCrossEntropy, SquaredError,
    Standardize, Standardizer, Targets,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What `--model` says.
#[derive(Clone, Debug, PartialEq)]
pub enum Spec {
    /// A linear score.
    Linear,
    /// Widths of the hidden layers, and what is between them.
    Mlp(Vec<usize>, Activation),
    /// One formula for each target.
    Formula(String),
    /// The description of a graph.
    File(PathBuf),
    /// A generalised linear model; with α to be estimated, where it is a negative binomial without one.
    Glm(Family, bool),
}

const MODELS: [&str; 5] = ["linear", "mlp", "formula", "file", "glm"];
/// Losses that the command names; those of robust statistics stand in [`RHOS`].
const LOSSES: [&str; 7] =
    ["squared", "absolute", "poisson", "gamma", "logistic", "softmax", "hinge"];
const RHOS: [(&str, Rho); 4] = [
    ("huber", Rho::Huber),
    ("soft-l1", Rho::SoftL1),
    ("cauchy", Rho::Cauchy),
    ("tukey", Rho::Tukey),
];

fn unknown(what: &str, name: &str, known: &[&str]) -> Failure {
    let nearest = did_you_mean(name, known.iter().copied());
    let words = format!("no {what} `{}`{nearest}", quoted(name));
    Failure::advised(words, format!("one of {}", known.join(", ")))
}

fn names<T>(list: &[(&'static str, T)]) -> Vec<&'static str> {
    list.iter().map(|(name, _)| *name).collect()
}

impl Spec {
    /// Reads `--model`.
    pub fn read(text: &str) -> Result<Self, Failure> {
        let (kind, rest) = text.split_once(':').map_or((text, None), |(a, b)| (a, Some(b)));
        match (kind, rest.filter(|rest| !rest.trim().is_empty())) {
            ("linear", None) if rest.is_none() => Ok(Self::Linear),
            ("mlp", rest) => mlp(rest.unwrap_or("32")),
            ("formula", Some(text)) => Ok(Self::Formula(text.to_owned())),
            ("file", Some(path)) => Ok(Self::File(path.into())),
            ("glm", Some(family)) => glm(family),
            ("formula", None) => Err(Failure::new("--model formula: expected formula:TEXT")),
            ("file", None) => Err(Failure::new("--model file: expected file:PATH")),
            ("glm", None) => {
                let words = "--model glm: expected glm:FAMILY";
                Err(Failure {
                    what: words.to_owned(),
                    ..Family::by_name("").err().map_or_else(|| Failure::new(words), Failure::from)
                })
            }
            ("linear", _) => Err(Failure::new(format!("--model {text}: `linear` has no options"))),
            _ => Err(unknown("model", kind, &MODELS)),
        }
    }
}

fn mlp(text: &str) -> Result<Spec, Failure> {
    let mut parts = text.split(':');
    let widths = parts.next().unwrap_or_default();
    let width = |text: &str| match text.trim().parse::<usize>() {
        Ok(width) if (1..=100_000).contains(&width) => Ok(width),
        _ => {
            let words = format!("--model mlp: `{}` is no width of a layer", quoted(text));
            Err(Failure::advised(words, "mlp:32,32:tanh has two layers of 32"))
        }
    };
    let hidden = widths.split(',').map(width).collect::<Result<Vec<_>, _>>()?;
    let activation = parts.next().map_or(Ok(Activation::Tanh), Activation::by_name)?;
    match parts.next() {
        None => Ok(Spec::Mlp(hidden, activation)),
        Some(rest) => Err(Failure::new(format!("--model mlp: what is `{}`?", quoted(rest)))),
    }
}

fn glm(text: &str) -> Result<Spec, Failure> {
    let (name, option) = text.split_once(':').map_or((text, None), |(a, b)| (a, Some(b)));
    let number = || {
        let option = option.unwrap_or_default();
        option.parse::<f64>().map_err(|_| {
            Failure::new(format!(
                "--model glm:{name}: expected a number, found `{}`",
                quoted(option)
            ))
        })
    };
    let family = match (Family::by_name(name)?, option) {
        (family @ (Family::NegativeBinomial { .. } | Family::Tweedie { .. }), None) => {
            return Ok(Spec::Glm(family, true));
        }
        (Family::NegativeBinomial { .. }, Some(_)) => Family::NegativeBinomial { alpha: number()? },
        (Family::Tweedie { .. }, Some(_)) => Family::Tweedie { power: number()? },
        (family, None) => family,
        (_, Some(_)) => {
            return Err(Failure::new(format!("--model glm:{text}: {name} has no option")));
        }
    };
    Ok(Spec::Glm(family, false))
}

/// ρ by name.
pub fn rho(name: &str) -> Result<Rho, Failure> {
    Ok(by_name("ρ", name, &RHOS)?)
}

/// A generalised linear model with its link; `estimates` the option of its family, α or p.
pub fn glm_of(family: Family, estimates: bool, link: Option<&str>) -> Result<Glm, Failure> {
    let glm = match family {
        Family::NegativeBinomial { .. } if estimates => Glm::negative_binomial_estimated(),
        Family::Tweedie { .. } if estimates => Glm::tweedie_estimated(),
        _ => Glm::new(family),
    };
    Ok(match link {
        None => glm,
        Some(name) => glm.link(Link::by_name(name)?),
    })
}

/// What the outputs are judged by.
#[derive(Clone, Debug)]
pub enum Judge {
    /// As the targets suggest.
    Default,
    /// A loss.
    Loss(Arc<dyn Loss>),
    /// ρ, whose scale is estimated.
    Rho(Rho),
}

/// `--loss`.
pub fn loss(text: Option<&str>) -> Result<Judge, Failure> {
    let Some(text) = text else { return Ok(Judge::Default) };
    let (name, options) = text.split_once(':').map_or((text, None), |(a, b)| (a, Some(b)));
    if name == "quantile" {
        let numbers: Option<Vec<f64>> = options
            .map(|options| options.split(':').map(|number| number.parse().ok()).collect())
            .unwrap_or_default();
        return match numbers.as_deref() {
            Some(&[level, width]) => Ok(Judge::Loss(Arc::new(Quantile::new(level, width)))),
            _ => Err(Failure::advised(
                "--loss quantile: expected the level and the width of the smoothed kink, in units of the target",
                "quantile:0.9:0.1",
            )),
        };
    }
    if let (Some((_, rho)), None) = (RHOS.iter().find(|(known, _)| *known == name), options) {
        return Ok(Judge::Rho(*rho));
    }
    if options.is_some() || !LOSSES.contains(&name) {
        let mut known = LOSSES.to_vec();
        known.extend(names(&RHOS));
        known.push("quantile:LEVEL:WIDTH");
        return Err(unknown("loss", text, &known));
    }
    Ok(Judge::Loss(match name {
        "absolute" => Arc::new(AbsoluteError),
        "poisson" => Arc::new(Poisson::default()),
        "gamma" => Arc::new(Gamma),
        "logistic" => Arc::new(Logistic),
        "softmax" => Arc::new(SoftmaxCrossEntropy),
        "hinge" => Arc::new(Hinge::squared()),
        _ => Arc::new(SquaredError),
    }))
}

/// `--ridge`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Strength {
    Nothing,
    Given(f64),
    /// By cross-validation.
    Auto,
}

pub fn ridge(text: Option<&str>) -> Result<Strength, Failure> {
    match text {
        None => Ok(Strength::Nothing),
        Some("auto") => Ok(Strength::Auto),
        Some(text) => match crate::lists::strength(text) {
            Ok(value) => Ok(Strength::Given(value)),
            Err(why) => Err(Failure::new(format!("--ridge {}: {why}, or `auto`", quoted(text)))),
        },
    }
}

/// A network for the data, with the loss and the penalty that a description names.
#[derive(Debug)]
pub struct Built {
    pub network: Network,
    pub judge: Judge,
    pub penalty: Arc<dyn Penalty>,
    pub strength: Strength,
    /// In words.
    pub name: String,
}

/// The network, loss and penalty of the command line; formulas and generalised linear models have ways of their own.
pub fn build(spec: &Spec, args: &ModelArgs, data: &Dataset) -> Result<Built, Failure> {
    let mut judge = loss(args.loss.as_deref())?;
    let strength = ridge(args.ridge.as_deref())?;
    let mut penalty: Arc<dyn Penalty> = match strength {
        Strength::Given(lambda) => Arc::new(Ridge(lambda)),
        _ => Arc::new(NoPenalty),
    };
    let features = data.features();
    let outputs = match data.targets() {
        Targets::Values { rows, .. } => *rows,
        Targets::Labels { classes, .. } => {
            let two =
                *classes == 2 && !matches!(&judge, Judge::Loss(loss) if loss.name() == "softmax");
            if two { 1 } else { *classes }
        }
    };
    let (network, name) = match spec {
        Spec::Linear => (Network::linear(features, outputs), "linear model".to_owned()),
        Spec::Mlp(hidden, activation) => {
            let mut widths = vec![features];
            widths.extend(hidden);
            widths.push(outputs);
            let shown: Vec<String> = widths.iter().map(usize::to_string).collect();
            (Network::mlp(widths, *activation), format!("network {}", shown.join("-")))
        }
        Spec::File(path) => {
            let description = description(path)?;
            let graph = described(path, description.graph())?;
            if graph.features() != features {
                let (path, expected) = (secant::core::text::path(path), graph.features());
                let words =
                    format!("{path}: the graph has {expected} inputs, the table gives {features}");
                return Err(Failure::advised(words, "`--features` chooses columns"));
            }
            if let (Some(choice), Judge::Default) = (&description.loss, &judge) {
                judge = Judge::Loss(described(path, choice.loss())?.into());
            }
            if let (Some(choice), Strength::Nothing, None) =
                (&description.penalty, strength, args.l1)
            {
                penalty = described(path, choice.penalty())?.into();
            }
            (Network::from(graph), format!("graph of {}", secant::core::text::path(path)))
        }
        Spec::Formula(_) | Spec::Glm(..) => {
            return Err(Failure::advised(
                "formulas and generalised linear models have solvers of their own",
                "`--model linear`, `mlp:…` or `file:…` here",
            ));
        }
    };
    Ok(Built { network, judge, penalty, strength, name })
}

/// Reads a description, TOML unless the name ends with `.json`.
pub fn description(path: &Path) -> Result<Description, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    let json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    described(
        path,
        if json { Description::from_json(&text) } else { Description::from_toml(&text) },
    )
}

/// An error with the file's name.
fn described<T, E: std::error::Error>(path: &Path, result: Result<T, E>) -> Result<T, Failure> {
    result.map_err(|error| Failure::file(path, &error))
}

/// `--standardize`.
pub fn standardize(args: StandardizeArg) -> Standardize {
    match args {
        StandardizeArg::Auto => Standardize::Auto,
        StandardizeArg::Inputs => Standardize::Inputs,
        StandardizeArg::Both => Standardize::InputsAndTargets,
        StandardizeArg::Nothing => Standardize::Nothing,
    }
}

/// λ·‖w‖₁ without the biases.
pub fn l1(lambda: f64, graph: &Graph) -> L1 {
    let biases = graph.parameters().blocks().iter().filter(|block| block.spec.role != Role::Weight);
    biases.fold(L1::new(lambda), |l1, block| l1.without(block.range.clone()))
}

/// Bounds on the coefficients of a linear model, whose features are standardised or not: `x` is that of feature x for every output,
/// `y: x` for the output y alone.
pub fn bounds(
    args: &FormulaArgs,
    spec: &Spec,
    data: &Dataset,
    graph: &Graph,
    standardize: Standardize,
) -> Result<Bounds, Failure> {
    if *spec != Spec::Linear || standardize == Standardize::InputsAndTargets {
        return Err(Failure::advised(
            "--bounds: of parameters of a formula, or of coefficients of a linear model in the units of its targets",
            "`--model linear`, without `--standardize both`",
        ));
    }
    let (features, outputs) = (data.feature_names(), output_names(data, graph.outputs()));
    let c = outputs.len();
    let scaling = Standardizer::fit_inputs(data);
    let mut bounds = Bounds::free(graph.parameters().dim());
    for (name, low, high) in &args.bounds {
        let place = |name: &str| features.iter().position(|known| known == name);
        let of_one = || {
            let (output, feature) = name.split_once(": ")?;
            let output = outputs.iter().position(|known| known == output)?;
            Some((place(feature.trim())?, output..output + 1))
        };
        let Some((feature, chosen)) = place(name).map(|feature| (feature, 0..c)).or_else(of_one)
        else {
            let known: Vec<&str> = features.iter().map(String::as_str).collect();
            let mut failure = unknown("feature", name, &known);
            if let [first, _, ..] = &outputs[..] {
                let one = format!("`{first}: {}` bounds that of one output", features[0]);
                failure.advice = failure.advice.map(|advice| format!("{advice}; {one}"));
            }
            return Err(failure);
        };
        let unit = match standardize {
            Standardize::Nothing => 1.0,
            _ => scaling.deviations()[feature],
        };
        for output in chosen {
            let at = feature * c + output;
            bounds = bounds.with(at..at + 1, low * unit, high * unit)?;
        }
    }
    Ok(bounds)
}

/// The names of the outputs: targets, or classes where each has an output.
fn output_names(data: &Dataset, outputs: usize) -> Vec<String> {
    let named = |names: &[String]| (names.len() == outputs).then(|| names.to_vec());
    let found = named(data.target_names()).or_else(|| named(data.class_names()));
    found.unwrap_or_else(|| (0..outputs).map(|output| output.to_string()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_read_and_what_is_none_is_refused_with_the_nearest() {
        let read = |text| Spec::read(text).map_err(|failure| failure.what);
        assert_eq!(read("linear"), Ok(Spec::Linear));
        assert_eq!(read("mlp:8,4:relu"), Ok(Spec::Mlp(vec![8, 4], Activation::Relu)));
        assert_eq!(read("mlp"), Ok(Spec::Mlp(vec![32], Activation::Tanh)));
        assert_eq!(read("formula:a*x:b"), Ok(Spec::Formula("a*x:b".into())));
        assert_eq!(read("glm:tweedie:1.5"), Ok(Spec::Glm(Family::Tweedie { power: 1.5 }, false)));
        let negative = Family::NegativeBinomial { alpha: 1.0 };
        assert_eq!(read("glm:negative-binomial"), Ok(Spec::Glm(negative, true)));
        assert_eq!(read("glm:tweedie"), Ok(Spec::Glm(Family::Tweedie { power: 1.5 }, true)));
        assert_eq!(read("liner"), Err("no model `liner`: did you mean `linear`?".into()));
        assert_eq!(read("mlp:8:thanh"), Err("no activation `thanh`: did you mean `tanh`?".into()));
        for text in [
            "",
            "linear:3",
            "mlp:0",
            "mlp:x",
            "mlp:8:tanh:3",
            "glm",
            "glm:poison",
            "glm:poisson:2",
            "file:",
            "formula",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn losses_are_those_of_the_library() {
        for name in LOSSES {
            assert!(matches!(loss(Some(name)), Ok(Judge::Loss(_))), "{name}");
        }
        assert!(matches!(loss(Some("tukey")), Ok(Judge::Rho(Rho::Tukey))));
        assert!(matches!(loss(Some("quantile:0.9:0.1")), Ok(Judge::Loss(_))));
        for text in ["quantile", "quantile:0.9", "huber:1", "squarred", "squared:1"] {
            assert!(loss(Some(text)).is_err(), "{text}");
        }
    }
}
