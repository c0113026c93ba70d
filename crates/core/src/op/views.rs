//! What a node sees of a tile: views into the sweep's arenas, one input or block at a time.

use crate::data::SparseTile;
use crate::elementwise::vectorize;
use crate::shape::Shape;
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use std::ops::Range;

/// Where one node's rows lie in the arenas of a tile.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Rows of the node's value.
    pub(crate) rows: usize,
    /// First row in the value arena.
    pub(crate) value: Region,
    /// First row in the arenas of tangents and adjoints; `None` for a node that does not depend on θ.
    pub(crate) active: Option<usize>,
}

/// Where a node's value is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    /// It is the data itself.
    Data,
    /// From this row of the value arena.
    Arena(usize),
}

/// The places of all nodes. Node i of a tile of B samples owns `B·first .. B·(first + rows)` of an arena.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    pub(crate) places: Vec<Place>,
    /// Rows of the value arena.
    pub(crate) value_rows: usize,
    /// Rows of the arenas of tangents and adjoints.
    pub(crate) active_rows: usize,
}

/// A range of samples within a tile.
#[derive(Clone, Copy, Debug)]
struct Window {
    tile: usize,
    first: usize,
    batch: usize,
}

impl Window {
    fn whole(tile: usize) -> Self {
        Self { tile, first: 0, batch: tile }
    }
    fn column(self, index: usize) -> Self {
        Self { first: self.first + index, batch: 1, ..self }
    }
    fn samples(self) -> Range<usize> {
        self.first..self.first + self.batch
    }
    /// The entries of a node of `rows` rows that starts at row `start` of an arena.
    fn range(self, start: usize, rows: usize) -> Range<usize> {
        let begin = start * self.tile + rows * self.first;
        begin..begin + rows * self.batch
    }
}

/// The data of a tile: d × B, or the entries that are not 0.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TileData<'a> {
    Dense(&'a [f64]),
    Sparse(SparseTile<'a>),
}

impl<'a> TileData<'a> {
    /// d × B.
    ///
    /// # Panics
    /// For sparse data: only nodes with [`Op::takes_sparse`](super::Op::takes_sparse) are let near it, and these ask for entries.
    pub(crate) fn dense(self) -> &'a [f64] {
        match self {
            Self::Dense(data) => data,
            Self::Sparse(_) => panic!("a node that takes sparse inputs has asked for dense ones"),
        }
    }
}

/// The inputs x of a node.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    nodes: &'a [usize],
    shapes: &'a [Shape],
    layout: &'a Layout,
    data: TileData<'a>,
    arena: &'a [f64],
    window: Window,
}

impl<'a> Inputs<'a> {
    pub(crate) fn new(
        nodes: &'a [usize],
        shapes: &'a [Shape],
        layout: &'a Layout,
        data: TileData<'a>,
        arena: &'a [f64],
        tile: usize,
    ) -> Self {
        Self { nodes, shapes, layout, data, arena, window: Window::whole(tile) }
    }
    /// How many inputs the node has.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }
    /// Whether the node has no input.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
    /// Input `index`, `rows × B`.
    ///
    /// # Panics
    /// Where [`sparse`](Self::sparse) has it, which nodes meet that say they take it.
    pub fn get(&self, index: usize) -> &'a [f64] {
        let place = &self.layout.places[self.nodes[index]];
        match place.value {
            Region::Data => &self.data.dense()[self.window.range(0, place.rows)],
            Region::Arena(start) => &self.arena[self.window.range(start, place.rows)],
        }
    }
    /// The entries of input `index`, where it is the data and these are sparse: met by nodes with
    /// [`Op::takes_sparse`](super::Op::takes_sparse) only.
    pub fn sparse(&self, index: usize) -> Option<SparseTile<'a>> {
        match (self.layout.places[self.nodes[index]].value, self.data) {
            (Region::Data, TileData::Sparse(tile)) => Some(tile.slice(self.window.samples())),
            _ => None,
        }
    }
    /// Entries of one sample of input `index`.
    pub fn rows(&self, index: usize) -> usize {
        self.layout.places[self.nodes[index]].rows
    }
    /// The shape of one sample of input `index`.
    pub fn shape(&self, index: usize) -> &'a Shape {
        &self.shapes[self.nodes[index]]
    }
    pub(crate) fn column(&self, index: usize) -> Self {
        Self { window: self.window.column(index), ..*self }
    }
}

