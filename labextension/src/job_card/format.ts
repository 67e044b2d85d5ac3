// A job in words; the same as in gcs_lab/widgets/card_html.py, held together by a common test.
import { hasEnded } from '../card/card_state';
import { formatMemory, formatWall } from '../card/figures';
import type { IJob } from './job';

/** Where and as what the job is known: `job 12`, `all.q@node1`. */
export function identity(job: IJob): string[] {
  const place = [job.queue, job.host].filter(part => part !== '').join('@');
  return [job.job_id === '' ? '' : `job ${job.job_id}`, place].filter(
    fact => fact !== ''
  );
}

/** What there is to say when it is over: wall time, peak memory, exit status. */
export function outcome(job: IJob): string[] {
  const facts = [];
  if (job.started > 0 && job.finished >= job.started) {
    facts.push(`${formatWall(job.finished - job.started)} wall`);
  }
  if (job.max_rss > 0) {
    facts.push(`peak ${formatMemory(job.max_rss)}`);
  }
  if (job.exit_status >= 0) {
    facts.push(`exit ${job.exit_status}`);
  }
  return facts;
}

/** A front end drops what a kernel sends to a cell that ran before the page was loaded: say where it is instead. */
export function reloadNote(job: IJob, pageLoaded: number): string {
  if (hasEnded(job) || pageLoaded <= job.shown + 1) {
    return '';
  }
  return `the page was loaded again: new output is in Logs, or in a cell with %gcs attach ${job.job_id}`;
}
