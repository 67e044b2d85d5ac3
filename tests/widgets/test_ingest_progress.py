"""The bar while records are read: in a terminal, in a kernel; gone afterwards, and what an interrupt leaves."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from kernel_session import KernelSession

from gcs_lab.accounting.progress import Progress
from gcs_lab.accounting.progress_face import progress_face
from gcs_lab.accounting.synthetic import write_site
from gcs_lab.widgets.ingest_progress import progress_text, show

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 1 << 20
HALF = Progress(50 * MIB, 100 * MIB, 150_000, 0, 2.0, "reading accounting")
SLOW = """
import time
from gcs_lab.accounting.progress import Progress
from gcs_lab.widgets.ingest_progress import show
with show() as take:
    take(Progress(50 << 20, 100 << 20, 150_000, 0, 2.0, "reading accounting"))
    {more}
print("done")
"""


@contextlib.contextmanager
def in_terminal() -> Iterator[io.StringIO]:
    with contextlib.redirect_stderr(io.StringIO()) as stream:
        yield stream


def test_the_line_tells_share_records_rate_and_time_left() -> None:
    assert progress_text(HALF) == "reading accounting · 50% of 100 MiB · 150,000 records · 25.0 MiB/s · 2.0 s left"


def test_lines_that_are_no_records_are_told() -> None:
    assert progress_text(HALF._replace(rejects=3)).endswith("3 lines are no records")


def test_before_anything_is_known_nothing_is_promised() -> None:
    text = progress_text(Progress(0, 0, 0, 0, 0.0, ""))
    assert "0%" in text
    assert "left" not in text


def test_in_a_terminal_it_is_one_line_that_goes() -> None:
    with in_terminal() as terminal, show() as take:
        take(HALF)
        assert terminal.getvalue().endswith("s left")
        assert "[###############...............]" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\033[K")


def test_an_interrupt_goes_through_and_says_that_nothing_is_lost() -> None:
    with in_terminal() as terminal, pytest.raises(KeyboardInterrupt), show() as take:  # noqa: PT012
        take(HALF)
        raise KeyboardInterrupt
    assert "interrupted at 50%; what was read is kept" in terminal.getvalue()


def test_where_nobody_looks_there_is_no_bar() -> None:
    code = "from gcs_lab.accounting.progress_face import progress_face\nwith progress_face() as take: print(take)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout == "None\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_the_bar_that_the_entry_point_names() -> None:
    with contextlib.redirect_stderr(Terminal()) as terminal:
        with progress_face(patience=0) as take:
            assert take is not None
            take(HALF)
        assert "50% of 100 MiB" in terminal.getvalue()
        assert terminal.getvalue().endswith("\r\033[K")


def test_what_is_done_soon_shows_nothing_and_looks_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gcs_lab.accounting.progress_face.entry_points", None)
    with contextlib.redirect_stderr(Terminal()) as terminal, progress_face(patience=60) as take:
        assert take is not None
        take(HALF)
    assert terminal.getvalue() == ""


def test_an_interrupt_reaches_the_bar() -> None:
    with contextlib.redirect_stderr(Terminal()) as terminal:
        with pytest.raises(KeyboardInterrupt), progress_face(patience=0) as take:  # noqa: PT012
            assert take is not None
            take(HALF)
            raise KeyboardInterrupt
        assert "what was read is kept" in terminal.getvalue()


def test_threads_of_programs_get_no_bar() -> None:
    def shown() -> bool:
        with progress_face() as take:
            return take is not None

    with contextlib.redirect_stderr(Terminal()), ThreadPoolExecutor(1) as pool:
        assert (shown(), pool.submit(shown).result()) == (True, False)


def test_in_a_notebook_it_is_drawn_below_the_cell_and_goes(tmp_path: Path) -> None:
    kernel = KernelSession(tmp_path, dict(os.environ))
    try:
        cell = kernel.run(SLOW.format(more="time.sleep(0)"), 60)
        shown = cell.data("text/html", ("display_data", "update_display_data"))
        assert 'value="0.5000"' in shown[0]
        assert "2.0 s left" in shown[0]
        assert shown[-1] == ""
        assert cell.text() == "done\n"
        stopped = kernel.run(SLOW.format(more="raise KeyboardInterrupt"), 60)
        assert "what was read is kept" in stopped.text("stderr")
        assert stopped.data("text/html", ("display_data", "update_display_data"))[-1] == ""
    finally:
        kernel.close()


def test_a_question_shows_it_can_be_interrupted_and_goes_on_there(tmp_path: Path) -> None:
    made = tmp_path / "accounting"
    write_site(made, records=250_000)
    # One that is compressed has to be read to its end before it is stored.
    with made.open("rb") as plain, gzip.open(f"{made}.gz", "wb", compresslevel=1) as packed:
        shutil.copyfileobj(plain, packed)
    kernel = KernelSession(tmp_path, dict(os.environ))
    try:
        kernel.run("import gcs_lab\nsite = gcs_lab.open_accounting('accounting.gz')", 60)
        asked = kernel.send("len(site.top(3))")
        assert kernel.pump(lambda: any("records" in text for text in kernel.cells[asked].data("text/plain")), 60)
        kernel.manager.interrupt_kernel()
        assert kernel.pump(lambda: kernel.cells[asked].error() is not None, 60)
        error = kernel.cells[asked].error()
        assert error is not None
        assert error["ename"] == "KeyboardInterrupt"
        assert "what was read is kept" in kernel.cells[asked].text("stderr")
        kernel.wait(asked)
        again = kernel.run("top = site.top(3)\nsite.totals().records", 60)
        if again.replied == {"status": "aborted"}:  # it came while the kernel was still ending the cell before
            again = kernel.run("top = site.top(3)\nsite.totals().records", 60)
        assert again.result() == "250000"
    finally:
        kernel.close()
