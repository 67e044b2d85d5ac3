"""The exceptions of gcs_lab, all of them.

The tree (names marked * are DRMAA2's words, GFD.231 section 5)::

    GcsError
    ├── DeniedByDrms *              the system refused: permission, policy, quota
    │   └── NotAuthorized           another user's rights were asked for
    ├── DrmCommunication *          the system does not answer
    │   └── CommandFailed           one of its commands failed (argv, exit status, stderr)
    ├── TryLater *                  refused for now
    ├── SessionManagement *         a session could not be created, opened or destroyed
    ├── Timeout *                   a wait ran out of time
    ├── Internal *                  a fault of ours, or of the system
    ├── InvalidArgument *           a value that cannot work
    │   ├── UnknownName             a queue, complex, job … that does not exist
    │   ├── SeveralProblems         more than one thing is wrong; each is named
    │   ├── CellSourceError         the cell cannot be a job as it stands
    │   ├── FilterError             a filter of jobs, queues or hosts that cannot be read
    │   └── NotPicklable            a value that cannot travel
    ├── InvalidSession *            the session was closed
    ├── InvalidState *              not possible in the job's present state
    │   └── NotReady                a value is used that is still being computed
    ├── OutOfResource *             disk, memory, ids, file descriptors
    ├── UnsupportedAttribute *      the backend cannot honour this attribute
    ├── UnsupportedOperation *      the backend does not have this operation
    ├── ImplementationSpecific *    what the standard has no word for
    │   └── PartlySubmitted         some of many jobs were submitted, then one was refused
    ├── ClusterNotFound             no cluster of that name, or none at all
    ├── JobFailed                   a job ended without doing its work
    │   ├── RemoteError             its code raised an exception that cannot be rebuilt here
    │   └── UpstreamFailed          it was not run, because an earlier job that it needs failed
    └── UntrustedFile               a file that another user could have written

Every message says what happened, what was expected, and what to do next.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "CellSourceError",
    "ClusterNotFound",
    "CommandFailed",
    "DeniedByDrms",
    "DrmCommunication",
    "FilterError",
    "GcsError",
    "ImplementationSpecific",
    "Internal",
    "InvalidArgument",
    "InvalidSession",
    "InvalidState",
    "JobFailed",
    "NotAuthorized",
    "NotPicklable",
    "NotReady",
    "OutOfResource",
    "PartlySubmitted",
    "RemoteError",
    "SessionManagement",
    "SeveralProblems",
    "Timeout",
    "TryLater",
    "UnknownName",
    "UnsupportedAttribute",
    "UnsupportedOperation",
    "UntrustedFile",
    "UpstreamFailed",
]

#: How many names, and problems, a message lists.
_MOST_NAMES = 20
_MOST_PROBLEMS = 10
#: From so many letters on, a piece of a name counts as near to it.
_LEAST_PIECE = 2


def nearest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Return the names in `known` that `name` may have been meant as, the likeliest first.

    That is the one that differs in case only, else those that are spelt alike (:mod:`difflib`), else those that
    `name` is a piece of.
    """
    # difflib takes time by the product of the lengths; no name is that long.
    wanted = name[:100].casefold()
    by_folded: dict[str, str] = {}
    for one in known:
        by_folded.setdefault(one.casefold(), one)
    if wanted in by_folded:
        return [by_folded[wanted]]
    near = difflib.get_close_matches(wanted, by_folded, n=most)
    if not near and len(wanted) >= _LEAST_PIECE:
        pieces = (one for one in by_folded if wanted in one)
        near = sorted(pieces, key=lambda one: (not one.startswith(wanted), len(one), one))[:most]
    return [by_folded[one] for one in near]


class GcsError(Exception):
    """Base of everything that gcs_lab raises on purpose.

    Parameters
    ----------
    error
        The message.
    error_code
        DRMAA2's number of the error, if it is another than the class's.
    """

    #: DRMAA2's number of the error (``drmaa2_error`` of the C binding; -1: unset, 13: IMPLEMENTATION_SPECIFIC).
    error_code: int = -1

    def __init__(self, error: str = "", error_code: int | None = None) -> None:
        super().__init__(error)
        if error_code is not None:
            self.error_code = error_code

    def _render_traceback_(self) -> list[str]:
        """Draw the error in IPython without our frames: the message is for the user, the frames are not."""
        return ["\n".join([f"{type(self).__name__}: {self}", *getattr(self, "__notes__", ())])]


