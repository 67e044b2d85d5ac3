"""Traits that are set from one thread while others read, observe and set them."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

from traitlets import HasTraits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from traitlets import Bunch

__all__ = ["FedTraits"]


class FedTraits(HasTraits):
    """A ``HasTraits`` whose ``hold_trait_notifications`` holds those of the calling thread alone.

    That of traitlets (5.16) replaces ``notify_change`` of the instance and sets a flag of it, for all threads: what
    another thread sets meanwhile is told late and by the wrong thread, a second thread that holds finds the flag set
    and does not hold, a default that is made meanwhile may leave the flag set for good (nothing is held or validated
    after that), and two that end at once raise AttributeError. Here each thread has its own list of what to tell.

    Observers are called in the thread that sets the trait, when all values of a hold are there; each trait that is
    other than before is told once. A value that a trait refuses raises at once; those set before it stay.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._held = threading.local()
        super().__init__(*args, **kwargs)

    @contextlib.contextmanager
    def hold_trait_notifications(self) -> Iterator[None]:
        """Tell observers of what this thread sets only when the block ends."""
        held: dict[str, Bunch] | None = getattr(self._held, "changes", None)
        if held is not None:
            yield
            return
        held = self._held.changes = {}
        try:
            yield
        finally:
            self._held.changes = None
            for change in held.values():
                self.notify_change(change)

    def notify_change(self, change: Bunch) -> None:
        """Tell the observers, or keep the change until the hold of this thread ends."""
        held: dict[str, Bunch] | None = getattr(self._held, "changes", None)
        if held is None:
            super().notify_change(change)
        elif change.name in held:
            held[change.name]["new"] = change.new
        else:
            held[change.name] = change

    def set_together(self, **values: Any) -> None:
        """Set several traits; observers are told when all of them are there."""
        with self.hold_trait_notifications():
            for name, value in values.items():
                self.set_trait(name, value)
