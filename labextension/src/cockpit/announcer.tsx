// What a screen reader is told without having asked: rarely, and only what matters.
import { useEffect, useRef, useState } from 'preact/hooks';

import { formatCount } from '../card/figures';
import { timeOfDay } from './clock';
import type { CockpitStore } from './store';

const PAUSE_MILLISECONDS = 4000;

export function Announcer({ store }: { store: CockpitStore }) {
  const wanted = wordsNow(store);
  const [said, setSaid] = useState('');
  const last = useRef(0);
  useEffect(() => {
    const wait = Math.max(500, last.current + PAUSE_MILLISECONDS - Date.now());
    const timer = setTimeout(() => {
      last.current = Date.now();
      setSaid(wanted);
    }, wait);
    return () => { clearTimeout(timer); };
  }, [wanted]);
  return <div class="gcs-spoken" role="status" aria-live="polite">{said}</div>;
}

/** It changes with what a person did or must know, not with every job that starts. */
function wordsNow(store: CockpitStore): string {
  const overview = store.overview.value;
  if (!store.live.value) {
    return 'The kernel is gone.';
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
