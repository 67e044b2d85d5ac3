# ruff: noqa: PTH103, PTH110, PTH118
# Importing pathlib alone would add a tenth to the start of every job.
"""Display events and their large parts."""

from __future__ import annotations

import os
import sys

from .frames import EVENT
from .private_file import write_all, write_whole
from .strict_json import to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .channel import Channel

__all__ = ["Displays"]


_LARGE_PART = 256 * 1024
_WIDGET = "application/vnd.jupyter.widget-view+json"


class Displays:
    """Makes display events of MIME bundles; large parts go to ``files/`` under their hash."""

    def __init__(self, channel: Channel, folder: str) -> None:
        self.channel = channel
        self._files = os.path.join(folder, "files")

    def send(
        self, kind: str, data: Mapping[str, object], metadata: Mapping[str, object] | None, **more: object
    ) -> None:
        """Send a ``display``, ``update_display`` or ``result`` event."""
        # A widget's model lives in this process, which no front end can reach.
        kept = {str(mime): part for mime, part in data.items() if mime != _WIDGET}
        if not kept:
            return
        if self.channel.detached:
            sys.stdout.write(f"{kept.get('text/plain', '')}\n")
            return
        parts = b",".join(to_json(mime) + b":" + self._part(mime, part) for mime, part in kept.items())
        rest = to_json({"metadata": metadata or {}, **more})
        self.channel.post(EVENT, b'{"type":' + to_json(kind) + b',"data":{' + parts + b"}," + rest[1:])

    def clear(self, *, wait: bool) -> None:
        """Send a ``clear_output`` event."""
        self.channel.event({"type": "clear_output", "wait": bool(wait)})

    def _part(self, mime: str, part: object) -> bytes:
        encoded = to_json(part)
        if len(encoded) <= _LARGE_PART:
            return encoded
        is_text = isinstance(part, str)
        content = part.encode("utf-8", "replace") if isinstance(part, str) else encoded
        try:
            name = self._store(content)
        except OSError as error:
            sys.stderr.write(f"the {mime} part of an output ({len(content)} bytes) was not kept: {error}\n")
            return to_json("")
        return to_json({"$file": name, "encoding": "text" if is_text else "json"})

    def _store(self, content: bytes) -> str:
        import hashlib

        name = hashlib.sha256(content).hexdigest()
        path = os.path.join(self._files, name)
        if not os.path.exists(path):
            os.makedirs(self._files, mode=0o700, exist_ok=True)
            write_whole(path, lambda descriptor: write_all(descriptor, content))
        return name
