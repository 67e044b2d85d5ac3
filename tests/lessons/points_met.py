"""Which points of a check are met in a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernel_session import KernelSession

__all__ = ["met", "met_after"]


def met(kernel: KernelSession, check: str) -> list[bool]:
    """Return of each point of a check whether it is met."""
    return [sign == "True" for sign in kernel.value(f"[p.met for p in check.{check}().points]")[1:-1].split(", ")]


def met_after(kernel: KernelSession, code: str, check: str) -> list[bool]:
    """Run a cell, which must raise nothing; return which points are met then."""
    done = kernel.run(code)
    assert done.error() is None, done.traceback()
    return met(kernel, check)
