"""All that is wrong with the flags of ``%%gcs``, told in one error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcs_lab.cluster import connect
from gcs_lab.errors import GcsError, InvalidArgument, together
from gcs_lab.jobs.requests import parse_time
from gcs_lab.magics.arguments import to_options
from gcs_lab.vocabulary import JobTemplate

if TYPE_CHECKING:
    import argparse

    from gcs_lab.cells.plan import CellOptions
    from gcs_lab.magics.session import Session

__all__ = ["checked_options", "timeout_seconds"]


def checked_options(flags: argparse.Namespace, session: Session) -> CellOptions:
    """Return the options that the flags ask for.

    Where one of them cannot work, the others are held against the cluster's names before that is told, so that the
    error says all there is to mend. (Flags that can work are held against them when the job is submitted.)

    Raises
    ------
    InvalidArgument
        If a value cannot work; SeveralProblems if more than one does.
    """
    problems: list[GcsError] = []
    options = to_options(flags, problems)
    if problems:
        raise together([*problems, *_unknown_names(options, flags.cluster, session)])
    return options


def timeout_seconds(text: str) -> float:
    """Return the seconds that ``--timeout`` says. Raises InvalidArgument if it is no time."""
    try:
        return parse_time(text)
    except InvalidArgument as error:
        raise InvalidArgument(f"--timeout {text}: {error}") from None


def _unknown_names(options: CellOptions, cluster: str | None, session: Session) -> list[GcsError]:
    template = JobTemplate(
        queue_name=options.queue,
        resource_requests=options.requests,
        parallel_environment=options.parallel_environment,
        min_slots=options.slots[0] if options.slots else None,
    )
    try:
        present = session.connected if cluster is None else None
        (present or connect(cluster or session.configured_cluster)).jobs.check_names(
            template, options.project, must_fit=True
        )
    except InvalidArgument as error:
        return [error]
    except GcsError:
        # It does not answer, or there is none: that will be told when the flags can work.
        return []
    return []
