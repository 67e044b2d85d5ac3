#!/usr/bin/env python3
"""Prove on a bare distribution what a newcomer, or a Binder, would find; root is needed, Docker is not.

- ``tools/clean_root.py binder FOLDER`` follows binder/ as repo2docker does: its steps are those of the Dockerfile
  that repo2docker itself writes for this checkout. Then it starts the result, and runs cells on both clusters.
- ``tools/clean_root.py minutes FOLDER`` does what README says, and tells when the first cell's result was there.

Both make a root file system in FOLDER with debootstrap, work in it as an ordinary user, print a table of the steps
with their seconds, and remove the folder. The exit status is not 0 if a step fails. All happens in namespaces of its
own (mounts, processes, host name): whatever happens, nothing stays mounted or running.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
#: Names of releases, with what debootstrap needs to know of them: its script, components, the keys that sign it.
RELEASES = {
    "noble": ("gutsy", "main,universe", "/usr/share/keyrings/ubuntu-archive-keyring.gpg"),
    "bookworm": ("bookworm", "main", "/usr/share/keyrings/debian-archive-keyring.gpg"),
}
#: What is in repo2docker's base image (buildpack-deps) and used here; the rest of it is left out.
BASE = "ca-certificates,curl,git,netbase,wget"
#: A name such as Binder's pods have: long, with digits and dashes.
HOST = "jupyter-gcs-2dlab-2dcourse-2dq7x1k0zt"
#: How this machine gets to its mirrors; what of it is set and there is given to the root as well.
REACHING_MIRRORS = (
    "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "PIP_CERT",
    "PIP_INDEX_URL", "PIP_DEFAULT_TIMEOUT", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "NPM_CONFIG_REGISTRY",
)  # fmt: skip
MACHINE_FILES = ("/etc/pip.conf", "/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt")
LAST_LINES = 40
_INSIDE = "CLEAN_ROOT_INSIDE"


@dataclass
class Steps:
    """What was done, and how long it took; all that it wrote is in `log`."""

    log: Path
    rows: list[tuple[str, str, float]] = field(default_factory=list)
    _last: list[str] = field(default_factory=list)

    @contextmanager
    def step(self, name: str, who: str = "root") -> Iterator[None]:
        """Time what the ``with`` block does; one that fails ends the program, with its last lines."""
        print(f"… {name} ({who})", flush=True)
        began = time.monotonic()
        self._last.clear()
        try:
            yield
        except (subprocess.CalledProcessError, OSError, ValueError) as error:
            print("".join(self._last[-LAST_LINES:]), end="", file=sys.stderr)
            self.rows.append((f"{name}: FAILED", who, time.monotonic() - began))
            self.print()
            sys.exit(f"clean_root.py: {name} failed: {error}. All that was written is in {self.log}.")
        self.rows.append((name, who, time.monotonic() - began))

    def output(self, line: str) -> None:
        """Keep a line."""
        self._last.append(line)
        with self.log.open("a") as log:
            log.write(line)

    def told(self) -> str:
        """Return all that the last step wrote."""
        return "".join(self._last)

    def print(self) -> None:
        """Print the table."""
        width = max(len(name) for name, _, _ in self.rows)
        print(f"\n{'step':{width}}  {'as':9}  seconds")
        for name, who, seconds in self.rows:
            print(f"{name:{width}}  {who:9}  {seconds:7.1f}")
        print(f"{'all':{width}}  {'':9}  {sum(row[2] for row in self.rows):7.1f}\n", flush=True)


def main() -> int:
    """Enter the namespaces, do the work there, and remove the root when they are gone."""
    flags = _flags()
    if os.geteuid() != 0:
        sys.exit("clean_root.py: making a root file system takes root. Nothing that is proven in it does.")
    if os.environ.get(_INSIDE):
        return _inside(flags)
    if flags.folder.exists():
        sys.exit(f"clean_root.py: {flags.folder} is there already. Name a folder that is to be made.")
    missing = [name for name in ("debootstrap", "unshare", "setpriv", "git") if shutil.which(name) is None]
    if missing:
        sys.exit(f"clean_root.py: {', '.join(missing)} missing: apt-get install debootstrap util-linux git")
    own = ["unshare", "--mount", "--uts", "--ipc", "--propagation=private"]
    environment = os.environ | {_INSIDE: "1"}
    status = subprocess.run([*own, sys.executable, *sys.argv], check=False, env=environment).returncode
    if flags.keep:
        print(f"the root is kept: {flags.folder}")
    else:
        subprocess.run(["rm", "-rf", "--one-file-system", flags.folder], check=True)
    return status


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["binder", "minutes"])
    parser.add_argument("folder", type=Path, help="where the root is made; it must not exist")
    parser.add_argument("--release", default="noble", choices=list(RELEASES), help="default: noble (Ubuntu 24.04)")
    parser.add_argument("--cache-dir", type=Path, help="keep the bare root here, so that the next run is quick")
    parser.add_argument("--wheel", action="store_true", help="binder: give it a built wheel in binder/wheels")
    parser.add_argument("--notebook", action="append", default=[], help="binder: run this too, on both (repeatable)")
    parser.add_argument("--keep", action="store_true", help="do not remove the root")
    parser.add_argument(
        "--unsigned",
        action="store_true",
        help="take the bare root's packages without checking who signed them, where this machine has no keys of that "
        "distribution (Debian 12 has none of Ubuntu). For a root that is thrown away only",
    )
    flags = parser.parse_args()
    flags.folder = flags.folder.absolute()
    return flags


def _inside(flags: argparse.Namespace) -> int:
    log = flags.folder.with_name(flags.folder.name + ".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")
    steps = Steps(log)
    with steps.step(f"bare {flags.release}"):
        _bare_root(flags, steps)
    with steps.step("mounts, host name, mirrors"):
        subprocess.run(["hostname", HOST], check=True)
        _furnish(flags.folder)
    with tempfile.TemporaryDirectory(prefix="clean-root-") as folder:
        if flags.what == "binder":
            from binder_root import prove_binder

            prove_binder(flags, steps, _checkout(Path(folder) / "src"), _machine())
        else:
            from newcomer_root import first_minutes

            first_minutes(flags, steps, _checkout(flags.folder / "srv" / "gcs_lab"), _machine())
    steps.print()
    return 0


def _bare_root(flags: argparse.Namespace, steps: Steps) -> None:
    """Make the root file system: with debootstrap, or from what an earlier run kept."""
    kept = flags.cache_dir / f"{flags.release}.tar" if flags.cache_dir else None
    flags.folder.mkdir(parents=True)
    if kept and kept.is_file():
        subprocess.run(["tar", "-xpf", kept, "-C", flags.folder], check=True)
        return
    script, components, keys = RELEASES[flags.release]
    if Path(keys).is_file():
        signed = [f"--keyring={keys}"]
    elif flags.unsigned:
        signed = ["--no-check-gpg"]
    else:
        raise ValueError(f"there is no {keys} to check the packages with; install it, or say --unsigned (see --help)")
    options = ["--variant=minbase", f"--components={components}", f"--include={BASE}", *signed]
    done = subprocess.run(
        ["debootstrap", *options, flags.release, flags.folder, "", script], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    steps.output(done.stdout)
    done.check_returncode()
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        fresh = kept.with_suffix(".new")
        subprocess.run(["tar", "-cpf", fresh, "--one-file-system", "-C", flags.folder, "."], check=True)
        fresh.replace(kept)


def _furnish(root: Path) -> None:
    """Give the root what a maker of containers would: devices, a host name, no daemons, this machine's mirrors."""
    _mount_devices(root / "dev")
    address = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout.split()
    names = f"127.0.0.1 localhost\n{address[0] if address else '127.0.1.1'} {HOST}\n"
    (root / "etc" / "hosts").write_text(names)
    (root / "etc" / "hostname").write_text(HOST + "\n")
    policy = root / "usr" / "sbin" / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    for name in MACHINE_FILES:
        if Path(name).is_file():
            shutil.copyfile(name, root / name.lstrip("/"))
    sources = root / "etc" / "apt" / "sources.list"
    first = sources.read_text().split("\n", 1)[0]
    if " noble " in first:
        more = [first.replace(" noble ", f" noble-{pocket} ") for pocket in ("updates", "security")]
        sources.write_text("\n".join([first, *more]) + "\n")
        # Ubuntu's images have this user; repo2docker renames it.
        subprocess.run(["chroot", root, "useradd", "--create-home", "--uid=1000", "ubuntu"], check=True)


