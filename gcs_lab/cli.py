"""The ``gcs-lab`` command."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from gcs_lab._version import __version__
from gcs_lab.accounting_cli import add_accounting
from gcs_lab.demo_cli import add_demo, add_shape
from gcs_lab.errors import GcsError, InvalidArgument, JobFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcs_lab.backends.embedded.service import ServiceStatus

__all__ = ["main"]


#: Exit status of a shell's command that SIGINT ended.
_INTERRUPTED = 130
_SUBMIT_NOTEBOOK = "submit-notebook"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status (0 good, 1 failed, 2 wrong use, 130 interrupted)."""
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:1] == [_SUBMIT_NOTEBOOK]:
        # Its flags are those of the magic: they are imported only for it.
        flags = _notebook_parser().parse_args(words[1:])
    else:
        flags = _parser().parse_args(words)
    try:
        answer = flags.do(flags)
    except GcsError as error:
        print(f"gcs-lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("gcs-lab: interrupted", file=sys.stderr)
        return _INTERRUPTED
    # A verb that has found something wrong says so by its status, too.
    status, answer = answer if isinstance(answer, tuple) else (0, answer)
    if answer:
        try:
            print(answer, flush=True)
        except BrokenPipeError:
            # `… | head` has read enough; what is left in the buffer must not be tried again at the exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return int(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gcs-lab", description="The cluster cockpit for notebooks.")
    parser.add_argument("--version", action="version", version=f"gcs-lab {__version__}")
    areas = parser.add_subparsers(required=True, metavar="COMMAND")

    add_demo(areas)

    embedded = areas.add_parser("embedded", help="the embedded cluster: nothing to install, no daemon to set up")
    verbs = embedded.add_subparsers(required=True, metavar="start|stop|status|queues|disable|…")
    for name, action, help_text in (
        ("start", _embedded_start, "start its scheduler (it starts by itself on first use)"),
        ("stop", _embedded_stop, "stop its scheduler; running jobs go on, and are found again at the next start"),
        ("status", _embedded_status, "say what runs"),
    ):
        command = verbs.add_parser(name, help=help_text, description=help_text)
        command.set_defaults(do=action)
        if action is _embedded_start:
            add_shape(command, both=True)
    _add_queue_verbs(verbs)

    add_accounting(areas)

    areas.add_parser(_SUBMIT_NOTEBOOK, add_help=False, help="run a whole notebook as a job (for cron and scripts)")

    doctor = areas.add_parser("doctor", help="what was found on this machine, and which cluster would be used")
    doctor.add_argument("--json", action="store_true", help="as JSON, for programs and for support")
    doctor.set_defaults(do=_doctor)
    return parser


def _notebook_parser() -> argparse.ArgumentParser:
    from gcs_lab.magics.notebook_command import notebook_flags

    text = "Run a whole notebook as a job; its output notebook can be read while it runs."
    parser = argparse.ArgumentParser(prog=f"gcs-lab {_SUBMIT_NOTEBOOK}", description=text, allow_abbrev=False)
    notebook_flags(parser)
    parser.set_defaults(do=_submit_notebook)
    return parser


def _submit_notebook(flags: argparse.Namespace) -> str:
    from gcs_lab.cells.dependencies import Dependencies
    from gcs_lab.cells.follower import follower
    from gcs_lab.cells.notebook_plan import output_of, plan_notebook, submit_notebook
    from gcs_lab.magics.arguments import to_options
    from gcs_lab.magics.explanation import Explanation
    from gcs_lab.magics.notebook_command import notebook_request
    from gcs_lab.magics.session import Session
    from gcs_lab.vocabulary import JobState

    session = Session()
    request = notebook_request(flags)
    request.options = to_options(flags)
    plan = plan_notebook(request)
    cluster, _ = session.cluster(flags.cluster)
    dependencies = Dependencies({}, session)
    dependencies.settle(plan, cluster)
    if flags.explain:
        return repr(Explanation(plan, cluster))
    for text in plan.warnings:
        print(f"gcs-lab: {text}", file=sys.stderr)
    job = submit_notebook(plan, cluster, session.journal)
    told = f"job {job.id} ({job.name}) on {cluster.name}: {output_of(plan)}"
    if not flags.wait:
        return told
    print(told, flush=True)
    follower().follow(job)
    try:
        job.concluded.wait()
    except KeyboardInterrupt:
        raise JobFailed(f"interrupted; job {job.id} goes on") from None
    if job.state is JobState.FAILED:
        raise JobFailed(f"job {job.id} ({job.name}) failed: {job.message}")
    return ""


def _add_queue_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    help_text = "show its queues with their states"
    verbs.add_parser("queues", help=help_text, description=help_text).set_defaults(do=_embedded_queues)
    for name, help_text in (
        ("disable", "let queues start no more jobs; what runs goes on (qmod -d)"),
        ("enable", "undo that (qmod -e)"),
        ("suspend", "stop queues and the jobs that run there (qmod -sq)"),
        ("unsuspend", "let them go on (qmod -usq)"),
        ("clear", "take the error state from queues (qmod -cq)"),
        ("error", "set the error state by hand: they start no more jobs until it is cleared"),
        ("load-alarm", "set the load alarm by hand: they start no more jobs"),
        ("end-load-alarm", "undo that"),
        ("suspend-alarm", "set the alarm of the suspend threshold by hand: their jobs are suspended"),
        ("end-suspend-alarm", "undo that"),
    ):
        command = verbs.add_parser(name, help=help_text, description=help_text)
        command.add_argument("queues", nargs="+", metavar="QUEUE", help="all.q, all.q@host, *@host; wildcards work")
        command.set_defaults(do=_embedded_queue_control, action=name)


def _embedded_start(flags: argparse.Namespace) -> str:
    from gcs_lab.backends.embedded import service

    return _embedded_text(service.start(nodes=flags.nodes, simulated=flags.simulated, slots=flags.slots))


def _embedded_stop(_: argparse.Namespace) -> str:
    from gcs_lab.backends.embedded import service

    return "stopped" if service.stop() else "the embedded cluster's scheduler was not running"


def _embedded_status(_: argparse.Namespace) -> str:
    from gcs_lab.backends.embedded import service

    return _embedded_text(service.status())


def _embedded_queues(_: argparse.Namespace) -> str:
    from gcs_lab.backends.embedded.system import EmbeddedSystem

    system = EmbeddedSystem.connect()
    try:
        table = system.queue_instances()
    finally:
        system.close()
    names = [f"{queue}@{host}" for queue, host in zip(table["queue"], table["host"], strict=True)]
    slots = [f"{used}/{total}" for used, total in zip(table["slots_used"], table["slots_total"], strict=True)]
    width = max(map(len, names))
    rows = zip(["queue", *names], ["used/total", *slots], ["state", *table["state"]], strict=True)
    return "\n".join(f"{name:{width}}  {used:>10}  {state}".rstrip() for name, used, state in rows)


def _embedded_queue_control(flags: argparse.Namespace) -> str:
    from gcs_lab.backends.embedded.system import EmbeddedSystem

    system = EmbeddedSystem.connect()
    try:
        failures = system.queue_control(flags.action, flags.queues)
    finally:
        system.close()
    if failures:
        done = [name for name in flags.queues if name not in failures]
        also = f" (done: {', '.join(done)})" if done else ""
        raise InvalidArgument(" ".join(map(str, failures.values())) + also)
    return _embedded_queues(flags)


def _embedded_text(status: ServiceStatus) -> str:
    doing = (
        f"runs (pid {status.pid}): {status.running} jobs running, {status.waiting} waiting"
        if status.pid
        else "does not run; it starts when it is first used"
    )
    return (
        f"the embedded cluster's scheduler {doing}\n"
        f"  hosts and queues:  {status.configuration}\n"
        f"  log:               {status.log}"
    )


def _doctor(flags: argparse.Namespace) -> tuple[int, str]:
    import json

    # A grammar of IRIs, which nobody asks for here: jsonschema does without, and loading it takes most of a second.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    from gcs_lab.doctor.examination import examine
    from gcs_lab.doctor.screen import Pen, drawn

    found = examine()
    told = json.dumps(found.as_json(), indent=2) if flags.json else drawn(found, Pen.of(sys.stdout))
    return (0 if found.good else 1), told


if __name__ == "__main__":
    sys.exit(main())
