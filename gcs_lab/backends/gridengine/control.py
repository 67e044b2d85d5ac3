"""Hold, suspend, terminate, requeue and so on of jobs and tasks: a few commands for all, an answer for each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.commands import ask, error_of, run_command
from gcs_lab.backends.gridengine.task_ranges import merge_indices, range_words
from gcs_lab.errors import DeniedByDrms, GcsError, InvalidArgument, InvalidState
from gcs_lab.jobs.protocol import JobAction
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from gcs_lab.backends.gridengine.commands import Answer
    from gcs_lab.backends.gridengine.sge_cell import SgeCell
    from gcs_lab.backends.gridengine.state_codes import StateCodes
    from gcs_lab.vocabulary import JobStatus

__all__ = ["ALLOWED", "Orders", "allowed", "not_held_by_user", "parse_complaints", "unknown_job"]

_COMMANDS = {
    JobAction.HOLD: ["qhold"],
    JobAction.RELEASE: ["qrls"],
    JobAction.SUSPEND: ["qmod", "-sj"],
    JobAction.RESUME: ["qmod", "-usj"],
    JobAction.TERMINATE: ["qdel"],
    JobAction.CLEAR_ERROR: ["qmod", "-cj"],
    JobAction.REQUEUE: ["qmod", "-rj"],
}
#: GFD.231: in which states an action is allowed. Error and waiting jobs can be deleted, too.
ALLOWED = {
    JobAction.HOLD: {JobState.QUEUED, JobState.REQUEUED},
    JobAction.RELEASE: {JobState.QUEUED_HELD, JobState.REQUEUED_HELD},
    JobAction.SUSPEND: {JobState.RUNNING},
    JobAction.RESUME: {JobState.SUSPENDED},
    JobAction.TERMINATE: set(JobState) - {JobState.DONE},
    # Of what is in the queue.
    JobAction.CLEAR_ERROR: {JobState.FAILED},
    JobAction.REQUEUE: {JobState.RUNNING, JobState.SUSPENDED},
}
_COMPLAINT = re.compile(
    r"denied|does not exist|do not exist|invalid|not have the necessary|already|cannot|can't|can not|not allowed"
    r"|error|not found"
    r"|isn't|is not|are not|no permission",
    re.IGNORECASE,
)
_ID = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)(?![\w])")
_NOT_RESTARTABLE = re.compile(r"task (\d+)\.\d+ is .*not re(?:start|run)able")
_PUSHED = re.compile(r"rescheduling of job-array task (\d+)\.")
_TASK = re.compile(r'job "?(\d+)"? task "?(\d+)"?')
#: Said of what has ended or is ending by now; qmod names only the job of a task.
_PASSED = re.compile(r"does not exist|do not exist|invalid queue or job|already in deletion", re.IGNORECASE)
#: What hundreds of thousands of tasks are told of when all is well.
_FINE = re.compile(r"modified hold of |(?:Pushed|Forced) rescheduling of |\S+ cleared error state of ")
#: Said of a job, whichever of its tasks were asked for.
_OF_JOB = re.compile(r"no permission|necessary privileges|must be at least owner", re.IGNORECASE)
#: Jobs and ranges of tasks in one command. 8.1.9 takes 20 to 50 ms for each range of an array of 50,000 tasks whose
#: states are mixed already, and a command has to end within its timeout.
_AT_ONCE = 100
#: So many ranges of tasks are named rather than the whole array, where that would mean more.
_FEW = 20


def unknown_job(action: JobAction | str, job_id: str, *, ended: bool) -> GcsError:
    """Return why nothing can be done to a job that is not in the queue."""
    if ended:
        return InvalidState(f"job {job_id} has ended; only a job that has not ended can be changed ({action}).")
    return InvalidArgument(f"Grid Engine has no job {job_id}; it never was, or it has ended ({action}).")


def allowed(action: JobAction, job_id: str, state: JobState, sub_state: str) -> GcsError | None:
    """Return why `action` is not possible in the job's present state, or None if it is."""
    if state in ALLOWED[action]:
        return None
    return InvalidState(
        f"job {job_id} is {state.name} ({sub_state}); to {action} it, it must be {_expected(action)}."
    )


