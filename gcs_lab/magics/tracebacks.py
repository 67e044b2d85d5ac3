"""Draw what went wrong in a job as IPython draws what goes wrong here."""

from __future__ import annotations

import linecache
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from gcs_lab.cells.remote_error import rebuild_exception
from gcs_lab.errors import CellSourceError, JobFailed, NotReady

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from gcs_lab.cells.cell_job import CellJob
    from gcs_lab.cells.job_folder import JobFolder
    from gcs_lab.cells.journal import JournalEntry

__all__ = ["CellSyntaxError", "DrawnError", "FailedJob", "TracebackArtist", "draw_exception", "exception_of"]


class CellSyntaxError(CellSourceError):
    """The cell is not Python; drawn as IPython draws a SyntaxError. Nothing was sent.

    Parameters
    ----------
    error
        What the parser said.
    lines
        The drawing.
    """

    def __init__(self, error: SyntaxError, lines: list[str]) -> None:
        super().__init__(str(error))
        self._lines = lines

    def _render_traceback_(self) -> list[str]:
        return self._lines


@dataclass(frozen=True)
class DrawnError:
    """An error ready to be shown."""

    ename: str
    evalue: str
    lines: list[str]


class TracebackArtist:
    """IPython's own drawing of tracebacks, in the user's mode and colours.

    Parameters
    ----------
    shell
        The running shell.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell

    def draw(self, error: BaseException) -> list[str]:
        """Return the lines of an exception with the traceback that it carries."""
        if isinstance(error, SyntaxError):
            drawn = self._shell.SyntaxTB.structured_traceback(type(error), error, None)
        elif error.__traceback__ is None:
            return [f"{type(error).__name__}: {error}", *getattr(error, "__notes__", [])]
        else:
            itb = self._shell.InteractiveTB
            drawn = itb.structured_traceback(type(error), error, error.__traceback__, tb_offset=0)
        return list(drawn)

    def syntax_error(self, error: SyntaxError) -> CellSyntaxError:
        """Return the error to raise for a cell that is not Python."""
        return CellSyntaxError(error, self.draw(error))

    def cell_name(self, filename: str) -> str | None:
        """Return what IPython calls the cell with this file name (``Cell In[3]``); None if it is no cell's."""
        named = self._shell.compile.format_code_name(filename)
        return None if named is None else " ".join(named)

    def known_files(self, sources: dict[str, list[str]]) -> dict[str, str]:
        """Make cells of another kernel known here; return what their files are called here."""
        known = {}
        for filename, (shown, source) in sources.items():
            number = re.search(r"\d+", shown)
            if not linecache.getlines(filename) and number:
                known[filename] = self.cell_filename(source, int(number[0]))
        return known

    def cell_filename(self, source: str, execution_count: int) -> str:
        """Make `source` known to IPython as cell ``In[execution_count]`` and return its file name."""
        name: str = self._shell.compile.cache(source, number=execution_count)
        return name


class FailedJob(Protocol):
    """A job that failed: that of a cell, or a task of a sweep."""

    folder: JobFolder
    entry: JournalEntry
    spec: dict[str, Any]
    #: The ``error`` event of its log; None if its code raised nothing.
    error: dict[str, Any] | None
    message: str

    @property
    def id(self) -> str:
        """The scheduler's id."""
        ...

    @property
    def name(self) -> str:
        """The job's name."""
        ...


def exception_of(job: FailedJob, artist: TracebackArtist) -> BaseException:
    """Return the exception that tells why `job` failed: what its code raised, or a JobFailed.

    Its traceback has the frames of the job alone, and IPython draws it without ours.
    """
    if job.error is None:
        return JobFailed(f"job {job.id} ({job.name}) failed: {job.message}")
    here = artist.cell_filename(job.spec.get("display_source") or job.spec["source"], job.entry.execution_count)
    others = artist.known_files(job.spec.get("sources") or {})
    error = rebuild_exception(job.error, job.folder, {**others, str(job.spec["filename"]): here})
    if job.message and "MemoryError" in job.message:
        error.add_note(job.message)
    missing = job.error.get("missing_module")
    if missing:
        error.add_note(
            f"The job's Python ({(job.spec.get('python') or 'see --python')}) has no module {missing!r}. Install it "
            "there, or choose another Python with --python PATH."
        )
    return error


def draw_exception(job: CellJob, artist: TracebackArtist) -> DrawnError:
    """Return the drawing of why `job` failed."""
    error = exception_of(job, artist)
    ename = job.error["ename"] if job.error else type(error).__name__
    evalue = job.error["evalue"] if job.error else str(error)
    return DrawnError(str(ename), str(evalue), _lines(job, error, artist))


def raise_drawn(job: CellJob, artist: TracebackArtist) -> None:
    """Raise why `job` failed, so that IPython shows the job's frames and none of ours.

    Raises
    ------
    Exception
        What the job's code raised, or JobFailed.
    """
    error = exception_of(job, artist)
    lines = _lines(job, error, artist)

    def render(_: Any = None) -> list[str]:
        return lines

    if isinstance(error, SyntaxError) or not _can_carry(error, render):
        # IPython draws SyntaxErrors its own way, with our frames; and some exceptions take no attributes.
        substitute = JobFailed(str(error))
        substitute._render_traceback_ = render  # type: ignore[method-assign]
        raise substitute from None
    raise error


def _lines(job: FailedJob, error: BaseException, artist: TracebackArtist) -> list[str]:
    """Return the drawing of `error`: what drew it in the job counts more (the kernel of a notebook)."""
    drawn = (job.error or {}).get("drawn")
    return [str(line) for line in drawn] if drawn else artist.draw(error)


def _can_carry(error: BaseException, render: Any) -> bool:
    try:
        error._render_traceback_ = render  # type: ignore[attr-defined]
    except (AttributeError, NotReady):
        return False
    return True
