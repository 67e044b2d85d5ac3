from __future__ import annotations

import os
import sys
import types
from pathlib import Path

import pytest

from gcs_lab.cells.interpreter import Interpreter
from gcs_lab.cells.placeholder import Placeholder
from gcs_lab.cells.plan import CellOptions, CellRequest, plan_cell
from gcs_lab.errors import CellSourceError, InvalidArgument, NotPicklable, NotReady


def _plan(source, namespace=None, **options):
    request = CellRequest(
        source=source,
        filename="<cell>",
        display_name="Cell In[3]",
        display_source=source,
        namespace=namespace if namespace is not None else {},
        options=CellOptions(**options),
        execution_count=3,
    )
    return plan_cell(request)


def test_only_what_the_cell_reads_travels():
    plan = _plan("y = f(x)", {"f": len, "x": [1], "unused": object()})
    assert set(plan.inputs) == {"f", "x"}
    assert plan.outputs == ["y"]


def test_modules_travel_by_name():
    plan = _plan("y = o.getcwd()", {"o": os})
    assert plan.modules == {"o": "os"}
    assert plan.inputs == {}


def test_a_module_made_in_the_notebook_is_refused():
    with pytest.raises(NotPicklable, match="made here and cannot be imported"):
        _plan("y = mine.x", {"mine": types.ModuleType("mine_made_here")})


def test_undefined_names_are_all_told_with_their_lines():
    with pytest.raises(CellSourceError) as caught:
        _plan("\na = one\nb = two + one", {})
    text = str(caught.value)
    assert "one: Cell In[3], line 2: a = one" in text
    assert "two: Cell In[3], line 3: b = two + one" in text


def test_builtins_and_what_ipython_provides_are_not_undefined():
    assert _plan("print(len('x')); display(1); get_ipython()").needs_shell


def test_a_star_import_silences_the_check():
    assert _plan("from math import *\nv = sin(1)").outputs == ["v"]


def test_a_placeholder_that_is_needed_is_told():
    waiting = Placeholder("x", lambda name: f"{name} is still being computed by job 7.")
    with pytest.raises(NotReady, match="the cell needs x, and x is still being computed by job 7"):
        _plan("y = x", {"x": waiting})


def test_objects_that_are_stored_into_come_back_but_modules_and_classes_do_not():
    plan = _plan("d['a'] = 1\no.environ['B'] = '2'\nK.z = 3", {"d": {}, "o": os, "K": type("K", (), {})})
    assert plan.outputs == ["d"]


def test_names_of_habit_do_not_come_back():
    assert _plan("for _ in range(3):\n    pass\nx = 1").outputs == ["x"]


def test_method_calls_whose_effect_stays_in_the_job_are_told_for_instances_only():
    plan = _plan("items.append(1)\no.getcwd()\n'x'.upper()", {"items": [], "o": os})
    assert [call.name for call in plan.discarded] == ["items"]


def test_a_name_given_to_out_is_not_told():
    assert _plan("items.append(1)", {"items": []}, outputs=["items"]).discarded == []


def test_default_name_python_and_folder():
    plan = _plan("x = 1")
    assert (plan.name, plan.python, plan.cwd) == ("cell_3", sys.executable, str(Path.cwd()))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"inputs": ["nope"]}, "--in nope"),
        ({"outputs": ["nope"]}, "--out nope"),
        ({"cwd": "/no/such"}, "--cwd /no/such"),
        ({"python": "no-such-python"}, "--python no-such-python"),
        ({"python": "/bin/ls"}, "it is no Python"),
    ],
)
def test_flags_that_cannot_work_are_told_by_name(options, said):
    with pytest.raises((InvalidArgument, CellSourceError), match=said):
        _plan("x = 1", {}, **options)


def test_the_template_carries_what_was_asked_for_and_nothing_else():
    plan = _plan("x = 1", requests={"h_rt": "60"}, slots=(2, 4), parallel_environment="smp", priority=-5, hold=True)
    template = plan.template("R", "F", "O", "E")
    assert template.args == ["R", "F"]
    assert (template.min_slots, template.max_slots, template.parallel_environment) == (2, 4, "smp")
    assert (template.priority, template.submit_as_hold, template.resource_requests) == (-5, True, {"h_rt": "60"})
    assert "queue_name" not in template.attributes_set()


def test_inputs_of_ipython_itself_do_not_travel():
    hidden = {"quit": object()}
    request = CellRequest(
        source="quit\nx = 1",
        filename="<c>",
        display_name="c",
        display_source="",
        namespace=dict(hidden),
        hidden=hidden,
    )
    assert plan_cell(request).inputs == {}


def test_code_of_the_notebook_is_refused_for_another_python(monkeypatch):
    monkeypatch.setattr("gcs_lab.cells.plan.job_interpreter", lambda *_: Interpreter("/other/python", (3, 9)))
    function = types.FunctionType((lambda: 1).__code__, {"__name__": "__main__"})
    function.__module__ = "__main__"
    with pytest.raises(NotPicklable, match=r"cannot run in Python 3\.9"):
        _plan("y = f()", {"f": function})
    assert _plan("y = x", {"x": 1}).python == "/other/python"
