"""From a process to a shepherd: what happens between the fork and its work."""

from __future__ import annotations

import gc
import os
import signal
import traceback
from typing import TYPE_CHECKING, NoReturn

from gcs_lab.backends.embedded.job_process import signals_to_reset
from gcs_lab.backends.embedded.linux_calls import adopt_orphans, name_process
from gcs_lab.backends.embedded.log_line import log_line
from gcs_lab.backends.embedded.mail import StartMail
from gcs_lab.backends.embedded.shepherd import SIGNALS, Shepherd

if TYPE_CHECKING:
    from gcs_lab.backends.embedded.mail import Letter
    from gcs_lab.backends.embedded.run_order import RunOrder

__all__ = ["fork_shepherd"]


def fork_shepherd(order: RunOrder) -> int:
    """Fork a shepherd for `order` and return its process id.

    Raises
    ------
    OSError
        If the machine has no room for another process.
    """
    signals_to_reset()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        pid = os.fork()
        if pid == 0:
            _live_as_shepherd(order)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def _live_as_shepherd(order: RunOrder) -> NoReturn:
    status = 1
    try:
        gc.disable()
        # What the process that was forked has open must not live on in here.
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        signal.set_wakeup_fd(-1)
        os.setsid()
        # The sender of mail is forked while it does not yet come back to this process as an orphan.
        mail = None if order.letter is None else _start_mail(order.letter)
        adopt_orphans()
        name_process("gcs-shepherd")
        Shepherd(order, mail).run()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _start_mail(letter: Letter) -> StartMail | None:
    try:
        return StartMail(letter)
    except OSError as error:
        log_line(f"no mail {letter.subject!r}: {error}")
        return None