class DeniedByDrms(GcsError):
    """The system refused the request (DRMAA2 ``DENIED_BY_DRMS``)."""

    error_code = 1


class NotAuthorized(DeniedByDrms):
    """Another user's rights were asked for (``AUTHORIZATION``, an addition of Univa's DRMAA2)."""

    error_code = 14


class DrmCommunication(GcsError):
    """The system could not be reached (DRMAA2 ``DRM_COMMUNICATION``)."""

    error_code = 2


class CommandFailed(DrmCommunication):
    """A command of the scheduler failed.

    Parameters
    ----------
    argv
        The argument list that was run.
    exit_status
        Its exit status; ``None`` when it did not end in time or could not be started.
    stderr
        What it said.
    """

    def __init__(self, argv: Sequence[str], exit_status: int | None, stderr: str) -> None:
        self.argv = list(argv)
        self.exit_status = exit_status
        self.stderr = stderr
        how = "did not end" if exit_status is None else f"ended with status {exit_status}"
        said = stderr.strip() or "it said nothing on standard error"
        super().__init__(f"{' '.join(self.argv[:6])!s} {how}: {said}")


class TryLater(GcsError):
    """The system refused for now (DRMAA2 ``TRY_LATER``)."""

    error_code = 3


class SessionManagement(GcsError):
    """A session could not be created, opened or destroyed (DRMAA2 ``SESSION_MANAGEMENT``)."""

    error_code = 4


class Timeout(GcsError):
    """A wait ran out of time (DRMAA2 ``TIMEOUT``)."""

    error_code = 5


class Internal(GcsError):
    """A fault of ours or of the system (DRMAA2 ``INTERNAL``)."""

    error_code = 6


class InvalidArgument(GcsError):
    """A value that cannot work (DRMAA2 ``INVALID_ARGUMENT``)."""

    error_code = 7


