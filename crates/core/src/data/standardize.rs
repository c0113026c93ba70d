//! z = (x − mean) / deviation for every row of a table; the deviation is that of the population, √(Σ(x − mean)²/N).

mod sparse;

use super::columns::check_count;
use super::moments::Moments;
use super::numbers::Numbers;
use super::scale::Scale;
use super::{DataError, Dataset, RunningMoments, Targets};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Means and deviations of the rows of a table, and the way there and back.
///
/// A constant row (deviation 0) goes to 0 and comes back as its mean; [`constant_names`](Self::constant_names) reports
/// it. Fit on the training samples and apply to all.
///
/// ```
/// use secant_core::data::{Dataset, Standardizer};
/// let data = Dataset::from_slices(2, &[1.0, 5.0, 3.0, 5.0], 1, &[0.0, 1.0])?;
/// let scaling = Standardizer::fit_inputs(&data);
/// assert_eq!((scaling.means(), scaling.deviations()), (&[2.0, 5.0][..], &[1.0, 0.0][..]));
/// assert_eq!(scaling.transform_inputs(&data)?.inputs(), [-1.0, 0.0, 1.0, 0.0]);
/// assert_eq!(scaling.constant_names(), ["x2"]);
/// # Ok::<(), secant_core::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Standardizer {
    names: Vec<String>,
    means: Vec<f64>,
    deviations: Vec<f64>,
}

impl Standardizer {
    /// A scaling with given numbers: mean 0 and deviation 16 divide by 16. One name, mean and deviation per row.
    ///
    /// # Errors
    /// Lengths that differ, no rows, a NaN or infinity, a negative deviation.
    pub fn new(
        names: Vec<String>,
        means: Vec<f64>,
        deviations: Vec<f64>,
    ) -> Result<Self, DataError> {
        let expected = names.len();
        if expected == 0 {
            return Err(DataError::NoData { file: None, what: "rows to scale" });
        }
        check_count("means", expected, means.len())?;
        check_count("deviations", expected, deviations.len())?;
        super::columns::check_finite(expected, means[..].into(), "means", &names)?;
        super::columns::check_finite(expected, deviations[..].into(), "deviations", &names)?;
        if let Some(row) = deviations.iter().position(|&deviation| deviation < 0.0) {
            return Err(DataError::NegativeDeviation {
                name: names[row].clone(),
                found: deviations[row],
            });
        }
        Ok(Self { names, means, deviations })
    }

    /// Mean and deviation of every feature, by the weights of the samples where there are some. Of sparse inputs from the entries and the
    /// number of zeros: the same numbers.
    pub fn fit_inputs(data: &Dataset) -> Self {
        if let Some(inputs) = data.sparse() {
            let (means, deviations) = sparse::moments_of(inputs, data.weights());
            return Self { names: data.feature_names().to_vec(), means, deviations };
        }
        Self::fit_dense(data).0
    }

    /// With the least and the largest value of each feature that counts.
    fn fit_dense(data: &Dataset) -> (Self, [Vec<f64>; 2]) {
        let names = data.feature_names();
        match (data.table().moments(), data.weights()) {
            (Some(moments), None) => Self::of_moments(Moments::clone(moments), names),
            (_, weights) => Self::fit(data.features(), data.unscaled_inputs(), names, weights),
        }
    }

    /// [`fit_inputs`](Self::fit_inputs), [scaling only](Self::scale_only) where they are not `centred`, and `data` with inputs standardised so,
    /// as [`share_inputs`](Self::share_inputs) has them, without another look at the table.
    ///
    /// # Errors
    /// As there.
    pub fn standardized(data: &Dataset, centred: bool) -> Result<(Self, Dataset), DataError> {
        let wanted = |scaling: Self| if centred { scaling } else { scaling.scale_only() };
        if data.sparse().is_some() {
            let scaling = wanted(Self::fit_inputs(data));
            let scaled = scaling.transform_inputs(data)?;
            return Ok((scaling, scaled));
        }
        let (scaling, [least, most]) = Self::fit_dense(data);
        let scaling = wanted(scaling);
        let scale = scaling.scale();
        // Samples of weight 0 may lie anywhere.
        let finite =
            data.weights().is_none() && scale.writes_finite(&least) && scale.writes_finite(&most);
        let scaled =
            if finite { data.read_by(scale, Self::COPIED) } else { scaling.share_inputs(data)? };
        Ok((scaling, scaled))
    }

