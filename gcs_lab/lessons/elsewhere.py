"""Checks of lesson 8: the same cell on another cluster, a shell script of one's own, a notebook with a parameter."""

from __future__ import annotations

import contextlib
import re
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.errors import GcsError
from gcs_lab.lessons.evidence import jobs_named, lesson_jobs, namespace
from gcs_lab.lessons.report import CheckReport, Point

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd

    from gcs_lab.lessons.evidence import LessonJob

__all__ = ["notebook_job", "own_script", "same_cell"]

_NOTEBOOK = "species-report.ipynb"
_DEFAULT_SPECIES = "Adelie"
#: Grams: what the report prints is rounded to whole ones.
_GRAMS = 1.0


def same_cell() -> CheckReport:
    """Check that the cell `slopes` ran unchanged on another cluster; here, if there is only one (exercise 1)."""
    ran = [job for job in jobs_named("slopes", kind="cell") if job.done]
    others = _clusters()
    sent = [job for job in ran if _names_cluster(job)]
    # The lesson's own, as it was run last.
    first = next((job for job in ran if job not in sent), None)
    if len(others) > 1:
        elsewhere = [job for job in sent if first is not None and job.cluster != first.cluster]
        where = Point(
            "it ran on another cluster than the lesson's own",
            bool(elsewhere),
            f"here are {', '.join(sorted(others))}; `%gcs connect` says which of them the lesson uses",
        )
    else:
        elsewhere = sent
        where = Point("it ran on the one cluster that is here", bool(sent), f"here is {', '.join(others) or 'none'}")
    same = [job for job in elsewhere if first is not None and _body(job) == _body(first)]
    return CheckReport(
        "The same cell elsewhere",
        (
            Point(
                "the lesson's own job `slopes` has ended well", first is not None, "run the lesson's cells up to here"
            ),
            Point(
                "a second job `slopes`, whose first line names its cluster, has ended well",
                bool(sent),
                "copy the cell; `--on` in its first line sends it elsewhere",
            ),
            where,
            Point("below its first line the cell is the same, letter by letter", bool(same), "copy it once more"),
            Point(
                "both jobs found the same",
                any(_same_table(first, job) for job in same if first is not None),
                "`%gcs logs` shows what each of them printed",
            ),
        ),
    )


def own_script() -> CheckReport:
    """Check the shell script that counts the penguins of each island, with its own ``#$`` lines (exercise 2)."""
    found = jobs_named("islands")
    script = next((job for job in found if job.kind == "script"), None)
    lines = script.source.partition("\n")[2] if script is not None else ""
    table = _penguins()
    counted = table["island"].value_counts().to_dict() if table is not None and "island" in table else {}
    printed = script.stdout if script is not None else ""
    right = [name for name, count in counted.items() if _stand_together(printed, str(name), str(count))]
    missing = len(counted) - len(right)
    return CheckReport(
        "A script as it is",
        (
            Point(
                "a script was sent as the job `islands`",
                script is not None,
                "`%%gcs run --lang bash` makes a cell a shell script" if not found else "`islands` is no script yet",
            ),
            Point("a `#$` line in it says the name", _has(lines, "N", "islands"), "as `qsub` has it: `-N NAME`"),
            Point(
                "another asks for time",
                _has(lines, "l", r"\S*\bh_rt=\S+"),
                "the complex is `h_rt`; `#$ -l` asks for it as `qsub -l` does",
            ),
            Point("the script has ended well", script is not None and script.done, _why_not(script)),
            Point(
                "it read the table of penguins, and printed each island with the number of them",
                bool(counted) and not missing and _reads_penguins(lines),
                "`penguins` has to be there: run the lesson from its beginning"
                if not counted
                else "it has to count them in `data/penguins.csv`"
                if not missing
                else f"{missing} of {len(counted)} islands are not printed, or with another number on their line",
            ),
        ),
    )


