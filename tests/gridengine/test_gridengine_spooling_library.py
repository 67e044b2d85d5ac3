"""The copy of a spooling library that was linked as Ubuntu does: in a small program of that kind, and in a real qmaster."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from gridengine.demo_lab import home, need_packages

from gcs_lab.backends.gridengine import demo
from gcs_lab.backends.gridengine.demo import spooling_library
from gcs_lab.backends.gridengine.demo.spooling_library import calls_only_itself, share_functions
from gcs_lab.backends.gridengine.sge_cell import debian_binaries
from gcs_lab.cluster import connect
from gcs_lab.errors import Internal

# Both are linked from the same base, which the program alone sets up.
_BASE = """
static const char *state;
void base_setup(const char *what) { state = what; }
const char *base_state(void) { return state ? state : "nobody set this up"; }
"""
_LIBRARY = f"""{_BASE}
static int rounds = 0;
const char *only_here(void) {{ rounds++; return "only in the library"; }}
const char *spool_read(void) {{ return base_state(); }}
const char *spool_own(void) {{ return only_here(); }}
"""
_PROGRAM = f"""
#include <dlfcn.h>
#include <stdio.h>
{_BASE}
int main(int argc, char **argv) {{
    void *library = dlopen(argv[1], RTLD_NOW);
    if (!library) {{ puts(dlerror()); return 1; }}
    base_setup("set up by the program");
    puts(((const char *(*)(void))dlsym(library, "spool_read"))());
    puts(((const char *(*)(void))dlsym(library, "spool_own"))());
    return 0;
}}
"""


def _compile(folder: Path, name: str, source: str, *options: str) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler is installed: apt-get install -y gcc libc6-dev")
    (folder / f"{name}.c").write_text(source)
    subprocess.run([compiler, "-O1", "-o", folder / name, folder / f"{name}.c", *options], check=True)
    return folder / name


def _says(program: Path, library: Path) -> list[str]:
    return subprocess.run([program, library], capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("more", [(), ("-fcf-protection=full",)])
def test_a_library_that_calls_only_itself_shares_the_programs_functions_again(
    tmp_path: Path, more: tuple[str, ...]
) -> None:
    program = _compile(tmp_path, "program", _PROGRAM, "-rdynamic", "-ldl", *more)
    shared = ("-shared", "-fPIC", *more)
    usual = _compile(tmp_path, "usual.so", _LIBRARY, *shared)
    ubuntus = _compile(tmp_path, "ubuntus.so", _LIBRARY, *shared, "-Wl,-Bsymbolic-functions")
    good = ["set up by the program", "only in the library"]
    assert not calls_only_itself(usual)
    assert _says(program, usual) == good
    assert calls_only_itself(ubuntus)
    assert _says(program, ubuntus) == ["nobody set this up", "only in the library"]
    mended = tmp_path / "mended.so"
    mended.write_bytes(share_functions(program, ubuntus))
    assert _says(program, mended) == good


def test_what_is_no_library_for_this_machine_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "libspoolc.so"
    other.write_bytes(b"\x7fELF\x01\x01" + bytes(60))
    assert not calls_only_itself(other)
    with pytest.raises(Internal, match="not both ELF files"):
        share_functions(other, other)
    assert spooling_library.spooling_library(tmp_path, tmp_path / "spool") == "libspoolc"
    assert spooling_library.spooling_library(tmp_path / "none", tmp_path / "spool") == "libspoolc"


@pytest.mark.gridengine
def test_a_qmaster_works_with_the_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    need_packages()
    binaries = debian_binaries()
    assert binaries is not None
    # Debian's is as it should be; changed in the same way, it must still work.
    assert not calls_only_itself(binaries / "libspoolc.so")
    monkeypatch.setattr(spooling_library, "calls_only_itself", lambda _: True)
    folder = Path(tempfile.mkdtemp(prefix="gd-", dir="/tmp"))
    try:
        with home(folder):
            state = demo.start("copy")
            common = state.folder / "sge" / "default" / "common"
            assert "/proc/self/cwd/libspoolc\n" in (common / "bootstrap").read_text()
            qmaster = next(pid for name, pid in state.daemons.items() if "qmaster" in str(name))
            loaded = [line.split()[-1] for line in Path(f"/proc/{qmaster}/maps").read_text().splitlines()]
            assert any(path.startswith(str(folder)) and path.endswith("/libspoolc.so") for path in loaded)
            assert str(binaries / "libspoolc.so") not in loaded
            cluster = connect("demo-copy")
            job = cluster.jobs.run("true")
            job.wait_terminated(30)
            assert job.info().exit_status == 0
            cluster.close()
    finally:
        with home(folder):
            demo.stop("copy")
        shutil.rmtree(folder)
