"""Which jobs the words of `--after` mean, against a journal and clusters whose answers the test sets."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gcs_lab.cells.cell_job import CellJob
from gcs_lab.cells.dependencies import Dependencies
from gcs_lab.cells.job_folder import JobFolder
from gcs_lab.cells.journal import Journal, JournalEntry
from gcs_lab.cells.plan import CellOptions, CellRequest, plan_cell
from gcs_lab.errors import InvalidArgument, NotReady, UnknownName, UpstreamFailed
from gcs_lab.jobs import Jobs
from gcs_lab.vocabulary import JobInfo, JobState, JobStatus


class Backend:
    system = "a fake"
    supported_attributes = frozenset()
    poll_floor = 0.01

    def __init__(self):
        self.states: dict[str, JobStatus] = {}

    def status(self, job_ids):
        return {job_id: self.states.get(job_id, JobStatus(JobState.QUEUED, "qw")) for job_id in job_ids}

    def info(self, job_ids):
        return {job_id: JobInfo(job_id=job_id, job_name="outside") for job_id in job_ids if job_id in self.states}


class FakeCluster:
    system = "a fake"

    def __init__(self, name):
        self.name, self.backend = name, Backend()
        self.jobs = Jobs(self.backend, cluster=name)


class Known:
    """A notebook: its journal and handles."""

    notebook = "/n/mine.ipynb"

    def __init__(self, path):
        self.journal = Journal(path / "journal.sqlite")
        self._path, self._handles, self._count = path, [], 0

    def handles(self):
        return self._handles

    def complete_journal(self):
        """Nothing is missing here."""

    def add(self, name, job_id, cluster="here", *, notebook=notebook, events=(), **more):
        self._count += 1
        with JobFolder.create(name) as folder:
            folder.write_spec({"outputs": [name], "source": "", "filename": "f"})
        folder.events.write_text(
            "".join(json.dumps({"seq": n, "t": 1.0, **event}) + "\n" for n, event in enumerate(events))
        )
        entry = JournalEntry(
            folder=str(folder.path), cluster=cluster, job_id=job_id, name=name, notebook=notebook,
            submitted=float(self._count), **more,
        )  # fmt: skip
        self.journal.add(entry)
        return entry

    def handle(self, entry, cluster):
        job = CellJob(cluster, entry, self.journal)
        self._handles.append(job)
        return job


@pytest.fixture
def here():
    return FakeCluster("here")


@pytest.fixture
def known(tmp_path):
    return Known(tmp_path)


def settled(known, cluster, *after, source="z = 1", namespace=None):
    request = CellRequest(
        source=source, filename="<cell>", display_name="Cell In[3]", display_source=source,
        namespace=namespace or {}, options=CellOptions(after=list(after)), execution_count=3,
    )  # fmt: skip
    plan = plan_cell(request)
    dependencies = Dependencies(request.namespace, known)
    dependencies.settle(plan, cluster)
    return plan, dependencies.notes


STARTED, GOOD = {"type": "started"}, {"type": "finished", "exit_status": 0}
BAD = [
    {"type": "error", "ename": "ValueError", "evalue": "no"},
    {"type": "finished", "exit_status": 1, "reason": "error"},
]


def test_names_of_this_notebook_come_before_variables_and_others_names(known, here):
    known.add("fit", "1", notebook="/n/other.ipynb")
    variable = known.handle(known.add("other", "2"), here)
    assert settled(known, here, "fit")[0].template("r", "f", "o", "e").hold_jid == ["1"]
    assert settled(known, here, "fit", namespace={"fit": variable})[0].after[0].job_id == "2"
    known.add("fit", "3")
    assert settled(known, here, "fit", namespace={"fit": variable})[0].after[0].job_id == "3"


def test_the_newest_of_a_name_is_taken_and_the_others_are_named(known, here):
    known.add("fit", "1")
    known.add("fit", "2")
    plan, notes = settled(known, here, "fit")
    assert [one.job_id for one in plan.after] == ["2"]
    assert notes == ["--after fit: job 2, the newest of that name (others: 1)"]


def test_of_a_name_on_two_clusters_the_job_is_meant_that_can_be_waited_for(known, here):
    known.add("fit", "1", "here")
    known.add("fit", "2", "there")
    plan, notes = settled(known, here, "fit")
    assert ([one.job_id for one in plan.after], notes) == (["1"], [])


def test_an_id_belongs_to_the_cluster_that_the_cell_goes_to(known, here):
    known.add("elsewhere", "7", "there")
    known.add("mine", "7", "here")
    assert settled(known, here, "7")[0].after[0].name == "mine"
    known.add("other", "8", "there")
    with pytest.raises(InvalidArgument, match=r"job 8 \(other\) is on there, and this cell goes to here.*--on there"):
        settled(known, here, "8")


def test_an_id_that_only_the_cluster_knows_is_waited_for_without_a_folder(known, here):
    here.backend.states["9"] = JobStatus(JobState.RUNNING, "r")
    (upstream,) = settled(known, here, "9")[0].after
    assert (upstream.job_id, upstream.name, upstream.folder) == ("9", "outside", "")
    here.backend.states["10"] = JobStatus(JobState.FAILED, "z", annotation="deleted by ann")
    with pytest.raises(
        UpstreamFailed, match=r"--after 10: job 10 \(outside\) failed: deleted by ann. Nothing was sent"
    ):
        settled(known, here, "10")
    with pytest.raises(UnknownName, match="no job is called '11' on a fake"):
        settled(known, here, "11")


@pytest.mark.parametrize("word", ["fit.3", "5.2"])
def test_a_task_is_no_job_to_wait_for(known, here, word):
    known.add("fit", "5")
    whole = word.partition(".")[0]
    told = rf"--after {word}: a task cannot be waited for by itself. Nothing was sent.*\(--after {whole}\)"
    with pytest.raises(InvalidArgument, match=told):
        settled(known, here, word)


def test_one_that_ended_well_is_remembered_and_not_waited_for(known, here):
    known.add("fit", "1", events=[STARTED, GOOD])
    plan, _ = settled(known, here, "fit")
    assert plan.after == []
    assert [one.job_id for one in plan.ended] == ["1"]
    assert plan.template("r", "f", "o", "e").hold_jid is None
    assert [one.job_id for one in plan.upstreams()] == ["1"]


def test_one_that_failed_is_refused_whether_or_not_its_end_was_seen_here(known, here):
    known.add("fit", "1", events=[STARTED, *BAD])
    with pytest.raises(UpstreamFailed, match=r"--after fit: job 1 \(fit\) failed: ValueError: no. Nothing was sent"):
        settled(known, here, "fit")


def test_a_value_of_another_cluster_is_refused(known, here):
    job = known.handle(known.add("x", "1", "there"), FakeCluster("there"))
    namespace = {}
    job.deliver_to(namespace)
    with pytest.raises(NotReady, match=r"the cell needs x: job 1 \(x\) is on there, and this cell goes to here"):
        settled(known, here, source="y = x", namespace=namespace)


def test_a_placeholder_under_another_name_is_followed_to_its_job(known, here):
    job = known.handle(known.add("x", "1"), here)
    namespace = {}
    job.deliver_to(namespace)
    namespace["alias"] = namespace["x"]
    plan, _ = settled(known, here, "x", source="y = alias", namespace=namespace)
    assert {name: (one.job_id, one.output) for name, one in plan.from_jobs.items()} == {"alias": ("1", "x")}
    assert plan.inputs == {}
    assert plan.template("r", "f", "o", "e").hold_jid == ["1"]
    assert plan.spec()["from_jobs"]["alias"] == replace(job.upstream(), output="x").to_json()


def test_all_unfinished_jobs_of_the_kernel_and_none(known, here):
    assert settled(known, here, "*")[1] == ["--after *: no job of this kernel is unfinished"]
    for number in "12":
        known.handle(known.add(f"job_{number}", number), here)
    assert [one.job_id for one in settled(known, here, "*")[0].after] == ["1", "2"]
