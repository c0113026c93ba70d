//! Folds of cross-validation: which samples are put aside together.

use secant_core::data::{Dataset, Targets};
use secant_core::random::Random;
use secant_core::text::quoted;

/// How samples are shared out into folds: each is put aside once, in its fold, while a model is fitted to the others.
///
/// ```
/// use secant::{Dataset, Folds};
/// let data = Dataset::from_slices(1, &[0.0, 1.0, 2.0, 3.0, 4.0], 1, &[0.0, 1.0, 2.0, 3.0, 5.0])?;
/// let folds = Folds::k(2).seed(3).assign(&data)?;
/// assert_eq!(folds.iter().filter(|fold| **fold == 0).count(), 3);
/// assert_eq!(Folds::of([0, 1, 0, 1, 2]).assign(&data)?, [0, 1, 0, 1, 2]);
/// let error = Folds::k(9).assign(&data).unwrap_err();
/// assert_eq!(error.to_string(), "9 folds of 5 samples: there must be at least two, and no more than samples");
/// # Ok::<(), secant::FitError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folds {
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Shuffled { folds: usize, seed: u64, stratified: bool },
    Given(Vec<usize>),
}

/// Why samples cannot be shared out so.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FoldError {
    /// Too few folds, or too many.
    #[error(
        "{folds} folds of {samples} samples: there must be at least two, and no more than samples"
    )]
    Count {
        /// k.
        folds: usize,
        /// N.
        samples: usize,
    },
    /// Folds for another number of samples.
    #[error("folds for {found} samples, the data have {expected}")]
    Length {
        /// N.
        expected: usize,
        /// Folds given.
        found: usize,
    },
    /// A fold without a sample, or without one that counts.
    #[error("fold {fold} of {folds} (from 0) has no sample{}", if *weightless { " of a weight above 0" } else { "" })]
    Empty {
        /// The fold, from 0.
        fold: usize,
        /// k.
        folds: usize,
        /// Whether it has some of weight 0.
        weightless: bool,
    },
    /// A class that is all in one fold, so that a model would be fitted without having seen it.
    #[error(
        "all samples of class \"{}\" are in fold {fold} (from 0): without it nothing is left to learn that class from; fewer folds, or `stratified` ones",
        quoted(class)
    )]
    Class {
        /// The fold, from 0.
        fold: usize,
        /// The class.
        class: String,
    },
    /// Folds by class of data that have none.
    #[error("stratified folds need class labels, the targets are numbers")]
    NoClasses,
}

impl std::fmt::Debug for FoldError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// One fold: the samples put aside, and the others; both in the order of the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fold {
    pub aside: Vec<usize>,
    pub others: Vec<usize>,
}

impl Folds {
    /// k folds whose sizes differ by one sample at most, drawn at random by [`seed`](Self::seed).
    pub fn k(folds: usize) -> Self {
        Self { kind: Kind::Shuffled { folds, seed: 0, stratified: false } }
    }

    /// The fold of every sample, N numbers from 0 on. No fold in between may be empty.
    pub fn of(folds: impl Into<Vec<usize>>) -> Self {
        Self { kind: Kind::Given(folds.into()) }
    }

    /// The seed of the draw, default 0: with N it names the folds, on every machine. Nothing for folds that are [given](Self::of).
    pub fn seed(mut self, number: u64) -> Self {
        if let Kind::Shuffled { seed, .. } = &mut self.kind {
            *seed = number;
        }
        self
    }

    /// Every class shared out over the folds as evenly as its number allows. For class labels. Nothing for folds that are
    /// [given](Self::of).
    pub fn stratified(mut self) -> Self {
        if let Kind::Shuffled { stratified, .. } = &mut self.kind {
            *stratified = true;
        }
        self
    }

    /// The fold of every sample of `data`, from 0.
    ///
    /// # Errors
    /// Fewer than two folds or more than samples; a list of another length, or with a fold that is empty; stratified folds of numbers.
    pub fn assign(&self, data: &Dataset) -> Result<Vec<usize>, FoldError> {
        let samples = data.samples();
        match &self.kind {
            Kind::Given(given) => {
                let (expected, found) = (samples, given.len());
                if expected != found {
                    return Err(FoldError::Length { expected, found });
                }
                // A number beyond N leaves some fold empty; that of folds is not believed before.
                let folds = given.iter().copied().max().map_or(0, |last| last.saturating_add(1));
                let mut seen = vec![false; folds.min(samples)];
                for fold in given {
                    if let Some(seen) = seen.get_mut(*fold) {
                        *seen = true;
                    }
                }
                if let Some(fold) = seen.iter().position(|seen| !seen) {
                    return Err(FoldError::Empty { fold, folds, weightless: false });
                }
                if folds < 2 || folds > samples {
                    return Err(FoldError::Count { folds, samples });
                }
                Ok(given.clone())
            }
            Kind::Shuffled { folds, seed, stratified } => {
                let folds = *folds;
                if folds < 2 || folds > samples {
                    return Err(FoldError::Count { folds, samples });
                }
                let mut order: Vec<usize> = (0..samples).collect();
                Random::new(*seed).shuffle(&mut order);
                if *stratified {
                    let labels = data.targets().labels().ok_or(FoldError::NoClasses)?;
                    // Class after class, dealt round: no class and no fold is ahead by more than one.
                    order.sort_by_key(|sample| labels[*sample]);
                }
                let mut fold_of = vec![0; samples];
                for (place, sample) in order.into_iter().enumerate() {
                    fold_of[sample] = place % folds;
                }
                Ok(fold_of)
            }
        }
    }

    /// The folds, each with what is left.
    pub(crate) fn parts(&self, data: &Dataset) -> Result<Vec<Fold>, FoldError> {
        let fold_of = self.assign(data)?;
        let folds = fold_of.iter().copied().max().map_or(0, |last| last + 1);
        let counts = |sample: &usize| data.weights().is_none_or(|weights| weights[*sample] > 0.0);
        let class_of = |sample: &usize| match data.targets() {
            Targets::Labels { labels, .. } => Some(labels[*sample]),
            Targets::Values { .. } => None,
        };
        let mut counted = vec![false; folds];
        (0..fold_of.len()).filter(counts).for_each(|sample| counted[fold_of[sample]] = true);
        if let Some(fold) = counted.iter().position(|counted| !counted) {
            return Err(FoldError::Empty { fold, folds, weightless: true });
        }
        let part = |fold: usize| {
            let (aside, others): (Vec<usize>, _) =
                (0..fold_of.len()).partition(|sample| fold_of[*sample] == fold);
            let mut learned = vec![false; data.outputs()];
            let classes = others.iter().filter(|sample| counts(sample)).filter_map(class_of);
            classes.for_each(|class| learned[class as usize] = true);
            let tested = aside.iter().filter(|sample| counts(sample)).filter_map(class_of);
            let unseen = tested.map(|class| class as usize).find(|class| !learned[*class]);
            match unseen {
                None => Ok(Fold { aside, others }),
                Some(class) => {
                    let names = data.class_names();
                    let name = names.get(class).cloned().unwrap_or_else(|| class.to_string());
                    Err(FoldError::Class { fold, class: name })
                }
            }
        };
        (0..folds).map(part).collect()
    }
}
