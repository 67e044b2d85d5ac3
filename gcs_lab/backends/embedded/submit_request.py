"""One submission as it travels from client to scheduler and is kept in the database."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from gcs_lab.errors import InvalidArgument

__all__ = ["SubmitRequest", "Submitter"]


@dataclass(frozen=True)
class Submitter:
    """Where a job was submitted: becomes ``SGE_O_HOST`` and its like."""

    host: str
    home: str
    shell: str
    path: str
    working_directory: str
    language: str


@dataclass(frozen=True, kw_only=True)
class SubmitRequest:
    """Everything a submission says; the words are those of ``JobTemplate``.

    ``requests`` are by the complexes' full names; ``output_path`` and ``error_path`` may be empty: Grid Engine's
    default, ``<name>.o<id>`` in the working directory.
    """

    token: str
    name: str
    command: str
    args: list[str]
    environment: dict[str, str]
    working_directory: str
    input_path: str
    output_path: str
    error_path: str
    join_files: bool
    held: bool
    rerunnable: bool
    priority: int
    queues: list[str]
    parallel_environment: str | None
    min_slots: int
    max_slots: int
    requests: dict[str, str]
    account: str
    submitter: Submitter

    def to_wire(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return asdict(self)

    @classmethod
    def from_wire(cls, data: dict[str, Any]) -> SubmitRequest:
        """Return the request that :meth:`to_wire` gave.

        Raises
        ------
        InvalidArgument
            If it is no such data.
        """
        names = {f.name for f in fields(cls)}
        if not isinstance(data, dict) or set(data) != names:
            raise InvalidArgument(f"a submission has the entries {', '.join(sorted(names))}; got {sorted(data)}.")
        return cls(**{**data, "submitter": Submitter(**data["submitter"])})
