"""What Grid Engine's scheduler says of a job that it does not start, sentence by sentence.

The sentences are those of ``source/libs/sched/msg_schedd.h``, the same in ``qstat -j`` (``schedd_job_info true``) and
in ``qalter -w p|v``. In an offer (``hc:licence=2.000000``) the first letter says who has it (global, host, queue),
the second what it is (consumable, load value, fixed value).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.qstat_xml import elements

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Messages", "Said", "Topic", "parse_messages", "parse_verdicts", "understand"]


class Topic(Enum):
    """What a sentence is about."""

    OFFER = auto()
    NO_SLOTS = auto()
    PE_SLOTS = auto()
    UNKNOWN_RESOURCE = auto()
    QUEUE_REFUSES = auto()
    NOT_ASKED_FOR = auto()
    NO_PE = auto()
    FORCED = auto()
    NO_PERMISSION = auto()
    QUOTA = auto()
    OVERLOADED = auto()
    QUEUE_STATE = auto()
    RESERVATION = auto()
    TASK_LIMIT = auto()
    KNOWN_OTHERWISE = auto()
    OTHER = auto()


@dataclass(frozen=True)
class Said:
    """One sentence: its topic, where it holds (queue, queue instance or host), and the names and values in it.

    ``source`` is the letter of an offer: ``c`` consumable, ``l`` load value, ``f`` fixed value.
    """

    topic: Topic
    text: str
    where: str = ""
    name: str = ""
    value: str = ""
    source: str = ""

    @property
    def shuts_out(self) -> bool:
        """Whether the queue or host does not suit the job, however empty it is."""
        return self.topic in _SHUT_OUT or (self.topic is Topic.OFFER and self.source == "f")


_SHUT_OUT = {
    Topic.UNKNOWN_RESOURCE,
    Topic.QUEUE_REFUSES,
    Topic.NOT_ASKED_FOR,
    Topic.NO_PE,
    Topic.FORCED,
    Topic.NO_PERMISSION,
}
_PLACE = r'(?:(?:at|in|on) )?(?:host|queue instance|queue) "?(?P<where>[^"\s]+)"?'
_AT = rf"\(-l [^)]*\) cannot run (?:{_PLACE}|globally) because "
#: Topic and pattern, which may come in pieces.
_PATTERNS: tuple[tuple[Topic, tuple[str, ...]], ...] = (
    (Topic.NO_SLOTS, (_AT, r"it offers only [ghq][clf]:(?P<name>slots)=.*")),
    (
        Topic.OFFER,
        (_AT, r"it offers only [ghq](?P<source>[clfv]):(?P<name>[^=\s]+)=(?P<value>.*?)(?: due to a reservation)?"),
    ),
    (Topic.UNKNOWN_RESOURCE, (_AT, r"job requests unknown resource \((?P<name>[^)]*)\)")),
    (Topic.QUEUE_REFUSES, (rf"\(-l (?P<value>[^)]*)\) cannot run {_PLACE} because of cluster queue",)),
    (Topic.NOT_ASKED_FOR, (rf"cannot run {_PLACE} because it is not contained in its hard queue list \(-q\)",)),
    (Topic.NO_PE, (rf'cannot run {_PLACE} because PE "(?P<name>[^"]*)" is not in PE list',)),
    # Not seen: queues that take only jobs that ask for something, or only some users and projects.
    (Topic.FORCED, (r"does not request 'forced' resource \"(?P<name>[^\"]*)\" of .*? (?P<where>\S+)",)),
    (Topic.NO_PERMISSION, (r'has no permission for (?:\w+ )*"?(?P<where>[^"\s]+)"?',)),
    (
        Topic.NO_PERMISSION,
        (
            r"\((?:no project|project [^)]*)\) (?:does not have the correct project|is not allowed) to run in",
            r' (?:\w+ )*"?(?P<where>[^"\s]+)"?.*',
        ),
    ),
    (Topic.PE_SLOTS, (r'cannot run in PE "(?P<name>[^"]*)" because it only offers (?P<value>\d+) slots',)),
    (Topic.QUOTA, (r'cannot run because it exceeds limit "(?P<value>[^"]*)" in rule "(?P<name>[^"]*)"',)),
    (Topic.QUOTA, (rf"(?:Job )?cannot run {_PLACE} because it exceeds limit in rule (?P<name>\S+)",)),
    (Topic.QUOTA, (r"job dropped because of user limitations",)),
    (Topic.OVERLOADED, (r'queue instance "(?P<where>[^"]*)" dropped because it is overloaded: (?P<value>.*)',)),
    (Topic.OVERLOADED, (r'queue instance "(?P<where>[^"]*)" is in suspend alarm: (?P<value>.*)',)),
    # Not seen: a calendar that is going to shut the queue.
    (Topic.QUEUE_STATE, (rf"cannot run {_PLACE} because the job runtime of (?P<value>\d+) sec\. is too long",)),
    # The states of all queues are known from qstat -f.
    (Topic.KNOWN_OTHERWISE, (r'queue instance "[^"]*" dropped because it is .*',)),
    (Topic.KNOWN_OTHERWISE, (r"all queues dropped because of overload or full",)),
    (
        Topic.RESERVATION,
        (rf"cannot run {_PLACE} because it was not reserved by advance reservation (?P<name>\d+)",),
    ),
    (Topic.RESERVATION, (r"cannot run because requested advance reservation (?P<name>\d+) is in error state",)),
    (Topic.TASK_LIMIT, (r"not all array tasks? may be started due to .*",)),
    (
        Topic.KNOWN_OTHERWISE,
        (
            r"(?:execution time not reached|job is in (?:error|hold) state|job dropped because of job dependencies",
            r"|there are no messages available|job is already running or is held",
            r"|\(collecting of scheduler job information is turned off\)",
            r"|\(scheduler job information not available for every job\)|job filter: .*)",
        ),
    ),
)
_SENTENCES = tuple((topic, re.compile("".join(pieces), re.IGNORECASE)) for topic, pieces in _PATTERNS)
_VERDICT = re.compile(r"Job (?P<job>\d+) (?P<text>.+)\Z")


def understand(text: str) -> Said:
    """Return what a sentence says; one that is not known has the topic ``OTHER``."""
    text = text.strip()
    for topic, pattern in _SENTENCES:
        if match := pattern.fullmatch(text):
            return Said(topic, text, **{key: value or "" for key, value in match.groupdict().items()})
    return Said(Topic.OTHER, text)


@dataclass(frozen=True)
class Messages:
    """What ``qstat -j`` says of jobs, by id, and of the whole cluster; where it is switched off, nothing of jobs."""

    by_job: dict[str, list[Said]]
    everywhere: list[Said]


def parse_messages(document: bytes) -> Messages:
    """Return the scheduling information in the output of ``qstat -j ID,ID -xml``.

    Raises
    ------
    GcsError
        As :func:`~gcs_lab.backends.gridengine.qstat_xml.elements`.
    """
    by_job: dict[str, list[Said]] = {}
    everywhere: list[Said] = []
    for messages in elements(document, "messages"):
        for element in messages.iterfind("element/SME_message_list/element"):
            said = understand(element.findtext("MES_message") or "")
            # The ids stand in "ulong_sublist" or, after the first message of a job, in "element" (8.1.9 and 9.2).
            for number in element.iter("ULNG_value"):
                by_job.setdefault(number.text or "", []).append(said)
        of_all = messages.iterfind("element/SME_global_message_list/element")
        everywhere += [understand(element.findtext("MES_message") or "") for element in of_all]
    return Messages(by_job, everywhere)


def parse_verdicts(text: str, job_ids: Iterable[str]) -> dict[str, list[Said]]:
    """Return why jobs cannot run, from the output of ``qalter -w p|v ID,ID``; empty for one that could.

    Its lines name the job ("Job 3 cannot run in …"); those that do not ("verification: …") sum them up.
    """
    found: dict[str, list[Said]] = {job_id: [] for job_id in job_ids}
    for line in text.splitlines():
        match = _VERDICT.match(line.strip())
        if match and match["job"] in found:
            found[match["job"]].append(understand(match["text"]))
    return found
