"""A private Grid Engine of the user's own, from Debian's packages, with no root and no network but loopback."""

from __future__ import annotations

from gcs_lab.backends.gridengine.demo.lifecycle import DEFAULT_NAME, DemoState, start, status, stop

__all__ = ["DEFAULT_NAME", "DemoState", "start", "status", "stop"]
