"""What a job prints, draws and computes, shown in the cell that submitted it while the job runs."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

from gcs_lab.magics.tracebacks import draw_exception
from gcs_lab.vocabulary import JobState

if TYPE_CHECKING:
    from gcs_lab.cells.cell_job import CellJob
    from gcs_lab.cells.event_log import Event
    from gcs_lab.magics.cell_channel import CellChannel
    from gcs_lab.magics.tracebacks import TracebackArtist
    from gcs_lab.vocabulary import JobStatus
    from gcs_lab.widgets import JobCard, SweepCard

__all__ = ["LiveOutput", "retire"]

#: A notebook keeps every output it is sent. What goes beyond these limits stays in the job's log.
LINE_LIMIT = 2_000
CHARACTER_LIMIT = 200_000
DISPLAY_LIMIT = 200
DISPLAY_BYTES_LIMIT = 64_000_000
#: Cards of ended jobs that the kernel keeps alive (15 kB each).
CARDS_KEPT = 50
_NOTE_SECONDS = 0.5
_TAIL_CHARACTERS = 1_500
_TAIL_LINES = 8
_ended: deque[JobCard | SweepCard] = deque()


class LiveOutput:
    """A listener that sends a job's events to a cell.

    Parameters
    ----------
    job
        The job; it is listened to from now on.
    channel
        The cell.
    card
        The job's card, shown first and, after the output was cleared, again.
    artist
        Draws tracebacks.
    raises
        Whether someone waits who will raise the error; then it is not drawn here.
    """

    def __init__(
        self, job: CellJob, channel: CellChannel, card: JobCard, artist: TracebackArtist, *, raises: bool
    ) -> None:
        self._job, self._channel, self._card, self._artist = job, channel, card, artist
        self.raises = raises
        self._card_id = f"gcs-card-{job.folder.path.name}-{id(self):x}"
        self._prefix = f"{job.folder.path.name}-"
        self._is_final = False
        self._reset()
        self._channel.display(*card.bundle(), self._card_id)
        job.listen(self)

    def _reset(self) -> None:
        self._lines = self._characters = self._displays = self._display_bytes = 0
        self._held_lines = self._held_characters = self._held_displays = 0
        self._tail = ""
        self._note_id = ""
        self._note_at = 0.0

    # -- events --------------------------------------------------------------------------------------------------

    def on_event(self, job: CellJob, event: Event) -> None:
        """Show one event."""
        body = event.body
        match event.type:
            case "stream":
                self._stream(str(body["name"]), str(body["text"]))
            case "display" | "result" | "update_display":
                self._display(event.type, job.log.resolve(body))
            case "clear_output":
                self._reset()
                self._channel.clear(wait=bool(body.get("wait")))
                self._channel.display(*self._card.bundle(), self._card_id)

    def on_status(self, job: CellJob, status: JobStatus) -> None:
        """Nothing to show: the card follows the state by itself."""

    def on_silence(self, job: CellJob, since: float) -> None:
        """Nothing to show: the card tells."""

    def on_concluded(self, job: CellJob) -> None:
        """Show how it ended."""
        if self._held_lines or self._held_displays:
            self._note(final=True)
        if job.state is JobState.FAILED and not self.raises:
            error = draw_exception(job, self._artist)
            self._channel.error(error.ename, error.evalue, error.lines)
        if job.state is JobState.DONE:
            for text in remarks(job):
                self._channel.stream("stderr", text + "\n")
        self._channel.update_display(*self._card.final_bundle(), self._card_id)
        self._is_final = True
        retire(self._card)

    def redraw_end(self) -> None:
        """Draw the card's last words anew, if they are drawn: accounting told more of what the job used."""
        if self._is_final:
            self._channel.update_display(*self._card.final_bundle(), self._card_id)

    # -- text ----------------------------------------------------------------------------------------------------

    def _stream(self, name: str, text: str) -> None:
        text = last_states(text)
        room = CHARACTER_LIMIT - self._characters
        lines = text.count("\n")
        if self._held_characters == 0 and lines <= LINE_LIMIT - self._lines and len(text) <= room:
            self._lines += lines
            # A line that is written anew takes no more room than it took before.
            self._characters += len(text.partition("\n")[2]) if text.startswith("\r") else len(text)
            self._channel.stream(name, text)
            return
        shown = ""
        if self._held_characters == 0:
            kept = text[:room].splitlines(keepends=True)[: LINE_LIMIT - self._lines]
            shown = "".join(kept)
            self._lines, self._characters = LINE_LIMIT, CHARACTER_LIMIT
            if shown:
                self._channel.stream(name, shown if shown.endswith("\n") else shown + "\n")
        rest = text[len(shown) :]
        self._held_lines += rest.count("\n")
        self._held_characters += len(rest)
        self._tail = (self._tail + rest)[-_TAIL_CHARACTERS:]
        if time.monotonic() - self._note_at >= _NOTE_SECONDS:
            self._note()

    def _note(self, *, final: bool = False) -> None:
        """Say, in one place that is updated, how much is not shown, and show the latest of it."""
        self._note_at = time.monotonic()
        parts = []
        if self._held_characters:
            size = f"{self._held_lines:,} more lines ({self._held_characters / 1e6:.1f} MB)"
            parts.append(f"… {size} are in the log: %gcs logs {self._job.id}")
        if self._held_displays:
            parts.append(f"… {self._held_displays:,} more displays are in the log's folder: {self._job.folder.path}")
        text = "\n".join(parts)
        if self._tail:
            text += f"\n{'the last' if final else 'the latest'}:\n" + "\n".join(
                self._tail.splitlines()[-_TAIL_LINES:]
            )
        if self._note_id:
            self._channel.update_display({"text/plain": text}, {}, self._note_id)
        else:
            self._note_id = f"{self._card_id}-more"
            self._channel.display({"text/plain": text}, {}, self._note_id)

    # -- displays ------------------------------------------------------------------------------------------------

    def _display(self, kind: str, body: dict[str, Any]) -> None:
        data, metadata = body.get("data") or {}, body.get("metadata") or {}
        display_id = f"{self._prefix}{body['display_id']}" if body.get("display_id") else None
        if kind == "update_display" and display_id:
            self._channel.update_display(data, metadata, display_id)
            return
        self._displays += 1
        self._display_bytes += sum(len(part) for part in data.values() if isinstance(part, str))
        if self._displays > DISPLAY_LIMIT or self._display_bytes > DISPLAY_BYTES_LIMIT:
            self._held_displays += 1
            if time.monotonic() - self._note_at >= _NOTE_SECONDS:
                self._note()
        elif kind == "result":
            self._channel.result(data, metadata, self._job.entry.execution_count)
        else:
            self._channel.display(data, metadata, display_id)


