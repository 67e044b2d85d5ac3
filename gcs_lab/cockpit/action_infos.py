"""What can be done to jobs in a cockpit: its names, what a person has to give, and which states allow it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gcs_lab.errors import InvalidArgument
from gcs_lab.jobs.protocol import JobAction
from gcs_lab.jobs.requests import parse_requests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcs_lab.jobs import JobChanges

__all__ = ["ACTIONS", "ActionKind", "action_infos", "changes_of"]

#: qsub(1), -p. Only operators may raise a priority above 0.
_LEAST_PRIORITY, _MOST_PRIORITY, _MOST_FOR_USERS = -1023, 1024, 0


@dataclass(frozen=True)
class ActionKind:
    """One thing that can be done.

    ``needs`` are the kinds of tasks (``running``, ``suspended``, ``pending``, ``held``, ``error``) of which a job
    must have one; ``missing`` says what it is if it has none. ``control`` is the name of the :class:`JobAction`;
    empty: the job is altered. ``asked`` stands before the jobs in the question; empty: the label.
    """

    label: str
    help: str
    needs: frozenset[str]
    missing: str
    control: str = ""
    danger: bool = False
    asked: str = ""


_ALL = frozenset({"running", "suspended", "pending", "held", "error"})
_WAITING = frozenset({"pending", "held", "error"})
ACTIONS: dict[str, ActionKind] = {
    "cancel": ActionKind(
        "Cancel", "End the jobs, whatever they do (qdel).", _ALL, "it has ended", "TERMINATE", danger=True
    ),
    "hold": ActionKind(
        "Hold",
        "Keep what waits from starting (qhold).",
        frozenset({"pending"}),
        "nothing of it waits that is not held already",
        "HOLD",
    ),
    "release": ActionKind("Release", "Take the hold off (qrls).", frozenset({"held"}), "it is not held", "RELEASE"),
    "suspend": ActionKind(
        "Suspend",
        "Stop what runs; it keeps its slots (qmod -sj).",
        frozenset({"running"}),
        "it does not run",
        "SUSPEND",
    ),
    "resume": ActionKind(
        "Resume",
        "Let what is suspended go on (qmod -usj).",
        frozenset({"suspended"}),
        "it is not suspended",
        "RESUME",
    ),
    "priority": ActionKind(
        "Priority",
        "Change the priority among your own jobs (qalter -p).",
        _WAITING,
        "nothing of it waits",
        asked="Change the priority of",
    ),
    "clear_error": ActionKind(
        "Clear error",
        "Let the scheduler try again what is in error state (qmod -cj).",
        frozenset({"error"}),
        "it is not in error state",
        "CLEAR_ERROR",
        asked="Clear the error of",
    ),
    "requeue": ActionKind(
        "Requeue",
        "End what runs and let it wait again from its beginning (qmod -rj).",
        frozenset({"running", "suspended"}),
        "it does not run",
        "REQUEUE",
        danger=True,
    ),
    "alter": ActionKind(
        "Alter", "Change name, requests or queue of what waits (qalter).", _WAITING, "nothing of it waits"
    ),
}


def action_infos(*, operator: bool) -> list[dict[str, Any]]:
    """Return the ``IActionInfo`` of each action, for an operator or for a user."""
    fields: dict[str, list[dict[str, Any]]] = {
        "priority": [
            {
                "name": "priority",
                "label": "Priority",
                "type": "integer",
                "help": "0 is what jobs have; less is later. Above 0 only an operator may go.",
                "minimum": _LEAST_PRIORITY,
                "maximum": _MOST_PRIORITY if operator else _MOST_FOR_USERS,
            }
        ],
        "alter": [
            {"name": "name", "label": "Name", "type": "text", "help": "A new name; empty: as it is."},
            {
                "name": "requests",
                "label": "Requests (-l)",
                "type": "text",
                "help": "h_rt=2:00:00,-h_vmem sets the one and takes the other away. Empty: as it is.",
            },
            {"name": "queues", "label": "Queues (-q)", "type": "text", "help": "all.q,short.q; empty: as it is."},
        ],
    }
    return [
        {
            "name": name,
            "label": kind.label,
            "help": kind.help,
            "fields": fields.get(name, []),
            "danger": kind.danger,
        }
        for name, kind in ACTIONS.items()
    ]


def job_action(name: str) -> JobAction:
    """Return the action of the ``jobs`` area for one of :data:`ACTIONS` that controls."""
    return JobAction[ACTIONS[name].control]


def changes_of(action: str, fields: Mapping[str, str], *, operator: bool) -> JobChanges | None:
    """Return what an action changes of a job; None if it changes nothing of what was asked for.

    Raises
    ------
    InvalidArgument
        If a field is missing or says nothing that can be.
    """
    known = {
        field["name"]
        for info in action_infos(operator=operator)
        if info["name"] == action
        for field in info["fields"]
    }
    if strange := set(fields) - known:
        raise InvalidArgument(
            f"{action} has no field {', '.join(sorted(strange))}; it has {', '.join(sorted(known)) or 'none'}."
        )
    from gcs_lab.jobs import JobChanges

    said = {name: text.strip() for name, text in fields.items()}
    if action == "priority":
        return JobChanges(priority=_priority(said.get("priority", ""), operator=operator))
    if action != "alter":
        return None
    if not any(said.values()):
        raise InvalidArgument("nothing is to be changed: give a new name, requests or queues.")
    return JobChanges(
        name=said.get("name") or None,
        requests=_requests(said.get("requests", "")),
        queues=[queue.strip() for queue in said["queues"].split(",") if queue.strip()]
        if said.get("queues")
        else None,
    )


def _priority(text: str, *, operator: bool) -> int:
    most = _MOST_PRIORITY if operator else _MOST_FOR_USERS
    try:
        priority = int(text)
    except ValueError:
        raise InvalidArgument(
            f"the priority is {text!r}; expected a whole number from {_LEAST_PRIORITY} to {most}."
        ) from None
    if not _LEAST_PRIORITY <= priority <= most:
        why = "" if operator else " Above 0 only an operator may go."
        raise InvalidArgument(f"the priority is {priority}; expected {_LEAST_PRIORITY} to {most}.{why}")
    return priority


def _requests(text: str) -> dict[str, str | None] | None:
    if not text:
        return None
    parts = [part.strip() for part in text.split(",")]
    taken_away = [part for part in parts if part.startswith("-")]
    if any("=" in part or len(part) == 1 for part in taken_away):
        raise InvalidArgument(f"{text!r}: a request that is taken away is -NAME alone, for example -h_vmem.")
    rest = ",".join(part for part in parts if not part.startswith("-"))
    requests: dict[str, str | None] = dict(parse_requests(rest)) if rest else {}
    return requests | {part[1:]: None for part in taken_away}
