"""The digest of a value: equal values have equal ones, in any process; changed values have others."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcs_lab.cells.content_digest import content_digest
from gcs_lab.errors import NotPicklable

_ATOMS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary(), st.dates()
)
_KEYS = st.one_of(st.text(), st.integers(), st.tuples(st.text(), st.integers()), st.frozensets(st.text(), max_size=4))
_VALUES = st.recursive(
    st.one_of(_ATOMS, st.sets(_KEYS, max_size=5), st.frozensets(_KEYS, max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.tuples(inner, inner), st.dictionaries(_KEYS, inner, max_size=5)
    ),
    max_leaves=20,
)


def digest(value) -> str:
    return content_digest(value).digest


def defined(source: str, name: str, filename: str = "/tmp/ipykernel_1/1.py", lines_above: int = 0):
    """Return what a notebook's cell defines: it lives in ``__main__``, and nothing can import it."""
    namespace = {"__name__": "__main__"}
    exec(compile("\n" * lines_above + textwrap.dedent(source), filename, "exec"), namespace)
    return namespace[name]


def rebuilt(value):
    """Return an equal value of which no part is the same object, where that is possible."""
    kind = type(value)
    if kind in (list, tuple, set, frozenset):
        return (
            kind(rebuilt(part) for part in reversed(list(value)))
            if kind in (set, frozenset)
            else kind(rebuilt(part) for part in value)
        )
    if kind is dict:
        return {rebuilt(key): rebuilt(part) for key, part in value.items()}
    if kind is str:
        return (value + "x")[:-1]
    if kind is bytes:
        return (value + b"x")[:-1]
    return value


@given(_VALUES)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_equal_value_made_of_other_objects_has_the_same_digest(value):
    assert digest(value) == digest(rebuilt(value))


@given(st.lists(_VALUES, max_size=4), st.lists(_VALUES, max_size=4))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_equal_digests_are_those_of_equal_values(one, other):
    if digest(one) == digest(other):
        assert one == other
    elif repr(one) == repr(other):
        # What is written the same may only differ in the order of sets.
        assert "{" in repr(one) or "frozenset" in repr(one)


_CASES = """
import datetime, decimal, fractions, functools, collections, enum, dataclasses, pathlib
import numpy as np, pandas as pd, pyarrow as pa
words = {f"word {i}" for i in range(50)}

def area(r, *, pi=3.14):
    return [pi * x for x in r if x in {"a", "b", "c"}] + sorted(words)

def even(n): return n == 0 or odd(n - 1)
def odd(n): return n != 0 and even(n - 1)

@functools.lru_cache
def cached(n): return area([n])

class Colour(enum.Enum):
    RED = 1
    BLUE = 2

@dataclasses.dataclass
class Point:
    x: int
    tags: set = dataclasses.field(default_factory=set)
    @property
    def double(self): return self.x * 2
    @staticmethod
    def origin(): return Point(0)

Pair = collections.namedtuple("Pair", "a b")
cyclic = {"name": "tree"}
cyclic["self"] = cyclic
values = [
    words, [frozenset(words), "x"], {("a", 1): words}, area, even, cached, Colour, Colour.RED, Point,
    Point(1, {"a", "b", "zz"}), Pair(1, "z"), cyclic, lambda: words, functools.partial(area, ["a"]),
    pd.DataFrame({"s": ["a", "b", None], "f": [1.0, 2.0, 3.0], "c": pd.Categorical(["x", "y", "x"])}),
    pd.DataFrame({"o": np.array([{"k", "l", "m"}, 2], dtype=object)}),
    pd.date_range("2026-01-01", periods=3, tz="Europe/Vienna"), np.arange(12).reshape(3, 4).T,
    pa.table({"a": [1, None, 3], "s": ["x", "y", "zz"]}), datetime.datetime(2026, 11, 20), decimal.Decimal("1.1"),
    pathlib.Path("/tmp"), np.float32(1), np.dtype("f4"), {"a", 1, 2.5, (1, "z"), None},
    collections.Counter("banana"), slice(1, 2), 10**5000, "\\udc80", area.__code__,
]
from gcs_lab.cells.content_digest import content_digest
print(" ".join(content_digest(value).digest for value in values))
"""


def _in_another_python(source: str, hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True, env=environment, timeout=60
    ).stdout


def test_digests_are_the_same_in_every_process_whatever_its_hash_seed():
    first, second = _in_another_python(_CASES, "1"), _in_another_python(_CASES, "2")
    assert first.split() == second.split()
    assert len(set(first.split())) == len(first.split())


