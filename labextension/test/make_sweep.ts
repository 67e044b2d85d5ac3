import type { ISweep } from '../src/sweep_card/sweep';
import { makeJob } from './make_job';

export const STATES = [
  'UNDETERMINED',
  'QUEUED',
  'QUEUED_HELD',
  'RUNNING',
  'SUSPENDED',
  'REQUEUED',
  'REQUEUED_HELD',
  'DONE',
  'FAILED'
];
export const [QUEUED, RUNNING, DONE, FAILED] = [1, 3, 7, 8];

/** A running sweep of `strip.length` cells, with what a test wants to be different. */
export function makeSweep(strip: number[], different: Partial<ISweep> = {}): ISweep {
  const counts: Record<string, number> = {};
  for (const code of strip) {
    const name = STATES[code] ?? '';
    counts[name] = (counts[name] ?? 0) + 1;
  }
  const { name, cluster, system, job_id, submitted, started, finished, message, stale_since, shown, ended, now } = makeJob();
  return {
    ...{ name, cluster, system, job_id, submitted, started, finished, message, stale_since, shown, ended, now },
    state: 'RUNNING',
    waiting: [],
    usage: [],
    advice: '',
    tasks: strip.length,
    counts,
    tasks_per_cell: 1,
    wall_left: -1,
    parameters: ['x'],
    states: STATES,
    strip: Uint8Array.from(strip),
    ...different
  };
}
