// Which cluster: its name and what runs it, and below it, when wanted, all that can be used from here.
import { useRef } from 'preact/hooks';

import { Press } from '../../face/parts';
import type { IClusterInfo } from '../../protocol/rest';
import type { PanelStore } from './store';
import { shortSystem, systemWord } from './system_word';

const LIST = 'jp-gcs-lab-clusters';

export function Chooser({ store }: { store: PanelStore }) {
  const { manager, trans } = store.platform;
  const button = useRef<HTMLButtonElement>(null);
  const info = store.cluster.value;
  const open = store.choosing.value;
  const name = manager.current.value;
  const system = systemOf(store, info);
  return (
    <div
      class="jp-gcs-lab-chooser"
      onKeyDown={event => {
        if (event.key === 'Escape' && store.choosing.value) {
          event.preventDefault();
          store.choosing.value = false;
          button.current?.focus();
        }
      }}
    >
      <button
        ref={button} type="button" class="jp-gcs-lab-chosen" aria-expanded={open} aria-controls={LIST}
        title={info === null ? trans.__('Choose a cluster') : trans.__('%1: %2. Choose another cluster', info.name, info.why)}
        onClick={() => { void store.toggleChooser(); }}
      >
        <span class="gcs-spoken">{trans.__('Cluster')} </span>
        <b>{name === '' ? trans.__('No cluster') : name}</b>{' '}
        <span class="jp-gcs-lab-system">{system}</span>
        <svg class="gcs-icon" viewBox="0 0 16 16" aria-hidden="true"><path d="M4 6l4 4 4-4" /></svg>
      </button>
      <div id={LIST} hidden={!open}>
        {open && (
          <ul class="jp-gcs-lab-clusters" role="list" aria-label={trans.__('Clusters')}>
            {manager.clusters.value.map(one => (
              <ClusterLine
                key={one.name} store={store} info={one}
                onUse={() => { store.use(one.name); button.current?.focus(); }}
              />
            ))}
            {manager.clusters.value.length === 0 && <li class="gcs-dim">{trans.__('No cluster was found from here.')}</li>}
          </ul>
        )}
      </div>
    </div>
  );
}

/** What runs it: the system's own name when it has told it. */
function systemOf(store: PanelStore, info: IClusterInfo | null): string {
  const panel = store.panel.value;
  const name = store.platform.manager.current.value;
  const system = panel !== null && panel.cluster === name && panel.system !== '' ? panel.system : systemWord(info?.backend ?? '');
  return shortSystem(system, name);
}

function ClusterLine({ store, info, onUse }: { store: PanelStore; info: IClusterInfo; onUse: () => void }) {
  const { manager, trans } = store.platform;
  const used = info.name === manager.current.value;
  const busy = store.changing.value === info.name;
  const off = store.noChange.value;
  const states = { running: trans.__('running'), stopped: trans.__('stopped'), unreachable: trans.__('does not answer') };
  return (
    <li data-cluster={info.name} data-state={info.state}>
      <p class="gcs-line">
        <i class="jp-gcs-lab-lamp" data-state={info.state} aria-hidden="true" />
        <b>{info.name}</b>{' '}
        <span class="gcs-dim">{systemWord(info.backend)}, {states[info.state]}</span>
        {used && <span class="jp-gcs-lab-used">{trans.__('in use')}</span>}
      </p>
      <p class="gcs-dim">{info.text === '' ? info.why : info.text}</p>
      <p class="gcs-line">
        {!used && info.state !== 'stopped' && !(info.state === 'unreachable' && info.startable) && <Press label={trans.__('Use')} title={trans.__('Use %1', info.name)} onPress={onUse} />}
        {info.startable && info.state !== 'running' && (
          <Press
            label={busy ? trans.__('Starting…') : info.state === 'stopped' ? trans.__('Start') : trans.__('Start again')}
            title={trans.__('Start %1, and use it', info.name)} off={off}
            onPress={() => { void store.start(info.name); }}
          />
        )}
        {info.startable && info.state === 'running' && (
          <Press
            label={busy ? trans.__('Stopping…') : trans.__('Stop')} title={trans.__('Stop %1', info.name)} off={off} danger
            onPress={() => { void store.stop(info); }}
          />
        )}
      </p>
    </li>
  );
}
