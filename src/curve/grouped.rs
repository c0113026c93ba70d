//! `curve(…)?.groups("run").own(["a"]).fit(&data)?`: one curve of several groups of data, some parameters each group's own; a formula
//! or a function.

mod fitted;
mod inference;
mod met;
mod parts;
#[cfg(feature = "plot")]
mod picture;
mod rows;
mod starts;

pub use fitted::GroupedFit;
pub(super) use fitted::Whole;
pub use inference::GroupedInference;

use super::function::FromFn;
use super::model::Resolved;
use super::problem::{CurveProblem, Layout};
use super::solve::minimize;
use super::{Alone, Curve, CurveFit, FunctionFit, OneSet, Said, sealed};
use crate::curve_error::CurveError;
use crate::error::FitError;
pub(super) use met::{Met, MetFunction};
use parts::{By, Parts};
use secant_core::data::Dataset;
use secant_optim::Bounds;

/// A curve of several groups of data: the kind of a [`Curve`] of which [`groups`](Curve::groups), [`groups_of`](Curve::groups_of) or
/// [`own`](Curve::own) was said; `K` is its kind [before](OneSet).
#[derive(Clone, Debug)]
pub struct Grouped<K = Alone> {
    of: K,
    by: Option<By>,
    own: Vec<String>,
    /// Group, parameter, value.
    starts: Vec<(String, String, f64)>,
}

impl OneSet for Alone {
    type Fit = CurveFit;
}

impl OneSet for FromFn {
    type Fit = FunctionFit;
}

impl sealed::Meets for Alone {
    type Met = Resolved;
    fn meet(&self, said: &Said, data: &Dataset) -> Result<Resolved, FitError> {
        Resolved::new(said, data)
    }
}

impl sealed::Meets for FromFn {
    type Met = MetFunction;
    fn meet(&self, said: &Said, data: &Dataset) -> Result<MetFunction, FitError> {
        let (prepared, model) = self.prepared(said, data)?;
        Ok(MetFunction { prepared, model })
    }
}

impl<K: OneSet> Curve<K> {
    /// One curve for several groups of data, told apart by a column, which is then no input: parameters are shared by all groups but for
    /// those that are each group's [own](Curve::own). All groups are fitted at once; for one independent fit each see
    /// [`fit_many`](Curve::fit_many).
    ///
    /// With G groups, p own and q shared parameters a step costs as much as the groups by themselves, O(N(p + q)² + G(p + q)³), by QR of each
    /// group and of what they share; thousands of groups are a matter of seconds.
    ///
    /// ```
    /// use secant::Dataset;
    ///
    /// // Two runs of one decay: amplitudes differ, the rate is one.
    /// let run_and_t = [1.0, 0.0, 1.0, 1.0, 1.0, 2.0, 1.0, 3.0, 2.0, 0.0, 2.0, 1.0, 2.0, 2.0, 2.0, 4.0];
    /// let y = [2.01, 1.22, 0.73, 0.45, 5.02, 3.01, 1.85, 0.67];
    /// let data = Dataset::from_slices(2, &run_and_t, 1, &y)?
    ///     .with_feature_names(vec!["run".into(), "t".into()])?;
    /// let fit = secant::curve("a*exp(-b*t)")?.groups("run").own(["a"]).fit(&data)?;
    /// assert!((fit.value("b").unwrap() - 0.5).abs() < 0.02);
    /// assert!((fit.value_of("2", "a").unwrap() - 5.0).abs() < 0.1);
    /// println!("{}", fit.inference()?);
    ///
    /// // The same with a function in place of the formula.
    /// let decay = secant::Curve::from_fn(["a", "b"], |t, p| p[0] * f64::exp(-p[1] * t[0]));
    /// let same = decay.groups("run").own(["a"]).fit(&data)?;
    /// assert!((same.value("b").unwrap() - fit.value("b").unwrap()).abs() < 1e-6);
    /// # Ok::<(), secant::FitError>(())
    /// ```
    pub fn groups(self, column: &str) -> Curve<Grouped<K>> {
        self.grouped().groups(column)
    }

    /// The same with the group of each sample by a key, a text or a number: N keys.
    pub fn groups_of<S: ToString>(self, keys: impl IntoIterator<Item = S>) -> Curve<Grouped<K>> {
        self.grouped().groups_of(keys)
    }

