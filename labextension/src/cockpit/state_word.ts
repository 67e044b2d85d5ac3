// States as the cockpit shows them: the looks of all cards, and what only a cluster's status knows.
import { lookOf, type ILook } from '../card/state_look';

/** In the order in which they are told. */
const ORDER = ['RUNNING', 'SUSPENDED', 'QUEUED', 'REQUEUED', 'QUEUED_HELD', 'REQUEUED_HELD', 'ERROR', 'UNDETERMINED'];

/** Words that the filter takes after `state:` (filter_states.py); of other states it takes the name. */
const FILTER_WORDS: Record<string, string> = {
  RUNNING: 'running', SUSPENDED: 'suspended', QUEUED: 'queued', QUEUED_HELD: 'held', ERROR: 'error'
};

export function stateLook(state: string): ILook {
  return state === 'ERROR' ? { ...lookOf('FAILED'), word: 'error' } : lookOf(state);
}

export function filterWord(state: string): string {
  return FILTER_WORDS[state] ?? state;
}

export function inOrder(counts: Record<string, number>): [string, number][] {
  const place = (state: string) => (ORDER.includes(state) ? ORDER.indexOf(state) : ORDER.length);
  return Object.entries(counts).filter(([, count]) => count > 0).sort(([one], [other]) => place(one) - place(other));
}
