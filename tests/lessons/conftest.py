from __future__ import annotations

import ast
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from kernel_session import start_kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kernel_session import KernelSession


@pytest.fixture(scope="module")
def lesson_home() -> Iterator[Path]:
    """A home of the lessons' own; directly under /tmp, because the path of a unix socket is short."""
    folder = Path(tempfile.mkdtemp(prefix="gt-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def lesson_kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KernelSession]:
    """A kernel of a notebook that knows its path, on the embedded cluster."""
    session = start_kernel(tmp_path_factory, "embedded", JPY_SESSION_NAME="/course/lesson.ipynb")
    session.run("from gcs_lab.lessons import check")
    yield session
    session.close()


@pytest.fixture
def points(lesson_kernel: KernelSession) -> Callable[[str], dict[str, bool]]:
    """Ask a check: each point's text, and whether it is met."""

    def ask(call: str) -> dict[str, bool]:
        return dict(ast.literal_eval(lesson_kernel.value(f"[(p.text, p.met) for p in ({call}).points]")))

    return ask
