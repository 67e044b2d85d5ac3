"""Why jobs wait on Grid Engine: the recorded words of 8.1.9 and 9.2, and a live cell in both states of its switch."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import wait_for

from gcs_lab.backends.gridengine.commands import ask
from gcs_lab.backends.gridengine.pending_analysis import Evidence, in_scheduling_order, is_free_to_start, reasons_of
from gcs_lab.backends.gridengine.pending_words import request_reasons
from gcs_lab.backends.gridengine.pending_xml import PendingJob, parse_pending_jobs
from gcs_lab.backends.gridengine.qquota_xml import parse_quotas
from gcs_lab.backends.gridengine.qstat_xml import JobRow, QueueRow, parse_jobs, parse_queues
from gcs_lab.backends.gridengine.schedd_messages import Topic, parse_messages, parse_verdicts, understand
from gcs_lab.backends.gridengine.system import GridEngineSystem
from gcs_lab.vocabulary import JobTemplate, PendingReason, ReasonKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gcs_lab.backends.gridengine.demo import DemoState


def by_job(rows: list[JobRow]) -> dict[str, list[JobRow]]:
    found: dict[str, list[JobRow]] = {}
    for row in rows:
        found.setdefault(row.job_id, []).append(row)
    return found


FITS_NOWHERE = (
    "-pe smp 2000 fits nowhere, not even when the cluster is empty; its queues have 4 slots in all, at most 2 in one "
    "queue on one host"
)


@pytest.fixture(scope="module")
def recorded_reasons() -> dict[str, list[PendingReason]]:
    """Return what is made of a recorded cell of two queues with two slots each, by the names of the jobs.

    ``all.q`` is full, ``short.q`` is closed to this user by the quota ``perhost``; nothing is held by an operator here,
    because that is another command's answer.
    """
    from gridengine.conftest import DATA

    folder = DATA / "sge-8.1.9" / "waiting"
    rows = by_job(parse_jobs((folder / "qstat-waiting.xml").read_bytes()))
    document = (folder / "qstat-j-waiting.xml").read_bytes()
    wants, messages = parse_pending_jobs(document), parse_messages(document)
    now, empty = (parse_verdicts((folder / f"qalter-w-{how}.txt").read_text(), wants) for how in ("p", "v"))
    quotas = parse_quotas((folder / "qquota.xml").read_bytes())
    return {
        rows[job][0].name: reasons_of(
            Evidence(
                wanted,
                rows[job],
                in_scheduling_order(rows),
                parse_queues((folder / "qstat-f-waiting.xml").read_bytes()),
                "ann",
                messages=messages.by_job.get(job, ()),
                everywhere=messages.everywhere,
                verdict_now=now[job],
                verdict_empty=empty[job],
                quotas=quotas,
            )
        )
        for job, wanted in wants.items()
    }


def test_a_limit_of_another_queue_is_no_reason_where_the_empty_cluster_has_a_place() -> None:
    job = PendingJob("1", "ann", requests={"h_rt": "14400"})
    now = [
        understand('(-l h_rt=14400) cannot run in queue "short.q@localhost" because it offers only qf:h_rt=00:10:00'),
        understand('(-l h_rt=14400) cannot run in queue "all.q@localhost" because it offers only qc:slots=0.000000'),
    ]
    assert [said.topic for said in now] == [Topic.OFFER, Topic.NO_SLOTS]
    assert "h_rt" not in [reason.subject for reason in request_reasons(job, [], now, [])]
    # Where the empty cluster was not asked, it may be the reason.
    assert "h_rt" in [reason.subject for reason in request_reasons(job, None, now, [])]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("w_allq", PendingReason(ReasonKind.SLOTS, "all 2 slots of all.q are in use", "all.q", False)),
        ("w_hvmem", PendingReason(ReasonKind.SLOTS, "all 2 slots of all.q are in use", "all.q", False)),
        ("w_pe2", PendingReason(ReasonKind.SLOTS, "all 2 slots of all.q are in use", "all.q", False)),
        (
            "w_memfree",
            PendingReason(
                ReasonKind.REQUEST,
                "no host offers mem_free=4T now; the largest offer is 23.0 GiB on localhost",
                "mem_free",
                False,
            ),
        ),
        (
            "w_memtot",
            PendingReason(
                ReasonKind.REQUEST,
                "no host offers mem_total=999G; the largest offer is 23.5 GiB on localhost",
                "mem_total",
                True,
            ),
        ),
        (
            "w_arch",
            PendingReason(ReasonKind.REQUEST, "no host offers arch=sol-sparc; there is lx-amd64", "arch", True),
        ),
        (
            "lic5",
            PendingReason(
                ReasonKind.REQUEST, "no host offers licence=5; the largest offer is 2 on localhost", "licence", True
            ),
        ),
        ("w_rt", PendingReason(ReasonKind.REQUEST, "short.q does not allow h_rt=20:00:00", "h_rt", True)),
        ("w_pebig", PendingReason(ReasonKind.REQUEST, FITS_NOWHERE, "smp", True)),
        ("w_dep", PendingReason(ReasonKind.DEPENDENCY, "waits for job 76 (fill1), which runs", "76", False)),
        (
            "w_tc",
            PendingReason(
                ReasonKind.TASK_LIMIT, "1 of its tasks runs, and -tc 1 lets no more run at once", "", False
            ),
        ),
        (
            "w_quota",
            PendingReason(
                ReasonKind.QUOTA,
                "quota perhost/1 is used up: 1 of 1 slots for users ann, queues short.q",
                "perhost/1",
                False,
            ),
        ),
    ],
)
def test_a_recorded_job_says_why_it_waits(
    recorded_reasons: dict[str, list[PendingReason]], name: str, expected: PendingReason
) -> None:
    assert recorded_reasons[name][0] == expected


def test_a_start_time_is_told_with_how_long_it_is(recorded_reasons: dict[str, list[PendingReason]]) -> None:
    (reason,) = recorded_reasons["w_time"]
    assert reason.kind is ReasonKind.START_TIME
    assert re.fullmatch(r"waits for its start time, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(in \d+ days\)", reason.text)


def test_a_task_waits_for_the_same_task_of_the_array_before(
    recorded_reasons: dict[str, list[PendingReason]],
) -> None:
    (reason,) = recorded_reasons["ad2"]
    assert reason.text == "waits for the same task of job 93 (ad1), which waits for others itself"


def test_no_recorded_text_is_in_the_words_of_the_scheduler_or_has_a_full_stop(
    recorded_reasons: dict[str, list[PendingReason]],
) -> None:
    texts = [reason.text for reasons in recorded_reasons.values() for reason in reasons]
    assert len(texts) > 20
    assert [text for text in texts if "(-l" in text or "hl:" in text or "qc:" in text or text.endswith(".")] == []


def test_every_recorded_sentence_is_understood(sge: Path, ocs: Path) -> None:
    said = []
    for path in [*sge.glob("**/qstat-j*.xml"), *ocs.glob("**/qstat-j*.xml")]:
        messages = parse_messages(path.read_bytes())
        said += [*messages.everywhere, *(one for some in messages.by_job.values() for one in some)]
    for how in ("p", "v"):
        text = (sge / "waiting" / f"qalter-w-{how}.txt").read_text()
        said += [one for some in parse_verdicts(text, map(str, range(100))).values() for one in some]
    assert len(said) > 60
    assert [one.text for one in said if one.topic is Topic.OTHER] == []


def test_messages_that_are_switched_off_say_nothing_of_a_job(sge: Path) -> None:
    messages = parse_messages((sge / "waiting" / "qstat-j-no-info.xml").read_bytes())
    assert messages.by_job == {}
    assert [said.topic for said in messages.everywhere] == [Topic.KNOWN_OTHERWISE]


@pytest.mark.parametrize(
    ("number", "topic", "where", "name"),
    [
        ("17", Topic.KNOWN_OTHERWISE, "", ""),
        ("18", Topic.KNOWN_OTHERWISE, "", ""),
        ("19", Topic.NO_SLOTS, "vm", "slots"),
    ],
)
def test_messages_of_9_2_are_read(ocs: Path, number: str, topic: Topic, where: str, name: str) -> None:
    document = (ocs / "waiting" / f"qstat-j-{number}.xml").read_bytes()
    (said,) = parse_messages(document).by_job[number]
    assert (said.topic, said.where, said.name) == (topic, where, name)


def test_a_full_host_of_9_2_is_said_to_be_full(ocs: Path) -> None:
    document = (ocs / "qstat-j-16.xml").read_bytes()
    rows = by_job(parse_jobs((ocs / "qstat.xml").read_bytes()))
    job = parse_pending_jobs(document)["16"]
    queues = parse_queues((ocs / "qstat-f.xml").read_bytes())
    said = parse_messages(document).by_job["16"]
    slots, position = reasons_of(Evidence(job, rows["16"], in_scheduling_order(rows), queues, "alice", messages=said))
    assert (slots.kind, slots.text) == (ReasonKind.SLOTS, "all slots of vm are in use")
    assert position.text == "first in line for the next slots that suit it"


def test_requests_and_dependencies_of_9_2_are_read(ocs: Path) -> None:
    jobs = {n: parse_pending_jobs((ocs / "waiting" / f"qstat-j-{n}.xml").read_bytes())[n] for n in ("18", "19")}
    assert jobs["18"].before == ("14",)
    assert jobs["19"].requests == {"mem_total": "999G"}


# --- what was not recorded ---

QUEUES = [
    QueueRow("all.q", "a", 2, 2, 0.1, None, ""),
    QueueRow("all.q", "b", 2, 2, 0.1, None, ""),
    QueueRow("big.q", "a", 0, 8, 0.1, None, "d"),
]


def row(job_id: str, owner: str = "ann", letters: str = "qw", prio: str = "0.5", tasks: str | None = None) -> JobRow:
    return JobRow(job_id, prio, "fit", owner, letters, "JB_submission_time", "2026-11-21T09:00:00", "", "1", tasks)


def reasons(
    job: PendingJob, *sentences: str, rows: list[JobRow] | None = None, others: list[JobRow] = (), **known: object
) -> list[PendingReason]:
    own = rows or [row(job.job_id)]
    everything = in_scheduling_order(by_job([*others, *own]))
    said = [understand(text) for text in sentences]
    return reasons_of(
        Evidence(job, own, everything, known.pop("queues", QUEUES), "ann", messages=said, **known)  # type: ignore[arg-type]
    )


def test_closed_queues_and_full_ones_are_told_apart() -> None:
    closed, slots, position = reasons(PendingJob("5", "ann"))
    assert (closed.kind, closed.text, closed.lasting) == (ReasonKind.QUEUE_STATE, "big.q is disabled", False)
    assert slots.text == "all 4 slots of all.q are in use"
    assert position.text == "first in line for the next slots that suit it"


def test_a_job_whose_queues_are_all_closed_waits_for_somebody() -> None:
    (closed,) = reasons(PendingJob("5", "ann", queues=("big.q",)))
    assert (closed.kind, closed.text, closed.lasting) == (ReasonKind.QUEUE_STATE, "big.q is disabled", True)


def test_load_that_closes_a_queue_is_told() -> None:
    said = 'queue instance "all.q@a" dropped because it is overloaded: load_avg=9.1 (no load adjustment) >= 1.75'
    closed, *_ = reasons(PendingJob("5", "ann", queues=("all.q@a",)), said)
    assert (closed.kind, closed.text) == (ReasonKind.QUEUE_STATE, "all.q@a is overloaded (load_avg=9.1 >= 1.75)") or (
        closed.text == "all.q is overloaded (load_avg=9.1 >= 1.75)"
    )


@pytest.mark.parametrize(
    ("before", "text"),
    [
        ([], "first in line for the next slots that suit it"),
        (["ann"], "1 job of yours is before it in the queue"),
        (["ann", "bob", "bob"], "1 job of yours and 2 jobs of others are before it in the queue"),
        (["bob"], "1 job of others is before it in the queue"),
    ],
)
def test_the_position_counts_own_jobs_and_those_of_others(before: list[str], text: str) -> None:
    others = [row(str(number), owner, prio="0.6") for number, owner in enumerate(before, 100)]
    # Those that are held, or wait for other reasons, have no priority: they are before nobody.
    others += [row("1", letters="hqw", prio="0.0"), row("2", prio="0.0"), row("3", letters="r")]
    assert reasons(PendingJob("5", "ann", queues=("all.q",)), others=others)[-1].text == text


def test_a_job_that_nothing_keeps_back_starts_next() -> None:
    queues = [QueueRow("all.q", "a", 0, 2, 0.1, None, "")]
    (reason,) = reasons(PendingJob("5", "ann"), queues=queues)
    assert reason.text == "first in line: starts at the next scheduling pass"
    (reason,) = reasons(PendingJob("5", "ann"), queues=queues, rows=[row("5", prio="0.0")])
    assert (reason.kind, reason.text) == (ReasonKind.NOT_LOOKED_YET, "the scheduler has not looked at it yet")


def test_holds_of_users_operators_and_the_system_are_told() -> None:
    held = reasons(PendingJob("5", "ann"), rows=[row("5", letters="hqw")], held={"5": "uo"})
    assert [(reason.kind, reason.subject, reason.lasting) for reason in held] == [
        (ReasonKind.HOLD, "user", True),
        (ReasonKind.HOLD, "operator", True),
    ]


def test_a_job_in_error_says_why() -> None:
    (reason,) = reasons(PendingJob("5", "ann"), rows=[row("5", letters="Eqw")], error="can't chdir to /x")
    assert (reason.kind, reason.text, reason.lasting) == (
        ReasonKind.ERROR,
        "it is in error state: can't chdir to /x",
        True,
    )


def test_a_consumable_in_use_names_what_is_left() -> None:
    queues = [QueueRow("all.q", "a", 0, 2, 0.1, None, "")]
    said = '(-l licence=1) cannot run at host "a" because it offers only hc:licence=0.000000'
    first, _ = reasons(PendingJob("5", "ann", requests={"licence": "1"}), said, queues=queues)
    assert (first.kind, first.subject) == (ReasonKind.SLOTS, "licence")
    assert first.text == "it asks for licence=1, and 0 is free on a: running jobs have the rest"


def test_a_sentence_that_is_not_known_is_kept_as_it_is() -> None:
    queues = [QueueRow("all.q", "a", 0, 2, 0.1, None, "")]
    first, *_ = reasons(PendingJob("5", "ann"), "cannot run because of the moon", queues=queues)
    assert (first.kind, first.text) == (ReasonKind.OTHER, "the scheduler says: cannot run because of the moon")


def test_the_largest_of_several_offers_is_told() -> None:
    offers = {"a": "7.500G", "b": "23.400G", "c": "900.000M"}
    said = [
        understand(f'(-l mem_total=1T) cannot run at host "{host}" because it offers only hl:mem_total={size}')
        for host, size in offers.items()
    ]
    (first,) = reasons(PendingJob("5", "ann", requests={"mem_total": "1T"}), verdict_empty=said)
    assert first.text == "no host offers mem_total=1T; the largest offer is 23.4 GiB on b"


def test_a_quota_below_what_is_asked_for_is_named_where_the_queues_have_room() -> None:
    # The words of 8.1.9 with `limit users {*} queues all.q to slots=1` and -pe smp 2.
    small = understand('cannot run in PE "smp" because it only offers 0 slots')
    full = understand('cannot run because it exceeds limit "ann/////" in rule "r/1"')
    asked = PendingJob("5", "ann", environment="smp", least_slots=2)
    first, second = reasons(asked, verdict_empty=[small], verdict_now=[full, small])
    assert "fits nowhere, not even when the cluster is empty, within quota r/1; " in first.text
    assert second.text == "quota r/1 is used up"
    first, *_ = reasons(dataclasses.replace(asked, least_slots=13), verdict_empty=[small], verdict_now=[full])
    assert "within quota" not in first.text


def test_only_jobs_that_the_cluster_alone_keeps_back_are_tried() -> None:
    job = PendingJob("5", "ann")
    assert is_free_to_start(job, [row("5")])
    assert not is_free_to_start(job, [row("5", letters="hqw")])
    array = dataclasses.replace(job, max_parallel=1)
    assert not is_free_to_start(array, [row("5", letters="r", tasks="1"), row("5", tasks="2-5:1")])


@given(st.text())
def test_no_sentence_whatever_it_says_is_too_much(text: str) -> None:
    assert understand(text).text == text.strip()


@given(
    st.lists(
        st.sampled_from(
            [
                'cannot run in PE "smp" because it only offers 0 slots',
                '(-l a=1) cannot run in queue "all.q@a" because it offers only qc:slots=0.000000',
                '(-l a=1) cannot run at host "a" because it offers only hl:a=0.5',
                "(-l a=1) cannot run globally because it offers only gc:a=0.000000",
                'cannot run in queue "all.q" because it is not contained in its hard queue list (-q)',
                'cannot run because it exceeds limit "ann/////" in rule "r/1"',
                'queue instance "all.q@a" dropped because it is overloaded: x=1 >= 0',
                "something new",
            ]
        )
    ),
    st.sampled_from(["qw", "hqw", "Rq", "hRwq", "Eqw"]),
    st.booleans(),
)
def test_a_job_that_waits_has_at_least_one_reason(sentences: list[str], letters: str, tried: bool) -> None:
    said = [understand(text) for text in sentences]
    verdicts = {"verdict_empty": said, "verdict_now": said} if tried else {}
    found = reasons(PendingJob("5", "ann"), *sentences, rows=[row("5", letters=letters)], **verdicts)
    assert found
    assert all(reason.text and not reason.text.endswith(".") for reason in found)


# --- live ---


@pytest.fixture
def silent(demo_cell: DemoState, tmp_path: Path) -> Iterator[None]:
    """Switch the scheduler's messages off for a test."""
    cell = demo_cell.cell()
    before = ask(cell, ["qconf", "-ssconf"]).text
    path = tmp_path / "sched"

    def put(text: str) -> None:
        path.write_text(text)
        ask(cell, ["qconf", "-Msconf", str(path)])

    put(re.sub(r"schedd_job_info\s+\w+", "schedd_job_info false", before))
    yield
    put(before)