def last_states(text: str) -> str:
    r"""Return `text` with of each line that is written anew with ``\r`` only the last state.

    A progress bar does that many times a second, and a notebook would keep them all.
    """
    return "\n".join(map(_last_state, text.split("\n"))) if "\r" in text else text


def _last_state(line: str) -> str:
    # What stands before a final \r (of \r\n, or of a line that will be written anew later) is still to be seen.
    seen = line.rstrip("\r")
    if "\r" in seen:
        seen = "\r" + seen.rpartition("\r")[2]
    return seen + "\r" if line.endswith("\r") else seen


def retire(card: JobCard | SweepCard) -> None:
    """Close the cards of jobs that ended long ago.

    The latest stay: a page that was loaded again shows the live card, not the line that took its place.
    """
    _ended.append(card)
    if len(_ended) > CARDS_KEPT:
        _ended.popleft().close()


def remarks(job: CellJob) -> list[str]:
    """Return what a user should hear about outputs that did not come back as expected."""
    told = [f"gcs: {name} could not come back from job {job.id}: {why}" for name, why in job.skipped.items()]
    if job.overtaken:
        names = ", ".join(job.overtaken)
        told.append(
            f"gcs: {names} got another value here while job {job.id} ran, and kept it; "
            f"`%gcs attach {job.id} --overwrite` takes the job's."
        )
    return told
