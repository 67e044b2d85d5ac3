"""``%gcs`` and ``%%gcs``; floor 7."""

from __future__ import annotations

from gcs_lab.magics.gcs_magics import register, unregister

__all__ = ["register", "unregister"]