def _live_reasons(demo_cell: DemoState) -> None:
    """Look at what one question says of several jobs on a cell of which one queue is closed."""
    cell = demo_cell.cell()
    system = GridEngineSystem("demo", cell, "qsub")
    jobs = system.jobs
    ids: list[str] = []
    try:
        ask(cell, ["qmod", "-d", "short.q"])

        def submit(**attributes: object) -> str:
            defaults = {"output_path": "/dev/null", "error_path": "/dev/null"}
            template = JobTemplate(remote_command="/bin/sleep", args=["60"], **(defaults | attributes))
            ids.append(jobs.submit(template))
            return ids[-1]

        closed = submit(queue_name="short.q")
        never = submit(resource_requests={"mem_total": "999T"})
        too_many = submit(parallel_environment="smp", min_slots=900, max_slots=900)
        held = submit(submit_as_hold=True)
        after = submit(hold_jid=[held])
        wait_for(lambda: _first(jobs, closed).kind is not ReasonKind.NOT_LOOKED_YET, "the scheduler's look")
        told = {job: found[0] for job, found in jobs.pending_reasons([*ids, "999999"]).items()}
        assert told.keys() == set(ids)
        assert (told[closed].kind, told[closed].text) == (ReasonKind.QUEUE_STATE, "short.q is disabled")
        assert (told[never].kind, told[never].subject, told[never].lasting) == (ReasonKind.REQUEST, "mem_total", True)
        assert "the largest offer is" in told[never].text
        assert (told[too_many].kind, told[too_many].subject) == (ReasonKind.REQUEST, "smp")
        assert (told[held].kind, told[held].subject) == (ReasonKind.HOLD, "user")
        assert told[after].kind is ReasonKind.DEPENDENCY
        assert told[after].text == f"waits for job {held} (sleep), which is held by its user"
    finally:
        ask(cell, ["qmod", "-e", "short.q"])
        ask(cell, ["qdel", *ids])
        system.close()


def _first(jobs: object, job_id: str) -> PendingReason:
    return jobs.pending_reasons([job_id])[job_id][0]  # type: ignore[attr-defined, no-any-return]


@pytest.mark.gridengine
def test_a_cell_says_why_jobs_wait(demo_cell: DemoState) -> None:
    _live_reasons(demo_cell)


@pytest.mark.gridengine
@pytest.mark.usefixtures("silent")
def test_a_cell_whose_scheduler_keeps_its_reasons_to_itself_says_the_same(demo_cell: DemoState) -> None:
    _live_reasons(demo_cell)
