// The side panel as one page. The Lumino widget around it is in widget.ts; this is loaded when it is first shown.
import { render } from 'preact';

import { formatCount } from '../../card/figures';
import { Announcer } from '../../face/announcer';
import { Notes } from '../../face/notes';
import { watchDark, watchSeen } from '../../face/surroundings';
import type { IPanel } from '../../protocol/panel_messages';
import { Chooser } from './chooser';
import { Health, Places } from './health';
import { JobLists } from './job_lists';
import type { IPanelPlatform } from './platform';
import { StartCluster } from './start_cluster';
import { PanelStore } from './store';
import { HalfInstalled, Refused, Troubles } from './troubles';

export interface IPanelView {
  /** Tell what was done, or (alarm) what was refused; it stands at the foot of the panel. */
  note(text: string, alarm: boolean): void;
  /** Give the focus to the row that was last chosen; without rows to what is first, and to the first row when there is one. */
  focus(): void;
  dispose(): void;
}

export function mountPanel(node: HTMLElement, platform: IPanelPlatform): IPanelView {
  const store = new PanelStore(platform);
  const ends = [
    watchSeen(node, seen => { store.setSeen(seen); }),
    watchDark(node, dark => { store.dark.value = dark; })
  ];
  store.ticking.run(true);
  render(<Panel store={store} />, node);
  return {
    note: (text, alarm) => { store.book.note(text, alarm); },
    focus: () => {
      const row = node.querySelector<HTMLElement>('.jp-gcs-lab-job-main[tabindex="0"]');
      const first = row ?? node.querySelector<HTMLElement>('button');
      first?.focus();
      if (row === null && node.contains(document.activeElement)) {
        store.awaitRows(document.activeElement);
      }
    },
    dispose: () => {
      ends.forEach(end => { end(); });
      store.dispose();
      render(null, node);
    }
  };
}

function Panel({ store }: { store: PanelStore }) {
  const { manager, trans } = store.platform;
  const panel = store.panel.value;
  const { status } = manager.connection.value;
  const old = status === 'lost' || (panel?.stale_since ?? 0) > 0;
  const { dark } = store;
  return (
    <div class="gcs-face gcs-fills jp-gcs-lab-panel" data-ground={dark.value ? 'dark' : 'light'}>
      <div class="gcs-face-inner">
        {status !== 'missing' && <Chooser store={store} />}
        <Troubles store={store} panel={panel} />
        <div class="jp-gcs-lab-body" data-old={old}><Body store={store} panel={panel} /></div>
        <Notes book={store.book} words={{ notes: trans.__('Notes'), dismiss: trans.__('Dismiss') }} />
        <Announcer words={summary(store, panel)} />
      </div>
    </div>
  );
}

function Body({ store, panel }: { store: PanelStore; panel: IPanel | null }) {
  const { manager, trans } = store.platform;
  const { status, text } = manager.connection.value;
  if (status === 'missing') {
    return <HalfInstalled store={store} />;
  }
  const known = manager.clusters.value.length > 0;
  if (store.stopped.value || (known && manager.current.value === '')) {
    return <StartCluster store={store} />;
  }
  if (panel === null && manager.panel.problem.value !== null) {
    return <Refused store={store} />;
  }
  if (panel === null) {
    const words = status === 'connecting' || manager.current.value === ''
      ? trans.__('Connecting to the Jupyter server…') : trans.__('Asking %1…', manager.current.value);
    return status === 'lost' ? null : <p class="jp-gcs-lab-panel-hint gcs-dim" role="status">{status === 'old' ? text : words}</p>;
  }
  return (
    <>
      <Health store={store} panel={panel} />
      <Places store={store} />
      <JobLists store={store} panel={panel} />
    </>
  );
}

/** What a screen reader hears unasked. */
function summary(store: PanelStore, panel: IPanel | null): string {
  const { trans } = store.platform;
  if (panel === null || store.lostSince.value > 0 || panel.stale_since > 0) {
    // Bands are alerts, and say it themselves.
    return '';
  }
  const { running, suspended, pending, held, error } = panel.mine;
  const parts = [
    trans.__('%1 running', formatCount(running)),
    ...(suspended > 0 ? [trans.__('%1 suspended', formatCount(suspended))] : []),
    trans.__('%1 waiting', formatCount(pending + held)),
    ...(error > 0 ? [trans.__('%1 in error', formatCount(error))] : [])
  ];
  return trans.__('My jobs: %1', parts.join(', '));
}
