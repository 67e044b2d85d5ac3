"""The line that a form means: read by the magic's own parser it says what the form says; and what is wrong with it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from job_cells import form

from gcs_lab import connect
from gcs_lab.magics.arguments import FlagParser, cell_parser, parse_flags, to_options
from gcs_lab.magics.notebook_command import notebook_flags
from gcs_lab.server.form_line import JobForm, line_of, written_problems

if TYPE_CHECKING:
    from live_server import LiveServer

PLAN = "clusters/embedded/plan"
WORD = st.text(alphabet="abzAZ09_.-é'\"\\ $@*,=#;&", max_size=12)
NAME = st.from_regex(r"[a-zA-Z_][a-z_.]{0,6}", fullmatch=True)
FORMS = st.fixed_dictionaries(
    {
        "verb": st.sampled_from(["submit", "run"]),
        "name": WORD,
        "queue": WORD,
        "project": WORD,
        "parallel_environment": WORD,
        "slots": st.sampled_from(["", "1", "4", "2-8"]),
        "requests": st.dictionaries(NAME, st.text(alphabet="aG0:.,'\"\\-=*|&", max_size=8), max_size=3),
        "after": WORD,
        "over": st.sampled_from(["", "x=range(10)", "a, b=[(1, 'x')]\n\n y = ['é', \"it's\"] "]),
        "max_parallel": st.sampled_from(["", "5"]),
        "priority": st.sampled_from(["", "-7", "12"]),
        "more": st.sampled_from(["", "--cache --in a,b", "-hold --env 'X=a b'"]),
    }
)


@settings(deadline=None, max_examples=400)
@given(FORMS, st.sampled_from(["cell", "notebook"]))
def test_a_line_says_what_its_form_says(filled: dict[str, Any], kind: str) -> None:
    if kind == "notebook":
        filled = filled | {"over": "", "max_parallel": "", "more": ""}
    if not filled["over"].strip():
        filled = filled | {"max_parallel": ""}
    filled = filled | {"slots": (filled["slots"] or "3") if filled["parallel_environment"].strip() else ""}
    made = JobForm.of(filled)
    assume(not list(written_problems(made, kind)))
    line = line_of(made, kind, "a dir/it's.ipynb")
    if kind == "cell":
        assert line.startswith("%%gcs ")
        flags = parse_flags(cell_parser(), line.removeprefix("%%gcs "))
        assert flags.verb == made.verb
    else:
        parser = FlagParser("gcs-lab submit-notebook")
        notebook_flags(parser)
        flags = parser.parse_args(shlex.split(line)[2:])
        assert flags.path == "a dir/it's.ipynb"
    wrong: list[Any] = []
    options = to_options(flags, wrong)
    assert (options.name or "", options.queue or "", options.project or "") == (made.name, made.queue, made.project)
    assert options.requests == made.requests
    assert (options.parallel_environment or "") == made.parallel_environment
    if made.parallel_environment:
        low, high = options.slots or (0, 0)
        assert made.slots in (f"{low}-{high}", str(low))
    assert options.after == [word.strip() for word in made.after.split(",") if word.strip()]
    assert tuple(options.over) == made.over
    assert options.max_parallel == (int(made.max_parallel) if made.max_parallel else None)
    assert options.priority == (int(made.priority) if made.priority else None)
    if made.more.startswith("--cache"):
        assert (options.cache, options.inputs) == (True, ["a", "b"])
    # What is left are values that no scheduler takes, which the checks tell field by field.
    assert all("--after" in str(error) or "-l " in str(error) for error in wrong)


def plan(server: LiveServer, kind: str = "cell", path: str = "", **values: Any) -> dict[str, Any]:
    return dict(server.post(PLAN, {"kind": kind, "path": path, "form": form(**values)}))


def test_a_form_that_is_well(server: LiveServer) -> None:
    told = plan(
        server,
        name="fit",
        queue="all.q",
        requests={"h_rt": "1:00:00", "h_vmem": " 4G ", "mem_free": ""},
        parallel_environment="smp",
        slots="2",
        over="x=range(3)",
        max_parallel="2",
    )
    assert told == {
        "line": "%%gcs submit -N fit -q all.q -l h_rt=1:00:00,h_vmem=4G -pe smp 2 --over 'x=range(3)' -tc 2",
        "problems": [],
        "warnings": [],
    }
    assert plan(server, verb="run")["line"] == "%%gcs run"


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"queue": "al.q"}, "queue", "Did you mean all.q"),
        ({"requests": {"h_vmem": "4GG"}}, "requests.h_vmem", "not a memory value"),
        ({"requests": {"h_rt": "1:2:3:4"}}, "requests.h_rt", "not a time"),
        ({"requests": {"h_vmen": "4G"}}, "requests.h_vmen", "Did you mean h_vmem"),
        ({"requests": {"h_vmem": "a b"}}, "requests.h_vmem", "white space"),
        ({"slots": "4"}, "parallel_environment", "need a parallel environment"),
        ({"parallel_environment": "smp"}, "slots", "how many slots"),
        ({"parallel_environment": "smpp", "slots": "2"}, "parallel_environment", "Did you mean smp"),
        ({"parallel_environment": "smp", "slots": "8-2"}, "slots", "a range goes upward"),
        ({"parallel_environment": "smp", "slots": "9999"}, "slots", "would wait for ever"),
        ({"name": "7up"}, "name", "does not begin with a digit"),
        ({"name": "-x"}, "name", "begins with a minus"),
        ({"name": "a\tb"}, "name", "line break or a control"),
        ({"over": "x=range(3"}, "over", "is not Python"),
        ({"over": "class=[1]"}, "over", "is not Python"),
        ({"max_parallel": "0", "over": "x=[1]"}, "max_parallel", "from 1 on"),
        ({"max_parallel": "2"}, "max_parallel", "give the points"),
        ({"priority": "high"}, "priority", "no whole number"),
        ({"priority": "5000"}, "priority", "-1023 to 1024"),
        ({"after": "a,,b"}, "after", "an entry is empty"),
        ({"more": "--nope"}, "more", "--nope"),
        ({"more": "--env 'X=1"}, "more", "No closing quotation"),
        ({"more": "--in 1x"}, "more", "cannot be the name of a variable"),
    ],
)
def test_what_is_wrong_is_told_by_field(server: LiveServer, values: dict[str, Any], field: str, said: str) -> None:
    problems = plan(server, **values)["problems"]
    assert [problem["field"] for problem in problems] == [field], problems
    assert said in problems[0]["message"]


def test_all_that_is_wrong_is_told_at_once(server: LiveServer) -> None:
    problems = plan(server, queue="al.q", requests={"h_rt": "x", "h_vmem": "y"}, priority="z")["problems"]
    assert [problem["field"] for problem in problems] == ["queue", "requests.h_rt", "requests.h_vmem", "priority"]


def test_a_page_that_sends_something_else_is_refused(server: LiveServer) -> None:
    server.refused(400, "POST", PLAN, json={"kind": "cell", "path": "", "form": {}})
    server.refused(400, "POST", PLAN, json={"kind": "other", "path": "", "form": form()})
    assert server.refused(400, "POST", PLAN, json={"kind": "script", "path": "../x.sh", "form": form()})


def test_files(server: LiveServer) -> None:
    (server.root / "it's a fit.ipynb").write_text("{}")
    (server.root / "prepare.sh").write_text("echo")
    told = plan(server, "notebook", "it's a fit.ipynb", name="fit", priority="-3")
    assert told["line"] == "gcs-lab submit-notebook 'it'\"'\"'s a fit.ipynb' -N fit --priority -3"
    assert told["problems"] == []
    assert plan(server, "script", "prepare.sh", queue="all.q")["line"] == "%%gcs submit --lang bash -q all.q"
    for kind, path, values, field in (
        ("notebook", "none.ipynb", {}, "path"),
        ("notebook", "prepare.sh", {}, "path"),
        ("script", "it's a fit.ipynb", {}, "path"),
        ("script", "", {}, "path"),
        ("notebook", "it's a fit.ipynb", {"over": "x=[1]"}, "over"),
        ("script", "prepare.sh", {"over": "x=__import__('os').listdir()"}, "over"),
        ("script", "prepare.sh", {"after": "nobody"}, "after"),
        ("script", "prepare.sh", {"verb": "run"}, "verb"),
    ):
        problems = plan(server, kind, path, **values)["problems"]
        assert [problem["field"] for problem in problems] == [field], (kind, path, values, problems)
    assert plan(server, "script", "prepare.sh", over="x=[1, 2]\ny=range(3)")["problems"] == []


def test_what_does_not_forbid_it_is_a_warning(server: LiveServer) -> None:
    cluster = connect("embedded")
    snapshot = cluster.status.poller.fresh()
    rows = snapshot.queue_instances.to_pylist()
    total = sum(row["slots_total"] for row in rows)
    told = plan(server, parallel_environment="smp", slots=str(total))["warnings"]
    assert told == [] or "slots are more than" in told[0]
    memory = plan(server, requests={"h_vmem": "900T"})
    assert any("more memory than any host has" in text for text in memory["warnings"]), memory


def test_nothing_of_a_files_form_is_run_by_the_server(server: LiveServer) -> None:
    (server.root / "sweep.sh").write_text("echo $x\n")
    for words in ({"over": "x=exit()"}, {"more": "--over 'x=exit()'"}, {"more": "--over 'x=[open(1)]'"}):
        body = {"kind": "script", "path": "sweep.sh", "form": form(**words)}
        problems = server.post(PLAN, body)["problems"]
        assert ["could compute it" in problem["message"] for problem in problems] == [True], problems
        refused = server.refused(400, "POST", "clusters/embedded/submit", json=body)
        assert refused["field"] == next(iter(words))
    # In a notebook the kernel computes it, and the form is of the user's own cell.
    assert not server.post(PLAN, {"kind": "cell", "path": "", "form": form(more="--over 'x=grid()'")})["problems"]
