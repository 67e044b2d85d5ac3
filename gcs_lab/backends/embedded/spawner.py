"""The spawner: a process that stays small and forks the shepherds, so that a start costs the same however much waits.

Forking takes time by the memory of the process that is forked, and the scheduler's grows with the jobs that wait.
So the spawner is forked before anything is loaded; then it gets one order after the other through a socket, and
gives back a pidfd for each. It keeps nothing: if it dies, the scheduler forks another (as big as the scheduler is by
then: slower, and otherwise the same) and gives it the order again. Should the first have forked a shepherd for it all
the same, one of the two claims the run (``spool``). It ends when the scheduler does: the socket is closed then.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import logging
import os
import pickle
import signal
import socket
import struct
import traceback
from typing import TYPE_CHECKING, NoReturn

from gcs_lab.backends.embedded.linux_calls import name_process
from gcs_lab.backends.embedded.shepherd_fork import fork_shepherd

if TYPE_CHECKING:
    from types import FrameType

    from gcs_lab.backends.embedded.run_order import RunOrder

__all__ = ["Spawner"]

#: A spawner that says nothing for so long is ended, and another one is forked.
ANSWER_SECONDS = 10.0

_SIZE = struct.Struct("=Q")
#: Process id of the shepherd, and what went wrong (``errno``), 0 if nothing did.
_ANSWER = struct.Struct("=ii")

_log = logging.getLogger(__name__)


class Spawner:
    """The scheduler's end.

    Raises
    ------
    OSError
        If the machine has no room for another process.
    """

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._pid = 0
        self._begin()

    def start(self, order: RunOrder) -> tuple[int, int]:
        """Have a shepherd forked for `order`; return its process id and a pidfd of it, which is the caller's.

        Raises
        ------
        OSError
            If the machine has no room for another process; nothing was started then.
        """
        packed = pickle.dumps(order)
        try:
            return self._ask(packed)
        except _Gone as gone:
            _log.warning("the spawner, process %d, is gone (%s); another one begins", self._pid, gone)
        self.close()
        self._begin()
        try:
            return self._ask(packed)
        except _Gone as gone:
            raise OSError(errno.EAGAIN, f"the spawner is gone ({gone})") from None

    def close(self) -> None:
        """End the spawner; shepherds stay."""
        if self._socket is None:
            return
        self._socket.close()
        self._socket = None
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            # It has nothing to lose, and might hang.
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)

    def _begin(self) -> None:
        ours, its = socket.socketpair()
        ours.settimeout(ANSWER_SECONDS)
        try:
            self._pid = os.fork()
        except OSError:
            ours.close()
            raise
        finally:
            if self._pid:
                its.close()
        if self._pid == 0:
            _live_as_spawner(its)
        self._socket = ours

    def _ask(self, packed: bytes) -> tuple[int, int]:
        if self._socket is None:
            raise _Gone("it could not be forked again")
        try:
            self._socket.sendall(_SIZE.pack(len(packed)) + packed)
            answer, descriptors, _, _ = socket.recv_fds(self._socket, _ANSWER.size, 1, socket.MSG_CMSG_CLOEXEC)
        except OSError as error:
            raise _Gone(str(error)) from None
        if len(answer) < _ANSWER.size:
            raise _Gone("it ended")
        pid, number = _ANSWER.unpack(answer)
        if number or not descriptors:
            raise OSError(number, os.strerror(number))
        return pid, descriptors[0]


class _Gone(Exception):
    """The spawner does not answer."""


def _live_as_spawner(orders: socket.socket) -> NoReturn:
    try:
        # Standard output may still be the pipe on which whoever started the scheduler waits.
        os.dup2(2, 1)
        os.dup2(orders.fileno(), 3)
        orders.detach()
        os.closerange(4, os.sysconf("SC_OPEN_MAX"))
        name_process("gcs-spawner")
        signal.signal(signal.SIGCHLD, _reap)
        # What is there now is never collected: the shepherds then share these pages for good.
        gc.collect()
        gc.freeze()
        with socket.socket(fileno=3) as connection:
            _serve(connection)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def _serve(connection: socket.socket) -> None:
    while (head := _receive(connection, _SIZE.size)) and (packed := _receive(connection, *_SIZE.unpack(head))):
        # Nothing is reaped until the pidfd is there: the process id cannot be another's.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        try:
            # Written by the scheduler, which forked this process, into a socket that nobody else has.
            pid = fork_shepherd(pickle.loads(packed))
            descriptor = os.pidfd_open(pid)
        except OSError as error:
            connection.sendall(_ANSWER.pack(0, error.errno or errno.EAGAIN))
        else:
            try:
                socket.send_fds(connection, [_ANSWER.pack(pid, 0)], [descriptor])
            finally:
                os.close(descriptor)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


def _receive(connection: socket.socket, size: int) -> bytes:
    """Return `size` bytes, none if the scheduler is gone."""
    found = bytearray()
    while len(found) < size:
        part = connection.recv(min(size - len(found), 1 << 20))
        if not part:
            return b""
        found += part
    return bytes(found)


def _reap(_number: int, _frame: FrameType | None) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
