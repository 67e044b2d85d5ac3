"""Cells in other languages and ``#$`` scripts, as a notebook sees them, on both systems."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

EXAMPLES = Path("/usr/share/doc/gridengine-common/examples")

#: A script as sites' manuals show it.
MANUALS_SCRIPT = """\
#!/bin/bash
# The name of the job, where its output goes, what it needs
#$ -N align
#$ -cwd -j y
#$ -o logs/$JOB_NAME.$JOB_ID.log
#$ -l h_rt=0:05:00
#$ -q all.q          # the queue
#$ -S /bin/bash
#$ -v SAMPLE="a b"
#$ -r y -m n

set -euo pipefail
echo "sample $SAMPLE in $PWD with $NSLOTS slot"
echo "job $JOB_NAME" >&2
cd "$SGE_O_WORKDIR"
echo "$PWD $SGE_CWD_PATH"
"""


def test_a_script_from_a_manual_runs_unchanged(kernel):
    kernel.run("import os; os.makedirs('logs', exist_ok=True)")
    cell = kernel.run(f"%%gcs run --lang bash\n{MANUALS_SCRIPT}")
    assert cell.error() is None, cell.traceback()
    here = kernel.value("os.getcwd()").strip("'")
    said = f"sample a b in {here} with 1 slot\njob align\n{here} {here}\n"
    assert said in cell.text("stdout")
    (log,) = Path(here, "logs").glob("align.*.log")
    assert log.read_text() == said
    log.unlink()


def test_an_example_of_grid_engines_own_runs_unchanged(kernel):
    if not EXAMPLES.exists():
        pytest.skip("gridengine-common is not installed: there are no example scripts")
    script = (EXAMPLES / "env-tester.sh").read_text()
    cell = kernel.run(f"%%gcs run --lang sh -N tester\n{script}")
    assert cell.error() is None, cell.traceback()
    assert "JOB_NAME=tester" in cell.text("stdout").splitlines()


def test_values_go_in_and_come_back(kernel):
    kernel.run("import pandas as pd; n = 3; table = pd.DataFrame({'a': [1, 2]}); words = ['x', 'y']")
    cell = kernel.run(
        "%%gcs run --lang bash --in n,table,words --out big.csv,total,note.txt\n"
        'echo "$words"\n'
        'while read -r line; do echo "$line,$n"; done < "$table" > big.csv\n'
        'echo "total=$((n * 14))" >> "$GCS_LAB_OUT"\n'
        "printf done > note.txt"
    )
    assert cell.error() is None, cell.traceback()
    assert '["x", "y"]\n' in cell.text("stdout")
    assert kernel.value("big.to_dict('list'), total, note") == "({'a': [1, 2], '3': [3, 3]}, 42, 'done')"


def test_a_failed_script_is_an_error_with_its_last_words(kernel):
    cell = kernel.run("%%gcs run --lang bash\necho fine\nnosuch_command\nexit 4")
    assert "fine\n" in cell.text("stdout")
    assert cell.error()["ename"] == "ScriptFailed"
    assert re.search(r"exit status 4: Cell In\[\d+\]: line 3: nosuch_command: command not found", cell.traceback())


def test_a_value_travels_from_a_cell_to_a_script_and_back_to_a_cell(kernel):
    kernel.run("%%gcs submit\nimport pandas as pd\nframe = pd.DataFrame({'a': [20, 22]})")
    kernel.run(
        "%%gcs submit --lang awk --in frame --out total\n"
        'BEGIN { while ((getline line < ENVIRON["frame"]) > 0) sum += line\n'
        'print "total=" sum >> ENVIRON["GCS_LAB_OUT"] }'
    )
    cell = kernel.run("%%gcs run\ntwice = 2 * total")
    assert cell.error() is None, cell.traceback()
    assert kernel.value("twice") == "84"


def test_an_array_of_a_script_is_a_sweep_over_its_indices(kernel):
    kernel.run(
        "%%gcs submit --lang bash --out square\n"
        "#$ -t 2-6:2 -tc 2 -N squares\n"
        'echo "square=$((SGE_TASK_ID * SGE_TASK_ID))" >> "$GCS_LAB_OUT"\n'
        'echo "$SGE_TASK_ID of $SGE_TASK_FIRST-$SGE_TASK_LAST:$SGE_TASK_STEPSIZE"'
    )
    cell = kernel.run("sweep.wait(60)\nframe = sweep.frame")
    assert cell.error() is None, cell.traceback()
    assert (
        kernel.value("frame[['SGE_TASK_ID', 'square']].astype(int).values.tolist()") == "[[2, 4], [4, 16], [6, 36]]"
    )


@pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")
class TestOnOneSystem:
    """What does not depend on the system."""

    def test_explain_shows_directives_flags_and_files(self, kernel):
        kernel.run("n = 3")
        shown = kernel.run(
            "%%gcs submit --lang bash -N mine --in n --out r.csv,total --explain\n"
            "#$ -N theirs -l h_rt=60\n#$ -o $HOME/log -j y -hold_jid prep\ntrue"
        ).result()
        for part in (
            "name  mine",
            "requests  h_rt=60",
            "language  bash",
            "line 2  #$ -N theirs; the flag on the magic's line counts",
            "line 2  #$ -l h_rt=60",
            "standard output  $HOME/log, too",
            "after prep  as qsub -hold_jid",
            "n  int  $n",
            "r  the file r.csv",
            "total  a line total=… of the file $GCS_LAB_OUT",
        ):
            assert part in shown, shown

    def test_what_the_cluster_refuses_is_told_with_the_line(self, kernel):
        cell = kernel.run("%%gcs run --lang bash\ntrue\n#$ -notify")
        assert cell.error()["ename"] == "UnsupportedAttribute"
        assert "It stands in line 3: #$ -notify" in cell.traceback()
        cell = kernel.run("%%gcs run --lang bash\n#$ -q nosuch.q\ntrue")
        assert "no queue is called 'nosuch.q'" in cell.traceback()
        assert "It stands in line 2: #$ -q nosuch.q" in cell.traceback()

    def test_wishes_that_the_cluster_cannot_honour_are_left_out_and_told(self, kernel):
        cell = kernel.run(
            "%%gcs run --lang bash\n#$ -P project -R y -N wishes\n#$ -m abe -M ann@example.org -r y\necho $JOB_NAME"
        )
        assert cell.error() is None, cell.traceback()
        assert cell.text("stdout").endswith("wishes\n")
        for line in (
            "line 2: #$ -P project",
            "line 2: #$ -R y",
            "line 3: #$ -m abe",  # without it -M asks for nothing
        ):
            assert f"gcs: {line}: the job goes without it." in cell.text("stderr")

    def test_a_forgotten_input_is_hinted_at(self, kernel):
        kernel.run("threshold = 3")
        cell = kernel.run("%%gcs run --lang bash\necho [$threshold]")
        assert cell.text("stdout").endswith("[]\n")
        assert "$threshold is a variable of the notebook, and not set in the script" in cell.text("stderr")

    def test_an_image_is_shown_below_the_cell_and_its_name_is_a_path(self, kernel):
        cell = kernel.run(
            "%%gcs run --lang bash --out my-plot.svg\necho '<svg xmlns=\"http://www.w3.org/2000/svg\"/>' > my-plot.svg"
        )
        assert cell.error() is None, cell.traceback()
        assert cell.data("image/svg+xml") == ['<svg xmlns="http://www.w3.org/2000/svg"/>\n']
        assert "--out my-plot.svg: it comes back as my_plot." in cell.text("stderr")
        assert kernel.value("my_plot.exists()") == "True"

    def test_what_is_too_large_for_a_variable_is_sent_as_a_file_and_told(self, kernel):
        kernel.run("long = 'x' * 200_000")
        cell = kernel.run("%%gcs run --lang bash --in long\nwc -c < $long")
        assert cell.text("stdout").endswith("200000\n")
        assert "long is too large for a variable: $long is the path of a file with it." in cell.text("stderr")

    def test_a_cell_without_a_language_takes_no_files(self, kernel):
        cell = kernel.run("%%gcs run --out r.csv\nx = 1")
        assert "'r.csv' cannot be the name of a variable" in cell.traceback()
