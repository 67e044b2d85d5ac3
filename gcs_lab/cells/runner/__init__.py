"""The program that a cell's job runs: ``PYTHON runner.pyz FOLDER`` (docs/event-log.md).

It needs nothing but Python 3.9 or newer. The package travels as one zip application with what it falls back to
(``gcs_lab.cells.runner_archive``), so its modules import only each other, relatively, and the standard library. The
submitting side imports it for the payload format, which so has one implementation. Two processes work together:

* the *supervisor* writes the event log, beats the heart, passes signals on, and tells how the job ended, even when
  the cell was killed or crashed the interpreter;
* its *child*, forked before anything heavy is imported, runs the cell. What Python code prints, displays and reports
  goes through one pipe (:class:`~.channel.Channel`), so its order is exact and what was sent outlives the child. What
  is written to file descriptors 1 and 2 below Python comes through two more pipes.

Exit status: the cell's own (``sys.exit(n)``), 1 for an exception, 128 + n for signal n, 74 (``EX_IOERR``) if the cell
went well and its outputs could not be written, 66 (``EX_NOINPUT``) if ``spec.json`` cannot be used, 69
(``EX_UNAVAILABLE``) if an earlier job that it needs did not end well.

===============  ====================================================================================
both sides       trust, payload, pickled, stand_ins, private_file, exit_status, job_end, sweep_end,
                 result_files, script_values
asked before     notebook_inspection
the start        main, activated
the supervisor   supervisor, event_writer, stream_merger, usage, signals
between them     pipes, frames, channel, strict_json
the child        child, cell, cell_code, cell_outputs, error_report, text_stream, displays, plain_display,
                 rich_shell, import_watch, progress_bars, upstream, sweep_results,
                 notebook, notebook_progress, notebook_failure
===============  ====================================================================================
"""

from .exit_status import EXIT_NO_SPEC, EXIT_OUTPUT_LOST, EXIT_UPSTREAM_FAILED
from .job_end import VERDICT, JobEnd, end_of_job
from .payload import read_payload, write_payload
from .result_files import read_outputs
from .trust import check_trusted

__all__ = [
    "EXIT_NO_SPEC",
    "EXIT_OUTPUT_LOST",
    "EXIT_UPSTREAM_FAILED",
    "VERDICT",
    "JobEnd",
    "check_trusted",
    "end_of_job",
    "read_outputs",
    "read_payload",
    "write_payload",
]
