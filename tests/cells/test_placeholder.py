from __future__ import annotations

import copy
import operator
import pickle

import pytest

from gcs_lab.cells.placeholder import Placeholder, is_placeholder
from gcs_lab.errors import NotReady


def _placeholder():
    return Placeholder("model", lambda name: f"{name} is still being computed by job 7.")


def test_it_can_be_looked_at_without_an_error():
    assert repr(_placeholder()) == "<model is still being computed by job 7.>"
    assert is_placeholder(_placeholder())
    assert not is_placeholder(3)


@pytest.mark.parametrize(
    "use",
    [
        lambda p: p + 1, lambda p: 1 + p, lambda p: p == 1, lambda p: p.score, lambda p: p(3), lambda p: p[0], len, iter,
        bool, float, lambda p: f"{p:>9}", lambda p: 3 in p, operator.index, pickle.dumps, copy.deepcopy, lambda p: -p,
        lambda p: setattr(p, "x", 1), lambda p: p @ p, lambda p: f"{p}",
    ],
)  # fmt: skip
def test_any_use_says_what_it_waits_for(use):
    with pytest.raises(NotReady, match="still being computed by job 7"):
        use(_placeholder())


def test_probes_for_private_names_hear_that_there_are_none():
    assert not hasattr(_placeholder(), "_repr_html_")
    assert not hasattr(_placeholder(), "_ipython_display_")
