// The tabs of the cockpit.
import { TabList } from '../face/tab_list';
import type { TabName } from './remembered';
import type { CockpitStore } from './store';

export const TABS: readonly (readonly [TabName, string])[] = [['jobs', 'Jobs'], ['queues', 'Queues'], ['hosts', 'Hosts'], ['charts', 'Charts']];

export function Tabs({ store, id }: { store: CockpitStore; id: string }) {
  const count = countsOf(store);
  return (
    <TabList
      id={id} label="views of the cluster" chosen={store.tab.value} onChoose={name => { store.setTab(name); }}
      tabs={TABS.map(([name, label]) => ({ name, label, count: count[name] }))}
    />
  );
}

function countsOf(store: CockpitStore): Partial<Record<TabName, number>> {
  const overview = store.overview.value;
  return overview === null ? {} : {
    jobs: overview.matching.jobs, queues: overview.queues.length, hosts: overview.hosts.up + overview.hosts.down
  };
}
