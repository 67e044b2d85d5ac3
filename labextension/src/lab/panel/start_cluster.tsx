// What to do where no cluster runs: those that can be started from here.
import { Press } from '../../face/parts';
import type { IClusterInfo } from '../../protocol/rest';
import type { PanelStore } from './store';
import { systemWord } from './system_word';

export function StartCluster({ store }: { store: PanelStore }) {
  const { manager, trans } = store.platform;
  const clusters = manager.clusters.value;
  const startable = clusters.filter(({ startable: can, state }) => can && state === 'stopped');
  const running = clusters.some(({ state }) => state === 'running');
  const { changing } = store;
  return (
    <div class="jp-gcs-lab-panel-hint">
      <h3>{running ? trans.__('%1 is stopped', manager.current.value) : trans.__('No cluster is running')}</h3>
      {startable.length === 0
        ? <p class="gcs-dim">{trans.__('None was found, and none can be started from here. Look for SGE_ROOT in the environment of the Jupyter server; this says more:')}</p>
        : <p class="gcs-dim">{trans.__('Start one of your own. It goes on when the browser is closed.')}</p>}
      {startable.length === 0 && <code>gcs-lab doctor</code>}
      {startable.map(info => (
        <div key={info.name} class="jp-gcs-lab-start">
          <Press
            label={changing.value === info.name ? trans.__('Starting %1…', info.name) : trans.__('Start %1', info.name)} primary
            off={store.noChange.value}
            onPress={() => { void store.start(info.name); }}
          />
          <p class="gcs-dim">{sentence(store, info)}</p>
        </div>
      ))}
      {clusters.some(({ state }) => state !== 'stopped') && !store.choosing.value && (
        <p><Press label={trans.__('Choose another')} onPress={() => { void store.toggleChooser(); }} /></p>
      )}
    </div>
  );
}

function sentence(store: PanelStore, info: IClusterInfo): string {
  const { trans } = store.platform;
  if (info.text !== '') {
    return info.text;
  }
  return info.backend === 'embedded'
    ? trans.__('A small scheduler on this computer alone, for work that fits on it. It starts in a second.')
    : trans.__('A private %1 on this computer, to try things as they are on a large one.', systemWord(info.backend));
}