    /// Mean and deviation of every numeric target, by the weights of the samples where there are some.
    ///
    /// # Errors
    /// Where the targets are labels.
    pub fn fit_targets(data: &Dataset) -> Result<Self, DataError> {
        match data.targets() {
            Targets::Values { rows, values } => {
                Ok(Self::fit(*rows, values[..].into(), data.target_names(), data.weights()).0)
            }
            Targets::Labels { classes, .. } => Err(labels("scaling of targets", *classes)),
        }
    }

    /// With the least and the largest value of each row that counts.
    fn fit(
        rows: usize,
        values: Numbers<'_>,
        names: &[String],
        weights: Option<&[f64]>,
    ) -> (Self, [Vec<f64>; 2]) {
        Self::of_moments(super::moments::moments(rows, values, weights), names)
    }

    fn of_moments(moments: Moments, names: &[String]) -> (Self, [Vec<f64>; 2]) {
        let Moments { means, deviations, least, most, .. } = moments;
        (Self { names: names.to_vec(), means, deviations }, [least, most])
    }

    /// The same without centring: x/deviation, which keeps zeros zeros.
    pub fn scale_only(mut self) -> Self {
        self.means.fill(0.0);
        self
    }

    /// The names of the rows.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The means.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// The population deviations; 0 for a constant row.
    pub fn deviations(&self) -> &[f64] {
        &self.deviations
    }

    /// The rows that carry no information, from 0: all their values are equal.
    pub fn constant(&self) -> Vec<usize> {
        (0..self.names.len()).filter(|&row| self.deviations[row] == 0.0).collect()
    }

    /// The names of the constant rows.
    pub fn constant_names(&self) -> Vec<&str> {
        self.constant().into_iter().map(|row| self.names[row].as_str()).collect()
    }

    /// Standardises `values`, rows × M column-major, in place.
    ///
    /// # Errors
    /// A length that the number of rows does not divide.
    pub fn apply(&self, values: &mut [f64]) -> Result<(), DataError> {
        self.check_whole(values)?;
        self.scale().apply(values);
        Ok(())
    }

    /// What takes whole samples there.
    pub(crate) fn scale(&self) -> Scale {
        Scale::new(&self.means, &self.deviations)
    }

    /// Takes standardised `values`, rows × M column-major, back in place: x = mean + deviation · z.
    ///
    /// # Errors
    /// A length that the number of rows does not divide.
    pub fn undo(&self, values: &mut [f64]) -> Result<(), DataError> {
        self.check_whole(values)?;
        self.scale().undo(values);
        Ok(())
    }

    fn check_whole(&self, values: &[f64]) -> Result<(), DataError> {
        let rows = self.names.len();
        let whole = values.len().div_ceil(rows) * rows;
        check_count("values to scale", whole, values.len())
    }

    /// `data` with its inputs standardised. Sparse inputs stay sparse: their entries are divided by the deviations, and what is taken off all
    /// samples alike goes to [`SparseInputs::centre`](super::SparseInputs::centre).
    ///
    /// # Errors
    /// Another number of features than this was fitted on; values so far from the fitted ones that they overflow.
    pub fn transform_inputs(&self, data: &Dataset) -> Result<Dataset, DataError> {
        check_count("features", self.names.len(), data.features())?;
        if let Some(inputs) = data.sparse() {
            let scaled = inputs.standardized(&self.means, &self.deviations)?;
            return data.with_columns(scaled.into(), data.shared_targets());
        }
        let table = data.checked_inputs(data.unscaled_inputs().copied(Some(&self.scale())))?;
        data.with_columns(table, data.shared_targets())
    }