    /// The parameters that have a value for each group of data, by name; all others are shared. For
    /// [several data sets](Curve::fit_sets), or before [`groups`](Curve::groups).
    pub fn own<S: AsRef<str>>(self, names: impl IntoIterator<Item = S>) -> Curve<Grouped<K>> {
        self.grouped().own(names)
    }

    fn grouped(self) -> Curve<Grouped<K>> {
        let kind = Grouped { of: self.kind, by: None, own: Vec::new(), starts: Vec::new() };
        Curve { kind, said: self.said }
    }
}

impl<K: OneSet> Curve<Grouped<K>> {
    /// As [`Curve::groups`].
    pub fn groups(mut self, column: &str) -> Self {
        self.kind.by = Some(By::Column(column.into()));
        self
    }

    /// As [`Curve::groups_of`].
    pub fn groups_of<S: ToString>(mut self, keys: impl IntoIterator<Item = S>) -> Self {
        self.kind.by = Some(By::Keys(keys.into_iter().map(|key| key.to_string()).collect()));
        self
    }

    /// The parameters that have a value for each group, by name; all others are shared. A parameter that is fixed or tied is neither: what
    /// it is tied to may be both. May be called again.
    pub fn own<S: AsRef<str>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.kind.own.extend(names.into_iter().map(|name| name.as_ref().to_owned()));
        self
    }

    /// Where a group's own parameters start, in place of [`start`](Curve::start), which holds for all groups. Groups of a column are
    /// called by their number: `"2"`, `"0.5"`.
    ///
    /// ```
    /// # fn main() -> Result<(), secant::FitError> {
    /// let curve = secant::curve("a*exp(-b*t)")?.groups("run").own(["a"]);
    /// let curve = curve.start([("a", 1.0), ("b", 0.4)]).start_of("2", [("a", 4.0)]);
    /// # drop(curve);
    /// # Ok(())
    /// # }
    /// ```
    pub fn start_of<S: AsRef<str>>(
        mut self,
        group: &str,
        values: impl IntoIterator<Item = (S, f64)>,
    ) -> Self {
        let each = values.into_iter();
        let each = each.map(|(name, value)| (group.to_owned(), name.as_ref().to_owned(), value));
        self.kind.starts.extend(each);
        self
    }

    /// Fits the curve to all groups at once.
    ///
    /// # Errors
    /// As the fit of the curve alone; a group column that is none, or an input of the formula; keys of another number than samples; an own
    /// parameter that there is none of, that is fixed or tied; starts of a group that there is none of; a method that is not one of
    /// least squares.
    pub fn fit(&self, data: &Dataset) -> Result<GroupedFit<K>, FitError> {
        self.fit_parts(self.kind.parts(&self.said, data)?)
    }

    /// Fits the curve to several data sets at once, each a group with a name. [`sigma`](Curve::sigma) is that of all samples, one set after
    /// the other.
    ///
    /// ```
    /// use secant::Dataset;
    ///
    /// let set = |t: &[f64], y: &[f64]| {
    ///     Dataset::from_slices(1, t, 1, y)?.with_feature_names(vec!["t".into()])
    /// };
    /// let cold = set(&[0.0, 1.0, 2.0, 3.0], &[2.01, 1.22, 0.73, 0.45])?;
    /// let warm = set(&[0.0, 1.0, 2.0, 4.0], &[5.02, 3.01, 1.85, 0.67])?;
    /// let curve = secant::curve("a*exp(-b*t)")?.own(["a"]);
    /// let fit = curve.fit_sets([("cold", &cold), ("warm", &warm)])?;
    /// assert_eq!(fit.groups(), ["cold", "warm"]);
    /// assert!((fit.predict("warm", &[0.0])?[0] - 5.0).abs() < 0.1);
    /// # Ok::<(), secant::FitError>(())
    /// ```
    ///
    /// # Errors
    /// As [`fit`](Self::fit); no set, two of one name, sets of other columns than the first.
    pub fn fit_sets<'d, S: AsRef<str>>(
        &self,
        sets: impl IntoIterator<Item = (S, &'d Dataset)>,
    ) -> Result<GroupedFit<K>, FitError> {
        if self.kind.by.is_some() {
            return Err(CurveError::GroupsAndSets.into());
        }
        self.fit_parts(Parts::of_sets(sets)?)
    }

    fn fit_parts(&self, parts: Parts) -> Result<GroupedFit<K>, FitError> {
        let said = &self.said;
        let met = self.kind.of.meet(said, &parts.data)?.select(&parts.order)?;
        let layout = self.layout(&met, &parts)?;
        let start = self.starts(&met, &layout, &parts)?;
        let bounds = spread(&layout, met.bounds())?;
        let problem = CurveProblem::new(met.model(), &layout, met.data());
        let (theta, note) = match start.iter().copied().collect::<Option<Vec<f64>>>() {
            Some(theta) => (theta, None),
            None => met.find(said, &layout, &start)?,
        };
        for (g, samples) in layout.groups.iter().enumerate() {
            let theta = layout.of_group(g, &theta);
            met.check_start(&theta, samples.clone(), |at| parts.order[at])?;
        }
        let (mut solution, scale) = minimize(said, problem, &bounds, &theta, None)?;
        solution.report.notes.extend(note);
        GroupedFit::new(said, met, layout, parts, (theta, bounds), solution, scale)
    }

    fn layout(&self, met: &K::Met, parts: &Parts) -> Result<Layout, FitError> {
        let mut own = Vec::new();
        for name in &self.kind.own {
            own.push(met.position(&self.said, name, "the groups' own")?);
        }
        own.sort_unstable();
        own.dedup();
        let shared = (0..met.free().len()).filter(|k| !own.contains(k));
        Ok(Layout { shared: shared.collect(), own, groups: parts.ranges.clone() })
    }

    /// Where θ starts, where that is known.
    fn starts(
        &self,
        met: &K::Met,
        layout: &Layout,
        parts: &Parts,
    ) -> Result<Vec<Option<f64>>, FitError> {
        let mut start = spread_over(layout, met.start());
        let each = self.kind.own_starts(&self.said, met, &parts.keys)?;
        for ((group, name, _), (g, k, value)) in self.kind.starts.iter().zip(each) {
            if !layout.own.contains(&k) {
                let (name, group) = (name.clone(), group.clone());
                return Err(CurveError::SharedStart { name, group }.into());
            }
            start[layout.place(g, k)] = Some(value);
        }
        Ok(start)
    }
}

