"""Name and abilities of the implementation, and its log, where Univa's binding has them."""

from __future__ import annotations

import logging
import os
from typing import NoReturn

from gcs_lab import vocabulary
from gcs_lab.cluster import connect
from gcs_lab.drmaa2.drmaa2_constants import Capability
from gcs_lab.drmaa2.version import version_in
from gcs_lab.errors import InvalidArgument, UnsupportedOperation

__all__ = ["LibraryManager", "LogManager"]

_FORMAT = "%(asctime)s %(levelname)s %(filename)s:%(lineno)d:  %(message)s"


class LibraryManager:
    """Name and abilities of the implementation. There is no C library behind it, and one object of the class."""

    _instance: LibraryManager | None = None

    @classmethod
    def get_instance(cls) -> LibraryManager:
        """Return the one object."""
        if LibraryManager._instance is None:
            LibraryManager._instance = cls()
        return LibraryManager._instance

    def get_drmaa2_library(self) -> NoReturn:
        """Raise UnsupportedOperation: nothing here is a C library."""
        raise UnsupportedOperation(
            "gcs_lab.drmaa2 has no libdrmaa2 behind it; use its classes and functions instead of the library's."
        )

    @staticmethod
    def get_drms_name() -> str:
        """Return the name of the system that :func:`gcs_lab.connect` finds: ``"Grid Engine"``."""
        return version_in(connect().system)[0]

    @staticmethod
    def get_drmaa_name() -> str:
        """Return the name of this implementation."""
        return "gcs_lab DRMAA2"

    @staticmethod
    def drmaa_supports(capability: Capability | vocabulary.Capability | str | int) -> bool:
        """Tell whether the system that :func:`gcs_lab.connect` finds has an optional ability.

        Parameters
        ----------
        capability
            A :class:`Capability`, its name or its number. ``UNSET_CAPABILITY`` is none, and not there.

        Raises
        ------
        InvalidArgument
            If there is no such ability in DRMAA2.
        """
        try:
            wanted = Capability[capability] if isinstance(capability, str) else Capability(int(capability))
        except (KeyError, ValueError, TypeError):
            names = ", ".join(one.name for one in vocabulary.Capability)
            raise InvalidArgument(f"{capability!r} is no capability of DRMAA2. There is: {names}.") from None
        if wanted is Capability.UNSET_CAPABILITY:
            return False
        return connect().supports(vocabulary.Capability(int(wanted)))


class LogManager:
    """The log of the program, as Univa's binding sets it up; one object of the class.

    ``DRMAA2_LOG_LEVEL`` gives the level: ``DEBUG INFO WARNING ERROR CRITICAL``.
    """

    LOG_LEVEL_ENV_VAR = "DRMAA2_LOG_LEVEL"
    _instance: LogManager | None = None

    @classmethod
    def get_instance(cls) -> LogManager:
        """Return the one object."""
        if LogManager._instance is None:
            LogManager._instance = cls()
        return LogManager._instance

    def configure(self, level: str | None = None) -> None:
        """Set the level of the log (None: ``DRMAA2_LOG_LEVEL``), and write it to standard error.

        Raises
        ------
        InvalidArgument
            If there is no such level.
        """
        wanted = (level or os.environ.get(self.LOG_LEVEL_ENV_VAR) or "NOTSET").upper()
        levels = logging.getLevelNamesMapping()
        if wanted not in levels:
            raise InvalidArgument(f"{wanted!r} is no level of the log. There is: {', '.join(levels)}.")
        logging.basicConfig(format=_FORMAT)
        if levels[wanted]:
            logging.getLogger().setLevel(levels[wanted])

    @classmethod
    def get_logger(cls, name: str | None = None) -> logging.Logger:
        """Return the logger with a name (None: the class's)."""
        return logging.getLogger(name or cls.__name__)