def test_kinds_that_print_alike_differ():
    alike = [1, 1.0, True, "1", b"1", [1], (1,), {1}, frozenset({1}), np.int64(1), np.float64(1), {1: 1}, [[1]]]
    assert len({digest(value) for value in alike}) == len(alike)


def test_the_same_list_twice_is_not_two_equal_lists():
    one = [1]
    assert digest([one, one]) != digest([[1], [1]])
    members = {1}
    assert digest([members, members]) != digest([{1}, {1}])


def test_one_text_twice_is_two_equal_texts():
    text = str.lower("LONG TEXT")
    assert digest([text, text]) == digest(["long text", "long " + str.lower("TEXT")])
    day = dt.date(2026, 1, 1)
    assert digest([day, day]) == digest([dt.date(2026, 1, 1), dt.date(2026, 1, 1)])


def test_the_order_of_a_dict_counts():
    assert digest({"a": 1, "b": 2}) != digest({"b": 2, "a": 1})


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[::2],
        lambda a: a[:, ::3],
        lambda a: a[::-1],
        lambda a: a[::2].T,
        lambda a: np.broadcast_to(a[:1], (40, 1500)),
        lambda a: a[:0],
        lambda a: a[3:4, 5:6][0, 0],
    ],
)
def test_an_array_that_is_not_in_one_piece_is_that_which_arrives_in_the_job(view):
    array = np.arange(1_500_000, dtype="f8").reshape(1000, 1500)
    assert digest(view(array)) == digest(np.array(view(array), order="C") if view(array).ndim else view(array).copy())


def test_every_value_of_an_array_counts():
    rows = np.zeros((3000, 700))
    for view in (rows, rows.T, rows[::2], rows[:, ::2], rows[::2].T):
        before = digest(view)
        for place in ((0, 0), (view.shape[0] - 1, view.shape[1] - 1), (view.shape[0] // 2, 1)):
            view[place] = 1
            assert digest(view) != before
            view[place] = 0
        assert digest(view) == before


def test_an_arrays_type_shape_and_order_count():
    array = np.zeros((4, 6))
    others = [array.reshape(6, 4), array.astype("f4"), np.asfortranarray(array), array.view("i8"), array.ravel()]
    assert len({digest(value) for value in [array, *others]}) == 6


def test_times_and_records_are_arrays_too():
    times = np.array(["2026-01-01", "NaT"], dtype="M8[ns]")
    assert digest(times) == digest(times.copy()) != digest(times[::-1])
    records = np.array([(1, "a")], dtype=[("x", "i4"), ("s", "U3")])
    assert digest(records) == digest(records.copy())


def test_how_pandas_lays_columns_together_does_not_count():
    frame = pd.DataFrame({"a": [1.0, 2.0], "s": ["x", "y"]})
    frame["b"] = [3.0, 4.0]
    before = digest(frame)
    assert digest(frame.copy(deep=True)) == before
    assert digest(pd.DataFrame({"a": [1.0, 2.0], "s": ["x", "y"], "b": [3.0, 4.0]})) == before
    assert digest(frame.rename(columns={"b": "c"})) != before
    assert digest(frame.set_index("s")) != before
    assert digest(frame.astype({"s": object})) != before


@pytest.mark.parametrize(
    "values",
    [
        ["a", "b", None],
        pd.Categorical(["x", "y", "x"]),
        pd.array([1, None, 3], dtype="Int64"),
        pd.to_datetime(["2026-01-01", "2026-01-02", None]).tz_localize("UTC"),
        pd.period_range("2026-01", periods=3, freq="M"),
        pd.interval_range(0, 3),
        pd.array([1, None, 3], dtype=pd.ArrowDtype(pa.int64())),
    ],
    ids=lambda values: str(pd.Series(values).dtype),
)
def test_looking_at_a_column_does_not_change_it(values):
    frame = pd.DataFrame({"column": values, "more": [1, 2, 3]}, index=list("abc"))
    before = digest(frame)
    frame["column"].isna().sum(), frame.describe(include="all"), frame["column"].unique()
    frame.index.get_loc("b"), frame["column"].hasnans, repr(frame), frame.to_numpy(), frame["column"].array[0]
    assert digest(frame) == before
    assert digest(pickle.loads(pickle.dumps(frame))) == before
    assert digest(frame[::-1]) != before


def test_what_an_arrow_slice_does_not_show_does_not_count():
    text = pa.array(["a", "bb", None, "dddd"])
    assert digest(text[1:3]) == digest(pa.array(["bb", None]))
    assert digest(pa.chunked_array([text[:1], text[1:]])) == digest(pa.chunked_array([text]))
    assert digest(text[1:3]) != digest(text[0:2])
    assert digest(pd.Series(["zz", "a", "b"])[1:].reset_index(drop=True)) == digest(pd.Series(["a", "b"]))


_FUNCTION = "def f(x, k=2):\n    # a comment\n    y = [x * k for _ in range(3)]\n    return y + helper(x)\n\ndef helper(x): return [x]\n"


def test_a_function_of_a_cell_that_ran_again_is_the_same():
    before = digest(defined(_FUNCTION, "f"))
    assert digest(defined(_FUNCTION, "f", "/tmp/ipykernel_9/77.py", lines_above=12)) == before
    assert digest(defined(_FUNCTION.replace("a comment", "another one"), "f")) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x * k", "x + k"),
        ("k=2", "k=3"),
        ("return [x]", "return [x, x]"),
        ("range(3)", "range(4)"),
        ("def f(x", "def f(z, x"),
    ],
)
def test_a_function_that_does_something_else_is_another(old, new):
    assert digest(defined(_FUNCTION.replace(old, new), "f")) != digest(defined(_FUNCTION, "f"))


