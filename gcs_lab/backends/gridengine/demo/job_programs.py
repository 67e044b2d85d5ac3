"""The two programs through which a node starts a job: it knows its node's name, and has the machine's sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from gcs_lab.backends.gridengine.demo.layout import DemoFolder
    from gcs_lab.backends.gridengine.private_network import PrivateNetwork

__all__ = ["write_job_programs", "write_program"]

#: sge_conf(5), ``shepherd_cmd``: called instead of sge_shepherd, in the folder where the execution daemon has written
#: the job's environment and how it is to be started. The wrapped sockets stay behind, because a job's may lead to
#: other machines; the commands that reach the qmaster are found first. A queue's own starter method is left alone.
_SHEPHERD = """\
#!/bin/sh
if [ -f environment ] && [ -f config ]; then
    how=script
    grep -q '^handle_as_binary=1' config && how=shell
    grep -q '^no_shell=1' config && how=binary
    grep -q '^shell_start_mode=unix_behavior' config && [ $how = script ] && how=binary
    grep -q '^shell_start_mode=script_from_stdin' config && [ $how = script ] && how=standard_input
    {{
        sed -e '/^NSS_WRAPPER_/d' -e '/^SOCKET_WRAPPER_/d' -e 's|^PATH=|PATH={commands}:|' environment
        echo "NSS_WRAPPER_HOSTNAME=$NSS_WRAPPER_HOSTNAME"
        echo "GCS_LAB_STARTED_AS=$how"
    }} >environment.new && mv environment.new environment
    sed -i 's|^starter_method=none$|starter_method={starter}|I' config
fi
exec {binaries}/sge_shepherd "$@"
"""
#: queue_conf(5), ``starter_method``. It is needed because sge_shepherd takes LD_PRELOAD out of a job's environment;
#: else it does what sge_shepherd does itself: a login shell for scripts and commands, none with ``-shell n``.
_STARTER = """\
#!/bin/bash
export LD_PRELOAD={nss} NSS_WRAPPER_HOSTS={hosts} NSS_WRAPPER_MAX_HOSTENTS={entries}
how=$GCS_LAB_STARTED_AS
shell=${{SGE_STARTER_SHELL_PATH:-/bin/sh}}
name=${{shell##*/}}
[ "$SGE_STARTER_USE_LOGIN_SHELL" = true ] && name=-$name
unset GCS_LAB_STARTED_AS SGE_STARTER_SHELL_PATH SGE_STARTER_SHELL_START_MODE SGE_STARTER_USE_LOGIN_SHELL
case $how in
    shell) exec -a "$name" "$shell" -c "$*" ;;
    script) exec -a "$name" "$shell" "$@" ;;
    standard_input) exec -a "$name" "$shell" -s "${{@:2}}" <"$1" ;;
    *) exec "$@" ;;
esac
"""


def write_job_programs(folder: DemoFolder, network: PrivateNetwork, binaries: Path) -> None:
    """Write both programs. Raises OSError if that fails."""
    starter = _STARTER.format(
        nss=network.libraries[0],
        hosts=folder.hosts,
        entries=network.variables["NSS_WRAPPER_MAX_HOSTENTS"],
    )
    write_program(folder.starter, starter)
    shepherd = _SHEPHERD.format(commands=folder.commands, starter=folder.starter, binaries=binaries)
    write_program(folder.shepherd, shepherd)


def write_program(path: Path, text: str) -> None:
    """Write a program that its owner may run. Raises OSError if that fails."""
    path.write_text(text)
    path.chmod(0o700)
