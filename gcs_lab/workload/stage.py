"""Where invented work is played: the slots of a cluster, and how an arrival becomes a job there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gcs_lab.vocabulary import JobTemplate
from gcs_lab.workload.ledger import ACCOUNT
from gcs_lab.workload.model import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcs_lab.cluster import Cluster
    from gcs_lab.workload.model import Arrival

__all__ = ["Stage", "stages_of"]

#: The queue of simulated hosts, and on Grid Engine the one there for jobs of up to ten minutes.
_SIMULATED, _SIMULATED_SHORT = "sim.q", "simshort.q"
#: Queues for jobs of up to ten minutes, beside the others on the same hosts.
_SHORT_QUEUES = {"short.q", _SIMULATED_SHORT}
_TEN_MINUTES = 600
#: Real memory: the limit of a job that runs out of it, and what it tries to fill, in bytes. Never more than that.
_LITTLE, _TOO_MUCH = "64M", 100_000_000
#: More than any host has.
_IMPOSSIBLE_MEMORY = "8T"
#: A little computing, so that there is a CPU time to see: some 0.1 s.
_COMPUTE = "i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done; "


@dataclass(frozen=True)
class Stage:
    """Hosts of one kind.

    ``slots`` are those of its queues for jobs of any length, ``all_slots`` those of its short queues, too;
    ``slots_of_host`` are those of its largest host in one queue; ``hosts`` are names. ``simulated``: jobs execute
    nothing there.
    """

    queues: tuple[str, ...]
    hosts: tuple[str, ...]
    slots: int
    all_slots: int
    slots_of_host: int
    simulated: bool
    environments: tuple[str, ...]
    projects: tuple[str, ...]

    def template(self, arrival: Arrival, speed: float, after: str | None) -> JobTemplate:
        """Return an arrival as a job: an array's tasks are alike.

        Parameters
        ----------
        arrival
            What is sent.
        speed
            By what its times are divided.
        after
            Id of the job that it waits for.
        """
        template = JobTemplate(
            job_name=f"{arrival.person.name}_{arrival.name}",
            accounting_id=f"{ACCOUNT}{arrival.person.name}",
            output_path="/dev/null",
            join_files=True,
        )
        seconds = max(0.5, min(arrival.seconds, arrival.asked or arrival.seconds) / speed)
        if arrival.asked:
            template.resource_requests["h_rt"] = str(max(10, round(arrival.asked / speed)))
        if arrival.memory_asked:
            template.resource_requests["h_vmem"] = f"{arrival.memory_asked / 2**20:.0f}M"
        if self.simulated:
            self._simulate(template, arrival, seconds)
        else:
            self._execute(template, arrival, seconds, speed)
        self._ask_for_slots(template, arrival)
        if arrival.person.project in self.projects:
            template.native_specification = f"-P {arrival.person.project}"
        if arrival.kind is Kind.HELD:
            template.submit_as_hold = True
        if after is not None:
            template.hold_jid = [after]
        return template

    def _simulate(self, template: JobTemplate, arrival: Arrival, seconds: float) -> None:
        short = _SIMULATED_SHORT in self.queues and 0 < arrival.asked <= _TEN_MINUTES
        template.queue_name = _SIMULATED_SHORT if short else _SIMULATED
        template.remote_command, template.args = "/bin/sleep", [str(max(1, round(seconds)))]

    def _execute(self, template: JobTemplate, arrival: Arrival, seconds: float, speed: float) -> None:
        script = f"{_COMPUTE}sleep {seconds:.1f}"
        if arrival.kind is Kind.MISSING_FILE:
            script = f"sleep {min(5.0, seconds):.1f}; cat /data/class/{arrival.name}.csv"
        elif arrival.kind is Kind.WRONG_PATH:
            script = f"/opt/{arrival.name}/bin/{arrival.name} --all"
        elif arrival.kind is Kind.OUT_OF_MEMORY:
            template.resource_requests["h_vmem"] = _LITTLE
            script = f"sleep {min(5.0, seconds):.1f}; head -c {_TOO_MUCH} /dev/zero | tail -c {_TOO_MUCH} >/dev/null"
        elif arrival.kind is Kind.TIME_LIMIT:
            limit = max(2, round(arrival.asked / speed))
            template.resource_requests["h_rt"] = str(limit)
            script = f"sleep {limit + 30}"
        template.remote_command, template.args = "/bin/sh", ["-c", script]

    def _ask_for_slots(self, template: JobTemplate, arrival: Arrival) -> None:
        slots = min(arrival.slots, self.slots_of_host)
        if arrival.kind is Kind.IMPOSSIBLE:
            # Half of them ask for memory that no host has, the others for too many slots on one host.
            if arrival.number % 2 and not self.simulated:
                template.resource_requests["mem_total"] = _IMPOSSIBLE_MEMORY
                return
            slots = self.slots_of_host * 4
        if slots > 1 and "smp" in self.environments:
            template.parallel_environment = "smp"
            template.min_slots = template.max_slots = slots


def stages_of(cluster: Cluster) -> list[Stage]:
    """Return the stages of a cluster: its real hosts, its simulated hosts, or both, real ones first.

    Raises
    ------
    GcsError
        If it does not answer.
    """
    catalogue = cluster.jobs.catalogue()
    instances = cluster.status.snapshot().queue_instances.select(["queue", "host", "slots_total"]).to_pylist()
    found: list[Stage] = []
    for simulated in (False, True):
        rows = [row for row in instances if (row["queue"] in {_SIMULATED, _SIMULATED_SHORT}) is simulated]
        if not rows:
            continue
        found.append(
            Stage(
                queues=_different([row["queue"] for row in rows]),
                hosts=_different([row["host"] for row in rows]),
                slots=sum(row["slots_total"] for row in rows if row["queue"] not in _SHORT_QUEUES),
                all_slots=sum(row["slots_total"] for row in rows),
                slots_of_host=max(row["slots_total"] for row in rows),
                simulated=simulated,
                environments=catalogue.parallel_environments,
                projects=catalogue.projects,
            )
        )
    return found


def _different(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