def _expected(action: JobAction) -> str:
    if action is JobAction.CLEAR_ERROR:
        return "in error state (E)"
    return " or ".join(sorted(state.name for state in ALLOWED[action]))


def _means_the_same(action: JobAction, state: JobState, letters: str) -> bool:
    """Tell whether `action` on a whole array changes nothing about a task in a state that does not allow it.

    ``qhold`` marks tasks that run, too, so that they are held if they come back into the queue; ``qmod -sj`` suspends
    also what its queue has suspended. ``qrls`` and ``qmod -usj`` leave alone what they do not fit (seen on 8.1.9).
    """
    if action is JobAction.HOLD:
        return "h" in letters
    return action is not JobAction.SUSPEND or state is not JobState.SUSPENDED or "s" in letters


def parse_complaints(said: str, job_ids: Collection[str]) -> dict[str, str]:
    """Return, by id, the lines that complain. What went well is said in lines that do not ("has deleted job 5")."""
    complaints: dict[str, str] = {}
    for line in said.splitlines():
        if _FINE.match(line) or "already in deletion" in line or not _COMPLAINT.search(line):
            continue
        task = _TASK.search(line)
        for number in [f"{task[1]}.{task[2]}"] if task else _ID.findall(line):
            if number in job_ids:
                complaints.setdefault(number, line.strip())
            elif _OF_JOB.search(line):
                of_it = (job_id for job_id in job_ids if job_id.partition(".")[0] == number)
                complaints |= {job_id: line.strip() for job_id in of_it if job_id not in complaints}
    return complaints


