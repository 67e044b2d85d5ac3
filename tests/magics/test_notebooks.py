"""`%gcs submit-notebook` and the interpreter's flags in a real kernel, on both systems."""

from __future__ import annotations

import re
import subprocess
import sys

import nbformat
import pytest
from kernel_session import BOTH

from gcs_lab.cells.environment import looks_secret
from gcs_lab.cells.notebook_plan import NotebookRequest, output_of, plan_notebook
from gcs_lab.errors import InvalidArgument, UnknownName

FAKE_INIT = 'module() { export LOADEDMODULES=$2 DEMO="loaded $2" PATH=/opt/$2/bin:$PATH; }\n'


def _notebook(path, last="1 / alpha"):
    book = nbformat.v4.new_notebook()
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python", "language": "python"}
    parameters = nbformat.v4.new_code_cell("alpha = 0.1")
    parameters.metadata.tags = ["parameters"]
    code = [nbformat.v4.new_markdown_cell("## Evaluate"), nbformat.v4.new_code_cell(f"import os\nx = alpha\n{last}")]
    book.cells = [parameters, *code]
    nbformat.write(book, path)
    return path


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    folder = tmp_path_factory.mktemp("books")
    return _notebook(folder / "fit.ipynb")


@pytest.mark.parametrize("cluster", BOTH, indirect=True, scope="session")
def test_a_notebook_runs_as_a_job_and_a_failure_names_cell_and_line(kernel, books, cluster):
    (books.parent / f"{cluster}-good.ipynb").unlink(missing_ok=True)
    kernel.run("value = 0.5")
    good = kernel.run(
        f"%gcs submit-notebook {books} -p alpha=$value --output {books.parent}/{cluster}-good.ipynb --wait -N good",
        timeout=120,
    )
    assert good.error() is None, good.traceback()
    shown = good.data("text/plain", ("display_data", "update_display_data"))
    assert any("done · good" in text for text in shown)
    assert any("3  Evaluate" in text for text in shown)
    (link,) = [html for html in good.data("text/html") if "<a href" in html]
    assert f"{cluster}-good.ipynb" in link
    output = nbformat.read(books.parent / f"{cluster}-good.ipynb", as_version=4)
    assert output.cells[-1].outputs[0].data["text/plain"] == "2.0"
    assert output.metadata.papermill.parameters == {"alpha": 0.5}
    assert good.text() in {"", kernel.run("%gcs connect").text()}

    bad = kernel.run(
        f"%gcs submit-notebook {books} -p alpha=0 --output {books.parent}/{cluster}-bad.ipynb --wait", timeout=120
    )
    assert bad.error()["ename"] == "ZeroDivisionError"
    assert bad.error()["evalue"] == "fit.ipynb, cell 3 (Evaluate), line 3: division by zero"
    assert "fit.ipynb, cell 3, line 3" in bad.traceback()
    assert "gcs_lab" not in bad.traceback()
    assert "FAILED" in kernel.run("%gcs jobs -n 1").result()
    attached = kernel.run("%gcs attach good")
    assert any("good.ipynb" in text for text in attached.data("text/plain"))
    # What is attached to a job of one cluster never means another's.
    assert kernel.run("%gcs attach good --on nowhere").error()["ename"] == "UnknownName"


@pytest.mark.parametrize("cluster", BOTH, indirect=True, scope="session")
def test_modules_and_conda_prepare_the_jobs_python(kernel, tmp_path, cluster):
    (tmp_path / "modules" / "init").mkdir(parents=True)
    (tmp_path / "modules" / "init" / "bash").write_text(FAKE_INIT)
    environment = tmp_path / "envs" / "ml"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    (environment / "conda-meta").mkdir()
    kernel.run(f"import os; os.environ['MODULESHOME'] = '{tmp_path}/modules'")
    told = kernel.run(
        f"%%gcs run --module gcc --conda {environment} --env MINE=1\n"
        "import os, sys\nfound = [os.environ.get(n) for n in ('DEMO', 'CONDA_PREFIX', 'MINE')]\n"
        "first, where = os.environ['PATH'].split(':')[:2], sys.prefix",
        timeout=120,
    )
    kernel.run("import os; del os.environ['MODULESHOME']")
    assert told.error() is None, told.traceback()
    assert kernel.value("found") == repr(["loaded gcc", str(environment), "1"])
    assert kernel.value("first") == repr([f"{environment}/bin", "/opt/gcc/bin"])
    assert kernel.value("where") == repr(str(environment))


