// Jobs that ended, gathered: a person is told at once of the first, and of what ends soon after in one text.
import type { IEnded, IPanelJob } from '../../protocol/panel_messages';
import type { Notified } from './settings';

/** Between two notifications, in milliseconds. */
export const PAUSE = 3_000;
/** Most jobs that are named in one. */
const NAMED = 5;

export class EndedGather {
  private gathered: IEnded | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly tell: (ended: IEnded) => void, private readonly pause: number = PAUSE) {}

  add(ended: IEnded): void {
    this.gathered = this.gathered === null ? ended : joined(this.gathered, ended);
    if (this.timer === null) {
      this.flush();
    }
  }

  dispose(): void {
    if (this.timer !== null) {
      clearTimeout(this.timer);
    }
    this.timer = null;
    this.gathered = null;
  }

  private readonly flush = () => {
    this.timer = null;
    const told = this.gathered;
    if (told !== null) {
      this.gathered = null;
      this.timer = setTimeout(this.flush, this.pause);
      this.tell(told);
    }
  };
}

function joined(before: IEnded, after: IEnded): IEnded {
  const jobs = [...before.jobs, ...after.jobs.filter(job => !before.jobs.some(known => known.job_id === job.job_id))];
  return {
    kind: 'ended',
    jobs: jobs.slice(0, NAMED),
    more: before.more + after.more + Math.max(0, jobs.length - NAMED),
    failed: before.failed + after.failed,
    done: before.done + after.done
  };
}

export function hasFailed(job: IPanelJob): boolean {
  return job.state === 'FAILED' || (job.tasks !== null && job.tasks.failed > 0);
}

/** What of it a person wants to hear, without the job that is looked at; null: nothing. */
export function wanted(ended: IEnded, notified: Notified, watched: (job: IPanelJob) => boolean): IEnded | null {
  if (notified === 'none') {
    return null;
  }
  const heard = ended.jobs.filter(job => !watched(job) && (notified === 'all' || hasFailed(job)));
  const unheard = ended.jobs.filter(job => !heard.includes(job));
  const failed = ended.failed - unheard.filter(hasFailed).length;
  const done = notified === 'failures' ? 0 : ended.done - unheard.filter(job => !hasFailed(job)).length;
  const more = notified === 'failures' ? Math.max(0, failed - heard.length) : ended.more;
  return heard.length + more > 0 ? { kind: 'ended', jobs: heard, more, failed, done } : null;
}
