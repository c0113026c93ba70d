//! The table itself, and the ways into it from memory.

use std::ops::Range;
use std::sync::Arc;

use faer::MatRef;

use super::columns::{check_count, check_finite, gather, gather_into};
use super::inputs::{DoubleTable, Held, InputTable, ReadTable};
use super::moments::moments;
use super::numbers::Numbers;
use super::scale::Scale;
use super::shared::{SharedNumbers, SharedSingles};
use super::{DataError, Encoding, SparseInputs, Targets};

/// N samples with their targets, all finite, at least one.
///
/// ```
/// use secant_core::data::Dataset;
/// // Two features, three samples; one target each.
/// let data = Dataset::from_slices(2, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 1, &[1.0, 5.0, 9.0])?;
/// assert_eq!((data.features(), data.samples(), data.outputs()), (2, 3, 1));
/// assert_eq!(data.inputs_mat()[(1, 2)], 5.0);
///
/// let error = Dataset::from_slices(2, &[0.0, 1.0, 2.0, f64::NAN], 1, &[1.0, 5.0]).unwrap_err();
/// assert_eq!(error.to_string(), "sample 1 (from 0), column \"x2\": expected a finite number, found NaN");
/// # Ok::<(), secant_core::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    features: usize,
    table: InputTable,
    /// Copies share them.
    targets: Arc<Targets>,
    feature_names: Vec<String>,
    target_names: Vec<String>,
    class_names: Vec<String>,
    /// wᵢ ≥ 0, N of them; 1 each where there are none.
    pub(super) weights: Option<Vec<f64>>,
    pub(super) offset: Option<Offset>,
    /// How the columns of a table became the inputs, where they did.
    pub(super) encoding: Option<Arc<Encoding>>,
}

/// Numbers that are added to the outputs of the samples.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Offset {
    pub(super) rows: usize,
    /// rows × N, column-major.
    pub(super) values: Vec<f64>,
}

impl Dataset {
    /// Takes inputs (`features` × N, column-major: a sample is contiguous) and their targets.
    /// Features are named `x1`, `x2`, …; targets `y`, or `y1`, `y2`, ….
    ///
    /// # Errors
    /// No features, samples, outputs or classes; lengths that do not fit; NaN or infinity; a label out of range.
    pub fn new(features: usize, inputs: Vec<f64>, targets: Targets) -> Result<Self, DataError> {
        Self::from_shared(features, Arc::new(inputs), targets)
    }

    /// Reads inputs (`features` × N, column-major) where they are, for as long as this data set or a copy of it lives: those of a file that is mapped into
    /// memory, of another language, or of several data sets. They are looked at once, here, and must not change. Names as in
    /// [`Dataset::new`].
    ///
    /// ```
    /// use secant_core::data::{Dataset, Targets};
    /// use std::sync::Arc;
    /// let inputs = Arc::new(vec![0.0, 1.0, 2.0, 3.0]);
    /// let targets = Targets::Values { rows: 1, values: vec![1.0, 2.0] };
    /// let data = Dataset::from_shared(2, inputs.clone(), targets)?;
    /// assert_eq!(data.inputs().as_ptr(), inputs.as_ptr());
    /// # Ok::<(), secant_core::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Dataset::new`].
    pub fn from_shared(
        features: usize,
        inputs: SharedNumbers,
        targets: Targets,
    ) -> Result<Self, DataError> {
        Self::from_held(features, inputs.into(), targets)
    }

