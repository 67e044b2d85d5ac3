"""The shape of the embedded cluster by a few numbers: ``gcs-lab embedded start --nodes 4 --slots 8 --simulated 500``.

It is written into ``cluster.toml``, where a user may read and change it as anything there; what a user has changed is
never written over.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gcs_lab.backends.embedded.cluster_file_default import Hosts, default_text, file_text, this_host
from gcs_lab.errors import InvalidArgument, InvalidState

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MOST_NODES", "MOST_SIMULATED", "Shape", "write_shape"]

MOST_NODES = 60
MOST_SIMULATED = 5_000
MOST_SLOTS = 4_096
_SIMULATED_SLOTS = 16
_MARK = re.compile(r"# Made by `gcs-lab embedded start((?: --(?:nodes|simulated|slots) \d+)+)`")


def _check(name: str, number: int | None, most: int) -> None:
    if number is not None and not (isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= most):
        raise InvalidArgument(f"{name} is {number!r}; expected a number from 1 to {most:,}.")


@dataclass(frozen=True)
class Shape:
    """What the options said; None: nothing.

    ``nodes`` are hosts that run jobs, which all are this machine (None: one, with the machine's name);
    ``simulated`` are hosts beside them on which jobs only seem to run; ``slots`` are those of each queue on each.

    Raises
    ------
    InvalidArgument
        If a number is out of range.
    """

    nodes: int | None = None
    simulated: int | None = None
    slots: int | None = None

    def __post_init__(self) -> None:
        _check("nodes", self.nodes, MOST_NODES)
        _check("simulated", self.simulated, MOST_SIMULATED)
        _check("slots", self.slots, MOST_SLOTS)

    def __bool__(self) -> bool:
        return (self.nodes, self.simulated, self.slots) != (None, None, None)

    @property
    def options(self) -> str:
        """The options of the command that say it."""
        values = (("nodes", self.nodes), ("simulated", self.simulated), ("slots", self.slots))
        return "".join(f" --{name} {value}" for name, value in values if value is not None)

    def text(self) -> str:
        """Return the whole file for it."""
        slots = self.slots or max(4, os.cpu_count() or 1)
        name = this_host() if self.nodes is None else "node"
        hosts = [Hosts(name, self.nodes)]
        if self.simulated is not None:
            hosts.append(Hosts("sim", self.simulated, simulated=True))
        made = f"# Made by `gcs-lab embedded start{self.options}`\n"
        return made + file_text(hosts, slots, min(2, slots), self.slots or _SIMULATED_SLOTS)


def _is_ours(text: str) -> bool:
    """Tell whether a file says what this module or a first start wrote, on this machine or another."""
    made = _MARK.match(text)
    try:
        data = tomllib.loads(text)
        if made is not None:
            words = made[1].split()
            numbers = {name[2:]: int(value) for name, value in zip(words[::2], words[1::2], strict=True)}
            return data == tomllib.loads(Shape(**numbers).text())
        default = tomllib.loads(default_text())
        # The machine may have been given another name or processors since then.
        for ours, found in ((default["hosts"], data["hosts"]), (default["queues"], data["queues"])):
            ours[0] |= {key: found[0][key] for key in ("name", "slots") if key in ours[0]}
    except (tomllib.TOMLDecodeError, InvalidArgument, TypeError, KeyError, IndexError):
        return False
    return data == default


def write_shape(path: Path, shape: Shape, *, running: bool) -> bool:
    """Make the file describe `shape`; return whether it did not before.

    A file that only differs in its comments is kept beside it, as ``cluster.toml.before``.

    Raises
    ------
    InvalidState
        If the scheduler runs, which reads the file when it starts, or if the file is a user's own.
    OSError
        If it cannot be read or written.
    """
    wanted = shape.text()
    try:
        there = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        there = None
    except UnicodeDecodeError:
        there = ""
    if there == wanted:
        return False
    if running:
        raise InvalidState(
            f"the embedded cluster runs with another shape than{shape.options}, and takes a new one only when it "
            "starts. Stop it (`gcs-lab embedded stop`; jobs that run go on), then start it with these options."
        )
    if there is not None and not _is_ours(there):
        raise InvalidState(
            f"{path} was changed by hand, and is not replaced. Write the hosts and queues that you want into it, or "
            f"move it away, then `gcs-lab embedded start{shape.options}` writes a new one."
        )
    if there is not None and there != default_text() and _MARK.match(there) is None:
        path.replace(path.with_name(f"{path.name}.before"))
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(wanted, encoding="utf-8")
    temporary.rename(path)
    return True
