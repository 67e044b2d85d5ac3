"""``gcs-lab demo …``: a private Grid Engine on this machine, and people who use it (or the embedded cluster)."""

from __future__ import annotations

import argparse
import re
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gcs_lab.backends.gridengine.demo import DemoState
    from gcs_lab.workload.player import Tally
    from gcs_lab.workload.populate import Wishes

__all__ = ["add_demo", "add_shape"]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TIME = re.compile(r"(\d+(?:\.\d+)?)([smhd])\Z", re.ASCII)
_DAYS = re.compile(r"(\d+)(?:d)?\Z", re.ASCII)
#: How long a play and the jobs of an instant crowd last, where nothing is said.
_PLAY, _CROWD = "45m", "15m"
#: Between two lines in a log, in seconds; a terminal shows one line, which changes.
_LINE_SECONDS = 30.0


def add_demo(areas: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``demo`` with its verbs to the commands of ``gcs-lab``."""
    demo = areas.add_parser("demo", help="a private Grid Engine on this machine, for the current user")
    verbs = demo.add_subparsers(required=True, metavar="start|stop|status|populate")
    for verb, do, text in (
        ("start", _start, "start it; ready for a job when the command ends"),
        ("stop", _stop, "stop it and remove all it left"),
        ("status", _status, "say what runs and how to use it from a shell"),
    ):
        command = verbs.add_parser(verb, help=text, description=text)
        default = None if do is _status else "demo"
        command.add_argument(
            "--name", default=default, help=f"several may run side by side (default: {default or 'all'})"
        )
        if do is _start:
            add_shape(command, both=False)
        command.set_defaults(do=do)
    _add_populate(verbs)


def add_shape(command: argparse.ArgumentParser, *, both: bool) -> None:
    """Add the options that say how many hosts and slots a cluster has; `both`: simulated hosts beside real ones."""
    beside = "beside the others" if both else "instead of real ones"
    command.add_argument("--nodes", type=int, metavar="N", help="so many hosts node01 … that run jobs (at most 60)")
    command.add_argument(
        "--simulated", type=int, metavar="N", help=f"so many hosts sim001 …, {beside}, on which jobs only seem to run"
    )
    command.add_argument("--slots", type=int, metavar="N", help="slots of each queue on each host")


def _add_populate(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "bring an invented class to a cluster of your own: jobs, sweeps, mistakes; and a year of records"
    command = verbs.add_parser("populate", help=text, description=text, allow_abbrev=False)
    command.add_argument(
        "cluster", nargs="?", help="demo, demo-NAME or embedded (default: the demo that runs, else embedded)"
    )
    command.add_argument("--students", type=int, metavar="N", help="so many people (20; on simulated hosts more)")
    command.add_argument(
        "--for", dest="seconds", type=_seconds, metavar="TIME", help=f"30m, 2h: then it ends by itself ({_PLAY})"
    )
    command.add_argument("--speed", type=float, default=32.0, metavar="X", help="32: their day lasts 45 minutes (32)")
    command.add_argument("--seed", type=int, default=1, metavar="S", help="another number, another class (1)")
    command.add_argument(
        "--most-waiting", type=int, metavar="N", help="what would wait beyond so many tasks is not sent"
    )
    what = command.add_mutually_exclusive_group()
    what.add_argument(
        "--once", action="store_true", help=f"a full cluster and a long queue at once; jobs last for --for ({_CROWD})"
    )
    what.add_argument("--background", action="store_true", help="play on while this command ends")
    what.add_argument("--status", action="store_true", help="say who plays, and what is left of it")
    what.add_argument("--stop", action="store_true", help="end what plays in the background, and delete its jobs")
    what.add_argument("--clear", action="store_true", help="the same, and take away the invented past")
    command.add_argument(
        "--history",
        type=_days,
        metavar="DAYS",
        help="365d: records of accounting of so many days, at once; alone it plays nothing",
    )
    command.set_defaults(do=_populate)


def _seconds(text: str) -> float:
    found = _TIME.match(text)
    if found is None or float(found[1]) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time; expected 90s, 30m, 2h or 1d.")
    return float(found[1]) * _UNITS[found[2]]


def _days(text: str) -> int:
    found = _DAYS.match(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days; expected 365d or 365.")
    return int(found[1])


def _populate(flags: argparse.Namespace) -> str:
    from gcs_lab.workload import populate

    wishes = populate.Wishes(flags.cluster, flags.students, flags.seed, flags.speed, flags.most_waiting)
    if flags.status or flags.stop or flags.clear:
        return _look_after(flags, wishes)
    said = []
    if flags.history is not None:
        said.append(populate.instant_year(wishes, flags.history))
        if not flags.once and not flags.background and flags.seconds is None:
            return said[0]
    if flags.once:
        return "\n".join([*said, populate.once(wishes, flags.seconds or _seconds(_CROWD))])
    for line in said:
        print(line, flush=True)  # noqa: T201
    return _in_background(flags, wishes) if flags.background else _play(flags, wishes)


def _look_after(flags: argparse.Namespace, wishes: Wishes) -> str:
    from gcs_lab.workload import populate
    from gcs_lab.workload.background import end_player, last_words
    from gcs_lab.workload.ledger import Ledger
    from gcs_lab.workload.own_cluster import own_cluster

    # Who plays on a cluster that was stopped meanwhile is seen, and can be ended, as well.
    name = wishes.cluster
    if name is None or Ledger(name).player() is None:
        name = own_cluster(name)
    ledger = Ledger(name)
    if flags.status:
        playing = ledger.player()
        who = f"process {playing} plays on {name}" if playing else f"nobody plays on {name}"
        print("\n".join(filter(None, [who, last_words(ledger)])), flush=True)  # noqa: T201
        return populate.what_is_left(wishes)
    if end_player(ledger):
        print(f"ended what played on {name}", flush=True)  # noqa: T201
    return populate.clear(wishes, past=flags.clear)


def _in_background(flags: argparse.Namespace, wishes: Wishes) -> str:
    from gcs_lab.workload.background import start_player
    from gcs_lab.workload.ledger import Ledger
    from gcs_lab.workload.own_cluster import own_cluster

    ledger = Ledger(own_cluster(wishes.cluster))
    seconds = flags.seconds or _seconds(_PLAY)
    options = [f"--for={seconds:g}s", f"--speed={flags.speed:g}", f"--seed={flags.seed}"]
    options += [f"--students={flags.students}"] if flags.students is not None else []
    options += [f"--most-waiting={flags.most_waiting}"] if flags.most_waiting is not None else []
    pid = start_player(ledger, options)
    command = f"gcs-lab demo populate {ledger.cluster}"
    return (
        f"an invented class uses {ledger.cluster} for {seconds / 60:g} minutes (process {pid}); jobs, accounts and "
        f"people are invented, slots are real unless the queue is sim.q\n"
        f"  how it goes:  {command} --status\n"
        f"  end it:       {command} --stop"
    )


def _play(flags: argparse.Namespace, wishes: Wishes) -> str:
    from gcs_lab.workload import populate
    from gcs_lab.workload.background import Stop

    shown = _Progress()
    with Stop() as stop:
        text = populate.play(wishes, flags.seconds or _seconds(_PLAY), said=shown.say, told=shown.tell, stopped=stop)
    shown.end()
    return text


class _Progress:
    """One line on a terminal, which changes; elsewhere a line now and then."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._next = 0.0

    def say(self, text: str) -> None:
        """Print what is said once."""
        print(text, flush=True)  # noqa: T201

    def tell(self, tally: Tally) -> None:
        """Show how it stands."""
        if self._terminal:
            print(f"\r\033[K{tally.in_words()}", end="", flush=True)  # noqa: T201
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_SECONDS
            print(tally.in_words(), flush=True)  # noqa: T201

    def end(self) -> None:
        """Take the line away: the same comes as the answer."""
        if self._terminal:
            print("\r\033[K", end="", flush=True)  # noqa: T201


def _start(flags: argparse.Namespace) -> str:
    from gcs_lab.backends.gridengine import demo

    state = demo.start(flags.name, nodes=flags.nodes, simulated=flags.simulated, slots=flags.slots)
    how = "runs already" if state.found else f"is ready after {sum(state.seconds.values()):.1f} s"
    closed = ", ".join(f"{queue} ({letters})" for queue, letters in state.closed.items())
    told = f"\n  not open:       {closed}; `qmod -e QUEUE` opens a disabled one (d)" if closed else ""
    return f"the private Grid Engine {state.name!r} {how}\n{_text(state)}{told}"


def _stop(flags: argparse.Namespace) -> str:
    from gcs_lab.backends.gridengine import demo

    return f"stopped {flags.name!r}" if demo.stop(flags.name) else f"no private Grid Engine {flags.name!r} was there"


def _status(flags: argparse.Namespace) -> str:
    from gcs_lab.backends.gridengine import demo

    states = [state for state in demo.status() if flags.name in (None, state.name)]
    if not states:
        return "no private Grid Engine is there; `gcs-lab demo start` starts one"
    return "\n".join(f"{state.name}: {state.state}\n{_text(state)}" for state in states)


def _text(state: DemoState) -> str:
    daemons = ", ".join(f"{name} {pid or 'dead'}" for name, pid in state.daemons.items())
    shape = "" if state.settings is None else f"  hosts:          {state.settings.shape.in_words()}\n"
    if state.simulated:
        shape += "                  jobs execute nothing; each ends after the seconds that its first argument says\n"
    return (
        f"{shape}"
        f"  in a notebook:  %gcs connect {state.cluster}\n"
        f"  in a shell:     . {state.settings_sh}\n"
        f"  daemons:        {daemons or 'none'}\n"
        f"  e-mails:        {state.mailbox}"
    )
