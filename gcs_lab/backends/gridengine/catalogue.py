"""The names that submissions may use: queues, hosts, parallel environments, complexes … (qconf(1), qtask(5))."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.commands import error_of, run_command
from gcs_lab.backends.gridengine.job_categories import read_categories
from gcs_lab.jobs.protocol import Catalogue, Complex

if TYPE_CHECKING:
    from gcs_lab.backends.gridengine.sge_cell import SgeCell

__all__ = ["parse_complexes", "parse_names", "read_catalogue"]

_COLUMNS = 8


def parse_names(text: str) -> tuple[str, ...]:
    """Return the names in a list of ``qconf``, one a line."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def parse_complexes(text: str) -> tuple[Complex, ...]:
    """Return the complexes in the table of ``qconf -sc`` (complex(5)).

    ``requestable`` may be ``YES``, ``NO`` or ``FORCED``, ``consumable`` ``YES``, ``NO``, ``JOB`` or (9.x) ``HOST``.
    """
    complexes = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= _COLUMNS and not line.startswith("#"):
            name, shortcut, kind, _, requestable, consumable = words[:6]
            complexes.append(Complex(name, shortcut, kind, requestable.upper() != "NO", consumable.upper() != "NO"))
    return tuple(complexes)


def read_catalogue(cell: SgeCell) -> Catalogue:
    """Ask the cell for all names, in five commands at once; job categories stand in files.

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

    with ThreadPoolExecutor(5) as pool:
        queues, environments, complexes, projects, hosts = pool.map(ask, ["-sql", "-spl", "-sc", "-sprjl", "-sel"])
    return Catalogue(
        queues=parse_names(queues),
        parallel_environments=parse_names(environments),
        complexes=parse_complexes(complexes),
        projects=parse_names(projects),
        job_categories=tuple(sorted(read_categories(cell))),
        hosts=parse_names(hosts),
    )
