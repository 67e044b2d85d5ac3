"""The questions about reservations and queue states, answered by the scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.queue_states import QueueAction
from gcs_lab.backends.embedded.reservation import ReservationWish
from gcs_lab.backends.embedded.wire import describe_error
from gcs_lab.errors import GcsError, InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcs_lab.backends.embedded.scheduler import Scheduler

__all__ = ["KeeperQuestions"]


class KeeperQuestions:
    """Answers as :class:`~gcs_lab.backends.embedded.questions.Questions` does, which has these among its own.

    Parameters
    ----------
    scheduler
        Who knows.
    owner
        Name of the user whose scheduler it is.
    """

    #: Questions that change something: they are answered within a transaction.
    CHANGING = frozenset({"reserve", "end_reservations", "queue_control"})

    def __init__(self, scheduler: Scheduler, owner: str) -> None:
        self._database = scheduler.database
        self._keeper = scheduler.keeper
        self._owner = owner
        self.answers: dict[str, Callable[[dict[str, Any]], Any]] = {
            "reserve": self._reserve,
            "end_reservations": self._end,
            "reservations": lambda asked: self._keeper.reports(asked["ids"]),
            "queue_control": self._control_queues,
        }

    def _reserve(self, asked: dict[str, Any]) -> str:
        wish = ReservationWish.from_wire(asked)
        given = self._database.answer_given(wish.token)
        if given is None:
            given = self._keeper.reserve(wish, self._owner)
            self._database.keep_answer(wish.token, given)
        return str(given)

    def _end(self, asked: dict[str, Any]) -> dict[str, Any]:
        given = self._database.answer_given(asked["token"])
        if given is None:
            given = {}
            for reservation_id in asked["ids"]:
                try:
                    self._keeper.give_back(reservation_id, self._owner)
                except GcsError as error:
                    given[reservation_id] = describe_error(error)
            self._database.keep_answer(asked["token"], given)
        assert isinstance(given, dict)  # noqa: S101  (kept by this method)
        return given

    def _control_queues(self, asked: dict[str, Any]) -> dict[str, Any]:
        # Twice is as once: no token is needed.
        try:
            action = QueueAction(asked["action"])
        except ValueError:
            raise InvalidArgument(
                f"{asked['action']!r} cannot be done to a queue; expected {', '.join(QueueAction)}."
            ) from None
        failures = self._keeper.control_queues(action, asked["names"])
        return {name: describe_error(error) for name, error in failures.items()}
