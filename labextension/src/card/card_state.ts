// What the kernel tells of anything that a card shows.
import { formatClock } from './figures';
import { lookOf } from './state_look';

/**
 * Times are seconds since the epoch by the kernel's clock, memory is bytes; '', 0 and -1 mean "not known".
 */
export interface ICardState {
  name: string;
  cluster: string;
  system: string;
  job_id: string;
  state: string;
  submitted: number;
  started: number;
  finished: number;
  message: string;
  /** Why it waits, a sentence each, the weightiest first. */
  waiting: string[];
  /** At the end: what it asked for and what it used, a sentence each. */
  usage: string[];
  /** At the end: the flags that would have done; '' if those that were given fit. */
  advice: string;
  stale_since: number;
  /** When the card was first shown. */
  shown: number;
  ended: boolean;
  now: number;
}

/** The last press of a button that reached the kernel; empty when it has been answered by a new state. */
export interface IPress<A extends string = string> {
  action?: A;
  phase?: 'sent' | 'accepted' | 'failed';
  error?: string;
}

export function hasEnded(state: ICardState): boolean {
  return state.ended || state.state === 'DONE' || state.state === 'FAILED';
}

/** The time that runs: since the start, or since the submission while it waits. `now` is the kernel's time. */
export function elapsed(state: ICardState, now: number): string {
  if (hasEnded(state)) {
    return '';
  }
  if (state.started > 0) {
    return formatClock(now - state.started);
  }
  return state.submitted > 0 ? `waiting ${formatClock(now - state.submitted)}` : '';
}

export function orphanNote(state: ICardState, kind: string): string {
  const word = lookOf(state.state).word;
  return `${word} when the kernel was last there; the ${kind} goes on without it: %gcs attach ${state.job_id}`;
}

export function staleNote(state: ICardState): string {
  if (state.stale_since <= 0 || hasEnded(state)) {
    return '';
  }
  const time = new Date(state.stale_since * 1000).toLocaleTimeString();
  return `stale since ${time}: the cluster does not answer`;
}
