"""Find the site's own cell: by the environment, else by where sites and packages put Grid Engine."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from gcs_lab.backends.gridengine.sge_cell import SgeCell, architecture, debian_binaries

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["find_site_cell", "parse_settings"]

_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?(SGE_[A-Z_]+)=([^;]*)")
_PATTERNS = (
    ("/etc/profile.d", "*.sh"),
    ("/opt", "*/*/common/settings.sh"),
    ("/usr/share/gridengine", "*/common/settings.sh"),
    ("/var/lib/gridengine", "*/common/settings.sh"),
)


def parse_settings(text: str) -> dict[str, str]:
    """Return the plain ``SGE_…`` assignments in a settings file; it is read, never run."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _ASSIGNMENT.match(line)
        if match is None or line.lstrip().startswith("#"):
            continue
        try:
            words = shlex.split(match[2])
        except ValueError:
            continue
        if len(words) == 1 and not any(c in words[0] for c in "$`"):
            found[match[1]] = words[0]
    return found


def find_site_cell(
    environment: Mapping[str, str] | None = None, places: Iterable[Path] | None = None
) -> SgeCell | None:
    """Return the site's cell, or None; whether it answers is not looked at.

    Parameters
    ----------
    environment
        Variables; None: those of this process. ``SGE_ROOT`` there goes before everything else.
    places
        Settings files to look through; None: the usual ones.
    """
    environment = os.environ if environment is None else environment
    if environment.get("SGE_ROOT"):
        root = Path(environment["SGE_ROOT"])
        name = environment.get("SGE_CELL") or "default"
        return _cell(_settings(root / name / "common" / "settings.sh") | _sge_variables(environment))
    for path in _usual_places() if places is None else places:
        settings = _settings(path)
        if "SGE_ROOT" in settings and (cell := _cell(settings | _sge_variables(environment))) is not None:
            return cell
    return None


def _usual_places() -> list[Path]:
    found: list[Path] = []
    for base, pattern in _PATTERNS:
        found += sorted(Path(base).glob(pattern)) if Path(base).is_dir() else []
    return found


def _sge_variables(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith("SGE_") and value}


def _settings(path: Path) -> dict[str, str]:
    try:
        return parse_settings(path.read_text(errors="replace")[:65536])
    except OSError:
        return {}


def _cell(variables: Mapping[str, str]) -> SgeCell | None:
    root = Path(variables["SGE_ROOT"])
    arch = variables.get("SGE_ARCH") or architecture()
    binaries = _binaries(root, arch)
    if binaries is None:
        return None
    return SgeCell(
        root=root,
        name=variables.get("SGE_CELL") or "default",
        binaries=binaries,
        arch=arch,
        qmaster_port=_port(variables.get("SGE_QMASTER_PORT")),
        execd_port=_port(variables.get("SGE_EXECD_PORT")),
    )


def _binaries(root: Path, arch: str) -> Path | None:
    """Return the folder of the programs themselves, which may be linked from the cell's root."""
    own = root / "bin" / arch
    if (own / "qstat").is_file():
        return own.resolve()
    on_path = shutil.which("qstat")
    if on_path is None:
        return debian_binaries()
    folder = Path(on_path).resolve().parent
    # Debian's /usr/bin/qstat is a shell wrapper around what debian_binaries() names.
    return folder if (folder / "qstat").is_file() else debian_binaries()


def _port(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