@dataclass
class Orders:
    """What one action is to be done to: collected first, then done.

    A whole array is one word, or at the most a few; so are indices that are a few ranges with steps. Indices picked
    at random cost 8.1.9 20 to 50 ms a range, that is minutes for every other one of 50,000 tasks.

    ``failures`` has what went wrong, by id as it was given; ``words`` what a command is told, each with the ids that
    it stands for; ``spared`` the tasks that take part in a hold of their whole array though they run, and are let go
    of again.
    """

    action: JobAction
    failures: dict[str, GcsError] = field(default_factory=dict)
    words: list[tuple[str, list[str]]] = field(default_factory=list)
    spared: list[str] = field(default_factory=list)
    _asked: set[str] = field(default_factory=set)

    def add_job(self, job_id: str, status: JobStatus) -> None:
        """Add a single job in the queue, or note why not."""
        error = allowed(self.action, job_id, status.state, status.sub_state)
        if error is not None:
            self.failures[job_id] = error
        else:
            self.words.append((job_id, [job_id]))
            self._asked.add(job_id)

    def add_array(self, array_id: str, present: StateCodes) -> None:
        """Add those tasks of an array job in the queue whose state allows the action; note it if there are none."""
        self._asked.add(array_id)
        if self.action is JobAction.TERMINATE:
            self.words.append((array_id, [array_id]))
            return
        fitting = ALLOWED[self.action]
        ranges = merge_indices(present.indices(*fitting))
        others = [kind for kind in present.kinds() if kind[0] not in fitting]
        same = all(_means_the_same(self.action, *kind) for kind in others)
        if ranges and (same or (self.action is JobAction.HOLD and len(ranges) > _FEW)):
            self.words.append((array_id, [array_id]))
            if not same:
                spared = present.indices(*(state for state in JobState if state not in fitting and not state.held))
                already = {letters for _, letters in others if "h" in letters}
                spared = [index for index in spared if (present.state_of(index) or ("", ""))[1] not in already]
                self.spared += range_words(array_id, merge_indices(spared))
        else:
            self.words += [(word, [array_id]) for word in range_words(array_id, ranges)]
        if not ranges:
            there = ", ".join(f"{number} {state.name}" for state, number in sorted(present.counts().items()))
            self.failures[array_id] = InvalidState(
                f"no task of array job {array_id} is {_expected(self.action)}, so that there is none to "
                f"{self.action}; there are: {there}."
            )

    def add_tasks(self, array_id: str, indices: Iterable[int], present: StateCodes) -> None:
        """Add tasks of an array job of which `present` are in the queue."""
        good = []
        for index in sorted(indices):
            task_id = f"{array_id}.{index}"
            found = present.state_of(index)
            if found is None:
                self.failures[task_id] = unknown_job(self.action, task_id, ended=index in present.tasks.indices)
            elif (error := allowed(self.action, task_id, *found)) is not None:
                self.failures[task_id] = error
            else:
                good.append(index)
        for some in merge_indices(good):
            ids = [f"{array_id}.{index}" for index in some]
            self.words += [(word, ids) for word in range_words(array_id, [some])]
        self._asked.update(f"{array_id}.{index}" for index in good)

    def run(self, cell: SgeCell) -> str:
        """Do it, and return all that was said.

        Raises
        ------
        GcsError
            If the cell does not answer, and nothing was done yet. If something was, what was not is in ``failures``.
        """
        said: list[str] = []
        for first in range(0, len(self.words), _AT_ONCE):
            words = [word for word, _ in self.words[first : first + _AT_ONCE]]
            try:
                answer = run_command(cell, [*_COMMANDS[self.action], *words])
            except GcsError as error:
                if not first:
                    raise
                left = (job_id for _, ids in self.words[first:] for job_id in ids)
                self.failures |= dict.fromkeys(left, error)
                break
            said.append(answer.said)
            complaints = parse_complaints(answer.said, self._asked)
            for job_id, complaint in complaints.items():
                self.failures[job_id] = self._error(job_id, complaint, answer)
            if self.action is JobAction.REQUEUE:
                self._note_not_restartable(answer)
            # "qmod -cj" exits with 1 even when all went well.
            refused = answer.exit_status and not complaints and not any(map(_FINE.match, answer.said.splitlines()))
            if refused and not _PASSED.search(answer.said):
                # It was refused as a whole: not one job or task is named.
                jobs = {word.partition(".")[0] for word in words}
                for job_id in (some for some in self._asked if some.partition(".")[0] in jobs):
                    self.failures[job_id] = self._error(job_id, answer.said, answer)
        for first in range(0, len(self.spared), _AT_ONCE):
            ask(cell, ["qrls", *self.spared[first : first + _AT_ONCE]])
        return "\n".join(said)

    def _note_not_restartable(self, answer: Answer) -> None:
        """Note the whole arrays of which no task could be requeued: qmod names their tasks alone."""
        said = {match[1]: line for line in answer.said.splitlines() if (match := _NOT_RESTARTABLE.search(line))}
        done = {match[1] for line in answer.said.splitlines() if (match := _PUSHED.search(line))}
        for array_id in (self._asked & said.keys()) - done:
            self.failures[array_id] = InvalidState(f"job {array_id}: {said[array_id]}")

    def _error(self, job_id: str, complaint: str, answer: Answer) -> GcsError:
        if any(words in complaint for words in ("already", "is not", "are not", "can not be applied")):
            return InvalidState(f"job {job_id}: {complaint}")
        if _PASSED.search(complaint):  # it was there when we looked
            return unknown_job(self.action, job_id, ended=True)
        return error_of(complaint, answer.argv, answer.exit_status)


def not_held_by_user(job_id: str, *, by_operator: bool) -> GcsError:
    """Return why releasing a job would do nothing: its user does not hold it."""
    if by_operator:
        return DeniedByDrms(
            f"job {job_id} is held by an operator or the system; ask the cluster's managers (`qconf -sm`)."
        )
    return InvalidState(
        f"job {job_id} is not held by its user: it waits for other jobs (`qstat -j {job_id}`, "
        "jid_predecessor_list) or for its start time, and goes on by itself. Delete it, or `qalter` "
        "what it waits for."
    )