    /// [`from_shared`](Self::from_shared) of numbers in single precision: they stay `f32`, in half the memory, and every evaluation widens those
    /// that it reads, a tile at a time. All arithmetic is that of `f64`, and all results have the bits of a table that was widened before. Parts of
    /// the samples are `f32` too. Whoever asks for [`inputs`](Self::inputs) gets a widened copy, which is kept.
    ///
    /// ```
    /// use secant_core::data::{Dataset, Targets};
    /// use std::sync::Arc;
    /// let inputs = Arc::new(vec![0.5_f32, 1.0, 2.0, 3.0]);
    /// let targets = Targets::Values { rows: 1, values: vec![1.0, 2.0] };
    /// let data = Dataset::from_shared_f32(2, inputs.clone(), targets)?;
    /// assert_eq!(data.single_inputs().unwrap().as_ptr(), inputs.as_ptr());
    /// # Ok::<(), secant_core::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Dataset::new`].
    pub fn from_shared_f32(
        features: usize,
        inputs: SharedSingles,
        targets: Targets,
    ) -> Result<Self, DataError> {
        Self::from_held(features, inputs.into(), targets)
    }

    /// [`from_shared`](Self::from_shared) of inputs that are to be standardised: one pass over them says whether they are finite and takes their
    /// means and deviations, which [`Standardizer::fit_inputs`](super::Standardizer::fit_inputs) and
    /// [`Standardizer::standardized`](super::Standardizer::standardized) then have. Of samples with weights these take others.
    ///
    /// ```
    /// use secant_core::data::{Dataset, Standardizer, Targets};
    /// use std::sync::Arc;
    /// let targets = Targets::Values { rows: 1, values: vec![1.0, 2.0] };
    /// let data = Dataset::from_shared_with_moments(1, Arc::new(vec![3.0, 5.0]), targets)?;
    /// assert_eq!(Standardizer::fit_inputs(&data).means(), [4.0]);
    /// # Ok::<(), secant_core::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Dataset::new`].
    pub fn from_shared_with_moments(
        features: usize,
        inputs: SharedNumbers,
        targets: Targets,
    ) -> Result<Self, DataError> {
        let numbers = (*inputs).as_ref();
        let whole = !numbers.is_empty() && numbers.len().checked_rem(features) == Some(0);
        let moments = whole.then(|| moments(features, numbers.into(), None));
        let Some(moments) = moments.filter(|moments| moments.finite) else {
            // The look for what is wrong, if anything is.
            return Self::from_shared(features, inputs, targets);
        };
        let samples = numbers.len() / features;
        let (feature_names, target_names) = (numbered("x", features), target_names(&targets));
        let table = InputTable::Dense(DoubleTable::new(inputs, Some(Arc::new(moments))));
        Self::checked(features, samples, table, targets, feature_names, target_names)
    }

    fn from_held(features: usize, inputs: Held, targets: Targets) -> Result<Self, DataError> {
        let feature_names = numbered("x", features.min(inputs.numbers().len()));
        let target_names = target_names(&targets);
        Self::named(features, inputs, targets, feature_names, target_names)
    }

    /// Takes sparse inputs and their targets: every evaluation then works on the entries alone, for models whose nodes take the data so, such
    /// as [`Dense`](crate::op::Dense). Names as in [`Dataset::new`].
    ///
    /// # Errors
    /// No outputs or classes; another number of targets than samples; NaN or infinity; a label out of range.
    pub fn from_sparse(inputs: SparseInputs, targets: Targets) -> Result<Self, DataError> {
        let feature_names = numbered("x", inputs.features());
        let target_names = target_names(&targets);
        let (features, samples) = (inputs.features(), inputs.samples());
        Self::checked(features, samples, inputs.into(), targets, feature_names, target_names)
    }

    /// [`Dataset::new`] with the names of the columns, so that an error can use them.
    pub(super) fn named(
        features: usize,
        inputs: impl Into<Held>,
        targets: Targets,
        feature_names: Vec<String>,
        target_names: Vec<String>,
    ) -> Result<Self, DataError> {
        let inputs: Held = inputs.into();
        let empty = |what| Err(DataError::NoData { file: None, what });
        if features == 0 {
            return empty("features");
        }
        let numbers = inputs.numbers();
        if numbers.len() == 0 {
            return empty("samples");
        }
        check_finite(features, numbers, "input values", &feature_names)?;
        let samples = numbers.len() / features;
        Self::checked(features, samples, inputs.into(), targets, feature_names, target_names)
    }

