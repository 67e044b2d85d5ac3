"""Mail about jobs, sent by the program that ``[mail]`` in ``cluster.toml`` names.

Each letter is sent by a process of its own, which needs nobody: neither a slow mail program nor the end of the
scheduler is in its way. It tries once, within :data:`SEND_SECONDS`; what goes wrong stands in ``scheduler.log``.
So there is at most one letter about each start and each end; the letter about an end is lost if the scheduler is
killed between the record of that end and the start of that process, which are a few milliseconds.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
import traceback
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import TYPE_CHECKING, NoReturn

from gcs_lab.backends.embedded.layout import MailSettings  # noqa: TC001  (dataclass fields are inspected at run time)
from gcs_lab.backends.embedded.linux_calls import name_process
from gcs_lab.backends.embedded.log_line import log_line

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SEND_SECONDS", "Letter", "StartMail", "deliver", "post"]

#: A mail program that takes longer is ended.
SEND_SECONDS = 60.0
#: What the mail program finds in its environment of the scheduler's.
_KEPT_VARIABLES = ("HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "TMPDIR", "TZ", "USER")


@dataclass(frozen=True)
class Letter:
    """One letter. ``lines`` are the body: words and their values."""

    settings: MailSettings
    recipients: tuple[str, ...]
    subject: str
    lines: tuple[tuple[str, str], ...]

    def message(self) -> EmailMessage:
        """Return it with its headers (RFC 5322)."""
        message = EmailMessage()
        message["From"] = self.settings.sender
        message["To"] = ", ".join(self.recipients)
        message["Subject"] = self.subject
        message["Date"] = formatdate(time.time(), localtime=True)
        message["Message-ID"] = make_msgid("gcs-lab", domain="localhost")
        # No answer from a vacation program is wanted (RFC 3834).
        message["Auto-Submitted"] = "auto-generated"
        width = max((len(word) for word, _ in self.lines), default=0)
        message.set_content("".join(f"{f'{word:{width}} = {value}'.rstrip()}\n" for word, value in self.lines))
        return message


def deliver(letter: Letter, seconds: float = SEND_SECONDS) -> str | None:
    """Hand the letter to the mail program; return what went wrong, None if nothing did."""
    argv = list(letter.settings.command)
    try:
        ended = subprocess.run(
            argv,
            input=letter.message().as_bytes(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=seconds,
            check=False,
            env={name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ},
        )
    except subprocess.TimeoutExpired:
        return f"{argv[0]} did not end within {seconds:g} s, and was killed"
    except (OSError, ValueError) as error:
        return f"{argv[0]} could not be run: {error}"
    if ended.returncode:
        said = ended.stderr.decode(errors="replace").strip()[-1000:] or "it said nothing on standard error"
        return f"{argv[0]} ended with status {ended.returncode}: {said}"
    return None


def post(letter: Letter) -> None:
    """Have a process of its own send the letter; return at once.

    Raises
    ------
    OSError
        If the machine has no room for another process.
    """
    _detached(lambda: _send(letter))


class StartMail:
    """Sends a letter when a job has started, though whoever starts it has other children to look after.

    The sender is forked at once, before this process takes in orphans: it is none of the job's processes. It waits
    for the word on a pipe, and ends if the pipe is closed without it.

    Parameters
    ----------
    letter
        What to send. OSError is raised if there is no room for another process.
    """

    def __init__(self, letter: Letter) -> None:
        reading, self._writing = os.pipe2(os.O_CLOEXEC)
        _detached(lambda: _send_on_word(letter, reading), keep=reading)
        os.close(reading)

    def started(self) -> None:
        """Say that the job has started: the letter is sent, once."""
        os.write(self._writing, b"s")
        self.close()

    def close(self) -> None:
        """Let go of the sender; without the word it ends."""
        os.close(self._writing)


def _send(letter: Letter) -> None:
    fault = deliver(letter)
    if fault is not None:
        log_line(f"no mail {letter.subject!r} to {', '.join(letter.recipients)}: {fault}")


def _send_on_word(letter: Letter, reading: int) -> None:
    if os.read(reading, 1):
        os.close(reading)
        _send(letter)


def _detached(do: Callable[[], None], keep: int | None = None) -> None:
    """Do something in a process that is nobody's child; of the open files it keeps `keep` and the standard ones."""
    between = os.fork()
    if between:
        os.waitpid(between, 0)
        return
    try:
        if os.fork():
            os._exit(0)
        _become_sender(do, keep)
    finally:
        # There is no room for the second process.
        os._exit(1)


def _become_sender(do: Callable[[], None], keep: int | None) -> NoReturn:
    try:
        os.setsid()
        # The scheduler's lock, database and connections must not live on in here.
        most = os.sysconf("SC_OPEN_MAX")
        os.closerange(3, most if keep is None else keep)
        if keep is not None:
            os.closerange(keep + 1, most)
        signal.set_wakeup_fd(-1)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        name_process("gcs-mail")
        do()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)
