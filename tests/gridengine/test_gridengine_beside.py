"""A command that runs beside another one."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from gcs_lab.backends.gridengine.beside import beside


def test_it_runs_meanwhile_and_its_result_or_error_is_told() -> None:
    meanwhile = threading.Event()
    with beside(lambda: meanwhile.wait(20)) as result:
        meanwhile.set()
        assert result.result()
    with beside(lambda: int("no number")) as failed, pytest.raises(ValueError, match="no number"):
        failed.result()


def test_when_the_with_is_left_it_has_ended_whatever_was_raised() -> None:
    before = threading.active_count()
    with pytest.raises(KeyError), beside(lambda: 1) as result:
        raise KeyError
    assert (result.result(), threading.active_count()) == (1, before)


def test_it_works_while_a_program_ends() -> None:
    script = """
import threading
from gcs_lab.backends.gridengine.beside import beside

def late():
    threading.main_thread().join()
    with beside(lambda: "done") as result:
        print(result.result())

threading.Thread(target=late).start()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=170, check=False)
    assert (done.stdout, done.stderr) == ("done\n", "")
