// The cluster queues, and below them their instances on the hosts.
import { formatCount } from '../card/figures';
import { GridView } from './grid_view';
import type { CockpitStore } from './store';

export function QueuesPanel({ store, shown }: { store: CockpitStore; shown: boolean }) {
  const queues = store.overview.value?.queues.length ?? 0;
  const [instances, matching] = store.totals.value.queue_instances ?? [0, 0];
  const counted = matching < instances ? `${formatCount(matching)} of ${formatCount(instances)}` : formatCount(instances);
  return (
    <div class="gcs-panel-column gcs-two-grids">
      <section aria-label="cluster queues" style={{ '--gcs-rows': Math.max(3, queues) }}>
        <h3>Cluster queues</h3>
        <GridView store={store} view="queues" label="cluster queues" shown={shown} />
      </section>
      <section aria-label="queue instances">
        <h3>Queue instances <span class="gcs-unit">{counted}; choose a queue to see its own</span></h3>
        <GridView store={store} view="queue_instances" label="queue instances" shown={shown} />
      </section>
    </div>
  );
}
