// What a screen reader is told of the cluster without having asked.
import { formatCount } from '../card/figures';
import { timeOfDay } from '../face/clock';
import { sentence } from '../face/host_words';
import type { CockpitStore } from './store';

/** It changes with what a person did or must know, not with every job that starts. */
export function wordsNow(store: CockpitStore): string {
  const overview = store.overview.value;
  if (!store.live.value) {
    return `${sentence(store.host.gone)}.`;
  }
  if (overview === null) {
    return '';
  }
  const now = store.now.peek();
  if (store.replaying.value !== null) {
    return `Showing ${timeOfDay(store.replaying.value, now, true)}, not live.`;
  }
  if (overview.stale_since > 0) {
    return 'The cluster does not answer.';
  }
  const narrowed = store.filter.value !== '' || store.mine.value;
  const { jobs } = overview.matching;
  return narrowed ? `Narrowed to ${formatCount(jobs)} ${jobs === 1 ? 'job' : 'jobs'}.` : '';
}
