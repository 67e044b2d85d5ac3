"""``%gcs dashboard``: the cockpit of the cluster, in the cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from gcs_lab.magics.arguments import FlagParser
    from gcs_lab.magics.session import Session

__all__ = ["dashboard_command", "dashboard_flags"]


def dashboard_flags(parser: FlagParser) -> None:
    """Add the flags of ``%gcs dashboard``."""
    parser.add_argument("filter", nargs="*", metavar="FILTER", help="what to show at first: owner:alice state:r")
    parser.add_argument("--mine", action="store_true", help="only your own jobs, at first")
    parser.add_argument("--height", type=int, default=760, metavar="PIXELS", help="how high it is (default 760)")
    parser.add_argument("--on", metavar="CLUSTER", help="another cluster")


def dashboard_command(session: Session, flags: argparse.Namespace) -> None:
    """Show the cockpit. Raises GcsError if the filter cannot be read or the cluster cannot be had."""
    cluster, _ = session.cluster(flags.on)
    cluster.dashboard(height=flags.height, mine=flags.mine, filter=" ".join(flags.filter))
