"""A job to be, as the questions on jobs like it read it: from a template, or from a mapping of words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from gcs_lab.errors import InvalidArgument, UnknownName
from gcs_lab.jobs.requests import parse_requests, parse_slots
from gcs_lab.vocabulary import JobTemplate

__all__ = ["Wanted", "read_template", "with_words"]

#: What a mapping may say: our words for the columns of a record, and those of a JobTemplate.
_WORDS = {
    "name": "name", "job_name": "name",
    "command": "command", "remote_command": "command",
    "owner": "owner", "project": "project",
    "queue": "queue", "queue_name": "queue",
    "parallel_environment": "environment", "pe": "environment",
    "slots": "slots", "min_slots": "slots",
    "requests": "requests", "resource_requests": "requests",
}  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """What is known of a job to be; None: nothing is said. ``requests`` are as ``-l`` takes them."""

    name: str | None = None
    command: str | None = None
    owner: str | None = None
    project: str | None = None
    queue: str | None = None
    environment: str | None = None
    slots: int | None = None
    requests: Mapping[str, str] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """What is said, in words: ``queue=long.q slots=4 h_rt=1:00:00``."""
        words = {
            "name": self.name,
            "command": self.command,
            "owner": self.owner,
            "project": self.project,
            "queue": self.queue,
            "pe": self.environment,
            "slots": self.slots,
            **self.requests,
        }
        return " ".join(f"{name}={value}" for name, value in words.items() if value is not None)


def read_template(template: JobTemplate | Mapping[str, Any] | Wanted | None) -> Wanted:
    """Return what a template or mapping asks for.

    Parameters
    ----------
    template
        A :class:`~gcs_lab.vocabulary.JobTemplate`, of which only what accounting can tell apart is read (name,
        command, queue, slots, parallel environment, requests), or a mapping with ``name``, ``command``, ``owner``,
        ``project``, ``queue``, ``parallel_environment`` (``"smp"`` or ``"smp 4"``), ``slots``, ``requests``
        (``"h_rt=3600,h_vmem=4G"`` or a mapping). None: any job.

    Raises
    ------
    InvalidArgument
        If it is none of these, or a value says nothing.
    UnknownName
        If the mapping has another word.
    """
    if template is None:
        return Wanted()
    if isinstance(template, Wanted):
        return template
    if isinstance(template, JobTemplate):
        template = {
            name: value
            for name in template.attributes_set() & _WORDS.keys()
            if (value := getattr(template, name)) is not None
        }
    if not isinstance(template, Mapping):
        raise InvalidArgument(
            f"{template!r} is no template. Expected a JobTemplate, or a mapping such as "
            '{"queue": "long.q", "slots": 4, "requests": "h_rt=3600"}.'
        )
    values: dict[str, Any] = {}
    for word, value in template.items():
        if word not in _WORDS:
            raise UnknownName("word of a template", str(word), sorted(_WORDS), where="a job to be", relation="of")
        if value is not None:
            values[_WORDS[word]] = _requests(value) if _WORDS[word] == "requests" else value
    _check(values)
    environment, _, slots = values.pop("environment", "").partition(" ")
    if slots:
        values.setdefault("slots", parse_slots(slots.strip())[0])
    return Wanted(environment=environment or None, **values)


def with_words(wanted: Wanted, words: Mapping[str, Any]) -> tuple[Wanted, dict[str, Any]]:
    """Return a job to be with what keywords say of it, and the keywords that are left.

    Raises
    ------
    InvalidArgument
        If a keyword says something else than the job, or says nothing.
    """
    of_the_job = {word: value for word, value in words.items() if word in _WORDS and value is not None}
    said = read_template(of_the_job)
    changes = {}
    for one in fields(Wanted):
        value, before = getattr(said, one.name), getattr(wanted, one.name)
        if not value:
            continue
        if before and before != value:
            raise InvalidArgument(f"the template says {before!r}, and the keyword {value!r}: expected one of them.")
        changes[one.name] = value
    return replace(wanted, **changes), {word: value for word, value in words.items() if word not in of_the_job}


def _check(values: Mapping[str, Any]) -> None:
    for word, value in values.items():
        if word == "slots":
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InvalidArgument(f"slots={value!r}: expected a whole number of 1 or more.")
        elif word != "requests" and not (isinstance(value, str) and value.strip()):
            raise InvalidArgument(f"{word}={value!r}: expected text.")


def _requests(value: Any) -> dict[str, str]:
    if isinstance(value, str):
        return parse_requests(value)
    if isinstance(value, Mapping):
        return {str(name): str(wanted) for name, wanted in value.items()}
    raise InvalidArgument(f'requests={value!r}: expected for example "h_rt=3600,h_vmem=4G".')
