"""The ``gcs-lab`` command."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from gcs_lab._version import __version__
from gcs_lab.errors import GcsError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status (0 good, 1 failed, 2 wrong use)."""
    flags = _parser().parse_args(argv)
    try:
        answer = flags.do(flags)
    except GcsError as error:
        print(f"gcs-lab: {error}", file=sys.stderr)
        return 1
    if answer:
        print(answer)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gcs-lab", description="The cluster cockpit for notebooks.")
    parser.add_argument("--version", action="version", version=f"gcs-lab {__version__}")
    areas = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = areas.add_parser("demo", help="a private Grid Engine on this machine, for the current user")
    verbs = demo.add_subparsers(required=True, metavar="start|stop|status")
    for verb, do, text in (
        ("start", _demo_start, "start it; ready for a job when the command ends"),
        ("stop", _demo_stop, "stop it and remove all it left"),
        ("status", _demo_status, "say what runs and how to use it from a shell"),
    ):
        command = verbs.add_parser(verb, help=text, description=text)
        command.add_argument("--name", default="demo", help="several may run side by side (default: demo)")
        command.set_defaults(do=do)

    embedded = areas.add_parser("embedded", help="the embedded cluster: nothing to install, no daemon to set up")
    verbs = embedded.add_subparsers(required=True, metavar="start|stop|status")
    for name, action, help_text in (
        ("start", _embedded_start, "start its scheduler (it starts by itself on first use)"),
        ("stop", _embedded_stop, "stop its scheduler; running jobs go on, and are found again at the next start"),
        ("status", _embedded_status, "say what runs"),
    ):
        verbs.add_parser(name, help=help_text, description=help_text).set_defaults(do=action)

    doctor = areas.add_parser("doctor", help="what was found on this machine, and which cluster would be used")
    doctor.set_defaults(do=_doctor)
    return parser


def _demo_start(flags: argparse.Namespace) -> str:
    from gcs_lab.backends.gridengine import demo

    return str(demo.start(flags.name))


def _demo_stop(flags: argparse.Namespace) -> str:
    from gcs_lab.backends.gridengine import demo

    return str(demo.stop(flags.name))


def _demo_status(flags: argparse.Namespace) -> str:
    from gcs_lab.backends.gridengine import demo

    return str(demo.status(flags.name))


def _embedded_start(_: argparse.Namespace) -> str:
    from gcs_lab.backends.embedded import service

    return str(service.start())


def _embedded_stop(_: argparse.Namespace) -> str:
    from gcs_lab.backends.embedded import service

    return str(service.stop())


def _embedded_status(_: argparse.Namespace) -> str:
    from gcs_lab.backends.embedded import service

    return str(service.status())


def _doctor(_: argparse.Namespace) -> str:
    from gcs_lab.doctor import diagnose

    return diagnose()


if __name__ == "__main__":
    sys.exit(main())
