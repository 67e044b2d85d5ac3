"""What is asked of a job (DRMAA2 ``JobTemplate``)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from gcs_lab import vocabulary
from gcs_lab.drmaa2.attributes import (
    ChoiceAttribute,
    FlagAttribute,
    ListAttribute,
    MappingAttribute,
    MomentAttribute,
    NumberAttribute,
    TextAttribute,
)
from gcs_lab.drmaa2.drmaa2_constants import UNSET_PRIORITY, Cpu, Os, Time
from gcs_lab.drmaa2.template_object import TemplateObject, moment_asked_for
from gcs_lab.jobs.requests import parse_requests

__all__ = ["JobTemplate"]

_LISTS = ("hold_jid", "hold_jid_ad")


class JobTemplate(TemplateObject):
    """What is asked of a job: the 30 attributes of the standard, and under implementation-specific keys five of ours.

    The parameter is that of :class:`~gcs_lab.drmaa2.template_object.TemplateObject`.
    """

    plain_kind = vocabulary.JobTemplate
    aliases: ClassVar[dict[str, str]] = {
        "uge_jt_pe": "parallel_environment",
        "uge_jt_native": "native_specification",
    }

    remote_command = TextAttribute("Program that the job runs; a path, or a name that is looked for on PATH.")
    args: ListAttribute[str] = ListAttribute("Arguments of the program.")
    submit_as_hold = FlagAttribute("Whether the job waits for a release.")
    rerunnable = FlagAttribute("Whether the job may be started again, for instance after its machine broke down.")
    job_environment = MappingAttribute("Environment variables of the job.")
    working_directory = TextAttribute("Folder that the job runs in; may begin with $DRMAA2_HOME_DIR$.")
    job_category = TextAttribute("Name of a set of options that the cluster's operators keep.")
    email: ListAttribute[str] = ListAttribute("Addresses that e-mail about the job goes to.")
    email_on_started = FlagAttribute("Whether e-mail is sent when the job starts.")
    email_on_terminated = FlagAttribute("Whether e-mail is sent when the job has ended.")
    job_name = TextAttribute("Name of the job.")
    input_path = TextAttribute("File that is the job's standard input; may have placeholders.")
    output_path = TextAttribute("File that the job's standard output goes to; may have placeholders.")
    error_path = TextAttribute("File that the job's standard error goes to; may have placeholders.")
    join_files = FlagAttribute("Whether standard error goes to where standard output goes.")
    reservation_id = TextAttribute("Reservation that the job runs in.")
    queue_name = TextAttribute("Queue that the job runs in.")
    min_slots: NumberAttribute[int | None] = NumberAttribute("Slots that the job needs at least.")
    max_slots: NumberAttribute[int | None] = NumberAttribute("Slots that the job can use at most.")
    priority: NumberAttribute[int | None] = NumberAttribute(
        "Priority among the waiting jobs, -1023 to 1024; more goes first.", unset=frozenset({UNSET_PRIORITY})
    )
    candidate_machines: ListAttribute[str] = ListAttribute("Names of the machines that the job may run on.")
    min_phys_memory: NumberAttribute[int | None] = NumberAttribute("Physical memory that the machine has, in KiB.")
    machine_os = ChoiceAttribute("Operating system that the job needs.", Os)
    machine_arch = ChoiceAttribute("Processor architecture that the job needs.", Cpu)
    start_time = MomentAttribute("Moment before which the job does not start.")
    deadline_time = MomentAttribute("Moment at which the job is ended, waiting or running.")
    stage_in_files = MappingAttribute("Files that are copied before the job starts: source to destination.")
    stage_out_files = MappingAttribute("Files that are copied after the job has ended: source to destination.")
    resource_limits = MappingAttribute(
        "Limits of the job: a ResourceLimit to a whole number as text; seconds for times, KiB for sizes."
    )
    accounting_id = TextAttribute("Account that the job's usage is written on.")

    implementation_specific_keys: ClassVar[dict[str, str]] = {
        "uge_jt_pe": "Parallel environment, as Univa's binding calls it; the same as parallel_environment.",
        "uge_jt_native": "Options of qsub, as Univa's binding calls them; the same as native_specification.",
        "parallel_environment": "Parallel environment that the slots are taken in (qsub -pe).",
        "resource_requests": "Resource requests as in qsub -l: h_rt=1:00:00,h_vmem=4G. A dictionary may be assigned.",
        "hold_jid": "Ids or names (with wildcards) of jobs to wait for, with commas. A list may be assigned.",
        "hold_jid_ad": "Array jobs whose tasks the tasks wait for one by one, with commas. A list may be assigned.",
        "native_specification": "Options of qsub, as on a command line.",
    }

    def plain(self) -> vocabulary.JobTemplate:
        """Return the template as the rest of gcs_lab has it.

        Raises
        ------
        InvalidArgument
            If something is asked for twice and differently, or a time is no moment.
        """
        values = self._standard_values()
        values["start_time"] = moment_asked_for("start_time", values.get("start_time"), now=None)
        # A deadline at the end of time is none.
        if values.get("deadline_time") == Time.INFINITE_TIME:
            del values["deadline_time"]
        values["deadline_time"] = moment_asked_for(
            "deadline_time", values.get("deadline_time"), now=datetime.now(UTC)
        )
        added = self._added_values()
        if "resource_requests" in added:
            values["resource_requests"] = parse_requests(added.pop("resource_requests"))
        for name in set(_LISTS) & added.keys():
            values[name] = [one.strip() for one in added.pop(name).split(",")]
        return vocabulary.JobTemplate(**values, **added)

    def _specific_text(self, name: str, value: object) -> str:
        if name in _LISTS and isinstance(value, list | tuple):
            return ",".join(super(JobTemplate, self)._specific_text(name, one) for one in value)
        if name == "resource_requests" and isinstance(value, dict):
            return ",".join(f"{key}={_quoted(str(one))}" for key, one in value.items())
        return super()._specific_text(name, value)


def _quoted(text: str) -> str:
    if "," not in text:
        return text
    return f"'{text}'" if '"' in text else f'"{text}"'
