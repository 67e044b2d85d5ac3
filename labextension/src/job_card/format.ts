// Figures as people read them; the same words as gcs_lab/widgets/card_html.py, held together by a common test.
import { hasEnded, lookOf, type IJob } from './job';

export function formatMemory(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  // 1023.5 would be written as 1024 of the smaller unit.
  let size = bytes;
  while (size >= 1023.5 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || size >= 99.95 ? 0 : 1;
  return `${size.toFixed(digits)} ${units[unit] ?? ''}`;
}

/** A duration in seconds as a clock that runs: `0:07`, `12:30`, `1:02:03`. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = two(whole % 60);
  return hours > 0
    ? `${hours}:${two(minutes)}:${rest}`
    : `${minutes}:${rest}`;
}

export function formatWall(seconds: number): string {
  return seconds < 59.95 ? `${seconds.toFixed(1)} s` : formatClock(Math.round(seconds));
}

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

/** The time that runs: since the start, or since the submission while the job waits. `now` is the kernel's time. */
export function elapsed(job: IJob, now: number): string {
  if (hasEnded(job)) {
    return '';
  }
  if (job.started > 0) {
    return formatClock(now - job.started);
  }
  return job.submitted > 0 ? `waiting ${formatClock(now - job.submitted)}` : '';
}

export function orphanNote(job: IJob): string {
  const word = lookOf(job.state).word;
  return `${word} when the kernel was last there; the job goes on without it: %gcs attach ${job.job_id}`;
}

/** A front end drops what a kernel sends to a cell that ran before the page was loaded: say where it is instead. */
export function reloadNote(job: IJob, pageLoaded: number): string {
  if (hasEnded(job) || pageLoaded <= job.shown + 1) {
    return '';
  }
  return `the page was loaded again: new output is in Logs, or in a cell with %gcs attach ${job.job_id}`;
}

export function staleNote(job: IJob): string {
  if (job.stale_since <= 0 || hasEnded(job)) {
    return '';
  }
  const time = new Date(job.stale_since * 1000).toLocaleTimeString();
  return `stale since ${time}: the cluster does not answer`;
}
