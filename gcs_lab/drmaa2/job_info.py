"""What is known of a job (DRMAA2 ``JobInfo``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from gcs_lab import vocabulary
from gcs_lab.drmaa2.attributes import (
    ChoiceAttribute,
    ListAttribute,
    MomentAttribute,
    NumberAttribute,
    TextAttribute,
    Word,
)
from gcs_lab.drmaa2.drmaa2_constants import JobState
from gcs_lab.drmaa2.drmaa2_object import Drmaa2Object
from gcs_lab.drmaa2.slot_info import SlotInfo, slot_info_of
from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["JobInfo", "job_filter_of"]

#: What of the accounting record Univa's binding has no other name for here.
_RECORDED = {"uge_ji_priority": "priority", "uge_ji_mem": "mem"}
_NUMBERS = {"failed", "max_rss", "max_vmem"}


class JobInfo(Drmaa2Object):
    """What is known of a job, or a filter of jobs.

    Parameters
    ----------
    job_info
        Attributes by name.

    Raises
    ------
    InvalidArgument
        If there is no such attribute, or a value cannot be one.
    """

    job_id = TextAttribute("Id of the job; that of an array's task ends with a dot and its index.")
    job_name = TextAttribute("Name of the job.")
    exit_status: NumberAttribute[int | None] = NumberAttribute("Exit status of the job's program.")
    terminating_signal = TextAttribute("Name of the signal that ended the job: SIGKILL.")
    annotation = TextAttribute("A word on what is not normal: the reason of an error state.")
    job_state = ChoiceAttribute("State of the job.", JobState)
    job_sub_state = TextAttribute("The scheduler's own letters or words for the state.")
    allocated_machines: ListAttribute[SlotInfo] = ListAttribute("Machines and slots that the job has.", slot_info_of)
    submission_machine = TextAttribute("Machine that the job was submitted on.")
    job_owner = TextAttribute("User that the job belongs to.")
    slots: NumberAttribute[int | None] = NumberAttribute("Number of slots that the job has.")
    queue_name = TextAttribute("Queue that the job runs in.")
    wallclock_time: NumberAttribute[int | None] = NumberAttribute("Time that the job has run, in seconds.")
    cpu_time: NumberAttribute[int | None] = NumberAttribute("Processor time that the job has used, in seconds.")
    submission_time = MomentAttribute("Moment of the submission.")
    dispatch_time = MomentAttribute("Moment of the start.")
    finish_time = MomentAttribute("Moment of the end.")

    implementation_specific_keys: ClassVar[dict[str, str]] = {
        "uge_ji_priority": "Priority in the accounting record, as Univa's binding calls it.",
        "uge_ji_failed": "Grid Engine's failure code, as Univa's binding calls it; the same as failed.",
        "uge_ji_mem": "Memory integral of the accounting record in GB seconds, as Univa's binding calls it.",
        "uge_ji_rss": "Peak of the resident memory in bytes, as Univa's binding calls it; the same as max_rss.",
        "uge_ji_vmem": "Peak of the virtual memory in bytes, as Univa's binding calls it; the same as max_vmem.",
        "failed": "Grid Engine's failure code (accounting(5)); 0: none.",
        "max_rss": "Peak of the resident memory of all the job's processes, in bytes.",
        "max_vmem": "Peak of the virtual memory of all the job's processes, in bytes.",
        "deleted_by": "User that deleted the job.",
    }

    aliases: ClassVar[dict[str, str]] = {
        "uge_ji_failed": "failed",
        "uge_ji_rss": "max_rss",
        "uge_ji_vmem": "max_vmem",
    }

    def __init__(self, job_info: Mapping[str, Any] | None = None) -> None:
        super().__init__(job_info)

    @classmethod
    def of(cls, info: vocabulary.JobInfo) -> JobInfo:
        """Return the object of what a system told."""
        standard = {name: getattr(info, name) for name in cls.attribute_names()}
        standard["job_state"] = JobState(int(info.job_state))
        standard["job_sub_state"] = info.job_sub_state or None
        for name in ("wallclock_time", "cpu_time"):
            standard[name] = None if standard[name] is None else round(standard[name])
        return cls().fill(
            **standard,
            **{key: info.raw.get(column) for key, column in _RECORDED.items()},
            uge_ji_failed=info.failed,
            uge_ji_rss=info.max_rss,
            uge_ji_vmem=info.max_vmem,
            failed=info.failed,
            max_rss=info.max_rss,
            max_vmem=info.max_vmem,
            deleted_by=info.deleted_by,
        )

    def plain(self) -> vocabulary.JobInfo:
        """Return the filter as the rest of gcs_lab has it.

        Raises
        ------
        InvalidArgument
            If a time is no moment, a state none that jobs have, or a number of ours no number.
        """
        values = {name: value for name, value in self.values_set.items() if self._is_set(name)}
        for name in ("submission_time", "dispatch_time", "finish_time"):
            if isinstance(values.get(name), Word):
                raise InvalidArgument(f"{name} is {values[name]}; a filter needs a moment.")
        if "job_state" in values:
            state = JobState[values["job_state"]]
            if state is JobState.RUNNING_HELD:
                raise InvalidArgument(
                    "job_state is RUNNING_HELD, which no job is ever in here; a running job cannot be held."
                )
            values["job_state"] = vocabulary.JobState(int(state))
        values["allocated_machines"] = [one.plain() for one in values.get("allocated_machines", [])]
        added = self._added_values()
        values["raw"] = {_RECORDED[key]: added.pop(key) for key in _RECORDED if key in added}
        for name in _NUMBERS & added.keys():
            added[name] = _number(name, added[name])
        return vocabulary.JobInfo(**{"job_id": "", **values, **added})


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidArgument(f"{name} is {text!r:.80}; a filter needs a whole number.") from None


def job_filter_of(wanted: object) -> vocabulary.JobInfo | None:
    """Return the filter that a JobInfo or a dictionary is; None for None."""
    return None if wanted is None else JobInfo.create_from_dict(wanted).plain()
