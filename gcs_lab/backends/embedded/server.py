"""The scheduler's loop: connections, shepherds and the clock, in one thread.

One turn: read what clients ask and which shepherds ended; change tasks in one transaction; commit; only then
answer, fork and signal. Nothing is polled: between turns it sleeps in ``epoll``.
"""

from __future__ import annotations

import logging
import selectors
import sqlite3
import time
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.connection import Connection
from gcs_lab.backends.embedded.wire import decode, describe_error
from gcs_lab.errors import GcsError, Internal, OutOfResource

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from gcs_lab.backends.embedded.accounting import AccountingFile
    from gcs_lab.backends.embedded.live_runs import LiveRuns
    from gcs_lab.backends.embedded.questions import Questions
    from gcs_lab.backends.embedded.scheduler import Scheduler

__all__ = ["Server"]

#: After something could not be written, it is tried again so much later.
RETRY_SECONDS = 1.0
#: So often what ended long ago is forgotten.
TIDY_SECONDS = 6 * 3600.0

_log = logging.getLogger(__name__)

#: A question: who asked, what, and what is wrong with the line, if it could not be read.
_Asked = tuple[Connection, dict[str, Any], GcsError | None]


class Server:
    """Serves clients until it is asked to stop or has been idle for long.

    Parameters
    ----------
    listener
        The bound socket.
    scheduler, runs, questions, accounting
        Who does the work.
    idle_seconds
        How long it stays with no job and no client.
    keep_seconds
        How long ended jobs are remembered.
    """

    def __init__(
        self,
        *,
        listener: socket.socket,
        scheduler: Scheduler,
        runs: LiveRuns,
        questions: Questions,
        accounting: AccountingFile,
        idle_seconds: float,
        keep_seconds: float,
    ) -> None:
        self._listener = listener
        self._scheduler = scheduler
        self._runs = runs
        self._questions = questions
        self._accounting = accounting
        self._idle_seconds = idle_seconds
        self._keep_seconds = keep_seconds
        self._tidy_at = time.monotonic()
        self._selector = selectors.DefaultSelector()
        self._connections: set[Connection] = set()
        self._idle_since = time.monotonic()
        # At the start nothing is watched, as after a failed turn; only then what was not started is started.
        self._look_at: float | None = 0.0
        self._first_turn = True
        self._stale = False
        # Another scheduler may have died before it wrote its last accounting records.
        self._undone: list[Callable[[], None]] = [accounting.append_due]
        self._undone_at = 0.0
        listener.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ)
        self._selector.register(runs, selectors.EVENT_READ)
        self._selector.register(scheduler.timers, selectors.EVENT_READ)

    def run(self) -> None:
        """Serve until there is reason to end."""
        self._turn([])
        while not self._questions.stop_asked and not self._idle_for_long():
            asked: list[tuple[Connection, bytes]] = []
            for key, events in self._selector.select(self._pause()):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj is self._scheduler.timers:
                    self._scheduler.timers.rang()
                elif isinstance(key.data, Connection):
                    asked += self._hear(key.data, events)
            self._turn(asked)
        for connection in list(self._connections):
            connection.flush()
            self._drop(connection)

    # --- one turn ---

    def _turn(self, asked: list[tuple[Connection, bytes]]) -> None:
        changing: list[_Asked] = []
        reading: list[_Asked] = []
        for connection, line in asked:
            message, fault = _read(line)
            changes = message.get("do") in self._questions.CHANGING
            (changing if changes else reading).append((connection, message, fault))
        answers = self._change(changing)
        # Questions that only read are answered from what is committed, whether or not the changes were.
        answers += [(connection, self._answer(message, fault)) for connection, message, fault in reading]
        for connection, answer in answers:
            connection.send(answer)
            self._mind(connection)
        self._do_effects()
        if time.monotonic() >= self._tidy_at:
            self._tidy()
        self._scheduler.timers.arm()
        if self._scheduler.jobs or self._connections:
            self._idle_since = time.monotonic()

    def _change(self, changing: list[_Asked]) -> list[tuple[Connection, dict[str, Any]]]:
        """Do in one transaction all that changes tasks; return the answers."""
        ended = self._runs.ended()
        look = self._look_at is not None and time.monotonic() >= self._look_at
        scheduler = self._scheduler
        if not (changing or ended or look or scheduler.watch.has_something_due() or scheduler.timers.is_due()):
            return []
        try:
            with scheduler.database.transaction():
                if self._stale:
                    scheduler.load()
                if look:
                    scheduler.watch.look_after_unwatched(restart=self._first_turn)
                scheduler.watch.postpone_unstarted()
                for key in ended:
                    scheduler.watch.shepherd_ended(key)
                scheduler.ring()
                answers = [(c, self._answer(message, fault)) for c, message, fault in changing]
                scheduler.dispatch()
        except Exception as error:
            return self._undo(changing, error)
        self._questions.events.extend(scheduler.changes.take())
        if look:
            self._look_at = None
        self._first_turn = self._stale = False
        return answers

    def _undo(self, changing: list[_Asked], error: Exception) -> list[tuple[Connection, dict[str, Any]]]:
        """Go back to what the database says; who asked is told, what ended is looked at again soon."""
        _log.exception("a turn could not be written")
        self._look_at = time.monotonic() + RETRY_SECONDS
        try:
            self._scheduler.load()
        except sqlite3.Error:
            _log.exception("the database cannot be read")
            self._stale = True
        told = describe_error(_as_gcs_error(error))
        return [(connection, {"error": told}) for connection, _, _ in changing]

    def _answer(self, message: dict[str, Any], fault: GcsError | None) -> dict[str, Any]:
        try:
            if fault is not None:
                raise fault
            return {"answer": self._questions.answer(message)}
        except GcsError as error:
            return {"error": describe_error(error)}
        except Exception as error:
            if message.get("do") in self._questions.CHANGING:
                # What was begun must not be committed.
                raise
            _log.exception("no answer to %r", message.get("do"))
            return {"error": describe_error(_as_gcs_error(error))}

    def _do_effects(self) -> None:
        effects, self._scheduler.effects = self._scheduler.effects, []
        if self._undone and time.monotonic() >= self._undone_at:
            effects, self._undone = [*self._undone, *effects], []
        if effects:
            effects.append(self._accounting.append_due)
        for effect in effects:
            try:
                effect()
            except (OSError, sqlite3.Error):
                _log.exception("something could not be written; it is tried again")
                if effect not in self._undone:
                    self._undone.append(effect)
                self._undone_at = time.monotonic() + RETRY_SECONDS
            except Exception:
                # One job's fault must not end the scheduler of all: the next one would meet it again.
                _log.exception("something could not be done, and is left undone; please report it")

    # --- time ---

    def _pause(self) -> float:
        """Return the seconds until something is to be done unasked."""
        due = [at for at in (self._look_at, self._scheduler.watch.due_at(), self._tidy_at) if at is not None]
        if self._undone:
            due.append(self._undone_at)
        if not self._scheduler.jobs and not self._connections:
            due.append(self._idle_since + self._idle_seconds)
        return max(0.0, min(due) - time.monotonic())

    def _tidy(self) -> None:
        """Forget what ended long ago: a scheduler that is in use is not started anew for months."""
        self._tidy_at = time.monotonic() + TIDY_SECONDS
        try:
            self._scheduler.tidy(time.time() - self._keep_seconds)
        except sqlite3.Error:
            _log.exception("what ended long ago could not be forgotten; it is tried again")

    def _idle_for_long(self) -> bool:
        if self._scheduler.jobs or self._connections or self._undone:
            return False
        return time.monotonic() - self._idle_since >= self._idle_seconds

    # --- connections ---

    def _accept(self) -> None:
        try:
            accepted, _ = self._listener.accept()
        except OSError as error:
            _log.warning("a connection was not accepted: %s", error)
            return
        connection = Connection.of_owner(accepted)
        if connection is not None:
            self._connections.add(connection)
            self._selector.register(accepted, selectors.EVENT_READ, connection)

    def _hear(self, connection: Connection, events: int) -> list[tuple[Connection, bytes]]:
        if events & selectors.EVENT_WRITE:
            connection.flush()
            self._mind(connection)
        lines = connection.receive() if events & selectors.EVENT_READ and not connection.closed else []
        if connection.closed:
            self._drop(connection)
        return [(connection, line) for line in lines]

    def _mind(self, connection: Connection) -> None:
        """Ask to be told when a connection can take more, if it has more to take."""
        if connection not in self._connections:
            return
        if connection.closed:
            self._drop(connection)
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.unsent else 0)
        self._selector.modify(connection.socket, events, connection)

    def _drop(self, connection: Connection) -> None:
        if connection in self._connections:
            self._connections.discard(connection)
            self._selector.unregister(connection.socket)
            connection.socket.close()


def _read(line: bytes) -> tuple[dict[str, Any], GcsError | None]:
    try:
        return decode(line), None
    except GcsError as error:
        return {}, error


def _as_gcs_error(error: Exception) -> GcsError:
    if isinstance(error, (sqlite3.Error, OSError)):
        return OutOfResource(
            f"the scheduler cannot write its database ({error}). Look for a full disk or quota, or a folder that "
            "is read-only; nothing was changed, and nothing is lost."
        )
    return Internal(f"the scheduler made a mistake: {error!r}. Its scheduler.log says where; please report it.")
