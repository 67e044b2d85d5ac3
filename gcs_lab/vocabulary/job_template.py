"""What is asked of a job (DRMAA2 ``JobTemplate``, GFD.231 section 5.4)."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime  # noqa: TC003  (dataclass fields are inspected at run time)
from typing import Any

from gcs_lab.vocabulary.machine import CpuArchitecture, OperatingSystem  # noqa: TC001
from gcs_lab.vocabulary.template_json import values_from_json, values_to_json

__all__ = ["IMPLEMENTATION_SPECIFIC", "JobTemplate"]

#: Attributes that GFD.231 leaves to the implementation (``jobTemplateImplSpec``).
IMPLEMENTATION_SPECIFIC = (
    "parallel_environment",
    "resource_requests",
    "hold_jid",
    "hold_jid_ad",
    "native_specification",
)


@dataclass(kw_only=True)
class JobTemplate:
    """A job to be: the 30 attributes of the standard, and five of our own.

    ``None`` means "not set"; a backend honours every attribute that is set or refuses the template with
    :class:`~gcs_lab.errors.UnsupportedAttribute`. None is ever ignored.

    Units and words:

    - ``min_phys_memory`` is in KiB; the machine has that much, whoever uses it.
    - ``resource_limits``: keys and units as :class:`~gcs_lab.vocabulary.ResourceLimit` says.
    - ``start_time``: the job does not start before it. ``deadline_time``: the job is ended at it, waiting or
      running. Naive times are this machine's local time.
    - ``input_path``, ``output_path``, ``error_path`` and ``working_directory`` may begin with ``$DRMAA2_HOME_DIR$``
      or (the first three) ``$DRMAA2_WORKING_DIR$``, and have ``$DRMAA2_INDEX$`` where the task's index shall stand.
    - ``stage_in_files`` and ``stage_out_files``: source to destination, a file or a folder each. For the former the
      source is on the submission host and the destination where the job runs, for the latter the other way round.
      Paths are absolute, begin with a placeholder, or are relative to the working directory. Files are copied before
      the job starts (a failure puts the job into error state) and after it has ended. A system that ends jobs with
      SIGKILL may not get to the latter after a deletion or a hard limit.
    - ``email_on_started`` and ``email_on_terminated`` send to ``email``.
    - ``job_category`` names a set of options that the cluster's operators keep (``qtask(5)``).
    - ``resource_requests`` is ``qsub -l``: complex name to the value as the user wrote it
      (``{"h_rt": "1:00:00", "h_vmem": "4G"}``).
    - ``hold_jid`` is ``qsub -hold_jid``: ids, names, or names with wildcards (``"prep*"``) of jobs that must have
      left the queue before this one starts; ``hold_jid_ad`` is the same task by task, for two arrays alike.
    - ``native_specification`` is options of ``qsub``, as on a command line.
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
    machine_os: OperatingSystem | None = None
    machine_arch: CpuArchitecture | None = None
    start_time: datetime | None = None
    deadline_time: datetime | None = None
    stage_in_files: dict[str, str] | None = None
    stage_out_files: dict[str, str] | None = None
    resource_limits: dict[str, str] | None = None
    accounting_id: str | None = None
    # implementation-specific
    parallel_environment: str | None = None
    resource_requests: dict[str, str] = field(default_factory=dict)
    hold_jid: list[str] | None = None
    hold_jid_ad: list[str] | None = None
    native_specification: str | None = None

    def attributes_set(self) -> set[str]:
        """Return the names of the attributes that ask for something."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name for name, value in values.items() if value is not None and not _is_empty_dict(value)}

    def to_json(self) -> dict[str, Any]:
        """Return the attributes that are set as JSON data: enumerations by name, times in ISO format with zone."""
        return values_to_json({name: getattr(self, name) for name in sorted(self.attributes_set())})

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> JobTemplate:
        """Return the template that :meth:`to_json` gave; an attribute that this version does not know is left out."""
        return cls(**values_from_json(data, (f.name for f in fields(cls))))


def _is_empty_dict(value: object) -> bool:
    return isinstance(value, dict) and not value