    /// The numbers of [`transform_inputs`](Self::transform_inputs), bit for bit, without a copy of a long table: the data set shares the table of
    /// `data`, and every evaluation standardises the samples that it reads, a tile at a time: for each number a division more. A table of
    /// [`COPIED`](Self::COPIED) bytes of `f64` or less is copied, and sparse inputs are. Whoever asks for [`Dataset::inputs`] gets a copy.
    ///
    /// ```
    /// use secant_core::data::{Dataset, Standardizer};
    /// let data = Dataset::from_slices(2, &[1.0, 5.0, 3.0, 5.0], 1, &[0.0, 1.0])?;
    /// let scaling = Standardizer::fit_inputs(&data);
    /// let (mut one, two) = ([0.0; 2], scaling.transform_inputs(&data)?);
    /// scaling.share_inputs(&data)?.write_sample(1, &mut one);
    /// assert_eq!(one, two.sample(1));
    /// # Ok::<(), secant_core::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// As there.
    pub fn share_inputs(&self, data: &Dataset) -> Result<Dataset, DataError> {
        self.share_inputs_above(Self::COPIED, data)
    }

    /// [`share_inputs`](Self::share_inputs) of tables of more than so many bytes of `f64`.
    ///
    /// # Errors
    /// As there.
    pub fn share_inputs_above(&self, copied: usize, data: &Dataset) -> Result<Dataset, DataError> {
        check_count("features", self.names.len(), data.features())?;
        if data.sparse().is_some() {
            return self.transform_inputs(data);
        }
        let scale = self.scale();
        let task = scale.task();
        let finite = |out: &mut Vec<f64>, values: Numbers<'_>| {
            Numbers::from(values.read(Some(&scale), out)).all_finite()
        };
        let parts = data.unscaled_inputs().par_chunks(task);
        let all = parts.map_init(Vec::new, finite).all(|part| part);
        // The copy has the words for the number that overflows.
        if all { Ok(data.read_by(scale, copied)) } else { self.transform_inputs(data) }
    }

    /// Bytes of a table that is copied where it is standardised: in the caches a division for each number and evaluation would cost more.
    pub const COPIED: usize = 16 << 20;

    /// `data` with its numeric targets standardised.
    ///
    /// # Errors
    /// Labels; an offset beside the targets; another number of targets than this was fitted on; values that overflow.
    pub fn transform_targets(&self, data: &Dataset) -> Result<Dataset, DataError> {
        let (rows, values) = match data.targets() {
            Targets::Values { rows, values } => (*rows, Numbers::from(&values[..])),
            Targets::Labels { classes, .. } => return Err(labels("scaling of targets", *classes)),
        };
        if data.offset().is_some() {
            return Err(DataError::OffsetOfScaledTargets);
        }
        check_count("targets", self.names.len(), rows)?;
        let values = values.copied(Some(&self.scale()));
        data.with_columns(data.table().clone(), Targets::Values { rows, values })
    }
}

fn labels(op: &'static str, classes: usize) -> DataError {
    DataError::LabelsNotValues { op, classes }
}

/// What a file holds: read back through [`Standardizer::new`], so that a damaged file is refused.
#[derive(Serialize, Deserialize)]
struct Parts {
    names: Vec<String>,
    means: Vec<f64>,
    deviations: Vec<f64>,
}

impl TryFrom<Parts> for Standardizer {
    type Error = DataError;

    fn try_from(parts: Parts) -> Result<Self, DataError> {
        Self::new(parts.names, parts.means, parts.deviations)
    }
}

impl From<Standardizer> for Parts {
    fn from(scaling: Standardizer) -> Self {
        let Standardizer { names, means, deviations } = scaling;
        Self { names, means, deviations }
    }
}

impl RunningMoments {
    /// The standardizer of rows with these names, once all samples were added.
    ///
    /// # Errors
    /// Samples that are missing; a row of numbers whose squares leave the range of `f64`, or are lost below it, which takes all of its numbers
    /// at once; other names than rows.
    pub fn standardizer(&self, names: Vec<String>) -> Result<Standardizer, DataError> {
        let (means, deviations) = self.means_and_deviations()?;
        Standardizer::new(names, means, deviations)
    }
}
