//! What is wrong with a curve before it is fitted.

use secant_core::formula::FormulaError;
use secant_core::text::{did_you_mean, list, quoted};

/// The caller's mistake, with place and values.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CurveError {
    /// A text that is no formula, or ties that go in a circle.
    #[error(transparent)]
    Formula(#[from] FormulaError),
    /// None of the formula's names is a feature.
    #[error(
        "the formula has none of the features {}: its names {} are all parameters",
        list(features.iter().map(String::as_str)),
        list(names.iter().map(String::as_str))
    )]
    NoFeature {
        /// The names of the data.
        features: Vec<String>,
        /// The names in the formula.
        names: Vec<String>,
    },
    /// A formula without parameters, or all of them fixed.
    #[error("the formula has no parameter that is free: nothing to fit")]
    NoParameter,
    /// Formulas for another number of outputs than the data have targets.
    #[error("{formulas} formula(s) for {targets} column(s) of targets: one for each")]
    Outputs {
        /// Formulas.
        formulas: usize,
        /// Columns of the targets.
        targets: usize,
    },
    /// Class labels in place of numbers.
    #[error("a curve is fitted to numbers, these targets are class labels")]
    Labels,
    /// A start, a bound or a column for a name that there is none of.
    #[error(
        "{what} {}: there is no such {kind}, there are {}{}",
        quoted(name),
        list(known.iter().map(String::as_str)),
        did_you_mean(name, known.iter().map(String::as_str))
    )]
    Unknown {
        /// What was given.
        what: &'static str,
        /// The name.
        name: String,
        /// Parameter or column.
        kind: &'static str,
        /// The names that there are.
        known: Vec<String>,
    },
    /// A start or a bound of a parameter that is fixed or tied.
    #[error("{what} {}: it is {how}", quoted(name))]
    Replaced {
        /// What was given.
        what: &'static str,
        /// The parameter.
        name: String,
        /// Fixed or tied, to what.
        how: String,
    },
    /// A tie to a column of the data.
    #[error(
        "the tie of {} names the feature {}: a parameter is one number for all samples",
        quoted(name),
        quoted(feature)
    )]
    TiedToFeature {
        /// The parameter.
        name: String,
        /// The feature.
        feature: String,
    },
    /// A start that is NaN or infinite.
    #[error("the start of {} is {value}", quoted(name))]
    Start {
        /// The parameter.
        name: String,
        /// Its start.
        value: f64,
    },
    /// A start that the bounds leave out.
    #[error("the start of {} is {value}, outside of its bounds [{lower}, {upper}]", quoted(name))]
    StartOutside {
        /// The parameter.
        name: String,
        /// Its start.
        value: f64,
        /// Its lower bound.
        lower: f64,
        /// Its upper bound.
        upper: f64,
    },
    /// Bounds that leave no value.
    #[error("the bounds of {} are [{lower}, {upper}]: no number lies between", quoted(name))]
    Bounds {
        /// The parameter.
        name: String,
        /// Its lower bound.
        lower: f64,
        /// Its upper bound.
        upper: f64,
    },
    /// Bounds beside a method that is given with its own options.
    #[error(
        "bounds of a curve and {method} given as its method: leave one out, or give the method its bounds"
    )]
    BoundsAndMethod {
        /// The method.
        method: &'static str,
    },
    /// σ given twice.
    #[error("`sigma` and `sigma_column` are two answers to one question: leave one out")]
    TwoSigmas,
    /// Another number of σ than samples.
    #[error("{found} values of sigma for {samples} samples")]
    SigmaCount {
        /// N.
        samples: usize,
        /// How many there are.
        found: usize,
    },
    /// A σ that is no standard deviation.
    #[error("sigma of sample {sample} (from 0) is {value}, expected a positive finite number")]
    Sigma {
        /// The sample, from 0.
        sample: usize,
        /// Its value.
        value: f64,
    },
    /// A parameter that the formula has and its values do not depend on.
    #[error(
        "nothing depends on the parameter {}: fix it, or leave it out of the formula",
        quoted(name)
    )]
    Idle {
        /// The parameter.
        name: String,
    },
    /// A formula that is NaN or infinite at the start.
    #[error(
        "at the start ({start}) the formula is {value} at sample {sample} (from 0), where {inputs}"
    )]
    NotFinite {
        /// The parameters.
        start: String,
        /// What it is.
        value: f64,
        /// The sample, from 0.
        sample: usize,
        /// Its inputs.
        inputs: String,
    },
    /// A curve with own parameters of groups, fitted to data whose groups are not said.
    #[error(
        "which group a sample belongs to is not said: by a column, `groups`, by keys, `groups_of`, or fit several data sets, `fit_sets`"
    )]
    NoGroups,
    /// A column or keys of groups beside several data sets, which are the groups.
    #[error("`groups` and `fit_sets` are two answers to one question: leave one out")]
    GroupsAndSets,
    /// The column of the groups as an input.
    #[error(
        "the formula names the group column {}: it tells the groups apart, and is no input",
        quoted(column)
    )]
    GroupInFormula {
        /// The column.
        column: String,
    },
    /// No column beside that of the groups.
    #[error(
        "the data have no column but {}, which tells the groups apart: there are no inputs",
        quoted(column)
    )]
    GroupsAlone {
        /// The column.
        column: String,
    },
    /// Another number of keys than samples.
    #[error("{found} keys of groups for {samples} samples")]
    GroupCount {
        /// N.
        samples: usize,
        /// How many there are.
        found: usize,
    },
    /// A key that names no group.
    #[error("the group of sample {sample} (from 0) is {}, which names none", quoted(key))]
    GroupKey {
        /// The sample, from 0.
        sample: usize,
        /// Its key.
        key: String,
    },
    /// No data sets.
    #[error("no data set to fit")]
    NoSets,
    /// Two data sets of one name.
    #[error("two data sets are called {}", quoted(name))]
    SetTwice {
        /// The name.
        name: String,
    },
    /// Data sets that do not go together.
    #[error("the data set {} has the {what} {}, the first one has {}", quoted(name),
        list(found.iter().map(String::as_str)), list(expected.iter().map(String::as_str)))]
    SetDiffers {
        /// The data set.
        name: String,
        /// Features or targets.
        what: &'static str,
        /// Its own.
        found: Vec<String>,
        /// Those of the first one.
        expected: Vec<String>,
    },
    /// A start in one group of a parameter that all groups share.
    #[error(
        "the start of {} in group {}: it is shared by all groups, give it by `start` or make it their `own`",
        quoted(name),
        quoted(group)
    )]
    SharedStart {
        /// The parameter.
        name: String,
        /// The group.
        group: String,
    },
    /// A method that does not go by residuals.
    #[error(
        "{method} as the method of a curve by groups or of a function: Levenberg–Marquardt, with bounds or without, and Gauss–Newton go by their residuals"
    )]
    GroupedMethod {
        /// The method.
        method: &'static str,
    },
    /// Own parameters of groups that share nothing.
    #[error(
        "`fit_many` shares nothing between groups, so that every parameter is their own: leave `own` out, or take `fit`"
    )]
    ManyOwn,
    /// A scale of residuals for each group.
    #[error(
        "`fit_many` of a curve has no `robust`, whose scale would be another one for each group: `fit_many(groups).robust(rho, scale)` of `FormulaGroup`s takes one"
    )]
    ManyRobust,
    /// A method that small fits do not have.
    #[error(
        "{method} as the method of many fits: they are by Levenberg–Marquardt, with bounds or without"
    )]
    ManyMethod {
        /// The method.
        method: &'static str,
    },
    /// A function without names for its parameters, or with one twice.
    #[error("the names of the function's parameters are {}: at least one, each once", list(names.iter().map(String::as_str)))]
    FunctionNames {
        /// The names.
        names: Vec<String>,
    },
    /// Data of several targets for a function of one value.
    #[error("a function of one value for {targets} columns of targets: one is needed")]
    FunctionTargets {
        /// Columns of the targets.
        targets: usize,
    },
    /// Errors asked of a fit that is no least squares.
    #[error(
        "the errors of a robust fit are not known here: leave `robust` out, or draw samples again (a bootstrap)"
    )]
    RobustInference,
    /// No draw at which the formula is finite.
    #[error("no start was found: none of {draws} draws gives finite values at all samples. Give starts for {}", list(names.iter().map(String::as_str)))]
    NoStart {
        /// Draws tried.
        draws: usize,
        /// Parameters without a start.
        names: Vec<String>,
    },
}

impl std::fmt::Debug for CurveError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}
