"""Quantiles that depend on features: a small forest of regression trees (Meinshausen, JMLR 7, 2006), in numpy.

Each tree is grown on a weighted sample, with splits that make the squared error least; its leaves keep the quantiles
of what fell into them. The answer is the quantiles of the leaves' mean distribution. Features are cut into bins, so
that all splits of a level are found by counting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

__all__ = ["QUANTILES", "Forest", "grow"]

#: The quantiles that leaves keep.
QUANTILES = np.round(np.arange(0.025, 1.0, 0.025), 3)
_BINS = 48
_TREES, _DEPTH, _LEAST = 12, 9, 40
#: A tree looks at this part of the features at each level, and at so many rows.
_PART, _SAMPLE = 0.6, 25_000


class _Tree(NamedTuple):
    """Nodes in the order of a heap: the feature that is asked (-1: a leaf), up to which bin one goes left."""

    feature: NDArray[np.int64]
    upto: NDArray[np.int64]
    quantiles: Numbers


class Forest:
    """What was grown; see :func:`grow`."""

    def __init__(self, edges: list[Numbers], trees: list[_Tree]) -> None:
        self._edges = edges
        self._trees = trees

    def quantiles(self, rows: Numbers) -> Numbers:
        """Return QUANTILES for each row of features: never falling from left to right."""
        binned = _binned(rows, self._edges)
        points = []
        for tree in self._trees:
            node = np.zeros(len(rows), np.int64)
            for _ in range(_DEPTH):
                feature = tree.feature[node]
                inner = feature >= 0
                if not inner.any():
                    break
                right = binned[np.arange(len(rows)), np.maximum(feature, 0)] > tree.upto[node]
                node = np.where(inner, 2 * node + 1 + right, node)
            points.append(tree.quantiles[node])
        # All leaves' points together are the mean of their distributions, which keeps two humps apart.
        pooled = np.sort(np.hstack(points), axis=1)
        place = QUANTILES * (pooled.shape[1] - 1)
        result: Numbers = pooled[:, np.round(place).astype(np.int64)]
        return result


def _binned(rows: Numbers, edges: list[Numbers]) -> NDArray[np.int64]:
    return np.column_stack([np.searchsorted(edge, rows[:, place]) for place, edge in enumerate(edges)])


def grow(rows: Numbers, target: Numbers, weight: Numbers, *, seed: int = 1) -> Forest:
    """Return a forest.

    Parameters
    ----------
    rows
        Features, one row each.
    target
        What is to be foretold, one number a row.
    weight
        How likely a row is in a tree's sample, relatively.
    seed
        The same seed grows the same forest.
    """
    random = np.random.default_rng(seed)
    steps = np.arange(1, _BINS) / _BINS
    edges = [np.unique(np.quantile(rows[:, place], steps)) for place in range(rows.shape[1])]
    binned = _binned(rows, edges)
    chances = np.cumsum(weight) / weight.sum()
    size = min(len(rows), _SAMPLE)
    trees = []
    for _ in range(_TREES):
        chosen = np.minimum(np.searchsorted(chances, random.random(size)), len(rows) - 1)
        trees.append(_tree(binned[chosen], target[chosen], random))
    return Forest(edges, trees)


def _tree(binned: NDArray[np.int64], target: Numbers, random: np.random.Generator) -> _Tree:
    nodes = (1 << (_DEPTH + 1)) - 1
    feature, upto = np.full(nodes, -1), np.zeros(nodes, np.int64)
    node = np.zeros(len(target), np.int64)
    for level in range(_DEPTH):
        begin, count = (1 << level) - 1, 1 << level
        looked_at = random.permutation(binned.shape[1])[: max(1, round(_PART * binned.shape[1]))]
        here = np.flatnonzero(node >= begin)
        if not len(here):
            break
        gain, best, where = _splits(binned[here], target[here], node[here] - begin, count, looked_at)
        split = gain > 0
        feature[begin : begin + count] = np.where(split, best, -1)
        upto[begin : begin + count] = where
        moves = here[split[node[here] - begin]]
        right = binned[moves, feature[node[moves]]] > upto[node[moves]]
        node[moves] = 2 * node[moves] + 1 + right
    return _Tree(feature, upto, _leaf_quantiles(node, target, nodes))


def _splits(
    binned: NDArray[np.int64], target: Numbers, node: NDArray[np.int64], count: int, looked_at: NDArray[np.int64]
) -> tuple[Numbers, NDArray[np.int64], NDArray[np.int64]]:
    """Return for each node of a level the gain of its best split, the feature and the bin; no gain: there is none."""
    gain, best, where = np.zeros(count), np.full(count, -1), np.zeros(count, np.int64)
    for place in looked_at:
        cell = node * _BINS + binned[:, place]
        number = np.bincount(cell, minlength=count * _BINS).reshape(count, _BINS).cumsum(axis=1).astype(float)
        total = np.bincount(cell, weights=target, minlength=count * _BINS).reshape(count, _BINS).cumsum(axis=1)
        others, rest = number[:, -1:] - number, total[:, -1:] - total
        with np.errstate(divide="ignore", invalid="ignore"):
            made = total**2 / number + rest**2 / others - total[:, -1:] ** 2 / number[:, -1:]
        made = np.where((number >= _LEAST) & (others >= _LEAST), made, 0.0)
        bins = made.argmax(axis=1)
        value = made[np.arange(count), bins]
        better = value > gain + 1e-9
        gain, best = np.where(better, value, gain), np.where(better, place, best)
        where = np.where(better, bins, where)
    return gain, best, where


def _leaf_quantiles(node: NDArray[np.int64], target: Numbers, nodes: int) -> Numbers:
    order = np.lexsort((target, node))
    ordered, of_node = target[order], node[order]
    first = np.searchsorted(of_node, np.arange(nodes), side="left")
    last = np.searchsorted(of_node, np.arange(nodes), side="right")
    number = last - first
    place = first[:, None] + QUANTILES * np.maximum(number - 1, 0)[:, None]
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(last - 1, 0)[:, None])
    low = np.minimum(low, len(ordered) - 1)
    part = place - low
    result: Numbers = np.where(number[:, None] > 0, ordered[low] * (1 - part) + ordered[high] * part, 0.0)
    return result