def notebook_job() -> CheckReport:
    """Check that the report ran as a job for a species of the learner's choice, and what it found (exercise 3)."""
    jobs = [job for job in lesson_jobs() if job.kind == "notebook"]
    runs = [(job, _notebook_run(job)) for job in jobs]
    reports = [(job, run) for job, run in runs if Path(str(run.get("path", ""))).name == _NOTEBOOK]
    best = next((one for one in reports if one[0].done), reports[0] if reports else None)
    job, run = best or (None, {})
    table = _penguins()
    species = str(dict(run.get("parameters") or {}).get("species"))
    known = set(table["species"]) if table is not None and "species" in table else set()
    mean = float(table.loc[table["species"] == species, "body_mass_g"].mean()) if table is not None and known else 0.0
    said = namespace().get("mean_mass")
    return CheckReport(
        "A notebook as a job",
        (
            Point(f"`{_NOTEBOOK}` was submitted", job is not None, "`%gcs submit-notebook` takes its path"),
            Point(
                "with a `species` that is not the one written in it",
                species in known and species != _DEFAULT_SPECIES,
                "`-p NAME=VALUE` gives a parameter; `penguins.species.unique()` has them",
            ),
            Point("it has ended well", job is not None and job.done, _why_not(job)),
            Point(
                "its output notebook is there, and it is not the notebook itself",
                bool(run.get("output")) and _is_another(run),
                "the link stands under the cell; `--output` says where it goes",
            ),
            Point(
                "`mean_mass` is what that report says of the body mass, in grams",
                species in known and _is_near(said, mean),
                "open the output notebook: its last line has it",
            ),
        ),
    )


def _clusters() -> Collection[str]:
    from gcs_lab.cluster import offers

    try:
        return [offer.cluster for _, offer in offers()]
    except GcsError:
        return []


def _names_cluster(job: LessonJob) -> bool:
    return re.search(r"\s--on[\s=]", job.source.partition("\n")[0]) is not None


def _body(job: LessonJob) -> str:
    """Return a cell without its first line, which is the magic's."""
    return job.source.partition("\n")[2].strip()


def _same_table(first: LessonJob, other: LessonJob) -> bool:
    """Tell whether two jobs left the same table `slopes`."""
    mine, theirs = first.values().get("slopes"), other.values().get("slopes")
    if mine is None or theirs is None:
        return False
    with contextlib.suppress(AttributeError):
        return bool(mine.equals(theirs))
    return False


def _penguins() -> pd.DataFrame | None:
    import pandas as pd

    table = namespace().get("penguins")
    return table if isinstance(table, pd.DataFrame) else None


def _has(script: str, option: str, value: str) -> bool:
    """Tell whether a ``#$`` line of a script has an option of qsub with a value (a regular expression)."""
    return re.search(rf"^#\$(?:.*\s)?-{option}\s+{value}", script, re.MULTILINE) is not None


def _reads_penguins(script: str) -> bool:
    """Tell whether the table, or the variable of that name (``--in``), is used outside of comments."""
    return any("penguins" in line.partition("#")[0] for line in script.splitlines())


def _stand_together(text: str, name: str, count: str) -> bool:
    return any(
        re.search(rf"\b{re.escape(name)}\b", line) and re.search(rf"\b{count}\b", line) for line in text.splitlines()
    )


def _notebook_run(job: LessonJob) -> dict[str, Any]:
    """Return what was submitted of a notebook: its path, output and parameters; empty if that is gone."""
    with contextlib.suppress(OSError, ValueError, GcsError):
        return dict(JobFolder(job.folder).read_spec().get("notebook_run") or {})
    return {}


def _is_another(run: dict[str, Any]) -> bool:
    output, path = Path(str(run["output"])), Path(str(run["path"]))
    return output.is_file() and not (path.exists() and output.samefile(path))


def _is_near(said: Any, mean: float) -> bool:
    # numpy's numbers, too.
    return isinstance(said, Real) and abs(float(said) - mean) <= _GRAMS


def _why_not(job: LessonJob | None) -> str:
    if job is None:
        return ""
    return job.error if job.failed else f"`%gcs wait {job.name}` waits for it"
