// By what the open tab is split, and what usage is counted in.
import { Select } from '../face/select';
import type { MeasureName, TabName } from '../protocol/explorer_messages';
import type { ExplorerStore } from './store';

/** Where it counts. */
const SPLIT: readonly TabName[] = ['usage', 'waits', 'efficiency', 'cost'];
const MEASURED: readonly TabName[] = ['usage'];

export function Splitting({ store, id }: { store: ExplorerStore; id: string }) {
  const welcome = store.welcome.value;
  const { tab, by, measure } = store.state.value;
  if (welcome === null) {
    return null;
  }
  return (
    <div class="gcs-splitting">
      {MEASURED.includes(tab) && (
        <Select
          id={`${id}-measure`} label="counted in" value={measure} options={welcome.measures.map(one => [one.name, one.label] as const)}
          onChoose={value => { store.change({ measure: value as MeasureName }); }}
        />
      )}
      {SPLIT.includes(tab) && (
        <Select
          id={`${id}-by`} label="split by" value={by} options={welcome.groupings.map(one => [one.name, one.label] as const)}
          onChoose={value => { store.change({ by: value }); }}
        />
      )}
    </div>
  );
}
