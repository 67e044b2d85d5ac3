"""What a cluster refuses of ``#$`` lines: told with the line, or left out if it is a wish."""

from __future__ import annotations

import pytest

from gcs_lab.cells.plan import CellOptions, CellRequest
from gcs_lab.cells.script_plan import plan_script, script_source
from gcs_lab.cells.unhonoured_directives import sent_with_its_lines
from gcs_lab.errors import DeniedByDrms, InvalidArgument, UnknownName, UnsupportedAttribute


def _plan(*lines, **options):
    cell = "\n".join(lines)
    request = CellRequest(
        source=script_source(cell), filename="", display_name="", display_source=cell, namespace={},
        options=CellOptions(lang="sh", **options),
    )  # fmt: skip
    return plan_script(request)


def _refuser(*refused, error=UnsupportedAttribute):
    """A cluster that refuses options, as the real ones word it."""

    def send(plan):
        native = plan.template("r", "f", "o", "e").native_specification or ""
        for option in refused:
            if option in native.split():
                raise error(f"native_specification: this cluster does not honour '{option}': it has none.")
        return native

    return send


def test_wishes_are_left_out_one_by_one_and_told():
    plan = _plan("#$ -P proj -m abe", "#$ -R y -r y -w e", "true")
    assert sent_with_its_lines(plan, _refuser("-P", "-m", "-R", "-w")) == "-r y"
    told = [text.partition(": the job goes without it")[0] for text in plan.warnings]
    assert sorted(told) == ["line 2: #$ -P proj", "line 2: #$ -m abe", "line 3: #$ -R y", "line 3: #$ -w e"]


def test_what_a_cluster_knows_is_sent():
    plan = _plan("#$ -P proj -m abe")
    assert sent_with_its_lines(plan, _refuser()) == "-m abe -P proj"
    assert plan.warnings == []


def test_what_changes_the_scripts_doing_is_refused_with_its_line():
    with pytest.raises(UnsupportedAttribute, match=r"honour '-notify'.* It stands in line 3: #\$ -notify"):
        sent_with_its_lines(_plan("true", "#$ -notify"), _refuser("-notify"))


def test_a_wish_that_is_wrong_is_refused_with_its_line():
    with pytest.raises(DeniedByDrms, match=r"It stands in line 2: #\$ -P proj"):
        sent_with_its_lines(_plan("#$ -P proj"), _refuser("-P", error=DeniedByDrms))


def test_the_magics_own_flags_are_not_left_out():
    with pytest.raises(UnsupportedAttribute) as caught:
        sent_with_its_lines(_plan("#$ -P theirs", project="mine"), _refuser("-P"))
    assert "It stands in line" not in str(caught.value)


def test_the_same_wish_as_a_flag_is_refused():
    plan = _plan("#$ -m a", native="-m b")
    with pytest.raises(UnsupportedAttribute, match="honour '-m'"):
        sent_with_its_lines(plan, _refuser("-m"))


def test_a_name_that_is_not_there_is_told_with_its_line():
    def send(_):
        raise UnknownName("queue", "fast.q", ["all.q"])

    with pytest.raises(UnknownName, match=r"no queue is called 'fast\.q'.*It stands in line 2: #\$ -q fast\.q"):
        sent_with_its_lines(_plan("#$ -q fast.q"), send)


def test_errors_about_other_things_stay_as_they_are():
    def send(_):
        raise InvalidArgument("something else")

    with pytest.raises(InvalidArgument, match=r"\Asomething else\Z"):
        sent_with_its_lines(_plan("#$ -q fast.q -P proj"), send)
