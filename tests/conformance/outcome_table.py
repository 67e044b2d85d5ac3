"""Pytest plugin: prints, at the end of a run, what each backend honours, refuses or fails.

The table is made of the outcomes of the statements alone. ``--conformance-table FILE`` writes it as Markdown too.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

__all__: list[str] = []

PROPERTY = "conformance"
HONOURED, REFUSED, FAILED, NOT_RUN, UNTESTED = "honoured", "refused", "FAILED", "not run", "untested"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--conformance-table``."""
    parser.addoption("--conformance-table", metavar="FILE", help="write the conformance suite's table as Markdown")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks of statements."""
    for mark in (
        "clause(text): the clause of DRMAA2, or the requirement, that the statement checks",
        "subject(*names): the attributes or operations that the statement speaks of",
        "together: the statement may run at the same time as the others of its file with this mark",
    ):
        config.addinivalue_line("markers", mark)


def outcomes(reports: list[pytest.TestReport]) -> dict[str, dict[str, str]]:
    """Return what came out, by site and row: one failed statement fails the row, one that honours is enough else."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for report in reports:
        for name, value in report.user_properties:
            if name == PROPERTY:
                site, rows, answer = value  # a list after xdist
                word = FAILED if report.failed else answer if report.passed and report.when == "call" else ""
                for row in rows:
                    if word:
                        found[site][row].add(word)
    # A statement may have a word of its own on why it shows nothing here.
    return {
        site: {
            row: next((word for word in (FAILED, HONOURED, REFUSED) if word in words), "; ".join(sorted(words)))
            for row, words in rows.items()
        }
        for site, rows in sorted(found.items())
    }


def table(reports: list[pytest.TestReport]) -> list[list[str]]:
    """Return the table: a heading, then one line a row. Empty if no statement ran."""
    from conformance.subjects import all_subjects, stated_subjects

    found = outcomes(reports)
    if not found:
        return []
    stated = stated_subjects()
    known = all_subjects()
    known += sorted({row for rows in found.values() for row in rows} - set(known))
    lines = [["attribute or operation", *found]]
    for row in known:
        absent = NOT_RUN if row in stated else UNTESTED
        lines.append([row, *(rows.get(row, absent) for rows in found.values())])
    return lines


_ABOUT = """# What each backend honours

Made by `pytest tests/conformance --conformance-table FILE` from the outcomes of the statements in
`tests/conformance/`, never by hand. *honoured*: its effect was seen; *refused*: a job that asks for it is refused, in
words that say what to use instead; *FAILED*: a statement about it does not hold.

"""


def markdown(lines: list[list[str]]) -> str:
    """Return the table as a page of Markdown."""
    heading, *rest = lines
    rows = [heading, ["---"] * len(heading), *([f"`{row[0]}`", *row[1:]] for row in rest)]
    return _ABOUT + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the table."""
    reports = [
        report
        for key in ("passed", "failed", "error", "skipped")
        for report in terminalreporter.stats.get(key, [])
        if isinstance(report, pytest.TestReport)
    ]
    lines = table(reports)
    if lines:
        terminalreporter.section("conformance")
        ran = [line for line in lines if set(line[1:]) != {NOT_RUN}]
        ran = [line for line in lines if set(line[1:]) != {NOT_RUN}]
        widths = [max(len(line[column]) for line in ran) for column in range(len(lines[0]))]
        for line in ran:
            words = (word.ljust(width) for word, width in zip(line, widths, strict=True))
            terminalreporter.write_line("  ".join(words).rstrip())
        if len(ran) < len(lines):
            terminalreporter.write_line(f"and {len(lines) - len(ran)} more, of which nothing was run")
    path = config.getoption("--conformance-table")
    if path:
        if not lines:
            terminalreporter.write_line(f"{path} was not written: no statement of tests/conformance ran")
            return
        Path(path).write_text(markdown(lines), encoding="utf-8")
        terminalreporter.write_line(f"the table was written to {path}")
