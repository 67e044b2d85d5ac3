"""The states of queue instances that an operator sets by hand (``qmod(1)``), with Grid Engine's letters.

An instance with any of them gives no slots. ``s`` and ``A`` also suspend the jobs that run there.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from gcs_lab.backends.embedded.patterns import matches
from gcs_lab.backends.embedded.placement import Instance
from gcs_lab.errors import InvalidArgument, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gcs_lab.backends.embedded.layout import Layout

__all__ = ["GONE", "QueueAction", "changed", "in_words", "instances_named", "job_letters", "why_closed"]

#: The letters in the order in which ``qstat -f`` prints them, and what they say.
_WORDS = {
    "a": "in load alarm",
    "A": "in suspend threshold alarm",
    "d": "disabled",
    "E": "in error state",
    "s": "suspended",
    "o": "not in cluster.toml any more",
}
#: Grid Engine's letter for an instance that is orphaned: it was taken from the configuration.
GONE = "o"


class QueueAction(StrEnum):
    """What an operator can do to queue instances.

    The first five are ``qmod -d -e -sq -usq -cq``. The others set by hand what Grid Engine finds out by itself: an
    error state, a load alarm (``a``), and a suspend threshold that is exceeded (``A``).
    """

    DISABLE = "disable"
    ENABLE = "enable"
    SUSPEND = "suspend"
    UNSUSPEND = "unsuspend"
    CLEAR = "clear"
    ERROR = "error"
    LOAD_ALARM = "load-alarm"
    END_LOAD_ALARM = "end-load-alarm"
    SUSPEND_ALARM = "suspend-alarm"
    END_SUSPEND_ALARM = "end-suspend-alarm"


#: The letter that an action sets (True) or takes away (False).
_EFFECTS = {
    QueueAction.DISABLE: ("d", True),
    QueueAction.ENABLE: ("d", False),
    QueueAction.SUSPEND: ("s", True),
    QueueAction.UNSUSPEND: ("s", False),
    QueueAction.CLEAR: ("E", False),
    QueueAction.ERROR: ("E", True),
    QueueAction.LOAD_ALARM: ("a", True),
    QueueAction.END_LOAD_ALARM: ("a", False),
    QueueAction.SUSPEND_ALARM: ("A", True),
    QueueAction.END_SUSPEND_ALARM: ("A", False),
}


def changed(letters: str, action: QueueAction) -> str:
    """Return the letters of an instance after `action`: ``changed("s", QueueAction.DISABLE)`` is ``"ds"``."""
    letter, there = _EFFECTS[action]
    return "".join(each for each in _WORDS if (there if each == letter else each in letters))


def job_letters(letters: Iterable[str]) -> str:
    """Return what its instances' states mean for a job: ``S`` (queue suspended), ``T`` (threshold), or both."""
    found = set().union(*letters)
    return ("S" if "s" in found else "") + ("T" if "A" in found else "")


def instances_named(name: str, layout: Layout) -> list[Instance]:
    """Return the instances that an operator means: ``all.q``, ``all.q@node1``, ``*@node1``, ``*``.

    Raises
    ------
    UnknownName
        If there is no such queue or host.
    InvalidArgument
        If the name means no instance.
    """
    queue, at, host = name.partition("@") if isinstance(name, str) else ("", "", "")
    if not queue or (at and not host):
        raise InvalidArgument(f"{name!r} names no queue; expected a queue (all.q), queue@host, or *@host.")
    every = [Instance(q.name, h.name) for q, h in layout.instances()]
    found = [i for i in every if matches(queue, i.queue) and (not host or matches(host.lower(), i.host.lower()))]
    if found:
        return found
    queues, hosts = sorted({i.queue for i in every}), sorted({i.host for i in every})
    if not any(matches(queue, known) for known in queues):
        raise UnknownName("queue", queue, queues, where="embedded")
    if not any(matches(host.lower(), known.lower()) for known in hosts):
        raise UnknownName("host", host, hosts, where="embedded")
    raise InvalidArgument(f"{name} names no queue instance; there is {', '.join(map(str, every[:20]))}.")


def why_closed(places: Sequence[Instance], states: Mapping[Instance, str]) -> str | None:
    """Return why none of `places` gives slots, in words; None if one of them does, or there is none at all."""
    if not places or not all(states.get(place) for place in places):
        return None
    by_queue: dict[str, dict[str, list[Instance]]] = {}
    for place in places:
        by_queue.setdefault(place.queue, {}).setdefault(in_words(states[place]), []).append(place)
    said = []
    for queue, by_words in by_queue.items():
        if len(by_words) == 1:
            said.append(f"{queue} is {next(iter(by_words))}")
        else:
            said += [f"{', '.join(map(str, some))} is {words}" for words, some in by_words.items()]
    return "; ".join(said)


def in_words(letters: str) -> str:
    """Return what letters say: ``in_words("ds")`` is ``"disabled and suspended"``."""
    return " and ".join(_WORDS[letter] for letter in letters)
