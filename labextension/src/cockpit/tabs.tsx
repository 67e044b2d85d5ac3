// The tabs of the cockpit.
import { formatCount } from '../card/figures';
import type { TabName } from './remembered';
import type { CockpitStore } from './store';

export const TABS: readonly (readonly [TabName, string])[] = [['jobs', 'Jobs'], ['queues', 'Queues'], ['hosts', 'Hosts'], ['charts', 'Charts']];

export function Tabs({ store, id }: { store: CockpitStore; id: string }) {
  const chosen = store.tab.value;
  const count = countsOf(store);
  const go = (event: KeyboardEvent) => {
    const at = TABS.findIndex(([name]) => name === chosen);
    const to: Record<string, number> = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: TABS.length - 1 };
    const step = to[event.key];
    const next = step === undefined ? undefined : TABS[(step + TABS.length) % TABS.length]?.[0];
    if (next !== undefined) {
      event.preventDefault();
      event.stopPropagation();
      store.setTab(next);
      (event.currentTarget as HTMLElement).querySelector<HTMLElement>(`#${id}-tab-${next}`)?.focus();
    }
  };
  return (
    <div class="gcs-tabs" role="tablist" aria-label="views of the cluster" data-lm-suppress-shortcuts="true" onKeyDown={go}>
      {TABS.map(([name, label]) => (
        <button
          type="button" role="tab" key={name} id={`${id}-tab-${name}`} aria-controls={`${id}-panel-${name}`}
          aria-selected={name === chosen} tabIndex={name === chosen ? 0 : -1} onClick={() => { store.setTab(name); }}
        >
          {label}{count[name] === undefined ? '' : <span class="gcs-tab-count">{formatCount(count[name])}</span>}
        </button>
      ))}
    </div>
  );
}

function countsOf(store: CockpitStore): Partial<Record<TabName, number>> {
  const overview = store.overview.value;
  return overview === null ? {} : {
    jobs: overview.matching.jobs, queues: overview.queues.length, hosts: overview.hosts.up + overview.hosts.down
  };
}
