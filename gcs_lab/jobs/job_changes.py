"""What is to be changed of a job that was submitted (``qalter(1)``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.template_checks import check_job_values
from gcs_lab.vocabulary import JobTemplate

if TYPE_CHECKING:
    from gcs_lab.jobs.protocol import Catalogue

__all__ = ["JobChanges", "by_full_names", "merged_requests"]


@dataclass(frozen=True, kw_only=True)
class JobChanges:
    """New values for some of what a job asks for; None: as it is.

    Parameters
    ----------
    name
        Its name (``qalter -N``).
    priority
        Its priority, -1023 to 1024 (``-p``). Ordinary users of Grid Engine may lower it alone.
    requests
        Hard requests by complex (``-l``), added to those that it has; None takes one away.
    queues
        Queues that it may run in (``-q``), instead of those that it named; () lets it run in any.
    """

    name: str | None = None
    priority: int | None = None
    requests: Mapping[str, str | None] | None = None
    queues: Sequence[str] | None = None

    def checked(self) -> JobTemplate:
        """Return a template that asks for what is new, so that the names in it can be checked.

        Raises
        ------
        InvalidArgument
            If nothing is to be changed, or a value cannot work.
        """
        if self.name is None and self.priority is None and not self.requests and self.queues is None:
            raise InvalidArgument("nothing is to be changed; say a name, a priority, requests or queues.")
        if self.queues is not None and (isinstance(self.queues, str) or not all(self.queues)):
            raise InvalidArgument(f"queues is {self.queues!r}; expected a list of names, () for any queue.")
        if self.requests is not None and not isinstance(self.requests, Mapping):
            raise InvalidArgument(
                f"requests is {self.requests!r}; expected values by complex, None to take one away."
            )
        template = JobTemplate(
            job_name=self.name,
            priority=self.priority,
            queue_name=",".join(self.queues) if self.queues else None,
            resource_requests={name: value for name, value in (self.requests or {}).items() if value is not None},
        )
        check_job_values(template)
        # What is taken away has a name, too.
        check_job_values(JobTemplate(resource_requests=dict.fromkeys(self.requests or {}, "0")))
        return template


def by_full_names(changes: JobChanges, catalogue: Callable[[], Catalogue]) -> JobChanges:
    """Return the same with the full names of complexes instead of their shortcuts.

    Raises
    ------
    InvalidArgument
        If one complex is changed twice, by its name and by its shortcut.
    """
    if not changes.requests:
        return changes
    known, requests = catalogue().by_name, dict[str, str | None]()
    for given, value in changes.requests.items():
        name = known[given].name if given in known else given
        if name in requests:
            raise InvalidArgument(f"-l {given}: {name} is changed twice, by its name and by its shortcut.")
        requests[name] = value
    return replace(changes, requests=requests)


def merged_requests(job_id: str, present: Mapping[str, str], changes: JobChanges) -> dict[str, str]:
    """Return the requests that a job has afterwards, by full names.

    Raises
    ------
    InvalidArgument
        If one is to be taken away that it does not have.
    """
    merged = dict(present)
    for name, value in (changes.requests or {}).items():
        if value is not None:
            merged[name] = value
        elif merged.pop(name, None) is None:
            there = ",".join(f"{there}={value}" for there, value in present.items()) or "nothing"
            raise InvalidArgument(
                f"job {job_id} does not ask for {name}, so that it cannot be taken away; it asks for {there}."
            )
    return merged