/// Node `first` of a graph's where the data are counted too; 0 for all.
fn place_of(first: usize) -> usize {
    if first == 0 { 0 } else { first + 1 }
}

/// Tangents ẋ of a node's inputs.
#[derive(Clone, Copy, Debug)]
pub struct Tangents<'a> {
    nodes: &'a [usize],
    layout: &'a Layout,
    arena: &'a [f64],
    window: Window,
    /// Nodes before this one have none, along this direction; counted as `nodes` are.
    still: usize,
}

impl<'a> Tangents<'a> {
    pub(crate) fn new(
        nodes: &'a [usize],
        layout: &'a Layout,
        arena: &'a [f64],
        tile: usize,
    ) -> Self {
        Self { nodes, layout, arena, window: Window::whole(tile), still: 0 }
    }
    /// Nothing moves before node `first` of the graph's.
    pub(crate) fn from(self, first: usize) -> Self {
        Self { still: place_of(first), ..self }
    }
    /// ẋ of input `index`, `rows × B`; `None` where it is zero because the input does not depend on θ, or not on what moves.
    pub fn get(&self, index: usize) -> Option<&'a [f64]> {
        if self.nodes[index] < self.still {
            return None;
        }
        let place = &self.layout.places[self.nodes[index]];
        place.active.map(|start| &self.arena[self.window.range(start, place.rows)])
    }
}

/// Adjoints x̄ of a node's inputs, to be added to one at a time.
#[derive(Debug)]
pub struct Adjoints<'a> {
    nodes: &'a [usize],
    layout: &'a Layout,
    arena: &'a mut [f64],
    window: Window,
    /// Inputs whose adjoint nobody has written yet.
    fresh: &'a [bool],
    /// Inputs that this node has added to, one bit each.
    touched: u64,
    /// The adjoints of nodes before this one are not asked for; counted as `nodes` are.
    unasked: usize,
}

/// Inputs past this one are zeroed before the node runs.
pub(crate) const TRACKED_INPUTS: usize = 64;

impl<'a> Adjoints<'a> {
    pub(crate) fn new(
        nodes: &'a [usize],
        layout: &'a Layout,
        arena: &'a mut [f64],
        tile: usize,
        fresh: &'a [bool],
    ) -> Self {
        Self { nodes, layout, arena, window: Window::whole(tile), fresh, touched: 0, unasked: 0 }
    }

    /// Nobody asks for what is before node `first` of the graph's.
    pub(crate) fn from(self, first: usize) -> Self {
        Self { unasked: place_of(first), ..self }
    }

    /// x̄ of input `index` to add to; `None` when nobody needs it, because the input does not depend on θ.
    pub fn slot(&mut self, index: usize) -> Option<AdjointSlot<'_>> {
        if self.nodes[index] < self.unasked {
            return None;
        }
        let place = &self.layout.places[self.nodes[index]];
        let start = place.active?;
        let bit = if index < TRACKED_INPUTS { 1 << index } else { 0 };
        let accum =
            if self.fresh[index] && self.touched & bit == 0 { Accum::Replace } else { Accum::Add };
        self.touched |= bit;
        let values = &mut self.arena[self.window.range(start, place.rows)];
        Some(AdjointSlot { accum, rows: place.rows, values })
    }

    pub(crate) fn column(&mut self, index: usize) -> Adjoints<'_> {
        Adjoints {
            nodes: self.nodes,
            layout: self.layout,
            arena: self.arena,
            window: self.window.column(index),
            fresh: self.fresh,
            touched: 0,
            unasked: self.unasked,
        }
    }

    /// Every input has been added to.
    pub(crate) fn touch_all(&mut self) {
        self.touched = u64::MAX;
    }

    /// Zeroes what the node should have written first and did not.
    pub(crate) fn zero_untouched(&mut self) {
        for index in 0..self.nodes.len().min(TRACKED_INPUTS) {
            if self.fresh[index]
                && self.touched & (1 << index) == 0
                && let Some(slot) = self.slot(index)
            {
                slot.zeroed();
            }
        }
    }
}

/// The adjoint of one input, `rows × B`. The first node to reach it writes, later ones add; the methods hide which.
#[derive(Debug)]
pub struct AdjointSlot<'a> {
    accum: Accum,
    rows: usize,
    values: &'a mut [f64],
}

