"""The recipes of docs/recipes, as a reader copies them: every code block runs, on the embedded cluster.

Blocks of ``python`` are cells of a notebook, those of ``console`` lines for bash. A block of ``text`` right after one
is what it prints, with ``...`` for what differs. A comment before a block says more: ``<!-- not run: why -->``,
``<!-- raises: NotReady -->``, ``<!-- new kernel -->``, and ``<!-- for example -->`` before text that is not compared.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from kernel_session import start_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernel_session import CellOutputs, KernelSession

RECIPES = Path(__file__).parents[2] / "docs" / "recipes"
PAGES = sorted(page for page in RECIPES.glob("*.md") if page.name != "index.md")
MARKS = {"not run", "raises", "new kernel", "for example"}

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[a-z ]+)(?:: (?P<said>[^\n]*?))? -->\n)?^```(?P<language>\w+)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
#: How long a block may take on a machine that is busy with other tests.
_SECONDS = 150.0
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Block:
    """A code block of a page, with the comment before it."""

    mark: str
    said: str
    language: str
    code: str
    line: int


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            found["mark"] or "",
            found["said"] or "",
            found["language"],
            found["code"],
            1 + text.count("\n", 0, found.start()),
        )
        for found in _BLOCK.finditer(text)
    ]


def shell(code: str, folder: Path) -> str:
    """Run the lines that begin with a prompt, and return what they print."""
    lines = "\n".join(line[2:] for line in code.splitlines() if line.startswith("$ "))
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    said = subprocess.run(
        ["bash", "-e", "-c", lines],
        cwd=folder,
        env={**environment, "GCS_LAB_CLUSTER": "embedded"},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert said.returncode == 0, f"{lines}\n{said.stdout}{said.stderr}"
    return said.stdout


def printed(outputs: CellOutputs) -> str:
    return _ANSI.sub("", outputs.text("stdout") + (outputs.result() or ""))


@pytest.fixture(scope="module")
def kernels(tmp_path_factory) -> Iterator[dict[str, KernelSession]]:
    """The one kernel that all pages share, under "now": a page may begin a new one."""
    held = {"now": start_kernel(tmp_path_factory, "embedded")}
    yield held
    held["now"].close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_of_a_recipe_does_what_the_page_says(page, kernels, tmp_path, tmp_path_factory) -> None:
    kernels["now"].run("%reset -f")
    kernels["now"].run(f"%cd -q {tmp_path}")
    shown = ""
    for block in blocks(page):
        where = f"{page.name}, line {block.line}"
        if block.mark == "new kernel":
            kernels["now"].close()
            kernels["now"] = start_kernel(tmp_path_factory, "embedded")
            kernels["now"].run(f"%cd -q {tmp_path}")
        if block.mark in {"not run", "for example"}:
            assert block.mark == "for example" or block.said, f"{where}: say why it is not run"
        elif block.language == "python":
            outputs = kernels["now"].run(block.code, timeout=_SECONDS)
            error = outputs.error()
            assert (error["ename"] if error else "") == (block.said if block.mark == "raises" else ""), (
                f"{where}:\n{outputs.traceback()}"
            )
            shown = printed(outputs)
        elif block.language == "console":
            shown = shell(block.code, tmp_path)
        elif block.language == "text":
            flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
            assert doctest.OutputChecker().check_output(block.code, shown, flags), (
                f"{where}: it says\n{block.code}and there was\n{shown}"
            )


def test_each_page_says_what_to_expect_and_what_may_go_wrong() -> None:
    assert 12 <= len(PAGES) <= 20
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert {block.mark for block in blocks(page)} <= {"", *MARKS}, page.name
        assert any(block.language in {"python", "console"} and block.mark != "not run" for block in blocks(page))
        assert "## What may go wrong" in text, page.name


def test_the_index_names_each_page_once() -> None:
    linked = re.findall(r"\]\(([\w-]+\.md)\)", (RECIPES / "index.md").read_text(encoding="utf-8"))
    assert sorted(linked) == sorted(page.name for page in PAGES)
