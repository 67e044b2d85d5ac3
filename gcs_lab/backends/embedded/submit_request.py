"""One submission as it travels from client to scheduler and is kept in the database."""

from __future__ import annotations

from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any

from gcs_lab.errors import InvalidArgument

__all__ = ["NAMES", "SubmitRequest", "Submitter"]


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
    default, ``<name>.o<id>`` in the working directory. ``min_phys_memory`` is in KiB (0: not asked for),
    ``machine_os`` and ``machine_arch`` are names of their enumerations, ``open_files`` is a limit (None: that of the
    scheduler's own start). ``email`` is who is written to, if one of the ``mail_on_`` says so:
    ``mail_on_end`` of a normal end, ``mail_on_abort`` of any other, ``mail_on_requeue`` when it is to run again.
    ``start_time`` and ``deadline_time`` are seconds since the epoch; ``tasks`` are begin, end and step of an array.
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
    candidate_machines: list[str] = field(default_factory=list)
    min_phys_memory: int = 0
    machine_os: str | None = None
    machine_arch: str | None = None
    open_files: int | None = None
    email: list[str] = field(default_factory=list)
    mail_on_start: bool = False
    mail_on_end: bool = False
    mail_on_abort: bool = False
    mail_on_requeue: bool = False
    stage_in: dict[str, str] = field(default_factory=dict)
    stage_out: dict[str, str] = field(default_factory=dict)
    reservation_id: str | None = None
    hold_jid: list[str] = field(default_factory=list)
    hold_jid_ad: list[str] = field(default_factory=list)
    start_time: float | None = None
    deadline_time: float | None = None
    tasks: tuple[int, int, int] | None = None
    max_parallel: int | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {**{name: getattr(self, name) for name in NAMES}, "submitter": asdict(self.submitter)}

    @classmethod
    def from_wire(cls, data: dict[str, Any]) -> SubmitRequest:
        """Return the request that :meth:`to_wire` gave, of this version or of an older one that had less.

        Raises
        ------
        InvalidArgument
            If it is no such data.
        """
        if not isinstance(data, dict) or not set(_NEEDED) <= set(data) <= set(NAMES):
            raise InvalidArgument(f"a submission has the entries {', '.join(sorted(NAMES))}; got {sorted(data)}.")
        return cls(**{**data, "submitter": Submitter(**data["submitter"])})


#: The entries, in order.
NAMES = tuple(f.name for f in fields(SubmitRequest))
_NEEDED = tuple(f.name for f in fields(SubmitRequest) if f.default is MISSING and f.default_factory is MISSING)
