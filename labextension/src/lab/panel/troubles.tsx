// What is wrong between this page and the cluster, and what to do about it.
import type { ComponentChildren } from 'preact';

import { Press } from '../../face/parts';
import { timeOfDay } from '../../face/clock';
import type { IPanel } from '../../protocol/panel_messages';
import type { IClusterInfo } from '../../protocol/rest';
import type { PanelStore } from './store';

export function Troubles({ store, panel }: { store: PanelStore; panel: IPanel | null }) {
  const { manager, trans } = store.platform;
  const { status, text } = manager.connection.value;
  const problem = manager.panel.problem.value;
  if (status === 'missing' || status === 'connecting') {
    return null;
  }
  // Of a cluster that was stopped nothing is shown that could be old.
  const shown = status === 'lost' || store.stopped.value ? null : panel;
  const dead = deadOf(store);
  return (
    <>
      {status === 'lost' && (
        <Trouble title={trans.__('No connection since %1', clock(store.lostSince.value))}>
          <p>{text === '' ? trans.__('The Jupyter server does not answer. It is tried again by itself.') : text}</p>
          {panel !== null && <p>{trans.__('What is shown is old. Your jobs go on.')}</p>}
        </Trouble>
      )}
      {status === 'old' && (
        <Trouble title={trans.__('Page and server are of different versions')}>
          <p>{text}</p>
          <p><Press label={trans.__('Reload the page')} onPress={() => { location.reload(); }} /></p>
        </Trouble>
      )}
      {shown !== null && problem !== null && (
        <Trouble title={trans.__('What is shown may be old')}>
          <p>{problem.message}</p>
          <p><Press label={trans.__('Try again')} onPress={() => { manager.panel.refresh(); }} /></p>
        </Trouble>
      )}
      {shown !== null && shown.stale_since > 0 && (
        <Trouble title={trans.__('The cluster has not answered since %1', timeOfDay(shown.stale_since, shown.now))}>
          {dead !== null && <p>{dead.text}</p>}
          <p>{trans.__('What is shown is how it was then. It is asked again by itself.')}</p>
          <p class="gcs-line">
            {dead !== null && (
              <Press
                label={store.changing.value === dead.name ? trans.__('Starting %1…', dead.name) : trans.__('Start %1 again', dead.name)}
                primary off={store.noChange.value} onPress={() => { void store.start(dead.name); }}
              />
            )}
            <Press label={trans.__('Ask now')} onPress={() => { manager.panel.refresh(); }} />
          </p>
        </Trouble>
      )}
    </>
  );
}

/** The cluster in use, if its master died and it can be started again from here. */
function deadOf(store: PanelStore): IClusterInfo | null {
  const info = store.cluster.value;
  return info !== null && info.state === 'unreachable' && info.startable ? info : null;
}

/** The server has no extension: nothing else can be shown. */
export function HalfInstalled({ store }: { store: PanelStore }) {
  const { manager, trans } = store.platform;
  return (
    <div class="jp-gcs-lab-panel-hint" role="alert">
      <h3>{trans.__('The server side of gcs_lab is missing')}</h3>
      <p>{manager.connection.value.text}</p>
      <p class="gcs-dim">{trans.__('In a terminal of the environment that JupyterLab runs in, this says what is missing:')}</p>
      <code>gcs-lab doctor</code>
    </div>
  );
}

/** The server refused to open the cluster. */
export function Refused({ store }: { store: PanelStore }) {
  const { manager, trans } = store.platform;
  const { problem } = manager.panel;
  const dead = deadOf(store);
  return (
    <div class="jp-gcs-lab-panel-hint" role="alert">
      <h3>{trans.__('%1 cannot be shown', manager.current.value)}</h3>
      <p class="gcs-alarm-text">{problem.value?.message}</p>
      <p class="gcs-line">
        {dead !== null && (
          <Press label={trans.__('Start %1 again', dead.name)} primary off={store.noChange.value} onPress={() => { void store.start(dead.name); }} />
        )}
        <Press label={trans.__('Try again')} onPress={() => { manager.panel.refresh(); }} />
        {!store.choosing.value && <Press label={trans.__('Choose another')} onPress={() => { void store.toggleChooser(); }} />}
      </p>
    </div>
  );
}

function Trouble({ title, children }: { title: string; children: ComponentChildren }) {
  return <div class="gcs-band jp-gcs-lab-trouble" role="alert"><h3>{title}</h3>{children}</div>;
}

function clock(time: number): string {
  return time === 0 ? '' : timeOfDay(time, Date.now() / 1000);
}
