"""Versions of the system and of this implementation (DRMAA2 ``Version``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gcs_lab._version import __version__
from gcs_lab.cluster import connect
from gcs_lab.drmaa2.attributes import TextAttribute
from gcs_lab.drmaa2.drmaa2_object import Drmaa2Object

if TYPE_CHECKING:
    from gcs_lab import vocabulary

__all__ = ["Version", "version_in"]

_VERSION = re.compile(r"\s*\b(\d+)(?:\.([\w.+-]*\w))?")


class Version(Drmaa2Object):
    """A version as major and minor part, both text; read-only.

    Parameters
    ----------
    major, minor
        Its parts.
    """

    major = TextAttribute("Major part of the version.")
    minor = TextAttribute("Minor part of the version.")

    def __init__(self, major: str | None = None, minor: str | None = None) -> None:
        super().__init__()
        self.fill(major=major, minor=minor)
        self._read_only = True

    @classmethod
    def of(cls, version: vocabulary.Version | None) -> Version | None:
        """Return the object of what a system told."""
        return None if version is None else cls(version.major, version.minor)

    @classmethod
    def get_implementation_specific_attrs(cls) -> dict[str, str]:
        """Return what this implementation adds to versions: nothing."""
        return {}

    @classmethod
    def get_drms_version(cls) -> Version:
        """Return the version of the system that :func:`gcs_lab.connect` finds."""
        return version_in(connect().system)[1]

    @classmethod
    def get_drmaa_version(cls) -> Version:
        """Return the version of this implementation: the standard's 2, and that of gcs_lab."""
        return cls("2", __version__)


def version_in(system: str) -> tuple[str, Version]:
    """Return name and version of a system: ``"Grid Engine"`` and 8.1.9 of ``"Grid Engine 8.1.9 (demo)"``."""
    match = _VERSION.search(system)
    if match is None:
        return system, Version()
    return system[: match.start()], Version(match[1], match[2])
