"""The observable face of one cell's job: what a widget, a panel or a script watches."""

from __future__ import annotations

from traitlets import Bool, Dict, Float, Integer, List, Unicode

from gcs_lab.models.fed_traits import FedTraits

__all__ = ["JobModel"]


class JobModel(FedTraits):
    """State of one job as traits; set from a background thread, observed from anywhere.

    Of a cell's job it is fed by the event log and the scheduler's states; of any other job by what the cluster tells
    of all jobs (:meth:`gcs_lab.models.ClusterModel.job`): exit status, progress, memory and reasons are unknown then.
    Times are seconds since the epoch, durations seconds, memory bytes; NaN-free: 0.0 and -1 mean "not known".
    """

    name = Unicode(help="the job's name (-N)")
    cluster = Unicode(help="name of the cluster")
    system = Unicode(help="what runs the cluster, with its version")
    job_id = Unicode(help="the scheduler's id; empty until submitted")
    state = Unicode("UNDETERMINED", help="name of the DRMAA2 JobState")
    sub_state = Unicode(help="the scheduler's own letters, verbatim (qw, hqw, r, Eqw …)")
    queue = Unicode(help="queue it runs or ran in")
    host = Unicode(help="host it runs or ran on")
    slots = Integer(1, help="slots granted or asked for")
    owner = Unicode(help="who submitted it; empty of a cell's job: it is yours")
    project = Unicode(help="project (-P); empty: none")
    priority = Float(0.0, help="as the scheduler orders jobs, 0 to 1; 0.0 while unknown")
    is_array = Bool(False, help="whether it is an array job")
    tasks = Integer(1, help="tasks that have not ended; 1 of a job that is no array")
    counts = Dict(help="number of its tasks that are running, suspended, pending, held, error; of arrays alone")
    submitted = Float(help="time of submission")
    started = Float(help="time the code began; 0.0 before")
    finished = Float(help="time it ended; 0.0 before")
    progress = Float(-1.0, help="fraction done, 0 to 1; -1 when nothing is known")
    progress_text = Unicode(help="what the progress bar says: '120/400 batches, epoch 3'")
    rss = Integer(0, help="memory now, bytes, whole process tree")
    max_rss = Integer(0, help="peak memory, bytes")
    max_vmem = Integer(0, help="peak virtual memory, bytes")
    cpu = Float(help="CPU seconds so far")
    exit_status = Integer(-1, help="exit status; -1 while unknown")
    message = Unicode(
        help="one line on why it ended or why it is stuck: 'killed: h_rt=60 s exceeded'; empty if normal"
    )
    requested = Dict(help="what was requested: {'h_rt': '1:00:00', 'h_vmem': '4G'}")
    waiting = List(
        Unicode(), help="why it has not started, a sentence each, the weightiest first; empty once it runs"
    )
    usage = List(Unicode(), help="at the end: what it asked for and what it used, a sentence each")
    advice = Unicode(
        help="at the end: the corrected flags, ready to copy: '-l h_rt=0:10:00,h_vmem=2G'; empty if all fits"
    )
    stale_since = Float(help="when the cluster last answered, if it does not answer now; else 0.0")
    folder = Unicode(help="the job folder")
    ended = Bool(False, help="True when nothing more will change")