def test_what_a_function_uses_counts():
    source = "data = {0}\ndef f():\n    return len(data)\n"
    assert digest(defined(source.format("[1, 2]"), "f")) == digest(defined(source.format("[1, 2]"), "f"))
    assert digest(defined(source.format("[1, 2]"), "f")) != digest(defined(source.format("[1, 3]"), "f"))
    closed = "def outer(n):\n    def inner(): return n\n    return inner\nf = outer({0})\n"
    assert digest(defined(closed.format(1), "f")) != digest(defined(closed.format(2), "f"))
    cached = "import functools\n@functools.lru_cache\ndef f(n): return n + {0}\n"
    assert digest(defined(cached.format(1), "f")) != digest(defined(cached.format(2), "f"))


def test_a_class_counts_by_what_its_body_defines():
    source = "class K:\n    limit = {0}\n    __slots__ = ('a',)\n    def m(self): return {1}\n"
    same = defined(source.format(1, 2), "K", "/tmp/other.py", lines_above=3)
    assert digest(defined(source.format(1, 2), "K")) == digest(same)
    assert digest(defined(source.format(1, 2), "K")) != digest(defined(source.format(3, 2), "K"))
    assert digest(defined(source.format(1, 2), "K")) != digest(defined(source.format(1, 5), "K"))
    assert digest(same()) == digest(defined(source.format(1, 2), "K")())


def test_functions_that_call_each_other_come_to_an_end():
    source = "".join(f"def f{i}(n): return {' or '.join(f'f{j}(n)' for j in range(20))} or {i}\n" for i in range(20))
    assert digest(defined(source, "f0")) == digest(defined(source, "f0"))
    assert digest(defined(source.replace("or 19\n", "or 77\n"), "f0")) != digest(defined(source, "f0"))


def test_the_modules_that_a_value_comes_from_are_told():
    top = {name.partition(".")[0] for name in content_digest([np.zeros(2), pd.Series([1])]).modules}
    assert {"numpy", "pandas"} <= top
    assert "textwrap" in content_digest(textwrap.dedent).modules
    assert (
        "statistics"
        in content_digest(defined("def f():\n    import statistics\n    return statistics\n", "f")).modules
    )


def test_objects_that_refer_to_themselves_have_a_digest():
    def tree(leaf):
        top = {"name": "top", "children": []}
        top["children"] += [{"name": "".join(["n", str(i)]), "parent": top, "leaf": leaf} for i in range(3)]
        return top

    assert digest(tree(1)) == digest(tree(1)) != digest(tree(2))


class Restless:
    counter = itertools.count()

    def __reduce__(self):
        return Restless, (), {"stamp": next(self.counter)}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ((n for n in range(3)), "generator"),
        (Restless(), r"another each time it is made .*Restless"),
        (open(os.devnull, "rb"), "BufferedReader|cannot pickle"),  # noqa: SIM115, PTH123
    ],
    ids=["generator", "restless", "file"],
)
def test_what_has_no_content_that_stays_is_refused_with_the_reason(value, why):
    with pytest.raises(NotPicklable, match=why):
        digest({"x": value})
    if hasattr(value, "close"):
        value.close()


def test_a_path_counts_by_its_name():
    assert digest(Path("/a")) == digest(Path("/a")) != digest(Path("/b"))