    /// Inputs that were looked at, with their targets.
    fn checked(
        features: usize,
        samples: usize,
        table: InputTable,
        targets: impl Into<Arc<Targets>>,
        feature_names: Vec<String>,
        target_names: Vec<String>,
    ) -> Result<Self, DataError> {
        let targets = targets.into();
        targets.check(&target_names)?;
        if targets.samples() != samples {
            return Err(DataError::WrongLength {
                what: "samples in the targets",
                expected: samples,
                found: targets.samples(),
            });
        }
        let class_names = Vec::new();
        Ok(Self {
            features,
            table,
            targets,
            feature_names,
            target_names,
            class_names,
            weights: None,
            offset: None,
            encoding: None,
        })
    }

    /// Copies inputs (`features` × N) and numeric targets (`outputs` × N), both column-major.
    ///
    /// # Errors
    /// As [`Dataset::new`].
    pub fn from_slices(
        features: usize,
        inputs: &[f64],
        outputs: usize,
        targets: &[f64],
    ) -> Result<Self, DataError> {
        let targets = Targets::Values { rows: outputs, values: targets.to_vec() };
        Self::new(features, inputs.to_vec(), targets)
    }

    /// Copies inputs (`features` × N, column-major) and N labels, each in 0, …, `classes` − 1.
    ///
    /// # Errors
    /// As [`Dataset::new`].
    pub fn from_labels(
        features: usize,
        inputs: &[f64],
        classes: usize,
        labels: &[u32],
    ) -> Result<Self, DataError> {
        let targets = Targets::Labels { classes, labels: labels.to_vec() };
        Self::new(features, inputs.to_vec(), targets)
    }

