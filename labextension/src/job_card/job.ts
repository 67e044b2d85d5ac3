// What the kernel tells of a job.
import { hasEnded, type ICardState } from '../card/card_state';

/** The state of a job as the kernel sends it. */
export interface IJob extends ICardState {
  sub_state: string;
  queue: string;
  host: string;
  slots: number;
  progress: number;
  progress_text: string;
  rss: number;
  max_rss: number;
  exit_status: number;
}

export type Action = 'cancel' | 'hold' | 'release';

/** The actions that the state of a job allows. */
export function allowedActions(job: IJob): Action[] {
  if (hasEnded(job) || job.job_id === '') {
    return [];
  }
  if (job.state === 'QUEUED' || job.state === 'REQUEUED') {
    return ['hold', 'cancel'];
  }
  if (job.state === 'QUEUED_HELD' || job.state === 'REQUEUED_HELD') {
    return ['release', 'cancel'];
  }
  return ['cancel'];
}
