"""Reservations and queue states in the scheduler's database: what an operator or user set, kept over restarts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gcs_lab.backends.embedded.placement import Instance
from gcs_lab.backends.embedded.reservation import Reservation, ReservationPhase

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

__all__ = ["ReservationTable"]

_SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS reservations (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        owner TEXT NOT NULL,
        submitted REAL NOT NULL,
        start REAL NOT NULL,
        finish REAL NOT NULL,
        phase TEXT NOT NULL,
        slots TEXT NOT NULL,
        details TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS queue_states (
        queue TEXT NOT NULL,
        host TEXT NOT NULL,
        letters TEXT NOT NULL,
        PRIMARY KEY (queue, host)
    ) WITHOUT ROWID
    """,
)
_OVER = f"('{ReservationPhase.ENDED}', '{ReservationPhase.DELETED}')"
_COLUMNS = "number, owner, submitted, start, finish, phase, slots, details"


class ReservationTable:
    """Reads and writes within the caller's transactions.

    Parameters
    ----------
    connection
        The scheduler's database; the tables are made if they are not there.

    Raises
    ------
    sqlite3.Error
        Every method, if the database cannot be read or written.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        for statement in _SCHEMA:
            connection.execute(statement)

    def add(self, made: Reservation) -> Reservation:
        """Add a reservation and return it with its number."""
        cursor = self._connection.execute(
            f"INSERT INTO reservations ({_COLUMNS}) VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  (no value)
            _row(made),
        )
        assert cursor.lastrowid is not None  # noqa: S101  (an INSERT always has one)
        made.number = cursor.lastrowid
        return made

    def save_phase(self, changed: Reservation) -> None:
        """Write where a reservation is now, and when it ends."""
        self._connection.execute(
            "UPDATE reservations SET phase = ?, finish = ? WHERE number = ?",
            (changed.phase.value, changed.end, changed.number),
        )

    def live(self) -> list[Reservation]:
        """Return the reservations that are not over, oldest first."""
        query = f"SELECT {_COLUMNS} FROM reservations WHERE phase NOT IN {_OVER} ORDER BY number"  # noqa: S608
        return [_reservation(row) for row in self._connection.execute(query)]

    def find(self, reservation_id: str) -> Reservation | None:
        """Return a reservation by its id, also one that is over; None if there is none."""
        if not (reservation_id.isascii() and reservation_id.isdigit()) or len(reservation_id) >= 19:  # noqa: PLR2004
            return None
        query = f"SELECT {_COLUMNS} FROM reservations WHERE number = ?"  # noqa: S608  (no value)
        row = self._connection.execute(query, (int(reservation_id),)).fetchone()
        return None if row is None else _reservation(row)

    def forget(self, ended_before: float) -> None:
        """Forget reservations that were over before a time (seconds since the epoch)."""
        query = f"DELETE FROM reservations WHERE phase IN {_OVER} AND finish < ?"  # noqa: S608
        self._connection.execute(query, (ended_before,))

    def queue_states(self) -> dict[Instance, str]:
        """Return the letters of the queue instances that have any."""
        rows = self._connection.execute("SELECT queue, host, letters FROM queue_states")
        return {Instance(queue, host): letters for queue, host, letters in rows}

    def save_queue_states(self, states: Mapping[Instance, str]) -> None:
        """Write the letters of some queue instances."""
        for place, letters in states.items():
            self._connection.execute(
                "DELETE FROM queue_states WHERE queue = ? AND host = ?", (place.queue, place.host)
            )
            if letters:
                self._connection.execute(
                    "INSERT INTO queue_states VALUES (?, ?, ?)", (place.queue, place.host, letters)
                )


def _row(made: Reservation) -> tuple[Any, ...]:
    slots = [[place.queue, place.host, count] for place, count in made.slots.items()]
    details = {"name": made.name, "environment": made.environment, "users": made.users}
    times = made.submitted, made.start, made.end
    return made.owner, *times, made.phase.value, json.dumps(slots), json.dumps(details)


def _reservation(row: tuple[Any, ...]) -> Reservation:
    number, owner, submitted, start, end, phase, slots, details = row
    return Reservation(
        number,
        owner,
        submitted,
        start,
        end,
        {Instance(queue, host): count for queue, host, count in json.loads(slots)},
        **json.loads(details),
        phase=ReservationPhase(phase),
    )
