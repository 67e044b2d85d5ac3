from __future__ import annotations

import builtins

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcs_lab.cells.cell_source import read_cell


@pytest.mark.parametrize(
    ("source", "needs", "leaves"),
    [
        ("x = a + 1", {"a"}, {"x"}),
        ("x = x + 1", {"x"}, {"x"}),
        ("x += 1", {"x"}, {"x"}),
        ("total = 0\nfor i in range(n):\n    total += i", {"n"}, {"total", "i"}),
        ("def f(z, w=d):\n    return z + g + h\nh = 3\nf(1)", {"d", "g", "h"}, {"f", "h"}),
        ("ys = [x * k for x in data if x > lim]", {"data", "k", "lim"}, {"ys"}),
        ("with open(p) as fh:\n    s = fh.read()", {"p"}, {"fh", "s"}),
        ("class A(B):\n    y = c\n    def m(self): return self.y + e", {"B", "c", "e"}, {"A"}),
        ("import numpy as np\nimport os.path\nz = np.ones(3)", set(), {"np", "os", "z"}),
        (
            "match v:\n    case [a, *b]:\n        r = a\n    case {'k': kk, **rest}: pass",
            {"v"},
            {"a", "b", "r", "kk", "rest"},
        ),
        ("if c:\n    u = 1\nelse:\n    u = 2\nu", {"c"}, {"u"}),
        ("f'{aa} {bb!r:>{cc}}'", {"aa", "bb", "cc"}, set()),
        ("while True:\n    k = 1\n    break\nk", set(), {"k"}),
        ("def g():\n    global zz\n    zz = 1", set(), {"g", "zz"}),
        ("any((hit := n) > 3 for n in ns)", {"ns"}, {"hit"}),
        ("@deco\ndef f(): pass", {"deco"}, {"f"}),
        ("del gone", {"gone"}, set()),
        ("async def f():\n    await g()\nr = await f()", {"g"}, {"f", "r"}),
        ("try:\n    v = 1\nexcept E as e:\n    raise\nv", {"E"}, {"v"}),
        ("a, (b, *c) = t\na[0] = d", {"t", "d"}, {"a", "b", "c"}),
    ],
)
def test_names_that_a_cell_needs_and_leaves(source, needs, leaves):
    found = read_cell(source)
    assert {name for name in found.needs if not hasattr(builtins, name)} == needs
    assert set(found.leaves) == leaves


def test_a_name_read_before_it_is_bound_is_needed_and_not_optional():
    found = read_cell("y = x\nx = 1")
    assert found.needs == {"x": 1}
    assert found.optional == set()


def test_a_recursive_function_does_not_need_itself():
    assert "fact" not in read_cell("def fact(n):\n    return n * fact(n - 1)").needs


def test_a_name_bound_on_one_path_only_is_optional():
    assert read_cell("if c:\n    t = 1\nprint(t)").optional == {"t"}


def test_a_name_guarded_by_name_error_is_optional():
    assert "cache" in read_cell("try:\n    cache\nexcept NameError:\n    cache = {}").optional


def test_stores_into_an_object_are_changes():
    found = read_cell("df['a'] = 1\nmodel.layers[0].bias = 2\ndel table['x']")
    assert set(found.changes) == {"df", "model", "table"}


def test_method_calls_as_statements_are_told_with_their_line():
    (call,) = read_cell("\nmodel.fit(X)\ny = model.predict(X)").discarded
    assert (call.name, call.line) == ("model", 2)


def test_a_star_import_makes_the_cell_open_ended():
    assert read_cell("from math import *\nsin(x)").open_ended


def test_lines_of_needs_are_the_lines_of_their_first_use():
    assert read_cell("\n\ny = 1\nz = [\n  a,\n  b]").needs == {"a": 5, "b": 6}


def test_a_syntax_error_is_raised_with_its_line():
    with pytest.raises(SyntaxError) as caught:
        read_cell("\nx = = 1")
    assert caught.value.lineno == 2


_names = st.sampled_from(["a", "b", "c", "d"])
_statements = st.one_of(
    st.builds("{} = {}".format, _names, _names),
    st.builds("{} = 1".format, _names),
    st.builds("{} += {}".format, _names, _names),
    st.builds("if {}:\n    {} = 1".format, _names, _names),
    st.builds("for {} in [1]:\n    {} = 2".format, _names, _names),
    st.builds("{} = [{} for {} in [1, 2]]".format, _names, _names, _names),
    st.builds("def {}():\n    return {}\n{} = 3".format, _names, _names, _names),
)


@given(st.lists(_statements, min_size=1, max_size=8))
def test_a_cell_given_what_it_needs_never_meets_an_undefined_name(statements):
    source = "\n".join(statements)
    found = read_cell(source)
    namespace = dict.fromkeys(found.needs, 1)
    try:
        exec(source, namespace)
    except TypeError:
        return
    bound = {name for name in namespace if not name.startswith("__")}
    assert bound <= set(found.leaves) | set(found.needs)
