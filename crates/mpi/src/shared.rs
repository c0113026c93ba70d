//! The samples of a model, shared among the ranks: agreed in number and columns, and sent to the rank whose blocks they are in.

use crate::columns::{Columns, count, halves};
use crate::fault::{Fault, MpiError};
use crate::ranks::{Ranks, Topic};
use secant_core::data::{
    CsvOptions, CsvParts, CsvSurvey, DataError, Dataset, NpyOptions, RunningMoments, Standardizer,
    npy_samples,
};
use secant_core::graph::Graph;
use secant_core::risk::Layout;
use std::ops::Range;
use std::path::Path;

/// Numbers that one rank sends in one collective, at most: 64 MiB.
const PORTION: usize = 1 << 23;
const SPARSE: &str = "sparse samples are not shared among ranks";

/// What a rank has of the samples: those of its blocks, and where the others are.
#[derive(Clone, Debug)]
pub struct Shared {
    pub(crate) layout: Layout,
    /// The blocks of every rank.
    pub(crate) blocks: Vec<Range<usize>>,
    pub(crate) columns: Columns,
    pub(crate) data: Dataset,
}

impl Shared {
    /// Shares the samples that the ranks have, `rows` of this one: rank 0's come first, then rank 1's, and so on; any number of them each, none
    /// for a rank without. All ranks call this.
    ///
    /// Cost: two small collectives, one of N numbers where there are weights, and one for every 64 MiB of the samples that lie with another
    /// rank than their blocks.
    ///
    /// # Errors
    /// [`Fault`], on all ranks: other columns on one of them, sparse samples, no samples at all.
    pub fn new(ranks: &Ranks, graph: &Graph, rows: Option<Dataset>) -> Result<Self, MpiError> {
        let (columns, counts) = agree(ranks, rows.as_ref())?;
        let ends: Vec<usize> = counts
            .iter()
            .scan(0, |end, count| {
                *end += count;
                Some(*end)
            })
            .collect();
        let samples = ends.last().copied().unwrap_or(0);
        let weights = columns
            .is_weighted()
            .then(|| all_weights(ranks, &counts, rows.as_ref()))
            .transpose()?;
        let layout = Layout::new(graph, samples, weights.as_deref())?;
        let blocks = layout.split(ranks.size());
        let own: Vec<Range<usize>> = blocks.iter().map(|b| layout.samples_of(b)).collect();
        let had: Vec<Range<usize>> = ends.iter().zip(&counts).map(|(e, c)| e - c..*e).collect();
        let data = move_rows(ranks, columns, rows, (&had, &own))?;
        Ok(Self { layout, blocks, columns, data })
    }

    /// The samples `all`, which every rank has: each keeps those of its blocks, with all that is known of the columns. All ranks call this.
    ///
    /// Cost: a copy of this rank's samples, and one small collective by which the ranks know that they have the same.
    ///
    /// # Errors
    /// [`Fault`], on all ranks: other samples on one of them than on rank 0, sparse samples.
    pub fn of_all(ranks: &Ranks, graph: &Graph, all: &Dataset) -> Result<Self, MpiError> {
        ranks.same_samples(all)?;
        let columns = Columns::of(all);
        let layout = Layout::new(graph, all.samples(), all.weights())?;
        let blocks = layout.split(ranks.size());
        let mut own: Vec<usize> = layout.samples_of(&blocks[ranks.rank()]).collect();
        // A data set of weight 0 is refused.
        let weight = |sample: usize| all.weights().map_or(1.0, |weights| weights[sample]);
        if !own.iter().any(|sample| weight(*sample) > 0.0) {
            own.extend((0..all.samples()).find(|sample| weight(*sample) > 0.0));
        }
        let data = ranks.together("the samples of this rank", || all.select(&own))?;
        Ok(Self { layout, blocks, columns, data })
    }

