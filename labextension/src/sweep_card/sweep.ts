// What the kernel tells of a sweep.
import { hasEnded, type ICardState } from '../card/card_state';
import { formatClock, formatCount, formatWall } from '../card/figures';
import { lookOf } from '../card/state_look';

/** The state of a sweep as the kernel sends it, with its strip. */
export interface ISweep extends ICardState {
  tasks: number;
  /** Number of tasks by name of their state, those first that matter most. */
  counts: Record<string, number>;
  /** Tasks that a cell of the strip stands for; the last cell may have fewer. */
  tasks_per_cell: number;
  /** Seconds until the last task ends, at the pace so far; -1: not known. */
  wall_left: number;
  parameters: string[];
  /** Names of the states; a byte of the strip is a place in it. */
  states: string[];
  /** A byte a cell: the state of its tasks that matters most. */
  strip: Uint8Array;
}

/** One task, as the list below the strip shows it. */
export interface ITask {
  task: number;
  state: string;
  parameters: string;
  host: string;
  wall: number;
  memory: number;
  error: string;
}

export type Action = 'rerun_failed' | 'hold' | 'release' | 'cancel';

/** The actions that the state of a sweep allows. */
export function allowedActions(sweep: ISweep): Action[] {
  const { counts } = sweep;
  const any = (...states: string[]) => states.some(state => (counts[state] ?? 0) > 0);
  if (sweep.job_id === '') {
    return [];
  }
  const actions: Action[] = any('FAILED') ? ['rerun_failed'] : [];
  if (sweep.ended || !any(...Object.keys(counts).filter(state => state !== 'DONE' && state !== 'FAILED'))) {
    return actions;
  }
  if (any('QUEUED', 'REQUEUED')) {
    actions.push('hold');
  }
  if (any('QUEUED_HELD', 'REQUEUED_HELD')) {
    actions.push('release');
  }
  return [...actions, 'cancel'];
}

export function identity(sweep: ISweep): string[] {
  const over = sweep.parameters.join(', ');
  return [sweep.job_id === '' ? '' : `job ${sweep.job_id}`, over === '' ? '' : `over ${over}`].filter(fact => fact !== '');
}

export function wall(sweep: ISweep): string[] {
  const known = sweep.started > 0 && sweep.finished >= sweep.started;
  return known ? [`${formatWall(sweep.finished - sweep.started)} wall`] : [];
}

/** How many tasks have ended, and of how many. */
export function progress(sweep: ISweep): { fraction: number; text: string } {
  const over = (sweep.counts.DONE ?? 0) + (sweep.counts.FAILED ?? 0);
  if (sweep.tasks === 0) {
    return { fraction: -1, text: '' };
  }
  return { fraction: over / sweep.tasks, text: `${formatCount(over)}/${formatCount(sweep.tasks)}` };
}

/** For how long the others will take. */
export function estimate(sweep: ISweep): string {
  return sweep.wall_left >= 0 && !hasEnded(sweep) ? `about ${formatClock(sweep.wall_left)} left` : '';
}

/** First and last task of a cell of the strip (cells are counted from 0, tasks from 1). */
export function tasksOf(sweep: ISweep, cell: number): [number, number] {
  const first = cell * sweep.tasks_per_cell + 1;
  return [first, Math.max(first, Math.min(sweep.tasks, first + sweep.tasks_per_cell - 1))];
}

/** `task 17`, `tasks 1,201–1,225`. */
export function cellName(sweep: ISweep, cell: number): string {
  const [first, last] = tasksOf(sweep, cell);
  return first === last ? `task ${formatCount(first)}` : `tasks ${formatCount(first)}–${formatCount(last)}`;
}

export function stateOf(sweep: ISweep, cell: number): string {
  return sweep.states[sweep.strip[cell] ?? 0] ?? 'UNDETERMINED';
}

/** What a cell says: `task 17: failed`; of more than one task the state that matters most. */
export function cellText(sweep: ISweep, cell: number): string {
  const [first, last] = tasksOf(sweep, cell);
  const { word } = lookOf(stateOf(sweep, cell));
  const which = first === last || word === lookOf('DONE').word ? word : `${word} (some)`;
  return `${cellName(sweep, cell)}: ${which}`;
}
