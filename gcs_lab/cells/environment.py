"""Which of the notebook's environment variables travel with a job."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING

from gcs_lab.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["looks_secret", "parse_assignments", "travelling_environment"]

_SECRET = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|APIKEY|API_KEY|ACCESS_KEY|PRIVATE|(^|_)(KEY|AUTH|PWD|PASS|COOKIE)($|_)",
    re.IGNORECASE,
)
#: How the tokens of well-known services and private keys begin.
_TOKEN = re.compile(
    r"(?:gh[opsru]_|github_pat_|glpat-|sk[-_]|pk_live_|xox[abprs]-|hf_|AKIA|ASIA|AIza|ya29\.|npm_|pypi-)[\w-]{12}|"
    r"eyJ[\w-]+\.eyJ|-----BEGIN "
)
_PASSWORD_IN_ADDRESS = re.compile(r"://[^/\s:@]+:[^/\s@]+@")
#: A text of this length without a blank or a path's separator, as even as chance makes it (bits a character).
_RANDOM_LENGTH, _RANDOM_BITS = 24, 3.5
#: What belongs to the notebook's own process, login or job, and would be wrong on another host. Which cluster is used
#: and where things are kept is not of it: a notebook that runs as a job may submit jobs itself.
_LOCAL = re.compile(
    r"(JPY_|JUPYTER|SSH_|XDG_|DBUS_|KERNEL_|LC_TERMINAL|TERM_|SGE_|PYDEVD_|VSCODE_|COLAB_)|"
    r"GCS_LAB_(?!(HOME|JOBS|CLUSTER)$)|"
    r"(_|PWD|OLDPWD|SHLVL|DISPLAY|WAYLAND_DISPLAY|TERM|COLUMNS|LINES|PAGER|GIT_PAGER|CLICOLOR\w*|FORCE_COLOR|MPLBACKEND|"
    r"HOSTNAME|LS_COLORS|TMPDIR|TMP|TEMP|JOB_ID|JOB_NAME|QUEUE|NSLOTS|NHOSTS|PE|PE_HOSTFILE|REQUEST|RESTARTED|"
    r"ENVIRONMENT|ARC|LD_PRELOAD|BASH_FUNC\S*|HOME|USER|LOGNAME|MAIL|SHELL)$"
)


def looks_secret(name: str, value: str) -> str:
    """Return why a variable looks like a secret, in words; empty if it does not.

    Examples
    --------
    >>> looks_secret("WANDB_API_KEY", "abc")
    'its name says that it is a secret'
    >>> looks_secret("OMP_NUM_THREADS", "4")
    ''
    """
    if value and _SECRET.search(name):
        return "its name says that it is a secret"
    if _TOKEN.match(value) or _PASSWORD_IN_ADDRESS.search(value):
        return "its value looks like a token or password"
    return "its value looks like a token" if _is_random(value) else ""


def _is_random(text: str) -> bool:
    if len(text) < _RANDOM_LENGTH or not re.fullmatch(r"[A-Za-z0-9_+=-]+", text):
        return False
    if not (re.search(r"\d", text) and re.search(r"[A-Za-z]", text)):
        return False
    bits = -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
    return bits > _RANDOM_BITS


def travelling_environment(
    environment: Mapping[str, str], named: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Return what a job gets of `environment`, and the names withheld because they look like secrets.

    Parameters
    ----------
    environment
        The notebook kernel's environment.
    named
        What the user named with ``--env``; it always travels.
    """
    travelling: dict[str, str] = {}
    withheld = []
    for name, value in environment.items():
        if name in named or _LOCAL.match(name):
            continue
        if _SECRET.search(name):
            withheld.append(name)
        else:
            travelling[name] = value
    return travelling | dict(named), sorted(withheld)


def parse_assignments(texts: Iterable[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of ``--env NAME=VALUE`` and ``--env NAME`` (its value here).

    Raises
    ------
    InvalidArgument
        If a name cannot be an environment variable, or is not set here and no value is given.
    """
    named: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            raise InvalidArgument(f"--env {text}: {name!r} is no name of a variable. Expected NAME=VALUE or NAME.")
        if "\0" in value:
            raise InvalidArgument(f"--env {name}: a value cannot have a NUL character.")
        if not equals and name not in environment:
            raise InvalidArgument(f"--env {name}: it is not set here; give it a value with --env {name}=VALUE.")
        named[name] = value if equals else environment[name]
    return named