    /// The samples of two `.npy` files that all ranks see, plain and in C order: each rank reads its share of the rows alone. Classes are to be
    /// said. All ranks call this.
    ///
    /// # Errors
    /// [`Fault`], on all ranks: what one of them cannot read.
    pub fn from_npy(
        ranks: &Ranks,
        graph: &Graph,
        (inputs, targets): (impl AsRef<Path>, impl AsRef<Path>),
        options: &NpyOptions,
    ) -> Result<Self, MpiError> {
        let rows = ranks.together("reading", || -> Result<Option<Dataset>, DataError> {
            let rows = ranks.share_of(npy_samples(&inputs)?);
            let read = || Dataset::from_npy_rows(&inputs, &targets, rows.clone(), options);
            (!rows.is_empty()).then(read).transpose()
        })?;
        Self::new(ranks, graph, rows)
    }

    /// The rows of one CSV file that all ranks see, plain: each rank reads its share of the bytes alone, twice, and from its end to that of the
    /// row that is cut there. Quotes with line ends in them are no matter. Classes are to be said. [`CsvOptions::max_bytes`] is for each rank.
    /// All ranks call this.
    ///
    /// Cost: one collective of nine numbers, and those of [`new`](Self::new). A rank holds its rows twice for a while.
    ///
    /// # Errors
    /// [`Fault`], on all ranks: what one of them cannot read, with the line of the file.
    pub fn from_csv(
        ranks: &Ranks,
        graph: &Graph,
        path: impl AsRef<Path>,
        options: &CsvOptions,
    ) -> Result<Self, MpiError> {
        let file = ranks.together("the header", || CsvParts::open(path, options))?;
        let (rank, size) = (ranks.rank(), ranks.size());
        let lens = vec![CsvSurvey::NUMBERS; size];
        let said = ranks.exchange(Topic::named("the quotes of the file"), &lens, || {
            let survey = file.survey(rank, size).map_err(|error| error.to_string())?;
            Ok(survey.numbers().to_vec())
        })?;
        let rows = ranks.together("reading", || {
            let surveys = (0..size).map(|rank| CsvSurvey::from_numbers(said.of(rank)));
            file.read(&surveys.collect::<Result<Vec<_>, _>>()?, rank)
        })?;
        let shared = Self::new(ranks, graph, rows)?;
        let data = ranks.together("the names of the columns", || file.name(shared.data))?;
        Ok(Self { data, ..shared })
    }

    /// The same samples with every input (x − mean)/deviation, of all samples; and the scaling, for what is predicted later. The ranks go one
    /// after the other over their samples, once. All ranks call this.
    ///
    /// # Errors
    /// [`Fault`], on all ranks: a column of numbers whose squares leave the range of `f64`.
    pub fn standardized(self, ranks: &Ranks) -> Result<(Self, Standardizer), Fault> {
        let scaling = self.input_scaling(ranks)?;
        let transform = || scaling.transform_inputs(&self.data);
        let data = ranks.together("standardised inputs", transform)?;
        Ok((Self { data, ..self }, scaling))
    }

    /// [`Standardizer::fit_inputs`] of all samples.
    pub(crate) fn input_scaling(&self, ranks: &Ranks) -> Result<Standardizer, Fault> {
        let rows = (self.data.features(), self.data.inputs());
        self.scaling(ranks, "the moments of the inputs", rows, self.data.feature_names())
    }

    /// [`Standardizer::fit_targets`] of all samples.
    pub(crate) fn target_scaling(&self, ranks: &Ranks) -> Result<Standardizer, Fault> {
        let values = self.data.targets().values().unwrap_or_default();
        let rows = (self.data.outputs(), values);
        self.scaling(ranks, "the moments of the targets", rows, self.data.target_names())
    }

