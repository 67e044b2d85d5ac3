"""The checks of lesson 4 and its scene, on a cluster that the scene really fills."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from gcs_lab.errors import UnsupportedOperation
from gcs_lab.lessons import waiting_scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kernel_session import KernelSession

    Ask = Callable[[str], dict[str, bool]]


def _met(points: dict[str, bool]) -> list[bool]:
    return list(points.values())


def _run(kernel: KernelSession, *cells: str) -> None:
    for cell in cells:
        done = kernel.run(cell)
        assert done.error() is None, done.traceback()


@pytest.fixture(scope="module")
def full(lesson_kernel: KernelSession) -> Iterator[KernelSession]:
    """A kernel whose cluster the class has filled."""
    _run(lesson_kernel, "import gcs_lab\nfrom gcs_lab.lessons import waiting_scene as scene")
    _run(lesson_kernel, "cluster = gcs_lab.connect()", "told = scene.begin(cluster)")
    yield lesson_kernel
    _run(lesson_kernel, "scene.end(cluster, 'primes', 'table', 'right', 'left')")


def test_no_work_is_made_up_on_a_cluster_of_others() -> None:
    site: Any = SimpleNamespace(name="gridengine")
    with pytest.raises(UnsupportedOperation, match="is no cluster of your own"):
        waiting_scene.begin(site)


def test_the_scene_fills_the_cluster_for_every_kind_of_reason(full: KernelSession) -> None:
    assert "slots of all.q are in use" in full.value("told")
    assert full.value("scene.stands(cluster)") == "True"
    _run(full, "from gcs_lab.vocabulary import ReasonKind")
    _run(full, "waiting = list(cluster.status.jobs(state='pending').job_id)")
    _run(full, "reasons = cluster.jobs.pending_reasons(waiting).values()")
    kinds = full.value("sorted({reason.kind.value for some in reasons for reason in some})")
    for kind in ("dependency", "hold", "request", "slots", "start time", "task limit"):
        assert kind in kinds
    assert full.value("sum(reason.lasting for some in reasons for reason in some)") == "2"


def test_who_holds_the_most_slots(full: KernelSession, points: Ask) -> None:
    assert _met(points("check.busiest()")) == [True, False, False]
    _run(full, "running = cluster.status.jobs(state='running')")
    _run(full, "held = running.groupby(running.name.str.partition('_')[0]).slots.sum()")
    assert full.value("int((held == held.max()).sum())") == "1"
    assert _met(points("check.busiest(held.idxmin(), held.min())")) == [True, False, False]
    assert _met(points("check.busiest(held.idxmax(), 1)")) == [True, True, False]
    assert _met(points("check.busiest(held.idxmax(), held.max())")) == [True] * 3


def test_a_job_that_says_it_is_short(full: KernelSession, points: Ask) -> None:
    check = "check.sooner()"
    assert _met(points(check)) == [False, False, False, True]
    _run(full, "%%gcs submit -N primes -l h_rt=1:00:00\nprimes = 1")
    assert _met(points(check)) == [False, False, False, True]
    # In time, but another work.
    _run(full, "%%gcs run -N primes -l h_rt=0:05:00\nprint('17,984 primes')\nprimes = 1")
    assert _met(points(check)) == [True, False, True, True]
    work = "primes = sum(all(n % d for d in range(2, int(n**0.5) + 1)) for n in range(2, 200_000))"
    _run(full, f"%%gcs run -N primes -l h_rt=0:05:00\n{work}")
    assert _met(points(check)) == [True] * 4


def test_a_request_that_no_host_can_meet(full: KernelSession, points: Ask) -> None:
    assert _met(points("check.typo('mem_total')")) == [False] * 3
    _run(full, "%%gcs submit -N table -l h_rt=0:05:00,mem_total=4T\ntable = 1")
    assert _met(points("check.typo('h_rt')")) == [False] * 3
    assert _met(points("check.typo('mem_total')")) == [True, False, False]
    # Sent anew, and the other one forgotten in the queue.
    _run(full, "%%gcs run -N table -l h_rt=0:05:00\ntable = 1")
    assert _met(points("check.typo('mem_total')")) == [True, True, False]
    _run(full, "[table_id] = cluster.status.jobs(state='pending', where='name=table').job_id")
    _run(full, "cluster.jobs.job(table_id).alter(requests={'mem_total': '64M'})")
    _run(full, "cluster.jobs.job(table_id).wait_terminated(30)")
    assert _met(points("check.typo('mem_total')")) == [True] * 3


def test_a_hold_that_is_released(full: KernelSession, points: Ask) -> None:
    check = "check.released()"
    assert _met(points(check)) == [False] * 3
    _run(full, "%%gcs submit -N right -hold -l h_rt=0:05:00\nright_half = 'land'")
    _run(full, "%%gcs submit -N left -l h_rt=0:05:00\nword = 'is' + right_half")
    assert _met(points(check)) == [False] * 3
    _run(full, "%gcs release right", "%gcs wait right left")
    assert _met(points(check)) == [True] * 3


def test_who_makes_room_by_deleting_others_is_told_so_and_the_end_leaves_nothing(
    full: KernelSession, points: Ask
) -> None:
    _run(full, "cluster.jobs.job(cluster.status.jobs(state='running').job_id.iloc[0]).terminate()")
    assert list(points("check.sooner()").values())[-1] is False
    _run(full, "%%gcs submit -N left -hold -l h_rt=0:05:00\nword = 'land'")
    # Of the class some are left, and of the learner's two jobs: primes for an hour, and this one.
    assert "and 2 of yours were deleted" in full.value("scene.end(cluster, 'primes', 'table', 'right', 'left')")
    assert full.value("len(cluster.status.jobs())") == "0"
    assert full.value("scene.end(cluster, 'left')") == "'no job of this lesson is left'"
    assert full.value("scene.stands(cluster)") == "False"