impl<'a> AdjointSlot<'a> {
    /// x̄ += term(a, b), entry by entry; the slices have the length of x̄.
    #[inline(always)]
    pub fn add_map2(self, [a, b]: [&[f64]; 2], term: impl Fn(f64, f64) -> f64) {
        let terms = a.iter().zip(b);
        self.add_terms(
            &terms,
            #[inline(always)]
            move |(&a, &b)| term(a, b),
        );
    }

    /// x̄ += term(a, b, c), entry by entry.
    #[inline(always)]
    pub fn add_map3(self, [a, b, c]: [&[f64]; 3], term: impl Fn(f64, f64, f64) -> f64) {
        let terms = a.iter().zip(b).zip(c);
        self.add_terms(
            &terms,
            #[inline(always)]
            move |((&a, &b), &c)| term(a, b, c),
        );
    }

    /// x̄ += term(a, b, c, d, e), entry by entry.
    #[inline(always)]
    pub fn add_map5(
        self,
        [a, b, c, d, e]: [&[f64]; 5],
        term: impl Fn(f64, f64, f64, f64, f64) -> f64,
    ) {
        let terms = a.iter().zip(b).zip(c).zip(d).zip(e);
        self.add_terms(
            &terms,
            #[inline(always)]
            move |((((&a, &b), &c), &d), &e)| term(a, b, c, d, e),
        );
    }

    #[inline(always)]
    fn add_terms<T>(self, terms: &(impl Iterator<Item = T> + Clone), term: impl Fn(T) -> f64) {
        let Self { accum, values, .. } = self;
        // Moved into the loop, so that what the term has captured stays in registers.
        let mut term = Some(term);
        vectorize(
            #[inline(always)]
            || {
                let Some(term) = term.take() else { return };
                match accum {
                    Accum::Replace => {
                        for (x_bar, entry) in values.iter_mut().zip(terms.clone()) {
                            *x_bar = term(entry);
                        }
                    }
                    Accum::Add => {
                        for (x_bar, entry) in values.iter_mut().zip(terms.clone()) {
                            *x_bar += term(entry);
                        }
                    }
                }
            },
        );
    }

    /// x̄ += `values`.
    pub fn add_slice(self, values: &[f64]) {
        match self.accum {
            Accum::Replace => self.values.copy_from_slice(values),
            Accum::Add => {
                for (x_bar, value) in self.values.iter_mut().zip(values) {
                    *x_bar += value;
                }
            }
        }
    }

    /// x̄ += lhs · rhs, a GEMM of `rows × k` by `k × B`.
    pub fn add_matmul(self, lhs: MatRef<'_, f64>, rhs: MatRef<'_, f64>) {
        let cols = rhs.ncols();
        let x_bar = MatMut::from_column_major_slice_mut(self.values, self.rows, cols);
        matmul(x_bar, self.accum, lhs, rhs, 1.0, Par::Seq);
    }

    /// x̄ itself, set to zero first where nobody has written it: add to it with `+=`.
    pub fn zeroed(self) -> &'a mut [f64] {
        if matches!(self.accum, Accum::Replace) {
            self.values.fill(0.0);
        }
        self.values
    }
}

/// A node's parameter blocks in θ, or in a direction θ̇.
#[derive(Clone, Copy, Debug)]
pub struct Params<'a> {
    blocks: &'a [Range<usize>],
    theta: &'a [f64],
}

impl<'a> Params<'a> {
    pub(crate) fn new(blocks: &'a [Range<usize>], theta: &'a [f64]) -> Self {
        Self { blocks, theta }
    }
    /// Block `index` in the order of [`Op::params`](super::Op::params), column-major.
    pub fn get(&self, index: usize) -> &'a [f64] {
        &self.theta[self.blocks[index].clone()]
    }
    /// Number of blocks.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }
    /// Whether the node has no parameters.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }
}

/// Adjoints θ̄ of a node's parameter blocks, to be added to.
#[derive(Debug)]
pub struct ParamAdjoints<'a> {
    blocks: &'a [Range<usize>],
    gradient: &'a mut [f64],
}

impl<'a> ParamAdjoints<'a> {
    pub(crate) fn new(blocks: &'a [Range<usize>], gradient: &'a mut [f64]) -> Self {
        Self { blocks, gradient }
    }
    /// θ̄ of block `index`: add to it, never overwrite, since blocks may be shared.
    pub fn get(&mut self, index: usize) -> &mut [f64] {
        &mut self.gradient[self.blocks[index].clone()]
    }
}
