"""The names that submissions may use: queues, hosts, parallel environments, complexes … (qconf(1), qtask(5))."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.commands import error_of, run_command
from gcs_lab.backends.gridengine.job_categories import read_categories
from gcs_lab.jobs.protocol import Catalogue, Complex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["complex_rows", "parse_complexes", "parse_names", "parse_pe_slots", "read_catalogue"]

_COLUMNS = 8
#: Parallel environments are asked for one by one; where there are more, their slots are left unknown.
_MOST_ASKED = 40


def parse_names(text: str) -> tuple[str, ...]:
    """Return the names in a list of ``qconf``, one a line."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def parse_complexes(text: str) -> tuple[Complex, ...]:
    """Return the complexes in the table of ``qconf -sc`` (complex(5)).

    ``requestable`` may be ``YES``, ``NO`` or ``FORCED``, ``consumable`` ``YES``, ``NO``, ``JOB`` or (9.x) ``HOST``.
    """
    complexes = []
    for name, shortcut, kind, _, requestable, consumable, *_ in complex_rows(text):
        # qsub refuses -l slots=N whatever the table says: "use parallel environments instead".
        askable = requestable.upper() != "NO" and name != "slots"
        complexes.append(Complex(name, shortcut, kind, askable, consumable.upper() != "NO"))
    return tuple(complexes)


def complex_rows(text: str) -> Iterator[list[str]]:
    """Yield the rows of that table, eight words each."""
    for line in text.splitlines():
        words = line.split()
        if len(words) >= _COLUMNS and not line.startswith("#"):
            yield words[:_COLUMNS]


def parse_pe_slots(text: str) -> int | None:
    """Return the slots that a parallel environment gives out in all, from ``qconf -sp NAME`` (sge_pe(5))."""
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name == "slots" and value.strip().isdecimal():
            return int(value)
    return None


def read_catalogue(cell: SgeCell) -> Catalogue:
    """Ask the cell for all names, in five commands at once and one a parallel environment; categories are in files.

    Raises
    ------
    GcsError
        If the cell does not answer.
    """

    def ask(option: str) -> str:
        answer = run_command(cell, ["qconf", option])
        # qconf exits with 1 where there is none of a kind: "no project list defined".
        if answer.exit_status and not answer.said.startswith("no "):
            raise error_of(answer.said, answer.argv, answer.exit_status)
        return "" if answer.exit_status else answer.text

    def ask_environment(name: str) -> str:
        # It may have been removed since the list was made: then it is not known how many slots it has.
        answer = run_command(cell, ["qconf", "-sp", name])
        return "" if answer.exit_status else answer.text

    with ThreadPoolExecutor(5) as pool:
        queues, environments, complexes, projects, hosts = pool.map(ask, ["-sql", "-spl", "-sc", "-sprjl", "-sel"])
        names = parse_names(environments)
        asked = names if len(names) <= _MOST_ASKED else ()
        slots = dict(zip(asked, pool.map(lambda name: parse_pe_slots(ask_environment(name)), asked), strict=True))
    return Catalogue(
        queues=parse_names(queues),
        parallel_environments=names,
        pe_slots={name: number for name, number in slots.items() if number is not None},
        complexes=parse_complexes(complexes),
        projects=parse_names(projects),
        job_categories=tuple(sorted(read_categories(cell))),
        hosts=parse_names(hosts),
    )
