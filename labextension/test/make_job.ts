import type { IJob } from '../src/job_card/job';

/** A running job, with what a test wants to be different. */
export function makeJob(different: Partial<IJob> = {}): IJob {
  return {
    name: 'fit',
    cluster: 'demo',
    system: 'Grid Engine 8.1.9',
    job_id: '12',
    state: 'RUNNING',
    sub_state: 'r',
    queue: '',
    host: '',
    slots: 1,
    submitted: 0,
    started: 0,
    finished: 0,
    progress: -1,
    progress_text: '',
    rss: 0,
    max_rss: 0,
    exit_status: -1,
    message: '',
    waiting: [],
    usage: [],
    advice: '',
    stale_since: 0,
    shown: 1000,
    ended: false,
    now: 1000,
    ...different
  };
}
