"""How long a job like this would wait: what is learned, how it is tried, and when it is not known."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from in_memory_backend import task_row
from made_records import BEGIN, record, records, when

from gcs_lab.accounting.classic import ClassicReader
from gcs_lab.accounting.synthetic import write_site
from gcs_lab.accounting.wait_estimate import SHARES, estimate
from gcs_lab.accounting.wait_forest import QUANTILES, grow
from gcs_lab.accounting.wait_history import read_past
from gcs_lab.accounting.wait_load import FEATURES, NEVER, Events, History, Moments, features
from gcs_lab.accounting.wait_model import learn
from gcs_lab.errors import InvalidArgument
from gcs_lab.status.tables import schema


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    path = tmp_path_factory.mktemp("waits") / "accounting"
    facts = write_site(path, records=60_000, days=24, users=120)
    return facts, ClassicReader().read(path.read_bytes(), 0).records.lazy()


@pytest.fixture(scope="module")
def past(site):
    return read_past(site[1])


@pytest.fixture(scope="module")
def looking(past):
    return learn(past, live=True)


def by_hand(events, at, queue):
    """Return pending slots, their mean age, and running slots just before a moment, event by event."""
    waits = (events.submitted < at) & (events.started >= at) & (events.queue == queue)
    runs = (events.started <= at) & (events.ended > at) & (events.queue == queue)
    pending = events.slots[waits].sum()
    age = ((at - events.submitted[waits]) * events.slots[waits]).sum() / pending if pending else 0.0
    return pending, age, events.slots[runs].sum()


def test_the_load_at_a_moment_is_that_which_counting_event_by_event_finds(past):
    history = History(past.events, live=True)
    chosen = np.random.default_rng(3).integers(0, len(past.jobs.at), 60)
    moments = Moments(*(column[chosen] for column in past.jobs))
    rows = features(moments, history)
    most = history.load(moments)[:, 2]
    for row, at, queue in zip(rows, moments.at, moments.queue, strict=True):
        pending, age, running = by_hand(past.events, at, queue)
        assert row[FEATURES.index("pending_slots")] == pytest.approx(pending)
        assert row[FEATURES.index("pending_age")] == pytest.approx(age, abs=0.01)
        assert (row[FEATURES.index("running_share")] > 0) == (running > 0)
    assert most.max() <= 1.0


def test_what_comes_after_a_moment_changes_nothing_of_what_is_known_at_it(past):
    """No leak: the features of a submission are the same when all that happened later is taken away."""
    cut = int(np.quantile(past.jobs.at, 0.7))
    before = past.events.submitted < cut
    events = past.events
    started = np.where(events.started < cut, events.started, NEVER)
    ended = np.where(events.ended < cut, events.ended, NEVER)
    known = Events(*(column[before] for column in events._replace(started=started, ended=ended)))
    here = np.flatnonzero(past.jobs.at < cut)[::50]
    moments = Moments(*(column[here] for column in past.jobs))
    scale = FEATURES.index("running_share")  # by the most that ever ran: only a scale
    for live in (True, False):
        whole = np.delete(features(moments, History(events, live=live)), scale, axis=1)
        cut_off = np.delete(features(moments, History(known, live=live)), scale, axis=1)
        np.testing.assert_allclose(whole, cut_off, atol=1e-6)


def test_an_array_is_one_submission_whose_wait_is_that_of_its_first_task():
    rows = [record(5, task=task, wait=100.0 * task) for task in (3, 1, 2)] + [record(6, wait=7.0)]
    past = read_past(records(rows))
    assert past.wait.tolist() == [100.0, 7.0]
    assert len(past.events.submitted) == 4


def test_a_forest_finds_quantiles_that_depend_on_a_feature():
    random = np.random.default_rng(5)
    rows = np.column_stack([random.random(20_000), random.random(20_000)])
    target = np.where(rows[:, 0] > 0.5, 10.0, 1.0) * random.random(20_000)
    found = grow(rows, target, np.ones(20_000)).quantiles(np.array([[0.2, 0.5], [0.8, 0.5]]))
    assert (np.diff(found, axis=1) >= 0).all()
    np.testing.assert_allclose(found[0], QUANTILES, atol=0.15)
    np.testing.assert_allclose(found[1], 10 * QUANTILES, atol=1.5)


def test_held_out_jobs_are_foretold_better_by_the_load_than_by_history_and_by_the_last_starts(looking):
    best, *others = looking.tests
    assert best.name == "forest"
    assert {other.name for other in others} == {"last starts", "history"}
    assert best.loss < 0.95 * others[0].loss
    assert best.jobs > 1000


def test_the_intervals_hold_about_as_much_as_they_say(looking):
    best = looking.tests[0]
    assert 0.7 < best.inside < 0.95
    assert best.below > 0.85


def test_without_a_look_at_the_cluster_the_error_is_larger_and_is_told(past, looking):
    blind = learn(past, live=False)
    assert blind.tests[0].loss > looking.tests[0].loss


def live_table(count, at, *, state="QUEUED", **more):
    fields = schema("tasks")
    rows = [
        task_row(job_id=str(9_000_000 + number), letters="qw", state=state, submission_time=at, **more)
        for number in range(count)
    ]
    return pa.Table.from_pylist(rows, schema=fields) if rows else fields.empty_table()


def test_the_more_waits_now_the_longer_is_the_estimate(site):
    facts, history = site
    busy = facts.end - 6 * 86400
    at, sent = (datetime.fromtimestamp(seconds, UTC) for seconds in (busy, busy - 7200))
    template = {"queue": "all.q", "slots": 1}
    key = "the more waits"
    none = estimate(history, template, live=live_table(0, sent), at=at, key=key)
    # Whose jobs run in all.q: what waits is counted there.
    of_all = history.filter(pl.col("queue").cast(pl.String) == "all.q", pl.col("parallel_environment").is_null())
    owner = of_all.select(pl.col("owner").cast(pl.String).mode().sort().first()).collect().item()
    many = estimate(history, template, live=live_table(1500, sent, owner=owner, slots=1), at=at, key=key)
    held = live_table(1500, sent, owner=owner, slots=1, state="QUEUED_HELD")
    assert none.live
    assert many.median > 1.5 * none.median
    assert estimate(history, template, live=held, at=at, key=key).quantiles == none.quantiles
    assert list(none.quantiles) == list(SHARES)
    assert sorted(many.quantiles.values()) == list(many.quantiles.values())


def test_more_than_was_ever_seen_is_told_to_be_beyond_what_is_known(site):
    facts, history = site
    at = datetime.fromtimestamp(facts.end, UTC)
    found = estimate(
        history,
        {"queue": "all.q", "slots": 900},
        live=live_table(3, at, queue="all.q", slots=200_000),
        at=at,
        key="the more waits",
    )
    assert not found.known
    assert "slots and slots waiting" in " ".join(found.notes)
    assert "may be much longer" in repr(found)


def test_records_that_end_long_ago_are_told_to(site):
    facts, history = site
    old = history.with_columns(
        *(pl.col(f"{name}_time").dt.offset_by("-3y") for name in ("submission", "start", "end"))
    )
    found = estimate(old, {"queue": "all.q"})
    assert found.at.year == datetime.fromtimestamp(facts.end, UTC).year - 3
    assert "how it is since is not known" in repr(found)


def test_too_few_jobs_are_not_learned_from():
    found = estimate(records([record(number) for number in range(200)]), {"slots": 1})
    assert found.quantiles == {}
    assert not found.known
    assert "200 jobs" in repr(found)
    assert "not known" in found._repr_html_()


def test_a_queue_that_the_history_does_not_know_is_told(site):
    found = estimate(site[1], {"queue": "new.q"}, key="the more waits")
    assert (found.median, found.known) == (None, False)
    assert "no job of the history ran in new.q" in repr(found)


def test_the_estimate_tells_its_error(site):
    found = estimate(site[1], {"owner": "user001"}, key="the more waits")
    assert "tried on" in repr(found)
    assert "pinball loss" in found._repr_html_()
    assert found.frame()["share"].tolist() == list(SHARES)


def test_what_was_learned_is_kept_as_long_as_the_records_are_the_same(site):
    first = estimate(site[1], None, key="kept")
    again = estimate(pl.LazyFrame(), None, key="kept", at=first.at)
    assert again.quantiles == first.quantiles


def test_where_nothing_says_a_queue_it_is_the_one_in_which_such_jobs_ran():
    rows = [record(number, owner="ann", queue="long.q") for number in range(5)]
    rows += [record(number, owner="bob", queue="all.q") for number in range(10)]
    rows += [record(20, owner="bob", queue="mpi.q", parallel_environment="mpi")]
    past = read_past(records(rows))
    assert past.queue_for("ann", None) == "long.q"
    assert past.queue_for("eve", None) == "all.q"
    assert past.queue_for("ann", "mpi") == "mpi.q"


@pytest.mark.parametrize("template", [{"slots": 0}, {"slots": "4"}, "all.q", {"requests": 5}, {"queue": 7}])
def test_a_template_that_says_nothing_is_refused(template):
    with pytest.raises(InvalidArgument, match=r"xpected"):
        estimate(records([]), template)


def test_times_are_whole_seconds_since_the_epoch():
    past = read_past(records([record(0, wait=5.0)]))
    assert past.jobs.at.tolist() == [BEGIN]
    assert past.events.started.tolist() == [when(5).timestamp()]


def test_of_very_many_records_the_last_ones_are_looked_at(monkeypatch):
    monkeypatch.setattr("gcs_lab.accounting.wait_history._MOST_RECORDS", 25)
    past = read_past(records([record(number) for number in range(100)]))
    assert past.records == pytest.approx(25, abs=1)
    assert past.jobs.at.max() == BEGIN + 99 * 3600


def test_what_is_not_looked_at_is_told(site):
    records = site[1]
    odd = estimate(records, {"pe": "nosuch 2", "requests": "gpu=1,h_rt=3600"})
    assert not odd.known
    assert odd.quantiles
    assert any("gpu: not looked at" in note for note in odd.notes)
    assert any("parallel environment nosuch" in note for note in odd.notes)
    alike = estimate(records, {"name": "fit", "project": "p", "pe": "sm* 2", "requests": "h_rt=3600"})
    assert "fit" not in alike.said
    assert not any("environment" in note or "not looked at" in note for note in alike.notes)
    with pytest.raises(InvalidArgument, match="expected text"):
        estimate(records, {"queue": " "})
