"""Requested against used: what is said, which flags are advised, and who is left in peace."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gcs_lab.jobs.requests import parse_memory, parse_requests, parse_time
from gcs_lab.jobs.tasks_advice import advise_tasks
from gcs_lab.jobs.usage_advice import HOST, UNKNOWN, Advice, Asked, Used, advise, refused_bytes

MIB, GIB = 1 << 20, 1 << 30
KILLED = {"good": False, "exit_status": 137, "signal": "SIGKILL"}


NUMPYS_WORDS = "MemoryError: Unable to allocate 900. MiB for an array with shape (117964800,) and data type float64"


def asked(text: str, slots: int = 1, environment: str | None = None) -> Asked:
    return Asked(parse_requests(text) if text else {}, slots, environment)


@pytest.mark.parametrize(
    ("wanted", "used", "sentences", "flags"),
    [
        pytest.param(
            asked("h_rt=1:00:00,h_vmem=4G"),
            Used(wall=32, cpu=31.4, max_rss=300 * MIB, max_vmem=410 * MIB),
            ["memory: 410 MiB of 4.0 GiB used (10 %)", "time: 32 s of 1:00:00", "CPU: 98 % of 1 slot"],
            "-l h_rt=0:02:00,h_vmem=600M",
            id="both too large",
        ),
        pytest.param(
            asked("h_rt=1:00:00,h_vmem=4G"),
            Used(wall=2400, cpu=2400, max_vmem=3 * GIB),
            ["memory: 3.0 GiB of 4.0 GiB used (75 %)", "time: 40:00 of 1:00:00", "CPU: 100 % of 1 slot"],
            "",
            id="fits",
        ),
        pytest.param(asked("h_rt=1:00:00,h_vmem=4G"), Used(2, 1, MIB, MIB), [], "", id="over in seconds"),
        pytest.param(asked("h_vmem=600M"), Used(60, 60, MIB, 100 * MIB), None, "", id="saves little"),
        pytest.param(asked(""), Used(600, 300, GIB, GIB), [], "", id="asked for nothing"),
        pytest.param(
            asked("h_vmem=2G", 4, "smp"),
            Used(wall=600, cpu=1140, max_vmem=7 * GIB),
            None,
            "-l h_vmem=5G -pe smp 2",
            id="fewer slots need more memory each",
        ),
        pytest.param(
            asked("", 4, "smp"),
            Used(wall=600, cpu=606),
            ["CPU: 25 % of 4 slots", "4 slots asked, 1.0 used on average", "one slot is enough: leave -pe out"],
            "",
            id="one slot is enough",
        ),
        pytest.param(asked("", 4, "mpi"), Used(600, 606, hosts=2), [], "", id="several hosts are not judged"),
        pytest.param(
            asked("h_vmem=8G"),
            Used(60, 60, MIB, GIB, good=False, exit_status=1, error="ValueError"),
            None,
            "",
            id="a failure is no measure",
        ),
    ],
)
def test_what_is_said_and_advised(wanted: Asked, used: Used, sentences: list[str] | None, flags: str) -> None:
    advice = advise(wanted, used)
    assert advice.flags == flags
    assert advice.cause == ""
    if sentences is not None:
        assert advice.sentences == sentences


@pytest.mark.parametrize(
    ("wanted", "used", "cause", "first", "flags"),
    [
        pytest.param(
            asked("h_vmem=1G"),
            Used(32, 31, GIB, int(1.1 * GIB), failed=100, annotation="killed: h_vmem=1G exceeded", **KILLED),
            "h_vmem",
            "killed for memory: h_vmem=1G was too little (it had used 1.1 GiB); raise h_vmem",
            "-l h_vmem=2G",
            id="h_vmem by annotation",
        ),
        pytest.param(
            asked("h_vmem=1G", 2, "smp"),
            Used(32, 31, GIB, 2 * GIB, failed=100, **KILLED),
            "h_vmem",
            "killed for memory: h_vmem=1G for each of 2 slots was too little (it had used 2.0 GiB); raise h_vmem",
            "-l h_vmem=2G",
            id="h_vmem by usage, for each slot",
        ),
        pytest.param(
            asked("h_rt=60"),
            Used(60.2, 31, failed=37, **KILLED),
            "h_rt",
            "killed for time: h_rt=0:01:00 was too little (it ran 1:00); raise h_rt",
            "-l h_rt=0:02:00",
            id="h_rt by failure code",
        ),
        pytest.param(
            asked("h_rt=1:00:00"),
            Used(3600.4, 31, failed=100, **KILLED),
            "h_rt",
            "killed for time: h_rt=1:00:00 was too little (it ran 1:00:00); raise h_rt",
            "-l h_rt=2:00:00",
            id="h_rt by usage (9.x: code 100)",
        ),
        pytest.param(
            asked("s_rt=1:00:00"),
            Used(3600.4, 31, good=False, exit_status=138, signal="SIGUSR1"),
            "s_rt",
            "killed for time: s_rt=1:00:00 was too little (it ran 1:00:00); raise s_rt",
            "-l s_rt=2:00:00",
            id="s_rt",
        ),
        pytest.param(
            asked("h_cpu=0:10:00"),
            Used(700, 600.5, failed=100, **KILLED),
            "h_cpu",
            "killed for CPU time: h_cpu=0:10:00 was too little (it had used 10:00); raise h_cpu",
            "-l h_cpu=0:20:00",
            id="h_cpu",
        ),
        pytest.param(
            asked(""),
            Used(600.1, 1, failed=37, annotation="killed: h_rt=600 s exceeded (ran 600.1 s)", **KILLED),
            "h_rt",
            "killed for time: h_rt=0:10:00 is the limit of its queue; ask for more with -l h_rt=",
            "-l h_rt=0:20:00",
            id="the queue's own limit",
        ),
        pytest.param(
            asked("h_vmem=1G"),
            Used(6, 3, MIB, 819 * MIB, good=False, exit_status=1, error="MemoryError"),
            "h_vmem",
            "ran out of memory: h_vmem=1G was too little (it had 819 MiB and wanted more); raise h_vmem",
            "-l h_vmem=2G",
            id="MemoryError under h_vmem",
        ),
        pytest.param(
            asked("h_vmem=300M"),
            Used(6, 3, MIB, 250 * MIB, good=False, error="MemoryError", wanted=refused_bytes(NUMPYS_WORDS)),
            "h_vmem",
            "ran out of memory: h_vmem=300M was too little (it had 250 MiB and wanted 900 MiB more); raise h_vmem",
            "-l h_vmem=1.5G",
            id="a refused array under h_vmem",
        ),
        pytest.param(
            asked("h_rt=1:00:00"),
            Used(60, 3, 20 * GIB, annotation="killed by SIGKILL, not by a limit; perhaps … out of memory", **KILLED),
            HOST,
            "the host ran out of memory and ended the job (it had used 20.0 GiB): ask for more memory, or for a host "
            "with more",
            "",
            id="the host's memory",
        ),
        pytest.param(
            asked("h_rt=1:00:00"),
            Used(60, 3, annotation="ended by signal SIGKILL", **KILLED),
            UNKNOWN,
            "killed by SIGKILL, at no limit that it asked for: by its queue's limit, or for the host's memory",
            "",
            id="somebody's SIGKILL",
        ),
    ],
)
def test_what_ended_a_job_is_said_first(wanted: Asked, used: Used, cause: str, first: str, flags: str) -> None:
    advice = advise(wanted, used)
    assert (advice.cause, advice.sentences[0], advice.flags) == (cause, first, flags)


@pytest.mark.parametrize(
    "used",
    [
        Used(60, 1, deleted=True, **KILLED),
        Used(60, 1, good=False, exit_status=1, annotation="exit status 1"),
        Used(60, 1, good=False, exit_status=139, signal="SIGSEGV", annotation="ended by signal SIGSEGV"),
    ],
)
def test_a_job_that_no_limit_ended_is_not_said_to_be(used: Used) -> None:
    advice = advise(asked("h_rt=0:01:00"), used)
    assert advice.cause == "" or used.wall == 60
    assert advise(asked("h_rt=1:00:00,h_vmem=4G"), used) == Advice(["time: 1:00 of 1:00:00", "CPU: 2 % of 1 slot"])


requests = st.fixed_dictionaries(
    {},
    optional={
        "h_rt": st.integers(1, 10**6).map(str),
        "s_rt": st.integers(1, 10**6).map(str),
        "h_vmem": st.integers(1, 2000).map(lambda n: f"{n}G"),
        "h_rss": st.integers(1, 10**6).map(lambda n: f"{n}M"),
        "h_cpu": st.integers(1, 10**6).map(str),
    },
)
figures = st.builds(
    Used,
    wall=st.none() | st.floats(0, 10**6),
    cpu=st.none() | st.floats(0, 10**7),
    max_rss=st.none() | st.integers(0, 1 << 42),
    max_vmem=st.none() | st.integers(0, 1 << 42),
    good=st.booleans(),
    failed=st.sampled_from([0, 37, 100]),
    exit_status=st.sampled_from([0, 1, 137, 152]),
    error=st.sampled_from(["", "MemoryError", "KeyError"]),
)


def new_request(wanted: Asked, flags: str) -> Asked:
    """Return what a job asks for that follows the advice."""
    words = flags.split()
    new = parse_requests(words[words.index("-l") + 1]) if "-l" in words else {}
    slots = int(words[words.index("-pe") + 2]) if "-pe" in words else wanted.slots
    return Asked({**wanted.requests, **new}, slots, wanted.environment)


@given(requests, st.integers(1, 64), figures)
def test_the_advised_flags_admit_what_was_used(wanted: dict[str, str], slots: int, used: Used) -> None:
    before = Asked(wanted, slots, "smp" if slots > 1 else None)
    advice = advise(before, used)
    after = new_request(before, advice.flags)
    if "one slot is enough: leave -pe out" in advice.sentences:
        after = Asked(after.requests, 1, None)
    assert after.requests.keys() <= {*before.requests, advice.cause}
    for name, text in after.requests.items():
        there, is_time = used.of(name), name.endswith(("rt", "cpu"))
        # What stays as it was, it admitted.
        stays = text == before.requests.get(name) and (is_time or after.slots == before.slots)
        if there is not None and not stays:
            limit = parse_time(text) if is_time else parse_memory(text) * after.slots
            assert limit >= there
    assert all(sentence and not sentence.endswith(".") for sentence in advice.sentences)


@given(requests, figures)
def test_advice_that_was_followed_is_not_given_again(wanted: dict[str, str], used: Used) -> None:
    assume(used.good)
    first = advise(Asked(wanted), used)
    assert advise(new_request(Asked(wanted), first.flags), used).flags == ""


# --- tasks ---


def test_tasks_are_told_by_their_median_the_95th_percentile_and_the_most() -> None:
    wall = [100.0 + n for n in range(100)]
    advice = advise_tasks(
        asked("h_rt=10:00:00,h_vmem=8G"),
        wall=wall,
        cpu=[0.9 * seconds for seconds in wall],
        max_rss=[GIB] * 100,
        max_vmem=[GIB + n * MIB for n in range(100)],
    )
    assert advice.sentences == [
        "memory: half of the tasks 1.0 GiB, 95 % 1.1 GiB, the most 1.1 GiB of 8.0 GiB",
        "time: half of the tasks 2:29, 95 % 3:14, the most 3:19 of 10:00:00",
        "CPU: 90 % of 1 slot",
    ]
    assert advice.flags == "-l h_rt=0:05:00,h_vmem=1.5G"


def test_killed_tasks_are_counted_and_decide_the_flags() -> None:
    killed = [Used(60.1 + n, 20, GIB, GIB, failed=37, **KILLED) for n in range(3)]
    other = Used(5, 2, good=False, exit_status=1, error="ValueError")
    advice = advise_tasks(
        asked("h_rt=60,h_vmem=64G"),
        wall=[30.0],
        cpu=[29.0],
        max_rss=[GIB],
        max_vmem=[GIB],
        ended_badly=[*killed, other],
    )
    assert advice.sentences[0] == "3 tasks: killed for time: h_rt=0:01:00 was too little (it ran 1:02); raise h_rt"
    assert (advice.flags, advice.cause) == ("-l h_rt=0:02:00", "h_rt")


def test_what_a_task_used_that_failed_by_itself_is_admitted() -> None:
    failed = Used(30, 2, MIB, 5 * GIB, good=False, exit_status=1, error="ValueError")
    figures = {"wall": [30.0], "cpu": [29.0], "max_rss": [MIB], "max_vmem": [MIB]}
    assert advise_tasks(asked("h_vmem=64G"), **figures).flags == "-l h_vmem=250M"
    assert advise_tasks(asked("h_vmem=64G"), **figures, ended_badly=[failed]).flags == "-l h_vmem=7G"


def test_tasks_that_need_one_slot_are_told_so() -> None:
    advice = advise_tasks(
        asked("", 4, "smp"), wall=[100.0] * 8, cpu=[100.0] * 8, max_rss=[MIB] * 8, max_vmem=[MIB] * 8
    )
    assert advice.sentences[-2:] == ["CPU: 25 % of 4 slots", "one slot is enough: leave -pe out"]


def test_many_short_tasks_are_a_measure_together() -> None:
    advice = advise_tasks(
        asked("h_vmem=8G"), wall=[1.0] * 50, cpu=[1.0] * 50, max_rss=[MIB] * 50, max_vmem=[MIB] * 50
    )
    assert advice.flags == "-l h_vmem=250M"


def test_no_task_that_ended_is_nothing_to_tell() -> None:
    assert advise_tasks(asked("h_rt=60"), wall=[], cpu=[], max_rss=[], max_vmem=[]) == Advice()
