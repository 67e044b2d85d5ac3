"""What is checked of arguments beside templates: ids, tokens, how many tasks run at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gcs_lab.errors import InvalidArgument, UnsupportedAttribute
from gcs_lab.vocabulary import Capability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcs_lab.jobs.protocol import JobsBackend

__all__ = ["check_id", "check_max_parallel", "check_tokens"]

_TOKEN = re.compile(r"[0-9a-f]{32}\Z")


def check_id(job_id: str) -> None:
    """Make sure that an id is text, and not empty. Raises InvalidArgument."""
    if not isinstance(job_id, str) or not job_id:
        raise InvalidArgument(f"expected the id of a job as text, not {job_id!r}.")


def check_max_parallel(max_parallel: int | None, backend: JobsBackend) -> None:
    """Make sure that an array's limit of parallel tasks is a number, and that the system honours it.

    Raises
    ------
    InvalidArgument
        If it is no whole number from 1 on.
    UnsupportedAttribute
        If the system cannot limit how many tasks run.
    """
    if max_parallel is None:
        return
    if isinstance(max_parallel, bool) or not isinstance(max_parallel, int) or max_parallel < 1:
        raise InvalidArgument(
            f"max_parallel is {max_parallel!r}; expected a whole number from 1 on, or None for no limit."
        )
    if not backend.supports(Capability.BULK_JOBS_MAXPARALLEL):
        raise UnsupportedAttribute(
            f"{backend.system} does not honour max_parallel: it cannot limit how many tasks of an array run at the "
            "same time. Submit without it."
        )


def check_tokens(tokens: Sequence[str | None] | None, number: int = 1) -> None:
    """Make sure that there is a token of 32 hexadecimal digits for each template. Raises InvalidArgument."""
    if tokens is None:
        return
    if len(tokens) != number:
        raise InvalidArgument(f"{len(tokens)} tokens for {number} templates; expected one each.")
    for token in tokens:
        if token is not None and (not isinstance(token, str) or not _TOKEN.match(token)):
            raise InvalidArgument(f"the token is {token!r}; expected 32 hexadecimal digits (secrets.token_hex(16)).")
