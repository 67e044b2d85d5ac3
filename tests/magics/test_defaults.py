"""Defaults of cells' jobs: traitlets configuration of site and user, and what is set for one kernel."""

from __future__ import annotations

import json
import os

import pytest
from IPython.core.error import UsageError
from kernel_session import start_kernel
from traitlets import TraitError
from traitlets.config import Config

from gcs_lab.cells.environment import looks_secret
from gcs_lab.errors import InvalidArgument
from gcs_lab.magics.arguments import FlagParser, cell_parser, parse_flags, to_options
from gcs_lab.magics.config_files import saved_defaults, write_defaults
from gcs_lab.magics.defaults import blame_defaults
from gcs_lab.magics.defaults_command import defaults_command, defaults_flags, defaults_table
from gcs_lab.magics.gcs_magics import GcsMagics


def _magics(**values) -> GcsMagics:
    return GcsMagics(None, config=Config({"GcsMagics": values}))


def _options(magics, line, notebook="/home/ann/fit.ipynb", count=3):
    flags = parse_flags(cell_parser(), line)
    return magics.under(to_options(flags), flags, notebook=notebook, count=count)


def _command(magics, line, shell=None):
    parser = FlagParser(prog="%gcs defaults")
    defaults_flags(parser)
    return defaults_command(magics, shell, parse_flags(parser, line))


def test_flags_win_over_defaults_and_requests_are_merged_by_complex():
    magics = _magics(queue="long.q", requests={"h_rt": "1:00:00", "h_vmem": "4G"}, priority=-10, project="p")
    options = _options(magics, "run -q all.q -l h_vmem=8G")
    assert (options.queue, options.priority, options.project) == ("all.q", -10, "p")
    assert options.requests == {"h_rt": "1:00:00", "h_vmem": "8G"}
    assert list(options.from_defaults) == ["-P p", "-p -10", "-l h_rt=1:00:00"]
    plain = _options(magics, "run --no-defaults")
    assert (plain.queue, plain.requests, plain.from_defaults) == (None, {}, {})


def test_an_error_that_speaks_of_a_default_says_so():
    error = InvalidArgument("no queue is called 'nosuch.q' here. There is: all.q.")
    blame_defaults(error, {"-q nosuch.q": "user: config.py", "-l h_rt=1:00:00": "site", "-p 5": "site"})
    assert error.__notes__ == [
        "-q nosuch.q is a default (user: config.py); %gcs defaults shows all, --no-defaults leaves them out."
    ]
    assert error._render_traceback_() == [f"InvalidArgument: {error}\n{error.__notes__[0]}"]
    other = InvalidArgument("-l h_rt=1h: '1h' is not a time.")
    blame_defaults(other, {"-l h_vmem=4G,h_rt=1h": "site", "--cache": "site"})
    assert [note.split(";")[0] for note in other.__notes__] == ["-l h_vmem=4G,h_rt=1h is a default (site)"]


def test_a_name_is_made_from_a_template():
    assert _options(_magics(name="{notebook}_{count}"), "run").name == "fit_3"
    assert _options(_magics(name="{notebook}"), "run", notebook="").name == "notebook"
    assert _options(_magics(name="{notebook}"), "run -N mine").name == "mine"


def test_python_and_conda_are_one_choice():
    magics = _magics(conda="ml")
    assert _options(magics, "run").conda == "ml"
    options = _options(magics, "run --python /usr/bin/python3")
    assert (options.python, options.conda) == ("/usr/bin/python3", None)


def test_a_limit_of_tasks_is_for_sweeps_and_the_cache_can_be_turned_off():
    magics = _magics(max_parallel=5, cache=True)
    assert _options(magics, "run").max_parallel is None
    assert _options(magics, "submit --over x=[1]").max_parallel == 5
    assert (_options(magics, "run").cache, _options(magics, "run --no-cache").cache) == (True, False)


def test_a_parallel_environment_needs_its_slots():
    assert _options(_magics(parallel_environment="smp", slots="2-4"), "run").slots == (2, 4)
    assert _options(_magics(parallel_environment="smp", slots="2-4"), "run -pe mpi 8").slots == (8, 8)
    with pytest.raises(InvalidArgument, match="without slots"):
        _options(_magics(parallel_environment="smp"), "run")


def test_environment_by_name_alone_takes_its_value_here_and_is_no_mistake_where_it_is_not_set(monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "its value")
    monkeypatch.delenv("NOT_HERE", raising=False)
    magics = _magics(environment=["WANDB_API_KEY", "NOT_HERE", "OMP_NUM_THREADS=4"])
    assert magics.problems == []
    assert _options(magics, "run --env OMP_NUM_THREADS=1").environment == {
        "WANDB_API_KEY": "its value",
        "OMP_NUM_THREADS": "1",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("requests", {"h rt": "1"}),
        ("requests", {"h_rt": ""}),
        ("priority", 5000),
        ("priority", "high"),
        ("slots", "many"),
        ("max_parallel", 0),
        ("queue", "a b"),
        ("name", "{nonsense}"),
        ("modules", ["-f"]),
        ("environment", ["1X=2"]),
        ("environment", ["DB_PASSWORD=hunter2"]),
        ("environment", ["URL=https://ann:secret@host/"]),
        ("environment", ["X=ghp_0123456789abcdefghijklmnop"]),
        ("project", "AKIA0123456789ABCDEF"),
        ("requests", {"note": "glpat-0123456789abcdefghij"}),
    ],
)
def test_a_wrong_value_is_told_and_the_others_count(name, value):
    magics = _magics(**{name: value, "cluster": "embedded"})
    (problem,) = magics.problems
    assert problem.startswith(f"GcsMagics.{name} is not used: ")
    assert magics.cluster == "embedded"
    assert getattr(magics, name) == getattr(_magics(), name)
    if isinstance(value, list) and "=" in value[0]:
        assert value[0].partition("=")[2] not in problem


