"""Scripts in other languages, run by the runner as a program in a folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest
from test_runner import end, folders, make_folder, start, wait_for

from gcs_lab.cells import runner
from gcs_lab.cells.event_log import EventLog
from gcs_lab.cells.runner.last_words import telling_line

__all__ = ["folders"]

#: Seen by `file`: one white pixel.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg=="


def script_spec(program="bash", lang="bash", **more):
    script = {"program": program, "arguments": [], "suffix": ".sh", "variables": {}, "suffixes": {}, "files": {}}
    return {"lang": lang, "script": {**script, "names": [], "join": False, **more}}


@pytest.fixture
def begin(folders):
    """Start a script in a folder of its own."""

    def begin_script(source, environment=None, **script):
        folder = make_folder("\n" + source, **script_spec(**script))
        folders.append(folder)
        return folder, start(folder, **(environment or {}))

    return begin_script


@pytest.fixture
def run(begin):
    """Run a script to its end."""
    return lambda source, **script: end(*begin(source, **script))


def test_a_script_prints_and_ends_well(run):
    job = run("echo out; echo err >&2; pwd")
    assert job.status == 0
    assert job.text().splitlines() == ["out", str(job.folder / "work")]
    assert job.text("stderr") == "err\n"
    assert job.finished["reason"] == "done"
    assert job.of("error") == []


def test_an_exit_status_is_the_jobs_and_the_error_has_the_last_lines_with_the_cells_line_numbers(run):
    job = run("echo first >&2\nnosuch_command\nexit 3")
    assert job.status == job.finished["exit_status"] == 3
    assert job.finished["reason"] == "error"
    first, *rest = job.error["evalue"].splitlines()
    assert first.startswith("the bash script ended with exit status 3: Cell In[3]: line 3: nosuch_command")
    assert "  first" in rest
    assert job.text("stderr").splitlines()[1].startswith("Cell In[3]: line 3: nosuch_command")


def test_a_script_killed_by_a_signal_is_told_so(run):
    job = run("kill -ABRT $$")
    assert job.error["evalue"] == "the bash script was killed by SIGABRT"
    assert job.finished["signal"] == "SIGABRT"
    assert job.finished["reason"] == "killed"
    assert job.status == 128 + signal.SIGABRT


def test_of_r_the_line_that_tells_something_comes_first(run):
    job = run("echo Error: no data >&2; echo Execution halted >&2; exit 1", lang="R")
    assert job.error["evalue"].splitlines()[0] == "the R script ended with exit status 1: Error: no data"


@pytest.mark.parametrize(
    ("language", "said", "telling"),
    [
        ("node", "Cell:3\n^\nError: x\n    at Module._load (a.js:1)\nNode.js v20.20.2", "Error: x"),
        ("lua", "lua: script.lua:3: x\nstack traceback:\n\t[C]: in function 'error'\n\t[C]: in ?", "lua: script.lua:3: x"),
        ("tcl", 'no command "x"\n    while executing\n"x"\n    (file "s" line 3)', 'no command "x"'),
        ("ruby", "s.rb:3:in 'f': bad (RuntimeError)\n\tfrom s.rb:5:in '<main>'", "s.rb:3:in 'f': bad (RuntimeError)"),
        ("julia", "ERROR: LoadError: bad\nStacktrace:\n [1] f()\nin expression starting at s.jl:3", "ERROR: LoadError: bad"),
        ("python", "Traceback\n  File s\nValueError: two\n  lines", "ValueError: two"),
        ("R", "Error in f(1) : \n  a long text\nCalls: f\nExecution halted", "Error in f(1) : a long text"),
        ("R", "Error: unexpected ')' in:\n\"x <- (1 + \ny <- )\"\nExecution halted", "Error: unexpected ')' in:"),
        ("ruby", "s.rb:2: syntax error, unexpected end-of-input\nputs (1\n       ^", "s.rb:2: syntax error, unexpected end-of-input"),
        ("bash", "first\n  indented last", "indented last"),
        ("lua", "  only", "only"),
        ("lua", "", ""),
    ],
)  # fmt: skip
def test_the_line_that_tells_what_went_wrong_is_found_in_any_language(language, said, telling):
    assert telling_line(language, said.splitlines()) == telling


@pytest.mark.skipif(shutil.which("lua") is None, reason="Lua is not installed here")
def test_a_path_that_lua_has_shortened_is_shown_as_the_cell(run):
    job = run("error('x')", program="lua", lang="lua", suffix=".lua")
    assert job.error["evalue"].splitlines()[0].endswith("lua: Cell In[3]:2: x")
    assert "script.lua" not in job.text("stderr")


@pytest.mark.parametrize("version", ["3.9.18", "3.10.13", "3.12.1", "3.13.0", None])
def test_any_bare_python_runs_scripts(folders, version):
    found = sorted(Path.home().glob(f".pyenv/versions/{version}/bin/python")) if version else []
    if version and not found:
        pytest.skip(f"Python {version} is not installed here")
    folder = make_folder("\necho a=1 >> $GCS_LAB_OUT; echo err >&2; exit 2", **script_spec(names=["a"]))
    folders.append(folder)
    python = str(found[0]) if found else sys.executable
    job = end(folder, start(folder, (python, "-I", "-S", "-W", "error")))
    assert job.status == 2
    assert job.error["evalue"].endswith("exit status 2: err")
    assert runner.read_outputs(str(folder))[0] == {"a": 1}


def test_a_program_that_is_not_on_the_jobs_host_is_named_with_the_host(run):
    job = run("true", program="/nowhere/julia", lang="julia")
    assert f"there is no /nowhere/julia on {os.uname().nodename}, where the job runs" in job.error["evalue"]
    assert job.status == 1


@pytest.mark.parametrize(
    ("program", "arguments", "source", "said"),
    [
        ("sh", [], "echo $0 | grep -c script", "1"),
        ("perl", [], "print 6 * 7, qq(\\n);", "42"),
        ("python3", [], "print(6 * 7)", "42"),
        ("awk", ["-f"], "BEGIN { print 6 * 7 }", "42"),
    ],
)
def test_other_languages_run(run, program, arguments, source, said):
    assert run(source, program=program, arguments=arguments).text().strip() == said


@pytest.mark.parametrize(
    ("program", "lang", "source"),
    [("Rscript", "R", "cat(6 * 7)"), ("julia", "julia", "print(6 * 7)"), ("ruby", "ruby", "print 6 * 7")],
)
def test_languages_that_need_not_be_installed_run_where_they_are(run, program, lang, source):
    if shutil.which(program) is None:
        pytest.skip(f"{lang} is not installed here: there is no {program}")
    assert run(source, program=program, lang=lang).text() == "42"


def test_variables_reach_the_script(run):
    job = run('printf "%s|%s" "$name" "$empty"', variables={"name": "a b\n$HOME", "empty": ""})
    assert job.text() == "a b\n$HOME|"


def test_bytes_that_are_no_text_are_shown_as_such_and_the_log_stays_whole(run):
    job = run(r"printf 'a\377\376b'; printf '\303'; sleep 0.05; printf '\244\n'")
    assert job.text() == "a��bä\n"
    assert not job.damaged


def test_a_lot_of_output_comes_whole(run):
    job = run("seq 200000")
    assert job.text() == "".join(f"{n}\n" for n in range(1, 200001))


def test_what_a_process_left_behind_writes_is_not_waited_for(begin):
    folder, process = begin("sleep 60 & echo $! > pid; echo done")
    try:
        job = end(folder, process)
        assert job.status == 0
        assert job.text() == "done\n"
        assert job.finished["wall"] < 30
    finally:
        os.kill(int((folder / "work/pid").read_text()), signal.SIGKILL)


# -- what it leaves ----------------------------------------------------------------------------------------------


def test_values_and_files_come_back(run):
    job = run(
        "echo 'total=[1, 2]' >> $GCS_LAB_OUT; echo 'word=hello you' >> $GCS_LAB_OUT; echo 'nan=NaN' >> $GCS_LAB_OUT\n"
        "printf 'x,y\\n1,2\\n' > r.csv; printf '{\"a\": 1}' > j.json; printf hi > t.txt; mkdir d; echo 1 > d/my-file.dat",
        names=["total", "word", "nan"],
        files={"r": "r.csv", "j": "j.json", "t": "t.txt", "my_file": "d/my-file.dat"},
    )
    values, header = runner.read_outputs(str(job.folder))
    assert values["total"] == [1, 2]
    assert values["word"] == "hello you"
    assert values["nan"] != values["nan"]
    assert values["r"].to_dict("list") == {"x": [1], "y": [2]}
    assert values["j"] == {"a": 1}
    assert values["t"] == "hi"
    assert values["my_file"] == job.folder / "results/my_file.dat"
    assert values["my_file"].read_text() == "1\n"
    assert header["missing"] == []
    assert set(job.of("outputs")[0]["names"]) == set(values)


def test_what_is_missing_after_a_good_end_makes_the_job_fail(run):
    job = run("mkdir r.csv", files={"r": "r.csv"}, names=["n"])
    assert job.status == 1
    assert "it was to leave the file r.csv in" in job.error["evalue"]
    assert "r.csv is a folder" in job.error["evalue"]
    assert "it was to write n=… to the file $GCS_LAB_OUT" in job.error["evalue"]
    assert job.of("outputs")[0]["missing"] == ["r", "n"]


def test_after_an_error_what_is_there_comes_back_and_what_is_not_is_not_complained_of(run):
    job = run("echo 1 > a.txt; exit 5", files={"a": "a.txt", "b": "b.txt"})
    assert job.status == 5
    assert runner.read_outputs(str(job.folder))[0] == {"a": "1\n"}


def test_a_file_that_the_script_has_not_changed_is_told_of(folders):
    folder = make_folder("\ntrue", **script_spec(files={"old": "old.txt"}))
    folders.append(folder)
    (folder / "work/old.txt").write_text("of yesterday")
    job = end(folder, start(folder))
    assert job.status == 0
    assert "old.txt was there before the script began, and the script has not changed it" in job.text("stderr")


def test_an_image_is_shown_and_its_name_is_its_path(run):
    job = run(
        f"printf %s '{PIXEL}' | base64 -d > plot.png; echo '<svg/>' > s.svg", files={"p": "plot.png", "s": "s.svg"}
    )
    shown = {kind: part for body in job.of("display") for kind, part in body["data"].items()}
    assert shown["image/png"] == PIXEL
    assert shown["image/svg+xml"] == "<svg/>\n"
    assert runner.read_outputs(str(job.folder))[0]["p"] == job.folder / "results/p.png"


def test_a_file_that_cannot_be_read_does_not_keep_the_others_from_coming(run):
    job = run("echo '{' > bad.json; echo 1 > good.txt", files={"bad": "bad.json", "good": "good.txt"})
    values, header = runner.read_outputs(str(job.folder))
    assert values == {"good": "1\n"}
    assert "bad.json could not be read: JSONDecodeError" in header["skipped"]["bad"]["why"]


def test_names_that_nobody_asked_for_are_told(run):
    job = run("echo surplus=1 >> $GCS_LAB_OUT")
    assert "$GCS_LAB_OUT has what was not asked for (--out names none): surplus" in job.text("stderr")


def test_files_may_have_variables_in_their_names(run):
    job = run("echo 1 > r-$x.txt", variables={"x": "7"}, files={"r": "r-${x}.txt"})
    assert runner.read_outputs(str(job.folder))[0] == {"r": "1\n"}


# -- -o, -e, -i, -j ----------------------------------------------------------------------------------------------

JOB = {"JOB_ID": "17", "JOB_NAME": "fit", "SGE_TASK_ID": "undefined", "USER": "ann", "HOSTNAME": "node1"}


def test_output_files_are_written_as_qsub_does_and_shown_too(begin):
    folder, process = begin(
        "echo out; echo err >&2; echo $SGE_STDOUT_PATH",
        environment=JOB,
        stdout="$HOME/$JOB_NAME.$JOB_ID.$USER.$HOSTNAME.$TASK_ID",
        stderr="err.txt",
    )
    job = end(folder, process)
    written = folder / "fit.17.ann.node1.0"
    assert written.read_text() == f"out\n{written}\n" == job.text()
    assert (folder / "work/err.txt").read_text() == "err\n" == job.text("stderr")


def test_in_a_folder_output_files_have_their_usual_names_and_are_appended_to(begin):
    folder, process = begin("echo out; echo err >&2", environment=JOB, stdout="sub", stderr=":sub")
    (folder / "work/sub").mkdir()
    (folder / "work/sub/fit.o17").write_text("before\n")
    end(folder, process)
    assert (folder / "work/sub/fit.o17").read_text() == "before\nout\n"
    assert (folder / "work/sub/fit.e17").read_text() == "err\n"


def test_a_task_has_its_index_in_the_file_names(begin):
    folder, process = begin("echo $1", environment={**JOB, "SGE_TASK_ID": "3"}, stdout="x.$TASK_ID", stderr=".")
    end(folder, process)
    assert (folder / "work/x.3").exists()
    assert (folder / "work/fit.e17.3").exists()


def test_paths_for_other_hosts_are_left_out(begin):
    folder, process = begin("echo out", environment=JOB, stdout="other:/nowhere/x,node1:mine,:all")
    assert end(folder, process).status == 0
    assert (folder / "work/mine").read_text() == "out\n"


def test_joined_output_is_one_stream_in_order(begin):
    folder, process = begin(
        "for i in 1 2 3; do echo o$i; echo e$i >&2; done; exit 2", join=True, stdout="all", stderr="no"
    )
    job = end(folder, process)
    assert job.text() == (folder / "work/all").read_text() == "o1\ne1\no2\ne2\no3\ne3\n"
    assert not (folder / "work/no").exists()
    assert "exit status 2: e3" in job.error["evalue"]


def test_an_output_file_that_cannot_be_opened_keeps_the_script_from_starting(run):
    job = run("touch started", stdout="/nowhere/x")
    assert job.status == 1
    assert "the bash script did not start: -o /nowhere/x: there is no folder /nowhere on" in job.error["evalue"]
    assert "[Errno" not in job.error["evalue"]
    assert not (job.folder / "work/started").exists()


def test_standard_input_is_the_file_of_i_or_empty(folders, run):
    folder = make_folder("\ncat", **script_spec(stdin="data.txt"))
    folders.append(folder)
    (folder / "work/data.txt").write_text("fed")
    assert end(folder, start(folder)).text() == "fed"
    assert run("cat; echo end").text() == "end\n"


def test_a_login_shell_reads_the_profile(begin):
    for login in (False, True):
        folder, process = begin("echo $0 $SAW_PROFILE; shopt -q login_shell && echo login", login=login)
        (folder / ".profile").write_text("SAW_PROFILE=yes")
        told = end(folder, process).text()
        assert told == (f"{folder}/script.sh yes\nlogin\n" if login else f"{folder}/script.sh\n")


# -- signals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whole_group", [False, True])
def test_a_signal_reaches_the_script_once(folders, whole_group):
    folder = make_folder(
        "\ntrap 'echo usr1' USR1\ntouch ready\nfor i in $(seq 100); do sleep 0.05; [ -e stop ] && break; done\nexit 0",
        **script_spec(),
    )
    folders.append(folder)
    process = start(folder, ("setsid", sys.executable))
    wait_for((folder / "work/ready").exists)
    if whole_group:
        os.killpg(process.pid, signal.SIGUSR1)
    else:
        os.kill(process.pid, signal.SIGUSR1)
    seen = []
    log = EventLog(folder / "events.jsonl")
    wait_for(lambda: seen.extend(log.read()) or any(e.body.get("text") == "usr1\n" for e in seen))
    time.sleep(0.1)
    (folder / "work/stop").touch()
    assert end(folder, process).text() == "usr1\n"


def test_sigterm_ends_the_script_and_the_supervisor_says_so(begin):
    folder, process = begin("touch ready; exec sleep 60")
    wait_for((folder / "work/ready").exists)
    process.send_signal(signal.SIGTERM)
    job = end(folder, process)
    assert job.finished["signal"] == "SIGTERM"
    assert job.error["evalue"] == "the bash script was killed by SIGTERM"


def test_the_script_dies_with_its_supervisor(begin):
    folder, process = begin("echo $$ > pid; mv pid ready; exec sleep 60")
    wait_for((folder / "work/ready").exists)
    pid = int((folder / "work/ready").read_text())
    process.kill()
    process.communicate()
    wait_for(lambda: not Path(f"/proc/{pid}").exists())


# -- sweeps and earlier jobs -------------------------------------------------------------------------------------


def test_a_task_of_a_sweep_has_its_parameters_as_variables_and_its_results_in_its_end(folders):
    from gcs_lab.cells.runner.point_file import POINTS, pickled_point_value, write_points

    folder = make_folder(
        '\necho "$x $SGE_TASK_ID of $SGE_TASK_LAST"; echo "y=$((x * 2))" >> $GCS_LAB_OUT; echo 1 > f-$x.txt',
        sweep={"tasks": 2},
        **script_spec(names=["y"], files={"f": "f-$x.txt"}, variables={"SGE_TASK_LAST": "20"}),
    )
    folders.append(folder)
    axes = [
        (["x"], [pickled_point_value(5), pickled_point_value(6)]),
        (["SGE_TASK_ID"], [pickled_point_value(10), pickled_point_value(20)]),
    ]
    write_points(str(folder / POINTS), axes, side_by_side=True)
    process = start(folder, SGE_TASK_ID="2")
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    (end_line,) = [
        json.loads(line) for path in folder.glob("ends-*.jsonl") for line in path.read_text().split("\n") if line
    ]
    assert end_line["results"] == {"y": 12}
    assert end_line["types"] == {"f": "file"}
    (place,) = (path.parent for path in folder.glob("tasks/*/*/events.jsonl"))
    text = "".join(e.body["text"] for e in EventLog(place / "events.jsonl").read() if e.type == "stream")
    assert text == "6 20 of 20\n"
    assert runner.read_outputs(str(place))[0] == {"y": 12, "f": "1\n"}


def test_a_value_of_an_earlier_job_is_placed_where_the_job_runs(folders):
    import pandas as pd

    earlier = make_folder("table = 1", outputs=["table", "n"])
    folders.append(earlier)
    (earlier / "spec.json").write_text(
        json.dumps(
            {
                **json.loads((earlier / "spec.json").read_text()),
                "source": "import pandas\nn = 4\ntable = pandas.DataFrame({'a': [n]})",
            }
        )
    )
    end(earlier, start(earlier))
    upstream = {"job_id": "1", "name": "earlier", "folder": str(earlier), "tasks": 0, "output": ""}
    later = make_folder(
        '\necho "$n"; cat "$t"',
        from_jobs={"t": {**upstream, "output": "table"}, "n": {**upstream, "output": "n"}},
        **script_spec(),
    )
    folders.append(later)
    job = end(later, start(later))
    assert job.text() == "4\na\n4\n", job.of("error")
    assert pd.read_csv(later / "inputs/t.csv").to_dict("list") == {"a": [4]}


def test_a_script_is_not_run_when_an_earlier_job_failed(folders):
    earlier = make_folder("x = 1 / 0", outputs=["x"])
    folders.append(earlier)
    end(earlier, start(earlier))
    upstream = {"job_id": "1", "name": "earlier", "folder": str(earlier), "tasks": 0, "output": "x"}
    later = make_folder("\ntouch started", from_jobs={"x": upstream}, **script_spec())
    folders.append(later)
    job = end(later, start(later))
    assert job.error["ename"] == "UpstreamFailed"
    assert job.status == 69
    assert not (later / "work/started").exists()
