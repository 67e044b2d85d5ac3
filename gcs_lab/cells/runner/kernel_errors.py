"""What a notebook's kernel writes to its standard error past its own streams: passed on until it is told to end."""

from __future__ import annotations

import os
import sys
import threading

__all__ = ["KernelErrors"]

_CHUNK = 65536


class KernelErrors:
    """A pipe for the standard error of a kernel's process.

    What a C library or a dying interpreter writes there is passed on as it comes. From :meth:`end` on nothing is: a
    kernel that tears its sockets down may log that the other half of it is gone already, which is nobody's error.
    """

    def __init__(self) -> None:
        self._read, self.descriptor = os.pipe()
        self._ending = False
        # A process that the notebook left behind may keep the pipe open for ever.
        self._thread = threading.Thread(target=self._pass_on, name="gcs-kernel-stderr", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Pass on what is there, and drop what comes from now on."""
        if self._ending:
            return
        # Our copy of the kernel's end.
        os.close(self.descriptor)
        # One that died by itself has closed its own: the last words of it are waited for.
        self._thread.join(0.05)
        self._ending = True

    def _pass_on(self) -> None:
        with open(self._read, "rb", buffering=0) as pipe:  # noqa: PTH123  (a descriptor)
            while data := pipe.read(_CHUNK):
                if not self._ending:
                    sys.stderr.flush()
                    os.write(2, data)