impl<K: OneSet> Grouped<K> {
    /// The names of the groups' own parameters.
    pub(super) fn own(&self) -> &[String] {
        &self.own
    }

    /// The data by their groups.
    pub(super) fn parts(&self, said: &Said, data: &Dataset) -> Result<Parts, FitError> {
        Parts::of(self.by.as_ref().ok_or(CurveError::NoGroups)?, said, data)
    }

    /// The starts of single groups: group, parameter and value.
    pub(super) fn own_starts(
        &self,
        said: &Said,
        met: &impl Met,
        keys: &[String],
    ) -> Result<Vec<(usize, usize, f64)>, FitError> {
        let mut found = Vec::new();
        for (group, name, value) in &self.starts {
            let g = parts::group(keys, group, "the start of group")?;
            let k = met.position(said, name, "the start of")?;
            if !value.is_finite() {
                return Err(CurveError::Start { name: name.clone(), value: *value }.into());
            }
            let (lower, upper) = (met.bounds().lower()[k], met.bounds().upper()[k]);
            if !(lower..=upper).contains(value) {
                let (name, value) = (name.clone(), *value);
                return Err(CurveError::StartOutside { name, value, lower, upper }.into());
            }
            found.push((g, k, *value));
        }
        Ok(found)
    }
}

/// θ of which every group has the same.
fn spread_over<T: Copy + Default>(layout: &Layout, parameters: &[T]) -> Vec<T> {
    let mut theta = vec![T::default(); layout.dim()];
    for g in 0..layout.groups.len() {
        for (k, value) in parameters.iter().enumerate() {
            theta[layout.place(g, k)] = *value;
        }
    }
    theta
}

/// The bounds of the curve's parameters as those of θ.
fn spread(layout: &Layout, bounds: &Bounds) -> Result<Bounds, FitError> {
    let (lower, upper) = (bounds.lower(), bounds.upper());
    Ok(Bounds::new(spread_over(layout, lower), spread_over(layout, upper))?)
}