class UnknownName(InvalidArgument):
    """A name that does not exist, with those that do.

    Parameters
    ----------
    kind
        What was named, in the field's words: ``"queue"``, ``"parallel environment"``, ``"complex"`` …
    name
        The name that was given.
    known
        The names that exist.
    where
        Where: the system's name.
    relation
        How the name is related to `where`, if it is not ``on`` a system: ``in`` a folder.
    aliases
        Other names of some of them (a complex's shortcut) to the names in `known`.
    complete
        Whether `known` are all; else they are examples.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        known: Iterable[str],
        *,
        where: str = "",
        relation: str = "on",
        aliases: Mapping[str, str] | None = None,
        complete: bool = True,
    ) -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        near = _near_with_aliases(name, self.known, aliases or {})
        there = ", ".join(self.known[:_MOST_NAMES]) + (" …" if len(self.known) > _MOST_NAMES else "")
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        place = f" {relation} {where}" if where else ""
        has = f" There is{'' if complete else ', for instance'}: {there}." if there else ""
        none = f" There is no {kind} at all." if complete and not there else ""
        super().__init__(f"no {kind} is called {name!r}{place}.{has}{none}{hint}")


def _near_with_aliases(name: str, known: Sequence[str], aliases: Mapping[str, str]) -> list[str]:
    near: dict[str, str] = {}
    for one in nearest(name, [*known, *aliases]):
        full = one if one in known else aliases[one]
        near.setdefault(full, full if one == full else f"{full} ({one})")
    return list(near.values())


class SeveralProblems(InvalidArgument):
    """More than one thing is wrong with what was asked for; nothing was sent.

    Parameters
    ----------
    problems
        Each of them; two or more.
    """

    def __init__(self, problems: Sequence[GcsError]) -> None:
        self.problems = list(problems)
        shown = "\n".join(f"  {number}. {problem}" for number, problem in enumerate(problems[:_MOST_PROBLEMS], 1))
        more = f"\n  and {len(problems) - _MOST_PROBLEMS} more" if len(problems) > _MOST_PROBLEMS else ""
        super().__init__(f"{len(problems)} things are wrong, and nothing was sent:\n{shown}{more}")


def together(problems: Sequence[GcsError]) -> GcsError:
    """Return the one error that says all `problems` (one or more): itself if it is alone."""
    flat: list[GcsError] = []
    for problem in problems:
        flat += problem.problems if isinstance(problem, SeveralProblems) else [problem]
    return flat[0] if len(flat) == 1 else SeveralProblems(flat)


class CellSourceError(InvalidArgument):
    """The cell cannot become a job as it stands; nothing was sent."""


class FilterError(InvalidArgument):
    """A filter cannot be read.

    Parameters
    ----------
    error
        The message.
    start, end
        The characters of the filter that it is about.
    incomplete
        Whether the text only ends too early: somebody still types.
    """

    def __init__(self, error: str, start: int = 0, end: int = 0, *, incomplete: bool = False) -> None:
        super().__init__(error)
        self.start, self.end, self.incomplete = start, end, incomplete

    def told(self) -> dict[str, str | int | bool]:
        """Return what a front end is told: message, start, end, and incomplete where it is so."""
        told: dict[str, str | int | bool] = {"message": str(self), "start": self.start, "end": self.end}
        return told | ({"incomplete": True} if self.incomplete else {})


class NotPicklable(InvalidArgument):
    """A value cannot be pickled, so it cannot travel; nothing was sent."""


class InvalidSession(GcsError):
    """The session was closed or never was (DRMAA2 ``INVALID_SESSION``)."""

    error_code = 8


class InvalidState(GcsError):
    """Not possible in the job's present state (DRMAA2 ``INVALID_STATE``)."""

    error_code = 9


class NotReady(InvalidState):
    """A value is used that a job is still computing, or that a failed job never computed."""


class OutOfResource(GcsError):
    """Disk, memory, ids or file descriptors ran out (DRMAA2 ``OUT_OF_RESOURCE``)."""

    error_code = 10


class UnsupportedAttribute(GcsError):
    """The backend cannot honour an attribute of the template (DRMAA2 ``UNSUPPORTED_ATTRIBUTE``)."""

    error_code = 11


class UnsupportedOperation(GcsError):
    """The backend does not have the operation (DRMAA2 ``UNSUPPORTED_OPERATION``)."""

    error_code = 12


class ImplementationSpecific(GcsError):
    """What the standard has no word for (DRMAA2 ``IMPLEMENTATION_SPECIFIC``)."""

    error_code = 13


class PartlySubmitted(ImplementationSpecific):
    """Of many jobs some were submitted, then the system refused one; those after it were not sent.

    Parameters
    ----------
    job_ids
        Ids of those that were submitted: the first ones, in order.
    reason
        Why the next one was not.
    """

    def __init__(self, job_ids: Sequence[str], reason: GcsError) -> None:
        self.job_ids, self.reason = list(job_ids), reason
        super().__init__(
            f"the first {len(self.job_ids)} jobs were submitted; the next was refused: {reason} Cancel those, or "
            "submit the rest once that is mended."
        )


class ClusterNotFound(GcsError):
    """No cluster of that name, or none at all."""

    error_code = 13


class JobFailed(GcsError):
    """A job ended without doing its work; the message says why."""

    error_code = 13


class RemoteError(JobFailed):
    """The job's code raised an exception whose type cannot be rebuilt here.

    Parameters
    ----------
    ename
        Name of the exception's type in the job.
    evalue
        Its message there.
    """

    def __init__(self, ename: str, evalue: str) -> None:
        self.ename, self.evalue = ename, evalue
        super().__init__(evalue)


class UpstreamFailed(JobFailed):
    """A job was not run, or not sent, because an earlier job that it needs did not end well."""


class UntrustedFile(GcsError):
    """A file that another user could have written; it is not read."""

    error_code = 13
