"""The rounds of a sweep: the array jobs that ran its tasks, remembered in its folder."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gcs_lab.cells.event_log import EventLog
from gcs_lab.cells.runner.private_file import remove_file, write_all, write_whole
from gcs_lab.cells.runner.task_place import round_map
from gcs_lab.user_paths import private_folder
from gcs_lab.vocabulary import JobTemplate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from gcs_lab.cells.job_folder import JobFolder

__all__ = [
    "Round",
    "add_round",
    "forget_round",
    "note_submitted",
    "read_rounds",
    "settle_rounds",
    "template_of_round",
]


#: No submission takes longer.
_SUBMISSION_SECONDS = 600.0


@dataclass
class Round:
    """One array job of a sweep.

    ``tasks`` are the sweep's tasks in the order of the array's indices (1, 2 …); ``token`` is what the submission
    carries, by which the job is found if its id was never written down; ``submitted`` is in seconds since the epoch.
    """

    number: int
    tasks: np.ndarray[Any, np.dtype[np.int64]]
    token: str
    job_id: str = ""
    submitted: float = 0.0

    def index_of(self, task: int) -> int:
        """Return the index in the array of a task of the sweep. Raises KeyError if it is not in this round."""
        if self.number == 1:
            return task
        places = np.flatnonzero(self.tasks == task)
        if not len(places):
            raise KeyError(task)
        return int(places[0]) + 1


def template_of_round(template: JobTemplate, ran: Round, requests: Mapping[str, str]) -> JobTemplate:
    """Return the job template of a later round: the sweep's `template`, with these ``-l`` requests instead."""
    made = JobTemplate.from_json(template.to_json())
    made.args = [*(made.args or [])[:-1], str(ran.number)]
    # Who runs tasks again wants them to run.
    made.submit_as_hold = None
    made.resource_requests = {**made.resource_requests, **requests}
    if made.hold_jid_ad:
        # The indices of this array are others; the runner looks whether its task of the earlier sweep ended well.
        made.hold_jid = [*(made.hold_jid or []), *made.hold_jid_ad]
        made.hold_jid_ad = None
    return made


def add_round(folder: JobFolder, number: int, tasks: np.ndarray[Any, np.dtype[np.int64]]) -> Round:
    """Write down a round that is about to be submitted, and for a later one which tasks it runs. Raises OSError."""
    private_folder(folder.rounds)
    made = Round(number, tasks, secrets.token_hex(16), "", time.time())
    if number > 1:
        content = tasks.astype("<u4").tobytes()
        write_whole(round_map(str(folder.path), number), lambda descriptor: write_all(descriptor, content))
    _write(folder, made)
    return made


def note_submitted(folder: JobFolder, made: Round, job_id: str) -> None:
    """Write down the id that the cluster gave a round. Raises OSError."""
    made.job_id = job_id
    _write(folder, made)


def forget_round(folder: JobFolder, made: Round) -> None:
    """Take back a round that the cluster refused."""
    remove_file(str(_record(folder, made.number)))
    remove_file(round_map(str(folder.path), made.number))


def read_rounds(folder: JobFolder, tasks: int) -> list[Round]:
    """Return the rounds of a sweep of `tasks` tasks, the first one first.

    Raises
    ------
    OSError, ValueError
        If a record is there and cannot be read.
    """
    found = []
    number = 1
    while (record := _record(folder, number)).exists():
        known = json.loads(record.read_bytes())
        if number == 1:
            members = np.arange(1, tasks + 1, dtype=np.int64)
        else:
            members = np.fromfile(round_map(str(folder.path), number), dtype="<u4").astype(np.int64)
        found.append(Round(number, members, known["token"], known["job_id"], float(known["submitted"])))
        number += 1
    return found


def settle_rounds(
    folder: JobFolder, rounds: list[Round], find: Callable[[list[str]], Mapping[str, str]]
) -> list[Round]:
    """Return the rounds that were submitted: a kernel may have been killed before it wrote down the id of one.

    Parameters
    ----------
    folder
        The sweep's folder.
    rounds
        What :func:`read_rounds` found.
    find
        Asks the cluster for the ids of jobs by the tokens of their submissions.

    Raises
    ------
    GcsError
        If it is asked and does not answer.
    """
    known = {ran.job_id for ran in rounds if ran.job_id}
    for ran in rounds:
        if ran.job_id:
            continue
        if job_id := find([ran.token]).get(ran.token) or _id_in_logs(folder, ran, known):
            note_submitted(folder, ran, job_id)
        elif time.time() - ran.submitted > _SUBMISSION_SECONDS:
            # Until then another kernel may be about to submit it.
            forget_round(folder, ran)
    return [ran for ran in rounds if ran.job_id]


def _id_in_logs(folder: JobFolder, ran: Round, known: set[str]) -> str:
    """Return the id that a task of a round wrote down when it started: the cluster may have forgotten the job."""
    for task in ran.tasks.tolist():
        for event in EventLog(folder.of_task(task).events).read():
            if event.type == "started" and str(event.body.get("job_id")) not in {*known, "None"}:
                return str(event.body["job_id"])
    return ""


def _write(folder: JobFolder, made: Round) -> None:
    record = {"token": made.token, "job_id": made.job_id, "tasks": len(made.tasks), "submitted": made.submitted}
    content = json.dumps(record).encode()
    write_whole(str(_record(folder, made.number)), lambda descriptor: write_all(descriptor, content))


def _record(folder: JobFolder, number: int) -> Path:
    return folder.rounds / f"{number}.json"
