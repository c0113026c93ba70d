"""A risk whose samples lie in several processes, with the bits of one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from . import _core
from ._arrays import dataset, vector, whole
from ._models import Description, Network, _are_classes, _description


class Layout:
    """How the samples of a model are cut into blocks, the least that a process can have. A function of the model and N alone.

    net: the network. samples: N, of all processes. sample_weight: of all of them.

    >>> layout = Layout(Network.mlp([4, 10, 1]), 10_000)
    >>> layout.split(3)
    [range(0, 1), range(1, 2), range(2, 4)]
    >>> layout.samples_of(range(2, 4))
    range(4096, 10000)
    """

    def __init__(self, net: Network, samples: int, sample_weight: Any = None):
        samples = whole(samples, "samples", 1)
        weights = None if sample_weight is None else vector(sample_weight, "sample_weight", samples)
        self._core = _core.Layout(net._core, samples, weights)

    @property
    def blocks(self) -> int:
        """How many blocks there are, a power of two."""
        return self._core.blocks

    @property
    def samples(self) -> int:
        """N."""
        return self._core.samples

    def split(self, parts: int) -> list[range]:
        """All blocks in `parts` runs, as even as blocks allow; beyond the number of blocks some are empty."""
        return [range(*ends) for ends in self._core.split(whole(parts, "parts", 1))]

    def samples_of(self, blocks: range) -> range:
        """The samples of some blocks."""
        return range(*self._core.samples_of(_ends(blocks)))


class Partials:
    """What some blocks add to a sum: sent from process to process (a pickle of its numbers), and folded."""

    def __init__(self, core: Any):
        self._core = core

    @property
    def blocks(self) -> range:
        """The blocks."""
        return range(*self._core.blocks)

    def join(self, following: Partials) -> Partials:
        """With the sums of the blocks that follow."""
        return Partials(self._core.join(following._core))

    @staticmethod
    def fold(parts: Iterable[Partials]) -> Partials:
        """The sums over all blocks, of parts in any order."""
        found = sorted(parts, key=lambda part: part._core.blocks)
        return Partials(_core.Partials.fold([part._core for part in found]))

    def __reduce__(self):
        core = self._core
        return _from_numbers, (core.blocks, core.all_blocks, core.width, core.nodes, core.losses)


def _from_numbers(*numbers: Any) -> Partials:
    return Partials(_core.Partials(*numbers))


class RiskPart:
    """The risk over the samples of some blocks. What it gives are `Partials`; of those of all parts, folded, any part makes the answer of `Risk`.

    X, y, sample_weight, offset: of the samples of `blocks`; with no blocks, of any one sample, which does not count.
    loss, penalty: as `Risk` has them. classes: all of them, where `y` are classes.
    """

    def __init__(
        self,
        net: Network,
        X: Any,
        y: Any,
        layout: Layout,
        blocks: range,
        *,
        loss: Description | None = None,
        penalty: Description | float | None = None,
        sample_weight: Any = None,
        offset: Any = None,
        classes: Any = None,
    ):
        if classes is None and _are_classes(y, loss, None):
            raise ValueError("classes: those of all parts, since the samples of one do not tell which there are")
        known = False if classes is None else np.unique(np.asarray(classes))
        data, self.classes = dataset(X, y, weights=sample_weight, offset=offset, classes=known)
        described = _description(loss), _description(penalty, "ridge")
        self._core = _core.RiskPart(net._core, data, layout._core, _ends(blocks), *described)

    @property
    def dim(self) -> int:
        """n."""
        return self._core.dim

    def value(self, theta: Any) -> Partials:
        """The losses at θ, for `finish_value`."""
        return Partials(self._core.value(vector(theta, "theta")))

    def finish_value(self, theta: Any, sums: Partials) -> float:
        """f(θ)."""
        return self._core.finish_value(vector(theta, "theta"), sums._core)

    def value_and_grad(self, theta: Any) -> Partials:
        """The losses with their gradient, for `finish_value_and_grad`."""
        return Partials(self._core.value_and_grad(vector(theta, "theta")))

    def finish_value_and_grad(self, theta: Any, sums: Partials) -> tuple[float, np.ndarray]:
        """f and ∇f."""
        return self._core.finish_value_and_grad(vector(theta, "theta"), sums._core)

    def hvp(self, theta: Any, v: Any) -> Partials:
        """The product with ∇²f, for `finish_product`. Cost: a linearisation and a product."""
        return Partials(self._core.product(vector(theta, "theta"), vector(v, "v"), False))

    def ggnvp(self, theta: Any, v: Any) -> Partials:
        """The same with the Gauss–Newton matrix."""
        return Partials(self._core.product(vector(theta, "theta"), vector(v, "v"), True))

    def finish_product(self, theta: Any, v: Any, sums: Partials) -> np.ndarray:
        """∇²f·v or G·v."""
        return self._core.finish_product(vector(theta, "theta"), vector(v, "v"), sums._core)


def _ends(blocks: range) -> tuple[int, int]:
    if not isinstance(blocks, range) or blocks.step != 1:
        raise TypeError(f"blocks: expected a range, got {blocks!r}")
    return blocks.start, max(blocks.start, blocks.stop)
