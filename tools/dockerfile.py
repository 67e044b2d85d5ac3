"""Follow a Dockerfile in a folder that holds a root file system: no Docker, no registry, no image.

Of a Dockerfile's words it knows those that repo2docker writes (ARG, CMD, COPY, ENTRYPOINT, ENV, EXPOSE, FROM, LABEL,
RUN, USER, WORKDIR; Docker's *Dockerfile reference*), and refuses others. Each RUN has process ids of its own, and
what it leaves running ends with it, as in Docker.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Build", "Instruction", "instructions"]

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_NO_EFFECT_HERE = {"CMD", "EXPOSE", "FROM", "LABEL"}


@dataclass(frozen=True)
class Instruction:
    """One instruction: its word, and all that stands behind it, as one line."""

    word: str
    rest: str


def instructions(text: str) -> list[Instruction]:
    r"""Return a Dockerfile's instructions: comments left out, lines that end in ``\`` joined with the next."""
    found = []
    lines = iter(text.splitlines())
    for first in lines:
        line = first.strip()
        if not line or line.startswith("#"):
            continue
        while line.endswith("\\"):
            following = next(lines, "").strip()
            if not following.startswith("#"):
                line = line[:-1].rstrip() + " " + following
        word, _, rest = line.partition(" ")
        found.append(Instruction(word.upper(), rest.strip()))
    return found


@dataclass
class Build:
    """The state of a build: what earlier instructions have set.

    Parameters
    ----------
    root
        Folder of the root file system; proc is mounted there for each step, so it wants a mount namespace of its own.
    context
        Folder that COPY takes from.
    arguments
        Values for ARG (``docker build --build-arg``).
    machine
        Environment variables that only reach RUN: how this machine gets to its mirrors.
    """

    root: Path
    context: Path
    arguments: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": _PATH})
    user: str = "root"
    folder: str = "/"
    entrypoint: list[str] = field(default_factory=list)

    def follow(self, instruction: Instruction, output: Callable[[str], object]) -> None:
        """Do what an instruction says.

        Raises
        ------
        ValueError
            If its word is not known here.
        subprocess.CalledProcessError
            If a RUN ends with another status than 0.
        """
        word, rest = instruction.word, instruction.rest
        if word == "RUN":
            self.run(["/bin/sh", "-c", rest], output)
        elif word == "ENV":
            for assignment in shlex.split(rest):
                name, _, value = assignment.partition("=")
                self.environment[name] = self.expanded(value)
        elif word == "ARG":
            name, _, value = rest.partition("=")
            self.environment[name] = self.arguments.get(name, self.expanded(value))
        elif word == "USER":
            self.user = self.expanded(rest)
        elif word == "WORKDIR":
            self.folder = self.expanded(rest)
            self.inside(self.folder).mkdir(parents=True, exist_ok=True)
        elif word == "COPY":
            self._copy(rest)
        elif word == "ENTRYPOINT":
            self.entrypoint = json.loads(rest)
        elif word not in _NO_EFFECT_HERE:
            raise ValueError(f"{word} is not known to {Path(__file__).name}: {rest}")

    def expanded(self, text: str) -> str:
        """Return `text` with ``$NAME`` and ``${NAME}`` replaced; a name that is not set is empty."""
        return _VARIABLE.sub(lambda match: self.environment.get(match[1] or match[2], ""), text.strip('"'))

    def inside(self, path: str) -> Path:
        """Return where the root's absolute `path` is, seen from outside."""
        return self.root / path.lstrip("/")

    def command(self, arguments: list[str], *, confined: bool = False) -> list[str]:
        """Return the command that runs `arguments` in the root, as the user and in the folder that are set.

        Parameters
        ----------
        arguments
            Program and arguments.
        confined
            Take from the user, and from all that it starts, what a container of Kubernetes has not: more rights by
            sudo or a set-user-ID program.
        """
        uid, gid = self._ids()
        who = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--init-groups"] if uid else []
        if confined:
            who += ["--no-new-privs", "--bounding-set=-all"]
        settings = [f"{name}={value}" for name, value in (dict(self.machine) | self.environment).items()]
        own_processes = ["unshare", "--pid", "--fork", "--kill-child", f"--mount-proc={self.root / 'proc'}"]
        in_folder = ["env", "-i", f"--chdir={self.folder}", *settings]
        return [*own_processes, "chroot", str(self.root), *who, *in_folder, *arguments]

    def run(self, arguments: list[str], output: Callable[[str], object], *, confined: bool = False) -> None:
        """Run a program in the root, and hand each line that it writes to `output`; arguments as in `command`."""
        command = self.command(arguments, confined=confined)
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace",
        ) as process:  # fmt: skip
            assert process.stdout is not None  # noqa: S101
            for line in process.stdout:
                output(line)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, arguments)

    def _ids(self) -> tuple[int, int]:
        for line in self.inside("/etc/passwd").read_text().splitlines():
            name, _, uid, gid, *_ = line.split(":")
            if name == self.user:
                return int(uid), int(gid)
        raise ValueError(f"the root's /etc/passwd has no user {self.user!r}")

    def _copy(self, rest: str) -> None:
        *options, source, target = shlex.split(rest)
        wanted = dict(option.lstrip("-").split("=", 1) for option in options)
        to = self.inside(self.expanded(target))
        origin = self.context / self.expanded(source).lstrip("/")
        if origin.is_dir():
            shutil.copytree(origin, to, symlinks=True, dirs_exist_ok=True)
            copied = [to / path.relative_to(origin) for path in origin.rglob("*")]
        else:
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(origin, to)
            copied = [to]
        uid, _, gid = wanted.get("chown", "0:0").partition(":")
        for path in copied:
            os.chown(path, int(uid), int(gid), follow_symlinks=False)
            if "chmod" in wanted:
                path.chmod(int(wanted["chmod"], 8))
