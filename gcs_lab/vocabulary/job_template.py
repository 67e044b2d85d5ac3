"""What is asked of a job (DRMAA2 ``JobTemplate``, GFD.231 section 5.4)."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime  # noqa: TC003  (dataclass fields are inspected at run time)

__all__ = ["IMPLEMENTATION_SPECIFIC", "JobTemplate"]

#: Attributes that GFD.231 leaves to the implementation (``jobTemplateImplSpec``).
IMPLEMENTATION_SPECIFIC = ("parallel_environment", "resource_requests", "native_specification")


@dataclass(kw_only=True)
class JobTemplate:
    """A job to be: the 30 attributes of the standard, and three of our own.

    ``None`` means "not set"; a backend honours every attribute that is set or refuses the template with
    :class:`~gcs_lab.errors.UnsupportedAttribute`. None is ever ignored.

    Units: ``min_phys_memory`` in KiB; ``resource_limits`` in seconds and bytes by the standard's names
    (``WALLCLOCK_TIME``, ``VIRTUAL_MEMORY`` …); ``resource_requests`` is ``qsub -l``: complex name to the value
    as the user wrote it (``{"h_rt": "1:00:00", "h_vmem": "4G"}``).
    """

    remote_command: str | None = None
    args: list[str] | None = None
    submit_as_hold: bool | None = None
    rerunnable: bool | None = None
    job_environment: dict[str, str] | None = None
    working_directory: str | None = None
    job_category: str | None = None
    email: list[str] | None = None
    email_on_started: bool | None = None
    email_on_terminated: bool | None = None
    job_name: str | None = None
    input_path: str | None = None
    output_path: str | None = None
    error_path: str | None = None
    join_files: bool | None = None
    reservation_id: str | None = None
    queue_name: str | None = None
    min_slots: int | None = None
    max_slots: int | None = None
    priority: int | None = None
    candidate_machines: list[str] | None = None
    min_phys_memory: int | None = None
    machine_os: str | None = None
    machine_arch: str | None = None
    start_time: datetime | None = None
    deadline_time: datetime | None = None
    stage_in_files: dict[str, str] | None = None
    stage_out_files: dict[str, str] | None = None
    resource_limits: dict[str, str] | None = None
    accounting_id: str | None = None
    # implementation-specific
    parallel_environment: str | None = None
    resource_requests: dict[str, str] = field(default_factory=dict)
    native_specification: str | None = None

    def attributes_set(self) -> set[str]:
        """Return the names of the attributes that ask for something."""
        return {f.name for f in fields(self) if getattr(self, f.name) not in (None, {})}
