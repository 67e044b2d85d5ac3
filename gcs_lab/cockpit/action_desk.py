"""Actions of a cockpit: what they would do is shown first, and just that is then done."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from gcs_lab.cockpit.action_plan import make_plan
from gcs_lab.cockpit.picture import current_user
from gcs_lab.errors import GcsError, InvalidState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gcs_lab.cluster import Cluster
    from gcs_lab.cockpit.action_plan import ActionPlan
    from gcs_lab.cockpit.picture import Picture
    from gcs_lab.cockpit.stage import Stage
    from gcs_lab.status import Snapshot

__all__ = ["ActionDesk"]

#: Failures and refusals that are told one by one.
_MOST_TOLD = 200


class ActionDesk:
    """Plans and does what somebody asks for in one cockpit; one thread at a time calls it.

    Parameters
    ----------
    cluster
        Where it is done.
    stage
        What is shown.
    send
        Sends a message.
    """

    def __init__(self, cluster: Cluster, stage: Stage, send: Callable[[dict[str, Any]], None]) -> None:
        self._cluster, self._stage, self._send, self.user = cluster, stage, send, current_user()
        self._plan: tuple[object, ActionPlan] | None = None
        #: Whether this user may act on others' jobs; None: not asked yet.
        self.known_operator: bool | None = None

    @property
    def operator(self) -> bool:
        """Whether this user may act on others' jobs; the system is asked once. Where it does not tell: no."""
        if self.known_operator is None:
            try:
                self.known_operator = self._cluster.status.backend.is_operator()
            except GcsError:
                # It may answer the next time.
                return False
        return self.known_operator

    def plan(self, message: Mapping[str, Any], picture: Picture | None) -> None:
        """Answer with what an action would do to what `picture` shows, and remember it.

        Raises
        ------
        InvalidState
            If the past is shown, or nothing yet.
        InvalidArgument
            If there is no such action, or it is about too many jobs.
        """
        self._plan = None
        if picture is None:
            raise InvalidState(
                "the cluster has not answered yet, so nothing can be done to its jobs. Try again later."
            )
        if picture.is_past:
            raise InvalidState("what is shown is past: nothing can be done to it. Go back to now first.")
        targets = picture.matching_jobs() if message["targets"] == "matching" else message["targets"]
        snapshot = picture.snapshot
        if isinstance(targets, list) and not {one["job_id"] for one in targets} <= set(_ids(snapshot)):
            # It may have been submitted a moment ago.
            with contextlib.suppress(GcsError):
                snapshot = self._cluster.status.poller.fresh()
        plan = make_plan(
            message["action"],
            targets,
            message["fields"],
            snapshot,
            user=self.user,
            operator=self.operator,
        )
        self._plan = (_asked(message), plan)
        told = plan.message()
        self._send(told | {"id": message["id"], "refused": _few(told["refused"])})

    def act(self, message: Mapping[str, Any]) -> None:
        """Do what was planned last, with one command, and answer with what became of it.

        Raises
        ------
        InvalidState
            If it is not what was planned last.
        """
        planned, self._plan = self._plan, None
        if self._stage.is_past:
            raise InvalidState("what is shown is past: nothing can be done to it. Go back to now first.")
        if planned is None or planned[0] != _asked(message):
            raise InvalidState(
                "nothing was done: what would be done has to be shown first, and is shown anew when anything of it "
                "changes. Ask for the action again."
            )
        plan = planned[1]
        if plan.error or not plan.ids:
            raise InvalidState(plan.error or "nothing was done: there is no job that it can be done to.")
        failures: list[list[str]] = []
        error = ""
        try:
            failures = [[job_id, str(why)] for job_id, why in plan.do(self._cluster.jobs).items()]
        except GcsError as reason:
            error = str(reason)
        self._send(
            {
                "kind": "acted",
                "id": message["id"],
                "action": plan.action,
                "done": 0 if error else len(plan.ids) - len(failures),
                "failures": _few(failures),
                "error": error,
            }
        )
        try:
            # The listeners of the poller are told what became of it.
            self._cluster.status.poller.fresh()
        except GcsError:
            # The strip says that the cluster does not answer.
            return


def _ids(snapshot: Snapshot) -> list[str]:
    ids: list[str] = snapshot.jobs["job_id"].to_pylist()
    return ids


def _asked(message: Mapping[str, Any]) -> object:
    """Return what a plan and the action that follows it must have in common."""
    targets = message["targets"]
    if targets != "matching":
        targets = [(target["job_id"], target["task"]) for target in targets]
    return message["action"], targets, dict(message["fields"])


def _few(pairs: list[list[str]]) -> list[list[str]]:
    left = len(pairs) - _MOST_TOLD
    return pairs if left <= 0 else [*pairs[:_MOST_TOLD], ["…", f"and {left:,} more"]]
