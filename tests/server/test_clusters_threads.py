"""A cluster that does not answer keeps neither other clusters waiting, nor what is known without it, nor the end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from patience import wait_for

from gcs_lab.errors import InvalidState
from gcs_lab.server.clusters_threads import Threads
from gcs_lab.server.in_time import answer_in_time


def test_clusters_have_rows_of_their_own() -> None:
    async def ask() -> None:
        threads, answers, running = Threads(most=2), threading.Event(), []
        begun = threading.Semaphore(0)

        def hang() -> None:
            running.append(1)
            begun.release()
            answers.wait(10)

        hanging = [asyncio.create_task(threads.run(hang, "demo")) for _ in range(5)]
        assert await threads.run(lambda: "at once", "embedded") == "at once"
        assert await threads.run(lambda: "closed", None) == "closed"
        for _ in range(2):
            assert await asyncio.to_thread(begun.acquire, timeout=10)
        assert len(running) == 2
        answers.set()
        await asyncio.gather(*hanging)
        assert len(running) == 5
        with pytest.raises(ZeroDivisionError):
            await threads.run(lambda: 1 // 0, "demo")
        with pytest.raises(RuntimeError, match="SystemExit: 3"):
            await threads.run(lambda: sys.exit(3), "demo")
        threads.close()
        with pytest.raises(InvalidState):
            await threads.run(lambda: None, "demo")
        assert await threads.run(lambda: "what ends something", None)

    # In a thread: a browser's tests leave this one with a loop.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, ask()).result()


def test_what_hangs_does_not_keep_a_program_from_ending() -> None:
    program = (
        "import asyncio, time\n"
        "from gcs_lab.server.clusters_threads import Threads\n"
        "async def leave():\n"
        "    asyncio.create_task(Threads().run(lambda: time.sleep(600), 'demo'))\n"
        "    await asyncio.sleep(0.01)\n"
        "asyncio.run(leave())\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_a_question_that_hangs_is_waited_for_once() -> None:
    answers, asked = threading.Event(), []

    def ask() -> str:
        asked.append(1)
        answers.wait(10)
        return "late"

    assert answer_in_time("hangs", ask, 0.05) is None
    # It is asked already, and nobody waits for it again.
    assert [answer_in_time("hangs", ask, 0.05) for _ in range(3)] == [None] * 3
    assert answer_in_time("another", lambda: "soon") == "soon"
    assert len(asked) == 1
    answers.set()
    wait_for(lambda: answer_in_time("hangs", lambda: "again", 5.0) == "again")
    for error in (TimeoutError, SystemExit, InvalidState):
        with pytest.raises(error):
            answer_in_time("raises", lambda error=error: _raise(error))  # type: ignore[misc]


def _raise(error: type[BaseException]) -> Any:
    raise error("no")
