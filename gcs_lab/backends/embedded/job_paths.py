"""The paths of a job where it runs: placeholders filled in, relative ones taken from the working directory."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.backends.embedded.staging import Copy
from gcs_lab.vocabulary import HOME_DIRECTORY, PARAMETRIC_INDEX, WORKING_DIRECTORY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcs_lab.backends.embedded.submit_request import SubmitRequest
    from gcs_lab.backends.embedded.task import Task

__all__ = ["NO_INDEX", "copies", "standard_files", "task_index"]

#: What stands for the index of a job that is no array, as in Grid Engine.
NO_INDEX = "undefined"

_PLACEHOLDER = re.compile(
    f"{re.escape(PARAMETRIC_INDEX)}|^{re.escape(HOME_DIRECTORY)}|^{re.escape(WORKING_DIRECTORY)}"
)
#: Grid Engine's own (``qsub(1)``, -o).
_PSEUDO = re.compile(rf"{_PLACEHOLDER.pattern}|\$(?:HOME|USER|JOB_ID|JOB_NAME|HOSTNAME|TASK_ID)\b")


def task_index(task: Task) -> str:
    """Return the index of the task, ``undefined`` for a job that is no array."""
    return str(task.task_id) if task.task_id else NO_INDEX


def standard_files(task: Task, asked: SubmitRequest) -> dict[str, str]:
    """Return the files of standard input, output and error by the names of Grid Engine's variables; absolute."""
    known = _placeholders(task, asked) | {
        "$HOME": asked.submitter.home,
        "$USER": task.job.owner,
        "$JOB_ID": str(task.job.job_id),
        "$JOB_NAME": asked.name,
        "$HOSTNAME": next(iter(task.slots)).host,
        "$TASK_ID": task_index(task),
    }

    def full(path: str, default: str) -> str:
        path = _PSEUDO.sub(lambda match: known[match[0]], path) or default
        path = os.path.join(asked.working_directory, path)  # noqa: PTH118  (an absolute path replaces the folder)
        return os.path.join(path, default) if os.path.isdir(path) else path  # noqa: PTH112, PTH118

    end = f"{task.job.job_id}.{task.task_id}" if task.task_id else str(task.job.job_id)
    output = full(asked.output_path, f"{asked.name}.o{end}")
    error = output if asked.join_files else full(asked.error_path, f"{asked.name}.e{end}")
    stdin = full(asked.input_path, "") if asked.input_path else os.devnull
    return {"SGE_STDIN_PATH": stdin, "SGE_STDOUT_PATH": output, "SGE_STDERR_PATH": error}


def copies(task: Task, asked: SubmitRequest, pairs: Mapping[str, str]) -> tuple[Copy, ...]:
    """Return what is to be copied for the present run of `task`: `pairs` are source to destination."""
    known = _placeholders(task, asked)

    def full(path: str) -> str:
        path = _PLACEHOLDER.sub(lambda match: known[match[0]], path)
        return os.path.join(asked.working_directory, path)  # noqa: PTH118

    run = f"{task.job.job_id}.{task.task_id}.{task.run}"
    return tuple(
        Copy(
            Path(full(source)),
            Path(full(destination)),
            f".gcs-lab-staging-{run}.{number}",
            into_folder=destination.endswith("/"),
        )
        for number, (source, destination) in enumerate(pairs.items())
    )


def _placeholders(task: Task, asked: SubmitRequest) -> dict[str, str]:
    return {
        HOME_DIRECTORY: asked.submitter.home,
        WORKING_DIRECTORY: asked.working_directory,
        PARAMETRIC_INDEX: task_index(task),
    }