    /// The moments of a table of `rows` × this rank's samples: the ranks go one after the other over theirs.
    fn scaling(
        &self,
        ranks: &Ranks,
        name: &'static str,
        (rows, values): (usize, &[f64]),
        names: &[String],
    ) -> Result<Standardizer, Fault> {
        let weighted = self.columns.is_weighted();
        let mut moments = RunningMoments::new(rows, self.samples(), weighted);
        for rank in 0..ranks.size() {
            let mut numbers = Vec::new();
            let turn = |len: usize| {
                let mut lens = vec![0; ranks.size()];
                lens[rank] = len;
                lens
            };
            let said = ranks.exchange(Topic::named(name), &turn(1), || {
                if rank != ranks.rank() {
                    return Ok(Vec::new());
                }
                let own = self.samples_of(rank).len();
                let weights = self.data.weights().map(|weights| &weights[..own]);
                moments.add(&values[..own * rows], weights).map_err(|error| error.to_string())?;
                numbers = moments.numbers();
                Ok(vec![numbers.len() as f64])
            })?;
            let len = count(said.of(rank)[0]);
            let said =
                ranks.exchange(Topic::named("moments so far"), &turn(len), || Ok(numbers))?;
            moments = ranks
                .together("the moments so far", || RunningMoments::from_numbers(said.of(rank)))?;
        }
        ranks.together(name, || moments.standardizer(names.to_vec()))
    }

    /// N, of all ranks.
    pub fn samples(&self) -> usize {
        self.layout.samples()
    }

    /// The samples of this rank; perhaps one more, so that there is one.
    pub fn data(&self) -> &Dataset {
        &self.data
    }

    /// The samples that a rank has, among all.
    pub fn samples_of(&self, rank: usize) -> Range<usize> {
        self.layout.samples_of(&self.blocks[rank])
    }

    /// How samples are cut into blocks.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }
}

impl Ranks {
    /// Looks whether all ranks have the same samples. All ranks call this. Cost: one small collective.
    ///
    /// # Errors
    /// [`Fault`], on all ranks: of the first one that has others than rank 0; sparse samples.
    pub fn same_samples(&self, data: &Dataset) -> Result<(), Fault> {
        let topic = Topic::named("the samples that every rank has");
        let said = self.exchange(topic, &vec![3; self.size()], || {
            if data.sparse().is_some() {
                return Err(SPARSE.to_owned());
            }
            let [high, low] = halves(Columns::of(data).code(data, data.samples(), 0));
            Ok(vec![data.samples() as f64, high, low])
        })?;
        let Some(rank) = (1..self.size()).find(|rank| said.of(*rank) != said.of(0)) else {
            return Ok(());
        };
        let [found, expected] = [rank, 0].map(|rank| said.of(rank)[0]);
        let message = if found == expected {
            format!("{found} samples, of which some are others than on rank 0")
        } else {
            format!("{found} samples, rank 0 has {expected}")
        };
        Err(self.fail(Fault { rank, message }))
    }
}

/// The columns, and how many samples each rank has.
fn agree(ranks: &Ranks, rows: Option<&Dataset>) -> Result<(Columns, Vec<usize>), Fault> {
    let lens = vec![6; ranks.size()];
    let said = ranks.exchange(Topic::named("the columns of the samples"), &lens, || {
        let Some(rows) = rows else { return Ok(vec![0.0; 6]) };
        if rows.sparse().is_some() {
            return Err(SPARSE.to_owned());
        }
        let mut numbers = vec![rows.samples() as f64];
        numbers.extend(Columns::of(rows).numbers());
        Ok(numbers)
    })?;
    let counts: Vec<usize> = (0..ranks.size()).map(|rank| count(said.of(rank)[0])).collect();
    let with_rows = counts.iter().position(|count| *count > 0);
    let columns = with_rows.map(|rank| (rank, Columns::from_numbers(&said.of(rank)[1..])));
    ranks
        .exchange(Topic::named("the same columns"), &vec![0; ranks.size()], || {
            let Some((rank, columns)) = columns else {
                return Err("no rank has samples".to_owned());
            };
            match rows.and_then(|rows| columns.difference(Columns::of(rows))) {
                None => Ok(Vec::new()),
                Some(words) => Err(format!("rank {rank} and this one have {words}")),
            }
        })
        .map(|_| (columns.map_or_else(|| Columns::from_numbers(&[0.0; 5]), |(_, c)| c), counts))
}