    /// Copies faer views: inputs d × N, targets c × N; a sample is a column.
    ///
    /// # Errors
    /// As [`Dataset::new`].
    pub fn from_faer(inputs: MatRef<'_, f64>, targets: MatRef<'_, f64>) -> Result<Self, DataError> {
        check_samples(inputs.ncols(), targets.ncols())?;
        let copy = |matrix: MatRef<'_, f64>| {
            let columns = 0..matrix.ncols();
            columns.flat_map(|j| (0..matrix.nrows()).map(move |i| matrix[(i, j)])).collect()
        };
        let values: Vec<f64> = copy(targets);
        let rows = targets.nrows();
        Self::new(inputs.nrows(), copy(inputs), Targets::Values { rows, values })
    }

    /// Copies ndarray views, where a sample is a **row** as that world has it: inputs N × d, targets N × c.
    ///
    /// # Errors
    /// As [`Dataset::new`].
    #[cfg(feature = "ndarray")]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a view is a reference already, and is what `.view()` gives"
    )]
    pub fn from_ndarray(
        inputs: ndarray::ArrayView2<'_, f64>,
        targets: ndarray::ArrayView2<'_, f64>,
    ) -> Result<Self, DataError> {
        check_samples(inputs.nrows(), targets.nrows())?;
        // The logical (row-major) order of N × d is the column-major order of d × N.
        let values = targets.iter().copied().collect();
        let rows = targets.ncols();
        Self::new(
            inputs.ncols(),
            inputs.iter().copied().collect(),
            Targets::Values { rows, values },
        )
    }

    /// Copies nalgebra matrices or views of any storage and stride, a sample a column: inputs d × N, targets c × N.
    ///
    /// # Errors
    /// As [`Dataset::new`].
    #[cfg(feature = "nalgebra")]
    pub fn from_nalgebra<R1, C1, S1, R2, C2, S2>(
        inputs: &nalgebra::Matrix<f64, R1, C1, S1>,
        targets: &nalgebra::Matrix<f64, R2, C2, S2>,
    ) -> Result<Self, DataError>
    where
        R1: nalgebra::Dim,
        C1: nalgebra::Dim,
        S1: nalgebra::RawStorage<f64, R1, C1>,
        R2: nalgebra::Dim,
        C2: nalgebra::Dim,
        S2: nalgebra::RawStorage<f64, R2, C2>,
    {
        check_samples(inputs.ncols(), targets.ncols())?;
        // nalgebra iterates column by column, whatever the strides.
        let inputs_copy: Vec<f64> = inputs.iter().copied().collect();
        let targets_copy: Vec<f64> = targets.iter().copied().collect();
        Self::from_slices(inputs.nrows(), &inputs_copy, targets.nrows(), &targets_copy)
    }

    /// Names the d features.
    ///
    /// # Errors
    /// Where there are not d names.
    pub fn with_feature_names(mut self, names: Vec<String>) -> Result<Self, DataError> {
        check_count("feature names", self.features, names.len())?;
        self.encoding = None;
        self.feature_names = names;
        Ok(self)
    }

    /// Names the targets: c names for values, one for labels.
    ///
    /// # Errors
    /// Where the number of names differs.
    pub fn with_target_names(mut self, names: Vec<String>) -> Result<Self, DataError> {
        check_count("target names", self.targets.columns(), names.len())?;
        self.encoding = None;
        self.target_names = names;
        Ok(self)
    }

    /// Names the classes.
    ///
    /// # Errors
    /// Where the number of names is not that of the classes, or the targets are values (no names fit).
    pub fn with_class_names(mut self, names: Vec<String>) -> Result<Self, DataError> {
        let classes = match &*self.targets {
            Targets::Labels { classes, .. } => *classes,
            Targets::Values { .. } => 0,
        };
        check_count("class names", classes, names.len())?;
        self.class_names = names;
        Ok(self)
    }

    /// d, the number of features.
    pub fn features(&self) -> usize {
        self.features
    }

    /// N, the number of samples.
    pub fn samples(&self) -> usize {
        self.table.samples(self.features)
    }

    /// c for numeric targets; the number of classes for labels.
    pub fn outputs(&self) -> usize {
        self.targets.outputs()
    }

    /// The inputs, d × N column-major.
    ///
    /// Of sparse inputs, of those that are stored as `f32`, and of those that
    /// [`Standardizer::share_inputs`](super::Standardizer::share_inputs) standardises when they are read, this makes the dense table at the first call,
    /// of whatever size, and keeps it: 8·d·N bytes. Fits and predictions do not ask for it; [`dense_inputs`](Self::dense_inputs) asks with a limit.
    pub fn inputs(&self) -> &[f64] {
        self.table.dense()
    }

    /// The same, refused where the table of sparse inputs would take more than the readers' limit, [`MAX_BYTES`](super::MAX_BYTES).
    ///
    /// # Errors
    /// [`DataError::NeedsDense`].
    pub fn dense_inputs(&self) -> Result<&[f64], DataError> {
        if let Some(inputs) = self.sparse() {
            inputs.check_dense(super::MAX_BYTES)?;
        }
        Ok(self.inputs())
    }

    /// The inputs, d × N column-major, where they are stored as `f32` and are those that the model sees: not standardised.
    pub fn single_inputs(&self) -> Option<&[f32]> {
        match &self.table {
            InputTable::Read(table) if table.scale().is_none() => table.raw().single(),
            _ => None,
        }
    }

    /// The inputs as entries, where the data set was made of such; `None` for a dense table.
    pub fn sparse(&self) -> Option<&SparseInputs> {
        self.table.sparse()
    }

    /// Entries of a sample on the average, where the inputs are sparse.
    pub(crate) fn filled(&self) -> Option<f64> {
        self.sparse().map(|inputs| inputs.filled() as f64 / inputs.samples() as f64)
    }

    pub(super) fn table(&self) -> &InputTable {
        &self.table
    }

    /// The inputs as a d × N matrix view, as [`inputs`](Self::inputs).
    pub fn inputs_mat(&self) -> MatRef<'_, f64> {
        MatRef::from_column_major_slice(self.inputs(), self.features, self.samples())
    }

    /// `out` ← the inputs of the samples that `indices` names, in that order, from a dense table. Allocates nothing where `out` has room.
    pub(crate) fn gather_inputs(&self, indices: &[usize], out: &mut Vec<f64>) {
        let d = self.features;
        let Some(table) = self.table.read() else {
            return gather_into(d, self.inputs(), indices, out);
        };
        out.resize(d * indices.len(), 0.0);
        for (&index, out) in indices.iter().zip(out.chunks_exact_mut(d)) {
            table.write(index * d..(index + 1) * d, out);
        }
    }

    /// The inputs of the samples in `range`, d × B, from a dense table: as they stand there, or widened and standardised into `out`, which
    /// allocates nothing where it has room.
    pub(crate) fn input_tile<'t>(
        &'t self,
        range: &Range<usize>,
        out: &'t mut Vec<f64>,
    ) -> &'t [f64] {
        let numbers = range.start * self.features..range.end * self.features;
        let Some(table) = self.table.read() else { return &self.inputs()[numbers] };
        table.raw().range(numbers).read(table.scale(), out)
    }

    /// Numbers of the buffer that [`input_tile`](Self::input_tile) wants for so many samples.
    pub(crate) fn tile_numbers(&self, samples: usize) -> usize {
        self.table.read().map_or(0, |_| samples * self.features)
    }

    /// The dense table as it stands, and how it is standardised when it is read.
    pub(crate) fn stored_inputs(&self) -> (Numbers<'_>, Option<&Scale>) {
        match self.table.read() {
            None => (self.inputs().into(), None),
            Some(table) => (table.raw(), table.scale()),
        }
    }

    /// The dense table as it stands where it is not standardised, else the copy that [`inputs`](Self::inputs) makes.
    pub(crate) fn unscaled_inputs(&self) -> Numbers<'_> {
        self.table.unscaled()
    }

    /// The same samples, whose inputs, from a dense table, the model sees by `scale`: in a copy of up to `copied` bytes, else when it reads
    /// them. All of these are finite.
    pub(crate) fn read_by(&self, scale: Scale, copied: usize) -> Self {
        let raw = match &self.table {
            InputTable::Dense(table) => Some(table.held()),
            InputTable::Read(table) if table.scale().is_none() => Some(table.held().clone()),
            // What is standardised already has no table for a second time.
            _ => None,
        };
        let numbers = self.features * self.samples();
        let table = match raw {
            Some(raw) if numbers * size_of::<f64>() > copied => {
                InputTable::Read(ReadTable::new(raw, Some(Arc::new(scale))))
            }
            _ => self.unscaled_inputs().copied(Some(&scale)).into(),
        };
        Self { table, encoding: None, ..self.clone() }
    }

    /// The inputs of the samples that `indices` names.
    pub(super) fn gathered(&self, indices: &[usize]) -> InputTable {
        match &self.table {
            InputTable::Dense(table) => gather(self.features, table.values(), indices).into(),
            InputTable::Read(table) => InputTable::Read(table.gathered(self.features, indices)),
            InputTable::Sparse(table) => table.inputs().select(indices).into(),
        }
    }

    /// One sample's d inputs, as [`inputs`](Self::inputs). Of sparse inputs [`SparseInputs::row`] has the entries of a sample alone.
    ///
    /// # Panics
    /// Where `index` ≥ N, as a slice does.
    pub fn sample(&self, index: usize) -> &[f64] {
        &self.inputs()[index * self.features..(index + 1) * self.features]
    }

    /// `out` (d numbers) ← the inputs of sample `index`, zeros included; of sparse inputs, and of those that are widened or standardised when they
    /// are read, without the dense table.
    ///
    /// # Panics
    /// Where `index` ≥ N or `out` has another length, as slices do.
    pub fn write_sample(&self, index: usize, out: &mut [f64]) {
        let d = self.features;
        match &self.table {
            InputTable::Dense(table) => {
                out.copy_from_slice(&table.values()[index * d..(index + 1) * d]);
            }
            InputTable::Read(table) => {
                assert_eq!(out.len(), d, "numbers for a sample");
                table.write(index * d..(index + 1) * d, out);
            }
            InputTable::Sparse(table) => table.inputs().write_sample(index, out),
        }
    }

    /// The targets.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// The same, shared.
    pub(super) fn shared_targets(&self) -> Arc<Targets> {
        Arc::clone(&self.targets)
    }

    /// The d names of the features.
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// The c names of numeric targets; the one name of the label column.
    pub fn target_names(&self) -> &[String] {
        &self.target_names
    }

    /// The names of the classes, in the order of the labels; empty where none were given.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// How the columns of a [`Table`](super::Table) became the inputs; kept by [`select`](Self::select) and what is made of it, not where inputs
    /// or names are changed.
    pub fn encoding(&self) -> Option<&Arc<Encoding>> {
        self.encoding.as_ref()
    }

    /// The same samples with every input x replaced by `formula(x)`, as in `|pixel| pixel / 16.0`. Sparse inputs stay sparse.
    ///
    /// # Errors
    /// Where the formula gives a NaN or an infinity; for sparse inputs where it makes something else than 0 of 0, or where these are
    /// standardised.
    pub fn map_inputs(&self, formula: impl Fn(f64) -> f64) -> Result<Self, DataError> {
        let table = match &self.table {
            InputTable::Sparse(table) => table.inputs().map(formula)?.into(),
            dense => {
                let values = dense.unscaled().iter().map(formula).collect();
                self.checked_inputs(values)?
            }
        };
        self.with_columns(table, self.targets.clone())
    }

    /// Changed inputs and targets of the same samples.
    pub(super) fn with_columns(
        &self,
        table: InputTable,
        targets: impl Into<Arc<Targets>>,
    ) -> Result<Self, DataError> {
        let mut data = self.rebuild(table, targets)?;
        data.weights.clone_from(&self.weights);
        data.offset.clone_from(&self.offset);
        Ok(data)
    }

    /// The same inputs with other targets, without weights and offsets.
    ///
    /// # Errors
    /// As [`Dataset::new`].
    pub fn with_targets(&self, targets: Targets) -> Result<Self, DataError> {
        let names = target_names(&targets);
        let (samples, table) = (self.samples(), self.table.clone());
        Self::checked(self.features, samples, table, targets, self.feature_names.clone(), names)
    }

    /// Other numbers for the same columns.
    ///
    /// # Errors
    /// NaN or infinity, with its sample and column.
    pub(super) fn checked_inputs(&self, values: Vec<f64>) -> Result<InputTable, DataError> {
        check_finite(self.features, values[..].into(), "input values", &self.feature_names)?;
        Ok(values.into())
    }

    /// The same names over other samples of the same columns, all finite, without weights and offsets.
    pub(super) fn rebuild(
        &self,
        table: InputTable,
        targets: impl Into<Arc<Targets>>,
    ) -> Result<Self, DataError> {
        let (features, named) = (self.feature_names.clone(), self.target_names.clone());
        let samples = table.samples(self.features);
        if samples == 0 {
            return Err(DataError::NoData { file: None, what: "samples" });
        }
        let mut data = Self::checked(self.features, samples, table, targets, features, named)?;
        data.class_names.clone_from(&self.class_names);
        Ok(data)
    }
}

/// `x1`, `x2`, …; a single `y` has no number.
fn numbered(prefix: &str, count: usize) -> Vec<String> {
    match (prefix, count) {
        ("y", 1) => vec!["y".to_owned()],
        _ => (1..=count).map(|index| format!("{prefix}{index}")).collect(),
    }
}

/// No more names than numbers: where there are more columns than that, the lengths do not fit and are refused.
fn target_names(targets: &Targets) -> Vec<String> {
    let columns = match targets {
        Targets::Values { rows, values } => *(rows.min(&values.len())),
        Targets::Labels { .. } => targets.columns(),
    };
    numbered("y", columns)
}

/// The targets have as many samples as the inputs; told before the numbers are copied.
fn check_samples(inputs: usize, targets: usize) -> Result<(), DataError> {
    check_count("samples in the targets", inputs, targets)
}
