// What to do with a cluster that has no job.
import { Press } from '../face/parts';
import type { CockpitStore } from './store';

export function EmptyCluster({ store }: { store: CockpitStore }) {
  return (
    <div class="gcs-empty">
      <h3>{store.mine.value ? 'You have no job here now.' : 'No job is running or waiting.'}</h3>
      <p class="gcs-dim">A job comes from a cell that begins with <code>%%gcs submit</code>, or from <code>cluster.jobs.run("sleep", "60")</code>. It shows here by itself.</p>
      {store.mine.value && <Press label="All jobs" onPress={() => { store.setFilter(store.filter.value, false); }} />}
    </div>
  );
}