@pytest.mark.parametrize("cluster", ["embedded"], indirect=True)
def test_a_module_that_is_not_there_is_a_clear_error_of_the_job(kernel, cluster, tmp_path):
    (tmp_path / "init").mkdir()
    (tmp_path / "init" / "bash").write_text("module() { return 1; }\n")
    kernel.run(f"import os; os.environ['MODULESHOME'] = '{tmp_path}'")
    told = kernel.run("%%gcs run --module nosuch\nx = 1")
    kernel.run("import os; del os.environ['MODULESHOME']")
    assert "--module nosuch could not be tried here (module load nosuch failed" in told.text("stderr")
    assert "gcs_lab: module load nosuch failed" in told.traceback()


@pytest.mark.parametrize("cluster", ["embedded"], indirect=True)
def test_nothing_is_sent_of_what_cannot_work(kernel, cluster, books):
    before = len(list(books.parent.iterdir()))
    explained = kernel.run(f"%gcs submit-notebook {books} -p alpha=2 --explain")
    assert "parameter  alpha = 2" in explained.result()
    assert "no parameter is called 'alfa'" in kernel.run(f"%gcs submit-notebook {books} -p alfa=2").traceback()
    assert "no queue is called" in kernel.run(f"%gcs submit-notebook {books} -q nosuch.q").traceback()
    assert len(list(books.parent.iterdir())) == before


def test_the_command_line_submits_a_notebook(tmp_path, monkeypatch, capsys):
    from gcs_lab import cli

    monkeypatch.setenv("GCS_LAB_CLUSTER", "embedded")
    book = _notebook(tmp_path / "night.ipynb")
    assert cli.main(["submit-notebook", str(book), "-p", "alpha=4", "--wait"]) == 0
    told = capsys.readouterr().out
    output = re.fullmatch(r"job \d+ \(night\) on embedded: (.*night-\d{8}-\d{6}\.ipynb)\n", told)[1]
    assert nbformat.read(output, as_version=4).cells[-1].outputs[0].data["text/plain"] == "0.25"
    assert cli.main(["submit-notebook", str(book), "-p", "alph=4"]) == 1
    assert "Did you mean alpha" in capsys.readouterr().err


# -- the plan ------------------------------------------------------------------------------------------------------


def _plan(path, **request):
    return plan_notebook(NotebookRequest(path=str(path), **request))


def test_the_output_stands_beside_the_notebook_or_where_it_is_wanted(books, tmp_path):
    plan = _plan(books)
    assert re.fullmatch(r"fit-\d{8}-\d{6}\.ipynb", output_of(plan).name)
    assert (output_of(plan).parent, plan.cwd, plan.name, plan.kind) == (
        books.parent,
        str(books.parent),
        "fit",
        "notebook",
    )
    assert output_of(_plan(books.with_suffix(""), output=str(tmp_path))) == tmp_path / "fit.ipynb"
    own_folder = output_of(_plan(books, output=str(books.parent)))
    assert own_folder.parent == books.parent
    assert own_folder.name.startswith(f"{books.stem}-2")
    with pytest.raises(InvalidArgument, match="that is the notebook itself"):
        _plan(books, output=str(books))
    with pytest.raises(InvalidArgument, match="no such folder"):
        _plan(books, output=str(tmp_path / "no" / "x.ipynb"))
    with pytest.raises(InvalidArgument, match="expected the name of a notebook"):
        _plan(books, output=str(tmp_path / "x.html"))


def test_what_is_no_notebook_is_refused(books, tmp_path):
    with pytest.raises(UnknownName, match=r"Did you mean fit\.ipynb"):
        _plan(books.with_name("fitt.ipynb"))
    (tmp_path / "x.ipynb").write_text("not json")
    with pytest.raises(InvalidArgument, match=r"x\.ipynb is no notebook"):
        _plan(tmp_path / "x.ipynb")
    with pytest.raises(UnknownName, match="no kernel is called"):
        _plan(books, kernel="julia-9")
    with pytest.raises(InvalidArgument, match="expected NAME=VALUE"):
        _plan(books, typed=["alpha"])


def test_a_python_without_papermill_is_refused_with_what_to_install(books, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    from gcs_lab.cells.plan import CellOptions

    with pytest.raises(InvalidArgument, match="pip install papermill ipykernel"):
        _plan(books, options=CellOptions(python=str(tmp_path / "bare" / "bin" / "python")))


def test_a_parameter_that_looks_like_a_secret_is_warned_of(books):
    plan = _plan(books, typed=["alpha=ghp_0123456789abcdefghijklmnop"])
    assert "Parameters are written into the output notebook" in plan.warnings[0]
    assert looks_secret("alpha", "0.5") == ""
