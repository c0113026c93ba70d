//! `curve(…)?.groups("run").fit_many(&data)?`: one curve fitted to every group of data by itself.

use super::Curve;
use super::grouped::Grouped;
use super::model::Resolved;
use crate::curve_error::CurveError;
use crate::error::FitError;
use crate::many::FormulaGroup;
use secant_core::data::Dataset;
use secant_core::network::Network;
use secant_optim::{ManyError, ManyFits, Method, fit_many};

impl Curve<Grouped> {
    /// Fits the curve to every group by itself, nothing shared, on all threads: a table with a row for each group, in its order, see
    /// [`fit_many`](secant_optim::fit_many()). Its columns are the free parameters; bounds, σ, fixed and tied parameters hold for all groups. Without
    /// starts for all parameters one start for all groups is looked for, in a fit to all of them as one.
    ///
    /// ```
    /// use secant::Dataset;
    ///
    /// let run_and_t = [1.0, 0.0, 1.0, 1.0, 1.0, 2.0, 1.0, 3.0, 2.0, 0.0, 2.0, 1.0, 2.0, 2.0, 2.0, 4.0];
    /// let y = [2.01, 1.22, 0.73, 0.45, 5.02, 3.01, 1.85, 0.67];
    /// let data = Dataset::from_slices(2, &run_and_t, 1, &y)?
    ///     .with_feature_names(vec!["run".into(), "t".into()])?;
    /// let fits = secant::curve("a*exp(-b*t)")?.groups("run").bounds("b", 0.0..).fit_many(&data)?;
    /// assert_eq!((fits.names(), fits.successes()), (&["a".into(), "b".into()][..], 2));
    /// let second = fits.find("2").unwrap();
    /// assert!((second.theta[0] - 5.0).abs() < 0.1 && second.errors[1] < 0.05);
    /// println!("{fits}\n{}", fits.to_csv());
    /// # Ok::<(), secant::FitError>(())
    /// ```
    ///
    /// # Errors
    /// As [`fit`](Self::fit), but for what one group is: that is in its row. [`own`](Curve::own), since every parameter is each group's;
    /// [`robust`](Curve::robust), whose scale would be one for each; another method than Levenberg–Marquardt.
    pub fn fit_many(&self, data: &Dataset) -> Result<ManyFits, FitError> {
        let said = &self.said;
        if !self.kind.own().is_empty() {
            return Err(CurveError::ManyOwn.into());
        }
        if said.robust.is_some() {
            return Err(CurveError::ManyRobust.into());
        }
        let parts = self.kind.parts(said, data)?;
        let resolved = Resolved::new(said, &parts.data)?;
        let starts = self.starts_of_many(&resolved, &parts.keys)?;
        let weights = resolved.data.weights();
        let (mut order, mut ranges) = (Vec::new(), Vec::new());
        for range in &parts.ranges {
            let members = parts.order[range.clone()].iter().copied();
            let start = order.len();
            // A sample that does not count is no residual.
            order.extend(members.filter(|i| weights.is_none_or(|weights| weights[*i] > 0.0)));
            ranges.push(start..order.len());
        }
        let rows = Rows::of(&resolved.data.select(&order)?);
        let (c, d) = (resolved.formula.outputs(), resolved.data.features());
        let groups: Result<Vec<FormulaGroup<'_>>, ManyError> = ranges
            .iter()
            .map(|range| {
                let of = |per: usize| range.start * per..range.end * per;
                let (inputs, targets) = (&rows.inputs[of(d)], &rows.targets[of(c)]);
                let group = FormulaGroup::new(&resolved.formula, inputs, targets)?;
                match &rows.sigma {
                    Some(sigma) => group.with_sigma(&sigma[of(c)]),
                    None => Ok(group),
                }
            })
            .collect();
        let mut many = fit_many(groups.map_err(FitError::from)?)
            .keys(&parts.keys)
            .starts(starts)
            .absolute_sigma(said.absolute_sigma);
        if !resolved.bounds.is_free() {
            many = many.bounds(resolved.bounds.clone());
        }
        match &said.method {
            None => {}
            Some(Method::LevenbergMarquardt(method)) => many = many.method(method.clone()),
            Some(other) => return Err(CurveError::ManyMethod { method: other.name() }.into()),
        }
        if let Some(stopping) = &said.stopping {
            many = many.stopping(stopping.clone());
        }
        if let Some(iterations) = said.max_iterations {
            many = many.max_iterations(iterations);
        }
        if let Some(interrupt) = &said.interrupt {
            many = many.interrupt(interrupt);
        }
        Ok(many.run()?)
    }

    /// n numbers of each group: what was said of it, of all groups, or found.
    fn starts_of_many(&self, resolved: &Resolved, keys: &[String]) -> Result<Vec<f64>, FitError> {
        let said = &self.said;
        let common = match resolved.whole_start() {
            Some(theta) => theta,
            None => said.search(resolved, &Network::from(resolved.formula.graph()?))?.0,
        };
        let mut starts = common.repeat(keys.len());
        let n = common.len();
        for (g, j, value) in self.kind.own_starts(said, resolved, keys)? {
            starts[g * n + j] = value;
        }
        Ok(starts)
    }
}

/// The samples, group by group.
struct Rows {
    inputs: Vec<f64>,
    /// Less the offset.
    targets: Vec<f64>,
    /// 1/√w of each target.
    sigma: Option<Vec<f64>>,
}

impl Rows {
    fn of(data: &Dataset) -> Self {
        let (c, samples) = (data.outputs(), data.samples());
        let mut offset = vec![0.0; c * samples];
        data.add_offset(&mut offset);
        let y = data.targets().values().unwrap_or_default();
        let targets = y.iter().zip(&offset).map(|(y, offset)| y - offset).collect();
        let each = |weights: &[f64]| {
            weights.iter().flat_map(|w| std::iter::repeat_n(w.sqrt().recip(), c)).collect()
        };
        Self { inputs: data.inputs().to_vec(), targets, sigma: data.weights().map(each) }
    }
}