def test_a_default_that_does_not_exist_is_answered_with_the_nearest():
    assert _magics(reqests={}).problems == ["there is no GcsMagics.reqests. Did you mean requests?"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PATH", "/usr/local/bin:/usr/bin"),
        ("OMP_PROC_BIND", "spread"),
        ("DATA", "/data/project-2024/run_00000000000000000001"),
        ("TOKENIZERS_PARALLELISM", ""),
        ("MODEL", "sk-learn"),
        ("NAME", "a_rather_long_name_of_an_experiment"),
        ("PROXY", "http://proxy.example:3128"),
    ],
)
def test_ordinary_values_are_no_secrets(name, value):
    assert looks_secret(name, value) == ""


def test_defaults_are_set_for_one_kernel_shown_with_their_origin_and_taken_back():
    magics = _magics(queue="long.q")
    table = _command(magics, "-l h_rt=0:10:00 -pe smp 2 --env OMP_NUM_THREADS=2")
    assert dict(table["value"].loc[["queue", "requests", "slots"]]) == {
        "queue": "long.q", "requests": "h_rt=0:10:00", "slots": "2"
    }  # fmt: skip
    assert dict(table["from"].loc[["queue", "requests"]]) == {"queue": "configuration", "requests": "this kernel"}
    _command(magics, "-l h_vmem=1G")
    assert magics.requests == {"h_rt": "0:10:00", "h_vmem": "1G"}
    _command(magics, "--reset")
    assert magics.requests == {}
    assert set(defaults_table(magics)["from"]) == {"", "configuration"}


def test_the_file_of_a_default_is_told_as_the_users_or_the_sites(monkeypatch):
    magics = _magics(queue="long.q")
    for path, whose in (("/etc/ipython/ipython_config.py", "site"), (f"{os.environ['IPYTHONDIR']}/p/x.py", "user")):
        monkeypatch.setattr("gcs_lab.magics.defaults.file_that_sets", lambda _, path=path: path)
        assert magics.origin("queue") == f"{whose}: {path}"


def test_a_wrong_value_changes_nothing():
    magics = _magics()
    with pytest.raises(InvalidArgument, match="Nothing was changed"):
        _command(magics, "-q all.q --env API_TOKEN=x")
    assert (magics.queue, magics.set_here()) == ("", {})
    with pytest.raises(UsageError):
        _command(magics, "--quue all.q")


def test_config_magic_refuses_what_cannot_work():
    magics = _magics()
    with pytest.raises(TraitError, match="from -1023 to 1024"):
        magics.update_config(Config({"GcsMagics": {"priority": 5000}}))
    magics.update_config(Config({"GcsMagics": {"priority": 5}}))
    assert (magics.priority, magics.origin("priority")) == (5, "this kernel")


def test_saving_keeps_what_else_is_in_the_file(tmp_path):
    path = tmp_path / "ipython_config.json"
    path.write_text('{"InteractiveShell": {"colors": "nocolor"}, "GcsMagics": {"queue": "a.q", "conda": "ml"}}')
    write_defaults(path, {"queue": "b.q"}, removed=["conda"])
    assert json.loads(path.read_text()) == {"InteractiveShell": {"colors": "nocolor"}, "GcsMagics": {"queue": "b.q"}}
    path.write_text("{ not json")
    with pytest.raises(InvalidArgument, match="stays as it is"):
        write_defaults(path, {"queue": "c.q"})
    assert path.read_text() == "{ not json"


@pytest.mark.parametrize("cluster", ["embedded"], indirect=True)
def test_files_of_site_and_user_are_read_by_a_kernel_and_told_by_name(cluster, tmp_path, tmp_path_factory):
    home = tmp_path / "ipython"
    (home / "profile_default").mkdir(parents=True)
    user = home / "profile_default" / "ipython_kernel_config.py"
    user.write_text('c = get_config()\nc.GcsMagics.requests = {"h_rt": "0:05:00"}\nc.GcsMagics.priority = 9999\n')
    kernel = start_kernel(tmp_path_factory, cluster, IPYTHONDIR=str(home))
    try:
        # The extension was loaded when the kernel began; what it said of the file comes again.
        told = kernel.run("%reload_ext gcs_lab").text("stderr")
        assert f"GcsMagics.priority in {user} is not used: 9999" in told
        kernel.run("%gcs defaults -q all.q --save")
        assert saved_defaults(user.with_name("ipython_config.json")) == {"queue": "all.q"}
        explained = kernel.run("%%gcs run --explain -l h_vmem=1G\n1").result()
        assert "h_rt=0:05:00, h_vmem=1G" in explained
        assert f"-l h_rt=0:05:00  user: {user}" in explained
        assert "-q all.q  this kernel" in explained
    finally:
        kernel.close()
    kernel = start_kernel(tmp_path_factory, cluster, IPYTHONDIR=str(home))
    try:
        assert kernel.value("get_ipython().magics_manager.registry['GcsMagics'].queue") == "'all.q'"
        origin = kernel.value("get_ipython().magics_manager.registry['GcsMagics'].origin('queue')")
        assert origin == repr(f"user: {user.with_name('ipython_config.json')}")
    finally:
        kernel.close()


def test_the_environment_variable_of_the_cluster_counts_more(monkeypatch):
    magics = _magics(cluster="nowhere")
    monkeypatch.setenv("GCS_LAB_CLUSTER", "embedded")
    assert magics.session.cluster()[0].name == "embedded"
    assert os.environ["GCS_LAB_CLUSTER"] == "embedded"
