// What the kernel tells of a job, and how a state is drawn.
import looks from '../../../gcs_lab/widgets/job_states.json';

/**
 * The state of a job as the kernel sends it. Times are seconds since the epoch by the kernel's clock, memory is
 * bytes; '', 0 and -1 mean "not known".
 */
export interface IJob {
  name: string;
  cluster: string;
  system: string;
  job_id: string;
  state: string;
  sub_state: string;
  queue: string;
  host: string;
  slots: number;
  submitted: number;
  started: number;
  finished: number;
  progress: number;
  progress_text: string;
  rss: number;
  max_rss: number;
  exit_status: number;
  message: string;
  stale_since: number;
  /** When the card was first shown. */
  shown: number;
  ended: boolean;
  now: number;
}

export type Action = 'cancel' | 'hold' | 'release';

/** The last press of a button that reached the kernel; empty when it has been answered by a new state. */
export interface IPress {
  action?: Action;
  phase?: 'sent' | 'accepted' | 'failed';
  error?: string;
}

export interface ILook {
  word: string;
  glyph: string;
  colour: string;
  icon: string;
}

const LOOKS: Record<string, ILook> = looks;

export function lookOf(state: string): ILook {
  return LOOKS[state] ?? looks.UNDETERMINED;
}

export function hasEnded(job: IJob): boolean {
  return job.ended || job.state === 'DONE' || job.state === 'FAILED';
}

/** The actions that the state of a job allows, in the order of their buttons. */
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