fn all_weights(ranks: &Ranks, counts: &[usize], rows: Option<&Dataset>) -> Result<Vec<f64>, Fault> {
    let said = ranks.exchange(Topic::named("the weights"), counts, || {
        Ok(rows.and_then(Dataset::weights).unwrap_or_default().to_vec())
    })?;
    Ok((0..ranks.size()).flat_map(|rank| said.of(rank).to_vec()).collect())
}

/// From the ranks that `had` them to those whose `own` they are. What stays is not sent.
fn move_rows(
    ranks: &Ranks,
    columns: Columns,
    rows: Option<Dataset>,
    (had, own): (&[Range<usize>], &[Range<usize>]),
) -> Result<Dataset, MpiError> {
    let (rank, width) = (ranks.rank(), columns.width());
    // A rank without samples of its own takes the first one.
    let wanted = |rank: usize| if own[rank].is_empty() { 0..1 } else { own[rank].clone() };
    let mine = wanted(rank);
    if had.iter().enumerate().all(|(rank, had)| *had == own[rank])
        && had.iter().all(|h| !h.is_empty())
        && let Some(rows) = rows
    {
        return Ok(rows);
    }
    let mut numbers = vec![0.0; mine.len() * width];
    let keep = |sample: usize, values: &[f64], numbers: &mut [f64]| {
        if mine.contains(&sample) {
            let at = (sample - mine.start) * width;
            numbers[at..at + width].copy_from_slice(values);
        }
    };
    let mut one = Vec::with_capacity(width);
    if let Some(rows) = &rows {
        for sample in had[rank].clone().filter(|sample| mine.contains(sample)) {
            one.clear();
            columns.push(rows, sample - had[rank].start, &mut one);
            keep(sample, &one, &mut numbers);
        }
    }
    // Portion after portion of the samples that lie elsewhere than they belong, the same on every rank.
    let strays = |from: usize| {
        let belongs = wanted(from);
        let first_for_all = (0..ranks.size()).any(|rank| own[rank].is_empty());
        had[from]
            .clone()
            .filter(move |sample| !belongs.contains(sample) || (*sample == 0 && first_for_all))
    };
    let portion = (PORTION / width).max(1);
    let most = (0..ranks.size()).map(|from| strays(from).count()).max().unwrap_or(0);
    for first in (0..most).step_by(portion) {
        let sent: Vec<Vec<usize>> = (0..ranks.size())
            .map(|from| strays(from).skip(first).take(portion).collect())
            .collect();
        let lens: Vec<usize> = sent.iter().map(|samples| samples.len() * width).collect();
        let said = ranks.exchange(Topic::named("samples"), &lens, || {
            let mut values = Vec::with_capacity(lens[rank]);
            if let Some(rows) = &rows {
                for sample in &sent[rank] {
                    columns.push(rows, sample - had[rank].start, &mut values);
                }
            }
            Ok(values)
        })?;
        for (from, samples) in sent.iter().enumerate() {
            for (sample, values) in samples.iter().zip(said.of(from).chunks_exact(width)) {
                keep(*sample, values, &mut numbers);
            }
        }
    }
    let names = rows.map(|rows| {
        let lists = [rows.feature_names(), rows.target_names(), rows.class_names()];
        lists.map(<[String]>::to_vec)
    });
    if own[rank].is_empty() {
        // It stands for the columns, and a data set of weight 0 is refused.
        columns.weigh(&mut numbers);
    }
    let build = || {
        let data = columns.dataset(numbers.chunks_exact(width))?;
        let Some([features, targets, classes]) = names else { return Ok(data) };
        let data = data.with_feature_names(features)?.with_target_names(targets)?;
        if classes.is_empty() { Ok(data) } else { data.with_class_names(classes) }
    };
    Ok(ranks.together("the samples of this rank", build)?)
}