def _mount_devices(dev: Path) -> None:
    """Mount a /dev with what a container has, and no disk; it goes with the mount namespace."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "dev", dev], check=True)
    for name, minor in (("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)):
        subprocess.run(["mknod", "-m", "666", dev / name, "c", "1", str(minor)], check=True)
    subprocess.run(["mknod", "-m", "666", dev / "tty", "c", "5", "0"], check=True)
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        (dev / name).symlink_to(target if name == "fd" else f"/proc/self/{target}")
    (dev / "pts").mkdir()
    (dev / "shm").mkdir()
    subprocess.run(["mount", "-t", "devpts", "-o", "newinstance,ptmxmode=666", "devpts", dev / "pts"], check=True)
    (dev / "ptmx").symlink_to("pts/ptmx")
    # As large as Kubernetes makes it.
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=1777", "shm", dev / "shm"], check=True)


def _checkout(to: Path) -> Path:
    """Copy what a commit of everything here would hold: no built file, nothing that is ignored."""
    ask = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():  # it is not if it was removed, and that is not committed yet
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name, follow_symlinks=False)
    return to


def _machine() -> dict[str, str]:
    """Return the environment variables that lead to this machine's mirrors; no files that the root lacks."""
    found = {name: value for name in REACHING_MIRRORS if (value := os.environ.get(name))}
    return {name: value for name, value in found.items() if not value.startswith("/") or value in MACHINE_FILES}


if __name__ == "__main__":
    sys.exit(main())
